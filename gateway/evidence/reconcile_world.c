#include "gateway/evidence/reconcile_world.h"

#include <stdio.h>
#include <stdlib.h>

struct world *world_new(void)
{
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    world->now_ms = WORLD_NOW_MS;
    return world;
}

static struct lb_leaf *add(struct world_log *log, const struct lb_leaf *leaf, int64_t time_ms)
{
    assert_true(log->num < WORLD_MAX);
    struct lb_leaf *own = &log->leaves[log->num++];
    *own = *leaf;
    own->time_ms = time_ms;
    return own;
}

static struct lb_hash hash_of(const struct lb_leaf *leaf)
{
    struct lb_buf bytes;
    struct lb_hash hash;
    lb_buf_init(&bytes, LB_MAX_LEAF_BYTES);
    assert_ok(lb_leaf_encode(leaf, &bytes));
    lb_merkle_leaf(lb_buf_span(&bytes), &hash);
    lb_buf_cleanup(&bytes);
    return hash;
}

static struct lb_leaf leaf_of(uint32_t txn, enum lb_leaf_type type, const char *code)
{
    struct lb_leaf leaf = {.type = type, .views = "tax.wage", .count = 1};
    memcpy(leaf.txn, &txn, sizeof(txn));
    leaf.txn[15] = 1;
    memset(leaf.request_hash, (int)(txn % 250) + 1, sizeof(leaf.request_hash));
    (void)snprintf(leaf.code, sizeof(leaf.code), "%s", code);
    return leaf;
}

static void answer(struct world *world, enum world_end end, const struct lb_leaf *route,
                   uint32_t txn)
{
    bool refused = end == WORLD_REFUSED;
    const char *code = refused ? "VIEW_CLOSED" : "ANSWERED";
    struct lb_leaf read = leaf_of(txn, LB_LEAF_READ, code);
    struct lb_leaf close = leaf_of(txn, LB_LEAF_DELIVER, code);
    struct lb_hash hash = hash_of(route);
    memcpy(read.peer_leaf, hash.bytes, LB_HASH_BYTES);
    memset(read.policy_hash, 7, sizeof(read.policy_hash));
    memset(read.answer_hash, refused ? 0 : 9, sizeof(read.answer_hash));
    hash = hash_of(add(&world->adapter, &read, world->now_ms + 10));
    if (end == WORLD_LOST)
        return;
    memcpy(close.peer_leaf, hash.bytes, LB_HASH_BYTES);
    memcpy(close.policy_hash, read.policy_hash, sizeof(close.policy_hash));
    memcpy(close.answer_hash, read.answer_hash, sizeof(close.answer_hash));
    if (end == WORLD_LATE)
        close = leaf_of(txn, LB_LEAF_FAILURE, "DEADLINE");
    (void)add(&world->broker, &close, world->now_ms + 20);
}

uint32_t world_read(struct world *world, enum world_end end)
{
    uint32_t txn = ++world->last_txn;
    struct lb_leaf route = leaf_of(txn, LB_LEAF_ROUTE, "ROUTED");
    struct lb_leaf failure = leaf_of(txn, LB_LEAF_FAILURE, "UNAVAILABLE");
    struct lb_hash counterpart;
    lb_reconcile_counterpart(WORLD_ADAPTER, &counterpart);
    memcpy(route.peer_leaf, counterpart.bytes, LB_HASH_BYTES);
    const struct lb_leaf *routed = add(&world->broker, &route, world->now_ms);
    if (end == WORLD_UNREACHED)
        (void)add(&world->broker, &failure, world->now_ms + 20);
    else if (end != WORLD_OPEN)
        answer(world, end, routed, txn);
    world->now_ms += 20;
    return txn;
}

struct lb_leaf *world_leaf(struct world_log *log, enum lb_leaf_type type, size_t nth)
{
    for (size_t i = 0; i < log->num; i++) {
        if (log->leaves[i].type == type && nth-- == 0)
            return &log->leaves[i];
    }
    fail_msg("there is no such leaf");
    return NULL;
}

void world_remove(struct world_log *log, const struct lb_leaf *leaf)
{
    log->gone[leaf - log->leaves] = true;
}

void world_set(const struct world_log *log, struct lb_reconcile_set *out)
{
    for (size_t i = 0; i < log->num; i++) {
        struct lb_hash hash = hash_of(&log->leaves[i]);
        if (!log->gone[i])
            assert_ok(lb_reconcile_set_add(out, i, &log->leaves[i], &hash));
    }
    assert_ok(lb_reconcile_set_sort(out));
}

static void note(void *arg, const struct lb_reconcile_finding *finding)
{
    struct world *world = arg;
    assert_true(world->num_findings < WORLD_MAX);
    world->findings[world->num_findings++] = *finding;
}

void world_compare(struct world *world, struct lb_reconcile_run *out_run)
{
    struct lb_reconcile_set all = {.entries = NULL};
    struct lb_reconcile_set broker = {.entries = NULL};
    struct lb_reconcile_set adapter = {.entries = NULL};
    struct lb_hash counterpart;
    lb_reconcile_counterpart(WORLD_ADAPTER, &counterpart);
    world_set(&world->broker, &all);
    world_set(&world->adapter, &adapter);
    assert_ok(lb_reconcile_set_part(&all, &counterpart, 1, &adapter, &broker));
    const struct lb_reconcile_local at_broker = {&broker, world->now_ms + 3600000};
    const struct lb_reconcile_local at_adapter = {&adapter, world->now_ms + 3600000};
    *out_run = (struct lb_reconcile_run){
        .broker = lb_reconcile_local_side(&at_broker),
        .adapter = lb_reconcile_local_side(&at_adapter),
        .from_minute = lb_reconcile_minute(WORLD_NOW_MS) - 30,
        .to_minute = lb_reconcile_minute(WORLD_NOW_MS) + 30,
        .now_ms = world->now_ms + 3600000,
        .found = note,
        .arg = world,
    };
    world->num_findings = 0;
    assert_ok(lb_reconcile_compare(out_run));
    lb_reconcile_set_free(&all);
    lb_reconcile_set_free(&broker);
    lb_reconcile_set_free(&adapter);
}

const struct lb_reconcile_finding *world_only(struct world *world, enum lb_reconcile_class class,
                                              unsigned fields)
{
    struct lb_reconcile_run run;
    world_compare(world, &run);
    for (size_t i = 0; i < world->num_findings; i++) {
        const struct lb_reconcile_finding *finding = &world->findings[i];
        if (world->num_findings > 1 || finding->class != class || finding->fields != fields)
            print_error("%s, fields %x\n", lb_reconcile_class_name(finding->class),
                        finding->fields);
    }
    assert_int_equal(world->num_findings, 1);
    assert_int_equal(world->findings[0].class, class);
    assert_int_equal(world->findings[0].fields, fields);
    assert_int_equal(run.tally.counts[class], 1);
    return &world->findings[0];
}
