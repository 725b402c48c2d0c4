/* Between the checkers: what each file asks of the others. Nobody else includes it. */
#ifndef TESTS_SIM_CHECK_H
#define TESTS_SIM_CHECK_H

#include "world.h"

typedef unsigned long long ull;		/* for %llu */

static inline bool is_data_write(const struct arr_job *job)
{
	bool is_data = job->kind == ARR_JOB_REQUEST || job->kind == ARR_JOB_BEHIND;

	return is_data && (job->parts[0].op == ARR_P_WRITE || job->parts[0].op == ARR_P_ZERO);
}

static inline struct sim_member *member_of(struct sim_world *w, const struct arr_part *p)
{
	return &w->members[w->disk_of[p->member]];
}

static inline bool is_file(const struct sim_world *w, const struct sim_member *m)
{
	return m == &w->members[SIM_FILE];
}

/* What lies in a sector of the array, on a member. */
static inline content data_at(const struct sim_member *m, bool in_cache, uint64_t sector)
{
	return disk_at(&m->disk, in_cache, m->place.data_at.bytes + sector * SECTOR_BYTES);
}

/* It vanished, and the array does not know yet: what it holds is nobody's promise. */
static inline bool is_lost(const struct sim_member *m)
{
	return m->disk.is_gone || m->disk.is_closed;
}

static inline uint64_t chunk_of(const struct sim_world *w, uint64_t sector)
{
	return w->has_bitmap ? sector * SECTOR_BYTES / w->chunk_bytes : UINT64_MAX;
}

/* The member in sync with the lowest slot: whose content decides while copies may differ. NULL: none. */
const struct sim_member *pin_of(const struct sim_world *w);
/* The first sector of [@first, @first + @sectors) in which two members differ; UINT64_MAX: none. */
uint64_t first_difference(const struct sim_member *one, const struct sim_member *other, bool in_cache, uint64_t first,
			  uint64_t sectors);

/* check_content.c */
void content_started(struct sim_world *w);
void content_at_rest(struct sim_world *w);
/* check_cover.c */
void cover_issued(struct sim_world *w, const struct arr_job *job);
void cover_part(struct sim_world *w, const struct sim_job *j);
void note_counters(struct sim_world *w);
void check_cleared(struct sim_world *w, const struct sim_job *j, const struct arr_part *p);
bool may_return(const struct sim_world *w, const struct sim_member *m, uint64_t events_cleared);
/* check_names.c */
void names_claim(struct sim_world *w, const struct sim_member *m, const struct super *before, const struct super *now);
bool names_page(struct sim_world *w, const struct sim_member *m, const struct arr_part *p);
/* The same of the file, whose believers are told by its events. */
bool names_file(struct sim_world *w, const struct arr_part *p);
void names_without_file(struct sim_world *w);
void names_issued(struct sim_world *w);
/* check_order.c */
void order_started(struct sim_world *w);
void order_part(struct sim_world *w, const struct sim_write *r, const struct sim_member *m);
void order_sync_part(struct sim_world *w);
bool members_are_equal(struct sim_world *w);	/* true: there were two to compare */
/* check_bounds.c */
void bounds_part(struct sim_world *w, const struct sim_job *j, const struct arr_part *p, const struct sim_member *m);
void bounds_ended(struct sim_world *w);
/* check_claims.c */
void claims_issued(struct sim_world *w);
void check_claim(struct sim_world *w, const struct arr_job *job, const struct arr_part *p);
void claims_sync_part(struct sim_world *w, const struct sim_member *m);
void check_store(struct sim_world *w, const struct sim_record *next);	/* the owner's */
/* check_members.c */
void members_started(struct sim_world *w);
void note_places(struct sim_world *w, const struct arr_status *s);
void members_ended(struct sim_world *w);
bool is_written_off(const struct sim_world *w, const struct sim_member *m, uint64_t sector);
void members_stepped(struct sim_world *w, const struct arr_status *s);
/* check_owed.c */
void owed_started(struct sim_world *w);
void owed_stepped(struct sim_world *w, const struct arr_status *s);
void owed_left(struct sim_world *w, struct sim_member *m, bool was_in_sync);
void recovery_ended(struct sim_world *w, const struct arr_sync_report *r);
/* check_rest.c */
void rest_started(struct sim_world *w);
void sync_ended(struct sim_world *w, const struct arr_sync_report *r);
void array_broke(struct sim_world *w);

#endif
