#include <stdio.h>

#include "gateway/base/file.h"
#include "gateway/consent/fixture.h"
#include "gateway/evidence/inspect.h"
#include "gateway/store/store.h"

/* Looking at the office's files from outside. */

size_t fx_entries(struct fixture *fx, const char *code)
{
    struct lb_log_reader *reader = NULL;
    uint64_t size = 0;
    size_t found = 0;
    fx_stop(fx);
    assert_ok(lb_log_reader_open(fx->log_folder, &fx->diag, &reader));
    assert_ok(lb_log_reader_size(reader, &size));
    for (uint64_t i = 0; i < size; i++) {
        struct lb_leaf leaf;
        struct lb_hash hash;
        assert_ok(lb_log_reader_leaf(reader, i, fx->arena, &leaf, &hash));
        found += strcmp(leaf.code, code) == 0 ? leaf.count : 0;
    }
    lb_log_reader_close(reader);
    fx_start(fx);
    return found;
}

static bool file_holds(const char *path, struct lb_span bytes)
{
    struct lb_arena *arena = lb_arena_new(64 * 1024 * 1024);
    struct lb_span content;
    bool holds = false;
    if (lb_file_read(path, 32 * 1024 * 1024, arena, &content) == LB_OK && content.len > 0)
        holds = memmem(content.ptr, content.len, bytes.ptr, bytes.len) != NULL;
    lb_arena_free(arena);
    return holds;
}

bool fx_holds(struct fixture *fx, struct lb_span bytes)
{
    static const char *const files[] = {"consent.db", "consent.db-wal", "consent.db-shm",
                                        "log/evidence.db", "log/evidence.db-wal"};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        const char *path = lb_arena_printf(fx->arena, "%s/%s", fx->folder, files[i]);
        if (file_holds(path, bytes))
            return true;
    }
    return false;
}

static struct lb_stmt *query(struct fixture *fx, const char *sql, struct lb_store **out_store)
{
    const struct lb_store_options options = {.path = fx->store_path, .busy_timeout_ms = 1000};
    struct lb_stmt *stmt = NULL;
    bool row = false;
    assert_ok(lb_store_open(&options, out_store));
    assert_ok(lb_stmt_prepare(*out_store, sql, &stmt));
    assert_ok(lb_stmt_step(stmt, &row));
    assert_true(row);
    return stmt;
}

void fx_exec(struct fixture *fx, const char *sql)
{
    const struct lb_store_options options = {.path = fx->store_path, .busy_timeout_ms = 1000};
    struct lb_store *store = NULL;
    assert_ok(lb_store_open(&options, &store));
    lb_status status = lb_store_exec(store, sql);
    if (status != LB_OK)
        print_error("%s\n", lb_store_error_text(store));
    assert_ok(status);
    lb_store_close(store);
}

int64_t fx_count(struct fixture *fx, const char *sql)
{
    struct lb_store *store = NULL;
    struct lb_stmt *stmt = query(fx, sql, &store);
    int64_t number = lb_stmt_int(stmt, 0);
    lb_store_close(store);
    return number;
}

const char *fx_text(struct fixture *fx, const char *sql)
{
    struct lb_store *store = NULL;
    struct lb_stmt *stmt = query(fx, sql, &store);
    const char *text = lb_arena_str(fx->arena, lb_stmt_text(stmt, 0));
    assert_non_null(text);
    lb_store_close(store);
    return text;
}
