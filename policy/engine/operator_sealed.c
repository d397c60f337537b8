#include "gateway/base/buf.h"
#include "gateway/base/wipe.h"
#include "gateway/crypto/aead.h"
#include "gateway/crypto/b64.h"
#include "gateway/crypto/hash.h"
#include "policy/engine/operator_private.h"

/*
 * What the asker can hold but not read: a pseudonym, and a value sealed for the provider itself.
 *
 *   pseudonym  base64url of the first 16 bytes of HMAC-SHA256(key, label || 18 characters)
 *   token      base64url of version (1) || nonce (16) || AES-256-GCM(plain)
 *   plain      160 bytes: expiry (8), length (2), value, zeros: a token's size tells nothing
 *
 * Every use has a key of its own, HKDF(provider's key; binding), and every token another, HKDF(key
 * of the use; nonce): a nonce is never too short, another binding opens nothing, and who pays in
 * the provider's place is given the key of that use alone.
 */

#define PSEUDO_LABEL "lianban pseudonym v1"
#define PSEUDO_BYTES 16
#define TOKEN_LABEL "lianban token v2"
#define USE_LABEL "lianban token use v1"
#define TOKEN_VERSION 2
#define MAX_BIND_BYTES 4096
#define PLAIN_BYTES 160
#define HEAD_BYTES 10
#define MAX_VALUE (PLAIN_BYTES - HEAD_BYTES)
#define BODY_AT (1 + LB_OP_NONCE_BYTES)
#define TOKEN_BYTES (BODY_AT + PLAIN_BYTES + LB_AEAD_TAG_BYTES)
#define DAY_S 86400

/* Counters are not needed: no key seals twice. */
static const uint8_t zero_nonce[LB_AEAD_NONCE_BYTES];

lb_status lb_op_apply_pseudo(const struct lb_op_run *run, struct lb_fact *out)
{
    char named[sizeof(PSEUDO_LABEL) + 19] = PSEUDO_LABEL;
    uint8_t digest[LB_SHA256_BYTES];
    *out = lb_fact_unknown();
    if (!lb_cell_idno(lb_cell_at(run->input, 0), named + sizeof(PSEUDO_LABEL)))
        return LB_OK;
    lb_hmac_sha256(lb_span_of(run->input->secrets->pseudo_key, LB_OP_KEY_BYTES),
                   lb_span_of(named, sizeof(PSEUDO_LABEL) + 18), digest);
    lb_wipe(named, sizeof(named));
    const char *text = lb_b64url_encode(run->arena, lb_span_of(digest, PSEUDO_BYTES));
    LB_ENSURE(text != NULL, LB_NO_MEMORY, "arena full");
    return lb_fact_set_text(lb_span_str(text), run->arena, out);
}

/* Length before each part, so that no two uses read alike. */
lb_status lb_op_token_bind(const struct lb_op_token_use *use, struct lb_arena *arena,
                           struct lb_span *out_bind)
{
    const char *const parts[] = {USE_LABEL,    use->provider, use->requester,
                                 use->purpose, use->view,     use->field};
    LB_DEFER(lb_buf_cleanup) struct lb_buf bind;
    lb_buf_init(&bind, MAX_BIND_BYTES);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        lb_buf_put_field16(&bind, lb_span_str(parts[i]));
    LB_TRY(lb_buf_check(&bind));
    return lb_arena_copy(arena, lb_buf_span(&bind), out_bind);
}

static void derive(const uint8_t key[LB_OP_KEY_BYTES], struct lb_span info,
                   uint8_t out[LB_OP_KEY_BYTES])
{
    uint8_t root[LB_SHA256_BYTES];
    lb_hkdf_extract(lb_span_str(TOKEN_LABEL), lb_span_of(key, LB_OP_KEY_BYTES), root);
    lb_hkdf_expand_parts(root, &info, 1, out, LB_OP_KEY_BYTES);
    lb_wipe(root, sizeof(root));
}

void lb_op_token_use_key(const uint8_t token_key[LB_OP_KEY_BYTES], struct lb_span bind,
                         uint8_t out[LB_OP_KEY_BYTES])
{
    derive(token_key, bind, out);
}

static void key_of_token(const struct lb_op_secrets *secrets, const uint8_t *nonce,
                         uint8_t out[LB_OP_KEY_BYTES])
{
    uint8_t use_key[LB_OP_KEY_BYTES];
    if (secrets->token_use_key != NULL)
        memcpy(use_key, secrets->token_use_key, sizeof(use_key));
    else
        derive(secrets->token_key, secrets->token_bind, use_key);
    derive(use_key, lb_span_of(nonce, LB_OP_NONCE_BYTES), out);
    lb_wipe(use_key, sizeof(use_key));
}

