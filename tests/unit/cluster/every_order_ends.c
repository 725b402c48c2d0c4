/* Goal: whatever happens in whatever order, it ends: nobody waits for ever, no bit is lost, no slot has two owners.
 * Method: nodes start, claim, copy, gather, change members, lose quorum, leave and die at random moments, with
 * deliveries in random order; then faults stop, and everything must come to rest.
 * Law: I9, C1, C2, C3, C4, C6.
 * Source: the cluster specification, section 8. */
#include "harness.h"

enum { HISTORIES = 4000, ACTIONS = 60 };

struct story {
	uint64_t all_bits;
	unsigned bit;
	bool has_errand[W_NODES], has_told[W_NODES], is_away[W_NODES];
	unsigned taken_before[W_NODES], told_before[W_NODES];
};

static bool is_up(const struct w *w, int node)
{
	return w->nodes[node].is_alive && w_status(w, node).state == CLU_UP;
}

static int count_alive(const struct w *w)
{
	int count = 0;

	for (uint32_t i = 0; i < w->node_count; i++)
		count += w->nodes[i].is_alive;
	return count;
}

/* Take the token, tell of a disk, give the token back. */
static void errand_goes_on(struct w *w, struct story *s, int node)
{
	struct w_node *n = &w->nodes[node];
	struct clu_message m = { .type = CLU_M_NEWDISK, .number = 3, .path = "/disk" };

	if (!s->has_errand[node]) {
		s->has_errand[node] = true;
		s->has_told[node] = false;
		s->taken_before[node] = n->taken;
		s->told_before[node] = n->told;
		w_event(w, node, CLU_EV_TAKE_TOKEN);
	} else if (n->taken == s->taken_before[node]) {
		return;
	} else if (n->taken_rc < 0 || n->told > s->told_before[node]) {
		if (n->taken_rc == 0)
			w_event(w, node, CLU_EV_GIVE_TOKEN);
		s->has_errand[node] = false;
	} else if (!s->has_told[node]) {
		s->has_told[node] = true;
		w_step(w, node, (struct clu_event){ .kind = CLU_EV_TELL, .message = &m });
	}
}

static void dies(struct w *w, struct story *s, int node)
{
	if (count_alive(w) < 2)
		return;
	w_kill(w, node);
	if (w_draw(w, 2))
		w_fence(w, node);
}

/* At any point of its life; an array that is held cannot stop by itself. */
static void leaves(struct w *w, int node)
{
	if (count_alive(w) < 2)
		return;
	if (w->nodes[node].a.is_there && w->nodes[node].a.is_held)
		w_event(w, node, CLU_EV_LEAVE);
	w_leave(w, node);
}

/* The engine is gone, or the last member failed here: the hands stop the array, and leave. */
static void ends(struct w *w, int node)
{
	if (count_alive(w) < 2)
		return;
	if (w_draw(w, 2)) {
		w_step(w, node, (struct clu_event){ .kind = CLU_EV_LOST });
	} else {
		w->nodes[node].a.is_broken = true;
		w_event(w, node, CLU_EV_ARRAY);
		for (unsigned steps = w_draw(w, 20); steps && w_once(w); steps--)
			;
	}
	w_leave(w, node);
}

static void quorum_turns(struct w *w, struct story *s, int node)
{
	s->is_away[node] = !s->is_away[node];
	w->nodes[node].is_deaf = s->is_away[node];
	w_step(w, node, (struct clu_event){ .kind = CLU_EV_QUORUM, .value = !s->is_away[node] });
}

static void bit_is_set(struct w *w, struct story *s, int node)
{
	if (s->bit >= 64 || !is_up(w, node))
		return;
	s->all_bits |= 1ull << s->bit;
	w->slot_bits[w->nodes[node].slot] |= 1ull << s->bit++;
}

static void act(struct w *w, struct story *s)
{
	int node = w_draw(w, w->node_count);
	struct arr *a = &w->nodes[node].a;

	if (w->node_count < W_NODES && w_draw(w, 4) == 0)
		w_start(w);
	if (!w->nodes[node].is_alive)
		return;
	switch (w_draw(w, 17)) {
	case 0:
		dies(w, s, node);
		break;
	case 1:
		leaves(w, node);
		break;
	case 14:
		w->nodes[node].is_deaf = !w->nodes[node].is_deaf;
		break;
	case 15:
		w->nodes[node].load_rc = -EIO;
		w->nodes[node].see_rc = -ENOENT;
		break;
	case 16:
		ends(w, node);
		break;
	case 2:
	case 3:
		a->claims++;
		break;
	case 4:
		if (!a->has_sync) {
			a->recoveries++;
			a->windows++;
		}
		break;
	case 5:
		if (!a->has_sync)
			a->windows++;
		break;
	case 6:
	case 7:
		errand_goes_on(w, s, node);
		break;
	case 8:
		quorum_turns(w, s, node);
		break;
	case 9:
		a->keeps_writing = !a->keeps_writing;
		break;
	case 10:
		a->keeps_taking = !a->keeps_taking;
		break;
	case 11:
		a->keeps_reloading = !a->keeps_reloading;
		break;
	default:
		bit_is_set(w, s, node);
	}
	if (w->nodes[node].is_alive && w->nodes[node].a.is_there)
		w_event(w, node, CLU_EV_ARRAY);
}

