/* A running array in this process: the brains, the lock around them, and the hands. Files of run/ only.
 *
 * The lock covers arr and lineage and is never held across I/O. hands[] is read without it: an entry changes
 * only while no job touches it, and jobs are given out under the lock. */
#ifndef UMD_RUN_RUNNING_H
#define UMD_RUN_RUNNING_H

#include <pthread.h>

#include "assembly/assembly.h"
#include "member/member.h"
#include "run/control.h"
#include "run/rundir.h"
#include "umd/umd.h"

struct umd_array {
	/* made by umd_array_open() */
	struct arr *arr;
	struct asm_lineage *lineage;
	struct member *hands[ARR_MEMBERS_MAX];	/* by entry of the array's member table */
	char *paths[ARR_MEMBERS_MAX];		/* escaped, for people */
	uint8_t device_uuids[ARR_MEMBERS_MAX][16];
	struct run_rundir *rundir;
	uint64_t size_bytes;
	bool is_readonly;
	uint8_t uuid[16];
	char name[FMT_SB1_NAME_BYTES + 1];	/* of the superblock: hostile */
	int32_t level;

	/* made by umd_array_start() */
	bool is_started;
	enum { RUN_THREAD_WAITS, RUN_THREAD_GOES, RUN_THREAD_IS_CALLED_OFF } thread_state;
	pthread_mutex_t lock;
	pthread_cond_t thread_wakes;		/* a job for the array's thread, or an earlier timer */
	/* a job of the array's thread is done: for those who wait for a state */
	pthread_cond_t changed;
	pthread_t thread;
	struct list jobs;			/* for the array's thread */
	uint64_t thread_deadline_ms;
	void *sync_buffer;			/* ARR_SYNC_WINDOW_BYTES */
	struct run_control *control;
	void (*on_stop)(void *);
	void *on_stop_opaque;
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

/* open.c */
void run_let_go(struct umd_array *u, uint32_t entry);			/* close a member's hand */

/* admit.c: commands that change members; each writes {"sentence": ...} or an error */
void run_command_fail(struct umd_array *u, const char *member, struct text *reply);
void run_command_remove(struct umd_array *u, const char *member, struct text *reply);
void run_command_add(struct umd_array *u, const char *path, int fd, enum asm_admission how, bool force,
		     struct text *reply);

/* status.c */
void run_detail(struct umd_array *u, struct text *t);
const char *run_state_of(const struct arr_status *s);

/* map_running.c: @cells_max 1 to LOOK_MAP_CELLS_MAX */
void run_map(struct umd_array *u, uint64_t cells_max, struct text *t);

/* command.c */
run_control_handler run_command;

/* laws.c */
void run_tell_broken_laws(void);

#endif
