/* The door of the cluster: one node's part in it, as a state machine.
 *
 * Pure: no I/O, no clock, no threads. It sits between the *engine*, which knows what only a cluster manager can know
 * (who is a member, who holds a lock, in which order messages came), and the array, which says what it wants
 * (arr_get_wants()). The same objects run in the server, over engines for one host and for corosync with DLM, and in
 * the simulator, over a modelled one.
 *
 *   engine --- CLU_EV_LOCK, CONFIG, MESSAGE, QUORUM, LOST --> clu_step() --- CLU_ASK_LOCK, UNLOCK, SEND ... --> engine
 *   array  --- CLU_EV_ARRAY (it took a step)  ------------->             --- CLU_ASK_ARRAY (an event for it) ---> array
 *
 * Words: a *node* is one running process with a node id; its *slot* is the number of its bitmap. A node is *up* when it
 * has a slot and all others know. A node is *gone* when it is no member any more, and *dead for sure* only when its
 * slot's lock was granted to somebody: until then it may still write (no fencing without that). A *synchronous* message
 * is done when every node that had said HELLO when it was delivered has acknowledged it, after processing, or left in
 * order, or is dead for sure. Each node has at most one such message under way.
 *
 *   OUT -> GROUP -> TOKEN -> SLOT -> LOAD -> HELLO -> UP -> LEAVING -> OUT
 *                                     |               |
 *                              CLU_ASK_LOAD        HELD (no quorum) -> UP
 *   every state -> LOST: the engine is gone, or the group went on without us: nothing is written any more
 *
 * Laws: C1 to C6. Sources: the cluster specification, sections 4 to 8 and 12. */
#ifndef UMD_CLUSTER_CLUSTER_H
#define UMD_CLUSTER_CLUSTER_H

#include "array/array.h"
#include "base/err.h"

enum {
	CLU_NODES_MAX = ARR_NODES_MAX,
	CLU_NODE_NAME_BYTES = 64,
	CLU_PATH_BYTES = 1024,
	CLU_MESSAGE_BYTES_MAX = 2048,
	CLU_SILENT_MAX = 8,
	CLU_ASKS_MAX = 2 * CLU_NODES_MAX + 8,
};

/* ---- locks: exclusive, by name ---- */

enum clu_lock_kind { CLU_LOCK_TOKEN, CLU_LOCK_RESYNC, CLU_LOCK_SLOT };
struct clu_lock {
	enum clu_lock_kind kind;
	uint32_t slot;			/* SLOT only */
};
/* "token", "resync", "bitmap0000": what the DLM of md-cluster calls them. */
void clu_lock_name(struct clu_lock lock, char ret[16]);

/* ---- messages ---- */

enum clu_message_type {			/* the first eight have md-cluster's numbers */
	CLU_M_METADATA_UPDATED = 0,	/* superblocks were written: low, high: events; number: of a device with them */
	CLU_M_RESYNCING = 1,		/* low, high: leave this range alone; high 0: none any more */
	CLU_M_NEWDISK = 2,		/* uuid, number, path: do you see this disk? it joins as a spare */
	CLU_M_REMOVE = 3,		/* number: the device leaves the table */
	CLU_M_RE_ADD = 4,		/* as NEWDISK, for a device that comes back */
	CLU_M_BITMAP_NEEDS_SYNC = 5,	/* the sender leaves with work undone: its slot is taken as if it had died */
	CLU_M_CHANGE_CAPACITY = 6,	/* not sent by umd; answered "not supported" */
	CLU_M_BITMAP_RESIZE = 7,	/* the same */
	CLU_M_HELLO = 16,		/* a node has slot `slot`, or none, and asks who else is there */
	CLU_M_ACK = 17,			/* of message `seq` of node `to`: rc, and for a HELLO what the sender knows */
	CLU_M_BYE = 18,			/* the sender leaves in order; its slot's lock follows */
	/* Not acknowledged: the sender was granted the lock of slot `number`, so its owner, node `to_node` (0: the
	 * sender never knew it), is dead for sure. Nobody else need wait for that lock to know it, which whoever has it
	 * may be long in giving back. */
	CLU_M_DEAD = 19,
};

