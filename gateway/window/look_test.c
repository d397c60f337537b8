#include <string.h>

#include "gateway/window/look.h"
#include "gateway/window/post_steps.h"
#include "gateway/window/withdrawn.h"

/* Looks of a trigger: once in its interval, one signal at most, and nothing else stays. */

#define TO "reach-out"

static const char *watch(struct post *post)
{
    post->case_id = fx_open(post->fx, false);
    fx_agree(post->fx, post->case_id);
    return post->case_id;
}

static const char *look(struct post *post)
{
    struct fx_collected got;
    fx_run(post->fx, post->case_id, &got);
    assert_ok(got.status);
    return got.result->class_id;
}

static enum lb_code refused(struct post *post)
{
    struct fx_collected got;
    fx_run(post->fx, post->case_id, &got);
    return lb_status_code(got.status);
}

/* As if the last look had been so long ago. */
static void later(struct post *post, int64_t seconds)
{
    struct lb_window_case *entry = NULL;
    assert_ok(lb_window_hold(post->fx->window, post->case_id, &entry));
    (void)pthread_mutex_lock(&entry->lock);
    entry->look.begun_unix_s -= seconds;
    entry->look.asked_unix_s -= seconds;
    (void)pthread_mutex_unlock(&entry->lock);
    lb_window_let_go(&entry);
    post_later(post, 10);
}

static void next_month(struct post *post)
{
    later(post, 30 * 86400 + 3600);
}

static void look_for_withdrawals(struct post *post)
{
    struct lb_withdrawn *withdrawn = NULL;
    assert_ok(lb_withdrawn_new(post->fx->window, &withdrawn));
    for (int i = 0; i < 4; i++) { /* a listener may put it off */
        post->fx->list_seq++;
        assert_ok(lb_withdrawn_look(withdrawn));
    }
    lb_withdrawn_free(withdrawn);
}

static void revoke(struct post *post)
{
    post->fx->list_states[0] = 1;
    look_for_withdrawals(post);
}

static bool is_closed(struct post *post)
{
    Lianban__V1__CaseResult *result = NULL;
    return lb_status_code(lb_window_get(post->fx->window, post->case_id, post->fx->arena,
                                        &result)) == LB_CASE_UNKNOWN;
}

static void say_untrue(Lianban__V1__SealedAnswer *answer, struct lb_arena *arena)
{
    (void)arena;
    for (size_t i = 0; i < answer->n_facts; i++)
        answer->facts[i]->truth = false;
}

/* --- the signal --- */

static void a_candidate_is_signalled_and_no_more(void **state)
{
    struct post *post = *state;
    struct fixture *fx = post->fx;
    (void)watch(post);
    assert_string_equal(look(post), "CANDIDATE");
    assert_state(post, TO, "PREPARED");  /* on disk before it is sent */
    assert_int_equal(fx->num_posted, 0);
    post_restart(post);
    post_work(post);
    const Lianban__V1__Part *part = fx_read(fx, fx_posted_to(fx, FX_TAX));
    assert_int_equal(part->kind, LIANBAN__V1__PART__KIND__SIGNAL);
    assert_string_equal(part->part, TO);
    assert_string_equal(part->class_id, "CANDIDATE");
    assert_int_equal(part->n_people, 1);
    assert_int_equal(part->n_facts, 0);
    assert_string_equal(part->note, "");
    assert_int_equal(fx->num_posted, 1);
    const Lianban__V1__CaseResult *result = fx_get(fx, post->case_id);
    assert_string_equal(result->class_id, "");
    assert_int_equal(result->facts_ok, 0);
    assert_int_equal(result->n_reasons, 0);
    assert_int_equal(result->suggestion, 0); /* no record says what was found */
    assert_int_equal(fx->num_entered, 0);
}

/* Neither who is no candidate nor of whom too little is known. */
static void nobody_else_is(void **state)
{
    struct post *post = *state;
    struct fixture *fx = post->fx;
    (void)watch(post);
    fx->adapters[FX_DISABLED].change = say_untrue;
    assert_string_equal(look(post), "NONE");
    next_month(post);
    fx->adapters[FX_DISABLED].inner = "SUBJECT_MISMATCH";
    fx->adapters[FX_DISABLED].change = NULL;
    assert_string_equal(look(post), "MANUAL");
    post_work(post);
    assert_int_equal(fx->num_posted, 0);
    assert_int_equal(fx_get(fx, post->case_id)->n_parts, 0);
    assert_int_equal(fx->num_entered, 0);
}

/* --- once --- */

