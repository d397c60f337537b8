#ifndef GATEWAY_STORE_SCHEMA_H
#define GATEWAY_STORE_SCHEMA_H

#include "gateway/store/store.h"

/*
 * A kind of store that some module keeps, for who looks at all of a node's stores: whose file it is
 * and the steps by which it became what it is now. A store's version is the number of its steps.
 */
struct lb_store_schema {
    const char *name;               /* of the file, below the folder it is kept in */
    uint32_t application_id;
    const char *const *migrations;  /* as in lb_store_options */
};

/* lb_store_schema_steps is the version that this program knows. */
uint64_t lb_store_schema_steps(const struct lb_store_schema *schema);
/* lb_store_schema_found reads the version of a file, which stays as it is. STORE_FAILED for a file
 * that is of another kind or no database; as lb_store_open read-only. */
LB_MUST lb_status lb_store_schema_found(const struct lb_store_schema *schema, const char *path,
                                        uint64_t *out_version);
/* lb_store_schema_raise does the steps that a file lacks, each in a transaction of its own, as the
 * program that keeps it does when it starts. VERSION_UNSUPPORTED, with nothing changed, for a file
 * of a newer version; as lb_store_open. */
LB_MUST lb_status lb_store_schema_raise(const struct lb_store_schema *schema, const char *path);

#endif
