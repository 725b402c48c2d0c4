/* The attribute tree, written to by anybody, with a real array on devices in memory.
 *
 * Input: lines. "PATH VALUE" writes; "@N" submits a write to chunk N; "~" lets a second pass; "!K" makes the action of
 * every K-th write fail in the hands (0: none).
 * Properties: what is refused is refused in a sentence and changes nothing, so does what fails; every value that is
 * listed can be read, is text of one page at most, and ends in a newline; generations never go back; the array never
 * touches a byte outside its data area and the bitmap's, and stops at the end. */
#include "fuzz.h"

#define WORLD_DISK_BYTES (2 << 20)
#include "../unit/attrs/world.h"

enum { LINE_BYTES = 4200, LINES_MOST = 60 };

static uint64_t tree_generation;
static unsigned fails_every, writes;

static void look_at(void *opaque, const struct att_entry *e)
{
	struct text t = { 0 };
	bool has_lines = strstr(e->path, "bad_blocks") || !strcmp(e->path, "umd/members");
	int rc;

	(void)opaque;
	FUZZ_MUST(fuzz_is_harmless(e->path, strlen(e->path), false));
	if (e->link_to)
		return;
	FUZZ_MUST(att_generation(w.t, &w.view, e->path) > 0);
	rc = att_read(w.t, &w.view, e->path, &t);
	FUZZ_MUST(rc == (e->mode & 0444 ? 0 : -EACCES));
	FUZZ_MUST(t.len_bytes <= ATT_VALUE_MAX);
	if (t.len_bytes) {
		FUZZ_MUST(t.data[t.len_bytes - 1] == '\n' && fuzz_is_harmless(t.data, t.len_bytes, true));
		FUZZ_MUST(has_lines || strchr(t.data, '\n') == t.data + t.len_bytes - 1);
	}
	text_drop(&t);
}

static void look_at_all(void)
{
	att_list(w.t, &w.view, look_at, NULL);
	FUZZ_MUST(att_tree_generation(w.t) >= tree_generation);
	tree_generation = att_tree_generation(w.t);
}

/* The hands fail: nothing may have changed. */
static void fail_write(const char *path, const char *value, size_t len)
{
	char *before = dump(), *after;
	int rc = att_write(w.t, &w.view, path, value, len, &w.action, &w.err);

	if (rc == 0)
		att_done(w.t, &w.view, &w.action, -EIO);
	after = dump();
	FUZZ_MUST(w.action.kind == ATT_NOTHING || !strcmp(before, after));
	mem_free(before);
	mem_free(after);
}

static void do_write_line(char *path, size_t len)
{
	char *blank = memchr(path, ' ', len), *before, *after;
	size_t value_len;
	int rc;

	if (!blank || memchr(path, 0, (size_t)(blank - path)))
		return;
	*blank = 0;
	value_len = len - (size_t)(blank + 1 - path);
	if (fails_every && ++writes % fails_every == 0) {
		fail_write(path, blank + 1, value_len);
		return;
	}
	before = dump();
	rc = write_bytes(path, blank + 1, value_len);
	after = dump();
	if (rc < 0 && w.action.kind == ATT_NOTHING) {
		FUZZ_MUST(fuzz_is_sentence(&w.err));
		FUZZ_MUST(!strcmp(before, after));
	}
	mem_free(before);
	mem_free(after);
}

static void do_line(char *line, size_t len)
{
	if (*line == '@' && len < 8) {
		uint64_t chunk = strtoull(line + 1, NULL, 10);

		if (w.a && w.status.mode != ARR_MODE_READONLY && chunk * 65536 + 4096 <= w.status.size_bytes)
			submit(ARR_WRITE, chunk * 65536, 4096, 'x');
	} else if (*line == '~') {
		pass(1000);
	} else if (*line == '!') {
		fails_every = (unsigned)strtoul(line + 1, NULL, 10);
	} else {
		do_write_line(line, len);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char line[LINE_BYTES + 1];
	int lines = 0;

	begin();
	tree_generation = fails_every = writes = 0;
	while (size && lines++ < LINES_MOST) {
		const uint8_t *end_of_line = memchr(data, '\n', size);
		size_t len = end_of_line ? (size_t)(end_of_line - data) : size;

		if (len && len < LINE_BYTES) {
			memcpy(line, data, len);
			line[len] = 0;
			do_line(line, len);
			look_at_all();
		}
		size -= end_of_line ? len + 1 : len;
		data += end_of_line ? len + 1 : len;
	}
	end();
	return 0;
}
