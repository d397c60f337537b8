#include <stdio.h>
#include <string.h>

#include "adapters/serve/job.h"
#include "gateway/base/hex.h"
#include "gateway/crypto/hash.h"
#include "gateway/json/json.h"
#include "gateway/wire/pb.h"

/* The entry of a read: durable before anything leaves, denials with the same care as releases. */

static void add_fields(const struct lb_read_job *job, struct lb_json *detail)
{
    struct lb_json *fields = lb_json_array();
    for (size_t i = 0; i < job->num_wants; i++) {
        const struct lb_read_want *want = &job->wants[i];
        struct lb_json *field = lb_json_object();
        lb_json_set_cstr(field, "view", want->wire->view);
        lb_json_set_cstr(field, "field", want->wire->field);
        lb_json_set_cstr(field, "operator", want->text);
        if (job->states != NULL && job->inner == LB_CODE_OK) {
            lb_json_set_cstr(field, "state", want->dry_run ? "dry_run" : job->states[i]);
            if (want->dry_run)
                lb_json_set_cstr(field, "would", job->states[i]);
        }
        lb_json_append(fields, field);
    }
    lb_json_set(detail, "fields", fields);
}

/* The names of a refused want are the requester's own words. */
static void add_refused(const Lianban__V1__Want *want, struct lb_json *detail)
{
    if (strlen(want->view) > LB_MAX_NAME_BYTES || strlen(want->field) > LB_MAX_NAME_BYTES ||
        strlen(want->operator_) > LB_MAX_NAME_BYTES)
        return;
    struct lb_json *refused = lb_json_object();
    lb_json_set_cstr(refused, "view", want->view);
    lb_json_set_cstr(refused, "field", want->field);
    lb_json_set_cstr(refused, "operator", want->operator_);
    lb_json_set(detail, "refused", refused);
}

/* All but laws and fields: names, of which most are short; a byte takes six at most in JSON. */
#define DETAIL_BASE_BYTES 3616
/* The frame of one field in JSON, with the longest state, and what a dry-run adds. */
#define FIELD_FRAME_BYTES 60
#define DRY_RUN_BYTES 32

bool lb_read_detail_fits(const struct lb_read_job *job)
{
    size_t bytes = DETAIL_BASE_BYTES;
    for (size_t i = 0; job->section_known && i < job->section.num_laws; i++)
        bytes += 2 * strlen(job->section.laws[i]) + 3;
    for (size_t i = 0; i < job->num_wants; i++) {
        const struct lb_read_want *want = &job->wants[i];
        bytes += strlen(want->wire->view) + strlen(want->wire->field) + strlen(want->text) +
                 FIELD_FRAME_BYTES + (want->dry_run ? DRY_RUN_BYTES : 0);
    }
    return bytes <= LB_MAX_DETAIL_BYTES;
}

static void add_section(const struct lb_read_job *job, struct lb_json *detail)
{
    const struct lb_section *section = &job->section;
    lb_json_set_cstr(detail, "purpose", section->purpose);
    lb_json_set_cstr(detail, "case", section->case_id);
    lb_json_set_cstr(detail, "form", section->form);
    lb_json_set_cstr(detail, "basis", section->basis);
    lb_json_set_cstr(detail, "role", section->role);
    if (section->event_days > 0)
        lb_json_set_int(detail, "every_days", section->event_days);
    if (section->approver != NULL)
        lb_json_set_cstr(detail, "approver", section->approver);
    /* at most one of the three */
    if (section->guardian != NULL)
        lb_json_set_cstr(detail, "guardian", section->guardian);
    if (section->agent != NULL)
        lb_json_set_cstr(detail, "agent", section->agent);
    if (section->relative != NULL)
        lb_json_set_cstr(detail, "relative", section->relative);
}

static void add_laws(const struct lb_section *section, struct lb_json *detail)
{
    struct lb_json *laws = lb_json_array();
    for (size_t i = 0; i < section->num_laws; i++)
        lb_json_append_str(laws, lb_span_str(section->laws[i]));
    lb_json_set(detail, "law", laws);
}

/* What the officer reads. The requester is named as it stated itself until the grant has been
 * verified; `verified` says which. A list too long for an entry is left out: the entry must be
 * written all the same. */
