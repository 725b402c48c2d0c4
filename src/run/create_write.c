/* The writing half of create, in an order in which a cut anywhere leaves no array that is not whole:
 *
 *   1. superblocks of an earlier life are wiped (forced only), flush     an old one must not come back
 *   2. bitmap and bad-block log of every member, flush                  a superblock never speaks of what is not there
 *   3. superblock of every member, flush                                a cut here leaves members missing, which serve
 * refuses
 *
 * Only bytes of the new areas and of recognised old superblocks change (law I7). */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "run/create.h"
#include "run/file.h"
#include "run/wipe.h"

static int failed(const struct run_creating_member *member, int rc, const char *what, member_off at, struct err *err)
{
	return err_set(
		err, rc,
		"%s: the %s at byte %llu could not be written: %s; the array is not whole, create it again",
		member->shown, what, (unsigned long long)at.bytes, err_sentence(rc));
}

static int flush(const struct run_creating_member *member, struct err *err)
{
	int rc = mbr_flush(member->m);

	if (rc < 0)
		return err_set(err, rc,
			       "%s could not be flushed: %s; the array is not whole, create it again with --force",
			       member->shown, err_sentence(rc));
	return 0;
}

static int write_bitmap(const struct run_creating_member *member, const struct asm_created *made, struct err *err)
{
	uint8_t *bytes = mem_new(1, made->bitmap_bytes);
	member_off at = made->bitmap_at;
	int rc = 0;

	if (!bytes)
		return err_set(err, -ENOMEM, "no memory for a bitmap of %llu bytes",
			       (unsigned long long)made->bitmap_bytes);
	for (uint32_t slot = 0; rc == 0 && slot < made->slots; slot++) {
		at.bytes = made->bitmap_at.bytes + slot * made->slot_bytes;
		memset(bytes, slot ? 0 : made->bitmap_fill, made->bitmap_bytes);
		fmt_bitmap_sb_encode(&made->bitmap, bytes);
		rc = mbr_write(member->m, at, bytes, made->bitmap_bytes, false);
	}
	mem_free(bytes);
	return rc < 0 ? failed(member, rc, "bitmap", at, err) : 0;
}

static int write_log(const struct run_creating_member *member, const struct asm_created *made, struct err *err)
{
	uint8_t empty[FMT_BAD_BLOCK_LOG_BYTES];
	int rc;

	memset(empty, 0xff, sizeof empty);
	rc = mbr_write(member->m, made->bblog_at, empty, sizeof empty, false);
	return rc < 0 ? failed(member, rc, "bad-block log", made->bblog_at, err) : 0;
}

static int write_what_the_superblock_names(const struct run_creating_member *member, const struct asm_created *made,
					   struct err *err)
{
	int rc = made->has_bitmap ? write_bitmap(member, made, err) : 0;

	if (rc == 0 && made->has_bblog)
		rc = write_log(member, made, err);
	return rc < 0 ? rc : flush(member, err);
}

static int write_superblock(const struct run_creating_member *member, const struct asm_created *made, struct err *err)
{
	int rc = mbr_write(member->m, made->super_at, made->super_raw, sizeof made->super_raw, false);

	return rc < 0 ? failed(member, rc, "superblock", made->super_at, err) : flush(member, err);
}

int run_create_file(struct run_creating *c, bool force, struct err *err)
{
	struct member *file;
	int rc = run_file_make(c->file, force, &file, err);

	if (rc < 0)
		return rc;
	rc = run_pairing_set(c->plan.uuid, file->path, err);
	if (rc == 0)
		rc = run_file_fill(file, &c->file_sb, c->plan.is_assume_clean ? 0 : 0xff, err);
	if (rc < 0 && !force)
		unlink(c->file);
	mbr_close(file);
	return rc;
}

int run_create_write(struct run_creating *c, bool is_wiping, struct err *err)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && is_wiping && i < c->plan.count; i++)
		rc = c->members[i].m ? run_wipe_superblocks(c->members[i].m, c->members[i].shown, err) : 0;
	for (uint32_t i = 0; rc == 0 && i < c->plan.count; i++)
		rc = c->members[i].m ? write_what_the_superblock_names(&c->members[i], &c->made[i], err) : 0;
	for (uint32_t i = 0; rc == 0 && i < c->plan.count; i++)
		rc = c->members[i].m ? write_superblock(&c->members[i], &c->made[i], err) : 0;
	return rc;
}
