/* Goal: every attribute takes what Linux takes, refuses what Linux refuses with the same error, and shows it as Linux
 * does.
 * Method: a matrix of writes: path, value, result, what is read afterwards; on a fresh tree, on one that is set up, on
 * a running, a degraded and a read-only array. Every attribute of the table occurs.
 * Law: none.
 * Source: the spec of the attribute tree and of bitmap/, seen on Linux 6.1. */
#include "tree.h"

struct row {
	const char *path, *value;
	int rc;
	const char *reads;		/* afterwards; NULL: not looked at */
};

static char tried[8192];

static void matrix(const char *when, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct row *r = &rows[i];
		const char *got;
		int rc;

		w.err.code = 0;
		rc = write_to(r->path, r->value);
		got = r->reads ? read_of(r->path) : NULL;

		if (!ok(rc == r->rc, "%s: %s takes '%.*s': %d", when, r->path, LINE(r->value), r->rc))
			printf("# got %d, %s\n", rc, w.err.text);
		if (got && !ok(!strcmp(got, r->reads), "%s: then it reads '%.*s'", when, LINE(r->reads)))
			printf("# got '%.*s'\n", LINE(got));
		if (rc < 0 && w.action.kind == ATT_NOTHING && !ok(w.err.code == rc && w.err.text[0], "in a sentence"))
			printf("# %d %s\n", w.err.code, w.err.text);
		if (!strstr(tried, r->path))
			snprintf(tried + strlen(tried), sizeof tried - strlen(tried), "%s\n", r->path);
	}
}

#define MATRIX(when, rows) matrix(when, rows, sizeof rows / sizeof *rows)

