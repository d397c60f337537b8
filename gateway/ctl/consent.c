#include "gateway/base/hex.h"
#include "gateway/crypto/hash.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/desk.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/text.h"
#include "gateway/token/ticket.h"

/* What a consent office's desk does: show the notice, record the citizen's decision, withdraw a
 * grant. */

/* What is shown and what the citizen's answer is bound to must be the same text. */
static lb_status check_notice(struct lb_ctl_desk *desk, const Lianban__V1__NoticeResponse *notice)
{
    uint8_t sha256[LB_SHA256_BYTES];
    lb_sha256(lb_span_str(notice->text), sha256);
    bool same = notice->sha256.len == sizeof(sha256) &&
                memcmp(notice->sha256.data, sha256, sizeof(sha256)) == 0;
    if (!same)
        lb_diag_set(&desk->diag, "the office's notice and its hash do not belong together");
    LB_ENSURE(same, LB_MALFORMED, "a notice with another hash");
    return LB_OK;
}

static lb_status get_notice(struct lb_ctl_desk *desk, struct lb_ctl_form_id *out_form,
                            Lianban__V1__NoticeResponse **out_notice)
{
    Lianban__V1__NoticeRequest request = LIANBAN__V1__NOTICE_REQUEST__INIT;
    const char *requester = desk->requester != NULL ? desk->requester : desk->profile.requester;
    const char *form = desk->form != NULL ? desk->form : desk->profile.form;
    if (requester == NULL) {
        lb_diag_set(&desk->diag, "who asks is not known; give --requester or set `requester` in %s",
                    desk->profile_path);
        LB_FAIL(LB_CONFIG_INVALID, "no requester");
    }
    lb_status found = desk->port.find_form(desk->port.ctx, form, out_form);
    if (found != LB_OK)
        lb_diag_set(&desk->diag, "the directory does not say which form; give --form with one it"
                                 " lists");
    LB_TRY(found);
    request.form = out_form->id;
    request.form_version = out_form->version;
    request.requester = (char *)(uintptr_t)requester;
    request.language = desk->env->chinese ? "zh" : "en";
    request.variant = (char *)(uintptr_t)(desk->variant != NULL ? desk->variant : "");
    Lianban__V1__NoticeResponse *notice = NULL;
    LB_TRY(desk->port.notice(desk->port.ctx, &request, desk->arena, &notice));
    LB_TRY(check_notice(desk, notice));
    *out_notice = notice;
    return LB_OK;
}

static void print_notice(const struct lb_ctl_desk *desk, const Lianban__V1__NoticeResponse *notice)
{
    if (desk->env->json)
        return;
    lb_ctl_put_lines(desk->env->out, notice->text);
    (void)fputs("\n\n", desk->env->out);
}

/* --- notice --- */

static lb_status notice_steps(struct lb_ctl_desk *desk)
{
    struct lb_ctl_form_id form;
    Lianban__V1__NoticeResponse *notice = NULL;
    char sha256[2 * LB_SHA256_BYTES + 1];
    LB_TRY(lb_ctl_desk_open(desk));
    LB_TRY(get_notice(desk, &form, &notice));
    print_notice(desk, notice);
    if (!desk->env->json)
        return LB_OK;
    lb_hex_encode(lb_span_of(notice->sha256.data, notice->sha256.len), sha256);
    LB_DEFER(lb_json_freep) struct lb_json *json = lb_json_object();
    lb_json_set_cstr(json, "form", form.id);
    lb_json_set_int(json, "form_version", form.version);
    lb_json_set_cstr(json, "sha256", sha256);
    lb_json_set_cstr(json, "text", notice->text);
    return lb_ctl_print_json(desk->env, json);
}

static int notice_command(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban consent notice --desk desk.yaml --form social-assistance --language zh", NULL};
    const struct lb_ctl_usage usage = {
        .command = "consent notice", .en = "print what the citizen will be told",
        .zh = "显示告知书", .examples = examples,
    };
    struct lb_ctl_desk desk = {.env = env, .command = usage.command};
    const struct lb_ctl_option own[] = {lb_ctl_desk_form_option(&desk),
                                        lb_ctl_desk_requester_option(&desk),
                                        lb_ctl_desk_variant_option(&desk)};
    int exit_code = lb_ctl_desk_args(&desk, &usage, own, 3, argc, argv);
    return exit_code != LB_CTL_GO ? exit_code : lb_ctl_desk_finish(&desk, notice_steps(&desk));
}

/* --- confirm and refuse --- */

