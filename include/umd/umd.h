/**
 * libumd - md mirrors in user space
 *
 * Functions return 0 or a negative code and, where a person will read it, fill a struct umd_error with one sentence:
 * what was refused, the two values compared, what would go on. Sizes and offsets are bytes. Strings from disk images
 * are escaped in every sentence and in all JSON.
 *
 * Threads: umd_array_read .. umd_array_flush, attach, detach and size may be called from any number of threads at
 * once; the rest of the functions on one array from one thread at a time.
 */
#ifndef UMD_UMD_H
#define UMD_UMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define UMD_API __attribute__((visibility("default")))

struct umd_error {
	int code;		/* 0 or negative */
	int errno_class;	/* positive errno a front end may pass on; 0 for none */
	char text[640];
};

UMD_API const char *umd_version(void);

/* ---- making arrays ---- */

struct umd_create_options {
	const char *metadata;		/* "1.0", "1.1", "1.2"; NULL: 1.2 */
	const char *bitmap;		/* "internal", "none", "clustered", or the path of a new file; NULL: internal */
	uint32_t nodes;			/* clustered: bitmaps, one for each node, 2 to 64; 0: 4 */
	const char *cluster_name;	/* clustered: the cluster that may use it; NULL: "" (engine local only) */
	uint64_t bitmap_chunk_bytes;	/* 0: choose */
	uint64_t size_bytes;		/* per member; 0: the largest */
	const char *name;		/* NULL: "" */
	const char *uuid;		/* NULL: random */
	bool assume_clean, force, dry_run;
	const bool *write_mostly;	/* of each member: read only when no other can be; NULL: none is */
	/* so many writes may be answered before write-mostly members have them, 16383 at most; needs a bitmap */
	uint32_t write_behind;
};

/**
 * umd_create - write superblocks and bitmap on @count members ("missing" may stand for one)
 * Refuses a member that holds something (file system, partition table, another superblock) without @force, is in use,
 * or is too small; then nothing has been written. @ret_json (may be NULL): what was, or with dry_run would be,
 * written.
 */
UMD_API int umd_create(const struct umd_create_options *options, const char *const *members, size_t count,
		       char **ret_json, struct umd_error *error);

struct umd_cluster_options {
	const char *bitmap;		/* "clustered", "internal"; NULL: it is clustered, and stays so */
	uint32_t nodes;			/* 0: as many as there are, of a new cluster 4 */
	const char *cluster_name;	/* NULL: as it is, of a new cluster "" */
	bool dry_run;
	/* of every slot, in which each chunk is set that a set one touches; 0: as they are, and as they stay when the
	 * kind of bitmap changes */
	uint64_t bitmap_chunk_bytes;
};

/**
 * umd_change_cluster - number of nodes, cluster name, chunks, clustered or not: of an array that nobody uses
 * All members must be given and in sync. Fewer nodes: only when the slots that go have no set chunk; internal: no slot
 * has one. A cut in the middle leaves an array that starts as it was or as it would be; of chunks, or with all of it in
 * doubt. No lock can see a node on another host. Returns 0, or a negative code: then nothing has been written, unless
 * the sentence says otherwise.
 */
UMD_API int umd_change_cluster(const struct umd_cluster_options *options, const char *const *members, size_t count,
			       char **ret_json, struct umd_error *error);

/* ---- looking at images: nothing is written, no lock is taken ---- */

/* JSON is handed over in pieces as it is made, so that memory stays bounded whatever an image claims. Returns 0, or a
 * negative code that ends the call and is returned by it. */
typedef int umd_sink(void *opaque, const char *data, size_t len_bytes);

/* A bitmap without superblock, kept for an array whose metadata somebody else owns. */
struct umd_external_bitmap {
	uint64_t location_bytes;	/* of the first bit, from the start of the member */
	uint64_t chunk_bytes;		/* a power of two, at least 512 */
	uint64_t size_bytes;		/* what the bits cover */
};

