/* Goal: a device that comes back is brought up by the bitmap exactly when what it missed is marked; a stopped array
 * starts again as what it was.
 * Method: devices that leave a running array and return by insync, by a slot alone, by re-add, after another stood in
 * their slot, and after the array was stopped; what is handed to the array is looked at, and bytes on the devices.
 * Law: I4, I5.
 * Source: the spec of the array 10.2; src/attrs/set_dev.c. */
#include "tree.h"

enum { CHUNK = 65536, DATA_AT = 2048 * 512 };

static void start(void)
{
	begin();
	set_up(2);
	write_to("array_state", "active");
}

static void write_at(uint64_t chunk, int fill)
{
	struct arr_req *r = submit(ARR_WRITE, chunk * CHUNK, 4096, fill);

	if (!r->is_done)
		write_to("array_state", "active");
	ok(r->is_done && !r->rc, "chunk %llu is written", (unsigned long long)chunk);
}

static int byte_of(int disk, uint64_t chunk)
{
	return w.disks[disk].media[DATA_AT + chunk * CHUNK];
}

static void fail_and_record(const char *name)
{
	char path[32];

	snprintf(path, sizeof path, "dev-%s/state", name);
	takes(path, "faulty");
	takes("array_state", "active");
	takes(path, "-blocked");
}

static void bind(const char *name)
{
	char path[32];

	snprintf(path, sizeof path, "/x/%s", name);
	takes("new_dev", path);
	snprintf(path, sizeof path, "dev-%s/offset", name);
	takes(path, "2048");
	snprintf(path, sizeof path, "dev-%s/size", name);
	takes(path, "15360");
}

static void decide(const char *path, const char *value)
{
	int rc = att_write(w.t, &w.view, path, value, strlen(value), &w.action, &w.err);

	is_u64(rc, 0, "%s %s is decided", path, value);
}

static void by_insync_or_in_full(void)
{
	start();
	fail_and_record("ubdb");
	write_at(3, 'x');
	takes("dev-ubdb/state", "remove");
	bind("ubdb");
	takes("dev-ubdb/state", "insync");
	reads("dev-ubdb/recovery_start", "none\n");
	takes("dev-ubdb/slot", "1");
	reads("dev-ubdb/state", "spare\n");
	reads("dev-ubdb/recovery_start", "0\n");
	reads("degraded", "1\n");
	decide("sync_action", "recover");
	is_u64(w.action.kind, ATT_JOIN, "it joins");
	ok(w.action.join_count == 1 && !w.action.joins[0].member.wants_full, "by the bitmap");
	takes("sync_action", "recover");
	takes("array_state", "active");
	reads("dev-ubdb/state", "in_sync\n");
	is_u64(byte_of(1, 3), 'x', "it has what it missed");

	fail_and_record("ubdb");
	takes("dev-ubdb/state", "remove");
	bind("ubdb");
	takes("dev-ubdb/slot", "1");
	decide("sync_action", "recover");
	ok(w.action.joins[0].member.wants_full, "without insync in full");
	takes("dev-ubdb/slot", "none");
	decide("sync_action", "recover");
	is_u64(w.action.kind, ATT_EVENT, "without a slot nobody joins");
	end();
}

static void by_re_add(void)
{
	start();
	write_at(1, 'a');
	refuses("dev-ubdb/state", "re-add", -EBUSY);
	takes("dev-ubdb/state", "faulty");
	refuses("dev-ubdb/state", "re-add", -EBUSY);
	takes("array_state", "active");
	takes("dev-ubdb/state", "-blocked");
	write_at(5, 'b');
	is_u64(byte_of(1, 5), 0, "the failed member lacks it");
	takes("dev-ubdb/state", "re-add");
	takes("array_state", "active");
	reads("dev-ubdb/state", "in_sync\n");
	reads("degraded", "0\n");
	is_u64(byte_of(1, 5), 'b', "it got it by the bitmap");
	end();
}

/* b fails; c takes its slot, becomes whole, bits are cleared; c fails; b may not come back by the bitmap. */
static void not_after_another_in_its_slot(void)
{
	start();
	write_at(1, 'a');
	fail_and_record("ubdb");
	bind("ubdc");
	takes("dev-ubdc/slot", "1");
	takes("sync_action", "recover");
	takes("array_state", "active");
	reads("dev-ubdc/state", "in_sync\n");
	write_at(9, 'c');
	takes("bitmap/can_clear", "true");
	pass(10000);
	reads("umd/dirty_chunks", "\n");
	fail_and_record("ubdc");
	refuses("dev-ubdb/state", "re-add", -EBUSY);
	takes("dev-ubdc/state", "re-add");
	takes("array_state", "active");
	reads("degraded", "0\n");
	is_u64(byte_of(1, 9), 0, "b would have lacked what nobody remembers");
	is_u64(byte_of(2, 9), 'c', "c has it");
	end();
}

