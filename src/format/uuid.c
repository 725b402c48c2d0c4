/* uuids as text.
 *
 * Written as md writes them: four groups of eight hex digits in the order of the bytes. Read in every form people copy
 * from somewhere: only the digits count. A uuid is an identity and nothing else here; versions and variants of the
 * standard are not looked at. */
#include "format/sb1.h"

#include <string.h>

void fmt_uuid_text(const uint8_t uuid[16], char ret[36])
{
	static const char digits[] = "0123456789abcdef";
	char *p = ret;

	for (int i = 0; i < 16; i++) {
		if (i && i % 4 == 0)
			*p++ = ':';
		*p++ = digits[uuid[i] >> 4];
		*p++ = digits[uuid[i] & 15];
	}
	*p = '\0';
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool fmt_uuid_parse(const char *text, uint8_t ret_uuid[16])
{
	uint8_t uuid[16] = { 0 };
	unsigned count = 0;

	for (; *text; text++) {
		int value = digit_value(*text);

		if (value < 0 && strchr(":-. ", *text))
			continue;
		if (value < 0 || count == 32)
			return false;
		uuid[count / 2] |= value << (count % 2 ? 0 : 4);
		count++;
	}
	if (count != 32)
		return false;
	memcpy(ret_uuid, uuid, sizeof uuid);
	return true;
}
