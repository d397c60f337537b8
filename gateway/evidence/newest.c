#include "gateway/evidence/inspect_state.h"
#include "gateway/evidence/shards.h"

/* How long a subject's newest access has been kept. */

/* A leaf's second byte is its type: READ to DENY, CONSENT and PARCEL are about what somebody was
 * given or asked for. What officers look up about a person, or do to the details themselves, is no
 * access and must not keep these from their end. */
#define ACCESSES                                                                                   \
    "detail AS d JOIN leaf AS l ON l.idx = d.idx"                                                  \
    " AND substr(l.bytes, 2, 1) IN (x'01', x'02', x'03', x'04', x'05', x'08', x'0E')"

static const char newest[] = "SELECT max(d.idx) FROM " ACCESSES " WHERE d.kid IN"
                             " (SELECT kid FROM detail_key WHERE subject = ?1)";

static lb_status find_index(struct lb_stmt *stmt, struct lb_span subject, uint64_t *out_index)
{
    bool row = false;
    LB_TRY(lb_stmt_bind_blob(stmt, 1, subject));
    LB_TRY(lb_stmt_step(stmt, &row));
    LB_ENSURE(row && lb_stmt_type(stmt, 0) == LB_COL_INT, LB_ABSENT, "no access to it");
    *out_index = (uint64_t)lb_stmt_int(stmt, 0);
    return LB_OK;
}

static lb_status is_of(struct lb_stmt *owns, int64_t kid, struct lb_span subject, bool *out_is)
{
    LB_TRY(lb_stmt_bind_int(owns, 1, kid));
    LB_TRY(lb_stmt_bind_blob(owns, 2, subject));
    lb_status status = lb_stmt_step(owns, out_is);
    lb_stmt_reset(owns);
    return status;
}

/* A shard has the details and the log their keys. */
static lb_status scan(struct lb_stmt *details, struct lb_stmt *owns, struct lb_span subject,
                      uint64_t *out_index)
{
    bool row = false;
    bool is = false;
    LB_TRY(lb_stmt_step(details, &row));
    while (row) {
        LB_TRY(is_of(owns, lb_stmt_int(details, 1), subject, &is));
        if (is) {
            *out_index = (uint64_t)lb_stmt_int(details, 0);
            return LB_OK;
        }
        LB_TRY(lb_stmt_step(details, &row));
    }
    LB_FAIL(LB_ABSENT, "no access to it");
}

static lb_status find_in_shard(struct lb_log_reader *reader, size_t i, struct lb_span subject,
                               uint64_t *out_index)
{
    struct lb_shard_file file = {.store = NULL};
    struct lb_stmt *details = NULL;
    struct lb_stmt *owns = NULL;
    LB_TRY(lb_shards_open(reader->records.shards, i, &file));
    lb_status status = lb_stmt_prepare(
        file.store, "SELECT d.idx, d.kid FROM " ACCESSES " ORDER BY d.idx DESC", &details);
    if (status == LB_OK)
        status = lb_stmt_prepare(
            reader->store, "SELECT 1 FROM detail_key WHERE kid = ?1 AND subject = ?2", &owns);
    if (status == LB_OK)
        status = scan(details, owns, subject, out_index);
    lb_stmt_free(owns);
    lb_stmt_free(details);
    lb_shard_file_close(&file);
    return status;
}

static lb_status find_hot(struct lb_log_reader *reader, struct lb_span subject,
                          uint64_t *out_index)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(lb_stmt_prepare(reader->store, newest, &stmt));
    lb_status status = find_index(stmt, subject, out_index);
    lb_stmt_free(stmt);
    return status;
}

/* The hot table first: rows that a shard has already may go from it meanwhile, but not come. */
static lb_status find(struct lb_log_reader *reader, struct lb_span subject, uint64_t *out_index)
{
    struct lb_shards *shards = reader->records.shards;
    lb_status status = find_hot(reader, subject, out_index);
    if (lb_status_code(status) != LB_ABSENT)
        return status;
    LB_TRY(lb_shards_load(shards));
    for (size_t i = lb_shards_num(shards); i > 0; i--) {
        status = find_in_shard(reader, i - 1, subject, out_index);
        if (lb_status_code(status) != LB_ABSENT)
            return status;
    }
    return status;
}

lb_status lb_log_reader_newest(struct lb_log_reader *reader,
                               const uint8_t subject[LB_DETAIL_SUBJECT_BYTES],
                               int64_t *out_time_ms)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(2 * LB_MAX_LEAF_BYTES);
    struct lb_leaf leaf;
    struct lb_hash hash;
    uint64_t index = 0;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    LB_TRY(find(reader, lb_span_of(subject, LB_DETAIL_SUBJECT_BYTES), &index));
    LB_TRY(lb_log_reader_leaf(reader, index, arena, &leaf, &hash));
    *out_time_ms = leaf.time_ms;
    return LB_OK;
}
