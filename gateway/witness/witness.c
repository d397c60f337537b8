#include "gateway/witness/witness.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/hex.h"
#include "gateway/base/log.h"
#include "gateway/crypto/hash.h"
#include "gateway/note/cosign.h"
#include "gateway/store/store.h"

#define BUSY_TIMEOUT_MS 5000
#define MAX_PATH_BYTES 4096
#define SAY_MS 1000

struct lb_witness {
    struct lb_witness_options options;
    pthread_mutex_t lock;  /* over the store: check and keep are one step */
    struct lb_store *store;
    struct lb_stmt *find;
    struct lb_stmt *find_note;
    struct lb_stmt *keep;
    bool failed;
    int64_t said_ms;  /* monotonic: the last line about a refusal */
};

/* What is known of a log, and how it got here. */
struct latest {
    uint64_t size;
    struct lb_hash root;
    int64_t unix_s;
};

static const char *const MIGRATIONS[] = {
    "CREATE TABLE witnessed(origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL,"
    " unix_s INTEGER NOT NULL, note BLOB NOT NULL) STRICT;",
    NULL,
};

const struct lb_store_schema lb_witness_schema = {LB_WITNESS_DATABASE, LB_WITNESS_APPLICATION_ID,
                                                   MIGRATIONS};

/* --- life --- */

static lb_status open_store(struct lb_witness *witness)
{
    char path[MAX_PATH_BYTES];
    int len = snprintf(path, sizeof(path), "%s/" LB_WITNESS_DATABASE, witness->options.folder);
    LB_ENSURE(len > 0 && (size_t)len < sizeof(path), LB_FILE_FAILED, "path is too long");
    const struct lb_store_options options = {
        .path = path,
        .migrations = MIGRATIONS,
        .application_id = LB_WITNESS_APPLICATION_ID,
        .create = true,
        .busy_timeout_ms = BUSY_TIMEOUT_MS,
    };
    LB_TRY(lb_store_open(&options, &witness->store));
    LB_TRY(lb_stmt_prepare(witness->store,
                           "SELECT size, root, unix_s FROM witnessed WHERE origin = ?1",
                           &witness->find));
    LB_TRY(lb_stmt_prepare(witness->store, "SELECT note FROM witnessed WHERE origin = ?1",
                           &witness->find_note));
    return lb_stmt_prepare(witness->store,
                           "INSERT INTO witnessed(origin, size, root, unix_s, note)"
                           " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT(origin) DO UPDATE SET"
                           " size = excluded.size, root = excluded.root,"
                           " unix_s = excluded.unix_s, note = excluded.note",
                           &witness->keep);
}

static lb_status check_options(const struct lb_witness_options *options, struct lb_diag *diag)
{
    struct lb_cosigner cosigner;
    uint8_t public_key[LB_P256_PUBLIC_BYTES];
    bool ed25519 = lb_sign_key_alg(options->key) == LB_SIGN_ED25519;
    (void)lb_sign_key_public(options->key, public_key);
    if (!ed25519 || lb_cosigner_init(options->name, public_key, &cosigner) != LB_OK) {
        lb_diag_set(diag, "a witness needs a name without white space and an Ed25519 key");
        LB_FAIL(LB_CONFIG_INVALID, "witness options");
    }
    lb_cosigner_cleanup(&cosigner);
    return LB_OK;
}

lb_status lb_witness_open(const struct lb_witness_options *options, struct lb_diag *diag,
                          struct lb_witness **out_witness)
{
    LB_TRY(check_options(options, diag));
    struct lb_witness *witness = calloc(1, sizeof(*witness));
    LB_ENSURE(witness != NULL, LB_NO_MEMORY, "witness");
    witness->options = *options;
    (void)pthread_mutex_init(&witness->lock, NULL);
    lb_status status = open_store(witness);
    if (status != LB_OK) {
        lb_diag_set(diag, "%s/" LB_WITNESS_DATABASE ": what this node has witnessed can't be read "
                          "(%s): %s; restore it, a witness that forgets can be shown a fork",
                    options->folder, lb_code_name(status->code), status->what);
        lb_witness_close(witness);
        return status;
    }
    *out_witness = witness;
    return LB_OK;
}

