/* Goal: why names the byte and bit of a chunk on every member, where its data lies, and who copies it to whom for which
 *       reason; what it says of all chunks together is what the next start copies.
 * Method: members made by hand, answers compared with bytes computed here by hand; each kind of bitmap, each reason.
 * Law: I7 (nothing is written), I8.
 * Source: bitmap 2.1, 3.1, 7; array 2; umd.h. */
#include "why_help.h"

static void not_stopped_cleanly(void)
{
	struct shape s = dirty();
	struct json_object *j;
	char wanted[400];

	images_make(&s);
	image_set(0, &s, 0, 65);
	image_set(1, &s, 0, 65);
	j = why(2, 65);
	is_u64(image_u64(j, "members.1.byte_offset"), 8192 + 256 + 8, "chunk 65: its byte");
	is_u64(image_u64(j, "members.1.bit"), 1, "its bit");
	is_u64(image_u64(j, "members.1.byte"), 2, "the byte's value");
	is_u64(image_u64(j, "members.0.data.offset_bytes"), (1 << 20) + 4259840, "its data on a member");
	is_u64(image_u64(j, "covers.first_byte"), 4259840, "its first byte of the array");
	is_u64(image_u64(j, "covers.length_bytes"), CHUNK, "its length");
	ok(is_copied(j) && has(j, "next_start.from", image_list[0]) && has(j, "next_start.to.0", image_list[1]),
	   "the first member is copied to the second");
	snprintf(wanted, sizeof wanted, "chunk 65 is set on %s and %s; the array was not stopped cleanly: md copies "
		 "bytes 4259840 to 4325375 from %s to %s", image_list[0], image_list[1], image_list[0], image_list[1]);
	ok(!strcmp(image_text(j, "sentence"), wanted), "in words: %s", image_text(j, "sentence"));
	json_object_put(j);

	j = why(2, 66);
	ok(!is_copied(j) && has(j, "sentence", "chunk 66 is clear on "), "its neighbour is left alone");
	json_object_put(j);
	j = why(2, CHUNKS - 1);
	is_u64(image_u64(j, "covers.length_bytes"), CHUNK - 4096, "the last chunk ends with the array");
	is_u64(image_u64(j, "members.0.bit"), 7, "its bit is the highest of the last byte");
	json_object_put(j);
	ok(!why(2, CHUNKS) && strstr(error.text, "chunk 1000:") && strstr(error.text, "1000 chunks"),
	   "no chunk behind the last one: %s", error.text);
	ok(!why(2, UINT64_MAX), "nor at the end of numbers");
}

static void stopped_cleanly(void)
{
	struct json_object *j;

	images_make(&plain);
	image_set(0, &plain, 0, 3);
	image_set(1, &plain, 0, 3);
	j = why(2, 3);
	ok(!is_copied(j) &&
	   has(j, "next_start.reason", "stopped cleanly, so md leaves it alone although the bit is set"),
	   "set, but stopped cleanly: left alone");
	ok(json_object_get_boolean(image_get(j, "members.0.set")), "the bit is told as it is");
	json_object_put(j);
}

static void disagreeing(void)
{
	struct shape s = dirty();
	struct json_object *j;

	images_make(&s);
	image_set(1, &s, 0, 9);
	j = why(2, 9);
	ok(!is_copied(j), "set where md does not read: left alone");
	ok(has(j, "sentence", "(md reads the bitmap of ") && has(j, "sentence", ", set on "), "both are told: %s",
	   image_text(j, "sentence"));
	json_object_put(j);
	image_set(0, &s, 0, 9);
	j = why(2, 9);
	ok(is_copied(j) && !has(j, "sentence", "md reads"), "set on both: copied");
	json_object_put(j);
}

static void out_of_date(void)
{
	struct shape s = dirty();
	struct json_object *j;

	s.bitmap_events = 5;
	images_make(&s);
	j = why(2, 500);
	ok(is_copied(j) && has(j, "next_start.reason", "event 5, the array's is 7"),
	   "a stale bitmap copies everything: %s",
	   image_text(j, "next_start.reason"));
	json_object_put(j);
}

