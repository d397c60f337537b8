#include "gateway/base/hex.h"
#include "gateway/ctl/reconcile_parcels.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/table.h"
#include "gateway/ctl/text.h"

/* --- a table --- */

static const char *index_text(const struct lb_ctl_reconcile *reconcile, bool has, uint64_t index)
{
    return has ? lb_arena_printf(reconcile->arena, "%llu", (unsigned long long)index) : "-";
}

static const char *fields_text(const struct lb_ctl_reconcile *reconcile, unsigned fields)
{
    const char *text = "";
    for (unsigned bit = 0; bit < LB_RECONCILE_NUM_FIELDS && text != NULL; bit++) {
        if ((fields & 1U << bit) != 0)
            text = lb_arena_printf(reconcile->arena, "%s%s%s", text, text[0] == 0 ? "" : ",",
                                   lb_reconcile_field_name(bit));
    }
    return text == NULL || text[0] == 0 ? "-" : text;
}

static void add_row(const struct lb_ctl_reconcile *reconcile, struct lb_ctl_table *table,
                    const struct lb_ctl_reconcile_finding *shown)
{
    const struct lb_reconcile_finding *finding = &shown->finding;
    char txn[33];
    char when[LB_CTL_TIME_BYTES];
    lb_hex_encode(lb_span_of(finding->txn, sizeof(finding->txn)), txn);
    lb_ctl_time(finding->time_ms, when);
    const char *const cells[] = {
        lb_reconcile_class_name(finding->class),
        shown->adapter[0] == 0 ? "-" : lb_spiffe_log_origin(shown->adapter),
        when,
        txn,
        index_text(reconcile, finding->has_broker, finding->broker_index),
        index_text(reconcile, finding->has_adapter, finding->adapter_index),
        fields_text(reconcile, finding->fields),
    };
    lb_ctl_table_row(table, cells);
}

static lb_status print_findings(const struct lb_ctl_reconcile *reconcile)
{
    static const char *const zh[] = {"差异", "部门接入端", "时间", "请求", "中转方条目",
                                     "部门条目", "不同之处", NULL};
    static const char *const en[] = {"class",  "adapter", "time",    "txn", "broker's entry",
                                     "adapter's", "differs", NULL};
    struct lb_ctl_table table;
    if (reconcile->num_shown == 0)
        return LB_OK;
    lb_ctl_table_init(&table, reconcile->arena, reconcile->env->chinese ? zh : en);
    for (size_t i = 0; i < reconcile->num_shown; i++)
        add_row(reconcile, &table, &reconcile->shown[i]);
    return lb_ctl_table_print(&table, reconcile->env->out);
}

static lb_status print_parcels(const struct lb_ctl_reconcile *reconcile)
{
    static const char *const zh[] = {"差异", "缺失或不符一方", "时间", "件", "记载方", "条目", NULL};
    static const char *const en[] = {"class", "whose entry", "time", "parcel", "said by",
                                     "entry", NULL};
    const struct lb_ctl_env *env = reconcile->env;
    struct lb_ctl_table table;
    if (reconcile->num_parcels_shown == 0)
        return LB_OK;
    lb_ctl_table_init(&table, reconcile->arena, env->chinese ? zh : en);
    for (size_t i = 0; i < reconcile->num_parcels_shown; i++) {
        const struct lb_ctl_parcel_finding *finding = &reconcile->parcels_shown[i];
        char txn[33], when[LB_CTL_TIME_BYTES];
        lb_hex_encode(lb_span_of(finding->txn, sizeof(finding->txn)), txn);
        lb_ctl_time(finding->time_ms, when);
        const char *const cells[] = {
            lb_ctl_parcel_class_name((enum lb_ctl_parcel_class)finding->class),
            finding->at[0] == 0 ? "-" : lb_spiffe_log_origin(finding->at),
            when,
            txn,
            lb_spiffe_log_origin(finding->said_by),
            index_text(reconcile, true, finding->index),
        };
        lb_ctl_table_row(&table, cells);
    }
    return lb_ctl_table_print(&table, env->out);
}

static void advise_on_parcels(const struct lb_ctl_reconcile *reconcile)
{
    const struct lb_ctl_env *env = reconcile->env;
    for (int class = 0; class < LB_PARCELS_NUM_CLASSES; class++) {
        enum lb_ctl_parcel_class named = (enum lb_ctl_parcel_class)class;
        bool any = false;
        for (size_t i = 0; i < reconcile->num_parcels_shown; i++)
            any = any || reconcile->parcels_shown[i].class == class;
        if (any)
            (void)fprintf(env->out, "\n%s: %s\n", lb_ctl_parcel_class_name(named),
                          lb_ctl_pick(env, lb_ctl_parcel_class_zh(named),
                                      lb_ctl_parcel_class_en(named)));
    }
}