struct clu_message {
	enum clu_message_type type;
	uint32_t slot;			/* of the sender; UINT32_MAX: none yet */
	uint64_t seq;			/* of the sender, from 1 */
	uint64_t low, high;
	uint32_t number;		/* device number */
	uint8_t uuid[16];		/* of the device */
	char path[CLU_PATH_BYTES];	/* NEWDISK, RE_ADD */
	char name[CLU_NODE_NAME_BYTES];	/* HELLO, ACK of one: the node's */
	/* ACK */
	uint64_t to_node, to_seq;
	int32_t rc;
	/* ACK of a HELLO: masks of slots that nobody has, and whose bits were looked at; whose last owner writes no
	 * more */
	uint64_t looked, dead;
	uint32_t range_count, pin_count, spare_count, silent_count;	/* ACK of a HELLO */
	/* suspended, its own included */
	struct clu_range { uint32_t slot; uint64_t low, high; } ranges[CLU_NODES_MAX];
	uint32_t pins[ARR_MEMBERS_MAX];		/* see arr_get_pins() */
	uint32_t spares[ARR_MEMBERS_MAX];	/* see arr_get_spares() */
	uint64_t silent[CLU_SILENT_MAX];	/* ids of members without a hello, as many as fit */
};

/* Little endian, with magic, version and length; unused bytes are zero. Returns the length. */
uint32_t clu_message_encode(const struct clu_message *m, uint8_t ret[CLU_MESSAGE_BYTES_MAX]);
/* 0 or -EPROTO with a sentence: wrong magic, version, size or type, numbers out of range. */
int clu_message_decode(const uint8_t *data, size_t len_bytes, struct clu_message *ret, struct err *err);
const char *clu_message_name(enum clu_message_type type);	/* "metadata_updated", ... */

/* ---- events ---- */

enum clu_event_kind {
	/* by the user */
	CLU_EV_JOIN,
	/* The array has stopped, or never ran. One that is still there (it is held, so its stop cannot end) gets
	 * ARR_EV_LOST first; CLU_EV_LEAVE again when it has stopped. */
	CLU_EV_LEAVE,
	CLU_EV_TAKE_TOKEN,		/* an errand is to change members: CLU_ASK_TOKEN_TAKEN when it may begin */
	CLU_EV_GIVE_TOKEN,		/* it is over: given back once all is recorded */
	/* .message NEWDISK, RE_ADD or REMOVE; under the token: CLU_ASK_TOLD when all answered */
	CLU_EV_TELL,
	/* by the engine */
	CLU_EV_LOCK,			/* .lock .rc: 0 granted, -EAGAIN refused (without queueing), -ECANCELED */
	/* .nodes .node_count: who is a member of the group now, in order with messages */
	CLU_EV_CONFIG,
	CLU_EV_MESSAGE,			/* .from .data .len_bytes; our own come back as well */
	CLU_EV_QUORUM,			/* .value */
	CLU_EV_LOST,			/* .reason: engine or membership is gone for good */
	/* by the hands */
	CLU_EV_LOADED,			/* of CLU_ASK_LOAD: .rc 0: the array is there; else it cannot start: leave */
	CLU_EV_SEEN,			/* of CLU_ASK_SEE: .rc, after the disk was opened and joined, or not */
	CLU_EV_ARRAY,			/* the array took a step, or was stopped */
	CLU_EV_TIMER,
};

struct clu_event {
	enum clu_event_kind kind;
	struct clu_lock lock;
	int rc;
	const uint64_t *nodes;
	uint32_t node_count;
	uint64_t from;
	const uint8_t *data;
	size_t len_bytes;
	bool value;
	const char *reason;
	const struct clu_message *message;
};

/* ---- what is asked for, in order ---- */

