/* A JSON stream of the library, taken apart while it is made: see json_pieces.c. */
#ifndef FRONT_CLI_JSON_PIECES_H
#define FRONT_CLI_JSON_PIECES_H

#include <json-c/json.h>

#include "cli.h"

struct cli_pieces {
	/* An element of one of the object's lists, without the runs in it; "members" or "arrays". */
	void (*on_element)(void *opaque, const char *list, struct json_object *element);
	/* A character of a list of runs; @key: "set" or "state_runs". NULL: nobody wants them. */
	void (*on_run)(void *opaque, const char *key, char c);
	void *opaque;
	FILE *copy_to;			/* everything goes there as well; NULL: nowhere */

	/* Inside; zero to begin with, dropped by cli_pieces_drop(). */
	char key[24], list[24];		/* the last string read; the list that elements belong to */
	size_t key_len;
	int depth, runs_depth;		/* of brackets; of the list of runs that is being read, or 0 */
	bool is_string, is_escaped;
	char *text;			/* of the element that is being read */
	size_t text_len, text_room;
};

/* A umd_sink; @opaque is a struct cli_pieces. */
int cli_pieces_sink(void *opaque, const char *data, size_t len_bytes);
void cli_pieces_drop(struct cli_pieces *p);

#endif
