/* The recording plugin's other half: what clients asked and were told, and who was in sync when.
 *
 * The linker sends the plugin's calls of the public API here, and the hands' calls of arr_step(). A request is *asked*
 * at the moment it is given to the array, under the array's lock: that is the order in which overlapping writes must be
 * applied. It is *answered* when the API returns. After every step the members' states are compared with those before.
 *
 * So that a few seconds hold many sweeps and many changes between clean and active, the sweep's period and the delay of
 * the safe mode are made short; everything else is the plugin as installed. */
#include <stdlib.h>
#include <string.h>

#include "member/inside.h"
#include "member/record.h"
#include "run/running.h"

enum { SWEEP_MS = 40, SAFE_MODE_MS = 10 };

int __real_umd_array_open(const char *const *members, size_t count, const struct umd_open_options *options,
			  struct umd_array **ret_array, struct umd_error *error);
int __wrap_umd_array_open(const char *const *members, size_t count, const struct umd_open_options *options,
			  struct umd_array **ret_array, struct umd_error *error);
int __real_umd_array_start(struct umd_array *array, struct umd_error *error);
int __wrap_umd_array_start(struct umd_array *array, struct umd_error *error);
int __real_umd_array_close(struct umd_array *array);
int __wrap_umd_array_close(struct umd_array *array);
int __real_umd_array_read(struct umd_array *array, void *data, size_t len_bytes, uint64_t at);
int __wrap_umd_array_read(struct umd_array *array, void *data, size_t len_bytes, uint64_t at);
int __real_umd_array_write(struct umd_array *array, const void *data, size_t len_bytes, uint64_t at, unsigned flags);
int __wrap_umd_array_write(struct umd_array *array, const void *data, size_t len_bytes, uint64_t at, unsigned flags);
int __real_umd_array_zero(struct umd_array *array, uint64_t len_bytes, uint64_t at, unsigned flags);
int __wrap_umd_array_zero(struct umd_array *array, uint64_t len_bytes, uint64_t at, unsigned flags);
int __real_umd_array_flush(struct umd_array *array);
int __wrap_umd_array_flush(struct umd_array *array);
void __real_arr_step(struct arr *a, struct arr_event *event, uint64_t now_ms, struct arr_out *out);
void __wrap_arr_step(struct arr *a, struct arr_event *event, uint64_t now_ms, struct arr_out *out);
uint32_t __wrap_bm_daemon_sleep_ms(const struct bm *b);
int __real_mbr_file_new(const char *path, int fd, uint64_t size_bytes, bool is_readonly, bool is_block_device,
			struct member **ret_member);
int __wrap_mbr_file_new(const char *path, int fd, uint64_t size_bytes, bool is_readonly, bool is_block_device,
			struct member **ret_member);

static struct umd_array *running;
static uint64_t requests;
static _Thread_local uint64_t request;		/* of this worker; 0: none */
static _Thread_local bool is_fua;		/* as the caller asked */
static const struct member_ops *file_ops;

static struct {
	enum arr_member_state state;
	int member;
} known[ARR_MEMBERS_MAX];

uint32_t __wrap_bm_daemon_sleep_ms(const struct bm *b)
{
	return SWEEP_MS;
}

/* The word that fills a sector. */
static uint64_t word_of(const uint8_t *data, size_t len)
{
	uint64_t word;

	memcpy(&word, data, sizeof word);
	return memcmp(data, data + sizeof word, len - sizeof word) ? UINT64_MAX : word;
}

/* ---- states ---- */

static void record_states(struct umd_array *u)
{
	struct arr_status s;

	arr_get_status(u->arr, &s);
	for (uint32_t i = 0; i < s.member_count; i++) {
		struct mbr_record r = { .kind = MBR_REC_STATE, .op = s.members[i].state, .number = i };

		/* A new member's hand follows the step that added it, before the lock is left. */
		if (s.members[i].state == known[i].state || (known[i].state == ARR_M_NONE && !u->hands[i]))
			continue;
		if (known[i].state == ARR_M_NONE)
			known[i].member = mbr_record_member(u->hands[i]->fd);
		known[i].state = s.members[i].state;
		r.member = (uint32_t)known[i].member;
		mbr_record(&r, NULL, 0);
	}
}

/* ---- members ---- */

/* Whoever has carried out its parts may be late to say so; a failure takes its time, as they do. */
static void run_and_linger(struct member *m, struct mbr_part *parts, uint32_t part_count)
{
	file_ops->run(m, parts, part_count);
	mbr_record_linger();
	for (uint32_t i = 0; i < 10 && parts[part_count - 1].rc; i++)
		mbr_record_linger();
}

