/* Superblocks of an earlier life are erased before a member begins a new one: an old one must not come back.
 *
 * A member has four places for superblocks, and more than one may hold some. Who looks at it believes the first in the
 * order 1.1, 1.2, 1.0, 0.90. They go in the opposite order (asm_places_to_erase), each durably before the next: a cut
 * in between never uncovers one that was hidden until then, whose array and history may be others (I2, I5).
 *
 * A place without a superblock's magic is left as it is (I7): data may lie there. Left out: whether the member may be
 * erased at all (create.c, admit.c). */
#include "run/wipe.h"

#include "assembly/assembly.h"
#include "base/le.h"

enum { BLOCK_BYTES = 4096 };

static int failed(const char *shown, int rc, const char *what, member_off at, struct err *err)
{
	return err_set(err, rc, "%s: an old superblock at byte %llu could not be %s: %s; nothing new was written there",
		       shown, (unsigned long long)at.bytes, what, err_sentence(rc));
}

static int wipe_place(struct member *m, const char *shown, member_off at, struct err *err)
{
	static const uint8_t zeroes[BLOCK_BYTES];
	uint8_t raw[4];
	uint32_t magic;
	int rc = mbr_read(m, at, raw, sizeof raw);

	if (rc < 0)
		return failed(shown, rc, "looked for", at, err);
	magic = (uint32_t)le_get(raw, sizeof raw);
	if (magic != FMT_SB1_MAGIC && magic != __builtin_bswap32(FMT_SB1_MAGIC))
		return 0;
	rc = mbr_write(m, at, zeroes, sizeof zeroes, false);
	if (rc == 0)
		rc = mbr_flush(m);
	return rc < 0 ? failed(shown, rc, "erased", at, err) : 0;
}

int run_wipe_superblocks(struct member *m, const char *shown, struct err *err)
{
	member_off places[4];
	uint32_t count = asm_places_to_erase(m->size_bytes, places);
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < count; i++)
		rc = wipe_place(m, shown, places[i], err);
	if (rc < 0)
		return rc;
	/* Also where none is left to be seen: an earlier attempt may have erased one in a cache only. */
	rc = mbr_flush(m);
	return rc < 0 ? err_set(err, rc, "%s could not be flushed: %s; nothing new was written there", shown,
				err_sentence(rc)) :
			0;
}
