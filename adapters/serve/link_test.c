#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "adapters/serve/fixture_broker.h"
#include "gateway/crypto/hash.h"
#include "gateway/wire/pb.h"

/* The adapter's end of a link against a broker played by the test. */

/* What the played broker sends: `num` times one read with a ROUTE entry that a test may spoil. */
static lb_status send_reads(struct fx_played *played, Lianban__V1__ReadRequest *request,
                            size_t num, void (*spoil)(struct lb_leaf *leaf))
{
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    Lianban__V1__Batch batch = LIANBAN__V1__BATCH__INIT;
    Lianban__V1__Frame frame = LIANBAN__V1__FRAME__INIT;
    Lianban__V1__RoutedRead routed = LIANBAN__V1__ROUTED_READ__INIT;
    struct lb_span bytes = LB_SPAN_EMPTY;
    uint64_t size = 0;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    assert_non_null(entry);
    entry->leaf = (struct lb_leaf){.type = LB_LEAF_ROUTE, .code = "ROUTED", .count = 1};
    memcpy(entry->leaf.txn, request->txn.data, 16);
    lb_sha256(lb_pb_span(request->sealed->ciphertext), entry->leaf.request_hash);
    if (spoil != NULL)
        spoil(&entry->leaf);
    assert_ok(lb_log_append_wait(played->log, entry));
    assert_ok(lb_session_show(&played->session, arena, &batch.log, &size));
    routed.request = request;
    assert_ok(lb_link_prove(played->log, entry->index,
                            lb_span_of(entry->leaf_bytes, entry->leaf_len), size, arena,
                            &routed.route));
    batch.reads = lb_arena_array(arena, num, sizeof(batch.reads[0]));
    for (size_t i = 0; i < num; i++)
        batch.reads[batch.n_reads++] = &routed;
    frame.body_case = LIANBAN__V1__FRAME__BODY_BATCH;
    frame.batch = &batch;
    assert_ok(lb_pb_pack(&frame, arena, &bytes));
    lb_status status = lb_adapter_link_receive(played->link, bytes);
    free(entry);
    return status;
}

static void a_read_goes_through_a_link(void **state)
{
    struct fx_played *played = *state;
    struct fx_ask ask;
    struct fx_built built;
    Lianban__V1__Frame *frame;
    fx_ask_honest(&played->fx, &ask);
    fx_build(&played->fx, &ask, &built);
    assert_ok(send_reads(played, built.request, 1, NULL));
    do {
        struct lb_checkpoint checkpoint;
        frame = fx_next_frame(played);
        assert_non_null(frame);
        assert_ok(lb_session_watch(&played->session, frame->batch->log, &checkpoint));
    } while (frame->batch->n_answers == 0);
    assert_string_equal(frame->batch->answers[0]->code, "ANSWERED");
    assert_non_null(frame->batch->answers[0]->entry);
}

static void other_request(struct lb_leaf *leaf)
{
    leaf->request_hash[0] ^= 1;
}

static void other_txn(struct lb_leaf *leaf)
{
    leaf->txn[0] ^= 1;
}

static void other_kind(struct lb_leaf *leaf)
{
    leaf->type = LB_LEAF_CANARY;
}

static void a_read_without_its_route_is_refused(void **state)
{
    struct fx_played *played = *state;
    void (*const spoils[])(struct lb_leaf *) = {other_request, other_txn, other_kind};
    struct fx_ask ask;
    struct fx_built built;
    fx_ask_honest(&played->fx, &ask);
    fx_build(&played->fx, &ask, &built);
    for (size_t i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++)
        assert_code(lb_status_code(send_reads(played, built.request, 1, spoils[i])),
                    LB_RECEIPT_INVALID);
}

static void a_read_that_no_broker_should_pass_on_ends_the_link(void **state)
{
    static char key_id[200 * 1024];
    struct fx_played *played = *state;
    struct fx_ask ask;
    struct fx_built built;
    fx_ask_honest(&played->fx, &ask);
    fx_build(&played->fx, &ask, &built);
    memset(key_id, 'k', sizeof(key_id) - 1);
    built.request->sealed->key_id = key_id;
    assert_code(lb_status_code(send_reads(played, built.request, 1, NULL)), LB_TOO_LARGE);
}

/* A read that is refused early costs little, so that many can be tried. */
static void make_small(struct fx_built *built)
{
    built->request->grant = (char *)(uintptr_t)"x";
    built->request->sealed->ciphertext.len = 17;
}

static void a_broker_that_takes_no_answers_is_not_served_without_end(void **state)
{
    struct fx_played *played = *state;
    struct fx_ask ask;
    struct fx_built built;
    lb_status status = LB_OK;
    size_t sent = 0;
    fx_ask_honest(&played->fx, &ask);
    fx_build(&played->fx, &ask, &built);
    make_small(&built);
    while (status == LB_OK && sent < 20000) {
        status = send_reads(played, built.request, LB_MAX_ITEMS_PER_BATCH, NULL);
        sent += LB_MAX_ITEMS_PER_BATCH;
    }
    assert_code(lb_status_code(status), LB_BUSY);
    assert_true(sent >= 8192); /* as many as a broker may wait for */
}

static void answers_taken_make_room(void **state)
{
    struct fx_played *played = *state;
    struct fx_ask ask;
    struct fx_built built;
    fx_ask_honest(&played->fx, &ask);
    fx_build(&played->fx, &ask, &built);
    make_small(&built);
    for (int round = 0; round < 12; round++) {
        size_t answers = 0;
        assert_ok(send_reads(played, built.request, LB_MAX_ITEMS_PER_BATCH, NULL));
        while (answers < LB_MAX_ITEMS_PER_BATCH) {
            Lianban__V1__Frame *frame = fx_next_frame(played);
            assert_non_null(frame);
            answers += frame->batch->n_answers;
            if (lb_arena_used(played->fx.arena) > LB_FILE_ARENA_BYTES)
                return; /* enough frames were looked at */
        }
    }
}

