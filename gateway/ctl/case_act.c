#include "gateway/base/hex.h"
#include "gateway/config/yaml.h"
#include "gateway/crypto/hash.h"
#include "gateway/ctl/args.h"
#include "gateway/ctl/case_run.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/say.h"

/*
 * `case fact`, `hear`, `decide`, `correct`, `corrected`: what an officer does. What they say comes
 * from a file or from standard input, never from the command line, where every account could read
 * it.
 */

#define MAX_FILE_BYTES (64U * 1024)
#define MAX_DOCUMENT_BYTES (64U * 1024 * 1024)
#define MAX_LAWS 8U

struct act {
    struct lb_ctl_case_run run;
    const char *case_id, *agent, *badge, *unit, *path;
    struct lb_yaml *yaml;
    const struct lb_yaml_node *root;
    Lianban__V1__CaseActor actor;
};

static char *text(const char *constant)
{
    return (char *)(uintptr_t)constant;
}

static lb_status ask(struct act *act, const char *method, const void *request)
{
    const struct lb_ctl_window_port *port = &act->run.port;
    Lianban__V1__ActResponse *answer = NULL;
    LB_TRY(port->ask(port->ctx, method, request, &lianban__v1__act_response__descriptor,
                     act->run.view->arena, &answer));
    LB_ENSURE(answer->record != NULL && answer->result != NULL, LB_INTERNAL,
              "an answer without its record");
    act->run.view->result = answer->result;
    lb_ctl_note(act->run.env, "record %u is signed and in the log 已签名存证",
                answer->record->number);
    return LB_OK;
}

/* --- one file each --- */

static lb_status need(struct act *act, const char *key, char **out)
{
    const char *value = NULL;
    LB_TRY(lb_yaml_need_text(act->root, key, &act->run.diag, &value));
    *out = text(value);
    return LB_OK;
}

