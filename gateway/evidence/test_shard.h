#ifndef GATEWAY_EVIDENCE_TEST_SHARD_H
#define GATEWAY_EVIDENCE_TEST_SHARD_H

#include "gateway/evidence/shard.h"
#include "gateway/evidence/test_log.h"

#define TEST_NEXT_HALF_MS 1769904000000 /* 2026-02-01 */
#define TEST_AFTER_HALF_MS 1785542400000 /* 2026-08-01 */

/* test_shard_fill makes much what test_fill does; then it is February 2026: 534 entries of 2025h2,
 * of which a shard takes 512. It is done once for all tests; each begins with test_shard_begin, on
 * a copy of the log as it stood then: */
#define TEST_SHARDED 512
#define TEST_REVIEWED 501 /* an officer asked about subject 200, whom nobody else asked about */
#define TEST_SHARD "2025h2"
#define TEST_LINK 534 /* the SHARD entry's index */
#define TEST_FILLED "filled"
#define TEST_COPIED "copied" /* there is a shard */
#define TEST_KEPT "kept"     /* it is linked, and the log's own rows are gone */
int test_shard_fill(void **state);
void test_shard_begin(struct fixture *fixture, const char *from);

/* test_shard_copy copies what is over by the fixture's clock; num is how many shards that are. */
void test_shard_copy(struct fixture *fixture, size_t num);
/* test_shard_wait waits until a running log has linked num shards and has none of their rows. */
void test_shard_wait(struct fixture *fixture, size_t num);
/* test_shard_keep does both, with the log open meanwhile. */
void test_shard_keep(struct fixture *fixture, size_t num);
/* test_shard_path is the file of a shard, valid as long as the fixture. */
const char *test_shard_path(struct fixture *fixture, const char *folder, const char *name);
/* test_shard_copy_log copies a log with its shards. */
const char *test_shard_copy_log(struct fixture *fixture, const char *folder, const char *name);
/* test_shard_alter changes a shard behind the log's back. */
void test_shard_alter(struct fixture *fixture, const char *path, const char *sql);
/* test_shard_read reads an entry from outside; a failure must name the first shard. */
lb_status test_shard_read(struct fixture *fixture, const char *folder, uint64_t index);
struct lb_shard_list test_shard_list(struct fixture *fixture);
/* test_shard_two begins with two half-years kept; the second's first entries are what the first
 * left over. */
void test_shard_two(struct fixture *fixture);
/* test_whole verifies a folder and its size. */
void test_whole(struct fixture *fixture, const char *folder, uint64_t size);

#endif
