#include "gateway/consent/fixture.h"

#include <string.h>

#include "gateway/token/status_list.h"

/* A whole grant, judged section by section as the adapters judge it. */

struct opened {
    struct lb_grant grant;
    struct lb_section sections[8];
    size_t num;
    uint8_t salt[16];
};

static void open_grant(struct fixture *fx, char *request_id, struct opened *out)
{
    Lianban__V1__GetGrantResponse *got = NULL;
    struct lb_span jwt;
    struct lb_span *disclosures = NULL;
    assert_ok(fx_fetch(fx, FX_WINDOW, request_id, &got));
    assert_int_equal(got->subject_salt.len, 16);
    memcpy(out->salt, got->subject_salt.data, 16);
    assert_ok(lb_sd_jwt_split(lb_span_str(got->sd_jwt), fx->arena, &jwt, &disclosures, &out->num));
    assert_ok(lb_grant_verify(jwt, fx->issuer_public, fx->arena, &out->grant));
    assert_string_equal(out->grant.jti, got->grant_id);
    assert_true(out->num <= 8);
    for (size_t i = 0; i < out->num; i++)
        assert_ok(lb_section_open(&out->grant, disclosures[i], fx->arena, &out->sections[i]));
}

static void assert_commits_to(const struct opened *opened, const char *id_no)
{
    uint8_t commitment[32];
    lb_subject_commitment(opened->salt, id_no, commitment);
    for (size_t i = 0; i < opened->num; i++)
        assert_memory_equal(opened->sections[i].subject, commitment, 32);
}

/* What adapters/serve refuses in the open claims. */
static void assert_open_claims(struct fixture *fx, const struct lb_grant *grant)
{
    uint8_t key[32] = {10};
    uint8_t thumbprint[32];
    assert_string_equal(grant->issuer, "hall");
    assert_string_equal(grant->kid, "h1");
    assert_string_equal(grant->requester, "street-office");
    assert_string_not_equal(grant->issuer, grant->requester);
    assert_ok(lb_jwk_thumbprint_x25519(key, fx->arena, thumbprint));
    assert_memory_equal(grant->cnf_jkt, thumbprint, 32);
    assert_string_equal(grant->status_uri, FX_LIST);
    assert_true(grant->status_index < 1024);
    assert_int_equal(grant->num_digests, 16);
    assert_int_equal(grant->iat, FX_NOW);
    assert_int_equal(grant->nbf, FX_NOW);
    assert_int_equal(grant->exp, FX_NOW + 30 * 86400);
    assert_int_equal(strlen(grant->jti), 34);
    assert_memory_equal(grant->jti, "g-", 2);
}

static void assert_common(struct fixture *fx, const struct lb_section *section)
{
    const Lianban__V1__ConfirmRequest confirm = fx_confirm(fx, "r-0");
    assert_string_equal(section->form, "test-aid");
    assert_int_equal(section->form_version, 3);
    assert_memory_equal(section->form_sha256, lb_form_of(fx->form)->sha256, 32);
    assert_string_equal(section->purpose, "test-aid");
    assert_string_equal(section->case_id, "2027-000123");
    assert_string_equal(section->operator_hash, "00112233445566778899aabbccddeeff");
    assert_memory_equal(section->notice_sha256, confirm.notice_sha256.data, 32);
    assert_string_equal(section->method, "face");
    assert_int_equal(section->level, 3);
}

static void assert_field(const struct lb_section_view *view, size_t index, const char *name,
                         const char *operator_text)
{
    assert_true(index < view->num_fields);
    assert_string_equal(view->fields[index].name, name);
    assert_string_equal(view->fields[index].operator_text, operator_text);
}

static void assert_disabled(struct fixture *fx, const struct lb_section *disabled)
{
    assert_common(fx, disabled);
    assert_string_equal(disabled->provider, "disabled-federation");
    assert_string_equal(disabled->audience, "spiffe://example.gov/adapter/disabled-federation");
    assert_string_equal(disabled->basis, "separate_consent");
    assert_int_equal(disabled->num_laws, 2); /* the form's */
    assert_int_equal(disabled->max_uses, 100);
    assert_int_equal(disabled->answer_bytes, 256);
    assert_int_equal(disabled->views[0].version, 5);
    assert_field(&disabled->views[0], 0, "level", "IN(disability.severe)");
}

