/* Hostile text on its way out: escapes for a terminal, JSON, and uuids on their way in.
 *
 * Input: any bytes. Properties: what a terminal gets is harmless; JSON is read back by another reader, is harmless, and
 * gives the same characters; only what is no text at all is changed; a uuid that is read is written the same again. */
#include <string.h>

#include "fuzz.h"

#include "base/mem.h"
#include "base/text.h"
#include "format/sb1.h"
#include "run/json.h"

static char *terminal(const char *s, size_t len)
{
	struct text t = { 0 };
	char *shown;

	text_add_escaped(&t, s, len);
	shown = text_take(&t);
	FUZZ_MUST(shown && fuzz_is_harmless(shown, strlen(shown), false));
	FUZZ_MUST(strlen(shown) >= len && strlen(shown) <= 4 * len);
	return shown;
}

/* The string is a value, a part of an array and a key. */
static void json(const char *s, size_t len)
{
	struct text t = { 0 };
	struct json_object *o, *value;
	char *out;

	json_open(&t, NULL, '{');
	json_strn(&t, "value", s, len);
	json_open(&t, "list", '[');
	json_u64(&t, NULL, UINT64_MAX);
	json_strn(&t, NULL, s, len);
	json_off(&t, NULL, UINT64_MAX);
	json_close(&t, ']');
	json_close(&t, '}');
	out = text_take(&t);
	FUZZ_MUST(out && fuzz_is_harmless(out, strlen(out), false));
	o = json_tokener_parse(out);
	FUZZ_MUST(o && json_object_object_get_ex(o, "value", &value) && json_object_is_type(value, json_type_string));
	if (fuzz_is_harmless(s, len, false))
		FUZZ_MUST((size_t)json_object_get_string_len(value) == len &&
			  !memcmp(json_object_get_string(value), s, len));
	FUZZ_MUST(json_object_object_get_ex(o, "list", &value) && json_object_array_length(value) == 3);
	json_object_put(o);
	mem_free(out);
}

static void uuid(const char *s)
{
	uint8_t bytes[16], again[16];
	char text[36];

	if (!fmt_uuid_parse(s, bytes))
		return;
	fmt_uuid_text(bytes, text);
	FUZZ_MUST(fmt_uuid_parse(text, again) && !memcmp(bytes, again, sizeof bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = mem_new(1, size + 1), *shown, *twice;

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	shown = terminal(copy, size);
	twice = terminal(shown, strlen(shown));
	if (fuzz_is_harmless(copy, size, false) && !memchr(copy, '\\', size))
		FUZZ_MUST(strlen(shown) == size && !memcmp(shown, copy, size));
	json(copy, size);
	json(shown, strlen(shown));
	uuid(copy);
	mem_free(twice);
	mem_free(shown);
	mem_free(copy);
	return 0;
}
