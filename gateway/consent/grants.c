#include "gateway/consent/records.h"

#include "gateway/base/limits.h"
#include "gateway/token/status_list.h"

/* Grants, their status lists and the consent records in the office's store. */

lb_status lb_consent_grant_add(struct lb_consent_store *store,
                               const struct lb_consent_grant_row *row)
{
    struct lb_stmt *stmt = lb_consent_stmt(store, LB_SQL_ADD_GRANT);
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(row->id)));
    LB_TRY(lb_stmt_bind_text(stmt, 2, lb_span_str(row->request)));
    LB_TRY(lb_stmt_bind_int(stmt, 3, (int64_t)row->status_index));
    LB_TRY(lb_stmt_bind_int(stmt, 4, row->exp));
    LB_TRY(lb_stmt_bind_text(stmt, 5, lb_span_str(row->requester)));
    LB_TRY(lb_stmt_bind_text(stmt, 6, lb_span_str(row->form)));
    LB_TRY(lb_stmt_bind_int(stmt, 7, row->form_version));
    LB_TRY(lb_stmt_bind_blob(stmt, 8, lb_span_of(row->form_sha256, 32)));
    LB_TRY(lb_stmt_bind_text(stmt, 9, lb_span_str(row->case_id)));
    LB_TRY(lb_stmt_bind_text(stmt, 10, lb_span_str(row->role)));
    LB_TRY(lb_stmt_bind_int(stmt, 11, row->has_guardian ? 1 : 0));
    LB_TRY(lb_stmt_bind_blob(stmt, 12, lb_span_of(row->subject, 32)));
    LB_TRY(lb_stmt_bind_blob(stmt, 13, lb_span_of(row->guardian, 32)));
    LB_TRY(lb_stmt_bind_blob(stmt, 14, lb_span_of(row->slip, 32)));
    return lb_stmt_run(stmt);
}

static lb_status read_grant(const struct lb_stmt *stmt, struct lb_arena *arena,
                            struct lb_consent_grant_row *row)
{
    row->status_index = (uint64_t)lb_stmt_int(stmt, 2);
    row->state = lb_stmt_int(stmt, 3);
    row->exp = lb_stmt_int(stmt, 4);
    row->form_version = (uint32_t)lb_stmt_int(stmt, 7);
    row->has_guardian = lb_stmt_int(stmt, 11) != 0;
    row->changed_seq = (uint64_t)lb_stmt_int(stmt, 14);
    row->stops_by = lb_stmt_int(stmt, 15);
    LB_TRY(lb_consent_column_text(stmt, 0, arena, &row->id));
    LB_TRY(lb_consent_column_text(stmt, 1, arena, &row->request));
    LB_TRY(lb_consent_column_text(stmt, 5, arena, &row->requester));
    LB_TRY(lb_consent_column_text(stmt, 6, arena, &row->form));
    LB_TRY(lb_consent_column_32(stmt, 8, row->form_sha256));
    LB_TRY(lb_consent_column_text(stmt, 9, arena, &row->case_id));
    LB_TRY(lb_consent_column_text(stmt, 10, arena, &row->role));
    LB_TRY(lb_consent_column_32(stmt, 12, row->subject));
    return lb_consent_column_32(stmt, 13, row->guardian);
}

lb_status lb_consent_grant_find(struct lb_consent_store *store, const char *id,
                                struct lb_arena *arena, struct lb_consent_grant_row *out_row)
{
    struct lb_consent_grant_row row = {0};
    struct lb_stmt *stmt = lb_consent_stmt(store, LB_SQL_FIND_GRANT);
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(id)));
    lb_status status = lb_consent_row(stmt);
    if (status == LB_OK)
        status = read_grant(stmt, arena, &row);
    lb_stmt_reset(stmt);
    if (status == LB_OK)
        *out_row = row;
    return status;
}

