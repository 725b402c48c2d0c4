/* Faults, as events: what strikes, and whom.
 *
 * A fault that lives in a member (disk.h) is armed here and counted there when it bites. The others belong to the
 * hands: the allocator that fails once, the queue that is full. All of them end when the power goes, and before the
 * array is let come to rest. */
#include "world.h"

static struct sim_member *victim(struct sim_world *w, const struct sim_event *e)
{
	bool is_there = e->member < w->member_count || (e->member == SIM_FILE && w->setup->is_file);

	return is_there ? &w->members[e->member] : NULL;
}

bool strike_eio(struct sim_world *w, const struct sim_event *e)
{
	struct sim_member *m = victim(w, e);

	if (!m || m->disk.operations_to_fault >= 0 || m->disk.is_dead)
		return false;
	m->disk.operations_to_fault = (int64_t)e->count;
	m->disk.fault = e->flags & EVF_FOR_EVER ? FAULT_EIO_FOR_EVER
			: e->flags & EVF_SHORT	? FAULT_SHORT
						: FAULT_EIO_ONCE;
	return true;
}

bool strike_bad(struct sim_world *w, const struct sim_event *e)
{
	struct sim_member *m = victim(w, e);

	if (!m || !m->place.is_used || !event_is_in_array(w, e))
		return false;
	m->disk.bad_at = m->place.data_at.bytes + e->first * SECTOR_BYTES;
	m->disk.bad_len = e->count * SECTOR_BYTES;
	return true;
}

bool strike_hang(struct sim_world *w, const struct sim_event *e)
{
	struct sim_member *m = victim(w, e);
	bool is_hung = e->kind == EV_HANG;

	if (!m || !w->array || m->disk.is_hung == is_hung)
		return false;
	m->disk.is_hung = is_hung;
	m->is_waited_for = false;	/* it is counted when a part waits */
	return true;
}

bool strike_vanish(struct sim_world *w, const struct sim_event *e)
{
	struct sim_member *m = victim(w, e);

	if (!m || m->disk.is_gone)
		return false;
	world_tear(w, m);
	disk_vanish(&m->disk, &w->lots);
	return true;
}

bool strike_return(struct sim_world *w, const struct sim_event *e)
{
	struct sim_member *m = victim(w, e);

	if (!m || !m->disk.is_gone)
		return false;
	m->disk.is_gone = false;
	return true;
}

bool strike_lose_flush(struct sim_world *w, const struct sim_event *e)
{
	struct sim_member *m = victim(w, e);

	if (!m || m->disk.fails_next_flush)
		return false;
	m->disk.fails_next_flush = true;
	return true;
}

/* A superblock has a checksum; of a bitmap's superblock only the magic and the uuid tell that it is none. */
bool strike_corrupt(struct sim_world *w, const struct sim_event *e)
{
	struct sim_member *m = victim(w, e);
	bool is_bitmap = e->flags & EVF_BITMAP;
	uint8_t sector[SECTOR_BYTES];
	uint64_t at, byte;

	if (!(e->flags & (EVF_SUPERBLOCK | EVF_BITMAP)) || w->setup->is_external)
		return false;
	if (!m || !m->place.is_used || m->state != ARR_M_NONE || (is_bitmap && !w->has_bitmap) ||
	    (is_bitmap && (!super_on(w, m) || !super_on(w, m)->names_bitmap)))
		return false;
	at = is_bitmap ? m->place.bitmap_at.bytes : m->place.super_at.bytes;
	byte = prng_below(&w->lots, is_bitmap ? 20 : 256);
	byte += is_bitmap && byte >= 4 ? 4 : 0;	/* not the version */
	disk_peek(&m->disk, true, at, sizeof sector, sector);
	sector[byte] ^= (uint8_t)(1 + prng_below(&w->lots, 255));
	disk_poke(&m->disk, at, sizeof sector, sector);
	m->is_corrupt = true;
	m->has_gaps = m->has_gaps && !is_bitmap;	/* the others may keep none by now: then it is no own area */
	m->has_shown_rot = false;	/* it is counted when somebody looks */
	return true;
}

bool strike_no_memory(struct sim_world *w, const struct sim_event *e)
{
	if (w->memory_due != UINT64_MAX)
		return false;
	w->memory_due = memory_allocations() + e->count;
	memory_fail_after(e->count);
	return true;
}

bool strike_queue(struct sim_world *w, const struct sim_event *e)
{
	if (!w->array)
		return false;
	w->jobs_at_once = (uint32_t)min_u64(e->count, SIM_JOBS);
	return true;
}
