/* The log of the local engine: one file per array, which is the order of everything that happens in a group.
 *
 *	0      magic, version, array uuid, cluster name (engine_local_file.c)
 *	128    end: where the next record goes; its number
 *	512    per node: its id (0: none), the place that it has read
 *	4096   records
 *
 * Readers read on from where they joined, without any lock: a record counts when it is whole. Whoever appends holds the
 * lock on one byte, and the file is the only state of that: end, and the table. What is written in which order decides
 * what a death in between leaves:
 *
 *	join          entry, record, end	an entry without a record: a node that nobody knows, buried by the next
 *	leave, bury   record, end, entry	an entry too many: buried a second time, which is told to nobody
 *	message       record, end		behind the end lies a whole record: taken in; or a torn one: cut
 *
 * So what lies before the end was whole once. If it no longer is, or the file is shorter, or is not the one that
 * newcomers find, then nodes may differ in what they have read: this one is lost, and says which (C3).
 *
 * A node is alive while the lock on its byte is held. The one who finds nobody alive empties the log. While a group
 * lives its log only grows; what everybody has read is given back to the file system as a hole.
 *
 * Left out: power failures. No lock outlives one, so the first node afterwards begins anew. */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/le.h"
#include "base/text.h"
#include "engine/engine_local.h"

enum {
	END_AT = 128, NODES_AT = 512, NODE_BYTES = 16, RECORDS_AT = 4096,
	TELL_BYTES = 1 << 20, PUNCH_BYTES = 4 << 20,
};

static const char lost_its_end[] = "has lost its end: it is shorter than what was written to it";

static int get(struct engine_log *log, void *data, size_t len_bytes, uint64_t at)
{
	ssize_t n = pread(log->fd, data, len_bytes, (off_t)at);

	if (n < 0)
		return engine_log_lose_errno(log, "read");
	return n == (ssize_t)len_bytes ? 0 : engine_log_lose(log, -EIO, lost_its_end);
}

static int put(struct engine_log *log, const void *data, size_t len_bytes, uint64_t at)
{
	ssize_t n = pwrite(log->fd, data, len_bytes, (off_t)at);

	if (n < 0)
		return engine_log_lose_errno(log, "written");
	return n == (ssize_t)len_bytes ? 0 : engine_log_lose(log, -ENOSPC, "cannot be written: no space is left");
}

/* ---- the right to append ---- */

static int get_end(struct engine_log *log)
{
	uint8_t end[16];
	int rc = get(log, end, sizeof end, END_AT);

	if (rc < 0)
		return rc;
	log->end = le_get(end, 8);
	log->end_seq = le_get(end + 8, 8);
	if (log->end >= RECORDS_AT && log->end < 1ull << 62)
		return 0;
	return engine_log_lose(log, -EPROTO, "has a head that nobody wrote");
}

static int put_end(struct engine_log *log, uint32_t record_bytes)
{
	uint8_t end[16];

	log->end += record_bytes;
	log->end_seq++;
	le_put(end, 8, log->end);
	le_put(end + 8, 8, log->end_seq);
	return put(log, end, sizeof end, END_AT);
}

static void note_cut(struct engine_log *log, uint64_t bytes)
{
	char sentence[CLU_PATH_BYTES + 300];

	text_fit(sentence, sizeof sentence, "the log %s ended in %llu bytes of a record that nobody finished: they "
		 "were cut off", log->path, (unsigned long long)bytes);
	if (log->note)
		log->note(log->opaque, sentence);
}

/* The last one who appended may have died anywhere in it. */
static int mend_end(struct engine_log *log)
{
	uint8_t raw[ENGINE_RECORD_BYTES_MAX];
	struct engine_record record;
	struct stat st;

	for (;;) {
		ssize_t n = pread(log->fd, raw, sizeof raw, (off_t)log->end);
		uint32_t bytes = n > 0 ? engine_record_decode(raw, (size_t)n, log->end_seq, &record) : 0;
		int rc;

		if (n < 0)
			return engine_log_lose_errno(log, "read");
		if (!bytes)
			break;
		rc = put_end(log, bytes);
		if (rc < 0)
			return rc;
	}
	if (fstat(log->fd, &st) < 0 || (uint64_t)st.st_size < log->end)
		return engine_log_lose(log, -EIO, lost_its_end);
	if ((uint64_t)st.st_size == log->end)
		return 0;
	note_cut(log, (uint64_t)st.st_size - log->end);
	return ftruncate(log->fd, (off_t)log->end) < 0 ? engine_log_lose_errno(log, "cut") : 0;
}

