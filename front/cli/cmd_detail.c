/* umd detail: one running array, or all, as their servers tell it.
 *
 * --test answers with mdadm's exit status: 0 whole, 1 degraded, 2 not usable, 4 not there; of several arrays the worst.
 * Without it the status says only whether the servers answered. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "table.h"

enum { TEST_WHOLE = 0, TEST_DEGRADED = 1, TEST_NOT_USABLE = 2, TEST_NOT_THERE = 4 };

/* A broken array has a member in sync, but takes no writes. */
static int test_status(struct json_object *o)
{
	if (!cli_json_runs(o) || !cli_members_in_sync(o) || !strcmp(cli_json_raw(o, "array_state"), "broken"))
		return TEST_NOT_USABLE;
	return cli_json_u64(o, "degraded", 0) ? TEST_DEGRADED : TEST_WHOLE;
}

static void print_sync(struct json_object *o)
{
	const char *action = cli_json_shown(o, "sync_action");

	if (strcmp(action, "idle"))
		printf("  sync      %s at %s, %s left\n", action,
		       cli_bytes(cli_json_u64(o, "sync_position_bytes", 0)),
		       cli_bytes(cli_json_u64(o, "sync_bytes_left", 0)));
	if (cli_json_get(o, "last_sync"))
		printf("  last      %s\n", cli_sync_story(cli_json_get(o, "last_sync")));
}

/* The socket in the run-time directory, where the server made none elsewhere. */
static void print_clients(const char *name)
{
	struct umd_error error;
	char *path;

	if (umd_runtime_path(name, "nbd.sock", false, &path, &error))
		return;
	if (access(path, F_OK) == 0)
		printf("  clients   %s\n", cli_socket_uri(path));
	free(path);
}

static void print_members(struct json_object *members)
{
	struct cli_table *t = cli_table_new(5);

	cli_table_row(t, "slot");
	cli_table_put(t, 1, "state");
	cli_table_put(t, 2, "errors");
	cli_table_put(t, 3, "recovered");
	cli_table_put(t, 4, "member");
	for (size_t i = 0; i < cli_json_len(members); i++) {
		struct json_object *m = json_object_array_get_idx(members, i);
		uint64_t recovered = cli_json_u64(m, "recovery_offset_bytes", UINT64_MAX);

		cli_table_row(t, cli_json_get(m, "slot") ? cli_json_shown(m, "slot") : "-");
		cli_table_put(t, 1, cli_print("%s%s%s", cli_json_shown(m, "state"),
					      cli_json_bool(m, "blocked") ? ", blocked" : "",
					      cli_json_bool(m, "write_mostly") ? ", write-mostly" : ""));
		cli_table_put(t, 2, cli_json_shown(m, "errors"));
		cli_table_put(t, 3, recovered == UINT64_MAX ? "" : cli_print("%s", cli_bytes(recovered)));
		cli_table_put(t, 4, cli_json_shown(m, "path"));
	}
	cli_table_print(t, 0);
	cli_table_free(t);
}

/* "0-3, 5": of an array of numbers. */
static const char *numbers(struct json_object *list)
{
	const char *text = "";

	for (size_t i = 0; i < cli_json_len(list); i++)
		text = cli_print("%s%s%lld", text, i ? ", " : "",
				 (long long)json_object_get_int64(json_object_array_get_idx(list, i)));
	return text;
}

static void print_peer(struct json_object *p)
{
	printf("    slot %-3s %-9s", cli_json_shown(p, "slot"), cli_json_shown(p, "state"));
	if (*cli_json_shown(p, "node"))
		printf(" %s", cli_json_shown(p, "node"));
	if (cli_json_get(p, "resyncing"))
		printf(", copies %s to %s", cli_bytes(cli_json_u64(p, "resyncing.low", 0)),
		       cli_bytes(cli_json_u64(p, "resyncing.high", 0)));
	putchar('\n');
}

static void print_cluster(struct json_object *c)
{
	struct json_object *peers = cli_json_get(c, "peers"), *waits = cli_json_get(c, "waits_for");

	printf("  cluster   %s, \"%s\": node %s, ", cli_json_shown(c, "engine"), cli_json_shown(c, "cluster_name"),
	       cli_json_shown(c, "node"));
	if (cli_json_get(c, "slot"))
		printf("slot %s of %s, ", cli_json_shown(c, "slot"), cli_json_shown(c, "nodes"));
	printf("%s%s%s%s\n", cli_json_shown(c, "state"), cli_json_bool(c, "quorum") ? "" : ", no quorum",
	       cli_json_bool(c, "token") ? ", has the token" : "", cli_json_bool(c, "resync") ? ", copies" : "");
	for (size_t i = 0; i < cli_json_len(peers); i++)
		print_peer(json_object_array_get_idx(peers, i));
	if (cli_json_len(waits))
		printf("  waits     for slot %s to acknowledge %s\n", numbers(waits), cli_json_shown(c, "sending"));
	if (cli_json_u64(c, "taken.slots", 0))
		printf("  taken     %s chunks of %s dead nodes' slots\n", cli_json_shown(c, "taken.chunks"),
		       cli_json_shown(c, "taken.slots"));
	if (*cli_json_shown(c, "last_event"))
		printf("  last      %s\n", cli_json_shown(c, "last_event"));
}

