/* The simulated world: members in memory, one running array, the jobs it gave out, and who checks what.
 *
 *   life.c (a seed)   exhaust.c (all of them)   scenario.c (a file)   shrink.c (a script with less in it)
 *        |                  |                        |                      |
 *        +------------------+---- world_do(event) ---+----------------------+
 *                                    |
 *      do.c: what an event means     v      branch.c: a crash looked at while the history goes on
 *      world.c: the hands       arr_step()  check_*.c: the laws, at every step
 *
 * The objects of umd are those of the server: base (but its allocator, memory.c), format, bitmap, array, assembly. */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include <setjmp.h>

#include "assembly/assembly.h"
#include "disk.h"
#include "event.h"
#include "model.h"
#include "owner.h"
#include "stats.h"

enum {
	SIM_DISKS = 6, SIM_FILE = SIM_DISKS,	/* the file that holds the bitmap is the one behind the members */
	SIM_REQUESTS = 8, SIM_JOBS = 64, SIM_PARTS = 64, SIM_WRITES = 64,
	SIM_CHUNKS_MAX = 128, SIM_SYNC_BUFFER = ARR_SYNC_WINDOW_BYTES,
	SIM_DEPTH_MAX = 3,		/* a cut, a cut while recovering from it, one during that */
};

struct sim_place {
	bool is_used;			/* it carries the array's superblock */
	member_off super_at, bitmap_at, data_at;
	enum sb1_minor minor;
};

/* The superblock, and what of it the checkers speak of. */
struct super {
	uint64_t events, resync_offset_sectors, recovery_offset_sectors;
	uint32_t feature_map, dev_number, max_dev;
	bool names_bitmap;
	int32_t bitmap_offset_sectors;
	uint8_t uuid[16];
	uint16_t roles[128];
};

/* What super.c last read from a member, and from which contents. By value: a branch takes it along. */
struct sim_bits {
	bool is_read, is_bitmap;
	content of;
	uint32_t state, chunk_bytes;
	uint64_t events, events_cleared, word[SIM_CHUNKS_MAX / 64];
	uint8_t uuid[16];
};
struct sim_seen {
	bool has_super, is_super;
	content super_of;
	struct super super;
	struct sim_bits bits[2];	/* on the medium, in the cache */
};

struct sim_member {
	bool is_there;			/* created, or made by EV_NEW */
	struct sim_disk disk;
	struct sim_place place;
	bool is_behind;			/* a client was told of a write that this one may lack */
	uint64_t left_sync;		/* the step in which it was no longer in sync; 0: none */
	bool is_left;			/* a member in sync says on its medium: this one is none of us */
	bool was_in_sync;		/* at the end of the last life */
	bool may_decide;		/* no longer in sync when its life ended, but no superblock says so */
	bool is_unchanged;		/* left a clean array, and nobody wrote since */
	bool is_apart;			/* EV_MODEL: until it is in sync with the others again */
	bool has_forked;		/* clients were told of writes by it and, without it, by the others */
	bool is_corrupt;		/* EV_CORRUPT since it was last written: it may be refused */
	bool has_shown_rot;		/* somebody has looked at it since EV_CORRUPT */
	bool is_waited_for;		/* a part was due since EV_HANG */
	bool has_failed_source;		/* a sync could not read it, and none has ended well since */
	bool has_failed;		/* the hands could not write or flush there since it came */
	enum arr_member_state state;	/* as last seen in the running array */
	bool is_write_mostly;		/* there */
	uint32_t entry;			/* in its table; valid unless NONE */
	uint32_t slot;			/* there, as last seen */
	struct sim_seen seen;
	bool has_number;
	uint32_t number;		/* of the device, in everybody's role table: the last it was known by */
	uint32_t number_now;		/* in the table of the running array; valid unless NONE */
	/* Chunks it may lack, at most: they were set when it left, or were written since. */
	uint64_t owed[SIM_CHUNKS_MAX / 64];
	bool has_gaps;
	/* a sum of what lies outside of its areas, there */
	uint64_t gaps, gaps_data_at, gaps_bitmap_at, gaps_bitmap_bytes;
};

