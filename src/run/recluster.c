/* umd grow of members that nobody uses: another number of nodes, another cluster's name, other chunks, a cluster or
 * none.
 *
 *   open and lock all -> look, judge -> every slot is read where it is believed -> plan -> write -> JSON
 *
 * Nothing is written before everything was read and found right. What is written then, see reslot.c.
 *
 * A slot is written as it was read, with a new head: where one member lacks a slot that another one has (mdadm --add),
 * it gets it. Left out: arrays that run; nodes of other hosts, which no lock here can see. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "look/look.h"
#include "run/json.h"
#include "run/public.h"
#include "run/recluster.h"

static void drop(struct reclustering *r)
{
	for (uint32_t i = 0; i < r->count; i++) {
		mbr_close(r->hands[i]);
		mem_free(r->shown[i]);
	}
	for (uint32_t slot = 0; slot < ARR_NODES_MAX; slot++)
		mem_free(r->slots[slot]);
	mem_free(r);
}

static int open_all(struct reclustering *r, const char *const *members, size_t count, struct err *err)
{
	if (count > ARR_MEMBERS_MAX)
		return err_set(err, UMD_E_NOT_SUPPORTED, "%zu members were given; umd handles 1 to %d", count,
			       ARR_MEMBERS_MAX);
	for (; r->count < count; r->count++) {
		int rc;

		r->shown[r->count] = look_escaped(members[r->count]);
		if (!r->shown[r->count])
			return err_set(err, -ENOMEM, "no memory");
		rc = mbr_open(members[r->count], -1, MBR_LOCK_EXCLUSIVE, &r->hands[r->count], err);
		if (rc < 0) {
			r->shown[r->count] = mem_free(r->shown[r->count]);
			return rc;
		}
		look_member(r->hands[r->count], r->shown[r->count], &r->looks[r->count]);
	}
	return 0;
}

/* ---- reading ---- */

/* With other chunks a slot that nobody can believe becomes one in which every chunk is set: so a change that was cut
 * off can be made again. */
static bool is_moved(const struct asm_reclustered *c, uint32_t slot)
{
	return c->is_rechunked && slot < c->slots;
}

/* Where the slot is believed; a plan of its own. */
static int find_slot(struct reclustering *r, uint32_t slot, struct asm_plan *plan, struct err *err)
{
	struct asm_options options = { .is_node = r->change.kind != ASM_CLUSTER_MAKE, .node_slot = slot,
				       .is_change = true };

	for (uint32_t i = 0; i < r->count; i++)
		look_own_slot(r->hands[i], slot, &r->looks[i]);
	asm_judge(r->looks, r->count, &options, plan);
	if (plan->refusal.code)
		return err_set(err, plan->refusal.code, "%s", plan->refusal.text);
	if (asm_is_slot_in_doubt(plan) && !is_moved(&r->change, slot))
		return err_set(
			err, UMD_E_BAD_BITMAP,
			"slot %u says nothing that can be believed: a node that starts takes everything of it into "
			"doubt, and then it can be changed; nothing has been written",
			slot);
	return 0;
}

static int check_empty(const struct asm_plan *plan, const uint8_t *image, uint32_t slot, const char *what,
		       struct err *err)
{
	struct bm *b = bm_new(&plan->own_slot, image, fmt_bitmap_bytes(&plan->own_slot));
	int64_t set = b ? bm_load(b, BM_LOAD_CLEAN, (array_off){ 0 }, false) : -ENOMEM;

	bm_free(b);
	if (set < 0)
		return err_set(err, -ENOMEM, "no memory for a bitmap");
	if (!set)
		return 0;
	return err_set(err, UMD_E_BAD_OPTION,
		       "slot %u holds %" PRId64
		       " set chunk%s: %s after a node has started, taken it over and stopped; nothing "
		       "has been written",
		       slot, set, set == 1 ? "" : "s", what);
}

static int move(struct reclustering *r, uint32_t slot, const struct asm_plan *plan, struct err *err)
{
	uint8_t *image = mem_new(1, r->change.slot_bytes);
	int rc = image ? asm_rechunk_slot(&r->change, plan, &r->looks[r->plan.freshest].sb, r->slots[slot], image) :
			 -ENOMEM;

	mem_free(r->slots[slot]);
	r->slots[slot] = image;
	return rc ? err_set(err, rc, "no memory for a bitmap") : 0;
}

