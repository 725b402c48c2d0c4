/* The drawing model: what a cell of a map is, in words and classes, for every way of drawing.
 *
 * A cell counts its chunks by class. It is shown as the most urgent class that occurs in it: one chunk to be copied
 * among thousands of clean ones is what a person looks for. How much of the cell is of that class is its level. Text,
 * SVG and PNG ask the same questions here, so that they cannot disagree.
 *
 * Left out: where the figures come from (map_read.c) and how anything looks. */
#include "map_model.h"

#include <stdlib.h>
#include <string.h>

struct map_picture *map_drop(struct map_picture *p)
{
	if (!p)
		return NULL;
	for (size_t i = 0; i < p->panel_count; i++) {
		free(p->panels[i].title);
		free(p->panels[i].remark);
		for (enum map_class c = 0; c < MAP_CLASSES; c++)
			free(p->panels[i].counts[c]);
	}
	free(p->title);
	free(p->panels);
	free(p);
	return NULL;
}

/* Cells are added up in place: the sums land at or before what they are made of. */
void map_coarsen(struct map_panel *p, uint64_t cells_max)
{
	uint64_t factor = p->cell_count ? (p->cell_count - 1) / cells_max + 1 : 1;

	if (factor == 1)
		return;
	for (enum map_class c = 0; c < MAP_CLASSES; c++) {
		for (uint64_t i = 0; p->counts[c] && i < p->cell_count; i++) {
			uint64_t count = p->counts[c][i];

			if (i % factor == 0)
				p->counts[c][i / factor] = 0;
			p->counts[c][i / factor] += count;
		}
	}
	p->cell_count = (p->cell_count - 1) / factor + 1;
	p->cell_chunks *= factor;
	if (p->sync_cell != UINT64_MAX)
		p->sync_cell /= factor;
}

uint64_t map_cell_chunks(const struct map_panel *p, uint64_t cell)
{
	uint64_t left = p->chunks - cell * p->cell_chunks;

	return left < p->cell_chunks ? left : p->cell_chunks;
}

static uint64_t count_of(const struct map_panel *p, enum map_class class, uint64_t cell)
{
	return p->counts[class] ? p->counts[class][cell] : 0;
}

enum map_class map_cell_class(const struct map_panel *p, uint64_t cell)
{
	if (cell == p->sync_cell)
		return MAP_SYNC;
	if (count_of(p, MAP_ONLY_A, cell) && count_of(p, MAP_ONLY_B, cell))
		return MAP_EITHER;
	for (enum map_class c = MAP_CLASSES; c-- > MAP_CLEAN + 1;)
		if (count_of(p, c, cell))
			return c;
	return MAP_CLEAN;
}

unsigned map_cell_level(const struct map_panel *p, uint64_t cell)
{
	uint64_t all = map_cell_chunks(p, cell), count = count_of(p, map_cell_class(p, cell), cell);

	return count >= all ? MAP_LEVELS : count > all / 2 ? 3 : count > all / 4 ? 2 : 1;
}

bool map_is_quiet(enum map_class class)
{
	return class <= MAP_WRITTEN;
}

bool map_has_levels(enum map_class class)
{
	return class == MAP_SET || class == MAP_DIRTY || class == MAP_BOTH;
}

const char *map_words(enum map_class class)
{
	static const char *const words[MAP_CLASSES] = {
		[MAP_CLEAN] = "clean",
		[MAP_UNWRITTEN] = "unwritten",
		[MAP_WRITTEN] = "written and clean",
		[MAP_SET] = "set",
		[MAP_DIRTY] = "dirty",
		[MAP_NEED_SYNC] = "need_sync",
		[MAP_SYNCING] = "syncing",
		[MAP_INVALID] = "invalid",
		[MAP_NEEDED] = "to be copied",
		[MAP_SYNC] = "the sync is here",
		[MAP_BOTH] = "set in both",
		[MAP_ONLY_A] = "only in a",
		[MAP_ONLY_B] = "only in b",
		[MAP_EITHER] = "some only in a, some only in b",
	};

	return words[class];
}

unsigned map_levels_of(const struct map_picture *p, enum map_class class)
{
	unsigned levels = 0;

	for (size_t i = 0; i < p->panel_count; i++)
		for (uint64_t cell = 0; cell < p->panels[i].cell_count; cell++)
			if (map_cell_class(&p->panels[i], cell) == class)
				levels |= 1u << map_cell_level(&p->panels[i], cell);
	return levels;
}

bool map_has_shades(const struct map_picture *p, enum map_class class)
{
	return map_has_levels(class) && (map_levels_of(p, class) & ~(1u << MAP_LEVELS));
}

/* ---- sentences ---- */

__attribute__((format(printf, 2, 3))) static void append(char text[MAP_TEXT_BYTES], const char *format, ...)
{
	size_t used = strlen(text);
	va_list ap;

	va_start(ap, format);
	vsnprintf(text + used, MAP_TEXT_BYTES - used, format, ap);
	va_end(ap);
}

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

/* The class is told even at 0: what a reader asks for first. */
static bool is_always_told(const struct map_panel *p, enum map_class class)
{
	return p->is_difference ? class >= MAP_BOTH && class < MAP_EITHER :
	       p->is_lockless	? false :
				  class == MAP_SET || (class == MAP_NEEDED && p->has_needed);
}

static void append_counts(const struct map_panel *p, const uint64_t counts[MAP_CLASSES], char text[MAP_TEXT_BYTES])
{
	const char *between = "";

	for (enum map_class c = MAP_UNWRITTEN; c < MAP_CLASSES; c++) {
		if (!counts[c] && !is_always_told(p, c))
			continue;
		append(text, "%s%llu %s", between, (unsigned long long)counts[c], map_words(c));
		between = ", ";
	}
}

void map_say_counts(const struct map_panel *p, char text[MAP_TEXT_BYTES])
{
	*text = '\0';
	append(text, "%llu chunk%s of %s: ", (unsigned long long)p->chunks, plural(p->chunks),
	       cli_bytes(p->chunk_bytes));
	append_counts(p, p->totals, text);
}

void map_say_scale(const struct map_panel *p, const char *cell, char text[MAP_TEXT_BYTES])
{
	*text = '\0';
	append(text, "one %s = %llu chunk%s", cell, (unsigned long long)p->cell_chunks, plural(p->cell_chunks));
	if (p->cell_chunks > 1)
		append(text, " = %s", cli_bytes(p->cell_chunks * p->chunk_bytes));
}

void map_say_cell(const struct map_panel *p, uint64_t cell, char text[MAP_TEXT_BYTES])
{
	uint64_t first = cell * p->cell_chunks, count = map_cell_chunks(p, cell), counts[MAP_CLASSES];

	for (enum map_class c = 0; c < MAP_CLASSES; c++)
		counts[c] = count_of(p, c, cell);
	*text = '\0';
	if (count == 1)
		append(text, "chunk %llu: ", (unsigned long long)first);
	else
		append(text, "chunks %llu-%llu (%llu): ", (unsigned long long)first,
		       (unsigned long long)(first + count - 1), (unsigned long long)count);
	append_counts(p, counts, text);
	if (cell == p->sync_cell)
		append(text, "; %s", map_words(MAP_SYNC));
}
