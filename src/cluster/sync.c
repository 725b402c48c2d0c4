/* The sync lock, and the range that all others leave alone.
 *
 * One node copies at a time: whoever has the sync lock, which is asked for when the array wants it and all slots were
 * looked at once (what is found there is copied in the same pass). Before the array copies anywhere the range is told
 * to all (RESYNCING); when all have acknowledged, no write of theirs is under way there, and none begins.
 *
 * No range opens while a slot of the dead is being taken, by whomever. A member that came after the death has that slot
 * empty; who dies later has written its own there before it acknowledged that the member is there.
 *
 * The array says what range it wants, and when it wants none. Should it end without that (a stop in mid-window), the
 * range is ended here, before the lock is let go.
 *
 * Laws: C3, C1 (bits are on every member in sync). */
#include "cluster/inside.h"

static const struct clu_lock sync_lock = { .kind = CLU_LOCK_RESYNC };

static bool tell(struct clu *c, uint64_t at, uint64_t len_bytes)
{
	struct clu_message m = { .type = CLU_M_RESYNCING, .low = at, .high = len_bytes ? at + len_bytes : 0 };

	if (!len_bytes)
		m.low = 0;
	if (clu_is_saying(c) || c->token == CLU_L_HELD)	/* see token.c */
		return false;
	c->is_telling_window = true;
	c->is_window_told = false;
	clu_say(c, &m);
	return true;
}

/* All have left it alone: the array may copy there. */
static bool told(struct clu *c)
{
	const struct clu_range *range = &c->range;

	if (!c->is_window_told)
		return false;
	c->is_telling_window = c->is_window_told = false;
	if (c->view.is_there && c->array_has_sync)
		clu_ask_array(c, (struct arr_event){
			.kind = ARR_EV_WINDOW, .at = { range->low }, .len_bytes = range->high - range->low });
	return true;
}

static bool give_back(struct clu *c)
{
	if (c->gather.is_on)
		return false;
	if (c->range.high)
		return tell(c, 0, 0);
	if (c->array_has_sync) {
		c->array_has_sync = false;
		if (c->view.is_there)
			clu_ask_array(c, (struct arr_event){ .kind = ARR_EV_SYNC_LOCK, .value = false });
		return true;
	}
	clu_ask_unlock(c, sync_lock);
	c->resync = CLU_L_NONE;
	return true;
}

bool clu_pump_sync(struct clu *c)
{
	const struct arr_wants *wants = &c->view.wants;

	if (c->state != CLU_UP)
		return false;
	if (c->is_telling_window)
		return told(c);
	if (c->resync == CLU_L_NONE && wants->sync && c->is_first_round_over) {
		c->resync = CLU_L_ASKED;
		clu_ask_lock(c, sync_lock, true);
		return true;
	}
	if (c->resync != CLU_L_HELD)
		return false;
	if (!wants->sync)
		return give_back(c);
	if (!c->array_has_sync) {
		c->array_has_sync = true;
		clu_ask_array(c, (struct arr_event){ .kind = ARR_EV_SYNC_LOCK, .value = true });
		return true;
	}
	if (!wants->window || wants->gather || (wants->window_len && !clu_is_settled(c)))
		return false;
	return tell(c, wants->window_at, wants->window_len);
}
