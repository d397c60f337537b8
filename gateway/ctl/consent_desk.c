#include <time.h>

#include "gateway/ctl/desk.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/table.h"
#include "gateway/ctl/text.h"

/* What waits at a desk, and what has to be granted before anybody can be asked. */

static const char *date_text(struct lb_arena *arena, int64_t unix_s)
{
    struct tm local;
    time_t time = (time_t)unix_s;
    char text[20];
    if (localtime_r(&time, &local) == NULL ||
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &local) == 0)
        return "?";
    const char *copy = lb_arena_str(arena, lb_span_str(text));
    return copy != NULL ? copy : "?";
}

/* --- pending --- */

static struct lb_json *pending_json(const Lianban__V1__PendingRequest *request)
{
    struct lb_json *json = lb_json_object();
    lb_json_set_cstr(json, "request_id", request->request_id);
    lb_json_set_cstr(json, "code", request->code);
    lb_json_set_cstr(json, "form", request->form);
    lb_json_set_cstr(json, "case", request->case_id);
    lb_json_set_cstr(json, "role", request->role);
    lb_json_set_cstr(json, "requester", request->requester);
    lb_json_set_cstr(json, "agrees", request->agrees);
    lb_json_set_cstr(json, "state", request->state);
    lb_json_set_int(json, "expires", request->expires_unix_s);
    return json;
}

static lb_status print_pending(const struct lb_ctl_desk *desk,
                               const Lianban__V1__ListPendingResponse *page)
{
    static const char *const zh[] = {"申请号", "核对码", "表单",   "办件",
                                     "角色",   "由谁同意", "状态", "有效至", NULL};
    static const char *const en[] = {"request", "code",   "form",  "case",
                                     "role",    "agrees", "state", "until", NULL};
    struct lb_ctl_table table;
    lb_ctl_table_init(&table, desk->arena, desk->env->chinese ? zh : en);
    for (size_t i = 0; i < page->n_requests; i++) {
        const Lianban__V1__PendingRequest *request = page->requests[i];
        const char *const cells[] = {
            request->request_id, request->code,   request->form,
            request->case_id,    request->role,   request->agrees,
            request->state,      date_text(desk->arena, request->expires_unix_s)};
        lb_ctl_table_row(&table, cells);
    }
    LB_TRY(lb_ctl_table_print(&table, desk->env->out));
    if (page->more)
        (void)fputs(lb_ctl_pick(desk->env, "还有更多。\n", "There are more.\n"), desk->env->out);
    return LB_OK;
}

static lb_status pending(struct lb_ctl_desk *desk)
{
    Lianban__V1__ListPendingRequest request = LIANBAN__V1__LIST_PENDING_REQUEST__INIT;
    Lianban__V1__ListPendingResponse *page = NULL;
    LB_TRY(lb_ctl_desk_open(desk));
    LB_TRY(desk->port.ask(desk->port.ctx, "ListPending", &request,
                          &lianban__v1__list_pending_response__descriptor, desk->arena, &page));
    if (!desk->env->json)
        return print_pending(desk, page);
    LB_DEFER(lb_json_freep) struct lb_json *json = lb_json_object();
    struct lb_json *list = lb_json_array();
    for (size_t i = 0; i < page->n_requests; i++)
        lb_json_append(list, pending_json(page->requests[i]));
    lb_json_set(json, "requests", list);
    lb_json_set_bool(json, "more", page->more);
    return lb_ctl_print_json(desk->env, json);
}

int lb_ctl_consent_pending(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {"lianban consent pending --desk desk.yaml", NULL};
    const struct lb_ctl_usage usage = {
        .command = "consent pending", .en = "list the requests that wait for a decision",
        .zh = "列出等待决定的授权申请", .examples = examples,
    };
    struct lb_ctl_desk desk = {.env = env, .command = usage.command};
    int exit_code = lb_ctl_desk_args(&desk, &usage, NULL, 0, argc, argv);
    return exit_code != LB_CTL_GO ? exit_code : lb_ctl_desk_finish(&desk, pending(&desk));
}

/* --- emergency --- */

