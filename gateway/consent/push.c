#include <stdio.h>

#include "gateway/base/log.h"
#include "gateway/consent/inside.h"
#include "gateway/crypto/hash.h"
#include "gateway/evidence/link.h"
#include "gateway/json/json.h"
#include "gateway/token/status_list.h"

/* Who has stopped. A broker reports it, and is not believed: an adapter counts with the entry of
 * its own log, under a checkpoint that its own key signed. */

#define STATUS_EVENT "STATUS_LIST"

lb_status lb_consent_receipts(struct lb_consent *consent, struct lb_arena *arena,
                              Lianban__V1__RevokeResponse *out)
{
    LB_DEFER(lb_consent_unref) struct lb_directory *directory =
        lb_trust_directory(consent->options.trust);
    out->receipts = lb_arena_array(arena, directory->num_nodes, sizeof(out->receipts[0]));
    LB_ENSURE(out->receipts != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < directory->num_nodes; i++) {
        if (directory->nodes[i].kind != LB_NODE_ADAPTER)
            continue;
        Lianban__V1__RevokeReceipt *receipt = lb_arena_alloc(arena, sizeof(*receipt));
        LB_ENSURE(receipt != NULL, LB_NO_MEMORY, "arena is full");
        lianban__v1__revoke_receipt__init(receipt);
        receipt->adapter = lb_arena_str(arena, lb_span_str(directory->nodes[i].spiffe));
        receipt->code = (char *)(uintptr_t)lb_code_name(LB_UNAVAILABLE);
        LB_ENSURE(receipt->adapter != NULL, LB_NO_MEMORY, "arena is full");
        out->receipts[out->n_receipts++] = receipt;
    }
    return LB_OK;
}

/* --- one adapter's proof --- */

struct judging {
    const struct lb_consent *consent;
    const struct lb_consent_push *push;
    const struct lb_directory *directory;
    int64_t now_unix_ms;
};

static lb_status open_proof(const struct judging *judging,
                            const Lianban__V1__StatusReceipt *receipt, struct lb_leaf *out_leaf)
{
    const struct lb_node *node = lb_directory_node(judging->directory, receipt->adapter);
    struct lb_watch watch;
    struct lb_checkpoint checkpoint;
    struct lb_hash hash;
    LB_ENSURE(node != NULL && node->log_origin != NULL && receipt->log != NULL &&
                  receipt->entry != NULL,
              LB_RECEIPT_INVALID, "stopped, without a proof");
    LB_TRY(lb_watch_init(&watch, node->log_origin, node->log_key, 0, NULL));
    lb_status status = lb_watch_check(&watch, receipt->log, &checkpoint);
    if (status == LB_OK)
        status = lb_link_verify(receipt->entry, &checkpoint, out_leaf, &hash);
    lb_watch_cleanup(&watch);
    return status;
}

/* The list that was sent, or a newer one, which says no less. Under lock. */
static bool is_ours(const struct lb_consent *consent, uint64_t seq, const uint8_t sha256[32])
{
    for (size_t i = 0; i < LB_CONSENT_RECENT_LISTS; i++) {
        const struct lb_consent_recent *recent = &consent->recent[i];
        if (recent->seq >= seq && recent->seq != 0 && memcmp(recent->sha256, sha256, 32) == 0)
            return true;
    }
    return false;
}

static lb_status check_proof(const struct judging *judging,
                             const Lianban__V1__StatusReceipt *receipt, struct lb_leaf *out_leaf)
{
    LB_TRY(open_proof(judging, receipt, out_leaf));
    LB_ENSURE(out_leaf->type == LB_LEAF_ADMIN && strcmp(out_leaf->code, STATUS_EVENT) == 0 &&
                  is_ours(judging->consent, judging->push->seq, out_leaf->request_hash),
              LB_RECEIPT_INVALID, "a proof of something else");
    return LB_OK;
}

/* How long it took: what the broker measured, or what the adapter's own entry says, whichever is
 * more; neither can be more than has passed here. */
static uint32_t millis_of(const struct judging *judging, uint32_t told_ms, int64_t at_unix_ms)
{
    int64_t passed = judging->now_unix_ms - judging->push->started_unix_ms;
    int64_t own = at_unix_ms - judging->push->started_unix_ms;
    int64_t millis = own > (int64_t)told_ms ? own : (int64_t)told_ms;
    if (millis > passed)
        millis = passed;
    return millis < 0 ? 0 : (uint32_t)millis;
}

static enum lb_code told_code(const char *name)
{
    enum lb_code code = LB_INTERNAL;
    if (!lb_code_by_name(name, strlen(name), &code) || lb_code_outer(code) != code)
        return LB_INTERNAL;
    return code;
}

