#include "gateway/evidence/test_util.h"

#include <stdio.h>

#include "gateway/evidence/witness_policy.h"

#define LOG_VKEY "monkeys+db4d9f7e+AULaJMvTtDLHPUcUrjdDad9vDlh/PTfC2VV60JUtCfWT"
#define REMORA_VKEY "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"

/* vkeys of as many different witnesses as a test wants. */
static const char *vkey_of(struct lb_arena *arena, unsigned number)
{
    struct lb_sign_key *key = NULL;
    struct lb_cosigner cosigner;
    uint8_t seed[32], public_key[LB_P256_PUBLIC_BYTES];
    memset(seed, (int)number + 1, sizeof(seed));
    assert_ok(lb_sign_key_from_seed(seed, &key));
    (void)lb_sign_key_public(key, public_key);
    assert_ok(lb_cosigner_init(lb_arena_printf(arena, "w%u.example", number), public_key,
                               &cosigner));
    const char *vkey = lb_cosigner_format(&cosigner, arena);
    lb_cosigner_cleanup(&cosigner);
    lb_sign_key_free(key);
    return vkey;
}

static int set_up(void **state)
{
    *state = lb_arena_new(16 * 1024 * 1024);
    return 0;
}

static int tear_down(void **state)
{
    lb_arena_free(*state);
    return 0;
}

static struct lb_witness_policy *parsed(const char *text)
{
    struct lb_witness_policy *policy = NULL;
    struct lb_diag diag = {""};
    lb_status status = lb_witness_policy_parse(lb_span_str(text), "p", &diag, &policy);
    if (status != LB_OK)
        print_error("%s\n", diag.text);
    assert_ok(status);
    return policy;
}

/* Refused, with this line and this part of the sentence. */
static void refused(const char *text, unsigned line, const char *part)
{
    struct lb_witness_policy *policy = NULL;
    struct lb_diag diag = {""};
    char where[16];
    assert_code(lb_witness_policy_parse(lb_span_str(text), "p", &diag, &policy), LB_CONFIG_INVALID);
    assert_null(policy);
    (void)snprintf(where, sizeof(where), "p:%u: ", line);
    if (strncmp(diag.text, where, strlen(where)) != 0 || strstr(diag.text, part) == NULL)
        print_error("\"%s\" is not %s...%s\n", diag.text, where, part);
    assert_memory_equal(diag.text, where, strlen(where));
    assert_non_null(strstr(diag.text, part));
}

/* Two witnesses, x and y, on lines 1 and 2. */
static const char *after_two(struct lb_arena *arena, const char *rest)
{
    return lb_arena_printf(arena, "witness x %s\nwitness y %s spiffe://a/broker/b\n%s",
                           vkey_of(arena, 0), vkey_of(arena, 1), rest);
}

/* The example of the specification. */
static void reads_the_published_example(void **state)
{
    struct lb_arena *arena = *state;
    const char *text = lb_arena_printf(
        arena,
        "log " LOG_VKEY "\n\nwitness X1 %s\nwitness X2 %s\nwitness X3 %s\n"
        "group X-witnesses 2 X1 X2 X3\n\nwitness Y1 %s\nwitness Y2 %s\nwitness Y3 %s\n"
        "group Y-witnesses any Y1 Y2 Y3\n\ngroup X-and-Y all X-witnesses Y-witnesses\n"
        "quorum X-and-Y\n",
        vkey_of(arena, 0), vkey_of(arena, 1), vkey_of(arena, 2), vkey_of(arena, 3),
        vkey_of(arena, 4), vkey_of(arena, 5));
    struct lb_witness_policy *policy = parsed(text);
    assert_int_equal(policy->num_logs, 1);
    assert_non_null(lb_witness_policy_log(policy, "monkeys"));
    assert_null(lb_witness_policy_log(policy, "monkey"));
    for (uint32_t mask = 0; mask < 64; mask++) {
        bool x = __builtin_popcount(mask & 7) >= 2;
        bool y = (mask & 56) != 0;
        assert_int_equal(lb_witness_policy_met(policy, mask), x && y);
    }
    lb_witness_policy_free(policy);
}

