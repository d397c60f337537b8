#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/serve/fixture.h"
#include "gateway/crypto/hash.h"
#include "gateway/token/status_list.h"
#include "gateway/wire/pb.h"

/* What may leave at the edges of a grant, and what the officer reads of what did not. */

/* Sums over 1 to 60 months of a view of many rows, all granted. */
static void ask_sums(struct fixture *fx, struct fx_ask *ask)
{
    static char months[FX_NUM_SUMS][12], operators[FX_NUM_SUMS][24];
    static struct lb_section_field fields[FX_NUM_SUMS];
    static struct fx_want wants[FX_NUM_SUMS];
    static const struct lb_section_view views[] = {{FX_DEPOSITS, 1, FX_NUM_SUMS, fields}};
    for (int i = 0; i < FX_NUM_SUMS; i++) {
        (void)snprintf(months[i], sizeof(months[i]), "%d", i + 1);
        (void)snprintf(operators[i], sizeof(operators[i]), "SUM(%d)", i + 1);
        fields[i] = (struct lb_section_field){"total", operators[i]};
        wants[i] = (struct fx_want){"total", "SUM", months[i], NULL};
    }
    fx_ask_honest(fx, ask);
    ask->section.views = views;
    ask->views[0] = FX_DEPOSITS;
    ask->field = "total";
    ask->arg = months[0];
    ask->more = wants + 1;
    ask->num_more = FX_NUM_SUMS - 1;
}

static void many_rows_and_none_look_the_same_outside(void **state)
{
    static const char *const persons[] = {FX_ADULT, FX_OTHER_ADULT};
    struct fixture *fx = *state;
    for (size_t i = 0; i < 2; i++) {
        struct fx_ask ask;
        struct fx_built built;
        struct lb_serve_answer answer;
        ask_sums(fx, &ask);
        ask.id_no = ask.granted_id = persons[i];
        ask.section.answer_bytes = 16384;
        fx_build(fx, &ask, &built);
        assert_code(fx_send(fx, &built, &answer), LB_ANSWERED);
        Lianban__V1__SealedAnswer *opened = fx_open(fx, &built, &answer);
        assert_int_equal(opened->n_facts, FX_NUM_SUMS);
        for (size_t f = 0; f < FX_NUM_SUMS; f++)
            assert_int_equal(opened->facts[f]->state, LIANBAN__V1__FACT__STATE__OK);
    }
}

static void a_field_is_granted_under_each_of_its_operators(void **state)
{
    struct fixture *fx = *state;
    struct fx_ask ask;
    struct fx_built built;
    ask_sums(fx, &ask);
    ask.arg = "9";
    ask.num_more = 0;
    fx_build(fx, &ask, &built);
    assert_code(fx_send(fx, &built, NULL), LB_ANSWERED);
}

/* --- withdrawn while the database is at work --- */

struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool done;
    enum lb_code code;
    size_t sealed_len;
};

static void note_answer(void *ctx, const struct lb_serve_answer *answer)
{
    struct waiting *waiting = ctx;
    (void)pthread_mutex_lock(&waiting->lock);
    waiting->done = true;
    waiting->code = answer->code;
    waiting->sealed_len = answer->sealed.len;
    (void)pthread_cond_signal(&waiting->changed);
    (void)pthread_mutex_unlock(&waiting->lock);
}

