#include "gateway/store/schema.h"

#define BUSY_TIMEOUT_MS 5000

uint64_t lb_store_schema_steps(const struct lb_store_schema *schema)
{
    uint64_t steps = 0;
    while (schema->migrations[steps] != NULL)
        steps++;
    return steps;
}

static lb_status read_version(struct lb_store *store, uint64_t *out_version)
{
    struct lb_stmt *stmt = NULL;
    bool row = false;
    LB_TRY(lb_stmt_prepare(store, "PRAGMA user_version", &stmt));
    LB_TRY(lb_stmt_step(stmt, &row));
    LB_ENSURE(row && lb_stmt_int(stmt, 0) >= 0, LB_STORE_FAILED, "a store without a version");
    *out_version = (uint64_t)lb_stmt_int(stmt, 0);
    return LB_OK;
}

lb_status lb_store_schema_found(const struct lb_store_schema *schema, const char *path,
                                uint64_t *out_version)
{
    const struct lb_store_options options = {.path = path,
                                             .application_id = schema->application_id,
                                             .read_only = true,
                                             .busy_timeout_ms = BUSY_TIMEOUT_MS};
    LB_DEFER(lb_store_closep) struct lb_store *store = NULL;
    LB_TRY(lb_store_open(&options, &store));
    return read_version(store, out_version);
}

lb_status lb_store_schema_raise(const struct lb_store_schema *schema, const char *path)
{
    const struct lb_store_options options = {.path = path,
                                             .migrations = schema->migrations,
                                             .application_id = schema->application_id,
                                             .busy_timeout_ms = BUSY_TIMEOUT_MS};
    LB_DEFER(lb_store_closep) struct lb_store *store = NULL;
    return lb_store_open(&options, &store);
}
