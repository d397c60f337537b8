#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>

#include "gateway/crypto/x509.h"

/* Verification of what our own CA makes: the federation, its CRL file, time and pins. */

#define NOW 1790000000
#define DAY 86400
#define SPIFFE "spiffe://lianban.test/adapter/tax"

struct world {
    struct lb_arena *arena;
    struct lb_span ca_cert;
    struct lb_span ca_key;
    struct lb_span crl;
    struct lb_span leaf;
    struct lb_span leaf_key;
    struct lb_cert_info info;
    uint8_t pins[1][32];
    struct lb_x509_anchors anchors;
};

static struct lb_span join(struct world *w, struct lb_span a, struct lb_span b)
{
    char *text = lb_arena_printf(w->arena, "%.*s%.*s", (int)a.len, (const char *)a.ptr, (int)b.len,
                                 (const char *)b.ptr);
    assert_non_null(text);
    return lb_span_str(text);
}

static void make_ca(struct world *w, const char *name, struct lb_span *cert, struct lb_span *key)
{
    const struct lb_ca_name ca_name = {"联办 test", name};
    assert_true(lb_ca_create(&ca_name, NOW - DAY, 30, w->arena, cert, key) == LB_OK);
}

static struct lb_span make_crl(struct world *w, const struct lb_ca_revoked *revoked, size_t num,
                               int64_t from, int64_t to)
{
    struct lb_span crl = LB_SPAN_EMPTY;
    assert_true(lb_ca_crl(w->ca_cert, w->ca_key, revoked, num, 7, from, to, w->arena, &crl) ==
                LB_OK);
    return crl;
}

static struct lb_span issue(struct world *w, int64_t lifetime_s)
{
    struct lb_ca_issue_options options = {.spiffe = SPIFFE, .now_unix_s = NOW,
                                          .lifetime_s = lifetime_s};
    struct lb_span cert = LB_SPAN_EMPTY;
    assert_true(lb_ca_issue(w->ca_cert, w->ca_key, &options, w->arena, &cert, &w->leaf_key) ==
                LB_OK);
    return cert;
}

static struct world begin(void)
{
    struct world w = {.arena = lb_arena_new(1 << 22)};
    make_ca(&w, "Test CA", &w.ca_cert, &w.ca_key);
    w.crl = make_crl(&w, NULL, 0, NOW - 10, NOW + DAY);
    w.leaf = issue(&w, 2 * DAY);
    assert_true(lb_x509_info(w.leaf, &w.info) == LB_OK);
    assert_true(lb_x509_ca_pin(w.ca_cert, w.pins[0]) == LB_OK);
    return w;
}

static void end(struct world *w)
{
    /* Whatever was refused, OpenSSL's queue of this thread is as it was. */
    assert_int_equal(ERR_peek_error(), 0);
    lb_arena_free(w->arena);
}

static enum lb_code verify_at(struct world *w, struct lb_span chain, int64_t now)
{
    w->anchors = (struct lb_x509_anchors){w->ca_cert, w->crl, (const uint8_t(*)[32])w->pins, 1};
    struct lb_cert_info info = {.serial_hex = "untouched"};
    enum lb_code code = lb_status_code(lb_x509_verify(&w->anchors, chain, now, &info));
    if (code != LB_CODE_OK)
        assert_string_equal(info.serial_hex, "untouched");
    return code;
}

static void what_the_ca_issues_verifies(void **state)
{
    (void)state;
    struct world w = begin();
    w.anchors = (struct lb_x509_anchors){w.ca_cert, w.crl, (const uint8_t(*)[32])w.pins, 1};
    struct lb_cert_info info;
    int64_t until = 0;
    assert_true(lb_x509_verify_until(&w.anchors, w.leaf, NOW, &info, &until) == LB_OK);
    assert_string_equal(info.spiffe, SPIFFE);
    assert_int_equal(info.not_before_unix_s, NOW - 60);
    assert_int_equal(info.not_after_unix_s, NOW + 2 * DAY);
    assert_false(info.is_ca);
    assert_int_equal(strlen(info.serial_hex), 40);
    assert_int_equal(until, NOW + DAY);
    struct lb_cert_info ca;
    assert_true(lb_x509_info(w.ca_cert, &ca) == LB_OK);
    assert_true(ca.is_ca);
    assert_string_equal(ca.spiffe, "");
    assert_memory_equal(ca.spki_sha256, w.pins[0], 32);
    end(&w);
}

