/* The owner of external metadata: it watches the array, stores what it sees, and answers.
 *
 *   watches --> looked --> stored --> answers: active, -blocked of each member, in any order --> watches
 *      |          |          |           |
 *      +-- clean, can_clear, a member that joins     a crash, or its own death, between any two of them
 *
 * Its store is durable and in one piece, so a crash finds the record before it or after it. It may record whatever it
 * sees: the laws of superblocks are asked of each store (I10), and what it has on record stands for superblocks
 * wherever the checkers ask for them (I1, I5). It lets a member back by the bits when it was in sync as it left and
 * the array has not been whole since, by its record: then bits may have gone.
 *
 * It is a slow and mortal owner: others work while it is between two steps, it sleeps when told to, and now and then
 * it dies and looks again. Without a lot it acts as soon as it can. A store can be under way when the power goes. */
#include "check.h"

#include <errno.h>
#include <string.h>

/* ---- the record ---- */

void owner_begins(struct sim_world *w)
{
	struct sim_record *r = &w->owner.record;

	r->resync_sectors = w->setup->is_assume_clean ? UINT64_MAX : 0;
	for (uint32_t i = 0; i < w->slots; i++)
		r->of[i] = (struct sim_recorded){ .is_known = true, .role = (uint16_t)i };
}

bool owner_super(const struct sim_world *w, const struct sim_record *r, const struct sim_member *m, struct super *ret)
{
	const struct sim_recorded *own = &r->of[index_of(w, m)];

	*ret = (struct super){
		.events = own->role < w->slots ? r->stores : own->stores,
		.resync_offset_sectors = r->is_dirty ? 0 : r->resync_sectors,
		.recovery_offset_sectors = own->recovery_sectors,
		.dev_number = index_of(w, m),
		.max_dev = w->member_count,
		.names_bitmap = w->has_bitmap,
		.bitmap_offset_sectors = (int32_t)((int64_t)(m->place.bitmap_at.bytes - m->place.super_at.bytes) /
						   SECTOR_BYTES),
	};
	if (own->is_recovering)
		ret->feature_map |= FMT_SB1_RECOVERY_OFFSET;
	if (own->is_recovering && own->is_by_bits)
		ret->feature_map |= FMT_SB1_RECOVERY_BITMAP;
	for (uint32_t i = 0; i < sizeof ret->roles / sizeof *ret->roles; i++)
		ret->roles[i] = i < w->member_count && r->of[i].is_known ? r->of[i].role : ARR_ROLE_FAULTY;
	return own->is_known;
}

bool owner_brings_back(const struct sim_world *w, const struct sim_member *m)
{
	const struct sim_recorded *own = &w->owner.record.of[index_of(w, m)];

	return own->is_known && (own->role < w->slots ? !own->is_recovering || own->is_by_bits : own->returns_by_bits);
}

static void put_out(const struct sim_world *w, struct sim_recorded *r)
{
	if (r->role >= w->slots)
		return;
	r->returns_by_bits = !r->is_recovering || r->is_by_bits;
	r->role = ARR_ROLE_FAULTY;
	r->is_recovering = false;
}

static void see_member(struct sim_world *w, struct sim_record *r, const struct arr_member *m, struct sim_recorded *of)
{
	if (m->state == ARR_M_FAULTY) {
		put_out(w, of);
		return;
	}
	*of = (struct sim_recorded){
		.is_known = true,
		.is_recovering = m->state == ARR_M_RECOVERING,
		.is_by_bits = !m->wants_full,
		.role = (uint16_t)m->slot,
		.stores = r->stores,
		.recovery_sectors = m->state == ARR_M_RECOVERING ? m->recovery_offset / SECTOR_BYTES : 0,
	};
}

