/* The simulated world: members in memory, one running array, the jobs it gave out, and who checks what. */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include "assembly/assembly.h"
#include "disk.h"
#include "model.h"

enum {
	SIM_DISKS = 6, SIM_REQUESTS = 8, SIM_JOBS = 64, SIM_PARTS = 64,
	SIM_CHUNKS_MAX = 128, SIM_SYNC_BUFFER = ARR_SYNC_WINDOW_BYTES,
};

struct sim_place {
	bool is_used;			/* it carries the array's superblock */
	member_off super_at, bitmap_at, data_at;
	enum sb1_minor minor;
};

struct sim_member {
	struct sim_disk disk;
	struct sim_place place;
	bool is_behind;			/* a client was told of a write that this one may lack */
	bool is_left;			/* a member in sync says on its medium: this one is none of us */
	bool was_in_sync;		/* at the end of the last life */
	bool is_unchanged;		/* left a clean array, and nobody wrote since */
	enum arr_member_state state;	/* as last seen in the running array */
	uint32_t entry;			/* in its table; valid unless NONE */
};

struct sim_request {
	struct arr_req req;
	bool is_used;
	uint32_t done_on;		/* mask of the members that carried it out */
	uint64_t first, sectors, serial, acks;
	struct model_view view;
	uint8_t *data;
};

struct sim_job {
	struct arr_job *job;		/* NULL: free */
	uint64_t issued;
	bool is_done[SIM_PARTS];
	uint32_t left;
};

struct sim_stats {
	uint64_t seeds, lives, cuts, steps, starts_refused, stops, resyncs, recoveries, failures, forks_refused;
	uint64_t stakes[LAW_COUNT];	/* how often a law was checked where it could have been broken */
};

struct sim_world {
	struct prng rng;
	const char *program;		/* as it was called, for the line that says how to see it again */
	uint64_t seed, step, now_ms;
	bool is_tracing;
	struct sim_stats *stats;

	/* geometry */
	enum sb1_minor minor;
	uint32_t slots, chunk_bytes;
	uint64_t size_bytes, chunks;
	bool has_bitmap;
	uint64_t bitmap_bytes;		/* superblock and bits, in whole sectors */

	struct sim_member members[SIM_DISKS];
	uint32_t member_count;
	struct model model;
	uint64_t uuids;

	/* the running array */
	struct arr *array;
	struct asm_lineage *lineage;
	struct asm_plan plan;
	struct asm_member looked[SIM_DISKS];
	uint32_t disk_of[ARR_MEMBERS_MAX];
	struct sim_request requests[SIM_REQUESTS];
	struct sim_job jobs[SIM_JOBS];
	uint8_t *sync_buffer;
	bool is_readonly, is_stopping, was_readonly;

	/* what the checkers remember */
	uint16_t counters[SIM_CHUNKS_MAX];
	uint64_t counted_since[SIM_CHUNKS_MAX];	/* the step in this life; UINT64_MAX: never */
	uint64_t *applied;		/* per member and sector: the last serial written there in this life */
	enum arr_sync_action action;
	bool is_sync_expected;		/* the sync now running must copy just @sync_bytes_expected */
	uint64_t sync_bytes_expected;
	bool is_broken;
	uint64_t whole_until;		/* the step in which a slot became empty; UINT64_MAX: none is */
	uint64_t acks_before;		/* acknowledged writes before this life */
};

#define EACH_MEMBER(w, m)                                                                           \
	for (__typeof__(&(w)->members[0]) m = (w)->members; m < (w)->members + (w)->member_count; m++)

/* ---- world.c: the hands ---- */

void world_init(struct sim_world *w, const char *program, uint64_t seed, struct sim_stats *stats, bool is_tracing);
void world_free(struct sim_world *w);
/* One more member, empty. */
struct sim_member *world_new_member(struct sim_world *w, uint64_t size_bytes);

/* One event to the array, and everything that follows at once. Returns the event's rc. */
int world_step(struct sim_world *w, struct arr_event *ev);
/* One part of some job, or a finished job told to the array. False: no job is in flight. */
bool world_work(struct sim_world *w);
uint32_t world_jobs(const struct sim_world *w);
uint32_t world_requests(const struct sim_world *w);
struct sim_request *world_free_request(struct sim_world *w);
void world_submit(struct sim_world *w, struct sim_request *r);

/* Look at the chosen members and judge them; the plan stays in w->plan. */
void world_judge(struct sim_world *w, uint32_t chosen, const struct asm_options *o);
/* Start what the plan says. 0 or a code. */
int world_start(struct sim_world *w, const struct asm_options *o);
void world_look(struct sim_world *w, struct sim_member *m, struct asm_member *ret);
/* The end of a life, by a cut or after a stop: nothing of the array is left but the members. */
void world_end(struct sim_world *w, bool is_cut);

void trace(struct sim_world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A law was broken: says so, with all that is needed to see it again, and ends the program. */
_Noreturn void broken(struct sim_world *w, enum law_id id, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

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

static inline const uint8_t *data_of(const struct sim_world *w, const struct sim_member *m, const uint8_t *disk,
				     uint64_t at)
{
	return disk + m->place.data_at.bytes + at;
}

/* ---- laws.c: what is looked at, and when ---- */

void check_started(struct sim_world *w);
void check_issued(struct sim_world *w, const struct arr_job *job);
void check_part(struct sim_world *w, const struct sim_job *j, const struct arr_part *part);
void check_stepped(struct sim_world *w);
void check_read(struct sim_world *w, const struct sim_request *r);
void check_acked(struct sim_world *w, const struct sim_request *r);
/* All faults are over and nothing is left to do. */
void check_idle(struct sim_world *w);
/* Is a write of these sectors on its way to the members? */
bool is_write_out(const struct sim_world *w, uint64_t first, uint64_t sectors);
/* The array's part of a member's entry: where its areas are. They must lie apart (I7). */
void check_place(struct sim_world *w, struct sim_member *m);

/* ---- claims.c ---- */

void check_claim(struct sim_world *w, const struct arr_job *job);
void check_cleared(struct sim_world *w, const struct sim_job *j, const struct arr_part *part);
/* The superblock on the medium; false: none. */
bool superblock_of(const struct sim_world *w, const struct sim_member *m, struct sb1 *ret);
bool bit_on(const struct sim_world *w, const uint8_t *disk, const struct sim_member *m, uint64_t chunk);
uint64_t chunk_len(const struct sim_world *w, uint64_t chunk);

/* ---- life.c, fork.c: what happens ---- */

void create_array(struct sim_world *w);
void live(struct sim_world *w);
void fork_and_meet(struct sim_world *w);
/* Let everything end: no new work, no fault. */
void settle(struct sim_world *w);
void submit_write(struct sim_world *w, uint64_t first, uint64_t sectors, bool is_zero, bool is_fua);

#endif
