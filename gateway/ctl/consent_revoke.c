#include "gateway/ctl/desk.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/table.h"

struct stopped {
    size_t num;
    uint32_t slowest_ms;
};

static struct stopped count_stopped(const Lianban__V1__RevokeResponse *answer)
{
    struct stopped stopped = {0, 0};
    for (size_t i = 0; i < answer->n_receipts; i++) {
        const Lianban__V1__RevokeReceipt *receipt = answer->receipts[i];
        if (strcmp(receipt->code, "OK") != 0)
            continue;
        stopped.num++;
        if (receipt->millis > stopped.slowest_ms)
            stopped.slowest_ms = receipt->millis;
    }
    return stopped;
}

static lb_status print_receipts(const struct lb_ctl_desk *desk,
                                const Lianban__V1__RevokeResponse *answer)
{
    static const char *const zh[] = {"部门接入端", "结果", "毫秒", NULL};
    static const char *const en[] = {"adapter", "outcome", "ms", NULL};
    const struct lb_ctl_env *env = desk->env;
    struct stopped stopped = count_stopped(answer);
    uint32_t tenths = (stopped.slowest_ms + 50) / 100;
    struct lb_ctl_table table;
    lb_ctl_table_init(&table, desk->arena, env->chinese ? zh : en);
    for (size_t i = 0; i < answer->n_receipts; i++) {
        const Lianban__V1__RevokeReceipt *receipt = answer->receipts[i];
        const char *const cells[] = {receipt->adapter, receipt->code,
                                     lb_arena_printf(desk->arena, "%u", receipt->millis)};
        lb_ctl_table_row(&table, cells);
    }
    LB_TRY(lb_ctl_table_print(&table, env->out));
    if (tenths == 0 && stopped.num > 0)
        tenths = 1; /* nobody stops in no time */
    (void)fprintf(env->out, env->chinese ? "%zu/%zu 个部门已停用，最慢 %u.%u 秒\n"
                                         : "%zu of %zu stopped, slowest %u.%u s\n",
                  stopped.num, answer->n_receipts, tenths / 10, tenths % 10);
    if (stopped.num < answer->n_receipts)
        (void)fputs(lb_ctl_pick(env, "其余部门在当前状态列表到期后自行停用。\n",
                                "The others stop by themselves when their status list expires.\n"),
                    env->out);
    return LB_OK;
}

static lb_status print_receipts_json(const struct lb_ctl_desk *desk,
                                     const Lianban__V1__RevokeResponse *answer)
{
    struct stopped stopped = count_stopped(answer);
    LB_DEFER(lb_json_freep) struct lb_json *json = lb_json_object();
    struct lb_json *receipts = lb_json_array();
    for (size_t i = 0; i < answer->n_receipts; i++) {
        struct lb_json *one = lb_json_object();
        lb_json_set_cstr(one, "adapter", answer->receipts[i]->adapter);
        lb_json_set_cstr(one, "code", answer->receipts[i]->code);
        lb_json_set_int(one, "millis", answer->receipts[i]->millis);
        lb_json_append(receipts, one);
    }
    lb_json_set_cstr(json, "grant_id", desk->grant);
    lb_json_set_int(json, "status_seq", (int64_t)answer->status_seq);
    lb_json_set_int(json, "stopped", (int64_t)stopped.num);
    lb_json_set_int(json, "slowest_ms", stopped.slowest_ms);
    lb_json_set(json, "receipts", receipts);
    return lb_ctl_print_json(desk->env, json);
}

static lb_status revoke(struct lb_ctl_desk *desk)
{
    Lianban__V1__RevokeRequest request = LIANBAN__V1__REVOKE_REQUEST__INIT;
    Lianban__V1__RevokeResponse *answer = NULL;
    LB_TRY(lb_ctl_desk_open(desk));
    LB_TRY(lb_ctl_desk_read_document(desk));
    request.grant_id = (char *)(uintptr_t)desk->grant;
    request.id_no = desk->id_no;
    lb_ctl_note(desk->env, "revoking; every department is told 正在通知各部门停用");
    lb_status status = desk->port.revoke(desk->port.ctx, &request, desk->arena, &answer);
    if (lb_status_code(status) == LB_MALFORMED)
        lb_diag_set(&desk->diag, "the document must be the subject's, or a minor's guardian's");
    LB_TRY(status);
    return desk->env->json ? print_receipts_json(desk, answer) : print_receipts(desk, answer);
}

int lb_ctl_consent_revoke(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban consent revoke --desk desk.yaml --grant G --document id.txt", NULL};
    const struct lb_ctl_usage usage = {
        .command = "consent revoke", .en = "withdraw a grant and show who has stopped",
        .zh = "撤回授权，并显示各部门停用情况", .examples = examples,
    };
    struct lb_ctl_desk desk = {.env = env, .command = usage.command};
    const struct lb_ctl_option own[] = {
        {.name = "grant", .value = "ID", .required = true, .text = &desk.grant,
         .en = "the grant's number", .zh = "授权编号"},
        lb_ctl_desk_document_option(&desk),
    };
    int exit_code = lb_ctl_desk_args(&desk, &usage, own, 2, argc, argv);
    return exit_code != LB_CTL_GO ? exit_code : lb_ctl_desk_finish(&desk, revoke(&desk));
}
