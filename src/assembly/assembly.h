/* The door of assembly: which members make an array, what the next start does and why, what superblocks say.
 *
 * Pure: it gets the bytes of superblocks and returns decisions. The hands read where it points and write
 * what it renders. Laws: I5 (lineage), I7, I9, I10. */
#ifndef UMD_ASSEMBLY_ASSEMBLY_H
#define UMD_ASSEMBLY_ASSEMBLY_H

#include "array/array.h"
#include "base/err.h"
#include "format/layout.h"
#include "format/sb0.h"

/* ---- one member, looked at ---- */

enum { ASM_NOTES_MAX = 6, ASM_NOTE_BYTES = 256 };

enum asm_kind {
	ASM_UNKNOWN,
	ASM_MEMBER,			/* a superblock is there, believed or not */
	ASM_BITMAP_FILE,		/* a bitmap superblock at byte 0 and nothing else */
};

struct asm_member {
	const char *path;		/* for sentences; escaped by the caller; outlives the judgement */
	uint64_t size_bytes;
	bool has_superblock;
	member_off super_at;
	struct sb1 sb;
	uint8_t raw[FMT_SB1_BYTES];	/* as found: bytes umd does not know are written back */
	enum asm_kind kind;
	struct sb0 sb0;			/* when sb.minor is SB_090 */
	uint32_t note_count;		/* sentences about what is odd, but no reason to refuse */
	char notes[ASM_NOTES_MAX][ASM_NOTE_BYTES];
	struct err error;		/* code 0: usable as far as the superblock goes; else names the member */
	bool has_bitmap;		/* bitmap superblock was read */
	member_off bitmap_at;
	struct bitmap_sb bitmap;
	struct err bitmap_error;
	/* One node's own slot, as asm_take_slot() found it; slot 0 is @bitmap. */
	enum asm_slot_state { ASM_SLOT_UNREAD, ASM_SLOT_GOOD, ASM_SLOT_EMPTY, ASM_SLOT_BAD } slot_state;
	struct bitmap_sb slot;
};

/* Where superblocks may lie: up to three places, in the order 1.1, 1.2, 1.0. The hands read FMT_SB1_BYTES at each
 * and offer them to asm_take_superblock(); the first that is believed is kept. */
uint32_t asm_super_places(uint64_t member_bytes, member_off ret_places[3], enum sb1_minor ret_minors[3]);

/* Where superblocks of an earlier life may lie, in the order in which they are erased: each durably before the next,
 * who is believed last, so that a cut in between uncovers none that was hidden until then. 0.90 included. */
uint32_t asm_places_to_erase(uint64_t member_bytes, member_off ret_places[4]);

/* Offer the bytes found at place @minor. Keeps the first that is believed; of the rest the most telling error is
 * kept. */
void asm_take_superblock(struct asm_member *m, enum sb1_minor minor, member_off at, const uint8_t raw[FMT_SB1_BYTES]);

/* The same for the place of a 0.90 superblock (lay_super_090), offered last, whatever was found before: one that is
 * believed wins over a broken 1.x, and stays a note beside a believed one. */
void asm_take_superblock_090(struct asm_member *m, member_off at, const uint8_t raw[FMT_SB0_BYTES]);

/* Where no superblock was found: offer the first bytes of the member (NULL: it has none) to recognise a bitmap file, or
 * to say what is there instead. A bitmap file shorter than FMT_SB1_BYTES is offered with zeroes behind it. */
void asm_name_the_stranger(struct asm_member *m, const uint8_t *first_4k);

/* Why this cannot be used as a member; 0 when it can. A bitmap file has no error of its own, but is no member. */
int asm_why_no_member(const struct asm_member *m, struct err *ret_err);

/* After the superblock: true and the place of the bitmap superblock to be read (256 bytes). */
bool asm_wants_bitmap(const struct asm_member *m, member_off *ret_at);
/* A believed bitmap's sync_size_sectors is then the array's, whatever is stored. */
void asm_take_bitmap(struct asm_member *m, const uint8_t raw[FMT_BITMAP_SB_BYTES]);

/* One node's own slot, after the bitmap: where its superblock (256 bytes) is to be read. False: there is none, or it is
 * slot 0. The next judgement for this node wants it of every member that has one. */
