/* The door of the array: one running mirror, as a state machine.
 *
 * Pure: no I/O, no clock, no threads. Events go in through arr_step(); what must be done comes out as
 * *jobs*, each a batch of parts on members. The hands execute a job outside every lock, write the
 * parts' results into it and hand it back with ARR_EV_JOB_DONE. The same objects run in the server
 * and in the simulator.
 *
 * Who executes: a job with an owner belongs to that request's worker (its own I/O, or the bitmap
 * commit it leads for all waiters); a job without one belongs to the array's own thread (superblocks,
 * sweep, resync). A request whose `job` is set or `is_done` is true has been put on out->woken.
 *
 * Time is an argument, in milliseconds of any monotonic clock. */
#ifndef UMD_ARRAY_ARRAY_H
#define UMD_ARRAY_ARRAY_H

#include "base/err.h"
#include "base/list.h"
#include "base/units.h"
#include "bitmap/bitmap.h"

enum {
	ARR_MEMBERS_MAX = 64,		/* present members; masks are 64 bits wide */
	ARR_FILE = ARR_MEMBERS_MAX,	/* arr_part.member: the file that holds the bitmap; in no mask or table */
	ARR_PARTS_INLINE = 8,
	ARR_SYNC_WINDOW_BYTES = 1 << 20,	/* largest piece copied at once */
	ARR_NODES_MIN = 2,
	ARR_NODES_MAX = 64,			/* nodes of a cluster; masks are 64 bits wide */
	ARR_SUSPEND_BYTES = 32 << 20,		/* what the other nodes are asked to leave alone at once */
};

/* ---- members ---- */

enum arr_member_state {
	ARR_M_NONE,		/* free entry */
	ARR_M_SPARE,		/* no slot */
	ARR_M_RECOVERING,	/* has a slot, receives all writes, is not read */
	ARR_M_IN_SYNC,
	ARR_M_FAULTY,		/* no longer touched; leaves the table by ARR_EV_REMOVE */
};

struct arr_member {
	enum arr_member_state state;
	uint32_t slot;			/* valid unless SPARE or NONE; of a FAULTY one: the slot it had */
	uint32_t dev_number;		/* index into the role table */
	member_off data_at, bitmap_at;	/* where the data area and the bitmap's superblock begin */
	bool wants_full;		/* RECOVERING: every chunk, not only NEEDED ones */
	uint64_t recovery_offset;	/* RECOVERING: bytes of the data area below are current */
	uint64_t errors;		/* jobs in which it failed: reads served from elsewhere, writes, flushes */
	bool is_write_mostly;		/* read when nobody else is left; writes may be behind there */
	/* External metadata: writes wait for the owner. It failed and that is not recorded, or it is held
	 * (ARR_EV_BLOCK). */
	bool is_blocked;
	void *hand;			/* the hands' own handle; never looked at here */
};

/* ---- jobs ---- */

enum arr_part_op { ARR_P_READ, ARR_P_WRITE, ARR_P_ZERO, ARR_P_FLUSH };
enum {
	ARR_PF_DURABLE = 1,		/* FUA: stable when done */
	ARR_PF_MAY_PUNCH = 2,		/* ZERO: may deallocate */
	ARR_PF_KEEP_HOLES = 4,		/* WRITE of zeroes may become ZERO | MAY_PUNCH */
};

struct arr_part {
	uint32_t member;		/* index into the member table */
	uint8_t op, flags;
	member_off at;
	uint64_t len_bytes;
	void *data;			/* WRITE: source, READ: target; see enum arr_job_kind */
	int rc;				/* result, set by the hands: 0 or negative */
};

