/* The control socket: one JSON object per line in, one per line out, NAME/control.sock, mode 0600.
 *
 * A thread of its own; peers other than our own uid and root are sent away; requests longer than 256 KiB, readers that
 * do not read and clients that stop in the middle of a line are dropped. An answer may come later: others are served
 * meanwhile. */
#ifndef UMD_RUN_CONTROL_H
#define UMD_RUN_CONTROL_H

#include "base/err.h"
#include "base/text.h"
#include "run/rundir.h"

struct json_object;
struct run_control;

/* A request whose answer is not there yet. Asked by the control thread after each run_control_wake() and at the
 * deadline; dropped when it has answered, when its client has gone, and when the server ends. */
struct run_later {
	uint64_t deadline_ms;		/* of run_control_now_ms(); UINT64_MAX: none */
	/* True: exactly one JSON object is in @reply. @is_over: the deadline is here, and it must be. */
	bool (*ask)(struct run_later *later, bool is_over, struct text *reply);
	void (*drop)(struct run_later *later);
};

uint64_t run_control_now_ms(void);

/**
 * run_control_handler - answer one request
 * @command: the request's "command", never NULL; @request: the whole object, valid during the call
 * @fd: a descriptor that came along, or -1. It stays the control thread's, which closes it after the call: keep a
 *	duplicate (F_DUPFD_CLOEXEC; locks belong to the open file description and survive).
 * @reply: empty; exactly one JSON object is to be written. Nothing written: the client is told of missing memory.
 * Returns NULL, or what will answer later; then nothing is written.
 * Context: the control thread, one request at a time; must not call run_control_stop().
 */
typedef struct run_later *run_control_handler(void *opaque, const char *command, struct json_object *request, int fd,
					      struct text *reply);

/* Write {"error": {"code": NAME, "errno": N, "message": SENTENCE}}. */
void run_control_refuse(struct text *reply, const struct err *err);

/**
 * run_control_start - bind NAME/control.sock and serve it
 * Call it in the process that serves (after a fork). 0 or a code with a sentence.
 */
int run_control_start(const struct run_rundir *r, run_control_handler *handler, void *opaque,
		      struct run_control **ret_control, struct err *err);

/* Those who are to answer later are asked again, soon. Any thread; never waits. */
void run_control_wake(struct run_control *c);

/* End the thread, close connections, remove the socket, free. Takes NULL, returns NULL. */
struct run_control *run_control_stop(struct run_control *c);

#endif
