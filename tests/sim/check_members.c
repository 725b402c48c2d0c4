/* I5 and I11: who comes and who goes.
 *
 * I11: in the step in which a member leaves, every chunk that is counted becomes NEEDED: its cache may have died with
 * it. I5: a member that lacks what a client was told is never believed in sync.
 *
 * Words: *behind*, a client was told of a write that this member may lack; *left*, a member in sync says on its
 * medium that this one is none of us. */
#include "check.h"

#include <string.h>

/* Metadata that is damaged is refused or left out; a checksum that is wrong is never believed. */
static void is_believable(struct sim_world *w, const struct sim_member *m)
{
	if (m->state == ARR_M_NONE)
		return;
	if (!super_on(w, m))
		broken(w, LAW_I9, "%s is used, but its superblock has a wrong magic, place or checksum", m->disk.path);
	if (m->is_corrupt)
		at_stake(w, LAW_I9);
}

/* Two that ran apart and were both written to: one story is given up, on purpose and in the open. */
static void is_one_story(struct sim_world *w)
{
	bool has_ours = false, has_other = false;

	EACH_MEMBER(w, m) {
		if (!is_in_sync(m))
			continue;
		has_ours |= !m->has_forked;
		has_other |= m->has_forked;
	}
	if (has_ours && has_other)
		broken(w, LAW_I5, "members that ran apart are both believed in sync");
}

static void forget_choices_beside(struct sim_world *w, const struct sim_member *m)
{
	for (uint64_t s = 0; s < w->model.count; s++)
		if (model_is_excluded(&w->model, s, arena_word(w->arena, data_at(m, true, s))))
			model_forget_choice(&w->model, s);
}

/* A member is missing on which choices may have depended. They stay where the one that decides now shows what was
 * chosen: nobody else is read while copies may differ (I6). */
static void keep_choices_of(struct sim_world *w, const struct sim_member *pin)
{
	model_member_left(&w->model);
	forget_choices_beside(w, pin);
}

void members_started(struct sim_world *w)
{
	bool is_missing = w->was_readonly && !pin_of(w)->was_in_sync;	/* what it showed could not be recorded */

	is_one_story(w);
	EACH_MEMBER(w, m) {
		is_believable(w, m);
		is_missing |= (m->was_in_sync || m->may_decide) && !is_in_sync(m);
		if (is_in_sync(m) && m->is_behind)
			broken(w, LAW_I5, "%s lacks acknowledged writes and is believed in sync", m->disk.path);
		if (m->is_behind && m->state != ARR_M_NONE)
			at_stake(w, LAW_I5);
	}
	if (is_missing)
		keep_choices_of(w, pin_of(w));
}

static void counted_are_needed(struct sim_world *w, const struct sim_member *left)
{
	bool is_any = false;

	for (uint64_t c = 0; w->has_bitmap && c < w->chunks; c++) {
		uint16_t counter = bm_counter(arr_bitmap(w->array), (chunk_no){ c });

		if (!w->counters[c] || !counter)
			continue;
		is_any = true;
		if (!(counter & (BM_NEEDED | BM_RESYNC)))
			broken_at(w, LAW_I11, c, "%s left, and chunk %llu is counted (0x%x) but not needed",
				  left->disk.path, (ull)c, counter);
	}
	if (is_any)
		at_stake(w, LAW_I11);
}

/* A choice made by a member that left stays one where all that are left show what was chosen: then it was copied in
 * time, and it is flushed before one of these answers (I6). */
static void keep_choices(struct sim_world *w)
{
	model_member_left(&w->model);
	EACH_MEMBER(w, m)
		if (is_in_sync(m))
			forget_choices_beside(w, m);
}

/* What was damaged was written since? */
static bool is_mended(const struct sim_world *w, const struct sim_member *m, const struct super *own)
{
	const struct sim_bits *bits = bits_on(w, m, false);

	return !w->has_bitmap || (bits->is_bitmap && !memcmp(bits->uuid, own->uuid, sizeof own->uuid));
}

/* One that has just failed may have been written to, late, and nobody says yet that it is out. */
static bool may_tell(const struct sim_member *m)
{
	return is_in_sync(m) || (m->state == ARR_M_FAULTY && !m->is_left && !m->is_behind);
}

static bool is_self_confident(const struct sim_world *w, const struct super *own)
{
	return !(own->feature_map & FMT_SB1_RECOVERY_OFFSET) && own->roles[own->dev_number] < w->slots;
}

/* Being recovered, and its superblock says so: until then what it says is what it said when it was in sync. */
static bool is_on_its_way(const struct sim_world *w, const struct sim_member *m, const struct super *own)
{
	return m->state == ARR_M_RECOVERING && (!own || !is_self_confident(w, own));
}

/* In another story than its own its number is somebody else's. */
static bool is_number_taken(const struct sim_world *w, const struct sim_member *m)
{
	EACH_MEMBER(w, other)
		if (other != m && other->state != ARR_M_NONE && other->number_now == m->number)
			return true;
	return false;
}

