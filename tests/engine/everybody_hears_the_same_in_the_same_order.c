/* Goal: what nodes say and who is a member reaches everybody in one order, the sender included, nothing twice or never.
 * Method: four processes write 1000 messages each at the same time; a count and a hash of all they heard are compared.
 *         Then some leave and come while others write.
 * Law: C3 and C6, which rest on one order for everybody.
 * Source: design section 7, the row of the local engine. */
#include "tap.h"

#include "node.h"

enum { NODES = 4, EACH = 1000 };

static char directory[] = "/tmp/umd-engine-XXXXXX";
static struct node_wish wish = { .directory = directory, .uuid_byte = 0x11 };

static void compare(struct node **nodes, int count, int messages, const char *what)
{
	const char *first = NULL;

	for (int i = 0; i < count; i++)
		node_tell(nodes[i], "until %d", messages);
	for (int i = 0; i < count; i++) {
		const char *seen = node_expect(nodes[i], "seen");

		if (i == 0)
			first = seen;
		ok(first && seen && !strcmp(first, seen), "%s: node %d %s", what, i, seen ? seen : "never had them");
	}
}

static void check_small_talk(struct node **nodes)
{
	node_tell(nodes[0], "send hello");
	for (int i = 0; i < NODES; i++)
		ok(node_expect(nodes[i], "message hello") != NULL, "node %d hears a word of node 0", i);
}

/* Members come and go in the middle: node 0 hears all of it, the youngest from its own arrival on. */
static void check_comings_and_goings(struct node **nodes)
{
	struct node *late;

	for (int i = 0; i < NODES; i++)
		node_tell(nodes[i], "flood %d", EACH);
	late = node_join(&wish);
	node_tell(nodes[3], "goodbye");
	for (int i = 0; i < NODES - 1; i++) {
		ok(node_expect(nodes[i], "config 5") != NULL, "node %d hears that a fifth came", i);
		ok(node_expect(nodes[i], "config 4") != NULL, "and that one left");
	}
	node_tell(late, "send late");
	ok(node_expect(nodes[0], "message late") != NULL, "the fifth is heard");
	ok(!node_said(nodes[3], "message late", 0), "and not by the one who left");
	compare(nodes, NODES - 1, 2 * NODES * EACH, "while members change");
	node_tell(late, "goodbye");
	node_end(late);
}

int main(void)
{
	struct node *nodes[NODES];

	node_directory(directory);
	for (int i = 0; i < NODES; i++)
		nodes[i] = node_join(&wish);
	for (int i = 0; i < NODES - 1; i++)
		ok(node_expect(nodes[i], "config 4") != NULL, "node %d hears of four", i);
	check_small_talk(nodes);
	for (int i = 0; i < NODES; i++)
		node_tell(nodes[i], "flood %d", EACH);
	compare(nodes, NODES, NODES * EACH, "all write at once");
	check_comings_and_goings(nodes);
	for (int i = 0; i < NODES; i++) {
		node_tell(nodes[i], "goodbye");
		node_end(nodes[i]);
	}
	ok(rmdir(directory) == 0, "the last one out leaves nothing behind");
	return tap_end();
}
