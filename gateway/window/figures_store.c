#include <stdio.h>

#include "gateway/window/figures.h"
#include "gateway/window/standing.h"

/* Leaders' figures as they are counted and kept. */

#define DAY_S INT64_C(86400)
#define MAX_ROWS 256U

/* --- one case --- */

static void count_facts(const struct lb_window_case *entry, struct lb_figures *out)
{
    const struct lb_form *form = entry->form->form;
    for (size_t i = 0; i < entry->num_members; i++) {
        for (size_t k = 0; k < form->num_facts; k++) {
            if (!lb_case_asked(entry, i, k))
                continue;
            bool ok = entry->members[i].facts[k].value.state == LB_FACT_OK;
            out->facts++;
            out->prefilled += ok ? 1 : 0;
            out->saved += ok && form->facts[k].saves.zh != NULL ? 1 : 0;
        }
    }
}

static void count_decision(const struct lb_window_case *entry, struct lb_figures *out)
{
    const struct lb_case_decision decision = lb_case_decided(entry);
    if (decision.record == 0)
        return;
    const struct lb_case_record *record = lb_records_at(&entry->records, decision.record);
    int64_t taken = record->at_unix_s - entry->opened_unix_s;
    out->decided = 1;
    out->departed = lb_record_is(record, "departs", "yes") ? 1 : 0;
    out->days = entry->opened_unix_s > 0 && taken > 0 ? taken / DAY_S : 0;
}

/* A case was left to a person when the rules came to nothing, or only by what a person added. */
bool lb_figures_of(const struct lb_window_case *entry, struct lb_case_figures *out)
{
    char day[LB_CASE_DATE_BYTES];
    if (!entry->decided)
        return false;
    *out = (struct lb_case_figures){.form = entry->form->form->id, .figures = {.cases = 1}};
    lb_case_day(lb_clock_unix_s(entry->window->options.clock), day);
    (void)snprintf(out->month, sizeof(out->month), "%.7s", day);
    count_facts(entry, &out->figures);
    bool manual = strcmp(entry->class_id, lb_window_manual.id) == 0;
    out->figures.manual =
        manual || lb_records_newest(&entry->records, LB_RECORD_FACT) > 0 ? 1 : 0;
    count_decision(entry, &out->figures);
    return true;
}

/* --- the table --- */

static lb_status bind(struct lb_stmt *stmt, const struct lb_case_figures *figures)
{
    const struct lb_figures *f = &figures->figures;
    const int64_t numbers[] = {f->cases,  f->facts,   f->prefilled, f->saved,
                               f->manual, f->decided, f->departed,  f->days};
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(figures->month)));
    LB_TRY(lb_stmt_bind_text(stmt, 2, lb_span_str(figures->form)));
    for (int i = 0; i < 8; i++)
        LB_TRY(lb_stmt_bind_int(stmt, i + 3, numbers[i]));
    return LB_OK;
}

lb_status lb_figures_add(struct lb_store *store, const struct lb_case_figures *figures)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(lb_stmt_prepare(
        store,
        "INSERT INTO figures VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
        " ON CONFLICT(month, form) DO UPDATE SET cases = cases + excluded.cases,"
        " facts = facts + excluded.facts, prefilled = prefilled + excluded.prefilled,"
        " saved = saved + excluded.saved, manual = manual + excluded.manual,"
        " decided = decided + excluded.decided, departed = departed + excluded.departed,"
        " days = days + excluded.days",
        &stmt));
    lb_status status = bind(stmt, figures);
    if (status == LB_OK)
        status = lb_stmt_run(stmt);
    lb_stmt_free(stmt);
    return status;
}

static lb_status take_row(const struct lb_stmt *select, struct lb_arena *arena,
                          struct lb_figures_row *out)
{
    out->form = lb_arena_str(arena, lb_stmt_text(select, 0));
    LB_ENSURE(out->form != NULL, LB_NO_MEMORY, "arena is full");
    out->figures = (struct lb_figures){
        .cases = lb_stmt_int(select, 1),     .facts = lb_stmt_int(select, 2),
        .prefilled = lb_stmt_int(select, 3), .saved = lb_stmt_int(select, 4),
        .manual = lb_stmt_int(select, 5),    .decided = lb_stmt_int(select, 6),
        .departed = lb_stmt_int(select, 7),  .days = lb_stmt_int(select, 8),
    };
    return LB_OK;
}

static lb_status read_rows(struct lb_stmt *select, const char *month, struct lb_arena *arena,
                           struct lb_figures_row *rows, size_t *out_num)
{
    bool row = false;
    LB_TRY(lb_stmt_bind_text(select, 1, lb_span_str(month)));
    LB_TRY(lb_stmt_step(select, &row));
    for (*out_num = 0; row && *out_num < MAX_ROWS; (*out_num)++) {
        LB_TRY(take_row(select, arena, &rows[*out_num]));
        LB_TRY(lb_stmt_step(select, &row));
    }
    LB_ENSURE(!row, LB_TOO_LARGE, "more forms than any window has");
    return LB_OK;
}

lb_status lb_figures_read(struct lb_store *store, const char *month, struct lb_arena *arena,
                          struct lb_figures_row **out_rows, size_t *out_num)
{
    struct lb_stmt *select = NULL;
    struct lb_figures_row *rows = lb_arena_array(arena, MAX_ROWS, sizeof(*rows));
    LB_ENSURE(rows != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_stmt_prepare(store,
                           "SELECT form, cases, facts, prefilled, saved, manual, decided,"
                           " departed, days FROM figures WHERE month = ?1 ORDER BY form",
                           &select));
    lb_status status = read_rows(select, month, arena, rows, out_num);
    lb_stmt_free(select);
    LB_TRY(status);
    *out_rows = rows;
    return LB_OK;
}
