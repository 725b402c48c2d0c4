/* The simulated cluster: 2 to 5 nodes, each with the brains of the server (assembly, array, cluster), on shared members
 * and a modelled engine. Everything that happens is one choice of a seed.
 *
 *   history.c (from a seed) --> drive.c: one step: what could happen next?
 *                                  |
 *        +----------+--------------+-----+-------------+-----------+
 *        v          v                    v             v           v
 *   engine.c    node.c: events      hands.c: one    client.c    fault.c
 *   order,      and asks of a       part of one     requests    death, pause,
 *   locks,      node's brain        job, told       of nodes    partition, cut
 *   config                          laws.c, laws_part.c: the laws, at every step
 *
 * Disks and what clients may see are those of tests/sim (disk.h, model.h): a member has a cache that a power cut loses,
 * its own or everybody's; it outlives nodes.
 *
 * An array is small, and is copied in windows that are smaller; or it is large, so that a slot has more bits than a
 * sector holds, and its clients use two *zones* of it. Laws number chunks and sectors as clients do, without gaps.
 *
 * Left out: memory that runs out (the one-node simulator has it), members that come back under a node that had them
 * open and has not noticed. */
#ifndef TESTS_CSIM_CSIM_H
#define TESTS_CSIM_CSIM_H

#include <errno.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "assembly/assembly.h"
#include "cluster/cluster.h"
#include "../sim/disk.h"
#include "../sim/model.h"

enum {
	CS_NODES = 5, CS_DISKS = 5, CS_REQUESTS = 3, CS_SPAN = 16, CS_JOBS = 64, CS_PARTS = 64,
	CS_CHUNKS = 64,			/* at most, that clients use: their bits in a slot are one word */
	CS_BITS_AT = 256, CS_BIT_SECTORS = 2,	/* of a slot */
	CS_LOG = 1 << 14, CS_NOTES = 64, CS_OUTBOX = 64, CS_LOCK_ASKS = 2 * CLU_NODES_MAX + 16,
	CS_LOCKS = 2 + CS_NODES, CS_WAITERS = 64,
	CS_NOBODY = 0,			/* no node has this id */
};

typedef unsigned long long ull;

/* ---- what a history begins with ---- */

struct cs_setup {
	uint64_t seed;
	uint32_t nodes, slots_of_nodes;	/* processes; bitmaps on every member */
	uint32_t disks, spares;
	uint32_t chunk_bytes, sleep_s;
	uint64_t size_bytes;
	uint32_t zones;			/* 1: clients use all; 2: where a slot's first, second sector of bits begin */
	uint32_t zone_chunks;
	uint64_t window_bytes, suspend_bytes;	/* copied at once; left alone by the others */
	bool is_assume_clean;
};

/* ---- members ---- */

struct cs_super {			/* of the medium, by an own reader */
	bool is_valid, is_recovering;
	uint64_t events, resync_offset;
	uint32_t number, role;
	uint16_t roles[128];
};

struct cs_disk {
	struct sim_disk disk;
	member_off super_at, bitmap_at, data_at;	/* bitmap: of slot 0 */
	bool is_used;			/* it was created, or added */
	bool is_out;			/* its failure was acknowledged by all (C6) */
	uint32_t left_by;		/* mask of node numbers by whose array it is faulty */
	struct cs_seen_bits {
		bool is_read, is_bitmap;
		content of[CS_BIT_SECTORS];
		uint64_t bits;
	} seen[CS_NODES][2];		/* by slot; medium, cache */
	bool has_super;
	content super_of;
	struct cs_super super;
};

/* ---- the engine ---- */

struct cs_entry {			/* of the group's total order */
	bool is_config;
	uint64_t from;
	uint64_t nodes[CS_NODES];
	uint32_t node_count, len_bytes;
	uint8_t *data;
};

struct cs_lock {
	uint64_t holder;		/* node id; CS_NOBODY */
	uint32_t waiter_count;
	uint64_t waiters[CS_WAITERS];
};

