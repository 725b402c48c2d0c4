/* A clustered array is opened: options, the kind of engine, how members are locked, what the node is called.
 *
 * Which lock members get must be known before they are looked at under it, so that one look without any lock comes
 * first where no engine was named: a clustered array starts with dlm where corosync's cluster is the bitmap's, else it
 * is refused. What the look said is judged again under the locks, and once more under the token, when the slot is known
 * (run_opening_judge_again): only then nobody else changes superblocks.
 *
 * Left out: joining (cluster_life.c). */
#include "run/cluster.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "base/mem.h"
#include "look/look.h"

/* ---- options ---- */

static int check_options(const struct umd_open_options *o, struct err *err)
{
	if (o->cluster && strcmp(o->cluster, "local") && strcmp(o->cluster, "dlm"))
		return err_set(err, UMD_E_BAD_OPTION, "the engines of clusters are local and dlm, not \"%.40s\"",
			       o->cluster);
	if (o->readonly)
		return err_set(err, UMD_E_NOT_SUPPORTED, "read-only nodes are not supported: a clustered array is "
			       "served writable, or its members are looked at (umd examine, umd map)");
	if (o->bitmap)
		return err_set(err, UMD_E_BAD_OPTION, "--bitmap is for arrays whose bitmap is in a file: that of a "
			       "cluster is on its members");
	if (o->node && (!run_rundir_name_is_ok(o->node) || strlen(o->node) >= CLU_NODE_NAME_BYTES ||
			strchr(o->node, '@')))
		return err_set(err, UMD_E_BAD_NAME, "\"%.80s\" cannot be a node's name: 1 to %d of A-Z a-z 0-9 _ . : - "
			       "are, without a leading dot", o->node, CLU_NODE_NAME_BYTES - 1);
	return 0;
}

/* Options that only nodes have, given for an array that is none. */
static int check_alone(const struct umd_open_options *o, struct err *err)
{
	if (o->node || o->fail_without_quorum)
		return err_set(err, UMD_E_BAD_OPTION, "%s is for nodes of a cluster, and the array is not clustered",
			       o->node ? "--node" : "--fail-without-quorum");
	return 0;
}

/* ---- a look without locks ---- */

/* Without its own superblock, or of a level that is not mirrored by nodes: said by the judgement that follows. */
static bool is_clustered(const struct asm_member *look)
{
	return look->has_superblock && look->sb.level == 1 && look->has_bitmap &&
	       asm_bitmap_is_clustered(&look->bitmap);
}

/* True: *@ret_look says so. */
static bool peek(const char *const *members, size_t count, struct asm_member *ret_look)
{
	bool is = false;

	for (size_t i = 0; i < count && !is; i++) {
		struct member *m = NULL;

		if (mbr_open_look(members[i], &m, NULL) < 0)
			continue;
		memset(ret_look, 0, sizeof *ret_look);
		look_member(m, "", ret_look);
		is = is_clustered(ret_look);
		mbr_close(m);
	}
	return is;
}

static int choose_engine(const struct asm_member *look, struct err *err)
{
	struct err why = { 0 };
	char *shown;

	if (engine_dlm_is_here(look->bitmap.cluster_name, &why) == 0)
		return 0;
	shown = look_escaped(look->bitmap.cluster_name);
	err_set(err, UMD_E_NOT_SUPPORTED, "the array is clustered (cluster \"%.80s\", %u nodes) and is not started "
		"alone: --cluster=local starts it as a node of this host; --cluster=dlm is not possible now: %.300s",
		shown ? shown : "", look->bitmap.nodes, why.text[0] ? why.text : err_sentence(why.code));
	mem_free(shown);
	return err->code;
}

static int node_new(struct umd_array *u, const struct umd_open_options *o, bool is_dlm, struct err *err)
{
	struct run_cluster *c = mem_new(1, sizeof *c);

	if (!c)
		return err_set(err, -ENOMEM, "no memory");
	c->is_dlm = is_dlm;
	c->is_direct = o->direct || is_dlm;
	c->fails_without_quorum = o->fail_without_quorum;
	snprintf(c->node_name, sizeof c->node_name, "%s", o->node ?: "");
	pthread_mutex_lock(&u->lock);
	u->cluster = c;
	pthread_mutex_unlock(&u->lock);
	return 0;
}

