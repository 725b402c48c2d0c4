/* I8: what a recovery by the bitmap may copy, at most.
 *
 * For every member that is away a list is kept of the chunks it may lack: those whose bit lay on a medium in sync
 * when it left or when a life began without it, those that were counted then (I11: a write that failed for want of
 * memory counts its chunk without a bit on any medium), and those a client asked to be written since. A recovery that
 * serves this member alone, by the bitmap, copies none but these; whether it copied enough is seen from the bytes (I2).
 * While others join or leave nothing is expected: their chunks are copied as well. */
#include "check.h"

#include <string.h>

static void owe(struct sim_member *m, uint64_t chunk)
{
	m->owed[chunk / 64] |= 1ull << chunk % 64;
}

static void owe_all_bits(struct sim_world *w, struct sim_member *m)
{
	EACH_MEMBER(w, other)
		for (uint32_t i = 0; is_in_sync(other) && i < SIM_CHUNKS_MAX / 64; i++)
			m->owed[i] |= bits_on(w, other, false)->word[i];
}

static void owe_write(struct sim_world *w, struct sim_member *m, const struct sim_request *r)
{
	uint64_t last = chunk_of(w, r->first + r->sectors - 1);

	for (uint64_t c = chunk_of(w, r->first); c <= last; c++)
		owe(m, c);
}

static bool is_write(const struct sim_request *r)
{
	return r->is_used && (r->req.op == ARR_WRITE || r->req.op == ARR_ZERO);
}

/* The member leaves, or this life begins without it. */
void owed_left(struct sim_world *w, struct sim_member *m, bool was_in_sync)
{
	if (!w->has_bitmap)
		return;
	if (was_in_sync)
		memset(m->owed, 0, sizeof m->owed);
	owe_all_bits(w, m);
	for (uint64_t c = 0; w->array && c < w->chunks; c++)
		if (w->counters[c])
			owe(m, c);
	for (uint32_t i = 0; i < SIM_REQUESTS; i++)
		if (is_write(&w->requests[i]))
			owe_write(w, m, &w->requests[i]);
}

void owed_started(struct sim_world *w)
{
	w->only_recovering = SIM_DISKS;
	w->noted_serial = w->model.serial;
	EACH_MEMBER(w, m) {
		if (!is_in_sync(m))
			owed_left(w, m, m->was_in_sync);
		if (w->plan->bitmap_is_stale)
			memset(m->owed, 0xff, sizeof m->owed);
	}
}

static void note_writes(struct sim_world *w)
{
	for (uint32_t i = 0; i < SIM_REQUESTS; i++) {
		if (!is_write(&w->requests[i]) || w->requests[i].serial <= w->noted_serial)
			continue;
		EACH_MEMBER(w, m)
			if (!is_in_sync(m))
				owe_write(w, m, &w->requests[i]);
	}
	w->noted_serial = w->model.serial;
}

/* Somebody else has joined: the pass serves both. */
static bool is_alone(const struct sim_world *w)
{
	EACH_MEMBER(w, m)
		if (m->state == ARR_M_RECOVERING && index_of(w, m) != w->only_recovering)
			return false;
	return true;
}

/* A resync's last window may still be under way: then it ends in the recovery's pass and is counted there. */
static bool is_copying(const struct sim_world *w)
{
	for (uint32_t i = 0; i < w->job_count; i++)
		if (w->jobs[i].job->kind == ARR_JOB_SYNC_READ || w->jobs[i].job->kind == ARR_JOB_SYNC_WRITE)
			return true;
	return false;
}

/* Before the step's changes are known: the sync that now begins serves one member, by the bitmap? */
void owed_stepped(struct sim_world *w, const struct arr_status *s)
{
	uint32_t count = 0, only = SIM_DISKS;

	if (!w->has_bitmap)
		return;
	if (w->model.serial > w->noted_serial)
		note_writes(w);
	if (w->only_recovering != SIM_DISKS && !is_alone(w))
		w->only_recovering = SIM_DISKS;
	if (w->action == s->action || s->action != ARR_SYNC_RECOVER)
		return;
	for (uint32_t i = 0; i < s->member_count; i++) {
		if (s->members[i].state != ARR_M_RECOVERING)
			continue;
		only = w->disk_of[i];
		count += s->members[i].wants_full ? 2 : 1;
	}
	w->only_recovering = SIM_DISKS;
	if (count == 1 && w->action == ARR_SYNC_IDLE && !s->now.bytes_copied && !is_copying(w))
		w->only_recovering = only;
}

void recovery_ended(struct sim_world *w, const struct arr_sync_report *r)
{
	const struct sim_member *m = &w->members[w->only_recovering];
	uint64_t most = 0;

	if (w->only_recovering == SIM_DISKS || !r->is_complete)
		return;
	w->only_recovering = SIM_DISKS;
	for (uint64_t c = 0; c < w->chunks; c++)
		if (m->owed[c / 64] >> c % 64 & 1)
			most += chunk_len(w, c);
	if (r->bytes_copied > most)
		broken(w, LAW_I8, "%llu bytes were copied to %s, the chunks written while it was away have %llu",
		       (ull)r->bytes_copied, m->disk.path, (ull)most);
	if (most < w->size_bytes)
		at_stake(w, LAW_I8);
}
