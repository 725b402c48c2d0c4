/* A mirror for the tests of assembly: superblocks and bitmaps on disks in memory, looked at, judged, started.
 *
 * Disks are named by letters. create() lays them out as umd create does; EDIT() changes a superblock and keeps its
 * checksum right; judge("ab") looks at two of them and asks for a judgement; start() and settle() let the array run:
 * superblocks and bitmaps land on the disks, data does not (the array's own tests watch data). */
#ifndef TESTS_UNIT_ASSEMBLY_MIRROR_H
#define TESTS_UNIT_ASSEMBLY_MIRROR_H

#include "assembly/assembly.h"
#include "tap.h"

#include <stdlib.h>

#define UNUSED __attribute__((unused))

enum { DISKS = 5, MEMBER_BYTES = 64 << 20, MIB = 1 << 20, BITMAP_AREA = 4096 };

static struct disk {
	struct asm_created made;
	uint64_t bytes;
	uint8_t super[FMT_SB1_BYTES], bitmap[BITMAP_AREA];
	member_off super_at, bitmap_at;
} disks[DISKS];

static struct asm_member m[DISKS];
static struct asm_plan plan;
static struct asm_options options;

/* ---- disks ---- */

UNUSED static struct sb1 super_of(char name)
{
	const struct disk *d = &disks[name - 'a'];
	struct sb1 sb;

	fmt_sb1_decode(d->super, d->made.sb.minor, &sb);
	return sb;
}

UNUSED static void put_super(char name, const struct sb1 *sb)
{
	fmt_sb1_encode(sb, disks[name - 'a'].super);
}

UNUSED static struct bitmap_sb bitmap_of(char name)
{
	struct bitmap_sb sb;

	fmt_bitmap_sb_decode(disks[name - 'a'].bitmap, &sb);
	return sb;
}

/* EDIT('b', s->events--): one superblock changed, its checksum right. */
#define EDIT(name, ...)                                                                             \
	do {                                                                                        \
		struct sb1 edited_ = super_of(name);                                                \
		struct sb1 *s = &edited_;                                                           \
		__VA_ARGS__;                                                                        \
		put_super(name, s);                                                                 \
	} while (0)

#define EDIT_BITMAP(name, ...)                                                                      \
	do {                                                                                        \
		struct bitmap_sb edited_ = bitmap_of(name);                                         \
		struct bitmap_sb *b = &edited_;                                                     \
		__VA_ARGS__;                                                                        \
		fmt_bitmap_sb_encode(b, disks[(name) - 'a'].bitmap);                              \
	} while (0)

UNUSED static void set_bit(char name, uint64_t chunk)
{
	disks[name - 'a'].bitmap[FMT_BITMAP_SB_BYTES + chunk / 8] |= (uint8_t)(1 << chunk % 8);
}

UNUSED static bool bit_of(char name, uint64_t chunk)
{
	return disks[name - 'a'].bitmap[FMT_BITMAP_SB_BYTES + chunk / 8] >> chunk % 8 & 1;
}

static void lay_out(char name, const struct asm_created *made)
{
	struct disk *d = &disks[name - 'a'];

	memset(d, 0, sizeof *d);
	d->made = *made;
	d->bytes = MEMBER_BYTES;
	memcpy(d->super, made->super_raw, sizeof d->super);
	d->super_at = made->super_at;
	d->bitmap_at = made->bitmap_at;
	if (made->has_bitmap) {
		memset(d->bitmap, made->bitmap_fill, sizeof d->bitmap);
		fmt_bitmap_sb_encode(&made->bitmap, d->bitmap);
	}
}

/* A disk of zeroes. */
UNUSED static void blank(char name, uint64_t bytes)
{
	struct disk *d = &disks[name - 'a'];

	memset(d, 0, sizeof *d);
	d->made.sb.minor = SB1_2;
	d->super_at.bytes = 4096;
	d->bytes = bytes;
}

