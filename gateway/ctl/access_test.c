#include "gateway/audit/fixture.h"

#undef assert_ok
#undef assert_code
#include "gateway/ctl/access_lines.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/limits.h"

/* What a station tells and leaves out, over an index of a log made for the test. */

#define ENTRIES 40
#define DAY_MS (24 * INT64_C(3600000))
#define LI "spiffe://example/officer/tax/li"
#define WANG "spiffe://example/officer/tax/wang"
#define CASE_ASKED "{\"what\":\"case\",\"value\":\"case-4\",\"law\":\"PIPL 18\",\"until_ms\":%lld}"

struct world {
    struct fx_audit *fx;
    struct lb_log *log;
};

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    assert_int_equal(fx_set_up((void **)&world->fx), 0);
    world->log = fx_open(world->fx);
    fx_append(world->fx, world->log, 0, ENTRIES);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    lb_log_close(world->log);
    (void)fx_tear_down((void **)&world->fx);
    free(world);
    return 0;
}

/* An entry as RecordReview makes it. */
static struct lb_log_entry *new_review(struct world *world, const char *kind, const char *officer,
                                       const char *query)
{
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    LB_DEFER(lb_json_freep) struct lb_json *detail = lb_json_object();
    assert_non_null(entry);
    entry->leaf = (struct lb_leaf){.type = LB_LEAF_REVIEW, .count = 1};
    (void)snprintf(entry->leaf.code, sizeof(entry->leaf.code), "%s", kind);
    lb_json_set_cstr(detail, "officer", officer);
    lb_json_set_cstr(detail, "query", query);
    assert_ok(lb_json_dump(detail, LB_JSON_COMPACT, world->fx->arena, &entry->detail));
    return entry;
}

/* Returns its number. */
static uint64_t review(struct world *world, const char *kind, const char *officer,
                       const char *query)
{
    struct lb_log_entry *entry = new_review(world, kind, officer, query);
    assert_ok(lb_log_append_wait(world->log, entry));
    uint64_t index = entry->index;
    free(entry);
    world->fx->clock.now_unix_ms += FX_STEP_MS;
    return index;
}

static const char *asking(struct world *world, int64_t days)
{
    return lb_arena_printf(world->fx->arena, CASE_ASKED,
                           (long long)(world->fx->clock.now_unix_ms + days * DAY_MS));
}

static uint64_t conceal(struct world *world, int64_t days)
{
    return review(world, LB_CTL_CONCEAL_ASKED, LI, asking(world, days));
}

static void freed(struct lb_log_entry *entry, lb_status status)
{
    assert_ok(status);
    free(entry);
}

/* At one time, and so in few commits; the last waits for all. */
static void conceal_often(struct world *world, size_t num)
{
    for (size_t i = 1; i < num; i++) {
        struct lb_log_entry *entry =
            new_review(world, LB_CTL_CONCEAL_ASKED, LI, asking(world, 1));
        entry->done = freed;
        assert_ok(lb_log_append(world->log, entry));
    }
    (void)conceal(world, 1);
}

static void on(struct world *world, const char *kind, const char *officer, uint64_t entry)
{
    (void)review(world, kind, officer,
                 lb_arena_printf(world->fx->arena, "{\"entry\":%llu}", (unsigned long long)entry));
}

/* Who is entry 13's subject: also entries 0 and 26 and 39. */
static lb_status make_lines(struct world *world, bool citizen, size_t max_lines, size_t max_bytes,
                            struct lb_ctl_access_lines *out)
{
    struct lb_audit_index *index = NULL;
    struct lb_audit_state state;
    uint8_t subject[32];
    fx_subject(0, subject);
    assert_ok(fx_build(world->fx, false, NULL));
    index = fx_index(world->fx);
    assert_ok(lb_audit_index_state(index, &state));
    const struct lb_ctl_access_ask ask = {
        .index = index, .state = &state, .subjects = subject, .num_subjects = 1,
        .citizen = citizen, .now_ms = world->fx->clock.now_unix_ms,
        .max_lines = max_lines, .max_bytes = max_bytes};
    lb_status status = lb_ctl_access_lines_make(&ask, world->fx->arena, out);
    lb_audit_index_close(index);
    return status;
}

