#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/trace.h"

#define GOOD "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

static void test_the_example_of_the_recommendation(void **state)
{
    struct lb_trace trace;
    char text[LB_TRACE_BYTES];
    (void)state;
    assert_true(lb_trace_parse(lb_span_str(GOOD), &trace));
    assert_string_equal(trace.id, "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_string_equal(trace.span, "00f067aa0ba902b7");
    assert_true(trace.sampled);
    lb_trace_format(&trace, text);
    assert_string_equal(text, GOOD);
}

static void test_what_is_not_taken(void **state)
{
    static const char *const bad[] = {
        "",
        "00",
        "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-11",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
        "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
        "00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7_01",
        " 0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        /* a person's number, made to fit */
        "00-00000000000000990000196001010013-00f067aa0ba902b7-01",
    };
    struct lb_trace trace, other;
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(lb_trace_parse(lb_span_str(bad[i]), &trace));
        lb_trace_take(lb_span_str(bad[i]), &trace);
        lb_trace_take(lb_span_str(bad[i]), &other);
        assert_false(trace.sampled);
        assert_string_not_equal(trace.id, other.id);
    }
    assert_false(lb_trace_parse(LB_SPAN_EMPTY, &trace));
    assert_false(lb_trace_parse(lb_span_of(GOOD "\0", sizeof(GOOD)), &trace));
}

static void test_a_new_one_is_one(void **state)
{
    struct lb_trace trace, again;
    char text[LB_TRACE_BYTES];
    (void)state;
    for (int i = 0; i < 1000; i++) {
        lb_trace_begin(&trace);
        lb_trace_format(&trace, text);
        assert_true(lb_trace_parse(lb_span_str(text), &again));
        assert_string_equal(trace.id, again.id);
        assert_string_equal(trace.span, again.span);
        assert_false(again.sampled);
    }
}

static void test_steps(void **state)
{
    const struct lb_trace none = {.sampled = true};
    struct lb_trace trace, next;
    char text[LB_TRACE_BYTES];
    (void)state;
    assert_true(lb_trace_parse(lb_span_str(GOOD), &trace));
    lb_trace_step(&trace, &next);
    assert_string_equal(next.id, trace.id);
    assert_string_not_equal(next.span, trace.span);
    assert_true(next.sampled);
    lb_trace_step(&none, &next);
    assert_string_equal(next.id, "");
    lb_trace_format(&next, text);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_example_of_the_recommendation),
        cmocka_unit_test(test_what_is_not_taken),
        cmocka_unit_test(test_a_new_one_is_one),
        cmocka_unit_test(test_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
