#include "gateway/consent/fixture.h"

#include <pthread.h>
#include <string.h>

/* Nobody but a desk of this office decides, once, with the right document and the right notice. */

static lb_status confirm_by(struct fixture *fx, const char *caller,
                            const Lianban__V1__ConfirmRequest *confirm)
{
    Lianban__V1__ConfirmResponse *response = NULL;
    lb_status status = lb_consent_confirm(fx->consent, caller, confirm, fx->arena, &response);
    assert_true((status == LB_OK) == (response != NULL));
    return status;
}

static char *file_one(struct fixture *fx)
{
    const Lianban__V1__GrantRequest request = fx_request(fx);
    return fx_file(fx, &request);
}

static void assert_pending(struct fixture *fx, char *id)
{
    Lianban__V1__GetGrantResponse *got = NULL;
    assert_code(fx_fetch(fx, FX_WINDOW, id, &got), LB_GRANT_PENDING);
}

static void test_callers(void **state)
{
    struct fixture *fx = *state;
    static const char *const callers[] = {FX_WINDOW,  FX_OTHER_WINDOW, FX_OWN_WINDOW,
                                          FX_SERVER,  FX_OTHER_DESK,   FX_ADAPTER,
                                          "",         "spiffe://example.gov/consent/hall/desk-2"};
    char *id = file_one(fx);
    const Lianban__V1__ConfirmRequest confirm = fx_confirm(fx, id);
    for (size_t i = 0; i < sizeof(callers) / sizeof(callers[0]); i++)
        assert_code(confirm_by(fx, callers[i], &confirm), LB_ROLE_NOT_ALLOWED);
    assert_pending(fx, id);
    assert_int_equal(fx_entries(fx, "ROLE_NOT_ALLOWED"), 8);
    assert_int_equal(fx_entries(fx, "GRANTED"), 0);
    assert_ok(confirm_by(fx, FX_DESK, &confirm));
    assert_int_equal(fx_entries(fx, "GRANTED"), 1);
}

static void test_documents(void **state)
{
    struct fixture *fx = *state;
    char *id = file_one(fx);
    Lianban__V1__ConfirmRequest confirm = fx_confirm(fx, id);
    char *wrong[] = {fx->other_adult, fx->child, "", "990101198003150011"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        confirm.id_no = wrong[i];
        confirm.agreed = i % 2 == 0; /* nor can anybody else refuse */
        assert_code(confirm_by(fx, FX_DESK, &confirm), LB_MALFORMED);
    }
    assert_pending(fx, id);
    assert_int_equal(fx_entries(fx, "MALFORMED"), 4);
}

/* A child does not agree alone; the guardian named in the request does, and nobody else. */
static void test_guardians(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__Guardian guardian;
    const Lianban__V1__GrantRequest request = fx_child_request(fx, &guardian);
    char *id = fx_file(fx, &request);
    Lianban__V1__ConfirmRequest confirm = fx_confirm(fx, id);
    confirm.id_no = fx->child;
    assert_code(confirm_by(fx, FX_DESK, &confirm), LB_MALFORMED);
    confirm.id_no = fx->other_adult;
    assert_code(confirm_by(fx, FX_DESK, &confirm), LB_MALFORMED);
    confirm.id_no = fx->adult;
    assert_ok(confirm_by(fx, FX_DESK, &confirm));
}

static void test_notices(void **state)
{
    struct fixture *fx = *state;
    char *id = file_one(fx);
    Lianban__V1__ConfirmRequest confirm = fx_confirm(fx, id);
    Lianban__V1__NoticeRequest ask = LIANBAN__V1__NOTICE_REQUEST__INIT;
    Lianban__V1__NoticeResponse *other = NULL, *english = NULL;
    ask.form = "test-aid";
    ask.form_version = 3;
    ask.requester = FX_OTHER_WINDOW;
    ask.language = "zh";
    assert_ok(lb_consent_notice(fx->consent, &ask, fx->arena, &other));
    ask.requester = FX_WINDOW;
    ask.language = "en";
    assert_ok(lb_consent_notice(fx->consent, &ask, fx->arena, &english));

    uint8_t zeros[33] = {0};
    ProtobufCBinaryData wrong[] = {
        other->sha256,
        {32, zeros},
        {33, zeros},
        {31, confirm.notice_sha256.data},
        {0, NULL},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        confirm.notice_sha256 = wrong[i];
        assert_code(confirm_by(fx, FX_DESK, &confirm), LB_MALFORMED);
    }
    assert_pending(fx, id);
    confirm.notice_sha256 = english->sha256;
    assert_ok(confirm_by(fx, FX_DESK, &confirm));
}

