/* Attributes over the control socket: values in both directions. */
#ifndef FRONT_CLI_ATTR_H
#define FRONT_CLI_ATTR_H

#include "json.h"

/* What a reply of "get" has: its bytes, newline included, in *@ret_value (free() it). False without memory, or when the
 * reply has none. */
bool attr_value(struct json_object *reply, char **ret_value, size_t *ret_len);

/* A request about @path. */
struct json_object *attr_request(const char *command, const char *path);
/* Put @len bytes into a request of "set". */
void attr_put_value(struct json_object *request, const char *value, size_t len);

/* The value as one piece of text, fit for a terminal, without its last newline; lives until it is free()d. */
char *attr_shown(const char *value, size_t len);

#endif
