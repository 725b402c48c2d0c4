/* A growing text, and JSON written into it.
 *
 * Purpose: everything umd says that is longer than a sentence (examine, detail, map) is made here, so
 * that hostile names meet one escape routine and memory trouble is looked at once, in text_take().
 *
 * Words: a *sequence* is one well-formed UTF-8 character (no overlong form, no surrogate, at most
 * U+10FFFF). *Deceptive* are sequences that a terminal obeys instead of showing: the C1 controls and
 * the marks that turn the direction of writing.
 *
 * How bytes are shown:
 *
 *	                    terminal      inside JSON
 *	plain ASCII         itself        itself (" and \ with a backslash)
 *	\                   \\            \\
 *	control byte        \xNN          \u00NN
 *	broken UTF-8 byte   \xNN          the four characters \xNN (JSON has no bytes)
 *	deceptive sequence  \xNN per byte \uNNNN
 *	other sequence      itself        itself
 *
 * A text that ran out of memory stays broken and swallows what is added later: callers need no check
 * between. The same goes for one whose sink refused a piece. A sink gets pieces that end anywhere, also inside a
 * character; what is added at once (one string, one number) is not cut, so a text with a sink needs room for
 * TEXT_SINK_BYTES and the longest of those. Left out: numbers with fractions, indentation, reading of JSON. */
#include "base/text.h"

#include "base/mem.h"
#include "base/units.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ROOM_FIRST_BYTES = 256, DIGITS_MAX = 20 };

static bool is_deceptive(uint32_t character)
{
	return (character >= 0x80 && character <= 0x9f) || character == 0x061c ||
	       character == 0x200e || character == 0x200f || (character >= 0x2028 && character <= 0x202e) ||
	       (character >= 0x2066 && character <= 0x2069);
}

/* Length of the sequence at @s and its character; 0 when it is broken. */
static size_t sequence(const uint8_t *s, size_t len_bytes, uint32_t *ret_character)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = s[0] < 0x80 ? 1 : s[0] >> 5 == 6 ? 2 : s[0] >> 4 == 14 ? 3 : s[0] >> 3 == 30 ? 4 : 0;
	uint32_t c;

	if (!n || n > len_bytes)
		return 0;
	c = n == 1 ? s[0] : s[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if (s[i] >> 6 != 2)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret_character = c;
	return n;
}

/* Make room for @more bytes and the final NUL. */
static bool reserve(struct text *t, size_t more)
{
	size_t room = t->room_bytes ? t->room_bytes : ROOM_FIRST_BYTES;
	char *data;

	if (t->is_broken)
		return false;
	while (room - t->len_bytes <= more && room <= SIZE_MAX / 2)
		room *= 2;
	if (room == t->room_bytes)
		return true;
	data = room - t->len_bytes > more ? mem_new(1, room) : NULL;
	if (!data) {
		t->is_broken = true;
		return false;
	}
	if (t->len_bytes)
		memcpy(data, t->data, t->len_bytes);
	mem_free(t->data);
	t->data = data;
	t->room_bytes = room;
	return true;
}

/* Hand over what has gathered. A sink that refuses breaks the text: nothing reaches it a second time. */
static void hand_over(struct text *t)
{
	if (t->is_broken || !t->len_bytes)
		return;
	t->sink_rc = t->sink(t->sink_opaque, t->data, t->len_bytes);
	t->is_broken = t->sink_rc < 0;
	t->len_bytes = 0;
}

static void add_bytes(struct text *t, const char *s, size_t len_bytes)
{
	if (!reserve(t, len_bytes))
		return;
	memcpy(t->data + t->len_bytes, s, len_bytes);
	t->len_bytes += len_bytes;
	t->data[t->len_bytes] = '\0';
	if (t->sink && t->len_bytes >= TEXT_SINK_BYTES)
		hand_over(t);
}

void text_add(struct text *t, const char *format, ...)
{
	va_list ap, again;
	int n;

	va_start(ap, format);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, format, ap);
	if (n < 0)
		t->is_broken = true;
	else if (reserve(t, (size_t)n)) {
		vsnprintf(t->data + t->len_bytes, (size_t)n + 1, format, again);
		t->len_bytes += (size_t)n;
	}
	va_end(again);
	va_end(ap);
	if (t->sink && t->len_bytes >= TEXT_SINK_BYTES)
		hand_over(t);
}