static void a_stopped_array_starts_as_it_was(void)
{
	start();
	write_at(2, 'p');
	takes("array_state", "inactive");
	reads("array_state", "inactive\n");
	reads("resync_start", "none\n");
	reads("dev-ubda/state", "in_sync\n");
	reads("sync_action", "!-2");
	takes("array_state", "active");
	fail_and_record("ubdb");
	write_at(7, 'q');
	takes("array_state", "inactive");
	reads("dev-ubdb/state", "faulty\n");
	reads("dev-ubdb/slot", "none\n");
	refuses("dev-ubdb/state", "insync", -EINVAL);
	takes("array_state", "active");
	reads("degraded", "1\n");
	reads("umd/members", "0 dev-ubda in_sync\n- dev-ubdb faulty\n");
	reads("umd/dirty_chunks", "7\n");
	takes("dev-ubdb/state", "re-add");
	takes("array_state", "active");
	reads("umd/members", "0 dev-ubda in_sync\n1 dev-ubdb in_sync\n");
	is_u64(byte_of(1, 7), 'q', "by the bitmap");
	end();
}

/* Marks that are not there any more bring nobody back. */
static void not_after_another_bitmap(void)
{
	start();
	fail_and_record("ubdb");
	write_at(7, 'q');
	takes("bitmap/location", "none");
	write_at(8, 'r');
	takes("bitmap/location", "+8");
	refuses("dev-ubdb/state", "re-add", -EBUSY);
	takes("dev-ubdb/state", "remove");
	bind("ubdb");
	takes("dev-ubdb/state", "insync");
	takes("dev-ubdb/slot", "1");
	takes("sync_action", "recover");
	takes("array_state", "active");
	is_u64(byte_of(1, 7), 'q', "insync, too: a bitmap that comes while somebody is away owes all of it");
	is_u64(byte_of(1, 8), 'r', "also what was written without one");
	end();

	start();
	fail_and_record("ubdb");
	takes("array_state", "inactive");
	takes("bitmap/location", "none");
	takes("bitmap/location", "+8");
	takes("array_state", "active");
	refuses("dev-ubdb/state", "re-add", -EBUSY);
	end();

	start();
	fail_and_record("ubdb");
	takes("bitmap/location", "none");
	takes("array_state", "inactive");
	takes("array_state", "active");
	takes("array_state", "inactive");
	takes("bitmap/location", "+8");
	takes("array_state", "active");
	refuses("dev-ubdb/state", "re-add", -EBUSY);
	end();
}

/* Without a bitmap nothing is marked, whatever the owner says. */
static void in_full_without_a_bitmap(void)
{
	begin();
	set_up(2);
	takes("bitmap/location", "none");
	takes("array_state", "active");
	write_at(4, 'a');
	fail_and_record("ubdb");
	takes("dev-ubdb/state", "remove");
	write_at(6, 'b');
	bind("ubdb");
	takes("dev-ubdb/state", "insync");
	takes("dev-ubdb/slot", "1");
	decide("sync_action", "recover");
	ok(w.action.join_count == 1 && w.action.joins[0].member.wants_full, "in full");
	takes("sync_action", "recover");
	takes("array_state", "active");
	is_u64(byte_of(1, 6), 'b', "it has what it missed");
	end();
}

/* Who removes a failed member has heard of it: as in md, that acknowledges the failure. */
static void removing_lets_writes_go_on(void)
{
	struct arr_req *r;

	start();
	write_at(1, 'a');
	takes("dev-ubdb/state", "faulty");
	r = submit(ARR_WRITE, 0, 4096, 'b');
	takes("array_state", "active");
	ok(!r->is_done, "a write waits for the failure to be recorded");
	takes("dev-ubdb/state", "remove");
	ok(r->is_done && !r->rc, "it goes on");
	reads("dev-ubdb/state", "!-19");
	end();
}

/* A resync that was interrupted by a stop is due again. */
static void a_resync_goes_on(void)
{
	begin();
	set_up(2);
	takes("resync_start", "0");
	w.disks[1].media[4096] = 0x08;		/* chunk 3, on the device that is bound last */
	w.disks[0].media[DATA_AT + 3 * CHUNK] = 'z';
	takes("array_state", "readonly");
	reads("resync_start", "0\n");
	takes("array_state", "inactive");
	reads("resync_start", "0\n");
	takes("array_state", "active");
	reads("resync_start", "none\n");
	takes("array_state", "active");
	is_u64(byte_of(1, 3), 'z', "it was copied");
	reads("last_sync_action", "resync\n");
	end();
}

static void names_are_harmless(void)
{
	static const struct { const char *name, *wanted; } names[] = {
		{ "sda", "sda" }, { "sda", "sda.2" }, { "sda", "sda.3" }, { "a b\033[2J/../x", "a!b![2J!..!x" },
		{ "", "!" }, { "\xc3\xa4", "!!" },
	};

	begin();
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		uint32_t dev = att_bind(w.t, names[i].name, 512, NULL);

		ok(!strcmp(att_dev(w.t, dev)->name, names[i].wanted), "'%s'", names[i].wanted);
	}
	for (int i = 0; i < ATT_DEVS_MAX - 6; i++)
		att_bind(w.t, "a name that is much too long for a folder, a name that is much too long for a folder, a "
			 "name that is much too long for a folder", 512, NULL);
	is_u64(att_bind(w.t, "one more", 512, NULL), ATT_NO_DEV, "64 devices, and no more");
	refuses("new_dev", "/x/ubda", -ENOSPC);
	end();
}

int main(void)
{
	by_insync_or_in_full();
	by_re_add();
	not_after_another_in_its_slot();
	a_stopped_array_starts_as_it_was();
	not_after_another_bitmap();
	in_full_without_a_bitmap();
	removing_lets_writes_go_on();
	a_resync_goes_on();
	names_are_harmless();
	return tap_end();
}
