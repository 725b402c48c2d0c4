/* Three nodes that write one mirror of two members, each with its own bitmap: what a cluster must get right, small enough
 * that spin can visit every order in which it may happen.
 *
 * One chunk, two copies: @pin, which is read, and @leg. A write changes one after the other, in either order, and marks the
 * chunk in the writer's slot first. Nodes start, take the lowest slot whose lock is free, say hello, write, are thrown out
 * of the group, are fenced or hear of it and end, come back in another slot, take over what the dead left, copy under the
 * resync lock inside a window that the others leave alone, lose their quorum for a while, and leave.
 *
 * Words: a node is *gone* when the group goes on without it. It may not know, and writes on: a *zombie*. Fenced, it executes
 * nothing any more, and only then others get its locks. A node that is paused is one that spin does not choose for a while;
 * a crash is a node that is gone and never chosen again before it is fenced.
 *
 * Laws (the words of src/base/law.def and the cluster's design):
 *   C1  where the copies differ some slot has the bit, on disk
 *   C2  a slot is cleared by another node only when the other node's slot has the bit, on disk
 *   C3  one node copies at a time, and nobody else writes inside its window
 *   C4  a slot has one owner, who has its lock, and only the holder of a slot's lock writes it
 *   C5  a node that has heard that it lost group or quorum writes nothing
 *   I9  when nothing can happen any more, nobody waits, nothing is left alone, no bit is set, and the copies are equal
 *
 * Left out: failing members, superblocks and their token (a joiner's token alone is here), more chunks than one, the sweep's
 * several steps, and that a synchronous message takes time to be told to a joiner: the simulator has these.
 *
 * Each -D below plants one mistake, and nodes_keep_the_laws_in_every_order.py demands that spin finds it. */

#ifndef STARTS
#define STARTS 4	/* of nodes, coming back included */
#endif
#ifndef FAULTS
#define FAULTS 2	/* nodes thrown out, quorums lost, nodes that leave */
#endif
#ifndef WRITES
#define WRITES 2
#endif
#define N 3

#define BIT(i) (1 << (i))
#define HAS(mask, i) (((mask) >> (i)) & 1)

/* How far a node is with joining, a write, copying, a dead node's slot. 0 is where everything begins. */
#define GROUP 1
#define TOKEN 2
#define LOAD 3
#define HELLO 4
#define UP 5

#define MARKED 1
#define STABLE 2

#define LOCKED 1
#define ASKING 2
#define OPEN 3
#define READ 4
#define WRITTEN 5
#define CLOSING 6

#define GRANTED 1
#define MERGED 2
#define SAFE 3
#define CLEAR 4

typedef node_t {
	bit alive;		/* executes */
	bit member;		/* of the group that goes on */
	bit told;		/* has heard that it is no member */
	bit held;		/* has heard that there is no quorum */
	byte join;
	byte slot;
	bit mem, needed;	/* the chunk in the image of the own slot; the chunk is to be copied */
	byte write;
	bit value, pin_to_do, leg_to_do;
	byte sync;
	bit copy;
	byte owed;		/* slots that have not acknowledged our message yet */
	byte opens, closes;	/* slots whose owner's message we have not looked at yet: leave my window alone, and no more */
	byte drain;		/* slots whose owner's window we leave alone as soon as our write is done */
	byte left_alone;	/* slots whose owner's window we leave alone */
	byte wanted;		/* slots without a known owner: their lock is asked for */
	byte take;
	byte taking;
}

bit pin, leg;			/* the two copies */
bit disk[N];			/* the chunk's bit in each slot, durable on the members */
byte lock[N];			/* of each slot: its holder + 1 */
byte resync, token;		/* the same of the other two locks */
byte writer;			/* who above us may write now: never two nodes at once */
node_t node[N];
byte starts = STARTS, faults = FAULTS, writes = WRITES;

/* Always 0: their names tell which law an assertion was about. */
hidden byte C1, C2, C3, C4, C5, I9;

#define me node[n]
#define is_up(x) (node[x].alive && node[x].join == UP)
#define is_peer(x) (is_up(x) && node[x].member)
#define is_zombie(x) (node[x].alive && !node[x].member)

#define COVERED (pin == leg || disk[0] || disk[1] || disk[2])
#define window_of(x) (node[x].alive && (node[x].sync == OPEN || node[x].sync == READ || node[x].sync == WRITTEN))

#ifdef WRITE_AFTER_LOSS
#define may_write true
#else
#define may_write (!me.told && !me.held)
#endif

#ifdef UNKNOWN_IS_NOBODY
#define all_known true
#else
#define all_known (me.wanted == 0)
#endif

