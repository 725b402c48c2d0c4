/* Hands for the tests of the array: members in memory, jobs executed on request, a clock that is told.
 *
 * One world per program, made by begin() and unmade by end(). Jobs wait in one queue; run() executes them in order
 * but for the kinds that are held back. What was executed is kept as a *score*, a line of words each naming members
 * by number: "bitmap01 active01 write01". A test compares scores, so it sees order, members and surplus.
 *
 * The hands watch one law for all tests (I10): no superblock says clean over client writes that were not flushed, and
 * none gives an offset, or a member in sync, over copied data that was not flushed. Where an owner keeps the metadata
 * the same is asked of the status after every step, since the owner may record whatever it sees. end() says so.
 *
 * One of several nodes (setup.nodes): its slot is the second one. What superblocks say is kept in w.disk, as claims
 * leave it and as other nodes would have changed it; after every step w.after_step may answer what the array wants
 * (node.h). */
#ifndef TESTS_UNIT_ARRAY_HANDS_H
#define TESTS_UNIT_ARRAY_HANDS_H

#include "hands_world.h"

/* ---- the world ---- */

static struct bm *make_bitmap(const struct setup *s, bool is_degraded)
{
	struct bitmap_sb sb = {
		.magic = FMT_BITMAP_MAGIC, .version = 4, .events = FIRST_EVENTS, .events_cleared = 3,
		.sync_size_sectors = w.size / SECTOR_BYTES, .chunk_bytes = s->chunk ? s->chunk : CHUNK,
			.daemon_sleep_s = 5, .nodes = s->nodes,
	};
	uint8_t image[BM_PAGE_BYTES] = { 0 };
	bool is_needed = is_degraded || s->is_dirty;
	struct bm *b;

	if (s->nodes)
		sb.version = 5;
	w.head_bytes = s->is_external || s->is_bare ? 0 : FMT_BITMAP_SB_BYTES;
	for (unsigned i = 0; i < 8; i++)
		image[w.head_bytes + i] = (uint8_t)(s->set >> 8 * i);
	b = w.head_bytes ? bm_new(&sb, image, sizeof image) :
		bm_new_bare(w.size, sb.chunk_bytes, 5000, image, sizeof image);
	bm_load(b, is_needed ? BM_LOAD_NEEDED_FROM : BM_LOAD_CLEAN, (array_off){ is_degraded ? 0 : s->checkpoint },
		false);
	if (s->prepare)
		s->prepare(b);
	return b;
}

static void make_hand(uint32_t i)
{
	struct hand *h = &w.hands[i];

	free(h->media);
	*h = (struct hand){ .media = calloc(1, DATA_AT + w.size), .copied_from = OFF_NONE };
	memset(h->media + DATA_AT, 'a' + (int)i, w.size);	/* copies differ: what was copied can be seen */
}

/* Superblocks say what the array is made of. */
static void begin_disk(const struct arr_config *c)
{
	w.disk = (struct arr_reload){ .is_found = true, .events = c->events, .member_count = c->member_count };
	for (uint32_t i = 0; i < c->member_count; i++)
		w.disk.members[i] = (struct arr_reload_member){
			.member = i, .role = c->members[i].state == ARR_M_SPARE ? ARR_ROLE_SPARE : i,
			.is_recovering = c->members[i].state == ARR_M_RECOVERING,
			.is_by_bitmap = !c->members[i].wants_full, .recovery_offset = c->members[i].recovery_offset,
		};
}