static void print_head(struct json_object *o)
{
	uint64_t degraded = cli_json_u64(o, "degraded", 0);
	bool is_level_known = cli_json_get(o, "level"), runs = cli_json_runs(o);

	printf("%s (%s): %s%s", cli_json_shown(o, "name"), cli_json_shown(o, "array_uuid"),
	       is_level_known ? "RAID" : "level not set", is_level_known ? cli_json_shown(o, "level") : "");
	if (runs)
		printf(" of %s", cli_bytes(cli_json_u64(o, "size_bytes", 0)));
	printf(", %s, ", cli_json_shown(o, "array_state"));
	if (!runs)
		printf("does not run: %zu members\n", cli_json_len(cli_json_get(o, "members")));
	else if (degraded)
		printf("degraded: %llu slot%s without an in-sync member\n", (unsigned long long)degraded,
		       degraded == 1 ? "" : "s");
	else
		printf("whole: %zu members in sync\n", cli_members_in_sync(o));
}

static void print_array(struct json_object *o)
{
	print_head(o);
	print_clients(cli_json_raw(o, "name"));
	printf("  server    pid %s\n", cli_json_shown(o, "pid"));
	if (*cli_json_shown(o, "metadata"))
		printf("  metadata  %s\n", cli_json_shown(o, "metadata"));
	if (cli_json_u64(o, "bitmap.chunks", 0))
		printf("  bitmap    %s, chunks of %s: %s of %s set, %s to be copied\n",
		       cli_json_shown(o, "bitmap.kind"),
		       cli_bytes(cli_json_u64(o, "bitmap.chunk_bytes", 0)),
		       cli_json_shown(o, "bitmap.set_chunks"), cli_json_shown(o, "bitmap.chunks"),
		       cli_json_shown(o, "bitmap.needed_chunks"));
	else
		puts(cli_json_get(o, "bitmap_file_lost") ? "  bitmap    none: its file failed a write" :
						      "  bitmap    none");
	if (cli_json_u64(o, "bitmap.write_behind", 0))
		printf("  behind    %s of %s writes, %s at most\n", cli_json_shown(o, "bitmap.behind_now"),
		       cli_json_shown(o, "bitmap.write_behind"), cli_json_shown(o, "bitmap.behind_max_used"));
	print_sync(o);
	if (cli_json_get(o, "cluster"))
		print_cluster(cli_json_get(o, "cluster"));
	putchar('\n');
	print_members(cli_json_get(o, "members"));
}

static int detail_of_one(const struct cli *cli, const char *name)
{
	struct json_object *o;
	struct umd_error error;
	int rc, status;

	rc = cli_ask(name, "detail", &o, &error);
	if (rc) {
		cli_fail(&error);
		return cli_has(cli, "test") ? TEST_NOT_THERE : CLI_FAILED;
	}
	status = cli_has(cli, "test") ? test_status(o) : CLI_DONE;
	if (cli_has(cli, "json"))
		cli_json_print_object(o);
	else
		print_array(o);
	json_object_put(o);
	return status;
}

/* The worst status of all arrays. */
static int detail_of_all(const struct cli *cli)
{
	struct json_object *list;
	struct umd_error error;
	int rc, status = CLI_DONE;
	char *json;

	rc = umd_list(&json, &error);
	if (rc) {
		cli_fail(&error);
		return cli_has(cli, "test") ? TEST_NOT_THERE : CLI_FAILED;
	}
	list = cli_json_parse(json);
	if (cli_has(cli, "json"))
		puts(json);
	free(json);
	for (size_t i = 0; i < cli_json_len(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);

		status = test_status(o) > status ? test_status(o) : status;
		if (cli_has(cli, "json"))
			continue;
		if (i)
			putchar('\n');
		print_array(o);
	}
	if (!cli_json_len(list) && !cli_has(cli, "json"))
		puts("no array runs");
	json_object_put(list);
	return cli_has(cli, "test") ? status : CLI_DONE;
}

int cmd_detail(const struct cli *cli)
{
	return cli->word_count ? detail_of_one(cli, cli->words[0]) : detail_of_all(cli);
}
