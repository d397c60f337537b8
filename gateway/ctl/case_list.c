#include "gateway/ctl/args.h"
#include "gateway/ctl/case_run.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/table.h"
#include "gateway/ctl/text.h"
#include "gateway/ctl/words.h"

/* `case list`: the agent's work list. */

struct listing {
    struct lb_ctl_case_run run;
    const char *agent;
    const char *form, *state, *class_id, *turn, *after;
    int64_t limit;
};

static char *text(const char *constant)
{
    return (char *)(uintptr_t)constant;
}

static lb_status ask(struct listing *listing, Lianban__V1__ListCasesResponse **out)
{
    Lianban__V1__ListCasesRequest request = LIANBAN__V1__LIST_CASES_REQUEST__INIT;
    request.form = text(listing->form);
    request.state = text(listing->state);
    request.class_id = text(listing->class_id);
    request.turn = text(listing->turn);
    request.after = text(listing->after);
    request.limit = (uint32_t)listing->limit;
    LB_TRY(lb_ctl_case_run_open(&listing->run, listing->agent, NULL));
    const struct lb_ctl_window_port *port = &listing->run.port;
    return port->ask(port->ctx, "ListCases", &request,
                     &lianban__v1__list_cases_response__descriptor, listing->run.view->arena, out);
}

/* --- print --- */

static struct lb_json *case_json(const Lianban__V1__CaseSummary *one)
{
    struct lb_json *out = lb_json_object(), *missing = lb_json_array();
    for (size_t i = 0; i < one->n_missing; i++)
        lb_json_append_str(missing, lb_span_str(one->missing[i]));
    lb_json_set_cstr(out, "case_id", one->case_id);
    lb_json_set_cstr(out, "form", one->form);
    lb_json_set_int(out, "form_version", one->form_version);
    lb_json_set_cstr(out, "state", one->state);
    lb_json_set_cstr(out, "class_id", one->class_id);
    lb_json_set_cstr(out, "decided_class_id", one->decided_class_id);
    lb_json_set_cstr(out, "turn", one->turn);
    lb_json_set_int(out, "opened_unix_s", one->opened_unix_s);
    lb_json_set_int(out, "since_unix_s", one->since_unix_s);
    lb_json_set_cstr(out, "unit", one->unit);
    lb_json_set_int(out, "num_missing", one->num_missing);
    lb_json_set(out, "missing", missing);
    lb_json_set_int(out, "corrections_open", one->corrections_open);
    lb_json_set_int(out, "corrections_overdue", one->corrections_overdue);
    if (one->judge_again)
        lb_json_set_bool(out, "judge_again", true);
    return out;
}

static lb_status print_json(const struct lb_ctl_env *env,
                            const Lianban__V1__ListCasesResponse *page)
{
    LB_DEFER(lb_json_freep) struct lb_json *json = lb_json_object();
    struct lb_json *cases = lb_json_array();
    for (size_t i = 0; i < page->n_cases; i++)
        lb_json_append(cases, case_json(page->cases[i]));
    lb_json_set(json, "cases", cases);
    lb_json_set_cstr(json, "next", page->next);
    return lb_ctl_print_json(env, json);
}

static const char *missing_of(struct lb_arena *arena, const Lianban__V1__CaseSummary *one)
{
    const char *names = "";
    for (size_t i = 0; i < one->n_missing && names != NULL; i++)
        names = lb_arena_printf(arena, "%s%s%s", names, i > 0 ? " " : "", one->missing[i]);
    return names;
}

/* Requests for corrections that are open, and how many of them are overdue; or that one was
 * answered so that the case is to be decided again. */
static const char *corrections_of(const struct lb_ctl_env *env, struct lb_arena *arena,
                                  const Lianban__V1__CaseSummary *one)
{
    if (one->corrections_open == 0)
        return one->judge_again ? lb_ctl_pick(env, "需重新审核", "decide again") : "";
    if (one->corrections_overdue == 0)
        return lb_arena_printf(arena, "%u", one->corrections_open);
    return lb_arena_printf(arena, env->chinese ? "%u（逾期%u）" : "%u (%u overdue)",
                           one->corrections_open, one->corrections_overdue);
}

