/* The array as a whole: building it, one step, and the jobs it gives out.
 *
 * A step takes one event, changes state, and pumps: every machine is asked whether it can go on, until
 * none can. See state.h for why. What leaves a step are jobs for the array's thread and requests that
 * have a job of their own or are done.
 *
 * A job is always executed in full by the hands, whatever happens to the array meanwhile; so a member's
 * table entry is not reused while a job in flight touches it (busy). */
#include "array/state.h"

#include <string.h>

#include "base/law.h"
#include "base/mem.h"
#include "base/text.h"

enum { SAFE_MODE_DELAY_MS = 200, NO_MEMORY_RETRY_MS = 100 };

struct arr *arr_new(const struct arr_config *config)
{
	struct arr *a = mem_new(1, sizeof *a);

	if (!a)
		return NULL;

	a->size_bytes = config->size_bytes;
	a->raid_devices = config->raid_devices;
	a->events = a->change_events = config->events;
	a->is_external = config->is_external;
	a->mode = a->mode_wanted = config->is_readonly ? ARR_MODE_READONLY :
				   config->is_read_auto ? ARR_MODE_READ_AUTO : ARR_MODE_WRITABLE;
	a->can_clear = true;
	a->safe_mode_delay_ms = config->safe_mode_delay_ms ?: SAFE_MODE_DELAY_MS;
	a->bitmap = config->bitmap;
	a->bitmap_is_file = config->bitmap_is_file;
	a->file_events = a->bitmap_is_file ? bm_events(a->bitmap) : 0;
	a->events_floor = config->events_floor;
	a->member_count = config->member_count;
	memcpy(a->members, config->members, sizeof a->members);
	list_init(&a->requests);
	list_init(&a->behind);
	list_init(&a->lost);
	a->write_behind_max = config->write_behind_max;
	a->claim_job.reserve = a->claim_parts;
	a->sweep_job.reserve = a->sweep_parts;
	a->sync_job.reserve = a->sync_parts;
	a->rebitmap_job.reserve = a->rebitmap_parts;
	arr_node_begin(a, config);
	arr_set_pieces(a, ARR_SYNC_WINDOW_BYTES, ARR_SUSPEND_BYTES);
	a->names_bitmap = a->bitmap && !bm_is_bare(a->bitmap) && !a->bitmap_is_file;
	a->set_bits_from = OFF_NONE;
	a->is_active_on_disk = config->is_active;
	a->resync_offset = a->told_resync_offset = config->resync_offset;
	if (a->bitmap && a->resync_offset != OFF_NONE)
		a->resync_offset = 0;	/* the bitmap knows better than the checkpoint */
	if (config->sync_reason)
		text_fit(a->sync_reason, sizeof a->sync_reason, "%s", config->sync_reason);
	if (a->is_clustered && !bm_needed_chunks(a->bitmap))
		a->resync_offset = OFF_NONE;
	arr_members_begin(a);
	arr_pin_begin(a);
	arr_note_degraded(a, true);
	a->is_start_unrecorded = config->wants_record;
	if (!arr_is_still(a))
		arr_make_writable(a);
	return a;
}

struct arr *arr_free(struct arr *a)
{
	if (a) {
		arr_behind_free(a);
		bm_free(a->bitmap);
		bm_free(a->next_bitmap);
		arr_job_end(&a->bitmap_job);
		arr_job_end(&a->claim_job);
		arr_job_end(&a->sweep_job);
		arr_job_end(&a->sync_job);
		arr_job_end(&a->rebitmap_job);
		arr_job_end(&a->node.look_job);
		arr_job_end(&a->node.take_job);
		mem_free(a->node.take_image);
	}
	return mem_free(a);
}

void arr_out_init(struct arr_out *out)
{
	list_init(&out->woken);
	list_init(&out->jobs);
}

static void job_done(struct arr *a, struct arr_event *ev)
{
	struct arr_job *job = ev->job;

	ARR_EACH(i, a, job->members)
		a->busy[i]--;
	a->node.jobs_out--;

	if (job->owner && job->kind == ARR_JOB_REQUEST)
		arr_request_done(a, job->owner);
	else if (job->kind == ARR_JOB_BEHIND)
		arr_behind_done(a, job);
	else if (job->kind == ARR_JOB_BITMAP)
		arr_bitmap_done(a, job);
	else if (job == &a->claim_job)
		arr_claim_done(a);
	else if (job == &a->sweep_job)
		arr_sweep_done(a);
	else if (job == &a->rebitmap_job)
		arr_rebitmap_done(a);
	else if (job == &a->node.look_job)
		arr_look_done(a, ev->reload);
	else if (job == &a->node.take_job)
		arr_take_done(a);
	else
		arr_sync_done(a);
}

