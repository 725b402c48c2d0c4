/* Goal: an array that is driven by attributes alone answers as Linux 6.1 did: the same errors, the same values, the
 * same bits on disk, the same blocks copied.
 * Method: the transcripts of tests/attr are replayed on a tree with a real array on devices in memory and a clock that
 * is told; each step's result is compared, and after it every attribute that Linux showed. What differs on purpose is
 * named below, step by step, and must differ.
 * Law: I4, I8.
 * Source: runs of Linux 6.1 (tests/attr/README.md). */
#include "tree.h"

enum { BLOCK = 4096, SHOWN = 64 };

static struct {
	char path[64], value[2048];
	bool is_known;
} shown[SHOWN];

static struct {
	char scenario[128], names[DISKS][16];
	int members;
	uint64_t chunk, bits, location, data_at;
	int number;			/* of the step */
	struct arr_req *held[REQUESTS];
	int held_count;
	char begun[128];
} f;

/* ---- what differs ---- */

static struct {
	const char *scenario;
	int first, last;		/* steps */
	const char *what, *why;
	bool was_met;
} differs[] = {
	{ "live-raid1", 138, 182, "bitmap/can_clear", "falls on a degraded write" },
	{ "live-raid1", 182, 182, "bits", "what may have been lost with a member's cache is owed to it (I11)" },
	{ "live-raid1", 160, 203, "array_state", "the owner has answered (below)" },
	{ "live-raid1", 167, 190, "dev-ubdb/recovery_start", "a failed member is current nowhere" },
	{ "start-raid1", 50, 50, "array_state", "the same" },
	{ "start-raid1", 76, 76, "array_state", "the same" },
	{ "start-raid1", 106, 107, "array_state", "the same" },
	{ "start-raid1", 137, 138, "array_state", "the same" },
	{ "start-raid1", 164, 166, "array_state", "the same" },
	{ "start-raid1", 242, 244, "array_state", "the same" },
	{ "start-raid1", 96, 104, "bits", "no bit is cleared while a slot is empty (I4)" },
	{ "start-raid1", 105, 136, "copied", "what is marked is owed to who was not there" },
	{ "start-raid1", 105, 107, "bits", "they are on the member that came back, too" },
};

/* umd asks its owner where Linux did not: what is not recorded holds bits back and lets no recovery begin. */
static const struct {
	const char *scenario;
	int step;			/* after this one */
	const char *finds, *writes;
} answers[] = {
	{ "live-raid1", 160, "write-pending\n", "active" },
	{ "live-raid1", 163, "active-idle\n", "clean" },
	{ "live-raid1", 182, "write-pending\n", "active" },
	{ "live-raid1", 188, "write-pending\n", "active" },
	{ "live-raid1", 198, "write-pending\n", "active" },
	{ "live-raid1", 203, "active-idle\n", "clean" },
	{ "start-raid1", 49, "write-pending\n", "active" },
	{ "start-raid1", 75, "write-pending\n", "active" },
	{ "start-raid1", 105, "write-pending\n", "active" },
	{ "start-raid1", 136, "write-pending\n", "active" },
	{ "start-raid1", 163, "write-pending\n", "active" },
	{ "start-raid1", 241, "write-pending\n", "active" },
	{ "start-raid1", 244, "active-idle\n", "clean" },
};

/* Linux was looked at in the middle of a resync that is over at once here. */
static const struct {
	const char *scenario;
	int step;
} moments[] = {
	{ "live-raid1", 157 }, { "live-raid1", 180 }, { "live-raid1", 197 }, { "start-raid1", 47 },
	{ "start-raid1", 73 }, { "start-raid1", 103 }, { "start-raid1", 131 }, { "start-raid1", 162 },
	{ "start-raid1", 216 }, { "start-raid1", 247 },
};

static bool is_moment(void)
{
	for (size_t i = 0; i < sizeof moments / sizeof *moments; i++)
		if (!strcmp(moments[i].scenario, f.scenario) && moments[i].step == f.number)
			return true;
	return false;
}

static bool is_known_to_differ(const char *what)
{
	for (size_t i = 0; i < sizeof differs / sizeof *differs; i++)
		if (!strcmp(differs[i].scenario, f.scenario) &&
		    !strncmp(differs[i].what, what, strlen(differs[i].what)) &&
		    f.number >= differs[i].first && f.number <= differs[i].last)
			return differs[i].was_met = true;
	return false;
}

static void compare(const char *what, const char *got, const char *wanted)
{
	if (strcmp(got, wanted) && !is_known_to_differ(what) &&
	    !ok(false, "%s %d: %s is %.*s", f.scenario, f.number, what, LINE(wanted)))
		printf("# got %.*s\n", LINE(got));
}

