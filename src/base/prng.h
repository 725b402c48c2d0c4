/* Reproducible pseudo-random numbers (xorshift64*), for simulations and tests; never for secrets. */
#ifndef UMD_BASE_PRNG_H
#define UMD_BASE_PRNG_H

#include <stdint.h>

struct prng {
	uint64_t state;
};

static inline struct prng prng_seed(uint64_t seed)
{
	return (struct prng){ seed * 0x9e3779b97f4a7c15u + 0x2545f4914f6cdd1du };
}

static inline uint64_t prng_next(struct prng *r)
{
	if (!r->state)
		r->state = 1;
	r->state ^= r->state >> 12;
	r->state ^= r->state << 25;
	r->state ^= r->state >> 27;
	return r->state * 0x2545f4914f6cdd1du;
}

/* 0 .. n-1; n > 0. */
static inline uint64_t prng_below(struct prng *r, uint64_t n)
{
	return (prng_next(r) >> 11) % n;
}

#endif
