#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/base/file.h"
#include "gateway/base/hex.h"
#include "gateway/crypto/hash.h"
#include "gateway/evidence/gather.h"
#include "gateway/services/reconcile_round.h"
#include "tests/support/federation.h"

/* A node's own rounds: what they find becomes entries, once, and no minute is left out. */

#define BROKER "spiffe://test.gov/broker/hub"
#define TAX "spiffe://test.gov/adapter/tax"
#define START_MS INT64_C(1763700000000)
#define MINUTE_MS INT64_C(60000)

struct ground {
    struct federation fed;
    struct fed_party party;
    struct lb_clock_fixed clock;
    struct lb_log *broker;
    struct lb_log *adapter;
    const char *asked;             /* the folder of the other side's log */
    lb_status refuses;
    struct lb_reconcile_remote remote;
    struct lb_reconcile_round round;
    uint32_t last_txn;
};

static lb_status open_asked(const struct ground *ground, struct lb_log_reader **out_reader)
{
    struct lb_diag diag;
    LB_TRY(ground->refuses);
    return lb_log_reader_open(
        lb_arena_printf(ground->fed.arena, "%s/%s", ground->fed.folder, ground->asked), &diag,
        out_reader);
}

static lb_status ask_digests(void *ctx, int64_t from, int64_t to, struct lb_arena *arena,
                             struct lb_span *out_reply)
{
    const struct ground *ground = ctx;
    const struct lb_reconcile_scope scope = {.all = true};
    struct lb_log_reader *reader = NULL;
    LB_TRY(open_asked(ground, &reader));
    lb_status status = lb_reconcile_answer_digests(reader, &scope, from, to,
                                                   ground->clock.now_unix_ms, arena, out_reply);
    lb_log_reader_close(reader);
    return status;
}

static lb_status ask_entries(void *ctx, int64_t minute, uint64_t from_index,
                             struct lb_arena *arena, struct lb_span *out_reply)
{
    const struct ground *ground = ctx;
    const struct lb_reconcile_scope scope = {.all = true};
    struct lb_log_reader *reader = NULL;
    LB_TRY(open_asked(ground, &reader));
    lb_status status =
        lb_reconcile_answer_entries(reader, &scope, minute, from_index, arena, out_reply);
    lb_log_reader_close(reader);
    return status;
}

static struct lb_log *log_in(struct ground *ground, const char *name)
{
    struct lb_log *log = NULL;
    struct lb_diag diag = {""};
    const struct lb_log_options options = {
        .folder = fed_path(&ground->fed, name),
        .origin = name,
        .key = ground->party.log_key,
        .clock = &ground->clock.clock,
        .create = true,
    };
    assert_ok(lb_log_open(&options, &diag, &log));
    return log;
}

static int setup(void **state)
{
    static const char *const organizations[] = {"hub", "tax", NULL};
    static struct ground ground;
    const struct fed_node nodes[] = {{BROKER, &ground.party}, {TAX, &ground.party}};
    const struct fed_options options = {
        .nodes = nodes, .num_nodes = 2, .organizations = organizations};
    ground.asked = "adapter";
    ground.refuses = LB_OK;
    ground.last_txn = 0;
    fed_setup(&ground.fed, "rounds");
    fed_party_make(&ground.party);
    fed_open(&ground.fed, &options);
    lb_clock_fixed_init(&ground.clock, START_MS);
    ground.broker = log_in(&ground, "broker");
    ground.adapter = log_in(&ground, "adapter");
    assert_ok(lb_file_mkdirs(fed_path(&ground.fed, "marks")));
    ground.remote = (struct lb_reconcile_remote){&ground, ask_digests, ask_entries};
    ground.round = (struct lb_reconcile_round){
        .folder = fed_path(&ground.fed, "broker"),
        .marks = fed_path(&ground.fed, "marks"),
        .log = ground.broker,
        .clock = &ground.clock.clock,
        .counterpart = TAX,
        .is_broker = true,
        .remote = &ground.remote,
    };
    *state = &ground;
    return 0;
}

static int teardown(void **state)
{
    struct ground *ground = *state;
    lb_log_close(ground->broker);
    lb_log_close(ground->adapter);
    fed_party_free(&ground->party);
    fed_teardown(&ground->fed);
    return 0;
}

static struct lb_hash put(struct ground *ground, struct lb_log *log, enum lb_leaf_type type,
                          const struct lb_hash *peer_leaf)
{
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    assert_non_null(entry);
    entry->leaf = (struct lb_leaf){.type = type, .code = "ANSWERED"};
    memcpy(entry->leaf.txn, &ground->last_txn, sizeof(ground->last_txn));
    memcpy(entry->leaf.peer_leaf, peer_leaf->bytes, LB_HASH_BYTES);
    assert_ok(lb_log_append_wait(log, entry));
    struct lb_hash hash = entry->leaf_hash;
    free(entry);
    return hash;
}

