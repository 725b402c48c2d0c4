/* The files and folders of the tree, as the kernel knows them: by a number that is never given twice.
 *
 * The server's list of paths makes the nodes; folders come with their first file and go with their last. A node whose
 * path left the list is *dead*: no lookup finds it, but a process that has it open, or stands in it, still holds its
 * number, and it is freed when the kernel forgets the last of those. The list may be long and old nodes rare, so the
 * table is a plain vector: numbers only rise, which keeps it sorted, and finding is a binary search.
 *
 * Names come from members' paths and are hostile: a path part that can be no file name ("", ".", "..", longer than
 * 255 bytes) leaves its whole path out, since nobody could open it.
 *
 * Left out: locks. Whoever calls holds the tree's. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tree.h"

enum { NAME_BYTES_MAX = 255 };

struct node *nodes_find(struct nodes *n, uint64_t ino)
{
	size_t low = 0, high = n->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (n->items[middle]->ino == ino)
			return n->items[middle];
		if (n->items[middle]->ino < ino)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static struct node *child_of(struct nodes *n, const struct node *parent, const char *name, size_t len)
{
	for (size_t i = 0; i < n->count; i++) {
		struct node *node = n->items[i];

		if (node->parent == parent && !node->is_dead && !strncmp(node->name, name, len) && !node->name[len])
			return node;
	}
	return NULL;
}

struct node *nodes_child(struct nodes *n, const struct node *parent, const char *name)
{
	return parent->is_dead ? NULL : child_of(n, parent, name, strlen(name));
}

/* ---- making and freeing ---- */

static void free_node(struct node *node)
{
	free(node->name);
	free(node->path);
	free(node->target);
	free(node);
}

static struct node *make_node(struct nodes *n, struct node *parent, const char *path, size_t path_len, size_t name_len)
{
	struct node *node = calloc(1, sizeof *node);

	if (n->count == n->room) {
		size_t room = n->room ? 2 * n->room : 64;
		struct node **grown = realloc(n->items, room * sizeof *grown);

		if (!grown) {
			free(node);
			return NULL;
		}
		n->items = grown;
		n->room = room;
	}
	if (!node)
		return NULL;
	node->parent = parent;
	node->path = strndup(path, path_len);
	node->name = strndup(path + path_len - name_len, name_len);
	if (!node->path || !node->name) {
		free_node(node);
		return NULL;
	}
	node->ino = ++n->last_ino;
	if (parent)
		parent->children++;
	n->items[n->count++] = node;
	return node;
}

/* A dead child keeps its dead parent, so that nobody's parent is gone. */
void nodes_release(struct nodes *n, struct node *node)
{
	while (node && node->is_dead && !node->lookups && !node->opens && !node->children) {
		struct node *parent = node->parent;
		size_t i = 0;

		while (n->items[i] != node)
			i++;
		memmove(&n->items[i], &n->items[i + 1], (n->count - i - 1) * sizeof *n->items);
		n->count--;
		free_node(node);
		if (parent)
			parent->children--;
		node = parent;
	}
}

void nodes_forget(struct nodes *n, struct node *node, uint64_t lookups)
{
	node->lookups -= lookups < node->lookups ? lookups : node->lookups;
	nodes_release(n, node);
}

int nodes_start(struct nodes *n)
{
	struct node *root;

	*n = (struct nodes){ .last_ino = FUSE_ROOT_ID - 1 };
	root = make_node(n, NULL, "", 0, 0);
	if (!root)
		return -ENOMEM;
	root->mode = S_IFDIR | 0755;
	return 0;
}

void nodes_drop(struct nodes *n)
{
	for (size_t i = 0; i < n->count; i++)
		free_node(n->items[i]);
	free(n->items);
	*n = (struct nodes){ 0 };
}

/* ---- taking a list over ---- */

static bool is_name(const char *name, size_t len)
{
	return len > 0 && len <= NAME_BYTES_MAX && !(len == 1 && name[0] == '.') &&
	       !(len == 2 && !memcmp(name, "..", 2));
}

static bool is_usable(const char *path)
{
	for (;;) {
		size_t len = strcspn(path, "/");

		if (!is_name(path, len))
			return false;
		if (!path[len])
			return true;
		path += len + 1;
	}
}

/* A folder that became a file, or the other way round, is another thing of the same name. */
static struct node *take_part(struct nodes *n, struct node *parent, const char *path, size_t begin, size_t len,
			      mode_t mode)
{
	struct node *node = child_of(n, parent, path + begin, len);

	if (node && (node->mode & S_IFMT) != (mode & S_IFMT)) {
		node->is_dead = true;
		node = NULL;
	}
	if (!node)
		node = make_node(n, parent, path, begin + len, len);
	if (!node)
		return NULL;
	node->mode = mode;
	node->is_seen = true;
	return node;
}

/* A link that leads elsewhere now is the same link: nobody holds one open. */
static int take_target(struct node *node, const char *target)
{
	char *copy = strdup(target);

	if (!copy)
		return -ENOMEM;
	free(node->target);
	node->target = copy;
	return 0;
}

static int take_path(struct nodes *n, const struct ask_attribute *a)
{
	struct node *node = nodes_find(n, FUSE_ROOT_ID);
	size_t begin = 0;

	while (node && strchr(a->path + begin, '/')) {
		size_t len = strcspn(a->path + begin, "/");

		node = take_part(n, node, a->path, begin, len, S_IFDIR | 0755);
		begin += len + 1;
	}
	if (node)
		node = take_part(n, node, a->path, begin, strlen(a->path + begin),
				 a->target ? S_IFLNK | 0777 : S_IFREG | a->mode);
	if (!node)
		return -ENOMEM;
	node->is_notifying = a->is_notifying && !a->target;
	return a->target ? take_target(node, a->target) : 0;
}

/* From the youngest down, so that a folder is freed behind its files. */
static void bury(struct nodes *n)
{
	for (size_t i = n->count; i-- > 1;) {
		struct node *node = i < n->count ? n->items[i] : NULL;

		if (!node || node->is_seen)
			continue;
		node->is_dead = true;
		nodes_release(n, node);
	}
}

int nodes_take(struct nodes *n, const struct ask_list *list)
{
	int rc = 0;

	for (size_t i = 1; i < n->count; i++)
		n->items[i]->is_seen = false;
	for (size_t i = 0; i < list->count && rc == 0; i++)
		if (is_usable(list->items[i].path))
			rc = take_path(n, &list->items[i]);
	if (rc == 0)
		bury(n);
	return rc;
}
