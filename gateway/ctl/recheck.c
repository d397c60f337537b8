#include <fcntl.h>
#include <unistd.h>

#include "gateway/base/buf.h"
#include "gateway/base/utf8.h"
#include "gateway/ctl/args.h"
#include "gateway/ctl/case_run.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/sheet.h"
#include "policy/engine/idno.h"

/*
 * `lianban recheck run`: everybody on a list is looked at once more, one case each, by a form whose
 * sections are mandates. Its conditions are findings. Who has none, and of whom all is known, is
 * unchanged, and that case is closed; all others stay open for a person. Nothing else happens to
 * anybody.
 */

#define MAX_LIST_BYTES (16U * 1024 * 1024)
#define LIST_ARENA_BYTES (2 * MAX_LIST_BYTES)
#define MAX_RECORD_BYTES 64
#define MAX_PER_MINUTE 6000
#define DEFAULT_PER_MINUTE 120
#define MAX_FINDINGS 64
#define TELL_EVERY 100
#define DEFAULT_UNIT "window"
#define UNCHANGED "UNCHANGED" /* the form's class of who has no finding */

struct finding {
    const char *condition;
    int64_t found;
    int64_t unclear;
};

struct recheck {
    struct lb_ctl_case_run run;
    struct lb_arena *arena;
    const char *form, *list, *out_path, *agent, *badge, *unit;
    int64_t per_minute, from;
    FILE *out;
    int64_t line;               /* from 1, of the list */
    int64_t checked, unchanged;
    bool used_up;               /* a department's budget is */
    struct finding findings[MAX_FINDINGS];
    size_t num_findings;
};

struct person {
    const char *record;
    char id_no[19];
    const char *name;
};

/* --- the list --- */

static lb_status fail(struct recheck *recheck, const char *text)
{
    lb_diag_set(&recheck->run.diag, "%s:%lld: %s", recheck->list, (long long)recheck->line, text);
    LB_FAIL(LB_MALFORMED, "a line of the list");
}

static struct lb_span take_until(struct lb_span *in, uint8_t mark)
{
    const uint8_t *end = in->len == 0 ? NULL : memchr(in->ptr, mark, in->len);
    struct lb_span taken = {in->ptr, end == NULL ? in->len : (size_t)(end - in->ptr)};
    size_t past = end == NULL ? in->len : taken.len + 1;
    *in = (struct lb_span){in->ptr + past, in->len - past};
    return taken;
}

static lb_status read_person(struct recheck *recheck, struct lb_span line, struct person *out)
{
    struct lb_span record = take_until(&line, '\t');
    struct lb_span id_no = take_until(&line, '\t');
    out->record = lb_arena_str(recheck->run.view->arena, record);
    out->name = lb_arena_str(recheck->run.view->arena, line);
    if (out->record == NULL || !lb_utf8_line(out->record, MAX_RECORD_BYTES))
        return fail(recheck, "a record's reference is one word of at most 64 bytes");
    if (lb_idno_canonical(id_no, out->id_no) != LB_OK)
        return fail(recheck, "no valid identity number between the first tab and the second");
    if (out->name == NULL || !lb_utf8_line(out->name, LB_MAX_VALUE_BYTES))
        return fail(recheck, "no name behind the second tab");
    return LB_OK;
}

/* --- one case --- */

static struct finding *find_finding(struct recheck *recheck, const char *condition)
{
    for (size_t i = 0; i < recheck->num_findings; i++) {
        if (strcmp(recheck->findings[i].condition, condition) == 0)
            return &recheck->findings[i];
    }
    struct finding *finding = &recheck->findings[recheck->num_findings];
    if (recheck->num_findings == MAX_FINDINGS)
        return NULL;
    finding->condition = lb_arena_str(recheck->arena, lb_span_str(condition));
    if (finding->condition == NULL)
        return NULL;
    recheck->num_findings++;
    return finding;
}