static void a_look_is_made_once_in_the_interval(void **state)
{
    struct post *post = *state;
    struct fixture *fx = post->fx;
    struct fx_adapter *police = &fx->adapters[FX_POLICE];
    (void)watch(post);
    (void)look(post);
    assert_int_equal(refused(post), LB_EVENT_TOO_SOON);
    post_restart(post);
    assert_int_equal(refused(post), LB_EVENT_TOO_SOON);
    later(post, 30 * 86400);
    assert_int_equal(refused(post), LB_EVENT_TOO_SOON); /* departments count from their answer */
    assert_int_equal(police->num_asked, 1);
    later(post, 3600);
    (void)look(post);
    assert_int_equal(police->num_asked, 2);
    assert_memory_not_equal(police->asked[0].rid, police->asked[1].rid, 16);
}

/* The same reads, and a use no more. */
static void what_was_cut_short_goes_on(void **state)
{
    struct post *post = *state;
    struct fixture *fx = post->fx;
    struct fx_adapter *police = &fx->adapters[FX_POLICE];
    (void)watch(post);
    fx->adapters[FX_DISABLED].down = true;
    assert_string_equal(look(post), "MANUAL");
    post_restart(post);
    fx->adapters[FX_DISABLED].down = false;
    assert_string_equal(look(post), "CANDIDATE");
    assert_int_equal(police->num_asked, 1);
    assert_int_equal(refused(post), LB_EVENT_TOO_SOON);
    next_month(post);
    fx->adapters[FX_DISABLED].down = true;
    assert_string_equal(look(post), "MANUAL");
    later(post, 86400); /* departments would not answer it any more */
    assert_int_equal(refused(post), LB_EVENT_TOO_SOON);
}

/* It dies when the signal is on disk and the case is not. */
static void one_look_makes_one_signal(void **state)
{
    struct post *post = *state;
    struct fixture *fx = post->fx;
    (void)watch(post);
    fx->adapters[FX_DISABLED].down = true;
    assert_string_equal(look(post), "MANUAL");
    fx_change_store(fx, "CREATE TABLE kept AS SELECT * FROM cases");
    post_restart(post);
    fx->adapters[FX_DISABLED].down = false;
    assert_string_equal(look(post), "CANDIDATE");
    fx_change_store(fx, "REPLACE INTO cases SELECT * FROM kept; DROP TABLE kept");
    post_restart(post);
    assert_string_equal(look(post), "CANDIDATE");
    post_work(post);
    assert_int_equal(fx_get(fx, post->case_id)->n_parts, 1);
    assert_int_equal(fx->num_posted, 1);
}

static void another_follows_when_nobody_was_reached(void **state)
{
    struct post *post = *state;
    struct fixture *fx = post->fx;
    (void)watch(post);
    (void)look(post);
    post_work(post);
    post_deliver(post, FX_TAX);
    next_month(post);
    assert_string_equal(look(post), "CANDIDATE");
    assert_int_equal(fx_get(fx, post->case_id)->n_parts, 1); /* it still has the first before it */
    Lianban__V1__Word word = LIANBAN__V1__WORD__INIT;
    word.about = post_part(post, TO)->name;
    word.number = 1;
    word.kind = LIANBAN__V1__WORD__KIND__NOT_REACHED;
    post_tell(post, 0, fx_word(fx, FX_TAX, &word, 7));
    assert_string_equal(fx->taken_code, "DELIVERED");
    assert_state(post, TO, "DECIDED");
    next_month(post);
    assert_string_equal(look(post), "CANDIDATE");
    assert_int_equal(fx_get(fx, post->case_id)->n_parts, 2);
}

/* --- words --- */

/* Nothing against anybody can be said of a signal, whatever a department sends. */
static void no_other_word_is_heard(void **state)
{
    struct post *post = *state;
    struct fixture *fx = post->fx;
    Lianban__V1__Word word = LIANBAN__V1__WORD__INIT;
    (void)watch(post);
    (void)look(post);
    post_work(post);
    post_deliver(post, FX_TAX);
    word.about = post_part(post, TO)->name;
    word.number = 1;
    for (int kind = LIANBAN__V1__WORD__KIND__ACCEPTED;
         kind <= LIANBAN__V1__WORD__KIND__CORRECTED; kind++) {
        word.kind = (Lianban__V1__Word__Kind)kind;
        word.outcome = kind == LIANBAN__V1__WORD__KIND__DECIDED
                           ? LIANBAN__V1__WORD__OUTCOME__REFUSED
                           : LIANBAN__V1__WORD__OUTCOME__OUTCOME_UNSPECIFIED;
        post_tell(post, 0, fx_word(fx, FX_TAX, &word, (uint8_t)(20 + kind)));
        assert_string_equal(fx->taken_code, "MALFORMED");
    }
    assert_state(post, TO, "DELIVERED");
}

