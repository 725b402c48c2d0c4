/* Goal: a lockless bitmap superblock is believed when Linux would, its figures are in its own units, and one that was
 * never initialised has no chunks.
 * Method: the bytes Linux and mdadm left, patched field by field; sizes at the edges of 64 bits.
 * Law: I7, I9.
 * Source: Linux 7.2.12 and mdadm 4.6: a crashed mirror of 96 MiB, and one right after its creation. */
#include "vectors.h"

#include "format/lockless.h"

/* sync size 194560 sectors, state 0, chunk 128 sectors, daemon_sleep 1, 256 sectors reserved, events 3 */
static const char crashed[] =
	"6269746d 06000000 c0da3b44 f55026bd a4c0ce6d a5bad7d2 03000000 00000000"
	" 00000000 00000000 00f80200 00000000 00000000 80000000 01000000 00000000 00010000 00000000";
/* state 8 (first use), chunk 67108864, daemon_sleep 5 */
static const char fresh[] =
	"6269746d 06000000 c0da3b44 f55026bd a4c0ce6d a5bad7d2 00000000 00000000"
	" 00000000 00000000 00f80200 00000000 08000000 00000004 05000000 00000000 00010000 00000000";

static uint8_t raw[FMT_BITMAP_SB_BYTES];
static struct bitmap_sb sb;

static void load(const char *hex)
{
	memset(raw, 0, sizeof raw);
	bytes_of_hex(hex, raw);
	fmt_bitmap_sb_decode(raw, &sb);
}

static void patched(const char *hex, unsigned at, unsigned width, uint64_t value, const char *refusal, const char *what)
{
	uint8_t uuid[16];
	struct err err = { 0 };
	int rc;

	load(hex);
	memcpy(uuid, raw + 8, sizeof uuid);
	le_put(raw + at, width, value);
	fmt_bitmap_sb_decode(raw, &sb);
	rc = fmt_bitmap_sb_check(&sb, uuid, &err);
	if (!ok(refusal ? rc == UMD_E_BAD_BITMAP && strstr(err.text, refusal) : rc == 0, "%s: %s", what,
		refusal ? "refused" : "believed"))
		printf("# %d %s: %s\n", rc, err_name(rc), err.text);
}

static void figures(void)
{
	load(crashed);
	ok(fmt_bitmap_is_lockless(&sb) && !fmt_bitmap_is_uninitialised(&sb), "crashed: lockless and initialised");
	is_u64(fmt_bitmap_chunk_bytes(&sb), 65536, "crashed: 128 sectors are 64 KiB");
	is_u64(fmt_bitmap_chunks(&sb), 1520, "crashed: chunks");
	is_u64(fmt_bitmap_bytes(&sb), 1024 + 1520, "crashed: one byte per chunk behind 1024");
	load(fresh);
	ok(fmt_bitmap_is_uninitialised(&sb), "fresh: not initialised");
	is_u64(fmt_bitmap_chunks(&sb), 0, "fresh: no chunks, whatever the chunk field says");
	is_u64(fmt_bitmap_bytes(&sb), 1024, "fresh: only its superblock's room");
	sb.version = 4;
	ok(!fmt_bitmap_is_uninitialised(&sb) && !fmt_bitmap_is_lockless(&sb), "first use means nothing in version 4");
	is_u64(fmt_bitmap_chunk_bytes(&sb), 67108864, "version 4: the chunk is in bytes");
}

static void verdicts(void)
{
	patched(crashed, 4, 4, 6, NULL, "as found");
	patched(fresh, 4, 4, 6, NULL, "fresh");
	patched(crashed, 52, 4, 127, "127 sectors is no power of two", "chunk 127");
	patched(crashed, 52, 4, 0, "0 sectors is no power of two", "chunk 0");
	patched(crashed, 52, 4, 2, NULL, "chunk of two sectors: 97280 states fit 131072 bytes");
	patched(crashed, 52, 4, 1, "need 194560 states, and the room of 256 sectors holds 131072", "chunk 1");
	patched(crashed, 40, 8, UINT64_MAX, "need 144115188075855872 states", "the largest sync size");
	patched(fresh, 52, 4, 0, NULL, "chunk 0 in a fresh one, where the field means nothing");
	patched(crashed, 56, 4, 0, NULL, "daemon_sleep 0");
	patched(crashed, 60, 4, 16384, NULL, "write_behind, which lockless bitmaps do not have");
	patched(crashed, 8, 1, 0xff, "belongs to array ffda3b44", "another array's uuid");
	patched(fresh, 8, 1, 0xff, "belongs to array ffda3b44", "another array's uuid in a fresh one");
	patched(crashed, 0, 1, 0, "magic", "another magic");
	patched(crashed, 48, 4, FMT_BITMAP_STALE | FMT_BITMAP_WRITE_ERROR, NULL, "stale and write error");
}

static void edges(void)
{
	load(crashed);
	sb.sync_size_sectors = UINT64_MAX;
	sb.chunk_bytes = 1;
	is_u64(fmt_bitmap_chunks(&sb), UINT64_MAX, "the most chunks there are");
	is_u64(fmt_bitmap_bytes(&sb), UINT64_MAX, "their bytes do not wrap");
	sb.chunk_bytes = UINT32_C(1) << 31;
	is_u64(fmt_bitmap_chunk_bytes(&sb), UINT64_C(1) << 40, "the largest chunk does not wrap");
}

int main(void)
{
	figures();
	verdicts();
	edges();
	return tap_end();
}
