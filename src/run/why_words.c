/* The words of why: who set a bit of a running array, and what keeps it set, each reason in a sentence of its own.
 *
 * Reasons stand beside each other: take one away and the others still keep the bit. Each puts its figures into its
 * object, then tells its sentence. What a member is called is known here; its path comes from a user and goes through
 * base/text.h. Facts are the array's (array/why.c). Left out: set-ahead, which this engine has not. */
#include "run/why_inside.h"

#include <inttypes.h>
#include <string.h>

/* ---- words ---- */

static void add_ms(struct text *t, uint64_t ms)
{
	text_add(t, "%" PRIu64 ".%03u s", ms / 1000, (unsigned)(ms % 1000));
}

static uint64_t ago(const struct run_tale *tale, uint64_t ms)
{
	return tale->now_ms > ms ? tale->now_ms - ms : 0;
}

static void add_ago(struct text *t, const struct run_tale *tale, uint64_t ms)
{
	add_ms(t, ago(tale, ms));
	text_add(t, " ago");
}

static void add_path(struct text *t, const struct run_tale *tale, uint32_t entry)
{
	const struct member *m = tale->u->hands[entry];

	if (m)
		text_add_escaped(t, m->path, strlen(m->path));
	else
		text_add(t, "the member of slot %u", tale->s->members[entry].slot);
}

static const char *op_name(enum arr_op op)
{
	return op == ARR_ZERO ? "zero" : "write";
}

static void add_write(struct text *t, const struct arr_why_write *w)
{
	text_add(t, "%s %" PRIu64 " (%" PRIu64 " byte%s at byte %" PRIu64 ")", op_name(w->op), w->number, w->len_bytes,
		 w->len_bytes == 1 ? "" : "s", w->at.bytes);
}

/* A sentence that was made piece by piece becomes a string of the object. */
void run_why_put_text(struct text *t, const char *key, struct text *sentence)
{
	t->is_broken |= sentence->is_broken;
	json_strn(t, key, sentence->data ?: "", sentence->len_bytes);
	text_drop(sentence);
}

static void put_write(struct text *t, const struct run_tale *tale, const struct arr_why_write *w, bool has_stage)
{
	static const char *const stages[] = { [ARR_S_QUEUED] = "queued", [ARR_S_MARKED] = "marked", [ARR_S_IO] = "io",
		[ARR_S_RECORD] = "record" };

	json_open(t, NULL, '{');
	json_u64(t, "request", w->number);
	json_str(t, "what", op_name(w->op));
	json_u64(t, "offset_bytes", w->at.bytes);
	json_u64(t, "length_bytes", w->len_bytes);
	if (has_stage)
		json_str(t, "stage", stages[w->stage]);
	json_close(t, '}');
}

static void put_writes(struct text *t, const struct run_tale *tale, const struct arr_why_write *list, uint32_t count,
		       bool has_stage)
{
	json_u64(t, "count", count);
	json_open(t, "writes", '[');
	for (uint32_t i = 0; i < count && i < ARR_WHY_WRITES; i++)
		put_write(t, tale, &list[i], has_stage);
	json_close(t, ']');
}

/* ---- who set it ---- */

static void tell_setter(const struct run_tale *tale, struct text *t)
{
	const struct arr_why *w = tale->w;

	switch (w->setter) {
	case ARR_SET_BY_NOBODY:
		break;
	case ARR_SET_BY_WRITE:
	case ARR_SET_BY_ZERO:
		add_write(t, &w->set_by);
		text_add(t, " set it, ");
		add_ago(t, tale, w->set_ms);
		break;
	case ARR_SET_BY_HAND:
		text_add(t, "it was set by hand (bitmap_set_bits), ");
		add_ago(t, tale, w->set_ms);
		break;
	case ARR_SET_BEFORE:
		text_add(t, "it was set when the array started: by whom is not known");
		break;
	case ARR_SET_IN_FORMER:
		text_add(t, "it was set in the bitmap that this one replaced, ");
		add_ago(t, tale, w->set_ms);
		text_add(t, ": by whom is not known");
		break;
	case ARR_SET_FORGOTTEN:
		text_add(t, "by whom is not known: of %" PRIu64 " marks the last %d are remembered", w->marks,
			 ARR_WHY_MARKS);
		break;
	}
}

void run_why_put_setter(const struct run_tale *tale, struct text *t)
{
	static const char *const names[] = { [ARR_SET_BY_WRITE] = "write", [ARR_SET_BY_ZERO] = "zero",
		[ARR_SET_BY_HAND] = "hand", [ARR_SET_BEFORE] = "before_start", [ARR_SET_IN_FORMER] = "former_bitmap",
		[ARR_SET_FORGOTTEN] = "forgotten" };
	const struct arr_why *w = tale->w;
	bool is_request = w->setter == ARR_SET_BY_WRITE || w->setter == ARR_SET_BY_ZERO;
	struct text sentence = { 0 };

	if (w->setter == ARR_SET_BY_NOBODY) {
		json_null(t, "set_by");
		return;
	}
	json_open(t, "set_by", '{');
	json_str(t, "what", names[w->setter]);
	if (is_request)
		json_u64(t, "request", w->set_by.number);
	if (is_request || w->setter == ARR_SET_BY_HAND) {
		json_u64(t, "offset_bytes", w->set_by.at.bytes);
		json_u64(t, "length_bytes", w->set_by.len_bytes);
		json_u64(t, "milliseconds_ago", ago(tale, w->set_ms));
	}
	tell_setter(tale, &sentence);
	run_why_put_text(t, "sentence", &sentence);
	json_close(t, '}');
}

