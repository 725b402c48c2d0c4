/* What corosync's settings say: the cluster's name, and how soon a silent node is given up.
 *
 * The name is asked before anything else: an array that another cluster uses as well, on the same storage, must not be
 * started in this one. The token's time bounds the lease of writers (engine_dlm_ring.c); it is the one in force, which
 * corosync makes longer than the configured one in clusters of more than two nodes. A changed corosync.conf that is
 * read again (corosync-cfgtool -R) changes it under us, and so does a node that the list of nodes gets: it is followed.
 *
 * Left out: everything else in corosync.conf; docs/cluster.md says what should be there. */
#include "engine/engine_dlm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/* MIN is corosync's own; a lease must not be longer than the token, whatever that is. */
enum { TOKEN_MS_DEFAULT = 1000, TOKEN_MS_MIN = 30, SHOWN_BYTES = 120 };
static const char token_key[] = "runtime.config.totem.token";

int engine_dlm_refuse_corosync(struct err *err, const char *what, cs_error_t rc)
{
	if (rc == CS_ERR_ACCESS)
		return err_set(err, -EACCES, "corosync does not let us %s; nothing was written; root, or a user named "
			       "in /etc/corosync/uidgid.d, would go on", what);
	if (rc == CS_ERR_LIBRARY || rc == CS_ERR_NOT_EXIST)
		return err_set(err, -ENOTCONN, "corosync does not answer on this node, so that we cannot %s; nothing "
			       "was written", what);
	return err_set(err, -EIO, "we cannot %s: corosync says %s; nothing was written", what, cs_strerror(rc));
}

/* Names come from superblocks, and sentences go to terminals. */
static const char *shown(const char *name, char ret[SHOWN_BYTES])
{
	struct text t = { 0 };
	char *escaped;

	text_add_escaped(&t, name, strlen(name));
	escaped = text_take(&t);
	text_fit(ret, SHOWN_BYTES, "%s", escaped ? escaped : "");
	mem_free(escaped);
	return ret;
}

static int check_name(cmap_handle_t cmap, const char *wanted, struct err *err)
{
	char *name = NULL, ours[SHOWN_BYTES], theirs[SHOWN_BYTES];
	cs_error_t rc = cmap_get_string(cmap, "totem.cluster_name", &name);
	int code = 0;

	if (rc == CS_ERR_NOT_EXIST)
		return err_set(err, UMD_E_FOREIGN_MEMBER, "the array belongs to cluster \"%s\", corosync on this "
			       "node runs one without a name (totem.cluster_name); nothing was written",
			       shown(wanted, ours));
	if (rc != CS_OK)
		return engine_dlm_refuse_corosync(err, "read the cluster's name", rc);
	if (strcmp(name, wanted) != 0)
		code = err_set(err, UMD_E_FOREIGN_MEMBER, "the array belongs to cluster \"%s\", corosync on this "
			       "node runs \"%s\"; nothing was written", shown(wanted, ours), shown(name, theirs));
	free(name);
	return code;
}

static uint32_t sane(uint32_t token_ms)
{
	return token_ms < TOKEN_MS_MIN ? TOKEN_MS_MIN : token_ms;
}

static uint32_t read_token(cmap_handle_t cmap)
{
	uint32_t token_ms;

	return cmap_get_uint32(cmap, token_key, &token_ms) == CS_OK ? sane(token_ms) : TOKEN_MS_DEFAULT;
}

/* A time that is no number of 32 bits, or is gone: the shortest that anybody is known to start with. */
static void token_changed(cmap_handle_t cmap, cmap_track_handle_t track, int32_t event, const char *key,
			  struct cmap_notify_value now, struct cmap_notify_value before, void *opaque)
{
	uint32_t token_ms = TOKEN_MS_DEFAULT;

	if (event != CMAP_TRACK_DELETE && now.type == CMAP_VALUETYPE_UINT32 && now.len == sizeof token_ms)
		memcpy(&token_ms, now.data, sizeof token_ms);
	engine_dlm_token_changed(opaque, sane(token_ms));
}

/* Followed before it is read: a change in between is heard of. */
int engine_dlm_settings_open(struct engine_dlm *d, struct err *err)
{
	cmap_track_handle_t track;
	cs_error_t rc = cmap_initialize(&d->cmap);
	int code;

	if (rc != CS_OK)
		return engine_dlm_refuse_corosync(err, "read the cluster's name", rc);
	code = check_name(d->cmap, d->config.cluster_name, err);
	if (code < 0)
		return code;
	rc = cmap_track_add(d->cmap, token_key, CMAP_TRACK_ADD | CMAP_TRACK_DELETE | CMAP_TRACK_MODIFY, token_changed,
			    d, &track);
	if (rc != CS_OK)
		return engine_dlm_refuse_corosync(err, "follow the token's timeout", rc);
	d->token_ms = d->lease_ms = read_token(d->cmap);
	return 0;
}

int engine_dlm_is_here(const char *cluster_name, struct err *err)
{
	cmap_handle_t cmap;
	cs_error_t rc = cmap_initialize(&cmap);
	int code;

	if (rc != CS_OK)
		return engine_dlm_refuse_corosync(err, "read the cluster's name", rc);
	code = check_name(cmap, cluster_name, err);
	cmap_finalize(cmap);
	return code;
}
