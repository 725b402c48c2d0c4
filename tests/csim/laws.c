/* The laws of clusters, looked at after every step, from the media and from what clients were told alone.
 *
 *   C1  where copies differ, or may differ after a cut, one slot has the bit, on the medium of every member in sync;
 *       C2 when it ends by the clearing of a dead node's slot
 *   C4  no two nodes that may still write have one slot
 *   I1, I2, I6, I8, I9 at rest: every request has ended, members are equal, hold what clients were told, no bit is set
 *
 * "In sync" is what superblocks on media say (super.c): that is what the next start believes, whatever nodes think. */
#include "csim.h"

/* ---- C1 ---- */

static content data_at(const struct cs_world *w, const struct cs_disk *d, bool in_cache, uint64_t sector)
{
	return disk_at(&d->disk, in_cache, d->data_at.bytes + sector_place(w, sector) * SECTOR_BYTES);
}

/* Sectors of one chunk. */
static bool is_loose(const struct cs_world *w, const struct cs_disk *d, uint64_t first, uint64_t count)
{
	uint64_t at = d->data_at.bytes + sector_place(w, first) * SECTOR_BYTES;

	for (uint64_t s = 0; s < count; s++)
		if (d->disk.versions[at / SECTOR_BYTES + s])
			return !disk_shows_the_same(&d->disk, at, count * SECTOR_BYTES);
	return false;
}

static bool differ(const struct cs_world *w, const struct cs_disk *one, const struct cs_disk *other, uint64_t first,
		   uint64_t count)
{
	uint64_t place = sector_place(w, first);

	for (int in_cache = 0; in_cache < 2; in_cache++) {
		const content *a = (in_cache ? one->disk.cache : one->disk.medium) + one->data_at.bytes / SECTOR_BYTES;
		const content *b = (in_cache ? other->disk.cache : other->disk.medium) +
				   other->data_at.bytes / SECTOR_BYTES;

		if (memcmp(a + place, b + place, count * sizeof *a))
			return true;
	}
	return false;
}

static uint64_t chunk_sectors(const struct cs_world *w, uint64_t chunk)
{
	return min_u64(w->sectors_per_chunk, w->model.count - chunk * w->sectors_per_chunk);
}

static bool may_differ(struct cs_world *w, uint32_t members, uint64_t chunk)
{
	uint64_t first = chunk * w->sectors_per_chunk, count = chunk_sectors(w, chunk);
	const struct cs_disk *one = NULL;

	EACH_DISK(w, d) {
		if (!(members & 1u << disk_index(w, d)))
			continue;
		if (is_loose(w, d, first, count) || (one && differ(w, one, d, first, count)))
			return true;
		one = one ?: d;
	}
	return false;
}

/* Chunks whose bit some slot has on all these members. */
static uint64_t covered(struct cs_world *w, uint32_t members, bool in_cache, uint64_t but_slots)
{
	uint64_t all = 0;

	for (uint32_t slot = 0; slot < w->setup.slots_of_nodes; slot++) {
		uint64_t bits = but_slots >> slot & 1 ? 0 : UINT64_MAX;

		EACH_DISK(w, d)
			if (members & 1u << disk_index(w, d))
				bits &= bits_on(w, d, slot, in_cache);
		all |= bits;
	}
	return all;
}

static uint32_t count_of(uint32_t mask)
{
	return (uint32_t)__builtin_popcount(mask);
}

/* For whoever reads a trace. */
static void tell_chunk(struct cs_world *w, uint32_t members, uint64_t chunk)
{
	uint64_t first = chunk * w->sectors_per_chunk;

	EACH_DISK(w, d) {
		if (!w->is_tracing || !(members & 1u << disk_index(w, d)))
			continue;
		for (uint32_t slot = 0; slot < w->setup.slots_of_nodes; slot++)
			trace(w, "%s slot %u: %llx on the medium, %llx", d->disk.path, slot,
			      (ull)bits_on(w, d, slot, false), (ull)bits_on(w, d, slot, true));
		for (uint64_t s = first; s < first + chunk_sectors(w, chunk); s++)
			trace(w, "%s sector %llu: %llx on the medium, %llx", d->disk.path, (ull)s,
			      (ull)arena_word(w->arena, data_at(w, d, false, s)),
			      (ull)arena_word(w->arena, data_at(w, d, true, s)));
	}
}

static void check_cover(struct cs_world *w)
{
	uint32_t members = members_in_sync(w);
	uint64_t bits;

	if (count_of(members) < 2)
		return;
	bits = covered(w, members, false, 0);
	w->stats->stakes[CS_C1]++;
	for (uint64_t c = 0; c < w->chunks; c++) {
		if (bits >> c & 1 || !may_differ(w, members, c))
			continue;
		tell_chunk(w, members, c);
		broken(w, w->has_cleared ? "C2" : "C1",
		       "copies of chunk %llu may differ, and no slot has its bit on all of %x", (ull)c, members);
	}
}

/* ---- C4 ---- */

static bool may_still_write(const struct cs_node *n)
{
	return (n->life == CS_RUNS || n->life == CS_PAUSED) && n->array && !n->is_fenced && !n->has_failed &&
	       !n->wants_end;
}

static void check_slots(struct cs_world *w)
{
	uint64_t taken = 0;

	w->stats->stakes[CS_C4]++;
	EACH_NODE(w, n) {
		if (!may_still_write(n))
			continue;
		if (taken & 1ull << n->load_slot)
			broken(w, "C4", "slot %u has two nodes", n->load_slot);
		taken |= 1ull << n->load_slot;
	}
}

void law_stepped(struct cs_world *w)
{
	check_cover(w);
	check_slots(w);
	w->has_cleared = false;
}

/* ---- what an array knows ---- */

