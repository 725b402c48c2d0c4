/* An array served by this process: the brains, the lock around them, and the hands. Files of run/ only.
 *
 * It lives from open to close, and in that time runs at most once at a time: arr is NULL while it does not. The lock
 * covers arr, lineage and run, and is never held across I/O. hands[] is read without it: an entry changes only while
 * no job touches it, and jobs are given out under the lock. */
#ifndef UMD_RUN_RUNNING_H
#define UMD_RUN_RUNNING_H

#include <pthread.h>
#include <stdatomic.h>

#include "assembly/assembly.h"
#include "attrs/attrs.h"
#include "member/member.h"
#include "run/control.h"
#include "run/rundir.h"
#include "umd/umd.h"

enum { RUN_BEHIND_THREADS = 16 };

struct umd_array {
	/* of the server: from open to close */
	pthread_mutex_t lock;
	/* a job of the array's thread is done: for those who wait for a state */
	pthread_cond_t changed;
	struct run_rundir *rundir;
	struct run_control *_Atomic control;
	void (*on_stop)(void *);
	void *on_stop_opaque;
	void (*on_overdue)(void *, const char *);
	void *on_overdue_opaque;
	pthread_t overdue;			/* overdue.c */
	bool is_watched, has_ended;
	bool is_ending;				/* no run begins any more */
	struct att *tree;			/* under the lock; changed by errands alone */
	uint64_t told_clock;			/* of the tree: who watches has been woken for all up to it */
	bool is_direct;				/* members past the page cache */
	bool has_superblocks;			/* it was assembled from them, and not cleared since */
	struct att_facts facts;			/* of the tree, where there are superblocks */
	struct run_cluster *cluster;		/* it runs as one node of a cluster (cluster.h); NULL: alone */
	struct run_errands *errands;		/* NULL: they are run where they are asked for */

	/* of a run, made before it starts */
	struct arr *arr;			/* NULL: the array does not run */
	uint32_t clients;			/* have it open */
	struct asm_lineage *lineage;
	struct member *hands[ARR_FILE + 1];	/* by entry of the array's member table; the bitmap's file */
	atomic_uint under_way[ARR_FILE + 1];	/* batches that are with the kernel, of the same entries */
	char *paths[ARR_MEMBERS_MAX];		/* escaped, for people */
	uint8_t device_uuids[ARR_MEMBERS_MAX][16];
	/* What umd remembers of the bitmap's file when the array starts. */
	enum { RUN_PAIRING_STAYS, RUN_PAIRING_IS_MADE, RUN_PAIRING_IS_FORGOTTEN } pairing;
	uint8_t uuid[16];
	char name[FMT_SB1_NAME_BYTES + 1];	/* of the superblock: hostile */
	int32_t level;

	/* of a run, while it is started */
	bool is_started;
	enum { RUN_THREAD_WAITS, RUN_THREAD_GOES, RUN_THREAD_IS_CALLED_OFF } thread_state;
	pthread_cond_t thread_wakes;		/* a job for the array's thread, or an earlier timer */
	pthread_t thread;
	struct list jobs;			/* for the array's thread */
	uint64_t thread_deadline_ms;
	void *sync_buffer;			/* ARR_SYNC_WINDOW_BYTES */
	pthread_t behind[RUN_BEHIND_THREADS];	/* behind.c */
	uint32_t behind_threads, behind_idle;
	struct list behind_jobs;
	uint32_t behind_waiting;		/* jobs on that list */
	pthread_cond_t behind_wakes;
	bool behind_ends;
};

/* work.c */
uint64_t run_now_ms(void);
void run_step(struct umd_array *u, struct arr_event *ev);		/* under the lock */
void run_job(struct umd_array *u, struct arr_job *job);			/* without it */
int run_request(struct umd_array *u, struct arr_req *req);		/* by a worker; returns 0 or -errno */

/* thread.c */
int run_thread_start(struct umd_array *u, struct err *err);	/* it does nothing before run_thread_go() */
void run_thread_go(struct umd_array *u);
void run_thread_call_off(struct umd_array *u);			/* instead of go: it ends, and nothing was written */
void run_thread_join(struct umd_array *u);

/* behind.c: parts that go on behind answered writes */
void run_behind_begin(struct umd_array *u);
bool run_behind_take(struct umd_array *u, struct arr_job *job);	/* under the lock; false: there is no thread for it */
void run_behind_end(struct umd_array *u);			/* the array has stopped: none is left */

/* errand.c: what takes its time, one after the other, on a thread of its own. @carry_out answers as a handler
 * does. */
typedef void run_errand_fn(struct umd_array *u, struct json_object *request, int fd, struct text *reply);
int run_errands_start(struct umd_array *u, struct err *err);
struct run_later *run_errand(struct umd_array *u, run_errand_fn *carry_out, struct json_object *request, int fd,
			     struct text *reply);
