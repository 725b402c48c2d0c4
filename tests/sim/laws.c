/* The checkers that hang on the hands: content, cover, order, bounds, equality, economy.
 *
 * They look at media and caches, not at what umd believes, wherever that is possible: the bit of a chunk is read
 * from the medium by an own small decoder, a claim from the bytes of the superblock. From the array they take who
 * is in which state, since that is what the laws speak of ("every in-sync member").
 *
 * Each check that could have failed counts as a stake of its law; a law without stakes is a law not tested. */
#include "world.h"

#include <stdlib.h>
#include <string.h>

static bool is_data_write(const struct arr_job *job)
{
	return job->kind == ARR_JOB_REQUEST && (job->parts[0].op == ARR_P_WRITE || job->parts[0].op == ARR_P_ZERO);
}

bool is_write_out(const struct sim_world *w, uint64_t first, uint64_t sectors)
{
	for (uint32_t i = 0; i < SIM_JOBS; i++) {
		const struct arr_job *job = w->jobs[i].job;
		const struct sim_request *r = job && job->owner ? job->owner->user : NULL;

		if (r && is_data_write(job) && ranges_overlap(first, sectors, r->first, r->sectors))
			return true;
	}
	return false;
}

static const struct sim_member *pin_of(const struct sim_world *w)
{
	const struct sim_member *pin = NULL;
	struct arr_status s;

	arr_get_status(w->array, &s);
	for (uint32_t i = 0; i < s.member_count; i++) {
		const struct sim_member *m = &w->members[w->disk_of[i]];

		if (s.members[i].state == ARR_M_IN_SYNC && (!pin || s.members[i].slot < s.members[pin->entry].slot))
			pin = m;
	}
	return pin;
}

/* ---- I7 ---- */

void check_place(struct sim_world *w, struct sim_member *m)
{
	struct {
		uint64_t at, len;
	} area[3] = { { 0, FMT_SB1_BYTES },
		      { m->place.data_at.bytes, w->size_bytes },
		      { m->place.bitmap_at.bytes, w->bitmap_bytes } };

	m->place.is_used = lay_super(w->minor, m->disk.size_bytes, &m->place.super_at);
	area[0].at = m->place.super_at.bytes;
	for (int i = 0; i < (w->has_bitmap ? 3 : 2); i++) {
		if (area[i].at + area[i].len > m->disk.size_bytes)
			broken(w, LAW_I7, "an area of %s ends behind the member", m->disk.path);
		for (int k = 0; k < i; k++)
			if (ranges_overlap(area[i].at, area[i].len, area[k].at, area[k].len))
				broken(w, LAW_I7, "areas of %s overlap", m->disk.path);
	}
	at_stake(w, LAW_I7);
}

static bool is_inside(const struct arr_part *p, uint64_t at, uint64_t len)
{
	return p->at.bytes >= at && p->at.bytes + p->len_bytes <= at + len;
}

static void check_bounds(struct sim_world *w, const struct sim_job *j, const struct arr_part *p,
			 const struct sim_member *m)
{
	bool is_good = is_inside(p, m->place.data_at.bytes, w->size_bytes);

	if (j->job->kind == ARR_JOB_BITMAP)
		is_good = is_inside(p, m->place.bitmap_at.bytes, w->bitmap_bytes);
	else if (j->job->kind == ARR_JOB_CLAIM)
		is_good = is_inside(p, m->place.super_at.bytes, FMT_SB1_BYTES);
	if (w->is_readonly || !is_good)
		broken(w, LAW_I7, "a write to %s at %llu, %llu bytes%s", m->disk.path, (unsigned long long)p->at.bytes,
		       (unsigned long long)p->len_bytes, w->is_readonly ? ", though the array is read-only" : "");
	at_stake(w, LAW_I7);
}

/* ---- I3, I10: before data ---- */

static void check_cover(struct sim_world *w, const struct sim_request *r, const struct sim_member *m, enum law_id law)
{
	uint64_t first = r->first * SECTOR_BYTES / w->chunk_bytes,
		 last = ((r->first + r->sectors) * SECTOR_BYTES - 1) / w->chunk_bytes;

	for (uint64_t c = first; w->has_bitmap && c <= last; c++)
		if (!bit_on(w, m->disk.medium, m, c))
			broken(w, law, "data of chunk %llu goes out, and its bit is not on the medium of %s",
			       (unsigned long long)c, m->disk.path);
}

static void check_active(struct sim_world *w, const struct sim_member *m)
{
	struct sb1 sb;

	if (!superblock_of(w, m, &sb) || sb.resync_offset_sectors)
		broken(w, LAW_I10, "data goes out while the superblock of %s on its medium does not say active",
		       m->disk.path);
}

