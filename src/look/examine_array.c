/* What the next start would do with the members given: the judgement's own answer, so that examine and serve never
 * disagree, and the bytes it would copy.
 *
 * Set chunks and what is copied are two different facts: an array that was stopped cleanly keeps its set chunks and
 * copies nothing. The judgement says which chunks count (asm_bitmap_reach) and what is copied whatever they say; here
 * they are counted, in pieces: in a cluster those that are set in any node's bitmap (after a clean stop in any other
 * node's than the first), in a lockless bitmap those due.
 *
 *	        from           until
 *	  |   :  |    |    |    |  : |      chunks between; where the first or the last of them is set, what lies
 *	      :###################:         outside is not copied
 *
 * A bitmap file among the images is given to the judgement with the members of its array, as a start would.
 * Left out: the JSON around it (examine.c). */
#include "look/examine.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"

struct look_set {
	bool is_known;			/* the chunks could be counted */
	uint64_t chunks;		/* set, or due by their state, in any slot */
	uint64_t due_chunks;		/* of those in the slots that count for the start */
	uint64_t bytes;			/* of these, as far as they lie in the reach */
};

/* Bytes of set chunks that lie in the reach, from a count of the chunks that touch it. */
static uint64_t bytes_between(const struct look_slot *s, const struct look_scan *c, uint64_t from, uint64_t until)
{
	uint64_t bytes = c->set_between * s->chunk_bytes;

	if (c->is_from_set)
		bytes -= from % s->chunk_bytes;
	if (c->is_until_set && until % s->chunk_bytes)
		bytes -= s->chunk_bytes - until % s->chunk_bytes;
	return bytes;
}

/* The slots that some node used, in order. */
struct slots {
	struct look_slot first;				/* used or not: the geometry is in it */
	uint32_t count, due_from;			/* due_from: index of the first that counts for the start */
	struct look_bitmap bits[LOOK_SLOTS_MAX];
};

static int gather_slots(struct look_examined *e, uint32_t first_due_slot, struct slots *g)
{
	uint32_t count = look_slot_count(&e->look);

	for (uint32_t i = 0; i < count; i++) {
		struct look_slot s;
		int rc = look_slot_read(e->m, &e->look, i, &s, &e->error);

		if (rc < 0)
			return rc;
		if (i == 0)
			g->first = s;
		if (!s.is_used || !s.is_initialised)
			continue;
		g->due_from += i < first_due_slot;
		g->bits[g->count++] = s.bits;
	}
	return 0;
}

/* Those that count for the start, and the bytes of them in the reach. */
static int count_due(const struct slots *g, const struct asm_reach *reach, struct look_set *set)
{
	struct look_scan c = { 0 };
	uint64_t until = reach ? min_u64(reach->until_bytes, g->first.size_bytes) : 0;
	int rc = 0;

	if (reach) {
		c.from = reach->from_bytes / g->first.chunk_bytes;
		c.until = div_up(until, g->first.chunk_bytes);
	}
	if (g->due_from < g->count)
		rc = look_scan_union(g->bits + g->due_from, g->count - g->due_from, &c);
	set->due_chunks = c.set_chunks;
	if (rc == 0 && reach && until > reach->from_bytes)
		set->bytes = bytes_between(&g->first, &c, reach->from_bytes, until);
	look_scan_drop(&c);
	return rc;
}

static int count_all(const struct slots *g, struct look_set *set)
{
	struct look_scan c = { 0 };
	int rc = 0;

	if (g->due_from)
		rc = look_scan_union(g->bits, g->count, &c);
	set->chunks = g->due_from ? c.set_chunks : set->due_chunks;
	look_scan_drop(&c);
	return rc;
}

/* Of all slots together. @first_due_slot: slots from this one on count for the start; @reach: NULL, no bytes are
 * wanted. 0 or a code. */
static int count_set(struct look_examined *e, uint32_t first_due_slot, const struct asm_reach *reach,
		     struct look_set *ret_set)
{
	struct slots *g = mem_new(1, sizeof *g);
	int rc = -ENOMEM;

	*ret_set = (struct look_set){ 0 };
	if (!g)
		return rc;
	rc = gather_slots(e, first_due_slot, g);
	if (rc == 0 && g->count)
		rc = count_due(g, reach, ret_set);
	if (rc == 0 && g->count)
		rc = count_all(g, ret_set);
	ret_set->is_known = rc == 0 && (g->count || !g->first.is_initialised);
	mem_free(g);
	return rc;
}