static const struct row fresh[] = {
	{ "array_state", "inactive", 0, "clear\n" },
	{ "array_state", "clean", -EINVAL, "clear\n" },
	{ "array_state", "clea", -EINVAL, NULL },
	{ "array_state", "cleared", -EINVAL, NULL },
	{ "array_state", "active", -EINVAL, "clear\n" },
	{ "array_state", "clear", 0, "clear\n" },
	{ "array_state", "Active", -EINVAL, NULL },
	{ "array_state", "active ", -EINVAL, NULL },
	{ "array_state", "active\n\n", -EINVAL, NULL },
	{ "array_state", "broken", -EINVAL, NULL },
	{ "level", "raid1\n", 0, "raid1\n" },
	{ "level", "1", 0, "1\n" },
	{ "level", "anything at all", 0, "anything at all\n" },
	{ "level", "sixteen bytes...", -EINVAL, "anything at all\n" },
	{ "level", "\n", -EINVAL, NULL },
	{ "layout", "258", 0, "258\n" },
	{ "layout", "-1", -EINVAL, NULL },
	{ "layout", "0x102", -EINVAL, NULL },
	{ "layout", "4294967295", 0, "4294967295\n" },
	{ "layout", "4294967296", -ERANGE, "4294967295\n" },
	{ "raid_disks", "0", -EINVAL, "" },
	{ "raid_disks", "65", -EINVAL, "" },
	{ "raid_disks", " 2", -EINVAL, "" },
	{ "raid_disks", "2 ", -EINVAL, "" },
	{ "raid_disks", "+2", -EINVAL, "" },
	{ "raid_disks", "4\n", 0, "4\n" },
	{ "array_state", "inactive", 0, "inactive\n" },
	{ "chunk_size", "65536", 0, "65536\n" },
	{ "chunk_size", "100", -EINVAL, "65536\n" },
	{ "component_size", "x", -EINVAL, "0\n" },
	{ "component_size", "18446744073709551615", -EINVAL, "0\n" },
	{ "component_size", "18446744073709551616", -ERANGE, "0\n" },
	{ "component_size", "15360", 0, "15360\n" },
	{ "component_size", "15360", -ENOSPC, "15360\n" },
	{ "component_size", "15361", -ENOSPC, "15360\n" },
	{ "component_size", "14336", 0, "14336\n" },
	{ "component_size", "0", 0, "0\n" },
	{ "component_size", "15360", 0, "15360\n" },
	{ "resync_start", "none", 0, "none\n" },
	{ "resync_start", "nonesuch", -EINVAL, "none\n" },
	{ "resync_start", "8192", 0, "8192\n" },
	{ "resync_start", "-8", -EINVAL, "8192\n" },
	{ "metadata_version", "1.2", 0, "1.2\n" },
	{ "metadata_version", "0.90", 0, "0.90\n" },
	{ "metadata_version", "2.0", -ENOENT, "0.90\n" },
	{ "metadata_version", "1", -EINVAL, NULL },
	{ "metadata_version", "1.x", -EINVAL, NULL },
	{ "metadata_version", "external", -EINVAL, NULL },
	{ "metadata_version", "none\n", 0, "none\n" },
	{ "metadata_version", "external:imsm\n", 0, "external:imsm\n" },
	{ "metadata_version", "external:seventeen---bytes", 0, "external:seventeen---byte\n" },
	{ "safe_mode_delay", "0.001", 0, "0.010\n" },
	{ "safe_mode_delay", "0.215", 0, "0.210\n" },
	{ "safe_mode_delay", "4.0009", 0, "4.000\n" },
	{ "safe_mode_delay", "0", 0, "0.000\n" },
	{ "safe_mode_delay", ".5", 0, "0.500\n" },
	{ "safe_mode_delay", "5.", 0, "5.000\n" },
	{ "safe_mode_delay", ".", -EINVAL, "5.000\n" },
	{ "safe_mode_delay", "1.2.3", -EINVAL, NULL },
	{ "safe_mode_delay", "-1", -EINVAL, NULL },
	{ "safe_mode_delay", "99999999999999999999", -EINVAL, NULL },
	{ "reshape_position", "8", -EOPNOTSUPP, "none\n" },
	{ "reshape_direction", "backwards", -EOPNOTSUPP, "forwards\n" },
	{ "array_size", "1024", -EOPNOTSUPP, "default\n" },
	{ "max_read_errors", "5", -EOPNOTSUPP, "0\n" },
	{ "consistency_policy", "bitmap", -EINVAL, "unknown\n" },
	{ "consistency_policy", "ppl", -EOPNOTSUPP, "unknown\n" },
	{ "fail_last_dev", "1", -EOPNOTSUPP, "0\n" },
	{ "serialize_policy", "1", -EOPNOTSUPP, "n/a\n" },
	{ "uuid", "x", -EACCES, "00000000-0000-0000-0000-000000000000\n" },
	{ "sync_action", "idle", -ENOENT, "!-2" },
	{ "degraded", "0", -ENOENT, "!-2" },
	{ "bitmap_set_bits", "0", -ENOENT, "!-2" },
	{ "nothing", "x", -ENOENT, "!-2" },
	{ "dev-ubda/slot", "0", -ENODEV, "!-19" },
	{ "bitmap", "x", -ENOENT, "!-2" },
	{ "", "x", -ENOENT, "!-2" },
	{ "new_dev", "", 0, "!-13" },
	{ "new_dev", "98", -EINVAL, NULL },
	{ "new_dev", "98:", -EINVAL, NULL },
	{ "new_dev", ":0", -EINVAL, NULL },
	{ "new_dev", "relative/path", -EINVAL, NULL },
	{ "new_dev", "4096:0", -EOVERFLOW, NULL },
	{ "new_dev", "8:1048576", -EOVERFLOW, NULL },
	{ "new_dev", "200:5", -ENXIO, NULL },
};

