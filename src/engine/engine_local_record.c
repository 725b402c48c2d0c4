/* Records of the local engine's log, as bytes.
 *
 *	magic 4 | payload bytes 4 | number 8 | node id 8 | kind 4 | index 4 | zero 4 | crc32 4 | payload
 *
 * Little endian. The checksum covers everything else. A record counts when it is whole, its checksum is right and it
 * has the number that is due: what a dead node left half written, or an older log behind a cut, is none. */
#include <string.h>

#include "base/le.h"
#include "engine/engine_local.h"

enum { MAGIC = 0x52646d75, CRC_AT = 36 };	/* "umdR" */

/* The usual CRC-32 (polynomial 0xedb88320, reflected), four bits at a time: records are short. */
static uint32_t crc_add(uint32_t crc, const uint8_t *data, size_t len_bytes)
{
	static const uint32_t table[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
		0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};

	for (size_t i = 0; i < len_bytes; i++) {
		crc ^= data[i];
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return crc;
}

static uint32_t crc_of(const uint8_t *record, uint32_t payload_bytes)
{
	uint32_t crc = crc_add(UINT32_MAX, record, CRC_AT);

	return ~crc_add(crc, record + ENGINE_RECORD_HEAD_BYTES, payload_bytes);
}

uint32_t engine_record_encode(const struct engine_record *r, uint8_t ret[ENGINE_RECORD_BYTES_MAX])
{
	memset(ret, 0, ENGINE_RECORD_HEAD_BYTES);
	le_put(ret, 4, MAGIC);
	le_put(ret + 4, 4, r->len_bytes);
	le_put(ret + 8, 8, r->seq);
	le_put(ret + 16, 8, r->node_id);
	le_put(ret + 24, 4, r->kind);
	le_put(ret + 28, 4, r->index);
	memcpy(ret + ENGINE_RECORD_HEAD_BYTES, r->data, r->len_bytes);
	le_put(ret + CRC_AT, 4, crc_of(ret, r->len_bytes));
	return ENGINE_RECORD_HEAD_BYTES + r->len_bytes;
}

uint32_t engine_record_decode(const uint8_t *data, size_t len_bytes, uint64_t seq, struct engine_record *ret_record)
{
	uint32_t payload_bytes, kind, index;

	if (len_bytes < ENGINE_RECORD_HEAD_BYTES || le_get(data, 4) != MAGIC || le_get(data + 8, 8) != seq)
		return 0;
	payload_bytes = (uint32_t)le_get(data + 4, 4);
	kind = (uint32_t)le_get(data + 24, 4);
	index = (uint32_t)le_get(data + 28, 4);
	if (payload_bytes > CLU_MESSAGE_BYTES_MAX || payload_bytes > len_bytes - ENGINE_RECORD_HEAD_BYTES ||
	    kind < ENGINE_R_JOINED || kind > ENGINE_R_MESSAGE || index >= ENGINE_NODES_MAX || !le_get(data + 16, 8) ||
	    (kind != ENGINE_R_MESSAGE && payload_bytes) || crc_of(data, payload_bytes) != le_get(data + CRC_AT, 4))
		return 0;
	ret_record->kind = kind;
	ret_record->index = index;
	ret_record->seq = seq;
	ret_record->node_id = le_get(data + 16, 8);
	ret_record->len_bytes = payload_bytes;
	memcpy(ret_record->data, data + ENGINE_RECORD_HEAD_BYTES, payload_bytes);
	return ENGINE_RECORD_HEAD_BYTES + payload_bytes;
}
