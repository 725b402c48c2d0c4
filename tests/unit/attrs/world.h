/* An attribute tree and naive hands: devices in memory, a real array, a clock that is told.
 *
 * write_to() does what the server does with a write: the tree decides, the hands carry the action out, the tree
 * follows, pollers are told. Jobs of the array run to their end at once. Tests that only look at the tree set
 * w.view.status to a status made by hand instead of starting an array. */
#ifndef TESTS_UNIT_ATTRS_WORLD_H
#define TESTS_UNIT_ATTRS_WORLD_H

#include "attrs/attrs.h"
#include "base/law.h"
#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNUSED __attribute__((unused))

#ifndef WORLD_DISK_BYTES
#define WORLD_DISK_BYTES (16 << 20)
#endif

enum { DISKS = 4, DISK_BYTES = WORLD_DISK_BYTES, REQUESTS = 16 };

struct disk {
	char name[16];			/* its folder is dev-NAME */
	uint8_t *media;
	uint64_t written;		/* counts writes that reached it */
};

static struct world {
	struct att *t;
	struct arr *a;
	struct att_view view;
	struct arr_status status;
	struct disk disks[DISKS];
	uint64_t now_ms;
	struct list jobs;
	struct arr_req requests[REQUESTS];
	uint8_t data[REQUESTS][4096];
	uint8_t sync_buffer[ARR_SYNC_WINDOW_BYTES];
	struct att_action action;
	struct err err;
	uint64_t bits_from, bits_to;	/* of the last ATT_SET_BITS range */
} w;

/* ---- executing ---- */

/* I7: data in the data area, bitmap outside of it, all of it on the device. */
static void check_part(const struct arr_job *job, const struct arr_part *p, const struct arr_member *m, uint64_t size)
{
	bool is_data = job->kind != ARR_JOB_BITMAP;

	if (p->op == ARR_P_FLUSH)
		return;
	MUST(p->at.bytes <= DISK_BYTES && p->len_bytes <= DISK_BYTES - p->at.bytes);
	if (is_data)
		MUST(p->at.bytes >= m->data_at.bytes && p->at.bytes + p->len_bytes <= m->data_at.bytes + size);
	else
		MUST(!ranges_overlap(p->at.bytes, p->len_bytes, m->data_at.bytes, size));
}

static void execute_part(const struct arr_job *job, struct arr_part *p)
{
	struct arr_status s;
	struct disk *d;
	uint8_t *data = p->data ? p->data : w.sync_buffer;

	arr_get_status(w.a, &s);
	d = s.members[p->member].hand;
	check_part(job, p, &s.members[p->member], s.size_bytes);
	p->rc = 0;
	if (p->op == ARR_P_READ)
		memcpy(data, d->media + p->at.bytes, p->len_bytes);
	else if (p->op == ARR_P_WRITE)
		memcpy(d->media + p->at.bytes, data, p->len_bytes);
	else if (p->op == ARR_P_ZERO)
		memset(d->media + p->at.bytes, 0, p->len_bytes);
	d->written += p->op == ARR_P_WRITE || p->op == ARR_P_ZERO;
}

static void look(void)
{
	w.view.status = NULL;
	w.view.bitmap = NULL;
	w.view.now_ms = w.now_ms;
	if (!w.a)
		return;
	arr_get_status(w.a, &w.status);
	w.view.status = &w.status;
	w.view.bitmap = arr_bitmap(w.a);
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
	look();
	att_notice(w.t, &w.view);
	return ev->rc;
}

UNUSED static void run(void)
{
	struct arr_event ev = { .kind = ARR_EV_TIMER };

	if (!w.a)
		return;
	step(&ev);
	while (!list_is_empty(&w.jobs)) {
		struct arr_job *job = list_entry(w.jobs.next, struct arr_job, link);
		struct arr_event done = { .kind = ARR_EV_JOB_DONE, .job = job };

		list_remove(&job->link);
		for (uint32_t i = 0; i < job->part_count; i++)
			execute_part(job, &job->parts[i]);
		step(&done);
	}
}

UNUSED static void pass(uint64_t ms)
{
	uint64_t until = w.now_ms + ms;

	run();
	while (w.a && arr_next_timer_ms(w.a) <= until && w.now_ms < until) {
		w.now_ms = max_u64(arr_next_timer_ms(w.a), w.now_ms + 1);
		run();
	}
	w.now_ms = until;
	run();
}

/* ---- the hands of actions ---- */

static struct disk *disk_named(const char *text)
{
	const char *last = strrchr(text, '/');

	for (int i = 0; i < DISKS; i++)
		if (!strcmp(w.disks[i].name, last ? last + 1 : text))
			return &w.disks[i];
	return NULL;
}

