/* What nodes say to each other, as bytes.
 *
 * One layout for all types: a head of fixed places, then what only some types have, each counted in the head. Fields
 * that a type has no use for are zero, so that there is one encoding of every message: what is decoded is encoded again
 * and compared, and bytes that differ are refused. A message is believed only as a whole.
 *
 *     0 "UMDC"  4 version u16  6 type u16  8 length u32  12 slot u32  16 seq u64  24 low u64  32 high u64
 *    40 to_node u64  48 to_seq u64  56 looked u64  64 rc i32  68 number u32  72 range_count u32  76 pin_count u32
 *    80 path_len u32  84 uuid[16]  100 name[64]  164 spare_count u32  168 silent_count u32
 *   172 dead u64  180 path, then ranges (slot u32, low u64, high u64), then pins (u32), spares (u32), silent ids (u64)
 *
 * Left out: a checksum. Who carries messages (the engines) guards their bytes. */
#include "cluster/cluster.h"

#include "base/le.h"

#include <errno.h>
#include <string.h>

enum {
	VERSION = 1, HEAD_BYTES = 180, RANGE_BYTES = 20, NUMBER_BYTES = 4, NODE_BYTES = 8,
	AT_LENGTH = 8, AT_RANGES = 72, AT_PINS = 76, AT_PATH_LEN = 80, AT_UUID = 84, AT_NAME = 100, AT_SPARES = 164,
	AT_SILENT = 168, AT_DEAD = 172,
};
static const uint8_t magic[4] = { 'U', 'M', 'D', 'C' };

_Static_assert(HEAD_BYTES + CLU_NODES_MAX * RANGE_BYTES + 2 * ARR_MEMBERS_MAX * NUMBER_BYTES +
	CLU_SILENT_MAX * NODE_BYTES <= CLU_MESSAGE_BYTES_MAX, "an answer to a hello fits");
_Static_assert(HEAD_BYTES + CLU_PATH_BYTES <= CLU_MESSAGE_BYTES_MAX, "a path fits");

static bool has_path(enum clu_message_type type)
{
	return type == CLU_M_NEWDISK || type == CLU_M_RE_ADD;
}

static uint32_t path_len(const struct clu_message *m)
{
	return has_path(m->type) ? strnlen(m->path, CLU_PATH_BYTES - 1) : 0;
}

static uint8_t *put_numbers(uint8_t *p, const uint32_t *numbers, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++, p += NUMBER_BYTES)
		le_put(p, 4, numbers[i]);
	return p;
}

/* What only answers have. */
static uint8_t *put_lists(const struct clu_message *m, uint8_t *p)
{
	for (uint32_t i = 0; i < m->range_count; i++, p += RANGE_BYTES) {
		le_put(p, 4, m->ranges[i].slot);
		le_put(p + 4, 8, m->ranges[i].low);
		le_put(p + 12, 8, m->ranges[i].high);
	}
	p = put_numbers(p, m->pins, m->pin_count);
	p = put_numbers(p, m->spares, m->spare_count);
	for (uint32_t i = 0; i < m->silent_count; i++, p += NODE_BYTES)
		le_put(p, 8, m->silent[i]);
	return p;
}

