#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/base/file.h"
#include "gateway/exchange/fixture.h"
#include "gateway/wire/pb.h"

/* An adapter that lies: each lie is refused as RECEIPT_INVALID, relays nothing, and puts the
 * adapter in quarantine. Every row runs on a federation of its own, because quarantine is for
 * good. */

struct lie {
    const char *what;
    void (*spoil)(struct fx_reply *reply);
};

static void other_txn(struct fx_reply *reply)
{
    reply->leaf.txn[0] ^= 1;
}

static void other_request(struct fx_reply *reply)
{
    reply->leaf.request_hash[5] ^= 1;
}

static void other_answer(struct fx_reply *reply)
{
    reply->leaf.answer_hash[5] ^= 1;
}

static void not_linked(struct fx_reply *reply)
{
    memset(reply->leaf.peer_leaf, 0, 32);
}

static void other_code_in_the_entry(struct fx_reply *reply)
{
    memcpy(reply->leaf.code, "REPLAY", 7);
}

static void inner_code_in_the_open(struct fx_reply *reply)
{
    memcpy(reply->leaf.code, "NOT_FOUND", 10);
    reply->code = "NOT_FOUND";
    reply->sealed = LB_SPAN_EMPTY;
}

static void unheard_of_code(struct fx_reply *reply)
{
    memcpy(reply->leaf.code, "WHATEVER", 9);
    reply->code = "WHATEVER";
    reply->sealed = LB_SPAN_EMPTY;
}

static void shorter_answer(struct fx_reply *reply)
{
    reply->sealed.len--;
}

static void answer_with_a_refusal(struct fx_reply *reply)
{
    memcpy(reply->leaf.code, "FORM_INERT", 11);
    reply->code = "FORM_INERT";
}

static void no_entry(struct fx_reply *reply)
{
    reply->leave_out_entry = true;
}

static void entry_of_another_kind(struct fx_reply *reply)
{
    reply->leaf.type = LB_LEAF_CANARY;
}

static const struct lie lies[] = {
    {"entry about another txn", other_txn},
    {"entry about another request", other_request},
    {"entry about another answer", other_answer},
    {"entry not linked to ours", not_linked},
    {"another outcome in the entry", other_code_in_the_entry},
    {"an inner code in the open", inner_code_in_the_open},
    {"a code nobody knows", unheard_of_code},
    {"a shorter answer", shorter_answer},
    {"an answer beside a refusal", answer_with_a_refusal},
    {"no entry", no_entry},
    {"an entry of another kind", entry_of_another_kind},
};

static void try_lie(const struct lie *lie)
{
    struct fixture fx;
    struct fx_call call;
    struct fx_reply reply;
    fx_setup(&fx);
    fx_link(&fx);
    fx_collect(&fx, &call, fx_operator_token(&fx), fx_request(&fx, 1, 1, FX_PATIENT_MS));
    Lianban__V1__Batch *batch = fx_reads(&fx);
    assert_non_null(batch);
    fx_reply_honest(&fx, batch->reads[0], &reply);
    lie->spoil(&reply);
    enum lb_code code = lb_status_code(fx_send(&fx, &reply));
    if (code != LB_RECEIPT_INVALID)
        print_error("%s: %s\n", lie->what, lb_code_name(code));
    assert_code(code, LB_RECEIPT_INVALID);
    Lianban__V1__CollectEvent *event = fx_event(&fx, &call);
    assert_non_null(event);
    assert_string_equal(event->code, "RECEIPT_INVALID");
    assert_int_equal(event->sealed.len, 0);
    fx_close(&call);
    fx_unlink(&fx);
    const struct lb_broker_port port = {NULL, NULL, NULL, false};
    struct lb_broker_link *again = NULL;
    assert_code(lb_status_code(lb_broker_link_new(fx.exchange, FX_ADAPTER, &port, &again)),
                LB_RECEIPT_INVALID);
    fx_teardown(&fx);
}

static void every_lie_is_refused_and_ends_the_trust(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++)
        try_lie(&lies[i]);
}

static void an_honest_refusal_is_relayed_with_its_receipt(void **state)
{
    (void)state;
    struct fixture fx;
    struct fx_call call;
    struct fx_reply reply;
    fx_setup(&fx);
    fx_link(&fx);
    fx_collect(&fx, &call, fx_operator_token(&fx), fx_request(&fx, 1, 1, FX_PATIENT_MS));
    Lianban__V1__Batch *batch = fx_reads(&fx);
    fx_reply_honest(&fx, batch->reads[0], &reply);
    memcpy(reply.leaf.code, "FORM_INERT", 11);
    memset(reply.leaf.answer_hash, 0, 32);
    reply.code = "FORM_INERT";
    reply.sealed = LB_SPAN_EMPTY;
    assert_ok(fx_send(&fx, &reply));
    Lianban__V1__CollectEvent *event = fx_event(&fx, &call);
    assert_string_equal(event->code, "FORM_INERT");
    assert_non_null(event->adapter_entry);
    fx_close(&call);
    fx_teardown(&fx);
}

static void a_log_that_begins_anew_is_refused(void **state)
{
    (void)state;
    struct fixture fx;
    struct fx_call call;
    struct fx_reply reply;
    fx_setup(&fx);
    fx_link(&fx);
    fx_collect(&fx, &call, fx_operator_token(&fx), fx_request(&fx, 1, 1, FX_PATIENT_MS));
    Lianban__V1__Batch *batch = fx_reads(&fx);
    fx_reply_honest(&fx, batch->reads[0], &reply);
    assert_ok(fx_send(&fx, &reply));
    assert_non_null(fx_event(&fx, &call));
    fx_close(&call);
    fx_unlink(&fx);

    /* The same adapter comes back with an empty log: what the broker has seen is more. */
    lb_log_close(fx.adapter_log);
    const struct lb_log_options options = {
        .folder = fed_path(&fx.fed, "anew"),
        .origin = lb_spiffe_log_origin(FX_ADAPTER),
        .key = fx.adapter.log_key,
        .clock = lb_clock_system(),
        .create = true,
    };
    struct lb_diag diag = {""};
    assert_ok(lb_file_mkdirs(options.folder));
    assert_ok(lb_log_open(&options, &diag, &fx.adapter_log));
    const struct lb_broker_port port = {NULL, NULL, NULL, false};
    struct lb_broker_link *link = NULL;
    struct lb_buf hello;
    Lianban__V1__Frame *frame = NULL;
    struct lb_session session = {.log = fx.adapter_log};
    assert_ok(lb_broker_link_new(fx.exchange, FX_ADAPTER, &port, &link));
    lb_buf_init(&hello, LB_MAX_MESSAGE_BYTES);
    assert_true(lb_broker_link_fill(link, &hello));
    assert_ok(lb_pb_unpack(&lianban__v1__frame__descriptor, lb_buf_span(&hello), fx.arena, &frame));
    assert_int_equal(frame->body_case, LIANBAN__V1__FRAME__BODY_HELLO);
    assert_true(frame->hello->seen_size > 0);
    assert_code(lb_status_code(lb_session_greet(&session, frame->hello)), LB_LOG_BEHIND);
    lb_buf_cleanup(&hello);
    lb_broker_link_close(link);
    fx_teardown(&fx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_lie_is_refused_and_ends_the_trust),
        cmocka_unit_test(an_honest_refusal_is_relayed_with_its_receipt),
        cmocka_unit_test(a_log_that_begins_anew_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
