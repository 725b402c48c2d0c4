/* Addresses are types. Everything in memory counts bytes; 512-byte sectors live in format/ and in
 * names that end in _sectors. An address of one space does not compile where another is wanted:
 * one historic kernel patch for bitmap slots had five address errors, all of them unit errors. */
#ifndef UMD_BASE_UNITS_H
#define UMD_BASE_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECTOR_BYTES 512u

typedef struct { uint64_t bytes; } array_off;	/* byte of the array, as a client sees it */
typedef struct { uint64_t bytes; } member_off;	/* byte of one member, from its very start */
typedef struct { uint64_t index; } chunk_no;	/* bitmap chunk */

#define OFF_NONE UINT64_MAX			/* "no such place", e.g. nothing left to resync */

/* Checked arithmetic: true when the result fits, which is then stored. */
static inline bool add_fits(uint64_t a, uint64_t b, uint64_t *ret_sum)
{
	return !__builtin_add_overflow(a, b, ret_sum);
}

static inline bool mul_fits(uint64_t a, uint64_t b, uint64_t *ret_product)
{
	return !__builtin_mul_overflow(a, b, ret_product);
}

static inline uint64_t div_up(uint64_t a, uint64_t b)
{
	return a / b + (a % b != 0);
}

/* @unit is a power of two. */
static inline uint64_t round_down(uint64_t a, uint64_t unit)
{
	return a & ~(unit - 1);
}

/* @unit is a power of two; the caller knows that a + unit fits. */
static inline uint64_t round_up(uint64_t a, uint64_t unit)
{
	return round_down(a + unit - 1, unit);
}

static inline bool is_power_of_two(uint64_t a)
{
	return a && !(a & (a - 1));
}

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Do [a, a+alen) and [b, b+blen) share a byte? */
static inline bool ranges_overlap(uint64_t a, uint64_t alen, uint64_t b, uint64_t blen)
{
	return alen && blen && a < b + blen && b < a + alen;
}

#endif
