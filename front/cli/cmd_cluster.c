/* umd cluster lab: several nodes of a clustered array on this machine, to see how they live and die.
 *
 *	make two members -> start N nodes -> what one wrote the others read -> all write
 *	-> n2 is killed -> another one takes its slot and copies what it left in doubt -> n2 comes back
 *	-> all stop -> the members are compared, byte by byte
 *
 * Everything is a process of its own over the local engine; the lab looks from outside, as any user can, and its
 * members and sockets lie in one folder. With --keep the nodes stay when it ends, and so does the folder.
 *
 * Left out: several machines. docs/cluster.md tells how to set those up. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cluster_lab.h"
#include "json.h"

enum {
	MEMBER_BYTES = 65 << 20,
	CHUNK_BYTES = 1 << 20,
	NODES_DEFAULT = 3,
	SECONDS_DEFAULT = 20,
	SECONDS_MIN = 4,
	SECONDS_MAX = 3600,
	VICTIM = 1,			/* n2 */
	PATIENCE_S = 60,
	COMPARE_BYTES = 1 << 20,
};

static volatile sig_atomic_t is_over;

static void end_it(int number)
{
	is_over = 1;
}

bool lab_is_over(void)
{
	return is_over;
}

static double clock_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

double lab_now(const struct lab *lab)
{
	return clock_s() - lab->began_at;
}

/* ---- the folder and the array in it ---- */

static int make_folder(struct lab *lab, const char *wanted)
{
	const char *top = getenv("TMPDIR");

	if (wanted)
		snprintf(lab->dir, sizeof lab->dir, "%s", cli_absolute(wanted));
	else
		snprintf(lab->dir, sizeof lab->dir, "%s/umd-lab.XXXXXX", top && *top ? top : "/tmp");
	if (wanted ? mkdir(lab->dir, 0700) < 0 && errno != EEXIST : !mkdtemp(lab->dir))
		return cli_refuse("cannot make the folder %s: %s", cli_shown(lab->dir), strerror(errno));
	lab->is_ours = !wanted;
	if (setenv("UMD_RUNTIME_DIR", cli_print("%s/run", lab->dir), 1) < 0)
		return cli_refuse("there is not enough memory for an environment");
	return CLI_DONE;
}

/* A lab overwrites nothing: the files must not be there. */
static int make_member(struct lab *lab, size_t i)
{
	int fd;

	snprintf(lab->paths[i], sizeof lab->paths[i], "%s/%c.img", lab->dir, (char)('a' + i));
	lab->members[i] = lab->paths[i];
	fd = open(lab->paths[i], O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, MEMBER_BYTES) < 0) {
		int rc = errno;

		if (fd >= 0)
			close(fd);
		return cli_refuse("cannot make the member %s: %s", cli_shown(lab->paths[i]), strerror(rc));
	}
	close(fd);
	return CLI_DONE;
}

static int make_array(struct lab *lab)
{
	struct umd_create_options options = {
		.bitmap = "clustered",
		.nodes = lab->count,
		.cluster_name = "lab",
		.name = "lab",
		.bitmap_chunk_bytes = CHUNK_BYTES,
		.assume_clean = true,
	};
	struct json_object *made, *members;
	struct umd_error error;
	char *json;

	if (umd_create(&options, lab->members, LAB_MEMBERS, &json, &error))
		return cli_fail(&error);
	made = cli_json_parse(json);
	free(json);
	members = cli_json_get(made, "members");
	lab->size_bytes = cli_json_u64(made, "array_bytes", 0);
	for (size_t i = 0; i < LAB_MEMBERS && i < cli_json_len(members); i++)
		lab->data_at[i] = cli_json_u64(json_object_array_get_idx(members, i), "data_offset_bytes", 0);
	json_object_put(made);
	return made ? CLI_DONE : CLI_FAILED;
}

static int make(struct lab *lab, const struct cli *cli)
{
	int rc = make_folder(lab, cli_text(cli, "dir"));

	for (size_t i = 0; !rc && i < LAB_MEMBERS; i++)
		rc = make_member(lab, i);
	return rc ?: make_array(lab);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	return remove(path);
}

