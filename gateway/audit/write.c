#include "gateway/audit/write.h"

#include "gateway/base/hex.h"
#include "gateway/crypto/hash.h"

#define MAX_SET_BYTES (256U * 1024)
#define COLUMNS                                                                                    \
    "idx, time_ms, type, decision, code, views, count, retry, txn, policy, peer, detail, inner,"   \
    " requester, org, actor, unit, purpose, basis, role, issuer, on_behalf_of, form, grant_id,"    \
    " case_no, subject, class_max, verified, field_set, note, every_days"

lb_status lb_audit_writer_prepare(struct lb_audit_writer *writer, struct lb_store *store)
{
    const struct {
        struct lb_stmt **stmt;
        const char *sql;
    } statements[] = {
        {&writer->find_word, "SELECT id FROM word WHERE text = ?1"},
        {&writer->add_word, "INSERT INTO word(text) VALUES (?1)"},
        {&writer->find_subject, "SELECT id FROM subject WHERE pseudonym = ?1"},
        {&writer->add_subject, "INSERT INTO subject(pseudonym) VALUES (?1)"},
        {&writer->drop_subject, "DELETE FROM subject WHERE id = ?1"},
        {&writer->add_key, "INSERT OR IGNORE INTO subject_key(kid, subject) VALUES (?1, ?2)"},
        {&writer->find_key, "SELECT subject FROM subject_key WHERE kid = ?1"},
        {&writer->drop_key, "DELETE FROM subject_key WHERE kid = ?1"},
        {&writer->find_set, "SELECT id FROM field_set WHERE sha256 = ?1"},
        {&writer->add_set, "INSERT INTO field_set(sha256) VALUES (?1)"},
        {&writer->add_field, "INSERT INTO set_field(field_set, seq, view, field, operator, state)"
                             " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"},
        {&writer->add_access,
         "INSERT INTO access(" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,"
         " ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28,"
         " ?29, ?30, ?31)"},
        /* What an outer code decided stays so; an answer whose detail is gone says only that. */
        {&writer->clear_access,
         "UPDATE access SET detail = 2, inner = NULL, requester = NULL, org = NULL, actor = NULL,"
         " unit = NULL, purpose = NULL, basis = NULL, role = NULL, issuer = NULL,"
         " on_behalf_of = NULL, form = NULL, grant_id = NULL, case_no = NULL, subject = NULL,"
         " class_max = NULL, verified = NULL, field_set = NULL, note = NULL, every_days = NULL,"
         " decision = CASE WHEN type = 1 AND code = ?3 THEN 2 ELSE decision END"
         " WHERE subject = ?1 AND idx < ?2"},
        {&writer->count_subject, "SELECT EXISTS (SELECT 1 FROM access WHERE subject = ?1)"},
        {&writer->put_source,
         "INSERT OR REPLACE INTO source(id, origin, log, size, root, last_ms, built_ms, copy)"
         " VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7)"},
    };
    *writer = (struct lb_audit_writer){.store = store};
    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++)
        LB_TRY(lb_stmt_prepare(store, statements[i].sql, statements[i].stmt));
    return LB_OK;
}

/* --- ids --- */

/* Runs a query for one number with its parameters bound; *out is 0 without a row. */
static lb_status take_int(struct lb_stmt *stmt, lb_status bound, int64_t *out)
{
    bool row = false;
    lb_status status = bound;
    if (status == LB_OK)
        status = lb_stmt_step(stmt, &row);
    if (status == LB_OK)
        *out = row ? lb_stmt_int(stmt, 0) : 0;
    lb_stmt_reset(stmt);
    return status;
}

static lb_status run(struct lb_stmt *stmt, lb_status bound)
{
    if (bound != LB_OK) {
        lb_stmt_reset(stmt);
        return bound;
    }
    return lb_stmt_run(stmt);
}

