#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "gateway/crypto/hash.h"
#include "gateway/evidence/inspect_state.h"
#include "gateway/evidence/ratchet.h"
#include "gateway/evidence/verify_state.h"

#define TORN_READ_TRIES 5
#define TORN_READ_PAUSE_NS 20000000L

void lb_verify_say(struct lb_verify *verify, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(verify->diag->text, sizeof(verify->diag->text), format, args);
    va_end(args);
}

lb_status lb_verify_count(struct lb_verify *verify, const char *sql, int64_t *out_value)
{
    struct lb_stmt *stmt = NULL;
    bool row = false;
    LB_TRY(lb_stmt_prepare(verify->reader->store, sql, &stmt));
    lb_status status = lb_stmt_step(stmt, &row);
    if (status == LB_OK && (!row || lb_stmt_type(stmt, 0) != LB_COL_INT))
        status = LB_FAULT(LB_STORE_FAILED, "a count that is no number");
    if (status == LB_OK)
        *out_value = lb_stmt_int(stmt, 0);
    lb_stmt_free(stmt);
    return status;
}

/* SQLite's own look at its pages: what no query would notice, such as a row in the wrong order. */
static lb_status check_pages(struct lb_verify *verify)
{
    struct lb_stmt *stmt = NULL;
    bool row = false;
    LB_TRY(lb_stmt_prepare(verify->reader->store, "PRAGMA integrity_check(1)", &stmt));
    lb_status status = lb_stmt_step(stmt, &row);
    bool whole = status == LB_OK && row && lb_span_is(lb_stmt_text(stmt, 0), "ok");
    lb_stmt_free(stmt);
    if (!whole) {
        lb_verify_say(verify, "the database's pages are damaged");
        LB_FAIL(LB_LOG_FORK, "damaged pages");
    }
    return LB_OK;
}

/* A note with our signature, or with that and one by the key before or after ours, and nothing else
 * has one of two lengths. */
static bool is_exact_note(struct lb_span note, const struct lb_note_verifier *verifier)
{
    size_t lines = 0;
    size_t text_len = 0;
    while (text_len < note.len && lines < 3)
        lines += note.ptr[text_len++] == '\n';
    size_t line = strlen("— ") + strlen(verifier->name) + strlen(" ") +
                  4 * ((LB_NOTE_KEY_ID_BYTES + LB_SIGNATURE_BYTES + 2) / 3) + strlen("\n");
    size_t rest = note.len - text_len;
    return rest == strlen("\n") + line || rest == strlen("\n") + 2 * line;
}

static lb_status check_head(struct lb_verify *verify, struct lb_arena *arena)
{
    struct lb_records_checkpoint row;
    struct lb_checkpoint head;
    lb_status status = lb_records_checkpoint(&verify->reader->records, arena, &row);
    if (status == LB_OK)
        status = lb_checkpoint_open(row.note, verify->verifier, &head);
    if (status != LB_OK) {
        lb_verify_say(verify, "the stored checkpoint is missing or not signed with this log's key");
        LB_FAIL(LB_LOG_FORK, "checkpoint does not verify");
    }
    bool same = head.size == row.size &&
                memcmp(head.root.bytes, row.root.bytes, LB_HASH_BYTES) == 0 &&
                is_exact_note(row.note, verify->verifier);
    if (!same) {
        lb_verify_say(verify, "the stored checkpoint says other things than its signed note");
        LB_FAIL(LB_LOG_FORK, "checkpoint columns differ");
    }
    _Static_assert(sizeof(verify->verdict.note) >= LB_RATCHET_MAX_NOTE_BYTES, "a note fits");
    LB_ENSURE(row.note.len <= sizeof(verify->verdict.note), LB_LOG_FORK, "the note is too long");
    memcpy(verify->verdict.note, row.note.ptr, row.note.len);
    verify->verdict.note_len = row.note.len;
    verify->head = head;
    return LB_OK;
}

/* A running node may be writing a slot while we read: look again before calling it damage. */
static lb_status read_ratchet(struct lb_verify *verify, struct lb_ratchet *out_ratchet)
{
    for (int i = 0; i < TORN_READ_TRIES; i++) {
        lb_status status = lb_ratchet_read(verify->reader->ratchet, out_ratchet);
        if (lb_status_code(status) == LB_ABSENT || lb_status_code(status) == LB_FILE_FAILED) {
            lb_verify_say(verify, "the ratchet file is missing or unreadable");
            LB_FAIL(LB_LOG_FORK, "no ratchet");
        }
        LB_TRY(status);
        if (out_ratchet->slots[0].intact && out_ratchet->slots[1].intact)
            return LB_OK;
        const struct timespec pause = {0, TORN_READ_PAUSE_NS};
        (void)nanosleep(&pause, NULL);
    }
    lb_verify_say(verify, "the ratchet file is damaged; if the power failed, start the node once");
    LB_FAIL(LB_LOG_FORK, "the ratchet is damaged");
}

