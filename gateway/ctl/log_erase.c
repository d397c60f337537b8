#include "gateway/ctl/command.h"
#include "gateway/ctl/desk.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/text.h"

/* The end of what a department's adapter keeps about one person: one officer asks, another
 * approves. */

struct erasing {
    struct lb_ctl_desk desk;
    const char *basis;
    const char *reason;
    bool approve;
};

static void say(const struct lb_ctl_env *env, bool approved, const struct lb_ctl_entry *entry)
{
    char when[LB_CTL_TIME_BYTES];
    lb_ctl_time(entry->at_unix_ms, when);
    if (approved) {
        (void)fprintf(env->out,
                      env->chinese ? "已删除：销毁明细密钥 %u 个；存证第 %llu 条，%s\n"
                                   : "Erased: %u data keys destroyed; entry %llu of %s\n",
                      entry->count, (unsigned long long)entry->index, when);
        return;
    }
    (void)fprintf(env->out,
                  env->chinese ? "已申请，尚未删除；存证第 %llu 条，%s。须由另一名安全员在七日内批准。\n"
                               : "Asked for, nothing is erased yet; entry %llu of %s. Another"
                                 " officer has to approve it within 7 days.\n",
                  (unsigned long long)entry->index, when);
}

static lb_status print(const struct lb_ctl_env *env, bool approved,
                       const struct lb_ctl_entry *entry)
{
    if (!env->json) {
        say(env, approved, entry);
        return LB_OK;
    }
    LB_DEFER(lb_json_freep) struct lb_json *json = lb_json_object();
    lb_json_set_cstr(json, "state", approved ? "erased" : "asked");
    lb_json_set_int(json, "entry", (int64_t)entry->index);
    lb_json_set_int(json, "at_ms", entry->at_unix_ms);
    if (approved)
        lb_json_set_int(json, "keys", entry->count);
    return lb_ctl_print_json(env, json);
}

static lb_status erase(struct erasing *erasing)
{
    struct lb_ctl_desk *desk = &erasing->desk;
    Lianban__V1__EraseSubjectRequest request = LIANBAN__V1__ERASE_SUBJECT_REQUEST__INIT;
    struct lb_ctl_entry done;
    LB_TRY(lb_ctl_desk_open_adapter(desk));
    LB_TRY(lb_ctl_desk_read_document(desk));
    request.id_no = desk->id_no;
    request.basis = (char *)(uintptr_t)erasing->basis;
    request.reason = (char *)(uintptr_t)erasing->reason;
    request.approve = erasing->approve;
    lb_status status = desk->port.erase(desk->port.ctx, &request, desk->arena, &done);
    if (lb_status_code(status) == LB_RECEIPT_INVALID)
        lb_diag_set(&desk->diag, "the adapter shows no entry for it; do not rely on it, and have"
                                 " its log verified");
    LB_TRY(status);
    return print(desk->env, erasing->approve, &done);
}

int lb_ctl_log_erase(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban log erase --officer officer.yaml --document - --basis retention_over"
        " --reason 'yearly clean-up'",
        "lianban log erase --officer officer2.yaml --document - --basis retention_over"
        " --reason 'yearly clean-up' --approve",
        NULL};
    struct erasing erasing = {.desk = {.env = env, .command = "log erase"}};
    const struct lb_ctl_option options[] = {
        {.name = "officer", .value = "PROFILE.yaml", .required = true,
         .text = &erasing.desk.profile_path, .en = "this officer's profile",
         .zh = "安全员的配置文件"},
        {.name = "document", .value = "FILE|-", .required = true, .text = &erasing.desk.document,
         .en = "the person's identity number", .zh = "当事人的身份号码（文件或标准输入）"},
        {.name = "basis", .value = "BASIS", .required = true, .text = &erasing.basis,
         .en = "retention_over, asked_by_subject, unlawful or court_order",
         .zh = "retention_over 保存期满、asked_by_subject 本人要求、unlawful 违法处理、"
               "court_order 法院裁定"},
        {.name = "reason", .value = "TEXT", .required = true, .text = &erasing.reason,
         .en = "why, for the evidence", .zh = "原因，记入存证"},
        {.name = "approve", .flag = &erasing.approve,
         .en = "be the second officer: what another asked for is done",
         .zh = "作为第二名安全员批准他人的申请"},
    };
    const struct lb_ctl_usage usage = {
        .command = "log erase",
        .en = "make what the own adapter keeps about a person unreadable; every proof stays",
        .zh = "使本部门接入端留存的某人明细永久不可读，各项证明不受影响",
        .options = options, .num_options = sizeof(options) / sizeof(options[0]),
        .examples = examples,
    };
    int exit_code = lb_ctl_args(env, &usage, argc, argv, NULL);
    return exit_code != LB_CTL_GO ? exit_code : lb_ctl_desk_finish(&erasing.desk, erase(&erasing));
}
