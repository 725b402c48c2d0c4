/* Goal:   a list hands out what was appended, in that order, also while elements leave it.
 * Method: append, walk, remove during a walk, remove twice.
 * Law:    none (I12 rests on queues that keep their order).
 * Source: base/list.h. */
#include "base/list.h"
#include "tap.h"

struct item {
	int number;
	struct list link;
};

static unsigned walk(struct list *head)
{
	struct item *i;
	unsigned seen = 0;

	list_for_each(i, head, link)
		seen = seen * 10 + (unsigned)i->number;
	return seen;
}

int main(void)
{
	struct item items[5], *i, *next;
	struct list head;

	list_init(&head);
	ok(list_is_empty(&head), "a new list is empty");
	is_u64(walk(&head), 0, "walking an empty list visits nothing");
	for (int n = 0; n < 5; n++) {
		items[n].number = n + 1;
		list_append(&head, &items[n].link);
	}
	ok(!list_is_empty(&head), "a list with elements is not empty");
	is_u64(walk(&head), 12345, "elements come in the order they were appended");
	list_for_each_safe(i, next, &head, link)
		if (i->number % 2 == 0)
			list_remove(&i->link);
	is_u64(walk(&head), 135, "elements may leave during a walk");
	list_remove(&items[1].link);
	is_u64(walk(&head), 135, "removing twice changes nothing");
	list_append(&head, &items[1].link);
	is_u64(walk(&head), 1352, "what left may come back, at the end");
	ok(list_entry(&items[3].link, struct item, link) == &items[3], "the element is found from its link");
	list_for_each_safe(i, next, &head, link)
		list_remove(&i->link);
	ok(list_is_empty(&head), "removing all leaves an empty list");
	return tap_end();
}
