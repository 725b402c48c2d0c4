/* Maps of images and answers on single chunks, asked for through the public API and compared with what examine said. */
#ifndef TESTS_FUZZ_MAPPED_H
#define TESTS_FUZZ_MAPPED_H

#include "answer.h"
#include "image.h"

/* umd_map and umd_map_raw of @image; @examined is examine's answer for it. */
void mapped(const struct image *image, struct umd_look_options options, struct json_object *examined);

/* umd_why of some chunk that is there; @wish chooses. */
void asked(const struct image *image, struct json_object *examined, uint64_t wish);

/* The bitmap of this path and slot in examine's answer, or NULL. */
struct json_object *examined_bitmap(struct json_object *examined, const char *path, uint64_t slot);

#endif