static void reads_what_the_grammar_allows(void **state)
{
    struct lb_arena *arena = *state;
    static const char *const texts[] = {
        "quorum none\n",
        "# only a comment\n \t # another\n\n\t\nquorum none\n",
        "\tquorum\t \tnone \n",
        "# \xe8\xa7\x81\xe8\xaf\x81 \xff\nquorum none\n",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct lb_witness_policy *policy = parsed(texts[i]);
        assert_true(lb_witness_policy_met(policy, 0));
        lb_witness_policy_free(policy);
    }
    struct lb_witness_policy *policy =
        parsed(after_two(arena, "group all all x\ngroup any any all y\nquorum any\n"));
    assert_true(lb_witness_policy_met(policy, 1) && lb_witness_policy_met(policy, 2));
    assert_false(lb_witness_policy_met(policy, 0));
    assert_string_equal(policy->witnesses[0].url, "");
    assert_string_equal(policy->witnesses[1].url, "spiffe://a/broker/b");
    lb_witness_policy_free(policy);
    policy = parsed("witness remora " REMORA_VKEY "\nquorum remora\n");
    assert_true(lb_witness_policy_met(policy, 1));
    assert_false(lb_witness_policy_met(policy, 0));
    lb_witness_policy_free(policy);
}

static void names_the_line_of_a_mistake(void **state)
{
    struct lb_arena *arena = *state;
    refused("", 1, "no quorum");
    refused("# x\n\n", 3, "no quorum");
    refused("quorum none", 1, "does not end");
    refused("quorum none\nquorum none\n", 2, "quorum line already");
    refused("quorum\n", 1, "a quorum line is");
    refused("quorum none none\n", 1, "a quorum line is");
    refused("quorum nobody\n", 1, "no line before");
    refused("quorums none\n", 1, "a line starts with");
    refused("QUORUM none\n", 1, "a line starts with");
    refused("log\n", 1, "a log line is");
    refused("log " LOG_VKEY " url more\n", 1, "a log line is");
    refused("log " REMORA_VKEY "\n", 1, "not a log's key");
    refused("log " LOG_VKEY "\nlog " LOG_VKEY "\n", 2, "given twice");
    refused("witness x\n", 1, "a witness line is");
    refused("witness x " LOG_VKEY "\n", 1, "not a witness's key");
    refused("witness none " REMORA_VKEY "\n", 1, "none");
    refused("witness \xff " REMORA_VKEY "\n", 1, "UTF-8");
    refused("witness a " REMORA_VKEY "\nwitness b " REMORA_VKEY "\n", 2, "twice");
    refused("quorum none\r\n", 1, "control character");
    refused("quorum\x0bnone\n", 1, "control character");
    refused("quorum none\x7f\n", 1, "control character");
    refused(after_two(arena, "witness x " REMORA_VKEY "\n"), 3, "twice");
    refused(after_two(arena, "group x any y\n"), 3, "twice");
    refused(after_two(arena, "group none any y\n"), 3, "none");
    refused(after_two(arena, "group g any\n"), 3, "a group line is");
    refused(after_two(arena, "group g any z\n"), 3, "no line before");
    refused(after_two(arena, "group g any g\n"), 3, "no line before");
    refused(after_two(arena, "group g any none\n"), 3, "no line before");
    refused(after_two(arena, "group g 2 x x\n"), 3, "only once");
    refused(after_two(arena, "group g any x\ngroup h all x y\n"), 4, "only once");
    refused(after_two(arena, "quorum g\ngroup g any x\n"), 3, "no line before");
    static const char *const thresholds[] = {"0",   "3",   "02",   "-1", "+1",
                                             "1.0", "999", "some", "2x"};
    for (size_t i = 0; i < sizeof(thresholds) / sizeof(thresholds[0]); i++)
        refused(after_two(arena, lb_arena_printf(arena, "group g %s x y\n", thresholds[i])), 3,
                "all, any, or a number");
}

