/* Goal: a lock is had by one node at a time; who queues for it gets it after its holder let go, left or died, and who
 *       does not queue is refused at once. Nodes that use different directories meet on the members all the same.
 * Method: processes ask for the same locks in every way; some are killed, some stopped by a signal.
 * Law: C1 (a slot has one owner), C4 (one node copies at a time).
 * Source: design section 7; cluster specification, section 3. */
#include "tap.h"

#include "node.h"

static char directory[] = "/tmp/umd-engine-XXXXXX", other_directory[] = "/tmp/umd-engine-XXXXXX";
static char third_directory[] = "/tmp/umd-engine-XXXXXX";
static char members_directory[] = "/var/tmp/umd-engine-XXXXXX";
static char member_a[200], member_b[200], stranger[200];
static struct node_wish wish = { .directory = directory, .uuid_byte = 0x22, .members = { member_a, member_b } };

static void check_one(struct node *a, struct node *b, const char *name)
{
	char granted[40], busy[40];

	snprintf(granted, sizeof granted, "granted %s", name);
	snprintf(busy, sizeof busy, "busy %s", name);
	node_tell(a, "lock %s now", name);
	ok(node_expect(a, granted) != NULL, "%s: the first one has it", name);
	node_tell(b, "lock %s now", name);
	ok(node_expect(b, busy) != NULL, "%s: the second one is refused", name);
	node_tell(a, "lock %s now", name);
	ok(node_expect(a, busy) != NULL, "%s: and the first one a second time", name);
	node_tell(b, "lock %s queue", name);
	node_tell(b, "send queued");
	ok(node_expect(a, "message queued") && !node_said(b, granted, 0), "%s: one who queues hears nothing yet", name);
	node_tell(a, "unlock %s", name);
	ok(node_expect(b, granted) != NULL, "%s: until it was given away", name);
	node_tell(b, "unlock %s", name);
	node_tell(a, "lock %s queue", name);
	ok(node_expect(a, granted) != NULL, "%s: it comes back", name);
	node_tell(a, "unlock %s", name);
}

static void check_cancel(struct node *a, struct node *b, struct node *c)
{
	node_tell(a, "lock token now");
	node_expect(a, "granted token");
	node_tell(b, "lock token queue");
	node_tell(b, "cancel token");
	ok(node_expect(b, "cancelled token") != NULL, "a cancel is answered: who cancelled may ask again");
	node_tell(a, "unlock token");
	node_tell(c, "lock token queue");
	ok(node_expect(c, "granted token") != NULL, "after a cancel the next one has it");
	ok(!node_said(b, "granted", 50), "and not the one who cancelled");
	node_tell(b, "lock token queue");
	node_tell(c, "unlock token");
	ok(node_expect(b, "granted token") != NULL, "who asks again has it in turn");
	node_tell(b, "cancel token");
	node_tell(b, "send late");
	node_expect(b, "message late");
	ok(!node_said(b, "cancelled", 0), "what was granted is answered already");
	node_tell(b, "unlock token");
}

/* The one who waits is stopped, so it cannot be faster: what is seen is that the greedy one lets it go first. */
static void check_nobody_starves(struct node *a, struct node *b)
{
	const char *line;

	node_tell(a, "lock token queue");
	node_expect(a, "granted token");
	node_tell(b, "lock token queue");
	node_tell(b, "send waiting");
	node_expect(a, "message waiting");
	node_stop(b);
	node_tell(a, "greedy 1");
	node_tell(a, "unlock token");
	node_tell(a, "lock token queue");
	line = node_expect(a, "");
	ok(line && !strcmp(line, "message again"), "who wants a lock again at once does not get it at once: %s", line);
	ok(node_expect(a, "granted token") != NULL, "and a little later, when the one who waits did not take it");
	kill(b->pid, SIGCONT);
	node_tell(a, "unlock token");
	ok(node_expect(b, "granted token") != NULL, "the one who waits has it");
	node_tell(b, "unlock token");
	node_tell(b, "send calm");
	node_expect(a, "message calm");
}