static int do_bind(const char *text)
{
	struct disk *d = disk_named(text);

	if (!d)
		return -ENXIO;
	for (uint32_t i = 0; i < ATT_DEVS_MAX; i++)
		if (att_dev(w.t, i) && att_dev(w.t, i)->hand == d)
			return -EEXIST;
	return att_bind(w.t, d->name, DISK_BYTES, d) == ATT_NO_DEV ? -ENOSPC : 0;
}

static int read_bitmap(uint8_t **ret_image, uint64_t *ret_len)
{
	uint32_t dev;
	member_off at;
	int rc = att_bitmap_place(w.t, &w.view, &dev, &at, ret_len, &w.err);

	*ret_image = NULL;
	if (rc <= 0) {
		*ret_len = 0;
		return rc;
	}
	*ret_image = ((struct disk *)att_dev(w.t, dev)->hand)->media + at.bytes;
	return 0;
}

static int do_start(enum att_mode mode)
{
	static struct arr_config c;
	uint8_t *image;
	uint64_t len;
	int rc = read_bitmap(&image, &len);

	if (!rc)
		rc = att_make_config(w.t, mode, image, len, &c, &w.err);
	if (rc < 0)
		return rc;
	w.a = arr_new(&c);
	return 0;
}

static void do_stop(void)
{
	struct arr_event ev = { .kind = ARR_EV_STOP };

	step(&ev);
	run();
	MUST(arr_is_stopped(w.a));
	look();
}

static int do_join(void)
{
	for (uint32_t i = 0; i < w.action.join_count; i++) {
		struct att_join *j = &w.action.joins[i];
		struct arr_event ev = { .kind = ARR_EV_ADD, .new_member = &j->member, .reason = j->reason,
					.err = &w.err };

		if (step(&ev) < 0)
			return ev.rc;
		j->entry = ev.ret_member;
	}
	return step(&w.action.event);
}

static int do_take_out(uint32_t entry)
{
	struct arr_event ev = { .kind = ARR_EV_REMOVE, .member = entry, .err = &w.err };

	run();
	return step(&ev);
}

static int do_bitmap(bool is_set)
{
	member_off at[ARR_MEMBERS_MAX] = { { 0 } };
	struct arr_event ev = { .kind = ARR_EV_BITMAP, .bitmap_at = at, .err = &w.err };
	uint8_t *image = NULL;
	uint64_t len;
	int rc;

	if (is_set) {
		for (int i = 0; i < ARR_MEMBERS_MAX; i++)
			at[i] = w.action.bitmap_at;
		rc = read_bitmap(&image, &len);
		if (!rc)
			rc = att_make_bitmap(w.t, &w.view, image, len, &ev.bitmap, &w.err);
		if (rc < 0)
			return rc;
	}
	rc = step(&ev);
	if (rc < 0)
		bm_free(ev.bitmap);
	run();
	return rc < 0 ? rc : w.status.bitmap_change < 0 ? w.status.bitmap_change : 0;
}

static int do_set_bits(void)
{
	chunk_no first, last;
	size_t pos = 0;

	while (att_next_range(&w.action, &pos, &first, &last)) {
		uint64_t chunk = bm_chunk_bytes(w.view.bitmap);
		uint64_t end = min_u64((last.index + 1) * chunk, w.status.size_bytes);
		struct arr_event ev = { .kind = ARR_EV_SET_BITS, .at = { first.index * chunk },
					.len_bytes = end - first.index * chunk, .err = &w.err };

		w.bits_from = first.index;
		w.bits_to = last.index;
		if (step(&ev) < 0)
			return ev.rc;
		run();
	}
	return 0;
}

static int do_event(void)
{
	int rc = 0;

	w.action.event.err = &w.err;
	if (w.action.makes_writable) {
		struct arr_event ev = { .kind = ARR_EV_SET_MODE, .value = ARR_MODE_WRITABLE };

		rc = step(&ev);
	}
	if (!rc)
		rc = step(&w.action.event);
	if (!rc)
		run();
	if (!rc && w.action.event.kind == ARR_EV_OWNER_CLEAN && w.status.owner_clean < 0)
		rc = w.status.owner_clean;
	return rc;
}

static int carry_out(void)
{
	struct arr_event unblock = { .kind = ARR_EV_UNBLOCK, .member = w.action.entry };

	switch (w.action.kind) {
	case ATT_NOTHING:
		return 0;
	case ATT_BIND:
		return do_bind(w.action.text);
	case ATT_UNBIND:
		if (w.action.unblocks)
			step(&unblock);
		return w.action.entry == ARR_MEMBERS_MAX ? 0 : do_take_out(w.action.entry);
	case ATT_START:
		return do_start(w.action.mode);
	case ATT_STOP:
	case ATT_CLEAR:
		if (w.a)
			do_stop();
		return 0;
	case ATT_EVENT:
		return do_event();
	case ATT_JOIN:
		return do_join();
	case ATT_READD:
		return do_take_out(w.action.entry) < 0 ? -EBUSY : do_join();
	case ATT_BITMAP_SET:
	case ATT_BITMAP_NONE:
		return do_bitmap(w.action.kind == ATT_BITMAP_SET);
	case ATT_SET_BITS:
		return do_set_bits();
	}
	return -EINVAL;
}

