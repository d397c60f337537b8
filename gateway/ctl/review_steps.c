#include "gateway/audit/review_source.h"
#include "gateway/base/hex.h"
#include "gateway/crypto/hash.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/review.h"
#include "gateway/ctl/text.h"

/* `review assign`, `explain`, `close`, `sample`: each act is a REVIEW entry of the node's log
 * before it counts. */

#define ACT_BYTES 256
#define HASH_GROUP 16   /* digits; a whole hash might hold what looks like an identity number */

struct step {
    struct lb_ctl_officer officer;
    const char *state_folder, *rules_path;
    const char *assignee, *explanation, *outcome_name;
    enum lb_review_outcome outcome;
    int64_t id, percent;
    struct lb_review_recorder recorder;
    struct lb_review *review;
};

/* The entry's text says which act of which chain it is; the words stay in the queue. */
static lb_status record_act(void *ctx, struct lb_review_act *act)
{
    struct step *step = ctx;
    char hash[65], text[ACT_BYTES];
    lb_hex_encode(lb_span_of(act->hash, sizeof(act->hash)), hash);
    (void)snprintf(text, sizeof(text), "act=%lld alert=%lld what=%s hash=%.*s-%.*s-%.*s-%s",
                   (long long)act->seq, (long long)act->alert, act->what, HASH_GROUP, hash,
                   HASH_GROUP, hash + HASH_GROUP, HASH_GROUP, hash + 2 * HASH_GROUP,
                   hash + 3 * HASH_GROUP);
    LB_TRY(lb_ctl_officer_open(&step->officer, text, NULL));
    act->recorded = step->officer.recorded;
    act->leaf = step->officer.review.entry;
    return LB_OK;
}

static lb_status open_queue(struct step *step)
{
    step->recorder = (struct lb_review_recorder){.ctx = step, .record = record_act};
    return lb_review_open(step->state_folder, false, &step->recorder, &step->officer.diag,
                          &step->review);
}

static lb_status print_alert(struct step *step)
{
    struct lb_review_case one;
    struct lb_ctl_officer *officer = &step->officer;
    LB_TRY(lb_review_show(step->review, step->id, officer->arena, &one));
    return lb_ctl_review_print(officer->env, officer->arena, &one.alert, 1, 0, officer->csv);
}

/* The queue's refusals, in words that say what to do. */
static lb_status explain_status(struct step *step, lb_status status)
{
    struct lb_diag *diag = &step->officer.diag;
    if (status == LB_OK || diag->text[0] != 0)
        return status;
    if (status->code == LB_REVIEW_STATE || status->code == LB_ABSENT)
        lb_diag_set(diag, "alert %lld: %s", (long long)step->id, status->what);
    else if (status->code == LB_MALFORMED)
        lb_diag_set(diag, "%s (%d to %d bytes in one line, no identity numbers)", status->what,
                    LB_REVIEW_MIN_REASON_BYTES, LB_REVIEW_MAX_TEXT_BYTES);
    return status;
}

static int run_step(struct step *step, lb_status (*act)(struct step *step))
{
    lb_status status = open_queue(step);
    if (status == LB_OK)
        status = act(step);
    if (status == LB_OK)
        status = print_alert(step);
    status = explain_status(step, status);
    lb_review_close(step->review);
    return lb_ctl_officer_finish(&step->officer, status);
}

static lb_status do_assign(struct step *step)
{
    const struct lb_ctl_env *env = step->officer.env;
    return lb_review_assign(step->review, step->id, step->assignee, env->login,
                            lb_clock_unix_ms(env->clock));
}

static lb_status do_explain(struct step *step)
{
    const struct lb_ctl_env *env = step->officer.env;
    return lb_review_explain(step->review, step->id, step->explanation, env->login,
                             lb_clock_unix_ms(env->clock));
}

static lb_status do_close(struct step *step)
{
    const struct lb_ctl_env *env = step->officer.env;
    return lb_review_conclude(step->review, step->id, step->outcome, step->officer.reason,
                              env->login, lb_clock_unix_ms(env->clock));
}

/* --- the command lines --- */

