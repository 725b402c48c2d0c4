/* Walking the logs: what every member may hold, what every client was told.
 *
 *   BEGIN of a write     it is in flight: any of its sectors may be on the medium from now on
 *   END                  it is in the cache; on the medium once a flush that BEGINs later ENDs, or now if durable
 *   END of a flush       covers what had ENDed before its BEGIN (the disk's clock is the number of the record)
 *   a flush that failed  gives up what was cached: readable, but never to be on the medium
 *
 * A life ends by CLOSED, or because the process was killed: caches survive that, so the next life's members must hold
 * what the log says, except for sectors that were in flight. So the recorder is checked against the files it speaks of.
 *
 * Laws looked at here: I7 (every write lies in an area of its member), I5 (who is in sync when a life begins). What
 * clients were told is clients.c's, when bits come and go cover.c's, everything about crashes crash.c's. */
#include "history.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void not_understood(const struct history *h, const char *format, ...)
{
	va_list ap;

	fprintf(stderr, "%s, record %llu: ", h->logs[h->log_now], (unsigned long long)h->log.number);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(2);
}

static struct sim_member *member_of(struct history *h, uint32_t number)
{
	if (number >= SIM_DISKS)
		not_understood(h, "there is no member %u", number);
	return &h->w->members[h->member_of[number]];
}

static uint64_t sector_at(const struct sim_member *m, uint64_t sector)
{
	return m->place.data_at.bytes + sector * SECTOR_BYTES;
}

/* ---- members ---- */

/* Of the first member: what the world is like. */
static void take_geometry(struct sim_world *w, const struct asm_member *look)
{
	w->minor = look->sb.minor;
	w->slots = look->sb.raid_disks;
	w->size_bytes = look->sb.size_sectors * SECTOR_BYTES;
	w->has_bitmap = look->has_bitmap;
	w->chunk_bytes = look->has_bitmap ? (uint32_t)look->bitmap.chunk_bytes : 4096;
	w->chunks = div_up(w->size_bytes, w->chunk_bytes);
	if (w->has_bitmap && w->chunks > SIM_CHUNKS_MAX) {
		fprintf(stderr, "%llu chunks are too many\n", (unsigned long long)w->chunks);
		exit(2);
	}
	w->bitmap_bytes = round_up(FMT_BITMAP_SB_BYTES + div_up(w->chunks, 8), SECTOR_BYTES);
	model_init(&w->model, w->size_bytes / SECTOR_BYTES);
	world_take_desk(w);
}

static void begin_contents(struct sim_world *w, const struct sim_member *m)
{
	for (uint64_t s = 0; s < w->model.count; s++) {
		uint64_t word = arena_word(w->arena, disk_at(&m->disk, true, sector_at(m, s)));
		bool is_known = false;

		EACH_MEMBER(w, other)
			is_known |= other < m &&
				    arena_word(w->arena, disk_at(&other->disk, true, sector_at(other, s))) == word;
		if (!is_known)
			model_begin(&w->model, s, word);
	}
}

static void new_member(struct history *h, const char *name, const uint8_t *image, uint64_t size)
{
	struct sim_world *w = h->w;
	struct sim_member *m;
	struct asm_member look;

	if (w->member_count == SIM_DISKS)
		not_understood(h, "too many members");
	snprintf(h->names[w->member_count], HISTORY_NAME_BYTES, "%s", name);
	m = world_new_member(w, size);
	disk_poke(&m->disk, 0, size, image);
	world_look(w, m, &look);
	if (!look.has_superblock || look.error.code)
		not_understood(h, "%s is no member: %s", name, look.error.text);
	if (!w->model.count)
		take_geometry(w, &look);
	m->is_behind = false;
	m->is_write_mostly = look.sb.devflags & FMT_SB1_WRITE_MOSTLY;
	m->place = (struct sim_place){ .data_at = lay_data(&look.sb).at, .bitmap_at = look.bitmap_at };
	m->place.minor = w->minor;
	check_place(w, m);
	begin_contents(w, m);
}

static bool is_flying(struct history *h, const struct sim_member *m, uint64_t at)
{
	for (uint32_t i = 0; i < FLYING_MAX; i++) {
		const struct flying *f = &h->flying[i];

		if (f->begin && &h->w->members[f->member] == m &&
		    ranges_overlap(at, SECTOR_BYTES, f->begin->at, f->begin->len))
			return true;
	}
	return false;
}

/* What a cache holds that has survived its process. */
static void meet_again(struct history *h, struct sim_member *m, const uint8_t *image, uint64_t size)
{
	for (uint64_t at = 0; at < size; at += SECTOR_BYTES) {
		content is = arena_put(h->w->arena, image + at);

		if (is == disk_at(&m->disk, true, at))
			continue;
		if (!is_flying(h, m, at))
			not_understood(h, "the log does not explain sector %llu of %s",
				       (unsigned long long)at / SECTOR_BYTES, h->names[index_of(h->w, m)]);
		disk_write(&m->disk, &h->lots, at, SECTOR_BYTES, image + at, false, false, h->w->step);
	}
}

