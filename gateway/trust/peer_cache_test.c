#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/trust/peer_cache.h"

/* Checked at a time, and good for a hundred seconds. */
static struct lb_peer_entry entry_of(uint8_t set, uint8_t id, uint64_t generation, int64_t at)
{
    struct lb_peer_entry entry = {
        .sha256 = {set, id},
        .generation = generation,
        .checked_unix_s = at,
        .until_unix_s = at + 100,
    };
    entry.spiffe[0] = (char)id;
    return entry;
}

static bool finds(const struct lb_peer_cache *cache, uint8_t set, uint8_t id, uint64_t generation,
                  int64_t at)
{
    struct lb_peer_entry like = entry_of(set, id, generation, at);
    struct lb_peer_entry out;
    bool found = lb_peer_cache_find(cache, &like, &out);
    if (found)
        assert_int_equal(out.spiffe[0], id);
    return found;
}

static void test_time_and_generation(void **state)
{
    (void)state;
    struct lb_peer_cache *cache = lb_peer_cache_new();
    struct lb_peer_entry entry = entry_of(7, 1, 2, 5000);
    assert_false(finds(cache, 7, 1, 2, 5000));
    lb_peer_cache_put(cache, &entry);
    assert_true(finds(cache, 7, 1, 2, 5000));
    assert_true(finds(cache, 7, 1, 2, 5099));
    assert_false(finds(cache, 7, 1, 2, 5100));
    assert_false(finds(cache, 7, 1, 2, 4999)); /* a clock that was set back */
    assert_false(finds(cache, 7, 1, 3, 5000));
    assert_false(finds(cache, 7, 2, 2, 5000));
    assert_false(finds(cache, 8, 1, 2, 5000));
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
        cmocka_unit_test(test_time_and_generation),
        cmocka_unit_test(test_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