/* bitmap/ on a tree that does not run; metadata is external:... */
static const struct row bitmap[] = {
	{ "bitmap/can_clear", "true", -ENOENT, "\n" },
	{ "bitmap/can_clear", "junk", -ENOENT, "\n" },
	{ "bitmap/can_clear", "", 0, "\n" },
	{ "bitmap/metadata", "clustered", 0, "internal\n" },
	{ "bitmap/location", "+8", -EINVAL, "none\n" },
	{ "bitmap/metadata", "externalfoo", 0, "external\n" },
	{ "bitmap/metadata", "extern", -EINVAL, "external\n" },
	{ "bitmap/chunksize", "0", -EINVAL, "0\n" },
	{ "bitmap/chunksize", "256", -EINVAL, "0\n" },
	{ "bitmap/chunksize", "3000", -EINVAL, "0\n" },
	{ "bitmap/chunksize", "512", 0, "512\n" },
	{ "bitmap/chunksize", "2147483648", 0, "2147483648\n" },
	{ "bitmap/chunksize", "4294967296", -EOVERFLOW, "2147483648\n" },
	{ "bitmap/chunksize", "4294967295", -EINVAL, NULL },
	{ "bitmap/chunksize", "18446744073709551616", -ERANGE, NULL },
	{ "bitmap/chunksize", "65536\n", 0, "65536\n" },
	{ "bitmap/time_base", "0", 0, "0.010\n" },
	{ "bitmap/time_base", "0.00001", 0, "0.010\n" },
	{ "bitmap/time_base", "0.5", 0, "0.500\n" },
	{ "bitmap/time_base", "1.2399", 0, "1.230\n" },
	{ "bitmap/time_base", "100000000", 0, "100000000\n" },
	{ "bitmap/time_base", "9223372036855", -EINVAL, "100000000\n" },
	{ "bitmap/time_base", "x", -EINVAL, NULL },
	{ "bitmap/time_base", "5", 0, "5\n" },
	{ "bitmap/backlog", "0", -EINVAL, "0\n" },
	{ "bitmap/backlog", "16384", -EINVAL, "0\n" },
	{ "bitmap/space", "0", -EINVAL, "0\n" },
	{ "bitmap/space", "8", 0, "8\n" },
	{ "bitmap/space", "99999999999999999999", -ERANGE, "8\n" },
	{ "bitmap/max_backlog_used", "any thing", 0, "0\n" },
	{ "bitmap/location", "none", 0, "none\n" },
	{ "bitmap/location", "nonesuch", 0, "none\n" },
	{ "bitmap/location", "0", -EINVAL, "none\n" },
	{ "bitmap/location", "+0", -EINVAL, "none\n" },
	{ "bitmap/location", "-0", -EINVAL, "none\n" },
	{ "bitmap/location", "++8", -EINVAL, "none\n" },
	{ "bitmap/location", "+", -EINVAL, "none\n" },
	{ "bitmap/location", "file:/x", -EINVAL, "none\n" },
	{ "bitmap/location", "-8", -EINVAL, "none\n" },
	{ "bitmap/location", "8", 0, "+8\n" },
	{ "bitmap/location", "+16", -EBUSY, "+8\n" },
	{ "bitmap/metadata", "internal", -EBUSY, "external\n" },
	{ "bitmap/chunksize", "65536", 0, "65536\n" },
	{ "bitmap/location", "none\n", 0, "none\n" },
};

static const struct row devices[] = {
	{ "dev-ubda/state", "faulty", -EINVAL, "spare\n" },
	{ "dev-ubda/state", "re-add", -EINVAL, NULL },
	{ "dev-ubda/state", "write_mostly", -EINVAL, NULL },
	{ "dev-ubda/state", "writemostl", -EINVAL, NULL },
	{ "dev-ubda/state", "-faulty", -EINVAL, NULL },
	{ "dev-ubda/state", "writemostly", 0, "write_mostly,spare\n" },
	{ "dev-ubda/state", "-writemostly\n", 0, "spare\n" },
	{ "dev-ubda/state", "blocked", -EINVAL, "spare\n" },
	{ "dev-ubda/state", "-blocked", 0, "spare\n" },
	{ "dev-ubda/state", "-insync", -EINVAL, "spare\n" },
	{ "dev-ubda/state", "external_bbl", 0, "spare,external_bbl\n" },
	{ "dev-ubda/state", "-external_bbl", 0, "spare\n" },
	{ "dev-ubda/state", "failfast", -EOPNOTSUPP, "spare\n" },
	{ "dev-ubda/state", "-want_replacement", -EOPNOTSUPP, "spare\n" },
	{ "dev-ubda/errors", "7", 0, "7\n" },
	{ "dev-ubda/errors", "-7", -EINVAL, "7\n" },
	{ "dev-ubda/errors", "0", 0, "0\n" },
	{ "dev-ubda/offset", "2048", 0, "2048\n" },
	{ "dev-ubda/offset", "x", -EINVAL, "2048\n" },
	{ "dev-ubda/size", "15359", -EINVAL, "0\n" },
	{ "dev-ubda/size", "15361", -ENOSPC, "0\n" },
	{ "dev-ubda/size", "15360", 0, "15360\n" },
	{ "dev-ubda/offset", "4096", -EBUSY, "2048\n" },
	{ "dev-ubda/new_offset", "4096", -EOPNOTSUPP, "2048\n" },
	{ "dev-ubda/ppl_sector", "8", -EOPNOTSUPP, "0\n" },
	{ "dev-ubda/ppl_size", "8", -EOPNOTSUPP, "0\n" },
	{ "dev-ubda/slot", "4", -ENOSPC, "none\n" },
	{ "dev-ubda/slot", "journal", -EOPNOTSUPP, "none\n" },
	{ "dev-ubda/slot", "nonesuch", 0, "none\n" },
	{ "dev-ubda/slot", "-1", -EINVAL, "none\n" },
	{ "dev-ubda/slot", "0", 0, "0\n" },
	{ "dev-ubda/state", "remove", -EBUSY, "in_sync\n" },
	{ "dev-ubda/state", "insync", -EINVAL, "in_sync\n" },
	{ "dev-ubda/state", "-insync", 0, "spare\n" },
	{ "dev-ubda/slot", "0", 0, "0\n" },
	{ "dev-ubda/recovery_start", "none", 0, "none\n" },
	{ "dev-ubda/recovery_start", "16384", 0, "16384\n" },
	{ "dev-ubda/recovery_start", "junk", -EINVAL, "16384\n" },
	{ "dev-ubda/slot", "none", 0, "none\n" },
	{ "dev-ubda/bad_blocks", "8 16", 0, "8 16\n" },
	{ "dev-ubda/bad_blocks", "8", -EINVAL, "8 16\n" },
	{ "dev-ubda/unacknowledged_bad_blocks", "64 8", 0, "64 8\n" },
	{ "dev-ubda/nothing", "1", -ENOENT, "!-2" },
	{ "new_dev", "/x/ubda", -EEXIST, NULL },
	{ "metadata_version", "1.2", -EBUSY, "external:seventeen---byte\n" },
	{ "metadata_version", "none", -EBUSY, NULL },
	{ "metadata_version", "external:other", 0, "external:other\n" },
};