static void test_applicant(void **state)
{
    struct fixture *fx = *state;
    struct opened opened;
    const Lianban__V1__GrantRequest request = fx_request(fx);
    char *id = fx_file(fx, &request);
    (void)fx_agree(fx, id);
    open_grant(fx, id, &opened);
    assert_open_claims(fx, &opened.grant);
    assert_ok(lb_grant_check_time(&opened.grant, FX_NOW));
    assert_int_equal(opened.num, 2); /* tax is asked under a mandate */

    const struct lb_section *police = &opened.sections[0];
    assert_common(fx, police);
    assert_string_equal(police->provider, "public-security");
    assert_string_equal(police->audience, FX_ADAPTER);
    assert_string_equal(police->basis, "consent");
    assert_int_equal(police->num_laws, 1);
    assert_string_equal(police->laws[0], "SAL40");
    assert_string_equal(police->role, "applicant");
    assert_null(police->guardian);
    assert_int_equal(police->max_uses, 2);
    assert_int_equal(police->answer_bytes, 512);
    assert_int_equal(police->num_views, 2);
    assert_string_equal(police->views[0].id, "public-security.person");
    assert_int_equal(police->views[0].version, 7);
    assert_int_equal(police->views[0].num_fields, 2);
    assert_field(&police->views[0], 0, "name", "EQ");
    assert_field(&police->views[0], 1, "region", "ADDR_LEVEL(6)");
    assert_string_equal(police->views[1].id, "public-security.household");
    assert_int_equal(police->views[1].version, 1);
    assert_int_equal(police->views[1].num_fields, 1);
    assert_disabled(fx, &opened.sections[1]);
    assert_commits_to(&opened, fx->adult);
}

static void test_child(void **state)
{
    struct fixture *fx = *state;
    struct opened opened;
    Lianban__V1__Guardian guardian;
    const Lianban__V1__GrantRequest request = fx_child_request(fx, &guardian);
    char *id = fx_file(fx, &request);
    (void)fx_agree(fx, id);
    open_grant(fx, id, &opened);
    assert_int_equal(opened.num, 1); /* the federation is not asked about children */
    assert_string_equal(opened.sections[0].provider, "public-security");
    assert_string_equal(opened.sections[0].role, "child");
    assert_string_equal(opened.sections[0].guardian, "mother");
    assert_int_equal(opened.sections[0].num_views, 1);
    assert_int_equal(opened.sections[0].views[0].num_fields, 2);
    assert_commits_to(&opened, fx->child);
}

/* An X in lower case is the same person. */
static void test_normal_id(void **state)
{
    struct fixture *fx = *state;
    struct opened opened;
    char lower[19] = "", sequence[4] = "010";
    while (lower[0] == 0 || lower[17] != 'X') {
        assert_true(sequence[1] <= '9');
        fx_id("19850505", sequence, lower);
        sequence[2]++;
        if (sequence[2] > '9') {
            sequence[2] = '0';
            sequence[1]++;
        }
    }
    char upper[19];
    memcpy(upper, lower, sizeof(upper));
    lower[17] = 'x';
    Lianban__V1__GrantRequest request = fx_request(fx);
    request.id_no = lower;
    char *id = fx_file(fx, &request);
    Lianban__V1__ConfirmRequest confirm = fx_confirm(fx, id);
    Lianban__V1__ConfirmResponse *response = NULL;
    confirm.id_no = upper;
    assert_ok(lb_consent_confirm(fx->consent, FX_DESK, &confirm, fx->arena, &response));
    open_grant(fx, id, &opened);
    assert_commits_to(&opened, upper);
}

