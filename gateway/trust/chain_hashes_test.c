#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/trust/chain_hashes.h"

#define PEER "spiffe://t.gov/window/a"

static bool finds(const struct lb_chain_hashes *hashes, const char *spiffe, struct lb_span chain,
                  uint8_t expected)
{
    uint8_t out[32] = {0};
    bool found = lb_chain_hashes_find(hashes, spiffe, chain, out);
    if (found)
        assert_int_equal(out[0], expected);
    return found;
}

/* A chain that differs in one byte, wherever, or is longer or shorter, is another chain. */
static void test_every_byte_counts(void **state)
{
    (void)state;
    struct lb_chain_hashes *hashes = lb_chain_hashes_new();
    char chain[1500];
    const uint8_t sha256[32] = {7};
    memset(chain, 'c', sizeof(chain));
    const struct lb_span whole = lb_span_of(chain, sizeof(chain));
    assert_false(finds(hashes, PEER, whole, 7));
    lb_chain_hashes_put(hashes, PEER, whole, sha256);
    assert_true(finds(hashes, PEER, whole, 7));
    assert_false(finds(hashes, PEER, lb_span_of(chain, sizeof(chain) - 1), 7));
    assert_false(finds(hashes, PEER, LB_SPAN_EMPTY, 7));
    for (size_t i = 0; i < sizeof(chain); i++) {
        char other[sizeof(chain)];
        memcpy(other, chain, sizeof(chain));
        other[i] ^= 1;
        assert_false(finds(hashes, PEER, lb_span_of(other, sizeof(other)), 7));
    }
    lb_chain_hashes_free(hashes);
}

static void test_bounded(void **state)
{
    (void)state;
    struct lb_chain_hashes *hashes = lb_chain_hashes_new();
    static char chain[LB_CHAIN_HASH_BYTES + 1];
    const uint8_t first[32] = {1}, second[32] = {2};
    memset(chain, 'c', sizeof(chain));
    lb_chain_hashes_put(hashes, PEER, lb_span_of(chain, sizeof(chain)), first);
    assert_false(finds(hashes, PEER, lb_span_of(chain, sizeof(chain)), 1));
    lb_chain_hashes_put(hashes, PEER, lb_span_of(chain, sizeof(chain) - 1), first);
    assert_true(finds(hashes, PEER, lb_span_of(chain, sizeof(chain) - 1), 1));
    /* A renewed certificate takes its peer's place. */
    lb_chain_hashes_put(hashes, PEER, lb_span_of(chain, 900), second);
    assert_true(finds(hashes, PEER, lb_span_of(chain, 900), 2));
    assert_false(finds(hashes, PEER, lb_span_of(chain, sizeof(chain) - 1), 1));
    /* However many peers there are, there are no more places. */
    size_t num = 0;
    char name[64];
    for (int i = 0; i < 4 * LB_CHAIN_HASHES; i++) {
        (void)snprintf(name, sizeof(name), "spiffe://t.gov/window/w%d", i);
        lb_chain_hashes_put(hashes, name, lb_span_str(name), first);
    }
    for (int i = 0; i < 4 * LB_CHAIN_HASHES; i++) {
        (void)snprintf(name, sizeof(name), "spiffe://t.gov/window/w%d", i);
        num += finds(hashes, name, lb_span_str(name), 1) ? 1 : 0;
    }
    assert_true(num > LB_CHAIN_HASHES / 2 && num <= LB_CHAIN_HASHES);
    lb_chain_hashes_free(hashes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_byte_counts),
        cmocka_unit_test(test_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
