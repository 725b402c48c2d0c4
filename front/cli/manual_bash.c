/* The completion of bash, written by the table of commands.
 *
 * Two case statements come from the table: the options of each verb with the kind of its words, and the values of those
 * options that have a few known ones ("1.0|1.1|1.2"; what stands in capitals is not a value). The rest is the same text
 * for every table. Names of running arrays come from `umd list`; where nothing is offered, bash completes file
 * names. */
#include <ctype.h>
#include <string.h>

#include "manual.h"

static bool is_known_value(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (isupper((unsigned char)s[i]))
			return false;
	return len;
}

/* Values of @o that can be offered. */
static void put_values(const struct cli_command *c, const struct cli_option *o)
{
	bool is_first = true;
	size_t len;

	for (const char *s = o->value; s && *s; s += len + (s[len] == '|')) {
		len = strcspn(s, "|");
		if (!is_known_value(s, len))
			continue;
		if (is_first)
			printf("\t%s:--%s) echo \"", c->name, o->name);
		printf("%s%.*s", is_first ? "" : " ", (int)len, s);
		is_first = false;
	}
	if (!is_first)
		puts("\" ;;");
}

static void put_verb(const struct cli_command *c)
{
	const struct cli_option *o;

	printf("\t%s)\n\t\toptions=\"", c->name);
	for (size_t n = 0; (o = cli_nth_option(c, n)); n++)
		printf("--%s%s ", o->name, o->value && *o->value != '[' ? "=" : "");
	printf("--help\"\n\t\twords=%s ;;\n",
	       !strstr(c->syntax, "NAME") ? (c->words_max ? "files" : "none") :
	       strstr(c->syntax, "NAME |")    ? "both" :
	       strstr(c->syntax, "MEMBER")    ? "name_first" :
						"names");
}

static const char head[] =
	"# Completion of umd for bash; written by umd-manual from the table of commands.\n\n"
	"# Values that option $2 of verb $1 may have.\n"
	"_umd_values()\n{\n\tcase $1:$2 in\n";

static const char middle[] =
	"\"\n}\n\n"
	"_umd_names()\n{\n\tumd list 2> /dev/null | sed -n 's/^  \\([^ ]*\\).*/\\1/p'\n}\n\n"
	"_umd()\n{\n"
	"\tlocal current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} verb=${COMP_WORDS[1]}\n"
	"\tlocal options= words=none\n"
	"\tCOMPREPLY=()\n"
	"\tif [[ $COMP_CWORD -eq 1 ]]; then\n"
	"\t\tCOMPREPLY=($(compgen -W \"$(_umd_verbs) --help --version\" -- \"$current\"))\n"
	"\t\treturn\n"
	"\tfi\n\n"
	"\t# Readline makes three words of --option=value.\n"
	"\tif [[ $current == = ]]; then\n"
	"\t\tcurrent= before=$before=\n"
	"\telif [[ $before == = ]]; then\n"
	"\t\tbefore=${COMP_WORDS[COMP_CWORD-2]}=\n"
	"\tfi\n"
	"\tlocal values=$(_umd_values \"$verb\" \"${before%=}\")\n"
	"\tif [[ $before == --*= || $values ]]; then\n"
	"\t\tCOMPREPLY=($(compgen -W \"$values\" -- \"$current\"))\n"
	"\t\treturn\n"
	"\tfi\n\n"
	"\tcase $verb in\n";

static const char tail[] =
	"\tesac\n"
	"\tif [[ $current == -* ]]; then\n"
	"\t\tCOMPREPLY=($(compgen -W \"$options\" -- \"$current\"))\n"
	"\t\t[[ ${COMPREPLY[0]} != *= ]] || compopt -o nospace 2> /dev/null\n"
	"\telif [[ $words == names || $words == both || ($words == name_first && $COMP_CWORD -eq 2) ]]; then\n"
	"\t\tCOMPREPLY=($(compgen -W \"$(_umd_names)\" -- \"$current\"))\n"
	"\t\t[[ $words != both ]] || compopt -o filenames 2> /dev/null\n"
	"\t\t[[ $words != both ]] || mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- \"$current\")\n"
	"\tfi\n"
	"}\n\n"
	"complete -o bashdefault -o default -F _umd umd\n";

void manual_put_bash(void)
{
	const struct cli_option *o;

	fputs(head, stdout);
	for (const struct cli_command *c = cli_commands; c->name; c++)
		for (size_t n = 0; (o = cli_nth_option(c, n)); n++)
			put_values(c, o);
	fputs("\tesac\n}\n\n_umd_verbs()\n{\n\techo \"", stdout);
	for (const struct cli_command *c = cli_commands; c->name; c++)
		printf("%s%s", c > cli_commands ? " " : "", c->name);
	fputs(middle, stdout);
	for (const struct cli_command *c = cli_commands; c->name; c++)
		put_verb(c);
	fputs(tail, stdout);
}
