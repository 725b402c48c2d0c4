/* The public API of looking at images: the room look does the work, here its errors become public ones.
 *
 * The structs of the public header and those of the room say the same twice, so that nothing but this room knows the
 * public header. Left out: running arrays (their map is map_running.c). */
#include "look/look.h"

#include "run/public.h"

static const struct look_external *external_of(const struct umd_external_bitmap *given, struct look_external *ret)
{
	if (!given)
		return NULL;
	*ret = (struct look_external){ .location_bytes = given->location_bytes, .chunk_bytes = given->chunk_bytes,
				       .size_bytes = given->size_bytes };
	return ret;
}

static struct look_options options_of(const struct umd_look_options *given, struct look_external *ret_external)
{
	return (struct look_options){ .runs_max = given->runs_max, .cells_max = given->cells_max,
				      .is_comparison = given->is_comparison,
				      .external = external_of(given->external, ret_external) };
}

static int answer(int rc, const struct err *err, struct umd_error *ret_error)
{
	return rc < 0 ? run_public_error(rc, err, ret_error) : 0;
}

int umd_examine(const char *const *members, size_t count, const struct umd_look_options *options, umd_sink *sink,
		void *opaque, size_t *ret_errors, struct umd_error *error)
{
	struct look_external external;
	struct look_options o = options_of(options, &external);

	return answer(look_examine(members, count, &o, sink, opaque, ret_errors), NULL, error);
}

int umd_map(const char *const *members, size_t count, const struct umd_look_options *options, umd_sink *sink,
	    void *opaque, size_t *ret_errors, struct umd_error *error)
{
	struct look_external external;
	struct look_options o = options_of(options, &external);
	struct err err = { 0 };

	return answer(look_map(members, count, &o, sink, opaque, ret_errors, &err), &err, error);
}

int umd_map_raw(const char *member, uint32_t slot, const struct umd_external_bitmap *external, umd_sink *sink,
		void *opaque, struct umd_error *error)
{
	struct look_external e;
	struct err err = { 0 };

	return answer(look_map_raw(member, slot, external_of(external, &e), sink, opaque, &err), &err, error);
}

int umd_why(const char *const *members, size_t count, uint64_t chunk, const struct umd_external_bitmap *external,
	    char **ret_json, size_t *ret_errors, struct umd_error *error)
{
	struct look_external e;
	struct err err = { 0 };

	return answer(look_why(members, count, chunk, external_of(external, &e), ret_json, ret_errors, &err), &err,
		      error);
}
