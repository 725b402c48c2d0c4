/* A member joins: by the bitmap at once; as a new device after everything on it that could be believed is gone (I2).
 *
 *   asked --> who is away is recorded --> asked --> place after place: read, erase, flush --> asked --> joins
 *     |                                     |                  |                               |
 *     +-- refused: no byte changes ---------+                  +-- fails: it does not join ----+
 *
 * Each operation is one of the hands': between any two of them the array goes on, members fail, the power goes. One
 * command is carried out at a time, so others that change members find it busy until then. When the array stops
 * meanwhile the command is given up in its middle, as by a kill.
 *
 * With a lot (as seeds have it) the command goes on beside everything else; without one the user waits for it. Left
 * out: the time that a command takes. */
#include "world.h"

#include <errno.h>
#include <string.h>

#include "base/le.h"

/* ---- the array takes it ---- */

/* The entry's owner must be known before the step's jobs name it. */
static uint32_t next_entry(const struct sim_world *w)
{
	struct arr_status s;
	uint32_t entry = 0;

	arr_get_status(w->array, &s);
	while (entry < s.member_count && s.members[entry].state != ARR_M_NONE)
		entry++;
	return entry;
}

static void join(struct sim_world *w, struct sim_member *m, const struct arr_member *new, const char *sentence)
{
	struct err err = { 0 };
	struct arr_event ev = { .kind = ARR_EV_ADD, .new_member = new, .reason = sentence, .err = &err };
	uint32_t entry = next_entry(w);

	m->has_failed = m->has_failed_source = false;
	w->disk_of[entry] = index_of(w, m);
	m->entry = entry;
	m->state = new->state;
	w->only_recovering = SIM_DISKS;	/* of two together nobody says who got what */
	m->place.data_at = new->data_at;
	m->place.bitmap_at = new->bitmap_at;
	m->place.minor = new->state == ARR_M_SPARE ? w->minor : w->looked[0].sb.minor;
	check_place(w, m);
	asm_admitted(w->lineage, entry);
	if (world_step(w, &ev) == 0 && ev.ret_member == entry)
		return;
	if (ev.rc != -ENOMEM || !memory_has_failed())
		broken(w, LAW_I9, "%s was admitted, but the array did not take it: %s", m->disk.path, err.text);
	asm_forget(w->lineage, entry);
	m->state = ARR_M_NONE;
}

/* ---- the command ---- */

static struct sim_member *joiner(struct sim_world *w)
{
	return &w->members[w->joining.member];
}

static void give_up(struct sim_world *w, const char *why)
{
	trace(w, "not admitted: %s", why);
	w->joining.is_on = false;
}

/* False: refused, and that ends it. */
static bool ask(struct sim_world *w, struct arr_member *ret, char sentence[256])
{
	struct sim_joining *j = &w->joining;
	struct err err = { 0 };

	world_look(w, joiner(w), &w->looked[0]);
	if (!asm_admit(w->lineage, w->array, &w->looked[0], j->how, j->uuid, ret, sentence, &err))
		return true;
	give_up(w, err.text);
	return false;
}

static void finish(struct sim_world *w, const struct arr_member *new, const char *sentence)
{
	struct sim_member *m = joiner(w);

	trace(w, "admitted: %s", sentence);
	w->joining.is_on = false;
	join(w, m, new, sentence);
	w->is_sync_expected = m->is_unchanged && new->state == ARR_M_RECOVERING && !new->wants_full &&
			      w->action == ARR_SYNC_RECOVER;
	w->sync_bytes_expected = 0;
}

/* ---- erasing, an operation at a time ---- */

static bool is_recorded(const struct sim_world *w)
{
	struct arr_status s;

	arr_get_status(w->array, &s);
	return s.is_recorded || s.is_broken;
}

/* What is looked for is read; the magic, of either byte order, is what is looked for. */
static int has_magic(struct sim_world *w, member_off at, bool *ret_has)
{
	uint8_t raw[FMT_SB1_BYTES];
	int rc = disk_read(&joiner(w)->disk, &w->lots, at.bytes, sizeof raw, raw);
	uint32_t magic = (uint32_t)le_get(raw, 4);

	*ret_has = rc == 0 && (magic == 0xa92b4efc || magic == 0xfc4e2ba9);
	return rc;
}

static int flush(struct sim_world *w)
{
	int rc = disk_flush(&joiner(w)->disk, &w->lots, w->step + 1);

	w->joining.is_written = false;
	trace_member(w, joiner(w), "erase flush%s", rc ? " FAILS" : "");
	return rc;
}

