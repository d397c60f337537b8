#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/evidence/detail.h"
#include "gateway/evidence/test_log.h"

static void the_untouched_log_passes(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log_verdict verdict;
    assert_ok(test_verify(fixture, fixture->folder, &verdict));
    assert_int_equal(verdict.size, TEST_ENTRIES + 4);
    assert_string_equal(verdict.origin, TEST_ORIGIN);
    /* Entries of subject 2 have i % 40 == 1, and neither i % 3 nor i % 5 is 0. */
    size_t erased = 0;
    size_t details = 1;
    for (size_t i = 0; i < TEST_ENTRIES; i++) {
        bool has = i % 5 != 0;
        bool gone = has && i % 3 != 0 && i % 40 == 1;
        erased += gone ? 1 : 0;
        details += has && !gone ? 1 : 0;
    }
    assert_int_equal(verdict.num_erased, erased);
    assert_int_equal(verdict.num_details, details);
}

static void assert_caught(struct fixture *fixture, const char *folder, const char *what)
{
    struct lb_log_verdict verdict = {.size = 0};
    enum lb_code code = lb_status_code(test_verify(fixture, folder, &verdict));
    if (code != LB_LOG_FORK && code != LB_LOG_BEHIND)
        print_error("%s gave %s\n", what, lb_code_name(code));
    assert_true(code == LB_LOG_FORK || code == LB_LOG_BEHIND);
    assert_true(strlen(fixture->diag.text) > 10);
    assert_int_equal(verdict.size, 0);
}

/* One column whose every kind of value is tampered with, in rows chosen by `where`. */
struct column {
    const char *table;
    const char *key;
    const char *name;
    const char *where;
    size_t stride;  /* every so many bytes of a blob */
};

static struct lb_store *open_writable(struct fixture *fixture, const char *folder)
{
    const struct lb_store_options options = {.path = test_path(fixture, folder, "evidence.db"),
                                             .busy_timeout_ms = 1000};
    struct lb_store *store = NULL;
    assert_ok(lb_store_open(&options, &store));
    return store;
}

static void put_blob(struct lb_store *store, const struct column *column, int64_t key,
                     struct lb_span blob)
{
    char sql[200];
    struct lb_stmt *stmt = NULL;
    (void)snprintf(sql, sizeof(sql), "UPDATE %s SET %s = ?1 WHERE %s = ?2", column->table,
                   column->name, column->key);
    assert_ok(lb_stmt_prepare(store, sql, &stmt));
    assert_ok(lb_stmt_bind_blob(stmt, 1, blob));
    assert_ok(lb_stmt_bind_int(stmt, 2, key));
    assert_ok(lb_stmt_run(stmt));
    assert_int_equal(lb_store_changes(store), 1);
    lb_stmt_free(stmt);
}

/* Flips bytes of one blob, cuts it, lengthens it, empties it; and puts it back each time. */
static size_t tamper_blob(struct fixture *fixture, const char *folder, struct lb_store *store,
                          const struct column *column, int64_t key, struct lb_span blob)
{
    uint8_t *bytes = malloc(blob.len + 1);
    size_t num = 0;
    for (size_t at = 0; at < blob.len; at += column->stride) {
        memcpy(bytes, blob.ptr, blob.len);
        bytes[at] ^= (uint8_t)(1U << (at % 8));
        put_blob(store, column, key, lb_span_of(bytes, blob.len));
        assert_caught(fixture, folder, column->name);
        num++;
    }
    memcpy(bytes, blob.ptr, blob.len);
    bytes[blob.len] = 0;
    const size_t lengths[] = {0, blob.len - 1, blob.len + 1};
    for (size_t i = 0; i < 3; i++) {
        put_blob(store, column, key, lb_span_of(bytes, lengths[i]));
        assert_caught(fixture, folder, column->name);
    }
    put_blob(store, column, key, lb_span_of(bytes, blob.len));
    free(bytes);
    return num;
}

static size_t tamper_column(struct fixture *fixture, const char *folder,
                            const struct column *column)
{
    char sql[300];
    struct lb_store *store = open_writable(fixture, folder);
    struct lb_stmt *stmt = NULL;
    bool row = false;
    size_t num = 0;
    int64_t keys[8];
    struct lb_span blobs[8];
    size_t rows = 0;
    (void)snprintf(sql, sizeof(sql), "SELECT %s, %s FROM %s WHERE %s", column->key, column->name,
                   column->table, column->where);
    assert_ok(lb_stmt_prepare(store, sql, &stmt));
    for (assert_ok(lb_stmt_step(stmt, &row)); row; assert_ok(lb_stmt_step(stmt, &row))) {
        assert_true(rows < 8);
        keys[rows] = lb_stmt_int(stmt, 0);
        assert_ok(lb_arena_copy(fixture->arena, lb_stmt_blob(stmt, 1), &blobs[rows++]));
    }
    lb_stmt_free(stmt);
    assert_true(rows > 0);
    for (size_t i = 0; i < rows; i++)
        num += tamper_blob(fixture, folder, store, column, keys[i], blobs[i]);
    lb_store_close(store);
    return num;
}

