/* Goal:   whatever bytes a name holds, a terminal shows it and a JSON reader reads it back.
 * Method: known hostile strings, then every single byte and random strings against an independent check.
 * Law:    none (names in superblocks are hostile text).
 * Source: base/text.h; RFC 8259 section 7, RFC 3629 section 4. */
#include "base/mem.h"
#include "base/prng.h"
#include "base/text.h"
#include "tap.h"

static void escaped_is(const char *s, size_t len, const char *wanted)
{
	struct text t = { 0 };
	char *got;

	text_add_escaped(&t, s, len);
	got = text_take(&t);
	if (!ok(got && !strcmp(got, wanted), "a terminal is shown %s", wanted))
		printf("# got %s\n", got ? got : "(none)");
	mem_free(got);
}

static void quoted_is(const char *s, size_t len, const char *wanted)
{
	struct text t = { 0 };
	char *got;

	json_strn(&t, NULL, s, len);
	got = text_take(&t);
	if (!ok(got && !strcmp(got, wanted), "JSON says %s", wanted))
		printf("# got %s\n", got ? got : "(none)");
	mem_free(got);
}

/* No byte that moves a cursor or ends a line; lead bytes followed by as many continuation bytes as they announce. */
static bool is_harmless(const char *s)
{
	for (const unsigned char *p = (const unsigned char *)s; *p; p++) {
		int more = *p < 0x80 ? 0 : *p >= 0xf0 ? 3 : *p >= 0xe0 ? 2 : 1;

		if (*p < 0x20 || *p == 0x7f || (*p >= 0x80 && *p < 0xc2) || *p > 0xf4)
			return false;
		if (*p == 0xc2 && p[1] < 0xa0)
			return false;
		while (more--)
			if (*++p >> 6 != 2)
				return false;
	}
	return true;
}

static char *escape(const char *s, size_t len, bool is_json)
{
	struct text t = { 0 };

	if (is_json)
		json_strn(&t, NULL, s, len);
	else
		text_add_escaped(&t, s, len);
	return text_take(&t);
}

static void every_byte_is_harmless(bool is_json)
{
	int bad = 0;

	for (int c = 0; c < 256; c++) {
		char byte = (char)c, *got = escape(&byte, 1, is_json);

		bad += !got || !is_harmless(got);
		mem_free(got);
	}
	is_u64(bad, 0, "none of the 256 bytes reaches %s raw", is_json ? "a JSON reader" : "a terminal");
}

static void random_names_are_harmless(bool is_json)
{
	struct prng r = prng_seed(32);
	int bad = 0;

	for (int round = 0; round < 5000; round++) {
		char name[33], *got;

		for (size_t i = 0; i < sizeof name; i++)
			name[i] = (char)prng_next(&r);
		got = escape(name, prng_below(&r, sizeof name), is_json);
		bad += !got || !is_harmless(got);
		mem_free(got);
	}
	is_u64(bad, 0, "5000 random names reach %s harmless", is_json ? "a JSON reader" : "a terminal");
}

int main(void)
{
	escaped_is("plain name", 10, "plain name");
	escaped_is("\033[2Jgone", 8, "\\x1b[2Jgone");
	escaped_is("a\nb\0c", 5, "a\\x0ab\\x00c");
	escaped_is("a\\x1b", 5, "a\\\\x1b");
	escaped_is("\xc3\xa4", 2, "\xc3\xa4");
	escaped_is("\xc3", 1, "\\xc3");
	escaped_is("\xc0\xaf", 2, "\\xc0\\xaf");
	escaped_is("\xed\xa0\x80", 3, "\\xed\\xa0\\x80");
	escaped_is("\xf4\x90\x80\x80", 4, "\\xf4\\x90\\x80\\x80");
	escaped_is("\xc2\x9b" "31m", 5, "\\xc2\\x9b31m");
	escaped_is("\xe2\x80\xae" "gpj", 6, "\\xe2\\x80\\xaegpj");
	escaped_is("\xf0\x9f\x98\x80", 4, "\xf0\x9f\x98\x80");

	quoted_is("plain", 5, "\"plain\"");
	quoted_is("\"\\\n\0", 4, "\"\\\"\\\\\\u000a\\u0000\"");
	quoted_is("\xff", 1, "\"\\\\xff\"");
	quoted_is("\xc3\xa4\x7f", 3, "\"\xc3\xa4\\u007f\"");
	quoted_is("\xe2\x80\xae", 3, "\"\\u202e\"");
	quoted_is("", 0, "\"\"");

	every_byte_is_harmless(false);
	every_byte_is_harmless(true);
	random_names_are_harmless(false);
	random_names_are_harmless(true);
	return tap_end();
}
