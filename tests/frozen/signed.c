#include "gateway/crypto/b64.h"
#include "gateway/evidence/checkpoint.h"
#include "gateway/evidence/leaf.h"
#include "gateway/note/note.h"
#include "gateway/token/grant.h"
#include "gateway/token/operator_token.h"
#include "gateway/token/revocation.h"
#include "gateway/token/status_list.h"
#include "gateway/trust/directory.h"
#include "tests/frozen/parts.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/keys.h"

/* What is signed or hashed: leaf, checkpoint, keys, directory, grant, status list, operator. */

#define SIGNER "test.gov/directory"

static struct lb_span text_of(const char *text)
{
    FUZZ_CHECK(text != NULL);
    return lb_span_str(text);
}

static void verifier_of(const char *name, struct lb_note_verifier *out)
{
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    (void)lb_sign_key_public(fuzz_keys()->ed25519, raw);
    FUZZ_OK(lb_note_verifier_init(name, raw, out));
}

/* --- leaf, checkpoint, verifier key --- */

static const struct lb_leaf sample_leaf = {
    .type = LB_LEAF_READ,
    .time_ms = FROZEN_NOW * 1000 + 7,
    .txn = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
    .code = "ANSWERED",
    .views = "tax.business,tax.wage",
    .policy_hash = {1, 1},
    .fields_hash = {2, 2},
    .detail_hash = {3, 3},
    .request_hash = {4, 4},
    .answer_hash = {5, 5},
    .peer_leaf = {6, 6},
    .count = 1,
    .retry = true,
};

struct lb_span make_leaf(struct frozen_set *set)
{
    struct lb_buf buf;
    struct lb_span bytes = LB_SPAN_EMPTY;
    lb_buf_init(&buf, LB_MAX_LEAF_BYTES);
    FUZZ_OK(lb_leaf_encode(&sample_leaf, &buf));
    FUZZ_OK(lb_arena_copy(set->arena, lb_buf_span(&buf), &bytes));
    lb_buf_cleanup(&buf);
    return bytes;
}

void accept_leaf(struct frozen_set *set, struct lb_span bytes)
{
    struct lb_leaf leaf;
    (void)set;
    FUZZ_OK(lb_leaf_decode(bytes, &leaf));
    FUZZ_CHECK(leaf.type == LB_LEAF_READ && leaf.retry && leaf.count == 1);
    FUZZ_CHECK(strcmp(leaf.code, "ANSWERED") == 0 && leaf.time_ms == FROZEN_NOW * 1000 + 7);
}

struct lb_span make_checkpoint(struct frozen_set *set)
{
    struct lb_checkpoint checkpoint = {.origin = FROZEN_ORIGIN, .size = 1234567, .root = {{3, 1}}};
    struct lb_span note = LB_SPAN_EMPTY;
    FUZZ_OK(lb_checkpoint_sign(&checkpoint, fuzz_keys()->ed25519, set->arena, &note));
    return note;
}

void accept_checkpoint(struct frozen_set *set, struct lb_span bytes)
{
    struct lb_note_verifier verifier;
    struct lb_checkpoint checkpoint;
    (void)set;
    verifier_of(FROZEN_ORIGIN, &verifier);
    FUZZ_OK(lb_checkpoint_open(bytes, &verifier, &checkpoint));
    FUZZ_CHECK(checkpoint.size == 1234567);
    lb_note_verifier_cleanup(&verifier);
}

struct lb_span make_vkey(struct frozen_set *set)
{
    struct lb_note_verifier verifier;
    verifier_of(FROZEN_ORIGIN, &verifier);
    const char *text = lb_note_verifier_format(&verifier, set->arena);
    lb_note_verifier_cleanup(&verifier);
    return text_of(text);
}

void accept_vkey(struct frozen_set *set, struct lb_span bytes)
{
    struct lb_note_verifier verifier;
    (void)set;
    FUZZ_OK(lb_note_verifier_parse(bytes, &verifier));
    FUZZ_CHECK(strcmp(verifier.name, FROZEN_ORIGIN) == 0);
    lb_note_verifier_cleanup(&verifier);
}

/* --- directory --- */

static const char *seal_entry(struct lb_arena *arena)
{
    struct lb_seal_key_entry entry = {.id = "s1", .not_after = FROZEN_NOW + 3600};
    struct lb_span signature = LB_SPAN_EMPTY;
    memcpy(entry.public_key, fuzz_keys()->x25519.public_key, 32);
    FUZZ_OK(lb_seal_key_sign(FROZEN_AUDIENCE, &entry, fuzz_keys()->ed25519, arena, &signature));
    return lb_arena_printf(
        arena, "{\"id\": \"s1\", \"key\": \"%s\", \"not_after\": %lld, \"signature\": \"%.*s\"}",
        lb_b64url_encode(arena, lb_span_of(entry.public_key, 32)), (long long)entry.not_after,
        (int)signature.len, (const char *)signature.ptr);
}

