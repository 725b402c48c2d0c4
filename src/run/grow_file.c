/* A bitmap moves between the members, a file and nothing while the array runs: what is done with the file.
 *
 *	to a file     its descriptor came with the request -> locked -> remembered -> filled, all bits set -> the array
 *	              changes over -> kept open
 *	from a file   the array changes over -> forgotten -> closed; nothing is written to it any more
 *
 * It is remembered before the array changes over and forgotten after: a cut in between leaves a file that a start may
 * be given, and never one that nobody knows of. A file that was lost (it failed a write) is let go when another bitmap
 * comes. Left out: planning and waiting (grow.c), the order of writes (array/rebitmap.c). */
#include "run/running.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "run/file.h"

/* Under the lock, which is left meanwhile: the file is written. */
static int prepare(struct umd_array *u, const struct asm_bitmap_plan *p, struct member *file, struct err *err)
{
	int rc;

	pthread_mutex_unlock(&u->lock);
	rc = run_pairing_set(u->uuid, file->path, err);
	if (rc == 0)
		rc = run_file_fill(file, &p->sb, 0xff, err);
	pthread_mutex_lock(&u->lock);
	return rc;
}

/* Where the array had no bitmap in a file before: what is remembered goes as well. */
static void let_go(struct umd_array *u, struct member *file)
{
	struct err ignored;

	pthread_mutex_unlock(&u->lock);
	run_pairing_set(u->uuid, NULL, &ignored);
	mbr_close(file);
	pthread_mutex_lock(&u->lock);
}

int run_grow_into_file(struct umd_array *u, const struct asm_bitmap_plan *p, struct bm *next, const char *path, int fd,
		       struct err *err)
{
	struct arr_event ev = { .kind = ARR_EV_BITMAP, .bitmap = next, .bitmap_at = p->at, .bitmap_is_file = true,
				.err = err };
	struct member *file, *lost = u->hands[ARR_FILE];
	struct arr_status s;
	int rc = run_file_open(path, fcntl(fd, F_DUPFD_CLOEXEC, 0), false, u->hands, ARR_MEMBERS_MAX, &file, err);

	if (rc < 0) {
		bm_free(next);
		return rc;
	}
	arr_get_status(u->arr, &s);
	if (s.bitmap_is_file) {
		bm_free(next);
		mbr_close(file);
		return err_set(err, -EEXIST, "the array has its bitmap in the file %s already", lost->path);
	}
	rc = prepare(u, p, file, err);
	if (rc < 0) {
		bm_free(next);
	} else {
		u->hands[ARR_FILE] = file;	/* no job is out for a file: the array has none */
		rc = run_do_change(u, &ev);
	}
	arr_get_status(u->arr, &s);
	if (s.bitmap_is_file) {
		mbr_close(lost);
		return rc;
	}
	u->hands[ARR_FILE] = rc < 0 && !s.has_lost_file ? lost : NULL;
	let_go(u, file);
	if (!u->hands[ARR_FILE])
		mbr_close(lost);
	return rc;
}

void run_grow_left_file(struct umd_array *u)
{
	struct member *file = u->hands[ARR_FILE];

	if (!file)
		return;
	u->hands[ARR_FILE] = NULL;
	let_go(u, file);
}
