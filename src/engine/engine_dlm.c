/* The dlm engine: nodes on several machines, on corosync and dlm_controld.
 *
 * Three parts: the group (engine_dlm_group.c: membership, messages, quorum, the lease of writers), the locks
 * (engine_dlm_lock.c: the kernel's DLM), and here the door and the one thread that listens to all three descriptors and
 * tells the brain.
 *
 *	any thread    lock(), send(), ... note a wish and wake the thread: none of them waits
 *	the thread    corosync and DLM speak -> deliver(); wishes -> join, cast, leave; beats
 *	the hand      calls into the lockspace, which may block for as long as the cluster takes
 *
 * A node id is the node's number in corosync.conf and a random half, so that none comes twice.
 *
 * After LOST nothing more is told and nothing is asked of the cluster; locks stay as they are until close(), since
 * the hands may still be writing: who takes our slot waits for it. The end is engine_dlm_close.c's.
 *
 * Law: C5. Left out: fencing and the watchdog, which are the cluster's (docs/cluster.md). */
#include "engine/engine_dlm.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/mem.h"

enum { OPEN_LIMIT_MS = 60000, RETRY_MS = 5 };

static struct engine_dlm *dlm_of(struct engine *e)
{
	return (struct engine_dlm *)e;		/* e is the first field */
}

static void wake(struct engine_dlm *d)
{
	eventfd_write(d->wake_fd, 1);
}

/* ---- the thread ---- */

static void tell_lost(struct engine_dlm *d)
{
	if (!d->lost[0] || d->is_lost_told || d->is_left)
		return;
	d->is_lost_told = true;
	d->may_write = false;
	engine_dlm_deliver(d, &(struct clu_event){ .kind = CLU_EV_LOST, .reason = d->lost });
}

static void hear_locks(struct engine_dlm *d)
{
	struct err err;
	struct clu_event event = { .kind = CLU_EV_LOCK };
	bool is_probe;

	if (engine_dlm_locks_hear(d->locks, &err) < 0)
		engine_dlm_lose(d, "%.380s", err.text);
	while (!d->lost[0] && engine_dlm_locks_next(d->locks, &event.lock, &event.rc, &is_probe)) {
		if (is_probe)
			engine_dlm_group_probed(d);
		else if (!d->is_left)
			engine_dlm_deliver(d, &event);
	}
}

static void follow_wishes(struct engine_dlm *d)
{
	bool wants_group, wants_goodbye, lacks_memory;

	pthread_mutex_lock(&d->mutex);
	lacks_memory = d->lacks_memory;
	wants_group = d->wants_group;
	wants_goodbye = d->wants_goodbye;
	pthread_mutex_unlock(&d->mutex);
	if (lacks_memory)
		engine_dlm_lose(d, "there is no memory for our messages");
	if (wants_group && !d->is_joined && !d->is_left && !d->lost[0])
		engine_dlm_group_join(d);
	engine_dlm_group_send(d);
	if (wants_goodbye && !d->is_left && !d->lost[0]) {
		engine_dlm_group_leave(d);
		engine_dlm_unlock_all(d->locks);
	}
}

static bool has_unsent(struct engine_dlm *d)
{
	bool has;

	pthread_mutex_lock(&d->mutex);
	has = d->out.first || (d->wants_group && !d->is_joined);
	pthread_mutex_unlock(&d->mutex);
	return (has || d->owes_hello) && !d->is_left && !d->lost[0];
}

static int next_ms(struct engine_dlm *d)
{
	uint64_t now = engine_dlm_now_ms();

	if (has_unsent(d))
		return RETRY_MS;
	if (!d->is_joined || d->is_left || d->lost[0])
		return -1;
	return d->beat_due_ms > now ? (int)(d->beat_due_ms - now) : 0;
}

/* Corosync's descriptors of one that is lost, or has left, say nothing of interest, for ever. */
static void hear(struct engine_dlm *d)
{
	int cpg_fd = -1, quorum_fd = -1, cmap_fd = -1;
	bool is_deaf = d->lost[0] || d->is_left;
	struct pollfd fds[5] = { { .fd = d->wake_fd, .events = POLLIN }, { .fd = d->locks->fd, .events = POLLIN } };
	eventfd_t count;

	cpg_fd_get(d->cpg, &cpg_fd);
	quorum_fd_get(d->quorum, &quorum_fd);
	cmap_fd_get(d->cmap, &cmap_fd);
	fds[2] = (struct pollfd){ .fd = is_deaf ? -1 : cpg_fd, .events = POLLIN };
	fds[3] = (struct pollfd){ .fd = is_deaf ? -1 : quorum_fd, .events = POLLIN };
	fds[4] = (struct pollfd){ .fd = is_deaf ? -1 : cmap_fd, .events = POLLIN };
	if (d->lost[0])
		fds[1].fd = -1;
	if (poll(fds, 5, next_ms(d)) < 0)
		return;
	if (fds[0].revents)
		eventfd_read(d->wake_fd, &count);
	if (fds[2].revents || fds[3].revents || fds[4].revents)
		engine_dlm_group_hear(d, fds[2].revents, fds[3].revents, fds[4].revents);
	if (!d->lost[0])
		hear_locks(d);
}

