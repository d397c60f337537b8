#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/audit/build.h"
#include "gateway/evidence/log.h"
#include "gateway/store/store.h"

/*
 * How long an officer waits: an index of so many made-up entries about a tenth as many persons, and
 * who-saw of one of them, of one who was looked up two thousand times and of nobody; the newest of
 * what an operator did; one case; one request; the index opened anew each time. Prints one JSON
 * object, in milliseconds.
 *
 *   bench-index FOLDER [ENTRIES]
 */

#define DEFAULT_ENTRIES 10000000LL
#define CHUNK 250000LL
#define ROUNDS 400
#define OPERATORS 500LL
#define BUSY_LOOKUPS 2000LL
#define PAGE 50
#define FIRST_MS 1782892800000LL /* 2026-07-01T08:00:00Z */
#define STEP_MS 250LL

#define COUNT                                                                                      \
    "WITH RECURSIVE n(i) AS (SELECT %lld UNION ALL SELECT i + 1 FROM n WHERE i < %lld) "

static void need(lb_status status, const char *what)
{
    if (status == LB_OK)
        return;
    (void)fprintf(stderr, "bench-index: %s: %s: %s\n", what, lb_code_name(status->code),
                  status->what);
    exit(1);
}

static double now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* --- making --- */

static void write_log(const char *folder, const struct lb_sign_key *key,
                      const struct lb_x25519_key *officer)
{
    struct lb_log *log = NULL;
    struct lb_diag diag = {""};
    const struct lb_log_options options = {
        .folder = folder, .origin = "bench/adapter/tax", .key = key, .clock = lb_clock_system(),
        .create = true, .officer_key = officer->public_key};
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    if (entry == NULL)
        exit(1);
    need(lb_log_open(&options, &diag, &log), diag.text);
    entry->leaf = (struct lb_leaf){.type = LB_LEAF_ADMIN, .code = "STARTED", .count = 1};
    need(lb_log_append_wait(log, entry), "append");
    free(entry);
    lb_log_close(log);
}

/* The index of a log of one entry: the schema, which is then filled by hand. */
static void begin_index(const char *log, const char *folder)
{
    static const uint8_t seed[32] = {7};
    struct lb_sign_key *key = NULL;
    struct lb_x25519_key officer;
    struct lb_note_verifier verifier;
    struct lb_audit_build *build = NULL;
    struct lb_audit_progress progress;
    struct lb_diag diag = {""};
    uint8_t public_key[LB_P256_PUBLIC_BYTES];
    need(lb_sign_key_from_seed(seed, &key), "key");
    (void)lb_sign_key_public(key, public_key);
    need(lb_note_verifier_init("bench/adapter/tax", public_key, &verifier), "verifier");
    need(lb_x25519_generate(&officer), "officer");
    write_log(log, key, &officer);
    const struct lb_audit_build_options options = {
        .log = log, .folder = folder, .verifier = &verifier, .officer = {&officer, 1},
        .clock = lb_clock_system()};
    need(lb_audit_build_open(&options, &diag, &build), diag.text);
    need(lb_audit_build_step(build, &diag, &progress), diag.text);
    lb_audit_build_close(build);
    lb_note_verifier_cleanup(&verifier);
    lb_sign_key_free(key);
}

