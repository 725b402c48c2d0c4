/* The oracle of content: independent of umd, it knows only what clients did and were told.
 *
 * A sector's history is a list of versions in order of submission. Two floors bound what may be read:
 *
 *   live_floor      the last acknowledged write: a later read returns it or a later version
 *   durable_floor   the last one acknowledged and then flushed (or FUA): what a cut leaves is it or a later one
 *
 *      v3 ---------- v7 ---------- v9 ---------- v12
 *      durable       acknowledged  live_floor    under way
 *      a cut leaves any of them    a read shows v9 or v12
 *
 * After a cut all versions from the durable floor on are candidates; nobody knows which, until a read shows one.
 * That excludes the others (I6), also after another cut, unless a member was lost on which the choice may
 * have depended. A read that overlaps a write of the sector excludes nothing: a disk may show both then. Reads
 * that overlap in time are compared with what was known when they were submitted.
 *
 * Every write has a word of its own, so each is told apart from all others; zeroes are 0. Clocks and serials have 32
 * bits: a history is far shorter than that. */
#include "model.h"

#include <stdlib.h>
#include <string.h>

static void *checked(void *p)
{
	if (!p)
		abort();
	return p;
}

void model_init(struct model *m, uint64_t sectors)
{
	memset(m, 0, sizeof *m);
	m->sectors = checked(calloc(sectors, sizeof *m->sectors));
	m->count = sectors;
}

void model_copy(struct model *to, const struct model *from)
{
	*to = *from;
	to->sectors = checked(malloc(from->count * sizeof *to->sectors));
	memcpy(to->sectors, from->sectors, from->count * sizeof *to->sectors);
	to->pool = NULL;
	to->pool_room = from->pool_count;
	if (!from->pool_count)
		return;
	to->pool = checked(malloc(from->pool_count * sizeof *to->pool));
	memcpy(to->pool, from->pool, from->pool_count * sizeof *to->pool);
}

void model_free(struct model *m)
{
	free(m->sectors);
	free(m->pool);
	m->sectors = NULL;
	m->pool = NULL;
}

/* ---- a sector's versions ---- */

static struct model_version *after(const struct model *m, const struct model_version *v)
{
	return v->next ? &m->pool[v->next - 1] : NULL;
}

#define EACH_VERSION(m, s, v) \
	for (struct model_version *v = (s)->count ? &(s)->first : NULL; v; v = after(m, v))
#define EACH_CONST_VERSION(m, s, v) \
	for (const struct model_version *v = (s)->count ? &(s)->first : NULL; v; v = after(m, v))

/* A place in the pool, index + 1. It may move the pool: pointers into it are void afterwards. */
static uint32_t take_place(struct model *m)
{
	uint32_t place = m->pool_free;

	if (place) {
		m->pool_free = m->pool[place - 1].next;
		return place;
	}
	if (m->pool_count == m->pool_room) {
		m->pool_room = m->pool_room < 32 ? 64 : 2 * m->pool_room;
		m->pool = checked(realloc(m->pool, m->pool_room * sizeof *m->pool));
	}
	return ++m->pool_count;
}

static void give_place(struct model *m, uint32_t place)
{
	m->pool[place - 1].next = m->pool_free;
	m->pool_free = place;
}

static void add(struct model *m, struct model_sector *s, const struct model_version *new)
{
	struct model_version *last = &s->first;
	uint32_t place;

	if (!s->count++) {
		s->first = *new;
		return;
	}
	place = take_place(m);
	while (last->next)
		last = after(m, last);
	last->next = place;
	m->pool[place - 1] = *new;
}

static void drop_first(struct model *m, struct model_sector *s)
{
	uint32_t place = s->first.next;

	if (place) {
		s->first = m->pool[place - 1];
		give_place(m, place);
	}
	s->count--;
}

static struct model_version *find(struct model *m, struct model_sector *s, uint64_t serial)
{
	EACH_VERSION(m, s, v)
		if (v->serial == serial)
			return v;
	return NULL;
}

/* Versions below the durable floor are history, unless a read that is under way may still bring them. The oldest stand
 * first. */
static void prune(struct model *m, struct model_sector *s)
{
	while (!m->open_reads && s->count && s->first.serial < s->durable_floor)
		drop_first(m, s);
}

/* ---- writing ---- */

void model_begin(struct model *m, uint64_t sector, uint64_t content)
{
	add(m, &m->sectors[sector], &(struct model_version){ .content = content });
}

bool model_has_room(const struct model *m, uint64_t first, uint64_t count)
{
	for (uint64_t i = first; i < first + count; i++)
		if (m->sectors[i].count >= MODEL_VERSIONS)
			return false;
	return true;
}

