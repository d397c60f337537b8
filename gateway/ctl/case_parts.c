#include "gateway/base/hex.h"
#include "gateway/config/yaml.h"
#include "gateway/crypto/hash.h"
#include "gateway/ctl/args.h"
#include "gateway/ctl/case_run.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/parts_view.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/text.h"

/*
 * `case submit|supplement|withdraw|retry|overdue|attest`: what departments get of a case, and what
 * becomes of it. What the citizen says comes from a file or from standard input.
 */

#define MAX_FILE_BYTES (64U * 1024)
#define MAX_PAPER_BYTES (64U * 1024 * 1024)
#define MAX_PAPERS 32U

struct order {
    struct lb_ctl_case_run run;
    const char *case_id, *agent, *part, *path, *department;
    bool emergency;
};

static char *text(const char *constant)
{
    return (char *)(uintptr_t)(constant == NULL ? "" : constant);
}

static struct order new_order(struct lb_ctl_env *env, const char *command)
{
    return (struct order){.run = {.env = env, .command = command}, .agent = env->agent};
}

static lb_status ask(struct order *order, const char *method, const void *request,
                     const ProtobufCMessageDescriptor *reply_kind, void *out)
{
    const struct lb_ctl_window_port *port = &order->run.port;
    return port->ask(port->ctx, method, request, reply_kind, order->run.view->arena, out);
}

static lb_status print(const struct order *order, const Lianban__V1__CaseParts *parts)
{
    const struct lb_ctl_env *env = order->run.env;
    if (!env->json)
        return lb_ctl_parts_print(env, parts->parts, parts->n_parts, order->run.view->arena);
    LB_DEFER(lb_json_freep) struct lb_json *json = lb_json_object();
    lb_json_set_cstr(json, "case_id", order->case_id);
    lb_json_set(json, "parts", lb_ctl_parts_json(parts->parts, parts->n_parts));
    return lb_ctl_print_json(env, json);
}

static lb_status ask_parts(struct order *order, const char *method, const void *request)
{
    Lianban__V1__CaseParts *parts = NULL;
    LB_TRY(ask(order, method, request, &lianban__v1__case_parts__descriptor, &parts));
    return print(order, parts);
}

/* --- one method each --- */

static lb_status submit(struct order *order)
{
    Lianban__V1__SubmitCaseRequest request = LIANBAN__V1__SUBMIT_CASE_REQUEST__INIT;
    request.case_id = text(order->case_id);
    request.emergency = order->emergency;
    return ask_parts(order, "Submit", &request);
}

static lb_status withdraw(struct order *order)
{
    Lianban__V1__WithdrawRequest request = LIANBAN__V1__WITHDRAW_REQUEST__INIT;
    request.case_id = text(order->case_id);
    request.part = text(order->part);
    return ask_parts(order, "Withdraw", &request);
}

static lb_status retry(struct order *order)
{
    Lianban__V1__RetryRequest request = LIANBAN__V1__RETRY_REQUEST__INIT;
    request.case_id = text(order->case_id);
    request.part = text(order->part);
    return ask_parts(order, "Retry", &request);
}

static lb_status overdue(struct order *order)
{
    const struct lb_ctl_env *env = order->run.env;
    Lianban__V1__ListOverdueRequest request = LIANBAN__V1__LIST_OVERDUE_REQUEST__INIT;
    Lianban__V1__ListOverdueResponse *late = NULL;
    request.department = text(order->department);
    LB_TRY(ask(order, "ListOverdue", &request,
               &lianban__v1__list_overdue_response__descriptor, &late));
    if (!env->json)
        return lb_ctl_overdue_print(env, late, order->run.view->arena);
    LB_DEFER(lb_json_freep) struct lb_json *json = lb_ctl_overdue_json(late);
    return lb_ctl_print_json(env, json);
}

static lb_status attest(struct order *order)
{
    const struct lb_ctl_env *env = order->run.env;
    Lianban__V1__CaseRequest request = LIANBAN__V1__CASE_REQUEST__INIT;
    Lianban__V1__CloseCaseResponse *said = NULL;
    request.case_id = text(order->case_id);
    LB_TRY(ask(order, "Attest", &request, &lianban__v1__close_case_response__descriptor, &said));
    if (!env->json) {
        lb_ctl_put_lines(env->out, said->attestation);
        return LB_OK;
    }
    LB_DEFER(lb_json_freep) struct lb_json *json = lb_json_object();
    lb_json_set_cstr(json, "attestation", said->attestation);
    return lb_ctl_print_json(env, json);
}

/* --- papers --- */