static lb_status emergency(struct lb_ctl_desk *desk, const char *reason)
{
    Lianban__V1__EmergencyRequest request = LIANBAN__V1__EMERGENCY_REQUEST__INIT;
    Lianban__V1__EmergencyResponse *answer = NULL;
    LB_TRY(lb_ctl_desk_open(desk));
    LB_TRY(lb_ctl_desk_read_more(desk));
    request.request_id = (char *)(uintptr_t)desk->request;
    request.reason = (char *)(uintptr_t)reason;
    request.officer_token = (char *)(uintptr_t)desk->officer;
    LB_TRY(desk->port.ask(desk->port.ctx, "IssueEmergency", &request,
                          &lianban__v1__emergency_response__descriptor, desk->arena, &answer));
    if (!desk->env->json) {
        (void)fprintf(desk->env->out, "%s ",
                      lb_ctl_pick(desk->env, "已紧急授权：", "Granted in an emergency:"));
        lb_ctl_put(desk->env->out, answer->grant_id);
        (void)fprintf(desk->env->out, "\n%s %s\n",
                      lb_ctl_pick(desk->env, "请在此之前补办手续：", "Supplement due by"),
                      date_text(desk->arena, answer->due_unix_s));
        return LB_OK;
    }
    LB_DEFER(lb_json_freep) struct lb_json *json = lb_json_object();
    lb_json_set_cstr(json, "grant_id", answer->grant_id);
    lb_json_set_int(json, "expires", answer->expires_unix_s);
    lb_json_set_int(json, "due", answer->due_unix_s);
    return lb_ctl_print_json(desk->env, json);
}

int lb_ctl_consent_emergency(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban consent emergency --desk desk.yaml --request R --reason health", NULL};
    const struct lb_ctl_usage usage = {
        .command = "consent emergency",
        .en = "grant a request while the citizen cannot be asked; supplement within ten days",
        .zh = "在无法征得本人同意时紧急授权，十日内补办手续", .examples = examples,
    };
    struct lb_ctl_desk desk = {.env = env, .command = usage.command};
    const char *reason = NULL;
    const struct lb_ctl_option own[] = {
        {.name = "request", .value = "ID", .required = true, .text = &desk.request,
         .en = "the request's number, as the window shows it", .zh = "窗口出示的授权申请号"},
        {.name = "reason", .value = "REASON", .required = true, .text = &reason,
         .en = "life, health, food, shelter, disaster, child or other",
         .zh = "life 生命、health 健康、food 温饱、shelter 住处、disaster 灾害、child 儿童、other 其他"},
        lb_ctl_desk_officer_option(&desk),
    };
    int exit_code = lb_ctl_desk_args(&desk, &usage, own, sizeof(own) / sizeof(own[0]), argc, argv);
    return exit_code != LB_CTL_GO ? exit_code
                                  : lb_ctl_desk_finish(&desk, emergency(&desk, reason));
}

/* --- due --- */

static lb_status print_due(const struct lb_ctl_desk *desk,
                           const Lianban__V1__ListDueResponse *due)
{
    static const char *const zh[] = {"授权编号", "办件", "角色", "原因", "窗口",
                                     "签发",     "补办期限", "逾期", NULL};
    static const char *const en[] = {"grant",  "case", "role",    "reason", "desk",
                                     "issued", "due",  "overdue", NULL};
    struct lb_ctl_table table;
    lb_ctl_table_init(&table, desk->arena, desk->env->chinese ? zh : en);
    for (size_t i = 0; i < due->n_items; i++) {
        const Lianban__V1__DueSupplement *item = due->items[i];
        const char *const cells[] = {
            item->grant_id, item->case_id, item->role, item->reason, item->desk,
            date_text(desk->arena, item->issued_unix_s), date_text(desk->arena, item->due_unix_s),
            item->overdue ? lb_ctl_pick(desk->env, "逾期", "OVERDUE") : ""};
        lb_ctl_table_row(&table, cells);
    }
    LB_TRY(lb_ctl_table_print(&table, desk->env->out));
    (void)fprintf(desk->env->out, desk->env->chinese ? "%u 件逾期\n" : "%u overdue\n",
                  due->overdue);
    return LB_OK;
}

static lb_status print_due_json(const struct lb_ctl_desk *desk,
                                const Lianban__V1__ListDueResponse *due)
{
    LB_DEFER(lb_json_freep) struct lb_json *json = lb_json_object();
    struct lb_json *list = lb_json_array();
    for (size_t i = 0; i < due->n_items; i++) {
        const Lianban__V1__DueSupplement *item = due->items[i];
        struct lb_json *one = lb_json_object();
        lb_json_set_cstr(one, "grant_id", item->grant_id);
        lb_json_set_cstr(one, "form", item->form);
        lb_json_set_cstr(one, "case", item->case_id);
        lb_json_set_cstr(one, "role", item->role);
        lb_json_set_cstr(one, "reason", item->reason);
        lb_json_set_cstr(one, "desk", item->desk);
        lb_json_set_int(one, "issued", item->issued_unix_s);
        lb_json_set_int(one, "due", item->due_unix_s);
        lb_json_set_bool(one, "overdue", item->overdue);
        lb_json_append(list, one);
    }
    lb_json_set(json, "items", list);
    lb_json_set_int(json, "overdue", due->overdue);
    return lb_ctl_print_json(desk->env, json);
}

