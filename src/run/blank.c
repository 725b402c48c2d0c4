/* Is a member blank? libblkid looks for signatures of file systems, partition tables and other superblocks.
 *
 * What it finds is named in the refusal, so that the user can tell a mistake from a wish. Nothing is written, and
 * nothing is decided here for --force: the caller does not ask then.
 *
 * libblkid reads what is not aligned, so O_DIRECT is off meanwhile (nobody else uses the member yet); what another
 * machine may have written since is read nevertheless, and nothing old stays in the cache for later readers.
 *
 * Left out: data without a signature, which nobody can tell. */
#include "run/blank.h"

#include <blkid/blkid.h>
#include <errno.h>
#include <fcntl.h>

/* blkid_do_safeprobe() */
enum { FOUND = 0, NOTHING = 1, SEVERAL = -2 };

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
	if (found == NOTHING)
		return 0;
	if (found != FOUND && found != SEVERAL)
		return err_set(err, -EIO, "%s cannot be searched for file systems: it cannot be read", path);
	if (found == FOUND && blkid_probe_lookup_value(p, "TYPE", &type, NULL))
		blkid_probe_lookup_value(p, "PTTYPE", &type, NULL);
	return err_set(err, UMD_E_MEMBER_HOLDS_DATA,
		       "%s holds something already (%s): it is not overwritten without --force", path,
		       type ? type : "several signatures");
}

static int probe_by_the_cache(blkid_probe p, struct member *m, const char *path, struct err *err)
{
	int flags = fcntl(m->fd, F_GETFL), rc;

	if (flags < 0 || !(flags & O_DIRECT))
		return probe(p, m, path, err);
	if (fcntl(m->fd, F_SETFL, flags & ~O_DIRECT) < 0)
		return err_set(err, -errno, "%s cannot be searched for file systems", path);
	posix_fadvise(m->fd, 0, 0, POSIX_FADV_DONTNEED);
	rc = probe(p, m, path, err);
	posix_fadvise(m->fd, 0, 0, POSIX_FADV_DONTNEED);
	if (fcntl(m->fd, F_SETFL, flags) < 0 && rc == 0)
		rc = err_set(err, -errno, "%s cannot be used past the cache again", path);
	return rc;
}

int run_member_is_blank(struct member *m, const char *path, struct err *err)
{
	blkid_probe p = blkid_new_probe();
	int rc = p ? probe_by_the_cache(p, m, path, err) : err_set(err, -ENOMEM, "no memory");

	blkid_free_probe(p);
	return rc;
}
