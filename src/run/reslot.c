/* Off line: what a change of a cluster writes, and in which order.
 *
 *   keep, make     slots behind the first | slot 0 | superblocks that do not say clustered yet
 *   end            superblocks | slot 0                             each on all members, flushed
 *   other chunks   STALE heads | slots | heads                      all on one member, flushed, then the next
 *
 * Why, see assembly/recluster.c and assembly/rechunk.c. Left out: what is read and refused before (recluster.c). */
#include "run/recluster.h"

#include <string.h>

static int failed(const struct reclustering *r, uint32_t i, int rc, const char *what, struct err *err)
{
	return err_set(err, rc,
		       "%s: the %s could not be written: %s; the array starts as it was or as it would be%s, and "
		       "the change can be tried again", r->shown[i], what, err_sentence(rc),
		       r->change.is_rechunked ? ", or copies everything" : "");
}

static int write_slots(struct reclustering *r, uint32_t first, uint32_t end, struct err *err)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < r->count; i++) {
		for (uint32_t slot = first; rc == 0 && slot < end; slot++) {
			member_off at = asm_recluster_place(&r->change, &r->looks[i], &r->looks[r->plan.freshest],
							    slot);

			rc = mbr_write(r->hands[i], at, r->slots[slot], r->change.slot_bytes, false);
		}
		if (rc == 0)
			rc = mbr_flush(r->hands[i]);
		if (rc < 0)
			return failed(r, i, rc, "bitmap", err);
	}
	return 0;
}

static int write_supers(struct reclustering *r, struct err *err)
{
	uint8_t raw[FMT_SB1_BYTES];

	for (uint32_t i = 0; i < r->count; i++) {
		int rc;

		asm_recluster_super(&r->change, &r->looks[i], &r->looks[r->plan.freshest], raw);
		rc = mbr_write(r->hands[i], r->looks[i].super_at, raw,
			       round_up(fmt_sb1_valid_bytes(&r->looks[i].sb), SECTOR_BYTES), false);
		if (rc == 0)
			rc = mbr_flush(r->hands[i]);
		if (rc < 0)
			return failed(r, i, rc, "superblock", err);
	}
	return 0;
}

/* All superblocks say already that the array is clustered. */
static bool are_flagged(const struct reclustering *r)
{
	for (uint32_t i = 0; i < r->count; i++)
		if (!(r->looks[i].sb.feature_map & FMT_SB1_CLUSTERED))
			return false;
	return true;
}

/* ---- other chunks ---- */

/* A head comes with the first of its bits: what is written lies in one sector, which is never torn. */
static int mark_heads(struct reclustering *r, uint32_t i)
{
	const struct asm_reclustered *c = &r->change;
	int rc = 0;

	for (uint32_t slot = 0; rc == 0 && slot < asm_rechunk_heads(c, &r->looks[i]); slot++) {
		uint8_t sector[SECTOR_BYTES];
		member_off at;

		memset(sector, 0xff, sizeof sector);
		memcpy(sector, r->slots[slot < c->slots ? slot : 0], FMT_BITMAP_SB_BYTES);
		at = asm_rechunk_head(c, &r->looks[i], &r->looks[r->plan.freshest], slot, sector);
		rc = mbr_write(r->hands[i], at, sector, sizeof sector, false);
	}
	return rc ? rc : mbr_flush(r->hands[i]);
}

static int write_marked(struct reclustering *r, uint32_t i)
{
	const struct asm_reclustered *c = &r->change;
	int rc = 0;

	for (uint32_t slot = 0; rc == 0 && slot < c->slots; slot++) {
		uint8_t head[FMT_BITMAP_SB_BYTES];

		memcpy(head, r->slots[slot], sizeof head);
		asm_rechunk_mark(r->slots[slot]);
		rc = mbr_write(r->hands[i], asm_recluster_place(c, &r->looks[i], &r->looks[r->plan.freshest], slot),
			       r->slots[slot], c->slot_bytes, false);
		memcpy(r->slots[slot], head, sizeof head);
	}
	return rc ? rc : mbr_flush(r->hands[i]);
}

static int write_heads(struct reclustering *r, uint32_t i)
{
	const struct asm_reclustered *c = &r->change;
	int rc = 0;

	for (uint32_t slot = 0; rc == 0 && slot < c->slots; slot++)
		rc = mbr_write(r->hands[i], asm_recluster_place(c, &r->looks[i], &r->looks[r->plan.freshest], slot),
			       r->slots[slot], SECTOR_BYTES, false);
	return rc ? rc : mbr_flush(r->hands[i]);
}

static int write_rechunked(struct reclustering *r, struct err *err)
{
	for (uint32_t i = 0; i < r->count; i++) {
		int rc = mark_heads(r, i);

		if (rc == 0)
			rc = write_marked(r, i);
		if (rc == 0)
			rc = write_heads(r, i);
		if (rc < 0)
			return failed(r, i, rc, "bitmap", err);
	}
	return 0;
}

int run_reslot(struct reclustering *r, struct err *err)
{
	const struct asm_reclustered *c = &r->change;
	int rc;

	if (c->is_rechunked)
		return write_rechunked(r, err);
	if (c->kind == ASM_CLUSTER_END) {
		rc = write_supers(r, err);
		return rc < 0 ? rc : write_slots(r, 0, 1, err);
	}
	rc = write_slots(r, 1, c->slots, err);
	if (rc == 0)
		rc = write_slots(r, 0, 1, err);
	return rc < 0 || are_flagged(r) ? rc : write_supers(r, err);
}
