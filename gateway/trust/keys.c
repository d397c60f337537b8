#include "gateway/trust/keys.h"

#include "gateway/base/file.h"
#include "gateway/base/limits.h"
#include "gateway/crypto/b64.h"

#define X25519_LABEL "lianban-x25519-private "
#define KEY_ARENA_BYTES (4 * LB_MAX_PEM_BYTES)

/* Keys pass through an arena of their own: it is wiped at the end of each call. */
static lb_status new_arena(struct lb_arena **out_arena)
{
    struct lb_arena *arena = lb_arena_new(KEY_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "no memory for an arena");
    *out_arena = arena;
    return LB_OK;
}

lb_status lb_keys_load_sign(const char *path, enum lb_sign_alg alg, struct lb_sign_key **out_key)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = NULL;
    LB_TRY(new_arena(&arena));
    struct lb_span pem;
    LB_TRY(lb_file_read_secret(path, LB_MAX_PEM_BYTES, arena, &pem));
    return lb_sign_key_from_pem(pem, alg, out_key);
}

static lb_status parse_x25519(struct lb_span text, struct lb_arena *arena,
                              struct lb_x25519_key *out_key)
{
    struct lb_span label = lb_span_str(X25519_LABEL);
    if (text.len > 0 && text.ptr[text.len - 1] == '\n')
        text.len--;
    LB_ENSURE(text.len > label.len && lb_span_eq(lb_span_of(text.ptr, label.len), label),
              LB_MALFORMED, "not a sealing key file");
    struct lb_span raw;
    LB_TRY(lb_b64url_decode(arena, lb_span_of(text.ptr + label.len, text.len - label.len), &raw));
    LB_ENSURE(raw.len == LB_X25519_BYTES, LB_MALFORMED, "sealing key is not 32 bytes");
    return lb_x25519_from_private(raw.ptr, out_key);
}

lb_status lb_keys_load_x25519(const char *path, struct lb_x25519_key *out_key)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = NULL;
    LB_TRY(new_arena(&arena));
    struct lb_span text;
    LB_TRY(lb_file_read_secret(path, LB_MAX_PEM_BYTES, arena, &text));
    return parse_x25519(text, arena, out_key);
}

lb_status lb_keys_save_sign(const char *path, const struct lb_sign_key *key)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = NULL;
    LB_TRY(new_arena(&arena));
    struct lb_span pem;
    LB_TRY(lb_sign_key_to_pem(key, arena, &pem));
    return lb_file_write(path, pem, 0600);
}

lb_status lb_keys_save_x25519(const char *path, const struct lb_x25519_key *key)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = NULL;
    LB_TRY(new_arena(&arena));
    char *raw = lb_b64url_encode(arena, lb_span_of(key->private_key, LB_X25519_BYTES));
    LB_ENSURE(raw != NULL, LB_NO_MEMORY, "arena is full");
    char *line = lb_arena_printf(arena, X25519_LABEL "%s\n", raw);
    LB_ENSURE(line != NULL, LB_NO_MEMORY, "arena is full");
    return lb_file_write(path, lb_span_str(line), 0600);
}
