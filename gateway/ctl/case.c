#include "gateway/ctl/args.h"
#include "gateway/ctl/case_run.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/parts_view.h"
#include "gateway/ctl/say.h"

#define MAX_WAIT_S (24 * 3600)

struct order {
    struct lb_ctl_case_run run;
    const char *case_id;
    const char *agent;
    const char *labels;
    int64_t wait_s;
};

static int read_args(struct order *order, const struct lb_ctl_usage *usage, bool waits, int argc,
                     char **argv)
{
    const struct lb_ctl_option options[] = {
        {.name = "case", .value = "ID", .required = true, .text = &order->case_id,
         .en = "the case's number", .zh = "办件编号"},
        {.name = "agent", .value = "unix:PATH", .text = &order->agent,
         .en = "the window agent (or LIANBAN_AGENT)", .zh = "窗口代理地址（或 LIANBAN_AGENT）"},
        {.name = "labels", .value = "FORM.yaml", .text = &order->labels,
         .en = "the form's file, to call facts by their labels", .zh = "表单文件，用于显示事项名称"},
        {.name = "wait", .value = "SECONDS", .number = &order->wait_s, .max = MAX_WAIT_S,
         .en = "wait for the desk; default 0", .zh = "等待授权的秒数，默认 0"},
    };
    struct lb_ctl_usage full = *usage;
    full.options = options;
    full.num_options = sizeof(options) / sizeof(options[0]) - (waits ? 0 : 1);
    int exit_code = lb_ctl_args(order->run.env, &full, argc, argv, NULL);
    if (exit_code == LB_CTL_GO && !lb_ctl_agent_ok(order->agent))
        return lb_ctl_usage_error(order->run.env, usage->command,
                                  "--agent is unix: and the path of a socket");
    return exit_code;
}

static struct order new_order(struct lb_ctl_env *env, const char *command)
{
    return (struct order){.run = {.env = env, .command = command}, .agent = env->agent};
}

/* Ends a command: what came, or why nothing did. */
static int finish(struct order *order, lb_status status)
{
    int exit_code = LB_CTL_OK;
    if (status != LB_OK)
        exit_code = lb_ctl_case_run_fail(&order->run, order->case_id, status);
    else if (order->run.view->result != NULL)
        exit_code = lb_ctl_case_run_report(&order->run);
    lb_ctl_case_run_close(&order->run);
    return exit_code;
}

/* --- show --- */

static lb_status get_case(struct order *order)
{
    Lianban__V1__CaseResult *result = NULL;
    LB_TRY(lb_ctl_case_run_open(&order->run, order->agent, order->labels));
    LB_TRY(order->run.port.get_case(order->run.port.ctx, order->case_id, order->run.view->arena,
                                    &result));
    order->run.view->result = result;
    return LB_OK;
}

static int show(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {"lianban case show --case c-0123", NULL};
    const struct lb_ctl_usage usage = {
        .command = "case show", .en = "print a case as it stands", .zh = "显示办件现状",
        .examples = examples,
    };
    struct order order = new_order(env, usage.command);
    int exit_code = read_args(&order, &usage, false, argc, argv);
    return exit_code != LB_CTL_GO ? exit_code : finish(&order, get_case(&order));
}

/* --- resume --- */

static lb_status collect(struct order *order)
{
    LB_TRY(lb_ctl_case_run_open(&order->run, order->agent, order->labels));
    return lb_ctl_case_run_collect(&order->run, order->case_id, order->wait_s);
}

static int resume(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban case resume --case c-0123",
        "lianban case resume --case c-0123 --wait 60 --json",
        NULL,
    };
    const struct lb_ctl_usage usage = {
        .command = "case resume", .en = "ask the departments for what is still missing",
        .zh = "向各部门补取缺失的事项", .examples = examples,
    };
    struct order order = new_order(env, usage.command);
    int exit_code = read_args(&order, &usage, true, argc, argv);
    return exit_code != LB_CTL_GO ? exit_code : finish(&order, collect(&order));
}

/* --- watch --- */

static lb_status print_event(const struct order *order, struct lb_ctl_case *event)
{
    const struct lb_ctl_env *env = order->run.env;
    LB_TRY(event->failed);
    event->form = order->run.view->form;
    if (!env->json) {
        LB_TRY(lb_ctl_case_print_facts(env, event));
        LB_TRY(lb_ctl_parts_print(env, &event->part, event->part == NULL ? 0 : 1, event->arena));
        return event->result == NULL ? LB_OK : lb_ctl_case_print_result(env, event);
    }
    struct lb_span line = LB_SPAN_EMPTY;
    LB_DEFER(lb_json_freep) struct lb_json *json = lb_ctl_case_json(event);
    LB_TRY(lb_json_dump(json, LB_JSON_COMPACT, event->arena, &line));
    (void)fprintf(env->out, "%.*s\n", (int)line.len, (const char *)line.ptr);
    return LB_OK;
}

