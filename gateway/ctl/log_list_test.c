#include "gateway/ctl/test_log.h"

#include "gateway/ctl/command.h"
#include "gateway/ctl/log_filter.h"

struct listing {
    struct test_cli *cli;
    struct test_log log;
};

static int set_up(void **state)
{
    struct listing *listing = test_calloc(1, sizeof(*listing));
    void *cli = NULL;
    (void)test_set_up(&cli);
    listing->cli = cli;
    test_log_make(listing->cli, "log", "example/adapter/tax", &listing->log);
    *state = listing;
    return 0;
}

static int tear_down(void **state)
{
    struct listing *listing = *state;
    void *cli = listing->cli;
    test_log_free(&listing->log);
    (void)test_tear_down(&cli);
    test_free(listing);
    return 0;
}

#define LIST(listing_, ...)                                                                        \
    RUN((listing_)->cli, lb_ctl_log_command, "log", "list", (listing_)->log.folder, __VA_ARGS__)

/* The indexes that came out, as digits. */
static const char *indexes(const struct listing *listing, char out[TEST_LOG_ENTRIES + 1])
{
    struct lb_json *json = test_json(listing->cli);
    const struct lb_json *entries = NULL;
    size_t num;
    assert_ok(lb_json_get_array(json, "entries", &entries));
    num = lb_json_len(entries);
    assert_true(num <= TEST_LOG_ENTRIES);
    for (size_t i = 0; i < num; i++) {
        int64_t index = -1;
        assert_ok(lb_json_get_int(lb_json_at(entries, i), "index", &index));
        out[i] = (char)('0' + index);
    }
    out[num] = 0;
    lb_json_free(json);
    return out;
}

static void lists_all(void **state)
{
    struct listing *listing = *state;
    assert_int_equal(LIST(listing, "--language", "en"), LB_CTL_OK);
    const char *out = listing->cli->out;
    assert_non_null(strstr(out, "index  time (UTC)"));
    assert_non_null(strstr(out, "2026-07-01T10:01:00.000Z  READ"));
    assert_non_null(strstr(out, "42430000  yes"));
    assert_non_null(strstr(out, "tax.capital,tax.income"));
    assert_non_null(strstr(out, "6 entries listed, 6 in the log"));
    assert_null(strstr(out, "actor"));
    assert_int_equal(LIST(listing, "--language", "zh"), LB_CTL_OK);
    assert_non_null(strstr(listing->cli->out, "读取"));
    assert_non_null(strstr(listing->cli->out, "共列出 6 条"));
}

static void filters(void **state)
{
    struct listing *listing = *state;
    static const struct {
        const char *option, *value, *want;
    } cases[] = {
        {"--code", "ANSWERED", "035"},
        {"--code", "answered", ""},
        {"--type", "read", "0135"},
        {"--type", "DENY", "2"},
        {"--txn", "4242", "0"},
        {"--txn", "424300000000000000000000000000", "1"},
        {"--txn", "5000", "3"},
        {"--txn", "50010000000000000000000000000000", "5"},
        {"--txn", "ABCD", ""},
        {"--since", "2026-07-01T10:03:00", "345"},
        {"--since", "2026-07-01T18:03:01+08:00", "45"},
        {"--since", "2026-07-02", ""},
        {"--from", "4", "45"},
        {"--from", "6", ""},
        {"--from", "1000000", ""},
        {"--limit", "2", "01"},
    };
    char got[TEST_LOG_ENTRIES + 1];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(LIST(listing, cases[i].option, cases[i].value, "--json"), LB_CTL_OK);
        assert_string_equal(indexes(listing, got), cases[i].want);
    }
    assert_int_equal(LIST(listing, "--type", "read", "--code", "ANSWERED", "--from", "1",
                          "--limit", "1", "--json"),
                     LB_CTL_OK);
    assert_string_equal(indexes(listing, got), "3");
}

