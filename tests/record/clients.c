/* What clients asked and were told.
 *
 * The order in which overlapping writes of clients must appear is that of ASKED: recorded under the array's lock.
 *
 * A mirror bears with a member that refuses: a request may fail only when no member is left that is in sync and was
 * never made to refuse anything in this life, or when the array was told to stop. A stop answers everybody. So every
 * refusal has a FAULT or a STOPPING before it in the log, or is broken (I9).
 *
 * Whether a request that is open at the end of a log would have been answered nobody can tell, when its process was
 * killed. But when its threads slept, all of them, and its log had ended long ago (the caller has seen to that), then
 * nobody will ever answer it: nothing of it is under way.
 *
 * Laws looked at here: I1 and I6 (what clients read, and what they were told while a member was missing), I9. */
#include "history.h"

#include <errno.h>
#include <string.h>

static const char *name_of(const struct asked *a)
{
	static const char *const names[] = { "read", "write", "zeroing", "flush" };

	return names[a->r.req.op];
}

void clients_asked(struct history *h, const struct mbr_record *r)
{
	bool is_fua = r->flags & MBR_REC_DURABLE || (r->op == MBR_REC_WRITE && r->word & HISTORY_WORD_IS_FUA);
	struct model *model = &h->w->model;
	struct asked *a = h->asked;

	while (a < h->asked + ASKED_MAX && a->number)
		a++;
	if (a == h->asked + ASKED_MAX || r->len > MODEL_SPAN_MAX * SECTOR_BYTES || r->at % SECTOR_BYTES ||
	    r->len % SECTOR_BYTES || (r->op == MBR_REC_WRITE && r->word == UINT64_MAX))
		not_understood(h, "a request that the model does not know: too many, too long, or not of one word");
	*a = (struct asked){ .number = r->number,
			     .r = { .req = { .op = (enum arr_op)r->op, .is_fua = is_fua },
				    .first = r->at / SECTOR_BYTES, .sectors = r->len / SECTOR_BYTES } };
	if (r->op == MBR_REC_READ)
		model_look(model, a->r.first, a->r.sectors, &a->r.view);
	else if (r->op == MBR_REC_FLUSH)
		a->r.acks = model_flush(model);
	else
		a->r.serial = model_write(model, a->r.first, a->r.sectors, r->op == MBR_REC_ZERO ? 0 : r->word);
}

/* ---- failures ---- */

static void request_failed(struct model *model, const struct asked *a)
{
	if (a->r.req.op == ARR_READ)
		model_read_failed(model);
	else if (a->r.req.op != ARR_FLUSH)
		model_failed(model, a->r.serial, a->r.first, a->r.sectors);
}

/* A member that could have done it: in sync, and never made to refuse. NULL: none. */
static const struct sim_member *sound_member(const struct history *h)
{
	EACH_MEMBER(h->w, m)
		if (is_in_sync(m) && !(h->troubled & 1u << index_of(h->w, m)))
			return m;
	return NULL;
}

static void check_refused(struct history *h, const struct asked *a, int64_t rc)
{
	const struct sim_member *sound = sound_member(h);

	h->refusals++;
	if (rc == -ESHUTDOWN && h->is_stopping)
		return;
	if (rc == -ESHUTDOWN || sound)
		broken(h->w, LAW_I9, "a %s of %llu+%llu is told as failed (%s), and %s", name_of(a),
		       (unsigned long long)a->r.first, (unsigned long long)a->r.sectors, strerror((int)-rc),
		       rc == -ESHUTDOWN ? "nobody has stopped the array" :
					  "a member in sync never had to refuse");
}

/* ---- answers ---- */

static void read_answered(struct history *h, struct asked *a, const uint64_t *words)
{
	uint8_t data[MODEL_SPAN_MAX * SECTOR_BYTES];

	for (uint64_t i = 0; i < a->r.sectors; i++) {
		model_fill(data + i * SECTOR_BYTES, 1, words[i]);
		data[i * SECTOR_BYTES + 8] ^= words[i] == UINT64_MAX;	/* no single word stays none */
	}
	a->r.data = data;
	check_read(h->w, &a->r);
	h->reads++;
}

static void well_answered(struct history *h, struct asked *a, const uint8_t *extra)
{
	struct model *model = &h->w->model;

	if (a->r.req.op == ARR_READ) {
		read_answered(h, a, (const uint64_t *)(const void *)extra);
		return;
	}
	if (a->r.req.op == ARR_FLUSH)
		model_flushed(model, a->r.acks);
	else
		model_acked(model, a->r.serial, a->r.first, a->r.sectors, a->r.req.is_fua);
	check_acked(h->w, &a->r);
}

void clients_answered(struct history *h, const struct mbr_record *r, const uint8_t *extra)
{
	struct asked *a = h->asked;

	while (a < h->asked + ASKED_MAX && a->number != r->number)
		a++;
	if (a == h->asked + ASKED_MAX)
		not_understood(h, "request %llu is answered, but nobody asked", (unsigned long long)r->number);
	h->requests++;
	if (h->troubled)
		at_stake(h->w, LAW_I9);
	if (r->rc) {
		check_refused(h, a, r->rc);
		request_failed(&h->w->model, a);
	} else {
		well_answered(h, a, extra);
	}
	a->number = 0;
}

/* ---- ends ---- */

static const struct asked *open_request(const struct history *h)
{
	for (const struct asked *a = h->asked; a < h->asked + ASKED_MAX; a++)
		if (a->number)
			return a;
	return NULL;
}

void clients_closed(struct history *h, const struct mbr_record *r)
{
	const struct asked *a = open_request(h);

	h->is_closed = true;
	if (a)
		broken(h->w, LAW_I9, "the array was closed, and a %s of %llu+%llu was never answered", name_of(a),
		       (unsigned long long)a->r.first, (unsigned long long)a->r.sectors);
	if (r->rc && sound_member(h))
		broken(h->w, LAW_I9, "the array was not closed cleanly (%s), and a member in sync never had to refuse",
		       strerror((int)-r->rc));
	at_stake(h->w, LAW_I9);
	if (r->rc == 0)
		model_flushed(&h->w->model, h->w->model.acks);	/* a clean stop is a promise */
}

void clients_left(struct history *h)
{
	for (struct asked *a = h->asked; a < h->asked + ASKED_MAX; a++) {
		if (a->number)
			request_failed(&h->w->model, a);
		a->number = 0;
	}
}

static bool is_under_way(const struct history *h, const struct asked *a)
{
	for (const struct flying *f = h->flying; f < h->flying + FLYING_MAX; f++)
		if (f->begin && !f->is_old && f->begin->word == a->number)
			return true;
	return false;
}

void clients_stand_still(struct history *h)
{
	for (const struct asked *a = h->asked; a < h->asked + ASKED_MAX; a++)
		if (a->number && !is_under_way(h, a))
			broken(h->w, LAW_I9, "a %s of %llu+%llu waits for ever: none of it is under way, nobody runs",
			       name_of(a), (unsigned long long)a->r.first, (unsigned long long)a->r.sectors);
	if (h->is_stopping && !h->is_closed)
		broken(h->w, LAW_I9, "the array was told to stop, and it never ends: nobody runs");
}