/* The paper itself stays where it is: its hash goes along. */
static lb_status read_paper(struct order *order, const struct lb_yaml_node *map,
                            Lianban__V1__CasePaper *paper)
{
    static const char *const keys[] = {"title", "file", "sha256", NULL};
    struct lb_diag *diag = &order->run.diag;
    const char *title = NULL, *path = NULL, *hex = NULL;
    struct lb_span content;
    uint8_t *digest = lb_arena_alloc(order->run.view->arena, LB_SHA256_BYTES);
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(MAX_PAPER_BYTES + 4096);
    LB_ENSURE(digest != NULL && arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(lb_yaml_only(map, keys, diag));
    LB_TRY(lb_yaml_need_text(map, "title", diag, &title));
    LB_TRY(lb_yaml_opt_text(map, "file", "", diag, &path));
    LB_TRY(lb_yaml_opt_text(map, "sha256", "", diag, &hex));
    if ((path[0] == 0) == (hex[0] == 0))
        return lb_yaml_fail(map, diag, "say either `file` or `sha256`");
    if (hex[0] != 0 && lb_hex_decode(lb_span_str(hex), digest, LB_SHA256_BYTES) != LB_OK)
        return lb_yaml_fail(lb_yaml_get(map, "sha256"), diag, "write 64 hex digits");
    if (path[0] != 0) {
        LB_TRY(lb_ctl_read(order->run.env, path, MAX_PAPER_BYTES, arena, diag, &content));
        lb_sha256(content, digest);
    }
    lianban__v1__case_paper__init(paper);
    paper->title = text(title);
    paper->sha256 = (ProtobufCBinaryData){LB_SHA256_BYTES, digest};
    return LB_OK;
}

static lb_status read_papers(struct order *order, const struct lb_yaml_node *root,
                             Lianban__V1__SupplementRequest *request)
{
    struct lb_arena *arena = order->run.view->arena;
    const struct lb_yaml_node *list = lb_yaml_get(root, "papers");
    size_t num = lb_yaml_len(list == NULL ? root : list);
    if (list == NULL)
        return LB_OK;
    if (lb_yaml_kind_of(list) != LB_YAML_LIST || num > MAX_PAPERS)
        return lb_yaml_fail(list, &order->run.diag, "`papers` lists at most %u", MAX_PAPERS);
    request->papers = lb_arena_array(arena, num, sizeof(request->papers[0]));
    LB_ENSURE(request->papers != NULL, LB_NO_MEMORY, "memory is exhausted");
    for (size_t i = 0; i < num; i++) {
        Lianban__V1__CasePaper *paper = lb_arena_alloc(arena, sizeof(*paper));
        LB_ENSURE(paper != NULL, LB_NO_MEMORY, "memory is exhausted");
        LB_TRY(read_paper(order, lb_yaml_item(list, i), paper));
        request->papers[request->n_papers++] = paper;
    }
    return LB_OK;
}

static lb_status supplement(struct order *order)
{
    static const char *const keys[] = {"note", "papers", NULL};
    Lianban__V1__SupplementRequest request = LIANBAN__V1__SUPPLEMENT_REQUEST__INIT;
    const char *name = strcmp(order->path, "-") == 0 ? "standard input" : order->path;
    const char *note = NULL;
    struct lb_span content;
    LB_DEFER(lb_yaml_freep) struct lb_yaml *yaml = NULL;
    LB_TRY(lb_ctl_read(order->run.env, order->path, MAX_FILE_BYTES, order->run.view->arena,
                       &order->run.diag, &content));
    LB_TRY(lb_yaml_load_text(content, name, &order->run.diag, &yaml));
    LB_TRY(lb_yaml_only(lb_yaml_root(yaml), keys, &order->run.diag));
    LB_TRY(lb_yaml_opt_text(lb_yaml_root(yaml), "note", "", &order->run.diag, &note));
    LB_TRY(read_papers(order, lb_yaml_root(yaml), &request));
    request.case_id = text(order->case_id);
    request.part = text(order->part);
    request.note = text(note);
    return ask_parts(order, "Supplement", &request);
}

/* --- what they share --- */

enum takes { TAKES_CASE = 1, TAKES_PART = 2, NEEDS_PART = 4, TAKES_EMERGENCY = 8, TAKES_FILE = 16 };

static int read_args(struct order *order, const struct lb_ctl_usage *usage, unsigned takes,
                     int argc, char **argv)
{
    const struct lb_ctl_option all[] = {
        {.name = "agent", .value = "unix:PATH", .text = &order->agent,
         .en = "the window agent (or LIANBAN_AGENT)", .zh = "窗口代理地址（或 LIANBAN_AGENT）"},
        {.name = "case", .value = "ID", .required = true, .text = &order->case_id,
         .en = "the case's number", .zh = "办件编号"},
        {.name = "part", .value = "PART", .required = (takes & NEEDS_PART) != 0,
         .text = &order->part, .en = "the part, by its name in the form; default: all",
         .zh = "表单中的移交名称，默认全部"},
        {.name = "emergency", .flag = &order->emergency,
         .en = "aid first: what the form has for emergencies", .zh = "先行救助"},
        {.name = "file", .value = "FILE|-", .required = true, .text = &order->path,
         .en = "what is sent after (YAML), - for standard input",
         .zh = "补充内容（YAML），- 为标准输入"},
        {.name = "department", .value = "ID", .text = &order->department,
         .en = "of this department only", .zh = "仅该部门"},
    };
    const bool wanted[] = {true, (takes & TAKES_CASE) != 0, (takes & TAKES_PART) != 0,
                           (takes & TAKES_EMERGENCY) != 0, (takes & TAKES_FILE) != 0,
                           (takes & TAKES_CASE) == 0};
    struct lb_ctl_option options[sizeof(all) / sizeof(all[0])];
    struct lb_ctl_usage full = *usage;
    full.options = options;
    full.num_options = 0;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (wanted[i])
            options[full.num_options++] = all[i];
    int exit_code = lb_ctl_args(order->run.env, &full, argc, argv, NULL);
    if (exit_code == LB_CTL_GO && !lb_ctl_agent_ok(order->agent))
        return lb_ctl_usage_error(order->run.env, usage->command,
                                  "--agent is unix: and the path of a socket");
    return exit_code;
}

static int run(struct lb_ctl_env *env, const struct lb_ctl_usage *usage, unsigned takes,
               lb_status (*act)(struct order *order), int argc, char **argv)
{
    struct order order = new_order(env, usage->command);
    int exit_code = read_args(&order, usage, takes, argc, argv);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    lb_status status = lb_ctl_case_run_open(&order.run, order.agent, NULL);
    if (status == LB_OK)
        status = act(&order);
    exit_code = status == LB_OK ? LB_CTL_OK
                                : lb_ctl_case_run_fail(&order.run, text(order.case_id), status);
    lb_ctl_case_run_close(&order.run);
    return exit_code;
}

int lb_ctl_case_submit(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {"lianban case submit --case c-0123",
                                           "lianban case submit --case c-0123 --emergency", NULL};
    const struct lb_ctl_usage usage = {
        .command = "case submit", .en = "hand each department its part of the case",
        .zh = "向各部门移交办理", .examples = examples};
    return run(env, &usage, TAKES_CASE | TAKES_EMERGENCY, submit, argc, argv);
}

int lb_ctl_case_supplement(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban case supplement --case c-0123 --part recognition --file s.yaml",
        "s.yaml:  {note: 补交户口簿, papers: [{title: 户口簿, file: scan.pdf}]}", NULL};
    const struct lb_ctl_usage usage = {
        .command = "case supplement", .en = "send after what a department wants",
        .zh = "补交部门要求的材料", .examples = examples};
    return run(env, &usage, TAKES_CASE | TAKES_PART | NEEDS_PART | TAKES_FILE, supplement, argc,
               argv);
}

