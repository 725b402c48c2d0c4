/* What may happen at any moment of a life: clients ask, the hands work, administrators act, faults strike, time passes.
 *
 * Most moments belong to the hands: one part or one report. Clients prefer a few hot places, so that writes meet each
 * other, and now and then anywhere. Which kinds of faults a seed has was decided when it began; all end with the
 * power. */
#include "life.h"

#include <stdio.h>

enum { MOMENTS = 400, OF_CLIENTS = 80, OF_HANDS = 300, OF_ADMINISTRATORS = 9, OF_FAULTS = 3 };

bool happen(struct life *l, struct sim_event e)
{
	e.lot = prng_next(&l->r) | 1;
	return world_do(l->w, &e);
}

/* ---- clients ---- */

static struct sim_event somewhere(struct life *l, enum sim_kind kind, uint32_t flags)
{
	uint64_t all = l->w->model.count;
	struct sim_event e = { .kind = kind, .flags = flags };

	/* One lot per statement: C does not say which operand draws first. */
	if (below(l, 4)) {
		e.first = below(l, 3) * (all / 3);
		e.first += below(l, 6);
	} else {
		e.first = below(l, all);
	}
	e.count = 1 + (below(l, 8) ? below(l, 6) : below(l, MODEL_SPAN_MAX));
	e.count = min_u64(e.count, all - e.first);
	return e;
}

void write_somewhere(struct life *l, uint32_t flags)
{
	struct sim_event e = somewhere(l, EV_WRITE, flags);

	if (below(l, 6) == 0) {
		e.kind = EV_ZERO;
		e.flags |= below(l, 2) ? EVF_PUNCH : 0;
	}
	happen(l, e);
}

static bool ask(struct life *l)
{
	uint64_t kind = below(l, 100);
	uint32_t flags = below(l, 40) ? EVF_ASYNC : 0;

	if (!world_free_request(l->w))
		return false;
	if (kind < 55 && !l->w->is_readonly)
		write_somewhere(l, flags | (below(l, 6) ? 0 : EVF_FUA));
	else if (kind < 85)
		happen(l, somewhere(l, EV_READ, flags));
	else
		happen(l, (struct sim_event){ .kind = EV_FLUSH, .flags = flags });
	return true;
}

/* ---- administrators ---- */

/* Another bitmap, of a size that the world can hold. */
static void grow(struct life *l)
{
	struct sim_event e = { .kind = EV_GROW };
	uint64_t kind = below(l, 8), least = l->w->size_bytes / SIM_CHUNKS_MAX;
	uint64_t chunk = 4096ull << below(l, 6);
	const char *where = below(l, 4) ? "" : " elsewhere";

	while (chunk < least)
		chunk *= 2;
	if (!l->w->has_bitmap && kind)
		snprintf(e.words, sizeof e.words, "internal %llu%s", (unsigned long long)chunk, where);
	else if (kind > 3)
		snprintf(e.words, sizeof e.words, "chunk %llu%s", (unsigned long long)chunk, where);
	else
		snprintf(e.words, sizeof e.words, kind ? "none" : "internal");
	happen(l, e);
}

static void turn(struct life *l)
{
	static const char *const words[] = { "writable", "readonly", "read-auto" };
	uint64_t mode = l->w->is_readonly && below(l, 3) ? 0 : below(l, 3);
	struct sim_event e = { .kind = EV_MODE };

	snprintf(e.words, sizeof e.words, "%s", words[mode]);
	happen(l, e);
}

/* What makes sense with this member now. */
static void administer(struct life *l)
{
	struct sim_event e = { .member = (uint32_t)below(l, l->w->member_count) };
	const struct sim_member *m = &l->w->members[e.member];

	if (l->w->setup->is_external && below(l, 3) == 0) {
		e.kind = EV_CAN_CLEAR;
		e.count = below(l, 2);
		happen(l, e);
		return;
	}
	if (below(l, 6) == 0) {
		turn(l);
		return;
	}
	if (!l->w->setup->is_external && below(l, 3) == 0) {
		grow(l);
		return;
	}
	switch (m->state) {
	case ARR_M_FAULTY:
	case ARR_M_SPARE:
		e.kind = EV_REMOVE;
		break;
	case ARR_M_NONE:
		e.kind = below(l, 3) && m->place.is_used ? EV_READD : EV_ADD;
		break;
	default:
		e.kind = EV_FAIL;
	}
	happen(l, e);
}

