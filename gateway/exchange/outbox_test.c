#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/crypto/hash.h"
#include "gateway/exchange/outbox_fixture.h"
#include "gateway/wire/pb.h"

/* The life of a parcel at the broker: held, given, delivered or ended, told, forgotten. */

static void wait_rows(struct ofx *fx, const char *where, int64_t num)
{
    for (int i = 0; i < OFX_STEPS && ofx_rows(fx, where) != num; i++)
        (void)usleep(OFX_STEP_US);
    assert_int_equal(ofx_rows(fx, where), num);
}

static void assert_about(const Lianban__V1__ParcelReceipt *receipt,
                         const Lianban__V1__Parcel *parcel)
{
    assert_true(lb_span_eq(lb_pb_span(receipt->name), lb_pb_span(parcel->name)));
    assert_string_equal(receipt->sender, parcel->sender);
    assert_string_equal(receipt->recipient, parcel->recipient);
}

/* A receipt's entry, by the log that it shows. */
static struct lb_leaf leaf_of(const Lianban__V1__EntryProof *entry,
                              const Lianban__V1__LogProgress *log, const struct ofx_party *party,
                              struct lb_hash *out_hash)
{
    struct lb_watch watch;
    struct lb_checkpoint checkpoint;
    struct lb_leaf leaf;
    uint8_t key[LB_P256_PUBLIC_BYTES];
    (void)lb_sign_key_public(party->keys.log_key, key);
    assert_ok(lb_watch_init(&watch, lb_spiffe_log_origin(party->spiffe), key, 0, NULL));
    assert_ok(lb_watch_check(&watch, log, &checkpoint));
    assert_ok(lb_link_verify(entry, &checkpoint, &leaf, out_hash));
    lb_watch_cleanup(&watch);
    return leaf;
}

static void a_part_is_delivered_and_forgotten(void **state)
{
    struct ofx *fx = *state;
    struct ofx_link link;
    struct ofx_follow follow;
    struct lb_hash broker_hash, adapter_hash;
    Lianban__V1__Parcel *parcel = ofx_hold(fx, 1);
    assert_int_equal(ofx_rows(fx, "sealed IS NOT NULL AND ended IS NULL"), 1);
    ofx_link(fx, &link, &fx->tax);
    const Lianban__V1__RoutedParcel *given = ofx_given(&link);
    assert_non_null(given);
    assert_int_equal(given->parcel->expires_unix_s, parcel->expires_unix_s);
    assert_ok(ofx_say(&link, parcel, "DELIVERED", true));
    assert_ok(ofx_follow(fx, &follow, &fx->street));
    const Lianban__V1__ParcelEvent *event = ofx_outcome(&follow, "DELIVERED");
    assert_non_null(event);
    assert_about(event->receipt, parcel);
    struct lb_leaf theirs =
        leaf_of(event->receipt->entry, event->receipt->log, &fx->tax, &adapter_hash);
    struct lb_leaf ours =
        leaf_of(event->broker_entry, event->broker_log, &fx->broker, &broker_hash);
    assert_string_equal(theirs.code, "DELIVERED");
    assert_string_equal(ours.code, "HANDED");
    assert_memory_equal(ours.peer_leaf, adapter_hash.bytes, 32);
    assert_memory_equal(ours.txn, parcel->name.data, 16);
    assert_int_equal(ofx_rows(fx, "sealed IS NULL AND ended IS NOT NULL AND told = 0"), 1);
    assert_ok(ofx_take(fx, &fx->street, parcel, true));
    (void)ofx_hold(fx, 2); /* with whose entry it is written down */
    assert_int_equal(ofx_rows(fx, "told = 1 AND receipt IS NULL"), 1);
    ofx_unfollow(&follow);
    ofx_unlink(&link);
}

