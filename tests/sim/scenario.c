/* Events as text and back: one line each.
 *
 *   WORD   what the kind's form asks for   flags it may have   lot=N
 *
 *   start a b run prefer=a        MEMBERS        write 300 4 fua & lot=17    RANGE
 *   eio b 3 for-ever              MEMBER_NUMBER  bad b 0 8                   RANGE_OF
 *   time 200                      NUMBER         expect bits 0 3 7-9         WORDS: as they are
 *   cut keep                      WORDS          cut a=010 b=2               what survives, sector by sector
 *
 * What event_text() writes event_parse() reads as the same event. Kinds and forms come from event.def; which flags a
 * kind may have stands here, and a flag in the wrong place is an error like any other word that is not understood.
 *
 * Left out: whether an event makes sense in a world; the world says that when it is asked to do it. */
#include "scenario.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum form { NONE, MEMBER, MEMBERS, RANGE, RANGE_OF, NUMBER, MEMBER_NUMBER, WORDS };
enum worlds { ALL, SIM };
enum { LINE_BYTES = 512 };

static const struct kind {
	const char *word;
	enum form form;
	bool is_for_sim;
} kinds[EV_KINDS] = {
#define E(kind, word, form, worlds, sentence) [EV_##kind] = { word, form, worlds },
#include "event.def"
#undef E
};

static const struct flag {
	uint32_t flag;
	const char *word;
} flags[] = {
	{ EVF_RUN, "run" },	    { EVF_READONLY, "readonly" },     { EVF_FUA, "fua" },
	{ EVF_PUNCH, "punch" },	    { EVF_FOR_EVER, "for-ever" },     { EVF_SHORT, "short" },
	{ EVF_KEEP, "keep" },	    { EVF_LOSE, "lose" },	      { EVF_SUPERBLOCK, "superblock" },
	{ EVF_BITMAP, "bitmap" },   { EVF_LATE, "late" },	      { EVF_LARGE, "large" },
	{ EVF_NO_FILE, "nofile" },  { EVF_ASYNC, "&" },
};
enum { FLAG_COUNT = sizeof flags / sizeof *flags };

static uint32_t flags_of(enum sim_kind kind)
{
	switch (kind) {
	case EV_START:
	case EV_REFUSED:
		return EVF_RUN | EVF_READONLY | EVF_PREFER | EVF_NO_FILE;
	case EV_WRITE:
		return EVF_FUA | EVF_ASYNC;
	case EV_ZERO:
		return EVF_FUA | EVF_PUNCH | EVF_ASYNC;
	case EV_READ:
	case EV_FLUSH:
	case EV_STOP:
		return EVF_ASYNC;
	case EV_EIO:
		return EVF_FOR_EVER | EVF_SHORT;
	case EV_CUT:
		return EVF_KEEP | EVF_LOSE;
	case EV_CORRUPT:
		return EVF_SUPERBLOCK | EVF_BITMAP;
	case EV_WORK:
		return EVF_LATE;
	case EV_NEW:
		return EVF_LARGE;
	default:
		return 0;
	}
}

bool event_is_for_sim(enum sim_kind kind)
{
	return kinds[kind].is_for_sim;
}

void script_add(struct sim_script *s, const struct sim_event *e)
{
	if (s->count == s->room) {
		s->room = s->room ? 2 * s->room : 64;
		s->events = realloc(s->events, s->room * sizeof *s->events);
		if (!s->events)
			abort();
	}
	s->events[s->count++] = *e;
}

void script_free(struct sim_script *s)
{
	free(s->events);
	*s = (struct sim_script){ 0 };
}

/* ---- into text ---- */

struct line {
	char *at;
	size_t used, room;
};

__attribute__((format(printf, 2, 3))) static void put(struct line *l, const char *format, ...)
{
	va_list ap;
	int more;

	va_start(ap, format);
	more = vsnprintf(l->at + l->used, l->room - l->used, format, ap);
	va_end(ap);
	if (more > 0)
		l->used = min_u64(l->used + (size_t)more, l->room - 1);
}

static void put_members(struct line *l, uint32_t mask)
{
	for (uint32_t i = 0; i < SIM_DISKS; i++)
		if (mask & 1u << i)
			put(l, " %c", 'a' + (int)i);
}

