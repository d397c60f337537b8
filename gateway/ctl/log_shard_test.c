#include "gateway/ctl/test_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/ctl/command.h"
#include "gateway/json/json.h"

/* A half-year's way into a file of its own, by the commands alone. */

#define ORIGIN "example/adapter/tax"
#define LOG(cli_, ...) RUN(cli_, lb_ctl_log_command, "log", __VA_ARGS__)
#define ENTRIES 300             /* a tile of them goes */
#define NEXT_HALF 1798761600000 /* 2027-01-01 */

struct bench {
    struct test_log log;
    struct lb_clock_fixed clock;
};

static struct lb_log *open_log(struct bench *bench)
{
    const struct lb_log_options options = {
        .folder = bench->log.folder, .origin = ORIGIN, .key = bench->log.key,
        .clock = &bench->clock.clock, .officer_key = bench->log.officer.public_key,
    };
    struct lb_log *log = NULL;
    struct lb_diag diag;
    assert_ok(lb_log_open(&options, &diag, &log));
    return log;
}

static void append(struct lb_log *log, size_t num)
{
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    assert_non_null(entry);
    for (size_t i = 0; i < num; i++) {
        *entry = (struct lb_log_entry){.leaf = {.type = LB_LEAF_ADMIN, .code = "STARTED"}};
        entry->detail = lb_span_str("{\"actor\":\"third\"}");
        assert_ok(lb_log_append_wait(log, entry));
    }
    free(entry);
}

static void begin(struct test_cli *cli, struct bench *bench)
{
    test_log_make(cli, "tax", ORIGIN, &bench->log);
    lb_clock_fixed_init(&bench->clock, 1790000000000);
    struct lb_log *log = open_log(bench);
    append(log, ENTRIES);
    lb_log_close(log);
}

static int64_t number(struct test_cli *cli, const char *name)
{
    struct lb_json *json = test_json(cli);
    int64_t value = -1;
    assert_ok(lb_json_get_int(json, name, &value));
    lb_json_free(json);
    return value;
}

static int shard(struct test_cli *cli, struct bench *bench)
{
    return LOG(cli, "shard", bench->log.folder, "--vkey", bench->log.vkey, "--json");
}

/* What a running node does within seconds. */
static void link_it(struct test_cli *cli, struct bench *bench)
{
    bench->clock.now_unix_ms = NEXT_HALF;
    struct lb_log *log = open_log(bench);
    bool linked = false;
    for (int i = 0; i < 4000 && !linked; i++) {
        bench->clock.now_monotonic_ms += 100;
        (void)usleep(20000);
        assert_int_equal(shard(cli, bench), LB_CTL_OK);
        linked = strstr(cli->out, "\"linked\"") != NULL && number(cli, "left") == 0;
    }
    assert_true(linked);
    lb_log_close(log);
}

static void commands_go_on(struct test_cli *cli, struct bench *bench)
{
    const char *folder = bench->log.folder, *vkey = bench->log.vkey;
    char out[400], proof[400];
    (void)snprintf(out, sizeof(out), "%s/exported", cli->folder);
    (void)snprintf(proof, sizeof(proof), "%s/proof", cli->folder);
    assert_int_equal(LOG(cli, "verify", folder, "--vkey", vkey), LB_CTL_OK);
    assert_int_equal(LOG(cli, "list", folder, "--officer-key", bench->log.key_path, "--type",
                         "shard"), LB_CTL_OK);
    assert_non_null(strstr(cli->out, "LINKED"));
    assert_int_equal(LOG(cli, "list", folder, "--officer-key", bench->log.key_path, "--limit",
                         "2"), LB_CTL_OK);
    assert_non_null(strstr(cli->out, "first"));
    assert_int_equal(LOG(cli, "export", folder, "--out", out, "--vkey", vkey), LB_CTL_OK);
    assert_int_equal(LOG(cli, "verify", "--tiles", out, "--vkey", vkey), LB_CTL_OK);
    assert_int_equal(LOG(cli, "prove", folder, "3", "--vkey", vkey, "--out", proof), LB_CTL_OK);
    assert_int_equal(LOG(cli, "check-proof", proof, "--vkey", vkey), LB_CTL_OK);
}

