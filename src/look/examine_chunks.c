/* The JSON of a bitmap's chunks: how many, how many are set, in which runs, and in which states.
 *
 * What is asked for decides how often the chunks are read. Few runs are kept while counting. All runs do not fit into
 * memory: they are written in a second pass, because their number stands in front of them in no reader's way but a
 * truncated list must say so behind it. Runs of states are written in a pass of their own, which ends where no more are
 * wanted. Left out: fields of bitmap superblocks (examine_bitmap.c). */
#include "look/examine.h"

#include <errno.h>

enum { KEPT_MAX = 10000, ENOUGH = -ECANCELED };

struct writing {
	struct text *t;
	uint64_t left;
	bool is_truncated;
};

static void json_run(struct text *t, struct look_range range)
{
	json_open(t, NULL, '[');
	json_u64(t, NULL, range.first);
	json_u64(t, NULL, range.last);
	json_close(t, ']');
}

/* A text whose sink has refused takes nothing more: the rest need not be read. */
static int write_range(void *opaque, struct look_range range)
{
	struct writing *w = opaque;

	if (!w->left-- || w->t->is_broken)
		return ENOUGH;
	json_run(w->t, range);
	return 0;
}

static int write_state(void *opaque, struct look_range range, enum lockless_state state)
{
	struct writing *w = opaque;

	w->is_truncated = !w->left;
	if (!w->left || w->t->is_broken)
		return ENOUGH;
	w->left--;
	json_open(w->t, NULL, '[');
	json_u64(w->t, NULL, range.first);
	json_u64(w->t, NULL, range.last);
	json_str(w->t, NULL, fmt_lockless_name(state));
	json_close(w->t, ']');
	return 0;
}

static int json_set(struct text *t, const struct look_slot *s, const struct look_scan *counted, uint64_t runs_max)
{
	struct writing w = { .t = t, .left = runs_max };
	struct look_scan again = { .on_range = write_range, .opaque = &w };
	int rc = 0;

	json_open(t, "set", '[');
	for (uint64_t i = 0; i < counted->range_count; i++)
		json_run(t, counted->ranges[i]);
	if (runs_max > KEPT_MAX && counted->run_count) {
		rc = look_scan(&s->bits, &again);
		look_scan_drop(&again);
	}
	json_close(t, ']');
	json_bool(t, "set_truncated", counted->run_count > runs_max);
	return rc == ENOUGH ? 0 : rc;
}

static int json_states(struct text *t, const struct look_slot *s, const struct look_scan *counted, uint64_t runs_max)
{
	struct writing w = { .t = t, .left = runs_max };
	struct look_scan again = { .on_state = write_state, .opaque = &w };
	int rc;

	json_open(t, "states", '{');
	for (int state = 0; state < LOCKLESS_STATES; state++)
		json_u64(t, fmt_lockless_name(state), counted->states[state]);
	json_close(t, '}');
	json_open(t, "state_runs", '[');
	rc = look_scan(&s->bits, &again);
	look_scan_drop(&again);
	json_close(t, ']');
	json_bool(t, "state_runs_truncated", w.is_truncated);
	return rc == ENOUGH ? 0 : rc;
}

void look_json_no_chunks(struct text *t)
{
	json_null(t, "chunks");
	json_null(t, "set_chunks");
	json_open(t, "set", '[');
	json_close(t, ']');
	json_bool(t, "set_truncated", false);
}

int look_json_chunks(struct text *t, const struct look_slot *s, uint64_t *runs_left)
{
	uint64_t runs_max = *runs_left;
	struct look_scan counted = { .ranges_max = runs_max <= KEPT_MAX ? runs_max : 0 };
	int rc = look_scan(&s->bits, &counted);

	if (rc < 0 || !s->is_initialised) {
		look_json_no_chunks(t);
	} else {
		json_u64(t, "chunks", s->chunks);
		json_u64(t, "set_chunks", counted.set_chunks);
		rc = json_set(t, s, &counted, runs_max);
		*runs_left -= min_u64(runs_max, counted.run_count);
		if (rc == 0 && s->bits.is_lockless)
			rc = json_states(t, s, &counted, runs_max);
	}
	look_scan_drop(&counted);
	return rc;
}
