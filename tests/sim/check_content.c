/* I1 and I6: what clients may see.
 *
 * The model knows which values a sector may hold. It is asked for every read that is answered, for the member that
 * decides after every start, and for all members at rest. Between copies that differ after a start a resync must come
 * by: otherwise two reads may show two values. */
#include "check.h"

/* Something there was promised to the client before it asked. */
static bool shows_writes(const struct sim_request *r)
{
	for (uint64_t i = 0; i < r->sectors; i++)
		if (r->view.floor[i])
			return true;
	return false;
}

void check_read(struct sim_world *w, const struct sim_request *r)
{
	uint64_t choices = w->model.choices;
	enum law_id law = model_read(&w->model, r->first, r->sectors, &r->view, r->data);

	if (law)
		broken_at(w, law, chunk_of(w, w->model.blamed),
			  "a read of %llu+%llu returned %llx in sector %llu, which %s", (ull)r->first, (ull)r->sectors,
			  (ull)model_content(r->data + (w->model.blamed - r->first) * SECTOR_BYTES),
			  (ull)w->model.blamed,
			  law == LAW_I6 ? "an earlier read had excluded" : "was never written, or is too old");
	if (shows_writes(r))
		at_stake(w, LAW_I1);
	if (w->model.choices != choices)
		at_stake(w, LAW_I6);
}

/* What was promised to survive lies on the medium of every member that a superblock calls in sync: md may start from
 * any of them. */
static void is_durable(struct sim_world *w, const struct sim_member *m, const struct sim_request *r)
{
	bool is_flush = r->req.op == ARR_FLUSH;
	uint64_t first = is_flush ? 0 : r->first, end = is_flush ? w->model.count : r->first + r->sectors;

	for (uint64_t s = first; s < end; s++) {
		content there = data_at(m, false, s);

		if (there == data_at(m, true, s) || model_may_remain(&w->model, s, arena_word(w->arena, there)))
			continue;
		broken_at(w, LAW_I1, chunk_of(w, s),
			  "a %s is acknowledged, and the medium of %s holds %llx in sector %llu",
			  is_flush ? "flush" : "write with FUA", m->disk.path, (ull)arena_word(w->arena, there),
			  (ull)s);
	}
}

/* The first sector that a member lacks when a request is acknowledged without it: its own, or of a flush the first
 * whose promised content is not on the medium there. UINT64_MAX: none. */
static uint64_t lacks_from(const struct sim_world *w, const struct sim_member *m, const struct sim_request *r)
{
	if (r->req.op != ARR_FLUSH)
		return r->first;
	for (uint64_t s = 0; s < w->model.count; s++)
		if (!model_may_remain(&w->model, s, arena_word(w->arena, data_at(m, false, s))))
			return s;
	return UINT64_MAX;
}

/* A write is answered when somebody in sync has it: what is behind comes later, but not everywhere. Whoever left in the
 * step of the answer may have left after it. */
static void is_somewhere(struct sim_world *w, const struct sim_request *r, uint32_t done_on)
{
	EACH_MEMBER(w, m)
		if ((is_in_sync(m) || m->left_sync == w->step) && done_on & 1u << index_of(w, m))
			return;
	broken(w, LAW_I1, "write %llu is acknowledged, and no member in sync has it", (ull)r->serial);
}

/* It is being recovered, and gets this write as one in sync would: later. */
static bool is_on_its_way_to(const struct sim_write *x, const struct sim_request *r, const struct sim_member *m)
{
	if (m->state != ARR_M_RECOVERING)
		return false;
	return x ? x->lacking & 1ull << m->entry : m->is_write_mostly && r->req.op != ARR_FLUSH && !r->req.is_fua;
}

/* Success is told while a member lacks the write, or has it in a cache that nobody flushed: then the superblocks
 * must already say that this member is none of us, every one of them. Requests of recorded runs had no job here. */
void check_acked(struct sim_world *w, const struct sim_request *r)
{
	bool has_job = r->req.op != ARR_FLUSH && r->req.own_job.number;
	const struct sim_write *x = has_job ? write_of(w, &r->req.own_job) : NULL;
	uint32_t done_on = x ? x->done_on : r->done_on;

	if (r->req.op != ARR_FLUSH)
		is_somewhere(w, r, done_on);
	EACH_MEMBER(w, m) {
		uint64_t from;

		if (is_in_sync(m) && !m->is_left && !is_lost(m) && (r->req.op == ARR_FLUSH || r->req.is_fua))
			is_durable(w, m, r);
		m->is_unchanged &= r->req.op == ARR_FLUSH;
		if (!m->is_there || !m->place.is_used || is_in_sync(m) ||
		    done_on & 1u << index_of(w, m) ||
		    w->model.acks == w->acks_before || is_on_its_way_to(x, r, m))
			continue;
		from = lacks_from(w, m, r);
		if (from == UINT64_MAX)
			continue;
		if (!is_written_off(w, m, from))
			broken(w, LAW_I1, "a %s is acknowledged without %s, and not every superblock says so",
			       r->req.op == ARR_FLUSH ? "flush" : "write", m->disk.path);
		m->is_behind = true;
		at_stake(w, LAW_I1);
	}
}

/* Where copies differ the next resync must come by. */
static bool will_be_synced(const struct sim_world *w, uint64_t sector)
{
	uint64_t at = sector * SECTOR_BYTES;

	if (!w->plan->is_dirty)
		return false;
	if (!w->has_bitmap)
		return at >= w->plan->resync_offset;
	return bm_counter(arr_bitmap(w->array), (chunk_no){ at / w->chunk_bytes }) & BM_NEEDED;
}

static void peek(struct sim_world *w, const struct sim_member *m, uint64_t sector, const char *when)
{
	uint64_t word = arena_word(w->arena, data_at(m, false, sector));
	enum law_id law = model_peek(&w->model, sector, word);

	if (law)
		broken_at(w, law, chunk_of(w, sector), "%s sector %llu on %s holds %llx", when, (ull)sector,
			  m->disk.path, (ull)word);
}

void content_started(struct sim_world *w)
{
	const struct sim_member *pin = pin_of(w);
	bool is_promised = false;

	for (uint64_t s = 0; s < w->model.count; s++) {
		peek(w, pin, s, "after the start");
		is_promised |= w->model.sectors[s].durable_floor != 0;
	}
	if (is_promised)
		at_stake(w, LAW_I1);
	EACH_MEMBER(w, m)
		for (uint64_t s = 0; m != pin && is_in_sync(m) && s < w->model.count; s++)
			if (data_at(m, false, s) != data_at(pin, false, s) && !will_be_synced(w, s))
				broken_at(w, LAW_I3, chunk_of(w, s),
					  "after the start sector %llu differs between %s and %s, and no resync "
					  "comes by",
					  (ull)s, pin->disk.path, m->disk.path);
}

void content_at_rest(struct sim_world *w)
{
	const struct sim_member *pin = pin_of(w);

	for (uint64_t s = 0; s < w->model.count; s++) {
		peek(w, pin, s, "at rest");
		model_settle(&w->model, s, arena_word(w->arena, data_at(pin, false, s)));
	}
	at_stake(w, LAW_I1);
}
