/* The allocator of the pure rooms, for a world in which memory runs out.
 *
 * It stands where base/mem.c stands in the server: the linker takes it first and never opens base's. The n-th
 * allocation from now fails, that one alone; whoever asks learns how many there were, so that every n can be tried.
 * Everything else (the simulator's own memory) comes from the C library and does not fail. Worlds come and go a
 * thousand times a second, so what is freed is kept: giving it back to the system and asking anew took two fifths of
 * all time. */
#include "base/mem.h"
#include "world.h"

#include <malloc.h>
#include <stdlib.h>

enum { KEPT_BYTES = 64 << 20 };

static uint64_t allocations, failing = UINT64_MAX;
static bool has_failed;

void *mem_new(size_t count, size_t size)
{
	if (allocations++ == failing) {
		has_failed = true;
		return NULL;
	}
	return calloc(count ? count : 1, size ? size : 1);
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

void memory_fail_after(uint64_t count)
{
	failing = count == UINT64_MAX ? UINT64_MAX : allocations + count;
	has_failed = false;
}

uint64_t memory_allocations(void)
{
	return allocations;
}

bool memory_has_failed(void)
{
	return has_failed;
}

void memory_keep(void)
{
	mallopt(M_MMAP_THRESHOLD, KEPT_BYTES / 2);
	mallopt(M_TRIM_THRESHOLD, 2 * KEPT_BYTES);
	mallopt(M_TOP_PAD, KEPT_BYTES);
}
