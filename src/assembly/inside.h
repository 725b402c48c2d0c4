/* Shared by the files of assembly only. */
#ifndef UMD_ASSEMBLY_INSIDE_H
#define UMD_ASSEMBLY_INSIDE_H

#include "assembly/assembly.h"

/* A verdict and its sentence. */
#define SAY(plan, i, verdict, ...)                                                                  \
	((plan)->verdicts[i] = (verdict), text_fit((plan)->reasons[i], sizeof (plan)->reasons[i], __VA_ARGS__))

/* story.c: what a superblock says of a device number, and every other member's story against the reference's */
uint32_t asm_role_of(const struct sb1 *sb, uint32_t dev_number);
uint32_t asm_own_role(const struct sb1 *sb);
bool asm_is_slot(const struct sb1 *sb, uint32_t role);
bool asm_is_recovering(const struct sb1 *sb);
bool asm_counts_active(const struct sb1 *teller, const struct sb1 *other);
bool asm_has_room_for_roles(const struct sb1 *sb, const struct sb1 *array);
bool asm_judge_others(const struct asm_member *members, const struct asm_options *o, struct asm_plan *plan);

/* supported.c: level, features and sizes umd starts; 0, or a code with a sentence. */
int asm_check_supported(const struct asm_member *m, struct err *err);

/* places.c */
bool asm_is_used(const struct asm_plan *plan, uint32_t i);
bool asm_find_duplicates(const struct asm_member *members, struct asm_plan *plan);
bool asm_find_missing(const struct asm_member *members, const struct asm_options *o, struct asm_plan *plan);

/* judge.c */
bool asm_is_usable(const struct asm_member *m);

/* What superblocks keep that the array does not know. */
struct asm_lineage {
	struct sb1 base;		/* array-wide fields, of the reference */
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
		uint8_t device_uuid[16];	/* KNOWN */
	} numbers[FMT_SB1_MAX_DEV];
};

/* start.c: from now on the device number is this device's, for the rest of the run */
void asm_know_number(struct asm_lineage *l, const struct sb1 *sb);

#endif