/* A read as it should be, or one that the adapter has nothing of, or that nobody closed. */
enum what { WHOLE, GONE, OPEN };

static void put_read(struct ground *ground, enum what what)
{
    struct lb_hash hash;
    ground->last_txn++;
    lb_reconcile_counterpart(TAX, &hash);
    hash = put(ground, ground->broker, LB_LEAF_ROUTE, &hash);
    if (what == WHOLE)
        hash = put(ground, ground->adapter, LB_LEAF_READ, &hash);
    if (what != OPEN)
        (void)put(ground, ground->broker, LB_LEAF_DELIVER, &hash);
}

static uint64_t run(struct ground *ground, int64_t minutes)
{
    ground->clock.now_unix_ms += minutes * MINUTE_MS;
    assert_ok(lb_reconcile_round_run(&ground->round));
    return ground->round.num_found;
}

/* The log's REVIEW entries of a class, and what they count together. */
static size_t reviews(struct ground *ground, const char *code, uint32_t *out_count)
{
    struct lb_log_head head;
    size_t num = 0;
    *out_count = 0;
    assert_ok(lb_log_head(ground->round.log, ground->fed.arena, &head));
    for (uint64_t i = 0; i < head.size; i++) {
        struct lb_span bytes = LB_SPAN_EMPTY;
        struct lb_leaf leaf;
        assert_ok(lb_log_leaf(ground->round.log, i, ground->fed.arena, &bytes));
        assert_ok(lb_leaf_decode(bytes, &leaf));
        if (leaf.type != LB_LEAF_REVIEW || strcmp(leaf.code, code) != 0)
            continue;
        num++;
        *out_count += leaf.count;
    }
    return num;
}

static void the_first_round_remembers_when_it_was(void **state)
{
    struct ground *ground = *state;
    uint32_t count = 0;
    put_read(ground, GONE);
    assert_int_equal(run(ground, 1), 0);
    assert_int_equal(run(ground, 60), 0);
    assert_int_equal(reviews(ground, "MISSING_ADAPTER", &count), 0);
}

static void a_difference_becomes_one_entry(void **state)
{
    struct ground *ground = *state;
    uint32_t count = 0;
    (void)run(ground, 0);
    put_read(ground, WHOLE);
    put_read(ground, GONE);
    put_read(ground, WHOLE);
    /* not yet: it may be under way */
    assert_int_equal(run(ground, 1), 0);
    assert_int_equal(run(ground, 3), 0);
    assert_int_equal(run(ground, 1), 1);
    assert_int_equal(reviews(ground, "MISSING_ADAPTER", &count), 1);
    assert_int_equal(run(ground, 1), 0);
    assert_int_equal(run(ground, 100), 0);
    assert_int_equal(reviews(ground, "MISSING_ADAPTER", &count), 1);
    assert_int_equal(count, 1);
}

/* An adapter that lost its log can't fill the broker's. */
static void many_differences_become_few_entries(void **state)
{
    struct ground *ground = *state;
    uint32_t count = 0;
    (void)run(ground, 0);
    for (int i = 0; i < LB_RECONCILE_SHOWN + 8; i++)
        put_read(ground, GONE);
    assert_int_equal(run(ground, 10), LB_RECONCILE_SHOWN + 8);
    assert_int_equal(reviews(ground, "MISSING_ADAPTER", &count), LB_RECONCILE_SHOWN + 1);
    assert_int_equal(count, LB_RECONCILE_SHOWN + 8);
}

static void who_cannot_be_asked_is_asked_again(void **state)
{
    struct ground *ground = *state;
    (void)run(ground, 0);
    put_read(ground, GONE);
    ground->refuses = LB_FAULT(LB_UNAVAILABLE, "away");
    for (int i = 1; i < 4; i++) {
        ground->clock.now_unix_ms += 1000 * MINUTE_MS;
        assert_code(lb_status_code(lb_reconcile_round_run(&ground->round)), LB_UNAVAILABLE);
        assert_int_equal(ground->round.behind_minutes, 1000 * i - LB_RECONCILE_SETTLE_MINUTES);
    }
    ground->refuses = LB_OK;
    put_read(ground, GONE);
    /* A day at a time. */
    assert_int_equal(run(ground, 5), 1);
    assert_true(ground->round.behind_minutes > 1000);
    assert_int_equal(run(ground, 0), 0);
    assert_int_equal(run(ground, 0), 1);
    assert_int_equal(ground->round.behind_minutes, 0);
    assert_int_equal(run(ground, 0), 0);
}

static void what_was_never_closed_is_the_brokers_own_to_find(void **state)
{
    struct ground *ground = *state;
    struct lb_reconcile_round own = ground->round;
    uint32_t count = 0;
    own.counterpart = BROKER;
    own.remote = NULL;
    (void)run(ground, 0);
    assert_ok(lb_reconcile_round_own(&own));
    put_read(ground, WHOLE);
    put_read(ground, OPEN);
    put_read(ground, GONE);
    assert_int_equal(run(ground, 10), 1); /* the one that is gone */
    assert_ok(lb_reconcile_round_own(&own));
    assert_int_equal(own.num_found, 1);
    assert_int_equal(reviews(ground, "UNCLOSED", &count), 1);
    assert_ok(lb_reconcile_round_own(&own));
    assert_int_equal(own.num_found, 0);
}

