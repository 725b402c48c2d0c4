/* The nbdkit plugin: NBD requests become calls of libumd, and nothing else happens here.
 *
 *	config ... | get_ready: open, lock, judge members | fork, privileges | after_fork: threads, superblocks, control
 *	socket | requests, many at a time | cleanup: stop, clean superblock, let go
 *
 * nbdkit forks between get_ready and after_fork: threads made earlier would vanish, while locks stay. The close of a
 * connection is not always called, so nothing that matters for the disk depends on it. Paths are made absolute at
 * once, since a server in the background has another working directory. nbdkit enforces no block size; the array takes
 * any byte range. Clients get only error numbers that survive the protocol: any other would arrive as EINVAL.
 *
 * Left out: extents (the client takes all as data), fast zero (a member that cannot punch is written zeroes). */
#define NBDKIT_API_VERSION 2
#define THREAD_MODEL NBDKIT_THREAD_MODEL_PARALLEL
#include <nbdkit-plugin.h>

#include "plugin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK_BYTES_MIN = 512, BLOCK_BYTES_PREFERRED = 4096, BLOCK_BYTES_MAX = 32 << 20 };

static struct {
	char **members;
	size_t member_count;
	char *name, *prefer, *bitmap, *cluster, *node;
	struct umd_open_options options;
	struct umd_array *array;
} umd;

/* ---- configuration ---- */

static int add_member(const char *value)
{
	char **grown = realloc(umd.members, (umd.member_count + 1) * sizeof *grown);

	if (!grown) {
		nbdkit_error("no memory for the list of members");
		return -1;
	}
	umd.members = grown;
	umd.members[umd.member_count] = nbdkit_absolute_path(value);
	if (!umd.members[umd.member_count])
		return -1;
	umd.member_count++;
	return 0;
}

static int set_text(char **place, char *value)
{
	if (!value)
		return -1;
	free(*place);
	*place = value;
	return 0;
}

static int set_bool(bool *place, const char *value)
{
	int parsed = nbdkit_parse_bool(value);

	if (parsed >= 0)
		*place = parsed;
	return parsed < 0 ? -1 : 0;
}

static int set_report_fd(const char *value)
{
	int fd;

	if (nbdkit_parse_int("report-fd", value, &fd) < 0)
		return -1;
	report_init(fd);
	return 0;
}

static int plugin_config(const char *key, const char *value)
{
	if (!strcmp(key, "member"))
		return add_member(value);
	if (!strcmp(key, "name"))
		return set_text(&umd.name, strdup(value));
	if (!strcmp(key, "prefer"))
		return set_text(&umd.prefer, nbdkit_absolute_path(value));
	if (!strcmp(key, "bitmap"))
		return set_text(&umd.bitmap, strcmp(value, "none") ? nbdkit_absolute_path(value) : strdup(value));
	if (!strcmp(key, "readonly"))
		return set_bool(&umd.options.readonly, value);
	if (!strcmp(key, "run"))
		return set_bool(&umd.options.run, value);
	if (!strcmp(key, "inactive"))
		return set_bool(&umd.options.inactive, value);
	if (!strcmp(key, "cluster"))
		return set_text(&umd.cluster, strdup(value));
	if (!strcmp(key, "node"))
		return set_text(&umd.node, strdup(value));
	if (!strcmp(key, "direct"))
		return set_bool(&umd.options.direct, value);
	if (!strcmp(key, "fail-without-quorum"))
		return set_bool(&umd.options.fail_without_quorum, value);
	if (!strcmp(key, "report-fd"))
		return set_report_fd(value);
	nbdkit_error("unknown parameter \"%s\"; member, name, bitmap, readonly, run, prefer, inactive, cluster, node, "
		     "direct and fail-without-quorum are known", key);
	return -1;
}

static int plugin_config_complete(void)
{
	umd.options.name = umd.name;
	umd.options.prefer = umd.prefer;
	umd.options.bitmap = umd.bitmap;
	umd.options.cluster = umd.cluster;
	umd.options.node = umd.node;
	if (umd.member_count || umd.options.inactive)
		return 0;
	nbdkit_error("no member was given: member=PATH, once for each");
	return -1;
}