UNUSED static void begin(struct setup s)
{
	struct arr_config c = { .events = FIRST_EVENTS, .resync_offset = OFF_NONE, .sync_reason = "a test wants it" };
	bool is_degraded = false;

	memset(&w, 0, sizeof w);
	w.now_ms = 1000;
	w.size = s.size ? s.size : SIZE;
	list_init(&w.jobs);
	c.size_bytes = w.size;
	c.member_count = s.members ? s.members : 2;
	c.raid_devices = s.slots ? s.slots : c.member_count;
	c.is_readonly = s.is_readonly;
	c.is_read_auto = s.is_read_auto;
	c.is_external = s.is_external;
	if (s.is_external)
		c.events = 0;
	c.wants_record = s.wants_record;
	c.write_behind_max = s.write_behind;
	if (s.is_dirty) {
		c.resync_offset = w.given_offset = s.checkpoint;
		c.is_active = s.checkpoint == 0 && !s.is_external;
	}
	for (uint32_t i = 0; i < c.member_count; i++) {
		c.members[i] = (struct arr_member){
			.state = s.states[i] ? s.states[i] : ARR_M_IN_SYNC, .slot = i, .dev_number = i,
			.data_at = { DATA_AT }, .bitmap_at = { BITMAP_AT },
			.wants_full = s.wants_full[i], .recovery_offset = s.recovery_offsets[i],
			.is_write_mostly = s.mostly >> i & 1,
		};
		is_degraded |= c.members[i].state != ARR_M_IN_SYNC;
		make_hand(i);
	}
	is_degraded |= c.raid_devices > c.member_count;
	c.is_clustered = s.nodes;
	c.nodes = s.nodes;
	c.node_slot = s.nodes ? NODE_SLOT : 0;
	c.slot_bytes = s.nodes ? SLOT_BYTES : 0;
	begin_disk(&c);
	c.bitmap = w.bitmap = s.has_no_bitmap ? NULL : make_bitmap(&s, is_degraded);
	w.a = arr_new(&c);
}

UNUSED static void forget(void)
{
	arr_free(w.a);
	for (uint32_t i = 0; i < HANDS; i++)
		free(w.hands[i].media);
}

UNUSED static void end(void)
{
	is_u64(w.early_claims, 0, "no superblock claimed more before everything was flushed");
	forget();
}

/* ---- the score ---- */

static void note(const char *word, uint64_t members)
{
	size_t n = strlen(w.score);

	n += (size_t)snprintf(w.score + n, sizeof w.score - n, "%s%s", n ? " " : "", word);
	for (uint32_t i = 0; i < HANDS; i++)
		if (members >> i & 1 && n < sizeof w.score)
			n += (size_t)snprintf(w.score + n, sizeof w.score - n, "%u", i);
}

static const char *word_of(const struct arr_job *job)
{
	static const char *const ops[] = { [ARR_P_READ] = "read", [ARR_P_WRITE] = "write", [ARR_P_ZERO] = "zero",
		[ARR_P_FLUSH] = "flush" };

	switch (job->kind) {
	case ARR_JOB_REQUEST:
		return ops[job->parts[0].op];
	case ARR_JOB_BITMAP:
		return "bitmap";
	case ARR_JOB_CLAIM:
		return arr_claim_in_flight(w.a)->is_active ? "active" : "clean";
	case ARR_JOB_FLUSH:
		return "FLUSH";
	case ARR_JOB_SYNC_READ:
		return "from";
	case ARR_JOB_SYNC_WRITE:
		return "to";
	case ARR_JOB_BEHIND:
		return "behind";
	case ARR_JOB_LOOK:
		return "look";
	case ARR_JOB_SLOT_READ:
		return "slot";
	case ARR_JOB_SLOT_CLEAR:
		return "CLEAR";
	}
	return "?";
}

/* What was executed since the last look. */
UNUSED static const char *score(void)
{
	static char last[sizeof w.score];

	memcpy(last, w.score, sizeof last);
	w.score[0] = '\0';
	return last;
}

#define is_score(wanted, ...)                                                                       \
	do {                                                                                        \
		const char *got_ = score();                                                         \
		if (!ok(!strcmp(got_, wanted), __VA_ARGS__))                                        \
			printf("# %s:%d: got    \"%s\"\n# wanted \"%s\"\n", __FILE__, __LINE__, got_, wanted); \
	} while (0)

/* How often @word stands in the score, which is kept. */
UNUSED static uint32_t times(const char *word)
{
	uint32_t n = 0;

	for (const char *p = w.score; (p = strstr(p, word)); p++)
		n++;
	return n;
}

/* ---- executing ---- */