/* Faults stop. */
static bool settles(struct w *w, struct story *s)
{
	for (uint32_t i = 0; i < w->node_count; i++) {
		struct arr *a = &w->nodes[i].a;

		if (!w->nodes[i].is_alive) {
			w_fence(w, i);
			continue;
		}
		a->keeps_writing = a->keeps_taking = a->keeps_reloading = w->nodes[i].is_deaf = false;
		if (s->is_away[i])
			quorum_turns(w, s, i);
		w_event(w, i, CLU_EV_ARRAY);
	}
	for (unsigned round = 0; round < 20; round++) {
		if (!w_run(w))
			return false;
		for (uint32_t i = 0; i < w->node_count; i++)
			if (w->nodes[i].is_alive && s->has_errand[i])
				errand_goes_on(w, s, i);
	}
	return w_run(w);
}

static bool node_is_at_rest(const struct w *w, const struct story *s, int node)
{
	const struct w_node *n = &w->nodes[node];
	struct clu_status status = w_status(w, node);

	if (!n->is_alive || n->is_refused)
		return true;
	if (status.state != CLU_UP || n->is_failed || n->a.is_held || n->a.claims || n->a.windows || n->a.recoveries)
		return false;
	if (status.has_token || status.has_resync || n->a.has_token || n->a.has_sync || s->has_errand[node])
		return false;
	for (uint32_t slot = 0; slot < w->slots; slot++)
		if ((status.peers[slot].state != CLU_P_US && status.peers[slot].state != CLU_P_UP &&
		     status.peers[slot].state != CLU_P_NONE) || n->a.suspended[slot].len)
			return false;
	return true;
}

static bool slots_have_one_owner(const struct w *w)
{
	for (uint32_t i = 0; i < w->node_count; i++)
		for (uint32_t k = 0; k < i; k++)
			if (is_up(w, i) && is_up(w, k) && w->nodes[i].slot == w->nodes[k].slot)
				return false;
	return true;
}

static const char *history(struct w *w, uint64_t seed)
{
	struct story s = { 0 };

	w_init(w, 2 + seed % 3, seed);
	w_start(w);
	for (unsigned i = 0; i < ACTIONS; i++) {
		for (unsigned steps = w_draw(w, 12); steps && w_once(w); steps--)
			if (!slots_have_one_owner(w))
				return "two nodes have one slot";
		act(w, &s);
	}
	if (!settles(w, &s))
		return "it goes on and on";
	for (uint32_t i = 0; i < w->node_count; i++)
		if (!node_is_at_rest(w, &s, i))
			return "a node is not at rest";
	if (w->double_slots)
		return "a slot was cleared without its lock";
	if (w->broken_windows)
		return "a range was copied that another node did not leave alone";
	if (w->unread_claims)
		return "a claim was announced that a node had not read";
	if (w->missed_bits)
		return "a gathering missed a bit";
	return s.all_bits & ~w_all_bits(w) ? "a bit is lost" : NULL;
}

static void tell(const struct w *w, uint64_t seed, const char *what)
{
	printf("# seed %llu: %s\n", (unsigned long long)seed, what);
	for (uint32_t i = 0; i < w->node_count; i++) {
		struct clu_status s = w_status(w, i);
		const struct arr *a = &w->nodes[i].a;

		printf("# n%u %s %s slot %d waits %llx sending %s token %d/%d resync %d/%d claims %u windows %u "
			"recoveries %u "
			"held %d reloading %d take %d refused %d: %s\n", i + 1, w->nodes[i].is_alive ? "alive" : "dead",
			clu_state_name(s.state), (int)s.slot, (unsigned long long)s.waits_for,
			clu_message_name(s.sending),
			s.has_token, a->has_token, s.has_resync, a->has_sync, a->claims, a->windows, a->recoveries,
			a->is_held,
			a->is_reloading, a->take, w->nodes[i].is_refused, s.last_event);
		for (uint32_t slot = 0; slot < w->slots; slot++)
			printf("#    slot %u %s node %llu suspended %llu\n", slot,
				clu_peer_state_name(s.peers[slot].state),
				(unsigned long long)s.peers[slot].node_id, (unsigned long long)a->suspended[slot].len);
	}
}

int main(int argc, char **argv)
{
	uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	uint64_t last = argc > 2 ? strtoull(argv[2], NULL, 0) : argc > 1 ? first : HISTORIES;
	unsigned failed = 0, ups = 0, refused = 0;

	for (uint64_t seed = first; seed <= last; seed++) {
		const char *what = history(&the_world, seed);

		if (what && ++failed <= 3)
			tell(&the_world, seed, what);
		for (uint32_t i = 0; i < the_world.node_count; i++) {
			ups += the_world.nodes[i].was_up;
			refused += the_world.nodes[i].is_refused;
		}
		w_end(&the_world);
	}
	is_u64(failed, 0, "%u histories end", (unsigned)(last - first + 1));
	ok(ups > refused && (argc > 1 || refused), "%u nodes came up, %u were refused", ups, refused);
	return tap_end();
}
