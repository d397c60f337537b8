#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "adapters/serve/fixture_people.h"
#include "gateway/base/file.h"
#include "gateway/evidence/inspect.h"

/* Searching out a person's values, by many cases, many thresholds, many claims, changed data and a
 * restart in between. Persons are used once each, for the state goes on from test to test. */

/* Opens the answer: its inner code, and the fact in it or NULL. */
static const char *ask_one(struct fixture *fx, const struct fx_question *question,
                           Lianban__V1__Fact **out_fact)
{
    struct fx_ask ask;
    struct fx_built built;
    struct lb_serve_answer answer;
    fx_ask_people(fx, question, &ask);
    fx_build(fx, &ask, &built);
    assert_code(fx_send(fx, &built, &answer), LB_ANSWERED);
    assert_int_equal(answer.sealed.len, ask.section.answer_bytes);
    Lianban__V1__SealedAnswer *opened = fx_open(fx, &built, &answer);
    *out_fact = opened->n_facts == 0 ? NULL : opened->facts[0];
    return opened->code;
}

static void answers(struct fixture *fx, const struct fx_question *question, bool truth)
{
    Lianban__V1__Fact *fact = NULL;
    assert_string_equal(ask_one(fx, question, &fact), "OK");
    assert_int_equal(fact->state, LIANBAN__V1__FACT__STATE__OK);
    assert_int_equal(fact->kind, LIANBAN__V1__FACT__KIND__TRUTH);
    assert_int_equal(fact->truth != 0, truth);
}

static void limited(struct fixture *fx, const struct fx_question *question)
{
    Lianban__V1__Fact *fact = NULL;
    assert_string_equal(ask_one(fx, question, &fact), "PROBE_LIMIT");
    assert_null(fact);
}

static void change(struct fixture *fx, const char *sql)
{
    struct lb_store *store = NULL;
    const struct lb_store_options options = {.path = fed_path(&fx->fed, "tax.db"),
                                             .busy_timeout_ms = 1000};
    assert_ok(lb_store_open(&options, &store));
    assert_ok(lb_store_exec(store, sql));
    lb_store_close(store);
}

/* The same question again in its case tells nothing of what has become of the data since. */
static void changed_data_cannot_be_watched(void **state)
{
    struct fixture *fx = *state;
    struct fx_question question = {.person = 10, .case_id = "w-1", .view = "tax.people",
                                   .field = "code", .operator_name = "IN", .arg = "s.1"};
    answers(fx, &question, true);
    change(fx, "UPDATE people SET code = '2', name = 'x' WHERE cents = 10000");
    answers(fx, &question, true);
    fx_restart(fx);
    answers(fx, &question, true);
    question.case_id = "w-2";
    answers(fx, &question, false);
    question.case_id = "w-1";
    question.arg = "s.2"; /* another question */
    answers(fx, &question, false);
}

/* What the database could not say for the moment is asked again. */
static void an_outage_is_not_remembered(void **state)
{
    struct fixture *fx = *state;
    const struct fx_question question = {.person = 12, .case_id = "o-1", .view = "tax.people",
                                         .field = "code", .operator_name = "IN", .arg = "s.1"};
    Lianban__V1__Fact *fact = NULL;
    change(fx, "ALTER TABLE people RENAME TO gone");
    assert_string_equal(ask_one(fx, &question, &fact), "OK");
    assert_int_equal(fact->state, LIANBAN__V1__FACT__STATE__UNAVAILABLE);
    change(fx, "ALTER TABLE gone RENAME TO people");
    answers(fx, &question, true);
}

/* Every threshold in a case of its own: eight in thirty days, then no more; those already asked
 * go on being answered. */
static void thresholds_are_capped_across_cases(void **state)
{
    struct fixture *fx = *state;
    char case_id[32], arg[32];
    struct fx_question question = {.person = 20, .case_id = case_id, .view = "tax.people",
                                   .field = "income", .operator_name = "CMP", .arg = arg};
    for (int i = 1; i <= FX_NUM_NAMES; i++) {
        (void)snprintf(case_id, sizeof(case_id), "t-%d", i);
        (void)snprintf(arg, sizeof(arg), "<,t.%d", i);
        if (i == 5)
            fx_restart(fx);
        if (i <= 8)
            answers(fx, &question, true);
        else
            limited(fx, &question);
    }
    (void)snprintf(case_id, sizeof(case_id), "t-again");
    (void)snprintf(arg, sizeof(arg), "<,t.3");
    answers(fx, &question, true);
    question.person = 21; /* of another person nothing was asked yet */
    (void)snprintf(arg, sizeof(arg), "<,t.9");
    answers(fx, &question, true);
    question.person = 20; /* nor of another field */
    question.field = "code";
    question.operator_name = "IN";
    (void)snprintf(arg, sizeof(arg), "s.9");
    answers(fx, &question, true);
}