static void an_answer_holds_until_the_first_end(void **state)
{
    (void)state;
    struct world w = begin();
    w.crl = make_crl(&w, NULL, 0, NOW, NOW + 20 * DAY);
    w.anchors = (struct lb_x509_anchors){w.ca_cert, w.crl, (const uint8_t(*)[32])w.pins, 1};
    struct lb_cert_info info;
    int64_t until = 0;
    assert_true(lb_x509_verify_until(&w.anchors, w.leaf, NOW, &info, &until) == LB_OK);
    assert_int_equal(until, NOW + 2 * DAY);
    end(&w);
}

/* A list that will count only later is in the file already. */
static void an_answer_holds_until_another_list_counts(void **state)
{
    (void)state;
    struct world w = begin();
    struct lb_ca_revoked revoked = {.revoked_unix_s = NOW};
    (void)snprintf(revoked.serial_hex, sizeof(revoked.serial_hex), "%s", w.info.serial_hex);
    w.crl = join(&w, make_crl(&w, NULL, 0, NOW, NOW + 20 * DAY),
                 make_crl(&w, &revoked, 1, NOW + DAY, NOW + 21 * DAY));
    w.anchors = (struct lb_x509_anchors){w.ca_cert, w.crl, (const uint8_t(*)[32])w.pins, 1};
    struct lb_cert_info info;
    int64_t until = 0;
    assert_true(lb_x509_verify_until(&w.anchors, w.leaf, NOW, &info, &until) == LB_OK);
    assert_int_equal(until, NOW + DAY - LB_CLOCK_SKEW_S);
    assert_int_equal(verify_at(&w, w.leaf, until - 1), LB_CODE_OK);
    assert_int_equal(verify_at(&w, w.leaf, until), LB_PEER_REVOKED);
    end(&w);
}

static void time_is_checked(void **state)
{
    (void)state;
    struct world w = begin();
    w.crl = make_crl(&w, NULL, 0, NOW - 2 * DAY, NOW + 60 * DAY);
    assert_int_equal(verify_at(&w, w.leaf, NOW + 2 * DAY - 1), LB_CODE_OK);
    assert_int_equal(verify_at(&w, w.leaf, NOW + 2 * DAY + 1), LB_PEER_EXPIRED);
    assert_int_equal(verify_at(&w, w.leaf, NOW - 61), LB_PEER_UNVERIFIED);
    assert_int_equal(verify_at(&w, issue(&w, -5), NOW), LB_PEER_EXPIRED);
    struct lb_span outlives_its_ca = issue(&w, 50 * DAY);
    assert_int_equal(verify_at(&w, outlives_its_ca, NOW + 20 * DAY), LB_CODE_OK);
    assert_int_equal(verify_at(&w, outlives_its_ca, NOW + 40 * DAY), LB_PEER_EXPIRED);
    end(&w);
}

static void only_the_pinned_ca_counts(void **state)
{
    (void)state;
    struct world w = begin();
    struct world other = begin();
    assert_int_equal(verify_at(&w, other.leaf, NOW), LB_PEER_UNVERIFIED);
    w.pins[0][31] ^= 1;
    assert_int_equal(verify_at(&w, w.leaf, NOW), LB_PEER_UNVERIFIED);
    w.pins[0][31] ^= 1;
    assert_int_equal(verify_at(&w, w.leaf, NOW), LB_CODE_OK);
    /* Both CAs in the file, only one pinned. */
    w.ca_cert = join(&w, other.ca_cert, w.ca_cert);
    w.crl = join(&w, other.crl, w.crl);
    assert_int_equal(verify_at(&w, w.leaf, NOW), LB_CODE_OK);
    assert_int_equal(verify_at(&w, other.leaf, NOW), LB_PEER_UNVERIFIED);
    w.anchors.num_pins = 0;
    struct lb_cert_info info;
    assert_int_equal(lb_status_code(lb_x509_verify(&w.anchors, w.leaf, NOW, &info)),
                     LB_PEER_UNVERIFIED);
    end(&other);
    end(&w);
}

