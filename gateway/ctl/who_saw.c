#include "gateway/base/wipe.h"
#include "gateway/ctl/access_rows.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/say.h"
#include "policy/engine/idno.h"

/* `who-saw`: everything this log holds about one person. The number is typed, piped or read from a
 * file and goes to the own node alone, which turns it into the pseudonym; the command line never
 * holds it. */

#define MAX_NUMBER_BYTES 256

struct who_saw {
    struct lb_ctl_officer officer;
    const char *document;
    const char *subject_hex;
    bool newest;
    char id_no[19];
};

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* Lines from a person end where the line does. */
static lb_status read_number(struct who_saw *who)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(4 * MAX_NUMBER_BYTES);
    struct lb_ctl_officer *officer = &who->officer;
    struct lb_span text = LB_SPAN_EMPTY;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(lb_ctl_read(officer->env, who->document, MAX_NUMBER_BYTES, arena, &officer->diag,
                       &text));
    while (text.len > 0 && is_blank(text.ptr[text.len - 1]))
        text.len--;
    lb_status status = lb_idno_normalise(text, who->id_no);
    if (status != LB_OK)
        lb_diag_set(&officer->diag, "what was read is not one identity number of 18 characters");
    return status;
}

static lb_status run(struct who_saw *who)
{
    struct lb_ctl_about about = {NULL, who->subject_hex};
    if (who->document != NULL) {
        LB_TRY(read_number(who));
        about.id_no = who->id_no;
    }
    who->officer.filter.newest_first = who->newest;
    LB_TRY(lb_ctl_officer_open(&who->officer, "who-saw", &about));
    return lb_ctl_access_print(&who->officer, NULL);
}

static const char *const examples[] = {
    "lianban who-saw --document - --index tax-index --officer officer.yaml --reason 'complaint 17'",
    "lianban who-saw --document number.txt --index tax-index --officer officer.yaml --json",
    "lianban who-saw --subject HEX --index copy-index --unrecorded",
    NULL,
};

int lb_ctl_who_saw_command(struct lb_ctl_env *env, int argc, char **argv)
{
    struct who_saw who = {.officer = {.env = env, .command = "who-saw", .kind = "WHO_SAW"}};
    const struct lb_ctl_option options[] = {
        {.name = "document", .value = "FILE|-", .text = &who.document,
         .en = "the person's identity number (a file, or standard input)",
         .zh = "身份号码（文件或标准输入）"},
        {.name = "subject", .value = "HEX", .text = &who.subject_hex,
         .en = "or the pseudonym, as another result shows it", .zh = "或当事人假名"},
        {.name = "newest", .flag = &who.newest, .en = "newest first", .zh = "由新到旧"},
    };
    const struct lb_ctl_usage usage = {
        .command = "who-saw",
        .en = "who saw one person's data: when, which office, why, for whom, which fields",
        .zh = "谁看过此人的数据：何时、何机关、何目的、代表谁、哪些字段", .examples = examples,
    };
    int exit_code = lb_ctl_officer_args(&who.officer, &usage, options, 3, argc, argv, NULL);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    if ((who.document == NULL) == (who.subject_hex == NULL))
        return lb_ctl_usage_error(env, "who-saw", "give either --document or --subject");
    exit_code = lb_ctl_officer_finish(&who.officer, run(&who));
    lb_wipe(who.id_no, sizeof(who.id_no));
    return exit_code;
}
