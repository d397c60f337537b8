#include "gateway/token/forge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/crypto/b64.h"

static const char *encode(struct lb_arena *arena, const char *text)
{
    char *encoded = lb_b64url_encode(arena, lb_span_str(text));
    assert_non_null(encoded);
    return encoded;
}

struct lb_span forge_join(struct lb_arena *arena, const char *header, const char *payload,
                          const char *signature)
{
    char *token = lb_arena_printf(arena, "%s.%s.%s", encode(arena, header),
                                  encode(arena, payload), signature);
    assert_non_null(token);
    return lb_span_str(token);
}

struct lb_span forge_token(struct lb_arena *arena, const char *header, const char *payload,
                           const struct lb_sign_key *key)
{
    char *input = lb_arena_printf(arena, "%s.%s", encode(arena, header), encode(arena, payload));
    assert_non_null(input);
    uint8_t raw[LB_SIGNATURE_BYTES];
    assert_ok(lb_sign(key, lb_span_str(input), raw));
    return forge_join(arena, header, payload,
                      lb_b64url_encode(arena, lb_span_of(raw, sizeof(raw))));
}

const char *forge_swap(struct lb_arena *arena, const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    assert_non_null(at);
    char *swapped = lb_arena_printf(arena, "%.*s%s%s", (int)(at - text), text, to,
                                    at + strlen(from));
    assert_non_null(swapped);
    return swapped;
}

const char *forge_payload(struct lb_arena *arena, struct lb_span token)
{
    const uint8_t *first = memchr(token.ptr, '.', token.len);
    assert_non_null(first);
    size_t left = token.len - (size_t)(first + 1 - token.ptr);
    const uint8_t *second = memchr(first + 1, '.', left);
    assert_non_null(second);
    struct lb_span text;
    assert_ok(lb_b64url_decode(arena, lb_span_of(first + 1, (size_t)(second - first - 1)), &text));
    char *payload = lb_arena_str(arena, text);
    assert_non_null(payload);
    return payload;
}

struct lb_verify_key *forge_verify_key(const struct lb_sign_key *key)
{
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    size_t len = lb_sign_key_public(key, raw);
    struct lb_verify_key *verify = NULL;
    assert_ok(lb_verify_key_new(lb_sign_key_alg(key), lb_span_of(raw, len), &verify));
    return verify;
}

struct lb_grant forge_grant(void)
{
    return (struct lb_grant){
        .issuer = "service-hall",
        .kid = "hall-1",
        .jti = "01J8ZK4Q7T",
        .requester = "street-office",
        .iat = FORGE_NOW,
        .nbf = FORGE_NOW,
        .exp = FORGE_NOW + 3600,
        .cnf_jkt = {1, 2, 3},
        .status_uri = "https://hall.example/status/1",
        .status_index = 77,
    };
}

static const struct lb_section_field tax_fields[] = {{"income", "SUM(12)"}, {"income", "CMP(a)"}};
static const struct lb_section_field house_fields[] = {{"dwellings", "COUNT(2)"}};
static const struct lb_section_view sample_views[] = {
    {"tax.income", 1, 2, tax_fields},
    {"housing.titles", 3, 1, house_fields},
};
static const char *const sample_laws[] = {"SAL40", "社会救助法 41"};

struct lb_section forge_section(void)
{
    return (struct lb_section){
        .provider = "tax",
        .audience = "spiffe://example.gov/adapter/tax/one",
        .form = "social-assistance",
        .form_version = 2,
        .form_sha256 = {9},
        .purpose = "social-assistance",
        .case_id = "2026-000123",
        .basis = "separate_consent",
        .num_laws = 2,
        .laws = sample_laws,
        .role = "applicant",
        .operator_hash = "00112233445566778899aabbccddeeff",
        .notice_sha256 = {8},
        .method = "face",
        .level = 3,
        .max_uses = 3,
        .answer_bytes = 4096,
        .subject = {7},
        .num_views = 2,
        .views = sample_views,
    };
}
