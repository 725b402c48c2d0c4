/* Shared by the hands that change a cluster off line: recluster.c reads, reslot.c writes. */
#ifndef UMD_RUN_RECLUSTER_H
#define UMD_RUN_RECLUSTER_H

#include "assembly/assembly.h"
#include "member/member.h"

struct reclustering {
	uint32_t count;
	struct member *hands[ARR_MEMBERS_MAX];
	char *shown[ARR_MEMBERS_MAX];
	struct asm_member looks[ARR_MEMBERS_MAX];
	struct asm_plan plan;			/* of slot 0 */
	struct asm_reclustered change;
	uint64_t events_cleared;		/* highest of all slots */
	uint8_t *slots[ARR_NODES_MAX];		/* slot_bytes each; as they become */
};

/* All that was planned and read; the array is not used by anybody. */
int run_reslot(struct reclustering *r, struct err *err);

#endif