uint64_t model_write(struct model *m, uint64_t first, uint64_t count, uint64_t content)
{
	uint64_t serial = ++m->serial;
	struct model_version new = { .content = content, .serial = (uint32_t)serial, .ended = MODEL_PENDING };

	for (uint64_t i = first; i < first + count; i++)
		add(m, &m->sectors[i], &new);
	return serial;
}

static void end(struct model *m, struct model_version *v)
{
	v->ended = (uint32_t)++m->ends;
}

void model_failed(struct model *m, uint64_t serial, uint64_t first, uint64_t count)
{
	for (uint64_t i = first; i < first + count; i++) {
		struct model_version *v = find(m, &m->sectors[i], serial);

		if (v)
			end(m, v);
	}
}

static uint32_t later(uint32_t floor, uint64_t serial)
{
	return serial > floor ? (uint32_t)serial : floor;
}

void model_acked(struct model *m, uint64_t serial, uint64_t first, uint64_t count, bool is_fua)
{
	uint64_t number = ++m->acks;

	for (uint64_t i = first; i < first + count; i++) {
		struct model_sector *s = &m->sectors[i];
		struct model_version *v = find(m, s, serial);

		s->live_floor = later(s->live_floor, serial);
		if (is_fua)
			s->durable_floor = later(s->durable_floor, serial);
		if (v) {
			v->acked = (uint32_t)number;
			end(m, v);
		}
		prune(m, s);
	}
}

uint64_t model_flush(const struct model *m)
{
	return m->acks;
}

void model_flushed(struct model *m, uint64_t since)
{
	for (uint64_t i = 0; i < m->count; i++) {
		struct model_sector *s = &m->sectors[i];

		EACH_VERSION(m, s, v)
			if (v->acked && v->acked <= since)
				s->durable_floor = later(s->durable_floor, v->serial);
		prune(m, s);
	}
}

/* ---- looking ---- */

void model_look(struct model *m, uint64_t first, uint64_t count, struct model_view *ret_view)
{
	m->open_reads++;
	ret_view->looks = m->looks;
	ret_view->losses = m->losses;
	ret_view->ends = m->ends;
	for (uint64_t i = 0; i < count; i++)
		ret_view->floor[i] = m->sectors[first + i].live_floor;
	for (uint64_t i = 0; i < count; i++)
		ret_view->seen[i] = m->sectors[first + i].seen_floor;
}

static enum law_id judge(const struct model *m, const struct model_sector *s, uint64_t content, uint64_t floor,
			 uint64_t looks)
{
	enum law_id broken = LAW_I1;

	EACH_CONST_VERSION(m, s, v) {
		if (v->content != content || v->serial < floor)
			continue;
		if (!v->excluded || v->excluded > looks)
			return LAW_NONE;
		broken = LAW_I6;
	}
	return broken;
}

/* A choice among what a restart brought was made by a medium: it is firm, whatever is written later. */
static void exclude_others(struct model *m, struct model_sector *s, uint64_t content, const struct model_view *view)
{
	bool is_old = true;

	EACH_VERSION(m, s, v)
		if (v->ended > view->ends) /* or it is under way */
			return;
	m->looks++;
	EACH_CONST_VERSION(m, s, v)
		if (v->content == content && !v->excluded)	/* zeroes may be there more than once */
			is_old &= v->serial <= m->restart_serial;
	EACH_VERSION(m, s, v) {
		if (v->content == content)
			continue;
		v->excluded = v->excluded ?: (uint32_t)m->looks;
		v->is_firm |= is_old && v->serial <= m->restart_serial;
	}
}

/* The oldest version that shows this, from @floor on; 0: none. */
static uint32_t shown(const struct model *m, const struct model_sector *s, uint64_t content, uint64_t floor)
{
	EACH_CONST_VERSION(m, s, v)
		if (v->content == content && v->serial >= floor)
			return v->serial;
	return 0;
}

/* What was seen once is not taken back by an older one, though nobody was told that the write is done. */
static bool goes_back(struct model *m, struct model_sector *s, uint64_t content, uint64_t floor, uint32_t seen)
{
	if (seen > floor)
		m->choices++;
	if (seen && !shown(m, s, content, seen))
		return true;
	s->seen_floor = later(s->seen_floor, shown(m, s, content, max_u64(floor, seen)));
	return false;
}

enum law_id model_read(struct model *m, uint64_t first, uint64_t count, const struct model_view *view,
		       const uint8_t *data)
{
	m->open_reads--;
	for (uint64_t i = 0; i < count; i++) {
		struct model_sector *s = &m->sectors[first + i];
		uint64_t content = model_content(data + i * SECTOR_BYTES);
		enum law_id broken = judge(m, s, content, view->floor[i], view->looks);

		m->blamed = first + i;
		if (!broken && view->losses == m->losses && goes_back(m, s, content, view->floor[i], view->seen[i]))
			broken = LAW_I6;
		if (broken)
			return broken;
		EACH_VERSION(m, s, v)
			m->choices += v->excluded != 0;
		/* A slow read that shows an older value must not take back what a faster one has told; one that
		 * was under way when a member was lost may come from that member. */
		if (view->losses == m->losses && judge(m, s, content, s->live_floor, m->looks) == LAW_NONE)
			exclude_others(m, s, content, view);
	}
	return LAW_NONE;
}

