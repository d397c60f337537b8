#include "adapters/postgres/postgres.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "adapters/postgres/inside.h"

#define SOURCE_ARENA_BYTES (8 * 1024 * 1024)
#define DEFAULT_CONNECT_MS 5000

static void postgres_close(struct lb_source *source)
{
    if (source == NULL)
        return;
    if (source->conn != NULL)
        PQfinish(source->conn);
    if (source->wake >= 0)
        (void)close(source->wake);
    lb_arena_free(source->arena);
    free(source);
}

static void postgres_closep(struct lb_source **source)
{
    postgres_close(*source);
}

static lb_status postgres_open(void *ctx, const struct lb_source_options *options,
                               struct lb_diag *diag, struct lb_source **out_source)
{
    (void)ctx;
    int64_t patience_ms = options->timeout_ms > 0 ? options->timeout_ms : DEFAULT_CONNECT_MS;
    int64_t until_ms = lb_postgres_now_ms() + patience_ms;
    struct lb_source LB_DEFER(postgres_closep) *source = calloc(1, sizeof(*source));
    LB_ENSURE(source != NULL, LB_NO_MEMORY, "memory is exhausted");
    source->stopping = options->stopping;
    source->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    source->arena = lb_arena_new(SOURCE_ARENA_BYTES);
    LB_ENSURE(source->wake >= 0 && source->arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(lb_postgres_connect(source, options, until_ms, diag));
    lb_status status = lb_postgres_check_account(source, until_ms, diag);
    enum lb_code code = lb_status_code(status);
    if (code == LB_SOURCE_TIMEOUT || code == LB_SOURCE_CHANGED) {
        lb_diag_set(diag, "the server did not say in time what its account may do; try again");
        LB_FAIL(LB_SOURCE_UNAVAILABLE, "the account can't be checked");
    }
    LB_TRY(status);
    *out_source = source;
    source = NULL;
    return LB_OK;
}

static void postgres_cancel(struct lb_source *source)
{
    const uint64_t one = 1;
    if (!atomic_load(&source->reading))
        return;
    atomic_store(&source->cancelled, true);
    ssize_t written = write(source->wake, &one, sizeof(one));
    (void)written;
}

const struct lb_source_plugin *lb_source_postgres(void)
{
    static const struct lb_source_plugin plugin = {
        .api_version = LB_SOURCE_API_VERSION,
        .name = "postgres",
        .open = postgres_open,
        .close = postgres_close,
        .prepare = lb_postgres_prepare,
        .read = lb_postgres_read,
        .cancel = postgres_cancel,
        .describe = lb_postgres_describe,
        .lookup = lb_postgres_lookup,
        .catalog = lb_postgres_catalog,
    };
    return &plugin;
}
