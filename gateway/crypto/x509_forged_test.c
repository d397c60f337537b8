#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/crypto/x509.h"
#include "gateway/crypto/x509_forge.h"

/* Certificates and lists from other people's CAs, right and wrong. */

#define NOW 1790000000
#define DAY 86400

#define CA_EXTENSIONS                                                                              \
    {"basicConstraints", "critical,CA:TRUE"}, {"keyUsage", "critical,keyCertSign,cRLSign"},        \
        {"subjectKeyIdentifier", "hash"}, {NULL, NULL}
#define URI {"subjectAltName", "URI:spiffe://f.test/window/hall"}
#define USAGE {"keyUsage", "critical,digitalSignature"}
#define BOTH {"extendedKeyUsage", "serverAuth,clientAuth"}
#define END {NULL, NULL}

static const char *const ca_extensions[][2] = {CA_EXTENSIONS};
static const char *const leaf_extensions[][2] = {URI, USAGE, BOTH, END};

struct world {
    struct lb_arena *arena;
    struct forged ca;
    uint8_t pin[1][32];
    struct lb_x509_anchors anchors;
};

static struct forge_options ca_options(const char *key_type, const struct forged *issuer)
{
    return (struct forge_options){
        .key_type = key_type, .issuer = issuer, .common_name = issuer == NULL ? "Root" : "Issuing",
        .from_unix_s = NOW - DAY, .to_unix_s = NOW + 30 * DAY, .extensions = ca_extensions};
}

static struct forge_options leaf_options(const struct forged *issuer)
{
    return (struct forge_options){
        .key_type = "P-256", .issuer = issuer, .common_name = "leaf", .from_unix_s = NOW - DAY,
        .to_unix_s = NOW + DAY, .extensions = leaf_extensions};
}

static struct lb_span good_crl(const struct forged *issuer, struct lb_arena *arena)
{
    struct forge_crl_options options = {.issuer = issuer, .this_unix_s = NOW - 10,
                                        .next_unix_s = NOW + DAY};
    return forge_crl(&options, arena);
}

static struct world begin_with(const char *key_type)
{
    struct world w = {.arena = lb_arena_new(1 << 21)};
    struct forge_options options = ca_options(key_type, NULL);
    w.ca = forge_cert(&options);
    struct lb_span ca_pem = forge_pem(&w.ca, w.arena);
    assert_true(lb_x509_ca_pin(ca_pem, w.pin[0]) == LB_OK);
    w.anchors = (struct lb_x509_anchors){ca_pem, good_crl(&w.ca, w.arena), NULL, 1};
    return w;
}

static void end(struct world *w)
{
    forge_free(&w->ca);
    lb_arena_free(w->arena);
}

static enum lb_code verify(struct world *w, struct lb_span chain)
{
    w->anchors.ca_spki_pins = (const uint8_t(*)[32])w->pin;
    struct lb_cert_info info;
    return lb_status_code(lb_x509_verify(&w->anchors, chain, NOW, &info));
}

static enum lb_code verify_forged(struct world *w, const struct forge_options *options)
{
    struct forged leaf = forge_cert(options);
    enum lb_code code = verify(w, forge_pem(&leaf, w->arena));
    forge_free(&leaf);
    return code;
}

