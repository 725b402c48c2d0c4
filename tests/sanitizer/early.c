/* Starts the address sanitizer before any other library's constructor, where it is preloaded into nbdkit.
 *
 * libasan starts at the first malloc. In nbdkit that one comes from a constructor (libp11-kit, by way of gnutls) inside
 * newlocale(), which holds glibc's locale lock for writing; libasan then asks for a symbol that is not there, glibc
 * translates the error text, takes the same lock again and leaves it broken: the next newlocale(), in whatever thread,
 * never returns. Linked with -z initfirst this constructor comes before that, with no lock held.
 *
 * Not part of any installed build. */
#include <stdlib.h>

static void *volatile first;

__attribute__((constructor)) static void start_sanitizer(void)
{
	first = malloc(1);
	free(first);
}
