#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/base/limits.h"
#include "gateway/evidence/inspect.h"
#include "gateway/evidence/log.h"
#include "gateway/evidence/merkle.h"
#include "gateway/store/store.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/keys.h"

/* Another node's evidence log, as files that anybody may have changed: u16 length of the ratchet |
 * ratchet | evidence.db. */

#define ARENA_BYTES (8U << 20)
#define ORIGIN "test.gov/adapter/tax"
#define NOW_MS INT64_C(1800000000000)
#define MAX_LEAVES 64U

/* A folder for one input, in memory where there is such a place. */
struct place {
    char folder[64];
    char database[96];
    char ratchet[96];
};

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *ftw)
{
    (void)info;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static void make_place(struct place *place)
{
    const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    (void)snprintf(place->folder, sizeof(place->folder), "%s/lianban-fuzz-XXXXXX", base);
    FUZZ_CHECK(mkdtemp(place->folder) != NULL);
    (void)snprintf(place->database, sizeof(place->database), "%s/evidence.db", place->folder);
    (void)snprintf(place->ratchet, sizeof(place->ratchet), "%s/ratchet", place->folder);
}

static void remove_place(const struct place *place)
{
    (void)nftw(place->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* --- reading --- */

/* Listing promises less than verification: what it gives has the shape of a leaf. With `root` all
 * leaves are hashed into it. */
static void list_leaves(struct lb_log_reader *reader, uint64_t num, bool verified,
                        struct lb_hash *out_root)
{
    struct lb_merkle_frontier frontier;
    lb_merkle_frontier_init(&frontier);
    for (uint64_t i = 0; i < num; i++) {
        LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
        struct lb_leaf leaf;
        struct lb_hash hash;
        struct lb_span detail;
        lb_status status = lb_log_reader_leaf(reader, i, arena, &leaf, &hash);
        FUZZ_CHECK(!verified || status == LB_OK);
        if (status != LB_OK)
            continue;
        FUZZ_CHECK(leaf.count >= 1 && lb_leaf_type_name(leaf.type)[0] != 0);
        lb_merkle_frontier_add(&frontier, &hash);
        status = lb_log_reader_detail(reader, i, &fuzz_keys()->x25519, arena, &detail);
        enum lb_code code = lb_status_code(status);
        FUZZ_CHECK(!verified || code == LB_CODE_OK || code == LB_ABSENT);
        FUZZ_CHECK(code != LB_CODE_OK || detail.len <= LB_MAX_DETAIL_BYTES);
    }
    lb_merkle_frontier_root(&frontier, out_root);
}

static bool verify(struct lb_log_reader *reader)
{
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    struct lb_note_verifier verifier;
    struct lb_log_verdict verdict;
    struct lb_diag diag = {""};
    struct lb_hash root;
    uint64_t size = 0;
    (void)lb_sign_key_public(fuzz_keys()->ed25519, raw);
    FUZZ_OK(lb_note_verifier_init(ORIGIN, raw, &verifier));
    lb_status status = lb_log_reader_verify(reader, &verifier, &diag, &verdict);
    lb_note_verifier_cleanup(&verifier);
    bool whole = status == LB_OK;
    FUZZ_CHECK(whole || diag.text[0] != 0);
    if (lb_log_reader_size(reader, &size) != LB_OK)
        size = 0;
    FUZZ_CHECK(!whole || size == verdict.size);
    list_leaves(reader, size < MAX_LEAVES ? size : MAX_LEAVES, whole, &root);
    if (!whole)
        return false;
    FUZZ_CHECK(strcmp(verdict.origin, ORIGIN) == 0);
    FUZZ_CHECK(size > MAX_LEAVES || memcmp(root.bytes, verdict.root.bytes, LB_HASH_BYTES) == 0);
    return true;
}

bool fuzz_evidence_files(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    struct place place;
    struct lb_diag diag = {""};
    struct lb_log_reader *reader = NULL;
    size_t len = (size_t)fuzz_u8(&in) << 8;
    len |= fuzz_u8(&in);
    make_place(&place);
    struct lb_span ratchet = fuzz_bytes(&in, len);
    FUZZ_OK(lb_file_write(place.ratchet, ratchet, 0600));
    FUZZ_OK(lb_file_write(place.database, in, 0600));
    bool accepted = false;
    if (lb_log_reader_open(place.folder, &diag, &reader) == LB_OK) {
        const char *origin = NULL;
        if (lb_log_reader_origin(reader, arena, &origin) == LB_OK)
            FUZZ_CHECK(strlen(origin) > 0 && strlen(origin) < 256);
        accepted = verify(reader);
        lb_log_reader_close(reader);
    } else {
        FUZZ_CHECK(diag.text[0] != 0 && reader == NULL);
    }
    remove_place(&place);
    return accepted;
}

/* --- seeds --- */

static struct lb_log *open_log(const struct place *place, const struct lb_clock *clock)
{
    const struct lb_log_options options = {
        .folder = place->folder,
        .origin = ORIGIN,
        .key = fuzz_keys()->ed25519,
        .clock = clock,
        .create = true,
        .officer_key = fuzz_keys()->x25519.public_key,
    };
    struct lb_diag diag = {""};
    struct lb_log *log = NULL;
    FUZZ_OK(lb_log_open(&options, &diag, &log));
    return log;
}

/* Entries with and without detail, about two people and nobody; then one of them is erased. */
static void fill_log(struct lb_log *log, size_t num, bool erase)
{
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    FUZZ_CHECK(entry != NULL);
    for (size_t i = 0; i < num; i++) {
        *entry = (struct lb_log_entry){.leaf = {.type = LB_LEAF_READ, .code = "ANSWERED",
                                                .txn = {(uint8_t)i}}};
        entry->has_subject = i % 3 != 0;
        entry->subject[0] = (uint8_t)(i % 2 + 1);
        if (i % 4 != 3)
            entry->detail = lb_span_str("{\"actor\":\"7\"}");
        FUZZ_OK(lb_log_append_wait(log, entry));
    }
    if (erase) {
        *entry = (struct lb_log_entry){.leaf = {.type = LB_LEAF_ERASURE, .code = "ERASED"},
                                       .has_subject = true, .subject = {1}};
        FUZZ_OK(lb_log_append_wait(log, entry));
    }
    free(entry);
}

/* In pages as small as can be, without a second file. */
static void shrink(const struct place *place)
{
    const struct lb_store_options options = {.path = place->database, .busy_timeout_ms = 1000};
    struct lb_store *store = NULL;
    FUZZ_OK(lb_store_open(&options, &store));
    FUZZ_OK(lb_store_exec(store, "PRAGMA journal_mode = DELETE"));
    FUZZ_OK(lb_store_exec(store, "PRAGMA page_size = 512"));
    FUZZ_OK(lb_store_exec(store, "VACUUM"));
    lb_store_close(store);
}

static void put_log(const struct fuzz_sink *sink, size_t num, bool erase)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    struct place place;
    struct lb_clock_fixed clock;
    struct lb_span ratchet = LB_SPAN_EMPTY, database = LB_SPAN_EMPTY;
    make_place(&place);
    lb_clock_fixed_init(&clock, NOW_MS);
    struct lb_log *log = open_log(&place, &clock.clock);
    fill_log(log, num, erase);
    lb_log_close(log);
    shrink(&place);
    FUZZ_OK(lb_file_read(place.ratchet, UINT16_MAX, arena, &ratchet));
    FUZZ_OK(lb_file_read(place.database, ARENA_BYTES / 2, arena, &database));
    uint8_t *seed = lb_arena_alloc(arena, 2 + ratchet.len + database.len);
    FUZZ_CHECK(seed != NULL);
    seed[0] = (uint8_t)(ratchet.len >> 8);
    seed[1] = (uint8_t)ratchet.len;
    memcpy(seed + 2, ratchet.ptr, ratchet.len);
    memcpy(seed + 2 + ratchet.len, database.ptr, database.len);
    fuzz_seed_plain(sink, lb_span_of(seed, 2 + ratchet.len + database.len));
    remove_place(&place);
}

void seed_evidence_files(const struct fuzz_sink *sink)
{
    put_log(sink, 0, false);
    put_log(sink, 1, false);
    put_log(sink, 5, true);
}
