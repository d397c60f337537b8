#include "adapters/odbc/odbc.h"

#include <stdio.h>
#include <stdlib.h>

#include "adapters/odbc/inside.h"
#include "gateway/base/limits.h"

#define SOURCE_ARENA_BYTES (8 * 1024 * 1024)
#define DEFAULT_CONNECT_MS 5000
#define PREPARE_MS 10000
#define LOOK_MS 60000

struct lb_source {
    struct lb_odbc_lane *lane;
    struct lb_odbc_core *core;  /* the lane's; touched between _begin and _run alone */
    bool spent;                 /* drivers are not to be relied on after a query was ended */
};

static void odbc_close(struct lb_source *source)
{
    if (source == NULL)
        return;
    lb_odbc_lane_release(source->lane);
    free(source);
}

static lb_status make_core(const struct lb_source_options *options, struct lb_diag *diag,
                           struct lb_odbc_core **out_core)
{
    struct lb_odbc_core *core = calloc(1, sizeof(*core));
    LB_ENSURE(core != NULL, LB_NO_MEMORY, "memory is exhausted");
    core->read_only_checked =
        options->read_only_checked != NULL && options->read_only_checked[0] != 0;
    core->arena = lb_arena_new(SOURCE_ARENA_BYTES);
    core->rows_arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    lb_status status = core->arena == NULL || core->rows_arena == NULL
                           ? LB_FAULT(LB_NO_MEMORY, "memory is exhausted")
                           : lb_odbc_location(options, diag, &core->location);
    if (status != LB_OK) {
        lb_odbc_core_free(core);
        return status;
    }
    *out_core = core;
    return LB_OK;
}

static lb_status make_source(const struct lb_source_options *options, struct lb_diag *diag,
                             struct lb_source **out_source)
{
    struct lb_odbc_core *core = NULL;
    LB_TRY(make_core(options, diag, &core));
    struct lb_source *source = calloc(1, sizeof(*source));
    lb_status status = source == NULL ? LB_FAULT(LB_NO_MEMORY, "memory is exhausted")
                                      : lb_odbc_lane_new(core, lb_odbc_core_free,
                                                         options->stopping, &source->lane);
    if (status != LB_OK) {
        free(source);
        lb_odbc_core_free(core);
        return status;
    }
    source->core = core;
    *out_source = source;
    return LB_OK;
}

static lb_status odbc_open(void *ctx, const struct lb_source_options *options,
                           struct lb_diag *diag, struct lb_source **out_source)
{
    struct lb_source *source = NULL;
    (void)ctx;
    int64_t patience_ms = options->timeout_ms > 0 ? options->timeout_ms : DEFAULT_CONNECT_MS;
    LB_TRY(make_source(options, diag, &source));
    lb_status status =
        lb_odbc_lane_run(source->lane, lb_odbc_work_connect, lb_odbc_now_ms() + patience_ms);
    if (status == LB_OK) {
        *out_source = source;
        return LB_OK;
    }
    bool late = lb_status_code(status) == LB_SOURCE_TIMEOUT;
    if (lb_odbc_lane_idle(source->lane))
        *diag = source->core->said;
    if (diag->text[0] == 0)
        lb_diag_set(diag, "%s; check that it runs", status->what);
    odbc_close(source);
    LB_ENSURE(!late, LB_SOURCE_UNAVAILABLE, "the database did not answer in time");
    return status;
}

/* The work may go on when its caller is gone. */
static lb_status copy_query(struct lb_odbc_core *core, const struct lb_source_query *query)
{
    struct lb_source_column *columns =
        lb_arena_array(core->arena, query->num_columns + 1, sizeof(*columns));
    core->query = *query;
    core->query.text = lb_arena_str(core->arena, lb_span_str(query->text));
    LB_ENSURE(columns != NULL && core->query.text != NULL, LB_NO_MEMORY, "arena full");
    for (size_t i = 0; i < query->num_columns; i++) {
        columns[i] = query->columns[i];
        columns[i].name = lb_arena_str(core->arena, lb_span_str(query->columns[i].name));
        LB_ENSURE(columns[i].name != NULL, LB_NO_MEMORY, "arena full");
    }
    core->query.columns = columns;
    return LB_OK;
}

