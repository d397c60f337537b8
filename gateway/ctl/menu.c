#include "gateway/ctl/menu.h"

#include <string.h>

#include "gateway/ctl/args.h"
#include "gateway/ctl/say.h"
#include "gateway/evidence/session.h"

static const char *user_name(const struct lb_ctl_env *env, enum lb_ctl_user user)
{
    static const char *const zh[LB_CTL_NUM_USERS] = {
        [LB_CTL_WINDOW] = "办事窗口",      [LB_CTL_DEPARTMENT] = "数据提供部门",
        [LB_CTL_CONSENT_OFFICE] = "同意服务机构", [LB_CTL_OFFICER] = "安全员",
        [LB_CTL_OPERATOR] = "联盟运行方",
    };
    static const char *const en[LB_CTL_NUM_USERS] = {
        [LB_CTL_WINDOW] = "windows",
        [LB_CTL_DEPARTMENT] = "departments",
        [LB_CTL_CONSENT_OFFICE] = "consent offices",
        [LB_CTL_OFFICER] = "security officers",
        [LB_CTL_OPERATOR] = "operators of a federation",
    };
    return lb_ctl_pick(env, zh[user], en[user]);
}

static void print_overview(const struct lb_ctl_env *env, const struct lb_ctl_item *items,
                           size_t num)
{
    FILE *out = env->out;
    (void)fputs(lb_ctl_pick(env, "lianban 联办 — 一表办事，数据不集中，处处留证\n",
                            "lianban 联办 — one form filled from many departments: no central copy,"
                            " evidence on both sides\n"),
                out);
    for (int user = 0; user < LB_CTL_NUM_USERS; user++) {
        (void)fprintf(out, "\n%s\n", user_name(env, (enum lb_ctl_user)user));
        for (size_t i = 0; i < num; i++)
            if ((int)items[i].user == user)
                (void)fprintf(out, "  %-10s %-33s %s\n", items[i].name, items[i].words,
                              lb_ctl_pick(env, items[i].zh, items[i].en));
    }
    (void)fprintf(out, "\n%s\n",
                  lb_ctl_pick(env, "每条命令都有 --help（含示例）。版本：lianban version",
                              "every command has --help with examples; `lianban version` tells the"
                              " version"));
}

static int print_version(const struct lb_ctl_env *env, const char *version)
{
    if (!env->json) {
        (void)fprintf(env->out, "lianban %s\nprotocol lianban.v1, links %d to %d\n", version,
                      LB_LINK_VERSION_MIN, LB_LINK_VERSION_MAX);
        return LB_CTL_OK;
    }
    LB_DEFER(lb_json_freep) struct lb_json *json = lb_json_object();
    lb_json_set_cstr(json, "version", version);
    lb_json_set_cstr(json, "protocol", "lianban.v1");
    lb_json_set_int(json, "link_version_min", LB_LINK_VERSION_MIN);
    lb_json_set_int(json, "link_version_max", LB_LINK_VERSION_MAX);
    lb_status status = lb_ctl_print_json(env, json);
    return status == LB_OK ? LB_CTL_OK : lb_ctl_fail(env, "version", status, NULL);
}

static int version_command(struct lb_ctl_env *env, const char *version, int argc, char **argv)
{
    static const char *const examples[] = {"lianban version", NULL};
    const struct lb_ctl_usage usage = {
        .command = "version", .en = "print the version", .zh = "显示版本", .examples = examples,
    };
    int exit_code = lb_ctl_args(env, &usage, argc, argv, NULL);
    return exit_code != LB_CTL_GO ? exit_code : print_version(env, version);
}

static int run(struct lb_ctl_env *env, const struct lb_ctl_item *items, size_t num,
               const char *version, int argc, char **argv)
{
    const char *name = argc < 2 ? "help" : argv[1];
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0) {
        print_overview(env, items, num);
        return LB_CTL_OK;
    }
    if (strcmp(name, "version") == 0 || strcmp(name, "--version") == 0)
        return version_command(env, version, argc - 1, argv + 1);
    for (size_t i = 0; i < num; i++) {
        if (strcmp(name, items[i].name) != 0)
            continue;
        return items[i].run != NULL ? items[i].run(env, argc - 1, argv + 1)
                                    : items[i].run_plain(argc - 1, argv + 1);
    }
    (void)fputs("lianban: there is no such command; `lianban help` lists them."
                " 没有这条命令，请看 lianban help。\n",
                env->err);
    return LB_CTL_USAGE;
}

int lb_ctl_menu(struct lb_ctl_env *env, const struct lb_ctl_item *items, size_t num,
                const char *version, int argc, char **argv)
{
    int exit_code = run(env, items, num, version, argc, argv);
    if (fflush(env->out) == 0 && ferror(env->out) == 0)
        return exit_code;
    (void)fputs("lianban: the output could not be written in full; make room and run it again."
                " 输出未能完整写入。\n",
                env->err);
    return LB_CTL_FAILED;
}
