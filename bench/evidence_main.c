#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/evidence.h"
#include "gateway/base/file.h"
#include "gateway/crypto/x25519.h"
#include "gateway/evidence/export.h"
#include "gateway/evidence/inspect.h"

/*
 * bench-evidence FOLDER ENTRIES: one JSON object about an evidence log that grows to so many
 * entries in FOLDER, beside raw commits of the same bytes.
 */
#define SLICE 6400
#define IDLE 200
#define ORIGIN "bench.lianban/adapter/tax"

struct bench {
    char folder[512];
    char raw_path[600];
    size_t num_entries;
    struct lb_sign_key *key;
    struct lb_x25519_key officer;
    struct lb_log *log;
    struct lb_bench_log *ours;
    struct lb_bench_raw raw;
};

static const char *const TABLES[] = {LB_BENCH_COUNT_TABLE, NULL};

static lb_status open_log(struct bench *bench)
{
    const struct lb_log_options options = {
        .folder = bench->folder,
        .origin = ORIGIN,
        .key = bench->key,
        .clock = lb_clock_system(),
        .create = true,
        .max_batch = LB_BENCH_BATCH,
        .officer_key = bench->officer.public_key,
        .migrations = TABLES,
    };
    struct lb_diag diag = {""};
    lb_status status = lb_log_open(&options, &diag, &bench->log);
    if (status != LB_OK)
        (void)fprintf(stderr, "bench-evidence: %s\n", diag.text);
    return status;
}

static lb_status set_up(struct bench *bench, const char *folder)
{
    (void)snprintf(bench->folder, sizeof(bench->folder), "%s/log", folder);
    (void)snprintf(bench->raw_path, sizeof(bench->raw_path), "%s/raw.db", folder);
    LB_TRY(lb_file_mkdirs(bench->folder));
    LB_TRY(lb_sign_key_generate(LB_SIGN_ED25519, &bench->key));
    LB_TRY(lb_x25519_generate(&bench->officer));
    LB_TRY(open_log(bench));
    bench->ours = lb_bench_log_new(bench->log);
    LB_ENSURE(bench->ours != NULL, LB_NO_MEMORY, "bench");
    return lb_bench_raw_open(bench->raw_path, &bench->raw);
}

/* How many entries a commit has taken. */
static double mean_batch(const struct lb_log *log, const struct lb_bench_times *times)
{
    struct lb_log_health health;
    lb_log_health(log, &health);
    return (double)times->num / (double)health.num_commits;
}

static void print_times(const char *name, const struct lb_bench_times *times)
{
    (void)printf("\"%s\":{\"n\":%zu,\"per_second\":%.0f,\"p50_ms\":%.4f,\"p99_ms\":%.4f},", name,
                 times->num, (double)times->num * 1e9 / (double)times->spent_ns,
                 lb_bench_quantile(times, 0.5), lb_bench_quantile(times, 0.99));
}

/* What the last tenth of the entries up to a size cost each. */
static void print_cost(size_t at, const struct lb_bench_times *before,
                       const struct lb_bench_times *now, bool first)
{
    (void)printf("%s{\"at\":%zu,\"us_per_entry\":%.3f}", first ? "" : ",", at,
                 (double)(now->spent_ns - before->spent_ns) / 1e3 /
                     (double)(now->num - before->num));
}

/* Turn by turn, so that what disturbs one side disturbs the other too. */
static lb_status grow(struct bench *bench)
{
    struct lb_bench_times ours = {.num = 0};
    struct lb_bench_times raw = {.num = 0};
    struct lb_bench_times mark = {.num = 0};
    size_t size = 10000;
    bool first = true;
    (void)printf("\"cost\":[");
    while (ours.num < bench->num_entries) {
        if (ours.num < size - size / 10)
            mark = ours;
        LB_ENSURE(lb_bench_log_append(bench->ours, SLICE, false, &ours), LB_LOG_UNAVAILABLE,
                  "an entry failed");
        LB_TRY(lb_bench_raw_append(&bench->raw, SLICE, LB_BENCH_BATCH, &raw));
        if (ours.num < size && ours.num < bench->num_entries)
            continue;
        print_cost(ours.num, &mark, &ours, first);
        first = false;
        size *= 10;
    }
    (void)printf("],\"ours_batch\":%.1f,", mean_batch(bench->log, &ours));
    print_times("ours", &ours);
    print_times("raw", &raw);
    (void)printf("\"ratio\":%.3f,", (double)raw.spent_ns / (double)ours.spent_ns);
    return LB_OK;
}

