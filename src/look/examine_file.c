/* A bitmap kept in a file beside the array: no superblock of the array names it, so only whoever starts the array knows
 * that it counts. When such a file lies among the images given, the answer about the next start says what it changes.
 *
 * The file is believed as Linux believes it: by the array's uuid, and not when it is older than the array. Left out:
 * starting with it. */
#include "look/examine_array.h"

#include <string.h>

static const struct look_seen *find_file(const struct look_seen *seen, size_t count, const struct asm_member *member)
{
	uint8_t uuid[16];

	asm_bitmap_uuid(member, uuid);
	for (size_t i = 0; i < count; i++)
		if (seen[i].is_bitmap_file && memcmp(seen[i].bitmap_uuid, uuid, sizeof uuid) == 0)
			return &seen[i];
	return NULL;
}

static void tell(struct text *sentence, struct look_examined *file, const struct asm_member *member,
		 const struct asm_plan *plan)
{
	struct asm_reach all = { .until_bytes = UINT64_MAX };
	struct look_set set;

	if (file->look.kind != ASM_BITMAP_FILE || look_count_set(file, 0, &all, &set) < 0 || !set.is_known)
		return;
	text_add(sentence, "; the bitmap file %s belongs to this array (%llu chunks set): ", file->shown,
		 (unsigned long long)set.chunks);
	if (plan->action == ASM_NOTHING)
		text_add(sentence, "a start by Linux that names it copies nothing either");
	else if (file->look.bitmap.state & FMT_BITMAP_STALE || file->look.bitmap.events < member->sb.events)
		text_add(sentence, "it is out of date (event %llu, the array's is %llu), so a start by Linux that "
			 "names it copies everything as well", (unsigned long long)file->look.bitmap.events,
			 (unsigned long long)member->sb.events);
	else
		text_add(sentence, "a start by Linux that names it copies %llu bytes", (unsigned long long)set.bytes);
	text_add(sentence, "; umd does not start with a bitmap in a file");
}

void look_tell_bitmap_file(struct text *sentence, const struct asm_member *member, const struct asm_plan *plan,
			   const struct look_seen *seen, size_t count)
{
	const struct look_seen *found = find_file(seen, count, member);
	struct look_examined file;

	if (!found)
		return;
	look_examined_begin(&file, found->path);
	if (file.m)
		tell(sentence, &file, member, plan);
	look_examined_end(&file);
}
