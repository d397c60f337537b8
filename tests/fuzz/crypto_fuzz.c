#include "gateway/base/utf8.h"
#include "gateway/crypto/b64.h"
#include "gateway/crypto/hash.h"
#include "gateway/crypto/x509.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/keys.h"

/* Certificates, revocation lists, keys and signatures. */

#define ARENA_BYTES (16U << 20)
#define LINE_CHARACTERS 64

/* PEM around any DER, so that the fuzzer need not learn base64. */
static struct lb_span pem_of(struct lb_arena *arena, const char *type, struct lb_span der)
{
    const char *text = lb_b64_encode(arena, der);
    FUZZ_CHECK(text != NULL);
    size_t left = strlen(text);
    char *lines = lb_arena_alloc(arena, left + left / LINE_CHARACTERS + 2);
    FUZZ_CHECK(lines != NULL);
    size_t at = 0;
    while (left > 0) {
        size_t len = left < LINE_CHARACTERS ? left : LINE_CHARACTERS;
        memcpy(lines + at, text, len);
        at += len;
        lines[at++] = '\n';
        text += len;
        left -= len;
    }
    lines[at] = 0;
    const char *pem =
        lb_arena_printf(arena, "-----BEGIN %s-----\n%s-----END %s-----\n", type, lines, type);
    FUZZ_CHECK(pem != NULL);
    return lb_span_str(pem);
}

static struct lb_span der_of(struct lb_arena *arena, const char *pem)
{
    char *text = lb_arena_alloc(arena, strlen(pem) + 1);
    FUZZ_CHECK(text != NULL);
    size_t at = 0;
    for (const char *line = strchr(pem, '\n') + 1; strncmp(line, "-----", 5) != 0;) {
        size_t len = strcspn(line, "\n");
        memcpy(text + at, line, len);
        at += len;
        line += len + 1;
    }
    struct lb_span der = LB_SPAN_EMPTY;
    FUZZ_OK(lb_b64_decode(arena, lb_span_of(text, at), &der));
    return der;
}

static void check_info(const struct lb_cert_info *info)
{
    size_t len = strnlen(info->spiffe, sizeof(info->spiffe));
    FUZZ_CHECK(len < sizeof(info->spiffe));
    FUZZ_CHECK(strlen(info->serial_hex) < sizeof(info->serial_hex));
    FUZZ_CHECK(strspn(info->serial_hex, "0123456789abcdef") == strlen(info->serial_hex));
}

static struct lb_x509_anchors anchors_of(uint8_t pin[1][32], struct lb_span ca, struct lb_span crl)
{
    FUZZ_OK(lb_x509_ca_pin(lb_span_str(fuzz_ca_pem), pin[0]));
    return (struct lb_x509_anchors){ca, crl, (const uint8_t (*)[32])pin, 1};
}

/* Nobody passes but the one certificate the CA has signed. */
static bool try_chain(struct lb_span pem)
{
    struct lb_cert_info info, good, seen;
    uint8_t pin[1][32];
    lb_status known = lb_x509_info(pem, &info);
    if (known == LB_OK)
        check_info(&info);
    struct lb_x509_anchors anchors =
        anchors_of(pin, lb_span_str(fuzz_ca_pem), lb_span_str(fuzz_crl_pem));
    if (lb_x509_verify(&anchors, pem, FUZZ_CERT_NOW, &seen) == LB_OK) {
        FUZZ_OK(lb_x509_info(lb_span_str(fuzz_leaf_pem), &good));
        FUZZ_CHECK(memcmp(seen.spki_sha256, good.spki_sha256, 32) == 0);
        FUZZ_CHECK(strcmp(seen.spiffe, good.spiffe) == 0);
        FUZZ_CHECK(strcmp(seen.serial_hex, good.serial_hex) == 0);
        FUZZ_CHECK(seen.not_after_unix_s == good.not_after_unix_s && !seen.is_ca);
    }
    return known == LB_OK;
}

/* The one list under which the leaf passes is the one the CA has signed. */
static bool try_crl(struct lb_span crl)
{
    struct lb_cert_info seen;
    uint8_t pin[1][32];
    struct lb_x509_anchors anchors = anchors_of(pin, lb_span_str(fuzz_ca_pem), crl);
    lb_status status =
        lb_x509_verify(&anchors, lb_span_str(fuzz_leaf_pem), FUZZ_CERT_NOW, &seen);
    if (status == LB_OK) {
        LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
        const char *text = fuzz_text(arena, crl);
        FUZZ_CHECK(text == NULL || strstr(text, "-----BEGIN X509 CRL-----") != NULL);
        return true;
    }
    enum lb_code code = lb_status_code(status);
    FUZZ_CHECK(code == LB_CRL_STALE || code == LB_PEER_REVOKED || code == LB_NO_MEMORY);
    return false;
}

static bool try_anchor(struct lb_span ca)
{
    struct lb_cert_info seen;
    uint8_t pin[1][32];
    struct lb_x509_anchors anchors = anchors_of(pin, ca, lb_span_str(fuzz_crl_pem));
    return lb_x509_verify(&anchors, lb_span_str(fuzz_leaf_pem), FUZZ_CERT_NOW, &seen) == LB_OK;
}

