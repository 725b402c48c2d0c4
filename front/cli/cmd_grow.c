/* umd grow: another bitmap for a running array, or none.
 *
 * The server plans, refuses and does it, and answers when it is durable; with --dry-run it only plans. A bitmap file is
 * made here, with the caller's rights, and removed again if the server refuses. Members instead of a name: nobody uses
 * them, and their cluster or its chunks are changed off line by the library. Left out: the array's size and its number
 * of members. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json.h"

static bool is_word(const char *bitmap)
{
	return !strcmp(bitmap, "internal") || !strcmp(bitmap, "none") || !strcmp(bitmap, "clustered");
}

/* Options that only clusters have. */
static bool is_of_nodes(const struct cli *cli)
{
	return cli_has(cli, "nodes") || cli_has(cli, "cluster-name") || cli_has(cli, "cluster");
}

static int check_options(const struct cli *cli)
{
	const char *bitmap = cli_text(cli, "bitmap");

	if (!bitmap && !cli_has(cli, "bitmap-chunk") && !is_of_nodes(cli))
		return cli_usage("grow needs --bitmap=internal, --bitmap=none, --bitmap=clustered, --bitmap=FILE or "
				 "--bitmap-chunk=SIZE");
	if (bitmap && !is_word(bitmap) && !strpbrk(bitmap, "/."))
		return cli_usage("--bitmap is internal, none, clustered, or a file whose name has a / or a dot, not "
				 "\"%s\"", cli_shown(bitmap));
	if (is_of_nodes(cli) && (!bitmap || strcmp(bitmap, "clustered")))
		return cli_usage("of an array that runs, --nodes, --cluster-name and --cluster go with "
				 "--bitmap=clustered; members that nobody uses are changed by their paths");
	if (bitmap && !strcmp(bitmap, "clustered") && cli_has(cli, "bitmap-chunk"))
		return cli_usage("--bitmap-chunk does not go with --bitmap=clustered: the chunks stay as they are");
	if (bitmap && !strcmp(bitmap, "none") && cli_has(cli, "bitmap-chunk"))
		return cli_usage("--bitmap=none has no chunks: --bitmap-chunk does not go with it");
	if (cli_has(cli, "bitmap-chunk") && !cli_number(cli, "bitmap-chunk", 0))
		return cli_usage("--bitmap-chunk is above 0");
	return CLI_DONE;
}

static bool is_file(const struct cli *cli)
{
	const char *bitmap = cli_text(cli, "bitmap");

	return bitmap && !is_word(bitmap);
}

/* The name is durable before anybody remembers it. */
static int sync_folder(const char *path)
{
	const char *folder = cli_print("%.*s", (int)(strrchr(path, '/') - path) + 1, path);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 ? -1 : fsync(fd);

	if (fd >= 0)
		close(fd);
	return rc;
}

/* Made with the caller's rights; its descriptor goes to the server. */
static int make_file(const struct cli *cli, int *ret_fd, char **ret_path)
{
	const char *path = cli_text(cli, "bitmap");
	int flags = O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_CREAT | (cli_has(cli, "force") ? 0 : O_EXCL);
	int fd = open(path, flags, 0600);

	if (fd < 0)
		return cli_refuse("cannot make the bitmap file %s: %s%s; nothing was written", cli_shown(path),
				  strerror(errno), errno == EEXIST ? " (--force writes over it)" : "");
	*ret_path = realpath(path, NULL);
	if (!*ret_path || sync_folder(*ret_path)) {
		close(fd);
		return cli_refuse("cannot make the bitmap file %s: %s", cli_shown(path), strerror(errno));
	}
	*ret_fd = fd;
	return CLI_DONE;
}

/* Where it would be: it need not be there yet. */
static char *future_path(const char *path)
{
	char cwd[4096];

	if (path[0] == '/' || !getcwd(cwd, sizeof cwd))
		return strdup(path);
	return strdup(cli_print("%s/%s", cwd, path));
}

static struct json_object *request_of(const struct cli *cli, const char *path)
{
	struct json_object *request = cli_request("grow");
	uint64_t chunk = cli_number(cli, "bitmap-chunk", 0);

