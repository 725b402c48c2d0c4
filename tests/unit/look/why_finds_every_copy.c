/* Goal: why tells where RAID10 keeps the copies of a chunk and who copies them to whom, and which bytes of the members
 *       a chunk of a parity array means.
 * Method: members made by hand; bitmap chunks that are parts of RAID10's and several of them; near and far copies.
 * Law: I7 (nothing is written).
 * Source: array 7.3, 7.5, 8; umd.h. */
#include "why_help.h"

/* A bitmap's chunk is the second half of one of RAID10's. */
static void part_of_a_chunk(void)
{
	struct shape s = dirty();
	struct json_object *j;

	s.level = 10;
	s.layout = 0x102;
	s.slots = 4;
	s.raid_chunk_bytes = 2 * CHUNK;
	s.size_bytes = CHUNKS * (uint64_t)CHUNK / 2;
	images_make(&s);
	for (uint32_t i = 0; i < 4; i++)
		image_set(i, &s, 0, 7);
	j = why(4, 7);
	ok(!image_get(j, "members.0.data") && !image_get(j, "members.1.data"),
	   "half a chunk: two slots hold nothing of it");
	is_u64(image_u64(j, "members.3.data.offset_bytes"), (1 << 20) + 2 * CHUNK + CHUNK,
	       "its place inside the other's row");
	ok(has(j, "next_start.from", image_list[2]) && has(j, "next_start.to.0", image_list[3]) &&
	   !image_get(j, "next_start.to.1"), "copied from one to one");
	json_object_put(j);
}

/* Near 2 on 4 slots, RAID10's chunks a quarter of the bitmap's. */
static void raid10(void)
{
	struct shape s = dirty();
	struct json_object *j;

	s.level = 10;
	s.layout = 0x102;
	s.slots = 4;
	s.raid_chunk_bytes = CHUNK / 4;
	s.size_bytes = CHUNKS * (uint64_t)CHUNK / 4;
	images_make(&s);
	image_set(0, &s, 0, 3);
	j = why(4, 3);
	/* RAID10's chunks 12 to 15: rows 6 and 7 of every slot */
	for (uint32_t i = 0; i < 4; i++) {
		char path[64];

		snprintf(path, sizeof path, "members.%u.data.offset_bytes", i);
		is_u64(image_u64(j, path), (1 << 20) + 6 * CHUNK / 4, "RAID10: its place on slot %u", i);
		snprintf(path, sizeof path, "members.%u.data.length_bytes", i);
		is_u64(image_u64(j, path), CHUNK / 2, "two rows");
	}
	ok(is_copied(j) && !image_get(j, "next_start.from"), "copied between several: %s", image_text(j, "sentence"));
	json_object_put(j);

	s.layout = 0x201;
	images_make(&s);
	j = why(4, 3);
	ok(image_get(j, "members.0.more_data.0") && !image_get(j, "members.0.more_data.1"), "far copies: two places");
	json_object_put(j);
}

static void parity(void)
{
	struct shape s = dirty();
	struct json_object *j;

	s.level = 5;
	s.layout = 2;
	s.slots = 3;
	s.raid_chunk_bytes = CHUNK;
	images_make(&s);
	image_set(0, &s, 0, 8);
	j = why(3, 8);
	ok(!strcmp(image_text(j, "covers.of"), "members"), "RAID5: bytes of the members");
	ok(is_copied(j) && has(j, "sentence", "md computes the parity of bytes 524288 to 589823"), "parity: %s",
	   image_text(j, "sentence"));
	json_object_put(j);
}

int main(void)
{
	part_of_a_chunk();
	raid10();
	parity();
	images_remove();
	return tap_end();
}
