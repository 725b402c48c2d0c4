/* The allocator of the pure rooms. */
#include "base/mem.h"

#include <stdlib.h>

void *mem_new(size_t count, size_t size)
{
	return calloc(count ? count : 1, size ? size : 1);
}

void *mem_free(void *p)
{
	free(p);
	return NULL;
}