static void take_member(struct history *h, const struct mbr_record *r, const uint8_t *extra)
{
	const char *name = (const char *)extra;
	uint32_t i = 0;

	while (i < h->w->member_count && strcmp(h->names[i], name))
		i++;
	if (r->member >= SIM_DISKS)
		not_understood(h, "too many members");
	h->member_of[r->member] = i;
	h->is_met[i] = true;
	if (i == h->w->member_count)
		new_member(h, name, extra + HISTORY_NAME_BYTES, r->len);
	else if (h->log_now)
		meet_again(h, &h->w->members[i], extra + HISTORY_NAME_BYTES, r->len);
}

/* ---- operations of members ---- */

static bool is_inside(const struct mbr_record *r, uint64_t at, uint64_t len)
{
	return r->at >= at && r->at + r->len <= at + len;
}

bool history_is_data(const struct sim_world *w, const struct sim_member *m, const struct mbr_record *r)
{
	return is_inside(r, m->place.data_at.bytes, w->size_bytes);
}

static void check_bounds(struct history *h, const struct sim_member *m, const struct mbr_record *r)
{
	struct sim_world *w = h->w;

	if (r->at % SECTOR_BYTES || r->len % SECTOR_BYTES)
		broken(w, LAW_I7, "a write to %s at %llu, %llu bytes: no whole sectors", m->disk.path,
		       (unsigned long long)r->at, (unsigned long long)r->len);
	if (!history_is_data(w, m, r) && !is_inside(r, m->place.super_at.bytes, FMT_SB1_BYTES) &&
	    !(w->has_bitmap && is_inside(r, m->place.bitmap_at.bytes, w->bitmap_bytes)))
		broken(w, LAW_I7, "a write to %s at %llu, %llu bytes: in none of its areas", m->disk.path,
		       (unsigned long long)r->at, (unsigned long long)r->len);
	at_stake(w, LAW_I7);
}

static void take_begin(struct history *h, const struct mbr_record *r, const uint8_t *extra)
{
	struct flying *f = h->flying;

	while (f < h->flying + FLYING_MAX && f->begin)
		f++;
	if (f == h->flying + FLYING_MAX)
		not_understood(h, "too much is in flight");
	*f = (struct flying){ .begin = r, .data = extra, .begun = h->w->step, .member = h->member_of[r->member] };
	if (r->op == MBR_REC_FLUSH)
		h->member_flushes++;
	else
		h->member_writes++;
	if (r->op != MBR_REC_FLUSH)
		check_bounds(h, member_of(h, r->member), r);
	cover_begins(h, member_of(h, r->member), f);
}

static struct flying *flying_of(struct history *h, const struct mbr_record *end)
{
	for (struct flying *f = h->flying; f < h->flying + FLYING_MAX; f++)
		if (f->begin && !f->is_old && f->begin->number == end->number)
			return f;
	not_understood(h, "operation %llu ends, but it never began", (unsigned long long)end->number);
}

static void give_up(struct history *h, struct sim_disk *d, uint64_t at, uint64_t len)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < d->log_count; i++) {
		struct sim_version *v = &d->log[i];
		uint64_t sector_bytes = (uint64_t)v->sector * SECTOR_BYTES;

		if (sector_bytes >= at && sector_bytes < at + len)
			d->versions[v->sector]--;
		else
			d->log[kept++] = *v;
	}
	d->log_count = kept;
	h->has_given_up = true;
}

/* Which members have carried out a client's request: whoever fails later has it nevertheless. */
static void note_done(struct history *h, const struct sim_member *m, const struct mbr_record *begin, bool is_good)
{
	for (struct asked *a = h->asked; a < h->asked + ASKED_MAX; a++) {
		if (!a->number || a->number != begin->word)
			continue;
		if (a->r.req.op != ARR_FLUSH && (begin->op == MBR_REC_FLUSH || !history_is_data(h->w, m, begin)))
			continue;
		if (is_good)
			a->r.done_on |= 1u << index_of(h->w, m);
		else
			a->r.done_on &= ~(1u << index_of(h->w, m));
	}
}

static void take_end(struct history *h, const struct mbr_record *r)
{
	struct flying *f = flying_of(h, r);
	struct sim_member *m = member_of(h, r->member);
	const struct mbr_record *begin = f->begin;

	if (begin->op == MBR_REC_FLUSH) {
		if (r->rc == 0)
			disk_flush(&m->disk, &h->lots, f->begun);
		else
			give_up(h, &m->disk, 0, m->disk.size_bytes);
	} else if (r->len) {
		disk_write(&m->disk, &h->lots, begin->at, r->len, f->data,
			   r->rc >= 0 && begin->flags & MBR_REC_DURABLE, false, h->w->step);
		if (r->flags & MBR_REC_GIVEN_UP)
			give_up(h, &m->disk, begin->at, begin->len);
	}
	note_done(h, m, begin, r->rc >= 0);
	f->begin = NULL;
}

/* ---- lives ---- */