lb_status lb_consent_grant_by_slip(struct lb_consent_store *store, const uint8_t slip[32],
                                   struct lb_arena *arena, struct lb_consent_grant_row *out_row)
{
    struct lb_consent_grant_row row = {0};
    struct lb_stmt *stmt = lb_consent_stmt(store, LB_SQL_FIND_SLIP);
    LB_TRY(lb_consent_bind_32(stmt, 1, slip));
    lb_status status = lb_consent_row(stmt);
    if (status == LB_OK)
        status = read_grant(stmt, arena, &row);
    lb_stmt_reset(stmt);
    if (status == LB_OK)
        *out_row = row;
    return status;
}

lb_status lb_consent_grant_set_slip(struct lb_consent_store *store,
                                    const struct lb_consent_grant_row *row)
{
    struct lb_stmt *stmt = lb_consent_stmt(store, LB_SQL_SET_SLIP);
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(row->id)));
    LB_TRY(lb_consent_bind_32(stmt, 2, row->slip));
    return lb_stmt_run(stmt);
}

lb_status lb_consent_grant_change(struct lb_consent_store *store,
                                  const struct lb_consent_grant_row *row)
{
    struct lb_stmt *stmt = lb_consent_stmt(store, LB_SQL_CHANGE);
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(row->id)));
    LB_TRY(lb_stmt_bind_int(stmt, 2, row->state));
    LB_TRY(lb_stmt_run(stmt));
    LB_ENSURE(lb_consent_changed(store) == 1, LB_STORE_FAILED, "a grant went missing");
    if (row->state != LB_STATE_INVALID)
        return LB_OK;
    stmt = lb_consent_stmt(store, LB_SQL_FORGET_COPY);
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(row->request)));
    return lb_stmt_run(stmt);
}

lb_status lb_consent_grant_mark(struct lb_consent_store *store,
                                const struct lb_consent_grant_row *row)
{
    struct lb_stmt *stmt = lb_consent_stmt(store, LB_SQL_MARK);
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(row->id)));
    LB_TRY(lb_stmt_bind_int(stmt, 2, (int64_t)row->changed_seq));
    LB_TRY(lb_stmt_bind_int(stmt, 3, row->stops_by));
    return lb_stmt_run(stmt);
}

/* One row with one number, which must be there. */
static lb_status query_int(struct lb_stmt *stmt, int64_t *out)
{
    lb_status status = lb_consent_row(stmt);
    if (status == LB_OK)
        *out = lb_stmt_int(stmt, 0);
    lb_stmt_reset(stmt);
    return status;
}

lb_status lb_consent_last_change(struct lb_consent_store *store, uint64_t *out_seq)
{
    int64_t seq = 0;
    LB_TRY(query_int(lb_consent_stmt(store, LB_SQL_LAST_CHANGE), &seq));
    *out_seq = (uint64_t)seq;
    return LB_OK;
}

lb_status lb_consent_listed_until(struct lb_consent_store *store, int64_t *out_unix_s)
{
    return query_int(lb_consent_stmt(store, LB_SQL_GET_UNTIL), out_unix_s);
}

lb_status lb_consent_list_until(struct lb_consent_store *store, int64_t unix_s)
{
    struct lb_stmt *stmt = lb_consent_stmt(store, LB_SQL_SET_UNTIL);
    LB_TRY(lb_stmt_bind_int(stmt, 1, unix_s));
    return lb_stmt_run(stmt);
}

lb_status lb_consent_proved_seq(struct lb_consent_store *store, const char *adapter,
                                uint64_t *out_seq)
{
    int64_t seq = 0;
    struct lb_stmt *stmt = lb_consent_stmt(store, LB_SQL_FIND_PROVED);
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(adapter)));
    lb_status status = query_int(stmt, &seq);
    if (lb_status_code(status) != LB_ABSENT)
        LB_TRY(status);
    *out_seq = (uint64_t)seq;
    return LB_OK;
}

lb_status lb_consent_set_proved(struct lb_consent_store *store, const char *adapter, uint64_t seq)
{
    struct lb_stmt *stmt = lb_consent_stmt(store, LB_SQL_SET_PROVED);
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(adapter)));
    LB_TRY(lb_stmt_bind_int(stmt, 2, (int64_t)seq));
    return lb_stmt_run(stmt);
}

