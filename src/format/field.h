/* What the field tables (*.def) turn into; for the files that include such a table. A file says with FIELD_STRUCT
 * which struct its table fills, and gets checked moves for every kind of field. */
#ifndef UMD_FORMAT_FIELD_H
#define UMD_FORMAT_FIELD_H

#include "base/le.h"

#include <string.h>

/* The size in memory a field of @kind with @bytes on disk must have. */
#define FIELD_ROOM_u(bytes) (bytes)
#define FIELD_ROOM_s(bytes) (bytes)
#define FIELD_ROOM_b(bytes) (bytes)
#define FIELD_ROOM_t(bytes) ((bytes) + 1)

#define FIELD_ASSERT_p(type, field, bytes)
#define FIELD_ASSERT_u(type, field, bytes) FIELD_ASSERT(type, field, FIELD_ROOM_u(bytes))
#define FIELD_ASSERT_s(type, field, bytes) FIELD_ASSERT(type, field, FIELD_ROOM_s(bytes))
#define FIELD_ASSERT_b(type, field, bytes) FIELD_ASSERT(type, field, FIELD_ROOM_b(bytes))
#define FIELD_ASSERT_t(type, field, bytes) FIELD_ASSERT(type, field, FIELD_ROOM_t(bytes))
#define FIELD_ASSERT(type, field, room) \
	_Static_assert(sizeof(((type *)0)->field) == (room), #field " has another width in memory than on disk");

#define FIELD_DECODE_p(sb, raw, field, offset, bytes)
#define FIELD_DECODE_u(sb, raw, field, offset, bytes) (sb)->field = le_get((raw) + (offset), bytes);
/* A signed field of 4 bytes: the conversion keeps the bits. */
#define FIELD_DECODE_s(sb, raw, field, offset, bytes) (sb)->field = (int32_t)(uint32_t)le_get((raw) + (offset), bytes);
#define FIELD_DECODE_b(sb, raw, field, offset, bytes) memcpy((sb)->field, (raw) + (offset), bytes);
#define FIELD_DECODE_t(sb, raw, field, offset, bytes) \
	memcpy((sb)->field, (raw) + (offset), bytes); \
	(sb)->field[bytes] = '\0';

#define FIELD_ENCODE_p(sb, raw, field, offset, bytes) memset((raw) + (offset), 0, bytes);
#define FIELD_ENCODE_u(sb, raw, field, offset, bytes) le_put((raw) + (offset), bytes, (sb)->field);
#define FIELD_ENCODE_s(sb, raw, field, offset, bytes) le_put((raw) + (offset), bytes, (uint32_t)(sb)->field);
#define FIELD_ENCODE_b(sb, raw, field, offset, bytes) memcpy((raw) + (offset), (sb)->field, bytes);
#define FIELD_ENCODE_t(sb, raw, field, offset, bytes) memcpy((raw) + (offset), (sb)->field, bytes);

#endif
