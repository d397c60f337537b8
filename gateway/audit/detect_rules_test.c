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

#include "gateway/audit/detect_lists.h"
#include "gateway/base/file.h"

/* The shipped files load; every mistake is refused with its file and line. */

#define assert_code(status_, code_)                                                                \
    assert_string_equal(lb_code_name(lb_status_code(status_)), lb_code_name(code_))
#define assert_ok(status_) assert_code(status_, LB_CODE_OK)

#define CALENDAR                                                                                   \
    "calendar: c\nversion: 1\nutc_offset_minutes: 480\nhours:\n  weekdays: \"08:30-17:30\"\n"      \
    "grace_minutes: 30\nyears: [2026]\nholidays:\n"                                                \
    "  - {from: 2026-10-01, to: 2026-10-07, zh: a, en: b}\nworkdays: [2026-10-10]\n"
#define HEAD                                                                                       \
    "detection: d\nversion: 1\ncalendar: calendar.yaml\n"                                          \
    "due_days: {low: 14, medium: 7, high: 3, critical: 1}\nrules:\n"
#define WORDS "    title: {zh: a, en: b}\n    why: {zh: a, en: b}\n"
#define RULE(id_, kind_, with_)                                                                    \
    "  - id: " id_ "\n    kind: " kind_ "\n    severity: high\n" with_ WORDS

struct world {
    char folder[64];
    struct lb_diag diag;
};

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    (void)snprintf(world->folder, sizeof(world->folder), "/tmp/lianban-rules-XXXXXX");
    assert_non_null(mkdtemp(world->folder));
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    (void)nftw(world->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(world);
    return 0;
}

static void put(struct world *world, const char *name, const char *text, mode_t mode, char *path)
{
    (void)snprintf(path, 128, "%s/%s", world->folder, name);
    assert_ok(lb_file_write(path, lb_span_str(text), mode));
}

static lb_status load(struct world *world, const char *calendar, const char *rules,
                      struct lb_detect_rules **out)
{
    char path[128];
    put(world, "calendar.yaml", calendar, 0644, path);
    put(world, "rules.yaml", rules, 0644, path);
    *out = NULL;
    return lb_detect_rules_load(path, &world->diag, out);
}

static void test_shipped_rules(void **state)
{
    struct world *world = *state;
    LB_DEFER(lb_detect_rules_freep) struct lb_detect_rules *rules = NULL;
    bool kinds[LB_DETECT_NUM_KINDS] = {false};
    assert_ok(lb_detect_rules_load("policy/review/rules.yaml", &world->diag, &rules));
    for (size_t i = 0; i < rules->num; i++)
        kinds[rules->rules[i].kind] = true;
    for (int i = 0; i < LB_DETECT_NUM_KINDS; i++)
        assert_true(kinds[i]);
}

/* Each is the one thing wrong with a file, and where the complaint must point. */
struct mistake {
    const char *rules;
    const char *complaint;
};

static const struct mistake mistakes[] = {
    {HEAD RULE("a", "telepathy", ""), "rules.yaml:7: kind"},
    {HEAD RULE("a", "bulk", "    with: {subjects: 3, window_minutes: 60, colour: 1}\n"),
     "rules.yaml:9: unknown key"},
    {HEAD RULE("a", "bulk", "    with: {subjects: 3}\n"), "window_minutes"},
    {HEAD RULE("a", "bulk", ""), "with"},
    {HEAD RULE("a", "bulk", "    with: {subjects: 1, window_minutes: 60}\n"), "rules.yaml:9"},
    {HEAD RULE("a", "bulk", "    with: {subjects: 2001, window_minutes: 60}\n"), "rules.yaml:9"},
    {HEAD RULE("a", "bulk", "    with: {subjects: 3, window_minutes: 1441}\n"), "rules.yaml:9"},
    {HEAD RULE("a", "case_less", "    with: {subjects: 3}\n"), "rules.yaml:9: unknown key"},
    {HEAD RULE("a", "dormant", "    with: {days: \"3\"}\n"), "rules.yaml:9"},
    {HEAD RULE("a", "kin", "    with: {relations: [friend]}\n"), "relation"},
    {HEAD RULE("a", "kin", "    with: {relations: []}\n"), "relations"},
    {HEAD RULE("a", "listed", "    with: {list: black}\n"), "protected or honey"},
    {HEAD RULE("a", "deny_then_allow",
               "    with: {denials: 3, window_minutes: 9, codes: [NO_SUCH_CODE]}\n"),
     "is no code"},
    {HEAD RULE("a", "case_less", "") RULE("a", "case_less", ""), "stands twice"},
    {HEAD RULE("sample", "case_less", ""), "an id is"},
    {HEAD RULE("A b", "case_less", ""), "an id is"},
    {HEAD "  - id: a\n    kind: case_less\n    severity: awful\n" WORDS, "rules.yaml:8: write low"},
    {HEAD "  - id: a\n    kind: case_less\n    severity: low\n    colour: red\n" WORDS,
     "unknown key"},
    {HEAD "  - id: a\n    kind: case_less\n    severity: low\n    title: {zh: a, en: b}\n"
          "    why: {zh: a, en: \"{minutes}\"}\n",
     "is no number of kind case_less"},
    {HEAD "  - id: a\n    kind: case_less\n    severity: low\n    title: {zh: a, en: b}\n"
          "    why: {zh: a, en: \"{count\"}\n",
     "is no number"},
    {HEAD "  - id: a\n    kind: case_less\n    severity: low\n    title: {zh: a, en: b}\n"
          "    why: {en: b}\n",
     "zh"},
    {"detection: d\nversion: 1\ncalendar: calendar.yaml\ndue_days: {low: 1}\nrules: []\n",
     "medium"},
    {HEAD "  []\n", "rules is a list"},
};

