/* Writes of attributes, carried out: the tree decides, this does it, the tree makes it true.
 *
 *	set -> att_write() decides -> the action, with the lock left where it waits -> att_done() -> pollers are told
 *
 * Errands come one by one, so the tree's rule that no second write comes in between is kept by the queue. A write
 * waits for the I/O that it causes and never for the owner, who may be the one who writes. Nobody ends a run that a
 * client has open: that is looked at again here, since a client may have come since the decision.
 *
 * Left out: beginning a run (hand_start.c), how a member comes and goes (hand_member.c), members of arrays with
 * superblocks (admit.c). */
#include "run/cluster.h"
#include "run/hand.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "run/json.h"

/* ---- ends of runs ---- */

static int check_clients(const struct umd_array *u, struct err *err)
{
	return u->clients ? err_set(err, -EBUSY, "%u clients have the array open", u->clients) : 0;
}

static void stop(struct umd_array *u, struct arr_status *ret_last)
{
	pthread_mutex_unlock(&u->lock);
	run_end(u, ret_last);
	pthread_mutex_lock(&u->lock);
	for (uint32_t i = 0; i < ARR_MEMBERS_MAX; i++)
		run_hand_leaves(u, i);
}

/* None of them is in the array any more: its table's hands are devices' hands. */
void run_close_devices(struct umd_array *u)
{
	for (uint32_t i = 0; i < ARR_MEMBERS_MAX; i++)
		if (u->tree && att_dev_of_entry(u->tree, i) != ATT_NO_DEV)
			run_hand_leaves(u, i);
	for (uint32_t i = 0; i < ATT_DEVS_MAX && u->tree; i++) {
		struct att_dev *dev = att_dev(u->tree, i);

		if (!dev)
			continue;
		mbr_close(dev->hand);
		dev->hand = NULL;
	}
}

/* Whose superblocks they were is forgotten, too. */
static void forget(struct umd_array *u)
{
	run_close_devices(u);
	u->has_superblocks = false;
	memset(u->uuid, 0, sizeof u->uuid);
	memset(u->name, 0, sizeof u->name);
}

static int end(struct umd_array *u, bool forgets, struct arr_status *ret_last, struct err *err)
{
	int rc = check_clients(u, err);

	if (rc < 0)
		return rc;
	if (u->arr)
		stop(u, ret_last);
	if (forgets)
		forget(u);
	return 0;
}

/* ---- events ---- */

static bool is_settled(const struct arr_event *ev, const struct arr_status *s)
{
	if (s->is_stopping || s->is_broken)
		return true;
	if (ev->kind == ARR_EV_OWNER_CLEAN)
		return s->owner_clean != 1;
	if (ev->kind == ARR_EV_BACKLOG)
		return s->is_backlog_recorded || s->mode != ARR_MODE_WRITABLE;
	if (ev->kind == ARR_EV_WRITE_MOSTLY)
		return s->is_recorded || s->is_readonly || s->is_external;
	if (ev->kind == ARR_EV_CAN_CLEAR)
		return ev->value || !s->is_clearing;	/* after false no bit goes any more */
	return ev->kind != ARR_EV_SET_MODE || s->mode == s->mode_wanted || s->mode_wanted != (enum arr_mode)ev->value;
}

/* Only the hands know that members were opened for reading alone. */
static int check_writable(const struct umd_array *u, struct err *err)
{
	for (uint32_t i = 0; i < ARR_MEMBERS_MAX; i++)
		if (u->hands[i] && u->hands[i]->is_readonly)
			return err_set(err, -EROFS, "%s was opened for reading alone: the array stays read-only",
				       u->paths[i]);
	return 0;
}

