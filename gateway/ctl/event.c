#include "gateway/ctl/args.h"
#include "gateway/ctl/case_run.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/sheet.h"
#include "gateway/ctl/text.h"

/*
 * `lianban event run`: one look at everybody who agreed to a trigger, at the agent of the
 * department that has the data. What is found goes to the responsible department from the agent
 * itself; here there are numbers only. Run again it goes on with what was cut short, and looks at
 * nobody twice in the trigger's interval.
 */

#define MAX_WATCHES 4096 /* cases that an agent has */
#define PAGE 200
#define LIST_ARENA_BYTES (16U * 1024 * 1024)
#define DEFAULT_PER_MINUTE 120
#define MAX_PER_MINUTE 6000
#define TELL_EVERY 100

struct event {
    struct lb_ctl_case_run run;
    struct lb_arena *arena;
    const char *trigger, *agent;
    int64_t per_minute;
    size_t num_watches;
    const Lianban__V1__CaseSummary **watches;
    bool used_up; /* a department's budget is */
    int64_t looked, signalled, none, unknown, again, not_due, no_grant, failed;
};

/* --- the watches --- */

static lb_status take_page(struct event *event, const Lianban__V1__ListCasesResponse *page)
{
    for (size_t i = 0; i < page->n_cases; i++) {
        const Lianban__V1__CaseSummary *one = page->cases[i];
        bool named = event->trigger[0] != 0;
        if (named && one->every_days == 0)
            lb_diag_set(&event->run.diag, "%s is no trigger", event->trigger);
        LB_ENSURE(!named || one->every_days > 0, LB_FORM_UNKNOWN, "no trigger");
        if (one->every_days == 0)
            continue;
        LB_ENSURE(event->num_watches < MAX_WATCHES, LB_TOO_LARGE, "more cases than an agent has");
        event->watches[event->num_watches++] = one;
    }
    return LB_OK;
}

static lb_status list_watches(struct event *event)
{
    const struct lb_ctl_window_port *port = &event->run.port;
    Lianban__V1__ListCasesRequest request = LIANBAN__V1__LIST_CASES_REQUEST__INIT;
    Lianban__V1__ListCasesResponse *page = NULL;
    event->watches = lb_arena_array(event->arena, MAX_WATCHES, sizeof(event->watches[0]));
    LB_ENSURE(event->watches != NULL, LB_NO_MEMORY, "memory is exhausted");
    request.form = (char *)(uintptr_t)event->trigger; /* only packed */
    request.limit = PAGE;
    do {
        LB_TRY(port->ask(port->ctx, "ListCases", &request,
                         &lianban__v1__list_cases_response__descriptor, event->arena, &page));
        LB_TRY(take_page(event, page));
        request.after = page->next;
    } while (page->next[0] != 0);
    return LB_OK;
}