/* Two grants for one person are not linked by anything that leaves the office. */
static void test_unlinked(void **state)
{
    struct fixture *fx = *state;
    struct opened one, two;
    const Lianban__V1__GrantRequest request = fx_request(fx);
    char *first = fx_file(fx, &request);
    char *second = fx_file(fx, &request);
    (void)fx_agree(fx, first);
    (void)fx_agree(fx, second);
    open_grant(fx, first, &one);
    open_grant(fx, second, &two);
    assert_memory_not_equal(one.salt, two.salt, 16);
    assert_memory_not_equal(one.sections[0].subject, two.sections[0].subject, 32);
    assert_string_not_equal(one.grant.jti, two.grant.jti);
    assert_true(one.grant.status_index != two.grant.status_index);
}

static void test_fetching(void **state)
{
    struct fixture *fx = *state;
    struct opened one, two;
    Lianban__V1__GetGrantResponse *got = NULL;
    const Lianban__V1__GrantRequest request = fx_request(fx);
    char *id = fx_file(fx, &request);
    static const char *const others[] = {FX_OTHER_WINDOW, FX_OWN_WINDOW, FX_DESK, FX_SERVER, ""};
    (void)fx_agree(fx, id);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_code(fx_fetch(fx, others[i], id, &got), LB_GRANT_UNKNOWN);
    fx_advance(fx, 10 * 86400); /* nobody has fetched it yet: it waits */
    open_grant(fx, id, &one);
    fx_stop(fx);
    fx_start(fx);
    fx_advance(fx, 86399);
    open_grant(fx, id, &two); /* a lost answer may be asked for again, but that buys no time */
    assert_memory_equal(one.salt, two.salt, 16);
    assert_string_equal(one.grant.jti, two.grant.jti);
    fx_advance(fx, 1);
    assert_code(fx_fetch(fx, FX_WINDOW, id, &got), LB_GRANT_UNKNOWN);
    assert_int_equal(fx_entries(fx, "GRANT_UNKNOWN"), 6);
}

static void test_unfetched_ends(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__GetGrantResponse *got = NULL;
    const Lianban__V1__GrantRequest request = fx_request(fx);
    char *id = fx_file(fx, &request);
    (void)fx_agree(fx, id);
    fx_advance(fx, 30 * 86400);
    assert_code(fx_fetch(fx, FX_WINDOW, id, &got), LB_GRANT_UNKNOWN);
}

/* The grant and the list that speaks for it, together. */
static void test_status(void **state)
{
    struct fixture *fx = *state;
    struct opened opened;
    struct lb_span token;
    struct lb_status_list *list = NULL;
    const Lianban__V1__GrantRequest request = fx_request(fx);
    assert_ok(lb_consent_status_list(fx->consent, fx->arena, &token));
    char *id = fx_file(fx, &request);
    (void)fx_agree(fx, id);
    open_grant(fx, id, &opened);
    /* The list of before the grant speaks for it already. */
    assert_ok(lb_status_list_open(token, fx->issuer_public, &list));
    assert_ok(lb_status_list_check(list, opened.grant.status_index, FX_NOW));
    assert_string_equal(lb_status_list_uri(list), opened.grant.status_uri);
    assert_string_equal(lb_status_list_issuer(list), opened.grant.issuer);
    lb_status_list_unref(list);
}

/* The adapter first in the directory's order is the audience; when it goes, the next is. */
static void test_audience(void **state)
{
    struct fixture *fx = *state;
    struct opened opened;
    struct lb_json *directory = fx_directory(fx);
    fx_drop_node(directory, FX_ADAPTER);
    fx_publish(fx, directory);
    const Lianban__V1__GrantRequest request = fx_request(fx);
    char *id = fx_file(fx, &request);
    (void)fx_agree(fx, id);
    open_grant(fx, id, &opened);
    assert_string_equal(opened.sections[0].audience,
                        "spiffe://example.gov/adapter/public-security/two");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_applicant, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_child, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_normal_id, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_unlinked, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_fetching, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_unfetched_ends, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_status, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_audience, fx_setup, fx_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
