#include <string.h>

#include "gateway/base/limits.h"
#include "gateway/exchange/inside.h"
#include "gateway/json/json.h"
#include "gateway/token/grant.h"
#include "gateway/wire/pb.h"

/* What the broker can judge: the caller, the operator, the form, and that every grant is signed by
 * a listed issuer for this very requester. The rest is the provider's. */

struct check {
    struct lb_collect *collect;
    struct lb_directory *directory;
    const char *organization;      /* the caller's */
    const char *last_grant;        /* the grant judged last: a household sends one many times */
};

static lb_status check_operator(struct check *check, struct lb_operator *out)
{
    struct lb_collect *collect = check->collect;
    struct lb_operator_cache *cache = collect->exchange->operators;
    int64_t now = lb_clock_unix_s(collect->exchange->options.clock);
    struct lb_operator_read read;
    LB_ENSURE(collect->operator_token.len > 0 &&
                  collect->operator_token.len <= LB_MAX_TOKEN_BYTES,
              LB_OPERATOR_TOKEN_INVALID, "no operator token");
    LB_TRY(lb_operator_cache_read(cache, collect->operator_token, now, collect->arena, &read));
    LB_ENSURE(strcmp(read.claims.organization, check->organization) == 0,
              LB_OPERATOR_TOKEN_INVALID, "operator belongs to another organization");
    const struct lb_issuer *issuer =
        lb_directory_issuer(check->directory, read.claims.organization, read.claims.kid);
    LB_ENSURE(issuer != NULL && (issuer->kinds & LB_ISSUES_OPERATOR) != 0,
              LB_OPERATOR_TOKEN_INVALID, "issuer does not issue operator tokens");
    LB_TRY(lb_operator_cache_check(cache, &read, issuer->key, now, collect->arena));
    *out = read.claims;
    return LB_OK;
}

static lb_status check_form(const struct check *check)
{
    const Lianban__V1__CollectRequest *request = check->collect->request;
    const struct lb_offered_form *form =
        lb_exchange_form(check->collect->exchange, request->form, request->form_version);
    LB_ENSURE(form != NULL && request->form_version != 0 &&
                  lb_span_eq(lb_pb_span(request->form_sha256), lb_span_of(form->sha256, 32)),
              LB_FORM_UNKNOWN, "form is not offered");
    return LB_OK;
}

static lb_status check_grant(struct check *check, const char *jwt)
{
    struct lb_arena *arena = check->collect->arena;
    struct lb_grant grant;
    if (check->last_grant != NULL && strcmp(check->last_grant, jwt) == 0)
        return LB_OK;
    LB_ENSURE(strlen(jwt) <= LB_MAX_GRANT_BYTES, LB_TOO_LARGE, "grant is too large");
    LB_TRY(lb_grant_peek(lb_span_str(jwt), arena, &grant));
    const struct lb_issuer *issuer =
        lb_directory_issuer(check->directory, grant.issuer, grant.kid);
    LB_ENSURE(issuer != NULL, LB_ISSUER_UNKNOWN, "issuer is not listed");
    LB_TRY(lb_grant_check_signature(&grant, issuer->key));
    LB_TRY(lb_grant_check_time(&grant, lb_clock_unix_s(check->collect->exchange->options.clock)));
    LB_ENSURE(strcmp(grant.requester, check->organization) == 0, LB_WRONG_REQUESTER,
              "grant belongs to another organization");
    check->last_grant = jwt;
    return LB_OK;
}

/* Views become part of a leaf as they stand. */
static bool is_view_id(const char *id)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789.-";
    size_t len = strlen(id);
    return len > 0 && len <= LB_MAX_NAME_BYTES && strspn(id, letters) == len;
}

