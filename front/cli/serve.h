/* Between the files of `umd serve`. */
#ifndef FRONT_CLI_SERVE_H
#define FRONT_CLI_SERVE_H

#include <sys/types.h>

#include "cli.h"

enum { SERVE_SENTENCE_BYTES = 800, SERVE_NAME_BYTES = 80, SERVE_PATH_BYTES = 4096 };

/* Always 1, with the sentence in @ret_sentence: it is said when nbdkit is gone, and once. */
__attribute__((format(printf, 2, 3)))
int serve_refuse(char ret_sentence[SERVE_SENTENCE_BYTES], const char *format, ...);

/* ---- the socket that clients connect to (serve_socket.c) ---- */

struct serve_socket {
	int fd;				/* bound and listening */
	bool is_tcp;
	uint16_t port;			/* TCP */
	char temporary[64];		/* its first name, beside or above its place; "" once it has moved */
	int temporary_dir;
	char path[SERVE_PATH_BYTES];	/* absolute; "" until it is known */
	bool is_users;			/* the user named the path: what is there is judged */
	dev_t device;			/* of the socket file, so that no other's is removed */
	ino_t inode;
};

/* Make it, under a temporary name. @path: as the user gave it, or NULL for the run-time directory. 0, or 1 with the
 * sentence in @ret_sentence; as all below. */
int serve_socket_open_unix(struct serve_socket *s, const char *path, char ret_sentence[SERVE_SENTENCE_BYTES]);
int serve_socket_open_tcp(struct serve_socket *s, uint16_t port, char ret_sentence[SERVE_SENTENCE_BYTES]);

/* Give it its name, now that the array's members are locked and the array's run-time name is @name. */
int serve_socket_place(struct serve_socket *s, const char *name, char ret_sentence[SERVE_SENTENCE_BYTES]);

void serve_socket_remove(struct serve_socket *s);	/* its names; connections stay */
void serve_socket_close(struct serve_socket *s);	/* our copy of the descriptor */
const char *serve_socket_uri(const struct serve_socket *s);

/* ---- nbdkit (serve_nbdkit.c) ---- */

struct serve_nbdkit {
	const char *version;		/* for sentences: "1.32.5" */
	bool is_one_at_a_time;		/* too old for several requests per connection */
	char plugin[SERVE_PATH_BYTES];
};

/* Is nbdkit there, which version, and where is our plugin? */
int serve_nbdkit_find(struct serve_nbdkit *n, char ret_sentence[SERVE_SENTENCE_BYTES]);

struct serve_child {
	pid_t pid;
	int report;			/* stream socket to the plugin, see front/nbdkit/report.c */
	int errors;			/* what nbdkit prints on stderr */
};

/* Start it as our child, with @listen_fd to serve on. It gets SIGTERM when we die. */
int serve_nbdkit_start(const struct serve_nbdkit *n, const struct cli *cli, int listen_fd,
		       struct serve_child *ret_child, char ret_sentence[SERVE_SENTENCE_BYTES]);

/* ---- umd-tree (serve_tree.c) ---- */

struct serve_tree {
	pid_t pid;			/* 0: there is none */
	int words;			/* what it says: "ready PLACE", or why not */
	const char *name;		/* of the array */
};

/* Start it for the array @name, whose clients connect to @uri. 0 or -errno. It gets SIGTERM when we die. */
int serve_tree_start(const char *name, const char *uri, struct serve_tree *ret_tree);
/* Nothing is mounted any more. */
void serve_tree_end(struct serve_tree *tree);

#endif