static lb_status word_id(struct lb_audit_writer *writer, const char *text, int64_t *out_id)
{
    struct lb_span span = lb_span_str(text);
    *out_id = 0;
    if (span.len == 0)
        return LB_OK;
    LB_TRY(take_int(writer->find_word, lb_stmt_bind_text(writer->find_word, 1, span), out_id));
    if (*out_id != 0)
        return LB_OK;
    LB_TRY(run(writer->add_word, lb_stmt_bind_text(writer->add_word, 1, span)));
    *out_id = lb_store_last_rowid(writer->store);
    return LB_OK;
}

static lb_status blob_id(struct lb_audit_writer *writer, struct lb_stmt *find, struct lb_stmt *add,
                         const uint8_t bytes[32], int64_t *out_id, bool *out_new)
{
    struct lb_span blob = lb_span_of(bytes, 32);
    LB_TRY(take_int(find, lb_stmt_bind_blob(find, 1, blob), out_id));
    *out_new = *out_id == 0;
    if (!*out_new)
        return LB_OK;
    LB_TRY(run(add, lb_stmt_bind_blob(add, 1, blob)));
    *out_id = lb_store_last_rowid(writer->store);
    return LB_OK;
}

static lb_status bind_key(struct lb_stmt *stmt, uint64_t kid, int64_t subject)
{
    LB_TRY(lb_stmt_bind_int(stmt, 1, (int64_t)kid));
    return lb_stmt_bind_int(stmt, 2, subject);
}

static lb_status subject_id(struct lb_audit_writer *writer, const struct lb_audit_row *row,
                            uint64_t kid, int64_t *out_id)
{
    bool is_new = false;
    *out_id = 0;
    if (!row->has_subject)
        return LB_OK;
    LB_TRY(blob_id(writer, writer->find_subject, writer->add_subject, row->subject, out_id,
                   &is_new));
    return run(writer->add_key, bind_key(writer->add_key, kid, *out_id));
}

/* --- sets of fields --- */

static lb_status bind_field(struct lb_stmt *stmt, int64_t set, size_t seq, const int64_t words[4])
{
    LB_TRY(lb_stmt_bind_int(stmt, 1, set));
    LB_TRY(lb_stmt_bind_int(stmt, 2, (int64_t)seq));
    for (int i = 0; i < 4; i++)
        LB_TRY(words[i] == 0 ? lb_stmt_bind_null(stmt, 3 + i)
                             : lb_stmt_bind_int(stmt, 3 + i, words[i]));
    return LB_OK;
}

static lb_status add_fields(struct lb_audit_writer *writer, const struct lb_audit_draft *draft,
                            int64_t set)
{
    for (size_t i = 0; i < draft->num_fields; i++) {
        const struct lb_audit_field *field = &draft->fields[i];
        int64_t words[4];
        LB_TRY(word_id(writer, field->view, &words[0]));
        LB_TRY(word_id(writer, field->field, &words[1]));
        LB_TRY(word_id(writer, field->operator_text, &words[2]));
        LB_TRY(word_id(writer, field->state, &words[3]));
        LB_TRY(run(writer->add_field, bind_field(writer->add_field, set, i, words)));
    }
    return LB_OK;
}

static lb_status set_id(struct lb_audit_writer *writer, const struct lb_audit_draft *draft,
                        int64_t *out_id)
{
    LB_DEFER(lb_buf_cleanup) struct lb_buf text;
    uint8_t sha256[LB_SHA256_BYTES];
    bool is_new = false;
    lb_buf_init(&text, MAX_SET_BYTES);
    *out_id = 0;
    if (draft->num_fields == 0)
        return LB_OK;
    for (size_t i = 0; i < draft->num_fields; i++) {
        const struct lb_audit_field *field = &draft->fields[i];
        lb_buf_put_field16(&text, lb_span_str(field->view));
        lb_buf_put_field16(&text, lb_span_str(field->field));
        lb_buf_put_field16(&text, lb_span_str(field->operator_text));
        lb_buf_put_field16(&text, lb_span_str(field->state));
    }
    LB_TRY(lb_buf_check(&text));
    lb_sha256(lb_buf_span(&text), sha256);
    LB_TRY(blob_id(writer, writer->find_set, writer->add_set, sha256, out_id, &is_new));
    return is_new ? add_fields(writer, draft, *out_id) : LB_OK;
}

