/* What happens in the simulated world: an array is made, and lives several lives.
 *
 * A life: some members are chosen and judged; the array starts; clients write, zero, flush and read a few hot
 * chunks; members fail by I/O errors or by hand, are removed, return, are added; time passes; at a moment
 * of the seed's choosing the power goes, or the array is stopped (and the power may go in the middle of that),
 * or everything is let come to rest and looked at.
 *
 * The one thing the driver avoids by itself is to start from members that a superblock in sync has written
 * off: that is allowed by md and forks the history. fork.c does it on purpose. */
#include "world.h"

#include <stdlib.h>
#include <string.h>

static uint64_t below(struct sim_world *w, uint64_t n)
{
	return prng_below(&w->rng, n);
}

/* ---- creating ---- */

static void choose_geometry(struct sim_world *w)
{
	static const enum sb1_minor minors[] = { SB1_2, SB1_2, SB1_2, SB1_0, SB1_1 };
	bool is_large = below(w, 12) == 0; /* several resync windows */

	w->minor = minors[below(w, 5)];
	w->slots = 2 + (below(w, 3) == 0);
	w->has_bitmap = below(w, 5) != 0;
	w->chunk_bytes = is_large ? 65536 : 4096u << below(w, 2);
	w->size_bytes = is_large ? (34 + below(w, 10)) * 65536 : 64 * 4096;
	w->size_bytes -= below(w, 2) * SECTOR_BYTES * (1 + below(w, 7));
}

static void put(struct sim_member *m, uint64_t at, const void *data, uint64_t len)
{
	memcpy(m->disk.medium + at, data, len);
	memcpy(m->disk.cache + at, data, len);
}

static void write_created(struct sim_world *w, struct sim_member *m, const struct asm_created *c)
{
	uint8_t raw[FMT_BITMAP_SB_BYTES];

	m->is_behind = false;
	m->place = (struct sim_place){ .bitmap_at = c->bitmap_at, .data_at = lay_data(&c->sb).at, .minor = w->minor };
	if (c->has_bitmap) {
		fmt_bitmap_sb_encode(&c->bitmap, raw);
		memset(m->disk.medium + c->bitmap_at.bytes, c->bitmap_fill, c->bitmap_bytes);
		memset(m->disk.cache + c->bitmap_at.bytes, c->bitmap_fill, c->bitmap_bytes);
		put(m, c->bitmap_at.bytes, raw, sizeof raw);
	}
	put(m, c->super_at.bytes, c->super_raw, sizeof c->super_raw);
	check_place(w, m);
}

/* The members' old content: each its own, unless the creator assumes that they agree. */
static void fill_data(struct sim_world *w, struct sim_member *m, bool is_assume_clean)
{
	uint8_t sector[SECTOR_BYTES];

	for (uint64_t s = 0; s < w->model.count; s++) {
		uint64_t content = is_assume_clean ? 0 : (1ull << 56) + ((uint64_t)index_of(w, m) << 48) + s;

		model_fill(sector, 1, content);
		put(m, m->place.data_at.bytes + s * SECTOR_BYTES, sector, sizeof sector);
		if (!is_assume_clean || m == w->members)
			model_begin(&w->model, s, content);
	}
}