static void usage_must_be_exactly_ours(void **state)
{
    (void)state;
    static const char *const no_eku[][2] = {URI, USAGE, END};
    static const char *const server[][2] = {URI, USAGE, {"extendedKeyUsage", "serverAuth"}, END};
    static const char *const client[][2] = {URI, USAGE, {"extendedKeyUsage", "clientAuth"}, END};
    static const char *const mail[][2] = {URI, USAGE, {"extendedKeyUsage", "emailProtection"}, END};
    static const char *const any[][2] = {URI, USAGE, {"extendedKeyUsage", "anyExtendedKeyUsage"},
                                         END};
    static const char *const encipher[][2] = {URI, BOTH, {"keyUsage", "keyEncipherment"}, END};
    static const char *const agree[][2] = {URI, BOTH, {"keyUsage", "keyAgreement"}, END};
    static const char *const a_ca[][2] = {URI, BOTH, {"basicConstraints", "critical,CA:TRUE"},
                                          {"keyUsage", "digitalSignature,keyCertSign"}, END};
    static const char *const critical[][2] = {URI, USAGE, BOTH,
                                              {"1.2.3.4", "critical,DER:0500"}, END};
    static const char *const (*const bad[])[2] = {no_eku, server, client,   mail,
                                                  any,    encipher, a_ca, critical,
                                                  agree};
    struct world w = begin_with("P-256");
    struct forge_options options = leaf_options(&w.ca);
    assert_int_equal(verify_forged(&w, &options), LB_CODE_OK);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        options.extensions = bad[i];
        assert_int_equal(verify_forged(&w, &options), LB_PEER_UNVERIFIED);
    }
    end(&w);
}

static void weak_or_strange_keys_are_refused(void **state)
{
    (void)state;
    static const char *const good[] = {"P-256", "P-384", "ED25519", "RSA:2048"};
    static const char *const bad[] = {"P-521", "secp256k1", "P-224", "RSA:1024"};
    for (size_t i = 0; i < 4; i++) {
        struct world w = begin_with(good[i]);
        for (size_t k = 0; k < 4; k++) {
            struct forge_options options = leaf_options(&w.ca);
            options.key_type = good[k];
            assert_int_equal(verify_forged(&w, &options), LB_CODE_OK);
            options.key_type = bad[k];
            assert_int_equal(verify_forged(&w, &options), LB_PEER_UNVERIFIED);
        }
        end(&w);
        struct world weak = begin_with(bad[i]);
        struct forge_options options = leaf_options(&weak.ca);
        assert_int_equal(verify_forged(&weak, &options), LB_PEER_UNVERIFIED);
        end(&weak);
    }
}

static void sha1_signs_nothing(void **state)
{
    (void)state;
    struct world w = begin_with("RSA:2048");
    struct forge_options options = leaf_options(&w.ca);
    options.digest = "SHA1";
    assert_int_equal(verify_forged(&w, &options), LB_PEER_UNVERIFIED);
    struct forge_crl_options crl = {.issuer = &w.ca, .digest = "SHA1", .this_unix_s = NOW - 10,
                                    .next_unix_s = NOW + DAY};
    w.anchors.crl_pem = forge_crl(&crl, w.arena);
    options.digest = "SHA384";
    assert_int_equal(verify_forged(&w, &options), LB_CRL_STALE);
    end(&w);
}

static void a_list_that_is_not_whole_does_not_count(void **state)
{
    (void)state;
    struct world w = begin_with("P-256");
    struct world namesake = begin_with("P-256");
    struct forge_options options = leaf_options(&w.ca);
    struct forge_crl_options crl = {.issuer = &w.ca, .this_unix_s = NOW - 10,
                                    .next_unix_s = NOW + DAY, .delta = true};
    w.anchors.crl_pem = forge_crl(&crl, w.arena);
    assert_int_equal(verify_forged(&w, &options), LB_CRL_STALE);
    crl.delta = false;
    crl.next_unix_s = 0;
    w.anchors.crl_pem = forge_crl(&crl, w.arena);
    assert_int_equal(verify_forged(&w, &options), LB_CRL_STALE);
    /* Another CA of the same name signed it. */
    w.anchors.crl_pem = good_crl(&namesake.ca, w.arena);
    assert_int_equal(verify_forged(&w, &options), LB_CRL_STALE);
    end(&namesake);
    end(&w);
}

static struct lb_span join(struct world *w, struct lb_span a, struct lb_span b)
{
    char *text = lb_arena_printf(w->arena, "%s%s", (const char *)a.ptr, (const char *)b.ptr);
    assert_non_null(text);
    return lb_span_str(text);
}

