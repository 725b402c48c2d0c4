/* Readers of cluster/: a node's part in its cluster, as the hands have put it into words.
 *
 * There are such files only while the array is a node's: the table lets nobody else ask (att_find). Names are other
 * nodes' and superblocks' words, and are escaped. */
#include "attrs/inside.h"

static int put(struct text *out, const char *value)
{
	text_add_escaped(out, value, strlen(value));
	text_add(out, "\n");
	return 0;
}

int att_get_cluster_engine(const struct att_look *l, struct text *out)
{
	return put(out, l->view->cluster->engine);
}

int att_get_cluster_name(const struct att_look *l, struct text *out)
{
	return put(out, l->view->cluster->cluster_name);
}

int att_get_cluster_node(const struct att_look *l, struct text *out)
{
	return put(out, l->view->cluster->node);
}

int att_get_cluster_node_slot(const struct att_look *l, struct text *out)
{
	if (l->view->cluster->slot == ATT_NO_SLOT)
		return put(out, "none");
	text_add(out, "%u\n", l->view->cluster->slot);
	return 0;
}

int att_get_cluster_nodes(const struct att_look *l, struct text *out)
{
	text_add(out, "%u\n", l->view->cluster->nodes);
	return 0;
}

int att_get_cluster_state(const struct att_look *l, struct text *out)
{
	return put(out, l->view->cluster->state);
}

int att_get_cluster_quorum(const struct att_look *l, struct text *out)
{
	return put(out, l->view->cluster->has_quorum ? "1" : "0");
}

int att_get_cluster_peers(const struct att_look *l, struct text *out)
{
	text_add(out, "%s", l->view->cluster->peers);
	return 0;
}

int att_get_cluster_suspended(const struct att_look *l, struct text *out)
{
	text_add(out, "%s", l->view->cluster->suspended);
	return 0;
}

int att_get_cluster_waits_for(const struct att_look *l, struct text *out)
{
	return put(out, l->view->cluster->waits_for);
}

int att_get_cluster_last_event(const struct att_look *l, struct text *out)
{
	return put(out, l->view->cluster->last_event);
}

int att_get_cluster_events(const struct att_look *l, struct text *out)
{
	text_add(out, "%s", l->view->cluster->events);
	return 0;
}
