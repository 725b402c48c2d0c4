/* The attribute tree's folders: what is found in them, and what a file looks like from outside.
 *
 * Nothing is remembered by the kernel (timeouts 0). The list is asked for again when a folder is opened, when a name is
 * not found, and after each store (files.c): a process sees the folder of a member that it has just bound. Every entry
 * that is answered is counted in its node until the kernel forgets it.
 *
 * A truncation is answered with the unchanged attributes: it is what `>` does before it writes. Rights and owners
 * cannot be changed.
 *
 * Left out: following the server (watch.c) and what is in the files (files.c). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tree.h"

static struct tree *tree_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

/* ---- the tree ---- */

int tree_refresh(struct tree *t)
{
	struct ask_list list = { 0 };
	struct umd_error error;
	int rc;

	pthread_mutex_lock(&t->refreshing);
	rc = ask_list(t->name, &list, &error);
	if (rc == 0) {
		pthread_mutex_lock(&t->lock);
		rc = nodes_take(&t->nodes, &list);
		if (rc == 0)
			t->number = list.tree;
		pthread_mutex_unlock(&t->lock);
		ask_list_drop(&list);
	}
	pthread_mutex_unlock(&t->refreshing);
	if (rc == 0)
		tree_wake(t);
	return rc;
}

int tree_start(struct tree *t, const char *name, struct umd_error *error)
{
	struct ask_list list = { 0 };
	struct ask_detail detail;
	int rc;

	*t = (struct tree){ .name = name };
	pthread_mutex_init(&t->refreshing, NULL);
	pthread_mutex_init(&t->lock, NULL);
	clock_gettime(CLOCK_REALTIME, &t->began);
	rc = ask_list(name, &list, error);
	if (rc == 0)
		rc = ask_detail(name, &detail);
	if (rc == 0)
		rc = nodes_start(&t->nodes);
	if (rc == 0)
		rc = nodes_take(&t->nodes, &list);
	t->number = list.tree;
	t->server = rc == 0 ? detail.pid : 0;
	ask_list_drop(&list);
	return rc;
}

void tree_drop(struct tree *t)
{
	nodes_drop(&t->nodes);
}

/* ---- folders ---- */

static void fill_stat(const struct tree *t, const struct node *node, struct stat *ret)
{
	*ret = (struct stat){ .st_ino = node->ino, .st_mode = node->mode, .st_nlink = S_ISDIR(node->mode) ? 2 : 1,
			      .st_uid = geteuid(), .st_gid = getegid(), .st_blksize = TREE_FILE_BYTES,
			      .st_size = S_ISREG(node->mode) ? TREE_FILE_BYTES :
					 node->target ? (off_t)strlen(node->target) : 0,
			      .st_atim = t->began, .st_mtim = t->began, .st_ctim = t->began };
}

/* Counts the lookup: whoever calls answers the kernel with the entry. */
static int look_up(struct tree *t, uint64_t parent, const char *name, struct fuse_entry_param *ret)
{
	struct node *folder, *node = NULL;

	pthread_mutex_lock(&t->lock);
	folder = nodes_find(&t->nodes, parent);
	if (folder)
		node = nodes_child(&t->nodes, folder, name);
	if (node) {
		node->lookups++;
		*ret = (struct fuse_entry_param){ .ino = node->ino };
		fill_stat(t, node, &ret->attr);
	}
	pthread_mutex_unlock(&t->lock);
	return node ? 0 : -ENOENT;
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct tree *t = tree_of(req);
	struct fuse_entry_param entry;
	int rc = look_up(t, parent, name, &entry);

	/* It may have come since the last list. */
	if (rc < 0 && tree_refresh(t) == 0)
		rc = look_up(t, parent, name, &entry);
	if (rc < 0)
		fuse_reply_err(req, -rc);
	else
		fuse_reply_entry(req, &entry);
}

static void forget(struct tree *t, uint64_t ino, uint64_t lookups)
{
	struct node *node;

	pthread_mutex_lock(&t->lock);
	node = nodes_find(&t->nodes, ino);
	if (node)
		nodes_forget(&t->nodes, node, lookups);
	pthread_mutex_unlock(&t->lock);
}

static void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t lookups)
{
	forget(tree_of(req), ino, lookups);
	fuse_reply_none(req);
}