static void check_ends(void)
{
	struct node *a = node_join(&wish), *b = node_join(&wish), *c = node_join(&wish);

	node_expect(a, "config 3");
	node_expect(b, "config 3");
	node_tell(a, "lock bitmap0002 now");
	node_expect(a, "granted bitmap0002");
	node_tell(b, "lock bitmap0002 queue");
	node_tell(c, "lock bitmap0002 now");
	ok(node_expect(c, "busy bitmap0002") != NULL, "a slot has an owner");
	node_kill(a);
	ok(node_expect(b, "granted bitmap0002") != NULL, "the owner's death gives it to the one who queues");
	ok(node_expect(c, "config 2") != NULL, "and all hear of the death");
	node_tell(c, "lock bitmap0002 queue");
	node_tell(b, "goodbye");
	ok(node_expect(c, "granted bitmap0002") != NULL, "a goodbye gives it to the next");
	node_end(b);
	node_tell(c, "goodbye");
	node_end(c);
}

/* Nothing may happen while time passes: there is no event to wait for. */
static void check_stopped(void)
{
	struct node *a = node_join(&wish), *b = node_join(&wish);

	node_tell(a, "lock token now");
	node_expect(a, "granted token");
	node_stop(a);
	node_tell(b, "lock token queue");
	ok(!node_said(b, "granted", 700), "a node that is stopped by a signal keeps its lock");
	ok(!node_said(b, "config 1", 0), "and its membership");
	kill(a->pid, SIGCONT);
	node_tell(a, "send back");
	ok(node_expect(b, "message back") != NULL, "when it goes on it is heard");
	node_tell(a, "unlock token");
	ok(node_expect(b, "granted token") != NULL, "and can give the lock away");
	node_tell(a, "goodbye");
	node_tell(b, "goodbye");
	node_end(a);
	node_end(b);
}

static void check_other_directory(void)
{
	struct node_wish elsewhere = wish;
	struct node *a = node_join(&wish), *b;

	elsewhere.directory = other_directory;
	elsewhere.members[0] = member_b;	/* it lacks the first member */
	elsewhere.members[1] = NULL;
	b = node_join(&elsewhere);
	node_tell(a, "lock bitmap0001 now");
	node_expect(a, "granted bitmap0001");
	node_tell(b, "lock bitmap0001 now");
	ok(node_expect(b, "busy bitmap0001") != NULL, "another directory, one common member: the slot is taken");
	node_tell(b, "lock bitmap0001 queue");
	node_tell(b, "lock bitmap0000 now");
	ok(node_expect(b, "granted bitmap0000") != NULL, "another slot is not");
	node_tell(a, "lock bitmap0000 now");
	ok(node_expect(a, "busy bitmap0000") != NULL,
	   "and is then the other's, also for one who could have the first member");
	node_tell(a, "unlock bitmap0001");
	ok(node_expect(b, "granted bitmap0001") != NULL, "without anybody who wakes it, the one who queues finds out");
	node_tell(a, "goodbye");
	node_tell(b, "goodbye");
	node_end(a);
	node_end(b);
}

/* Refused at the second member, the first one is given back: somebody else may have that one alone. */
static void check_backing_out(void)
{
	struct node_wish second_alone = wish, first_alone = wish;
	struct node *both, *second, *first;

	second_alone.directory = other_directory;
	second_alone.members[0] = member_b;
	second_alone.members[1] = NULL;
	first_alone.directory = third_directory;
	first_alone.members[1] = NULL;
	both = node_join(&wish);
	second = node_join(&second_alone);
	first = node_join(&first_alone);
	node_tell(second, "lock bitmap0000 now");
	node_expect(second, "granted bitmap0000");
	node_tell(both, "lock bitmap0000 now");
	ok(node_expect(both, "busy bitmap0000") != NULL, "a slot that one of two members refuses is refused");
	node_tell(first, "lock bitmap0000 now");
	ok(node_expect(first, "granted bitmap0000") != NULL, "and the other member is free");
	node_tell(first, "goodbye");
	node_tell(second, "goodbye");
	node_tell(both, "goodbye");
	node_end(first);
	node_end(second);
	node_end(both);
}

