/* What a node's hands read of members for assembly: at the start, when superblocks are read again, and when another
 * node adds a disk. They decide nothing. Members are read through their caches; a dead one cannot be opened. */
#include "csim.h"

#include "base/err.h"

static void offer_superblocks(struct cs_disk *d, struct asm_member *ret)
{
	uint8_t raw[FMT_SB1_BYTES];
	member_off places[3];
	enum sb1_minor minors[3];
	uint32_t count = asm_super_places(d->disk.size_bytes, places, minors);

	for (uint32_t i = 0; i < count; i++) {
		disk_peek(&d->disk, true, places[i].bytes, sizeof raw, raw);
		asm_take_superblock(ret, minors[i], places[i], raw);
	}
	if (ret->has_superblock && !ret->error.code)
		return;
	disk_peek(&d->disk, true, 0, sizeof raw, raw);
	asm_name_the_stranger(ret, raw);
}

static void look(struct cs_disk *d, uint32_t slot, struct asm_member *ret)
{
	uint8_t raw[SECTOR_BYTES];
	member_off at;

	memset(ret, 0, sizeof *ret);
	ret->path = d->disk.path;
	ret->size_bytes = d->disk.size_bytes;
	offer_superblocks(d, ret);
	if (!asm_wants_bitmap(ret, &at))
		return;
	disk_peek(&d->disk, true, at.bytes, sizeof raw, raw);
	asm_take_bitmap(ret, raw);
	if (!asm_wants_slot(ret, slot, &at))
		return;
	disk_peek(&d->disk, true, at.bytes, sizeof raw, raw);
	asm_take_slot(ret, raw);
}

void disk_judge(struct cs_world *w, struct cs_disk *d, struct asm_member *ret)
{
	(void)w;
	look(d, 0, ret);
}

/* ---- the start ---- */

static uint8_t *read_image(struct cs_world *w, const struct asm_member *looked, const struct asm_plan *plan,
			   const uint32_t *disks, uint64_t *ret_len)
{
	uint32_t member;
	member_off at;
	uint64_t whole;
	uint8_t *image;

	if (!asm_bitmap_to_read(looked, plan, &member, &at, ret_len))
		return NULL;
	whole = round_up(*ret_len, SECTOR_BYTES);
	image = malloc(whole);
	if (!image)
		abort();
	disk_peek(&w->disks[disks[member]].disk, true, at.bytes, whole, image);
	return image;
}

static void take_table(struct cs_world *w, struct cs_node *n, const uint32_t *disks, const uint32_t *member_of)
{
	struct arr_status s;

	arr_get_status(n->array, &s);
	for (uint32_t i = 0; i < s.member_count; i++) {
		struct cs_disk *d = &w->disks[disks[member_of[i]]];

		n->disk_of[i] = disk_index(w, d);
		d->data_at = s.members[i].data_at;
		d->is_used = true;
		n->states[n->disk_of[i]] = s.members[i].state;
	}
}

/* The user gives no disk that failed: by what was announced, or by the others' superblocks. */
static bool is_given(struct cs_world *w, const struct cs_node *n, struct cs_disk *d)
{
	const struct cs_super *best = super_believed(w), *s = super_on(w, d);

	if (!d->is_used || !can_reach(w, n, d) || d->is_out)
		return false;
	if (!best || !s->is_valid)
		return true;
	return best->roles[s->number] != ARR_ROLE_FAULTY &&
	       (s->role >= ARR_ROLE_FAULTY || best->roles[s->number] < ARR_ROLE_FAULTY);
}

