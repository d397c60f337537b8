#include "gateway/crypto/hash.h"
#include "gateway/evidence/inspect_state.h"
#include "gateway/evidence/verify_state.h"

static lb_status start(struct lb_verify *verify, const char *sql, struct lb_verify_rows *rows)
{
    LB_TRY(lb_stmt_prepare(verify->reader->store, sql, &rows->stmt));
    return lb_stmt_step(rows->stmt, &rows->row);
}

/* A sink for full tiles: each must be stored as it follows from the leaves. */
static lb_status check_tile(void *context, unsigned level, uint64_t n, const struct lb_hash *hashes)
{
    struct lb_verify *verify = context;
    struct lb_hash stored[LB_TILE_HASHES];
    struct lb_tree_source source = lb_records_source(&verify->reader->records);
    lb_status status = source.load_tile(source.context, level, n, stored);
    if (status != LB_OK || memcmp(stored, hashes, sizeof(stored)) != 0) {
        lb_verify_say(verify, "tile %llu of level %u is missing or was changed",
                      (unsigned long long)n, level);
        LB_FAIL(LB_LOG_FORK, "a tile does not follow from the leaves");
    }
    return LB_OK;
}

static bool is_zero(const uint8_t hash[32])
{
    static const uint8_t zeros[32];
    return memcmp(hash, zeros, sizeof(zeros)) == 0;
}

/* Keys are numbered by first use, so the set is whole when every number up to the largest is
 * there. */
static lb_status check_kid(struct lb_verify *verify, uint64_t kid)
{
    LB_ENSURE(kid >= 1 && kid <= (uint64_t)verify->max_kid + 1, LB_LOG_FORK, "kid out of order");
    if (kid > (uint64_t)verify->max_kid)
        verify->max_kid = (int64_t)kid;
    return LB_OK;
}

/* All rows are of one snapshot, so one that was read does not change. */
static lb_status find_key(struct lb_verify *verify, uint64_t kid, const struct lb_verify_key **out)
{
    struct lb_verify_key *place = &verify->keys[kid % LB_VERIFY_KEYS];
    *out = place;
    if (place->kid == kid)
        return LB_OK;
    struct lb_key_row row;
    place->kid = 0;
    LB_TRY(lb_reader_key(verify->reader, kid, &row));
    place->erased = row.erased;
    memcpy(place->key_hash, row.key_hash, sizeof(place->key_hash));
    place->kid = kid;
    return LB_OK;
}

static lb_status check_row(struct lb_verify *verify, const struct lb_leaf *leaf)
{
    struct lb_detail_row row;
    const struct lb_verify_key *key = NULL;
    uint8_t detail_hash[32];
    LB_TRY(lb_reader_detail_row(verify->details.stmt, 1, &row));
    LB_TRY(check_kid(verify, row.kid));
    LB_TRY(find_key(verify, row.kid, &key));
    lb_detail_hash(&row, key->key_hash, detail_hash);
    LB_ENSURE(memcmp(detail_hash, leaf->detail_hash, sizeof(detail_hash)) == 0, LB_LOG_FORK,
              "the leaf commits to another detail");
    if (key->erased)
        verify->verdict.num_erased++;
    else
        verify->verdict.num_details++;
    return LB_OK;
}

static lb_status check_detail(struct lb_verify *verify, uint64_t index, const struct lb_leaf *leaf)
{
    struct lb_verify_rows *details = &verify->details;
    bool present = details->row && lb_stmt_int(details->stmt, 0) == (int64_t)index;
    if (present == is_zero(leaf->detail_hash)) {
        lb_verify_say(verify, "the detail of entry %llu %s", (unsigned long long)index,
                      present ? "was added" : "is missing");
        LB_FAIL(LB_LOG_FORK, "detail and leaf disagree");
    }
    if (!present)
        return LB_OK;
    lb_status status = check_row(verify, leaf);
    if (status != LB_OK) {
        lb_verify_say(verify, "the detail of entry %llu or its key row was changed or removed",
                      (unsigned long long)index);
        return status;
    }
    return lb_verify_rows_next(details);
}

/* Appends one erased key to what its ERASURE leaf commits to. */
static lb_status note_erased(struct lb_verify *verify, struct lb_buf *commitments)
{
    struct lb_span key_hash;
    LB_TRY(lb_records_column(verify->erased.stmt, 2, 32, &key_hash));
    lb_buf_put_u64(commitments, (uint64_t)lb_stmt_int(verify->erased.stmt, 1));
    lb_buf_put(commitments, key_hash);
    LB_TRY(lb_buf_check(commitments));
    return lb_verify_rows_next(&verify->erased);
}

