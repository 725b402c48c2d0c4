/* The JSON of why: one line per member and slot, then the answer.
 *
 * A member whose bitmap says nothing (none there, not believed, no such chunk in it) keeps its line: numbers are null
 * and the sentence tells why. */
#include "look/why_inside.h"

#include <string.h>

#include "base/mem.h"

enum { OUTPUT_VERSION = 1 };

static void put_sentence(struct text *t, const char *key, struct text *sentence)
{
	char *taken = text_take(sentence);

	t->is_broken |= !taken;
	json_str(t, key, taken);
	mem_free(taken);
}

static void put_piece(struct text *t, const char *key, const struct span *piece)
{
	json_open(t, key, '{');
	json_u64(t, "offset_bytes", piece->at.bytes);
	json_u64(t, "length_bytes", piece->len_bytes);
	json_close(t, '}');
}

static void put_data(struct text *t, const struct why_data *d)
{
	if (d->count)
		put_piece(t, "data", &d->pieces[0]);
	else
		json_null(t, "data");
	if (d->count < 2)
		return;
	json_open(t, "more_data", '[');
	for (uint32_t i = 1; i < d->count; i++)
		put_piece(t, NULL, &d->pieces[i]);
	json_close(t, ']');
	json_bool(t, "more_data_truncated", d->is_truncated);
}

static void put_bit(struct text *t, const struct why *w, const struct why_member *m, const struct why_bit *b)
{
	struct text sentence = { 0 };

	json_open(t, NULL, '{');
	json_str(t, "path", m->source.e.path);
	json_u64(t, "slot", b->slot);
	json_u64(t, "byte_offset", b->at);
	if (b->is_lockless)
		json_null(t, "bit");
	else
		json_u64(t, "bit", b->bit);
	json_u64(t, "byte", b->byte);
	json_bool(t, "set", b->is_set);
	json_str(t, "state", b->is_lockless ? fmt_lockless_name(b->state) : NULL);
	put_data(t, &m->data);
	look_why_tell_member(w, m, b, &sentence);
	put_sentence(t, "sentence", &sentence);
	look_json_error(t, &m->source.e);
	json_close(t, '}');
}

static void tell_nothing(const struct why *w, const struct why_member *m, struct text *t)
{
	if (look_source_error(&m->source)->code)
		text_add(t, "%s", look_source_error(&m->source)->text);
	else if (!m->source.slots)
		text_add(t, "it has no bitmap of its own");
	else if (!m->is_initialised)
		text_add(t, "the lockless bitmap was never initialised: it has no chunks yet");
	else
		text_add(t, "there is no chunk %llu here: the bitmap has %llu chunks of %llu bytes",
			 (unsigned long long)w->chunk, (unsigned long long)m->chunks,
			 (unsigned long long)m->chunk_bytes);
}

static void put_nothing(struct text *t, const struct why *w, const struct why_member *m)
{
	static const char *const unknown[] = { "slot", "byte_offset", "bit", "byte", "set", "state" };
	struct text sentence = { 0 };

	json_open(t, NULL, '{');
	json_str(t, "path", m->source.e.path);
	for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
		json_null(t, unknown[i]);
	put_data(t, &m->data);
	tell_nothing(w, m, &sentence);
	put_sentence(t, "sentence", &sentence);
	look_json_error(t, &m->source.e);
	json_close(t, '}');
}

static void put_members(struct text *t, const struct why *w)
{
	json_open(t, "members", '[');
	for (size_t i = 0; i < w->count; i++) {
		const struct why_member *m = &w->members[i];

		for (uint32_t k = 0; k < m->bit_count; k++)
			put_bit(t, w, m, &m->bits[k]);
		if (!m->bit_count)
			put_nothing(t, w, m);
	}
	json_close(t, ']');
}

static void put_next_start(struct text *t, const struct why *w)
{
	struct text reason = { 0 };

	json_open(t, "next_start", '{');
	json_bool(t, "copied", w->is_copied);
	json_str(t, "from", w->is_copied && w->from != WHY_NOBODY ? w->who[w->from]->source.e.path : NULL);
	json_open(t, "to", '[');
	for (uint32_t i = 0; i < w->judged_count; i++)
		if (w->to >> i & 1)
			json_str(t, NULL, w->who[i]->source.e.path);
	json_close(t, ']');
	look_why_tell_reason(w, &reason);
	put_sentence(t, "reason", &reason);
	json_close(t, '}');
}

static void put_covers(struct text *t, const struct why *w)
{
	bool is_of_members = w->judged_count && look_why_is_of_members(&w->judged[w->plan.freshest].sb);

	json_open(t, "covers", '{');
	json_u64(t, "first_byte", w->first_byte);
	json_u64(t, "length_bytes", w->length_bytes);
	json_str(t, "of", is_of_members ? "members" : "array");
	json_close(t, '}');
}

void look_why_put(struct text *t, const struct why *w)
{
	const struct asm_member *ref = &w->reference->source.e.look;
	struct text sentence = { 0 };

	json_open(t, NULL, '{');
	json_u64(t, "output_version", OUTPUT_VERSION);
	json_u64(t, "chunk", w->chunk);
	if (w->external)
		json_null(t, "array_uuid");
	else
		look_json_uuid(t, "array_uuid", w->judged_count ? w->judged[0].sb.set_uuid : ref->bitmap.uuid);
	put_covers(t, w);
	put_members(t, w);
	put_next_start(t, w);
	look_why_tell_answer(w, &sentence);
	put_sentence(t, "sentence", &sentence);
	json_close(t, '}');
}