enum arr_job_kind {
	ARR_JOB_REQUEST,		/* data: the request's buffer */
	ARR_JOB_BITMAP,			/* data: snapshots of bitmap pages */
	ARR_JOB_CLAIM,			/* superblocks of a->claim: at, len, data are the hands' business
					 * (asm_claim_render); op WRITE | DURABLE */
	ARR_JOB_FLUSH,			/* flush every working member */
	ARR_JOB_SYNC_READ,		/* data NULL: into the hands' sync buffer */
	ARR_JOB_SYNC_WRITE,		/* data NULL: out of the same buffer */
	ARR_JOB_BEHIND,			/* data: a copy of an answered request's. No owner, but not for the array's
					 * thread either: slow members must not hold that up, nor clients' workers */
	/* clusters; all of the array's thread */
	ARR_JOB_LOOK,			/* superblocks are read again: at, len, data are the hands' business
					 * (asm_look_render); reported with .reload (asm_look_taken) */
	ARR_JOB_SLOT_READ,		/* data: the array's; another node's bitmap */
	ARR_JOB_SLOT_CLEAR,		/* data: the array's; op WRITE | DURABLE: its bits are in ours, durably */
};

struct arr_req;
struct arr_behind;

/* Within one member, parts are executed in their order; members go in parallel or in any order. A part
 * after a failed one on the same member is not executed and gets the same result. */
struct arr_job {
	enum arr_job_kind kind;
	struct arr_req *owner;		/* NULL: the array's thread */
	struct arr_part *parts;
	uint32_t part_count;
	struct list link;		/* on out->jobs, then the hands' */
	uint64_t number;		/* REQUEST, BEHIND: of the request */
	uint64_t members;		/* mask of the members its parts touch */
	bool is_on_file;		/* its parts touch the bitmap's file instead */
	/* REQUEST: the hands put the owner's data (len_bytes of them) there as well before they report; NULL: no
	 * need */
	void *copy;
	uint64_t behind;		/* REQUEST: mask of the members that get it later, by an ARR_JOB_BEHIND */
	struct arr_part inline_parts[ARR_PARTS_INLINE];
	/* ARR_MEMBERS_MAX parts, or NULL: jobs of the array's own thread need no memory */
	struct arr_part *reserve;
};

/* ---- requests ---- */

enum arr_op { ARR_READ, ARR_WRITE, ARR_ZERO, ARR_FLUSH };

struct arr_req {
	/* set by the caller, who keeps the memory until is_done */
	enum arr_op op;
	bool is_fua, may_punch;
	array_off at;
	uint64_t len_bytes;
	void *data;
	void *user;			/* the hands' own, e.g. a condition to wake */
	uint64_t number;		/* for traces; given by the array */

	/* for the hands */
	bool is_done;
	int rc;				/* 0 or negative: -EIO, UMD_E_STOPPING, UMD_E_READ_ONLY, -EINVAL, -ENOMEM */
	struct arr_job *job;		/* to be executed by this request's worker now, or NULL */
	struct list woken;		/* on out->woken */

	/* private */
	struct list link;
	enum arr_stage {
		ARR_S_QUEUED,		/* not admitted: waits for its turn, a window, or the active mark */
		ARR_S_MARKED,		/* counted in the bitmap; waits for its bits to be stable */
		ARR_S_IO,		/* its own job is out */
		ARR_S_RECORD,		/* done on the members; waits for a failure to be recorded */
	} stage;
	uint64_t tried_members;		/* mask: a read failed there */
	uint32_t read_member;
	struct arr_job own_job;
	uint64_t wants_generation;	/* S_RECORD: ends when this is durable */
	bool is_counted;
	bool leaves_needed;		/* somebody may lack it */
	bool is_lost;			/* who had it has left, and the last one in sync did not take it */
	bool is_kept;			/* has a job that is not given out, since the array is held */
	struct arr_behind *behind;	/* parts of it that go on when it is done; NULL: none */
};

/* ---- claims: what the superblocks say ---- */

enum { ARR_ROLE_SPARE = 0xffff, ARR_ROLE_FAULTY = 0xfffe };

