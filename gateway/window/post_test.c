#include <string.h>

#include "gateway/window/fixture.h"
#include "gateway/window/parts_inside.h"
#include "gateway/wire/pb.h"

/* Brokers that lie, lose, repeat and mix up, and departments that say what is not theirs to say. */

static struct lb_courier *courier;
static const char *case_id;

static int begin(void **state, size_t num_brokers)
{
    struct fx_collected got;
    Lianban__V1__SubmitCaseRequest request = LIANBAN__V1__SUBMIT_CASE_REQUEST__INIT;
    Lianban__V1__CaseParts *parts = NULL;
    if (fx_setup(state) != 0)
        return -1;
    struct fixture *fx = *state;
    fx->num_brokers = num_brokers;
    fx_restart(fx);
    assert_ok(lb_courier_make(fx->window, &courier));
    case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    fx_run(fx, case_id, &got);
    request.case_id = (char *)(uintptr_t)case_id;
    assert_ok(lb_window_submit(fx->window, &request, fx->arena, &parts));
    lb_courier_work(courier);
    assert_int_equal(fx->num_posted, 2);
    return 0;
}

static int set_up(void **state)
{
    return begin(state, 1);
}

static int set_up_two(void **state)
{
    return begin(state, 2);
}

static int tear_down(void **state)
{
    lb_courier_free(courier);
    return fx_teardown(state);
}

static const Lianban__V1__CasePart *part_of(struct fixture *fx, const char *name)
{
    const Lianban__V1__CaseResult *result = fx_get(fx, case_id);
    for (size_t i = 0; i < result->n_parts; i++)
        if (strcmp(result->parts[i]->part, name) == 0)
            return result->parts[i];
    fail_msg("no part %s", name);
    return NULL;
}

static void tell(size_t broker, struct lb_span event)
{
    assert_ok(lb_courier_event(courier, broker, event));
    lb_courier_work(courier);
}

static void tell_receipt(struct fixture *fx, Lianban__V1__ParcelReceipt *receipt)
{
    tell(0, fx_news(fx, receipt));
}

/* --- receipts --- */

static struct lb_span about_another(struct fixture *fx)
{
    Lianban__V1__ParcelReceipt *other = fx_receipt(fx, fx_posted_to(fx, FX_TAX), "DELIVERED");
    Lianban__V1__ParcelReceipt *ours = fx_receipt(fx, fx_posted_to(fx, FX_POLICE), "DELIVERED");
    ours->entry = other->entry; /* another parcel's, of another log */
    ours->log = other->log;
    return fx_news(fx, ours);
}

static struct lb_span of_what_was_not_sent(struct fixture *fx)
{
    struct fx_posted changed = *fx_posted_to(fx, FX_POLICE);
    changed.sha256[0] ^= 1;
    return fx_news(fx, fx_receipt(fx, &changed, "DELIVERED"));
}

static struct lb_span of_another_name(struct fixture *fx)
{
    struct fx_posted changed = *fx_posted_to(fx, FX_POLICE);
    changed.name[0] ^= 1;
    Lianban__V1__ParcelReceipt *receipt = fx_receipt(fx, &changed, "DELIVERED");
    receipt->name = lb_pb_bytes(lb_span_of(fx_posted_to(fx, FX_POLICE)->name, 16));
    return fx_news(fx, receipt);
}

static struct lb_span of_another_outcome(struct fixture *fx)
{
    Lianban__V1__ParcelReceipt *receipt =
        fx_receipt(fx, fx_posted_to(fx, FX_POLICE), "INTAKE_CLOSED");
    receipt->code = (char *)(uintptr_t) "DELIVERED";
    return fx_news(fx, receipt);
}

static struct lb_span without_proof(struct fixture *fx)
{
    Lianban__V1__ParcelReceipt *receipt = fx_receipt(fx, fx_posted_to(fx, FX_POLICE), "DELIVERED");
    receipt->entry = NULL;
    return fx_news(fx, receipt);
}

