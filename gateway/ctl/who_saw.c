#include "gateway/base/buf.h"
#include "gateway/base/wipe.h"
#include "gateway/ctl/access_rows.h"
#include "gateway/ctl/citizen_view.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/say.h"
#include "policy/engine/idno.h"

/* `who-saw`: everything this log holds about one person. The number is typed, piped or read from a
 * file and goes to the own node alone, which turns it into the pseudonym; the command line never
 * holds it. */

#define MAX_NUMBER_BYTES 256
#define MAX_QUERY_BYTES 2048

struct who_saw {
    struct lb_ctl_officer officer;
    const char *document;
    const char *subject_hex;
    bool newest;
    bool citizen;
    struct lb_ctl_list concealed;
    const char *law;
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

/* What is concealed from a citizen, and by which law, stands in the record. */
static lb_status describe(const struct who_saw *who, struct lb_arena *arena, const char **out_text)
{
    LB_DEFER(lb_buf_cleanup) struct lb_buf text;
    lb_buf_init(&text, MAX_QUERY_BYTES);
    lb_buf_put_str(&text, who->citizen ? "who-saw for the citizen" : "who-saw");
    for (size_t i = 0; i < who->concealed.num; i++)
        lb_buf_printf(&text, " conceal=%s", who->concealed.items[i]);
    if (who->law != NULL)
        lb_buf_printf(&text, " law=%s", who->law);
    LB_TRY(lb_buf_check(&text));
    *out_text = lb_arena_str(arena, lb_buf_span(&text));
    LB_ENSURE(*out_text != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status run(struct who_saw *who)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(2 * MAX_QUERY_BYTES);
    const char *query = NULL;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(describe(who, arena, &query));
    struct lb_ctl_about about = {NULL, who->subject_hex};
    if (who->document != NULL) {
        LB_TRY(read_number(who));
        about.id_no = who->id_no;
    }
    who->officer.filter.newest_first = who->newest;
    LB_TRY(lb_ctl_officer_open(&who->officer, query, &about));
    if (who->citizen)
        return lb_ctl_citizen_print(&who->officer, &who->concealed);
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
        {.name = "citizen", .flag = &who.citizen,
         .en = "the page for the person themself", .zh = "供本人查阅的页面"},
        {.name = "conceal", .value = "PURPOSE", .list = &who.concealed,
         .en = "with --citizen: leave this purpose out, as a law allows; recorded",
         .zh = "配合 --citizen：依法不予告知的目的，记入存证"},
        {.name = "law", .value = "ARTICLE", .text = &who.law,
         .en = "with --conceal: which law", .zh = "配合 --conceal：法律依据"},
        {.name = "newest", .flag = &who.newest, .en = "newest first", .zh = "由新到旧"},
    };
    const struct lb_ctl_usage usage = {
        .command = "who-saw",
        .en = "who saw one person's data: when, which office, why, for whom, which fields",
        .zh = "谁看过此人的数据：何时、何机关、何目的、代表谁、哪些字段", .examples = examples,
    };
    int exit_code = lb_ctl_officer_args(&who.officer, &usage, options, 6, argc, argv, NULL);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    if ((who.document == NULL) == (who.subject_hex == NULL))
        return lb_ctl_usage_error(env, "who-saw", "give either --document or --subject");
    if ((who.concealed.num > 0) != (who.law != NULL) || (who.law != NULL && !who.citizen))
        return lb_ctl_usage_error(env, "who-saw", "--conceal needs --law, and both --citizen");
    exit_code = lb_ctl_officer_finish(&who.officer, run(&who));
    lb_wipe(who.id_no, sizeof(who.id_no));
    return exit_code;
}
