/* What nodes of a cluster say to each other, and what their brain makes of it.
 *
 * Input: events, each 1 byte kind, 1 byte who or which, and what belongs to it: a message as bytes (2 bytes length,
 * then the bytes) or as fields (7 bytes), which is then encoded. There is no array, and an engine that answers what it
 * was asked only.
 * Properties: a message that is taken is encoded to the same bytes, one that is refused has a sentence; whatever is
 * heard, a brain asks for a lock only when it has not asked before, lets go only what it has, asks the array last,
 * sends what can be decoded, and what it shows of others is harmless. */
#include <errno.h>
#include <string.h>

#include "fuzz.h"

#include "base/err.h"
#include "cluster/cluster.h"

enum { SLOTS = 4, LOCKS = SLOTS + 2, US = 1, NODES = 6, STEPS_MAX = 400 };
enum { IS_ASKED = 1, MAY_QUEUE = 2, IS_CANCELLED = 4, IS_HELD = 8 };

struct world {
	struct clu *c;
	uint8_t locks[LOCKS];
	bool is_out;
	unsigned steps;
	uint64_t now_ms;
	uint32_t own_len;			/* the last message sent: our own come back */
	uint8_t own[CLU_MESSAGE_BYTES_MAX];
	uint32_t loads;
};

static void check_message(const uint8_t *data, size_t len_bytes)
{
	uint8_t again[CLU_MESSAGE_BYTES_MAX];
	struct clu_message m;
	struct err err = { 0 };

	if (clu_message_decode(data, len_bytes, &m, &err) < 0) {
		FUZZ_MUST(fuzz_is_sentence(&err));
		return;
	}
	FUZZ_MUST(len_bytes <= CLU_MESSAGE_BYTES_MAX && clu_message_encode(&m, again) == len_bytes);
	FUZZ_MUST(!memcmp(again, data, len_bytes));
	FUZZ_MUST(clu_message_name(m.type) && fuzz_is_harmless(m.name, strlen(m.name), false));
}

static uint8_t *lock_of(struct world *w, struct clu_lock lock)
{
	FUZZ_MUST(lock.kind != CLU_LOCK_SLOT || lock.slot < SLOTS);
	return &w->locks[lock.kind == CLU_LOCK_SLOT ? 2 + lock.slot : lock.kind == CLU_LOCK_RESYNC];
}

static void check_ask(struct world *w, const struct clu_ask *ask)
{
	struct clu_message m;

	switch (ask->kind) {
	case CLU_ASK_LOCK:
		FUZZ_MUST(!*lock_of(w, ask->lock));
		*lock_of(w, ask->lock) = IS_ASKED | (ask->may_queue ? MAY_QUEUE : 0);
		break;
	case CLU_ASK_CANCEL:
		FUZZ_MUST(*lock_of(w, ask->lock) == (IS_ASKED | MAY_QUEUE));
		*lock_of(w, ask->lock) |= IS_CANCELLED;
		break;
	case CLU_ASK_UNLOCK:
		FUZZ_MUST(*lock_of(w, ask->lock) == IS_HELD);
		*lock_of(w, ask->lock) = 0;
		break;
	case CLU_ASK_SEND:
		FUZZ_MUST(clu_message_decode(ask->data, ask->len_bytes, &m, NULL) == 0);
		if (m.type != CLU_M_ACK) {
			memcpy(w->own, ask->data, ask->len_bytes);
			w->own_len = ask->len_bytes;
		}
		break;
	case CLU_ASK_GOODBYE:
		w->is_out = true;
		break;
	case CLU_ASK_LOAD:
		w->loads++;
		break;
	case CLU_ASK_REFUSED:
	case CLU_ASK_FAILED:
		FUZZ_MUST(fuzz_is_sentence(&ask->err));
		break;
	default:
		break;
	}
}

static void step(struct world *w, const struct clu_event *ev)
{
	static struct clu_out out;
	static const struct clu_event array_stepped = { .kind = CLU_EV_ARRAY };
	struct clu_status s;
	bool is_array_asked;

	do {
		if (w->steps++ > STEPS_MAX)
			return;
		clu_step(w->c, NULL, ev, w->now_ms, &out);
		is_array_asked = false;
		for (uint32_t i = 0; i < out.count; i++) {
			FUZZ_MUST(!is_array_asked);
			is_array_asked = out.asks[i].kind == CLU_ASK_ARRAY;
			check_ask(w, &out.asks[i]);
		}
		ev = &array_stepped;
	} while (is_array_asked);
	clu_get_status(w->c, &s);
	FUZZ_MUST(fuzz_is_harmless(s.last_event, strlen(s.last_event), false));
}

/* ---- events ---- */

static void hear(struct world *w, uint64_t from, const uint8_t *data, size_t len_bytes)
{
	check_message(data, len_bytes);
	step(w, &(struct clu_event){ .kind = CLU_EV_MESSAGE, .from = from, .data = data, .len_bytes = len_bytes });
}