static void on_event(void *arg, struct lb_span bytes)
{
    struct order *order = arg;
    LB_DEFER(lb_ctl_case_freep) struct lb_ctl_case *event = lb_ctl_case_new();
    lb_status status = LB_FAULT(LB_NO_MEMORY, "memory is exhausted");
    if (event != NULL) {
        lb_ctl_case_take(event, bytes);
        status = print_event(order, event);
    }
    (void)fflush(order->run.env->out); /* people look at it as it comes */
    if (order->run.view->failed == LB_OK)
        order->run.view->failed = status;
}

static lb_status follow(struct order *order)
{
    LB_TRY(lb_ctl_case_run_open(&order->run, order->agent, order->labels));
    LB_TRY(order->run.port.watch(order->run.port.ctx, order->case_id, on_event, order));
    return order->run.view->failed;
}

static int watch(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban case watch --case c-0123",
        "lianban case watch --case c-0123 --json   # one JSON object a line",
        NULL,
    };
    const struct lb_ctl_usage usage = {
        .command = "case watch", .en = "print what happens to a case until it is closed",
        .zh = "持续显示办件进展，直到办结", .examples = examples,
    };
    struct order order = new_order(env, usage.command);
    int exit_code = read_args(&order, &usage, false, argc, argv);
    return exit_code != LB_CTL_GO ? exit_code : finish(&order, follow(&order));
}

/* --- close --- */

static lb_status close_case(struct order *order)
{
    const struct lb_ctl_env *env = order->run.env;
    LB_TRY(lb_ctl_case_run_open(&order->run, order->agent, order->labels));
    LB_TRY(order->run.port.close_case(order->run.port.ctx, order->case_id));
    if (!env->json) {
        (void)fputs(lb_ctl_pick(env, "办件已办结，个人信息已删除。\n",
                                "The case is closed and its personal data erased.\n"),
                    env->out);
        return LB_OK;
    }
    LB_DEFER(lb_json_freep) struct lb_json *json = lb_json_object();
    lb_json_set_cstr(json, "case_id", order->case_id);
    lb_json_set_cstr(json, "state", "CLOSED");
    return lb_ctl_print_json(env, json);
}

static int close_command(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {"lianban case close --case c-0123", NULL};
    const struct lb_ctl_usage usage = {
        .command = "case close", .en = "erase a case's identities, grants and facts",
        .zh = "办结并删除办件中的个人信息", .examples = examples,
    };
    struct order order = new_order(env, usage.command);
    int exit_code = read_args(&order, &usage, false, argc, argv);
    return exit_code != LB_CTL_GO ? exit_code : finish(&order, close_case(&order));
}

int lb_ctl_case_command(struct lb_ctl_env *env, int argc, char **argv)
{
    static const struct lb_ctl_word words[] = {
        {"list", "the cases, and whose turn it is", "办件清单", lb_ctl_case_list},
        {"show", "a case as it stands", "办件现状", show},
        {"resume", "collect what is still missing", "补取缺失的事项", resume},
        {"watch", "what happens to it, as it happens", "持续显示进展", watch},
        {"fact", "add what no department answered", "补充事项", lb_ctl_case_fact},
        {"hear", "note what the person said", "听取意见", lb_ctl_case_hear},
        {"decide", "note what you decide", "作出决定", lb_ctl_case_decide},
        {"correct", "what the citizen says is wrong", "更正请求", lb_ctl_case_correct},
        {"corrected", "what the department answered", "更正答复", lb_ctl_case_corrected},
        {"letter", "what the citizen is told of it", "决定书", lb_ctl_case_letter},
        {"records", "what was suggested and done, signed", "签名记录", lb_ctl_case_records},
        {"verify", "verify such a record", "验证签名记录", lb_ctl_case_verify},
        {"submit", "hand each department its part", "向各部门移交", lb_ctl_case_submit},
        {"supplement", "send after what is wanted", "补交材料", lb_ctl_case_supplement},
        {"withdraw", "ask the departments to stop", "撤回申请", lb_ctl_case_withdraw},
        {"retry", "send off again what nobody took", "重新递送", lb_ctl_case_retry},
        {"overdue", "what is late, over all cases", "逾期清单", lb_ctl_case_overdue},
        {"figures", "a past month, for leaders", "月度统计", lb_ctl_case_figures},
        {"close", "erase it", "办结并删除", close_command},
        {"attest", "that it was erased, signed", "删除证明", lb_ctl_case_attest},
    };
    return lb_ctl_words(env, "case", words, sizeof(words) / sizeof(words[0]), argc, argv);
}
