/* The beginning and the end of a life: members are looked at, judged and started; the power goes, or the array stopped.
 *
 * What the hands do between assembly and the members: read superblocks and the bitmap, through the members' caches, and
 * hand over bytes. A member that is gone cannot be opened, so it is never among those looked at.
 *
 * At a cut a part that nobody executed may have been on its way: of each member the first open one, since the others
 * had to wait for it. The same of a member that vanishes. After a stop the members keep what they hold, or the power
 * goes then (@fate). */
#include "world.h"

#include <stdlib.h>
#include <string.h>

static void offer_superblocks(struct sim_member *m, struct asm_member *ret)
{
	uint8_t raw[FMT_SB1_BYTES];
	member_off places[3];
	enum sb1_minor minors[3];
	uint32_t count = asm_super_places(m->disk.size_bytes, places, minors);

	for (uint32_t i = 0; i < count; i++) {
		disk_peek(&m->disk, true, places[i].bytes, sizeof raw, raw);
		asm_take_superblock(ret, minors[i], places[i], raw);
	}
	if (ret->has_superblock && !ret->error.code)
		return;
	disk_peek(&m->disk, true, 0, sizeof raw, raw);
	asm_name_the_stranger(ret, raw);
}

void world_look(struct sim_world *w, struct sim_member *m, struct asm_member *ret)
{
	uint8_t raw[SECTOR_BYTES];
	member_off bitmap_at;

	m->disk.faults[FAULT_CORRUPT] += m->is_corrupt && !m->has_shown_rot;
	m->has_shown_rot = true;
	memset(ret, 0, sizeof *ret);
	ret->path = m->disk.path;
	ret->size_bytes = m->disk.size_bytes;
	offer_superblocks(m, ret);
	if (!asm_wants_bitmap(ret, &bitmap_at))
		return;
	disk_peek(&m->disk, true, bitmap_at.bytes, sizeof raw, raw);
	asm_take_bitmap(ret, raw);
}

/* The hands give the file with the members. It is no longer there where it vanished. */
static uint32_t look_at_file(struct sim_world *w, uint32_t at)
{
	struct sim_member *m = &w->members[SIM_FILE];
	struct asm_member *ret = &w->looked[at];
	uint8_t raw[FMT_SB1_BYTES] = { 0 };

	memset(ret, 0, sizeof *ret);
	ret->path = m->disk.path;
	ret->size_bytes = m->disk.size_bytes;
	disk_peek(&m->disk, true, 0, SECTOR_BYTES, raw);
	asm_name_the_stranger(ret, raw);
	w->disk_of[at] = SIM_FILE;
	return at + 1;
}

void world_judge(struct sim_world *w, uint32_t chosen, const struct asm_options *o)
{
	uint32_t count = 0;

	if (w->setup->is_external) {
		owner_judge(w, chosen, o);
		return;
	}
	for (uint32_t i = 0; i < w->member_count; i++)
		if (chosen & 1u << i) {
			world_look(w, &w->members[i], &w->looked[count]);
			w->disk_of[count++] = i;
		}
	if (chosen & 1u << SIM_FILE)
		count = look_at_file(w, count);
	asm_judge(w->looked, count, o, w->plan);
	hash_in(w, chosen, (uint64_t)w->plan->refusal.code, w->plan->action);
	if (!w->is_tracing)
		return;
	trace(w, "judged: %s%s", w->plan->refusal.code ? "refused: " : w->plan->reason,
	      w->plan->refusal.code ? w->plan->refusal.text : "");
	for (uint32_t i = 0; i < count; i++)
		trace_member(w, &w->members[w->disk_of[i]], "verdict %d, event %llu %s", w->plan->verdicts[i],
			     (unsigned long long)w->looked[i].sb.events, w->plan->reasons[i]);
}

static uint8_t *read_image(struct sim_world *w, uint64_t *ret_len)
{
	uint32_t member;
	member_off at;
	uint64_t whole;
	uint8_t *image;

	if (!asm_bitmap_to_read(w->looked, w->plan, &member, &at, ret_len))
		return NULL;
	whole = round_up(*ret_len, SECTOR_BYTES);
	image = malloc(whole);
	if (!image)
		abort();
	disk_peek(&w->members[w->disk_of[member]].disk, true, at.bytes, whole, image);
	return image;
}

