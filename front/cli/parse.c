/* The option parser: `--name=value` or `--name value`, in any place; `--` ends them. One dash and a letter is an option
 * whose alias is that letter; there are hardly any, and none for a command whose words may begin so.
 *
 * Everything typed is kept in its order (manage needs it) and beside that the plain words. What the table does not
 * allow ends in one sentence and CLI_USAGE before any command runs. */
#include "cli.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Digits only: strtoull would take "-1" and " 7" as well. */
bool cli_read_number(const char *s, uint64_t *ret_number, const char **ret_rest)
{
	char *rest;

	if (!isdigit((unsigned char)*s))
		return false;
	errno = 0;
	*ret_number = strtoull(s, &rest, 10);
	*ret_rest = rest;
	return errno == 0;
}

bool cli_read_size(const char *s, uint64_t *ret_bytes)
{
	static const char letters[] = "KMGT";
	const char *rest, *letter;
	unsigned shift = 0;
	uint64_t n;

	if (!cli_read_number(s, &n, &rest))
		return false;
	if (*rest) {
		letter = strchr(letters, toupper((unsigned char)*rest));
		if (!letter || (rest[1] && strcmp(rest + 1, "iB")))
			return false;
		shift = 10 * (letter - letters + 1);
	}
	if (n > UINT64_MAX >> shift)
		return false;
	*ret_bytes = n << shift;
	return true;
}

static int read_value(struct cli_item *item)
{
	const char *rest;

	switch (item->option->type) {
	case CLI_SIZE:
		if (cli_read_size(item->value, &item->number) && item->number)
			return CLI_DONE;
		return cli_usage("--%s takes a number of bytes such as 4096, 64K or 1G, not \"%s\"",
				 item->option->name, cli_shown(item->value));
	case CLI_NUMBER:
		if (cli_read_number(item->value, &item->number, &rest) && !*rest)
			return CLI_DONE;
		return cli_usage("--%s takes a whole number, not \"%s\"", item->option->name,
				 cli_shown(item->value));
	default:
		return CLI_DONE;
	}
}

/* What mdadm has under the same verb and umd has not: told by name, not taken for a slip. */
static bool is_not_there(const char *verb, const char *option, size_t len)
{
	static const struct {
		const char *verb, *option;
	} names[] = {
		{ "create", "spare-devices" }, { "create", "layout" }, { "create", "chunk" },
		{ "create", "write-journal" }, { "create", "consistency-policy" }, { "create", "data-offset" },
		{ "grow", "size" }, { "grow", "array-size" }, { "grow", "raid-devices" }, { "grow", "level" },
		{ "grow", "layout" }, { "grow", "chunk" }, { "grow", "consistency-policy" }, { "grow", "add" },
		{ "manage", "replace" }, { "manage", "with" }, { "manage", "add-spare" }, { "manage", "add-journal" },
	};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (!strcmp(verb, names[i].verb) && strlen(names[i].option) == len &&
		    !strncmp(option, names[i].option, len))
			return true;
	return false;
}

/* @arg is "--name" or "--name=value"; @next the argument behind it, or NULL. */
static int read_option(struct cli *cli, const char *arg, const char *next, bool *ret_took_next)
{
	const char *verb = cli->command->name, *equals = strchr(arg, '=');
	size_t len = equals ? (size_t)(equals - arg) - 2 : strlen(arg) - 2;
	struct cli_item *item = &cli->items[cli->item_count];
	bool has_value;

	item->option = arg[1] == '-' ? cli_find_option(cli->command, arg + 2, len) :
		       arg[1] && !arg[2] ? cli_find_option(cli->command, arg + 1, 1) : NULL;
	if (!item->option && arg[1] == '-' && is_not_there(verb, arg + 2, len))
		return cli_refuse("%s --%.*s is not supported yet (mdadm has it, for arrays that Linux runs); nothing "
				  "was changed", verb, (int)len, arg + 2);
	if (!item->option)
		return cli_usage("%s has no option \"%s\"; umd %s --help lists them", verb, cli_shown(arg),
				 verb);

	has_value = item->option->type != CLI_FLAG && item->option->type != CLI_VERB;
	if (has_value && *item->option->value == '[' && !equals) {
		cli->item_count++;
		return CLI_DONE;
	}
	if (!has_value && equals)
		return cli_usage("--%s takes no value, and \"%s\" was given", item->option->name,
				 cli_shown(equals + 1));
	if (has_value && !equals && !next)
		return cli_usage("--%s needs a value: --%s=%s", item->option->name, item->option->name,
				 item->option->value);

	*ret_took_next = has_value && !equals;
	item->value = !has_value ? NULL : equals ? equals + 1 : next;
	cli->item_count++;
	return read_value(item);
}

static int check_words(const struct cli *cli)
{
	const struct cli_command *c = cli->command;

	if (cli->word_count && cli->word_count < c->words_min)
		return cli_usage("%s needs %zu words, and %zu came; the form is: umd %s %s", c->name,
				 (size_t)c->words_min, (size_t)cli->word_count, c->name, c->syntax);
	if (cli->word_count < c->words_min)
		return cli_usage("%s needs %s; the form is: umd %s %s", c->name,
				 strstr(c->syntax, "NAME") ? "the name of an array" : "a member", c->name,
				 c->syntax);
	if (cli->word_count > c->words_max)
		return cli_usage("%s takes no \"%s\"; the form is: umd %s %s", c->name,
				 cli_shown(cli->words[c->words_max]), c->name, c->syntax);
	return CLI_DONE;
}

static bool is_option(const struct cli_command *command, const char *arg)
{
	return arg[0] == '-' && arg[1] && (arg[1] == '-' || !(command->flags & CLI_DASHED_WORDS));
}

int cli_parse(struct cli *cli, const struct cli_command *command, int argc, char **argv)
{
	bool is_option_end = false, took_next;
	int rc;

	*cli = (struct cli){ .command = command };
	cli->items = calloc(argc, sizeof *cli->items);
	cli->words = calloc(argc, sizeof *cli->words);
	if (!cli->items || !cli->words)
		return cli_refuse("there is not enough memory for %d arguments", argc);

	for (int i = 1; i < argc; i++) {
		took_next = false;
		if (!is_option_end && !strcmp(argv[i], "--")) {
			is_option_end = true;
		} else if (!is_option_end && is_option(command, argv[i])) {
			rc = read_option(cli, argv[i], i + 1 < argc ? argv[i + 1] : NULL, &took_next);
			if (rc)
				return rc;
			i += took_next;
		} else {
			cli->items[cli->item_count++].value = argv[i];
			cli->words[cli->word_count++] = argv[i];
		}
	}
	return check_words(cli);
}

void cli_drop(struct cli *cli)
{
	free(cli->items);
	free(cli->words);
	*cli = (struct cli){ 0 };
}

static const struct cli_item *last_given(const struct cli *cli, const char *name)
{
	const struct cli_option *option = cli_find_option(cli->command, name, strlen(name));

	assert(option);
	for (size_t i = cli->item_count; i-- > 0;)
		if (cli->items[i].option == option)
			return &cli->items[i];
	return NULL;
}

bool cli_has(const struct cli *cli, const char *name)
{
	return last_given(cli, name) != NULL;
}

const char *cli_text(const struct cli *cli, const char *name)
{
	const struct cli_item *item = last_given(cli, name);

	return item ? item->value : NULL;
}

uint64_t cli_number(const struct cli *cli, const char *name, uint64_t otherwise)
{
	const struct cli_item *item = last_given(cli, name);

	return item ? item->number : otherwise;
}
