/* umd examine: what a person in trouble wants to know first - what this is, what state it is in, what the next start
 * does and why - then the members side by side, and what is odd about each.
 *
 * Set bits and what would be copied are two facts, and both are said: a clean superblock with set bits copies nothing.
 * The library's JSON is read piece by piece (json_pieces.c), so that memory does not grow with what images claim;
 * with --json it goes to stdout as it comes. A member with an error is one sentence on stderr and exit status 1, and
 * keeps no other member from being shown.
 *
 *	cmd_examine_member.c    what is kept of a member     cmd_examine_table.c    members side by side
 *	cmd_examine_rows.c      its facts, cell by cell      cmd_examine_runs.c     chunks by number */
#include "cmd_examine.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "json_pieces.h"

enum { RUNS_MAX = 10000 };

/* ---- what is known of a member ---- */

static void add_member(struct examined_all *all, struct json_object *member)
{
	struct examined *grown = realloc(all->members, (all->count + 1) * sizeof *grown);

	if (!grown) {
		cli_refuse("there is not enough memory for %zu members", all->count + 1);
		exit(CLI_FAILED);
	}
	all->members = grown;
	examine_fill(&all->members[all->count++], member);
}

/* The judgement on @e in an array's list of members. A reason that the array's own sentence has is not said twice. */
static void find_verdict(struct examined *e, struct json_object *array)
{
	struct json_object *judged = cli_json_get(array, "members");
	const char *reason = cli_json_raw(array, "next_start.reason");

	for (size_t i = 0; i < cli_json_len(judged); i++) {
		struct json_object *j = json_object_array_get_idx(judged, i);

		if (!strcmp(cli_json_raw(j, "path"), e->path_raw)) {
			e->verdict = cli_json_shown(j, "verdict");
			e->reason = strstr(reason, cli_json_raw(j, "reason")) ? "" : cli_json_shown(j, "reason");
			return;
		}
	}
}

/* ---- arrays ---- */

/* The reason for what Linux would do repeats what umd does not start; here that was just said. */
static const char *behind(const char *reason, const char *unsupported)
{
	static const char joint[] = "; a start by Linux: ";
	size_t len = strlen(unsupported);

	if (!len || strncmp(reason, unsupported, len) || strncmp(reason + len, joint, strlen(joint)))
		return reason;
	return reason + len + strlen(joint);
}

/* Where the figure is an upper bound, the reason ends with it in bytes: it belongs to the figure. A resync of nothing
 * is one whose bitmap could not be counted. */
static void print_copied(const char *who, uint64_t bytes, const char *set_chunks, const char *action,
			 const char *reason)
{
	const char *bound = cli_print("; at most %llu bytes", (unsigned long long)bytes), *at = strstr(reason, bound);

	printf("%s copies %s%s (%s): %.*s%s.\n", who, at ? "at most " : "",
	       bytes || *set_chunks ? cli_bytes(bytes) : "an unknown amount", action,
	       at ? (int)(at - reason) : (int)strlen(reason), reason, at ? at + strlen(bound) : "");
}

static void print_next_start(struct json_object *array)
{
	const char *action = cli_json_raw(array, "next_start.action"),
		   *reason = cli_json_shown(array, "next_start.reason"), *who = "It can start. The next start";
	const char *unsupported = cli_json_shown(array, "not_supported");

	if (cli_json_bool(array, "clustered"))
		who = "Nodes of a cluster can start it (serve --cluster=local or --cluster=dlm). The first of them";
	if (*unsupported) {
		printf("umd does not start it: %s.\n", unsupported);
		reason = behind(reason, unsupported);
		who = "A start by Linux";
	} else if (!cli_json_bool(array, "can_start")) {
		printf("It cannot start: %s.\n", reason);
		return;
	}
	if (!strcmp(action, "resync") || !strcmp(action, "recover"))
		print_copied(who, cli_json_u64(array, "next_start.bytes", 0),
			     cli_json_shown(array, "next_start.set_chunks"), action, reason);
	else
		printf("%s copies nothing: %s.\n", who, reason);
}

static void print_set(struct json_object *array, const struct examined *first)
{
	uint64_t chunks = cli_json_u64(array, "next_start.set_chunks", 0);

	if (!cli_json_get(array, "next_start.set_chunks"))
		return;
	if (!chunks && first->bitmap_count && !first->has_chunks)
		printf("The bitmap was never initialised: it has no chunks yet.\n");
	else if (!chunks)
		printf("In the bitmap no chunk is set.\n");
	else
		printf("In the bitmap %llu chunk%s of %s %s set.\n", (unsigned long long)chunks, chunks == 1 ? "" : "s",
		       cli_bytes(first->chunk_bytes), chunks == 1 ? "is" : "are");
}

/* Members that carry the array's uuid and are not believed: they count as not given, and that is to be said. */
static size_t count_refused(const struct examined *const *list, size_t count)
{
	size_t refused = 0;

	for (size_t i = 0; i < count; i++)
		refused += *list[i]->error && !*list[i]->verdict;
	return refused;
}