static lb_status odbc_prepare(struct lb_source *source, const struct lb_source_query *query,
                              struct lb_diag *diag, struct lb_source_stmt **out_stmt)
{
    struct lb_odbc_core *core = source->core;
    int64_t until_ms = lb_odbc_now_ms() + PREPARE_MS;
    LB_TRY(lb_odbc_lane_begin(source->lane, until_ms));
    struct lb_source_stmt *stmt = lb_arena_alloc(core->arena, sizeof(*stmt));
    LB_ENSURE(stmt != NULL, LB_NO_MEMORY, "arena full");
    stmt->source = source;
    stmt->core = core;
    core->stmt = stmt;
    LB_TRY(copy_query(core, query));
    stmt->query = core->query.text;
    core->said.text[0] = 0;
    lb_status status = lb_odbc_lane_run(source->lane, lb_odbc_work_prepare, until_ms);
    if (status != LB_OK) {
        if (lb_status_code(status) == LB_CONFIG_INVALID)
            *diag = core->said;
        return status;
    }
    *out_stmt = stmt;
    return LB_OK;
}

static lb_status fill_values(struct lb_source_stmt *stmt, const struct lb_source_param *params,
                             size_t num_params)
{
    struct lb_odbc_core *core = stmt->core;
    for (size_t i = 0; i < stmt->text.num_marks; i++) {
        const struct lb_source_param *param =
            lb_source_find_param(params, num_params, stmt->text.names[i]);
        LB_ENSURE(param != NULL, LB_INTERNAL, "the caller lacks a parameter of the query");
        LB_ENSURE(param->value.len < LB_ODBC_PARAM_BYTES, LB_INTERNAL, "parameter is too long");
        memset(core->values[i], 0, LB_ODBC_PARAM_BYTES);
        if (param->value.len > 0)
            memcpy(core->values[i], param->value.ptr, param->value.len);
        core->lengths[i] = (SQLLEN)param->value.len;
    }
    return LB_OK;
}

/* The lane may still be at it when nobody waits any more: what it looks at is its own. */
static lb_status fill_taken(struct lb_odbc_core *core, const struct lb_source_taken *taken)
{
    core->taken = lb_arena_array(core->rows_arena, taken->num, sizeof(*core->taken));
    LB_ENSURE(core->taken != NULL, LB_NO_MEMORY, "arena full");
    if (taken->num > 0)
        memcpy(core->taken, taken->at, taken->num * sizeof(*core->taken));
    return LB_OK;
}

static lb_status copy_result(const struct lb_source_stmt *stmt, const struct lb_source_taken *taken,
                             struct lb_arena *arena, struct lb_source_result *out)
{
    const struct lb_source_rows *rows = &stmt->core->rows;
    size_t num = rows->num * taken->num;
    struct lb_source_cell *cells = lb_arena_array(arena, num, sizeof(*cells));
    LB_ENSURE(cells != NULL, LB_NO_MEMORY, "arena full");
    for (size_t i = 0; i < num; i++) {
        cells[i] = rows->cells[i];
        if (cells[i].kind == LB_SOURCE_TEXT)
            LB_TRY(lb_arena_copy(arena, rows->cells[i].text, &cells[i].text));
    }
    *out = (struct lb_source_result){taken->num, taken->names, rows->num, cells};
    return LB_OK;
}

static lb_status odbc_read(struct lb_source_stmt *stmt, const struct lb_source_param *params,
                           size_t num_params, const struct lb_source_limits *limits,
                           struct lb_arena *arena, struct lb_source_result *out_result)
{
    struct lb_source *source = stmt->source;
    struct lb_odbc_core *core = stmt->core;
    struct lb_source_taken taken;
    int64_t until_ms = lb_odbc_now_ms() + limits->timeout_ms;
    LB_ENSURE(limits->timeout_ms > 0, LB_SOURCE_TIMEOUT, "no time is left for the query");
    LB_ENSURE(!source->spent, LB_SOURCE_UNAVAILABLE, "an earlier read was given up");
    LB_TRY(lb_source_columns_take(&stmt->given, limits, arena, &taken));
    LB_TRY(lb_odbc_lane_begin(source->lane, until_ms));
    LB_TRY(fill_values(stmt, params, num_params));
    lb_arena_reset(core->rows_arena);
    LB_TRY(fill_taken(core, &taken));
    core->stmt = stmt;
    core->max_rows = limits->max_rows;
    core->timeout_ms = limits->timeout_ms;
    core->rows = (struct lb_source_rows){.num_columns = taken.num,
                                         .max_rows = limits->max_rows,
                                         .arena = core->rows_arena};
    lb_status status = lb_odbc_lane_run(source->lane, lb_odbc_work_read, until_ms);
    if (lb_status_code(status) == LB_SOURCE_TIMEOUT) {
        source->spent = true;
        lb_odbc_lane_aside(source->lane, lb_odbc_work_cancel);
    }
    LB_TRY(status);
    return copy_result(stmt, &taken, arena, out_result);
}

