/* The door of the engines: exclusion, ordered messages, membership with quorum. What to do with them is the cluster's
 * brain (cluster/cluster.h), which speaks to an engine in asks and hears from it in events.
 *
 *   local   OFD byte-range locks on members and one log file: several processes on one host, no daemon
 *   dlm     libdlm, libcpg, libquorum, libcmap: several machines, on corosync and dlm_controld
 *
 * Threads: an engine has one thread of its own, which calls deliver() with no lock held; the other functions may be
 * called from any thread, also from within deliver(), and never wait for the cluster. Events come one at a time. */
#ifndef UMD_ENGINE_ENGINE_H
#define UMD_ENGINE_ENGINE_H

#include "cluster/cluster.h"

struct engine;

struct engine_config {
	uint8_t uuid[16];		/* of the array */
	char cluster_name[65];		/* as the bitmap says */
	char node_name[CLU_NODE_NAME_BYTES];	/* "": the engine's own */
	uint32_t nodes;			/* slots */
	const int *member_fds;		/* local: they do the members' I/O, in the order of device numbers */
	uint32_t member_count;
	const char *directory;		/* local: where log and sockets live, the same for every node of this host */
	void (*deliver)(void *opaque, const struct clu_event *event);	/* CLU_EV_LOCK, CONFIG, MESSAGE, QUORUM, LOST */
	/* NULL, or one sentence for the server's log, from the engine's thread: something was repaired, all goes on;
	 * from whoever closes: what could not be let go yet. */
	void (*note)(void *opaque, const char *sentence);
	void *opaque;
};

struct engine_ops {
	void (*group)(struct engine *e);
	void (*lock)(struct engine *e, struct clu_lock lock, bool may_queue);
	void (*cancel)(struct engine *e, struct clu_lock lock);
	void (*unlock)(struct engine *e, struct clu_lock lock);
	void (*send)(struct engine *e, const uint8_t *data, uint32_t len_bytes);
	void (*goodbye)(struct engine *e);	/* leave the group; everything held is let go */
	/* A member of member_fds is about to be closed: its descriptor is used no more when this returns. NULL: none
	 * ever is. */
	void (*forget)(struct engine *e, int fd);
	/* Is it certain that the others still count us in? Asked before every write to a member, by any thread: cheap.
	 * A node that was stopped and goes on finds false here before it has heard of anything (C5). */
	bool (*may_write)(struct engine *e);
	/* Nothing is written any more. Waits for what it leaves, not for ever; nobody is told anything after it. Not
	 * from within deliver(). */
	struct engine *(*close)(struct engine *e);
};

struct engine {
	const struct engine_ops *ops;
	const char *kind;			/* "local", "dlm" */
	uint64_t node_id;
	char node_name[CLU_NODE_NAME_BYTES];
};

/* Opened, nothing asked for yet. 0, or a code with one sentence: wrong cluster name, no daemon, no right, engine not
 * built in (UMD_E_NOT_SUPPORTED). */
int engine_open_local(const struct engine_config *config, struct engine **ret_engine, struct err *err);
int engine_open_dlm(const struct engine_config *config, struct engine **ret_engine, struct err *err);
/* Would a dlm engine open: corosync answers and its cluster name is this one? For a start that names no engine. */
int engine_dlm_is_here(const char *cluster_name, struct err *err);

#endif
