#include "gateway/ctl/access_judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/ctl/fixture.h"

/* Under which grants a station answers, each wrong in one thing. */

#define NOW 1782900000
#define ADAPTER "spiffe://example/adapter/tax"

struct forged {
    struct lb_grant grant;
    struct lb_section section;
    const char *purpose;       /* of the question */
    const char *view;
    bool cut_signature;
};

struct judging {
    struct lb_arena *arena;
    struct lb_sign_key *keys[2];
    struct lb_verify_key *public_keys[2];
};

static const struct lb_section_field list_field[] = {{"accesses", "LIST"}};
static const struct lb_section_view list_view[] = {{"tax.accesses", 1, 1, list_field}};
static const char *const laws[] = {"PIPL63"};

static struct forged citizens(void)
{
    return (struct forged){
        .grant = {.issuer = "hall", .kid = "k", .jti = "j", .requester = "street",
                  .iat = NOW - 600, .nbf = NOW - 600, .exp = NOW + 600,
                  .status_uri = "https://hall/1"},
        .section = {.provider = "tax", .audience = ADAPTER, .form = "access-request",
                    .form_version = 1, .purpose = "subject-access", .case_id = "c",
                    .basis = "separate_consent", .role = "applicant", .num_laws = 1,
                    .laws = laws, .operator_hash = "li", .method = "document", .level = 2,
                    .max_uses = 1, .answer_bytes = 1024, .num_views = 1, .views = list_view},
        .purpose = "subject-access",
        .view = "tax.accesses",
    };
}

static struct forged authoritys(void)
{
    struct forged forged = citizens();
    forged.grant.issuer = "street";
    forged.grant.status_uri = NULL;
    forged.section.purpose = forged.purpose = "oversight";
    forged.section.basis = "mandate";
    forged.section.method = "none";
    forged.section.approver = "wang";
    return forged;
}

static enum lb_code judge(struct judging *judging, const struct forged *forged)
{
    const struct lb_issuer issuers[] = {
        {.organization = "hall", .kid = "k", .kinds = LB_ISSUES_CONSENT,
         .key = judging->public_keys[0]},
        {.organization = "street", .kid = "k", .kinds = LB_ISSUES_MANDATE,
         .key = judging->public_keys[1]},
    };
    const struct lb_directory directory = {.num_issuers = 2, .issuers = issuers};
    bool own = strcmp(forged->grant.issuer, "street") == 0;
    Lianban__V1__AccessQuestion question = LIANBAN__V1__ACCESS_QUESTION__INIT;
    uint8_t subject[32] = {1};
    ProtobufCBinaryData subjects[] = {{sizeof(subject), subject}};
    struct lb_span jwt, disclosure;
    struct lb_ctl_access_claim claim;
    lb_arena_reset(judging->arena);
    assert_ok(lb_grant_issue(&forged->grant, &forged->section, 1, judging->keys[own ? 1 : 0],
                             judging->arena, &jwt, &disclosure));
    question.grant = lb_arena_str(judging->arena, jwt);
    question.section = lb_arena_str(judging->arena, disclosure);
    if (forged->cut_signature)
        question.grant[jwt.len - 5] = question.grant[jwt.len - 5] == 'A' ? 'B' : 'A';
    question.purpose = (char *)(uintptr_t)forged->purpose;
    question.view = (char *)(uintptr_t)forged->view;
    question.subjects = subjects;
    question.n_subjects = 1;
    question.max_lines = 10;
    enum lb_code code = lb_status_code(lb_ctl_access_judge(&question, &directory, ADAPTER, NOW,
                                                           judging->arena, &claim));
    if (code == LB_CODE_OK)
        assert_int_equal(claim.citizen, strcmp(forged->purpose, "subject-access") == 0);
    return code;
}

#define REFUSED(make_, change_, code_)                                                             \
    do {                                                                                           \
        struct forged forged = make_();                                                            \
        forged.change_;                                                                            \
        assert_string_equal(lb_code_name(judge(&judging, &forged)), lb_code_name(code_));          \
    } while (0)

