/* Clients of every node, and what they agree on: a sector is written by one node at a time, as a cluster's file system
 * has it. Who may write it is handed over while no write of it is on its way to any member; anybody reads anything.
 *
 * What a request of a node that died has done is not known before that node is fenced. */
#include "csim.h"

#include "base/err.h"

static const char *const op_names[] = { "read", "write", "zero", "flush" };

uint32_t client_open(const struct cs_node *n)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < CS_REQUESTS; i++)
		count += n->requests[i].is_used;
	return count;
}

/* ---- who may write ---- */

static bool is_writing(const struct cs_request *r)
{
	return r->is_used && (r->req.op == ARR_WRITE || r->req.op == ARR_ZERO);
}

/* Nobody else writes any of it now. */
bool is_owned(const struct cs_world *w, const struct cs_node *n, uint64_t first, uint64_t sectors)
{
	for (const struct cs_node *other = w->nodes; other < w->nodes + w->setup.nodes; other++)
		for (uint32_t i = 0; other != n && i < CS_REQUESTS; i++)
			if (is_writing(&other->requests[i]) &&
			    ranges_overlap(first, sectors, other->requests[i].first, other->requests[i].sectors))
				return false;
	return true;
}

/* ---- asking ---- */

static struct cs_request *free_request(struct cs_node *n)
{
	for (uint32_t i = 0; i < CS_REQUESTS; i++)
		if (!n->requests[i].is_used)
			return &n->requests[i];
	return NULL;
}

/* Near to each other, so that they meet in chunks and windows; all of it in one zone. */
static void choose_range(struct cs_world *w, struct cs_request *r)
{
	uint64_t all = w->model.count, per_chunk = w->sectors_per_chunk, zone = w->setup.zone_chunks * per_chunk, end;
	uint64_t chunk = by_lot(w, 3) ? lot(w, (uint32_t)w->chunks) : lot(w, (uint32_t)min_u64(w->chunks, 3));

	r->sectors = 1 + lot(w, by_lot(w, 4) ? CS_SPAN : 3);
	r->first = min_u64(chunk * per_chunk + lot(w, (uint32_t)per_chunk), all - r->sectors);
	end = min_u64(all, (r->first / zone + 1) * zone);
	r->first = min_u64(r->first, end - r->sectors);
}

static void submit(struct cs_world *w, struct cs_node *n, struct cs_request *r)
{
	r->is_used = true;
	r->req = (struct arr_req){
		.op = r->req.op,
		.is_fua = r->req.op == ARR_WRITE && by_lot(w, 4),
		.at = { sector_place(w, r->first) * SECTOR_BYTES },
		.len_bytes = r->sectors * SECTOR_BYTES,
		.data = r->data,
		.user = r,
	};
	trace(w, "%u: %s %llu+%llu%s is asked", n->number, op_names[r->req.op], (ull)r->first, (ull)r->sectors,
	      r->req.is_fua ? " fua" : "");
	node_array(w, n, &(struct arr_event){ .kind = ARR_EV_SUBMIT, .req = &r->req });
}

bool client_asks(struct cs_world *w, struct cs_node *n)
{
	struct cs_request *r = free_request(n);
	uint32_t kind = lot(w, 10);

	if (!r || !n->is_up || n->is_leaving || n->has_failed || !n->array)
		return false;
	choose_range(w, r);
	r->req.op = kind < 6 ? ARR_WRITE : kind < 7 ? ARR_FLUSH : ARR_READ;
	if (r->req.op == ARR_WRITE &&
	    (!model_has_room(&w->model, r->first, r->sectors) || !is_owned(w, n, r->first, r->sectors)))
		r->req.op = ARR_READ;
	if (r->req.op == ARR_WRITE) {
		uint64_t word = ++w->writes;

		r->serial = model_write(&w->model, r->first, r->sectors, word);
		model_fill(r->data, r->sectors, word);
	} else if (r->req.op == ARR_FLUSH) {
		r->first = r->sectors = 0;
		r->acks = model_flush(&w->model);
	} else {
		model_look(&w->model, r->first, r->sectors, &r->view);
	}
	submit(w, n, r);
	return true;
}

/* ---- answers ---- */

/* By a node that has not read yet what superblocks say: its author may be dead, and the next start will read it. */
static bool is_used_in_error(struct cs_world *w, const struct cs_disk *d)
{
	EACH_NODE(w, n)
		if (n->life != CS_OFF && n->array && n->states[disk_index(w, d)] == ARR_M_IN_SYNC)
			return true;
	return false;
}

/* Nodes that do not agree yet on who is a member may read different copies of what is in doubt: nothing is chosen. */
static bool do_views_differ(struct cs_world *w)
{
	uint32_t in_sync = members_in_sync(w);

	EACH_DISK(w, d)
		if ((d->left_by && !d->is_out) || (!(in_sync >> disk_index(w, d) & 1) && is_used_in_error(w, d)))
			return true;
	return false;
}

static void check_read(struct cs_world *w, struct cs_node *n, struct cs_request *r)
{
	enum law_id law;

	if (!engine_may_write(n)) {	/* the others went on without it: it is told so soon */
		model_read_failed(&w->model);
		return;
	}
	if (do_views_differ(w))
		model_lost_member(&w->model);
	law = model_read(&w->model, r->first, r->sectors, &r->view, r->data);
	if (do_views_differ(w))
		model_lost_member(&w->model);
	w->stats->stakes[CS_I1]++;
	w->stats->stakes[CS_I6]++;
	w->reads++;
	if (law)
		broken(w, law_name(law), "node %u reads in sector %llu (chunk %llu) the value %llx", n->number,
		       (ull)w->model.blamed, (ull)(w->model.blamed / w->sectors_per_chunk),
		       (ull)model_content(r->data + (w->model.blamed - r->first) * SECTOR_BYTES));
}

static void unanswered(struct cs_world *w, struct cs_request *r)
{
	if (is_writing(r))
		model_failed(&w->model, r->serial, r->first, r->sectors);
	else if (r->req.op == ARR_READ)
		model_read_failed(&w->model);
	r->is_used = false;
}

void client_answered(struct cs_world *w, struct cs_node *n, struct cs_request *r)
{
	trace(w, "%u: %s %llu+%llu is answered: %s", n->number, op_names[r->req.op], (ull)r->first, (ull)r->sectors,
	      r->req.rc ? err_name(r->req.rc) : "done");
	hash_in(w, r->first, (uint64_t)r->req.rc);
	if (r->req.rc) {
		unanswered(w, r);
		return;
	}
	w->acked++;
	r->is_used = false;
	if (r->req.op == ARR_READ)
		check_read(w, n, r);
	else if (r->req.op == ARR_FLUSH)
		model_flushed(&w->model, r->acks);
	else
		model_acked(&w->model, r->serial, r->first, r->sectors, r->req.is_fua);
}

void client_lost(struct cs_world *w, struct cs_node *n)
{
	for (uint32_t i = 0; i < CS_REQUESTS; i++)
		if (n->requests[i].is_used)
			unanswered(w, &n->requests[i]);
}
