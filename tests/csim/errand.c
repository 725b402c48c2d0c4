/* A disk is added to, or removed from, a running cluster: what a node's errand does, a step at a time, under the token.
 *
 *   add     token -> look at the disk, asm_admit -> nothing old, then empty slots and a candidate's superblock on it
 *           -> tell the others -> all see it -> the own array takes it -> the token is given back once that is recorded
 *   remove  token -> tell the others -> the own array lets it go -> given back
 *
 * Whoever comes back by its bitmap keeps its superblock; what its slots said is out of date. If somebody does not see
 * the disk, it is as before, but for its superblock. Between two steps everything else may happen, the node's death
 * included. */
#include "csim.h"

#include "base/err.h"

static uint32_t entry_of(const struct cs_node *n, uint32_t disk)
{
	struct arr_status s;
	uint32_t i = 0;

	arr_get_status(n->array, &s);
	while (i < s.member_count && (s.members[i].state == ARR_M_NONE || n->disk_of[i] != disk))
		i++;
	return i < s.member_count ? i : ARR_MEMBERS_MAX;
}

bool errand_begin(struct cs_world *w, struct cs_node *n, uint32_t disk)
{
	enum arr_member_state state = n->array ? n->states[disk] : ARR_M_IN_SYNC;
	bool is_remove = state == ARR_M_FAULTY;

	if (n->errand.stage || n->is_leaving || n->has_failed || (!is_remove && state != ARR_M_NONE))
		return false;
	trace(w, "%u: is to %s %s", n->number, is_remove ? "remove" : "add", w->disks[disk].disk.path);
	memset(&n->errand, 0, sizeof n->errand);
	n->errand.stage = CS_E_TOKEN;
	n->errand.disk = disk;
	n->errand.is_remove = is_remove;
	node_hear(w, n, &(struct clu_event){ .kind = CLU_EV_TAKE_TOKEN });
	return true;
}

bool errand_is_ready(const struct cs_world *w, const struct cs_node *n)
{
	(void)w;
	if (!n->errand.stage || n->has_failed || !n->array || !engine_may_write(n))
		return false;
	return n->errand.stage == CS_E_REMOVE || n->errand.was_told;
}

static void give_back(struct cs_world *w, struct cs_node *n, const char *why)
{
	trace(w, "%u: errand: %s", n->number, why);
	n->errand.stage = CS_E_NONE;
	node_hear(w, n, &(struct clu_event){ .kind = CLU_EV_GIVE_TOKEN });
}

static void tell_others(struct cs_world *w, struct cs_node *n, enum cs_errand_stage next)
{
	n->errand.stage = next;
	n->errand.was_told = false;
	node_hear(w, n, &(struct clu_event){ .kind = CLU_EV_TELL, .message = &n->errand.message });
}

/* ---- remove ---- */

static void tell_of_removal(struct cs_world *w, struct cs_node *n)
{
	struct arr_status s;
	uint32_t entry = entry_of(n, n->errand.disk);

	if (entry == ARR_MEMBERS_MAX) {
		give_back(w, n, "it is gone already");
		return;
	}
	arr_get_status(n->array, &s);
	n->errand.member = entry;
	n->errand.message = (struct clu_message){ .type = CLU_M_REMOVE, .number = s.members[entry].dev_number };
	tell_others(w, n, CS_E_TOLD);
}

static void removes(struct cs_world *w, struct cs_node *n)
{
	struct arr_event ev = { .kind = ARR_EV_REMOVE, .member = n->errand.member };

	n->errand.stage = CS_E_REMOVE;
	if (node_array(w, n, &ev) == -EAGAIN || n->life != CS_RUNS)
		return;
	if (!ev.rc)
		asm_forget(n->lineage, ev.member);
	w->stats->events[CS_REMOVED] += !ev.rc;
	give_back(w, n, ev.rc ? "not removed" : "removed");
}

/* ---- add ---- */

/* Of every node's slot, as the member that decides has it. */
static uint64_t events_cleared(struct cs_world *w, const struct cs_node *n)
{
	const struct cs_disk *d;
	struct arr_status s;
	uint64_t most = 0;

	arr_get_status(n->array, &s);
	if (s.pin == ARR_MEMBERS_MAX)
		return UINT64_MAX;
	d = &w->disks[n->disk_of[s.pin]];
	for (uint32_t slot = 0; slot < w->setup.slots_of_nodes; slot++) {
		struct bitmap_sb sb;
		uint8_t raw[SECTOR_BYTES];

		disk_peek(&d->disk, true, d->bitmap_at.bytes + slot * w->slot_bytes, sizeof raw, raw);
		fmt_bitmap_sb_decode(raw, &sb);
		if (sb.magic == FMT_BITMAP_MAGIC)
			most = max_u64(most, sb.events_cleared);
	}
	return most;
}

static int admit(struct cs_world *w, struct cs_node *n, struct err *err)
{
	struct cs_disk *d = &w->disks[n->errand.disk];
	uint8_t uuid[16] = { (uint8_t)++w->ids, 1, n->errand.disk };
	struct asm_member looked;

	disk_judge(w, d, &looked);
	asm_know_cleared(n->lineage, events_cleared(w, n));
	return asm_admit(n->lineage, n->array, &looked, ASM_ADMIT_ADD, uuid, &n->errand.new, n->errand.sentence, err);
}

/* Nothing else happens in a step: whoever has opened it reaches it. */
static int put(struct cs_world *w, struct cs_disk *d, uint64_t at, uint64_t len, const void *data)
{
	return disk_write(&d->disk, &w->lots, at, len, data, true, false, w->step);
}