/* The table's entries may stand in another order than the members that were looked at. */
static void take_table(struct sim_world *w, const uint32_t *member_of)
{
	uint32_t judged[SIM_DISKS + 1];
	struct arr_status s;

	memcpy(judged, w->disk_of, sizeof judged);
	arr_get_status(w->array, &s);
	w->is_on_file = s.bitmap_is_file;
	if (w->setup->is_file)
		disk_open(&w->members[SIM_FILE].disk);
	for (uint32_t i = 0; i < s.member_count; i++) {
		w->disk_of[i] = judged[member_of[i]];
		w->members[w->disk_of[i]].place.data_at = s.members[i].data_at;
		w->members[w->disk_of[i]].place.bitmap_at = s.members[i].bitmap_at;
	}
	world_take_bitmap(w, &s);
	for (uint32_t i = 0; i < s.member_count; i++) {
		struct sim_member *m = &w->members[judged[member_of[i]]];

		m->place.minor = w->looked[member_of[i]].sb.minor;
		m->state = s.members[i].state;
		m->entry = i;
		disk_open(&m->disk);
		check_place(w, m);
	}
}

int world_start(struct sim_world *w, const struct asm_options *o)
{
	uint32_t member_of[ARR_MEMBERS_MAX];
	uint64_t len = 0;
	uint8_t *image;
	struct err err = { 0 };
	int rc;

	if (w->setup->is_external)
		return owner_start(w, o);
	image = read_image(w, &len);
	rc = asm_start(w->looked, w->plan, o, image, len, &w->array, &w->lineage, member_of, &err);
	free(image);
	trace(w, "start: %s", rc ? err.text : "runs");
	if (rc)
		return rc;
	w->minor = w->looked[w->plan->freshest].sb.minor;
	take_table(w, member_of);
	w->is_readonly = w->is_still = o->is_readonly;
	w->is_stopping = w->is_broken = false;
	w->has_lived = true;
	check_started(w);
	return 0;
}

/* ---- the end ---- */

static void tear(struct sim_world *w, const struct sim_job *j, const struct sim_member *only)
{
	uint64_t touched = 0;

	for (uint32_t i = 0; i < j->job->part_count; i++) {
		const struct arr_part *p = &j->job->parts[i];
		struct sim_member *m = &w->members[w->disk_of[p->member]];
		bool is_write = p->op == ARR_P_WRITE || p->op == ARR_P_ZERO;

		if (j->is_done[i] || touched & 1ull << w->disk_of[p->member] || (only && m != only))
			continue;
		touched |= 1ull << w->disk_of[p->member];
		if (is_write && !m->disk.is_closed && prng_below(&w->lots, 2))
			disk_write_torn(&m->disk, &w->lots, p->at.bytes, round_up(p->len_bytes, SECTOR_BYTES),
					world_part_data(w, j->job, p));
	}
}

void world_tear(struct sim_world *w, const struct sim_member *only)
{
	for (uint32_t i = 0; i < w->job_count; i++)
		tear(w, &w->jobs[i], only);
	if (!only || only == &w->members[w->joining.member])
		joining_tears(w);
}

void world_leave(struct sim_world *w)
{
	for (uint32_t i = 0; i < w->job_count; i++)
		w->jobs[i].job = NULL;
	for (uint32_t i = 0; i < SIM_REQUESTS; i++)
		w->requests[i].is_used = false;
	EACH_MEMBER(w, m) {
		if (w->has_lived)
			m->was_in_sync = is_in_sync(m);
		m->state = ARR_M_NONE;
	}
	memset(w->written, 0, sizeof w->written);
	w->joining.is_on = false;
	w->job_count = w->jobs_at_once = 0;
	w->memory_due = UINT64_MAX;
	memory_fail_after(UINT64_MAX);
	w->was_readonly |= w->is_still;
	w->is_stopping = w->is_readonly = w->is_still = w->has_lived = false;
}

void world_end(struct sim_world *w, bool is_cut, enum disk_fate fate)
{
	bool is_kept = !is_cut && !w->is_broken && w->has_lived;

	if (is_cut)
		world_tear(w, NULL);
	if (w->setup->is_external)
		owner_ends(w, is_cut);
	EACH_MEMBER(w, m)
		disk_cut(&m->disk, &w->lots, fate);
	if (w->setup->is_file)
		disk_cut(&w->members[SIM_FILE].disk, &w->lots, fate);
	story_note(w);
	check_left(w);	/* by what survived of the last claims */
	check_ended(w);
	world_leave(w);
	w->array = arr_free(w->array);
	w->lineage = asm_lineage_free(w->lineage);
	if (is_kept)
		model_flushed(&w->model, w->model.acks); /* a clean stop is a promise */
	model_cut(&w->model);
	story_end(w);
	check_survivors(w);
	w->stats->cuts += is_cut;
	trace(w, "---- %s", is_cut ? "the power is cut" : "stopped");
	trace_end(w);
}
