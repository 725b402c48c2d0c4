/* Is a member blank? libblkid looks for signatures of file systems, partition tables and other superblocks.
 *
 * What it finds is named in the refusal, so that the user can tell a mistake from a wish. Nothing is written, and
 * nothing is decided here for --force: the caller does not ask then. Left out: data without a signature, which
 * nobody can tell. */
#include "run/blank.h"

#include <blkid/blkid.h>
#include <errno.h>

static int probe(blkid_probe p, struct member *m, const char *path, struct err *err)
{
	const char *type = NULL;
	int found;

	if (blkid_probe_set_device(p, m->fd, 0, 0))
		return err_set(err, -EIO, "%s cannot be searched for file systems", path);
	blkid_probe_enable_superblocks(p, true);
	blkid_probe_set_superblocks_flags(p, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_USAGE);
	blkid_probe_enable_partitions(p, true);
	found = blkid_do_safeprobe(p);
	if (found == 1)
		return 0;
	if (found == 0 && blkid_probe_lookup_value(p, "TYPE", &type, NULL))
		blkid_probe_lookup_value(p, "PTTYPE", &type, NULL);
	return err_set(err, UMD_E_MEMBER_HOLDS_DATA,
		       "%s holds something already (%s): it is not overwritten without --force", path,
		       type ? type : "several signatures");
}

int run_member_is_blank(struct member *m, const char *path, struct err *err)
{
	blkid_probe p = blkid_new_probe();
	int rc = p ? probe(p, m, path, err) : err_set(err, -ENOMEM, "no memory");

	blkid_free_probe(p);
	return rc;
}