/* What it would store now. */
static void see(struct sim_world *w, const struct arr_status *s, struct sim_record *ret)
{
	uint32_t here = 0;

	*ret = w->owner.record;
	ret->is_dirty = s->state != ARR_STATE_CLEAN && s->state != ARR_STATE_READONLY;
	ret->resync_sectors = s->resync_offset == OFF_NONE ? UINT64_MAX : s->resync_offset / SECTOR_BYTES;
	for (uint32_t i = 0; i < s->member_count; i++) {
		if (s->members[i].state == ARR_M_NONE)
			continue;
		see_member(w, ret, &s->members[i], &ret->of[w->disk_of[i]]);
		here |= 1u << w->disk_of[i];
	}
	for (uint32_t i = 0; i < OWNER_MEMBERS; i++)
		if (!(here & 1u << i))
			put_out(w, &ret->of[i]);
	for (uint32_t i = 0; i < OWNER_MEMBERS && !s->degraded; i++)
		ret->of[i].returns_by_bits = false;
}

static bool is_same(const struct sim_world *w, const struct sim_record *one, const struct sim_record *other)
{
	bool is_same = one->is_dirty == other->is_dirty && one->resync_sectors == other->resync_sectors;

	for (uint32_t i = 0; i < w->member_count; i++) {
		const struct sim_recorded *a = &one->of[i], *b = &other->of[i];

		is_same &= a->role == b->role && a->is_recovering == b->is_recovering &&
			   a->is_by_bits == b->is_by_bits && a->recovery_sectors == b->recovery_sectors &&
			   a->returns_by_bits == b->returns_by_bits;
	}
	return is_same;
}

static void store(struct sim_world *w)
{
	struct sim_owner *o = &w->owner;

	o->next.stores = o->record.stores + 1;
	for (uint32_t i = 0; i < OWNER_MEMBERS; i++)
		if (o->next.of[i].is_known && o->next.of[i].role < w->slots)
			o->next.of[i].stores = o->next.stores;
	check_store(w, &o->next);
	o->record = o->next;
	trace(w, "owner stores %llu: %s", (unsigned long long)o->record.stores, o->record.is_dirty ? "dirty" : "clean");
	hash_in(w, o->record.stores, o->record.is_dirty, o->record.resync_sectors);
	w->worked = ARR_JOB_CLAIM;	/* a moment at which the power likes to go */
	w->was_readonly &= w->is_still;
	check_left(w);
}

/* ---- a member joins ---- */

static uint32_t free_slot(const struct sim_world *w, const struct arr_status *s)
{
	uint64_t taken = 0;

	for (uint32_t i = 0; i < s->member_count; i++)
		if (s->members[i].state == ARR_M_IN_SYNC || s->members[i].state == ARR_M_RECOVERING)
			taken |= 1ull << s->members[i].slot;
	return (uint32_t)__builtin_ctzll(~taken) < w->slots ? (uint32_t)__builtin_ctzll(~taken) : UINT32_MAX;
}

static void decide(struct sim_world *w, const struct arr_status *s)
{
	struct sim_owner *o = &w->owner;
	struct sim_member *m = &w->members[o->joiner];
	bool is_by_bits = w->has_bitmap && owner_brings_back(w, m);
	uint32_t slot = free_slot(w, s);

	if (slot == UINT32_MAX || (!is_by_bits && !o->may_copy_all)) {
		trace(w, "owner lets nobody in");
		o->is_joining = false;
		return;
	}
	see(w, s, &o->next);
	o->next.of[o->joiner] = (struct sim_recorded){
		.is_known = true, .is_recovering = true, .is_by_bits = is_by_bits, .role = (uint16_t)slot,
		.returns_by_bits = is_by_bits,
	};
	store(w);
	o->is_decided = true;
}

