#include <math.h>
#include <string.h>

#include "bench/evidence.h"

/* Raw commits, and the clockwork both sides share. */

#define PER_OCTAVE 16

void lb_bench_note(struct lb_bench_times *times, int64_t ns)
{
    double octaves = log2(ns < 1 ? 1.0 : (double)ns);
    size_t bucket = (size_t)(octaves * PER_OCTAVE);
    times->buckets[bucket < LB_BENCH_BUCKETS ? bucket : LB_BENCH_BUCKETS - 1]++;
    times->num_noted++;
}

double lb_bench_quantile(const struct lb_bench_times *times, double share)
{
    size_t below = 0;
    size_t bucket = 0;
    while (bucket < LB_BENCH_BUCKETS - 1 &&
           (double)(below + times->buckets[bucket]) < share * (double)times->num_noted)
        below += times->buckets[bucket++];
    return exp2(((double)bucket + 0.5) / PER_OCTAVE) / 1e6;
}

lb_status lb_bench_raw_open(const char *path, struct lb_bench_raw *out_raw)
{
    static const char *const steps[] = {
        "CREATE TABLE leaf(idx INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;"
        "CREATE TABLE detail(idx INTEGER PRIMARY KEY, sealed BLOB NOT NULL) STRICT;"
        "CREATE TABLE head(id INTEGER PRIMARY KEY, note BLOB NOT NULL) STRICT;"
        "INSERT INTO head VALUES (1, zeroblob(200));" LB_BENCH_COUNT_TABLE,
        NULL,
    };
    const struct lb_store_options options = {
        .path = path, .migrations = steps, .application_id = 1, .create = true};
    struct lb_bench_raw raw = {.next = 0};
    LB_TRY(lb_store_open(&options, &raw.store));
    LB_TRY(lb_stmt_prepare(raw.store, "INSERT INTO leaf VALUES (?1, ?2)", &raw.leaf));
    LB_TRY(lb_stmt_prepare(raw.store, "INSERT INTO detail VALUES (?1, ?2)", &raw.detail));
    LB_TRY(lb_stmt_prepare(raw.store, LB_BENCH_COUNT_SQL, &raw.count));
    LB_TRY(lb_stmt_prepare(raw.store, "UPDATE head SET note = ?1 WHERE id = 1", &raw.head));
    *out_raw = raw;
    return LB_OK;
}

static lb_status put(struct lb_stmt *stmt, int64_t index, const uint8_t *bytes, size_t len)
{
    LB_TRY(lb_stmt_bind_int(stmt, 1, index));
    LB_TRY(lb_stmt_bind_blob(stmt, 2, lb_span_of(bytes, len)));
    return lb_stmt_run(stmt);
}

static lb_status append_one(struct lb_bench_raw *raw)
{
    uint8_t bytes[LB_BENCH_DETAIL_BYTES];
    int64_t index = raw->next++;
    /* Of no pattern that a disk could make less of. */
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)((uint64_t)(index + 1) * (i + 1) * UINT64_C(0x9E3779B97F4A7C15) >> 56);
    LB_TRY(put(raw->leaf, index, bytes, LB_BENCH_LEAF_BYTES));
    LB_TRY(put(raw->detail, index, bytes, LB_BENCH_DETAIL_BYTES));
    LB_TRY(lb_stmt_bind_int(raw->count, 1, index % 64));
    return lb_stmt_run(raw->count);
}

static lb_status append_batch(struct lb_bench_raw *raw, size_t num)
{
    static const uint8_t note[200] = {1};
    LB_TRY(lb_store_begin(raw->store));
    for (size_t i = 0; i < num; i++)
        LB_TRY(append_one(raw));
    LB_TRY(lb_stmt_bind_blob(raw->head, 1, lb_span_of(note, sizeof(note))));
    LB_TRY(lb_stmt_run(raw->head));
    return lb_store_commit(raw->store);
}

lb_status lb_bench_raw_append(struct lb_bench_raw *raw, size_t num, size_t batch,
                              struct lb_bench_times *times)
{
    for (size_t done = 0; done < num; done += batch) {
        size_t some = num - done < batch ? num - done : batch;
        int64_t began = lb_bench_clock_ns(CLOCK_MONOTONIC);
        LB_TRY(append_batch(raw, some));
        int64_t took = lb_bench_clock_ns(CLOCK_MONOTONIC) - began;
        lb_bench_note(times, took);
        times->spent_ns += took;
        times->num += some;
    }
    return LB_OK;
}
