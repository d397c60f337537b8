#include "gateway/ctl/case_view.h"

#include <stdlib.h>

#include "gateway/ctl/corrections_view.h"
#include "gateway/ctl/listing.h"
#include "gateway/ctl/parts_view.h"
#include "gateway/ctl/table.h"
#include "gateway/ctl/text.h"
#include "gateway/ctl/words.h"
#include "gateway/wire/pb.h"

/* --- taking events --- */

struct lb_ctl_case *lb_ctl_case_new(void)
{
    struct lb_arena *arena = lb_arena_new(LB_CTL_CASE_ARENA_BYTES);
    struct lb_ctl_case *view = arena == NULL ? NULL : lb_arena_alloc(arena, sizeof(*view));
    if (view == NULL) {
        lb_arena_free(arena);
        return NULL;
    }
    view->arena = arena;
    view->facts = lb_arena_array(arena, LB_CTL_MAX_FACTS, sizeof(*view->facts));
    if (view->facts == NULL) {
        lb_arena_free(arena);
        return NULL;
    }
    return view;
}

void lb_ctl_case_free(struct lb_ctl_case *view)
{
    if (view != NULL)
        lb_arena_free(view->arena);
}

void lb_ctl_case_freep(struct lb_ctl_case **view)
{
    lb_ctl_case_free(*view);
}

static lb_status take_fact(struct lb_ctl_case *view, const Lianban__V1__CaseFact *fact)
{
    for (size_t i = 0; i < view->num_facts; i++) {
        const Lianban__V1__CaseFact *known = view->facts[i];
        if (known->member == fact->member && strcmp(known->fact, fact->fact) == 0) {
            view->facts[i] = fact;
            return LB_OK;
        }
    }
    LB_ENSURE(view->num_facts < LB_CTL_MAX_FACTS, LB_TOO_LARGE, "more facts than any case has");
    view->facts[view->num_facts++] = fact;
    return LB_OK;
}

static lb_status take(struct lb_ctl_case *view, struct lb_span bytes)
{
    Lianban__V1__CaseEvent *event = NULL;
    LB_TRY(lb_pb_unpack(&lianban__v1__case_event__descriptor, bytes, view->arena, &event));
    if (event->body_case == LIANBAN__V1__CASE_EVENT__BODY_FACT)
        return take_fact(view, event->fact);
    if (event->body_case == LIANBAN__V1__CASE_EVENT__BODY_PART) {
        view->part = event->part;
        return LB_OK;
    }
    LB_ENSURE(event->body_case == LIANBAN__V1__CASE_EVENT__BODY_RESULT, LB_MALFORMED,
              "an event of an unknown kind");
    view->result = event->result;
    return LB_OK;
}

void lb_ctl_case_take(void *arg, struct lb_span event)
{
    struct lb_ctl_case *view = arg;
    lb_status status = take(view, event);
    if (view->failed == LB_OK)
        view->failed = status;
}

/* --- print --- */

const char *lb_ctl_case_member(const struct lb_ctl_env *env, const struct lb_ctl_case *view,
                               uint32_t member)
{
    if (view->household == NULL || member >= view->household->num)
        return lb_arena_printf(view->arena, "%u", member + 1);
    const struct lb_ctl_person *person = &view->household->people[member];
    const char *name = lb_ctl_mask_name(view->arena, person->name);
    if (name == NULL)
        return NULL;
    return lb_arena_printf(view->arena, "%u %s %s", member + 1, lb_ctl_word(env, person->role),
                           name);
}

static const char *label_of(const struct lb_ctl_env *env, const struct lb_ctl_case *view,
                            const Lianban__V1__CaseFact *fact)
{
    size_t index = view->form == NULL ? SIZE_MAX : lb_form_fact_index(view->form, fact->fact);
    if (index == SIZE_MAX)
        return fact->fact;
    const struct lb_form_text *label = &view->form->facts[index].label;
    return label->zh == NULL || label->en == NULL ? fact->fact
                                                  : lb_ctl_pick(env, label->zh, label->en);
}

