/* What the files of umd-tree share.
 *
 * Functions return 0 or a negative errno; FUSE is answered with the positive one. */
#ifndef FRONT_TREE_TREE_H
#define FRONT_TREE_TREE_H

#define FUSE_USE_VERSION 314
#include <errno.h>
#include <fuse_lowlevel.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "umd/umd.h"

enum {
	TREE_FILE_BYTES = 4096,		/* the size every file shows, and the most that a read gives */
	TREE_WRITE_BYTES_MAX = 16384,	/* of one store; the server takes less, and says so */
	TREE_THREADS_MAX = 8,		/* requests at a time, on each of the two mounts */
	TREE_TEXT_BYTES = 800,
};

/* ---- asking the server (ask.c) ---- */

enum { ASK_GONE = -ESHUTDOWN };		/* nobody answers under that name any more */

struct ask_attribute {
	const char *path, *target;	/* target: it is a link to there; else NULL */
	mode_t mode;			/* 0644, 0444, 0200 */
	bool is_notifying;
};

struct ask_list {
	struct ask_attribute *items;
	size_t count;
	uint64_t tree;			/* moves when paths come or go */
};

int ask_list(const char *name, struct ask_list *ret_list, struct umd_error *error);
void ask_list_drop(struct ask_list *list);

struct ask_value {
	char *bytes;			/* free() it */
	size_t len;
	uint64_t generation;
};

int ask_get(const char *name, const char *path, struct ask_value *ret_value);
/* @fd: a descriptor that goes along, or -1. */
int ask_set(const char *name, const char *path, const char *value, size_t len, int fd);

struct ask_watch {			/* one file that is watched */
	const char *path;
	uint64_t generation;		/* known; as it is now after the answer */
	bool is_changed;
};

/* Waits until something differs from what is known, or for half a minute. *@tree: known, then as it is now. */
int ask_watch(const char *name, uint64_t *tree, struct ask_watch *items, size_t count);

struct ask_detail {
	uint64_t size_bytes;		/* 0 while the array does not run */
	bool is_readonly;
	uint64_t pid;			/* of the server: another one is another array of the same name */
};

int ask_detail(const char *name, struct ask_detail *ret_detail);

/* ---- the files there are (nodes.c) ---- */

struct node {
	uint64_t ino;
	struct node *parent;		/* NULL: the root */
	char *name, *path;		/* path: as the server calls it; "" the root's */
	char *target;			/* of a link, else NULL */
	mode_t mode;			/* with S_IFDIR, S_IFREG or S_IFLNK */
	bool is_notifying;
	bool is_dead;			/* its array or member left: only who has it open still knows it */
	bool is_seen;			/* while a new list is taken over */
	uint64_t generation;		/* the newest that is known */
	uint64_t lookups;		/* what the kernel remembers */
	uint32_t opens, children;
};

struct nodes {
	struct node **items;		/* by rising ino */
	size_t count, room;
	uint64_t last_ino;
};

int nodes_start(struct nodes *n);	/* the root alone, which is ino FUSE_ROOT_ID */
void nodes_drop(struct nodes *n);
struct node *nodes_find(struct nodes *n, uint64_t ino);
struct node *nodes_child(struct nodes *n, const struct node *parent, const char *name);	/* NULL: none that lives */
/* Make what is new, mark dead what is not in the list. Names that can be no file name are left out. */
int nodes_take(struct nodes *n, const struct ask_list *list);
void nodes_forget(struct nodes *n, struct node *node, uint64_t lookups);
/* Frees what is dead and in nobody's memory. */
void nodes_release(struct nodes *n, struct node *node);

/* ---- one tree (folders.c, files.c, watch.c) ---- */

struct open_file {
	struct open_file *next;
	struct node *node;
	struct fuse_pollhandle *poll;	/* the newest, or NULL */
	char *snapshot;			/* of the last read at offset 0, or NULL */
	size_t snapshot_bytes;
	uint64_t generation;		/* that the snapshot shows */
};

struct tree {
	const char *name;		/* of the array */
	pthread_mutex_t refreshing;	/* held across a question to the server; handlers that only read go on */
	pthread_mutex_t lock;		/* nodes, files and number; never held across a question or a notice */
	struct nodes nodes;
	struct open_file *files;
	uint64_t number;		/* of the list that nodes shows */
	uint64_t server;		/* its process */
	struct timespec began;
};

extern const struct fuse_lowlevel_ops tree_ops;		/* userdata: struct tree */

/* Its entries that are not in folders.c. */
void tree_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void tree_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void tree_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t at, struct fuse_file_info *fi);
void tree_write(fuse_req_t req, fuse_ino_t ino, const char *value, size_t len, off_t at, struct fuse_file_info *fi);
void tree_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, struct fuse_pollhandle *poll);

int tree_start(struct tree *t, const char *name, struct umd_error *error);
void tree_drop(struct tree *t);
int tree_refresh(struct tree *t);			/* 0, or why the server did not tell */
/* Wake every poller for which there is something new. */
void tree_wake(struct tree *t);

/* A descriptor of what was written to new_dev, or a negative errno (member.c). */
int member_open(const char *value, size_t len);

/* Follow the server until it is gone; then one byte goes to @gone_fd. A thread's function, for struct watch. */
struct watch {
	struct tree *tree;
	int gone_fd;			/* an eventfd */
};
void *watch_run(void *watch);

/* ---- the array as a file (disk.c, pool.c) ---- */

struct pool;				/* connections to the NBD server, made when they are needed */

struct pool *pool_new(const char *uri);
void pool_free(struct pool *p);
/* While nobody has the file open there is no connection: one would keep the array from stopping. */
void pool_open(struct pool *p);
void pool_close(struct pool *p);

struct nbd_handle;
enum pool_action { POOL_READ, POOL_WRITE, POOL_ZERO, POOL_PUNCH, POOL_FLUSH };
struct pool_request {
	enum pool_action action;
	void *data;
	size_t len;
	uint64_t at;
	bool is_durable;		/* on disk before the answer */
};
int pool_run(struct pool *p, const struct pool_request *r);
/* Of the array, as a connection of this pool knows it; 0: it does not run. */
uint64_t pool_size(struct pool *p);

struct disk {
	const char *name;
	struct pool *pool;
	struct timespec began;
};

extern const struct fuse_lowlevel_ops disk_ops;		/* userdata: struct disk */

/* ---- mounts (mount.c) ---- */

struct mount {
	const struct fuse_lowlevel_ops *ops;
	void *userdata;
	const char *place;
	bool is_file;			/* mounted on a file, which becomes the array */
	bool is_made;			/* we made the place and remove it */
	bool is_running;
	int ended_fd;			/* an eventfd: somebody unmounted it */
	struct fuse_session *session;
	pthread_t thread;
};

/* Can this process use FUSE at all? A sentence otherwise. */
int mount_is_possible(char ret_sentence[TREE_TEXT_BYTES]);
/* Make the place where @is_made, clear a dead mount away, mount, serve. */
int mount_start(struct mount *m, char ret_sentence[TREE_TEXT_BYTES]);
/* Take away what a killed process left at the place; whatever lives there stays. */
int mount_clean(const struct mount *m, char ret_sentence[TREE_TEXT_BYTES]);
/* All of them together, within a moment, whatever still is under way. */
void mounts_end(struct mount *mounts, size_t count);

#endif
