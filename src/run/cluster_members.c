/* Members that come and go while several nodes use them.
 *
 *	here	TAKE_TOKEN -> decided as always -> every slot of the new disk emptied, a spare's superblock -> all
 *		others are asked (TELL) -> ARR_EV_ADD -> recorded, announced -> GIVE_TOKEN
 *	there	SEE: the disk is opened by the name the first node gave, and must be the same one; it is a spare until
 *		the superblocks say more. FORGET: the device leaves the table
 *
 * What a joiner must know of the others is what their slots say: nobody comes back by the bitmap who is older than what
 * any node has cleared. So the head of every slot is read before anybody is judged. Its own slots are of a former life,
 * also of who comes back by the bitmap: they are emptied, or whoever takes them over later copies what is long done.
 *
 * Nothing waits for other nodes under the lock, nor any longer than until the server ends or is lost. Nor does
 * anybody's mail wait for a disk that does not answer here: the one who asked hears so after SEE_MS, and asks again
 * when he likes. Left out: the local part of it (admit.c). */
#include "run/cluster.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "look/look.h"
#include "run/apart.h"
#include "run/hand.h"

enum { ZEROES_BYTES = 1 << 20, SEE_MS = 5000 };

/* ---- asking the brain ---- */

bool run_cluster_is_over(const struct umd_array *u)
{
	return u->is_ending || u->cluster->is_lost || !u->cluster->clu;
}

static int await(struct umd_array *u, const struct clu_event *ev, struct run_answer *answer, struct err *err)
{
	memset(answer, 0, sizeof *answer);
	run_cluster_feed(u, ev);
	while (!answer->is_there && !run_cluster_is_over(u))
		pthread_cond_wait(&u->changed, &u->lock);
	if (!answer->is_there)
		return err_set(err, UMD_E_STOPPING, "this node is leaving the cluster: nothing is changed any more");
	if (answer->rc < 0)
		*err = answer->err;
	return answer->rc;
}

int run_cluster_begin_change(struct umd_array *u, struct err *err)
{
	const struct clu_event ev = { .kind = CLU_EV_TAKE_TOKEN };

	return u->cluster ? await(u, &ev, &u->cluster->token, err) : 0;
}

void run_cluster_end_change(struct umd_array *u)
{
	const struct clu_event ev = { .kind = CLU_EV_GIVE_TOKEN };

	if (u->cluster)
		run_cluster_feed(u, &ev);
}

static int tell(struct umd_array *u, const struct clu_message *m, struct err *err)
{
	const struct clu_event ev = { .kind = CLU_EV_TELL, .message = m };

	return await(u, &ev, &u->cluster->told, err);
}

int run_cluster_tell_remove(struct umd_array *u, uint32_t number, struct err *err)
{
	struct clu_message *m;
	int rc;

	if (!u->cluster)
		return 0;
	m = mem_new(1, sizeof *m);
	if (!m)
		return err_set(err, -ENOMEM, "no memory");
	m->type = CLU_M_REMOVE;
	m->number = number;
	rc = tell(u, m, err);
	mem_free(m);
	return rc;
}

int run_cluster_tell_add(struct umd_array *u, enum clu_message_type type, uint32_t number, const uint8_t uuid[16],
			 const char *path, struct err *err)
{
	struct clu_message *m = mem_new(1, sizeof *m);
	int rc;

	if (!m)
		return err_set(err, -ENOMEM, "no memory");
	m->type = type;
	m->number = number;
	memcpy(m->uuid, uuid, sizeof m->uuid);
	rc = snprintf(m->path, sizeof m->path, "%s", path) < CLU_PATH_BYTES ? 0 :
	     err_set(err, -ENAMETOOLONG, "its path is longer than the %d bytes that other nodes can be told",
		     CLU_PATH_BYTES - 1);
	if (rc == 0)
		rc = tell(u, m, err);
	mem_free(m);
	return rc;
}

/* ---- slots ---- */

/* Where they are read: @ret has the array's head as well. Under the lock. */
struct slots {
	struct member *m;
	member_off at;
	uint64_t slot_bytes;
	uint32_t nodes;
	uint64_t cleared;		/* by any node, or by us since: never ahead of the array */
	struct bitmap_sb sb;
};

static void slots_of(const struct umd_array *u, struct slots *ret)
{
	struct arr_status s;

	arr_get_status(u->arr, &s);
	*ret = (struct slots){ .nodes = s.nodes, .sb = *bm_superblock(arr_bitmap(u->arr)) };
	ret->slot_bytes = asm_slot_bytes(&ret->sb);
	ret->cleared = min_u64(s.events, max_u64(u->cluster->known_cleared, ret->sb.events_cleared));
	if (s.pin < ARR_MEMBERS_MAX) {
		ret->m = u->hands[s.pin];
		ret->at = s.members[s.pin].bitmap_at;
	}
}

