/* The cluster as one node's array sees it: what it wants is answered at once, or when a test says so.
 *
 * begin_node() makes an array whose every want is answered by a cluster in which nobody else is up. A test takes some
 * of that into its own hands (mute()) and plays the other nodes: what they wrote into superblocks (w.disk), what they
 * left in their slots, what they ask for. Every answer is a word of the score, so that a test sees what was wanted
 * when:
 *
 *	TOKEN token  ANNOUNCE  SYNC sync  GATHERED  WINDOW0+10 (lower case: given back; chunks of the range) */
#ifndef TESTS_UNIT_ARRAY_NODE_H
#define TESTS_UNIT_ARRAY_NODE_H

#include "hands.h"

enum { NODES = 4, W_TOKEN = 1, W_ANNOUNCE = 2, W_SYNC = 4, W_GATHER = 8, W_WINDOW = 16 };

static struct {
	unsigned mute;			/* wants that are not answered */
	bool has_token, has_sync, is_gathering;
	uint32_t next_slot;		/* to be gathered */
	uint64_t dead;			/* mask of slots that a gathering may clear */
	bool is_answering;
} w_cluster;

static int say(struct arr_event ev)
{
	return step(&ev);
}

static void tell_note(const char *word)
{
	note(word, 0);
}

/* One answer; false: nothing more is wanted. */
static bool answer_token(const struct arr_wants *want)
{
	if (want->token == w_cluster.has_token || w_cluster.mute & W_TOKEN)
		return false;
	w_cluster.has_token = want->token;
	tell_note(want->token ? "TOKEN" : "token");
	say((struct arr_event){ .kind = ARR_EV_TOKEN, .value = want->token });
	return true;
}

static bool answer_announce(const struct arr_wants *want)
{
	if (!want->announce || w_cluster.mute & W_ANNOUNCE)
		return false;
	tell_note("ANNOUNCE");
	say((struct arr_event){ .kind = ARR_EV_ANNOUNCED });
	return true;
}

static bool answer_sync(const struct arr_wants *want)
{
	if (want->sync == w_cluster.has_sync || w_cluster.mute & W_SYNC)
		return false;
	w_cluster.has_sync = want->sync;
	tell_note(want->sync ? "SYNC" : "sync");
	say((struct arr_event){ .kind = ARR_EV_SYNC_LOCK, .value = want->sync });
	return true;
}

static bool answer_window(const struct arr_wants *want)
{
	char word[40];

	if (!want->window || w_cluster.mute & W_WINDOW)
		return false;
	snprintf(word, sizeof word, "WINDOW%llu+%llu", (unsigned long long)want->window_at / CHUNK,
		 (unsigned long long)want->window_len / CHUNK);
	tell_note(word);
	say((struct arr_event){ .kind = ARR_EV_WINDOW, .at = { want->window_at }, .len_bytes = want->window_len });
	return true;
}

/* Slot after slot, as the brain does. */
static bool answer_gather(const struct arr_wants *want)
{
	struct arr_event ev = { .kind = ARR_EV_TAKE_SLOT, .node = w_cluster.next_slot };

	if (!want->gather || w_cluster.mute & W_GATHER || status()->take == ARR_CHANGE_RUNS)
		return false;
	if (w_cluster.next_slot == NODES) {
		w_cluster.next_slot = 0;
		tell_note("GATHERED");
		say((struct arr_event){ .kind = ARR_EV_GATHERED });
		return true;
	}
	ev.value = w_cluster.dead >> w_cluster.next_slot++ & 1;
	if (ev.node != NODE_SLOT)
		say(ev);
	return true;
}

static void answer(void)
{
	struct arr_wants want;
	bool has_answered;

	if (w_cluster.is_answering)
		return;
	w_cluster.is_answering = true;
	do {
		arr_get_wants(w.a, &want);
		has_answered = answer_token(&want) || answer_announce(&want) || answer_gather(&want) ||
			answer_window(&want) || answer_sync(&want);
	} while (has_answered);
	w_cluster.is_answering = false;
}

/* What is not answered from now on, and what was not and is now. */
UNUSED static void mute(unsigned wants)
{
	w_cluster.mute = wants;
	run();
}

/* ---- slots of others ---- */

/* An empty slot with a head, on one member. */
UNUSED static void put_slot_on(uint32_t member, uint32_t slot, uint64_t chunks)
{
	uint8_t *at = w.hands[member].media + BITMAP_AT + slot * SLOT_BYTES;
	struct bitmap_sb sb = *bm_superblock(w.bitmap);

	sb.state = 0;
	sb.events = 5;
	sb.events_cleared = 4;
	memset(at, 0, SLOT_BYTES);
	fmt_bitmap_sb_encode(&sb, at);
	for (unsigned i = 0; i < 8; i++)
		at[FMT_BITMAP_SB_BYTES + i] = (uint8_t)(chunks >> 8 * i);
}

UNUSED static void put_slot(uint32_t slot, uint64_t chunks)
{
	for (uint32_t i = 0; i < HANDS && w.hands[i].media; i++)
		put_slot_on(i, slot, chunks);
}

/* Bits of a slot on a member's medium. */
UNUSED static uint64_t slot_bits(uint32_t member, uint32_t slot)
{
	uint64_t bits = 0;

	for (uint32_t chunk = 0; chunk < 64; chunk++)
		bits |= (uint64_t)bit_in(member, slot, chunk) << chunk;
	return bits;
}

UNUSED static int take_slot(uint32_t slot, bool is_dead)
{
	return say((struct arr_event){ .kind = ARR_EV_TAKE_SLOT, .node = slot, .value = is_dead });
}

UNUSED static int suspend(uint32_t slot, uint64_t at, uint64_t len)
{
	return say((struct arr_event){ .kind = ARR_EV_SUSPEND, .node = slot, .at = { at }, .len_bytes = len });
}

/* ---- superblocks of others ---- */

/* Another node has written that @member has this role; with the next event number. */
UNUSED static void others_write(uint32_t member, uint32_t role, bool is_recovering)
{
	w.disk.events++;
	for (uint32_t i = 0; i < w.disk.member_count; i++)
		if (w.disk.members[i].member == member) {
			w.disk.members[i].role = role;
			w.disk.members[i].is_recovering = is_recovering;
			w.disk.members[i].is_claimed = true;
			return;
		}
	w.disk.members[w.disk.member_count++] = (struct arr_reload_member){ .member = member, .role = role,
		.is_recovering = is_recovering, .is_claimed = true };
}

UNUSED static int reload(bool is_dead)
{
	int rc = say((struct arr_event){ .kind = ARR_EV_RELOAD, .value = is_dead });

	run();
	return rc;
}

UNUSED static struct arr_wants wants(void)
{
	struct arr_wants want;

	arr_get_wants(w.a, &want);
	return want;
}

UNUSED static void begin_node(struct setup s)
{
	s.nodes = NODES;
	memset(&w_cluster, 0, sizeof w_cluster);
	begin(s);
	w.after_step = answer;
	for (uint32_t slot = 0; slot < NODES; slot++)
		if (slot != NODE_SLOT)
			put_slot(slot, 0);
}

#endif