static void add_row(const struct lb_ctl_env *env, struct lb_arena *arena,
                    const Lianban__V1__CaseSummary *one, struct lb_ctl_table *table)
{
    char since[LB_CTL_TIME_BYTES] = "";
    if (one->since_unix_s > 0 && one->since_unix_s < INT64_MAX / 1000)
        lb_ctl_time(one->since_unix_s * 1000, since);
    const char *const cells[] = {one->case_id,
                                 one->form,
                                 lb_ctl_word(env, one->state),
                                 one->class_id,
                                 one->decided_class_id,
                                 lb_ctl_word(env, one->turn),
                                 since,
                                 corrections_of(env, arena, one),
                                 lb_arena_printf(arena, "%u", one->num_missing),
                                 missing_of(arena, one)};
    lb_ctl_table_row(table, cells);
}

static lb_status print_table(const struct lb_ctl_env *env, struct lb_arena *arena,
                             const Lianban__V1__ListCasesResponse *page)
{
    static const char *const en[] = {"case", "form",  "state",       "suggested", "decided",
                                     "turn", "since", "corrections", "missing",   "facts", NULL};
    static const char *const zh[] = {"办件", "表单", "状态", "建议", "决定", "待办",
                                     "自",   "更正", "缺失", "事项", NULL};
    struct lb_ctl_table table;
    lb_ctl_table_init(&table, arena, env->chinese ? zh : en);
    for (size_t i = 0; i < page->n_cases; i++)
        add_row(env, arena, page->cases[i], &table);
    LB_TRY(lb_ctl_table_print(&table, env->out));
    if (page->next[0] != 0) {
        (void)fputs(lb_ctl_pick(env, "下一页：--after ", "next page: --after "), env->out);
        lb_ctl_put(env->out, page->next);
        (void)fputc('\n', env->out);
    }
    return LB_OK;
}

static lb_status show(struct listing *listing)
{
    const struct lb_ctl_env *env = listing->run.env;
    Lianban__V1__ListCasesResponse *page = NULL;
    LB_TRY(ask(listing, &page));
    return env->json ? print_json(env, page) : print_table(env, listing->run.view->arena, page);
}

int lb_ctl_case_list(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban case list --turn officer", "lianban case list --class MANUAL --json", NULL};
    struct listing listing = {.run = {.env = env, .command = "case list"}, .agent = env->agent,
                              .form = "", .state = "", .class_id = "", .turn = "", .after = ""};
    const struct lb_ctl_option options[] = {
        {.name = "agent", .value = "unix:PATH", .text = &listing.agent,
         .en = "the window agent (or LIANBAN_AGENT)", .zh = "窗口代理地址（或 LIANBAN_AGENT）"},
        {.name = "form", .value = "FORM", .text = &listing.form,
         .en = "of this form", .zh = "仅限该表单"},
        {.name = "state", .value = "STATE", .text = &listing.state,
         .en = "OPEN, GRANTS_PENDING, COLLECTING or DECIDED", .zh = "办件状态"},
        {.name = "class", .value = "CLASS", .text = &listing.class_id,
         .en = "with this class suggested; MANUAL: for a person", .zh = "建议类别，MANUAL 为转人工"},
        {.name = "turn", .value = "WHOSE", .text = &listing.turn,
         .en = "citizen, departments, officer or nobody", .zh = "待办方"},
        {.name = "after", .value = "PLACE", .text = &listing.after,
         .en = "the page after this place", .zh = "从该位置起的下一页"},
        {.name = "limit", .value = "CASES", .number = &listing.limit, .min = 1, .max = 200,
         .en = "cases on a page; default 50", .zh = "每页件数，默认 50"},
    };
    const struct lb_ctl_usage usage = {
        .command = "case list", .en = "list the cases, the oldest first", .zh = "列出办件",
        .options = options, .num_options = sizeof(options) / sizeof(options[0]),
        .examples = examples,
    };
    int exit_code = lb_ctl_args(env, &usage, argc, argv, NULL);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    if (!lb_ctl_agent_ok(listing.agent))
        return lb_ctl_usage_error(env, "case list", "--agent is unix: and the path of a socket");
    lb_status status = show(&listing);
    exit_code = status == LB_OK ? LB_CTL_OK : lb_ctl_case_run_fail(&listing.run, NULL, status);
    lb_ctl_case_run_close(&listing.run);
    return exit_code;
}