bool asm_wants_slot(const struct asm_member *m, uint32_t slot, member_off *ret_at);
void asm_take_slot(struct asm_member *m, const uint8_t raw[FMT_BITMAP_SB_BYTES]);

/* What a bitmap of this member's array must carry as its uuid; a bitmap file's own. */
void asm_bitmap_uuid(const struct asm_member *m, uint8_t ret_uuid[16]);

/* ---- the judgement ---- */

enum asm_verdict {
	ASM_UNJUDGED,
	ASM_UNUSABLE,		/* no or broken superblock: see member error */
	ASM_FOREIGN,		/* another array's */
	ASM_IN_SYNC,
	ASM_SPARE,
	ASM_RECOVERING,		/* was being rebuilt: goes on at its own offset */
	ASM_STALE_BITMAP,	/* missed writes; the set chunks bring it back */
	ASM_STALE_FULL,		/* missed too much: everything is copied */
	ASM_FORKED,
	ASM_DUPLICATE,		/* its place was given to another device since */
	ASM_JOURNAL,		/* the write journal of a parity array */
	ASM_MAP_FILE,		/* no member: the file that holds the array's bitmap */
	ASM_REPLACEMENT,	/* beside the member that it replaces: finished, or copied to from its own offset */
	ASM_AWAY,		/* of a cluster: missed writes, and no start brings it back: re-add does */
};

struct asm_options {
	bool is_readonly, may_run_degraded;	/* serve --readonly, --run */
	uint32_t safe_mode_delay_ms;		/* 0: the default */
	const char *prefer;			/* path of the member whose story wins a fork, or NULL */
	bool is_node;				/* one of several nodes starts a clustered array: it is allowed */
	bool is_look;				/* examine: what nodes start together can start; all slots count */
	bool is_change;				/* grow: nobody starts, so that no option of a start is a way out */
	uint32_t node_slot;			/* whose bitmap is loaded; before the cluster gave one: 0, to be judged
						 * once more */
};

enum asm_action { ASM_NOTHING, ASM_RESYNC, ASM_RECOVER };

struct asm_plan {
	uint32_t member_count;
	enum asm_verdict verdicts[ARR_MEMBERS_MAX];
	char reasons[ARR_MEMBERS_MAX][256];	/* one sentence each; "" where there is nothing to say */
	bool has_freshest;			/* somebody is believed */
	uint32_t freshest;			/* index; whose superblock is believed */
	uint32_t bitmap_member;			/* index; whose bitmap is read */
	uint32_t degraded, missing_slots;	/* slots without an in-sync member; slots nobody was given for */
	bool has_bitmap, bitmap_is_stale;
	bool bitmap_is_file;			/* @bitmap_member is the file that was given with the members */
	bool is_dirty;				/* resync due */
	bool is_active;				/* every in-sync member says active, at the same event */
	uint64_t resync_offset;			/* bytes, OFF_NONE when clean */
	enum asm_action action;			/* of the next start */
	bool is_upper_bound;			/* what is counted is the most that the action copies */
	/* A lockless bitmap decides by its states. A cluster that was stopped cleanly has only the slots of other nodes
	 * to look after: the node that starts takes slot 0. In both, the action stands when chunks are due
	 * (asm_settle()). */
	bool is_by_state, is_by_slots;
	char reason[400];			/* one sentence: why partial, why full, why nothing */
	char state[160];			/* "clean, 2 of 2 members in sync": as far as it is known */
	struct err refusal;			/* code 0: can start */
	/* The refusal is only that umd does not start this kind of array (level, metadata, bitmap, feature), which
	 * Linux does: action, reason and bytes are then what such a start would do. */
	bool is_unsupported;
	bool is_of_nodes;			/* several wrote superblocks: one number may have been given twice */
	bool is_node;				/* one node's: only its own slot is loaded, from @bitmap_member */
	uint32_t node_slot;
	/* GOOD: it is read. EMPTY: no member in sync has anything there: a new one is made, without bits. BAD: what
	 * lies there says nothing: everything is in doubt. */
	enum asm_slot_state slot_state;
	struct bitmap_sb own_slot;		/* its superblock; of a new one as it is made */
	bool leaves_own_bits;			/* clean, and nobody wrote through the own slot: leftovers */
};

/**
 * asm_judge - the one place where members are believed or not
 * @members: all given ones, and the file with the array's bitmap if there is one
 * @plan->member_count = @count on return. Never fails: a refusal is part of the plan.
 * Source: spec array 2; laws I5, I9.
 */
