#include <pthread.h>
#include <string.h>

#include "gateway/window/fixture.h"
#include "gateway/window/inside.h"

/* The policy calculator beside cases: what it answers, and what it refuses. */

static Lianban__V1__PolicyAnswer answer_of(const char *question, const char *answer)
{
    Lianban__V1__PolicyAnswer out = LIANBAN__V1__POLICY_ANSWER__INIT;
    out.question = (char *)(uintptr_t)question;
    out.answer = (char *)(uintptr_t)answer;
    return out;
}

struct asked {
    struct lb_arena *arena;
    Lianban__V1__PolicyAnswer answers[8];
    Lianban__V1__PolicyAnswer *list[8];
    Lianban__V1__CalculatePoliciesRequest request;
    Lianban__V1__CalculatePoliciesResponse *response;
};

static void begin(struct asked *asked)
{
    lianban__v1__calculate_policies_request__init(&asked->request);
    asked->request.answers = asked->list;
    asked->request.day = (char *)(uintptr_t)"2026-11-22";
    asked->response = NULL;
    asked->arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    assert_non_null(asked->arena);
}

static void say(struct asked *asked, const char *question, const char *answer)
{
    size_t i = asked->request.n_answers++;
    asked->answers[i] = answer_of(question, answer);
    asked->list[i] = &asked->answers[i];
}

static lb_status calculate(const struct fixture *fx, struct asked *asked)
{
    return lb_window_calculate_policies(fx->window, &asked->request, asked->arena,
                                        &asked->response);
}

static const Lianban__V1__PolicyResult *result(const struct asked *asked, const char *policy)
{
    for (size_t i = 0; i < asked->response->n_policies; i++)
        if (strcmp(asked->response->policies[i]->policy, policy) == 0)
            return asked->response->policies[i];
    fail_msg("no result for %s", policy);
    return NULL;
}

static struct lb_catalogue *give_catalogue(struct fixture *fx)
{
    struct lb_catalogue *catalogue = NULL;
    if (lb_catalogue_load("policy/catalogue/catalogue.yaml", &fx->diag, &catalogue) != LB_OK)
        fail_msg("%s", fx->diag.text);
    fx->window->options.catalogue = catalogue;
    return catalogue;
}

static void without_a_catalogue_there_is_no_method(void **state)
{
    struct fixture *fx = *state;
    struct asked asked;
    begin(&asked);
    assert_code(calculate(fx, &asked), LB_NO_METHOD);
    lb_arena_free(asked.arena);
}

static void policies_are_worked_out(void **state)
{
    struct fixture *fx = *state;
    struct asked asked;
    struct lb_catalogue *catalogue = give_catalogue(fx);
    begin(&asked);
    assert_ok(calculate(fx, &asked)); /* nothing said: every question is open */
    assert_int_equal(asked.response->n_missing, lb_catalogue_num_questions(catalogue));
    assert_int_equal(asked.response->n_policies, lb_catalogue_num_policies(catalogue));
    say(&asked, "birth_date", "1946-11-23");
    say(&asked, "beijing_hukou", "yes");
    assert_ok(calculate(fx, &asked));
    assert_string_equal(asked.response->day, "2026-11-22");
    assert_int_equal(asked.response->sha256.len, 32);
    const Lianban__V1__PolicyResult *aged = result(&asked, "advanced-age-allowance");
    assert_string_equal(aged->status, "unmatched");
    assert_int_equal(aged->n_changes, 1);
    assert_string_equal(aged->changes[0], "aged");
    assert_string_equal(aged->reasons[0]->truth, "TRUE");
    assert_string_equal(aged->reasons[1]->truth, "FALSE");
    assert_string_equal(aged->reasons[1]->thresholds[0]->name, "advanced.age");
    assert_int_equal(aged->reasons[1]->thresholds[0]->value, 80);
    const Lianban__V1__PolicyResult *elder = result(&asked, "elderly-hardship-service");
    assert_string_equal(elder->status, "need_more");
    assert_true(elder->n_missing > 0);
    asked.request.day = (char *)(uintptr_t)"2026-11-23";
    assert_ok(calculate(fx, &asked));
    assert_string_equal(result(&asked, "advanced-age-allowance")->status, "matched");
    asked.request.day = (char *)(uintptr_t)""; /* the agent's clock */
    assert_ok(calculate(fx, &asked));
    assert_true(strncmp(asked.response->day, "202", 3) == 0);
    lb_arena_free(asked.arena);
    lb_catalogue_free(catalogue);
}

static void wrong_requests_are_refused(void **state)
{
    static const struct {
        const char *question, *answer;
    } wrong[] = {
        {"id_no", "110101199001011234"}, {"", ""},          {"birth_date", "2026-11-23"},
        {"members", "0"},                {"members", "1e1"}, {"beijing_hukou", ""},
        {"own_income", "-1"},            {"sex", "FEMALE"},
    };
    struct fixture *fx = *state;
    struct asked asked;
    struct lb_catalogue *catalogue = give_catalogue(fx);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        begin(&asked);
        say(&asked, wrong[i].question, wrong[i].answer);
        assert_code(calculate(fx, &asked), LB_ANSWER_INVALID);
        lb_arena_free(asked.arena);
    }
    begin(&asked);
    say(&asked, "members", "2");
    say(&asked, "members", "2");
    assert_code(calculate(fx, &asked), LB_ANSWER_INVALID);
    asked.request.n_answers = 0;
    asked.request.day = (char *)(uintptr_t)"2026-02-29";
    assert_code(calculate(fx, &asked), LB_MALFORMED);
    assert_null(asked.response);
    lb_arena_free(asked.arena);
    lb_catalogue_free(catalogue);
}

/* --- many at once --- */

#define NUM_THREADS 4
#define NUM_ROUNDS 25

struct caller {
    const struct fixture *fx;
    bool old;
    unsigned wrong;
};

static void *call_often(void *arg)
{
    struct caller *caller = arg;
    for (int i = 0; i < NUM_ROUNDS; i++) {
        struct asked asked;
        begin(&asked);
        say(&asked, "birth_date", caller->old ? "1940-01-01" : "1990-01-01");
        say(&asked, "beijing_hukou", "yes");
        lb_status status = calculate(caller->fx, &asked);
        if (status != LB_OK ||
            strcmp(result(&asked, "advanced-age-allowance")->status,
                   caller->old ? "matched" : "unmatched") != 0)
            caller->wrong++;
        lb_arena_free(asked.arena);
    }
    return NULL;
}

static void calls_do_not_see_each_others_answers(void **state)
{
    struct fixture *fx = *state;
    struct lb_catalogue *catalogue = give_catalogue(fx);
    struct caller callers[NUM_THREADS];
    pthread_t threads[NUM_THREADS];
    for (size_t i = 0; i < NUM_THREADS; i++) {
        callers[i] = (struct caller){.fx = fx, .old = i % 2 == 0};
        assert_int_equal(pthread_create(&threads[i], NULL, call_often, &callers[i]), 0);
    }
    for (size_t i = 0; i < NUM_THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(callers[i].wrong, 0);
    }
    lb_catalogue_free(catalogue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_a_catalogue_there_is_no_method, fx_setup,
                                        fx_teardown),
        cmocka_unit_test_setup_teardown(policies_are_worked_out, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(wrong_requests_are_refused, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(calls_do_not_see_each_others_answers, fx_setup,
                                        fx_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
