#include "gateway/ctl/officer.h"

#include "gateway/base/hex.h"
#include "gateway/base/wipe.h"
#include "gateway/crypto/hash.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/text.h"
#include "policy/engine/idno.h"

#define RESULT_ARENA_BYTES (64U * 1024 * 1024)
#define DEFAULT_LIMIT 50
#define MAX_LIMIT 10000
#define SALT_BYTES 32
#define ID_CHARACTERS 18

/* --- the command line --- */

static int read_period(struct lb_ctl_officer *officer)
{
    struct lb_audit_filter *filter = &officer->filter;
    if (officer->since != NULL && lb_ctl_time_parse(officer->since, &filter->since_ms) != LB_OK)
        return lb_ctl_usage_error(officer->env, officer->command,
                                  "--since is a time such as 2026-07-01 or 2026-07-01T08:00+08:00");
    if (officer->until != NULL && lb_ctl_time_parse(officer->until, &filter->until_ms) != LB_OK)
        return lb_ctl_usage_error(officer->env, officer->command,
                                  "--until is a time such as 2026-07-01 or 2026-07-01T08:00+08:00");
    if (officer->kind != NULL && officer->profile_path == NULL && !officer->unrecorded)
        return lb_ctl_usage_error(officer->env, officer->command,
                                  "--officer PROFILE.yaml is missing: the query is recorded at the"
                                  " node before it runs");
    filter->from_index = officer->from > 0 ? (uint64_t)officer->from : 0;
    return LB_CTL_GO;
}

int lb_ctl_officer_args(struct lb_ctl_officer *officer, const struct lb_ctl_usage *usage,
                        const struct lb_ctl_option *own, size_t num_own, int argc, char **argv,
                        struct lb_ctl_list *operands)
{
    struct lb_ctl_option options[LB_CTL_MAX_OPTIONS] = {
        {.name = "index", .value = "DIR", .required = true, .text = &officer->index_folder,
         .en = "the index (`lianban log index`)", .zh = "查询索引目录"},
        {.name = "officer", .value = "PROFILE.yaml", .text = &officer->profile_path,
         .en = "your profile; the query is recorded at the node first",
         .zh = "安全员配置；查询先在节点留痕"},
        {.name = "reason", .value = "TEXT", .text = &officer->reason,
         .en = "why you ask, for the record", .zh = "查询事由，记入存证"},
        {.name = "unrecorded", .flag = &officer->unrecorded,
         .en = "on an index of a copy only: ask without an entry; the result says so",
         .zh = "仅限副本索引：不留痕查询，结果中注明"},
        {.name = "since", .value = "TIME", .text = &officer->since,
         .en = "not before; UTC unless it says +08:00", .zh = "此时间以后；未写时区时为 UTC"},
        {.name = "until", .value = "TIME", .text = &officer->until,
         .en = "before this time", .zh = "此时间以前"},
        {.name = "limit", .value = "N", .number = &officer->limit, .min = 1, .max = MAX_LIMIT,
         .en = "at most so many rows; default 50", .zh = "最多行数，默认 50"},
        {.name = "from", .value = "INDEX", .number = &officer->from, .max = INT64_C(1) << 53,
         .en = "go on at this entry", .zh = "从此条目继续"},
        {.name = "csv", .flag = &officer->csv, .en = "print the rows as CSV",
         .zh = "以 CSV 输出"},
    };
    size_t num = LB_CTL_OFFICER_OPTIONS;
    for (size_t i = 0; i < num_own; i++)
        options[num + i] = own[i];
    struct lb_ctl_usage full = *usage;
    full.options = options;
    full.num_options = num + num_own;
    officer->limit = DEFAULT_LIMIT;
    officer->from = -1;
    int exit_code = lb_ctl_args(officer->env, &full, argc, argv, operands);
    return exit_code != LB_CTL_GO ? exit_code : read_period(officer);
}

/* --- recording --- */