struct cs_lock_ask {
	enum { CS_ASK_LOCK, CS_ASK_TRY, CS_ASK_CANCEL, CS_ASK_UNLOCK } kind;
	struct clu_lock lock;
};

struct cs_note {			/* on its way from the engine to one node, beside the order of messages */
	enum cs_note_kind { CS_NOTE_LOCK, CS_NOTE_QUORUM, CS_NOTE_LOST, CS_NOTE_EVICTED } kind;
	struct clu_lock lock;
	int rc;
	bool value;
};

/* ---- nodes ---- */

struct cs_job {
	struct arr_job *job;
	uint64_t issued;
	bool is_done[CS_PARTS], is_begun[CS_PARTS];	/* begun: node or member stopped, it may come there yet */
	uint32_t left;
};

struct cs_request {
	struct arr_req req;
	bool is_used;
	uint64_t first, sectors, serial, acks;
	struct model_view view;
	uint8_t data[CS_SPAN * SECTOR_BYTES];
};

enum cs_life {
	CS_OFF,
	CS_RUNS,
	CS_PAUSED,			/* executes nothing, hears nothing */
	CS_DYING,			/* dead; what it had begun may come to members until it is fenced */
};

struct cs_node {
	uint32_t number;
	enum cs_life life;
	uint64_t id;			/* of this life */
	struct clu *clu;
	struct arr *array;
	struct asm_lineage *lineage;
	uint32_t disk_of[ARR_MEMBERS_MAX];

	/* its connection to the engine */
	bool is_member, is_joining;	/* of the group; its CONFIG is due */
	uint64_t log_at, log_end;	/* read so far; it hears nothing behind the end */
	bool is_cut;			/* a partition keeps it from the others */
	bool is_evicted, is_fenced;	/* the others went on without it; nothing of it comes to members any more */
	bool was_told_no_quorum, was_told_lost;
	struct cs_note notes[CS_NOTES];
	uint32_t note_count;
	struct cs_lock_ask lock_asks[CS_LOCK_ASKS];
	uint32_t lock_ask_count;
	struct cs_entry outbox[CS_OUTBOX];
	uint32_t outbox_count;

	/* its hands */
	struct cs_job jobs[CS_JOBS];
	uint32_t job_count;
	struct cs_request requests[CS_REQUESTS];
	bool is_up, is_loading, is_leaving, has_left, has_failed, wants_end;
	uint32_t load_slot;
	bool is_seeing, is_forgetting;
	struct clu_message peers;	/* SEE, FORGET */
	struct cs_errand {
		enum cs_errand_stage { CS_E_NONE, CS_E_TOKEN, CS_E_TOLD, CS_E_REMOVE, CS_E_UNDONE } stage;
		bool is_remove, was_told;
		int rc;			/* of what it waited for */
		uint32_t disk, member;
		struct arr_member new;
		struct clu_message message;
		char sentence[256];
	} errand;
	enum arr_member_state states[CS_DISKS];
	uint32_t fails_next;		/* mask of disks: the next part of this node fails there */
	uint32_t closed_disks;		/* mask: they lost their power when it had them open */
	uint32_t lost_paths;		/* mask: this machine does not reach them; its node's end does not help */
	uint32_t slow_disks;		/* mask: nothing comes back from them for a while */
	uint32_t ranges_opened;		/* since it got the sync lock */
	uint64_t joined_at;		/* step */
};

/* ---- the world ---- */

enum cs_event {			/* what histories must bring about */
	CS_JOINED, CS_ANNOUNCED, CS_TAKEN, CS_COPIED, CS_ADDED, CS_READDED, CS_REMOVED, CS_REFUSED, CS_LOST,
	CS_MOVED, CS_BEFORE, CS_BEHIND, CS_DIED_MOVED, CS_TORN, CS_RETURNED, CS_EVENTS,
};
extern const char *const event_names[CS_EVENTS];

struct cs_stats {
	uint64_t steps, histories, fault_points, settles, violations;
	uint64_t faults[16];		/* by kind */
	uint64_t stakes[16];		/* how often each law was asked */
	uint64_t events[CS_EVENTS];
};

