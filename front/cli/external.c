/* A bitmap without superblock, as --external, --location, --chunk and --size describe it.
 *
 * Nothing on such a member says where the bits are and what they cover: whoever keeps the metadata knows it, and all
 * four options are needed to look at a bit. The location is a number of bytes, or "+N": N sectors of 512 bytes, as md's
 * own attribute bitmap/location writes it. A negative location counts back from a superblock, and there is none. */
#include "cli.h"

#include <string.h>

enum { SECTOR_BYTES = 512, CHUNK_BYTES_MIN = 512 };

static int read_location(const char *text, uint64_t *ret_bytes)
{
	const char *rest;
	uint64_t sectors;

	if (*text == '+' && cli_read_number(text + 1, &sectors, &rest) && !*rest &&
	    sectors <= INT64_MAX / SECTOR_BYTES) {
		*ret_bytes = sectors * SECTOR_BYTES;
		return CLI_DONE;
	}
	if (*text == '-')
		return cli_usage("--location=%s counts back from a superblock, and an external bitmap has none: give "
				 "bytes from the start of the member", cli_shown(text));
	if (*text == '+' || !cli_read_size(text, ret_bytes) || *ret_bytes > INT64_MAX)
		return cli_usage("--location takes bytes from the start of the member such as 4096 or 4K, or sectors "
				 "as md writes them such as +8, not \"%s\"", cli_shown(text));
	if (*ret_bytes % SECTOR_BYTES)
		return cli_usage("--location=%s is no multiple of %d bytes: md places bitmaps by sectors",
				 cli_shown(text), SECTOR_BYTES);
	return CLI_DONE;
}

static int check_chunk(uint64_t bytes)
{
	if (bytes >= CHUNK_BYTES_MIN && !(bytes & (bytes - 1)))
		return CLI_DONE;
	return cli_usage("--chunk=%llu is no chunk size: it is a power of two of at least %d bytes",
			 (unsigned long long)bytes, CHUNK_BYTES_MIN);
}

/* All or none: the first option that stands alone is named with the first that is missing. */
static int check_together(const struct cli *cli, bool *ret_is_given)
{
	static const char *const names[] = { "external", "location", "chunk", "size" };
	const char *given = NULL, *missing = NULL;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (cli_has(cli, names[i]))
			given = given ?: names[i];
		else
			missing = missing ?: names[i];
	}
	*ret_is_given = given && !missing;
	if (given && missing)
		return cli_usage("--%s was given without --%s: an external bitmap is described by --external, "
				 "--location, --chunk and --size together", given, missing);
	return CLI_DONE;
}

int cli_external(const struct cli *cli, struct umd_external_bitmap *space,
		 const struct umd_external_bitmap **ret_external)
{
	bool is_given;
	int rc;

	rc = check_together(cli, &is_given);
	if (rc)
		return rc;
	*ret_external = NULL;
	if (!is_given)
		return CLI_DONE;

	*space = (struct umd_external_bitmap){
		.chunk_bytes = cli_number(cli, "chunk", 0),
		.size_bytes = cli_number(cli, "size", 0),
	};
	rc = read_location(cli_text(cli, "location"), &space->location_bytes);
	if (!rc)
		rc = check_chunk(space->chunk_bytes);
	if (!rc)
		*ret_external = space;
	return rc;
}
