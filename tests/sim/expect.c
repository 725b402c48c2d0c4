/* What a scenario expects, and the members' images where worlds are compared.
 *
 *   member b in_sync | recovering | spare | faulty | none      as the running array says
 *   copied resync N | recover N | nothing                      by the sync that ended last in this life, bytes
 *   bits none | 0 3 7-9                                        on the medium of the lowest member in sync, by chunk
 *   syncing resync | recover | idle                            what runs now
 *   degraded N                                                 slots without a member in sync
 *   holds FIRST COUNT WORD                                     sectors, each filled with the word, there as well
 *
 * When nothing runs the lowest member in sync is that of the life that ended. An expectation is a fact of the scenario,
 * not a law: a scenario that is shrunk keeps none. Images show what a member would tell a reader now, its cache
 * included, since files in the other worlds have no other bytes either. */
#include "scenario.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct asked {
	struct sim_world *w;
	char *word[EVENT_WORDS_BYTES / 2];
	uint32_t count;
	char *why;
	size_t why_bytes;
};

__attribute__((format(printf, 2, 3))) static bool not_so(const struct asked *a, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(a->why, a->why_bytes, format, ap);
	va_end(ap);
	return false;
}

static bool number_of(const struct asked *a, uint32_t nth, uint64_t *ret)
{
	char *end = NULL;

	if (nth >= a->count)
		return false;
	*ret = strtoull(a->word[nth], &end, 10);
	return end != a->word[nth] && !*end;
}

static const struct sim_member *lowest(const struct sim_world *w)
{
	const struct sim_member *best = NULL;

	for (uint32_t i = 0; i < w->member_count; i++) {
		const struct sim_member *m = &w->members[i];
		bool is_one = w->array ? is_in_sync(m) : m->was_in_sync;

		if (is_one && (!best || m->slot < best->slot))
			best = m;
	}
	return best;
}

/* ---- one word each ---- */

static bool is_member_so(const struct asked *a)
{
	const char *state = "none";
	const struct sim_member *m;

	if (a->count != 3 || a->word[1][1] || a->word[1][0] < 'a' ||
	    a->word[1][0] >= 'a' + (int)a->w->member_count)
		return not_so(a, "a member and its state are wanted");
	m = &a->w->members[a->word[1][0] - 'a'];
	if (m->state != ARR_M_NONE)
		state = arr_member_state_name(m->state);
	return !strcmp(state, a->word[2]) || not_so(a, "member %s is %s", a->word[1], state);
}

static bool is_copied_so(const struct asked *a)
{
	struct arr_status s;
	uint64_t bytes = 0;
	const char *action;

	if (!a->w->array)
		return not_so(a, "nothing runs");
	arr_get_status(a->w->array, &s);
	action = s.last.ended_ms && s.last.bytes_copied ? arr_sync_action_name(s.last.action) : "nothing";
	if (a->count == 2 && !strcmp(a->word[1], "nothing") && !strcmp(action, "nothing"))
		return true;
	if (number_of(a, 2, &bytes) && !strcmp(a->word[1], action) && bytes == s.last.bytes_copied)
		return true;
	return not_so(a, "copied was %s, %llu bytes%s", action, (unsigned long long)s.last.bytes_copied,
		      s.last.is_complete || !s.last.ended_ms ? "" : " of a sync that did not complete");
}

static bool is_degraded_so(const struct asked *a)
{
	struct arr_status s;
	uint64_t degraded;

	if (!number_of(a, 1, &degraded) || a->count != 2)
		return not_so(a, "a number of slots is wanted");
	if (!a->w->array)
		return not_so(a, "nothing runs");
	arr_get_status(a->w->array, &s);
	return s.degraded == degraded || not_so(a, "%u slots lack a member in sync", s.degraded);
}

static bool is_syncing_so(const struct asked *a)
{
	struct arr_status s;

	if (a->count != 2)
		return not_so(a, "what runs is wanted: resync, recover or idle");
	if (!a->w->array)
		return not_so(a, "nothing runs");
	arr_get_status(a->w->array, &s);
	return !strcmp(arr_sync_action_name(s.action), a->word[1]) ||
	       not_so(a, "what runs is %s", arr_sync_action_name(s.action));
}

