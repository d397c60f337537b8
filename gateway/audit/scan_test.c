#include "gateway/audit/fixture.h"

#define ENTRIES 170

/* One index for all tests here. */
static int set_up(void **state)
{
    (void)fx_set_up(state);
    struct fx_audit *fx = *state;
    fx_fill(fx, ENTRIES);
    assert_ok(fx_build(fx, false, NULL));
    return 0;
}

static bool same(const char *want, const char *got)
{
    return want == NULL || strcmp(want, got) == 0;
}

static bool is_about(const struct lb_audit_filter *filter, const struct fx_entry *entry)
{
    uint8_t subject[32];
    bool found = filter->num_subjects == 0;
    fx_subject(entry->subject, subject);
    for (size_t i = 0; i < filter->num_subjects && entry->has_subject; i++)
        found = found || memcmp(filter->subjects + 32 * i, subject, 32) == 0;
    return found;
}

/* What a filter means, judged without the index. */
static bool matches(const struct lb_audit_filter *filter, const struct fx_entry *entry, uint64_t i)
{
    int64_t at = FX_FIRST_MS + (int64_t)i * FX_STEP_MS;
    return (filter->type == 0 || filter->type == entry->type) &&
           (filter->decision == 0 || filter->decision == entry->decision) &&
           (same(filter->code, entry->code) || same(filter->code, entry->inner)) &&
           same(filter->actor, entry->actor) && same(filter->purpose, entry->purpose) &&
           same(filter->basis, entry->basis) && same(filter->case_no, entry->case_no) &&
           same(filter->view, entry->view) &&
           (filter->field == NULL || strcmp(filter->field, entry->field) == 0 ||
            strstr(filter->field, ".total") == NULL || strcmp(entry->field, "total") == 0) &&
           entry->class_max >= filter->class_min &&
           (filter->since_ms == 0 || at >= filter->since_ms) &&
           (filter->until_ms == 0 || at < filter->until_ms) &&
           is_about(filter, entry);
}

static void check(struct fx_audit *fx, const struct lb_audit_filter *filter, unsigned least)
{
    struct lb_audit_index *index = fx_index(fx);
    struct lb_audit_scan *scan = NULL;
    const struct lb_audit_row *row = NULL;
    unsigned num = 0;
    assert_ok(lb_audit_scan_open(index, filter, &scan));
    assert_ok(lb_audit_scan_next(scan, &row));
    for (uint64_t n = 0; n < ENTRIES; n++) {
        uint64_t i = filter->newest_first ? ENTRIES - 1 - n : n;
        const struct fx_entry entry = fx_entry(fx, i);
        if (!matches(filter, &entry, i))
            continue;
        assert_non_null(row);
        assert_int_equal(row->index, i);
        assert_int_equal(row->decision, entry.decision);
        assert_string_equal(row->actor, entry.actor);
        num++;
        assert_ok(lb_audit_scan_next(scan, &row));
    }
    assert_null(row);
    assert_true(num >= least);
    lb_audit_scan_close(scan);
    lb_audit_index_close(index);
}

static void test_filters_agree_with_the_entries(void **state)
{
    struct fx_audit *fx = *state;
    uint8_t subject[1][32], two[2][32];
    fx_subject(7, subject[0]);
    fx_subject(7, two[0]);
    fx_subject(2, two[1]);
    const struct lb_audit_filter filters[] = {
        {.from_index = 0},
        {.newest_first = true},
        {.type = LB_LEAF_DENY},
        {.type = LB_LEAF_READ, .decision = LB_AUDIT_ALLOW},
        {.decision = LB_AUDIT_DENY},
        {.decision = LB_AUDIT_EMERGENCY, .newest_first = true},
        {.code = "GRANT_EXPIRED"},
        {.code = "GUARDIAN_NEEDED"},
        {.code = "PEER_UNLISTED", .newest_first = true},
        {.actor = "actor-3"},
        {.actor = "actor-3", .purpose = "housing-support", .newest_first = true},
        {.basis = "emergency"},
        {.case_no = "case-21"},
        {.view = "tax.capital"},
        {.class_min = 4},
        {.subjects = subject[0], .num_subjects = 1},
        {.subjects = subject[0], .num_subjects = 1, .decision = LB_AUDIT_DENY},
        {.subjects = two[0], .num_subjects = 2},
        {.subjects = two[0], .num_subjects = 2, .newest_first = true, .actor = "actor-1"},
        {.since_ms = FX_FIRST_MS + 100 * FX_STEP_MS, .until_ms = FX_FIRST_MS + 103 * FX_STEP_MS},
        {.actor = "actor-1", .since_ms = FX_FIRST_MS + 120 * FX_STEP_MS + 1},
        {.subjects = subject[0], .num_subjects = 1, .since_ms = FX_FIRST_MS + 60 * FX_STEP_MS,
         .newest_first = true},
    };
    for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++)
        check(fx, &filters[i], 1);
}