void law_array(struct cs_world *w, struct cs_node *n)
{
	struct arr_status s;
	uint32_t me = 1u << n->number, in_sync = members_in_sync(w);

	if (!n->array)
		return;
	memset(n->states, 0, sizeof n->states);
	arr_get_status(n->array, &s);
	for (uint32_t i = 0; i < s.member_count; i++)
		if (s.members[i].state != ARR_M_NONE)
			n->states[n->disk_of[i]] = s.members[i].state;
	EACH_DISK(w, d) {
		enum arr_member_state state = n->states[disk_index(w, d)];
		bool is_left = state == ARR_M_FAULTY || (state == ARR_M_NONE && in_sync >> disk_index(w, d) & 1);

		if (is_left && !(d->left_by & me))
			model_lost_member(&w->model);
		d->left_by = is_left ? d->left_by | me : d->left_by & ~me;
	}
}

/* Just now, by some node: what superblocks say of it is about to be out of date. */
static bool is_being_added(struct cs_world *w, const struct cs_disk *d)
{
	EACH_NODE(w, n)
		if (n->errand.stage && !n->errand.is_remove && n->errand.disk == disk_index(w, d))
			return true;
	return false;
}

/* What it has announced is on the member that decides there. Another node may have died with as high a number on a
 * member that this one has lost: that was told to nobody. */
static const struct cs_super *super_announced(struct cs_world *w, const struct cs_node *n)
{
	const struct cs_super *s;
	struct arr_status status;

	arr_get_status(n->array, &status);
	if (status.pin >= ARR_MEMBERS_MAX)
		return NULL;
	s = super_on(w, &w->disks[n->disk_of[status.pin]]);
	return s->is_valid ? s : NULL;
}

void law_announced(struct cs_world *w, struct cs_node *n)
{
	const struct cs_super *best = super_announced(w, n);

	if (engine_holder(w, (struct clu_lock){ .kind = CLU_LOCK_TOKEN }) != n->id)
		return;		/* heard too late: another node's claim may be under way */
	EACH_DISK(w, d) {
		const struct cs_super *s = d->is_used ? super_on(w, d) : NULL;

		if (best && s && s->is_valid && !is_being_added(w, d))
			d->is_out = best->roles[s->number] == ARR_ROLE_FAULTY;
	}
	w->stats->events[CS_ANNOUNCED]++;
}

/* ---- at rest ---- */

static void check_content(struct cs_world *w, const struct cs_disk *d)
{
	for (uint64_t s = 0; s < w->model.count; s++) {
		uint64_t word = arena_word(w->arena, data_at(w, d, true, s));
		enum law_id law = model_peek(&w->model, s, word);

		if (law)
			broken(w, law_name(law), "at rest %s has %llx in sector %llu (chunk %llu)", d->disk.path,
			       (ull)word, (ull)s, (ull)(s / w->sectors_per_chunk));
	}
}

static void check_members(struct cs_world *w, uint32_t members)
{
	w->stats->stakes[CS_I1]++;
	EACH_DISK(w, d)
		if (members & 1u << disk_index(w, d) && !is_absent(d))
			check_content(w, d);
}

static void check_ended(struct cs_world *w)
{
	w->stats->stakes[CS_I9]++;
	EACH_NODE(w, n) {
		if (n->life == CS_OFF)
			continue;
		if (!n->is_up)
			broken(w, "I9", "node %u has not come up", n->number);
		if (n->job_count || client_open(n))
			broken(w, "I9", "%u jobs and %u requests of node %u have not ended", n->job_count,
			       client_open(n), n->number);
	}
}

static bool is_whole(struct cs_world *w, uint32_t members)
{
	bool is_broken = false;
	struct arr_status s;

	EACH_NODE(w, n) {
		if (n->life == CS_OFF)
			continue;
		arr_get_status(n->array, &s);
		is_broken |= s.is_broken || s.degraded;
	}
	return !is_broken && count_of(members) == w->setup.disks;
}

static void check_equal(struct cs_world *w, uint32_t members)
{
	uint64_t bits;

	w->stats->stakes[CS_I2]++;
	for (uint64_t c = 0; c < w->chunks; c++)
		if (may_differ(w, members, c))
			broken(w, "I2", "at rest copies of chunk %llu differ", (ull)c);
	bits = covered(w, members, true, w->empty_slots);
	if (bits)	/* what a dead node had set on some of them only says nothing */
		broken(w, "I8", "at rest slots have the bits %llx", (ull)bits);
	w->stats->stakes[CS_I8]++;
}

/* Who offered a disk, and ended before it recorded it, leaves nothing behind. */
static void check_offers(struct cs_world *w, struct cs_node *n)
{
	struct arr_status s;

	arr_get_status(n->array, &s);
	for (uint32_t i = 0; i < s.member_count; i++)
		if (s.members[i].state == ARR_M_SPARE && arr_is_offered(n->array, s.members[i].dev_number))
			broken(w, "I9", "node %u keeps %s, which nobody adds any more", n->number,
			       w->disks[n->disk_of[i]].disk.path);
}

void law_rest(struct cs_world *w)
{
	uint32_t members = members_in_sync(w), up = 0;

	EACH_NODE(w, n) {
		up += n->life != CS_OFF;
		if (n->life != CS_OFF && n->array && n->is_up && !n->has_failed)
			check_offers(w, n);
	}
	if (!up)
		return;
	check_ended(w);
	check_members(w, members);
	if (is_whole(w, members))
		check_equal(w, members);
}

void law_stopped(struct cs_world *w)
{
	EACH_NODE(w, n)
		if (n->life != CS_OFF)
			broken(w, "I9", "node %u does not leave", n->number);
	check_members(w, members_in_sync(w));
}