#define CONFIG_HELP \
	"member=PATH                  A file or block device of the array; once for each member, at least once.\n" \
	"name=NAME                    Run-time name; default: the superblock's.\n" \
	"readonly=BOOL                No byte of any member changes.\n" \
	"run=BOOL                     Start also when a member is missing that the others believe active.\n" \
	"bitmap=PATH|none             The file that holds the array's bitmap; none: start without it.\n" \
	"prefer=PATH                  The member whose story wins when histories have forked.\n" \
	"inactive=BOOL                No members: the array is set up by attributes (umd set); needs name.\n" \
	"cluster=ENGINE               local or dlm: a clustered array, as one of its nodes.\n" \
	"node=NAME                    This node's name; the array is then NAME@NODE.\n" \
	"direct=BOOL                  Members past the page cache.\n" \
	"fail-without-quorum=BOOL     Clients get EIO while there is no quorum, instead of waiting."

/* ---- start and end ---- */

/* The user hears it once: from `umd serve`, or from nbdkit where there is none. */
static int refuse(const struct umd_error *error)
{
	if (report_is_on())
		report("error", error->text);
	else
		nbdkit_error("%s", error->text);
	umd_array_close(umd.array);
	umd.array = NULL;
	return -1;
}

static int plugin_get_ready(void)
{
	struct umd_error error = { 0 };

	if (umd_array_open((const char *const *)umd.members, umd.member_count, &umd.options, &umd.array, &error) < 0)
		return refuse(&error);
	if (report_and_wait("opened", umd_array_name(umd.array)))
		return 0;
	umd_array_close(umd.array);
	umd.array = NULL;
	return -1;
}

static void shut_down(void *opaque)
{
	nbdkit_shutdown();
}

/* Nothing can end a thread that the kernel holds; the keeper does not wait for it. */
static void end_now(void *opaque, const char *sentence)
{
	if (report_is_on())
		report("error", sentence);
	else
		nbdkit_error("%s", sentence);
	report("closed", "-");
	_exit(EXIT_FAILURE);
}

static int plugin_after_fork(void)
{
	struct umd_error error = { 0 };
	int rc;

	stop_note_listeners();
	umd_array_on_stop(umd.array, shut_down, NULL);
	umd_array_on_overdue(umd.array, end_now, NULL);
	/* Before the start, which may wait for a cluster: it hears of the end as well. */
	rc = stop_watch_start(umd.array);
	if (rc < 0) {
		snprintf(error.text, sizeof error.text, "cannot start a thread: %s", strerror(-rc));
		return refuse(&error);
	}
	if (umd_array_start(umd.array, &error) < 0) {
		stop_watch_abandon();
		return refuse(&error);
	}
	report("ready", umd_array_name(umd.array));
	return 0;
}

/* One that ended by itself has a reason; others were told to. */
static void say_why(void)
{
	struct umd_error error = { 0 };

	if (!umd.array || umd_array_why_ended(umd.array, &error) == 0)
		return;
	if (report_is_on())
		report("error", error.text);
	else
		nbdkit_error("%s", error.text);
}

static void plugin_cleanup(void)
{
	stop_watch_end();
	if (umd.array)
		report_and_wait("closing", umd_array_name(umd.array));
	say_why();
	if (umd_array_close(umd.array) < 0)
		nbdkit_error("the array could not be closed cleanly: the next start will resync");
	umd.array = NULL;
	report("closed", "-");
}

static void plugin_unload(void)
{
	umd_array_close(umd.array);
	for (size_t i = 0; i < umd.member_count; i++)
		free(umd.members[i]);
	free(umd.members);
	free(umd.name);
	free(umd.prefer);
	free(umd.bitmap);
	free(umd.cluster);
	free(umd.node);
}

/* ---- connections ---- */

static int plugin_list_exports(int readonly, int is_tls, struct nbdkit_exports *exports)
{
	return nbdkit_add_export(exports, umd_array_name(umd.array), "md mirror");
}

static const char *plugin_default_export(int readonly, int is_tls)
{
	return umd_array_name(umd.array);
}

static void *plugin_open(int readonly)
{
	const char *wanted = nbdkit_export_name();

	if (wanted && wanted[0] && strcmp(wanted, umd_array_name(umd.array))) {
		nbdkit_error("a client asked for another export than \"%s\"", umd_array_name(umd.array));
		nbdkit_set_error(ENOENT);
		return NULL;
	}
	if (umd_array_attach(umd.array) < 0) {
		nbdkit_error("\"%s\" does not run", umd_array_name(umd.array));
		nbdkit_set_error(ESHUTDOWN);
		return NULL;
	}
	stop_count_client(1);
	return NBDKIT_HANDLE_NOT_NEEDED;
}