void text_add_escaped(struct text *t, const char *s, size_t len_bytes)
{
	const uint8_t *at = (const uint8_t *)s, *end = at + len_bytes;

	while (at < end) {
		uint32_t c = 0;
		size_t n = sequence(at, (size_t)(end - at), &c);

		if (n == 1 && c == '\\')
			add_bytes(t, "\\\\", 2);
		else if (n && c >= 0x20 && c != 0x7f && !is_deceptive(c))
			add_bytes(t, (const char *)at, n);
		else
			for (size_t i = 0; i < max_u64(n, 1); i++)
				text_add(t, "\\x%02x", at[i]);
		at += max_u64(n, 1);
	}
}

void text_fit(char *ret, size_t room_bytes, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(ret, room_bytes, format, ap);
	va_end(ap);
}

char *text_take(struct text *t)
{
	char *data;

	if (!t->data)
		add_bytes(t, "", 0);
	if (t->is_broken) {
		text_drop(t);
		return NULL;
	}
	data = t->data;
	*t = (struct text){ 0 };
	return data;
}

int text_end(struct text *t)
{
	int rc;

	hand_over(t);
	rc = t->sink_rc < 0 ? t->sink_rc : t->is_broken ? -ENOMEM : 0;
	text_drop(t);
	return rc;
}

void text_drop(struct text *t)
{
	mem_free(t->data);
	*t = (struct text){ 0 };
}

/* ---- JSON ---- */

static void add_quoted(struct text *t, const char *s, size_t len_bytes)
{
	const uint8_t *at = (const uint8_t *)s, *end = at + len_bytes;

	add_bytes(t, "\"", 1);
	while (at < end) {
		uint32_t c = 0;
		size_t n = sequence(at, (size_t)(end - at), &c);

		if (!n)
			text_add(t, "\\\\x%02x", *at);
		else if (c == '"' || c == '\\')
			text_add(t, "\\%c", (char)c);
		else if (c < 0x20 || c == 0x7f || is_deceptive(c))
			text_add(t, "\\u%04x", c);
		else
			add_bytes(t, (const char *)at, n);
		at += max_u64(n, 1);
	}
	add_bytes(t, "\"", 1);
}

/* What stands before every value: the comma the one before it owes, and the key. */
static void begin_value(struct text *t, const char *key)
{
	if (t->wants_comma)
		add_bytes(t, ",", 1);
	t->wants_comma = true;
	if (key) {
		add_quoted(t, key, strlen(key));
		add_bytes(t, ":", 1);
	}
}

void json_open(struct text *t, const char *key, char bracket)
{
	begin_value(t, key);
	add_bytes(t, &bracket, 1);
	t->wants_comma = false;
}

void json_close(struct text *t, char bracket)
{
	add_bytes(t, &bracket, 1);
	t->wants_comma = true;
}

void json_strn(struct text *t, const char *key, const char *value, size_t len_bytes)
{
	begin_value(t, key);
	add_quoted(t, value, len_bytes);
}

void json_str(struct text *t, const char *key, const char *value)
{
	if (value)
		json_strn(t, key, value, strlen(value));
	else
		json_null(t, key);
}

/* Digits by hand: a bitmap may have a hundred million runs, and printf would be most of the time to tell them. */
void json_u64(struct text *t, const char *key, uint64_t value)
{
	char digits[DIGITS_MAX];
	size_t at = sizeof digits;

	begin_value(t, key);
	do
		digits[--at] = (char)('0' + value % 10);
	while (value /= 10);
	add_bytes(t, digits + at, sizeof digits - at);
}

void json_i64(struct text *t, const char *key, int64_t value)
{
	begin_value(t, key);
	text_add(t, "%lld", (long long)value);
}

void json_bool(struct text *t, const char *key, bool value)
{
	begin_value(t, key);
	text_add(t, "%s", value ? "true" : "false");
}

void json_null(struct text *t, const char *key)
{
	begin_value(t, key);
	add_bytes(t, "null", 4);
}

void json_off(struct text *t, const char *key, uint64_t value)
{
	if (value == OFF_NONE)
		json_null(t, key);
	else
		json_u64(t, key, value);
}