static void put_number(uint8_t *out, uint64_t value, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(value >> (8 * (len - 1 - i)));
}

static lb_status seal(const struct lb_op_run *run, struct lb_span value,
                      uint8_t token[TOKEN_BYTES])
{
    const struct lb_op_secrets *secrets = run->input->secrets;
    int64_t expires = secrets->now_unix_s + lb_op_number_arg(run->call, 0) * DAY_S;
    uint8_t plain[PLAIN_BYTES] = {0};
    uint8_t key[LB_OP_KEY_BYTES];
    put_number(plain, (uint64_t)expires, 8);
    put_number(plain + 8, value.len, 2);
    memcpy(plain + HEAD_BYTES, value.ptr, value.len);
    token[0] = TOKEN_VERSION;
    memcpy(token + 1, secrets->token_nonce, LB_OP_NONCE_BYTES);
    key_of_token(secrets, token + 1, key);
    lb_status status = lb_aead_seal(lb_span_of(key, sizeof(key)), zero_nonce,
                                    lb_span_str(TOKEN_LABEL), lb_span_of(plain, sizeof(plain)),
                                    token + BODY_AT);
    lb_wipe(plain, sizeof(plain));
    lb_wipe(key, sizeof(key));
    return status;
}

lb_status lb_op_apply_token(const struct lb_op_run *run, struct lb_fact *out)
{
    const struct lb_cell *cell = lb_cell_at(run->input, 0);
    char id[19];
    struct lb_span value;
    bool is_id = run->input->type == LB_FIELD_ID;
    bool readable = is_id ? lb_cell_idno(cell, id) : lb_cell_text(cell, run->input->type, &value);
    *out = lb_fact_unknown();
    if (!readable)
        return LB_OK;
    if (is_id)
        value = lb_span_of(id, 18);
    if (value.len > MAX_VALUE)
        return LB_OK;
    uint8_t token[TOKEN_BYTES];
    LB_TRY(seal(run, value, token));
    const char *text = lb_b64url_encode(run->arena, lb_span_of(token, sizeof(token)));
    LB_ENSURE(text != NULL, LB_NO_MEMORY, "arena full");
    return lb_fact_set_text(lb_span_str(text), run->arena, out);
}

static lb_status read_plain(const uint8_t plain[PLAIN_BYTES], int64_t now_unix_s,
                            struct lb_arena *arena, struct lb_span *out_value)
{
    struct lb_cursor cursor = lb_cursor_of(lb_span_of(plain, PLAIN_BYTES));
    int64_t expires = (int64_t)lb_cursor_u64(&cursor);
    struct lb_span value = lb_cursor_bytes(&cursor, lb_cursor_u16(&cursor));
    LB_ENSURE(!cursor.failed, LB_SEAL_BROKEN, "a sealed value of no form");
    LB_ENSURE(now_unix_s < expires, LB_TOKEN_EXPIRED, "a sealed value past its day");
    return lb_arena_copy(arena, value, out_value);
}

lb_status lb_op_token_open(struct lb_span token, const struct lb_op_secrets *secrets,
                           struct lb_arena *arena, struct lb_span *out_value)
{
    struct lb_span bytes;
    uint8_t plain[PLAIN_BYTES];
    uint8_t key[LB_OP_KEY_BYTES];
    LB_ENSURE(secrets->token_key != NULL || secrets->token_use_key != NULL, LB_INTERNAL,
              "no key for tokens");
    LB_ENSURE(token.len <= LB_MAX_VALUE_BYTES, LB_MALFORMED, "a token of another length");
    LB_TRY(lb_b64url_decode(arena, token, &bytes));
    LB_ENSURE(bytes.len == TOKEN_BYTES && bytes.ptr[0] == TOKEN_VERSION, LB_MALFORMED,
              "a token of another length or version");
    key_of_token(secrets, bytes.ptr + 1, key);
    lb_status status = lb_aead_open(
        lb_span_of(key, sizeof(key)), zero_nonce, lb_span_str(TOKEN_LABEL),
        lb_span_of(bytes.ptr + BODY_AT, PLAIN_BYTES + LB_AEAD_TAG_BYTES), plain);
    lb_wipe(key, sizeof(key));
    if (status == LB_OK)
        status = read_plain(plain, secrets->now_unix_s, arena, out_value);
    lb_wipe(plain, sizeof(plain));
    return status;
}
