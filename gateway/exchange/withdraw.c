#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/crypto/hash.h"
#include "gateway/exchange/inside.h"
#include "gateway/json/json.h"
#include "gateway/token/grant.h"
#include "gateway/token/revocation.h"

/* Where what ends grants comes in: an office's list, and a citizen's own withdrawal. The broker
 * checks both as the adapters will, so that nobody can make it carry rubbish to them. */

/* --- an issuer's list --- */

static lb_status open_list(struct lb_exchange *exchange, struct lb_span token,
                           struct lb_arena *arena, struct lb_status_list **out)
{
    const char *organization = NULL, *kid = NULL;
    LB_TRY(lb_status_list_peek(token, arena, &organization, &kid));
    struct lb_directory *directory = lb_trust_directory(exchange->options.trust);
    const struct lb_issuer *issuer = lb_directory_issuer(directory, organization, kid);
    lb_status status = LB_FAULT(LB_ISSUER_UNKNOWN, "issuer is not listed");
    struct lb_status_list *list = NULL;
    if (issuer != NULL)
        status = lb_status_list_open(token, issuer->key, &list);
    if (status == LB_OK && strcmp(lb_status_list_uri(list), issuer->status_uri) != 0)
        status = LB_FAULT(LB_GRANT_MALFORMED, "list under another URI than the directory's");
    lb_directory_unref(directory);
    if (status == LB_OK)
        *out = list;
    else
        lb_status_list_unref(list);
    return status;
}

lb_status lb_exchange_relay_status(struct lb_exchange *exchange, struct lb_span token,
                                   int64_t timeout_ms, struct lb_arena *arena,
                                   Lianban__V1__RelayStatusResponse **out)
{
    struct lb_status_list *list = NULL;
    LB_ENSURE(token.len <= LB_MAX_STATUS_LIST_BYTES, LB_TOO_LARGE, "status list is too large");
    LB_TRY(open_list(exchange, token, arena, &list));
    const struct lb_relay_ask ask = {
        .token = token,
        .uri = lb_status_list_uri(list),
        .seq = lb_status_list_seq(list),
        .cut = lb_cut_by_list,
        .ended = list,
        .timeout_ms = timeout_ms,
    };
    lb_status status = lb_relay_run(exchange, &ask, arena, out);
    lb_status_list_unref(list);
    return status;
}

/* --- a citizen's withdrawal --- */

static lb_status verify_grant(struct lb_exchange *exchange, struct lb_span jwt,
                              struct lb_arena *arena, struct lb_grant *out)
{
    struct lb_grant peek;
    LB_ENSURE(jwt.len <= LB_MAX_GRANT_BYTES, LB_TOO_LARGE, "grant is too large");
    LB_TRY(lb_grant_peek(jwt, arena, &peek));
    struct lb_directory *directory = lb_trust_directory(exchange->options.trust);
    const struct lb_issuer *issuer = lb_directory_issuer(directory, peek.issuer, peek.kid);
    lb_status status = issuer == NULL ? LB_FAULT(LB_ISSUER_UNKNOWN, "issuer is not listed")
                                      : lb_grant_check_signature(&peek, issuer->key);
    lb_directory_unref(directory);
    LB_TRY(status);
    *out = peek;
    return LB_OK;
}

/* That it passed here is evidence, before any adapter hears of it. */
static lb_status record(struct lb_exchange *exchange, const struct lb_grant *grant,
                        const uint8_t sha256[32], struct lb_arena *arena)
{
    struct lb_log_entry *entry = lb_arena_alloc(arena, sizeof(*entry));
    LB_ENSURE(entry != NULL, LB_NO_MEMORY, "arena is full");
    entry->leaf =
        (struct lb_leaf){.type = LB_LEAF_ADMIN, .code = "WITHDRAWAL_RELAYED", .count = 1};
    memcpy(entry->leaf.request_hash, sha256, sizeof(entry->leaf.request_hash));
    LB_DEFER(lb_json_freep) struct lb_json *detail = lb_json_object();
    lb_json_set_cstr(detail, "issuer", grant->issuer);
    lb_json_set_cstr(detail, "grant", grant->jti);
    LB_TRY(lb_json_dump(detail, LB_JSON_COMPACT, arena, &entry->detail));
    return lb_log_append_wait(exchange->options.log, entry);
}

static lb_status is_known(struct lb_exchange *exchange, const uint8_t sha256[32], int64_t now,
                          bool *out_known)
{
    (void)pthread_mutex_lock(&exchange->lock);
    lb_ending_purge(exchange, now);
    bool known = lb_ending_by_sha256(exchange, sha256) != NULL;
    bool room = known || lb_ending_has_room(exchange);
    (void)pthread_mutex_unlock(&exchange->lock);
    LB_ENSURE(room, LB_BUSY, "too many withdrawals");
    *out_known = known;
    return LB_OK;
}

lb_status lb_exchange_relay_revocation(struct lb_exchange *exchange, struct lb_span grant,
                                       struct lb_span token, int64_t timeout_ms,
                                       struct lb_arena *arena,
                                       Lianban__V1__RelayStatusResponse **out)
{
    struct lb_grant verified;
    uint8_t sha256[32];
    int64_t now = lb_clock_unix_s(exchange->options.clock);
    LB_TRY(verify_grant(exchange, grant, arena, &verified));
    LB_ENSURE(now < verified.exp, LB_GRANT_EXPIRED, "grant is over anyway");
    LB_TRY(lb_revocation_verify(token, &verified, now, arena));
    lb_sha256(token, sha256);
    bool known = false;
    LB_TRY(is_known(exchange, sha256, now, &known));
    if (!known) {
        LB_TRY(record(exchange, &verified, sha256, arena));
        LB_TRY(lb_kept_add(exchange, sha256, grant, token, verified.exp));
    }
    const struct lb_relay_ask ask = {
        .token = token,
        .grant = grant,
        .expires_unix_s = verified.exp,
        .cut = lb_cut_by_withdrawal,
        .ended = &verified,
        .timeout_ms = timeout_ms,
    };
    return lb_relay_run(exchange, &ask, arena, out);
}