/* Appends the conditions of one truth, and counts them. */
static lb_status take_reasons(struct recheck *recheck, const char *truth, struct lb_buf *line)
{
    const Lianban__V1__CaseResult *result = recheck->run.view->result;
    bool any = false;
    lb_buf_put_u8(line, '\t');
    for (size_t i = 0; i < result->n_reasons; i++) {
        const Lianban__V1__Reason *reason = result->reasons[i];
        struct finding *finding = find_finding(recheck, reason->condition);
        LB_ENSURE(finding != NULL, LB_TOO_LARGE, "more findings than a form has");
        if (strcmp(reason->truth, truth) != 0)
            continue;
        lb_buf_printf(line, "%s%s", any ? "," : "", reason->condition);
        any = true;
        if (strcmp(truth, "TRUE") == 0)
            finding->found++;
        else
            finding->unclear++;
    }
    return LB_OK;
}

static lb_status write_line(struct recheck *recheck, const struct person *person)
{
    LB_DEFER(lb_buf_cleanup) struct lb_buf line;
    const Lianban__V1__CaseResult *result = recheck->run.view->result;
    lb_buf_init(&line, LB_MAX_CONFIG_FILE_BYTES);
    lb_buf_printf(&line, "%s\t%s\t%s", person->record, result->case_id, result->class_id);
    LB_TRY(take_reasons(recheck, "TRUE", &line));
    LB_TRY(take_reasons(recheck, "UNKNOWN", &line));
    lb_buf_put_u8(&line, '\n');
    LB_TRY(lb_buf_check(&line));
    struct lb_span bytes = lb_buf_span(&line);
    LB_ENSURE(fwrite(bytes.ptr, 1, bytes.len, recheck->out) == bytes.len &&
                  fflush(recheck->out) == 0,
              LB_FILE_FAILED, "the result cannot be written");
    return LB_OK;
}

static lb_status open_case(struct recheck *recheck, const struct person *person,
                           const char **out_case)
{
    struct lb_ctl_case_run *run = &recheck->run;
    Lianban__V1__OpenCaseRequest request = LIANBAN__V1__OPEN_CASE_REQUEST__INIT;
    Lianban__V1__OpenCaseResponse *answer = NULL;
    Lianban__V1__RequestGrantsResponse *tickets = NULL;
    Lianban__V1__Member member = LIANBAN__V1__MEMBER__INIT;
    Lianban__V1__Member *members[] = {&member};
    member.role = (char *)(uintptr_t)"applicant"; /* only packed, as are the others */
    member.id_no = (char *)(uintptr_t)person->id_no;
    member.name = (char *)(uintptr_t)person->name;
    request.form = (char *)(uintptr_t)recheck->form;
    request.members = members;
    request.n_members = 1;
    request.operator_badge = (char *)(uintptr_t)recheck->badge;
    request.operator_unit = (char *)(uintptr_t)recheck->unit;
    LB_TRY(run->port.open_case(run->port.ctx, &request, run->view->arena, &answer));
    *out_case = answer->case_id;
    LB_TRY(run->port.request_grants(run->port.ctx, answer->case_id, run->view->arena, &tickets));
    if (tickets->n_tickets == 0)
        return LB_OK;
    lb_diag_set(&run->diag, "the form asks for consent; a recheck's is all by mandate");
    LB_TRY(run->port.close_case(run->port.ctx, answer->case_id));
    LB_FAIL(LB_BASIS_NOT_ALLOWED, "the form asks for consent");
}

static bool is_used_up(const Lianban__V1__CaseResult *result)
{
    for (size_t i = 0; i < result->n_missing; i++) {
        if (strcmp(result->missing[i]->code, lb_code_name(LB_BUDGET_EXHAUSTED)) == 0)
            return true;
    }
    return false;
}

/* Whoever was not asked about in full, because a budget is used up, is asked about next time. */
static lb_status conclude(struct recheck *recheck, const struct person *person,
                          const char *case_id)
{
    struct lb_ctl_case_run *run = &recheck->run;
    const Lianban__V1__CaseResult *result = run->view->result;
    LB_ENSURE(result->receipts_failed == 0, LB_RECEIPT_INVALID, "a receipt does not verify");
    recheck->used_up = is_used_up(result);
    if (recheck->used_up)
        return run->port.close_case(run->port.ctx, case_id);
    recheck->checked++;
    if (strcmp(result->class_id, UNCHANGED) != 0)
        return write_line(recheck, person);
    recheck->unchanged++;
    return run->port.close_case(run->port.ctx, case_id);
}

