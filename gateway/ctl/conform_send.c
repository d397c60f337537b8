#include "gateway/ctl/conform.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/crypto/hash.h"
#include "gateway/evidence/leaf.h"
#include "gateway/seal/exchange.h"
#include "gateway/seal/padded.h"
#include "gateway/wire/pb.h"

/* Sending a read as a broker does, and not believing what comes back. */

const char *lb_ctl_kit_call(struct lb_ctl_kit *kit, enum lb_ctl_kit_member as, const char *method,
                            const void *message, struct lb_span *out_reply)
{
    struct lb_span bytes = LB_SPAN_EMPTY;
    lb_status status = lb_pb_pack(message, kit->check_arena, &bytes);
    if (status == LB_OK)
        status = kit->port.call(kit->port.ctx, as, method, bytes, kit->check_arena, out_reply);
    return lb_code_name(lb_status_code(status));
}

static lb_status write_route(struct lb_ctl_kit *kit, const struct lb_ctl_kit_read *read,
                             struct lb_log_entry *entry)
{
    entry->leaf.type = LB_LEAF_ROUTE;
    entry->leaf.count = 1;
    (void)snprintf(entry->leaf.code, sizeof(entry->leaf.code), "ROUTED");
    if (read->request->n_views > 0)
        (void)snprintf(entry->leaf.views, sizeof(entry->leaf.views), "%s", read->request->views[0]);
    memcpy(entry->leaf.txn, read->request->txn.data, sizeof(entry->leaf.txn));
    lb_sha256(read->ciphertext, entry->leaf.request_hash);
    return lb_log_append_wait(kit->log, entry);
}

lb_status lb_ctl_kit_route(struct lb_ctl_kit *kit, const struct lb_ctl_kit_read *read,
                           Lianban__V1__RoutedReadRequest **out, struct lb_hash *out_leaf)
{
    struct lb_arena *arena = kit->check_arena;
    struct lb_log_entry *entry = lb_arena_alloc(arena, sizeof(*entry));
    Lianban__V1__RoutedReadRequest *ask = lb_arena_alloc(arena, sizeof(*ask));
    Lianban__V1__RoutedRead *routed = lb_arena_alloc(arena, sizeof(*routed));
    struct lb_span leaf = LB_SPAN_EMPTY;
    uint64_t shown = 0, size = 0;
    LB_ENSURE(entry != NULL && ask != NULL && routed != NULL, LB_NO_MEMORY, "arena is full");
    memset(entry, 0, sizeof(*entry));
    LB_TRY(write_route(kit, read, entry));
    LB_TRY(lb_log_leaf(kit->log, entry->index, arena, &leaf));
    lianban__v1__routed_read_request__init(ask);
    lianban__v1__routed_read__init(routed);
    LB_TRY(lb_link_show(kit->log, &shown, arena, &ask->log, &size));
    LB_TRY(lb_link_prove(kit->log, entry->index, leaf, size, arena, &routed->route));
    routed->request = read->request;
    ask->read = routed;
    *out_leaf = entry->leaf_hash;
    *out = ask;
    return LB_OK;
}

/* The entry has to be there, in the log that the adapter's key signs, and be about this read. */
static lb_status check_receipt(const struct lb_ctl_kit *kit, const struct lb_ctl_kit_read *read,
                               const Lianban__V1__RoutedReadResponse *reply,
                               const struct lb_hash *route, struct lb_leaf *out_leaf)
{
    const Lianban__V1__ReadAnswer *answer = reply->answer;
    struct lb_checkpoint checkpoint;
    struct lb_hash hash;
    uint8_t request[32], sealed[32] = {0};
    LB_ENSURE(answer != NULL && answer->entry != NULL && reply->log != NULL, LB_RECEIPT_INVALID,
              "no entry of the log came with it");
    LB_ENSURE(lb_watch_check(&kit->watch, reply->log, &checkpoint) == LB_OK, LB_RECEIPT_INVALID,
              "its log's checkpoint is not signed by the key in the directory");
    LB_ENSURE(lb_link_verify(answer->entry, &checkpoint, out_leaf, &hash) == LB_OK,
              LB_RECEIPT_INVALID, "its entry is not in its log");
    LB_ENSURE(out_leaf->type == LB_LEAF_READ && strcmp(out_leaf->code, answer->code) == 0,
              LB_RECEIPT_INVALID, "its entry has another code than its answer");
    lb_sha256(read->ciphertext, request);
    LB_ENSURE(memcmp(out_leaf->txn, read->request->txn.data, 16) == 0 &&
                  memcmp(out_leaf->request_hash, request, 32) == 0,
              LB_RECEIPT_INVALID, "its entry is about another request");
    if (answer->sealed.len > 0)
        lb_sha256(lb_pb_span(answer->sealed), sealed);
    LB_ENSURE(memcmp(out_leaf->answer_hash, sealed, 32) == 0, LB_RECEIPT_INVALID,
              "its entry is about another answer");
    LB_ENSURE(memcmp(out_leaf->peer_leaf, route->bytes, 32) == 0, LB_RECEIPT_INVALID,
              "its entry does not name the ROUTE entry");
    return LB_OK;
}