void asm_judge(const struct asm_member *members, uint32_t count, const struct asm_options *options,
	       struct asm_plan *ret_plan);

/* Is it version 5 with nodes? Then every slot counts, at lay_slot(). */
bool asm_bitmap_is_clustered(const struct bitmap_sb *b);

/* The bitmap to be loaded: which member, where, how long (one slot of a clustered one). False: none. */
bool asm_bitmap_to_read(const struct asm_member *members, const struct asm_plan *plan, uint32_t *ret_member,
			member_off *ret_at, uint64_t *ret_len_bytes);

/* What the planned action copies is the sum of two: the set (due) chunks of the bitmap as far as they lie from @from on
 * and below @until, in bytes of the bitmap's range; and asm_bytes_in_full(). False: none is copied for being set. */
struct asm_reach {
	uint64_t from_bytes, until_bytes;
};
bool asm_bitmap_reach(const struct asm_member *members, const struct asm_plan *plan, struct asm_reach *ret_reach);

/* Bytes copied whatever the bitmap says: full recoveries, resyncs without a believable bitmap. */
uint64_t asm_bytes_in_full(const struct asm_member *members, const struct asm_plan *plan);

/* The first slot of a clustered bitmap whose set chunks are due. */
uint32_t asm_first_due_slot(const struct asm_plan *plan);

/* For a plan that is_by_state or is_by_slots, told by the hands who counted: with no chunk due a resync is none. */
void asm_settle(struct asm_plan *plan, uint64_t due_chunks);

/* ---- the running array's superblocks ---- */

/* What superblocks keep that the array does not know: uuids, geometry, unknown bytes; one entry per member of the
 * array's table. */
struct asm_lineage;

/**
 * asm_start - from a judgement that can start to a running array
 * @image, @image_bytes: the bitmap as read (NULL without one)
 * @ret_member_of: for each entry of the array's member table the index in @members
 * Returns 0, or a code with a sentence.
 */
int asm_start(const struct asm_member *members, const struct asm_plan *plan, const struct asm_options *options,
	      const uint8_t *image, uint64_t image_bytes, struct arr **ret_array, struct asm_lineage **ret_lineage,
	      uint32_t ret_member_of[ARR_MEMBERS_MAX], struct err *err);
struct asm_lineage *asm_lineage_free(struct asm_lineage *l);

/* Fill in at, len_bytes and data of every part of an ARR_JOB_CLAIM. @now_s: seconds since 1970, for utime. The bytes
 * belong to @l and live until the next render. */
void asm_claim_render(struct asm_lineage *l, const struct arr_claim *claim, struct arr_job *job, uint64_t now_s);

/* ---- one of several nodes (cluster.c) ---- */

/* Distance from one node's bitmap to the next, bytes (lay_slot()). */
uint64_t asm_slot_bytes(const struct bitmap_sb *b);
/* Fill in at, len_bytes and data of every part of an ARR_JOB_LOOK; the bytes belong to @l until asm_look_taken(). */
void asm_look_render(struct asm_lineage *l, struct arr_job *job);
/* What the superblocks read say now: the freshest one that is believed (same array, same device, checksum) decides on
 * roles, every member's own one on its recovery. Torn rounds of a node that died are seen here: the highest events win.
 * The lineage takes array-wide fields that may change (name, max_dev). */
void asm_look_taken(struct asm_lineage *l, const struct arr *a, const struct arr_job *job, struct arr_reload *ret);
/* The highest events_cleared of any node's slot: asm_admit() lets nobody back by the bitmap who is older. */
void asm_know_cleared(struct asm_lineage *l, uint64_t events_cleared);
/* What another node adds (CLU_M_NEWDISK, CLU_M_RE_ADD): the device must carry this array's uuid, @device_uuid and
 * @number. @ret_member: SPARE, for ARR_EV_ADD is_by_peer; then asm_admitted(). */
int asm_admit_peers(struct asm_lineage *l, const struct arr *a, const struct asm_member *m,
		    const uint8_t device_uuid[16], uint32_t number, struct arr_member *ret_member, struct err *err);
/* The superblock a new device of a running cluster gets before the others are asked whether they see it: a spare's.
 * After asm_admit(). */
