/* Goal: each thing that happens wakes the pollers of the files that Linux notifies, and of no other.
 * Method: the generations of all files before and after a step; those that moved are compared with a list. The array is
 * a real one; states that last for a moment are made by a status that is set by hand.
 * Law: none.
 * Source: the spec of the attribute tree, "Notifications observed". */
#include "tree.h"

enum { FILES = 128 };

static struct {
	char path[ATT_PATH_MAX];
	uint64_t generation;
} files[FILES];
static int file_count;

static void note_file(void *opaque, const struct att_entry *e)
{
	(void)opaque;
	if (e->link_to || file_count == FILES)
		return;
	snprintf(files[file_count].path, sizeof files[file_count].path, "%s", e->path);
	files[file_count++].generation = att_generation(w.t, &w.view, e->path);
}

static void poll_all(void)
{
	file_count = 0;
	att_list(w.t, &w.view, note_file, NULL);
}

/* The files that moved since the last look, in the order of the list. */
static const char *moved(void)
{
	static char room[2048];
	size_t n = 0;

	room[0] = 0;
	for (int i = 0; i < file_count; i++)
		if (att_generation(w.t, &w.view, files[i].path) != files[i].generation)
			n += (size_t)snprintf(room + n, sizeof room - n, "%s%s", n ? " " : "", files[i].path);
	poll_all();
	return room;
}

#define wakes(wanted, ...)                                                                          \
	do {                                                                                        \
		const char *got_ = moved();                                                         \
		if (!ok(!strcmp(got_, wanted), __VA_ARGS__))                                        \
			printf("# %s:%d: got    %s\n# wanted %s\n", __FILE__, __LINE__, got_, wanted); \
	} while (0)

static void an_external_array_lives(void)
{
	struct arr_req *r;

	begin();
	poll_all();
	write_to("level", "raid1");
	write_to("metadata_version", "external:x");
	write_to("bitmap/metadata", "external");
	wakes("", "configuring wakes nobody");
	set_up(2);
	poll_all();
	write_to("array_state", "active");
	wakes("array_state", "a start: of the files that were there");
	pass(1000);
	wakes("", "nothing happens");
	r = submit(ARR_WRITE, 0, 4096, 1);
	ok(!r->is_done, "a write waits for the owner");
	wakes("array_state", "the owner is asked");
	write_to("array_state", "active");
	wakes("array_state", "it answers");
	pass(400);
	wakes("array_state", "active-idle");
	write_to("array_state", "clean");
	wakes("array_state", "clean");
	write_to("bitmap/can_clear", "false");
	write_to("bitmap/can_clear", "true");
	write_to("bitmap/time_base", "2");
	write_to("safe_mode_delay", "0.4");
	write_to("dev-ubda/bad_blocks", "8 8");
	write_to("dev-ubda/errors", "8");
	write_to("resync_start", "8");
	write_to("array_state", "junk");
	wakes("", "what is no event wakes nobody, neither does what is refused");
	write_to("sync_action", "frozen");
	wakes("sync_action", "frozen");
	write_to("sync_action", "idle");
	wakes("sync_action", "idle");
	write_to("sync_action", "idle");
	wakes("sync_action", "idle again");
	write_to("array_state", "readonly");
	wakes("array_state sync_action sync_completed", "readonly");
	write_to("array_state", "active");
	wakes("array_state", "writable");
	end();
}

static void a_member_fails_and_returns(void)
{
	begin();
	set_up(2);
	write_to("array_state", "active");
	submit(ARR_WRITE, 0, 4096, 1);
	write_to("array_state", "active");
	poll_all();
	write_to("dev-ubdb/state", "faulty");
	wakes("array_state sync_action dev-ubdb/state", "a member fails: degraded is told when that is recorded");
	write_to("array_state", "active");
	wakes("array_state", "the owner answers");
	write_to("dev-ubdb/state", "-blocked");
	wakes("degraded dev-ubdb/state", "the owner has recorded it");
	submit(ARR_WRITE, 8 << 20, 4096, 1);
	wakes("bitmap/can_clear", "a degraded write: can_clear falls");
	submit(ARR_WRITE, 8 << 20, 4096, 1);
	wakes("", "it falls once");
	write_to("dev-ubdb/state", "remove");
	wakes("dev-ubdb/state dev-ubdb/errors dev-ubdb/slot dev-ubdb/offset dev-ubdb/new_offset dev-ubdb/size "
	      "dev-ubdb/recovery_start dev-ubdb/bad_blocks dev-ubdb/unacknowledged_bad_blocks dev-ubdb/ppl_sector "
	      "dev-ubdb/ppl_size", "removed: every file of that folder");
	write_to("new_dev", "/x/ubdb");
	wakes("", "new_dev wakes nobody");
	write_to("dev-ubdb/offset", "2048");
	write_to("dev-ubdb/state", "insync");
	wakes("dev-ubdb/state", "a word of state");
	write_to("dev-ubdb/slot", "1");
	wakes("", "a slot");
	write_to("sync_action", "recover");
	wakes("array_state sync_action sync_completed degraded dev-ubdb/state", "recovered");
	end();
}