/* The member to speak of: the first that was judged, since others may lie. */
static const struct examined *spokesman(const struct examined *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!*list[i]->error)
			return list[i];
	return list[0];
}

/* A running array has no next start yet; what is told is what its members would say without their server. */
static void print_use(const struct examined *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (*list[i]->use) {
			printf("Now: %s: %s. What follows is what a start would do if that ended this moment.\n",
			       list[i]->path, list[i]->use);
			return;
		}
}

static void print_array(struct json_object *array, const struct examined *const *list, size_t count)
{
	const struct examined *first = spokesman(list, count);
	size_t refused = count_refused(list, count);
	unsigned long long present = cli_json_u64(array, "members_present", 0), devices = first->raid_devices;
	const char *state = cli_json_shown(array, "state");

	printf("Array %s%s(%s): RAID%s of %s, ", first->name, *first->name ? " " : "",
	       cli_json_shown(array, "array_uuid"), first->level, cli_bytes(first->array_bytes));
	if (present > devices)
		printf("%llu members given for %llu slots", present, devices);
	else
		printf("%llu of %llu members given", present, devices);
	if (refused)
		printf(", %zu more refused", refused);
	printf(".\n");
	print_use(list, count);
	if (*state)
		printf("State: %s.\n", state);
	print_next_start(array);
	print_set(array, first);
}

/* Members that @uuid names and nobody has shown, or all of them for NULL; their number. The list is to be freed. */
static size_t take_members(struct examined_all *all, const char *uuid, struct json_object *array,
			   const struct examined ***ret_list)
{
	size_t count = 0;

	*ret_list = calloc(all->count + 1, sizeof **ret_list);
	for (size_t i = 0; *ret_list && i < all->count; i++) {
		struct examined *e = &all->members[i];
		bool is_wanted = uuid ? !strcmp(e->uuid, uuid) : e->has_superblock || e->bitmap_count;

		if (e->is_shown || !is_wanted)
			continue;
		e->is_shown = true;
		find_verdict(e, array);
		(*ret_list)[count++] = e;
	}
	return count;
}

static void show_array(struct examined_all *all, struct json_object *array)
{
	const struct examined **list;
	size_t count;

	count = take_members(all, cli_json_raw(array, "array_uuid"), array, &list);
	if (count) {
		if (all->array_count++)
			putchar('\n');
		print_array(array, list, count);
		examine_print_members(list, count);
	}
	free(list);
}

static const char *what_others_are(const struct examined_all *all, const struct examined *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i]->kind, "external_bitmap"))
			return all->array_count ? "Members of none of these arrays:" :
						  "No array can be made of these:";
	return "Bitmaps of an array that is described elsewhere:";
}

/* Bitmap files, external bitmaps, and members whose superblock is not believed. */
static void show_others(struct examined_all *all)
{
	const struct examined **list;
	size_t count = take_members(all, NULL, NULL, &list);

	if (count) {
		printf("%s%s\n", all->array_count ? "\n" : "", what_others_are(all, list, count));
		examine_print_members(list, count);
	}
	free(list);
}

/* ---- the whole answer ---- */

/* With --json the errors alone are wanted here: what else there is goes to stdout as it is. */
static void on_element(void *opaque, const char *list, struct json_object *element)
{
	struct examined_all *all = opaque;

	if (!strcmp(list, "members"))
		add_member(all, element);
	else if (!strcmp(list, "arrays") && all->is_text)
		show_array(all, element);
}

static void say_errors(const struct examined_all *all)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct examined *e = &all->members[i];
		bool is_named = strstr(e->error, e->path);

		if (*e->error)
			cli_refuse("%s%s%s", is_named ? "" : e->path, is_named ? "" : ": ", e->error);
	}
}

static int look(const struct cli *cli, const struct umd_external_bitmap *external, struct examined_all *all)
{
	uint64_t runs_max = cli_has(cli, "all") ? UINT64_MAX : RUNS_MAX;
	struct umd_look_options options = { .runs_max = all->is_text ? 0 : runs_max, .external = external };
	struct cli_pieces p = { .on_element = on_element, .opaque = all, .copy_to = all->is_text ? NULL : stdout };
	struct umd_error error;
	size_t errors;
	int rc;

	rc = umd_examine(cli->words, cli->word_count, &options, cli_pieces_sink, &p, &errors, &error);
	cli_pieces_drop(&p);
	if (rc)
		return cli_fail(&error);
	if (all->is_text)
		show_others(all);
	else
		putchar('\n');

	options.runs_max = runs_max;
	if (all->is_text && (cli_has(cli, "runs") || cli_has(cli, "all")))
		rc = examine_print_runs(all, &options);
	say_errors(all);
	return errors ? CLI_FAILED : rc;
}

int cmd_examine(const struct cli *cli)
{
	struct examined_all all = { .is_text = !cli_has(cli, "json") };
	const struct umd_external_bitmap *external;
	struct umd_external_bitmap space;
	int rc;

	rc = cli_external(cli, &space, &external);
	if (rc)
		return rc;
	rc = look(cli, external, &all);
	for (size_t i = 0; i < all.count; i++)
		examine_drop(&all.members[i]);
	free(all.members);
	return rc;
}
