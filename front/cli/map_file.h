/* Files that hold a picture or raw bits: made whole or not at all. */
#ifndef FRONT_CLI_MAP_FILE_H
#define FRONT_CLI_MAP_FILE_H

#include "cli.h"

struct map_file {
	const char *path;	/* "-": stdout */
	const char *kind;	/* "SVG": for sentences */
	const char *begins;	/* how files of this kind begin: only such ones are replaced */
	FILE *to;
	char *real, *temporary;	/* where it will be, and where it is until then; NULL: written in place */
};

/* CLI_DONE, or CLI_FAILED with the sentence said: @path cannot be written, or it holds something else. */
int map_file_open(struct map_file *f, const char *path, const char *kind, const char *begins);
/* @is_good: all of it was handed to the stream. Else, the sentence being said already, the temporary file goes. */
int map_file_close(struct map_file *f, bool is_good);

#endif
