/* Members side by side: rows in which they differ are marked.
 *
 * Up to COLUMNS_MAX members have a column each, if they fit. More would make a table in which nobody finds the one that
 * is different: what they all agree on is then said once, and only where they differ has each a line of its own. Rows
 * that differ in every healthy array (device uuid, role, checksum) are not marked. */
#include <stdlib.h>
#include <string.h>

#include "cmd_examine.h"
#include "table.h"

enum { COLUMNS_MAX = 4 };

typedef const struct examined *const *examined_list;

static bool differs(examined_list members, size_t count, size_t row)
{
	for (size_t i = 1; i < count; i++)
		if (strcmp(members[i]->cells[row], members[0]->cells[row]))
			return true;
	return false;
}

static bool is_empty(examined_list members, size_t count, size_t row)
{
	return !*members[0]->cells[row] && !differs(members, count, row);
}

/* Where others have something to say, nothing is a fact as well. */
static const char *cell_of(const struct examined *e, size_t row, bool is_different)
{
	return is_different && !*e->cells[row] ? "-" : e->cells[row];
}

/* The verdict in words; what has none was refused before it could be judged. */
static const char *verdict_of(const struct examined *e)
{
	static const struct {
		const char *verdict, *words;
	} said[] = {
		{ "in_sync", "in sync" },
		{ "stale_bitmap", "out of date: needs the set chunks" },
		{ "stale_full", "out of date: needs everything" },
		{ "away", "out of date: left out until re-add" },
		{ "unjudged", "not judged" },
		{ "recovering", "being recovered" },
	};

	if (!*e->verdict)
		return *e->error ? "refused" : "";
	for (size_t i = 0; i < sizeof said / sizeof *said; i++)
		if (!strcmp(e->verdict, said[i].verdict))
			return said[i].words;
	return e->verdict;
}

static struct cli_table *columns_of(examined_list members, size_t count)
{
	struct cli_table *t = cli_table_new(count + 1);

	cli_table_row(t, "");
	for (size_t i = 0; i < count; i++)
		cli_table_put(t, i + 1, members[i]->path);
	cli_table_row(t, "judged");
	for (size_t i = 0; i < count; i++)
		cli_table_put(t, i + 1, verdict_of(members[i]));
	for (size_t row = 0; examine_row(row); row++) {
		bool is_different = differs(members, count, row);

		cli_table_row(t, examine_row(row)->label);
		if (is_different && !examine_row(row)->is_natural)
			cli_table_mark(t);
		for (size_t i = 0; i < count; i++)
			cli_table_put(t, i + 1, cell_of(members[i], row, is_different));
	}
	return t;
}

/* False, and nothing printed, where they would not stand side by side. Two do, whatever it takes. */
static bool print_columns(examined_list members, size_t count)
{
	struct cli_table *t;
	bool fits;

	if (count > COLUMNS_MAX)
		return false;
	t = columns_of(members, count);
	fits = count <= 2 || cli_table_width(t) <= cli_columns();
	if (fits)
		cli_table_print(t, 0);
	cli_table_free(t);
	return fits;
}

/* What all members agree on. */
static void print_agreed(examined_list members, size_t count)
{
	struct cli_table *t = cli_table_new(2);

	printf("All %zu agree on this:\n\n", count);
	for (size_t row = 0; examine_row(row); row++)
		if (!is_empty(members, count, row) && !differs(members, count, row)) {
			cli_table_row(t, examine_row(row)->label);
			cli_table_put(t, 1, members[0]->cells[row]);
		}
	cli_table_print(t, 0);
	cli_table_free(t);
}

/* A line for each member; a column for each row of facts in which they differ. */
static void print_lines(examined_list members, size_t count)
{
	size_t rows[EXAMINE_ROWS], row_count = 0;
	struct cli_table *t;

	for (size_t row = 0; examine_row(row); row++)
		if (differs(members, count, row) && !examine_row(row)->is_detail)
			rows[row_count++] = row;

	t = cli_table_new(row_count + 2);
	cli_table_row(t, "member");
	cli_table_put(t, 1, "judged");
	for (size_t k = 0; k < row_count; k++)
		cli_table_put(t, k + 2, cli_print("%s%s", examine_row(rows[k])->is_natural ? "" : "≠ ",
						  examine_row(rows[k])->label));
	for (size_t i = 0; i < count; i++) {
		cli_table_row(t, members[i]->path);
		cli_table_put(t, 1, verdict_of(members[i]));
		for (size_t k = 0; k < row_count; k++)
			cli_table_put(t, k + 2, cell_of(members[i], rows[k], true));
	}
	cli_table_print(t, cli_columns());
	cli_table_free(t);
}

/* @text_of: a small table of one member. Members that have the same one share it. */
static void print_shared(examined_list members, size_t count, char *(*text_of)(const struct examined *),
			 const char *what)
{
	for (size_t i = 0; i < count; i++) {
		const char *text = text_of(members[i]), *owners = members[i]->path;
		bool is_first = text != NULL;

		for (size_t k = 0; text && k < i; k++)
			is_first = is_first && !(text_of(members[k]) && !strcmp(text_of(members[k]), text));
		for (size_t k = i + 1; is_first && k < count; k++)
			if (text_of(members[k]) && !strcmp(text_of(members[k]), text))
				owners = cli_print("%s, %s", owners, members[k]->path);
		if (is_first)
			printf("\n  %s %s\n%s", what, owners, text);
	}
}

static char *slots_of(const struct examined *e)
{
	return e->slots;
}

static char *disks_of(const struct examined *e)
{
	return e->disks;
}

/* Most sentences name their member; one that does not gets its name in front. */
static void print_sentence(const struct examined *e, const char *sentence)
{
	bool is_named = strstr(sentence, e->path);

	printf("  %s%s%s\n", is_named ? "" : e->path, is_named ? "" : ": ", sentence);
}

static bool has_note(const struct examined *e, const char *note)
{
	for (size_t k = 0; k < e->note_count; k++)
		if (!strcmp(e->notes[k], note))
			return true;
	return false;
}

/* A note of member @i, with all members that have the same one; nothing where an earlier one had it. */
static void print_note(examined_list members, size_t count, size_t i, const char *note)
{
	const char *owners = members[i]->path;

	for (size_t k = 0; k < i; k++)
		if (has_note(members[k], note))
			return;
	if (strstr(note, members[i]->path)) {
		printf("  note: %s\n", note);
		return;
	}
	for (size_t k = i + 1; k < count; k++)
		if (has_note(members[k], note))
			owners = cli_print("%s, %s", owners, members[k]->path);
	printf("  note: %s: %s\n", owners, note);
}

static void print_sentences(examined_list members, size_t count)
{
	bool has_any = false;

	for (size_t i = 0; i < count; i++)
		has_any = has_any || *members[i]->reason || members[i]->note_count;
	if (has_any)
		putchar('\n');
	for (size_t i = 0; i < count; i++)
		if (*members[i]->reason)
			print_sentence(members[i], members[i]->reason);
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < members[i]->note_count; k++)
			print_note(members, count, i, members[i]->notes[k]);
}

void examine_print_members(const struct examined *const *members, size_t count)
{
	putchar('\n');
	if (!print_columns(members, count)) {
		print_agreed(members, count);
		printf("\nEach for itself (≠: where they differ and seldom do):\n\n");
		print_lines(members, count);
	}
	print_shared(members, count, slots_of, "slots on");
	print_shared(members, count, disks_of, "disks as told by");
	print_sentences(members, count);
}