/* One slot read before the database: it must be of this history and not ahead of it. */
static lb_status check_slot(struct lb_verify *verify, const struct lb_ratchet_slot *slot)
{
    struct lb_checkpoint seen;
    struct lb_hash root;
    lb_status status =
        lb_checkpoint_open(lb_span_of(slot->note, slot->note_len), verify->verifier, &seen);
    if (status != LB_OK) {
        lb_verify_say(verify, "the ratchet is not signed with this log's key");
        LB_FAIL(LB_LOG_FORK, "the ratchet does not verify");
    }
    if (seen.size > verify->head.size) {
        lb_verify_say(verify, "the database ends at entry %llu, but %llu were signed",
                      (unsigned long long)verify->head.size, (unsigned long long)seen.size);
        LB_FAIL(LB_LOG_BEHIND, "the ratchet is ahead");
    }
    LB_TRY(lb_tree_root(verify->tree, seen.size, &root));
    if (memcmp(root.bytes, seen.root.bytes, LB_HASH_BYTES) != 0) {
        lb_verify_say(verify, "the ratchet is of another history at size %llu",
                      (unsigned long long)seen.size);
        LB_FAIL(LB_LOG_FORK, "the ratchet is of another history");
    }
    return LB_OK;
}

/* Read after the database, the ratchet may lag by what is between commit and ratchet. */
static lb_status check_lag(struct lb_verify *verify, const struct lb_ratchet *after)
{
    struct lb_checkpoint newest;
    unsigned slot = 0;
    LB_TRY(lb_ratchet_newest(after, verify->verifier, &newest, &slot));
    if (newest.size + LB_LOG_BATCH < verify->head.size) {
        lb_verify_say(verify, "the ratchet was set back to size %llu",
                      (unsigned long long)newest.size);
        LB_FAIL(LB_LOG_FORK, "the ratchet was set back");
    }
    return LB_OK;
}

static lb_status check_root(struct lb_verify *verify)
{
    struct lb_hash root;
    uint64_t size = lb_tree_size(verify->tree);
    if (size != verify->head.size) {
        lb_verify_say(verify, "there are %llu entries where %llu were signed",
                      (unsigned long long)size, (unsigned long long)verify->head.size);
        LB_FAIL(LB_LOG_FORK, "another number of entries");
    }
    LB_TRY(lb_tree_root(verify->tree, size, &root));
    if (memcmp(root.bytes, verify->head.root.bytes, LB_HASH_BYTES) != 0) {
        lb_verify_say(verify, "the entries do not give the signed root: one was changed");
        LB_FAIL(LB_LOG_FORK, "another root");
    }
    return LB_OK;
}

/* Everything that is read from one snapshot of the database. */
static lb_status check_snapshot(struct lb_verify *verify, struct lb_arena *arena)
{
    struct lb_ratchet before;
    struct lb_ratchet after;
    LB_TRY(read_ratchet(verify, &before));
    LB_TRY(check_head(verify, arena));
    LB_TRY(read_ratchet(verify, &after));
    LB_TRY(check_pages(verify));
    LB_TRY(lb_verify_shards(verify));
    LB_TRY(lb_verify_walk(verify));
    LB_TRY(check_root(verify));
    LB_TRY(lb_verify_shards_rest(verify));
    LB_TRY(check_slot(verify, &before.slots[0]));
    LB_TRY(check_slot(verify, &before.slots[1]));
    return check_lag(verify, &after);
}

/* A store that fails while it is read is a damaged one; what it lacks was removed. */
static lb_status judge(struct lb_verify *verify, lb_status status)
{
    enum lb_code code = lb_status_code(status);
    bool damage = code == LB_STORE_FAILED || code == LB_ABSENT || code == LB_MALFORMED;
    const char *trouble = lb_log_reader_trouble(verify->reader);
    if (status != LB_OK && verify->diag->text[0] == 0 && trouble != NULL)
        lb_verify_say(verify, "%s", trouble);
    if (status != LB_OK && verify->diag->text[0] == 0)
        lb_verify_say(verify, "the database is damaged (%s)", status->what);
    if (!damage)
        return status;
    LB_FAIL(LB_LOG_FORK, "the database is damaged");
}

static void cleanup(struct lb_verify *verify)
{
    lb_tree_free(verify->tree);
    lb_verify_rows_end(&verify->leaves);
    lb_verify_rows_end(&verify->details);
    lb_stmt_free(verify->erased.stmt);
}

lb_status lb_log_reader_verify(struct lb_log_reader *reader,
                               const struct lb_note_verifier *verifier, struct lb_diag *diag,
                               struct lb_log_verdict *out_verdict)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    struct lb_tree_source source = lb_records_source(&reader->records);
    LB_DEFER(cleanup) struct lb_verify verify = {
        .reader = reader, .verifier = verifier, .diag = diag};
    diag->text[0] = 0;
    LB_TRY(lb_tree_new(&source, &verify.tree));
    LB_TRY(lb_store_exec(reader->store, "BEGIN"));
    lb_status status = judge(&verify, check_snapshot(&verify, arena));
    lb_store_rollback(reader->store);
    LB_TRY(status);
    verify.verdict.size = verify.head.size;
    verify.verdict.root = verify.head.root;
    memcpy(verify.verdict.origin, verify.head.origin, sizeof(verify.verdict.origin));
    *out_verdict = verify.verdict;
    return LB_OK;
}