static lb_status open_all(struct event *event)
{
    event->arena = lb_arena_new(LIST_ARENA_BYTES);
    LB_ENSURE(event->arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(lb_ctl_case_run_open(&event->run, event->agent, NULL));
    return list_watches(event);
}

/* --- one look --- */

/* Departments that were away may still answer, within a day. */
static bool is_cut_short(struct event *event, const Lianban__V1__CaseResult *result)
{
    bool away = false;
    for (size_t i = 0; i < result->n_missing; i++) {
        const Lianban__V1__CaseFact *fact = result->missing[i];
        event->used_up = event->used_up ||
                         strcmp(fact->code, lb_code_name(LB_BUDGET_EXHAUSTED)) == 0;
        away = away || strcmp(fact->state, "unavailable") == 0 ||
               strcmp(fact->state, "timeout") == 0;
    }
    return away || event->used_up;
}

static lb_status count_result(struct event *event)
{
    const Lianban__V1__CaseResult *result = event->run.view->result;
    LB_ENSURE(result->receipts_failed == 0, LB_RECEIPT_INVALID, "a receipt does not verify");
    event->looked++;
    if (strcmp(result->class_id, "CANDIDATE") == 0)
        event->signalled++;
    else if (strcmp(result->class_id, "NONE") == 0)
        event->none++;
    else if (is_cut_short(event, result))
        event->again++;
    else
        event->unknown++;
    return LB_OK;
}

/* What keeps one watch from being looked at keeps no other; what is wrong with the agent does. */
static lb_status count_failure(struct event *event, lb_status status)
{
    switch (lb_status_code(status)) {
    case LB_EVENT_TOO_SOON:
        event->not_due++;
        return LB_OK;
    case LB_GRANT_PENDING:
    case LB_GRANT_REFUSED:
    case LB_GRANT_EXPIRED:
    case LB_GRANT_REVOKED:
        event->no_grant++;
        return LB_OK;
    case LB_CASE_UNKNOWN: /* it ended meanwhile */
        return LB_OK;
    case LB_BADGE_UNKNOWN:
    case LB_BADGE_SUSPENDED:
    case LB_BADGE_EXPIRED:
    case LB_GRANT_UNKNOWN:
    case LB_WRONG_REQUESTER:
        event->failed++;
        return LB_OK;
    default:
        return status;
    }
}

static lb_status look_at(struct event *event, const Lianban__V1__CaseSummary *watch)
{
    struct lb_ctl_case_run *run = &event->run;
    lb_ctl_case_free(run->view);
    run->view = lb_ctl_case_new();
    LB_ENSURE(run->view != NULL, LB_NO_MEMORY, "memory is exhausted");
    lb_status status = lb_ctl_case_run_collect(run, watch->case_id, 0);
    return status == LB_OK ? count_result(event) : count_failure(event, status);
}

static lb_status look_at_all(struct event *event)
{
    const struct lb_clock *clock = event->run.env->clock;
    for (size_t i = 0; i < event->num_watches && !event->used_up; i++) {
        const Lianban__V1__CaseSummary *watch = event->watches[i];
        int64_t begun = lb_clock_monotonic_ms(clock), before = event->looked;
        if (watch->next_look_unix_s > lb_clock_unix_s(clock)) {
            event->not_due++;
            continue;
        }
        LB_TRY(look_at(event, watch));
        if (event->looked == before)
            continue;
        if (event->looked % TELL_EVERY == 0)
            lb_ctl_note(event->run.env, "%lld looked at 已比对", (long long)event->looked);
        lb_ctl_case_run_pace(&event->run, begun, event->per_minute);
    }
    return LB_OK;
}

/* --- what is told --- */

static const struct lb_ctl_column list_columns[] = {
    {.id = "case_id", .en = "watch", .zh = "关注"},
    {.id = "trigger", .en = "trigger", .zh = "事件"},
    {.id = "state", .en = "state", .zh = "状态"},
    {.id = "every_days", .en = "every days", .zh = "间隔（天）", .number = true},
    {.id = "looked", .en = "last look", .zh = "最近一次"},
    {.id = "next", .en = "next look from", .zh = "下次最早"},
};

static const char *time_of(struct lb_arena *arena, int64_t unix_s)
{
    char text[LB_CTL_TIME_BYTES] = "";
    if (unix_s > 0 && unix_s < INT64_MAX / 1000)
        lb_ctl_time(unix_s * 1000, text);
    return lb_arena_str(arena, lb_span_str(text));
}

static lb_status tell_list(struct event *event)
{
    struct lb_ctl_sheet sheet;
    lb_ctl_sheet_init(&sheet, event->run.env, event->arena, list_columns, 6);
    for (size_t i = 0; i < event->num_watches; i++) {
        const Lianban__V1__CaseSummary *watch = event->watches[i];
        const char *const cells[] = {watch->case_id,
                                     watch->form,
                                     watch->state,
                                     lb_arena_printf(event->arena, "%u", watch->every_days),
                                     time_of(event->arena, watch->looked_unix_s),
                                     time_of(event->arena, watch->next_look_unix_s)};
        lb_ctl_sheet_row(&sheet, cells);
    }
    lb_ctl_sheet_number(&sheet, "watches", "关注人户", "watches", (int64_t)event->num_watches);
    return lb_ctl_sheet_print(&sheet, false);
}

static lb_status tell_numbers(struct event *event)
{
    static const struct lb_ctl_column columns[] = {
        {.id = "found", .en = "found", .zh = "结果"},
        {.id = "watches", .en = "watches", .zh = "人户", .number = true},
    };
    const struct {
        const char *en, *zh;
        int64_t number;
    } rows[] = {
        {"may be entitled: signalled", "可能符合，已发线索", event->signalled},
        {"not", "不符合", event->none},
        {"not known: not signalled", "无法确定，不发线索", event->unknown},
        {"a department was away: run again within a day", "部门未答复，一天内再运行", event->again},
        {"looked at within the interval", "本间隔内已比对", event->not_due},
        {"no grant, or not yet", "无授权或待授权", event->no_grant},
        {"failed", "失败", event->failed},
    };
    struct lb_ctl_sheet sheet;
    lb_ctl_sheet_init(&sheet, event->run.env, event->arena, columns, 2);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *const cells[] = {
            lb_ctl_pick(event->run.env, rows[i].zh, rows[i].en),
            lb_arena_printf(event->arena, "%lld", (long long)rows[i].number)};
        lb_ctl_sheet_row(&sheet, cells);
    }
    lb_ctl_sheet_number(&sheet, "looked", "本次比对", "looked at now", event->looked);
    return lb_ctl_sheet_print(&sheet, false);
}