/* That a node is gone is heard behind what it said. */
#ifdef DEATH_OVERTAKES
#define in_order true
#else
#define in_order (!me.opens && !me.closes)
#endif

/* May the sweep clear the bit? */
#ifdef SWEEP_EARLY
#define is_quiet (me.write != MARKED)
#else
#define is_quiet (me.write == 0)
#endif

#ifdef NO_RESYNC_LOCK
#define may_copy true
#else
#define may_copy is_free(resync)
#endif

#ifdef NO_FENCE_WAIT
#define is_free(l) (l == 0 || is_zombie(l - 1))
#else
#define is_free(l) (l == 0)
#endif

/* A write by node n at the moment when it is issued: to a slot, to the data. */
#define slot_law(s) \
	assert((!me.told && !me.held) || C5); \
	assert(lock[s] == n + 1 || C4)
#define data_law() \
	slot_law(me.slot); \
	assert(!others_window || C3)
#define others_window ((n != 0 && window_of(0)) || (n != 1 && window_of(1)) || (n != 2 && window_of(2)))

inline let_go(x)
{
	for (i : 0 .. N - 1) {
		if
		:: lock[i] == x + 1 -> lock[i] = 0
		:: else
		fi
	}
	i = 0;
	if
	:: resync == x + 1 -> resync = 0
	:: else
	fi
	if
	:: token == x + 1 -> token = 0
	:: else
	fi
	if
	:: writer == x + 1 -> writer = 0
	:: else
	fi
}

/* Everything that a process knew ends with it. */
inline ends(x)
{
	let_go(x);
	node[x].alive = 0;
	node[x].member = 0;
	node[x].told = 0;
	node[x].held = 0;
	node[x].join = 0;
	node[x].slot = 0;
	node[x].mem = 0;
	node[x].needed = 0;
	node[x].write = 0;
	node[x].value = 0;
	node[x].pin_to_do = 0;
	node[x].leg_to_do = 0;
	node[x].sync = 0;
	node[x].copy = 0;
	node[x].owed = 0;
	node[x].opens = 0;
	node[x].closes = 0;
	node[x].drain = 0;
	node[x].left_alone = 0;
	node[x].wanted = 0;
	node[x].take = 0;
	node[x].taking = 0
}

/* Slot @zone has nobody whom the others know: each of them asks for its lock. */
inline is_wanted(zone, but)
{
	for (i : 0 .. N - 1) {
		if
		:: i != but && is_peer(i) -> node[i].wanted = node[i].wanted | BIT(zone)
		:: else
		fi
	}
	i = 0
}

#define own_window(i) ((node[i].sync >= ASKING && node[i].sync <= WRITTEN) -> BIT(node[i].slot) : 0)
/* What node i has not looked at yet came before the hello, and its answer knows it. */
#define answer(i) (((node[i].left_alone | node[i].opens) & ~node[i].closes) | own_window(i))

/* A newcomer at slot me.slot: whoever had it is dead, or the lock were not ours. */
inline hello()
{
	me.wanted = 7 & ~BIT(me.slot);
	for (i : 0 .. N - 1) {
		if
		:: i != n && is_peer(i) ->
			node[i].wanted = node[i].wanted & ~BIT(me.slot);
			node[i].left_alone = node[i].left_alone & ~BIT(me.slot);
			node[i].opens = node[i].opens & ~BIT(me.slot);
			node[i].closes = node[i].closes & ~BIT(me.slot);
			node[i].drain = node[i].drain & ~BIT(me.slot);
			node[i].owed = node[i].owed & ~BIT(me.slot);
			me.wanted = me.wanted & ~BIT(node[i].slot);
			me.left_alone = me.left_alone | answer(i)
		:: else
		fi
	}
	i = 0;
	me.left_alone = me.left_alone & ~BIT(me.slot)
}

/* A message to all, about our window. It is done when nobody owes an answer: members give one, the gone are waited for until
 * they are dead for sure. */
inline send()
{
#ifdef GONE_OWE_NOTHING
	me.owed = 0;
#else
	me.owed = me.wanted;
#endif
	for (i : 0 .. N - 1) {
		if
		:: i != n && is_peer(i) ->
			if
			:: me.sync == ASKING -> node[i].opens = node[i].opens | BIT(me.slot)
			:: else -> node[i].closes = node[i].closes | BIT(me.slot)
			fi;
			me.owed = me.owed | BIT(node[i].slot)
		:: else
		fi
	}
	i = 0
}

