/* What the bitmaps of one member say of one chunk: a byte is read in each slot, nothing else.
 *
 * The member is closed again at once: hundreds may be given. A slot that no node ever used says nothing. */
#include "look/why_inside.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"

static int read_bit(struct why_member *m, const struct look_slot *s, uint64_t chunk, struct why_bit *ret_bit)
{
	struct why_bit b = { .slot = s->slot, .is_used = s->is_used, .is_lockless = s->bits.is_lockless };
	struct bitmap_bit place = fmt_bitmap_bit((chunk_no){ chunk }, false);
	int rc;

	b.at = s->bits.at.bytes + (b.is_lockless ? chunk : place.byte);
	rc = mbr_read(m->source.e.m, (member_off){ b.at }, &b.byte, 1);
	if (rc < 0)
		return err_set(&m->source.e.error, rc, "%s cannot be read at byte %llu: %s", m->source.e.shown,
			       (unsigned long long)b.at, err_sentence(rc));
	if (b.is_lockless) {
		b.state = fmt_lockless_state(b.byte);
		b.is_set = fmt_lockless_is_due(b.state);
	} else {
		b.bit = place.bit;
		b.is_set = b.is_used && b.byte >> b.bit & 1;
	}
	*ret_bit = b;
	return 0;
}

static void read_slot(struct why_member *m, uint32_t slot, uint64_t chunk)
{
	struct look_slot s;

	if (look_source_slot(&m->source, slot, &s) < 0)
		return;
	m->is_initialised = s.is_initialised;
	m->chunk_bytes = s.chunk_bytes;
	m->chunks = s.is_initialised ? s.chunks : 0;
	m->size_bytes = s.size_bytes;
	m->has_chunk = chunk < m->chunks;
	if (!m->has_chunk || read_bit(m, &s, chunk, &m->bits[m->bit_count]) < 0)
		return;
	m->is_set |= m->bits[m->bit_count++].is_set;
}

int look_why_read(struct why_member *m, const char *path, const struct look_external *external, uint64_t chunk)
{
	int rc = 0;

	m->judged = WHY_NOBODY;
	m->is_initialised = true;
	look_source_begin(&m->source, path, external);
	if (m->source.slots)
		m->bits = mem_new(m->source.slots, sizeof *m->bits);
	if (m->source.slots && !m->bits)
		rc = -ENOMEM;
	for (uint32_t slot = 0; rc == 0 && slot < m->source.slots; slot++)
		read_slot(m, slot, chunk);
	m->source.e.m = mbr_close(m->source.e.m);
	return rc;
}

void look_why_drop(struct why_member *m)
{
	m->bits = mem_free(m->bits);
	look_source_end(&m->source);
}
