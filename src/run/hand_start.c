/* A run of an array that was set up by attributes begins.
 *
 *	ask where the bitmap lies -> read it -> the configuration becomes arr_config -> brains -> the thread goes
 *
 * No superblock is read or written: the owner has said everything. The bitmap is read without the array's lock;
 * nothing of the configuration changes meanwhile, since writes of attributes come one by one and this is one.
 *
 * Left out: what the bits mean (the tree's att_make_config, the bitmap's load). */
#include "run/hand.h"

#include <errno.h>

#include "base/mem.h"
#include "look/look.h"

struct image {
	uint8_t *data;
	uint64_t len_bytes;
};

/* Under the lock, which is left while it is read. */
static int read_bitmap(struct umd_array *u, struct image *image, struct err *err)
{
	const struct att_view not_running = { 0 };
	struct member *m;
	member_off at;
	uint32_t dev;
	char *path;
	int rc = att_bitmap_place(u->tree, &not_running, &dev, &at, &image->len_bytes, err);

	if (rc <= 0)
		return rc;
	m = att_dev(u->tree, dev)->hand;
	pthread_mutex_unlock(&u->lock);
	path = look_escaped(m->path);
	rc = path ? look_read_image(m, path, at, image->len_bytes, &image->data, err) :
		    err_set(err, -ENOMEM, "no memory");
	mem_free(path);
	pthread_mutex_lock(&u->lock);
	return rc;
}

static void take_members(struct umd_array *u, const struct arr_config *config)
{
	for (uint32_t i = 0; i < config->member_count; i++)
		if (config->members[i].state != ARR_M_NONE)
			run_hand_takes(u, i, config->members[i].hand);
}

static int make_brains(struct umd_array *u, enum att_mode mode, const struct image *image, struct err *err)
{
	struct arr_config *config = mem_new(1, sizeof *config);
	int rc = config ? att_make_config(u->tree, mode, image->data, image->len_bytes, config, err) :
			  err_set(err, -ENOMEM, "no memory");

	if (rc == 0) {
		u->arr = arr_new(config);
		if (!u->arr) {
			bm_free(config->bitmap);
			rc = err_set(err, -ENOMEM, "no memory for the array");
		} else {
			take_members(u, config);
		}
	}
	mem_free(config);
	return rc;
}

int run_hand_start(struct umd_array *u, enum att_mode mode, struct err *err)
{
	struct image image = { 0 };
	int rc = read_bitmap(u, &image, err);

	if (rc == 0)
		rc = make_brains(u, mode, &image, err);
	mem_free(image.data);
	if (rc < 0)
		return rc;

	pthread_mutex_unlock(&u->lock);
	rc = run_begin(u, err);
	if (rc == 0)
		run_thread_go(u);
	pthread_mutex_lock(&u->lock);
	if (rc < 0) {
		u->arr = arr_free(u->arr);
		for (uint32_t i = 0; i < ARR_MEMBERS_MAX; i++)
			run_hand_leaves(u, i);
	}
	return rc;
}
