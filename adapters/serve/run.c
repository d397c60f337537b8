#include <stdatomic.h>
#include <string.h>

#include "adapters/serve/calendar.h"
#include "adapters/serve/job.h"
#include "adapters/serve/secrets.h"
#include "gateway/base/log.h"
#include "gateway/wire/pb.h"

/* Queries and operators: one query per view asked, one fact per want. What the database can't give
 * is a fact with a state of its own, never a missing line, and never a failure of the request: that
 * one subject has more rows than another must not show outside the seal. */

struct run {
    struct lb_read_job *job;
    struct lb_arena *rows_arena; /* the department's rows, gone once there are facts */
    char today[LB_DATE_BYTES];
    char this_month[LB_MONTH_BYTES];
    char from_month[LB_MONTH_BYTES];
    int minute;  /* of the week, for maintenance */
    struct lb_source_param params[4];
    struct lb_epoch_names names; /* of who is looked for, for the officer's station */
    struct lb_source_param question[LB_MAX_VIEWS_PER_SECTION][6];
    size_t num_queries;
    struct lb_serve_query queries[LB_MAX_VIEWS_PER_SECTION];
    struct lb_serve_rows rows[LB_MAX_VIEWS_PER_SECTION];
    struct lb_rows tables[LB_MAX_VIEWS_PER_SECTION]; /* the same for the engine */
};

static void set_params(struct run *run)
{
    lb_calendar_today(run->job->serve->options.clock, run->today);
    lb_calendar_month(run->today, 0, run->this_month);
    lb_calendar_month(run->today, 12, run->from_month);
    run->minute = lb_calendar_minute(run->job->serve->options.clock);
    run->params[0] = (struct lb_source_param){"id_no", lb_span_str(run->job->id_no)};
    run->params[1] = (struct lb_source_param){"today", lb_span_str(run->today)};
    run->params[2] = (struct lb_source_param){"this_month", lb_span_str(run->this_month)};
    run->params[3] = (struct lb_source_param){"from_month", lb_span_str(run->from_month)};
}

static size_t query_of(const struct run *run, size_t view)
{
    size_t i = 0;
    while (i < run->num_queries && run->queries[i].view != view)
        i++;
    return i;
}

static const struct lb_view *view_of(const struct run *run, size_t query)
{
    return run->job->serve->options.policy->views[run->queries[query].view];
}

/* The station is told no identity number, and sees for itself which grant it answers under. */
static void set_question(struct run *run, size_t query)
{
    const struct lb_read_job *job = run->job;
    struct lb_source_param *question = run->question[query];
    lb_serve_epochs_names(job->serve->epochs, lb_span_str(job->id_no), &run->names);
    question[0] = (struct lb_source_param){"txn", lb_pb_span(job->request->txn)};
    question[1] = (struct lb_source_param){"view", lb_span_str(view_of(run, query)->id)};
    question[2] = (struct lb_source_param){"purpose", lb_span_str(job->section.purpose)};
    question[3] = (struct lb_source_param){"grant", lb_span_str(job->request->grant)};
    question[4] = (struct lb_source_param){"section", lb_span_str(job->plain->section)};
    question[5] = (struct lb_source_param){
        "subjects", lb_span_of(run->names.names[0], run->names.num * sizeof(run->names.names[0]))};
    run->queries[query].params = question;
    run->queries[query].num_params = 6;
}

/* A view may give hundreds of columns: taken from the department's rows are those that the facts
 * asked are made of. */
static lb_status set_columns(const struct run *run, struct lb_serve_query *query)
{
    const struct lb_read_job *job = run->job;
    const char **columns = lb_arena_array(run->rows_arena, job->num_wants * 3, sizeof(*columns));
    LB_ENSURE(columns != NULL, LB_NO_MEMORY, "arena is full");
    query->columns = columns;
    for (size_t i = 0; i < job->num_wants; i++) {
        const struct lb_view_field *field = job->wants[i].field;
        const char *const names[] = {field->column, field->month, field->denominator};
        for (size_t n = 0; n < 3 && job->wants[i].view == query->view; n++)
            if (names[n] != NULL)
                columns[query->num_columns++] = names[n];
    }
    return LB_OK;
}

/* Each view of a source once: those that it is asked, or those that it is not to be asked at this
 * hour. */
