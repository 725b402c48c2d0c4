/* Goal: a slot that gets other chunks loses nothing that was in doubt, and until it is whole nobody believes its head.
 * Method: slots in memory, carried over to smaller and larger chunks and compared byte range by byte range; heads are
 *	   marked.
 * Law: C1, I2.
 * Source: md bitmap specification 1.1, 2.1, 3.1; design, section 7. */
#include "assembly/assembly.h"
#include "tap.h"

#include <string.h>

enum { KIB = 1024, SIZE = 1000 * KIB, ROOM = 8192 };	/* the last chunk is cut at the array's end */

static struct bitmap_sb slot_of(uint32_t chunk_bytes)
{
	return (struct bitmap_sb){ .magic = FMT_BITMAP_MAGIC, .version = 5, .events = 7, .events_cleared = 5,
				   .sync_size_sectors = SIZE / SECTOR_BYTES, .chunk_bytes = chunk_bytes,
				   .daemon_sleep_s = 5, .nodes = 2, .cluster_name = "lab" };
}

static void set(uint8_t *image, uint64_t chunk)
{
	struct bitmap_bit at = fmt_bitmap_bit((chunk_no){ chunk }, true);

	image[at.byte] |= (uint8_t)(1 << at.bit);
}

static bool is_set(const uint8_t *image, uint64_t chunk)
{
	struct bitmap_bit at = fmt_bitmap_bit((chunk_no){ chunk }, true);

	return image[at.byte] >> at.bit & 1;
}

/* Chunks set now that should not be, or the reverse: a new one is set where an old one that it touches was. */
static uint64_t wrong_chunks(const uint8_t *was, uint64_t from, const uint8_t *now, uint64_t to)
{
	uint64_t wrong = 0;

	for (uint64_t c = 0; c < div_up(SIZE, to); c++) {
		bool wanted = false;

		for (uint64_t at = c * to; at < min_u64((c + 1) * to, SIZE); at += min_u64(from, to))
			wanted |= is_set(was, at / from);
		wrong += is_set(now, c) != wanted;
	}
	return wrong;
}

static void carry(uint32_t from, uint32_t to, enum asm_slot_state state, bool is_stale, uint8_t *was, uint8_t *now)
{
	struct asm_reclustered r = { .head = slot_of(to), .was = slot_of(from), .is_rechunked = true };
	struct asm_plan plan = { .own_slot = slot_of(from), .slot_state = state, .bitmap_is_stale = is_stale };
	struct sb1 array = { .events = 9 };

	memset(now, 0, ROOM);
	fmt_bitmap_sb_encode(&plan.own_slot, was);
	ok(asm_rechunk_slot(&r, &plan, &array, was, now) == 0, "a slot is carried from chunks of %u to %u KiB",
	   from / KIB, to / KIB);
}

static void bits(uint32_t from, uint32_t to)
{
	static const uint64_t chunks[] = { 0, 3, 4, 5, 7, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20 };
	uint8_t was[ROOM] = { 0 }, now[ROOM];
	struct bitmap_sb sb;

	for (size_t i = 0; i < sizeof chunks / sizeof *chunks; i++)
		if (chunks[i] < div_up(SIZE, from))
			set(was, chunks[i]);
	set(was, div_up(SIZE, from) - 1);
	carry(from, to, ASM_SLOT_GOOD, false, was, now);
	is_u64(wrong_chunks(was, from, now, to), 0, "what was in doubt still is, and nothing else");
	fmt_bitmap_sb_decode(now, &sb);
	ok(sb.chunk_bytes == to && sb.events == 7 && sb.events_cleared == 5 && !(sb.state & FMT_BITMAP_STALE),
	   "its head has the new chunks and its own events");
}

static void doubt(enum asm_slot_state state, bool is_stale, const char *what)
{
	uint8_t was[ROOM] = { 0 }, now[ROOM];
	uint64_t missing = 0;
	struct bitmap_sb sb;

	carry(64 * KIB, 16 * KIB, state, is_stale, was, now);
	for (uint64_t c = 0; c < div_up(SIZE, 16 * KIB); c++)
		missing += !is_set(now, c);
	is_u64(missing, 0, "%s: all of it is in doubt", what);
	fmt_bitmap_sb_decode(now, &sb);
	ok(sb.events == 9 && sb.events_cleared == 9, "and nobody older comes back by it");
}

static void heads(void)
{
	struct asm_member m = { .has_superblock = true, .has_bitmap = true, .size_bytes = 64 << 20 };
	struct asm_reclustered r = { .head = slot_of(16 * KIB), .was = slot_of(64 * KIB), .slots = 2, .was_slots = 2,
				     .slot_bytes = 4096, .is_rechunked = true };
	uint8_t raw[FMT_BITMAP_SB_BYTES];
	struct bitmap_sb sb = slot_of(16 * KIB);
	member_off at;

	m.sb = (struct sb1){ .minor = SB1_2, .super_offset_sectors = 8,
			     .feature_map = FMT_SB1_BITMAP | FMT_SB1_CLUSTERED,
			     .bitmap_offset_sectors = 8, .data_offset_sectors = 2048,
			     .size_sectors = SIZE / SECTOR_BYTES };
	m.bitmap = slot_of(64 * KIB);
	fmt_bitmap_sb_encode(&sb, raw);
	at = asm_rechunk_head(&r, &m, &m, 1, raw);
	fmt_bitmap_sb_decode(raw, &sb);
	is_u64(asm_rechunk_heads(&r, &m), 2, "every head is marked");
	is_u64(at.bytes, 12288, "where it lies now");
	ok(sb.state & FMT_BITMAP_STALE, "as one that nobody believes");
	is_u64(sb.chunk_bytes, 64 * KIB, "with the chunks that it has now");
}

int main(void)
{
	bits(64 * KIB, 16 * KIB);
	bits(16 * KIB, 64 * KIB);
	bits(4 * KIB, 128 * KIB);
	bits(64 * KIB, 4 * KIB);
	doubt(ASM_SLOT_BAD, false, "a slot that no member has");
	doubt(ASM_SLOT_GOOD, true, "a slot that says STALE");
	heads();
	return tap_end();
}