/* ---- writing, reading ---- */

UNUSED static int write_bytes(const char *path, const char *value, size_t len)
{
	int rc = att_write(w.t, &w.view, path, value, len, &w.action, &w.err);
	bool ends;

	if (rc < 0)
		return rc;
	ends = w.a && (w.action.kind == ATT_STOP || w.action.kind == ATT_CLEAR);
	rc = carry_out();
	att_done(w.t, &w.view, &w.action, rc < 0 ? rc : 0);
	if (ends) {
		w.a = arr_free(w.a);
		look();
	}
	if (w.action.kind == ATT_CLEAR)
		w.view.status = NULL;
	run();
	return rc;
}

UNUSED static int write_to(const char *path, const char *value)
{
	return write_bytes(path, value, strlen(value));
}

/* The value as read; "!-2" for an error. */
UNUSED static const char *read_of(const char *path)
{
	static char room[8][ATT_VALUE_MAX + 2];
	static unsigned turn;
	char *ret = room[turn++ % 8];
	struct text t = { 0 };
	int rc = att_read(w.t, &w.view, path, &t);

	if (rc < 0)
		snprintf(ret, sizeof *room, "!%d", rc);
	else
		snprintf(ret, sizeof *room, "%s", t.data ? t.data : "");
	text_drop(&t);
	return ret;
}

/* ---- the whole tree as a text ---- */

static void dump_entry(void *opaque, const struct att_entry *e)
{
	struct text *t = opaque;

	text_add(t, "%s %o %s= %s", e->path, e->mode, e->link_to ? e->link_to : "",
		 e->mode & 0444 && !e->link_to ? read_of(e->path) : "\n");
}

/* To be freed with mem_free(). */
UNUSED static char *dump(void)
{
	struct text t = { 0 };

	att_list(w.t, &w.view, dump_entry, &t);
	return text_take(&t);
}

/* ---- the world ---- */

UNUSED static void begin(void)
{
	memset(&w, 0, sizeof w);
	w.now_ms = 1000;
	list_init(&w.jobs);
	for (int i = 0; i < DISKS; i++) {
		snprintf(w.disks[i].name, sizeof w.disks[i].name, "ubd%c", 'a' + i);
		w.disks[i].media = calloc(1, DISK_BYTES);
	}
	w.t = att_new();
}

UNUSED static void end(void)
{
	if (w.a && !arr_is_stopped(w.a))
		do_stop();
	arr_free(w.a);
	att_free(w.t);
	for (int i = 0; i < DISKS; i++)
		free(w.disks[i].media);
}

/* An external mirror of @disks devices with a bitmap of 64 KiB chunks, ready to be started. */
UNUSED static void set_up(int disks)
{
	static const char *const values[][2] = {
		{ "metadata_version", "external:test" }, { "level", "raid1" }, { "raid_disks", "2" },
		{ "component_size", "15360" }, { "resync_start", "none" }, { "bitmap/metadata", "external" },
		{ "bitmap/chunksize", "65536" }, { "bitmap/time_base", "1" }, { "bitmap/location", "+8" },
	};
	char path[64], slot[8];

	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		write_to(values[i][0], values[i][1]);
	for (int i = 0; i < disks; i++) {
		snprintf(path, sizeof path, "/x/%s", w.disks[i].name);
		write_to("new_dev", path);
		snprintf(path, sizeof path, "dev-%s/offset", w.disks[i].name);
		write_to(path, "2048");
		snprintf(path, sizeof path, "dev-%s/size", w.disks[i].name);
		write_to(path, "15360");
		snprintf(path, sizeof path, "dev-%s/slot", w.disks[i].name);
		snprintf(slot, sizeof slot, "%d", i);
		write_to(path, slot);
	}
}

UNUSED static struct arr_req *submit(enum arr_op op, uint64_t at, uint64_t len, int fill)
{
	struct arr_event ev = { .kind = ARR_EV_SUBMIT };

	for (int i = 0; i < REQUESTS; i++) {
		struct arr_req *r = &w.requests[i];

		if (r->user && !r->is_done)
			continue;
		memset(w.data[i], fill, sizeof w.data[i]);
		*r = (struct arr_req){ .op = op, .at = { at }, .len_bytes = len, .data = w.data[i], .user = &w };
		ev.req = r;
		step(&ev);
		run();
		return r;
	}
	return NULL;
}

#endif
