/* An own reader of superblocks and slots, by plain offsets: the oracle must not believe what umd's decoder makes of
 * umd's bytes. Little endian; the same description as in tests/sim/super.c.
 *
 * Asked after every step, so each member remembers what was read from the content that lies there. */
#include "../sim/raw.h"
#include "csim.h"

enum { ROLES_AT = 256, ROLES = 128 };

static void read_super(const uint8_t *raw, struct cs_super *ret)
{
	uint32_t max_dev = (uint32_t)little(raw, 220, 4);

	*ret = (struct cs_super){ .is_valid = false };
	if (little(raw, 0, 4) != 0xa92b4efc || max_dev > ROLES || little(raw, 160, 4) >= max_dev)
		return;
	if (super_sum(raw, ROLES_AT + 2 * max_dev) != little(raw, 216, 4))
		return;
	ret->is_valid = true;
	ret->is_recovering = little(raw, 8, 4) & 2;
	ret->events = little(raw, 200, 8);
	ret->resync_offset = little(raw, 208, 8);
	ret->number = (uint32_t)little(raw, 160, 4);
	for (uint32_t i = 0; i < ROLES; i++)
		ret->roles[i] = i < max_dev ? (uint16_t)little(raw, ROLES_AT + 2 * i, 2) : ARR_ROLE_SPARE;
	ret->role = ret->roles[ret->number];
}

const struct cs_super *super_on(struct cs_world *w, struct cs_disk *d)
{
	content now = disk_at(&d->disk, false, d->super_at.bytes);
	uint8_t raw[SECTOR_BYTES];

	if (!d->has_super || d->super_of != now) {
		arena_get(w->arena, now, raw);
		read_super(raw, &d->super);
		d->super_of = now;
		d->has_super = true;
	}
	return &d->super;
}

/* Of the chunks that clients use. */
static uint64_t bits_in(const struct cs_world *w, const uint8_t *slot)
{
	uint64_t bits = 0;

	for (uint64_t c = 0; c < w->chunks; c++) {
		uint64_t place = chunk_place(w, c);

		bits |= (uint64_t)(slot[CS_BITS_AT + place / 8] >> place % 8 & 1) << c;
	}
	return bits;
}

uint64_t bits_on(struct cs_world *w, struct cs_disk *d, uint32_t slot, bool in_cache)
{
	struct cs_seen_bits *s = &d->seen[slot][in_cache];
	uint64_t at = d->bitmap_at.bytes + slot * w->slot_bytes;
	content now[CS_BIT_SECTORS] = { disk_at(&d->disk, in_cache, at) };
	uint8_t raw[CS_BIT_SECTORS * SECTOR_BYTES];

	if (w->setup.zones > 1)
		now[1] = disk_at(&d->disk, in_cache, at + SECTOR_BYTES);
	if (!s->is_read || memcmp(s->of, now, sizeof now)) {
		for (uint32_t i = 0; i < w->setup.zones; i++)
			arena_get(w->arena, now[i], raw + i * SECTOR_BYTES);
		s->is_bitmap = little(raw, 0, 4) == 0x6d746962;
		s->bits = s->is_bitmap ? bits_in(w, raw) : 0;
		memcpy(s->of, now, sizeof now);
		s->is_read = true;
	}
	return s->bits;
}

/* At equal events: a node died in mid-round, and others gave its number again, to all but a member that they lost. */
static bool is_fresher(const struct cs_super *s, const struct cs_super *than)
{
	if (s->events != than->events)
		return s->events > than->events;
	return s->roles[than->number] >= ARR_ROLE_FAULTY && than->roles[s->number] < ARR_ROLE_FAULTY;
}

const struct cs_super *super_believed(struct cs_world *w)
{
	const struct cs_super *best = NULL;

	EACH_DISK(w, d) {
		const struct cs_super *s = d->is_used && !is_absent(d) ? super_on(w, d) : NULL;

		if (s && s->is_valid && s->role < ARR_ROLE_FAULTY && !s->is_recovering)
			best = best && !is_fresher(s, best) ? best : s;
	}
	return best;
}

uint32_t members_in_sync(struct cs_world *w)
{
	const struct cs_super *best = super_believed(w);
	uint32_t mask = 0;

	EACH_DISK(w, d) {
		const struct cs_super *s = d->is_used && best ? super_on(w, d) : NULL;

		if (s && s->is_valid && best->roles[s->number] < ARR_ROLE_FAULTY && !s->is_recovering &&
		    s->role < ARR_ROLE_FAULTY && s->events + 1 >= best->events)
			mask |= 1u << disk_index(w, d);
	}
	return mask;
}
