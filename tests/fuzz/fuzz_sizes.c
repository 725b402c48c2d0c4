/* The command line: which words and options a verb takes, and numbers with their suffixes.
 *
 * Input: 1 byte verb; then arguments, each ended by a NUL. Properties: what is refused is said in one harmless line and
 * ends with the status for usage; what is taken is silent, has as many words as the verb wants, and its sizes are what
 * a reader with 128-bit numbers makes of them. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#include "cli.h"

enum { ARGUMENTS_MAX = 24, ARGUMENT_BYTES = 256 };

static char arguments[ARGUMENTS_MAX][ARGUMENT_BYTES];

static int take_arguments(struct fuzz_input *in, char *ret_argv[ARGUMENTS_MAX + 1])
{
	int count = 1;

	while (in->at < in->end && count < ARGUMENTS_MAX) {
		size_t len = 0;

		while (in->at < in->end && *in->at && len < ARGUMENT_BYTES - 1)
			arguments[count][len++] = (char)*in->at++;
		arguments[count][len] = '\0';
		in->at += in->at < in->end;
		ret_argv[count] = arguments[count];
		count++;
	}
	ret_argv[count] = NULL;
	return count;
}

/* Digits, then nothing or K, M, G, T, each alone or with iB. */
static bool is_number(const char *s, bool may_have_suffix, uint64_t number)
{
	static const char suffixes[] = "KMGTkmgt";
	__uint128_t v = 0;

	if (*s < '0' || *s > '9')
		return false;
	for (; *s >= '0' && *s <= '9' && v <= UINT64_MAX; s++)
		v = 10 * v + (*s - '0');
	if (*s && may_have_suffix && strchr(suffixes, *s)) {
		v <<= 10 * ((strchr(suffixes, *s) - suffixes) % 4 + 1);
		s += strcmp(s + 1, "iB") ? 1 : 3;
	}
	return !*s && v == number;
}

static void taken_is_right(const struct cli *cli)
{
	FUZZ_MUST(cli->word_count >= cli->command->words_min && cli->word_count <= cli->command->words_max);
	for (size_t i = 0; i < cli->item_count; i++) {
		const struct cli_item *item = &cli->items[i];

		if (!item->option)
			continue;
		if (item->option->type == CLI_SIZE)
			FUZZ_MUST(item->number && is_number(item->value, true, item->number));
		if (item->option->type == CLI_NUMBER)
			FUZZ_MUST(is_number(item->value, false, item->number));
		FUZZ_MUST(!item->value == (item->option->type == CLI_FLAG || item->option->type == CLI_VERB));
	}
}

static void refused_in_one_line(const char *said, size_t len)
{
	FUZZ_MUST(len > 6 && !memcmp(said, "umd: ", 5) && said[len - 1] == '\n');
	FUZZ_MUST(fuzz_is_harmless(said, len - 1, false));
}

static const struct cli_command *choose(unsigned which)
{
	unsigned count = 0;

	while (cli_commands[count].name)
		count++;
	return &cli_commands[which % count];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, data + size };
	const struct cli_command *command = choose(fuzz_take(&in, 1));
	char *argv[ARGUMENTS_MAX + 1] = { (char *)(uintptr_t)command->name }, *said = NULL;
	int argc = take_arguments(&in, argv), rc;
	FILE *own = stderr;
	struct cli cli;
	size_t len = 0;

	stderr = open_memstream(&said, &len);
	if (!stderr) {
		stderr = own;
		return 0;
	}
	rc = cli_parse(&cli, command, argc, argv);
	fclose(stderr);
	stderr = own;
	FUZZ_MUST(rc == CLI_DONE || rc == CLI_USAGE);
	if (rc == CLI_DONE) {
		FUZZ_MUST(!len);
		taken_is_right(&cli);
	} else {
		refused_in_one_line(said, len);
	}
	cli_drop(&cli);
	free(said);
	return 0;
}