void check_issued(struct sim_world *w, const struct arr_job *job)
{
	if (job->kind == ARR_JOB_CLAIM)
		check_claim(w, job);
	if (!is_data_write(job))
		return;
	EACH_MEMBER(w, m) {
		if (!is_in_sync(m))
			continue;
		check_cover(w, job->owner->user, m, LAW_I3);
		check_active(w, m);
	}
	if (w->has_bitmap)
		at_stake(w, LAW_I3);
	at_stake(w, LAW_I10);
}

/* ---- I12, and what else a part can break ---- */

static void check_order(struct sim_world *w, const struct sim_request *r, const struct sim_member *m)
{
	uint64_t *applied = w->applied + index_of(w, m) * w->model.count;

	for (uint64_t s = r->first; s < r->first + r->sectors; s++) {
		if (applied[s] > r->serial)
			broken(w, LAW_I12, "write %llu of sector %llu reaches %s after write %llu",
			       (unsigned long long)r->serial, (unsigned long long)s, m->disk.path,
			       (unsigned long long)applied[s]);
		if (applied[s])
			at_stake(w, LAW_I12);
		applied[s] = r->serial;
	}
}

void check_part(struct sim_world *w, const struct sim_job *j, const struct arr_part *p)
{
	const struct sim_member *m = &w->members[w->disk_of[p->member]];

	if (p->op != ARR_P_WRITE && p->op != ARR_P_ZERO)
		return;
	check_bounds(w, j, p, m);
	if (j->job->kind == ARR_JOB_BITMAP)
		check_cleared(w, j, p);
	if (!is_data_write(j->job))
		return;
	check_order(w, j->job->owner->user, m);
	EACH_MEMBER(w, other)
		if (is_in_sync(other))
			check_cover(w, j->job->owner->user, other, LAW_I4);
}

/* ---- I1, I6 ---- */

void check_read(struct sim_world *w, const struct sim_request *r)
{
	uint64_t choices = w->model.choices;
	enum law_id law = model_read(&w->model, r->first, r->sectors, &r->view, r->data);

	if (law)
		broken(w, law, "a read of %llu+%llu returned %llx in sector %llu, which %s",
		       (unsigned long long)r->first, (unsigned long long)r->sectors,
		       (unsigned long long)model_content(r->data + (w->model.blamed - r->first) * SECTOR_BYTES),
		       (unsigned long long)w->model.blamed,
		       law == LAW_I6 ? "an earlier read had excluded" : "was never written, or is too old");
	at_stake(w, LAW_I1);
	if (w->model.choices != choices)
		at_stake(w, LAW_I6);
}

/* Success is told while a member lacks the write, or has it in a cache that nobody flushed: then a superblock
 * must already say that this member is none of us. */
void check_acked(struct sim_world *w, const struct sim_request *r)
{
	EACH_MEMBER(w, m) {
		m->is_unchanged &= r->req.op == ARR_FLUSH;
		if (!m->place.is_used || is_in_sync(m) || r->done_on & 1u << index_of(w, m) ||
		    w->model.acks == w->acks_before)
			continue;
		if (!m->is_left && !m->is_behind)
			broken(w, LAW_I1, "a %s is acknowledged without %s, and no superblock says so",
			       r->req.op == ARR_FLUSH ? "flush" : "write", m->disk.path);
		m->is_behind = true;
	}
}

/* ---- a start ---- */

/* Where copies differ the next resync must come by. */
static bool will_be_synced(const struct sim_world *w, uint64_t sector)
{
	uint64_t at = sector * SECTOR_BYTES;
	uint16_t counter;

	if (!w->plan.is_dirty)
		return false;
	if (!w->has_bitmap)
		return at >= w->plan.resync_offset;
	counter = bm_counter(arr_bitmap(w->array), (chunk_no){ at / w->chunk_bytes });
	return counter & BM_NEEDED;
}

static void check_content(struct sim_world *w)
{
	const struct sim_member *pin = pin_of(w);

	for (uint64_t s = 0; s < w->model.count; s++) {
		const uint8_t *data = data_of(w, pin, pin->disk.medium, s * SECTOR_BYTES);
		enum law_id law = model_peek(&w->model, s, data);

		if (law)
			broken(w, law, "after the start sector %llu on %s holds %llx", (unsigned long long)s,
			       pin->disk.path, (unsigned long long)model_content(data));
		if (w->model.sectors[s].durable_floor)
			at_stake(w, LAW_I1);
		EACH_MEMBER(w, m)
			if (m != pin && is_in_sync(m) &&
			    memcmp(data_of(w, m, m->disk.medium, s * SECTOR_BYTES), data, SECTOR_BYTES) &&
			    !will_be_synced(w, s))
				broken(w, LAW_I3,
				       "after the start sector %llu differs between %s and %s, and no resync comes by",
				       (unsigned long long)s, pin->disk.path, m->disk.path);
	}
}

