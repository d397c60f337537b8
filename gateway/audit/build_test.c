#include "gateway/audit/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/audit/health.h"
#include "gateway/store/store.h"

#define ENTRIES 30

static void test_follows_step_by_step(void **state)
{
    struct fx_audit *fx = *state;
    struct lb_audit_progress progress;
    struct lb_log *log = fx_open(fx);
    fx_append(fx, log, 0, 20);
    assert_ok(fx_build(fx, false, &progress));
    assert_int_equal(progress.num_added, 20);
    assert_int_equal(progress.num_broken, 0);
    fx_append(fx, log, 20, ENTRIES);
    assert_ok(fx_build(fx, false, &progress));
    assert_int_equal(progress.num_added, ENTRIES - 20);
    assert_int_equal(progress.size, ENTRIES);
    const char *followed = fx_dump(fx);
    assert_ok(fx_build(fx, true, &progress));
    assert_int_equal(progress.num_added, ENTRIES);
    assert_string_equal(fx_dump(fx), followed);
    lb_log_close(log);
}

static void test_is_for_its_owner_alone(void **state)
{
    struct fx_audit *fx = *state;
    struct stat file;
    struct lb_audit_index *index = NULL;
    char path[400];
    fx_fill(fx, 3);
    assert_ok(fx_build(fx, false, NULL));
    (void)snprintf(path, sizeof(path), "%s/index.db", fx->index);
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_mode & 0777, 0600);
    assert_int_equal(stat(fx->index, &file), 0);
    assert_int_equal(file.st_mode & 0777, 0700);
    assert_int_equal(chmod(path, 0640), 0);
    assert_code(lb_audit_index_open(fx->index, &fx->diag, &index), LB_FILE_FAILED);
}

static void test_says_how_far_behind_it_is(void **state)
{
    struct fx_audit *fx = *state;
    struct lb_audit_state now;
    struct lb_audit_lag lag;
    struct lb_log *log = fx_open(fx);
    fx_append(fx, log, 0, 10);
    assert_ok(fx_build(fx, false, NULL));
    fx_append(fx, log, 10, 15);
    struct lb_audit_index *index = fx_index(fx);
    assert_ok(lb_audit_index_state(index, &now));
    assert_string_equal(now.origin, FX_ORIGIN);
    assert_int_equal(now.size, 10);
    lb_audit_index_lag(&now, &lag);
    assert_true(lag.known);
    assert_int_equal(lag.entries, 5);
    assert_int_equal(lag.seconds, 5 * FX_STEP_MS / 1000);
    now.log[0] = 0;
    lb_audit_index_lag(&now, &lag);
    assert_false(lag.known);
    lb_audit_index_close(index);
    lb_log_close(log);
}

/* --- erasure --- */

static bool file_holds(const char *path, const uint8_t *bytes, size_t len)
{
    struct lb_arena *arena = lb_arena_new(64U * 1024 * 1024);
    FILE *file = fopen(path, "rb");
    bool found = false;
    if (file != NULL) {
        uint8_t *text = lb_arena_alloc(arena, 16U * 1024 * 1024);
        size_t got = fread(text, 1, 16U * 1024 * 1024, file);
        for (size_t i = 0; i + len <= got && !found; i++)
            found = memcmp(text + i, bytes, len) == 0;
        (void)fclose(file);
    }
    lb_arena_free(arena);
    return found;
}

static bool index_holds(const struct fx_audit *fx, const void *bytes, size_t len)
{
    char path[400];
    (void)snprintf(path, sizeof(path), "%s/index.db", fx->index);
    bool found = file_holds(path, bytes, len);
    (void)snprintf(path, sizeof(path), "%s/index.db-wal", fx->index);
    return found || file_holds(path, bytes, len);
}

