#include <string.h>

#include "gateway/window/post_steps.h"
#include "gateway/wire/pb.h"

/* Departments that say what is not theirs to say, twice, or out of order. */

static void tell_receipt(struct post *post, Lianban__V1__ParcelReceipt *receipt)
{
    post_tell(post, 0, fx_news(post->fx, receipt));
}

static void words_stand_in_their_order(void **state)
{
    struct post *post = *state;
    post_begin(post);
    Lianban__V1__Word accepted = post_word(post, 1, LIANBAN__V1__WORD__KIND__ACCEPTED);
    Lianban__V1__Word decided = post_word(post, 2, LIANBAN__V1__WORD__KIND__DECIDED);
    Lianban__V1__Word wanted = post_word(post, 3, LIANBAN__V1__WORD__KIND__SUPPLEMENT_WANTED);
    Lianban__V1__Word corrected = post_word(post, 4, LIANBAN__V1__WORD__KIND__CORRECTED);
    corrected.outcome = LIANBAN__V1__WORD__OUTCOME__REFUSED;
    post_hear(post, &decided, 2, "DELIVERED"); /* it is here, and waits for the one before it */
    assert_int_equal(post_part(post, "register")->n_words, 0);
    assert_string_equal(post_part(post, "register")->state, "HELD");
    post_hear(post, &accepted, 1, "DELIVERED");
    assert_int_equal(post_part(post, "register")->n_words, 2);
    assert_string_equal(post_part(post, "register")->state, "DECIDED");
    assert_string_equal(post_part(post, "register")->words[0]->text_zh, "已受理");
    post_hear(post, &wanted, 3, "DELIVERED"); /* behind the end: kept, and moves nothing */
    assert_true(post_part(post, "register")->words[2]->out_of_place);
    assert_string_equal(post_part(post, "register")->state, "DECIDED");
    assert_string_equal(post_part(post, "register")->outcome, "GRANTED");
    post_hear(post, &corrected, 4, "DELIVERED"); /* stands behind what it corrects */
    assert_string_equal(post_part(post, "register")->outcome, "REFUSED");
    assert_string_equal(post_part(post, "register")->words[1]->outcome, "GRANTED");
}

static uint64_t log_size(struct fixture *fx)
{
    struct lb_log_head head;
    assert_ok(lb_log_head(fx->window_log, fx->arena, &head));
    return head.size;
}

static void the_same_word_is_one(void **state)
{
    struct post *post = *state;
    struct fixture *fx = post->fx;
    post_begin(post);
    Lianban__V1__Word word = post_word(post, 1, LIANBAN__V1__WORD__KIND__ACCEPTED);
    post_hear(post, &word, 1, "DELIVERED");
    uint64_t size = log_size(fx);
    post_hear(post, &word, 1, "DELIVERED"); /* sealed anew, too */
    assert_int_equal(log_size(fx), size);
    assert_int_equal(post_part(post, "register")->n_words, 1);
    Lianban__V1__Word other = post_word(post, 1, LIANBAN__V1__WORD__KIND__RETURNED);
    post_hear(post, &other, 1, "PARCEL_CHANGED");
    post_hear(post, &other, 9, "MALFORMED"); /* its number is taken */
    assert_string_equal(post_part(post, "register")->state, "ACCEPTED");
}

/* Said again until it is known to be here. */
static void taking_is_said_until_it_is_heard(void **state)
{
    struct post *post = *state;
    struct fixture *fx = post->fx;
    post_begin(post);
    Lianban__V1__Word word = post_word(post, 1, LIANBAN__V1__WORD__KIND__ACCEPTED);
    struct lb_span event = fx_word(fx, FX_POLICE, &word, 1);
    fx->take_fails = LB_FAULT(LB_UNAVAILABLE, "test");
    post_tell(post, 0, event);
    assert_int_equal(fx->num_taken, 0);
    assert_string_equal(post_part(post, "register")->state, "ACCEPTED");
    fx->take_fails = LB_OK;
    post_tell(post, 0, event);
    assert_int_equal(fx->num_taken, 1);
    assert_int_equal(post_part(post, "register")->n_words, 1);
}

static void nobody_speaks_for_another_department(void **state)
{
    struct post *post = *state;
    struct fixture *fx = post->fx;
    post_begin(post);
    Lianban__V1__Word word = post_word(post, 1, LIANBAN__V1__WORD__KIND__DECIDED);
    post_tell(post, 0, fx_word(fx, FX_TAX, &word, 1));
    assert_string_equal(fx->taken_code, "MALFORMED");
    uint8_t unknown[16] = {9};
    word.about = lb_pb_bytes(lb_span_of(unknown, 16));
    post_hear(post, &word, 2, "PART_UNKNOWN"); /* of no case that is followed here */
    assert_string_equal(post_part(post, "register")->state, "HELD");
    assert_int_equal(post_part(post, "register")->n_words, 0);
}

