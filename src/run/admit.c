/* Members come and go by command: fail, remove, add, re-add.
 *
 * A path names a member by the file it leads to. To add one the caller opens it with the caller's own rights and
 * hands the descriptor over; the server opens nothing that a client names. A faulty member that still sits in
 * the table is removed first, since it holds its own lock. Files are looked up, opened, erased and closed without the
 * array's lock.
 *
 * One that becomes a new device loses every superblock of an earlier life first, durably: an old one must not be
 * believed by a start after a cut (I2). The order: decided, recorded that it is away, decided, erased and flushed,
 * looked at, decided, joined. */
#include "run/cluster.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "look/look.h"
#include "run/apart.h"
#include "run/blank.h"
#include "run/hand.h"
#include "run/wipe.h"

#define TAKE_FD(fd) __extension__({ int taken_ = (fd); (fd) = -1; taken_; })

static void answer(struct text *reply, const char *sentence)
{
	json_open(reply, NULL, '{');
	json_str(reply, "sentence", sentence);
	json_close(reply, '}');
}

/* What a client names. */
struct named {
	const char *path;
	bool is_there;
	struct stat st;
};

/* Without the lock: the path may lead to a file system that hangs. */
static struct named name_of(const char *path)
{
	struct named n = { .path = path };

	n.is_there = stat(path, &n.st) == 0;
	return n;
}

static bool is_same_file(const struct member *m, const struct named *n)
{
	struct stat st;

	if (!strcmp(m->path, n->path))
		return true;
	return n->is_there && fstat(m->fd, &st) == 0 && st.st_dev == n->st.st_dev && st.st_ino == n->st.st_ino &&
	       st.st_rdev == n->st.st_rdev;
}

/* Its entry in the member table, ARR_MEMBERS_MAX when there is none. Under the lock. */
static uint32_t find_entry(const struct umd_array *u, const struct named *n)
{
	for (uint32_t i = 0; i < ARR_MEMBERS_MAX; i++)
		if (u->hands[i] && is_same_file(u->hands[i], n))
			return i;
	return ARR_MEMBERS_MAX;
}

static bool find_or_refuse(struct umd_array *u, const struct named *n, uint32_t *ret_entry, struct text *reply)
{
	struct err err;
	char *escaped;

	*ret_entry = find_entry(u, n);
	if (*ret_entry < ARR_MEMBERS_MAX)
		return true;
	escaped = look_escaped(n->path);
	err_set(&err, UMD_E_MEMBER_UNKNOWN, "%s is not a member of array %s", escaped ? escaped : "it",
		run_rundir_name(u->rundir));
	mem_free(escaped);
	run_control_refuse(reply, &err);
	return false;
}

/* What a command changed is on disk before its caller is told, and every other node knows, unless nothing can be
 * recorded any more. Under the lock. 0, or a node is leaving before that. */
static int wait_recorded(struct umd_array *u, struct err *err)
{
	struct arr_status s;

	for (;;) {
		arr_get_status(u->arr, &s);
		if (s.is_recorded || s.is_broken || s.is_readonly)
			return 0;
		if (u->cluster && run_cluster_is_over(u))
			return err_set(err, UMD_E_STOPPING, "it is so on this node alone, which is leaving the "
				       "cluster: not every other node has acknowledged it");
		pthread_cond_wait(&u->changed, &u->lock);
	}
}

/* "/a/b is faulty: ..." or the refusal with the path in front. */
static void reply_with(struct text *reply, int rc, struct err *err, const char *path, const char *what)
{
	char sentence[ERR_TEXT_BYTES];

	if (rc < 0) {
		struct err full;

		err_set(&full, rc, "%s: %s", path, err->text);
		run_control_refuse(reply, &full);
		return;
	}
	text_fit(sentence, sizeof sentence, "%s %s", path, what);
	answer(reply, sentence);
}

void run_command_fail(struct umd_array *u, const char *path, struct text *reply)
{
	struct err err = { 0 };
	struct arr_event ev = { .kind = ARR_EV_FAIL, .err = &err };
	struct named named = name_of(path);

	pthread_mutex_lock(&u->lock);
	if (find_or_refuse(u, &named, &ev.member, reply)) {
		run_step(u, &ev);
		if (ev.rc == 0)
			ev.rc = wait_recorded(u, &err);
		reply_with(reply, ev.rc, &err, u->paths[ev.member], "is faulty now and no longer written");
	}
	pthread_mutex_unlock(&u->lock);
}