/* A resync by the bitmap copies the set chunks of the image that was read, from the checkpoint on. While a slot is
 * empty writes add to what is owed, so nothing is expected then. */
static void expect_resync(struct sim_world *w)
{
	const struct sim_member *m = &w->members[0];

	w->is_sync_expected = w->plan.action == ASM_RESYNC && w->plan.has_bitmap && !w->plan.bitmap_is_stale &&
			      !w->is_readonly && !w->plan.degraded;
	if (!w->is_sync_expected)
		return;
	EACH_MEMBER(w, other)
		if (other->disk.path == w->looked[w->plan.bitmap_member].path)
			m = other;
	w->sync_bytes_expected = 0;
	for (uint64_t c = 0; c < w->chunks; c++)
		if (bit_on(w, m->disk.medium, m, c) && (c + 1) * w->chunk_bytes >= w->plan.resync_offset)
			w->sync_bytes_expected += chunk_len(w, c);
}

static void note_counters(struct sim_world *w)
{
	for (uint64_t c = 0; w->has_bitmap && c < w->chunks; c++) {
		w->counters[c] = bm_counter(arr_bitmap(w->array), (chunk_no){ c });
		if (w->counters[c])
			w->counted_since[c] = min_u64(w->counted_since[c], w->step);
	}
}

void check_started(struct sim_world *w)
{
	struct arr_status s;

	arr_get_status(w->array, &s);
	w->action = s.action;
	w->acks_before = w->model.acks;
	w->whole_until = s.degraded ? 0 : UINT64_MAX;
	memset(w->applied, 0, SIM_DISKS * w->model.count * sizeof *w->applied);
	memset(w->counted_since, 0xff, sizeof w->counted_since);
	note_counters(w);
	EACH_MEMBER(w, m) {
		if (m->was_in_sync && !is_in_sync(m))
			model_lost_member(&w->model);
		if (is_in_sync(m) && m->is_behind)
			broken(w, LAW_I5, "%s lacks acknowledged writes and is believed in sync", m->disk.path);
		if (m->is_behind && m->state != ARR_M_NONE)
			at_stake(w, LAW_I5);
	}
	/* What a read-only array showed could not be recorded: another member may decide now. */
	if (w->was_readonly && !pin_of(w)->was_in_sync)
		model_lost_member(&w->model);
	check_content(w);
	expect_resync(w);
}

/* ---- after every step ---- */

static void check_equal(struct sim_world *w)
{
	const struct sim_member *pin = pin_of(w);

	EACH_MEMBER(w, m) {
		if (m == pin || !is_in_sync(m))
			continue;
		for (uint64_t s = 0; s < w->model.count; s++)
			if (memcmp(data_of(w, m, m->disk.cache, s * SECTOR_BYTES),
				   data_of(w, pin, pin->disk.cache, s * SECTOR_BYTES), SECTOR_BYTES) &&
			    !is_write_out(w, s, 1))
				broken(w, LAW_I2, "sector %llu differs between %s and %s", (unsigned long long)s,
				       pin->disk.path, m->disk.path);
		at_stake(w, LAW_I2);
	}
}

static void check_counted(struct sim_world *w, const struct sim_member *left)
{
	bool is_any = false;

	for (uint64_t c = 0; w->has_bitmap && c < w->chunks; c++) {
		uint16_t counter = bm_counter(arr_bitmap(w->array), (chunk_no){ c });

		if (!w->counters[c] || !counter)
			continue;
		is_any = true;
		if (!(counter & (BM_NEEDED | BM_RESYNC)))
			broken(w, LAW_I11, "%s left, and chunk %llu is counted (0x%x) but not needed", left->disk.path,
			       (unsigned long long)c, counter);
	}
	if (is_any)
		at_stake(w, LAW_I11);
}

static void member_changed(struct sim_world *w, struct sim_member *m, enum arr_member_state state)
{
	bool was_in_sync = is_in_sync(m), was_working = was_in_sync || m->state == ARR_M_RECOVERING;

	trace(w, "  %s is %s", m->disk.path, arr_member_state_name(state));
	m->state = state;
	w->is_sync_expected = false;
	if (was_in_sync)
		model_lost_member(&w->model);
	if (state == ARR_M_FAULTY && was_working) {
		w->stats->failures++;
		check_counted(w, m);
	}
	if (state == ARR_M_IN_SYNC)
		m->is_behind = false;
}

