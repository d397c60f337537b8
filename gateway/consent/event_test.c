#include "gateway/consent/fixture.h"

#include <string.h>

#include "gateway/token/status_list.h"

/* Standing grants: what the citizen is told and gets, and nothing beyond that. */

/* Under the fixture's name, so that its messages fit. */
static const char TRIGGER[] =
    "form: test-aid\n"
    "version: 3\n"
    "title: {zh: 主动发现, en: Finding}\n"
    "purpose: find-aid\n"
    "lead: public-security\n"
    "law: [SAL40]\n"
    "rules: test-rules\n"
    "grant_days: 365\n"
    "roles:\n"
    "  applicant: {min: 1, max: 1, minor: false}\n"
    "sections:\n"
    "  public-security: {basis: consent, answer_bytes: 512, uses: 2}\n"
    "  disabled-federation: {basis: separate_consent, answer_bytes: 256, uses: 1}\n"
    "facts:\n"
    "  - fact: known\n"
    "    department: public-security\n"
    "    view: public-security.person\n"
    "    field: region\n"
    "    operator: EXISTS\n"
    "    roles: [applicant]\n"
    "    label: {zh: 登记, en: Registered}\n"
    "  - fact: severe\n"
    "    department: disabled-federation\n"
    "    view: disabled-federation.card\n"
    "    field: level\n"
    "    operator: IN(disability.severe)\n"
    "    roles: [applicant]\n"
    "    label: {zh: 重度残疾, en: Severe disability}\n"
    "household:\n"
    "  - {name: any_severe, each: known AND severe, fold: any}\n"
    "conditions:\n"
    "  - condition: hard\n"
    "    test: any_severe\n"
    "    text: {zh: 困难, en: Hardship}\n"
    "    source: SAL 20\n"
    "classes:\n"
    "  - class: CANDIDATE\n"
    "    when: hard\n"
    "    text: {zh: 可能符合, en: May be entitled}\n"
    "otherwise: {class: NONE, text: {zh: 无, en: None}}\n"
    "parts:\n"
    "  - part: reach-out\n"
    "    department: civil-affairs\n"
    "    title: {zh: 上门告知, en: Reaching out}\n"
    "    law: [SAL40]\n"
    "    classes: [CANDIDATE]\n"
    "    roles: [applicant]\n"
    "    days: 5\n"
    "    escalate: {zh: 区民政局, en: district civil affairs}\n"
    "trigger: {source: public-security, every_days: 30}\n"
    "notice:\n"
    "  why: {zh: 甲, en: A}\n"
    "  keep: {zh: 乙, en: B}\n"
    "  withdraw: {zh: 在任何同意点均可撤回。, en: At any consent desk.}\n"
    "  refuse: {zh: 丁, en: D}\n";

static int setup(void **state)
{
    if (fx_setup(state) != 0)
        return -1;
    struct fixture *fx = *state;
    fx_stop(fx);
    lb_form_free(fx->form);
    lb_status status =
        lb_form_load_text(lb_span_str(TRIGGER), "trigger.yaml", NULL, &fx->diag, &fx->form);
    if (status != LB_OK)
        fail_msg("%s", fx->diag.text);
    fx_start(fx);
    return 0;
}

static Lianban__V1__GrantRequest ask(struct fixture *fx)
{
    Lianban__V1__GrantRequest request = fx_request(fx);
    request.requester_key.data[0] = 40;
    return request;
}

static const char *notice_of(struct fixture *fx, const char *language, const char *variant,
                             uint8_t out_sha256[32])
{
    Lianban__V1__NoticeRequest request = LIANBAN__V1__NOTICE_REQUEST__INIT;
    Lianban__V1__NoticeResponse *notice = NULL;
    request.form = (char *)(uintptr_t)"test-aid";
    request.form_version = 3;
    request.requester = (char *)(uintptr_t)FX_SOURCE_WINDOW;
    request.language = (char *)(uintptr_t)language;
    request.variant = (char *)(uintptr_t)variant;
    assert_ok(lb_consent_notice(fx->consent, &request, fx->arena, &notice));
    memcpy(out_sha256, notice->sha256.data, 32);
    return notice->text;
}

