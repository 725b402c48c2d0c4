/* What the fuzz targets share: failing, taking an input apart, and a judge of text that shares no code with what it
 * judges. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

void fuzz_fail(const char *condition, const char *file, int line)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
	abort();
}

uint64_t fuzz_take(struct fuzz_input *in, unsigned width_bytes)
{
	uint8_t bytes[8];
	uint64_t v = 0;

	fuzz_take_bytes(in, bytes, width_bytes);
	for (unsigned i = width_bytes; i-- > 0;)
		v = v << 8 | bytes[i];
	return v;
}

size_t fuzz_take_bytes(struct fuzz_input *in, void *ret, size_t len_bytes)
{
	size_t there = (size_t)(in->end - in->at);

	if (there > len_bytes)
		there = len_bytes;
	memset(ret, 0, len_bytes);
	if (there)
		memcpy(ret, in->at, there);
	in->at += there;
	return there;
}

/* Length of the well-formed character at @s, by the table of the Unicode standard (D92); 0: none. */
static size_t character(const uint8_t *s, size_t room)
{
	static const struct {
		uint8_t first_low, first_high, second_low, second_high, length;
	} rows[] = {
		{ 0x00, 0x7f, 0, 0, 1 },	{ 0xc2, 0xdf, 0x80, 0xbf, 2 },	{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 },	{ 0xed, 0xed, 0x80, 0x9f, 3 },	{ 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 },	{ 0xf1, 0xf3, 0x80, 0xbf, 4 },	{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		size_t n = rows[i].length;

		if (s[0] < rows[i].first_low || s[0] > rows[i].first_high)
			continue;
		if (n > room || (n > 1 && (s[1] < rows[i].second_low || s[1] > rows[i].second_high)))
			return 0;
		for (size_t k = 2; k < n; k++)
			if (s[k] < 0x80 || s[k] > 0xbf)
				return 0;
		return n;
	}
	return 0;
}

/* As they stand in UTF-8: C1 controls, ALM, LRM and RLM, line separators with the embeddings, isolates. */
static bool is_obeyed(const uint8_t *s, size_t n)
{
	if (n == 1)
		return s[0] < 0x20 || s[0] == 0x7f;
	if (n == 2)
		return (s[0] == 0xc2 && s[1] < 0xa0) || (s[0] == 0xd8 && s[1] == 0x9c);
	if (n == 3 && s[0] == 0xe2 && s[1] == 0x80)
		return s[2] == 0x8e || s[2] == 0x8f || (s[2] >= 0xa8 && s[2] <= 0xae);
	return n == 3 && s[0] == 0xe2 && s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9;
}

bool fuzz_is_harmless(const char *text, size_t len_bytes, bool may_break)
{
	const uint8_t *s = (const uint8_t *)text, *end = s + len_bytes;

	while (s < end) {
		size_t n = character(s, (size_t)(end - s));

		if (!n || (is_obeyed(s, n) && !(may_break && *s == '\n')))
			return false;
		s += n;
	}
	return true;
}

bool fuzz_is_sentence(const struct err *err)
{
	size_t len = strnlen(err->text, sizeof err->text);

	return err->code < 0 && len > 0 && len < sizeof err->text && fuzz_is_harmless(err->text, len, false);
}
