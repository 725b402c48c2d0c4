/* Goal: bitmap superblocks written by mdadm and Linux decode to their facts and encode to the same bytes.
 * Method: recorded bytes of a plain and of a clustered bitmap; then what must never be written.
 * Law: I9 (no bitmap that umd writes keeps the array from starting).
 * Source: recorded on Linux 6.1; a second's fraction stored as daemon_sleep 0 made Linux refuse its own array. */
#include "vectors.h"

static const char plain[] =
	"6269746d 04000000 11223344 55667788 99aabbcc ddeeff00 00000000 00000000"
	" 00000000 00000000 00f80300 00000000 00000000 00004000 05000000 00000000 00000000 00000000";
static const char clustered[] =
	"6269746d 05000000 11223344 55667788 99aabbcc ddeeff00 02000000 00000000"
	" 00000000 00000000 00b83f01 00000000 00000000 00000100 01000000 00000000 00000000 04000000 6c616200";

static uint8_t raw[FMT_BITMAP_SB_BYTES], again[FMT_BITMAP_SB_BYTES];
static struct bitmap_sb sb;

static void load(const char *hex)
{
	memset(raw, 0, sizeof raw);
	bytes_of_hex(hex, raw);
	fmt_bitmap_sb_decode(raw, &sb);
}

static void goes_back(const char *name)
{
	memset(again, 0x5a, sizeof again);
	fmt_bitmap_sb_encode(&sb, again);
	ok(memcmp(raw, again, sizeof raw) == 0, "%s: encodes to the same 256 bytes", name);
}

static void plain_one(void)
{
	load(plain);
	is_u64(sb.magic, FMT_BITMAP_MAGIC, "plain: magic");
	is_u64(sb.version, 4, "plain: version");
	is_u64(sb.events, 0, "plain: events");
	is_u64(sb.events_cleared, 0, "plain: events_cleared");
	is_u64(sb.sync_size_sectors, 260096, "plain: sync size");
	is_u64(sb.state, 0, "plain: state");
	is_u64(sb.chunk_bytes, 0x400000, "plain: chunk");
	is_u64(sb.daemon_sleep_s, 5, "plain: daemon_sleep");
	is_u64(sb.nodes, 0, "plain: nodes");
	is_u64(fmt_bitmap_sb_check(&sb, raw + 8, NULL), 0, "plain: may be used");
	goes_back("plain");
}

static void clustered_one(void)
{
	load(clustered);
	is_u64(sb.version, 5, "clustered: version");
	is_u64(sb.events, 2, "clustered: events");
	is_u64(sb.sync_size_sectors, 20953088, "clustered: sync size");
	is_u64(sb.chunk_bytes, 65536, "clustered: chunk");
	is_u64(sb.daemon_sleep_s, 1, "clustered: daemon_sleep");
	is_u64(sb.nodes, 4, "clustered: nodes");
	ok(strcmp(sb.cluster_name, "lab") == 0, "clustered: cluster name %s", sb.cluster_name);
	is_u64(fmt_bitmap_sb_check(&sb, NULL, NULL), 0, "clustered: may be used");
	goes_back("clustered");
}

static void other_versions_have_no_nodes(void)
{
	load(clustered);
	raw[4] = 4;
	fmt_bitmap_sb_decode(raw, &sb);
	is_u64(sb.nodes, 0, "nodes of a version 4 bitmap are not believed");
	ok(!sb.cluster_name[0], "nor is its cluster name");
}

static void never_written(void)
{
	load(plain);
	sb.state = FMT_BITMAP_STALE | FMT_BITMAP_WRITE_ERROR | 1 << 5;
	sb.daemon_sleep_s = 0;
	memset(again, 0x5a, sizeof again);
	fmt_bitmap_sb_encode(&sb, again);
	is_u64(le_get(again + 48, 4), FMT_BITMAP_STALE, "the write-error and daemon-busy flags are not written");
	is_u64(le_get(again + 56, 4), 5, "a daemon_sleep of 0 is written as 5 seconds");
	is_u64(again[255], 0, "padding is zero");
}

static void sizes(void)
{
	load(plain);
	is_u64(fmt_bitmap_chunks(&sb), 32, "254 half-full 4 MiB chunks: the last one is partial and counts");
	is_u64(fmt_bitmap_bytes(&sb), 260, "32 bits: 260 bytes");
	sb.chunk_bytes = 4096;
	is_u64(fmt_bitmap_chunks(&sb), 32512, "4 KiB chunks: 32512");
	is_u64(fmt_bitmap_bytes(&sb), 4320, "32512 bits: 4320 bytes");
	sb.sync_size_sectors = 0;
	is_u64(fmt_bitmap_bytes(&sb), 256, "no range, no bits");
	sb.sync_size_sectors = UINT64_MAX;
	sb.chunk_bytes = 512;
	is_u64(fmt_bitmap_bytes(&sb), 256 + (UINT64_C(1) << 61), "the largest range there is does not wrap");
}

int main(void)
{
	plain_one();
	clustered_one();
	other_versions_have_no_nodes();
	never_written();
	sizes();
	return tap_end();
}