/* A dead node's. While we may append nobody takes its index and makes a new one. */
static void remove_socket(struct engine_log *log, uint32_t index)
{
	char name[ENGINE_NAME_BYTES];

	text_fit(name, sizeof name, "%s.%u", log->name, index);
	unlinkat(log->dir_fd, name, 0);
}

/* Nobody is alive: whatever is there is history. */
static int begin_anew(struct engine_log *log)
{
	uint8_t head[RECORDS_AT] = { 0 };

	for (uint32_t i = 0; i < ENGINE_NODES_MAX; i++)
		remove_socket(log, i);
	engine_log_put_names(log, head);
	le_put(head + END_AT, 8, RECORDS_AT);
	le_put(head + END_AT + 8, 8, 1);
	if (ftruncate(log->fd, 0) < 0)
		return engine_log_lose_errno(log, "emptied");
	return put(log, head, sizeof head, 0);
}

static int mend(struct engine_log *log)
{
	struct err err = { 0 };
	int rc = 0;

	if (log->index == UINT32_MAX) {
		rc = engine_log_judge(log, &err);
		if (rc < 0)
			text_fit(log->lost, sizeof log->lost, "%s", err.text);
		else if (engine_bytes_are_free(log->fd, ENGINE_BYTE_NODE, ENGINE_NODES_MAX))
			rc = begin_anew(log);
	}
	if (rc == 0)
		rc = get_end(log);
	return rc < 0 ? rc : mend_end(log);
}

/* The last one to leave removes the file: a newcomer that opened it before takes the new one. */
static int begin_once(struct engine_log *log)
{
	struct err err = { 0 };
	int rc = engine_byte_take(log->fd, ENGINE_BYTE_APPEND);

	if (rc == -EAGAIN)
		return rc;
	if (rc < 0)
		return errno = -rc, engine_log_lose_errno(log, "locked");
	if (engine_log_is_the_one(log) || log->index != UINT32_MAX) {
		rc = mend(log);
		if (rc < 0)
			engine_log_finish(log);
		return rc < 0 ? rc : 1;
	}
	close(log->fd);
	rc = engine_log_open_file(log, &err);
	if (rc < 0)
		text_fit(log->lost, sizeof log->lost, "%s", err.text);
	return rc;
}

int engine_log_begin(struct engine_log *log)
{
	int rc;

	do
		rc = begin_once(log);
	while (rc == 0);
	return rc < 0 ? rc : 0;
}

void engine_log_finish(struct engine_log *log)
{
	engine_byte_drop(log->fd, ENGINE_BYTE_APPEND);
}

/* ---- appending ---- */

static int put_node(struct engine_log *log, uint32_t index, uint64_t node_id, uint64_t at)
{
	uint8_t entry[NODE_BYTES];

	le_put(entry, 8, node_id);
	le_put(entry + 8, 8, at);
	return put(log, entry, sizeof entry, NODES_AT + index * NODE_BYTES);
}

/* A record that did not fit is taken off again by the next who appends. */
static int append(struct engine_log *log, struct engine_record *r)
{
	uint8_t raw[ENGINE_RECORD_BYTES_MAX];
	uint32_t bytes;
	int rc;

	r->seq = log->end_seq;
	bytes = engine_record_encode(r, raw);
	rc = put(log, raw, bytes, log->end);
	return rc < 0 ? rc : put_end(log, bytes);
}

static int take_index(struct engine_log *log)
{
	for (uint32_t i = 0; i < ENGINE_NODES_MAX; i++) {
		int rc = engine_byte_take(log->fd, ENGINE_BYTE_NODE + i);

		if (rc == 0)
			log->index = i;
		if (rc != -EAGAIN)
			return rc < 0 ? (errno = -rc, engine_log_lose_errno(log, "locked")) : 0;
	}
	return engine_log_lose(log, -ERANGE, "has no place for one node more: 128 processes are in the group");
}

/* The dead are buried first: what we read begins with our own record, so they must not be in the table any more. */
int engine_log_join(struct engine_log *log, uint64_t node_id)
{
	struct engine_record joined = { .kind = ENGINE_R_JOINED, .node_id = node_id };
	uint8_t nodes[ENGINE_NODES_MAX * NODE_BYTES];
	int rc = engine_log_bury(log);

	if (rc == 0)
		rc = take_index(log);
	if (rc == 0)
		rc = get(log, nodes, sizeof nodes, NODES_AT);
	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < ENGINE_NODES_MAX; i++)
		log->ids[i] = le_get(nodes + i * NODE_BYTES, 8);
	joined.index = log->index;
	log->at = log->told_at = log->punched_at = log->end;
	log->seq = log->end_seq;
	rc = put_node(log, log->index, node_id, log->at);
	return rc < 0 ? rc : append(log, &joined);
}