static void every_blob_is_covered(void **state)
{
    struct fixture *fixture = *state;
    static const struct column columns[] = {
        {"leaf", "idx", "bytes", "idx IN (0, 300, 530, 533)", 11},
        {"tile", "key", "hashes", "key IN (0, 1)", 511},
        {"checkpoint", "id", "root", "1", 3},
        {"checkpoint", "id", "note", "1", 1},
        {"detail", "idx", "nonce", "idx IN (1, 41, 529)", 3},
        {"detail", "idx", "sealed", "idx IN (1, 41, 529, 530)", 13},
        {"detail", "idx", "plain_hash", "idx IN (1, 41, 529)", 5},
        {"detail_key", "kid", "subject", "subject IS NOT NULL AND kid IN (1, 2, 5)", 5},
        {"detail_key", "kid", "sealed", "sealed IS NOT NULL AND kid IN (1, 2, 5)", 9},
        {"detail_key", "kid", "key_hash", "key_hash IS NOT NULL", 5},
    };
    const char *folder = test_copy_log(fixture, fixture->folder, "blobs");
    size_t num = 0;
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
        num += tamper_column(fixture, folder, &columns[i]);
    assert_true(num > 300);
    struct lb_log_verdict verdict;
    assert_ok(test_verify(fixture, folder, &verdict));
}

/* Rows removed, added, renumbered, swapped; numbers and NULLs changed; forged erasures. */
static const char *const CHANGES[] = {
    "DELETE FROM leaf WHERE idx = 0",
    "DELETE FROM leaf WHERE idx = 300",
    "DELETE FROM leaf WHERE idx = 533",
    "DELETE FROM leaf",
    "DELETE FROM tile WHERE key = 0",
    "DELETE FROM tile WHERE key = 1",
    "DELETE FROM checkpoint",
    "DELETE FROM detail WHERE idx = 1",
    "DELETE FROM detail WHERE idx = 530",
    "DELETE FROM detail",
    "DELETE FROM detail_key WHERE kid = 2",
    "DELETE FROM detail_key WHERE erased_by IS NOT NULL",
    "DELETE FROM detail_key WHERE kid = (SELECT max(kid) FROM detail_key)",
    "DELETE FROM detail_key",
    "INSERT INTO leaf SELECT 534, bytes FROM leaf WHERE idx = 533",
    "INSERT INTO leaf SELECT -1, bytes FROM leaf WHERE idx = 0",
    "INSERT INTO leaf SELECT 9000, bytes FROM leaf WHERE idx = 0",
    "INSERT INTO tile SELECT 2, hashes FROM tile WHERE key = 0",
    "INSERT INTO tile SELECT 72057594037927936, hashes FROM tile WHERE key = 0",
    "INSERT INTO detail SELECT 0, kid, nonce, sealed, plain_hash FROM detail WHERE idx = 1",
    "INSERT INTO detail SELECT -5, kid, nonce, sealed, plain_hash FROM detail WHERE idx = 1",
    "INSERT INTO detail SELECT 9000, kid, nonce, sealed, plain_hash FROM detail WHERE idx = 1",
    "INSERT INTO detail_key SELECT 1000, subject, sealed, NULL, NULL FROM detail_key WHERE kid = 2",
    "INSERT INTO detail_key SELECT 0, subject, sealed, NULL, NULL FROM detail_key WHERE kid = 2",
    "INSERT INTO detail_key SELECT (SELECT max(kid) + 1 FROM detail_key), NULL, NULL,"
    " zeroblob(32), 530",
    "UPDATE leaf SET idx = 9000 WHERE idx = 533",
    "UPDATE leaf SET idx = -1 WHERE idx = 0",
    "UPDATE tile SET key = 5 WHERE key = 1",
    "UPDATE tile SET hashes = (SELECT hashes FROM tile WHERE key = 1) WHERE key = 0",
    "UPDATE checkpoint SET size = 533",
    "UPDATE checkpoint SET size = 535",
    "UPDATE checkpoint SET size = -1",
    "UPDATE checkpoint SET note = CAST(note || x'0a' AS BLOB)",
    "UPDATE checkpoint SET note = CAST(note || '— other AQIDBAUFBQUFBQUFBQUFBQUFBQUFBQUF"
    "BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU=' || x'0a' AS BLOB)",
    "UPDATE detail SET kid = kid + 1 WHERE idx = 1",
    "UPDATE detail SET kid = -1 WHERE idx = 1",
    "UPDATE detail SET kid = 9223372036854775807 WHERE idx = 1",
    "UPDATE detail SET idx = 0 WHERE idx = 1",
    "UPDATE detail SET sealed = (SELECT sealed FROM detail WHERE idx = 2) WHERE idx = 1",
    "UPDATE detail_key SET kid = 1000 WHERE kid = 2",
    "UPDATE detail_key SET erased_by = 530 WHERE kid = 2",
    "UPDATE detail_key SET key_hash = zeroblob(32) WHERE kid = 2",
    "UPDATE detail_key SET subject = NULL WHERE kid = 2",
    "UPDATE detail_key SET sealed = NULL WHERE kid = 2",
    "UPDATE detail_key SET subject = NULL, sealed = NULL WHERE kid = 2",
    "UPDATE detail_key SET erased_by = 529 WHERE erased_by IS NOT NULL",
    "UPDATE detail_key SET erased_by = 531 WHERE erased_by IS NOT NULL",
    "UPDATE detail_key SET erased_by = 9000 WHERE erased_by IS NOT NULL",
    "UPDATE detail_key SET erased_by = -1 WHERE erased_by IS NOT NULL",
    "UPDATE detail_key SET erased_by = NULL WHERE erased_by IS NOT NULL",
    "UPDATE detail_key SET subject = zeroblob(32) WHERE erased_by IS NOT NULL",
    "UPDATE detail_key SET sealed = zeroblob(80) WHERE erased_by IS NOT NULL",
    "DROP TABLE detail",
    "DROP TABLE tile",
};

