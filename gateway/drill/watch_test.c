#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/crypto/sign.h"
#include "gateway/drill/watch.h"
#include "gateway/evidence/inspect.h"

/* A drill's course at a node, by its entries: nothing without one, nothing past its time. */

#define START INT64_C(1790000000)

struct node {
    char folder[256], path[300];
    struct lb_clock_fixed clock;
    struct lb_sign_key *key;
    struct lb_log *log;
    struct lb_drill_watch *watch;
};

static void open_node(struct node *node, bool create)
{
    struct lb_diag diag = {""};
    const struct lb_log_options log = {.folder = node->folder, .origin = "test.gov/adapter/tax",
                                       .key = node->key, .clock = &node->clock.clock,
                                       .create = create, .marks = {4096, 4096, 0}};
    assert_null(lb_log_open(&log, &diag, &node->log));
    const struct lb_drill_watch_options options = {.path = node->path, .log = node->log,
                                                   .clock = &node->clock.clock};
    assert_null(lb_drill_watch_new(&options, &node->watch));
}

static void close_node(struct node *node)
{
    lb_drill_watch_free(node->watch);
    lb_log_close(node->log);
}

static int setup(void **state)
{
    static unsigned number;
    struct node *node = calloc(1, sizeof(*node));
    const char *top = getenv("TEST_TMPDIR");
    assert_non_null(node);
    (void)snprintf(node->folder, sizeof(node->folder), "%s/drill-%d-%u",
                   top == NULL ? "/tmp" : top, (int)getpid(), number++);
    (void)snprintf(node->path, sizeof(node->path), "%s/drill.yaml", node->folder);
    assert_null(lb_file_mkdirs(node->folder));
    assert_null(lb_sign_key_generate(LB_SIGN_ED25519, &node->key));
    lb_clock_fixed_init(&node->clock, START * 1000);
    open_node(node, true);
    *state = node;
    return 0;
}

static int teardown(void **state)
{
    struct node *node = *state;
    close_node(node);
    lb_sign_key_free(node->key);
    free(node);
    return 0;
}

static void write_drill(const struct node *node, const char *steps)
{
    char text[512];
    (void)snprintf(text, sizeof(text), "drill: a\nby: li\nstart: %lld\nsteps: [%s]\n",
                   (long long)START + 10, steps);
    assert_null(lb_file_write(node->path, lb_span_str(text), 0600));
}

static void tick_at(struct node *node, int64_t second)
{
    node->clock.now_unix_ms = (START + second) * 1000;
    lb_drill_watch_tick(node->watch);
}

/* The log's ADMIN entries, each with its count, behind each other. */
static const char *entries(const struct node *node)
{
    static char text[1024];
    struct lb_diag diag = {""};
    struct lb_log_reader *reader = NULL;
    struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    uint64_t size = 0;
    size_t used = 0;
    assert_non_null(arena);
    assert_null(lb_log_reader_open(node->folder, &diag, &reader));
    assert_null(lb_log_reader_size(reader, &size));
    text[0] = 0;
    for (uint64_t i = 0; i < size; i++) {
        struct lb_leaf leaf;
        struct lb_hash hash;
        assert_null(lb_log_reader_leaf(reader, i, arena, &leaf, &hash));
        if (leaf.type == LB_LEAF_ADMIN)
            used += (size_t)snprintf(text + used, sizeof(text) - used, "%s:%u ", leaf.code,
                                     leaf.count);
    }
    lb_log_reader_close(reader);
    lb_arena_free(arena);
    return text;
}

#define AWAY "{fault: source-away, after_s: 5, for_s: 10}"

