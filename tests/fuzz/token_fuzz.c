#include "gateway/base/buf.h"
#include "gateway/base/limits.h"
#include "gateway/base/utf8.h"
#include "gateway/crypto/b64.h"
#include "gateway/crypto/hash.h"
#include "gateway/token/grant.h"
#include "gateway/token/operator_token.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/keys.h"

/* Grants, sections and operator tokens. A mutated token fails at its signature, so most inputs are
 * what is signed, and the signature is made here. */

#define ARENA_BYTES (16U << 20)
#define NOW INT64_C(1800000000)
#define GRANT_HEADER "{\"alg\":\"ES256\",\"typ\":\"lianban-grant+sd-jwt\",\"kid\":\"hall-1\"}"
#define OPERATOR_HEADER "{\"typ\":\"JWT\",\"alg\":\"ES256\",\"kid\":\"o1\"}"

/* header LF payload, signed; or a token as it is. */
static struct lb_span token_of(struct lb_span in, const char *header, struct lb_arena *arena)
{
    switch (fuzz_u8(&in) % 3) {
    case 0:
        return in;
    case 1:
        return fuzz_jws(arena, lb_span_str(header), in);
    default: {
        struct lb_span own = fuzz_line(&in);
        return fuzz_jws(arena, own, in);
    }
    }
}

static bool is_name(const char *text, size_t max)
{
    size_t len = strlen(text);
    return len > 0 && len <= max && lb_utf8_valid(lb_span_str(text));
}

static void check_grant(const struct lb_grant *grant)
{
    FUZZ_CHECK(is_name(grant->issuer, LB_MAX_NAME_BYTES) && is_name(grant->kid, LB_MAX_NAME_BYTES));
    FUZZ_CHECK(is_name(grant->jti, LB_MAX_NAME_BYTES));
    FUZZ_CHECK(is_name(grant->requester, LB_MAX_NAME_BYTES));
    FUZZ_CHECK(grant->exp > grant->nbf && grant->exp > grant->iat && grant->nbf >= 0);
    FUZZ_CHECK(grant->num_digests >= 16 && grant->num_digests <= 128);
    FUZZ_CHECK(grant->status_uri == NULL || grant->status_index < LB_MAX_STATUS_ENTRIES);
    for (size_t i = 1; i < grant->num_digests; i++)
        FUZZ_CHECK(memcmp(grant->digests[i - 1], grant->digests[i], 32) < 0);
}

bool fuzz_grant(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    struct lb_span token = token_of(in, GRANT_HEADER, arena);
    struct lb_grant seen, grant;
    lb_status peeked = lb_grant_peek(token, arena, &seen);
    lb_status status = lb_grant_verify(token, fuzz_keys()->es256_public, arena, &grant);
    if (status != LB_OK) {
        FUZZ_CHECK(peeked == LB_OK || lb_status_code(peeked) == lb_status_code(status));
        return false;
    }
    FUZZ_OK(peeked);
    check_grant(&grant);
    FUZZ_CHECK(strcmp(seen.issuer, grant.issuer) == 0 && strcmp(seen.kid, grant.kid) == 0);
    FUZZ_CODE(lb_grant_check_time(&grant, grant.exp), LB_GRANT_EXPIRED);
    /* Another spelling of the same token does not pass. */
    struct lb_span longer;
    const char *text = fuzz_text(arena, token);
    FUZZ_CHECK(text != NULL);
    longer = lb_span_str(lb_arena_printf(arena, "%s=", text));
    FUZZ_CHECK(lb_grant_peek(longer, arena, &seen) != LB_OK);
    return true;
}

static const char *sample_grant(struct lb_arena *arena, const uint8_t digest[32], bool status)
{
    struct lb_buf digests;
    lb_buf_init(&digests, 4096);
    bool listed = false;
    for (uint8_t i = 0; i < 16; i++) {
        uint8_t decoy[32] = {(uint8_t)(i * 16)};
        bool here = !listed && (i == 15 || memcmp(digest, (uint8_t[32]){(uint8_t)(i * 16 + 16)},
                                                  32) < 0);
        const uint8_t *bytes = here ? digest : decoy;
        listed = listed || here;
        lb_buf_printf(&digests, "%s\"%s\"", i == 0 ? "" : ",",
                      lb_b64url_encode(arena, lb_span_of(bytes, 32)));
    }
    const char *text = lb_arena_printf(
        arena,
        "{\"iss\":\"service-hall\",\"iat\":%lld,\"nbf\":%lld,\"exp\":%lld,\"jti\":\"01J8ZK4Q7T\","
        "\"suite\":\"lianban-1\",\"requester\":\"street-office\",\"cnf\":{\"jkt\":\"%s\"},%s"
        "\"_sd_alg\":\"sha-256\",\"_sd\":[%.*s]}",
        (long long)NOW, (long long)NOW, (long long)NOW + 3600,
        lb_b64url_encode(arena, lb_span_of((const uint8_t[32]){1, 2}, 32)),
        status ? "\"status\":{\"status_list\":{\"idx\":7,\"uri\":\"https://hall/1\"}}," : "",
        (int)digests.len, (const char *)digests.ptr);
    FUZZ_CHECK(text != NULL);
    lb_buf_cleanup(&digests);
    return text;
}

