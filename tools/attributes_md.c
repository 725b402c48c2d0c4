/* Prints docs/attributes.md: a template's text, with the tables of attributes made from the table that the tree answers
 * from.
 *
 *	attributes-md tools/attributes.md.in > docs/attributes.md
 *
 * It runs at build time only and is not installed. */
#include "attrs/attrs.h"

#include "../tools/page.h"

/* A cell of a table: a bar would end it. */
static void print_cell(const char *text)
{
	for (; *text; text++)
		printf(*text == '|' ? "\\|" : "%c", *text);
}

static void print_row(void *opaque, const struct att_entry *e)
{
	if (e->group != *(const char *)opaque)
		return;
	printf("| `%s` | %s | %s | %s | ", e->path, e->mode == 0444 ? "read" : e->mode == 0200 ? "write" : "both",
	       e->notifies ? "wakes" : "", e->has_engine ? "" : "not supported");
	print_cell(e->sentence);
	printf(" |\n");
}

static void print_group(char group)
{
	printf("| attribute | | poll | engine | meaning |\n|---|---|---|---|---|\n");
	att_list_patterns(print_row, &group);
}

static void print_array(void)
{
	print_group('A');
}

static void print_running(void)
{
	print_group('R');
}

static void print_bitmap(void)
{
	print_group('B');
}

static void print_device(void)
{
	print_group('D');
}

static void print_cluster(void)
{
	print_group('K');
}

static void print_own(void)
{
	print_group('U');
}

static void print_todo_row(void *opaque, const char *path, const char *what, const char *sentence)
{
	(void)opaque;
	printf("| `%s` | ", path);
	print_cell(what ? what : "any value");
	printf(" | ");
	print_cell(sentence);
	printf(" |\n");
}

static void print_todo(void)
{
	printf("| attribute | written | stands for |\n|---|---|---|\n");
	att_list_todo(print_todo_row, NULL);
}

static struct page_name names[] = {
	{ "array", print_array, 0, false }, { "running", print_running, 0, false }, { "bitmap", print_bitmap, 0, false },
	{ "device", print_device, 0, false }, { "cluster", print_cluster, 0, false }, { "own", print_own, 0, false },
	{ "todo", print_todo, 0, false },
	{ "devices_max", NULL, ATT_DEVS_MAX, false }, { "value_max", NULL, ATT_VALUE_MAX, false },
};

int main(int argc, char **argv)
{
	return page_main(argc, argv, "attributes-md", names, sizeof names / sizeof *names);
}
