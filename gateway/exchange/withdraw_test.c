#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/exchange/fixture_relay.h"
#include "gateway/token/revocation.h"
#include "gateway/token/status_list.h"
#include "gateway/wire/pb.h"

/* A citizen's own withdrawal on its way, also through a broker that was started anew; and reads
 * under way whose grant ends. */

static const uint8_t nonce[LB_REVOCATION_SALT_BYTES] = {7};

struct citizen {
    struct lb_sign_key *key;
    uint8_t commitment[32];
};

static void be_born(struct fixture *fx, struct citizen *citizen)
{
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    assert_ok(lb_sign_key_generate(LB_SIGN_ES256, &citizen->key));
    (void)lb_sign_key_public(citizen->key, raw);
    assert_ok(lb_subject_key(nonce, raw, fx->arena, citizen->commitment));
}

/* A grant that names the citizen's key, and that key's withdrawal of it. */
static struct lb_span withdrawal(struct fixture *fx, const struct citizen *citizen,
                                 struct lb_span *out_grant)
{
    static const struct lb_grant named = {.issuer = "street-office", .jti = "g-1"};
    struct lb_span token = LB_SPAN_EMPTY;
    fx->subject_key = citizen->commitment;
    (void)fx_request(fx, 1, 1, 1000);
    *out_grant = lb_span_str(fx->last_grant);
    assert_ok(lb_revocation_sign(&named, nonce, lb_clock_unix_s(lb_clock_system()), citizen->key,
                                 fx->arena, &token));
    return token;
}

static void a_withdrawal_outlives_the_broker(void **state)
{
    struct fixture *fx = *state;
    struct citizen citizen;
    struct fx_told told;
    struct lb_span grant;
    be_born(fx, &citizen);
    struct lb_span token = withdrawal(fx, &citizen, &grant);
    fx_tell(fx, &told, grant, token, FX_PATIENT_MS);
    assert_string_equal(fx_outcome(&told)->code, "UNAVAILABLE");
    fx_forget(&told);
    fx_restart(fx);
    fx_link(fx);
    Lianban__V1__Frame *frame = fx_ending(fx);
    assert_non_null(frame);
    assert_int_equal(frame->body_case, LIANBAN__V1__FRAME__BODY_REVOCATION);
    assert_true(lb_span_eq(lb_span_str(frame->revocation->token), token));
    assert_true(lb_span_eq(lb_span_str(frame->revocation->grant), grant));
    assert_ok(fx_acknowledge(fx, token, false, FX_HONEST));
    fx_unlink(fx);
    /* The proof too: nobody has to be linked, and no adapter hears of it again. */
    fx_restart(fx);
    fx_tell(fx, &told, grant, token, FX_PATIENT_MS);
    const Lianban__V1__StatusReceipt *receipt = fx_outcome(&told);
    assert_string_equal(receipt->code, "OK");
    assert_non_null(receipt->entry);
    fx_forget(&told);
    fx->subject_key = NULL;
    lb_sign_key_free(citizen.key);
}

static void a_stranger_withdraws_nothing(void **state)
{
    struct fixture *fx = *state;
    struct citizen citizen, stranger;
    struct lb_span grant, spare;
    Lianban__V1__RelayStatusResponse *response = NULL;
    be_born(fx, &citizen);
    be_born(fx, &stranger);
    struct lb_span forged = withdrawal(fx, &stranger, &spare);
    struct lb_span honest = withdrawal(fx, &citizen, &grant);
    assert_code(lb_status_code(lb_exchange_relay_revocation(fx->exchange, grant, forged, 100,
                                                            fx->arena, &response)),
                LB_SIGNATURE_INVALID);
    char *spoilt = lb_arena_str(fx->arena, grant);
    spoilt[grant.len - 5] ^= 1;
    assert_true(lb_exchange_relay_revocation(fx->exchange, lb_span_str(spoilt), honest, 100,
                                             fx->arena, &response) != LB_OK);
    fx->subject_key = NULL;
    (void)fx_request(fx, 1, 1, 1000);
    assert_code(lb_status_code(lb_exchange_relay_revocation(
                    fx->exchange, lb_span_str(fx->last_grant), honest, 100, fx->arena, &response)),
                LB_SIGNATURE_INVALID);
    assert_null(response);
    fx_link(fx);
    struct lb_buf frame;
    lb_buf_init(&frame, LB_MAX_MESSAGE_BYTES);
    while (lb_broker_link_fill(fx->link, &frame)) {
        Lianban__V1__Frame *sent = NULL;
        assert_ok(lb_pb_unpack(&lianban__v1__frame__descriptor, lb_buf_span(&frame), fx->arena,
                               &sent));
        assert_int_equal(sent->body_case, LIANBAN__V1__FRAME__BODY_BATCH);
        frame.len = 0;
    }
    lb_buf_cleanup(&frame);
    fx_unlink(fx);
    lb_sign_key_free(citizen.key);
    lb_sign_key_free(stranger.key);
}