static void op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	for (size_t i = 0; i < count; i++)
		forget(tree_of(req), forgets[i].ino, forgets[i].nlookup);
	fuse_reply_none(req);
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct tree *t = tree_of(req);
	struct node *node;
	struct stat st;

	pthread_mutex_lock(&t->lock);
	node = nodes_find(&t->nodes, ino);
	if (node)
		fill_stat(t, node, &st);
	pthread_mutex_unlock(&t->lock);
	if (node)
		fuse_reply_attr(req, &st, 0);
	else
		fuse_reply_err(req, ENOENT);
}

/* Sizes and times may be set, to no effect; rights and owners may not. */
static void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int what, struct fuse_file_info *fi)
{
	if (what & (FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID))
		fuse_reply_err(req, EPERM);
	else
		op_getattr(req, ino, fi);
}

static void op_readlink(fuse_req_t req, fuse_ino_t ino)
{
	struct tree *t = tree_of(req);
	struct node *node;
	char *target = NULL;

	pthread_mutex_lock(&t->lock);
	node = nodes_find(&t->nodes, ino);
	if (node && node->target)
		target = strdup(node->target);
	pthread_mutex_unlock(&t->lock);
	if (target)
		fuse_reply_readlink(req, target);
	else
		fuse_reply_err(req, ENOENT);
	free(target);
}

/* A listing is made when the folder is opened, and read from there. */
struct listing {
	char *bytes;
	size_t len;
};

static int add_entry(fuse_req_t req, struct listing *l, const char *name, const struct node *node)
{
	struct stat st = { .st_ino = node->ino, .st_mode = node->mode };
	size_t len = fuse_add_direntry(req, NULL, 0, name, NULL, 0);
	char *grown = realloc(l->bytes, l->len + len);

	if (!grown)
		return -ENOMEM;
	l->bytes = grown;
	fuse_add_direntry(req, l->bytes + l->len, len, name, &st, (off_t)(l->len + len));
	l->len += len;
	return 0;
}

static int make_listing(fuse_req_t req, struct tree *t, uint64_t ino, struct listing *l)
{
	struct node *folder;
	int rc;

	pthread_mutex_lock(&t->lock);
	folder = nodes_find(&t->nodes, ino);
	rc = !folder || folder->is_dead ? -ENOENT : add_entry(req, l, ".", folder);
	if (rc == 0)
		rc = add_entry(req, l, "..", folder->parent ? folder->parent : folder);
	for (size_t i = 0; rc == 0 && i < t->nodes.count; i++)
		if (t->nodes.items[i]->parent == folder && !t->nodes.items[i]->is_dead)
			rc = add_entry(req, l, t->nodes.items[i]->name, t->nodes.items[i]);
	pthread_mutex_unlock(&t->lock);
	return rc;
}

static void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct listing *l = calloc(1, sizeof *l);
	int rc;

	tree_refresh(tree_of(req));
	rc = l ? make_listing(req, tree_of(req), ino, l) : -ENOMEM;
	if (rc < 0) {
		if (l)
			free(l->bytes);
		free(l);
		fuse_reply_err(req, -rc);
		return;
	}
	fi->fh = (uintptr_t)l;
	fuse_reply_open(req, fi);
}

/* The kernel ignores an entry that is cut off and asks again from there: each says where the next begins. A copy is
 * answered, since the folder may be closed, and the listing freed, before the call that answers has returned. */
static void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t at, struct fuse_file_info *fi)
{
	const struct listing *l = (const struct listing *)(uintptr_t)fi->fh;
	size_t left = (size_t)at < l->len ? l->len - (size_t)at : 0;
	char *copy;

	left = left < size ? left : size;
	copy = malloc(left + 1);
	if (!copy) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	memcpy(copy, l->bytes + (left ? at : 0), left);
	fuse_reply_buf(req, copy, left);
	free(copy);
}

static void op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct listing *l = (struct listing *)(uintptr_t)fi->fh;

	free(l->bytes);
	free(l);
	fuse_reply_err(req, 0);
}

/* ---- the table ---- */

const struct fuse_lowlevel_ops tree_ops = {
	.lookup = op_lookup,
	.forget = op_forget,
	.forget_multi = op_forget_multi,
	.getattr = op_getattr,
	.setattr = op_setattr,
	.readlink = op_readlink,
	.opendir = op_opendir,
	.readdir = op_readdir,
	.releasedir = op_releasedir,
	.open = tree_open,
	.release = tree_release,
	.read = tree_read,
	.write = tree_write,
	.poll = tree_poll,
};