uint32_t clu_message_encode(const struct clu_message *m, uint8_t ret[CLU_MESSAGE_BYTES_MAX])
{
	bool is_ack = m->type == CLU_M_ACK;
	uint8_t *end = ret + HEAD_BYTES + path_len(m);
	uint32_t len_bytes;

	memset(ret, 0, HEAD_BYTES);
	memcpy(ret, magic, sizeof magic);
	le_put(ret + 4, 2, VERSION);
	le_put(ret + 6, 2, m->type);
	le_put(ret + 12, 4, m->slot);
	le_put(ret + 16, 8, m->seq);
	le_put(ret + 24, 8, m->low);
	le_put(ret + 32, 8, m->high);
	le_put(ret + 40, 8, m->to_node);
	le_put(ret + 48, 8, m->to_seq);
	le_put(ret + 56, 8, m->looked);
	le_put(ret + 64, 4, (uint32_t)m->rc);
	le_put(ret + 68, 4, m->number);
	le_put(ret + AT_RANGES, 4, is_ack ? m->range_count : 0);
	le_put(ret + AT_PINS, 4, is_ack ? m->pin_count : 0);
	le_put(ret + AT_SPARES, 4, is_ack ? m->spare_count : 0);
	le_put(ret + AT_SILENT, 4, is_ack ? m->silent_count : 0);
	le_put(ret + AT_DEAD, 8, m->dead);
	le_put(ret + AT_PATH_LEN, 4, path_len(m));
	memcpy(ret + AT_UUID, m->uuid, sizeof m->uuid);
	memcpy(ret + AT_NAME, m->name, strnlen(m->name, sizeof m->name - 1));
	memcpy(ret + HEAD_BYTES, m->path, path_len(m));
	len_bytes = (is_ack ? put_lists(m, end) : end) - ret;
	le_put(ret + AT_LENGTH, 4, len_bytes);
	return len_bytes;
}

static void get_head(const uint8_t *p, struct clu_message *m)
{
	memset(m, 0, sizeof *m);
	m->type = le_get(p + 6, 2);
	m->slot = le_get(p + 12, 4);
	m->seq = le_get(p + 16, 8);
	m->low = le_get(p + 24, 8);
	m->high = le_get(p + 32, 8);
	m->to_node = le_get(p + 40, 8);
	m->to_seq = le_get(p + 48, 8);
	m->looked = le_get(p + 56, 8);
	m->rc = (int32_t)le_get(p + 64, 4);
	m->number = le_get(p + 68, 4);
	m->range_count = le_get(p + AT_RANGES, 4);
	m->pin_count = le_get(p + AT_PINS, 4);
	m->spare_count = le_get(p + AT_SPARES, 4);
	m->silent_count = le_get(p + AT_SILENT, 4);
	m->dead = le_get(p + AT_DEAD, 8);
	memcpy(m->uuid, p + AT_UUID, sizeof m->uuid);
	memcpy(m->name, p + AT_NAME, sizeof m->name - 1);
}

static const uint8_t *get_numbers(const uint8_t *p, uint32_t *ret, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++, p += NUMBER_BYTES)
		ret[i] = le_get(p, 4);
	return p;
}

static void get_tail(const uint8_t *p, uint32_t path_bytes, struct clu_message *m)
{
	memcpy(m->path, p, path_bytes);
	p += path_bytes;
	for (uint32_t i = 0; i < m->range_count; i++, p += RANGE_BYTES) {
		m->ranges[i].slot = le_get(p, 4);
		m->ranges[i].low = le_get(p + 4, 8);
		m->ranges[i].high = le_get(p + 12, 8);
	}
	p = get_numbers(p, m->pins, m->pin_count);
	p = get_numbers(p, m->spares, m->spare_count);
	for (uint32_t i = 0; i < m->silent_count; i++, p += NODE_BYTES)
		m->silent[i] = le_get(p, 8);
}