/* Everything has its bound, so that no read can keep a frame from being sent. */
static lb_status check_shape(const Lianban__V1__ReadRequest *read)
{
    const Lianban__V1__Sealed *sealed = read->sealed;
    LB_ENSURE(read->txn.len == 16 && sealed != NULL && read->n_views >= 1 &&
                  read->n_views <= LB_MAX_VIEWS_PER_SECTION,
              LB_MALFORMED, "a read without its parts");
    for (size_t i = 0; i < read->n_views; i++)
        LB_ENSURE(is_view_id(read->views[i]), LB_MALFORMED, "a view id is none");
    LB_ENSURE(sealed->enc.len == 32 && sealed->sender_key.len == 32 &&
                  strlen(sealed->key_id) <= LB_MAX_NAME_BYTES,
              LB_MALFORMED, "a key is not 32 bytes, or its name too long");
    LB_ENSURE(read->answer_bytes <= LB_MAX_ANSWER_BYTES, LB_MALFORMED,
              "answer size is out of range");
    LB_ENSURE(sealed->ciphertext.len <= LB_MAX_SEALED_BYTES, LB_TOO_LARGE,
              "sealed request is too large");
    return LB_OK;
}

static lb_status check_read(struct check *check, const Lianban__V1__ReadRequest *read)
{
    LB_TRY(check_shape(read));
    LB_ENSURE(strcmp(read->requester, check->collect->caller) == 0, LB_WRONG_REQUESTER,
              "caller is not the requester");
    const struct lb_node *node = lb_directory_node(check->directory, read->audience);
    LB_ENSURE(node != NULL && node->kind == LB_NODE_ADAPTER, LB_WRONG_AUDIENCE,
              "audience is not a listed adapter");
    return check_grant(check, read->grant);
}

/* Two reads under one txn in one request could not be told apart on the way back. */
static lb_status check_distinct(const Lianban__V1__CollectRequest *request)
{
    for (size_t i = 0; i < request->n_reads; i++) {
        for (size_t k = 0; k < i; k++)
            LB_ENSURE(memcmp(request->reads[i]->txn.data, request->reads[k]->txn.data, 16) != 0,
                      LB_REPLAY, "txn is used twice");
    }
    return LB_OK;
}

static lb_status write_detail(struct check *check, const struct lb_operator *operator_claims)
{
    struct lb_collect *collect = check->collect;
    LB_DEFER(lb_json_freep) struct lb_json *detail = lb_json_object();
    lb_json_set_cstr(detail, "requester", collect->caller);
    lb_json_set_cstr(detail, "actor", operator_claims->person);
    lb_json_set_cstr(detail, "unit", operator_claims->unit);
    lb_json_set_cstr(detail, "form", collect->request->form);
    return lb_json_dump(detail, LB_JSON_COMPACT, collect->arena, &collect->detail);
}

static lb_status check_all(struct check *check)
{
    struct lb_collect *collect = check->collect;
    const struct lb_node *node = lb_directory_node(check->directory, collect->caller);
    struct lb_operator operator_claims;
    LB_ENSURE(node != NULL && node->kind == LB_NODE_WINDOW, LB_ROLE_NOT_ALLOWED,
              "only windows collect");
    check->organization = node->organization;
    LB_TRY(lb_log_may_release(collect->exchange->options.log));
    LB_TRY(lb_pb_unpack(&lianban__v1__collect_request__descriptor, collect->request_bytes,
                        collect->arena, &collect->request));
    LB_ENSURE(collect->request->n_reads >= 1 &&
                  collect->request->n_reads <= LB_MAX_READS_PER_COLLECT,
              LB_MALFORMED, "number of reads is out of range");
    LB_TRY(check_operator(check, &operator_claims));
    LB_TRY(check_form(check));
    for (size_t i = 0; i < collect->request->n_reads; i++)
        LB_TRY(check_read(check, collect->request->reads[i]));
    LB_TRY(check_distinct(collect->request));
    return write_detail(check, &operator_claims);
}

lb_status lb_collect_check(struct lb_collect *collect)
{
    struct check check = {.collect = collect,
                          .directory = lb_trust_directory(collect->exchange->options.trust)};
    lb_status status = check_all(&check);
    lb_directory_unref(check.directory);
    return status;
}
