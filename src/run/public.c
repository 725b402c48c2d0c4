/* The one place where inner errors become public ones.
 *
 * No caller ever gets a code without a sentence: where the inner function had none, the table of errors has. */
#include "run/public.h"

#include <errno.h>
#include <stdio.h>

#include "base/mem.h"

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

int run_public_answer(int rc, struct text *json, char **ret_json, struct err *err, struct umd_error *ret_error)
{
	char *said = text_take(json);

	if (rc == 0 && ret_json && !said)
		rc = err_set(err, -ENOMEM, "no memory to tell what was written");
	if (rc == 0 && ret_json)
		*ret_json = said;
	else
		mem_free(said);
	return rc < 0 ? run_public_error(rc, err, ret_error) : 0;
}
