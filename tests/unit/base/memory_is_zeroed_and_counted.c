/* Goal:   memory of the pure rooms is zeroed, a product that overflows is refused, ownership is handed on once.
 * Method: fresh memory looked at after old memory was dirtied; limits; CLEANUP and TAKE.
 * Law:    none.
 * Source: base/mem.h. */
#include "base/mem.h"
#include "tap.h"

#include <stdint.h>

static int freed;

static void count_and_free(char **p)
{
	freed += *p != NULL;
	mem_free(*p);
}

static char *hand_over(void)
{
	CLEANUP(count_and_free) char *p = mem_new(1, 10);

	return TAKE(p);
}

static void let_go(void)
{
	CLEANUP(count_and_free) char *p = mem_new(1, 10);

	if (p)
		*p = 1;
}

static bool is_zeroed(void)
{
	for (int round = 0; round < 20; round++) {
		unsigned char *p = mem_new(100, 7);
		int dirty = 0;

		for (int i = 0; p && i < 700; i++)
			dirty += p[i] != 0;
		if (!p || dirty)
			return false;
		memset(p, 0xff, 700);
		mem_free(p);
	}
	return true;
}

int main(void)
{
	volatile size_t half = SIZE_MAX / 2;
	char *p;

	ok(is_zeroed(), "memory is zeroed also where it was used before");
	ok(!mem_new(half, 3), "a product that overflows is refused");
	p = mem_new(0, 8);
	ok(p, "no elements is no failure");
	ok(!mem_free(p) && !mem_free(NULL), "freeing returns NULL and takes NULL");
	p = hand_over();
	ok(p && freed == 0, "what was taken is not freed");
	mem_free(p);
	let_go();
	is_u64(freed, 1, "what was not taken is freed at the end of its scope");
	return tap_end();
}
