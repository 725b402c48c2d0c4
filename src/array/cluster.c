/* One of several nodes: what must not happen on two at once is wanted here, and waited for.
 *
 *   wanted      for                                              answered, and then
 *   token       a claim; a spare that takes a slot               TOKEN: superblocks are read again, then the claim
 *   announce    the claim is durable here                        ANNOUNCED: it counts, clients hear of it (I1, C6)
 *   sync        a resync, a recovery, and the record of its end  SYNC_LOCK: one node copies
 *   gather      a recovery by the bitmap: by those of all nodes  GATHERED, after a TAKE_SLOT for each
 *   window      a range that all others leave alone (C3)         WINDOW: windows inside it, as ever (recover.c)
 *
 *   sync lock --> gather --> ask for a range --> open: window, window, ... --> the next range ... --> nothing is left:
 *   the end is recorded and announced --> ask for no range (0 bytes) --> the lock is of no use
 *
 * Words: a range is *asked* for, then *open*; while another is asked for none is open. A range that another node has
 * open is *suspended* here: what is under way there ends, nothing is admitted. A write counts as under way until the
 * failure of a member that lacks it is announced: the node that copies might otherwise copy from just that member.
 *
 * Left out: who gives the answers (cluster/cluster.h), superblocks (reload.c), slots (takeover.c), what happens without
 * quorum (hold.c). */
#include "array/state.h"

#include <errno.h>

#include "base/law.h"

void arr_node_begin(struct arr *a, const struct arr_config *config)
{
	list_init(&a->node.kept);
	a->node.look_job.reserve = a->node.look_parts;
	a->node.take_job.reserve = a->node.take_parts;
	a->is_clustered = config->is_clustered;
	if (!a->is_clustered)
		return;
	MUST(config->bitmap && !config->is_external && !config->bitmap_is_file && config->node_slot < config->nodes &&
	     config->nodes <= ARR_NODES_MAX);
	a->node.count = config->nodes;
	a->node.slot = config->node_slot;
	a->node.slot_bytes = config->slot_bytes;
}

int arr_refuse_as_node(const struct arr *a, const char *what, struct err *err)
{
	return err_set(err, UMD_E_NOT_SUPPORTED, "the array is one of %u nodes: %s is not supported there",
		       a->node.count, what);
}

/* ---- the token ---- */

bool arr_may_claim(const struct arr *a)
{
	return !a->is_clustered || (a->node.has_token && a->node.is_looked && a->node.look == LOOK_IDLE);
}

bool arr_has_late_jobs(const struct arr *a)
{
	ARR_EACH(i, a, arr_mask(a, ARR_M_FAULTY))
		if (a->busy[i])
			return true;
	return false;
}

static bool wants_token(const struct arr *a)
{
	return arr_claim_is_due(a) || a->claim_phase != CLAIM_IDLE || arr_spare_may_join(a);
}

static void token(struct arr *a, struct arr_event *ev)
{
	struct arr_wants wants;

	arr_get_wants(a, &wants);
	if (!ev->value && wants.token) {
		ev->rc = -EBUSY;
		return;
	}
	a->node.has_token = ev->value;
	a->node.is_looked = a->node.look_has_token = false;
	if (ev->value)
		arr_look(a, true);
}

/* ---- the sync lock, gathering, the range ---- */

static bool is_sync_due(const struct arr *a)
{
	if (a->is_stopping || arr_sync_action(a) == ARR_SYNC_IDLE)
		return false;
	return a->resync_offset != OFF_NONE || arr_ready_members(a);
}

static bool is_end_recorded(const struct arr *a)
{
	return a->durable_generation >= a->node.end_generation;
}

static bool wants_sync(const struct arr *a)
{
	if (is_sync_due(a))
		return true;
	return a->node.has_sync_lock && (a->sync_phase != SYNC_IDLE || a->node.asks_window || a->node.open.len ||
					 !is_end_recorded(a));
}

/* Whoever is copied to in full needs nobody's bits. */
static bool needs_gather(const struct arr *a)
{
	bool is_by_bitmap = false;

	ARR_EACH(i, a, arr_ready_members(a))
		is_by_bitmap |= !a->members[i].wants_full;
	return a->node.has_sync_lock && is_sync_due(a) && is_by_bitmap && !a->node.is_gathered && is_end_recorded(a);
}

