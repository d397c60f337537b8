#include "gateway/consent/fixture.h"

#include <string.h>

#include "gateway/token/operator_token.h"

/* What is kept back, and two officers for one paper. */

static char *file_one(struct fixture *fx)
{
    const Lianban__V1__GrantRequest request = fx_request(fx);
    return fx_file(fx, &request);
}

/* --- refusing a part --- */

static void a_refused_department_has_no_section(void **state)
{
    struct fixture *fx = *state;
    struct fx_opened opened;
    char *refused[] = {"disabled-federation"};
    char *id = file_one(fx);
    Lianban__V1__ConfirmRequest confirm = fx_confirm(fx, id);
    confirm.refused_departments = refused;
    confirm.n_refused_departments = 1;
    assert_ok(fx_decide(fx, FX_DESK, &confirm, NULL));
    fx_open(fx, id, &opened);
    assert_int_equal(opened.num, 1);
    assert_string_equal(opened.sections[0].provider, "public-security");
    fx_stop(fx);
    const char *record = fx_text(fx, "SELECT record FROM consent_record");
    fx_start(fx);
    assert_non_null(strstr(record, "\"refused\":[\"disabled-federation\"]"));
    assert_null(strstr(record, "disabled-federation.card"));
}

static void a_refused_fact_is_in_no_view(void **state)
{
    struct fixture *fx = *state;
    struct fx_opened opened;
    char *refused[] = {"region"};
    char *id = file_one(fx);
    Lianban__V1__ConfirmRequest confirm = fx_confirm(fx, id);
    confirm.refused_facts = refused;
    confirm.n_refused_facts = 1;
    assert_ok(fx_decide(fx, FX_DESK, &confirm, NULL));
    fx_open(fx, id, &opened);
    assert_int_equal(opened.num, 2);
    assert_int_equal(opened.sections[0].views[0].num_fields, 1);
    assert_string_equal(opened.sections[0].views[0].fields[0].name, "name");
}

static void what_cannot_be_refused(void **state)
{
    struct fixture *fx = *state;
    static char *const bad[][3] = {
        {"tax", NULL, NULL},                                    /* a mandate */
        {"health", NULL, NULL},                                 /* not asked at all */
        {"", NULL, NULL},
        {"public-security", "public-security", NULL},
        {"public-security", "disabled-federation", NULL},       /* nothing would be left */
        {"' OR 1=1 --", NULL, NULL},
    };
    static char *const bad_facts[] = {"same_person", "wage12", "severe", "", "nothing"};
    char *id = file_one(fx);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        Lianban__V1__ConfirmRequest confirm = fx_confirm(fx, id);
        confirm.refused_departments = (char **)(uintptr_t)bad[i];
        confirm.n_refused_departments = bad[i][1] == NULL ? 1 : 2;
        assert_code(fx_decide(fx, FX_DESK, &confirm, NULL), LB_MALFORMED);
    }
    for (size_t i = 0; i < sizeof(bad_facts) / sizeof(bad_facts[0]); i++) {
        Lianban__V1__ConfirmRequest confirm = fx_confirm(fx, id);
        confirm.refused_facts = (char **)(uintptr_t)&bad_facts[i];
        confirm.n_refused_facts = 1;
        assert_code(fx_decide(fx, FX_DESK, &confirm, NULL), LB_MALFORMED);
    }
    char *fine[] = {"disabled-federation"};
    Lianban__V1__ConfirmRequest confirm = fx_confirm(fx, id);
    confirm.agreed = false; /* a part of a refusal */
    confirm.refused_departments = fine;
    confirm.n_refused_departments = 1;
    assert_code(fx_decide(fx, FX_DESK, &confirm, NULL), LB_MALFORMED);
    assert_int_equal(fx_entries(fx, "GRANTED") + fx_entries(fx, "REFUSED"), 0);
}

/* --- notices in other shapes --- */

