#include "gateway/base/file.h"
#include "gateway/ctl/args.h"
#include "gateway/ctl/case_run.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/text.h"

#define DEFAULT_WAIT_S 120
#define MAX_WAIT_S (24 * 3600)
#define DEFAULT_UNIT "window"

struct apply {
    struct lb_ctl_case_run run;
    const char *form;
    const char *household_path;
    const char *agent;
    const char *badge;
    const char *unit;
    const char *approver, *approver_unit;
    const char *labels;
    const char *tickets_path;
    int64_t wait_s;
    struct lb_ctl_household household;
    const char *case_id;
};

static const char *const examples[] = {
    "lianban apply --form social-assistance --household household.yaml",
    "lianban apply --form social-assistance --household - --language zh < household.yaml",
    "lianban apply --form social-assistance --household h.yaml --wait 0 --json",
    "household.yaml:  members: [{role: applicant, id_no: \"...\", name: ...},",
    "                           {role: member, id_no: \"...\", name: ..., relation: spouse}]",
    NULL,
};

static int read_args(struct lb_ctl_env *env, struct apply *apply, int argc, char **argv)
{
    const struct lb_ctl_option options[] = {
        {.name = "form", .value = "FORM", .required = true, .text = &apply->form,
         .en = "the form's id", .zh = "表单编号"},
        {.name = "household", .value = "FILE|-", .required = true, .text = &apply->household_path,
         .en = "the household (YAML), - for standard input", .zh = "家庭成员（YAML），- 为标准输入"},
        {.name = "agent", .value = "unix:PATH", .text = &apply->agent,
         .en = "the window agent (or LIANBAN_AGENT)", .zh = "窗口代理地址（或 LIANBAN_AGENT）"},
        {.name = "operator", .value = "BADGE", .text = &apply->badge,
         .en = "who serves the citizen; default: the login", .zh = "经办人工号，默认登录名"},
        {.name = "unit", .value = "UNIT", .text = &apply->unit,
         .en = "the operator's unit; default: window", .zh = "经办单位，默认 window"},
        {.name = "approver", .value = "BADGE", .text = &apply->approver,
         .en = "who approves, where the form's purpose is oversight", .zh = "批准人工号（监督查询）"},
        {.name = "approver-unit", .value = "UNIT", .text = &apply->approver_unit,
         .en = "the approver's unit; default: the operator's", .zh = "批准人单位，默认同经办单位"},
        {.name = "wait", .value = "SECONDS", .number = &apply->wait_s, .max = MAX_WAIT_S,
         .en = "wait for the desk; default 120, 0: do not", .zh = "等待授权的秒数，默认 120，0 为不等"},
        {.name = "labels", .value = "FORM.yaml", .text = &apply->labels,
         .en = "the form's file, to call facts by their labels", .zh = "表单文件，用于显示事项名称"},
        {.name = "tickets", .value = "FILE", .text = &apply->tickets_path,
         .en = "write the tickets there as soon as they are known", .zh = "将授权申请号写入该文件"},
    };
    const struct lb_ctl_usage usage = {
        .command = "apply",
        .en = "fill a form for a household from the departments",
        .zh = "为一个家庭办理一张表单",
        .options = options,
        .num_options = sizeof(options) / sizeof(options[0]),
        .examples = examples,
    };
    int exit_code = lb_ctl_args(env, &usage, argc, argv, NULL);
    if (exit_code == LB_CTL_GO && !lb_ctl_agent_ok(apply->agent))
        return lb_ctl_usage_error(env, "apply", "--agent is unix: and the path of a socket");
    return exit_code;
}

/* --- the steps --- */

static lb_status open_case(struct apply *apply)
{
    const struct lb_ctl_household *household = &apply->household;
    struct lb_arena *arena = apply->run.view->arena;
    Lianban__V1__OpenCaseRequest request = LIANBAN__V1__OPEN_CASE_REQUEST__INIT;
    Lianban__V1__OpenCaseResponse *answer = NULL;
    Lianban__V1__Member members[LB_MAX_HOUSEHOLD];
    Lianban__V1__Member *list[LB_MAX_HOUSEHOLD];
    for (size_t i = 0; i < household->num; i++) {
        lianban__v1__member__init(&members[i]);
        members[i].role = (char *)(uintptr_t)household->people[i].role;
        members[i].id_no = (char *)(uintptr_t)household->people[i].id_no;
        members[i].name = (char *)(uintptr_t)household->people[i].name;
        members[i].relation = (char *)(uintptr_t)household->people[i].relation;
        members[i].representative = household->people[i].agrees;
        list[i] = &members[i];
    }
    request.form = (char *)(uintptr_t)apply->form;
    request.members = list;
    request.n_members = household->num;
    request.operator_badge = (char *)(uintptr_t)apply->badge;
    request.operator_unit = (char *)(uintptr_t)apply->unit;
    if (apply->approver != NULL) {
        request.approver_badge = (char *)(uintptr_t)apply->approver;
        request.approver_unit =
            (char *)(uintptr_t)(apply->approver_unit == NULL ? apply->unit : apply->approver_unit);
    }
    lb_status status = apply->run.port.open_case(apply->run.port.ctx, &request, arena, &answer);
    if (lb_status_code(status) == LB_MALFORMED)
        lb_diag_set(&apply->run.diag, "the agent did not take the household: compare its roles and"
                                      " their numbers with the form");
    LB_TRY(status);
    apply->case_id = answer->case_id;
    lb_ctl_note(apply->run.env, "case %s is open 已受理", apply->case_id);
    return LB_OK;
}

