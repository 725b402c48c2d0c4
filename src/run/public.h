/* From the house's errors to the public one. */
#ifndef UMD_RUN_PUBLIC_H
#define UMD_RUN_PUBLIC_H

#include "base/err.h"
#include "base/text.h"
#include "umd/umd.h"

/**
 * run_public_error - hand an inner refusal to a caller of the library
 * @code: what the caller will get back; @err: its sentence, or a struct whose text is empty (then the table's text)
 * @ret_error may be NULL. Returns @code.
 */
int run_public_error(int code, const struct err *err, struct umd_error *ret_error);

/**
 * run_public_answer - the end of a call that has written something: @json says what, or @rc and @err why not
 * @json is used up; @ret_json may be NULL. Returns 0 or a code.
 */
int run_public_answer(int rc, struct text *json, char **ret_json, struct err *err, struct umd_error *ret_error);

#endif