static void sync_ended(struct sim_world *w, const struct arr_sync_report *r)
{
	trace(w, "%s ended, %llu bytes copied%s", arr_sync_action_name(r->action), (unsigned long long)r->bytes_copied,
	      r->is_complete ? "" : ", not complete");
	if (r->is_complete) {
		if (r->action == ARR_SYNC_RESYNC)
			w->stats->resyncs++;
		else
			w->stats->recoveries++;
		check_equal(w);
	}
	if (r->is_complete && w->is_sync_expected) {
		if (r->bytes_copied != w->sync_bytes_expected)
			broken(w, LAW_I8, "%llu bytes were copied, the set chunks have %llu",
			       (unsigned long long)r->bytes_copied, (unsigned long long)w->sync_bytes_expected);
		at_stake(w, LAW_I8);
	}
	w->is_sync_expected = false;
}

/* Who is named as lost by a superblock of a member in sync stays lost until his own says otherwise. */
static void check_left(struct sim_world *w)
{
	struct sb1 own, other;

	EACH_MEMBER(w, m) {
		if (!m->place.is_used || m->is_left == !is_in_sync(m) || !superblock_of(w, m, &own))
			continue;
		if (is_in_sync(m)) {
			m->is_left = own.feature_map & FMT_SB1_RECOVERY_OFFSET ||
				     own.dev_roles[own.dev_number] >= w->slots;
			continue;
		}
		EACH_MEMBER(w, teller)
			if (is_in_sync(teller) && superblock_of(w, teller, &other) &&
			    (other.dev_roles[own.dev_number] >= w->slots || m->state == ARR_M_RECOVERING))
				m->is_left = true;
	}
}

void check_stepped(struct sim_world *w)
{
	struct arr_status s;

	arr_get_status(w->array, &s);
	w->is_broken = s.is_broken;
	if (!s.degraded)
		w->whole_until = UINT64_MAX;
	else if (w->whole_until == UINT64_MAX)
		w->whole_until = w->step;
	for (uint32_t i = 0; i < s.member_count; i++) {
		struct sim_member *m = &w->members[w->disk_of[i]];

		if (m->state != ARR_M_NONE && m->entry == i && m->state != s.members[i].state)
			member_changed(w, m, s.members[i].state);
	}
	if (w->action != ARR_SYNC_IDLE && s.action == ARR_SYNC_IDLE && s.last.ended_ms)
		sync_ended(w, &s.last);
	w->action = s.action;
	note_counters(w);
	check_left(w);
}

/* ---- at rest ---- */

static void check_clean_member(struct sim_world *w, const struct sim_member *m)
{
	struct sb1 sb;

	if (!disk_is_settled(&m->disk, m->place.data_at.bytes, w->size_bytes, false))
		broken(w, LAW_I10, "the array is idle and clean, but %s was not flushed", m->disk.path);
	if (!superblock_of(w, m, &sb) || sb.resync_offset_sectors < w->size_bytes / SECTOR_BYTES)
		broken(w, LAW_I9, "the array is idle, but the superblock of %s never became clean", m->disk.path);
	for (uint64_t c = 0; w->has_bitmap && c < w->chunks; c++)
		if (bit_on(w, m->disk.medium, m, c))
			broken(w, LAW_I8, "the array is idle and whole, but the bit of chunk %llu stays set on %s",
			       (unsigned long long)c, m->disk.path);
	if (w->has_bitmap)
		at_stake(w, LAW_I8);
}

void check_idle(struct sim_world *w)
{
	const struct sim_member *pin = pin_of(w);
	struct arr_status s;

	arr_get_status(w->array, &s);
	if (s.is_broken || w->is_readonly)
		return;
	/* A sync whose only source could not be read has stopped with a sentence: then the action is idle. */
	for (uint32_t i = 0; i < s.member_count; i++)
		if (s.members[i].state == ARR_M_RECOVERING && s.action != ARR_SYNC_IDLE)
			broken(w, LAW_I9, "all faults are over, but %s is still being recovered",
			       w->members[w->disk_of[i]].disk.path);
	if (s.degraded || (s.last.ended_ms && !s.last.is_complete))
		return;
	check_equal(w);
	EACH_MEMBER(w, m)
		if (is_in_sync(m))
			check_clean_member(w, m);
	for (uint64_t i = 0; i < w->model.count; i++) {
		const uint8_t *data = data_of(w, pin, pin->disk.medium, i * SECTOR_BYTES);
		enum law_id law = model_peek(&w->model, i, data);

		if (law)
			broken(w, law, "at rest sector %llu holds %llx", (unsigned long long)i,
			       (unsigned long long)model_content(data));
		model_settle(&w->model, i, data);
	}
	at_stake(w, LAW_I9);
}
