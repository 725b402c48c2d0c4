/* The run-time directory: where sockets and pid files of running arrays live, and who owns which name.
 *
 * A name is owned by a lock on NAME/pid, held for the life of the server: a dead server's files are known to be stale
 * without asking anybody. Claiming works before a fork (the lock belongs to the open file description). */
#ifndef UMD_RUN_RUNDIR_H
#define UMD_RUN_RUNDIR_H

#include <stdbool.h>

#include "base/err.h"

/* Can @name be a path component here? [A-Za-z0-9_.:@-]{1,64} without a leading dot. */
bool run_rundir_name_is_ok(const char *name);

/**
 * run_rundir_path - the path of all arrays (@name ""), of NAME (@leaf ""), or of NAME/@leaf
 * @make: directories that do not exist are made (the leaf never is). Directories that exist must be real ones, ours,
 * mode 0700: else -EPERM with a sentence. *@ret_path is absolute; mem_free() it.
 */
int run_rundir_path(const char *name, const char *leaf, bool make, char **ret_path, struct err *err);

struct run_rundir;	/* one claimed name */

struct run_rundir_wish {
	const char *name;		/* what the user asked for, or NULL */
	const char *superblock_name;	/* hostile text, or NULL or "" */
	const char *uuid;		/* stands in where the superblock's name is not usable */
	bool may_number;		/* read-only servers: NAME, else NAME-2, NAME-3, ... */
};

/**
 * run_rundir_claim - take a name; call it after the members are locked
 * Makes the directory, locks NAME/pid, removes what a dead server left. Nothing else is written before publish.
 * Errors: UMD_E_BAD_NAME (the user's name), UMD_E_NAME_IN_USE (names the holder), -errno; each with a sentence.
 */
int run_rundir_claim(const struct run_rundir_wish *wish, struct run_rundir **ret_rundir, struct err *err);

const char *run_rundir_name(const struct run_rundir *r);
int run_rundir_fd(const struct run_rundir *r);		/* the directory, O_PATH */

/* Write our pid into NAME/pid: call it in the process that serves (after a fork). 0 or -errno. */
int run_rundir_publish(struct run_rundir *r);

/* Remove sockets, pid file and directory, let go of the name, free. Takes NULL, returns NULL. */
struct run_rundir *run_rundir_release(struct run_rundir *r);

#endif
