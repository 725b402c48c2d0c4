/* Goal: a write that is refused, or whose action failed, leaves every attribute as it was; nothing but text arrives.
 * Method: bad values, cut values, values of every length around a page, with NULs and control bytes, written to every
 * attribute of a fresh tree, of one that is set up and of a running array; before and after each the whole tree is
 * listed and read. Then each kind of action is decided and reported as failed.
 * Law: none.
 * Source: the spec of the attribute tree. */
#include "tree.h"

enum { PATHS = 128 };

static char paths[PATHS][ATT_PATH_MAX];
static int path_count, refusals;

static void note_path(void *opaque, const struct att_entry *e)
{
	(void)opaque;
	if (!e->link_to && path_count < PATHS)
		snprintf(paths[path_count++], sizeof *paths, "%s", e->path);
}

/* Decides only; what is taken after all is not carried out. */
static void bad(const char *path, const char *value, size_t len, const char *what)
{
	char *before = dump(), *after;
	uint64_t tree = att_tree_generation(w.t);
	int rc = att_write(w.t, &w.view, path, value, len, &w.action, &w.err);

	after = dump();
	if (rc < 0)
		refusals++;
	if (rc < 0 && strcmp(before, after))
		ok(false, "%s: %s was refused and changes nothing", path, what);
	if (rc < 0 && tree != att_tree_generation(w.t))
		ok(false, "%s: %s: no path comes or goes", path, what);
	if (rc < 0 && (w.err.code != rc || !w.err.text[0]))
		ok(false, "%s: %s: the sentence is this refusal's", path, what);
	mem_free(before);
	mem_free(after);
}

static void must_refuse(const char *path, const char *value, size_t len, const char *what)
{
	int rc = att_write(w.t, &w.view, path, value, len, &w.action, &w.err);

	bad(path, value, len, what);
	if (rc >= 0)
		ok(false, "%s refuses %s", path, what);
}

static void all_paths(void)
{
	static const char *const values[] = { "junk", "-1", "0", "1", "none", "2048", "18446744073709551615",
					      "external:x", "true", "frozen", "8 8", "+", "1.5", "remove", "active",
					      "1-", "\n" };
	static char page[ATT_VALUE_MAX + 2];
	static const char control[] = "8\001", nul[] = "8\0junk", escape[] = "8\033[2J";

	path_count = 0;
	att_list(w.t, &w.view, note_path, NULL);
	memset(page, '7', sizeof page);
	for (int i = 0; i < path_count; i++) {
		for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
			/* one that is taken stays: the next ones are refused by another state */
			bad(paths[i], values[v], strlen(values[v]), values[v]);
		}
		must_refuse(paths[i], page, ATT_VALUE_MAX + 1, "a byte more than a page");
		must_refuse(paths[i], control, sizeof control - 1, "a control byte");
		must_refuse(paths[i], nul, sizeof nul - 1, "a NUL inside");
		must_refuse(paths[i], escape, sizeof escape - 1, "an escape sequence");
		bad(paths[i], page, ATT_VALUE_MAX, "a page");
	}
}

/* Everything that the hands carry out, and that fails there. */
static void failed_actions(void)
{
	static const char *const writes[][2] = {
		{ "new_dev", "/x/ubdc" }, { "dev-ubdb/state", "remove" }, { "dev-ubdb/state", "faulty" },
		{ "dev-ubda/state", "blocked" }, { "array_state", "inactive" }, { "array_state", "clear" },
		{ "array_state", "readonly" }, { "sync_action", "frozen" }, { "sync_action", "recover" },
		{ "safe_mode_delay", "3" }, { "bitmap/time_base", "7" }, { "bitmap/can_clear", "false" },
		{ "bitmap/location", "none" }, { "bitmap_set_bits", "3" },
	};

	for (size_t i = 0; i < sizeof writes / sizeof *writes; i++) {
		char *before = dump(), *after;
		int rc = att_write(w.t, &w.view, writes[i][0], writes[i][1], strlen(writes[i][1]), &w.action, &w.err);

		if (rc == 0)
			att_done(w.t, &w.view, &w.action, -EIO);
		after = dump();
		if (w.action.kind != ATT_NOTHING || rc < 0)
			ok(!strcmp(before, after), "%s %s that failed changes nothing", writes[i][0], writes[i][1]);
		mem_free(before);
		mem_free(after);
	}
}

int main(void)
{
	begin();
	all_paths();
	ok(refusals > 100, "a fresh tree: %d refusals", refusals);
	end();

	begin();
	set_up(2);
	failed_actions();
	all_paths();
	ok(refusals > 600, "one that is set up: %d refusals", refusals);
	end();

	begin();
	set_up(2);
	is_u64(write_to("array_state", "active"), 0, "it starts");
	failed_actions();
	all_paths();
	ok(refusals > 1000, "a running array: %d refusals", refusals);
	end();
	ok(tap_failed == 0, "none of them changed anything");
	return tap_end();
}
