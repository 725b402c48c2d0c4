/* A sanitizer's run-time library that is preloaded into a program it did not compile wakes up at the first malloc.
 * In nbdkit that is inside newlocale(), called by a constructor of a library of its own: the sanitizer then asks for
 * a translated error text while the locale lock is held, the lock's count is spoilt, and json-c hangs for ever.
 * This object is initialised before all others (-z initfirst) and lets the first malloc happen in peace. */
#include <stdlib.h>

__attribute__((constructor)) static void wake_sanitizer(void)
{
	free(malloc(1));
}