static void words_are_bounded(void **state)
{
    struct post *post = *state;
    struct fixture *fx = post->fx;
    post_begin(post);
    char *large = lb_arena_alloc(fx->arena, 2050);
    memset(large, 'a', 2049);
    Lianban__V1__Word word = post_word(post, 0, LIANBAN__V1__WORD__KIND__ACCEPTED);
    post_hear(post, &word, 1, "MALFORMED");
    word.number = LB_PARTS_MAX_WORDS + 1;
    post_hear(post, &word, 2, "MALFORMED");
    word.number = 1;
    word.kind = (Lianban__V1__Word__Kind)7;
    post_hear(post, &word, 3, "MALFORMED");
    word.kind = LIANBAN__V1__WORD__KIND__DECIDED; /* without an outcome */
    post_hear(post, &word, 4, "MALFORMED");
    word.kind = LIANBAN__V1__WORD__KIND__ACCEPTED;
    word.text_zh = large;
    post_hear(post, &word, 5, "MALFORMED");
    word.text_zh = (char *)(uintptr_t) "two\nlines";
    post_hear(post, &word, 6, "MALFORMED");
    word.text_zh = (char *)(uintptr_t) "";
    word.until = (char *)(uintptr_t) "2027-02-30";
    post_hear(post, &word, 7, "MALFORMED");
    word.until = (char *)(uintptr_t) "";
    word.about.len = 15;
    post_hear(post, &word, 8, "MALFORMED");
    assert_int_equal(post_part(post, "register")->n_words, 0);
}

/* The department's own receipt counts however late, and its words before that receipt do, too. */
static void a_word_overtakes_the_receipt(void **state)
{
    struct post *post = *state;
    struct fixture *fx = post->fx;
    post_begin(post);
    Lianban__V1__Word word = post_word(post, 1, LIANBAN__V1__WORD__KIND__ACCEPTED);
    post_hear(post, &word, 1, "DELIVERED");
    assert_string_equal(post_part(post, "register")->state, "ACCEPTED");
    assert_code(lb_window_close_case(fx->window, post->case_id), LB_CASE_STATE); /* still wanted */
    tell_receipt(post, fx_receipt(fx, fx_posted_to(fx, FX_POLICE), "DELIVERED"));
    tell_receipt(post, fx_receipt(fx, fx_posted_to(fx, FX_TAX), "DELIVERED"));
    assert_string_equal(post_part(post, "register")->state, "ACCEPTED");
    assert_ok(lb_window_close_case(fx->window, post->case_id));
}

static void rubbish_is_dropped(void **state)
{
    struct post *post = *state;
    struct fixture *fx = post->fx;
    post_begin(post);
    Lianban__V1__FollowEvent event = LIANBAN__V1__FOLLOW_EVENT__INIT;
    Lianban__V1__ParcelHanded handed = LIANBAN__V1__PARCEL_HANDED__INIT;
    struct lb_span bytes;
    post_tell(post, 0, lb_span_str("\xff\xff\xff"));
    post_tell(post, 0, LB_SPAN_EMPTY);
    event.body_case = LIANBAN__V1__FOLLOW_EVENT__BODY_HANDED;
    event.handed = &handed;
    assert_ok(lb_pb_pack(&event, fx->arena, &bytes));
    post_tell(post, 0, bytes);
    Lianban__V1__ParcelEvent news = LIANBAN__V1__PARCEL_EVENT__INIT;
    event.body_case = LIANBAN__V1__FOLLOW_EVENT__BODY_EVENT;
    event.event = &news;
    assert_ok(lb_pb_pack(&event, fx->arena, &bytes));
    post_tell(post, 0, bytes);
    assert_string_equal(post_part(post, "register")->state, "HELD");
    assert_int_equal(fx->num_taken, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(words_stand_in_their_order, post_setup, post_teardown),
        cmocka_unit_test_setup_teardown(the_same_word_is_one, post_setup, post_teardown),
        cmocka_unit_test_setup_teardown(taking_is_said_until_it_is_heard,
                                        post_setup, post_teardown),
        cmocka_unit_test_setup_teardown(nobody_speaks_for_another_department,
                                        post_setup, post_teardown),
        cmocka_unit_test_setup_teardown(words_are_bounded, post_setup, post_teardown),
        cmocka_unit_test_setup_teardown(a_word_overtakes_the_receipt, post_setup, post_teardown),
        cmocka_unit_test_setup_teardown(rubbish_is_dropped, post_setup, post_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