static int start(struct cs_world *w, struct cs_node *n, struct err *err)
{
	static struct asm_member looked[CS_DISKS];
	static struct asm_plan plan;
	struct asm_options o = { .may_run_degraded = true, .is_node = true, .node_slot = n->load_slot };
	uint32_t count = 0, disks[CS_DISKS], member_of[ARR_MEMBERS_MAX];
	uint64_t len = 0;
	uint8_t *image;
	int rc;

	EACH_DISK(w, d)
		if (is_given(w, n, d)) {
			/* What a node that died had begun may lie in caches only: nothing is founded on that. */
			disk_flush(&d->disk, &w->lots, w->step + 1);
			look(d, n->load_slot, &looked[count]);
			disks[count] = disk_index(w, d);
			count += looked[count].has_superblock;	/* nobody offers a disk that was never added */
		}
	asm_judge(looked, count, &o, &plan);
	trace(w, "%u: judged: %s", n->number, plan.refusal.code ? plan.refusal.text : plan.reason);
	for (uint32_t i = 0; w->is_tracing && i < count; i++)
		trace(w, "%u:   %s: %d %s", n->number, looked[i].path, plan.verdicts[i], plan.reasons[i]);
	if (plan.refusal.code) {
		*err = plan.refusal;
		return plan.refusal.code;
	}
	image = read_image(w, looked, &plan, disks, &len);
	rc = asm_start(looked, &plan, &o, image, len, &n->array, &n->lineage, member_of, err);
	free(image);
	if (rc)
		return rc;
	arr_set_pieces(n->array, w->setup.window_bytes, w->setup.suspend_bytes);
	take_table(w, n, disks, member_of);
	return 0;
}

/* Somebody in sync is there: then it must start. */
static void check_refused(struct cs_world *w, struct cs_node *n, const struct err *err)
{
	uint32_t in_sync = members_in_sync(w), dead = 0;

	EACH_DISK(w, d)
		dead |= (uint32_t)!can_reach(w, n, d) << disk_index(w, d);
	w->stats->stakes[CS_I9]++;
	if (in_sync & ~dead)
		broken(w, "I9", "node %u does not start: %s", n->number, err->text);
}

void load_array(struct cs_world *w, struct cs_node *n)
{
	struct err err = { 0 };
	int rc = start(w, n, &err);

	n->is_loading = false;
	trace(w, "%u: slot %u: %s", n->number, n->load_slot, rc ? err.text : "loaded");
	if (rc)
		check_refused(w, n, &err);
	node_hear(w, n, &(struct clu_event){ .kind = CLU_EV_LOADED, .rc = rc });
}

/* ---- another node adds or removes a disk ---- */

static struct cs_disk *disk_by_path(struct cs_world *w, const char *path)
{
	EACH_DISK(w, d)
		if (!strcmp(d->disk.path, path))
			return d;
	return NULL;
}

uint32_t free_entry(const struct cs_node *n)
{
	struct arr_status s;
	uint32_t i = 0;

	arr_get_status(n->array, &s);
	while (i < s.member_count && s.members[i].state != ARR_M_NONE)
		i++;
	return i;
}

void load_see(struct cs_world *w, struct cs_node *n)
{
	struct cs_disk *d = disk_by_path(w, n->peers.path);
	struct arr_member new;
	struct asm_member looked;
	struct err err = { 0 };
	struct arr_event ev = { .kind = ARR_EV_ADD, .new_member = &new, .is_by_peer = true, .err = &err };
	int rc = -ENOENT;

	n->is_seeing = false;
	if (d && n->states[disk_index(w, d)] != ARR_M_NONE) {
		rc = -EEXIST;	/* it cannot be opened twice */
	} else if (d && node_opens(w, n, d) && n->array) {
		look(d, 0, &looked);
		rc = asm_admit_peers(n->lineage, n->array, &looked, n->peers.uuid, n->peers.number, &new, &err);
	}
	if (!rc) {
		uint32_t entry = free_entry(n);

		n->disk_of[entry] = disk_index(w, d);
		asm_admitted(n->lineage, entry);
		rc = node_array(w, n, &ev);
		if (rc)
			asm_forget(n->lineage, entry);
	}
	trace(w, "%u: sees %s: %d %s", n->number, n->peers.path, rc, err.text);
	node_hear(w, n, &(struct clu_event){ .kind = CLU_EV_SEEN, .rc = rc });
}

void load_forget(struct cs_world *w, struct cs_node *n)
{
	struct arr_event ev = { .kind = ARR_EV_REMOVE, .is_by_peer = true };
	struct arr_status s;
	int rc = 0;

	arr_get_status(n->array, &s);
	for (uint32_t i = 0; i < s.member_count; i++)
		if (s.members[i].state != ARR_M_NONE && s.members[i].dev_number == n->peers.number) {
			ev.member = i;
			rc = node_array(w, n, &ev);
			if (!rc)
				asm_forget(n->lineage, i);
		}
	if (rc == -EAGAIN)
		return;		/* asked again when a job is done */
	n->is_forgetting = false;
	node_hear(w, n, &(struct clu_event){ .kind = CLU_EV_SEEN, .rc = rc });
}
