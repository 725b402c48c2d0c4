/* An array that only says what it wants: a handful of wishes and counters behind the functions of array/array.h that
 * the brain calls. So these tests are linked without the real one, and say themselves when its work ends. */
#ifndef TESTS_UNIT_CLUSTER_FAKE_ARRAY_H
#define TESTS_UNIT_CLUSTER_FAKE_ARRAY_H

#include "cluster/cluster.h"

#include <string.h>

enum { W_SIZE = 1 << 20, W_SLOTS = 64 };

struct arr {
	bool is_there, is_stopped, is_held, is_lost, is_broken, is_stopping, is_reloading, has_token, has_sync;
	bool keeps_reloading, keeps_taking, keeps_writing;	/* do not end by themselves */
	bool keeps_unrecorded;
	/* wishes: to be recorded; by bitmap; ranges to be copied */
	unsigned claims, recoveries, windows;
	bool is_claimed, is_gathered, is_open_asked, is_open;
	int take;
	uint32_t take_node;
	bool take_value;
	uint64_t bits[W_SLOTS];		/* gathered or taken: how often each slot was read; see w.bits */
	struct arr_range suspended[W_SLOTS];
	bool is_draining[W_SLOTS];	/* writes were under way there when it was suspended */
	uint32_t pins[2], pin_count;
	bool has_spare;			/* disk 2 */
	bool has_offer;			/* disk 2, which no superblock knows */
	uint64_t claimed_events, told_events;	/* of its own claim; as announced by another node */
	uint32_t claimed_number, told_number;
	unsigned announced, reloads, torn_reloads, looks, gathers, opened, copied;
	uint64_t take_bits;		/* found in the slot taken last */
	uint64_t has_bits;		/* mask of the bits that this node's slot has in memory: see w.slot_bits */
	unsigned reloads_before[8];	/* of each node, when the claim was durable */
	uint64_t must_gather;		/* ... that were anywhere when its gathering began */
};

void arr_get_status(const struct arr *a, struct arr_status *s)
{
	memset(s, 0, sizeof *s);
	s->size_bytes = W_SIZE;
	s->is_reloading = a->is_reloading;
	s->is_recorded = !a->claims && !a->keeps_unrecorded;
	s->is_broken = a->is_broken;
	s->is_stopping = a->is_stopping;
	s->take = a->take;
	s->take_bits = a->take_bits;
	s->resync_offset = a->windows || a->recoveries ? 0 : OFF_NONE;
}

bool arr_is_stopped(const struct arr *a)
{
	return a->is_stopped;
}

void arr_get_wants(const struct arr *a, struct arr_wants *w)
{
	memset(w, 0, sizeof *w);
	if (a->is_broken || a->is_lost)
		return;
	w->token = a->claims != 0;
	w->announce = a->has_token && !a->is_reloading && a->is_claimed;
	w->announce_events = a->claimed_events;
	w->announce_number = a->claimed_number;
	w->sync = (a->recoveries || a->windows || a->is_open) && !a->is_stopping;
	w->gather = a->has_sync && a->recoveries && !a->is_gathered && !a->is_stopping;
	w->window = a->has_sync && a->is_open_asked;
	w->window_at = a->windows ? 4096ull * a->windows : 0;
	w->window_len = a->windows ? 4096 : 0;
}

struct arr_range arr_suspended(const struct arr *a, uint32_t node)
{
	return a->suspended[node];
}

bool arr_is_left_alone(const struct arr *a, uint32_t node)
{
	return !a->suspended[node].len || !a->is_draining[node];
}

bool arr_is_offered(const struct arr *a, uint32_t dev_number)
{
	return a->has_offer && dev_number == 2;
}

bool arr_offered(const struct arr *a, uint32_t *ret_number)
{
	*ret_number = 2;
	return a->has_offer;
}

uint32_t arr_get_spares(const struct arr *a, uint32_t ret[ARR_MEMBERS_MAX])
{
	ret[0] = 2;
	return a->has_spare;
}

uint32_t arr_get_pins(const struct arr *a, uint32_t ret[ARR_MEMBERS_MAX])
{
	memcpy(ret, a->pins, sizeof a->pins);
	return a->pin_count;
}

#endif
