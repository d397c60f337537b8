#include <stdio.h>
#include <unistd.h>

#include "gateway/evidence/space.h"
#include "gateway/evidence/test_log.h"

/* A disk that fills up under a running log, and empties again. */

#define MIB (UINT64_C(1024) * 1024)

static const struct {
    enum lb_leaf_type type;
    const char *code;
    bool full;   /* may be written at FULL, */
    bool spent;  /* and at SPENT */
} KINDS[] = {
    {LB_LEAF_READ, "ANSWERED", false, false},
    {LB_LEAF_ROUTE, "ROUTED", false, false},
    {LB_LEAF_CONSENT, "GRANTED", false, false},
    {LB_LEAF_CONSENT, "EMERGENCY", false, false},
    {LB_LEAF_CONSENT, "RESUMED", false, false},
    {LB_LEAF_CONSENT, "RECORD_READ", false, false},
    {LB_LEAF_READ, "GRANT_EXPIRED", true, false},
    {LB_LEAF_DELIVER, "ANSWERED", true, false},
    {LB_LEAF_FAILURE, "DEADLINE", true, false},
    {LB_LEAF_DENY, "CALLER_NOT_ALLOWED", true, false},
    {LB_LEAF_REVIEW, "QUERY", true, false},
    {LB_LEAF_CANARY, "", true, false},
    {LB_LEAF_CONSENT, "REVOKED", true, true},
    {LB_LEAF_CONSENT, "SUSPENDED", true, true},
    {LB_LEAF_CONSENT, "REFUSED", true, true},
    {LB_LEAF_ADMIN, "STOPPED", true, true},
    {LB_LEAF_POLICY, "CLOSED", true, true},
    {LB_LEAF_ERASURE, "ERASED", true, true},
    {LB_LEAF_RECOVERY, "RECOVERED", true, true},
    {LB_LEAF_SHARD, "LINK", true, true},
    {LB_LEAF_PARCEL, "SENT", false, false},
    {LB_LEAF_PARCEL, "HELD", false, false},
    {LB_LEAF_PARCEL, "DELIVERED", false, false},
    {LB_LEAF_PARCEL, "SAID", false, false},
    {LB_LEAF_PARCEL, "PULLED", false, false},
    {LB_LEAF_PARCEL, "SHOWN", false, false},
    {LB_LEAF_PARCEL, "ACKED", true, false},
    {LB_LEAF_PARCEL, "HANDED", true, false},
    {LB_LEAF_PARCEL, "ENDED_PARCEL_EXPIRED", true, false},
    {LB_LEAF_PARCEL, "INTAKE_CLOSED", true, false},
};
#define NUM_KINDS (sizeof(KINDS) / sizeof(KINDS[0]))

static void what_may_be_written_at_each_level(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUM_KINDS; i++) {
        struct lb_leaf leaf = {.type = KINDS[i].type};
        (void)snprintf(leaf.code, sizeof(leaf.code), "%s", KINDS[i].code);
        assert_true(lb_space_permits(LB_SPACE_ROOMY, &leaf));
        assert_true(lb_space_permits(LB_SPACE_LOW, &leaf));
        assert_int_equal(lb_space_permits(LB_SPACE_FULL, &leaf), KINDS[i].full);
        assert_int_equal(lb_space_permits(LB_SPACE_SPENT, &leaf), KINDS[i].spent);
    }
}

static void set_free(struct fixture *fixture, uint64_t mib)
{
    atomic_store(&fixture->disk.free_bytes, mib * MIB);
}

static void marks_that_cannot_hold_are_refused(void **state)
{
    struct fixture *fixture = *state;
    static const struct lb_disk_marks wrong[] = {
        {99, 100, 0}, {100, 0, 0}, {100, 100, 26}, {0, 100, 0}, {UINT64_MAX, 8, UINT64_MAX},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct lb_log_options options = test_options(fixture);
        struct lb_log *log = NULL;
        options.marks = wrong[i];
        assert_code(lb_log_open(&options, &fixture->diag, &log), LB_CONFIG_INVALID);
        assert_non_null(strstr(fixture->diag.text, "mark"));
    }
    const struct lb_disk_marks right = {100, 100, 25};
    assert_ok(lb_disk_marks_check(&right));
}

