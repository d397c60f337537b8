#include <stdio.h>

#include "gateway/crypto/hash.h"
#include "gateway/exchange/outbox_inside.h"
#include "gateway/seal/parcel.h"
#include "gateway/wire/pb.h"

/* What the broker can know of a parcel, which is its open part, and of what is said about one. */

#define TAG_BYTES 16
/* A Parcel's names, keys and numbers. */
#define MAX_OPEN_BYTES 2048

static lb_status check_sealed(const Lianban__V1__Sealed *sealed)
{
    LB_ENSURE(sealed != NULL, LB_MALFORMED, "a parcel with nothing in it");
    size_t key_id = strlen(sealed->key_id);
    size_t len = sealed->ciphertext.len;
    LB_ENSURE(len <= LB_MAX_PARCEL_BYTES, LB_TOO_LARGE, "parcel");
    LB_ENSURE(key_id > 0 && key_id <= LB_MAX_NAME_BYTES && sealed->enc.len == 32 &&
                  sealed->sender_key.len == 32 && sealed->seq == 0,
              LB_MALFORMED, "seal of a parcel");
    LB_ENSURE(len > TAG_BYTES && (len - TAG_BYTES) % LB_PARCEL_STEP_BYTES == 0, LB_MALFORMED,
              "size of a parcel");
    return LB_OK;
}

static bool is_listed(const struct lb_outbox *outbox, const char *party, enum lb_node_kind kind)
{
    struct lb_directory *directory = lb_trust_directory(outbox->options.trust);
    const struct lb_node *node = lb_directory_node(directory, party);
    bool listed = node != NULL && node->kind == kind;
    lb_directory_unref(directory);
    return listed;
}

lb_status lb_parcel_check(const struct lb_outbox *outbox, const Lianban__V1__Parcel *parcel,
                          const char *sender, enum lb_node_kind kind)
{
    int64_t now = lb_clock_unix_s(outbox->options.clock);
    LB_TRY(lb_log_may_release(outbox->options.log));
    LB_ENSURE(parcel != NULL && parcel->name.len == PARCEL_NAME_BYTES, LB_MALFORMED,
              "name of a parcel");
    LB_ENSURE(strcmp(parcel->sender, sender) == 0, LB_MALFORMED, "a parcel of somebody else's");
    LB_ENSURE(strlen(parcel->recipient) < LB_MAX_SPIFFE_BYTES, LB_MALFORMED, "recipient");
    LB_TRY(check_sealed(parcel->sealed));
    LB_ENSURE(protobuf_c_message_get_packed_size(&parcel->base) <=
                  LB_MAX_PARCEL_BYTES + MAX_OPEN_BYTES,
              LB_TOO_LARGE, "parcel");
    LB_ENSURE(parcel->expires_unix_s <= now + LB_PARCEL_LIFE_S, LB_MALFORMED,
              "a parcel's end is too far ahead");
    LB_ENSURE(is_listed(outbox, parcel->recipient, kind), LB_PEER_UNLISTED,
              "no such recipient of a parcel");
    return LB_OK;
}

lb_status lb_parcel_check_entry(const Lianban__V1__RoutedParcel *routed,
                                const struct lb_checkpoint *checkpoint)
{
    struct lb_leaf leaf;
    struct lb_hash hash;
    uint8_t digest[LB_SHA256_BYTES];
    LB_TRY(lb_link_verify(routed->entry, checkpoint, &leaf, &hash));
    lb_sha256(lb_pb_span(routed->parcel->sealed->ciphertext), digest);
    LB_ENSURE(leaf.type == LB_LEAF_PARCEL && strcmp(leaf.code, "SENT") == 0 &&
                  memcmp(leaf.txn, routed->parcel->name.data, sizeof(leaf.txn)) == 0 &&
                  memcmp(leaf.request_hash, digest, sizeof(digest)) == 0,
              LB_RECEIPT_INVALID, "the entry is about another parcel");
    return LB_OK;
}