/* Do the media say that it is none of those in sync? One that came back in this life may not be on record yet. */
static bool is_on_record(const struct sim_world *w, const struct sim_member *m)
{
	const struct super *own = super_on(w, m), *other;

	if (own && !is_self_confident(w, own))
		return true;
	EACH_MEMBER(w, teller) {
		other = is_in_sync(teller) && m->has_number ? super_on(w, teller) : NULL;
		if (other && other->roles[m->number] >= w->slots)
			return true;
	}
	return false;
}

/* It may be in sync again after a restart, and decide; or be missing there, and with it what it alone showed. */
void members_ended(struct sim_world *w)
{
	EACH_MEMBER(w, m)
		m->may_decide = m->place.is_used && !is_in_sync(m) && !m->is_behind && !is_on_record(w, m);
}

static void changed(struct sim_world *w, struct sim_member *m, enum arr_member_state state)
{
	bool was_in_sync = is_in_sync(m), was_working = was_in_sync || m->state == ARR_M_RECOVERING;

	trace_member(w, m, "is %s", arr_member_state_name(state));
	m->state = state;
	w->is_sync_expected = false;
	if (state != ARR_M_IN_SYNC)
		w->only_recovering = SIM_DISKS;
	if (was_in_sync) {
		m->left_sync = w->step;
		keep_choices(w);
	}
	if (state == ARR_M_FAULTY && was_working) {
		w->stats->failures++;
		owed_left(w, m, was_in_sync);
		counted_are_needed(w, m);
	}
	if (state == ARR_M_IN_SYNC)
		m->is_behind = false;
}

/* Who is named as lost by a superblock of a member in sync stays lost until his own says otherwise. */
static void note_left(struct sim_world *w, struct sim_member *m)
{
	const struct super *own = m->place.is_used ? super_on(w, m) : NULL, *other;

	if (own) {
		m->number = own->dev_number;	/* it may be damaged later, and is still this device */
		m->has_number = true;
		m->is_corrupt = m->is_corrupt && !is_mended(w, m, own);
		/* Ours has been written over its own story: it says that it is a spare, or being recovered. */
		m->has_forked = m->has_forked && (w->story || is_self_confident(w, own));
	}
	if (!m->is_there || !m->place.is_used || m->is_left == !is_in_sync(m))
		return;
	if (is_in_sync(m)) {
		m->is_left = own && !is_self_confident(w, own);
		return;
	}
	EACH_MEMBER(w, teller) {
		if (!may_tell(teller) || !m->has_number)
			continue;
		other = super_on(w, teller);
		if (other && (other->roles[m->number] >= w->slots || is_on_its_way(w, m, own) || is_number_taken(w, m)))
			m->is_left = true;
	}
}

/* Does the medium of @teller leave no doubt that the other is none of us? It calls its device lost; or is two events
 * ahead, further than a cut between two superblocks of one round explains. The number may be another device's by
 * now. */
static bool writes_off(const struct sim_world *w, const struct sim_member *teller, const struct super *own)
{
	const struct super *told = super_on(w, teller);

	return told && (told->roles[own->dev_number] >= w->slots || told->events > own->events + 1);
}

/* It says itself that it has nothing of the array from this sector on. */
static bool is_modest(const struct sim_world *w, const struct super *own, uint64_t sector)
{
	if (own->roles[own->dev_number] >= w->slots)
		return true;
	return own->feature_map & FMT_SB1_RECOVERY_OFFSET && own->recovery_offset_sectors <= sector;
}

/* Whoever starts from here on, with whichever of those in sync, learns that this member lacks what was written from the
 * sector on: each of them says so, or it does itself. One that ran apart is known by its story. */
bool is_written_off(const struct sim_world *w, const struct sim_member *m, uint64_t sector)
{
	const struct super *own = super_on(w, m);

	if (!own || m->is_apart || is_modest(w, own, sector))
		return true;
	EACH_MEMBER(w, teller)
		if (is_in_sync(teller) && !is_lost(teller) && !teller->is_corrupt && !writes_off(w, teller, own))
			return false;
	return true;
}

void check_left(struct sim_world *w)
{
	EACH_MEMBER(w, m)
		note_left(w, m);
}

/* As the table has them; what the superblock of a member that joins says comes later, if ever. */
void note_places(struct sim_world *w, const struct arr_status *s)
{
	for (uint32_t i = 0; i < s->member_count; i++) {
		struct sim_member *m = &w->members[w->disk_of[i]];

		if (m->state == ARR_M_NONE || m->entry != i)
			continue;
		m->slot = s->members[i].slot;
		m->is_write_mostly = s->members[i].is_write_mostly;
		m->number_now = s->members[i].dev_number;
	}
}

/* What was written since the last step was said by those who were in sync until now. */
void members_stepped(struct sim_world *w, const struct arr_status *s)
{
	bool has_changed = false;

	note_places(w, s);
	check_left(w);
	for (uint32_t i = 0; i < s->member_count; i++) {
		struct sim_member *m = &w->members[w->disk_of[i]];

		if (m->state == ARR_M_NONE || m->entry != i)
			continue;
		if (m->state == s->members[i].state)
			continue;
		changed(w, m, s->members[i].state);
		has_changed = true;
	}
	if (has_changed)
		check_left(w);
}
