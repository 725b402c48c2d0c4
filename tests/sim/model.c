/* The oracle of content: independent of umd, it knows only what clients did and were told.
 *
 * A sector's history is a list of versions in order of submission. Two floors bound what may be read:
 *
 *   live_floor      the last acknowledged write: a later read returns it or a later version
 *   durable_floor   the last one acknowledged and then flushed (or FUA): what a cut leaves is it or a later one
 *
 * After a cut all versions from the durable floor on are candidates; nobody knows which, until a read shows one.
 * That excludes the others (I6), also after another cut, unless a member was lost on which the choice may
 * have depended. A read that overlaps a write of the sector excludes nothing: a disk may show both then. Reads
 * that overlap in time are compared with what was known when they were submitted.
 *
 * A zeroed sector has content 0, every write its serial as content, so each is told apart from all others. */
#include "model.h"

#include <stdlib.h>
#include <string.h>

void model_init(struct model *m, uint64_t sectors)
{
	memset(m, 0, sizeof *m);
	m->sectors = calloc(sectors, sizeof *m->sectors);
	m->count = sectors;
	if (!m->sectors)
		abort();
}

void model_free(struct model *m)
{
	free(m->sectors);
	m->sectors = NULL;
}

static void add(struct model_sector *s, uint64_t serial, uint64_t content)
{
	s->v[s->count++] = (struct model_version){ .serial = serial, .content = content };
}

void model_begin(struct model *m, uint64_t sector, uint64_t content)
{
	add(&m->sectors[sector], 0, content);
}

/* Versions below both floors are history, unless a read that is under way may still bring them. */
static void prune(const struct model *m, struct model_sector *s)
{
	uint32_t kept = 0;

	if (m->open_reads)
		return;
	for (uint32_t i = 0; i < s->count; i++)
		if (s->v[i].serial >= s->durable_floor)
			s->v[kept++] = s->v[i];
	s->count = kept;
}

bool model_has_room(const struct model *m, uint64_t first, uint64_t count)
{
	for (uint64_t i = first; i < first + count; i++)
		if (m->sectors[i].count == MODEL_VERSIONS)
			return false;
	return true;
}

uint64_t model_write(struct model *m, uint64_t first, uint64_t count, bool is_zero)
{
	uint64_t serial = ++m->serial;

	for (uint64_t i = first; i < first + count; i++) {
		struct model_sector *s = &m->sectors[i];

		add(s, serial, is_zero ? 0 : serial);
		s->v[s->count - 1].is_pending = true;
	}
	return serial;
}

static struct model_version *find(struct model_sector *s, uint64_t serial)
{
	for (uint32_t i = 0; i < s->count; i++)
		if (s->v[i].serial == serial)
			return &s->v[i];
	return NULL;
}

static void end(struct model *m, struct model_version *v)
{
	v->is_pending = false;
	v->ended = ++m->ends;
}

void model_failed(struct model *m, uint64_t serial, uint64_t first, uint64_t count)
{
	for (uint64_t i = first; i < first + count; i++) {
		struct model_version *v = find(&m->sectors[i], serial);

		if (v)
			end(m, v);
	}
}

void model_acked(struct model *m, uint64_t serial, uint64_t first, uint64_t count, bool is_fua)
{
	uint64_t number = ++m->acks;

	for (uint64_t i = first; i < first + count; i++) {
		struct model_sector *s = &m->sectors[i];
		struct model_version *v = find(s, serial);

		s->live_floor = max_u64(s->live_floor, serial);
		if (is_fua)
			s->durable_floor = max_u64(s->durable_floor, serial);
		if (v) {
			v->acked = number;
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

		for (uint32_t k = 0; k < s->count; k++)
			if (s->v[k].acked && s->v[k].acked <= since)
				s->durable_floor = max_u64(s->durable_floor, s->v[k].serial);
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
}

static enum law_id judge(const struct model_sector *s, uint64_t content, uint64_t floor, uint64_t looks)
{
	enum law_id broken = LAW_I1;

	for (uint32_t i = 0; i < s->count; i++) {
		if (s->v[i].content != content || s->v[i].serial < floor)
			continue;
		if (!s->v[i].excluded || s->v[i].excluded > looks)
			return LAW_NONE;
		broken = LAW_I6;
	}
	return broken;
}

static void exclude_others(struct model *m, struct model_sector *s, uint64_t content, const struct model_view *view)
{
	for (uint32_t i = 0; i < s->count; i++)
		if (s->v[i].is_pending || s->v[i].ended > view->ends)
			return;
	m->looks++;
	for (uint32_t i = 0; i < s->count; i++)
		if (s->v[i].content != content && !s->v[i].excluded)
			s->v[i].excluded = m->looks;
}

enum law_id model_read(struct model *m, uint64_t first, uint64_t count, const struct model_view *view,
		       const uint8_t *data)
{
	m->open_reads--;
	for (uint64_t i = 0; i < count; i++) {
		struct model_sector *s = &m->sectors[first + i];
		uint64_t content = model_content(data + i * SECTOR_BYTES);
		enum law_id broken = judge(s, content, view->floor[i], view->looks);

		m->blamed = first + i;
		if (broken)
			return broken;
		for (uint32_t k = 0; k < s->count; k++)
			m->choices += s->v[k].excluded != 0;
		/* A slow read that shows an older value must not take back what a faster one has told; one that
		 * was under way when a member was lost may come from that member. */
		if (view->losses == m->losses && judge(s, content, s->live_floor, m->looks) == LAW_NONE)
			exclude_others(m, s, content, view);
	}
	return LAW_NONE;
}

void model_read_failed(struct model *m)
{
	m->open_reads--;
}

enum law_id model_peek(const struct model *m, uint64_t sector, const uint8_t *data)
{
	const struct model_sector *s = &m->sectors[sector];

	return judge(s, model_content(data), s->live_floor, m->looks);
}

void model_settle(struct model *m, uint64_t sector, const uint8_t *data)
{
	struct model_sector *s = &m->sectors[sector];

	s->count = 0;
	add(s, ++m->serial, model_content(data));
	s->live_floor = s->durable_floor = m->serial;
}

/* ---- losses ---- */

static void forget_looks(struct model_sector *s)
{
	for (uint32_t i = 0; i < s->count; i++)
		s->v[i].excluded = 0;
}

void model_lost_member(struct model *m)
{
	m->losses++;
	for (uint64_t i = 0; i < m->count; i++)
		forget_looks(&m->sectors[i]);
}

void model_cut(struct model *m)
{
	for (uint64_t i = 0; i < m->count; i++) {
		struct model_sector *s = &m->sectors[i];

		/* What was read from a cache may be gone; what a restart brought and nobody wrote since, not. */
		if (s->v[s->count - 1].serial > m->restart_serial)
			forget_looks(s);
		s->live_floor = s->durable_floor;
		for (uint32_t k = 0; k < s->count; k++) {
			s->v[k].acked = 0;
			s->v[k].is_pending = false;
		}
	}
	m->restart_serial = m->serial;
	m->open_reads = 0;
}

/* ---- bytes ---- */

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