static const struct row running[] = {
	{ "array_state", "clean", 0, "clean\n" },
	{ "array_state", "junk", -EINVAL, "clean\n" },
	{ "array_state", "active-idle", -EINVAL, "clean\n" },
	{ "array_state", "write-pending", -EINVAL, "clean\n" },
	{ "array_state", "suspended", -EINVAL, "clean\n" },
	{ "level", "raid1", 0, "raid1\n" },
	{ "level", "raid5", -EOPNOTSUPP, "raid1\n" },
	{ "layout", "0", 0, "0\n" },
	{ "layout", "1", -EOPNOTSUPP, "0\n" },
	{ "raid_disks", "2", 0, "2\n" },
	{ "raid_disks", "3", -EOPNOTSUPP, "2\n" },
	{ "raid_disks", "0", -EINVAL, "2\n" },
	{ "chunk_size", "0", 0, "0\n" },
	{ "chunk_size", "65536", -EOPNOTSUPP, "0\n" },
	{ "component_size", "15360", 0, "15360\n" },
	{ "component_size", "1024", -EOPNOTSUPP, "15360\n" },
	{ "resync_start", "0", -EBUSY, "none\n" },
	{ "metadata_version", "none", -EBUSY, "external:test\n" },
	{ "metadata_version", "external:-test", 0, "external:-test\n" },
	{ "safe_mode_delay", "0.3", 0, "0.300\n" },
	{ "consistency_policy", "resync", -EBUSY, "bitmap\n" },
	{ "max_read_errors", "5", -EOPNOTSUPP, "20\n" },
	{ "serialize_policy", "1", -EOPNOTSUPP, "0\n" },
	{ "sync_action", "idle", 0, "idle\n" },
	{ "sync_action", "frozen", 0, "frozen\n" },
	{ "bitmap/location", "none", -EBUSY, "+8\n" },
	{ "resync_start", "x", -EINVAL, "none\n" },
	{ "resync_start", "0", -EOPNOTSUPP, "none\n" },
	{ "sync_action", "idle", 0, "idle\n" },
	{ "sync_action", "resync", 0, "idle\n" },
	{ "sync_action", "recover\n", 0, "idle\n" },
	{ "sync_action", "check", -EOPNOTSUPP, "idle\n" },
	{ "sync_action", "repair", -EOPNOTSUPP, "idle\n" },
	{ "sync_action", "reshape", -EOPNOTSUPP, "idle\n" },
	{ "sync_action", "idl", -EINVAL, "idle\n" },
	{ "last_sync_action", "x", -EACCES, "none\n" },
	{ "mismatch_cnt", "x", -EACCES, "0\n" },
	{ "sync_speed_min", "10", -EOPNOTSUPP, "1000 (system)\n" },
	{ "sync_speed_max", "system", -EOPNOTSUPP, "200000 (system)\n" },
	{ "sync_speed", "x", -EACCES, "none\n" },
	{ "sync_force_parallel", "1", -EOPNOTSUPP, "0\n" },
	{ "sync_completed", "x", -EACCES, "none\n" },
	{ "sync_min", "8", -EOPNOTSUPP, "0\n" },
	{ "sync_max", "8", -EOPNOTSUPP, "max\n" },
	{ "suspend_lo", "8", -EOPNOTSUPP, "0\n" },
	{ "suspend_hi", "8", -EOPNOTSUPP, "0\n" },
	{ "degraded", "x", -EACCES, "0\n" },
	{ "bitmap/metadata", "internal", -EBUSY, "external\n" },
	{ "bitmap/chunksize", "131072", -EBUSY, "65536\n" },
	{ "bitmap/chunksize", "x", -EBUSY, "65536\n" },
	{ "bitmap/location", "+16", -EBUSY, "+8\n" },
	{ "bitmap/space", "16", 0, "16\n" },
	{ "bitmap/time_base", "2", 0, "2\n" },
	{ "bitmap/can_clear", "false", 0, "false\n" },
	{ "bitmap/can_clear", "junk", -EINVAL, "false\n" },
	{ "bitmap/can_clear", "True", -EINVAL, "false\n" },
	{ "bitmap/can_clear", " true", -EINVAL, "false\n" },
	{ "bitmap/can_clear", "", 0, "false\n" },
	{ "bitmap/can_clear", "truest\n", 0, "true\n" },
	{ "bitmap_set_bits", "", 0, "!-13" },
	{ "bitmap_set_bits", "junk", -EINVAL, NULL },
	{ "bitmap_set_bits", "1 junk", -EINVAL, NULL },
	{ "bitmap_set_bits", "7-3", -EINVAL, NULL },
	{ "bitmap_set_bits", "1-", -EINVAL, NULL },
	{ "bitmap_set_bits", "0x", -EINVAL, NULL },
	{ "bitmap_set_bits", "08", -EINVAL, NULL },
	{ "bitmap_set_bits", "240", -ERANGE, NULL },
	{ "bitmap_set_bits", "5 239-240", -ERANGE, NULL },
	{ "bitmap_set_bits", "18446744073709551616", -EINVAL, NULL },
	{ "umd/why", "x", -EACCES, NULL },
	{ "umd/members", "x", -EACCES, "0 dev-ubda in_sync\n1 dev-ubdb in_sync\n" },
	{ "umd/dirty_chunks", "x", -EACCES, "\n" },
	{ "dev-ubda/slot", "1", -EBUSY, "0\n" },
	{ "dev-ubda/slot", "none", -EBUSY, "0\n" },
	{ "dev-ubda/offset", "8", -EBUSY, "2048\n" },
	{ "dev-ubda/size", "15360", 0, "15360\n" },
	{ "dev-ubda/recovery_start", "0", -EBUSY, "none\n" },
	{ "dev-ubda/state", "remove", -EBUSY, "in_sync\n" },
	{ "dev-ubda/state", "re-add", -EBUSY, "in_sync\n" },
	{ "dev-ubda/state", "insync", -EINVAL, "in_sync\n" },
	{ "dev-ubda/state", "-insync", -EINVAL, "in_sync\n" },
	{ "dev-ubda/state", "blocked", 0, "in_sync,blocked\n" },
	{ "dev-ubda/state", "-blocked", 0, "in_sync\n" },
	{ "dev-ubda/state", "want_replacement", -EOPNOTSUPP, "in_sync\n" },
	{ "bitmap/backlog", "256", -EINVAL, "0\n" },
	{ "dev-ubdb/state", "writemostly", 0, "in_sync,write_mostly\n" },
	{ "bitmap/backlog", "16384", -EINVAL, "0\n" },
	{ "bitmap/backlog", "16383", 0, "16383\n" },
	{ "bitmap/max_backlog_used", "0", 0, "0\n" },
	{ "bitmap/backlog", "0", 0, "0\n" },
	{ "dev-ubdb/state", "-writemostly", 0, "in_sync\n" },
	{ "array_state", "readonly", 0, "readonly\n" },
	{ "array_state", "readonly", -ENXIO, "readonly\n" },
	{ "bitmap/can_clear", "false", 0, "false\n" },
	{ "bitmap/can_clear", "true", 0, "true\n" },
	{ "array_state", "read-auto", 0, "read-auto\n" },
	{ "array_state", "clean", 0, "clean\n" },
	{ "array_state", "read-auto", 0, "read-auto\n" },
	{ "sync_action", "idle", 0, "idle\n" },
	{ "array_state", "", 0, "clean\n" },
	{ "array_state", "read-auto", 0, "read-auto\n" },
	{ "sync_action", "frozen", 0, "frozen\n" },
	{ "array_state", "", 0, "read-auto\n" },
	{ "sync_action", "recover", 0, "idle\n" },
	{ "array_state", "", 0, "clean\n" },
	{ "array_state", "readonly", 0, "readonly\n" },
	{ "array_state", "active", 0, "clean\n" },
};