/* A closed member may write back for long; the array goes on meanwhile. One that hangs must not keep a node from other
 * nodes' mail. */
static void close_unlocked(struct umd_array *u, uint32_t entry)
{
	struct member *m = TAKE(u->hands[entry]);
	char *path = TAKE(u->paths[entry]);

	run_cluster_let_go(u, m);
	pthread_mutex_unlock(&u->lock);
	if (u->cluster)
		run_close_apart(m);
	else
		mbr_close(m);
	mem_free(path);
	pthread_mutex_lock(&u->lock);
}

void run_take_away(struct umd_array *u, uint32_t entry)
{
	asm_forget(u->lineage, entry);
	run_tree_remove(u, entry);
	close_unlocked(u, entry);
}

/* A member joins or leaves. That waits while superblocks are read again, since a node has died in the middle of ours:
 * nobody else has the token then, but what it left is not known yet. Under the lock, which is left meanwhile. */
static int step_member(struct umd_array *u, struct arr_event *ev)
{
	struct arr_status s;

	for (;;) {
		run_step(u, ev);
		arr_get_status(u->arr, &s);
		if (ev->rc != -EAGAIN && !(ev->rc == -EBUSY && s.is_reloading))
			return ev->rc;
		if (u->cluster && run_cluster_is_over(u))
			return err_set(ev->err, UMD_E_STOPPING, "this node is leaving the cluster: nothing is changed "
				       "any more");
		pthread_cond_wait(&u->changed, &u->lock);
	}
}

/* Other nodes let go of what may leave here; what may not is refused here alone. */
static int tell_remove(struct umd_array *u, uint32_t entry, struct err *err)
{
	struct arr_status s;

	arr_get_status(u->arr, &s);
	if (s.members[entry].state != ARR_M_FAULTY && s.members[entry].state != ARR_M_SPARE)
		return 0;
	return run_cluster_tell_remove(u, s.members[entry].dev_number, err);
}

/* Under the lock, which is left while I/O on the member ends and while it is closed. */
static int remove_entry(struct umd_array *u, uint32_t entry, struct err *err)
{
	struct arr_event ev = { .kind = ARR_EV_REMOVE, .member = entry, .err = err };
	int rc = tell_remove(u, entry, err);

	if (rc < 0)
		return rc;
	rc = step_member(u, &ev);
	if (rc < 0)
		return rc;
	run_take_away(u, entry);
	return wait_recorded(u, err);
}

static int remove_alone(struct umd_array *u, uint32_t entry, struct err *err)
{
	int rc = run_cluster_begin_change(u, err);

	if (rc < 0)
		return rc;
	rc = remove_entry(u, entry, err);
	run_cluster_end_change(u);
	return rc;
}

void run_command_remove(struct umd_array *u, const char *path, struct text *reply)
{
	struct err err = { 0 };
	struct named named = name_of(path);
	uint32_t entry;

	pthread_mutex_lock(&u->lock);
	if (find_or_refuse(u, &named, &entry, reply)) {
		char *escaped = mem_new(1, strlen(u->paths[entry]) + 1);

		if (escaped)
			strcpy(escaped, u->paths[entry]);
		reply_with(reply, remove_alone(u, entry, &err), &err, escaped ? escaped : "it", "is removed");
		mem_free(escaped);
	}
	pthread_mutex_unlock(&u->lock);
}

/* ---- add, re-add ---- */

/* Somebody who wants to join. */
struct joining {
	struct member *m;
	struct asm_member *look;
	char *path;			/* escaped */
	enum asm_admission how;
	uint8_t uuid[16];		/* should it become a new device */
	bool is_write_mostly;		/* whatever its superblock says */
	bool is_known;			/* it is device .dev of the tree */
	uint32_t dev;
	struct arr_member entry;
	char *sentence;			/* 256 bytes */
};

/* Under the lock. */
static int decide(struct umd_array *u, struct joining *j, struct err *err)
{
	int rc = asm_admit(u->lineage, u->arr, j->look, j->how, j->uuid, &j->entry, j->sentence, err);

	j->entry.is_write_mostly |= j->is_write_mostly;
	return rc;
}

static bool is_new_device(const struct joining *j)
{
	return j->entry.state == ARR_M_SPARE;
}