/* Who has applied, or does not want to, is not looked at again. */
static void who_was_reached_is_left_alone(void **state)
{
    struct post *post = *state;
    struct fixture *fx = post->fx;
    Lianban__V1__Word word = LIANBAN__V1__WORD__INIT;
    (void)watch(post);
    (void)look(post);
    post_work(post);
    post_deliver(post, FX_TAX);
    word.about = post_part(post, TO)->name;
    word.number = 1;
    word.kind = LIANBAN__V1__WORD__KIND__CONTACTED;
    post_tell(post, 0, fx_word(fx, FX_TAX, &word, 7));
    assert_state(post, TO, "ACCEPTED");
    look_for_withdrawals(post);
    assert_false(is_closed(post));
    word.number = 2;
    word.kind = LIANBAN__V1__WORD__KIND__DECLINED;
    post_tell(post, 0, fx_word(fx, FX_TAX, &word, 8));
    assert_state(post, TO, "DECIDED");
    look_for_withdrawals(post);
    assert_true(is_closed(post));
}

/* --- the end --- */

static void a_withdrawn_grant_is_not_used_again(void **state)
{
    struct post *post = *state;
    struct fixture *fx = post->fx;
    (void)watch(post);
    (void)look(post);
    post_work(post);
    post_deliver(post, FX_TAX);
    next_month(post);
    size_t asked = fx->adapters[FX_POLICE].num_asked;
    revoke(post);
    assert_int_equal(refused(post), LB_GRANT_REVOKED);
    post_restart(post);
    assert_int_equal(refused(post), LB_GRANT_REVOKED);
    assert_int_equal(fx->adapters[FX_POLICE].num_asked, asked);
    post_work(post);
    const Lianban__V1__Part *part = fx_read(fx, fx_posted_to(fx, FX_TAX));
    assert_int_equal(part->kind, LIANBAN__V1__PART__KIND__WITHDRAWAL);
    assert_int_equal(fx->num_posted, 2);
    look_for_withdrawals(post);
    assert_false(is_closed(post)); /* the department does not have it yet */
    post_deliver(post, FX_TAX);
    look_for_withdrawals(post);
    assert_true(is_closed(post));
}

static void one_that_found_nobody_ends_at_once(void **state)
{
    struct post *post = *state;
    post->fx->adapters[FX_DISABLED].change = say_untrue;
    (void)watch(post);
    assert_string_equal(look(post), "NONE");
    revoke(post);
    assert_true(is_closed(post));
    assert_int_equal(post->fx->num_posted, 0);
    /* And one that nobody ever agreed to. */
    (void)watch(post);
    post->fx->tickets[1].refused = true;
    assert_int_equal(refused(post), LB_GRANT_REFUSED);
    post->fx->list_states[0] = 0;
    look_for_withdrawals(post);
    assert_true(is_closed(post));
}

/* --- what else a window system could ask --- */

static void nobody_acts_on_a_watch(void **state)
{
    struct post *post = *state;
    struct fixture *fx = post->fx;
    Lianban__V1__CaseParts *parts = NULL;
    Lianban__V1__ActResponse *act = NULL;
    const char *case_id = watch(post);
    fx->adapters[FX_DISABLED].down = true;
    assert_string_equal(look(post), "MANUAL");
    assert_code(post_submit(post, false, &parts), LB_CASE_STATE);
    assert_code(post_submit(post, true, &parts), LB_CASE_STATE);
    assert_code(fx_decide(fx, fx_decide_request(fx, case_id, "CANDIDATE"), &act), LB_CASE_STATE);
    assert_code(fx_add(fx, fx_fact_request(fx, case_id, "severe", "true", "A"), &act),
                LB_CASE_STATE);
    post_work(post);
    assert_int_equal(fx->num_posted, 0);
}

static void another_department_runs_its_own(void **state)
{
    const struct post *post = *state;
    const struct lb_form theirs = {.trigger = {.source = "tax", .every_days = 30}};
    const struct lb_form ours = {.trigger = {.source = "street-office", .every_days = 30}};
    assert_code(lb_look_open(post->fx->window, &theirs), LB_WRONG_REQUESTER);
    assert_ok(lb_look_open(post->fx->window, &ours));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, post_setup_watch, post_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_candidate_is_signalled_and_no_more),
        TEST(nobody_else_is),
        TEST(a_look_is_made_once_in_the_interval),
        TEST(what_was_cut_short_goes_on),
        TEST(one_look_makes_one_signal),
        TEST(another_follows_when_nobody_was_reached),
        TEST(no_other_word_is_heard),
        TEST(who_was_reached_is_left_alone),
        TEST(a_withdrawn_grant_is_not_used_again),
        TEST(one_that_found_nobody_ends_at_once),
        TEST(nobody_acts_on_a_watch),
        TEST(another_department_runs_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