struct lb_span make_directory(struct frozen_set *set)
{
    static const char zeros[] = "0000000000000000000000000000000000000000000000000000000000000000";
    struct lb_span vkey = make_vkey(set), note = LB_SPAN_EMPTY;
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    (void)lb_sign_key_public(fuzz_keys()->es256, raw);
    const char *text = lb_arena_printf(
        set->arena,
        "{\"type\": \"lianban-directory/v1\", \"federation\": \"test.gov\", \"version\": 3,\n"
        " \"issued\": %lld, \"expires\": %lld, \"ca_pins\": [\"%s\"],\n"
        " \"organizations\": [{\"id\": \"tax\", \"zh\": \"税务\", \"en\": \"Tax\"}],\n"
        " \"nodes\": [{\"spiffe\": \"" FROZEN_AUDIENCE "\", \"endpoint\": \"127.0.0.1:7443\",\n"
        "  \"log\": \"%.*s\", \"seal\": [%s]}],\n"
        " \"issuers\": [{\"organization\": \"hall\", \"kid\": \"hall-1\", \"x\": \"%s\","
        " \"y\": \"%s\",\n"
        "  \"kinds\": [\"consent\"], \"status\": \"https://hall.test.gov/1\"}],\n"
        " \"forms\": [{\"id\": \"aid\", \"version\": 1, \"sha256\": \"%s\"}], \"rules\": [],"
        " \"views\": []}\n",
        (long long)FROZEN_NOW - 10, (long long)FROZEN_NOW + 86400, zeros, (int)vkey.len,
        (const char *)vkey.ptr, seal_entry(set->arena),
        lb_b64url_encode(set->arena, lb_span_of(raw, 32)),
        lb_b64url_encode(set->arena, lb_span_of(raw + 32, 32)), zeros);
    FUZZ_OK(lb_note_sign(text_of(text), false, SIGNER, fuzz_keys()->ed25519, set->arena, &note));
    return note;
}

void accept_directory(struct frozen_set *set, struct lb_span bytes)
{
    struct lb_note_verifier verifier;
    struct lb_directory *directory = NULL;
    struct lb_diag diag = {""};
    (void)set;
    verifier_of(SIGNER, &verifier);
    FUZZ_OK(lb_directory_open(bytes, &verifier, 1, FROZEN_NOW, &diag, &directory));
    const struct lb_node *node = lb_directory_node(directory, FROZEN_AUDIENCE);
    FUZZ_CHECK(node != NULL && lb_node_seal_key(node, "s1", FROZEN_NOW) != NULL);
    FUZZ_CHECK(lb_directory_issuer(directory, "hall", "hall-1") != NULL);
    lb_directory_unref(directory);
    lb_note_verifier_cleanup(&verifier);
}

/* --- grant and section: made together --- */

static const struct lb_section_field fields[] = {{"income", "SUM(12)"}, {"income", "SUM(24)"}};
static const struct lb_section_view views[] = {{"tax.wage", 1, 2, fields}};
static const char *const laws[] = {"SAL40", "社会救助法 41"};
static const uint8_t citizens_salt[LB_REVOCATION_SALT_BYTES] = {0xF0};

struct lb_span make_grant(struct frozen_set *set)
{
    struct lb_grant grant = {.issuer = "hall", .kid = "hall-1", .jti = "01J8ZK4Q7T",
                             .requester = "street-office", .iat = FROZEN_NOW, .nbf = FROZEN_NOW,
                             .exp = FROZEN_NOW + 3600, .status_uri = "https://hall.test.gov/1",
                             .status_index = 7};
    const struct lb_section section = {
        .provider = "tax", .audience = FROZEN_AUDIENCE, .form = "aid", .form_version = 1,
        .form_sha256 = {9}, .purpose = "social-assistance", .case_id = "2026-000123",
        .basis = "consent", .num_laws = 2, .laws = laws, .role = "child",
        .operator_hash = "00112233445566778899aabbccddeeff", .guardian = "mother",
        .notice_sha256 = {8}, .method = "face", .level = 3, .max_uses = 4, .answer_bytes = 1024,
        .subject = {7}, .num_views = 1, .views = views,
    };
    struct lb_span jwt = LB_SPAN_EMPTY, disclosure = LB_SPAN_EMPTY;
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    (void)lb_sign_key_public(fuzz_keys()->es256, raw);
    grant.has_subject_key = true;
    FUZZ_OK(lb_subject_key(citizens_salt, raw, set->arena, grant.subject_key));
    FUZZ_OK(lb_jwk_thumbprint_x25519(fuzz_keys()->sender.public_key, set->arena, grant.cnf_jkt));
    FUZZ_OK(lb_grant_issue(&grant, &section, 1, fuzz_keys()->es256, set->arena, &jwt, &disclosure));
    frozen_put(set, "section.disclosure", disclosure);
    return jwt;
}