static lb_status write_detail(struct lb_read_job *job, enum lb_code outer)
{
    LB_DEFER(lb_json_freep) struct lb_json *detail = lb_json_object();
    if (strlen(job->request->requester) < LB_MAX_SPIFFE_BYTES)
        lb_json_set_cstr(detail, "requester", job->request->requester);
    lb_json_set_bool(detail, "verified", job->grant_known);
    lb_json_set_cstr(detail, "code",
                     lb_code_name(outer != LB_CODE_OK ? outer : job->inner));
    if (job->grant_known) {
        lb_json_set_cstr(detail, "issuer", job->grant.issuer);
        lb_json_set_cstr(detail, "grant", job->grant.jti);
    }
    if (job->operator_claims.person != NULL) {
        lb_json_set_cstr(detail, "actor", job->operator_claims.person);
        lb_json_set_cstr(detail, "unit", job->operator_claims.unit);
    }
    if (job->section_known)
        add_section(job, detail);
    if (job->data_class > 0)
        lb_json_set_int(detail, "class", job->data_class);
    bool whole = lb_read_detail_fits(job);
    if (!whole)
        lb_json_set_bool(detail, "shortened", true);
    if (whole && job->section_known)
        add_laws(&job->section, detail);
    if (whole)
        add_fields(job, detail);
    lb_read_share_detail(job, detail);
    if (job->refused != NULL)
        add_refused(job->refused, detail);
    if (job->subject_known) {
        char subject[65];
        lb_hex_encode(lb_span_of(job->names.names[0], 32), subject);
        lb_json_set_cstr(detail, "subject", subject);
    }
    return lb_json_dump(detail, LB_JSON_COMPACT, job->arena, &job->entry.detail);
}

static lb_status write_fields(struct lb_read_job *job)
{
    struct lb_buf text;
    lb_buf_init(&text, LB_MAX_DETAIL_BYTES);
    for (size_t i = 0; i < job->num_wants && lb_read_detail_fits(job); i++)
        lb_buf_printf(&text, "%s.%s:%s\n", job->wants[i].wire->view, job->wants[i].wire->field,
                      job->wants[i].text);
    lb_status status = lb_buf_check(&text);
    if (status == LB_OK)
        status = lb_arena_copy(job->arena, lb_buf_span(&text), &job->entry.fields);
    lb_buf_cleanup(&text);
    return status;
}

/* Whatever was asked, its refusal must fit into a leaf. */
static bool is_plain(const char *view)
{
    size_t len = strlen(view);
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)view[i] < 0x20 || view[i] == 0x7F || view[i] == ',')
            return false;
    }
    return len > 0 && len <= LB_MAX_NAME_BYTES;
}

static void join_views(const struct lb_read_job *job, struct lb_leaf *leaf)
{
    size_t used = 0;
    for (size_t i = 0; i < job->request->n_views && i < LB_MAX_VIEWS_PER_SECTION; i++) {
        size_t len = strlen(job->request->views[i]);
        if (!is_plain(job->request->views[i]) || used + len + 2 > sizeof(leaf->views))
            return;
        if (used > 0)
            leaf->views[used++] = ',';
        memcpy(leaf->views + used, job->request->views[i], len + 1);
        used += len;
    }
}

static void fill_leaf(struct lb_read_job *job, enum lb_code outer)
{
    struct lb_leaf *leaf = &job->entry.leaf;
    const Lianban__V1__ReadRequest *request = job->request;
    leaf->type = LB_LEAF_READ;
    leaf->count = 1;
    if (request->txn.len == sizeof(leaf->txn))
        memcpy(leaf->txn, request->txn.data, sizeof(leaf->txn));
    (void)snprintf(leaf->code, sizeof(leaf->code), "%s",
                   lb_code_name(outer == LB_CODE_OK ? LB_ANSWERED : outer));
    join_views(job, leaf);
    memcpy(leaf->policy_hash, job->serve->options.policy->sha256, 32);
    memcpy(leaf->peer_leaf, job->route_leaf.bytes, 32);
    if (request->sealed != NULL && !job->is_hashed)
        lb_sha256(lb_pb_span(request->sealed->ciphertext), leaf->request_hash);
}

