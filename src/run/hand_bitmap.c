/* The bitmap, as attributes set it: read for a start, exchanged while the array runs, bits set by hand.
 *
 * A bitmap without superblock is read as it lies there, without the array's lock: whose it is and whether its bits
 * are to be believed its owner knows. The exchange itself, and bits set by hand, are the array's (run/grow.c asks
 * for them).
 *
 * Left out: what the bits mean (attrs), which is read (att_bitmap_place). */
#include "run/hand.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "look/look.h"

/* @places: by entry of the array's table; NULL: the tree knows, since the same is the place on every device. */
static int read_bitmap(struct umd_array *u, const struct att_view *view, const member_off *places,
		       struct run_image *image, struct err *err)
{
	struct member *m;
	member_off at;
	uint32_t dev;
	char *path;
	int rc = att_bitmap_place(u->tree, view, &dev, &at, &image->len_bytes, err);

	if (rc <= 0)
		return rc;
	m = att_dev(u->tree, dev)->hand;
	if (places)
		at = places[att_dev(u->tree, dev)->entry];
	pthread_mutex_unlock(&u->lock);
	path = look_escaped(m->path);
	rc = path ? look_read_image(m, path, at, image->len_bytes, &image->data, err) :
		    err_set(err, -ENOMEM, "no memory");
	mem_free(path);
	pthread_mutex_lock(&u->lock);
	return rc;
}

int run_hand_read_bitmap(struct umd_array *u, const struct att_view *view, struct run_image *image, struct err *err)
{
	return read_bitmap(u, view, NULL, image, err);
}

/* Where it lies on each entry: the same everywhere, or as far from each superblock, if that is free. */
static int find_places(struct umd_array *u, const struct att_action *action, member_off at[ARR_MEMBERS_MAX],
		       struct err *err)
{
	struct asm_bitmap_wish wish = { .kind = ASM_BITMAP_BARE, .distance_sectors = action->location_sectors,
					.chunk_bytes = action->bitmap_chunk_bytes };
	struct asm_bitmap_plan plan;
	int rc;

	for (uint32_t i = 0; i < ARR_MEMBERS_MAX; i++)
		at[i] = action->bitmap_at;
	if (!u->has_superblocks)
		return 0;
	rc = asm_plan_bitmap(u->lineage, u->arr, &wish, &plan, err);
	if (rc == 0)
		memcpy(at, plan.at, sizeof plan.at);
	return rc;
}

static int set_bare(struct umd_array *u, const struct att_action *action, struct err *err)
{
	struct run_image image = { 0 };
	member_off at[ARR_MEMBERS_MAX];
	struct arr_status status;
	struct att_view view = run_view(u, &status);
	struct bm *bitmap = NULL;
	int rc = find_places(u, action, at, err);

	if (rc == 0)
		rc = read_bitmap(u, &view, at, &image, err);
	if (rc >= 0) {
		view = run_view(u, &status);
		rc = att_make_bitmap(u->tree, &view, image.data, image.len_bytes, &bitmap, err);
	}
	mem_free(image.data);
	return rc < 0 ? rc : run_change_bitmap(u, bitmap, at, err);
}

int run_hand_set_bitmap(struct umd_array *u, const struct att_action *action, struct err *err)
{
	struct asm_bitmap_wish wish = { .kind = ASM_BITMAP_INTERNAL, .distance_sectors = action->location_sectors,
					.chunk_bytes = action->bitmap_chunk_bytes };

	return action->is_bare ? set_bare(u, action, err) : run_grow_as_wished(u, &wish, err);
}

int run_hand_drop_bitmap(struct umd_array *u, struct err *err)
{
	static const member_off nowhere[ARR_MEMBERS_MAX];
	struct asm_bitmap_wish none = { .kind = ASM_BITMAP_NONE };

	return u->has_superblocks ? run_grow_as_wished(u, &none, err) : run_change_bitmap(u, NULL, nowhere, err);
}

/* What one range has set stays when a later one fails: bits that are set are only work. */
int run_hand_set_bits(struct umd_array *u, const struct att_action *action, struct err *err)
{
	chunk_no first, last;
	size_t pos = 0;
	int rc = 0;

	while (rc == 0 && att_next_range(action, &pos, &first, &last)) {
		const struct bm *bitmap = arr_bitmap(u->arr);	/* its file may have failed since the last range */
		uint64_t chunk = bitmap ? bm_chunk_bytes(bitmap) : 0, from = first.index * chunk, end;
		struct arr_status status;

		if (!bitmap)
			return err_set(err, -ENOENT, "the array has no bitmap");
		arr_get_status(u->arr, &status);
		end = min_u64((last.index + 1) * chunk, status.size_bytes);
		rc = run_set_bits(u, (array_off){ from }, end - from, err);
	}
	return rc;
}