static void check_claim(const struct arr_claim *c)
{
	bool is_early = false;

	for (uint32_t i = 0; i < c->member_count; i++) {
		const struct arr_claim_member *m = &c->members[i];
		const struct hand *h = &w.hands[m->member];

		if (m->role >= ARR_ROLE_FAULTY)
			continue;
		is_early |= !c->is_active && (h->has_unflushed || h->copied_from < c->resync_offset) &&
			!m->is_recovering;
		is_early |= m->is_recovering && h->copied_from < m->recovery_offset;
		is_early |= !m->is_recovering && h->was_recovering && h->copied_from != OFF_NONE;
	}
	w.early_claims += is_early;
}

static void take_super(const struct arr_claim *c)
{
	w.disk.events = c->events;
	w.disk.is_active = c->is_active;
	w.disk.member_count = c->member_count;
	for (uint32_t i = 0; i < c->member_count; i++) {
		w.hands[c->members[i].member].was_recovering = c->members[i].is_recovering;
		w.disk.members[i] = (struct arr_reload_member){
			.member = c->members[i].member, .role = c->members[i].role,
			.is_recovering = c->members[i].is_recovering, .is_by_bitmap = c->members[i].is_by_bitmap,
			.recovery_offset = c->members[i].recovery_offset,
		};
	}
}

/* May an owner who looks now record what it sees? */
static void check_shown(void)
{
	static struct arr_status s;
	bool is_early = false;

	arr_get_shown(w.a, &s);
	if (!s.is_external)
		return;
	for (uint32_t i = 0; i < s.member_count; i++) {
		const struct hand *h = &w.hands[i];
		bool is_in_sync = s.members[i].state == ARR_M_IN_SYNC, shows_clean = !s.is_active && !s.is_broken;

		is_early |= is_in_sync && shows_clean && h->has_unflushed;
		is_early |= is_in_sync && !w.was_in_sync[i] && h->copied_from != OFF_NONE;
		is_early |= is_in_sync && s.degraded + 1 < s.raid_devices && h->copied_from < s.resync_offset &&
			s.resync_offset != w.given_offset;
		is_early |= s.members[i].state == ARR_M_RECOVERING && h->copied_from < s.members[i].recovery_offset;
		w.was_in_sync[i] = is_in_sync;
	}
	w.early_claims += is_early;
}

static void note_unflushed(const struct arr_job *job, const struct arr_part *p, struct hand *h)
{
	if (p->op == ARR_P_FLUSH) {
		h->has_unflushed = false;
		h->copied_from = OFF_NONE;
	} else if (job->kind == ARR_JOB_SYNC_WRITE) {
		h->copied_from = min_u64(h->copied_from, p->at.bytes - DATA_AT);
	} else if (p->op != ARR_P_READ && !(p->flags & ARR_PF_DURABLE)) {
		h->has_unflushed = true;
	}
}

static void execute_part(const struct arr_job *job, struct arr_part *p)
{
	struct hand *h = &w.hands[p->member];
	uint8_t *data = p->data ? p->data : w.sync_buffer;

	if (h->fails & 1 << p->op && (!h->fails_kinds || h->fails_kinds & KIND(job->kind))) {
		p->rc = -EIO;
		return;
	}
	p->rc = 0;
	if (job->kind == ARR_JOB_CLAIM) {
		check_claim(arr_claim_in_flight(w.a));
		h->super = *arr_claim_in_flight(w.a);
		h->has_super = true;
		return;
	}
	if (job->kind == ARR_JOB_LOOK)
		return;
	if (p->op == ARR_P_READ)
		memcpy(data, h->media + p->at.bytes, p->len_bytes);
	else if (p->op == ARR_P_WRITE)
		memcpy(h->media + p->at.bytes, data, p->len_bytes);
	else if (p->op == ARR_P_ZERO)
		memset(h->media + p->at.bytes, 0, p->len_bytes);
	note_unflushed(job, p, h);
}