/* The second member missed events: @how_many before the last clearing. */
static void missed(uint64_t cleared, bool is_full)
{
	struct json_object *j;
	struct sb1 sb;
	uint8_t raw[FMT_BITMAP_SB_BYTES];
	struct bitmap_sb b = { .magic = FMT_BITMAP_MAGIC, .version = 4, .uuid = "sixteen letters", .events = 20,
			       .events_cleared = cleared, .sync_size_sectors = plain.size_bytes / 512,
			       .chunk_bytes = CHUNK, .daemon_sleep_s = 5 };

	images_make(&plain);
	sb = image_superblock(&plain, 0);
	sb.events = 20;
	sb.dev_roles[1] = FMT_ROLE_SPARE;
	image_put_superblock(0, &sb);
	fmt_bitmap_sb_encode(&b, raw);
	image_put(0, IMAGE_BITMAP_AT, raw, sizeof raw);
	image_set(0, &plain, 0, 4);
	j = why(2, 4);
	ok(is_copied(j) && has(j, "next_start.to.0", image_list[1]), "a member that was away gets the set chunk");
	json_object_put(j);
	j = why(2, 5);
	ok(is_copied(j) == is_full, "and the clear ones %s", is_full ? "as well: it was away too long" : "not");
	json_object_put(j);
}

static void recovering(void)
{
	struct json_object *j;
	struct sb1 sb;

	images_make(&plain);
	sb = image_superblock(&plain, 1);
	sb.feature_map |= FMT_SB1_RECOVERY_OFFSET;
	sb.recovery_offset_sectors = 10 * CHUNK / SECTOR_BYTES + 8;
	image_put_superblock(1, &sb);
	j = why(2, 9);
	ok(!is_copied(j), "below the offset a recovery has copied already");
	json_object_put(j);
	j = why(2, 10);
	ok(is_copied(j), "the chunk at the offset is copied, set or not");
	json_object_put(j);
}

static void nodes(void)
{
	struct shape s = dirty();
	struct json_object *j;

	s.version = 5;
	s.nodes = 3;
	images_make(&s);
	for (uint32_t i = 0; i < 2; i++)
		image_set(i, &s, 2, 17);
	j = why(2, 17);
	is_u64(json_object_array_length(image_get(j, "members")), 6, "a line for every slot of every member");
	is_u64(image_u64(j, "members.2.byte_offset"), 8192 + 2 * 4096 + 256 + 2, "the third slot's byte");
	ok(is_copied(j) && has(j, "sentence", "set in slot 2 on "),
	   "set in one slot: copied; %s", image_text(j, "sentence"));
	ok(has(j, "next_start.reason", "slots tell what is in doubt") && !has(j, "next_start.reason", "cleanly"),
	   "and not because of how a node ended, which an active superblock does not tell there");
	ok(!has(j, "next_start.reason", "by Linux"), "one node of umd starts it, too");
	json_object_put(j);
	j = why(2, 18);
	ok(!is_copied(j) && has(j, "sentence", "clear in all 3 slots"), "set in none: left alone");
	json_object_put(j);
	image_set(0, &s, 0, 18);
	image_set(0, &s, 2, 18);
	j = why(2, 18);
	ok(is_copied(j) && has(j, "sentence", "set in slots 0 and 2 on "),
	   "set in two: copied; %s", image_text(j, "sentence"));
	json_object_put(j);
	image_set(0, &s, 1, 20);
	j = why(2, 20);
	ok(is_copied(j), "set in a slot between clear ones: copied");
	json_object_put(j);
}