/* A clean mirror of @count members at event 17, chunks of 1 MiB (63 of them), @uuid in every byte of the array's. */
UNUSED static void create_as(enum sb1_minor minor, uint32_t count, bool has_bitmap, uint8_t uuid)
{
	struct asm_create c = { .minor = minor, .has_bitmap = has_bitmap, .is_assume_clean = true,
		.bitmap_chunk_bytes = MIB, .count = count };
	static struct asm_created made[ARR_MEMBERS_MAX];
	struct err err = { 0 };

	memset(c.uuid, uuid, sizeof c.uuid);
	memcpy(c.name, "lab:m", 6);
	for (uint32_t i = 0; i < count; i++) {
		c.members[i].path = "m";
		c.members[i].size_bytes = MEMBER_BYTES;
		memset(c.members[i].device_uuid, uuid + 1 + (int)i, 16);
	}
	if (asm_create_plan(&c, made, &err))
		ok(false, "a mirror could not be planned: %s", err.text);
	for (uint32_t i = 0; i < count; i++) {
		lay_out((char)('a' + i), &made[i]);
		EDIT((char)('a' + i), s->events = 17);
		if (has_bitmap)
			EDIT_BITMAP((char)('a' + i), b->events = 17; b->events_cleared = 17);
	}
}

UNUSED static void create(uint32_t count)
{
	create_as(SB1_2, count, true, 0x40);
	options = (struct asm_options){ 0 };
}

/* What every given disk's table says of a device number. */
UNUSED static void told_by(const char *names, uint32_t device, uint32_t role)
{
	for (; *names; names++)
		EDIT(*names, s->dev_roles[device] = (uint16_t)role);
}

UNUSED static void at_event(const char *names, uint64_t events)
{
	for (; *names; names++) {
		EDIT(*names, s->events = events);
		if (disks[*names - 'a'].made.has_bitmap)
			EDIT_BITMAP(*names, b->events = events);
	}
}

/* ---- looking and judging ---- */

UNUSED static void look_at(char name, struct asm_member *ret)
{
	static const char *const paths[] = { "disk-a", "disk-b", "disk-c", "disk-d", "disk-e" };
	const struct disk *d = &disks[name - 'a'];
	member_off at;

	memset(ret, 0, sizeof *ret);
	ret->path = paths[name - 'a'];
	ret->size_bytes = d->bytes;
	asm_take_superblock(ret, d->made.sb.minor, d->super_at, d->super);
	if (!ret->has_superblock)
		asm_name_the_stranger(ret, NULL);
	if (asm_wants_bitmap(ret, &at) && at.bytes == d->bitmap_at.bytes)
		asm_take_bitmap(ret, d->bitmap);
}

/* Looks at the named disks, in that order; returns the code of the refusal, 0 when the array can start. */
UNUSED static int judge(const char *names)
{
	uint32_t count = (uint32_t)strlen(names);

	for (uint32_t i = 0; i < count; i++)
		look_at(names[i], &m[i]);
	asm_judge(m, count, &options, &plan);
	return plan.refusal.code;
}

#define is_verdict(i, wanted, ...)                                                                  \
	do {                                                                                        \
		if (!ok(plan.verdicts[i] == (wanted), __VA_ARGS__))                                 \
			printf("# %s:%d: verdict %d, wanted %d; \"%s\" \"%s\"\n", __FILE__, __LINE__,       \
			       plan.verdicts[i], wanted, plan.reasons[i], plan.refusal.text);               \
	} while (0)

/* The array does not start: this code, and every word of the list in its sentence. */
UNUSED static bool is_refused(int code, const char *const *words, const char *what)
{
	bool is_told = true;

	for (; *words; words++)
		is_told &= strstr(plan.refusal.text, *words) != NULL;
	return ok(plan.refusal.code == code && is_told, "%s: refused: %s", what, plan.refusal.text);
}

#define REFUSED(code, what, ...) is_refused(code, (const char *const[]){ __VA_ARGS__, NULL }, what)

/* ---- running ---- */

static struct arr *array;
static struct asm_lineage *lineage;
static char entries[ARR_MEMBERS_MAX];		/* the disk behind each entry of the member table */
static struct list jobs;
static uint64_t now_ms;

/* From the judgement just made to a running array. */
UNUSED static bool start(const char *names)
{
	uint32_t member_of[ARR_MEMBERS_MAX], member;
	uint8_t *image = NULL;
	uint64_t len = 0;
	struct err err = { 0 };
	member_off at;

	if (asm_bitmap_to_read(m, &plan, &member, &at, &len))
		image = disks[names[member] - 'a'].bitmap;
	if (!ok(asm_start(m, &plan, &options, image, len, &array, &lineage, member_of, &err) == 0, "started %s",
		err.text))
		return false;
	for (uint32_t i = 0; i < plan.member_count; i++)
		entries[i] = names[member_of[i] < plan.member_count ? member_of[i] : 0];
	list_init(&jobs);
	now_ms = 1000;
	return true;
}