static void execute(struct arr_job *job)
{
	int rc[HANDS] = { 0 };

	note(word_of(job), job->members);
	for (uint32_t i = 0; i < job->part_count; i++) {
		struct arr_part *p = &job->parts[i];

		if (rc[p->member])
			p->rc = rc[p->member];
		else
			execute_part(job, p);
		rc[p->member] = p->rc;
	}
	if (job->copy)
		memcpy(job->copy, job->owner->data, job->owner->len_bytes);
	if (job->kind == ARR_JOB_CLAIM)
		take_super(arr_claim_in_flight(w.a));
}

static int step(struct arr_event *ev)
{
	struct arr_out out;
	struct arr_req *req, *next;
	struct arr_job *job, *next_job;

	arr_out_init(&out);
	arr_step(w.a, ev, w.now_ms, &out);
	list_for_each_safe(req, next, &out.woken, woken) {
		list_remove(&req->woken);
		if (req->job && list_is_empty(&req->job->link))
			list_append(&w.jobs, &req->job->link);
	}
	list_for_each_safe(job, next_job, &out.jobs, link) {
		list_remove(&job->link);
		list_append(&w.jobs, &job->link);
	}
	check_shown();
	if (w.after_step)
		w.after_step();
	return ev->rc;
}

static struct arr_job *next_job_to_run(void)
{
	struct arr_job *job;

	list_for_each(job, &w.jobs, link)
		if (!(w.held & KIND(job->kind)))
			return job;
	return NULL;
}

/* One job; false: all that are left are held back. */
UNUSED static bool run_one(void)
{
	struct arr_job *job = next_job_to_run();
	struct arr_event ev = { .kind = ARR_EV_JOB_DONE, .job = job, .reload = &w.disk };

	if (!job)
		return false;
	list_remove(&job->link);
	execute(job);
	step(&ev);
	return true;
}

/* The first job of this kind, though it is held back. */
UNUSED static void run_one_of(enum arr_job_kind kind)
{
	unsigned held = w.held;

	w.held = ~KIND(kind);
	run_one();
	w.held = held;
}

/* The job of this request, though its kind is held back. */
UNUSED static void run_job_of(struct arr_req *req)
{
	struct arr_event ev = { .kind = ARR_EV_JOB_DONE, .job = req->job };

	list_remove(&req->job->link);
	execute(req->job);
	step(&ev);
}

/* Everything that can go on, to the end. */
UNUSED static void run(void)
{
	struct arr_event ev = { .kind = ARR_EV_TIMER };

	step(&ev);
	for (int i = 0; run_one(); i++)
		if (i > 10000) {
			ok(false, "the array comes to rest");
			exit(1);
		}
}

/* Jobs of this kind that wait. */
UNUSED static uint32_t waiting(enum arr_job_kind kind)
{
	const struct arr_job *job;
	uint32_t n = 0;

	list_for_each(job, &w.jobs, link)
		n += job->kind == kind;
	return n;
}

UNUSED static void hold(unsigned kinds)
{
	w.held |= kinds;
}

UNUSED static void let_go(unsigned kinds)
{
	w.held &= ~kinds;
	run();
}

/* ---- events ---- */

/* Time passes; the array is woken when it asked for it. */
UNUSED static void pass(uint64_t ms)
{
	uint64_t until = w.now_ms + ms;

	run();
	while (arr_next_timer_ms(w.a) <= until && w.now_ms < until) {
		w.now_ms = arr_next_timer_ms(w.a) > w.now_ms ? arr_next_timer_ms(w.a) : w.now_ms + 1;
		run();
	}
	w.now_ms = until;
	run();
}

UNUSED static struct arr_req *submit(enum arr_op op, uint64_t at, uint64_t len, int fill)
{
	struct arr_req *r = &w.requests[w.request_count++ % REQUESTS];
	struct arr_event ev = { .kind = ARR_EV_SUBMIT, .req = r };
	static uint8_t buffers[REQUESTS][CHUNK];

	*r = (struct arr_req){ .op = op, .at = { at }, .len_bytes = len, .data = buffers[r - w.requests] };
	memset(r->data, fill, CHUNK);
	step(&ev);
	return r;
}