/* What is under way is finished, what waits is refused. Then the control thread may end, and then they are freed. */
void run_errands_end(struct umd_array *u);
void run_errands_free(struct umd_array *u);

/* tree.c: the attribute tree, without changing it */
struct att_view run_view(struct umd_array *u, struct arr_status *status);	/* under the lock, as long as it is */
/* After every change: pollers are told. Under the lock. */
void run_notice(struct umd_array *u);
void run_command_get(struct umd_array *u, struct json_object *request, struct text *reply);
void run_command_attrs(struct umd_array *u, struct text *reply);
struct run_later *run_command_watch(struct umd_array *u, struct json_object *request, struct text *reply);

/* tree_members.c: arrays with superblocks. Under the lock once the array is started. -ENOMEM */
int run_tree_of_array(struct umd_array *u, const struct asm_member *looks, const uint32_t *look_of, uint32_t count,
		      const struct asm_plan *plan);
int run_tree_add(struct umd_array *u, uint32_t entry, const struct asm_member *look);
void run_tree_remove(struct umd_array *u, uint32_t entry);

/* hand.c: writes of attributes, carried out */
run_errand_fn run_command_set;
void run_close_devices(struct umd_array *u);			/* all of them; nothing runs */

/* grow.c: another bitmap, or none. Under the lock, which is left until it is over. @next is taken over. */
run_errand_fn run_command_grow;
int run_change_bitmap(struct umd_array *u, struct bm *next, const member_off at[ARR_MEMBERS_MAX], struct err *err);
/* Of an array with superblocks, by what its attributes say: planned, exchanged, and the tree told. */
int run_grow_as_wished(struct umd_array *u, const struct asm_bitmap_wish *wish, struct err *err);
int run_set_bits(struct umd_array *u, array_off at, uint64_t len_bytes, struct err *err);

/* life.c: a run begins and ends */
struct umd_array *run_array_new(void);
/* Its thread is there and waits: run_thread_go() or run_end() comes next. */
int run_begin(struct umd_array *u, struct err *err);
/* Tell requests and the sync to end, and refuse new ones. Under the lock; never waits. */
void run_tell_end(struct umd_array *u);
/* Wait for the end of the run and forget it; the members stay open. Without the lock. *@ret_last: how it ended; all
 * zero when there was none. */
void run_end(struct umd_array *u, struct arr_status *ret_last);

/* regrow.c: into a cluster, or out of it: the run ends and begins. Without the lock. 0 or a code with a sentence. */
bool run_is_regrow(const struct umd_array *u, struct json_object *request);
int run_regrow(struct umd_array *u, struct json_object *request, struct text *reply, struct err *err);

/* grow.c: ARR_EV_BITMAP, and wait until it is over; takes the event's bitmap. Under the lock, which is left. */
int run_do_change(struct umd_array *u, struct arr_event *ev);

/* grow_file.c: under the lock, which is left. Takes @next. The path is the caller's, for people and for the next
 * start. */
int run_grow_into_file(struct umd_array *u, const struct asm_bitmap_plan *p, struct bm *next, const char *path, int fd,
		       struct err *err);
/* The array has its bitmap elsewhere now, or none. */
void run_grow_left_file(struct umd_array *u);

/* open.c */
/* Members are opened, judged, and become brains (of a node: when it has joined). Without the lock. */
int run_open_members(struct umd_array *u, const char *const *members, size_t count,
		     const struct umd_open_options *options, struct err *err);
void run_let_go(struct umd_array *u, uint32_t entry);			/* close a member's hand */
/* The members of a tree with superblocks are judged once more and become brains. Under the lock, which is left
 * meanwhile. */
int run_open_again(struct umd_array *u, enum att_mode mode, struct err *err);

/* api.c: those who are to answer later are asked again */
void run_wake(struct umd_array *u);

/* admit.c: an entry that left the table: tree, lineage and member are let go. Under the lock, left meanwhile. */
void run_take_away(struct umd_array *u, uint32_t entry);

/* admit.c: commands that change members; each writes {"sentence": ...} or an error */
void run_command_fail(struct umd_array *u, const char *member, struct text *reply);
void run_command_remove(struct umd_array *u, const char *member, struct text *reply);
void run_command_add(struct umd_array *u, const char *path, int fd, enum asm_admission how, bool force,
		     bool write_mostly, struct text *reply);

/* status.c */
void run_detail(struct umd_array *u, struct text *t);

/* map_running.c: @cells_max 1 to LOOK_MAP_CELLS_MAX */
void run_map(struct umd_array *u, uint64_t cells_max, struct text *t);

/* why_running.c */
void run_command_why(struct umd_array *u, struct json_object *request, struct text *reply);

/* command.c */
run_control_handler run_command;

/* overdue.c: a stop has begun (under the lock); all is over */
void run_overdue_begin(struct umd_array *u);
void run_overdue_end(struct umd_array *u);

/* laws.c */
void run_tell_broken_laws(void);

#endif
