#include "adapters/officer/officer.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/limits.h"
#include "gateway/base/log.h"

#define QUERY "accesses"

static const char *const columns[] = {"access"};

struct lb_source_stmt {
    struct lb_officer_asker *asker;
};

struct lb_source {
    struct lb_officer_asker *asker;
    struct lb_source_stmt stmt;
};

static lb_status officer_open(void *ctx, const struct lb_source_options *options,
                              struct lb_diag *diag, struct lb_source **out_source)
{
    struct lb_source *source = calloc(1, sizeof(*source));
    (void)options;
    (void)diag;
    LB_ENSURE(source != NULL, LB_NO_MEMORY, "memory is exhausted");
    lb_status status = lb_officer_asker_new(ctx, &source->asker);
    if (status != LB_OK) {
        free(source);
        return status;
    }
    source->stmt.asker = source->asker;
    *out_source = source;
    return LB_OK;
}

static void officer_close(struct lb_source *source)
{
    lb_officer_asker_free(source->asker);
    free(source);
}

static lb_status officer_prepare(struct lb_source *source, const struct lb_source_query *query,
                                 struct lb_diag *diag, struct lb_source_stmt **out_stmt)
{
    if (strcmp(query->text, QUERY) != 0) {
        lb_diag_set(diag, "the officer's station knows no query but \"" QUERY "\"");
        LB_FAIL(LB_CONFIG_INVALID, "query that the officer's station does not know");
    }
    *out_stmt = &source->stmt;
    return LB_OK;
}

static lb_status need(const struct lb_source_param *params, size_t num, const char *name,
                      struct lb_span *out)
{
    for (size_t i = 0; i < num; i++) {
        if (strcmp(params[i].name, name) != 0)
            continue;
        *out = params[i].value;
        return LB_OK;
    }
    LB_FAIL(LB_INTERNAL, "the caller lacks a parameter of the question");
}

static lb_status make_question(const struct lb_source_param *params, size_t num,
                               const struct lb_source_limits *limits,
                               struct lb_officer_question *out)
{
    *out = (struct lb_officer_question){.max_lines = limits->max_rows,
                                        .max_bytes = LB_MAX_LIST_BYTES};
    LB_TRY(need(params, num, "txn", &out->txn));
    LB_TRY(need(params, num, "view", &out->view));
    LB_TRY(need(params, num, "purpose", &out->purpose));
    LB_TRY(need(params, num, "grant", &out->grant));
    LB_TRY(need(params, num, "section", &out->section));
    return need(params, num, "subjects", &out->subjects);
}

static lb_status officer_read(struct lb_source_stmt *stmt, const struct lb_source_param *params,
                              size_t num_params, const struct lb_source_limits *limits,
                              struct lb_arena *arena, struct lb_source_result *out_result)
{
    struct lb_officer_question question;
    struct lb_officer_answer answer = {0, NULL};
    LB_TRY(make_question(params, num_params, limits, &question));
    lb_status status = lb_officer_ask(stmt->asker, &question, limits->timeout_ms, arena, &answer);
    if (status != LB_OK)
        lb_log_failure("officer_not_asked", status);
    LB_TRY(status);
    struct lb_source_cell *cells = lb_arena_array(arena, answer.num_lines, sizeof(*cells));
    LB_ENSURE(cells != NULL, LB_NO_MEMORY, "arena full");
    for (size_t i = 0; i < answer.num_lines; i++)
        cells[i] = (struct lb_source_cell){.kind = LB_SOURCE_TEXT, .text = answer.lines[i]};
    *out_result = (struct lb_source_result){
        .num_columns = 1, .columns = columns, .num_rows = answer.num_lines, .cells = cells};
    return LB_OK;
}

static void officer_cancel(struct lb_source *source)
{
    lb_officer_cancel(source->asker);
}

struct lb_source_plugin lb_source_officer(struct lb_officer_questions *questions)
{
    return (struct lb_source_plugin){
        .api_version = LB_SOURCE_API_VERSION,
        .name = "officer",
        .ctx = questions,
        .open = officer_open,
        .close = officer_close,
        .prepare = officer_prepare,
        .read = officer_read,
        .cancel = officer_cancel,
    };
}