static void remove_folder(struct lab *lab)
{
	if (lab->is_ours && !lab->is_kept)
		nftw(lab->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- the story ---- */

static int start_nodes(struct lab *lab)
{
	int rc = CLI_DONE;

	for (size_t i = 0; !rc && !is_over && i < lab->count; i++) {
		rc = lab_start(lab, &lab->nodes[i]);
		if (!rc)
			printf("%s  %s\n", lab->nodes[i].name, cli_shown(lab->nodes[i].uri));
	}
	fflush(stdout);
	if (!rc)
		lab_watch(lab, 0);
	return rc;
}

/* What the first node wrote every other one reads, the moment the write was answered. */
static int compare_reads(struct lab *lab)
{
	static char written[64 << 10], read[sizeof written];
	const char *why = "";

	memset(written, 'u', sizeof written);
	if (!lab_put(lab->nodes[0].uri, written, sizeof written, 0, &why))
		return cli_refuse("a write to n1 failed: %s", why);
	for (size_t i = 1; i < lab->count; i++) {
		if (!lab_get(lab->nodes[i].uri, read, sizeof read, 0, &why))
			return cli_refuse("a read from %s failed: %s", lab->nodes[i].name, why);
		if (memcmp(read, written, sizeof read))
			return cli_refuse("%s does not read what n1 wrote", lab->nodes[i].name);
	}
	lab_say(lab, "n1 wrote %s at 0, and every other node reads it", cli_bytes(sizeof written));
	return CLI_DONE;
}

static int all_write(struct lab *lab)
{
	int rc = CLI_DONE;

	for (size_t i = 0; !rc && i < lab->count; i++)
		rc = lab_write(lab, &lab->nodes[i]);
	lab_say(lab, "all nodes write, each in its own part of the array");
	return rc;
}

/* Until no node that is up has anything to copy or to take over. False: patience is at its end. */
static bool wait_for_rest(struct lab *lab, double patience_s)
{
	double until = lab_now(lab) + patience_s;

	while (!is_over && lab_now(lab) < until) {
		bool is_quiet = true;

		for (size_t i = 0; i < lab->count; i++) {
			struct json_object *detail = lab_ask(&lab->nodes[i]);

			is_quiet = is_quiet && (!lab->nodes[i].keeper || lab_is_quiet(detail));
			json_object_put(detail);
		}
		if (is_quiet)
			return true;
		lab_watch(lab, 0.1);
	}
	return is_over;
}

/* Which slots were taken over, and how much was copied for it. */
static void say_recovered(struct lab *lab, double killed_at)
{
	uint64_t chunks = 0, copied = 0;
	const char *who = "";

	for (size_t i = 0; i < lab->count; i++) {
		struct json_object *detail = lab_ask(&lab->nodes[i]);

		if (cli_json_u64(detail, "cluster.taken.chunks", 0)) {
			chunks += cli_json_u64(detail, "cluster.taken.chunks", 0);
			copied += cli_json_u64(detail, "last_sync.bytes_copied", 0);
			who = lab->nodes[i].name;
		}
		json_object_put(detail);
	}
	lab_say(lab, "%.1f s after the death %s has taken %llu chunks over and copied %s", lab_now(lab) - killed_at,
		who, (unsigned long long)chunks, cli_bytes(copied));
}

static int death(struct lab *lab)
{
	struct lab_node *victim = &lab->nodes[VICTIM];
	struct json_object *detail = lab_ask(victim);
	uint32_t slot = (uint32_t)cli_json_u64(detail, "cluster.slot", VICTIM);
	uint64_t set = lab_set_chunks(lab, slot);	/* now: soon they are somebody else's */
	double killed_at;
	int rc;

	json_object_put(detail);
	rc = lab_kill(lab, victim);
	if (rc)
		return rc;
	killed_at = lab_now(lab);
	lab_say(lab, "%s is killed (SIGKILL); its slot, %u, had %llu chunks set", victim->name, slot,
		(unsigned long long)set);
	if (!wait_for_rest(lab, PATIENCE_S))
		return cli_refuse("the slot of %s was not recovered within %d s", victim->name, PATIENCE_S);
	if (!is_over)
		say_recovered(lab, killed_at);
	return CLI_DONE;
}

static int return_of_the_dead(struct lab *lab)
{
	struct lab_node *node = &lab->nodes[VICTIM];
	int rc = lab_start(lab, node);

	if (rc)
		return rc;
	lab_say(lab, "%s is started again", node->name);
	return lab_write(lab, node);
}

static int compare_members(const struct lab *lab)
{
	static char data[LAB_MEMBERS][COMPARE_BYTES];
	uint64_t differ = 0;
	FILE *files[LAB_MEMBERS];

	for (size_t i = 0; i < LAB_MEMBERS; i++) {
		files[i] = fopen(lab->members[i], "r");
		if (!files[i] || fseeko(files[i], (off_t)lab->data_at[i], SEEK_SET))
			return cli_refuse("cannot read %s: %s", cli_shown(lab->members[i]), strerror(errno));
	}
	for (uint64_t at = 0; at < lab->size_bytes; at += COMPARE_BYTES) {
		size_t len = lab->size_bytes - at < COMPARE_BYTES ? lab->size_bytes - at : COMPARE_BYTES;

		for (size_t i = 0; i < LAB_MEMBERS; i++)
			if (fread(data[i], 1, len, files[i]) != len)
				return cli_refuse("cannot read %s", cli_shown(lab->members[i]));
		differ += memcmp(data[0], data[1], len) != 0;
	}
	for (size_t i = 0; i < LAB_MEMBERS; i++)
		fclose(files[i]);
	if (differ)
		return cli_refuse("the members differ in %llu of their MiB", (unsigned long long)differ);
	printf("the members are equal, all %s\n", cli_bytes(lab->size_bytes));
	return CLI_DONE;
}

static int end_of_all(struct lab *lab)
{
	int rc = CLI_DONE;

	for (size_t i = 0; i < lab->count; i++)
		lab_end_writer(&lab->nodes[i]);
	if (lab->is_kept) {
		printf("the nodes stay: export UMD_RUNTIME_DIR=%s/run; umd list; umd detail lab@n1; umd stop lab@n1\n",
		       cli_shown(lab->dir));
		return CLI_DONE;
	}
	for (size_t i = 0; i < lab->count; i++)
		rc = lab_stop(&lab->nodes[i]) ?: rc;
	return rc ?: compare_members(lab);
}

static void pass_until(struct lab *lab, double part)
{
	double left = lab->seconds * part - lab_now(lab);

	if (left > 0)
		lab_watch(lab, left);
}

static int play(struct lab *lab)
{
	int rc = start_nodes(lab) ?: compare_reads(lab) ?: all_write(lab);

	if (rc || is_over)
		return rc;
	pass_until(lab, 0.3);
	rc = is_over ? CLI_DONE : death(lab);
	if (rc)
		return rc;
	pass_until(lab, 0.6);
	rc = is_over ? CLI_DONE : return_of_the_dead(lab);
	if (rc)
		return rc;
	pass_until(lab, 1);
	return end_of_all(lab);
}

/* ---- the command ---- */

static int check(const struct cli *cli, struct lab *lab)
{
	uint64_t nodes = cli_number(cli, "nodes", NODES_DEFAULT);
	uint64_t seconds = cli_number(cli, "seconds", SECONDS_DEFAULT);

	if (!cli->word_count)
		return cli_usage("cluster needs the word lab; the form is: umd cluster %s", cli->command->syntax);
	if (strcmp(cli->words[0], "lab"))
		return cli_usage("cluster has no \"%s\"; the form is: umd cluster %s", cli_shown(cli->words[0]),
				 cli->command->syntax);
	if (nodes < LAB_NODES_MIN || nodes > LAB_NODES_MAX)
		return cli_usage("a lab has %d to %d nodes, not %llu", LAB_NODES_MIN, LAB_NODES_MAX,
				 (unsigned long long)nodes);
	if (seconds < SECONDS_MIN || seconds > SECONDS_MAX)
		return cli_usage("a lab takes %d to %d seconds, not %llu", SECONDS_MIN, SECONDS_MAX,
				 (unsigned long long)seconds);
	lab->count = nodes;
	lab->seconds = seconds;
	lab->is_kept = cli_has(cli, "keep");
	lab->is_terminal = isatty(STDOUT_FILENO);
	return CLI_DONE;
}

static void listen_to_signals(void)
{
	struct sigaction action = { .sa_handler = end_it };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

int cmd_cluster(const struct cli *cli)
{
	static struct lab lab;
	int rc = check(cli, &lab) ?: lab_load_client();

	if (rc)
		return rc;
	for (unsigned i = 0; i < lab.count; i++) {
		snprintf(lab.nodes[i].name, sizeof lab.nodes[i].name, "n%u", i + 1);
		snprintf(lab.nodes[i].array, sizeof lab.nodes[i].array, "lab@n%u", i + 1);
	}
	listen_to_signals();
	lab.began_at = clock_s();
	rc = make(&lab, cli) ?: play(&lab);
	if (rc || is_over || !lab.is_kept)
		lab_end(&lab);
	if (rc || is_over)
		lab.is_kept = false;
	remove_folder(&lab);
	return rc ?: is_over ? cli_refuse("interrupted: every node was stopped") : CLI_DONE;
}