/* The document itself stays where it is: its hash goes along. */
static lb_status read_document(struct act *act, Lianban__V1__AddFactRequest *request)
{
    struct lb_diag *diag = &act->run.diag;
    const char *path = NULL, *hex = NULL;
    struct lb_span content;
    uint8_t *digest = lb_arena_alloc(act->run.view->arena, LB_SHA256_BYTES);
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(MAX_DOCUMENT_BYTES + 4096);
    LB_ENSURE(digest != NULL && arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(lb_yaml_opt_text(act->root, "document", "", diag, &path));
    LB_TRY(lb_yaml_opt_text(act->root, "document_sha256", "", diag, &hex));
    if (path[0] == 0 && hex[0] == 0)
        return LB_OK;
    if (path[0] != 0 && hex[0] != 0)
        return lb_yaml_fail(act->root, diag, "say either `document` or `document_sha256`");
    if (hex[0] != 0 && lb_hex_decode(lb_span_str(hex), digest, LB_SHA256_BYTES) != LB_OK)
        return lb_yaml_fail(lb_yaml_get(act->root, "document_sha256"), diag,
                            "write 64 hex digits");
    if (path[0] != 0) {
        LB_TRY(lb_ctl_read(act->run.env, path, MAX_DOCUMENT_BYTES, arena, diag, &content));
        lb_sha256(content, digest);
    }
    request->document_sha256 = (ProtobufCBinaryData){LB_SHA256_BYTES, digest};
    return LB_OK;
}

static lb_status add_fact(struct act *act)
{
    static const char *const keys[] = {"member", "fact",     "value",           "grade",
                                       "source", "document", "document_sha256", "reason", NULL};
    Lianban__V1__AddFactRequest request = LIANBAN__V1__ADD_FACT_REQUEST__INIT;
    int64_t member = 0;
    LB_TRY(lb_yaml_only(act->root, keys, &act->run.diag));
    LB_TRY(lb_yaml_opt_int(act->root, "member", 1, LB_MAX_HOUSEHOLD, 1, &act->run.diag, &member));
    LB_TRY(need(act, "fact", &request.fact));
    LB_TRY(need(act, "value", &request.value));
    LB_TRY(need(act, "grade", &request.grade));
    LB_TRY(need(act, "source", &request.source));
    LB_TRY(need(act, "reason", &request.reason));
    LB_TRY(read_document(act, &request));
    request.case_id = text(act->case_id);
    request.actor = &act->actor;
    request.member = (uint32_t)(member - 1);
    return ask(act, "AddFact", &request);
}

static lb_status hear(struct act *act)
{
    static const char *const keys[] = {"date", "said", NULL};
    Lianban__V1__RecordHearingRequest request = LIANBAN__V1__RECORD_HEARING_REQUEST__INIT;
    LB_TRY(lb_yaml_only(act->root, keys, &act->run.diag));
    LB_TRY(need(act, "date", &request.date));
    LB_TRY(need(act, "said", &request.said));
    request.case_id = text(act->case_id);
    request.actor = &act->actor;
    return ask(act, "RecordHearing", &request);
}

static lb_status read_laws(struct act *act, Lianban__V1__DecideCaseRequest *request)
{
    struct lb_diag *diag = &act->run.diag;
    const struct lb_yaml_node *list = NULL;
    LB_TRY(lb_yaml_need(act->root, "law", diag, &list));
    size_t num = lb_yaml_kind_of(list) == LB_YAML_LIST ? lb_yaml_len(list) : 0;
    if (num == 0 || num > MAX_LAWS)
        return lb_yaml_fail(list, diag, "`law` lists 1 to %u, such as [SAL45]", MAX_LAWS);
    request->law = lb_arena_array(act->run.view->arena, num, sizeof(request->law[0]));
    LB_ENSURE(request->law != NULL, LB_NO_MEMORY, "memory is exhausted");
    for (size_t i = 0; i < num; i++) {
        const char *law = NULL;
        LB_TRY(lb_yaml_text(lb_yaml_item(list, i), diag, &law));
        request->law[request->n_law++] = text(law);
    }
    return LB_OK;
}

static lb_status decide(struct act *act)
{
    static const char *const keys[] = {"class", "reason", "law", "suggestion", "replaces", NULL};
    Lianban__V1__DecideCaseRequest request = LIANBAN__V1__DECIDE_CASE_REQUEST__INIT;
    struct lb_diag *diag = &act->run.diag;
    int64_t suggestion = 0, replaces = 0;
    LB_TRY(lb_yaml_only(act->root, keys, diag));
    LB_TRY(need(act, "class", &request.class_id));
    LB_TRY(need(act, "reason", &request.reason));
    LB_TRY(read_laws(act, &request));
    LB_TRY(lb_yaml_need_int(act->root, "suggestion", 1, UINT32_MAX, diag, &suggestion));
    LB_TRY(lb_yaml_opt_int(act->root, "replaces", 0, UINT32_MAX, 0, diag, &replaces));
    request.case_id = text(act->case_id);
    request.actor = &act->actor;
    request.suggestion = (uint32_t)suggestion;
    request.replaces = (uint32_t)replaces;
    return ask(act, "DecideCase", &request);
}

static lb_status request_correction(struct act *act)
{
    static const char *const keys[] = {"member", "fact", "says", NULL};
    Lianban__V1__RequestCorrectionRequest request = LIANBAN__V1__REQUEST_CORRECTION_REQUEST__INIT;
    int64_t member = 0;
    LB_TRY(lb_yaml_only(act->root, keys, &act->run.diag));
    LB_TRY(lb_yaml_opt_int(act->root, "member", 1, LB_MAX_HOUSEHOLD, 1, &act->run.diag, &member));
    LB_TRY(need(act, "fact", &request.fact));
    LB_TRY(need(act, "says", &request.says));
    request.case_id = text(act->case_id);
    request.actor = &act->actor;
    request.member = (uint32_t)(member - 1);
    return ask(act, "RequestCorrection", &request);
}

static lb_status close_correction(struct act *act)
{
    static const char *const keys[] = {"correction", "outcome", "answer", NULL};
    Lianban__V1__CloseCorrectionRequest request = LIANBAN__V1__CLOSE_CORRECTION_REQUEST__INIT;
    int64_t correction = 0;
    LB_TRY(lb_yaml_only(act->root, keys, &act->run.diag));
    LB_TRY(lb_yaml_need_int(act->root, "correction", 1, UINT32_MAX, &act->run.diag, &correction));
    LB_TRY(need(act, "outcome", &request.outcome));
    LB_TRY(need(act, "answer", &request.answer));
    request.case_id = text(act->case_id);
    request.actor = &act->actor;
    request.correction = (uint32_t)correction;
    return ask(act, "CloseCorrection", &request);
}

/* --- what they share --- */

static lb_status load(struct act *act)
{
    struct lb_span content;
    const char *name = strcmp(act->path, "-") == 0 ? "standard input" : act->path;
    LB_TRY(lb_ctl_case_run_open(&act->run, act->agent, NULL));
    LB_TRY(lb_ctl_read(act->run.env, act->path, MAX_FILE_BYTES, act->run.view->arena,
                       &act->run.diag, &content));
    LB_TRY(lb_yaml_load_text(content, name, &act->run.diag, &act->yaml));
    act->root = lb_yaml_root(act->yaml);
    lianban__v1__case_actor__init(&act->actor);
    act->actor.badge = text(act->badge);
    act->actor.unit = text(act->unit);
    return LB_OK;
}

static int read_args(struct act *act, const struct lb_ctl_usage *usage, int argc, char **argv)
{
    const struct lb_ctl_option options[] = {
        {.name = "case", .value = "ID", .required = true, .text = &act->case_id,
         .en = "the case's number", .zh = "办件编号"},
        {.name = "file", .value = "FILE|-", .required = true, .text = &act->path,
         .en = "what you say (YAML), - for standard input", .zh = "内容（YAML），- 为标准输入"},
        {.name = "operator", .value = "BADGE", .text = &act->badge,
         .en = "who does this; default: the login", .zh = "经办人工号，默认登录名"},
        {.name = "unit", .value = "UNIT", .text = &act->unit,
         .en = "the operator's unit; default: window", .zh = "经办单位，默认 window"},
        {.name = "agent", .value = "unix:PATH", .text = &act->agent,
         .en = "the window agent (or LIANBAN_AGENT)", .zh = "窗口代理地址（或 LIANBAN_AGENT）"},
    };
    struct lb_ctl_usage full = *usage;
    full.options = options;
    full.num_options = sizeof(options) / sizeof(options[0]);
    int exit_code = lb_ctl_args(act->run.env, &full, argc, argv, NULL);
    if (exit_code == LB_CTL_GO && !lb_ctl_agent_ok(act->agent))
        return lb_ctl_usage_error(act->run.env, usage->command,
                                  "--agent is unix: and the path of a socket");
    return exit_code;
}

static int run(struct lb_ctl_env *env, const struct lb_ctl_usage *usage,
               lb_status (*say)(struct act *act), int argc, char **argv)
{
    struct act act = {.run = {.env = env, .command = usage->command},
                      .agent = env->agent, .badge = env->login, .unit = "window"};
    int exit_code = read_args(&act, usage, argc, argv);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    lb_status status = load(&act);
    if (status == LB_OK)
        status = say(&act);
    exit_code = status == LB_OK ? lb_ctl_case_run_report(&act.run)
                                : lb_ctl_case_run_fail(&act.run, act.case_id, status);
    lb_yaml_free(act.yaml);
    lb_ctl_case_run_close(&act.run);
    return exit_code;
}

int lb_ctl_case_fact(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban case fact --case c-0123 --operator W-0017 --unit street-01 --file fact.yaml",
        "fact.yaml:  {member: 1, fact: wage12, value: \"1200000\", grade: B,",
        "             source: 单位收入证明, document: scan.pdf, reason: 税务部门未答复}",
        NULL,
    };
    const struct lb_ctl_usage usage = {
        .command = "case fact", .en = "add a fact that no department answered",
        .zh = "补充部门未答复的事项", .examples = examples};
    return run(env, &usage, add_fact, argc, argv);
}

