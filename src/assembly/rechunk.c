/* Off line: other chunks for every slot of a clustered bitmap.
 *
 * Where a slot lies follows from the chunks, so all of them move, over each other. On each member, one after the other:
 *
 *   1  every head, where it lies now, says STALE
 *   2  every slot, where it will lie, its head STALE
 *   3  every head as it shall be                               each step flushed before the next
 *
 * So bits are believed only when all of them are there. A cut in 1 to 3 leaves a member that takes everything into
 * doubt, when it is the one that is read, beside others that are as they were or as they shall be; a node that starts
 * writes its slot wherever it is not as the one that it read. Heads that stay behind where no slot is any more say
 * STALE too: nobody believes them when the chunks change back. Superblocks need no change: a slot that says STALE
 * counts in an array that was stopped cleanly as well.
 *
 * Words: *in doubt* is a slot that says STALE, or that no member in sync has. Left out: the hands (run/reslot.c). */
#include "assembly/inside.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/text.h"

enum { BLOCK_BYTES = 4096 };

/* Bytes from the first slot to what lies behind all of them. */
static uint64_t room_on(const struct asm_member *m, const struct asm_member *ref)
{
	struct sb1 sb = asm_with_bitmap(&m->sb, &ref->sb);
	uint64_t data = lay_data(&sb).at.bytes;
	member_off at = { 0 };

	if (!lay_bitmap(&sb, &at))
		return 0;
	return (data > at.bytes ? data : max_u64(m->size_bytes, at.bytes)) - at.bytes;
}

int asm_choose_slot_chunk(const struct asm_member *members, const struct asm_plan *plan, uint64_t wanted,
			  struct bitmap_sb *head, struct err *err)
{
	const struct asm_member *ref = &members[plan->freshest];
	uint64_t room = UINT64_MAX, slot;
	struct err why = { 0 };
	uint32_t tightest = 0;

	for (uint32_t i = 0; i < plan->member_count; i++)
		if (room_on(&members[i], ref) < room) {
			room = room_on(&members[i], ref);
			tightest = i;
		}
	slot = min_u64(round_down(room / head->nodes, BLOCK_BYTES), ASM_BITMAP_BYTES_MAX);
	if (!slot)
		return err_set(err, UMD_E_BAD_OPTION,
			       "%s: %" PRIu32 " slots need %" PRIu64 " bytes at least, and %" PRIu64
			       " are free: fewer nodes would fit; nothing has been written",
			       members[tightest].path, head->nodes, (uint64_t)head->nodes * BLOCK_BYTES, room);
	if (lay_choose_chunk(head->sync_size_sectors, (uint32_t)(slot / SECTOR_BYTES), wanted, &head->chunk_bytes,
			     &why) == 0)
		return 0;
	return err_set(err, UMD_E_BAD_OPTION, "%s: each of %" PRIu32 " slots has %" PRIu64 " bytes at most: %s",
		       members[tightest].path, head->nodes, slot, why.text);
}

/* ---- the bits ---- */

bool asm_is_slot_in_doubt(const struct asm_plan *plan)
{
	return plan->bitmap_is_stale || plan->slot_state == ASM_SLOT_BAD;
}

static void set_bits(uint8_t *image, uint64_t first, uint64_t last)
{
	for (uint64_t c = first; c <= last; c++) {
		struct bitmap_bit at = fmt_bitmap_bit((chunk_no){ c }, true);

		if (!at.bit && last - c >= 7) {
			image[at.byte] = 0xff;
			c += 7;
		} else {
			image[at.byte] |= (uint8_t)(1 << at.bit);
		}
	}
}

static int carry_bits(const struct bitmap_sb *from, const uint8_t *was, const struct bitmap_sb *to, uint8_t *image)
{
	struct bm *b = bm_new(from, was, fmt_bitmap_bytes(from));
	uint64_t most = fmt_bitmap_chunks(to) - 1;
	chunk_no first = { 0 }, last;

	if (!b)
		return -ENOMEM;
	for (; bm_next_set(b, first, &first, &last); first.index = last.index + 1) {
		uint64_t end_bytes = (last.index + 1) * from->chunk_bytes;

		set_bits(image, first.index * from->chunk_bytes / to->chunk_bytes,
			 min_u64((end_bytes - 1) / to->chunk_bytes, most));
	}
	bm_free(b);
	return 0;
}

int asm_rechunk_slot(const struct asm_reclustered *r, const struct asm_plan *plan, const struct sb1 *array,
		     const uint8_t *was, uint8_t *image)
{
	struct bitmap_sb sb = plan->own_slot;

	sb.chunk_bytes = r->head.chunk_bytes;
	if (asm_is_slot_in_doubt(plan)) {
		sb.state &= ~(uint32_t)FMT_BITMAP_STALE;
		sb.events = max_u64(sb.events, array->events);
		sb.events_cleared = sb.events;		/* nobody older comes back by these bits */
	}
	fmt_bitmap_sb_encode(&sb, image);
	if (!asm_is_slot_in_doubt(plan))
		return carry_bits(&plan->own_slot, was, &sb, image);
	set_bits(image, 0, fmt_bitmap_chunks(&sb) - 1);
	return 0;
}

/* ---- the heads ---- */

void asm_rechunk_mark(uint8_t raw[FMT_BITMAP_SB_BYTES])
{
	struct bitmap_sb sb;

	fmt_bitmap_sb_decode(raw, &sb);
	sb.state |= FMT_BITMAP_STALE;
	fmt_bitmap_sb_encode(&sb, raw);
}

/* After a change that was cut off, members have other chunks than the one that is read; one without a bitmap of its own
 * may have slots where that one has them. */
static const struct bitmap_sb *bitmap_on(const struct asm_reclustered *r, const struct asm_member *m)
{
	return m->has_bitmap && !m->bitmap_error.code && asm_bitmap_is_clustered(&m->bitmap) ? &m->bitmap : &r->was;
}

uint32_t asm_rechunk_heads(const struct asm_reclustered *r, const struct asm_member *m)
{
	return asm_slots_of(bitmap_on(r, m));
}

member_off asm_rechunk_head(const struct asm_reclustered *r, const struct asm_member *m, const struct asm_member *ref,
			    uint32_t slot, uint8_t raw[FMT_BITMAP_SB_BYTES])
{
	const struct bitmap_sb *now = bitmap_on(r, m);
	struct bitmap_sb sb;

	fmt_bitmap_sb_decode(raw, &sb);
	sb.chunk_bytes = now->chunk_bytes;
	sb.nodes = now->nodes;
	fmt_bitmap_sb_encode(&sb, raw);
	asm_rechunk_mark(raw);
	return (member_off){ asm_recluster_place(r, m, ref, 0).bytes + slot * asm_slot_bytes(now) };
}
