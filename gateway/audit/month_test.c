#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/audit/review.h"
#include "gateway/audit/traffic.h"
#include "gateway/base/file.h"

/*
 * The shipped rules over a department's month: what is planted comes up, and of the ordinary rows
 * at most 2 in 100 are in any alert. October 2026 has the longest holiday and a worked Saturday.
 */
#define assert_ok(status_)                                                                         \
    assert_string_equal(lb_code_name(lb_status_code(status_)), lb_code_name(LB_CODE_OK))
#define RULES "policy/review/rules.yaml"
#define OCTOBER 273
#define MAX_FALSE_PER_MILLE 20

struct world {
    char folder[64];
    struct lb_arena *arena;
    struct lb_diag diag;
    struct lb_detect_rules *rules;
    struct lb_detect_lists *lists;
    struct lb_review *review;
    struct traffic *traffic;
    struct lb_review_progress progress;
};

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

static void make_lists(struct world *world)
{
    char path[128];
    struct lb_buf yaml;
    lb_buf_init(&yaml, 1024 * 1024);
    traffic_lists(world->traffic, &yaml);
    assert_ok(lb_buf_check(&yaml));
    (void)snprintf(path, sizeof(path), "%s/lists.yaml", world->folder);
    assert_ok(lb_file_write(path, lb_buf_span(&yaml), 0600));
    lb_buf_cleanup(&yaml);
    assert_ok(lb_detect_lists_load(path, &world->diag, &world->lists));
}

static void begin(struct world *world, const struct traffic_options *options)
{
    char path[128];
    *world = (struct world){.arena = lb_arena_new(64 * 1024 * 1024)};
    (void)snprintf(world->folder, sizeof(world->folder), "/tmp/lianban-month-XXXXXX");
    assert_non_null(mkdtemp(world->folder));
    lb_status status = lb_detect_rules_load(RULES, &world->diag, &world->rules);
    if (status != LB_OK)
        print_message("%s\n", world->diag.text);
    assert_ok(status);
    world->traffic = traffic_new(options);
    assert_non_null(world->traffic);
    make_lists(world);
    (void)snprintf(path, sizeof(path), "%s/review", world->folder);
    assert_ok(lb_review_open(path, true, NULL, &world->diag, &world->review));
}

