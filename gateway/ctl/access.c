#include "gateway/base/hex.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/concealed.h"
#include "gateway/ctl/officer.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/text.h"

/* `access conceal | approve | reveal | list`: what is left out by law when a citizen asks who
 * looked. Every word is an entry of the node's log, and its effect follows from that entry
 * alone. */

#define QUERY_ARENA_BYTES (4U * 1024 * 1024)
#define MAX_LAW_BYTES 256
#define TXN_BYTES 16

struct concealing {
    struct lb_ctl_officer officer;
    struct lb_arena *arena;  /* of the query, which is made before the officer's is there */
    const char *case_no, *txn, *law, *end;
    int64_t entry;           /* -1 for none */
    int64_t until_ms;
    struct lb_ctl_list operands;
    int64_t meant;
};

static lb_status begin(struct concealing *concealing)
{
    concealing->arena = lb_arena_new(QUERY_ARENA_BYTES);
    LB_ENSURE(concealing->arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    return LB_OK;
}

static int finish(struct concealing *concealing, lb_status status)
{
    int exit_code = lb_ctl_officer_finish(&concealing->officer, status);
    lb_arena_free(concealing->arena);
    return exit_code;
}

/* Records the act; there is nothing else to do. */
static lb_status act(struct concealing *concealing, const struct lb_json *query)
{
    struct lb_ctl_officer *officer = &concealing->officer;
    struct lb_ctl_sheet sheet;
    struct lb_span text = LB_SPAN_EMPTY;
    LB_TRY(lb_json_dump(query, LB_JSON_COMPACT, concealing->arena, &text));
    const char *line = lb_arena_str(concealing->arena, text);
    LB_ENSURE(line != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_ctl_officer_open(officer, line, NULL));
    lb_ctl_sheet_init(&sheet, officer->env, officer->arena, NULL, 0);
    lb_ctl_sheet_number(&sheet, "entry", "条目", "entry", (int64_t)officer->review.entry);
    return lb_ctl_sheet_print(&sheet, officer->csv);
}

/* --- conceal --- */

static lb_status run_conceal(struct concealing *concealing)
{
    char entry[24];
    LB_DEFER(lb_json_freep) struct lb_json *query = lb_json_object();
    (void)snprintf(entry, sizeof(entry), "%lld", (long long)concealing->entry);
    lb_json_set_cstr(query, "what", concealing->case_no != NULL ? "case"
                                    : concealing->txn != NULL   ? "txn"
                                                                : "entry");
    lb_json_set_cstr(query, "value", concealing->case_no != NULL ? concealing->case_no
                                     : concealing->txn != NULL   ? concealing->txn
                                                                 : entry);
    lb_json_set_cstr(query, "law", concealing->law);
    lb_json_set_int(query, "until_ms", concealing->until_ms);
    LB_TRY(begin(concealing));
    return act(concealing, query);
}

static int check_conceal(struct concealing *concealing)
{
    const struct lb_ctl_env *env = concealing->officer.env;
    int64_t now_ms = lb_clock_unix_ms(env->clock);
    uint8_t txn[TXN_BYTES];
    int num = (concealing->case_no != NULL) + (concealing->txn != NULL) + (concealing->entry >= 0);
    if (num != 1)
        return lb_ctl_usage_error(env, "access conceal", "give one of --case, --txn and --entry");
    if (concealing->case_no != NULL &&
        (concealing->case_no[0] == 0 || strlen(concealing->case_no) > LB_MAX_NAME_BYTES))
        return lb_ctl_usage_error(env, "access conceal", "--case is a case's number");
    if (concealing->txn != NULL &&
        lb_hex_decode(lb_span_str(concealing->txn), txn, sizeof(txn)) != LB_OK)
        return lb_ctl_usage_error(env, "access conceal", "--txn is 32 hex digits");
    if (concealing->law[0] == 0 || strlen(concealing->law) > MAX_LAW_BYTES)
        return lb_ctl_usage_error(env, "access conceal", "--law is an article, at most %d bytes",
                                  MAX_LAW_BYTES);
    if (lb_ctl_time_parse(concealing->end, &concealing->until_ms) != LB_OK ||
        concealing->until_ms <= now_ms || concealing->until_ms > now_ms + LB_CTL_CONCEAL_MAX_MS)
        return lb_ctl_usage_error(env, "access conceal",
                                  "--end is a time such as 2026-12-31T00:00+08:00, at most 366 days"
                                  " from now");
    return LB_CTL_GO;
}

static int conceal(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban access conceal --case c-17 --law 'PIPL 18' --end 2026-12-31 --reason 'inquiry 4'"
        " --index tax-index --officer officer.yaml",
        NULL,
    };
    struct concealing concealing = {
        .officer = {.env = env, .command = "access conceal", .kind = LB_CTL_CONCEAL_ASKED},
        .entry = -1};
    const struct lb_ctl_option options[] = {
        {.name = "case", .value = "CASE", .text = &concealing.case_no,
         .en = "all accesses of this case", .zh = "该办件的全部查阅"},
        {.name = "txn", .value = "HEX", .text = &concealing.txn, .en = "or one request",
         .zh = "或一次请求"},
        {.name = "entry", .value = "N", .number = &concealing.entry, .max = INT64_C(1) << 53,
         .en = "or one entry of the log", .zh = "或一条记录"},
        {.name = "law", .value = "ARTICLE", .required = true, .text = &concealing.law,
         .en = "which law says that the person is not told", .zh = "不予告知的法律依据"},
        {.name = "end", .value = "TIME", .required = true, .text = &concealing.end,
         .en = "when it lapses by itself", .zh = "自动失效时间"},
    };
    const struct lb_ctl_usage usage = {
        .command = "access conceal",
        .en = "ask that accesses be left out when the person asks; another officer approves",
        .zh = "申请依法暂不向本人列出，须另一安全员批准", .examples = examples,
    };
    int exit_code = lb_ctl_officer_args(&concealing.officer, &usage, options, 5, argc, argv, NULL);
    if (exit_code == LB_CTL_GO)
        exit_code = check_conceal(&concealing);
    return exit_code != LB_CTL_GO ? exit_code : finish(&concealing, run_conceal(&concealing));
}