static void answer(void)
{
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		if (strcmp(answers[i].scenario, f.scenario) || answers[i].step != f.number)
			continue;
		reads("array_state", answers[i].finds);
		takes("array_state", answers[i].writes);
	}
}

/* ---- words of a line ---- */

/* The next word, or the next "quoted" text with \n in it; false at the end or at a remark. */
static bool word(char **at, char *ret, size_t room)
{
	char *p = *at;
	size_t n = 0;
	bool is_quoted;

	while (*p == ' ' || *p == '\t')
		p++;
	if (!*p || *p == '#' || *p == '\n')
		return false;
	is_quoted = *p == '"';
	for (p += is_quoted; *p && *p != '\n' && (is_quoted ? *p != '"' : *p != ' ' && *p != '\t'); p++) {
		if (is_quoted && *p == '\\' && p[1] == 'n') {
			ret[n++] = '\n';
			p++;
		} else {
			ret[n++] = *p;
		}
		if (n + 1 >= room)
			break;
	}
	ret[n] = 0;
	*at = p + is_quoted;
	return true;
}

/* All words to the end, with a blank between; "-" for none. */
static void rest_of(char *at, char *ret, size_t room)
{
	char one[64];
	size_t n = 0;

	snprintf(ret, room, "-");
	while (word(&at, one, sizeof one))
		n += (size_t)snprintf(ret + n, room - n, "%s%s", n ? " " : "", one);
}

static const char *errno_word(int rc)
{
	static const struct { int rc; const char *word; } words[] = {
		{ 0, "ok" }, { -EINVAL, "EINVAL" }, { -EBUSY, "EBUSY" }, { -ENOENT, "ENOENT" }, { -EEXIST, "EEXIST" },
		{ -ENOSPC, "ENOSPC" }, { -ENXIO, "ENXIO" }, { -EOVERFLOW, "EOVERFLOW" }, { -EIO, "EIO" },
		{ -ERANGE, "ERANGE" }, { -EOPNOTSUPP, "EOPNOTSUPP" },
	};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (words[i].rc == rc)
			return words[i].word;
	return "another error";
}

static struct disk *disk_of(const char *name)
{
	return disk_named(name);
}

/* ---- steps ---- */

static void each_chunk(const char *list, void (*fn)(uint64_t chunk, int seed), int seed)
{
	for (const char *p = list; *p; p += *p == ',') {
		char *next;
		uint64_t chunk = strtoull(p, &next, 10);

		if (next == p)
			return;
		fn(chunk, seed);
		p = next;
	}
}

static void submit_chunk(uint64_t chunk, int seed)
{
	f.held[f.held_count++ % REQUESTS] = submit(ARR_WRITE, chunk * f.chunk, BLOCK, seed);
}

static bool is_waiting(void)
{
	for (int i = 0; i < f.held_count; i++)
		if (!f.held[i]->is_done)
			return true;
	return false;
}

static void end_io(const char *wanted)
{
	run();
	compare("waits", is_waiting() ? "yes" : "no", "no");
	for (int i = 0; i < f.held_count; i++)
		if (f.held[i]->is_done)
			compare("write", errno_word(f.held[i]->rc), wanted);
	f.held_count = 0;
}

static void put_bits(const char *member, const char *list)
{
	for (int i = 0; i < f.members; i++) {
		uint8_t *at = w.disks[i].media + f.location;

		if (*member != '*' && strcmp(member, f.names[i]))
			continue;
		memset(at, 0, div_up(f.bits, 8));
		for (const char *p = list; *p >= '0' && *p <= '9'; p += *p == ' ' || *p == ',') {
			char *next;
			uint64_t chunk = strtoull(p, &next, 10), last = chunk;

			if (*next == '-')
				last = strtoull(next + 1, &next, 10);
			for (; chunk <= last; chunk++)
				at[chunk / 8] |= (uint8_t)(1 << chunk % 8);
			p = next;
		}
	}
}

/* "3 5-7", or "-" */
static void runs_text(bool (*is_in)(const struct disk *, uint64_t), const struct disk *d, uint64_t count,
		      bool has_pairs, char *ret, size_t room)
{
	uint64_t first = OFF_NONE;
	size_t n = 0;

	snprintf(ret, room, "-");
	for (uint64_t i = 0; i <= count; i++) {
		bool is = i < count && is_in(d, i);

		if (is && first == OFF_NONE)
			first = i;
		if (is || first == OFF_NONE)
			continue;
		n += (size_t)snprintf(ret + n, room - n, "%s%llu", n ? " " : "", (unsigned long long)first);
		if (i - 1 != first || has_pairs)
			n += (size_t)snprintf(ret + n, room - n, "-%llu", (unsigned long long)i - 1);
		first = OFF_NONE;
	}
}

