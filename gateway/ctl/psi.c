#include <unistd.h>

#include "gateway/base/hex.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/psi_steps.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/sheet.h"
#include "gateway/ctl/text.h"

/* `lianban psi`: two departments' lists compared, each by its own command. */

#define MAX_OPTIONS 6

/* --- around every step --- */

static lb_status find_agreement(struct lb_ctl_psi *psi)
{
    for (size_t i = 0; i < psi->num; i++) {
        if (strcmp(psi->agreements[i].name, psi->name) == 0)
            psi->agreement = &psi->agreements[i];
    }
    if (psi->agreement == NULL)
        lb_diag_set(&psi->node.diag, "%s: there is no agreement of this name", psi->config_path);
    LB_ENSURE(psi->agreement != NULL, LB_PSI_AGREEMENT, "no such agreement");
    if (!psi->agreement->asks)
        lb_diag_set(&psi->node.diag, "%s: under this agreement the other department asks",
                    psi->config_path);
    LB_ENSURE(psi->agreement->asks, LB_PSI_AGREEMENT, "the other side asks");
    return LB_OK;
}

lb_status lb_ctl_psi_open(struct lb_ctl_psi *psi)
{
    psi->arena = lb_arena_new(LB_CTL_PSI_ARENA_BYTES);
    LB_ENSURE(psi->arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(lb_ctl_psi_config(psi));
    LB_TRY(lb_ctl_psi_runs_open(psi));
    LB_TRY(lb_p256_new(&psi->p256));
    return psi->name == NULL ? LB_OK : find_agreement(psi);
}

int lb_ctl_psi_close(struct lb_ctl_psi *psi, lb_status status)
{
    int exit_code = LB_CTL_OK;
    if (status != LB_OK)
        exit_code = lb_ctl_fail(psi->node.env, psi->node.command, status, &psi->node.diag);
    lb_store_close(psi->runs);
    lb_p256_free(psi->p256);
    lb_ctl_node_close(&psi->node);
    lb_arena_free(psi->arena);
    if (psi->lock >= 0)
        (void)close(psi->lock);
    return exit_code;
}

static struct lb_ctl_psi new_psi(struct lb_ctl_env *env, const char *command)
{
    return (struct lb_ctl_psi){.node = {.env = env, .command = command}, .lock = -1};
}

static lb_status tell(const struct lb_ctl_psi *psi, const struct lb_ctl_psi_told *told)
{
    const struct lb_ctl_env *env = psi->node.env;
    struct lb_ctl_sheet sheet;
    char run[2 * LB_PSI_RUN_BYTES + 1];
    lb_hex_encode(lb_span_of(told->run, sizeof(told->run)), run);
    lb_ctl_sheet_init(&sheet, env, psi->arena, NULL, 0);
    lb_ctl_sheet_fact(&sheet, "agreement", "约定", "agreement", psi->agreement->name);
    lb_ctl_sheet_fact(&sheet, "run", "比对编号", "run", run);
    if (told->count < 0) {
        lb_ctl_sheet_number(&sheet, "people", "本部门名单人数", "people on the own list",
                            (int64_t)told->people);
        lb_ctl_sheet_number(&sheet, "left_out", "身份号码无效而未列入", "records without a valid number",
                            (int64_t)told->num_invalid);
    } else {
        lb_ctl_sheet_number(&sheet, "count", "两份名单中都有的人数", "people in both",
                            told->count);
    }
    lb_ctl_sheet_number(&sheet, "size", "填充后的名单长度", "size of the list as it was sent",
                        (int64_t)told->size);
    if (psi->out != NULL)
        lb_ctl_sheet_fact(&sheet, "out", "写入", "written to", psi->out);
    return lb_ctl_sheet_print(&sheet, false);
}

static int run_step(struct lb_ctl_psi *psi,
                    lb_status (*step)(struct lb_ctl_psi *psi, struct lb_ctl_psi_told *told))
{
    struct lb_ctl_psi_told told;
    lb_status status = lb_ctl_psi_open(psi);
    if (status == LB_OK)
        status = step(psi, &told);
    if (status == LB_OK)
        status = tell(psi, &told);
    return lb_ctl_psi_close(psi, status);
}

/* --- the words --- */

static struct lb_ctl_option config_option(struct lb_ctl_psi *psi)
{
    return (struct lb_ctl_option){
        .name = "config", .value = "PSI.yaml", .required = true, .text = &psi->config_path,
        .en = "this department's agreements", .zh = "本部门的比对约定"};
}

static int read_args(struct lb_ctl_psi *psi, const struct lb_ctl_usage *usage,
                     const struct lb_ctl_option *own, size_t num_own, int argc, char **argv)
{
    struct lb_ctl_option options[MAX_OPTIONS] = {
        config_option(psi),
        {.name = "officer", .value = "PROFILE.yaml", .required = true, .text = &psi->officer_path,
         .en = "your profile; the step is recorded at the own adapter first",
         .zh = "安全员配置；每一步先在本部门接入端留痕"},
        {.name = "reason", .value = "TEXT", .text = &psi->reason,
         .en = "why, for the record", .zh = "事由，记入存证"},
    };
    for (size_t i = 0; i < num_own; i++)
        options[3 + i] = own[i];
    struct lb_ctl_usage full = *usage;
    full.options = options;
    full.num_options = 3 + num_own;
    return lb_ctl_args(psi->node.env, &full, argc, argv, NULL);
}

int lb_ctl_psi_offer(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban psi offer --config psi.yaml --officer officer.yaml --agreement aid-and-job-help"
        " --out offer.psi", NULL};
    struct lb_ctl_psi psi = new_psi(env, "psi offer");
    const struct lb_ctl_option options[] = {
        {.name = "agreement", .value = "NAME", .required = true, .text = &psi.name,
         .en = "under which agreement", .zh = "比对约定的名称"},
        {.name = "out", .value = "FILE", .required = true, .text = &psi.out,
         .en = "the file for the other department", .zh = "交给对方部门的文件"},
    };
    const struct lb_ctl_usage usage = {
        .command = "psi offer", .examples = examples,
        .en = "blind the own list for another department that has agreed to compare",
        .zh = "盲化本部门名单，交由已有约定的部门比对",
    };
    int exit_code = read_args(&psi, &usage, options, 2, argc, argv);
    return exit_code != LB_CTL_GO ? exit_code : run_step(&psi, lb_ctl_psi_offer_step);
}