UNUSED static int write_now(uint64_t at, uint64_t len, int fill)
{
	struct arr_req *r = submit(ARR_WRITE, at, len, fill);

	run();
	return r->is_done ? r->rc : 1;
}

UNUSED static int flush_now(void)
{
	struct arr_req *r = submit(ARR_FLUSH, 0, 0, 0);

	run();
	return r->is_done ? r->rc : 1;
}

/* The byte that a client reads, or the error. */
UNUSED static int read_now(uint64_t at)
{
	struct arr_req *r = submit(ARR_READ, at, SECTOR_BYTES, 0);

	run();
	return !r->is_done ? 1 : r->rc ? r->rc : *(uint8_t *)r->data;
}

static int control(enum arr_event_kind kind, uint32_t member)
{
	struct arr_event ev = { .kind = kind, .member = member };

	step(&ev);
	return ev.rc;
}

/* An event that has a value, and all that follows. */
UNUSED static int tell(enum arr_event_kind kind, uint64_t value)
{
	struct arr_event ev = { .kind = kind, .value = value };

	step(&ev);
	run();
	return ev.rc;
}

/* What the owner says: an event that names a member, or none. */
UNUSED static int owner(enum arr_event_kind kind, uint32_t member)
{
	int rc = control(kind, member);

	run();
	return rc;
}

UNUSED static int fail(uint32_t member)
{
	return control(ARR_EV_FAIL, member);
}

UNUSED static int take_out(uint32_t member)
{
	return control(ARR_EV_REMOVE, member);
}

UNUSED static void stop(void)
{
	control(ARR_EV_STOP, 0);
}

/* A member joins: as a spare, or back in @slot by the bitmap or in full. Returns its entry, or an error. */
UNUSED static int join(enum arr_member_state state, uint32_t slot, bool wants_full)
{
	struct arr_member m = {
		.state = state, .slot = slot, .dev_number = 3, .data_at = { DATA_AT }, .bitmap_at = { BITMAP_AT },
			.wants_full = wants_full,
	};
	struct arr_event ev = { .kind = ARR_EV_ADD, .new_member = &m, .reason = "it came back" };
	struct arr_status s;

	arr_get_status(w.a, &s);
	for (uint32_t i = 0; i <= s.member_count && i < HANDS; i++)
		if (i == s.member_count || s.members[i].state == ARR_M_NONE) {
			make_hand(i);
			break;
		}
	step(&ev);
	return ev.rc ? ev.rc : (int)ev.ret_member;
}

/* ---- looking ---- */

UNUSED static const struct arr_status *status(void)
{
	static struct arr_status s;

	arr_get_status(w.a, &s);
	return &s;
}

UNUSED static enum arr_member_state state_of(uint32_t member)
{
	return status()->members[member].state;
}

/* The byte of a member's data area. */
UNUSED static int byte_of(uint32_t member, uint64_t at)
{
	return w.hands[member].media[DATA_AT + at];
}

/* md's word for the array. */
UNUSED static const char *shown(void)
{
	return arr_state_name(status()->state);
}

/* What the superblock of @teller says of @member. */
UNUSED static uint32_t told_role(uint32_t teller, uint32_t member)
{
	const struct arr_claim *c = &w.hands[teller].super;

	for (uint32_t i = 0; i < c->member_count; i++)
		if (c->members[i].member == member)
			return c->members[i].role;
	return ARR_ROLE_SPARE;
}

/* The bit of a chunk on a member's medium, in a node's slot; in ours. */
UNUSED static bool bit_in(uint32_t member, uint32_t slot, uint64_t chunk)
{
	return w.hands[member].media[BITMAP_AT + slot * SLOT_BYTES + w.head_bytes + chunk / 8] >> chunk % 8 & 1;
}

UNUSED static bool bit_on(uint32_t member, uint64_t chunk)
{
	return bit_in(member, status()->node_slot, chunk);
}

UNUSED static uint64_t cleared_on(uint32_t member)
{
	struct bitmap_sb sb;

	fmt_bitmap_sb_decode(w.hands[member].media + BITMAP_AT, &sb);
	return sb.events_cleared;
}

#endif