/* All members that start have said so. */
static void life_begins(struct history *h)
{
	h->is_life_begun = h->w->has_lived = true;
	h->lives++;
	h->w->acks_before = h->w->model.acks;
	EACH_MEMBER(h->w, m) {
		if (m->was_in_sync && !is_in_sync(m))
			model_lost_member(&h->w->model);
		if (is_in_sync(m) && m->is_behind)
			broken(h->w, LAW_I5, "%s lacks acknowledged writes and is believed in sync", m->disk.path);
	}
}

/* What was behind has died with its process. */
static bool has_mostly(struct sim_world *w)
{
	EACH_MEMBER(w, m)
		if (m->is_write_mostly)
			return true;
	return false;
}

/* What was in flight on members that the next life does not have stays open until they are seen again. */
static void life_ends(struct history *h)
{
	for (struct flying *f = h->flying; f < h->flying + FLYING_MAX; f++) {
		f->is_old = true;
		if (f->begin && h->is_met[f->member])
			f->begin = NULL;
	}
	clients_left(h);
	if (!h->is_closed && has_mostly(h->w))
		model_forget_answers(&h->w->model);
	EACH_MEMBER(h->w, m) {
		m->was_in_sync = is_in_sync(m);
		m->state = ARR_M_NONE;
	}
	h->is_life_begun = h->w->has_lived = h->has_given_up = h->is_stopping = h->is_closed = false;
	h->troubled = 0;
}

static void take_state(struct history *h, const struct mbr_record *r)
{
	struct sim_member *m = member_of(h, r->member);
	bool was_in_sync = is_in_sync(m);

	m->state = (enum arr_member_state)r->op;
	m->entry = (uint32_t)r->number;
	if (was_in_sync)
		model_lost_member(&h->w->model);
	if (is_in_sync(m) && h->is_life_begun)
		m->is_behind = false;
}

static void take(struct history *h, const struct mbr_record *r, const uint8_t *extra)
{
	if (!h->is_life_begun && r->kind != MBR_REC_MEMBER && r->kind != MBR_REC_STATE)
		life_begins(h);
	switch (r->kind) {
	case MBR_REC_MEMBER:
		take_member(h, r, extra);
		break;
	case MBR_REC_BEGIN:
		take_begin(h, r, extra);
		break;
	case MBR_REC_END:
		take_end(h, r);
		break;
	case MBR_REC_ASKED:
		clients_asked(h, r);
		break;
	case MBR_REC_ANSWERED:
		clients_answered(h, r, extra);
		break;
	case MBR_REC_STATE:
		take_state(h, r);
		break;
	case MBR_REC_STOPPING:
		h->is_stopping = true;
		break;
	case MBR_REC_CLOSED:
		clients_closed(h, r);
		break;
	case MBR_REC_FAULT:
		h->faults++;
		if (!strcmp((const char *)extra, "eio"))	/* the others are no refusals */
			h->troubled |= 1u << h->member_of[r->member];
		break;
	default:
		not_understood(h, "a record of kind %u", r->kind);
	}
	check_left(h->w);
}

/* ---- the door ---- */

static void open_log(struct history *h)
{
	if (!log_open(&h->log, h->logs[h->log_now])) {
		perror(h->logs[h->log_now]);
		exit(2);
	}
}

void history_begin(struct history *h, struct sim_world *w, const char *const *logs, uint32_t log_count,
		   struct sim_stats *stats)
{
	memset(h, 0, sizeof *h);
	memset(w, 0, sizeof *w);
	*h = (struct history){ .w = w, .logs = logs, .log_count = log_count, .lots = prng_seed(1) };
	w->setup = &h->setup;
	w->stats = stats;
	w->arena = arena_new();
	w->now_ms = 1000;
	w->memory_due = UINT64_MAX;
	w->writes = 1ull << 48;		/* words of branches: recorded clients count from 1 */
	open_log(h);
}

bool history_next(struct history *h)
{
	const uint8_t *extra;
	const struct mbr_record *r = log_next(&h->log, &extra);

	if (r) {
		h->w->step++;
		take(h, r, extra);
		return true;
	}
	if (h->log_now + 1 == h->log_count)
		return false;
	h->log_now++;
	open_log(h);
	memset(h->is_met, 0, sizeof h->is_met);
	r = log_next(&h->log, &extra);
	for (; r && r->kind == MBR_REC_MEMBER; r = log_next(&h->log, &extra))
		take(h, r, extra);
	life_ends(h);
	h->w->step++;
	if (r)
		take(h, r, extra);
	return r != NULL;
}

void history_compare(struct history *h, const char *const *files, uint32_t count)
{
	for (uint32_t i = 0; i < count && i < h->w->member_count; i++) {
		struct sim_member *m = &h->w->members[i];
		uint8_t *image = malloc(m->disk.size_bytes);
		FILE *f = fopen(files[i], "re");

		if (!image || !f || fread(image, 1, m->disk.size_bytes, f) != m->disk.size_bytes)
			not_understood(h, "%s cannot be read, or has another size", files[i]);
		meet_again(h, m, image, m->disk.size_bytes);
		fclose(f);
		free(image);
	}
}
