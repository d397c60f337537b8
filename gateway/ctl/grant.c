#include "gateway/ctl/command.h"
#include "gateway/ctl/desk.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/text.h"

/* What a department's own officer may do about a grant: stop it at the department's adapter, at
 * once and for good, whatever its issuer says. */

struct stopping {
    struct lb_ctl_desk desk;
    const char *issuer;
    const char *reason;
};

static lb_status print_stop(const struct lb_ctl_env *env, const struct lb_ctl_entry *stop)
{
    char when[LB_CTL_TIME_BYTES];
    lb_ctl_time(stop->at_unix_ms, when);
    if (!env->json) {
        (void)fprintf(env->out,
                      env->chinese ? "本部门已永久停用该授权；存证第 %llu 条，%s\n"
                                   : "Stopped here for good; entry %llu of %s\n",
                      (unsigned long long)stop->index, when);
        return LB_OK;
    }
    LB_DEFER(lb_json_freep) struct lb_json *json = lb_json_object();
    lb_json_set_int(json, "entry", (int64_t)stop->index);
    lb_json_set_int(json, "at_ms", stop->at_unix_ms);
    return lb_ctl_print_json(env, json);
}

static lb_status stop(struct stopping *stopping)
{
    struct lb_ctl_desk *desk = &stopping->desk;
    Lianban__V1__StopGrantRequest request = LIANBAN__V1__STOP_GRANT_REQUEST__INIT;
    struct lb_ctl_entry done;
    LB_TRY(lb_ctl_desk_open_adapter(desk));
    request.issuer = (char *)(uintptr_t)stopping->issuer;
    request.grant_id = (char *)(uintptr_t)desk->grant;
    request.reason = (char *)(uintptr_t)stopping->reason;
    lb_status status = desk->port.stop_grant(desk->port.ctx, &request, desk->arena, &done);
    if (lb_status_code(status) == LB_RECEIPT_INVALID)
        lb_diag_set(&desk->diag, "the adapter shows no entry for it; do not rely on it, and have"
                                 " its log verified");
    LB_TRY(status);
    return print_stop(desk->env, &done);
}

static int stop_command(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban grant stop --officer officer.yaml --issuer consent-hall --grant G"
        " --reason 'complaint 17'",
        NULL};
    struct stopping stopping = {.desk = {.env = env, .command = "grant stop"}};
    const struct lb_ctl_option options[] = {
        {.name = "officer", .value = "PROFILE.yaml", .required = true,
         .text = &stopping.desk.profile_path, .en = "this officer's profile",
         .zh = "安全员的配置文件"},
        {.name = "issuer", .value = "ORG", .required = true, .text = &stopping.issuer,
         .en = "the organization that issued the grant", .zh = "授权签发机构"},
        {.name = "grant", .value = "ID", .required = true, .text = &stopping.desk.grant,
         .en = "the grant's number", .zh = "授权编号"},
        {.name = "reason", .value = "TEXT", .required = true, .text = &stopping.reason,
         .en = "why, for the evidence", .zh = "停用原因，记入存证"},
    };
    const struct lb_ctl_usage usage = {
        .command = "grant stop",
        .en = "stop a grant at this department's adapter, at once and for good",
        .zh = "在本部门接入端立即永久停用一项授权", .options = options, .num_options = 4,
        .examples = examples,
    };
    int exit_code = lb_ctl_args(env, &usage, argc, argv, NULL);
    return exit_code != LB_CTL_GO ? exit_code
                                  : lb_ctl_desk_finish(&stopping.desk, stop(&stopping));
}

int lb_ctl_grant_command(struct lb_ctl_env *env, int argc, char **argv)
{
    static const struct lb_ctl_word words[] = {
        {"stop", "end a grant at this department's adapter", "在本部门停用授权", stop_command},
    };
    return lb_ctl_words(env, "grant", words, sizeof(words) / sizeof(words[0]), argc, argv);
}