/* ---- what keeps it: each puts its figures and tells its sentence ---- */

static void by_writes(const struct run_tale *tale, struct text *t, struct text *say)
{
	static const char *const stages[] = { [ARR_S_MARKED] = "waits until bit and failures are on disk",
		[ARR_S_IO] = "is at its members", [ARR_S_RECORD] = "waits until a failure is recorded" };
	const struct arr_why *w = tale->w;

	put_writes(t, tale, w->writes, w->write_count, true);
	text_add(say, "%u write%s in flight: ", w->write_count, w->write_count == 1 ? " is" : "s are");
	add_write(say, &w->writes[0]);
	text_add(say, " %s", stages[w->writes[0].stage]);
}

static void by_behind(const struct run_tale *tale, struct text *t, struct text *say)
{
	const struct arr_why *w = tale->w;
	const char *joint = "";

	put_writes(t, tale, w->behind, w->behind_count, false);
	text_add(say, "%u answered write%s owed to ", w->behind_count, w->behind_count == 1 ? " is" : "s are");
	for (uint32_t i = 0; i < tale->s->member_count; i++)
		if (w->behind[0].members >> i & 1) {
			text_add(say, "%s", joint);
			add_path(say, tale, i);
			joint = ", ";
		}
	text_add(say, ": ");
	add_write(say, &w->behind[0]);
}

/* The slot's member, and what it is; nobody works there when there is none. */
static void add_slot(const struct run_tale *tale, uint32_t slot, struct text *say)
{
	for (uint32_t i = 0; i < tale->s->member_count; i++) {
		const struct arr_member *m = &tale->s->members[i];

		if (m->slot != slot || (m->state != ARR_M_FAULTY && m->state != ARR_M_RECOVERING))
			continue;
		add_path(say, tale, i);
		text_add(say, " of slot %u is %s", slot, arr_member_state_name(m->state));
		return;
	}
	text_add(say, "slot %u has no member", slot);
}

static bool is_slot_in_sync(const struct run_tale *tale, uint32_t slot)
{
	for (uint32_t i = 0; i < tale->s->member_count; i++)
		if (tale->s->members[i].state == ARR_M_IN_SYNC && tale->s->members[i].slot == slot)
			return true;
	return false;
}

static void by_degraded(const struct run_tale *tale, struct text *t, struct text *say)
{
	const struct arr_why *w = tale->w;
	const char *joint = "";

	if (!tale->s->is_external)
		json_u64(t, "since_event", w->degraded_events);
	json_bool(t, "since_start", w->is_degraded_since_start);
	json_u64(t, "milliseconds", ago(tale, w->degraded_ms));
	text_add(say, "the array is degraded since ");
	if (w->is_degraded_since_start)
		text_add(say, "its start, ");
	if (!tale->s->is_external)
		text_add(say, "event %" PRIu64 ", ", w->degraded_events);
	add_ago(say, tale, w->degraded_ms);
	text_add(say, ": ");
	for (uint32_t slot = 0; slot < tale->s->raid_devices; slot++)
		if (!is_slot_in_sync(tale, slot)) {
			text_add(say, "%s", joint);
			add_slot(tale, slot, say);
			joint = ", ";
		}
}

static void by_sync(const struct run_tale *tale, struct text *t, struct text *say)
{
	const struct arr_why *w = tale->w;
	bool is_recovery = false;

	for (uint32_t i = 0; i < tale->s->member_count; i++)
		is_recovery |= tale->s->members[i].state == ARR_M_RECOVERING;
	json_str(t, "action", is_recovery ? "recover" : "resync");
	json_bool(t, "runs", tale->s->action != ARR_SYNC_IDLE);
	json_bool(t, "needed", w->is_needed);
	json_bool(t, "being_copied", w->is_being_copied);
	json_off(t, "position_bytes", tale->s->action ? tale->s->sync_position : OFF_NONE);
	text_add(say, "its copies may differ, and a %s ", is_recovery ? "recovery" : "resync");
	if (tale->s->action)
		text_add(say, "is at byte %" PRIu64, tale->s->sync_position);
	else
		text_add(say, "is due");
	text_add(say, w->is_being_copied ? ": the chunk is being copied" : ": the chunk is to be copied");
}

static void by_hand(const struct run_tale *tale, struct text *t, struct text *say)
{
	json_u64(t, "milliseconds_ago", ago(tale, tale->w->hand_ms));
	text_add(say, "it was set by hand (bitmap_set_bits) ");
	add_ago(say, tale, tale->w->hand_ms);
	text_add(say, ", and no resync has ended since");
}