void asm_render_candidate(const struct asm_lineage *l, const struct arr *a, uint8_t ret_raw[FMT_SB1_BYTES],
			  member_off *ret_at);
/* Head of an empty slot, as every slot of a new device begins. */
void asm_empty_slot(const struct bitmap_sb *of, uint8_t ret_raw[FMT_BITMAP_SB_BYTES]);

/* ---- admitting a member to a running array ---- */

enum asm_admission { ASM_ADMIT_ADD, ASM_ADMIT_READD };

/**
 * asm_admit - may this member join, and how?
 * READD: only by the bitmap, else UMD_E_READD_REFUSED with the two values compared. ADD: by the bitmap when possible,
 * else as a new device with a full recovery (its superblock is then made anew).
 * On success @ret_member is ready for ARR_EV_ADD, and @ret_sentence says how and why. State SPARE: a new device, and
 * before ARR_EV_ADD every superblock on it is erased (asm_places_to_erase()), then it is looked at and admitted once
 * more: until the new superblock is on it, an old one could be believed after a cut, and no bit would cover what it
 * lacks (I2). Whatever the array itself would refuse is refused here, too.
 * asm_admitted() is called with the entry the array gave it.
 */
int asm_admit(struct asm_lineage *l, const struct arr *a, const struct asm_member *m, enum asm_admission how,
	      const uint8_t random_uuid[16], struct arr_member *ret_member, char ret_sentence[256], struct err *err);
void asm_admitted(struct asm_lineage *l, uint32_t entry);
void asm_forget(struct asm_lineage *l, uint32_t entry);		/* removed, or the ADD was refused */

/* ---- another bitmap while the array runs (rebitmap.c) ---- */

/* The largest internal bitmap that umd starts with. */
enum { ASM_BITMAP_BYTES_MAX = 4 << 20 };

struct asm_bitmap_wish {
	/* BARE: without superblock, at .distance_sectors; only its places are planned */
	enum { ASM_BITMAP_NONE, ASM_BITMAP_INTERNAL, ASM_BITMAP_IN_FILE, ASM_BITMAP_CHUNKS, ASM_BITMAP_BARE } kind;
	uint64_t chunk_bytes;			/* CHUNKS: of the bitmap there is; BARE: > 0; else 0 = choose */
	int64_t distance_sectors;		/* INTERNAL: from the superblock; 0 = choose */
};

struct asm_bitmap_plan {
	bool has_bitmap;			/* else none */
	bool is_file;				/* it goes to a file: nowhere on members */
	struct bitmap_sb sb;			/* for bm_new(), without an image */
	int32_t distance_sectors;		/* from the superblock */
	member_off at[ARR_MEMBERS_MAX];		/* on each entry of the table; OFF_NONE where none is written */
};

/**
 * asm_plan_bitmap - chunks and places for ARR_EV_BITMAP
 * The plan holds as long as nobody joins; whether the array may change its bitmap now is the event's to say.
 * Returns 0 or a code: -EEXIST, -ENOENT, -EBUSY (it has one, has none, has somebody else's), -ENOSPC, UMD_E_BAD_OPTION;
 * -EINVAL: not at that distance.
 */
int asm_plan_bitmap(const struct asm_lineage *l, const struct arr *a, const struct asm_bitmap_wish *wish,
		    struct asm_bitmap_plan *ret_plan, struct err *err);

/* The superblock of a new bitmap file; @chunk_bytes 0: choose. What is behind it: all bits set. 0 or a code. */
int asm_new_file(uint64_t size_sectors, const uint8_t uuid[16], uint64_t chunk_bytes, struct bitmap_sb *ret_sb,
		 struct err *err);

/* ---- another cluster, off line (recluster.c) ---- */

struct asm_recluster {
	enum asm_cluster_change { ASM_CLUSTER_KEEP, ASM_CLUSTER_MAKE, ASM_CLUSTER_END } kind;
	uint32_t nodes;				/* 0: as many as there are */
	const char *cluster_name;		/* NULL: as it is; at most 63 bytes */
	uint64_t chunk_bytes;			/* 0: as they are; KEEP alone takes others */
};

struct asm_reclustered {
	enum asm_cluster_change kind;
	struct bitmap_sb head;			/* of every slot, but for its own events */
	uint32_t was_slots, slots;
	uint64_t slot_bytes;
	struct bitmap_sb was;
	bool is_rechunked;			/* every slot moves, and is read and written as below */
};

