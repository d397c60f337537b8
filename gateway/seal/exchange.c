#include "gateway/seal/exchange.h"

#include "gateway/base/buf.h"
#include "gateway/base/limits.h"
#include "gateway/base/wipe.h"
#include "gateway/crypto/hash.h"

#define INFO_LABEL "lianban read v1"
#define AAD_LABEL "lianban aad v1"
#define ANSWER_LABEL "lianban answer"

#define MAX_INFO_BYTES 1024
/* The longest grant and eight views of the longest names, with lengths and numbers. */
#define MAX_AAD_INPUT_BYTES (LB_MAX_GRANT_BYTES + 1024)

/* The nonce of an answer: its key is used once. */
static const uint8_t zero_nonce[LB_AEAD_NONCE_BYTES];

static bool within(struct lb_span text, size_t max)
{
    return text.len > 0 && text.len <= max;
}

lb_status lb_seal_info(const char *requester, const char *audience, const char *key_id,
                       struct lb_arena *arena, struct lb_span *out_info)
{
    const struct lb_span from = lb_span_str(requester);
    const struct lb_span to = lb_span_str(audience);
    const struct lb_span key = lb_span_str(key_id);
    LB_ENSURE(within(from, LB_MAX_SPIFFE_BYTES) && within(to, LB_MAX_SPIFFE_BYTES),
              LB_MALFORMED, "identity in a seal");
    LB_ENSURE(within(key, LB_MAX_NAME_BYTES), LB_MALFORMED, "key id in a seal");
    LB_DEFER(lb_buf_cleanup) struct lb_buf buf;
    lb_buf_init(&buf, MAX_INFO_BYTES);
    lb_buf_put_str(&buf, INFO_LABEL);
    lb_buf_put_field16(&buf, from);
    lb_buf_put_field16(&buf, to);
    lb_buf_put_field16(&buf, key);
    LB_ENSURE(lb_buf_check(&buf) == LB_OK, LB_NO_MEMORY, "info of a seal");
    return lb_arena_copy(arena, lb_buf_span(&buf), out_info);
}

static bool views_ok(const struct lb_span *views, size_t num_views)
{
    if (num_views == 0 || num_views > LB_MAX_VIEWS_PER_SECTION)
        return false;
    for (size_t i = 0; i < num_views; i++) {
        if (!within(views[i], LB_MAX_NAME_BYTES))
            return false;
    }
    return true;
}

lb_status lb_seal_aad(struct lb_span grant, struct lb_span txn, const struct lb_span *views,
                      size_t num_views, int64_t deadline_unix_ms, uint32_t answer_bytes,
                      uint8_t out_aad[LB_SEAL_AAD_BYTES])
{
    LB_ENSURE(within(grant, LB_MAX_GRANT_BYTES), LB_MALFORMED, "grant in a seal");
    LB_ENSURE(txn.len == LB_SEAL_TXN_BYTES, LB_MALFORMED, "txn in a seal");
    LB_ENSURE(views_ok(views, num_views), LB_MALFORMED, "views in a seal");
    LB_ENSURE(deadline_unix_ms >= 0, LB_MALFORMED, "deadline in a seal");
    LB_DEFER(lb_buf_cleanup) struct lb_buf buf;
    lb_buf_init(&buf, MAX_AAD_INPUT_BYTES);
    lb_buf_put_str(&buf, AAD_LABEL);
    lb_buf_put_field32(&buf, grant);
    lb_buf_put_field16(&buf, txn);
    lb_buf_put_u16(&buf, (uint16_t)num_views);
    for (size_t i = 0; i < num_views; i++)
        lb_buf_put_field16(&buf, views[i]);
    lb_buf_put_u64(&buf, (uint64_t)deadline_unix_ms);
    lb_buf_put_u32(&buf, answer_bytes);
    /* Nothing here is past its limit, so only memory can have run out. */
    LB_ENSURE(lb_buf_check(&buf) == LB_OK, LB_NO_MEMORY, "AAD of a seal");
    lb_sha256(lb_buf_span(&buf), out_aad);
    return LB_OK;
}

