/* The hands of a fuzzed array: they carry out nothing and look where every part goes.
 *
 * A claim writes the superblock's place, a bitmap job inside the bitmap, everything else inside the data area, each of
 * the member it names (law I7); a read-only array writes nothing. Parts fail when the input wants it: laws must hold
 * then as well. Time is a number that goes on by itself. */
#include "run_array.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"

enum { STEPS_MAX = 400, CLIENTS_MAX = 24, REQUEST_MAX_BYTES = 1 << 16 };

struct hands {
	const struct run_array *r;
	struct arr *array;
	struct asm_lineage *lineage;
	uint32_t member_of[ARR_MEMBERS_MAX];
	struct list jobs;
	uint64_t now_ms;
	unsigned parts;
};

static bool is_within(const struct arr_part *p, uint64_t at, uint64_t len)
{
	return p->at.bytes >= at && p->len_bytes <= len && p->at.bytes - at <= len - p->len_bytes;
}

/* Who names no bitmap has it as far from the superblock as the reference. */
static uint64_t bitmap_of(const struct asm_member *m, const struct asm_member *ref)
{
	bool is_named = m->sb.feature_map & FMT_SB1_BITMAP;

	return is_named ? m->bitmap_at.bytes :
			  m->super_at.bytes + (uint64_t)(int64_t)ref->sb.bitmap_offset_sectors * SECTOR_BYTES;
}

static void check_place(const struct hands *h, const struct arr_job *job, const struct arr_part *p)
{
	const struct asm_member *m = &h->r->members[h->member_of[p->member]];
	const struct asm_member *ref = &h->r->members[h->r->plan->freshest];
	const struct bitmap_sb *bm = &h->r->members[h->r->plan->bitmap_member].bitmap;

	if (p->op == ARR_P_FLUSH)
		return;
	FUZZ_MUST(p->op == ARR_P_READ || !h->r->options->is_readonly);
	if (job->kind == ARR_JOB_CLAIM) {
		FUZZ_MUST(p->op == ARR_P_WRITE && p->at.bytes == m->super_at.bytes && p->len_bytes <= FMT_SB1_BYTES);
	} else if (job->kind == ARR_JOB_BITMAP) {
		FUZZ_MUST(p->op == ARR_P_WRITE && h->r->plan->has_bitmap);
		FUZZ_MUST(is_within(p, bitmap_of(m, ref), round_up(fmt_bitmap_bytes(bm), SECTOR_BYTES)));
	} else {
		/* The array's size is the reference's, whatever this one says. */
		FUZZ_MUST(is_within(p, m->sb.data_offset_sectors * SECTOR_BYTES, ref->sb.size_sectors * SECTOR_BYTES));
		FUZZ_MUST(!ranges_overlap(p->at.bytes, p->len_bytes, m->super_at.bytes, fmt_sb1_valid_bytes(&m->sb)));
		FUZZ_MUST(!h->r->plan->has_bitmap ||
			  !ranges_overlap(p->at.bytes, p->len_bytes, bitmap_of(m, ref), fmt_bitmap_bytes(bm)));
	}
	FUZZ_MUST(p->len_bytes <= m->size_bytes && p->at.bytes <= m->size_bytes - p->len_bytes);
}

static void execute(struct hands *h, struct arr_job *job)
{
	if (job->kind == ARR_JOB_CLAIM)
		asm_claim_render(h->lineage, arr_claim_in_flight(h->array), job, 1000000000);
	for (uint32_t i = 0; i < job->part_count; i++) {
		struct arr_part *p = &job->parts[i];

		FUZZ_MUST(p->member < ARR_MEMBERS_MAX && h->member_of[p->member] < h->r->plan->member_count);
		check_place(h, job, p);
		p->rc = h->r->failing && ++h->parts % (h->r->failing + 1) == 0 ? -EIO : 0;
		/* What stands behind a part that failed on its member was not tried. */
		for (uint32_t k = 0; k < i && !p->rc; k++)
			if (job->parts[k].member == p->member)
				p->rc = job->parts[k].rc;
	}
}

static void step(struct hands *h, struct arr_event *ev)
{
	struct arr_out out;
	struct arr_req *req, *next;
	struct arr_job *job, *next_job;

	arr_out_init(&out);
	arr_step(h->array, ev, h->now_ms, &out);
	list_for_each_safe(req, next, &out.woken, woken) {
		list_remove(&req->woken);
		if (req->job)
			list_append(&h->jobs, &req->job->link);
	}
	list_for_each_safe(job, next_job, &out.jobs, link) {
		list_remove(&job->link);
		list_append(&h->jobs, &job->link);
	}
}

/* Jobs, then time. A resync may be petabytes long: it goes on for some steps. */
static void settle(struct hands *h, unsigned steps)
{
	while (steps-- && !arr_is_stopped(h->array)) {
		struct arr_event ev = { .kind = ARR_EV_TIMER };

		if (!list_is_empty(&h->jobs)) {
			ev.kind = ARR_EV_JOB_DONE;
			ev.job = list_entry(h->jobs.next, struct arr_job, link);
			list_remove(&ev.job->link);
			execute(h, ev.job);
		} else if (arr_next_timer_ms(h->array) == UINT64_MAX) {
			return;
		} else {
			h->now_ms = max_u64(h->now_ms + 1, arr_next_timer_ms(h->array));
		}
		step(h, &ev);
	}
}

static void submit(struct hands *h, struct arr_req *req, struct fuzz_input *in)
{
	static uint8_t data[REQUEST_MAX_BYTES];
	struct arr_status s;
	uint8_t what = fuzz_take(in, 1);
	struct arr_event ev = { .kind = ARR_EV_SUBMIT, .req = req };

	arr_get_status(h->array, &s);
	*req = (struct arr_req){ .op = (enum arr_op)(what & 3), .is_fua = what & 4, .may_punch = what & 8,
				 .data = data };
	if (req->op != ARR_FLUSH) {
		req->at.bytes = fuzz_take(in, 2) * (s.size_bytes / 65536);
		req->len_bytes = min_u64(1 + fuzz_take(in, 2), s.size_bytes - req->at.bytes);
	}
	step(h, &ev);
	settle(h, what & 16 ? 3 : 0);
}

static void stop(struct hands *h)
{
	struct arr_event ev = { .kind = ARR_EV_STOP };

	step(h, &ev);
	settle(h, STEPS_MAX);
	FUZZ_MUST(arr_is_stopped(h->array));
	arr_free(h->array);
	asm_lineage_free(h->lineage);
}

void run_array(struct run_array r, struct fuzz_input *in)
{
	struct hands h = { .r = &r, .now_ms = 1000 };
	struct arr_req requests[CLIENTS_MAX];
	struct arr_event first = { .kind = ARR_EV_TIMER };
	struct err err = { 0 };
	uint32_t count = 0;

	list_init(&h.jobs);
	if (asm_start(r.members, r.plan, r.options, r.image, r.image_bytes, &h.array, &h.lineage, h.member_of,
		      &err) < 0) {
		FUZZ_MUST(fuzz_is_sentence(&err));
		return;
	}
	step(&h, &first);
	settle(&h, 20);
	while (in->at < in->end && count < CLIENTS_MAX)
		submit(&h, &requests[count++], in);
	settle(&h, STEPS_MAX);
	stop(&h);
	for (uint32_t i = 0; i < count; i++)
		FUZZ_MUST(requests[i].is_done);
}