static const struct row degraded[] = {
	{ "dev-ubdb/state", "faulty", 0, "faulty,blocked\n" },
	{ "bitmap/can_clear", "true", -EBUSY, NULL },
	{ "bitmap/can_clear", "false", 0, "false\n" },
	{ "dev-ubdb/slot", "1", -EBUSY, "1\n" },
	{ "array_state", "active", 0, NULL },
	{ "dev-ubdb/state", "-blocked", 0, "faulty\n" },
	{ "dev-ubdb/slot", "none", -EEXIST, "none\n" },
	{ "dev-ubdb/slot", "1", -EBUSY, "none\n" },
	{ "dev-ubdb/state", "faulty", 0, "faulty\n" },
	{ "dev-ubdb/state", "remove", 0, "!-19" },
	{ "new_dev", "/x/ubdb", 0, NULL },
	{ "dev-ubdb/slot", "2", -ENOSPC, "none\n" },
	{ "dev-ubdb/slot", "0", -EEXIST, "none\n" },
	{ "dev-ubdb/slot", "1", -EINVAL, "none\n" },
	{ "dev-ubdb/offset", "2048", 0, "2048\n" },
	{ "dev-ubdb/slot", "1", 0, "1\n" },
	{ "dev-ubdb/slot", "1", -EBUSY, "1\n" },
	{ "dev-ubdb/offset", "2049", -EBUSY, "2048\n" },
	{ "dev-ubdb/recovery_start", "8", -EBUSY, "0\n" },
	{ "dev-ubdb/slot", "none", 0, "none\n" },
	{ "dev-ubdb/state", "remove", 0, "!-19" },
	{ "degraded", "", -EACCES, "1\n" },
};