static lb_status ask_node(struct lb_ctl_officer *officer,
                          const Lianban__V1__RecordReviewRequest *request)
{
    const struct lb_ctl_remote *remote = officer->env->remote;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    struct lb_ctl_desk_profile profile;
    struct lb_ctl_desk_port port = {.ctx = NULL};
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(lb_ctl_desk_profile_load(officer->profile_path, arena, &officer->diag, &profile));
    LB_TRY(remote->open_desk(remote->ctx, &profile, officer->env->clock, &officer->diag, &port));
    lb_status status = port.record_review(port.ctx, request, arena, &officer->review);
    port.close(port.ctx);
    return status;
}

/* The officer learns which word to look for: the node's own when it answered, ours that nothing was
 * run. */
static lb_status unrecorded(struct lb_ctl_officer *officer, lb_status status)
{
    char why[sizeof(officer->diag.text)];
    enum lb_code code = lb_status_code(status);
    memcpy(why, officer->diag.text, sizeof(why));
    lb_diag_set(&officer->diag, "nothing was looked up: %s (%s)",
                why[0] != 0 ? why : lb_code_text_en(code), lb_code_name(code));
    LB_FAIL(LB_REVIEW_UNRECORDED, "the query is no entry");
}

static lb_status record(struct lb_ctl_officer *officer, const char *query,
                        const struct lb_ctl_about *about)
{
    Lianban__V1__RecordReviewRequest request = LIANBAN__V1__RECORD_REVIEW_REQUEST__INIT;
    uint8_t salt[SALT_BYTES];
    uint8_t subject[32];
    LB_TRY(lb_crypto_random(salt, sizeof(salt)));
    request.kind = (char *)(uintptr_t)officer->kind; /* only packed, as are the others */
    request.query = (char *)(uintptr_t)query;
    request.reason = (char *)(uintptr_t)(officer->reason == NULL ? "" : officer->reason);
    request.salt = (ProtobufCBinaryData){sizeof(salt), salt};
    if (about->id_no != NULL)
        request.id_no = (char *)(uintptr_t)about->id_no;
    if (about->subject_hex != NULL) {
        LB_TRY(lb_hex_decode(lb_span_str(about->subject_hex), subject, sizeof(subject)));
        request.subject = (ProtobufCBinaryData){sizeof(subject), subject};
    }
    lb_status status = ask_node(officer, &request);
    if (status != LB_OK)
        return unrecorded(officer, status);
    officer->recorded = true;
    officer->filter.num_subjects = officer->review.num_names;
    officer->filter.subjects = officer->review.names[0];
    return LB_OK;
}

/* --- without a record --- */

static lb_status allow_unrecorded(struct lb_ctl_officer *officer, const struct lb_ctl_about *about)
{
    if (!officer->state.copy)
        lb_diag_set(&officer->diag, "this index follows a node's own log; --unrecorded is for an"
                                    " index that was built from a copy (`lianban log index"
                                    " --copy`)");
    else if (about->id_no != NULL)
        lb_diag_set(&officer->diag, "only the node knows an identity number's pseudonym; give"
                                    " --subject here");
    LB_ENSURE(officer->state.copy && about->id_no == NULL, LB_REVIEW_UNRECORDED,
              "the query is no entry");
    if (about->subject_hex == NULL)
        return LB_OK;
    LB_TRY(lb_hex_decode(lb_span_str(about->subject_hex), officer->review.names[0],
                         sizeof(officer->review.names[0])));
    officer->filter.num_subjects = 1;
    officer->filter.subjects = officer->review.names[0];
    return LB_OK;
}

/* A number typed in a wrong place would stand in the record, and in the shell's memory. */
static bool holds_number(const char *text)
{
    size_t len = text == NULL ? 0 : strlen(text);
    for (size_t i = 0; i + ID_CHARACTERS <= len; i++) {
        if (lb_idno_check(lb_span_of(text + i, ID_CHARACTERS)) == LB_OK)
            return true;
    }
    return false;
}