static void lockless(void)
{
	static const struct { uint8_t byte; const char *name; bool is_copied; } rows[] = {
		{ 0, "unwritten", false }, { 1, "clean", false }, { 2, "dirty", true }, { 3, "need_sync", true },
		{ 4, "syncing", true }, { 7, "clean_unwritten", false }, { 99, "invalid", true },
	};
	struct shape s = plain;

	s.version = 6;
	images_make(&s);
	for (uint32_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct json_object *j;

		for (uint32_t m = 0; m < 2; m++)
			image_state(m, &s, 40, rows[i].byte);
		j = why(2, 40);
		ok(is_copied(j) == rows[i].is_copied && !strcmp(image_text(j, "members.0.state"), rows[i].name),
		   "%s: %s", rows[i].name, image_text(j, "next_start.reason"));
		ok(image_u64(j, "members.0.byte_offset") == 8192 + 1024 + 40 && !image_get(j, "members.0.bit"),
		   "its byte, no bit");
		json_object_put(j);
	}
}

/* A member that is rebuilt gets everything that was ever written. */
static void lockless_recovery(void)
{
	struct shape s = plain;
	struct json_object *j;
	struct sb1 sb;

	s.version = 6;
	images_make(&s);
	sb = image_superblock(&s, 1);
	sb.feature_map |= FMT_SB1_RECOVERY_OFFSET;
	image_put_superblock(1, &sb);
	image_state(0, &s, 5, LOCKLESS_CLEAN);
	j = why(2, 5);
	ok(is_copied(j), "lockless: a clean chunk is copied to a member being rebuilt");
	json_object_put(j);
	j = why(2, 6);
	ok(!is_copied(j) && has(j, "next_start.reason", "never written"), "one that was never written is not");
	json_object_put(j);
}

/* One of three is rebuilt, the others agree. */
static void bystanders(void)
{
	struct shape s = plain;
	struct json_object *j;
	struct sb1 sb;

	s.slots = 3;
	images_make(&s);
	sb = image_superblock(&s, 2);
	sb.feature_map |= FMT_SB1_RECOVERY_OFFSET;
	image_put_superblock(2, &sb);
	image_set(0, &s, 0, 5);
	j = why(3, 5);
	ok(has(j, "next_start.from", image_list[0]) && has(j, "next_start.to.0", image_list[2]) &&
	   !image_get(j, "next_start.to.1"), "from the lowest slot to the member that comes back, nobody else");
	json_object_put(j);
}

static void no_bitmap(void)
{
	struct shape s = plain;

	s.version = 0;
	images_make(&s);
	ok(!why(2, 3) && strstr(error.text, "has no bitmap") && strstr(error.text, "the next start"),
	   "without a bitmap there are no chunks: %s", error.text);
}

static void two_arrays(void)
{
	struct sb1 sb;

	images_make(&plain);
	sb = image_superblock(&plain, 1);
	sb.set_uuid[3] ^= 1;
	image_put_superblock(1, &sb);
	ok(!why(2, 3) && error.code < 0 && strstr(error.text, image_list[0]) && strstr(error.text, image_list[1]),
	   "members of two arrays have no common chunk: %s", error.text);
}

static void external(void)
{
	struct umd_external_bitmap x = { .location_bytes = 4000, .chunk_bytes = 4096, .size_bytes = 100 * 4096 };
	struct json_object *j;
	uint8_t byte = 0x10;
	char *json = NULL;

	images_make(&plain);
	image_put(0, 4000 + 5, &byte, 1);
	is_u64(umd_why(image_list, 1, 44, &x, &json, &errors, &error), 0, "a bitmap without superblock");
	j = json_tokener_parse(json ? json : "{}");
	ok(image_u64(j, "members.0.byte_offset") == 4005 && image_u64(j, "members.0.bit") == 4, "its byte and bit");
	ok(json_object_get_boolean(image_get(j, "members.0.set")) && !is_copied(j), "set; who copies it is not known");
	json_object_put(j);
	free(json);
	ok(umd_why(image_list, 1, 100, &x, &json, &errors, &error) < 0 && strstr(error.text, "100 chunks"),
	   "no chunk behind its last one: %s", error.text);
}

int main(void)
{
	not_stopped_cleanly();
	stopped_cleanly();
	disagreeing();
	out_of_date();
	missed(7, false);
	missed(8, true);
	recovering();
	nodes();
	lockless();
	lockless_recovery();
	bystanders();
	no_bitmap();
	two_arrays();
	external();
	images_remove();
	return tap_end();
}