static bool has_bit(const struct disk *d, uint64_t chunk)
{
	return d->media[f.location + chunk / 8] >> chunk % 8 & 1;
}

static bool is_copied(const struct disk *d, uint64_t block)
{
	return d->media[f.data_at + block * BLOCK] != 0xa5;
}

static void new_array(void)
{
	if (w.a) {
		do_stop();
		w.a = arr_free(w.a);
	}
	w.t = att_free(w.t);
	w.t = att_new();
	look();
	memset(shown, 0, sizeof shown);
}

static void do_write(char *at)
{
	static const char *const numbers[] = { "98:0", "98:16", "98:32", "98:48" };
	char path[64], value[128], wanted[32], by_path[40];

	word(&at, path, sizeof path);
	word(&at, value, sizeof value);
	word(&at, wanted, sizeof wanted);
	for (int i = 0; i < DISKS && !strcmp(path, "new_dev"); i++)
		if (!strcmp(value, numbers[i])) {
			snprintf(by_path, sizeof by_path, "/dev/%s", w.disks[i].name);
			snprintf(value, sizeof value, "%s", by_path);
		}
	compare(path, errno_word(write_to(path, value)), wanted);
}

static void do_read(char *at)
{
	char path[64], value[128];

	word(&at, path, sizeof path);
	word(&at, value, sizeof value);
	compare(path, read_of(path), value);
}

static void do_begin(char *at, bool is_held)
{
	char chunks[256], seed[16], state[32], blocked[64], got[64] = "-";

	word(&at, chunks, sizeof chunks);
	word(&at, seed, sizeof seed);
	word(&at, state, sizeof state);
	word(&at, blocked, sizeof blocked);
	f.held_count = 0;
	each_chunk(chunks, submit_chunk, atoi(seed));
	if (!is_held) {
		end_io(state);
		return;
	}
	compare("waits", is_waiting() ? "yes" : "no", "yes");
	for (int i = 0; i < f.members; i++) {
		char path[64];

		snprintf(path, sizeof path, "dev-%s/state", f.names[i]);
		if (strstr(read_of(path), "blocked"))
			snprintf(got, sizeof got, "%s", f.names[i]);
	}
	compare("blocked", got, blocked);
}

static void do_copied(char *at)
{
	char member[16], wanted[4096], got[4096];

	word(&at, member, sizeof member);
	rest_of(at, wanted, sizeof wanted);
	runs_text(is_copied, disk_of(member), (DISK_BYTES - f.data_at) / BLOCK, true, got, sizeof got);
	compare("copied", got, wanted);
}

static void do_step(const char *verb, char *at)
{
	char member[32], list[512] = "";

	if (!strcmp(verb, "new")) {
		new_array();
	} else if (!strcmp(verb, "write")) {
		do_write(at);
	} else if (!strcmp(verb, "read")) {
		do_read(at);
	} else if (!strcmp(verb, "io") || !strcmp(verb, "begin")) {
		do_begin(at, *verb == 'b');
	} else if (!strcmp(verb, "end")) {
		word(&at, member, sizeof member);
		end_io(member);
	} else if (!strcmp(verb, "idle")) {
		run();
		compare("sync_action", w.a ? read_of("sync_action") : "idle\n", "idle\n");
	} else if (!strcmp(verb, "pause")) {
		word(&at, member, sizeof member);
		pass((uint64_t)(strtod(member, NULL) * 1000));
	} else if (!strcmp(verb, "put")) {
		word(&at, member, sizeof member);
		rest_of(at, list, sizeof list);
		put_bits(member, list);
	} else if (!strcmp(verb, "spoil")) {
		word(&at, member, sizeof member);
		memset(disk_of(member)->media + f.data_at, 0xa5, DISK_BYTES - f.data_at);
	} else if (!strcmp(verb, "copied")) {
		do_copied(at);
	} else {
		ok(!strcmp(verb, "note"), "step %d: the word '%s' is known", f.number, verb);
	}
}

/* ---- what Linux showed after a step ---- */

static void know(const char *path, const char *value)
{
	int i;

	for (i = 0; i < SHOWN && shown[i].path[0] && strcmp(shown[i].path, path); i++)
		;
	ok(i < SHOWN, "there is room for %s", path);
	snprintf(shown[i].path, sizeof shown[i].path, "%s", path);
	snprintf(shown[i].value, sizeof shown[i].value, "%s", value);
	shown[i].is_known = strcmp(value, "gone") != 0;
}

