/* The hands of looking: read where assembly points, let assembly say what it means (law I7: nothing is written).
 *
 * Members of a running array may be looked at too: what is read may then change between two reads, which the checks
 * of the superblock (checksum) catch or the next look shows. Left out: the bits of the bitmap (bits.c streams them). */
#include "run/look.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

static void name_the_stranger(struct member *m, struct asm_member *look)
{
	uint8_t at_090[FMT_SB1_BYTES] = { 0 }, first[FMT_SB1_BYTES] = { 0 };
	bool has_first = m->size_bytes >= sizeof first;
	member_off at;

	if (lay_super_090(m->size_bytes, &at) && mbr_read(m, at, at_090, sizeof at_090) == 0)
		asm_take_superblock_090(look, at, at_090);
	if (has_first)
		has_first = mbr_read(m, (member_off){ 0 }, first, sizeof first) == 0;
	asm_name_the_stranger(look, has_first ? first : NULL);
}

void run_look(struct member *m, const char *path, struct asm_member *look)
{
	member_off places[3], bitmap_at;
	enum sb1_minor minors[3];
	uint8_t raw[FMT_SB1_BYTES];
	uint32_t count;

	memset(look, 0, sizeof *look);
	look->path = path;
	look->size_bytes = m->size_bytes;
	count = asm_super_places(m->size_bytes, places, minors);
	for (uint32_t i = 0; i < count; i++) {
		int rc = mbr_read(m, places[i], raw, sizeof raw);

		if (rc < 0) {
			err_set(&look->error, rc, "%s cannot be read at byte %llu: %s", path,
				(unsigned long long)places[i].bytes, err_sentence(rc));
			return;
		}
		asm_take_superblock(look, minors[i], places[i], raw);
	}
	if (!look->has_superblock) {
		name_the_stranger(m, look);
		return;
	}
	if (!look->error.code && asm_wants_bitmap(look, &bitmap_at)) {
		int rc = mbr_read(m, bitmap_at, raw, FMT_BITMAP_SB_BYTES);

		if (rc < 0)
			err_set(&look->bitmap_error, rc, "%s: the bitmap cannot be read at byte %llu: %s", path,
				(unsigned long long)bitmap_at.bytes, err_sentence(rc));
		else
			asm_take_bitmap(look, raw);
	}
}

char *run_escaped(const char *path)
{
	struct text t = { 0 };

	text_add_escaped(&t, path, strlen(path));
	return text_take(&t);
}

int run_read_image(struct member *m, const char *path, member_off at, uint64_t len_bytes, uint8_t **ret_image,
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