enum clu_ask_kind {
	/* of the engine */
	CLU_ASK_GROUP,			/* become a member: CLU_EV_CONFIG with us in it */
	CLU_ASK_LOCK,			/* .lock .may_queue: CLU_EV_LOCK */
	/* .lock: of one that queues. It is answered in any case: CLU_EV_LOCK with -ECANCELED, or with 0 when it was
	 * granted before: then it is unlocked */
	CLU_ASK_CANCEL,
	CLU_ASK_UNLOCK,			/* .lock */
	CLU_ASK_SEND,			/* .data .len_bytes, valid until the next step */
	CLU_ASK_GOODBYE,		/* leave the group, let everything go */
	/* of the hands */
	/* .slot: judge the members once more, read this slot's bitmap, make the array */
	CLU_ASK_LOAD,
	CLU_ASK_ARRAY,			/* .array: step the array with it, then CLU_EV_ARRAY. The last ask of a step */
	/* .message NEWDISK or RE_ADD: another node adds this disk: open it, ARR_EV_ADD is_by_peer, then CLU_EV_SEEN.
	 * That other one has the token until then: it must not wait behind an errand of ours that waits for the token
	 * */
	CLU_ASK_SEE,
	CLU_ASK_FORGET,			/* .message REMOVE: ARR_EV_REMOVE is_by_peer, close it; CLU_EV_SEEN */
	/* .pins .pin_count .spares .spare_count: arr_set_pins(), arr_set_spares(), before the array is stepped again */
	CLU_ASK_PINS,
	CLU_ASK_TOKEN_TAKEN,		/* .rc 0: an errand has the token, superblocks were read; else refused */
	CLU_ASK_TOLD,			/* .rc: the worst answer; .err: who said it */
	CLU_ASK_UP,			/* all others know us */
	CLU_ASK_REFUSED,		/* .err: we are not let in */
	CLU_ASK_FAILED,			/* .err: LOST: why; clients are told */
};

struct clu_ask {
	enum clu_ask_kind kind;
	struct clu_lock lock;
	bool may_queue;
	uint32_t slot, len_bytes;
	const uint8_t *data;
	struct arr_event array;
	const struct clu_message *message;	/* valid until the next step, of SEE and FORGET until CLU_EV_SEEN */
	const uint32_t *pins, *spares;
	uint32_t pin_count, spare_count;
	int rc;
	struct err err;
};

struct clu_out {
	uint32_t count;
	struct clu_ask asks[CLU_ASKS_MAX];
};

/* ---- one node ---- */

struct clu;

struct clu_config {
	uint64_t node_id;		/* unlike every other node's, also a former one's */
	char name[CLU_NODE_NAME_BYTES];	/* for people */
	uint32_t nodes;			/* slots that there are */
};

struct clu *clu_new(const struct clu_config *config);	/* NULL without memory */
struct clu *clu_free(struct clu *c);

/* @a: the running array, or NULL before CLU_EV_LOADED and after its stop. @out is overwritten. */
void clu_step(struct clu *c, const struct arr *a, const struct clu_event *ev, uint64_t now_ms, struct clu_out *out);
uint64_t clu_next_timer_ms(const struct clu *c);	/* CLU_EV_TIMER at the latest then; UINT64_MAX: no need */

/* ---- looking in ---- */

enum clu_state {
	CLU_OUT, CLU_GROUP, CLU_TOKEN, CLU_SLOT, CLU_LOAD, CLU_HELLO, CLU_UP, CLU_HELD, CLU_LEAVING, CLU_LOST,
};
const char *clu_state_name(enum clu_state state);	/* "out", "joining", ..., "up", "held", "leaving", "lost" */

/* What is known of a slot's owner. */
enum clu_peer_state {
	CLU_P_NONE,			/* nobody, and its bits were looked at */
	CLU_P_UNKNOWN,			/* nobody we know: its lock is being asked for */
	CLU_P_US,
	CLU_P_UP,
	CLU_P_LEAVING,			/* said BYE */
	CLU_P_GONE,			/* left the group without a word; not dead for sure yet */
	CLU_P_TAKING,			/* dead for sure: its bits are being merged into ours */
};
const char *clu_peer_state_name(enum clu_peer_state state);

struct clu_status {
	enum clu_state state;
	uint32_t slot;			/* UINT32_MAX: none yet */
	uint32_t nodes;
	bool has_quorum, has_token, has_resync;
	enum clu_message_type sending;	/* valid while @waits_for */
	uint64_t waits_for;		/* mask of slots that have not acknowledged it */
	uint64_t messages_sent, messages_processed;
	struct clu_peer {
		enum clu_peer_state state;
		uint64_t node_id;
		char name[CLU_NODE_NAME_BYTES];
		struct clu_range resyncing;	/* what it copies; high 0: nothing */
	} peers[CLU_NODES_MAX];
	char last_event[256];		/* one sentence: the last thing that happened to the cluster */
};
void clu_get_status(const struct clu *c, struct clu_status *ret_status);

#endif