struct tower {
    struct forged issuing;
    struct forged leaf;
    struct lb_span chain;
};

static struct tower build(struct world *w)
{
    struct tower t;
    struct forge_options options = ca_options("P-256", &w->ca);
    t.issuing = forge_cert(&options);
    options = leaf_options(&t.issuing);
    t.leaf = forge_cert(&options);
    t.chain = join(w, forge_pem(&t.leaf, w->arena), forge_pem(&t.issuing, w->arena));
    return t;
}

static void tower_free(struct tower *t)
{
    forge_free(&t->issuing);
    forge_free(&t->leaf);
}

static void an_intermediate_needs_its_own_pin_and_list(void **state)
{
    (void)state;
    struct world w = begin_with("P-256");
    struct tower t = build(&w);
    struct lb_span root_crl = w.anchors.crl_pem;
    struct lb_span issuing_crl = good_crl(&t.issuing, w.arena);
    w.anchors.crl_pem = join(&w, root_crl, issuing_crl);
    /* The root's pin does not speak for what it certifies. */
    assert_int_equal(verify(&w, t.chain), LB_PEER_UNVERIFIED);
    struct lb_span issuing_pem = forge_pem(&t.issuing, w.arena);
    assert_true(lb_x509_ca_pin(issuing_pem, w.pin[0]) == LB_OK);
    assert_int_equal(verify(&w, t.chain), LB_CODE_OK);
    assert_int_equal(verify(&w, forge_pem(&t.leaf, w.arena)), LB_PEER_UNVERIFIED);
    w.anchors.crl_pem = root_crl;
    assert_int_equal(verify(&w, t.chain), LB_CRL_STALE);
    w.anchors.crl_pem = issuing_crl;
    assert_int_equal(verify(&w, t.chain), LB_CRL_STALE);
    struct forge_crl_options crl = {.issuer = &w.ca, .revoked = t.issuing.cert,
                                    .this_unix_s = NOW - 10, .next_unix_s = NOW + DAY};
    w.anchors.crl_pem = join(&w, forge_crl(&crl, w.arena), issuing_crl);
    assert_int_equal(verify(&w, t.chain), LB_PEER_REVOKED);
    /* The issuing CA alone in our file ends the chain; its root is nobody's business. */
    w.anchors.ca_pem = issuing_pem;
    w.anchors.crl_pem = issuing_crl;
    assert_int_equal(verify(&w, t.chain), LB_CODE_OK);
    tower_free(&t);
    end(&w);
}

static void a_leaf_issues_nothing(void **state)
{
    (void)state;
    struct world w = begin_with("P-256");
    struct forge_options options = leaf_options(&w.ca);
    struct forged leaf = forge_cert(&options);
    options = leaf_options(&leaf);
    struct forged forged = forge_cert(&options);
    struct lb_span leaf_pem = forge_pem(&leaf, w.arena);
    assert_true(lb_x509_ca_pin(leaf_pem, w.pin[0]) == LB_OK);
    w.anchors.crl_pem = join(&w, w.anchors.crl_pem, good_crl(&leaf, w.arena));
    assert_int_equal(verify(&w, join(&w, forge_pem(&forged, w.arena), leaf_pem)),
                     LB_PEER_UNVERIFIED);
    forge_free(&forged);
    forge_free(&leaf);
    end(&w);
}