/* The next place with a superblock is erased; at the end of them all one flush more. */
static int erase_next(struct sim_world *w)
{
	struct sim_joining *j = &w->joining;
	struct sim_disk *d = &joiner(w)->disk;
	member_off places[4];
	uint32_t count = asm_places_to_erase(d->size_bytes, places);
	bool is_there = false;
	int rc = 0;

	if (j->is_written)
		return flush(w);
	while (!rc && !is_there && j->place < count)
		rc = has_magic(w, places[j->place++], &is_there);
	if (rc == 0 && is_there) {
		uint64_t at = places[j->place - 1].bytes;

		rc = disk_write(d, &w->lots, at, FMT_SB1_BYTES, NULL, false, false, w->step);
		j->is_written = true;
		trace_member(w, joiner(w), "erase %llu%s", (unsigned long long)at / SECTOR_BYTES, rc ? " FAILS" : "");
		return rc;
	}
	j->is_erased = !rc;
	return rc ? rc : flush(w);
}

bool joining_is_ready(struct sim_world *w)
{
	if (!w->joining.is_on || (!w->joining.is_recorded && !is_recorded(w)))
		return false;
	if (!joiner(w)->disk.is_hung)
		return true;
	joiner(w)->disk.faults[FAULT_HANG] += !joiner(w)->is_waited_for;
	joiner(w)->is_waited_for = true;
	return false;
}

void joining_goes_on(struct sim_world *w)
{
	struct sim_joining *j = &w->joining;
	struct arr_member new;
	char sentence[256];
	int rc = 0;

	hash_in(w, j->member, j->place, (uint64_t)j->is_written << 1 | j->is_recorded);
	if (j->is_recorded && !j->is_erased) {
		w->worked = ARR_JOB_FLUSH;	/* a moment at which the power likes to go */
		rc = erase_next(w);
	}
	if (rc)
		give_up(w, "it cannot be erased");
	else if (j->is_recorded && !j->is_erased)
		return;
	else if (ask(w, &new, sentence) && (j->is_erased || new.state != ARR_M_SPARE))
		finish(w, &new, sentence);
	j->is_recorded = true;
}

void joining_tears(struct sim_world *w)
{
	struct sim_joining *j = &w->joining;
	struct sim_disk *d = &joiner(w)->disk;
	member_off places[4];
	uint32_t count = asm_places_to_erase(d->size_bytes, places);
	uint8_t raw[FMT_SB1_BYTES];

	if (!j->is_on || !j->is_recorded || j->is_written || d->is_closed)
		return;
	for (uint32_t i = j->place; i < count; i++) {
		disk_peek(d, true, places[i].bytes, sizeof raw, raw);
		if (le_get(raw, 4) != 0xa92b4efc)
			continue;
		if (prng_below(&w->lots, 2))
			disk_write_torn(d, &w->lots, places[i].bytes, sizeof raw, NULL);
		return;
	}
}

/* ---- EV_ADD, EV_READD ---- */

/* The user is told when it is on record that the member joined. */
static bool is_over(const struct sim_world *w, const void *of)
{
	return !w->joining.is_on && !w->owner.is_joining && is_recorded(w);
}

bool admin_return(struct sim_world *w, const struct sim_event *e)
{
	struct sim_member *m = w->array && e->member < w->member_count ? &w->members[e->member] : NULL;
	struct arr_member new;
	char sentence[256];

	if (!m || m->state != ARR_M_NONE || m->disk.is_dead || m->disk.is_gone || m->disk.is_hung ||
	    w->is_stopping || w->is_readonly || w->is_still || w->joining.is_on)
		return false;
	if (w->setup->is_external && w->owner.is_joining)
		return false;
	disk_open(&m->disk);
	m->is_waited_for = false;
	if (w->setup->is_external) {
		owner_return(w, e);
		if (!e->lot)
			world_wait(w, is_over, NULL);
		return true;
	}
	w->joining = (struct sim_joining){
		.is_on = true,
		.member = index_of(w, m),
		.how = e->kind == EV_READD ? ASM_ADMIT_READD : ASM_ADMIT_ADD,
		.uuid = { (uint8_t)(++w->uuids), 1 },
	};
	if (!ask(w, &new, sentence))
		return true;
	if (new.state != ARR_M_SPARE)
		finish(w, &new, sentence);
	else
		world_step(w, &(struct arr_event){ .kind = ARR_EV_TIMER });	/* what is owed is being recorded */
	if (w->joining.is_on && !e->lot)
		world_wait(w, is_over, NULL);
	return true;
}