struct arr_claim {
	uint64_t generation;		/* counts commits in this run */
	uint64_t events;
	bool is_active;			/* dirty: stored as resync_offset 0 */
	uint64_t resync_offset;		/* bytes; OFF_NONE: all in sync (only when not active) */
	uint32_t member_count;
	struct arr_claim_member {
		uint32_t member;	/* index into the member table */
		uint32_t dev_number;
		uint32_t role;		/* slot, ARR_ROLE_SPARE or ARR_ROLE_FAULTY */
		bool is_written;	/* this member gets the superblock (all but faulty ones) */
		bool is_recovering, is_by_bitmap, is_write_mostly;
		uint64_t recovery_offset;
		member_off bitmap_at;	/* where its superblock says the bitmap lies; OFF_NONE: it names none */
	} members[ARR_MEMBERS_MAX];
};

/* ---- one node of a cluster (cluster.c, takeover.c, reload.c) ----
 *
 * Several nodes run the same array on the same members, each with a bitmap of its own: its *slot*. What must not happen
 * on two nodes at once is *wanted* by the array and answered by events; who gives the answers is the cluster's brain
 * (cluster/cluster.h). Whoever holds the *token* may write superblocks; whoever holds the *sync lock* may copy, and
 * only in a range that all others have left alone (*suspended*). The array is never clean on disk once it was
 * written: the slots say what is in doubt. Nothing is read but the pin, which all nodes choose alike (I6). */

struct arr_wants {
	bool token;			/* a claim is due or under way, or a spare may take a slot */
	bool announce;			/* superblocks are durable: all others are to read them; ARR_EV_ANNOUNCED */
	bool sync;			/* a resync or recovery is due, runs, or its end is not recorded yet */
	bool gather;			/* holding the sync lock: the bits of all slots, dead or alive, are to be merged
					 * (ARR_EV_TAKE_SLOT each), then ARR_EV_GATHERED */
	bool window;			/* holding the sync lock: all others are to leave this range alone (0 bytes:
					 * none any more), then ARR_EV_WINDOW with the same range */
	uint64_t window_at, window_len;
	uint64_t announce_events;	/* what superblocks say now, the one of this device for sure: whoever cannot */
	uint32_t announce_number;	/* read that has not read the claim */
};

/* What superblocks say now; made by asm_look_taken(). */
struct arr_reload {
	bool is_found;			/* somebody is believed */
	bool is_active;
	uint64_t events;
	uint64_t strangers;		/* slots (mask by number) given to devices that are not in the table */
	uint32_t member_count;
	struct arr_reload_member {
		uint32_t member;	/* entry of the table */
		uint32_t role;		/* slot, ARR_ROLE_SPARE or ARR_ROLE_FAULTY, by whom is believed */
		bool is_recovering, is_by_bitmap;	/* by its own superblock */
		bool is_overwritten;	/* its own superblock is another device's by now */
		bool is_claimed;	/* its own superblock is of a round after it joined, or not readable */
		uint64_t recovery_offset;
	} members[ARR_MEMBERS_MAX];
};

/* ---- the array ---- */

/* The owner of external metadata. What a claim would say in superblocks is asked of the owner instead: the state
 * becomes WRITE_PENDING when a write waits for the array to be active, when a member failed and when a resync or
 * recovery ended. What it speaks of was flushed before it is shown (I10), so the owner may record whatever it sees, at
 * any time; of an array recorded as active resync_start is 0 at the next start, whatever it was. The owner answers
 * ARR_EV_OWNER_ACTIVE, and for every failed member ARR_EV_UNBLOCK; in any order, and both are needed before waiting
 * requests go on. The end of a recovery that comes while it is being asked is asked about once more (arr_status.asks).
 * The array never becomes clean by itself: it shows ACTIVE_IDLE, and the owner may say ARR_EV_OWNER_CLEAN. No spare
 * takes a slot by itself: a member joins by ARR_EV_ADD with state RECOVERING only.
 *
 * A stop does not need the owner, who may be dead: requests that wait for an answer end with an error (what they wrote
 * is kept in doubt), then everything is flushed. The owner finds state CLEAN then, or WRITE_PENDING where something was
 * not recorded, with failed members blocked; BROKEN if the last member could not be written: never to be recorded
 * as clean.
 *
 * A bitmap without superblock (bm_new_bare) may be had with both kinds of metadata: its own owner holds bits by
 * ARR_EV_CAN_CLEAR. It falls by itself (a) on a write that a member lacks, (b) with superblocks: when bits would go
 * under a later event number than the last time (after a write, or a recovery). An internal bitmap never falls. */