static lb_status show_notice(struct apply *apply)
{
    const struct lb_ctl_env *env = apply->run.env;
    Lianban__V1__GetNoticeRequest request = LIANBAN__V1__GET_NOTICE_REQUEST__INIT;
    Lianban__V1__GetNoticeResponse *notice = NULL;
    request.case_id = (char *)(uintptr_t)apply->case_id;
    request.language = env->chinese ? "zh" : "en";
    LB_TRY(apply->run.port.notice(apply->run.port.ctx, &request, apply->run.view->arena, &notice));
    if (env->json)
        return LB_OK;
    lb_ctl_put_lines(env->out, notice->text);
    (void)fputs("\n\n", env->out);
    return LB_OK;
}

static lb_status write_tickets(struct apply *apply)
{
    struct lb_span text = LB_SPAN_EMPTY;
    LB_DEFER(lb_json_freep) struct lb_json *root = lb_json_object();
    lb_json_set_cstr(root, "case_id", apply->case_id);
    lb_json_set(root, "tickets", lb_ctl_tickets_json(apply->run.view->tickets));
    LB_TRY(lb_json_dump(root, LB_JSON_PRETTY, apply->run.view->arena, &text));
    lb_status status = lb_file_write(apply->tickets_path, text, 0600);
    if (status != LB_OK)
        lb_diag_set(&apply->run.diag, "%s: %s; name a file that can be written",
                    apply->tickets_path, status->what);
    return status;
}

static lb_status request_grants(struct apply *apply)
{
    const struct lb_ctl_env *env = apply->run.env;
    struct lb_ctl_case *view = apply->run.view;
    Lianban__V1__RequestGrantsResponse *tickets = NULL;
    LB_TRY(apply->run.port.request_grants(apply->run.port.ctx, apply->case_id, view->arena,
                                          &tickets));
    view->tickets = tickets;
    if (apply->tickets_path != NULL)
        LB_TRY(write_tickets(apply));
    if (env->json) {
        lb_ctl_note(env, "%zu grants are requested 已申请授权", tickets->n_tickets);
        return LB_OK;
    }
    LB_TRY(lb_ctl_case_print_tickets(env, view));
    (void)fputc('\n', env->out);
    (void)fflush(env->out); /* the desk needs the codes while we wait */
    return LB_OK;
}

static lb_status show_pending(struct apply *apply)
{
    Lianban__V1__CaseResult *result = NULL;
    LB_TRY(apply->run.port.get_case(apply->run.port.ctx, apply->case_id, apply->run.view->arena,
                                    &result));
    apply->run.view->result = result;
    lb_ctl_note(apply->run.env, "when the desk has decided: lianban case resume --case %s",
                apply->case_id);
    return LB_OK;
}

static lb_status run_case(struct apply *apply)
{
    struct lb_ctl_case_run *run = &apply->run;
    LB_TRY(lb_ctl_case_run_open(run, apply->agent, apply->labels));
    LB_TRY(lb_ctl_household_load(run->env, apply->household_path, run->view->arena, &run->diag,
                                 &apply->household));
    run->view->household = &apply->household;
    LB_TRY(open_case(apply));
    LB_TRY(show_notice(apply));
    LB_TRY(request_grants(apply));
    if (apply->wait_s == 0)
        return show_pending(apply);
    return lb_ctl_case_run_collect(run, apply->case_id, apply->wait_s);
}

int lb_ctl_apply_command(struct lb_ctl_env *env, int argc, char **argv)
{
    struct apply apply = {
        .run = {.env = env, .command = "apply"},
        .agent = env->agent,
        .badge = env->login,
        .unit = DEFAULT_UNIT,
        .wait_s = DEFAULT_WAIT_S,
    };
    int exit_code = read_args(env, &apply, argc, argv);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    lb_status status = run_case(&apply);
    exit_code = status == LB_OK ? lb_ctl_case_run_report(&apply.run)
                                : lb_ctl_case_run_fail(&apply.run, apply.case_id, status);
    lb_ctl_case_run_close(&apply.run);
    return exit_code;
}
