/* umd manage: --fail, --remove, --add, --re-add, each for the members behind it, in the order typed.
 *
 * The whole line is checked before the first request. A member that is to join is opened here, with the rights of
 * whoever types, and its descriptor handed to the server: the server's own rights are not lent out. The first refusal
 * ends the line; what was done before it has been said. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json.h"

struct step {
	const char *action, *typed, *path; /* path: absolute */
	bool write_mostly;
};

static bool is_joining(const struct step *s)
{
	return !strcmp(s->action, "add") || !strcmp(s->action, "re-add");
}

/* Words and actions to steps; the first word is the array. */
static int read_steps(const struct cli *cli, struct step *steps, size_t *ret_count)
{
	const char *action = NULL, *name = NULL;
	size_t count = 0, begun_at = 0;
	bool write_mostly = false;

	for (size_t i = 0; i < cli->item_count; i++) {
		const struct cli_item *item = &cli->items[i];

		if (item->option && item->option->type == CLI_VERB) {
			if (action && count == begun_at)
				return cli_usage("--%s needs a member", action);
			action = item->option->name;
			begun_at = count;
		} else if (item->option && !strcmp(item->option->name, "write-mostly")) {
			write_mostly = true;
		} else if (!item->option && !name) {
			name = item->value;
		} else if (!item->option && !action) {
			return cli_usage("\"%s\" stands before any of --fail, --remove, --add and --re-add",
					 cli_shown(item->value));
		} else if (!item->option) {
			steps[count++] = (struct step){ action, item->value, cli_absolute(item->value),
							write_mostly };
		}
	}
	if (!action)
		return cli_usage(
			"manage needs one of --fail, --remove, --add and --re-add, each with members");
	if (count == begun_at)
		return cli_usage("--%s needs a member", action);
	*ret_count = count;
	return CLI_DONE;
}

static struct json_object *find_member(struct json_object *detail, const char *path)
{
	struct json_object *members = cli_json_get(detail, "members");

	for (size_t i = 0; i < cli_json_len(members); i++)
		if (!strcmp(cli_json_raw(json_object_array_get_idx(members, i), "path"), path))
			return json_object_array_get_idx(members, i);
	return NULL;
}

static bool is_last_in_sync(struct json_object *detail, struct json_object *member)
{
	return cli_members_in_sync(detail) == 1 && !strcmp(cli_json_raw(member, "state"), "in_sync");
}

/* Would the member be let go of? @detail is what is known of the array, and is changed as the step would change it. */
static const char *would_leave(const struct step *s, struct json_object *detail)
{
	struct json_object *m = find_member(detail, s->path);
	bool is_fail = !strcmp(s->action, "fail");
	const char *state = m ? cli_json_shown(m, "state") : "none", *path = cli_shown(s->typed), *why = NULL;

	if (!strcmp(state, "none"))
		why = cli_print("is no member of %s", cli_json_shown(detail, "name"));
	else if (is_fail && is_last_in_sync(detail, m))
		why = "is the last member in sync: failing it would lose the data";
	else if (!is_fail && strcmp(state, "faulty") && strcmp(state, "spare"))
		why = cli_print("is %s; only a faulty member or a spare can be removed: fail it first", state);
	if (why) {
		cli_refuse("%s %s", path, why);
		return NULL;
	}
	json_object_object_add(m, "state", json_object_new_string(is_fail ? "faulty" : "none"));
	return cli_print("would %s %s, which is %s", s->action, path, state);
}

/* Only the server reads the newcomer's superblock: whether its story fits is left to the real thing. */
static const char *would_join(const struct step *s, struct json_object *detail)
{
	struct json_object *m = find_member(detail, s->path);
	int fd;

	if (m && strcmp(cli_json_raw(m, "state"), "none")) {
		cli_refuse("%s already is a member and %s", cli_shown(s->typed), cli_json_shown(m, "state"));
		return NULL;
	}
	if (cli_open_member(s->path, s->typed, &fd))
		return NULL;
	close(fd);
	return cli_print("would %s %s", s->action, cli_shown(s->typed));
}

/* What the step would do, after the steps before it; NULL: refused, and said. */
static const char *would_do(const struct step *s, struct json_object *detail)
{
	return is_joining(s) ? would_join(s, detail) : would_leave(s, detail);
}

static const char *do_step(const char *name, const struct step *s, bool force)
{
	struct json_object *reply;
	struct umd_error error;
	const char *sentence;
	int rc, fd = -1;

	if (is_joining(s) && cli_open_member(s->path, s->typed, &fd))
		return NULL;
	rc = cli_ask_member(name,
			    &(struct cli_member_request){ .command = s->action, .path = s->path, .force = force,
							  .fd = fd, .write_mostly = s->write_mostly },
			    &reply, &error);
	if (fd >= 0)
		close(fd);
	if (rc) {
		cli_fail(&error);
		return NULL;
	}
	sentence = cli_json_shown(reply, "sentence");
	json_object_put(reply);
	return sentence;
}

static void report(const struct cli *cli, struct json_object *list, const struct step *s,
		   const char *sentence)
{
	struct json_object *o;

	if (!cli_has(cli, "json")) {
		puts(sentence);
		return;
	}
	o = json_object_new_object();
	json_object_object_add(o, "action", json_object_new_string(s->action));
	json_object_object_add(o, "member", json_object_new_string(s->path));
	json_object_object_add(o, "sentence", json_object_new_string(sentence));
	json_object_array_add(list, o);
}

static int run_steps(const struct cli *cli, const struct step *steps, size_t count,
		     struct json_object *detail)
{
	struct json_object *list = json_object_new_array();
	const char *sentence = "";

	for (size_t i = 0; i < count && sentence; i++) {
		sentence = cli_has(cli, "dry-run") ?
				   would_do(&steps[i], detail) :
				   do_step(cli->words[0], &steps[i], cli_has(cli, "force"));
		if (sentence)
			report(cli, list, &steps[i], sentence);
	}
	if (cli_has(cli, "json"))
		cli_json_print_object(list);
	json_object_put(list);
	return sentence ? CLI_DONE : CLI_FAILED;
}

static int manage(const struct cli *cli, struct step *steps)
{
	struct json_object *detail;
	struct umd_error error;
	size_t count = 0;
	int status;

	status = read_steps(cli, steps, &count);
	if (status)
		return status;
	if (cli_ask(cli->words[0], "detail", &detail, &error))
		return cli_fail(&error);
	status = run_steps(cli, steps, count, detail);
	json_object_put(detail);
	return status;
}

int cmd_manage(const struct cli *cli)
{
	struct step *steps = calloc(cli->item_count, sizeof *steps);
	int status;

	if (!steps)
		return cli_refuse("there is not enough memory for %zu words", cli->item_count);
	status = manage(cli, steps);
	free(steps);
	return status;
}
