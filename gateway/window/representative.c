#include "gateway/crypto/b64.h"
#include "gateway/window/inside.h"
#include "gateway/wire/pb.h"
#include "policy/engine/idno.h"

/*
 * Who agrees for a member, when it is neither the member nor, for a minor, the applicant. It is
 * kept with the case as the message it came in; the consent office judges it, here only what could
 * never be right is turned away early.
 */
#define MAX_BYTES 4096

static lb_status check(const Lianban__V1__Representative *wire)
{
    char number[19];
    LB_ENSURE(strcmp(wire->kind, "guardian") == 0 || strcmp(wire->kind, "agent") == 0 ||
                  strcmp(wire->kind, "relative") == 0,
              LB_MALFORMED, "nobody agrees for others as that");
    LB_ENSURE(lb_idno_normalise(lb_span_str(wire->id_no), number) == LB_OK, LB_MALFORMED,
              "identity number does not hold");
    LB_ENSURE(wire->name[0] != '\0' && wire->relation[0] != '\0', LB_MALFORMED,
              "a name or a relation is missing");
    return LB_OK;
}

lb_status lb_case_take_representative(struct lb_case_member *member,
                                      const Lianban__V1__Representative *wire)
{
    if (wire == NULL)
        return LB_OK;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(4 * MAX_BYTES);
    struct lb_span bytes;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    LB_TRY(check(wire));
    LB_ENSURE(protobuf_c_message_get_packed_size(&wire->base) <= MAX_BYTES, LB_MALFORMED,
              "more than one can say of a representative");
    LB_TRY(lb_pb_pack(wire, arena, &bytes));
    const char *text = lb_b64_encode(arena, bytes);
    LB_ENSURE(text != NULL, LB_NO_MEMORY, "arena is full");
    return lb_case_text(&member->representative, lb_span_str(text));
}

lb_status lb_case_representative(const struct lb_case_member *member, struct lb_arena *arena,
                                 Lianban__V1__Representative **out)
{
    struct lb_span bytes;
    *out = NULL;
    if (member->representative == NULL)
        return LB_OK;
    LB_TRY(lb_b64_decode(arena, lb_span_str(member->representative), &bytes));
    return lb_pb_unpack(&lianban__v1__representative__descriptor, bytes, arena, out);
}