int lb_ctl_case_withdraw(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {"lianban case withdraw --case c-0123",
                                           "lianban case withdraw --case c-0123 --part recognition",
                                           NULL};
    const struct lb_ctl_usage usage = {
        .command = "case withdraw", .en = "ask the departments to stop", .zh = "撤回申请",
        .examples = examples};
    return run(env, &usage, TAKES_CASE | TAKES_PART, withdraw, argc, argv);
}

int lb_ctl_case_retry(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {"lianban case retry --case c-0123", NULL};
    const struct lb_ctl_usage usage = {
        .command = "case retry", .en = "send off again what nobody took",
        .zh = "重新递送未被接收的部分", .examples = examples};
    return run(env, &usage, TAKES_CASE | TAKES_PART, retry, argc, argv);
}

int lb_ctl_case_overdue(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {"lianban case overdue",
                                           "lianban case overdue --department tax --json", NULL};
    const struct lb_ctl_usage usage = {
        .command = "case overdue", .en = "what is overdue or was taken by nobody, over all cases",
        .zh = "列出逾期或无人接收的部分", .examples = examples};
    return run(env, &usage, 0, overdue, argc, argv);
}

int lb_ctl_case_attest(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {"lianban case attest --case c-0123", NULL};
    const struct lb_ctl_usage usage = {
        .command = "case attest",
        .en = "the agent's signed word that a closed case's key is destroyed",
        .zh = "已办结办件密钥销毁的签名证明", .examples = examples};
    return run(env, &usage, TAKES_CASE, attest, argc, argv);
}
