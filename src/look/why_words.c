/* The sentences of why: what the bits say, what md does with the chunk.
 *
 *   "chunk 65 is set on a.img and b.img; the array was not stopped cleanly: md copies bytes 4259840 to 4325375 from
 *    a.img to b.img"
 *   "chunk 65 is set on a.img and b.img; the array was stopped cleanly, so md leaves it alone although the bit is set"
 *   "chunk 65 is set on a.img, clear on b.img (md reads the bitmap of a.img); ..."
 *
 * Members that say the same are named together, at most PATHS_MAX of them by name. Paths are escaped already. */
#include "look/why_inside.h"

#include <string.h>

#include "base/mem.h"

enum { PATHS_MAX = 4, SLOTS_TOLD_MAX = 8 };

/* ---- lists ---- */

/* The comma or "and" in front of number @i of @count, of which at most @max are named; false: not this one. */
static bool tell_link(struct text *t, uint32_t i, uint32_t count, uint32_t max)
{
	if (i > max)
		return false;
	if (i == max)
		text_add(t, " and %u more", count - max);
	else if (i)
		text_add(t, "%s", i + 1 == count ? " and " : ", ");
	return i < max;
}

void look_why_tell_paths(const struct why *w, uint64_t mask, struct text *t)
{
	uint32_t count = (uint32_t)__builtin_popcountll(mask), told = 0;

	for (uint32_t i = 0; i < w->judged_count; i++)
		if (mask >> i & 1 && tell_link(t, told++, count, PATHS_MAX))
			text_add(t, "%s", w->judged[i].path);
}

/* ---- what a member's bitmap says ---- */

static void tell_slots(const struct why_member *m, struct text *t)
{
	uint32_t count = 0, told = 0;

	for (uint32_t i = 0; i < m->bit_count; i++)
		count += m->bits[i].is_set;
	text_add(t, "set in slot%s ", count == 1 ? "" : "s");
	for (uint32_t i = 0; i < m->bit_count; i++)
		if (m->bits[i].is_set && tell_link(t, told++, count, SLOTS_TOLD_MAX))
			text_add(t, "%u", m->bits[i].slot);
}

/* "set", "clear", "dirty", "set in slots 0 and 2"; to be taken. NULL without memory. */
static char *word_of(const struct why_member *m)
{
	struct text t = { 0 };

	if (m->bits[0].is_lockless)
		text_add(&t, "%s", fmt_lockless_name(m->bits[0].state));
	else if (m->bit_count > 1 && m->is_set)
		tell_slots(m, &t);
	else if (m->bit_count > 1)
		text_add(&t, "clear in all %u slots", m->bit_count);
	else
		text_add(&t, "%s", m->is_set ? "set" : "clear");
	return text_take(&t);
}

static bool says(const struct why_member *m, const char *word)
{
	char *own = m->bit_count ? word_of(m) : NULL;
	bool is_same = own && !strcmp(own, word);

	mem_free(own);
	return is_same;
}

/* Has somebody before said the same? */
static bool is_said_before(const struct why *w, size_t i, const char *word)
{
	for (size_t k = 0; k < i; k++)
		if (says(&w->members[k], word))
			return true;
	return false;
}

static void tell_who_says(const struct why *w, const char *word, struct text *t)
{
	uint32_t count = 0, told = 0;

	for (size_t i = 0; i < w->count; i++)
		count += says(&w->members[i], word);
	text_add(t, "%s on ", word);
	for (size_t i = 0; i < w->count; i++)
		if (says(&w->members[i], word) && tell_link(t, told++, count, PATHS_MAX))
			text_add(t, "%s", w->members[i].source.e.shown);
}

void look_why_tell_bits(const struct why *w, struct text *t)
{
	uint32_t groups = 0;

	text_add(t, "chunk %llu is ", (unsigned long long)w->chunk);
	for (size_t i = 0; i < w->count; i++) {
		char *word = w->members[i].bit_count ? word_of(&w->members[i]) : NULL;

		if (word && !is_said_before(w, i, word)) {
			text_add(t, "%s", groups++ ? ", " : "");
			tell_who_says(w, word, t);
		}
		mem_free(word);
	}
	if (groups > 1 && w->reference->judged != WHY_NOBODY)
		text_add(t, " (md reads the bitmap of %s)", w->reference->source.e.shown);
}

/* ---- the answer ---- */

static void tell_copying(const struct why *w, struct text *t)
{
	const struct sb1 *sb = &w->judged[w->plan.freshest].sb;
	unsigned long long first = w->first_byte, last = w->first_byte + w->length_bytes - 1;

	if (look_why_is_of_members(sb) && w->plan.action == ASM_RESYNC) {
		text_add(t, "md computes the parity of bytes %llu to %llu of the members' data anew", first, last);
	} else if (look_why_is_of_members(sb)) {
		text_add(t, "md computes bytes %llu to %llu of the data of ", first, last);
		look_why_tell_paths(w, w->to, t);
		text_add(t, " from the other members");
	} else if (w->from == WHY_NOBODY) {
		text_add(t, "md copies what holds bytes %llu to %llu between the members with copies, to ", first,
			 last);
		look_why_tell_paths(w, w->to, t);
	} else {
		text_add(t, "md copies bytes %llu to %llu from %s to ", first, last, w->judged[w->from].path);
		look_why_tell_paths(w, w->to, t);
	}
}

void look_why_tell_reason(const struct why *w, struct text *t)
{
	if (w->plan.is_unsupported)
		text_add(t, "%s; a start by Linux: ", w->plan.refusal.text);
	text_add(t, "%s%s", w->reason.data ? w->reason.data : "", w->file_reason.data ? w->file_reason.data : "");
}

void look_why_tell_answer(const struct why *w, struct text *t)
{
	look_why_tell_bits(w, t);
	text_add(t, "; %s", w->reason.data ? w->reason.data : "");
	if (w->is_copied) {
		text_add(t, ": ");
		tell_copying(w, t);
	}
}

void look_why_tell_member(const struct why *w, const struct why_member *m, const struct why_bit *bit, struct text *t)
{
	if (!bit->is_used) {
		text_add(t, "slot %u was never used by a node: what lies there means nothing", bit->slot);
		return;
	}
	if (bit->is_lockless)
		text_add(t, "byte %llu is 0x%02x: %s, %s", (unsigned long long)bit->at, bit->byte,
			 fmt_lockless_name(bit->state), bit->is_set ? "due to be copied" : "not due");
	else
		text_add(t, "bit %u of byte %llu (0x%02x) is %s", bit->bit, (unsigned long long)bit->at, bit->byte,
			 bit->is_set ? "set" : "clear");
	if (m->source.slots > 1)
		text_add(t, " in slot %u", bit->slot);
	if (m->chunk_bytes != w->reference->chunk_bytes)
		text_add(t, "; its chunks have %llu bytes, those of %s %llu: chunk %llu means other bytes here",
			 (unsigned long long)m->chunk_bytes, w->reference->source.e.shown,
			 (unsigned long long)w->reference->chunk_bytes, (unsigned long long)w->chunk);
	if (m->data.count > 1 || m->data.is_truncated)
		text_add(t, "; its data lies in %s%u places", m->data.is_truncated ? "more than " : "", m->data.count);
}