/* Files a request, confirms it, and gives the grant's id. */
static char *agree(struct fixture *fx, char **out_request)
{
    Lianban__V1__GrantTicket *ticket = NULL;
    Lianban__V1__ConfirmResponse *response = NULL;
    const Lianban__V1__GrantRequest request = ask(fx);
    assert_ok(lb_consent_request(fx->consent, FX_SOURCE_WINDOW, &request, fx->arena, &ticket));
    Lianban__V1__ConfirmRequest confirm = fx_confirm(fx, ticket->request_id);
    (void)notice_of(fx, "zh", "plain", confirm.notice_sha256.data);
    assert_ok(fx_decide(fx, FX_DESK, &confirm, &response));
    *out_request = ticket->request_id;
    return response->grant_id;
}

static void open_grant(struct fixture *fx, char *request_id, struct fx_opened *out)
{
    Lianban__V1__GetGrantResponse *got = NULL;
    struct lb_span jwt, *disclosures = NULL;
    memset(out, 0, sizeof(*out));
    assert_ok(fx_fetch(fx, FX_SOURCE_WINDOW, request_id, &got));
    assert_ok(lb_sd_jwt_split(lb_span_str(got->sd_jwt), fx->arena, &jwt, &disclosures, &out->num));
    assert_ok(lb_grant_verify(jwt, fx->issuer_public, fx->arena, &out->grant));
    assert_true(out->num <= 4);
    for (size_t i = 0; i < out->num; i++)
        assert_ok(lb_section_open(&out->grant, disclosures[i], fx->arena, &out->sections[i]));
}

/* Bound to the node and not to a key of a week; a use for each interval, whatever the form says. */
static void gives_what_was_told_and_no_more(void **state)
{
    struct fixture *fx = *state;
    struct fx_opened opened;
    uint8_t log_key[LB_P256_PUBLIC_BYTES], thumbprint[32];
    char *request = NULL;
    (void)agree(fx, &request);
    open_grant(fx, request, &opened);
    (void)lb_sign_key_public(fx->window_key, log_key);
    assert_ok(lb_jwk_thumbprint_ed25519(log_key, fx->arena, thumbprint));
    assert_memory_equal(opened.grant.cnf_jkt, thumbprint, 32);
    assert_string_equal(opened.grant.status_uri, FX_LIST);
    assert_string_equal(opened.grant.requester, "public-security");
    assert_int_equal(opened.grant.exp - opened.grant.iat, 365 * LB_DAY_S);
    assert_int_equal(opened.num, 2);
    for (size_t i = 0; i < opened.num; i++) {
        assert_int_equal(opened.sections[i].event_days, 30);
        assert_int_equal(opened.sections[i].max_uses, 13);
        assert_string_equal(opened.sections[i].purpose, "find-aid");
        assert_string_equal(opened.sections[i].case_id, "2027-000123");
    }
}

/* In each language and shape: that it stands, how often, until when, for what, how to withdraw. */
static void tells_that_it_stands(void **state)
{
    static const char *const zh[] = {"长期授权", "每30天最多查询一次", "主动发现", "365天",
                                     "在任何同意点均可撤回", "不会因此拒绝", NULL};
    static const char *const en[] = {"standing", "at most once in 30 day", "Finding", "365 day",
                                     "At any consent desk", "nothing is refused", NULL};
    static const char *const aloud[] = {"长期授权", "每三十天最多查询一次", "三百六十五天", NULL};
    static const struct {
        const char *language, *variant;
        const char *const *words;
    } rows[] = {{"zh", "plain", zh}, {"en", "plain", en}, {"zh", "large", zh}, {"en", "large", en},
                {"zh", "aloud", aloud}};
    uint8_t sha256[32];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *text = notice_of(*state, rows[i].language, rows[i].variant, sha256);
        assert_null(strstr(text, "最多查询2次"));
        for (size_t w = 0; rows[i].words[w] != NULL; w++)
            if (strstr(text, rows[i].words[w]) == NULL)
                fail_msg("%s is not in: %s", rows[i].words[w], text);
    }
}

static void only_the_source_asks(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__GrantTicket *ticket = NULL;
    Lianban__V1__GrantRequest request = ask(fx);
    request.requester_key.data[0] = 10;
    assert_code(lb_consent_request(fx->consent, FX_WINDOW, &request, fx->arena, &ticket),
                LB_ROLE_NOT_ALLOWED);
    request.requester_key.data[0] = 41;
    assert_code(lb_consent_request(fx->consent, FX_SOURCE_WINDOW, &request, fx->arena, &ticket),
                LB_WRONG_REQUESTER);
}

