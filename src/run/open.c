/* From paths to an array that could run: open, lock, look, judge, take the name. Nothing is written.
 *
 * The order matters: members are locked before they are looked at, so that nobody changes them between the
 * judgement and the start, and the run-time name is taken last, when only a living server can hold it. */
#include "run/cluster.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "look/look.h"
#include "run/file.h"
#include "run/hand.h"
#include "run/public.h"

static int open_members(struct run_opening *o, const char *const *members, enum mbr_lock lock, struct err *err)
{
	for (uint32_t i = 0; i < o->count; i++) {
		int rc;

		o->paths[i] = look_escaped(members[i]);
		if (!o->paths[i])
			return err_set(err, -ENOMEM, "no memory");
		rc = mbr_open(members[i], -1, lock, &o->hands[i], err);
		if (rc < 0)
			return rc;
		look_member(o->hands[i], o->paths[i], &o->looks[i]);
	}
	return 0;
}

static int open_file(struct run_opening *o, const char *path, bool is_readonly, struct err *err)
{
	uint32_t at = o->count;
	int rc;

	o->paths[at] = look_escaped(path);
	if (!o->paths[at])
		return err_set(err, -ENOMEM, "no memory");
	rc = run_file_open(path, -1, is_readonly, o->hands, at, &o->hands[at], err);
	if (rc < 0) {
		o->paths[at] = mem_free(o->paths[at]);
		return rc;
	}
	o->count++;
	look_member(o->hands[at], o->paths[at], &o->looks[at]);
	if (o->looks[at].kind == ASM_BITMAP_FILE)
		return 0;
	return err_set(err, UMD_E_BAD_BITMAP, "%s is no bitmap file: %s; nothing is started with it", o->paths[at],
		       o->looks[at].has_superblock ? "it is a member of an array" :
						     "it does not begin with a bitmap superblock");
}

/* Which file, if any, is the user's to say: only he knows which one belongs to this array. */
static int check_files(const struct run_opening *o, struct err *err)
{
	for (uint32_t i = 0; i < o->count; i++)
		if (o->looks[i].kind == ASM_BITMAP_FILE) {
			asm_why_no_member(&o->looks[i], err);
			return err_set(err, err->code,
				       "%s: this is a bitmap file of version %u, not a member of an array; "
				       "--bitmap=FILE starts an array with it",
				       o->paths[i], o->looks[i].bitmap.version);
		}
	return 0;
}

/* An array whose bitmap umd remembers in a file does not silently start without: a crash would then mean that all of it
 * is copied, and the file would be out of date. */
static int check_pairing(struct umd_array *u, const struct run_opening *o, const struct umd_open_options *options,
			 struct err *err)
{
	const struct asm_member *ref = &o->looks[o->plan->freshest];
	char *path, *shown;
	int rc;

	if (options->bitmap && o->plan->has_bitmap && !o->plan->bitmap_is_file)
		return err_set(err, UMD_E_BAD_OPTION, "%s names an internal bitmap: --bitmap is for arrays that have "
			       "none or have it in a file", ref->path);
	if (options->bitmap && !options->readonly)
		u->pairing = o->plan->bitmap_is_file ? RUN_PAIRING_IS_MADE : RUN_PAIRING_IS_FORGOTTEN;
	if (o->plan->has_bitmap || options->bitmap)
		return 0;
	rc = run_pairing_find(ref->sb.set_uuid, &path, err);
	if (rc < 0 || !path)
		return rc;
	shown = look_escaped(path);
	mem_free(path);
	rc = err_set(err, UMD_E_BITMAP_ELSEWHERE,
		     "the array's bitmap is in the file %.300s: --bitmap=FILE starts with it; --bitmap=none starts "
		     "without, copies everything after an unclean stop, and forgets the file", shown ? shown : "");
	mem_free(shown);
	return rc;
}

/* A preference for somebody who is not there would silently be none. */
static int check_preferred(const struct run_opening *o, const char *prefer, struct err *err)
{
	for (uint32_t i = 0; i < o->count; i++)
		if (!prefer || !strcmp(prefer, o->paths[i]))
			return 0;
	return err_set(err, UMD_E_BAD_OPTION, "%s is to be preferred, but it is not one of the %u members given",
		       prefer, o->count);
}

