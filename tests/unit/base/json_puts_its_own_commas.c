/* Goal:   nested objects and arrays come out as JSON, texts grow, and trouble is told once.
 * Method: a text with every kind of value, compared as a whole; a text of a megabyte; one too long for memory.
 * Law:    none.
 * Source: base/text.h; RFC 8259. */
#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"
#include "tap.h"

static void every_kind_of_value(void)
{
	struct text t = { 0 };
	char *got;

	json_open(&t, NULL, '{');
	json_str(&t, "name", "a\"b");
	json_str(&t, "nobody", NULL);
	json_u64(&t, "most", UINT64_MAX);
	json_i64(&t, "least", INT64_MIN);
	json_bool(&t, "yes", true);
	json_bool(&t, "no", false);
	json_off(&t, "at", 4096);
	json_off(&t, "nowhere", OFF_NONE);
	json_null(&t, "null");
	json_open(&t, "empty", '[');
	json_close(&t, ']');
	json_open(&t, "runs", '[');
	for (int i = 0; i < 2; i++) {
		json_open(&t, NULL, '[');
		json_u64(&t, NULL, 3 * i);
		json_u64(&t, NULL, 3 * i + 1);
		json_close(&t, ']');
	}
	json_close(&t, ']');
	json_u64(&t, "last", 0);
	json_close(&t, '}');
	got = text_take(&t);
	if (!ok(got && !strcmp(got, "{\"name\":\"a\\\"b\",\"nobody\":null,\"most\":18446744073709551615,"
				    "\"least\":-9223372036854775808,\"yes\":true,\"no\":false,\"at\":4096,"
				    "\"nowhere\":null,\"null\":null,\"empty\":[],\"runs\":[[0,1],[3,4]],\"last\":0}"),
		"one object with every kind of value"))
		printf("# got %s\n", got ? got : "(none)");
	mem_free(got);
}

static void texts_grow(void)
{
	struct text t = { 0 };
	char *got;
	bool is_same = true;

	for (int i = 0; i < 200000; i++)
		text_add(&t, "%06d", i);
	is_u64(t.len_bytes, 1200000, "200000 small pieces make 1200000 bytes");
	got = text_take(&t);
	for (int i = 0; got && i < 200000; i += 777) {
		char piece[8];

		snprintf(piece, sizeof piece, "%06d", i);
		is_same = is_same && !memcmp(got + 6 * i, piece, 6);
	}
	ok(got && is_same, "every piece is where it was put");
	mem_free(got);
	ok(!t.data && !t.len_bytes, "a text is empty after it was taken");
}

static void trouble_is_told_once(void)
{
	struct text t = { .is_broken = true };
	char *got;

	text_add(&t, "lost");
	json_u64(&t, "lost", 1);
	got = text_take(&t);
	ok(!got, "a text that ran out of memory is never handed out");
	text_add(&t, "%s", "fresh");
	got = text_take(&t);
	ok(got && !strcmp(got, "fresh"), "after that the text can be used again");
	mem_free(got);
	got = text_take(&t);
	ok(got && !*got, "nothing added is an empty text, not a failure");
	mem_free(got);
	text_add(&t, "dropped");
	text_drop(&t);
	ok(!t.data && !t.room_bytes, "a dropped text owns nothing");
}

int main(void)
{
	every_kind_of_value();
	texts_grow();
	trouble_is_told_once();
	return tap_end();
}