/* An array whose superblocks own it: what the tree cannot do says so. */
static const struct row native[] = {
	{ "metadata_version", "external:x", -EBUSY, "1.2\n" },
	{ "new_dev", "/x/ubdc", -EOPNOTSUPP, NULL },
	{ "bitmap/location", "+8", -EBUSY, "+8\n" },
	{ "dev-ubda/slot", "1", -EOPNOTSUPP, "none\n" },
	{ "dev-ubda/offset", "8", -EOPNOTSUPP, "0\n" },
	{ "dev-ubda/size", "8", -EOPNOTSUPP, "0\n" },
	{ "dev-ubda/recovery_start", "8", -EOPNOTSUPP, "0\n" },
	{ "dev-ubda/state", "insync", -EOPNOTSUPP, "spare\n" },
	{ "dev-ubda/state", "external_bbl", -EINVAL, "spare\n" },
	{ "dev-ubda/bad_blocks", "8 8", -EOPNOTSUPP, "" },
	{ "dev-ubda/unacknowledged_bad_blocks", "8 8", -EOPNOTSUPP, "" },
};

static void check_native(void)
{
	struct att_facts facts = { .metadata = "1.2", .level = 1, .raid_disks = 2, .component_bytes = 1 << 20,
				   .bitmap_sectors = 8, .bitmap_space_sectors = 8,
				   .uuid = { 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc,
					     0xdd, 0xee, 0xff, 0 } };

	begin();
	att_free(w.t);
	w.t = att_of_array(&facts);
	att_bind(w.t, "ubda", DISK_BYTES, &w.disks[0]);
	MATRIX("superblocks", native);
	reads("uuid", "11223344-5566-7788-99aa-bbccddeeff00\n");
	reads("level", "raid1\n");
	reads("component_size", "1024\n");
	reads("bitmap/space", "8\n");
	reads("safe_mode_delay", "0.210\n");
	reads("max_read_errors", "20\n");
	end();
}

