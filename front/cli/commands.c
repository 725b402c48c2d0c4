/* The table of commands, made from commands.def.
 *
 * The .def is read twice: once for each command's options, once for the commands. --json and --dry-run belong to every
 * command whose flags say so, with the same words everywhere. */
#include "cli.h"

#include <string.h>

#define OPTION(name, value, type, sentence, alias) { name, value, type, sentence, alias },
#define COMMAND(verb, syntax, min, max, flags, sentence, example1, example2, ...)			\
	static const struct cli_option options_##verb[] = {						\
		__VA_ARGS__ { NULL, NULL, CLI_FLAG, NULL, NULL }					\
	};
#include "commands.def"
#undef COMMAND

const struct cli_command cli_commands[] = {
#define COMMAND(verb, syntax, min, max, flags, sentence, example1, example2, ...)			\
	{ #verb, syntax, sentence, flags, min, max, { example1, example2 }, options_##verb, cmd_##verb },
#include "commands.def"
#undef COMMAND
	{ NULL, NULL, NULL, 0, 0, 0, { NULL, NULL }, NULL, NULL }
};

/* Options that come by the command's flags. */
static const struct cli_option option_json = { "json", NULL, CLI_FLAG, "print JSON", NULL };
static const struct cli_option option_dry_run = {
	"dry-run", NULL, CLI_FLAG, "say what would be done; write nothing", NULL
};

const struct cli_command *cli_find_command(const char *name)
{
	for (const struct cli_command *c = cli_commands; c->name; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

static bool is_called(const struct cli_option *option, const char *name, size_t len)
{
	return (strlen(option->name) == len && !memcmp(option->name, name, len)) ||
	       (option->alias && strlen(option->alias) == len && !memcmp(option->alias, name, len));
}

const struct cli_option *cli_nth_option(const struct cli_command *command, size_t n)
{
	const struct cli_option *o = command->options;

	for (; o->name; o++)
		if (n-- == 0)
			return o;
	if ((command->flags & CLI_DRY_RUN) && n-- == 0)
		return &option_dry_run;
	if ((command->flags & CLI_JSON) && n-- == 0)
		return &option_json;
	return NULL;
}

const struct cli_option *cli_find_option(const struct cli_command *command, const char *name, size_t len)
{
	const struct cli_option *o;

	for (size_t n = 0; (o = cli_nth_option(command, n)); n++)
		if (is_called(o, name, len))
			return o;
	return NULL;
}

const char *cli_group_of(const struct cli_command *command)
{
	static const unsigned groups = CLI_OF_IMAGES | CLI_OF_ARRAYS;
	unsigned group = command->flags & groups;

	if (command > cli_commands && (command[-1].flags & groups) == group)
		return NULL;
	return group == CLI_OF_IMAGES ? "Members and images" :
	       group == CLI_OF_ARRAYS ? "Running arrays" :
					"Images and running arrays";
}