static void the_same_again_is_answered_with_what_became_of_it(void **state)
{
    struct ofx *fx = *state;
    struct ofx_link link;
    Lianban__V1__ParcelReceipt *receipt = NULL;
    Lianban__V1__Parcel *parcel = ofx_hold(fx, 1);
    assert_ok(ofx_submit(fx, &fx->street, parcel, &receipt));
    assert_string_equal(receipt->code, "HELD");
    assert_string_equal(receipt->away, "UNAVAILABLE");
    assert_int_equal(ofx_rows(fx, "1"), 1);
    ofx_link(fx, &link, &fx->tax);
    assert_non_null(ofx_given(&link));
    assert_ok(ofx_say(&link, parcel, "DELIVERED", true));
    do
        assert_ok(ofx_submit(fx, &fx->street, parcel, &receipt));
    while (strcmp(receipt->code, "HELD") == 0);
    assert_string_equal(receipt->code, "DELIVERED");
    assert_non_null(receipt->entry);
    assert_ok(ofx_take(fx, &fx->street, parcel, true));
    assert_ok(ofx_submit(fx, &fx->street, parcel, &receipt));
    assert_string_equal(receipt->code, "DELIVERED");
    (void)ofx_hold(fx, 2);
    ofx_unlink(&link);
    ofx_stop(fx);
    ofx_start(fx);
    assert_ok(ofx_submit(fx, &fx->street, parcel, &receipt));
    assert_string_equal(receipt->code, "DELIVERED");
}

static void another_sealing_takes_the_place_of_the_one_held(void **state)
{
    struct ofx *fx = *state;
    struct ofx_link link;
    struct ofx_follow follow;
    Lianban__V1__ParcelReceipt *receipt = NULL;
    Lianban__V1__Parcel *parcel = ofx_hold(fx, 1);
    ofx_link(fx, &link, &fx->tax);
    assert_ok(ofx_follow(fx, &follow, &fx->street));
    assert_non_null(ofx_given(&link));
    assert_ok(ofx_say(&link, parcel, "KEY_RETIRED", true));
    const Lianban__V1__ParcelEvent *event = ofx_outcome(&follow, "KEY_RETIRED");
    assert_non_null(event);
    assert_about(event->receipt, parcel);
    ofx_reseal(fx, parcel);
    assert_ok(ofx_submit(fx, &fx->street, parcel, &receipt));
    assert_string_equal(receipt->code, "HELD");
    assert_int_equal(ofx_rows(fx, "1"), 1);
    const Lianban__V1__RoutedParcel *given = ofx_given(&link); /* and its entry is about it */
    assert_memory_equal(given->parcel->sealed->ciphertext.data, parcel->sealed->ciphertext.data,
                        parcel->sealed->ciphertext.len);
    assert_ok(ofx_say(&link, parcel, "DELIVERED", true));
    assert_non_null(ofx_outcome(&follow, "DELIVERED"));
    ofx_unfollow(&follow);
    ofx_unlink(&link);
}

static void a_word_goes_to_the_agent_and_its_end_to_the_adapter(void **state)
{
    struct ofx *fx = *state;
    struct ofx_link link;
    struct ofx_follow follow;
    struct lb_leaf leaf;
    struct lb_hash hash;
    Lianban__V1__Parcel *word = ofx_parcel(fx, 7, &fx->tax, &fx->street);
    Lianban__V1__ParcelBatch batch = LIANBAN__V1__PARCEL_BATCH__INIT;
    ofx_link(fx, &link, &fx->tax);
    assert_ok(ofx_word(&link, word));
    const Lianban__V1__ParcelReceipt *told = ofx_told(&link);
    assert_string_equal(told->code, "HELD");
    assert_about(told, word);
    assert_non_null(told->entry);
    assert_ok(ofx_follow(fx, &follow, &fx->street));
    Lianban__V1__FollowEvent *event = ofx_event(&follow);
    assert_int_equal(event->body_case, LIANBAN__V1__FOLLOW_EVENT__BODY_HANDED);
    leaf = leaf_of(event->handed->parcel->entry, event->handed->log, &fx->broker, &hash);
    assert_string_equal(leaf.code, "HELD");
    event = ofx_event(&follow);
    assert_int_equal(event->body_case, LIANBAN__V1__FOLLOW_EVENT__BODY_CAUGHT_UP);
    assert_ok(ofx_take(fx, &fx->street, word, false));
    do
        told = ofx_told(&link);
    while (told != NULL && strcmp(told->code, "HELD") == 0); /* that the agent was away */
    assert_non_null(told);
    assert_string_equal(told->code, "DELIVERED");
    leaf = leaf_of(told->entry, told->log, &fx->street, &hash);
    assert_memory_equal(leaf.txn, word->name.data, 16);
    assert_true(ofx_leaf(fx, "HANDED", word, &leaf));
    assert_memory_equal(leaf.peer_leaf, hash.bytes, 32);
    ofx_pass(fx, 60000); /* nobody has said that it has this */
    told = ofx_told(&link);
    assert_string_equal(told->code, "DELIVERED");
    batch.ended = &word->name;
    batch.n_ended = 1;
    assert_ok(ofx_send(&link, &batch));
    ofx_pass(fx, 60000);
    assert_true(ofx_quiet(&link));
    assert_ok(ofx_word(&link, word)); /* late: answered, and not delivered twice */
    told = ofx_told(&link);
    assert_string_equal(told->code, "DELIVERED");
    ofx_unfollow(&follow);
    ofx_unlink(&link);
}

