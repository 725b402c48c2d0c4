/* The recorder's log, read: one file, one order. */
#ifndef TESTS_RECORD_LOG_H
#define TESTS_RECORD_LOG_H

#include <stdbool.h>

#include "member/record.h"

struct log {
	const uint8_t *bytes;		/* the file, mapped until the end of the program */
	size_t len, at;
	uint64_t number;		/* of the record last returned, from 1 on */
};

/* False: it cannot be read; errno says why. */
bool log_open(struct log *l, const char *path);
/* The next record and what belongs to it (NULL: nothing). NULL at the end, which a killed writer may have torn. */
const struct mbr_record *log_next(struct log *l, const uint8_t **ret_extra);

#endif