/* Away: named by what needs it, and by nothing else. */
static void it_goes_away(struct test_cli *cli, struct bench *bench)
{
    const char *folder = bench->log.folder, *vkey = bench->log.vkey;
    char path[400], kept[400];
    (void)snprintf(path, sizeof(path), "%s/shards/2026h2.db", folder);
    (void)snprintf(kept, sizeof(kept), "%s/2026h2.db", cli->folder);
    assert_int_equal(LOG(cli, "shard", folder, "--away", "2026h1"), LB_CTL_FAILED);
    assert_int_equal(LOG(cli, "shard", folder, "--away", "2026h2"), LB_CTL_OK);
    assert_int_equal(rename(path, kept), 0);
    assert_int_equal(LOG(cli, "verify", folder, "--vkey", vkey), LB_CTL_FAILED);
    assert_non_null(strstr(cli->out, "shard 2026h2 (entries 0 to 255) is missing"));
    assert_int_equal(LOG(cli, "list", folder), LB_CTL_FAILED);
    assert_non_null(strstr(cli->err, "shard 2026h2"));
    assert_int_equal(LOG(cli, "prove", folder, "3", "--vkey", vkey), LB_CTL_FAILED);
    assert_non_null(strstr(cli->err, "shard 2026h2"));
    assert_int_equal(shard(cli, bench), LB_CTL_OK);
    assert_non_null(strstr(cli->out, "\"away\""));
    struct lb_log *log = open_log(bench);
    append(log, 1);
    lb_log_close(log);
    assert_int_equal(LOG(cli, "list", folder, "--from", "256"), LB_CTL_OK);
}

static void shards_and_every_command_goes_on(void **state)
{
    struct test_cli *cli = *state;
    struct bench bench;
    begin(cli, &bench);
    cli->clock.now_unix_ms = NEXT_HALF - 1;
    assert_int_equal(shard(cli, &bench), LB_CTL_OK);
    assert_int_equal(number(cli, "copied"), 0);
    cli->clock.now_unix_ms = NEXT_HALF;
    assert_int_equal(LOG(cli, "shard", bench.log.folder, "--vkey", bench.log.vkey, "--until",
                         "2026-12-31"), LB_CTL_OK);
    assert_int_equal(shard(cli, &bench), LB_CTL_OK);
    assert_int_equal(number(cli, "copied"), 1);
    assert_non_null(strstr(cli->out, "\"2026h2\""));
    assert_non_null(strstr(cli->out, "\"copied\""));
    link_it(cli, &bench);
    assert_true(number(cli, "free_bytes") > 0);
    commands_go_on(cli, &bench);
    it_goes_away(cli, &bench);
    test_log_free(&bench.log);
}

static void wants_a_log_and_its_key(void **state)
{
    struct test_cli *cli = *state;
    struct bench bench;
    char empty[400];
    test_log_make(cli, "tax", ORIGIN, &bench.log);
    assert_int_equal(LOG(cli, "shard", bench.log.folder), LB_CTL_USAGE);
    assert_int_equal(LOG(cli, "shard", bench.log.folder, "--vkey", bench.log.vkey, "--until",
                         "soon"), LB_CTL_USAGE);
    assert_int_equal(LOG(cli, "shard", bench.log.folder, "--until", "2026-07-01", "--away",
                         "2026h1"), LB_CTL_USAGE);
    (void)snprintf(empty, sizeof(empty), "%s/nothing", cli->folder);
    assert_int_equal(LOG(cli, "shard", empty, "--vkey", bench.log.vkey), LB_CTL_FAILED);
    assert_int_equal(access(empty, F_OK), -1);
    assert_int_equal(LOG(cli, "shard", "--help"), LB_CTL_OK);
    assert_non_null(strstr(cli->out, "--away"));
    test_log_free(&bench.log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(shards_and_every_command_goes_on, test_set_up,
                                        test_tear_down),
        cmocka_unit_test_setup_teardown(wants_a_log_and_its_key, test_set_up, test_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
