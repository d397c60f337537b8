#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/serve/fixture_people.h"
#include "gateway/base/file.h"
#include "gateway/evidence/leaf.h"
#include "policy/engine/closures.h"

/* The department's switch, and races against it. */

static void put(struct fixture *fx, const char *text)
{
    const char *path = fed_path(&fx->fed, "state/closed.yaml");
    if (text == NULL)
        assert_int_equal(unlink(path), 0);
    else
        assert_ok(lb_file_write(path, lb_span_str(text), 0600));
}

static enum lb_code ask(struct fixture *fx)
{
    struct fx_ask honest;
    struct fx_built built;
    struct lb_serve_answer answer;
    fx_ask_honest(fx, &honest);
    fx_build(fx, &honest, &built);
    enum lb_code code = fx_send(fx, &built, &answer);
    assert_int_equal(answer.sealed.len, code == LB_ANSWERED ? 1024 : 0);
    assert_true(answer.recorded);
    return code;
}

/* An opening counts once its entry is durable: soon, not at once. */
static void opens(struct fixture *fx)
{
    enum lb_code code = LB_VIEW_CLOSED;
    for (int i = 0; i < 500 && code == LB_VIEW_CLOSED; i++) {
        code = ask(fx);
        (void)usleep(10000);
    }
    assert_code(code, LB_ANSWERED);
}

static void a_view_a_requester_or_all_are_shut_at_once(void **state)
{
    static const char *const shut[] = {
        "views: [tax.wage]\n", "requesters: [street-office]\n", "department: true\n",
        "views: [tax.slow, tax.wage]\nreason: \"why: \\\"not\\\"\"\n"};
    static const char *const other[] = {
        "views: [tax.business]\nreason: \"x\"\n", "requesters: [other-office]\n",
        "department: false\nviews: []\nrequesters: []\n"};
    struct fixture *fx = *state;
    for (size_t i = 0; i < sizeof(shut) / sizeof(shut[0]); i++) {
        assert_code(ask(fx), LB_ANSWERED);
        put(fx, shut[i]);
        assert_code(ask(fx), LB_VIEW_CLOSED);
        put(fx, other[i % 3]);
        opens(fx);
    }
    put(fx, NULL);
    opens(fx);
}

/* A file that can't be read shuts everything: nobody knows what it meant to shut. */
static void an_unreadable_file_shuts_everything(void **state)
{
    static const char *const wrong[] = {"views: [\n", "views: [Tax]\n", "shut: true\n",
                                        "department: yes\n", "views: tax.wage\n"};
    struct fixture *fx = *state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        put(fx, wrong[i]);
        assert_code(ask(fx), LB_VIEW_CLOSED);
    }
    put(fx, NULL);
    opens(fx);
}

static void it_stays_shut_through_a_restart(void **state)
{
    struct fixture *fx = *state;
    put(fx, "views: [tax.wage]\n");
    assert_code(ask(fx), LB_VIEW_CLOSED);
    fx_restart(fx);
    assert_code(ask(fx), LB_VIEW_CLOSED);
    put(fx, NULL);
    opens(fx);
}

/* Finds the newest POLICY entry with the code among the last entries. */
static bool find_policy(struct fixture *fx, const char *code, struct lb_leaf *out,
                        uint64_t *out_index)
{
    struct lb_log_head head;
    assert_ok(lb_log_head(fx->log, fx->arena, &head));
    for (uint64_t i = head.size; i > 0; i--) {
        struct lb_span bytes = LB_SPAN_EMPTY;
        assert_ok(lb_log_leaf(fx->log, i - 1, fx->arena, &bytes));
        assert_ok(lb_leaf_decode(bytes, out));
        *out_index = i - 1;
        if (out->type == LB_LEAF_POLICY && strcmp(out->code, code) == 0)
            return true;
    }
    return false;
}

static void closing_and_opening_are_evidence(void **state)
{
    struct fixture *fx = *state;
    struct lb_leaf leaf;
    uint64_t index = 0;
    put(fx, "views: [tax.wage]\nreason: \"leak suspected\"\n");
    for (int i = 0; i < 500; i++) {
        lb_serve_tick(fx->serve); /* without any request */
        if (find_policy(fx, "CLOSED", &leaf, &index) && strcmp(leaf.views, "tax.wage") == 0 &&
            strstr(fx_detail(fx, index), "leak suspected") != NULL)
            break;
        (void)usleep(10000);
    }
    assert_string_equal(leaf.code, "CLOSED");
    assert_string_equal(leaf.views, "tax.wage");
    assert_memory_equal(leaf.policy_hash, fx->policy->sha256, 32);
    assert_non_null(strstr(fx_detail(fx, index), "leak suspected"));
    put(fx, NULL);
    opens(fx);
    uint64_t opened = 0;
    assert_true(find_policy(fx, "OPENED", &leaf, &opened));
    assert_true(opened > index);
    assert_true(find_policy(fx, "IN_FORCE", &leaf, &index));
    assert_memory_equal(leaf.policy_hash, fx->policy->sha256, 32);
}

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

