/* umd examine --runs: the set chunks by number, "65, 88-90", as the library finds them.
 *
 * Members are looked at once more, one by one, and the runs are printed while they come: a bitmap may have billions.
 * Of a lockless bitmap the runs of every state are shown, "88-90 dirty". */
#include <ctype.h>
#include <string.h>

#include "cmd_examine.h"
#include "json.h"
#include "json_pieces.h"

enum { WIDTH = 100, INDENT = 4 };

struct runs {
	const struct examined *member;
	uint64_t numbers[2], bitmap;	/* of the run being read; bitmaps of this member so far */
	unsigned count;			/* of numbers */
	bool is_number;
	char state[24];
	size_t state_len;
	int column;			/* 0: nothing was printed for this bitmap */
	bool is_truncated;
};

static void say_run(struct runs *r)
{
	char text[96];
	int len;

	len = snprintf(text, sizeof text, "%llu", (unsigned long long)r->numbers[0]);
	if (r->numbers[1] != r->numbers[0])
		len += snprintf(text + len, sizeof text - len, "-%llu", (unsigned long long)r->numbers[1]);
	if (r->state_len)
		len += snprintf(text + len, sizeof text - len, " %s", r->state);

	if (!r->column && r->member->bitmap_count > 1)
		printf("\n%s, chunks of slot %llu:", r->member->path, (unsigned long long)r->bitmap);
	else if (!r->column)
		printf("\n%s, chunks:", r->member->path);
	if (!r->column || r->column + 2 + len > WIDTH)
		r->column = printf("%s\n%*s%s", r->column ? "," : "", INDENT, "", text);
	else
		r->column += printf(", %s", text);
}

static void end_list(struct runs *r)
{
	if (r->column)
		putchar('\n');
	r->column = 0;
	r->bitmap++;
}

static void on_run(void *opaque, const char *key, char c)
{
	struct runs *r = opaque;

	if (!strcmp(key, "set") == r->member->is_lockless)
		return;
	if (isdigit((unsigned char)c)) {
		if (!r->is_number && r->count < 2)
			r->numbers[r->count++] = 0;
		r->is_number = true;
		r->numbers[r->count - 1] = r->numbers[r->count - 1] * 10 + (c - '0');
		return;
	}
	r->is_number = false;
	if ((islower((unsigned char)c) || c == '_') && r->state_len + 1 < sizeof r->state) {
		r->state[r->state_len++] = c;
		r->state[r->state_len] = '\0';
	} else if (c == ']' && r->count == 2) {
		say_run(r);
		r->count = r->state_len = 0;
	} else if (c == ']') {
		end_list(r);
	}
}

static void on_element(void *opaque, const char *list, struct json_object *element)
{
	struct json_object *bitmaps = cli_json_get(element, "bitmaps");
	struct runs *r = opaque;

	for (size_t i = 0; i < cli_json_len(bitmaps); i++) {
		struct json_object *b = json_object_array_get_idx(bitmaps, i);

		r->is_truncated = r->is_truncated || cli_json_bool(b, "set_truncated") ||
				  (r->member->is_lockless && cli_json_bool(b, "state_runs_truncated"));
	}
}

int examine_print_runs(const struct examined_all *all, const struct umd_look_options *options)
{
	struct umd_error error;
	size_t errors;
	int rc;

	for (size_t i = 0; i < all->count; i++) {
		struct runs r = { .member = &all->members[i] };
		struct cli_pieces p = { .on_element = on_element, .on_run = on_run, .opaque = &r };
		const char *path = r.member->path_raw;

		if (!r.member->has_set && !r.member->is_lockless)
			continue;
		rc = umd_examine(&path, 1, options, cli_pieces_sink, &p, &errors, &error);
		cli_pieces_drop(&p);
		if (rc)
			return cli_fail(&error);
		if (r.is_truncated)
			printf("%s has more runs than these: --all shows all of them\n", r.member->path);
	}
	return CLI_DONE;
}