int run_cluster_asked(struct umd_array *u, const struct umd_open_options *o, const char *const *members, size_t count,
		      struct err *err)
{
	struct asm_member *look;
	int rc = 0;

	if (o->cluster) {
		rc = check_options(o, err);
		return rc ? rc : node_new(u, o, !strcmp(o->cluster, "dlm"), err);
	}
	look = mem_new(1, sizeof *look);
	if (!look)
		return err_set(err, -ENOMEM, "no memory");
	if (peek(members, count, look)) {
		rc = check_options(o, err);
		if (rc == 0)
			rc = choose_engine(look, err);
		if (rc == 0)
			rc = node_new(u, o, true, err);
	} else {
		rc = check_alone(o, err);
	}
	mem_free(look);
	return rc;
}

enum mbr_lock run_cluster_lock(const struct run_cluster *c)
{
	return (enum mbr_lock)(MBR_LOCK_CLUSTERED | (c->is_direct ? MBR_DIRECT : 0) | (c->is_dlm ? MBR_ALONE_HERE : 0));
}

/* ---- judged ---- */

int run_cluster_take(struct umd_array *u, const struct run_opening *o, const struct asm_options *options,
		     struct err *err)
{
	struct run_cluster *c = u->cluster;
	const struct asm_member *ref = &o->looks[o->plan->freshest];
	const struct bitmap_sb *b = &o->looks[o->plan->bitmap_member].bitmap;

	if (!o->plan->has_bitmap || !asm_bitmap_is_clustered(b))
		return err_set(err, UMD_E_BAD_OPTION, "--cluster is for clustered arrays, and %s belongs to one with "
			       "%s bitmap: without --cluster it is served by this node alone", ref->path,
			       o->plan->has_bitmap ? "another kind of" : "no");
	c->nodes = b->nodes;
	memcpy(c->cluster_name, b->cluster_name, sizeof c->cluster_name);
	c->judge = *options;
	if (options->prefer) {
		c->prefer = mem_new(1, strlen(options->prefer) + 1);
		if (!c->prefer)
			return err_set(err, -ENOMEM, "no memory");
		c->judge.prefer = strcpy(c->prefer, options->prefer);
	}
	u->level = ref->sb.level;
	memcpy(u->uuid, ref->sb.set_uuid, sizeof u->uuid);
	memcpy(u->name, ref->sb.set_name, sizeof u->name);
	return 0;
}

/* ---- the run-time name: NAME@NODE ---- */

static int claim(struct umd_array *u, const char *name, const char *node, struct err *err)
{
	char full[2 * CLU_NODE_NAME_BYTES];
	struct run_rundir_wish wish = { .name = full };

	snprintf(full, sizeof full, "%.*s@%s", 63 - (int)strlen(node), name, node);
	return run_rundir_claim(&wish, &u->rundir, err);
}

/* Local nodes of this host are n1, n2, ... */
static int claim_numbered(struct umd_array *u, const char *name, struct err *err)
{
	struct run_cluster *c = u->cluster;
	int rc = UMD_E_NAME_IN_USE;

	for (int i = 1; rc == UMD_E_NAME_IN_USE && i <= CLU_NODES_MAX; i++) {
		snprintf(c->node_name, sizeof c->node_name, "n%d", i);
		rc = claim(u, name, c->node_name, err);
	}
	return rc;
}

/* The host's own name, as corosync.conf has it as a rule. */
static void name_after_host(struct run_cluster *c)
{
	struct utsname host;

	snprintf(c->node_name, sizeof c->node_name, "node");
	if (uname(&host) == 0 && run_rundir_name_is_ok(host.nodename) && !strchr(host.nodename, '@'))
		snprintf(c->node_name, sizeof c->node_name, "%.62s", host.nodename);
}

