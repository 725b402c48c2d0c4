/* RAID1's map and the choice of a member to read from.
 *
 * Array byte s lies at data_at + s on every member. Which member answers a read is policy, but for two
 * rules (law I6): where copies may differ (a resync is due and the chunk is in doubt) one member, the
 * *pin*, decides for everybody; and while a write of the same bytes is in flight reads go to the pin as
 * well, or a client could see the new bytes and then the old ones again. So the pin stays the pin while it
 * is in sync: one that was recovered comes after it, whatever its slot.
 *
 * Write-mostly members are read when nobody else is left, and decide then only: of those that are in sync from the
 * start they come last. One that had to decide hands that on to a better one in a moment when no write is under way.
 * Where a member lags (behind.c) it is not asked.
 *
 * One of several nodes reads the pin always: another one may write anywhere, and its death is heard of late. So all
 * must have the same pin: those in sync take their order from the moment that superblocks say they are, or from who
 * is up.
 *
 * Left out: head positions, sequential affinity (a later speed question). Members take turns. */
#include "array/state.h"

uint64_t arr_member_at(const struct arr *a, uint32_t member, uint64_t at)
{
	return a->members[member].data_at.bytes + at;
}

static bool decides_before(const struct arr *a, uint32_t one, uint32_t other)
{
	if (a->in_sync_since[one] != a->in_sync_since[other])
		return a->in_sync_since[one] < a->in_sync_since[other];
	return a->members[one].slot < a->members[other].slot;
}

uint32_t arr_pin(const struct arr *a)
{
	uint32_t best = ARR_MEMBERS_MAX;

	ARR_EACH(i, a, arr_mask(a, ARR_M_IN_SYNC))
		if (best == ARR_MEMBERS_MAX || decides_before(a, i, best))
			best = i;
	return best;
}

void arr_pin_begin(struct arr *a)
{
	a->passes = 1;
	ARR_EACH(i, a, arr_mostly(a))
		a->in_sync_since[i] = a->passes;
}

/* A failure that no superblock tells dies with this node: to the others that member is in sync. */
uint32_t arr_get_pins(const struct arr *a, uint32_t ret_numbers[ARR_MEMBERS_MAX])
{
	bool is_secret = a->durable_generation < a->failure_generation;
	uint64_t left = arr_mask(a, ARR_M_IN_SYNC) | (is_secret ? arr_mask(a, ARR_M_FAULTY) : 0);
	uint32_t count = 0;

	while (left) {
		uint32_t first = ARR_MEMBERS_MAX;

		ARR_EACH(i, a, left)
			if (first == ARR_MEMBERS_MAX || decides_before(a, i, first))
				first = i;
		ret_numbers[count++] = a->members[first].dev_number;
		left &= ~ARR_BIT(first);
	}
	return count;
}

/* Those that are not named come last. */
void arr_set_pins(struct arr *a, const uint32_t *numbers, uint32_t count)
{
	a->passes = max_u64(a->passes, count);
	ARR_EACH(i, a, arr_mask(a, ARR_M_IN_SYNC)) {
		a->in_sync_since[i] = count;
		for (uint32_t n = 0; n < count; n++)
			if (numbers[n] == a->members[i].dev_number)
				a->in_sync_since[i] = n;
	}
}

/* Hand the decision on to a member that is not write-mostly: when all copies agree and nobody writes. */
bool arr_pump_pin(struct arr *a)
{
	uint64_t mostly = arr_mostly(a) & arr_mask(a, ARR_M_IN_SYNC);
	uint32_t pin = arr_pin(a);

	if (!mostly || a->resync_offset != OFF_NONE || a->writes_in_flight || a->sync_phase != SYNC_IDLE)
		return false;
	ARR_EACH(i, a, arr_mask(a, ARR_M_IN_SYNC) & ~mostly)
		if (mostly & ARR_BIT(pin)) {
			a->in_sync_since[pin] = ++a->passes;
			return true;
		}
	return false;
}

static bool may_differ(const struct arr *a, const struct arr_req *req)
{
	if (arr_request_overlaps(a, req->at.bytes, req->len_bytes, NULL))
		return true;
	if (a->resync_offset == OFF_NONE)
		return false;
	if (a->bitmap)
		return bm_is_needed(a->bitmap, req->at, req->len_bytes);
	return req->at.bytes + req->len_bytes > a->resync_offset;
}

uint32_t arr_choose_read(struct arr *a, const struct arr_req *req, bool *ret_is_pinned)
{
	uint64_t candidates = arr_mask(a, ARR_M_IN_SYNC), fast = 0;
	uint64_t lagging = arr_lagging(a, req->at.bytes, req->len_bytes);
	uint32_t pin = arr_pin(a);

	*ret_is_pinned = a->is_clustered || may_differ(a, req);
	if (*ret_is_pinned)
		return pin < ARR_MEMBERS_MAX && req->tried_members & ARR_BIT(pin) ? ARR_MEMBERS_MAX : pin;

	/* Behind a write that waits: elsewhere this read would hold it up, then the next one, as long as clients do. */
	if (pin < ARR_MEMBERS_MAX && !(req->tried_members & ARR_BIT(pin)) &&
	    arr_write_overlaps(a, req->at.bytes, req->len_bytes, req))
		return pin;

	candidates &= ~req->tried_members;
	if (candidates & ~lagging)
		candidates &= ~lagging;
	ARR_EACH(i, a, candidates)
		if (!a->members[i].is_write_mostly)
			fast |= ARR_BIT(i);
	if (fast)
		candidates = fast;
	if (!candidates)
		return ARR_MEMBERS_MAX;

	do
		a->read_turn = (a->read_turn + 1) % a->member_count;
	while (!(candidates & ARR_BIT(a->read_turn)));
	return a->read_turn;
}
