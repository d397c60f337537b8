#include "gateway/consent/records.h"

/* Requests in the office's store. */

static lb_status count_rows(struct lb_stmt *stmt, int64_t *out_num)
{
    lb_status status = lb_consent_row(stmt);
    if (status == LB_OK)
        *out_num = lb_stmt_int(stmt, 0);
    lb_stmt_reset(stmt);
    return status;
}

lb_status lb_consent_request_count(struct lb_consent_store *store, const char *caller,
                                   int64_t *out_all, int64_t *out_own)
{
    struct lb_stmt *own = lb_consent_stmt(store, LB_SQL_COUNT_OWN);
    LB_TRY(lb_stmt_bind_text(own, 1, lb_span_str(caller)));
    LB_TRY(count_rows(own, out_own));
    return count_rows(lb_consent_stmt(store, LB_SQL_COUNT_PENDING), out_all);
}

lb_status lb_consent_request_add(struct lb_consent_store *store,
                                 const struct lb_consent_request_row *row)
{
    struct lb_stmt *stmt = lb_consent_stmt(store, LB_SQL_ADD_REQUEST);
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(row->id)));
    LB_TRY(lb_stmt_bind_int(stmt, 2, row->keep_until_unix_s));
    LB_TRY(lb_stmt_bind_text(stmt, 3, lb_span_str(row->caller)));
    LB_TRY(lb_stmt_bind_text(stmt, 4, lb_span_str(row->form)));
    LB_TRY(lb_stmt_bind_int(stmt, 5, row->form_version));
    LB_TRY(lb_stmt_bind_blob(stmt, 6, lb_span_of(row->form_sha256, 32)));
    LB_TRY(lb_stmt_bind_text(stmt, 7, lb_span_str(row->case_id)));
    LB_TRY(lb_stmt_bind_blob(stmt, 8, lb_span_of(row->requester_key, 32)));
    LB_TRY(lb_stmt_bind_text(stmt, 9, lb_span_str(row->role)));
    LB_TRY(lb_stmt_bind_text(stmt, 10, lb_span_str(row->operator_hash)));
    LB_TRY(lb_consent_bind_text(stmt, 11, row->relation));
    LB_TRY(lb_stmt_bind_blob(stmt, 12, lb_span_of(row->subject, 32)));
    LB_TRY(lb_stmt_bind_blob(stmt, 13, lb_span_of(row->guardian, 32)));
    LB_TRY(lb_stmt_bind_blob(stmt, 14, lb_span_of(row->commitment, 32)));
    LB_TRY(lb_stmt_bind_int(stmt, 15, row->party));
    LB_TRY(lb_consent_bind_text(stmt, 16, row->scope));
    LB_TRY(lb_stmt_bind_int(stmt, 17, row->agent_until));
    LB_TRY(lb_consent_bind_32(stmt, 18, row->scope != NULL ? row->agent_document : NULL));
    LB_TRY(lb_consent_bind_text(stmt, 19, row->interest));
    return lb_stmt_run(stmt);
}

/* A blob that may be NULL: zeros then. */
static lb_status column_32_if(const struct lb_stmt *stmt, int column, uint8_t out[32])
{
    return lb_stmt_type(stmt, column) == LB_COL_NULL ? LB_OK
                                                     : lb_consent_column_32(stmt, column, out);
}

static lb_status read_decision(const struct lb_stmt *stmt, struct lb_arena *arena,
                               struct lb_consent_request_row *row)
{
    int64_t party = lb_stmt_int(stmt, 17);
    LB_ENSURE(party >= LB_PARTY_SELF && party <= LB_PARTY_RELATIVE, LB_STORE_FAILED,
              "a request for nobody to decide");
    row->party = (enum lb_consent_party)party;
    row->agent_until = lb_stmt_int(stmt, 19);
    LB_TRY(lb_consent_column_text(stmt, 18, arena, &row->scope));
    LB_TRY(column_32_if(stmt, 20, row->agent_document));
    LB_TRY(lb_consent_column_text(stmt, 21, arena, &row->interest));
    LB_TRY(lb_consent_column_text(stmt, 22, arena, &row->first_officer));
    LB_TRY(column_32_if(stmt, 23, row->first_digest));
    LB_TRY(lb_consent_column_text(stmt, 24, arena, &row->decided_by));
    return column_32_if(stmt, 25, row->digest);
}