void lb_witness_close(struct lb_witness *witness)
{
    if (witness == NULL)
        return;
    lb_store_close(witness->store);
    (void)pthread_mutex_destroy(&witness->lock);
    free(witness);
}

/* --- state; under the lock --- */

static lb_status read_row(struct lb_witness *witness, const char *origin, struct latest *out)
{
    const struct lb_stmt *stmt = witness->find;
    bool row = false;
    LB_TRY(lb_stmt_bind_text(witness->find, 1, lb_span_str(origin)));
    LB_TRY(lb_stmt_step(witness->find, &row));
    LB_ENSURE(row, LB_ABSENT, "a log never seen");
    struct lb_span root = lb_stmt_blob(stmt, 1);
    LB_ENSURE(root.len == LB_HASH_BYTES && lb_stmt_int(stmt, 0) >= 0, LB_STORE_FAILED,
              "a damaged row");
    out->size = (uint64_t)lb_stmt_int(stmt, 0);
    memcpy(out->root.bytes, root.ptr, LB_HASH_BYTES);
    out->unix_s = lb_stmt_int(stmt, 2);
    return LB_OK;
}

static lb_status find(struct lb_witness *witness, const char *origin, struct latest *out)
{
    lb_status status = read_row(witness, origin, out);
    lb_stmt_reset(witness->find);
    return status;
}

static lb_status find_or_none(struct lb_witness *witness, const char *origin, struct latest *out)
{
    *out = (struct latest){.size = 0};
    lb_merkle_empty(&out->root);
    lb_status status = find(witness, origin, out);
    return lb_status_code(status) == LB_ABSENT ? LB_OK : status;
}

static lb_status read_note(struct lb_stmt *stmt, const char *origin, struct lb_arena *arena,
                           struct lb_span *out_note)
{
    bool row = false;
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(origin)));
    LB_TRY(lb_stmt_step(stmt, &row));
    LB_ENSURE(row, LB_STORE_FAILED, "a log that was cosigned has no row");
    return lb_arena_copy(arena, lb_stmt_blob(stmt, 0), out_note);
}

static lb_status keep(struct lb_witness *witness, const struct lb_checkpoint *next, int64_t unix_s,
                      struct lb_span note)
{
    LB_TRY(lb_stmt_bind_text(witness->keep, 1, lb_span_str(next->origin)));
    LB_TRY(lb_stmt_bind_int(witness->keep, 2, (int64_t)next->size));
    LB_TRY(lb_stmt_bind_blob(witness->keep, 3, lb_span_of(next->root.bytes, LB_HASH_BYTES)));
    LB_TRY(lb_stmt_bind_int(witness->keep, 4, unix_s));
    LB_TRY(lb_stmt_bind_blob(witness->keep, 5, note));
    return lb_stmt_run(witness->keep);
}

/* --- one request --- */

struct request {
    struct lb_witness *witness;
    const char *peer;
    const struct lb_note_verifier *verifier;  /* of the peer's log */
    struct lb_arena *arena;
    struct lb_add_checkpoint add;
    struct lb_checkpoint next;
    struct latest latest;
    struct lb_witness_reply reply;
    struct lb_span line;
    int64_t unix_s;
};

static enum lb_witness_answer open_note(struct request *request)
{
    const struct lb_note_verifier *verifier = request->verifier;
    if (!lb_span_is(request->add.origin, verifier->name))
        return LB_WITNESS_UNKNOWN_LOG;
    switch (lb_status_code(lb_checkpoint_open(request->add.note, verifier, &request->next))) {
    case LB_CODE_OK:
        return LB_WITNESS_COSIGNED;
    case LB_SIGNATURE_INVALID:
        return LB_WITNESS_FORBIDDEN;
    default:
        return LB_WITNESS_BAD_REQUEST;
    }
}

/* Signs before it keeps, so that a row on disk always has its cosignature; nothing leaves before
 * the commit. The time never goes back, whatever the clock does. */
