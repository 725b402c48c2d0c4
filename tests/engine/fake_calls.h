/* The calls of libcpg, libquorum, libcmap and libdlm, and the clock that leases are measured by, as a test plays them.
 * fake_cluster.h has what tests say; nobody else includes this. */
#ifndef TESTS_ENGINE_FAKE_CALLS_H
#define TESTS_ENGINE_FAKE_CALLS_H

#define _REENTRANT 1
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <corosync/cmap.h>
#include <corosync/cpg.h>
#include <corosync/quorum.h>
#include <libdlm.h>

#include "base/le.h"
#include "engine/engine.h"

enum {
	FAKE_US = 1, FAKE_LOOK_MS = 10, FAKE_LOOKS = 800, FAKE_LOOKS_IN_VAIN = 20, FAKE_EVENTS_MAX = 4096,
	FAKE_LOCKS_MAX = 80, FAKE_HELLO_BYTES = 44, FAKE_SLOTS = 4,
};

enum fake_kind { FAKE_MEMBERS, FAKE_RING, FAKE_PACKET, FAKE_QUORUM, FAKE_NODES, FAKE_TOKEN, FAKE_ANSWER };

struct fake_event {
	enum fake_kind kind;
	uint32_t node, left, len_bytes, value;
	uint64_t seq;
	uint8_t bytes[128];
	struct fake_lock *lock;
	int status;
};

struct fake_lock {
	char name[24];
	struct dlm_lksb *lksb;
	void (*answered)(void *);
	void *arg;
	uint32_t id;
	bool is_asked, is_held;
};

static struct {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct fake_event events[FAKE_EVENTS_MAX];
	uint32_t first, count;
	int fds[4];			/* cpg, quorum, cmap, dlm: something is there */
	cpg_model_v1_data_t group_calls;
	quorum_model_v1_data_t quorum_calls;
	void *cpg_context, *quorum_context, *cmap_context;
	cmap_notify_fn_t token_changed;
	bool is_quorate, has_joined;
	uint64_t ring;
	uint32_t members[8], member_count;
	uint32_t token_ms;
	bool swallows_beats, swallows_hellos;
	uint64_t last_beat_ms;		/* the time in the last beat that came back */
	/* calls that do not return until it is false */
	bool corosync_hangs, dlm_hangs;
	uint32_t hanging;		/* calls that do just now */
	bool keeps_locks;		/* somebody else has them all: who queues waits */
	struct fake_lock locks[FAKE_LOCKS_MAX];
	uint32_t lock_count;
	bool is_space_open;
	_Atomic uint64_t now_ms;	/* of CLOCK_BOOTTIME */

	/* what the engine's opener was told */
	uint32_t configs, config_size, messages, quorums;
	bool quorum;
	int granted[FAKE_SLOTS], refused[FAKE_SLOTS], cancelled[FAKE_SLOTS];
	char lost[400], note[400];
	uint32_t told_count;
} fake = {
	.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .token_ms = 1000, .now_ms = 1000000,
};

/* ---- the clock, and the door of the DLM ---- */

int clock_gettime(clockid_t id, struct timespec *ret)
{
	if (id != CLOCK_BOOTTIME)
		return (int)syscall(SYS_clock_gettime, id, ret);
	*ret = (struct timespec){ (time_t)(fake.now_ms / 1000), (long)(fake.now_ms % 1000) * 1000000 };
	return 0;
}

/* dlm-control is opened only to see whether it is there. */
int open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	va_start(ap, flags);
	if (flags & O_CREAT)
		mode = va_arg(ap, mode_t);
	va_end(ap);
	if (!strcmp(path, "/dev/misc/dlm-control"))
		path = "/dev/null";
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

/* ---- events ---- */

static inline int fake_fd_of(enum fake_kind kind)
{
	return kind == FAKE_QUORUM || kind == FAKE_NODES ? 1 : kind == FAKE_TOKEN ? 2 : kind == FAKE_ANSWER ? 3 : 0;
}

/* Under the mutex. */
static inline void fake_post(const struct fake_event *ev)
{
	if (fake.count == FAKE_EVENTS_MAX) {
		fprintf(stderr, "too many events for the played cluster\n");
		exit(1);
	}
	fake.events[(fake.first + fake.count++) % FAKE_EVENTS_MAX] = *ev;
	eventfd_write(fake.fds[fake_fd_of(ev->kind)], 1);
}

