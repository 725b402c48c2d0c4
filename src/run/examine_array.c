/* What the next start would do with the members given: the judgement's own answer, so that examine and serve never
 * disagree, and the bytes it would copy.
 *
 * The judgement counts bytes in a whole bitmap image; here the set chunks are counted while streaming, and the
 * judgement is asked for the part that no bitmap limits. The larger one is what the longest pass copies. */
#include "run/examine.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "run/bits.h"

struct group {
	uint32_t count, index[ARR_MEMBERS_MAX];		/* into the members examined */
	struct asm_member members[ARR_MEMBERS_MAX];
	struct asm_plan plan;
};

/* As the array will load it: the chunk that ends at the checkpoint still counts. */
static uint64_t first_chunk(const struct asm_plan *plan, const struct bitmap_sb *bm)
{
	uint64_t first = plan->degraded ? 0 : div_up(plan->resync_offset, bm->chunk_bytes);

	return first ? first - 1 : 0;
}

/* Bytes of the set chunks from the checkpoint on; the last chunk is cut at the end of the range. */
static int set_bytes(const struct run_examined *e, const struct asm_plan *plan, uint64_t *ret_bytes)
{
	const struct bitmap_sb *bm = &e->look.bitmap;
	uint64_t total = run_sectors_bytes(bm->sync_size_sectors), cut;
	struct run_bits bits = { .chunks = fmt_bitmap_chunks(bm), .from = first_chunk(plan, bm) };
	int rc = run_bits_read(e->m, e->look.bitmap_at, &bits);

	run_bits_drop(&bits);
	if (rc < 0)
		return rc;
	cut = bits.chunks * bm->chunk_bytes - total;
	*ret_bytes = bits.set_from * bm->chunk_bytes - (bits.is_last_set && bits.set_from ? cut : 0);
	return 0;
}

static int bytes_to_copy(const struct run_examined *examined, const struct group *g, uint64_t *ret_bytes)
{
	uint64_t by_bitmap = 0;
	int rc = 0;

	*ret_bytes = 0;
	if (g->plan.refusal.code || g->plan.action == ASM_NOTHING)
		return 0;
	if (g->plan.has_bitmap && !g->plan.bitmap_is_stale)
		rc = set_bytes(&examined[g->index[g->plan.bitmap_member]], &g->plan, &by_bitmap);
	*ret_bytes = max_u64(by_bitmap, asm_bytes_in_full(g->members, &g->plan));
	return rc;
}

static void json_next_start(struct text *t, const struct asm_plan *plan, uint64_t bytes)
{
	static const char *const actions[] = {
		[ASM_NOTHING] = "none", [ASM_RESYNC] = "resync", [ASM_RECOVER] = "recover"
	};
	bool is_refused = plan->refusal.code != 0;

	json_bool(t, "can_start", !is_refused);
	json_open(t, "next_start", '{');
	json_str(t, "action", actions[is_refused ? ASM_NOTHING : plan->action]);
	json_u64(t, "bytes", bytes);
	json_str(t, "reason", is_refused ? plan->refusal.text : plan->reason);
	json_close(t, '}');
}

/* Members beyond the limit are counted, so that the judgement can refuse them. */
static uint32_t gather(const struct run_examined *examined, size_t count, size_t first, struct group *g)
{
	uint32_t present = 0;

	for (size_t i = first; i < count; i++) {
		const struct asm_member *look = &examined[i].look;

		if (!look->has_superblock || look->error.code ||
		    memcmp(look->sb.set_uuid, examined[first].look.sb.set_uuid, 16) != 0)
			continue;
		if (present++ >= ARR_MEMBERS_MAX)
			continue;
		g->index[g->count] = (uint32_t)i;
		g->members[g->count++] = *look;
	}
	return present;
}

int run_json_array(struct text *t, const struct run_examined *examined, size_t count, size_t first)
{
	struct group *g = mem_new(1, sizeof *g);
	struct asm_options options = { 0 };
	uint64_t bytes = 0;
	uint32_t present;
	char uuid[36];
	int rc;

	if (!g)
		return -ENOMEM;
	present = gather(examined, count, first, g);
	asm_judge(g->members, present, &options, &g->plan);
	rc = bytes_to_copy(examined, g, &bytes);
	fmt_uuid_text(examined[first].look.sb.set_uuid, uuid);
	json_open(t, NULL, '{');
	json_str(t, "array_uuid", uuid);
	json_u64(t, "members_present", present);
	json_next_start(t, &g->plan, bytes);
	json_close(t, '}');
	mem_free(g);
	/* An unreadable bitmap is the member's error, told there; the array's bytes are then what is known. */
	return rc == -ENOMEM ? rc : 0;
}