static void by_can_clear(const struct run_tale *tale, struct text *t, struct text *say)
{
	static const char *const words[] = { [ARR_CLEAR_BY_ORDER] = "order",
		[ARR_CLEAR_BY_MISSED_WRITE] = "missed_write", [ARR_CLEAR_BY_EVENTS] = "events" };
	static const char *const sentences[] = { [ARR_CLEAR_BY_ORDER] = "as was ordered",
		[ARR_CLEAR_BY_MISSED_WRITE] = "by itself, over a write that a member lacks",
		[ARR_CLEAR_BY_EVENTS] = "by itself, since the bitmap's owner does not know the array's events" };
	const struct arr_why *w = tale->w;

	json_str(t, "by", words[w->can_clear_word]);
	json_u64(t, "milliseconds", ago(tale, w->can_clear_ms));
	text_add(say, "can_clear is false since ");
	add_ago(say, tale, w->can_clear_ms);
	text_add(say, ", %s", sentences[w->can_clear_word]);
}

static void by_record(const struct run_tale *tale, struct text *t, struct text *say)
{
	const char *joint = "";

	if (!tale->s->is_external) {
		text_add(say, "a change of members is not yet in all superblocks");
		return;
	}
	text_add(say, "the owner has not answered: array_state is %s", arr_state_name(tale->s->state));
	for (uint32_t i = 0; i < tale->s->member_count; i++)
		if (tale->s->members[i].is_blocked) {
			text_add(say, "%s", *joint ? joint : ", blocked: ");
			add_path(say, tale, i);
			joint = ", ";
		}
}

static void by_freeze(const struct run_tale *tale, struct text *t, struct text *say)
{
	text_add(say, "sync_action is frozen: nothing is copied");
}

static void by_bad_source(const struct run_tale *tale, struct text *t, struct text *say)
{
	text_add(say, "the copying has stopped: the only member in sync cannot be read");
}

static void by_mode(const struct run_tale *tale, struct text *t, struct text *say)
{
	json_str(t, "state", arr_state_name(tale->s->state));
	text_add(say, "the array is %s: no bitmap is written",
		 tale->s->mode == ARR_MODE_WRITABLE ? "becoming read-only" : arr_state_name(tale->s->state));
}

static void by_change(const struct run_tale *tale, struct text *t, struct text *say)
{
	text_add(say, "the bitmap is being changed: no sweep runs meanwhile");
}

static void by_break(const struct run_tale *tale, struct text *t, struct text *say)
{
	text_add(say, "the last member could not be written: nothing is cleared before a restart");
}

static void by_period(const struct run_tale *tale, struct text *t, struct text *say)
{
	uint64_t left = tale->w->clear_ms > tale->now_ms ? tale->w->clear_ms - tale->now_ms : 0;
	uint32_t sleep_ms = bm_daemon_sleep_ms(arr_bitmap(tale->u->arr));

	json_u64(t, "milliseconds_left", left);
	json_u64(t, "daemon_sleep_ms", sleep_ms);
	text_add(say, "nobody writes there, and the sweep that may clear it comes in ");
	add_ms(say, left);
	text_add(say, " (time_base ");
	add_ms(say, sleep_ms);
	text_add(say, ")");
}

static void by_sweep(const struct run_tale *tale, struct text *t, struct text *say)
{
	text_add(say, "the sweep is just flushing the members before it clears the bit");
}

/* In the order in which they are told. */
static const struct reason {
	enum arr_why_reason bit;
	const char *name;
	void (*tell)(const struct run_tale *tale, struct text *t, struct text *say);
} reasons[] = {
	{ ARR_KEPT_BY_WRITES, "writes", by_writes },
	{ ARR_KEPT_BY_BEHIND, "behind", by_behind },
	{ ARR_KEPT_BY_DEGRADED, "degraded", by_degraded },
	{ ARR_KEPT_BY_SYNC, "sync", by_sync },
	{ ARR_KEPT_BY_HAND, "hand", by_hand },
	{ ARR_KEPT_BY_CAN_CLEAR, "can_clear", by_can_clear },
	{ ARR_KEPT_BY_RECORD, "record", by_record },
	{ ARR_KEPT_BY_FREEZE, "frozen", by_freeze },
	{ ARR_KEPT_BY_BAD_SOURCE, "source", by_bad_source },
	{ ARR_KEPT_BY_MODE, "mode", by_mode },
	{ ARR_KEPT_BY_CHANGE, "change", by_change },
	{ ARR_KEPT_BY_BREAK, "broken", by_break },
	{ ARR_KEPT_BY_PERIOD, "period", by_period },
	{ ARR_KEPT_BY_SWEEP, "sweep", by_sweep },
};

void run_why_put_reasons(const struct run_tale *tale, struct text *t)
{
	json_open(t, "kept_by", '[');
	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
		struct text sentence = { 0 };

		if (!(tale->w->reasons & reasons[i].bit))
			continue;
		json_open(t, NULL, '{');
		json_str(t, "reason", reasons[i].name);
		reasons[i].tell(tale, t, &sentence);
		run_why_put_text(t, "sentence", &sentence);
		json_close(t, '}');
	}
	json_close(t, ']');
}
