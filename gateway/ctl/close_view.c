#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/base/limits.h"
#include "gateway/ctl/args.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/owner.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/text.h"
#include "policy/engine/closures.h"

/* The department's switch: these commands write a file that the adapter looks at before every
 * answer. */

struct switching {
    struct lb_ctl_env *env;
    struct lb_diag diag;
    struct lb_arena *arena;
    const char *state;
    struct lb_ctl_list views;
    struct lb_ctl_list requesters;
    bool all;
    const char *reason;
    bool shut;                  /* or open */
    const char *path;
    struct lb_closures closures;
};

static lb_status find_file(struct switching *sw)
{
    const char *log = lb_arena_printf(sw->arena, "%s/evidence.db", sw->state);
    sw->path = lb_arena_printf(sw->arena, "%s/closed.yaml", sw->state);
    LB_ENSURE(log != NULL && sw->path != NULL, LB_NO_MEMORY, "memory is exhausted");
    if (access(log, F_OK) == 0)
        return LB_OK;
    lb_diag_set(&sw->diag, "%s: no adapter keeps its state here; give the `state` folder of its "
                           "configuration", sw->state);
    LB_FAIL(LB_FILE_FAILED, "not a state folder");
}

static lb_status set_all(struct switching *sw)
{
    struct lb_closures *closures = &sw->closures;
    if (sw->all)
        closures->department = sw->shut;
    if (sw->all && !sw->shut)
        closures->num_views = closures->num_requesters = 0;
    for (size_t i = 0; i < sw->views.num; i++)
        LB_TRY(lb_closures_set_view(closures, sw->views.items[i], sw->shut));
    for (size_t i = 0; i < sw->requesters.num; i++)
        LB_TRY(lb_closures_set_requester(closures, sw->requesters.items[i], sw->shut));
    return lb_closures_set_reason(closures, sw->reason);
}