static const char *operator_of(const struct lb_ctl_case *view, const Lianban__V1__CaseFact *fact)
{
    const char *text = fact->operator_;
    for (size_t i = 0; text != NULL && i < fact->n_args; i++)
        text = lb_arena_printf(view->arena, "%s%c%s", text, i == 0 ? '(' : ',', fact->args[i]);
    if (text != NULL && fact->n_args > 0)
        text = lb_arena_printf(view->arena, "%s)", text);
    return text;
}

/* An answer without a good receipt must be seen; where nothing was answered there is none. */
static const char *receipt_of(const Lianban__V1__CaseFact *fact)
{
    if (fact->receipt_ok)
        return "✓";
    return strcmp(fact->state, "ok") == 0 ? "✗" : "-";
}

/* Too much for a cell: it gets a table of its own. */
static bool is_listing(const Lianban__V1__CaseFact *fact)
{
    return strcmp(fact->operator_, lb_op_name(LB_OP_LIST)) == 0 && fact->shown[0] != 0;
}

static void add_fact_row(const struct lb_ctl_env *env, const struct lb_ctl_case *view,
                         const Lianban__V1__CaseFact *fact, struct lb_ctl_table *table)
{
    const char *state = lb_ctl_word(env, fact->state);
    if (fact->code[0] != 0)
        state = lb_arena_printf(view->arena, "%s %s", state, fact->code);
    if (fact->grade[0] != 0 && state != NULL) /* an officer's, in the department's place */
        state = lb_arena_printf(view->arena, "%s [%s%s]", state, fact->grade,
                                fact->counts ? "" : "!");
    const char *const cells[] = {
        lb_ctl_case_member(env, view, fact->member),
        lb_ctl_word(env, fact->department),
        label_of(env, view, fact),
        lb_arena_printf(view->arena, "%s.%s", fact->view, fact->field),
        operator_of(view, fact),
        state,
        fact->as_of,
        is_listing(fact) ? lb_ctl_pick(env, "见下表", "see below") : fact->shown,
        receipt_of(fact),
    };
    lb_ctl_table_row(table, cells);
}

static void init_fact_table(const struct lb_ctl_env *env, struct lb_arena *arena,
                            struct lb_ctl_table *table)
{
    static const char *const zh[] = {"成员", "部门", "事项", "视图.字段", "算子",
                                     "状态", "数据日期", "值", "回执", NULL};
    static const char *const en[] = {"member", "department", "fact", "view.field", "operator",
                                     "state", "as of", "value", "receipt", NULL};
    lb_ctl_table_init(table, arena, env->chinese ? zh : en);
}

/* By member, department and fact, since answers come in any order. */
static int compare_facts(const void *left, const void *right)
{
    const Lianban__V1__CaseFact *a = *(const Lianban__V1__CaseFact *const *)left;
    const Lianban__V1__CaseFact *b = *(const Lianban__V1__CaseFact *const *)right;
    if (a->member != b->member)
        return a->member < b->member ? -1 : 1;
    int order = strcmp(a->department, b->department);
    return order != 0 ? order : strcmp(a->fact, b->fact);
}

lb_status lb_ctl_case_print_facts(const struct lb_ctl_env *env, const struct lb_ctl_case *view)
{
    struct lb_ctl_table table;
    if (view->num_facts == 0)
        return LB_OK;
    init_fact_table(env, view->arena, &table);
    qsort(view->facts, view->num_facts, sizeof(view->facts[0]), compare_facts);
    for (size_t i = 0; i < view->num_facts; i++)
        add_fact_row(env, view, view->facts[i], &table);
    LB_TRY(lb_ctl_table_print(&table, env->out));
    for (size_t i = 0; i < view->num_facts; i++) {
        const Lianban__V1__CaseFact *fact = view->facts[i];
        if (is_listing(fact))
            LB_TRY(lb_ctl_listing_print(env, view->arena, label_of(env, view, fact), fact->shown));
    }
    (void)fputc('\n', env->out);
    return LB_OK;
}

lb_status lb_ctl_case_print_tickets(const struct lb_ctl_env *env, const struct lb_ctl_case *view)
{
    static const char *const zh[] = {"成员", "授权申请号", "核对码", NULL};
    static const char *const en[] = {"member", "request", "code", NULL};
    struct lb_ctl_table table;
    lb_ctl_table_init(&table, view->arena, env->chinese ? zh : en);
    for (size_t i = 0; i < view->tickets->n_tickets; i++) {
        const Lianban__V1__MemberTicket *ticket = view->tickets->tickets[i];
        const char *const cells[] = {lb_ctl_case_member(env, view, ticket->member),
                                     ticket->request_id, ticket->code};
        lb_ctl_table_row(&table, cells);
    }
    return lb_ctl_table_print(&table, env->out);
}

