/* Memory for pure rooms: the one allocator, so that the simulator can fail it. */
#ifndef UMD_BASE_MEM_H
#define UMD_BASE_MEM_H

#include <stddef.h>

/* @count elements of @size bytes, zeroed; NULL when there is no memory or the product overflows. */
void *mem_new(size_t count, size_t size);
/* Bytes that the caller will write, all of them: not zeroed. NULL without memory. */
void *mem_space(size_t bytes);

/* Takes NULL, returns NULL: x = mem_free(x). */
void *mem_free(void *p);

/* Run @fn on the variable when it goes out of scope; TAKE() hands the value to the caller. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))
#define TAKE(p) __extension__({ __auto_type taken_ = (p); (p) = NULL; taken_; })

#endif
