/* json-c, for reading JSON. Its type json_bool would collide with the writer's function of that name (base/text.h):
 * here the type goes by another name. Include this instead of <json-c/json.h>, in any order with base/text.h. */
#ifndef UMD_RUN_JSON_H
#define UMD_RUN_JSON_H

#define json_bool json_c_bool
#include <json-c/json.h>
#undef json_bool

#endif
