/* Goal:   a file of the tree is found while its path is in the list, and known as long as somebody holds it.
 * Method: lists are taken over one after the other: files in folders, links, names that can be no file name, a folder
 *         that becomes a file; nodes are looked up, opened and forgotten in every order, and counted.
 * Law:    no number is given twice; nothing is freed that the kernel remembers; nothing stays that nobody knows.
 * Source: the contract of FUSE lookups and forgets.
 */
#include <sys/stat.h>

#include "tap.h"
#include "../../../front/tree/tree.h"

static int take(struct nodes *n, struct ask_attribute *items, size_t count)
{
	return nodes_take(n, &(struct ask_list){ .items = items, .count = count });
}

static struct node *root(struct nodes *n)
{
	return nodes_find(n, FUSE_ROOT_ID);
}

static struct node *at(struct nodes *n, const char *folder, const char *name)
{
	struct node *parent = *folder ? nodes_child(n, root(n), folder) : root(n);

	return parent ? nodes_child(n, parent, name) : NULL;
}

static void lists_make_files(void)
{
	struct ask_attribute items[] = {
		{ .path = "level", .mode = 0644 },
		{ .path = "dev-a/state", .mode = 0644, .is_notifying = true },
		{ .path = "dev-a/slot", .mode = 0444 },
		{ .path = "rd0", .target = "dev-a", .is_notifying = true },
	};
	struct nodes n;
	struct node *link;

	nodes_start(&n);
	ok(take(&n, items, 4) == 0 && n.count == 6, "four paths are a root, a folder, three files and a link");
	ok(at(&n, "", "level") && at(&n, "", "level")->mode == (S_IFREG | 0644), "a file has the mode of the list");
	ok(at(&n, "", "dev-a")->mode == (S_IFDIR | 0755), "a folder comes with its first file");
	ok(!strcmp(at(&n, "dev-a", "state")->path, "dev-a/state"), "and a file in it has the server's path");
	link = at(&n, "", "rd0");
	ok(link->mode == (S_IFLNK | 0777) && !strcmp(link->target, "dev-a") && !link->is_notifying, "a link is a link");
	items[3].target = "dev-b";
	ok(take(&n, items, 4) == 0 && at(&n, "", "rd0") == link && !strcmp(link->target, "dev-b"), "and may turn");
	ok(n.count == 6 && n.last_ino == 6, "the same list makes nothing new");
	ok(!at(&n, "", "leve") && !at(&n, "", "levels") && !at(&n, "", "state"), "other names are not found");
	nodes_drop(&n);
}

static void no_file_names(void)
{
	static char longest[256], too_long[257];
	struct ask_attribute items[] = {
		{ .path = "" }, { .path = "." }, { .path = ".." }, { .path = "../a" }, { .path = "a/../b" },
		{ .path = "/a" }, { .path = "a/" }, { .path = "a//b" }, { .path = too_long }, { .path = "dev-a/.." },
		{ .path = "...", .mode = 0644 }, { .path = longest, .mode = 0644 },
	};
	struct nodes n;

	memset(longest, 'x', 255);
	memset(too_long, 'x', 256);
	nodes_start(&n);
	ok(take(&n, items, 12) == 0, "a list of names that are none is taken");
	ok(n.count == 3 && at(&n, "", "...") && at(&n, "", longest), "and makes files of the two that are");
	nodes_drop(&n);
}

static void the_dead_are_known_by_holders(void)
{
	struct ask_attribute items[] = { { .path = "dev-a/state", .mode = 0644 }, { .path = "level", .mode = 0644 } };
	struct nodes n;
	struct node *state, *folder;

	nodes_start(&n);
	take(&n, items, 2);
	folder = at(&n, "", "dev-a");
	state = at(&n, "dev-a", "state");
	state->lookups = 3;
	state->opens = 1;
	folder->lookups = 1;
	take(&n, items + 1, 1);
	ok(!at(&n, "", "dev-a") && state->is_dead && folder->is_dead, "a path that left is not found");
	ok(nodes_find(&n, state->ino) == state, "its number is, as long as somebody holds it");
	nodes_forget(&n, folder, 1);
	ok(n.count == 4, "a folder outlives its files");
	take(&n, items, 2);
	ok(at(&n, "dev-a", "state") != state && at(&n, "dev-a", "state")->ino > state->ino, "who comes back is new");
	nodes_forget(&n, state, 2);
	nodes_forget(&n, state, 1);
	ok(n.count == 6, "an open file is kept");
	state->opens = 0;
	nodes_release(&n, state);
	ok(n.count == 4, "closed and forgotten it goes, and its folder with it");
	ok(at(&n, "dev-a", "state") && at(&n, "", "level"), "the living stay");
	nodes_forget(&n, at(&n, "", "level"), 99);
	ok(at(&n, "", "level"), "too much forgetting harms nobody");
	nodes_drop(&n);
}

static void kinds_may_change(void)
{
	struct ask_attribute file = { .path = "x", .mode = 0644 }, inside = { .path = "x/y", .mode = 0644 };
	struct nodes n;
	struct node *old;

	nodes_start(&n);
	take(&n, &file, 1);
	old = at(&n, "", "x");
	old->lookups = 1;
	ok(take(&n, &inside, 1) == 0 && at(&n, "", "x") != old && old->is_dead,
	   "a file that became a folder is another");
	ok(at(&n, "x", "y"), "with its own files");
	nodes_forget(&n, old, 1);
	ok(n.count == 3, "the old one goes when it is forgotten");
	take(&n, &file, 1);
	ok(n.count == 2 && S_ISREG(at(&n, "", "x")->mode), "and back");
	nodes_drop(&n);
}

static void thousands_come_and_go(void)
{
	struct nodes n;
	uint64_t ino = FUSE_ROOT_ID;

	nodes_start(&n);
	for (int i = 0; i < 1000; i++) {
		struct ask_attribute items[] = { { .path = i % 2 ? "dev-a/state" : "dev-b/state", .mode = 0644 },
						 { .path = "level", .mode = 0644 } };

		take(&n, items, 2);
		if (at(&n, i % 2 ? "dev-a" : "dev-b", "state")->ino <= ino)
			break;
		ino = at(&n, i % 2 ? "dev-a" : "dev-b", "state")->ino;
	}
	is_u64(n.count, 4, "a thousand members that came and went leave nothing");
	ok(n.last_ino > 2000, "and each had numbers of its own");
	nodes_drop(&n);
}

int main(void)
{
	lists_make_files();
	no_file_names();
	the_dead_are_known_by_holders();
	kinds_may_change();
	thousands_come_and_go();
	return tap_end();
}
