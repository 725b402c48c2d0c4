/* umd wait: follow a resync or recovery until none runs.
 *
 * The server answers one question at a time and keeps no listeners, so it is asked ten times a second. What was
 * done is the most that was ever left, less what is left now: writers may add to it. Of a cluster's array one node
 * copies, and the others show what is due: it is waited for on any of them. */
#include <string.h>
#include <time.h>

#include "json.h"
#include "progress.h"

enum { ASK_AGAIN_MS = 100 };

static bool is_idle(struct json_object *o)
{
	const char *action = cli_json_raw(o, "sync_action");

	return !*action || !strcmp(action, "idle");
}

static void show(struct cli_progress *p, struct json_object *o, uint64_t *left_most)
{
	uint64_t left = cli_json_u64(o, "sync_bytes_left", 0);

	if (left > *left_most)
		*left_most = left;
	cli_progress_show(p, *left_most - left, *left_most);
}

/* What was due is done, and this node did not do it. */
static bool others_did_it(struct json_object *o)
{
	struct json_object *members = cli_json_get(o, "members");

	for (size_t i = 0; i < cli_json_len(members); i++)
		if (!strcmp(cli_json_raw(json_object_array_get_idx(members, i), "state"), "recovering"))
			return false;
	return cli_json_get(o, "cluster") && cli_json_runs(o) &&
	       !cli_json_bool(cli_json_get(o, "last_sync"), "complete");
}

/* How the last sync ended. One that was waited for has to be complete. */
static int print_end(const struct cli *cli, struct json_object *o, bool has_waited)
{
	struct json_object *last = cli_json_get(o, "last_sync");
	bool is_others = has_waited && others_did_it(o);

	if (cli_has(cli, "json"))
		cli_json_print_object(o);
	else if (is_others)
		puts("another node of the cluster has copied what was due");
	else if (last)
		printf("%s%s\n", has_waited ? "" : "nothing runs; the last was a ", cli_sync_story(last));
	else
		puts("nothing runs");
	if (has_waited && !is_others && !cli_json_bool(last, "complete"))
		return cli_refuse("the sync of %s ended before it was complete", cli_json_shown(o, "name"));
	return CLI_DONE;
}

int cmd_wait(const struct cli *cli)
{
	struct timespec pause = { .tv_nsec = ASK_AGAIN_MS * 1000000 };
	struct cli_progress progress = cli_progress_start(cli_shown(cli->words[0]));
	uint64_t left_most = 0;
	bool has_waited = false;
	struct json_object *o;
	struct umd_error error;
	int status;

	for (;;) {
		if (cli_ask(cli->words[0], "detail", &o, &error)) {
			cli_progress_end(&progress);
			return cli_fail(&error);
		}
		if (is_idle(o))
			break;
		has_waited = true;
		show(&progress, o, &left_most);
		json_object_put(o);
		nanosleep(&pause, NULL);
	}
	cli_progress_end(&progress);
	status = print_end(cli, o, has_waited);
	json_object_put(o);
	return status;
}