/* What is late is told by the exit code as well, so that whoever watches the office needs no more
 * than to run this. */
static lb_status list_due(struct lb_ctl_desk *desk, bool *out_late)
{
    Lianban__V1__ListDueRequest request = LIANBAN__V1__LIST_DUE_REQUEST__INIT;
    Lianban__V1__ListDueResponse *due = NULL;
    LB_TRY(lb_ctl_desk_open(desk));
    LB_TRY(desk->port.ask(desk->port.ctx, "ListDue", &request,
                          &lianban__v1__list_due_response__descriptor, desk->arena, &due));
    *out_late = due->overdue > 0;
    return desk->env->json ? print_due_json(desk, due) : print_due(desk, due);
}

int lb_ctl_consent_due(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {"lianban consent due --desk desk.yaml", NULL};
    const struct lb_ctl_usage usage = {
        .command = "consent due",
        .en = "list emergencies still to be supplemented; exit code 1 when one is overdue",
        .zh = "列出待补办的紧急授权；有逾期时退出码为 1", .examples = examples,
    };
    struct lb_ctl_desk desk = {.env = env, .command = usage.command};
    bool late = false;
    int exit_code = lb_ctl_desk_args(&desk, &usage, NULL, 0, argc, argv);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    exit_code = lb_ctl_desk_finish(&desk, list_due(&desk, &late));
    return exit_code == LB_CTL_OK && late ? LB_CTL_FAILED : exit_code;
}

/* --- close --- */

static lb_status close_one(struct lb_ctl_desk *desk, const char *outcome)
{
    Lianban__V1__CloseEmergencyRequest request = LIANBAN__V1__CLOSE_EMERGENCY_REQUEST__INIT;
    Lianban__V1__CloseEmergencyResponse *answer = NULL;
    LB_TRY(lb_ctl_desk_open(desk));
    LB_TRY(lb_ctl_desk_read_more(desk));
    if (desk->document != NULL)
        LB_TRY(lb_ctl_desk_read_document(desk));
    request.grant_id = (char *)(uintptr_t)desk->grant;
    request.outcome = (char *)(uintptr_t)outcome;
    request.id_no = desk->id_no;
    request.report_sha256 = (ProtobufCBinaryData){sizeof(desk->paper_sha256), desk->paper_sha256};
    request.officer_token = (char *)(uintptr_t)desk->officer;
    LB_TRY(desk->port.ask(desk->port.ctx, "CloseEmergency", &request,
                          &lianban__v1__close_emergency_response__descriptor, desk->arena,
                          &answer));
    if (!desk->env->json) {
        (void)fputs(lb_ctl_pick(desk->env, "已补办。\n", "The supplement is recorded.\n"),
                    desk->env->out);
        return LB_OK;
    }
    LB_DEFER(lb_json_freep) struct lb_json *json = lb_json_object();
    lb_json_set_cstr(json, "grant_id", desk->grant);
    lb_json_set_cstr(json, "outcome", outcome);
    return lb_ctl_print_json(desk->env, json);
}

int lb_ctl_consent_close(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban consent close --desk desk.yaml --grant G --outcome consented --document id.txt"
        " --paper statement.pdf",
        "lianban consent close --desk desk.yaml --grant G --outcome unreachable --paper report.pdf",
        NULL,
    };
    const struct lb_ctl_usage usage = {
        .command = "consent close", .en = "record what came of an emergency",
        .zh = "为紧急授权补办手续", .examples = examples,
    };
    struct lb_ctl_desk desk = {.env = env, .command = usage.command};
    const char *outcome = NULL;
    struct lb_ctl_option document = lb_ctl_desk_document_option(&desk);
    struct lb_ctl_option paper = lb_ctl_desk_paper_option(&desk);
    document.required = false;
    paper.required = true;
    const struct lb_ctl_option own[] = {
        {.name = "grant", .value = "ID", .required = true, .text = &desk.grant,
         .en = "the emergency's grant", .zh = "紧急授权的编号"},
        {.name = "outcome", .value = "OUTCOME", .required = true, .text = &outcome,
         .en = "consented (with --document), refused, deceased, unreachable or unneeded",
         .zh = "consented 本人补同意（须出示证件）、refused 拒绝、deceased 已故、unreachable 无法联系、"
               "unneeded 不再需要"},
        document, paper, lb_ctl_desk_officer_option(&desk),
    };
    int exit_code = lb_ctl_desk_args(&desk, &usage, own, sizeof(own) / sizeof(own[0]), argc, argv);
    return exit_code != LB_CTL_GO ? exit_code
                                  : lb_ctl_desk_finish(&desk, close_one(&desk, outcome));
}
