/* Goal:   what a node that died had begun may lie in members' caches only: a node judges nothing that a power cut takes
 *         back. An array of one host asks for no flush: nobody else has written to its members.
 * Method: two members in memory, each with a cache. One of them has superblock and bits of a later event in its cache
 *         alone. The judgement for a slot is made, then the power goes: what it was founded on is there all the same.
 *         Then the flush of a member fails.
 * Law:    C1, I5.
 * Source: umd-csim seed 10733. */
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "look/look.h"
#include "run/opening.h"
#include "tap.h"

enum { MEMBERS = 2, BYTES = 4 << 20, EARLIER = 17, LATER = 18 };

static struct disk {
	struct member m;
	uint8_t *medium, *cache;
	uint32_t flushes, reads_before_flush;
	bool does_not_flush;
} disks[MEMBERS];

static struct asm_created made[ARR_MEMBERS_MAX];
static struct asm_member looks[MEMBERS];
static struct asm_plan plan;
static struct run_opening opening;

static void run(struct member *m, struct mbr_part *parts, uint32_t count)
{
	struct disk *d = (struct disk *)m;

	for (uint32_t i = 0; i < count; i++) {
		struct mbr_part *p = &parts[i];

		p->rc = 0;
		if (p->op == MBR_READ) {
			memcpy(p->data, d->cache + p->at.bytes, p->len_bytes);
			d->reads_before_flush += !d->flushes;
		} else if (p->op == MBR_FLUSH && d->does_not_flush) {
			p->rc = -EIO;
		} else if (p->op == MBR_FLUSH) {
			memcpy(d->medium, d->cache, BYTES);
			d->flushes++;
		} else {
			abort();	/* a judgement writes nothing */
		}
	}
}

static void create(void)
{
	struct asm_create c = { .minor = SB1_2, .has_bitmap = true, .is_assume_clean = true, .nodes = 2,
		.cluster_name = "lab", .uuid = "of a test", .name = "m", .count = MEMBERS,
		.bitmap_chunk_bytes = 65536 };
	struct err err = { 0 };

	for (uint32_t i = 0; i < MEMBERS; i++) {
		c.members[i].path = "m";
		c.members[i].size_bytes = BYTES;
		c.members[i].device_uuid[0] = (uint8_t)(i + 1);
	}
	ok(asm_create_plan(&c, made, &err) == 0, "two members are laid out: %s", err.text);
}

/* As some node has written it. */
static void put_super(uint8_t *at, uint32_t member, uint64_t events, uint32_t role_of_other)
{
	struct sb1 sb = made[member].sb;

	sb.events = events;
	sb.resync_offset_sectors = 0;
	sb.dev_roles[!member] = (uint16_t)role_of_other;
	memcpy(at + made[member].super_at.bytes, made[member].super_raw, FMT_SB1_BYTES);
	fmt_sb1_encode(&sb, at + made[member].super_at.bytes);
}

static void lay_out(void)
{
	static const struct member_ops ops = { .run = run };

	for (uint32_t i = 0; i < MEMBERS; i++) {
		struct disk *d = &disks[i];

		d->m = (struct member){ .ops = &ops, .size_bytes = BYTES };
		d->medium = d->medium ?: malloc(BYTES);
		d->cache = d->cache ?: malloc(BYTES);
		if (!d->medium || !d->cache)
			abort();
		memset(d->medium, 0, BYTES);
		put_super(d->medium, i, EARLIER, !i);
		for (uint32_t slot = 0; slot < made[i].slots; slot++)
			fmt_bitmap_sb_encode(&made[i].bitmap,
					     d->medium + made[i].bitmap_at.bytes + slot * made[i].slot_bytes);
		memcpy(d->cache, d->medium, BYTES);
		d->flushes = d->reads_before_flush = 0;
		d->does_not_flush = false;
	}
	put_super(disks[0].cache, 0, LATER, FMT_ROLE_FAULTY);
}

static int judge(bool is_node)
{
	struct asm_options o = { .may_run_degraded = true, .is_node = is_node };
	struct err err = { 0 };
	int rc;

	mem_free(opening.image);
	opening = (struct run_opening){ .count = MEMBERS, .looks = looks, .plan = &plan };
	for (uint32_t i = 0; i < MEMBERS; i++) {
		opening.hands[i] = &disks[i].m;
		opening.paths[i] = i ? (char *)"b" : (char *)"a";
	}
	rc = run_opening_judge_again(&opening, &o, &err);
	printf("# %d %s\n", rc, err.text);
	return rc;
}

static uint64_t events_left(uint32_t member)
{
	struct sb1 sb;

	fmt_sb1_decode(disks[member].medium + made[member].super_at.bytes, SB1_2, &sb);
	return sb.events;
}

int main(void)
{
	create();
	lay_out();
	is_u64((uint64_t)judge(true), 0, "a node judges");
	is_u64(looks[0].sb.events, LATER, "it sees what lay in a cache");
	is_u64(events_left(0), LATER, "and a power cut leaves that");
	ok(plan.verdicts[1] == ASM_AWAY, "the other one is out: %s", plan.reasons[1]);
	for (uint32_t i = 0; i < MEMBERS; i++) {
		is_u64(disks[i].flushes, 1, "member %u is flushed", i);
		is_u64(disks[i].reads_before_flush, 0, "before any of it is read");
	}
	lay_out();
	disks[0].does_not_flush = true;
	is_u64((uint64_t)judge(true), 0, "one that cannot be flushed is judged: its first claim will fail it");
	is_u64(disks[1].flushes, 1, "the other one is flushed");
	lay_out();
	judge(false);
	is_u64(disks[0].flushes + disks[1].flushes, 0, "one host's array is not flushed");
	mem_free(opening.image);
	for (uint32_t i = 0; i < MEMBERS; i++) {
		free(disks[i].medium);
		free(disks[i].cache);
	}
	return tap_end();
}