static void a_level_is_left_upwards_with_an_eighth_more(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        uint64_t mib;
        enum lb_space_level level;
    } steps[] = {
        {4096, LB_SPACE_ROOMY}, {1024, LB_SPACE_ROOMY}, {1023, LB_SPACE_LOW},
        {1151, LB_SPACE_LOW},   {1152, LB_SPACE_ROOMY}, {127, LB_SPACE_FULL},
        {143, LB_SPACE_FULL},   {144, LB_SPACE_LOW},    {7, LB_SPACE_SPENT},
        {15, LB_SPACE_SPENT},   {17, LB_SPACE_SPENT},   {18, LB_SPACE_FULL},
        {0, LB_SPACE_SPENT},    {4096, LB_SPACE_ROOMY},
    };
    const struct lb_disk_marks usual = {0, 0, 0};
    struct lb_space space;
    set_free(fixture, 4096);
    assert_ok(lb_space_init(&space, fixture->root, &usual, &fixture->disk.disk));
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        set_free(fixture, steps[i].mib);
        assert_ok(lb_space_look(&space));
        assert_int_equal(space.level, steps[i].level);
    }
}

/* The file is there while there is room, and its blocks are given back when there is none. */
static void the_reserve_comes_and_goes(void **state)
{
    struct fixture *fixture = *state;
    const char *reserve = test_path(fixture, fixture->folder, "reserve");
    struct lb_log *log = test_open(fixture);
    assert_int_equal(test_file_size(reserve), LB_DISK_RESERVE_BYTES);
    set_free(fixture, 100);
    test_state(log, LB_LOG_STATE_SPACE_FULL);
    assert_int_equal(test_file_size(reserve), LB_DISK_RESERVE_BYTES);
    set_free(fixture, 1);
    test_state(log, LB_LOG_STATE_SPACE_SPENT);
    assert_int_equal(test_file_size(reserve), -1);
    set_free(fixture, 150);
    test_state(log, LB_LOG_STATE_SPACE_LOW);
    test_append(log, 1);
    assert_int_equal(test_file_size(reserve), -1);
    set_free(fixture, 200);
    for (int i = 0; i < 500 && test_file_size(reserve) < 0; i++)
        (void)usleep(10000);
    lb_log_close(log);
    assert_int_equal(test_file_size(reserve), LB_DISK_RESERVE_BYTES);
}

static lb_status append_kind(struct lb_log *log, size_t kind)
{
    struct lb_log_entry entry = test_entry();
    entry.leaf.type = KINDS[kind].type;
    (void)snprintf(entry.leaf.code, sizeof(entry.leaf.code), "%s", KINDS[kind].code);
    memset(entry.leaf.answer_hash, 0, sizeof(entry.leaf.answer_hash));
    entry.has_subject = true;
    memset(entry.subject, 9, sizeof(entry.subject));
    return lb_log_append_wait(log, &entry);
}

/* At every level each kind is either an entry or refused with its own code, and nothing stops. */
static void a_filling_disk_refuses_by_kind_and_recovers(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        uint64_t mib;
        enum lb_log_state state;
        bool healthy;
    } levels[] = {
        {4096, LB_LOG_STATE_OK, true},
        {1000, LB_LOG_STATE_SPACE_LOW, true},
        {100, LB_LOG_STATE_SPACE_FULL, false},
        {2, LB_LOG_STATE_SPACE_SPENT, false},
        {4096, LB_LOG_STATE_OK, true},
    };
    struct lb_log *log = test_open(fixture);
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        set_free(fixture, levels[i].mib);
        test_state(log, levels[i].state);
        assert_int_equal(lb_log_healthy(log), levels[i].healthy);
        for (size_t kind = 0; kind < NUM_KINDS; kind++) {
            bool may = levels[i].state == LB_LOG_STATE_SPACE_FULL    ? KINDS[kind].full
                       : levels[i].state == LB_LOG_STATE_SPACE_SPENT ? KINDS[kind].spent
                                                                     : true;
            assert_code(append_kind(log, kind), may ? LB_CODE_OK : LB_LOG_FULL);
        }
    }
    lb_log_close(log);
    struct lb_log_verdict verdict;
    assert_ok(test_verify(fixture, fixture->folder, &verdict));
}

/* The codes of all ADMIN leaves, in order, each followed by a blank. */
static const char *admin_codes(struct fixture *fixture, struct lb_log *log)
{
    const char *all = "";
    uint64_t size = test_size(fixture, log);
    for (uint64_t i = 0; i < size; i++) {
        struct lb_leaf leaf = test_leaf(fixture, log, i);
        if (leaf.type == LB_LEAF_ADMIN)
            all = lb_arena_printf(fixture->arena, "%s%s ", all, leaf.code);
    }
    return all;
}