static void pump(struct arr *a)
{
	bool moved;

	do {
		moved = arr_pump_rebitmap(a);
		moved |= arr_pump_requests(a);
		moved |= arr_pump_behind(a);
		moved |= arr_pump_pin(a);
		moved |= arr_pump_spares(a);
		moved |= arr_pump_node(a);
		moved |= arr_pump_claim(a);
		moved |= arr_pump_set_bits(a);
		moved |= arr_pump_sweep(a);
		moved |= arr_pump_sync(a);
		moved |= arr_pump_bitmap(a);
		moved |= arr_pump_mode(a);
	} while (moved);
}

void arr_step(struct arr *a, struct arr_event *ev, uint64_t now_ms, struct arr_out *out)
{
	if (!a->now_ms)
		a->idle_since_ms = a->story.degraded_ms = now_ms;
	a->now_ms = now_ms;
	a->out = out;
	ev->rc = 0;
	if (a->node.is_lost) {
		arr_step_lost(a, ev);
		a->out = NULL;
		return;
	}
	switch (ev->kind) {
	case ARR_EV_SUBMIT:
		arr_event_submit(a, ev->req);
		break;
	case ARR_EV_JOB_DONE:
		job_done(a, ev);
		break;
	case ARR_EV_TIMER:
		break;
	case ARR_EV_FAIL:
		arr_event_fail(a, ev);
		break;
	case ARR_EV_REMOVE:
		arr_event_remove(a, ev);
		break;
	case ARR_EV_ADD:
		arr_event_add(a, ev);
		break;
	case ARR_EV_BACKLOG:
		arr_event_backlog(a, ev);
		break;
	case ARR_EV_BACKLOG_RESET:
		a->behind_max_used = a->behind_now;
		break;
	case ARR_EV_WRITE_MOSTLY:
		arr_event_write_mostly(a, ev);
		break;
	case ARR_EV_STOP:
		a->is_stopping = true;
		a->mode_wanted = a->mode;
		break;
	case ARR_EV_SET_MODE:
		arr_event_set_mode(a, ev);
		break;
	case ARR_EV_CAN_CLEAR:
	case ARR_EV_FREEZE:
	case ARR_EV_SYNC:
	case ARR_EV_SET_TIME_BASE:
	case ARR_EV_SAFE_MODE_DELAY:
		arr_event_order(a, ev);
		break;
	case ARR_EV_OWNER_ACTIVE:
	case ARR_EV_OWNER_CLEAN:
	case ARR_EV_BLOCK:
	case ARR_EV_UNBLOCK:
		arr_event_owner(a, ev);
		break;
	case ARR_EV_BITMAP:
		arr_event_bitmap(a, ev);
		break;
	case ARR_EV_SET_BITS:
		arr_event_set_bits(a, ev);
		break;
	case ARR_EV_TOKEN:
	case ARR_EV_ANNOUNCED:
	case ARR_EV_RELOAD:
	case ARR_EV_SYNC_LOCK:
	case ARR_EV_GATHERED:
	case ARR_EV_WINDOW:
	case ARR_EV_SUSPEND:
	case ARR_EV_TAKE_SLOT:
	case ARR_EV_HOLD:
	case ARR_EV_LOST:
		arr_event_node(a, ev);
		break;
	}
	if (!a->node.is_lost)
		pump(a);
	a->out = NULL;
}

/* After a step somebody still waits to begin a bitmap commit, and none runs: there was no memory for it. No event
 * would come of that. */
static bool is_starved(const struct arr *a)
{
	if (!a->bitmap || a->is_broken || bm_commit_is_running(a->bitmap))
		return false;
	return a->claim_phase == CLAIM_BITMAP_WAIT || a->sweep_phase == SWEEP_EVENTS || a->bitmap_owed ||
	       arr_rebitmap_wants_commit(a) || a->has_set_bits ||
	       (a->node.take_phase == TAKE_COMMIT && bm_wants_commit_now(a->bitmap));
}

