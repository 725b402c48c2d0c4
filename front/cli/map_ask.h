/* Where umd map gets its figures: a running array, or the members' own bytes. */
#ifndef FRONT_CLI_MAP_ASK_H
#define FRONT_CLI_MAP_ASK_H

#include "cli.h"

struct json_object;

/* What the command line asks for, checked. */
struct map_wish {
	const struct cli *cli;
	uint32_t width;				/* 0: not given */
	const char *style, *svg, *png, *raw;	/* NULL: not given */
	uint64_t slot, interval_s;
	bool is_json, is_difference, is_watch;
	struct umd_external_bitmap space;
	const struct umd_external_bitmap *external;
};

/* The library's code, with its sentence in @error. json_object_put() the result. */
int map_ask_running(const char *name, uint64_t cells_max, struct json_object **ret_map, struct umd_error *error);
int map_ask_images(const struct map_wish *w, uint64_t cells_max, struct json_object **ret_maps, size_t *ret_errors,
		   struct umd_error *error);

/* Follow a running array until it ends; @first is its first answer. Returns the exit status. */
int map_watch(const struct map_wish *w, const char *name, struct json_object *first);

/* What --width and --style say, else what suits stdout. */
struct map_text;
struct map_text map_text_of(const struct map_wish *w);

#endif
