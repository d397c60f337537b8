#include "gateway/evidence/checkpoint.h"
#include "gateway/evidence/test_log.h"

/* A log's key is replaced without a stop: for a while both sign. */

struct two {
    struct lb_sign_key *key;
    struct lb_note_verifier verifier;
};

static void make(struct fixture *fixture, struct two *two)
{
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    (void)fixture;
    assert_ok(lb_sign_key_generate(LB_SIGN_ED25519, &two->key));
    (void)lb_sign_key_public(two->key, raw);
    assert_ok(lb_note_verifier_init(TEST_ORIGIN, raw, &two->verifier));
}

static void drop(struct two *two)
{
    lb_sign_key_free(two->key);
    lb_note_verifier_cleanup(&two->verifier);
}

static void assert_signed(struct fixture *fixture, struct lb_log *log,
                          const struct lb_note_verifier *verifier, enum lb_code code)
{
    struct lb_log_head head;
    struct lb_checkpoint checkpoint;
    assert_ok(lb_log_head(log, fixture->arena, &head));
    assert_code(lb_checkpoint_open(head.checkpoint, verifier, &checkpoint), code);
}

/* From here on the fixture's log is opened and verified by the other key. */
static void swap_keys(struct fixture *fixture, struct two *two)
{
    struct two old = {fixture->key, fixture->verifier};
    fixture->key = two->key;
    fixture->verifier = two->verifier;
    *two = old;
}

static void both_sign_and_then_the_new_one_alone(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log_verdict verdict;
    struct two next;
    make(fixture, &next);
    struct lb_log *log = test_open(fixture);
    test_append(log, 3);
    assert_signed(fixture, log, &next.verifier, LB_SIGNATURE_INVALID);
    assert_ok(lb_log_add_key(log, next.key));
    test_append(log, 2);
    assert_signed(fixture, log, &fixture->verifier, LB_CODE_OK);
    assert_signed(fixture, log, &next.verifier, LB_CODE_OK);
    lb_log_close(log);
    assert_ok(test_verify(fixture, fixture->folder, &verdict));

    swap_keys(fixture, &next);
    assert_ok(test_verify(fixture, fixture->folder, &verdict));
    assert_int_equal(verdict.size, 5);
    log = test_open(fixture);
    test_append(log, 2);
    assert_signed(fixture, log, &fixture->verifier, LB_CODE_OK);
    assert_signed(fixture, log, &next.verifier, LB_SIGNATURE_INVALID);
    lb_log_close(log);
    assert_ok(test_verify(fixture, fixture->folder, &verdict));
    swap_keys(fixture, &next);
    test_refused(fixture, LB_LOG_FORK); /* the old one is over */
    drop(&next);
}

/* The attack: a key that the log has never heard of. */
static void another_key_does_not_open_it(void **state)
{
    struct fixture *fixture = *state;
    struct two other;
    make(fixture, &other);
    struct lb_log *log = test_open(fixture);
    test_append(log, 3);
    lb_log_close(log);
    swap_keys(fixture, &other);
    test_refused(fixture, LB_LOG_FORK);
    swap_keys(fixture, &other);
    drop(&other);
}

static void what_would_stop_the_log_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct two next;
    struct lb_sign_key *curve = NULL;
    make(fixture, &next);
    assert_ok(lb_sign_key_generate(LB_SIGN_ES256, &curve));
    struct lb_log *log = test_open(fixture);
    assert_code(lb_log_add_key(log, fixture->key), LB_CONFIG_INVALID);
    assert_code(lb_log_add_key(log, curve), LB_CONFIG_INVALID);
    assert_ok(lb_log_add_key(log, next.key));
    assert_code(lb_log_add_key(log, next.key), LB_CONFIG_INVALID);
    test_append(log, 1);
    assert_true(lb_log_healthy(log));
    lb_log_close(log);
    lb_sign_key_free(curve);
    drop(&next);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(both_sign_and_then_the_new_one_alone, test_set_up,
                                        test_tear_down),
        cmocka_unit_test_setup_teardown(another_key_does_not_open_it, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(what_would_stop_the_log_is_refused, test_set_up,
                                        test_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
