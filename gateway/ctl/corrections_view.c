#include "gateway/ctl/corrections_view.h"

#include "gateway/base/hex.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/table.h"
#include "gateway/ctl/words.h"

#define NAME_BYTES 16

/* --- JSON --- */

static void set_if(struct lb_json *out, const char *key, const char *value)
{
    if (value[0] != 0)
        lb_json_set_cstr(out, key, value);
}

static struct lb_json *correction_json(const Lianban__V1__CaseCorrection *correction)
{
    struct lb_json *one = lb_json_object();
    char name[2 * NAME_BYTES + 1] = "";
    if (correction->name.len == NAME_BYTES)
        lb_hex_encode(lb_span_of(correction->name.data, correction->name.len), name);
    lb_json_set_int(one, "record", correction->record);
    lb_json_set_int(one, "member", correction->member);
    lb_json_set_cstr(one, "fact", correction->fact);
    lb_json_set_cstr(one, "department", correction->department);
    lb_json_set_cstr(one, "due", correction->due);
    if (correction->due_provisional)
        lb_json_set_bool(one, "due_provisional", true);
    lb_json_set_cstr(one, "state", correction->state);
    set_if(one, "forwarded_to", correction->forwarded_to);
    if (correction->answer > 0)
        lb_json_set_int(one, "answer", correction->answer);
    set_if(one, "reference", correction->reference);
    set_if(one, "name", name);
    set_if(one, "way", correction->way);
    set_if(one, "code", correction->code);
    return one;
}

struct lb_json *lb_ctl_corrections_json(Lianban__V1__CaseCorrection *const *list, size_t num)
{
    struct lb_json *out = lb_json_array();
    for (size_t i = 0; i < num; i++)
        lb_json_append(out, correction_json(list[i]));
    return out;
}

struct lb_json *
lb_ctl_overdue_corrections_json(const Lianban__V1__ListOverdueResponse *overdue)
{
    struct lb_json *out = lb_json_array();
    for (size_t i = 0; i < overdue->n_corrections; i++) {
        struct lb_json *one = lb_json_object();
        lb_json_set_cstr(one, "case_id", overdue->corrections[i]->case_id);
        lb_json_set(one, "correction", correction_json(overdue->corrections[i]->correction));
        lb_json_append(out, one);
    }
    return out;
}

/* --- print --- */

/* The state, to whom it went, and where the request is while the department does not have it. */
static const char *state_of(const struct lb_ctl_env *env,
                            const Lianban__V1__CaseCorrection *correction, struct lb_arena *arena)
{
    const bool away = correction->way[0] != 0 && strcmp(correction->way, "DELIVERED") != 0;
    const char *const words[] = {
        lb_ctl_word(env, correction->state),
        correction->forwarded_to[0] != 0 ? lb_ctl_word(env, correction->forwarded_to) : "",
        away ? lb_ctl_word(env, correction->way) : "",
        correction->code,
    };
    const char *all = "";
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]) && all != NULL; i++)
        if (words[i][0] != 0)
            all = lb_arena_printf(arena, "%s%s%s", all, all[0] != 0 ? " " : "", words[i]);
    return all;
}

static const char *due_of(const Lianban__V1__CaseCorrection *correction, struct lb_arena *arena)
{
    return lb_arena_printf(arena, "%s%s", correction->due,
                           correction->due_provisional ? "?" : "");
}

lb_status lb_ctl_corrections_print(const struct lb_ctl_env *env, const struct lb_ctl_case *view)
{
    static const char *const zh[] = {"更正请求", "成员", "部门", "事项", "截止", "状态", "受理号", NULL};
    static const char *const en[] = {"correction", "member", "department", "fact",
                                     "due",        "state",  "reference",  NULL};
    const Lianban__V1__CaseResult *result = view->result;
    struct lb_ctl_table table;
    if (result->judge_again)
        (void)fprintf(env->out, "\n%s\n",
                      lb_ctl_pick(env, "部门已更正办件所依据的信息：需重新审核决定。",
                                  "A department has corrected what the case was judged by: it is to"
                                  " be decided again."));
    if (result->n_corrections == 0)
        return LB_OK;
    lb_ctl_table_init(&table, view->arena, env->chinese ? zh : en);
    for (size_t i = 0; i < result->n_corrections; i++) {
        const Lianban__V1__CaseCorrection *one = result->corrections[i];
        const char *const cells[] = {lb_arena_printf(view->arena, "%u", one->record),
                                     lb_ctl_case_member(env, view, one->member),
                                     lb_ctl_word(env, one->department),
                                     one->fact,
                                     due_of(one, view->arena),
                                     state_of(env, one, view->arena),
                                     one->reference};
        lb_ctl_table_row(&table, cells);
    }
    (void)fputc('\n', env->out);
    return lb_ctl_table_print(&table, env->out);
}

lb_status lb_ctl_overdue_corrections_print(const struct lb_ctl_env *env,
                                           const Lianban__V1__ListOverdueResponse *overdue,
                                           struct lb_arena *arena)
{
    static const char *const zh[] = {"办件", "更正请求", "部门", "事项", "截止", "状态", NULL};
    static const char *const en[] = {"case", "correction", "department", "fact", "due", "state",
                                     NULL};
    struct lb_ctl_table table;
    if (overdue->n_corrections == 0)
        return LB_OK;
    lb_ctl_table_init(&table, arena, env->chinese ? zh : en);
    for (size_t i = 0; i < overdue->n_corrections; i++) {
        const Lianban__V1__CaseCorrection *one = overdue->corrections[i]->correction;
        const char *const cells[] = {overdue->corrections[i]->case_id,
                                     lb_arena_printf(arena, "%u", one->record),
                                     lb_ctl_word(env, one->department),
                                     one->fact,
                                     due_of(one, arena),
                                     state_of(env, one, arena)};
        lb_ctl_table_row(&table, cells);
    }
    (void)fputc('\n', env->out);
    return lb_ctl_table_print(&table, env->out);
}
