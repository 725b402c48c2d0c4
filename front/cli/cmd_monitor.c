/* umd monitor: attributes as they change, one line for each time that somebody who polls is woken.
 *
 *	2026-11-21 05:40:12.345  array_state  write-pending
 *
 * The server answers a watch when a file has been notified; what it says then is read and printed. Without paths all
 * files that notify are followed, and those of members that come later, with what they are when they come. A value
 * may be the one before: it was notified all the same, as md does. The array's end is the end of this. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "attr.h"

enum { PATIENCE_MS = 60000, FAILURES_MAX = 3 };

struct file {
	char *path;
	uint64_t generation;	/* 0: it is not there */
	uint64_t seen;		/* of cluster/events: the number of the last one that was printed, or there before */
};

struct monitor {
	const struct cli *cli;
	const char *name;
	uint64_t tree;
	struct file *files;
	size_t count;
};

static struct file *file_of(struct monitor *m, const char *path)
{
	for (size_t i = 0; i < m->count; i++)
		if (!strcmp(m->files[i].path, path))
			return &m->files[i];
	return NULL;
}

static struct file *add_file(struct monitor *m, const char *path)
{
	struct file *grown = realloc(m->files, (m->count + 1) * sizeof *grown);

	if (!grown)
		return NULL;
	m->files = grown;
	m->files[m->count] = (struct file){ .path = strdup(path) };
	return m->files[m->count].path ? &m->files[m->count++] : NULL;
}

/* ---- printing ---- */

static const char *time_text(char ret[64])
{
	struct timespec now;
	struct tm tm;
	size_t len = 0;

	clock_gettime(CLOCK_REALTIME, &now);
	if (localtime_r(&now.tv_sec, &tm))
		len = strftime(ret, 32, "%F %T", &tm);
	snprintf(ret + len, 8, ".%03d", (int)(now.tv_nsec / 1000000));
	return ret;
}

static void print_json(const char *path, const char *value, size_t len)
{
	struct json_object *o = json_object_new_object();
	char clock[64];

	json_object_object_add(o, "time", json_object_new_string(time_text(clock)));
	json_object_object_add(o, "path", json_object_new_string(path));
	json_object_object_add(o, "value", value ? json_object_new_string_len(value, (int)len) : NULL);
	cli_json_print_object(o);
	json_object_put(o);
}

static void print_text(const char *path, const char *value, size_t len)
{
	char clock[64], *shown_path = attr_shown(path, strlen(path)), *shown = value ? attr_shown(value, len) : NULL;

	printf("%s  %s  %s\n", time_text(clock), shown_path ?: "", value ? shown ?: "" : "(gone)");
	free(shown_path);
	free(shown);
}

/* Without @value the file is gone. */
static void print_change(struct monitor *m, const char *path, const char *value, size_t len)
{
	if (cli_has(m->cli, "json"))
		print_json(path, value, len);
	else
		print_text(path, value, len);
	fflush(stdout);
}

