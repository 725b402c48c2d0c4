/* What one node of a cluster has in doubt, for images: nodes SLOT MEMBER... prints one line of JSON.
 *
 * Looked at, judged and loaded as a server does it, then every other slot is merged as if all other nodes were dead:
 *
 *   {"needed": [[first, last], ...], "due": BOOL, "read": MEMBER}     or   {"refused": "..."}
 *
 * Nothing is written. Left out: whose locks make that possible; the simulator and the lab have those. */
#include "base/mem.h"
#include "look/look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEMBERS_MAX = 8 };

static struct member *hands[MEMBERS_MAX];
static struct asm_member looks[MEMBERS_MAX];
static struct asm_plan plan;
static struct asm_options options = { .is_node = true };

static int refuse(const char *why)
{
	printf("{\"refused\": \"");
	for (; *why; why++)
		putchar(*why == '"' || *why == '\\' ? '\'' : *why);
	puts("\"}");
	return 0;
}

static void merge(struct bm *b, const struct asm_member *pin, struct member *hand, uint32_t slot)
{
	uint8_t *image = mem_new(1, bm_image_bytes(b));
	member_off at = { pin->bitmap_at.bytes + slot * asm_slot_bytes(&pin->bitmap) };

	if (!image || mbr_read(hand, at, image, bm_image_bytes(b)) || bm_merge(b, image) < 0)
		exit(3);
	mem_free(image);
}

static void print_needed(const struct bm *b)
{
	uint64_t chunk = bm_chunk_bytes(b), len;
	const char *comma = "";
	array_off at = { 0 };

	while (bm_next_needed(b, at, &at, &len)) {
		printf("%s[%llu, %llu]", comma, (unsigned long long)(at.bytes / chunk),
		       (unsigned long long)((at.bytes + len - 1) / chunk));
		comma = ", ";
		at.bytes += len;
	}
}

static int node(uint32_t count)
{
	uint8_t *image = NULL;
	uint32_t read = 0, member_of[ARR_MEMBERS_MAX];
	uint64_t len = 0;
	struct asm_lineage *lineage;
	struct arr_status status;
	struct err err = { 0 };
	struct arr *array;
	struct bm *b;
	member_off at;

	asm_judge(looks, count, &options, &plan);
	if (plan.refusal.code)
		return refuse(plan.refusal.text);
	if (asm_bitmap_to_read(looks, &plan, &read, &at, &len) &&
	    look_read_image(hands[read], looks[read].path, at, len, &image, &err))
		return refuse(err.text);
	if (asm_start(looks, &plan, &options, image, len, &array, &lineage, member_of, &err))
		return refuse(err.text);
	arr_get_status(array, &status);
	b = (struct bm *)arr_bitmap(array);
	for (uint32_t slot = 0; slot < looks[plan.bitmap_member].bitmap.nodes; slot++)
		if (slot != options.node_slot)
			merge(b, &looks[plan.freshest], hands[plan.freshest], slot);
	printf("{\"needed\": [");
	print_needed(b);
	printf("], \"due\": %s, \"read\": %u}\n", status.resync_offset == OFF_NONE ? "false" : "true", read);
	arr_free(array);
	asm_lineage_free(lineage);
	mem_free(image);
	return 0;
}

int main(int argc, char **argv)
{
	struct err err = { 0 };
	int rc;

	if (argc < 3 || argc > MEMBERS_MAX + 2)
		return 2;
	options.node_slot = (uint32_t)atoi(argv[1]);
	for (int i = 2; i < argc; i++) {
		if (mbr_open(argv[i], -1, MBR_LOCK_SHARED, &hands[i - 2], &err) < 0)
			return 2;
		look_member(hands[i - 2], argv[i], &looks[i - 2]);
		look_own_slot(hands[i - 2], options.node_slot, &looks[i - 2]);
	}
	rc = node((uint32_t)argc - 2);
	for (int i = 2; i < argc; i++)
		mbr_close(hands[i - 2]);
	return rc;
}
