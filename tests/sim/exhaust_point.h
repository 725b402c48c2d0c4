/* Between exhaust_cut.c, which lists the images of a crash point, and exhaust_judge.c, which starts from each. */
#ifndef TESTS_SIM_EXHAUST_POINT_H
#define TESTS_SIM_EXHAUST_POINT_H

#include "exhaust.h"

enum {
	SECTORS_MAX = REACH_SECTORS_MAX,	/* on their way at one point */
	VERSIONS_MAX = 9,		/* of one sector: a digit in the text of a cut */
};

struct on_its_way {
	uint32_t member, versions;	/* choices: 0 .. versions */
	uint64_t worth[VERSIONS_MAX + 1];	/* what the choice adds to the image's hash */
};

struct point {
	struct exhaust *x;
	struct sim_world *w;
	uint32_t level;
	struct sim_disk disks[SIM_DISKS];	/* as if everything under way had been carried out, but not flushed */
	uint32_t count;
	struct on_its_way sectors[SECTORS_MAX];
	uint8_t choices[SIM_DISKS][SECTORS_MAX], *next[SIM_DISKS];
	uint64_t hash;				/* of what no image changes */
};

struct image {
	bool is_chosen;			/* the point's choices; else by these: */
	uint64_t lot;
	uint32_t flags;
};

static inline uint64_t point_mix(uint64_t a, uint64_t b)
{
	a ^= b + 0x9e3779b97f4a7c15u + (a << 6) + (a >> 2);
	a ^= a >> 30;
	a *= 0xbf58476d1ce4e5b9u;
	a ^= a >> 27;
	a *= 0x94d049bb133111ebu;
	return a ^ a >> 31;
}

/* Every subset of the members is started from this image. */
void point_judge(struct point *p, const struct image *image);

#endif