static void let_in(struct sim_world *w, const struct arr_status *s)
{
	struct sim_owner *o = &w->owner;
	struct sim_member *m = &w->members[o->joiner];
	struct sim_recorded *own = &o->record.of[o->joiner];
	struct arr_member new = {
		.state = ARR_M_RECOVERING, .slot = own->role, .dev_number = o->joiner, .wants_full = !own->is_by_bits,
		.is_write_mostly = w->setup->is_mostly && o->joiner == 1,
	};
	struct arr_event ev = { .kind = ARR_EV_ADD, .new_member = &new, .reason = "its owner lets it in" };
	uint32_t entry = 0;

	while (entry < s->member_count && s->members[entry].state != ARR_M_NONE)
		entry++;
	o->is_joining = false;
	if (!m->place.is_used)
		m->place = w->members[0].place;
	new.data_at = m->place.data_at;
	new.bitmap_at = m->place.bitmap_at;
	m->has_failed = m->has_failed_source = false;
	m->entry = entry;
	m->state = ARR_M_RECOVERING;
	w->disk_of[entry] = o->joiner;
	w->only_recovering = SIM_DISKS;
	if (world_step(w, &ev) == 0)
		return;
	if (w->disk_of[entry] == o->joiner)
		m->state = ARR_M_NONE;
	trace(w, "owner: the array does not take it");
}

bool owner_return(struct sim_world *w, const struct sim_event *e)
{
	w->owner.is_joining = true;
	w->owner.is_decided = false;
	w->owner.may_copy_all = e->kind == EV_ADD;
	w->owner.joiner = e->member;
	return true;
}

/* ---- one thing after the other ---- */

/* Nothing is to be stored or answered: it can turn to other things. */
static bool is_up_to_date(struct sim_world *w, const struct arr_status *s)
{
	struct sim_record now;

	see(w, s, &now);
	return is_same(w, &now, &w->owner.record) && s->state != ARR_STATE_WRITE_PENDING && s->is_recorded;
}

static bool wants_clean(const struct arr_status *s)
{
	return s->state == ARR_STATE_ACTIVE_IDLE && s->owner_clean <= 0;
}

static bool wants_bits_cleared(const struct sim_world *w, const struct arr_status *s)
{
	return w->has_bitmap && !s->can_clear && !s->degraded && !w->owner.keeps_bits;
}

/* Does the array wait for the owner, or show what it has not on record? */
static bool has_news(struct sim_world *w, const struct arr_status *s)
{
	struct sim_record now;
	uint64_t blocked = 0;

	if (w->is_still || (w->is_stopping && !arr_is_stopped(w->array)))
		return false;
	for (uint32_t i = 0; i < s->member_count; i++)
		blocked |= s->members[i].is_blocked && s->members[i].state != ARR_M_NONE;
	see(w, s, &now);
	if (!is_same(w, &now, &w->owner.record))
		return true;
	return !w->is_stopping && (s->state == ARR_STATE_WRITE_PENDING || blocked);
}

bool owner_is_ready(struct sim_world *w)
{
	struct sim_owner *o = &w->owner;
	struct arr_status s;

	if (!w->setup->is_external || !w->array)
		return false;
	if (o->phase != OWNER_WATCHES)
		return true;
	arr_get_shown(w->array, &s);
	if (s.is_broken)
		return false;
	if (has_news(w, &s))
		return true;
	if (w->is_stopping || w->is_still)
		return false;
	if (o->is_joining && o->is_decided)
		return true;
	return is_up_to_date(w, &s) && (o->is_joining || wants_clean(&s) || wants_bits_cleared(w, &s));
}

static void look(struct sim_world *w, const struct arr_status *s)
{
	struct sim_owner *o = &w->owner;

	see(w, s, &o->next);
	o->phase = OWNER_LOOKED;
	o->is_asked = s->state == ARR_STATE_WRITE_PENDING;
	o->blocked = 0;
	for (uint32_t i = 0; i < s->member_count; i++)
		if (s->members[i].is_blocked && s->members[i].state != ARR_M_NONE)
			o->blocked |= 1ull << i;
	trace(w, "owner looks: %s", arr_state_name(s->state));
}

