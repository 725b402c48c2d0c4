/* Between the files of the dlm engine; nobody else includes this. */
#ifndef UMD_ENGINE_DLM_H
#define UMD_ENGINE_DLM_H

#define _REENTRANT 1		/* libdlm.h declares less without */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include <corosync/cmap.h>
#include <corosync/cpg.h>
#include <corosync/quorum.h>
#include <libdlm.h>

#include "engine/engine.h"

enum {
	ENGINE_MEMBERS_MAX = 128,	/* processes in one group: more than slots, so that one too many hears why */
	ENGINE_LOCKS_MAX = CLU_NODES_MAX + 3,
	ENGINE_REASON_BYTES = 400,
	ENGINE_PACKET_HEAD_BYTES = 8,
	ENGINE_PACKET_BYTES_MAX = ENGINE_PACKET_HEAD_BYTES + CLU_MESSAGE_BYTES_MAX,
};

/* ---- locks (engine_dlm_lock.c) ---- */

enum engine_lock_state { ENGINE_L_IDLE, ENGINE_L_REQUESTED, ENGINE_L_HELD, ENGINE_L_RELEASING };

struct engine_dlm_lock {
	struct engine_dlm_locks *all;
	struct clu_lock lock;
	char name[16];
	uint32_t mode;			/* LKM_* */
	enum engine_lock_state state;
	struct dlm_lksb lksb;		/* the kernel's word on it; written by libdlm */
	bool is_wanted, may_queue;	/* the wish */
	bool was_asked_to_queue;	/* REQUESTED */
	bool must_release;		/* somebody else may be waiting: given up before it is taken again */
	bool is_cancel_issued;
	bool is_told;			/* granted, and said so */
	bool owes_cancelled, owes_refused;	/* answers to be told */
};

/* A condition with the clock that only goes on, and a time on it. */
void engine_dlm_cond_init(pthread_cond_t *cond);
struct timespec engine_dlm_in_ms(int limit_ms);

/* Between engine_dlm_hand.c, which calls the DLM, and engine_dlm_lock.c, which it calls it for. */
struct engine_dlm_locks;
void *engine_dlm_hand(void *locks);
void engine_dlm_wake(struct engine_dlm_locks *l);
void engine_dlm_locks_free(struct engine_dlm_locks *l);

/* The hand that does what may block: every call into a lockspace waits while it recovers. It owns itself: an engine
 * that is closed meanwhile leaves it behind. */
struct engine_dlm_locks {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	pthread_t thread;
	dlm_lshandle_t space;
	int fd, wake_fd;		/* of the lockspace; to tell the engine's thread */
	char name[40];			/* of the lockspace */
	uint32_t count;
	struct engine_dlm_lock locks[ENGINE_LOCKS_MAX];
	bool is_open, is_done, is_closing, is_abandoned, is_finished;
	int rc;				/* of opening; of the first call that failed, then with @err */
	struct err err;
};

/* Join the lockspace; 0, or a code with one sentence. Waits @limit_ms at most. */
int engine_dlm_locks_open(const char *name, uint32_t nodes, int wake_fd, int limit_ms,
			  struct engine_dlm_locks **ret_locks, struct err *err);
/* Everything is let go; waits @limit_ms at most. What was not by then is named in @ret_left, else left empty; it goes
 * when the DLM answers. */
struct engine_dlm_locks *engine_dlm_locks_close(struct engine_dlm_locks *l, int limit_ms,
						char ret_left[ENGINE_REASON_BYTES]);
void engine_dlm_lock(struct engine_dlm_locks *l, struct clu_lock lock, bool may_queue);
void engine_dlm_cancel(struct engine_dlm_locks *l, struct clu_lock lock);
void engine_dlm_unlock(struct engine_dlm_locks *l, struct clu_lock lock);
void engine_dlm_unlock_all(struct engine_dlm_locks *l);
/* Ask for a lock nobody minds: granted when the lockspace works, and counts us in. */
void engine_dlm_probe(struct engine_dlm_locks *l);
/* By the engine's thread: take in what the kernel said. 0, or a code with a sentence: the lockspace is of no use. */
int engine_dlm_locks_hear(struct engine_dlm_locks *l, struct err *err);
/* The next answer to be told, by the engine's thread; false: none. */
bool engine_dlm_locks_next(struct engine_dlm_locks *l, struct clu_lock *ret_lock, int *ret_rc, bool *ret_is_probe);

/* ---- corosync's settings (engine_dlm_cmap.c) ---- */

struct engine_dlm;
/* "corosync does not answer: ..." with the reason. */
int engine_dlm_refuse_corosync(struct err *err, const char *what, cs_error_t rc);
/* The name is right; the token's time is read, and followed from now on. */
int engine_dlm_settings_open(struct engine_dlm *d, struct err *err);

/* ---- the group (engine_dlm_group.c) ---- */

struct engine_ring {
	uint64_t seq;
	uint32_t node;			/* of its representative: rings of two halves may have the same number */
};

struct engine_member {
	uint32_t node, pid;
	uint64_t id;			/* 0: it has not said yet */
	uint32_t token_ms;		/* how soon its corosync gives up who is silent; 0: it has not said yet */
	bool is_hidden;			/* it was cut off while we went on: it will find out */
};