/* Is the head ours, and does it speak of as many bytes as came? */
static int check_size(const uint8_t *data, size_t len_bytes, struct err *err)
{
	uint64_t ranges, pins, spares, silent, path, wanted;

	if (len_bytes < HEAD_BYTES || memcmp(data, magic, sizeof magic))
		return err_set(err, -EPROTO, "a message of %zu bytes is none of umd's, which begin with \"UMDC\" and "
			"have %d at least: it is left out", len_bytes, HEAD_BYTES);
	if (le_get(data + 4, 2) != VERSION)
		return err_set(err, -EPROTO, "a message is of version %u, this node speaks version %d: it is left out",
			(unsigned)le_get(data + 4, 2), VERSION);
	if (!clu_message_name(le_get(data + 6, 2)))
		return err_set(err, -EPROTO, "a message is of type %u, which this node does not know: it is left out",
			(unsigned)le_get(data + 6, 2));
	ranges = le_get(data + AT_RANGES, 4);
	pins = le_get(data + AT_PINS, 4);
	spares = le_get(data + AT_SPARES, 4);
	silent = le_get(data + AT_SILENT, 4);
	path = le_get(data + AT_PATH_LEN, 4);
	if (ranges > CLU_NODES_MAX || pins > ARR_MEMBERS_MAX || path >= CLU_PATH_BYTES)
		return err_set(err, -EPROTO, "a message has %u ranges, %u members and a path of %u bytes, the most "
			"are %d, %d and %d: it is left out", (unsigned)ranges, (unsigned)pins, (unsigned)path,
			CLU_NODES_MAX,
			ARR_MEMBERS_MAX, CLU_PATH_BYTES - 1);
	if (spares > ARR_MEMBERS_MAX || silent > CLU_SILENT_MAX)
		return err_set(err, -EPROTO, "a message has %u spares and %u silent nodes, the most are %d and %d: it "
			"is left out", (unsigned)spares, (unsigned)silent, ARR_MEMBERS_MAX, CLU_SILENT_MAX);
	wanted = HEAD_BYTES + path + ranges * RANGE_BYTES + (pins + spares) * NUMBER_BYTES + silent * NODE_BYTES;
	if (wanted != len_bytes || le_get(data + AT_LENGTH, 4) != len_bytes)
		return err_set(err, -EPROTO, "a message has %zu bytes, it says %u and its parts make %u: it is left "
			"out", len_bytes, (unsigned)le_get(data + AT_LENGTH, 4), (unsigned)wanted);
	return 0;
}

/* A name is a word for people, on terminals as well. */
static bool is_word(const char name[CLU_NODE_NAME_BYTES])
{
	for (const char *p = name; *p; p++)
		if (*p <= ' ' || *p > '~')
			return false;
	return true;
}

static int check_values(const struct clu_message *m, struct err *err)
{
	const char *name = clu_message_name(m->type);

	if (m->slot != UINT32_MAX && m->slot >= CLU_NODES_MAX)
		return err_set(err, -EPROTO, "a message %s comes from slot %u, there are %d at most: it is left out",
			name, m->slot, CLU_NODES_MAX);
	if (m->low > m->high)
		return err_set(err, -EPROTO, "a message %s has a range that ends at byte %llu and begins at %llu: it "
			"is left out", name, (unsigned long long)m->high, (unsigned long long)m->low);
	if (!is_word(m->name))
		return err_set(err, -EPROTO, "a message %s has a node's name with blanks or control bytes: it is left "
			"out", name);
	for (uint32_t i = 0; i < m->range_count; i++)
		if (m->ranges[i].slot >= CLU_NODES_MAX || m->ranges[i].low > m->ranges[i].high)
			return err_set(err, -EPROTO, "a message %s has range %u of slot %u from %llu to %llu: it is "
				"left out", name, i, m->ranges[i].slot, (unsigned long long)m->ranges[i].low,
				(unsigned long long)m->ranges[i].high);
	if (m->type == CLU_M_DEAD && m->number >= CLU_NODES_MAX)
		return err_set(err, -EPROTO, "a message %s is about slot %u, there are %d at most: it is left out",
			name, m->number, CLU_NODES_MAX);
	return 0;
}

int clu_message_decode(const uint8_t *data, size_t len_bytes, struct clu_message *ret, struct err *err)
{
	uint8_t again[CLU_MESSAGE_BYTES_MAX];
	struct clu_message m;
	int rc = check_size(data, len_bytes, err);

	if (rc < 0)
		return rc;
	get_head(data, &m);
	get_tail(data + HEAD_BYTES, le_get(data + AT_PATH_LEN, 4), &m);
	rc = check_values(&m, err);
	if (rc < 0)
		return rc;
	if (len_bytes > sizeof again || clu_message_encode(&m, again) != len_bytes || memcmp(again, data, len_bytes))
		return err_set(err, -EPROTO, "a message %s has bytes where its type has none: it is left out",
			clu_message_name(m.type));
	*ret = m;
	return 0;
}