int lb_ctl_psi_answer(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban psi answer --config psi.yaml --officer officer.yaml --offer offer.psi"
        " --out answer.psi", NULL};
    struct lb_ctl_psi psi = new_psi(env, "psi answer");
    const struct lb_ctl_option options[] = {
        {.name = "offer", .value = "FILE", .required = true, .text = &psi.in,
         .en = "the other department's file", .zh = "对方部门的文件"},
        {.name = "out", .value = "FILE", .required = true, .text = &psi.out,
         .en = "the file to give back", .zh = "交还对方部门的文件"},
    };
    const struct lb_ctl_usage usage = {
        .command = "psi answer", .examples = examples,
        .en = "blind another department's list again, and the own one; it alone learns the result",
        .zh = "以本部门名单比对对方的盲化名单，结果只有对方可知",
    };
    int exit_code = read_args(&psi, &usage, options, 2, argc, argv);
    return exit_code != LB_CTL_GO ? exit_code : run_step(&psi, lb_ctl_psi_answer_step);
}

int lb_ctl_psi_finish(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban psi finish --config psi.yaml --officer officer.yaml --answer answer.psi"
        " --out duplicates.txt", NULL};
    struct lb_ctl_psi psi = new_psi(env, "psi finish");
    const struct lb_ctl_option options[] = {
        {.name = "answer", .value = "FILE", .required = true, .text = &psi.in,
         .en = "the other department's answer", .zh = "对方部门的答复文件"},
        {.name = "out", .value = "FILE", .text = &psi.out,
         .en = "mode list: the own records' references, one a line, for a caseworker to look at",
         .zh = "名单方式：本部门记录编号，每行一个，供经办人核查"},
    };
    const struct lb_ctl_usage usage = {
        .command = "psi finish", .examples = examples,
        .en = "learn how many, or which of the own records, are on both lists",
        .zh = "得出两份名单中都有的人数，或本部门的相应记录",
    };
    int exit_code = read_args(&psi, &usage, options, 2, argc, argv);
    return exit_code != LB_CTL_GO ? exit_code : run_step(&psi, lb_ctl_psi_finish_step);
}