void seed_grant(const struct fuzz_sink *sink)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    const char *payload = sample_grant(arena, (const uint8_t[32]){3, 3}, true);
    fuzz_seed(sink, 0, fuzz_jws(arena, lb_span_str(GRANT_HEADER), lb_span_str(payload)));
    fuzz_seed(sink, 1, lb_span_str(payload));
    fuzz_seed(sink, 1, lb_span_str(sample_grant(arena, (const uint8_t[32]){250}, false)));
    fuzz_seed(sink, 2, lb_span_str(lb_arena_printf(arena, "%s\n%s", GRANT_HEADER, payload)));
}

/* --- sections --- */

static void check_section(const struct lb_section *section)
{
    FUZZ_CHECK(is_name(section->case_id, LB_MAX_NAME_BYTES));
    FUZZ_CHECK(is_name(section->provider, LB_MAX_NAME_BYTES));
    FUZZ_CHECK(is_name(section->purpose, LB_MAX_NAME_BYTES));
    FUZZ_CHECK(is_name(section->operator_hash, LB_MAX_NAME_BYTES));
    FUZZ_CHECK(is_name(section->audience, LB_MAX_SPIFFE_BYTES - 1));
    FUZZ_CHECK(section->level >= 1 && section->level <= 4 && section->max_uses >= 1);
    FUZZ_CHECK(section->event_days >= 0 && section->event_days <= LB_EVENT_MAX_DAYS);
    FUZZ_CHECK(section->answer_bytes >= 1 && section->answer_bytes <= LB_MAX_ANSWER_BYTES);
    FUZZ_CHECK(section->num_views >= 1 && section->num_views <= LB_MAX_VIEWS_PER_SECTION);
    size_t num_fields = 0;
    for (size_t i = 0; i < section->num_views; i++) {
        const struct lb_section_view *view = &section->views[i];
        num_fields += view->num_fields;
        FUZZ_CHECK(is_name(view->id, LB_MAX_NAME_BYTES) && view->num_fields > 0);
        for (size_t k = 0; k < view->num_fields; k++)
            FUZZ_CHECK(view->fields[k].name[0] != 0 && view->fields[k].operator_text[0] != 0);
    }
    FUZZ_CHECK(num_fields <= LB_MAX_FIELDS_PER_SECTION);
}

/* Issued anew, it reads as the same section. */
static void check_reissue(const struct lb_section *section, const struct lb_grant *like,
                          struct lb_arena *arena)
{
    struct lb_grant again;
    struct lb_section back;
    struct lb_span jwt, disclosure;
    FUZZ_OK(lb_grant_issue(like, section, 1, fuzz_keys()->es256, arena, &jwt, &disclosure));
    FUZZ_OK(lb_grant_verify(jwt, fuzz_keys()->es256_public, arena, &again));
    FUZZ_OK(lb_section_open(&again, disclosure, arena, &back));
    FUZZ_CHECK(strcmp(back.audience, section->audience) == 0 && back.level == section->level);
    FUZZ_CHECK(strcmp(back.case_id, section->case_id) == 0 && back.max_uses == section->max_uses);
    FUZZ_CHECK((back.guardian == NULL) == (section->guardian == NULL));
    FUZZ_CHECK(back.num_laws == section->num_laws && back.num_views == section->num_views);
    FUZZ_CHECK(memcmp(back.subject, section->subject, 32) == 0);
    for (size_t i = 0; i < back.num_views; i++) {
        FUZZ_CHECK(strcmp(back.views[i].id, section->views[i].id) == 0);
        FUZZ_CHECK(back.views[i].num_fields == section->views[i].num_fields);
        for (size_t k = 0; k < back.views[i].num_fields; k++)
            FUZZ_CHECK(strcmp(back.views[i].fields[k].operator_text,
                              section->views[i].fields[k].operator_text) == 0);
    }
}

