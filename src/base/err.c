/* The table of errors and the making of sentences.
 *
 * Purpose: one code per reason, so that tests can ask for the reason; one sentence per refusal, made
 * where the values are known. The table (err.def) gives name, errno class and a fallback text.
 *
 * A plain -errno is a code as well: name and text are the C library's, the class is itself.
 * Left out: printing (the program reports, once) and chains of causes (a sentence says it all). */
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
	int code, class;
	const char *name, *text;
} errors[] = {
#define E(name, class, text) { UMD_E_##name, class, #name, text },
#include "base/err.def"
#undef E
};

enum { ERROR_COUNT = sizeof errors / sizeof *errors };
_Static_assert(ERROR_COUNT < 63, "the codes must stay below -ERR_BASE");

static int find(int code)
{
	for (int i = 0; i < ERROR_COUNT; i++)
		if (errors[i].code == code)
			return i;
	return -1;
}

int err_set(struct err *e, int code, const char *format, ...)
{
	va_list ap;

	if (!e)
		return code;

	e->code = code;
	va_start(ap, format);
	vsnprintf(e->text, sizeof e->text, format, ap);
	va_end(ap);
	return code;
}

const char *err_name(int code)
{
	int i = find(code);

	return i >= 0 ? errors[i].name : code == 0 ? "OK" : strerrorname_np(-code) ?: "UNKNOWN";
}

const char *err_sentence(int code)
{
	int i = find(code);

	return i >= 0 ? errors[i].text : strerrordesc_np(-code) ?: "unknown error";
}

int err_errno(int code)
{
	int i = find(code);

	return i >= 0 ? errors[i].class : -code;
}
