/* The inside of struct arr, shared by the files of this room only.
 *
 * One function moves everything: arr_pump() asks each machine (requests, claim, sweep, sync, stop) whether
 * it can take a step, until none can. Machines never call each other; they meet in this state. That
 * makes every wait a condition on state instead of a chain of callbacks, so a wake-up cannot be lost. */
#ifndef UMD_ARRAY_STATE_H
#define UMD_ARRAY_STATE_H

#include "array/array.h"
#include "array/why.h"

/* Chunks that one request has set; see why.c. */
struct arr_mark {
	enum arr_why_setter setter;
	bool sets;			/* HAND: else they were set already */
	uint64_t first, last;		/* chunks */
	uint64_t number, len_bytes, ms, passes;
	array_off at;			/* of the request */
};

/* One of several nodes: see cluster.c. */
struct arr_node {
	uint32_t count, slot;			/* nodes; ours */
	uint64_t slot_bytes;
	bool is_held, is_lost;
	struct list kept;			/* jobs made while held, in order */
	uint32_t jobs_out;			/* that the hands have */

	bool has_token, is_looked;		/* looked: since it was granted */
	/* superblocks are read again (reload.c) */
	enum { LOOK_IDLE, LOOK_DUE, LOOK_OUT, LOOK_FLUSH_DUE, LOOK_FLUSH } look;
	struct arr_job look_job;
	struct arr_part look_parts[ARR_MEMBERS_MAX];
	bool is_look_due_again, look_has_token;
	bool may_be_torn, look_may_be_torn;	/* what the due one, the one that is out, finds may be half a round */
	uint32_t look_misses;			/* in a row: nobody was believed, or not what was announced */
	uint64_t announced_events;		/* by others: superblocks say so, or more */
	uint32_t announced_number;		/* of a device that says so */
	uint64_t unaware_events[ARR_MEMBERS_MAX];	/* superblocks up to here do not know the entry as it is */
	uint64_t candidates;			/* mask: spares that no superblock we read knew yet */
	uint64_t own_joins;			/* mask: it was us who gave them their slots */
	uint64_t strangers;

	/* the sync lock, and the range that all others leave alone */
	bool has_sync_lock, is_gathered, asks_window;
	uint64_t suspend_bytes;			/* a range's length at most */
	struct arr_range open, asked;
	uint64_t joins, gather_joins;		/* members that joined; when the gathering began */
	uint64_t end_generation;		/* durable: the end of the last recovery is recorded */
	bool is_resync_due;			/* for bits that were taken over, once no window is out */
	struct arr_range suspended[ARR_NODES_MAX];

	/* the slot of another node (takeover.c) */
	enum { TAKE_IDLE, TAKE_READ, TAKE_READING, TAKE_COMMIT, TAKE_CLEARING } take_phase;
	struct arr_job take_job;
	struct arr_part take_parts[ARR_MEMBERS_MAX];
	uint8_t *take_image;			/* slot_bytes of it */
	uint32_t take_node;
	bool take_clears, take_is_doubtful;
	uint64_t take_tried;			/* mask of members */
	int take;				/* see struct arr_status */
	uint64_t take_bits, taken_slots, taken_bits;
};

struct arr {
	uint64_t size_bytes;
	uint32_t raid_devices;
	bool is_external, is_broken, is_stopping;
	enum arr_mode mode, mode_wanted;	/* mode.c */
	bool is_start_unrecorded;		/* still since the start, which changes what superblocks must say */
	uint64_t now_ms;
	struct arr_out *out;			/* of the step now running */
	struct bm *bitmap;			/* NULL: none */
	uint32_t member_count;
	struct arr_member members[ARR_MEMBERS_MAX];
	uint32_t busy[ARR_MEMBERS_MAX];	/* jobs in flight that touch the member */

	/* requests (request.c): all that are not done, in order of arrival */
	struct list requests;
	uint64_t request_count, writes_in_flight, admissions;
	uint64_t idle_since_ms;
	bool is_write_waiting;			/* some write would go on if the array were active */
	uint32_t read_turn;

	/* write-behind (behind.c) */
	struct list behind;			/* in order of their requests */
	struct list lost;			/* what the last member in sync did not take */
	uint32_t write_behind_max, behind_now, behind_max_used;
	uint64_t behind_bytes;			/* of copies */
	bool is_backlog_new;			/* the bitmap's superblock does not say it yet */

