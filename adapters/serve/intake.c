#include "adapters/serve/intake_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/hex.h"
#include "gateway/base/log.h"
#include "gateway/base/wipe.h"
#include "gateway/crypto/hash.h"
#include "gateway/wire/pb.h"

/* Parcels become rows: each with its entry, whether it is taken or refused. */

/* Entries of one frame are committed together. */
struct lb_intake_batch {
    pthread_mutex_t lock;
    pthread_cond_t done;
    size_t left;
};

/* --- one parcel --- */

static void begin(struct lb_intake_job *job)
{
    const Lianban__V1__Parcel *wire = job->wire;
    struct lb_leaf *leaf = &job->entry.leaf;
    leaf->type = LB_LEAF_PARCEL;
    leaf->count = 1;
    if (wire->name.len == LB_PARCEL_NAME_BYTES) {
        memcpy(leaf->txn, wire->name.data, sizeof(leaf->txn));
        memcpy(job->row.name, wire->name.data, sizeof(job->row.name));
    }
    if (wire->sealed != NULL)
        lb_sha256(lb_pb_span(wire->sealed->ciphertext), leaf->request_hash);
    memcpy(leaf->policy_hash, job->intake->serve->options.policy->sha256, 32);
}

/* What was taken before is judged no more: its receipt stands, whatever has changed since. */
static lb_status find_first(struct lb_intake_job *job)
{
    struct lb_intake *intake = job->intake;
    struct lb_intake_row first;
    bool found = false;
    const struct lb_span parts[] = {lb_span_str("parcel"), job->plain};
    lb_intake_key_tag(&intake->key, parts, 2, job->row.digest);
    (void)snprintf(job->row.sender, sizeof(job->row.sender), "%s", job->wire->sender);
    struct lb_store *store = lb_intake_reader(intake);
    lb_status status = lb_intake_rows_find(&intake->read_rows, store, job->row.sender,
                                           job->row.name, job->arena, &first, &found);
    lb_intake_reader_done(intake);
    LB_TRY(status);
    job->repeat = found;
    return LB_OK;
}

static lb_status judge(struct lb_intake_job *job)
{
    LB_ENSURE(job->wire->name.len == LB_PARCEL_NAME_BYTES, LB_MALFORMED, "name is not 16 bytes");
    LB_TRY(lb_intake_open_parcel(job));
    LB_TRY(find_first(job));
    if (job->repeat)
        return LB_OK;
    LB_TRY(lb_intake_judge(job));
    return lb_intake_prepare(job);
}

/* --- in the entry's transaction --- */

/* A part behind a submission changes what may be said of that. */
static lb_status settle_about(struct lb_intake_job *job, struct lb_store *store)
{
    struct lb_intake *intake = job->intake;
    struct lb_intake_row about;
    bool found = false;
    job->row.state = lb_intake_first(job->row.kind);
    if (job->part->about.len == 0)
        return LB_OK;
    LB_TRY(lb_intake_rows_find(&intake->rows, store, job->row.sender, job->part->about.data,
                               job->arena, &about, &found));
    LB_ENSURE(found, LB_PARCEL_UNKNOWN, "about a submission that is not here");
    LB_ENSURE((about.kind == LIANBAN__V1__PART__KIND__SUBMISSION ||
               about.kind == LIANBAN__V1__PART__KIND__SIGNAL) &&
                  memcmp(about.matter, job->row.matter, sizeof(about.matter)) == 0,
              LB_PART_UNKNOWN, "about another case, form or part");
    enum lb_intake_state state = about.state;
    LB_TRY(lb_intake_after_part(about.state, job->row.kind, &state));
    job->row.about = about.n;
    job->row.state = LB_INTAKE_NOTED;
    job->of_signal = about.kind == LIANBAN__V1__PART__KIND__SIGNAL;
    job->signal_state = state;
    return lb_intake_rows_state(&intake->rows, store, about.n, state, about.num_words,
                                job->row.came_unix_s);
}

static lb_status add(struct lb_intake_job *job, struct lb_store *store)
{
    uint8_t people[LB_MAX_HOUSEHOLD][32];
    struct lb_intake *intake = job->intake;
    LB_TRY(lb_intake_rows_room(&intake->rows, store, intake->serve->options.policy->intake,
                               job->row.sender, job->row.bytes));
    for (size_t i = 0; i < job->part->n_people; i++)
        memcpy(people[i], job->names[i].names[0], sizeof(people[i]));
    job->row.entry = job->entry.index;
    return lb_intake_rows_add(&intake->rows, store, &job->row, (const uint8_t (*)[32])people,
                              job->part->n_people);
}