/* The slot as it is, or an empty one where nobody ever wrote. */
static int read_slot(struct reclustering *r, uint32_t slot, struct asm_plan *plan, struct err *err)
{
	const struct asm_reclustered *c = &r->change;
	uint64_t was_bytes = asm_slot_bytes(&c->was);
	uint8_t *image = mem_new(1, was_bytes);
	uint32_t member;
	uint64_t len;
	member_off at;
	int rc = find_slot(r, slot, plan, err);

	r->slots[slot] = image;
	if (!image)
		return err_set(err, -ENOMEM, "no memory for a bitmap");
	if (rc == 0 && asm_bitmap_to_read(r->looks, plan, &member, &at, &len)) {
		rc = mbr_read(r->hands[member], at, image, was_bytes);
		if (rc < 0)
			return err_set(err, rc, "%s: slot %u cannot be read: %s", r->shown[member], slot,
				       err_sentence(rc));
	} else if (rc == 0) {
		asm_empty_slot(&plan->own_slot, image);
	}
	if (rc == 0 && c->kind != ASM_CLUSTER_MAKE)
		r->events_cleared = max_u64(r->events_cleared, plan->own_slot.events_cleared);
	if (rc == 0 && c->kind == ASM_CLUSTER_END)
		rc = check_empty(plan, image, slot, "the array can leave the cluster", err);
	else if (rc == 0 && slot >= c->slots)
		rc = check_empty(plan, image, slot, "it can go", err);
	if (rc == 0 && is_moved(c, slot))
		rc = move(r, slot, plan, err);
	return rc;
}

static int read_all(struct reclustering *r, struct err *err)
{
	struct asm_reclustered *c = &r->change;
	struct asm_plan *plan = mem_new(1, sizeof *plan);
	int rc = plan ? 0 : err_set(err, -ENOMEM, "no memory");

	for (uint32_t slot = 0; rc == 0 && slot < c->was_slots; slot++)
		rc = read_slot(r, slot, plan, err);
	for (uint32_t slot = c->was_slots; rc == 0 && slot < c->slots; slot++) {
		r->slots[slot] = mem_new(1, c->slot_bytes);
		if (r->slots[slot])
			asm_empty_slot(&c->head, r->slots[slot]);
		else
			rc = err_set(err, -ENOMEM, "no memory for a bitmap");
	}
	mem_free(plan);
	for (uint32_t slot = 0; rc == 0 && slot < c->slots; slot++)
		asm_recluster_head(c, &r->looks[r->plan.freshest].sb, r->events_cleared, r->slots[slot]);
	return rc;
}

/* ---- the whole ---- */

static int take_wish(const struct umd_cluster_options *o, struct asm_recluster *ret, struct err *err)
{
	size_t len = o->cluster_name ? strlen(o->cluster_name) : 0;

	*ret = (struct asm_recluster){ .nodes = o->nodes, .cluster_name = o->cluster_name,
				       .chunk_bytes = o->bitmap_chunk_bytes };
	if (len >= FMT_BITMAP_CLUSTER_NAME_BYTES)
		return err_set(err, UMD_E_BAD_NAME,
			       "a cluster name of %zu bytes is too long: %d fit; nothing has been written", len,
			       FMT_BITMAP_CLUSTER_NAME_BYTES - 1);
	for (size_t i = 0; i < len; i++)
		if (o->cluster_name[i] <= ' ' || o->cluster_name[i] > '~')
			return err_set(
				err, UMD_E_BAD_NAME,
				"the cluster name has byte 0x%02x at %zu: printable ASCII without blanks is usable; "
				"nothing has been written",
				(unsigned char)o->cluster_name[i], i);
	return 0;
}

/* What the member that is believed says: a change that was cut off may have left others behind. */
static int find_kind(struct reclustering *r, bool *ret_is_clustered, struct err *err)
{
	struct asm_options options = { .is_look = true, .is_change = true };

	asm_judge(r->looks, r->count, &options, &r->plan);
	if (r->plan.refusal.code)
		return err_set(err, r->plan.refusal.code, "%s", r->plan.refusal.text);
	*ret_is_clustered = r->plan.has_bitmap && asm_bitmap_is_clustered(&r->looks[r->plan.bitmap_member].bitmap);
	return 0;
}