void create_array(struct sim_world *w)
{
	static struct asm_created made[ARR_MEMBERS_MAX];
	struct asm_create c = { .uuid = "sim array uuid", .name = "sim", .ctime_s = 1 };
	struct err err = { 0 };

	choose_geometry(w);
	c.minor = w->minor;
	c.has_bitmap = w->has_bitmap;
	c.is_assume_clean = below(w, 2);
	c.bitmap_chunk_bytes = w->chunk_bytes;
	c.size_bytes = w->size_bytes;
	c.count = w->slots;
	for (uint32_t i = 0; i < w->slots; i++) {
		struct sim_member *m = world_new_member(w, w->size_bytes / 4096 * 4096 + (1 << 20) + (1 << 18));

		c.members[i].path = m->disk.path;
		c.members[i].size_bytes = m->disk.size_bytes;
		c.members[i].device_uuid[0] = (uint8_t)++w->uuids;
	}
	if (asm_create_plan(&c, made, &err) < 0)
		broken(w, LAW_I9, "the array cannot be created: %s", err.text);
	w->size_bytes = made[0].sb.size_sectors * SECTOR_BYTES;
	w->chunks = div_up(w->size_bytes, w->chunk_bytes);
	w->bitmap_bytes = round_up(FMT_BITMAP_SB_BYTES + div_up(w->chunks, 8), SECTOR_BYTES);
	model_init(&w->model, w->size_bytes / SECTOR_BYTES);
	w->applied = calloc(SIM_DISKS * w->model.count, sizeof *w->applied);
	for (uint32_t i = 0; i < w->slots; i++) {
		write_created(w, &w->members[i], &made[i]);
		fill_data(w, &w->members[i], c.is_assume_clean);
	}
	trace(w, "created: %u slots, %llu bytes, %s, chunk %u%s", w->slots, (unsigned long long)w->size_bytes,
	      w->has_bitmap ? "bitmap" : "no bitmap", w->chunk_bytes, c.is_assume_clean ? ", assumed clean" : "");
}

/* ---- clients ---- */

void submit_write(struct sim_world *w, uint64_t first, uint64_t sectors, bool is_zero, bool is_fua)
{
	struct sim_request *r = world_free_request(w);

	if (!r || !model_has_room(&w->model, first, sectors))
		return;
	r->first = first;
	r->sectors = sectors;
	r->serial = model_write(&w->model, first, sectors, is_zero);
	r->req.op = is_zero ? ARR_ZERO : ARR_WRITE;
	r->req.is_fua = is_fua;
	r->req.may_punch = is_zero && below(w, 2);
	model_fill(r->data, sectors, r->serial);
	world_submit(w, r);
}

/* A few hot places, so that writes meet each other, and now and then anywhere. */
static void choose_range(struct sim_world *w, uint64_t *ret_first, uint64_t *ret_sectors)
{
	uint64_t all = w->model.count;

	*ret_first = below(w, 4) ? below(w, 3) * (all / 3) + below(w, 6) : below(w, all);
	*ret_sectors = 1 + (below(w, 8) ? below(w, 6) : below(w, MODEL_SPAN_MAX));
	*ret_sectors = min_u64(*ret_sectors, all - *ret_first);
}

static void submit_any(struct sim_world *w)
{
	struct sim_request *r = world_free_request(w);
	uint64_t first, sectors, kind = below(w, 100);

	if (!r)
		return;
	choose_range(w, &first, &sectors);
	if (kind < 55 && !w->is_readonly) {
		submit_write(w, first, sectors, below(w, 6) == 0, below(w, 6) == 0);
		return;
	}
	r->first = kind < 85 ? first : 0;
	r->sectors = kind < 85 ? sectors : 0;
	r->req.op = kind < 85 ? ARR_READ : ARR_FLUSH;
	r->req.is_fua = r->req.may_punch = false;
	if (r->req.op == ARR_READ)
		model_look(&w->model, first, sectors, &r->view);
	else
		r->acks = model_flush(&w->model);
	world_submit(w, r);
}

/* ---- administrators ---- */

static struct sim_member *any_member(struct sim_world *w)
{
	return &w->members[below(w, w->member_count)];
}

static void fail_one(struct sim_world *w)
{
	struct sim_member *m = any_member(w);
	struct err err = { 0 };

	if (m->state == ARR_M_NONE)
		return;
	m->is_unchanged = w->has_bitmap && is_in_sync(m) && !bm_set_chunks(arr_bitmap(w->array)) &&
			  !world_requests(w) && !world_jobs(w);
	trace(w, "fail %s", m->disk.path);
	world_step(w, &(struct arr_event){ .kind = ARR_EV_FAIL, .member = m->entry, .err = &err });
}