/* ---- faults ---- */

static void corrupt(struct life *l, struct sim_event *e)
{
	e->kind = EV_CORRUPT;
	e->flags = below(l, 2) ? EVF_SUPERBLOCK : EVF_BITMAP;
}

static void strike_member(struct life *l, enum sim_fault fault, struct sim_event *e)
{
	e->member = (uint32_t)below(l, l->w->member_count);
	if (l->w->setup->is_file && below(l, 3) == 0 && fault != FAULT_EIO_RANGE && fault != FAULT_CORRUPT)
		e->member = SIM_FILE;
	switch (fault) {
	case FAULT_EIO_RANGE:
		e->kind = EV_BAD;
		e->first = below(l, l->w->model.count);
		e->count = min_u64(1 + below(l, 16), l->w->model.count - e->first);
		break;
	case FAULT_HANG:
		e->kind = EV_HANG;
		break;
	case FAULT_VANISH:
		e->kind = EV_VANISH;
		break;
	case FAULT_FLUSH:
		e->kind = EV_LOSE_FLUSH;
		break;
	case FAULT_CORRUPT:
		corrupt(l, e);
		break;
	default:
		e->kind = EV_EIO;
		e->count = below(l, 12);
		e->flags = fault == FAULT_EIO_FOR_EVER ? EVF_FOR_EVER : fault == FAULT_SHORT ? EVF_SHORT : 0;
	}
}

static void strike(struct life *l, enum sim_fault fault)
{
	struct sim_event e = { .kind = EV_KINDS };

	switch (fault) {
	case FAULT_NO_MEMORY:
		e.kind = EV_NO_MEMORY;
		e.count = below(l, 30);
		break;
	case FAULT_EARLY_TIMER:
		e.kind = EV_TIME;
		e.count = below(l, 3);
		break;
	case FAULT_FULL_QUEUE:
		e.kind = EV_QUEUE;
		e.count = below(l, 4);
		break;
	default:
		strike_member(l, fault, &e);
	}
	happen(l, e);
}

static void strike_somehow(struct life *l)
{
	uint64_t nth = below(l, (uint64_t)__builtin_popcount(l->faults));

	for (int fault = 0; fault < FAULT_KINDS; fault++)
		if (l->faults & 1u << fault && !nth--)
			strike(l, (enum sim_fault)fault);
}

/* What hangs answers sometime, and what vanished is found again. */
static void relieve(struct life *l)
{
	for (uint32_t i = 0; i <= SIM_FILE; i++) {
		const struct sim_disk *d = &l->w->members[i].disk;

		if (i >= l->w->member_count && (i != SIM_FILE || !l->w->setup->is_file))
			continue;

		if (d->is_hung && below(l, 40) == 0)
			happen(l, (struct sim_event){ .kind = EV_ANSWER, .member = i });
		if (d->is_gone && below(l, 40) == 0)
			happen(l, (struct sim_event){ .kind = EV_RETURN, .member = i });
	}
}

/* ---- time ---- */

static void pass_time(struct life *l)
{
	if (below(l, 3) && happen(l, (struct sim_event){ .kind = EV_DUE }))
		return;
	happen(l, (struct sim_event){ .kind = EV_TIME, .count = below(l, 40) });
}

static bool work(struct life *l)
{
	return happen(l, (struct sim_event){ .kind = EV_WORK, .flags = l->is_late ? EVF_LATE : 0 });
}

bool one_moment(struct life *l)
{
	uint64_t kind = below(l, MOMENTS);

	if (l->faults & (1u << FAULT_HANG | 1u << FAULT_VANISH))
		relieve(l);
	if (l->has_late_jobs && below(l, l->is_late ? 80 : 30) == 0)
		l->is_late = !l->is_late;
	if (l->is_restless && below(l, 12) == 0)
		administer(l);
	else if (kind < OF_CLIENTS && !l->w->is_stopping && ask(l))
		;
	else if (kind < OF_CLIENTS + OF_HANDS && work(l))
		;
	else if (kind >= MOMENTS - OF_ADMINISTRATORS && !l->is_quiet)
		administer(l);
	else if (kind >= MOMENTS - OF_ADMINISTRATORS - OF_FAULTS && l->faults)
		strike_somehow(l);
	else
		pass_time(l);
	crash_perhaps(l);
	return l->w->array;
}