static void hear_bytes(struct world *w, uint64_t from, struct fuzz_input *in)
{
	uint8_t data[CLU_MESSAGE_BYTES_MAX + 8];
	size_t len_bytes = fuzz_take(in, 2) % sizeof data;

	hear(w, from, data, fuzz_take_bytes(in, data, len_bytes));
}

static void hear_fields(struct world *w, uint64_t from, struct fuzz_input *in)
{
	static const uint8_t types[] = { 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19 };
	uint8_t data[CLU_MESSAGE_BYTES_MAX];
	struct clu_message m = { .type = types[fuzz_take(in, 1) % sizeof types], .name = "n" };

	m.slot = fuzz_take(in, 1) % (SLOTS + 2);
	if (m.slot > SLOTS)
		m.slot = UINT32_MAX;
	m.seq = fuzz_take(in, 1);
	m.high = 4096 * (m.low = fuzz_take(in, 1));
	m.number = fuzz_take(in, 1) % SLOTS;
	m.to_node = fuzz_take(in, 1) % NODES;
	m.to_seq = fuzz_take(in, 1) % 8;
	if (m.type == CLU_M_ACK) {
		m.range_count = m.pin_count = m.spare_count = m.silent_count = 1;
		m.silent[0] = m.to_node;
		m.ranges[0] = (struct clu_range){ m.slot % SLOTS, m.low, m.high };
	}
	hear(w, from, data, clu_message_encode(&m, data));
}

static void config(struct world *w, uint8_t mask)
{
	uint64_t nodes[8];
	uint32_t count = 0;

	for (uint32_t i = 0; i < 8; i++)
		if (mask >> i & 1)
			nodes[count++] = i + 1;
	step(w, &(struct clu_event){ .kind = CLU_EV_CONFIG, .nodes = nodes, .node_count = count });
}

static void answer_lock(struct world *w, uint8_t which)
{
	uint32_t i = which % LOCKS;
	struct clu_lock lock = { .kind = i > 1 ? CLU_LOCK_SLOT : i ? CLU_LOCK_RESYNC : CLU_LOCK_TOKEN,
		.slot = i > 1 ? i - 2 : 0 };
	bool is_granted = which & 0x80;
	int rc = is_granted ? 0 : w->locks[i] & IS_CANCELLED ? -ECANCELED : -EAGAIN;

	if (!(w->locks[i] & IS_ASKED) || (!is_granted && w->locks[i] == (IS_ASKED | MAY_QUEUE)))
		return;
	w->locks[i] = is_granted ? IS_HELD : 0;
	step(w, &(struct clu_event){ .kind = CLU_EV_LOCK, .lock = lock, .rc = rc });
}

static void tell(struct world *w, uint8_t which)
{
	static const enum clu_message_type types[] = { CLU_M_NEWDISK, CLU_M_RE_ADD, CLU_M_REMOVE, CLU_M_HELLO };
	struct clu_message m = { .type = types[which % 4], .number = 1, .path = "/p" };

	step(w, &(struct clu_event){ .kind = CLU_EV_TELL, .message = &m });
}

static void come_back(struct world *w)
{
	uint8_t own[CLU_MESSAGE_BYTES_MAX];

	memcpy(own, w->own, w->own_len);
	if (w->own_len)
		hear(w, US, own, w->own_len);
}

static void happen(struct world *w, struct fuzz_input *in)
{
	static const enum clu_event_kind plain[] = { CLU_EV_JOIN, CLU_EV_TAKE_TOKEN, CLU_EV_GIVE_TOKEN, CLU_EV_TIMER,
		CLU_EV_SEEN, CLU_EV_LEAVE, CLU_EV_LOST, CLU_EV_ARRAY };
	uint8_t kind = fuzz_take(in, 1) % 12, what = fuzz_take(in, 1);

	if (kind == 0)
		hear_bytes(w, 1 + what % NODES, in);
	else if (kind < 4)
		hear_fields(w, 1 + what % NODES, in);
	else if (kind < 6)
		answer_lock(w, what);
	else if (kind == 6)
		config(w, what);
	else if (kind == 7)
		come_back(w);
	else if (kind == 8)
		step(w, &(struct clu_event){ .kind = CLU_EV_QUORUM, .value = what & 1 });
	else if (kind == 9)
		tell(w, what);
	else if (kind == 10 && w->loads)
		step(w, &(struct clu_event){ .kind = CLU_EV_LOADED, .rc = what & 1 ? -EIO : 0 });
	else
		step(w, &(struct clu_event){ .kind = plain[what % (sizeof plain / sizeof *plain)] });
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, data + size };
	struct clu_config config = { .node_id = US, .name = "us", .nodes = SLOTS };
	struct world w = { .c = clu_new(&config) };

	check_message(data, size);
	while (w.c && in.at < in.end && !w.is_out && w.steps <= STEPS_MAX) {
		happen(&w, &in);
		if (clu_next_timer_ms(w.c) != UINT64_MAX)
			w.now_ms++;
	}
	clu_free(w.c);
	return 0;
}