struct umd_look_options {
	uint64_t runs_max;		/* runs of set chunks shown per member; UINT64_MAX: all */
	uint64_t cells_max;		/* umd_map: cells per map; 0: 1024 */
	bool is_comparison;		/* umd_map: two maps, and what only one of them has */
	const struct umd_external_bitmap *external;	/* members are looked at as holding such a bitmap */
};

/* The object of `umd examine --json`. All members are looked at; fails only without memory, or with the sink's code.
 * *@ret_errors: number of members with an error. */
UMD_API int umd_examine(const char *const *members, size_t count, const struct umd_look_options *options,
			umd_sink *sink, void *opaque, size_t *ret_errors, struct umd_error *error);

/* The object of `umd map --json` for images: each bitmap counted into cells of equally many chunks; see umd-map(1) in
 * umd.1. As umd_examine. With is_comparison: UMD_E_BAD_OPTION unless there are two maps of the same chunks. */
UMD_API int umd_map(const char *const *members, size_t count, const struct umd_look_options *options, umd_sink *sink,
		    void *opaque, size_t *ret_errors, struct umd_error *error);

/* The chunks of one bitmap as they lie on the member: one bit each, lowest first (lockless: one state byte each), no
 * superblock. @slot: of a clustered bitmap, else 0. */
UMD_API int umd_map_raw(const char *member, uint32_t slot, const struct umd_external_bitmap *external, umd_sink *sink,
			void *opaque, struct umd_error *error);

/* The object of `umd why --json` for images: where @chunk's bit lies on every member, what it says, and what the next
 * start does with the chunk. free() it. UMD_E_BAD_OPTION when there is no such chunk. */
UMD_API int umd_why(const char *const *members, size_t count, uint64_t chunk,
		    const struct umd_external_bitmap *external, char **ret_json, size_t *ret_errors,
		    struct umd_error *error);

/* ---- running arrays ---- */

struct umd_array;

struct umd_open_options {
	const char *name;		/* run-time name; NULL: from the superblock, else the uuid */
	const char *prefer;		/* member whose story wins a fork */
	/* the file with the array's bitmap, "none": without the file that umd remembers; NULL: there is no file */
	const char *bitmap;
	bool readonly, run;
	bool inactive;			/* no members: the array is set up by attributes; needs @name */
	/* Of a clustered array, which is then started as one of several nodes: "local", "dlm"; NULL: dlm where corosync
	 * runs and its cluster has the bitmap's cluster name, else it is refused. */
	const char *cluster;
	const char *node;		/* this node's name, for people and paths; NULL: n1, n2, ..., dlm: the host's */
	bool direct;			/* members are opened O_DIRECT; dlm always does */
	bool fail_without_quorum;	/* what is asked while there is no quorum gets EIO; else it waits */
	uint32_t safe_mode_delay_ms;	/* 0: 200 */
};

/**
 * umd_array_open - open, lock and judge members; nothing is written, no thread is started
 * With @options->inactive there are none (@count 0), and the array does not run yet.
 * May be called before a fork: locks belong to the open file descriptions.
 */
UMD_API int umd_array_open(const char *const *members, size_t count, const struct umd_open_options *options,
			   struct umd_array **ret_array, struct umd_error *error);

/* Start threads, write superblocks, begin resync or recovery, listen on the array's control socket. */
UMD_API int umd_array_start(struct umd_array *array, struct umd_error *error);

/* Tell blocked requests and the sync to end: requests answer ESHUTDOWN from now on. Never blocks. */
UMD_API void umd_array_stop(struct umd_array *array);

/* Stop, write a clean superblock, let go of members and run-time directory, free. Takes NULL. */
UMD_API int umd_array_close(struct umd_array *array);

/* A front end's client opens the array before its first request and closes it at the end. -ESHUTDOWN: it does not
 * run. While it is open no attribute ends this run (EBUSY, as with md), so that no client ever meets another array
 * than the one it opened; umd_array_stop() does, for good. Any thread. */