/* 0 to 3: PEM as chain, revocation list, anchors; 4 to 6: the same from DER. */
bool fuzz_x509(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    uint8_t which = fuzz_u8(&in) & 7;
    switch (which) {
    case 0:
    case 3:
        return try_chain(in);
    case 1:
        return try_crl(in);
    case 2:
        return try_anchor(in);
    case 4:
        return try_chain(pem_of(arena, "CERTIFICATE", in));
    case 5:
        return try_crl(pem_of(arena, "X509 CRL", in));
    default:
        return try_anchor(pem_of(arena, "CERTIFICATE", in));
    }
}

void seed_x509(const struct fuzz_sink *sink)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    fuzz_seed(sink, 0, lb_span_str(fuzz_leaf_pem));
    fuzz_seed(sink, 1, lb_span_str(fuzz_crl_pem));
    fuzz_seed(sink, 2, lb_span_str(fuzz_ca_pem));
    fuzz_seed(sink, 4, der_of(arena, fuzz_leaf_pem));
    fuzz_seed(sink, 4, der_of(arena, fuzz_ca_pem));
    fuzz_seed(sink, 5, der_of(arena, fuzz_crl_pem));
    fuzz_seed(sink, 6, der_of(arena, fuzz_ca_pem));
}

/* --- keys and signatures --- */

static bool try_private(struct lb_span pem, enum lb_sign_alg alg)
{
    struct lb_sign_key *key = NULL, *again = NULL;
    if (lb_sign_key_from_pem(pem, alg, &key) != LB_OK)
        return false;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    uint8_t first[LB_P256_PUBLIC_BYTES], second[LB_P256_PUBLIC_BYTES];
    struct lb_span written;
    FUZZ_CHECK(lb_sign_key_alg(key) == alg);
    FUZZ_OK(lb_sign_key_to_pem(key, arena, &written));
    FUZZ_OK(lb_sign_key_from_pem(written, alg, &again));
    size_t len = lb_sign_key_public(key, first);
    FUZZ_CHECK(lb_sign_key_public(again, second) == len && memcmp(first, second, len) == 0);
    lb_sign_key_free(key);
    lb_sign_key_free(again);
    return true;
}

static bool try_public(struct lb_span in, enum lb_sign_alg alg)
{
    struct lb_verify_key *key = NULL;
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    struct lb_span point = fuzz_bytes(&in, alg == LB_SIGN_ES256 ? 64 : 32);
    if (lb_verify_key_new(alg, point, &key) != LB_OK)
        return false;
    FUZZ_CHECK(lb_span_eq(lb_span_of(raw, lb_verify_key_raw(key, raw)), point));
    bool verifies = lb_verify(key, lb_span_str("a message"), in) == LB_OK;
    FUZZ_CHECK(!verifies || in.len == LB_SIGNATURE_BYTES);
    lb_verify_key_free(key);
    return verifies;
}

/* Nobody but the holder of the key signs. */
static bool try_signature(struct lb_span in, const struct lb_verify_key *key)
{
    FUZZ_CODE(lb_verify(key, lb_span_str("never signed"), in), LB_SIGNATURE_INVALID);
    return in.len == LB_SIGNATURE_BYTES;
}

static bool try_x25519(struct lb_span in)
{
    uint8_t peer[32] = {0}, shared[32];
    struct lb_span bytes = fuzz_bytes(&in, 32);
    if (bytes.len > 0)
        memcpy(peer, bytes.ptr, bytes.len);
    lb_status status = lb_x25519_dh(fuzz_keys()->x25519.private_key, peer, shared);
    static const uint8_t zeros[32];
    FUZZ_CHECK(status != LB_OK || memcmp(shared, zeros, 32) != 0);
    return status == LB_OK;
}

bool fuzz_keys_and_signatures(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    uint8_t which = fuzz_u8(&in) & 15;
    enum lb_sign_alg alg = (which & 1) != 0 ? LB_SIGN_ES256 : LB_SIGN_ED25519;
    switch (which >> 1) {
    case 0:
        return try_private(in, alg);
    case 1:
        return try_private(pem_of(arena, "PRIVATE KEY", in), alg);
    case 2:
        return try_public(in, alg);
    case 3:
        return try_signature(in, alg == LB_SIGN_ES256 ? fuzz_keys()->es256_public
                                                      : fuzz_keys()->ed25519_public);
    default:
        return try_x25519(in);
    }
}

void seed_keys_and_signatures(const struct fuzz_sink *sink)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    const struct lb_sign_key *const keys[2] = {fuzz_keys()->ed25519, fuzz_keys()->es256};
    for (uint8_t i = 0; i < 2; i++) {
        uint8_t raw[LB_P256_PUBLIC_BYTES + LB_SIGNATURE_BYTES];
        struct lb_span pem = LB_SPAN_EMPTY;
        FUZZ_OK(lb_sign_key_to_pem(keys[i], arena, &pem));
        fuzz_seed(sink, i, pem);
        const char *text = fuzz_text(arena, pem);
        FUZZ_CHECK(text != NULL);
        fuzz_seed(sink, 2 | i, der_of(arena, text));
        size_t len = lb_sign_key_public(keys[i], raw);
        FUZZ_OK(lb_sign(keys[i], lb_span_str("a message"), raw + len));
        fuzz_seed(sink, 4 | i, lb_span_of(raw, len + LB_SIGNATURE_BYTES));
        fuzz_seed(sink, 6 | i, lb_span_of(raw + len, LB_SIGNATURE_BYTES));
    }
    fuzz_seed(sink, 8, lb_span_of(fuzz_keys()->sender.public_key, 32));
}
