/* What the files of the command line share.
 *
 * A command is one file cmd_<verb>.c with one function `int cmd_<verb>(const struct cli *cli)` and one entry in
 * commands.def. It is called with words and options that were checked against that entry, and returns the exit status:
 * CLI_DONE, CLI_FAILED or CLI_USAGE. It says an error once, through cli_refuse() or cli_fail(). */
#ifndef FRONT_CLI_CLI_H
#define FRONT_CLI_CLI_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "umd/umd.h"

enum { CLI_DONE = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

/* ---- the table (commands.c, from commands.def) ---- */

enum cli_type {
	CLI_FLAG,	/* no value */
	CLI_TEXT,
	CLI_SIZE,	/* bytes; suffixes K M G T count 1024 */
	CLI_NUMBER,
	CLI_VERB,	/* no value: what the words behind it are for (manage --fail M M) */
};

struct cli_option {
	/* "bitmap-chunk", "SIZE" (NULL for flags, "[=N]": may be left out, and never is the next word) */
	const char *name, *value;
	enum cli_type type;
	const char *sentence;
	const char *alias;		/* mdadm's spelling, or NULL */
};

/* What a command knows besides its own options, and which of the two groups of help it stands in. */
enum {
	CLI_JSON = 1,
	CLI_DRY_RUN = 2,
	CLI_OF_IMAGES = 4,
	CLI_OF_ARRAYS = 8,
	CLI_DASHED_WORDS = 16,	/* a word may begin with one dash: md's -blocked, -16 */
};
#define CLI_MANY UINT32_MAX

struct cli;

struct cli_command {
	const char *name, *syntax, *sentence;
	unsigned flags;
	uint32_t words_min, words_max;
	const char *examples[2];
	const struct cli_option *options;	/* ends with a NULL name; --json, --dry-run and --help come by flags */
	int (*run)(const struct cli *cli);
};

extern const struct cli_command cli_commands[];	/* ends with a NULL name */

const struct cli_command *cli_find_command(const char *name);
/* Its own options, then those that come by flags; NULL behind the last. */
const struct cli_option *cli_nth_option(const struct cli_command *command, size_t n);
/* The heading that stands before @command where a group of commands begins; NULL: it goes on. */
const char *cli_group_of(const struct cli_command *command);
/* An option of @command, by name or alias; NULL: unknown. */
const struct cli_option *cli_find_option(const struct cli_command *command, const char *name, size_t len);

#define OPTION(name, value, type, sentence, alias)
#define COMMAND(verb, ...) int cmd_##verb(const struct cli *cli);
#include "commands.def"
#undef COMMAND
#undef OPTION

/* ---- a parsed command line (parse.c) ---- */

struct cli_item {
	const struct cli_option *option;	/* NULL: a plain word */
	const char *value;			/* the word, or the option's value as typed */
	uint64_t number;			/* CLI_SIZE: bytes; CLI_NUMBER */
};

struct cli {
	const struct cli_command *command;
	struct cli_item *items;			/* all of them, in the order typed */
	size_t item_count;
	const char **words;			/* the plain words alone */
	size_t word_count;
};

/* @argv begins with the verb. CLI_DONE, or CLI_USAGE with the sentence said. */
int cli_parse(struct cli *cli, const struct cli_command *command, int argc, char **argv);
void cli_drop(struct cli *cli);

/* The last value given; @name must be in the table. */
bool cli_has(const struct cli *cli, const char *name);
const char *cli_text(const struct cli *cli, const char *name);			/* NULL: not given */
uint64_t cli_number(const struct cli *cli, const char *name, uint64_t otherwise);

/* Digits; what follows them is in *@ret_rest. */
bool cli_read_number(const char *s, uint64_t *ret_number, const char **ret_rest);
/* Bytes, with K, M, G or T (also KiB, MiB, ...) behind. */
bool cli_read_size(const char *s, uint64_t *ret_bytes);

/* ---- a bitmap without superblock (external.c) ---- */

/* What --external, --location, --chunk and --size describe: *@ret_external is @space, or NULL when none of them was
 * given. CLI_DONE, or CLI_USAGE with the sentence said. The command's options hold EXTERNAL_OPTIONS (commands.def). */
int cli_external(const struct cli *cli, struct umd_external_bitmap *space,
		 const struct umd_external_bitmap **ret_external);

/* ---- members that join a running array (member.c) ---- */

/* The server lives in another directory. A member that has vanished has no real path, and still can be removed. */
const char *cli_absolute(const char *typed);
/* Open @path, shown as @typed, with the rights of whoever types. CLI_DONE, or CLI_FAILED with the sentence said. */
int cli_open_member(const char *path, const char *typed, int *ret_fd);

/* ---- help (help.c) ---- */

void cli_help(FILE *to);
void cli_help_command(FILE *to, const struct cli_command *command);

/* ---- saying things (say.c) ---- */

/* One sentence on stderr, "umd: SENTENCE"; returns the exit status. */
int cli_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));
int cli_refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));
int cli_fail(const struct umd_error *error);

/* Fit for a terminal: control bytes, what is not UTF-8 and what turns the writing direction become \xNN. The string
 * lives until the program ends: not for loops without end. */
const char *cli_shown(const char *s);
/* The character at @s: its length in bytes, 0 where that is no well-formed UTF-8; harmless: a terminal may have it. */
unsigned cli_character(const char *s, uint32_t *ret_character, bool *ret_is_harmless);
/* A string made like printf that lives until the program ends; dies without memory. */
const char *cli_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Where NBD clients find a unix socket: what a URI cannot have as it is becomes %NN. Lives like cli_print()'s. */
const char *cli_socket_uri(const char *path);
/* "512 B", "4.0 KiB", "1.5 GiB"; one of eight strings that are used in turn. */
const char *cli_bytes(uint64_t bytes);
/* The same for where something lies, and exact: "16376 KiB", "4 KiB", "1 MiB", "513 B"; of the eight as well. */
const char *cli_place(uint64_t bytes);
/* "2024-05-01 12:00:00 UTC", of seconds since 1970; "" where no calendar has them. Lives like cli_print()'s. */
const char *cli_time(uint64_t seconds);
unsigned cli_columns(void);		/* of the terminal; 110 elsewhere */
bool cli_has_colour(void);		/* stdout is a terminal, and NO_COLOR is not set */
const char *cli_seconds(double seconds);	/* "0.4 s", "3:07", "2:15:00"; in turn as well */

#endif
