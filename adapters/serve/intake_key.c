#include "adapters/serve/intake_key.h"

#include "adapters/serve/key_file.h"
#include "gateway/base/buf.h"
#include "gateway/base/wipe.h"
#include "gateway/crypto/aead.h"
#include "gateway/crypto/hash.h"

#define ARENA_BYTES (64 * 1024)

static void derive(const uint8_t key[LB_SERVE_KEY_BYTES], struct lb_intake_key *out)
{
    struct lb_span span = lb_span_of(key, LB_SERVE_KEY_BYTES);
    lb_hmac_sha256(span, lb_span_str("lianban intake key v1"), out->mark);
    lb_hmac_sha256(span, lb_span_str("lianban intake rows v1"), out->rows);
    lb_hmac_sha256(span, lb_span_str("lianban intake tags v1"), out->tags);
    out->ready = true;
}

lb_status lb_intake_key_load(const char *folder, bool create, struct lb_diag *diag,
                             struct lb_intake_key *out)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(ARENA_BYTES);
    uint8_t key[LB_SERVE_KEY_BYTES];
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "intake key");
    const char *path = lb_arena_printf(arena, "%s/intake.key", folder);
    LB_ENSURE(path != NULL, LB_NO_MEMORY, "intake key");
    if (lb_serve_key_file(path, create, arena, key) != LB_OK) {
        lb_diag_set(diag, "%s: must be there with 64 hex digits and mode 0600; restore it, or what "
                          "was handed in can't be read", path);
        LB_FAIL(LB_FILE_FAILED, "no usable intake key");
    }
    derive(key, out);
    lb_wipe(key, sizeof(key));
    return LB_OK;
}

void lb_intake_key_wipe(struct lb_intake_key *key)
{
    lb_wipe(key, sizeof(*key));
}

void lb_intake_key_tag(const struct lb_intake_key *key, const struct lb_span *parts, size_t num,
                       uint8_t out[32])
{
    uint8_t digest[32];
    lb_sha256_parts(parts, num, digest);
    lb_hmac_sha256(lb_span_of(key->tags, sizeof(key->tags)), lb_span_of(digest, sizeof(digest)),
                   out);
}

/* Kind and name have a fixed and a final place, so that no two bindings read alike. */
static lb_status bind(const char *kind, const uint8_t name[16], struct lb_arena *arena,
                      struct lb_span *out)
{
    struct lb_buf buf;
    lb_buf_init(&buf, 64);
    lb_buf_put_field16(&buf, lb_span_str(kind));
    lb_buf_put(&buf, lb_span_of(name, 16));
    lb_status status = lb_buf_check(&buf);
    if (status == LB_OK)
        status = lb_arena_copy(arena, lb_buf_span(&buf), out);
    lb_buf_cleanup(&buf);
    return status;
}

lb_status lb_intake_key_close(const struct lb_intake_key *key, const char *kind,
                              const uint8_t name[16], struct lb_span plain,
                              struct lb_arena *arena, struct lb_span *out)
{
    struct lb_span bound = LB_SPAN_EMPTY;
    LB_ENSURE(key->ready, LB_CRYPTO_FAILED, "there is no intake key");
    LB_TRY(bind(kind, name, arena, &bound));
    size_t len = plain.len + LB_INTAKE_AT_REST_BYTES;
    uint8_t *closed = lb_arena_alloc(arena, len);
    LB_ENSURE(closed != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_crypto_random(closed, LB_AEAD_NONCE_BYTES));
    LB_TRY(lb_aead_seal(lb_span_of(key->rows, sizeof(key->rows)), closed, bound, plain,
                        closed + LB_AEAD_NONCE_BYTES));
    *out = lb_span_of(closed, len);
    return LB_OK;
}

lb_status lb_intake_key_open(const struct lb_intake_key *key, const char *kind,
                             const uint8_t name[16], struct lb_span closed,
                             struct lb_arena *arena, struct lb_span *out)
{
    struct lb_span bound = LB_SPAN_EMPTY;
    LB_ENSURE(key->ready, LB_CRYPTO_FAILED, "there is no intake key");
    LB_ENSURE(closed.len >= LB_INTAKE_AT_REST_BYTES, LB_SEAL_BROKEN, "too short");
    LB_TRY(bind(kind, name, arena, &bound));
    size_t len = closed.len - LB_INTAKE_AT_REST_BYTES;
    uint8_t *plain = lb_arena_alloc(arena, len + 1);
    LB_ENSURE(plain != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_aead_open(lb_span_of(key->rows, sizeof(key->rows)), closed.ptr, bound,
                        lb_span_of(closed.ptr + LB_AEAD_NONCE_BYTES,
                                   closed.len - LB_AEAD_NONCE_BYTES),
                        plain));
    *out = lb_span_of(plain, len);
    return LB_OK;
}
