#include "gateway/ctl/desk.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/text.h"
#include "gateway/token/slip.h"

/* After the decision: the citizen's slip and what can be done with it, and the office's record. */

static struct lb_ctl_option grant_option(struct lb_ctl_desk *desk)
{
    return (struct lb_ctl_option){
        .name = "grant", .value = "ID", .required = true, .text = &desk->grant,
        .en = "the grant", .zh = "授权编号"};
}

/* --- slip --- */

static lb_status print_slip(struct lb_ctl_desk *desk)
{
    Lianban__V1__SlipRequest request = LIANBAN__V1__SLIP_REQUEST__INIT;
    Lianban__V1__SlipResponse *answer = NULL;
    LB_TRY(lb_ctl_desk_open(desk));
    LB_TRY(lb_ctl_desk_read_more(desk));
    LB_TRY(lb_ctl_desk_read_document(desk));
    request.grant_id = (char *)(uintptr_t)desk->grant;
    request.id_no = desk->id_no;
    request.language = desk->env->chinese ? "zh" : "en";
    request.officer_token = (char *)(uintptr_t)desk->officer;
    LB_TRY(desk->port.ask(desk->port.ctx, "GetSlip", &request,
                          &lianban__v1__slip_response__descriptor, desk->arena, &answer));
    if (!desk->env->json) {
        lb_ctl_put_lines(desk->env->out, answer->text);
        (void)fputc('\n', desk->env->out);
        return LB_OK;
    }
    LB_DEFER(lb_json_freep) struct lb_json *json = lb_json_object();
    lb_json_set_cstr(json, "code", answer->code);
    lb_json_set_cstr(json, "text", answer->text);
    return lb_ctl_print_json(desk->env, json);
}

int lb_ctl_consent_slip(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban consent slip --desk desk.yaml --grant G --document id.txt --language zh", NULL};
    const struct lb_ctl_usage usage = {
        .command = "consent slip", .en = "print the slip that the citizen takes home",
        .zh = "打印交给本人的回执", .examples = examples,
    };
    struct lb_ctl_desk desk = {.env = env, .command = usage.command};
    const struct lb_ctl_option own[] = {grant_option(&desk), lb_ctl_desk_document_option(&desk),
                                        lb_ctl_desk_officer_option(&desk)};
    int exit_code = lb_ctl_desk_args(&desk, &usage, own, 3, argc, argv);
    return exit_code != LB_CTL_GO ? exit_code : lb_ctl_desk_finish(&desk, print_slip(&desk));
}

/* --- show and withdraw --- */

/* A mistyped code is found here, before it costs one of the few tries. */
static lb_status find_slip(struct lb_ctl_desk *desk, Lianban__V1__SlipStatus **out)
{
    Lianban__V1__FindSlipRequest request = LIANBAN__V1__FIND_SLIP_REQUEST__INIT;
    char code[LB_SLIP_CODE_BYTES];
    lb_status status = lb_slip_normalise(lb_span_str(desk->code), code);
    if (status != LB_OK)
        lb_diag_set(&desk->diag, "the code was mistyped; read it again from the slip, in groups of"
                                 " four");
    LB_TRY(status);
    LB_TRY(lb_ctl_desk_open(desk));
    LB_TRY(lb_ctl_desk_read_more(desk));
    LB_TRY(lb_ctl_desk_read_document(desk));
    request.code = code;
    request.id_no = desk->id_no;
    request.officer_token = (char *)(uintptr_t)desk->officer;
    status = desk->port.ask(desk->port.ctx, "FindSlip", &request,
                            &lianban__v1__slip_status__descriptor, desk->arena, out);
    if (lb_status_code(status) == LB_GRANT_UNKNOWN)
        lb_diag_set(&desk->diag, "no grant of this office has this code and this person");
    return status;
}

static void put_names(const struct lb_ctl_desk *desk, const char *zh, const char *en,
                      char *const *names, size_t num)
{
    (void)fputs(lb_ctl_pick(desk->env, zh, en), desk->env->out);
    for (size_t i = 0; i < num; i++) {
        (void)fputc(' ', desk->env->out);
        lb_ctl_put(desk->env->out, names[i]);
    }
    (void)fputc('\n', desk->env->out);
}

