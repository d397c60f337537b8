#include "gateway/evidence/detail.h"

#include "gateway/base/wipe.h"
#include "gateway/crypto/hash.h"

#define MAX_AAD_BYTES 512

static void put_u64(uint8_t out[8], uint64_t value)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(value >> (56 - 8 * i));
}

void lb_detail_key_hash(uint64_t kid, const uint8_t subject[LB_DETAIL_SUBJECT_BYTES],
                        const uint8_t sealed[LB_DETAIL_SEALED_KEY_BYTES], uint8_t out[32])
{
    uint8_t number[8];
    put_u64(number, kid);
    const struct lb_span parts[] = {
        lb_span_str("lianban key v1"),
        lb_span_of(number, sizeof(number)),
        lb_span_of(subject, LB_DETAIL_SUBJECT_BYTES),
        lb_span_of(sealed, LB_DETAIL_SEALED_KEY_BYTES),
    };
    lb_sha256_parts(parts, 4, out);
}

void lb_detail_hash(const struct lb_detail_row *row, const uint8_t key_hash[32], uint8_t out[32])
{
    uint8_t row_hash[32];
    const struct lb_span row_parts[] = {
        lb_span_str("lianban row v1"),
        lb_span_of(key_hash, 32),
        lb_span_of(row->nonce, sizeof(row->nonce)),
        row->sealed,
    };
    lb_sha256_parts(row_parts, 4, row_hash);
    const struct lb_span parts[] = {
        lb_span_str("lianban detail v1"),
        lb_span_of(row_hash, sizeof(row_hash)),
        lb_span_of(row->plain_hash, sizeof(row->plain_hash)),
    };
    lb_sha256_parts(parts, 3, out);
}

static void salted_hash(const char *label, struct lb_span salt, struct lb_span text,
                        uint8_t out[32])
{
    const struct lb_span parts[] = {lb_span_str(label), salt, text};
    lb_sha256_parts(parts, 3, out);
}

static lb_status make_aad(const struct lb_detail_place *place, struct lb_buf *aad)
{
    lb_buf_put_field16(aad, lb_span_str(place->origin));
    lb_buf_put_u64(aad, place->index);
    lb_buf_put(aad, lb_span_of(place->txn, 16));
    return lb_buf_check(aad);
}

lb_status lb_detail_seal(const struct lb_detail_place *place,
                         const uint8_t data_key[LB_DETAIL_KEY_BYTES],
                         const struct lb_detail_text *text, struct lb_arena *arena,
                         struct lb_detail_row *out_row, struct lb_leaf *leaf)
{
    LB_ENSURE(text->fields.len <= LB_MAX_DETAIL_BYTES && text->detail.len <= LB_MAX_DETAIL_BYTES,
              LB_TOO_LARGE, "detail is larger than allowed");
    uint8_t aad_bytes[MAX_AAD_BYTES];
    struct lb_buf aad;
    size_t len = LB_DETAIL_SALT_BYTES + 4 + text->fields.len + 4 + text->detail.len;
    uint8_t *plain = lb_arena_alloc(arena, len);
    uint8_t *sealed = lb_arena_alloc(arena, len + LB_AEAD_TAG_BYTES);
    LB_ENSURE(plain != NULL && sealed != NULL, LB_NO_MEMORY, "arena is full");
    LB_DEFER(lb_buf_cleanup) struct lb_buf payload; /* of what is sealed nothing stays */
    lb_buf_over(&aad, aad_bytes, sizeof(aad_bytes));
    lb_buf_over(&payload, plain, len);
    LB_TRY(make_aad(place, &aad));
    struct lb_span salt = lb_span_of(text->salt, sizeof(text->salt));
    memcpy(out_row->nonce, text->nonce, sizeof(out_row->nonce));
    lb_buf_put(&payload, salt);
    lb_buf_put_field32(&payload, text->fields);
    lb_buf_put_field32(&payload, text->detail);
    LB_TRY(lb_buf_check(&payload));
    LB_TRY(lb_aead_seal(lb_span_of(data_key, LB_DETAIL_KEY_BYTES), out_row->nonce,
                        lb_buf_span(&aad), lb_buf_span(&payload), sealed));
    out_row->sealed = lb_span_of(sealed, payload.len + LB_AEAD_TAG_BYTES);
    salted_hash("lianban plain v1", salt, text->detail, out_row->plain_hash);
    lb_detail_hash(out_row, place->key_hash, leaf->detail_hash);
    if (text->fields.len > 0)
        salted_hash("lianban fields v1", salt, text->fields, leaf->fields_hash);
    return LB_OK;
}

static lb_status check_commitments(const struct lb_leaf *leaf, const struct lb_detail_row *row,
                                   struct lb_span salt, struct lb_span fields,
                                   struct lb_span detail)
{
    uint8_t plain_hash[32];
    uint8_t fields_hash[32] = {0};
    salted_hash("lianban plain v1", salt, detail, plain_hash);
    if (fields.len > 0)
        salted_hash("lianban fields v1", salt, fields, fields_hash);
    LB_ENSURE(lb_crypto_equal(lb_span_of(plain_hash, 32), lb_span_of(row->plain_hash, 32)),
              LB_SEAL_BROKEN, "the leaf commits to another detail");
    LB_ENSURE(lb_crypto_equal(lb_span_of(fields_hash, 32), lb_span_of(leaf->fields_hash, 32)),
              LB_SEAL_BROKEN, "the leaf commits to other fields");
    return LB_OK;
}

lb_status lb_detail_open(const struct lb_detail_place *place,
                         const uint8_t data_key[LB_DETAIL_KEY_BYTES],
                         const struct lb_detail_row *row, const struct lb_leaf *leaf,
                         struct lb_arena *arena, struct lb_span *out_detail)
{
    uint8_t detail_hash[32];
    lb_detail_hash(row, place->key_hash, detail_hash);
    LB_ENSURE(lb_crypto_equal(lb_span_of(detail_hash, 32), lb_span_of(leaf->detail_hash, 32)),
              LB_SEAL_BROKEN, "the leaf commits to another row");
    LB_ENSURE(row->sealed.len >= LB_AEAD_TAG_BYTES &&
                  row->sealed.len <= LB_DETAIL_MAX_PAYLOAD_BYTES + LB_AEAD_TAG_BYTES,
              LB_SEAL_BROKEN, "detail has an impossible length");
    uint8_t aad_bytes[MAX_AAD_BYTES];
    struct lb_buf aad;
    lb_buf_over(&aad, aad_bytes, sizeof(aad_bytes));
    LB_TRY(make_aad(place, &aad));
    size_t len = row->sealed.len - LB_AEAD_TAG_BYTES;
    uint8_t *payload = lb_arena_alloc(arena, len);
    LB_ENSURE(payload != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_aead_open(lb_span_of(data_key, LB_DETAIL_KEY_BYTES), row->nonce, lb_buf_span(&aad),
                        row->sealed, payload));
    struct lb_cursor cur = lb_cursor_of(lb_span_of(payload, len));
    struct lb_span salt = lb_cursor_bytes(&cur, LB_DETAIL_SALT_BYTES);
    struct lb_span fields = lb_cursor_field32(&cur);
    struct lb_span detail = lb_cursor_field32(&cur);
    LB_ENSURE(lb_cursor_end(&cur) == LB_OK, LB_SEAL_BROKEN, "detail does not parse");
    LB_TRY(check_commitments(leaf, row, salt, fields, detail));
    *out_detail = detail;
    return LB_OK;
}