	/* the bitmap's one I/O (store.c) */
	bool bitmap_is_file, has_lost_file;
	uint64_t file_events;			/* the highest number that the file may have */
	uint64_t events_floor;			/* no data is written before a claim of this number is durable */
	struct arr_job bitmap_job;		/* when the array's thread does it */
	uint64_t bitmap_owed, bitmap_paying;	/* masks: members that have no bitmap yet / get it by this commit */

	/* claims (claim.c) */
	enum { CLAIM_IDLE, CLAIM_FLUSH, CLAIM_BITMAP_WAIT, CLAIM_BITMAP, CLAIM_SUPER, CLAIM_FOLLOWERS,
	       CLAIM_ASKED, CLAIM_ANNOUNCE } claim_phase;
	struct arr_claim claim;
	struct arr_job claim_job;
	uint64_t claim_led;			/* mask: were in sync when the claim's superblocks began to go out */
	struct arr_part claim_parts[ARR_MEMBERS_MAX];
	uint64_t claim_admissions;		/* when its flush began */
	uint64_t events;			/* of the last durable claim */
	uint64_t wanted_generation, durable_generation;
	uint64_t change_events;			/* of the last durable claim that changed what is said of members */
	uint64_t first_events;		/* of the first claim, where a start misses somebody; 0: nobody */
	uint64_t failure_generation;		/* durable: the last failure is recorded */
	bool is_active_on_disk, is_raise_wanted;
	uint32_t safe_mode_delay_ms;
	uint64_t recorded_sync_offset;		/* what the last claim said about progress */
	uint64_t recorded_sync_ms;

	/* the owner (owner.c) */
	uint64_t blocked;			/* mask */
	uint64_t unshown;			/* mask: has failed, and is still shown as it was */
	enum arr_member_state shown_state[ARR_MEMBERS_MAX];
	uint64_t claim_windows;			/* sync_windows when its flush began */
	uint64_t answered_generation;
	int owner_clean;			/* see struct arr_status */
	bool is_last_flush, is_last_flush_done;
	bool is_end_unseen, is_end_asked;	/* of a recovery: the owner has not answered for it; was asked */
	uint64_t asks;

	/* orders (order.c) */
	bool can_clear, is_frozen, is_sync_interrupted;
	uint64_t can_clear_falls;

	/* sweep (sweep.c) */
	enum { SWEEP_IDLE, SWEEP_FLUSH, SWEEP_EVENTS, SWEEP_EVENTS_IO, SWEEP_CLEAR, SWEEP_CLEAR_IO } sweep_phase;
	struct arr_job sweep_job;
	struct arr_part sweep_parts[ARR_MEMBERS_MAX];
	uint64_t sweep_due_ms;

	/* another bitmap (rebitmap.c) */
	enum { REB_IDLE, REB_DRAIN, REB_FLUSH, REB_FLUSHED, REB_UNNAME, REB_NAME } rebitmap_phase;
	struct arr_job rebitmap_job;
	struct arr_part rebitmap_parts[ARR_MEMBERS_MAX];
	struct bm *next_bitmap;			/* NULL: none; or the change has not come to it, or is past it */
	bool next_is_file;
	member_off next_at[ARR_MEMBERS_MAX];
	uint64_t rebitmap_generation;		/* durable: superblocks say what they shall */
	bool names_bitmap;			/* the next claim does */
	bool has_set_bits;			/* by the user, and not durable yet */
	uint64_t set_bits_from;			/* a resync is due from there on, once no window is out; OFF_NONE: no */
	int bitmap_change;			/* see arr_status */