/* What each class that came up means, and what to do. */
static void print_advice(const struct lb_ctl_reconcile *reconcile)
{
    const struct lb_ctl_env *env = reconcile->env;
    for (int class = 0; class < LB_RECONCILE_NUM_CLASSES; class++) {
        enum lb_reconcile_class named = (enum lb_reconcile_class)class;
        for (size_t i = 0; i < reconcile->num_shown; i++) {
            if (reconcile->shown[i].finding.class != named)
                continue;
            (void)fprintf(env->out, "\n%s: %s\n", lb_reconcile_class_name(named),
                          lb_ctl_pick(env, lb_reconcile_class_zh(named),
                                      lb_reconcile_class_en(named)));
            break;
        }
    }
}

static uint64_t differences(const struct lb_reconcile_tally *tally)
{
    uint64_t num = 0;
    for (int class = LB_RECONCILE_MATCH + 1; class < LB_RECONCILE_NUM_CLASSES; class++)
        num += tally->counts[class];
    return num;
}

static lb_status print_pairs(const struct lb_ctl_reconcile *reconcile)
{
    static const char *const zh[] = {"部门接入端", "一致", "其中迟到", "未到时限", "差异",
                                     "逐条比对的分钟", NULL};
    static const char *const en[] = {"adapter", "match",       "of them late",    "open",
                                     "differ",  "minutes that differ", NULL};
    struct lb_ctl_table table;
    lb_ctl_table_init(&table, reconcile->arena, reconcile->env->chinese ? zh : en);
    for (size_t i = 0; i < reconcile->num_pairs; i++) {
        const struct lb_ctl_reconcile_pair *pair = &reconcile->pairs[i];
        const uint64_t numbers[] = {pair->tally.counts[LB_RECONCILE_MATCH], pair->tally.late,
                                    pair->tally.open, differences(&pair->tally),
                                    pair->num_differing};
        const char *cells[6] = {lb_spiffe_log_origin(pair->adapter)};
        for (size_t k = 0; k < 5; k++)
            cells[k + 1] = index_text(reconcile, true, numbers[k]);
        lb_ctl_table_row(&table, cells);
    }
    return lb_ctl_table_print(&table, reconcile->env->out);
}

static void print_rest(const struct lb_ctl_reconcile *reconcile)
{
    const struct lb_ctl_env *env = reconcile->env;
    const uint64_t listed = reconcile->num_shown + reconcile->num_parcels_shown;
    if (reconcile->num_found > listed)
        (void)fprintf(env->out,
                      env->chinese ? "另有 %llu 条差异未列出\n"
                                   : "%llu further differences are not listed\n",
                      (unsigned long long)(reconcile->num_found - listed));
    if (reconcile->num_parcels > 0)
        (void)fprintf(env->out,
                      env->chinese ? "另比对移交件 %llu 个\n" : "%llu parcels were compared too\n",
                      (unsigned long long)reconcile->num_parcels);
    if (reconcile->num_not_compared > 0)
        (void)fprintf(env->out,
                      env->chinese ? "%llu 个请求转往未参与比对的部门\n"
                                   : "%llu reads went to adapters that were not compared\n",
                      (unsigned long long)reconcile->num_not_compared);
}

/* --- JSON --- */

static struct lb_json *pair_json(const struct lb_ctl_reconcile_pair *pair)
{
    struct lb_json *json = lb_json_object();
    struct lb_json *classes = lb_json_object();
    for (int class = 0; class < LB_RECONCILE_NUM_CLASSES; class++)
        lb_json_set_int(classes, lb_reconcile_class_name((enum lb_reconcile_class)class),
                        (int64_t)pair->tally.counts[class]);
    lb_json_set_cstr(json, "broker", pair->broker);
    lb_json_set_cstr(json, "adapter", pair->adapter);
    lb_json_set(json, "classes", classes);
    lb_json_set_int(json, "late", (int64_t)pair->tally.late);
    lb_json_set_int(json, "open", (int64_t)pair->tally.open);
    lb_json_set_int(json, "minutes_equal", (int64_t)pair->num_equal);
    lb_json_set_int(json, "minutes_differing", (int64_t)pair->num_differing);
    return json;
}