/* --- show --- */

static const struct lb_ctl_column columns[] = {
    {.id = "agreement", .en = "agreement", .zh = "约定"},
    {.id = "started", .en = "begun (UTC)", .zh = "开始（UTC）"},
    {.id = "role", .en = "role", .zh = "角色"},
    {.id = "state", .en = "state", .zh = "状态"},
    {.id = "run", .en = "run", .zh = "比对编号"},
};

static lb_status add_run(void *arg, const struct lb_ctl_psi_run *run)
{
    struct lb_ctl_sheet *sheet = arg;
    char id[2 * LB_PSI_RUN_BYTES + 1], started[LB_CTL_TIME_BYTES];
    lb_hex_encode(lb_span_of(run->run, sizeof(run->run)), id);
    lb_ctl_time(run->started_unix_s * 1000, started);
    const char *const cells[] = {run->agreement, started, run->asks ? "asker" : "answerer",
                                 run->ended ? "ended" : "open", id};
    lb_ctl_sheet_row(sheet, cells);
    return LB_OK;
}

static lb_status show(struct lb_ctl_psi *psi)
{
    const struct lb_ctl_env *env = psi->node.env;
    struct lb_ctl_sheet sheet;
    LB_TRY(lb_ctl_psi_open(psi));
    lb_ctl_sheet_init(&sheet, env, psi->arena, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < psi->num; i++) {
        char sha256[65];
        lb_hex_encode(lb_span_of(psi->agreements[i].sha256, 32), sha256);
        if (!env->json)
            lb_ctl_put_lines(env->out, psi->agreements[i].text);
        lb_ctl_sheet_fact(&sheet, psi->agreements[i].name, psi->agreements[i].name,
                          psi->agreements[i].name, sha256);
    }
    LB_TRY(lb_ctl_psi_runs_each(psi, add_run, &sheet));
    return lb_ctl_sheet_print(&sheet, false);
}

int lb_ctl_psi_show(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {"lianban psi show --config psi.yaml", NULL};
    struct lb_ctl_psi psi = new_psi(env, "psi show");
    const struct lb_ctl_option options[] = {config_option(&psi)};
    const struct lb_ctl_usage usage = {
        .command = "psi show", .options = options, .num_options = 1, .examples = examples,
        .en = "the agreements, their hashes to compare with the other side's, and the runs so far",
        .zh = "各项约定及其摘要（与对方核对），以及历次比对",
    };
    int exit_code = lb_ctl_args(env, &usage, argc, argv, NULL);
    return exit_code != LB_CTL_GO ? exit_code : lb_ctl_psi_close(&psi, show(&psi));
}

int lb_ctl_psi_command(struct lb_ctl_env *env, int argc, char **argv)
{
    static const struct lb_ctl_word words[] = {
        {"offer", "blind the own list for another department", "盲化本部门名单",
         lb_ctl_psi_offer},
        {"answer", "compare another department's list with the own one", "比对对方的盲化名单",
         lb_ctl_psi_answer},
        {"finish", "learn how many or who is on both", "得出比对结果", lb_ctl_psi_finish},
        {"show", "agreements and runs", "约定与历次比对", lb_ctl_psi_show},
    };
    return lb_ctl_words(env, "psi", words, sizeof(words) / sizeof(words[0]), argc, argv);
}
