#include "gateway/crypto/hash.h"
#include "gateway/window/run.h"
#include "gateway/wire/pb.h"

/*
 * A receipt: both sides' entries about one read, each proved against a checkpoint that its log's
 * key signed, and linked to each other, to what was sent and to what came back. The agent follows
 * no log's history; that both exist and agree is what it can check alone, and that no log has two
 * roots for one size.
 */

static lb_status find_watch(struct lb_collect_run *run, const struct lb_node *node,
                            const struct lb_watch **out_watch)
{
    struct lb_receipts *receipts = &run->receipts;
    for (size_t i = 0; i < receipts->num_logs; i++) {
        if (receipts->logs[i].node == node) {
            *out_watch = &receipts->logs[i].watch;
            return LB_OK;
        }
    }
    LB_ENSURE(receipts->num_logs < LB_RECEIPTS_MAX_LOGS, LB_RECEIPT_INVALID, "too many logs");
    LB_ENSURE(node->log_origin != NULL, LB_RECEIPT_INVALID, "the directory lists no log");
    struct lb_watch *watch = &receipts->logs[receipts->num_logs].watch;
    LB_TRY(lb_watch_init(watch, node->log_origin, node->log_key, 0, NULL));
    watch->memo = run->window->checkpoints;
    receipts->logs[receipts->num_logs++].node = node;
    *out_watch = watch;
    return LB_OK;
}

/* Two roots of one size are a fork that the log's own key has signed: nobody who has seen both can
 * be told that either is the log. */
static lb_status check_fork(const struct lb_receipts *receipts, const struct lb_node *node,
                            const struct lb_checkpoint *checkpoint)
{
    for (size_t i = 0; i < receipts->num_seen; i++) {
        const struct lb_checkpoint *seen = &receipts->seen[i].checkpoint;
        LB_ENSURE(receipts->seen[i].node != node || seen->size != checkpoint->size ||
                      memcmp(seen->root.bytes, checkpoint->root.bytes, LB_HASH_BYTES) == 0,
                  LB_LOG_FORK, "one size, two roots");
    }
    return LB_OK;
}

/* Many answers come under one checkpoint; its signature is verified once, and what answers of other
 * cases came under is known by its bytes. Forks are looked for all the same. */
static lb_status check_progress(struct lb_collect_run *run, const struct lb_node *node,
                                const Lianban__V1__LogProgress *progress,
                                struct lb_checkpoint *out_checkpoint)
{
    struct lb_receipts *receipts = &run->receipts;
    const struct lb_watch *watch = NULL;
    LB_ENSURE(node != NULL && progress != NULL, LB_RECEIPT_INVALID, "no checkpoint");
    struct lb_span note = lb_pb_span(progress->checkpoint);
    for (size_t i = 0; i < receipts->num_seen; i++) {
        if (receipts->seen[i].node == node && lb_span_eq(receipts->seen[i].note, note)) {
            *out_checkpoint = receipts->seen[i].checkpoint;
            return LB_OK;
        }
    }
    LB_TRY(find_watch(run, node, &watch));
    LB_TRY(lb_watch_check(watch, progress, out_checkpoint));
    LB_TRY(check_fork(receipts, node, out_checkpoint));
    if (receipts->num_seen < LB_RECEIPTS_MAX_SEEN) {
        struct lb_span copy;
        LB_TRY(lb_arena_copy(run->arena, note, &copy));
        receipts->seen[receipts->num_seen].node = node;
        receipts->seen[receipts->num_seen].note = copy;
        receipts->seen[receipts->num_seen++].checkpoint = *out_checkpoint;
    }
    return LB_OK;
}

/* What must stand in every entry about this read and this outcome. */
struct expected {
    const Lianban__V1__ReadRequest *request;
    uint8_t request_hash[LB_SHA256_BYTES];
    uint8_t answer_hash[LB_SHA256_BYTES];  /* zeros when nothing was answered */
    char views[sizeof(((struct lb_leaf *)NULL)->views)];
};

static lb_status join_views(const Lianban__V1__ReadRequest *request, char *out, size_t size)
{
    struct lb_buf joined;
    lb_buf_init(&joined, size - 1);
    for (size_t i = 0; i < request->n_views; i++)
        lb_buf_printf(&joined, "%s%s", i == 0 ? "" : ",", request->views[i]);
    lb_status status = lb_buf_check(&joined);
    if (status == LB_OK) {
        memcpy(out, joined.ptr, joined.len);
        out[joined.len] = 0;
    }
    lb_buf_cleanup(&joined);
    return status;
}

static lb_status expect(const struct lb_collect_read *read, const Lianban__V1__CollectEvent *event,
                        struct expected *out)
{
    memset(out, 0, sizeof(*out));
    out->request = read->request;
    lb_sha256(lb_pb_span(read->request->sealed->ciphertext), out->request_hash);
    if (event->sealed.len > 0)
        lb_sha256(lb_pb_span(event->sealed), out->answer_hash);
    return join_views(read->request, out->views, sizeof(out->views));
}

