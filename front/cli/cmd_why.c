/* umd why: one chunk of a bitmap, explained; of a running array by its server, of images from their own bytes.
 *
 * The answer first. Of a running array: who set the bit, and everything that keeps it set now. Of images: where the
 * chunk's bit lies on every member and what it says, then what the next start does. The chunk is a number behind the
 * name or the members, or --at=OFFSET, a byte of the array. One word that is no path is asked for among the running
 * arrays; what no server answers for is an image. Nothing is written, no lock is taken. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "table.h"

struct question {
	const char *const *members;
	size_t member_count;
	uint64_t chunk;
	const char *at;				/* --at as typed; NULL: the chunk was given */
	const struct umd_external_bitmap *external;
};

/* ---- what is asked ---- */

/* The words are members, and unless --at is given a chunk number at the end. */
static int read_words(const struct cli *cli, struct question *q)
{
	const char *last = cli->words[cli->word_count - 1], *rest;

	q->at = cli_text(cli, "at");
	q->members = cli->words;
	q->member_count = cli->word_count - !q->at;
	if (q->at)
		return CLI_DONE;
	if (!cli_read_number(last, &q->chunk, &rest) || *rest)
		return cli_usage("why takes the number of a chunk behind the members, and the last word is \"%s\"; "
				 "--at=OFFSET names a byte of the array instead", cli_shown(last));
	if (!q->member_count)
		return cli_usage("why was given the chunk %s and no member; the form is: umd why %s", cli_shown(last),
				 cli->command->syntax);
	return CLI_DONE;
}

static int ask(const struct question *q, uint64_t chunk, struct json_object **ret_answer, size_t *ret_errors)
{
	struct umd_error error;
	char *json;

	if (umd_why(q->members, q->member_count, chunk, q->external, &json, ret_errors, &error))
		return cli_fail(&error);
	*ret_answer = cli_json_parse(json);
	free(json);
	return *ret_answer ? CLI_DONE : CLI_FAILED;
}

/* The chunk that covers byte --at of the array. */
static int find_chunk(struct question *q)
{
	struct json_object *first;
	uint64_t at, length;
	size_t errors;
	bool is_of_array;
	int rc;

	if (!cli_read_size(q->at, &at))
		return cli_usage("--at takes a byte of the array such as 4096, 64K or 1G, not \"%s\"",
				 cli_shown(q->at));
	rc = ask(q, 0, &first, &errors);
	if (rc)
		return rc;
	length = cli_json_u64(first, "covers.length_bytes", 0);
	is_of_array = !strcmp(cli_json_raw(first, "covers.of"), "array");
	json_object_put(first);
	if (!is_of_array || !length)
		return cli_refuse("--at=%s is a byte of the array, and the chunks of this bitmap cover bytes of its "
				  "members; a chunk number behind the members works", cli_shown(q->at));
	q->chunk = at / length;
	return CLI_DONE;
}

/* ---- what is answered ---- */

static const char *number_or_dash(struct json_object *o, const char *key)
{
	return cli_json_get(o, key) ? cli_json_shown(o, key) : "-";
}

static const char *what_it_says(struct json_object *m)
{
	return cli_json_get(m, "state")	 ? cli_json_shown(m, "state") :
	       !cli_json_get(m, "set")	 ? "-" :
	       cli_json_bool(m, "set")	 ? "set" :
					   "clear";
}

static void print_members(struct json_object *members)
{
	static const char *const heads[] = { "member", "slot", "byte", "bit", "value", "says", "data" };
	struct cli_table *t = cli_table_new(sizeof heads / sizeof *heads);

	cli_table_row(t, heads[0]);
	for (size_t i = 1; i < sizeof heads / sizeof *heads; i++)
		cli_table_put(t, i, heads[i]);
	for (size_t i = 0; i < cli_json_len(members); i++) {
		struct json_object *m = json_object_array_get_idx(members, i);

		cli_table_row(t, cli_json_shown(m, "path"));
		cli_table_put(t, 1, number_or_dash(m, "slot"));
		cli_table_put(t, 2, number_or_dash(m, "byte_offset"));
		cli_table_put(t, 3, number_or_dash(m, "bit"));
		cli_table_put(t, 4, !cli_json_get(m, "byte") ? "-" :
				    cli_print("0x%02x", (unsigned)cli_json_u64(m, "byte", 0)));
		cli_table_put(t, 5, what_it_says(m));
		cli_table_put(t, 6, !cli_json_get(m, "data") ? "-" :
				    cli_print("%s bytes at %s", cli_json_shown(m, "data.length_bytes"),
					      cli_json_shown(m, "data.offset_bytes")));
	}
	cli_table_print(t, cli_columns());
	cli_table_free(t);
}

/* That a plain bit is set or clear stands in the table, and errors go to stderr. */
static bool says_more(struct json_object *m)
{
	const char *sentence = cli_json_raw(m, "sentence");
	bool is_plain = cli_json_get(m, "byte_offset") && !cli_json_get(m, "state") && !strncmp(sentence, "bit ", 4);

	return *sentence && !cli_json_get(m, "error") && (!is_plain || strchr(sentence, ';'));
}

static void print_sentences(struct json_object *members)
{
	bool is_first = true;

	for (size_t i = 0; i < cli_json_len(members); i++) {
		struct json_object *m = json_object_array_get_idx(members, i);

		if (!says_more(m))
			continue;
		printf("%s  %s: %s\n", is_first ? "\n" : "", cli_json_shown(m, "path"),
		       cli_json_shown(m, "sentence"));
		is_first = false;
	}
}

