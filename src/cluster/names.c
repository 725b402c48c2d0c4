/* The words of the cluster: locks, states, messages. Locks are called what md-cluster calls its DLM resources, so that
 * nodes of both kinds meet there, and the DLM keeps them apart. */
#include "cluster/cluster.h"

#include "base/text.h"

void clu_lock_name(struct clu_lock lock, char ret[16])
{
	if (lock.kind == CLU_LOCK_TOKEN)
		text_fit(ret, 16, "token");
	else if (lock.kind == CLU_LOCK_RESYNC)
		text_fit(ret, 16, "resync");
	else
		text_fit(ret, 16, "bitmap%04u", lock.slot);
}

const char *clu_message_name(enum clu_message_type type)
{
	switch (type) {
	case CLU_M_METADATA_UPDATED:
		return "metadata_updated";
	case CLU_M_RESYNCING:
		return "resyncing";
	case CLU_M_NEWDISK:
		return "newdisk";
	case CLU_M_REMOVE:
		return "remove";
	case CLU_M_RE_ADD:
		return "re_add";
	case CLU_M_BITMAP_NEEDS_SYNC:
		return "bitmap_needs_sync";
	case CLU_M_CHANGE_CAPACITY:
		return "change_capacity";
	case CLU_M_BITMAP_RESIZE:
		return "bitmap_resize";
	case CLU_M_HELLO:
		return "hello";
	case CLU_M_ACK:
		return "ack";
	case CLU_M_BYE:
		return "bye";
	case CLU_M_DEAD:
		return "dead";
	}
	return NULL;
}

const char *clu_state_name(enum clu_state state)
{
	static const char *const names[] = {
		[CLU_OUT] = "out", [CLU_GROUP] = "joining", [CLU_TOKEN] = "joining", [CLU_SLOT] = "joining",
		[CLU_LOAD] = "joining", [CLU_HELLO] = "joining", [CLU_UP] = "up", [CLU_HELD] = "held",
		[CLU_LEAVING] = "leaving", [CLU_LOST] = "lost",
	};

	return names[state];
}

const char *clu_peer_state_name(enum clu_peer_state state)
{
	static const char *const names[] = {
		[CLU_P_NONE] = "none", [CLU_P_UNKNOWN] = "unknown", [CLU_P_US] = "us", [CLU_P_UP] = "up",
		[CLU_P_LEAVING] = "leaving", [CLU_P_GONE] = "gone", [CLU_P_TAKING] = "taking",
	};

	return names[state];
}
