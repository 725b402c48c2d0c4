/* Members for fuzz targets: sparse files in memory where the host has such a place. */
#ifndef TESTS_FUZZ_SCRATCH_H
#define TESTS_FUZZ_SCRATCH_H

#include "fuzz.h"

/* Path of scratch file @index, and its descriptor. Empty; gone when the process ends. */
const char *scratch_file(unsigned index, int *ret_fd);

/* Make it @size_bytes of zeroes, all hole. */
void scratch_empty(int fd, uint64_t size_bytes);

/* Bytes from @at on, cut where the file ends. */
void scratch_write(int fd, uint64_t at, const uint8_t *data, size_t len_bytes);

#endif