	/* resync and recovery (recover.c) */
	enum { SYNC_IDLE, SYNC_DRAIN, SYNC_READ, SYNC_WRITE, SYNC_FLUSH } sync_phase;
	struct arr_job sync_job;
	struct arr_part sync_parts[ARR_MEMBERS_MAX];
	uint64_t resync_offset;			/* bytes below agree; OFF_NONE: no resync due */
	uint64_t window_at, window_len;		/* valid unless SYNC_IDLE: nobody writes here */
	uint64_t sync_window_bytes;		/* at most that much at once */
	uint32_t sync_source;
	uint64_t sync_targets;			/* mask */
	uint64_t sync_actors;			/* mask: recovering members whose position the window moves */
	uint64_t passes;			/* syncs that were completed */
	uint64_t in_sync_since[ARR_MEMBERS_MAX];	/* such a number; the lowest decides (raid1.c) */
	uint64_t join_generation[ARR_MEMBERS_MAX];	/* durable: the recovering member's superblock says so */
	bool is_sync_blocked;			/* no readable source: waits for a change of members */
	/* external: what was flushed may be told */
	bool is_sync_flushed, is_sync_tell_due;
	uint64_t sync_windows;			/* that were completed */
	uint64_t told_resync_offset, told_recovery[ARR_MEMBERS_MAX];
	struct arr_sync_report sync_now, sync_last;
	char sync_reason[256];

	/* what is remembered to be told (why.c); nothing is decided by it */
	struct {
		struct arr_mark marks[ARR_WHY_MARKS];
		uint64_t mark_count;
		bool is_other_bitmap, is_degraded_since_start;
		uint64_t other_bitmap_ms, degraded_ms, degraded_events, can_clear_ms;
		enum arr_clear_word can_clear_word;
	} story;

	bool is_clustered;
	struct arr_node node;

	struct arr_counters counters;
};

/* array.c */
void arr_wake(struct arr *a, struct arr_req *req);
/* Parts for a job: inline where they fit, else allocated. False: no memory. */
bool arr_job_parts(struct arr_job *job, uint32_t part_count);
/* The same for the thread's own jobs, one part for each member at most: out of the reserve, so it cannot fail. */
void arr_job_reserve(struct arr_job *job);
void arr_job_issue(struct arr *a, struct arr_job *job);
void arr_job_give_out(struct arr *a, struct arr_job *job);
struct arr_part *arr_job_add(struct arr_job *job, uint32_t member, enum arr_part_op op, unsigned flags, uint64_t at,
			     uint64_t len, void *data);
/* Fail every member on which a part of the job failed (unless it is the last). Returns the mask of members with a
 * failed part. */
uint64_t arr_job_judge(struct arr *a, const struct arr_job *job);
void arr_job_end(struct arr_job *job);

/* members (fail.c) */
uint64_t arr_mask(const struct arr *a, enum arr_member_state state);
uint64_t arr_in_slots(const struct arr *a);	/* in sync or recovering: everything that is written */
uint32_t arr_degraded(const struct arr *a);
bool arr_is_whole(const struct arr *a);		/* every slot in sync, no resync due */
uint32_t arr_slots_missing(const struct arr *a);	/* slots with no working member at all */
int arr_fail_member(struct arr *a, uint32_t member);
/* A spare takes a slot: it is RECOVERING; told: on disk already. */
void arr_take_slot(struct arr *a, uint32_t member, uint32_t slot, bool is_told);
bool arr_spare_may_join(const struct arr *a);
void arr_set_reason(struct arr *a, const char *reason);	/* why the next resync or recovery runs; NULL: as it is */
void arr_event_fail(struct arr *a, struct arr_event *ev);
void arr_event_remove(struct arr *a, struct arr_event *ev);
void arr_event_add(struct arr *a, struct arr_event *ev);
void arr_members_begin(struct arr *a);
bool arr_pump_spares(struct arr *a);

/* raid1.c */
uint64_t arr_member_at(const struct arr *a, uint32_t member, uint64_t at);
uint32_t arr_pin(const struct arr *a);		/* the member that decides where copies may differ */
void arr_pin_begin(struct arr *a);
bool arr_pump_pin(struct arr *a);
/* The member to read from, or ARR_MEMBERS_MAX when none is left; *@ret_is_pinned: no other may answer. */
uint32_t arr_choose_read(struct arr *a, const struct arr_req *req, bool *ret_is_pinned);

/* request.c */
void arr_lose_requests(struct arr *a);		/* all that have no job out end with -EIO */
void arr_event_submit(struct arr *a, struct arr_req *req);
void arr_request_done(struct arr *a, struct arr_req *req);
void arr_write_ended(struct arr *a, array_off at, uint64_t len, bool leave_needed,
		     bool went_out);	/* its chunks' count goes */
