/* What is kept of a member's JSON: cells, sentences, and two small tables as text.
 *
 * The JSON of a member is dropped as soon as it was read (json_pieces.c), so that hundreds of members, or a cluster of
 * 256 slots, cost strings alone. Slots that no node ever used are counted, not listed. */
#include "cmd_examine.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"

static void *need(void *p)
{
	if (!p) {
		cli_refuse("there is not enough memory to show a member");
		exit(CLI_FAILED);
	}
	return p;
}

/* One that is not believed has no count. */
static void print_slot(FILE *to, struct json_object *b)
{
	if (!cli_json_get(b, "set_chunks")) {
		fprintf(to, "    slot %-3llu  is not believed\n", (unsigned long long)cli_json_u64(b, "slot", 0));
		return;
	}
	fprintf(to, "    slot %-3llu  events %-8llu cleared at %-8llu set %llu of %llu\n",
		(unsigned long long)cli_json_u64(b, "slot", 0), (unsigned long long)cli_json_u64(b, "events", 0),
		(unsigned long long)cli_json_u64(b, "events_cleared", 0),
		(unsigned long long)cli_json_u64(b, "set_chunks", 0), (unsigned long long)cli_json_u64(b, "chunks", 0));
}

/* The slots of a clustered bitmap; NULL where there is one bitmap or none. */
static char *slots_of(struct json_object *bitmaps)
{
	size_t len_bytes, unused = 0;
	char *text = NULL;
	FILE *to;

	if (cli_json_len(bitmaps) < 2)
		return NULL;
	to = need(open_memstream(&text, &len_bytes));
	for (size_t i = 0; i < cli_json_len(bitmaps); i++) {
		struct json_object *b = json_object_array_get_idx(bitmaps, i);

		if (cli_json_get(b, "used") && !cli_json_bool(b, "used"))
			unused++;
		else
			print_slot(to, b);
	}
	if (unused)
		fprintf(to, "    %zu slot%s never used\n", unused, unused == 1 ? "" : "s");
	fclose(to);
	return need(text);
}

/* The descriptors of a 0.90 superblock; NULL where there are none. */
static char *disks_of(struct json_object *disks)
{
	char *text = NULL;
	size_t len_bytes;
	FILE *to;

	if (!cli_json_len(disks))
		return NULL;
	to = need(open_memstream(&text, &len_bytes));
	for (size_t i = 0; i < cli_json_len(disks); i++) {
		struct json_object *d = json_object_array_get_idx(disks, i), *flags = cli_json_get(d, "flags");

		fprintf(to, "    device %-2s  slot %-3s %s:%s", cli_json_shown(d, "number"), cli_json_shown(d, "slot"),
			cli_json_shown(d, "major"), cli_json_shown(d, "minor"));
		for (size_t k = 0; k < cli_json_len(flags); k++)
			fprintf(to, "%s %s", k ? "," : " ",
				cli_json_shown(json_object_array_get_idx(flags, k), ""));
		fputc('\n', to);
	}
	fclose(to);
	return need(text);
}

static void fill_notes(struct examined *e, struct json_object *notes)
{
	e->note_count = cli_json_len(notes);
	if (!e->note_count)
		return;
	e->notes = need(calloc(e->note_count, sizeof *e->notes));
	for (size_t i = 0; i < e->note_count; i++)
		e->notes[i] = cli_json_shown(json_object_array_get_idx(notes, i), "");
}

static void fill_bitmaps(struct examined *e, struct json_object *bitmaps)
{
	e->bitmap_count = cli_json_len(bitmaps);
	for (size_t i = 0; i < e->bitmap_count; i++) {
		struct json_object *b = json_object_array_get_idx(bitmaps, i);

		e->has_chunks = e->has_chunks || cli_json_get(b, "chunks");
		e->has_set = e->has_set || cli_json_u64(b, "set_chunks", 0);
		e->is_lockless = e->is_lockless || cli_json_get(b, "states");
		e->chunk_bytes = e->chunk_bytes ?: cli_json_u64(b, "chunk_bytes", 0);
	}
	e->slots = slots_of(bitmaps);
}

void examine_fill(struct examined *e, struct json_object *member)
{
	*e = (struct examined){
		.path_raw = need(strdup(cli_json_raw(member, "path"))),
		.uuid = need(strdup(cli_json_raw(member, "superblock.array_uuid"))),
		.path = cli_json_shown(member, "path"),
		.kind = cli_json_shown(member, "kind"),
		.name = cli_json_shown(member, "superblock.name"),
		.error = cli_json_shown(member, "error.message"),
		.use = cli_json_shown(member, "in_use"),
		.level = cli_json_shown(member, "superblock.level"),
		.raid_devices = cli_json_u64(member, "superblock.raid_devices", 0),
		.array_bytes = cli_json_u64(member, "superblock.array_bytes", 0),
		.has_superblock = cli_json_get(member, "superblock") != NULL,
		.verdict = "",
		.reason = "",
	};
	for (size_t row = 0; examine_row(row); row++)
		e->cells[row] = examine_cell(member, row);
	fill_bitmaps(e, cli_json_get(member, "bitmaps"));
	fill_notes(e, cli_json_get(member, "notes"));
	e->disks = disks_of(cli_json_get(member, "superblock.disks"));
}

void examine_drop(struct examined *e)
{
	free(e->path_raw);
	free(e->uuid);
	free(e->slots);
	free(e->disks);
	free(e->notes);
}