static void names_cannot_be_guessed(void **state)
{
    struct fixture *fx = *state;
    char claim[32], case_id[32];
    struct fx_question question = {.person = 30, .case_id = case_id, .view = "tax.people",
                                   .field = "name", .operator_name = "EQ", .claim = claim};
    (void)snprintf(case_id, sizeof(case_id), "n-1");
    for (int i = 0; i < 3; i++) {
        (void)snprintf(claim, sizeof(claim), "王%d", i);
        answers(fx, &question, false);
        answers(fx, &question, false); /* the same again is no further guess */
    }
    question.claim = fx_person_name(fx, 30);
    limited(fx, &question); /* right, and too late */
    fx_restart(fx);
    limited(fx, &question);
    question.claim = claim;
    (void)snprintf(claim, sizeof(claim), "王0");
    answers(fx, &question, false); /* what was told stays told */
    /* Another case has three more, and then the day is over. */
    (void)snprintf(case_id, sizeof(case_id), "n-2");
    for (int i = 0; i < 3; i++) {
        (void)snprintf(claim, sizeof(claim), "李%d", i);
        answers(fx, &question, false);
    }
    (void)snprintf(case_id, sizeof(case_id), "n-3");
    question.claim = fx_person_name(fx, 30);
    limited(fx, &question);
    question.person = 31; /* who is another person's affair */
    question.claim = fx_person_name(fx, 31);
    answers(fx, &question, true);
}

/* A true claim costs nothing, however often. */
static void honest_claims_are_not_counted(void **state)
{
    struct fixture *fx = *state;
    char case_id[32];
    const struct fx_question question = {.person = 34, .case_id = case_id, .view = "tax.people",
                                         .field = "name", .operator_name = "EQ",
                                         .claim = fx_person_name(fx, 34)};
    for (int i = 0; i < 12; i++) {
        (void)snprintf(case_id, sizeof(case_id), "h-%d", i);
        answers(fx, &question, true);
    }
}

/* Twelve at once: no more get through than one after the other. */
static void guesses_at_once_are_counted_too(void **state)
{
    struct fixture *fx = *state;
    enum { NUM = 12 };
    struct fx_ask asks[NUM];
    struct fx_built built[NUM];
    struct lb_serve_answer answer[NUM];
    for (int i = 0; i < NUM; i++) {
        const struct fx_question question = {
            .person = 40, .view = "tax.people", .field = "name", .operator_name = "EQ",
            .case_id = "g-1", .claim = lb_arena_printf(fx->arena, "赵%d", i)};
        fx_ask_people(fx, &question, &asks[i]);
        fx_build(fx, &asks[i], &built[i]);
    }
    fx_send_all(fx, built, NUM, answer);
    int told = 0;
    for (int i = 0; i < NUM; i++) {
        assert_code(answer[i].code, LB_ANSWERED);
        told += strcmp(fx_open(fx, &built[i], &answer[i])->code, "OK") == 0;
    }
    assert_int_equal(told, 3);
}

/* A refused request leaves no trace of what it would have been told. */
static void what_is_refused_is_not_remembered(void **state)
{
    struct fixture *fx = *state;
    const struct fx_question question = {.person = 50, .case_id = "r-1", .view = "tax.people",
                                         .field = "name", .operator_name = "EQ", .claim = "钱"};
    for (int i = 0; i < 8; i++) {
        struct fx_ask ask;
        struct fx_built built;
        struct lb_serve_answer answer;
        fx_ask_people(fx, &question, &ask);
        ask.granted_id = FX_ADULT;
        fx_build(fx, &ask, &built);
        assert_code(fx_send(fx, &built, &answer), LB_ANSWERED);
        assert_string_equal(fx_open(fx, &built, &answer)->code, "SUBJECT_MISMATCH");
    }
    answers(fx, &question, false);
}

