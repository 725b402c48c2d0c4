/* Reading the library's JSON, and talking to running arrays. Paths walk objects: "bitmap.set_chunks". */
#ifndef FRONT_CLI_JSON_H
#define FRONT_CLI_JSON_H

#include <json-c/json.h>

#include "cli.h"

/* NULL, with the sentence said, when @text is no JSON (or there is no memory). */
struct json_object *cli_json_parse(const char *text);

struct json_object *cli_json_get(struct json_object *o, const char *path);	/* NULL: absent or null */
const char *cli_json_raw(struct json_object *o, const char *path);		/* "" when absent; as stored */
const char *cli_json_shown(struct json_object *o, const char *path);		/* "" when absent; fit for a terminal */
uint64_t cli_json_u64(struct json_object *o, const char *path, uint64_t otherwise);
bool cli_json_bool(struct json_object *o, const char *path);
size_t cli_json_len(struct json_object *array);					/* 0 for NULL */

/* Of the object that `detail` answers with. */
bool cli_json_runs(struct json_object *detail);		/* its state is not clear or inactive */
size_t cli_members_in_sync(struct json_object *detail);

/* "resync that copied 384.0 KiB of 1.0 GiB in 0.1 s: REASON", from the object `last_sync`. */
const char *cli_sync_story(struct json_object *sync);

/* A JSON text of the library, which is freed: as it is with --json, else in the words of @print. CLI_DONE, or the exit
 * status with the sentence said. */
int cli_json_tell(const struct cli *cli, char *text, void (*print)(struct json_object *o, const struct cli *cli));
/* Print an object made here. */
void cli_json_print_object(struct json_object *o);

/* One sentence on stderr for a member of a list `members` that has an error; for each of the list. */
void cli_say_member_error(struct json_object *member);
void cli_say_member_errors(struct json_object *members);

/* One command to the array @name. Returns the library's code, with its sentence in @error; *@ret_reply is to be
 * released with json_object_put(). */
int cli_ask(const char *name, const char *command, struct json_object **ret_reply, struct umd_error *error);

/* The same with keys of its own: takes @request. @fd: a descriptor to hand over, or -1. */
struct json_object *cli_request(const char *command);
int cli_send(const char *name, struct json_object *request, int fd, struct json_object **ret_reply,
	     struct umd_error *error);

/* One command about a member. */
struct cli_member_request {
	const char *command, *path;
	bool force, write_mostly;
	int fd;			/* descriptor to hand over, or -1 */
};
int cli_ask_member(const char *name, const struct cli_member_request *wish, struct json_object **ret_reply,
		   struct umd_error *error);

#endif
