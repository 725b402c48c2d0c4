/* Superblocks as Linux 6.1 and mdadm 4.2 left them on members of 16 MiB: rows of 16 bytes, rows not listed are zero,
 * the role table behind its listed row is all ones up to byte 512. */
#ifndef TESTS_FORMAT_VECTORS_H
#define TESTS_FORMAT_VECTORS_H

#include "base/le.h"
#include "format/layout.h"
#include "tap.h"

#include <stdlib.h>

struct vector_row {
	unsigned at;
	const char *hex;
};

/* Hex digits, blanks between; returns the number of bytes. */
static inline unsigned bytes_of_hex(const char *hex, uint8_t *ret)
{
	unsigned count = 0;

	for (; *hex; hex++) {
		char two[3] = { hex[0], hex[1], 0 };

		if (*hex == ' ')
			continue;
		ret[count++] = strtoul(two, NULL, 16);
		hex++;
	}
	return count;
}

static inline void vector_load(const struct vector_row *rows, uint8_t raw[FMT_SB1_BYTES])
{
	memset(raw, 0, FMT_SB1_BYTES);
	memset(raw + FMT_SB1_FIXED_BYTES, 0xff, 256);
	for (; rows->hex; rows++)
		bytes_of_hex(rows->hex, raw + rows->at);
}

static const struct vector_row vector_a[] = {		/* v1.0, internal bitmap, member 0, at byte 16769024 */
	{ 0x000, "fc 4e 2b a9 01 00 00 00 01 00 00 00 00 00 00 00" },
	{ 0x010, "00 11 22 33 44 55 66 77 88 99 aa bb cc dd ee ff" },
	{ 0x020, "6c 61 62 3a 76 31 30 00 00 00 00 00 00 00 00 00" },
	{ 0x040, "d9 dd 00 6b 00 00 00 00 01 00 00 00 00 00 00 00" },
	{ 0x050, "80 7f 00 00 00 00 00 00 00 00 00 00 02 00 00 00" },
	{ 0x060, "f0 ff ff ff 00 00 00 00 00 00 00 00 00 00 00 00" },
	{ 0x080, "00 00 00 00 00 00 00 00 e0 7f 00 00 00 00 00 00" },
	{ 0x090, "f0 7f 00 00 00 00 00 00 00 00 00 00 00 00 00 00" },
	{ 0x0a0, "00 00 00 00 00 00 00 00 ec 7e ca e6 c7 c1 2f ea" },
	{ 0x0b0, "c6 17 b3 ed 1a b8 15 29 00 00 08 00 f8 ff ff ff" },
	{ 0x0c0, "da dd 00 6b 00 00 00 00 11 00 00 00 00 00 00 00" },
	{ 0x0d0, "ff ff ff ff ff ff ff ff 93 0b af 07 80 00 00 00" },
	{ 0x100, "00 00 01 00 ff ff ff ff ff ff ff ff ff ff ff ff" },
	{ 0, NULL },
};

static const struct vector_row vector_b[] = {		/* v1.1, internal bitmap, member 0, at byte 0 */
	{ 0x000, "fc 4e 2b a9 01 00 00 00 01 00 00 00 00 00 00 00" },
	{ 0x010, "00 11 22 33 44 55 66 77 88 99 aa bb cc dd ee 11" },
	{ 0x020, "6c 61 62 3a 76 31 31 00 00 00 00 00 00 00 00 00" },
	{ 0x040, "da dd 00 6b 00 00 00 00 01 00 00 00 00 00 00 00" },
	{ 0x050, "00 78 00 00 00 00 00 00 00 00 00 00 02 00 00 00" },
	{ 0x060, "08 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00" },
	{ 0x080, "00 08 00 00 00 00 00 00 00 78 00 00 00 00 00 00" },
	{ 0x0a0, "00 00 00 00 00 00 00 00 09 03 c0 1e c7 a3 d9 58" },
	{ 0x0b0, "c9 51 c8 6f 38 4e 6f df 00 00 08 00 10 00 00 00" },
	{ 0x0c0, "da dd 00 6b 00 00 00 00 10 00 00 00 00 00 00 00" },
	{ 0x0d0, "ff ff ff ff ff ff ff ff ac ba bd f8 80 00 00 00" },
	{ 0x100, "00 00 01 00 ff ff ff ff ff ff ff ff ff ff ff ff" },
	{ 0, NULL },
};

static const struct vector_row vector_c[] = {		/* v1.2, no bitmap, write-mostly, member 0, at byte 4096 */
	{ 0x000, "fc 4e 2b a9 01 00 00 00 00 00 00 00 00 00 00 00" },
	{ 0x010, "00 11 22 33 44 55 66 77 88 99 aa bb cc dd ee 12" },
	{ 0x020, "6c 61 62 3a 76 31 32 00 00 00 00 00 00 00 00 00" },
	{ 0x040, "da dd 00 6b 00 00 00 00 01 00 00 00 00 00 00 00" },
	{ 0x050, "00 78 00 00 00 00 00 00 00 00 00 00 02 00 00 00" },
	{ 0x080, "00 08 00 00 00 00 00 00 00 78 00 00 00 00 00 00" },
	{ 0x090, "08 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00" },
	{ 0x0a0, "00 00 00 00 00 00 00 00 79 ea 0c a9 fc 65 d6 fd" },
	{ 0x0b0, "8b a7 50 99 12 5b 6b 1f 01 00 08 00 10 00 00 00" },
	{ 0x0c0, "da dd 00 6b 00 00 00 00 10 00 00 00 00 00 00 00" },
	{ 0x0d0, "ff ff ff ff ff ff ff ff ee c6 8c 92 80 00 00 00" },
	{ 0x100, "00 00 01 00 ff ff ff ff ff ff ff ff ff ff ff ff" },
	{ 0, NULL },
};

static const struct vector_row vector_d[] = {		/* what the other member of C has instead */
	{ 0x0a0, "01 00 00 00 00 00 00 00 25 53 c2 96 4c 58 79 88" },
	{ 0x0b0, "f7 00 a8 ab de f2 e0 3d 03 00 08 00 10 00 00 00" },
	{ 0x0d8, "25 13 b2 3b" },
	{ 0, NULL },
};

enum { VECTOR_MEMBER_BYTES = 32768 * 512 };

#endif
