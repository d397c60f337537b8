#include "gateway/services/access.h"

static lb_status verify(void *ctx, const struct lb_rpc_peer *peer)
{
    return lb_trust_verify_peer(ctx, peer->spiffe, peer->chain_pem);
}

/* A certificate that no CA of ours signed may carry any name, and another each time: it is counted
 * without one, or whoever reaches the port could fill the log. */
static bool has_name(const struct lb_access *access, const struct lb_rpc_peer *peer,
                     lb_status refusal)
{
    struct lb_directory *directory = lb_trust_directory(access->trust);
    bool listed = lb_directory_node(directory, peer->spiffe) != NULL;
    lb_directory_unref(directory);
    return listed || refusal->code == LB_PEER_UNLISTED; /* the chain was verified for that */
}

static lb_status verify_and_count(void *ctx, const struct lb_rpc_peer *peer)
{
    const struct lb_access *access = ctx;
    lb_status status = verify(access->trust, peer);
    if (status == LB_OK)
        lb_sightings_note(access->sightings, peer);
    else
        lb_meter_count(access->meter, LB_METER_REFUSED, status->code);
    if (status != LB_OK && access->log != NULL)
        lb_log_count_denial(access->log, has_name(access, peer, status) ? peer->spiffe : "",
                            lb_code_outer(status->code));
    return status;
}

struct lb_rpc_verifier lb_access_counting_verifier(struct lb_access *access)
{
    return (struct lb_rpc_verifier){access, verify_and_count};
}

struct lb_rpc_verifier lb_access_verifier(struct lb_trust *trust)
{
    return (struct lb_rpc_verifier){trust, verify};
}

lb_status lb_access_need(struct lb_trust *trust, const struct lb_rpc_peer *peer, unsigned kinds)
{
    struct lb_directory *directory = lb_trust_directory(trust);
    const struct lb_node *node = lb_directory_node(directory, peer->spiffe);
    bool allowed = node != NULL && (kinds & 1U << node->kind) != 0;
    lb_directory_unref(directory);
    LB_ENSURE(allowed, LB_ROLE_NOT_ALLOWED, "this kind of member may not call this method");
    return LB_OK;
}

lb_status lb_access_need_officer(struct lb_trust *trust, const struct lb_rpc_peer *peer,
                                 const char *organization)
{
    LB_TRY(lb_access_need(trust, peer, 1U << LB_NODE_OFFICER));
    struct lb_directory *directory = lb_trust_directory(trust);
    const struct lb_node *node = lb_directory_node(directory, peer->spiffe);
    bool own = node != NULL && strcmp(node->organization, organization) == 0;
    lb_directory_unref(directory);
    LB_ENSURE(own, LB_ROLE_NOT_ALLOWED, "officer of another organization");
    return LB_OK;
}

#define OPERATORS (1U << LB_NODE_BROKER | 1U << LB_NODE_OFFICER)

lb_status lb_access_need_operator(struct lb_trust *trust, struct lb_log *log, const char *peer,
                                  const char *organization)
{
    struct lb_directory *directory = lb_trust_directory(trust);
    const struct lb_node *node = lb_directory_node(directory, peer);
    bool allowed = node != NULL && (OPERATORS & 1U << node->kind) != 0 &&
                   strcmp(node->organization, organization) == 0;
    lb_directory_unref(directory);
    if (allowed)
        return LB_OK;
    lb_log_count_denial(log, peer, LB_ROLE_NOT_ALLOWED);
    LB_FAIL(LB_ROLE_NOT_ALLOWED, "not of the federation's operator");
}
