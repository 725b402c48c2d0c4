/* From the house's errors to the public one. */
#ifndef UMD_RUN_PUBLIC_H
#define UMD_RUN_PUBLIC_H

#include "base/err.h"
#include "umd/umd.h"

/**
 * run_public_error - hand an inner refusal to a caller of the library
 * @code: what the caller will get back; @err: its sentence, or a struct whose text is empty (then the table's text)
 * @ret_error may be NULL. Returns @code.
 */
int run_public_error(int code, const struct err *err, struct umd_error *ret_error);

#endif