static void test_mistakes_are_named(void **state)
{
    struct world *world = *state;
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        LB_DEFER(lb_detect_rules_freep) struct lb_detect_rules *rules = NULL;
        world->diag.text[0] = 0;
        assert_code(load(world, CALENDAR, mistakes[i].rules, &rules), LB_CONFIG_INVALID);
        if (strstr(world->diag.text, mistakes[i].complaint) == NULL)
            fail_msg("%s: not in: %s", mistakes[i].complaint, world->diag.text);
    }
}

static void test_volume_stands_once(void **state)
{
    struct world *world = *state;
    LB_DEFER(lb_detect_rules_freep) struct lb_detect_rules *rules = NULL;
#define VOLUME                                                                                     \
    "    with: {percent: 95, factor_percent: 200, peer_factor_percent: 150, min_records: 1,"       \
    " history_days: 30, min_days: 3}\n"
    assert_ok(load(world, CALENDAR, HEAD RULE("a", "volume", VOLUME), &rules));
    lb_detect_rules_free(rules);
    rules = NULL;
    assert_code(load(world, CALENDAR,
                     HEAD RULE("a", "volume", VOLUME) RULE("b", "volume", VOLUME), &rules),
                LB_CONFIG_INVALID);
    assert_non_null(strstr(world->diag.text, "may stand once"));
}

static void test_words_have_their_numbers(void **state)
{
    struct world *world = *state;
    LB_DEFER(lb_detect_rules_freep) struct lb_detect_rules *rules = NULL;
    char out[LB_DETECT_WHY_BYTES];
    assert_ok(load(world, CALENDAR,
                   HEAD RULE("a", "bulk", "    with: {subjects: 40, window_minutes: 60}\n"),
                   &rules));
    lb_detect_why(&rules->rules[0], "{count} of {subjects} in {window_minutes}, {what}", 41, out);
    assert_string_equal(out, "41 of 40 in 60, {what}");
}

/* --- the calendar --- */

static const struct mistake calendar_mistakes[] = {
    {"calendar: c\nversion: 1\n", "utc_offset_minutes"},
    {"calendar: c\nversion: 1\nutc_offset_minutes: 480\nhours: {weekdays: \"8-17\"}\n"
     "grace_minutes: 0\nyears: []\nholidays: []\nworkdays: []\n",
     "opening time"},
    {"calendar: c\nversion: 1\nutc_offset_minutes: 480\nhours: {weekdays: \"17:30-08:30\"}\n"
     "grace_minutes: 0\nyears: []\nholidays: []\nworkdays: []\n",
     "opening time"},
    {"calendar: c\nversion: 1\nutc_offset_minutes: 480\nhours: {weekdays: \"08:30-17:30\"}\n"
     "grace_minutes: 0\nyears: [2026]\nholidays: []\nworkdays: [2026-02-30]\n",
     "this is no date"},
    {"calendar: c\nversion: 1\nutc_offset_minutes: 480\nhours: {weekdays: \"08:30-17:30\"}\n"
     "grace_minutes: 0\nyears: [2026]\n"
     "holidays: [{from: 2026-05-05, to: 2026-05-01, zh: a, en: b}]\nworkdays: []\n",
     "a holiday ends"},
};

static void test_calendar_mistakes(void **state)
{
    struct world *world = *state;
    for (size_t i = 0; i < sizeof(calendar_mistakes) / sizeof(calendar_mistakes[0]); i++) {
        LB_DEFER(lb_detect_rules_freep) struct lb_detect_rules *rules = NULL;
        assert_code(load(world, calendar_mistakes[i].rules, HEAD RULE("a", "case_less", ""),
                         &rules),
                    LB_CONFIG_INVALID);
        if (strstr(world->diag.text, calendar_mistakes[i].complaint) == NULL)
            fail_msg("%s: not in: %s", calendar_mistakes[i].complaint, world->diag.text);
    }
}

