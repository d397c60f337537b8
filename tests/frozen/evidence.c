#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "adapters/serve/serve.h"
#include "gateway/base/file.h"
#include "gateway/evidence/inspect.h"
#include "tests/frozen/parts.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/keys.h"

/* A department's log on disk, with the tables that stand beside it: today's code goes on writing,
 * verifies all of it, and reads the details. */

#define NUM_ENTRIES 3
#define DETAIL "{\"purpose\":\"social-assistance\",\"case\":\"2026-000123\"}"

struct place {
    char folder[PATH_MAX];
    char db[PATH_MAX + 16];
    char ratchet[PATH_MAX + 16];
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
    const char *base = getenv("TEST_TMPDIR");
    (void)snprintf(place->folder, sizeof(place->folder), "%s/frozen-XXXXXX",
                   base == NULL ? "/tmp" : base);
    FUZZ_CHECK(mkdtemp(place->folder) != NULL);
    (void)snprintf(place->db, sizeof(place->db), "%s/evidence.db", place->folder);
    (void)snprintf(place->ratchet, sizeof(place->ratchet), "%s/ratchet", place->folder);
}

static struct lb_log *open_log(const struct place *place, struct lb_clock_fixed *clock, bool create)
{
    struct lb_diag diag = {""};
    struct lb_log *log = NULL;
    lb_clock_fixed_init(clock, FROZEN_NOW * 1000 + (create ? 0 : 5000));
    const struct lb_log_options options = {
        .folder = place->folder, .origin = FROZEN_ORIGIN, .key = fuzz_keys()->ed25519,
        .clock = &clock->clock, .create = create, .migrations = lb_serve_migrations,
        .officer_key = fuzz_keys()->x25519.public_key};
    lb_status status = lb_log_open(&options, &diag, &log);
    if (status != LB_OK)
        (void)fprintf(stderr, "%s\n", diag.text);
    FUZZ_OK(status);
    return log;
}

static void append(struct lb_log *log, uint8_t number)
{
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    FUZZ_CHECK(entry != NULL);
    entry->leaf = (struct lb_leaf){.type = LB_LEAF_READ, .txn = {number}, .code = "ANSWERED",
                                   .views = "tax.wage", .request_hash = {number, 1}};
    entry->detail = lb_span_str(DETAIL);
    entry->fields = lb_span_str("tax.wage income SUM(12)");
    entry->has_subject = number % 2 == 0;
    entry->subject[0] = number;
    FUZZ_OK(lb_log_append_wait(log, entry));
    free(entry);
}

static struct lb_span read_file(struct frozen_set *set, const char *path)
{
    struct lb_span bytes = LB_SPAN_EMPTY;
    FUZZ_OK(lb_file_read(path, 1U << 20, set->arena, &bytes));
    return bytes;
}

struct lb_span make_evidence(struct frozen_set *set)
{
    struct place place;
    struct lb_clock_fixed clock;
    make_place(&place);
    struct lb_log *log = open_log(&place, &clock, true);
    for (uint8_t i = 0; i < NUM_ENTRIES; i++)
        append(log, i);
    lb_log_close(log);
    struct lb_span bytes = read_file(set, place.db);
    frozen_put(set, "evidence.ratchet.hex", read_file(set, place.ratchet));
    (void)nftw(place.folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return bytes;
}

static void verify(const struct place *place, struct lb_arena *arena, uint64_t size)
{
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    struct lb_note_verifier verifier;
    struct lb_log_reader *reader = NULL;
    struct lb_log_verdict verdict;
    struct lb_diag diag = {""};
    struct lb_span detail;
    (void)lb_sign_key_public(fuzz_keys()->ed25519, raw);
    FUZZ_OK(lb_note_verifier_init(FROZEN_ORIGIN, raw, &verifier));
    FUZZ_OK(lb_log_reader_open(place->folder, &diag, &reader));
    lb_status status = lb_log_reader_verify(reader, &verifier, &diag, &verdict);
    if (status != LB_OK)
        (void)fprintf(stderr, "%s\n", diag.text);
    FUZZ_OK(status);
    FUZZ_CHECK(verdict.size == size && verdict.num_details == size);
    for (uint64_t i = 0; i < size; i++) {
        FUZZ_OK(lb_log_reader_detail(reader, i, &fuzz_keys()->x25519, arena, &detail));
        FUZZ_CHECK(lb_span_is(detail, DETAIL));
    }
    lb_log_reader_close(reader);
    lb_note_verifier_cleanup(&verifier);
}

struct lb_span make_ratchet(struct frozen_set *set)
{
    return frozen_get(set, "evidence.ratchet.hex");
}

void accept_ratchet(struct frozen_set *set, struct lb_span bytes)
{
    (void)set;
    FUZZ_CHECK(bytes.len > 0);  /* it is read with the log it belongs to */
}

void accept_evidence(struct frozen_set *set, struct lb_span bytes)
{
    struct place place;
    struct lb_clock_fixed clock;
    make_place(&place);
    FUZZ_OK(lb_file_write(place.db, bytes, 0600));
    FUZZ_OK(lb_file_write(place.ratchet, frozen_get(set, "evidence.ratchet.hex"), 0600));
    struct lb_log *log = open_log(&place, &clock, false);
    append(log, NUM_ENTRIES);
    lb_log_close(log);
    verify(&place, set->arena, NUM_ENTRIES + 1);
    (void)nftw(place.folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
