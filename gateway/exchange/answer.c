#include <string.h>

#include "gateway/crypto/hash.h"
#include "gateway/exchange/inside.h"
#include "gateway/wire/pb.h"

/* What came back from an adapter, checked against what was asked: its log extends what we saw, the
 * entry is in it, and the entry is about this request, this answer and our own ROUTE entry. */

static lb_status check_leaf(const struct routed_read *read, const Lianban__V1__ReadAnswer *answer,
                            const struct lb_leaf *leaf)
{
    uint8_t digest[32];
    LB_ENSURE(leaf->type == LB_LEAF_READ && strcmp(leaf->code, answer->code) == 0,
              LB_RECEIPT_INVALID, "entry has another outcome than the answer");
    LB_ENSURE(memcmp(leaf->txn, answer->txn.data, 16) == 0, LB_RECEIPT_INVALID,
              "entry is about another txn");
    LB_ENSURE(memcmp(leaf->request_hash, read->route.leaf.request_hash, 32) == 0,
              LB_RECEIPT_INVALID, "entry is about another request");
    LB_ENSURE(memcmp(leaf->peer_leaf, read->route.leaf_hash.bytes, 32) == 0, LB_RECEIPT_INVALID,
              "entry is not linked to ours");
    if (answer->sealed.len > 0) {
        lb_sha256(lb_pb_span(answer->sealed), digest);
        LB_ENSURE(memcmp(leaf->answer_hash, digest, 32) == 0, LB_RECEIPT_INVALID,
                  "entry is about another answer");
    }
    return LB_OK;
}

static lb_status check_answer(const struct routed_read *read,
                              const Lianban__V1__ReadAnswer *answer,
                              const struct lb_checkpoint *checkpoint, enum lb_code *out_code,
                              struct lb_leaf *out_leaf, struct lb_hash *out_hash)
{
    enum lb_code code;
    LB_ENSURE(lb_code_by_name(answer->code, strlen(answer->code), &code) &&
                  lb_code_outer(code) == code && code != LB_CODE_OK,
              LB_RECEIPT_INVALID, "answer has an unknown or an inner code");
    size_t expected = code == LB_ANSWERED ? read->request->answer_bytes : 0;
    LB_ENSURE(answer->sealed.len == expected, LB_RECEIPT_INVALID,
              "sealed answer has another size than declared");
    LB_ENSURE(answer->entry != NULL, LB_RECEIPT_INVALID, "answer without an entry");
    LB_TRY(lb_link_verify(answer->entry, checkpoint, out_leaf, out_hash));
    LB_TRY(check_leaf(read, answer, out_leaf));
    *out_code = code;
    return LB_OK;
}

static void keep_proof(struct routed_read *read, const Lianban__V1__ReadAnswer *answer,
                       const Lianban__V1__LogProgress *log)
{
    lb_buf_put(&read->sealed, lb_pb_span(answer->sealed));
    lb_buf_put(&read->adapter_leaf, lb_pb_span(answer->entry->leaf));
    read->adapter_index = answer->entry->index;
    for (size_t i = 0; i < answer->entry->n_path; i++)
        lb_buf_put(&read->adapter_path, lb_pb_span(answer->entry->path[i]));
    lb_buf_put(&read->adapter_checkpoint, lb_pb_span(log->checkpoint));
}

/* An adapter that could not take the request on, or could not write its evidence, has no entry; it
 * released nothing either. */
static bool is_bare_refusal(const Lianban__V1__ReadAnswer *answer)
{
    static const char *const codes[] = {"BUSY", "LOG_FULL", "LOG_UNAVAILABLE", "STOPPING",
                                        "TOO_LARGE"};
    if (answer->entry != NULL || answer->sealed.len != 0)
        return false;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (strcmp(answer->code, codes[i]) == 0)
            return true;
    }
    return false;
}

static lb_status take_answer(struct routed_read *read, const Lianban__V1__ReadAnswer *answer,
                             const Lianban__V1__LogProgress *log,
                             const struct lb_checkpoint *checkpoint)
{
    struct lb_leaf leaf;
    struct lb_hash hash;
    enum lb_code code = LB_INTERNAL;
    if (is_bare_refusal(answer)) {
        (void)lb_code_by_name(answer->code, strlen(answer->code), &code);
        lb_read_close(read, code, NULL);
        return LB_OK;
    }
    lb_status status = check_answer(read, answer, checkpoint, &code, &leaf, &hash);
    if (status != LB_OK) {
        lb_read_close(read, LB_RECEIPT_INVALID, NULL);
        return LB_FAULT(LB_RECEIPT_INVALID, "an adapter's receipt does not hold");
    }
    keep_proof(read, answer, log);
    memcpy(read->policy_hash, leaf.policy_hash, sizeof(read->policy_hash));
    memcpy(read->answer_hash, leaf.answer_hash, sizeof(read->answer_hash)); /* checked above */
    lb_read_close(read, code, &hash);
    return LB_OK;
}

lb_status lb_broker_link_answers(struct lb_broker_link *link, const Lianban__V1__Batch *batch)
{
    struct lb_checkpoint checkpoint;
    lb_status status = LB_OK;
    LB_ENSURE(batch->n_answers <= LB_MAX_ITEMS_PER_BATCH && batch->n_reads == 0, LB_MALFORMED,
              "batch has the wrong items");
    LB_TRY(lb_session_watch(&link->session, batch->log, &checkpoint));
    lb_adapter_shown(link->adapter, link->exchange->options.clock, checkpoint.size);
    for (size_t i = 0; i < batch->n_answers && status == LB_OK; i++) {
        const Lianban__V1__ReadAnswer *answer = batch->answers[i];
        LB_ENSURE(answer->txn.len == 16, LB_MALFORMED, "txn is not 16 bytes");
        /* One that nobody waits for came after its deadline, which is already recorded. */
        struct routed_read *read = lb_broker_link_take(link, answer->txn.data);
        if (read == NULL)
            continue;
        struct lb_collect *collect = read->collect;
        if (lb_read_claim(read))
            status = take_answer(read, answer, batch->log, &checkpoint);
        lb_adapter_answered(link->adapter, link->exchange->options.clock);
        lb_collect_release(collect);
    }
    return status;
}
