#include "gateway/exchange/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/token/operator_token.h"
#include "gateway/wire/pb.h"

/* The caller, played by the test. */

static void call_kick(void *ctx)
{
    (void)ctx;
}

/* A call that was ended by force stays so, whatever still comes to its end. */
static void call_finish(void *ctx, lb_status status)
{
    struct fx_call *call = ctx;
    if (__atomic_load_n(&call->failed, __ATOMIC_ACQUIRE))
        return;
    call->status = status;
    __atomic_store_n(&call->finished, true, __ATOMIC_RELEASE);
}

static void call_fail(void *ctx, lb_status status)
{
    struct fx_call *call = ctx;
    call_finish(ctx, status);
    __atomic_store_n(&call->failed, true, __ATOMIC_RELEASE);
}

struct lb_span fx_operator_token(struct fixture *fx)
{
    int64_t now = lb_clock_unix_s(lb_clock_system());
    const struct lb_operator claims = {
        .organization = "street-office", .kid = "m1", .unit = "desk 3",
        .person = "00112233445566778899aabbccddeeff", .jti = "t", .iat = now, .exp = now + 600};
    struct lb_span token = LB_SPAN_EMPTY;
    assert_ok(lb_operator_token_issue(&claims, fx->window.issuer_key, fx->arena, &token));
    return token;
}

static const char *make_grant(struct fixture *fx)
{
    int64_t now = lb_clock_unix_s(lb_clock_system());
    static const struct lb_section_field fields[] = {{"income", "SUM(12)"}};
    static const struct lb_section_view views[] = {{"tax.wage", 1, 1, fields}};
    const struct lb_section section = {
        .provider = "tax", .audience = FX_ADAPTER, .form = "social-assistance",
        .form_version = 1, .purpose = "social-assistance", .case_id = "c-1",
        .basis = "mandate", .role = "applicant", .method = "none", .level = 2,
        .operator_hash = "00112233445566778899aabbccddeeff", .max_uses = 1,
        .answer_bytes = FX_ANSWER_BYTES, .num_views = 1, .views = views};
    struct lb_grant grant = {.issuer = fx->by_hall ? "consent-hall" : "street-office",
                             .kid = fx->by_hall ? "h1" : "m1", .jti = "g-1",
                             .requester = "street-office", .iat = now, .nbf = now,
                             .exp = now + 600};
    if (fx->by_hall) {
        grant.status_uri = FX_STATUS_URI;
        grant.status_index = 7;
    }
    if (fx->subject_key != NULL) {
        grant.has_subject_key = true;
        memcpy(grant.subject_key, fx->subject_key, sizeof(grant.subject_key));
    }
    struct lb_span jwt = LB_SPAN_EMPTY, disclosure = LB_SPAN_EMPTY;
    assert_ok(lb_grant_issue(&grant, &section, 1,
                             fx->by_hall ? fx->hall.issuer_key : fx->window.issuer_key, fx->arena,
                             &jwt, &disclosure));
    fx->last_grant = lb_arena_str(fx->arena, jwt);
    return fx->last_grant;
}

static Lianban__V1__ReadRequest *make_read(struct fixture *fx, uint8_t txn, const char *grant,
                                           int64_t deadline_ms)
{
    static char *views[] = {(char *)(uintptr_t)"tax.wage"};
    Lianban__V1__ReadRequest *read = lb_arena_alloc(fx->arena, sizeof(*read));
    Lianban__V1__Sealed *sealed = lb_arena_alloc(fx->arena, sizeof(*sealed));
    uint8_t *bytes = lb_arena_alloc(fx->arena, 96);
    lianban__v1__read_request__init(read);
    lianban__v1__sealed__init(sealed);
    memset(bytes, txn, 96);
    read->txn = lb_pb_bytes(lb_span_of(bytes, 16));
    read->audience = (char *)(uintptr_t)FX_ADAPTER;
    read->requester = (char *)(uintptr_t)FX_WINDOW;
    read->grant = (char *)(uintptr_t)grant;
    read->views = views;
    read->n_views = 1;
    read->deadline_unix_ms = lb_clock_unix_ms(lb_clock_system()) + deadline_ms;
    read->answer_bytes = FX_ANSWER_BYTES;
    sealed->enc = sealed->sender_key = lb_pb_bytes(lb_span_of(bytes, 32));
    sealed->ciphertext = lb_pb_bytes(lb_span_of(bytes, 96));
    read->sealed = sealed;
    if (fx->traceparent != NULL)
        read->traceparent = (char *)(uintptr_t)fx->traceparent;
    return read;
}