static void remove_one(struct sim_world *w)
{
	struct sim_member *m = any_member(w);
	struct err err = { 0 };

	if (m->state != ARR_M_FAULTY && m->state != ARR_M_SPARE)
		return;
	if (world_step(w, &(struct arr_event){ .kind = ARR_EV_REMOVE, .member = m->entry, .err = &err }))
		return;
	trace(w, "removed %s", m->disk.path);
	asm_forget(w->lineage, m->entry);
	m->state = ARR_M_NONE;
}

static void join(struct sim_world *w, struct sim_member *m, const struct arr_member *new, const char *sentence)
{
	struct err err = { 0 };
	struct arr_event ev = { .kind = ARR_EV_ADD, .new_member = new, .reason = sentence, .err = &err };
	struct arr_status s;
	uint32_t entry;

	/* The entry's owner must be known before the step's jobs name it. */
	arr_get_status(w->array, &s);
	for (entry = 0; entry < s.member_count && s.members[entry].state != ARR_M_NONE; entry++)
		;
	m->disk.has_lost_writes = false;
	w->disk_of[entry] = index_of(w, m);
	m->entry = entry;
	m->state = new->state;
	m->place.data_at = new->data_at;
	m->place.bitmap_at = new->bitmap_at;
	check_place(w, m);
	asm_admitted(w->lineage, entry);
	if (world_step(w, &ev) == 0 && ev.ret_member == entry)
		return;
	broken(w, LAW_I9, "%s was admitted, but the array did not take it: %s", m->disk.path, err.text);
}

static void return_one(struct sim_world *w)
{
	struct sim_member *m = any_member(w);
	enum asm_admission how = below(w, 2) ? ASM_ADMIT_READD : ASM_ADMIT_ADD;
	uint8_t uuid[16] = { (uint8_t)++w->uuids, 1 };
	struct asm_member looked;
	struct arr_member new;
	char sentence[256];
	struct err err = { 0 };

	if (m->state != ARR_M_NONE || m->disk.is_dead || w->is_stopping || w->is_readonly)
		return;
	world_look(w, m, &looked);
	if (asm_admit(w->lineage, w->array, &looked, how, uuid, &new, sentence, &err)) {
		trace(w, "not admitted: %s", err.text);
		return;
	}
	trace(w, "admitted: %s", sentence);
	join(w, m, &new, sentence);
	w->is_sync_expected = m->is_unchanged && new.state == ARR_M_RECOVERING && !new.wants_full &&
			      w->action == ARR_SYNC_RECOVER;
	w->sync_bytes_expected = 0;
}

static void administer(struct sim_world *w)
{
	if (w->is_stopping || w->is_readonly)
		return;
	switch (below(w, 5)) {
	case 0:
		fail_one(w);
		break;
	case 1:
	case 2:
		remove_one(w);
		break;
	default:
		return_one(w);
	}
}

/* ---- time ---- */

static void pass_time(struct sim_world *w)
{
	uint64_t due = arr_next_timer_ms(w->array);

	if (due == UINT64_MAX || below(w, 3) == 0)
		w->now_ms += below(w, 40);
	else
		w->now_ms = max_u64(w->now_ms, due);
	world_step(w, &(struct arr_event){ .kind = ARR_EV_TIMER });
}

static void break_something(struct sim_world *w)
{
	struct sim_disk *d = &any_member(w)->disk;

	d->operations_to_fault = (int64_t)below(w, 12);
	d->is_fault_lasting = below(w, 3) == 0;
}

static void one_moment(struct sim_world *w, bool has_faults)
{
	uint64_t kind = below(w, 200);

	if (kind < 40 && !w->is_stopping)
		submit_any(w);
	else if (kind < 190 && world_work(w))
		return;
	else if (kind < 194)
		administer(w);
	else if (kind < 195 && has_faults)
		break_something(w);
	else
		pass_time(w);
}