static lb_status plan_queries(struct run *run, enum lb_view_source source, bool resting)
{
    const struct lb_read_job *job = run->job;
    for (size_t i = 0; i < job->num_wants; i++) {
        size_t view = job->wants[i].view;
        const struct lb_view *wanted = job->serve->options.policy->views[view];
        if (wanted->source != source || query_of(run, view) < run->num_queries ||
            (lb_view_pause_left(wanted, run->minute) > 0) != resting)
            continue;
        LB_ENSURE(run->num_queries < LB_MAX_VIEWS_PER_SECTION, LB_MALFORMED, "too many views");
        struct lb_serve_query *query = &run->queries[run->num_queries++];
        *query = (struct lb_serve_query){.view = view, .params = run->params, .num_params = 4};
        LB_TRY(set_columns(run, query));
    }
    return LB_OK;
}

/* The station may take seconds to answer, and only so many reads may wait for that: the others are
 * told at once. Whatever is wrong there is a state of these facts. */
static void ask_officer(struct run *run, size_t first, int64_t left_ms)
{
    struct lb_serve *serve = run->job->serve;
    size_t num = run->num_queries - first;
    lb_status status = LB_FAULT(LB_BUSY, "enough questions wait for the officer's station");
    if (num == 0)
        return;
    for (size_t i = first; i < run->num_queries; i++)
        set_question(run, i);
    if (atomic_fetch_add(&serve->num_asking, 1) < serve->options.num_officer)
        status = lb_serve_pool_read(serve->officer, &run->queries[first], num, left_ms,
                                    run->rows_arena, &run->rows[first]);
    (void)atomic_fetch_sub(&serve->num_asking, 1);
    for (size_t i = first; i < run->num_queries && status != LB_OK; i++)
        run->rows[i] = (struct lb_serve_rows){.status = status};
}

/* Made-up people stand in a database of their own; one that hangs holds up no other read. */
static void ask_drill(struct run *run, size_t first, int64_t left_ms)
{
    struct lb_serve *serve = run->job->serve;
    size_t num = run->num_queries - first;
    if (num == 0)
        return;
    lb_status status = lb_read_drilled_source(run->job);
    bool room = atomic_fetch_add(&serve->num_drilled, 1) < LB_SERVE_MAX_DRILLED;
    if (status == LB_OK && !room)
        status = LB_FAULT(LB_BUSY, "enough reads wait for the drill's database");
    if (status == LB_OK)
        status = lb_serve_pool_read(serve->drill, &run->queries[first], num, left_ms,
                                    run->rows_arena, &run->rows[first]);
    (void)atomic_fetch_sub(&serve->num_drilled, 1);
    for (size_t i = first; i < run->num_queries && status != LB_OK; i++)
        run->rows[i] = (struct lb_serve_rows){.status = status};
}

/* Others wait: what their time is too short for is begun again without them. */
static lb_status ask_database(struct run *run, int64_t left_ms)
{
    bool pressed = run->job->pressed;
    if (pressed && left_ms > LB_READ_PATIENCE_MS)
        left_ms = LB_READ_PATIENCE_MS;
    lb_status status = lb_serve_pool_read(run->job->serve->pool, run->queries, run->num_queries,
                                          left_ms, run->rows_arena, run->rows);
    bool late = lb_status_code(status) == LB_BUSY;
    for (size_t i = 0; status == LB_OK && i < run->num_queries; i++)
        late = late || lb_status_code(run->rows[i].status) == LB_SOURCE_TIMEOUT;
    LB_ENSURE(!pressed || !late, LB_SOURCE_TIMEOUT, "to be asked again alone");
    return status;
}

static lb_status query_views(struct run *run)
{
    const struct lb_read_job *job = run->job;
    const struct lb_clock *clock = job->serve->options.clock;
    int64_t until_ms = job->request->deadline_unix_ms;
    int64_t left_ms = until_ms - lb_clock_unix_ms(clock);
    LB_ENSURE(left_ms > 0, LB_DEADLINE, "deadline passed before the query");
    LB_TRY(plan_queries(run, LB_VIEW_DATABASE, false));
    size_t num = run->num_queries;
    if (num > 0)
        LB_TRY(ask_database(run, left_ms));
    LB_TRY(plan_queries(run, LB_VIEW_DATABASE, true));
    LB_TRY(plan_queries(run, LB_VIEW_DRILL, true));
    for (; num < run->num_queries; num++)
        run->rows[num].status = LB_FAULT(LB_SOURCE_MAINTENANCE, "not to be asked at this hour");
    LB_TRY(plan_queries(run, LB_VIEW_DRILL, false));
    ask_drill(run, num, until_ms - lb_clock_unix_ms(clock));
    num = run->num_queries;
    LB_TRY(plan_queries(run, LB_VIEW_OFFICER, false));
    ask_officer(run, num, until_ms - lb_clock_unix_ms(clock));
    return LB_OK;
}

