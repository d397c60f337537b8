#ifndef BENCH_EVIDENCE_H
#define BENCH_EVIDENCE_H

#include <time.h>

#include "gateway/evidence/log.h"
#include "gateway/store/store.h"

/*
 * The evidence log beside raw commits of the same bytes: full entries (leaf, encrypted detail, use
 * counter) by LB_BENCH_BATCH, each batch durable.
 */
#define LB_BENCH_BATCH 64
#define LB_BENCH_LANES 128        /* a batch under way, and the one that queues meanwhile */
#define LB_BENCH_LEAF_BYTES 270   /* about what such a leaf and detail take in their tables */
#define LB_BENCH_DETAIL_BYTES 430
#define LB_BENCH_COUNT_TABLE                                                                       \
    "CREATE TABLE counter(id INTEGER PRIMARY KEY, used INTEGER NOT NULL) STRICT"
#define LB_BENCH_COUNT_SQL                                                                         \
    "INSERT INTO counter(id, used) VALUES (?1, 1) ON CONFLICT(id) DO UPDATE SET used = used + 1"

/* How long things took: all of them in `spent`, each in a histogram of 1/16 octaves. */
#define LB_BENCH_BUCKETS 1024
struct lb_bench_times {
    size_t num;
    int64_t spent_ns;
    size_t num_noted;
    size_t buckets[LB_BENCH_BUCKETS];
};

/* lb_bench_clock_ns reads a clock; lb_bench_note puts a time into the histogram. */
int64_t lb_bench_clock_ns(clockid_t clock);
void lb_bench_note(struct lb_bench_times *times, int64_t ns);
/* lb_bench_quantile is the time in ms under which this share of what was noted lies. */
double lb_bench_quantile(const struct lb_bench_times *times, double share);

/* The log's side. lb_bench_log_append writes num entries with LB_BENCH_LANES in flight, about 512
 * subjects that come back or one that is new each time; lb_bench_log_idle one after another with
 * pauses. False when one failed. */
struct lb_bench_log;
struct lb_bench_log *lb_bench_log_new(struct lb_log *log);
void lb_bench_log_free(struct lb_bench_log *bench);
bool lb_bench_log_append(struct lb_bench_log *bench, size_t num, bool fresh_subjects,
                         struct lb_bench_times *times);
bool lb_bench_log_idle(struct lb_bench_log *bench, size_t num, struct lb_bench_times *times);

/* The raw side: the same bytes into the same kinds of tables, nothing hashed, sealed or signed. */
struct lb_bench_raw {
    struct lb_store *store;
    struct lb_stmt *leaf;
    struct lb_stmt *detail;
    struct lb_stmt *count;
    struct lb_stmt *head;
    int64_t next;
};
LB_MUST lb_status lb_bench_raw_open(const char *path, struct lb_bench_raw *out_raw);
LB_MUST lb_status lb_bench_raw_append(struct lb_bench_raw *raw, size_t num, size_t batch,
                                      struct lb_bench_times *times);

#endif