static void who_is_away_is_waited_for(void **state)
{
    struct ofx *fx = *state;
    struct ofx_link link;
    struct ofx_follow follow;
    Lianban__V1__Parcel *parcel = ofx_hold(fx, 1);
    assert_ok(ofx_follow(fx, &follow, &fx->street));
    const Lianban__V1__ParcelEvent *event = ofx_outcome(&follow, "HELD");
    assert_string_equal(event->receipt->away, "UNAVAILABLE");
    assert_true(event->receipt->next_try_unix_s > 0);
    ofx_link(fx, &link, &fx->tax);
    assert_non_null(ofx_given(&link)); /* at once, whatever its turn */
    assert_ok(ofx_say(&link, parcel, "INTAKE_FULL", false));
    do
        event = ofx_outcome(&follow, "HELD");
    while (event != NULL && strcmp(event->receipt->away, "INTAKE_FULL") != 0);
    assert_non_null(event);
    assert_true(event->receipt->next_try_unix_s >= ofx_now_s(fx));
    assert_true(ofx_quiet(&link));
    ofx_pass(fx, 300000);
    assert_non_null(ofx_given(&link));
    ofx_pass(fx, 31000); /* it does not answer */
    assert_non_null(ofx_given(&link));
    ofx_unlink(&link);
    ofx_link(fx, &link, &fx->tax); /* and a new link gets it anew */
    assert_non_null(ofx_given(&link));
    assert_ok(ofx_say(&link, parcel, "DELIVERED", true));
    assert_non_null(ofx_outcome(&follow, "DELIVERED"));
    ofx_unfollow(&follow);
    ofx_unlink(&link);
}

static void a_refusal_for_good_is_an_end(void **state)
{
    struct ofx *fx = *state;
    struct ofx_link link;
    struct ofx_follow follow;
    struct lb_leaf leaf;
    Lianban__V1__Parcel *parcel = ofx_hold(fx, 1);
    ofx_link(fx, &link, &fx->tax);
    assert_non_null(ofx_given(&link));
    assert_ok(ofx_say(&link, parcel, "INTAKE_CLOSED", true));
    assert_ok(ofx_follow(fx, &follow, &fx->street));
    const Lianban__V1__ParcelEvent *event = ofx_outcome(&follow, "INTAKE_CLOSED");
    assert_non_null(event->receipt->entry);
    assert_true(ofx_leaf(fx, "ENDED_INTAKE_CLOSED", parcel, &leaf));
    ofx_unfollow(&follow);
    assert_ok(ofx_follow(fx, &follow, &fx->street)); /* until it is taken */
    assert_non_null(ofx_outcome(&follow, "INTAKE_CLOSED"));
    assert_ok(ofx_take(fx, &fx->street, parcel, true));
    ofx_unfollow(&follow);
    assert_ok(ofx_follow(fx, &follow, &fx->street));
    assert_int_equal(ofx_event(&follow)->body_case, LIANBAN__V1__FOLLOW_EVENT__BODY_CAUGHT_UP);
    ofx_unfollow(&follow);
    ofx_unlink(&link);
}