/* Without any member in common they meet at the log. */
static void check_no_common_member(void)
{
	struct node_wish first_alone = wish, second_alone = wish;
	struct node *first, *second, *third;

	first_alone.members[1] = NULL;
	second_alone.members[0] = member_b;
	second_alone.members[1] = NULL;
	first = node_join(&first_alone);
	second = node_join(&second_alone);
	for (int i = 0; i < 3; i++) {
		static const char *const names[] = { "token", "resync", "bitmap0001" };

		node_tell(first, "lock %s now", names[i]);
		node_expect(first, "granted");
		node_tell(second, "lock %s now", names[i]);
		ok(node_expect(second, "busy") != NULL, "one directory, no common member: %s is taken", names[i]);
	}
	node_tell(second, "lock bitmap0002 now");
	node_expect(second, "granted");
	node_tell(first, "lock bitmap0002 now");
	ok(node_expect(first, "busy") != NULL, "the other way round as well");
	node_tell(second, "unlock bitmap0002");
	node_tell(second, "send given");
	node_expect(first, "message given");
	third = node_join(&wish);
	node_tell(third, "lock bitmap0002 now");
	ok(node_expect(third, "granted") != NULL, "who was refused by the log has left nothing locked");
	node_tell(third, "goodbye");
	node_end(third);
	node_tell(first, "goodbye");
	node_tell(second, "goodbye");
	node_end(first);
	node_end(second);
}

/* The number of a member's descriptor means another file: no byte of that may be locked. */
static void check_swapped_descriptor(void)
{
	struct flock any = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)MBR_CLUSTER_LOCKS_AT };
	struct node *a = node_join(&wish);
	int fd = open(stranger, O_RDWR | O_CLOEXEC);

	node_tell(a, "swap %s", stranger);
	node_expect(a, "swapped");
	node_tell(a, "lock bitmap0003 now");
	ok(node_expect(a, "granted bitmap0003") != NULL, "a lock is taken although a member was closed");
	ok(fcntl(fd, F_OFD_GETLK, &any) == 0 && any.l_type == F_UNLCK,
	   "the file that has its number now is not locked");
	close(fd);
	node_tell(a, "goodbye");
	node_end(a);
}

int main(void)
{
	static const char *const names[] = { "token", "resync", "bitmap0000", "bitmap0003" };
	struct node *nodes[3];

	node_directory(directory);
	node_directory(other_directory);
	node_directory(third_directory);
	node_directory(members_directory);
	node_file(member_a, members_directory, "a");
	node_file(member_b, members_directory, "b");
	node_file(stranger, members_directory, "stranger");

	for (int i = 0; i < 3; i++)
		nodes[i] = node_join(&wish);
	for (int i = 0; i < 4; i++)
		check_one(nodes[0], nodes[1], names[i]);
	node_tell(nodes[0], "lock bitmap0004 now");
	ok(node_expect(nodes[0], "busy bitmap0004") != NULL, "the array has four slots: a fifth is refused");
	node_tell(nodes[0], "lock token now");
	node_tell(nodes[1], "lock resync now");
	ok(node_expect(nodes[0], "granted token") && node_expect(nodes[1], "granted resync"),
	   "token and resync are two locks");
	node_tell(nodes[0], "unlock token");
	node_tell(nodes[1], "unlock resync");
	check_cancel(nodes[0], nodes[1], nodes[2]);
	check_nobody_starves(nodes[0], nodes[1]);
	for (int i = 0; i < 3; i++) {
		node_tell(nodes[i], "goodbye");
		node_end(nodes[i]);
	}

	check_ends();
	check_stopped();
	check_other_directory();
	check_backing_out();
	check_no_common_member();
	check_swapped_descriptor();
	unlink(member_a);
	unlink(member_b);
	unlink(stranger);
	ok(rmdir(members_directory) == 0 && rmdir(directory) == 0 && rmdir(other_directory) == 0 &&
	   rmdir(third_directory) == 0, "nothing is left behind");
	return tap_end();
}
