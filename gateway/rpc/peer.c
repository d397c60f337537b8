#include "gateway/rpc/peer.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/limits.h"

#define SPIFFE_SCHEME "spiffe://"

const struct lb_rpc_peer *lb_rpc_peer_empty(void)
{
    static const struct lb_rpc_peer empty = {"", {NULL, 0}};
    return &empty;
}

static bool is_spiffe(struct lb_span id)
{
    size_t scheme = strlen(SPIFFE_SCHEME);
    return id.len > scheme && id.len < LB_MAX_SPIFFE_BYTES &&
           memcmp(id.ptr, SPIFFE_SCHEME, scheme) == 0 && memchr(id.ptr, 0, id.len) == NULL;
}

/* One block holds the struct, the id and the chain. */
static struct lb_rpc_peer *peer_new(struct lb_span id, struct lb_span leaf, struct lb_span rest)
{
    struct lb_rpc_peer *peer = malloc(sizeof(*peer) + id.len + 1 + leaf.len + rest.len + 1);
    if (peer == NULL)
        return NULL;
    char *text = (char *)(peer + 1);
    char *chain = text + id.len + 1;
    if (id.len > 0)
        memcpy(text, id.ptr, id.len);
    text[id.len] = 0;
    if (leaf.len > 0)
        memcpy(chain, leaf.ptr, leaf.len);
    if (rest.len > 0)
        memcpy(chain + leaf.len, rest.ptr, rest.len);
    chain[leaf.len + rest.len] = 0;
    peer->spiffe = text;
    peer->chain_pem = lb_span_of(chain, leaf.len + rest.len);
    return peer;
}

/* OpenSSL gives a client the whole chain, but a server the chain without its leaf; here the leaf is
 * always first. */
static lb_status make_peer(struct lb_span id, struct lb_span leaf, struct lb_span chain,
                           struct lb_rpc_peer **out_peer)
{
    LB_ENSURE(is_spiffe(id), LB_PEER_UNVERIFIED, "the peer's URI SAN is no SPIFFE id");
    LB_ENSURE(leaf.len > 0, LB_PEER_UNVERIFIED, "the peer's certificate is not known");
    if (chain.len >= leaf.len && memcmp(chain.ptr, leaf.ptr, leaf.len) == 0)
        leaf = LB_SPAN_EMPTY;
    LB_ENSURE(leaf.len <= LB_MAX_PEM_BYTES && chain.len <= LB_MAX_PEM_BYTES - leaf.len,
              LB_TOO_LARGE, "the peer's certificate chain is too long");
    struct lb_rpc_peer *peer = peer_new(id, leaf, chain);
    LB_ENSURE(peer != NULL, LB_NO_MEMORY, "peer");
    *out_peer = peer;
    return LB_OK;
}

lb_status lb_rpc_peer_of_handshake(const grpc_tls_custom_verification_check_request *request,
                                   struct lb_rpc_peer **out_peer)
{
    LB_ENSURE(request->peer_info.san_names.uri_names_size == 1, LB_PEER_UNVERIFIED,
              "the peer's certificate has not exactly one URI SAN");
    return make_peer(lb_span_str(request->peer_info.san_names.uri_names[0]),
                     lb_span_str(request->peer_info.peer_cert),
                     lb_span_str(request->peer_info.peer_cert_full_chain), out_peer);
}

/* The value of a property that occurs exactly once; the empty span otherwise. */
static struct lb_span only_property(const grpc_auth_context *context, const char *name)
{
    grpc_auth_property_iterator all = grpc_auth_context_find_properties_by_name(context, name);
    const grpc_auth_property *first = grpc_auth_property_iterator_next(&all);
    if (first == NULL || grpc_auth_property_iterator_next(&all) != NULL)
        return LB_SPAN_EMPTY;
    return lb_span_of(first->value, first->value_length);
}

static void release_context(grpc_auth_context **context)
{
    if (*context != NULL)
        grpc_auth_context_release(*context);
}

lb_status lb_rpc_peer_of_call(grpc_call *call, struct lb_rpc_peer **out_peer)
{
    LB_DEFER(release_context) grpc_auth_context *context = grpc_call_auth_context(call);
    LB_ENSURE(context != NULL, LB_PEER_UNVERIFIED, "the call has no authentication context");
    struct lb_span uri = only_property(context, GRPC_PEER_URI_PROPERTY_NAME);
    struct lb_span id = only_property(context, GRPC_PEER_SPIFFE_ID_PROPERTY_NAME);
    LB_ENSURE(lb_span_eq(uri, id), LB_PEER_UNVERIFIED,
              "the peer's certificate has not exactly one URI SAN");
    return make_peer(id, only_property(context, GRPC_X509_PEM_CERT_PROPERTY_NAME),
                     only_property(context, GRPC_X509_PEM_CERT_CHAIN_PROPERTY_NAME), out_peer);
}

struct lb_rpc_peer *lb_rpc_peer_copy(const struct lb_rpc_peer *peer)
{
    return peer_new(lb_span_str(peer->spiffe), peer->chain_pem, LB_SPAN_EMPTY);
}
