#include "gateway/ctl/intake.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/file.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/sheet.h"
#include "gateway/ctl/text.h"
#include "lianban/v1/intake.pb-c.h"

/* `intake`: a department's clerk takes out what was handed in, through the own adapter. */

struct taking {
    struct lb_ctl_desk desk;
    bool all;
    int64_t after;
    const char *folder;
};

bool lb_ctl_intake_number(const char *text, int64_t *out)
{
    size_t len = strlen(text);
    int64_t number = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9' || i >= 18)
            return false;
        number = 10 * number + (text[i] - '0');
    }
    *out = number;
    return number > 0;
}

int lb_ctl_intake_number_missing(const struct lb_ctl_env *env, const char *command)
{
    return lb_ctl_usage_error(env, command, "%s",
                              lb_ctl_pick(env, "请给出一个件号（见 intake list）",
                                          "give the number of one part (intake list)"));
}

struct lb_ctl_option lb_ctl_intake_officer(struct lb_ctl_desk *desk)
{
    return (struct lb_ctl_option){
        .name = "officer", .value = "PROFILE.yaml", .required = true, .text = &desk->profile_path,
        .en = "the profile of a clerk whom the policy names", .zh = "策略指定的经办人配置文件"};
}

static int run_words(struct taking *taking, const struct lb_ctl_usage *usage, int argc, char **argv,
                     struct lb_ctl_list *operands)
{
    return lb_ctl_args(taking->desk.env, usage, argc, argv, operands);
}

/* --- list --- */

static const struct lb_ctl_column COLUMNS[] = {
    {"number", "number", "件号", LB_CTL_IN_TABLE, true},
    {"kind", "kind", "类型", LB_CTL_IN_TABLE, false},
    {"about", "about", "所属件", LB_CTL_IN_TABLE, true},
    {"state", "state", "状态", LB_CTL_IN_TABLE, false},
    {"case", "case", "办件", LB_CTL_IN_TABLE, false},
    {"form", "form", "表单", LB_CTL_IN_TABLE, false},
    {"part", "part", "部分", LB_CTL_IN_TABLE, false},
    {"due", "due", "期限", LB_CTL_IN_TABLE, false},
    {"came", "came", "收到", LB_CTL_IN_TABLE, false},
    {"waiting", "waiting", "待取", LB_CTL_IN_TABLE, false},
    {"requester", "requester", "窗口", LB_CTL_NOT_SHOWN, false},
    {"emergency", "emergency", "紧急", LB_CTL_NOT_SHOWN, false},
    {"words", "words", "答复数", LB_CTL_NOT_SHOWN, true},
    {"failed", "failed", "程序失败", LB_CTL_UNDER_ROW, false},
};

static const char *decimal(struct lb_arena *arena, int64_t number)
{
    return number == 0 ? "" : lb_arena_printf(arena, "%lld", (long long)number);
}

static void add_row(struct lb_ctl_sheet *sheet, struct lb_arena *arena,
                    const Lianban__V1__PartSummary *part)
{
    char came[LB_CTL_TIME_BYTES];
    lb_ctl_time(part->came_unix_s * 1000, came);
    const char *cells[] = {decimal(arena, part->number),
                           part->kind,
                           decimal(arena, part->about),
                           part->state,
                           part->case_id,
                           part->form,
                           part->part,
                           part->due,
                           came,
                           part->waiting ? "yes" : "",
                           part->requester,
                           part->emergency ? "yes" : "",
                           decimal(arena, part->words),
                           part->failed};
    lb_ctl_sheet_row(sheet, cells);
}

static lb_status list_parts(struct taking *taking)
{
    struct lb_ctl_desk *desk = &taking->desk;
    Lianban__V1__ListPartsRequest request = LIANBAN__V1__LIST_PARTS_REQUEST__INIT;
    Lianban__V1__ListPartsResponse *answer = NULL;
    struct lb_ctl_sheet sheet;
    LB_TRY(lb_ctl_desk_open_adapter(desk));
    request.after = taking->after;
    request.all = taking->all;
    LB_TRY(desk->port.ask(desk->port.ctx, "ListParts", &request,
                          &lianban__v1__list_parts_response__descriptor, desk->arena, &answer));
    lb_ctl_sheet_init(&sheet, desk->env, desk->arena, COLUMNS,
                      sizeof(COLUMNS) / sizeof(COLUMNS[0]));
    for (size_t i = 0; i < answer->n_parts; i++)
        add_row(&sheet, desk->arena, answer->parts[i]);
    if (answer->more)
        lb_ctl_sheet_number(&sheet, "more_after", "还有，从此件号之后继续（--after）",
                            "there are more; go on with --after",
                            answer->parts[answer->n_parts - 1]->number);
    return lb_ctl_sheet_print(&sheet, false);
}