/* 2026-09-30T16:00Z is midnight of 1 October at +08:00. */
#define OCTOBER_MS INT64_C(1790784000000)
#define AT(day_, hour_, minute_)                                                                   \
    (OCTOBER_MS + INT64_C(60000) * (((day_)-1) * 1440 + (hour_) * 60 + (minute_)))

static void test_working_time(void **state)
{
    static const struct {
        int64_t at;
        bool working;
    } moments[] = {
        {AT(8, 8, 0), true},    /* a Thursday, within the grace before opening */
        {AT(8, 7, 59), false},
        {AT(8, 17, 59), true},
        {AT(8, 18, 0), false},
        {AT(3, 10, 0), false},  /* National Day week */
        {AT(7, 10, 0), false},
        {AT(10, 10, 0), true},  /* a worked Saturday */
        {AT(11, 10, 0), false}, /* Sunday */
        {AT(17, 10, 0), false}, /* Saturday */
    };
    struct world *world = *state;
    LB_DEFER(lb_detect_rules_freep) struct lb_detect_rules *rules = NULL;
    struct lb_work_moment moment;
    assert_ok(load(world, CALENDAR, HEAD RULE("a", "case_less", ""), &rules));
    for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
        lb_work_calendar_at(rules->calendar, moments[i].at, &moment);
        if (moment.working != moments[i].working)
            fail_msg("moment %zu", i);
        assert_true(moment.listed);
    }
    lb_work_calendar_at(rules->calendar, AT(100, 10, 0), &moment); /* next January */
    assert_false(moment.listed);
    int64_t from = 0, until = 0;
    assert_ok(lb_work_calendar_month(rules->calendar, lb_span_str("2026-10"), &from, &until));
    assert_int_equal(from, OCTOBER_MS);
    assert_int_equal(until, AT(32, 0, 0));
    assert_code(lb_work_calendar_month(rules->calendar, lb_span_str("2026-13"), &from, &until),
                LB_MALFORMED);
}

/* --- the officer's lists --- */

#define P1 "1111111111111111111111111111111111111111111111111111111111111111"
#define P2 "2222222222222222222222222222222222222222222222222222222222222222"
#define ACTOR "0123456789abcdef0123456789abcdef"

static void test_lists(void **state)
{
    struct world *world = *state;
    LB_DEFER(lb_detect_lists_freep) struct lb_detect_lists *lists = NULL;
    char path[128];
    uint8_t one[32], two[32];
    memset(one, 0x11, sizeof(one));
    memset(two, 0x22, sizeof(two));
    put(world, "lists.yaml",
        "protected: [" P2 ", " P1 "]\nhoney: [" P2 "]\nkin:\n"
        "  - {actor: " ACTOR ", subject: " P1 ", relation: relative}\n",
        0600, path);
    assert_ok(lb_detect_lists_load(path, &world->diag, &lists));
    assert_true(lb_detect_lists_has(lists, LB_DETECT_PROTECTED, one));
    assert_true(lb_detect_lists_has(lists, LB_DETECT_HONEY, two));
    assert_false(lb_detect_lists_has(lists, LB_DETECT_HONEY, one));
    assert_false(lb_detect_lists_has(NULL, LB_DETECT_HONEY, two));
    assert_int_equal(lb_detect_lists_relations(lists, ACTOR, one), LB_DETECT_RELATIVE);
    assert_int_equal(lb_detect_lists_relations(lists, ACTOR, two), 0);
    assert_int_equal(lb_detect_lists_relations(lists, "somebody", one), 0);
}

static void test_lists_refused(void **state)
{
    static const char *const wrong[] = {
        "protected: [12]\n",
        "black: []\n",
        "kin: [{actor: " ACTOR ", subject: " P1 ", relation: friend}]\n",
        "kin: [{actor: " ACTOR ", subject: " P1 "}]\n",
        "kin: [{actor: xx, subject: " P1 ", relation: self}]\n",
    };
    struct world *world = *state;
    struct lb_detect_lists *lists = NULL;
    char path[128];
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        put(world, "lists.yaml", wrong[i], 0600, path);
        assert_code(lb_detect_lists_load(path, &world->diag, &lists), LB_CONFIG_INVALID);
    }
    put(world, "lists.yaml", "honey: []\n", 0644, path);
    assert_code(lb_detect_lists_load(path, &world->diag, &lists), LB_FILE_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_shipped_rules, setup, teardown),
        cmocka_unit_test_setup_teardown(test_mistakes_are_named, setup, teardown),
        cmocka_unit_test_setup_teardown(test_volume_stands_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_words_have_their_numbers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_calendar_mistakes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_working_time, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lists, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lists_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