static const Lianban__V1__AllowedUse *described_use(struct fixture *fx, const char *view,
                                                   const char *field)
{
    Lianban__V1__DescribeResponse *response = NULL;
    assert_ok(lb_serve_describe(fx->serve, fx->arena, &response));
    for (size_t v = 0; v < response->n_views; v++) {
        const Lianban__V1__ViewDescription *described = response->views[v];
        for (size_t f = 0; f < described->n_fields && strcmp(described->view, view) == 0; f++)
            if (strcmp(described->fields[f]->field, field) == 0)
                return described->fields[f]->uses[0];
    }
    fail();
    return NULL;
}

static void what_is_tried_out_is_described_as_such(void **state)
{
    struct fixture *fx = *state;
    assert_true(described_use(fx, "tax.people", "trial")->dry_run);
    assert_false(described_use(fx, "tax.people", "name")->dry_run);
}

static void a_rule_in_dry_run_releases_nothing(void **state)
{
    struct fixture *fx = *state;
    const struct fx_question question = {.person = 60, .case_id = "d-1", .view = "tax.people",
                                         .field = "trial", .operator_name = "IN", .arg = "s.1"};
    struct fx_ask ask;
    struct fx_built built;
    struct lb_serve_answer answer;
    fx_ask_people(fx, &question, &ask);
    fx_build(fx, &ask, &built);
    assert_code(fx_send(fx, &built, &answer), LB_ANSWERED);
    Lianban__V1__SealedAnswer *opened = fx_open(fx, &built, &answer);
    assert_string_equal(opened->code, "OK");
    assert_int_equal(opened->facts[0]->state, LIANBAN__V1__FACT__STATE__DRY_RUN);
    assert_int_equal(opened->facts[0]->kind, LIANBAN__V1__FACT__KIND__KIND_UNKNOWN);
    assert_int_equal(opened->facts[0]->truth, false);
    assert_string_equal(opened->facts[0]->as_of, "");
    const char *detail = fx_detail(fx, answer.index);
    assert_non_null(strstr(detail, "\"state\":\"dry_run\",\"would\":\"ok\""));
}

/* The store of a running adapter, read as a thief would. */
static void nothing_of_it_is_in_clear(void **state)
{
    struct fixture *fx = *state;
    static const char *const files[] = {"state/evidence.db", "state/evidence.db-wal"};
    const char *needles[] = {fx_person(fx, 70), "人70", "王冠七十", "case-seventy"};
    const struct fx_question question = {
        .person = 70, .case_id = "case-seventy", .view = "tax.people", .field = "name",
        .operator_name = "EQ", .claim = "王冠七十"};
    answers(fx, &question, false);
    for (size_t f = 0; f < 2; f++) {
        struct lb_arena *arena = lb_arena_new(256 << 20);
        struct lb_span bytes = LB_SPAN_EMPTY;
        assert_non_null(arena);
        assert_ok(lb_file_read(fed_path(&fx->fed, files[f]), 200 << 20, arena, &bytes));
        for (size_t i = 0; i < sizeof(needles) / sizeof(needles[0]); i++)
            assert_null(memmem(bytes.ptr, bytes.len, needles[i], strlen(needles[i])));
        lb_arena_free(arena);
    }
}

/* Erasing a person forgets what was asked about them, and nobody else. */
static void an_erased_person_is_forgotten(void **state)
{
    struct fixture *fx = *state;
    struct fx_question question = {.person = 80, .case_id = "e-1", .view = "tax.people",
                                   .field = "code", .operator_name = "IN", .arg = "s.1"};
    answers(fx, &question, true);
    question.person = 82;
    answers(fx, &question, true);
    change(fx, "UPDATE people SET code = '2' WHERE cents IN (80000, 82000)");
    fx_erase(fx, fx_person(fx, 80));
    answers(fx, &question, true);
    question.person = 80;
    answers(fx, &question, false);
}

static int setup(void **state)
{
    static struct fixture fx;
    fx_setup(&fx);
    *state = &fx;
    return 0;
}

static int teardown(void **state)
{
    fx_teardown(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changed_data_cannot_be_watched),
        cmocka_unit_test(an_outage_is_not_remembered),
        cmocka_unit_test(thresholds_are_capped_across_cases),
        cmocka_unit_test(names_cannot_be_guessed),
        cmocka_unit_test(honest_claims_are_not_counted),
        cmocka_unit_test(guesses_at_once_are_counted_too),
        cmocka_unit_test(what_is_refused_is_not_remembered),
        cmocka_unit_test(a_rule_in_dry_run_releases_nothing),
        cmocka_unit_test(what_is_tried_out_is_described_as_such),
        cmocka_unit_test(nothing_of_it_is_in_clear),
        cmocka_unit_test(an_erased_person_is_forgotten),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