/* Members that take part change hands; the others are closed with the opening. */
int run_opening_start(struct umd_array *u, struct run_opening *o, const struct asm_options *options, struct err *err)
{
	uint32_t member_of[ARR_MEMBERS_MAX];
	const struct sb1 *ref = &o->looks[o->plan->freshest].sb;
	struct arr_status status;
	int rc;

	rc = asm_start(o->looks, o->plan, options, o->image, o->image_bytes, &u->arr, &u->lineage, member_of, err);
	if (rc < 0)
		return rc;
	if (o->plan->bitmap_is_file)
		u->hands[ARR_FILE] = TAKE(o->hands[o->plan->bitmap_member]);
	arr_get_status(u->arr, &status);
	for (uint32_t i = 0; i < status.member_count; i++) {
		u->hands[i] = TAKE(o->hands[member_of[i]]);
		u->paths[i] = TAKE(o->paths[member_of[i]]);
		memcpy(u->device_uuids[i], o->looks[member_of[i]].sb.device_uuid, 16);
	}
	if (run_tree_of_array(u, o->looks, member_of, status.member_count, o->plan) < 0)
		return err_set(err, -ENOMEM, "no memory for the attributes");
	u->level = ref->level;
	memcpy(u->uuid, ref->set_uuid, sizeof u->uuid);
	memcpy(u->name, ref->set_name, sizeof u->name);
	return 0;
}

/* `homehost:name` is known as `name`, as mdadm does on the home host. */
static const char *plain_name(const char *name)
{
	const char *colon = strchr(name, ':');

	return colon ? colon + 1 : name;
}

static int take_name(struct umd_array *u, const char *wanted, bool may_number, struct err *err)
{
	char uuid[36];
	struct run_rundir_wish wish = { .name = wanted, .superblock_name = plain_name(u->name), .uuid = uuid,
				       .may_number = may_number };

	if (u->cluster)
		return run_cluster_take_name(u, wanted, plain_name(u->name), err);
	fmt_uuid_text(u->uuid, uuid);
	return run_rundir_claim(&wish, &u->rundir, err);
}

static enum mbr_lock lock_of(const struct umd_array *u, const struct umd_open_options *wish)
{
	enum mbr_lock lock = wish->readonly ? MBR_LOCK_SHARED : MBR_LOCK_EXCLUSIVE;

	return u->cluster ? run_cluster_lock(u->cluster) : (enum mbr_lock)(lock | (wish->direct ? MBR_DIRECT : 0));
}

/* The members become the brains of @u; those of a node wait for its slot. */
static int open_all(struct umd_array *u, struct run_opening *o, const char *const *members,
		    const struct umd_open_options *wish, const struct asm_options *options, struct err *err)
{
	bool has_file = wish->bitmap && strcmp(wish->bitmap, "none");
	int rc;

	o->looks = mem_new(o->count + 1, sizeof *o->looks);
	o->plan = mem_new(1, sizeof *o->plan);
	if (!o->looks || !o->plan)
		return err_set(err, -ENOMEM, "no memory");
	rc = open_members(o, members, lock_of(u, wish), err);
	if (rc == 0)
		rc = check_files(o, err);
	if (rc == 0 && has_file)
		rc = open_file(o, wish->bitmap, options->is_readonly, err);
	if (rc == 0)
		rc = check_preferred(o, options->prefer, err);
	if (rc == 0)
		rc = run_opening_judge(o, options, err);
	if (rc == 0)
		rc = check_pairing(u, o, wish, err);
	if (rc < 0)
		return rc;
	pthread_mutex_lock(&u->lock);
	rc = u->cluster ? run_cluster_take(u, o, options, err) : run_opening_start(u, o, options, err);
	pthread_mutex_unlock(&u->lock);
	return rc;
}

int run_open_members(struct umd_array *u, const char *const *members, size_t count,
		     const struct umd_open_options *options, struct err *err)
{
	struct run_opening *o = mem_new(1, sizeof *o);
	char *prefer = options->prefer ? look_escaped(options->prefer) : NULL;
	struct asm_options judge_options = {
		.is_readonly = options->readonly,
		.may_run_degraded = options->run,
		.safe_mode_delay_ms = options->safe_mode_delay_ms,
		.prefer = prefer,
	};
	int rc;

	if (count < 1 || count > ARR_MEMBERS_MAX)
		rc = err_set(err, UMD_E_NOT_SUPPORTED, "%zu members were given; umd handles 1 to %d", count,
			     ARR_MEMBERS_MAX);
	else if (!o || (options->prefer && !prefer))
		rc = err_set(err, -ENOMEM, "no memory");
	else
		rc = run_cluster_asked(u, options, members, count, err);
	judge_options.is_node = u->cluster;
	u->is_direct = options->direct;
	if (rc == 0) {
		o->count = (uint32_t)count;
		rc = open_all(u, o, members, options, &judge_options, err);
	}
	if (rc == 0 && u->cluster)
		u->cluster->opening = TAKE(o);
	run_opening_free(o);
	mem_free(prefer);
	return rc;
}

