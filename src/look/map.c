/* umd map of images: every bitmap of every member, counted into cells.
 *
 * Memory and time are bounded by what is asked for, whatever an image claims: at most LOOK_MAP_CELLS_MAX cells per map,
 * at most LOOK_SLOTS_MAX slots per member, one member open at a time (two while they are compared), JSON handed over in
 * pieces. What remains of a member that was shown is its line in "members", with its error and its notes. A member's
 * error keeps nobody else from being shown.
 *
 * The parts: map_source.c opens members, map_put.c writes one map, map_compare.c two. Left out: maps of running arrays
 * (run), pictures (the tool), what the next start copies (examine and why). */
#include "look/map_inside.h"

#include <errno.h>

#include "base/mem.h"

enum { OUTPUT_VERSION = 1, PIECE_BYTES = 1 << 16 };

struct map {
	const struct look_options *options;
	uint64_t cells_max;
	struct look_map_pair *pair;	/* NULL: no comparison */
	struct text json, members;	/* the second: lines of "members", for the end */
	int64_t maps;
	size_t errors;
};

/* ---- the maps of images ---- */

static int put_member(struct map *m, struct look_source *source, size_t number)
{
	uint64_t runs_left = m->options->runs_max;
	int rc = 0;

	/* A slot that cannot be read keeps no other from being shown. */
	for (uint32_t slot = 0; rc != -ENOMEM && slot < source->slots && !m->json.is_broken; slot++) {
		bool is_put;

		rc = look_map_put(&m->json, source, slot, m->cells_max, &runs_left, &is_put);
		if (!is_put)
			continue;
		if (m->pair)
			look_map_pair_note(m->pair, number, slot, m->maps);
		m->maps++;
	}
	look_source_put(&m->members, source);
	m->errors += look_source_error(source)->code != 0;
	return rc == -ENOMEM ? rc : 0;
}

static int put_members(struct map *m, const char *const *members, size_t count)
{
	struct look_source one;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count && !m->json.is_broken; i++) {
		if (m->pair) {
			rc = put_member(m, &m->pair->sources[i], i);
			continue;
		}
		look_source_begin(&one, members[i], m->options->external);
		look_source_demand_bitmap(&one);
		rc = put_member(m, &one, i);
		look_source_end(&one);
	}
	return rc;
}

static int put_all(struct map *m, const char *const *members, size_t count)
{
	char *lines;
	int rc;

	json_open(&m->json, NULL, '{');
	json_u64(&m->json, "output_version", OUTPUT_VERSION);
	json_open(&m->json, "maps", '[');
	rc = put_members(m, members, count);
	json_close(&m->json, ']');
	if (rc == 0 && m->pair)
		rc = look_map_pair_put(&m->json, m->pair, m->cells_max);
	json_open(&m->json, "members", '[');
	lines = text_take(&m->members);
	if (lines)
		text_add(&m->json, "%s", lines);
	else
		rc = -ENOMEM;
	mem_free(lines);
	json_close(&m->json, ']');
	json_close(&m->json, '}');
	return rc;
}

static int begin_pair(struct map *m, const char *const *members, size_t count, struct err *err)
{
	m->pair = mem_new(1, sizeof *m->pair);
	if (!m->pair)
		return -ENOMEM;
	return look_map_pair_begin(m->pair, members, count, m->options->external, err);
}

static int map_images(struct map *m, const char *const *members, size_t count, struct err *err)
{
	int rc = m->options->is_comparison ? begin_pair(m, members, count, err) : 0, end_rc;

	if (rc == 0) {
		rc = put_all(m, members, count);
		end_rc = text_end(&m->json);
		rc = rc == 0 ? end_rc : rc;
	}
	if (m->pair)
		look_map_pair_end(m->pair);
	m->pair = mem_free(m->pair);
	return rc;
}

int look_map(const char *const *members, size_t count, const struct look_options *options, look_sink *sink,
	     void *opaque, size_t *ret_errors, struct err *err)
{
	struct map m = { .options = options, .cells_max = options->cells_max ? options->cells_max : LOOK_MAP_CELLS,
			 .json = { .sink = sink, .sink_opaque = opaque } };
	int rc;

	if (m.cells_max > LOOK_MAP_CELLS_MAX)
		return err_set(err, UMD_E_BAD_OPTION, "a map of %llu cells is too large, it has at most %d",
			       (unsigned long long)m.cells_max, LOOK_MAP_CELLS_MAX);
	rc = map_images(&m, members, count, err);
	if (rc == 0 && ret_errors)
		*ret_errors = m.errors;
	return rc;
}

/* ---- the chunks as they are ---- */

static int send_bytes(const struct look_source *s, const struct look_bitmap *b, look_sink *sink, void *opaque,
		      struct err *err)
{
	uint64_t len = b->is_lockless ? b->chunks : div_up(b->chunks, 8), at = 0, some;
	char *piece = mem_new(1, PIECE_BYTES);
	int rc = piece ? 0 : -ENOMEM;

	for (; rc == 0 && at < len; at += some) {
		some = min_u64(len - at, PIECE_BYTES);
		rc = mbr_read(b->m, (member_off){ b->at.bytes + at }, piece, some);
		if (rc < 0)
			err_set(err, rc, "%s cannot be read at byte %llu: %s", s->e.shown,
				(unsigned long long)(b->at.bytes + at), err_sentence(rc));
		else
			rc = sink(opaque, piece, some);
	}
	mem_free(piece);
	return rc;
}

static int raw_of(struct look_source *s, uint32_t slot, look_sink *sink, void *opaque, struct err *err)
{
	struct look_slot found;
	int rc;

	if (!s->slots) {
		*err = *look_source_error(s);
		return err->code;
	}
	if (slot >= s->slots)
		return err_set(err, UMD_E_BAD_OPTION, "%s has no slot %u: its slots are 0 to %u", s->e.shown, slot,
			       s->slots - 1);
	rc = look_source_slot(s, slot, &found);
	if (rc < 0) {
		*err = s->e.error;
		return rc;
	}
	if (!found.is_initialised)
		return err_set(err, UMD_E_NOT_SUPPORTED,
			       "the lockless bitmap of %s was never initialised: it has no chunks yet", s->e.shown);
	if (!found.is_used)
		return err_set(err, UMD_E_BAD_BITMAP, "slot %u of %s has no bitmap: no node ever used it", slot,
			       s->e.shown);
	return send_bytes(s, &found.bits, sink, opaque, err);
}

int look_map_raw(const char *member, uint32_t slot, const struct look_external *external, look_sink *sink,
		 void *opaque, struct err *err)
{
	struct look_source s;
	int rc;

	look_source_begin(&s, member, external);
	look_source_demand_bitmap(&s);
	rc = raw_of(&s, slot, sink, opaque, err);
	look_source_end(&s);
	return rc;
}
