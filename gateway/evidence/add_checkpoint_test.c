#include "gateway/evidence/test_util.h"

#include <stdio.h>

#include "gateway/evidence/add_checkpoint.h"

/* transparency-dev/witness, witness_test.go. */
#define MONKEYS "monkeys+db4d9f7e+AULaJMvTtDLHPUcUrjdDad9vDlh/PTfC2VV60JUtCfWT"
#define SIZE_5                                                                                     \
    "monkeys\n5\n41smjBUiAU70EtKlT6lIOIYtRTYxYXsDB+XHfcvu/BE=\n\n"                                 \
    "\xe2\x80\x94 monkeys 202fftzGl3LVoqjXfwCFZZXs8I+5G22+Ek2K0AOyBuSJ/8/CZawNF+6fNlTKOCd6"       \
    "22pbzJNkkJFWuw9DbicZCkEx9AY=\n"
#define SIZE_8                                                                                     \
    "monkeys\n8\nV8K9aklZ4EPB+RMOk1/8VsJUdFZR77GDtZUQq84vSbo=\n\n"                                 \
    "\xe2\x80\x94 monkeys 202ffoUEboiQYpHzICeaFmoy3RNviHTpAxYrq/eO4QQVQMvu9UebKBMX2MJC76NL"       \
    "thZaKsnKbCA8GxrjePZhvDCH7Ag=\n"
static const char *const proof_5_8[] = {
    "b9e1d62618f7fee8034e4c5010f727ab24d8e4705cb296c374bf2025a87a10d2",
    "aac66cd7a79ce4012d80762fe8eec3a77f22d1ca4145c3f4cee022e7efcd599d",
    "89d0f753f66a290c483b39cd5e9eafb12021293395fad3d4a2ad053cfbcfdc9e",
    "29e40bb79c966f4c6fe96aff6f30acfce5f3e8d84c02215175d6e018a5dee833",
};
#define NUM_PROOF (sizeof(proof_5_8) / sizeof(proof_5_8[0]))

struct fixture {
    struct lb_arena *arena;
    struct lb_note_verifier verifier;
    struct lb_checkpoint five, eight;
    struct lb_hash proof[NUM_PROOF];
    struct lb_hash empty;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture.arena = lb_arena_new(64 * 1024 * 1024);
    assert_ok(lb_note_verifier_parse(lb_span_str(MONKEYS), &fixture.verifier));
    assert_ok(lb_checkpoint_open(lb_span_str(SIZE_5), &fixture.verifier, &fixture.five));
    assert_ok(lb_checkpoint_open(lb_span_str(SIZE_8), &fixture.verifier, &fixture.eight));
    for (size_t i = 0; i < NUM_PROOF; i++)
        fixture.proof[i] = hash_of_hex(proof_5_8[i]);
    lb_merkle_empty(&fixture.empty);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    lb_note_verifier_cleanup(&fixture->verifier);
    lb_arena_free(fixture->arena);
    return 0;
}

static struct lb_span body_5_8(struct fixture *fixture)
{
    struct lb_span body;
    assert_ok(lb_add_checkpoint_write(5, fixture->proof, NUM_PROOF, lb_span_str(SIZE_8),
                                      fixture->arena, &body));
    return body;
}

static enum lb_code parse_text(const char *text)
{
    struct lb_add_checkpoint request;
    return lb_status_code(lb_add_checkpoint_parse(lb_span_str(text), &request));
}

static void writes_what_it_reads(void **state)
{
    struct fixture *fixture = *state;
    struct lb_add_checkpoint request;
    struct lb_span body = body_5_8(fixture);
    assert_memory_equal(body.ptr, "old 5\nueHWJhj3/ugDTkxQEPcnqyTY5HBcspbDdL8gJah6ENI=\n", 51);
    assert_ok(lb_add_checkpoint_parse(body, &request));
    assert_int_equal(request.old_size, 5);
    assert_int_equal(request.num_proof, NUM_PROOF);
    for (size_t i = 0; i < NUM_PROOF; i++)
        assert_hash(&request.proof[i], fixture->proof[i]);
    assert_true(lb_span_is(request.note, SIZE_8));
    assert_true(lb_span_is(request.origin, "monkeys"));
    assert_int_equal(parse_text("old 0\n\n" SIZE_5), LB_CODE_OK);
}

