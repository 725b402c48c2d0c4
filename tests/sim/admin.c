/* What an administrator does: start, fail, remove, stop; who joins is in joining.c.
 *
 * A start is judged first. A refusal must have a sentence, and never hits the members that trust each other; two
 * sides of a fork must be refused as such. An event that says "start" and is refused breaks a law, and so does one that
 * says "refused" of both sides of a fork, or of members who lack something and know it, and that would start. */
#include "world.h"

#include <errno.h>
#include <string.h>

enum { SENTENCE_LEAST = 20 };

static struct sim_member *named(struct sim_world *w, const struct sim_event *e)
{
	return w->array && e->member < w->member_count ? &w->members[e->member] : NULL;
}

bool admin_fail(struct sim_world *w, const struct sim_event *e)
{
	struct sim_member *m = named(w, e);
	struct err err = { 0 };

	if (!m || m->state == ARR_M_NONE || w->is_stopping || w->joining.is_on || w->owner.is_joining)
		return false;
	m->is_unchanged = w->has_bitmap && is_in_sync(m) && !bm_set_chunks(arr_bitmap(w->array)) &&
			  !world_requests(w) && !world_jobs(w);
	world_step(w, &(struct arr_event){ .kind = ARR_EV_FAIL, .member = m->entry, .err = &err });
	return true;
}

/* ---- removing ---- */

static bool try_remove(struct sim_world *w, struct sim_member *m)
{
	struct err err = { 0 };

	if (world_step(w, &(struct arr_event){ .kind = ARR_EV_REMOVE, .member = m->entry, .err = &err }))
		return false;
	trace(w, "removed %s", m->disk.path);
	if (w->lineage)
		asm_forget(w->lineage, m->entry);
	m->state = ARR_M_NONE;
	return true;
}

static bool is_untouched(const struct sim_world *w, const void *of)
{
	const struct sim_member *m = of;
	struct arr_status s;

	for (uint32_t i = 0; i < w->job_count; i++)
		if (w->jobs[i].job->members & 1ull << m->entry)
			return false;
	arr_get_status(w->array, &s);
	return !s.members[m->entry].is_blocked;
}

/* While I/O is in flight there the array says no. With a lot it was asked once; without one the user waits. */
bool admin_remove(struct sim_world *w, const struct sim_event *e)
{
	struct sim_member *m = named(w, e);

	if (!m || w->is_stopping || w->joining.is_on || w->owner.is_joining ||
	    (m->state != ARR_M_FAULTY && m->state != ARR_M_SPARE))
		return false;
	if (try_remove(w, m) || e->lot)
		return true;
	world_wait(w, is_untouched, m);
	return try_remove(w, m) || true;
}

/* ---- starting ---- */

static uint32_t openable(const struct sim_world *w, uint32_t chosen)
{
	uint32_t mask = 0;

	for (uint32_t i = 0; i < w->member_count; i++)
		if (chosen & 1u << i && !w->members[i].disk.is_gone)
			mask |= 1u << i;
	return mask;
}

/* Whoever starts the array gives the file as well, where it is; or says that he does without. */
static uint32_t file_of(const struct sim_world *w, const struct sim_event *e)
{
	bool is_given = w->setup->is_file && !(e->flags & EVF_NO_FILE) && !w->members[SIM_FILE].disk.is_gone;

	return is_given ? 1u << SIM_FILE : 0;
}

/* The file went on without these members: that is refused, and for no other reason. */
static bool is_file_ahead(const struct sim_world *w, const struct sim_event *e, uint32_t chosen)
{
	uint64_t newest = 0;

	EACH_MEMBER(w, m)
		if (chosen & 1u << index_of(w, m) && super_on(w, m))
			newest = max_u64(newest, super_on(w, m)->events);
	return file_of(w, e) && file_events(w) > newest + 2;
}

static struct asm_options options(const struct sim_world *w, const struct sim_event *e)
{
	return (struct asm_options){
		.is_readonly = e->flags & EVF_READONLY,
		.may_run_degraded = e->flags & EVF_RUN,
		.prefer = e->flags & EVF_PREFER ? w->members[e->member].disk.path : NULL,
		.safe_mode_delay_ms = e->lot ? 20 + (uint32_t)(e->lot % 200) : 200,
	};
}