static void the_station_judges_for_itself(void **state)
{
    struct judging judging = {.arena = lb_arena_new(LB_CALL_ARENA_BYTES)};
    (void)state;
    assert_non_null(judging.arena);
    for (size_t i = 0; i < 2; i++) {
        uint8_t raw[LB_P256_PUBLIC_BYTES];
        assert_ok(lb_sign_key_generate(LB_SIGN_ES256, &judging.keys[i]));
        size_t len = lb_sign_key_public(judging.keys[i], raw);
        assert_ok(lb_verify_key_new(LB_SIGN_ES256, lb_span_of(raw, len),
                                    &judging.public_keys[i]));
    }
    const struct forged citizen = citizens(), authority = authoritys();
    assert_int_equal(judge(&judging, &citizen), LB_CODE_OK);
    assert_int_equal(judge(&judging, &authority), LB_CODE_OK);
    REFUSED(citizens, cut_signature = true, LB_SIGNATURE_INVALID);
    REFUSED(citizens, grant.kid = "other", LB_ISSUER_UNKNOWN);
    REFUSED(citizens, grant.exp = NOW - 100, LB_GRANT_EXPIRED);
    REFUSED(citizens, section.audience = "spiffe://example/adapter/health", LB_WRONG_AUDIENCE);
    REFUSED(citizens, purpose = "oversight", LB_PURPOSE_NOT_ALLOWED);
    REFUSED(citizens, section.purpose = forged.purpose = "other", LB_PURPOSE_NOT_ALLOWED);
    REFUSED(citizens, view = "tax.wage", LB_FIELD_NOT_GRANTED);
    REFUSED(citizens, section.basis = "mandate", LB_BASIS_NOT_ALLOWED);
    REFUSED(citizens, grant.issuer = "street", LB_SELF_CONSENT);
    REFUSED(authoritys, section.approver = NULL, LB_APPROVER_MISSING);
    REFUSED(authoritys, section.approver = "li", LB_APPROVER_MISSING);
    REFUSED(authoritys, section.basis = "consent", LB_BASIS_NOT_ALLOWED);
    REFUSED(authoritys, section.num_laws = 0, LB_BASIS_NOT_ALLOWED);
    REFUSED(authoritys, grant.issuer = "hall", LB_BASIS_NOT_ALLOWED);
    for (size_t i = 0; i < 2; i++) {
        lb_sign_key_free(judging.keys[i]);
        lb_verify_key_free(judging.public_keys[i]);
    }
    lb_arena_free(judging.arena);
}

static void a_grant_is_one_persons(void **state)
{
    struct lb_ctl_bound_grants *bound = calloc(1, sizeof(*bound));
    struct lb_ctl_access_claim claim = {.grant = {.issuer = "hall", .jti = "j"}};
    Lianban__V1__AccessQuestion question = LIANBAN__V1__ACCESS_QUESTION__INIT;
    uint8_t one[32] = {1}, newer[32] = {2}, other[32] = {3};
    char jti[24];
    ProtobufCBinaryData names[] = {{32, one}, {32, one}};
    (void)state;
    assert_non_null(bound);
    question.subjects = names;
    question.n_subjects = 1;
    assert_ok(lb_ctl_access_bind(bound, &claim, &question));
    assert_ok(lb_ctl_access_bind(bound, &claim, &question));
    names[0].data = other;
    assert_code(lb_ctl_access_bind(bound, &claim, &question), LB_SUBJECT_MISMATCH);
    names[0].data = newer; /* the pseudonym key was replaced */
    question.n_subjects = 2;
    assert_ok(lb_ctl_access_bind(bound, &claim, &question));
    names[0].data = other;
    question.n_subjects = 1;
    for (size_t i = 0; i < LB_CTL_BOUND_GRANTS + 7; i++) {
        (void)snprintf(jti, sizeof(jti), "g-%zu", i);
        claim.grant.jti = jti;
        assert_ok(lb_ctl_access_bind(bound, &claim, &question));
    }
    names[0].data = one; /* the newest are remembered */
    assert_code(lb_ctl_access_bind(bound, &claim, &question), LB_SUBJECT_MISMATCH);
    free(bound);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_station_judges_for_itself),
        cmocka_unit_test(a_grant_is_one_persons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