static void test_its_course(void **state)
{
    struct node *node = *state;
    char name[LB_MAX_NAME_BYTES + 1];
    write_drill(node, AWAY);
    tick_at(node, 9);
    assert_false(lb_drill_fault(node->watch, LB_DRILL_SOURCE_AWAY));
    tick_at(node, 10);
    lb_drill_tell(node->watch, name);
    assert_string_equal(name, "a");
    assert_false(lb_drill_fault(node->watch, LB_DRILL_SOURCE_AWAY)); /* not yet */
    tick_at(node, 15);
    assert_true(lb_drill_fault(node->watch, LB_DRILL_SOURCE_AWAY));
    assert_true(lb_drill_fault(node->watch, LB_DRILL_SOURCE_AWAY));
    assert_false(lb_drill_fault(node->watch, LB_DRILL_DISK_FULL));
    lb_drill_tell(node->watch, name);
    tick_at(node, 16);
    lb_drill_tell(node->watch, name); /* noticed once */
    assert_true(lb_drill_fault(node->watch, LB_DRILL_SOURCE_AWAY));
    node->clock.now_unix_ms = (START + 25) * 1000;
    assert_false(lb_drill_fault(node->watch, LB_DRILL_SOURCE_AWAY)); /* before anybody ticks */
    tick_at(node, 25);
    tick_at(node, 26);
    lb_drill_tell(node->watch, name);
    assert_string_equal(name, "");
    assert_int_not_equal(access(node->path, F_OK), 0);
    assert_string_equal(entries(node), "DRILL_STARTED:1 DRILL_NOTICED:1 DRILL_SOURCE_AWAY:2 "
                                       "DRILL_SOURCE_AWAY:1 DRILL_ENDED:1 ");
}

static void test_over_a_restart(void **state)
{
    struct node *node = *state;
    write_drill(node, AWAY);
    tick_at(node, 16);
    close_node(node);
    open_node(node, false);
    assert_false(lb_drill_fault(node->watch, LB_DRILL_SOURCE_AWAY)); /* no entry yet */
    tick_at(node, 17);
    assert_true(lb_drill_fault(node->watch, LB_DRILL_SOURCE_AWAY));
    close_node(node);
    node->clock.now_unix_ms = (START + 3600) * 1000;
    open_node(node, false);
    tick_at(node, 3600);
    assert_string_equal(entries(node), "DRILL_STARTED:1 DRILL_STARTED:1 DRILL_ENDED:1 ");
    assert_int_not_equal(access(node->path, F_OK), 0);
}

static void test_stopped_and_another(void **state)
{
    struct node *node = *state;
    write_drill(node, AWAY);
    tick_at(node, 16);
    assert_int_equal(unlink(node->path), 0);
    assert_true(lb_drill_fault(node->watch, LB_DRILL_SOURCE_AWAY));
    tick_at(node, 17);
    assert_false(lb_drill_fault(node->watch, LB_DRILL_SOURCE_AWAY));
    write_drill(node, "{fault: disk-full, after_s: 0, for_s: 60}");
    tick_at(node, 18);
    assert_true(lb_drill_fault(node->watch, LB_DRILL_DISK_FULL));
    write_drill(node, "{fault: witness-away, after_s: 0, for_s: 60}");
    tick_at(node, 19); /* the one before ends first */
    assert_false(lb_drill_fault(node->watch, LB_DRILL_DISK_FULL));
    tick_at(node, 20);
    assert_true(lb_drill_fault(node->watch, LB_DRILL_WITNESS_AWAY));
    assert_string_equal(entries(node),
                        "DRILL_STARTED:1 DRILL_SOURCE_AWAY:1 DRILL_STOPPED:1 DRILL_STARTED:1 "
                        "DRILL_DISK_FULL:1 DRILL_STOPPED:1 DRILL_STARTED:1 ");
}

static void test_what_is_no_drill(void **state)
{
    struct node *node = *state;
    assert_null(lb_file_write(node->path, lb_span_str("drill: [\n"), 0600));
    tick_at(node, 16);
    write_drill(node, "{fault: broker-away, after_s: 0, for_s: 60}"); /* a broker's */
    tick_at(node, 17);
    assert_false(lb_drill_fault(node->watch, LB_DRILL_BROKER_AWAY));
    assert_string_equal(entries(node), "");
    assert_false(lb_drill_fault(NULL, LB_DRILL_SOURCE_AWAY));
    lb_drill_watch_tick(NULL);
}

#define ON_NODE(test_) cmocka_unit_test_setup_teardown(test_, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_NODE(test_its_course),
        ON_NODE(test_over_a_restart),
        ON_NODE(test_stopped_and_another),
        ON_NODE(test_what_is_no_drill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
