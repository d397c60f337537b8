#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/base/limits.h"
#include "gateway/seal/contexts.h"

#define LIFE_MS (LB_CONTEXT_LIFE_S * INT64_C(1000))
#define START INT64_C(1790000000000)
#define MAX 3

struct world {
    struct lb_clock_fixed clock;
    struct lb_seal_contexts *contexts;
    struct lb_x25519_key recipient;
    struct lb_x25519_key sender;
    uint8_t enc[16][LB_HPKE_ENC_BYTES];
    struct lb_hpke_context theirs[16];  /* what the sender derived */
};

static struct world w;

static int begin(void **state)
{
    (void)state;
    lb_clock_fixed_init(&w.clock, START);
    bool made = lb_seal_contexts_new(MAX, &w.clock.clock, &w.contexts) == LB_OK &&
                lb_x25519_generate(&w.recipient) == LB_OK &&
                lb_x25519_generate(&w.sender) == LB_OK;
    for (size_t i = 0; made && i < 16; i++)
        made = lb_hpke_setup_sender(w.recipient.public_key, lb_span_str("info"), &w.sender,
                                    w.enc[i], &w.theirs[i]) == LB_OK;
    return made ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    lb_seal_contexts_free(w.contexts);
    return 0;
}

static enum lb_code get(size_t i)
{
    struct lb_hpke_context ours;
    lb_status status = lb_seal_contexts_get(w.contexts, &w.recipient, w.enc[i],
                                            lb_span_str("info"), w.sender.public_key, &ours);
    if (status == LB_OK)
        assert_memory_equal(&ours, &w.theirs[i], sizeof(ours));
    return lb_status_code(status);
}

static void assert_counts(size_t num_contexts, size_t num_names)
{
    size_t names = 0;
    assert_int_equal(lb_seal_contexts_count(w.contexts, &names), num_contexts);
    assert_int_equal(names, num_names);
}

/* Whether context i is held: if it is, a wrong recipient key isn't even looked at. */
static bool is_held(size_t i)
{
    struct lb_x25519_key wrong;
    struct lb_hpke_context ours;
    assert_true(lb_x25519_generate(&wrong) == LB_OK);
    assert_true(lb_seal_contexts_get(w.contexts, &wrong, w.enc[i], lb_span_str("info"),
                                     w.sender.public_key, &ours) == LB_OK);
    return memcmp(&ours, &w.theirs[i], sizeof(ours)) == 0;
}

static void a_context_is_set_up_once_and_kept(void **state)
{
    (void)state;
    assert_int_equal(get(0), LB_CODE_OK);
    assert_counts(1, 1);
    assert_int_equal(get(0), LB_CODE_OK);
    assert_counts(1, 1);
    assert_true(is_held(0));
    assert_false(is_held(1));
}

static void enc_sender_and_info_each_name_another_context(void **state)
{
    (void)state;
    struct lb_x25519_key other;
    struct lb_hpke_context ours;
    assert_true(lb_x25519_generate(&other) == LB_OK);
    assert_int_equal(get(0), LB_CODE_OK);
    assert_int_equal(get(1), LB_CODE_OK);
    assert_true(lb_seal_contexts_get(w.contexts, &w.recipient, w.enc[0], lb_span_str("info"),
                                     other.public_key, &ours) == LB_OK);
    assert_memory_not_equal(&ours, &w.theirs[0], sizeof(ours));
    assert_true(lb_seal_contexts_get(w.contexts, &w.recipient, w.enc[0], lb_span_str("inf0"),
                                     w.sender.public_key, &ours) == LB_OK);
    assert_memory_not_equal(&ours, &w.theirs[0], sizeof(ours));
    assert_counts(MAX, 4);
}

static void a_context_ends_and_is_not_set_up_again(void **state)
{
    (void)state;
    assert_int_equal(get(0), LB_CODE_OK);
    w.clock.now_monotonic_ms = START + LIFE_MS - 1;
    assert_int_equal(get(0), LB_CODE_OK);
    w.clock.now_monotonic_ms = START + LIFE_MS;
    assert_int_equal(get(0), LB_CONTEXT_UNKNOWN);
    assert_counts(0, 1);
    w.clock.now_monotonic_ms = START + 2 * LIFE_MS - 1;
    assert_int_equal(get(0), LB_CONTEXT_UNKNOWN);
    assert_int_equal(get(1), LB_CODE_OK);
    assert_counts(1, 2);
    w.clock.now_monotonic_ms = START + 2 * LIFE_MS;
    lb_seal_contexts_sweep(w.contexts);
    assert_counts(1, 1);
}

static void only_monotonic_time_counts(void **state)
{
    (void)state;
    assert_int_equal(get(0), LB_CODE_OK);
    w.clock.now_unix_ms = START + 10 * LIFE_MS;
    assert_int_equal(get(0), LB_CODE_OK);
    w.clock.now_unix_ms = START - 10 * LIFE_MS;
    w.clock.now_monotonic_ms = START + LIFE_MS;
    assert_int_equal(get(0), LB_CONTEXT_UNKNOWN);
}

static void an_idle_store_is_swept(void **state)
{
    (void)state;
    for (size_t i = 0; i < MAX; i++) {
        w.clock.now_monotonic_ms = START + (int64_t)i * 1000;
        assert_int_equal(get(i), LB_CODE_OK);
    }
    w.clock.now_monotonic_ms = START + LIFE_MS + 1000;
    lb_seal_contexts_sweep(w.contexts);
    assert_counts(1, 3);
    w.clock.now_monotonic_ms = START + 3 * LIFE_MS;
    lb_seal_contexts_sweep(w.contexts);
    assert_counts(0, 0);
}