static void derive_key(const struct lb_hpke_context *context, uint64_t seq,
                       const uint8_t request_sha256[LB_SHA256_BYTES],
                       uint8_t out_key[LB_SEAL_ANSWER_KEY_BYTES])
{
    const size_t label_len = sizeof(ANSWER_LABEL) - 1;
    uint8_t exporter[sizeof(ANSWER_LABEL) - 1 + 8 + LB_SHA256_BYTES];
    memcpy(exporter, ANSWER_LABEL, label_len);
    for (size_t i = 0; i < 8; i++)
        exporter[label_len + i] = (uint8_t)(seq >> (8 * (7 - i)));
    memcpy(exporter + label_len + 8, request_sha256, LB_SHA256_BYTES);
    lb_hpke_export(context, lb_span_of(exporter, sizeof(exporter)), out_key,
                   LB_SEAL_ANSWER_KEY_BYTES);
}

void lb_seal_answer_key(const struct lb_hpke_context *context, uint64_t seq,
                        struct lb_span ciphertext, uint8_t out_key[LB_SEAL_ANSWER_KEY_BYTES])
{
    uint8_t digest[LB_SHA256_BYTES];
    lb_sha256(ciphertext, digest);
    derive_key(context, seq, digest, out_key);
}

/* The key of one answer, wiped at the end of its scope. */
struct answer_key {
    uint8_t bytes[LB_SEAL_ANSWER_KEY_BYTES];
};

static void answer_key_wipe(struct answer_key *key)
{
    lb_wipe(key, sizeof(*key));
}

lb_status lb_seal_answer(const struct lb_hpke_context *context, uint64_t seq,
                         struct lb_span ciphertext, struct lb_span txn, struct lb_span plain,
                         struct lb_arena *arena, struct lb_span *out_sealed)
{
    uint8_t digest[LB_SHA256_BYTES];
    lb_sha256(ciphertext, digest);
    return lb_seal_answer_to(context, seq, digest, txn, plain, arena, out_sealed);
}

lb_status lb_seal_answer_to(const struct lb_hpke_context *context, uint64_t seq,
                            const uint8_t request_sha256[LB_SHA256_BYTES], struct lb_span txn,
                            struct lb_span plain, struct lb_arena *arena,
                            struct lb_span *out_sealed)
{
    LB_ENSURE(txn.len == LB_SEAL_TXN_BYTES, LB_MALFORMED, "txn of an answer");
    LB_ENSURE(plain.len <= SIZE_MAX - LB_AEAD_TAG_BYTES, LB_TOO_LARGE, "answer is too long");
    size_t len = plain.len + LB_AEAD_TAG_BYTES;
    uint8_t *sealed = lb_arena_alloc(arena, len);
    LB_ENSURE(sealed != NULL, LB_NO_MEMORY, "arena is full");
    LB_DEFER(answer_key_wipe) struct answer_key key;
    derive_key(context, seq, request_sha256, key.bytes);
    LB_TRY(lb_aead_seal(lb_span_of(key.bytes, sizeof(key.bytes)), zero_nonce, txn, plain, sealed));
    *out_sealed = lb_span_of(sealed, len);
    return LB_OK;
}

lb_status lb_open_answer(const struct lb_hpke_context *context, uint64_t seq,
                         struct lb_span ciphertext, struct lb_span txn, struct lb_span sealed,
                         struct lb_arena *arena, struct lb_span *out_plain)
{
    LB_ENSURE(txn.len == LB_SEAL_TXN_BYTES, LB_SEAL_BROKEN, "txn of an answer");
    LB_ENSURE(sealed.len >= LB_AEAD_TAG_BYTES, LB_SEAL_BROKEN, "length of an answer");
    size_t len = sealed.len - LB_AEAD_TAG_BYTES;
    uint8_t *plain = lb_arena_alloc(arena, len);
    LB_ENSURE(plain != NULL, LB_NO_MEMORY, "arena is full");
    LB_DEFER(answer_key_wipe) struct answer_key key;
    lb_seal_answer_key(context, seq, ciphertext, key.bytes);
    LB_TRY(lb_aead_open(lb_span_of(key.bytes, sizeof(key.bytes)), zero_nonce, txn, sealed, plain));
    *out_plain = lb_span_of(plain, len);
    return LB_OK;
}