struct arr;

struct arr_config {
	uint64_t size_bytes;
	/* An owner keeps the metadata: no ARR_JOB_CLAIM is ever made; see "the owner" below. Events play no role. */
	bool is_external;
	bool is_read_auto;		/* as read-only until the first write */
	uint32_t raid_devices;
	uint64_t events;		/* as on disk */
	bool is_readonly;
	bool is_active;			/* every in-sync member's superblock says active, at the same event */
	uint64_t resync_offset;		/* bytes below agree; OFF_NONE: clean, nothing to resync */
	uint32_t safe_mode_delay_ms;	/* 0: 200 */
	uint32_t member_count;
	struct arr_member members[ARR_MEMBERS_MAX];
	struct bm *bitmap;		/* loaded; NULL: none; the array takes it over */
	bool bitmap_is_file;		/* it is kept in a file: see store.c */
	/* Superblocks reach this number before data is written: a bitmap that this array does without may be ahead of
	 * them. 0: it does without none. */
	uint64_t events_floor;
	uint32_t write_behind_max;	/* writes at once that write-mostly members may lack; 0: off. Needs a bitmap */
	bool wants_record;		/* the start itself changes what superblocks must say */
	/* One of several nodes: members[].bitmap_at is where the first slot's superblock lies. Needs @bitmap, loaded
	 * from the own slot. */
	bool is_clustered;
	uint32_t nodes, node_slot;	/* bitmaps on every member; ours */
	uint64_t slot_bytes;		/* from one to the next */
	const char *sync_reason;	/* why the first resync or recovery runs; copied */
};