/* One whose number another device has by now is left out, in a sentence: it is not combined with anybody. */
static bool is_displaced(const struct sim_world *w, const struct sim_member *m)
{
	for (uint32_t i = 0; i < w->plan->member_count; i++)
		if (w->disk_of[i] == index_of(w, m) && w->plan->verdicts[i] == ASM_DUPLICATE)
			return true;
	return false;
}

static uint32_t undisplaced(const struct sim_world *w, uint32_t chosen)
{
	EACH_MEMBER(w, m)
		if (is_displaced(w, m))
			chosen &= ~(1u << index_of(w, m));
	return chosen;
}

static uint32_t readable(const struct sim_world *w, uint32_t chosen)
{
	uint32_t mask = 0;

	EACH_MEMBER(w, m)
		if (chosen & 1u << index_of(w, m) && super_on(w, m))
			mask |= 1u << index_of(w, m);
	return mask;
}

/* What rotted is refused before anybody's story is looked at. */
static bool is_sound(const struct sim_world *w, uint32_t chosen)
{
	EACH_MEMBER(w, m)
		if (chosen & 1u << index_of(w, m) && m->is_corrupt)
			return false;
	return readable(w, chosen) == chosen;
}

static void check_refusal(struct sim_world *w, const struct sim_event *e, uint32_t chosen)
{
	const struct err *refusal = &w->plan->refusal;
	uint32_t trusted = trustworthy(w);

	if (strlen(refusal->text) < SENTENCE_LEAST)
		broken(w, LAW_I9, "a refusal without a sentence (%s)", err_name(refusal->code));
	if (trusted && chosen == trusted && e->flags & EVF_RUN && !is_file_ahead(w, e, chosen))
		broken(w, LAW_I9, "the members that trust each other do not start: %s", refusal->text);
	if (story_is_fork(w, undisplaced(w, chosen)) && is_sound(w, chosen)) {
		if (refusal->code != UMD_E_FORKED)
			broken(w, LAW_I5, "two members that ran apart and wrote are offered together: %s",
			       refusal->text);
		w->stats->forks_refused++;
		at_stake(w, LAW_I5);
	}
	w->stats->starts_refused++;
	at_stake(w, LAW_I9);
}

static bool run(struct sim_world *w, const struct sim_event *e, const struct asm_options *o, uint32_t chosen)
{
	int rc;

	if (story_is_fork(w, undisplaced(w, readable(w, chosen))) && !o->prefer)
		broken(w, LAW_I5, "two members that ran apart and wrote are offered together: they would be combined");
	if (!(e->flags & EVF_PREFER))
		story_begin(w, chosen);
	rc = world_start(w, o);
	if (rc && (rc != -ENOMEM || !memory_has_failed()))
		broken(w, LAW_I9, "a plan that can start does not");
	w->stats->lives += !rc;
	return true;	/* without memory it was tried, and nothing runs */
}

/* False: it makes no sense now. */
static bool judge(struct sim_world *w, const struct sim_event *e, struct asm_options *ret_options, uint32_t *ret_chosen)
{
	bool has_prefer = e->flags & EVF_PREFER;

	*ret_chosen = openable(w, e->members);
	if (w->array || !*ret_chosen || (has_prefer && w->setup->is_external))
		return false;
	if (has_prefer && (e->member >= w->member_count || w->members[e->member].is_apart))
		return false;
	*ret_options = options(w, e);
	if (!w->is_judged)
		world_judge(w, *ret_chosen | file_of(w, e), ret_options);
	w->is_judged = false;
	return true;
}

/* ---- who must not start ---- */

static bool is_given(const struct sim_world *w, uint32_t chosen, uint32_t number)
{
	EACH_MEMBER(w, m) {
		const struct super *s = chosen & 1u << index_of(w, m) ? super_on(w, m) : NULL;

		if (s && s->dev_number == number)
			return true;
	}
	return false;
}

static bool misses_somebody(const struct sim_world *w, uint32_t chosen, const struct super *teller)
{
	for (uint32_t number = 0; number < teller->max_dev; number++)
		if (teller->roles[number] < w->slots && !is_given(w, chosen, number))
			return true;
	return false;
}