/* No clerk has anything to do about it; and where nobody was in contact yet, whom it was about is
 * forgotten here and now. */
static lb_status end_signal(struct lb_intake_job *job, struct lb_store *store)
{
    struct lb_intake_rows *rows = &job->intake->rows;
    if (!job->of_signal)
        return LB_OK;
    if (job->signal_state == LB_INTAKE_GIVEN_UP)
        return lb_intake_rows_close(rows, store, job->row.about, job->row.came_unix_s);
    return lb_intake_rows_ack(rows, store, job->row.n, job->row.came_unix_s);
}

static lb_status take(struct lb_log_entry *entry, struct lb_store *store)
{
    struct lb_intake_job *job = entry->owner;
    struct lb_intake_row first;
    LB_TRY(lb_intake_purge(job->intake, store));
    LB_TRY(lb_intake_rows_find(&job->intake->rows, store, job->row.sender, job->row.name,
                               job->arena, &first, &job->repeat));
    if (job->repeat) {
        LB_ENSURE(memcmp(first.digest, job->row.digest, sizeof(first.digest)) == 0,
                  LB_PARCEL_CHANGED, "another content under a name that was taken");
        job->row.entry = first.entry;
        entry->leaf.retry = true;
        return LB_OK;
    }
    LB_ENSURE(job->judged, LB_PARCEL_EXPIRED, "what was taken once is forgotten by now");
    LB_TRY(settle_about(job, store));
    LB_TRY(add(job, store));
    return end_signal(job, store);
}

/* --- the entry --- */

static void add_part(const struct lb_intake_job *job, struct lb_json *detail)
{
    const Lianban__V1__Part *part = job->part;
    char subject[65];
    lb_hex_encode(lb_span_of(job->names[0].names[0], 32), subject);
    lb_json_set_int(detail, "kind", part->kind);
    lb_json_set_cstr(detail, "case", part->case_id);
    lb_json_set_cstr(detail, "form", part->form);
    lb_json_set_cstr(detail, "part", part->part);
    lb_json_set_int(detail, "people", (int64_t)part->n_people);
    lb_json_set_int(detail, "facts", (int64_t)part->n_facts);
    lb_json_set_cstr(detail, "subject", subject);
}

/* The sender is named as it stated itself until the seal has opened; `verified` says which. */
static lb_status write_detail(struct lb_intake_job *job)
{
    LB_DEFER(lb_json_freep) struct lb_json *detail = lb_json_object();
    if (strlen(job->wire->sender) < LB_MAX_SPIFFE_BYTES)
        lb_json_set_cstr(detail, "requester", job->wire->sender);
    lb_json_set_bool(detail, "verified", job->parcel != NULL);
    if (job->operator_claims.person != NULL) {
        lb_json_set_cstr(detail, "actor", job->operator_claims.person);
        lb_json_set_cstr(detail, "unit", job->operator_claims.unit);
    }
    if (job->part != NULL)
        add_part(job, detail);
    return lb_json_dump(detail, LB_JSON_COMPACT, job->arena, &job->entry.detail);
}

static void recorded(struct lb_log_entry *entry, lb_status status)
{
    struct lb_intake_job *job = entry->owner;
    struct lb_intake_batch *batch = job->batch;
    job->outcome = status;
    (void)pthread_mutex_lock(&batch->lock);
    if (--batch->left == 0)
        (void)pthread_cond_signal(&batch->done);
    (void)pthread_mutex_unlock(&batch->lock);
}

/* Queues the entry; what can't be queued has its outcome at once. */
static void append(struct lb_intake_job *job, lb_status judged)
{
    struct lb_log_entry *entry = &job->entry;
    entry->done = recorded;
    entry->guard = judged == LB_OK ? take : NULL;
    (void)snprintf(entry->leaf.code, sizeof(entry->leaf.code), "%s",
                   judged == LB_OK ? LB_INTAKE_DELIVERED
                                   : lb_code_name(lb_code_outer(judged->code)));
    if (job->part != NULL) {
        entry->has_subject = true;
        memcpy(entry->subject, job->names[0].names[0], sizeof(entry->subject));
    }
    lb_status status = write_detail(job);
    if (status == LB_OK)
        status = lb_log_append(job->intake->serve->options.log, entry);
    if (status != LB_OK)
        recorded(entry, status);
}