static void *listen_to_all(void *arg)
{
	struct engine_dlm *d = arg;
	bool wants_close = false;

	while (!wants_close) {
		follow_wishes(d);
		engine_dlm_group_beat(d);
		tell_lost(d);
		hear(d);
		tell_lost(d);
		pthread_mutex_lock(&d->mutex);
		wants_close = d->wants_close;
		pthread_mutex_unlock(&d->mutex);
	}
	if (!d->is_left)
		engine_dlm_group_leave(d);
	engine_dlm_end_thread(d);
	return NULL;
}

/* ---- the door ---- */

static void dlm_group(struct engine *e)
{
	struct engine_dlm *d = dlm_of(e);

	pthread_mutex_lock(&d->mutex);
	d->wants_group = true;
	pthread_mutex_unlock(&d->mutex);
	wake(d);
}

static void dlm_lock_take(struct engine *e, struct clu_lock lock, bool may_queue)
{
	engine_dlm_lock(dlm_of(e)->locks, lock, may_queue);
}

static void dlm_cancel(struct engine *e, struct clu_lock lock)
{
	engine_dlm_cancel(dlm_of(e)->locks, lock);
}

static void dlm_unlock_it(struct engine *e, struct clu_lock lock)
{
	engine_dlm_unlock(dlm_of(e)->locks, lock);
}

static void dlm_send(struct engine *e, const uint8_t *data, uint32_t len_bytes)
{
	struct engine_dlm *d = dlm_of(e);
	uint8_t head[ENGINE_PACKET_HEAD_BYTES];

	engine_dlm_put_head(head, 'M');
	pthread_mutex_lock(&d->mutex);
	if (engine_dlm_queue(&d->out, head, sizeof head, data, len_bytes, 0) < 0)
		d->lacks_memory = true;
	pthread_mutex_unlock(&d->mutex);
	wake(d);
}

static void dlm_goodbye(struct engine *e)
{
	struct engine_dlm *d = dlm_of(e);

	pthread_mutex_lock(&d->mutex);
	d->wants_goodbye = true;
	pthread_mutex_unlock(&d->mutex);
	wake(d);
}

static bool dlm_may_write(struct engine *e)
{
	struct engine_dlm *d = dlm_of(e);

	return d->may_write && engine_dlm_now_ms() < d->lease_until_ms;
}

static const struct engine_ops dlm_ops = {
	.group = dlm_group, .lock = dlm_lock_take, .cancel = dlm_cancel, .unlock = dlm_unlock_it, .send = dlm_send,
	.goodbye = dlm_goodbye, .may_write = dlm_may_write, .close = engine_dlm_close,
};

/* ---- opening ---- */

static struct engine_dlm *new_engine(const struct engine_config *config)
{
	struct engine_dlm *d = mem_new(1, sizeof *d);
	const uint8_t *u = config->uuid;

	if (!d)
		return NULL;
	d->e = (struct engine){ .ops = &dlm_ops, .kind = "dlm" };
	d->config = *config;
	d->pid = (uint32_t)getpid();
	d->out.last = &d->out.first;
	d->early.last = &d->early.first;
	pthread_mutex_init(&d->mutex, NULL);
	engine_dlm_cond_init(&d->changed);
	d->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	snprintf(d->uuid, sizeof d->uuid, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14], u[15]);
	if (config->node_name[0])
		snprintf(d->e.node_name, sizeof d->e.node_name, "%s", config->node_name);
	else
		gethostname(d->e.node_name, sizeof d->e.node_name - 1);
	return d;
}

static int check_dlm(struct err *err)
{
	int fd = open("/dev/misc/dlm-control", O_RDWR | O_CLOEXEC), code = -errno;

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (code == -ENOENT || code == -ENODEV || code == -ENXIO)
		return err_set(err, code, "the kernel's DLM is not there (no /dev/misc/dlm-control: module dlm, "
			       "dlm_controld); nothing was written; --cluster=local, for nodes on one host, would go "
			       "on");
	return err_set(err, code, "the DLM does not let us in (/dev/misc/dlm-control: %s); nothing was written; root "
		       "(CAP_SYS_ADMIN) would go on", strerror(-code));
}

static int open_parts(struct engine_dlm *d, struct err *err)
{
	uint32_t half = 0;
	int rc = engine_dlm_settings_open(d, err);

	if (rc == 0)
		rc = check_dlm(err);
	if (rc == 0)
		rc = engine_dlm_group_open(d, err);
	if (rc == 0 && (d->wake_fd < 0 || getrandom(&half, sizeof half, 0) != sizeof half))
		rc = err_set(err, -EIO, "the dlm engine got no descriptor or no random number: %s", strerror(errno));
	if (rc == 0)
		rc = engine_dlm_locks_open(d->uuid, d->config.nodes, d->wake_fd, OPEN_LIMIT_MS, &d->locks, err);
	d->e.node_id = (uint64_t)d->node << 32 | half;
	return rc;
}

int engine_open_dlm(const struct engine_config *config, struct engine **ret_engine, struct err *err)
{
	struct engine_dlm *d = new_engine(config);
	int rc;

	if (!d)
		return err_set(err, -ENOMEM, "no memory for the dlm engine; nothing was written");
	rc = open_parts(d, err);
	if (rc == 0) {
		rc = -pthread_create(&d->thread, NULL, listen_to_all, d);
		if (rc < 0)
			err_set(err, rc, "no thread for the dlm engine: %s; nothing was written", strerror(-rc));
	}
	if (rc < 0)
		engine_dlm_free(d);
	else
		*ret_engine = &d->e;
	return rc;
}
