/* A run of an array that was set up by attributes begins.
 *
 *	ask where the bitmap lies -> read it -> the configuration becomes arr_config -> brains -> the thread goes
 *
 * No superblock is read or written: the owner has said everything. The bitmap is read without the array's lock;
 * nothing of the configuration changes meanwhile, since writes of attributes come one by one and this is one. An array
 * with superblocks that was made inactive is judged anew, like any that starts (open.c).
 *
 * Left out: what the bits mean (the tree's att_make_config, the bitmap's load). */
#include "run/hand.h"

#include <errno.h>

#include "base/mem.h"

static void take_members(struct umd_array *u, const struct arr_config *config)
{
	for (uint32_t i = 0; i < config->member_count; i++)
		if (config->members[i].state != ARR_M_NONE)
			run_hand_takes(u, i, config->members[i].hand);
}

static int make_brains(struct umd_array *u, enum att_mode mode, const struct run_image *image, struct err *err)
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

static int start_configured(struct umd_array *u, enum att_mode mode, struct err *err)
{
	const struct att_view not_running = { 0 };
	struct run_image image = { 0 };
	int rc = run_hand_read_bitmap(u, &not_running, &image, err);

	if (rc >= 0)
		rc = make_brains(u, mode, &image, err);
	mem_free(image.data);
	return rc;
}

/* Opened for reading alone, they can be no more than read. */
static int check_mode(struct umd_array *u, enum att_mode mode, struct err *err)
{
	for (uint32_t i = 0; i < ATT_DEVS_MAX && mode != ATT_MODE_READONLY; i++) {
		const struct att_dev *dev = att_dev(u->tree, i);

		if (dev && ((struct member *)dev->hand)->is_readonly)
			return err_set(err, -EROFS, "%s was opened for reading alone: the array can be read-only and "
				       "nothing else", dev->name);
	}
	return 0;
}

int run_hand_start(struct umd_array *u, enum att_mode mode, struct err *err)
{
	int rc = check_mode(u, mode, err);

	if (rc == 0)
		rc = u->has_superblocks ? run_open_again(u, mode, err) : start_configured(u, mode, err);
	if (rc < 0)
		return rc;

	pthread_mutex_unlock(&u->lock);
	rc = run_begin(u, err);
	if (rc == 0)
		run_thread_go(u);
	pthread_mutex_lock(&u->lock);
	if (rc == 0)
		return 0;
	u->arr = arr_free(u->arr);
	u->lineage = asm_lineage_free(u->lineage);
	for (uint32_t i = 0; i < ARR_MEMBERS_MAX; i++)
		run_hand_leaves(u, i);
	return rc;
}