static Lianban__V1__Fact__State failed_state(enum lb_code code)
{
    switch (code) {
    case LB_AMBIGUOUS:
        return LIANBAN__V1__FACT__STATE__AMBIGUOUS;
    case LB_SOURCE_TIMEOUT:
        return LIANBAN__V1__FACT__STATE__TIMEOUT;
    default:
        return LIANBAN__V1__FACT__STATE__UNAVAILABLE;
    }
}

/* What is known of a fact that is not there, beyond its state. */
static void set_why(const struct run *run, size_t view, enum lb_code code, Lianban__V1__Fact *wire)
{
    int64_t now = lb_clock_unix_s(run->job->serve->options.clock);
    wire->state = failed_state(code);
    if (code == LB_CODE_UNMAPPED)
        wire->why = LIANBAN__V1__FACT__WHY__CODE;
    if (code != LB_SOURCE_MAINTENANCE)
        return;
    wire->why = LIANBAN__V1__FACT__WHY__MAINTENANCE;
    wire->again_unix_s =
        now - now % 60 +
        60 * lb_view_pause_left(run->job->serve->options.policy->views[view], run->minute);
}

static bool is_stale(const struct run *run, const struct lb_view *view, const char *as_of)
{
    int64_t days = 0;
    if (view->freshness_days == 0)
        return false;
    return !lb_calendar_days(lb_span_str(as_of), run->today, &days) || days > view->freshness_days;
}

static lb_status find_column(const struct lb_source_result *result, const char *name, size_t *out)
{
    for (size_t i = 0; i < result->num_columns; i++) {
        if (strcmp(result->columns[i], name) == 0) {
            *out = i;
            return LB_OK;
        }
    }
    LB_FAIL(LB_SOURCE_UNAVAILABLE, "the query no longer gives a column the view names");
}

/* The source's cells are the engine's by meaning; sources stay ignorant of the engine. */
static lb_status to_rows(const struct lb_source_result *result, struct lb_arena *arena,
                         struct lb_rows *out)
{
    size_t num = result->num_rows * result->num_columns;
    struct lb_cell *cells = lb_arena_array(arena, num, sizeof(*cells));
    LB_ENSURE(cells != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < num; i++) {
        const struct lb_source_cell *from = &result->cells[i];
        cells[i] = (struct lb_cell){
            .kind = from->kind == LB_SOURCE_INT    ? LB_CELL_INT
                    : from->kind == LB_SOURCE_TEXT ? LB_CELL_TEXT
                                                   : LB_CELL_NULL,
            .number = from->number,
            .text = from->text,
        };
    }
    *out = (struct lb_rows){result->num_columns, result->columns, result->num_rows, cells};
    return LB_OK;
}

static lb_status apply(const struct run *run, const struct lb_read_want *want,
                       const struct lb_source_result *result, struct lb_fact *out)
{
    const struct lb_serve_policy *policy = run->job->serve->options.policy;
    const struct lb_view *view = policy->views[want->view];
    struct lb_span claim[LB_MAX_CLAIM_VALUES];
    LB_DEFER(lb_serve_wipe_op_keys) struct lb_serve_op_keys keys = {0};
    LB_TRY(lb_serve_op_keys(run->job, want, run->today, &keys));
    struct lb_op_input input = {
        .rows = &run->tables[query_of(run, want->view)],
        .column = SIZE_MAX,
        .month_column = SIZE_MAX,
        .denominator_column = SIZE_MAX,
        .type = want->field->type,
        .many = view->many,
        .complete = view->complete,
        .rules = policy->rules,
        .claim = claim,
        .num_claim = want->wire->n_claim,
        .today = run->today,
        .secrets = &keys.secrets,
    };
    if (want->field->column != NULL)
        LB_TRY(find_column(result, want->field->column, &input.column));
    if (want->field->month != NULL)
        LB_TRY(find_column(result, want->field->month, &input.month_column));
    if (want->field->denominator != NULL)
        LB_TRY(find_column(result, want->field->denominator, &input.denominator_column));
    struct lb_rows mapped;
    if (want->field->num_codes > 0 || want->field->empty != NULL) {
        LB_TRY(lb_view_map_codes(want->field, input.rows, input.column, run->rows_arena, &mapped));
        input.rows = &mapped;
    }
    for (size_t i = 0; i < want->wire->n_claim; i++)
        claim[i] = lb_span_str(want->wire->claim[i]);
    LB_TRY(lb_op_apply(&want->call, &input, run->rows_arena, out));
    if (want->call.op == LB_OP_SHARE)
        LB_TRY(lb_read_share_mask(run->job, want, out));
    LB_ENSURE(out->state != LB_FACT_OK || out->kind != LB_FACT_TEXT ||
                  out->text.len <= lb_op_max_text(want->call.op),
              LB_SOURCE_UNAVAILABLE, "a value is longer than allowed");
    return LB_OK;
}

