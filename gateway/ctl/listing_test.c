#include "gateway/ctl/fixture.h"
#include "gateway/ctl/listing.h"

#include <string.h>

/* How a window shows who looked. */

#define HEAD                                                                                       \
    "{\"log\":\"l\",\"size\":9,\"rows\":2,\"more\":true,\"note_zh\":\"查\",\"note_en\":\"by law\"}"
#define GIVEN                                                                                      \
    "{\"time\":\"2026-07-01T08:00:00.000Z\",\"office\":\"street\",\"unit\":\"u-1\","               \
    "\"purpose\":\"aid\",\"basis\":\"mandate\",\"outcome\":\"given\",\"code\":\"OK\","             \
    "\"fields\":[\"tax.wage.income SUM(12)\"],\"more_fields\":3}"
#define REFUSED                                                                                    \
    "{\"time\":\"2026-07-01T07:00:00.000Z\",\"office\":\"x\",\"officer\":true,"                    \
    "\"purpose\":\"\",\"basis\":\"\",\"outcome\":\"refused\",\"code\":\"REPLAY\",\"fields\":[]}"

static lb_status show(struct lb_ctl_env *env, const char *lines)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(1 << 20);
    assert_non_null(arena);
    return lb_ctl_listing_print(env, arena, "Tax", lines);
}

/* Commands take words; this one takes the lines as its only one. */
static int command(struct lb_ctl_env *env, int argc, char **argv)
{
    assert_int_equal(argc, 2);
    env->chinese = strncmp(argv[1], "zh:", 3) == 0;
    assert_ok(show(env, argv[1] + (env->chinese ? 3 : 0)));
    return LB_CTL_OK;
}

static void both_languages_show_all_of_it(void **state)
{
    struct test_cli *cli = *state;
    assert_int_equal(RUN(cli, command, "listing", HEAD "\n" GIVEN "\n" REFUSED), LB_CTL_OK);
    static const char *const english[] = {"Tax\n", "street u-1", "given", "refused", "REPLAY",
                                          "tax.wage.income SUM(12), +3", "by law",
                                          "this department's security officer", "older ones"};
    for (size_t i = 0; i < sizeof(english) / sizeof(english[0]); i++)
        assert_non_null(strstr(cli->out, english[i]));
    assert_int_equal(RUN(cli, command, "listing", "zh:" HEAD "\n" GIVEN "\n" REFUSED), LB_CTL_OK);
    static const char *const chinese[] = {"已提供", "已拒绝", "本部门安全员", "法定职权", "查\n",
                                          "还有更早的"};
    for (size_t i = 0; i < sizeof(chinese) / sizeof(chinese[0]); i++)
        assert_non_null(strstr(cli->out, chinese[i]));
    assert_null(strstr(cli->out, "by law"));
}

static void what_is_no_entry_is_told(void **state)
{
    struct test_cli *cli = *state;
    assert_int_equal(RUN(cli, command, "listing", HEAD "\nnonsense\n[1]\n" GIVEN), LB_CTL_OK);
    assert_non_null(strstr(cli->out, "\n?"));
    assert_non_null(strstr(cli->out, "street u-1"));
    assert_int_equal(RUN(cli, command, "listing", "nonsense"), LB_CTL_OK);
    assert_non_null(strstr(cli->out, "No entries"));
    assert_non_null(strstr(cli->out, "unreadable"));
    assert_int_equal(RUN(cli, command, "listing", HEAD "\n{\"office\":\"a\\u001b[2Jb\"}"),
                     LB_CTL_OK);
    assert_null(strchr(cli->out, 0x1b)); /* a terminal obeys it */
}

static void json_keeps_every_line(void **state)
{
    (void)state;
    LB_DEFER(lb_json_freep) struct lb_json *json =
        lb_ctl_listing_json(HEAD "\n" GIVEN "\nnonsense");
    assert_int_equal(lb_json_len(json), 3);
    assert_true(lb_json_is_object(lb_json_at(json, 1)));
    assert_true(lb_json_is_string(lb_json_at(json, 2)));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, test_set_up, test_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(both_languages_show_all_of_it),
        TEST(what_is_no_entry_is_told),
        TEST(json_keeps_every_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