void model_read_failed(struct model *m)
{
	m->open_reads--;
}

enum law_id model_peek(const struct model *m, uint64_t sector, uint64_t word)
{
	const struct model_sector *s = &m->sectors[sector];

	return judge(m, s, word, s->live_floor, m->looks);
}

bool model_may_remain(const struct model *m, uint64_t sector, uint64_t word)
{
	const struct model_sector *s = &m->sectors[sector];

	EACH_CONST_VERSION(m, s, v)
		if (v->content == word && v->serial >= s->durable_floor)
			return true;
	return false;
}

void model_settle(struct model *m, uint64_t sector, uint64_t word)
{
	struct model_sector *s = &m->sectors[sector];

	while (s->count)
		drop_first(m, s);
	m->serial++;
	add(m, s, &(struct model_version){ .content = word, .serial = (uint32_t)m->serial });
	s->live_floor = s->durable_floor = (uint32_t)m->serial;
	s->seen_floor = 0;
}

/* ---- losses ---- */

static void forget_looks(struct model *m, struct model_sector *s)
{
	EACH_VERSION(m, s, v) {
		v->excluded = 0;
		v->is_firm = false;
	}
}

/* What was read from a cache may be gone; what a restart brought and a read has chosen from, not. */
static void forget_loose_looks(struct model *m, struct model_sector *s)
{
	EACH_VERSION(m, s, v)
		if (!v->is_firm)
			v->excluded = 0;
}

void model_member_left(struct model *m)
{
	m->losses++;
	for (uint64_t i = 0; i < m->count; i++)
		m->sectors[i].seen_floor = 0;
}

bool model_is_excluded(const struct model *m, uint64_t sector, uint64_t word)
{
	return judge(m, &m->sectors[sector], word, 0, m->looks) == LAW_I6;
}

void model_forget_choice(struct model *m, uint64_t sector)
{
	forget_looks(m, &m->sectors[sector]);
}

void model_lost_member(struct model *m)
{
	model_member_left(m);
	for (uint64_t i = 0; i < m->count; i++)
		forget_looks(m, &m->sectors[i]);
}

void model_forget_answers(struct model *m)
{
	for (uint64_t i = 0; i < m->count; i++)
		EACH_VERSION(m, &m->sectors[i], v)
			v->acked = 0;
}

void model_cut(struct model *m)
{
	for (uint64_t i = 0; i < m->count; i++) {
		struct model_sector *s = &m->sectors[i];

		forget_loose_looks(m, s);
		s->seen_floor = 0;
		s->live_floor = s->durable_floor;
		EACH_VERSION(m, s, v) {
			v->acked = 0;
			if (v->ended == MODEL_PENDING)
				v->ended = 0;
		}
	}
	m->restart_serial = m->serial;
	m->open_reads = 0;
}

/* ---- as numbers, as bytes ---- */

static uint64_t mixed(uint64_t h, uint64_t value)
{
	h = (h ^ value) * 0x9e3779b97f4a7c15u;
	return h ^ h >> 32;
}

uint64_t model_hash(const struct model *m)
{
	uint64_t h = mixed(mixed(m->serial, m->restart_serial), mixed(m->looks, m->losses));

	for (uint64_t i = 0; i < m->count; i++) {
		const struct model_sector *s = &m->sectors[i];

		h = mixed(h, (uint64_t)s->live_floor << 32 | s->durable_floor);
		h = mixed(h, s->seen_floor);
		EACH_CONST_VERSION(m, s, v) {
			h = mixed(h, v->content ^ (uint64_t)v->is_firm << 62);
			h = mixed(h, (uint64_t)v->serial << 32 | v->excluded);
			h = mixed(h, (uint64_t)v->acked << 32 | v->ended);
		}
	}
	return mixed(h, m->open_reads);
}

uint64_t model_content(const uint8_t *sector)
{
	uint64_t word;

	memcpy(&word, sector, sizeof word);
	return memcmp(sector, sector + 8, SECTOR_BYTES - 8) ? UINT64_MAX : word;
}

void model_fill(uint8_t *data, uint64_t sectors, uint64_t content)
{
	for (uint64_t i = 0; i < sectors * SECTOR_BYTES; i += sizeof content)
		memcpy(data + i, &content, sizeof content);
}