/* ---- the members of one array ---- */

struct group {
	uint32_t count;
	bool has_file;					/* the last one is the file that holds the bitmap */
	struct look_examined examined[ARR_MEMBERS_MAX];	/* closed; their strings are kept */
	struct asm_member members[ARR_MEMBERS_MAX];
	struct asm_plan plan;
	struct look_set set;
	uint64_t bytes;
};

/* The file that holds the bitmap of an array whose superblocks name none: a start that names it goes by it. */
static void add_file(struct group *g, const struct look_seen *seen, size_t count)
{
	uint8_t uuid[16];

	if (!g->count || g->count == ARR_MEMBERS_MAX)
		return;
	for (uint32_t i = 0; i < g->count; i++)
		if (g->members[i].sb.feature_map & FMT_SB1_BITMAP)
			return;
	asm_bitmap_uuid(&g->members[0], uuid);
	for (size_t i = 0; i < count; i++) {
		struct look_examined *e = &g->examined[g->count];

		if (!seen[i].is_bitmap_file || memcmp(seen[i].bitmap_uuid, uuid, sizeof uuid))
			continue;
		look_examined_begin(e, seen[i].path);
		e->m = mbr_close(e->m);
		g->members[g->count] = e->look;
		if (e->look.kind == ASM_BITMAP_FILE && !look_examined_error(e)->code)
			g->has_file = g->count++ != 0;
		else
			look_examined_end(e);
		return;
	}
}

static void add_to_group(struct group *g, const char *path, const uint8_t uuid[16])
{
	struct look_examined *e = &g->examined[g->count];

	look_examined_begin(e, path);
	e->m = mbr_close(e->m);
	/* It may have changed since it was shown. */
	if (e->look.has_superblock && !e->look.error.code && memcmp(e->look.sb.set_uuid, uuid, 16) == 0)
		g->members[g->count++] = e->look;
	else
		look_examined_end(e);
}

/* Members beyond the limit are counted, so that the judgement can refuse them. */
static uint32_t gather(const struct look_seen *seen, size_t count, size_t first, struct group *g)
{
	uint32_t present = 0;

	for (size_t i = first; i < count; i++) {
		if (!seen[i].is_member || memcmp(seen[i].uuid, seen[first].uuid, sizeof seen[i].uuid) != 0)
			continue;
		if (present++ < ARR_MEMBERS_MAX)
			add_to_group(g, seen[i].path, seen[i].uuid);
	}
	if (present > ARR_MEMBERS_MAX)
		return present;
	present = g->count;
	add_file(g, seen, count);
	return present;
}

static void drop(struct group *g)
{
	for (uint32_t i = 0; i < g->count; i++)
		look_examined_end(&g->examined[i]);
	mem_free(g);
}

static bool is_refused(const struct asm_plan *plan)
{
	return plan->refusal.code && !plan->is_unsupported;
}

/* The chunks are counted also where nothing is copied. */
static int count_bytes(struct group *g)
{
	struct asm_plan *plan = &g->plan;
	struct asm_reach reach;
	bool has_reach;
	int rc = 0;

	if (plan->has_freshest && plan->has_bitmap) {
		struct look_examined e;

		has_reach = !is_refused(plan) && asm_bitmap_reach(g->members, plan, &reach);
		look_examined_begin(&e, g->examined[plan->bitmap_member].path);
		if (e.m && look_slot_count(&e.look))
			rc = count_set(&e, asm_first_due_slot(plan), has_reach ? &reach : NULL, &g->set);
		look_examined_end(&e);
	}
	if (is_refused(plan))
		return rc;
	if (g->set.is_known)
		asm_settle(plan, g->set.due_chunks);
	g->bytes = plan->action == ASM_NOTHING ? 0 : g->set.bytes + asm_bytes_in_full(g->members, plan);
	return rc;
}

/* ---- JSON ---- */

