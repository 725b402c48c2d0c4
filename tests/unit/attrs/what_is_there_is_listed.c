/* Goal: what is listed can be read, what can be read is listed; modes, groups and words without engine are as the table
 * says, and tests/attr/todo names exactly what has no engine yet.
 * Method: the list of a fresh tree, of one with devices, of a running array; every entry is read and written; values
 * end in one newline and never exceed a page. The list of what is not supported is compared with the file, and each
 * line of it is tried.
 * Law: none.
 * Source: the spec of the attribute tree, "Rules for all attributes". */
#include "tree.h"

static struct {
	uint32_t count, bad, links, groups[128];
	char last[ATT_PATH_MAX];
} seen;

static bool is_well_formed(const char *path, const char *value, size_t len)
{
	bool has_lines = strstr(path, "bad_blocks") || !strcmp(path, "umd/members");

	if (len > ATT_VALUE_MAX || strlen(value) != len)
		return false;
	if (!len)
		return true;
	return value[len - 1] == '\n' && (has_lines || strchr(value, '\n') == value + len - 1);
}

static void look_at(void *opaque, const struct att_entry *e)
{
	struct text t = { 0 };
	int rc = e->link_to ? 0 : att_read(w.t, &w.view, e->path, &t);
	bool is_good;

	(void)opaque;
	seen.count++;
	seen.groups[(int)e->group]++;
	seen.links += e->link_to != NULL;
	is_good = e->sentence && *e->path;
	is_good &= e->mode == 0644 || e->mode == 0444 || e->mode == 0200 || e->link_to;
	if (e->mode == 0200)
		is_good &= rc == -EACCES;
	else if (!e->link_to)
		is_good &= rc == 0 && is_well_formed(e->path, t.data ? t.data : "", t.len_bytes);
	if (!e->link_to)
		is_good &= att_generation(w.t, &w.view, e->path) > 0;
	if (e->mode == 0444)
		is_good &= att_write(w.t, &w.view, e->path, "1", 1, &w.action, &w.err) == -EACCES;
	if (!is_good) {
		seen.bad++;
		printf("# %s %o: %d\n", e->path, e->mode, rc);
	}
	text_drop(&t);
}

static void list(const char *when, uint32_t a, uint32_t r, uint32_t b, uint32_t d, uint32_t links)
{
	memset(&seen, 0, sizeof seen);
	att_list(w.t, &w.view, look_at, NULL);
	is_u64(seen.bad, 0, "%s: every entry is as it is listed", when);
	is_u64(seen.groups['A'], a, "%s: attributes of the array", when);
	is_u64(seen.groups['R'] - seen.links, r, "%s: attributes of a running array", when);
	is_u64(seen.groups['B'], b, "%s: attributes of the bitmap", when);
	is_u64(seen.groups['D'], d, "%s: attributes of devices", when);
	is_u64(seen.links, links, "%s: links", when);
}

/* ---- what has no engine ---- */

static struct text wanted;
static uint32_t todo_count, todo_tried;

static void put_todo(void *opaque, const char *path, const char *what, const char *sentence)
{
	(void)opaque;
	(void)sentence;
	todo_count++;
	if (what)
		text_add(&wanted, "%s: %s\n", path, what);
	else
		text_add(&wanted, "%s\n", path);
}

/* A word of the list answers by name. */
static void try_todo(void *opaque, const char *path, const char *what, const char *sentence)
{
	char real[ATT_PATH_MAX];
	int rc;

	(void)opaque;
	snprintf(real, sizeof real, "%s", path);
	if (!strncmp(path, "dev-*", 5))
		snprintf(real, sizeof real, "dev-ubda%s", path + 5);
	if (what && strchr(what, ' '))
		return;				/* a case, not a word: values_are_taken_as_linux_takes_them */
	rc = att_write(w.t, &w.view, real, what ? what : "1", strlen(what ? what : "1"), &w.action, &w.err);
	if (rc == -EACCES)
		return;				/* nothing is written there */
	todo_tried++;
	if (rc != -EOPNOTSUPP || !strstr(w.err.text, sentence) || !strstr(w.err.text, "supported"))
		ok(false, "%s %s answers by name: %d %s", real, what ? what : "", rc, w.err.text);
}

static void compare_todo(const char *path)
{
	char line[256], *file = NULL;
	struct text t = { 0 };
	FILE *f = fopen(path, "r");

	ok(f, "%s is there", path);
	while (f && fgets(line, sizeof line, f))
		if (*line != '#')
			text_add(&t, "%s", line);
	if (f)
		fclose(f);
	file = text_take(&t);
	att_list_todo(put_todo, NULL);
	if (!ok(file && !strcmp(file, wanted.data), "it names what has no engine, %u lines", todo_count))
		printf("# it should be:\n%s", wanted.data);
	mem_free(file);
	text_drop(&wanted);
}

static void print_todo(void *opaque, const char *path, const char *what, const char *sentence)
{
	(void)opaque;
	(void)sentence;
	printf(what ? "%s: %s\n" : "%s\n", path, what);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "--print")) {
		att_list_todo(print_todo, NULL);
		return 0;
	}
	begin();
	list("fresh", 18, 0, 8, 0, 0);
	set_up(2);
	list("set up", 18, 0, 8, 22, 0);
	is_u64(write_to("array_state", "active"), 0, "it starts");
	list("running", 18, 14, 8, 22, 2);
	att_list_todo(try_todo, NULL);
	ok(todo_tried > 20, "%u words were tried", todo_tried);
	is_u64(write_to("dev-ubdb/state", "faulty"), 0, "a member fails");
	write_to("array_state", "active");
	write_to("dev-ubdb/state", "-blocked");
	list("degraded", 18, 14, 8, 22, 1);
	is_u64(write_to("dev-ubdb/state", "remove"), 0, "it is removed");
	list("removed", 18, 14, 8, 11, 1);
	reads("dev-ubdb/state", "!-19");
	is_u64(write_to("array_state", "clear"), 0, "the array is cleared");
	list("cleared", 18, 0, 8, 0, 0);
	reads("array_state", "clear\n");
	compare_todo(argc > 1 ? argv[1] : "tests/attr/todo");
	end();
	return tap_end();
}