static lb_status set_value(struct lb_read_job *job, const struct lb_fact *fact,
                           Lianban__V1__Fact *wire)
{
    wire->state = (Lianban__V1__Fact__State)fact->state;
    if (fact->state != LB_FACT_OK)
        return LB_OK;
    wire->kind = (Lianban__V1__Fact__Kind)fact->kind;
    wire->truth = fact->kind == LB_FACT_TRUTH && fact->truth;
    wire->number = fact->kind == LB_FACT_NUMBER ? fact->number : 0;
    if (fact->kind == LB_FACT_TEXT) {
        wire->text = lb_arena_str(job->arena, fact->text);
        LB_ENSURE(wire->text != NULL, LB_NO_MEMORY, "arena is full");
    }
    return LB_OK;
}

static lb_status fill_fact(const struct run *run, const struct lb_read_want *want,
                           Lianban__V1__Fact *wire)
{
    const struct lb_serve_policy *policy = run->job->serve->options.policy;
    const struct lb_serve_rows *rows = &run->rows[query_of(run, want->view)];
    wire->rules_version = lb_rules_version(policy->rules);
    if (rows->status != LB_OK) {
        set_why(run, want->view, rows->status->code, wire);
        return LB_OK;
    }
    wire->as_of = lb_arena_str(run->job->arena, lb_span_str(rows->as_of));
    LB_ENSURE(wire->as_of != NULL, LB_NO_MEMORY, "arena is full");
    if (is_stale(run, policy->views[want->view], rows->as_of)) {
        wire->state = LIANBAN__V1__FACT__STATE__STALE;
        return LB_OK;
    }
    struct lb_fact fact;
    lb_status status = apply(run, want, &rows->result, &fact);
    if (status != LB_OK) {
        lb_log_failure("fact_failed", status);
        set_why(run, want->view, status->code, wire);
        return LB_OK;
    }
    return set_value(run->job, &fact, wire);
}

static void make_tables(struct run *run)
{
    for (size_t i = 0; i < run->num_queries; i++) {
        struct lb_serve_rows *rows = &run->rows[i];
        if (rows->status == LB_OK)
            rows->status = to_rows(&rows->result, run->rows_arena, &run->tables[i]);
    }
}

lb_status lb_read_run(struct lb_read_job *job)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *rows_arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    LB_ENSURE(rows_arena != NULL, LB_NO_MEMORY, "rows");
    struct run run = {.job = job, .rows_arena = rows_arena};
    struct lb_meter *meter = job->serve->options.meter;
    int64_t at = lb_meter_now(meter);
    set_params(&run);
    LB_TRY(query_views(&run));
    at = lb_meter_took(meter, LB_METER_QUERY, at);
    make_tables(&run);
    job->facts = lb_arena_array(job->arena, job->num_wants, sizeof(job->facts[0]));
    LB_ENSURE(job->facts != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < job->num_wants; i++) {
        const struct lb_read_want *want = &job->wants[i];
        Lianban__V1__Fact *wire = lb_arena_alloc(job->arena, sizeof(*wire));
        LB_ENSURE(wire != NULL, LB_NO_MEMORY, "arena is full");
        lianban__v1__fact__init(wire);
        wire->view = want->wire->view;
        wire->field = want->wire->field;
        wire->operator_ = want->wire->operator_;
        wire->n_args = want->wire->n_args;
        wire->args = want->wire->args;
        LB_TRY(fill_fact(&run, want, wire));
        job->facts[i] = wire;
    }
    (void)lb_meter_took(meter, LB_METER_SHAPE, at);
    return LB_OK;
}