static void test_levels(void **state)
{
    struct fixture *fx = *state;
    static const struct {
        char *method;
        uint32_t level;
        bool good;
    } cases[] = {
        {"document", 3, false}, {"document", 0, false}, {"face", 4, false},
        {"face", 0, false},     {"face", 5, false},     {"paper2", 3, false},
        {"none", 1, false},     {"", 1, false},         {"Face", 1, false},
        {"face", UINT32_MAX, false},
        {"document", 2, true},  {"paper2", 1, true},    {"face", 3, true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *id = file_one(fx);
        Lianban__V1__ConfirmRequest confirm = fx_confirm(fx, id);
        confirm.method = cases[i].method;
        confirm.level = cases[i].level;
        if (strcmp(cases[i].method, "paper2") == 0)
            confirm.paper_sha256 = confirm.notice_sha256; /* any hash will do here */
        if (cases[i].good)
            assert_ok(confirm_by(fx, FX_DESK, &confirm));
        else
            assert_code(confirm_by(fx, FX_DESK, &confirm), LB_MALFORMED);
    }
}

static void test_unknown(void **state)
{
    struct fixture *fx = *state;
    char *id = file_one(fx);
    Lianban__V1__ConfirmRequest confirm = fx_confirm(fx, id);
    static char *const wrong[] = {
        "", "r-", "r-00000000000000000000000000000000", "g-00000000000000000000000000000000",
        "' OR 1=1 --", "\xFF",
        "r-0000000000000000000000000000000000000000000000000000000000000000000000000000000000",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        Lianban__V1__GetGrantResponse *got = NULL;
        confirm.request_id = wrong[i];
        assert_code(confirm_by(fx, FX_DESK, &confirm), LB_GRANT_UNKNOWN);
        assert_code(fx_fetch(fx, FX_WINDOW, wrong[i], &got), LB_GRANT_UNKNOWN);
    }
}

static void test_replay(void **state)
{
    struct fixture *fx = *state;
    char *id = file_one(fx);
    Lianban__V1__ConfirmRequest confirm = fx_confirm(fx, id), changed;
    Lianban__V1__ConfirmResponse *first = NULL, *again = NULL;
    assert_ok(fx_decide(fx, FX_DESK, &confirm, &first));
    /* The answer got lost: the very same decision has the same outcome, also after a restart. */
    assert_ok(fx_decide(fx, FX_DESK, &confirm, &again));
    assert_string_equal(again->grant_id, first->grant_id);
    assert_string_equal(again->state, "GRANTED");
    fx_stop(fx);
    fx_start(fx);
    assert_ok(fx_decide(fx, FX_DESK, &confirm, &again));
    assert_string_equal(again->grant_id, first->grant_id);
    /* Anything else is another decision, and so is another desk's. */
    assert_code(confirm_by(fx, FX_DESK_3, &confirm), LB_CASE_STATE);
    changed = confirm;
    changed.agreed = false;
    assert_code(confirm_by(fx, FX_DESK, &changed), LB_CASE_STATE);
    changed = confirm;
    changed.level = 2;
    assert_code(confirm_by(fx, FX_DESK, &changed), LB_CASE_STATE);
    changed = confirm;
    changed.id_no = fx->other_adult;
    assert_code(confirm_by(fx, FX_DESK, &changed), LB_CASE_STATE);
    assert_int_equal(fx_entries(fx, "GRANTED"), 1);
    assert_int_equal(fx_entries(fx, "REFUSED"), 0);
}

static void test_refusal(void **state)
{
    struct fixture *fx = *state;
    char *id = file_one(fx);
    Lianban__V1__ConfirmRequest confirm = fx_confirm(fx, id);
    Lianban__V1__ConfirmResponse *response = NULL;
    Lianban__V1__GetGrantResponse *got = NULL;
    confirm.agreed = false;
    assert_ok(lb_consent_confirm(fx->consent, FX_DESK, &confirm, fx->arena, &response));
    assert_string_equal(response->grant_id, "");
    assert_code(fx_fetch(fx, FX_WINDOW, id, &got), LB_GRANT_REFUSED);
    assert_code(fx_fetch(fx, FX_OTHER_WINDOW, id, &got), LB_GRANT_UNKNOWN);
    confirm.agreed = true;
    assert_code(confirm_by(fx, FX_DESK, &confirm), LB_CASE_STATE);
    assert_int_equal(fx_entries(fx, "REFUSED"), 1);
    assert_int_equal(fx_entries(fx, "GRANT_REFUSED"), 0); /* told the outcome, not turned away */
    fx_stop(fx);
    assert_int_equal(fx_count(fx, "SELECT count(*) FROM grants"), 0);
    assert_int_equal(fx_count(fx, "SELECT count(*) FROM consent_record"), 1);
    fx_start(fx);
    fx_advance(fx, 24 * 3600);
    assert_code(fx_fetch(fx, FX_WINDOW, id, &got), LB_GRANT_UNKNOWN);
}

/* Between asking and agreeing a window lost its key or its place. */
static void test_requester_gone(void **state)
{
    struct fixture *fx = *state;
    char *id = file_one(fx);
    const Lianban__V1__ConfirmRequest confirm = fx_confirm(fx, id);
    struct lb_json *directory = fx_directory(fx);
    fx_drop_node(directory, FX_WINDOW);
    fx_publish(fx, directory);
    assert_code(confirm_by(fx, FX_DESK, &confirm), LB_WRONG_REQUESTER);
    fx_publish(fx, fx_directory(fx));
    assert_ok(confirm_by(fx, FX_DESK, &confirm));
}

/* No evidence, no grant: and nothing of the attempt is left in the store. */
static void test_log_gone(void **state)
{
    struct fixture *fx = *state;
    char *id = file_one(fx);
    Lianban__V1__ConfirmRequest confirm = fx_confirm(fx, id);
    char *granted = file_one(fx);
    (void)fx_agree(fx, granted);
    fx->log_clock.now_unix_ms -= 10000;
    assert_code(confirm_by(fx, FX_DESK, &confirm), LB_LOG_UNAVAILABLE);
    confirm.agreed = false;
    assert_code(confirm_by(fx, FX_DESK, &confirm), LB_LOG_UNAVAILABLE);
    assert_pending(fx, id);
    fx_stop(fx);
    assert_int_equal(fx_count(fx, "SELECT count(*) FROM grants"), 1);
    assert_int_equal(fx_count(fx, "SELECT count(*) FROM consent_record"), 1);
    fx->log_clock.now_unix_ms += 20000;
    fx_start(fx);
    confirm.agreed = true;
    assert_ok(confirm_by(fx, FX_DESK, &confirm));
    assert_int_equal(fx_entries(fx, "GRANTED"), 2);
}

struct racer {
    struct fixture *fx;
    const Lianban__V1__ConfirmRequest *confirm;
    const char *desk;
    lb_status status;
};

static void *race(void *arg)
{
    struct racer *racer = arg;
    struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    Lianban__V1__ConfirmResponse *response = NULL;
    racer->status =
        lb_consent_confirm(racer->fx->consent, racer->desk, racer->confirm, arena, &response);
    lb_arena_free(arena);
    return NULL;
}

static void test_race(void **state)
{
    struct fixture *fx = *state;
    char *id = file_one(fx);
    const Lianban__V1__ConfirmRequest confirm = fx_confirm(fx, id);
    struct racer racers[8];
    pthread_t threads[8];
    size_t won = 0;
    for (size_t i = 0; i < 8; i++) {
        racers[i] = (struct racer){fx, &confirm, i % 2 == 0 ? FX_DESK : FX_DESK_3, LB_OK};
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    }
    for (size_t i = 0; i < 8; i++) {
        (void)pthread_join(threads[i], NULL);
        won += racers[i].status == LB_OK;
        if (racers[i].status != LB_OK)
            assert_code(racers[i].status, LB_CASE_STATE);
    }
    assert_int_equal(won, 4); /* one decides, three retries of the same desk are told so */
    assert_int_equal(fx_entries(fx, "GRANTED"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_callers, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_documents, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_guardians, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_notices, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_levels, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_unknown, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_replay, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_refusal, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_requester_gone, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_log_gone, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_race, fx_setup, fx_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