/* --- a row --- */

struct ids {
    int64_t code, views, policy, inner, requester, org, actor, unit, purpose, basis, role, issuer,
        on_behalf_of, form, subject, set;
};

static lb_status policy_id(struct lb_audit_writer *writer, const uint8_t hash[32], int64_t *out_id)
{
    static const uint8_t none[32];
    char hex[65] = "";
    if (memcmp(hash, none, sizeof(none)) != 0)
        lb_hex_encode(lb_span_of(hash, 32), hex);
    return word_id(writer, hex, out_id);
}

static lb_status find_ids(struct lb_audit_writer *writer, const struct lb_audit_draft *draft,
                          uint64_t kid, struct ids *ids)
{
    const struct lb_audit_row *row = &draft->row;
    const struct {
        const char *text;
        int64_t *id;
    } words[] = {
        {row->code, &ids->code},           {row->views, &ids->views},
        {row->inner, &ids->inner},         {row->requester, &ids->requester},
        {row->organization, &ids->org},    {row->actor, &ids->actor},
        {row->unit, &ids->unit},           {row->purpose, &ids->purpose},
        {row->basis, &ids->basis},         {row->role, &ids->role},
        {row->issuer, &ids->issuer},       {row->on_behalf_of, &ids->on_behalf_of},
        {row->form, &ids->form},
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        LB_TRY(word_id(writer, words[i].text, words[i].id));
    LB_TRY(policy_id(writer, row->policy_hash, &ids->policy));
    LB_TRY(subject_id(writer, row, kid, &ids->subject));
    return set_id(writer, draft, &ids->set);
}

static lb_status bind_id(struct lb_stmt *stmt, int param, int64_t id)
{
    return id == 0 ? lb_stmt_bind_null(stmt, param) : lb_stmt_bind_int(stmt, param, id);
}

static lb_status bind_str(struct lb_stmt *stmt, int param, const char *text)
{
    return text[0] == 0 ? lb_stmt_bind_null(stmt, param)
                        : lb_stmt_bind_text(stmt, param, lb_span_str(text));
}

static lb_status bind_leaf(struct lb_stmt *stmt, const struct lb_audit_row *row,
                           const struct ids *ids)
{
    static const uint8_t none[sizeof(row->txn)];
    bool has_txn = memcmp(row->txn, none, sizeof(none)) != 0;
    LB_TRY(lb_stmt_bind_int(stmt, 1, (int64_t)row->index));
    LB_TRY(lb_stmt_bind_int(stmt, 2, row->time_ms));
    LB_TRY(lb_stmt_bind_int(stmt, 3, (int64_t)row->type));
    LB_TRY(lb_stmt_bind_int(stmt, 4, (int64_t)row->decision));
    LB_TRY(bind_id(stmt, 5, ids->code));
    LB_TRY(bind_id(stmt, 6, ids->views));
    LB_TRY(lb_stmt_bind_int(stmt, 7, row->count));
    LB_TRY(lb_stmt_bind_int(stmt, 8, row->retry));
    LB_TRY(has_txn ? lb_stmt_bind_blob(stmt, 9, lb_span_of(row->txn, sizeof(row->txn)))
                   : lb_stmt_bind_null(stmt, 9));
    LB_TRY(bind_id(stmt, 10, ids->policy));
    LB_TRY(lb_stmt_bind_int(stmt, 11, row->has_peer));
    return lb_stmt_bind_int(stmt, 12, (int64_t)row->detail);
}

static lb_status bind_detail(struct lb_stmt *stmt, const struct lb_audit_row *row,
                             const struct ids *ids)
{
    const int64_t words[] = {ids->inner,   ids->requester, ids->org,  ids->actor,
                             ids->unit,    ids->purpose,   ids->basis, ids->role,
                             ids->issuer,  ids->on_behalf_of, ids->form};
    for (int i = 0; i < (int)(sizeof(words) / sizeof(words[0])); i++)
        LB_TRY(bind_id(stmt, 13 + i, words[i]));
    LB_TRY(bind_str(stmt, 24, row->grant));
    LB_TRY(bind_str(stmt, 25, row->case_no));
    LB_TRY(bind_id(stmt, 26, ids->subject));
    LB_TRY(bind_id(stmt, 27, row->class_max));
    LB_TRY(row->detail == LB_AUDIT_DETAIL_OPEN ? lb_stmt_bind_int(stmt, 28, row->verified)
                                               : lb_stmt_bind_null(stmt, 28));
    LB_TRY(bind_id(stmt, 29, ids->set));
    LB_TRY(bind_str(stmt, 30, row->note));
    return bind_id(stmt, 31, row->every_days);
}

lb_status lb_audit_write(struct lb_audit_writer *writer, const struct lb_audit_draft *draft,
                         uint64_t kid)
{
    struct ids ids;
    LB_TRY(find_ids(writer, draft, kid, &ids));
    lb_status bound = bind_leaf(writer->add_access, &draft->row, &ids);
    if (bound == LB_OK)
        bound = bind_detail(writer->add_access, &draft->row, &ids);
    return run(writer->add_access, bound);
}

/* --- erasure --- */

static lb_status bind_clear(struct lb_stmt *stmt, int64_t subject, uint64_t erasure,
                            int64_t answered)
{
    LB_TRY(lb_stmt_bind_int(stmt, 1, subject));
    LB_TRY(lb_stmt_bind_int(stmt, 2, (int64_t)erasure));
    return lb_stmt_bind_int(stmt, 3, answered);
}

lb_status lb_audit_forget(struct lb_audit_writer *writer, uint64_t erasure, uint64_t kid)
{
    int64_t subject = 0, answered = 0, left = 0;
    LB_TRY(take_int(writer->find_key, lb_stmt_bind_int(writer->find_key, 1, (int64_t)kid),
                    &subject));
    if (subject == 0)
        return LB_OK;
    LB_TRY(word_id(writer, "ANSWERED", &answered));
    LB_TRY(run(writer->clear_access,
               bind_clear(writer->clear_access, subject, erasure, answered)));
    LB_TRY(run(writer->drop_key, lb_stmt_bind_int(writer->drop_key, 1, (int64_t)kid)));
    LB_TRY(take_int(writer->count_subject, lb_stmt_bind_int(writer->count_subject, 1, subject),
                    &left));
    if (left != 0)
        return LB_OK;
    return run(writer->drop_subject, lb_stmt_bind_int(writer->drop_subject, 1, subject));
}

/* --- the source --- */

static lb_status bind_state(struct lb_stmt *stmt, const struct lb_audit_state *state)
{
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(state->origin)));
    LB_TRY(lb_stmt_bind_text(stmt, 2, lb_span_str(state->log)));
    LB_TRY(lb_stmt_bind_int(stmt, 3, (int64_t)state->size));
    LB_TRY(lb_stmt_bind_blob(stmt, 4, lb_span_of(state->root.bytes, LB_HASH_BYTES)));
    LB_TRY(lb_stmt_bind_int(stmt, 5, state->last_ms));
    LB_TRY(lb_stmt_bind_int(stmt, 6, state->built_ms));
    return lb_stmt_bind_int(stmt, 7, state->copy);
}

lb_status lb_audit_put_state(struct lb_audit_writer *writer, const struct lb_audit_state *state)
{
    return run(writer->put_source, bind_state(writer->put_source, state));
}