/* What clients have open does not go away under them. */
static const struct row open_by_clients[] = {
	{ "array_state", "clear", -EBUSY, "clean\n" },
	{ "array_state", "inactive", -EBUSY, "clean\n" },
	{ "array_state", "readonly", -EBUSY, "clean\n" },
	{ "array_state", "read-auto", 0, "read-auto\n" },
	{ "array_state", "active", 0, "clean\n" },
};

/* 30720 chunks: eight sectors of bits. */
static const struct row large[] = {
	{ "bitmap/space", "7", -EFBIG, "0\n" },
	{ "bitmap/space", "8", 0, "8\n" },
	{ "bitmap_set_bits", "0x7fff", -ERANGE, NULL },
	{ "bitmap_set_bits", "0x77ff", 0, NULL },
	{ "umd/dirty_chunks", "x", -EACCES, "30719\n" },
};

static void check_open_and_large(void)
{
	begin();
	set_up(2);
	write_to("bitmap/location", "none");
	write_to("bitmap/chunksize", "512");
	write_to("bitmap/location", "+8");
	is_u64(write_to("array_state", "active"), 0, "it starts");
	w.view.clients = 1;
	MATRIX("open", open_by_clients);
	w.view.clients = 0;
	MATRIX("large", large);
	end();
}

/* One node of a cluster: nothing there is written, and the texts are the hands'. */
static const struct row of_a_node[] = {
	{ "cluster/engine", "x", -EACCES, "local\n" },
	{ "cluster/cluster_name", "x", -EACCES, "lab\\x01\n" },
	{ "cluster/node", "x", -EACCES, "n1\n" },
	{ "cluster/node_slot", "x", -EACCES, "3\n" },
	{ "cluster/nodes", "x", -EACCES, "4\n" },
	{ "cluster/state", "x", -EACCES, "up\n" },
	{ "cluster/quorum", "x", -EACCES, "1\n" },
	{ "cluster/peers", "x", -EACCES, "3 us n1\n" },
	{ "cluster/suspended", "x", -EACCES, "" },
	{ "cluster/waits_for", "x", -EACCES, "0 2\n" },
	{ "cluster/last_event", "x", -EACCES, "n2 has joined\n" },
	{ "cluster/events", "x", -EACCES, "7 n2 has joined\n" },
};

static void check_node(void)
{
	struct att_cluster node = { .engine = "local", .cluster_name = "lab\001", .node = "n1", .state = "up",
				    .peers = "3 us n1\n", .suspended = "", .waits_for = "0 2",
				    .last_event = "n2 has joined", .events = "7 n2 has joined\n",
				    .slot = 3, .nodes = 4, .has_quorum = true };

	begin();
	set_up(2);
	is_u64(-att_read(w.t, &w.view, "cluster/state", &(struct text){ 0 }), ENOENT,
	       "nobody else has a cluster");
	w.view.cluster = &node;
	MATRIX("node", of_a_node);
	reads("bitmap/metadata", "clustered\n");
	node.slot = ATT_NO_SLOT;
	node.has_quorum = false;
	reads("cluster/node_slot", "none\n");
	reads("cluster/quorum", "0\n");
	w.view.cluster = NULL;
	end();
}

static void find_untried(void *opaque, const struct att_entry *e)
{
	uint32_t *missing = opaque;
	char path[ATT_PATH_MAX];

	snprintf(path, sizeof path, "%s", e->path);
	if (!strncmp(path, "dev-*", 5))
		snprintf(path, sizeof path, "dev-ubda%s", e->path + 5);
	if (!strstr(tried, path)) {
		printf("# %s was not tried\n", path);
		(*missing)++;
	}
}

int main(void)
{
	uint32_t missing = 0;

	begin();
	MATRIX("fresh", fresh);
	MATRIX("bitmap", bitmap);
	write_to("new_dev", "/x/ubda");
	MATRIX("device", devices);
	end();

	begin();
	set_up(2);
	is_u64(write_to("array_state", "active"), 0, "it starts");
	MATRIX("running", running);
	MATRIX("degraded", degraded);
	end();

	check_open_and_large();
	check_node();
	check_native();
	att_list_patterns(find_untried, &missing);
	is_u64(missing, 0, "every attribute of the table was tried");
	return tap_end();
}