/* Nothing beside what was asked: not another field of the person, nor one more of a view. */
static lb_status check_facts(const struct lb_ctl_kit_read *read,
                             const Lianban__V1__SealedAnswer *message)
{
    size_t num = strcmp(message->code, "OK") == 0 ? read->num_wants : 0;
    LB_ENSURE(message->n_facts == num, LB_RECEIPT_INVALID,
              "the answer has more or fewer facts than were asked");
    for (size_t i = 0; i < num; i++)
        LB_ENSURE(strcmp(message->facts[i]->view, read->view) == 0 &&
                      strcmp(message->facts[i]->field, read->fields[i]) == 0,
                  LB_RECEIPT_INVALID, "the answer has another fact than was asked");
    return LB_OK;
}

static lb_status open_answer(struct lb_ctl_kit *kit, const struct lb_ctl_kit_read *read,
                             const Lianban__V1__ReadAnswer *answer, struct lb_ctl_kit_answer *out)
{
    struct lb_span framed = LB_SPAN_EMPTY, plain = LB_SPAN_EMPTY;
    Lianban__V1__SealedAnswer *message = NULL;
    LB_ENSURE(answer->sealed.len == read->request->answer_bytes, LB_RECEIPT_INVALID,
              "the answer is not as long as the section says");
    out->sealed = lb_pb_span(answer->sealed);
    LB_TRY(lb_open_answer(&read->context, read->seq, read->ciphertext,
                          lb_pb_span(read->request->txn), out->sealed, kit->check_arena, &framed));
    LB_TRY(lb_padded_unwrap(framed, &plain));
    LB_TRY(lb_pb_unpack(&lianban__v1__sealed_answer__descriptor, plain, kit->check_arena,
                        &message));
    LB_TRY(check_facts(read, message));
    out->inner = message->code;
    out->fact = message->n_facts > 0 ? message->facts[0] : NULL;
    return LB_OK;
}

lb_status lb_ctl_kit_send(struct lb_ctl_kit *kit, const struct lb_ctl_kit_read *read,
                          struct lb_ctl_kit_answer *out)
{
    Lianban__V1__RoutedReadRequest *ask = NULL;
    Lianban__V1__RoutedReadResponse *reply = NULL;
    struct lb_span bytes = LB_SPAN_EMPTY;
    struct lb_hash route;
    LB_TRY(lb_ctl_kit_route(kit, read, &ask, &route));
    *out = (struct lb_ctl_kit_answer){.inner = ""};
    out->outer =
        lb_ctl_kit_call(kit, LB_CTL_KIT_BROKER, "/lianban.v1.Adapter/Read", ask, &bytes);
    if (strcmp(out->outer, "OK") != 0) {
        LB_ENSURE(strcmp(out->outer, "MALFORMED") == 0 || strcmp(out->outer, "TOO_LARGE") == 0,
                  LB_RECEIPT_INVALID, "it refused without an entry");
        return LB_OK;
    }
    LB_TRY(lb_pb_unpack(&lianban__v1__routed_read_response__descriptor, bytes, kit->check_arena,
                        &reply));
    LB_TRY(check_receipt(kit, read, reply, &route, &out->leaf));
    kit->num_entries++;
    out->outer = reply->answer->code;
    if (strcmp(out->outer, "ANSWERED") == 0)
        return open_answer(kit, read, reply->answer, out);
    LB_ENSURE(reply->answer->sealed.len == 0, LB_RECEIPT_INVALID, "something came with a refusal");
    return LB_OK;
}

lb_status lb_ctl_kit_try(struct lb_ctl_kit *kit, struct lb_ctl_kit_ask *ask,
                         struct lb_ctl_kit_answer *out)
{
    struct lb_ctl_kit_read read;
    LB_TRY(lb_ctl_kit_build(kit, ask, &read));
    return lb_ctl_kit_send(kit, &read, out);
}