static void is_no_emergency(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__EmergencyRequest emergency = LIANBAN__V1__EMERGENCY_REQUEST__INIT;
    Lianban__V1__EmergencyResponse *response = NULL;
    Lianban__V1__GrantTicket *ticket = NULL;
    const Lianban__V1__GrantRequest request = ask(fx);
    assert_ok(lb_consent_request(fx->consent, FX_SOURCE_WINDOW, &request, fx->arena, &ticket));
    emergency.request_id = ticket->request_id;
    emergency.reason = (char *)(uintptr_t)"health";
    assert_code(lb_consent_emergency(fx->consent, FX_DESK, &emergency, fx->arena, &response),
                LB_MALFORMED);
}

/* A notice that was shown before the form said that it stands is no notice of it. */
static void another_notice_is_none(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__GrantTicket *ticket = NULL;
    Lianban__V1__ConfirmResponse *response = NULL;
    const Lianban__V1__GrantRequest request = ask(fx);
    assert_ok(lb_consent_request(fx->consent, FX_SOURCE_WINDOW, &request, fx->arena, &ticket));
    Lianban__V1__ConfirmRequest confirm = fx_confirm(fx, ticket->request_id);
    assert_code(fx_decide(fx, FX_DESK, &confirm, &response), LB_MALFORMED);
}

static Lianban__V1__SlipStatus *follow(struct fixture *fx, const char *code)
{
    Lianban__V1__FindSlipRequest request = LIANBAN__V1__FIND_SLIP_REQUEST__INIT;
    Lianban__V1__SlipStatus *status = NULL;
    request.code = (char *)(uintptr_t)code;
    request.id_no = fx->adult;
    assert_ok(lb_consent_find_slip(fx->consent, FX_DESK, &request, fx->arena, &status));
    return status;
}

/* Slip, record and evidence say so, and the ordinary desk ends it, months later. */
static void is_shown_and_withdrawn_like_any(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__SlipRequest request = LIANBAN__V1__SLIP_REQUEST__INIT;
    Lianban__V1__SlipResponse *slip = NULL;
    struct lb_status_list *list = NULL;
    struct lb_span token = LB_SPAN_EMPTY;
    struct fx_opened opened;
    uint64_t seq = 0;
    char *asked = NULL;
    request.grant_id = agree(fx, &asked);
    open_grant(fx, asked, &opened);
    request.id_no = fx->adult;
    request.language = (char *)(uintptr_t)"zh";
    assert_ok(lb_consent_slip(fx->consent, FX_DESK, &request, fx->arena, &slip));
    assert_non_null(strstr(slip->text, "长期授权：到期前会多次查询，每30天最多一次"));
    request.language = (char *)(uintptr_t)"en";
    assert_ok(lb_consent_slip(fx->consent, FX_DESK, &request, fx->arena, &slip));
    assert_non_null(strstr(slip->text, "Standing:"));
    assert_int_equal(follow(fx, slip->code)->every_days, 30);
    fx_advance(fx, 300 * LB_DAY_S);
    fx_publish(fx, fx_directory(fx));
    assert_string_equal(follow(fx, slip->code)->state, "VALID");
    assert_ok(fx_revoke(fx, FX_DESK_3, request.grant_id, fx->adult, &seq, &token));
    assert_ok(lb_status_list_open(token, fx->issuer_public, &list));
    assert_code(lb_status_list_check(list, opened.grant.status_index,
                                     fx->clock.now_unix_ms / 1000), LB_GRANT_REVOKED);
    lb_status_list_unref(list);
    assert_string_equal(follow(fx, slip->code)->state, "WITHDRAWN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_what_was_told_and_no_more),
        cmocka_unit_test(tells_that_it_stands),
        cmocka_unit_test(only_the_source_asks),
        cmocka_unit_test(is_no_emergency),
        cmocka_unit_test(another_notice_is_none),
        cmocka_unit_test(is_shown_and_withdrawn_like_any),
    };
    return cmocka_run_group_tests(tests, setup, fx_teardown);
}