/* --- the result --- */

static lb_status print_reasons(const struct lb_ctl_env *env, const struct lb_ctl_case *view)
{
    static const char *const zh[] = {"结论", "条件", "说明", "依据", NULL};
    static const char *const en[] = {"truth", "condition", "what it means", "source", NULL};
    struct lb_ctl_table table;
    lb_ctl_table_init(&table, view->arena, env->chinese ? zh : en);
    for (size_t i = 0; i < view->result->n_reasons; i++) {
        const Lianban__V1__Reason *reason = view->result->reasons[i];
        const char *const cells[] = {lb_ctl_word(env, reason->truth), reason->condition,
                                     lb_ctl_pick(env, reason->text_zh, reason->text_en),
                                     reason->source};
        lb_ctl_table_row(&table, cells);
    }
    return table.num_rows == 0 ? LB_OK : lb_ctl_table_print(&table, env->out);
}

/* Why, and when it is worth asking again where that is known. */
static const char *missing_note(const struct lb_ctl_env *env, const struct lb_ctl_case *view,
                                const Lianban__V1__CaseFact *fact)
{
    char again[LB_CTL_TIME_BYTES];
    const char *text = lb_ctl_code_text(env, fact->code);
    if (fact->again_unix_s <= 0 || fact->again_unix_s > INT64_MAX / 1000)
        return text;
    lb_ctl_time(fact->again_unix_s * 1000, again);
    const char *note = lb_arena_printf(view->arena, "%s (%s)", text, again);
    return note == NULL ? text : note;
}

static lb_status print_missing(const struct lb_ctl_env *env, const struct lb_ctl_case *view)
{
    struct lb_ctl_table table;
    if (view->result->n_missing == 0)
        return LB_OK;
    init_fact_table(env, view->arena, &table);
    for (size_t i = 0; i < view->result->n_missing; i++) {
        const Lianban__V1__CaseFact *fact = view->result->missing[i];
        add_fact_row(env, view, fact, &table);
        const char *text = missing_note(env, view, fact);
        if (text[0] != 0)
            lb_ctl_table_note(&table, text);
    }
    (void)fprintf(env->out, "\n%s\n", lb_ctl_pick(env, "缺失的事项：", "Missing:"));
    return lb_ctl_table_print(&table, env->out);
}

static void print_class(const struct lb_ctl_env *env, const Lianban__V1__CaseResult *result)
{
    (void)fputs(lb_ctl_pick(env, "建议类别：", "Suggested class: "), env->out);
    if (result->class_id[0] == 0) {
        (void)fputs(lb_ctl_pick(env, "尚无\n", "none yet\n"), env->out);
        return;
    }
    lb_ctl_put(env->out, result->class_id);
    (void)fputs("  ", env->out);
    lb_ctl_put(env->out, lb_ctl_pick(env, result->class_zh, result->class_en));
    if (strcmp(result->class_id, "MANUAL") == 0)
        (void)fputs(lb_ctl_pick(env, "  （由工作人员判定，不是拒绝）",
                                "  (a person decides; this is no refusal)"),
                    env->out);
    (void)fputc('\n', env->out);
}

/* Beside the suggestion: which record says so, and what a person made of it. */
static void print_standing(const struct lb_ctl_env *env, const Lianban__V1__CaseResult *result)
{
    const Lianban__V1__CaseDecision *decision = result->decision;
    if (result->suggestion > 0)
        (void)fprintf(env->out,
                      env->chinese ? "建议记录第 %u 号；" : "Suggestion's record: %u; ",
                      result->suggestion);
    (void)fprintf(env->out, "%s%s\n", lb_ctl_pick(env, "待办：", "turn: "),
                  lb_ctl_word(env, result->turn));
    if (decision == NULL)
        return;
    (void)fputs(lb_ctl_pick(env, "决定：", "Decided: "), env->out);
    lb_ctl_put(env->out, decision->class_id);
    (void)fputs("  ", env->out);
    lb_ctl_put(env->out, lb_ctl_pick(env, decision->class_zh, decision->class_en));
    (void)fprintf(env->out, env->chinese ? "  （记录第 %u 号）%s\n" : "  (record %u)%s\n",
                  decision->record,
                  decision->outdated ? lb_ctl_pick(env, "；此后结果有变，须再次审核",
                                                   "; judged anew since, look again")
                                     : "");
}