#define STATE_OPTION(step_)                                                                        \
    {.name = "state", .value = "DIR", .text = &(step_).state_folder, .required = true,             \
     .en = "the review queue's folder", .zh = "核查队列目录"}

static int step_args(struct step *step, struct lb_ctl_usage *usage,
                     const struct lb_ctl_option *own, size_t num_own, int argc, char **argv)
{
    struct lb_ctl_list operands = {.num = 0};
    usage->operand = "ALERT";
    usage->min_operands = usage->max_operands = 1;
    int exit_code = lb_ctl_officer_args(&step->officer, usage, own, num_own, argc, argv,
                                        &operands);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    if (!lb_ctl_number(operands.items[0], 1, INT64_C(1) << 53, &step->id))
        return lb_ctl_usage_error(step->officer.env, usage->command,
                                  "an alert is a number of review list");
    return LB_CTL_GO;
}

int lb_ctl_review_assign(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban review assign 7 --to li --state tax-review --index tax-index"
        " --officer officer.yaml", NULL};
    struct step step = {
        .officer = {.env = env, .command = "review assign", .kind = "REVIEW_ASSIGNED"}};
    const struct lb_ctl_option options[] = {
        STATE_OPTION(step),
        {.name = "to", .value = "NAME", .text = &step.assignee, .required = true,
         .en = "who looks into it", .zh = "核查人"},
    };
    struct lb_ctl_usage usage = {.command = "review assign", .examples = examples,
                                 .en = "say who looks into an alert", .zh = "指派核查人"};
    int exit_code = step_args(&step, &usage, options, 2, argc, argv);
    return exit_code != LB_CTL_GO ? exit_code : run_step(&step, do_assign);
}

int lb_ctl_review_explain(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban review explain 7 --text 'came back with the missing paper' --state tax-review"
        " --index tax-index --officer officer.yaml", NULL};
    struct step step = {
        .officer = {.env = env, .command = "review explain", .kind = "REVIEW_EXPLAINED"}};
    const struct lb_ctl_option options[] = {
        STATE_OPTION(step),
        {.name = "text", .value = "TEXT", .text = &step.explanation, .required = true,
         .en = "what those concerned say", .zh = "相关人员的说明"},
    };
    struct lb_ctl_usage usage = {.command = "review explain", .examples = examples,
                                 .en = "record the explanation", .zh = "记录说明"};
    int exit_code = step_args(&step, &usage, options, 2, argc, argv);
    return exit_code != LB_CTL_GO ? exit_code : run_step(&step, do_explain);
}

int lb_ctl_review_close(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban review close 7 --as lawful --reason 'case file checked' --state tax-review"
        " --index tax-index --officer officer.yaml", NULL};
    struct step step = {
        .officer = {.env = env, .command = "review close", .kind = "REVIEW_CLOSED"}};
    const struct lb_ctl_option options[] = {
        STATE_OPTION(step),
        {.name = "as", .value = "OUTCOME", .text = &step.outcome_name, .required = true,
         .en = "lawful, mistake or misuse", .zh = "结论：lawful 合规、mistake 差错、misuse 违规"},
    };
    struct lb_ctl_usage usage = {.command = "review close", .examples = examples,
                                 .en = "close an alert with its outcome and --reason",
                                 .zh = "办结提示，须写明结论与理由（--reason）"};
    int exit_code = step_args(&step, &usage, options, 2, argc, argv);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    if (!lb_review_outcome_by_name(step.outcome_name, &step.outcome))
        return lb_ctl_usage_error(env, "review close", "--as is lawful, mistake or misuse");
    if (step.officer.reason == NULL)
        return lb_ctl_usage_error(env, "review close", "--reason is missing");
    return run_step(&step, do_close);
}

/* --- sample --- */