struct cs_world {
	struct cs_setup setup;
	struct prng lots;
	uint64_t step, now_ms, ids, hash, writes, reads, acked;
	bool is_tracing;
	struct cs_stats *stats;
	struct arena *arena;
	struct cs_disk disks[CS_DISKS];
	uint32_t disk_count;
	struct model model;
	uint64_t size_bytes, chunks, slot_bytes, sectors_per_chunk;	/* chunks: that clients use */
	uint64_t zone_stride;		/* chunks from one zone to the next */
	struct bitmap_sb bitmap;	/* as created */
	struct cs_node nodes[CS_NODES];

	uint64_t group[CS_NODES];	/* ids, as the last CONFIG says */
	uint32_t group_count;
	struct cs_lock locks[CS_LOCKS];
	bool is_parted, has_winner;	/* a partition: nodes with is_cut are on one side; the other has quorum */
	bool is_settling;
	uint32_t patience;		/* the engine evicts and fences in one of so many steps in which it could */
	bool has_cleared;		/* in this step, a slot of a dead node */
	uint64_t empty_slots;		/* mask: the member that decides had no bit there, nobody wrote there since */
	uint64_t log_count, text_count;

	/* kept from one history to the next: */
	uint64_t text_room;
	uint8_t *text;			/* bytes of messages */
	struct cs_entry log[CS_LOG];
};

#define EACH_NODE(w, n) for (struct cs_node *n = (w)->nodes; n < (w)->nodes + (w)->setup.nodes; n++)
#define EACH_DISK(w, d) for (struct cs_disk *d = (w)->disks; d < (w)->disks + (w)->disk_count; d++)

/* What could happen next. */
struct cs_choices {
	uint32_t count;
	struct cs_choice {
		void (*act)(struct cs_world *w, struct cs_node *n);
		struct cs_node *node;
	} list[CS_NODES * 12];
};
static inline void choice_add(struct cs_choices *c, void (*act)(struct cs_world *, struct cs_node *), struct cs_node *n)
{
	c->list[c->count++] = (struct cs_choice){ act, n };
}

/* ---- create.c ---- */
void world_create(struct cs_world *w, const struct cs_setup *setup, struct cs_stats *stats, bool is_tracing);
void world_free(struct cs_world *w);
void setup_from_seed(struct cs_setup *ret, uint64_t seed, uint32_t nodes);

/* ---- drive.c ---- */

/* One thing that could happen happens, by lot. False: nothing can but time. */
bool drive_step(struct cs_world *w);
bool drive_time(struct cs_world *w);	/* to the next timer; false: there is none */
/* Faults are over, stopped nodes end or go on: everything there is to do is done; then the laws of rest. */
void drive_settle(struct cs_world *w);
void drive_stop_all(struct cs_world *w);

/* ---- engine.c ---- */
void engine_ask(struct cs_world *w, struct cs_node *n, const struct clu_ask *ask);
void engine_collect(struct cs_world *w, struct cs_choices *ret);
bool engine_may_write(const struct cs_node *n);
void engine_gone(struct cs_world *w, struct cs_node *n);	/* its process has ended, nothing of it is under way */
void engine_evict(struct cs_world *w, struct cs_node *n);
void engine_fence(struct cs_world *w, struct cs_node *n);
void engine_note(struct cs_node *n, const struct cs_note *note);
uint64_t engine_holder(const struct cs_world *w, struct clu_lock lock);
bool engine_is_in_group(const struct cs_world *w, uint64_t id);
void engine_part(struct cs_world *w, uint32_t cut, bool has_winner);	/* mask of node numbers */
void engine_heal(struct cs_world *w);

