/* The public API of a running array: start, stop, close, and requests.
 *
 * A request lives on its caller's stack and its caller's thread: it is put into the array, its jobs are executed
 * here, and the function returns when it is done. Codes become plain errno values at this door, because a front
 * end passes them on.
 *
 * Start begins threads and writes the first superblocks, or fails and has written nothing; stop only tells; close
 * waits, writes clean, and frees.
 * Left out: opening and judging (open.c), runs (life.c), the thread of the array (thread.c), how a job is executed
 * (work.c). */
#include "run/cluster.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "run/file.h"
#include "run/public.h"

#ifndef UMD_VERSION
#error "the build says which version this is"
#endif

const char *umd_version(void)
{
	return UMD_VERSION;
}

void run_wake(struct umd_array *u)
{
	struct run_control *control = u->control;

	if (control)
		run_control_wake(control);
}

/* Whoever could not wake the control thread yet is made up for. */
static int start_control(struct umd_array *u, struct err *err)
{
	struct run_control *control;
	int rc = run_control_start(u->rundir, run_command, u, &control, err);

	if (rc < 0)
		return rc;
	u->control = control;
	run_wake(u);
	return 0;
}

/* Before anything is written, so that no cut leaves an array whose file nobody knows. */
static int remember_file(struct umd_array *u, struct err *err)
{
	if (u->pairing == RUN_PAIRING_STAYS)
		return 0;
	return run_pairing_set(u->uuid, u->pairing == RUN_PAIRING_IS_MADE ? u->hands[ARR_FILE]->path : NULL, err);
}

int umd_array_start(struct umd_array *u, struct umd_error *error)
{
	struct err err = { 0 };
	int rc = run_rundir_publish(u->rundir);

	if (rc < 0)
		err_set(&err, rc, "the pid file of %s cannot be written: %s", run_rundir_name(u->rundir),
			err_sentence(rc));
	if (rc == 0)
		rc = remember_file(u, &err);
	if (rc == 0 && (u->arr || u->cluster))
		rc = run_begin(u, &err);
	if (rc == 0 && u->cluster)
		rc = run_cluster_start(u, &err);
	if (rc == 0)
		rc = run_errands_start(u, &err);
	if (rc == 0)
		rc = start_control(u, &err);
	if (rc < 0)
		run_thread_call_off(u);
	else if (u->arr)
		run_thread_go(u);
	return run_public_error(rc, &err, error);
}

void umd_array_stop(struct umd_array *u)
{
	pthread_mutex_lock(&u->lock);
	u->is_ending = true;
	run_overdue_begin(u);
	run_tell_end(u);
	pthread_cond_broadcast(&u->changed);
	pthread_mutex_unlock(&u->lock);
}

int umd_array_close(struct umd_array *u)
{
	struct arr_status last;

	if (!u)
		return 0;
	umd_array_stop(u);
	run_errands_end(u);
	run_end(u, &last);
	u->control = run_control_stop(u->control);
	run_errands_free(u);
	run_close_devices(u);
	for (uint32_t i = 0; i < ARR_MEMBERS_MAX; i++)
		run_let_go(u, i);
	u->hands[ARR_FILE] = mbr_close(u->hands[ARR_FILE]);
	run_overdue_end(u);
	u->cluster = run_cluster_free(u->cluster);
	att_free(u->tree);
	u->rundir = run_rundir_release(u->rundir);
	free(u->sync_buffer);
	pthread_mutex_destroy(&u->lock);
	pthread_cond_destroy(&u->changed);
	mem_free(u);
	return last.is_broken ? -EIO : 0;
}

/* What the array says of itself; all zero while it does not run. */
static struct arr_status status_of(struct umd_array *u)
{
	struct arr_status status = { 0 };

	pthread_mutex_lock(&u->lock);
	if (u->arr)
		arr_get_status(u->arr, &status);
	pthread_mutex_unlock(&u->lock);
	return status;
}

uint64_t umd_array_size(struct umd_array *u)
{
	return status_of(u).size_bytes;
}

bool umd_array_is_readonly(struct umd_array *u)
{
	return status_of(u).is_readonly;
}

int umd_array_why_ended(struct umd_array *u, struct umd_error *error)
{
	struct err err = { 0 };

	pthread_mutex_lock(&u->lock);
	if (u->cluster && u->cluster->life == RUN_NODE_HAS_FAILED)
		err = u->cluster->err;
	pthread_mutex_unlock(&u->lock);
	return err.code ? run_public_error(err.code, &err, error) : 0;
}

const char *umd_array_name(const struct umd_array *u)
{
	return run_rundir_name(u->rundir);
}

void umd_array_on_stop(struct umd_array *u, void (*callback)(void *), void *opaque)
{
	u->on_stop_opaque = opaque;
	u->on_stop = callback;
}

void umd_array_on_overdue(struct umd_array *u, void (*callback)(void *, const char *), void *opaque)
{
	u->on_overdue_opaque = opaque;
	u->on_overdue = callback;
}

int umd_array_read(struct umd_array *u, void *data, size_t len_bytes, uint64_t at)
{
	struct arr_req req = { .op = ARR_READ, .at = { at }, .len_bytes = len_bytes, .data = data };

	return run_request(u, &req);
}

int umd_array_write(struct umd_array *u, const void *data, size_t len_bytes, uint64_t at, unsigned flags)
{
	struct arr_req req = { .op = ARR_WRITE, .is_fua = flags & UMD_FUA, .at = { at }, .len_bytes = len_bytes,
			      .data = (void *)(uintptr_t)data };

	return run_request(u, &req);
}

int umd_array_zero(struct umd_array *u, uint64_t len_bytes, uint64_t at, unsigned flags)
{
	struct arr_req req = { .op = ARR_ZERO, .is_fua = flags & UMD_FUA, .may_punch = flags & UMD_MAY_TRIM,
			      .at = { at }, .len_bytes = len_bytes };

	return run_request(u, &req);
}

int umd_array_flush(struct umd_array *u)
{
	struct arr_req req = { .op = ARR_FLUSH };

	return run_request(u, &req);
}

int umd_array_detail(struct umd_array *u, char **ret_json)
{
	struct text t = { 0 };

	run_detail(u, &t);
	*ret_json = text_take(&t);
	return *ret_json ? 0 : -ENOMEM;
}
