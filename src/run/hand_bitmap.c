/* Bitmaps of arrays that are set up by attributes: read where the owner says they lie, set and taken away while the
 * array runs, and bits set by hand.
 *
 * The area is read without the array's lock; nothing of the configuration changes meanwhile, since writes of attributes
 * come one by one and this is one. Every member has it at the same distance from its start.
 *
 * Left out: what the bits mean (the tree's att_make_bitmap, the bitmap's load), the exchange (array/rebitmap.c). */
#include "run/hand.h"

#include <errno.h>

#include "base/mem.h"
#include "look/look.h"

int run_hand_read_bitmap(struct umd_array *u, const struct att_view *view, struct run_image *image, struct err *err)
{
	struct member *m;
	uint32_t dev;
	char *path;
	int rc = att_bitmap_place(u->tree, view, &dev, &image->at, &image->len_bytes, err);

	if (rc <= 0)
		return rc;
	m = att_dev(u->tree, dev)->hand;
	pthread_mutex_unlock(&u->lock);
	path = look_escaped(m->path);
	rc = path ? look_read_image(m, path, image->at, image->len_bytes, &image->data, err) :
		    err_set(err, -ENOMEM, "no memory");
	mem_free(path);
	pthread_mutex_lock(&u->lock);
	return rc;
}

int run_hand_bitmap_set(struct umd_array *u, struct err *err)
{
	struct arr_status status;
	struct att_view view = run_view(u, &status);
	struct run_image image = { 0 };
	member_off at[ARR_MEMBERS_MAX];
	struct bm *bitmap = NULL;
	int rc = run_hand_read_bitmap(u, &view, &image, err);

	view = run_view(u, &status);	/* members may have failed meanwhile */
	if (rc == 0)
		rc = att_make_bitmap(u->tree, &view, image.data, image.len_bytes, &bitmap, err);
	mem_free(image.data);
	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < ARR_MEMBERS_MAX; i++)
		at[i] = image.at;
	return run_change_bitmap(u, bitmap, at, err);
}

int run_hand_bitmap_none(struct umd_array *u, struct err *err)
{
	int rc = run_change_bitmap(u, NULL, NULL, err);

	if (rc == 0)
		u->facts.bitmap_sectors = u->facts.bitmap_space_sectors = 0;
	return rc;
}

int run_hand_set_bits(struct umd_array *u, const struct att_action *action, struct err *err)
{
	chunk_no first, last;
	size_t pos = 0;
	int rc = 0;

	while (rc == 0 && att_next_range(action, &pos, &first, &last)) {
		const struct bm *b = arr_bitmap(u->arr);
		struct arr_status s;
		uint64_t at, end;

		arr_get_status(u->arr, &s);
		if (!b)
			return err_set(err, -ENOENT, "there is no bitmap");
		at = first.index * bm_chunk_bytes(b);
		end = min_u64((last.index + 1) * bm_chunk_bytes(b), s.size_bytes);
		rc = run_set_bits(u, (array_off){ at }, end - at, err);
	}
	return rc;
}
