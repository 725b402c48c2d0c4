/* Inside the brain of a cluster: its state, and what its files ask of each other.
 *
 * Every step is the same: the event is *noted* (it changes tables, nothing more), then the *pump* asks every machine
 * whether it can go on, in a fixed order, until none can. What a machine does ends in asks. The array is stepped by the
 * last ask of a step, so the pump stops there and goes on with CLU_EV_ARRAY.
 *
 *   join.c     from OUT to UP                       token.c   superblocks: lock, look, announce, errands
 *   receive.c  messages of others, in order         sync.c    the sync lock, and the range that others leave alone
 *   send.c     our one synchronous message          gather.c  the bits of all slots, for a recovery by bitmap
 *   recover.c  the slots of the dead                hold.c    quorum, loss, the end
 *   offer.c    disks that others add, until they are recorded
 */
#ifndef UMD_CLUSTER_INSIDE_H
#define UMD_CLUSTER_INSIDE_H

#include "base/list.h"
#include "base/text.h"
#include "cluster/cluster.h"

#include <string.h>

#define CLU_NO_SLOT UINT32_MAX

enum {
	CLU_GROUP_MAX = 4 * CLU_NODES_MAX,	/* members of the group, those without a slot included */
	CLU_SENDS_BYTES = 32 << 10,		/* what is sent in one step */
	CLU_MAIL_MAX = 8 * CLU_NODES_MAX,	/* messages that wait here: more than nodes can have under way */
	CLU_JOIN_AGAIN_MS = 100,		/* a slot's lock may be with who takes its bits over */
	CLU_JOIN_MS = 30000,
	CLU_TAKE_AGAIN_MS = 1000,
};

enum clu_hold {
	CLU_L_NONE,
	CLU_L_ASKED,
	CLU_L_HELD,
	CLU_L_CANCELLED,			/* its answer is still to come */
};

struct clu_slot {
	enum clu_peer_state state;
	uint64_t node_id;			/* of the owner, or of the last one; 0: never known */
	char name[CLU_NODE_NAME_BYTES];
	struct clu_range range;			/* as suspended here; high 0: none */
	enum clu_hold lock;
	bool is_dead;				/* GONE, TAKING: somebody was granted the lock, us or another one */
	bool writes_no_more;			/* UNKNOWN: whoever had it last */
	bool has_left;				/* it said so, though that may not be processed yet */
	bool is_read;				/* ... and superblocks were read since */
	bool is_given_up;			/* UNKNOWN: this array cannot take it */
	uint64_t again_ms;			/* UNKNOWN: not asked for before */
	/* RESYNCING that is acknowledged when its range is left alone; 0: none */
	uint64_t drain_seq;
};

struct clu_mail {
	struct list link;
	uint64_t from;
	bool is_old;				/* from before our HELLO */
	bool is_reload_asked, is_seeing, is_seen;
	int seen_rc;
	struct clu_message m;
};

struct clu_wait {
	uint64_t node_id;
	uint32_t slot;				/* CLU_NO_SLOT: none that we know */
};

struct clu_sending {
	bool is_on, is_delivered;
	struct clu_message m;
	uint32_t wait_count;
	struct clu_wait waits[CLU_GROUP_MAX + CLU_NODES_MAX];
	int rc;					/* the first negative answer */
	char refused_by[CLU_NODE_NAME_BYTES];
};

/* What was seen of the array in this step. */
struct clu_view {
	bool is_there;				/* it runs: not stopped */
	bool is_reloading, is_broken, is_stopping;
	bool is_unrecorded;			/* superblocks do not say yet what is known of members */
	int take;
	uint64_t take_bits;			/* found in the slot taken last */
	uint64_t size_bytes;
	struct arr_wants wants;
};

enum clu_errand { CLU_E_NONE, CLU_E_WAITS, CLU_E_HAS };

struct clu {
	struct clu_config config;
	enum clu_state state;
	uint32_t slot;
	uint64_t now_ms;
	bool is_without_quorum, was_in_group, is_failed_told;
	bool is_unfinished;			/* the last step had no room for more */
	uint64_t seq, messages_sent, messages_processed;
	char last_event[256];

	/* the step now running */
	const struct arr *a;
	struct clu_view view;
	struct clu_out *out;
	bool is_array_asked;			/* until CLU_EV_ARRAY */
	uint32_t sends_used;
	uint8_t sends[CLU_SENDS_BYTES];

	struct clu_group_member {
		uint64_t node_id;
		bool has_hello;			/* it has said it, with a slot: what comes later waits for it */
		bool has_left;			/* said so; CONFIG follows */
	} group[CLU_GROUP_MAX];
	uint32_t group_count;
	struct clu_slot slots[CLU_NODES_MAX];
	uint64_t departures;			/* nodes that died or left, since the start */
	struct list mail;			/* struct clu_mail.link, in order of delivery */
	uint32_t mail_count;
	struct clu_sending sending;

	/* join.c */
	bool is_over;				/* it left or was refused: no second life */
	bool is_group_asked, is_try_asked, is_owners_asked, is_hello_said;
	bool is_hello_delivered;
	uint32_t try_slot;
	uint64_t join_again_ms, join_until_ms;
	struct {
		struct clu_range ranges[CLU_NODES_MAX];		/* by slot; high 0: none */
		bool is_of_owner[CLU_NODES_MAX];
		uint64_t looked, dead;
		uint32_t pins[ARR_MEMBERS_MAX], pin_count, next_range, owners;
		uint32_t spares[ARR_MEMBERS_MAX], spare_count;
		bool is_over, is_told;		/* told: by somebody whose array runs */
	} hello;

