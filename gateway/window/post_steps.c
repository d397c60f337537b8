#include "gateway/window/post_steps.h"

#include <string.h>

static int begin(void **state, int (*set_up)(void **state), size_t num_brokers)
{
    struct post *post = calloc(1, sizeof(*post));
    void *fx = NULL;
    assert_non_null(post);
    assert_int_equal(set_up(&fx), 0);
    post->fx = fx;
    if (num_brokers > 1) {
        post->fx->num_brokers = num_brokers;
        fx_restart(post->fx);
    }
    assert_ok(lb_courier_make(post->fx->window, &post->courier));
    *state = post;
    return 0;
}

int post_setup(void **state)
{
    return begin(state, fx_setup, 1);
}

int post_setup_watch(void **state)
{
    return begin(state, fx_setup_watch, 1);
}

int post_setup_two(void **state)
{
    return begin(state, fx_setup, 2);
}

int post_teardown(void **state)
{
    struct post *post = *state;
    void *fx = post->fx;
    lb_courier_free(post->courier);
    free(post);
    return fx_teardown(&fx);
}

void post_restart(struct post *post)
{
    lb_courier_free(post->courier);
    fx_restart(post->fx);
    assert_ok(lb_courier_make(post->fx->window, &post->courier));
}

void post_work(struct post *post)
{
    lb_courier_work(post->courier);
}

void post_later(struct post *post, int64_t seconds)
{
    post->fx->clock.now_unix_ms += seconds * 1000;
}

const char *post_judge(struct post *post, bool family)
{
    struct fx_collected got;
    post->case_id = fx_open(post->fx, family);
    fx_agree(post->fx, post->case_id);
    fx_run(post->fx, post->case_id, &got);
    assert_string_equal(got.result->class_id, "FULL");
    return post->case_id;
}

lb_status post_submit(struct post *post, bool emergency, Lianban__V1__CaseParts **out)
{
    Lianban__V1__SubmitCaseRequest request = LIANBAN__V1__SUBMIT_CASE_REQUEST__INIT;
    request.case_id = (char *)(uintptr_t)post->case_id;
    request.emergency = emergency;
    return lb_window_submit(post->fx->window, &request, post->fx->arena, out);
}

void post_begin(struct post *post)
{
    Lianban__V1__CaseParts *parts = NULL;
    (void)post_judge(post, false);
    assert_ok(post_submit(post, false, &parts));
    post_work(post);
    assert_int_equal(post->fx->num_posted, 2);
}

const Lianban__V1__CasePart *post_part(struct post *post, const char *name)
{
    const Lianban__V1__CaseResult *result = fx_get(post->fx, post->case_id);
    const Lianban__V1__CasePart *found = NULL;
    for (size_t i = 0; i < result->n_parts; i++)
        if (strcmp(result->parts[i]->part, name) == 0)
            found = result->parts[i];
    if (found == NULL)
        fail_msg("no part %s", name);
    return found;
}

void post_tell(struct post *post, size_t broker, struct lb_span event)
{
    assert_ok(lb_courier_event(post->courier, broker, event));
    post_work(post);
}

void post_deliver(struct post *post, enum fx_department department)
{
    const struct fx_posted *posted = fx_posted_to(post->fx, department);
    post_tell(post, posted->broker,
              fx_news(post->fx, fx_receipt(post->fx, posted, "DELIVERED")));
}

Lianban__V1__Word post_word(struct post *post, uint32_t number, Lianban__V1__Word__Kind kind)
{
    Lianban__V1__Word word = LIANBAN__V1__WORD__INIT;
    word.about = post_part(post, "register")->name;
    word.number = number;
    word.kind = kind;
    word.outcome = kind == LIANBAN__V1__WORD__KIND__DECIDED
                       ? LIANBAN__V1__WORD__OUTCOME__GRANTED
                       : LIANBAN__V1__WORD__OUTCOME__OUTCOME_UNSPECIFIED;
    word.text_zh = (char *)(uintptr_t) "已受理";
    return word;
}

void post_hear(struct post *post, const Lianban__V1__Word *word, uint8_t seed, const char *answer)
{
    post->fx->taken_code[0] = 0;
    post_tell(post, 0, fx_word(post->fx, FX_POLICE, word, seed));
    assert_string_equal(post->fx->taken_code, answer);
}

void post_say(struct post *post, enum fx_department department, const char *part, uint32_t number,
              Lianban__V1__Word__Kind kind)
{
    Lianban__V1__Word word = post_word(post, number, kind);
    word.about = post_part(post, part)->name;
    word.reference = (char *)(uintptr_t) "2027-0001";
    word.until = (char *)(uintptr_t) "2027-02-01";
    post_tell(post, 0,
              fx_word(post->fx, department, &word, (uint8_t)(16 * department + number)));
    assert_string_equal(post->fx->taken_code, "DELIVERED");
}
