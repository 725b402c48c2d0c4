/* The words of dev-NAME/state, one each per write.
 *
 *	faulty                running: the member fails
 *	remove                leaves the array and the tree; EBUSY while it stands in a slot and is good
 *	re-add                running, faulty and out of its slot: back by the bitmap
 *	writemostly, -...     shown as write_mostly, which is not accepted
 *	blocked, -blocked     writes wait; they go on. -blocked says: the failure is recorded
 *	insync                no slot yet: the next one it gets finds it current up to the bitmap
 *	-insync               before the start: its slot becomes saved, what is marked is copied at the start
 *	external_bbl, -...    the owner keeps bad blocks */
#include "attrs/inside.h"

typedef int word_fn(struct att_store *s, bool is_set);

static int member_event(struct att_store *s, enum arr_event_kind kind, uint64_t value)
{
	s->action->event.member = s->dev->entry;
	return att_event(s, kind, value);
}

static int refuse_stopped(struct att_store *s)
{
	return att_refuse(s, -EINVAL, "the array does not run, or the device is not a member of it");
}

static int fail(struct att_store *s, bool is_set)
{
	struct att_now now = att_now(s->dev, s->view);

	if (!now.is_in_array)
		return refuse_stopped(s);
	return now.is_faulty ? 0 : member_event(s, ARR_EV_FAIL, 0);
}

static int remove_dev(struct att_store *s, bool is_set)
{
	struct att_now now = att_now(s->dev, s->view);
	bool is_spare = now.is_in_array && now.slot == ATT_NO_SLOT;

	if (now.is_in_array && !now.is_faulty && !is_spare)
		return att_refuse(s, -EBUSY, "the device is a working member in slot %u", now.slot);
	if (!s->view->status && now.slot != ATT_NO_SLOT)
		return att_refuse(s, -EBUSY, "the device has slot %u (write none to slot first)", now.slot);
	s->action->kind = ATT_UNBIND;
	s->action->dev = att_index(s->t, s->dev);
	s->action->entry = now.is_in_array ? s->dev->entry : ARR_MEMBERS_MAX;
	s->action->unblocks = now.is_in_array && now.is_blocked;
	return 0;
}

static int readd(struct att_store *s, bool is_set)
{
	struct att_now now = att_now(s->dev, s->view);
	struct att_dev again = *s->dev;
	struct att_join *j = s->action->joins;

	if (!s->view->status)
		return refuse_stopped(s);
	if (!now.is_faulty || now.slot != ATT_NO_SLOT)
		return att_refuse(s, -EBUSY, "the device is not a failed member that has left its slot");
	if (!s->t->has_superblocks && s->dev->saved_slot == ATT_NO_SLOT)
		return att_refuse(s, -EBUSY, "no slot is known in which it was current up to the bitmap");
	s->action->kind = ATT_READD;
	s->action->dev = att_index(s->t, s->dev);
	s->action->entry = s->dev->entry;
	att_event(s, ARR_EV_SYNC, 1);
	s->action->kind = ATT_READD;
	if (s->t->has_superblocks)
		return 0;
	if (!now.is_in_array)
		s->action->kind = ATT_JOIN;		/* it failed in an earlier run */
	again.slot = again.saved_slot;
	again.is_in_sync = false;
	again.recovery_start_sectors = 0;
	s->action->join_count = 1;
	*j = (struct att_join){ .dev = s->action->dev, .entry = ARR_MEMBERS_MAX, .member = att_member(s->t, &again),
				.reason = "it was a member until it failed: what is marked since is copied" };
	return 0;
}

static int write_mostly(struct att_store *s, bool is_set)
{
	if (att_now(s->dev, s->view).is_in_array)
		return member_event(s, ARR_EV_WRITE_MOSTLY, is_set);
	s->dev->is_write_mostly = is_set;
	return 0;
}

static int block(struct att_store *s, bool is_set)
{
	struct att_now now = att_now(s->dev, s->view);

	if (!now.is_in_array)
		return is_set ? refuse_stopped(s) : 0;
	if (!s->view->status->is_external)
		return is_set ? att_refuse(s, -EINVAL, "metadata_version is %s, and only an owner holds writes back",
					   s->t->metadata) : 0;
	/* md: bad blocks that nobody acknowledged, and an owner who does not know of them */
	if (!is_set && !now.is_faulty && !s->dev->has_external_bbl && att_has_unacknowledged(s->dev))
		return member_event(s, ARR_EV_FAIL, 0);
	return member_event(s, is_set ? ARR_EV_BLOCK : ARR_EV_UNBLOCK, 0);
}

static int in_sync(struct att_store *s, bool is_set)
{
	struct att_now now = att_now(s->dev, s->view);

	if (s->t->has_superblocks)
		return att_todo(s, "insync, array with superblocks");
	if (is_set) {
		if (now.slot != ATT_NO_SLOT || now.is_in_array || now.is_faulty)
			return att_refuse(s, -EINVAL, "the device has a slot, is a member or is faulty");
		s->dev->is_in_sync = true;
		return 0;
	}
	if (s->view->status || now.slot == ATT_NO_SLOT || !now.is_in_sync)
		return att_refuse(s, -EINVAL, "that is for an in-sync device with a slot, before the start");
	s->dev->saved_slot = s->dev->slot;
	s->dev->slot = ATT_NO_SLOT;
	s->dev->is_in_sync = false;
	s->dev->recovery_start_sectors = 0;
	return 0;
}

static int external_bbl(struct att_store *s, bool is_set)
{
	if (!att_is_external(s->t))
		return att_refuse(s, -EINVAL, "metadata_version is %s, and external is needed", s->t->metadata);
	s->dev->has_external_bbl = is_set;
	return 0;
}

static const struct {
	const char *word;
	bool has_minus;
	word_fn *fn;
} words[] = {
	{ "faulty", false, fail },
	{ "remove", false, remove_dev },
	{ "re-add", false, readd },
	{ "writemostly", true, write_mostly },
	{ "blocked", true, block },
	{ "insync", true, in_sync },
	{ "external_bbl", true, external_bbl },
};

int att_set_dev_state(struct att_store *s)
{
	bool is_set = *s->value != '-';
	const char *word = s->value + !is_set;
	int rc = att_todo_word(s, s->value);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (att_is(word, words[i].word) && (is_set || words[i].has_minus))
			return words[i].fn(s, is_set);
	return att_refuse(s, -EINVAL, "faulty, remove, re-add, [-]writemostly, [-]blocked, [-]insync or "
			  "[-]external_bbl goes there");
}
