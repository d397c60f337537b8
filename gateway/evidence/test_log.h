#ifndef GATEWAY_EVIDENCE_TEST_LOG_H
#define GATEWAY_EVIDENCE_TEST_LOG_H

#include "gateway/evidence/test_util.h"

#include <stdatomic.h>

#include "gateway/base/clock.h"
#include "gateway/crypto/x25519.h"
#include "gateway/evidence/inspect.h"
#include "gateway/evidence/log.h"

#define TEST_ORIGIN "example/adapter/tax"
#define TEST_NOW_MS 1763700000000

/* A disk in the test's hand. */
struct test_disk {
    struct lb_disk disk;
    atomic_ullong free_bytes;
    atomic_bool read_only;
};

/* A folder of its own, fixed keys, a clock and a disk in the test's hand. */
struct fixture {
    char root[256];
    char folder[300];
    struct lb_sign_key *key;
    struct lb_note_verifier verifier;
    struct lb_x25519_key officer;
    struct lb_clock_fixed clock;
    struct test_disk disk;
    struct lb_arena *arena;
    struct lb_diag diag;
    const char *const *migrations;
};

/* test_set_up and test_tear_down are for cmocka; the folder goes with the fixture. */
int test_set_up(void **state);
int test_tear_down(void **state);

struct lb_log_options test_options(struct fixture *fixture);
/* test_open opens the fixture's log, which must succeed. */
struct lb_log *test_open(struct fixture *fixture);
/* test_state waits until a log is in a state; test_in_state says whether it is now. */
void test_state(struct lb_log *log, enum lb_log_state state);
bool test_in_state(const struct lb_log *log, enum lb_log_state state);
/* test_refused opens it, which must fail with this code and a sentence. */
void test_refused(struct fixture *fixture, enum lb_code code);
/* test_entry is a READ entry that says ANSWERED. */
struct lb_log_entry test_entry(void);
/* test_detailed is one of TEST_ENTRIES different entries with detail, most of them about a
 * subject. */
#define TEST_ENTRIES 530 /* two full tiles and an edge */
struct lb_log_entry test_detailed(size_t i);
/* test_fill is a set-up that leaves a closed log with everything in it: TEST_ENTRIES entries with
 * and without detail, the erasure of one subject (1 of 40), three more entries. */
int test_fill(void **state);
/* test_append adds num entries and waits for each. */
void test_append(struct lb_log *log, size_t num);
uint64_t test_size(struct fixture *fixture, struct lb_log *log);

/* test_verify runs the outsider's verification on a folder. */
lb_status test_verify(struct fixture *fixture, const char *folder,
                      struct lb_log_verdict *out_verdict);
/* test_path joins; the result is the fixture's. */
const char *test_path(struct fixture *fixture, const char *folder, const char *name);
/* test_copy copies one file, test_copy_log a whole log folder but its lock. */
void test_copy(const char *from, const char *to);
const char *test_copy_log(struct fixture *fixture, const char *folder, const char *name);
/* test_flip changes one byte of a file. */
void test_flip(const char *path, long at);
long test_file_size(const char *path);
/* test_leaf reads a leaf of a running log. */
struct lb_leaf test_leaf(struct fixture *fixture, struct lb_log *log, uint64_t index);
/* test_wait_size waits until the log has this size. */
void test_wait_size(struct fixture *fixture, struct lb_log *log, uint64_t size);
/* test_sql changes a database behind the log's back. */
void test_sql(struct fixture *fixture, const char *folder, const char *sql);

#endif