static void says_where_to_go_on(void **state)
{
    struct listing *listing = *state;
    int64_t next = 0, size = 0;
    assert_int_equal(LIST(listing, "--type", "read", "--limit", "2", "--json"), LB_CTL_OK);
    struct lb_json *json = test_json(listing->cli);
    assert_ok(lb_json_get_int(json, "next", &next));
    assert_ok(lb_json_get_int(json, "size", &size));
    assert_int_equal(next, 2);
    assert_int_equal(size, 6);
    lb_json_free(json);
    assert_int_equal(LIST(listing, "--limit", "2"), LB_CTL_OK);
    assert_non_null(strstr(listing->cli->out, "--from 2"));
}

static void refuses_bad_filters(void **state)
{
    struct listing *listing = *state;
    static const char *const bad[][2] = {
        {"--type", "reads"}, {"--txn", "123"},    {"--txn", "xyzw"},
        {"--txn", "000000000000000000000000000000000"},
        {"--since", "monday"}, {"--limit", "0"},  {"--limit", "10001"},
        {"--from", "-1"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(LIST(listing, bad[i][0], bad[i][1]), LB_CTL_USAGE);
    assert_int_equal(RUN(listing->cli, lb_ctl_log_command, "log", "list", "/nonexistent"),
                     LB_CTL_FAILED);
    assert_non_null(strstr(listing->cli->err, "/nonexistent"));
}

static void opens_details_with_the_officers_key(void **state)
{
    struct listing *listing = *state;
    assert_int_equal(LIST(listing, "--officer-key", listing->log.key_path), LB_CTL_OK);
    assert_non_null(strstr(listing->cli->out, "{\"actor\":\"first\"}"));
    assert_int_equal(LIST(listing, "--officer-key", listing->log.key_path, "--json"), LB_CTL_OK);
    struct lb_json *json = test_json(listing->cli);
    const struct lb_json *entries = NULL, *detail = NULL;
    struct lb_span actor = LB_SPAN_EMPTY, detail_state = LB_SPAN_EMPTY;
    assert_ok(lb_json_get_array(json, "entries", &entries));
    assert_ok(lb_json_get_object(lb_json_at(entries, 3), "detail", &detail));
    assert_ok(lb_json_get_str(detail, "actor", &actor));
    assert_true(lb_span_is(actor, "second"));
    assert_ok(lb_json_get_str(lb_json_at(entries, 2), "detail_state", &detail_state));
    assert_true(lb_span_is(detail_state, "none"));
    lb_json_free(json);
}

static void another_key_opens_nothing(void **state)
{
    struct listing *listing = *state;
    struct test_log other;
    test_log_make(listing->cli, "other", "example/adapter/abc", &other); /* a new officer.key */
    assert_int_equal(LIST(listing, "--officer-key", other.key_path), LB_CTL_FAILED);
    assert_null(strstr(listing->cli->out, "actor"));
    assert_non_null(strstr(listing->cli->out, "does not open"));
    assert_non_null(strstr(listing->cli->err, "2 details do not open"));
    assert_int_equal(LIST(listing, "--officer-key", "/nonexistent"), LB_CTL_FAILED);
    test_log_free(&other);
}

static void matches_leaves(void **state)
{
    (void)state;
    struct lb_ctl_log_filter filter = {.code = NULL};
    struct lb_leaf leaf = {.type = LB_LEAF_READ, .code = "REPLAY", .time_ms = 5};
    assert_true(lb_ctl_log_filter_match(&filter, &leaf));
    filter.since_ms = 5;
    assert_true(lb_ctl_log_filter_match(&filter, &leaf));
    filter.since_ms = 6;
    assert_false(lb_ctl_log_filter_match(&filter, &leaf));
    for (int type = LB_LEAF_READ; type < LB_LEAF_TYPE_END; type++) {
        enum lb_leaf_type found = 0;
        assert_true(
            lb_ctl_log_filter_type(lb_leaf_type_name((enum lb_leaf_type)type), &found));
        assert_int_equal(found, type);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lists_all, set_up, tear_down),
        cmocka_unit_test_setup_teardown(filters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(says_where_to_go_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_bad_filters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(opens_details_with_the_officers_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_key_opens_nothing, set_up, tear_down),
        cmocka_unit_test(matches_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