lb_status lb_consent_grant_count(struct lb_consent_store *store, int64_t *out_num)
{
    return query_int(lb_consent_stmt(store, LB_SQL_COUNT_GRANTS), out_num);
}

lb_status lb_consent_grant_index_taken(struct lb_consent_store *store, uint64_t index,
                                       bool *out_taken)
{
    int64_t found = 0;
    struct lb_stmt *stmt = lb_consent_stmt(store, LB_SQL_FIND_INDEX);
    LB_TRY(lb_stmt_bind_int(stmt, 1, (int64_t)index));
    lb_status status = query_int(stmt, &found);
    if (lb_status_code(status) != LB_ABSENT)
        LB_TRY(status);
    *out_taken = status == LB_OK;
    return LB_OK;
}

static lb_status put_state(const struct lb_stmt *stmt, uint8_t *states, size_t num)
{
    int64_t index = lb_stmt_int(stmt, 0);
    int64_t state = lb_stmt_int(stmt, 1);
    LB_ENSURE(index >= 0 && (uint64_t)index < num && state > 0 && state <= 3, LB_STORE_FAILED,
              "a grant outside the status list");
    states[index] = (uint8_t)state;
    return LB_OK;
}

lb_status lb_consent_grant_states(struct lb_consent_store *store, uint8_t *states, size_t num)
{
    struct lb_stmt *stmt = lb_consent_stmt(store, LB_SQL_STATES);
    bool row = true;
    lb_status status = LB_OK;
    while (status == LB_OK && row) {
        status = lb_stmt_step(stmt, &row);
        if (status == LB_OK && row)
            status = put_state(stmt, states, num);
    }
    lb_stmt_reset(stmt);
    return status;
}

lb_status lb_consent_grant_capacity(struct lb_consent_store *store, uint64_t *out_capacity)
{
    int64_t capacity = 0;
    LB_TRY(query_int(lb_consent_stmt(store, LB_SQL_GET_CAPACITY), &capacity));
    bool is_power = capacity > 0 && (capacity & (capacity - 1)) == 0;
    LB_ENSURE(is_power && capacity <= LB_MAX_STATUS_ENTRIES, LB_STORE_FAILED,
              "capacity is no power of two");
    *out_capacity = (uint64_t)capacity;
    return LB_OK;
}

lb_status lb_consent_grant_set_capacity(struct lb_consent_store *store, uint64_t capacity)
{
    struct lb_stmt *stmt = lb_consent_stmt(store, LB_SQL_SET_CAPACITY);
    LB_TRY(lb_stmt_bind_int(stmt, 1, (int64_t)capacity));
    return lb_stmt_run(stmt);
}

static lb_status read_list(const struct lb_stmt *stmt, struct lb_arena *arena,
                           struct lb_consent_list_row *row)
{
    LB_ENSURE(lb_stmt_int(stmt, 0) > 0, LB_STORE_FAILED, "a status list without a number");
    row->seq = (uint64_t)lb_stmt_int(stmt, 0);
    row->iat = lb_stmt_int(stmt, 1);
    row->entries = (uint64_t)lb_stmt_int(stmt, 2);
    return lb_arena_copy(arena, lb_stmt_blob(stmt, 3), &row->token);
}

lb_status lb_consent_list_find(struct lb_consent_store *store, const char *uri,
                               struct lb_arena *arena, struct lb_consent_list_row *out_row)
{
    struct lb_consent_list_row row = {0};
    struct lb_stmt *stmt = lb_consent_stmt(store, LB_SQL_FIND_LIST);
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(uri)));
    lb_status status = lb_consent_row(stmt);
    if (status == LB_OK)
        status = read_list(stmt, arena, &row);
    lb_stmt_reset(stmt);
    if (lb_status_code(status) != LB_ABSENT)
        LB_TRY(status);
    *out_row = row;
    return LB_OK;
}