static lb_status draw(struct step *step, const struct lb_detect_rules *rules,
                      struct lb_audit_index *index, uint64_t *out_seen, uint64_t *out_drawn)
{
    struct lb_ctl_officer *officer = &step->officer;
    const struct lb_ctl_env *env = officer->env;
    struct lb_review_draw draw = {
        .since_ms = officer->filter.since_ms,
        .until_ms = officer->filter.until_ms,
        .per_mille = (unsigned)step->percent * 10,
    };
    struct lb_review_rows rows;
    struct lb_review_source source;
    LB_TRY(lb_crypto_random(draw.seed, sizeof(draw.seed)));
    LB_TRY(lb_review_rows_open(index, 0, draw.since_ms, &rows, &source));
    lb_status status = lb_review_sample(step->review, rules, &source, &draw, env->login,
                                        lb_clock_unix_ms(env->clock), out_seen, out_drawn);
    lb_review_rows_close(&rows);
    return status;
}

static lb_status run_sample(struct step *step)
{
    LB_DEFER(lb_detect_rules_freep) struct lb_detect_rules *rules = NULL;
    struct lb_ctl_officer *officer = &step->officer;
    struct lb_audit_index *index = NULL;
    struct lb_ctl_sheet sheet;
    uint64_t seen = 0, drawn = 0;
    LB_TRY(lb_detect_rules_load(step->rules_path, &officer->diag, &rules));
    LB_TRY(open_queue(step));
    LB_TRY(lb_audit_index_open(officer->index_folder, &officer->diag, &index));
    lb_status status = draw(step, rules, index, &seen, &drawn);
    lb_audit_index_close(index);
    LB_TRY(status);
    lb_ctl_sheet_init(&sheet, officer->env, officer->arena, NULL, 0);
    lb_ctl_sheet_number(&sheet, "seen", "未提示的调阅", "accesses without an alert",
                        (int64_t)seen);
    lb_ctl_sheet_number(&sheet, "drawn", "抽取", "drawn", (int64_t)drawn);
    lb_ctl_officer_facts(officer, &sheet, NULL);
    return lb_ctl_sheet_print(&sheet, false);
}

int lb_ctl_review_sample(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban review sample --percent 2 --since 2026-11-01T00:00+08:00"
        " --until 2026-12-01T00:00+08:00 --rules rules.yaml --state tax-review"
        " --index tax-index --officer officer.yaml", NULL};
    struct step step = {
        .officer = {.env = env, .command = "review sample", .kind = "REVIEW_SAMPLED"}};
    const struct lb_ctl_option options[] = {
        STATE_OPTION(step),
        {.name = "rules", .value = "FILE", .text = &step.rules_path, .required = true,
         .en = "the rules", .zh = "规则文件"},
        {.name = "percent", .value = "N", .number = &step.percent, .min = 1, .max = 100,
         .required = true, .en = "so many of a hundred that no rule noticed",
         .zh = "未被提示的调阅中抽取百分之几"},
    };
    const struct lb_ctl_usage usage = {
        .command = "review sample", .examples = examples,
        .en = "draw accesses that no rule noticed, at random, into the queue",
        .zh = "随机抽取未被提示的调阅进行核查",
    };
    int exit_code = lb_ctl_officer_args(&step.officer, &usage, options, 3, argc, argv, NULL);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    if (step.officer.since == NULL || step.officer.until == NULL)
        return lb_ctl_usage_error(env, "review sample", "give --since and --until");
    lb_status status = run_sample(&step);
    lb_review_close(step.review);
    return lb_ctl_officer_finish(&step.officer, status);
}

int lb_ctl_review_command(struct lb_ctl_env *env, int argc, char **argv)
{
    static const struct lb_ctl_word words[] = {
        {"check", "check a rules file", "检查规则文件", lb_ctl_review_check},
        {"scan", "look for misuse in what is new", "审看新增条目", lb_ctl_review_scan},
        {"list", "what waits for review", "待核查的提示", lb_ctl_review_list},
        {"show", "one alert", "一项提示", lb_ctl_review_show},
        {"assign", "say who looks into it", "指派", lb_ctl_review_assign},
        {"explain", "record the explanation", "说明", lb_ctl_review_explain},
        {"close", "close it with a reason", "办结", lb_ctl_review_close},
        {"sample", "draw what no rule noticed", "抽查", lb_ctl_review_sample},
        {"verify", "recompute the chain of acts", "复算核查记录", lb_ctl_review_verify},
    };
    return lb_ctl_words(env, "review", words, sizeof(words) / sizeof(words[0]), argc, argv);
}
