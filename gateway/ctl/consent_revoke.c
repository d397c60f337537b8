#include "gateway/ctl/desk.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/table.h"
#include "gateway/ctl/text.h"

/* Ending a grant, for good or for a while, and who has stopped: every department that has, by the
 * proof its office holds, the slowest one's time, and when the others stop by themselves. */

struct stopped {
    size_t num;
    uint32_t slowest_ms;
};

static bool has_stopped(const Lianban__V1__RevokeReceipt *receipt)
{
    return strcmp(receipt->code, "OK") == 0;
}

static struct stopped count_stopped(const Lianban__V1__RevokeResponse *answer)
{
    struct stopped stopped = {0, 0};
    for (size_t i = 0; i < answer->n_receipts; i++) {
        const Lianban__V1__RevokeReceipt *receipt = answer->receipts[i];
        if (!has_stopped(receipt))
            continue;
        stopped.num++;
        if (receipt->millis > stopped.slowest_ms)
            stopped.slowest_ms = receipt->millis;
    }
    return stopped;
}

static lb_status print_table(const struct lb_ctl_desk *desk,
                             const Lianban__V1__RevokeResponse *answer)
{
    static const char *const zh[] = {"部门接入端", "结果", "毫秒", NULL};
    static const char *const en[] = {"adapter", "outcome", "ms", NULL};
    const struct lb_ctl_env *env = desk->env;
    struct lb_ctl_table table;
    lb_ctl_table_init(&table, desk->arena, env->chinese ? zh : en);
    for (size_t i = 0; i < answer->n_receipts; i++) {
        const Lianban__V1__RevokeReceipt *receipt = answer->receipts[i];
        const char *millis =
            has_stopped(receipt) ? lb_arena_printf(desk->arena, "%u", receipt->millis) : "";
        const char *const cells[] = {receipt->adapter, receipt->code, millis};
        lb_ctl_table_row(&table, cells);
    }
    return lb_ctl_table_print(&table, env->out);
}

static void print_sum(const struct lb_ctl_env *env, const Lianban__V1__RevokeResponse *answer,
                      struct stopped stopped, bool resumed)
{
    uint32_t tenths = (stopped.slowest_ms + 99) / 100; /* a bound is not rounded down */
    if (tenths == 0 && stopped.num > 0)
        tenths = 1; /* nobody stops in no time */
    if (env->chinese)
        (void)fprintf(env->out, "%zu/%zu 个部门已%s，最慢 %u.%u 秒\n", stopped.num,
                      answer->n_receipts, resumed ? "恢复" : "停用", tenths / 10, tenths % 10);
    else
        (void)fprintf(env->out, "%zu of %zu %s, slowest %u.%u s\n", stopped.num,
                      answer->n_receipts, resumed ? "resumed" : "stopped", tenths / 10,
                      tenths % 10);
}

static void print_others(const struct lb_ctl_env *env, const Lianban__V1__RevokeResponse *answer)
{
    char when[LB_CTL_TIME_BYTES];
    bool first = true;
    (void)fputs(lb_ctl_pick(env, "尚未答复：", "Not answered: "), env->out);
    for (size_t i = 0; i < answer->n_receipts; i++) {
        if (has_stopped(answer->receipts[i]))
            continue;
        (void)fputs(first ? "" : lb_ctl_pick(env, "、", ", "), env->out);
        lb_ctl_put(env->out, answer->receipts[i]->adapter);
        first = false;
    }
    (void)fputs(lb_ctl_pick(env, "。\n", ".\n"), env->out);
    if (answer->stops_by == 0)
        return;
    lb_ctl_time(answer->stops_by * 1000, when);
    (void)fprintf(env->out,
                  env->chinese
                      ? "其余部门最迟于 %s 在其状态列表到期后自行停用；在此之前会继续通知。\n"
                      : "They stop by themselves by %s, when their status list expires, and are"
                        " told again until then.\n",
                  when);
}

static lb_status print_receipts(const struct lb_ctl_desk *desk,
                                const Lianban__V1__RevokeResponse *answer, bool resumed)
{
    struct stopped stopped = count_stopped(answer);
    LB_TRY(print_table(desk, answer));
    print_sum(desk->env, answer, stopped, resumed);
    if (stopped.num < answer->n_receipts)
        print_others(desk->env, answer);
    return LB_OK;
}

static struct lb_json *receipt_to_json(const Lianban__V1__RevokeReceipt *receipt)
{
    struct lb_json *one = lb_json_object();
    lb_json_set_cstr(one, "adapter", receipt->adapter);
    lb_json_set_cstr(one, "code", receipt->code);
    lb_json_set_int(one, "millis", receipt->millis);
    if (has_stopped(receipt)) {
        lb_json_set_int(one, "entry", (int64_t)receipt->entry);
        lb_json_set_int(one, "at_ms", receipt->at_unix_ms);
    }
    return one;
}

