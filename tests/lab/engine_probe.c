/* An engine by hand: commands in, events out, for tests of the cluster's lab.
 *
 *	engine-probe dlm|local UUID CLUSTER COMMANDS LOG [DISK OFFSET]
 *
 * Reads commands, one to a line, from the FIFO COMMANDS: group, lock NAME, try NAME (without queueing), cancel NAME,
 * unlock NAME, send TEXT, goodbye, close. NAME is token, resync or the number of a slot. Each event is a line of LOG
 * with the time in microseconds since 1970 first. A second thread asks may_write() every millisecond, logs when the
 * answer changes, and while it is yes writes the time into the sector at OFFSET of DISK: what a node writes, and
 * until when, can be read there.
 *
 * Left out: everything the brain does; the probe asks for what it is told. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"
#include "engine/engine.h"

static FILE *log_file;
static struct engine *engine;
static int disk_fd = -1;
static uint64_t disk_at;
static atomic_bool is_over;

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
	va_list ap;

	flockfile(log_file);
	fprintf(log_file, "%" PRIu64 " ", now_us());
	va_start(ap, format);
	vfprintf(log_file, format, ap);
	va_end(ap);
	fputc('\n', log_file);
	fflush(log_file);
	funlockfile(log_file);
}

static void say_config(const struct clu_event *event)
{
	char text[2048] = "";

	for (uint32_t i = 0; i < event->node_count; i++) {
		size_t len = strlen(text);

		snprintf(text + len, sizeof text - len, " %" PRIu64, event->nodes[i] >> 32);
	}
	say("config%s", text);
}

static void deliver(void *opaque, const struct clu_event *event)
{
	char name[16];

	if (event->kind == CLU_EV_LOCK) {
		clu_lock_name(event->lock, name);
		say("lock %s %s", name, event->rc == 0 ? "granted" : event->rc == -EAGAIN ? "refused" : "cancelled");
	} else if (event->kind == CLU_EV_CONFIG) {
		say_config(event);
	} else if (event->kind == CLU_EV_MESSAGE) {
		say("message %" PRIu64 " %.*s", event->from >> 32, (int)event->len_bytes, (const char *)event->data);
	} else if (event->kind == CLU_EV_QUORUM) {
		say("quorum %s", event->value ? "yes" : "no");
	} else if (event->kind == CLU_EV_LOST) {
		say("lost %s", event->reason);
	}
}

static void note(void *opaque, const char *sentence)
{
	say("note %s", sentence);
}

static void *write_while_allowed(void *arg)
{
	char *sector;
	bool was = false;

	if (posix_memalign((void **)&sector, 4096, 4096) != 0)
		return NULL;
	memset(sector, 0, 512);
	while (!is_over) {
		bool may = engine->ops->may_write(engine);

		if (may != was)
			say("may_write %s", may ? "yes" : "no");
		was = may;
		if (may && disk_fd >= 0) {
			snprintf(sector, 512, "%" PRIu64 "\n", now_us());
			if (pwrite(disk_fd, sector, 512, (off_t)disk_at) != 512)
				say("write failed: %s", strerror(errno));
		}
		usleep(1000);
	}
	free(sector);
	return NULL;
}

static struct clu_lock lock_named(const char *name)
{
	if (!strcmp(name, "token"))
		return (struct clu_lock){ CLU_LOCK_TOKEN, 0 };
	if (!strcmp(name, "resync"))
		return (struct clu_lock){ CLU_LOCK_RESYNC, 0 };
	return (struct clu_lock){ CLU_LOCK_SLOT, (uint32_t)strtoul(name, NULL, 10) };
}

/* False: the end. */
static bool obey(char *line)
{
	char *word = strtok(line, " \n"), *rest = strtok(NULL, "\n");
	const struct engine_ops *ops = engine->ops;

	if (!word)
		return true;
	say("asked %s %s", word, rest ? rest : "");
	if (!strcmp(word, "group"))
		ops->group(engine);
	else if (!strcmp(word, "lock") || !strcmp(word, "try"))
		ops->lock(engine, lock_named(rest), word[0] == 'l');
	else if (!strcmp(word, "cancel"))
		ops->cancel(engine, lock_named(rest));
	else if (!strcmp(word, "unlock"))
		ops->unlock(engine, lock_named(rest));
	else if (!strcmp(word, "send"))
		ops->send(engine, (const uint8_t *)rest, (uint32_t)strlen(rest));
	else if (!strcmp(word, "goodbye"))
		ops->goodbye(engine);
	return strcmp(word, "close") != 0;
}

/* A FIFO ends when its last writer closes it; the next one opens it again. */
static void obey_all(const char *path)
{
	char line[4096];
	bool goes_on = true;

	while (goes_on) {
		FILE *in = fopen(path, "r");

		if (!in)
			break;
		while (goes_on && fgets(line, sizeof line, in))
			goes_on = obey(line);
		fclose(in);
	}
}

static int parse_uuid(const char *text, uint8_t ret[16])
{
	int count = 0;

	for (; *text && count < 32; text++) {
		unsigned digit;

		if (*text == ':' || *text == '-')
			continue;
		if (sscanf(text, "%1x", &digit) != 1)
			return -EINVAL;
		ret[count / 2] = (uint8_t)(ret[count / 2] << 4 | digit);
		count++;
	}
	return count == 32 ? 0 : -EINVAL;
}

int main(int argc, char **argv)
{
	struct engine_config config = { .nodes = 4, .deliver = deliver, .note = note, .directory = "/run" };
	struct err err = { 0 };
	pthread_t writer;

	if (argc < 6 || parse_uuid(argv[2], config.uuid) < 0 || !(log_file = fopen(argv[5], "a"))) {
		fprintf(stderr, "engine-probe: see the head of engine_probe.c\n");
		return 2;
	}
	snprintf(config.cluster_name, sizeof config.cluster_name, "%s", argv[3]);
	if (argc > 7) {
		disk_fd = open(argv[6], O_RDWR | O_DIRECT);
		disk_at = strtoull(argv[7], NULL, 10);
		config.member_fds = &disk_fd;
		config.member_count = 1;
	}
	if ((!strcmp(argv[1], "dlm") ? engine_open_dlm : engine_open_local)(&config, &engine, &err) < 0) {
		say("refused %s", err.text);
		fprintf(stderr, "engine-probe: %s\n", err.text);
		return 1;
	}
	say("open node %" PRIu64 " name %s", engine->node_id >> 32, engine->node_name);
	pthread_create(&writer, NULL, write_while_allowed, NULL);
	obey_all(argv[4]);
	is_over = true;
	pthread_join(writer, NULL);
	engine->ops->close(engine);
	say("closed");
	return 0;
}