/* Is there a write of these bytes in a client's hands, @before the given request (NULL: any admitted one)? */
bool arr_request_overlaps(const struct arr *a, uint64_t at, uint64_t len, const struct arr_req *before);
/* The same, and with NULL also one that goes on behind its request. */
bool arr_pump_requests(struct arr *a);
bool arr_write_overlaps(const struct arr *a, uint64_t at, uint64_t len, const struct arr_req *before);

/* behind.c */
/* The members on which the request's parts may go on behind it: begun, all others are its own. 0: an ordinary write. */
uint64_t arr_behind_begin(struct arr *a, struct arr_req *req);
void arr_behind_cancel(struct arr *a, struct arr_req *req);
void arr_behind_turn(struct arr_req *req);
void arr_behind_answered(struct arr_req *req, bool leave_needed);
void arr_behind_note_left(const struct arr *a, struct arr_req *req);
void arr_behind_done(struct arr *a, struct arr_job *job);
bool arr_pump_behind(struct arr *a);
void arr_behind_free(struct arr *a);
bool arr_is_quiet(const struct arr *a);		/* no request, and nothing behind one */
uint64_t arr_mostly(const struct arr *a);	/* write-mostly members in slots */
uint64_t arr_lagging(const struct arr *a, uint64_t at, uint64_t len);	/* mask: parts there are owed to them */
bool arr_is_lost(const struct arr *a, uint64_t at, uint64_t len);
bool arr_behind_overlaps(const struct arr *a, uint64_t at, uint64_t len);
void arr_behind_why(const struct arr *a, struct arr_why *w);
bool arr_behind_before(const struct arr *a, const struct arr_req *flush);	/* something older is behind */
void arr_event_backlog(struct arr *a, struct arr_event *ev);
void arr_event_write_mostly(struct arr *a, struct arr_event *ev);

/* store.c */
uint64_t arr_slot_at(const struct arr *a, uint32_t member, uint32_t node);	/* where its bitmap lies */
/* Clear what is ripe, which the caller has found allowed, and give out the pages at once; false: nothing was cleared,
 * for want of memory as well. */
bool arr_bitmap_clear(struct arr *a);
/* NULL: one runs, nothing to do, or no memory */
struct arr_job *arr_bitmap_begin(struct arr *a, struct arr_req *owner);
void arr_bitmap_done(struct arr *a, struct arr_job *job);
void arr_leave_file(struct arr *a);
void arr_bitmap_owe(struct arr *a, uint32_t member);	/* it has no bitmap yet */
bool arr_pump_bitmap(struct arr *a);

/* claim.c */
void arr_want_record(struct arr *a);
bool arr_is_active(const struct arr *a);
bool arr_is_recorded(const struct arr *a);
bool arr_pump_claim(struct arr *a);
void arr_claim_done(struct arr *a);
bool arr_claim_is_due(const struct arr *a);
void arr_claim_announced(struct arr *a);
uint64_t arr_newest_events(const struct arr *a);	/* any superblock of ours may have this number */
uint64_t arr_claim_timer_ms(const struct arr *a);
/* A flush of every written member, executed by the array's thread. */
void arr_flush_all(struct arr *a, struct arr_job *job);

bool arr_claim_is_outdated(const struct arr *a);

/* owner.c */
bool arr_has_writes(const struct arr *a);	/* in flight or waiting */
void arr_block(struct arr *a, uint32_t member);
void arr_show_failures(struct arr *a);
void arr_owner_must_see(struct arr *a);
void arr_owner_done(struct arr *a);
bool arr_pump_owner(struct arr *a);
void arr_event_owner(struct arr *a, struct arr_event *ev);

/* mode.c */
bool arr_is_still(const struct arr *a);		/* read-only or read-auto: no member is written */
bool arr_is_turning_still(const struct arr *a);
bool arr_refuses_writes(const struct arr *a);
void arr_make_writable(struct arr *a);
void arr_event_set_mode(struct arr *a, struct arr_event *ev);
bool arr_pump_mode(struct arr *a);
enum arr_state arr_state(const struct arr *a);

/* order.c */
void arr_can_clear_falls(struct arr *a, enum arr_clear_word word);
bool arr_events_outrun(struct arr *a, uint64_t events);	/* than the owner knows: it must know @events */
void arr_event_order(struct arr *a, struct arr_event *ev);

