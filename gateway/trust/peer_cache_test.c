#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/trust/peer_cache.h"

static struct lb_peer_entry entry_of(uint8_t set, uint8_t id, uint64_t generation, int64_t ms)
{
    struct lb_peer_entry entry = {
        .sha256 = {set, id},
        .generation = generation,
        .checked_monotonic_ms = ms,
        .checked_unix_s = 1000 + ms / 1000,
        .not_after_unix_s = id,
    };
    return entry;
}

static bool finds(const struct lb_peer_cache *cache, uint8_t set, uint8_t id, uint64_t generation,
                  int64_t ms)
{
    struct lb_peer_entry like = entry_of(set, id, generation, ms);
    struct lb_peer_entry out;
    bool found = lb_peer_cache_find(cache, &like, &out);
    if (found)
        assert_int_equal(out.not_after_unix_s, id);
    return found;
}

static void test_age_and_generation(void **state)
{
    (void)state;
    struct lb_peer_cache *cache = lb_peer_cache_new();
    struct lb_peer_entry entry = entry_of(7, 1, 2, 5000);
    assert_false(finds(cache, 7, 1, 2, 5000));
    lb_peer_cache_put(cache, &entry);
    assert_true(finds(cache, 7, 1, 2, 5000));
    assert_true(finds(cache, 7, 1, 2, 14999));
    assert_false(finds(cache, 7, 1, 2, 15000));
    assert_false(finds(cache, 7, 1, 2, 4999));
    assert_false(finds(cache, 7, 1, 3, 5000));
    assert_false(finds(cache, 7, 2, 2, 5000));
    assert_false(finds(cache, 8, 1, 2, 5000));
    /* The wall clock alone jumps, forwards and back. */
    struct lb_peer_entry like = entry;
    struct lb_peer_entry out;
    like.checked_unix_s = entry.checked_unix_s + 10;
    assert_false(lb_peer_cache_find(cache, &like, &out));
    like.checked_unix_s = entry.checked_unix_s - 1;
    assert_false(lb_peer_cache_find(cache, &like, &out));
    lb_peer_cache_free(cache);
}

static void test_bounded(void **state)
{
    (void)state;
    struct lb_peer_cache *cache = lb_peer_cache_new();
    for (uint8_t id = 1; id <= 5; id++) {
        struct lb_peer_entry entry = entry_of(7, id, 1, 1000 + id);
        lb_peer_cache_put(cache, &entry);
    }
    assert_false(finds(cache, 7, 1, 1, 1010));  /* the oldest made room */
    for (uint8_t id = 2; id <= 5; id++)
        assert_true(finds(cache, 7, id, 1, 1010));
    /* An older generation goes first, however fresh; the same chain takes its own place. */
    struct lb_peer_entry entry = entry_of(7, 3, 2, 1020);
    lb_peer_cache_put(cache, &entry);
    assert_true(finds(cache, 7, 3, 2, 1020));
    assert_true(finds(cache, 7, 2, 1, 1020));
    entry = entry_of(7, 9, 2, 1021);
    lb_peer_cache_put(cache, &entry);
    assert_true(finds(cache, 7, 3, 2, 1021));
    assert_false(finds(cache, 7, 2, 1, 1021));
    lb_peer_cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_age_and_generation),
        cmocka_unit_test(test_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
