/* Goal: a record of the log counts when it is whole, unharmed and the one that is due; whatever else is there is none.
 * Method: records of every kind and many lengths are encoded; each is read again, cut at every length, with every one
 *         bit turned, under every other number nearby; then random bytes.
 * Law: C3 and C6, which rest on one order for everybody.
 * Source: design section 7: records (sequence, length, checksum). */
#include "base/prng.h"
#include "engine/engine_local.h"
#include "tap.h"

static struct prng chance;

static struct engine_record draw(uint32_t len_bytes)
{
	struct engine_record r = { .kind = ENGINE_R_MESSAGE, .index = (uint32_t)prng_below(&chance, ENGINE_NODES_MAX),
				   .node_id = prng_next(&chance) | 1, .seq = prng_next(&chance),
				   .len_bytes = len_bytes };

	if (!len_bytes)
		r.kind = ENGINE_R_JOINED + (enum engine_record_kind)prng_below(&chance, 4);
	for (uint32_t i = 0; i < len_bytes; i++)
		r.data[i] = (uint8_t)prng_next(&chance);
	return r;
}

static bool is_read(const struct engine_record *r, const uint8_t *raw, uint32_t bytes)
{
	struct engine_record again = { 0 };

	return engine_record_decode(raw, bytes, r->seq, &again) == ENGINE_RECORD_HEAD_BYTES + r->len_bytes &&
	       again.kind == r->kind && again.index == r->index && again.node_id == r->node_id && again.seq == r->seq &&
	       again.len_bytes == r->len_bytes && !memcmp(again.data, r->data, r->len_bytes);
}

static uint32_t count_cuts_read(const struct engine_record *r, const uint8_t *raw, uint32_t bytes)
{
	struct engine_record again;
	uint32_t count = 0;

	for (uint32_t cut = 0; cut < bytes; cut++)
		count += engine_record_decode(raw, cut, r->seq, &again) != 0;
	return count;
}

static uint32_t count_turned_read(const struct engine_record *r, uint8_t *raw, uint32_t bytes)
{
	struct engine_record again;
	uint32_t count = 0;

	for (uint32_t bit = 0; bit < 8 * bytes; bit++) {
		raw[bit / 8] ^= (uint8_t)(1 << bit % 8);
		count += engine_record_decode(raw, bytes, r->seq, &again) != 0;
		raw[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	return count;
}

static void check_length(uint32_t len_bytes)
{
	struct engine_record r = draw(len_bytes), again;
	uint8_t raw[ENGINE_RECORD_BYTES_MAX];
	uint32_t bytes = engine_record_encode(&r, raw), other = 0;

	ok(bytes == ENGINE_RECORD_HEAD_BYTES + len_bytes && is_read(&r, raw, bytes), "%u bytes: is read again",
	   len_bytes);
	is_u64(count_cuts_read(&r, raw, bytes), 0, "%u bytes: none of its beginnings is read", len_bytes);
	is_u64(count_turned_read(&r, raw, bytes), 0, "%u bytes: none with one bit turned is read", len_bytes);
	for (uint64_t seq = r.seq - 5; seq != r.seq + 6; seq++)
		other += engine_record_decode(raw, bytes, seq, &again) != 0;
	is_u64(other, 1, "%u bytes: under its own number alone", len_bytes);
}

/* Right checksum, wrong content: what an umd of another time could have written. */
static void check_nonsense(void)
{
	struct engine_record cases[] = { draw(3), draw(3), draw(3), draw(3) }, again;
	uint8_t raw[ENGINE_RECORD_BYTES_MAX];
	uint32_t bytes;

	cases[0].index = ENGINE_NODES_MAX;
	cases[1].node_id = 0;
	cases[2].kind = ENGINE_R_LEFT;		/* with a payload */
	cases[3].kind = ENGINE_R_MESSAGE + 1;
	for (int i = 0; i < 4; i++) {
		bytes = engine_record_encode(&cases[i], raw);
		is_u64(engine_record_decode(raw, bytes, cases[i].seq, &again), 0, "nonsense %d is not read", i);
	}
}

static void check_chance(void)
{
	uint8_t raw[ENGINE_RECORD_BYTES_MAX];
	struct engine_record again;
	uint32_t count = 0;

	for (int i = 0; i < 20000; i++) {
		struct engine_record r = draw(16);

		engine_record_encode(&r, raw);
		for (uint32_t at = 4; at < 56; at += 1 + (uint32_t)prng_below(&chance, 8))
			raw[at] = (uint8_t)prng_next(&chance);
		count += engine_record_decode(raw, sizeof raw, r.seq, &again) != 0;
	}
	is_u64(count, 0, "random bytes behind a magic are not read");
}

int main(void)
{
	static const uint32_t lengths[] = { 0, 1, 7, 44, 300, CLU_MESSAGE_BYTES_MAX };

	chance = prng_seed(6);
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
		check_length(lengths[i]);
	check_nonsense();
	check_chance();
	return tap_end();
}