int lb_ctl_case_hear(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban case hear --case c-0123 --operator W-0017 --unit street-01 --file -",
        "standard input:  {date: 2026-11-20, said: 本人认为收入有误}",
        NULL,
    };
    const struct lb_ctl_usage usage = {
        .command = "case hear", .en = "note that the person was heard, and what they said",
        .zh = "记录听取本人意见", .examples = examples};
    return run(env, &usage, hear, argc, argv);
}

int lb_ctl_case_decide(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban case decide --case c-0123 --operator W-0018 --unit street-01 --file d.yaml",
        "d.yaml:  {class: DIBAO, reason: 经核对符合条件, law: [SAL45], suggestion: 5}",
        NULL,
    };
    const struct lb_ctl_usage usage = {
        .command = "case decide", .en = "note what you decide, and why", .zh = "作出决定并说明理由",
        .examples = examples};
    return run(env, &usage, decide, argc, argv);
}

int lb_ctl_case_correct(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban case correct --case c-0123 --operator W-0017 --unit street-01 --file c.yaml",
        "c.yaml:  {member: 1, fact: house_count, says: 该房屋已于去年出售}",
        NULL,
    };
    const struct lb_ctl_usage usage = {
        .command = "case correct", .en = "note what the citizen says a department has wrong",
        .zh = "登记本人的更正请求", .examples = examples};
    return run(env, &usage, request_correction, argc, argv);
}

int lb_ctl_case_corrected(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban case corrected --case c-0123 --operator W-0017 --unit street-01 --file a.yaml",
        "a.yaml:  {correction: 6, outcome: corrected, answer: 已更正登记}",
        NULL,
    };
    const struct lb_ctl_usage usage = {
        .command = "case corrected", .en = "note what the department answered: corrected or kept",
        .zh = "登记部门对更正请求的答复", .examples = examples};
    return run(env, &usage, close_correction, argc, argv);
}