/* Without the lock: nothing that was on it can come back, and it is looked at as what it is now. */
static int erase(struct umd_array *u, struct joining *j, struct err *err)
{
	int rc;

	if (!run_cluster_may_prepare(u))
		return run_cluster_refuse_to_prepare(err);
	rc = run_wipe_superblocks(j->m, j->path, err);
	if (rc == 0)
		look_member(j->m, j->path, j->look);
	return rc;
}

/* Under the lock, which is left while the member is erased: whether it may join is asked before that, so that a refused
 * one keeps every byte, and after it, since the array went on. Who is no longer among the members is on record by then:
 * if the power fails now, nobody waits for it. */
static int prepare(struct umd_array *u, struct joining *j, struct err *err)
{
	int rc = decide(u, j, err);

	if (rc < 0 || !is_new_device(j))
		return rc;
	rc = wait_recorded(u, err);
	if (rc == 0)
		rc = decide(u, j, err);
	if (rc < 0 || !is_new_device(j))
		return rc;
	pthread_mutex_unlock(&u->lock);
	rc = erase(u, j, err);
	pthread_mutex_lock(&u->lock);
	return rc < 0 ? rc : decide(u, j, err);
}

/* Who saw it before somebody did not lets go of it again, and so does the disk of what it was to be; not when we are
 * counted out: others may go on with it. */
static void take_back(struct umd_array *u, struct joining *j)
{
	struct err ignored = { 0 };

	run_cluster_tell_remove(u, j->entry.dev_number, &ignored);
	if (!is_new_device(j))
		return;
	pthread_mutex_unlock(&u->lock);
	if (run_cluster_may_prepare(u))
		run_wipe_superblocks(j->m, j->path, &ignored);
	pthread_mutex_lock(&u->lock);
}

/* Under the lock, which is left meanwhile: every other node must see it before it is a member anywhere. */
static int ask_others(struct umd_array *u, struct joining *j, struct err *err)
{
	bool is_new = is_new_device(j);
	struct err why = { 0 };
	int rc = run_cluster_write_candidate(u, j->m, &j->entry, &why);

	if (rc == 0)
		rc = run_cluster_tell_add(u, is_new ? CLU_M_NEWDISK : CLU_M_RE_ADD, j->entry.dev_number,
					  is_new ? j->uuid : j->look->sb.device_uuid, j->m->path, &why);
	if (rc == 0)
		return 0;
	take_back(u, j);
	return err_set(err, rc, "%.250s does not join, which every node must see: %s", j->path, why.text);
}

/* Under the lock. */
static int join(struct umd_array *u, struct joining *j, struct err *err)
{
	struct arr_event ev = { .kind = ARR_EV_ADD, .new_member = &j->entry, .reason = j->sentence, .err = err };
	int rc = prepare(u, j, err);

	if (rc == 0 && u->cluster)
		rc = ask_others(u, j, err);
	if (rc < 0)
		return rc;

	/* The event may give out jobs for the new entry at once; the array's thread takes them only after the lock. */
	rc = step_member(u, &ev);
	if (rc < 0 && u->cluster)
		take_back(u, j);
	if (rc < 0)
		return rc;
	asm_admitted(u->lineage, ev.ret_member);
	u->hands[ev.ret_member] = j->m;
	u->paths[ev.ret_member] = j->path;
	memcpy(u->device_uuids[ev.ret_member], is_new_device(j) ? j->uuid : j->look->sb.device_uuid, 16);
	/* A tree without room does not know the member: that is no reason to refuse what has joined. */
	if (j->is_known)
		att_dev(u->tree, j->dev)->entry = ev.ret_member;
	else
		run_tree_add(u, ev.ret_member, j->look);
	return 0;
}

void run_forget(struct umd_array *u, uint32_t entry)
{
	if (u->lineage)
		asm_forget(u->lineage, entry);
}

/* Its place is free, its superblock was looked at. The member is its device's, and stays open when it is refused. */
static int join_device(struct umd_array *u, uint32_t dev, struct joining *j, struct err *err)
{
	int rc = join(u, j, err);

	if (rc < 0) {
		mem_free(j->path);
		att_dev(u->tree, dev)->entry = ARR_MEMBERS_MAX;
	} else {
		rc = wait_recorded(u, err);
	}
	return rc;
}

