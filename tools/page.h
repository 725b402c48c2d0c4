/* Pages of docs that are made from tables: a template's text, with what the tables say put in.
 *
 * A line "@@name" of the template becomes what @print of that name prints, "@@(name)" inside a line its number. A name
 * that is not known, and one that the template does not use, are errors: neither may be lost without notice. */
#ifndef UMD_TOOLS_PAGE_H
#define UMD_TOOLS_PAGE_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct page_name {
	const char *name;
	void (*print)(void);		/* NULL: a number */
	unsigned number;
	bool is_used;
};

static struct {
	const char *program;
	struct page_name *names;
	size_t count;
} page;

static void page_print_name(const char *name, size_t len)
{
	for (size_t i = 0; i < page.count; i++) {
		struct page_name *n = &page.names[i];

		if (strlen(n->name) != len || memcmp(n->name, name, len) != 0)
			continue;
		n->is_used = true;
		if (n->print)
			n->print();
		else
			printf("%u", n->number);
		return;
	}
	fprintf(stderr, "%s: the template asks for %.*s, which is not known\n", page.program, (int)len, name);
	exit(1);
}

static void page_print_line(const char *line)
{
	if (line[0] == '@' && line[1] == '@' && line[2] != '(') {
		page_print_name(line + 2, strcspn(line + 2, "\n"));
		return;
	}
	for (const char *at; (at = strstr(line, "@@(")) != NULL;) {
		size_t len = strcspn(at + 3, ")\n");

		fwrite(line, 1, at - line, stdout);
		page_print_name(at + 3, len);
		line = at + 3 + len + (at[3 + len] == ')');
	}
	fputs(line, stdout);
}

/* PROGRAM TEMPLATE > PAGE */
static int page_main(int argc, char **argv, const char *program, struct page_name *names, size_t count)
{
	FILE *template = argc == 2 ? fopen(argv[1], "r") : NULL;
	unsigned unused = 0;
	char line[512];

	page.program = program;
	page.names = names;
	page.count = count;
	if (!template) {
		fprintf(stderr, "%s TEMPLATE: the template cannot be read\n", program);
		return 2;
	}
	while (fgets(line, sizeof line, template))
		page_print_line(line);
	fclose(template);
	for (size_t i = 0; i < count; i++)
		if (!names[i].is_used) {
			fprintf(stderr, "%s: the template does not use %s\n", program, names[i].name);
			unused++;
		}
	return unused || fflush(stdout) ? 1 : 0;
}

#endif