struct sim_request {
	struct arr_req req;
	bool is_used;
	uint32_t done_on, failed_on;	/* masks of the members that carried it out, or could not */
	uint64_t first, sectors, serial, acks;
	struct model_view view;
	uint8_t *data;
};

/* A write of data that went to members, and those it is still to reach though its client has the answer. */
struct sim_write {
	uint64_t number;		/* of the request; 0: free */
	uint64_t first, sectors, serial;
	uint64_t lacking;		/* mask of entries of the table */
	uint32_t done_on;		/* mask of the members that carried it out */
};

struct sim_job {
	struct arr_job *job;		/* NULL: free */
	uint64_t issued;
	bool is_done[SIM_PARTS];
	uint32_t left;
};

/* A command that a member may join is being carried out: joining.c. */
struct sim_joining {
	bool is_on;
	uint32_t member, place;		/* index; places to erase that were looked at */
	bool is_recorded, is_written, is_erased;	/* who is away; what awaits its flush; all of it */
	enum asm_admission how;
	uint8_t uuid[16];
};

struct sim_world {
	const struct sim_setup *setup;
	struct sim_world *trunk;	/* of a branch: the history it left; NULL */
	uint32_t depth;			/* cuts between the trunk and here */
	struct sim_script script;	/* what was done here, after the trunk's script_at_branch events */
	uint32_t trunk_events;
	uint64_t memory_due;		/* EV_NO_MEMORY: the allocation that fails; UINT64_MAX: none */
	uint64_t branch_hash;		/* of the branches that left here */
	struct prng lots;		/* of the event now happening */
	uint64_t step, now_ms, hash;
	bool is_tracing, is_replay;	/* replay: nothing is recorded */
	struct sim_stats *stats;
	struct arena *arena;

	/* geometry */
	enum sb1_minor minor;
	uint32_t slots, chunk_bytes;
	uint64_t size_bytes, chunks;
	bool has_bitmap;
	bool is_on_file;		/* it is in the file */
	uint64_t bitmap_bytes;		/* superblock and bits, in whole sectors */

	struct sim_member members[SIM_DISKS + 1];
	uint32_t member_count;
	struct model model;
	struct sim_story *story;	/* ours, while a member apart tells its own; NULL */
	uint64_t uuids;
	uint64_t writes;		/* and zeroings so far: the word that fills the next one's sectors, less one */

	struct sim_owner owner;		/* of external metadata */
	const struct sim_record *storing;	/* what it stores just now */
	uint32_t owner_chosen;		/* the members of the start that it judged */

	/* the running array; NULL: none runs */
	struct arr *array;
	struct asm_lineage *lineage;
	struct sim_desk *desk;		/* memory that is used again and again: plan, looked, buffers, applied */
	struct asm_plan *plan;
	struct asm_member *looked;	/* SIM_DISKS, and the file */
	uint32_t disk_of[ARR_FILE + 1];
	struct sim_request requests[SIM_REQUESTS];
	struct sim_job jobs[SIM_JOBS];	/* by age, without gaps */
	uint32_t job_count;
	struct sim_write written[SIM_WRITES];	/* by number, the last ones */
	enum arr_job_kind worked;	/* the kind of the part executed last */
	struct sim_joining joining;
	bool has_lived;			/* an array ran since the last end of a life */
	uint32_t jobs_at_once;		/* EV_QUEUE; 0: no limit */
	uint8_t *sync_buffer;
	bool is_judged;			/* the start that comes next, by world_try_start() */
	bool is_readonly, is_stopping;	/* it refuses writes */
	bool is_still;			/* read-only or read-auto: no member is written */
	bool was_readonly;		/* a life was, and no superblock was written since */