static int list_command(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {"lianban intake list --officer clerk.yaml", NULL};
    struct taking taking = {.desk = {.env = env, .command = "intake list"}};
    const struct lb_ctl_option options[] = {
        lb_ctl_intake_officer(&taking.desk),
        {.name = "all", .flag = &taking.all, .en = "those too that were acknowledged",
         .zh = "包括已取走的"},
        {.name = "after", .value = "NUMBER", .number = &taking.after, .min = 0, .max = INT64_MAX,
         .en = "go on behind this number", .zh = "从此件号之后继续"},
    };
    const struct lb_ctl_usage usage = {
        .command = "intake list", .en = "what was handed in, without a word about anybody",
        .zh = "列出收到的件，不含个人信息", .options = options,
        .num_options = sizeof(options) / sizeof(options[0]), .examples = examples};
    int exit_code = run_words(&taking, &usage, argc, argv, NULL);
    return exit_code != LB_CTL_GO ? exit_code
                                  : lb_ctl_desk_finish(&taking.desk, list_parts(&taking));
}

/* --- next and show --- */

static lb_status print_part(const struct lb_ctl_env *env, const Lianban__V1__PartResponse *part)
{
    const char *text = part->found ? part->json : "{\"number\": null}";
    LB_ENSURE(fprintf(env->out, "%s\n", text) > 0, LB_FILE_FAILED, "result was not written");
    return LB_OK;
}

static lb_status ask_next(struct lb_ctl_desk *desk, struct lb_arena *arena,
                          Lianban__V1__PartResponse **out)
{
    Lianban__V1__NextPartRequest request = LIANBAN__V1__NEXT_PART_REQUEST__INIT;
    return desk->port.ask(desk->port.ctx, "NextPart", &request,
                          &lianban__v1__part_response__descriptor, arena, out);
}

static lb_status next_part(struct taking *taking)
{
    Lianban__V1__PartResponse *answer = NULL;
    LB_TRY(lb_ctl_desk_open_adapter(&taking->desk));
    LB_TRY(ask_next(&taking->desk, taking->desk.arena, &answer));
    return print_part(taking->desk.env, answer);
}

static int next_command(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {"lianban intake next --officer clerk.yaml", NULL};
    struct taking taking = {.desk = {.env = env, .command = "intake next"}};
    const struct lb_ctl_option options[] = {lb_ctl_intake_officer(&taking.desk)};
    const struct lb_ctl_usage usage = {
        .command = "intake next",
        .en = "the oldest part that waits, as JSON; nobody else gets it for a while",
        .zh = "取最早的待取件（JSON），一段时间内不再交给他人", .options = options,
        .num_options = 1, .examples = examples};
    int exit_code = run_words(&taking, &usage, argc, argv, NULL);
    return exit_code != LB_CTL_GO ? exit_code
                                  : lb_ctl_desk_finish(&taking.desk, next_part(&taking));
}

static lb_status show_part(struct taking *taking)
{
    struct lb_ctl_desk *desk = &taking->desk;
    Lianban__V1__GetPartRequest request = LIANBAN__V1__GET_PART_REQUEST__INIT;
    Lianban__V1__PartResponse *answer = NULL;
    LB_TRY(lb_ctl_desk_open_adapter(desk));
    request.number = taking->after;
    LB_TRY(desk->port.ask(desk->port.ctx, "GetPart", &request,
                          &lianban__v1__part_response__descriptor, desk->arena, &answer));
    return print_part(desk->env, answer);
}

static lb_status ack(struct lb_ctl_desk *desk, int64_t number)
{
    Lianban__V1__AckPartRequest request = LIANBAN__V1__ACK_PART_REQUEST__INIT;
    Lianban__V1__AckPartResponse *answer = NULL;
    request.number = number;
    return desk->port.ask(desk->port.ctx, "AckPart", &request,
                          &lianban__v1__ack_part_response__descriptor, desk->arena, &answer);
}

static lb_status ack_part(struct taking *taking)
{
    LB_DEFER(lb_json_freep) struct lb_json *json = lb_json_object();
    LB_TRY(lb_ctl_desk_open_adapter(&taking->desk));
    LB_TRY(ack(&taking->desk, taking->after));
    lb_json_set_int(json, "acknowledged", taking->after);
    return lb_ctl_print_json(taking->desk.env, json);
}

