/* Goal: an external array starts exactly when what was configured goes together; what starts is what was configured;
 * its bitmap is read from the right member, and each set bit is owed to whom it must be.
 * Method: a good configuration with one thing changed at a time: result, and that nothing has changed; then what
 * att_make_config() makes of good ones, field by field, and bits that are NEEDED afterwards.
 * Law: I4, I7.
 * Source: the spec of the array 10.1, 10.3; steps of Linux 6.1 (tests/attr). */
#include "tree.h"

static void changed(const char *path, const char *value, int wanted)
{
	char *before, *after;
	int rc;

	begin();
	set_up(2);
	if (!strcmp(path, "bitmap/location") && *value != 'n')
		write_to(path, "none");
	rc = write_to(path, value);
	before = dump();
	if (!rc)
		rc = write_to("array_state", "active");
	after = dump();
	if (!ok(rc == wanted, "%s is %s: %d", path, value, wanted))
		printf("# %d %s\n", rc, w.err.text);
	ok(rc == 0 || !strcmp(before, after), "and nothing has changed");
	ok(rc == 0 || w.err.text[0], "in a sentence");
	mem_free(before);
	mem_free(after);
	end();
}

static void what_does_not_go_together(void)
{
	changed("level", "raid1", 0);
	changed("level", "1", 0);
	changed("level", "raid5", -EINVAL);
	changed("level", "raid10", -EOPNOTSUPP);
	changed("raid_disks", "3", 0);
	changed("raid_disks", "1", -EINVAL);
	changed("component_size", "0", -EINVAL);
	changed("component_size", "15344", 0);
	changed("dev-ubda/slot", "1", -EINVAL);
	changed("dev-ubda/slot", "none", 0);
	changed("dev-ubda/recovery_start", "0", 0);
	changed("bitmap/location", "none", 0);
	changed("bitmap/location", "+2040", 0);
	changed("bitmap/location", "+2047", 0);
	changed("bitmap/location", "+2048", -EINVAL);
	changed("bitmap/location", "+32767", -EINVAL);
	changed("bitmap/location", "+99999999", -EINVAL);
	changed("bitmap/location", "9223372036854775807", -EINVAL);
}

static void what_is_missing(void)
{
	begin();
	set_up(0);
	refuses("array_state", "active", -EINVAL);
	takes("new_dev", "/x/ubda");
	refuses("array_state", "active", -EINVAL);
	takes("dev-ubda/slot", "0");
	refuses("array_state", "active", -EINVAL);	/* data and bitmap overlap at offset 0 */
	takes("dev-ubda/offset", "2048");
	takes("array_state", "active");
	reads("degraded", "1\n");
	end();

	begin();
	set_up(2);
	takes("bitmap/location", "none");
	takes("dev-ubda/recovery_start", "0");
	takes("dev-ubdb/recovery_start", "0");
	refuses("array_state", "active", -EINVAL);
	takes("dev-ubda/recovery_start", "none");
	takes("array_state", "active");
	end();

	begin();
	set_up(2);
	takes("dev-ubda/slot", "none");
	takes("dev-ubda/state", "remove");
	takes("new_dev", "/x/ubda");
	takes("dev-ubda/offset", "4096");		/* data would end behind the device */
	takes("dev-ubda/slot", "0");
	refuses("array_state", "active", -ENOSPC);
	end();
}

static void a_bitmap_needs_three_words(void)
{
	begin();
	set_up(2);
	takes("bitmap/location", "none");
	takes("bitmap/metadata", "internal");
	refuses("bitmap/location", "+8", -EINVAL);
	takes("bitmap/metadata", "external");
	takes("bitmap/location", "+8");
	takes("array_state", "active");
	end();

	begin();
	set_up(0);
	att_free(w.t);
	w.t = att_new();
	takes("metadata_version", "external:x");
	takes("level", "raid1");
	takes("raid_disks", "1");
	takes("component_size", "1024");
	takes("new_dev", "/x/ubda");
	takes("dev-ubda/offset", "2048");
	takes("dev-ubda/slot", "0");
	takes("bitmap/metadata", "external");
	takes("bitmap/location", "+2047");
	refuses("array_state", "active", -EINVAL);
	takes("bitmap/chunksize", "512");
	refuses("array_state", "active", -EINVAL);
	takes("bitmap/time_base", "5");
	takes("array_state", "active");		/* 2048 bits: 256 bytes */
	end();
}

/* ---- what is started ---- */

static struct arr_config config;

static int make(const uint8_t *image, enum att_mode mode)
{
	return att_make_config(w.t, mode, image, 30, &config, &w.err);
}

static uint64_t needed(const char *resync_start, int disks, const char *path, const char *value)
{
	uint8_t image[30] = { 0x03, 0, 0x10 };		/* chunks 0, 1, 20 of 240 */
	uint64_t n;

	begin();
	set_up(disks);
	write_to("resync_start", resync_start);
	if (path)
		write_to(path, value);
	if (make(image, ATT_MODE_ACTIVE) < 0) {
		ok(false, "it is made: %s", w.err.text);
		end();
		return UINT64_MAX;
	}
	n = bm_needed_chunks(config.bitmap);
	is_u64(bm_set_chunks(config.bitmap), 3, "three bits are set");
	bm_free(config.bitmap);
	end();
	return n;
}

static void bits_are_owed(void)
{
	is_u64(needed("none", 2, NULL, NULL), 0, "clean and whole: leftovers");
	is_u64(needed("0", 2, NULL, NULL), 3, "dirty: all");
	is_u64(needed("1280", 2, NULL, NULL), 1, "dirty from chunk 10 on");
	is_u64(needed("none", 1, NULL, NULL), 3, "a slot is empty");
	is_u64(needed("1280", 1, NULL, NULL), 3, "a slot is empty, whatever the checkpoint says");
	is_u64(needed("none", 2, "dev-ubdb/state", "-insync"), 3, "a member returns");
	is_u64(needed("none", 2, "dev-ubdb/recovery_start", "16384"), 3, "a member is recovered");
}

