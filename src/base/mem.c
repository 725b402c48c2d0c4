/* The allocator of the pure rooms.
 *
 * Purpose: the only place where a brain gets memory, so that purity can be read off a symbol table and
 * a test can refuse memory at one spot. Memory is zeroed, but for room that is about to be filled; a product that
 * overflows is refused.
 * Left out: resizing. Whoever grows something (text.c) copies. */
#include "base/mem.h"

#include <stdlib.h>

void *mem_new(size_t count, size_t size)
{
	return calloc(count ? count : 1, size ? size : 1);
}

void *mem_space(size_t bytes)
{
	return malloc(bytes ? bytes : 1);
}

void *mem_free(void *p)
{
	free(p);
	return NULL;
}
