/* The bitmap of a running array comes, goes, or gets other chunks.
 *
 *   grow none                      grow internal [CHUNK] [elsewhere]                  grow chunk CHUNK [elsewhere]
 *
 * The command is planned by the assembly and handed to the array, as the server does; then it goes on beside everything
 * else, or without a lot the user waits for it. A refusal has a sentence and a reason that is seen from outside: a sync
 * is due or runs, nothing is there, something is there, there is no room. Elsewhere: at another distance from the
 * superblock than the plan says, where that is free, as a large bitmap in front of a log would need.
 *
 * Which bitmap the array has is asked of it after every step, and at every start: chunks, places and what is remembered
 * of chunks follow it. What of a map may be believed is looked at in check_names.c. */
#include "check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SENTENCE_LEAST = 20, ELSEWHERE_SECTORS = 16, LOG_SECTORS = 8 };

/* ---- what the array has ---- */

static void forget_chunks(struct sim_world *w)
{
	memset(w->counters, 0, sizeof w->counters);
	memset(w->counted_since, 0xff, sizeof w->counted_since);
	memset(w->idle_since, 0, sizeof w->idle_since);
	w->is_sync_expected = false;
	w->only_recovering = SIM_DISKS;
	EACH_MEMBER(w, m)
		memset(m->owed, 0xff, sizeof m->owed);
}

void world_take_bitmap(struct sim_world *w, const struct arr_status *s)
{
	const struct bm *b = arr_bitmap(w->array);
	uint32_t chunk = b ? (uint32_t)bm_chunk_bytes(b) : w->chunk_bytes;

	w->is_on_file = s->bitmap_is_file;
	if ((b != NULL) == w->has_bitmap && chunk == w->chunk_bytes)
		return;
	trace(w, "the array has %s, chunk %u", b ? "a bitmap" : "no bitmap", chunk);
	w->has_bitmap = b;
	w->chunk_bytes = chunk;
	w->chunks = div_up(w->size_bytes, chunk);
	if (w->has_bitmap && w->chunks > SIM_CHUNKS_MAX)
		abort();
	w->bitmap_bytes = round_up(FMT_BITMAP_SB_BYTES + div_up(w->chunks, 8), SECTOR_BYTES);
	forget_chunks(w);
	for (uint32_t i = 0; i < s->member_count; i++) {
		struct sim_member *m = &w->members[w->disk_of[i]];

		if (s->members[i].state == ARR_M_NONE || s->members[i].state == ARR_M_FAULTY || !b)
			continue;
		m->place.bitmap_at = s->members[i].bitmap_at;
		check_place(w, m);
	}
}

/* ---- the command ---- */

static bool parse(const char *words, struct asm_bitmap_wish *ret, bool *ret_is_elsewhere)
{
	char copy[EVENT_WORDS_BYTES], *next, *word, *end;

	memcpy(copy, words, sizeof copy);
	word = strtok_r(copy, " ", &next);
	*ret = (struct asm_bitmap_wish){ .kind = ASM_BITMAP_NONE };
	*ret_is_elsewhere = strstr(words, "elsewhere");
	if (!word)
		return false;
	if (!strcmp(word, "none"))
		return true;
	ret->kind = !strcmp(word, "internal") ? ASM_BITMAP_INTERNAL : ASM_BITMAP_CHUNKS;
	if (ret->kind == ASM_BITMAP_CHUNKS && strcmp(word, "chunk"))
		return false;
	word = strtok_r(NULL, " ", &next);
	if (word && strcmp(word, "elsewhere")) {
		ret->chunk_bytes = strtoull(word, &end, 10);
		return !*end;
	}
	return ret->kind == ASM_BITMAP_INTERNAL;
}

/* At another distance, on all members: in front of what is planned in version 1.0, else behind the log. */
static bool elsewhere(const struct sim_world *w, const struct arr_status *s, struct asm_bitmap_plan *p)
{
	for (uint32_t i = 0; i < s->member_count; i++) {
		const struct sim_member *m = &w->members[w->disk_of[i]];
		uint64_t data = m->place.data_at.bytes, super = m->place.super_at.bytes;
		uint64_t by = ELSEWHERE_SECTORS * SECTOR_BYTES, len = LOG_SECTORS * SECTOR_BYTES;

		if (p->at[i].bytes == OFF_NONE)
			continue;
		p->at[i].bytes += m->place.minor == SB1_0 ? 0 - by / 2 : by;
		if (ranges_overlap(p->at[i].bytes, len, data, w->size_bytes) ||
		    ranges_overlap(p->at[i].bytes, len, super, FMT_SB1_BYTES) ||
		    p->at[i].bytes + len > m->disk.size_bytes)
			return false;
	}
	return true;
}

static bool is_change_over(const struct sim_world *w, const void *of)
{
	struct arr_status s;

	arr_get_status(w->array, &s);
	return s.bitmap_change != ARR_CHANGE_RUNS;
}

/* Why may the array refuse? Nothing else is a reason (I9). */
static bool may_refuse(const struct sim_world *w, const struct arr_status *s, int rc)
{
	bool is_sync_due = s->action != ARR_SYNC_IDLE || s->resync_offset != OFF_NONE;

	EACH_MEMBER(w, m)
		is_sync_due |= m->state == ARR_M_RECOVERING;
	if (rc == -EBUSY)
		return is_sync_due || s->bitmap_change == ARR_CHANGE_RUNS;
	return rc == -EIO && s->is_broken;
}

static void order(struct sim_world *w, const struct asm_bitmap_plan *p, const struct arr_status *s)
{
	struct err err = { 0 };
	struct bm *b = p->has_bitmap ? bm_new(&p->sb, NULL, 0) : NULL;
	struct arr_event ev = { .kind = ARR_EV_BITMAP, .bitmap = b, .bitmap_at = p->at, .err = &err };

	if (p->has_bitmap && !b) {
		trace(w, "no memory for a bitmap");
		return;
	}
	if (world_step(w, &ev) == 0)
		return;
	bm_free(b);
	trace(w, "not changed: %s", err.text);
	if (strlen(err.text) < SENTENCE_LEAST || !may_refuse(w, s, ev.rc))
		broken(w, LAW_I9, "another bitmap is refused without a reason: %s (%s)", err_name(ev.rc), err.text);
}

bool admin_grow(struct sim_world *w, const struct sim_event *e)
{
	struct asm_bitmap_wish wish;
	struct asm_bitmap_plan plan;
	struct arr_status s;
	struct err err = { 0 };
	bool is_elsewhere;

	if (!w->array || w->is_stopping || w->is_readonly || w->is_still || w->joining.is_on || w->setup->is_external ||
	    w->setup->is_file || !parse(e->words, &wish, &is_elsewhere))
		return false;
	if (wish.chunk_bytes && div_up(w->size_bytes, wish.chunk_bytes) > SIM_CHUNKS_MAX)
		return false;
	arr_get_status(w->array, &s);
	if (s.bitmap_change == ARR_CHANGE_RUNS)
		return false;
	if (asm_plan_bitmap(w->lineage, w->array, &wish, &plan, &err)) {
		trace(w, "no such bitmap: %s", err.text);
		if (strlen(err.text) < SENTENCE_LEAST)
			broken(w, LAW_I9, "a bitmap is refused without a sentence (%s)", err_name(err.code));
		return true;
	}
	if (is_elsewhere && plan.has_bitmap && !elsewhere(w, &s, &plan))
		return false;
	order(w, &plan, &s);
	if (!e->lot)
		world_wait(w, is_change_over, NULL);
	return true;
}