	/* token.c */
	enum clu_hold token;
	bool array_has_token, is_announcing, is_announced;
	enum clu_errand errand;
	bool has_tell, is_tell_said;
	struct clu_message tell;

	/* sync.c, gather.c */
	enum clu_hold resync;
	bool array_has_sync, is_telling_window, is_window_told, is_first_round_over;
	struct clu_range range;			/* ours, as delivered to all */
	struct {
		bool is_on, is_taking, is_lock_over, is_barrier_sent;
		uint32_t next, lock;		/* slot now read; whose lock was asked for, or CLU_NO_SLOT */
		uint64_t departures;
		uint64_t again_ms;
	} gather;

	/* offer.c */
	struct {
		bool is_on, is_over, is_read_asked, is_forgetting;
		uint64_t node_id;		/* who adds it */
		struct clu_message forget;
	} offer;

	/* recover.c */
	uint32_t taking;			/* slot that the array takes for us, or CLU_NO_SLOT */

	/* hold.c */
	bool is_hold_told, is_lost_told;
	bool leaves_work;			/* as it was when the array was last seen */
};

/* ---- asks (ask.c) ---- */

struct clu_ask *clu_ask(struct clu *c, enum clu_ask_kind kind);
void clu_ask_lock(struct clu *c, struct clu_lock lock, bool may_queue);
void clu_ask_unlock(struct clu *c, struct clu_lock lock);
void clu_ask_array(struct clu *c, struct arr_event ev);		/* the last one: the pump stops */
bool clu_has_room(const struct clu *c);			/* for what one machine may ask, and an array's event */
#define clu_note(c, ...) text_fit((c)->last_event, sizeof (c)->last_event, __VA_ARGS__)
static inline struct clu_lock clu_slot_lock(uint32_t slot)
{
	return (struct clu_lock){ .kind = CLU_LOCK_SLOT, .slot = slot };
}

/* ---- tables (table.c) ---- */

struct clu_group_member *clu_member(struct clu *c, uint64_t node_id);	/* NULL: not in the group */
/* Its lock was granted to somebody since, or its last owner has left: whom we may not know. */
static inline bool clu_writes_no_more(const struct clu_slot *s)
{
	if (s->state == CLU_P_UNKNOWN)
		return s->writes_no_more;
	return s->is_dead || s->state == CLU_P_NONE || s->state == CLU_P_TAKING || s->state == CLU_P_LEAVING;
}
void clu_said_hello(struct clu *c, uint64_t node_id);
uint32_t clu_slot_of(const struct clu *c, uint64_t node_id);		/* of its owner now; CLU_NO_SLOT */
const char *clu_node_text(const struct clu *c, uint32_t slot);
void clu_config_came(struct clu *c, const uint64_t *nodes, uint32_t count);
void clu_owner_came(struct clu *c, uint32_t slot, uint64_t node_id, const char *name);
void clu_owner_went(struct clu *c, uint32_t slot, enum clu_peer_state state);
void clu_lock_came(struct clu *c, struct clu_lock lock, int rc);
void clu_view_take(struct clu *c);			/* array_view.c */

/* ---- messages ---- */

void clu_send(struct clu *c, struct clu_message *m);	/* fills in slot and seq; nobody answers */
void clu_say(struct clu *c, const struct clu_message *m);	/* synchronous; only while !clu_is_saying() */
static inline bool clu_is_saying(const struct clu *c) { return c->sending.is_on; }
void clu_own_came(struct clu *c, const struct clu_message *m);
void clu_ack_came(struct clu *c, uint64_t from, const struct clu_message *m);
void clu_wait_no_more(struct clu *c, uint64_t node_id);	/* it acknowledged, left, or is dead for sure */
void clu_wait_review(struct clu *c);			/* after CONFIG: who went without ever having had a slot */
void clu_message_came(struct clu *c, uint64_t from, const uint8_t *data, size_t len_bytes);
void clu_seen_came(struct clu *c, int rc);
void clu_mail_drop(struct clu *c, struct clu_mail *mail);

/* ---- machines: true when something was done ---- */

bool clu_pump_hold(struct clu *c);
bool clu_pump_send(struct clu *c);
bool clu_pump_mail(struct clu *c);
bool clu_pump_drains(struct clu *c);
bool clu_pump_offer(struct clu *c);
bool clu_pump_join(struct clu *c);
bool clu_pump_token(struct clu *c);
bool clu_pump_dead(struct clu *c);
bool clu_pump_take(struct clu *c);
bool clu_pump_gather(struct clu *c);
bool clu_pump_sync(struct clu *c);

/* ---- what one machine hands to another ---- */

void clu_join_begins(struct clu *c);
void clu_join_ends(struct clu *c);			/* HELLO was acknowledged by all */
void clu_loaded_came(struct clu *c, int rc);
void clu_hello_acked(struct clu *c, uint64_t from, const struct clu_message *ack);
void clu_refuse(struct clu *c, const struct err *err);	/* a joiner is not let in */
bool clu_gather_lock_came(struct clu *c, uint32_t slot, int rc);	/* it was for the gathering */
bool clu_is_settled(const struct clu *c);		/* nobody is dead or away whose slot was not looked at */
void clu_lose(struct clu *c, const struct err *err);
void clu_leave(struct clu *c);
void clu_errand_came(struct clu *c, const struct clu_event *ev);
void clu_told(struct clu *c);				/* TELL was answered by all */
void clu_offer_came(struct clu *c, const struct clu_mail *mail);	/* and we have said yes */
bool clu_offer_is_open(struct clu *c);		/* one before; its errand has ended */
bool clu_offer_forgotten(struct clu *c);		/* CLU_EV_SEEN was the answer to ours */
void clu_errand_refuse(struct clu *c, const char *why);	/* who waits for token or answers is told */

#endif
