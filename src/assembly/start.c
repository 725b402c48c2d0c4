/* From a judgement to a running array: the array's member table and the lineage beside it.
 *
 * Members that are used get an entry in the order they were given. A stale member keeps its device number
 * and its slot; the bitmap is loaded as the plan says: after a clean stop with everybody here set bits are
 * leftovers, after an unclean one they are NEEDED from the checkpoint on, and while somebody is missing or
 * coming back all of them are NEEDED, so that none is lost. */
#include "assembly/inside.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"

static struct arr_member entry_of(const struct asm_member *m, const struct sb1 *ref, enum asm_verdict verdict)
{
	struct sb1 in_use = asm_with_bitmap(&m->sb, ref);
	struct arr_member e = {
		.state = ARR_M_RECOVERING,
		.slot = asm_own_role(&m->sb),
		.dev_number = m->sb.dev_number,
		.data_at = lay_data(&m->sb).at,
		.bitmap_at = { OFF_NONE },
		.is_write_mostly = m->sb.devflags & FMT_SB1_WRITE_MOSTLY,
	};

	lay_bitmap(&in_use, &e.bitmap_at);
	switch (verdict) {
	case ASM_IN_SYNC:
		e.state = ARR_M_IN_SYNC;
		e.recovery_offset = OFF_NONE;
		break;
	case ASM_SPARE:
		e.state = ARR_M_SPARE;
		break;
	case ASM_RECOVERING:
		e.wants_full = !(m->sb.feature_map & FMT_SB1_RECOVERY_BITMAP);
		e.recovery_offset = asm_recovery_offset(&m->sb);
		break;
	case ASM_STALE_FULL:
		e.wants_full = true;
		break;
	default:
		break;
	}
	return e;
}

/* The reference gives a slot to somebody who is not here, whoever else may stand in that slot. */
static bool misses_somebody(const struct asm_member *members, const struct asm_plan *plan)
{
	const struct sb1 *ref = &members[plan->freshest].sb;

	for (uint32_t number = 0; number < ref->max_dev && number < FMT_SB1_MAX_DEV; number++) {
		bool is_here = false;

		for (uint32_t i = 0; i < plan->member_count; i++)
			is_here |= asm_is_used(plan, i) && members[i].sb.dev_number == number;
		if (asm_is_slot(ref, ref->dev_roles[number]) && !is_here)
			return true;
	}
	return false;
}

/* The start itself changes what superblocks must say: somebody is missing, behind or coming back. */
static bool wants_record(const struct asm_member *members, const struct asm_plan *plan)
{
	const struct sb1 *ref = &members[plan->freshest].sb;

	if (misses_somebody(members, plan))
		return true;
	for (uint32_t i = 0; i < plan->member_count; i++)
		if (asm_is_used(plan, i) && (plan->verdicts[i] != ASM_IN_SYNC || members[i].sb.events != ref->events))
			return true;
	return false;
}

/* The power went while the chunks changed: to some of them this bitmap is new. */
static bool has_other_chunks(const struct asm_member *members, const struct asm_plan *plan)
{
	const struct bitmap_sb *read = &members[plan->bitmap_member].bitmap;

	for (uint32_t i = 0; i < plan->member_count; i++)
		if (asm_is_used(plan, i) && members[i].has_bitmap && members[i].bitmap.chunk_bytes != read->chunk_bytes)
			return true;
	return false;
}

/* One node's: of its own slot, what is in doubt. Heads that are not there are written before the first bit. */
static int64_t load_own_slot(const struct asm_member *members, const struct asm_plan *plan, struct bm *b)
{
	bool is_in_doubt = plan->is_dirty || plan->degraded;
	int64_t set = bm_load(b, is_in_doubt ? BM_LOAD_NEEDED_FROM : BM_LOAD_CLEAN, (array_off){ 0 },
			      plan->bitmap_is_stale);

	if (set >= 0 && asm_lacks_own_slot(members, plan))
		bm_write_all(b);
	return set;
}

static int load_bitmap(const struct asm_member *members, const struct asm_plan *plan, const uint8_t *image,
		       uint64_t image_bytes, struct bm **ret_bitmap, struct err *err)
{
	struct bm *b;
	int64_t set;

	*ret_bitmap = NULL;
	if (!plan->has_bitmap)
		return 0;
	b = bm_new(asm_own_bitmap(members, plan), image, image_bytes);
	if (!b)
		return err_set(err, -ENOMEM, "no memory for the bitmap");
	if (plan->is_node)
		set = load_own_slot(members, plan, b);
	else if (plan->degraded)
		set = bm_load(b, BM_LOAD_NEEDED_FROM, (array_off){ 0 }, plan->bitmap_is_stale);
	else
		set = bm_load(b, plan->is_dirty ? BM_LOAD_NEEDED_FROM : BM_LOAD_CLEAN,
			      (array_off){ plan->is_dirty ? plan->resync_offset : 0 }, plan->bitmap_is_stale);
	if (set >= 0 && !plan->is_node && has_other_chunks(members, plan))
		bm_rewrite(b);
	if (set < 0) {
		bm_free(b);
		return err_set(err, (int)set, "no memory for the bitmap's counters");
	}
	*ret_bitmap = b;
	return 0;
}