int run_cluster_take_name(struct umd_array *u, const char *wanted, const char *name, struct err *err)
{
	struct run_cluster *c = u->cluster;
	char uuid[36];

	fmt_uuid_text(u->uuid, uuid);
	if (wanted && !run_rundir_name_is_ok(wanted))
		return run_rundir_claim(&(struct run_rundir_wish){ .name = wanted }, &u->rundir, err);
	name = wanted ?: run_rundir_name_is_ok(name) ? name : uuid;
	if (!c->node_name[0] && !c->is_dlm)
		return claim_numbered(u, name, err);
	if (!c->node_name[0])
		name_after_host(c);
	return claim(u, name, c->node_name, err);
}

/* ---- the engine ---- */

/* The usable member with the lowest number from @from on; false: there is none. */
static bool next_number(const struct run_opening *o, uint64_t from, uint64_t *ret_number, uint32_t *ret_at)
{
	bool is_found = false;

	for (uint32_t i = 0; i < o->count; i++) {
		const struct asm_member *look = &o->looks[i];

		if (!look->has_superblock || look->error.code || o->plan->verdicts[i] == ASM_FOREIGN ||
		    look->sb.dev_number < from || (is_found && look->sb.dev_number >= *ret_number))
			continue;
		is_found = true;
		*ret_number = look->sb.dev_number;
		*ret_at = i;
	}
	return is_found;
}

/* Members as the engine locks them, in the order of their numbers. It finds out when one was closed since. */
static uint32_t gather_fds(const struct run_opening *o, int ret_fds[ARR_MEMBERS_MAX])
{
	uint32_t count = 0, i;

	for (uint64_t number = 0; next_number(o, number, &number, &i); number++)
		ret_fds[count++] = o->hands[i]->fd;
	return count;
}

/* The place of local engines, beside the arrays' own. */
static int make_directory(char **ret_path, struct err *err)
{
	struct text t = { 0 };
	char *root = NULL;
	int rc = run_rundir_path("", "", true, &root, err);

	if (rc < 0)
		return rc;
	text_add(&t, "%s/cluster", root);
	mem_free(root);
	*ret_path = text_take(&t);
	if (!*ret_path)
		return err_set(err, -ENOMEM, "no memory for a path");
	if (mkdir(*ret_path, 0700) == 0 || errno == EEXIST)
		return 0;
	rc = err_set(err, -errno, "cannot make the cluster's directory %s: %s", *ret_path, strerror(errno));
	*ret_path = mem_free(*ret_path);
	return rc;
}

/* Whoever keeps the server passes it on. */
static void note(void *opaque, const char *sentence)
{
	fprintf(stderr, "%s\n", sentence);
}

int run_cluster_open_engine(struct umd_array *u, struct err *err)
{
	struct run_cluster *c = u->cluster;
	struct engine_config config = { .nodes = c->nodes, .deliver = run_cluster_deliver, .note = note,
					.opaque = u };
	struct engine *engine = NULL;
	int fds[ARR_MEMBERS_MAX], rc = 0;
	char *directory = NULL;

	memcpy(config.uuid, u->uuid, sizeof config.uuid);
	snprintf(config.cluster_name, sizeof config.cluster_name, "%s", c->cluster_name);
	snprintf(config.node_name, sizeof config.node_name, "%s", c->node_name);
	config.member_fds = fds;
	config.member_count = gather_fds(c->opening, fds);
	if (!c->is_dlm)
		rc = make_directory(&directory, err);
	config.directory = directory;
	if (rc == 0)
		rc = c->is_dlm ? engine_open_dlm(&config, &engine, err) : engine_open_local(&config, &engine, err);
	mem_free(directory);
	if (rc < 0)
		return rc;
	c->engine = engine;
	return 0;
}

void run_cluster_let_go(struct umd_array *u, const struct member *m)
{
	struct engine *e = u->cluster ? u->cluster->engine : NULL;

	if (m && e && e->ops->forget)
		e->ops->forget(e, m->fd);
}

struct run_cluster *run_cluster_free(struct run_cluster *c)
{
	if (!c)
		return NULL;
	run_opening_free(c->opening);
	mem_free(c->prefer);
	return mem_free(c);
}
