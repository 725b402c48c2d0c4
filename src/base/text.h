/* A growing text, and JSON written into it.
 *
 * Names from images are hostile: text_add_escaped() and every JSON string escape control bytes and
 * anything that is not plain ASCII or well-formed UTF-8. Running out of memory is remembered and
 * reported once, by text_take(). */
#ifndef UMD_BASE_TEXT_H
#define UMD_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	char *data;			/* NUL-terminated once something was added */
	size_t len_bytes, room_bytes;
	bool is_broken;			/* memory ran out */
	bool wants_comma;		/* JSON: a value precedes at this level */
	/* A text with a sink hands over what it holds whenever TEXT_SINK_BYTES have gathered, so that it stays small
	 * whatever is written into it. The sink returns 0 or a negative code, which is kept and ends it. */
	int (*sink)(void *opaque, const char *data, size_t len_bytes);
	void *sink_opaque;
	int sink_rc;
};

enum { TEXT_SINK_BYTES = 64 << 10 };

/* For a text with a sink, in place of text_take(): hand over the rest and drop. 0, -ENOMEM or the sink's code. */
int text_end(struct text *t);

void text_add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_add_escaped(struct text *t, const char *s, size_t len_bytes);	/* for a terminal: \xNN */

/* The text, to be freed with mem_free(); NULL when memory ran out. Leaves @t empty. */
char *text_take(struct text *t);
void text_drop(struct text *t);

/* A short sentence into a buffer of @room_bytes; cut where it does not fit, always terminated. */
void text_fit(char *ret, size_t room_bytes, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* JSON. @key is NULL inside an array. Commas come by themselves. */
void json_open(struct text *t, const char *key, char bracket);	/* '{' or '[' */
void json_close(struct text *t, char bracket);				/* '}' or ']' */
void json_str(struct text *t, const char *key, const char *value);	/* NULL value: null */
void json_strn(struct text *t, const char *key, const char *value, size_t len_bytes);
void json_u64(struct text *t, const char *key, uint64_t value);
void json_i64(struct text *t, const char *key, int64_t value);
void json_bool(struct text *t, const char *key, bool value);
void json_null(struct text *t, const char *key);
void json_off(struct text *t, const char *key, uint64_t value);	/* OFF_NONE: null */

#endif