static void plugin_close(void *handle)
{
	umd_array_detach(umd.array);
	stop_count_client(-1);
}

static int64_t plugin_get_size(void *handle)
{
	return (int64_t)umd_array_size(umd.array);
}

static int can_write(void *handle)
{
	return !umd_array_is_readonly(umd.array);
}

static int yes(void *handle)
{
	return 1;
}

static int no(void *handle)
{
	return 0;
}

static int plugin_can_fua(void *handle)
{
	return NBDKIT_FUA_NATIVE;
}

static int plugin_block_size(void *handle, uint32_t *minimum, uint32_t *preferred, uint32_t *maximum)
{
	*minimum = BLOCK_BYTES_MIN;
	*preferred = BLOCK_BYTES_PREFERRED;
	*maximum = BLOCK_BYTES_MAX;
	return 0;
}

/* ---- requests ---- */

static int errno_for_client(int rc)
{
	switch (-rc) {
	case EIO:
	case ENOSPC:
	case ENOMEM:
	case EINVAL:
	case EPERM:
	case ESHUTDOWN:
		return -rc;
	case EROFS:
		return EPERM;
	default:
		return EIO;
	}
}

/* Requests that meet the end of the server are no fault worth a line each. */
static int result(int rc, const char *what, uint64_t len_bytes, uint64_t at)
{
	if (rc == 0)
		return 0;
	if (rc != -ESHUTDOWN)
		nbdkit_error("%s of %llu bytes at %llu failed: %s", what, (unsigned long long)len_bytes,
			     (unsigned long long)at, strerror(errno_for_client(rc)));
	nbdkit_set_error(errno_for_client(rc));
	return -1;
}

static unsigned flags_from(uint32_t flags)
{
	return (flags & NBDKIT_FLAG_FUA ? UMD_FUA : 0) | (flags & NBDKIT_FLAG_MAY_TRIM ? UMD_MAY_TRIM : 0);
}

static int plugin_pread(void *handle, void *data, uint32_t count, uint64_t at, uint32_t flags)
{
	return result(umd_array_read(umd.array, data, count, at), "a read", count, at);
}

static int plugin_pwrite(void *handle, const void *data, uint32_t count, uint64_t at, uint32_t flags)
{
	return result(umd_array_write(umd.array, data, count, at, flags_from(flags)), "a write", count, at);
}

static int plugin_zero(void *handle, uint32_t count, uint64_t at, uint32_t flags)
{
	return result(umd_array_zero(umd.array, count, at, flags_from(flags)), "zeroing", count, at);
}

static int plugin_trim(void *handle, uint32_t count, uint64_t at, uint32_t flags)
{
	return result(umd_array_zero(umd.array, count, at, flags_from(flags) | UMD_MAY_TRIM), "a trim", count, at);
}

static int plugin_flush(void *handle, uint32_t flags)
{
	return result(umd_array_flush(umd.array), "a flush", 0, 0);
}

static struct nbdkit_plugin plugin = {
	.name = "umd",
	.longname = "umd, md mirrors in user space",
	.description = "Linux software-RAID mirrors with write-intent bitmaps, without a kernel driver",
	.config = plugin_config,
	.config_complete = plugin_config_complete,
	.config_help = CONFIG_HELP,
	.magic_config_key = "member",
	.get_ready = plugin_get_ready,
	.after_fork = plugin_after_fork,
	.cleanup = plugin_cleanup,
	.unload = plugin_unload,
	.list_exports = plugin_list_exports,
	.default_export = plugin_default_export,
	.open = plugin_open,
	.close = plugin_close,
	.get_size = plugin_get_size,
	.can_write = can_write,
	.can_flush = yes,
	.can_trim = can_write,
	.can_zero = can_write,
	.can_fast_zero = no,
	.can_fua = plugin_can_fua,
	.can_multi_conn = yes,
	.block_size = plugin_block_size,
	.pread = plugin_pread,
	.pwrite = plugin_pwrite,
	.flush = plugin_flush,
	.trim = plugin_trim,
	.zero = plugin_zero,
};

NBDKIT_REGISTER_PLUGIN(plugin)
