/* Shared by the files of assembly only. */
#ifndef UMD_ASSEMBLY_INSIDE_H
#define UMD_ASSEMBLY_INSIDE_H

#include "assembly/assembly.h"

/* judge.c: what a superblock says of a device number */
uint32_t asm_role_of(const struct sb1 *sb, uint32_t dev_number);
uint32_t asm_own_role(const struct sb1 *sb);
bool asm_is_slot(const struct sb1 *sb, uint32_t role);
bool asm_counts_active(const struct sb1 *teller, const struct sb1 *other);
/* Level, features and sizes umd starts; 0, or a code with a sentence. */
int asm_check_supported(const struct asm_member *m, struct err *err);
bool asm_is_used(const struct asm_plan *plan, uint32_t i);

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
	bool is_number_used[FMT_SB1_MAX_DEV];	/* device numbers that had a role at the start, or got one since */
};

#endif
