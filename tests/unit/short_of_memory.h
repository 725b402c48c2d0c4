/* The house's allocator for tests in which memory runs out: a program that includes this brings it instead of base's.
 * So many calls more succeed as @allocations_left says. */
#ifndef TESTS_UNIT_SHORT_OF_MEMORY_H
#define TESTS_UNIT_SHORT_OF_MEMORY_H

#include <stdlib.h>

#include "base/mem.h"

enum { MEMORY_ENOUGH = 1 << 30 };

static int allocations_left = MEMORY_ENOUGH;

void *mem_new(size_t count, size_t size)
{
	return allocations_left-- > 0 ? calloc(count ? count : 1, size ? size : 1) : NULL;
}

void *mem_space(size_t bytes)
{
	return mem_new(1, bytes);
}

void *mem_free(void *p)
{
	free(p);
	return NULL;
}

#endif