static bool erased_here(const struct lb_verify *verify, uint64_t index)
{
    return verify->erased.row && lb_stmt_int(verify->erased.stmt, 0) == (int64_t)index;
}

static lb_status check_erasure(struct lb_verify *verify, uint64_t index,
                               const struct lb_leaf *leaf)
{
    uint8_t hash[32];
    LB_DEFER(lb_buf_cleanup) struct lb_buf commitments;
    lb_buf_init(&commitments, LB_RECORDS_MAX_ERASED * LB_RECORDS_ERASED_BYTES);
    while (erased_here(verify, index))
        LB_TRY(note_erased(verify, &commitments));
    if (leaf->type != LB_LEAF_ERASURE && commitments.len == 0)
        return LB_OK;
    lb_records_erasure_hash(lb_buf_span(&commitments), hash);
    bool own = leaf->type == LB_LEAF_ERASURE &&
               memcmp(hash, leaf->request_hash, sizeof(hash)) == 0;
    if (!own) {
        lb_verify_say(verify, "entry %llu did not erase the keys that are erased",
                      (unsigned long long)index);
        LB_FAIL(LB_LOG_FORK, "an erasure without its leaf");
    }
    return LB_OK;
}

static lb_status read_leaf(struct lb_verify *verify, uint64_t index, struct lb_leaf *out_leaf,
                           struct lb_hash *out_hash)
{
    const struct lb_stmt *stmt = verify->leaves.stmt;
    struct lb_span bytes;
    if (lb_stmt_int(stmt, 0) != (int64_t)index) {
        lb_verify_say(verify, "entry %llu is missing", (unsigned long long)index);
        LB_FAIL(LB_LOG_FORK, "a gap between entries");
    }
    lb_status status = lb_records_column(stmt, 1, 0, &bytes);
    if (status == LB_OK)
        status = lb_leaf_decode(bytes, out_leaf);
    if (status != LB_OK || out_leaf->time_ms < verify->last_ms) {
        lb_verify_say(verify, "entry %llu was changed: it is not a leaf in its place",
                      (unsigned long long)index);
        LB_FAIL(LB_LOG_FORK, "not a leaf");
    }
    verify->last_ms = out_leaf->time_ms;
    lb_merkle_leaf(bytes, out_hash);
    return LB_OK;
}

static lb_status check_leaf(struct lb_verify *verify)
{
    const struct lb_tree_sink sink = {check_tile, verify};
    uint64_t index = lb_tree_size(verify->tree);
    struct lb_leaf leaf;
    struct lb_hash hash;
    LB_TRY(read_leaf(verify, index, &leaf, &hash));
    LB_TRY(lb_tree_add(verify->tree, &hash, &sink));
    LB_TRY(check_detail(verify, index, &leaf));
    LB_TRY(check_erasure(verify, index, &leaf));
    return lb_verify_rows_next(&verify->leaves);
}

/* What is left over belongs to no leaf. */
static lb_status check_rest(struct lb_verify *verify)
{
    int64_t num_tiles = 0;
    int64_t num_keys = 0;
    int64_t num_heads = 0;
    int64_t want_tiles = 0;
    for (uint64_t n = lb_tree_size(verify->tree) >> 8; n > 0; n >>= 8)
        want_tiles += (int64_t)n;
    LB_TRY(lb_verify_count_tiles(verify, &num_tiles));
    LB_TRY(lb_verify_count(verify, "SELECT count(*) FROM detail_key", &num_keys));
    LB_TRY(lb_verify_count(verify, "SELECT count(*) FROM checkpoint", &num_heads));
    bool whole = !verify->details.row && !verify->erased.row && num_tiles == want_tiles &&
                 num_keys == verify->max_kid && num_heads == 1;
    if (!whole) {
        lb_verify_say(verify, "there are rows that belong to no entry, or a row is missing");
        LB_FAIL(LB_LOG_FORK, "rows that belong to no entry");
    }
    return LB_OK;
}

lb_status lb_verify_walk(struct lb_verify *verify)
{
    LB_TRY(lb_verify_rows_start(verify, "SELECT idx, bytes FROM leaf WHERE idx >= ?1 ORDER BY idx",
                                &verify->leaves));
    LB_TRY(lb_verify_rows_start(verify,
                                "SELECT idx, kid, nonce, sealed, plain_hash FROM detail"
                                " WHERE idx >= ?1 ORDER BY idx",
                                &verify->details));
    LB_TRY(start(verify,
                 "SELECT erased_by, kid, key_hash FROM detail_key WHERE erased_by IS NOT NULL"
                 " ORDER BY erased_by, kid",
                 &verify->erased));
    while (verify->leaves.row)
        LB_TRY(check_leaf(verify));
    return check_rest(verify);
}