/* Of one who is not on record yet the others do not know: they write past it, under bits that come after. */
static bool wants_gather(const struct arr *a)
{
	ARR_EACH(i, a, arr_mask(a, ARR_M_RECOVERING) & ~arr_ready_members(a))
		if (!a->members[i].wants_full)
			return false;
	return needs_gather(a);
}

/* What was gathered for others does not cover what it missed. */
void arr_gather_again(struct arr *a)
{
	bool is_gathering = needs_gather(a);

	a->node.joins++;
	a->node.is_gathered = false;
	if (!is_gathering)
		a->node.gather_joins = a->node.joins;
}

static void gathered(struct arr *a)
{
	a->node.is_gathered = a->node.gather_joins == a->node.joins;
	a->node.gather_joins = a->node.joins;
}

bool arr_may_sync(const struct arr *a)
{
	if (!a->is_clustered)
		return true;
	return a->node.has_sync_lock && !a->node.asks_window && is_end_recorded(a) && !needs_gather(a);
}

bool arr_may_copy(const struct arr *a, uint64_t at, uint64_t len)
{
	const struct arr_range *open = &a->node.open;

	return !a->is_clustered || (a->node.has_sync_lock && at >= open->at && at + len <= open->at + open->len);
}

static void ask(struct arr *a, uint64_t at, uint64_t len)
{
	a->node.asked = (struct arr_range){ at, len };
	a->node.asks_window = true;
	a->node.open.len = 0;
}

bool arr_ask_range(struct arr *a, uint64_t at)
{
	ask(a, at, min_u64(a->node.suspend_bytes, a->size_bytes - at));
	return true;
}

static bool close_range(struct arr *a)
{
	if (!a->node.open.len || a->node.asks_window || a->sync_phase != SYNC_IDLE || is_sync_due(a) ||
	    !is_end_recorded(a) || a->is_broken)
		return false;
	ask(a, 0, 0);
	return true;
}

static void window(struct arr *a, struct arr_event *ev)
{
	if (!a->node.asks_window || ev->at.bytes != a->node.asked.at || ev->len_bytes != a->node.asked.len) {
		ev->rc = -EINVAL;
		return;
	}
	a->node.asks_window = false;
	a->node.open = a->node.asked;
}

static void sync_lock(struct arr *a, struct arr_event *ev)
{
	struct arr_wants wants;

	arr_get_wants(a, &wants);
	if (!ev->value && wants.sync) {
		ev->rc = -EBUSY;
		return;
	}
	a->node.has_sync_lock = ev->value;
	a->node.is_gathered = false;
	a->node.gather_joins = a->node.joins;
}

static bool begin_resync(struct arr *a)
{
	if (!a->node.is_resync_due || a->sync_phase != SYNC_IDLE)
		return false;
	a->node.is_resync_due = false;
	if (__builtin_popcountll(arr_in_slots(a)) < 2)
		return true;	/* nobody to compare with: the bits stay for who returns */
	a->resync_offset = 0;
	return true;
}

void arr_resync_taken(struct arr *a)
{
	if (a->resync_offset == OFF_NONE && !arr_mask(a, ARR_M_RECOVERING))
		arr_set_reason(a, "the bitmap of a node that died was taken over: what it left in doubt is copied");
	a->node.is_resync_due = true;
	begin_resync(a);
}

bool arr_pump_node(struct arr *a)
{
	if (!a->is_clustered || arr_is_still(a))
		return false;
	return arr_pump_look(a) | begin_resync(a) | arr_pump_take(a) | close_range(a);
}

/* It wants nothing more of the cluster, but what protects a write that is out. */
static void get_last_wants(const struct arr *a, struct arr_wants *w)
{
	w->token = a->node.has_token && (a->claim_phase == CLAIM_SUPER || a->claim_phase == CLAIM_FOLLOWERS);
	w->sync = a->node.has_sync_lock && a->sync_phase == SYNC_WRITE;
}

