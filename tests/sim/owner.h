/* The owner of external metadata, as a process beside the array: what it has on record, what it is doing. */
#ifndef TESTS_SIM_OWNER_H
#define TESTS_SIM_OWNER_H

#include <stdbool.h>
#include <stdint.h>

#include "event.h"

enum { OWNER_MEMBERS = 6 };

/* Durable and in one piece: a store is done or not. */
struct sim_record {
	uint64_t stores;
	bool is_dirty;
	uint64_t resync_sectors;	/* below this members agree; UINT64_MAX: everywhere */
	struct sim_recorded {
		bool is_known, is_recovering, is_by_bits;
		uint16_t role;		/* slot, or ARR_ROLE_FAULTY */
		uint64_t stores;	/* when it was in a slot last */
		uint64_t recovery_sectors;
		bool returns_by_bits;	/* out: no bit was cleared since that it would need */
	} of[OWNER_MEMBERS];
};

struct sim_owner {
	struct sim_record record, next;	/* next: what it saw and is about to store */
	enum { OWNER_WATCHES, OWNER_LOOKED, OWNER_ANSWERS } phase;
	bool is_asked, is_asleep;
	bool keeps_bits;		/* EV_CAN_CLEAR: somebody else decides about that */
	uint64_t blocked;		/* entries that it saw blocked */
	bool is_joining, is_decided;	/* a command: @joiner comes back; that is on record */
	bool may_copy_all;
	uint32_t joiner;
};

struct sim_world;
struct sim_member;
struct super;
struct asm_options;

void owner_begins(struct sim_world *w);			/* the array was created */
bool owner_is_ready(struct sim_world *w);		/* it can do something now */
void owner_goes_on(struct sim_world *w, bool by_lot);	/* one thing */
void owner_ends(struct sim_world *w, bool is_cut);	/* what it was doing; the record stays */
/* What a superblock of this member would say, if there were any; false: the owner does not know it. */
bool owner_super(const struct sim_world *w, const struct sim_record *r, const struct sim_member *m, struct super *ret);
bool owner_brings_back(const struct sim_world *w, const struct sim_member *m);	/* by the bits */

bool owner_return(struct sim_world *w, const struct sim_event *e);		/* EV_ADD, EV_READD */
bool owner_event(struct sim_world *w, const struct sim_event *e);		/* EV_OWNER, EV_CAN_CLEAR */

/* owner_start.c: may these start? The plan stays in w->plan. Then: do it, 0 or a code. */
void owner_judge(struct sim_world *w, uint32_t chosen, const struct asm_options *o);
int owner_start(struct sim_world *w, const struct asm_options *o);

#endif