static void refuses_what_is_no_body(void **state)
{
    struct fixture *fixture = *state;
    static const char *const bad[] = {
        "",        "\n",         "old 0",       "old 0\n",        "old 0\n\n",    "old 0\n\n\n",
        "old\n\n" SIZE_5,        "old \n\n" SIZE_5,               "old 05\n\n" SIZE_5,
        "old -1\n\n" SIZE_5,     "old +1\n\n" SIZE_5,             "old 1 \n\n" SIZE_5,
        "OLD 1\n\n" SIZE_5,      "old  1\n\n" SIZE_5,             "old 1\r\n\n" SIZE_5,
        "old 9223372036854775808\n\n" SIZE_5,
        "old 18446744073709551616\n\n" SIZE_5,
        "old 1\nabc\n\n" SIZE_5, "old 1\n" SIZE_5,
        "old 1\nueHWJhj3/ugDTkxQEPcnqyTY5HBcspbDdL8gJah6ENI\n\n" SIZE_5,
        "old 1\nueHWJhj3/ugDTkxQEPcnqyTY5HBcspbDdL8gJah6ENJ=\n\n" SIZE_5,
        "old 1\n ueHWJhj3/ugDTkxQEPcnqyTY5HBcspbDdL8gJah6ENI=\n\n" SIZE_5,
        SIZE_5,
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (parse_text(bad[i]) != LB_MALFORMED)
            print_error("accepted: number %zu\n", i);
        assert_int_equal(parse_text(bad[i]), LB_MALFORMED);
    }
    /* Whatever is cut off is no request, or one whose checkpoint is not whole. */
    struct lb_span body = body_5_8(fixture);
    for (size_t len = 0; len < body.len; len++) {
        struct lb_add_checkpoint request;
        struct lb_checkpoint checkpoint;
        if (lb_add_checkpoint_parse(lb_span_of(body.ptr, len), &request) == LB_OK)
            assert_true(lb_checkpoint_open(request.note, &fixture->verifier, &checkpoint) != LB_OK);
    }
}

static void bounds_proof_and_body(void **state)
{
    struct fixture *fixture = *state;
    struct lb_span body;
    struct lb_hash many[LB_ADD_CHECKPOINT_MAX_PROOF + 1] = {{{1}}};
    struct lb_add_checkpoint request;
    assert_ok(lb_add_checkpoint_write(1, many, LB_ADD_CHECKPOINT_MAX_PROOF, lb_span_str(SIZE_5),
                                      fixture->arena, &body));
    assert_ok(lb_add_checkpoint_parse(body, &request));
    assert_int_equal(request.num_proof, LB_ADD_CHECKPOINT_MAX_PROOF);
    assert_code(lb_add_checkpoint_write(1, many, LB_ADD_CHECKPOINT_MAX_PROOF + 1,
                                        lb_span_str(SIZE_5), fixture->arena, &body),
                LB_MALFORMED);
    const char *line = "ueHWJhj3/ugDTkxQEPcnqyTY5HBcspbDdL8gJah6ENI=\n";
    const char *text = "old 1\n";
    for (size_t i = 0; i <= LB_ADD_CHECKPOINT_MAX_PROOF; i++)
        text = lb_arena_printf(fixture->arena, "%s%s", text, line);
    text = lb_arena_printf(fixture->arena, "%s\n%s", text, SIZE_5);
    assert_int_equal(parse_text(text), LB_MALFORMED);
    char *huge = lb_arena_alloc(fixture->arena, LB_ADD_CHECKPOINT_MAX_BYTES + 2);
    memset(huge, 'x', LB_ADD_CHECKPOINT_MAX_BYTES + 1);
    memcpy(huge, "old 0\n\na\n", 9);
    assert_int_equal(parse_text(huge), LB_MALFORMED);
    huge[LB_ADD_CHECKPOINT_MAX_BYTES] = 0;
    assert_int_equal(parse_text(huge), LB_CODE_OK);
}

/* --- the judgement, with each of the specification's answers --- */

static enum lb_witness_answer judge(struct fixture *fixture, struct lb_add_checkpoint request,
                                    const struct lb_checkpoint *next,
                                    const struct lb_checkpoint *latest)
{
    request.note = LB_SPAN_EMPTY;
    return lb_add_checkpoint_judge(&request, next, latest == NULL ? 0 : latest->size,
                                   latest == NULL ? &fixture->empty : &latest->root);
}