/* The next event for this descriptor; false: there is none. Under the mutex. */
static inline bool fake_take(int fd, struct fake_event *ret)
{
	for (uint32_t i = 0; i < fake.count; i++) {
		struct fake_event *at = &fake.events[(fake.first + i) % FAKE_EVENTS_MAX];

		if (fake_fd_of(at->kind) != fd)
			continue;
		*ret = *at;
		for (; i > 0; i--)
			fake.events[(fake.first + i) % FAKE_EVENTS_MAX] =
				fake.events[(fake.first + i - 1) % FAKE_EVENTS_MAX];
		fake.first = (fake.first + 1) % FAKE_EVENTS_MAX;
		fake.count--;
		return true;
	}
	return false;
}

static inline void fake_hang(const bool *flag)
{
	pthread_mutex_lock(&fake.mutex);
	fake.hanging += *flag;
	pthread_cond_broadcast(&fake.changed);
	while (*flag)
		pthread_cond_wait(&fake.changed, &fake.mutex);
	fake.hanging = 0;
	pthread_mutex_unlock(&fake.mutex);
}

const char *cs_strerror(cs_error_t rc)
{
	return rc == CS_OK ? "all is well" : "an error of the played corosync";
}

/* ---- libcpg ---- */

cs_error_t cpg_model_initialize(cpg_handle_t *handle, cpg_model_t model, cpg_model_data_t *data, void *context)
{
	(void)model;
	fake.group_calls = *(cpg_model_v1_data_t *)data;
	fake.cpg_context = context;
	*handle = 1;
	return CS_OK;
}

cs_error_t cpg_finalize(cpg_handle_t handle)
{
	(void)handle;
	return CS_OK;
}

cs_error_t cpg_fd_get(cpg_handle_t handle, int *fd)
{
	(void)handle;
	*fd = fake.fds[0];
	return CS_OK;
}

cs_error_t cpg_context_get(cpg_handle_t handle, void **context)
{
	(void)handle;
	*context = fake.cpg_context;
	return CS_OK;
}

cs_error_t cpg_local_get(cpg_handle_t handle, unsigned *node)
{
	(void)handle;
	*node = FAKE_US;
	return CS_OK;
}

static inline uint32_t fake_pid(uint32_t node)
{
	return node == FAKE_US ? (uint32_t)getpid() : 1000 + node;
}

static inline void fake_tell_members(const struct fake_event *ev)
{
	struct cpg_address now[8], left = { ev->left, fake_pid(ev->left), CPG_REASON_NODEDOWN };

	for (uint32_t i = 0; i < ev->len_bytes; i++)
		now[i] = (struct cpg_address){ ev->bytes[i], fake_pid(ev->bytes[i]), CPG_REASON_UNDEFINED };
	fake.group_calls.cpg_confchg_fn(1, NULL, now, ev->len_bytes, &left, ev->left ? 1 : 0, NULL, 0);
}

cs_error_t cpg_dispatch(cpg_handle_t handle, cs_dispatch_flags_t types)
{
	struct fake_event ev;
	eventfd_t count;

	(void)types;
	pthread_mutex_lock(&fake.mutex);
	eventfd_read(fake.fds[0], &count);
	while (fake_take(0, &ev)) {
		struct cpg_ring_id ring = { FAKE_US, ev.seq };

		pthread_mutex_unlock(&fake.mutex);
		if (ev.kind == FAKE_MEMBERS)
			fake_tell_members(&ev);
		else if (ev.kind == FAKE_RING)
			fake.group_calls.cpg_totem_confchg_fn(handle, ring, 0, NULL);
		else
			fake.group_calls.cpg_deliver_fn(handle, NULL, ev.node, fake_pid(ev.node), ev.bytes,
							ev.len_bytes);
		pthread_mutex_lock(&fake.mutex);
	}
	pthread_mutex_unlock(&fake.mutex);
	return CS_OK;
}

/* Under the mutex. */
static inline void fake_post_members(uint32_t left)
{
	struct fake_event ev = { .kind = FAKE_MEMBERS, .left = left, .len_bytes = fake.member_count };

	for (uint32_t i = 0; i < fake.member_count; i++)
		ev.bytes[i] = (uint8_t)fake.members[i];
	fake_post(&ev);
}

cs_error_t cpg_join(cpg_handle_t handle, const struct cpg_name *group)
{
	(void)handle;
	(void)group;
	pthread_mutex_lock(&fake.mutex);
	fake.has_joined = true;
	fake_post_members(0);
	fake_post(&(struct fake_event){ .kind = FAKE_RING, .seq = fake.ring });
	pthread_mutex_unlock(&fake.mutex);
	return CS_OK;
}

cs_error_t cpg_leave(cpg_handle_t handle, const struct cpg_name *group)
{
	(void)handle;
	(void)group;
	return CS_OK;
}