/* --- approve, reveal --- */

/* As far as this index knows; what counts is what the log has in the end. */
static lb_status find(struct concealing *concealing, const struct lb_ctl_concealment **out)
{
    struct lb_ctl_officer *officer = &concealing->officer;
    struct lb_audit_index *index = NULL;
    struct lb_ctl_concealments list;
    LB_TRY(lb_audit_index_open(officer->index_folder, &officer->diag, &index));
    lb_status status = lb_ctl_concealments_load(index, lb_clock_unix_ms(officer->env->clock),
                                                concealing->arena, &list);
    lb_audit_index_close(index);
    LB_TRY(status);
    *out = lb_ctl_concealment_find(&list, (uint64_t)concealing->meant);
    if (*out == NULL)
        lb_diag_set(&officer->diag, "the index has no such request; run `lianban log index` and"
                                    " compare with `lianban access list`");
    LB_ENSURE(*out != NULL, LB_ABSENT, "no such concealment");
    return LB_OK;
}

static lb_status check_other(struct concealing *concealing, const struct lb_ctl_concealment *item)
{
    struct lb_ctl_officer *officer = &concealing->officer;
    struct lb_ctl_desk_profile profile;
    LB_TRY(lb_ctl_desk_profile_load(officer->profile_path, concealing->arena, &officer->diag,
                                    &profile));
    if (strcmp(profile.node, item->officer) == 0)
        lb_diag_set(&officer->diag, "you asked for it; another officer approves");
    LB_ENSURE(strcmp(profile.node, item->officer) != 0, LB_APPROVER_MISSING,
              "who asked does not approve");
    return LB_OK;
}

static lb_status run_on(struct concealing *concealing, bool approve)
{
    const struct lb_ctl_concealment *item = NULL;
    LB_DEFER(lb_json_freep) struct lb_json *query = lb_json_object();
    LB_TRY(begin(concealing));
    LB_TRY(find(concealing, &item));
    if (approve)
        LB_TRY(check_other(concealing, item));
    lb_json_set_int(query, "entry", concealing->meant);
    return act(concealing, query);
}

static int act_on(struct lb_ctl_env *env, struct lb_ctl_usage *usage, bool approve, int argc,
                  char **argv)
{
    struct concealing concealing = {
        .officer = {.env = env, .command = usage->command,
                    .kind = approve ? LB_CTL_CONCEAL_APPROVED : LB_CTL_CONCEAL_LIFTED}};
    usage->operand = "ENTRY";
    usage->min_operands = 1;
    usage->max_operands = 1;
    int exit_code = lb_ctl_officer_args(&concealing.officer, usage, NULL, 0, argc, argv,
                                        &concealing.operands);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    if (!lb_ctl_number(concealing.operands.items[0], 0, INT64_C(1) << 53, &concealing.meant))
        return lb_ctl_usage_error(env, usage->command, "ENTRY is the number that `access conceal`"
                                                       " gave");
    if (concealing.officer.unrecorded)
        return lb_ctl_usage_error(env, usage->command, "--unrecorded has no meaning here");
    return finish(&concealing, run_on(&concealing, approve));
}

