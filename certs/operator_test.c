#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "certs/cli.h"
#include "certs/keys_tools.h"
#include "certs/operator_tools.h"
#include "gateway/token/operator_token.h"
#include "gateway/trust/keys.h"

/* The commands about a window's operators, beside an agent that would have the register open. */


static struct cli cli;

/* The check character of GB 11643. */
static const char *id_of(const char *body)
{
    static const int weights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
    int sum = 0;
    for (int i = 0; i < 17; i++)
        sum += (body[i] - '0') * weights[i];
    return lb_arena_printf(cli.arena, "%s%c\n", body, "10X98765432"[sum % 11]);
}

static int setup(void **state)
{
    (void)state;
    if (cli_setup(&cli) != 0)
        return -1;
    cli_done(&cli, &lb_keys_tools, "keys secret --out person.key");
    cli_done(&cli, &lb_keys_tools, "keys issuer --out issuer.pem");
    cli_write("window.yaml", "node: spiffe://city.gov/window/street-office\n"
                             "operators: operators\n"
                             "person_key: person.key\n"
                             "issuer: {kid: office-1, key: issuer.pem}\n");
    cli_write("one", id_of("99010119800101001"));
    cli_write("two", id_of("99010119800101002"));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return cli_teardown(&cli);
}

static void add(const char *more)
{
    cli_done(&cli, &lb_operator_tools,
             lb_arena_printf(cli.arena,
                             "operator add --config window.yaml --badge W-1 --unit u-1 "
                             "--identity one --json%s", more));
}

static void an_operator_comes_goes_and_comes_back(void **state)
{
    (void)state;
    add("");
    assert_string_equal(cli_member(&cli, "state"), "serves");
    assert_string_equal(cli_member(&cli, "device"), "no");
    assert_int_equal(strlen(cli_member(&cli, "person")), LB_REGISTER_HASH_CHARS);
    assert_int_equal(cli_mode("operators"), 0700);
    assert_int_equal(cli_mode("operators/register.db"), 0600);
    cli_done(&cli, &lb_operator_tools,
             "operator suspend --config window.yaml --badge W-1 --json");
    assert_string_equal(cli_member(&cli, "state"), "suspended");
    cli_done(&cli, &lb_operator_tools, "operator list --config window.yaml");
    assert_non_null(strstr(cli.out, "badge=W-1 unit=u-1 state=suspended"));
    cli_done(&cli, &lb_operator_tools, "operator resume --config window.yaml --badge W-1 --json");
    assert_string_equal(cli_member(&cli, "state"), "serves");
}

static void what_is_wrong_is_told(void **state)
{
    (void)state;
    cli_fails(&cli, &lb_operator_tools, "operator show --config window.yaml --badge W-1",
              LB_TOOL_FAILED, "lianban operator add makes it");
    add("");
    cli_fails(&cli, &lb_operator_tools,
              "operator add --config window.yaml --badge W-1 --unit u-1 --identity two",
              LB_TOOL_FAILED, "given out");
    cli_fails(&cli, &lb_operator_tools,
              "operator add --config window.yaml --badge W-2 --unit u-1 --identity one",
              LB_TOOL_FAILED, "has one already");
    cli_fails(&cli, &lb_operator_tools, "operator suspend --config window.yaml --badge W-9",
              LB_TOOL_FAILED, "BADGE_UNKNOWN");
    cli_write("bad", "990101198001010010\n");
    cli_fails(&cli, &lb_operator_tools,
              "operator add --config window.yaml --badge W-2 --unit u-1 --identity bad",
              LB_TOOL_FAILED, "no valid identity number");
    assert_null(strstr(cli.err, "9901011980"));
    cli_fails(&cli, &lb_operator_tools,
              "operator add --config window.yaml --badge W-2 --unit u-1 --id 990101198001010019",
              LB_TOOL_USAGE, "not an option");
    assert_int_equal(chmod("person.key", 0640), 0);
    cli_fails(&cli, &lb_operator_tools,
              "operator add --config window.yaml --badge W-2 --unit u-1 --identity two",
              LB_TOOL_FAILED, "chmod 600");
    cli_write("broker.yaml", "node: spiffe://city.gov/broker/hub\n");
    cli_fails(&cli, &lb_operator_tools, "operator list --config broker.yaml", LB_TOOL_FAILED,
              "operators belong to windows");
}

static void relatives_are_kept_as_hashes(void **state)
{
    (void)state;
    cli_write("relatives", lb_arena_printf(cli.arena, "%s\n%s", id_of("99010119500101003"),
                                           id_of("99010119520101004")));
    add(" --relatives relatives");
    assert_int_equal(cli_number(&cli, "relatives"), 2);
    struct lb_span file = cli_read(&cli, "operators/register.db");
    assert_null(memmem(file.ptr, file.len, "9901011950", 10));
    assert_null(memmem(file.ptr, file.len, "9901011980", 10));
}

static void a_device_key_is_a_point(void **state)
{
    (void)state;
    cli_done(&cli, &lb_keys_tools, "keys device --out device.pem --public device.json");
    add(" --device device.json");
    assert_string_equal(cli_member(&cli, "device"), "yes");
    cli_write("wrong.json", "{\"x\":\"AAAA\",\"y\":\"AAAA\"}");
    cli_fails(&cli, &lb_operator_tools,
              "operator add --config window.yaml --badge W-2 --unit u-1 --identity two "
              "--device wrong.json", LB_TOOL_FAILED, "keys device");
}

static void a_token_is_short_and_recorded(void **state)
{
    (void)state;
    struct lb_operator claims;
    struct lb_diag diag;
    struct lb_register *reg = NULL;
    struct lb_register_change *changes = NULL;
    size_t num = 0;
    add("");
    cli_done(&cli, &lb_operator_tools, "operator token --config window.yaml --badge W-1 --json");
    assert_ok(lb_operator_token_peek(lb_span_str(cli_member(&cli, "token")), cli.arena, &claims));
    assert_string_equal(claims.organization, "street-office");
    assert_string_equal(claims.kid, "office-1");
    assert_string_equal(claims.unit, "u-1");
    assert_int_equal(claims.exp - claims.iat, LB_OPERATOR_TOKEN_LIFE_S);
    assert_ok(lb_register_open("operators", false, &diag, &reg));
    assert_ok(lb_register_pending(reg, cli.arena, &changes, &num));
    lb_register_close(reg);
    assert_int_equal(num, 2);
    assert_string_equal(changes[1].what, "OPERATOR_TOKEN");
    cli_done(&cli, &lb_operator_tools, "operator suspend --config window.yaml --badge W-1");
    cli_fails(&cli, &lb_operator_tools, "operator token --config window.yaml --badge W-1",
              LB_TOOL_FAILED, "it is suspended");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_operator_comes_goes_and_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_wrong_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(relatives_are_kept_as_hashes, setup, teardown),
        cmocka_unit_test_setup_teardown(a_device_key_is_a_point, setup, teardown),
        cmocka_unit_test_setup_teardown(a_token_is_short_and_recorded, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
