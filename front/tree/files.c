/* The attribute tree's files: what a process does to one becomes a question to the server.
 *
 *	open	the mode is kept for everybody, root too: EACCES for what the file is not for
 *	read	at offset 0: the value now, kept for this open file; elsewhere: the rest of it
 *	write	one call is one store, wherever in the file: as in sysfs, so that > and >> and tee all work
 *	poll	readable and writable always; POLLPRI and POLLERR as well when the value was notified since this open
 *		file read it (or when it never did), and for ever when the attribute is gone
 *
 * The kernel caches nothing (direct I/O). An open file waits with one poll handle, the newest; the thread that wakes
 * holds no lock that a handler takes. A file whose node is dead answers ENODEV.
 *
 * Left out: what values mean, and what a member is (member.c opens it). */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tree.h"

static struct tree *tree_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

static struct open_file *file_of(const struct fuse_file_info *fi)
{
	return (struct open_file *)(uintptr_t)fi->fh;
}

/* ---- opening and closing ---- */

static int may_open(const struct node *node, int flags)
{
	int access = flags & O_ACCMODE;

	if (node->is_dead)
		return -ENODEV;
	if ((access != O_WRONLY && !(node->mode & 0444)) || (access != O_RDONLY && !(node->mode & 0222)))
		return -EACCES;
	return 0;
}

static int open_node(struct tree *t, uint64_t ino, int flags, struct open_file *f)
{
	struct node *node;
	int rc;

	pthread_mutex_lock(&t->lock);
	node = nodes_find(&t->nodes, ino);
	rc = node ? may_open(node, flags) : -ENOENT;
	if (rc == 0) {
		node->opens++;
		f->node = node;
		f->next = t->files;
		t->files = f;
	}
	pthread_mutex_unlock(&t->lock);
	return rc;
}

void tree_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct open_file *f = calloc(1, sizeof *f);
	int rc = f ? open_node(tree_of(req), ino, fi->flags, f) : -ENOMEM;

	if (rc < 0) {
		free(f);
		fuse_reply_err(req, -rc);
		return;
	}
	fi->fh = (uintptr_t)f;
	fi->direct_io = 1;
	fi->noflush = 1;
	fuse_reply_open(req, fi);
}

void tree_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct tree *t = tree_of(req);
	struct open_file *f = file_of(fi), **at = &t->files;

	pthread_mutex_lock(&t->lock);
	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	f->node->opens--;
	nodes_release(&t->nodes, f->node);
	pthread_mutex_unlock(&t->lock);
	if (f->poll)
		fuse_pollhandle_destroy(f->poll);
	free(f->snapshot);
	free(f);
	fuse_reply_err(req, 0);
}

/* ---- reading ---- */

/* The path of an open file, or NULL with *@ret_rc: it is dead, or there is no memory. free() it. */
static char *path_of(struct tree *t, const struct open_file *f, int *ret_rc)
{
	char *path = NULL;

	pthread_mutex_lock(&t->lock);
	*ret_rc = f->node->is_dead ? -ENODEV : -ENOMEM;
	if (!f->node->is_dead)
		path = strdup(f->node->path);
	pthread_mutex_unlock(&t->lock);
	return path;
}

/* The file was found, so "not found" is news: what it belongs to has left. */
static int left_or(int rc)
{
	return rc == -ENOENT || rc == ASK_GONE ? -ENODEV : rc;
}

static int take_snapshot(struct tree *t, struct open_file *f)
{
	struct ask_value v;
	int rc;
	char *path = path_of(t, f, &rc);

	if (!path)
		return rc;
	rc = ask_get(t->name, path, &v);
	free(path);
	if (rc < 0)
		return left_or(rc);
	pthread_mutex_lock(&t->lock);
	free(f->snapshot);
	f->snapshot = v.bytes;
	f->snapshot_bytes = v.len < TREE_FILE_BYTES ? v.len : TREE_FILE_BYTES;
	f->generation = v.generation;
	pthread_mutex_unlock(&t->lock);
	return 0;
}

void tree_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t at, struct fuse_file_info *fi)
{
	struct tree *t = tree_of(req);
	struct open_file *f = file_of(fi);
	size_t left = 0, offset = (size_t)at;
	char copy[TREE_FILE_BYTES];
	bool has_snapshot;
	int rc = 0;

	pthread_mutex_lock(&t->lock);
	has_snapshot = f->snapshot != NULL;
	pthread_mutex_unlock(&t->lock);
	if (offset == 0 || !has_snapshot)
		rc = take_snapshot(t, f);
	if (rc < 0) {
		fuse_reply_err(req, -rc);
		return;
	}
	/* Another thread of the process may read at offset 0 meanwhile. */
	pthread_mutex_lock(&t->lock);
	if (offset < f->snapshot_bytes) {
		left = f->snapshot_bytes - offset < size ? f->snapshot_bytes - offset : size;
		memcpy(copy, f->snapshot + offset, left);
	}
	pthread_mutex_unlock(&t->lock);
	fuse_reply_buf(req, copy, left);
}

/* ---- writing ---- */

static int store(struct tree *t, const struct open_file *f, const char *value, size_t len)
{
	int rc, fd = -1;
	char *path = path_of(t, f, &rc);

	if (!path)
		return rc;
	if (len > TREE_WRITE_BYTES_MAX)
		fd = -EFBIG;
	else if (!strcmp(path, "new_dev"))
		fd = member_open(value, len);
	rc = fd < -1 ? fd : ask_set(t->name, path, value, len, fd);
	if (fd >= 0)
		close(fd);
	free(path);
	return rc == ASK_GONE ? -ENODEV : rc;
}

void tree_write(fuse_req_t req, fuse_ino_t ino, const char *value, size_t len, off_t at,
		     struct fuse_file_info *fi)
{
	struct tree *t = tree_of(req);
	int rc = store(t, file_of(fi), value, len);

	/* What the store made or removed is there, or gone, when it returns. */
	if (rc == 0)
		tree_refresh(t);
	if (rc < 0)
		fuse_reply_err(req, -rc);
	else
		fuse_reply_write(req, len);
}

/* ---- waiting ---- */

static bool has_news(const struct open_file *f)
{
	return f->node->is_dead || !f->snapshot || (f->node->is_notifying && f->node->generation > f->generation);
}

void tree_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, struct fuse_pollhandle *poll)
{
	struct tree *t = tree_of(req);
	struct open_file *f = file_of(fi);
	struct fuse_pollhandle *old = NULL;
	unsigned events = POLLIN | POLLOUT;

	pthread_mutex_lock(&t->lock);
	if (poll) {
		old = f->poll;
		f->poll = poll;
	}
	if (has_news(f))
		events |= POLLPRI | POLLERR;
	pthread_mutex_unlock(&t->lock);
	if (old)
		fuse_pollhandle_destroy(old);
	fuse_reply_poll(req, events);
}

/* Takes a handle off the list; NULL: nobody waits for what is there. Whoever polls again brings a new one. */
static struct fuse_pollhandle *next_to_wake(struct tree *t)
{
	struct fuse_pollhandle *poll = NULL;

	pthread_mutex_lock(&t->lock);
	for (struct open_file *f = t->files; f && !poll; f = f->next) {
		if (!f->poll || !has_news(f))
			continue;
		poll = f->poll;
		f->poll = NULL;
	}
	pthread_mutex_unlock(&t->lock);
	return poll;
}

void tree_wake(struct tree *t)
{
	struct fuse_pollhandle *poll;

	while ((poll = next_to_wake(t))) {
		fuse_lowlevel_notify_poll(poll);
		fuse_pollhandle_destroy(poll);
	}
}
