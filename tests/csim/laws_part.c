/* What is asked when a job is given out, and when a part of it goes to a member.
 *
 *   C3  ranges that are open, nobody else writes    C5  nothing is given out without quorum, or lost
 *   I3  bits before data, in the own slot           C6  nothing goes to a member that all let go
 *   I7  nothing outside of its place
 *   whoever writes superblocks has the token; whoever copies the sync lock; whoever writes a slot its lock */
#include "csim.h"

static bool is_write(const struct arr_part *p)
{
	return p->op == ARR_P_WRITE || p->op == ARR_P_ZERO;
}

void law_issued(struct cs_world *w, struct cs_node *n, const struct arr_job *job)
{
	for (uint32_t i = 0; i < job->part_count; i++) {
		const struct cs_disk *d = disk_of(w, n, &job->parts[i]);

		if (!is_write(&job->parts[i]))
			continue;
		w->stats->stakes[CS_C5]++;
		if (n->was_told_no_quorum || n->was_told_lost)
			broken(w, "C5", "node %u has no quorum, and gives out a write to %s", n->number, d->disk.path);
		w->stats->stakes[CS_C6]++;
		if (d->is_out && engine_may_write(n))	/* else its hands do not write it */
			broken(w, "C6", "node %u writes to %s, whose failure all nodes have acknowledged", n->number,
			       d->disk.path);
	}
}

/* ---- whose it is ---- */

static void must_hold(struct cs_world *w, const struct cs_node *n, struct clu_lock lock, const char *law,
		      const char *what)
{
	char name[16];

	clu_lock_name(lock, name);
	if (engine_holder(w, lock) != n->id)
		broken(w, law, "node %u writes %s without having %s", n->number, what, name);
}

static bool lies_in(const struct arr_part *p, uint64_t at, uint64_t len)
{
	return p->at.bytes >= at && p->at.bytes + p->len_bytes <= at + len;
}

static uint64_t slot_at(const struct cs_world *w, const struct cs_disk *d, const struct arr_part *p)
{
	return (p->at.bytes - d->bitmap_at.bytes) / w->slot_bytes;
}

/* A dead node had nothing in doubt: what it has set on other members only says nothing, also when they alone stay. */
void note_slot_read(struct cs_world *w, struct cs_disk *d, const struct arr_part *p)
{
	uint32_t slot = (uint32_t)slot_at(w, d, p);

	if (!bits_on(w, d, slot, true))
		w->empty_slots |= 1ull << slot;
}

static void check_slot_write(struct cs_world *w, const struct cs_node *n, const struct cs_disk *d,
			     const struct arr_job *job, const struct arr_part *p)
{
	uint64_t slot = slot_at(w, d, p);

	if (p->at.bytes < d->bitmap_at.bytes || slot >= w->setup.slots_of_nodes ||
	    !lies_in(p, d->bitmap_at.bytes + slot * w->slot_bytes, w->slot_bytes))
		broken(w, "I7", "node %u writes bits at %llu of %s", n->number, (ull)p->at.bytes, d->disk.path);
	if ((job->kind == ARR_JOB_BITMAP) != (slot == n->load_slot))
		broken(w, "C4", "node %u with slot %u writes slot %llu", n->number, n->load_slot, (ull)slot);
	must_hold(w, n, (struct clu_lock){ .kind = CLU_LOCK_SLOT, .slot = (uint32_t)slot }, "C4", "a slot");
	w->empty_slots &= ~(1ull << slot);
	w->stats->stakes[CS_I7]++;
}

/* C2 is C1 just after a slot was cleared: what it covered must be covered by another one (laws.c). */
static void note_clear(struct cs_world *w, struct cs_disk *d, const struct arr_part *p)
{
	uint32_t slot = (uint32_t)slot_at(w, d, p);

	w->stats->stakes[CS_C2]++;
	w->stats->events[CS_TAKEN] += bits_on(w, d, slot, false) != 0;
	w->has_cleared = true;
}

/* ---- ranges ---- */

static uint64_t array_at(const struct cs_disk *d, const struct arr_part *p)
{
	return p->at.bytes - d->data_at.bytes;
}

static void check_data_bounds(struct cs_world *w, const struct cs_node *n, const struct cs_disk *d,
			      const struct arr_part *p)
{
	w->stats->stakes[CS_I7]++;
	if (!lies_in(p, d->data_at.bytes, w->size_bytes))
		broken(w, "I7", "node %u writes data at %llu of %s", n->number, (ull)p->at.bytes, d->disk.path);
}

/* Something of it may come to members yet. */
static bool may_write_yet(const struct cs_node *n)
{
	return n->life != CS_OFF && !n->is_fenced && n->array;
}