/* The broker itself can't say it for the department. */
static struct lb_span by_the_broker(struct fixture *fx)
{
    const struct fx_posted *posted = fx_posted_to(fx, FX_POLICE);
    Lianban__V1__ParcelReceipt *receipt = fx_receipt(fx, posted, "DELIVERED");
    struct lb_leaf leaf = {.type = LB_LEAF_PARCEL, .code = "DELIVERED", .count = 1};
    struct lb_log_entry entry;
    memcpy(leaf.txn, posted->name, 16);
    memcpy(leaf.request_hash, posted->sha256, 32);
    fx_log_entry(fx, fx->broker_log, &leaf, &entry);
    fx_log_prove(fx->broker_log, &entry, fx->arena, &receipt->log, &receipt->entry);
    return fx_news(fx, receipt);
}

static void a_receipt_that_does_not_hold_delivers_nothing(void **state)
{
    static struct lb_span (*const lies[])(struct fixture *fx) = {
        about_another, of_what_was_not_sent, of_another_name, of_another_outcome,
        without_proof, by_the_broker};
    struct fixture *fx = *state;
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        tell(0, lies[i](fx));
        const Lianban__V1__CasePart *part = part_of(fx, "register");
        assert_string_equal(part->state, "DEAD"); /* no other broker is left: somebody looks */
        assert_string_equal(part->code, "RECEIPT_INVALID");
        assert_int_equal(fx->num_ended, 0);
    }
    tell_receipt(fx, fx_receipt(fx, fx_posted_to(fx, FX_POLICE), "DELIVERED"));
    assert_string_equal(part_of(fx, "register")->state, "DELIVERED");
    assert_int_equal(fx->num_ended, 1);
}

static void news_of_others_parcels_is_dropped(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__ParcelReceipt *receipt = fx_receipt(fx, fx_posted_to(fx, FX_POLICE), "DELIVERED");
    receipt->sender = (char *)(uintptr_t)FX_BROKER;
    tell_receipt(fx, receipt);
    receipt->sender = (char *)(uintptr_t)FX_WINDOW;
    receipt->recipient = fx->adapters[FX_TAX].spiffe;
    tell_receipt(fx, receipt);
    receipt->recipient = fx->adapters[FX_POLICE].spiffe;
    receipt->code = (char *)(uintptr_t) "LOVELY";
    tell_receipt(fx, receipt);
    assert_string_equal(part_of(fx, "register")->state, "HELD");
    assert_int_equal(fx->num_ended, 0);
    uint8_t unknown[16] = {7};
    receipt->name = lb_pb_bytes(lb_span_of(unknown, 16));
    tell_receipt(fx, receipt); /* of a case that is over: forget it */
    assert_int_equal(fx->num_ended, 1);
}

static void late_and_repeated_news_changes_nothing(void **state)
{
    struct fixture *fx = *state;
    const struct fx_posted *posted = fx_posted_to(fx, FX_POLICE);
    Lianban__V1__ParcelReceipt *delivered = fx_receipt(fx, posted, "DELIVERED");
    tell_receipt(fx, delivered);
    tell_receipt(fx, delivered);
    tell_receipt(fx, fx_receipt(fx, posted, "PARCEL_EXPIRED"));
    tell_receipt(fx, fx_receipt(fx, posted, "KEY_RETIRED"));
    tell_receipt(fx, fx_receipt(fx, posted, "HELD"));
    assert_string_equal(part_of(fx, "register")->state, "DELIVERED");
    assert_int_equal(fx->num_posted, 2);
}

/* A retired key asks for another sealing of the same; a receipt for either counts. */
static void sealed_anew_under_the_same_name(void **state)
{
    struct fixture *fx = *state;
    const struct fx_posted *first = fx_posted_to(fx, FX_POLICE);
    tell_receipt(fx, fx_receipt(fx, first, "KEY_RETIRED"));
    assert_string_equal(part_of(fx, "register")->state, "PREPARED");
    fx->clock.now_unix_ms += 61000;
    lb_courier_work(courier);
    const struct fx_posted *second = fx_posted_to(fx, FX_POLICE);
    assert_ptr_not_equal(first, second);
    assert_memory_equal(first->name, second->name, 16);
    assert_memory_not_equal(first->sha256, second->sha256, 32);
    assert_string_equal(fx_read(fx, second)->operator_token, fx_read(fx, first)->operator_token);
    tell_receipt(fx, fx_receipt(fx, first, "DELIVERED"));
    assert_string_equal(part_of(fx, "register")->state, "DELIVERED");
}

