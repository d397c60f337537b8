#include <string.h>

#include "gateway/wire/pb.h"
#include "gateway/window/fixture.h"
#include "gateway/window/inside.h"

/* Evidence that does not hold: nothing of such an answer is used, and the rest of the case is not
 * harmed. */

static uint8_t *copy_of(ProtobufCBinaryData *bytes, struct lb_arena *arena)
{
    struct lb_span copy;
    assert_ok(lb_arena_copy(arena, lb_pb_span(*bytes), &copy));
    *bytes = lb_pb_bytes(copy);
    return bytes->data;
}

static void flip_leaf(Lianban__V1__CollectEvent *event, struct lb_arena *arena)
{
    copy_of(&event->adapter_entry->leaf, arena)[30] ^= 1;
}

static void flip_path(Lianban__V1__CollectEvent *event, struct lb_arena *arena)
{
    /* Two entries at least stand in the broker's log, so there is a path. */
    assert_true(event->deliver->n_path > 0);
    copy_of(&event->deliver->path[0], arena)[0] ^= 1;
}

static void flip_signature(Lianban__V1__CollectEvent *event, struct lb_arena *arena)
{
    uint8_t *note = copy_of(&event->adapter_log->checkpoint, arena);
    size_t at = event->adapter_log->checkpoint.len - 20;
    note[at] = note[at] == 'A' ? 'B' : 'A';
}

static void brokers_checkpoint_for_adapters(Lianban__V1__CollectEvent *event,
                                            struct lb_arena *arena)
{
    (void)arena;
    event->adapter_log = event->broker_log;
}

static void no_checkpoint(Lianban__V1__CollectEvent *event, struct lb_arena *arena)
{
    (void)arena;
    event->adapter_log = NULL;
}

static void no_adapter_entry(Lianban__V1__CollectEvent *event, struct lb_arena *arena)
{
    (void)arena;
    event->adapter_entry = NULL;
}

static void no_route(Lianban__V1__CollectEvent *event, struct lb_arena *arena)
{
    (void)arena;
    event->route = NULL;
}

static void no_deliver(Lianban__V1__CollectEvent *event, struct lb_arena *arena)
{
    (void)arena;
    event->deliver = NULL;
}

static void deliver_is_route(Lianban__V1__CollectEvent *event, struct lb_arena *arena)
{
    (void)arena;
    event->deliver = event->route;
}

static void other_index(Lianban__V1__CollectEvent *event, struct lb_arena *arena)
{
    (void)arena;
    event->route->index += 1000;
}

static void other_answer(Lianban__V1__CollectEvent *event, struct lb_arena *arena)
{
    copy_of(&event->sealed, arena)[100] ^= 1;
}

static void no_answer(Lianban__V1__CollectEvent *event, struct lb_arena *arena)
{
    (void)arena;
    event->sealed.len = 0;
}

/* A broker that turns an answer into a refusal. */
static void lie_about_code(Lianban__V1__CollectEvent *event, struct lb_arena *arena)
{
    (void)arena;
    event->code = (char *)(uintptr_t) "WRONG_REQUESTER";
}

static void long_path(Lianban__V1__CollectEvent *event, struct lb_arena *arena)
{
    ProtobufCBinaryData *path = lb_arena_array(arena, 100, sizeof(*path));
    for (size_t i = 0; i < 100; i++)
        path[i] = lb_pb_bytes(lb_span_of(event->txn.data, 16));
    event->adapter_entry->path = path;
    event->adapter_entry->n_path = 100;
}

struct tampering {
    const char *name;
    void (*change)(Lianban__V1__CollectEvent *event, struct lb_arena *arena);
};

static const struct tampering tamperings[] = {
    {"flip_leaf", flip_leaf},
    {"flip_path", flip_path},
    {"flip_signature", flip_signature},
    {"brokers_checkpoint_for_adapters", brokers_checkpoint_for_adapters},
    {"no_checkpoint", no_checkpoint},
    {"no_adapter_entry", no_adapter_entry},
    {"no_route", no_route},
    {"no_deliver", no_deliver},
    {"deliver_is_route", deliver_is_route},
    {"other_index", other_index},
    {"other_answer", other_answer},
    {"no_answer", no_answer},
    {"lie_about_code", lie_about_code},
    {"long_path", long_path},
};

static void tamper_with_tax(struct fixture *fx, Lianban__V1__CollectEvent *event,
                            struct lb_arena *arena)
{
    if (fx_is_tax(fx, event))
        fx->tampering->change(event, arena);
}

static void tampered_receipts(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    fx->tamper = tamper_with_tax;
    for (size_t i = 0; i < sizeof(tamperings) / sizeof(tamperings[0]); i++) {
        fx->tampering = &tamperings[i];
        const char *case_id = fx_open(fx, false);
        fx_agree(fx, case_id);
        fx_run(fx, case_id, &got);
        assert_ok(got.status);
        fx_assert_refused(&got, tamperings[i].name);
        assert_ok(lb_window_close_case(fx->window, case_id));
    }
}