static void every_change_of_level_is_an_entry(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log *log = test_open(fixture);
    static const uint64_t free_mib[] = {1000, 100, 2, 100, 4096};
    for (uint64_t i = 0; i < 5; i++) {
        set_free(fixture, free_mib[i]);
        test_wait_size(fixture, log, i + 1);
    }
    assert_string_equal(admin_codes(fixture, log),
                        "SPACE_LOW SPACE_FULL SPACE_SPENT SPACE_FULL SPACE_BACK ");
    lb_log_close(log);
}

/* A flood that proved nothing must not use up what releases need. */
static void unsigned_denials_wait_while_there_is_little_room(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log *log = test_open(fixture);
    set_free(fixture, 1000);
    test_wait_size(fixture, log, 1);
    for (int second = 0; second < 2; second++) {
        for (int i = 0; i < 100; i++)
            lb_log_count_denial(log, "spiffe://example/window/hall", LB_SIGNATURE_INVALID);
        fixture->clock.now_monotonic_ms += 1000;
        (void)usleep(300000);
        assert_int_equal(test_size(fixture, log), 1);
    }
    set_free(fixture, 4096);
    test_wait_size(fixture, log, 3);
    struct lb_leaf leaf = test_leaf(fixture, log, 2);
    assert_int_equal(leaf.type, LB_LEAF_DENY);
    assert_int_equal(leaf.count, 200);
    set_free(fixture, 1000);
    test_wait_size(fixture, log, 4);
    lb_log_count_denial(log, "spiffe://example/window/hall", LB_MALFORMED);
    lb_log_close(log);
    struct lb_log_verdict verdict;
    assert_ok(test_verify(fixture, fixture->folder, &verdict));
    assert_int_equal(verdict.size, 5);
}

/* What was refused for want of room is told by one leaf a minute, whatever the flood. */
static void refusals_for_want_of_room_are_counted(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log *log = test_open(fixture);
    set_free(fixture, 100);
    test_wait_size(fixture, log, 1);
    for (int i = 0; i < 250; i++)
        assert_code(append_kind(log, 0), LB_LOG_FULL);
    struct lb_log_health health;
    lb_log_health(log, &health);
    assert_int_equal(health.num_refused, 250);
    assert_int_equal(health.free_bytes, 100 * MIB);
    assert_int_equal(test_size(fixture, log), 1);
    fixture->clock.now_monotonic_ms += 60000;
    test_wait_size(fixture, log, 2);
    struct lb_leaf leaf = test_leaf(fixture, log, 1);
    assert_int_equal(leaf.type, LB_LEAF_DENY);
    assert_string_equal(leaf.code, "LOG_FULL");
    assert_int_equal(leaf.count, 250);
    set_free(fixture, 2);
    test_state(log, LB_LOG_STATE_SPACE_SPENT);
    assert_code(append_kind(log, 0), LB_LOG_FULL);
    lb_log_close(log);
    log = test_open(fixture);
    leaf = test_leaf(fixture, log, test_size(fixture, log) - 1);
    assert_string_equal(leaf.code, "LOG_FULL");
    assert_int_equal(leaf.count, 1);
    lb_log_close(log);
}

/* A node on a full disk can still be started, looked into and stopped. */
static void a_log_opens_on_a_full_disk(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log *log = test_open(fixture);
    test_append(log, 3);
    lb_log_close(log);
    set_free(fixture, 0);
    log = test_open(fixture);
    assert_true(test_in_state(log, LB_LOG_STATE_SPACE_SPENT));
    assert_code(append_kind(log, 0), LB_LOG_FULL);
    assert_ok(append_kind(log, 15));
    lb_log_close(log);
    struct lb_log_verdict verdict;
    assert_ok(test_verify(fixture, fixture->folder, &verdict));
}

#define LOG_TEST(test_) cmocka_unit_test_setup_teardown(test_, test_set_up, test_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_may_be_written_at_each_level),
        LOG_TEST(marks_that_cannot_hold_are_refused),
        LOG_TEST(a_level_is_left_upwards_with_an_eighth_more),
        LOG_TEST(the_reserve_comes_and_goes),
        LOG_TEST(a_filling_disk_refuses_by_kind_and_recovers),
        LOG_TEST(every_change_of_level_is_an_entry),
        LOG_TEST(unsigned_denials_wait_while_there_is_little_room),
        LOG_TEST(refusals_for_want_of_room_are_counted),
        LOG_TEST(a_log_opens_on_a_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