/* --- two brokers --- */

static void what_a_broker_held_goes_through_the_other(void **state)
{
    struct fixture *fx = *state;
    assert_int_equal(fx_posted_to(fx, FX_POLICE)->broker, 0);
    fx->hubs[0].dead = true;
    fx->clock.now_unix_ms += 61000;
    lb_courier_work(courier); /* asked again, it is found gone */
    lb_courier_work(courier);
    const struct fx_posted *posted = fx_posted_to(fx, FX_POLICE);
    assert_int_equal(posted->broker, 1);
    tell(1, fx_news(fx, fx_receipt(fx, posted, "DELIVERED")));
    assert_string_equal(part_of(fx, "register")->state, "DELIVERED");
    fx->hubs[0].dead = false;
    tell(0, fx_news(fx, fx_receipt(fx, posted, "INTAKE_CLOSED")));
    assert_string_equal(part_of(fx, "register")->state, "DELIVERED");
}

static void one_brokers_refusal_is_not_the_departments(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__ParcelReceipt *refusal =
        fx_receipt(fx, fx_posted_to(fx, FX_POLICE), "INTAKE_CLOSED");
    refusal->entry = NULL;
    tell_receipt(fx, refusal);
    lb_courier_work(courier);
    assert_int_equal(fx_posted_to(fx, FX_POLICE)->broker, 1);
    assert_string_equal(part_of(fx, "register")->state, "HELD");
    tell(1, fx_news(fx, fx_receipt(fx, fx_posted_to(fx, FX_POLICE), "INTAKE_CLOSED")));
    assert_string_equal(part_of(fx, "register")->state, "DEAD"); /* by its own entry */
    assert_string_equal(part_of(fx, "register")->code, "INTAKE_CLOSED");
}

/* Who says HELD and keeps nothing is found out by asking the other now and then. */
static void who_only_says_that_it_holds(void **state)
{
    struct fixture *fx = *state;
    bool other = false;
    for (int i = 0; i < 8; i++) {
        fx->clock.now_unix_ms += 901000;
        lb_courier_work(courier);
        other = other || fx_posted_to(fx, FX_POLICE)->broker == 1;
    }
    assert_true(other);
}

/* --- words --- */

static Lianban__V1__Word word_of(struct fixture *fx, uint32_t number,
                                 Lianban__V1__Word__Kind kind)
{
    Lianban__V1__Word word = LIANBAN__V1__WORD__INIT;
    word.about = part_of(fx, "register")->name;
    word.number = number;
    word.kind = kind;
    word.outcome = kind == LIANBAN__V1__WORD__KIND__DECIDED
                       ? LIANBAN__V1__WORD__OUTCOME__GRANTED
                       : LIANBAN__V1__WORD__OUTCOME__OUTCOME_UNSPECIFIED;
    word.text_zh = (char *)(uintptr_t) "已受理";
    return word;
}

static void hear(struct fixture *fx, const Lianban__V1__Word *word, uint8_t seed,
                 const char *answer)
{
    fx->taken_code[0] = 0;
    tell(0, fx_word(fx, FX_POLICE, word, seed));
    assert_string_equal(fx->taken_code, answer);
}

