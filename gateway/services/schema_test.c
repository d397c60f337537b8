#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "gateway/services/schema.h"

/* The contract's own files, by name and by what is in them; and sets that are none. */

static struct lb_schema *open_contract(void)
{
    struct lb_schema *schema = NULL;
    assert_null(lb_schema_new(lb_span_of(lb_schema_contract, lb_schema_contract_len), &schema));
    return schema;
}

static void test_files_and_symbols(void **state)
{
    static const struct {
        const char *symbol, *file;
    } cases[] = {
        {"lianban.v1.Broker", "lianban/v1/broker.proto"},
        {"lianban.v1.Broker.Collect", "lianban/v1/broker.proto"},
        {"lianban.v1.Fact", "lianban/v1/read.proto"},
        {"lianban.v1.Fact.State", "lianban/v1/read.proto"},
        {"lianban.v1.Fact.as_of", "lianban/v1/read.proto"},
        {"lianban.v1.ChannelStatus.State", "lianban/v1/node.proto"},
        {"grpc.health.v1.Health.Check", "grpc/health/v1/health.proto"},
    };
    (void)state;
    struct lb_schema *schema = open_contract();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lb_span file = lb_schema_file(schema, cases[i].file);
        assert_true(file.len > 0);
        assert_ptr_equal(lb_schema_symbol(schema, cases[i].symbol).ptr, file.ptr);
    }
    lb_schema_free(schema);
}

static void test_what_is_not_there(void **state)
{
    static const char *const names[] = {
        "", ".", "..", "...", "lianban", "lianban.", "lianban.v1", "lianban.v1.", "lianban.v1..",
        "lianban.v1.Fac", "lianban.v1.Facts", "lianban.v1.Fact.", "lianban.v1.Fact.Stat",
        "lianban.v1.Fact.State.", "lianban.v1.Fact.State.OK", "lianban.v1.Fact.Fact",
        "lianban.v1.Broker.Collect.", ".lianban.v1.Fact", "lianban.v1.fact", "Fact",
        "lianban/v1/", "lianban/v1/read.prot", "/lianban/v1/read.proto", "../read.proto",
    };
    (void)state;
    static char deep[4096];
    struct lb_schema *schema = open_contract();
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_int_equal(lb_schema_symbol(schema, names[i]).len, 0);
        assert_int_equal(lb_schema_file(schema, names[i]).len, 0);
    }
    memset(deep, '.', sizeof(deep) - 1);
    assert_int_equal(lb_schema_symbol(schema, deep).len, 0);
    lb_schema_free(schema);
}

static void test_sets_that_are_none(void **state)
{
    (void)state;
    struct lb_schema *schema = NULL;
    static const uint8_t garbage[] = {0x0a, 0x02, 0xff, 0xff};
    assert_non_null(lb_schema_new(lb_span_of(garbage, sizeof(garbage)), &schema));
    for (size_t len = 1; len < 400; len += 7) {
        if (lb_schema_new(lb_span_of(lb_schema_contract, len), &schema) == LB_OK)
            lb_schema_free(schema);
    }
    assert_null(lb_schema_new(LB_SPAN_EMPTY, &schema));
    assert_int_equal(lb_schema_file(schema, "lianban/v1/read.proto").len, 0);
    lb_schema_free(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_and_symbols),
        cmocka_unit_test(test_what_is_not_there),
        cmocka_unit_test(test_sets_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