static bool may_tell(const struct sim_world *w, const struct super *s)
{
	return s->roles[s->dev_number] < w->slots && !(s->feature_map & FMT_SB1_RECOVERY_OFFSET);
}

/* The newest of them, whoever of several, believes somebody active who is not given. */
static bool newest_misses_somebody(const struct sim_world *w, uint32_t chosen)
{
	uint64_t newest = 0;
	bool is_missed = true;

	EACH_MEMBER(w, m) {
		const struct super *s = chosen & 1u << index_of(w, m) ? super_on(w, m) : NULL;

		if (!s || !may_tell(w, s) || s->events < newest)
			continue;
		is_missed = misses_somebody(w, chosen, s) && (is_missed || s->events > newest);
		newest = s->events;
	}
	return is_missed;
}

/* Both sides of a fork; or, where the user does not insist, members none of whom can be trusted, and who know by
 * themselves that somebody is missing. Where they do not know it, a fork was made on purpose before. */
static bool must_be_refused(const struct sim_world *w, const struct sim_event *e, uint32_t chosen)
{
	if (story_is_fork(w, undisplaced(w, readable(w, chosen))))
		return true;
	return !(e->flags & EVF_RUN) && !(chosen & trustworthy(w)) && newest_misses_somebody(w, chosen);
}

bool admin_start(struct sim_world *w, const struct sim_event *e)
{
	struct asm_options o;
	uint32_t chosen;

	if (!judge(w, e, &o, &chosen))
		return false;
	if (w->plan->refusal.code)
		check_refusal(w, e, chosen);
	if (w->plan->refusal.code && e->kind == EV_START)
		broken(w, LAW_I9, "the start is refused: %s", w->plan->refusal.text);
	/* What a person wrote down holds; what a seed or a shorter script guesses may make no sense. */
	if (!w->plan->refusal.code && e->kind == EV_REFUSED && e->lot && !must_be_refused(w, e, chosen))
		return false;
	if (!w->plan->refusal.code && e->kind == EV_REFUSED)
		broken(w, LAW_I5, "members that should be refused would start: %s", w->plan->reason);
	return w->plan->refusal.code ? true : run(w, e, &o, chosen);
}

bool world_try_start(struct sim_world *w, struct sim_event *e)
{
	struct asm_options o;
	uint32_t chosen;

	w->lots = prng_seed(e->lot);
	if (!judge(w, e, &o, &chosen))
		return false;
	e->kind = w->plan->refusal.code ? EV_REFUSED : EV_START;
	w->is_judged = true;
	return world_do(w, e) && e->kind == EV_START && w->array;
}

/* ---- stopping ---- */

static bool is_stopped(const struct sim_world *w, const void *of)
{
	return arr_is_stopped(w->array) && !w->job_count;
}

/* The life ends when the event is over: do.c. */
bool admin_stop(struct sim_world *w, const struct sim_event *e)
{
	if (!w->array || w->is_stopping)
		return false;
	w->is_stopping = true;
	world_step(w, &(struct arr_event){ .kind = ARR_EV_STOP });
	if (!(e->flags & EVF_ASYNC))
		world_wait(w, is_stopped, NULL);
	return true;
}

/* ---- writable, read-only, read-auto ---- */

static bool has_turned(const struct sim_world *w, const void *of)
{
	struct arr_status s;

	arr_get_status(w->array, &s);
	return s.mode == s.mode_wanted || s.is_broken;
}

bool admin_mode(struct sim_world *w, const struct sim_event *e)
{
	static const char *const words[] = { "writable", "readonly", "read-auto" };
	struct err err = { 0 };
	uint64_t mode = 0;

	while (mode < 3 && strcmp(e->words, words[mode]))
		mode++;
	if (!w->array || w->is_stopping || mode == 3 || w->joining.is_on || w->owner.is_joining)
		return false;
	w->is_sync_expected = false;	/* what runs is interrupted, and goes on later */
	w->only_recovering = SIM_DISKS;
	world_step(w, &(struct arr_event){ .kind = ARR_EV_SET_MODE, .value = mode, .err = &err });
	trace(w, "mode %s: %s", e->words, err.code ? err.text : "done, or on the way");
	if (!e->lot)
		world_wait(w, has_turned, NULL);
	return true;
}
