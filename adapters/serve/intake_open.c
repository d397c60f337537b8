#include <string.h>

#include "adapters/serve/intake_state.h"
#include "gateway/crypto/hash.h"
#include "gateway/wire/pb.h"

/* A parcel as it comes: what can be judged from the outside, and the seal. */

static lb_status check_shape(const struct lb_intake_job *job)
{
    const Lianban__V1__Parcel *wire = job->wire;
    const Lianban__V1__Sealed *sealed = wire->sealed;
    LB_ENSURE(strlen(wire->sender) < LB_MAX_SPIFFE_BYTES, LB_MALFORMED, "sender too long");
    LB_ENSURE(strcmp(wire->recipient, job->intake->serve->options.self) == 0, LB_MALFORMED,
              "parcel is for another instance");
    LB_ENSURE(sealed != NULL, LB_MALFORMED, "nothing is sealed");
    LB_ENSURE(sealed->enc.len == LB_HPKE_ENC_BYTES && sealed->sender_key.len == LB_X25519_BYTES,
              LB_MALFORMED, "a key is not 32 bytes");
    LB_ENSURE(sealed->seq == 0, LB_MALFORMED, "a parcel's context is used once");
    LB_ENSURE(strlen(sealed->key_id) <= LB_MAX_NAME_BYTES, LB_MALFORMED, "key id too long");
    LB_ENSURE(sealed->ciphertext.len <= LB_MAX_PARCEL_BYTES, LB_TOO_LARGE, "parcel is too large");
    return LB_OK;
}

/* Whether the policy names the sender is judged behind the seal: what was taken before keeps its
 * receipt. */
static lb_status check_sender(struct lb_intake_job *job)
{
    const struct lb_node *node = lb_directory_node(job->directory, job->wire->sender);
    LB_ENSURE(node != NULL && node->kind == LB_NODE_WINDOW, LB_PEER_UNLISTED,
              "sender is not listed");
    job->organization = node->organization;
    int64_t now = lb_clock_unix_s(job->intake->serve->options.clock);
    struct lb_span sent = lb_pb_span(job->wire->sealed->sender_key);
    for (size_t i = 0; i < node->num_seal_keys; i++) {
        const struct lb_seal_key_entry *entry = &node->seal_keys[i];
        if (lb_node_seal_key(node, entry->id, now) == entry &&
            lb_span_eq(sent, lb_span_of(entry->public_key, LB_X25519_BYTES)))
            return LB_OK;
    }
    LB_FAIL(LB_KEY_RETIRED, "sender key is not one of the sender's now");
}

static lb_status open_seal(struct lb_intake_job *job)
{
    const Lianban__V1__Parcel *wire = job->wire;
    LB_DEFER(lb_own_key_wipe) struct lb_own_key own = {.id = ""};
    struct lb_parcel_cover cover = {
        .sender = wire->sender,
        .recipient = wire->recipient,
        .key_id = wire->sealed->key_id,
        .expires_unix_s = wire->expires_unix_s,
    };
    struct lb_parcel_sealed sealed = {.ciphertext = lb_pb_span(wire->sealed->ciphertext)};
    memcpy(cover.name, wire->name.data, sizeof(cover.name));
    memcpy(sealed.enc, wire->sealed->enc.data, sizeof(sealed.enc));
    LB_TRY(lb_seal_ring_get(job->intake->serve->options.ring, job->directory, cover.key_id, &own));
    return lb_parcel_open(&cover, &own.key, wire->sealed->sender_key.data, &sealed, job->arena,
                          &job->plain);
}

lb_status lb_intake_open_parcel(struct lb_intake_job *job)
{
    LB_TRY(check_shape(job));
    LB_TRY(check_sender(job));
    LB_TRY(open_seal(job));
    Lianban__V1__SealedParcel *parcel = NULL;
    LB_TRY(lb_pb_unpack(&lianban__v1__sealed_parcel__descriptor, job->plain, job->arena, &parcel));
    LB_ENSURE(parcel->version == 1, LB_VERSION_UNSUPPORTED, "sealed parcel of another version");
    job->parcel = parcel;
    return LB_OK;
}