static void path_length_and_constraints_of_a_ca_hold(void **state)
{
    (void)state;
    static const char *const short_path[][2] = {
        {"basicConstraints", "critical,CA:TRUE,pathlen:0"},
        {"keyUsage", "critical,keyCertSign,cRLSign"}, {"subjectKeyIdentifier", "hash"}, END};
    static const char *const server_only[][2] = {
        {"basicConstraints", "critical,CA:TRUE"}, {"keyUsage", "critical,keyCertSign,cRLSign"},
        {"extendedKeyUsage", "clientAuth"}, END};
    static const char *const (*const kinds[])[2] = {short_path, server_only};
    for (size_t i = 0; i < 2; i++) {
        struct world w = begin_with("P-256");
        forge_free(&w.ca);
        struct forge_options options = ca_options("P-256", NULL);
        options.extensions = kinds[i];
        w.ca = forge_cert(&options);
        w.anchors.ca_pem = forge_pem(&w.ca, w.arena);
        struct tower t = build(&w);
        w.anchors.crl_pem = join(&w, good_crl(&w.ca, w.arena), good_crl(&t.issuing, w.arena));
        assert_true(lb_x509_ca_pin(forge_pem(&t.issuing, w.arena), w.pin[0]) == LB_OK);
        assert_int_equal(verify(&w, t.chain), LB_PEER_UNVERIFIED);
        tower_free(&t);
        end(&w);
    }
}

static void only_one_plain_uri_names_a_member(void **state)
{
    (void)state;
    static const char *const none[][2] = {USAGE, BOTH, {"subjectAltName", "DNS:a.test"}, END};
    static const char *const two[][2] = {USAGE, BOTH, {"subjectAltName", "URI:a:b,URI:a:c"}, END};
    static const char *const space[][2] = {USAGE, BOTH, {"subjectAltName", "URI:a: b"}, END};
    static const char *const nul[][2] = {
        USAGE, BOTH, {"subjectAltName", "DER:300786057370690066"}, END};
    static const char *const garbage[][2] = {
        USAGE, BOTH, {"subjectAltName", "DER:3009860573"}, END};
    static const char *const (*const bad[])[2] = {two, space, nul, garbage};
    struct world w = begin_with("P-256");
    struct forge_options options = leaf_options(&w.ca);
    struct lb_cert_info info;
    options.extensions = none;
    struct forged leaf = forge_cert(&options);
    assert_true(lb_x509_info(forge_pem(&leaf, w.arena), &info) == LB_OK);
    assert_string_equal(info.spiffe, "");
    forge_free(&leaf);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        options.extensions = bad[i];
        leaf = forge_cert(&options);
        struct lb_span pem = forge_pem(&leaf, w.arena);
        assert_int_equal(lb_status_code(lb_x509_info(pem, &info)), LB_MALFORMED);
        assert_int_equal(verify(&w, pem), LB_PEER_UNVERIFIED);
        forge_free(&leaf);
    }
    end(&w);
}

static void a_uri_has_a_maximum(void **state)
{
    (void)state;
    struct world w = begin_with("P-256");
    for (size_t len = LB_MAX_SPIFFE_BYTES - 1; len <= LB_MAX_SPIFFE_BYTES; len++) {
        char value[LB_MAX_SPIFFE_BYTES + 8] = "URI:";
        memset(value + 4, 'a', len);
        value[4 + len] = '\0';
        const char *const extensions[][2] = {USAGE, BOTH, {"subjectAltName", value}, END};
        struct forge_options options = leaf_options(&w.ca);
        options.extensions = extensions;
        struct forged leaf = forge_cert(&options);
        struct lb_cert_info info;
        lb_status status = lb_x509_info(forge_pem(&leaf, w.arena), &info);
        assert_int_equal(lb_status_code(status),
                         len < LB_MAX_SPIFFE_BYTES ? LB_CODE_OK : LB_MALFORMED);
        forge_free(&leaf);
    }
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usage_must_be_exactly_ours),
        cmocka_unit_test(weak_or_strange_keys_are_refused),
        cmocka_unit_test(sha1_signs_nothing),
        cmocka_unit_test(a_list_that_is_not_whole_does_not_count),
        cmocka_unit_test(an_intermediate_needs_its_own_pin_and_list),
        cmocka_unit_test(a_leaf_issues_nothing),
        cmocka_unit_test(path_length_and_constraints_of_a_ca_hold),
        cmocka_unit_test(only_one_plain_uri_names_a_member),
        cmocka_unit_test(a_uri_has_a_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