static lb_status check_leaf(const struct expected *expected, const struct lb_leaf *leaf)
{
    LB_ENSURE(memcmp(leaf->txn, expected->request->txn.data, sizeof(leaf->txn)) == 0,
              LB_RECEIPT_INVALID, "entry is about another txn");
    LB_ENSURE(memcmp(leaf->request_hash, expected->request_hash, LB_SHA256_BYTES) == 0,
              LB_RECEIPT_INVALID, "entry is about another request");
    LB_ENSURE(strcmp(leaf->views, expected->views) == 0, LB_RECEIPT_INVALID,
              "entry is about other views");
    return LB_OK;
}

static lb_status check_outcome(const struct expected *expected,
                               const Lianban__V1__CollectEvent *event, const struct lb_leaf *leaf)
{
    LB_ENSURE(strcmp(leaf->code, event->code) == 0, LB_RECEIPT_INVALID,
              "entry has another outcome");
    LB_ENSURE(memcmp(leaf->answer_hash, expected->answer_hash, LB_SHA256_BYTES) == 0,
              LB_RECEIPT_INVALID, "entry is about another answer");
    return LB_OK;
}

static lb_status check_adapter(struct lb_collect_run *run, const struct lb_collect_read *read,
                               const Lianban__V1__CollectEvent *event,
                               const struct expected *expected, struct lb_leaf *out_leaf,
                               struct lb_hash *out_hash)
{
    struct lb_checkpoint checkpoint;
    LB_TRY(check_progress(run, read->adapter, event->adapter_log, &checkpoint));
    LB_TRY(lb_link_verify(event->adapter_entry, &checkpoint, out_leaf, out_hash));
    LB_ENSURE(out_leaf->type == LB_LEAF_READ, LB_RECEIPT_INVALID, "adapter's entry is no read");
    LB_TRY(check_leaf(expected, out_leaf));
    return check_outcome(expected, event, out_leaf);
}

static lb_status check_broker(struct lb_collect_run *run, const Lianban__V1__CollectEvent *event,
                              const struct expected *expected, const struct lb_leaf *adapter_leaf,
                              const struct lb_hash *adapter_hash)
{
    const struct lb_node *broker =
        lb_directory_node(run->directory, run->window->options.brokers[run->broker]);
    struct lb_checkpoint checkpoint;
    struct lb_leaf route, deliver;
    struct lb_hash route_hash, deliver_hash;
    LB_ENSURE(event->route != NULL && event->deliver != NULL, LB_RECEIPT_INVALID,
              "the broker shows no entries");
    LB_TRY(check_progress(run, broker, event->broker_log, &checkpoint));
    LB_TRY(lb_link_verify(event->route, &checkpoint, &route, &route_hash));
    LB_TRY(lb_link_verify(event->deliver, &checkpoint, &deliver, &deliver_hash));
    LB_ENSURE(route.type == LB_LEAF_ROUTE && deliver.type == LB_LEAF_DELIVER, LB_RECEIPT_INVALID,
              "broker's entries are of another kind");
    LB_TRY(check_leaf(expected, &route));
    LB_TRY(check_leaf(expected, &deliver));
    LB_TRY(check_outcome(expected, event, &deliver));
    LB_ENSURE(memcmp(deliver.peer_leaf, adapter_hash->bytes, LB_HASH_BYTES) == 0 &&
                  memcmp(adapter_leaf->peer_leaf, route_hash.bytes, LB_HASH_BYTES) == 0,
              LB_RECEIPT_INVALID, "entries are not linked");
    return LB_OK;
}

static lb_status check(struct lb_collect_run *run, const struct lb_collect_read *read,
                       const Lianban__V1__CollectEvent *event)
{
    struct expected expected;
    struct lb_leaf leaf;
    struct lb_hash hash;
    LB_ENSURE(event->adapter_entry != NULL, LB_RECEIPT_INVALID, "the adapter shows no entry");
    LB_TRY(expect(read, event, &expected));
    LB_TRY(check_adapter(run, read, event, &expected, &leaf, &hash));
    return check_broker(run, event, &expected, &leaf, &hash);
}

lb_status lb_receipt_check(struct lb_collect_run *run, const struct lb_collect_read *read,
                           const Lianban__V1__CollectEvent *event)
{
    lb_status status = check(run, read, event);
    if (status == LB_OK || status->code == LB_NO_MEMORY)
        return status;
    LB_FAIL(LB_RECEIPT_INVALID, "a receipt does not hold");
}

void lb_receipts_cleanup(struct lb_receipts *receipts)
{
    for (size_t i = 0; i < receipts->num_logs; i++)
        lb_watch_cleanup(&receipts->logs[i].watch);
    receipts->num_logs = 0;
}
