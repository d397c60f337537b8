#include "gateway/base/hex.h"
#include "gateway/base/wipe.h"
#include "gateway/crypto/b64.h"
#include "gateway/note/syntax.h"

#define SECRET_PREFIX "PRIVATE+KEY+"

static lb_status verifier_make(struct lb_span name,
                               const uint8_t public_key[LB_ED25519_PUBLIC_BYTES],
                               struct lb_note_verifier *out_verifier)
{
    LB_ENSURE(lb_note_name_ok(name), LB_MALFORMED, "name of a note key");
    struct lb_note_verifier verifier = {.key = NULL};
    LB_TRY(lb_verify_key_new(LB_SIGN_ED25519, lb_span_of(public_key, LB_ED25519_PUBLIC_BYTES),
                             &verifier.key));
    memcpy(verifier.name, name.ptr, name.len);
    memcpy(verifier.public_key, public_key, LB_ED25519_PUBLIC_BYTES);
    lb_note_key_id(name, LB_NOTE_ALG_ED25519, public_key, verifier.key_id);
    *out_verifier = verifier;
    return LB_OK;
}

lb_status lb_note_verifier_init(const char *name, const uint8_t public_key[32],
                                struct lb_note_verifier *out_verifier)
{
    return verifier_make(lb_span_str(name), public_key, out_verifier);
}

static bool id_is(const uint8_t a[LB_NOTE_KEY_ID_BYTES], const uint8_t b[LB_NOTE_KEY_ID_BYTES])
{
    return lb_span_eq(lb_span_of(a, LB_NOTE_KEY_ID_BYTES), lb_span_of(b, LB_NOTE_KEY_ID_BYTES));
}

lb_status lb_note_verifier_parse(struct lb_span vkey, struct lb_note_verifier *out_verifier)
{
    struct lb_note_key_text text;
    uint8_t key_id[LB_NOTE_KEY_ID_BYTES];
    LB_TRY(lb_note_key_text_parse(vkey, LB_NOTE_ALG_ED25519, &text));
    lb_note_key_id(text.name, LB_NOTE_ALG_ED25519, text.bytes, key_id);
    LB_ENSURE(id_is(key_id, text.key_id), LB_MALFORMED, "id of a note key does not fit");
    return verifier_make(text.name, text.bytes, out_verifier);
}

char *lb_note_verifier_format(const struct lb_note_verifier *verifier, struct lb_arena *arena)
{
    uint8_t bytes[1 + LB_ED25519_PUBLIC_BYTES] = {LB_NOTE_ALG_ED25519};
    char key_id[2 * LB_NOTE_KEY_ID_BYTES + 1];
    memcpy(bytes + 1, verifier->public_key, LB_ED25519_PUBLIC_BYTES);
    lb_hex_encode(lb_span_of(verifier->key_id, LB_NOTE_KEY_ID_BYTES), key_id);
    const char *encoded = lb_b64_encode(arena, lb_span_of(bytes, sizeof(bytes)));
    if (encoded == NULL)
        return NULL;
    return lb_arena_printf(arena, "%s+%s+%s", verifier->name, key_id, encoded);
}

void lb_note_verifier_cleanup(struct lb_note_verifier *verifier)
{
    lb_verify_key_free(verifier->key);
    *verifier = (struct lb_note_verifier){.key = NULL};
}

static void text_wipe(struct lb_note_key_text *text)
{
    lb_wipe(text, sizeof(*text));
}

static void sign_key_freep(struct lb_sign_key **key)
{
    lb_sign_key_free(*key);
}

lb_status lb_note_signer_parse(struct lb_span text, struct lb_arena *arena, const char **out_name,
                               struct lb_sign_key **out_key)
{
    const struct lb_span prefix = lb_span_str(SECRET_PREFIX);
    LB_ENSURE(text.len > prefix.len && lb_span_eq(lb_span_of(text.ptr, prefix.len), prefix),
              LB_MALFORMED, "not a secret note key");
    LB_DEFER(text_wipe) struct lb_note_key_text parsed = {.name = LB_SPAN_EMPTY};
    LB_TRY(lb_note_key_text_parse(lb_span_of(text.ptr + prefix.len, text.len - prefix.len),
                                  LB_NOTE_ALG_ED25519, &parsed));
    LB_DEFER(sign_key_freep) struct lb_sign_key *key = NULL;
    LB_TRY(lb_sign_key_from_seed(parsed.bytes, &key));
    uint8_t public_key[LB_P256_PUBLIC_BYTES];
    uint8_t key_id[LB_NOTE_KEY_ID_BYTES];
    (void)lb_sign_key_public(key, public_key);
    lb_note_key_id(parsed.name, LB_NOTE_ALG_ED25519, public_key, key_id);
    LB_ENSURE(id_is(key_id, parsed.key_id), LB_MALFORMED, "id of a note key does not fit");
    const char *name = lb_arena_str(arena, parsed.name);
    LB_ENSURE(name != NULL, LB_NO_MEMORY, "arena is full");
    *out_name = name;
    *out_key = key;
    key = NULL;
    return LB_OK;
}
