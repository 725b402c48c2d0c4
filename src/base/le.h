/* Little-endian integers as byte arrays: alignment 1, no host order anywhere. */
#ifndef UMD_BASE_LE_H
#define UMD_BASE_LE_H

#include <stdint.h>

static inline uint64_t le_get(const uint8_t *p, unsigned width_bytes)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < width_bytes; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

static inline void le_put(uint8_t *p, unsigned width_bytes, uint64_t v)
{
	for (unsigned i = 0; i < width_bytes; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

#endif