/* ---- node.c ---- */
struct cs_node *node_by_id(struct cs_world *w, uint64_t id);
void node_start(struct cs_world *w, struct cs_node *n);
void node_hear(struct cs_world *w, struct cs_node *n, struct clu_event *ev);
int node_array(struct cs_world *w, struct cs_node *n, struct arr_event *ev);	/* a step of its array */
void node_leave(struct cs_world *w, struct cs_node *n);
void node_dies(struct cs_world *w, struct cs_node *n);
void node_pauses(struct cs_world *w, struct cs_node *n);
void node_over(struct cs_world *w, struct cs_node *n);	/* nothing is left of this life */
void node_end_if_due(struct cs_world *w, struct cs_node *n);
uint64_t node_next_timer(const struct cs_node *n);

/* ---- load.c: what the hands read of members for assembly ---- */
void load_array(struct cs_world *w, struct cs_node *n);
void load_look(struct cs_world *w, struct cs_node *n, struct cs_job *j);
void load_see(struct cs_world *w, struct cs_node *n);
uint32_t free_entry(const struct cs_node *n);		/* of its array, for a disk that joins */
void load_forget(struct cs_world *w, struct cs_node *n);
void disk_judge(struct cs_world *w, struct cs_disk *d, struct asm_member *ret);

/* ---- errand.c: a disk is added or removed while the cluster runs ---- */
/* Removed if it failed there, added if it is not there; false: neither, or this node is busy. */
bool errand_begin(struct cs_world *w, struct cs_node *n, uint32_t disk);
void errand_goes_on(struct cs_world *w, struct cs_node *n);
bool errand_is_ready(const struct cs_world *w, const struct cs_node *n);

/* ---- hands.c ---- */
void hands_take(struct cs_world *w, struct cs_node *n, struct arr_out *out);
bool hands_can_work(const struct cs_world *w, const struct cs_node *n);
void hands_work(struct cs_world *w, struct cs_node *n);
bool hands_have_ghosts(const struct cs_node *n);
void hands_ghost(struct cs_world *w, struct cs_node *n);	/* what was begun before it stopped comes to a member */
void hands_begin(struct cs_world *w, struct cs_node *n, const struct cs_disk *d);	/* the member is slow now */
void hands_tear(struct cs_world *w, struct cs_node *n, struct cs_disk *d);	/* it loses its power now */
void hands_drop(struct cs_world *w, struct cs_node *n);
void *hands_data(struct cs_node *n, const struct arr_job *job, const struct arr_part *p);

/* ---- client.c ---- */
bool client_asks(struct cs_world *w, struct cs_node *n);
void client_answered(struct cs_world *w, struct cs_node *n, struct cs_request *r);
void client_lost(struct cs_world *w, struct cs_node *n);	/* all its requests */
bool is_owned(const struct cs_world *w, const struct cs_node *n, uint64_t first, uint64_t sectors);
uint32_t client_open(const struct cs_node *n);

/* ---- fault.c ---- */
enum cs_fault {
	CS_F_DEATH, CS_F_PAUSE, CS_F_PARTITION, CS_F_CUT, CS_F_ALL_DIE, CS_F_EIO, CS_F_DISK, CS_F_LEAVE, CS_F_USER_FAIL,
	CS_F_DISK_POWER, CS_F_MACHINE, CS_F_PATH, CS_F_SLOW,
	CS_F_MEMBERS,			/* no fault, but a change: one is repaired, added or removed */
	CS_F_KINDS,
};
extern const char *const fault_names[CS_F_KINDS];
bool fault_strike(struct cs_world *w, enum cs_fault kind);	/* false: nobody whom it could strike */
void fault_heal(struct cs_world *w);		/* a partition ends */
void fault_resume(struct cs_world *w, struct cs_node *n);
void fault_cut(struct cs_world *w);
struct cs_node *some_node(struct cs_world *w, bool is_up);

/* ---- fault_disk.c: what happens to members ---- */
bool can_reach(const struct cs_world *w, const struct cs_node *n, const struct cs_disk *d);
bool node_opens(struct cs_world *w, struct cs_node *n, struct cs_disk *d);	/* anew */
struct cs_disk *disk_to_lose(struct cs_world *w);	/* NULL: none, or too few would be left */
bool strike_disk(struct cs_world *w, enum cs_fault kind);
bool disk_returns(struct cs_world *w, struct cs_disk *d);	/* false: nothing is wrong with it, or it cannot yet */
void disks_heal(struct cs_world *w, struct cs_node *n);		/* for this node, and for a while */