static void json_reason(struct text *t, const struct group *g)
{
	const struct asm_plan *plan = &g->plan;
	struct text reason = { 0 };
	char *sentence;

	if (plan->refusal.code)
		text_add(&reason, "%s", plan->refusal.text);
	if (plan->is_unsupported)
		text_add(&reason, "; a start by Linux: ");
	if (!is_refused(plan))
		text_add(&reason, "%s", plan->reason);
	if (!is_refused(plan) && plan->is_upper_bound && g->bytes)
		text_add(&reason, "; at most %llu bytes", (unsigned long long)g->bytes);
	if (!is_refused(plan) && plan->has_bitmap && plan->action != ASM_NOTHING && !g->set.is_known)
		text_add(&reason, "; the bitmap cannot be read in full: what it adds is not counted");
	if (!is_refused(plan) && plan->bitmap_is_file)
		text_add(&reason, "; the bitmap is in the file %s, which the start names with --bitmap",
			 g->examined[plan->bitmap_member].shown);
	sentence = text_take(&reason);
	t->is_broken |= !sentence;
	json_str(t, "reason", sentence);
	mem_free(sentence);
}

static void json_next_start(struct text *t, const struct group *g)
{
	static const char *const actions[] = {
		[ASM_NOTHING] = "none", [ASM_RESYNC] = "resync", [ASM_RECOVER] = "recover"
	};
	const struct asm_plan *plan = &g->plan;

	json_open(t, "next_start", '{');
	json_str(t, "action", actions[is_refused(plan) ? ASM_NOTHING : plan->action]);
	json_u64(t, "bytes", g->bytes);
	if (g->set.is_known)
		json_u64(t, "set_chunks", g->set.chunks);
	else
		json_null(t, "set_chunks");
	json_reason(t, g);
	json_close(t, '}');
}

static void json_verdicts(struct text *t, const struct group *g)
{
	static const char *const verdicts[] = {
		[ASM_UNJUDGED] = "unjudged", [ASM_UNUSABLE] = "unusable", [ASM_FOREIGN] = "foreign",
		[ASM_IN_SYNC] = "in_sync", [ASM_SPARE] = "spare", [ASM_RECOVERING] = "recovering",
		[ASM_STALE_BITMAP] = "stale_bitmap", [ASM_STALE_FULL] = "stale_full", [ASM_FORKED] = "forked",
		[ASM_DUPLICATE] = "duplicate", [ASM_JOURNAL] = "journal", [ASM_REPLACEMENT] = "replacement",
		[ASM_MAP_FILE] = "bitmap_file", [ASM_AWAY] = "away",
	};

	json_open(t, "members", '[');
	for (uint32_t i = 0; i < g->count; i++) {
		json_open(t, NULL, '{');
		json_strn(t, "path", g->examined[i].path, strlen(g->examined[i].path));
		json_str(t, "verdict", verdicts[g->plan.verdicts[i]]);
		json_str(t, "reason", g->plan.reasons[i]);
		json_close(t, '}');
	}
	json_close(t, ']');
}

static void json_group(struct text *t, const struct group *g, uint32_t present)
{
	const struct asm_plan *plan = &g->plan;
	const struct sb1 *sb = &g->members[plan->has_freshest ? plan->freshest : 0].sb;

	json_open(t, NULL, '{');
	look_json_uuid(t, "array_uuid", sb->set_uuid);
	json_strn(t, "name", sb->set_name, strlen(sb->set_name));
	json_i64(t, "level", sb->level);
	json_u64(t, "members_present", present);
	json_u64(t, "raid_devices", sb->raid_disks);
	json_bool(t, "can_start", !plan->refusal.code);
	json_str(t, "state", plan->state);
	json_next_start(t, g);
	json_bool(t, "clustered", plan->has_bitmap && asm_bitmap_is_clustered(&g->members[plan->bitmap_member].bitmap));
	json_str(t, "not_supported", plan->is_unsupported ? plan->refusal.text : NULL);
	json_verdicts(t, g);
	json_close(t, '}');
}

int look_json_array(struct text *t, const struct look_seen *seen, size_t count, size_t first)
{
	struct group *g = mem_new(1, sizeof *g);
	struct asm_options options = { .is_look = true };
	uint32_t present;
	int rc = 0;

	if (!g)
		return -ENOMEM;
	present = gather(seen, count, first, g);
	if (g->count) {
		asm_judge(g->members, present + g->has_file, &options, &g->plan);
		rc = count_bytes(g);
		json_group(t, g, present);
	}
	drop(g);
	/* An unreadable bitmap is the member's error, told there; the array's bytes are then what is known. */
	return rc == -ENOMEM ? rc : 0;
}