/* Numbered lines, of which the new ones are told, one by one: several may have come at once. */
static void print_events(struct monitor *m, struct file *f, char *lines, bool prints)
{
	char *rest, *line;

	for (line = strtok_r(lines, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *text;
		uint64_t number = strtoull(line, &text, 10);

		text += *text == ' ';
		if (number > f->seen && prints)
			print_change(m, f->path, text, strlen(text));
		f->seen = number > f->seen ? number : f->seen;
	}
}

/* ---- asking ---- */

/* The value and the generation that belongs to it. A file that is gone has generation 0, and no value. */
static int read_file(struct monitor *m, struct file *f, bool prints, struct umd_error *error)
{
	struct json_object *reply;
	char *value;
	size_t len;
	int rc = cli_send(m->name, attr_request("get", f->path), -1, &reply, error);

	if (rc && (error->errno_class == ENODEV || (rc == -ENOENT && error->errno_class == ENOENT))) {
		if (prints && f->generation)
			print_change(m, f->path, NULL, 0);
		f->generation = 0;
		return 0;
	}
	if (rc)
		return rc;
	f->generation = cli_json_u64(reply, "generation", 0);
	if (attr_value(reply, &value, &len)) {
		if (!strcmp(f->path, "cluster/events"))
			print_events(m, f, value, prints);
		else if (prints)
			print_change(m, f->path, value, len);
		free(value);
	}
	json_object_put(reply);
	return 0;
}

/* The files there are: new ones are followed from now on (@prints: and told), those that went were told as gone. */
static int list_files(struct monitor *m, bool prints, struct umd_error *error)
{
	struct json_object *reply, *list;
	int rc = cli_ask(m->name, "attrs", &reply, error);

	if (rc)
		return rc;
	m->tree = cli_json_u64(reply, "tree", 0);
	list = cli_json_get(reply, "attributes");
	for (size_t i = 0; i < cli_json_len(list) && !rc; i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		const char *path = cli_json_raw(o, "path");
		struct file *f;

		f = file_of(m, path);
		if (!cli_json_bool(o, "notifies") || (f && f->generation))
			continue;
		f = f ?: add_file(m, path);
		rc = f ? read_file(m, f, prints, error) : -ENOMEM;
	}
	json_object_put(reply);
	return rc;
}

static struct json_object *watch_request(const struct monitor *m, bool follows_tree)
{
	struct json_object *request = cli_request("watch"), *paths = json_object_new_array();

	for (size_t i = 0; i < m->count; i++) {
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "path", json_object_new_string(m->files[i].path));
		json_object_object_add(o, "generation", json_object_new_uint64(m->files[i].generation));
		json_object_array_add(paths, o);
	}
	json_object_object_add(request, "paths", paths);
	json_object_object_add(request, "timeout_ms", json_object_new_int(PATIENCE_MS));
	if (follows_tree)
		json_object_object_add(request, "tree", json_object_new_uint64(m->tree));
	return request;
}

static int take_changes(struct monitor *m, struct json_object *reply, bool follows_tree, struct umd_error *error)
{
	struct json_object *changed = cli_json_get(reply, "changed");
	int rc = 0;

	for (size_t i = 0; i < cli_json_len(changed) && !rc; i++) {
		struct file *f = file_of(m, cli_json_raw(json_object_array_get_idx(changed, i), "path"));

		if (f)
			rc = read_file(m, f, true, error);
	}
	if (!rc && follows_tree && cli_json_u64(reply, "tree", 0) != m->tree)
		rc = list_files(m, true, error);
	return rc;
}

/* ---- the command ---- */

static int begin(struct monitor *m, struct umd_error *error)
{
	int rc = 0;

	if (m->cli->word_count == 1)
		return list_files(m, false, error);
	for (size_t i = 1; i < m->cli->word_count && !rc; i++) {
		struct file *f = add_file(m, m->cli->words[i]);

		rc = f ? read_file(m, f, false, error) : -ENOMEM;
		if (!rc && !f->generation) {
			error->errno_class = ENOENT;
			snprintf(error->text, sizeof error->text, "%s has no attribute %s", cli_shown(m->name),
				 cli_shown(f->path));
			rc = -ENOENT;
		}
	}
	return rc;
}

/* A server that ends while it is asked hangs up; the next question finds nobody. */
static int follow(struct monitor *m)
{
	bool follows_tree = m->cli->word_count == 1;
	struct json_object *reply;
	struct umd_error error;

	for (unsigned failures = 0; failures < FAILURES_MAX; failures++) {
		while (!cli_send(m->name, watch_request(m, follows_tree), -1, &reply, &error)) {
			int rc = take_changes(m, reply, follows_tree, &error);

			json_object_put(reply);
			if (rc)
				break;
			failures = 0;
		}
		if (error.errno_class != ENOENT)
			continue;
		if (!cli_has(m->cli, "json"))
			printf("%s has ended\n", cli_shown(m->name));
		return CLI_DONE;
	}
	return cli_fail(&error);
}

int cmd_monitor(const struct cli *cli)
{
	struct monitor m = { .cli = cli, .name = cli->words[0] };
	struct umd_error error = { 0 };
	int status;

	status = begin(&m, &error) ? cli_fail(&error) : follow(&m);
	for (size_t i = 0; i < m.count; i++)
		free(m.files[i].path);
	free(m.files);
	return status;
}