static struct lb_add_checkpoint grown(struct fixture *fixture)
{
    struct lb_add_checkpoint request = {.old_size = 5, .num_proof = NUM_PROOF};
    memcpy(request.proof, fixture->proof, sizeof(fixture->proof));
    return request;
}

static void cosigns_what_extends(void **state)
{
    struct fixture *fixture = *state;
    const struct lb_add_checkpoint first = {.old_size = 0}, same = {.old_size = 5};
    assert_int_equal(judge(fixture, first, &fixture->five, NULL), 200);
    assert_int_equal(judge(fixture, grown(fixture), &fixture->eight, &fixture->five), 200);
    assert_int_equal(judge(fixture, same, &fixture->five, &fixture->five), 200);
    struct lb_checkpoint nothing = {.size = 0, .root = fixture->empty};
    assert_int_equal(judge(fixture, first, &nothing, NULL), 200);
}

static void refuses_by_the_specification(void **state)
{
    struct fixture *fixture = *state;
    const struct lb_checkpoint *five = &fixture->five, *eight = &fixture->eight;
    struct lb_add_checkpoint request = grown(fixture);
    request.old_size = 9;
    assert_int_equal(judge(fixture, request, eight, five), 400);
    assert_int_equal(judge(fixture, grown(fixture), eight, NULL), 409);
    assert_int_equal(judge(fixture, grown(fixture), eight, eight), 409);
    request = (struct lb_add_checkpoint){.old_size = 0};
    assert_int_equal(judge(fixture, request, eight, five), 409);
    /* Back to a smaller tree: there is no old size that both fits and is not past it. */
    for (uint64_t old = 0; old <= 9; old++) {
        request = grown(fixture);
        request.old_size = old;
        assert_int_equal(judge(fixture, request, five, eight), old > 5 ? 400 : 409);
    }
    /* One size, another root: 422, where the reference witness says 409. */
    struct lb_checkpoint forked = *five;
    forked.root.bytes[31] ^= 1;
    request = (struct lb_add_checkpoint){.old_size = 5};
    assert_int_equal(judge(fixture, request, &forked, five), 422);
    request = grown(fixture);
    assert_int_equal(judge(fixture, request, five, five), 422);
    /* A proof from nothing. */
    request = (struct lb_add_checkpoint){.old_size = 0, .num_proof = 1};
    assert_int_equal(judge(fixture, request, five, NULL), 422);
    /* An empty tree has one root. */
    struct lb_checkpoint nothing = {.size = 0, .root = five->root};
    request = (struct lb_add_checkpoint){.old_size = 0};
    assert_int_equal(judge(fixture, request, &nothing, NULL), 422);
}

static void refuses_every_altered_proof(void **state)
{
    struct fixture *fixture = *state;
    struct lb_add_checkpoint request;
    for (size_t i = 0; i < NUM_PROOF * LB_HASH_BYTES; i++) {
        request = grown(fixture);
        request.proof[i / LB_HASH_BYTES].bytes[i % LB_HASH_BYTES] ^= 0x40;
        assert_int_equal(judge(fixture, request, &fixture->eight, &fixture->five), 422);
    }
    for (size_t num = 0; num < LB_ADD_CHECKPOINT_MAX_PROOF; num++) {
        request = grown(fixture);
        request.num_proof = num;
        if (num != NUM_PROOF)
            assert_int_equal(judge(fixture, request, &fixture->eight, &fixture->five), 422);
    }
    struct lb_checkpoint forked = fixture->eight;
    forked.root.bytes[0] ^= 1;
    assert_int_equal(judge(fixture, grown(fixture), &forked, &fixture->five), 422);
    forked = fixture->five;
    forked.root.bytes[0] ^= 1;
    assert_int_equal(judge(fixture, grown(fixture), &fixture->eight, &forked), 422);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_what_it_reads),
        cmocka_unit_test(refuses_what_is_no_body),
        cmocka_unit_test(bounds_proof_and_body),
        cmocka_unit_test(cosigns_what_extends),
        cmocka_unit_test(refuses_by_the_specification),
        cmocka_unit_test(refuses_every_altered_proof),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
