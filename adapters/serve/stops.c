#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/serve/job.h"
#include "gateway/base/utf8.h"
#include "gateway/crypto/hash.h"
#include "gateway/json/json.h"
#include "gateway/token/revocation.h"

/* What ends a grant at this adapter whatever its issuer says: the citizen's own key, and the
 * department's own officer. Each is an entry, and the memory of it commits with that entry. */

/* A grant's end is not known to the officer who stops it; nobody presents one after so long. */
#define STOP_KEEP_S (INT64_C(20) * 366 * 86400)

struct stop {
    struct lb_serve *serve;
    uint8_t grant_id[32];
    int64_t expires_unix_s;
};

void lb_serve_grant_id(const char *issuer, const char *jti, uint8_t out[32])
{
    const struct lb_span parts[] = {lb_span_str("grant"), lb_span_str(issuer), lb_span_of("", 1),
                                    lb_span_str(jti)};
    lb_sha256_parts(parts, 4, out);
}

lb_status lb_serve_record_ack(struct lb_serve *serve, struct lb_log_entry *entry,
                              struct lb_serve_ack *ack)
{
    LB_TRY(lb_log_append_wait(serve->options.log, entry));
    LB_TRY(entry->refused);
    ack->index = entry->index;
    ack->leaf_len = entry->leaf_len;
    memcpy(ack->leaf, entry->leaf_bytes, entry->leaf_len);
    return LB_OK;
}

static lb_status remember(struct lb_log_entry *entry, struct lb_store *store)
{
    const struct stop *stop = entry->owner;
    return lb_serve_memory_stop(stop->serve->memory, store, stop->grant_id,
                                stop->expires_unix_s);
}

static lb_status record_stop(struct stop *stop, const char *code, const struct lb_json *detail,
                             struct lb_arena *arena, struct lb_serve_ack *out_ack)
{
    struct lb_log_entry *entry = lb_arena_alloc(arena, sizeof(*entry));
    LB_ENSURE(entry != NULL, LB_NO_MEMORY, "arena is full");
    entry->leaf = (struct lb_leaf){.type = LB_LEAF_ADMIN, .count = 1};
    (void)snprintf(entry->leaf.code, sizeof(entry->leaf.code), "%s", code);
    memcpy(entry->leaf.request_hash, out_ack->sha256, sizeof(entry->leaf.request_hash));
    entry->guard = remember;
    entry->owner = stop;
    LB_TRY(lb_json_dump(detail, LB_JSON_COMPACT, arena, &entry->detail));
    return lb_serve_record_ack(stop->serve, entry, out_ack);
}

/* --- by the citizen --- */

/* As a read's grant is verified, and by the same policy: a stranger's grant ends nothing here. */
static lb_status verify_grant(struct lb_serve *serve, struct lb_span jwt, struct lb_arena *arena,
                              struct lb_grant *out)
{
    struct lb_grant peek;
    const struct lb_issuer *issuer = NULL;
    LB_ENSURE(jwt.len <= LB_MAX_GRANT_BYTES, LB_TOO_LARGE, "grant is too large");
    LB_TRY(lb_grant_peek(jwt, arena, &peek));
    struct lb_directory *directory = lb_trust_directory(serve->options.trust);
    lb_status status = lb_serve_issuer(serve, directory, peek.issuer, peek.kid, &issuer);
    if (status == LB_OK)
        status = lb_grant_check_signature(&peek, issuer->key);
    lb_directory_unref(directory);
    LB_TRY(status);
    *out = peek;
    return LB_OK;
}

lb_status lb_serve_withdraw(struct lb_serve *serve, struct lb_span grant, struct lb_span token,
                            struct lb_arena *arena, struct lb_serve_ack *out_ack)
{
    struct lb_grant verified;
    int64_t now = lb_clock_unix_s(serve->options.clock);
    memset(out_ack, 0, sizeof(*out_ack));
    lb_sha256(token, out_ack->sha256);
    LB_TRY(verify_grant(serve, grant, arena, &verified));
    LB_ENSURE(now < verified.exp, LB_GRANT_EXPIRED, "grant is over anyway");
    LB_TRY(lb_revocation_verify(token, &verified, now, arena));
    struct stop stop = {.serve = serve, .expires_unix_s = verified.exp};
    lb_serve_grant_id(verified.issuer, verified.jti, stop.grant_id);
    LB_DEFER(lb_json_freep) struct lb_json *detail = lb_json_object();
    lb_json_set_cstr(detail, "issuer", verified.issuer);
    lb_json_set_cstr(detail, "grant", verified.jti);
    lb_json_set_cstr(detail, "by", "subject");
    return record_stop(&stop, "GRANT_WITHDRAWN", detail, arena, out_ack);
}

/* --- by the department --- */

lb_status lb_serve_stop(struct lb_serve *serve, const char *by,
                        const Lianban__V1__StopGrantRequest *request, struct lb_arena *arena,
                        struct lb_serve_ack *out_ack)
{
    memset(out_ack, 0, sizeof(*out_ack));
    LB_ENSURE(lb_utf8_line(request->issuer, LB_MAX_NAME_BYTES) &&
                  lb_utf8_line(request->grant_id, LB_MAX_NAME_BYTES),
              LB_MALFORMED, "issuer or grant is none");
    LB_ENSURE(lb_utf8_line(request->reason, LB_MAX_VALUE_BYTES), LB_MALFORMED,
              "a grant is stopped for a reason");
    struct stop stop = {
        .serve = serve,
        .expires_unix_s = lb_clock_unix_s(serve->options.clock) + STOP_KEEP_S,
    };
    lb_serve_grant_id(request->issuer, request->grant_id, stop.grant_id);
    memcpy(out_ack->sha256, stop.grant_id, sizeof(out_ack->sha256));
    LB_DEFER(lb_json_freep) struct lb_json *detail = lb_json_object();
    lb_json_set_cstr(detail, "issuer", request->issuer);
    lb_json_set_cstr(detail, "grant", request->grant_id);
    lb_json_set_cstr(detail, "by", by);
    lb_json_set_cstr(detail, "reason", request->reason);
    return record_stop(&stop, "GRANT_STOPPED", detail, arena, out_ack);
}
