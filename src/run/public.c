/* The one place where inner errors become public ones.
 *
 * No caller ever gets a code without a sentence: where the inner function had none, the table of errors has. */
#include "run/public.h"

#include <stdio.h>

int run_public_error(int code, const struct err *err, struct umd_error *ret_error)
{
	const char *text = err && err->code && err->text[0] ? err->text : err_sentence(code);

	if (!ret_error)
		return code;
	ret_error->code = code;
	ret_error->errno_class = err_errno(code);
	snprintf(ret_error->text, sizeof ret_error->text, "%s", text);
	return code;
}
