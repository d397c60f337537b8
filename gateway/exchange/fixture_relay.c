#include "gateway/exchange/fixture_relay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/crypto/hash.h"
#include "gateway/token/status_list.h"
#include "gateway/wire/pb.h"

struct lb_span fx_list(struct fixture *fx, uint64_t seq, uint8_t state)
{
    uint8_t states[16] = {0};
    struct lb_span token = LB_SPAN_EMPTY;
    states[7] = state;
    assert_ok(lb_status_list_sign("consent-hall", "h1", FX_STATUS_URI, seq,
                                  lb_clock_unix_s(lb_clock_system()), 900,
                                  lb_span_of(states, sizeof(states)), fx->hall.issuer_key,
                                  fx->arena, &token));
    return token;
}

static void *relay(void *arg)
{
    struct fx_told *told = arg;
    if (told->grant.len == 0)
        told->status = lb_exchange_relay_status(told->fx->exchange, told->token, told->timeout_ms,
                                                told->arena, &told->response);
    else
        told->status = lb_exchange_relay_revocation(told->fx->exchange, told->grant, told->token,
                                                    told->timeout_ms, told->arena,
                                                    &told->response);
    return NULL;
}

void fx_tell(struct fixture *fx, struct fx_told *told, struct lb_span grant, struct lb_span token,
             int64_t timeout_ms)
{
    *told = (struct fx_told){
        .fx = fx, .grant = grant, .token = token, .timeout_ms = timeout_ms};
    told->arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    assert_int_equal(pthread_create(&told->thread, NULL, relay, told), 0);
}

const Lianban__V1__StatusReceipt *fx_outcome(struct fx_told *told)
{
    (void)pthread_join(told->thread, NULL);
    assert_ok(told->status);
    assert_int_equal(told->response->n_receipts, 1);
    return told->response->receipts[0];
}

void fx_forget(struct fx_told *told)
{
    lb_arena_free(told->arena);
}

Lianban__V1__Frame *fx_ending(struct fixture *fx)
{
    Lianban__V1__Frame *frame;
    while ((frame = fx_frame(fx)) != NULL &&
           frame->body_case == LIANBAN__V1__FRAME__BODY_BATCH) {
        struct lb_checkpoint checkpoint;
        assert_ok(lb_session_watch(&fx->session, frame->batch->log, &checkpoint));
    }
    return frame;
}

static void fill_leaf(struct lb_leaf *leaf, enum fx_lie lie, struct lb_span token, bool list)
{
    const char *code = list ? "STATUS_LIST" : "GRANT_WITHDRAWN";
    *leaf = (struct lb_leaf){.type = lie == FX_A_READ ? LB_LEAF_READ : LB_LEAF_ADMIN, .count = 1};
    (void)snprintf(leaf->code, sizeof(leaf->code), "%s", lie == FX_OTHER_EVENT ? "STARTED" : code);
    lb_sha256(token, leaf->request_hash);
    leaf->request_hash[0] ^= lie == FX_OTHER_TOKEN ? 1 : 0;
}

lb_status fx_acknowledge(struct fixture *fx, struct lb_span token, bool list, enum fx_lie lie)
{
    Lianban__V1__StatusAck ack = LIANBAN__V1__STATUS_ACK__INIT;
    Lianban__V1__Frame frame = LIANBAN__V1__FRAME__INIT;
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    uint8_t sha256[32];
    uint64_t size = 0;
    lb_sha256(token, sha256);
    fill_leaf(&entry->leaf, lie, token, list);
    assert_ok(lb_log_append_wait(fx->adapter_log, entry));
    ack.code = (char *)(uintptr_t)"OK";
    ack.uri = (char *)(uintptr_t)(list ? FX_STATUS_URI : "");
    ack.seq = list ? 5 : 0;
    ack.sha256 = lb_pb_bytes(lb_span_of(sha256, sizeof(sha256)));
    if (lie != FX_NO_PROOF) {
        assert_ok(lb_session_show(&fx->session, fx->arena, &ack.log, &size));
        assert_ok(lb_link_prove(fx->adapter_log, entry->index,
                                lb_span_of(entry->leaf_bytes, entry->leaf_len), size, fx->arena,
                                &ack.entry));
        if (lie == FX_NOT_COMMITTED)
            ack.entry->index++;
    }
    frame.body_case = LIANBAN__V1__FRAME__BODY_STATUS_ACK;
    frame.status_ack = &ack;
    lb_status status = fx_send_frame(fx, &frame);
    free(entry);
    return status;
}
