/* A corosync and a DLM that a test plays, below the dlm engine as it is: the calls of their libraries, and the clock
 * that leases are measured by, are made in fake_calls.h.
 *
 * The test is everybody else: it says what the group, the ring and the quorum are, swallows what must not come back,
 * changes settings, keeps locks from being granted, and lets calls hang. What the engine casts comes back to it at once
 * unless it is swallowed. Our node is FAKE_US; others speak by fake_hello(). Nothing waits for time but by polling for
 * what must come true, FAKE_LOOKS times.
 *
 * One engine at a time; included by one program each. */
#ifndef TESTS_ENGINE_FAKE_CLUSTER_H
#define TESTS_ENGINE_FAKE_CLUSTER_H

#include "fake_calls.h"
#include "tap.h"

/* ---- the opener ---- */

static inline void fake_hears(void *opaque, const struct clu_event *ev)
{
	(void)opaque;
	pthread_mutex_lock(&fake.mutex);
	fake.told_count++;
	if (ev->kind == CLU_EV_CONFIG) {
		fake.configs++;
		fake.config_size = ev->node_count;
	} else if (ev->kind == CLU_EV_MESSAGE) {
		fake.messages++;
	} else if (ev->kind == CLU_EV_QUORUM) {
		fake.quorums++;
		fake.quorum = ev->value;
	} else if (ev->kind == CLU_EV_LOST) {
		snprintf(fake.lost, sizeof fake.lost, "%s", ev->reason);
	} else if (ev->kind == CLU_EV_LOCK && ev->lock.kind == CLU_LOCK_SLOT && ev->lock.slot < FAKE_SLOTS) {
		int *count = ev->rc == 0 ? fake.granted : ev->rc == -ECANCELED ? fake.cancelled : fake.refused;

		count[ev->lock.slot]++;
	}
	pthread_cond_broadcast(&fake.changed);
	pthread_mutex_unlock(&fake.mutex);
}

static inline void fake_notes(void *opaque, const char *sentence)
{
	(void)opaque;
	pthread_mutex_lock(&fake.mutex);
	snprintf(fake.note, sizeof fake.note, "%s", sentence);
	pthread_mutex_unlock(&fake.mutex);
}

/* ---- what tests say ---- */

static inline struct engine *fake_open(void)
{
	struct engine_config config = { .cluster_name = "lab", .node_name = "us", .nodes = FAKE_SLOTS,
					.deliver = fake_hears, .note = fake_notes };
	struct engine *e = NULL;
	struct err err = { 0 };

	for (int i = 0; i < 4; i++)
		fake.fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	fake.is_quorate = true;
	fake.ring = 1;
	fake.members[fake.member_count++] = FAKE_US;
	if (!ok(engine_open_dlm(&config, &e, &err) == 0, "the engine opens on the played cluster: %s", err.text))
		exit(tap_end());
	return e;
}

/* Something was told, or a moment has passed: what a writer may do is told to nobody. */
static inline void fake_await_news(void)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_nsec += FAKE_LOOK_MS * 1000000l;
	if (end.tv_nsec >= 1000000000l) {
		end.tv_sec++;
		end.tv_nsec -= 1000000000l;
	}
	pthread_mutex_lock(&fake.mutex);
	pthread_cond_timedwait(&fake.changed, &fake.mutex, &end);
	pthread_mutex_unlock(&fake.mutex);
}

static int fake_looks = FAKE_LOOKS;

#define fake_sees(condition)                                                                      \
	({                                                                                        \
		bool is_so_;                                                                      \
		pthread_mutex_lock(&fake.mutex);                                                  \
		is_so_ = (condition);                                                             \
		pthread_mutex_unlock(&fake.mutex);                                                \
		is_so_;                                                                           \
	})

/* Until it is so; false: it does not come to that. After one that did not nothing is worth a long wait. */
#define fake_until(condition)                                                                     \
	({                                                                                        \
		bool is_true_ = fake_sees(condition);                                             \
		for (int i_ = 0; !is_true_ && i_ < fake_looks; i_++) {                            \
			fake_await_news();                                                        \
			is_true_ = fake_sees(condition);                                          \
		}                                                                                 \
		if (!is_true_)                                                                    \
			fake_looks = FAKE_LOOKS_IN_VAIN;                                          \
		is_true_;                                                                         \
	})

static inline void fake_pass(uint64_t ms)
{
	fake.now_ms += ms;
}

/* The group of the array, as it is in a new ring. */
static inline void fake_regroup(const uint32_t *members, uint32_t count, uint32_t left)
{
	pthread_mutex_lock(&fake.mutex);
	memcpy(fake.members, members, count * sizeof *members);
	fake.member_count = count;
	fake.ring++;
	fake_post_members(left);
	fake_post(&(struct fake_event){ .kind = FAKE_RING, .seq = fake.ring });
	fake_post_quorum();
	pthread_mutex_unlock(&fake.mutex);
}

/* @node's hello: its last accepted ring, and the token of its corosync. */
static inline void fake_hello(uint32_t node, uint64_t before, bool is_new, uint32_t token_ms)
{
	struct fake_event ev = { .kind = FAKE_PACKET, .node = node, .len_bytes = FAKE_HELLO_BYTES };

	memcpy(ev.bytes, "umde", 4);
	ev.bytes[4] = 2;
	ev.bytes[5] = 'H';
	le_put(ev.bytes + 8, 8, (uint64_t)node << 32 | 7);
	le_put(ev.bytes + 16, 8, before);
	le_put(ev.bytes + 24, 4, FAKE_US);
	le_put(ev.bytes + 28, 4, is_new);
	pthread_mutex_lock(&fake.mutex);
	le_put(ev.bytes + 32, 8, fake.ring);
	le_put(ev.bytes + 40, 4, token_ms);
	fake_post(&ev);
	pthread_mutex_unlock(&fake.mutex);
}

static inline void fake_set_token(uint32_t ms)
{
	pthread_mutex_lock(&fake.mutex);
	fake.token_ms = ms;
	fake_post(&(struct fake_event){ .kind = FAKE_TOKEN, .value = ms });
	pthread_mutex_unlock(&fake.mutex);
}

static inline void fake_set_quorum(bool is_quorate)
{
	pthread_mutex_lock(&fake.mutex);
	fake.is_quorate = is_quorate;
	fake_post(&(struct fake_event){ .kind = FAKE_QUORUM, .seq = fake.ring, .value = is_quorate });
	pthread_mutex_unlock(&fake.mutex);
}

static inline void fake_set(bool *flag, bool value)
{
	pthread_mutex_lock(&fake.mutex);
	*flag = value;
	pthread_cond_broadcast(&fake.changed);
	pthread_mutex_unlock(&fake.mutex);
}

/* Somebody else lets it go: whoever queues gets it. */
static inline void fake_grant_queued(void)
{
	pthread_mutex_lock(&fake.mutex);
	fake.keeps_locks = false;
	for (uint32_t i = 0; i < FAKE_LOCKS_MAX; i++)
		if (fake.locks[i].is_asked && !fake.locks[i].is_held)
			fake_answer(&fake.locks[i], 0);
	pthread_mutex_unlock(&fake.mutex);
}

static inline bool fake_is_held(const char *name)
{
	for (uint32_t i = 0; i < FAKE_LOCKS_MAX; i++)
		if (fake.locks[i].is_asked && fake.locks[i].is_held && !strcmp(fake.locks[i].name, name))
			return true;
	return false;
}

#endif