/* sweep.c */
bool arr_pump_sweep(struct arr *a);
void arr_sweep_done(struct arr *a);
uint64_t arr_sweep_timer_ms(const struct arr *a);
bool arr_sweep_is_finished(const struct arr *a);

/* rebitmap.c */
void arr_event_bitmap(struct arr *a, struct arr_event *ev);
bool arr_pump_rebitmap(struct arr *a);
void arr_rebitmap_done(struct arr *a);
bool arr_bitmap_is_changing(const struct arr *a);	/* no write is admitted, nobody joins, nothing is swept */
bool arr_rebitmap_wants_commit(const struct arr *a);

/* setbits.c */
void arr_event_set_bits(struct arr *a, struct arr_event *ev);
bool arr_pump_set_bits(struct arr *a);

/* recover.c */
bool arr_pump_sync(struct arr *a);
void arr_sync_done(struct arr *a);
bool arr_window_overlaps(const struct arr *a, uint64_t at, uint64_t len);
bool arr_window_is_orphan(const struct arr *a);
bool arr_is_copied_to(const struct arr *a, uint32_t member, uint64_t at, uint64_t len);
enum arr_sync_action arr_sync_action(const struct arr *a);
uint64_t arr_sync_offset(const struct arr *a);
uint64_t arr_sync_left(const struct arr *a);
uint64_t arr_ready_members(const struct arr *a);

/* cluster.c */
void arr_node_begin(struct arr *a, const struct arr_config *config);
void arr_event_node(struct arr *a, struct arr_event *ev);
bool arr_pump_node(struct arr *a);
bool arr_node_is_at_rest(const struct arr *a);
bool arr_may_claim(const struct arr *a);	/* alone, or the token is ours and superblocks were read since */
bool arr_may_sync(const struct arr *a);
bool arr_may_copy(const struct arr *a, uint64_t at, uint64_t len);	/* all others leave it alone (C3) */
bool arr_ask_range(struct arr *a, uint64_t at);		/* they are asked to, from there on */
void arr_resync_taken(struct arr *a);			/* bits were taken over: what they cover is copied */
void arr_gather_again(struct arr *a);
bool arr_is_suspended(const struct arr *a, uint64_t at, uint64_t len);
int arr_refuse_as_node(const struct arr *a, const char *what, struct err *err);
bool arr_has_late_jobs(const struct arr *a);	/* on members that have failed */
void arr_node_report(const struct arr *a, struct arr_status *ret_status);

/* hold.c: without quorum, and left behind */
bool arr_keep_job(struct arr *a, struct arr_job *job);	/* held: it is given out later */
void arr_hold(struct arr *a, bool is_held);
void arr_lose(struct arr *a);
void arr_step_lost(struct arr *a, struct arr_event *ev);

/* reload.c */
void arr_look(struct arr *a, bool may_be_torn);
void arr_look_as_told(struct arr *a, const struct arr_event *ev);
bool arr_pump_look(struct arr *a);
void arr_look_done(struct arr *a, const struct arr_reload *reload);
bool arr_is_reloading(const struct arr *a);

/* takeover.c */
void arr_event_take(struct arr *a, struct arr_event *ev);
bool arr_pump_take(struct arr *a);
void arr_take_done(struct arr *a);

/* progress.c */
void arr_sync_tell(struct arr *a);		/* all that was copied is flushed */
bool arr_progress_flush(struct arr *a);
void arr_progress_flushed(struct arr *a);
void arr_progress_record(struct arr *a);
void arr_progress_checkpoint(struct arr *a);

/* why.c: what is to be told of it later */
/* Before the chunks are marked. If they could not be a request's note harms nobody: who sets them later has a newer
 * one. By hand it is to be forgotten, by what is returned. */
void arr_note_request(struct arr *a, const struct arr_req *req);
uint64_t arr_note_by_hand(struct arr *a, array_off at, uint64_t len_bytes);
void arr_forget_marks(struct arr *a, uint64_t noted);
void arr_note_other_bitmap(struct arr *a);
void arr_note_can_clear(struct arr *a, enum arr_clear_word word);
void arr_note_degraded(struct arr *a, bool is_start);

#define ARR_BIT(member) (1ull << (member))
#define ARR_EACH(i, a, mask)                                                                        \
	for (uint32_t i = 0; i < (a)->member_count; i++)                                            \
		if ((mask) & ARR_BIT(i))

#endif
