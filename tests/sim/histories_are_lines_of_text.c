/* Goal:   a history written to a file is read back as the same history, and bad lines are refused with their number
 * Method: every kind of event with every flag it may have, through text and back; files with one fault each
 * Law:    none; replaying a failure rests on it
 * Source: tests/sim/scenario.h */
#include "scenario.h"

#include <stdlib.h>
#include <unistd.h>

#include "tap.h"

static const char *const lines[] = {
	"start a b", "start a c f run readonly", "start a b prefer=b run lot=3", "refused a b run", "write 0 8",
	"write 300 4 fua & lot=18446744073709551615", "zero 7 1 fua punch", "zero 7 1 punch &", "read 0 96 &",
	"flush", "flush & lot=9", "fail b", "remove b", "re-add b", "add c", "new c", "idle", "stop", "stop &",
	"cut", "cut keep", "cut lose", "cut lot=5", "cut a=010 b=2", "expect bits 0 3 7-9", "compare but bitmap",
	"compare", "work lot=77", "time 200", "due", "eio b 3 for-ever short", "bad b 0 8", "hang b", "answer b",
	"vanish b", "return b", "lose-flush b", "corrupt b superblock", "corrupt b bitmap lot=2", "no-memory 5",
	"queue 0", "apart b", "owner sleeps", "can-clear 0", "mode read-auto", "grow chunk 8192",
};
enum { LINES = sizeof lines / sizeof *lines };

static const char *const bad_lines[] = {
	"wirte 0 8", "write", "write 0", "write 0 0", "write 0 8 punch", "write -1 8", "write 0 8x", "start", "start g",
	"start a run b", "fail", "fail a b", "fail ab", "cut keep lose", "cut a=", "cut g=01", "corrupt a", "idle now",
	"work lot=", "work lot=x", "time", "time 1 2", "flush fua", "eio 3", "expect x lot=1 y",
	"expect 123456789 123456789 123456789 123456789 123456789 123456789 12345",
};
enum { BAD_LINES = sizeof bad_lines / sizeof *bad_lines };

static void lines_are_events(void)
{
	bool is_seen[EV_KINDS] = { false };
	uint32_t kinds = 0;

	for (int i = 0; i < LINES; i++) {
		struct sim_event e, again;
		char text[256] = "", why[200] = "";

		memset(&again, 0, sizeof again);
		if (event_parse(lines[i], &e, why, sizeof why) && e.kind < EV_KINDS) {
			is_seen[e.kind] = true;
			event_text(&e, text, sizeof text);
			event_parse(text, &again, why, sizeof why);
		}
		ok(again.kind == e.kind && again.flags == e.flags && again.member == e.member &&
			   again.members == e.members && again.first == e.first && again.count == e.count &&
			   again.lot == e.lot && !strcmp(again.words, e.words) && text[0],
		   "\"%s\" is an event, through text and back: \"%s\" %s", lines[i], text, why);
	}
	for (int kind = 0; kind < EV_KINDS; kind++)
		kinds += is_seen[kind];
	is_u64(kinds, EV_KINDS, "every kind of event was among them");
}

static void others_are_not(void)
{
	for (int i = 0; i < BAD_LINES; i++) {
		struct sim_event e;
		char why[200] = "";

		ok(!event_parse(bad_lines[i], &e, why, sizeof why) && strlen(why) > 10, "\"%s\" is no event: %s",
		   bad_lines[i], why);
	}
}

static void comments_are_nothing(void)
{
	struct sim_event e = { .kind = EV_WRITE };
	char why[200];

	ok(event_parse("  # words", &e, why, sizeof why) && e.kind == EV_KINDS, "a comment is no event, and no error");
	ok(event_parse("\t fail  b\t# because", &e, why, sizeof why) && e.kind == EV_FAIL && e.member == 1,
	   "an event may be followed by a comment");
}

/* ---- files ---- */

static const char *file_with(const char *text)
{
	static char path[] = "/tmp/umd-scenario-XXXXXX";
	static int fd = -1;
	FILE *f;

	if (fd < 0)
		fd = mkstemp(path);
	f = fopen(path, "w");
	if (f) {
		fputs(text, f);
		fclose(f);
	}
	return path;
}