/* ---- super.c: an own reader ---- */
const struct cs_super *super_on(struct cs_world *w, struct cs_disk *d);
uint64_t bits_on(struct cs_world *w, struct cs_disk *d, uint32_t slot, bool in_cache);
/* By whoever has the highest event number: its role table says who has a slot, each one's own superblock whether it is
 * still being recovered, or was left behind: one round of superblocks may have been torn, no more. */
const struct cs_super *super_believed(struct cs_world *w);
uint32_t members_in_sync(struct cs_world *w);	/* mask of disks, by the media */

/* ---- laws.c, laws_part.c ---- */
void law_stepped(struct cs_world *w);		/* after every step */
void law_issued(struct cs_world *w, struct cs_node *n, const struct arr_job *job);
void law_part(struct cs_world *w, struct cs_node *n, const struct cs_job *j, const struct arr_part *p);
void note_slot_read(struct cs_world *w, struct cs_disk *d, const struct arr_part *p);
void law_array(struct cs_world *w, struct cs_node *n);	/* its array has stepped */
void law_announced(struct cs_world *w, struct cs_node *n);
void law_rest(struct cs_world *w);		/* nothing is left to do */
void law_stopped(struct cs_world *w);		/* nobody runs */

enum cs_stake {
	CS_C1, CS_C2, CS_C3, CS_C4, CS_C5, CS_C6, CS_I1, CS_I2, CS_I3, CS_I6, CS_I7, CS_I8, CS_I9, CS_STAKES,
};
extern const char *const stake_names[CS_STAKES];

/* ---- report.c ---- */
void trace(struct cs_world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
_Noreturn void broken(struct cs_world *w, const char *law, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void hash_in(struct cs_world *w, uint64_t a, uint64_t b);

struct cs_verdict {
	char law[8], text[512];
	uint64_t step;
};
extern struct cs_verdict verdict;
extern jmp_buf *verdict_jump;
extern struct cs_world *acting;

static inline bool by_lot(struct cs_world *w, uint32_t one_of)
{
	return prng_below(&w->lots, one_of) == 0;
}

static inline uint32_t lot(struct cs_world *w, uint32_t below)
{
	return (uint32_t)prng_below(&w->lots, below);
}

static inline uint32_t disk_index(const struct cs_world *w, const struct cs_disk *d)
{
	return (uint32_t)(d - w->disks);
}

static inline struct cs_disk *disk_of(struct cs_world *w, const struct cs_node *n, const struct arr_part *p)
{
	return &w->disks[n->disk_of[p->member]];
}

static inline bool is_absent(const struct cs_disk *d)
{
	return d->disk.is_dead || d->disk.is_gone;
}

/* Where in the array a chunk, a sector lies that clients use. */
static inline uint64_t chunk_place(const struct cs_world *w, uint64_t chunk)
{
	return chunk / w->setup.zone_chunks * w->zone_stride + chunk % w->setup.zone_chunks;
}

static inline uint64_t sector_place(const struct cs_world *w, uint64_t sector)
{
	return chunk_place(w, sector / w->sectors_per_chunk) * w->sectors_per_chunk + sector % w->sectors_per_chunk;
}

/* The other way; UINT64_MAX: no client uses it. */
static inline uint64_t chunk_used(const struct cs_world *w, uint64_t place)
{
	uint64_t zone = place / w->zone_stride, in = place % w->zone_stride;

	return zone < w->setup.zones && in < w->setup.zone_chunks ? zone * w->setup.zone_chunks + in : UINT64_MAX;
}

static inline bool is_client_write(const struct arr_job *job)
{
	return job->kind == ARR_JOB_REQUEST && (job->parts[0].op == ARR_P_WRITE || job->parts[0].op == ARR_P_ZERO);
}

#endif