static void odbc_cancel(struct lb_source *source)
{
    lb_odbc_lane_cancel(source->lane);
}

static lb_status odbc_describe(struct lb_source_stmt *stmt, struct lb_arena *arena,
                               struct lb_source_shape *out_shape)
{
    const char **types = lb_arena_array(arena, stmt->given.num, sizeof(*types));
    LB_ENSURE(types != NULL, LB_NO_MEMORY, "arena full");
    for (size_t i = 0; i < stmt->given.num; i++)
        LB_TRY(lb_odbc_type_name(&stmt->columns[i], arena, &types[i]));
    *out_shape = (struct lb_source_shape){stmt->given.num, stmt->given.names, types};
    return LB_OK;
}

static lb_status odbc_lookup(struct lb_source_stmt *stmt, enum lb_source_lookup *out_lookup)
{
    struct lb_odbc_lane *lane = stmt->source->lane;
    int64_t until_ms = lb_odbc_now_ms() + LOOK_MS;
    LB_TRY(lb_odbc_lane_begin(lane, until_ms));
    stmt->core->stmt = stmt;
    LB_TRY(lb_odbc_lane_run(lane, lb_odbc_work_lookup, until_ms));
    *out_lookup = stmt->core->lookup;
    return LB_OK;
}

static lb_status copy_name(const char *name, struct lb_arena *arena, const char **out)
{
    *out = lb_arena_str(arena, lb_span_str(name));
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena full");
    return LB_OK;
}

static lb_status copy_catalog(const struct lb_source_catalog *from, struct lb_arena *arena,
                              struct lb_source_catalog *out)
{
    struct lb_source_listed *columns = lb_arena_array(arena, from->num + 1, sizeof(*columns));
    LB_ENSURE(columns != NULL, LB_NO_MEMORY, "arena full");
    for (size_t i = 0; i < from->num; i++) {
        columns[i] = from->columns[i];
        LB_TRY(copy_name(from->columns[i].schema, arena, &columns[i].schema));
        LB_TRY(copy_name(from->columns[i].table, arena, &columns[i].table));
        LB_TRY(copy_name(from->columns[i].column, arena, &columns[i].column));
        LB_TRY(copy_name(from->columns[i].type, arena, &columns[i].type));
    }
    *out = (struct lb_source_catalog){.num = from->num, .columns = columns};
    return copy_name(from->quote, arena, &out->quote);
}

static lb_status odbc_catalog(struct lb_source *source, struct lb_arena *arena,
                              struct lb_source_catalog *out_catalog)
{
    int64_t until_ms = lb_odbc_now_ms() + LOOK_MS;
    struct lb_source_catalog catalog;
    LB_TRY(lb_odbc_lane_begin(source->lane, until_ms));
    LB_TRY(lb_odbc_lane_run(source->lane, lb_odbc_work_catalog, until_ms));
    LB_TRY(copy_catalog(&source->core->catalog, arena, &catalog));
    *out_catalog = catalog;
    return LB_OK;
}

const struct lb_source_plugin *lb_source_odbc(void)
{
    static const struct lb_source_plugin plugin = {
        .api_version = LB_SOURCE_API_VERSION,
        .name = "odbc",
        .open = odbc_open,
        .close = odbc_close,
        .prepare = odbc_prepare,
        .read = odbc_read,
        .cancel = odbc_cancel,
        .describe = odbc_describe,
        .lookup = odbc_lookup,
        .catalog = odbc_catalog,
    };
    return &plugin;
}