int engine_log_leave(struct engine_log *log, uint64_t node_id)
{
	struct engine_record left = { .kind = ENGINE_R_LEFT, .index = log->index, .node_id = node_id };
	uint32_t own = log->index;
	int rc = append(log, &left);

	if (rc == 0)
		rc = put_node(log, own, 0, 0);
	log->index = UINT32_MAX;
	engine_byte_drop(log->fd, ENGINE_BYTE_NODE + own);
	if (rc == 0 && engine_bytes_are_free(log->fd, ENGINE_BYTE_NODE, ENGINE_NODES_MAX) && engine_log_is_the_one(log))
		unlinkat(log->dir_fd, log->name, 0);
	return rc;
}

/* Give back what all have read. A node that stands still keeps it. */
static void punch(struct engine_log *log)
{
	uint8_t nodes[ENGINE_NODES_MAX * NODE_BYTES];
	uint64_t lowest = log->end;

	if (log->end - log->punched_at < PUNCH_BYTES || pread(log->fd, nodes, sizeof nodes, NODES_AT) != sizeof nodes)
		return;
	for (uint32_t i = 0; i < ENGINE_NODES_MAX; i++) {
		uint64_t at = le_get(nodes + i * NODE_BYTES + 8, 8);

		if (le_get(nodes + i * NODE_BYTES, 8) && at < lowest)
			lowest = at;
	}
	if (lowest > RECORDS_AT)
		fallocate(log->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, RECORDS_AT,
			  (off_t)(lowest - RECORDS_AT));
	log->punched_at = log->end;
}

int engine_log_message(struct engine_log *log, uint64_t node_id, const uint8_t *data, uint32_t len_bytes)
{
	struct engine_record message = { .kind = ENGINE_R_MESSAGE, .index = log->index, .node_id = node_id,
					 .len_bytes = len_bytes };

	memcpy(message.data, data, len_bytes);
	punch(log);
	return append(log, &message);
}

static int bury_one(struct engine_log *log, uint32_t index)
{
	struct engine_record died = { .kind = ENGINE_R_DIED, .index = index };
	uint8_t id[8];
	int rc = get(log, id, sizeof id, NODES_AT + index * NODE_BYTES);

	if (rc < 0)
		return rc;
	died.node_id = le_get(id, sizeof id);
	if (!died.node_id || !engine_bytes_are_free(log->fd, ENGINE_BYTE_NODE + index, 1))
		return 0;
	remove_socket(log, index);
	rc = append(log, &died);
	return rc < 0 ? rc : put_node(log, index, 0, 0);
}

int engine_log_bury(struct engine_log *log)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < ENGINE_NODES_MAX; i++)
		if (i != log->index)
			rc = bury_one(log, i);
	return rc;
}

bool engine_log_has_dead(struct engine_log *log)
{
	for (uint32_t i = 0; i < ENGINE_NODES_MAX; i++)
		if (log->ids[i] && i != log->index && engine_bytes_are_free(log->fd, ENGINE_BYTE_NODE + i, 1))
			return true;
	return false;
}

/* ---- reading ---- */

/* Somebody who is buried twice was no member the second time. */
static bool apply(struct engine_log *log, const struct engine_record *r)
{
	if (r->kind == ENGINE_R_MESSAGE)
		return true;
	if (r->kind != ENGINE_R_JOINED && log->ids[r->index] != r->node_id)
		return false;
	log->ids[r->index] = r->kind == ENGINE_R_JOINED ? r->node_id : 0;
	return true;
}

static void tell_place(struct engine_log *log)
{
	uint8_t place[8];

	if (log->at - log->told_at < TELL_BYTES)
		return;
	le_put(place, 8, log->at);
	if (pwrite(log->fd, place, sizeof place, NODES_AT + log->index * NODE_BYTES + 8) == sizeof place)
		log->told_at = log->at;
}

/* The end is asked for first: what lies before it then must be whole. */
int engine_log_read(struct engine_log *log, struct engine_record *ret_record)
{
	uint8_t raw[ENGINE_RECORD_BYTES_MAX], end[8];
	uint32_t bytes;
	ssize_t n;
	int rc = get(log, end, sizeof end, END_AT);

	if (rc < 0)
		return rc;
	n = pread(log->fd, raw, sizeof raw, (off_t)log->at);
	if (n < 0)
		return engine_log_lose_errno(log, "read");
	bytes = engine_record_decode(raw, (size_t)n, log->seq, ret_record);
	if (!bytes && log->at >= le_get(end, 8))
		return 0;
	if (!bytes)
		return engine_log_lose(log, -EPROTO,
				       n == 0 ? lost_its_end : "does not say any more what was written to it");
	log->at += bytes;
	log->seq++;
	ret_record->is_news = apply(log, ret_record);
	tell_place(log);
	return 1;
}