	if (cli_text(cli, "bitmap"))
		json_object_object_add(request, "bitmap",
				       json_object_new_string(path ? "file" : cli_text(cli, "bitmap")));
	if (path)
		json_object_object_add(request, "path", json_object_new_string(path));
	if (chunk)
		json_object_object_add(request, "bitmap_chunk_bytes", json_object_new_int64((int64_t)chunk));
	if (cli_has(cli, "nodes"))
		json_object_object_add(request, "nodes", json_object_new_int64((int64_t)cli_number(cli, "nodes", 0)));
	if (cli_has(cli, "cluster-name"))
		json_object_object_add(request, "cluster_name", json_object_new_string(cli_text(cli, "cluster-name")));
	if (cli_has(cli, "cluster"))
		json_object_object_add(request, "cluster", json_object_new_string(cli_text(cli, "cluster")));
	if (cli_has(cli, "dry-run"))
		json_object_object_add(request, "dry_run", json_object_new_boolean(true));
	return request;
}

/* ---- members that nobody uses ---- */

/* A path, not the name of an array: so it is with every other command. */
static bool is_off_line(const struct cli *cli)
{
	const char *bitmap = cli_text(cli, "bitmap");

	if (cli->word_count > 1)
		return true;
	if (!bitmap && cli_has(cli, "bitmap-chunk") && strchr(cli->words[0], '/'))
		return true;
	if (!cli_has(cli, "nodes") && !cli_has(cli, "cluster-name") && !(bitmap && !strcmp(bitmap, "clustered")))
		return false;
	return strchr(cli->words[0], '/') || access(cli->words[0], F_OK) == 0;
}

static int check_off_line(const struct cli *cli)
{
	uint64_t nodes = cli_number(cli, "nodes", 0);

	if (cli_has(cli, "bitmap-chunk") && cli_text(cli, "bitmap"))
		return cli_usage("--bitmap-chunk does not go with --bitmap=%s of members: the chunks are changed "
				 "before or after", cli_shown(cli_text(cli, "bitmap")));
	if (cli_has(cli, "bitmap-chunk") && !cli_number(cli, "bitmap-chunk", 0))
		return cli_usage("--bitmap-chunk is above 0");
	if (cli_has(cli, "nodes") && (!nodes || nodes > UINT32_MAX))
		return cli_usage("--nodes=%llu makes no cluster: 2 to 64 nodes are possible",
				 (unsigned long long)nodes);
	if (!cli_has(cli, "nodes") && !cli_has(cli, "cluster-name") && !cli_has(cli, "bitmap-chunk") &&
	    !cli_text(cli, "bitmap"))
		return cli_usage("grow of members needs --nodes=N, --cluster-name=NAME, --bitmap-chunk=SIZE, "
				 "--bitmap=clustered or --bitmap=internal");
	return CLI_DONE;
}

static void print_sentence(struct json_object *o, const struct cli *cli)
{
	puts(cli_json_shown(o, "sentence"));
}

static int change_cluster(const struct cli *cli)
{
	struct umd_cluster_options options = {
		.bitmap = cli_text(cli, "bitmap"),
		.nodes = (uint32_t)cli_number(cli, "nodes", 0),
		.cluster_name = cli_text(cli, "cluster-name"),
		.bitmap_chunk_bytes = cli_number(cli, "bitmap-chunk", 0),
		.dry_run = cli_has(cli, "dry-run"),
	};
	struct umd_error error;
	char *json;
	int status = check_off_line(cli);

	if (status)
		return status;
	if (umd_change_cluster(&options, cli->words, cli->word_count, &json, &error))
		return cli_fail(&error);
	return cli_json_tell(cli, json, print_sentence);
}

int cmd_grow(const struct cli *cli)
{
	struct json_object *reply;
	struct umd_error error;
	int status, fd = -1, rc;
	char *path = NULL;

	if (is_off_line(cli))
		return change_cluster(cli);
	status = check_options(cli);
	if (status == CLI_DONE && is_file(cli) && cli_has(cli, "dry-run"))
		path = future_path(cli_text(cli, "bitmap"));
	else if (status == CLI_DONE && is_file(cli))
		status = make_file(cli, &fd, &path);
	if (status)
		return status;
	rc = cli_send(cli->words[0], request_of(cli, path), fd, &reply, &error);
	if (rc && fd >= 0 && !cli_has(cli, "force"))
		unlink(path);		/* it was made for this alone */
	if (fd >= 0)
		close(fd);
	free(path);
	if (rc)
		return cli_fail(&error);
	if (cli_has(cli, "json"))
		cli_json_print_object(reply);
	else
		puts(cli_json_shown(reply, "sentence"));
	json_object_put(reply);
	return CLI_DONE;
}
