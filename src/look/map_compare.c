/* Two maps, and what only one of them has.
 *
 * Exactly two bitmaps are compared: those of two members (of a clustered member slot 0, the first node's), or the two
 * slots of one clustered member. They must have the same chunks, or a cell of one would mean other bytes than a cell of
 * the other. In a lockless bitmap a chunk counts as set when it is due. */
#include "look/map_inside.h"

#include <errno.h>

#include "base/mem.h"

static int refuse_count(const struct look_map_pair *p, size_t count, struct err *err)
{
	if (count == 1)
		return err_set(err, UMD_E_BAD_OPTION,
			       "a comparison takes two bitmaps, and %s has %u: give two members (of clustered ones the "
			       "first slots are compared), or one with two slots",
			       p->sources[0].e.shown, p->sources[0].slots);
	return err_set(err, UMD_E_BAD_OPTION,
		       "a comparison takes two members, or one with two slots, and %zu members were given", count);
}

static int open_both(struct look_map_pair *p, const char *const *members, size_t count,
		     const struct look_external *external, struct err *err)
{
	if (!count || count > LOOK_MAP_MEMBERS_COMPARED)
		return refuse_count(p, count, err);
	for (p->count = 0; p->count < count; p->count++) {
		look_source_begin(&p->sources[p->count], members[p->count], external);
		look_source_demand_bitmap(&p->sources[p->count]);
	}
	for (size_t i = 0; i < count; i++)
		if (!p->sources[i].slots) {
			const struct err *why = look_source_error(&p->sources[i]);

			return err_set(err, why->code, "nothing to compare with: %s", why->text);
		}
	if (count == 1 && p->sources[0].slots != 2)
		return refuse_count(p, count, err);
	return 0;
}

static int choose(struct look_map_pair *p, struct err *err)
{
	for (uint32_t i = 0; i < 2; i++) {
		struct look_source *source = &p->sources[p->count == 2 ? i : 0];
		int rc = look_source_slot(source, p->count == 2 ? 0 : i, &p->slots[i]);

		p->source_of[i] = p->count == 2 ? i : 0;
		if (rc < 0)
			return err_set(err, rc, "nothing to compare with: %s", source->e.error.text);
		if (!p->slots[i].is_initialised)
			return err_set(err, UMD_E_BAD_OPTION,
				       "nothing to compare with: the lockless bitmap of %s was never initialised",
				       source->e.shown);
	}
	return 0;
}

static int same_chunks(const struct look_map_pair *p, struct err *err)
{
	const struct look_slot *a = &p->slots[0], *b = &p->slots[1];

	if (a->chunks == b->chunks && a->chunk_bytes == b->chunk_bytes)
		return 0;
	return err_set(err, UMD_E_BAD_OPTION,
		       "%s has %llu chunks of %llu bytes, %s has %llu of %llu: only maps of the same chunks can be "
		       "compared",
		       p->sources[p->source_of[0]].e.shown, (unsigned long long)a->chunks,
		       (unsigned long long)a->chunk_bytes, p->sources[p->source_of[1]].e.shown,
		       (unsigned long long)b->chunks, (unsigned long long)b->chunk_bytes);
}

int look_map_pair_begin(struct look_map_pair *p, const char *const *members, size_t count,
			const struct look_external *external, struct err *err)
{
	int rc = open_both(p, members, count, external, err);

	p->index[0] = p->index[1] = -1;
	if (rc == 0)
		rc = choose(p, err);
	return rc == 0 ? same_chunks(p, err) : rc;
}

void look_map_pair_end(struct look_map_pair *p)
{
	for (size_t i = 0; i < p->count; i++)
		look_source_end(&p->sources[i]);
}

void look_map_pair_note(struct look_map_pair *p, size_t source, uint32_t slot, int64_t index)
{
	for (uint32_t i = 0; i < 2; i++)
		if (p->source_of[i] == source && p->slots[i].slot == slot)
			p->index[i] = index;
}

/* A slot that was never used has no chunks to be read: as many clear ones stand for it in the comparison. */
static int compare(struct look_map_pair *p, struct look_compare *c)
{
	const struct look_bitmap *a = &p->slots[0].bits, *b = &p->slots[1].bits;
	const struct look_bitmap *only = a->chunks ? a : b;
	struct look_scan s = { .cell_chunks = c->cell_chunks, .cell_count = c->cell_count };
	int rc;

	if (a->chunks == b->chunks)
		return look_compare(a, b, c);
	rc = look_scan(only, &s);
	for (uint64_t i = 0; rc == 0 && i < c->cell_count; i++)
		*(only == a ? &c->only_a[i] : &c->only_b[i]) = s.cells[i];
	*(only == a ? &c->only_a_chunks : &c->only_b_chunks) = s.set_chunks;
	look_scan_drop(&s);
	return rc;
}

static void put_difference(struct text *t, const struct look_map_pair *p, const struct look_compare *c)
{
	json_open(t, "difference", '{');
	json_i64(t, "a", p->index[0]);
	json_i64(t, "b", p->index[1]);
	json_u64(t, "only_a_chunks", c->only_a_chunks);
	json_u64(t, "only_b_chunks", c->only_b_chunks);
	look_map_put_cells(t, "only_a_cells", c->only_a, c->cell_count);
	look_map_put_cells(t, "only_b_cells", c->only_b, c->cell_count);
	json_close(t, '}');
}

int look_map_pair_put(struct text *t, struct look_map_pair *p, uint64_t cells_max)
{
	struct look_compare c = { .cell_chunks = look_map_cell_chunks(p->slots[0].chunks, cells_max) };
	int rc = -ENOMEM;

	c.cell_count = div_up(p->slots[0].chunks, c.cell_chunks);
	c.only_a = mem_new(c.cell_count, sizeof *c.only_a);
	c.only_b = mem_new(c.cell_count, sizeof *c.only_b);
	if (c.only_a && c.only_b)
		rc = p->index[0] >= 0 && p->index[1] >= 0 ? compare(p, &c) : -EIO;
	if (rc == 0)
		put_difference(t, p, &c);
	else
		json_null(t, "difference");
	mem_free(c.only_a);
	mem_free(c.only_b);
	return rc == -ENOMEM ? rc : 0;
}