static void the_grant_names_the_notice_that_was_shown(void **state)
{
    static char *const variants[] = {"plain", "large", "aloud"};
    struct fixture *fx = *state;
    for (size_t i = 0; i < 3; i++) {
        Lianban__V1__NoticeRequest ask = LIANBAN__V1__NOTICE_REQUEST__INIT;
        Lianban__V1__NoticeResponse *notice = NULL;
        struct fx_opened opened;
        ask.form = "test-aid";
        ask.form_version = 3;
        ask.requester = FX_WINDOW;
        ask.language = i == 0 ? "en" : "zh";
        ask.variant = variants[i];
        assert_ok(lb_consent_notice(fx->consent, &ask, fx->arena, &notice));
        char *id = file_one(fx);
        Lianban__V1__ConfirmRequest confirm = fx_confirm(fx, id);
        confirm.notice_sha256 = notice->sha256;
        assert_ok(fx_decide(fx, FX_DESK, &confirm, NULL));
        fx_open(fx, id, &opened);
        assert_memory_equal(opened.sections[0].notice_sha256, notice->sha256.data, 32);
        ask.variant = "huge";
        assert_code(lb_consent_notice(fx->consent, &ask, fx->arena, &notice), LB_MALFORMED);
    }
    fx_stop(fx);
    assert_int_equal(fx_count(fx, "SELECT count(*) FROM consent_record"
                                  " WHERE record LIKE '%\"variant\":\"aloud\"%'"), 1);
    fx_start(fx);
}

/* --- two officers --- */

static Lianban__V1__ConfirmRequest on_paper(struct fixture *fx, const char *id)
{
    Lianban__V1__ConfirmRequest confirm = fx_confirm(fx, id);
    confirm.method = "paper2";
    confirm.level = 2;
    confirm.paper_sha256 = confirm.notice_sha256; /* any hash */
    return confirm;
}

static void one_officer_grants_nothing(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__ConfirmResponse *response = NULL;
    Lianban__V1__GetGrantResponse *got = NULL;
    char *id = file_one(fx);
    const Lianban__V1__ConfirmRequest confirm = on_paper(fx, id);
    for (int i = 0; i < 3; i++) { /* however often */
        assert_ok(fx_decide(fx, FX_DESK, &confirm, &response));
        assert_string_equal(response->state, "SECOND_OFFICER");
        assert_string_equal(response->grant_id, "");
        assert_code(fx_fetch(fx, FX_WINDOW, id, &got), LB_GRANT_PENDING);
    }
    fx_stop(fx);
    fx_start(fx);
    assert_ok(fx_decide(fx, FX_DESK, &confirm, &response));
    assert_string_equal(response->state, "SECOND_OFFICER");
    assert_int_equal(fx_entries(fx, "FIRST_OFFICER"), 1);
    assert_ok(fx_decide(fx, FX_DESK_3, &confirm, &response));
    assert_string_equal(response->state, "GRANTED");
    assert_ok(fx_fetch(fx, FX_WINDOW, id, &got));
    assert_int_equal(fx_entries(fx, "GRANTED"), 1);
}

