/* What other nodes have written into superblocks is read again, and applied.
 *
 *   a look is due   another node says so (RELOAD), or the token was granted: who had it before may have died between
 *                   its writes and its message
 *   LOOK            superblocks of all members that are used here; the hands judge them (struct arr_reload)
 *   applied         what they say                      here                   becomes
 *                   slot, not recovering               RECOVERING             in sync: the last in the order of pins
 *                   slot                               SPARE                  RECOVERING; our bitmap is owed to it
 *                   slot, recovering                   RECOVERING             its offset, unless it is us who copy
 *                   FAULTY                             in use                 FAULTY (I11); the last in sync: broken
 *                   neither                            in use, recorded       FAULTY: another node started without it
 *                   a slot, to a device we have not    -                      broken: we could not write it
 *                   its disk is another device now     SPARE                  FAULTY: under that number it is no member
 *                   anything else                      ahead of them          our own news, still to be claimed
 *
 * It is finished when our bitmap is where it is owed, nothing of ours is on the way to who has failed, and what we may
 * have copied from it is flushed: the others take our word that each of our writes goes where they say, and nowhere
 * else (C6, I6).
 *
 * A message that speaks of them comes when superblocks are durable, so reading makes nothing to be recorded, but for a
 * failure: others may not have read of it yet, and would read from that member what our clients were told is written
 * (I1). So each node announces it before its clients hear of anything that the member lacks. What a dead node has left
 * may be half a round: news of that kind are claimed once more, by whoever finds them (I1).
 *
 * An announcement names the event number and a device that has it (LOOK must find as much): where that device is lost
 * here, the number is not found, or what is found under it is a dead node's word that this device is out, this node
 * cannot follow, and is broken. Two that each lost another member would else both go on, each believed by the member it
 * kept (I5).
 *
 * Superblocks older than an entry's place in the table do not know it, and say nothing about it. Left out: who is
 * believed (assembly/look.c). */
#include "array/state.h"

enum { LOOK_MISSES_MAX = 3 };

void arr_look(struct arr *a, bool may_be_torn)
{
	a->node.may_be_torn |= may_be_torn;
	if (a->node.look > LOOK_DUE)
		a->node.is_look_due_again = true;
	else
		a->node.look = LOOK_DUE;
}

static bool is_usable(const struct arr *a, uint32_t number)
{
	ARR_EACH(i, a, arr_in_slots(a) | arr_mask(a, ARR_M_SPARE))
		if (a->members[i].dev_number == number)
			return true;
	return false;
}

/* Who announced it goes on with that device. A node that has just lost it can neither read the claim nor go on by its
 * own: the others may have lost what it has kept. */
void arr_look_as_told(struct arr *a, const struct arr_event *ev)
{
	if (ev->events && !is_usable(a, ev->number))
		a->is_broken = true;
	if (ev->events > a->node.announced_events) {
		a->node.announced_events = ev->events;
		a->node.announced_number = ev->number;
	}
	arr_look(a, ev->value);
}

bool arr_is_reloading(const struct arr *a)
{
	if (a->node.is_lost)
		return false;
	if (a->is_broken)
		return a->node.jobs_out;	/* nothing more is given out, but this comes to members yet */
	return a->node.look != LOOK_IDLE || a->bitmap_owed & arr_in_slots(a) || arr_has_late_jobs(a);
}

/* What was copied from a member that has failed is in no cache any more before another one answers (I6). */
static bool flush(struct arr *a)
{
	if (a->sync_phase == SYNC_WRITE)
		return false;
	arr_flush_all(a, &a->node.look_job);
	a->node.look = LOOK_FLUSH;
	return true;
}

static bool look(struct arr *a)
{
	struct arr_node *n = &a->node;
	uint64_t members = arr_in_slots(a) | arr_mask(a, ARR_M_SPARE);

	arr_job_reserve(&n->look_job);
	n->look_job.kind = ARR_JOB_LOOK;
	n->look_job.owner = NULL;
	ARR_EACH(i, a, members)
		arr_job_add(&n->look_job, i, ARR_P_READ, 0, 0, 0, NULL);
	n->look = LOOK_OUT;
	n->look_has_token = n->has_token;
	n->look_may_be_torn = n->may_be_torn;
	n->may_be_torn = false;
	arr_job_issue(a, &n->look_job);
	return true;
}

bool arr_pump_look(struct arr *a)
{
	if (a->is_broken)
		return false;
	return a->node.look == LOOK_DUE ? look(a) : a->node.look == LOOK_FLUSH_DUE && flush(a);
}

/* ---- what they say of one member ---- */

static bool knows(const struct arr *a, const struct arr_reload *r, const struct arr_reload_member *said)
{
	return said->member < a->member_count && a->members[said->member].state != ARR_M_NONE &&
	       r->events > a->node.unaware_events[said->member];
}

static bool has_slot(const struct arr_reload_member *said)
{
	return said->role < ARR_ROLE_FAULTY;
}

static bool came_in_sync(const struct arr *a, const struct arr_reload_member *said)
{
	return has_slot(said) && !said->is_recovering && a->members[said->member].state == ARR_M_RECOVERING;
}