static void take(const struct judging *judging, const Lianban__V1__StatusReceipt *told,
                 Lianban__V1__RevokeReceipt *receipt)
{
    struct lb_leaf leaf;
    enum lb_code code = told_code(told->code);
    if (code == LB_CODE_OK && check_proof(judging, told, &leaf) != LB_OK)
        code = LB_RECEIPT_INVALID;
    receipt->code = (char *)(uintptr_t)lb_code_name(code);
    if (code != LB_CODE_OK)
        return;
    receipt->entry = told->entry->index;
    receipt->at_unix_ms = leaf.time_ms;
    receipt->millis = millis_of(judging, told->millis, leaf.time_ms);
}

/* --- all of them --- */

static bool is_stopped(const Lianban__V1__RevokeReceipt *receipt)
{
    return strcmp(receipt->code, lb_code_name(LB_CODE_OK)) == 0;
}

lb_status lb_consent_take_receipts(struct lb_consent *consent, const struct lb_consent_push *push,
                                   const Lianban__V1__RelayStatusResponse *told,
                                   Lianban__V1__RevokeResponse *into)
{
    LB_DEFER(lb_consent_unref) struct lb_directory *directory =
        lb_trust_directory(consent->options.trust);
    LB_DEFER(lb_consent_unlock) struct lb_consent *locked = lb_consent_lock(consent);
    const struct judging judging = {
        .consent = locked,
        .push = push,
        .directory = directory,
        .now_unix_ms = lb_clock_unix_ms(consent->options.clock),
    };
    for (size_t i = 0; i < into->n_receipts; i++) {
        Lianban__V1__RevokeReceipt *receipt = into->receipts[i];
        for (size_t k = 0; k < told->n_receipts && !is_stopped(receipt); k++) {
            if (strcmp(told->receipts[k]->adapter, receipt->adapter) == 0)
                take(&judging, told->receipts[k], receipt);
        }
    }
    return LB_OK;
}

/* --- evidence --- */

struct keeping {
    struct lb_json *list;
    uint32_t num;
};

/* Under lock: whether this one's proof is news, which it is once for every change of a grant. */
static lb_status note(struct lb_consent *consent, const struct lb_consent_push *push,
                      const Lianban__V1__RevokeReceipt *receipt, struct keeping *keeping)
{
    uint64_t proved = 0, changed = 0;
    if (!is_stopped(receipt))
        return LB_OK;
    LB_TRY(lb_consent_proved_seq(consent->store, receipt->adapter, &proved));
    LB_TRY(lb_consent_last_change(consent->store, &changed));
    if (proved >= changed || push->seq < changed)
        return LB_OK;
    struct lb_json *one = lb_json_object();
    lb_json_set_cstr(one, "adapter", receipt->adapter);
    lb_json_set_int(one, "entry", (int64_t)receipt->entry);
    lb_json_set_int(one, "at_ms", receipt->at_unix_ms);
    lb_json_append(keeping->list, one);
    keeping->num++;
    return lb_consent_set_proved(consent->store, receipt->adapter, push->seq);
}

static lb_status enter(struct lb_consent *consent, const struct lb_consent_push *push,
                       const struct keeping *keeping, struct lb_arena *arena)
{
    struct lb_log_entry *entry = lb_arena_alloc(arena, sizeof(*entry));
    LB_ENSURE(entry != NULL, LB_NO_MEMORY, "arena is full");
    entry->leaf = (struct lb_leaf){
        .type = LB_LEAF_CONSENT, .code = "ACKNOWLEDGED", .count = keeping->num};
    lb_sha256(push->token, entry->leaf.answer_hash);
    LB_DEFER(lb_json_freep) struct lb_json *detail = lb_json_object();
    lb_json_set_int(detail, "seq", (int64_t)push->seq);
    lb_json_set(detail, "adapters", lb_json_copy(keeping->list));
    LB_TRY(lb_json_dump(detail, LB_JSON_COMPACT, arena, &entry->detail));
    return lb_log_append_wait(consent->options.log, entry);
}

lb_status lb_consent_keep_receipts(struct lb_consent *consent, const struct lb_consent_push *push,
                                   const Lianban__V1__RevokeResponse *receipts,
                                   struct lb_arena *arena)
{
    LB_DEFER(lb_json_freep) struct lb_json *list = lb_json_array();
    struct keeping keeping = {.list = list};
    LB_DEFER(lb_consent_unlock) struct lb_consent *locked = lb_consent_lock(consent);
    LB_TRY(lb_consent_store_begin(locked->store));
    for (size_t i = 0; i < receipts->n_receipts; i++)
        LB_TRY(note(locked, push, receipts->receipts[i], &keeping));
    if (keeping.num == 0)
        return LB_OK; /* nothing was written */
    LB_TRY(enter(locked, push, &keeping, arena));
    return lb_consent_store_commit(locked->store);
}