static lb_status check_person(struct recheck *recheck, struct lb_span line)
{
    struct lb_ctl_case_run *run = &recheck->run;
    struct person person;
    const char *case_id = NULL;
    lb_ctl_case_free(run->view);
    run->view = lb_ctl_case_new();
    LB_ENSURE(run->view != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(read_person(recheck, line, &person));
    LB_TRY(open_case(recheck, &person, &case_id));
    lb_status status = lb_ctl_case_run_collect(run, case_id, 0);
    if (status == LB_OK)
        return conclude(recheck, &person, case_id);
    /* Asked about anew another time; what comes of closing changes nothing about that. */
    lb_status_ignore(run->port.close_case(run->port.ctx, case_id));
    return status;
}

/* --- the run --- */

static lb_status check_all(struct recheck *recheck, struct lb_span list)
{
    while (list.len > 0 && !recheck->used_up) {
        struct lb_span line = take_until(&list, '\n');
        recheck->line++;
        if (recheck->line < recheck->from)
            continue;
        int64_t begun = lb_clock_monotonic_ms(recheck->run.env->clock);
        LB_TRY(check_person(recheck, line));
        if (recheck->checked % TELL_EVERY == 0)
            lb_ctl_note(recheck->run.env, "%lld checked 已复核", (long long)recheck->checked);
        if (list.len > 0)
            lb_ctl_case_run_pace(&recheck->run, begun, recheck->per_minute);
    }
    return LB_OK;
}

/* Never over an older result. */
static lb_status open_out(struct recheck *recheck)
{
    int fd = open(recheck->out_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    recheck->out = fd < 0 ? NULL : fdopen(fd, "w");
    if (recheck->out == NULL)
        lb_diag_set(&recheck->run.diag, "%s: cannot be made, or is there already",
                    recheck->out_path);
    LB_ENSURE(recheck->out != NULL, LB_FILE_FAILED, "result file");
    return LB_OK;
}

static lb_status run_list(struct recheck *recheck)
{
    struct lb_span list = LB_SPAN_EMPTY;
    recheck->arena = lb_arena_new(LIST_ARENA_BYTES);
    LB_ENSURE(recheck->arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(lb_ctl_read(recheck->run.env, recheck->list, MAX_LIST_BYTES, recheck->arena,
                       &recheck->run.diag, &list));
    LB_TRY(lb_ctl_case_run_open(&recheck->run, recheck->agent, NULL));
    LB_TRY(open_out(recheck));
    return check_all(recheck, list);
}

/* --- what is told --- */

static const struct lb_ctl_column columns[] = {
    {.id = "finding", .en = "finding", .zh = "发现"},
    {.id = "found", .en = "people", .zh = "人数", .number = true},
    {.id = "unclear", .en = "not known", .zh = "无法确定", .number = true},
};

static lb_status tell(struct recheck *recheck, bool stopped)
{
    struct lb_ctl_sheet sheet;
    lb_ctl_sheet_init(&sheet, recheck->run.env, recheck->arena, columns, 3);
    for (size_t i = 0; i < recheck->num_findings; i++) {
        const struct finding *finding = &recheck->findings[i];
        const char *const cells[] = {
            finding->condition,
            lb_arena_printf(recheck->arena, "%lld", (long long)finding->found),
            lb_arena_printf(recheck->arena, "%lld", (long long)finding->unclear)};
        lb_ctl_sheet_row(&sheet, cells);
    }
    lb_ctl_sheet_number(&sheet, "checked", "已复核人数", "people checked", recheck->checked);
    lb_ctl_sheet_number(&sheet, "unchanged", "无变化", "unchanged", recheck->unchanged);
    lb_ctl_sheet_number(&sheet, "to_a_person", "须人工核查", "for a person to look at",
                        recheck->checked - recheck->unchanged);
    if (stopped || recheck->used_up)
        lb_ctl_sheet_number(&sheet, "next", "续办起始行 --from", "go on with --from",
                            recheck->line);
    return lb_ctl_sheet_print(&sheet, false);
}

static int finish(struct recheck *recheck, lb_status status)
{
    int exit_code = LB_CTL_OK;
    bool began = recheck->out != NULL;
    if (began && fclose(recheck->out) != 0 && status == LB_OK)
        status = LB_FAULT(LB_FILE_FAILED, "the result cannot be written");
    if (began && (status == LB_OK || !recheck->run.env->json)) {
        lb_status told = tell(recheck, status != LB_OK);
        status = status == LB_OK ? told : status;
    }
    if (status != LB_OK)
        exit_code = lb_ctl_case_run_fail(&recheck->run, NULL, status);
    else if (recheck->used_up)
        exit_code = LB_CTL_FAILED;
    lb_ctl_case_run_close(&recheck->run);
    lb_arena_free(recheck->arena);
    return exit_code;
}

static int read_args(struct recheck *recheck, const struct lb_ctl_usage *usage, int argc,
                     char **argv)
{
    const struct lb_ctl_option options[] = {
        {.name = "form", .value = "FORM", .required = true, .text = &recheck->form,
         .en = "the recheck's form; all of it asked by mandate", .zh = "复核表单，均依法定职责查询"},
        {.name = "list", .value = "FILE|-", .required = true, .text = &recheck->list,
         .en = "whom to check, - for standard input", .zh = "复核名单，- 为标准输入"},
        {.name = "out", .value = "FILE", .required = true, .text = &recheck->out_path,
         .en = "who needs a person: record, case, class, findings, what is not known",
         .zh = "须人工核查者：记录、办件、结论、发现、无法确定项"},
        {.name = "agent", .value = "unix:PATH", .text = &recheck->agent,
         .en = "the window agent (or LIANBAN_AGENT)", .zh = "窗口代理地址（或 LIANBAN_AGENT）"},
        {.name = "operator", .value = "BADGE", .text = &recheck->badge,
         .en = "in whose name; default: the login", .zh = "经办人工号，默认登录名"},
        {.name = "unit", .value = "UNIT", .text = &recheck->unit,
         .en = "the operator's unit; default: window", .zh = "经办单位，默认 window"},
        {.name = "per-minute", .value = "N", .number = &recheck->per_minute, .min = 1,
         .max = MAX_PER_MINUTE, .en = "at most so many people a minute; default 120",
         .zh = "每分钟最多人数，默认 120"},
        {.name = "from", .value = "LINE", .number = &recheck->from, .min = 1,
         .max = INT64_C(1) << 31, .en = "go on at this line of the list", .zh = "从名单此行继续"},
    };
    struct lb_ctl_usage full = *usage;
    full.options = options;
    full.num_options = sizeof(options) / sizeof(options[0]);
    int exit_code = lb_ctl_args(recheck->run.env, &full, argc, argv, NULL);
    if (exit_code == LB_CTL_GO && !lb_ctl_agent_ok(recheck->agent))
        return lb_ctl_usage_error(recheck->run.env, usage->command,
                                  "--agent is unix: and the path of a socket");
    return exit_code;
}

static int recheck_run(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban recheck run --form recheck --list recipients.tsv --out to-look-at.tsv",
        "recipients.tsv:  record TAB identity number TAB name, a line for each person", NULL};
    struct recheck recheck = {
        .run = {.env = env, .command = "recheck run"}, .agent = env->agent, .badge = env->login,
        .unit = DEFAULT_UNIT, .per_minute = DEFAULT_PER_MINUTE, .from = 1,
    };
    const struct lb_ctl_usage usage = {
        .command = "recheck run", .examples = examples,
        .en = "look at everybody on a list once more by mandate; a person decides on what is found",
        .zh = "依法逐人复核名单，发现问题的由人工核查，不自动作出不利决定",
    };
    int exit_code = read_args(&recheck, &usage, argc, argv);
    return exit_code != LB_CTL_GO ? exit_code : finish(&recheck, run_list(&recheck));
}

int lb_ctl_recheck_command(struct lb_ctl_env *env, int argc, char **argv)
{
    static const struct lb_ctl_word words[] = {
        {"run", "everybody on a list, by mandate", "依法逐人复核名单", recheck_run},
    };
    return lb_ctl_words(env, "recheck", words, 1, argc, argv);
}
