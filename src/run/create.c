/* umd create: judge all members, plan, then write.
 *
 *   options -> open and lock every member -> does it hold something? -> plan -> write -> JSON
 *
 * Everything left of "write" changes nothing, for any member (law I7); a dry run stops there. The locks are held to the
 * end, so nobody takes a member between the look and the write. What may follow what on disk is create_write.c's.
 *
 * A bitmap file comes before all members: superblocks never speak of a map that is not there, and a new array without
 * its map would copy everything. Left out: levels other than RAID1. */
#include "run/create.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "look/look.h"
#include "run/blank.h"
#include "run/public.h"

static int refuse_option(struct err *err, int code, const char *what, const char *value, const char *instead)
{
	char *shown = look_escaped(value);

	err_set(err, code, "%s %s is not usable: %s; nothing has been written", what, shown ? shown : "given", instead);
	mem_free(shown);
	return code;
}

static int take_metadata(struct run_creating *c, const char *metadata, struct err *err)
{
	static const char *const names[] = { [SB1_0] = "1.0", [SB1_1] = "1.1", [SB1_2] = "1.2" };

	if (!metadata)
		metadata = names[SB1_2];
	for (int i = SB1_0; i <= SB1_2; i++)
		if (strcmp(metadata, names[i]) == 0) {
			c->plan.minor = (enum sb1_minor)i;
			return 0;
		}
	return refuse_option(err, UMD_E_BAD_OPTION, "metadata", metadata, "1.0, 1.1 and 1.2 can be made");
}

enum { NODES_DEFAULT = 4 };		/* mdadm's */

/* A cluster's name is compared with the cluster manager's, and printed by other tools. */
static int take_cluster(struct run_creating *c, const struct umd_create_options *o, struct err *err)
{
	const char *name = o->cluster_name ? o->cluster_name : "";
	size_t len = strlen(name);

	if (len >= FMT_BITMAP_CLUSTER_NAME_BYTES)
		return err_set(err, UMD_E_BAD_NAME,
			       "a cluster name of %zu bytes is too long: %d fit; nothing has been written", len,
			       FMT_BITMAP_CLUSTER_NAME_BYTES - 1);
	for (size_t i = 0; i < len; i++)
		if (name[i] <= ' ' || name[i] > '~')
			return refuse_option(err, UMD_E_BAD_NAME, "cluster name", name,
					     "printable ASCII without blanks is");
	memcpy(c->plan.cluster_name, name, len);
	c->plan.nodes = o->nodes ? o->nodes : NODES_DEFAULT;
	c->plan.has_bitmap = true;
	return 0;
}

static int take_bitmap(struct run_creating *c, const struct umd_create_options *o, struct err *err)
{
	const char *bitmap = o->bitmap ? o->bitmap : "internal";

	c->plan.bitmap_chunk_bytes = o->bitmap_chunk_bytes;
	if (strcmp(bitmap, "clustered") == 0)
		return take_cluster(c, o, err);
	if (o->nodes || o->cluster_name)
		return refuse_option(err, UMD_E_BAD_OPTION, "bitmap", bitmap,
				     "a number of nodes and the name of a cluster go with clustered");
	c->plan.has_bitmap = strcmp(bitmap, "internal") == 0;
	if (!c->plan.has_bitmap && strcmp(bitmap, "none") != 0) {
		if (!strpbrk(bitmap, "/."))
			return refuse_option(err, UMD_E_BAD_OPTION, "bitmap", bitmap,
					     "internal, none, clustered, and a file whose name has a / or a dot can be "
					     "made");
		c->file = bitmap;
		c->plan.bitmap_is_file = true;
	}
	if (!c->plan.has_bitmap && !c->file && o->bitmap_chunk_bytes)
		return err_set(
			err, UMD_E_BAD_OPTION,
			"a bitmap chunk of %llu bytes and no bitmap contradict each other; nothing has been written",
			(unsigned long long)o->bitmap_chunk_bytes);
	return 0;
}

/* Other tools print names as they are: what would play with their terminals or paths is not made. */
static int take_name(struct run_creating *c, const char *name, struct err *err)
{
	size_t len = name ? strlen(name) : 0;

	if (len > FMT_SB1_NAME_BYTES)
		return err_set(err, UMD_E_BAD_NAME, "a name of %zu bytes is too long: %d fit; nothing has been written",
			       len, FMT_SB1_NAME_BYTES);
	for (size_t i = 0; i < len; i++)
		if (name[i] <= ' ' || name[i] > '~' || name[i] == '/')
			return refuse_option(err, UMD_E_BAD_NAME, "name", name,
					     "printable ASCII without blanks and slashes is");
	memcpy(c->plan.name, name ? name : "", len);
	return 0;
}

static int take_random(uint8_t uuid[16], struct err *err)
{
	if (getrandom(uuid, 16, 0) == 16)
		return 0;
	return err_set(err, -EIO, "no random bytes for a uuid; nothing has been written");
}

static int take_uuid(struct run_creating *c, const char *uuid, struct err *err)
{
	if (!uuid)
		return take_random(c->plan.uuid, err);
	if (fmt_uuid_parse(uuid, c->plan.uuid))
		return 0;
	return refuse_option(err, UMD_E_BAD_OPTION, "uuid", uuid,
			     "32 hex digits are wanted, with : - . or blanks between");
}

