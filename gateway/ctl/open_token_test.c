#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gateway/ctl/command.h"
#include "gateway/ctl/fixture.h"
#include "policy/engine/operator.h"

#define RULES                                                                                      \
    "rules: small\nversion: 1\nin_force: 2026-07-01\ntitle: {zh: 小, en: Small}\n"
#define KEY_HEX "5555555555555555555555555555555555555555555555555555555555555555"
#define NOW_S 1782900000
#define ACCOUNT "6222 0212"

/* What the adapter would have sealed for these words. */
static void make_token(const struct lb_op_token_use *use, char out[LB_MAX_VALUE_BYTES + 1])
{
    uint8_t key[LB_OP_KEY_BYTES];
    static const uint8_t nonce[LB_OP_NONCE_BYTES] = {7};
    struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    struct lb_rules *rules = NULL;
    struct lb_diag diag = {""};
    struct lb_op_call call;
    struct lb_fact fact = {0};
    const struct lb_cell cell = {.kind = LB_CELL_TEXT, .text = lb_span_str(ACCOUNT)};
    const struct lb_rows rows = {.num_columns = 1, .num_rows = 1, .cells = &cell};
    struct lb_op_secrets secrets = {.token_key = key, .token_nonce = nonce, .now_unix_s = NOW_S};
    memset(key, 0x55, sizeof(key));
    assert_ok(lb_rules_load_text(lb_span_str(RULES), "r.yaml", &diag, &rules));
    assert_ok(lb_op_token_bind(use, arena, &secrets.token_bind));
    const struct lb_op_input input = {
        .rows = &rows, .month_column = SIZE_MAX, .denominator_column = SIZE_MAX,
        .type = LB_FIELD_TEXT, .rules = rules, .today = "2026-07-01", .secrets = &secrets};
    assert_ok(lb_op_parse(lb_span_str("TOKEN(1)"), arena, &call));
    assert_ok(lb_op_apply(&call, &input, arena, &fact));
    (void)snprintf(out, LB_MAX_VALUE_BYTES + 1, "%.*s", (int)fact.text.len,
                   (const char *)fact.text.ptr);
    lb_rules_free(rules);
    lb_arena_free(arena);
}

static const char *key_file(struct test_cli *cli, const char *content, mode_t mode)
{
    const char *path = test_file(cli, "token.key", content);
    assert_int_equal(chmod(path, mode), 0);
    return path;
}

static int open_with(struct test_cli *cli, const char *token, const char *key, const char *field)
{
    test_feed(cli, token);
    return RUN(cli, lb_ctl_view_command, "view", "open-token", "--key", key, "--provider", "tax",
               "--requester", "office", "--purpose", "aid", "--view", "tax.account", "--field",
               field);
}

static void a_department_opens_its_own(void **state)
{
    struct test_cli *cli = *state;
    const struct lb_op_token_use use = {"tax", "office", "aid", "tax.account", "number"};
    char token[LB_MAX_VALUE_BYTES + 1];
    make_token(&use, token);
    const char *key = key_file(cli, KEY_HEX "\n", 0600);
    assert_int_equal(open_with(cli, token, key, "number"), LB_CTL_OK);
    assert_string_equal(cli->out, ACCOUNT "\n");
    assert_int_equal(open_with(cli, token, key, "other"), LB_CTL_FAILED);
    assert_non_null(strstr(cli->err, "SEAL_BROKEN"));
    assert_string_equal(cli->out, "");
    lb_clock_fixed_init(&cli->clock, (NOW_S + 86400) * INT64_C(1000));
    assert_int_equal(open_with(cli, token, key, "number"), LB_CTL_FAILED);
    assert_non_null(strstr(cli->err, "TOKEN_EXPIRED"));
}

static void who_pays_opens_with_the_key_of_that_use(void **state)
{
    struct test_cli *cli = *state;
    struct lb_op_token_use use = {"tax", "office", "aid", "tax.account", "number"};
    char token[LB_MAX_VALUE_BYTES + 1];
    struct stat made;
    char *key = strdup(key_file(cli, KEY_HEX "\n", 0600));
    const char *path = test_file(cli, "use.key", "older");
    assert_non_null(key);
    assert_int_equal(RUN(cli, lb_ctl_view_command, "view", "token-key", "--key", key, "--provider",
                         "tax", "--requester", "office", "--purpose", "aid", "--view",
                         "tax.account", "--field", "number", "--out", path),
                     LB_CTL_OK);
    assert_int_equal(stat(path, &made), 0);
    assert_int_equal(made.st_mode & 0777, 0600);
    make_token(&use, token);
    test_feed(cli, token);
    assert_int_equal(RUN(cli, lb_ctl_view_command, "view", "open-token", "--use-key", path),
                     LB_CTL_OK);
    assert_string_equal(cli->out, ACCOUNT "\n");
    use.field = "other";
    make_token(&use, token);
    test_feed(cli, token);
    assert_int_equal(RUN(cli, lb_ctl_view_command, "view", "open-token", "--use-key", path),
                     LB_CTL_FAILED);
    assert_non_null(strstr(cli->err, "SEAL_BROKEN"));
    assert_int_equal(RUN(cli, lb_ctl_view_command, "view", "open-token", "--use-key", path,
                         "--key", key),
                     LB_CTL_USAGE);
    assert_int_equal(RUN(cli, lb_ctl_view_command, "view", "open-token", "--use-key", path,
                         "--field", "number"),
                     LB_CTL_USAGE);
    assert_int_equal(RUN(cli, lb_ctl_view_command, "view", "token-key", "--key", key, "--out",
                         path),
                     LB_CTL_USAGE);
    free(key);
}

static void nobody_else_does(void **state)
{
    struct test_cli *cli = *state;
    const struct lb_op_token_use use = {"tax", "office", "aid", "tax.account", "number"};
    char token[LB_MAX_VALUE_BYTES + 1];
    make_token(&use, token);
    assert_int_equal(open_with(cli, token, key_file(cli, KEY_HEX "\n", 0640), "number"),
                     LB_CTL_FAILED);
    assert_non_null(strstr(cli->err, "token.key"));
    assert_int_equal(open_with(cli, token, key_file(cli, "66", 0600), "number"), LB_CTL_FAILED);
    assert_int_equal(open_with(cli, "no token", key_file(cli, KEY_HEX, 0600), "number"),
                     LB_CTL_FAILED);
    assert_non_null(strstr(cli->err, "MALFORMED"));
    assert_int_equal(open_with(cli, "", key_file(cli, KEY_HEX, 0600), "number"), LB_CTL_FAILED);
    assert_int_equal(RUN(cli, lb_ctl_view_command, "view", "open-token", "--key", "k"),
                     LB_CTL_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_department_opens_its_own, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(who_pays_opens_with_the_key_of_that_use, test_set_up,
                                        test_tear_down),
        cmocka_unit_test_setup_teardown(nobody_else_does, test_set_up, test_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
