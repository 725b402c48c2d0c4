/* Goal: a new clustered mirror has the places and values mdadm gives it: one bitmap for each node, all before the data,
 * the first of them filled; what no cluster can use is refused, with what would go on.
 * Method: mirrors of measured sizes planned for 2 to 64 nodes; wishes that contradict a cluster.
 * Law: I7, I10.
 * Source: mdadm 4.2 on Linux 6.1 with --bitmap=clustered, read by mdadm -E and -X; image cm-c01. */
#include "assembly/assembly.h"
#include "tap.h"

static struct asm_create c;
static struct asm_created made[ARR_MEMBERS_MAX];
static struct err err;

static int plan(uint64_t member_bytes, uint32_t nodes, uint64_t chunk_bytes)
{
	c.minor = SB1_2;
	c.has_bitmap = true;
	c.nodes = nodes;
	c.bitmap_chunk_bytes = chunk_bytes;
	c.count = 2;
	memset(c.uuid, 0x11, sizeof c.uuid);
	for (uint32_t i = 0; i < 2; i++) {
		c.members[i].path = i ? "disk-b" : "disk-a";
		c.members[i].size_bytes = member_bytes;
	}
	memset(made, 0, sizeof made);
	err = (struct err){ 0 };
	return asm_create_plan(&c, made, &err);
}

static void fresh(const char *cluster)
{
	memset(&c, 0, sizeof c);
	memcpy(c.cluster_name, cluster, strlen(cluster) + 1);
}

static const struct {
	uint64_t member_mib, chunk_bytes;
	uint32_t nodes, data_offset, chosen_bytes, chunks, slot_bytes;
} measured[] = {
	{ 64, 65536, 4, 2048, 65536, 1008, 4096 },
	{ 1024, 0, 4, 4096, 64 << 20, 16, 4096 },
	{ 10240, 65536, 16, 18432, 65536, 163696, 24576 },
	{ 307200, 0, 64, 264192, 64 << 20, 4798, 4096 },
};

static void row(size_t i)
{
	const struct asm_created *r = &made[1];
	uint8_t raw[FMT_BITMAP_SB_BYTES], other[FMT_BITMAP_SB_BYTES];

	fresh("lab");
	if (!ok(plan(measured[i].member_mib << 20, measured[i].nodes, measured[i].chunk_bytes) == 0,
		"row %zu: planned %s", i, err.text))
		return;
	is_u64(r->sb.feature_map, FMT_SB1_BITMAP | FMT_SB1_CLUSTERED, "feature map");
	is_u64(r->sb.data_offset_sectors, measured[i].data_offset, "data offset");
	ok(!r->sb.bblog_offset_sectors && !r->sb.bblog_size_sectors && !r->has_bblog, "no bad-block log");
	is_u64(r->bitmap_at.bytes, 8192, "the first slot");
	is_u64(r->bitmap.version, 5, "version");
	is_u64(r->bitmap.chunk_bytes, measured[i].chosen_bytes, "chunks of so many bytes");
	is_u64(fmt_bitmap_chunks(&r->bitmap), measured[i].chunks, "chunks");
	is_u64(r->slots, measured[i].nodes, "slots");
	is_u64(r->slot_bytes, measured[i].slot_bytes, "from one to the next");
	is_u64(r->bitmap_bytes, r->slot_bytes, "written up to the next");
	ok(r->bitmap_fill == 0xff, "the first is filled");
	fmt_bitmap_sb_encode(&r->bitmap, raw);
	asm_empty_slot(&r->bitmap, other);
	ok(!memcmp(raw, other, sizeof raw) && !strcmp(r->bitmap.cluster_name, "lab") &&
		   r->bitmap.nodes == measured[i].nodes,
	   "all slots begin alike");
}

static void refused(int code, const char *word, const char *instead)
{
	ok(err.code == code && strstr(err.text, word) && strstr(err.text, instead) &&
		   strstr(err.text, "nothing has been"),
	   "%s", err.text);
}

static void limits(void)
{
	fresh("");
	is_u64((uint64_t)plan(64 << 20, 2, 0), 0, "two nodes, of no cluster that has a name");
	c.is_assume_clean = true;
	is_u64((uint64_t)plan(64 << 20, 2, 0), 0, "equal members");
	ok(!made[0].bitmap_fill && made[0].sb.resync_offset_sectors == FMT_SB1_RESYNC_NONE, "have an empty map");
	is_u64((uint64_t)plan(64 << 20, 64, 65536), 0, "64 slots before the data of a small member: %s", err.text);
	plan(64 << 20, 1, 0);
	refused(UMD_E_BAD_OPTION, "1 nodes", "2 to 64");
	plan(64 << 20, 65, 0);
	refused(UMD_E_BAD_OPTION, "65 nodes", "2 to 64");
	for (uint64_t mib = 4; mib < UINT64_C(1) << 24; mib = mib * 3 / 2) {
		int rc = plan(mib << 20, 64, 0);
		uint64_t chunk = 4096;

		while (rc == 0 && plan(mib << 20, 64, chunk) == UMD_E_BAD_OPTION && chunk < 64 << 20)
			chunk *= 2;
		ok(err.code == 0 &&
			   made[0].bitmap_at.bytes + 64 * made[0].slot_bytes <= made[0].sb.data_offset_sectors * 512,
		   "%llu MiB: 64 slots with the smallest chunks, %llu, end "
		   "before the data",
		   (unsigned long long)mib, (unsigned long long)chunk);
	}
}

static void contradictions(void)
{
	fresh("lab");
	plan(64 << 20, 4, 0);
	c.minor = SB1_0;
	err = (struct err){ 0 };
	asm_create_plan(&c, made, &err);
	refused(UMD_E_BAD_OPTION, "metadata 1.0", "1.2");
	c.minor = SB1_1;
	asm_create_plan(&c, made, &err);
	refused(UMD_E_BAD_OPTION, "metadata 1.1", "1.2");
	c.write_behind = 9;
	plan(64 << 20, 4, 0);
	refused(UMD_E_BAD_OPTION, "write-behind of 9", "cluster");
	c.write_behind = 0;
	c.members[1].is_write_mostly = true;
	plan(64 << 20, 4, 0);
	refused(UMD_E_BAD_OPTION, "disk-b: write-mostly", "cluster");
}

int main(void)
{
	for (size_t i = 0; i < sizeof measured / sizeof *measured; i++)
		row(i);
	limits();
	contradictions();
	return tap_end();
}