static void two_officers_must_agree_with_each_other(void **state)
{
    struct fixture *fx = *state;
    char *refused[] = {"disabled-federation"};
    char *id = file_one(fx);
    uint8_t other[32] = {1};
    Lianban__V1__ConfirmRequest confirm = on_paper(fx, id);
    confirm.paper_sha256.len = 0;
    assert_code(fx_decide(fx, FX_DESK, &confirm, NULL), LB_MALFORMED); /* no paper */
    confirm = on_paper(fx, id);
    assert_ok(fx_decide(fx, FX_DESK, &confirm, NULL));
    confirm.paper_sha256 = (ProtobufCBinaryData){32, other};
    assert_code(fx_decide(fx, FX_DESK_3, &confirm, NULL), LB_CASE_STATE);
    confirm = on_paper(fx, id);
    confirm.agreed = false;
    assert_code(fx_decide(fx, FX_DESK_3, &confirm, NULL), LB_CASE_STATE);
    confirm = on_paper(fx, id);
    confirm.refused_departments = refused;
    confirm.n_refused_departments = 1;
    assert_code(fx_decide(fx, FX_DESK_3, &confirm, NULL), LB_CASE_STATE);
    /* The first corrects the record; now the second says the same. */
    Lianban__V1__ConfirmResponse *response = NULL;
    assert_ok(fx_decide(fx, FX_DESK, &confirm, &response));
    assert_string_equal(response->state, "SECOND_OFFICER");
    assert_ok(fx_decide(fx, FX_DESK_3, &confirm, &response));
    assert_string_equal(response->state, "GRANTED");
}

/* --- officers with tokens --- */

static char *token_of(struct fixture *fx, const char *person, int64_t exp)
{
    struct lb_span token;
    const struct lb_operator claims = {
        .organization = "hall", .kid = "o1", .unit = "u", .person = person, .jti = person,
        .iat = exp - 700, .exp = exp};
    assert_ok(lb_operator_token_issue(&claims, fx->officer_key, fx->arena, &token));
    return lb_arena_str(fx->arena, token);
}

static void a_token_means_nothing_where_nobody_issues_any(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__ConfirmRequest confirm = fx_confirm(fx, file_one(fx));
    confirm.officer_token = token_of(fx, "000000000000000000000000000000aa", FX_NOW + 600);
    assert_code(fx_decide(fx, FX_DESK, &confirm, NULL), LB_OPERATOR_TOKEN_INVALID);
}

/* With tokens two people may share a desk, and one person with two desks is one person. */
static void officers_are_people_where_they_have_tokens(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__ConfirmResponse *response = NULL;
    char *id = file_one(fx);
    Lianban__V1__ConfirmRequest confirm = on_paper(fx, id);
    assert_code(fx_decide(fx, FX_DESK, &confirm, NULL), LB_OPERATOR_TOKEN_INVALID);
    confirm.officer_token = token_of(fx, "000000000000000000000000000000aa", FX_NOW - 61);
    assert_code(fx_decide(fx, FX_DESK, &confirm, NULL), LB_OPERATOR_TOKEN_EXPIRED);
    char *first = token_of(fx, "000000000000000000000000000000aa", FX_NOW + 600);
    char *second = token_of(fx, "000000000000000000000000000000bb", FX_NOW + 600);
    confirm.officer_token = first;
    assert_ok(fx_decide(fx, FX_DESK, &confirm, &response));
    assert_ok(fx_decide(fx, FX_DESK_3, &confirm, &response));
    assert_string_equal(response->state, "SECOND_OFFICER");
    confirm.officer_token = second;
    assert_ok(fx_decide(fx, FX_DESK, &confirm, &response));
    assert_string_equal(response->state, "GRANTED");
    fx_stop(fx);
    assert_int_equal(fx_count(fx, "SELECT count(*) FROM consent_record WHERE record LIKE"
                                  " '%\"officer\":\"person %bb\"%'"), 1);
    fx_start(fx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_refused_department_has_no_section, fx_setup,
                                        fx_teardown),
        cmocka_unit_test_setup_teardown(a_refused_fact_is_in_no_view, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_refused, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(the_grant_names_the_notice_that_was_shown, fx_setup,
                                        fx_teardown),
        cmocka_unit_test_setup_teardown(one_officer_grants_nothing, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(two_officers_must_agree_with_each_other, fx_setup,
                                        fx_teardown),
        cmocka_unit_test_setup_teardown(a_token_means_nothing_where_nobody_issues_any, fx_setup,
                                        fx_teardown),
        cmocka_unit_test_setup_teardown(officers_are_people_where_they_have_tokens,
                                        fx_setup_officers, fx_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
