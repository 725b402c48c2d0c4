/* Between the files of the local engine; nobody else includes this. */
#ifndef UMD_ENGINE_LOCAL_H
#define UMD_ENGINE_LOCAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "engine/engine.h"

enum {
	ENGINE_NODES_MAX = 128,		/* processes in one group: more than slots, so that one too many hears why */
	ENGINE_NAME_BYTES = 64,
	ENGINE_LOST_BYTES = 400,
	ENGINE_CONNECTIONS_MAX = 2 * ENGINE_NODES_MAX,
	ENGINE_QUEUE_MAX = CLU_NODES_MAX + 2,
	ENGINE_SOON_MS = 5,
	ENGINE_RECORD_HEAD_BYTES = 40,
	ENGINE_RECORD_BYTES_MAX = ENGINE_RECORD_HEAD_BYTES + CLU_MESSAGE_BYTES_MAX,
};

/* ---- bytes that are locked (engine_local_lock.c) ---- */

/* On the log; token, resync and slots on members as well. Counted from MBR_CLUSTER_LOCKS_AT. */
enum {
	ENGINE_BYTE_TOKEN = 0,
	ENGINE_BYTE_SLOT = 1,		/* + slot */
	ENGINE_BYTE_RESYNC = 128,
	ENGINE_BYTE_APPEND = 256,	/* on the log: whoever appends */
	ENGINE_BYTE_WAITING = 512,	/* + byte: read-locked by those who queue for it */
	ENGINE_BYTE_NODE = 1024,	/* + index: a living node */
};

struct engine_locks {
	int log_fd;
	pthread_mutex_t mutex;			/* a member is not closed while its bytes are being locked */
	uint32_t member_count;
	struct engine_lock_file {
		int fd;
		uint64_t device, inode;		/* of what @fd was: hands close one, and use its number again */
	} members[ARR_MEMBERS_MAX];
};

int engine_locks_init(struct engine_locks *l, const struct engine_config *config, struct err *err);
void engine_locks_forget(struct engine_locks *l, int fd);
uint32_t engine_lock_byte(struct clu_lock lock);
/* All or nothing. 0, -EAGAIN: somebody has it; else what went wrong. */
int engine_lock_take(struct engine_locks *l, struct clu_lock lock);
void engine_lock_drop(struct engine_locks *l, struct clu_lock lock);
/* Say, or no longer say, that we wait. */
void engine_lock_wait(struct engine_locks *l, struct clu_lock lock, bool is_waiting);
bool engine_lock_is_waited_for(struct engine_locks *l, struct clu_lock lock);	/* by another node */
/* One byte of one file, for ourselves: 0, -EAGAIN or -errno. */
int engine_byte_take(int fd, uint32_t byte);
void engine_byte_drop(int fd, uint32_t byte);
bool engine_bytes_are_free(int fd, uint32_t byte, uint32_t count);		/* of other nodes */

/* ---- the log (engine_local_log.c, engine_local_file.c, engine_local_record.c) ---- */

enum engine_record_kind { ENGINE_R_JOINED = 1, ENGINE_R_LEFT, ENGINE_R_DIED, ENGINE_R_MESSAGE };

struct engine_record {
	enum engine_record_kind kind;
	uint32_t index;			/* of the node it is about, or from */
	uint64_t node_id, seq;
	bool is_news;			/* when read: a message, or the members are others than before */
	uint32_t len_bytes;		/* MESSAGE */
	uint8_t data[CLU_MESSAGE_BYTES_MAX];
};

/* Returns the record's length. */
uint32_t engine_record_encode(const struct engine_record *r, uint8_t ret[ENGINE_RECORD_BYTES_MAX]);
/* The length of the record at @data, 0: there is none with number @seq, whole and unharmed. */
uint32_t engine_record_decode(const uint8_t *data, size_t len_bytes, uint64_t seq, struct engine_record *ret_record);

struct engine_log {
	int dir_fd, fd;
	char path[CLU_PATH_BYTES + 128], name[ENGINE_NAME_BYTES];
	uint8_t uuid[16];
	char cluster_name[65];
	uint32_t index;			/* ours; UINT32_MAX: not in the group */
	uint64_t at, seq;		/* what we read next */
	uint64_t end, end_seq;		/* while we may append: where the next record goes */
	uint64_t told_at, punched_at;	/* our place as the others know it; while we append: how far it was emptied */
	uint64_t ids[ENGINE_NODES_MAX];	/* who is a member, after all that was read; 0: nobody */
	char lost[ENGINE_LOST_BYTES];	/* why a function of the log returned a code */
	void (*note)(void *opaque, const char *sentence);
	void *opaque;
};