static void words_stand_in_their_order(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__Word accepted = word_of(fx, 1, LIANBAN__V1__WORD__KIND__ACCEPTED);
    Lianban__V1__Word decided = word_of(fx, 2, LIANBAN__V1__WORD__KIND__DECIDED);
    Lianban__V1__Word wanted = word_of(fx, 3, LIANBAN__V1__WORD__KIND__SUPPLEMENT_WANTED);
    Lianban__V1__Word corrected = word_of(fx, 4, LIANBAN__V1__WORD__KIND__CORRECTED);
    corrected.outcome = LIANBAN__V1__WORD__OUTCOME__REFUSED;
    hear(fx, &decided, 2, "DELIVERED"); /* it is here, and waits for the one before it */
    assert_int_equal(part_of(fx, "register")->n_words, 0);
    assert_string_equal(part_of(fx, "register")->state, "HELD");
    hear(fx, &accepted, 1, "DELIVERED");
    assert_int_equal(part_of(fx, "register")->n_words, 2);
    assert_string_equal(part_of(fx, "register")->state, "DECIDED");
    assert_string_equal(part_of(fx, "register")->words[0]->text_zh, "已受理");
    hear(fx, &wanted, 3, "DELIVERED"); /* behind the end: kept, and moves nothing */
    assert_true(part_of(fx, "register")->words[2]->out_of_place);
    assert_string_equal(part_of(fx, "register")->state, "DECIDED");
    assert_string_equal(part_of(fx, "register")->outcome, "GRANTED");
    hear(fx, &corrected, 4, "DELIVERED"); /* stands behind what it corrects */
    assert_string_equal(part_of(fx, "register")->outcome, "REFUSED");
    assert_string_equal(part_of(fx, "register")->words[1]->outcome, "GRANTED");
}

static uint64_t log_size(struct fixture *fx)
{
    struct lb_log_head head;
    assert_ok(lb_log_head(fx->window_log, fx->arena, &head));
    return head.size;
}

static void the_same_word_is_one(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__Word word = word_of(fx, 1, LIANBAN__V1__WORD__KIND__ACCEPTED);
    hear(fx, &word, 1, "DELIVERED");
    uint64_t size = log_size(fx);
    hear(fx, &word, 1, "DELIVERED"); /* sealed anew, too */
    assert_int_equal(log_size(fx), size);
    assert_int_equal(part_of(fx, "register")->n_words, 1);
    Lianban__V1__Word other = word_of(fx, 1, LIANBAN__V1__WORD__KIND__RETURNED);
    hear(fx, &other, 1, "PARCEL_CHANGED");
    hear(fx, &other, 9, "MALFORMED"); /* its number is taken */
    assert_string_equal(part_of(fx, "register")->state, "ACCEPTED");
}

/* Said again until it is known to be here. */
static void taking_is_said_until_it_is_heard(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__Word word = word_of(fx, 1, LIANBAN__V1__WORD__KIND__ACCEPTED);
    struct lb_span event = fx_word(fx, FX_POLICE, &word, 1);
    fx->take_fails = LB_FAULT(LB_UNAVAILABLE, "test");
    tell(0, event);
    assert_int_equal(fx->num_taken, 0);
    assert_string_equal(part_of(fx, "register")->state, "ACCEPTED");
    fx->take_fails = LB_OK;
    tell(0, event);
    assert_int_equal(fx->num_taken, 1);
    assert_int_equal(part_of(fx, "register")->n_words, 1);
}

static void nobody_speaks_for_another_department(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__Word word = word_of(fx, 1, LIANBAN__V1__WORD__KIND__DECIDED);
    tell(0, fx_word(fx, FX_TAX, &word, 1));
    assert_string_equal(fx->taken_code, "MALFORMED");
    uint8_t unknown[16] = {9};
    word.about = lb_pb_bytes(lb_span_of(unknown, 16));
    hear(fx, &word, 2, "PART_UNKNOWN"); /* of no case that is followed here */
    assert_string_equal(part_of(fx, "register")->state, "HELD");
    assert_int_equal(part_of(fx, "register")->n_words, 0);
}

