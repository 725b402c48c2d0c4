/* Asking for maps: the control socket of a running array, or umd_map() over images.
 *
 * The library hands JSON over in pieces; they go straight into the parser, so that no second copy of the text is made.
 * For pictures few runs are asked for: the cells say it all, and runs serve to see whether two maps are equal. */
#include "map_ask.h"

#include <errno.h>
#include <stdlib.h>

#include "json.h"

enum { RUNS_FOR_EQUALITY = 1000, RUNS_IN_ALL = 30000 };

/* Hundreds of members share what one may say: as JSON objects in memory a run costs hundreds of bytes. */
static uint64_t runs_for(size_t member_count)
{
	return member_count > RUNS_IN_ALL / RUNS_FOR_EQUALITY ? RUNS_IN_ALL / member_count : RUNS_FOR_EQUALITY;
}

int map_ask_running(const char *name, uint64_t cells_max, struct json_object **ret_map, struct umd_error *error)
{
	char request[64], *reply;
	int rc;

	snprintf(request, sizeof request, "{\"command\": \"map\", \"cells\": %llu}", (unsigned long long)cells_max);
	rc = umd_control(name, request, -1, &reply, error);
	if (rc)
		return rc;
	*ret_map = json_tokener_parse(reply);
	free(reply);
	if (*ret_map)
		return 0;
	error->code = -EPROTO;
	snprintf(error->text, sizeof error->text, "the server of %s answered with something that is no JSON object",
		 cli_shown(name));
	return -EPROTO;
}

struct parser {
	struct json_tokener *tokener;
	struct json_object *made;
};

static int parse_piece(void *opaque, const char *data, size_t len_bytes)
{
	struct parser *p = opaque;

	/* What follows the object is a line's end at most. */
	if (!p->made)
		p->made = json_tokener_parse_ex(p->tokener, data, (int)len_bytes);
	return p->made || json_tokener_get_error(p->tokener) == json_tokener_continue ? 0 : -EPROTO;
}

int map_ask_images(const struct map_wish *w, uint64_t cells_max, struct json_object **ret_maps, size_t *ret_errors,
		   struct umd_error *error)
{
	struct umd_look_options options = {
		.runs_max = runs_for(w->cli->word_count),
		.cells_max = cells_max,
		.is_comparison = w->is_difference,
		.external = w->external,
	};
	struct parser p = { .tokener = json_tokener_new() };
	int rc = -ENOMEM;

	snprintf(error->text, sizeof error->text, "there is not enough memory for the maps");
	if (p.tokener)
		rc = umd_map(w->cli->words, w->cli->word_count, &options, parse_piece, &p, ret_errors, error);
	json_tokener_free(p.tokener);
	if (rc == -EPROTO || (!rc && !p.made)) {
		rc = -EPROTO;
		snprintf(error->text, sizeof error->text, "the library's answer could not be read as JSON");
	}
	if (rc)
		json_object_put(p.made);
	else
		*ret_maps = p.made;
	return rc;
}