static struct arr_status by_hand(void)
{
	struct arr_status s = { .size_bytes = 16 << 20, .raid_devices = 2, .state = ARR_STATE_CLEAN, .can_clear = true,
				.resync_offset = OFF_NONE, .member_count = 2 };

	s.members[0] = (struct arr_member){ .state = ARR_M_IN_SYNC };
	s.members[1] = (struct arr_member){ .state = ARR_M_IN_SYNC, .slot = 1 };
	return s;
}

static void told(struct arr_status *s)
{
	w.view.status = s;
	att_notice(w.t, &w.view);
}

static void a_resync_runs(void)
{
	struct arr_status s = by_hand();

	begin();
	att_dev(w.t, att_bind(w.t, "a", DISK_BYTES, NULL))->entry = 0;
	att_dev(w.t, att_bind(w.t, "b", DISK_BYTES, NULL))->entry = 1;
	told(&s);
	poll_all();
	s.members[1].state = ARR_M_RECOVERING;
	s.degraded = 1;
	s.action = ARR_SYNC_RECOVER;
	told(&s);
	wakes("sync_action sync_completed degraded dev-b/state", "a recovery begins");
	s.sync_position = (1 << 20) - 512;
	told(&s);
	wakes("", "less than a sixteenth");
	s.sync_position = 1 << 20;
	told(&s);
	wakes("sync_completed", "a sixteenth");
	s.sync_position = (1 << 20) + 512;
	told(&s);
	wakes("", "a bit more");
	s.sync_position = 16 << 20;
	told(&s);
	wakes("sync_completed", "all of it");
	s.action = ARR_SYNC_IDLE;
	s.members[1].state = ARR_M_IN_SYNC;
	s.degraded = 0;
	told(&s);
	wakes("sync_action sync_completed degraded dev-b/state", "it ends");
	s.members[0].is_write_mostly = true;
	told(&s);
	wakes("dev-a/state", "writemostly");
	s.members[0].is_blocked = true;
	told(&s);
	wakes("dev-a/state", "blocked");
	s.members[0].is_blocked = false;
	told(&s);
	wakes("", "let go: nobody is told");
	s.can_clear = false;
	told(&s);
	wakes("", "can_clear by hand");
	s.can_clear_falls++;
	told(&s);
	wakes("bitmap/can_clear", "can_clear by itself");
	s.can_clear = true;
	told(&s);
	wakes("", "its way back");
	end();
}

/* The array has a new member before the tree knows whose it is. */
static void who_joins_is_told(void)
{
	struct arr_status s = by_hand();
	uint32_t dev;

	begin();
	set_up(1);
	w.view.status = &s;
	s.member_count = 1;
	s.is_external = true;
	att_dev(w.t, 0)->entry = 0;
	att_notice(w.t, &w.view);
	dev = att_bind(w.t, "b", DISK_BYTES, NULL);
	att_dev(w.t, dev)->offset_sectors = 2048;
	is_u64(att_write(w.t, &w.view, "dev-b/slot", "1", 1, &w.action, &w.err), 0, "it gets a slot");
	is_u64(att_write(w.t, &w.view, "sync_action", "recover", 7, &w.action, &w.err), 0, "it joins");
	is_u64(w.action.join_count, 1, "alone");
	poll_all();
	s.member_count = 2;
	s.members[1].state = ARR_M_RECOVERING;
	w.action.joins[0].entry = 1;
	att_notice(w.t, &w.view);
	att_done(w.t, &w.view, &w.action, 0);
	att_notice(w.t, &w.view);
	wakes("sync_action dev-b/state", "the pollers of its state are told");
	end();
}

static void generations_are_never_given_twice(void)
{
	uint64_t first, again, tree;

	begin();
	write_to("new_dev", "/x/ubda");
	first = att_generation(w.t, &w.view, "dev-ubda/state");
	tree = att_tree_generation(w.t);
	write_to("dev-ubda/state", "remove");
	is_u64(att_generation(w.t, &w.view, "dev-ubda/state"), 0, "a file that is gone has none");
	ok(att_tree_generation(w.t) > tree, "the tree has changed");
	write_to("new_dev", "/x/ubda");
	again = att_generation(w.t, &w.view, "dev-ubda/state");
	ok(again > first, "a device of the same name is another one");
	tree = att_tree_generation(w.t);
	write_to("level", "raid1");
	is_u64(att_tree_generation(w.t), tree, "a value changes no path");
	first = att_generation(w.t, &w.view, "array_state");
	write_to("array_state", "clear");
	ok(att_generation(w.t, &w.view, "array_state") > first, "a cleared array tells pollers");
	end();
}

int main(void)
{
	an_external_array_lives();
	a_member_fails_and_returns();
	a_resync_runs();
	who_joins_is_told();
	generations_are_never_given_twice();
	return tap_end();
}
