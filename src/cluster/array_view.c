/* What the brain sees of the array: one small picture per step.
 *
 * The array is looked at through its door and never changed: what is to change is asked for (CLU_ASK_ARRAY). One that
 * is not there yet, or has stopped, wants nothing. What it leaves undone is remembered past its stop, for the farewell.
 * */
#include "cluster/inside.h"

void clu_view_take(struct clu *c)
{
	struct arr_status s;

	if (!c->a || arr_is_stopped(c->a)) {
		c->view = (struct clu_view){ 0 };
		return;
	}
	arr_get_status(c->a, &s);
	c->view = (struct clu_view){
		.is_there = true, .is_reloading = s.is_reloading, .is_broken = s.is_broken,
		.is_unrecorded = !s.is_recorded && !s.is_broken,
		.is_stopping = s.is_stopping, .take = s.take, .take_bits = s.take_bits,
		.size_bytes = s.size_bytes,
	};
	arr_get_wants(c->a, &c->view.wants);
	c->leaves_work = s.is_broken || s.resync_offset != OFF_NONE;
	for (uint32_t slot = 0; slot < c->config.nodes; slot++) {
		struct arr_range range = arr_suspended(c->a, slot);

		c->slots[slot].range = (struct clu_range){ slot, range.at, range.len ? range.at + range.len : 0 };
	}
}
