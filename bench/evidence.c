#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/evidence.h"
#include "gateway/crypto/hash.h"

/* The log's side: LB_BENCH_LANES entries in flight, each queued again as soon as it is durable, so
 * that LB_BENCH_BATCH of them always wait for the next commit. */

#define SUBJECTS 512

static const char DETAIL[] =
    "{\"actor\":\"0123456789abcdef0123456789abcdef\",\"case\":\"SA-2026-000123\",\"purpose\":"
    "\"social-assistance\",\"basis\":\"mandate\",\"law\":\"SAL41\",\"requester\":"
    "\"spiffe://demo.lianban/window/street-office\",\"states\":[\"ok\",\"ok\",\"not_found\"]}";
static const char FIELDS[] = "tax.wage:income=SUM(12);tax.business:represents=EXISTS";

struct lane {
    struct lb_log_entry entry;
    struct lb_bench_log *bench;
    int64_t began_ns;
};

struct lb_bench_log {
    struct lb_log *log;
    struct lb_stmt *count;
    struct lane lanes[LB_BENCH_LANES];
    struct lb_bench_times *times;
    size_t num_wanted;
    atomic_size_t num_begun;
    size_t num_done;
    atomic_uint_fast64_t num_made;
    bool fresh_subjects;
    bool failed;
    sem_t all_done;
};

int64_t lb_bench_clock_ns(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* A use counter, as an adapter keeps one for every grant. */
static lb_status count_use(struct lb_log_entry *entry, struct lb_store *store)
{
    struct lb_bench_log *bench = ((struct lane *)(void *)entry)->bench;
    if (bench->count == NULL)
        LB_TRY(lb_stmt_prepare(store, LB_BENCH_COUNT_SQL, &bench->count));
    LB_TRY(lb_stmt_bind_int(bench->count, 1, (int64_t)(entry->leaf.txn[0] % 64)));
    return lb_stmt_run(bench->count);
}

static void make_entry(struct lane *lane)
{
    struct lb_bench_log *bench = lane->bench;
    struct lb_log_entry *entry = &lane->entry;
    uint64_t number = atomic_fetch_add(&bench->num_made, 1);
    uint64_t subject = bench->fresh_subjects ? UINT64_C(1000000) + number : number % SUBJECTS;
    memset(&entry->leaf, 0, sizeof(entry->leaf));
    entry->leaf.type = LB_LEAF_READ;
    entry->leaf.count = 1;
    memcpy(entry->leaf.txn, &number, sizeof(number));
    memcpy(entry->leaf.code, "ANSWERED", 9);
    memcpy(entry->leaf.views, "tax.business,tax.wage", 22);
    memset(entry->leaf.policy_hash, 1, 32);
    memset(entry->leaf.request_hash, 2, 32);
    memset(entry->leaf.answer_hash, 3, 32);
    memset(entry->leaf.peer_leaf, 4, 32);
    entry->detail = lb_span_str(DETAIL);
    entry->fields = lb_span_str(FIELDS);
    entry->has_subject = true;
    /* A pseudonym looks like any hash. */
    lb_sha256(lb_span_of(&subject, sizeof(subject)), entry->subject);
    entry->guard = count_use;
}

static void again(struct lb_log_entry *entry, lb_status status);

static void begin(struct lane *lane)
{
    struct lb_bench_log *bench = lane->bench;
    if (atomic_fetch_add(&bench->num_begun, 1) >= bench->num_wanted)
        return;
    make_entry(lane);
    lane->entry.done = again;
    lane->began_ns = lb_bench_clock_ns(CLOCK_MONOTONIC);
    if (lb_log_append(bench->log, &lane->entry) != LB_OK) {
        bench->failed = true;
        (void)sem_post(&bench->all_done);
    }
}

static void again(struct lb_log_entry *entry, lb_status status)
{
    struct lane *lane = (struct lane *)(void *)entry;
    struct lb_bench_log *bench = lane->bench;
    lb_bench_note(bench->times, lb_bench_clock_ns(CLOCK_MONOTONIC) - lane->began_ns);
    bench->failed = bench->failed || status != LB_OK;
    if (++bench->num_done == bench->num_wanted || status != LB_OK)
        (void)sem_post(&bench->all_done);
    else
        begin(lane);
}

struct lb_bench_log *lb_bench_log_new(struct lb_log *log)
{
    struct lb_bench_log *bench = calloc(1, sizeof(*bench));
    if (bench == NULL)
        return NULL;
    bench->log = log;
    (void)sem_init(&bench->all_done, 0, 0);
    for (size_t i = 0; i < LB_BENCH_LANES; i++)
        bench->lanes[i].bench = bench;
    return bench;
}

void lb_bench_log_free(struct lb_bench_log *bench)
{
    free(bench);
}

bool lb_bench_log_append(struct lb_bench_log *bench, size_t num, bool fresh_subjects,
                         struct lb_bench_times *times)
{
    bench->times = times;
    bench->num_wanted = num;
    bench->num_done = 0;
    bench->fresh_subjects = fresh_subjects;
    atomic_store(&bench->num_begun, 0);
    int64_t began = lb_bench_clock_ns(CLOCK_MONOTONIC);
    for (size_t i = 0; i < LB_BENCH_LANES && i < num; i++)
        begin(&bench->lanes[i]);
    while (sem_wait(&bench->all_done) != 0)
        continue;
    times->spent_ns += lb_bench_clock_ns(CLOCK_MONOTONIC) - began;
    times->num += num;
    return !bench->failed;
}

bool lb_bench_log_idle(struct lb_bench_log *bench, size_t num, struct lb_bench_times *times)
{
    struct lane *lane = &bench->lanes[0];
    const struct timespec pause = {.tv_nsec = 3000000};
    for (size_t i = 0; i < num; i++) {
        (void)nanosleep(&pause, NULL);
        make_entry(lane);
        lane->entry.done = NULL;
        int64_t began = lb_bench_clock_ns(CLOCK_MONOTONIC);
        if (lb_log_append_wait(bench->log, &lane->entry) != LB_OK)
            return false;
        int64_t took = lb_bench_clock_ns(CLOCK_MONOTONIC) - began;
        lb_bench_note(times, took);
        times->spent_ns += took;
        times->num++;
    }
    return true;
}
