/* Goal: the number of nodes, a cluster's name, chunks, a cluster made or ended off line: what comes out is what was
 * asked for, on every member, with every set chunk; what would lose something is refused, and nothing is written.
 * Method: members on files, changed there and back; slots with chunks, slots that one member lacks. Law: I2, I7, I8.
 * Source: spec cluster 2, 8.18, 8.21; mdadm --update=nodes and home-cluster change the same fields. */
#include "off_line.h"

enum { SUPER_AT = 4096 };

static void becomes(const char *bitmap, uint32_t nodes, const char *name, uint32_t wanted, const char *wanted_name)
{
	struct umd_error error;
	struct left left;

	if (!ok(!change(bitmap, nodes, name, &error), "changed to %u nodes %s", wanted, error.text))
		return;
	left = what_is_left();
	ok(!left.refused && left.is_same && left.nodes == wanted && left.is_node == !!wanted &&
		   !strcmp(left.name, wanted_name),
	   "it starts: %u nodes of \"%s\" %s", left.nodes, left.name, left.why);
	ok(!plan.bitmap_is_stale, "what its bitmap says is believed");
}

static uint8_t before[MEMBERS][FRONT_BYTES];	/* a change that is to be refused */

static void note_fronts(void)
{
	for (int i = 0; i < MEMBERS; i++)
		read_front(paths[i], before[i]);
}

static void is_refused(int rc, const char *said, const char *word, const char *also)
{
	static uint8_t after[FRONT_BYTES];
	bool is_same = true;

	ok(rc && strstr(said, word) && strstr(said, also), "%s", said);
	for (int i = 0; i < MEMBERS; i++) {
		read_front(paths[i], after);
		is_same &= !memcmp(before[i], after, FRONT_BYTES);
	}
	ok(is_same, "and nothing was written");
}

static void refuses(const char *bitmap, uint32_t nodes, const char *name, const char *word, const char *also)
{
	struct umd_error error;

	note_fronts();
	is_refused(change(bitmap, nodes, name, &error), error.text, word, also);
}

static void there_and_back(void)
{
	create("clustered", 4);
	becomes(NULL, 8, NULL, 8, "lab");
	becomes(NULL, 0, "other", 8, "other");
	becomes(NULL, 2, "lab", 2, "lab");
	becomes("internal", 0, NULL, 0, "");
	becomes("clustered", 3, "third", 3, "third");
	create("internal", 0);
	becomes("clustered", 0, NULL, 4, "");
}

static void has_chunks_of(uint64_t bytes, const char *what)
{
	struct umd_error error;
	struct left left;
	int rc = change_chunks(bytes, 0, NULL, &error);

	left = what_is_left();
	ok(!rc && !left.refused && left.is_same && left.nodes == 4 && left.chunk_bytes == bytes && left.is_node,
	   "%s: %s%s", what, error.text, left.why);
	ok(!plan.bitmap_is_stale && left.has_chunk[2] && !left.is_lost[2] && !left.has_chunk[3],
	   "what was in doubt in slot 2 is, and nothing in slot 3");
}

/* As many bits as cover what was in doubt, and no more. */
static void counts(uint32_t slot, uint64_t wanted)
{
	static uint8_t front[FRONT_BYTES];
	struct left left = what_is_left();
	uint64_t bytes = fmt_bitmap_bytes(&plan.own_slot), count = 0;
	uint64_t begin = SLOTS_AT + slot * asm_slot_bytes(&plan.own_slot);

	for (int i = 0; i < MEMBERS; i++) {
		read_front(paths[i], front);
		for (uint64_t at = FMT_BITMAP_SB_BYTES; at < bytes; at++)
			count += (uint64_t)__builtin_popcount(front[begin + at]);
	}
	is_u64(count, MEMBERS * wanted, "so many bits of %llu bytes are set", (unsigned long long)left.chunk_bytes);
}

static void other_chunks(void)
{
	create("clustered", 4);
	set_chunk(2, 0, MEMBERS);
	has_chunks_of(4096, "smaller chunks, in slots that are farther apart");
	counts(2, CHUNK_BYTES / 4096);
	has_chunks_of(1 << 20, "larger ones, in slots that are nearer");
	counts(2, 1);
	has_chunks_of(1 << 20, "the same once more");
	counts(2, 1);
	has_chunks_of(4096, "and smaller again");
	counts(2, (1 << 20) / 4096);
}

static void refuses_chunks(uint64_t bytes, uint32_t nodes, const char *bitmap, const char *word, const char *also)
{
	struct umd_error error;

	note_fronts();
	is_refused(change_chunks(bytes, nodes, bitmap, &error), error.text, word, also);
}

static void set_data_offset(uint64_t sectors)
{
	static uint8_t front[FRONT_BYTES];
	struct sb1 sb;

	for (int i = 0; i < MEMBERS; i++) {
		read_front(paths[i], front);
		fmt_sb1_decode(front + SUPER_AT, SB1_2, &sb);
		sb.data_offset_sectors = sectors;
		fmt_sb1_encode(&sb, front + SUPER_AT);
		write_front(paths[i], front + SUPER_AT, FMT_SB1_BYTES, SUPER_AT);
	}
}

static void chunks_that_cannot_be(void)
{
	create("clustered", 4);
	refuses_chunks(5000, 0, NULL, "5000", "power of two");
	refuses_chunks(2048, 0, NULL, "2048", "4096");
	refuses_chunks(4096, 0, "internal", "4096", "before or after");
	/* Slots of two blocks fit in front of the data, those of three do not. */
	becomes(NULL, 64, NULL, 64, "lab");
	set_data_offset((SLOTS_AT + 64 * 8192) / SECTOR_BYTES);
	refuses_chunks(4096, 0, NULL, "64 slots", "8192 is the smallest");
}

static void refusals(void)
{
	create("clustered", 4);
	set_chunk(3, 0, MEMBERS);
	refuses(NULL, 3, NULL, "slot 3 holds 1 set chunk", "it can go");
	refuses("internal", 0, NULL, "slot 3 holds 1 set chunk", "leave the cluster");
	becomes(NULL, 5, NULL, 5, "lab");
	refuses(NULL, 1, NULL, "1 nodes", "2 to 64");
	refuses(NULL, 65, NULL, "65 nodes", "2 to 64");
	refuses(NULL, 0, "a name with blanks", "0x20", "printable");
	refuses("internal", 4, NULL, "neither nodes", "nothing has been");
	refuses("none", 0, NULL, "while the array runs", "nothing has been");
	create("internal", 0);
	refuses(NULL, 4, NULL, "not clustered", "--bitmap=clustered");
	refuses("internal", 0, NULL, "not clustered", "internal");
	create("none", 0);
	refuses("clustered", 4, NULL, "no internal bitmap", "umd grow NAME");
}

/* mdadm --add leaves slots out; what the other member has there is not lost by giving it the rest. */
static void a_slot_that_one_member_lacks(void)
{
	struct left left;

	create("clustered", 4);
	set_chunk(2, 1, MEMBERS);
	clear_slot(2, 0);
	becomes(NULL, 8, NULL, 8, "lab");
	left = what_is_left();
	ok(left.has_chunk[2] && plan.slot_state == ASM_SLOT_GOOD && plan.bitmap_member == 0,
	   "slot 2 is on the first member now, with its chunk");
}

int main(void)
{
	members_begin();
	there_and_back();
	other_chunks();
	chunks_that_cannot_be();
	refusals();
	a_slot_that_one_member_lacks();
	members_end();
	return tap_end();
}
