/* Members on their way to an array: judged, and judged once more when a node has its slot.
 *
 * A node's second look decides, under the token: nobody changes what superblocks say meanwhile, and whoever did before
 * may have died with part of it in caches only. So each member is flushed before it is looked at.
 *
 * Law: C1 (nothing is founded on what a power cut takes back). Left out: how members are opened and become an array
 * (open.c). */
#include "run/opening.h"

#include "base/mem.h"
#include "look/look.h"

struct run_opening *run_opening_free(struct run_opening *o)
{
	for (uint32_t i = 0; o && i < o->count && o->looks; i++) {
		mbr_close(o->hands[i]);
		mem_free(o->paths[i]);
	}
	if (o) {
		mem_free(o->looks);
		mem_free(o->plan);
		mem_free(o->image);
	}
	return mem_free(o);
}

int run_opening_judge(struct run_opening *o, const struct asm_options *options, struct err *err)
{
	uint32_t member;
	member_off at;

	asm_judge(o->looks, o->count, options, o->plan);
	if (o->plan->refusal.code) {
		*err = o->plan->refusal;
		return err->code;
	}
	if (!asm_bitmap_to_read(o->looks, o->plan, &member, &at, &o->image_bytes))
		return 0;
	return look_read_image(o->hands[member], o->paths[member], at, o->image_bytes, &o->image, err);
}

int run_opening_judge_again(struct run_opening *o, const struct asm_options *options, struct err *err)
{
	o->image = mem_free(o->image);
	for (uint32_t i = 0; i < o->count; i++) {
		/* What a node that died had begun may be in caches only: nothing is founded on that. A member that
		 * cannot be flushed takes no claim either, so it fails with the first. */
		if (options->is_node)
			mbr_flush(o->hands[i]);
		look_member(o->hands[i], o->paths[i], &o->looks[i]);
		if (options->is_node)
			look_own_slot(o->hands[i], options->node_slot, &o->looks[i]);
	}
	return run_opening_judge(o, options, err);
}
