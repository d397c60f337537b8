#include "gateway/psi/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define assert_code(status_, want_)                                                                \
    assert_string_equal(lb_code_name(lb_status_code(status_)), lb_code_name(want_))
#define assert_ok(status_) assert_code(status_, LB_CODE_OK)

/* Where things stand in the files made here. */
#define MAGIC_BYTES 13
#define NUM_AT (32 + 32 + 32 + 32 + 2 + 5 + 4 + 3 + 4 + 5)

struct ground {
    struct lb_arena *arena;
    uint8_t points[LB_PSI_MIN_PADDED][LB_P256_POINT_BYTES];
    uint8_t tags[LB_PSI_MIN_PADDED][LB_PSI_TAG_BYTES];
    struct lb_psi_offer offer;
    struct lb_psi_answer answer;
    struct lb_psi_file file;
};

static int set_up(void **state)
{
    static struct ground ground;
    ground = (struct ground){.arena = lb_arena_new(64U * 1024 * 1024)};
    assert_non_null(ground.arena);
    for (size_t i = 0; i < LB_PSI_MIN_PADDED; i++) {
        ground.points[i][0] = (uint8_t)i;
        ground.tags[i][5] = (uint8_t)i;
    }
    const struct lb_psi_evidence evidence = {{4}, lb_span_str("query"), lb_span_str("log"),
                                             lb_span_str("entry")};
    ground.offer = (struct lb_psi_offer){
        .list = {1}, .prehash = {2}, .reply_key = {3}, .evidence = evidence,
        .num = LB_PSI_MIN_PADDED,
        .points = (const uint8_t(*)[LB_P256_POINT_BYTES])ground.points};
    ground.answer = (struct lb_psi_answer){
        .list = {1}, .offer = {2}, .evidence = evidence, .num_tags = LB_PSI_MIN_PADDED,
        .tags = (const uint8_t(*)[LB_PSI_TAG_BYTES])ground.tags, .num = LB_PSI_MIN_PADDED,
        .points = ground.offer.points};
    ground.file = (struct lb_psi_file){
        .kind = LB_PSI_OFFER, .sender = "spiffe://x/adapter/a", .recipient = "spiffe://x/adapter/b",
        .agreement = {7}, .run = {8}, .key_id = "s1", .sealed = lb_span_str("sealed"),
        .signature = {9}};
    *state = &ground;
    return 0;
}

static int tear_down(void **state)
{
    struct ground *ground = *state;
    lb_arena_free(ground->arena);
    return 0;
}

static void both_files_come_back_as_they_were(void **state)
{
    struct ground *ground = *state;
    struct lb_span bytes, again;
    struct lb_psi_file file;
    struct lb_psi_offer offer;
    struct lb_psi_answer answer;
    assert_ok(lb_psi_file_write(&ground->file, ground->arena, &bytes));
    assert_ok(lb_psi_file_read(bytes, ground->arena, &file));
    assert_string_equal(file.recipient, ground->file.recipient);
    assert_ok(lb_psi_file_write(&file, ground->arena, &again));
    assert_true(lb_span_eq(bytes, again));
    assert_ok(lb_psi_offer_write(&ground->offer, ground->arena, &bytes));
    assert_ok(lb_psi_offer_read(bytes, &offer));
    assert_ok(lb_psi_offer_write(&offer, ground->arena, &again));
    assert_true(lb_span_eq(bytes, again));
    assert_ok(lb_psi_answer_write(&ground->answer, ground->arena, &bytes));
    assert_ok(lb_psi_answer_read(bytes, &answer));
    assert_ok(lb_psi_answer_write(&answer, ground->arena, &again));
    assert_true(lb_span_eq(bytes, again));
}

static void every_cut_and_every_tail_is_refused(void **state)
{
    struct ground *ground = *state;
    struct lb_span file, offer, answer, longer;
    struct lb_psi_file out;
    struct lb_psi_offer out_offer;
    struct lb_psi_answer out_answer;
    assert_ok(lb_psi_file_write(&ground->file, ground->arena, &file));
    assert_ok(lb_psi_offer_write(&ground->offer, ground->arena, &offer));
    assert_ok(lb_psi_answer_write(&ground->answer, ground->arena, &answer));
    for (size_t len = 0; len < file.len; len++)
        assert_code(lb_psi_file_read(lb_span_of(file.ptr, len), ground->arena, &out),
                    LB_MALFORMED);
    for (size_t len = 0; len < offer.len; len += 13)
        assert_code(lb_psi_offer_read(lb_span_of(offer.ptr, len), &out_offer), LB_MALFORMED);
    for (size_t len = 0; len < answer.len; len += 13)
        assert_code(lb_psi_answer_read(lb_span_of(answer.ptr, len), &out_answer), LB_MALFORMED);
    uint8_t *more = lb_arena_alloc(ground->arena, offer.len + 1);
    memcpy(more, offer.ptr, offer.len);
    longer = lb_span_of(more, offer.len + 1);
    assert_code(lb_psi_offer_read(longer, &out_offer), LB_MALFORMED);
}