/* In the entry's own transaction, so that no crash can separate a use from its evidence. What the
 * answer says may depend on what was asked before, so it is sealed here too. */
static lb_status settle(struct lb_read_job *job, struct lb_store *store)
{
    LB_TRY(lb_read_limits(job, store));
    int64_t at = lb_meter_now(job->serve->options.meter);
    LB_TRY(lb_read_answer(job));
    (void)lb_meter_took(job->serve->options.meter, LB_METER_SEAL, at);
    lb_sha256(job->sealed, job->entry.leaf.answer_hash);
    return write_detail(job, LB_CODE_OK);
}

static lb_status remember(struct lb_log_entry *entry, struct lb_store *store)
{
    struct lb_read_job *job = entry->owner;
    lb_status status = settle(job, store);
    if (status == LB_OK)
        return LB_OK;
    /* The officer must read that nothing was released, and why. */
    job->states = NULL;
    LB_TRY(write_detail(job, lb_code_outer(status->code)));
    return status;
}

static void recorded(struct lb_log_entry *entry, lb_status status);

/* The entry that is told next, at once and by this thread, may be another answer for the same one
 * who waits: one message is enough for both. */
static bool goes_on(const struct lb_log_entry *entry)
{
    const struct lb_log_entry *next = entry->next;
    if (next == NULL || next->done != recorded)
        return false;
    const struct lb_read_job *job = entry->owner, *other = next->owner;
    return other->done == job->done && other->ctx == job->ctx;
}

static void recorded(struct lb_log_entry *entry, lb_status status)
{
    struct lb_read_job *job = entry->owner;
    struct lb_serve_answer answer = {.txn = job->request->txn.data, .code = LB_LOG_UNAVAILABLE};
    (void)lb_meter_took(job->serve->options.meter, LB_METER_RECORD, job->recording_us);
    if (status == LB_OK) {
        enum lb_code code = LB_INTERNAL;
        answer.recorded = true;
        answer.index = entry->index;
        answer.leaf = lb_span_of(entry->leaf_bytes, entry->leaf_len);
        if (lb_code_by_name(entry->leaf.code, strlen(entry->leaf.code), &code))
            answer.code = code;
        if (answer.code == LB_ANSWERED && entry->refused == LB_OK)
            answer.sealed = job->sealed;
    }
    answer.more = goes_on(entry);
    lb_read_finish(job, &answer);
}

static lb_status make_entry(struct lb_read_job *job)
{
    struct lb_log_entry *entry = &job->entry;
    entry->owner = job;
    entry->done = recorded;
    entry->guard = job->outer == LB_CODE_OK ? remember : NULL;
    entry->has_subject = job->subject_known;
    memcpy(entry->subject, job->names.names[0], sizeof(entry->subject));
    fill_leaf(job, job->outer);
    if (job->outer != LB_CODE_OK)
        LB_TRY(write_detail(job, job->outer));
    job->recording_us = lb_meter_now(job->serve->options.meter);
    return write_fields(job);
}

static void not_recorded(struct lb_read_job *job, lb_status status)
{
    const struct lb_serve_answer answer = {
        .txn = job->request->txn.data,
        .code = lb_log_refusal(status),
    };
    lb_read_finish(job, &answer);
}

void lb_read_record_all(struct lb_read_job *const *jobs, size_t num)
{
    struct lb_log_entry *entries[LB_READ_TOGETHER];
    struct lb_read_job *made[LB_READ_TOGETHER];
    size_t num_made = 0;
    for (size_t i = 0; i < num; i++) {
        lb_status status = make_entry(jobs[i]);
        if (status != LB_OK) {
            not_recorded(jobs[i], status);
            continue;
        }
        made[num_made] = jobs[i];
        entries[num_made++] = &jobs[i]->entry;
    }
    if (num_made == 0)
        return;
    lb_status status = LB_OK;
    struct lb_log *log = made[0]->serve->options.log;
    size_t queued = lb_log_append_list(log, entries, num_made, &status);
    for (size_t i = queued; i < num_made; i++)
        not_recorded(made[i], status);
}