/* Keep the first sentence: "the log PATH @what". Returns @code. */
int engine_log_lose(struct engine_log *log, int code, const char *what);
int engine_log_lose_errno(struct engine_log *log, const char *what);	/* "cannot be @what: ..." */
int engine_log_open_file(struct engine_log *log, struct err *err);
/* Was it made for this array, or is it new? 0, or a refusal. */
int engine_log_judge(struct engine_log *log, struct err *err);
void engine_log_put_names(const struct engine_log *log, uint8_t *head);
bool engine_log_is_the_one(const struct engine_log *log);

int engine_log_open(struct engine_log *log, const struct engine_config *config, struct err *err);
void engine_log_close(struct engine_log *log);
/* Is it the file that newcomers find? 0, or a code with .lost set. */
int engine_log_check(struct engine_log *log);
/* The right to append: 0, -EAGAIN while another node has it, or a code with .lost set. A torn end is cut here. */
int engine_log_begin(struct engine_log *log);
void engine_log_finish(struct engine_log *log);
/* Between begin and finish; 0, or a code with .lost set. */
int engine_log_join(struct engine_log *log, uint64_t node_id);
int engine_log_leave(struct engine_log *log, uint64_t node_id);
int engine_log_message(struct engine_log *log, uint64_t node_id, const uint8_t *data, uint32_t len_bytes);
int engine_log_bury(struct engine_log *log);		/* died: for each node whose lock is free */
bool engine_log_has_dead(struct engine_log *log);	/* among the members, by what was read */
/* 1: the next record, .ids follow it; 0: none yet; or a code with .lost set. */
int engine_log_read(struct engine_log *log, struct engine_record *ret_record);

/* ---- waking each other (engine_local_poke.c) ---- */

struct engine_pokes {
	int dir_fd, listen_fd;
	uint32_t count;
	int fds[ENGINE_CONNECTIONS_MAX];
	char name[ENGINE_NAME_BYTES];	/* ours, bound; "": none */
};

void engine_pokes_init(struct engine_pokes *p, int dir_fd);
/* Listen as @base.@index, 0 or -errno; reach everybody in @ids: who cannot be reached is dying, or found by time. */
int engine_pokes_listen(struct engine_pokes *p, const char *base, uint32_t index);
void engine_pokes_connect(struct engine_pokes *p, const char *base, const uint64_t ids[ENGINE_NODES_MAX], uint32_t own);
void engine_pokes_all(struct engine_pokes *p);
/* Accept newcomers, take pokes in, drop who is gone. */
void engine_pokes_hear(struct engine_pokes *p);
void engine_pokes_close(struct engine_pokes *p);

/* ---- the engine (engine_local.c), and what its thread does (engine_local_do.c) ---- */

enum engine_command_kind {
	ENGINE_DO_GROUP, ENGINE_DO_LOCK, ENGINE_DO_CANCEL, ENGINE_DO_UNLOCK, ENGINE_DO_SEND, ENGINE_DO_GOODBYE,
};

struct engine_command {
	struct engine_command *next;
	enum engine_command_kind kind;
	struct clu_lock lock;
	bool may_queue;
	uint32_t len_bytes;
	uint8_t data[];
};

struct engine_local {
	struct engine e;
	struct engine_config config;
	struct engine_log log;
	struct engine_locks locks;
	struct engine_pokes pokes;
	pthread_t thread;
	int wake_fd;
	atomic_bool is_lost;
	atomic_int watched_fd;		/* the log, once we are in the group; else -1 */

	pthread_mutex_t mutex;		/* for these three */
	struct engine_command *first, **last;
	bool is_closing, is_out_of_memory;

	/* the thread's own */
	struct engine_queued { struct clu_lock lock; uint64_t not_before_ms; } queue[ENGINE_QUEUE_MAX];
	uint32_t queue_count;
	struct clu_lock held[ENGINE_QUEUE_MAX];
	uint32_t held_count;
	bool is_append_due;		/* it was refused: somebody else appends */
	bool has_appended;		/* what we say comes back to us: read on */
	int wait_ms;
};

uint64_t engine_local_now_ms(void);
/* Tell LOST, once: nothing is written from now on. */
void engine_local_lose(struct engine_local *l, const char *reason);
bool engine_local_is_in_group(const struct engine_local *l);
/* Deliver what the log says; true: there is more. */
bool engine_local_read(struct engine_local *l);
/* False: it must be carried out again, and those behind it wait. */
bool engine_local_carry_out(struct engine_local *l, const struct engine_command *c);
/* Is there a member that no connection leads to? */
bool engine_local_misses_somebody(const struct engine_local *l);
void engine_local_bury(struct engine_local *l);
void engine_local_try_queue(struct engine_local *l);
void engine_local_drop_all_locks(struct engine_local *l);

#endif