static int take_kind(const struct umd_cluster_options *o, bool is_now, struct asm_recluster *wish, struct err *err)
{
	const char *bitmap = o->bitmap ? o->bitmap : "clustered";

	if (!strcmp(bitmap, "internal")) {
		wish->kind = ASM_CLUSTER_END;
		if (is_now && !o->nodes && !o->cluster_name)
			return 0;
		return err_set(
			err, UMD_E_BAD_OPTION,
			is_now ? "an array that leaves its cluster has neither nodes nor a name of "
				 "a cluster; nothing has been written"
			       : "the array is not clustered, its bitmap is internal "
				 "already or is changed while it runs (umd grow NAME); nothing has been written");
	}
	if (strcmp(bitmap, "clustered"))
		return err_set(err, UMD_E_BAD_OPTION,
			       "off line a bitmap becomes clustered or internal; others are changed while "
			       "the array runs (umd grow NAME); nothing has been written");
	if (!is_now && !o->bitmap)
		return err_set(err, UMD_E_BAD_OPTION,
			       "the array is not clustered: --bitmap=clustered makes it so; nothing has "
			       "been written");
	wish->kind = is_now ? ASM_CLUSTER_KEEP : ASM_CLUSTER_MAKE;
	if (!is_now && !wish->nodes)
		wish->nodes = 4;	/* as create chooses */
	return 0;
}

static void put_json(struct text *t, const struct reclustering *r, bool would)
{
	const struct asm_reclustered *c = &r->change;
	char sentence[256];

	if (c->kind == ASM_CLUSTER_END)
		text_fit(sentence, sizeof sentence, "the array %s for one host alone, with an internal bitmap",
			 would ? "would be" : "is");
	else if (c->is_rechunked)
		text_fit(sentence, sizeof sentence,
			 "the array %s bitmaps of %" PRIu64 " chunk%s of %" PRIu32 " bytes (%" PRIu32 " before) for %u "
			 "nodes of cluster \"%s\"", would ? "would have" : "has", fmt_bitmap_chunks(&c->head),
			 fmt_bitmap_chunks(&c->head) == 1 ? "" : "s", c->head.chunk_bytes, c->was.chunk_bytes, c->slots,
			 c->head.cluster_name);
	else
		text_fit(sentence, sizeof sentence, "the array %s bitmaps for %u nodes of cluster \"%s\" (%u before)",
			 would ? "would have" : "has", c->slots, c->head.cluster_name,
			 c->kind == ASM_CLUSTER_KEEP ? c->was_slots : 0);
	json_open(t, NULL, '{');
	json_str(t, "sentence", sentence);
	json_bool(t, "dry_run", would);
	json_u64(t, "nodes", c->head.nodes);
	json_u64(t, "chunk_bytes", c->head.chunk_bytes);
	json_strn(t, "cluster_name", c->head.cluster_name, strlen(c->head.cluster_name));
	json_close(t, '}');
}

static int change(struct reclustering *r, const struct umd_cluster_options *o, const char *const *members, size_t count,
		  struct err *err)
{
	struct asm_options options = { .is_change = true };
	struct asm_recluster wish;
	bool is_clustered = false;
	int rc = take_wish(o, &wish, err);

	if (rc == 0)
		rc = open_all(r, members, count, err);
	if (rc == 0)
		rc = find_kind(r, &is_clustered, err);
	if (rc == 0)
		rc = take_kind(o, is_clustered, &wish, err);
	if (rc < 0)
		return rc;
	options.is_node = wish.kind != ASM_CLUSTER_MAKE;
	asm_judge(r->looks, r->count, &options, &r->plan);
	rc = asm_plan_recluster(r->looks, &r->plan, &wish, &r->change, err);
	if (rc == 0)
		rc = read_all(r, err);
	return rc < 0 || o->dry_run ? rc : run_reslot(r, err);
}

int umd_change_cluster(const struct umd_cluster_options *options, const char *const *members, size_t count,
		       char **ret_json, struct umd_error *error)
{
	struct reclustering *r = mem_new(1, sizeof *r);
	struct text t = { 0 };
	struct err err = { 0 };
	int rc = r ? change(r, options, members, count, &err) : -ENOMEM;

	if (rc == 0)
		put_json(&t, r, options->dry_run);
	if (r)
		drop(r);
	return run_public_answer(rc, &t, ret_json, &err, error);
}
