#include "gateway/base/buf.h"
#include "gateway/base/hex.h"
#include "gateway/ctl/access_rows.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/log_filter.h"
#include "gateway/ctl/text.h"

/* `log query` with every filter, and `log txn`. */

#define MAX_QUERY_BYTES 2048

struct query {
    struct lb_ctl_officer officer;
    const char *type;
    const char *decision;
    const char *subject_hex;
    const char *txn_hex;
    bool newest;
    int64_t class_min;
    uint8_t txn[16];
};

/* --- as it is recorded --- */

/* "member=tax operator=... " of what was given. */
static lb_status describe(const struct query *query, struct lb_arena *arena, const char **out_text)
{
    const struct lb_audit_filter *filter = &query->officer.filter;
    const struct {
        const char *name;
        const char *value;
    } parts[] = {
        {"since", query->officer.since}, {"until", query->officer.until},
        {"type", query->type},           {"decision", query->decision},
        {"code", filter->code},          {"member", filter->requester},
        {"unit", filter->unit},          {"operator", filter->actor},
        {"purpose", filter->purpose},    {"basis", filter->basis},
        {"case", filter->case_no},       {"form", filter->form},
        {"grant", filter->grant},        {"view", filter->view},
        {"field", filter->field},        {"txn", query->txn_hex},
    };
    LB_DEFER(lb_buf_cleanup) struct lb_buf text;
    lb_buf_init(&text, MAX_QUERY_BYTES);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (parts[i].value != NULL)
            lb_buf_printf(&text, "%s=%s ", parts[i].name, parts[i].value);
    if (query->class_min != 0)
        lb_buf_printf(&text, "class>=%d ", (int)query->class_min);
    if (text.len == 0)
        lb_buf_put_str(&text, "everything ");
    LB_TRY(lb_buf_check(&text));
    *out_text = lb_arena_str(arena, lb_span_of(text.ptr, text.len - 1));
    LB_ENSURE(*out_text != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status run(struct query *query)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(2 * MAX_QUERY_BYTES);
    const struct lb_ctl_about about = {NULL, query->subject_hex};
    const char *text = NULL;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    lb_status status = describe(query, arena, &text);
    if (status != LB_OK)
        lb_diag_set(&query->officer.diag, "the filters are too long to be recorded");
    LB_TRY(status);
    LB_TRY(lb_ctl_officer_open(&query->officer, text, &about));
    return lb_ctl_access_print(&query->officer, NULL);
}

/* --- the command line --- */

static bool is_pseudonym(const char *text)
{
    uint8_t subject[32];
    return lb_hex_decode(lb_span_str(text), subject, sizeof(subject)) == LB_OK;
}

static int check(struct query *query)
{
    struct lb_ctl_officer *officer = &query->officer;
    struct lb_audit_filter *filter = &officer->filter;
    filter->newest_first = query->newest;
    filter->class_min = (int)query->class_min;
    if (query->type != NULL && !lb_ctl_log_filter_type(query->type, &filter->type))
        return lb_ctl_usage_error(officer->env, officer->command,
                                  "--type is one of read, route, deliver, failure, deny, admin, "
                                  "policy, consent, canary, erasure, shard, recovery, review");
    if (query->decision != NULL && !lb_ctl_decision_parse(query->decision, &filter->decision))
        return lb_ctl_usage_error(officer->env, officer->command,
                                  "--decision is allow, emergency, deny, error or event");
    if (query->subject_hex != NULL && !is_pseudonym(query->subject_hex))
        return lb_ctl_usage_error(officer->env, officer->command,
                                  "--subject is a pseudonym of 64 hex digits; for an identity"
                                  " number use who-saw");
    return LB_CTL_GO;
}

static const char *const query_examples[] = {
    "lianban log query --index tax-index --officer officer.yaml --member civil-affairs --class 4"
    " --since 2026-07-01T00:00+08:00",
    "lianban log query --index tax-index --officer officer.yaml --decision deny --newest --csv",
    "lianban log query --index tax-index --officer officer.yaml --case C-17 --json",
    NULL,
};

int lb_ctl_log_query(struct lb_ctl_env *env, int argc, char **argv)
{
    struct query query = {.officer = {.env = env, .command = "log query", .kind = "QUERY"}};
    struct lb_audit_filter *filter = &query.officer.filter;
    const struct lb_ctl_option options[] = {
        {.name = "member", .value = "ORG|SPIFFE", .text = &filter->requester,
         .en = "who asked: an organization or one node", .zh = "请求方（机构或节点）"},
        {.name = "unit", .value = "UNIT", .text = &filter->unit, .en = "its unit",
         .zh = "请求方单位"},
        {.name = "operator", .value = "PSEUDONYM", .text = &filter->actor,
         .en = "who at the window", .zh = "经办人"},
        {.name = "purpose", .value = "PURPOSE", .text = &filter->purpose, .en = "what for",
         .zh = "目的"},
        {.name = "basis", .value = "BASIS", .text = &filter->basis,
         .en = "consent, separate_consent, mandate, emergency", .zh = "法律依据"},
        {.name = "case", .value = "CASE", .text = &filter->case_no, .en = "the case",
         .zh = "办件号"},
        {.name = "form", .value = "FORM", .text = &filter->form, .en = "the form", .zh = "表单"},
        {.name = "grant", .value = "GRANT", .text = &filter->grant, .en = "the grant",
         .zh = "授权编号"},
        {.name = "decision", .value = "DECISION", .text = &query.decision,
         .en = "allow, emergency, deny, error, event", .zh = "结论"},
        {.name = "type", .value = "TYPE", .text = &query.type, .en = "kind of entry",
         .zh = "条目类别"},
        {.name = "code", .value = "CODE", .text = &filter->code,
         .en = "outer or inner code, such as GRANT_EXPIRED", .zh = "代码"},
        {.name = "class", .value = "1..4", .number = &query.class_min, .min = 1, .max = 4,
         .en = "a field of this class or above", .zh = "字段级别不低于"},
        {.name = "view", .value = "VIEW", .text = &filter->view, .en = "this view", .zh = "视图"},
        {.name = "field", .value = "[VIEW.]FIELD", .text = &filter->field, .en = "this field",
         .zh = "字段"},
        {.name = "subject", .value = "HEX", .text = &query.subject_hex,
         .en = "this pseudonym, as another result shows it", .zh = "当事人假名"},
        {.name = "newest", .flag = &query.newest, .en = "newest first", .zh = "由新到旧"},
    };
    const struct lb_ctl_usage usage = {
        .command = "log query",
        .en = "accesses and events of one log, by any of these filters",
        .zh = "按条件查询存证条目", .examples = query_examples,
    };
    int exit_code = lb_ctl_officer_args(&query.officer, &usage, options,
                                        sizeof(options) / sizeof(options[0]), argc, argv, NULL);
    if (exit_code == LB_CTL_GO)
        exit_code = check(&query);
    return exit_code != LB_CTL_GO ? exit_code
                                  : lb_ctl_officer_finish(&query.officer, run(&query));
}

static const char *const txn_examples[] = {
    "lianban log txn 4f1c0a3be2a1a4f5d7b8c9d0e1f20314 --index tax-index --officer officer.yaml",
    NULL,
};

int lb_ctl_log_txn(struct lb_ctl_env *env, int argc, char **argv)
{
    struct query query = {.officer = {.env = env, .command = "log txn", .kind = "TXN"}};
    struct lb_ctl_list operands = {.num = 0};
    const struct lb_ctl_usage usage = {
        .command = "log txn",
        .en = "every entry of one request, with the link to the other side's",
        .zh = "一次请求的全部条目及对方存证的关联", .operand = "TXN", .min_operands = 1,
        .max_operands = 1, .examples = txn_examples,
    };
    int exit_code = lb_ctl_officer_args(&query.officer, &usage, NULL, 0, argc, argv, &operands);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    query.txn_hex = operands.items[0];
    if (lb_hex_decode(lb_span_str(query.txn_hex), query.txn, sizeof(query.txn)) != LB_OK)
        return lb_ctl_usage_error(env, "log txn", "TXN is 32 hex digits");
    query.officer.filter.txn = query.txn;
    return lb_ctl_officer_finish(&query.officer, run(&query));
}