enum arr_event_kind {
	ARR_EV_SUBMIT,			/* .req */
	ARR_EV_JOB_DONE,		/* .job */
	ARR_EV_TIMER,			/* time may have passed */
	ARR_EV_FAIL,			/* .member: by the user */
	ARR_EV_REMOVE,			/* .member: FAULTY or SPARE; its entry becomes NONE. -EAGAIN while I/O is in
					 * flight there: ask again after the next ARR_EV_JOB_DONE */
	ARR_EV_ADD,			/* .new_member: state SPARE (gets a slot and a full recovery when one is
					 * free) or RECOVERING with slot, wants_full, recovery_offset (re-add) */
	ARR_EV_STOP,			/* no new work; ends in arr_is_stopped() */
	/* .value, an enum arr_mode. Back from writable: -EBUSY while requests are in flight; finished when
	 * arr_status.mode says so (members are flushed, an array with superblocks writes clean ones), or mode_wanted
	 * says otherwise: a write came on the way to READ_AUTO, or a failure that an owner must record. READONLY
	 * twice: -ENXIO. Whether members may be
	 * written at all is known to the hands only: they refuse WRITABLE where they may not. */
	ARR_EV_SET_MODE,
	/* .value: may bits be cleared? Without a bitmap -ENOENT; true while degraded: -EBUSY. After false no clear is
	 * begun; one that is under way goes out: no bit leaves any more when !arr_status.is_clearing. */
	ARR_EV_CAN_CLEAR,
	ARR_EV_FREEZE,			/* .value: true: no resync or recovery runs or begins; false: they may again */
	/* .value 0: interrupt what runs; what is due begins again by itself. 1: look again what is due, also after a
	 * read error stopped it. Both end a freeze. */
	ARR_EV_SYNC,
	ARR_EV_SET_TIME_BASE,		/* .value: ms between two sweeps; -ENOENT without a bitmap */
	/* .value: ms without a write before the array is clean (external: ACTIVE_IDLE); 0: never */
	ARR_EV_SAFE_MODE_DELAY,
	/* the owner (is_external only, else -EINVAL) */
	ARR_EV_OWNER_ACTIVE,		/* what was asked is recorded, and that the array is dirty */
	ARR_EV_OWNER_CLEAN,		/* -EBUSY while writes are in flight or wait, or something is not recorded;
					 * finished when arr_status.owner_clean is not 1, which is the result */
	ARR_EV_BLOCK,			/* .member: writes wait */
	ARR_EV_UNBLOCK,			/* .member: its failure is recorded, writes may go on */
	/* .bitmap: takes the place of the one there is, NULL: none; .bitmap_at: where it lies on each entry.
	 * New chunks for a bitmap with a superblock: a new empty one (bm_new), which takes over what is set. The first
	 * one: a new empty one, or a bare one as loaded from what lies there. The array takes it unless .rc says
	 * otherwise: -EBUSY while a sync is due, runs or is frozen, or another change runs; -ENOENT. How it went:
	 * arr_status.bitmap_change. Nobody joins meanwhile, and writes wait. */
	ARR_EV_BITMAP,
	/* .at, .len_bytes: what copies have there is in doubt: bits are set on disk, and a resync is due. Runs while
	 * arr_status.bitmap_change does. */
	ARR_EV_SET_BITS,
	/* write-behind */
	/* .value: write_behind_max; -EINVAL above 16383 or without a write-mostly member */
	ARR_EV_BACKLOG,
	ARR_EV_BACKLOG_RESET,		/* the high-water mark */
	ARR_EV_WRITE_MOSTLY,		/* .member .value; -EBUSY while a resync is due */
	/* one node of a cluster (is_clustered only, else -EINVAL) */
	/* .value true: nobody else writes superblocks: they are read again (what another node left is found out so),
	 * then claims go out. false: given back; only while arr_wants.token is false */
	ARR_EV_TOKEN,
	ARR_EV_ANNOUNCED,		/* all others have read the last claim, or are dead for sure */
	/* Another node has written superblocks: finished when !arr_status.is_reloading. .value true: it is dead, and
	 * may have begun only (what is news is then recorded once more) */
	ARR_EV_RELOAD,			/* .events .number: as announced; events 0: nothing was */
	ARR_EV_SYNC_LOCK,		/* .value; false only while arr_wants.sync is false */
	ARR_EV_GATHERED,
	ARR_EV_WINDOW,			/* .at .len_bytes: all others leave it alone */
	/* .node .at .len_bytes: node copies there: writes of the range wait, 0 bytes: no longer. What is under way
	 * ends: finished when arr_is_left_alone() */
	ARR_EV_SUSPEND,
	/* .node: the bits of its slot are merged into ours, as NEEDED and durably; .value true: its lock is held by us,
	 * so nobody has it: then its bits are cleared on every member, and its suspended range ends. -EBUSY while
	 * another one is taken. How it went: arr_status.take */
	ARR_EV_TAKE_SLOT,
	/* .value true: nothing is given out any more, no job of any kind; what is out may end. false: what was held
	 * goes out. (Quorum is lost, and back, and nobody has taken our slot meanwhile.) */
	ARR_EV_HOLD,
	/* Membership is lost for good: what waits ends with -EIO, nothing is given out ever again; the array is stopped
	 * when what is out has been handed back. (A stop while held waits for the end of that, or for this.) */
	ARR_EV_LOST,
};

enum arr_mode { ARR_MODE_WRITABLE, ARR_MODE_READONLY, ARR_MODE_READ_AUTO };

struct arr_event {
	enum arr_event_kind kind;
	struct arr_req *req;
	struct arr_job *job;
	uint32_t member;
	uint64_t value;
	const struct arr_member *new_member;
	struct bm *bitmap;
	const member_off *bitmap_at;	/* ARR_MEMBERS_MAX */
	bool bitmap_is_file;		/* BITMAP: it goes to ARR_FILE, all of whose bits are set now; no @bitmap_at */
	array_off at;
	uint64_t len_bytes;
	uint32_t node;			/* a slot of the bitmap */
	uint64_t events;		/* RELOAD */
	uint32_t number;		/* RELOAD: of a device */
	const struct arr_reload *reload;	/* JOB_DONE of an ARR_JOB_LOOK */
	/* REMOVE, ADD: another node does it and writes the superblocks: nothing is to be recorded. An ADD is of state
	 * SPARE then; what becomes of it a reload says. */
	bool is_by_peer;
	const char *reason;		/* ADD: why the recovery is partial or full, one sentence; copied */
	struct err *err;		/* may be NULL */
	/* results */
	int rc;
	uint32_t ret_member;		/* ADD: the entry used */
};