	/* what the checkers remember */
	uint16_t counters[SIM_CHUNKS_MAX];
	uint64_t counted_since[SIM_CHUNKS_MAX];	/* the step in this life; UINT64_MAX: never */
	uint64_t idle_since[SIM_CHUNKS_MAX];	/* the step in which it was counted last, while it is not */
	uint64_t *applied;		/* per member and sector: the last serial written there in this life */
	enum arr_sync_action action;
	bool is_sync_expected;		/* the sync now running must copy just @sync_bytes_expected */
	uint64_t sync_bytes_expected;
	bool is_broken;
	uint64_t held_since;		/* the step in which can_clear became false; UINT64_MAX: it is true */
	uint64_t whole_until;		/* the step in which a slot became empty; UINT64_MAX: none is */
	uint64_t acks_before;		/* acknowledged writes before this life */
	uint64_t noted_serial;		/* writes that are in owed[] */
	uint32_t only_recovering;	/* index: by the bitmap, alone, since this sync began; SIM_DISKS: not so */
};

#define EACH_MEMBER(w, m)                                                                           \
	for (__typeof__(&(w)->members[0]) m = (w)->members; m < (w)->members + (w)->member_count; m++)

/* ---- create.c ---- */

/* From the setup: members with superblocks, bitmaps and contents; nothing runs. */
void world_create(struct sim_world *w, const struct sim_setup *setup, struct sim_stats *stats, bool is_tracing);
void world_free(struct sim_world *w);
/* One more member, empty. */
struct sim_member *world_new_member(struct sim_world *w, uint64_t size_bytes);
/* Buffers, plan and the like, once @w->model.count is known; kept for the next world by world_free(). */
void world_take_desk(struct sim_world *w);

/* ---- do.c: events ---- */

/**
 * world_do - let one event happen, with everything that follows at once, and check the laws
 * Returns false when it makes no sense now (a member to be removed that is not there, a write while nothing runs, no
 * free request): then nothing happened and nothing is recorded. A broken law does not return: broken().
 */
bool world_do(struct sim_world *w, const struct sim_event *e);

/* The same for EV_START, that becomes EV_REFUSED where it is refused. False: refused, or it makes no sense now. */
bool world_try_start(struct sim_world *w, struct sim_event *e);
/* Work until nothing is left to do; all faults end before. */
void world_settle(struct sim_world *w);
/* Work the oldest things first until @is_over(); what hangs answers when everything else waits for it. */
void world_wait(struct sim_world *w, bool (*is_over)(const struct sim_world *w, const void *of), const void *of);

/* ---- admin.c: what an administrator does ---- */

bool admin_fail(struct sim_world *w, const struct sim_event *e);
bool admin_remove(struct sim_world *w, const struct sim_event *e);
bool admin_start(struct sim_world *w, const struct sim_event *e);	/* EV_START, EV_REFUSED */
bool admin_stop(struct sim_world *w, const struct sim_event *e);
bool admin_mode(struct sim_world *w, const struct sim_event *e);

/* ---- growing.c: another bitmap ---- */

bool admin_grow(struct sim_world *w, const struct sim_event *e);
/* The chunks are those of the bitmap that the array has now. */
void world_take_bitmap(struct sim_world *w, const struct arr_status *s);

/* ---- joining.c: a member joins ---- */

bool admin_return(struct sim_world *w, const struct sim_event *e);	/* EV_ADD, EV_READD */
bool joining_is_ready(struct sim_world *w);	/* an operation of it can be carried out now */
void joining_goes_on(struct sim_world *w);	/* ... and is */
void joining_tears(struct sim_world *w);	/* the power goes, or its member */

/* ---- strike.c: faults ---- */

bool strike_eio(struct sim_world *w, const struct sim_event *e);
bool strike_bad(struct sim_world *w, const struct sim_event *e);
bool strike_hang(struct sim_world *w, const struct sim_event *e);		/* EV_HANG, EV_ANSWER */
bool strike_vanish(struct sim_world *w, const struct sim_event *e);
bool strike_return(struct sim_world *w, const struct sim_event *e);
bool strike_lose_flush(struct sim_world *w, const struct sim_event *e);
bool strike_corrupt(struct sim_world *w, const struct sim_event *e);
bool strike_no_memory(struct sim_world *w, const struct sim_event *e);
bool strike_queue(struct sim_world *w, const struct sim_event *e);
bool event_is_in_array(const struct sim_world *w, const struct sim_event *e);	/* do.c: its sectors */