/* A head that cannot be believed says nothing: whoever takes that slot counts everything as in doubt. */
static int read_cleared(const struct slots *slots, uint64_t *ret_events, struct err *err)
{
	uint8_t raw[FMT_BITMAP_SB_BYTES];
	struct bitmap_sb sb;

	*ret_events = 0;
	for (uint32_t i = 0; i < slots->nodes; i++) {
		member_off at = { slots->at.bytes + i * slots->slot_bytes };
		int rc = mbr_read(slots->m, at, raw, sizeof raw);

		if (rc < 0)
			return err_set(err, rc, "the bitmap of slot %u cannot be read: %s", i, err_sentence(rc));
		fmt_bitmap_sb_decode(raw, &sb);
		if (fmt_bitmap_sb_check(&sb, slots->sb.uuid, NULL) == 0 && sb.events_cleared > *ret_events)
			*ret_events = sb.events_cleared;
	}
	return 0;
}

int run_cluster_know_cleared(struct umd_array *u, struct err *err)
{
	struct slots slots;
	uint64_t events;
	int rc;

	if (!u->cluster)
		return 0;
	slots_of(u, &slots);
	if (!slots.m)
		return err_set(err, -EIO, "no member is in sync: nobody joins");
	pthread_mutex_unlock(&u->lock);
	rc = read_cleared(&slots, &events, err);
	pthread_mutex_lock(&u->lock);
	if (rc < 0)
		return rc;
	asm_know_cleared(u->lineage, events);
	u->cluster->known_cleared = events;
	return 0;
}

int run_cluster_refuse_to_prepare(struct err *err)
{
	return err_set(err, UMD_E_STOPPING, "the others do not count this node in any more: it writes to no disk that "
		       "they may use");
}

/* Bits that were cleared are forgotten, but not that they were: this member may be the only one to say it one day. */
static void put_head(const struct slots *slots, uint8_t *raw)
{
	struct bitmap_sb head;

	asm_empty_slot(&slots->sb, raw);
	fmt_bitmap_sb_decode(raw, &head);
	head.events = head.events_cleared = slots->cleared;
	fmt_bitmap_sb_encode(&head, raw);
}

/* UMD_E_STOPPING: we are counted out; that is asked before each piece (C5). */
static int write_slot(struct umd_array *u, struct member *m, member_off at, const struct slots *slots, uint8_t *zeroes)
{
	uint64_t done = 0;
	int rc = 0;

	put_head(slots, zeroes);
	while (rc == 0 && done < slots->slot_bytes) {
		uint64_t len = slots->slot_bytes - done < ZEROES_BYTES ? slots->slot_bytes - done : ZEROES_BYTES;

		rc = run_cluster_may_prepare(u) ? mbr_write(m, (member_off){ at.bytes + done }, zeroes, len, false) :
						  UMD_E_STOPPING;
		memset(zeroes, 0, FMT_BITMAP_SB_BYTES);
		done += len;
	}
	return rc;
}

/* @super NULL: it keeps its own. */
static int write_candidate(struct umd_array *u, struct member *m, member_off bitmap_at, const struct slots *slots,
			   member_off super_at, const uint8_t *super)
{
	uint8_t *zeroes = mem_new(1, ZEROES_BYTES);
	int rc = zeroes ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < slots->nodes && rc == 0; i++)
		rc = write_slot(u, m, (member_off){ bitmap_at.bytes + i * slots->slot_bytes }, slots, zeroes);
	mem_free(zeroes);
	if (rc == 0)
		rc = mbr_flush(m);
	if (rc || !super)
		return rc;
	return run_cluster_may_prepare(u) ? mbr_write(m, super_at, super, FMT_SB1_BYTES, true) : UMD_E_STOPPING;
}

int run_cluster_write_candidate(struct umd_array *u, struct member *m, const struct arr_member *entry, struct err *err)
{
	bool is_new = entry->state == ARR_M_SPARE;
	uint8_t *super = mem_new(1, FMT_SB1_BYTES);
	struct slots slots;
	member_off super_at = { 0 };
	int rc;

	if (!super)
		return err_set(err, -ENOMEM, "no memory");
	slots_of(u, &slots);
	if (is_new)
		asm_render_candidate(u->lineage, u->arr, super, &super_at);
	pthread_mutex_unlock(&u->lock);
	rc = write_candidate(u, m, entry->bitmap_at, &slots, super_at, is_new ? super : NULL);
	pthread_mutex_lock(&u->lock);
	mem_free(super);
	if (rc == UMD_E_STOPPING)
		return run_cluster_refuse_to_prepare(err);
	return rc < 0 ? err_set(err, rc, "it cannot be prepared for %u nodes: %s", slots.nodes, err_sentence(rc)) : 0;
}

/* ---- asked by another node ---- */

struct seen {
	char given[CLU_PATH_BYTES];	/* the path that the first node gave */
	enum mbr_lock lock;
	struct member *m;
	char *path;
	struct asm_member *look;
	int rc;
	struct err err;
};

