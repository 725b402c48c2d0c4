/* An own reader of superblocks and slots, by plain offsets: the oracle must not believe what umd's decoder makes of
 * umd's bytes. Little endian; the same description as in tests/sim/super.c.
 *
 * Asked after every step, so each member remembers what was read from the content that lies there. */
#include "csim.h"

enum { BITS_AT = 256, ROLES = 128 };

static uint64_t little(const uint8_t *raw, uint32_t at, uint32_t bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | raw[at + bytes];
	return value;
}

static uint32_t sum_of(const uint8_t *raw, uint32_t len)
{
	uint64_t sum = 0;
	uint32_t at;

	for (at = 0; at + 4 <= len; at += 4)
		sum += at == 216 ? 0 : little(raw, at, 4);
	if (at + 2 <= len)
		sum += little(raw, at, 2);
	return (uint32_t)sum + (uint32_t)(sum >> 32);
}

static void read_super(const uint8_t *raw, struct cs_super *ret)
{
	uint32_t max_dev = (uint32_t)little(raw, 220, 4);

	*ret = (struct cs_super){ .is_valid = false };
	if (little(raw, 0, 4) != 0xa92b4efc || max_dev > ROLES || little(raw, 160, 4) >= max_dev)
		return;
	if (sum_of(raw, BITS_AT + 2 * max_dev) != little(raw, 216, 4))
		return;
	ret->is_valid = true;
	ret->is_recovering = little(raw, 8, 4) & 2;
	ret->events = little(raw, 200, 8);
	ret->resync_offset = little(raw, 208, 8);
	ret->number = (uint32_t)little(raw, 160, 4);
	for (uint32_t i = 0; i < ROLES; i++)
		ret->roles[i] = i < max_dev ? (uint16_t)little(raw, BITS_AT + 2 * i, 2) : ARR_ROLE_SPARE;
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

uint64_t bits_on(struct cs_world *w, struct cs_disk *d, uint32_t slot, bool in_cache)
{
	struct cs_seen_bits *s = &d->seen[slot][in_cache];
	content now = disk_at(&d->disk, in_cache, d->bitmap_at.bytes + slot * w->slot_bytes);
	uint8_t raw[SECTOR_BYTES];

	if (!s->is_read || s->of != now) {
		arena_get(w->arena, now, raw);
		s->is_bitmap = little(raw, 0, 4) == 0x6d746962;
		s->bits = s->is_bitmap ? little(raw, BITS_AT, 8) : 0;
		if (w->chunks < 64)
			s->bits &= (1ull << w->chunks) - 1;
		s->of = now;
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
		const struct cs_super *s = d->is_used && !d->disk.is_dead ? super_on(w, d) : NULL;

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