static void lists_of_another_length_or_order_are_refused(void **state)
{
    struct ground *ground = *state;
    static const uint32_t lengths[] = {0, 1, 63, 65, 127, LB_PSI_MAX_ELEMENTS + 1, UINT32_MAX};
    struct lb_psi_offer out;
    struct lb_span bytes;
    assert_ok(lb_psi_offer_write(&ground->offer, ground->arena, &bytes));
    uint8_t *at = (uint8_t *)(uintptr_t)bytes.ptr + NUM_AT;
    assert_int_equal(at[3], LB_PSI_MIN_PADDED);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        for (size_t j = 0; j < 4; j++)
            at[j] = (uint8_t)(lengths[i] >> (24 - 8 * j));
        assert_code(lb_psi_offer_read(bytes, &out), LB_MALFORMED);
    }
    memcpy(ground->points[1], ground->points[0], sizeof(ground->points[1]));
    assert_ok(lb_psi_offer_write(&ground->offer, ground->arena, &bytes));
    assert_code(lb_psi_offer_read(bytes, &out), LB_MALFORMED);
    ground->points[0][0] = 1;
    ground->points[1][0] = 0;
    assert_ok(lb_psi_offer_write(&ground->offer, ground->arena, &bytes));
    assert_code(lb_psi_offer_read(bytes, &out), LB_MALFORMED);
}

static void other_kinds_versions_and_names_are_refused(void **state)
{
    struct ground *ground = *state;
    struct lb_psi_file out;
    struct lb_span bytes;
    assert_ok(lb_psi_file_write(&ground->file, ground->arena, &bytes));
    uint8_t *at = (uint8_t *)(uintptr_t)bytes.ptr;
    at[MAGIC_BYTES - 1] = '2';
    assert_code(lb_psi_file_read(bytes, ground->arena, &out), LB_VERSION_UNSUPPORTED);
    at[MAGIC_BYTES - 1] = '1';
    at[MAGIC_BYTES] = 3;
    assert_code(lb_psi_file_read(bytes, ground->arena, &out), LB_MALFORMED);
    at[MAGIC_BYTES] = LB_PSI_OFFER;
    at[MAGIC_BYTES + 3] = '\n'; /* the sender's first character */
    assert_code(lb_psi_file_read(bytes, ground->arena, &out), LB_MALFORMED);
    ground->file.key_id = ""; /* an offer is sealed to a key of the recipient's */
    assert_ok(lb_psi_file_write(&ground->file, ground->arena, &bytes));
    assert_code(lb_psi_file_read(bytes, ground->arena, &out), LB_MALFORMED);
    ground->file.kind = LB_PSI_ANSWER;
    assert_ok(lb_psi_file_write(&ground->file, ground->arena, &bytes));
    assert_ok(lb_psi_file_read(bytes, ground->arena, &out));
}

static void huge_ones_are_neither_read_nor_written(void **state)
{
    struct ground *ground = *state;
    struct lb_psi_file out;
    struct lb_span bytes;
    uint8_t *huge = lb_arena_alloc(ground->arena, LB_PSI_MAX_FILE_BYTES + 1);
    assert_non_null(huge);
    assert_code(lb_psi_file_read(lb_span_of(huge, LB_PSI_MAX_FILE_BYTES + 1), ground->arena, &out),
                LB_TOO_LARGE);
    ground->file.sealed = lb_span_of(huge, LB_PSI_MAX_FILE_BYTES);
    assert_code(lb_psi_file_write(&ground->file, ground->arena, &bytes), LB_TOO_LARGE);
}

static void the_hash_covers_all_but_the_evidence(void **state)
{
    struct ground *ground = *state;
    uint8_t run[LB_PSI_RUN_BYTES] = {1}, one[32], other[32];
    lb_psi_offer_hash(run, &ground->offer, one);
    ground->offer.evidence.salt[0] ^= 1;
    lb_psi_offer_hash(run, &ground->offer, other);
    assert_memory_equal(one, other, sizeof(one));
    ground->points[63][63] ^= 1;
    lb_psi_offer_hash(run, &ground->offer, other);
    assert_memory_not_equal(one, other, sizeof(one));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(both_files_come_back_as_they_were, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_cut_and_every_tail_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lists_of_another_length_or_order_are_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(other_kinds_versions_and_names_are_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(huge_ones_are_neither_read_nor_written, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_hash_covers_all_but_the_evidence, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