static void fields(void)
{
	uint8_t image[30] = { 0 };

	begin();
	set_up(3);
	write_to("raid_disks", "3");
	write_to("dev-ubdc/slot", "2");
	write_to("dev-ubda/state", "-insync");
	write_to("dev-ubdb/recovery_start", "16384");
	write_to("dev-ubdc/state", "writemostly");
	write_to("bitmap/backlog", "7");
	is_u64(make(image, ATT_MODE_READ_AUTO), 0, "it is made");
	ok(config.is_external && config.is_read_auto && !config.is_readonly && !config.is_active,
	   "external, read-auto");
	is_u64(config.size_bytes, 15360 << 10, "size");
	is_u64(config.raid_devices, 3, "slots");
	is_u64(config.resync_offset, OFF_NONE, "nothing to resync");
	is_u64(config.write_behind_max, 7, "backlog");
	is_u64(config.member_count, 3, "members, in the order they were bound");
	ok(config.members[0].hand == &w.disks[0] && config.members[2].hand == &w.disks[2], "with their hands");
	ok(config.members[0].state == ARR_M_RECOVERING && !config.members[0].wants_full &&
	   config.members[0].slot == 0 && config.members[0].recovery_offset == 0,
	   "-insync: back in its slot by the bitmap");
	ok(config.members[1].state == ARR_M_RECOVERING && config.members[1].wants_full &&
	   config.members[1].recovery_offset == 16384 * 512, "recovery_start: in full from there");
	ok(config.members[2].state == ARR_M_IN_SYNC && config.members[2].is_write_mostly &&
	   config.members[2].recovery_offset == OFF_NONE, "in sync");
	is_u64(config.members[1].data_at.bytes, 2048 * 512, "data");
	is_u64(config.members[1].bitmap_at.bytes, 8 * 512, "bitmap");
	ok(bm_is_bare(config.bitmap), "a bitmap without superblock");
	is_u64(bm_daemon_sleep_ms(config.bitmap), 1000, "its period");
	bm_free(config.bitmap);
	end();
}

static void the_member_bound_last_is_read(void)
{
	uint32_t dev = 99;
	member_off at = { 0 };
	uint64_t len = 0;

	begin();
	set_up(2);
	is_u64(att_bitmap_place(w.t, &w.view, &dev, &at, &len, &w.err), 1, "there is a bitmap");
	ok(dev == 1 && at.bytes == 4096 && len == 30, "of the device bound last: 30 bytes at 4096");
	takes("dev-ubdb/recovery_start", "0");
	att_bitmap_place(w.t, &w.view, &dev, &at, &len, &w.err);
	is_u64(dev, 0, "but not of one that is recovered");
	takes("dev-ubdb/recovery_start", "none");
	takes("dev-ubda/slot", "none");
	takes("dev-ubda/state", "remove");
	takes("new_dev", "/x/ubda");
	takes("dev-ubda/offset", "2048");
	takes("dev-ubda/slot", "0");
	att_bitmap_place(w.t, &w.view, &dev, &at, &len, &w.err);
	is_u64(dev, 0, "bound again it is the last");
	takes("array_state", "active");
	is_u64(att_bitmap_place(w.t, &w.view, &dev, &at, &len, &w.err), 1, "while it runs");
	is_u64(dev, 0, "the same");
	takes("dev-ubda/state", "faulty");
	att_bitmap_place(w.t, &w.view, &dev, &at, &len, &w.err);
	is_u64(dev, 1, "not of a failed one");
	end();

	begin();
	set_up(2);
	takes("bitmap/location", "none");
	is_u64(att_bitmap_place(w.t, &w.view, &dev, &at, &len, &w.err), 0, "no bitmap");
	end();
}

/* 4 MiB of bits and not one byte more, however large the devices are. */
static void bitmaps_have_a_limit(void)
{
	static const struct { const char *kib; int rc; } sizes[] = { { "2147483648", 1 }, { "2147483649", -EFBIG } };
	uint32_t dev;
	member_off at;
	uint64_t len;

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		begin();
		set_up(0);
		takes("component_size", "0");
		takes("component_size", sizes[i].kib);
		att_bind(w.t, "big", 1ull << 50, NULL);
		takes("dev-big/offset", "1048576");
		takes("dev-big/slot", "0");
		is_u64(att_bitmap_place(w.t, &w.view, &dev, &at, &len, &w.err), sizes[i].rc, "%s KiB", sizes[i].kib);
		is_u64(att_make_config(w.t, ATT_MODE_ACTIVE, NULL, 0, &config, &w.err), sizes[i].rc < 0 ? -EFBIG : 0,
		       "and at the start");
		if (sizes[i].rc > 0)
			bm_free(config.bitmap);
		end();
	}
}

static void modes(void)
{
	static const struct { const char *word, *reads; } words[] = {
		{ "active", "clean\n" }, { "readonly", "readonly\n" }, { "read-auto", "read-auto\n" },
	};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		begin();
		set_up(2);
		takes("safe_mode_delay", "4");
		takes("array_state", words[i].word);
		reads("array_state", words[i].reads);
		reads("safe_mode_delay", "0.210\n");
		reads("max_read_errors", "20\n");
		reads("consistency_policy", "bitmap\n");
		end();
	}
}

int main(void)
{
	what_does_not_go_together();
	what_is_missing();
	a_bitmap_needs_three_words();
	bits_are_owed();
	fields();
	the_member_bound_last_is_read();
	bitmaps_have_a_limit();
	modes();
	return tap_end();
}