static int erase(struct cs_world *w, struct cs_disk *d)
{
	member_off places[4];
	uint32_t count = asm_places_to_erase(d->disk.size_bytes, places);
	int rc = 0;

	for (uint32_t i = 0; !rc && i < count; i++)
		rc = put(w, d, places[i].bytes, FMT_SB1_BYTES, NULL);
	return rc;
}

/* Without a bit; that bits were cleared is not forgotten. */
static void put_head(struct cs_world *w, const struct cs_node *n, uint8_t sector[SECTOR_BYTES])
{
	const struct bitmap_sb *sb = bm_superblock(arr_bitmap(n->array));
	struct bitmap_sb head;
	struct arr_status s;

	arr_get_status(n->array, &s);
	asm_empty_slot(sb, sector);
	fmt_bitmap_sb_decode(sector, &head);
	head.events = head.events_cleared = min_u64(s.events, max_u64(events_cleared(w, n), sb->events_cleared));
	fmt_bitmap_sb_encode(&head, sector);
}

static int write_slots(struct cs_world *w, struct cs_node *n, struct cs_disk *d)
{
	uint8_t sector[SECTOR_BYTES] = { 0 };
	int rc = 0;

	d->bitmap_at = n->errand.new.bitmap_at;
	d->data_at = n->errand.new.data_at;
	put_head(w, n, sector);
	for (uint32_t slot = 0; !rc && slot < w->setup.slots_of_nodes; slot++) {
		uint64_t at = d->bitmap_at.bytes + slot * w->slot_bytes;

		rc = put(w, d, at, w->slot_bytes, NULL);
		rc = rc ? rc : put(w, d, at, sizeof sector, sector);
	}
	return rc;
}

static int prepare(struct cs_world *w, struct cs_node *n, struct cs_disk *d)
{
	uint8_t raw[FMT_SB1_BYTES];
	struct err err = { 0 };
	int rc = erase(w, d);

	rc = rc ? rc : admit(w, n, &err);
	rc = rc ? rc : write_slots(w, n, d);
	if (rc)
		return rc;
	asm_render_candidate(n->lineage, n->array, raw, &d->super_at);
	return put(w, d, d->super_at.bytes, sizeof raw, raw);
}

static void tell_of_new(struct cs_world *w, struct cs_node *n)
{
	struct cs_disk *d = &w->disks[n->errand.disk];
	struct clu_message *m = &n->errand.message;
	struct asm_member looked;
	struct err err = { 0 };
	bool is_new;

	if (n->states[n->errand.disk] != ARR_M_NONE || !node_opens(w, n, d) || admit(w, n, &err)) {
		give_back(w, n, err.code ? err.text : "it is dead, or there already");
		return;
	}
	is_new = n->errand.new.state == ARR_M_SPARE;
	if (is_new ? prepare(w, n, d) : write_slots(w, n, d)) {
		give_back(w, n, "it cannot be written");
		return;
	}
	disk_judge(w, d, &looked);
	*m = (struct clu_message){ .type = is_new ? CLU_M_NEWDISK : CLU_M_RE_ADD, .number = n->errand.new.dev_number };
	memcpy(m->uuid, looked.sb.device_uuid, sizeof m->uuid);
	memcpy(m->path, d->disk.path, sizeof d->disk.path);
	d->is_out = false;
	d->is_used = true;
	trace(w, "%u: errand: %s", n->number, n->errand.sentence);
	tell_others(w, n, CS_E_TOLD);
}

static void takes_back(struct cs_world *w, struct cs_node *n)
{
	if (can_reach(w, n, &w->disks[n->errand.disk]))
		erase(w, &w->disks[n->errand.disk]);
	n->errand.message = (struct clu_message){ .type = CLU_M_REMOVE, .number = n->errand.new.dev_number };
	tell_others(w, n, CS_E_UNDONE);
}

static void adds(struct cs_world *w, struct cs_node *n)
{
	uint32_t entry = free_entry(n);
	struct err err = { 0 };
	struct arr_event ev = { .kind = ARR_EV_ADD, .new_member = &n->errand.new, .err = &err };

	ev.reason = n->errand.sentence;
	n->disk_of[entry] = n->errand.disk;
	asm_admitted(n->lineage, entry);
	if (node_array(w, n, &ev))
		asm_forget(n->lineage, entry);
	w->stats->events[n->errand.message.type == CLU_M_RE_ADD ? CS_READDED : CS_ADDED] += !ev.rc;
	if (n->life != CS_RUNS)
		return;
	if (ev.rc)
		takes_back(w, n);
	else
		give_back(w, n, "added");
}

/* ---- a step ---- */

static void is_told(struct cs_world *w, struct cs_node *n)
{
	if (n->errand.is_remove && n->errand.rc)
		give_back(w, n, "others do not let it go");
	else if (n->errand.is_remove)
		removes(w, n);
	else if (n->errand.rc)
		takes_back(w, n);
	else
		adds(w, n);
}

void errand_goes_on(struct cs_world *w, struct cs_node *n)
{
	switch (n->errand.stage) {
	case CS_E_TOKEN:
		n->errand.was_told = false;
		if (n->errand.rc)
			n->errand.stage = CS_E_NONE;
		else if (n->errand.is_remove)
			tell_of_removal(w, n);
		else
			tell_of_new(w, n);
		break;
	case CS_E_TOLD:
		is_told(w, n);
		break;
	case CS_E_REMOVE:
		removes(w, n);
		break;
	default:
		give_back(w, n, "taken back");
	}
}
