#include "gateway/trust/handover.h"

static lb_status text_of(const struct lb_handover *handover, struct lb_arena *arena,
                         struct lb_span *out)
{
    char *text = lb_arena_printf(arena, "lianban key handover v1\n%s %s\n%s %s\n",
                                 handover->old_name, handover->old_key, handover->new_name,
                                 handover->new_key);
    LB_ENSURE(text != NULL, LB_NO_MEMORY, "arena is full");
    *out = lb_span_str(text);
    return LB_OK;
}

lb_status lb_handover_sign(const struct lb_handover *handover, const struct lb_sign_key *old_key,
                           struct lb_arena *arena, uint8_t out_signature[LB_SIGNATURE_BYTES])
{
    struct lb_span text;
    LB_TRY(text_of(handover, arena, &text));
    return lb_sign(old_key, text, out_signature);
}

lb_status lb_handover_check(const struct lb_handover *handover, const struct lb_verify_key *old_key,
                            struct lb_span signature, struct lb_arena *arena)
{
    struct lb_span text;
    LB_TRY(text_of(handover, arena, &text));
    return lb_verify(old_key, text, signature);
}