static lb_status change(struct switching *sw)
{
    LB_DEFER(lb_ctl_owner_leave) uid_t user = geteuid();
    LB_DEFER(lb_ctl_owner_unlock) int fd = -1;
    const char *text = NULL;
    const char *lock = lb_arena_printf(sw->arena, "%s/closed.lock", sw->state);
    LB_ENSURE(lock != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(find_file(sw));
    LB_TRY(lb_ctl_owner_become(sw->state, user));
    LB_TRY(lb_ctl_owner_lock(lock, &fd));
    LB_TRY(lb_closures_load(sw->path, sw->arena, &sw->diag, &sw->closures));
    LB_TRY(set_all(sw));
    LB_TRY(lb_closures_text(&sw->closures, sw->arena, &text));
    return lb_file_write(sw->path, lb_span_str(text), S_IRUSR | S_IWUSR);
}

static struct lb_json *json_list(const char *const *names, size_t num)
{
    struct lb_json *list = lb_json_array();
    for (size_t i = 0; i < num; i++)
        lb_json_append_str(list, lb_span_str(names[i]));
    return list;
}

static lb_status print_json(const struct switching *sw)
{
    const struct lb_closures *closures = &sw->closures;
    LB_DEFER(lb_json_freep) struct lb_json *root = lb_json_object();
    lb_json_set_bool(root, "department", closures->department);
    lb_json_set(root, "views", json_list(closures->views, closures->num_views));
    lb_json_set(root, "requesters", json_list(closures->requesters, closures->num_requesters));
    lb_json_set_cstr(root, "reason", closures->reason);
    return lb_ctl_print_json(sw->env, root);
}

static lb_status print(const struct switching *sw)
{
    const struct lb_ctl_env *env = sw->env;
    const struct lb_closures *closures = &sw->closures;
    if (env->json)
        return print_json(sw);
    if (!lb_closures_any(closures))
        (void)fprintf(env->out, "%s\n", lb_ctl_pick(env, "没有停用的项目", "nothing is shut"));
    if (closures->department)
        (void)fprintf(env->out, "%s\n", lb_ctl_pick(env, "已停用：全部", "shut: everything"));
    for (size_t i = 0; i < closures->num_views; i++)
        (void)fprintf(env->out, "%s %s\n", lb_ctl_pick(env, "已停用视图：", "shut: view"),
                      closures->views[i]);
    for (size_t i = 0; i < closures->num_requesters; i++)
        (void)fprintf(env->out, "%s %s\n", lb_ctl_pick(env, "已停用请求方：", "shut: requester"),
                      closures->requesters[i]);
    if (closures->reason[0] == 0)
        return LB_OK;
    (void)fputs(lb_ctl_pick(env, "原因：", "reason: "), env->out);
    lb_ctl_put(env->out, closures->reason);
    (void)fputc('\n', env->out);
    return LB_OK;
}

static int finish(struct switching *sw, const char *command, lb_status status)
{
    int exit_code = LB_CTL_OK;
    if (status == LB_OK)
        status = print(sw);
    if (status != LB_OK)
        exit_code = lb_ctl_fail(sw->env, command, status, &sw->diag);
    lb_arena_free(sw->arena);
    return exit_code;
}

static int switch_command(struct switching *sw, const struct lb_ctl_usage *texts, int argc,
                          char **argv)
{
    const struct lb_ctl_option options[] = {
        {.name = "state", .value = "FOLDER", .required = true, .text = &sw->state,
         .en = "the adapter's state folder", .zh = "适配器的状态目录"},
        {.name = "view", .value = "VIEW", .list = &sw->views, .en = "a view; may be repeated",
         .zh = "视图，可重复"},
        {.name = "requester", .value = "ORGANIZATION", .list = &sw->requesters,
         .en = "a requester; may be repeated", .zh = "请求方，可重复"},
        {.name = "all", .flag = &sw->all, .en = "the whole department", .zh = "整个部门"},
        {.name = "reason", .value = "TEXT", .required = true, .text = &sw->reason,
         .en = "why, for the evidence; no personal data", .zh = "原因，写入存证；不得含个人信息"},
    };
    struct lb_ctl_usage usage = *texts;
    usage.options = options;
    usage.num_options = sizeof(options) / sizeof(options[0]);
    int exit_code = lb_ctl_args(sw->env, &usage, argc, argv, NULL);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    if (!sw->all && sw->views.num + sw->requesters.num == 0)
        return lb_ctl_usage_error(sw->env, usage.command,
                                  "say what: --view, --requester or --all");
    sw->arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    return finish(sw, usage.command, sw->arena == NULL ? LB_FAULT(LB_NO_MEMORY, "switch")
                                                       : change(sw));
}

int lb_ctl_view_close(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban view close --state /var/lib/lianban --view tax.wage --reason \"under repair\"",
        "lianban view close --state /var/lib/lianban --requester street-office --reason \"leak\"",
        "lianban view close --state /var/lib/lianban --all --reason \"drill\"",
        NULL,
    };
    const struct lb_ctl_usage texts = {
        .command = "view close",
        .en = "shut a view, a requester or everything at once, while the adapter runs",
        .zh = "立即停用视图、请求方或全部，适配器无需重启",
        .examples = examples,
    };
    struct switching sw = {.env = env, .shut = true};
    return switch_command(&sw, &texts, argc, argv);
}

int lb_ctl_view_open(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban view open --state /var/lib/lianban --view tax.wage --reason \"repaired\"",
        "lianban view open --state /var/lib/lianban --all --reason \"drill is over\"",
        NULL,
    };
    const struct lb_ctl_usage texts = {
        .command = "view open",
        .en = "open again what was shut; counts once the adapter's log has it",
        .zh = "恢复已停用的项目，写入存证后生效",
        .examples = examples,
    };
    struct switching sw = {.env = env, .shut = false};
    return switch_command(&sw, &texts, argc, argv);
}

static lb_status show(struct switching *sw)
{
    LB_TRY(find_file(sw));
    return lb_closures_load(sw->path, sw->arena, &sw->diag, &sw->closures);
}

int lb_ctl_view_closed(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {"lianban view closed --state /var/lib/lianban", NULL};
    struct switching sw = {.env = env};
    const struct lb_ctl_option options[] = {
        {.name = "state", .value = "FOLDER", .required = true, .text = &sw.state,
         .en = "the adapter's state folder", .zh = "适配器的状态目录"},
    };
    const struct lb_ctl_usage usage = {
        .command = "view closed", .en = "print what is shut now", .zh = "查看当前停用的项目",
        .options = options, .num_options = 1, .examples = examples,
    };
    int exit_code = lb_ctl_args(env, &usage, argc, argv, NULL);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    sw.arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    return finish(&sw, usage.command, sw.arena == NULL ? LB_FAULT(LB_NO_MEMORY, "switch")
                                                       : show(&sw));
}