static void end(struct world *world)
{
    lb_review_close(world->review);
    traffic_free(world->traffic);
    lb_detect_lists_free(world->lists);
    lb_detect_rules_free(world->rules);
    lb_arena_free(world->arena);
    (void)nftw(world->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void scan(struct world *world, uint64_t most)
{
    uint64_t next = 0;
    assert_ok(lb_review_next(world->review, &next));
    const struct lb_review_source source = traffic_source(world->traffic, next);
    assert_ok(lb_review_scan(world->review, world->rules, world->lists, &source, most,
                             &world->progress));
}

static size_t list(struct world *world, struct lb_review_alert **out_alerts)
{
    const struct lb_review_filter filter = {.closed_too = true};
    size_t num = 0;
    uint64_t left = 0;
    assert_ok(lb_review_list(world->review, &filter, world->arena, out_alerts, &num, &left));
    assert_int_equal(left, 0);
    return num;
}

/* Ordinary rows that some alert names. */
static size_t count_false(struct world *world)
{
    size_t num = 0;
    for (uint64_t i = 0; i < traffic_num(world->traffic); i++) {
        bool has = false;
        assert_ok(lb_review_has(world->review, i, &has));
        num += has && traffic_kind_of(world->traffic, i) == TRAFFIC_ORDINARY ? 1 : 0;
    }
    return num;
}

static void print_rules(struct world *world, const struct lb_review_alert *alerts, size_t num)
{
    for (size_t i = 0; i < world->rules->num; i++) {
        int64_t found = 0, rows = 0;
        for (size_t k = 0; k < num; k++) {
            bool same = strcmp(alerts[k].rule, world->rules->rules[i].id) == 0;
            found += same ? 1 : 0;
            rows += same ? alerts[k].num_entries : 0;
        }
        if (found > 0)
            print_message("    %-18s %3lld alerts, %5lld rows\n", world->rules->rules[i].id,
                          (long long)found, (long long)rows);
    }
}

static void check_ordinary(uint64_t seed)
{
    struct world world;
    struct lb_review_alert *alerts = NULL;
    const struct traffic_options options = {
        .seed = seed, .first_day = OCTOBER, .num_days = 31, .num_operators = 30};
    begin(&world, &options);
    scan(&world, 0);
    size_t num = list(&world, &alerts), wrong = count_false(&world);
    size_t rows = traffic_num(world.traffic);
    print_message("  an ordinary October (seed %llu): %zu rows, %zu alerts, %zu rows in alerts:"
                  " %.2f %%\n", (unsigned long long)seed, rows, num, wrong,
                  100.0 * (double)wrong / (double)rows);
    print_rules(&world, alerts, num);
    assert_true(rows > 5000);
    assert_int_equal(world.progress.num_reads, rows);
    assert_int_equal(world.progress.num_unlisted, 0);
    assert_true(1000 * wrong <= MAX_FALSE_PER_MILLE * rows);
    end(&world);
}

static void test_ordinary_month(void **state)
{
    (void)state;
    check_ordinary(1);
}

/* --- misuse --- */

struct planted {
    enum traffic_kind kind;
    const char *rule;
    const char *what;
};

static size_t rows_found(struct world *world, const struct planted *planted,
                         const struct lb_review_alert *alerts, size_t num)
{
    size_t found = 0;
    for (size_t i = 0; i < num; i++) {
        struct lb_review_case one;
        if (strcmp(alerts[i].rule, planted->rule) != 0)
            continue;
        assert_ok(lb_review_show(world->review, alerts[i].id, world->arena, &one));
        for (size_t k = 0; k < one.num_entries; k++)
            found += traffic_kind_of(world->traffic, one.entries[k]) == planted->kind ? 1 : 0;
    }
    return found;
}

static size_t rows_planted(const struct traffic *traffic, enum traffic_kind kind)
{
    size_t num = 0;
    for (uint64_t i = 0; i < traffic_num(traffic); i++)
        num += traffic_kind_of(traffic, i) == kind ? 1 : 0;
    return num;
}

static void check_planted(struct world *world, const struct lb_review_alert *alerts, size_t num)
{
    static const struct planted all[] = {
        {TRAFFIC_RELATIVE, "own-relative", "an own-relative look-up"},
        {TRAFFIC_NIGHT, "after-hours", "an after-hours bulk run, by its hours"},
        {TRAFFIC_NIGHT, "bulk", "an after-hours bulk run, by its number"},
        {TRAFFIC_SHARED, "shared-credential", "a shared credential"},
        {TRAFFIC_ENUMERATION, "enumeration", "an enumeration"},
        {TRAFFIC_HONEY, "honey", "a honey record"},
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        size_t found = rows_found(world, &all[i], alerts, num);
        size_t planted = rows_planted(world->traffic, all[i].kind);
        print_message("    %-40s %2zu of %2zu rows under %s\n", all[i].what, found, planted,
                      all[i].rule);
        assert_true(found > 0 && planted > 0);
    }
}

static void test_misuse_comes_up(void **state)
{
    (void)state;
    struct world world;
    struct lb_review_alert *alerts = NULL;
    const struct traffic_options options = {.seed = 3, .first_day = OCTOBER, .num_days = 31,
                                            .num_operators = 20, .misuse = true};
    begin(&world, &options);
    scan(&world, 0);
    size_t num = list(&world, &alerts), wrong = count_false(&world);
    size_t rows = traffic_num(world.traffic);
    print_message("  the same with misuse (seed 3): %zu rows, %zu alerts; ordinary rows in alerts:"
                  " %.2f %%\n", rows, num, 100.0 * (double)wrong / (double)rows);
    check_planted(&world, alerts, num);
    assert_true(1000 * wrong <= MAX_FALSE_PER_MILLE * rows);
    end(&world);
}

/* --- the same, however it is cut --- */

static void assert_same(struct world *a, struct world *b)
{
    struct lb_review_alert *left = NULL, *right = NULL;
    size_t num = list(a, &left);
    assert_int_equal(list(b, &right), num);
    for (size_t i = 0; i < num; i++) {
        assert_int_equal(left[i].id, right[i].id);
        assert_string_equal(left[i].rule, right[i].rule);
        assert_string_equal(left[i].why_en, right[i].why_en);
        assert_int_equal(left[i].num_entries, right[i].num_entries);
        assert_int_equal(left[i].first_ms, right[i].first_ms);
        assert_int_equal(left[i].last_ms, right[i].last_ms);
    }
}

static void test_cut_into_pieces(void **state)
{
    (void)state;
    struct world whole, pieces;
    const struct traffic_options options = {.seed = 3, .first_day = OCTOBER + 10, .num_days = 12,
                                            .num_operators = 10, .misuse = false};
    begin(&whole, &options);
    begin(&pieces, &options);
    scan(&whole, 0);
    do
        scan(&pieces, 137);
    while (pieces.progress.num_rows > 0);
    assert_int_equal(pieces.progress.next, traffic_num(whole.traffic));
    assert_same(&whole, &pieces);
    end(&whole);
    end(&pieces);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ordinary_month),
        cmocka_unit_test(test_misuse_comes_up),
        cmocka_unit_test(test_cut_into_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