static void test_forgets_what_the_log_forgot(void **state)
{
    struct fx_audit *fx = *state;
    struct lb_audit_progress progress;
    struct lb_log *log = fx_open(fx);
    uint8_t pseudonym[32];
    fx_subject(7, pseudonym);
    fx_append(fx, log, 0, ENTRIES);
    assert_ok(fx_build(fx, false, NULL));
    assert_true(index_holds(fx, pseudonym, 32));
    fx_erase(log, 7);
    fx_append(fx, log, ENTRIES, ENTRIES + 2);
    assert_ok(fx_build(fx, false, &progress));
    assert_int_equal(progress.num_forgotten, 1);
    assert_false(index_holds(fx, pseudonym, 32));
    const char *followed = fx_dump(fx);
    assert_ok(fx_build(fx, true, NULL));
    assert_string_equal(fx_dump(fx), followed);
    assert_false(index_holds(fx, pseudonym, 32));
    lb_log_close(log);
}

/* A new entry about an erased person is under a new key, and stays. */
static void test_keeps_what_came_after_an_erasure(void **state)
{
    struct fx_audit *fx = *state;
    struct lb_log *log = fx_open(fx);
    uint8_t pseudonym[32];
    fx_subject(4, pseudonym);
    fx_append(fx, log, 0, 20);
    assert_ok(fx_build(fx, false, NULL));
    fx_erase(log, 4);
    fx_append(fx, log, 30, 31); /* 30 % 13 == 4 */
    assert_ok(fx_build(fx, false, NULL));
    assert_true(index_holds(fx, pseudonym, 32));
    const char *followed = fx_dump(fx);
    assert_ok(fx_build(fx, true, NULL));
    assert_string_equal(fx_dump(fx), followed);
    lb_log_close(log);
}

/* --- what is due --- */

static struct lb_audit_due due_before(struct fx_audit *fx, int64_t before_ms)
{
    struct lb_audit_due due;
    const char *const held[] = {"case-0", "case-4", NULL};
    assert_ok(fx_build(fx, false, NULL));
    struct lb_audit_index *index = fx_index(fx);
    assert_ok(lb_audit_due(index, before_ms, held, &due));
    lb_audit_index_close(index);
    return due;
}

/* From the newest access on; what officers look up about a person keeps nobody longer. */
static void test_counts_what_is_due(void **state)
{
    struct fx_audit *fx = *state;
    struct lb_log *log = fx_open(fx);
    const int64_t before_ms = FX_FIRST_MS + 13 * FX_STEP_MS;
    fx_append(fx, log, 0, 13); /* 12 persons, one a minute, and a stranger, case after case */
    struct lb_audit_due due = due_before(fx, before_ms);
    assert_int_equal(due.entries, 12);
    assert_int_equal(due.subjects, 12);
    assert_int_equal(due.oldest_ms, FX_FIRST_MS);
    assert_int_equal(due.held_entries, 4); /* entries 0 to 2 and 12 */
    fx_review(fx, log, 1);
    fx_review(fx, log, 2);
    due = due_before(fx, before_ms);
    assert_int_equal(due.entries, 12);
    assert_int_equal(due.subjects, 12);
    fx_append(fx, log, 13, 15); /* persons 0 and 1 again */
    due = due_before(fx, before_ms);
    assert_int_equal(due.entries, 10);
    assert_int_equal(due.subjects, 10);
    assert_int_equal(due.oldest_ms, FX_FIRST_MS + 2 * FX_STEP_MS);
    assert_int_equal(due.held_entries, 2);
    lb_log_close(log);
}

/* --- what is refused --- */

static void change_log(struct fx_audit *fx, const char *sql)
{
    char path[400];
    struct lb_store *store = NULL;
    (void)snprintf(path, sizeof(path), "%s/evidence.db", fx->log);
    const struct lb_store_options options = {.path = path, .busy_timeout_ms = 1000};
    assert_ok(lb_store_open(&options, &store));
    assert_ok(lb_store_exec(store, sql));
    lb_store_close(store);
}

static void move_log(struct fx_audit *fx, const char *name)
{
    char path[400];
    (void)snprintf(path, sizeof(path), "%s/%s", fx->root, name);
    assert_int_equal(rename(fx->log, path), 0);
}

static void test_refuses_a_fork(void **state)
{
    struct fx_audit *fx = *state;
    fx_fill(fx, 20);
    assert_ok(fx_build(fx, false, NULL));
    const char *before = fx_dump(fx);
    move_log(fx, "old");
    fx->clock.now_unix_ms = FX_FIRST_MS + 7;
    fx_fill(fx, 30);
    assert_code(fx_build(fx, false, NULL), LB_LOG_FORK);
    assert_non_null(strstr(fx->diag.text, "fork"));
    assert_string_equal(fx_dump(fx), before);
}