static void a_damaged_mark_is_told(void **state)
{
    struct ground *ground = *state;
    uint8_t digest[32];
    char hex[65];
    (void)run(ground, 0);
    lb_sha256(lb_span_str(TAX), digest);
    lb_hex_encode(lb_span_of(digest, sizeof(digest)), hex);
    fed_write(&ground->fed, lb_arena_printf(ground->fed.arena, "marks/%s", hex),
              lb_span_str("abc"));
    assert_true(lb_reconcile_round_run(&ground->round) != LB_OK);
}

/* The adapter's own rounds with two brokers, the second of which is in the folder "second". */
struct several {
    struct ground grounds[2];      /* as the adapter asks them */
    struct lb_reconcile_remote remotes[2];
    struct lb_reconcile_peer peers[2];
    struct lb_log *second;
};

static void set_up_several(struct ground *ground, struct several *several)
{
    static const char *const folders[] = {"broker", "second"};
    static const char *const names[] = {BROKER, BROKER "/2"};
    several->second = log_in(ground, "second");
    for (size_t i = 0; i < 2; i++) {
        several->grounds[i] = *ground;
        several->grounds[i].asked = folders[i];
        several->remotes[i] =
            (struct lb_reconcile_remote){&several->grounds[i], ask_digests, ask_entries};
        several->peers[i] = (struct lb_reconcile_peer){names[i], &several->remotes[i]};
    }
    ground->round.folder = fed_path(&ground->fed, "adapter");
    ground->round.log = ground->adapter;
    ground->round.is_broker = false;
    ground->round.peers = several->peers;
    ground->round.num_peers = 2;
}

static lb_status run_several(struct ground *ground, struct several *several, int64_t minutes)
{
    ground->clock.now_unix_ms += minutes * MINUTE_MS;
    several->grounds[0].clock = several->grounds[1].clock = ground->clock;
    return lb_reconcile_round_several(&ground->round);
}

static void put_read_at(struct ground *ground, struct lb_log *broker, bool whole)
{
    struct lb_hash hash;
    ground->last_txn++;
    lb_reconcile_counterpart(TAX, &hash);
    hash = put(ground, broker, LB_LEAF_ROUTE, &hash);
    if (!whole)
        hash.bytes[0] ^= 1;
    hash = put(ground, ground->adapter, LB_LEAF_READ, &hash);
    (void)put(ground, broker, LB_LEAF_DELIVER, &hash);
}

static void two_brokers_are_asked_together(void **state)
{
    struct ground *ground = *state;
    struct several several;
    uint32_t count = 0;
    set_up_several(ground, &several);
    assert_ok(run_several(ground, &several, 0));
    put_read_at(ground, ground->broker, true);
    put_read_at(ground, several.second, true);
    put_read_at(ground, several.second, false);
    several.grounds[1].refuses = LB_FAULT(LB_UNAVAILABLE, "dead");
    assert_code(lb_status_code(run_several(ground, &several, 10)), LB_UNAVAILABLE);
    assert_int_equal(reviews(ground, "DIGEST_DIFF", &count), 0);
    several.grounds[1].refuses = LB_OK;
    assert_ok(run_several(ground, &several, 1));
    assert_int_equal(ground->round.num_found, 1);
    assert_int_equal(reviews(ground, "DIGEST_DIFF", &count), 1);
    assert_int_equal(reviews(ground, "MISSING_BROKER", &count), 0);
    /* The second leaves: with the first alone the rounds go on from there, and nothing that the
     * second had sent is missed. */
    ground->round.counterpart = BROKER;
    ground->round.remote = &several.remotes[0];
    ground->round.num_peers = 0;
    assert_int_equal(run(ground, 1), 0);
    assert_int_equal(reviews(ground, "MISSING_BROKER", &count), 0);
    /* And back: nothing between is left out. */
    put_read_at(ground, ground->broker, false);
    ground->round.num_peers = 2;
    assert_ok(run_several(ground, &several, 10));
    assert_int_equal(ground->round.num_found, 1);
    lb_log_close(several.second);
}

#define WITH_GROUND(test_) cmocka_unit_test_setup_teardown(test_, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_GROUND(the_first_round_remembers_when_it_was),
        WITH_GROUND(a_difference_becomes_one_entry),
        WITH_GROUND(many_differences_become_few_entries),
        WITH_GROUND(who_cannot_be_asked_is_asked_again),
        WITH_GROUND(what_was_never_closed_is_the_brokers_own_to_find),
        WITH_GROUND(a_damaged_mark_is_told),
        WITH_GROUND(two_brokers_are_asked_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
