#include "gateway/psi/message.h"
#include "tests/fuzz/fuzz.h"

/* The files that two departments give each other, and what is sealed in them: what was read is what
 * is written, lists are in order and of a padded size. The first byte says which of the three. */

#define ARENA_BYTES (64U << 20)

static bool is_written_again(struct lb_span in, lb_status status, struct lb_span again)
{
    FUZZ_OK(status);
    FUZZ_CHECK(lb_span_eq(in, again));
    return true;
}

static bool try_file(struct lb_span in, struct lb_arena *arena)
{
    struct lb_psi_file file;
    struct lb_span again = LB_SPAN_EMPTY;
    if (lb_psi_file_read(in, arena, &file) != LB_OK)
        return false;
    return is_written_again(in, lb_psi_file_write(&file, arena, &again), again);
}

static bool try_offer(struct lb_span in, struct lb_arena *arena)
{
    struct lb_psi_offer offer;
    struct lb_span again = LB_SPAN_EMPTY;
    if (lb_psi_offer_read(in, &offer) != LB_OK)
        return false;
    FUZZ_CHECK(lb_psi_padded(offer.num) == offer.num && offer.num <= LB_PSI_MAX_ELEMENTS);
    return is_written_again(in, lb_psi_offer_write(&offer, arena, &again), again);
}

static bool try_answer(struct lb_span in, struct lb_arena *arena)
{
    struct lb_psi_answer answer;
    struct lb_span again = LB_SPAN_EMPTY;
    if (lb_psi_answer_read(in, &answer) != LB_OK)
        return false;
    FUZZ_CHECK(answer.num <= LB_PSI_MAX_ELEMENTS && answer.num_tags <= LB_PSI_MAX_ELEMENTS);
    return is_written_again(in, lb_psi_answer_write(&answer, arena, &again), again);
}

bool fuzz_psi_file(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    switch (fuzz_u8(&in) % 3) {
    case 0:
        return try_file(in, arena);
    case 1:
        return try_offer(in, arena);
    default:
        return try_answer(in, arena);
    }
}

void seed_psi_file(const struct fuzz_sink *sink)
{
    uint8_t points[LB_PSI_MIN_PADDED][LB_P256_POINT_BYTES] = {{0}};
    uint8_t tags[LB_PSI_MIN_PADDED][LB_PSI_TAG_BYTES] = {{0}};
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    struct lb_span bytes;
    for (size_t i = 0; i < LB_PSI_MIN_PADDED; i++)
        points[i][0] = (uint8_t)i;
    const struct lb_psi_evidence evidence = {{1}, lb_span_str("query"), lb_span_str("log"),
                                             lb_span_str("entry")};
    const struct lb_psi_offer offer = {{1}, {2}, {3}, evidence, LB_PSI_MIN_PADDED,
                                       (const uint8_t(*)[LB_P256_POINT_BYTES])points};
    const struct lb_psi_answer answer = {{1},
                                         {2},
                                         evidence,
                                         LB_PSI_MIN_PADDED,
                                         (const uint8_t(*)[LB_PSI_TAG_BYTES])tags,
                                         LB_PSI_MIN_PADDED,
                                         offer.points};
    const struct lb_psi_file file = {.kind = LB_PSI_OFFER, .sender = "spiffe://f/adapter/a",
                                     .recipient = "spiffe://f/adapter/b", .key_id = "s1",
                                     .sealed = lb_span_str("sealed")};
    FUZZ_OK(lb_psi_file_write(&file, arena, &bytes));
    fuzz_seed(sink, 0, bytes);
    FUZZ_OK(lb_psi_offer_write(&offer, arena, &bytes));
    fuzz_seed(sink, 1, bytes);
    FUZZ_OK(lb_psi_answer_write(&answer, arena, &bytes));
    fuzz_seed(sink, 2, bytes);
}
