/* umd: the command line tool, a guest of the library.
 *
 * It finds the command in the table, lets the parser check the words, and runs it. Verbs, options, help and usage
 * errors all come from commands.def. Exit status: 0 done, 1 failed, 2 usage; a failure is one sentence on stderr. */
#include "cli.h"

#include <errno.h>
#include <string.h>

/* A full disk under the output must not look like success. */
static int finish(int status)
{
	bool is_flushed = fflush(stdout) == 0;

	if (is_flushed && !ferror(stdout))
		return status;
	/* Of a write that failed long ago only the fact is left. */
	cli_refuse("the output could not be written%s%s", is_flushed ? "" : ": ", is_flushed ? "" : strerror(errno));
	return status ?: CLI_FAILED;
}

static bool asks_for_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--help"))
			return true;
	return false;
}

static int run_command(const struct cli_command *command, int argc, char **argv)
{
	struct cli cli;
	int status;

	status = cli_parse(&cli, command, argc, argv);
	if (!status)
		status = command->run(&cli);
	cli_drop(&cli);
	return status;
}

int main(int argc, char **argv)
{
	const struct cli_command *command;

	if (argc < 2)
		return cli_usage("no verb was given; umd --help lists them");

	if (!strcmp(argv[1], "--version")) {
		printf("umd %s\n", umd_version());
		return finish(CLI_DONE);
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help")) {
		cli_help(stdout);
		return finish(CLI_DONE);
	}

	command = cli_find_command(argv[1]);
	if (!command)
		return cli_usage("there is no verb \"%s\"; umd --help lists them", cli_shown(argv[1]));
	if (asks_for_help(argc - 1, argv + 1)) {
		cli_help_command(stdout, command);
		return finish(CLI_DONE);
	}
	return finish(run_command(command, argc - 1, argv + 1));
}