static int approve(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban access approve 4711 --reason 'read the file' --index tax-index --officer"
        " wang.yaml", NULL};
    struct lb_ctl_usage usage = {
        .command = "access approve",
        .en = "approve what another officer asked to conceal, within 7 days",
        .zh = "七日内批准另一安全员的不予列出申请", .examples = examples};
    return act_on(env, &usage, true, argc, argv);
}

static int reveal(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban access reveal 4711 --reason 'inquiry closed' --index tax-index --officer"
        " officer.yaml", NULL};
    struct lb_ctl_usage usage = {
        .command = "access reveal", .en = "end a concealment before its time",
        .zh = "提前结束不予列出", .examples = examples};
    return act_on(env, &usage, false, argc, argv);
}

/* --- list --- */

static const struct lb_ctl_column columns[] = {
    {"entry", "entry", "条目", LB_CTL_IN_TABLE, true},
    {"state", "state", "状态", LB_CTL_IN_TABLE, false},
    {"what", "what", "对象", LB_CTL_IN_TABLE, false},
    {"value", "which", "编号", LB_CTL_IN_TABLE, false},
    {"law", "law", "法律依据", LB_CTL_IN_TABLE, false},
    {"end", "ends (UTC)", "失效（UTC）", LB_CTL_IN_TABLE, false},
    {"officer", "asked by", "申请人", LB_CTL_IN_TABLE, false},
    {"approver", "approved by", "批准人", LB_CTL_IN_TABLE, false},
    {"lifted_by", "ended by", "解除人", LB_CTL_IN_TABLE, false},
};

static const char *state_word(const struct lb_ctl_env *env, enum lb_ctl_conceal_state state)
{
    static const char *const en[] = {"asked", "in force", "lapsed", "ended"};
    static const char *const zh[] = {"待批准", "生效中", "已到期", "已解除"};
    return env->json ? en[state] : lb_ctl_pick(env, zh[state], en[state]);
}

static lb_status run_list(struct concealing *concealing)
{
    struct lb_ctl_officer *officer = &concealing->officer;
    struct lb_ctl_concealments list;
    struct lb_ctl_sheet sheet;
    LB_TRY(lb_ctl_officer_open(officer, "what is concealed", NULL));
    int64_t now_ms = lb_clock_unix_ms(officer->env->clock);
    LB_TRY(lb_ctl_concealments_load(officer->index, now_ms, officer->arena, &list));
    lb_ctl_sheet_init(&sheet, officer->env, officer->arena, columns,
                      sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < list.num; i++) {
        const struct lb_ctl_concealment *item = &list.items[i];
        char entry[24], end[LB_CTL_TIME_BYTES];
        (void)snprintf(entry, sizeof(entry), "%llu", (unsigned long long)item->entry);
        lb_ctl_time(item->until_ms, end);
        const char *const cells[] = {
            entry,
            state_word(officer->env, lb_ctl_conceal_state_of(item, now_ms)),
            item->what, item->value, item->law, end, item->officer, item->approver,
            item->lifted_by,
        };
        lb_ctl_sheet_row(&sheet, cells);
    }
    lb_ctl_officer_facts(officer, &sheet, NULL);
    return lb_ctl_sheet_print(&sheet, officer->csv);
}

static int list(struct lb_ctl_env *env, int argc, char **argv)
{
    struct concealing concealing = {
        .officer = {.env = env, .command = "access list", .kind = "CONCEALED"}};
    static const char *const examples[] = {
        "lianban access list --index tax-index --officer wang.yaml", NULL};
    const struct lb_ctl_usage usage = {
        .command = "access list", .en = "what is concealed, by whom, why and until when",
        .zh = "列出依法不予列出的事项", .examples = examples};
    int exit_code = lb_ctl_officer_args(&concealing.officer, &usage, NULL, 0, argc, argv, NULL);
    return exit_code != LB_CTL_GO ? exit_code : finish(&concealing, run_list(&concealing));
}

int lb_ctl_access_command(struct lb_ctl_env *env, int argc, char **argv)
{
    static const struct lb_ctl_word words[] = {
        {"serve", "answer citizens' questions who looked, under grants", "答复“谁看过我的信息”",
         lb_ctl_access_serve},
        {"conceal", "ask that accesses be left out by law", "申请依法不予列出", conceal},
        {"approve", "approve that, as another officer", "批准不予列出", approve},
        {"reveal", "end it before its time", "提前解除", reveal},
        {"list", "what is concealed now, and was", "不予列出事项一览", list},
    };
    return lb_ctl_words(env, "access", words, sizeof(words) / sizeof(words[0]), argc, argv);
}
