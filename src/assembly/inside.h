/* Shared by the files of assembly only. */
#ifndef UMD_ASSEMBLY_INSIDE_H
#define UMD_ASSEMBLY_INSIDE_H

#include "assembly/assembly.h"

/* A verdict and its sentence. */
#define SAY(plan, i, verdict, ...)                                                                  \
	((plan)->verdicts[i] = (verdict), text_fit((plan)->reasons[i], sizeof (plan)->reasons[i], __VA_ARGS__))

/* Hostile numbers of sectors may be more bytes than there are. */
static inline uint64_t asm_bytes(uint64_t sectors)
{
	return min_u64(sectors, UINT64_MAX / SECTOR_BYTES) * SECTOR_BYTES;
}

/* story.c: what a superblock says of a device number, and every other member's story against the reference's */
uint32_t asm_role_of(const struct sb1 *sb, uint32_t dev_number);
uint32_t asm_own_role(const struct sb1 *sb);
bool asm_is_slot(const struct sb1 *sb, uint32_t role);
bool asm_is_recovering(const struct sb1 *sb);
uint64_t asm_recovery_offset(const struct sb1 *sb);	/* bytes, at most the member's size */
bool asm_counts_active(const struct sb1 *teller, const struct sb1 *other);
bool asm_has_room_for_roles(const struct sb1 *sb, const struct sb1 *array);
/* The superblock as it will be: with the bitmap at the reference's distance where it names none. */
struct sb1 asm_with_bitmap(const struct sb1 *sb, const struct sb1 *ref);
bool asm_judge_others(const struct asm_member *members, const struct asm_options *o, struct asm_plan *plan);

/* look.c: how many bitmaps follow each other */
uint32_t asm_slots_of(const struct bitmap_sb *b);

/* notes.c: what is odd, but no reason to refuse */
void asm_note_other_superblock(struct asm_member *m, const struct sb1 *other, member_off at, bool is_believable);
void asm_note_superblock(struct asm_member *m);
void asm_note_bitmap(struct asm_member *m, uint64_t stored_sectors);

/* supported.c: 0, or a code with a sentence. Possible: numbers that a judgement can go on with. Supported: possible,
 * and a level, metadata and features that umd starts. */
int asm_check_possible(const struct asm_member *m, struct err *err);
int asm_check_supported(const struct asm_member *m, bool is_node, struct err *err);
int asm_check_bitmap_supported(const struct asm_member *m, const struct sb1 *array, bool is_node, struct err *err);

/* cluster.c: what a cluster and its nodes need beside what is supported, and the own slot's place in the plan. The
 * lender: may its bitmap stand for the reference's? */
bool asm_check_cluster(const struct asm_member *source, const struct asm_options *o, struct asm_plan *plan);
bool asm_find_own_slot(const struct asm_member *members, struct asm_plan *plan,
		       bool may_lend(const struct asm_member *m, const struct asm_member *ref));
const struct bitmap_sb *asm_own_bitmap(const struct asm_member *members, const struct asm_plan *plan);
/* Some member that is used does not have the own slot as it is loaded: all of it is to be written there. */
bool asm_lacks_own_slot(const struct asm_member *members, const struct asm_plan *plan);

/* levels.c: what md's levels demand, as far as examine tells it */
bool asm_has_parity(const struct sb1 *sb);
bool asm_has_copies(const struct sb1 *sb);	/* a level that resyncs: members that differ are brought together */
bool asm_is_geometry_sane(const struct sb1 *sb);
bool asm_is_dirty(const struct sb1 *sb);	/* not stopped cleanly, or never synced to its end */
bool asm_is_enough(const struct asm_member *members, struct asm_plan *plan);

/* action.c, state.c */
void asm_decide(const struct asm_member *members, struct asm_plan *plan);
void asm_tell_state(const struct asm_member *members, struct asm_plan *plan);

/* file.c: the bitmap file among @members, if any, becomes the array's; false: refused. */
bool asm_is_map_file(const struct asm_member *m);
bool asm_find_file(const struct asm_member *members, struct asm_plan *plan);
bool asm_may_prefer(const struct asm_member *members, const struct asm_options *o, struct asm_plan *plan);
/* The event number under which an array without any bitmap may write data: beyond what a file may have. */
uint64_t asm_first_number_for_data(uint64_t events);

/* places.c */
bool asm_is_used(const struct asm_plan *plan, uint32_t i);
bool asm_is_slot_given(const struct asm_member *members, const struct asm_plan *plan, uint32_t slot);
bool asm_is_in_sync_slot(const struct asm_member *members, const struct asm_plan *plan, uint32_t slot);
bool asm_find_duplicates(const struct asm_member *members, struct asm_plan *plan);
bool asm_find_missing(const struct asm_member *members, const struct asm_options *o, struct asm_plan *plan);

/* rechunk.c: do slots with chunks of @wanted fit every member? @head: with its nodes; gets them. */
int asm_choose_slot_chunk(const struct asm_member *members, const struct asm_plan *plan, uint64_t wanted,
			  struct bitmap_sb *head, struct err *err);

/* rebitmap.c: where the array's bitmap without superblock lies on a new member with this superblock; -ENOSPC. */
int asm_place_bare(const struct asm_lineage *l, const struct arr *a, const struct asm_member *m, const struct sb1 *sb,
		   member_off *ret_at, struct err *err);

/* judge.c */
bool asm_is_usable(const struct asm_member *m);

/* What superblocks keep that the array does not know. */
struct asm_lineage {
	struct sb1 base;		/* array-wide fields, of the reference */
	bool is_clustered;
	uint64_t known_cleared;		/* asm_know_cleared() */
	uint64_t first_claim;		/* events of ours, that says who was missing; 0: none yet */
	uint8_t (*looks)[FMT_SB1_BYTES];	/* where superblocks are read again, one per entry */
	struct asm_line {
		bool is_used;
		struct sb1 sb;		/* fields of this device */
		member_off super_at;
		uint8_t raw[FMT_SB1_BYTES];
	} lines[ARR_MEMBERS_MAX];
	struct asm_line admitted;	/* between asm_admit() and asm_admitted() */
	/* Who has each device number: nobody; one that is gone for good; one that takes part by the reference's word,
	 * but was not seen; one that was. Members that are away keep their numbers on disk, so none is given twice. */
	struct asm_number {
		enum { NUMBER_FREE, NUMBER_GONE, NUMBER_UNSEEN, NUMBER_KNOWN } state;
		bool was_missing;	/* it had a slot at the start, which went without it */
		uint8_t device_uuid[16];	/* KNOWN */
	} numbers[FMT_SB1_MAX_DEV];
};

/* story.c: of several nodes, at equal events: @other no longer counts on who still counts on it. */
bool asm_is_left_behind(const struct sb1 *who, const struct sb1 *other);

/* start.c: from now on the device number is this device's, for the rest of the run */
void asm_know_number(struct asm_lineage *l, const struct sb1 *sb);

#endif
