/* A read, a write, and its end: what is common to all attributes.
 *
 * A value arrives whole. An empty write is no write; one newline may end it; a value longer than a page cannot arrive
 * through sysfs and is refused here; so are bytes that are no text, which md would store or stop at. Then the row's
 * writer decides (set_*.c). Writers check everything before they change anything: a refused write leaves the tree as it
 * was.
 *
 * What is only configuration has changed when att_write() returns. What needs the array is an action: the tree follows
 * in att_done(), when it was done. */
#include "attrs/inside.h"

int att_read(const struct att *t, const struct att_view *view, const char *path, struct text *out)
{
	const struct att_row *row;
	struct att_look l = { t, view, NULL };
	enum att_row_no no;
	uint32_t dev;
	int rc = att_find(t, view, path, &no, &dev);

	if (rc < 0)
		return rc;
	row = &att_rows[no];
	if (!(row->mode & 0444))
		return -EACCES;
	if (dev != ATT_NO_DEV)
		l.dev = &t->devs[dev];
	if (row->get)
		rc = row->get(&l, out);
	else
		text_add(out, "%s", row->constant);
	return out->is_broken ? -ENOMEM : rc;
}

/* Words and numbers are ASCII; a path may have any letters. */
static bool is_text(const char *value, size_t len_bytes, bool is_path)
{
	for (size_t i = 0; i < len_bytes; i++) {
		uint8_t c = (uint8_t)value[i];

		if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7f || (c > 0x7f && !is_path))
			return false;
	}
	return true;
}

/* Into action->text, without the newline at its end. */
static int take_value(struct att_store *s, const char *value, size_t len_bytes)
{
	if (len_bytes > ATT_VALUE_MAX)
		return err_set(s->err, -EINVAL, "%s takes %d bytes at most, and %zu were written; nothing has changed",
			       att_rows[s->row].path, ATT_VALUE_MAX, len_bytes);
	if (!is_text(value, len_bytes, s->row == ATT_ROW_new_dev))
		return err_set(s->err, -EINVAL, "%s takes plain text, and what was written has other bytes; nothing "
			       "has changed", att_rows[s->row].path);
	if (value[len_bytes - 1] == '\n')
		len_bytes--;
	memcpy(s->value, value, len_bytes);
	s->value[len_bytes] = 0;
	s->len_bytes = len_bytes;
	return 0;
}

static void begin(struct att_action *action)
{
	memset(action, 0, offsetof(struct att_action, joins));
	memset((char *)action + offsetof(struct att_action, text), 0,
	       sizeof *action - offsetof(struct att_action, text));
	action->dev = ATT_NO_DEV;
	action->entry = ARR_MEMBERS_MAX;
	action->row = ATT_ROWS;
	action->row_dev = ATT_NO_DEV;
}

int att_write(struct att *t, const struct att_view *view, const char *path, const char *value, size_t len_bytes,
	      struct att_action *action, struct err *err)
{
	struct att_store s = { .t = t, .view = view, .value = action->text, .action = action, .err = err };
	uint32_t dev;
	int rc = att_find(t, view, path, &s.row, &dev);

	begin(action);
	t->bitmap.coming_sectors = 0;
	if (rc < 0)
		return err_set(err, rc, rc == -ENODEV ? "no such device is bound to the array" :
			       "no such attribute is there now");
	if (!(att_rows[s.row].mode & 0200))
		return err_set(err, -EACCES, "%s can only be read", att_rows[s.row].path);
	if (!len_bytes)
		return 0;
	s.dev = att_dev(t, dev);
	rc = take_value(&s, value, len_bytes);
	if (rc < 0)
		return rc;
	if (!att_rows[s.row].set)
		return att_refuse(&s, -EOPNOTSUPP, "setting it is not supported (%s)", att_rows[s.row].sentence);
	rc = att_rows[s.row].set(&s);
	if (rc < 0)
		return rc;
	action->row = s.row;
	action->row_dev = dev;
	return 0;
}
