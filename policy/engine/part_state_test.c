#include "policy/engine/part_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define END LB_NUM_PART_EVENTS
#define FIRST_WORD LB_PART_SAID_ACCEPTED

static enum lb_part_state after(enum lb_part_state state, enum lb_part_event event)
{
    enum lb_part_state next = LB_PART_NONE;
    lb_status status = lb_part_next(state, event, &next);
    if (status != LB_OK)
        assert_int_equal(status->code, LB_CASE_STATE);
    return next;
}

static void goes_its_ways(void **state)
{
    (void)state;
    static const struct {
        enum lb_part_event events[10];
        enum lb_part_state end;
    } ways[] = {
        {{LB_PART_IS_HELD, LB_PART_IS_DELIVERED, LB_PART_SAID_ACCEPTED, LB_PART_SAID_DECIDED, END},
         LB_PART_DECIDED},
        {{LB_PART_IS_AWAY, LB_PART_IS_HELD, LB_PART_IS_UNSEALED, LB_PART_IS_HELD,
          LB_PART_IS_DELIVERED, END},
         LB_PART_DELIVERED},
        {{LB_PART_IS_DELIVERED, LB_PART_SAID_WANTED, LB_PART_IS_SUPPLEMENTED, LB_PART_SAID_WANTED,
          LB_PART_IS_SUPPLEMENTED, LB_PART_SAID_ACCEPTED, LB_PART_SAID_DECIDED, END},
         LB_PART_DECIDED},
        {{LB_PART_IS_REFUSED, LB_PART_IS_RETRIED, LB_PART_IS_DELIVERED, LB_PART_SAID_RETURNED, END},
         LB_PART_RETURNED},
        {{LB_PART_IS_REFUSED, LB_PART_IS_DROPPED, END}, LB_PART_WITHDRAWN},
        /* two brokers: the one's refusal comes behind, or before, the other's receipt */
        {{LB_PART_IS_DELIVERED, LB_PART_IS_REFUSED, END}, LB_PART_DELIVERED},
        {{LB_PART_IS_REFUSED, LB_PART_IS_DELIVERED, END}, LB_PART_DELIVERED},
        /* the department's word overtakes the news that it has the part */
        {{LB_PART_IS_HELD, LB_PART_SAID_ACCEPTED, LB_PART_IS_DELIVERED, LB_PART_IS_AWAY, END},
         LB_PART_ACCEPTED},
        {{LB_PART_SAID_ACCEPTED, LB_PART_SAID_WITHDRAWN, LB_PART_IS_DELIVERED, END},
         LB_PART_WITHDRAWN},
        {{LB_PART_SAID_DECIDED, LB_PART_SAID_CORRECTED, LB_PART_SAID_CORRECTED, END},
         LB_PART_DECIDED},
    };
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        enum lb_part_state at = LB_PART_PREPARED;
        for (size_t k = 0; ways[i].events[k] != END; k++)
            at = after(at, ways[i].events[k]);
        if (at != ways[i].end)
            fail_msg("way %zu ends at %s", i, lb_part_state_name(at));
    }
}

/* What is over stays over, whatever comes late. */
static void an_end_is_an_end(void **state)
{
    (void)state;
    for (unsigned from = 1; from < LB_NUM_PART_STATES; from++) {
        if (!lb_part_is_over((enum lb_part_state)from))
            continue;
        for (unsigned event = 0; event < END; event++) {
            enum lb_part_state next = after((enum lb_part_state)from, (enum lb_part_event)event);
            assert_true(next == LB_PART_NONE || next == from);
        }
    }
}

/* Once the department has it, brokers' news moves nothing; before that nothing is supplemented. */
static void news_of_the_way_come_late(void **state)
{
    (void)state;
    for (unsigned from = 1; from < LB_NUM_PART_STATES; from++) {
        enum lb_part_state at = (enum lb_part_state)from;
        for (unsigned event = 0; event <= LB_PART_IS_REFUSED; event++)
            if (lb_part_has_left(at))
                assert_int_equal(after(at, (enum lb_part_event)event), at);
        if (!lb_part_has_left(at))
            assert_int_equal(after(at, LB_PART_IS_SUPPLEMENTED), LB_PART_NONE);
        /* a person's retry is for what nobody took, so nothing is ever handed over again by it */
        assert_true(at == LB_PART_DEAD || after(at, LB_PART_IS_RETRIED) == LB_PART_NONE);
        assert_true(at == LB_PART_DEAD || after(at, LB_PART_IS_DROPPED) == LB_PART_NONE);
        for (unsigned event = FIRST_WORD; event < END; event++) {
            enum lb_part_state next = after(at, (enum lb_part_event)event);
            assert_true(next == LB_PART_NONE || lb_part_has_left(next));
        }
    }
}

static void refuses_what_there_is_not(void **state)
{
    (void)state;
    enum lb_part_state next = LB_PART_HELD;
    for (unsigned event = 0; event <= END; event++)
        assert_int_equal(after(LB_PART_NONE, (enum lb_part_event)event), LB_PART_NONE);
    assert_int_equal(after(LB_NUM_PART_STATES, LB_PART_IS_HELD), LB_PART_NONE);
    assert_int_equal(after((enum lb_part_state)-1, LB_PART_IS_HELD), LB_PART_NONE);
    assert_int_equal(after(LB_PART_HELD, (enum lb_part_event)-1), LB_PART_NONE);
    assert_int_equal(lb_status_code(lb_part_next(LB_PART_DECIDED, LB_PART_SAID_ACCEPTED, &next)),
                     LB_CASE_STATE);
    assert_int_equal(next, LB_PART_HELD); /* untouched */
}

static void has_names(void **state)
{
    (void)state;
    for (unsigned i = 1; i < LB_NUM_PART_STATES; i++) {
        enum lb_part_state at = (enum lb_part_state)i;
        assert_int_equal(lb_part_state_by_name(lb_part_state_name(at)), at);
    }
    assert_int_equal(lb_part_state_by_name(""), LB_PART_NONE);
    assert_int_equal(lb_part_state_by_name("held"), LB_PART_NONE);
    assert_string_equal(lb_part_state_name(LB_NUM_PART_STATES), "");
    assert_true(lb_part_is_due(LB_PART_PREPARED) && lb_part_is_due(LB_PART_DEAD));
    assert_true(lb_part_is_due(LB_PART_SUPPLEMENTED));
    assert_false(lb_part_is_due(LB_PART_SUPPLEMENT_WANTED) || lb_part_is_due(LB_PART_DECIDED));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_its_ways),
        cmocka_unit_test(an_end_is_an_end),
        cmocka_unit_test(news_of_the_way_come_late),
        cmocka_unit_test(refuses_what_there_is_not),
        cmocka_unit_test(has_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
