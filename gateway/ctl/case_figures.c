#include <inttypes.h>

#include "gateway/ctl/args.h"
#include "gateway/ctl/case_run.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/table.h"

/* `case figures`: a past month for leaders, small numbers left out. */

struct order {
    struct lb_ctl_case_run run;
    const char *month, *agent;
};

/* --- JSON --- */

static void set_share(struct lb_json *object, const char *key,
                      const Lianban__V1__FigureShare *share)
{
    if (share != NULL && share->shown)
        lb_json_set_int(object, key, (int64_t)share->cases);
    else
        lb_json_set_null(object, key);
}

static struct lb_json *row_json(const Lianban__V1__Figures *row)
{
    struct lb_json *out = lb_json_object();
    lb_json_set_cstr(out, "form", row->form);
    lb_json_set_bool(out, "shown", row->shown);
    if (!row->shown)
        return out;
    lb_json_set_int(out, "cases", (int64_t)row->cases);
    lb_json_set_int(out, "facts", (int64_t)row->facts);
    lb_json_set_int(out, "facts_prefilled", (int64_t)row->facts_prefilled);
    lb_json_set_int(out, "documents_saved", (int64_t)row->documents_saved);
    set_share(out, "manual", row->manual);
    set_share(out, "decided", row->decided);
    set_share(out, "departed", row->departed);
    if (row->decided != NULL && row->decided->shown)
        lb_json_set_int(out, "days_to_decision", (int64_t)row->days_to_decision);
    return out;
}

static lb_status print_json(const struct lb_ctl_env *env,
                            const Lianban__V1__GetFiguresResponse *figures)
{
    LB_DEFER(lb_json_freep) struct lb_json *json = lb_json_object();
    struct lb_json *forms = lb_json_array();
    for (size_t i = 0; i < figures->n_forms; i++)
        lb_json_append(forms, row_json(figures->forms[i]));
    lb_json_set_cstr(json, "month", figures->month);
    lb_json_set(json, "forms", forms);
    if (figures->total != NULL)
        lb_json_set(json, "total", row_json(figures->total));
    return lb_ctl_print_json(env, json);
}

/* --- table --- */

/* A share of the whole in tenths of a per cent. */
static const char *percent(struct lb_arena *arena, uint64_t part, uint64_t whole)
{
    if (whole == 0)
        return "-";
    uint64_t tenths = part > UINT64_MAX / 1000 ? 1000 : (part * 1000 + whole / 2) / whole;
    return lb_arena_printf(arena, "%" PRIu64 ".%" PRIu64 " %%", tenths / 10, tenths % 10);
}

static const char *share_of(struct lb_arena *arena, const Lianban__V1__FigureShare *share,
                            uint64_t whole)
{
    return share != NULL && share->shown ? percent(arena, share->cases, whole) : "<10";
}

static const char *days_of(struct lb_arena *arena, const Lianban__V1__Figures *row)
{
    if (row->decided == NULL || !row->decided->shown || row->decided->cases == 0)
        return "<10";
    uint64_t tenths = row->days_to_decision * 10 / row->decided->cases;
    return lb_arena_printf(arena, "%" PRIu64 ".%" PRIu64, tenths / 10, tenths % 10);
}

static void add_row(struct lb_arena *arena, const char *name, const Lianban__V1__Figures *row,
                    struct lb_ctl_table *table)
{
    if (!row->shown) {
        const char *const hidden[] = {name, "<10", "", "", "", "", ""};
        lb_ctl_table_row(table, hidden);
        return;
    }
    const uint64_t decided = row->decided != NULL ? row->decided->cases : 0;
    const char *const cells[] = {name,
                                 lb_arena_printf(arena, "%" PRIu64, row->cases),
                                 percent(arena, row->facts_prefilled, row->facts),
                                 lb_arena_printf(arena, "%" PRIu64, row->documents_saved),
                                 share_of(arena, row->manual, row->cases),
                                 days_of(arena, row),
                                 share_of(arena, row->departed, decided)};
    lb_ctl_table_row(table, cells);
}

static lb_status print_table(const struct order *order,
                             const Lianban__V1__GetFiguresResponse *figures)
{
    static const char *const zh[] = {"表单",       "办件",         "自动填报率", "免提交材料",
                                     "转人工比例", "平均决定天数", "改变建议比例", NULL};
    static const char *const en[] = {"form",       "cases", "pre-filled",      "documents saved",
                                     "for a person", "days to decision", "departed", NULL};
    const struct lb_ctl_env *env = order->run.env;
    struct lb_arena *arena = order->run.view->arena;
    struct lb_ctl_table table;
    lb_ctl_table_init(&table, arena, env->chinese ? zh : en);
    for (size_t i = 0; i < figures->n_forms; i++)
        add_row(arena, figures->forms[i]->form, figures->forms[i], &table);
    if (figures->total != NULL)
        add_row(arena, lb_ctl_pick(env, "合计", "all"), figures->total, &table);
    return lb_ctl_table_print(&table, env->out);
}

static lb_status show(void *arg)
{
    struct order *order = arg;
    Lianban__V1__GetFiguresRequest request = LIANBAN__V1__GET_FIGURES_REQUEST__INIT;
    Lianban__V1__GetFiguresResponse *figures = NULL;
    const struct lb_ctl_window_port *port = &order->run.port;
    request.month = (char *)(uintptr_t)order->month;
    lb_status status =
        port->ask(port->ctx, "GetFigures", &request,
                  &lianban__v1__get_figures_response__descriptor, order->run.view->arena, &figures);
    if (lb_status_code(status) == LB_MALFORMED)
        lb_diag_set(&order->run.diag, "--month is a month that is over, such as 2026-10");
    LB_TRY(status);
    return order->run.env->json ? print_json(order->run.env, figures)
                                : print_table(order, figures);
}

int lb_ctl_case_figures(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {"lianban case figures --month 2026-10", NULL};
    struct order order = {.run = {.env = env, .command = "case figures"}, .agent = env->agent};
    const struct lb_ctl_option options[] = {
        {.name = "month", .value = "YYYY-MM", .required = true, .text = &order.month,
         .en = "a month that is over", .zh = "已结束的月份"},
        lb_ctl_case_option_agent(&order.agent),
    };
    const struct lb_ctl_usage usage = {
        .command = "case figures", .en = "a month's figures over closed cases",
        .zh = "办结办件的月度统计", .options = options, .num_options = 2, .examples = examples};
    const struct lb_ctl_case_frame frame = {&order.run, &usage, &order.agent,
                                                NULL, show, &order};
    return lb_ctl_case_frame_run(&frame, argc, argv);
}