struct engine_packet {
	struct engine_packet *next;
	uint64_t from;			/* of one that came in */
	uint32_t len_bytes;
	uint8_t bytes[];
};

struct engine_queue {
	struct engine_packet *first, **last;
};

struct engine_dlm {
	struct engine e;
	struct engine_config config;
	char uuid[40];
	uint32_t node, pid;		/* our address in the group */
	uint32_t token_ms;		/* of our corosync */
	cmap_handle_t cmap;
	cpg_handle_t cpg;
	quorum_handle_t quorum;
	struct engine_dlm_locks *locks;
	int wake_fd;
	pthread_t thread;

	/* Any thread asks, the engine's does: under the mutex. */
	pthread_mutex_t mutex;
	struct engine_queue out;
	bool wants_group, wants_goodbye, wants_close, lacks_memory;
	/* Who closes waits for the thread, not for ever: then it tells nobody anything any more, and owns all this. */
	pthread_cond_t changed;
	bool is_telling, has_ended, is_abandoned;

	/* The engine's thread alone. */
	bool is_joined, is_left;
	bool is_in;			/* our first CONFIG was told */
	bool has_own_hello, owes_hello;
	uint32_t member_count;
	struct engine_member members[ENGINE_MEMBERS_MAX];
	uint64_t told[ENGINE_MEMBERS_MAX];
	uint32_t told_count;
	struct engine_queue early;	/* messages that wait for our first CONFIG */
	struct engine_ring ring, proven, before;
	uint64_t quorum_seq, nodes_seq, hello_seq;	/* the rings of: .is_quorate, the nodes, our own hello */
	bool is_quorate, is_accepted, is_quorum_told, told_quorum;
	bool has_lost_members, needs_proof, is_probing;	/* since we were in an accepted ring */
	uint64_t beat_sent_ms, beat_due_ms, beat_heard_ms;	/* heard: when the last one that came back was sent */
	uint32_t lease_ms;		/* the shortest token of all members */
	uint32_t absences;
	char lost[ENGINE_REASON_BYTES];
	bool is_lost_told;

	/* What every writer asks. */
	atomic_bool may_write;
	_Atomic uint64_t lease_until_ms;
};

uint64_t engine_dlm_now_ms(void);
int engine_dlm_group_open(struct engine_dlm *d, struct err *err);
void engine_dlm_group_close(struct engine_dlm *d);
/* By the engine's thread. */
void engine_dlm_group_join(struct engine_dlm *d);
void engine_dlm_group_leave(struct engine_dlm *d);
void engine_dlm_group_hear(struct engine_dlm *d, bool cpg, bool quorum, bool cmap);
void engine_dlm_group_send(struct engine_dlm *d);	/* what waits in .out */
void engine_dlm_tell(struct engine_dlm *d, const struct clu_event *event);

/* ---- the end (engine_dlm_close.c) ---- */

/* What the opener of the engine is told, until it has closed it. */
void engine_dlm_deliver(struct engine_dlm *d, const struct clu_event *event);
void engine_dlm_note(struct engine_dlm *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct engine *engine_dlm_close(struct engine *e);
struct engine *engine_dlm_free(struct engine_dlm *d);	/* its thread has ended, or never began */
void engine_dlm_end_thread(struct engine_dlm *d);	/* the thread's last act */
bool engine_dlm_is_pending(const struct engine_dlm *d);	/* does a member owe us its hello? */
bool engine_dlm_cast(struct engine_dlm *d, const uint8_t *bytes, uint32_t len_bytes);	/* false: later */

/* ---- rings and quorum (engine_dlm_ring.c); by the engine's thread ---- */

int engine_dlm_quorum_open(struct engine_dlm *d, struct err *err);
void engine_dlm_ring_changed(cpg_handle_t handle, struct cpg_ring_id ring, uint32_t count, const uint32_t *nodes);
/* After whatever may have changed what we know of the ring. */
void engine_dlm_judge_ring(struct engine_dlm *d);
/* The hello of one we were parted from, or have never met. */
void engine_dlm_meet(struct engine_dlm *d, struct engine_member *m, struct engine_ring before, bool is_new);
void engine_dlm_group_beat(struct engine_dlm *d);
void engine_dlm_hear_beat(struct engine_dlm *d, uint64_t sent_ms);
/* Somebody's token has another time, or somebody came whose time is known. */
void engine_dlm_set_lease(struct engine_dlm *d);
/* Our corosync's has: the others are told, and the log. */
void engine_dlm_token_changed(struct engine_dlm *d, uint32_t token_ms);
void engine_dlm_group_probed(struct engine_dlm *d);
void engine_dlm_lose(struct engine_dlm *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
void engine_dlm_put_head(uint8_t head[ENGINE_PACKET_HEAD_BYTES], char kind);
int engine_dlm_queue(struct engine_queue *q, const void *head, uint32_t head_bytes, const void *data,
		     uint32_t len_bytes, uint64_t from);
struct engine_packet *engine_dlm_unqueue(struct engine_queue *q);

#endif