static struct lb_json *names_json(char *const *names, size_t num)
{
    struct lb_json *list = lb_json_array();
    for (size_t i = 0; i < num; i++)
        lb_json_append_str(list, lb_span_str(names[i]));
    return list;
}

static void put_standing(const struct lb_ctl_desk *desk, const Lianban__V1__SlipStatus *status)
{
    char until[LB_CTL_TIME_BYTES];
    if (status->every_days == 0)
        return;
    lb_ctl_time(status->expires_unix_s * 1000, until);
    (void)fprintf(desk->env->out, "%s %lld, %s %s\n",
                  lb_ctl_pick(desk->env, "长期授权，间隔天数：", "standing, once in days:"),
                  (long long)status->every_days, lb_ctl_pick(desk->env, "有效期至", "until"),
                  until);
}

static lb_status show(struct lb_ctl_desk *desk)
{
    Lianban__V1__SlipStatus *status = NULL;
    LB_TRY(find_slip(desk, &status));
    if (!desk->env->json) {
        char *const head[] = {status->state, status->grant_id, status->form, status->case_id,
                              status->requester};
        put_names(desk, "状态、编号、表单、办件、查询方：", "state, grant, form, case, asked by:", head,
                  5);
        put_names(desk, "同意的部门：", "agreed to:", status->departments, status->n_departments);
        put_names(desk, "拒绝的部分：", "refused:", status->refused, status->n_refused);
        put_standing(desk, status);
        return LB_OK;
    }
    LB_DEFER(lb_json_freep) struct lb_json *json = lb_json_object();
    lb_json_set_cstr(json, "state", status->state);
    lb_json_set_cstr(json, "grant_id", status->grant_id);
    lb_json_set_cstr(json, "form", status->form);
    lb_json_set_cstr(json, "case", status->case_id);
    lb_json_set_cstr(json, "requester", status->requester);
    lb_json_set_int(json, "issued", status->issued_unix_s);
    lb_json_set_int(json, "expires", status->expires_unix_s);
    lb_json_set_int(json, "every_days", status->every_days);
    lb_json_set(json, "departments", names_json(status->departments, status->n_departments));
    lb_json_set(json, "refused", names_json(status->refused, status->n_refused));
    return lb_ctl_print_json(desk->env, json);
}

static lb_status withdraw(struct lb_ctl_desk *desk)
{
    Lianban__V1__SlipStatus *status = NULL;
    LB_TRY(find_slip(desk, &status));
    desk->grant = status->grant_id;
    return lb_ctl_desk_revoke(desk);
}

static int by_code(struct lb_ctl_env *env, const struct lb_ctl_usage *usage,
                   lb_status (*steps)(struct lb_ctl_desk *desk), int argc, char **argv)
{
    struct lb_ctl_desk desk = {.env = env, .command = usage->command};
    const struct lb_ctl_option own[] = {
        {.name = "code", .value = "CODE", .required = true, .text = &desk.code,
         .en = "the code on the slip", .zh = "回执上的编号"},
        lb_ctl_desk_document_option(&desk),
        lb_ctl_desk_officer_option(&desk),
    };
    int exit_code = lb_ctl_desk_args(&desk, usage, own, 3, argc, argv);
    return exit_code != LB_CTL_GO ? exit_code : lb_ctl_desk_finish(&desk, steps(&desk));
}

int lb_ctl_consent_show(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban consent show --desk desk.yaml --code XXXX-XXXX-XXXX-XXXX-XXXX --document id.txt",
        NULL};
    const struct lb_ctl_usage usage = {
        .command = "consent show", .en = "tell how things stand with a slip",
        .zh = "凭回执查询授权情况", .examples = examples,
    };
    return by_code(env, &usage, show, argc, argv);
}