static void files_are_histories(void)
{
	const char *path = file_with("# Shows that text is enough. Law: none.\n"
				     "worlds all   # or: worlds sim\n"
				     "array slots 3 metadata 1.0 chunk 64K size 4M clean sleep 1\n\n"
				     "start a b c\n"
				     "write 0 8 # here\n");
	struct scenario s, again;
	char why[400] = "";

	ok(scenario_read(path, &s, why, sizeof why), "a file is read %s", why);
	ok(s.is_for_all && s.setup.slots == 3 && s.setup.metadata_minor == 0 && s.setup.chunk_bytes == 65536 &&
		   s.setup.size_bytes == 4 << 20 && s.setup.is_assume_clean && s.setup.sleep_s == 1 &&
		   !s.setup.is_small,
	   "its array is as it says");
	ok(s.script.count == 2 && s.script.events[1].kind == EV_WRITE && s.script.events[1].line == 6,
	   "its events know their lines");
	ok(scenario_write(path, "one\ntwo", &s) && scenario_read(path, &again, why, sizeof why),
	   "what is written is read %s", why);
	ok(again.script.count == 2 && again.is_for_all && again.setup.size_bytes == s.setup.size_bytes &&
		   again.setup.chunk_bytes == s.setup.chunk_bytes && again.script.events[1].line == 6,
	   "and is the same, its head of two lines included");
	scenario_free(&s);
	scenario_free(&again);
}

static void the_same_again_is_short(void)
{
	const char *path = file_with("worlds sim\narray slots 2 size 64K\n"
				     "start a b\nwork lot=7 x3\nwork\nwork\nwrite 0 1 x2 # two\n");
	struct scenario s, again;
	char why[400] = "", text[200] = "";
	FILE *f;

	ok(scenario_read(path, &s, why, sizeof why) && s.script.count == 8, "x3 is three events %s", why);
	ok(s.script.events[3].lot == 7 && s.script.events[3].line == 4 && s.script.events[7].kind == EV_WRITE,
	   "each like the first, of the same line");
	scenario_write(path, NULL, &s);
	f = fopen(path, "r");
	ok(f && fread(text, 1, sizeof text - 1, f) && strstr(text, "start a b\nwork lot=7 x3\nwork x2\nwrite 0 1 x2\n"),
	   "and they are written so");
	if (f)
		fclose(f);
	ok(scenario_read(path, &again, why, sizeof why) && again.script.count == 8, "and read again");
	scenario_free(&s);
	scenario_free(&again);
}

static void faults_are_told_with_their_line(void)
{
	static const struct {
		const char *text, *told;
	} files[] = {
		{ "worlds all\narray slots 2 size 64K chunk 4K\nstart a b\nwirte 0 8\n", ":4: \"wirte\"" },
		{ "worlds all\nstart a b\n", ":2: an event before" },
		{ "array slots 2 size 64K chunk 4K\nstart a b\n", ":2: an event before" },
		{ "worlds some\n", ":1: \"worlds all\"" },
		{ "worlds all\nworlds all\n", ":2: \"worlds all\"" },
		{ "worlds all\narray slots 9 size 64K\n", ":2: 9 slots" },
		{ "worlds all\narray slots 2 size 1000\n", ":2: the size" },
		{ "worlds all\narray slots 2 size 64K chunk 5000\n", ":2: a chunk" },
		{ "worlds all\narray slots 2 size 4M chunk 4K\n", ":2: 1024 chunks" },
		{ "worlds all\narray slots 2 size 64K metadata 0.9\n", ":2: metadata" },
		{ "worlds all\narray slots 2 size\n", ":2: \"size\" is followed" },
		{ "worlds all\narray slots 2 size 64K colour 3\n", ":2: \"colour\"" },
		{ "worlds all\narray slots 2 size 64K sleep 0\n", ":2: the sweep" },
		{ "worlds all\narray slots 2 size 64K\narray slots 2 size 64K\n", ":3: the array" },
		{ "worlds all\narray slots 2 size 64K\nstart a b\nwork\n", ":4: this happens in the simulator" },
		{ "worlds all\narray slots 2 size 64K\nstart a b\nflush &\n", ":4: this happens in the simulator" },
		{ "worlds all\narray slots 2 size 64K\n", ":2: no event" },
		{ "worlds all\narray slots 2 size 64K\nstart a b\nflush x0\n", ":4: \"x3\" is" },
		{ "worlds all\narray slots 2 size 64K\nstart a b\nflush xy\n", ":4: \"xy\" is" },
		{ "worlds all\narray slots 2 size 64K\nstart a b\nflush x99999\n", ":4: \"x3\" is" },
	};

	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		struct scenario s;
		char why[400] = "";

		ok(!scenario_read(file_with(files[i].text), &s, why, sizeof why) && strstr(why, files[i].told),
		   "told: %s", why);
	}
	unlink(file_with(""));
}

int main(void)
{
	lines_are_events();
	others_are_not();
	comments_are_nothing();
	files_are_histories();
	the_same_again_is_short();
	faults_are_told_with_their_line();
	return tap_end();
}