static void put_member(struct line *l, uint32_t member)
{
	if (member == SIM_FILE)
		put(l, " file");
	else
		put(l, " %c", 'a' + (int)member);
}

static void put_form(struct line *l, const struct sim_event *e)
{
	enum form form = kinds[e->kind].form;

	if (form == MEMBER || form == RANGE_OF || form == MEMBER_NUMBER || e->kind == EV_CORRUPT)
		put_member(l, e->member);
	if (form == MEMBERS)
		put_members(l, e->members);
	if (form == RANGE || form == RANGE_OF)
		put(l, " %llu %llu", (unsigned long long)e->first, (unsigned long long)e->count);
	if (form == NUMBER || form == MEMBER_NUMBER)
		put(l, " %llu", (unsigned long long)e->count);
	if (form == WORDS && e->words[0])
		put(l, " %s", e->words);
}

char *event_text(const struct sim_event *e, char *ret, size_t ret_bytes)
{
	struct line l = { ret, 0, ret_bytes };

	ret[0] = '\0';
	put(&l, "%s", kinds[e->kind].word);
	put_form(&l, e);
	if (e->flags & EVF_PREFER)
		put(&l, " prefer=%c", 'a' + (int)e->member);
	for (int i = 0; i < FLAG_COUNT; i++)
		if (e->flags & flags[i].flag)
			put(&l, " %s", flags[i].word);
	if (e->lot)
		put(&l, " lot=%llu", (unsigned long long)e->lot);
	return ret;
}

/* ---- out of text ---- */

struct words {
	char *next;		/* what strtok_r() goes on with */
	char *why;
	size_t why_bytes;
	bool is_wrong;		/* why is written */
};

__attribute__((format(printf, 2, 3))) static void wrong(struct words *w, const char *format, ...)
{
	va_list ap;

	if (w->is_wrong)
		return;
	w->is_wrong = true;
	va_start(ap, format);
	vsnprintf(w->why, w->why_bytes, format, ap);
	va_end(ap);
}

static char *next_word(struct words *w)
{
	return strtok_r(NULL, " \t", &w->next);
}

static bool is_member(const char *word, uint32_t *ret_member)
{
	if (word && !strcmp(word, "file")) {
		*ret_member = SIM_FILE;
		return true;
	}
	if (!word || word[0] < 'a' || word[0] >= 'a' + SIM_DISKS || word[1])
		return false;
	*ret_member = (uint32_t)(word[0] - 'a');
	return true;
}

static void take_member(struct words *w, struct sim_event *e)
{
	const char *word = next_word(w);

	if (!is_member(word, &e->member))
		wrong(w, "\"%s\" stands where a member a to %c is wanted", word ? word : "", 'a' + SIM_DISKS - 1);
}

static bool is_number(const char *word, uint64_t *ret_number)
{
	char *end;
	unsigned long long number;

	if (!word || *word < '0' || *word > '9')
		return false;
	errno = 0;
	number = strtoull(word, &end, 10);
	if (*end || errno)
		return false;
	*ret_number = number;
	return true;
}

static void take_number(struct words *w, uint64_t *ret_number)
{
	const char *word = next_word(w);

	if (!is_number(word, ret_number))
		wrong(w, "\"%s\" stands where a number is wanted", word ? word : "");
}

static bool keep_word(struct words *w, struct sim_event *e, const char *word)
{
	size_t used = strlen(e->words);

	if (used + 1 + strlen(word) >= sizeof e->words) {
		wrong(w, "more than %zu bytes of words", sizeof e->words - 2);
		return false;
	}
	if (used)
		e->words[used++] = ' ';
	memcpy(e->words + used, word, strlen(word) + 1);
	return true;
}

/* Everything up to a lot, which may only come last. */
static void take_words(struct words *w, struct sim_event *e)
{
	for (const char *word; !w->is_wrong && (word = next_word(w));) {
		if (strncmp(word, "lot=", 4)) {
			keep_word(w, e, word);
			continue;
		}
		if (!is_number(word + 4, &e->lot) || next_word(w))
			wrong(w, "lot= is followed by a number, and nothing follows that");
		return;
	}
}

