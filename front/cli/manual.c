/* umd-manual: the manual page and the completion of umd, written by the table of commands. Runs while umd is built.
 *
 *	umd-manual page TEMPLATE VERSION    umd.1 in scdoc: the template, with what the table knows put in
 *	umd-manual bash                     the completion of bash (manual_bash.c)
 *
 * In the template a line "@SYNOPSIS@" stands for one line of syntax for each verb, "@VERBS@" for a section of each verb
 * with its sentence, its options and its examples; "@VERSION@" in the first line for the version. What people write by
 * hand is in the template alone, what the parser takes is in the table alone. */
#include "manual.h"

#include <stdlib.h>
#include <string.h>

/* The table names the functions of the commands; here nobody calls them. */
#define OPTION(name, value, type, sentence, alias)
#define COMMAND(verb, ...)					\
	int cmd_##verb(const struct cli *cli)			\
	{							\
		return CLI_FAILED;				\
	}
#include "commands.def"
#undef COMMAND
#undef OPTION

/* scdoc gives a meaning to these. */
static void put_text(const char *s)
{
	for (; *s; s++) {
		if (strchr("*_\\`#~<>|[]", *s))
			putchar('\\');
		putchar(*s);
	}
}

static void put_synopsis(void)
{
	for (const struct cli_command *c = cli_commands; c->name; c++) {
		printf("*umd %s* ", c->name);
		put_text(c->syntax);
		puts(c[1].name ? "++" : "");
	}
}

static void put_option(const struct cli_option *o)
{
	printf("*--%s*", o->name);
	if (o->value) {
		fputs(*o->value == '[' ? "_" : "=_", stdout);
		put_text(o->value);
		putchar('_');
	}
	if (o->alias)
		printf(", *%s%s*", o->alias[1] ? "--" : "-", o->alias);
	fputs("\n\t", stdout);
	put_text(o->sentence);
	fputs("\n\n", stdout);
}

static void put_verb(const struct cli_command *c)
{
	const struct cli_option *o;

	printf("## umd %s\n\n*umd %s* ", c->name, c->name);	/* a heading is taken as it is */
	put_text(c->syntax);
	fputs("\n\n", stdout);
	put_text(c->sentence);
	fputs("\n\n", stdout);
	for (size_t n = 0; (o = cli_nth_option(c, n)); n++)
		put_option(o);
	printf("Examples:\n\n```\n%s\n%s\n```\n\n", c->examples[0], c->examples[1]);
}

static void put_verbs(void)
{
	for (const struct cli_command *c = cli_commands; c->name; c++)
		put_verb(c);
}

static void put_line(const char *line, const char *version)
{
	const char *at = strstr(line, "@VERSION@");

	if (!strcmp(line, "@SYNOPSIS@\n"))
		put_synopsis();
	else if (!strcmp(line, "@VERBS@\n"))
		put_verbs();
	else if (at)
		printf("%.*s%s%s", (int)(at - line), line, version, at + strlen("@VERSION@"));
	else
		fputs(line, stdout);
}

static int put_page(const char *template, const char *version)
{
	FILE *from = fopen(template, "r");
	size_t room = 0;
	char *line = NULL;

	if (!from) {
		perror(template);
		return CLI_FAILED;
	}
	while (getline(&line, &room, from) > 0)
		put_line(line, version);
	free(line);
	fclose(from);
	return CLI_DONE;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "page"))
		return put_page(argv[2], argv[3]);
	if (argc == 2 && !strcmp(argv[1], "bash")) {
		manual_put_bash();
		return CLI_DONE;
	}
	fputs("usage: umd-manual page TEMPLATE VERSION | umd-manual bash\n", stderr);
	return CLI_USAGE;
}