/* Whoever sets an array up by attributes finds it by its name alone. */
static int open_inactive(struct umd_array *u, size_t count, const struct umd_open_options *options, struct err *err)
{
	if (count)
		return err_set(err, UMD_E_BAD_OPTION,
			       "%zu members were given for an array that is set up by attributes; they join by new_dev",
			       count);
	if (!options->name)
		return err_set(err, UMD_E_BAD_OPTION, "an array that is set up by attributes needs a run-time name");
	if (options->readonly || options->run || options->prefer || options->bitmap || options->cluster ||
	    options->node || options->direct || options->fail_without_quorum)
		return err_set(err, UMD_E_BAD_OPTION,
			       "an array that is set up by attributes takes a name and no other option");
	u->tree = att_new();
	return u->tree ? 0 : err_set(err, -ENOMEM, "no memory for the attributes");
}

int umd_array_open(const char *const *members, size_t count, const struct umd_open_options *options,
		   struct umd_array **ret_array, struct umd_error *error)
{
	struct umd_array *u = run_array_new();
	struct err err = { 0 };
	int rc;

	run_tell_broken_laws();
	if (!u)
		rc = err_set(&err, -ENOMEM, "no memory");
	else if (options->inactive)
		rc = open_inactive(u, count, options, &err);
	else
		rc = run_open_members(u, members, count, options, &err);
	if (rc == 0)
		rc = take_name(u, options->name, options->readonly, &err);
	if (rc == 0)
		*ret_array = u;
	else
		umd_array_close(u);
	return run_public_error(rc, &err, error);
}

/* ---- once more ---- */

/* The devices of the tree, in its order: @ret_devs by member. */
static int gather(struct umd_array *u, struct run_opening *o, uint32_t ret_devs[ARR_MEMBERS_MAX])
{
	for (uint32_t i = 0; i < ATT_DEVS_MAX; i++) {
		const struct att_dev *dev = att_dev(u->tree, i);

		if (!dev)
			continue;
		ret_devs[o->count] = i;
		o->hands[o->count] = dev->hand;
		o->paths[o->count] = look_escaped(o->hands[o->count]->path);
		if (!o->paths[o->count++])
			return -ENOMEM;
	}
	if (!u->hands[ARR_FILE])
		return 0;
	o->hands[o->count] = u->hands[ARR_FILE];
	o->paths[o->count] = look_escaped(u->hands[ARR_FILE]->path);
	return o->paths[o->count++] ? 0 : -ENOMEM;
}

static int start_again(struct umd_array *u, struct run_opening *o, const struct asm_options *options,
		       const uint32_t *devs, struct err *err)
{
	uint32_t member_of[ARR_MEMBERS_MAX];
	struct arr_status status;
	int rc = asm_start(o->looks, o->plan, options, o->image, o->image_bytes, &u->arr, &u->lineage, member_of, err);

	if (rc < 0)
		return rc;
	arr_get_status(u->arr, &status);
	for (uint32_t i = 0; i < status.member_count; i++) {
		run_hand_takes(u, i, o->hands[member_of[i]]);
		memcpy(u->device_uuids[i], o->looks[member_of[i]].sb.device_uuid, 16);
		att_dev(u->tree, devs[member_of[i]])->entry = i;
	}
	return 0;
}

/* The members stay the tree's, whatever comes of it. */
int run_open_again(struct umd_array *u, enum att_mode mode, struct err *err)
{
	struct asm_options options = { .is_readonly = mode == ATT_MODE_READONLY };
	uint32_t devs[ARR_MEMBERS_MAX] = { 0 };
	struct run_opening *o = mem_new(1, sizeof *o);
	int rc = o ? gather(u, o, devs) : -ENOMEM;

	if (rc == 0) {
		o->looks = mem_new(o->count, sizeof *o->looks);
		o->plan = mem_new(1, sizeof *o->plan);
	}
	if (rc < 0 || !o->looks || !o->plan)
		rc = err_set(err, -ENOMEM, "no memory");
	else if (mode == ATT_MODE_READ_AUTO)
		rc = err_set(err, -EOPNOTSUPP, "an array with superblocks starts active or readonly, not read-auto");
	if (rc == 0) {
		pthread_mutex_unlock(&u->lock);
		rc = run_opening_judge_again(o, &options, err);
		pthread_mutex_lock(&u->lock);
	}
	if (rc == 0)
		rc = start_again(u, o, &options, devs, err);
	if (o)
		memset(o->hands, 0, sizeof o->hands);
	run_opening_free(o);
	return rc;
}

void run_let_go(struct umd_array *u, uint32_t entry)
{
	u->hands[entry] = mbr_close(u->hands[entry]);
	u->paths[entry] = mem_free(u->paths[entry]);
}