/* 0: a disclosure; 1: the JSON of one; 2: an SD-JWT to be taken apart. */
bool fuzz_section(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    uint8_t which = fuzz_u8(&in) % 3;
    if (which == 2) {
        struct lb_span jwt, *parts = NULL, joined;
        size_t num = 0;
        if (lb_sd_jwt_split(in, arena, &jwt, &parts, &num) != LB_OK)
            return false;
        FUZZ_OK(lb_sd_jwt_join(jwt, parts, num, arena, &joined));
        FUZZ_CHECK(lb_span_eq(joined, in));
        return true;
    }
    struct lb_span disclosure = which == 0 ? in : lb_span_str(lb_b64url_encode(arena, in));
    uint8_t digest[32], other[32] = {1};
    struct lb_section section;
    lb_sha256(disclosure, digest);
    struct lb_grant grant = {.issuer = "hall", .kid = "k", .jti = "j", .requester = "r",
                             .iat = NOW, .nbf = NOW, .exp = NOW + 60, .num_digests = 1,
                             .digests = (const uint8_t (*)[32])&other};
    FUZZ_CODE(lb_section_open(&grant, disclosure, arena, &section), LB_SECTION_INVALID);
    grant.digests = (const uint8_t (*)[32])&digest;
    if (lb_section_open(&grant, disclosure, arena, &section) != LB_OK)
        return false;
    check_section(&section);
    check_reissue(&section, &grant, arena);
    return true;
}

static const char *const sample_section =
    "[\"AAECAwQFBgcICQoLDA0ODw\",\"section\",{\"provider\":\"tax\","
    "\"aud\":\"spiffe://example.gov/adapter/tax/one\",\"form\":\"social-assistance\","
    "\"form_version\":2,"
    "\"form_sha256\":\"0900000000000000000000000000000000000000000000000000000000000000\","
    "\"purpose\":\"social-assistance\",\"case\":\"2026-000123\",\"basis\":\"separate_consent\","
    "\"law\":[\"SAL40\",\"社会救助法 41\"],\"role\":\"applicant\","
    "\"act\":\"00112233445566778899aabbccddeeff\",\"guardian\":\"mother\","
    "\"notice\":\"0800000000000000000000000000000000000000000000000000000000000000\","
    "\"method\":\"face\",\"level\":3,\"uses\":3,\"answer_bytes\":4096,"
    "\"sub\":\"BwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"views\":["
    "{\"view\":\"tax.income\",\"version\":1,\"fields\":[{\"field\":\"income\",\"op\":\"SUM(12)\"},"
    "{\"field\":\"income\",\"op\":\"CMP(<,std)\"}]},"
    "{\"view\":\"tax.firms\",\"version\":3,\"fields\":[{\"field\":\"firm\","
    "\"op\":\"COUNT(2)\"}]}]}]";

void seed_section(const struct fuzz_sink *sink)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    const char *disclosure = lb_b64url_encode(arena, lb_span_str(sample_section));
    FUZZ_CHECK(disclosure != NULL);
    fuzz_seed(sink, 0, lb_span_str(disclosure));
    fuzz_seed(sink, 1, lb_span_str(sample_section));
    fuzz_seed(sink, 2, lb_span_str("aa.bb.cc~dd~ee~"));
    fuzz_seed(sink, 2, lb_span_str("aa.bb.cc~"));
}

/* --- operator tokens --- */

bool fuzz_operator_token(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    struct lb_span token = token_of(in, OPERATOR_HEADER, arena);
    struct lb_operator seen, claims;
    if (lb_operator_token_peek(token, arena, &seen) != LB_OK) {
        FUZZ_CHECK(lb_operator_token_verify(token, fuzz_keys()->es256_public, NOW, arena,
                                            &claims) != LB_OK);
        return false;
    }
    FUZZ_CHECK(token.len <= LB_MAX_TOKEN_BYTES && is_name(seen.organization, LB_MAX_NAME_BYTES));
    FUZZ_CHECK(seen.exp > seen.iat && seen.exp - seen.iat <= LB_OPERATOR_TOKEN_MAX_S);
    FUZZ_CHECK(strlen(seen.person) == 32 &&
               strspn(seen.person, "0123456789abcdef") == strlen(seen.person));
    lb_status status =
        lb_operator_token_verify(token, fuzz_keys()->es256_public, seen.iat, arena, &claims);
    FUZZ_CHECK(status == LB_OK || lb_status_code(status) == LB_OPERATOR_TOKEN_INVALID);
    if (status != LB_OK)
        return false;
    FUZZ_CODE(lb_operator_token_verify(token, fuzz_keys()->es256_public, seen.exp, arena, &claims),
              LB_OPERATOR_TOKEN_EXPIRED);
    return true;
}

void seed_operator_token(const struct fuzz_sink *sink)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    static const char payload[] =
        "{\"use\":\"lianban-operator\",\"iss\":\"street-office\",\"unit\":\"窗口三\","
        "\"sub\":\"00112233445566778899aabbccddeeff\",\"iat\":1800000000,\"exp\":1800000300,"
        "\"jti\":\"t1\"}";
    fuzz_seed(sink, 0, fuzz_jws(arena, lb_span_str(OPERATOR_HEADER), lb_span_str(payload)));
    fuzz_seed(sink, 1, lb_span_str(payload));
    fuzz_seed(sink, 2, lb_span_str(lb_arena_printf(arena, "%s\n%s", OPERATOR_HEADER, payload)));
}