static void close_member(struct member *m)
{
	file_ops->close(m);
}

int __wrap_mbr_file_new(const char *path, int fd, uint64_t size_bytes, bool is_readonly, bool is_block_device,
			struct member **ret_member)
{
	static const struct member_ops late = { .run = run_and_linger, .close = close_member };
	int rc = __real_mbr_file_new(path, fd, size_bytes, is_readonly, is_block_device, ret_member);

	if (rc == 0) {
		file_ops = (*ret_member)->ops;
		(*ret_member)->ops = &late;
	}
	return rc;
}

/* ---- the array ---- */

int __wrap_umd_array_open(const char *const *members, size_t count, const struct umd_open_options *options,
			  struct umd_array **ret_array, struct umd_error *error)
{
	struct umd_open_options quick = *options;

	quick.safe_mode_delay_ms = SAFE_MODE_MS;
	return __real_umd_array_open(members, count, &quick, ret_array, error);
}

int __wrap_umd_array_start(struct umd_array *array, struct umd_error *error)
{
	running = array;
	record_states(array);
	mbr_record_arm();
	return __real_umd_array_start(array, error);
}

int __wrap_umd_array_close(struct umd_array *array)
{
	struct mbr_record r = { .kind = MBR_REC_CLOSED };

	r.rc = __real_umd_array_close(array);
	if (array)
		mbr_record(&r, NULL, 0);
	running = NULL;
	return (int)r.rc;
}

static void record_asked(const struct arr_req *req)
{
	struct mbr_record r = { .kind = MBR_REC_ASKED, .op = req->op, .number = request, .at = req->at.bytes,
				.len = req->len_bytes, .flags = is_fua ? MBR_REC_DURABLE : 0 };

	if (req->op == ARR_WRITE)
		r.word = word_of(req->data, req->len_bytes);
	mbr_record(&r, NULL, 0);
}

void __wrap_arr_step(struct arr *a, struct arr_event *event, uint64_t now_ms, struct arr_out *out)
{
	if (event->kind == ARR_EV_SUBMIT && request)
		record_asked(event->req);
	if (event->kind == ARR_EV_STOP)
		mbr_record(&(struct mbr_record){ .kind = MBR_REC_STOPPING }, NULL, 0);
	__real_arr_step(a, event, now_ms, out);
	if (running)
		record_states(running);
}

/* ---- requests ---- */

static void begin(unsigned flags)
{
	is_fua = flags & UMD_FUA;
	request = __atomic_add_fetch(&requests, 1, __ATOMIC_RELAXED);
	mbr_record_request(request);
}

static int end(enum mbr_record_op op, int rc, const void *extra, size_t extra_bytes)
{
	struct mbr_record r = { .kind = MBR_REC_ANSWERED, .op = op, .number = request, .rc = rc };

	mbr_record(&r, extra, extra_bytes);
	request = 0;
	mbr_record_request(0);
	return rc;
}

int __wrap_umd_array_read(struct umd_array *array, void *data, size_t len_bytes, uint64_t at)
{
	uint64_t *words = calloc(len_bytes / SECTOR_BYTES + 1, sizeof *words);
	int rc;

	if (!words)
		abort();
	begin(0);
	rc = __real_umd_array_read(array, data, len_bytes, at);
	for (size_t i = 0; rc == 0 && i < len_bytes / SECTOR_BYTES; i++)
		words[i] = word_of((const uint8_t *)data + i * SECTOR_BYTES, SECTOR_BYTES);
	rc = end(MBR_REC_READ, rc, words, rc ? 0 : len_bytes / SECTOR_BYTES * sizeof *words);
	free(words);
	return rc;
}

int __wrap_umd_array_write(struct umd_array *array, const void *data, size_t len_bytes, uint64_t at, unsigned flags)
{
	begin(flags);
	return end(MBR_REC_WRITE, __real_umd_array_write(array, data, len_bytes, at, flags), NULL, 0);
}

int __wrap_umd_array_zero(struct umd_array *array, uint64_t len_bytes, uint64_t at, unsigned flags)
{
	begin(flags);
	return end(MBR_REC_ZERO, __real_umd_array_zero(array, len_bytes, at, flags), NULL, 0);
}

int __wrap_umd_array_flush(struct umd_array *array)
{
	begin(0);
	return end(MBR_REC_FLUSH, __real_umd_array_flush(array), NULL, 0);
}
