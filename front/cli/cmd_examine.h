/* What the files of `umd examine` share: a member as far as its text needs it. */
#ifndef FRONT_CLI_CMD_EXAMINE_H
#define FRONT_CLI_CMD_EXAMINE_H

#include <json-c/json.h>

#include "cli.h"

enum { EXAMINE_ROWS = 48 };	/* at least as many as cmd_examine_rows.c has */

/* Strings are fit for a terminal and live until the program ends, except @path_raw and @uuid. */
struct examined {
	char *path_raw, *uuid;			/* as the JSON has them; uuid "" without superblock */
	const char *path, *kind, *name, *error, *verdict, *reason, *use;
	const char *level;
	uint64_t raid_devices, array_bytes, bitmap_count, chunk_bytes;
	bool has_superblock, has_chunks, has_set, is_lockless, is_shown;
	const char *cells[EXAMINE_ROWS];
	char *slots, *disks;			/* small tables as text, or NULL */
	const char **notes;
	size_t note_count;
};

struct examined_all {
	struct examined *members;
	size_t count, array_count;
	bool is_text;
};

/* ---- cmd_examine_member.c: what is kept of a member's JSON ---- */

void examine_fill(struct examined *e, struct json_object *member);
void examine_drop(struct examined *e);

/* ---- cmd_examine_rows.c: a member's facts as cells ---- */

struct examine_row {
	const char *label;
	bool is_natural;	/* members of a healthy array differ here */
	bool is_detail;		/* and nobody compares them */
};
const struct examine_row *examine_row(size_t row);	/* NULL behind the last */
const char *examine_cell(struct json_object *member, size_t row);

/* ---- cmd_examine_table.c: members side by side ---- */

void examine_print_members(const struct examined *const *members, size_t count);

/* ---- cmd_examine_runs.c: chunks by number ---- */

/* Every run of set chunks of the members that have one, at most @runs_max for each. */
int examine_print_runs(const struct examined_all *all, const struct umd_look_options *options);

#endif