static void broken_anchors_verify_nobody(void **state)
{
    (void)state;
    struct world w = begin();
    const struct lb_span good = w.ca_cert;
    const struct lb_span bad[] = {
        LB_SPAN_EMPTY,
        lb_span_str("garbage"),
        lb_span_of(good.ptr, good.len / 2),
        join(&w, good, lb_span_of(good.ptr, good.len / 2)),
        join(&w, good, w.crl),
        join(&w, good, w.leaf),
        w.leaf,
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        w.ca_cert = bad[i];
        assert_int_equal(verify_at(&w, w.leaf, NOW), LB_PEER_UNVERIFIED);
    }
    end(&w);
}

static void revoked_is_revoked(void **state)
{
    (void)state;
    struct world w = begin();
    struct lb_ca_revoked revoked[2] = {{"01", NOW - 20}, {"", NOW - 10}};
    w.crl = make_crl(&w, revoked, 1, NOW - 5, NOW + DAY);
    assert_int_equal(verify_at(&w, w.leaf, NOW), LB_CODE_OK);
    memcpy(revoked[1].serial_hex, w.info.serial_hex, sizeof(w.info.serial_hex));
    struct lb_span newer = make_crl(&w, revoked, 2, NOW - 5, NOW + DAY);
    struct lb_span older = w.crl;
    w.crl = newer;
    assert_int_equal(verify_at(&w, w.leaf, NOW), LB_PEER_REVOKED);
    /* An older list that still runs hides nothing, in either order. */
    w.crl = join(&w, older, newer);
    assert_int_equal(verify_at(&w, w.leaf, NOW), LB_PEER_REVOKED);
    w.crl = join(&w, newer, older);
    assert_int_equal(verify_at(&w, w.leaf, NOW), LB_PEER_REVOKED);
    end(&w);
}

static void without_a_current_list_nobody_passes(void **state)
{
    (void)state;
    struct world w = begin();
    struct world other = begin();
    const struct lb_span good = w.crl;
    const struct lb_span bad[] = {
        LB_SPAN_EMPTY,
        lb_span_str("garbage"),
        lb_span_str("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"),
        w.ca_cert,
        join(&w, good, w.ca_cert),
        join(&w, good, lb_span_of(good.ptr, good.len - 30)),
        other.crl,
        make_crl(&w, NULL, 0, NOW - DAY, NOW),
        make_crl(&w, NULL, 0, NOW - DAY, NOW - 1),
        make_crl(&w, NULL, 0, NOW + 61, NOW + DAY),
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        w.crl = bad[i];
        assert_int_equal(verify_at(&w, w.leaf, NOW), LB_CRL_STALE);
    }
    for (size_t cut = 0; cut + 1 < good.len; cut++) {
        w.crl = lb_span_of(good.ptr, cut);
        assert_int_equal(verify_at(&w, w.leaf, NOW), LB_CRL_STALE);
    }
    w.crl = make_crl(&w, NULL, 0, NOW + 60, NOW + DAY);
    assert_int_equal(verify_at(&w, w.leaf, NOW), LB_CODE_OK);
    end(&other);
    end(&w);
}