/* "b=0210": what survives of each sector that b has on its way. */
static bool is_choice(const char *word)
{
	return word[0] >= 'a' && word[0] < 'a' + SIM_DISKS && word[1] == '=' && word[2] &&
	       word[2 + strspn(word + 2, "0123456789")] == '\0';
}

static void take_form(struct words *w, struct sim_event *e)
{
	enum form form = kinds[e->kind].form;

	if (form == MEMBER || form == RANGE_OF || form == MEMBER_NUMBER || e->kind == EV_CORRUPT)
		take_member(w, e);
	if (form == RANGE || form == RANGE_OF)
		take_number(w, &e->first);
	if (form == RANGE || form == RANGE_OF || form == NUMBER || form == MEMBER_NUMBER)
		take_number(w, &e->count);
	if ((form == RANGE || form == RANGE_OF) && !e->count && !w->is_wrong)
		wrong(w, "a range of no sectors");
	if (form == WORDS && !flags_of(e->kind))
		take_words(w, e);
}

static bool take_flag(const char *word, struct sim_event *e)
{
	uint32_t may = flags_of(e->kind);

	if (may & EVF_PREFER && !strncmp(word, "prefer=", 7) && is_member(word + 7, &e->member)) {
		e->flags |= EVF_PREFER;
		return true;
	}
	for (int i = 0; i < FLAG_COUNT; i++)
		if (may & flags[i].flag && !strcmp(word, flags[i].word)) {
			e->flags |= flags[i].flag;
			return true;
		}
	return false;
}

static void take_rest(struct words *w, struct sim_event *e)
{
	uint32_t member;

	for (const char *word; !w->is_wrong && (word = next_word(w));) {
		if (!strncmp(word, "lot=", 4) && is_number(word + 4, &e->lot))
			continue;
		if (e->kind == EV_CUT && is_choice(word))
			keep_word(w, e, word);
		else if (kinds[e->kind].form == MEMBERS && !e->flags && is_member(word, &member))
			e->members |= 1u << member;
		else if (!take_flag(word, e))
			wrong(w, "\"%s\" is nothing that \"%s\" understands here", word, kinds[e->kind].word);
	}
	if (kinds[e->kind].form == MEMBERS && !e->members)
		wrong(w, "\"%s\" is followed by members", kinds[e->kind].word);
	if ((e->flags & (EVF_KEEP | EVF_LOSE)) == (EVF_KEEP | EVF_LOSE))
		wrong(w, "a cut either keeps or loses");
	if (e->kind == EV_CORRUPT && !(e->flags & (EVF_SUPERBLOCK | EVF_BITMAP)))
		wrong(w, "what is to be corrupted is not said: superblock or bitmap");
}

static enum sim_kind kind_of(const char *word)
{
	for (int kind = 0; kind < EV_KINDS; kind++)
		if (!strcmp(kinds[kind].word, word))
			return (enum sim_kind)kind;
	return EV_KINDS;
}

/* A comment begins with "#", at the line's start or after a blank. */
static void cut_comment(char *line)
{
	for (char *at = line; (at = strchr(at, '#')); at++)
		if (at == line || at[-1] == ' ' || at[-1] == '\t') {
			*at = '\0';
			return;
		}
}

bool event_parse(const char *line, struct sim_event *ret, char *ret_why, size_t why_bytes)
{
	struct sim_event e = { .kind = EV_KINDS };
	struct words w = { .why = ret_why, .why_bytes = why_bytes };
	char copy[LINE_BYTES];
	const char *word;

	if (strlen(line) >= sizeof copy) {
		wrong(&w, "the line is longer than %d bytes", LINE_BYTES - 1);
		return false;
	}
	memcpy(copy, line, strlen(line) + 1);
	copy[strcspn(copy, "\r\n")] = '\0';
	cut_comment(copy);
	word = strtok_r(copy, " \t", &w.next);
	if (word) {
		e.kind = kind_of(word);
		if (e.kind == EV_KINDS) {
			wrong(&w, "\"%s\" is no event", word);
			return false;
		}
		take_form(&w, &e);
		take_rest(&w, &e);
	}
	if (!w.is_wrong)
		*ret = e;
	return !w.is_wrong;
}
