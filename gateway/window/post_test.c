#include <string.h>

#include "gateway/window/post_steps.h"
#include "gateway/wire/pb.h"

/* Brokers that lie, lose, repeat and mix up what became of parcels. */

static void tell_receipt(struct post *post, Lianban__V1__ParcelReceipt *receipt)
{
    post_tell(post, 0, fx_news(post->fx, receipt));
}

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
    struct post *post = *state;
    struct fixture *fx = post->fx;
    post_begin(post);
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        post_tell(post, 0, lies[i](fx));
        const Lianban__V1__CasePart *part = post_part(post, "register");
        assert_string_equal(part->state, "DEAD"); /* no other broker is left: somebody looks */
        assert_string_equal(part->code, "RECEIPT_INVALID");
        assert_int_equal(fx->num_ended, 0);
    }
    tell_receipt(post, fx_receipt(fx, fx_posted_to(fx, FX_POLICE), "DELIVERED"));
    assert_string_equal(post_part(post, "register")->state, "DELIVERED");
    assert_int_equal(fx->num_ended, 1);
}

static void news_of_others_parcels_is_dropped(void **state)
{
    struct post *post = *state;
    struct fixture *fx = post->fx;
    post_begin(post);
    Lianban__V1__ParcelReceipt *receipt = fx_receipt(fx, fx_posted_to(fx, FX_POLICE), "DELIVERED");
    receipt->sender = (char *)(uintptr_t)FX_BROKER;
    tell_receipt(post, receipt);
    receipt->sender = (char *)(uintptr_t)FX_WINDOW;
    receipt->recipient = fx->adapters[FX_TAX].spiffe;
    tell_receipt(post, receipt);
    receipt->recipient = fx->adapters[FX_POLICE].spiffe;
    receipt->code = (char *)(uintptr_t) "LOVELY";
    tell_receipt(post, receipt);
    assert_string_equal(post_part(post, "register")->state, "HELD");
    assert_int_equal(fx->num_ended, 0);
    uint8_t unknown[16] = {7};
    receipt->name = lb_pb_bytes(lb_span_of(unknown, 16));
    tell_receipt(post, receipt); /* of a case that is over: forget it */
    assert_int_equal(fx->num_ended, 1);
}

static void late_and_repeated_news_changes_nothing(void **state)
{
    struct post *post = *state;
    struct fixture *fx = post->fx;
    post_begin(post);
    const struct fx_posted *posted = fx_posted_to(fx, FX_POLICE);
    Lianban__V1__ParcelReceipt *delivered = fx_receipt(fx, posted, "DELIVERED");
    tell_receipt(post, delivered);
    tell_receipt(post, delivered);
    tell_receipt(post, fx_receipt(fx, posted, "PARCEL_EXPIRED"));
    tell_receipt(post, fx_receipt(fx, posted, "KEY_RETIRED"));
    tell_receipt(post, fx_receipt(fx, posted, "HELD"));
    assert_string_equal(post_part(post, "register")->state, "DELIVERED");
    assert_int_equal(fx->num_posted, 2);
}

/* A retired key asks for another sealing of the same; a receipt for either counts. */
static void sealed_anew_under_the_same_name(void **state)
{
    struct post *post = *state;
    struct fixture *fx = post->fx;
    post_begin(post);
    const struct fx_posted *first = fx_posted_to(fx, FX_POLICE);
    tell_receipt(post, fx_receipt(fx, first, "KEY_RETIRED"));
    assert_string_equal(post_part(post, "register")->state, "PREPARED");
    fx->clock.now_unix_ms += 61000;
    post_work(post);
    const struct fx_posted *second = fx_posted_to(fx, FX_POLICE);
    assert_ptr_not_equal(first, second);
    assert_memory_equal(first->name, second->name, 16);
    assert_memory_not_equal(first->sha256, second->sha256, 32);
    assert_string_equal(fx_read(fx, second)->operator_token, fx_read(fx, first)->operator_token);
    tell_receipt(post, fx_receipt(fx, first, "DELIVERED"));
    assert_string_equal(post_part(post, "register")->state, "DELIVERED");
}

static void what_a_broker_held_goes_through_the_other(void **state)
{
    struct post *post = *state;
    struct fixture *fx = post->fx;
    post_begin(post);
    assert_int_equal(fx_posted_to(fx, FX_POLICE)->broker, 0);
    fx->hubs[0].dead = true;
    fx->clock.now_unix_ms += 61000;
    post_work(post); /* asked again, it is found gone */
    post_work(post);
    const struct fx_posted *posted = fx_posted_to(fx, FX_POLICE);
    assert_int_equal(posted->broker, 1);
    post_tell(post, 1, fx_news(fx, fx_receipt(fx, posted, "DELIVERED")));
    assert_string_equal(post_part(post, "register")->state, "DELIVERED");
    fx->hubs[0].dead = false;
    post_tell(post, 0, fx_news(fx, fx_receipt(fx, posted, "INTAKE_CLOSED")));
    assert_string_equal(post_part(post, "register")->state, "DELIVERED");
}

static void one_brokers_refusal_is_not_the_departments(void **state)
{
    struct post *post = *state;
    struct fixture *fx = post->fx;
    post_begin(post);
    Lianban__V1__ParcelReceipt *refusal =
        fx_receipt(fx, fx_posted_to(fx, FX_POLICE), "INTAKE_CLOSED");
    refusal->entry = NULL;
    tell_receipt(post, refusal);
    post_work(post);
    assert_int_equal(fx_posted_to(fx, FX_POLICE)->broker, 1);
    assert_string_equal(post_part(post, "register")->state, "HELD");
    post_tell(post, 1, fx_news(fx, fx_receipt(fx, fx_posted_to(fx, FX_POLICE), "INTAKE_CLOSED")));
    assert_string_equal(post_part(post, "register")->state, "DEAD"); /* by its own entry */
    assert_string_equal(post_part(post, "register")->code, "INTAKE_CLOSED");
}

/* Who says HELD and keeps nothing is found out by asking the other now and then. */
static void who_only_says_that_it_holds(void **state)
{
    struct post *post = *state;
    struct fixture *fx = post->fx;
    post_begin(post);
    bool other = false;
    for (int i = 0; i < 8; i++) {
        fx->clock.now_unix_ms += 901000;
        post_work(post);
        other = other || fx_posted_to(fx, FX_POLICE)->broker == 1;
    }
    assert_true(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_receipt_that_does_not_hold_delivers_nothing,
                                        post_setup, post_teardown),
        cmocka_unit_test_setup_teardown(news_of_others_parcels_is_dropped,
                                        post_setup, post_teardown),
        cmocka_unit_test_setup_teardown(late_and_repeated_news_changes_nothing,
                                        post_setup, post_teardown),
        cmocka_unit_test_setup_teardown(sealed_anew_under_the_same_name, post_setup, post_teardown),
        cmocka_unit_test_setup_teardown(what_a_broker_held_goes_through_the_other,
                                        post_setup_two, post_teardown),
        cmocka_unit_test_setup_teardown(one_brokers_refusal_is_not_the_departments,
                                        post_setup_two, post_teardown),
        cmocka_unit_test_setup_teardown(who_only_says_that_it_holds, post_setup_two, post_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