static void expect(char *line)
{
	char path[64], value[2048];

	if (!word(&line, path, sizeof path))
		return;
	if (!strcmp(path, "gone")) {
		memset(shown, 0, sizeof shown);
		return;
	}
	if (!strcmp(path, "bits")) {
		char got[2048], what[80];

		word(&line, path, sizeof path);
		rest_of(line, value, sizeof value);
		runs_text(has_bit, disk_of(path), f.bits, false, got, sizeof got);
		snprintf(what, sizeof what, "bits %s", path);
		compare(what, got, value);
		return;
	}
	word(&line, value, sizeof value);
	know(path, value);
}

/* What moves while a resync runs. */
static bool is_moving(const char *path)
{
	return !strcmp(path, "sync_completed") || !strcmp(path, "sync_action") || !strcmp(path, "array_state") ||
	       !strcmp(path, "last_sync_action") || !strcmp(path, "degraded") || strstr(path, "/recovery_start") ||
	       strstr(path, "/state");
}

static void compare_all(void)
{
	for (int i = 0; i < SHOWN && shown[i].path[0]; i++) {
		char got[256];
		size_t n;

		if (!shown[i].is_known) {
			if (att_generation(w.t, &w.view, shown[i].path))
				compare(shown[i].path, "there", "gone");
			continue;
		}
		snprintf(got, sizeof got, "%s", read_of(shown[i].path));
		n = strlen(got);
		if (n && got[n - 1] == '\n')
			got[n - 1] = 0;
		if (!is_moment() || !is_moving(shown[i].path))
			compare(shown[i].path, got, shown[i].value);
	}
}

/* ---- the file ---- */

static void fact(const char *key, char *at)
{
	char value[128];

	if (!word(&at, value, sizeof value))
		return;
	if (!strcmp(key, "scenario"))
		snprintf(f.scenario, sizeof f.scenario, "%s", value);
	else if (!strcmp(key, "chunk_bytes"))
		f.chunk = strtoull(value, NULL, 10);
	else if (!strcmp(key, "bits"))
		f.bits = strtoull(value, NULL, 10);
	else if (!strcmp(key, "bitmap_location_sectors"))
		f.location = strtoull(value, NULL, 10) * SECTOR_BYTES;
	else if (!strcmp(key, "data_offset_sectors"))
		f.data_at = strtoull(value, NULL, 10) * SECTOR_BYTES;
	else if (!strcmp(key, "members"))
		for (char *name = strtok(value, ","); name && f.members < DISKS; name = strtok(NULL, ","))
			snprintf(f.names[f.members++], sizeof *f.names, "%.15s", name);
}

/* Up to step @last. */
static void replay(const char *folder, const char *name, int last)
{
	char path[512], line[8192], first[64];
	int before = tap_failed;
	bool has_begun = false;
	FILE *file;
	char *at;

	snprintf(path, sizeof path, "%s/%s.steps", folder, name);
	file = fopen(path, "r");
	if (!ok(file, "%s is there", name))
		return;
	begin();
	memset(&f, 0, sizeof f);
	memset(shown, 0, sizeof shown);
	while (fgets(line, sizeof line, file)) {
		at = line;
		if (*line == '\t') {
			expect(at);
			continue;
		}
		if (has_begun) {
			compare_all();
			answer();
		}
		word(&at, first, sizeof first);
		if (*first < '0' || *first > '9') {
			fact(first, at);
			continue;
		}
		if (atoi(first) > last)
			break;
		has_begun = true;
		f.number = atoi(first);
		word(&at, first, sizeof first);
		do_step(first, at);
	}
	compare_all();
	fclose(file);
	end();
	ok(tap_failed == before, "%s goes as it did under Linux, %d steps", name, f.number);
}

int main(int argc, char **argv)
{
	const char *folder = argc > 1 ? argv[1] : "tests/attr";

	replay(folder, "ext-raid1-64k-live", 217);
	replay(folder, "ext-raid1-64k-start", 247);
	replay(folder, "ext-raid10-64k-live", 103);	/* a RAID10 is not started yet */
	for (size_t i = 0; i < sizeof differs / sizeof *differs; i++)
		ok(differs[i].was_met, "%s %d to %d: %s still differs: %s", differs[i].scenario, differs[i].first,
		   differs[i].last, differs[i].what, differs[i].why);
	return tap_end();
}
