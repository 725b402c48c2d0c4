/* Goal: every message comes through as it was; bytes that are none, of a wrong size, version or type, or with values
 * out of range are refused in one sentence, and have no effect: no answer, nothing written. What umd does not do is
 * answered so. Method: every type there and back; every byte of a message changed; a node that hears nonsense.
 * Law: I7.
 * Source: the door of the cluster. */
#include "harness.h"

static struct clu_message sample(enum clu_message_type type)
{
	struct clu_message m = { .type = type, .slot = 3, .seq = 77, .low = 4096, .high = 8192, .number = 5, .rc = -22,
		.to_node = 9, .to_seq = 10, .looked = 0xf0, .dead = 0xf8, .name = "n1", .uuid = { 1, 2, 3 } };

	if (type == CLU_M_ACK) {
		m.range_count = CLU_NODES_MAX;
		for (uint32_t i = 0; i < CLU_NODES_MAX; i++)
			m.ranges[i] = (struct clu_range){ i, i, 2 * i };
		m.pin_count = 2;
		m.pins[0] = 1;
		m.spare_count = ARR_MEMBERS_MAX;
		m.spares[3] = 77;
		m.silent_count = CLU_SILENT_MAX;
		m.silent[CLU_SILENT_MAX - 1] = UINT64_MAX;
	}
	if (type == CLU_M_NEWDISK || type == CLU_M_RE_ADD)
		memset(m.path, 'p', sizeof m.path - 1);
	return m;
}

static void come_through(void)
{
	uint8_t data[CLU_MESSAGE_BYTES_MAX];
	unsigned types = 0;

	for (unsigned type = 0; type < 64; type++) {
		struct clu_message m = sample(type), got;
		uint32_t len_bytes;

		if (!clu_message_name(type))
			continue;
		types++;
		len_bytes = clu_message_encode(&m, data);
		if (clu_message_decode(data, len_bytes, &got, NULL) < 0 || memcmp(&m, &got, sizeof m))
			ok(false, "%s does not come through", clu_message_name(type));
	}
	is_u64(types, 12, "messages of all types come through");
}

static void is_refused(const uint8_t *data, size_t len_bytes, const char *words, const char *what)
{
	struct clu_message got;
	struct err err = { 0 };

	ok(clu_message_decode(data, len_bytes, &got, &err) == -EPROTO && strstr(err.text, words), "%s: %s", what,
		err.text);
}

static void are_refused(void)
{
	struct clu_message m = sample(CLU_M_NEWDISK), ack = sample(CLU_M_ACK), got;
	uint8_t data[CLU_MESSAGE_BYTES_MAX], bad[CLU_MESSAGE_BYTES_MAX + 1];
	uint32_t len_bytes = clu_message_encode(&m, data), taken = 0;

	is_refused(data, 3, "3 bytes", "a stump");
	is_refused(data, len_bytes - 1, "its parts make", "one byte less");
	memcpy(bad, data, sizeof data);
	is_refused(bad, len_bytes + 1, "its parts make", "one byte more");
	bad[0]++;
	is_refused(bad, len_bytes, "UMDC", "another magic");
	memcpy(bad, data, sizeof data);
	bad[4] = 2;
	is_refused(bad, len_bytes, "version 2, this node speaks version 1", "another version");
	memcpy(bad, data, sizeof data);
	bad[6] = 20;
	is_refused(bad, len_bytes, "type 20", "an unknown type");
	memcpy(bad, data, sizeof data);
	bad[6] = CLU_M_REMOVE;
	is_refused(bad, len_bytes, "where its type has none", "a path where none belongs");
	memcpy(bad, data, sizeof data);
	bad[12] = CLU_NODES_MAX;
	is_refused(bad, len_bytes, "slot 64", "a slot that nobody can have");
	memcpy(bad, data, sizeof data);
	bad[25] = 0xff;
	is_refused(bad, len_bytes, "begins at", "a range that ends before it begins");
	memcpy(bad, data, sizeof data);
	bad[101] = 27;
	is_refused(bad, len_bytes, "control bytes", "a name for nobody's terminal");
	memcpy(bad, data, sizeof data);
	bad[216] = 0;
	is_refused(bad, len_bytes, "where its type has none", "a path with an end in its middle");
	len_bytes = clu_message_encode(&ack, bad);
	bad[72]++;
	is_refused(bad, len_bytes, "65 ranges", "too many ranges");
	clu_message_encode(&ack, bad);
	bad[164]++;
	is_refused(bad, len_bytes, "65 spares", "too many spares");
	clu_message_encode(&ack, bad);
	bad[168]++;
	is_refused(bad, len_bytes, "9 silent nodes", "too many silent nodes");
	for (uint32_t i = 0; i < len_bytes; i++) {
		clu_message_encode(&ack, data);
		data[i] ^= 0x80;
		taken += clu_message_decode(data, len_bytes, &got, NULL) == 0 && clu_message_encode(&got,
			bad) != len_bytes;
	}
	is_u64(taken, 0, "whatever byte changes: refused, or another message of the same size");
}

static void say(struct w *w, int from, struct clu_message m, int change)
{
	struct w_delivery *d = &w->log[w->log_count++];

	memset(d, 0, sizeof *d);
	d->from = w->nodes[from].id;
	d->len_bytes = clu_message_encode(&m, d->data);
	if (change >= 0)
		d->data[change] ^= 0xff;
}

static void have_no_effect(void)
{
	struct w *w = &the_world;
	struct clu_message m = { .type = CLU_M_CHANGE_CAPACITY, .slot = 0, .seq = 900 };
	unsigned acks, reloads;

	ok(w_up(w, 2, 2), "two nodes are up");
	w->nodes[0].is_deaf = true;
	acks = w_said(w, 1, CLU_M_ACK);
	reloads = w->nodes[1].a.reloads;
	say(w, 0, (struct clu_message){ .type = CLU_M_METADATA_UPDATED, .slot = 0, .seq = 901 }, 5);
	ok(w_run(w), "one says what nobody understands");
	is_u64(w_said(w, 1, CLU_M_ACK), acks, "it is not answered");
	is_u64(w->nodes[1].a.reloads, reloads, "it has no effect");
	ok(strstr(w_status(w, 1).last_event, "version"), "it is told to people: %s", w_status(w, 1).last_event);
	say(w, 0, m, -1);
	m.type = CLU_M_BITMAP_RESIZE;
	say(w, 0, m, -1);
	ok(w_run(w) && w_said(w, 1, CLU_M_ACK) == acks + 2, "what umd does not do is answered");
	for (unsigned i = w->log_count - 2; i < w->log_count; i++) {
		ok(clu_message_decode(w->log[i].data, w->log[i].len_bytes, &m, NULL) == 0 && m.rc == -EOPNOTSUPP,
			"\"not supported\"");
	}
	say(w, 0, (struct clu_message){ .type = CLU_M_RESYNCING, .slot = 1, .seq = 902, .high = 512 }, -1);
	say(w, 0, (struct clu_message){ .type = CLU_M_RESYNCING, .slot = 40, .seq = 903, .high = 512 }, -1);
	ok(w_run(w) && w->nodes[1].a.suspended[1].len == 0, "a range in the name of another slot is not taken");
	w_end(w);
}

int main(void)
{
	come_through();
	are_refused();
	have_no_effect();
	return tap_end();
}