static size_t count(struct fx_audit *fx, const struct lb_audit_filter *filter)
{
    struct lb_audit_index *index = fx_index(fx);
    struct lb_audit_scan *scan = NULL;
    const struct lb_audit_row *row = NULL;
    size_t num = 0;
    assert_ok(lb_audit_scan_open(index, filter, &scan));
    do {
        assert_ok(lb_audit_scan_next(scan, &row));
        num += row != NULL ? 1 : 0;
    } while (row != NULL);
    lb_audit_scan_close(scan);
    lb_audit_index_close(index);
    return num;
}

static void test_fields_and_requesters(void **state)
{
    struct fx_audit *fx = *state;
    size_t reads = count(fx, &(struct lb_audit_filter){.type = LB_LEAF_READ});
    size_t capital = count(fx, &(struct lb_audit_filter){.view = "tax.capital"});
    assert_int_equal(reads, ENTRIES - ENTRIES / 10);
    assert_int_equal(count(fx, &(struct lb_audit_filter){.field = "total"}), capital);
    assert_int_equal(count(fx, &(struct lb_audit_filter){.field = "tax.capital.total"}), capital);
    assert_int_equal(count(fx, &(struct lb_audit_filter){.field = "tax.income.total"}), 0);
    assert_int_equal(count(fx, &(struct lb_audit_filter){.requester = "civil-affairs"}), reads);
    assert_int_equal(count(fx, &(struct lb_audit_filter){.requester =
                                     "spiffe://example/window/civil-affairs"}), reads);
    assert_int_equal(count(fx, &(struct lb_audit_filter){.requester = "nobody"}), 0);
    assert_int_equal(count(fx, &(struct lb_audit_filter){.view = "tax"}), 0);
    assert_int_equal(count(fx, &(struct lb_audit_filter){.unit = "hall-1"}), reads);
}

/* Nothing that is typed becomes part of a query. */
static void test_hostile_words(void **state)
{
    static const char *const words[] = {"' OR 1=1 --", "%", "a,b", "", "\"", "tax.income' --"};
    struct fx_audit *fx = *state;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        assert_int_equal(count(fx, &(struct lb_audit_filter){.actor = words[i]}), 0);
        assert_int_equal(count(fx, &(struct lb_audit_filter){.case_no = words[i]}), 0);
        assert_int_equal(count(fx, &(struct lb_audit_filter){.field = words[i]}), 0);
        assert_int_equal(count(fx, &(struct lb_audit_filter){.code = words[i]}), 0);
        assert_int_equal(count(fx, &(struct lb_audit_filter){.view = words[i]}), 0);
    }
}

static void test_pages_go_on_where_one_ended(void **state)
{
    struct fx_audit *fx = *state;
    size_t all = count(fx, &(struct lb_audit_filter){.actor = "actor-2"});
    size_t first = count(fx, &(struct lb_audit_filter){.actor = "actor-2", .from_index = 100});
    size_t rest = count(fx, &(struct lb_audit_filter){.actor = "actor-2", .from_index = 99,
                                                      .newest_first = true});
    assert_int_equal(first + rest, all);
    assert_true(first > 0 && rest > 0);
}

static void test_a_row_says_all(void **state)
{
    struct fx_audit *fx = *state;
    struct lb_audit_index *index = fx_index(fx);
    struct lb_audit_scan *scan = NULL;
    const struct lb_audit_row *row = NULL;
    const struct lb_audit_field *fields = NULL;
    size_t num = 0;
    assert_ok(lb_audit_scan_open(index, &(struct lb_audit_filter){.from_index = 4}, &scan));
    assert_ok(lb_audit_scan_next(scan, &row));
    assert_string_equal(row->requester, "spiffe://example/window/civil-affairs");
    assert_string_equal(row->organization, "civil-affairs");
    assert_string_equal(row->on_behalf_of, "guardian:mother");
    assert_string_equal(row->grant, "g-case-1");
    assert_int_equal(row->class_max, 4);
    assert_int_equal(row->every_days, 30);
    assert_true(row->verified);
    assert_ok(lb_audit_scan_fields(scan, &fields, &num));
    assert_int_equal(num, 1);
    assert_string_equal(fields[0].view, "tax.capital");
    assert_string_equal(fields[0].state, "ok");
    lb_audit_scan_close(scan);
    lb_audit_index_close(index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filters_agree_with_the_entries),
        cmocka_unit_test(test_fields_and_requesters),
        cmocka_unit_test(test_hostile_words),
        cmocka_unit_test(test_pages_go_on_where_one_ended),
        cmocka_unit_test(test_a_row_says_all),
    };
    return cmocka_run_group_tests(tests, set_up, fx_tear_down);
}
