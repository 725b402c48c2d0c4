/* Between the files of `umd cluster lab`: nodes of a clustered array on this machine, for people to watch. */
#ifndef FRONT_CLI_CLUSTER_LAB_H
#define FRONT_CLI_CLUSTER_LAB_H

#include <sys/types.h>

#include "cli.h"

enum {
	LAB_NODES_MIN = 2,
	LAB_NODES_MAX = 8,
	LAB_MEMBERS = 2,
	LAB_PATH_BYTES = 3072,
	LAB_EVENTS = 12,		/* that a terminal of 24 lines shows, with all nodes */
};

struct lab_node {
	char name[16];			/* "n1" */
	char array[16];			/* "lab@n1": what umd detail takes */
	char uri[LAB_PATH_BYTES + 128];
	pid_t keeper, writer;		/* umd serve, and who writes to it; 0: there is none */
	uint64_t told;			/* its events that were shown already, by number */
};

struct lab {
	char dir[LAB_PATH_BYTES];
	char paths[LAB_MEMBERS][LAB_PATH_BYTES + 16];
	const char *members[LAB_MEMBERS];
	uint64_t data_at[LAB_MEMBERS], size_bytes;	/* of the array's bytes on each member */
	struct lab_node nodes[LAB_NODES_MAX];
	size_t count;
	bool is_ours;			/* the folder: made here, removed at the end */
	bool is_kept, is_terminal;
	double began_at, seconds;
	char events[LAB_EVENTS][200];
	size_t event_count;
	unsigned frame_lines;		/* of the frame on the screen */
};

/* Somebody wants it to end: SIGINT, SIGTERM or SIGHUP came. */
bool lab_is_over(void);
double lab_now(const struct lab *lab);		/* seconds since it began */

/* ---- nodes (cluster_nodes.c): CLI_DONE, or the exit status with the sentence said ---- */

int lab_start(struct lab *lab, struct lab_node *node);
int lab_write(struct lab *lab, struct lab_node *node);	/* from now on, in this node's part of the array */
void lab_end_writer(struct lab_node *node);
int lab_kill(struct lab *lab, struct lab_node *node);	/* SIGKILL to the process that serves */
int lab_stop(struct lab_node *node);
/* Whatever still runs ends, in order where that is possible. */
void lab_end(struct lab *lab);

/* ---- clients (cluster_nbd.c) ---- */

int lab_load_client(void);
/* One request of its own connection. False: *@ret_sentence says why. */
bool lab_put(const char *uri, const void *data, size_t len_bytes, uint64_t at, const char **ret_sentence);
bool lab_get(const char *uri, void *data, size_t len_bytes, uint64_t at, const char **ret_sentence);
/* Write between @at and @end until the connection is gone. */
void lab_write_on(const char *uri, uint64_t at, uint64_t end);

/* ---- what is there to see (cluster_view.c) ---- */

struct json_object;
struct json_object *lab_ask(const struct lab_node *node);	/* detail, or NULL: it does not answer */
bool lab_is_quiet(struct json_object *detail);			/* nothing is copied, owed or taken over */
/* Chunks set in a slot, as the members say. */
uint64_t lab_set_chunks(const struct lab *lab, uint32_t slot);
/* An event: a line elsewhere, one of the last ones on a terminal. */
void lab_say(struct lab *lab, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Wait so long, with the picture up to date. */
void lab_watch(struct lab *lab, double seconds);

#endif