/* Under the lock, which is left while it waits. */
static int step(struct umd_array *u, struct arr_event *ev, struct err *err)
{
	struct arr_status status;

	ev->err = err;
	if (ev->kind == ARR_EV_SET_MODE && ev->value != ARR_MODE_READONLY)
		ev->rc = check_writable(u, err);
	if (ev->rc == 0)
		run_step(u, ev);
	if (ev->rc < 0)
		return ev->rc;
	for (arr_get_status(u->arr, &status); !is_settled(ev, &status); arr_get_status(u->arr, &status))
		pthread_cond_wait(&u->changed, &u->lock);
	if (ev->kind == ARR_EV_SET_MODE && status.mode != (enum arr_mode)ev->value && !status.is_stopping)
		return err_set(err, -EBUSY, "the array is %s: a write or a failure came before it was read-only",
			       arr_state_name(status.state));
	if (ev->kind == ARR_EV_OWNER_CLEAN && status.owner_clean)
		return err_set(err, status.owner_clean == 1 ? -EIO : status.owner_clean,
			       "the array is %s: it cannot be clean now", arr_state_name(status.state));
	return 0;
}

/* As in md a write to sync_action is reason enough to end read-auto. */
static int make_writable(struct umd_array *u, const struct att_action *action, struct err *err)
{
	struct arr_event ev = { .kind = ARR_EV_SET_MODE, .value = ARR_MODE_WRITABLE };

	return action->makes_writable ? step(u, &ev, err) : 0;
}

static int join_one(struct umd_array *u, struct att_join *j, struct err *err)
{
	struct arr_event ev = { .kind = ARR_EV_ADD, .new_member = &j->member, .reason = j->reason, .err = err };

	run_step(u, &ev);
	if (ev.rc < 0)
		return ev.rc;
	j->entry = ev.ret_member;
	run_hand_takes(u, j->entry, att_dev(u->tree, j->dev)->hand);
	return 0;
}

/* What joined before one that is refused has joined: the tree sees it by its entry. */
static int join(struct umd_array *u, struct att_action *action, struct err *err)
{
	for (uint32_t i = 0; i < action->join_count; i++) {
		int rc = join_one(u, &action->joins[i], err);

		if (rc < 0)
			return rc;
	}
	return step(u, &action->event, err);
}

static int readd(struct umd_array *u, struct att_action *action, struct err *err)
{
	int rc;

	if (u->has_superblocks)
		return run_readd(u, action->dev, err);
	rc = run_hand_take_out(u, att_dev(u->tree, action->dev)->entry, err);
	return rc < 0 ? rc : join(u, action, err);
}

/* ---- one write ---- */

/* What other nodes must agree to is asked by commands. */
static int check_node(const struct att_action *action, struct err *err)
{
	if (action->kind == ATT_NOTHING || action->kind == ATT_EVENT || action->kind == ATT_SET_BITS)
		return 0;
	return err_set(err, -EOPNOTSUPP, "one node of a cluster does not do that by an attribute: members come and go "
		       "by umd manage, and umd stop ends this node");
}

/* @ret_last: what the array was, if the action ends its run. */
static int carry_out(struct umd_array *u, struct att_action *action, int fd, struct arr_status *ret_last,
		     struct err *err)
{
	int rc = u->cluster ? check_node(action, err) : 0;

	if (rc < 0)
		return rc;
	switch (action->kind) {
	case ATT_NOTHING:
		return 0;
	case ATT_BIND:
		return run_hand_bind(u, action, fd, err);
	case ATT_UNBIND:
		return run_hand_unbind(u, action, err);
	case ATT_START:
		return run_hand_start(u, action->mode, err);
	case ATT_STOP:
	case ATT_CLEAR:
		return end(u, action->kind == ATT_CLEAR, ret_last, err);
	case ATT_EVENT:
		rc = make_writable(u, action, err);
		return rc < 0 ? rc : step(u, &action->event, err);
	case ATT_JOIN:
		rc = make_writable(u, action, err);
		return rc < 0 ? rc : join(u, action, err);
	case ATT_READD:
		return readd(u, action, err);
	case ATT_BITMAP_SET:
		return run_hand_set_bitmap(u, action, err);
	case ATT_BITMAP_NONE:
		return run_hand_drop_bitmap(u, err);
	case ATT_SET_BITS:
		return run_hand_set_bits(u, action, err);
	}
	return err_set(err, -EOPNOTSUPP, "umd has no engine for it");
}

