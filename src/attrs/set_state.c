/* array_state and sync_action: start, stop, acknowledge, interrupt.
 *
 *	               does not run                          runs
 *	clear          forget all                            stop, forget all; EBUSY while clients have it open
 *	inactive       nothing (a fresh array stays: umd)    stop, configuration stays; EBUSY likewise
 *	readonly       start so                              ENXIO if it is; EBUSY likewise
 *	read-auto      start so                              as read-only until the first write
 *	clean          EINVAL                                from read-only: writable; the owner: flush, not dirty
 *	active         start                                 from read-only: writable; the owner: it is recorded
 *	others         EINVAL                                EINVAL
 *
 * Words are compared whole. sync_action: what is due begins by itself on a writable array; `recover` is what makes
 * devices join that an owner gave a slot. Writing to sync_action ends read-auto, except freezing it. */
#include "attrs/inside.h"

static int start(struct att_store *s, enum att_mode mode)
{
	s->action->kind = ATT_START;
	s->action->mode = mode;
	return 0;
}

static int refuse_open(struct att_store *s)
{
	if (s->view->status && s->view->clients)
		return att_refuse(s, -EBUSY, "%u clients have the array open, and 0 may", s->view->clients);
	return 0;
}

static int end(struct att_store *s, enum att_kind kind)
{
	int rc = refuse_open(s);

	if (!rc && (s->view->status || kind == ATT_CLEAR))
		s->action->kind = kind;
	return rc;
}

static int set_readonly(struct att_store *s)
{
	int rc;

	if (!s->view->status)
		return start(s, ATT_MODE_READONLY);
	if (s->view->status->mode == ARR_MODE_READONLY)
		return att_refuse(s, -ENXIO, "the array is readonly already");
	rc = refuse_open(s);
	return rc < 0 ? rc : att_event(s, ARR_EV_SET_MODE, ARR_MODE_READONLY);
}

static int set_read_auto(struct att_store *s)
{
	if (!s->view->status)
		return start(s, ATT_MODE_READ_AUTO);
	return att_event(s, ARR_EV_SET_MODE, ARR_MODE_READ_AUTO);
}

static int set_clean(struct att_store *s)
{
	const struct arr_status *status = s->view->status;

	if (!status)
		return att_refuse(s, -EINVAL, "the array does not run; active, readonly or read-auto start it");
	if (status->mode != ARR_MODE_WRITABLE)
		return att_event(s, ARR_EV_SET_MODE, ARR_MODE_WRITABLE);
	if (status->is_external)
		return att_event(s, ARR_EV_OWNER_CLEAN, 0);
	if (status->state != ARR_STATE_CLEAN)
		return att_refuse(s, -EBUSY, "it is %s, and an array with superblocks becomes clean by itself",
				  arr_state_name(status->state));
	return 0;
}

static int set_active(struct att_store *s)
{
	const struct arr_status *status = s->view->status;

	if (!status)
		return start(s, ATT_MODE_ACTIVE);
	if (status->mode != ARR_MODE_WRITABLE)
		return att_event(s, ARR_EV_SET_MODE, ARR_MODE_WRITABLE);
	return status->is_external ? att_event(s, ARR_EV_OWNER_ACTIVE, 0) : 0;
}

int att_set_array_state(struct att_store *s)
{
	if (att_is(s->value, "clear"))
		return end(s, ATT_CLEAR);
	if (att_is(s->value, "inactive"))
		return end(s, ATT_STOP);
	if (att_is(s->value, "readonly"))
		return set_readonly(s);
	if (att_is(s->value, "read-auto"))
		return set_read_auto(s);
	if (att_is(s->value, "clean"))
		return set_clean(s);
	if (att_is(s->value, "active"))
		return set_active(s);
	return att_refuse(s, -EINVAL, "clear, inactive, readonly, read-auto, clean or active goes there");
}

/* ---- sync_action ---- */

static int set_idle(struct att_store *s)
{
	s->action->makes_writable = s->view->status->mode == ARR_MODE_READ_AUTO;
	return att_event(s, ARR_EV_SYNC, 0);
}

/* A device with a slot that arr does not have yet joins. */
static void join(struct att_store *s, const struct att_dev *d)
{
	struct att_join *j = &s->action->joins[s->action->join_count++];

	*j = (struct att_join){ .dev = att_index(s->t, d), .entry = ARR_MEMBERS_MAX, .member = att_member(s->t, d) };
	j->reason = j->member.wants_full ? "its owner gave it a slot: all of it is copied" :
		    "its owner says that it is current up to the bitmap: what is marked is copied";
	j->member.state = ARR_M_RECOVERING;
}

static int set_recover(struct att_store *s)
{
	if (s->t->has_superblocks)
		return 0;
	ATT_EACH_DEV(d, s->t)
		if (!att_now(d, s->view).is_in_array && d->slot != ATT_NO_SLOT && !d->is_faulty)
			join(s, d);
	if (s->action->join_count)
		s->action->kind = ATT_JOIN;
	return 0;
}

int att_set_sync_action(struct att_store *s)
{
	const struct arr_status *status = s->view->status;
	bool is_resync = att_is(s->value, "resync"), is_recover = att_is(s->value, "recover");
	int rc = att_todo_word(s, s->value);

	if (rc < 0)
		return rc;
	if (att_is(s->value, "idle"))
		return set_idle(s);
	if (att_is(s->value, "frozen"))
		return att_event(s, ARR_EV_FREEZE, 1);
	if (!is_resync && !is_recover)
		return att_refuse(s, -EINVAL, "idle, frozen, resync or recover goes there");
	if (status->action != ARR_SYNC_IDLE)
		return att_refuse(s, -EBUSY, "%s runs", arr_sync_action_name(status->action));
	att_event(s, ARR_EV_SYNC, 1);
	s->action->makes_writable = status->mode == ARR_MODE_READ_AUTO;
	return is_recover ? set_recover(s) : 0;
}
