/* Goal: what an array of several nodes cannot do is refused by its name, and the array goes on; an array alone takes no
 *	orders of a cluster.
 * Method: each order, and the sentence.
 * Law: I9.
 * Source: md cluster specification 1. */
#include "node.h"

static struct err err;

static bool refuses(struct arr_event ev, const char *word)
{
	err = (struct err){ 0 };
	ev.err = &err;
	return say(ev) == UMD_E_NOT_SUPPORTED && strstr(err.text, word) && strstr(err.text, "one of 4 nodes");
}

int main(void)
{
	static const enum arr_event_kind kinds[] = { ARR_EV_TOKEN, ARR_EV_ANNOUNCED, ARR_EV_RELOAD, ARR_EV_SYNC_LOCK,
		ARR_EV_GATHERED, ARR_EV_WINDOW, ARR_EV_SUSPEND, ARR_EV_TAKE_SLOT, ARR_EV_HOLD, ARR_EV_LOST };
	struct arr_wants none = { 0 };

	begin_node((struct setup){ 0 });
	write_now(0, 4096, 'w');
	ok(refuses((struct arr_event){ .kind = ARR_EV_BITMAP }, "another bitmap"), "another bitmap: %s", err.text);
	ok(refuses((struct arr_event){ .kind = ARR_EV_BACKLOG, .value = 5 }, "write-behind"), "write-behind");
	ok(refuses((struct arr_event){ .kind = ARR_EV_WRITE_MOSTLY, .member = 1, .value = 1 }, "write-mostly"),
	   "write-mostly");
	ok(refuses((struct arr_event){ .kind = ARR_EV_SET_MODE, .value = ARR_MODE_READONLY }, "read-only"),
	   "read-only");
	ok(refuses((struct arr_event){ .kind = ARR_EV_SET_MODE, .value = ARR_MODE_READ_AUTO }, "read-only"),
	   "read-auto");
	is_u64((uint64_t)tell(ARR_EV_SET_MODE, ARR_MODE_WRITABLE), 0, "writable it is");
	is_u64((uint64_t)tell(ARR_EV_OWNER_ACTIVE, 0), (uint64_t)-EINVAL, "an owner has nothing to say");
	is_u64((uint64_t)write_now(0, 4096, 'x'), 0, "the array goes on");
	end();

	begin((struct setup){ 0 });
	for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++)
		is_u64((uint64_t)say((struct arr_event){ .kind = kinds[i], .value = 1 }), (uint64_t)-EINVAL,
		       "an array alone does not take order %u of a cluster", i);
	none = wants();
	ok(!none.token && !none.announce && !none.sync && !none.gather && !none.window, "and wants nothing");
	is_u64((uint64_t)write_now(0, 4096, 'x'), 0, "it goes on");
	ok(!status()->is_clustered && !status()->is_lost, "as what it is");
	end();
	return tap_end();
}