struct arr_out {
	struct list woken;		/* struct arr_req.woken: has a job to run, or is done */
	struct list jobs;		/* struct arr_job.link: for the array's thread, in order */
};

struct arr *arr_new(const struct arr_config *config);	/* NULL without memory; then bitmap stays the caller's */
struct arr *arr_free(struct arr *a);
/* Other pieces than ARR_SYNC_WINDOW_BYTES and ARR_SUSPEND_BYTES, powers of two, before the first step: a simulator's
 * arrays are small, and shall have several. */
void arr_set_pieces(struct arr *a, uint64_t sync_window_bytes, uint64_t suspend_bytes);

void arr_out_init(struct arr_out *out);
void arr_step(struct arr *a, struct arr_event *event, uint64_t now_ms, struct arr_out *out);

/* When to send ARR_EV_TIMER at the latest; UINT64_MAX: no need. */
uint64_t arr_next_timer_ms(const struct arr *a);

bool arr_is_stopped(const struct arr *a);
const struct arr_claim *arr_claim_in_flight(const struct arr *a);	/* of the ARR_JOB_CLAIM just given out */

/* ---- looking in ---- */

enum arr_sync_action { ARR_SYNC_IDLE, ARR_SYNC_RESYNC, ARR_SYNC_RECOVER };

/* md's array_state of a running array, of internal ones, too. */
enum arr_state {
	ARR_STATE_READONLY,
	ARR_STATE_READ_AUTO,
	ARR_STATE_CLEAN,
	ARR_STATE_WRITE_PENDING,	/* something must be recorded; external: until ARR_EV_OWNER_ACTIVE */
	ARR_STATE_ACTIVE,
	ARR_STATE_ACTIVE_IDLE,		/* external: active, no write for safe_mode_delay */
	ARR_STATE_BROKEN,
};

struct arr_counters {
	uint64_t client_reads, client_writes, client_flushes, member_writes, member_flushes;
	uint64_t bitmap_commits, bitmap_bits_set;
};

struct arr_sync_report {
	enum arr_sync_action action;
	uint64_t bytes_copied, bytes_checked;	/* checked: copied or skipped by the bitmap */
	uint64_t started_ms, ended_ms;
	char reason[256];
	bool is_complete;
};

/* Of arr_status.bitmap_change: 0 it was changed, or never was; negative: it could not be, and is as before. */
enum { ARR_CHANGE_RUNS = 1 };