static void the_least_recently_used_goes_first(void **state)
{
    (void)state;
    for (size_t i = 0; i < MAX; i++)
        assert_int_equal(get(i), LB_CODE_OK);
    assert_int_equal(get(0), LB_CODE_OK);
    assert_int_equal(get(3), LB_CODE_OK);
    assert_counts(MAX, 4);
    assert_true(is_held(0));
    assert_true(is_held(2));
    assert_true(is_held(3));
    assert_false(is_held(1));
}

static void pushed_out_it_returns_but_lives_no_longer(void **state)
{
    (void)state;
    assert_int_equal(get(0), LB_CODE_OK);
    w.clock.now_monotonic_ms = START + LIFE_MS / 2;
    for (size_t i = 1; i <= MAX; i++)
        assert_int_equal(get(i), LB_CODE_OK);
    assert_int_equal(get(0), LB_CODE_OK);
    w.clock.now_monotonic_ms = START + LIFE_MS;
    assert_int_equal(get(0), LB_CONTEXT_UNKNOWN);
    assert_int_equal(get(MAX), LB_CODE_OK);
}

static void names_are_bounded_and_the_oldest_is_forgotten(void **state)
{
    (void)state;
    for (size_t i = 0; i < 16; i++)
        assert_int_equal(get(i), LB_CODE_OK);
    assert_counts(MAX, 4 * MAX);
    w.clock.now_monotonic_ms = START + LIFE_MS;
    assert_int_equal(get(15), LB_CONTEXT_UNKNOWN);
    assert_int_equal(get(4), LB_CONTEXT_UNKNOWN);
    assert_counts(0, 4 * MAX);
    /* Forgotten under pressure: the caller's replay memory and age check stand behind this. */
    assert_int_equal(get(3), LB_CODE_OK);
    assert_int_equal(get(5), LB_CONTEXT_UNKNOWN);
}

static void old_contexts_in_use_end_although_others_were_forgotten(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4 * MAX; i++)
        assert_int_equal(get(i), LB_CODE_OK);
    assert_int_equal(get(4), LB_CODE_OK);
    assert_int_equal(get(5), LB_CODE_OK);
    /* Forgets 0 to make room for a name; 4 and 5 are old by birth and hold keys. */
    assert_int_equal(get(12), LB_CODE_OK);
    assert_counts(MAX, 4 * MAX);
    w.clock.now_monotonic_ms = START + LIFE_MS;
    lb_seal_contexts_sweep(w.contexts);
    assert_counts(0, 4 * MAX);
}

static void nothing_is_kept_of_a_key_of_small_order(void **state)
{
    (void)state;
    static const uint8_t zeros[LB_HPKE_ENC_BYTES];
    struct lb_hpke_context ours;
    assert_int_equal(lb_status_code(lb_seal_contexts_get(w.contexts, &w.recipient, zeros,
                                                         lb_span_str("info"), w.sender.public_key,
                                                         &ours)), LB_SEAL_BROKEN);
    assert_int_equal(lb_status_code(lb_seal_contexts_get(w.contexts, &w.recipient, w.enc[0],
                                                         lb_span_str("info"), zeros, &ours)),
                     LB_SEAL_BROKEN);
    assert_counts(0, 0);
}

static void bounds_are_checked(void **state)
{
    (void)state;
    struct lb_seal_contexts *contexts = NULL;
    assert_int_equal(lb_status_code(lb_seal_contexts_new(0, &w.clock.clock, &contexts)),
                     LB_NO_MEMORY);
    assert_int_equal(lb_status_code(lb_seal_contexts_new(SIZE_MAX, &w.clock.clock, &contexts)),
                     LB_NO_MEMORY);
    assert_null(contexts);
    lb_seal_contexts_free(NULL);
}

/* cmocka's assertions are not for other threads: count and judge afterwards. */
static void *hammer(void *arg)
{
    size_t *num_wrong = arg;
    for (size_t i = 0; i < 60; i++) {
        struct lb_hpke_context ours;
        size_t which = i % 5;
        lb_status status =
            lb_seal_contexts_get(w.contexts, &w.recipient, w.enc[which], lb_span_str("info"),
                                 w.sender.public_key, &ours);
        if (status != LB_OK || memcmp(&ours, &w.theirs[which], sizeof(ours)) != 0)
            (*num_wrong)++;
    }
    return NULL;
}

static void threads_share_the_store(void **state)
{
    (void)state;
    pthread_t threads[4];
    size_t wrong[4] = {0};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, &wrong[i]), 0);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(wrong[i], 0);
    assert_counts(MAX, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_context_is_set_up_once_and_kept, begin, end),
        cmocka_unit_test_setup_teardown(enc_sender_and_info_each_name_another_context, begin, end),
        cmocka_unit_test_setup_teardown(a_context_ends_and_is_not_set_up_again, begin, end),
        cmocka_unit_test_setup_teardown(only_monotonic_time_counts, begin, end),
        cmocka_unit_test_setup_teardown(an_idle_store_is_swept, begin, end),
        cmocka_unit_test_setup_teardown(the_least_recently_used_goes_first, begin, end),
        cmocka_unit_test_setup_teardown(pushed_out_it_returns_but_lives_no_longer, begin, end),
        cmocka_unit_test_setup_teardown(names_are_bounded_and_the_oldest_is_forgotten, begin, end),
        cmocka_unit_test_setup_teardown(old_contexts_in_use_end_although_others_were_forgotten,
                                        begin, end),
        cmocka_unit_test_setup_teardown(nothing_is_kept_of_a_key_of_small_order, begin, end),
        cmocka_unit_test_setup_teardown(bounds_are_checked, begin, end),
        cmocka_unit_test_setup_teardown(threads_share_the_store, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