static void run(struct lb_store *store, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void run(struct lb_store *store, const char *format, ...)
{
    char sql[4096];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(sql, sizeof(sql), format, args);
    va_end(args);
    lb_status status = lb_store_exec(store, sql);
    if (status != LB_OK)
        (void)fprintf(stderr, "%s\n", lb_store_error_text(store));
    need(status, "filling");
}

static void fill_names(struct lb_store *store, long long persons)
{
    run(store, "DELETE FROM access; DELETE FROM word;"
               "INSERT INTO word(id, text) VALUES (1, 'ANSWERED'), (2, 'OK'),"
               " (3, 'spiffe://bench/window/civil-affairs'), (4, 'civil-affairs'), (5, 'hall-1'),"
               " (6, 'social-assistance'), (7, 'consent'), (8, 'applicant'), (9, 'consent-hall'),"
               " (10, 'tax.income'), (11, 'monthly'), (12, 'EXISTS'), (13, 'ok');"
               "INSERT INTO field_set(id, sha256) VALUES (1, zeroblob(32));"
               "INSERT INTO set_field VALUES (1, 0, 10, 11, 12, 13), (1, 1, 10, 11, 12, 13),"
               " (1, 2, 10, 11, 12, 13)");
    run(store, COUNT "INSERT INTO word(id, text) SELECT 1000 + i, printf('%%032x', i) FROM n",
        0LL, OPERATORS - 1);
    for (long long at = 1; at <= persons; at += CHUNK)
        run(store,
            COUNT "INSERT INTO subject(id, pseudonym)"
                  " SELECT i, CAST(printf('%%032d', i) AS BLOB) FROM n",
            at, at + CHUNK - 1 < persons ? at + CHUNK - 1 : persons);
}

/* Person number 1 is looked up often, everybody else at random. */
static void fill_rows(struct lb_store *store, long long entries, long long persons)
{
    for (long long at = 0; at < entries; at += CHUNK)
        run(store,
            COUNT "INSERT INTO access(idx, time_ms, type, decision, code, views, count, retry, txn,"
                  " peer, detail, inner, requester, org, actor, unit, purpose, basis, role, issuer,"
                  " form, grant_id, case_no, subject, class_max, verified, field_set)"
                  " SELECT i, %lld + i * %lld, 1, CASE WHEN i %% 20 = 0 THEN 4 ELSE 2 END, 1, 10,"
                  " 1, 0, CAST(printf('%%016d', i) AS BLOB), 1, 1, 2, 3, 4,"
                  " 1000 + abs(random()) %% %lld, 5, 6, 7, 8, 9, 6, printf('g-%%d', i / 5),"
                  " printf('C-%%d', i / 5), CASE WHEN i %% %lld = 0 THEN 1"
                  " ELSE 2 + abs(random()) %% %lld END, 3, 1, 1 FROM n",
            at, at + CHUNK - 1 < entries ? at + CHUNK - 1 : entries - 1, FIRST_MS, STEP_MS,
            OPERATORS, entries / BUSY_LOOKUPS + 1, persons - 1);
    run(store, "UPDATE source SET size = %lld", entries);
}

static double fill(const char *folder, long long entries)
{
    struct lb_store *store = NULL;
    char path[4096];
    double began = now_ms();
    (void)snprintf(path, sizeof(path), "%s/index.db", folder);
    const struct lb_store_options options = {.path = path, .busy_timeout_ms = 1000};
    need(lb_store_open(&options, &store), "store");
    fill_names(store, entries / 10);
    fill_rows(store, entries, entries / 10);
    lb_store_close(store);
    return now_ms() - began;
}

/* --- asking --- */

static size_t ask(const char *folder, const struct lb_audit_filter *filter, size_t limit)
{
    struct lb_audit_index *index = NULL;
    struct lb_audit_scan *scan = NULL;
    const struct lb_audit_row *row = NULL;
    struct lb_diag diag;
    size_t num = 0;
    need(lb_audit_index_open(folder, &diag, &index), diag.text);
    need(lb_audit_scan_open(index, filter, &scan), "scan");
    need(lb_audit_scan_next(scan, &row), "row");
    while (row != NULL && num < limit) {
        const struct lb_audit_field *fields = NULL;
        size_t num_fields = 0;
        need(lb_audit_scan_fields(scan, &fields, &num_fields), "fields");
        num++;
        need(lb_audit_scan_next(scan, &row), "row");
    }
    lb_audit_scan_close(scan);
    lb_audit_index_close(index);
    return num;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

enum question { SOMEBODY, BUSY, NOBODY, OPERATOR, CASE, REQUEST, NUM_QUESTIONS };

/* Spread over the whole index, the same in every run. */
static size_t ask_one(const char *folder, enum question question, size_t turn, long long entries)
{
    long long i = (long long)(turn * 7919 * 104729) % entries;
    uint8_t person[33], txn[24];
    char actor[40], case_no[32];
    struct lb_audit_filter filter = {.newest_first = true};
    long long who = question == SOMEBODY ? 2 + i % (entries / 10 - 1) : 1;
    (void)snprintf((char *)person, sizeof(person), "%032lld", question == NOBODY ? 0 : who);
    (void)snprintf((char *)txn, sizeof(txn), "%016lld", i);
    (void)snprintf(actor, sizeof(actor), "%032llx", (unsigned long long)(i % OPERATORS));
    (void)snprintf(case_no, sizeof(case_no), "C-%lld", i / 5);
    filter.subjects = question <= NOBODY ? person : NULL;
    filter.num_subjects = question <= NOBODY ? 1 : 0;
    filter.actor = question == OPERATOR ? actor : NULL;
    filter.case_no = question == CASE ? case_no : NULL;
    filter.txn = question == REQUEST ? txn : NULL;
    return ask(folder, &filter, question == OPERATOR ? PAGE : SIZE_MAX);
}

static void measure(const char *folder, enum question question, long long entries)
{
    static const char *const names[] = {"who_saw", "who_saw_2000_rows", "who_saw_nobody",
                                        "did_newest_50", "case", "txn"};
    static double took[ROUNDS];
    size_t rows = 0;
    for (size_t i = 0; i < ROUNDS; i++) {
        double began = now_ms();
        rows += ask_one(folder, question, i, entries);
        took[i] = now_ms() - began;
    }
    double first = took[0];
    qsort(took, ROUNDS, sizeof(took[0]), compare);
    (void)printf(", \"%s\": {\"first\": %.2f, \"p50\": %.2f, \"p99\": %.2f, \"max\": %.2f,"
                 " \"rows\": %.1f}",
                 names[question], first, took[ROUNDS / 2], took[ROUNDS * 99 / 100],
                 took[ROUNDS - 1], (double)rows / ROUNDS);
}

int main(int argc, char **argv)
{
    char log[2048], folder[2048];
    long long entries = argc > 2 ? strtoll(argv[2], NULL, 10) : DEFAULT_ENTRIES;
    if (argc < 2 || argc > 3 || entries < 10000) {
        (void)fprintf(stderr, "usage: bench-index FOLDER [ENTRIES, at least 10000]\n");
        return 2;
    }
    (void)snprintf(log, sizeof(log), "%s/log", argv[1]);
    (void)snprintf(folder, sizeof(folder), "%s/index", argv[1]);
    begin_index(log, folder);
    double filled = fill(folder, entries);
    (void)printf("{\"entries\": %lld, \"filled_s\": %.1f", entries, filled / 1e3);
    for (int question = 0; question < NUM_QUESTIONS; question++)
        measure(folder, (enum question)question, entries);
    (void)printf("}\n");
    return 0;
}
