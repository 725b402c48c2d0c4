/* The table of attributes: rows out of attrs.def, finding one by its path, listing what is there.
 *
 * A path of group D is written "dev-*" in the table; a folder's name has no slash, so the first slash ends it. Which
 * groups are there: A, B and U always, R while the array runs, K of a node, D once for each device. In
 * 6.1 a stopped array's R rows are gone, too [seen].
 *
 * Words and cases without engine (T) are rows of their own: what answers "not supported", what documents list and what
 * tests/attr/todo says are the same lines. */
#include "attrs/inside.h"

enum { rw = 0644, ro = 0444, wo = 0200 };
enum { no = 0, yes = 1 };

#define GET_rw(id) att_get_##id
#define GET_ro(id) att_get_##id
#define GET_wo(id) NULL
#define SET_rw(id) att_set_##id
#define SET_ro(id) NULL
#define SET_wo(id) att_set_##id

const struct att_row att_rows[ATT_ROWS] = {
#define A(id, path, mode, group, notifies, sentence)                                                \
	[ATT_ROW_##id] = { path, mode, #group[0], notifies, true, GET_##mode(id), SET_##mode(id), NULL, sentence },
#define G(id, path, mode, group, notifies, sentence)                                                \
	[ATT_ROW_##id] = { path, mode, #group[0], notifies, false, GET_##mode(id), NULL, NULL, sentence },
#define C(id, path, mode, group, notifies, text, sentence)                                          \
	[ATT_ROW_##id] = { path, mode, #group[0], notifies, false, NULL, NULL, text, sentence },
#define T(...)
#include "attrs/attrs.def"
#undef A
#undef G
#undef C
#undef T
};

static const struct {
	const char *path, *what, *sentence;
} todo[] = {
#define A(...)
#define G(...)
#define C(...)
#define T(path, what, sentence) { path, what, sentence },
#include "attrs/attrs.def"
#undef A
#undef G
#undef C
#undef T
};

enum { TODO_COUNT = sizeof todo / sizeof *todo };

int att_todo(struct att_store *s, const char *what)
{
	int rc = att_todo_word(s, what);

	MUST(rc == -EOPNOTSUPP);
	return rc;
}

int att_todo_word(struct att_store *s, const char *what)
{
	for (size_t i = 0; i < TODO_COUNT; i++)
		if (att_is(todo[i].path, att_rows[s->row].path) && att_is(todo[i].what, what))
			return att_refuse(s, -EOPNOTSUPP, "%s is not supported", todo[i].sentence);
	return 0;
}

static bool is_there(const struct att_row *row, const struct att_view *view)
{
	if (row->group == 'K')
		return view->cluster;
	return row->group != 'R' || view->status;
}

static const struct att_dev *dev_of(const struct att *t, const char *path, const char **ret_rest)
{
	const char *slash = strchr(path, '/');

	ATT_EACH_DEV(d, t) {
		size_t len = strlen(d->name);

		if (slash && (size_t)(slash - path) == len + 4 && !memcmp(path + 4, d->name, len)) {
			*ret_rest = slash + 1;
			return d;
		}
	}
	return NULL;
}

int att_find(const struct att *t, const struct att_view *view, const char *path, enum att_row_no *ret_row,
	     uint32_t *ret_dev)
{
	const struct att_dev *d = NULL;
	const char *rest = path;

	if (att_begins(path, "dev-")) {
		d = dev_of(t, path, &rest);
		if (!d)
			return -ENODEV;
	}
	for (uint32_t i = 0; i < ATT_ROWS; i++) {
		const struct att_row *row = &att_rows[i];

		if ((row->group == 'D') != !!d || !is_there(row, view))
			continue;
		if (!att_is(d ? row->path + strlen("dev-*/") : row->path, rest))
			continue;
		*ret_row = i;
		*ret_dev = d ? att_index(t, d) : ATT_NO_DEV;
		return 0;
	}
	return -ENOENT;
}

/* ---- listing ---- */

static struct att_entry entry_of(const struct att_row *row)
{
	return (struct att_entry){ .path = row->path, .mode = row->mode, .group = row->group, .notifies = row->notifies,
				   .has_engine = row->has_engine, .sentence = row->sentence };
}

static void list_dev(const struct att_dev *d, att_list_cb *cb, void *opaque)
{
	char path[ATT_PATH_MAX];

	for (uint32_t i = 0; i < ATT_ROWS; i++) {
		struct att_entry e = entry_of(&att_rows[i]);

		if (e.group != 'D')
			continue;
		text_fit(path, sizeof path, "dev-%s/%s", d->name, e.path + strlen("dev-*/"));
		e.path = path;
		cb(opaque, &e);
	}
}

static void list_link(const struct att_dev *d, const struct att_view *view, att_list_cb *cb, void *opaque)
{
	struct att_now now = att_now(d, view);
	struct att_entry e = { .mode = 0777, .group = 'R', .has_engine = true,
			       .sentence = "link to the device in that slot" };
	char path[32], target[ATT_NAME_BYTES + 8];

	if (!view->status || now.slot == ATT_NO_SLOT)
		return;
	text_fit(path, sizeof path, "rd%u", now.slot);
	text_fit(target, sizeof target, "dev-%s", d->name);
	e.path = path;
	e.link_to = target;
	cb(opaque, &e);
}

void att_list(const struct att *t, const struct att_view *view, att_list_cb *cb, void *opaque)
{
	for (uint32_t i = 0; i < ATT_ROWS; i++) {
		struct att_entry e = entry_of(&att_rows[i]);

		if (e.group != 'D' && is_there(&att_rows[i], view))
			cb(opaque, &e);
	}
	ATT_EACH_DEV(d, t)
		list_dev(d, cb, opaque);
	ATT_EACH_DEV(d, t)
		list_link(d, view, cb, opaque);
}

void att_list_patterns(att_list_cb *cb, void *opaque)
{
	for (uint32_t i = 0; i < ATT_ROWS; i++) {
		struct att_entry e = entry_of(&att_rows[i]);

		cb(opaque, &e);
	}
}

void att_list_todo(att_todo_cb *cb, void *opaque)
{
	for (uint32_t i = 0; i < ATT_ROWS; i++)
		if (!att_rows[i].has_engine)
			cb(opaque, att_rows[i].path, NULL, att_rows[i].sentence);
	for (size_t i = 0; i < TODO_COUNT; i++)
		cb(opaque, todo[i].path, todo[i].what, todo[i].sentence);
}