/* The owners of these slots hear that we have done what they asked for. */
inline acknowledge(slots)
{
	for (i : 0 .. N - 1) {
		if
		:: i != n && is_up(i) && HAS(slots, node[i].slot) -> node[i].owed = node[i].owed & ~BIT(me.slot)
		:: else
		fi
	}
	i = 0
}

proctype machine(byte n)
{
	byte i;

	do
	/* Join: group, token, slot, bits, hello. */
	:: d_step { !me.alive && starts > 0 -> starts--; me.alive = 1; me.member = 1; me.join = GROUP }
	:: d_step { me.join == GROUP && me.member && token == 0 -> token = n + 1; me.join = TOKEN }
	:: d_step { me.join == TOKEN && me.member && (is_free(lock[0]) || is_free(lock[1]) || is_free(lock[2])) ->
		if
#ifdef EARLY_SLOT
		:: lock[0] == 0 || !is_peer(lock[0] - 1) -> me.slot = 0
#else
		:: is_free(lock[0]) -> me.slot = 0
#endif
		:: else ->
			if
			:: is_free(lock[1]) -> me.slot = 1
			:: else -> me.slot = 2
			fi
		fi;
		lock[me.slot] = n + 1;
		me.join = LOAD }
	:: d_step { me.join == LOAD ->
#ifndef FORGETFUL
		me.mem = disk[me.slot];
		me.needed = disk[me.slot];
#endif
		me.join = HELLO }
	:: d_step { me.join == HELLO && me.member && !me.told -> hello(); me.join = UP; token = 0 }

	/* A write: admit and mark, make it stable, both copies, done. */
	:: d_step { me.join == UP && me.write == 0 && writes > 0 && writer == 0 && me.left_alone == 0 && may_write &&
		(me.sync == 0 || me.sync == LOCKED) && all_known -> writes--; writer = n + 1; me.write = MARKED; me.mem = 1; me.value = 1 - pin }
	:: d_step { me.write == MARKED && may_write ->
		slot_law(me.slot);
		disk[me.slot] = 1; me.write = STABLE; me.pin_to_do = 1; me.leg_to_do = 1 }
	:: d_step { me.pin_to_do && may_write -> data_law(); pin = me.value; me.pin_to_do = 0; assert(COVERED || C1) }
	:: d_step { me.leg_to_do && may_write -> data_law(); leg = me.value; me.leg_to_do = 0; assert(COVERED || C1) }
	:: d_step { me.write == STABLE && !me.pin_to_do && !me.leg_to_do -> me.write = 0; me.value = 0; writer = 0 }

	/* The sweep. */
	:: d_step { me.join == UP && me.mem && !me.needed && is_quiet && me.sync == 0 && me.take == 0 &&
		may_write ->
		slot_law(me.slot);
		me.mem = 0; disk[me.slot] = 0; assert(COVERED || C1) }

	/* Copying, under the resync lock, inside a window. */
	:: d_step { me.join == UP && me.needed && me.sync == 0 && me.member && may_copy ->
		resync = n + 1; me.sync = LOCKED }
	:: d_step { me.sync == LOCKED && may_write && me.member && me.owed == 0 -> me.sync = ASKING; send() }
	:: d_step { me.sync == ASKING && me.owed == 0 && me.write == 0 && may_write ->
		me.sync = OPEN;
		assert(!others_window || C3) }
	:: d_step { me.sync == OPEN && may_write -> me.copy = pin; me.needed = 0; me.sync = READ }
	:: d_step { me.sync == READ && may_write -> data_law(); leg = me.copy; me.copy = 0; me.sync = WRITTEN;
		assert(COVERED || C1) }
	:: d_step { me.sync == WRITTEN && may_write && me.member -> me.sync = CLOSING; send() }
	:: d_step { me.sync == CLOSING && me.owed == 0 -> me.sync = 0; resync = 0 }

	/* Messages of the others. */
	:: d_step { me.join == UP && me.member && !me.held && me.opens ->
#ifndef NO_SUSPEND
		me.left_alone = me.left_alone | me.opens;
#endif
		me.drain = me.drain | me.opens; me.opens = 0 }
	:: d_step { me.drain && me.write == 0 && me.member -> acknowledge(me.drain); me.drain = 0 }
	:: d_step { me.join == UP && me.member && !me.held && me.closes ->
		me.left_alone = me.left_alone & ~me.closes; acknowledge(me.closes); me.closes = 0 }

	/* The slot of a dead node: merge, make it durable, clear, let go. */
	:: d_step { me.join == UP && me.take == 0 && me.member && me.wanted && in_order &&
		((HAS(me.wanted, 0) && is_free(lock[0])) || (HAS(me.wanted, 1) && is_free(lock[1])) ||
		 (HAS(me.wanted, 2) && is_free(lock[2]))) ->
		if
		:: HAS(me.wanted, 0) && is_free(lock[0]) -> me.taking = 0
		:: else ->
			if
			:: HAS(me.wanted, 1) && is_free(lock[1]) -> me.taking = 1
			:: else -> me.taking = 2
			fi
		fi;
		lock[me.taking] = n + 1;
		me.take = GRANTED }
#ifdef CLEAR_FIRST
	:: d_step { me.take == GRANTED && may_write ->
		if
		:: disk[me.taking] -> me.mem = 1; me.needed = 1; slot_law(me.taking); me.take = MERGED;
			assert(disk[me.slot] || C2); disk[me.taking] = 0
		:: else -> me.take = CLEAR
		fi }
	:: d_step { me.take == MERGED && may_write -> slot_law(me.slot); disk[me.slot] = me.mem; me.take = CLEAR }
#else
	:: d_step { me.take == GRANTED && may_write ->
		if
		:: disk[me.taking] -> me.mem = 1; me.needed = 1; me.take = MERGED
		:: else -> me.take = CLEAR
		fi }
	:: d_step { me.take == MERGED && may_write -> slot_law(me.slot); disk[me.slot] = me.mem; me.take = SAFE }
	:: d_step { me.take == SAFE && may_write ->
		slot_law(me.taking);
		assert(!disk[me.taking] || disk[me.slot] || C2);
		disk[me.taking] = 0; me.take = CLEAR; assert(COVERED || C1) }
#endif
	:: d_step { me.take == CLEAR ->
		me.left_alone = me.left_alone & ~BIT(me.taking);
		me.drain = me.drain & ~BIT(me.taking);
		me.owed = me.owed & ~BIT(me.taking);
		me.wanted = me.wanted & ~BIT(me.taking);
		if
		:: lock[me.taking] == n + 1 -> lock[me.taking] = 0
		:: else
		fi;
		me.take = 0; me.taking = 0 }

	/* Leaving in order; with work undone the others take the slot as if its owner had died. */
	:: d_step { me.join == UP && faults > 0 && me.member && me.write == 0 && me.sync == 0 && me.take == 0 &&
		!me.opens && !me.closes && !me.drain && may_write ->
		faults--;
		if
		:: me.needed -> is_wanted(me.slot, n)
		:: else -> slot_law(me.slot); disk[me.slot] = 0; assert(COVERED || C1)
		fi;
		for (i : 0 .. N - 1) {
			if
			:: i != n && is_peer(i) -> node[i].owed = node[i].owed & ~BIT(me.slot)
			:: else
			fi
		}
		i = 0;
		ends(n) }

	/* Thrown out, and it knows: nothing is written any more, the run ends. */
	:: d_step { me.told -> ends(n) }

	:: timeout -> break
	od
}