void settle(struct sim_world *w)
{
	uint32_t idle_ticks = 0;
	uint64_t steps = 0;

	EACH_MEMBER(w, m) {
		m->disk.operations_to_fault = -1;
		m->disk.is_dead = false;
	}
	trace(w, "let it come to rest");
	world_step(w, &(struct arr_event){ .kind = ARR_EV_TIMER });
	while (idle_ticks < 10) {
		if (++steps > 200000)
			broken(w, LAW_I9, "the array does not come to rest");
		if (world_work(w)) {
			idle_ticks = 0;
			continue;
		}
		if (arr_next_timer_ms(w->array) == UINT64_MAX)
			break;
		w->now_ms = max_u64(w->now_ms, arr_next_timer_ms(w->array));
		world_step(w, &(struct arr_event){ .kind = ARR_EV_TIMER });
		idle_ticks++;
	}
	if (world_requests(w))
		broken(w, LAW_I9, "%u requests wait for ever", world_requests(w));
	at_stake(w, LAW_I9);
}

static void stop(struct sim_world *w, bool may_cut)
{
	uint64_t patience = may_cut ? below(w, 60) : 200000;

	w->is_stopping = true;
	trace(w, "stop");
	world_step(w, &(struct arr_event){ .kind = ARR_EV_STOP });
	while (!arr_is_stopped(w->array)) {
		if (!patience--) {
			if (!may_cut)
				broken(w, LAW_I9, "the array does not stop");
			world_end(w, true);
			return;
		}
		if (!world_work(w))
			pass_time(w);
	}
	at_stake(w, LAW_I9);
	w->stats->stops++;
	world_end(w, false);
}

/* ---- a life ---- */

/* Members that nobody in sync has written off: together they must always start. */
static uint32_t trustworthy(const struct sim_world *w)
{
	uint32_t mask = 0;

	for (uint32_t i = 0; i < w->member_count; i++)
		if (w->members[i].place.is_used && !w->members[i].is_left && !w->members[i].is_behind)
			mask |= 1u << i;
	return mask;
}

static bool start(struct sim_world *w, uint32_t chosen, struct asm_options *o, bool is_demanded)
{
	world_judge(w, chosen, o);
	if (w->plan.refusal.code) {
		if (is_demanded)
			broken(w, LAW_I9, "the members that trust each other do not start: %s", w->plan.refusal.text);
		if (strlen(w->plan.refusal.text) < 20)
			broken(w, LAW_I9, "a refusal without a sentence (%s)", err_name(w->plan.refusal.code));
		w->stats->starts_refused++;
		at_stake(w, LAW_I9);
		return false;
	}
	if (world_start(w, o))
		broken(w, LAW_I9, "a plan that can start does not");
	return true;
}

static void start_somehow(struct sim_world *w)
{
	struct asm_options o = { .is_readonly = below(w, 12) == 0,
				 .may_run_degraded = below(w, 2),
				 .safe_mode_delay_ms = 20 + (uint32_t)below(w, 200) };
	uint32_t trusted = trustworthy(w), chosen = 0;
	struct sb1 sb;

	for (uint32_t i = 0; i < w->member_count; i++)
		if (superblock_of(w, &w->members[i], &sb) && below(w, 5))
			chosen |= 1u << i;
	if (chosen & trusted && start(w, chosen, &o, false))
		return;
	o.may_run_degraded = true;
	start(w, trusted, &o, true);
}

void live(struct sim_world *w)
{
	uint64_t moments = 20 + below(w, 500), ending = below(w, 20);
	bool has_faults = below(w, 3) == 0;

	w->stats->lives++;
	start_somehow(w);
	if (w->member_count < w->slots + 2 && below(w, 4) == 0)
		world_new_member(w, w->members[0].disk.size_bytes + below(w, 2) * 65536);
	while (moments--)
		one_moment(w, has_faults);
	if (ending < 12) {
		world_end(w, true);
		return;
	}
	if (ending < 17) {
		settle(w);
		check_idle(w);
	}
	stop(w, ending % 2);
}