lb_status lb_consent_list_set(struct lb_consent_store *store, const char *uri,
                              const struct lb_consent_list_row *row)
{
    struct lb_stmt *stmt = lb_consent_stmt(store, LB_SQL_SET_LIST);
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(uri)));
    LB_TRY(lb_stmt_bind_int(stmt, 2, (int64_t)row->seq));
    LB_TRY(lb_stmt_bind_int(stmt, 3, row->iat));
    LB_TRY(lb_stmt_bind_int(stmt, 4, (int64_t)row->entries));
    LB_TRY(lb_stmt_bind_blob(stmt, 5, row->token));
    LB_TRY(lb_stmt_run(stmt));
    LB_ENSURE(lb_consent_changed(store) == 1, LB_STORE_CONFLICT, "a status list would fall back");
    return LB_OK;
}

lb_status lb_consent_document_add(struct lb_consent_store *store,
                                  const struct lb_consent_document *document)
{
    struct lb_stmt *stmt = lb_consent_stmt(store, LB_SQL_ADD_DOCUMENT);
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(document->id)));
    LB_TRY(lb_stmt_bind_text(stmt, 2, lb_span_str(document->request)));
    LB_TRY(lb_stmt_bind_int(stmt, 3, document->at_unix_s));
    LB_TRY(lb_stmt_bind_int(stmt, 4, document->keep_until_unix_s));
    LB_TRY(lb_stmt_bind_text(stmt, 5, document->text));
    return lb_stmt_run(stmt);
}

lb_status lb_consent_document_first(struct lb_consent_store *store, const char *request,
                                    struct lb_arena *arena, struct lb_span *out_text)
{
    struct lb_stmt *stmt = lb_consent_stmt(store, LB_SQL_FIRST_DOCUMENT);
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(request)));
    lb_status status = lb_consent_row(stmt);
    if (status == LB_OK)
        status = lb_arena_copy(arena, lb_stmt_text(stmt, 0), out_text);
    lb_stmt_reset(stmt);
    return status;
}

static lb_status read_documents(struct lb_stmt *stmt, size_t max, struct lb_arena *arena,
                                struct lb_span *texts, size_t *out_num)
{
    bool row = true;
    for (size_t num = 0; num < max; num++) {
        LB_TRY(lb_stmt_step(stmt, &row));
        if (!row)
            break;
        LB_TRY(lb_arena_copy(arena, lb_stmt_text(stmt, 0), &texts[num]));
        *out_num = num + 1;
    }
    return LB_OK;
}

lb_status lb_consent_document_all(struct lb_consent_store *store, const char *request, size_t max,
                                  struct lb_arena *arena, struct lb_span *texts, size_t *out_num)
{
    struct lb_stmt *stmt = lb_consent_stmt(store, LB_SQL_DOCUMENTS);
    *out_num = 0;
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(request)));
    LB_TRY(lb_stmt_bind_int(stmt, 2, (int64_t)max));
    lb_status status = read_documents(stmt, max, arena, texts, out_num);
    lb_stmt_reset(stmt);
    return status;
}

lb_status lb_consent_try_add(struct lb_consent_store *store, const char *desk,
                             const char *officer, int64_t now_unix_s)
{
    struct lb_stmt *stmt = lb_consent_stmt(store, LB_SQL_ADD_TRY);
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(desk)));
    LB_TRY(lb_stmt_bind_text(stmt, 2, lb_span_str(officer)));
    LB_TRY(lb_stmt_bind_int(stmt, 3, now_unix_s));
    return lb_stmt_run(stmt);
}

lb_status lb_consent_try_count(struct lb_consent_store *store, const char *desk,
                               const char *officer, int64_t since_unix_s,
                               struct lb_consent_tries *out_tries)
{
    struct lb_stmt *stmt = lb_consent_stmt(store, LB_SQL_COUNT_TRIES);
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(desk)));
    LB_TRY(lb_stmt_bind_text(stmt, 2, lb_span_str(officer)));
    LB_TRY(lb_stmt_bind_int(stmt, 3, since_unix_s));
    lb_status status = lb_consent_row(stmt);
    if (status == LB_OK)
        *out_tries = (struct lb_consent_tries){lb_stmt_int(stmt, 0), lb_stmt_int(stmt, 1),
                                               lb_stmt_int(stmt, 2)};
    lb_stmt_reset(stmt);
    return status;
}
