/* Goal: the lists of bad blocks say what the owner wrote, in lines as Linux has them, and say what is not recorded yet.
 * Method: ranges written by hand; then thousands by chance, compared sector by sector with a naive map; the list when
 * it is full; what it does to state and to -blocked.
 * Law: none.
 * Source: the spec of the attribute tree (dev-NAME/), of the array 10.2. */
#include "tree.h"

#include "base/prng.h"

enum { SECTORS = 4096, GOOD = 0, OPEN = 1, KNOWN = 2 };

static uint8_t map[SECTORS];

static void by_hand(void)
{
	static const char *const bad[] = { "x", "8", "8 ", "8 0", "8 -1", "-8 8", "8 8 8", "8,8", " 8 8", "8 8x",
					   "99999999999999999999 8", "8 99999999999" };

	begin();
	write_to("metadata_version", "external:x");
	write_to("new_dev", "/x/ubda");
	reads("dev-ubda/bad_blocks", "");
	takes("dev-ubda/bad_blocks", "6144 64");
	reads("dev-ubda/bad_blocks", "6144 64\n");
	takes("dev-ubda/bad_blocks", "6208 8\n");
	reads("dev-ubda/bad_blocks", "6144 72\n");
	takes("dev-ubda/bad_blocks", "0 1");
	reads("dev-ubda/bad_blocks", "0 1\n6144 72\n");
	takes("dev-ubda/bad_blocks", "1000 600");
	reads("dev-ubda/bad_blocks", "0 1\n1000 512\n1512 88\n6144 72\n");
	reads("dev-ubda/state", "spare\n");
	takes("dev-ubda/unacknowledged_bad_blocks", "2000 16");
	reads("dev-ubda/unacknowledged_bad_blocks", "2000 16\n");
	reads("dev-ubda/state", "faulty,blocked,spare\n");
	takes("dev-ubda/state", "external_bbl");
	reads("dev-ubda/state", "blocked,spare,external_bbl\n");
	takes("dev-ubda/bad_blocks", "2004 4");
	reads("dev-ubda/unacknowledged_bad_blocks", "2000 4\n2008 8\n");
	takes("dev-ubda/bad_blocks", "2000 16");
	reads("dev-ubda/unacknowledged_bad_blocks", "");
	reads("dev-ubda/state", "spare,external_bbl\n");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		refuses("dev-ubda/bad_blocks", bad[i], -EINVAL);
	end();
}

static void read_back(const char *path, uint8_t kind, uint8_t *ret)
{
	const char *p = read_of(path);

	while (*p) {
		char *next;
		uint64_t first = strtoull(p, &next, 10), len = strtoull(next, &next, 10);

		for (uint64_t s = first; s < first + len && s < SECTORS; s++)
			ret[s] = ret[s] ? 255 : kind;
		p = *next == '\n' ? next + 1 : next + strlen(next);
	}
}

static void by_chance(void)
{
	struct prng r = prng_seed(7);
	uint32_t wrong = 0, full = 0;

	begin();
	write_to("metadata_version", "external:x");
	write_to("new_dev", "/x/ubda");
	memset(map, GOOD, sizeof map);
	for (int i = 0; i < 3000; i++) {
		uint64_t first = prng_below(&r, SECTORS - 64), len = 1 + prng_below(&r, i % 50 ? 3 : 60);
		bool is_known = prng_below(&r, 2);
		uint8_t got[SECTORS] = { 0 };
		char value[64];
		int rc;

		if (i % 60 == 0) {			/* afresh, before the page is full */
			write_to("dev-ubda/state", "remove");
			write_to("new_dev", "/x/ubda");
			memset(map, GOOD, sizeof map);
		}
		snprintf(value, sizeof value, "%llu %llu", (unsigned long long)first, (unsigned long long)len);
		rc = write_to(is_known ? "dev-ubda/bad_blocks" : "dev-ubda/unacknowledged_bad_blocks", value);
		full += rc == -ENOSPC;
		for (uint64_t s = first; rc == 0 && s < first + len; s++)
			map[s] = is_known ? KNOWN : max_u64(map[s], OPEN);
		read_back("dev-ubda/bad_blocks", KNOWN, got);
		read_back("dev-ubda/unacknowledged_bad_blocks", OPEN, got);
		wrong += memcmp(got, map, sizeof got) != 0;
	}
	is_u64(wrong, 0, "3000 ranges read as a naive map says");
	is_u64(full, 0, "none was refused");
	end();
}

static void full(void)
{
	char value[64];
	char *before, *after;
	int rc = 0, count = 0;

	begin();
	write_to("metadata_version", "external:x");
	write_to("new_dev", "/x/ubda");
	for (; rc == 0 && count < 1000; count++) {
		snprintf(value, sizeof value, "%d 1", count * 2);
		rc = write_to("dev-ubda/bad_blocks", value);
	}
	is_u64(count, 513, "512 lines fit");
	is_u64(rc, -ENOSPC, "one more does not");
	ok(strlen(read_of("dev-ubda/bad_blocks")) <= ATT_VALUE_MAX, "what is read is a page at most");
	before = dump();
	refuses("dev-ubda/bad_blocks", "5000 2000000", -ENOSPC);
	after = dump();
	ok(!strcmp(before, after), "nothing has changed");
	mem_free(before);
	mem_free(after);
	takes("dev-ubda/bad_blocks", "1 1");
	end();
}

/* Letting go a member whose bad blocks nobody recorded fails it, unless its owner said that it keeps them. */
static void blocked(bool knows)
{
	begin();
	set_up(2);
	write_to("array_state", "active");
	if (knows)
		takes("dev-ubdb/state", "external_bbl");
	takes("dev-ubdb/unacknowledged_bad_blocks", "8 8");
	takes("dev-ubdb/state", "-blocked");
	reads("dev-ubdb/state", knows ? "in_sync,blocked,external_bbl\n" : "faulty,blocked\n");
	end();
}

int main(void)
{
	by_hand();
	by_chance();
	full();
	blocked(false);
	blocked(true);
	return tap_end();
}