void accept_grant(struct frozen_set *set, struct lb_span bytes)
{
    struct lb_grant grant;
    FUZZ_OK(lb_grant_verify(bytes, fuzz_keys()->es256_public, set->arena, &grant));
    FUZZ_OK(lb_grant_check_time(&grant, FROZEN_NOW));
    FUZZ_CHECK(strcmp(grant.requester, "street-office") == 0 && grant.status_index == 7);
    FUZZ_CHECK(strcmp(grant.status_uri, "https://hall.test.gov/1") == 0);
}

struct lb_span make_section(struct frozen_set *set)
{
    return frozen_get(set, "section.disclosure");
}

void accept_section(struct frozen_set *set, struct lb_span bytes)
{
    struct lb_grant grant;
    struct lb_section section;
    struct lb_span jwt = frozen_get(set, "grant.jwt");
    FUZZ_OK(lb_grant_verify(jwt, fuzz_keys()->es256_public, set->arena, &grant));
    FUZZ_OK(lb_section_open(&grant, bytes, set->arena, &section));
    FUZZ_CHECK(strcmp(section.case_id, "2026-000123") == 0 && section.level == 3);
    FUZZ_CHECK(strcmp(section.guardian, "mother") == 0 && section.num_laws == 2);
    FUZZ_CHECK(section.num_views == 1 && section.views[0].num_fields == 2);
    FUZZ_CHECK(strcmp(section.views[0].fields[1].operator_text, "SUM(24)") == 0);
    FUZZ_CHECK(section.subject[0] == 7 && section.answer_bytes == 1024 && section.max_uses == 4);
}

/* --- withdrawal, status list and operator --- */

struct lb_span make_withdrawal(struct frozen_set *set)
{
    struct lb_grant grant;
    struct lb_span token = LB_SPAN_EMPTY;
    FUZZ_OK(lb_grant_peek(frozen_get(set, "grant.jwt"), set->arena, &grant));
    FUZZ_OK(lb_revocation_sign(&grant, citizens_salt, FROZEN_NOW, fuzz_keys()->es256, set->arena,
                               &token));
    return token;
}

void accept_withdrawal(struct frozen_set *set, struct lb_span bytes)
{
    struct lb_grant grant;
    struct lb_span jwt = frozen_get(set, "grant.jwt");
    FUZZ_OK(lb_grant_verify(jwt, fuzz_keys()->es256_public, set->arena, &grant));
    FUZZ_OK(lb_revocation_verify(bytes, &grant, FROZEN_NOW, set->arena));
}

struct lb_span make_status_list(struct frozen_set *set)
{
    static const uint8_t states[64] = {0, 1, 2, 3, 0, 0, 0, 0, 1};
    struct lb_span token = LB_SPAN_EMPTY;
    FUZZ_OK(lb_status_list_sign("hall", "hall-1", "https://hall.test.gov/1", 42, FROZEN_NOW, 600,
                                lb_span_of(states, sizeof(states)), fuzz_keys()->es256, set->arena,
                                &token));
    return token;
}

void accept_status_list(struct frozen_set *set, struct lb_span bytes)
{
    struct lb_status_list *list = NULL;
    (void)set;
    FUZZ_OK(lb_status_list_open(bytes, fuzz_keys()->es256_public, &list));
    FUZZ_CHECK(lb_status_list_seq(list) == 42);
    FUZZ_OK(lb_status_list_check(list, 7, FROZEN_NOW + 1));
    FUZZ_CODE(lb_status_list_check(list, 8, FROZEN_NOW + 1), LB_GRANT_REVOKED);
    FUZZ_CODE(lb_status_list_check(list, 2, FROZEN_NOW + 1), LB_GRANT_SUSPENDED);
    FUZZ_CODE(lb_status_list_check(list, 7, FROZEN_NOW + 601), LB_STATUS_STALE);
    lb_status_list_unref(list);
}

struct lb_span make_operator_token(struct frozen_set *set)
{
    const struct lb_operator claims = {
        .organization = "street-office", .kid = "office-1", .unit = "窗口三",
        .person = "00112233445566778899aabbccddeeff", .jti = "t1", .iat = FROZEN_NOW,
        .exp = FROZEN_NOW + 300};
    struct lb_span token = LB_SPAN_EMPTY;
    FUZZ_OK(lb_operator_token_issue(&claims, fuzz_keys()->es256, set->arena, &token));
    return token;
}

void accept_operator_token(struct frozen_set *set, struct lb_span bytes)
{
    struct lb_operator claims;
    FUZZ_OK(lb_operator_token_verify(bytes, fuzz_keys()->es256_public, FROZEN_NOW, set->arena,
                                     &claims));
    FUZZ_CHECK(strcmp(claims.organization, "street-office") == 0);
    FUZZ_CHECK(strcmp(claims.unit, "窗口三") == 0);
}
