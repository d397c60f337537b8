#include "gateway/services/review_service.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/hex.h"
#include "gateway/base/wipe.h"
#include "gateway/crypto/hash.h"
#include "gateway/evidence/link.h"
#include "gateway/json/json.h"
#include "gateway/services/access.h"
#include "gateway/wire/pb.h"
#include "policy/engine/idno.h"

#define COMMITMENT_LABEL "lianban review v1"
#define SALT_BYTES 32
#define SUBJECT_BYTES 32
#define MAX_QUERY_BYTES 2048
#define MAX_REASON_BYTES 512

/* --- what is asked --- */

static bool is_kind(const char *kind)
{
    size_t len = strspn(kind, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    return len > 0 && kind[len] == 0 && len < LB_MAX_CODE_BYTES;
}

/* One line without control characters. */
static bool is_line(const char *text, size_t max)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7F)
            return false;
    }
    return len <= max;
}

static lb_status check(const Lianban__V1__RecordReviewRequest *ask)
{
    LB_ENSURE(is_kind(ask->kind), LB_MALFORMED, "no kind of query");
    LB_ENSURE(is_line(ask->query, MAX_QUERY_BYTES) && is_line(ask->reason, MAX_REASON_BYTES),
              LB_MALFORMED, "query and reason are lines");
    LB_ENSURE(ask->salt.len == SALT_BYTES, LB_MALFORMED, "salt of another length");
    LB_ENSURE(ask->subject.len == 0 || ask->subject.len == SUBJECT_BYTES, LB_MALFORMED,
              "pseudonym of another length");
    LB_ENSURE(ask->subject.len == 0 || ask->id_no[0] == 0, LB_MALFORMED,
              "both a number and a pseudonym");
    return LB_OK;
}

/* Whom it is about. */
struct about {
    size_t num;
    uint8_t names[LB_REVIEW_MAX_NAMES][SUBJECT_BYTES];
};

static lb_status find_names(const struct lb_review_service *service,
                            const Lianban__V1__RecordReviewRequest *ask, struct about *out)
{
    char id_no[19];
    *out = (struct about){.num = ask->subject.len > 0 ? 1 : 0};
    if (ask->subject.len > 0)
        memcpy(out->names[0], ask->subject.data, SUBJECT_BYTES);
    if (ask->id_no[0] == 0)
        return LB_OK;
    LB_ENSURE(service->names.of != NULL, LB_MALFORMED, "this node keeps no pseudonyms");
    LB_ENSURE(lb_idno_normalise(lb_span_str(ask->id_no), id_no) == LB_OK, LB_MALFORMED,
              "no identity number");
    out->num = service->names.of(service->names.ctx, id_no, out->names);
    lb_wipe(id_no, sizeof(id_no));
    return LB_OK;
}

/* --- the entry --- */

static void commit(const Lianban__V1__RecordReviewRequest *ask, uint8_t out[LB_SHA256_BYTES])
{
    const struct lb_span parts[] = {
        lb_span_str(COMMITMENT_LABEL),
        lb_pb_span(ask->salt),
        lb_span_str(ask->query),
    };
    lb_sha256_parts(parts, sizeof(parts) / sizeof(parts[0]), out);
}

static lb_status write_detail(const char *officer, const Lianban__V1__RecordReviewRequest *ask,
                              struct lb_arena *arena, struct lb_span *out)
{
    LB_DEFER(lb_json_freep) struct lb_json *detail = lb_json_object();
    char salt[2 * SALT_BYTES + 1];
    lb_hex_encode(lb_pb_span(ask->salt), salt);
    lb_json_set_cstr(detail, "officer", officer);
    lb_json_set_cstr(detail, "query", ask->query);
    lb_json_set_cstr(detail, "salt", salt);
    if (ask->reason[0] != 0)
        lb_json_set_cstr(detail, "reason", ask->reason);
    return lb_json_dump(detail, LB_JSON_COMPACT, arena, out);
}

static lb_status record(const struct lb_review_service *service, const char *officer,
                        const Lianban__V1__RecordReviewRequest *ask, const struct about *about,
                        struct lb_arena *arena, struct lb_log_entry **out_entry)
{
    struct lb_log_entry *entry = lb_arena_alloc(arena, sizeof(*entry));
    LB_ENSURE(entry != NULL, LB_NO_MEMORY, "arena is full");
    entry->leaf = (struct lb_leaf){.type = LB_LEAF_REVIEW, .count = 1};
    (void)snprintf(entry->leaf.code, sizeof(entry->leaf.code), "%s", ask->kind);
    commit(ask, entry->leaf.request_hash);
    entry->has_subject = about->num > 0;
    memcpy(entry->subject, about->names[0], SUBJECT_BYTES);
    if (service->sealed)
        LB_TRY(write_detail(officer, ask, arena, &entry->detail));
    LB_TRY(lb_log_append_wait(service->log, entry));
    *out_entry = entry;
    return LB_OK;
}

static lb_status admit(const struct lb_review_service *service, const struct lb_rpc_peer *peer)
{
    lb_status status = lb_access_need_officer(service->trust, peer, service->organization);
    if (status != LB_OK)
        lb_log_count_denial(service->log, peer->spiffe, lb_code_outer(status->code));
    return status;
}

static lb_status record_review(void *ctx, const struct lb_rpc_call_info *info,
                               struct lb_span request, struct lb_arena *arena,
                               struct lb_span *reply)
{
    const struct lb_review_service *service = ctx;
    Lianban__V1__RecordReviewRequest *ask = NULL;
    Lianban__V1__RecordReviewResponse answer = LIANBAN__V1__RECORD_REVIEW_RESPONSE__INIT;
    ProtobufCBinaryData names[LB_REVIEW_MAX_NAMES];
    struct lb_log_entry *entry = NULL;
    struct about about;
    uint64_t shown = 0, size = 0;
    LB_TRY(admit(service, info->peer));
    LB_TRY(lb_pb_unpack(&lianban__v1__record_review_request__descriptor, request, arena, &ask));
    LB_TRY(check(ask));
    LB_TRY(find_names(service, ask, &about));
    LB_TRY(record(service, info->peer->spiffe, ask, &about, arena, &entry));
    LB_TRY(lb_link_show(service->log, &shown, arena, &answer.log, &size));
    LB_TRY(lb_link_prove(service->log, entry->index,
                         lb_span_of(entry->leaf_bytes, entry->leaf_len), size, arena,
                         &answer.entry));
    for (size_t i = 0; i < about.num; i++)
        names[i] = lb_pb_bytes(lb_span_of(about.names[i], SUBJECT_BYTES));
    answer.subjects = names;
    answer.n_subjects = about.num;
    return lb_pb_pack(&answer, arena, reply);
}

void lb_review_service_methods(struct lb_review_service *service,
                               struct lb_rpc_method out[LB_REVIEW_METHODS])
{
    out[0] = (struct lb_rpc_method){.path = "/lianban.v1.Evidence/RecordReview",
                                    .unary = record_review, .ctx = service};
}