static void keeps_its_bounds(void **state)
{
    struct lb_arena *arena = *state;
    const char *text = "";
    for (unsigned i = 0; i < LB_POLICY_MAX_WITNESSES; i++)
        text = lb_arena_printf(arena, "%switness w%u %s\n", text, i, vkey_of(arena, i));
    const char *groups = text;
    for (unsigned i = 0; i < LB_POLICY_MAX_GROUPS; i++)
        groups = lb_arena_printf(arena, "%sgroup g%u any w%u\n", groups, i, i);
    struct lb_witness_policy *policy = parsed(lb_arena_printf(arena, "%squorum g31\n", groups));
    assert_true(lb_witness_policy_met(policy, UINT32_C(1) << 31));
    assert_false(lb_witness_policy_met(policy, UINT32_MAX >> 1));
    lb_witness_policy_free(policy);
    refused(lb_arena_printf(arena, "%switness w32 %s\n", text, vkey_of(arena, 40)), 33,
            "too many witnesses");
    refused(lb_arena_printf(arena, "%sgroup g32 any g1\n", groups), 65, "too many groups");
    char name[LB_MAX_NAME_BYTES + 2];
    memset(name, 'n', sizeof(name));
    name[LB_MAX_NAME_BYTES + 1] = 0;
    refused(lb_arena_printf(arena, "witness %s " REMORA_VKEY "\n", name), 1, "too long");
    char *line = lb_arena_alloc(arena, LB_POLICY_MAX_BYTES + 2);
    memset(line, 'x', LB_POLICY_MAX_BYTES + 1);
    refused(line, 0, "too long");
    for (size_t i = 0; i < 200; i += 2)
        line[i + 1] = ' ';
    line[200] = '\n';
    line[201] = 0;
    refused(line, 1, "too many items");
}

static void counts_only_good_cosignatures(void **state)
{
    struct lb_arena *arena = *state;
    struct lb_witness_policy *policy = parsed(after_two(arena, "group q any x y\nquorum q\n"));
    struct lb_sign_key *keys[2];
    struct lb_span note, lines[2];
    uint32_t cosigned = 7;
    for (unsigned i = 0; i < 2; i++) {
        uint8_t seed[32];
        memset(seed, (int)i + 1, sizeof(seed));
        assert_ok(lb_sign_key_from_seed(seed, &keys[i]));
    }
    assert_ok(lb_note_sign(lb_span_str("a\n1\nb\n"), false, "a", keys[0], arena, &note));
    assert_ok(lb_cosign(note, "w0.example", keys[0], 9, arena, &lines[0]));
    /* y's line is by x's key. */
    assert_ok(lb_cosign(note, "w1.example", keys[0], 9, arena, &lines[1]));
    assert_ok(lb_witness_policy_cosigned(policy, note, &cosigned));
    assert_int_equal(cosigned, 0);
    const char *both = lb_arena_printf(arena, "%s%s%s", (const char *)note.ptr,
                                       (const char *)lines[0].ptr, (const char *)lines[1].ptr);
    assert_ok(lb_witness_policy_cosigned(policy, lb_span_str(both), &cosigned));
    assert_int_equal(cosigned, 1);
    assert_code(lb_witness_policy_cosigned(policy, lb_span_str("a\n"), &cosigned), LB_MALFORMED);
    for (unsigned i = 0; i < 2; i++)
        lb_sign_key_free(keys[i]);
    lb_witness_policy_free(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_published_example),
        cmocka_unit_test(reads_what_the_grammar_allows),
        cmocka_unit_test(names_the_line_of_a_mistake),
        cmocka_unit_test(keeps_its_bounds),
        cmocka_unit_test(counts_only_good_cosignatures),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