static bool takes_run(const char *word, bool *is_set, uint64_t chunks)
{
	char *end;
	uint64_t first = strtoull(word, &end, 10), last = first;

	if (end == word)
		return false;
	if (*end == '-')
		last = strtoull(end + 1, &end, 10);
	if (*end || last < first || last >= chunks)
		return false;
	for (uint64_t c = first; c <= last; c++)
		is_set[c] = true;
	return true;
}

static bool are_bits_so(const struct asked *a)
{
	const struct sim_member *m = lowest(a->w);
	bool is_set[SIM_CHUNKS_MAX] = { false };

	if (!a->w->has_bitmap || !m || a->count < 2)
		return not_so(a, "there is no bitmap, no member in sync, or no chunk is named");
	for (uint32_t i = 1; i < a->count && strcmp(a->word[1], "none"); i++)
		if (!takes_run(a->word[i], is_set, a->w->chunks))
			return not_so(a, "\"%s\" is no chunk or run of chunks of %llu", a->word[i],
				      (unsigned long long)a->w->chunks);
	for (uint64_t c = 0; c < a->w->chunks; c++)
		if (bit_on(a->w, m, false, c) != is_set[c])
			return not_so(a, "the bit of chunk %llu is %s on %s", (unsigned long long)c,
				      is_set[c] ? "clear" : "set", m->disk.path);
	return true;
}

static bool is_content_so(const struct asked *a)
{
	const struct sim_member *m = lowest(a->w);
	uint64_t first, count, word;

	if (!number_of(a, 1, &first) || !number_of(a, 2, &count) || !number_of(a, 3, &word) || a->count != 4 || !m ||
	    (first + count) * SECTOR_BYTES > a->w->size_bytes)
		return not_so(a, "sectors of the array and a word are wanted, and a member in sync");
	for (uint64_t s = first; s < first + count; s++) {
		uint64_t is = arena_word(a->w->arena,
					 disk_at(&m->disk, true, m->place.data_at.bytes + s * SECTOR_BYTES));

		if (is != word)
			return not_so(a, "sector %llu on %s holds %llx", (unsigned long long)s, m->disk.path,
				      (unsigned long long)is);
	}
	return true;
}

bool expect_holds(struct sim_world *w, const struct sim_event *e, char *ret_why, size_t why_bytes)
{
	static const struct {
		const char *word;
		bool (*is_so)(const struct asked *a);
	} facts[] = {
		{ "member", is_member_so },	{ "copied", is_copied_so },  { "bits", are_bits_so },
		{ "degraded", is_degraded_so }, { "holds", is_content_so },
		{ "syncing", is_syncing_so },
	};
	struct asked a = { .w = w, .why = ret_why, .why_bytes = why_bytes };
	char words[EVENT_WORDS_BYTES], *next;

	memcpy(words, e->words, sizeof words);
	for (char *word = strtok_r(words, " ", &next); word; word = strtok_r(NULL, " ", &next))
		a.word[a.count++] = word;
	for (size_t i = 0; a.count && i < sizeof facts / sizeof *facts; i++)
		if (!strcmp(facts[i].word, a.word[0]))
			return facts[i].is_so(&a);
	return not_so(&a, "\"%s\" is nothing that can be expected", a.count ? a.word[0] : "");
}

/* ---- images ---- */

int images_save(const struct sim_world *w, const char *folder, uint32_t number)
{
	int rc = 0;

	for (uint32_t i = 0; i < w->member_count && !rc; i++) {
		struct prng lots = prng_seed(0);
		struct sim_disk told;
		char path[4096];

		if (!w->members[i].is_there)
			continue;
		snprintf(path, sizeof path, "%s/%02u-%c.img", folder, number, 'a' + (int)i);
		disk_copy(&told, &w->members[i].disk);
		disk_cut(&told, &lots, FATE_KEEP_ALL);
		rc = disk_save(&told, path);
		disk_free(&told);
	}
	return rc;
}
