/* One sentence about the array: was it stopped cleanly, and who is here.
 *
 * It is told for every judgement, also for one that ended early: then it says what was found out up to there. Counted
 * are slots where a slot matters (in sync, missing), members elsewhere. An array of a cluster is active also when its
 * nodes have stopped in order. */
#include "assembly/inside.h"

#include <string.h>

#include "base/text.h"

/* At the end of what stands there already. */
#define APPEND(plan, ...)                                                                                          \
	text_fit((plan)->state + strlen((plan)->state), sizeof(plan)->state - strlen((plan)->state), __VA_ARGS__)

static void tell_sync(const struct sb1 *ref, struct asm_plan *plan)
{
	if (ref->feature_map & (FMT_SB1_RESHAPE | FMT_SB1_RESHAPE_BACKWARDS))
		APPEND(plan, "in the middle of a reshape");
	else if (!asm_has_copies(ref))
		APPEND(plan, "without redundancy");
	else if (!asm_is_dirty(ref))
		APPEND(plan, "clean");
	else if (ref->resync_offset_sectors)
		APPEND(plan, "in the middle of a resync at byte %llu",
		       (unsigned long long)asm_bytes(ref->resync_offset_sectors));
	else if (!ref->events)
		APPEND(plan, "new, never synced");
	else if (ref->feature_map & FMT_SB1_CLUSTERED)
		APPEND(plan, "active (its slots tell what is in doubt)");
	else
		APPEND(plan, "active (not stopped cleanly)");
}

static void tell_others(struct asm_plan *plan)
{
	static const struct {
		enum asm_verdict verdict, also;
		const char *words;
	} kinds[] = {
		{ ASM_RECOVERING, ASM_RECOVERING, "being recovered" },
		{ ASM_STALE_BITMAP, ASM_STALE_FULL, "out of date" }, { ASM_AWAY, ASM_AWAY, "left out" },
		{ ASM_REPLACEMENT, ASM_REPLACEMENT, "replacing" }, { ASM_SPARE, ASM_SPARE, "spare" },
		{ ASM_JOURNAL, ASM_JOURNAL, "journal" }, { ASM_FORKED, ASM_FORKED, "with another history" },
		{ ASM_UNUSABLE, ASM_DUPLICATE, "not used" },
	};

	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
		uint32_t count = 0;

		for (uint32_t i = 0; i < plan->member_count; i++)
			count += plan->verdicts[i] == kinds[k].verdict || plan->verdicts[i] == kinds[k].also;
		if (count)
			APPEND(plan, ", %u %s", count, kinds[k].words);
	}
}

void asm_tell_state(const struct asm_member *members, struct asm_plan *plan)
{
	const struct sb1 *ref;
	uint32_t in_sync = 0, missing = 0;

	if (!plan->has_freshest) {
		text_fit(plan->state, sizeof plan->state, "not known: the members given cannot be judged together");
		return;
	}
	ref = &members[plan->freshest].sb;
	tell_sync(ref, plan);
	if (plan->verdicts[plan->freshest] == ASM_UNJUDGED) {
		APPEND(plan, ", the %u members given are not compared", plan->member_count);
		return;
	}
	for (uint32_t slot = 0; slot < ref->raid_disks; slot++) {
		in_sync += asm_is_in_sync_slot(members, plan, slot);
		missing += !asm_is_slot_given(members, plan, slot);
	}
	APPEND(plan, ", %u of %u members in sync", in_sync, ref->raid_disks);
	if (missing)
		APPEND(plan, ", %u missing", missing);
	tell_others(plan);
}