/* Shut while the database is at work for a request that was let in before. */
static void what_is_shut_meanwhile_does_not_leave(void **state)
{
    static const struct lb_section_field fields[] = {{"owned", "EXISTS"}};
    static const struct lb_section_view views[] = {{"tax.slow", 1, 1, fields}};
    static const struct lb_hash route = {{1}};
    struct fixture *fx = *state;
    struct fx_ask slow;
    struct fx_built built;
    struct waiting waiting = {.lock = PTHREAD_MUTEX_INITIALIZER,
                              .changed = PTHREAD_COND_INITIALIZER};
    assert_ok(fx_status(fx, 50, 0, 900));
    fx_ask_consent(fx, &slow);
    slow.section.views = views;
    slow.views[0] = "tax.slow";
    slow.deadline_ms = 30000;
    fx_build(fx, &slow, &built);
    assert_ok(lb_serve_submit(fx->serve, built.request, &route, note_answer, &waiting));
    (void)usleep(100000);
    put(fx, "requesters: [street-office]\n");
    (void)pthread_mutex_lock(&waiting.lock);
    assert_false(waiting.done); /* or the query is too quick for this test */
    while (!waiting.done)
        (void)pthread_cond_wait(&waiting.changed, &waiting.lock);
    (void)pthread_mutex_unlock(&waiting.lock);
    assert_code(waiting.code, LB_VIEW_CLOSED);
    assert_int_equal(waiting.sealed_len, 0);
    put(fx, NULL);
    opens(fx);
}

/* Many in flight while the switch falls: whatever comes after it is refused, and none is lost. */
static void a_crowd_meets_the_switch(void **state)
{
    struct fixture *fx = *state;
    enum { NUM = 40 };
    struct fx_ask asks[NUM];
    struct fx_built built[NUM];
    struct lb_serve_answer answer[NUM];
    for (size_t i = 0; i < NUM; i++) {
        fx_ask_honest(fx, &asks[i]);
        fx_build(fx, &asks[i], &built[i]);
    }
    put(fx, "department: true\n");
    fx_send_all(fx, built, NUM, answer);
    for (size_t i = 0; i < NUM; i++) {
        assert_code(answer[i].code, LB_VIEW_CLOSED);
        assert_int_equal(answer[i].sealed.len, 0);
    }
    put(fx, NULL);
    opens(fx);
}

static void the_text_is_read_as_it_was_written(void **state)
{
    struct fixture *fx = *state;
    const struct lb_closures written = {.department = false, .num_views = 2,
                                        .views = {"tax.wage", "tax.business"},
                                        .num_requesters = 1, .requesters = {"street-office"},
                                        .reason = "核查：\"a\\b\" # no comment"};
    const char *text = NULL;
    struct lb_closures read;
    struct lb_diag diag = {""};
    assert_ok(lb_closures_text(&written, fx->arena, &text));
    fed_write(&fx->fed, "copy.yaml", lb_span_str(text));
    assert_ok(lb_closures_load(fed_path(&fx->fed, "copy.yaml"), fx->arena, &diag, &read));
    assert_string_equal(read.reason, written.reason);
    assert_int_equal(read.num_views, 2);
    assert_true(lb_closures_view(&read, "tax.business"));
    assert_false(lb_closures_view(&read, "tax.slow"));
    assert_true(lb_closures_requester(&read, "street-office"));
    assert_true(lb_closures_any(&read));
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
        cmocka_unit_test(a_view_a_requester_or_all_are_shut_at_once),
        cmocka_unit_test(an_unreadable_file_shuts_everything),
        cmocka_unit_test(it_stays_shut_through_a_restart),
        cmocka_unit_test(closing_and_opening_are_evidence),
        cmocka_unit_test(what_is_shut_meanwhile_does_not_leave),
        cmocka_unit_test(a_crowd_meets_the_switch),
        cmocka_unit_test(the_text_is_read_as_it_was_written),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