static void every_row_is_covered(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof(CHANGES) / sizeof(CHANGES[0]); i++) {
        const char *folder = test_copy_log(fixture, fixture->folder, "rows");
        test_sql(fixture, folder, CHANGES[i]);
        struct lb_log_verdict verdict = {.size = 0};
        lb_status status = test_verify(fixture, folder, &verdict);
        enum lb_code code = lb_status_code(status);
        /* A table that is gone is told when the log is opened. */
        bool gone = strncmp(CHANGES[i], "DROP", 4) == 0 && code == LB_STORE_FAILED;
        if (!gone)
            assert_caught(fixture, folder, CHANGES[i]);
    }
}

/* An erasure that no leaf stands for, made by one who knows the formats. */
static void a_forged_erasure_is_caught(void **state)
{
    struct fixture *fixture = *state;
    const char *folder = test_copy_log(fixture, fixture->folder, "forged");
    struct lb_store *store = open_writable(fixture, folder);
    struct lb_stmt *stmt = NULL;
    bool row = false;
    uint8_t key_hash[32];
    assert_ok(lb_stmt_prepare(store, "SELECT subject, sealed FROM detail_key WHERE kid = 3",
                              &stmt));
    assert_ok(lb_stmt_step(stmt, &row));
    assert_true(row);
    lb_detail_key_hash(3, lb_stmt_blob(stmt, 0).ptr, lb_stmt_blob(stmt, 1).ptr, key_hash);
    lb_stmt_free(stmt);
    static const int64_t leaves[] = {529, 530, 531, 9000, -1};
    for (size_t i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++) {
        assert_ok(lb_stmt_prepare(store,
                                  "UPDATE detail_key SET subject = NULL, sealed = NULL,"
                                  " key_hash = ?1, erased_by = ?2 WHERE kid = 3",
                                  &stmt));
        assert_ok(lb_stmt_bind_blob(stmt, 1, lb_span_of(key_hash, 32)));
        assert_ok(lb_stmt_bind_int(stmt, 2, leaves[i]));
        assert_ok(lb_stmt_run(stmt));
        lb_stmt_free(stmt);
        assert_caught(fixture, folder, "forged erasure");
    }
    lb_store_close(store);
}

static void every_ratchet_byte_is_covered(void **state)
{
    struct fixture *fixture = *state;
    const char *folder = test_copy_log(fixture, fixture->folder, "ratchets");
    const char *ratchet = test_path(fixture, folder, "ratchet");
    long size = test_file_size(ratchet);
    assert_int_equal(size, 2048);
    for (long at = 0; at < size; at += at % 1024 < 250 ? 7 : 97) {
        test_flip(ratchet, at);
        assert_caught(fixture, folder, "ratchet byte");
        test_flip(ratchet, at);
    }
    assert_int_equal(truncate(ratchet, 2047), 0);
    assert_caught(fixture, folder, "short ratchet");
    assert_int_equal(truncate(ratchet, 2049), 0);
    assert_caught(fixture, folder, "long ratchet");
    assert_int_equal(truncate(ratchet, 0), 0);
    assert_caught(fixture, folder, "empty ratchet");
    (void)unlink(ratchet);
    assert_caught(fixture, folder, "no ratchet");
}

/* What no query shows: the database header's count of free pages. */
static void damaged_pages_are_caught(void **state)
{
    struct fixture *fixture = *state;
    const char *folder = test_copy_log(fixture, fixture->folder, "pages");
    test_flip(test_path(fixture, folder, "evidence.db"), 39);
    assert_caught(fixture, folder, "free pages");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_untouched_log_passes),
        cmocka_unit_test(every_blob_is_covered),
        cmocka_unit_test(every_row_is_covered),
        cmocka_unit_test(a_forged_erasure_is_caught),
        cmocka_unit_test(every_ratchet_byte_is_covered),
        cmocka_unit_test(damaged_pages_are_caught),
    };
    return cmocka_run_group_tests(tests, test_fill, test_tear_down);
}