static lb_status cosign(struct request *request)
{
    const struct lb_witness_options *options = &request->witness->options;
    request->unix_s = lb_clock_unix_s(options->clock);
    if (request->unix_s < request->latest.unix_s)
        request->unix_s = request->latest.unix_s;
    LB_TRY(lb_cosign(request->add.note, options->name, options->key, request->unix_s,
                     request->arena, &request->line));
    LB_DEFER(lb_buf_cleanup) struct lb_buf note;
    lb_buf_init(&note, 2 * LB_ADD_CHECKPOINT_MAX_BYTES);
    lb_buf_put(&note, request->add.note);
    lb_buf_put(&note, request->line);
    LB_TRY(lb_buf_check(&note));
    /* It is what this witness will show for its word: it must open with one line more. */
    struct lb_checkpoint again;
    if (lb_checkpoint_open(lb_buf_span(&note), request->verifier, &again) != LB_OK) {
        request->reply.answer = LB_WITNESS_BAD_REQUEST;
        return LB_OK;
    }
    request->reply.body = request->line;
    return keep(request->witness, &request->next, request->unix_s, lb_buf_span(&note));
}

/* Whoever shows less than was cosigned, or another history, is shown what was. */
static lb_status add_evidence(struct request *request)
{
    struct lb_stmt *stmt = request->witness->find_note;
    bool less = request->reply.answer == LB_WITNESS_CONFLICT &&
                request->next.size < request->latest.size;
    bool other = request->reply.answer == LB_WITNESS_INCONSISTENT && request->latest.size > 0;
    if (!less && !other)
        return LB_OK;
    lb_status status =
        read_note(stmt, request->next.origin, request->arena, &request->reply.evidence);
    lb_stmt_reset(stmt);
    return status;
}

static lb_status decide(struct request *request)
{
    LB_TRY(find_or_none(request->witness, request->next.origin, &request->latest));
    request->reply.answer = lb_add_checkpoint_judge(&request->add, &request->next,
                                                    request->latest.size, &request->latest.root);
    if (request->reply.answer == LB_WITNESS_COSIGNED)
        return cosign(request);
    if (request->reply.answer == LB_WITNESS_CONFLICT) {
        const char *size = lb_arena_printf(request->arena, "%llu\n",
                                           (unsigned long long)request->latest.size);
        LB_ENSURE(size != NULL, LB_NO_MEMORY, "arena is full");
        request->reply.body = lb_span_str(size);
    }
    return add_evidence(request);
}

/* Check and keep, in one transaction under one lock. A commit that failed may or may not be on
 * disk: this witness then says nothing more. */
static lb_status decide_and_keep(struct request *request)
{
    struct lb_witness *witness = request->witness;
    (void)pthread_mutex_lock(&witness->lock);
    lb_status status = witness->failed ? LB_FAULT(LB_LOG_UNAVAILABLE, "the witness has stopped")
                                       : lb_store_begin(witness->store);
    if (status == LB_OK)
        status = decide(request);
    if (status == LB_OK)
        status = lb_store_commit(witness->store);
    if (status != LB_OK) {
        lb_store_rollback(witness->store);
        if (!witness->failed && status->code != LB_NO_MEMORY)
            lb_log_failure("witness_stopped", status);
        witness->failed = witness->failed || status->code != LB_NO_MEMORY;
        status = LB_FAULT(LB_LOG_UNAVAILABLE, "what was witnessed can't be kept");
    }
    (void)pthread_mutex_unlock(&witness->lock);
    return status;
}

/* --- its own evidence --- */

/* An origin that the directory lists has nothing that JSON would have to escape. */
static struct lb_span detail_of(const struct request *request)
{
    char root[2 * LB_HASH_BYTES + 1];
    lb_hex_encode(lb_span_of(request->next.root.bytes, LB_HASH_BYTES), root);
    const char *text = lb_arena_printf(
        request->arena,
        "{\"log\":\"%s\",\"size\":%llu,\"before\":%llu,\"root\":\"%s\",\"time\":%lld}",
        request->next.origin, (unsigned long long)request->next.size,
        (unsigned long long)request->latest.size, root, (long long)request->unix_s);
    return lb_span_str(text);
}

static lb_status record_growth(const struct request *request)
{
    const struct lb_witness_options *options = &request->witness->options;
    bool grown = request->next.size > request->latest.size;
    if (!options->keeps_entries || !grown)
        return LB_OK;
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    LB_ENSURE(entry != NULL, LB_NO_MEMORY, "entry");
    entry->leaf.type = LB_LEAF_ADMIN;
    entry->leaf.count = 1;
    (void)snprintf(entry->leaf.code, sizeof(entry->leaf.code), "COSIGNED");
    lb_sha256(request->add.note, entry->leaf.request_hash);
    if (options->seals_detail)
        entry->detail = detail_of(request);
    lb_status status = lb_log_append_wait(options->log, entry);
    free(entry);
    return status;
}

