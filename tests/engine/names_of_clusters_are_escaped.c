/* Goal:   an array of another cluster is refused in one sentence, whatever bytes its name has: none of them reaches a
 *         terminal.
 * Method: the settings of corosync are played here (the four calls of libcmap); the engine is asked whether it would
 *         open.
 * Law:    I7 (nothing was written); names in superblocks are hostile text.
 * Source: design, sections 2 and 3. */
#include <stdlib.h>
#include <string.h>

#include <corosync/cmap.h>

#include "engine/engine.h"
#include "tap.h"

static const char *name;

cs_error_t cmap_initialize(cmap_handle_t *handle)
{
	*handle = 1;
	return CS_OK;
}

cs_error_t cmap_finalize(cmap_handle_t handle)
{
	(void)handle;
	return CS_OK;
}

cs_error_t cmap_get_string(cmap_handle_t handle, const char *key, char **ret)
{
	(void)handle;
	(void)key;
	*ret = name ? strdup(name) : NULL;
	return name ? CS_OK : CS_ERR_NOT_EXIST;
}

cs_error_t cmap_get_uint32(cmap_handle_t handle, const char *key, uint32_t *ret)
{
	(void)handle;
	(void)key;
	(void)ret;
	return CS_ERR_NOT_EXIST;
}

static void refused(const char *wanted, const char *here, const char *said)
{
	struct err err = { 0 };

	name = here;
	is_u64((uint64_t)engine_dlm_is_here(wanted, &err), (uint64_t)UMD_E_FOREIGN_MEMBER,
	       "another cluster's: refused");
	ok(strstr(err.text, said) && strstr(err.text, "nothing was written"), "in one sentence: %s", err.text);
	ok(!strpbrk(err.text, "\x1b\n"), "that a terminal may show");
}

int main(void)
{
	char longest[65];
	struct err err = { 0 };

	refused("ours\x1b[2J\n", "home", "\"ours\\x1b[2J\\x0a\"");
	refused("ours", "home\x1b[2J", "\"home\\x1b[2J\"");
	refused("ours\x1b", NULL, "without a name");
	memset(longest, 1, sizeof longest - 1);
	longest[sizeof longest - 1] = 0;
	refused(longest, "home", "\"\\x01\\x01");
	name = "ours";
	is_u64((uint64_t)engine_dlm_is_here("ours", &err), 0, "our own is not");
	return tap_end();
}