static void hostile_chains_are_refused(void **state)
{
    (void)state;
    struct world w = begin();
    struct world other = begin();
    struct lb_span six = w.leaf;
    for (int i = 0; i < 5; i++)
        six = join(&w, six, w.ca_cert);
    const struct lb_span bad[] = {
        LB_SPAN_EMPTY,
        lb_span_str("garbage"),
        w.ca_cert,
        join(&w, w.ca_cert, w.leaf),
        join(&w, w.leaf, w.leaf_key),
        join(&w, w.leaf, lb_span_of(w.leaf.ptr, w.leaf.len / 2)),
        join(&w, other.leaf, w.leaf),
        six,
        lb_span_str("-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n"
                    "DEK-Info: AES-128-CBC,00000000000000000000000000000000\n\nAAAA\n"
                    "-----END CERTIFICATE-----\n"),
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(verify_at(&w, bad[i], NOW), LB_PEER_UNVERIFIED);
    /* The right certificate with a header in its block, which RFC 7468 does not have. */
    const size_t begin_line = sizeof("-----BEGIN CERTIFICATE-----\n") - 1;
    struct lb_span headed = join(&w, lb_span_of(w.leaf.ptr, begin_line), lb_span_str("A: b\n\n"));
    headed = join(&w, headed, lb_span_of(w.leaf.ptr + begin_line, w.leaf.len - begin_line));
    assert_int_equal(verify_at(&w, headed, NOW), LB_PEER_UNVERIFIED);
    assert_int_equal(verify_at(&w, join(&w, w.leaf, w.ca_cert), NOW), LB_CODE_OK);
    assert_int_equal(verify_at(&w, join(&w, w.leaf, other.ca_cert), NOW), LB_CODE_OK);
    for (size_t cut = 0; cut + 1 < w.leaf.len; cut++)
        assert_int_equal(verify_at(&w, lb_span_of(w.leaf.ptr, cut), NOW), LB_PEER_UNVERIFIED);
    end(&other);
    end(&w);
}

static void no_changed_character_passes(void **state)
{
    (void)state;
    struct world w = begin();
    char *text = lb_arena_str(w.arena, w.leaf);
    const size_t body = sizeof("-----BEGIN CERTIFICATE-----");
    const size_t tail = sizeof("-----END CERTIFICATE-----\n") + 4;
    for (size_t i = body; i + tail < w.leaf.len; i++) {
        char kept = text[i];
        if (kept == '\n')
            continue;
        text[i] = kept == 'A' ? 'B' : 'A';
        assert_int_not_equal(verify_at(&w, lb_span_str(text), NOW), LB_CODE_OK);
        text[i] = kept;
    }
    assert_int_equal(verify_at(&w, lb_span_str(text), NOW), LB_CODE_OK);
    end(&w);
}

static void oversized_input_is_refused_unread(void **state)
{
    (void)state;
    struct world w = begin();
    uint8_t *blanks = lb_arena_alloc(w.arena, LB_MAX_PEM_BYTES);
    memset(blanks, '\n', LB_MAX_PEM_BYTES);
    struct lb_span chain = join(&w, w.leaf, lb_span_of(blanks, LB_MAX_PEM_BYTES));
    assert_int_equal(verify_at(&w, chain, NOW), LB_PEER_UNVERIFIED);
    struct lb_cert_info info;
    assert_int_equal(lb_status_code(lb_x509_info(chain, &info)), LB_MALFORMED);
    end(&w);
}

static void the_error_queue_of_others_is_left_alone(void **state)
{
    (void)state;
    struct world w = begin();
    ERR_raise(ERR_LIB_USER, 42);
    unsigned long before = ERR_peek_last_error();
    assert_int_equal(verify_at(&w, lb_span_str("garbage"), NOW), LB_PEER_UNVERIFIED);
    assert_true(ERR_peek_last_error() == before);
    ERR_clear_error();
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_ca_issues_verifies),
        cmocka_unit_test(an_answer_holds_until_the_first_end),
        cmocka_unit_test(an_answer_holds_until_another_list_counts),
        cmocka_unit_test(time_is_checked),
        cmocka_unit_test(only_the_pinned_ca_counts),
        cmocka_unit_test(broken_anchors_verify_nobody),
        cmocka_unit_test(revoked_is_revoked),
        cmocka_unit_test(without_a_current_list_nobody_passes),
        cmocka_unit_test(hostile_chains_are_refused),
        cmocka_unit_test(no_changed_character_passes),
        cmocka_unit_test(oversized_input_is_refused_unread),
        cmocka_unit_test(the_error_queue_of_others_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