void arr_get_wants(const struct arr *a, struct arr_wants *w)
{
	*w = (struct arr_wants){ 0 };
	if (!a->is_clustered || a->node.is_lost || arr_is_still(a))
		return;
	if (a->is_broken) {
		get_last_wants(a, w);
		return;
	}
	w->token = wants_token(a);
	w->announce = a->claim_phase == CLAIM_ANNOUNCE && !arr_has_late_jobs(a);
	w->sync = wants_sync(a);
	w->gather = wants_gather(a);
	if (w->announce && arr_pin(a) < a->member_count) {
		w->announce_events = a->claim.events;
		w->announce_number = a->members[arr_pin(a)].dev_number;
	}
	w->window = a->node.asks_window;
	w->window_at = a->node.asked.at;
	w->window_len = a->node.asked.len;
}

/* ---- ranges of others ---- */

struct arr_range arr_suspended(const struct arr *a, uint32_t node)
{
	return node < ARR_NODES_MAX ? a->node.suspended[node] : (struct arr_range){ 0, 0 };
}

bool arr_is_left_alone(const struct arr *a, uint32_t node)
{
	struct arr_range r = arr_suspended(a, node);

	return !r.len || !arr_write_overlaps(a, r.at, r.len, NULL);
}

bool arr_is_suspended(const struct arr *a, uint64_t at, uint64_t len)
{
	for (uint32_t node = 0; node < a->node.count; node++)
		if (a->node.suspended[node].len &&
		    ranges_overlap(at, len, a->node.suspended[node].at, a->node.suspended[node].len))
			return true;
	return false;
}

static void suspend(struct arr *a, struct arr_event *ev)
{
	uint64_t end;

	if (ev->node >= a->node.count || ev->node == a->node.slot || !add_fits(ev->at.bytes, ev->len_bytes, &end))
		ev->rc = -EINVAL;
	else
		a->node.suspended[ev->node] = (struct arr_range){ ev->at.bytes, ev->len_bytes };
}

bool arr_node_is_at_rest(const struct arr *a)
{
	const struct arr_node *n = &a->node;

	if (!a->is_clustered)
		return true;
	if (n->look == LOOK_OUT || n->look == LOOK_FLUSH || n->take_phase != TAKE_IDLE || !list_is_empty(&n->kept))
		return false;
	return a->is_broken || (n->look == LOOK_IDLE && !n->asks_window && !n->open.len);
}

/* ---- the door ---- */

void arr_event_node(struct arr *a, struct arr_event *ev)
{
	if (!a->is_clustered) {
		ev->rc = -EINVAL;
		return;
	}
	switch (ev->kind) {
	case ARR_EV_TOKEN:
		token(a, ev);
		break;
	case ARR_EV_ANNOUNCED:
		arr_claim_announced(a);
		break;
	case ARR_EV_RELOAD:
		arr_look_as_told(a, ev);
		break;
	case ARR_EV_SYNC_LOCK:
		sync_lock(a, ev);
		break;
	case ARR_EV_GATHERED:
		gathered(a);
		break;
	case ARR_EV_WINDOW:
		window(a, ev);
		break;
	case ARR_EV_SUSPEND:
		suspend(a, ev);
		break;
	case ARR_EV_TAKE_SLOT:
		arr_event_take(a, ev);
		break;
	case ARR_EV_HOLD:
		arr_hold(a, ev->value);
		break;
	default:
		arr_lose(a);
	}
}

void arr_node_report(const struct arr *a, struct arr_status *s)
{
	const struct arr_node *n = &a->node;

	s->pin = arr_pin(a);
	s->is_clustered = a->is_clustered;
	if (!a->is_clustered)
		return;
	s->is_held = n->is_held;
	s->is_lost = n->is_lost;
	s->is_reloading = arr_is_reloading(a);
	s->strangers = n->strangers;
	s->nodes = n->count;
	s->node_slot = n->slot;
	s->take = n->take;
	s->take_bits = n->take_bits;
	s->taken_slots = n->taken_slots;
	s->taken_bits = n->taken_bits;
	s->has_sync_lock = n->has_sync_lock;
	s->open = n->open;
}
