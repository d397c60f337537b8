#include <string.h>

#include "adapters/serve/job.h"
#include "gateway/crypto/hash.h"
#include "gateway/wire/pb.h"

/* What can be judged without opening anything; every code here is an outer one. */

static lb_status check_shape(const struct lb_read_job *job)
{
    const Lianban__V1__ReadRequest *request = job->request;
    const Lianban__V1__Sealed *sealed = request->sealed;
    LB_ENSURE(request->txn.len == 16, LB_MALFORMED, "txn is not 16 bytes");
    LB_ENSURE(sealed != NULL, LB_MALFORMED, "nothing is sealed");
    LB_ENSURE(sealed->enc.len == 32 && sealed->sender_key.len == 32, LB_MALFORMED,
              "a key is not 32 bytes");
    LB_ENSURE(sealed->ciphertext.len > 16 && sealed->ciphertext.len <= LB_MAX_SEALED_BYTES,
              LB_MALFORMED, "ciphertext has an impossible size");
    LB_ENSURE(request->answer_bytes >= 64 && request->answer_bytes <= LB_MAX_ANSWER_BYTES,
              LB_MALFORMED, "answer size is out of range");
    LB_ENSURE(request->n_views >= 1 && request->n_views <= LB_MAX_VIEWS_PER_SECTION, LB_MALFORMED,
              "number of views is out of range");
    for (size_t i = 0; i < request->n_views; i++) {
        LB_ENSURE(strlen(request->views[i]) <= LB_MAX_NAME_BYTES, LB_MALFORMED, "view id too long");
        LB_ENSURE(i == 0 || strcmp(request->views[i - 1], request->views[i]) < 0, LB_MALFORMED,
                  "views are not sorted");
    }
    LB_ENSURE(strlen(request->requester) < LB_MAX_SPIFFE_BYTES, LB_MALFORMED, "requester too long");
    LB_ENSURE(strlen(request->grant) <= LB_MAX_GRANT_BYTES, LB_TOO_LARGE, "grant is too large");
    return LB_OK;
}

static lb_status check_address(const struct lb_read_job *job)
{
    const struct lb_serve_options *options = &job->serve->options;
    int64_t now = lb_clock_unix_ms(options->clock);
    LB_ENSURE(strcmp(job->request->audience, options->self) == 0, LB_WRONG_AUDIENCE,
              "request is for another instance");
    LB_ENSURE(job->request->deadline_unix_ms > now, LB_DEADLINE, "deadline has passed");
    LB_ENSURE(job->request->deadline_unix_ms <= now + LB_MAX_DEADLINE_MS + LB_CLOCK_SKEW_S * 1000,
              LB_MALFORMED, "deadline is too far away");
    for (size_t i = 0; i < job->request->n_views; i++)
        LB_ENSURE(lb_serve_policy_view(options->policy, job->request->views[i]) != NULL,
                  LB_VIEW_UNKNOWN, "no such view");
    return LB_OK;
}

/* The requester is named by our own policy with its identity key, and the directory knows it under
 * that very key: a directory alone can't put another machine in its place. */
static lb_status check_requester(struct lb_read_job *job)
{
    const char *spiffe = job->request->requester;
    const struct lb_accepted_requester *accepted =
        lb_serve_policy_requester(job->serve->options.policy, spiffe);
    LB_ENSURE(accepted != NULL, LB_REQUESTER_NOT_ALLOWED, "policy does not name the requester");
    const struct lb_node *node = lb_directory_node(job->directory, spiffe);
    LB_ENSURE(node != NULL && node->kind == LB_NODE_WINDOW, LB_PEER_UNLISTED,
              "requester is not listed");
    LB_ENSURE(lb_node_log_follows(node, accepted->log_key), LB_KEY_CHANGED,
              "requester's identity key is not the accepted one, nor handed over by it");
    job->requester_org = node->organization;

    int64_t now = lb_clock_unix_s(job->serve->options.clock);
    const ProtobufCBinaryData *key = &job->request->sealed->sender_key;
    for (size_t i = 0; i < node->num_seal_keys; i++) {
        const struct lb_seal_key_entry *entry = &node->seal_keys[i];
        if (entry->not_after > now && memcmp(entry->public_key, key->data, 32) == 0)
            return LB_OK;
    }
    LB_FAIL(LB_WRONG_REQUESTER, "sender key is not one of the requester's");
}

static bool accepts_key(const struct lb_serve *serve, const char *organization, const char *kid,
                        struct lb_span key)
{
    uint8_t digest[32];
    const struct lb_accepted_issuer *accepted =
        lb_serve_policy_issuer(serve->options.policy, organization, kid);
    lb_sha256(key, digest);
    return accepted != NULL && memcmp(digest, accepted->key_sha256, sizeof(digest)) == 0;
}

