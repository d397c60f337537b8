#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "adapters/sqlite/sqlite.h"
#include "gateway/base/file.h"
#include "gateway/base/limits.h"
#include "gateway/base/utf8.h"
#include "gateway/store/store.h"
#include "tests/fuzz/fuzz.h"

/* A department's database file that anybody may have made. */

#define ARENA_BYTES (8U << 20)
#define MAX_ROWS 20U
#define ID "99010119800101201X"

/* A folder for one process, in memory where there is such a place. */
struct place {
    char folder[64];
    char path[96];
};

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *ftw)
{
    (void)info;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static void make_place(struct place *place)
{
    const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    (void)snprintf(place->folder, sizeof(place->folder), "%s/lianban-fuzz-XXXXXX", base);
    FUZZ_CHECK(mkdtemp(place->folder) != NULL);
    (void)snprintf(place->path, sizeof(place->path), "%s/source.db", place->folder);
}

static void remove_place(const struct place *place)
{
    (void)nftw(place->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void check_result(const struct lb_source_result *result)
{
    FUZZ_CHECK(result->num_columns == 3 && result->num_rows <= MAX_ROWS);
    for (size_t i = 0; i < result->num_rows * result->num_columns; i++) {
        const struct lb_source_cell *cell = &result->cells[i];
        FUZZ_CHECK(cell->kind == LB_SOURCE_TEXT || cell->text.len == 0);
        FUZZ_CHECK(cell->kind == LB_SOURCE_INT || cell->number == 0);
        if (cell->kind != LB_SOURCE_TEXT)
            continue;
        FUZZ_CHECK(cell->text.len > 0 && cell->text.len <= LB_MAX_VALUE_BYTES);
        FUZZ_CHECK(lb_utf8_valid(cell->text));
    }
}

static bool try_read(struct lb_source *source, struct lb_arena *arena)
{
    const struct lb_source_plugin *plugin = lb_source_sqlite();
    const struct lb_source_limits limits = lb_source_all(MAX_ROWS, 200);
    const struct lb_source_param params[] = {
        {"id_no", lb_span_str(ID)},
        {"today", lb_span_str("2026-07-15")},
        {"this_month", lb_span_str("2026-07")},
        {"from_month", lb_span_str("2025-07")},
    };
    struct lb_diag diag = {""};
    struct lb_source_stmt *stmt = NULL;
    struct lb_source_result result;
    const struct lb_source_query query = {
        .text = "SELECT name, cents, month FROM wage WHERE id_no = :id_no"};
    if (plugin->prepare(source, &query, &diag, &stmt) != LB_OK) {
        FUZZ_CHECK(diag.text[0] != 0);
        return false;
    }
    if (plugin->read(stmt, params, 4, &limits, arena, &result) != LB_OK)
        return false;
    check_result(&result);
    return true;
}

bool fuzz_source_file(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    struct place place;
    struct lb_diag diag = {""};
    struct lb_source *source = NULL;
    make_place(&place);
    FUZZ_OK(lb_file_write(place.path, in, 0600));
    bool accepted = false;
    const struct lb_source_options options = {.location = place.path};
    if (lb_source_sqlite()->open(NULL, &options, &diag, &source) == LB_OK) {
        accepted = try_read(source, arena);
        lb_source_sqlite()->close(source);
    }
    remove_place(&place);
    return accepted;
}

void seed_source_file(const struct fuzz_sink *sink)
{
    static const char *const steps[] = {
        "CREATE TABLE wage (id_no TEXT, name, cents, month);"
        "INSERT INTO wage VALUES ('" ID "', '张三 ', 145000, '2026-06'),"
        " ('" ID "', x'ff00', 1.5, NULL), ('" ID "', '', -1, '2026-05');",
        NULL,
    };
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    struct place place;
    struct lb_span bytes = LB_SPAN_EMPTY;
    struct lb_store *store = NULL;
    make_place(&place);
    const struct lb_store_options options = {.path = place.path, .migrations = steps,
                                             .create = true};
    FUZZ_OK(lb_store_open(&options, &store));
    FUZZ_OK(lb_store_exec(store, "PRAGMA journal_mode = DELETE"));
    lb_store_close(store);
    FUZZ_OK(lb_file_read(place.path, ARENA_BYTES / 2, arena, &bytes));
    fuzz_seed_plain(sink, bytes);
    remove_place(&place);
}