static lb_status read_request(const struct lb_stmt *stmt, struct lb_arena *arena,
                              struct lb_consent_request_row *row)
{
    int64_t state = lb_stmt_int(stmt, 1);
    LB_ENSURE(state >= LB_REQUEST_PENDING && state <= LB_REQUEST_REVOKED, LB_STORE_FAILED,
              "a request in no state");
    row->state = (enum lb_consent_request_state)state;
    row->keep_until_unix_s = lb_stmt_int(stmt, 2);
    row->form_version = (uint32_t)lb_stmt_int(stmt, 5);
    LB_TRY(lb_consent_column_text(stmt, 0, arena, &row->id));
    LB_TRY(lb_consent_column_text(stmt, 3, arena, &row->caller));
    LB_TRY(lb_consent_column_text(stmt, 4, arena, &row->form));
    LB_TRY(lb_consent_column_32(stmt, 6, row->form_sha256));
    LB_TRY(lb_consent_column_text(stmt, 7, arena, &row->case_id));
    LB_TRY(lb_consent_column_32(stmt, 8, row->requester_key));
    LB_TRY(lb_consent_column_text(stmt, 9, arena, &row->role));
    LB_TRY(lb_consent_column_text(stmt, 10, arena, &row->operator_hash));
    LB_TRY(lb_consent_column_text(stmt, 11, arena, &row->relation));
    LB_TRY(lb_consent_column_32(stmt, 12, row->subject));
    LB_TRY(lb_consent_column_32(stmt, 13, row->guardian));
    LB_TRY(lb_consent_column_32(stmt, 14, row->commitment));
    LB_TRY(lb_consent_column_text(stmt, 15, arena, &row->grant_id));
    LB_TRY(lb_consent_column_text(stmt, 16, arena, &row->sd_jwt));
    return read_decision(stmt, arena, row);
}

lb_status lb_consent_request_find(struct lb_consent_store *store, const char *id,
                                  int64_t now_unix_s, struct lb_arena *arena,
                                  struct lb_consent_request_row *out_row)
{
    struct lb_consent_request_row row = {0};
    struct lb_stmt *stmt = lb_consent_stmt(store, LB_SQL_FIND_REQUEST);
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(id)));
    LB_TRY(lb_stmt_bind_int(stmt, 2, now_unix_s));
    lb_status status = lb_consent_row(stmt);
    if (status == LB_OK)
        status = read_request(stmt, arena, &row);
    lb_stmt_reset(stmt);
    if (status == LB_OK)
        *out_row = row;
    return status;
}

lb_status lb_consent_request_decide(struct lb_consent_store *store,
                                    const struct lb_consent_request_row *row)
{
    struct lb_stmt *stmt = lb_consent_stmt(store, LB_SQL_DECIDE);
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(row->id)));
    LB_TRY(lb_stmt_bind_int(stmt, 2, row->state));
    LB_TRY(lb_stmt_bind_int(stmt, 3, row->keep_until_unix_s));
    LB_TRY(lb_consent_bind_text(stmt, 4, row->grant_id));
    LB_TRY(lb_consent_bind_text(stmt, 5, row->sd_jwt));
    LB_TRY(lb_consent_bind_text(stmt, 6, row->decided_by));
    LB_TRY(lb_consent_bind_32(stmt, 7, row->decided_by != NULL ? row->digest : NULL));
    LB_TRY(lb_stmt_run(stmt));
    LB_ENSURE(lb_consent_changed(store) == 1, LB_CASE_STATE, "request is decided already");
    return LB_OK;
}

lb_status lb_consent_request_shorten(struct lb_consent_store *store, const char *id,
                                     int64_t keep_until_unix_s)
{
    struct lb_stmt *stmt = lb_consent_stmt(store, LB_SQL_SHORTEN);
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(id)));
    LB_TRY(lb_stmt_bind_int(stmt, 2, keep_until_unix_s));
    return lb_stmt_run(stmt);
}

lb_status lb_consent_request_first(struct lb_consent_store *store,
                                   const struct lb_consent_request_row *row)
{
    struct lb_stmt *stmt = lb_consent_stmt(store, LB_SQL_FIRST_OFFICER);
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(row->id)));
    LB_TRY(lb_consent_bind_text(stmt, 2, row->first_officer));
    LB_TRY(lb_consent_bind_32(stmt, 3, row->first_digest));
    LB_TRY(lb_stmt_run(stmt));
    LB_ENSURE(lb_consent_changed(store) == 1, LB_CASE_STATE, "request is decided already");
    return LB_OK;
}

static lb_status read_waiting(struct lb_stmt *stmt, size_t max, struct lb_arena *arena,
                              struct lb_consent_request_row *rows, size_t *out_num)
{
    bool row = true;
    for (size_t num = 0; num < max; num++) {
        LB_TRY(lb_stmt_step(stmt, &row));
        if (!row)
            break;
        rows[num] = (struct lb_consent_request_row){0};
        LB_TRY(read_request(stmt, arena, &rows[num]));
        *out_num = num + 1;
    }
    return LB_OK;
}

lb_status lb_consent_request_waiting(struct lb_consent_store *store, const char *after,
                                     int64_t now_unix_s, size_t max, struct lb_arena *arena,
                                     struct lb_consent_request_row *rows, size_t *out_num)
{
    struct lb_stmt *stmt = lb_consent_stmt(store, LB_SQL_WAITING);
    *out_num = 0;
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(after)));
    LB_TRY(lb_stmt_bind_int(stmt, 2, now_unix_s));
    LB_TRY(lb_stmt_bind_int(stmt, 3, (int64_t)max));
    lb_status status = read_waiting(stmt, max, arena, rows, out_num);
    lb_stmt_reset(stmt);
    return status;
}