/* What befalls node x: it is thrown out, then fenced or told; it loses its quorum, and has it back. */
proctype world(byte x)
{
	byte i;

	do
	:: d_step { faults > 0 && node[x].alive && node[x].member ->
		faults--;
		node[x].member = 0;
		node[x].opens = 0;
		node[x].closes = 0;
		if
		:: node[x].join == UP -> is_wanted(node[x].slot, x)
		:: else
		fi }
	:: d_step { is_zombie(x) && !node[x].told -> ends(x) }
	:: d_step { is_zombie(x) && !node[x].told -> node[x].told = 1 }
	:: d_step { faults > 0 && is_peer(x) && !node[x].held -> faults--; node[x].held = 1 }
	:: d_step { node[x].held && node[x].member -> node[x].held = 0 }
	:: d_step { x == 0 && faults > 0 -> faults = 0 }
	:: d_step { x == 0 && starts > 0 -> starts = 0 }
	:: timeout -> break
	od
}

#define at_rest(x) (!node[x].alive || (node[x].join == UP && node[x].write == 0 && node[x].sync == 0 && \
	node[x].take == 0 && !node[x].mem && !node[x].needed && !node[x].owed && !node[x].opens && !node[x].closes && !node[x].drain && \
	!node[x].left_alone && !node[x].wanted))

init {
	atomic {
		run machine(0); run machine(1); run machine(2);
		run world(0); run world(1); run world(2)
	}
	timeout -> assert((at_rest(0) && at_rest(1) && at_rest(2) && writer == 0) || I9);
	assert(COVERED || C1);
	assert(pin == leg || !(is_up(0) || is_up(1) || is_up(2)) || I9)
}
