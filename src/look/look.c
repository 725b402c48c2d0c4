/* The hands of looking: read where assembly points, let assembly say what it means (law I7: nothing is written).
 *
 * Members of a running array may be looked at too: what is read may then change between two reads, which the checks
 * of the superblock (checksum) catch or the next look shows. Left out: the chunks of the bitmap (scan.c). */
#include "look/look.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { MEMBER_MIN_BYTES = 12288 };		/* no place for a superblock exists below */

/* A member without superblock: its first bytes tell whether it is a bitmap file. */
static void name_the_stranger(struct member *m, struct asm_member *look)
{
	uint8_t first[FMT_SB1_BYTES] = { 0 };
	bool has_first = m->size_bytes >= FMT_BITMAP_SB_BYTES &&
			 mbr_read(m, (member_off){ 0 }, first, min_u64(m->size_bytes, sizeof first)) == 0;

	asm_name_the_stranger(look, has_first ? first : NULL);
	if (look->kind == ASM_UNKNOWN && m->size_bytes < MEMBER_MIN_BYTES)
		err_set(&look->error, UMD_E_NO_SUPERBLOCK, "%s holds %llu byte%s; a member needs at least %d",
			look->path, (unsigned long long)m->size_bytes, m->size_bytes == 1 ? "" : "s", MEMBER_MIN_BYTES);
}

static int refuse_read(struct asm_member *look, member_off at, int rc)
{
	return err_set(&look->error, rc, "%s cannot be read at byte %llu: %s", look->path, (unsigned long long)at.bytes,
		       err_sentence(rc));
}

static int take_superblocks(struct member *m, struct asm_member *look)
{
	enum sb1_minor minors[3];
	uint8_t raw[FMT_SB1_BYTES];
	member_off places[3], at;
	uint32_t count = asm_super_places(m->size_bytes, places, minors);
	int rc;

	for (uint32_t i = 0; i < count; i++) {
		rc = mbr_read(m, places[i], raw, sizeof raw);
		if (rc < 0)
			return refuse_read(look, places[i], rc);
		asm_take_superblock(look, minors[i], places[i], raw);
	}
	if (!lay_super_090(m->size_bytes, &at))
		return 0;
	rc = mbr_read(m, at, raw, sizeof raw);
	if (rc == 0)
		asm_take_superblock_090(look, at, raw);
	/* Who has a superblock elsewhere does not need this place. */
	return rc < 0 && !look->has_superblock ? refuse_read(look, at, rc) : 0;
}

static void take_bitmap(struct member *m, struct asm_member *look, member_off at)
{
	uint8_t raw[FMT_BITMAP_SB_BYTES];
	int rc = mbr_read(m, at, raw, sizeof raw);

	if (rc < 0)
		err_set(&look->bitmap_error, rc, "%s: the bitmap cannot be read at byte %llu: %s", look->path,
			(unsigned long long)at.bytes, err_sentence(rc));
	else
		asm_take_bitmap(look, raw);
}

void look_member(struct member *m, const char *path, struct asm_member *look)
{
	member_off at;

	memset(look, 0, sizeof *look);
	look->path = path;
	look->size_bytes = m->size_bytes;
	if (take_superblocks(m, look) < 0)
		return;
	if (!look->has_superblock)
		name_the_stranger(m, look);
	else if (!look->error.code && asm_wants_bitmap(look, &at))
		take_bitmap(m, look, at);
}

void look_own_slot(struct member *m, uint32_t slot, struct asm_member *look)
{
	uint8_t raw[FMT_BITMAP_SB_BYTES];
	member_off at;

	if (asm_wants_slot(look, slot, &at) && !mbr_read(m, at, raw, sizeof raw))
		asm_take_slot(look, raw);
}

char *look_escaped(const char *path)
{
	struct text t = { 0 };

	text_add_escaped(&t, path, strlen(path));
	return text_take(&t);
}

int look_read_image(struct member *m, const char *path, member_off at, uint64_t len_bytes, uint8_t **ret_image,
		    struct err *err)
{
	uint8_t *image = mem_new(1, len_bytes);
	int rc;

	if (!image)
		return err_set(err, -ENOMEM, "no memory for the bitmap of %llu bytes of %s",
			       (unsigned long long)len_bytes, path);
	rc = mbr_read(m, at, image, len_bytes);
	if (rc < 0) {
		mem_free(image);
		return err_set(err, rc, "%s: the bitmap cannot be read: %s", path, err_sentence(rc));
	}
	*ret_image = image;
	return 0;
}