int run_create_options(struct run_creating *c, const struct umd_create_options *o, struct err *err)
{
	int rc = take_metadata(c, o->metadata, err);

	if (rc == 0)
		rc = take_bitmap(c, o, err);
	if (rc == 0)
		rc = take_name(c, o->name, err);
	if (rc == 0)
		rc = take_uuid(c, o->uuid, err);
	c->plan.size_bytes = o->size_bytes;
	c->plan.is_assume_clean = o->assume_clean;
	c->plan.write_behind = o->write_behind;
	c->plan.ctime_s = (uint64_t)time(NULL);
	return rc;
}

/* An md superblock at any place, believed or not, says that the member is somebody's. */
static int refuse_member_of_array(const struct run_creating_member *member, struct err *err)
{
	struct asm_member *look = mem_new(1, sizeof *look);
	char uuid[36];
	int rc = 0;

	if (!look)
		return err_set(err, -ENOMEM, "no memory to look at %s", member->shown);
	look_member(member->m, member->shown, look);
	fmt_uuid_text(look->sb.set_uuid, uuid);
	if (look->has_superblock)
		rc = err_set(err, UMD_E_MEMBER_HOLDS_DATA,
			     "%s holds a superblock of array %s at byte %llu: it is not overwritten without --force; "
			     "nothing has been written",
			     member->shown, uuid, (unsigned long long)look->super_at.bytes);
	else if (look->kind == ASM_BITMAP_FILE)
		rc = err_set(err, UMD_E_MEMBER_HOLDS_DATA,
			     "%s is a bitmap file of version %u: it is not overwritten without --force; nothing has "
			     "been written",
			     member->shown, look->bitmap.version);
	else if (look->error.code != UMD_E_NO_SUPERBLOCK)
		rc = err_set(err, look->error.code, "%s", look->error.text);
	mem_free(look);
	return rc;
}

int run_create_open(struct run_creating *c, uint32_t i, const char *path, bool force, struct err *err)
{
	struct run_creating_member *member = &c->members[i];
	int rc;

	c->plan.members[i].is_missing = strcmp(path, "missing") == 0;
	if (c->plan.members[i].is_missing)
		return 0;
	member->path = path;
	member->shown = look_escaped(path);
	if (!member->shown)
		return err_set(err, -ENOMEM, "no memory to open a member");
	c->plan.members[i].path = member->shown;
	rc = mbr_open(path, -1, MBR_LOCK_EXCLUSIVE, &member->m, err);
	if (rc < 0)
		return rc;
	c->plan.members[i].size_bytes = member->m->size_bytes;
	if (!force)
		rc = refuse_member_of_array(member, err);
	if (rc == 0 && !force)
		rc = run_member_is_blank(member->m, member->shown, err);
	return rc < 0 ? rc : take_random(c->plan.members[i].device_uuid, err);
}

static void drop(struct run_creating *c)
{
	for (uint32_t i = 0; i < ARR_MEMBERS_MAX; i++) {
		mbr_close(c->members[i].m);
		mem_free(c->members[i].shown);
	}
	mem_free(c);
}

static int plan_file(struct run_creating *c, const struct umd_create_options *o, struct err *err)
{
	uint64_t size_sectors = run_create_any(c)->sb.size_sectors;
	int rc = asm_new_file(size_sectors, c->plan.uuid, o->bitmap_chunk_bytes, &c->file_sb, err);

	c->file_sb.write_behind = o->write_behind;
	if (rc == 0 && !o->force && access(c->file, F_OK) == 0)
		return refuse_option(err, -EEXIST, "bitmap", c->file,
				     "the file exists, and is overwritten with --force only");
	return rc;
}

static int plan_and_write(struct run_creating *c, const struct umd_create_options *o, const char *const *members,
			  size_t count, struct err *err)
{
	int rc = run_create_options(c, o, err);

	/* One more than fits is enough for the plan to refuse the number. */
	c->plan.count = (uint32_t)min_u64(count, ARR_MEMBERS_MAX + 1);
	for (uint32_t i = 0; rc == 0 && i < min_u64(count, ARR_MEMBERS_MAX); i++)
		rc = run_create_open(c, i, members[i], o->force, err);
	for (uint32_t i = 0; o->write_mostly && i < min_u64(count, ARR_MEMBERS_MAX); i++)
		c->plan.members[i].is_write_mostly = o->write_mostly[i];
	if (rc == 0)
		rc = asm_create_plan(&c->plan, c->made, err);
	if (rc == 0 && c->file)
		rc = plan_file(c, o, err);
	if (rc == 0 && c->file && !o->dry_run)
		rc = run_create_file(c, o->force, err);
	if (rc == 0 && !o->dry_run)
		rc = run_create_write(c, o->force, err);
	return rc;
}

int umd_create(const struct umd_create_options *options, const char *const *members, size_t count, char **ret_json,
	       struct umd_error *error)
{
	struct run_creating *c = mem_new(1, sizeof *c);
	struct text t = { 0 };
	struct err err = { 0 };
	int rc = -ENOMEM;

	if (c)
		rc = plan_and_write(c, options, members, count, &err);
	if (rc == 0)
		run_create_json(&t, c, options->dry_run);
	if (c)
		drop(c);
	return run_public_answer(rc, &t, ret_json, &err, error);
}