static void apply_in_sync(struct arr *a, const struct arr_reload *r)
{
	bool is_any = false;

	for (uint32_t n = 0; n < r->member_count; n++) {
		const struct arr_reload_member *said = &r->members[n];
		struct arr_member *m = &a->members[said->member];

		if (!knows(a, r, said) || !came_in_sync(a, said))
			continue;
		a->passes += !is_any;
		is_any = true;
		m->state = ARR_M_IN_SYNC;
		m->wants_full = false;
		m->recovery_offset = OFF_NONE;
		a->in_sync_since[said->member] = a->passes;
	}
	if (is_any && arr_is_whole(a))
		bm_forget_needed(a->bitmap);
}

/* In a slot, and not by news of ours that nobody has read yet: by another node, or since the start, it is on record. */
static bool was_recorded(const struct arr *a, uint32_t i)
{
	bool is_news = a->node.own_joins & ARR_BIT(i) && a->join_generation[i] > a->durable_generation;

	return a->members[i].state == ARR_M_IN_SYNC || (a->members[i].state == ARR_M_RECOVERING && !is_news);
}

static void apply_role(struct arr *a, const struct arr_reload_member *said)
{
	uint32_t i = said->member;
	struct arr_member *m = &a->members[i];

	if (said->role != ARR_ROLE_SPARE || said->is_claimed)
		a->node.candidates &= ~ARR_BIT(i);
	if (has_slot(said) && m->state == ARR_M_SPARE) {
		m->wants_full = !said->is_by_bitmap;
		m->recovery_offset = said->recovery_offset == OFF_NONE ? 0 : said->recovery_offset;
		arr_take_slot(a, i, said->role, true);
	} else if (has_slot(said) && m->state == ARR_M_RECOVERING) {
		if (said->is_recovering && !a->node.has_sync_lock)
			m->recovery_offset = said->recovery_offset;
	} else if (said->role == ARR_ROLE_FAULTY || (!has_slot(said) && was_recorded(a, i))) {
		arr_fail_member(a, i);
	} else if (m->state == ARR_M_FAULTY && has_slot(said) && a->durable_generation >= a->failure_generation) {
		a->is_broken = true;	/* no news of ours: another node uses what we let go, and cannot write */
	}
}

/* Its disk has another number by now: what we claim of this one must not be written there. */
static void fail_overwritten(struct arr *a, const struct arr_reload_member *said)
{
	if (said->is_overwritten && a->members[said->member].state == ARR_M_SPARE)
		arr_fail_member(a, said->member);
}

/* ---- all that they say ---- */

/* Nobody else may have read it, and not every member may have it. */
static void record_again(struct arr *a, uint64_t recovering)
{
	a->is_raise_wanted = true;
	arr_want_record(a);
	a->failure_generation = a->wanted_generation;
	ARR_EACH(i, a, arr_mask(a, ARR_M_RECOVERING) & ~recovering)
		a->join_generation[i] = a->wanted_generation;
}

/* Under the announced number, but not of who announced it: that claim gives its own device a slot. */
static bool is_other_story(const struct arr *a, const struct arr_reload *r)
{
	for (uint32_t n = 0; n < r->member_count; n++)
		if (a->members[r->members[n].member].dev_number == a->node.announced_number &&
		    r->events == a->node.announced_events)
			return !has_slot(&r->members[n]);
	return false;
}

static void apply(struct arr *a, const struct arr_reload *r, bool may_be_torn)
{
	bool is_news = r->events > arr_newest_events(a);
	uint64_t recovering = arr_mask(a, ARR_M_RECOVERING);

	a->node.strangers = r->strangers;
	if (r->strangers || is_other_story(a, r)) {
		a->is_broken = true;
		return;
	}
	if (is_news)
		a->events = r->events;
	apply_in_sync(a, r);
	for (uint32_t n = 0; n < r->member_count; n++) {
		if (knows(a, r, &r->members[n]))
			apply_role(a, &r->members[n]);
		fail_overwritten(a, &r->members[n]);
	}
	/* Who joined is copied to only when all others write there: their bits are gathered then, and no later ones. */
	if ((is_news && may_be_torn) || arr_mask(a, ARR_M_RECOVERING) & ~recovering)
		record_again(a, recovering);
}

static void end(struct arr *a)
{
	a->node.look = a->node.is_look_due_again ? LOOK_DUE : LOOK_IDLE;
	a->node.is_look_due_again = false;
}

void arr_look_done(struct arr *a, const struct arr_reload *r)
{
	struct arr_node *n = &a->node;
	uint64_t failed = arr_mask(a, ARR_M_FAULTY);

	if (n->look == LOOK_FLUSH) {
		arr_job_judge(a, &n->look_job);
		end(a);
		return;
	}
	if (!r || !r->is_found || r->events < n->announced_events) {
		/* Another node may be writing all of them just now; or who has the news could not be read. */
		n->look = LOOK_DUE;
		n->may_be_torn |= n->look_may_be_torn;
		a->is_broken |= ++n->look_misses >= LOOK_MISSES_MAX;
		return;
	}
	n->look_misses = 0;
	apply(a, r, n->look_may_be_torn);
	if (arr_mask(a, ARR_M_FAULTY) & ~failed && !a->is_broken)
		n->look = LOOK_FLUSH_DUE;
	else
		end(a);
	n->is_looked |= n->look_has_token && n->has_token;
}