int lb_ctl_consent_withdraw(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban consent withdraw --desk desk.yaml --code XXXX-XXXX-XXXX-XXXX-XXXX"
        " --document id.txt",
        NULL};
    const struct lb_ctl_usage usage = {
        .command = "consent withdraw", .en = "withdraw the grant of a slip, at any desk",
        .zh = "凭回执在任一窗口撤回授权", .examples = examples,
    };
    return by_code(env, &usage, withdraw, argc, argv);
}

/* --- record --- */

static lb_status put_records(const struct lb_ctl_desk *desk,
                             const Lianban__V1__RecordResponse *answer)
{
    LB_DEFER(lb_json_freep) struct lb_json *list = lb_json_array();
    for (size_t i = 0; i < answer->n_records; i++) {
        struct lb_json *record = NULL;
        LB_TRY(lb_json_parse(lb_span_str(answer->records[i]), &record));
        lb_json_append(list, record);
    }
    return lb_ctl_print_json(desk->env, list);
}

static void put_field(const struct lb_ctl_desk *desk, const struct lb_json *record,
                      const char *key)
{
    struct lb_span text;
    if (lb_json_get_str(record, key, &text) != LB_OK)
        return;
    const char *copy = lb_arena_str(desk->arena, text);
    (void)fprintf(desk->env->out, "  %s: ", key);
    lb_ctl_put(desk->env->out, copy != NULL ? copy : "?");
    (void)fputc('\n', desk->env->out);
}

/* For eyes: what the standard's record says at its head; the whole of it is in --json. */
static lb_status put_heads(const struct lb_ctl_desk *desk,
                           const Lianban__V1__RecordResponse *answer)
{
    static const char *const keys[] = {"record_id", "schema_version", "pii_principal_id",
                                       "purpose",   "language",       "retention_period",
                                       "withdrawal_method", "case",   "role"};
    static const char *const event_keys[] = {"event_state", "event_type", "given_by", "relation",
                                             "reason",      "recorded_by", "officer"};
    for (size_t i = 0; i < answer->n_records; i++) {
        LB_DEFER(lb_json_freep) struct lb_json *record = NULL;
        const struct lb_json *event = NULL;
        LB_TRY(lb_json_parse(lb_span_str(answer->records[i]), &record));
        LB_TRY(lb_json_get_object(record, "event", &event));
        (void)fprintf(desk->env->out, "%zu\n", i + 1);
        for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
            put_field(desk, record, keys[k]);
        for (size_t k = 0; k < sizeof(event_keys) / sizeof(event_keys[0]); k++)
            put_field(desk, event, event_keys[k]);
    }
    return LB_OK;
}

static lb_status read_records(struct lb_ctl_desk *desk)
{
    Lianban__V1__RecordRequest request = LIANBAN__V1__RECORD_REQUEST__INIT;
    Lianban__V1__RecordResponse *answer = NULL;
    LB_TRY(lb_ctl_desk_open(desk));
    LB_TRY(lb_ctl_desk_read_more(desk));
    request.grant_id = (char *)(uintptr_t)desk->grant;
    request.officer_token = (char *)(uintptr_t)desk->officer;
    LB_TRY(desk->port.ask(desk->port.ctx, "GetRecord", &request,
                          &lianban__v1__record_response__descriptor, desk->arena, &answer));
    return desk->env->json ? put_records(desk, answer) : put_heads(desk, answer);
}

int lb_ctl_consent_record(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban consent record --desk desk.yaml --grant G --json", NULL};
    const struct lb_ctl_usage usage = {
        .command = "consent record",
        .en = "print a grant's consent records (ISO/IEC TS 27560); the reading is recorded",
        .zh = "导出授权的同意记录（ISO/IEC TS 27560）；导出本身会留痕", .examples = examples,
    };
    struct lb_ctl_desk desk = {.env = env, .command = usage.command};
    const struct lb_ctl_option own[] = {grant_option(&desk), lb_ctl_desk_officer_option(&desk)};
    int exit_code = lb_ctl_desk_args(&desk, &usage, own, 2, argc, argv);
    return exit_code != LB_CTL_GO ? exit_code : lb_ctl_desk_finish(&desk, read_records(&desk));
}
