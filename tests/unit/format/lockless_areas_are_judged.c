/* Goal: a lockless bitmap is used only where it lies on the member and clear of superblock and data; a bad-block log
 * inside its room does not refuse it and is pointed out.
 * Method: a member as mdadm 4.6 makes it, then the bitmap, its chunk and the log moved to the edges.
 * Law: I7.
 * Source: Linux 7.2.12 overwrote such a log with states and then refused its own member. */
#include "vectors.h"

enum { MEMBER_BYTES = 96 << 20, DATA_AT = 2048, RESERVED = 256 };

static struct sb1 sb;
static struct bitmap_sb bm;

static void made_by_mdadm(void)
{
	sb = (struct sb1){ .minor = SB1_2, .level = 1, .max_dev = 128, .feature_map = FMT_SB1_BITMAP,
			   .size_sectors = 194560, .data_offset_sectors = DATA_AT, .data_size_sectors = 194560,
			   .super_offset_sectors = 8, .bitmap_offset_sectors = 8, .bblog_size_sectors = 8,
			   .bblog_offset_sectors = 16 };
	bm = (struct bitmap_sb){ .magic = FMT_BITMAP_MAGIC, .version = 6, .chunk_bytes = 128,
				 .sync_size_sectors = 194560, .sectors_reserved = RESERVED };
}

static void fits(const char *refusal, const char *what)
{
	struct err err = { 0 };
	int rc = lay_bitmap_fits(&sb, &bm, 1, MEMBER_BYTES, &err);

	if (!ok(refusal ? rc == UMD_E_BAD_BITMAP && strstr(err.text, refusal) : rc == 0, "%s: %s", what,
		refusal ? refusal : "fits"))
		printf("# %d: %s\n", rc, err.text);
}

static void log_inside(int32_t log_at, bool wanted, const char *what)
{
	struct span log = { { 0 }, 0 };

	sb.bblog_offset_sectors = log_at;
	ok(lay_log_is_inside_bitmap(&sb, &bm, &log) == wanted, "a log at %+d is %s the bitmap: %s", log_at,
	   wanted ? "inside" : "outside", what);
	if (wanted)
		is_u64(log.at.bytes, (8 + log_at) * 512, "its place is told");
	else
		is_u64(log.len_bytes, 0, "nothing is told");
}

static void places(void)
{
	made_by_mdadm();
	fits(NULL, "as mdadm made it, with the log inside the room");
	bm.chunk_bytes = 1;
	sb.bitmap_offset_sectors = 8;
	fits(NULL, "194560 states reach over the log and the room, not to the data");
	sb.bitmap_offset_sectors = DATA_AT - 8 - 382;
	fits(NULL, "they take 382 sectors in front of the data");
	sb.bitmap_offset_sectors++;
	fits("touch the data area", "one sector further");
	made_by_mdadm();
	sb.bitmap_offset_sectors = 0;
	fits("does not lie", "no offset at all");
	sb.bitmap_offset_sectors = -1;
	fits("touch the superblock", "in front of the superblock, over it");
	sb.bitmap_offset_sectors = INT32_MAX;
	fits("does not lie", "beyond the member");
	made_by_mdadm();
	bm.state = FMT_BITMAP_FIRST_USE;
	bm.chunk_bytes = 0;
	fits(NULL, "never initialised: the chunk is not asked");
	sb.level = 5;
	bm.state = 0;
	bm.chunk_bytes = UINT32_C(1) << 31;
	fits(NULL, "a level that counts members");
	sb.level = 0;
	bm.chunk_bytes = 1;
	bm.sync_size_sectors = UINT64_MAX;
	fits("does not lie", "a level that does not tell, and a bitmap that claims the most there is");
}

static void logs(void)
{
	made_by_mdadm();
	log_inside(16, true, "as mdadm made it");
	log_inside(8 + RESERVED - 1, true, "the last sector of the room");
	log_inside(8 + RESERVED, false, "right behind it, where hot-added members have it");
	log_inside(0, false, "no log");
	bm.sectors_reserved = 0;
	log_inside(16, false, "nothing reserved, and 1520 states end before it");
	bm.chunk_bytes = 2;
	log_inside(16, true, "nothing reserved, and 97280 states reach it");
	bm.state = FMT_BITMAP_FIRST_USE;
	log_inside(16, false, "nothing reserved, nothing initialised");
	bm.sync_size_sectors = UINT64_MAX;
	bm.chunk_bytes = 1;
	sb.level = 0;
	bm.state = 0;
	log_inside(16, true, "more states than there are addresses");
	made_by_mdadm();
	bm.version = 4;
	bm.chunk_bytes = 65536;
	log_inside(16, false, "another version: lay_bitmap_fits() judges that");
	made_by_mdadm();
	bm.chunk_bytes = 0;
	log_inside(16, false, "a bitmap that is refused has no room (found by fuzzing)");
}

int main(void)
{
	places();
	logs();
	return tap_end();
}
