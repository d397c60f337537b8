#include <stdio.h>
#include <string.h>

#include "adapters/serve/erasures.h"
#include "adapters/serve/intake_state.h"
#include "gateway/base/utf8.h"
#include "gateway/base/wipe.h"
#include "gateway/evidence/inspect.h"
#include "gateway/json/json.h"
#include "policy/engine/idno.h"

/* The end of what is kept about one person, by two of the department's officers: one asks, another
 * approves. Both are entries; what the first asked commits with its entry. */

struct erasure {
    struct lb_serve *serve;
    const char *by;
    const Lianban__V1__EraseSubjectRequest *request;
    struct lb_epoch_names names;
    bool is_last;    /* of the entries */
    bool is_over;    /* the one before was, but an epoch has begun meanwhile */
};

/* A request is kept under the first name, which is the same in every epoch. */
static const uint8_t *first_name(const struct erasure *erasure)
{
    return erasure->names.names[erasure->names.num - 1];
}

static lb_status remember(struct lb_log_entry *entry, struct lb_store *store)
{
    const struct erasure *erasure = entry->owner;
    int64_t now = lb_clock_unix_s(erasure->serve->options.clock);
    return lb_serve_erasures_ask(&erasure->serve->erasures, store, first_name(erasure),
                                 erasure->by, erasure->request->basis, now);
}

static lb_status forget(struct lb_log_entry *entry, struct lb_store *store)
{
    const struct erasure *erasure = entry->owner;
    int64_t now = lb_clock_unix_s(erasure->serve->options.clock);
    struct lb_serve_erasures *erasures = &erasure->serve->erasures;
    if (!erasure->is_over)
        LB_TRY(lb_serve_erasures_approve(erasures, store, first_name(erasure), erasure->by,
                                         erasure->request->basis, now));
    if (erasure->is_last)
        LB_TRY(lb_serve_erasures_done(erasures, store, first_name(erasure)));
    LB_TRY(lb_intake_erase(erasure->serve->intake, store, &erasure->names));
    return lb_serve_probes_erase(&erasure->serve->probes, store, &erasure->names);
}

/* The newest access counts: what was written when something was last read about the person. */
static lb_status check_name(const struct lb_serve *serve, const uint8_t subject[32])
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

static lb_status check_retention(const struct erasure *erasure)
{
    if (strcmp(erasure->request->basis, LB_ERASE_BY_COURT) == 0)
        return LB_OK;
    for (size_t i = 0; i < erasure->names.num; i++)
        LB_TRY(check_name(erasure->serve, erasure->names.names[i]));
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

static lb_status add_detail(const struct erasure *erasure, struct lb_arena *arena,
                            struct lb_log_entry *entry)
{
    LB_DEFER(lb_json_freep) struct lb_json *detail = lb_json_object();
    lb_json_set_cstr(detail, "by", erasure->by);
    lb_json_set_cstr(detail, "basis", erasure->request->basis);
    lb_json_set_cstr(detail, "reason", erasure->request->reason);
    return lb_json_dump(detail, LB_JSON_COMPACT, arena, &entry->detail);
}

static lb_status enter(struct erasure *erasure, const struct lb_log_entry *like,
                       struct lb_arena *arena, struct lb_serve_ack *out_ack)
{
    struct lb_log_entry *entry = lb_arena_alloc(arena, sizeof(*entry));
    LB_ENSURE(entry != NULL, LB_NO_MEMORY, "arena is full");
    *entry = *like;
    entry->owner = erasure;
    LB_TRY(add_detail(erasure, arena, entry));
    return lb_serve_record_ack(erasure->serve, entry, out_ack);
}

/* One entry for each name, the oldest first, since a log erases by name. The request stands until
 * the last of them, so that what was cut off can be done again. An epoch that begins meanwhile has
 * a name of its own. */
static lb_status erase_all(struct erasure *erasure, struct lb_span id_no, struct lb_arena *arena,
                           struct lb_serve_ack *out_ack)
{
    for (size_t done = 0; done < erasure->names.num; done++) {
        struct lb_log_entry entry = {
            .leaf = {.type = LB_LEAF_ERASURE, .code = "ERASED", .count = 1},
            .guard = forget,
            .has_subject = true,
        };
        erasure->is_over = erasure->is_last;
        erasure->is_last = done + 1 == erasure->names.num;
        memcpy(entry.subject, erasure->names.names[erasure->names.num - 1 - done],
               sizeof(entry.subject));
        LB_TRY(enter(erasure, &entry, arena, out_ack));
        lb_serve_epochs_names(erasure->serve->epochs, id_no, &erasure->names);
    }
    return LB_OK;
}

lb_status lb_serve_erase(struct lb_serve *serve, const char *by,
                         const Lianban__V1__EraseSubjectRequest *request, struct lb_arena *arena,
                         struct lb_serve_ack *out_ack)
{
    char read[19];
    struct erasure erasure = {.serve = serve, .by = by, .request = request};
    const struct lb_log_entry asked = {
        .leaf = {.type = LB_LEAF_ADMIN, .code = "ERASURE_ASKED", .count = 1}, .guard = remember};
    memset(out_ack, 0, sizeof(*out_ack));
    LB_ENSURE(is_basis(request->basis), LB_MALFORMED, "an erasure has a lawful basis");
    LB_ENSURE(lb_utf8_line(request->reason, LB_MAX_VALUE_BYTES), LB_MALFORMED,
              "an erasure has a reason");
    LB_TRY(lb_idno_normalise(lb_span_str(request->id_no), read));
    lb_serve_epochs_names(serve->epochs, lb_span_str(read), &erasure.names);
    lb_status status = check_retention(&erasure);
    if (status == LB_OK)
        status = request->approve ? erase_all(&erasure, lb_span_str(read), arena, out_ack)
                                  : enter(&erasure, &asked, arena, out_ack);
    lb_wipe(read, sizeof(read));
    return status;
}

size_t lb_serve_names(struct lb_serve *serve, const char id_no[19], uint8_t (*out_names)[32])
{
    struct lb_epoch_names names;
    lb_serve_epochs_names(serve->epochs, lb_span_str(id_no), &names);
    for (size_t i = 0; i < names.num; i++)
        memcpy(out_names[i], names.names[i], sizeof(names.names[i]));
    return names.num;
}