static void what_is_withdrawn_meanwhile_does_not_leave(void **state)
{
    static const struct lb_section_field fields[] = {{"owned", "EXISTS"}};
    static const struct lb_section_view views[] = {{"tax.slow", 1, 1, fields}};
    static const struct lb_hash route = {{1}};
    struct fixture *fx = *state;
    struct fx_ask ask;
    struct fx_built built;
    struct waiting waiting = {.lock = PTHREAD_MUTEX_INITIALIZER,
                              .changed = PTHREAD_COND_INITIALIZER};
    fx_ask_consent(fx, &ask);
    ask.section.views = views;
    ask.views[0] = "tax.slow";
    ask.deadline_ms = 30000;
    fx_build(fx, &ask, &built);
    assert_ok(lb_serve_submit(fx->serve, built.request, &route, note_answer, &waiting));
    (void)usleep(100000);
    assert_ok(fx_status(fx, 2, LB_STATE_INVALID, 900));
    (void)pthread_mutex_lock(&waiting.lock);
    assert_false(waiting.done); /* or the query is too quick for this test */
    while (!waiting.done)
        (void)pthread_cond_wait(&waiting.changed, &waiting.lock);
    (void)pthread_mutex_unlock(&waiting.lock);
    assert_code(waiting.code, LB_GRANT_REVOKED);
    assert_int_equal(waiting.sealed_len, 0);
    assert_ok(fx_status(fx, 3, LB_STATE_VALID, 900));
}

/* --- what the officer reads --- */

static void of_a_replay_that_nothing_left(void **state)
{
    struct fixture *fx = *state;
    struct fx_ask ask;
    struct fx_built built;
    struct lb_serve_answer answer;
    fx_ask_honest(fx, &ask);
    fx_build(fx, &ask, &built);
    assert_code(fx_send(fx, &built, &answer), LB_ANSWERED);
    assert_non_null(strstr(fx_detail(fx, answer.index), "\"state\":\"ok\""));
    assert_code(fx_send(fx, &built, &answer), LB_REPLAY);
    const char *text = fx_detail(fx, answer.index);
    assert_non_null(strstr(text, "\"code\":\"REPLAY\""));
    assert_non_null(strstr(text, "\"field\":\"income\""));
    assert_null(strstr(text, "\"state\":"));
}

static void of_a_refusal_what_was_asked(void **state)
{
    static const struct fx_want also[] = {{"months", "EXISTS", NULL, NULL}};
    struct fixture *fx = *state;
    struct fx_ask ask;
    struct fx_built built;
    struct lb_serve_answer answer;
    fx_ask_honest(fx, &ask);
    ask.more = also;
    ask.num_more = 1;
    fx_build(fx, &ask, &built);
    assert_code(fx_send(fx, &built, &answer), LB_FIELD_NOT_GRANTED);
    const char *text = fx_detail(fx, answer.index);
    assert_non_null(strstr(text, "\"field\":\"income\""));
    assert_non_null(strstr(text, "\"refused\":{\"view\":\"tax.wage\",\"field\":\"months\","
                                 "\"operator\":\"EXISTS\"}"));
}

/* Laws of quotation marks, which JSON doubles, and a field under each of its operators: more than
 * an entry holds. */
static void even_of_lists_too_long_for_an_entry(void **state)
{
    static char law[LB_MAX_VALUE_BYTES + 1];
    static const char *laws[10];
    struct fixture *fx = *state;
    struct fx_ask ask;
    struct fx_built built;
    struct lb_serve_answer answer;
    memset(law, '"', LB_MAX_VALUE_BYTES);
    for (size_t i = 0; i < 10; i++)
        laws[i] = i == 0 ? "SAL41" : law;
    ask_sums(fx, &ask);
    ask.section.laws = laws;
    ask.section.num_laws = 10;
    fx_build(fx, &ask, &built);
    assert_code(fx_send(fx, &built, &answer), LB_TOO_LARGE);
    assert_true(answer.recorded);
    assert_int_equal(answer.sealed.len, 0);
    const char *text = fx_detail(fx, answer.index);
    assert_non_null(strstr(text, "\"code\":\"TOO_LARGE\""));
    assert_non_null(strstr(text, "\"shortened\":true"));
    assert_non_null(strstr(text, "\"case\":\"c-1\""));
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
        cmocka_unit_test(many_rows_and_none_look_the_same_outside),
        cmocka_unit_test(a_field_is_granted_under_each_of_its_operators),
        cmocka_unit_test(what_is_withdrawn_meanwhile_does_not_leave),
        cmocka_unit_test(of_a_replay_that_nothing_left),
        cmocka_unit_test(of_a_refusal_what_was_asked),
        cmocka_unit_test(even_of_lists_too_long_for_an_entry),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
