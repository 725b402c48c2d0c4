/* The nodes of the laboratory: each is this very program as `umd serve --cluster=local`, a process of its own, with a
 * second one that writes to it.
 *
 *	lab --- umd serve --node=n1 --- nbdkit with the plugin: this one is killed, and its keeper ends by itself
 *	    `-- writer, a fork of ours
 *
 * They live in sessions of their own, so that Ctrl-C reaches the lab alone, which ends them in order; when the lab
 * itself is killed they get a signal, unless they are to stay (--keep). What a server says goes into a file beside the
 * members. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cluster_lab.h"
#include "json.h"

static const char *log_of(const struct lab *lab, const struct lab_node *node)
{
	return cli_print("%s/%s.log", lab->dir, node->name);
}

/* What it said last, for a sentence. */
static const char *last_words(const struct lab *lab, const struct lab_node *node)
{
	const char *words = "it said nothing";
	FILE *f = fopen(log_of(lab, node), "r");
	char line[900];

	while (f && fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = 0;
		words = cli_shown(!strncmp(line, "umd: ", 5) ? line + 5 : line);
	}
	if (f)
		fclose(f);
	return words;
}

/* In the child: never returns. */
static void become_server(const struct lab *lab, const struct lab_node *node, int words, pid_t parent)
{
	const char *name = cli_print("--node=%s", node->name);
	int log = open(log_of(lab, node), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);

	setsid();
	if (!lab->is_kept)
		prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (log < 0 || nothing < 0 || (!lab->is_kept && getppid() != parent))
		_exit(CLI_FAILED);
	dup2(nothing, STDIN_FILENO);
	dup2(words, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	execl("/proc/self/exe", "umd", "serve", "--cluster=local", "--name=lab", name, lab->members[0],
	      lab->members[1], NULL);
	_exit(CLI_FAILED);
}

/* "ready URI"; the pipe ends when the server does. */
static bool read_uri(int words, struct lab_node *node)
{
	FILE *f = fdopen(words, "r");
	char line[sizeof node->uri];
	bool is_ready = f && fgets(line, sizeof line, f) && !strncmp(line, "ready ", 6);

	if (is_ready) {
		line[strcspn(line, "\n")] = 0;
		snprintf(node->uri, sizeof node->uri, "%s", line + 6);
	}
	if (f)
		fclose(f);
	else
		close(words);
	return is_ready;
}

static void reap(pid_t *pid)
{
	while (*pid && waitpid(*pid, NULL, 0) < 0 && errno == EINTR)
		;
	*pid = 0;
}

int lab_start(struct lab *lab, struct lab_node *node)
{
	pid_t parent = getpid();
	int words[2];

	if (pipe2(words, O_CLOEXEC) < 0)
		return cli_refuse("cannot make a pipe: %s", strerror(errno));
	fflush(NULL);
	node->keeper = fork();
	if (node->keeper == 0)
		become_server(lab, node, words[1], parent);
	close(words[1]);
	if (node->keeper < 0) {
		close(words[0]);
		node->keeper = 0;
		return cli_refuse("cannot start a process: %s", strerror(errno));
	}
	node->told = 0;
	if (read_uri(words[0], node))
		return CLI_DONE;
	reap(&node->keeper);
	return cli_refuse("node %s did not start: %s", node->name, last_words(lab, node));
}

/* ---- who writes ---- */

int lab_write(struct lab *lab, struct lab_node *node)
{
	uint64_t part = lab->size_bytes / lab->count, index = (uint64_t)(node - lab->nodes);
	pid_t parent = getpid();

	fflush(NULL);
	node->writer = fork();
	if (node->writer < 0) {
		node->writer = 0;
		return cli_refuse("cannot start a process: %s", strerror(errno));
	}
	if (node->writer == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setsid();
		if (getppid() == parent)
			lab_write_on(node->uri, part * index, part * (index + 1));
		_exit(0);
	}
	return CLI_DONE;
}

void lab_end_writer(struct lab_node *node)
{
	if (node->writer)
		kill(node->writer, SIGKILL);
	reap(&node->writer);
}

/* ---- the end of a node ---- */

int lab_kill(struct lab *lab, struct lab_node *node)
{
	struct json_object *detail = lab_ask(node);
	pid_t server = (pid_t)cli_json_u64(detail, "pid", 0);

	json_object_put(detail);
	if (server <= 1)
		return cli_refuse("node %s does not say its process: %s", node->name, last_words(lab, node));
	kill(server, SIGKILL);
	reap(&node->keeper);
	lab_end_writer(node);
	return CLI_DONE;
}

int lab_stop(struct lab_node *node)
{
	struct json_object *reply;
	struct umd_error error;

	lab_end_writer(node);
	if (!node->keeper)
		return CLI_DONE;
	if (cli_ask(node->array, "stop", &reply, &error))
		return cli_fail(&error);
	json_object_put(reply);
	reap(&node->keeper);
	return CLI_DONE;
}

void lab_end(struct lab *lab)
{
	for (size_t i = 0; i < lab->count; i++) {
		lab_end_writer(&lab->nodes[i]);
		if (lab->nodes[i].keeper)
			kill(lab->nodes[i].keeper, SIGTERM);
	}
	for (size_t i = 0; i < lab->count; i++)
		reap(&lab->nodes[i].keeper);
}