static lb_status check_words(struct lb_ctl_officer *officer, const char *query)
{
    bool number = holds_number(query) || holds_number(officer->reason);
    if (number)
        lb_diag_set(&officer->diag, "an option holds an identity number; `who-saw --document`"
                                    " reads one from a file or standard input");
    LB_ENSURE(!number, LB_MALFORMED, "an identity number among the options");
    return LB_OK;
}

lb_status lb_ctl_officer_open(struct lb_ctl_officer *officer, const char *query,
                              const struct lb_ctl_about *about)
{
    static const struct lb_ctl_about nobody = {NULL, NULL};
    about = about == NULL ? &nobody : about;
    officer->arena = lb_arena_new(RESULT_ARENA_BYTES);
    LB_ENSURE(officer->arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(check_words(officer, query));
    LB_TRY(lb_audit_index_open(officer->index_folder, &officer->diag, &officer->index));
    lb_status status = lb_audit_index_state(officer->index, &officer->state);
    if (lb_status_code(status) == LB_ABSENT)
        lb_diag_set(&officer->diag, "nothing was built yet; run `lianban log index`");
    LB_TRY(status);
    lb_audit_index_lag(&officer->state, &officer->lag);
    if (officer->kind == NULL)
        return LB_OK;
    return officer->unrecorded ? allow_unrecorded(officer, about) : record(officer, query, about);
}

/* --- under the result --- */

static void add_lag(const struct lb_ctl_officer *officer, struct lb_ctl_sheet *sheet)
{
    char at[LB_CTL_TIME_BYTES];
    lb_ctl_time(officer->state.built_ms, at);
    lb_ctl_sheet_fact(sheet, "log", "存证日志", "log", officer->state.origin);
    lb_ctl_sheet_number(sheet, "indexed", "已建索引条数", "entries in the index",
                        (int64_t)officer->state.size);
    lb_ctl_sheet_fact(sheet, "indexed_at", "索引时间", "index of", at);
    if (!officer->lag.known) {
        lb_ctl_sheet_fact(sheet, "behind", "索引滞后", "behind the log",
                          lb_ctl_pick(officer->env, "未知（无法读取日志目录）",
                                      "unknown: the log's folder cannot be read"));
        return;
    }
    lb_ctl_sheet_number(sheet, "behind_entries", "滞后条数", "entries behind the log",
                        (int64_t)officer->lag.entries);
    lb_ctl_sheet_number(sheet, "behind_seconds", "滞后秒数", "seconds behind the log",
                        officer->lag.seconds);
}

void lb_ctl_officer_facts(const struct lb_ctl_officer *officer, struct lb_ctl_sheet *sheet,
                          const uint64_t *next)
{
    add_lag(officer, sheet);
    if (officer->kind != NULL && officer->recorded)
        lb_ctl_sheet_number(sheet, "review_entry", "本次查询的存证条目", "this query is entry",
                            (int64_t)officer->review.entry);
    else if (officer->kind != NULL)
        lb_ctl_sheet_fact(sheet, "unrecorded", "注意", "NOTE",
                          lb_ctl_pick(officer->env, "未留痕查询（日志副本）",
                                      "UNRECORDED query on a copy of a log"));
    if (next != NULL)
        lb_ctl_sheet_number(sheet, "next", "继续查看 --from", "go on with --from", (int64_t)*next);
}

int lb_ctl_officer_finish(struct lb_ctl_officer *officer, lb_status status)
{
    int exit_code = LB_CTL_OK;
    if (status != LB_OK)
        exit_code = lb_ctl_fail(officer->env, officer->command, status, &officer->diag);
    lb_audit_index_close(officer->index);
    lb_arena_free(officer->arena);
    lb_wipe(&officer->review, sizeof(officer->review));
    return exit_code;
}
