#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/crypto/sign.h"
#include "gateway/crypto/x509.h"

#define NOW 1790000000

struct world {
    struct lb_arena *arena;
    struct lb_span cert;
    struct lb_span key;
};

static int begin(void **state)
{
    static struct world w;
    const struct lb_ca_name name = {"Federation", "CA"};
    w.arena = lb_arena_new(1 << 20);
    *state = &w;
    return lb_ca_create(&name, NOW, 10, w.arena, &w.cert, &w.key) == LB_OK ? 0 : -1;
}

static int end(void **state)
{
    struct world *w = *state;
    lb_arena_free(w->arena);
    return 0;
}

static enum lb_code issue(struct world *w, const char *spiffe, const char *name)
{
    const char *const names[] = {name};
    struct lb_ca_issue_options options = {.spiffe = spiffe, .names = names,
                                          .num_names = name == NULL ? 0 : 1, .now_unix_s = NOW,
                                          .lifetime_s = 3600};
    struct lb_span cert = LB_SPAN_EMPTY;
    struct lb_span key = LB_SPAN_EMPTY;
    lb_status status = lb_ca_issue(w->cert, w->key, &options, w->arena, &cert, &key);
    if (status != LB_OK)
        return lb_status_code(status);
    struct lb_cert_info info;
    assert_true(lb_x509_info(cert, &info) == LB_OK);
    assert_string_equal(info.spiffe, spiffe);
    struct lb_sign_key *leaf_key = NULL;
    assert_true(lb_sign_key_from_pem(key, LB_SIGN_ES256, &leaf_key) == LB_OK);
    lb_sign_key_free(leaf_key);
    return LB_CODE_OK;
}

static void names_of_hosts_are_checked(void **state)
{
    struct world *w = *state;
    static const char *const good[] = {"localhost", "a-1.example.com", "127.0.0.1", "::1"};
    static const char *const bad[] = {"",        "a b",          "a,URI:spiffe://x/broker/y",
                                      "a\nb",    "*.example.com", "\xe8\x81\x94", "a;b", "[::1]"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_int_equal(issue(w, "spiffe://f/broker/hub", good[i]), LB_CODE_OK);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(issue(w, "spiffe://f/broker/hub", bad[i]), LB_MALFORMED);
}

static void spiffe_ids_are_checked(void **state)
{
    struct world *w = *state;
    static const char *const bad[] = {"", "spiffe://", "https://f/broker", "spiffe:/f",
                                      "spiffe://f/a b", "spiffe://f/\xe8\x81\x94",
                                      "SPIFFE://f/broker"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(issue(w, bad[i], NULL), LB_MALFORMED);
    char longest[LB_MAX_SPIFFE_BYTES + 1];
    memset(longest, 'a', sizeof(longest));
    memcpy(longest, "spiffe://f/", 11);
    longest[LB_MAX_SPIFFE_BYTES] = '\0';
    assert_int_equal(issue(w, longest, NULL), LB_MALFORMED);
    longest[LB_MAX_SPIFFE_BYTES - 1] = '\0';
    assert_int_equal(issue(w, longest, NULL), LB_CODE_OK);
}

static void a_ca_and_its_key_belong_together(void **state)
{
    struct world *w = *state;
    const struct lb_ca_name name = {"Federation", "CA"};
    struct lb_span other_cert;
    struct lb_span other_key;
    struct lb_span out;
    struct lb_span out_key;
    struct lb_ca_issue_options options = {.spiffe = "spiffe://f/broker/hub", .now_unix_s = NOW,
                                          .lifetime_s = 3600};
    assert_true(lb_ca_create(&name, NOW, 10, w->arena, &other_cert, &other_key) == LB_OK);
    assert_int_equal(lb_status_code(lb_ca_issue(w->cert, other_key, &options, w->arena, &out,
                                                &out_key)), LB_MALFORMED);
    assert_int_equal(lb_status_code(lb_ca_crl(other_cert, w->key, NULL, 0, 1, NOW, NOW + 1,
                                              w->arena, &out)), LB_MALFORMED);
    struct lb_span leaf;
    struct lb_span leaf_key;
    assert_true(lb_ca_issue(w->cert, w->key, &options, w->arena, &leaf, &leaf_key) == LB_OK);
    assert_int_equal(lb_status_code(lb_ca_issue(leaf, leaf_key, &options, w->arena, &out,
                                                &out_key)), LB_MALFORMED);
}

static void serials_differ_and_are_159_bits(void **state)
{
    struct world *w = *state;
    struct lb_ca_issue_options options = {.spiffe = "spiffe://f/broker/hub", .now_unix_s = NOW,
                                          .lifetime_s = 3600};
    char last[41] = "";
    for (int i = 0; i < 20; i++) {
        struct lb_span cert;
        struct lb_span key;
        struct lb_cert_info info;
        assert_true(lb_ca_issue(w->cert, w->key, &options, w->arena, &cert, &key) == LB_OK);
        assert_true(lb_x509_info(cert, &info) == LB_OK);
        assert_int_equal(strlen(info.serial_hex), 40);
        assert_true(info.serial_hex[0] >= '4' && info.serial_hex[0] <= '7');
        assert_string_not_equal(info.serial_hex, last);
        memcpy(last, info.serial_hex, sizeof(last));
    }
}

static void names_of_a_ca_are_checked(void **state)
{
    struct world *w = *state;
    char too_long[66];
    memset(too_long, 'a', 65);
    too_long[65] = '\0';
    const struct lb_ca_name bad[] = {{"", "CA"}, {"O", ""}, {"O", NULL}, {too_long, "CA"},
                                     {"O", too_long}, {"\xff\xfe", "CA"}};
    struct lb_span cert;
    struct lb_span key;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(lb_status_code(lb_ca_create(&bad[i], NOW, 1, w->arena, &cert, &key)),
                         LB_MALFORMED);
}

static void revocation_lists_are_checked(void **state)
{
    struct world *w = *state;
    static const char *const bad[] = {"", "1", "0g", "123",
                                      "7fffffffffffffffffffffffffffffffffffff0"};
    struct lb_span out;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct lb_ca_revoked revoked = {.revoked_unix_s = NOW};
        memcpy(revoked.serial_hex, bad[i], strlen(bad[i]));
        assert_int_equal(lb_status_code(lb_ca_crl(w->cert, w->key, &revoked, 1, 1, NOW, NOW + 1,
                                                  w->arena, &out)), LB_MALFORMED);
    }
    struct lb_ca_revoked unended = {.revoked_unix_s = NOW};
    memset(unended.serial_hex, 'a', sizeof(unended.serial_hex));
    assert_int_equal(lb_status_code(lb_ca_crl(w->cert, w->key, &unended, 1, 1, NOW, NOW + 1,
                                              w->arena, &out)), LB_MALFORMED);
    assert_int_equal(lb_status_code(lb_ca_crl(w->cert, w->key, NULL, 0, 1, NOW, NOW, w->arena,
                                              &out)), LB_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_of_hosts_are_checked, begin, end),
        cmocka_unit_test_setup_teardown(spiffe_ids_are_checked, begin, end),
        cmocka_unit_test_setup_teardown(a_ca_and_its_key_belong_together, begin, end),
        cmocka_unit_test_setup_teardown(serials_differ_and_are_159_bits, begin, end),
        cmocka_unit_test_setup_teardown(names_of_a_ca_are_checked, begin, end),
        cmocka_unit_test_setup_teardown(revocation_lists_are_checked, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