struct arr_status {
	uint64_t size_bytes, events;
	uint32_t raid_devices, degraded;
	bool is_readonly, is_active, is_broken, is_stopping;	/* broken: the last member failed a write */
	bool is_recorded;			/* every change of members is durable, in superblocks or by the owner */
	bool is_external, is_frozen;
	enum arr_mode mode, mode_wanted;	/* they differ while it turns */
	enum arr_state state;
	uint32_t safe_mode_delay_ms;		/* 0: off */
	bool can_clear, is_clearing;		/* clearing: pages without bits that they had are being written */
	uint64_t can_clear_falls;		/* how often it became false by itself */
	uint64_t asks;				/* how often WRITE_PENDING began, though it may just have been so */
	int owner_clean;			/* of ARR_EV_OWNER_CLEAN: 1 under way, 0 clean, or -EBUSY, -EIO */
	/* Bytes below agree; OFF_NONE: no resync is due. External: as far as it was flushed, as are the members'
	 * recovery_offset. */
	uint64_t resync_offset;
	int bitmap_change;
	bool names_bitmap;			/* superblocks say where the bitmap lies */
	bool bitmap_is_file;			/* it is in a file; no superblock speaks of it */
	bool has_lost_file;			/* the file failed a write: the array goes on without a bitmap */
	enum arr_sync_action action;
	uint32_t write_behind_max, behind_now, behind_max_used;
	bool is_backlog_recorded;		/* the bitmap's superblock on disk says write_behind_max */
	uint64_t sync_position;			/* bytes of the pass now running */
	uint64_t sync_bytes_left;		/* still to be copied, by what is known now */
	struct arr_sync_report now, last;	/* last.ended_ms 0: none yet */
	struct arr_counters counters;
	/* clusters */
	bool is_clustered, is_held, is_lost, is_reloading;
	uint64_t strangers;		/* slots (mask) that other nodes gave to devices we have not: so it is broken */
	uint32_t nodes, node_slot;
	int take;				/* of ARR_EV_TAKE_SLOT: 1 under way, 0 done, or negative: not taken */
	uint64_t take_bits;			/* bits found in the slot taken last */
	uint64_t taken_slots, taken_bits;	/* of dead nodes, in this run; those that had bits */
	bool has_sync_lock;
	struct arr_range { uint64_t at, len; } open;	/* of our own sync, that the others leave alone; len 0: none */
	uint32_t pin;				/* entry whose content decides; ARR_MEMBERS_MAX: none */
	uint32_t member_count;			/* entries of the table, NONE ones included */
	struct arr_member members[ARR_MEMBERS_MAX];
};

/* What is wanted of the cluster now; after every step. All false for an array that is not one of several nodes. */
void arr_get_wants(const struct arr *a, struct arr_wants *ret_wants);
struct arr_range arr_suspended(const struct arr *a, uint32_t node);	/* len 0: none */
/* ARR_EV_SUSPEND of @node: no write of ours is under way there any more. */
bool arr_is_left_alone(const struct arr *a, uint32_t node);
/* The order in which members decide where copies differ: all nodes must have the same (a joiner is told). Device
 * numbers of those in sync by superblocks (a failure that is not recorded yet counts for nobody else), the first of
 * them that works is the pin. Returns how many. */
uint32_t arr_get_pins(const struct arr *a, uint32_t ret_numbers[ARR_MEMBERS_MAX]);
void arr_set_pins(struct arr *a, const uint32_t *numbers, uint32_t count);

/* Another node adds this device (ARR_EV_ADD is_by_peer), and no superblock that was read knows it yet: it takes no
 * slot, and claims leave it out. If the adder ends before it has recorded it, it is to be removed again. */
bool arr_is_offered(const struct arr *a, uint32_t dev_number);
bool arr_offered(const struct arr *a, uint32_t *ret_number);		/* the first of them, if there is one */
/* Spares that all nodes know, by device number: a joiner is told. Those of a joiner that nobody names count as offered:
 * what their superblocks say is not, or no longer, on record. */
uint32_t arr_get_spares(const struct arr *a, uint32_t ret_numbers[ARR_MEMBERS_MAX]);
void arr_set_spares(struct arr *a, const uint32_t *numbers, uint32_t count);

void arr_get_status(const struct arr *a, struct arr_status *ret_status);
/* The same as an owner may see it. A member that fails in mid-resync is shown as it was until what was copied from it
 * is flushed: an owner who records the failure before would start without it from what a cache has lost (I6). */
void arr_get_shown(const struct arr *a, struct arr_status *ret_status);
/* Would ARR_EV_ADD take it now? 0, or the code and the sentence of its refusal. Only new->state and slot are asked. */
int arr_check_join(const struct arr *a, const struct arr_member *new_member, struct err *err);
const struct bm *arr_bitmap(const struct arr *a);	/* NULL: none */
const char *arr_sync_action_name(enum arr_sync_action action);	/* "idle", "resync", "recover" */
const char *arr_state_name(enum arr_state state);	/* "readonly", "read-auto", "clean", "write-pending", ... */
const char *arr_member_state_name(enum arr_member_state state);	/* "in_sync", "spare", "recovering", "faulty" */

#endif