static void check_open_ranges(struct cs_world *w, const struct cs_node *n, const struct cs_disk *d,
			      const struct arr_part *p)
{
	struct arr_status s;

	w->stats->stakes[CS_C3]++;
	EACH_NODE(w, other) {
		if (other == n || !may_write_yet(other) || other->life == CS_DYING)
			continue;
		arr_get_status(other->array, &s);
		w->stats->events[CS_BEFORE] += s.open.at >= array_at(d, p) + p->len_bytes && s.open.len;
		w->stats->events[CS_BEHIND] += s.open.at + s.open.len <= array_at(d, p) && s.open.len;
		if (!s.is_broken && ranges_overlap(array_at(d, p), p->len_bytes, s.open.at, s.open.len))
			broken(w, "C3", "node %u writes %llu+%llu, and node %u has an open range %llu+%llu",
			       n->number, (ull)array_at(d, p), (ull)p->len_bytes, other->number, (ull)s.open.at,
			       (ull)s.open.len);
	}
}

static void check_nobody_writes(struct cs_world *w, const struct cs_node *n, const struct cs_node *other,
				uint64_t at, uint64_t len)
{
	for (uint32_t k = 0; k < other->job_count; k++) {
		const struct cs_job *j = &other->jobs[k];
		bool is_sync = j->job->kind == ARR_JOB_SYNC_WRITE;

		for (uint32_t i = 0; (is_sync || is_client_write(j->job)) && i < j->job->part_count; i++) {
			const struct arr_part *p = &j->job->parts[i];
			bool may_come = other->life == CS_RUNS || j->is_begun[i];

			if (!j->is_done[i] && may_come &&
			    ranges_overlap(at, len, array_at(disk_of(w, other, p), p), p->len_bytes))
				broken(w, "C3", "node %u copies %llu+%llu, where node %u %s", n->number, (ull)at,
				       (ull)len, other->number, is_sync ? "copies as well" : "writes");
		}
	}
}

static void check_copy(struct cs_world *w, struct cs_node *n, const struct cs_disk *d, const struct arr_part *p)
{
	struct arr_status s;

	w->stats->stakes[CS_C3]++;
	w->stats->events[CS_COPIED]++;
	arr_get_status(n->array, &s);
	if (!lies_in(p, d->data_at.bytes + s.open.at, s.open.len))
		broken(w, "C3", "node %u copies %llu+%llu outside of its open range %llu+%llu", n->number,
		       (ull)array_at(d, p), (ull)p->len_bytes, (ull)s.open.at, (ull)s.open.len);
	must_hold(w, n, (struct clu_lock){ .kind = CLU_LOCK_RESYNC }, "C3", "copies");
	EACH_NODE(w, other)
		if (other != n && may_write_yet(other))
			check_nobody_writes(w, n, other, array_at(d, p), p->len_bytes);
}

/* ---- bits before data ---- */

static void check_bits(struct cs_world *w, struct cs_node *n, const struct cs_disk *d, const struct arr_part *p)
{
	uint64_t first = array_at(d, p) / w->setup.chunk_bytes,
		 last = (array_at(d, p) + p->len_bytes - 1) / w->setup.chunk_bytes;

	w->stats->stakes[CS_I3]++;
	EACH_DISK(w, other)
		for (uint64_t c = first; n->states[disk_index(w, other)] == ARR_M_IN_SYNC && c <= last; c++)
			if (!(bits_on(w, other, n->load_slot, false) >> chunk_used(w, c) & 1))
				broken(w, "I3", "node %u writes in chunk %llu, and slot %u of %s lacks its bit",
				       n->number, (ull)c, n->load_slot, other->disk.path);
}

void law_part(struct cs_world *w, struct cs_node *n, const struct cs_job *j, const struct arr_part *p)
{
	struct cs_disk *d = disk_of(w, n, p);

	if (!is_write(p))
		return;
	if (d->is_out && n->life == CS_RUNS && engine_may_write(n))
		broken(w, "C6", "a write of node %u comes to %s, whose failure all nodes have acknowledged", n->number,
		       d->disk.path);
	switch (j->job->kind) {
	case ARR_JOB_REQUEST:
		check_data_bounds(w, n, d, p);
		check_bits(w, n, d, p);
		check_open_ranges(w, n, d, p);
		break;
	case ARR_JOB_SYNC_WRITE:
		check_data_bounds(w, n, d, p);
		check_copy(w, n, d, p);
		break;
	case ARR_JOB_CLAIM:
		must_hold(w, n, (struct clu_lock){ .kind = CLU_LOCK_TOKEN }, "C6", "superblocks");
		if (p->at.bytes != d->super_at.bytes)
			broken(w, "I7", "node %u writes a superblock at %llu", n->number, (ull)p->at.bytes);
		break;
	case ARR_JOB_BITMAP:
		check_slot_write(w, n, d, j->job, p);
		break;
	case ARR_JOB_SLOT_CLEAR:
		check_slot_write(w, n, d, j->job, p);
		note_clear(w, d, p);
		break;
	default:
		broken(w, "I7", "node %u writes in a job that has no writes", n->number);
	}
}