static void what_is_past_its_end_is_told_by_the_broker(void **state)
{
    struct ofx *fx = *state;
    struct ofx_follow follow;
    struct lb_leaf leaf;
    struct lb_hash hash;
    Lianban__V1__ParcelReceipt *receipt = NULL;
    Lianban__V1__Parcel *parcel = ofx_hold(fx, 1);
    assert_ok(ofx_follow(fx, &follow, &fx->street));
    ofx_pass(fx, 3599000);
    assert_non_null(ofx_outcome(&follow, "HELD"));
    ofx_pass(fx, 1000);
    const Lianban__V1__ParcelEvent *event = ofx_outcome(&follow, "PARCEL_EXPIRED");
    leaf = leaf_of(event->receipt->entry, event->receipt->log, &fx->broker, &hash);
    assert_string_equal(leaf.code, "ENDED_PARCEL_EXPIRED");
    assert_int_equal(ofx_rows(fx, "sealed IS NOT NULL"), 0);
    assert_ok(ofx_submit(fx, &fx->street, parcel, &receipt)); /* asking is not too late */
    assert_string_equal(receipt->code, "PARCEL_EXPIRED");
    ofx_unfollow(&follow);
}

static void names_are_forgotten_a_day_after_their_end(void **state)
{
    struct ofx *fx = *state;
    Lianban__V1__Parcel *parcel = ofx_hold(fx, 1);
    ofx_pass(fx, 3601000);
    wait_rows(fx, "ended IS NOT NULL", 1);
    struct ofx_follow follow;
    assert_ok(ofx_follow(fx, &follow, &fx->street));
    assert_non_null(ofx_outcome(&follow, "PARCEL_EXPIRED"));
    assert_ok(ofx_take(fx, &fx->street, parcel, true));
    ofx_unfollow(&follow);
    (void)ofx_hold(fx, 2);
    assert_int_equal(ofx_rows(fx, "told = 1"), 1);
    ofx_pass(fx, 86400000);
    (void)ofx_hold(fx, 3);
    assert_int_equal(ofx_rows(fx, "told = 1"), 0);
}

static void everything_is_there_after_a_restart(void **state)
{
    struct ofx *fx = *state;
    struct ofx_link link;
    struct ofx_follow follow;
    Lianban__V1__Parcel *first = ofx_hold(fx, 1), *second = ofx_hold(fx, 2);
    ofx_link(fx, &link, &fx->tax);
    assert_non_null(ofx_given(&link));
    assert_ok(ofx_say(&link, first, "DELIVERED", true));
    wait_rows(fx, "ended IS NOT NULL", 1);
    ofx_unlink(&link);
    ofx_stop(fx);
    ofx_start(fx);
    assert_ok(ofx_follow(fx, &follow, &fx->street));
    const Lianban__V1__ParcelEvent *event = ofx_outcome(&follow, "DELIVERED");
    assert_about(event->receipt, first);
    ofx_link(fx, &link, &fx->tax);
    const Lianban__V1__RoutedParcel *given = ofx_given(&link);
    assert_memory_equal(given->parcel->name.data, second->name.data, 16);
    assert_ok(ofx_say(&link, second, "DELIVERED", true));
    assert_non_null(ofx_outcome(&follow, "DELIVERED"));
    ofx_unfollow(&follow);
    ofx_unlink(&link);
}

static void a_newer_follow_ends_the_older(void **state)
{
    struct ofx *fx = *state;
    struct ofx_follow first, second;
    assert_ok(ofx_follow(fx, &first, &fx->street));
    assert_int_equal(ofx_event(&first)->body_case, LIANBAN__V1__FOLLOW_EVENT__BODY_CAUGHT_UP);
    assert_ok(ofx_follow(fx, &second, &fx->street));
    assert_code(lb_status_code(first.ended), LB_CANCELLED);
    ofx_unfollow(&first);
    Lianban__V1__Parcel *parcel = ofx_hold(fx, 1);
    ofx_pass(fx, 3601000);
    assert_about(ofx_outcome(&second, "PARCEL_EXPIRED")->receipt, parcel);
    lb_outbox_leave(fx->outbox);
    assert_code(lb_status_code(second.ended), LB_STOPPING);
    assert_code(lb_status_code(ofx_follow(fx, &first, &fx->hall)), LB_STOPPING);
    ofx_unfollow(&second);
}