static struct lb_json *finding_json(const struct lb_ctl_reconcile *reconcile,
                                    const struct lb_ctl_reconcile_finding *shown)
{
    const struct lb_reconcile_finding *finding = &shown->finding;
    struct lb_json *json = lb_json_object();
    char txn[33];
    lb_hex_encode(lb_span_of(finding->txn, sizeof(finding->txn)), txn);
    lb_json_set_cstr(json, "class", lb_reconcile_class_name(finding->class));
    lb_json_set_cstr(json, "adapter", shown->adapter);
    lb_json_set_cstr(json, "txn", txn);
    lb_json_set_int(json, "time_ms", finding->time_ms);
    if (finding->has_broker)
        lb_json_set_int(json, "broker_index", (int64_t)finding->broker_index);
    if (finding->has_adapter)
        lb_json_set_int(json, "adapter_index", (int64_t)finding->adapter_index);
    struct lb_json *fields = lb_json_array();
    for (unsigned bit = 0; bit < LB_RECONCILE_NUM_FIELDS; bit++) {
        if ((finding->fields & 1U << bit) != 0)
            lb_json_append_str(fields, lb_span_str(lb_reconcile_field_name(bit)));
    }
    lb_json_set(json, "differs", fields);
    lb_json_set_cstr(json, "advice",
                     lb_ctl_pick(reconcile->env, lb_reconcile_class_zh(finding->class),
                                 lb_reconcile_class_en(finding->class)));
    return json;
}

static struct lb_json *parcel_json(const struct lb_ctl_reconcile *reconcile,
                                   const struct lb_ctl_parcel_finding *finding)
{
    const enum lb_ctl_parcel_class class = (enum lb_ctl_parcel_class)finding->class;
    struct lb_json *json = lb_json_object();
    char txn[33];
    lb_hex_encode(lb_span_of(finding->txn, sizeof(finding->txn)), txn);
    lb_json_set_cstr(json, "class", lb_ctl_parcel_class_name(class));
    lb_json_set_cstr(json, "at", finding->at);
    lb_json_set_cstr(json, "txn", txn);
    lb_json_set_int(json, "time_ms", finding->time_ms);
    lb_json_set_cstr(json, "said_by", finding->said_by);
    lb_json_set_int(json, "index", (int64_t)finding->index);
    lb_json_set_cstr(json, "advice", lb_ctl_pick(reconcile->env, lb_ctl_parcel_class_zh(class),
                                                 lb_ctl_parcel_class_en(class)));
    return json;
}

static lb_status print_json(const struct lb_ctl_reconcile *reconcile)
{
    LB_DEFER(lb_json_freep) struct lb_json *root = lb_json_object();
    struct lb_json *pairs = lb_json_array();
    struct lb_json *findings = lb_json_array();
    for (size_t i = 0; i < reconcile->num_pairs; i++)
        lb_json_append(pairs, pair_json(&reconcile->pairs[i]));
    for (size_t i = 0; i < reconcile->num_shown; i++)
        lb_json_append(findings, finding_json(reconcile, &reconcile->shown[i]));
    lb_json_set_bool(root, "reconciled", reconcile->num_found == 0);
    lb_json_set_int(root, "differences", (int64_t)reconcile->num_found);
    lb_json_set_int(root, "not_compared", (int64_t)reconcile->num_not_compared);
    lb_json_set(root, "pairs", pairs);
    lb_json_set(root, "findings", findings);
    struct lb_json *parcels = lb_json_array();
    for (size_t i = 0; i < reconcile->num_parcels_shown; i++)
        lb_json_append(parcels, parcel_json(reconcile, &reconcile->parcels_shown[i]));
    lb_json_set_int(root, "parcels", (int64_t)reconcile->num_parcels);
    lb_json_set(root, "parcel_findings", parcels);
    return lb_ctl_print_json(reconcile->env, root);
}

lb_status lb_ctl_reconcile_print(const struct lb_ctl_reconcile *reconcile)
{
    if (reconcile->env->json)
        return print_json(reconcile);
    LB_TRY(print_findings(reconcile));
    print_advice(reconcile);
    LB_TRY(print_parcels(reconcile));
    advise_on_parcels(reconcile);
    if (reconcile->num_shown + reconcile->num_parcels_shown > 0)
        (void)fputc('\n', reconcile->env->out);
    LB_TRY(print_pairs(reconcile));
    print_rest(reconcile);
    return LB_OK;
}