static void seen_free(void *opaque)
{
	struct seen *s = opaque;

	mbr_close(s->m);
	mem_free(s->path);
	mem_free(s->look);
	mem_free(s);
}

/* Without the lock, and apart: the path may lead to a disk that hangs. */
static void open_seen(void *opaque)
{
	struct seen *s = opaque;

	s->path = look_escaped(s->given);
	s->look = mem_new(1, sizeof *s->look);
	if (!s->path || !s->look)
		s->rc = err_set(&s->err, -ENOMEM, "no memory");
	else
		s->rc = mbr_open(s->given, -1, s->lock, &s->m, &s->err);
	if (s->rc == 0)
		look_member(s->m, s->path, s->look);
}

/* Without the lock. NULL, with a sentence: nothing was opened, or not yet. */
static struct seen *see(const struct run_cluster *c, struct err *err)
{
	struct seen *s = mem_new(1, sizeof *s);
	char *shown;

	if (!s) {
		err_set(err, -ENOMEM, "no memory");
		return NULL;
	}
	memcpy(s->given, c->message.path, sizeof s->given);
	s->lock = run_cluster_lock(c);
	if (run_apart(open_seen, seen_free, s, SEE_MS)) {
		if (s->rc == 0)
			return s;
		*err = s->err;
		seen_free(s);
		return NULL;
	}
	shown = look_escaped(c->message.path);
	err_set(err, -ETIMEDOUT, "%.300s does not answer here: it could not be opened and looked at in %d s",
		shown ? shown : "", SEE_MS / 1000);
	mem_free(shown);
	return NULL;
}

/* Under the lock. */
static int join_seen(struct umd_array *u, struct seen *s, const struct clu_message *m, struct err *err)
{
	struct arr_member entry;
	struct arr_event ev = { .kind = ARR_EV_ADD, .new_member = &entry, .is_by_peer = true, .err = err };
	int rc = u->arr ? asm_admit_peers(u->lineage, u->arr, s->look, m->uuid, m->number, &entry, err) : -ENODEV;

	if (rc < 0)
		return rc;
	run_step(u, &ev);
	if (ev.rc < 0)
		return ev.rc;
	asm_admitted(u->lineage, ev.ret_member);
	memcpy(u->device_uuids[ev.ret_member], m->uuid, 16);
	u->hands[ev.ret_member] = TAKE(s->m);
	u->paths[ev.ret_member] = TAKE(s->path);
	run_tree_add(u, ev.ret_member, s->look);
	return 0;
}

static void answer(struct umd_array *u, int rc, const struct err *err)
{
	struct clu_event seen = { .kind = CLU_EV_SEEN, .rc = rc, .reason = err->text };

	run_cluster_feed(u, &seen);
}

void run_cluster_see(struct umd_array *u)
{
	struct run_cluster *c = u->cluster;
	struct err err = { 0 };
	struct seen *s;
	int rc;

	c->wants_see = false;
	pthread_mutex_unlock(&u->lock);
	s = see(c, &err);
	pthread_mutex_lock(&u->lock);
	rc = s ? join_seen(u, s, &c->message, &err) : err.code;
	pthread_mutex_unlock(&u->lock);
	/* The adder hears a code; why it was is for this server's log. */
	if (rc < 0)
		fprintf(stderr, "a disk that another node adds is refused here: %s\n", err.text);
	if (s) {
		run_close_apart(TAKE(s->m));
		seen_free(s);
	}
	pthread_mutex_lock(&u->lock);
	answer(u, rc, &err);
}

static uint32_t entry_of(const struct umd_array *u, uint32_t number)
{
	struct arr_status s;

	if (!u->arr)
		return ARR_MEMBERS_MAX;
	arr_get_status(u->arr, &s);
	for (uint32_t i = 0; i < s.member_count; i++)
		if (s.members[i].state != ARR_M_NONE && s.members[i].dev_number == number)
			return i;
	return ARR_MEMBERS_MAX;
}

/* Under the lock, which is left while I/O on it ends and while it is closed. One that is not here has left; one whose
 * I/O hangs cannot leave. */
void run_cluster_forget(struct umd_array *u)
{
	struct run_cluster *c = u->cluster;
	struct err err = { 0 };
	struct arr_event ev = { .kind = ARR_EV_REMOVE, .is_by_peer = true, .err = &err };
	uint64_t until_ms = run_now_ms() + SEE_MS;

	c->wants_forget = false;
	ev.member = entry_of(u, c->message.number);
	if (ev.member < ARR_MEMBERS_MAX) {
		for (run_step(u, &ev); ev.rc == -EAGAIN && !run_cluster_is_over(u); run_step(u, &ev))
			if (!run_cluster_wait(u, until_ms))
				break;
		if (ev.rc == 0)
			run_take_away(u, ev.member);
		else
			fprintf(stderr, "a member that another node removes stays here: %s\n", ev.rc == -EAGAIN ?
				"I/O is in flight on it, and does not end" : err.text);
	}
	answer(u, ev.rc, &err);
}