static void the_operator_sees_who_is_waited_for(void **state)
{
    struct ofx *fx = *state;
    struct lb_outbox_party parties[8];
    struct lb_outbox_held held[2];
    struct ofx_follow follow;
    Lianban__V1__Parcel *parcel = ofx_hold(fx, 1);
    ofx_pass(fx, 1800000);
    (void)ofx_hold(fx, 2);
    assert_ok(ofx_follow(fx, &follow, &fx->street));
    assert_non_null(ofx_outcome(&follow, "HELD")); /* it was tried in vain */
    assert_int_equal(lb_outbox_parties(fx->outbox, parties, 8), 2);
    size_t tax = strcmp(parties[0].party, OFX_TAX) == 0 ? 0 : 1;
    assert_string_equal(parties[tax].party, OFX_TAX);
    assert_int_equal(parties[tax].num_waiting, 2);
    assert_int_equal(parties[tax].oldest_unix_s, ofx_now_s(fx) - 1800);
    assert_code(parties[tax].code, LB_UNAVAILABLE);
    ofx_pass(fx, 1801000);
    assert_about(ofx_outcome(&follow, "PARCEL_EXPIRED")->receipt, parcel);
    assert_int_equal(lb_outbox_parties(fx->outbox, parties, 8), 2);
    assert_int_equal(parties[tax].num_waiting, 1);
    assert_int_equal(parties[1 - tax].num_untold, 1);
    assert_int_equal(lb_outbox_list(fx->outbox, held, 2), 2);
    assert_memory_equal(held[0].name, parcel->name.data, 16);
    assert_true(held[0].over && !held[0].delivered);
    assert_code(held[0].code, LB_PARCEL_EXPIRED);
    assert_true(!held[1].over && held[1].since_unix_s > held[0].since_unix_s);
    assert_string_equal(held[1].sender, OFX_STREET);
    ofx_unfollow(&follow);
    ofx_stop(fx);
    fx->limits = (struct lb_outbox_limits){.parcels = 4, .of_sender = 2, .for_recipient = 5,
                                           .bytes = 1000000, .bytes_of_sender = 1000000,
                                           .bytes_for_recipient = 1000000, .remembered = 1000};
    ofx_start(fx);
    assert_int_equal(lb_outbox_percent(fx->outbox), 100);
}

static void two_brokers_hold_one_parcel(void **state)
{
    /* The adapter took it in the other broker's sealing: it has its entry about that one alone. */
    struct ofx *fx = *state;
    struct ofx_link link;
    struct ofx_follow follow;
    Lianban__V1__Parcel *parcel = ofx_hold(fx, 1);
    Lianban__V1__Parcel other = *parcel;
    Lianban__V1__Sealed sealed = *parcel->sealed;
    other.sealed = &sealed;
    ofx_reseal(fx, &other);
    ofx_link(fx, &link, &fx->tax);
    assert_non_null(ofx_given(&link));
    assert_ok(ofx_say(&link, &other, "DELIVERED", true));
    assert_ok(ofx_follow(fx, &follow, &fx->street));
    assert_about(ofx_outcome(&follow, "DELIVERED")->receipt, parcel);
    ofx_unfollow(&follow);
    ofx_unlink(&link);
}

int main(void)
{
#define EACH(test_) cmocka_unit_test_setup_teardown(test_, ofx_setup, ofx_teardown)
    const struct CMUnitTest tests[] = {
        EACH(a_part_is_delivered_and_forgotten),
        EACH(the_same_again_is_answered_with_what_became_of_it),
        EACH(another_sealing_takes_the_place_of_the_one_held),
        EACH(a_word_goes_to_the_agent_and_its_end_to_the_adapter),
        EACH(who_is_away_is_waited_for),
        EACH(a_refusal_for_good_is_an_end),
        EACH(what_is_past_its_end_is_told_by_the_broker),
        EACH(names_are_forgotten_a_day_after_their_end),
        EACH(everything_is_there_after_a_restart),
        EACH(a_newer_follow_ends_the_older),
        EACH(the_operator_sees_who_is_waited_for),
        EACH(two_brokers_hold_one_parcel),
    };
    return cmocka_run_group_tests(tests, ofx_open, ofx_close);
}
