/* Where umd was built without libdlm, libcpg, libquorum or libcmap: the dlm engine says so, by name.
 *
 * Law: none. Left out: everything; engine_dlm.c is the engine. */
#include "engine/engine.h"

int engine_open_dlm(const struct engine_config *config, struct engine **ret_engine, struct err *err)
{
	return err_set(err, UMD_E_NOT_SUPPORTED, "not supported: this umd was built without libdlm and corosync's "
		       "libraries; nothing was written; --cluster=local, for nodes on one host, would go on");
}

int engine_dlm_is_here(const char *cluster_name, struct err *err)
{
	return err_set(err, UMD_E_NOT_SUPPORTED, "not supported: this umd was built without libdlm and corosync's "
		       "libraries");
}
