/* Texts in columns. Cells are strings that outlive the table; rows that are empty behind column 0 are not printed. */
#ifndef FRONT_CLI_TABLE_H
#define FRONT_CLI_TABLE_H

#include "cli.h"

struct cli_table;

struct cli_table *cli_table_new(size_t column_count);
void cli_table_row(struct cli_table *t, const char *first);		/* begin a row */
void cli_table_put(struct cli_table *t, size_t column, const char *text);	/* into the last row */
void cli_table_mark(struct cli_table *t);				/* the last row, with "≠" and colour */
size_t cli_table_width(const struct cli_table *t);			/* with all columns side by side */

/* Print with two blanks in front. @width: columns that would pass it continue below, column 0 repeated; 0: never. */
void cli_table_print(const struct cli_table *t, size_t width);
struct cli_table *cli_table_free(struct cli_table *t);

#endif
