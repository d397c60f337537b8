#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/services/local_access.h"

#define HEX "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static const uint8_t secret[LB_LOCAL_SECRET_BYTES] = {
    0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
    16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
};

static enum lb_code code_of(const char *header)
{
    return lb_status_code(lb_local_access_check(secret, lb_span_str(header)));
}

static void the_secret_passes(void **state)
{
    (void)state;
    assert_int_equal(code_of("Bearer " HEX), LB_CODE_OK);
}

static void nothing_else_passes(void **state)
{
    static const char *const headers[] = {
        "", "Bearer", "Bearer ", HEX, "bearer " HEX, "Bearer  " HEX, "Bearer " HEX " ",
        "Bearer " HEX "0", "Basic " HEX, "Bearer\t" HEX,
        "Bearer 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e",
        "Bearer 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1e",
        "Bearer 100102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "Bearer 0001020304050607x8090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "Bearer 0000000000000000000000000000000000000000000000000000000000000000",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
        assert_int_equal(code_of(headers[i]), LB_AGENT_SECRET_WRONG);
}

static lb_status ask_rpc(const struct lb_rpc_metadata *metadata, size_t num)
{
    const struct lb_rpc_call_info info = {.metadata = metadata, .num_metadata = num};
    return lb_local_access_admit_rpc((void *)(uintptr_t)secret, &info);
}

static void a_call_shows_it_once(void **state)
{
    const struct lb_rpc_metadata good[] = {{"authorization", lb_span_str("Bearer " HEX)},
                                           {"authorization", lb_span_str("Bearer " HEX)}};
    const struct lb_rpc_metadata other[] = {{"Authorization", lb_span_str("Bearer " HEX)},
                                            {"lianban-operator", lb_span_str("Bearer " HEX)}};
    (void)state;
    assert_true(ask_rpc(good, 1) == LB_OK);
    assert_int_equal(lb_status_code(ask_rpc(good, 2)), LB_AGENT_SECRET_WRONG);
    assert_int_equal(lb_status_code(ask_rpc(other, 2)), LB_AGENT_SECRET_WRONG);
    assert_int_equal(lb_status_code(ask_rpc(NULL, 0)), LB_AGENT_SECRET_WRONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_secret_passes),
        cmocka_unit_test(nothing_else_passes),
        cmocka_unit_test(a_call_shows_it_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