struct lb_span fx_request(struct fixture *fx, size_t num, uint8_t first_txn, int64_t deadline_ms)
{
    Lianban__V1__CollectRequest request = LIANBAN__V1__COLLECT_REQUEST__INIT;
    struct lb_span bytes = LB_SPAN_EMPTY;
    const char *grant = make_grant(fx);
    request.form = (char *)(uintptr_t)fx->form.id;
    request.form_version = 1;
    request.form_sha256 = lb_pb_bytes(lb_span_of(fx->form.sha256, 32));
    request.reads = lb_arena_array(fx->arena, num, sizeof(request.reads[0]));
    for (size_t i = 0; i < num; i++)
        request.reads[request.n_reads++] =
            make_read(fx, (uint8_t)(first_txn + i), grant, deadline_ms);
    assert_ok(lb_pb_pack(&request, fx->arena, &bytes));
    return bytes;
}

void fx_collect(struct fixture *fx, struct fx_call *call, struct lb_span token,
                struct lb_span request)
{
    const struct lb_collect_port port = {call, call_kick, call_finish, call_fail,
                                         lb_span_str(fx->call_trace)};
    *call = (struct fx_call){.status = LB_OK};
    assert_ok(lb_exchange_collect(fx->exchange, FX_WINDOW, token, request,
                                  lb_clock_unix_ms(lb_clock_system()) + LB_MAX_DEADLINE_MS, &port,
                                  &call->collect));
}

Lianban__V1__CollectEvent *fx_event(struct fixture *fx, struct fx_call *call)
{
    struct lb_buf buf;
    Lianban__V1__CollectEvent *event = NULL;
    lb_buf_init(&buf, LB_MAX_MESSAGE_BYTES);
    for (int i = 0; i < FX_WAIT_STEPS && event == NULL; i++) {
        bool finished = __atomic_load_n(&call->finished, __ATOMIC_ACQUIRE);
        if (lb_collect_fill(call->collect, &buf)) {
            assert_ok(lb_pb_unpack(&lianban__v1__collect_event__descriptor, lb_buf_span(&buf),
                                   fx->arena, &event));
        } else if (finished) {
            break;
        } else {
            (void)usleep(FX_WAIT_STEP_US);
        }
    }
    lb_buf_cleanup(&buf);
    return event;
}

void fx_wait(struct fx_call *call)
{
    for (int i = 0; i < FX_WAIT_STEPS && !__atomic_load_n(&call->finished, __ATOMIC_ACQUIRE); i++)
        (void)usleep(FX_WAIT_STEP_US);
    assert_true(call->finished);
}

void fx_close(struct fx_call *call)
{
    fx_wait(call);
    lb_collect_close(call->collect);
}

void fx_leave(struct fx_call *call)
{
    lb_collect_close(call->collect);
}

const Lianban__V1__RoutedRead *fx_collect_one(struct fixture *fx, struct fx_call *call, uint8_t txn)
{
    fx_collect(fx, call, fx_operator_token(fx), fx_request(fx, 1, txn, FX_PATIENT_MS));
    const Lianban__V1__Batch *batch = fx_reads(fx);
    assert_non_null(batch);
    assert_int_equal(batch->n_reads, 1);
    return batch->reads[0];
}

Lianban__V1__CollectEvent *fx_answer_one(struct fixture *fx, struct fx_call *call, uint8_t txn)
{
    struct fx_reply reply;
    fx_reply_honest(fx, fx_collect_one(fx, call, txn), &reply);
    assert_ok(fx_send(fx, &reply));
    Lianban__V1__CollectEvent *event = fx_event(fx, call);
    assert_non_null(event);
    assert_string_equal(event->code, "ANSWERED");
    return event;
}

int fx_begin(void **state)
{
    static struct fixture fx;
    fx_setup(&fx);
    *state = &fx;
    return 0;
}

int fx_end(void **state)
{
    fx_teardown(*state);
    return 0;
}