int run_readd(struct umd_array *u, uint32_t dev, struct err *err)
{
	uint32_t entry = att_dev(u->tree, dev)->entry;
	char sentence[256] = "";
	struct joining j = { .how = ASM_ADMIT_READD, .sentence = sentence, .dev = dev, .is_known = true };
	int rc = 0;

	j.m = att_dev(u->tree, dev)->hand;
	j.path = look_escaped(j.m->path);
	j.look = mem_new(1, sizeof *j.look);
	if (!j.path || !j.look)
		rc = err_set(err, -ENOMEM, "no memory");
	if (rc == 0 && entry < ARR_MEMBERS_MAX)
		rc = run_hand_take_out(u, entry, err);
	if (rc == 0) {
		pthread_mutex_unlock(&u->lock);
		look_member(j.m, j.path, j.look);
		pthread_mutex_lock(&u->lock);
		rc = join_device(u, dev, &j, err);
	} else {
		mem_free(j.path);
	}
	mem_free(j.look);
	return rc;
}

/* A faulty entry of the same file gives way. */
static int make_way(struct umd_array *u, const struct named *named, struct err *err)
{
	uint32_t entry = find_entry(u, named);
	struct arr_status s;

	if (entry == ARR_MEMBERS_MAX)
		return 0;
	arr_get_status(u->arr, &s);
	if (s.members[entry].state != ARR_M_FAULTY)
		return err_set(err, UMD_E_MEMBER_STATE, "%s already is a member and %s", u->paths[entry],
			       arr_member_state_name(s.members[entry].state));
	return remove_entry(u, entry, err);
}

/* Open and look, without the lock. */
static int look_at(const struct umd_array *u, const char *path, const char *escaped, int fd, bool force,
		   struct member **ret_member, struct asm_member *look, struct err *err)
{
	enum mbr_lock alone = (enum mbr_lock)(MBR_LOCK_EXCLUSIVE | (u->is_direct ? MBR_DIRECT : 0));
	int rc = mbr_open(path, fd, u->cluster ? run_cluster_lock(u->cluster) : alone, ret_member, err);

	if (rc < 0)
		return rc;
	look_member(*ret_member, escaped, look);
	return look->has_superblock || force ? 0 : run_member_is_blank(*ret_member, escaped, err);
}

static int join_and_record(struct umd_array *u, struct joining *j, struct err *err)
{
	int rc = run_cluster_know_cleared(u, err);

	if (rc == 0)
		rc = join(u, j, err);
	return rc ? rc : wait_recorded(u, err);
}

static int add(struct umd_array *u, const char *path, int fd, bool force, struct joining *j, struct err *err)
{
	struct named named = name_of(path);
	bool has_begun = false;
	int rc = 0;

	j->look = mem_new(1, sizeof *j->look);
	if (!j->look)
		rc = err_set(err, -ENOMEM, "no memory");
	else if (getrandom(j->uuid, sizeof j->uuid, 0) != sizeof j->uuid)
		rc = err_set(err, -errno, "no random numbers for a device uuid");
	if (rc == 0) {
		pthread_mutex_lock(&u->lock);
		rc = run_cluster_begin_change(u, err);
		has_begun = rc == 0;
		if (rc == 0)
			rc = make_way(u, &named, err);
		pthread_mutex_unlock(&u->lock);
	}
	if (rc == 0)
		rc = look_at(u, path, j->path, TAKE_FD(fd), force, &j->m, j->look, err);
	pthread_mutex_lock(&u->lock);
	if (rc == 0)
		rc = join_and_record(u, j, err);
	if (has_begun)
		run_cluster_end_change(u);
	pthread_mutex_unlock(&u->lock);
	if (rc < 0)
		mbr_close(j->m);
	if (fd >= 0)
		close(fd);
	mem_free(j->look);
	return rc;
}

void run_command_add(struct umd_array *u, const char *path, int fd, enum asm_admission how, bool force,
		     bool write_mostly, struct text *reply)
{
	struct err err = { 0 };
	char sentence[256] = "", *escaped = look_escaped(path);
	struct joining j = { .path = escaped, .how = how, .sentence = sentence, .is_write_mostly = write_mostly };
	int rc;

	fd = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
	if (fd < 0 || !escaped) {
		rc = err_set(&err, -EINVAL, "a member to be added comes as an open descriptor; none came along");
	} else {
		rc = add(u, path, fd, force, &j, &err);
	}
	if (rc < 0) {
		run_control_refuse(reply, &err);
		mem_free(escaped);
	} else {
		answer(reply, sentence);
	}
}