static void run(struct lb_intake_job *job)
{
    job->entry.owner = job;
    begin(job);
    lb_status status = job->arena == NULL ? LB_FAULT(LB_NO_MEMORY, "parcel") : judge(job);
    if (status != LB_OK && lb_code_scope(status->code) == LB_SCOPE_LOCAL)
        lb_log_failure("parcel_failed", status);
    if (job->arena == NULL)
        recorded(&job->entry, status);
    else
        append(job, status);
}

/* --- receipts --- */

static lb_status first_leaf(const struct lb_intake_job *job, struct lb_intake_receipt *out)
{
    struct lb_span leaf = LB_SPAN_EMPTY;
    LB_TRY(lb_log_leaf(job->intake->serve->options.log, job->row.entry, job->arena, &leaf));
    memcpy(out->leaf, leaf.ptr, leaf.len);
    out->leaf_len = leaf.len;
    out->index = job->row.entry;
    return LB_OK;
}

static void give_receipt(const struct lb_intake_job *job, struct lb_intake_receipt *out)
{
    const struct lb_log_entry *entry = &job->entry;
    enum lb_code code = LB_INTERNAL;
    memset(out, 0, sizeof(*out));
    out->code = lb_code_name(lb_log_refusal(job->outcome));
    if (job->outcome != LB_OK)
        return;
    bool taken = strcmp(entry->leaf.code, LB_INTAKE_DELIVERED) == 0;
    if (taken && job->repeat) {
        lb_status status = first_leaf(job, out);
        out->recorded = status == LB_OK;
        if (status != LB_OK)
            lb_log_failure("parcel_receipt_lost", status);
        out->code = status == LB_OK ? LB_INTAKE_DELIVERED : lb_code_name(LB_LOG_UNAVAILABLE);
        return;
    }
    (void)lb_code_by_name(entry->leaf.code, strlen(entry->leaf.code), &code);
    out->code = taken ? LB_INTAKE_DELIVERED : lb_code_name(code);
    out->recorded = true;
    out->index = entry->index;
    out->leaf_len = entry->leaf_len;
    memcpy(out->leaf, entry->leaf_bytes, entry->leaf_len);
}

static void end_job(struct lb_intake_job *job)
{
    if (job->directory != NULL)
        lb_directory_unref(job->directory);
    lb_arena_free(job->arena);
    lb_wipe(job, sizeof(*job));
}

static void run_all(struct lb_intake *intake, const struct lb_intake_routed *routed,
                    struct lb_intake_job *jobs, size_t num)
{
    struct lb_intake_batch batch = {.left = num};
    (void)pthread_mutex_init(&batch.lock, NULL);
    (void)pthread_cond_init(&batch.done, NULL);
    for (size_t i = 0; i < num; i++) {
        jobs[i].intake = intake;
        jobs[i].batch = &batch;
        jobs[i].arena = lb_arena_new(LB_CALL_ARENA_BYTES);
        jobs[i].wire = routed[i].parcel;
        jobs[i].directory = lb_trust_directory(intake->serve->options.trust);
        memcpy(jobs[i].entry.leaf.peer_leaf, routed[i].leaf.bytes, 32);
        run(&jobs[i]);
    }
    (void)pthread_mutex_lock(&batch.lock);
    while (batch.left > 0)
        (void)pthread_cond_wait(&batch.done, &batch.lock);
    (void)pthread_mutex_unlock(&batch.lock);
    (void)pthread_cond_destroy(&batch.done);
    (void)pthread_mutex_destroy(&batch.lock);
}

void lb_intake_take(struct lb_intake *intake, const struct lb_intake_routed *routed, size_t num,
                    struct lb_intake_receipt *out)
{
    struct lb_intake_job *jobs = num == 0 ? NULL : calloc(num, sizeof(*jobs));
    if (jobs == NULL) {
        for (size_t i = 0; i < num; i++)
            out[i] = (struct lb_intake_receipt){.code = lb_code_name(LB_BUSY)};
        return;
    }
    run_all(intake, routed, jobs, num);
    for (size_t i = 0; i < num; i++) {
        give_receipt(&jobs[i], &out[i]);
        end_job(&jobs[i]);
    }
    free(jobs);
}

lb_status lb_intake_submit(struct lb_intake *intake, struct lb_job *job)
{
    return lb_workers_submit(intake->workers, job);
}

lb_status lb_intake_erase(struct lb_intake *intake, struct lb_store *store,
                          const struct lb_epoch_names *names)
{
    return lb_intake_rows_erase(&intake->rows, store, names,
                                lb_clock_unix_s(intake->serve->options.clock));
}