static void execute(struct arr_job *job)
{
	if (job->kind == ARR_JOB_CLAIM)
		asm_claim_render(lineage, arr_claim_in_flight(array), job, 1000000);
	for (uint32_t i = 0; i < job->part_count; i++) {
		struct arr_part *p = &job->parts[i];
		struct disk *d = &disks[entries[p->member] - 'a'];

		p->rc = 0;
		if (job->kind == ARR_JOB_CLAIM && p->len_bytes <= sizeof d->super)
			memcpy(d->super, p->data, p->len_bytes);
		if (job->kind == ARR_JOB_BITMAP && p->at.bytes - d->bitmap_at.bytes + p->len_bytes <= sizeof d->bitmap)
			memcpy(d->bitmap + (p->at.bytes - d->bitmap_at.bytes), p->data, p->len_bytes);
	}
}

UNUSED static int step(struct arr_event *ev)
{
	struct arr_out out;
	struct arr_req *req, *next;
	struct arr_job *job, *next_job;

	arr_out_init(&out);
	arr_step(array, ev, now_ms, &out);
	list_for_each_safe(req, next, &out.woken, woken) {
		list_remove(&req->woken);
		if (req->job)
			list_append(&jobs, &req->job->link);
	}
	list_for_each_safe(job, next_job, &out.jobs, link) {
		list_remove(&job->link);
		list_append(&jobs, &job->link);
	}
	return ev->rc;
}

/* Time passes, and everything that can be done is done. */
UNUSED static void settle(uint64_t ms)
{
	for (uint64_t until = now_ms + ms;; now_ms++) {
		struct arr_event ev = { .kind = ARR_EV_TIMER };

		step(&ev);
		while (!list_is_empty(&jobs)) {
			struct arr_job *job = list_entry(jobs.next, struct arr_job, link);

			list_remove(&job->link);
			execute(job);
			ev = (struct arr_event){ .kind = ARR_EV_JOB_DONE, .job = job };
			step(&ev);
		}
		if (now_ms >= until)
			return;
		if (arr_next_timer_ms(array) > now_ms)
			now_ms = min_u64(arr_next_timer_ms(array), until) - 1;
	}
}

UNUSED static void write_at(uint64_t at)
{
	static uint8_t data[4096];
	struct arr_req r = { .op = ARR_WRITE, .at = { at }, .len_bytes = sizeof data, .data = data };
	struct arr_event ev = { .kind = ARR_EV_SUBMIT, .req = &r };

	step(&ev);
	settle(0);
	ok(r.is_done && !r.rc, "a write at %llu MiB", (unsigned long long)at / MIB);
}

UNUSED static int control(enum arr_event_kind kind, char name)
{
	struct arr_event ev = { .kind = kind };
	struct arr_status s;
	int rc;

	arr_get_status(array, &s);
	for (uint32_t i = 0; i < s.member_count; i++)
		if (entries[i] == name && s.members[i].state != ARR_M_NONE)
			ev.member = i;
	rc = step(&ev);
	settle(0);
	if (kind == ARR_EV_REMOVE && !rc) {
		asm_forget(lineage, ev.member);
		entries[ev.member] = '-';
	}
	return rc;
}

static struct err said;				/* by the last admit() */
static char sentence[256];

/* A disk is offered to the running array; 0, or why not. */
UNUSED static int admit(char name, enum asm_admission how)
{
	static const uint8_t random_uuid[16] = { 9, 8, 7 };
	struct arr_member new;
	struct asm_member look;
	struct arr_event ev = { .kind = ARR_EV_ADD, .new_member = &new, .reason = sentence };
	int rc;

	look_at(name, &look);
	said = (struct err){ 0 };
	rc = asm_admit(lineage, array, &look, how, random_uuid, &new, sentence, &said);
	if (rc)
		return rc;
	disks[name - 'a'].bitmap_at = new.bitmap_at;
	if (step(&ev))
		return ev.rc;
	entries[ev.ret_member] = name;
	asm_admitted(lineage, ev.ret_member);
	return 0;
}

UNUSED static const struct arr_status *status(void)
{
	static struct arr_status s;

	arr_get_status(array, &s);
	return &s;
}

/* The array stops, and is gone. */
UNUSED static void stop(void)
{
	struct arr_event ev = { .kind = ARR_EV_STOP };

	step(&ev);
	settle(0);
	ok(arr_is_stopped(array), "stopped");
	array = arr_free(array);
	lineage = asm_lineage_free(lineage);
}

/* The power goes. */
UNUSED static void cut(void)
{
	array = arr_free(array);
	lineage = asm_lineage_free(lineage);
}

#endif