static struct lb_ctl_access_lines lines_of(struct world *world, bool citizen, size_t max_lines,
                                           size_t max_bytes)
{
    struct lb_ctl_access_lines lines;
    assert_ok(make_lines(world, citizen, max_lines, max_bytes, &lines));
    return lines;
}

static size_t num_seen(struct world *world, bool citizen)
{
    return lines_of(world, citizen, 60, LB_MAX_LIST_BYTES).num - 1;
}

/* --- lines --- */

static void the_citizen_gets_what_is_the_citizens(void **state)
{
    struct world *world = *state;
    const struct lb_ctl_access_lines citizen = lines_of(world, true, 60, LB_MAX_LIST_BYTES);
    const struct lb_ctl_access_lines oversight = lines_of(world, false, 60, LB_MAX_LIST_BYTES);
    assert_int_equal(citizen.num, oversight.num);
    assert_true(citizen.num > 3);
    assert_non_null(strstr(citizen.lines[0], "\"more\":false"));
    assert_non_null(strstr(citizen.lines[0], "may be left out by law"));
    assert_null(strstr(oversight.lines[0], "by law"));
    for (size_t i = 1; i < citizen.num; i++) {
        assert_null(strstr(citizen.lines[i], "actor-"));
        assert_null(strstr(citizen.lines[i], "case-"));
        assert_non_null(strstr(oversight.lines[i], "\"operator\":\"actor-"));
        assert_non_null(strstr(oversight.lines[i], "\"case\":\"case-"));
        assert_non_null(strstr(citizen.lines[i], "\"given_by\":\"guardian:mother\""));
        assert_non_null(strstr(citizen.lines[i], "\"every_days\":30"));
        assert_non_null(strstr(citizen.lines[i], "EXISTS"));
    }
}

static void what_is_left_out_for_room_is_said(void **state)
{
    struct world *world = *state;
    size_t all = num_seen(world, true);
    struct lb_ctl_access_lines lines = lines_of(world, true, 3, LB_MAX_LIST_BYTES);
    assert_int_equal(lines.num, 3);
    assert_non_null(strstr(lines.lines[0], "\"more\":true"));
    assert_non_null(strstr(lines.lines[0], "\"rows\":2"));
    lines = lines_of(world, true, 60, LB_CTL_ACCESS_HEAD_BYTES + 400);
    size_t bytes = 0;
    for (size_t i = 0; i < lines.num; i++)
        bytes += strlen(lines.lines[i]) + 1;
    assert_true(lines.num - 1 < all && bytes <= LB_CTL_ACCESS_HEAD_BYTES + 400);
    assert_non_null(strstr(lines.lines[0], "\"more\":true"));
    lines = lines_of(world, true, all + 1, LB_MAX_LIST_BYTES);
    assert_non_null(strstr(lines.lines[0], "\"more\":false")); /* just enough */
}

/* A name that turns the direction of writing would spoil the whole list. */
static void nobody_spoils_a_persons_list(void **state)
{
    struct world *world = *state;
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    assert_non_null(entry);
    entry->leaf = (struct lb_leaf){.type = LB_LEAF_READ, .code = "ANSWERED", .count = 1};
    entry->detail = lb_span_str("{\"requester\":\"spiffe://example/window/hall\",\"code\":\"OK\","
                                "\"unit\":\"\xE2\x80\xAE unit\",\"purpose\":\"p\"}");
    entry->has_subject = true;
    fx_subject(0, entry->subject);
    assert_ok(lb_log_append_wait(world->log, entry));
    free(entry);
    const struct lb_ctl_access_lines lines = lines_of(world, true, 60, LB_MAX_LIST_BYTES);
    assert_non_null(strstr(lines.lines[1], "\xEF\xBF\xBD unit"));
}

/* --- concealment --- */

static void two_officers_conceal_from_the_citizen_alone(void **state)
{
    struct world *world = *state;
    size_t all = num_seen(world, true);
    uint64_t asked = conceal(world, 30);
    assert_int_equal(num_seen(world, true), all); /* asked for */
    on(world, LB_CTL_CONCEAL_APPROVED, LI, asked);
    assert_int_equal(num_seen(world, true), all); /* approved by who asked */
    on(world, LB_CTL_CONCEAL_APPROVED, WANG, asked + 100);
    assert_int_equal(num_seen(world, true), all); /* something else */
    on(world, LB_CTL_CONCEAL_APPROVED, WANG, asked);
    assert_int_equal(num_seen(world, true), all - 1);
    assert_int_equal(num_seen(world, false), all);
    on(world, LB_CTL_CONCEAL_LIFTED, LI, asked);
    assert_int_equal(num_seen(world, true), all);
}