static void honest_again(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    fx->tampering = &tamperings[0];
    fx->tamper = tamper_with_tax;
    fx_run(fx, case_id, &got);
    fx_assert_refused(&got, "first");
    fx->tamper = NULL;
    fx_run(fx, case_id, &got);
    assert_string_equal(got.result->class_id, "FULL");
    assert_int_equal(got.result->receipts_checked, 4);
    assert_int_equal(got.result->receipts_failed, 1);
}

/* Well proved entries that do not point at each other. */
static void wrong_links(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    fx->adapters[FX_TAX].wrong_link = true;
    fx_run(fx, case_id, &got);
    fx_assert_refused(&got, "adapter's link");
    fx->adapters[FX_TAX].wrong_link = false;
    fx->wrong_deliver = true;
    fx_run(fx, case_id, &got);
    assert_string_equal(fx_fact(&got, 0, "wage12")->code, "RECEIPT_INVALID");
    assert_int_equal(got.result->receipts_failed, 2);
}

static void swapped_answers(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    fx->swap_answers = true;
    fx_run(fx, case_id, &got);
    assert_string_equal(fx_fact(&got, 0, "wage12")->code, "RECEIPT_INVALID");
    assert_string_equal(fx_fact(&got, 0, "region")->code, "RECEIPT_INVALID");
    assert_string_equal(fx_fact(&got, 0, "severe")->state, "ok");
    assert_int_equal(got.result->receipts_failed, 2);
}

/* Only one event about a read counts. */
static void doubled_events(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    fx->twice = true;
    fx_run(fx, case_id, &got);
    assert_int_equal(got.num_facts, 6);
    assert_int_equal(got.result->receipts_checked, 3);
    assert_string_equal(got.result->class_id, "FULL");
}

static void foreign_txn(struct fixture *fx, Lianban__V1__CollectEvent *event,
                        struct lb_arena *arena)
{
    if (fx_is_tax(fx, event))
        copy_of(&event->txn, arena)[3] ^= 1;
}

static void event_about_nothing(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    fx->tamper = foreign_txn;
    fx_run(fx, case_id, &got);
    assert_string_equal(fx_fact(&got, 0, "wage12")->code, "UNAVAILABLE");
    assert_int_equal(got.result->receipts_checked, 2);
}

/* --- checkpoints that are known --- */

static uint8_t seen_note[4096];
static size_t seen_len;

/* The first case's checkpoint is remembered; the second's answer comes under a copy of it with
 * another signature, root or name. */
static void show_the_known_one_changed(struct fixture *fx, Lianban__V1__CollectEvent *event,
                                       struct lb_arena *arena)
{
    if (!fx_is_tax(fx, event))
        return;
    ProtobufCBinaryData *note = &event->adapter_log->checkpoint;
    if (seen_len == 0) {
        seen_len = note->len;
        memcpy(seen_note, note->data, note->len);
        return;
    }
    uint8_t *changed = lb_arena_alloc(arena, seen_len);
    memcpy(changed, seen_note, seen_len);
    changed[fx->which] = changed[fx->which] == 'A' ? 'B' : 'A';
    *note = (ProtobufCBinaryData){seen_len, changed};
}

static void a_known_checkpoint_excuses_nothing(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    seen_len = 0;
    fx->tamper = show_the_known_one_changed;
    fx_run(fx, case_id, &got);
    assert_string_equal(got.result->class_id, "FULL");
    assert_int_equal(lb_checkpoint_memo_opened(fx->window->checkpoints),
                     FX_DEPARTMENTS + 1); /* theirs, and the broker's one */
    const size_t places[] = {0, seen_len / 2, seen_len - 2};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        fx->which = places[i];
        case_id = fx_open(fx, false);
        fx_agree(fx, case_id);
        fx_run(fx, case_id, &got);
        fx_assert_refused(&got, "a known checkpoint, changed");
    }
}

/* All of that again with outcomes that come in one message: what is wrong with one is not held
 * against the others, and they are checked like ones that come alone. */
static int setup_together(void **state)
{
    int failed = fx_setup(state);
    struct fixture *fx = *state;
    if (failed == 0)
        fx->together = true;
    return failed;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tampered_receipts, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(honest_again, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(wrong_links, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(swapped_answers, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(doubled_events, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(event_about_nothing, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(a_known_checkpoint_excuses_nothing, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(tampered_receipts, setup_together, fx_teardown),
        cmocka_unit_test_setup_teardown(honest_again, setup_together, fx_teardown),
        cmocka_unit_test_setup_teardown(wrong_links, setup_together, fx_teardown),
        cmocka_unit_test_setup_teardown(swapped_answers, setup_together, fx_teardown),
        cmocka_unit_test_setup_teardown(doubled_events, setup_together, fx_teardown),
        cmocka_unit_test_setup_teardown(event_about_nothing, setup_together, fx_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