/* `show` and `ack`: one number, nothing else. */
static int one_command(struct lb_ctl_env *env, const char *command, const char *en, const char *zh,
                       lb_status (*run)(struct taking *taking), int argc, char **argv)
{
    static const char *const shown[] = {"lianban intake show 17 --officer clerk.yaml", NULL};
    static const char *const acked[] = {"lianban intake ack 17 --officer clerk.yaml", NULL};
    const char *const *examples = run == ack_part ? acked : shown;
    struct taking taking = {.desk = {.env = env, .command = command}};
    struct lb_ctl_list operands = {.num = 0};
    const struct lb_ctl_option options[] = {lb_ctl_intake_officer(&taking.desk)};
    const struct lb_ctl_usage usage = {.command = command, .en = en, .zh = zh, .operand = "NUMBER",
                                       .min_operands = 1, .max_operands = 1, .options = options,
                                       .num_options = 1, .examples = examples};
    int exit_code = run_words(&taking, &usage, argc, argv, &operands);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    if (!lb_ctl_intake_number(operands.items[0], &taking.after))
        return lb_ctl_intake_number_missing(env, command);
    return lb_ctl_desk_finish(&taking.desk, run(&taking));
}

static int show_command(struct lb_ctl_env *env, int argc, char **argv)
{
    return one_command(env, "intake show", "one part with all that was said of it, as JSON",
                       "查看一件及其全部答复（JSON）", show_part, argc, argv);
}

static int ack_command(struct lb_ctl_env *env, int argc, char **argv)
{
    return one_command(env, "intake ack", "say that the department has a part in its own system",
                       "确认本部门系统已取走一件", ack_part, argc, argv);
}

/* --- export --- */

/* The file first, then the acknowledgement: who is cut off between them writes the same file
 * again. */
static lb_status export_one(struct taking *taking, bool *out_found)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    Lianban__V1__PartResponse *part = NULL;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(ask_next(&taking->desk, arena, &part));
    *out_found = part->found;
    if (!part->found)
        return LB_OK;
    const char *path = lb_arena_printf(arena, "%s/%lld.json", taking->folder,
                                       (long long)part->number);
    LB_ENSURE(path != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(lb_file_write(path, lb_span_str(part->json), 0600));
    return ack(&taking->desk, part->number);
}

static lb_status export_parts(struct taking *taking)
{
    LB_DEFER(lb_json_freep) struct lb_json *json = lb_json_object();
    int64_t num = 0;
    bool found = false;
    LB_TRY(lb_ctl_desk_open_adapter(&taking->desk));
    LB_TRY(export_one(taking, &found));
    while (found) {
        num++;
        LB_TRY(export_one(taking, &found));
    }
    lb_json_set_int(json, "exported", num);
    return lb_ctl_print_json(taking->desk.env, json);
}

static int export_command(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban intake export --officer clerk.yaml --dir /srv/intake", NULL};
    struct taking taking = {.desk = {.env = env, .command = "intake export"}};
    const struct lb_ctl_option options[] = {
        lb_ctl_intake_officer(&taking.desk),
        {.name = "dir", .value = "FOLDER", .required = true, .text = &taking.folder,
         .en = "where each part is written as <number>.json, mode 0600",
         .zh = "写入目录，每件一个 <件号>.json 文件"},
    };
    const struct lb_ctl_usage usage = {
        .command = "intake export",
        .en = "write every part that waits to a file, and acknowledge it",
        .zh = "将全部待取件写成文件并确认取走", .options = options, .num_options = 2,
        .examples = examples};
    int exit_code = run_words(&taking, &usage, argc, argv, NULL);
    return exit_code != LB_CTL_GO ? exit_code
                                  : lb_ctl_desk_finish(&taking.desk, export_parts(&taking));
}

int lb_ctl_intake_command(struct lb_ctl_env *env, int argc, char **argv)
{
    static const struct lb_ctl_word words[] = {
        {"list", "what was handed in", "列出收到的件", list_command},
        {"next", "the oldest part that waits", "取最早的待取件", next_command},
        {"show", "one part and all that was said of it", "查看一件", show_command},
        {"ack", "say that the department has it", "确认取走", ack_command},
        {"export", "all that waits, into files", "导出全部待取件", export_command},
        {"accept", "take it on under a number", "受理", lb_ctl_intake_accept},
        {"return", "do not take it on, and say why", "退件（不予受理）", lb_ctl_intake_return},
        {"ask", "ask for a supplement", "要求补正", lb_ctl_intake_ask},
        {"decide", "say how it was decided", "办结决定", lb_ctl_intake_decide},
        {"withdrawn", "say that a withdrawal took effect", "确认撤回", lb_ctl_intake_withdrawn},
        {"correct", "correct what was said before", "更正先前的答复", lb_ctl_intake_correct},
        {"contacted", "a signal: the person was told", "线索：已联系", lb_ctl_intake_contacted},
        {"applied", "a signal: and has applied", "线索：已申请", lb_ctl_intake_applied},
        {"declined", "a signal: and does not want to", "线索：不愿申请", lb_ctl_intake_declined},
        {"not-reached", "a signal: could not be found", "线索：未联系到", lb_ctl_intake_not_reached},
    };
    return lb_ctl_words(env, "intake", words, sizeof(words) / sizeof(words[0]), argc, argv);
}