lb_status lb_party_checkpoint(const struct lb_outbox *outbox, const char *party,
                              const Lianban__V1__LogProgress *log, struct lb_checkpoint *out)
{
    struct lb_directory *directory = lb_trust_directory(outbox->options.trust);
    const struct lb_node *node = lb_directory_node(directory, party);
    struct lb_watch watch;
    lb_status status = LB_FAULT(LB_RECEIPT_INVALID, "an entry of who keeps no log");
    if (log == NULL)
        status = LB_FAULT(LB_MALFORMED, "an entry without its log");
    else if (node != NULL && node->log_origin != NULL)
        status = lb_watch_init(&watch, node->log_origin, node->log_key, 0, NULL);
    if (status == LB_OK) {
        status = lb_watch_check(&watch, log, out);
        lb_watch_cleanup(&watch);
    }
    lb_directory_unref(directory);
    return status;
}

/* --- receipts --- */

bool lb_verdict_is_final(enum lb_code code)
{
    switch (code) {
    case LB_MALFORMED:
    case LB_TOO_LARGE:
    case LB_SEAL_BROKEN:
    case LB_PARCEL_CHANGED:
    case LB_PARCEL_EXPIRED:
    case LB_PEER_UNLISTED:
    case LB_INTAKE_CLOSED:
    case LB_FORM_UNKNOWN:
    case LB_PART_UNKNOWN:
    case LB_OPERATOR_TOKEN_INVALID:
    case LB_VERSION_UNSUPPORTED:
        return true;
    default:
        return false;
    }
}

static lb_status read_code(const char *text, struct verdict *out)
{
    *out = (struct verdict){.delivered = strcmp(text, "DELIVERED") == 0};
    if (out->delivered)
        return LB_OK;
    LB_ENSURE(lb_code_by_name(text, strlen(text), &out->code) && out->code != LB_CODE_OK &&
                  lb_code_outer(out->code) == out->code,
              LB_MALFORMED, "a receipt with an unknown or an inner code");
    return LB_OK;
}

/* A recipient that had the name before, in another sealing, has an entry about that one: its
 * request_hash is for the sender to compare, who knows all the sealings there are. */
static lb_status check_leaf(const Lianban__V1__ParcelReceipt *receipt, const struct lb_leaf *leaf,
                            bool delivered)
{
    char ended[sizeof("ENDED_") + LB_MAX_CODE_BYTES];
    (void)snprintf(ended, sizeof(ended), "ENDED_%.*s", LB_MAX_CODE_BYTES - 1, receipt->code);
    bool says = strcmp(leaf->code, receipt->code) == 0 ||
                (!delivered && strcmp(leaf->code, ended) == 0);
    LB_ENSURE(leaf->type == LB_LEAF_PARCEL && says &&
                  memcmp(leaf->txn, receipt->name.data, sizeof(leaf->txn)) == 0,
              LB_RECEIPT_INVALID, "the entry is about something else");
    return LB_OK;
}

lb_status lb_verdict_read(const Lianban__V1__ParcelReceipt *receipt, const char *recipient,
                          const struct lb_checkpoint *checkpoint, struct verdict *out)
{
    struct lb_leaf leaf;
    LB_ENSURE(receipt->name.len == PARCEL_NAME_BYTES &&
                  strlen(receipt->sender) < LB_MAX_SPIFFE_BYTES,
              LB_MALFORMED, "a receipt for nothing");
    LB_ENSURE(strcmp(receipt->recipient, recipient) == 0, LB_MALFORMED,
              "a receipt of somebody else's");
    LB_TRY(read_code(receipt->code, out));
    LB_ENSURE(receipt->entry != NULL || !out->delivered, LB_RECEIPT_INVALID,
              "delivered without an entry");
    if (receipt->entry == NULL)
        return LB_OK;
    LB_ENSURE(checkpoint != NULL, LB_MALFORMED, "an entry without its log");
    LB_TRY(lb_link_verify(receipt->entry, checkpoint, &leaf, &out->entry));
    out->has_entry = true;
    return check_leaf(receipt, &leaf, out->delivered);
}