/* Cents as yuan, a month as YYYY-MM; anything else with its unit. */
static void print_amount(const struct lb_ctl_env *env, const Lianban__V1__Amount *amount)
{
    long long value = (long long)amount->value;
    lb_ctl_put(env->out, lb_ctl_pick(env, amount->text_zh, amount->text_en));
    (void)fputs(lb_ctl_pick(env, "：", ": "), env->out);
    if (strcmp(amount->unit, "cents") == 0)
        (void)fprintf(env->out, "%s%lld.%02lld %s\n", value < 0 ? "-" : "", llabs(value / 100),
                      llabs(value % 100), lb_ctl_pick(env, "元", "yuan"));
    else if (strcmp(amount->unit, "month") == 0 && value >= 0)
        (void)fprintf(env->out, "%04lld-%02lld\n", value / 12, value % 12 + 1);
    else if (strcmp(amount->unit, "months") == 0)
        (void)fprintf(env->out, "%lld %s\n", value, lb_ctl_pick(env, "个月", "month(s)"));
    else
        (void)fprintf(env->out, "%lld\n", value);
}

static lb_status print_added(const struct lb_ctl_env *env, const struct lb_ctl_case *view)
{
    struct lb_ctl_table table;
    if (view->result->n_added == 0)
        return LB_OK;
    init_fact_table(env, view->arena, &table);
    for (size_t i = 0; i < view->result->n_added; i++) {
        const Lianban__V1__CaseFact *fact = view->result->added[i];
        add_fact_row(env, view, fact, &table);
        lb_ctl_table_note(&table, lb_arena_printf(view->arena, "%s %s",
                                                  lb_ctl_pick(env, "补充人", "added by"),
                                                  fact->added_by));
    }
    (void)fprintf(env->out, "\n%s\n", lb_ctl_pick(env, "补充的事项：", "Added by officers:"));
    return lb_ctl_table_print(&table, env->out);
}

static void print_counts(const struct lb_ctl_env *env, const Lianban__V1__CaseResult *result)
{
    (void)fprintf(env->out,
                  env->chinese ? "免提交材料 %u 份；事项已取得 %u/%u；"
                                 "回执已核验 %u 份、未通过 %u 份；"
                               : "documents not asked for: %u; facts: %u of %u; "
                                 "receipts checked: %u, failed: %u; ",
                  result->documents_saved, result->facts_ok, result->facts_total,
                  result->receipts_checked, result->receipts_failed);
    (void)fprintf(env->out,
                  env->chinese ? "标准第 %u 版；用时 %u 毫秒\n" : "thresholds version %u; %u ms\n",
                  result->thresholds_version, result->millis);
}

lb_status lb_ctl_case_print_result(const struct lb_ctl_env *env, const struct lb_ctl_case *view)
{
    const Lianban__V1__CaseResult *result = view->result;
    (void)fputs(lb_ctl_pick(env, "办件 ", "Case "), env->out);
    lb_ctl_put(env->out, result->case_id);
    (void)fputs("  ", env->out);
    lb_ctl_put(env->out, result->form);
    (void)fprintf(env->out, " v%u  ", result->form_version);
    lb_ctl_put(env->out, lb_ctl_word(env, result->state));
    (void)fputc('\n', env->out);
    print_class(env, result);
    print_standing(env, result);
    for (size_t i = 0; i < result->n_amounts; i++)
        print_amount(env, result->amounts[i]);
    LB_TRY(print_reasons(env, view));
    LB_TRY(print_missing(env, view));
    LB_TRY(print_added(env, view));
    LB_TRY(lb_ctl_corrections_print(env, view));
    LB_TRY(lb_ctl_parts_print(env, result->parts, result->n_parts, view->arena));
    (void)fputc('\n', env->out);
    print_counts(env, result);
    return LB_OK;
}