/* What we cast comes back, but for what the test swallows. */
cs_error_t cpg_mcast_joined(cpg_handle_t handle, cpg_guarantee_t guarantee, const struct iovec *iov, unsigned count)
{
	struct fake_event ev = { .kind = FAKE_PACKET, .node = FAKE_US, .len_bytes = (uint32_t)iov->iov_len };
	const uint8_t *bytes = iov->iov_base;

	(void)handle;
	(void)guarantee;
	(void)count;
	pthread_mutex_lock(&fake.mutex);
	if (iov->iov_len <= sizeof ev.bytes && !(bytes[5] == 'B' && fake.swallows_beats) &&
	    !(bytes[5] == 'H' && fake.swallows_hellos)) {
		memcpy(ev.bytes, bytes, iov->iov_len);
		if (bytes[5] == 'B')
			fake.last_beat_ms = le_get(bytes + 8, 8);
		fake_post(&ev);
	}
	pthread_mutex_unlock(&fake.mutex);
	return CS_OK;
}

/* dlm_controld's group: we are in it. */
cs_error_t cpg_membership_get(cpg_handle_t handle, struct cpg_name *group, struct cpg_address *members, int *count)
{
	(void)handle;
	(void)group;
	fake_hang(&fake.corosync_hangs);
	members[0] = (struct cpg_address){ FAKE_US, 1, 0 };
	*count = 1;
	return CS_OK;
}

/* ---- libquorum ---- */

cs_error_t quorum_model_initialize(quorum_handle_t *handle, quorum_model_t model, quorum_model_data_t *data,
				   uint32_t *type, void *context)
{
	(void)model;
	fake.quorum_calls = *(quorum_model_v1_data_t *)data;
	fake.quorum_context = context;
	*handle = 1;
	*type = QUORUM_SET;
	return CS_OK;
}

cs_error_t quorum_finalize(quorum_handle_t handle)
{
	(void)handle;
	return CS_OK;
}

cs_error_t quorum_fd_get(quorum_handle_t handle, int *fd)
{
	(void)handle;
	*fd = fake.fds[1];
	return CS_OK;
}

cs_error_t quorum_context_get(quorum_handle_t handle, const void **context)
{
	(void)handle;
	*context = fake.quorum_context;
	return CS_OK;
}

cs_error_t quorum_getquorate(quorum_handle_t handle, int *is_quorate)
{
	(void)handle;
	*is_quorate = fake.is_quorate;
	return CS_OK;
}

/* Under the mutex. */
static inline void fake_post_quorum(void)
{
	fake_post(&(struct fake_event){ .kind = FAKE_NODES, .seq = fake.ring });
	fake_post(&(struct fake_event){ .kind = FAKE_QUORUM, .seq = fake.ring, .value = fake.is_quorate });
}

cs_error_t quorum_trackstart(quorum_handle_t handle, unsigned flags)
{
	(void)handle;
	(void)flags;
	pthread_mutex_lock(&fake.mutex);
	fake_post_quorum();
	pthread_mutex_unlock(&fake.mutex);
	return CS_OK;
}

cs_error_t quorum_dispatch(quorum_handle_t handle, cs_dispatch_flags_t types)
{
	struct fake_event ev;
	eventfd_t count;

	(void)types;
	pthread_mutex_lock(&fake.mutex);
	eventfd_read(fake.fds[1], &count);
	while (fake_take(1, &ev)) {
		struct quorum_ring_id ring = { FAKE_US, ev.seq };

		pthread_mutex_unlock(&fake.mutex);
		if (ev.kind == FAKE_NODES)
			fake.quorum_calls.nodelist_notify_fn(handle, ring, 0, NULL, 0, NULL, 0, NULL);
		else
			fake.quorum_calls.quorum_notify_fn(handle, ev.value, ring, 0, NULL);
		pthread_mutex_lock(&fake.mutex);
	}
	pthread_mutex_unlock(&fake.mutex);
	return CS_OK;
}

/* ---- libcmap ---- */

cs_error_t cmap_initialize(cmap_handle_t *handle)
{
	*handle = 1;
	return CS_OK;
}

cs_error_t cmap_finalize(cmap_handle_t handle)
{
	(void)handle;
	return CS_OK;
}

cs_error_t cmap_fd_get(cmap_handle_t handle, int *fd)
{
	(void)handle;
	*fd = fake.fds[2];
	return CS_OK;
}

cs_error_t cmap_get_string(cmap_handle_t handle, const char *key, char **ret)
{
	(void)handle;
	(void)key;
	*ret = strdup("lab");
	return CS_OK;
}

cs_error_t cmap_get_uint32(cmap_handle_t handle, const char *key, uint32_t *ret)
{
	(void)handle;
	(void)key;
	*ret = fake.token_ms;
	return CS_OK;
}