/* --- what ends grants --- */

static lb_status send_ending(struct fx_played *played, const char *token, const char *grant)
{
    Lianban__V1__Frame frame = LIANBAN__V1__FRAME__INIT;
    Lianban__V1__StatusUpdate update = LIANBAN__V1__STATUS_UPDATE__INIT;
    Lianban__V1__Revocation revocation = LIANBAN__V1__REVOCATION__INIT;
    struct lb_span bytes = LB_SPAN_EMPTY;
    if (grant == NULL) {
        update.token = (char *)(uintptr_t)token;
        frame.body_case = LIANBAN__V1__FRAME__BODY_STATUS_UPDATE;
        frame.status_update = &update;
    } else {
        revocation.token = (char *)(uintptr_t)token;
        revocation.grant = (char *)(uintptr_t)grant;
        frame.body_case = LIANBAN__V1__FRAME__BODY_REVOCATION;
        frame.revocation = &revocation;
    }
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    assert_ok(lb_pb_pack(&frame, arena, &bytes));
    return lb_adapter_link_receive(played->link, bytes);
}

static const Lianban__V1__StatusAck *next_ack(struct fx_played *played)
{
    Lianban__V1__Frame *frame;
    while ((frame = fx_next_frame(played)) != NULL &&
           frame->body_case == LIANBAN__V1__FRAME__BODY_BATCH) {
        struct lb_checkpoint checkpoint;
        assert_ok(lb_session_watch(&played->session, frame->batch->log, &checkpoint));
    }
    assert_non_null(frame);
    assert_int_equal(frame->body_case, LIANBAN__V1__FRAME__BODY_STATUS_ACK);
    return frame->status_ack;
}

static void a_list_is_acknowledged_with_its_entry(void **state)
{
    struct fx_played *played = *state;
    struct lb_span token = fx_list(&played->fx, 9, 1, 900, 0);
    struct lb_checkpoint checkpoint;
    struct lb_leaf leaf;
    struct lb_hash hash;
    uint8_t digest[32];
    lb_sha256(token, digest);
    for (int i = 0; i < 2; i++) { /* the second time it is known, and proved all the same */
        assert_ok(send_ending(played, lb_arena_str(played->fx.arena, token), NULL));
        const Lianban__V1__StatusAck *ack = next_ack(played);
        assert_string_equal(ack->code, "OK");
        assert_string_equal(ack->uri, FX_STATUS_URI);
        assert_int_equal(ack->seq, 9);
        assert_memory_equal(ack->sha256.data, digest, 32);
        assert_ok(lb_session_watch(&played->session, ack->log, &checkpoint));
        assert_ok(lb_link_verify(ack->entry, &checkpoint, &leaf, &hash));
        assert_string_equal(leaf.code, "STATUS_LIST");
        assert_memory_equal(leaf.request_hash, digest, 32);
    }
}

static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;

/* Keeps a worker from everything else for as long as the test holds the lock. */
struct blocker {
    struct lb_job job;
};

static void block(struct lb_job *job)
{
    (void)job;
    (void)pthread_mutex_lock(&held);
    (void)pthread_mutex_unlock(&held);
}

static void a_flood_of_forged_endings_writes_nothing(void **state)
{
    struct fx_played *played = *state;
    struct lb_log_head before, after;
    assert_ok(lb_log_head(played->fx.log, played->fx.arena, &before));
    for (int i = 0; i < 100; i++) {
        assert_ok(send_ending(played, "a.b.c", i % 2 == 0 ? NULL : "e30.e30.AA"));
        if (i % 10 != 9)
            continue;
        for (int k = 0; k < 10; k++) {
            const Lianban__V1__StatusAck *ack = next_ack(played);
            assert_string_equal(ack->code, "GRANT_MALFORMED");
            assert_null(ack->entry);
            assert_null(ack->log);
        }
    }
    assert_ok(lb_log_head(played->fx.log, played->fx.arena, &after));
    assert_int_equal(after.size, before.size);
    /* Too many at once end the link, and nothing more. */
    struct blocker blockers[FX_WORKERS];
    lb_status status = LB_OK;
    (void)pthread_mutex_lock(&held);
    for (size_t i = 0; i < FX_WORKERS; i++) {
        blockers[i].job.run = block;
        assert_ok(lb_workers_submit(played->fx.workers, &blockers[i].job));
    }
    for (int i = 0; i < 2000 && status == LB_OK; i++)
        status = send_ending(played, "a.b.c", NULL);
    (void)pthread_mutex_unlock(&held);
    assert_code(lb_status_code(status), LB_BUSY);
    lb_workers_free(played->fx.workers); /* waits for them: they live here */
    played->fx.workers = NULL;
}

#define WITH_LINK(test_) cmocka_unit_test_setup_teardown(test_, fx_played_setup, fx_played_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_LINK(a_read_goes_through_a_link),
        WITH_LINK(a_read_without_its_route_is_refused),
        WITH_LINK(a_read_that_no_broker_should_pass_on_ends_the_link),
        WITH_LINK(a_broker_that_takes_no_answers_is_not_served_without_end),
        WITH_LINK(answers_taken_make_room),
        WITH_LINK(a_list_is_acknowledged_with_its_entry),
        WITH_LINK(a_flood_of_forged_endings_writes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