lb_status lb_serve_issuer(const struct lb_serve *serve, const struct lb_directory *directory,
                          const char *organization, const char *kid,
                          const struct lb_issuer **out_issuer)
{
    const struct lb_issuer *issuer = lb_directory_issuer(directory, organization, kid);
    LB_ENSURE(issuer != NULL, LB_ISSUER_UNKNOWN, "issuer is not listed");
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    size_t len = lb_verify_key_raw(issuer->key, raw);
    bool accepted = accepts_key(serve, organization, kid, lb_span_of(raw, len));
    for (size_t i = 0; i < issuer->num_former && !accepted; i++) {
        const struct lb_former_key *former = &issuer->former[i];
        accepted = accepts_key(serve, organization, former->kid,
                               lb_span_of(former->raw, former->raw_len));
    }
    LB_ENSURE(accepted, LB_ISSUER_INERT,
              "policy names neither the issuer's key nor one that handed over to it");
    *out_issuer = issuer;
    return LB_OK;
}

/* What was used of older grants is not known here any more; and an issuer's clock may be ahead. */
static lb_status check_recovery(const struct lb_read_job *job)
{
    int64_t recovered = job->serve->options.recovered_unix_s;
    LB_ENSURE(recovered == 0 || job->grant.iat > recovered + LB_CLOCK_SKEW_S,
              LB_GRANT_BEFORE_RECOVERY, "grant is older than what is remembered");
    return LB_OK;
}

static lb_status is_of_log_key(const struct lb_read_job *job, const uint8_t key[32], bool *out_is)
{
    uint8_t thumbprint[32];
    LB_TRY(lb_jwk_thumbprint_ed25519(key, job->arena, thumbprint));
    *out_is = *out_is || memcmp(thumbprint, job->grant.cnf_jkt, sizeof(thumbprint)) == 0;
    return LB_OK;
}

/* A grant is bound to the key that sealed, or, as standing ones are, to the log key of the node
 * whose sealing key that is: the directory has them only with its signature. Which of both it must
 * be depends on the section (section.c). */
static lb_status check_binding(struct lb_read_job *job)
{
    uint8_t thumbprint[32];
    const struct lb_node *node = lb_directory_node(job->directory, job->request->requester);
    LB_TRY(lb_jwk_thumbprint_x25519(job->request->sealed->sender_key.data, job->arena,
                                    thumbprint));
    if (memcmp(thumbprint, job->grant.cnf_jkt, sizeof(thumbprint)) == 0)
        return LB_OK;
    LB_ENSURE(node != NULL && node->log_origin != NULL, LB_WRONG_REQUESTER,
              "grant is bound to another key");
    LB_TRY(is_of_log_key(job, node->log_key, &job->bound_to_node));
    for (size_t i = 0; i < node->num_former; i++)
        LB_TRY(is_of_log_key(job, node->former[i].raw, &job->bound_to_node));
    LB_ENSURE(job->bound_to_node, LB_WRONG_REQUESTER, "grant is bound to another key");
    return LB_OK;
}

static lb_status check_grant(struct lb_read_job *job)
{
    int64_t now = lb_clock_unix_s(job->serve->options.clock);
    struct lb_serve_grants *grants = job->serve->grants;
    struct lb_read_grant read;
    struct lb_grant grant;
    LB_TRY(lb_serve_grants_read(grants, lb_span_str(job->request->grant), now, job->arena, &grant,
                                &read));
    LB_TRY(lb_serve_issuer(job->serve, job->directory, grant.issuer, grant.kid, &job->issuer));
    LB_TRY(lb_serve_grants_check(grants, &read, &grant, job->issuer->key, job->arena));
    job->grant = grant;
    job->grant_known = true;
    LB_TRY(lb_grant_check_time(&job->grant, now));
    LB_TRY(check_recovery(job));
    LB_ENSURE(strcmp(job->grant.requester, job->requester_org) == 0, LB_WRONG_REQUESTER,
              "grant belongs to another organization");
    /* Only consent has a status; section.c judges what else a requester may sign. */
    LB_ENSURE(job->grant.status_uri == NULL ||
                  strcmp(job->grant.issuer, job->requester_org) != 0,
              LB_SELF_CONSENT, "the requester signed its own consent");
    LB_TRY(check_binding(job));
    return lb_serve_check_status(job->serve, &job->grant, 0);
}

lb_status lb_read_check(struct lb_read_job *job)
{
    LB_TRY(check_shape(job));
    LB_TRY(check_address(job));
    LB_TRY(lb_log_may_release(job->serve->options.log));
    LB_TRY(check_requester(job));
    LB_TRY(lb_read_closed(job));
    return check_grant(job);
}
