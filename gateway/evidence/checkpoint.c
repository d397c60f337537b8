#include "gateway/evidence/checkpoint.h"

#include "gateway/crypto/b64.h"

#define CHECKPOINT_ARENA_BYTES 16384
#define MAX_SIZE_DIGITS 20

lb_status lb_checkpoint_sign(const struct lb_checkpoint *checkpoint, const struct lb_sign_key *key,
                             struct lb_arena *arena, struct lb_span *out_note)
{
    LB_ENSURE(strnlen(checkpoint->origin, sizeof(checkpoint->origin)) < sizeof(checkpoint->origin),
              LB_MALFORMED, "origin is too long");
    const char *root =
        lb_b64_encode(arena, lb_span_of(checkpoint->root.bytes, sizeof(checkpoint->root.bytes)));
    LB_ENSURE(root != NULL, LB_NO_MEMORY, "arena is full");
    const char *text = lb_arena_printf(arena, "%s\n%llu\n%s\n", checkpoint->origin,
                                       (unsigned long long)checkpoint->size, root);
    LB_ENSURE(text != NULL, LB_NO_MEMORY, "arena is full");
    return lb_note_sign(lb_span_str(text), false, checkpoint->origin, key, arena, out_note);
}

/* Cuts the first line, without its LF, off *rest. */
static lb_status take_line(struct lb_span *rest, struct lb_span *out_line)
{
    const uint8_t *lf = rest->len == 0 ? NULL : memchr(rest->ptr, '\n', rest->len);
    LB_ENSURE(lf != NULL, LB_MALFORMED, "checkpoint lacks a line");
    size_t len = (size_t)(lf - rest->ptr);
    *out_line = lb_span_of(rest->ptr, len);
    *rest = lb_span_of(lf + 1, rest->len - len - 1);
    return LB_OK;
}

lb_status lb_checkpoint_parse_size(struct lb_span text, uint64_t *out_size)
{
    LB_ENSURE(text.len > 0 && text.len <= MAX_SIZE_DIGITS, LB_MALFORMED, "checkpoint size");
    LB_ENSURE(text.len == 1 || text.ptr[0] != '0', LB_MALFORMED, "checkpoint size starts with 0");
    uint64_t size = 0;
    for (size_t i = 0; i < text.len; i++) {
        LB_ENSURE(text.ptr[i] >= '0' && text.ptr[i] <= '9', LB_MALFORMED, "checkpoint size");
        uint64_t digit = (uint64_t)(text.ptr[i] - '0');
        LB_ENSURE(size <= (INT64_MAX - digit) / 10, LB_MALFORMED, "checkpoint size is too large");
        size = size * 10 + digit;
    }
    *out_size = size;
    return LB_OK;
}

static lb_status parse_root(struct lb_span text, struct lb_hash *out_root)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(CHECKPOINT_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "checkpoint arena");
    struct lb_span root;
    LB_ENSURE(text.len == 44, LB_MALFORMED, "checkpoint root has the wrong length");
    LB_TRY(lb_b64_decode(arena, text, &root));
    LB_ENSURE(root.len == LB_HASH_BYTES, LB_MALFORMED, "checkpoint root has the wrong length");
    memcpy(out_root->bytes, root.ptr, LB_HASH_BYTES);
    return LB_OK;
}

lb_status lb_checkpoint_open(struct lb_span note, const struct lb_note_verifier *verifier,
                             struct lb_checkpoint *out_checkpoint)
{
    struct lb_span rest;
    struct lb_span origin;
    struct lb_span size;
    struct lb_span root;
    uint32_t mask = 0;
    struct lb_checkpoint checkpoint = {0};
    LB_TRY(lb_note_open(note, verifier, 1, &rest, &mask));
    LB_TRY(take_line(&rest, &origin));
    LB_TRY(take_line(&rest, &size));
    LB_TRY(take_line(&rest, &root));
    LB_ENSURE(rest.len == 0, LB_MALFORMED, "checkpoint has lines too many");
    LB_ENSURE(lb_span_is(origin, verifier->name), LB_MALFORMED, "checkpoint of another origin");
    memcpy(checkpoint.origin, origin.ptr, origin.len);
    LB_TRY(lb_checkpoint_parse_size(size, &checkpoint.size));
    LB_TRY(parse_root(root, &checkpoint.root));
    *out_checkpoint = checkpoint;
    return LB_OK;
}
