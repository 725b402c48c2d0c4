/* Maps of images, asked for through the public API and compared with what examine said. */
#ifndef TESTS_FUZZ_MAPPED_H
#define TESTS_FUZZ_MAPPED_H

#include "answer.h"
#include "image.h"

/* umd_map and umd_map_raw of @image; @examined is examine's answer for it. */
void mapped(const struct image *image, struct umd_look_options options, struct json_object *examined);

#endif