static void words_are_bounded(void **state)
{
    struct fixture *fx = *state;
    char *large = lb_arena_alloc(fx->arena, 2050);
    memset(large, 'a', 2049);
    Lianban__V1__Word word = word_of(fx, 0, LIANBAN__V1__WORD__KIND__ACCEPTED);
    hear(fx, &word, 1, "MALFORMED");
    word.number = LB_PARTS_MAX_WORDS + 1;
    hear(fx, &word, 2, "MALFORMED");
    word.number = 1;
    word.kind = (Lianban__V1__Word__Kind)7;
    hear(fx, &word, 3, "MALFORMED");
    word.kind = LIANBAN__V1__WORD__KIND__DECIDED; /* without an outcome */
    hear(fx, &word, 4, "MALFORMED");
    word.kind = LIANBAN__V1__WORD__KIND__ACCEPTED;
    word.text_zh = large;
    hear(fx, &word, 5, "MALFORMED");
    word.text_zh = (char *)(uintptr_t) "two\nlines";
    hear(fx, &word, 6, "MALFORMED");
    word.text_zh = (char *)(uintptr_t) "";
    word.until = (char *)(uintptr_t) "2027-02-30";
    hear(fx, &word, 7, "MALFORMED");
    word.until = (char *)(uintptr_t) "";
    word.about.len = 15;
    hear(fx, &word, 8, "MALFORMED");
    assert_int_equal(part_of(fx, "register")->n_words, 0);
}

/* The department's own receipt counts however late, and its words before that receipt do, too. */
static void a_word_overtakes_the_receipt(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__Word word = word_of(fx, 1, LIANBAN__V1__WORD__KIND__ACCEPTED);
    hear(fx, &word, 1, "DELIVERED");
    assert_string_equal(part_of(fx, "register")->state, "ACCEPTED");
    assert_code(lb_window_close_case(fx->window, case_id), LB_CASE_STATE); /* still wanted */
    tell_receipt(fx, fx_receipt(fx, fx_posted_to(fx, FX_POLICE), "DELIVERED"));
    tell_receipt(fx, fx_receipt(fx, fx_posted_to(fx, FX_TAX), "DELIVERED"));
    assert_string_equal(part_of(fx, "register")->state, "ACCEPTED");
    assert_ok(lb_window_close_case(fx->window, case_id));
}

static void rubbish_is_dropped(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__FollowEvent event = LIANBAN__V1__FOLLOW_EVENT__INIT;
    Lianban__V1__ParcelHanded handed = LIANBAN__V1__PARCEL_HANDED__INIT;
    struct lb_span bytes;
    tell(0, lb_span_str("\xff\xff\xff"));
    tell(0, LB_SPAN_EMPTY);
    event.body_case = LIANBAN__V1__FOLLOW_EVENT__BODY_HANDED;
    event.handed = &handed;
    assert_ok(lb_pb_pack(&event, fx->arena, &bytes));
    tell(0, bytes);
    Lianban__V1__ParcelEvent news = LIANBAN__V1__PARCEL_EVENT__INIT;
    event.body_case = LIANBAN__V1__FOLLOW_EVENT__BODY_EVENT;
    event.event = &news;
    assert_ok(lb_pb_pack(&event, fx->arena, &bytes));
    tell(0, bytes);
    assert_string_equal(part_of(fx, "register")->state, "HELD");
    assert_int_equal(fx->num_taken, 0);
}

int main(void)
{
#define ONE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define TWO(name) cmocka_unit_test_setup_teardown(name, set_up_two, tear_down)
    const struct CMUnitTest tests[] = {
        ONE(a_receipt_that_does_not_hold_delivers_nothing),
        ONE(news_of_others_parcels_is_dropped),
        ONE(late_and_repeated_news_changes_nothing),
        ONE(sealed_anew_under_the_same_name),
        TWO(what_a_broker_held_goes_through_the_other),
        TWO(one_brokers_refusal_is_not_the_departments),
        TWO(who_only_says_that_it_holds),
        ONE(words_stand_in_their_order),
        ONE(the_same_word_is_one),
        ONE(taking_is_said_until_it_is_heard),
        ONE(nobody_speaks_for_another_department),
        ONE(words_are_bounded),
        ONE(a_word_overtakes_the_receipt),
        ONE(rubbish_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
