/* An array of this process as one node of a cluster: the brain, the engine, and the hands between them. Files of
 * src/run only.
 *
 *	open: options, engine's kind, members under MBR_LOCK_CLUSTERED, name		cluster_open.c
 *	start: engine, JOIN, LOAD, UP; stop: the array ends, LEAVE, GOODBYE		cluster_life.c
 *	every step of the array, every event of the engine: the brain steps too	cluster.c
 *	members that other nodes, or we, bring in and take out			cluster_members.c
 *	what people see								cluster_show.c
 *
 * Everything here is under the array's lock, but where it says otherwise. The engine's functions are called under it;
 * they never wait. What takes its time (LOAD, SEE, FORGET) is the node's own thread's. */
#ifndef UMD_RUN_CLUSTER_H
#define UMD_RUN_CLUSTER_H

#include "cluster/cluster.h"
#include "engine/engine.h"
#include "run/opening.h"

enum { RUN_EVENTS = 12 };

/* What the brain answered an errand. */
struct run_answer {
	bool is_there;
	int rc;
	struct err err;
};

struct run_cluster {
	/* from the open on */
	bool is_dlm, is_direct, fails_without_quorum;
	char node_name[CLU_NODE_NAME_BYTES];
	char cluster_name[FMT_BITMAP_CLUSTER_NAME_BYTES + 1];
	uint32_t nodes;
	struct run_opening *opening;	/* until the array is made of it */
	struct asm_options judge;
	char *prefer;

	/* from the start on */
	struct clu *clu;
	struct engine *engine;
	struct clu_out out;
	bool is_pumping;
	bool is_closed;			/* nothing is delivered any more */
	bool is_gone;			/* GOODBYE was asked for */
	bool is_lost;			/* nothing is written any more, and nothing waits for that */
	bool is_without_quorum;
	enum { RUN_NODE_JOINS, RUN_NODE_IS_UP, RUN_NODE_IS_REFUSED, RUN_NODE_HAS_FAILED } life;
	struct err err;			/* why it was refused, or failed */
	struct run_answer token, told;
	uint64_t known_cleared;		/* by any node, as the slots said when an errand looked */
	struct arr_reload reload;

	/* what the attributes show (cluster_show.c) */
	struct att_cluster view;
	struct clu_status status;
	struct run_event {
		uint64_t number;	/* from 1 */
		char text[256];
	} events[RUN_EVENTS];		/* the last ones, each at its number's place */
	char events_text[ATT_VALUE_MAX], peers[ATT_VALUE_MAX], suspended[ATT_VALUE_MAX], waits_for[256];

	/* the node's thread */
	pthread_t thread;
	pthread_cond_t wakes;
	bool has_thread, thread_ends;
	uint64_t thread_deadline_ms;
	bool wants_load, wants_see, wants_forget;
	uint32_t slot;
	struct clu_message message;	/* of SEE, FORGET */
};

/* ---- cluster.c ---- */

/* One event for the brain; what it asks for is done, the array's steps included. */
void run_cluster_feed(struct umd_array *u, const struct clu_event *ev);
/* The array took a step. */
void run_cluster_after_step(struct umd_array *u);
/* The engine's deliver(): without the lock. */
void run_cluster_deliver(void *opaque, const struct clu_event *ev);
/* Without the lock. Waits until the others certainly count us in; false: it is over, nothing may be written. Nothing is
 * read either: what the others have written since is not there. */
bool run_cluster_may_go_on(struct umd_array *u);
/* The same for an errand that writes to a disk before it is a member here: others may have it as one by then. */
bool run_cluster_may_prepare(struct umd_array *u);
int run_cluster_refuse_to_prepare(struct err *err);	/* the sentence; its code */
/* A client's request is not even begun: there is no quorum, and it is not to wait for that. */
bool run_cluster_refuses(const struct umd_array *u);
/* Nothing is written any more and nothing waits: the array ends with errors. */
void run_cluster_lose(struct umd_array *u);
/* Wait on u->changed, at most until @deadline_ms; false: it is later. */
bool run_cluster_wait(struct umd_array *u, uint64_t deadline_ms);

/* ---- cluster_open.c ---- */

/* Before members are opened: is it to be a node? Sets u->cluster. 0 or a code with a sentence. */
int run_cluster_asked(struct umd_array *u, const struct umd_open_options *options, const char *const *members,
		      size_t count, struct err *err);
enum mbr_lock run_cluster_lock(const struct run_cluster *c);
/* Judged: what is known of the array so far. */
int run_cluster_take(struct umd_array *u, const struct run_opening *o, const struct asm_options *options,
		     struct err *err);
int run_cluster_take_name(struct umd_array *u, const char *wanted, const char *name, struct err *err);
int run_cluster_open_engine(struct umd_array *u, struct err *err);	/* without the lock */
void run_cluster_let_go(struct umd_array *u, const struct member *m);	/* before it is closed, while the node runs */
struct run_cluster *run_cluster_free(struct run_cluster *c);

/* ---- cluster_life.c ---- */

int run_cluster_start(struct umd_array *u, struct err *err);	/* without the lock; until it is up, or is not let in */
void run_cluster_await_stop(struct umd_array *u);	/* the array was told to: it stops soon, whatever hangs */
void run_cluster_leave(struct umd_array *u);		/* without the lock; the array has stopped. Engine, brain go */

/* ---- cluster_members.c ---- */

/* An errand changes members: all others keep theirs until it ends; 0 at once where there are none. Under the lock,
 * which is left meanwhile, as of all that follow. 0 or a code with a sentence. */
int run_cluster_begin_change(struct umd_array *u, struct err *err);
void run_cluster_end_change(struct umd_array *u);
/* What the slots of all nodes say about who may come back. */
int run_cluster_know_cleared(struct umd_array *u, struct err *err);
/* Empty slots, and of a new device a spare's superblock. */
int run_cluster_write_candidate(struct umd_array *u, struct member *m, const struct arr_member *entry, struct err *err);
/* Do all other nodes see it? @type: NEWDISK or RE_ADD. */
int run_cluster_tell_add(struct umd_array *u, enum clu_message_type type, uint32_t number, const uint8_t uuid[16],
			 const char *path, struct err *err);
int run_cluster_tell_remove(struct umd_array *u, uint32_t number, struct err *err);
/* Nobody waits for the cluster any more. */
bool run_cluster_is_over(const struct umd_array *u);
void run_cluster_see(struct umd_array *u);		/* the node's thread; left meanwhile */
void run_cluster_forget(struct umd_array *u);

/* ---- cluster_show.c ---- */

/* The brain heard of something: what is shown is made anew, and whoever follows it is woken by the next notice. */
void run_cluster_refresh(struct umd_array *u);
void run_cluster_detail(struct umd_array *u, const struct arr_status *array, struct text *t);

#endif