/* A clustered member stands in the list once for every slot; its error is said once. */
static void say_errors(struct json_object *members)
{
	const char *last = "";

	for (size_t i = 0; i < cli_json_len(members); i++) {
		struct json_object *m = json_object_array_get_idx(members, i);

		if (*cli_json_raw(m, "error.message") && strcmp(cli_json_raw(m, "path"), last))
			cli_say_member_error(m);
		last = cli_json_raw(m, "path");
	}
}

/* What Linux would do has in front of it what umd does not start: two sentences for people. */
static const char *tell_unsupported(const char *reason, const char **ret_who)
{
	static const char joint[] = "; a start by Linux: ";
	const char *at = strstr(reason, joint);

	*ret_who = at ? "A start by Linux" : "The next start";
	if (!at)
		return reason;
	printf("umd does not start the array: %.*s.\n", (int)(at - reason), reason);
	return at + strlen(joint);
}

/* @known: the sentence above; a reason that stands there is not said again. */
static void print_next_start(struct json_object *next, const char *known)
{
	struct json_object *to = cli_json_get(next, "to");
	const char *targets = "", *reason, *who;

	for (size_t i = 0; i < cli_json_len(to); i++)
		targets = cli_print("%s%s%s", targets, *targets ? ", " : "",
				    cli_json_shown(json_object_array_get_idx(to, i), ""));
	reason = tell_unsupported(cli_json_shown(next, "reason"), &who);
	if (!cli_json_bool(next, "copied"))
		printf("%s does not copy this chunk", who);
	else if (*cli_json_raw(next, "from") && *targets)
		printf("%s copies this chunk from %s to %s", who, cli_json_shown(next, "from"), targets);
	else
		printf("%s copies this chunk", who);
	if (strstr(known, reason))
		printf(".\n");
	else
		printf(": %s.\n", reason);
}

static void print_answer(struct json_object *answer)
{
	struct json_object *members = cli_json_get(answer, "members");
	uint64_t first = cli_json_u64(answer, "covers.first_byte", 0),
		 length = cli_json_u64(answer, "covers.length_bytes", 0);

	printf("%s\n\n", cli_json_shown(answer, "sentence"));
	if (length)
		printf("Chunk %s covers %llu bytes from byte %llu of %s.\n\n", cli_json_shown(answer, "chunk"),
		       (unsigned long long)length, (unsigned long long)first,
		       strcmp(cli_json_raw(answer, "covers.of"), "array") ? "each member's data" : "the array");
	print_members(members);
	print_sentences(members);
	putchar('\n');
	print_next_start(cli_json_get(answer, "next_start"), cli_json_shown(answer, "sentence"));
}

/* ---- a running array ---- */

static struct json_object *running_request(const struct question *q, int *ret_status)
{
	struct json_object *request;
	uint64_t number = q->chunk;

	*ret_status = CLI_DONE;
	if (q->at && !cli_read_size(q->at, &number)) {
		*ret_status = cli_usage("--at takes a byte of the array such as 4096, 64K or 1G, not \"%s\"",
					cli_shown(q->at));
		return NULL;
	}
	request = cli_request("why");
	json_object_object_add(request, q->at ? "at_bytes" : "chunk",
			       json_object_new_uint64(number));
	return request;
}

static void print_running(struct json_object *answer)
{
	struct json_object *reasons = cli_json_get(answer, "kept_by");

	printf("%s\n\n", cli_json_shown(answer, "sentence"));
	printf("Chunk %s covers %s bytes from byte %s of the array.\n", cli_json_shown(answer, "chunk"),
	       cli_json_shown(answer, "covers.length_bytes"), cli_json_shown(answer, "covers.first_byte"));
	if (!cli_json_bool(answer, "set"))
		return;
	printf("\nWho set it: %s\n", cli_json_shown(answer, "set_by.sentence"));
	printf("What keeps it:\n");
	for (size_t i = 0; i < cli_json_len(reasons); i++)
		printf("  - %s\n", cli_json_shown(json_object_array_get_idx(reasons, i), "sentence"));
}

/* False: the words are images'. */
static bool why_running(const struct cli *cli, const struct question *q, int *ret_status)
{
	const char *name = q->members[0];
	struct json_object *request, *answer;
	struct umd_error error;

	if (q->member_count != 1 || q->external || strchr(name, '/') || access(name, F_OK) == 0)
		return false;
	request = running_request(q, ret_status);
	if (!request)
		return true;
	if (cli_send(name, request, -1, &answer, &error)) {
		*ret_status = error.errno_class == ENOENT ?
			cli_refuse("%s, and there is no file of that name", error.text) : cli_fail(&error);
		return true;
	}
	if (cli_has(cli, "json"))
		cli_json_print_object(answer);
	else
		print_running(answer);
	json_object_put(answer);
	return true;
}

/* ---- images ---- */

int cmd_why(const struct cli *cli)
{
	struct umd_external_bitmap space;
	struct json_object *answer;
	struct question q = { 0 };
	size_t errors;
	int rc;

	rc = read_words(cli, &q);
	if (!rc)
		rc = cli_external(cli, &space, &q.external);
	if (rc)
		return rc;
	if (why_running(cli, &q, &rc))
		return rc;
	if (q.at)
		rc = find_chunk(&q);
	if (!rc)
		rc = ask(&q, q.chunk, &answer, &errors);
	if (rc)
		return rc;

	if (cli_has(cli, "json"))
		cli_json_print_object(answer);
	else
		print_answer(answer);
	say_errors(cli_json_get(answer, "members"));
	json_object_put(answer);
	return errors ? CLI_FAILED : CLI_DONE;
}