UMD_API int umd_array_attach(struct umd_array *array);
UMD_API void umd_array_detach(struct umd_array *array);

UMD_API uint64_t umd_array_size(struct umd_array *array);		/* 0 while it does not run */
UMD_API bool umd_array_is_readonly(struct umd_array *array);
UMD_API const char *umd_array_name(const struct umd_array *array);	/* run-time name */

/* The callback runs once when `stop` arrives on the control socket, or when the array ends by itself; it must not
 * block, nor call any function here but umd_array_name(). */
UMD_API void umd_array_on_stop(struct umd_array *array, void (*callback)(void *), void *opaque);

/* A node of a cluster whose stop has not ended after 20 s, since a disk or the cluster's manager hangs: the callback is
 * told what, once, from a thread of its own, and is expected to end the process. For the others that is a death: what
 * is in doubt stays in the node's slot. Set before umd_array_start(); without it umd_array_close() waits. */
UMD_API void umd_array_on_overdue(struct umd_array *array, void (*callback)(void *opaque, const char *sentence),
				  void *opaque);

/* 0, or why the array ended by itself: a node whose cluster went on without it writes nothing any more. */
UMD_API int umd_array_why_ended(struct umd_array *array, struct umd_error *error);

enum { UMD_FUA = 1, UMD_MAY_TRIM = 2 };

/* 0 or a negative errno: -EIO, -ESHUTDOWN, -EROFS, -EINVAL (range), -ENOMEM. */
UMD_API int umd_array_read(struct umd_array *array, void *data, size_t len_bytes, uint64_t at);
UMD_API int umd_array_write(struct umd_array *array, const void *data, size_t len_bytes, uint64_t at, unsigned flags);
/* Zeroes that may punch holes (UMD_MAY_TRIM); trim is the same: every member reads zeroes afterwards. */
UMD_API int umd_array_zero(struct umd_array *array, uint64_t len_bytes, uint64_t at, unsigned flags);
UMD_API int umd_array_flush(struct umd_array *array);

/* Writes the JSON object of `umd detail`; free() it. */
UMD_API int umd_array_detail(struct umd_array *array, char **ret_json);

/* ---- running arrays of other processes ---- */

/**
 * umd_control - one request to the control socket of array @name
 * @request_json: {"command": "...", ...}; @fd: a descriptor to hand over, or -1
 * @ret_reply_json: the reply object; free() it. A reply {"error": {...}} becomes the return code and @error.
 * Commands: detail, map, stop, grow; fail, remove, add, re-add ("member"). Attributes, by md's names
 * (docs/attributes.md):
 *   attrs -> {"attributes": [{"path", "mode", "notifies", "supported", ...}], "tree": N}
 *   get ("path") -> {"value" or "value_hex", "generation": N}
 *   set ("path", "value" or "value_hex"; new_dev of a path with @fd, opened for reading and writing)
 *   watch ("tree": N, "paths": [{"path", "generation"}], "timeout_ms")
 *	-> {"tree", "changed": [{"path", "generation"}]}, as soon as one of up to 4096 files has another generation than
 *	the client knows (0: there is no such file), or the list of files is another; nothing changed when the time is
 *	over, which must be less than 120 s here
 */
UMD_API int umd_control(const char *name, const char *request_json, int fd, char **ret_reply_json,
			struct umd_error *error);

/* Path inside the run-time directory: "" the directory of all arrays; else NAME/@leaf. Made where it does not exist
 * when @make. Checks owner and mode of each level. free() the result. */
UMD_API int umd_runtime_path(const char *name, const char *leaf, bool make, char **ret_path, struct umd_error *error);

/* Remove what a dead server of array @name left in the run-time directory: sockets, pid file. Nothing while one
 * lives. */
UMD_API void umd_runtime_sweep(const char *name);

/* Names of arrays whose control socket answers, as a JSON array of their detail objects; free() it. */
UMD_API int umd_list(char **ret_json, struct umd_error *error);

#ifdef __cplusplus
}
#endif

#endif
