/* Between the files of the control socket; nobody else includes this. */
#ifndef UMD_RUN_CONTROL_INSIDE_H
#define UMD_RUN_CONTROL_INSIDE_H

#include <stdint.h>
#include <sys/un.h>

#include "run/control.h"

enum { RUN_CONTROL_REQUEST_MAX = 256 * 1024, RUN_CONTROL_PATIENCE_MS = 5000 };

/* The address of NAME/control.sock, through the directory's descriptor: such a path is never too long for a socket. */
struct sockaddr_un run_control_address(int dir_fd);

/* May this peer talk to us, may we believe that server? Own uid or root. */
bool run_control_peer_is_ok(int socket);

/* ---- one connection (control_peer.c) ---- */

struct run_control_peer {
	int fd;				/* -1: free */
	int passed_fd;			/* came with the request that is being read; else -1 */
	char *in;			/* what has come of the next requests; NULL: no room was needed yet */
	size_t in_bytes, in_room;
	struct run_later *later;	/* will answer the request that was read last, or NULL */
	char *out;			/* the reply on its way, or NULL */
	size_t out_bytes, sent_bytes;
	bool is_ending;			/* close once the reply is out */
	uint64_t active_ms;		/* when it last made progress */
};

void run_control_peer_open(struct run_control_peer *p, int fd, uint64_t now_ms);
void run_control_peer_close(struct run_control_peer *p);
short run_control_peer_events(const struct run_control_peer *p);
/* UINT64_MAX: it owes nothing and may stay. */
uint64_t run_control_peer_deadline_ms(const struct run_control_peer *p);
/* Read, answer and send what can be done without waiting. False: the connection has ended. */
bool run_control_peer_step(struct run_control_peer *p, run_control_handler *handler, void *opaque, uint64_t now_ms);
/* Ask who is to answer later. False: the connection has ended. */
bool run_control_peer_ask(struct run_control_peer *p, uint64_t now_ms);

/* ---- one request (control_request.c) ---- */

/* The reply to @line, with its newline; NULL without memory, or when *@ret_later will give it. */
char *run_control_answer(const char *line, size_t len_bytes, int fd, run_control_handler *handler, void *opaque,
			 struct run_later **ret_later);
/* What @later has to say now, with its newline; NULL: nothing yet, or (@is_over) no memory. */
char *run_control_answer_later(struct run_later *later, bool is_over);

/* The code that err_name() calls @name; -EPROTO where there is none. */
int run_control_code(const char *name);

#endif
