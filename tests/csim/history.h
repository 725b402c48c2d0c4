/* One history from its seed, and what a sweep makes of it. */
#ifndef TESTS_CSIM_HISTORY_H
#define TESTS_CSIM_HISTORY_H

#include "csim.h"

struct cs_options {
	uint32_t nodes;			/* 0: by the seed */
	bool is_tracing;
	bool is_newcomer;		/* a scene of newcomer.c, no history at large */
	uint64_t fault_at;		/* the turn before which @fault strikes; UINT64_MAX: as the seed has it */
	enum cs_fault fault;
};

/* Run it to its end, or until a law is broken. */
void history_run(const struct cs_options *o, uint64_t seed, struct cs_stats *stats);
/* A short one without faults, once for every turn of it and every kind of fault. */
void history_sweep(const struct cs_options *o, uint64_t seed, struct cs_stats *stats);

/* newcomer.c */
void newcomer_setup(struct cs_setup *s);
void newcomer_live(struct cs_world *w);

/* Of the last one: */
bool history_is_sound(void);
uint64_t history_hash(void);		/* of all that went to members and to clients */
uint64_t history_fault_at(void);
enum cs_fault history_fault(void);

#endif