static const char *outcome_text(const struct lb_ctl_env *env, const char *state)
{
    if (strcmp(state, "SECOND_OFFICER") == 0)
        return lb_ctl_pick(env, "已记录；还须另一名工作人员确认同一份材料。",
                           "Recorded; another officer has to confirm the same paper.");
    if (strcmp(state, "REFUSED") == 0)
        return lb_ctl_pick(env, "已记录拒绝。", "The refusal is recorded.");
    return lb_ctl_pick(env, "已授权，授权编号 ", "Granted: ");
}

static lb_status print_decision(const struct lb_ctl_desk *desk, bool agreed,
                                const Lianban__V1__ConfirmResponse *answer,
                                const Lianban__V1__NoticeResponse *notice)
{
    const struct lb_ctl_env *env = desk->env;
    if (!env->json) {
        (void)fputs(outcome_text(env, answer->state), env->out);
        lb_ctl_put(env->out, answer->grant_id);
        (void)fputc('\n', env->out);
        return LB_OK;
    }
    LB_DEFER(lb_json_freep) struct lb_json *json = lb_json_object();
    lb_json_set_cstr(json, "request_id", desk->request);
    lb_json_set_bool(json, "agreed", agreed);
    lb_json_set_cstr(json, "state", answer->state);
    lb_json_set_cstr(json, "grant_id", answer->grant_id);
    lb_json_set_cstr(json, "notice", notice->text);
    return lb_ctl_print_json(env, json);
}

static lb_status check_code(struct lb_ctl_desk *desk)
{
    char code[7];
    if (desk->code == NULL)
        return LB_OK;
    lb_ticket_code(desk->request, code);
    bool same = strcmp(code, desk->code) == 0;
    if (!same)
        lb_diag_set(&desk->diag, "request and code do not belong together; read both again from the"
                                 " window's screen");
    LB_ENSURE(same, LB_GRANT_UNKNOWN, "the code is another request's");
    return LB_OK;
}

static void fill_request(struct lb_ctl_desk *desk, bool agreed,
                         const Lianban__V1__NoticeResponse *notice,
                         Lianban__V1__ConfirmRequest *request)
{
    request->request_id = (char *)(uintptr_t)desk->request;
    request->agreed = agreed;
    request->method = (char *)(uintptr_t)desk->method;
    request->level = (uint32_t)desk->level;
    request->id_no = desk->id_no;
    request->also_id_no = desk->also_id_no;
    request->notice_sha256 = notice->sha256;
    request->officer_token = (char *)(uintptr_t)desk->officer;
    request->refused_departments = (char **)(uintptr_t)desk->departments.items;
    request->n_refused_departments = desk->departments.num;
    request->refused_facts = (char **)(uintptr_t)desk->facts.items;
    request->n_refused_facts = desk->facts.num;
    if (desk->has_paper)
        request->paper_sha256 =
            (ProtobufCBinaryData){sizeof(desk->paper_sha256), desk->paper_sha256};
}

static void explain(struct lb_ctl_desk *desk, enum lb_code code)
{
    if (code == LB_MALFORMED)
        lb_diag_set(&desk->diag, "the office did not take it: the document must be the subject's"
                                 " (or of who agrees for them), form and requester the request's,"
                                 " the paper the one that was announced, and what is refused must"
                                 " be refusable");
    if (code == LB_PARTY_MISSING)
        lb_diag_set(&desk->diag, "a minor of 14 or more and, for sensitive parts, the guardian:"
                                 " show both with --also-document, or refuse those parts");
    if (code == LB_CASE_STATE)
        lb_diag_set(&desk->diag, "something else was decided, or recorded by the first officer; a"
                                 " new request must be asked for");
}

static lb_status decide(struct lb_ctl_desk *desk, bool agreed)
{
    struct lb_ctl_form_id form;
    Lianban__V1__ConfirmRequest request = LIANBAN__V1__CONFIRM_REQUEST__INIT;
    Lianban__V1__ConfirmResponse *answer = NULL;
    Lianban__V1__NoticeResponse *notice = NULL;
    LB_TRY(check_code(desk));
    LB_TRY(lb_ctl_desk_open(desk));
    LB_TRY(lb_ctl_desk_read_document(desk));
    LB_TRY(lb_ctl_desk_read_more(desk));
    LB_TRY(get_notice(desk, &form, &notice));
    print_notice(desk, notice);
    fill_request(desk, agreed, notice, &request);
    lb_status status = desk->port.confirm(desk->port.ctx, &request, desk->arena, &answer);
    explain(desk, lb_status_code(status));
    LB_TRY(status);
    return print_decision(desk, agreed, answer, notice);
}

