#include "gateway/seal/parcel.h"

#include "gateway/base/buf.h"
#include "gateway/base/limits.h"
#include "gateway/base/wipe.h"
#include "gateway/crypto/hash.h"
#include "gateway/seal/padded.h"

#define INFO_LABEL "lianban parcel v1"
#define AAD_LABEL "lianban parcel aad v1"
#define MAX_INFO_BYTES 1024

/* A context of its own: the first number is the only one. */
#define SEQ 0

static bool within(const char *text, size_t max)
{
    size_t len = lb_span_str(text).len;
    return len > 0 && len <= max;
}

static lb_status check_cover(const struct lb_parcel_cover *cover)
{
    LB_ENSURE(within(cover->sender, LB_MAX_SPIFFE_BYTES) &&
                  within(cover->recipient, LB_MAX_SPIFFE_BYTES),
              LB_MALFORMED, "identity on a parcel");
    LB_ENSURE(within(cover->key_id, LB_MAX_NAME_BYTES), LB_MALFORMED, "key id on a parcel");
    LB_ENSURE(cover->expires_unix_s >= 0, LB_MALFORMED, "end of a parcel");
    return LB_OK;
}

static lb_status make_info(const struct lb_parcel_cover *cover, struct lb_arena *arena,
                           struct lb_span *out)
{
    LB_DEFER(lb_buf_cleanup) struct lb_buf buf;
    lb_buf_init(&buf, MAX_INFO_BYTES);
    lb_buf_put_str(&buf, INFO_LABEL);
    lb_buf_put_field16(&buf, lb_span_str(cover->sender));
    lb_buf_put_field16(&buf, lb_span_str(cover->recipient));
    lb_buf_put_field16(&buf, lb_span_str(cover->key_id));
    LB_ENSURE(lb_buf_check(&buf) == LB_OK, LB_NO_MEMORY, "info of a parcel");
    return lb_arena_copy(arena, lb_buf_span(&buf), out);
}

static lb_status make_aad(const struct lb_parcel_cover *cover, uint8_t out[LB_SHA256_BYTES])
{
    LB_DEFER(lb_buf_cleanup) struct lb_buf buf;
    lb_buf_init(&buf, sizeof(AAD_LABEL) + sizeof(cover->name) + sizeof(uint64_t));
    lb_buf_put_str(&buf, AAD_LABEL);
    lb_buf_put(&buf, lb_span_of(cover->name, sizeof(cover->name)));
    lb_buf_put_u64(&buf, (uint64_t)cover->expires_unix_s);
    LB_ENSURE(lb_buf_check(&buf) == LB_OK, LB_NO_MEMORY, "AAD of a parcel");
    lb_sha256(lb_buf_span(&buf), out);
    return LB_OK;
}

lb_status lb_parcel_seal(const struct lb_parcel_cover *cover,
                         const uint8_t recipient_pub[LB_X25519_BYTES],
                         const struct lb_x25519_key *sender, struct lb_span message,
                         struct lb_arena *arena, struct lb_parcel_sealed *out)
{
    LB_DEFER(lb_hpke_context_wipe) struct lb_hpke_context context = {0};
    struct lb_parcel_sealed sealed;
    struct lb_span info, framed;
    uint8_t aad[LB_SHA256_BYTES];
    LB_TRY(check_cover(cover));
    size_t size = lb_padded_size(message.len, LB_PARCEL_STEP_BYTES);
    LB_ENSURE(message.len <= LB_MAX_PARCEL_BYTES && size <= LB_MAX_PARCEL_BYTES - LB_HPKE_TAG_BYTES,
              LB_TOO_LARGE, "parcel");
    LB_TRY(make_info(cover, arena, &info));
    LB_TRY(make_aad(cover, aad));
    LB_TRY(lb_padded_wrap(message, size, arena, &framed));
    uint8_t *ciphertext = lb_arena_alloc(arena, size + LB_HPKE_TAG_BYTES);
    LB_ENSURE(ciphertext != NULL, LB_NO_MEMORY, "parcel");
    LB_TRY(lb_hpke_setup_sender(recipient_pub, info, sender, sealed.enc, &context));
    LB_TRY(lb_hpke_seal(&context, SEQ, lb_span_of(aad, sizeof(aad)), framed, ciphertext));
    sealed.ciphertext = lb_span_of(ciphertext, size + LB_HPKE_TAG_BYTES);
    *out = sealed;
    return LB_OK;
}

lb_status lb_parcel_open(const struct lb_parcel_cover *cover,
                         const struct lb_x25519_key *recipient,
                         const uint8_t sender_pub[LB_X25519_BYTES],
                         const struct lb_parcel_sealed *sealed, struct lb_arena *arena,
                         struct lb_span *out_message)
{
    LB_DEFER(lb_hpke_context_wipe) struct lb_hpke_context context = {0};
    struct lb_span info;
    uint8_t aad[LB_SHA256_BYTES];
    LB_TRY(check_cover(cover));
    LB_ENSURE(sealed->ciphertext.len <= LB_MAX_PARCEL_BYTES, LB_TOO_LARGE, "parcel");
    LB_ENSURE(sealed->ciphertext.len > LB_HPKE_TAG_BYTES &&
                  (sealed->ciphertext.len - LB_HPKE_TAG_BYTES) % LB_PARCEL_STEP_BYTES == 0,
              LB_MALFORMED, "size of a parcel");
    LB_TRY(make_info(cover, arena, &info));
    LB_TRY(make_aad(cover, aad));
    size_t size = sealed->ciphertext.len - LB_HPKE_TAG_BYTES;
    uint8_t *framed = lb_arena_alloc(arena, size);
    LB_ENSURE(framed != NULL, LB_NO_MEMORY, "parcel");
    LB_TRY(lb_hpke_setup_recipient(recipient, sealed->enc, info, sender_pub, &context));
    LB_TRY(lb_hpke_open(&context, SEQ, lb_span_of(aad, sizeof(aad)), sealed->ciphertext, framed));
    struct lb_span message;
    LB_TRY(lb_padded_unwrap(lb_span_of(framed, size), &message));
    LB_ENSURE(lb_padded_size(message.len, LB_PARCEL_STEP_BYTES) == size, LB_MALFORMED,
              "a parcel is padded further than it needs");
    *out_message = message;
    return LB_OK;
}
