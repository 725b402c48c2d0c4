/* An owner starts its array: from what it has on record, and what it finds there.
 *
 * It wants all members that it calls in sync, or to be told to do without; whom it does without it records as out
 * first. The bits are read from one member in sync, whichever. An array that it recorded as dirty, or whose slots are
 * not all in sync, has every bit needed; else those behind resync_start. */
#include "check.h"

#include <errno.h>
#include <string.h>

static bool is_out(const struct sim_world *w, uint32_t member)
{
	const struct sim_recorded *r = &w->owner.record.of[member];

	return !r->is_known || r->role >= w->slots;
}

static bool counts_as_in_sync(const struct sim_world *w, uint32_t member)
{
	return !is_out(w, member) && !w->owner.record.of[member].is_recovering;
}

static void refuse(struct sim_world *w, const char *missing, uint32_t slots)
{
	err_set(&w->plan->refusal, UMD_E_MEMBER_MISSING, "the owner calls %s in sync, one of %u, and it was not given: "
		"the array does not start without it unless told to", missing, slots);
}

void owner_judge(struct sim_world *w, uint32_t chosen, const struct asm_options *o)
{
	const struct sim_record *r = &w->owner.record;
	struct asm_plan *plan = w->plan;
	uint32_t in_sync = 0;

	memset(plan, 0, sizeof *plan);
	for (uint32_t i = 0; i < w->member_count; i++) {
		if (!counts_as_in_sync(w, i))
			continue;
		in_sync += chosen >> i & 1;
		if (!(chosen >> i & 1) && !o->may_run_degraded && !plan->refusal.code)
			refuse(w, w->members[i].disk.path, w->slots);
	}
	if (!in_sync)
		err_set(&plan->refusal, UMD_E_NO_MEMBER, "none of those given is a member that the owner calls in "
			"sync");
	plan->degraded = w->slots - in_sync;
	plan->has_bitmap = w->has_bitmap;
	plan->is_dirty = r->is_dirty || r->resync_sectors != UINT64_MAX;
	plan->resync_offset = r->is_dirty ? 0 : r->resync_sectors == UINT64_MAX ? OFF_NONE :
			      r->resync_sectors * SECTOR_BYTES;
	plan->action = plan->is_dirty ? ASM_RESYNC : ASM_NOTHING;
	w->owner_chosen = chosen;
	hash_in(w, chosen, (uint64_t)plan->refusal.code, plan->action);
	trace(w, "the owner judges: %s", plan->refusal.code ? plan->refusal.text : plan->is_dirty ? "dirty" : "clean");
}

/* Whom it does without is out, on record, before anything is written. */
static void record_who_is_missing(struct sim_world *w, bool is_readonly)
{
	struct sim_record *r = &w->owner.record;
	bool has_changed = false;

	for (uint32_t i = 0; i < w->member_count && !is_readonly; i++) {
		if (is_out(w, i) || w->owner_chosen >> i & 1)
			continue;
		r->of[i].returns_by_bits = !r->of[i].is_recovering || r->of[i].is_by_bits;
		r->of[i].role = ARR_ROLE_FAULTY;
		r->of[i].is_recovering = false;
		has_changed = true;
	}
	r->stores += has_changed;
	check_left(w);
}

static const struct sim_member *whose_bits(struct sim_world *w)
{
	const struct sim_member *m = NULL;

	for (uint32_t i = 0; i < w->member_count; i++)
		if (w->owner_chosen >> i & 1 && counts_as_in_sync(w, i) && (!m || prng_below(&w->lots, 2)))
			m = &w->members[i];
	return m;
}

/* False: no memory. */
static bool take_bits(struct sim_world *w, struct arr_config *c)
{
	const struct sim_member *m = whose_bits(w);
	bool is_needed = w->plan->is_dirty || w->plan->degraded;
	uint8_t image[SECTOR_BYTES];

	w->looked[0].path = m->disk.path;
	w->plan->bitmap_member = 0;
	if (!w->has_bitmap)
		return true;
	disk_peek(&m->disk, true, m->place.bitmap_at.bytes, sizeof image, image);
	c->bitmap = bm_new_bare(w->size_bytes, w->chunk_bytes, (w->setup->sleep_s ?: 5) * 1000, image, sizeof image);
	if (!c->bitmap)
		return false;
	if (bm_load(c->bitmap, is_needed ? BM_LOAD_NEEDED_FROM : BM_LOAD_CLEAN,
		    (array_off){ w->plan->degraded ? 0 : w->plan->resync_offset }, false) >= 0)
		return true;
	c->bitmap = bm_free(c->bitmap);
	return false;
}

static void take_members(struct sim_world *w, struct arr_config *c)
{
	for (uint32_t i = 0; i < w->member_count; i++) {
		const struct sim_recorded *r = &w->owner.record.of[i];
		struct sim_member *m = &w->members[i];

		if (!(w->owner_chosen >> i & 1) || is_out(w, i))
			continue;
		c->members[c->member_count] = (struct arr_member){
			.state = r->is_recovering ? ARR_M_RECOVERING : ARR_M_IN_SYNC,
			.slot = r->role,
			.dev_number = i,
			.data_at = m->place.data_at,
			.bitmap_at = m->place.bitmap_at,
			.is_write_mostly = w->setup->is_mostly && i == 1,
			.wants_full = r->is_recovering && !r->is_by_bits,
			.recovery_offset = r->is_recovering ? r->recovery_sectors * SECTOR_BYTES : OFF_NONE,
		};
		m->state = c->members[c->member_count].state;
		m->entry = c->member_count;
		w->disk_of[c->member_count++] = i;
		disk_open(&m->disk);
	}
}

int owner_start(struct sim_world *w, const struct asm_options *o)
{
	struct arr_config c = {
		.is_external = true,
		.is_readonly = o->is_readonly,
		.size_bytes = w->size_bytes,
		.raid_devices = w->slots,
		.resync_offset = w->plan->resync_offset,
		.safe_mode_delay_ms = o->safe_mode_delay_ms,
		.write_behind_max = w->setup->behind,
		.sync_reason = "its owner says so",
	};

	if (!take_bits(w, &c))
		return -ENOMEM;
	record_who_is_missing(w, o->is_readonly);
	take_members(w, &c);
	w->array = arr_new(&c);
	if (!w->array) {
		bm_free(c.bitmap);
		EACH_MEMBER(w, m)
			m->state = ARR_M_NONE;
		return -ENOMEM;
	}
	trace(w, "start: runs");
	w->is_readonly = w->is_still = o->is_readonly;
	w->is_stopping = w->is_broken = false;
	w->has_lived = true;
	check_started(w);
	return 0;
}
