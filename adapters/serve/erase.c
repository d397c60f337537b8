#include <stdio.h>
#include <string.h>

#include "adapters/serve/erasures.h"
#include "adapters/serve/job.h"
#include "gateway/base/utf8.h"
#include "gateway/base/wipe.h"
#include "gateway/crypto/hash.h"
#include "gateway/evidence/inspect.h"
#include "gateway/json/json.h"
#include "policy/engine/idno.h"

/* The end of what is kept about one person, by two of the department's officers: one asks, another
 * approves. Both are entries; what the first asked commits with its entry. */

struct erasure {
    struct lb_serve *serve;
    const char *by;
    const char *basis;
};

static lb_status remember(struct lb_log_entry *entry, struct lb_store *store)
{
    const struct erasure *erasure = entry->owner;
    int64_t now = lb_clock_unix_s(erasure->serve->options.clock);
    return lb_serve_erasures_ask(&erasure->serve->erasures, store, entry->subject,
                                 erasure->by, erasure->basis, now);
}

static lb_status forget(struct lb_log_entry *entry, struct lb_store *store)
{
    const struct erasure *erasure = entry->owner;
    int64_t now = lb_clock_unix_s(erasure->serve->options.clock);
    LB_TRY(lb_serve_erasures_approve(&erasure->serve->erasures, store, entry->subject,
                                     erasure->by, erasure->basis, now));
    return lb_serve_probes_erase(&erasure->serve->probes, store, entry->subject);
}

/* The newest detail counts: it was written when something was last read about the person. */
static lb_status check_retention(const struct lb_serve *serve, const uint8_t subject[32])
{
    LB_DEFER(lb_log_reader_closep) struct lb_log_reader *reader = NULL;
    struct lb_diag diag = {""};
    int64_t newest_ms = 0;
    LB_TRY(lb_log_reader_open(serve->options.log_folder, &diag, &reader));
    lb_status status = lb_log_reader_newest(reader, subject, &newest_ms);
    if (lb_status_code(status) == LB_ABSENT)
        return LB_OK;
    LB_TRY(status);
    int64_t age_s = lb_clock_unix_s(serve->options.clock) - newest_ms / 1000;
    LB_ENSURE(age_s >= serve->options.keep_details_s, LB_RETENTION_RUNS,
              "the details are too young");
    return LB_OK;
}

static bool is_basis(const char *basis)
{
    static const char *const known[] = {"retention_over", "asked_by_subject", "unlawful",
                                        LB_ERASE_BY_COURT};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(basis, known[i]) == 0)
            return true;
    }
    return false;
}

static lb_status add_detail(const Lianban__V1__EraseSubjectRequest *request, const char *by,
                            struct lb_arena *arena, struct lb_log_entry *entry)
{
    LB_DEFER(lb_json_freep) struct lb_json *detail = lb_json_object();
    lb_json_set_cstr(detail, "by", by);
    lb_json_set_cstr(detail, "basis", request->basis);
    lb_json_set_cstr(detail, "reason", request->reason);
    return lb_json_dump(detail, LB_JSON_COMPACT, arena, &entry->detail);
}

lb_status lb_serve_erase(struct lb_serve *serve, const char *by,
                         const Lianban__V1__EraseSubjectRequest *request, struct lb_arena *arena,
                         struct lb_serve_ack *out_ack)
{
    char read[19];
    struct erasure erasure = {serve, by, request->basis};
    memset(out_ack, 0, sizeof(*out_ack));
    LB_ENSURE(is_basis(request->basis), LB_MALFORMED, "an erasure has a lawful basis");
    LB_ENSURE(lb_utf8_line(request->reason, LB_MAX_VALUE_BYTES), LB_MALFORMED,
              "an erasure has a reason");
    LB_TRY(lb_idno_normalise(lb_span_str(request->id_no), read));
    struct lb_log_entry *entry = lb_arena_alloc(arena, sizeof(*entry));
    LB_ENSURE(entry != NULL, LB_NO_MEMORY, "arena is full");
    entry->leaf = (struct lb_leaf){.type = LB_LEAF_ADMIN, .code = "ERASURE_ASKED", .count = 1};
    entry->guard = remember;
    entry->owner = &erasure;
    lb_hmac_sha256(lb_span_of(serve->options.pseudonym_key, 32), lb_span_str(read),
                   entry->subject);
    lb_wipe(read, sizeof(read));
    if (strcmp(request->basis, LB_ERASE_BY_COURT) != 0)
        LB_TRY(check_retention(serve, entry->subject));
    if (request->approve) {
        entry->leaf = (struct lb_leaf){.type = LB_LEAF_ERASURE, .code = "ERASED", .count = 1};
        entry->guard = forget;
        entry->has_subject = true;
    }
    LB_TRY(add_detail(request, by, arena, entry));
    return lb_serve_record_ack(serve, entry, out_ack);
}