cs_error_t cmap_track_add(cmap_handle_t handle, const char *key, int32_t type, cmap_notify_fn_t fn, void *context,
			  cmap_track_handle_t *track)
{
	(void)handle;
	(void)type;
	if (strcmp(key, "runtime.config.totem.token") != 0)
		return CS_ERR_INVALID_PARAM;
	fake.token_changed = fn;
	fake.cmap_context = context;
	*track = 1;
	return CS_OK;
}

cs_error_t cmap_dispatch(cmap_handle_t handle, cs_dispatch_flags_t types)
{
	struct fake_event ev;
	eventfd_t count;

	(void)types;
	pthread_mutex_lock(&fake.mutex);
	eventfd_read(fake.fds[2], &count);
	while (fake_take(2, &ev)) {
		struct cmap_notify_value now = { CMAP_VALUETYPE_UINT32, sizeof ev.value, &ev.value }, before = { 0 };

		pthread_mutex_unlock(&fake.mutex);
		fake.token_changed(handle, 1, CMAP_TRACK_MODIFY, "runtime.config.totem.token", now, before,
				   fake.cmap_context);
		pthread_mutex_lock(&fake.mutex);
	}
	pthread_mutex_unlock(&fake.mutex);
	return CS_OK;
}

/* ---- libdlm ---- */

dlm_lshandle_t dlm_open_lockspace(const char *name)
{
	(void)name;
	return NULL;
}

dlm_lshandle_t dlm_new_lockspace(const char *name, mode_t mode, uint32_t flags)
{
	(void)name;
	(void)mode;
	(void)flags;
	fake.is_space_open = true;
	return &fake;
}

int dlm_ls_get_fd(dlm_lshandle_t space)
{
	(void)space;
	return fake.fds[3];
}

int dlm_release_lockspace(const char *name, dlm_lshandle_t space, int force)
{
	(void)name;
	(void)space;
	(void)force;
	pthread_mutex_lock(&fake.mutex);
	fake.is_space_open = false;
	pthread_cond_broadcast(&fake.changed);
	pthread_mutex_unlock(&fake.mutex);
	return 0;
}

/* Under the mutex. */
static inline void fake_answer(struct fake_lock *k, int status)
{
	k->is_held = status == 0;
	if (status)
		k->is_asked = false;
	fake_post(&(struct fake_event){ .kind = FAKE_ANSWER, .lock = k, .status = status });
}

int dlm_ls_lock(dlm_lshandle_t space, uint32_t mode, struct dlm_lksb *lksb, uint32_t flags, const void *name,
		unsigned len, uint32_t parent, void (*answered)(void *), void *arg, void (*bast)(void *), void *range)
{
	struct fake_lock *k;

	(void)space;
	(void)mode;
	(void)parent;
	(void)bast;
	(void)range;
	fake_hang(&fake.dlm_hangs);
	pthread_mutex_lock(&fake.mutex);
	k = &fake.locks[fake.lock_count++ % FAKE_LOCKS_MAX];
	*k = (struct fake_lock){ .lksb = lksb, .answered = answered, .arg = arg, .id = fake.lock_count,
				 .is_asked = true };
	snprintf(k->name, sizeof k->name, "%.*s", (int)len, (const char *)name);
	lksb->sb_lkid = k->id;
	if (!fake.keeps_locks || !strcmp(k->name, "umd-alive"))
		fake_answer(k, 0);
	else if (flags & LKF_NOQUEUE)
		fake_answer(k, EAGAIN);
	pthread_mutex_unlock(&fake.mutex);
	return 0;
}

int dlm_ls_unlock(dlm_lshandle_t space, uint32_t id, uint32_t flags, struct dlm_lksb *lksb, void *arg)
{
	(void)space;
	(void)lksb;
	(void)arg;
	fake_hang(&fake.dlm_hangs);
	pthread_mutex_lock(&fake.mutex);
	for (uint32_t i = 0; i < FAKE_LOCKS_MAX; i++) {
		struct fake_lock *k = &fake.locks[i];

		if (k->id != id || !k->is_asked || (flags & LKF_CANCEL && k->is_held))
			continue;
		fake_answer(k, flags & LKF_CANCEL ? ECANCEL : EUNLOCK);
	}
	pthread_cond_broadcast(&fake.changed);
	pthread_mutex_unlock(&fake.mutex);
	return 0;
}

int dlm_dispatch(int fd)
{
	struct fake_event ev;
	eventfd_t count;

	pthread_mutex_lock(&fake.mutex);
	eventfd_read(fd, &count);
	while (fake_take(3, &ev)) {
		pthread_mutex_unlock(&fake.mutex);
		ev.lock->lksb->sb_status = ev.status;
		ev.lock->answered(ev.lock->arg);
		pthread_mutex_lock(&fake.mutex);
	}
	pthread_mutex_unlock(&fake.mutex);
	return 0;
}

#endif