uint64_t arr_next_timer_ms(const struct arr *a)
{
	if (arr_is_still(a) || a->node.is_lost)
		return UINT64_MAX;
	if (is_starved(a))
		return a->now_ms + NO_MEMORY_RETRY_MS;
	if (a->is_stopping)
		return UINT64_MAX;	/* it waits for what is under way, and that reports by itself */
	return min_u64(arr_claim_timer_ms(a), arr_sweep_timer_ms(a));
}

/* Whoever starts next need not look for differences; of several nodes the slots alone tell that. */
static bool is_settled(const struct arr *a)
{
	if (a->is_external)
		return a->is_last_flush_done;
	return (!a->is_active_on_disk || a->is_clustered) && arr_is_recorded(a);
}

bool arr_is_stopped(const struct arr *a)
{
	if (a->node.is_lost)
		return arr_is_quiet(a) && !a->node.jobs_out;
	if (!a->is_stopping || !arr_is_quiet(a))
		return false;
	if (arr_is_still(a))
		return true;
	return a->claim_phase == CLAIM_IDLE && a->sync_phase == SYNC_IDLE && arr_sweep_is_finished(a) &&
	       !arr_bitmap_is_changing(a) && !a->has_set_bits &&
	       !(a->bitmap && bm_commit_is_running(a->bitmap)) && arr_node_is_at_rest(a) &&
	       (a->is_broken || is_settled(a));
}

/* ---- jobs ---- */

void arr_wake(struct arr *a, struct arr_req *req)
{
	list_remove(&req->woken);
	list_append(&a->out->woken, &req->woken);
}

bool arr_job_parts(struct arr_job *job, uint32_t part_count)
{
	arr_job_end(job);
	job->part_count = 0;
	job->members = 0;
	job->is_on_file = false;
	job->parts = part_count > ARR_PARTS_INLINE ? mem_new(part_count, sizeof *job->parts) : job->inline_parts;
	return job->parts;
}

void arr_job_reserve(struct arr_job *job)
{
	job->part_count = 0;
	job->members = 0;
	job->parts = job->reserve;
}

void arr_job_end(struct arr_job *job)
{
	if (job->parts != job->inline_parts && job->parts != job->reserve)
		mem_free(job->parts);
	job->parts = NULL;
}

struct arr_part *arr_job_add(struct arr_job *job, uint32_t member, enum arr_part_op op, unsigned flags, uint64_t at,
			     uint64_t len, void *data)
{
	struct arr_part *p = &job->parts[job->part_count++];

	*p = (struct arr_part){ .member = member, .op = (uint8_t)op, .flags = (uint8_t)flags, .at = { at },
				.len_bytes = len, .data = data };
	if (member == ARR_FILE)
		job->is_on_file = true;
	else
		job->members |= ARR_BIT(member);
	return p;
}

static void count_parts(struct arr *a, const struct arr_job *job)
{
	for (uint32_t i = 0; i < job->part_count && !job->is_on_file; i++) {
		if (job->parts[i].op == ARR_P_FLUSH)
			a->counters.member_flushes++;
		else if (job->parts[i].op != ARR_P_READ)
			a->counters.member_writes++;
	}
}

void arr_job_issue(struct arr *a, struct arr_job *job)
{
	ARR_EACH(i, a, job->members)
		a->busy[i]++;
	count_parts(a, job);
	list_init(&job->link);
	if (!arr_keep_job(a, job))
		arr_job_give_out(a, job);
}

void arr_job_give_out(struct arr *a, struct arr_job *job)
{
	LAW(C5, !a->node.is_held && !a->node.is_lost);
	a->node.jobs_out++;
	if (job->owner) {
		job->owner->job = job;
		arr_wake(a, job->owner);
	} else {
		list_append(&a->out->jobs, &job->link);
	}
}

uint64_t arr_job_judge(struct arr *a, const struct arr_job *job)
{
	uint64_t failed = 0;

	for (uint32_t i = 0; i < job->part_count; i++)
		if (job->parts[i].rc)
			failed |= ARR_BIT(job->parts[i].member);
	ARR_EACH(i, a, failed) {
		a->members[i].errors++;
		arr_fail_member(a, i);
	}
	return failed;
}