static void a_concealment_lapses(void **state)
{
    struct world *world = *state;
    size_t all = num_seen(world, true);
    on(world, LB_CTL_CONCEAL_APPROVED, WANG, conceal(world, 2));
    assert_int_equal(num_seen(world, true), all - 1);
    world->fx->clock.now_unix_ms += 2 * DAY_MS;
    assert_int_equal(num_seen(world, true), all);
}

static void a_late_approval_is_none(void **state)
{
    struct world *world = *state;
    size_t all = num_seen(world, true);
    uint64_t asked = conceal(world, 30);
    world->fx->clock.now_unix_ms += 8 * DAY_MS;
    on(world, LB_CTL_CONCEAL_APPROVED, WANG, asked);
    assert_int_equal(num_seen(world, true), all);
}

static void what_is_no_such_act_conceals_nothing(void **state)
{
    static const char *const queries[] = {
        "", "conceal all", "[]", "{\"what\":\"case\",\"value\":\"case-4\",\"law\":\"x\"}",
        "{\"what\":\"case\",\"value\":\"\",\"law\":\"x\",\"until_ms\":1790000000000}",
        "{\"what\":\"all\",\"value\":\"case-4\",\"law\":\"x\",\"until_ms\":1790000000000}",
        "{\"what\":\"case\",\"value\":\"case-4\",\"law\":\"x\",\"until_ms\":9999999999999}"};
    struct world *world = *state;
    size_t all = num_seen(world, true);
    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++)
        on(world, LB_CTL_CONCEAL_APPROVED, WANG,
           review(world, LB_CTL_CONCEAL_ASKED, LI, queries[i]));
    assert_int_equal(num_seen(world, true), all);
}

/* One entry, and one request. */
static void single_accesses_are_concealed(void **state)
{
    struct world *world = *state;
    size_t all = num_seen(world, true);
    on(world, LB_CTL_CONCEAL_APPROVED, WANG,
       review(world, LB_CTL_CONCEAL_ASKED, LI,
              "{\"what\":\"entry\",\"value\":\"13\",\"law\":\"x\",\"until_ms\":1790000000000}"));
    assert_int_equal(num_seen(world, true), all - 1);
    on(world, LB_CTL_CONCEAL_APPROVED, WANG,
       review(world, LB_CTL_CONCEAL_ASKED, LI,
              "{\"what\":\"txn\",\"value\":\"1A000000000000007070707070707070\",\"law\":\"x\","
              "\"until_ms\":1790000000000}"));
    assert_int_equal(num_seen(world, true), all - 2);
}

/* More than are kept track of: nothing is shown. A year later nobody remembers them. */
static void old_askings_are_no_burden(void **state)
{
    struct world *world = *state;
    struct lb_ctl_access_lines lines;
    size_t all = num_seen(world, true);
    conceal_often(world, 1025);
    assert_int_equal(lb_status_code(make_lines(world, true, 60, LB_MAX_LIST_BYTES, &lines)),
                     LB_TOO_LARGE);
    assert_int_equal(num_seen(world, false), all);
    world->fx->clock.now_unix_ms += 367 * DAY_MS;
    assert_int_equal(num_seen(world, true), all);
    on(world, LB_CTL_CONCEAL_APPROVED, WANG, conceal(world, 2));
    assert_int_equal(num_seen(world, true), all - 1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_citizen_gets_what_is_the_citizens),
        TEST(what_is_left_out_for_room_is_said),
        TEST(nobody_spoils_a_persons_list),
        TEST(two_officers_conceal_from_the_citizen_alone),
        TEST(a_concealment_lapses),
        TEST(a_late_approval_is_none),
        TEST(what_is_no_such_act_conceals_nothing),
        TEST(single_accesses_are_concealed),
        TEST(old_askings_are_no_burden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