/* ---- story.c: members that run apart ---- */

/* The members about to start are all apart: from now on the model is theirs alone. */
void story_begin(struct sim_world *w, uint32_t chosen);
void story_end(struct sim_world *w);			/* of that life; ours goes on */
bool story_is_fork(const struct sim_world *w, uint32_t chosen);	/* both sides of a fork are among them */
void story_note(struct sim_world *w);			/* who is on the way back by now */
void story_copy(struct sim_world *to, const struct sim_world *from);
void story_free(struct sim_world *w);

/* The whole history so far, the trunk's part first. The caller frees it. */
struct sim_script world_script(const struct sim_world *w);

/* ---- branch.c ---- */

/**
 * world_branch - the same world, cut off from power now; the original goes on as if nothing had happened
 * @ret: uninitialised; gets copies of members and model. No array runs there. Same arena: arena_mark() before,
 * world_free(), arena_release() after. @choices: for each member that is_there the argument of disk_cut_to(); NULL: by
 * lot. @lot is that of the EV_CUT that stands in the branch's script for it.
 */
void world_branch(struct sim_world *w, struct sim_world *ret, const uint8_t *const *choices, uint64_t lot,
		  uint32_t flags);
void branch_ends(struct sim_world *branch);		/* of world_free() */

/* ---- world.c: the hands ---- */

/* One event to the array, and everything that follows at once. Returns the event's rc. */
int world_step(struct sim_world *w, struct arr_event *ev);
/* One part of some job, or a finished job told to the array. False: none can be executed now. */
bool world_work(struct sim_world *w);
bool world_work_in_order(struct sim_world *w);	/* the same, but the oldest thing first */
bool world_work_late(struct sim_world *w);	/* the oldest job waits, unless it is the only one */
uint32_t world_jobs(const struct sim_world *w);
void *world_part_data(const struct sim_world *w, const struct arr_job *job, const struct arr_part *p);
uint32_t world_requests(const struct sim_world *w);
struct sim_request *world_free_request(struct sim_world *w);
void world_submit(struct sim_world *w, struct sim_request *r);

/* ---- start.c: the beginning and the end of a life ---- */

/* Look at the chosen members and judge them; the plan stays in w->plan. */
void world_judge(struct sim_world *w, uint32_t chosen, const struct asm_options *o);
int world_start(struct sim_world *w, const struct asm_options *o);	/* what the plan says; 0 or a code */
void world_look(struct sim_world *w, struct sim_member *m, struct asm_member *ret);
/* The end of a life, by a cut or after a stop: nothing of the array is left but the members. */
void world_end(struct sim_world *w, bool is_cut, enum disk_fate fate);

/* What is under way to @only (NULL: to all of them) may have come to some of its sectors: the power goes now. */
void world_tear(struct sim_world *w, const struct sim_member *only);

/* Forget requests, jobs and states, not the array itself. */
void world_leave(struct sim_world *w);

/* ---- life.c, moments.c, crash.c: one history from a seed ---- */

void setup_from_seed(struct sim_setup *ret, uint64_t seed);
/* All events of one seed, with branches at its crash points. */
void live_seed(struct sim_world *w, uint64_t seed, bool has_branches);
/* Members that nobody in sync has written off: together they must always start. */
uint32_t trustworthy(const struct sim_world *w);

/* ---- trace.c ---- */

/* What happens, a line per event, a column per member: "w17 chunk 42" | a: write 8+4 | b: - | c: FAILS. Nothing is
 * formatted unless the world is_tracing; the hash is always kept. */
