/* Errors: 0 or a negative code; plain -errno, or one of our own, one code per reason.
 * Functions whose refusal a user will read also fill a struct err with one sentence: what was
 * refused, the two values compared, what would go on. */
#ifndef UMD_BASE_ERR_H
#define UMD_BASE_ERR_H

#include <stdarg.h>

#define ERR_BASE 4096			/* own codes are -(ERR_BASE + n): no errno reaches it */

enum err_code {
	ERR_FIRST = -ERR_BASE - 64,	/* the enum counts up, codes stay negative */
#define E(name, class, text) UMD_E_##name,
#include "base/err.def"
#undef E
	ERR_END
};

#define ERR_TEXT_BYTES 640

struct err {
	int code;			/* 0, -errno or UMD_E_* */
	char text[ERR_TEXT_BYTES];	/* one sentence; hostile names are already escaped */
};

/* Fill @e (may be NULL) and return @code. */
int err_set(struct err *e, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

const char *err_name(int code);		/* "BAD_CHECKSUM", "errno 5"; never NULL */
const char *err_sentence(int code);	/* fallback text; never NULL */
int err_errno(int code);		/* positive errno for a front end, 0 for 0 */

#endif