/* --- reads under way --- */

/* Waits until the adapter has been sent so many reads; the last frame of them. */
static Lianban__V1__Batch *await_reads(struct fixture *fx, size_t num)
{
    Lianban__V1__Batch *batch = NULL;
    for (size_t sent = 0; sent < num; sent += batch->n_reads) {
        batch = fx_reads(fx);
        assert_non_null(batch);
    }
    return batch;
}

static void expect_cut(struct fixture *fx, struct fx_call *call, const char *code)
{
    for (int i = 0; i < 3; i++) {
        Lianban__V1__CollectEvent *event = fx_event(fx, call);
        assert_non_null(event);
        assert_string_equal(event->code, code);
        assert_int_equal(event->sealed.len, 0);
        assert_null(event->adapter_entry);
        assert_non_null(event->deliver);
    }
    fx_close(call);
}

static void reads_under_way_end_with_their_grant(void **state)
{
    static const struct {
        uint8_t state;
        const char *code;
    } ends[] = {{LB_STATE_INVALID, "GRANT_REVOKED"}, {LB_STATE_SUSPENDED, "GRANT_SUSPENDED"}};
    struct fixture *fx = *state;
    Lianban__V1__RelayStatusResponse *response = NULL;
    fx->by_hall = true;
    fx_link(fx);
    for (size_t i = 0; i < 2; i++) {
        struct fx_call call;
        struct fx_reply reply;
        struct lb_span before = fx_list(fx, 10 + 2 * i, LB_STATE_VALID);
        struct lb_span after = fx_list(fx, 11 + 2 * i, ends[i].state);
        assert_ok(lb_exchange_relay_status(fx->exchange, before, 1, fx->arena, &response));
        assert_non_null(fx_ending(fx));
        assert_ok(fx_acknowledge(fx, before, true, FX_HONEST));
        fx_collect(fx, &call, fx_operator_token(fx),
                   fx_request(fx, 3, (uint8_t)(10 + 20 * i), 30000));
        fx_reply_honest(fx, await_reads(fx, 3)->reads[0], &reply);
        assert_ok(lb_exchange_relay_status(fx->exchange, after, 1, fx->arena, &response));
        expect_cut(fx, &call, ends[i].code);
        /* An answer that comes all the same finds nobody. */
        assert_ok(fx_send(fx, &reply));
        assert_non_null(fx_ending(fx));
        assert_ok(fx_acknowledge(fx, after, true, FX_HONEST));
    }
    fx_unlink(fx);
}

static void others_go_on(void **state)
{
    struct fixture *fx = *state;
    struct fx_call call;
    struct citizen citizen;
    struct lb_span grant;
    Lianban__V1__RelayStatusResponse *response = NULL;
    fx_link(fx);
    fx_collect(fx, &call, fx_operator_token(fx), fx_request(fx, 1, 90, 30000)); /* a mandate */
    Lianban__V1__Batch *batch = fx_reads(fx);
    assert_non_null(batch);
    assert_ok(lb_exchange_relay_status(fx->exchange, fx_list(fx, 20, LB_STATE_INVALID), 1,
                                       fx->arena, &response));
    struct fx_reply reply;
    fx_reply_honest(fx, batch->reads[0], &reply);
    assert_ok(fx_send(fx, &reply));
    assert_string_equal(fx_event(fx, &call)->code, "ANSWERED");
    fx_close(&call);
    /* The citizen's own withdrawal ends this one. */
    be_born(fx, &citizen);
    struct lb_span token = withdrawal(fx, &citizen, &grant);
    fx_collect(fx, &call, fx_operator_token(fx), fx_request(fx, 3, 95, 30000));
    assert_non_null(fx_ending(fx)); /* the list */
    (void)await_reads(fx, 3);
    assert_ok(lb_exchange_relay_revocation(fx->exchange, grant, token, 1, fx->arena, &response));
    expect_cut(fx, &call, "GRANT_REVOKED");
    fx_unlink(fx);
    lb_sign_key_free(citizen.key);
}

#define CASE(test_) cmocka_unit_test_setup_teardown(test_, fx_begin, fx_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_withdrawal_outlives_the_broker),
        CASE(a_stranger_withdraws_nothing),
        CASE(reads_under_way_end_with_their_grant),
        CASE(others_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
