/* umd why, off line: what one chunk's bits say on every member, and what the next start does with the chunk.
 *
 * Nothing is written, no lock is taken (law I7). The steps:
 *
 *   read       each member is opened, its superblocks are looked at, one byte per bitmap is read (why_bits.c)
 *   one array  members and bitmap files must be of one array; all else has no common chunk
 *   judge      the judgement that examine shows and serve follows
 *   reference  whose bitmap is meant by "chunk": the one a start reads; else the first that can be read
 *   data       where the chunk lies on the members (why_data.c)
 *   next       who copies it to whom, and why (why_next.c); words and JSON (why_words.c, why_put.c)
 *
 * Left out: running arrays (their bits live in the server), who set a bit (nobody writes that down). */
#include "look/why_inside.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"

/* ---- one array ---- */

static bool is_member(const struct why_member *m)
{
	return m->source.e.look.has_superblock && !m->source.e.look.error.code;
}

static bool is_file(const struct why_member *m)
{
	return m->source.e.look.kind == ASM_BITMAP_FILE && m->source.slots;
}

static int are_one_array(const struct why *w, struct err *err)
{
	const struct why_member *first = NULL;
	uint8_t uuid[16], other[16];
	char one_text[36], other_text[36];

	for (size_t i = 0; i < w->count; i++) {
		const struct why_member *m = &w->members[i];

		if (!is_member(m) && !is_file(m))
			continue;
		asm_bitmap_uuid(&m->source.e.look, first ? other : uuid);
		if (!first)
			first = m;
		else if (memcmp(uuid, other, sizeof uuid)) {
			fmt_uuid_text(uuid, one_text);
			fmt_uuid_text(other, other_text);
			return err_set(err, UMD_E_SEVERAL_ARRAYS,
				       "%s belongs to array %s and %s to array %s: a chunk is one array's, give the "
				       "members of one", first->source.e.shown, one_text, m->source.e.shown,
				       other_text);
		}
	}
	return 0;
}

static void judge(struct why *w)
{
	struct asm_options options = { .is_look = true };
	uint32_t present = 0;

	for (size_t i = 0; i < w->count; i++) {
		struct why_member *m = &w->members[i];

		if (!is_member(m) || present++ >= ARR_MEMBERS_MAX)
			continue;
		m->judged = w->judged_count;
		w->who[w->judged_count] = m;
		w->judged[w->judged_count++] = m->source.e.look;
	}
	if (present)
		asm_judge(w->judged, present, &options, &w->plan);
}

/* ---- whose chunk ---- */

static void choose_reference(struct why *w)
{
	if (w->judged_count && w->plan.has_bitmap && w->who[w->plan.bitmap_member]->source.slots)
		w->reference = w->who[w->plan.bitmap_member];
	for (size_t i = 0; !w->reference && i < w->count; i++)
		if (w->members[i].source.slots)
			w->reference = &w->members[i];
}

/* Nobody has a bitmap: then there are no chunks, and the next start goes by the superblocks alone. */
static int refuse_without_bitmap(const struct why *w, struct err *err)
{
	const struct err *why = w->count ? look_source_error(&w->members[0].source) : NULL;

	if (!w->count)
		return err_set(err, UMD_E_NO_MEMBER, "no member was given");
	if (!w->judged_count && !why->code)
		return err_set(err, UMD_E_NO_MEMBER, "%s has no bitmap", w->members[0].source.e.shown);
	if (why->code)
		return err_set(err, why->code, "%s", why->text);
	return err_set(err, UMD_E_BAD_OPTION, "there is no chunk %llu, because %s has no bitmap; the next start: %s",
		       (unsigned long long)w->chunk, w->judged[0].path,
		       w->plan.refusal.code ? w->plan.refusal.text : w->plan.reason);
}

static int find_range(struct why *w, struct err *err)
{
	const struct why_member *r = w->reference;

	if (!r)
		return refuse_without_bitmap(w, err);
	if (!r->is_initialised)
		return err_set(err, UMD_E_BAD_OPTION,
			       "there is no chunk %llu yet: the lockless bitmap of %s was never initialised, Linux "
			       "chooses its chunks at the first start and copies nothing",
			       (unsigned long long)w->chunk, r->source.e.shown);
	if (r->chunks && !r->has_chunk)
		return err_set(err, UMD_E_BAD_OPTION,
			       "there is no chunk %llu: the bitmap of %s has %llu chunks of %llu bytes, 0 to %llu",
			       (unsigned long long)w->chunk, r->source.e.shown, (unsigned long long)r->chunks,
			       (unsigned long long)r->chunk_bytes, (unsigned long long)r->chunks - 1);
	if (!r->bit_count)
		return err_set(err, r->source.e.error.code ? r->source.e.error.code : UMD_E_BAD_OPTION, "%s",
			       r->source.e.error.code ? r->source.e.error.text : "the bitmap covers nothing");
	w->first_byte = w->chunk * r->chunk_bytes;
	w->length_bytes = min_u64(r->chunk_bytes, r->size_bytes - w->first_byte);
	return 0;
}

static void find_data(struct why *w)
{
	for (uint32_t i = 0; i < w->judged_count; i++)
		look_why_find_data(w, &w->judged[w->plan.freshest].sb, w->who[i]);
}

/* ---- the door ---- */

static int read_all(struct why *w, const char *const *members)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < w->count; i++)
		rc = look_why_read(&w->members[i], members[i], w->external, w->chunk);
	return rc;
}

static int explain(struct why *w, const char *const *members, char **ret_json, struct err *err)
{
	struct text t = { 0 };
	int rc = read_all(w, members);

	if (rc == 0)
		rc = are_one_array(w, err);
	if (rc < 0)
		return rc;
	judge(w);
	choose_reference(w);
	rc = find_range(w, err);
	if (rc < 0)
		return rc;
	find_data(w);
	look_why_next_start(w);
	look_why_put(&t, w);
	*ret_json = w->reason.is_broken || w->file_reason.is_broken ? NULL : text_take(&t);
	text_drop(&t);
	return *ret_json ? 0 : -ENOMEM;
}

int look_why(const char *const *members, size_t count, uint64_t chunk, const struct look_external *external,
	     char **ret_json, size_t *ret_errors, struct err *err)
{
	struct why *w = mem_new(1, sizeof *w);
	size_t errors = 0;
	int rc;

	if (!w)
		return -ENOMEM;
	w->external = external;
	w->chunk = chunk;
	w->count = count;
	w->members = mem_new(count, sizeof *w->members);
	rc = w->members ? explain(w, members, ret_json, err) : -ENOMEM;
	for (size_t i = 0; w->members && i < count; i++) {
		errors += look_source_error(&w->members[i].source)->code != 0;
		look_why_drop(&w->members[i]);
	}
	text_drop(&w->reason);
	text_drop(&w->file_reason);
	mem_free(w->members);
	mem_free(w);
	if (rc == 0 && ret_errors)
		*ret_errors = errors;
	return rc;
}
