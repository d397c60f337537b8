#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "adapters/serve/fixture_people.h"
#include "gateway/crypto/hash.h"

/* Getting past a budget: by many cases, at once, through a restart, in another's name; and eating
 * somebody else's. Each test has operators of its own; the requester's budget is all of theirs. */

#define OPERATOR(n_) "0000000000000000000000000000000" #n_

static void build(struct fixture *fx, const char *person, const char *case_id,
                  struct fx_ask *ask, struct fx_built *out)
{
    const struct fx_question question = {.person = 1, .case_id = case_id, .view = "tax.counted",
                                         .field = "listed", .operator_name = "EXISTS"};
    fx_ask_people(fx, &question, ask);
    ask->person = ask->section.operator_hash = person;
    fx_build(fx, ask, out);
}

static enum lb_code ask_as(struct fixture *fx, const char *person, const char *case_id)
{
    struct fx_ask ask;
    struct fx_built built;
    struct lb_serve_answer answer;
    build(fx, person, case_id, &ask, &built);
    enum lb_code code = fx_send(fx, &built, &answer);
    assert_true(answer.recorded);
    assert_int_equal(answer.sealed.len, code == LB_ANSWERED ? 1024 : 0);
    return code;
}

/* Sixteen requests of one operator at once, each of a case of its own: five are answered. */
static void a_crowd_gets_no_more_than_the_budget(void **state)
{
    struct fixture *fx = *state;
    enum { NUM = 16 };
    struct fx_ask asks[NUM];
    struct fx_built built[NUM];
    struct lb_serve_answer answer[NUM];
    int answered = 0;
    for (int i = 0; i < NUM; i++)
        build(fx, OPERATOR(1), lb_arena_printf(fx->arena, "b-%d", i), &asks[i],
              &built[i]);
    fx_send_all(fx, built, NUM, answer);
    for (int i = 0; i < NUM; i++) {
        answered += answer[i].code == LB_ANSWERED;
        assert_true(answer[i].code == LB_ANSWERED || answer[i].code == LB_BUDGET_EXHAUSTED);
        assert_int_equal(answer[i].sealed.len, answer[i].code == LB_ANSWERED ? 1024 : 0);
    }
    assert_int_equal(answered, FX_OPERATOR_HOUR);
}

static void neither_a_restart_nor_another_case_helps(void **state)
{
    struct fixture *fx = *state;
    fx_restart(fx);
    assert_code(ask_as(fx, OPERATOR(1), "b-100"), LB_BUDGET_EXHAUSTED);
    assert_code(ask_as(fx, OPERATOR(1), "b-101"), LB_BUDGET_EXHAUSTED);
}

/* Five of one and twenty refused leave three for the next: what is refused counts for nobody. Then
 * the requester has had its own, and no further operator gets it more. */
static void refusals_count_for_nobody(void **state)
{
    struct fixture *fx = *state;
    for (int i = 0; i < 20; i++)
        assert_code(ask_as(fx, OPERATOR(1), "b-200"), LB_BUDGET_EXHAUSTED);
    for (int i = FX_OPERATOR_HOUR; i < FX_REQUESTER_HOUR; i++)
        assert_code(ask_as(fx, OPERATOR(2), "b-201"), LB_ANSWERED);
    assert_code(ask_as(fx, OPERATOR(2), "b-201"), LB_BUDGET_EXHAUSTED);
    assert_code(ask_as(fx, OPERATOR(3), "b-202"), LB_BUDGET_EXHAUSTED);
}

static void another_view_has_its_own(void **state)
{
    struct fixture *fx = *state;
    struct fx_ask ask;
    struct fx_built built;
    fx_ask_honest(fx, &ask);
    ask.person = ask.section.operator_hash = OPERATOR(1);
    fx_build(fx, &ask, &built);
    assert_code(fx_send(fx, &built, NULL), LB_ANSWERED);
}

/* The refusal is the same for everybody, so it is told openly; the officer reads whose it was. */
static void the_officer_reads_who_was_stopped(void **state)
{
    struct fixture *fx = *state;
    struct fx_ask ask;
    struct fx_built built;
    struct lb_serve_answer answer;
    build(fx, OPERATOR(1), "b-300", &ask, &built);
    assert_code(fx_send(fx, &built, &answer), LB_BUDGET_EXHAUSTED);
    const char *detail = fx_detail(fx, answer.index);
    assert_non_null(strstr(detail, "\"code\":\"BUDGET_EXHAUSTED\""));
    assert_non_null(strstr(detail, "\"actor\":\"" OPERATOR(1) "\""));
    assert_null(strstr(detail, "\"state\":"));
}

/* Were a refusal of the person no use, the broker could tell it by asking for one use too many. */
static void a_refused_person_is_a_use_like_any_other(void **state)
{
    struct fixture *fx = *state;
    for (int refused = 0; refused < 2; refused++) {
        struct fx_ask ask;
        struct fx_built built;
        fx_ask_honest(fx, &ask);
        ask.section.max_uses = 1;
        if (refused == 1)
            ask.granted_id = FX_OTHER_ADULT;
        fx_build(fx, &ask, &built);
        assert_code(fx_send(fx, &built, NULL), LB_ANSWERED);
        assert_ok(lb_crypto_random(ask.rid, sizeof(ask.rid)));
        fx_build(fx, &ask, &built);
        assert_code(fx_send(fx, &built, NULL), LB_USE_EXHAUSTED);
    }
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
        cmocka_unit_test(a_crowd_gets_no_more_than_the_budget),
        cmocka_unit_test(neither_a_restart_nor_another_case_helps),
        cmocka_unit_test(refusals_count_for_nobody),
        cmocka_unit_test(another_view_has_its_own),
        cmocka_unit_test(the_officer_reads_who_was_stopped),
        cmocka_unit_test(a_refused_person_is_a_use_like_any_other),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
