#include "gateway/base/wipe.h"
#include "gateway/crypto/hash.h"
#include "policy/engine/operator_private.h"

/* EQ: what the citizen stated against what the department has. */

/* The claimed values, and which of them a row has matched. */
struct claims {
    size_t num;
    bool readable;
    bool seen[LB_MAX_CLAIM_VALUES];
    uint8_t digest[LB_MAX_CLAIM_VALUES][LB_SHA256_BYTES];
};

static void wipe_claims(struct claims *claims)
{
    lb_wipe(claims, sizeof(*claims));
}

static lb_status read_claims(const struct lb_op_input *input, struct lb_arena *arena,
                             struct claims *out)
{
    LB_ENSURE(input->num_claim <= LB_MAX_CLAIM_VALUES, LB_TOO_LARGE, "too many claimed values");
    out->num = input->num_claim;
    out->readable = input->num_claim > 0;
    for (size_t i = 0; i < out->num; i++) {
        bool readable = false;
        LB_TRY(lb_cell_digest(input->claim[i], input->type, arena, &readable, out->digest[i]));
        out->readable = out->readable && readable;
    }
    return LB_OK;
}

/* Compares with every claim whatever the outcome, so that time tells nothing. */
static bool match_claims(struct claims *claims, const uint8_t digest[LB_SHA256_BYTES])
{
    bool any = false;
    for (size_t i = 0; i < claims->num; i++) {
        bool same = lb_crypto_equal(lb_span_of(claims->digest[i], LB_SHA256_BYTES),
                                    lb_span_of(digest, LB_SHA256_BYTES));
        claims->seen[i] |= same;
        any |= same;
    }
    return any;
}

/* Two sets are equal when every row is claimed and every claim has a row; doubles do not count. */
lb_status lb_op_apply_eq(const struct lb_op_run *run, struct lb_fact *out)
{
    const struct lb_op_input *input = run->input;
    struct claims LB_DEFER(wipe_claims) claims = {0};
    LB_TRY(read_claims(input, run->arena, &claims));
    bool readable = claims.readable;
    bool equal = true;
    for (size_t i = 0; i < input->rows->num_rows; i++) {
        const struct lb_cell *cell = lb_cell_at(input, i);
        uint8_t digest[LB_SHA256_BYTES] = {0};
        bool cell_readable = false;
        if (cell->kind == LB_CELL_TEXT)
            LB_TRY(lb_cell_digest(cell->text, input->type, run->arena, &cell_readable, digest));
        equal &= match_claims(&claims, digest);
        readable &= cell_readable;
        lb_wipe(digest, sizeof(digest));
    }
    for (size_t i = 0; i < claims.num; i++)
        equal &= claims.seen[i];
    *out = readable ? lb_fact_truth(equal) : lb_fact_unknown();
    return LB_OK;
}
