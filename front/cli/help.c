/* Help, from the table of commands: what is printed is what the parser takes.
 *
 * Sentences are wrapped behind their option, at 100 columns; examples come as they stand in the table. */
#include "cli.h"

#include <string.h>

/* Words of @text in lines of at most @width columns, each behind @indent blanks; the first is where the cursor is. */
static void wrap(FILE *to, const char *text, int indent, int width)
{
	int column = indent;

	while (*text) {
		int len = strcspn(text, " ");

		if (column > indent && column + 1 + len > width) {
			fprintf(to, "\n%*s", indent, "");
			column = indent;
		}
		column += fprintf(to, "%s%.*s", column > indent ? " " : "", len, text);
		text += len;
		text += *text == ' ';
	}
	fputc('\n', to);
}

static void option_line(FILE *to, const char *name, const char *value, const char *sentence)
{
	int len = fprintf(to, "  --%s%s%s", name, value && *value != '[' ? "=" : "", value ?: "");

	if (len > 28)
		fprintf(to, "\n%30s", "");
	else
		fprintf(to, "%*s", 30 - len, "");
	wrap(to, sentence, 30, 100);
}

void cli_help(FILE *to)
{
	fputs("umd: Linux software-RAID mirrors in user space\n\nusage: umd VERB [OPTIONS] ...\n", to);
	for (const struct cli_command *c = cli_commands; c->name; c++) {
		if (cli_group_of(c))
			fprintf(to, "\n%s\n", cli_group_of(c));
		fprintf(to, "  %-10s", c->name);
		wrap(to, c->sentence, 12, 100);
	}
	fputs("\numd VERB --help tells more, and so does man umd; umd --version prints the version.\n"
	      "Exit status: 0 done, 1 failed (one sentence says why), 2 wrong usage.\n",
	      to);
}

void cli_help_command(FILE *to, const struct cli_command *c)
{
	const struct cli_option *o;

	fprintf(to, "usage: umd %s %s\n\n", c->name, c->syntax);
	wrap(to, c->sentence, 0, 100);
	fputc('\n', to);
	for (size_t n = 0; (o = cli_nth_option(c, n)); n++) {
		option_line(to, o->name, o->value, o->sentence);
		if (o->alias)
			fprintf(to, "%30s(also %s%s)\n", "", o->alias[1] ? "--" : "-", o->alias);
	}
	option_line(to, "help", NULL, "this text");
	fprintf(to, "\nExamples:\n  %s\n  %s\n", c->examples[0], c->examples[1]);
}
