#include <stdio.h>
#include <string.h>

#include "gateway/window/fixture.h"

/* Entries that are well proved, well linked, and say something false about the read. */

static void other_txn(struct lb_leaf *leaf)
{
    leaf->txn[0] ^= 1;
}

static void other_request(struct lb_leaf *leaf)
{
    leaf->request_hash[0] ^= 1;
}

static void other_answer_hash(struct lb_leaf *leaf)
{
    leaf->answer_hash[0] ^= 1;
}

static void other_views(struct lb_leaf *leaf)
{
    leaf->views[0] ^= 1;
}

static void other_code(struct lb_leaf *leaf)
{
    memcpy(leaf->code, "DEADLINE", sizeof("DEADLINE"));
}

static void other_type(struct lb_leaf *leaf)
{
    leaf->type = LB_LEAF_FAILURE;
}

static const struct falsehood {
    enum lb_leaf_type type;
    void (*change)(struct lb_leaf *leaf);
} falsehoods[] = {
    {LB_LEAF_READ, other_txn},           {LB_LEAF_READ, other_request},
    {LB_LEAF_READ, other_answer_hash},   {LB_LEAF_READ, other_views},
    {LB_LEAF_READ, other_code},          {LB_LEAF_READ, other_type},
    {LB_LEAF_ROUTE, other_txn},          {LB_LEAF_ROUTE, other_request},
    {LB_LEAF_ROUTE, other_views},        {LB_LEAF_ROUTE, other_type},
    {LB_LEAF_DELIVER, other_txn},        {LB_LEAF_DELIVER, other_request},
    {LB_LEAF_DELIVER, other_answer_hash}, {LB_LEAF_DELIVER, other_views},
    {LB_LEAF_DELIVER, other_code},       {LB_LEAF_DELIVER, other_type},
};

static void falsify_tax(struct fixture *fx, struct lb_leaf *leaf)
{
    const struct falsehood *falsehood = &falsehoods[fx->which];
    if (leaf->type == falsehood->type && strstr(leaf->views, "tax.") != NULL)
        falsehood->change(leaf);
}

static void false_entries(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    fx->falsify = falsify_tax;
    for (size_t i = 0; i < sizeof(falsehoods) / sizeof(falsehoods[0]); i++) {
        char what[32];
        (void)snprintf(what, sizeof(what), "falsehood %zu", i);
        const char *case_id = fx_open(fx, false);
        fx_agree(fx, case_id);
        fx->which = i;
        fx_run(fx, case_id, &got);
        fx_assert_refused(&got, what);
        assert_ok(lb_window_close_case(fx->window, case_id));
    }
}

/* A broker that plays the department: a refusal that it made up, written into its own log as the
 * department's entry, everything well linked and proved. */
static void forge_refusal(struct fixture *fx, Lianban__V1__CollectEvent *event,
                          struct lb_arena *arena)
{
    struct lb_log_entry route, read, deliver;
    if (!fx_is_tax(fx, event))
        return;
    struct lb_leaf leaf = fx_broker_leaf(fx->last_read, LB_LEAF_ROUTE, "ROUTED");
    fx_log_entry(fx, fx->broker_log, &leaf, &route);
    leaf = fx_broker_leaf(fx->last_read, LB_LEAF_READ, "GRANT_REVOKED");
    memcpy(leaf.peer_leaf, route.leaf_hash.bytes, 32);
    fx_log_entry(fx, fx->broker_log, &leaf, &read);
    leaf = fx_broker_leaf(fx->last_read, LB_LEAF_DELIVER, "GRANT_REVOKED");
    memcpy(leaf.peer_leaf, read.leaf_hash.bytes, 32);
    fx_log_entry(fx, fx->broker_log, &leaf, &deliver);
    event->code = (char *)(uintptr_t) "GRANT_REVOKED";
    event->sealed.len = 0;
    fx_log_prove(fx->broker_log, &route, arena, &event->broker_log, &event->route);
    fx_log_prove(fx->broker_log, &read, arena, &event->adapter_log, &event->adapter_entry);
    fx_log_prove(fx->broker_log, &deliver, arena, &event->broker_log, &event->deliver);
}

static void broker_plays_the_department(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    fx->tamper = forge_refusal;
    fx_run(fx, case_id, &got);
    fx_assert_refused(&got, "forged");
    fx->tamper = NULL;
    fx_run(fx, case_id, &got); /* so it was not final */
    assert_string_equal(got.result->class_id, "FULL");
}

/* A refusal that nobody recorded is no refusal. */
static void bare_refusal(struct fixture *fx, Lianban__V1__CollectEvent *event,
                         struct lb_arena *arena)
{
    (void)arena;
    if (!fx_is_tax(fx, event))
        return;
    event->code = (char *)(uintptr_t) "GRANT_REVOKED";
    event->sealed.len = 0;
    event->adapter_entry = NULL;
    event->adapter_log = NULL;
}

static void refusal_without_entry(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    fx->tamper = bare_refusal;
    fx_run(fx, case_id, &got);
    assert_string_equal(fx_fact(&got, 0, "wage12")->state, "unavailable");
    assert_string_equal(fx_fact(&got, 0, "wage12")->code, "GRANT_REVOKED");
    assert_false(fx_fact(&got, 0, "wage12")->receipt_ok);
    fx->tamper = NULL;
    fx_run(fx, case_id, &got);
    assert_string_equal(got.result->class_id, "FULL");
}

/* A broker whose log had no room for the delivery hands on the department's entry and no answer. */
static void deliver_nothing(struct fixture *fx, Lianban__V1__CollectEvent *event,
                            struct lb_arena *arena)
{
    (void)arena;
    if (!fx_is_tax(fx, event))
        return;
    event->code = (char *)(uintptr_t) "BUSY";
    event->sealed.len = 0;
    event->deliver = NULL;
}

static void delivery_that_had_to_wait(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    fx->tamper = deliver_nothing;
    fx_run(fx, case_id, &got);
    assert_string_equal(fx_fact(&got, 0, "wage12")->state, "unavailable");
    assert_string_equal(fx_fact(&got, 0, "wage12")->code, "BUSY");
    assert_false(fx_fact(&got, 0, "wage12")->receipt_ok);
    assert_int_equal(got.result->receipts_failed, 0);
    fx->tamper = NULL;
    fx_run(fx, case_id, &got);
    assert_string_equal(got.result->class_id, "FULL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(false_entries, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(broker_plays_the_department, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(refusal_without_entry, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(delivery_that_had_to_wait, fx_setup, fx_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
