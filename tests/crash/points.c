#include "tests/crash/points.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/store/faults.h"

#define SLOT_BYTES 1024

static char wanted[32];
static atomic_long left;

/* Points under SQLite, where no function of ours is passed. */
static const struct {
    const char *point;
    struct faults_plan plan;
} BELOW[] = {
    {"wal-torn", {FAULTS_WRITE, FAULTS_KILL_TORN, "evidence.db-wal", 1, 1}},
    {"wal-written", {FAULTS_WRITE, FAULTS_KILL_DONE, "evidence.db-wal", 1, 1}},
    {"wal-unsynced", {FAULTS_SYNC, FAULTS_KILL, "evidence.db-wal", 1, 1}},
    {"wal-synced", {FAULTS_SYNC, FAULTS_KILL_DONE, "evidence.db-wal", 1, 1}},
    {"database-torn", {FAULTS_WRITE, FAULTS_KILL_TORN, "evidence.db", 1, 1}},
    {"database-unsynced", {FAULTS_SYNC, FAULTS_KILL, "evidence.db", 1, 1}},
    {"database-synced", {FAULTS_SYNC, FAULTS_KILL_DONE, "evidence.db", 1, 1}},
};

static void arm_below(unsigned passage)
{
    for (size_t i = 0; i < sizeof(BELOW) / sizeof(BELOW[0]); i++) {
        struct faults_plan plan = BELOW[i].plan;
        plan.from = passage;
        if (strcmp(wanted, BELOW[i].point) == 0)
            faults_set(&plan);
    }
}

static __attribute__((constructor)) void arm(void)
{
    const char *text = getenv("LIANBAN_CRASH");
    faults_install();
    if (text == NULL)
        return;
    const char *colon = strchr(text, ':');
    size_t len = colon == NULL ? strlen(text) : (size_t)(colon - text);
    long passage = colon == NULL ? 1 : strtol(colon + 1, NULL, 10);
    if (len >= sizeof(wanted) || passage < 1)
        abort();
    memcpy(wanted, text, len);
    atomic_store(&left, passage);
    arm_below((unsigned)passage);
}

static bool is_here(const char *point)
{
    return strcmp(wanted, point) == 0 && atomic_fetch_sub(&left, 1) == 1;
}

static void die(void)
{
    (void)kill(getpid(), SIGKILL);
    (void)pause();
}

void crash_pass(const char *point)
{
    if (is_here(point))
        die();
}

lb_status __wrap_lb_checkpoint_sign(const struct lb_checkpoint *checkpoint,
                                    const struct lb_sign_key *key, struct lb_arena *arena,
                                    struct lb_span *out_note)
{
    lb_status status = __real_lb_checkpoint_sign(checkpoint, key, arena, out_note);
    crash_pass("sign");
    return status;
}

/* Half of a slot, as a power cut leaves it: the new note's beginning, the old one's end. */
static void tear_slot(int fd, unsigned slot, struct lb_span note)
{
    uint8_t half[SLOT_BYTES / 2] = "LBRATCH1";
    size_t len = note.len < sizeof(half) - 10 ? note.len : sizeof(half) - 10;
    half[8] = (uint8_t)(note.len >> 8);
    half[9] = (uint8_t)note.len;
    memcpy(half + 10, note.ptr, len);
    if (pwrite(fd, half, sizeof(half) - 100, (off_t)slot * SLOT_BYTES) > 0)
        die();
}

lb_status __wrap_lb_ratchet_put(int fd, unsigned slot, struct lb_span note)
{
    crash_pass("ratchet-before");
    if (is_here("ratchet-torn"))
        tear_slot(fd, slot, note);
    lb_status status = __real_lb_ratchet_put(fd, slot, note);
    crash_pass("ratchet-after");
    return status;
}

lb_status __wrap_lb_records_put_leaf(struct lb_records *records, uint64_t index,
                                     struct lb_span bytes)
{
    lb_status status = __real_lb_records_put_leaf(records, index, bytes);
    crash_pass("staging");
    return status;
}

lb_status __wrap_lb_records_put_tile(struct lb_records *records, unsigned level, uint64_t n,
                                     const struct lb_hash *hashes)
{
    crash_pass("tile-before");
    lb_status status = __real_lb_records_put_tile(records, level, n, hashes);
    crash_pass("tile-after");
    return status;
}

lb_status __wrap_lb_store_commit(struct lb_store *store)
{
    crash_pass("commit-before");
    lb_status status = __real_lb_store_commit(store);
    crash_pass("commit-after");
    return status;
}

lb_status __wrap_lb_store_checkpoint(struct lb_store *store)
{
    crash_pass("checkpoint-before");
    lb_status status = __real_lb_store_checkpoint(store);
    crash_pass("checkpoint-after");
    return status;
}