static void test_refuses_a_log_cut_short(void **state)
{
    struct fx_audit *fx = *state;
    fx_fill(fx, 20);
    assert_ok(fx_build(fx, false, NULL));
    move_log(fx, "old");
    fx->clock.now_unix_ms = FX_FIRST_MS;
    fx_fill(fx, 10); /* the very same entries, signed by the very key */
    assert_code(fx_build(fx, false, NULL), LB_LOG_BEHIND);
}

static void test_refuses_another_log(void **state)
{
    struct fx_audit *fx = *state;
    struct lb_note_verifier own = fx->verifier;
    fx_fill(fx, 5);
    assert_ok(fx_build(fx, false, NULL));
    assert_ok(lb_note_verifier_init("example/adapter/health", own.public_key, &fx->verifier));
    assert_code(fx_build(fx, false, NULL), LB_LOG_FORK);
    assert_non_null(strstr(fx->diag.text, "example/adapter/health"));
    lb_note_verifier_cleanup(&fx->verifier);
    fx->verifier = own;
}

static void test_refuses_a_changed_leaf(void **state)
{
    struct fx_audit *fx = *state;
    fx_fill(fx, 20);
    change_log(fx, "UPDATE leaf SET bytes = (SELECT bytes FROM leaf WHERE idx = 3) WHERE idx = 12");
    assert_code(fx_build(fx, false, NULL), LB_LOG_FORK);
    struct lb_audit_index *index = NULL;
    struct lb_audit_state none;
    assert_ok(lb_audit_index_open(fx->index, &fx->diag, &index));
    assert_code(lb_audit_index_state(index, &none), LB_ABSENT); /* nothing was believed */
    lb_audit_index_close(index);
}

static void test_shows_a_detail_that_does_not_open(void **state)
{
    struct fx_audit *fx = *state;
    struct lb_audit_progress progress;
    fx_fill(fx, 20);
    change_log(fx, "UPDATE detail SET sealed = zeroblob(length(sealed)) WHERE idx = 12;"
                   "DELETE FROM detail WHERE idx = 13");
    assert_ok(fx_build(fx, false, &progress));
    assert_int_equal(progress.num_broken, 2);
}

static void test_refuses_a_copy_that_is_served(void **state)
{
    struct fx_audit *fx = *state;
    struct lb_log *log = fx_open(fx);
    struct lb_audit_build *build = NULL;
    struct lb_audit_build_options options = {
        .log = fx->log, .folder = fx->index, .verifier = &fx->verifier,
        .officer = {&fx->officer, 1},
        .clock = &fx->clock.clock, .copy = true,
    };
    fx_append(fx, log, 0, 3);
    assert_code(lb_audit_build_open(&options, &fx->diag, &build), LB_CONFIG_INVALID);
    lb_log_close(log);
    assert_ok(lb_audit_build_open(&options, &fx->diag, &build));
    assert_ok(lb_audit_build_step(build, &fx->diag, &(struct lb_audit_progress){0}));
    lb_audit_build_close(build);
    options.copy = false; /* and it never becomes the index of a node */
    assert_code(lb_audit_build_open(&options, &fx->diag, &build), LB_CONFIG_INVALID);
}

#define audit_test(name_) cmocka_unit_test_setup_teardown(name_, fx_set_up, fx_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        audit_test(test_follows_step_by_step),
        audit_test(test_is_for_its_owner_alone),
        audit_test(test_says_how_far_behind_it_is),
        audit_test(test_forgets_what_the_log_forgot),
        audit_test(test_keeps_what_came_after_an_erasure),
        audit_test(test_counts_what_is_due),
        audit_test(test_refuses_a_fork),
        audit_test(test_refuses_a_log_cut_short),
        audit_test(test_refuses_another_log),
        audit_test(test_refuses_a_changed_leaf),
        audit_test(test_shows_a_detail_that_does_not_open),
        audit_test(test_refuses_a_copy_that_is_served),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
