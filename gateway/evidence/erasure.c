#include "gateway/crypto/hash.h"
#include "gateway/evidence/records.h"

struct found {
    struct lb_buf commitments;  /* u64 kid || key_hash, by rising kid */
    uint32_t num;
};

static lb_status note_keys(struct lb_stmt *stmt, const uint8_t subject[LB_DETAIL_SUBJECT_BYTES],
                           struct found *found)
{
    bool row = false;
    LB_TRY(lb_stmt_bind_blob(stmt, 1, lb_span_of(subject, LB_DETAIL_SUBJECT_BYTES)));
    LB_TRY(lb_stmt_step(stmt, &row));
    while (row && found->num < LB_RECORDS_MAX_ERASED) {
        struct lb_span sealed;
        uint8_t key_hash[32];
        uint64_t kid = (uint64_t)lb_stmt_int(stmt, 0);
        LB_TRY(lb_records_column(stmt, 1, LB_DETAIL_SEALED_KEY_BYTES, &sealed));
        lb_detail_key_hash(kid, subject, sealed.ptr, key_hash);
        lb_buf_put_u64(&found->commitments, kid);
        lb_buf_put(&found->commitments, lb_span_of(key_hash, sizeof(key_hash)));
        found->num++;
        LB_TRY(lb_stmt_step(stmt, &row));
    }
    return lb_buf_check(&found->commitments);
}

static lb_status destroy_keys(struct lb_records *records, uint64_t index,
                              const struct found *found)
{
    struct lb_cursor cur = lb_cursor_of(lb_buf_span(&found->commitments));
    for (uint32_t i = 0; i < found->num; i++) {
        uint64_t kid = lb_cursor_u64(&cur);
        LB_TRY(lb_stmt_bind_int(records->erase_key, 1, (int64_t)kid));
        LB_TRY(lb_stmt_bind_blob(records->erase_key, 2, lb_cursor_bytes(&cur, 32)));
        LB_TRY(lb_stmt_bind_int(records->erase_key, 3, (int64_t)index));
        LB_TRY(lb_stmt_run(records->erase_key));
    }
    return lb_cursor_end(&cur);
}

void lb_records_erasure_hash(struct lb_span commitments, uint8_t out[32])
{
    const struct lb_span parts[] = {lb_span_str("lianban erasure v1"), commitments};
    lb_sha256_parts(parts, 2, out);
}

static void free_found(struct found *found)
{
    lb_buf_cleanup(&found->commitments);
}

lb_status lb_records_erase(struct lb_records *records, uint64_t index,
                           const uint8_t subject[LB_DETAIL_SUBJECT_BYTES], struct lb_leaf *leaf)
{
    LB_DEFER(free_found) struct found found = {.num = 0};
    lb_buf_init(&found.commitments, LB_RECORDS_MAX_ERASED * LB_RECORDS_ERASED_BYTES);
    lb_status status = note_keys(records->find_keys, subject, &found);
    lb_stmt_reset(records->find_keys);
    LB_TRY(status);
    LB_TRY(destroy_keys(records, index, &found));
    lb_records_erasure_hash(lb_buf_span(&found.commitments), leaf->request_hash);
    leaf->count = found.num > 0 ? found.num : 1;
    return LB_OK;
}