static void set_numbers(const struct event *event, struct lb_json *json)
{
    lb_json_set_cstr(json, "trigger", event->trigger);
    lb_json_set_int(json, "watches", (int64_t)event->num_watches);
    lb_json_set_int(json, "looked", event->looked);
    lb_json_set_int(json, "signalled", event->signalled);
    lb_json_set_int(json, "none", event->none);
    lb_json_set_int(json, "unknown", event->unknown);
    lb_json_set_int(json, "again", event->again);
    lb_json_set_int(json, "not_due", event->not_due);
    lb_json_set_int(json, "no_grant", event->no_grant);
    lb_json_set_int(json, "failed", event->failed);
    lb_json_set_bool(json, "budget_used_up", event->used_up);
}

static lb_status tell_run(struct event *event)
{
    if (!event->run.env->json)
        return tell_numbers(event);
    LB_DEFER(lb_json_freep) struct lb_json *json = lb_json_object();
    set_numbers(event, json);
    return lb_ctl_print_json(event->run.env, json);
}

/* --- the commands --- */

static int finish(struct event *event, lb_status status)
{
    bool all = event->again == 0 && event->failed == 0 && !event->used_up;
    int exit_code = all ? LB_CTL_OK : LB_CTL_FAILED;
    if (status != LB_OK)
        exit_code = lb_ctl_case_run_fail(&event->run, NULL, status);
    lb_ctl_case_run_close(&event->run);
    lb_arena_free(event->arena);
    return exit_code;
}

static lb_status run_all(struct event *event)
{
    LB_TRY(open_all(event));
    lb_status status = look_at_all(event);
    if (status != LB_OK && event->run.env->json)
        return status;
    lb_status told = tell_run(event);
    return status == LB_OK ? told : status;
}

static lb_status list_all(struct event *event)
{
    LB_TRY(open_all(event));
    return tell_list(event);
}

static int read_args(struct event *event, struct lb_ctl_usage *usage,
                     const struct lb_ctl_option *options, size_t num, int argc, char **argv)
{
    struct lb_ctl_list operands = {.num = 0};
    usage->options = options;
    usage->num_options = num;
    int exit_code = lb_ctl_args(event->run.env, usage, argc, argv, &operands);
    if (exit_code == LB_CTL_GO && !lb_ctl_agent_ok(event->agent))
        return lb_ctl_usage_error(event->run.env, usage->command,
                                  "--agent is unix: and the path of a socket");
    event->trigger = operands.num > 0 ? operands.items[0] : "";
    return exit_code;
}

static int event_run(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {"lianban event run medical-burden",
                                           "lianban event run medical-burden --json", NULL};
    struct event event = {.run = {.env = env, .command = "event run"}, .agent = env->agent,
                          .per_minute = DEFAULT_PER_MINUTE};
    const struct lb_ctl_option options[] = {
        {.name = "agent", .value = "unix:PATH", .text = &event.agent,
         .en = "the department's own agent (or LIANBAN_AGENT)",
         .zh = "本部门代理地址（或 LIANBAN_AGENT）"},
        {.name = "per-minute", .value = "N", .number = &event.per_minute, .min = 1,
         .max = MAX_PER_MINUTE, .en = "at most so many looks a minute; default 120",
         .zh = "每分钟最多比对数，默认 120"},
    };
    struct lb_ctl_usage usage = {
        .command = "event run", .operand = "TRIGGER", .min_operands = 1, .max_operands = 1,
        .en = "look at all who agreed to a trigger; who may be entitled is signalled, nothing else",
        .zh = "对已长期授权者逐一比对，可能符合的发出线索，不作任何决定", .examples = examples,
    };
    int exit_code = read_args(&event, &usage, options, 2, argc, argv);
    return exit_code != LB_CTL_GO ? exit_code : finish(&event, run_all(&event));
}

static int event_list(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {"lianban event list",
                                           "lianban event list medical-burden --json", NULL};
    struct event event = {.run = {.env = env, .command = "event list"}, .agent = env->agent};
    const struct lb_ctl_option options[] = {
        {.name = "agent", .value = "unix:PATH", .text = &event.agent,
         .en = "the department's own agent (or LIANBAN_AGENT)",
         .zh = "本部门代理地址（或 LIANBAN_AGENT）"},
    };
    struct lb_ctl_usage usage = {
        .command = "event list", .operand = "TRIGGER", .max_operands = 1,
        .en = "the watches: since when, and when they are looked at next; nobody's name",
        .zh = "列出关注人户及比对时间，不含姓名", .examples = examples,
    };
    int exit_code = read_args(&event, &usage, options, 1, argc, argv);
    return exit_code != LB_CTL_GO ? exit_code : finish(&event, list_all(&event));
}

int lb_ctl_event_command(struct lb_ctl_env *env, int argc, char **argv)
{
    static const struct lb_ctl_word words[] = {
        {"run", "one look at all who agreed to a trigger", "对已长期授权者逐一比对", event_run},
        {"list", "the watches and their looks", "列出关注人户", event_list},
    };
    return lb_ctl_words(env, "event", words, 2, argc, argv);
}