static lb_status idle(struct bench *bench)
{
    struct lb_bench_times ours = {.num = 0};
    struct lb_bench_times raw = {.num = 0};
    struct lb_bench_times fresh = {.num = 0};
    LB_ENSURE(lb_bench_log_idle(bench->ours, IDLE, &ours), LB_LOG_UNAVAILABLE, "an entry failed");
    LB_TRY(lb_bench_raw_append(&bench->raw, IDLE, 1, &raw));
    LB_ENSURE(lb_bench_log_append(bench->ours, SLICE, true, &fresh), LB_LOG_UNAVAILABLE,
              "an entry failed");
    print_times("idle", &ours);
    print_times("idle_raw", &raw);
    print_times("new_subjects", &fresh);
    return LB_OK;
}

static lb_status reopen(struct bench *bench)
{
    lb_log_close(bench->log);
    bench->log = NULL;
    int64_t began = lb_bench_clock_ns(CLOCK_MONOTONIC);
    LB_TRY(open_log(bench));
    int64_t took = lb_bench_clock_ns(CLOCK_MONOTONIC) - began;
    lb_log_close(bench->log);
    bench->log = NULL;
    (void)printf("\"open_ms\":%.2f,", (double)took / 1e6);
    return LB_OK;
}

static void print_verified(const char *name, uint64_t size, int64_t began_ns)
{
    int64_t took = lb_bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - began_ns;
    (void)printf("\"%s\":{\"leaves\":%llu,\"per_second_per_core\":%.0f}", name,
                 (unsigned long long)size, (double)size * 1e9 / (double)took);
}

/* All that the node keeps: pages, leaves, tiles, details, keys. */
static lb_status verify_log(struct lb_log_reader *reader, const struct lb_note_verifier *verifier)
{
    struct lb_log_verdict verdict;
    struct lb_diag diag = {""};
    int64_t began = lb_bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    LB_TRY(lb_log_reader_verify(reader, verifier, &diag, &verdict));
    print_verified("verify", verdict.size, began);
    return LB_OK;
}

/* What an outsider has: leaves and tiles in plain files. */
static lb_status verify_export(struct bench *bench, struct lb_log_reader *reader,
                               const struct lb_note_verifier *verifier)
{
    char folder[600];
    struct lb_export *export = NULL;
    struct lb_export_result result;
    struct lb_checkpoint checkpoint;
    struct lb_diag diag = {""};
    (void)snprintf(folder, sizeof(folder), "%s/export", bench->folder);
    LB_TRY(lb_export_open(folder, true, &diag, &export));
    lb_status status = lb_log_reader_export(reader, export, verifier, &diag, &result);
    int64_t began = lb_bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    if (status == LB_OK)
        status = lb_export_verify(export, verifier, &diag, &checkpoint);
    lb_export_close(export);
    LB_TRY(status);
    print_verified("verify_export", checkpoint.size, began);
    return LB_OK;
}

static lb_status verify(struct bench *bench)
{
    LB_DEFER(lb_log_reader_closep) struct lb_log_reader *reader = NULL;
    struct lb_note_verifier verifier;
    struct lb_diag diag = {""};
    uint8_t public_key[LB_P256_PUBLIC_BYTES];
    (void)lb_sign_key_public(bench->key, public_key);
    LB_TRY(lb_log_reader_open(bench->folder, &diag, &reader));
    LB_TRY(lb_note_verifier_init(ORIGIN, public_key, &verifier));
    lb_status status = verify_log(reader, &verifier);
    (void)printf(",");
    if (status == LB_OK)
        status = verify_export(bench, reader, &verifier);
    lb_note_verifier_cleanup(&verifier);
    return status;
}

static lb_status run(struct bench *bench, const char *folder)
{
    LB_TRY(set_up(bench, folder));
    (void)printf("{\"entries\":%zu,\"batch\":%d,", bench->num_entries, LB_BENCH_BATCH);
    LB_TRY(grow(bench));
    LB_TRY(idle(bench));
    LB_TRY(reopen(bench));
    LB_TRY(verify(bench));
    (void)printf("}\n");
    return LB_OK;
}

int main(int argc, char **argv)
{
    struct bench bench = {.log = NULL};
    long num = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
    if (num < 1 || num > 100000000 || strlen(argv[1]) > 400) {
        (void)fprintf(stderr, "usage: bench-evidence FOLDER ENTRIES\n");
        return 2;
    }
    bench.num_entries = (size_t)num;
    lb_status status = run(&bench, argv[1]);
    if (status != LB_OK)
        (void)fprintf(stderr, "bench-evidence: %s: %s\n", lb_code_name(status->code), status->what);
    lb_log_close(bench.log);
    lb_bench_log_free(bench.ours);
    lb_store_close(bench.raw.store);
    lb_sign_key_free(bench.key);
    return status == LB_OK ? 0 : 1;
}
