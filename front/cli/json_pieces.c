/* A JSON stream of the library, taken apart while it is made.
 *
 * What umd_examine() says of hundreds of members, or of billions of runs, does not fit into the memory that looking at
 * images may cost. So nobody holds the whole object: the lists "members" and "arrays" of
 *
 *	{ "members": [ {...}, {...} ], "arrays": [ {...} ] }
 *
 * are cut into their elements, and each is parsed, handed over and dropped before the next one is read. Lists of runs
 * ("set", "state_runs") are left empty in the element; who wants them gets their characters as they come. The stream is
 * the library's own JSON: the string before a list is the list's key, and an element that is not well-formed ends the
 * call. */
#include "json_pieces.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int keep(struct cli_pieces *p, char c)
{
	if (p->text_len + 1 >= p->text_room) {
		size_t room = p->text_room ? 2 * p->text_room : 4096;
		char *grown = realloc(p->text, room);

		if (!grown)
			return -ENOMEM;
		p->text = grown;
		p->text_room = room;
	}
	p->text[p->text_len++] = c;
	p->text[p->text_len] = '\0';
	return 0;
}

static int hand_over(struct cli_pieces *p)
{
	struct json_object *element = json_tokener_parse(p->text);

	p->text_len = 0;
	if (!element)
		return -EPROTO;
	p->on_element(p->opaque, p->list, element);
	json_object_put(element);
	return 0;
}

static void in_string(struct cli_pieces *p, char c)
{
	if (p->is_escaped)
		p->is_escaped = false;
	else if (c == '\\')
		p->is_escaped = true;
	else if (c == '"')
		p->is_string = false;

	if (p->is_string && p->key_len + 1 < sizeof p->key) {
		p->key[p->key_len++] = c;
		p->key[p->key_len] = '\0';
	}
}

static void open_bracket(struct cli_pieces *p, char c)
{
	p->depth++;
	if (c != '[' || p->runs_depth)
		return;
	if (p->depth == 2)
		strcpy(p->list, p->key);
	else if (!strcmp(p->key, "set") || !strcmp(p->key, "state_runs"))
		p->runs_depth = p->depth;
}

static int feed(struct cli_pieces *p, char c)
{
	bool is_in_runs = p->runs_depth, is_done = false;
	int rc = 0;

	if (p->is_string) {
		if (is_in_runs)
			p->is_string = c != '"';	/* names of states; the key of the list stays */
		else
			in_string(p, c);
	} else if (c == '"') {
		p->is_string = true;
		if (!is_in_runs)
			*p->key = p->key_len = 0;
	} else if (c == '{' || c == '[') {
		open_bracket(p, c);
	} else if (c == '}' || c == ']') {
		if (p->runs_depth == p->depth)
			p->runs_depth = 0;
		is_done = --p->depth == 2 && c == '}';
	}

	if (is_in_runs && p->on_run)
		p->on_run(p->opaque, p->key, c);
	if ((p->depth >= 3 || is_done) && (!is_in_runs || !p->runs_depth))
		rc = keep(p, c);
	return rc == 0 && is_done ? hand_over(p) : rc;
}

int cli_pieces_sink(void *opaque, const char *data, size_t len_bytes)
{
	struct cli_pieces *p = opaque;
	int rc = 0;

	/* A full disk is said once, at the end of the program. */
	if (p->copy_to)
		fwrite(data, 1, len_bytes, p->copy_to);
	for (size_t i = 0; rc == 0 && i < len_bytes; i++)
		rc = feed(p, data[i]);
	return rc;
}

void cli_pieces_drop(struct cli_pieces *p)
{
	free(p->text);
	p->text = NULL;
	p->text_len = p->text_room = 0;
}