/* Judged as a node (KEEP, END) or not (MAKE). 0, or a code with a sentence. */
int asm_plan_recluster(const struct asm_member *members, const struct asm_plan *plan, const struct asm_recluster *wish,
		       struct asm_reclustered *ret, struct err *err);
bool asm_is_reclustered(const struct asm_plan *plan, uint32_t i);	/* this one is written */
/* One slot's superblock as it becomes; @events_cleared: the highest of all slots. */
void asm_recluster_head(const struct asm_reclustered *r, const struct sb1 *array, uint64_t events_cleared,
			uint8_t raw[FMT_BITMAP_SB_BYTES]);
/* MAKE, END: a member's superblock as it becomes. */
void asm_recluster_super(const struct asm_reclustered *r, const struct asm_member *m, const struct asm_member *ref,
			 uint8_t ret_raw[FMT_SB1_BYTES]);
/* Where a slot lies on a member; one without a bitmap has it where the reference @ref has. */
member_off asm_recluster_place(const struct asm_reclustered *r, const struct asm_member *m,
			       const struct asm_member *ref, uint32_t slot);

/* ---- with other chunks (rechunk.c) ---- */

/* The slot of this plan (judged as its node) says nothing that can be believed. */
bool asm_is_slot_in_doubt(const struct asm_plan *plan);
/* @was: the slot as read; @image: slot_bytes, zeroed. Every chunk is set that a set one of before touches; of a slot in
 * doubt all are. 0 or -ENOMEM. */
int asm_rechunk_slot(const struct asm_reclustered *r, const struct asm_plan *plan, const struct sb1 *array,
		     const uint8_t *was, uint8_t *image);
/* Before anything else on a member: so many heads say STALE, where they lie on it now. @raw: any head of the array; it
 * becomes the one to be written there. */
uint32_t asm_rechunk_heads(const struct asm_reclustered *r, const struct asm_member *m);
member_off asm_rechunk_head(const struct asm_reclustered *r, const struct asm_member *m, const struct asm_member *ref,
			    uint32_t slot, uint8_t raw[FMT_BITMAP_SB_BYTES]);
void asm_rechunk_mark(uint8_t raw[FMT_BITMAP_SB_BYTES]);	/* STALE, else as it is */

/* ---- creating ---- */

struct asm_create {
	enum sb1_minor minor;
	bool has_bitmap, is_assume_clean;		/* bitmap: internal */
	bool bitmap_is_file;				/* asm_new_file() */
	uint32_t nodes;				/* of a clustered bitmap, 2 to ARR_NODES_MAX; 0: not clustered */
	char cluster_name[FMT_BITMAP_CLUSTER_NAME_BYTES + 1];
	uint64_t bitmap_chunk_bytes, size_bytes;	/* 0: choose */
	char name[FMT_SB1_NAME_BYTES + 1];
	uint8_t uuid[16];
	uint64_t ctime_s;
	uint32_t write_behind;				/* 0: off */
	uint32_t count;					/* slots */
	struct asm_create_member {
		bool is_missing, is_write_mostly;
		const char *path;
		uint64_t size_bytes;
		uint8_t device_uuid[16];
	} members[ARR_MEMBERS_MAX];
};

/* What create writes on one member, in this order; superblock last, so that a torn create leaves nothing that
 * assembles. */
struct asm_created {
	struct sb1 sb;
	uint8_t super_raw[FMT_SB1_BYTES];
	member_off super_at;
	bool has_bitmap;
	struct bitmap_sb bitmap;
	member_off bitmap_at;
	/* superblock, bits, padding to 4096: bits all ones, or zero with assume-clean */
	uint64_t bitmap_bytes;
	uint8_t bitmap_fill;		/* 0xff or 0 */
	uint32_t slots;			/* so many bitmaps, slot_bytes apart; only the first is ever filled */
	uint64_t slot_bytes;
	bool has_bblog;
	member_off bblog_at;		/* FMT_BAD_BLOCK_LOG_BYTES of 0xff */
};

/* Geometry of a new array; @ret has @c->count entries (missing ones untouched). 0, or a code with a sentence. */
int asm_create_plan(const struct asm_create *c, struct asm_created *ret, struct err *err);

#endif