static void watch(struct sim_world *w)
{
	struct sim_owner *o = &w->owner;
	struct arr_status s;

	arr_get_shown(w->array, &s);
	if (o->is_joining && o->is_decided)
		let_in(w, &s);
	else if (has_news(w, &s) || !is_up_to_date(w, &s))
		look(w, &s);
	else if (o->is_joining)
		decide(w, &s);
	else if (wants_bits_cleared(w, &s))
		world_step(w, &(struct arr_event){ .kind = ARR_EV_CAN_CLEAR, .value = 1 });
	else if (wants_clean(&s))
		world_step(w, &(struct arr_event){ .kind = ARR_EV_OWNER_CLEAN });
}

static void answer(struct sim_world *w, bool by_lot)
{
	struct sim_owner *o = &w->owner;
	uint64_t member = o->blocked ? (uint64_t)__builtin_ctzll(o->blocked) : 0;

	if (!o->is_asked && !o->blocked) {
		o->phase = OWNER_WATCHES;
		return;
	}
	if (o->is_asked && (!o->blocked || !by_lot || prng_below(&w->lots, 2))) {
		o->is_asked = false;
		trace(w, "owner says active");
		world_step(w, &(struct arr_event){ .kind = ARR_EV_OWNER_ACTIVE });
		return;
	}
	o->blocked &= o->blocked - 1;
	trace(w, "owner says -blocked of %s", w->members[w->disk_of[member]].disk.path);
	world_step(w, &(struct arr_event){ .kind = ARR_EV_UNBLOCK, .member = (uint32_t)member });
}

void owner_goes_on(struct sim_world *w, bool by_lot)
{
	struct sim_owner *o = &w->owner;

	hash_in(w, 0x0e77e7, o->phase, o->blocked);
	if (by_lot && prng_below(&w->lots, 30) == 0) {
		trace(w, "owner dies");
		o->phase = OWNER_WATCHES;
		return;
	}
	switch (o->phase) {
	case OWNER_WATCHES:
		watch(w);
		break;
	case OWNER_LOOKED:
		store(w);
		o->phase = OWNER_ANSWERS;
		break;
	case OWNER_ANSWERS:
		answer(w, by_lot);
		break;
	}
}

/* A store that was under way is done or not; after a stop a living owner looks a last time. */
void owner_ends(struct sim_world *w, bool is_cut)
{
	struct sim_owner *o = &w->owner;
	struct arr_status s;

	if (is_cut && o->phase == OWNER_LOOKED && prng_below(&w->lots, 2)) {
		store(w);
	} else if (!is_cut && w->array && !w->is_still && (!o->is_asleep || prng_below(&w->lots, 2))) {
		arr_get_shown(w->array, &s);
		if (!s.is_broken && has_news(w, &s)) {
			look(w, &s);
			store(w);
		}
	}
	o->phase = OWNER_WATCHES;
	o->is_joining = o->is_asleep = o->keeps_bits = false;
}

/* ---- EV_OWNER, EV_CAN_CLEAR ---- */

static bool can_clear(struct sim_world *w, const struct sim_event *e)
{
	struct err err = { 0 };

	if (!w->array || w->is_stopping)
		return false;
	w->owner.keeps_bits = !e->count;
	world_step(w, &(struct arr_event){ .kind = ARR_EV_CAN_CLEAR, .value = e->count, .err = &err });
	trace(w, "can_clear %s: %s", e->count ? "true" : "false", err.code ? err.text : "done");
	return true;
}

bool owner_event(struct sim_world *w, const struct sim_event *e)
{
	if (e->kind == EV_CAN_CLEAR)
		return can_clear(w, e);
	if (!w->setup->is_external || !w->array)
		return false;
	if (!strcmp(e->words, "sleeps") || !strcmp(e->words, "wakes")) {
		w->owner.is_asleep = e->words[0] == 's';
		return true;
	}
	if (!strcmp(e->words, "dies")) {
		w->owner.phase = OWNER_WATCHES;
		return true;
	}
	if (strcmp(e->words, "works") || !owner_is_ready(w))
		return false;
	owner_goes_on(w, false);
	return true;
}