static int write_value(struct umd_array *u, const char *path, const char *value, size_t len_bytes, int fd,
		       struct err *err)
{
	struct att_action action = { 0 };
	struct arr_status status;
	struct att_view view;
	int rc;

	pthread_mutex_lock(&u->lock);
	view = run_view(u, &status);
	rc = u->is_ending ? err_set(err, UMD_E_STOPPING, "the server is stopping: nothing is changed any more") :
			    att_write(u->tree, &view, path, value, len_bytes, &action, err);
	if (rc == 0) {
		bool was_running = u->arr;

		rc = carry_out(u, &action, fd, &status, err);
		view = run_view(u, &status);
		/* What the array was when it ended is its configuration now. */
		if (was_running && !u->arr)
			view.status = &status;
		att_done(u->tree, &view, &action, rc);
		run_notice(u);
	}
	pthread_mutex_unlock(&u->lock);
	return rc;
}

/* ---- the request ---- */

static int digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c | 0x20) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Pairs of hexadecimal digits; false: they are none. */
static bool from_hex(const char *hex, size_t len_bytes, char *ret)
{
	for (size_t i = 0; i + 1 < len_bytes; i += 2) {
		int high = digit(hex[i]), low = digit(hex[i + 1]);

		if (high < 0 || low < 0)
			return false;
		ret[i / 2] = (char)(high << 4 | low);
	}
	return len_bytes % 2 == 0;
}

static bool string_of(struct json_object *request, const char *key, const char **ret, size_t *ret_len)
{
	struct json_object *o;

	if (!json_object_object_get_ex(request, key, &o) || !json_object_is_type(o, json_type_string))
		return false;
	*ret = json_object_get_string(o);
	*ret_len = (size_t)json_object_get_string_len(o);
	return true;
}

/* The value's bytes, of "value" or "value_hex"; @room has ATT_VALUE_MAX + 1 of them. */
static int value_of(struct json_object *request, char *room, const char **ret, size_t *ret_len, struct err *err)
{
	const char *hex;
	size_t len;

	if (string_of(request, "value", ret, ret_len))
		return 0;
	if (!string_of(request, "value_hex", &hex, &len))
		return err_set(err, -EINVAL, "the request has neither a string \"value\" nor a string \"value_hex\"");
	if (len / 2 > ATT_VALUE_MAX)
		return err_set(err, -EINVAL, "a value has at most %d bytes, not %zu", ATT_VALUE_MAX, len / 2);
	if (!from_hex(hex, len, room))
		return err_set(err, -EINVAL, "\"value_hex\" is no sequence of pairs of hexadecimal digits");
	*ret = room;
	*ret_len = len / 2;
	return 0;
}

void run_command_set(struct umd_array *u, struct json_object *request, int fd, struct text *reply)
{
	char room[ATT_VALUE_MAX + 1];
	const char *path, *value;
	struct err err = { 0 };
	size_t path_len, len;
	int rc;

	if (!string_of(request, "path", &path, &path_len) || strlen(path) != path_len)
		rc = err_set(&err, -EINVAL, "the request names no path");
	else
		rc = value_of(request, room, &value, &len, &err);
	if (rc == 0)
		rc = write_value(u, path, value, len, fd, &err);
	if (rc < 0) {
		if (!err.text[0])
			err_set(&err, rc, "%.256s takes no such value now: %s", path, err_sentence(rc));
		err.code = rc;
		run_control_refuse(reply, &err);
		return;
	}
	json_open(reply, NULL, '{');
	json_str(reply, "sentence", "written");
	json_close(reply, '}');
}