static lb_status print_receipts_json(const struct lb_ctl_desk *desk,
                                     const Lianban__V1__RevokeResponse *answer)
{
    struct stopped stopped = count_stopped(answer);
    LB_DEFER(lb_json_freep) struct lb_json *json = lb_json_object();
    struct lb_json *receipts = lb_json_array();
    struct lb_json *others = lb_json_array();
    for (size_t i = 0; i < answer->n_receipts; i++) {
        lb_json_append(receipts, receipt_to_json(answer->receipts[i]));
        if (!has_stopped(answer->receipts[i]))
            lb_json_append_str(others, lb_span_str(answer->receipts[i]->adapter));
    }
    lb_json_set_cstr(json, "grant_id", desk->grant);
    lb_json_set_int(json, "status_seq", (int64_t)answer->status_seq);
    lb_json_set_int(json, "stopped", (int64_t)stopped.num);
    lb_json_set_int(json, "slowest_ms", stopped.slowest_ms);
    lb_json_set(json, "not_answered", others);
    lb_json_set_int(json, "stops_by", answer->stops_by);
    lb_json_set(json, "receipts", receipts);
    return lb_ctl_print_json(desk->env, json);
}

static lb_status tell(struct lb_ctl_desk *desk, Lianban__V1__RevokeRequest__Action action)
{
    bool resume = action == LIANBAN__V1__REVOKE_REQUEST__ACTION__RESUME;
    Lianban__V1__RevokeRequest request = LIANBAN__V1__REVOKE_REQUEST__INIT;
    Lianban__V1__RevokeResponse *answer = NULL;
    request.grant_id = (char *)(uintptr_t)desk->grant;
    request.id_no = desk->id_no;
    request.action = action;
    lb_ctl_note(desk->env, resume ? "every department is told 正在通知各部门恢复"
                                  : "every department is told 正在通知各部门停用");
    lb_status status = desk->port.revoke(desk->port.ctx, &request, desk->arena, &answer);
    if (lb_status_code(status) == LB_MALFORMED)
        lb_diag_set(&desk->diag, "the document must be the subject's, or a minor's guardian's");
    LB_TRY(status);
    return desk->env->json ? print_receipts_json(desk, answer)
                           : print_receipts(desk, answer, resume);
}

lb_status lb_ctl_desk_revoke(struct lb_ctl_desk *desk)
{
    return tell(desk, LIANBAN__V1__REVOKE_REQUEST__ACTION__WITHDRAW);
}

static lb_status change(struct lb_ctl_desk *desk, Lianban__V1__RevokeRequest__Action action)
{
    LB_TRY(lb_ctl_desk_open(desk));
    LB_TRY(lb_ctl_desk_read_document(desk));
    return tell(desk, action);
}

static int change_command(struct lb_ctl_env *env, const struct lb_ctl_usage *usage,
                          Lianban__V1__RevokeRequest__Action action, int argc, char **argv)
{
    struct lb_ctl_desk desk = {.env = env, .command = usage->command};
    const struct lb_ctl_option own[] = {
        {.name = "grant", .value = "ID", .required = true, .text = &desk.grant,
         .en = "the grant's number", .zh = "授权编号"},
        lb_ctl_desk_document_option(&desk),
    };
    int exit_code = lb_ctl_desk_args(&desk, usage, own, 2, argc, argv);
    return exit_code != LB_CTL_GO ? exit_code : lb_ctl_desk_finish(&desk, change(&desk, action));
}

int lb_ctl_consent_revoke(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban consent revoke --desk desk.yaml --grant G --document id.txt", NULL};
    const struct lb_ctl_usage usage = {
        .command = "consent revoke", .en = "withdraw a grant and show who has stopped",
        .zh = "撤回授权，并显示各部门停用情况", .examples = examples,
    };
    return change_command(env, &usage, LIANBAN__V1__REVOKE_REQUEST__ACTION__WITHDRAW, argc, argv);
}

int lb_ctl_consent_suspend(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban consent suspend --desk desk.yaml --grant G --document id.txt", NULL};
    const struct lb_ctl_usage usage = {
        .command = "consent suspend", .en = "suspend a grant until it is resumed",
        .zh = "暂停授权，直至恢复", .examples = examples,
    };
    return change_command(env, &usage, LIANBAN__V1__REVOKE_REQUEST__ACTION__SUSPEND, argc, argv);
}

int lb_ctl_consent_resume(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban consent resume --desk desk.yaml --grant G --document id.txt", NULL};
    const struct lb_ctl_usage usage = {
        .command = "consent resume", .en = "resume a suspended grant",
        .zh = "恢复已暂停的授权", .examples = examples,
    };
    return change_command(env, &usage, LIANBAN__V1__REVOKE_REQUEST__ACTION__RESUME, argc, argv);
}