/* For the operator, at most a line a second, whatever a member sends. */
static void say_refusal(const struct request *request, enum lb_code code)
{
    struct lb_witness *witness = request->witness;
    int64_t now = lb_clock_monotonic_ms(witness->options.clock);
    (void)pthread_mutex_lock(&witness->lock);
    bool due = witness->said_ms == 0 || now - witness->said_ms >= SAY_MS;
    if (due)
        witness->said_ms = now;
    (void)pthread_mutex_unlock(&witness->lock);
    if (due)
        lb_log_event(LB_LOG_WARN, "cosignature_refused",
                     "\"log\":\"%s\",\"answer\":%d,\"code\":\"%s\"", request->peer,
                     (int)request->reply.answer, lb_code_name(code));
}

/* A size that does not match is how a log asks where we stand; one that is smaller than what was
 * cosigned is not. */
static void count_refusal(const struct request *request)
{
    static const struct {
        enum lb_witness_answer answer;
        enum lb_code code;
    } codes[] = {
        {LB_WITNESS_BAD_REQUEST, LB_MALFORMED},
        {LB_WITNESS_FORBIDDEN, LB_SIGNATURE_INVALID},
        {LB_WITNESS_UNKNOWN_LOG, LB_ROLE_NOT_ALLOWED},
        {LB_WITNESS_INCONSISTENT, LB_LOG_FORK},
        {LB_WITNESS_CONFLICT, LB_LOG_BEHIND},
    };
    enum lb_witness_answer answer = request->reply.answer;
    bool asks = answer == LB_WITNESS_CONFLICT && request->next.size >= request->latest.size;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (codes[i].answer != answer || asks)
            continue;
        lb_log_count_denial(request->witness->options.log, request->peer, codes[i].code);
        say_refusal(request, codes[i].code);
    }
}

lb_status lb_witness_add(struct lb_witness *witness, const char *peer,
                         const struct lb_note_verifier *verifier, struct lb_span body,
                         struct lb_arena *arena, struct lb_witness_reply *out_reply)
{
    struct request request = {
        .witness = witness, .peer = peer, .verifier = verifier, .arena = arena};
    lb_status parsed = lb_add_checkpoint_parse(body, &request.add);
    if (parsed != LB_OK && parsed->code != LB_MALFORMED)
        return parsed;
    request.reply.answer =
        parsed == LB_OK ? open_note(&request) : LB_WITNESS_BAD_REQUEST;
    if (request.reply.answer == LB_WITNESS_COSIGNED)
        LB_TRY(decide_and_keep(&request));
    if (request.reply.answer == LB_WITNESS_COSIGNED)
        LB_TRY(record_growth(&request));
    else
        count_refusal(&request);
    *out_reply = request.reply;
    return LB_OK;
}

lb_status lb_witness_latest(struct lb_witness *witness, const char *origin, uint64_t *out_size,
                            struct lb_hash *out_root)
{
    struct latest latest;
    (void)pthread_mutex_lock(&witness->lock);
    lb_status status = find(witness, origin, &latest);
    (void)pthread_mutex_unlock(&witness->lock);
    LB_TRY(status);
    *out_size = latest.size;
    *out_root = latest.root;
    return LB_OK;
}

lb_status lb_witness_check_lost(struct lb_witness *witness, const char *origin, uint64_t size,
                                const uint8_t root[LB_HASH_BYTES])
{
    uint64_t known = 0;
    struct lb_hash known_root;
    lb_status status = lb_witness_latest(witness, origin, &known, &known_root);
    if (lb_status_code(status) == LB_ABSENT)
        return LB_OK;
    LB_TRY(status);
    LB_ENSURE(known <= size, LB_LOG_BEHIND, "more was cosigned than is said to be lost");
    LB_ENSURE(known < size || memcmp(known_root.bytes, root, LB_HASH_BYTES) == 0, LB_LOG_FORK,
              "another history was cosigned than is said to be lost");
    return LB_OK;
}
