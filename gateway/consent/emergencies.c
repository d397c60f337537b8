#include "gateway/consent/records.h"

/* Emergencies in the office's store. */

lb_status lb_consent_emergency_add(struct lb_consent_store *store, const char *day,
                                   const struct lb_consent_emergency_row *row)
{
    const char *const texts[] = {row->grant_id, row->request, row->form, row->case_id, row->role,
                                 row->requester, row->reason, row->desk, row->officer};
    struct lb_stmt *stmt = lb_consent_stmt(store, LB_SQL_ADD_EMERGENCY);
    for (int i = 0; i < 9; i++)
        LB_TRY(lb_stmt_bind_text(stmt, i + 1, lb_span_str(texts[i])));
    LB_TRY(lb_consent_bind_32(stmt, 10, row->subject));
    LB_TRY(lb_consent_bind_32(stmt, 11, row->other));
    LB_TRY(lb_stmt_bind_text(stmt, 12, lb_span_str(day)));
    LB_TRY(lb_stmt_bind_int(stmt, 13, row->issued_unix_s));
    LB_TRY(lb_stmt_bind_int(stmt, 14, row->due_unix_s));
    return lb_stmt_run(stmt);
}

lb_status lb_consent_emergency_count(struct lb_consent_store *store, const char *day,
                                     const char *officer, int64_t *out_own, int64_t *out_all)
{
    struct lb_stmt *stmt = lb_consent_stmt(store, LB_SQL_COUNT_EMERGENCIES);
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(day)));
    LB_TRY(lb_stmt_bind_text(stmt, 2, lb_span_str(officer)));
    return lb_consent_two(stmt, out_own, out_all);
}

static lb_status one_number(struct lb_stmt *stmt, int64_t *out_num)
{
    lb_status status = lb_consent_row(stmt);
    if (status == LB_OK)
        *out_num = lb_stmt_int(stmt, 0);
    lb_stmt_reset(stmt);
    return status;
}

lb_status lb_consent_emergency_overdue(struct lb_consent_store *store, int64_t now_unix_s,
                                       int64_t *out_num)
{
    struct lb_stmt *stmt = lb_consent_stmt(store, LB_SQL_COUNT_OVERDUE);
    LB_TRY(lb_stmt_bind_int(stmt, 1, now_unix_s));
    return one_number(stmt, out_num);
}

lb_status lb_consent_emergency_open(struct lb_consent_store *store, const uint8_t subject[32],
                                    const char *case_id, int64_t *out_num)
{
    struct lb_stmt *stmt = lb_consent_stmt(store, LB_SQL_COUNT_OPEN);
    LB_TRY(lb_consent_bind_32(stmt, 1, subject));
    LB_TRY(lb_stmt_bind_text(stmt, 2, lb_span_str(case_id)));
    return one_number(stmt, out_num);
}

static lb_status read_row(const struct lb_stmt *stmt, struct lb_arena *arena,
                          struct lb_consent_emergency_row *row)
{
    const char **const texts[] = {&row->grant_id,  &row->request, &row->form,
                                  &row->case_id,   &row->role,    &row->requester,
                                  &row->reason,    &row->desk,    &row->officer};
    for (int i = 0; i < 9; i++)
        LB_TRY(lb_consent_column_text(stmt, i, arena, texts[i]));
    LB_TRY(lb_consent_column_32(stmt, 9, row->subject));
    LB_TRY(lb_consent_column_32(stmt, 10, row->other));
    row->issued_unix_s = lb_stmt_int(stmt, 11);
    row->due_unix_s = lb_stmt_int(stmt, 12);
    return LB_OK;
}

lb_status lb_consent_emergency_find(struct lb_consent_store *store, const char *grant_id,
                                    struct lb_arena *arena,
                                    struct lb_consent_emergency_row *out_row)
{
    struct lb_consent_emergency_row row = {0};
    struct lb_stmt *stmt = lb_consent_stmt(store, LB_SQL_FIND_EMERGENCY);
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(grant_id)));
    lb_status status = lb_consent_row(stmt);
    if (status == LB_OK)
        status = read_row(stmt, arena, &row);
    lb_stmt_reset(stmt);
    if (status == LB_OK)
        *out_row = row;
    return status;
}

static lb_status read_rows(struct lb_stmt *stmt, size_t max, struct lb_arena *arena,
                           struct lb_consent_emergency_row *rows, size_t *out_num)
{
    bool row = true;
    for (size_t num = 0; num < max; num++) {
        LB_TRY(lb_stmt_step(stmt, &row));
        if (!row)
            break;
        LB_TRY(read_row(stmt, arena, &rows[num]));
        *out_num = num + 1;
    }
    return LB_OK;
}

lb_status lb_consent_emergency_list(struct lb_consent_store *store, size_t max,
                                    struct lb_arena *arena, struct lb_consent_emergency_row *rows,
                                    size_t *out_num)
{
    struct lb_stmt *stmt = lb_consent_stmt(store, LB_SQL_LIST_OPEN);
    *out_num = 0;
    LB_TRY(lb_stmt_bind_int(stmt, 1, (int64_t)max));
    lb_status status = read_rows(stmt, max, arena, rows, out_num);
    lb_stmt_reset(stmt);
    return status;
}

lb_status lb_consent_emergency_close(struct lb_consent_store *store, const char *grant_id,
                                     int64_t now_unix_s)
{
    struct lb_stmt *stmt = lb_consent_stmt(store, LB_SQL_CLOSE_EMERGENCY);
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(grant_id)));
    LB_TRY(lb_stmt_bind_int(stmt, 2, now_unix_s));
    LB_TRY(lb_stmt_run(stmt));
    LB_ENSURE(lb_consent_changed(store) == 1, LB_CASE_STATE, "emergency is closed already");
    return LB_OK;
}

lb_status lb_consent_emergency_supplement(struct lb_consent_store *store,
                                          const struct lb_consent_request_row *row,
                                          int64_t now_unix_s)
{
    struct lb_stmt *stmt = lb_consent_stmt(store, LB_SQL_SUPPLEMENT);
    LB_TRY(lb_stmt_bind_int(stmt, 1, now_unix_s));
    LB_TRY(lb_consent_bind_32(stmt, 2, row->subject));
    LB_TRY(lb_stmt_bind_text(stmt, 3, lb_span_str(row->case_id)));
    LB_TRY(lb_stmt_bind_text(stmt, 4, lb_span_str(row->form)));
    LB_TRY(lb_stmt_bind_text(stmt, 5, lb_span_str(row->role)));
    return lb_stmt_run(stmt);
}
