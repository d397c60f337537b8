#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/file.h"
#include "gateway/base/hex.h"
#include "gateway/store/store.h"
#include "gateway/window/fixture.h"

/* The agent's disk, looked at and changed behind its back. */

bool fx_in_files(struct fixture *fx, const void *needle, size_t len)
{
    glob_t found;
    bool seen = false;
    assert_int_equal(glob(fx_path(fx, "cases.db*"), 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct lb_span content;
        struct lb_arena *arena = lb_arena_new(64 * 1024 * 1024);
        assert_ok(lb_file_read(found.gl_pathv[i], 32 * 1024 * 1024, arena, &content));
        seen |= content.len > 0 && memmem(content.ptr, content.len, needle, len) != NULL;
        lb_arena_free(arena);
    }
    globfree(&found);
    return seen;
}

struct lb_span fx_stored_case(struct fixture *fx, const char *case_id)
{
    const struct lb_store_options options = {.path = fx->store_path, .read_only = true};
    struct lb_store *store = NULL;
    struct lb_stmt *select = NULL;
    struct lb_span copy = LB_SPAN_EMPTY;
    bool row = false;
    assert_ok(lb_store_open(&options, &store));
    assert_ok(lb_stmt_prepare(store, "SELECT sealed FROM cases WHERE id = ?1", &select));
    assert_ok(lb_stmt_bind_text(select, 1, lb_span_str(case_id)));
    assert_ok(lb_stmt_step(select, &row));
    if (row)
        assert_ok(lb_arena_copy(fx->arena, lb_stmt_blob(select, 0), &copy));
    lb_store_close(store);
    return copy;
}

void fx_change_store(struct fixture *fx, const char *sql)
{
    const struct lb_store_options options = {.path = fx->store_path};
    struct lb_store *store = NULL;
    lb_window_free(fx->window);
    fx->window = NULL;
    assert_ok(lb_store_open(&options, &store));
    assert_ok(lb_store_exec(store, sql));
    lb_store_close(store);
}

struct lb_span fx_kept_text(struct fixture *fx, const char *name)
{
    struct lb_span text;
    const struct lb_form *form = lb_form_of(fx->form);
    char path[96], hash[65];
    (void)snprintf(path, sizeof(path), "gateway/window/kept/%s.json", name);
    assert_ok(lb_file_read(path, 1U << 20, fx->arena, &text));
    char *copy = lb_arena_str(fx->arena, text);
    assert_non_null(copy);
    lb_hex_encode(lb_span_of(form->sha256, sizeof(form->sha256)), hash);
    char *place = strstr(copy, "\"form_sha256\":\"");
    assert_non_null(place);
    memcpy(place + strlen("\"form_sha256\":\""), hash, 64);
    return lb_span_str(copy);
}