void trace(struct sim_world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
void trace_member(struct sim_world *w, const struct sim_member *m, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void trace_end(struct sim_world *w);			/* the line is complete */
void hash_in(struct sim_world *w, uint64_t a, uint64_t b, uint64_t c);

/* ---- report.c ---- */

/* What to do when a law is broken: print and jump to where the history was begun (main.c, shrink.c). */
struct sim_verdict {
	enum law_id law;
	uint64_t step, chunk;			/* UINT64_MAX: no chunk */
	char text[400];
	struct sim_script script;		/* leads there; the receiver frees it */
	struct sim_setup setup;
};
extern struct sim_world *acting;		/* whose event is happening: the brains' own laws are told to it */
extern jmp_buf *verdict_jump;			/* set by whoever runs histories */
extern struct sim_verdict verdict;

_Noreturn void broken_at(struct sim_world *w, enum law_id id, uint64_t chunk, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
#define broken(w, id, ...) broken_at(w, id, UINT64_MAX, __VA_ARGS__)

static inline void at_stake(struct sim_world *w, enum law_id id)
{
	w->stats->stakes[id]++;
}

static inline uint32_t index_of(const struct sim_world *w, const struct sim_member *m)
{
	return (uint32_t)(m - w->members);
}

static inline bool is_in_sync(const struct sim_member *m)
{
	return m->state == ARR_M_IN_SYNC;
}

/* ---- memory.c: base's allocator, that fails when told to ---- */

void memory_fail_after(uint64_t allocations);	/* that one alone; UINT64_MAX: none */
uint64_t memory_allocations(void);		/* so far */
bool memory_has_failed(void);			/* since memory_fail_after() */
void memory_keep(void);				/* once, at the beginning: what is freed stays with the process */

/* ---- check_*.c: what is looked at, and when ---- */

void check_started(struct sim_world *w);
void check_issued(struct sim_world *w, const struct arr_job *job);
void check_part(struct sim_world *w, const struct sim_job *j, const struct arr_part *part);
void check_stepped(struct sim_world *w);
void check_read(struct sim_world *w, const struct sim_request *r);
void check_acked(struct sim_world *w, const struct sim_request *r);
void check_failed(struct sim_world *w, const struct sim_request *r);
/* All faults are over and nothing is left to do. */
void check_idle(struct sim_world *w);
/* The write of a job of data. */
struct sim_write *write_of(struct sim_world *w, const struct arr_job *job);
/* Is a write of these sectors on its way to the members? */
bool is_write_out(struct sim_world *w, uint64_t first, uint64_t sectors);
/* One that goes to both of them? */
bool is_write_out_to(struct sim_world *w, uint64_t sector, const struct sim_member *one,
		     const struct sim_member *other);
/* The array's part of a member's entry: where its areas are. They must lie apart (I7). */
void check_place(struct sim_world *w, struct sim_member *m);
/* Whom the media of those in sync write off now. */
void check_left(struct sim_world *w);
/* A life is over, the media are as it left them. */
void check_ended(struct sim_world *w);
void check_survivors(struct sim_world *w);	/* who could start the next one? */

/* ---- super.c: an own reader of superblocks and bitmaps, from the format's description alone ---- */

/* The superblock on the medium; false: none there, or its checksum is wrong. */
bool super_of(const struct sim_world *w, const struct sim_member *m, struct super *ret);
const struct super *super_on(const struct sim_world *w, const struct sim_member *m);	/* the same, NULL: none */
bool super_read(const struct sim_world *w, const uint8_t *raw, uint64_t len, struct super *ret);
bool bit_on(const struct sim_world *w, const struct sim_member *m, bool in_cache, uint64_t chunk);
bool bit_on_all(const struct sim_world *w, uint64_t chunk);	/* on the media of all members in sync */
/* the first sector of a bitmap */
void bits_read(const struct sim_world *w, const uint8_t *raw, struct sim_bits *ret);
const struct sim_bits *bits_on(const struct sim_world *w, const struct sim_member *m, bool in_cache);
uint64_t events_cleared_of(const struct sim_world *w, const struct sim_member *m);
uint64_t file_events(const struct sim_world *w);	/* as a start would read it */
uint64_t chunk_len(const struct sim_world *w, uint64_t chunk);

#endif