void asm_know_number(struct asm_lineage *l, const struct sb1 *sb)
{
	struct asm_number *n;

	if (sb->dev_number >= FMT_SB1_MAX_DEV)
		return;
	n = &l->numbers[sb->dev_number];
	n->state = NUMBER_KNOWN;
	n->was_missing = false;
	memcpy(n->device_uuid, sb->device_uuid, sizeof n->device_uuid);
}

static void remember(struct asm_lineage *l, uint32_t entry, const struct asm_member *m)
{
	struct asm_line *line = &l->lines[entry];

	line->is_used = true;
	line->sb = m->sb;
	line->super_at = m->super_at;
	memcpy(line->raw, m->raw, sizeof line->raw);
	asm_know_number(l, &m->sb);
}

/* What makes the array one of several nodes; of the own slot nothing may be in doubt. */
static void configure_node(const struct asm_member *members, const struct asm_plan *plan, struct arr_config *c)
{
	const struct bitmap_sb *first = &members[plan->bitmap_member].bitmap;

	if (!plan->is_node || !c->bitmap)
		return;
	c->is_clustered = true;
	c->nodes = first->nodes;
	c->node_slot = plan->node_slot;
	c->slot_bytes = asm_slot_bytes(first);
	if (!bm_needed_chunks(c->bitmap))
		c->resync_offset = OFF_NONE;
}

int asm_start(const struct asm_member *members, const struct asm_plan *plan, const struct asm_options *options,
	      const uint8_t *image, uint64_t image_bytes, struct arr **ret_array, struct asm_lineage **ret_lineage,
	      uint32_t ret_member_of[ARR_MEMBERS_MAX], struct err *err)
{
	const struct sb1 *ref = &members[plan->freshest].sb;
	struct asm_lineage *l = mem_new(1, sizeof *l);
	struct arr_config *c = mem_new(1, sizeof *c);
	bool has_looks = l && (!plan->is_node || (l->looks = mem_new(ARR_MEMBERS_MAX, sizeof *l->looks)));
	int rc = has_looks && c ? 0 : err_set(err, -ENOMEM, "no memory for the array");

	if (rc == 0) {
		c->size_bytes = ref->size_sectors * SECTOR_BYTES;
		c->raid_devices = ref->raid_disks;
		c->events = ref->events;	/* raised below: a preferred story may be the older one */
		c->is_readonly = options->is_readonly;
		c->safe_mode_delay_ms = options->safe_mode_delay_ms;
		c->is_active = plan->is_active;
		c->resync_offset = plan->resync_offset;
		c->wants_record = wants_record(members, plan);
		c->sync_reason = plan->reason;
		l->base = *ref;
		for (uint32_t n = 0; n < FMT_SB1_MAX_DEV; n++)
			l->numbers[n].state = asm_is_slot(ref, asm_role_of(ref, n)) ? NUMBER_UNSEEN :
					      asm_role_of(ref, n) == FMT_ROLE_SPARE ? NUMBER_FREE : NUMBER_GONE;
		for (uint32_t n = 0; n < FMT_SB1_MAX_DEV; n++)
			l->numbers[n].was_missing = l->numbers[n].state == NUMBER_UNSEEN;
		for (uint32_t i = 0; i < plan->member_count; i++) {
			if (!asm_is_used(plan, i) && plan->verdicts[i] != ASM_SPARE)
				continue;
			c->events = max_u64(c->events, members[i].sb.events);
			ret_member_of[c->member_count] = i;
			remember(l, c->member_count, &members[i]);
			c->members[c->member_count++] = entry_of(&members[i], ref, plan->verdicts[i]);
		}
		/* A cut may have left the next event on one that is missing, in sync there: that number is not given to
		 * another story, or this member would be taken for current once its device number is another's. */
		c->events += !c->is_readonly && misses_somebody(members, plan);
		c->bitmap_is_file = plan->bitmap_is_file;
		c->events_floor = plan->has_bitmap ? 0 : asm_first_number_for_data(c->events);
		rc = load_bitmap(members, plan, image, image_bytes, &c->bitmap, err);
		configure_node(members, plan, c);
		l->is_clustered = plan->is_node;
		c->write_behind_max = c->bitmap ? bm_superblock(c->bitmap)->write_behind : 0;
	}
	if (rc == 0) {
		*ret_array = arr_new(c);
		if (!*ret_array) {
			bm_free(c->bitmap);
			rc = err_set(err, -ENOMEM, "no memory for the array");
		}
	}
	mem_free(c);
	if (rc)
		asm_lineage_free(l);
	else
		*ret_lineage = l;
	return rc;
}

struct asm_lineage *asm_lineage_free(struct asm_lineage *l)
{
	if (l)
		mem_free(l->looks);
	return mem_free(l);
}