static int decision_command(struct lb_ctl_env *env, const struct lb_ctl_usage *usage, bool agreed,
                            int argc, char **argv)
{
    struct lb_ctl_desk desk = {
        .env = env, .command = usage->command, .method = "document", .level = 2};
    const struct lb_ctl_option own[] = {
        {.name = "request", .value = "ID", .required = true, .text = &desk.request,
         .en = "the request's number, as the window shows it", .zh = "窗口出示的授权申请号"},
        {.name = "code", .value = "CODE", .text = &desk.code,
         .en = "the code beside it, to find a mistyped number", .zh = "核对码，用于发现抄错的申请号"},
        lb_ctl_desk_document_option(&desk),
        {.name = "method", .value = "METHOD", .text = &desk.method,
         .en = "how identity was proved: document (default), face, paper2",
         .zh = "身份核验方式：document（默认）、face、paper2"},
        {.name = "level", .value = "1..4", .number = &desk.level, .min = 1, .max = 4,
         .en = "strength of that proof; default 2, sensitive facts may need more",
         .zh = "核验强度，默认 2；敏感事项可能要求更高"},
        {.name = "also-document", .value = "FILE", .text = &desk.also_document,
         .en = "a second document, when a minor of 14 or more and a guardian agree",
         .zh = "第二份证件（满14周岁未成年人与监护人共同同意时）"},
        {.name = "refuse-department", .value = "ID", .list = &desk.departments,
         .en = "a department the citizen keeps back; may be given again",
         .zh = "本人拒绝的部门，可多次填写"},
        {.name = "refuse-fact", .value = "NAME", .list = &desk.facts,
         .en = "an optional fact the citizen keeps back; may be given again",
         .zh = "本人拒绝的可选事项，可多次填写"},
        lb_ctl_desk_paper_option(&desk),
        lb_ctl_desk_officer_option(&desk),
        lb_ctl_desk_variant_option(&desk),
        lb_ctl_desk_form_option(&desk),
        lb_ctl_desk_requester_option(&desk),
    };
    int exit_code = lb_ctl_desk_args(&desk, usage, own, sizeof(own) / sizeof(own[0]), argc, argv);
    return exit_code != LB_CTL_GO ? exit_code : lb_ctl_desk_finish(&desk, decide(&desk, agreed));
}

static int confirm_command(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban consent confirm --desk desk.yaml --request R --code 123456 --document id.txt",
        "read-card | lianban consent confirm --desk desk.yaml --request R --document -"
        " --method face --level 3",
        NULL,
    };
    const struct lb_ctl_usage usage = {
        .command = "consent confirm", .en = "show the notice and record that the citizen agrees",
        .zh = "出示告知书并记录本人同意", .examples = examples,
    };
    return decision_command(env, &usage, true, argc, argv);
}

static int refuse_command(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban consent refuse --desk desk.yaml --request R --document id.txt", NULL};
    const struct lb_ctl_usage usage = {
        .command = "consent refuse", .en = "show the notice and record that the citizen refuses",
        .zh = "出示告知书并记录本人拒绝", .examples = examples,
    };
    return decision_command(env, &usage, false, argc, argv);
}

int lb_ctl_consent_command(struct lb_ctl_env *env, int argc, char **argv)
{
    static const struct lb_ctl_word words[] = {
        {"notice", "what the citizen will be told", "显示告知书", notice_command},
        {"pending", "what waits for a decision", "列出待办", lb_ctl_consent_pending},
        {"confirm", "the citizen agrees", "记录本人同意", confirm_command},
        {"refuse", "the citizen refuses", "记录本人拒绝", refuse_command},
        {"revoke", "the citizen withdraws a grant", "撤回授权", lb_ctl_consent_revoke},
        {"suspend", "a grant rests until it is resumed", "暂停授权", lb_ctl_consent_suspend},
        {"resume", "a suspended grant is good again", "恢复授权", lb_ctl_consent_resume},
        {"slip", "print the slip with the code", "打印回执", lb_ctl_consent_slip},
        {"show", "how things stand with a slip", "凭回执查询", lb_ctl_consent_show},
        {"withdraw", "withdraw with a slip", "凭回执撤回", lb_ctl_consent_withdraw},
        {"record", "a grant's consent records", "导出同意记录", lb_ctl_consent_record},
        {"emergency", "grant while nobody can be asked", "紧急授权", lb_ctl_consent_emergency},
        {"due", "emergencies to be supplemented", "待补办的紧急授权", lb_ctl_consent_due},
        {"close", "supplement an emergency", "补办紧急授权手续", lb_ctl_consent_close},
    };
    return lb_ctl_words(env, "consent", words, sizeof(words) / sizeof(words[0]), argc, argv);
}
