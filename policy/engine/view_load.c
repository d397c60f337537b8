#include <strings.h>

#include "gateway/crypto/hash.h"
#include "policy/engine/view_private.h"

#define DEFAULT_MAX_ROWS 400
#define DEFAULT_TIMEOUT_MS 3000
#define MAX_FRESHNESS_DAYS 36500

/* White space, then SELECT as a word. */
static bool begins_with_select(const char *query)
{
    while (*query == ' ' || *query == '\t' || *query == '\n' || *query == '\r')
        query++;
    if (strncasecmp(query, "SELECT", 6) != 0)
        return false;
    return query[6] == ' ' || query[6] == '\t' || query[6] == '\n' || query[6] == '\r';
}

/* One SELECT and nothing behind it: a ';' is refused even inside a string, which a view can do
 * without. The source checks once more that the statement can't write. */
static lb_status load_query(const struct lb_view_loader *loader, const struct lb_yaml_node *node,
                            const char **out)
{
    const char *query = NULL;
    LB_TRY(lb_yaml_text(node, loader->diag, &query));
    if (strlen(query) > LB_VIEW_MAX_QUERY_BYTES)
        return lb_yaml_fail(node, loader->diag, "the query is longer than %d bytes; shorten it",
                            LB_VIEW_MAX_QUERY_BYTES);
    if (!begins_with_select(query))
        return lb_yaml_fail(node, loader->diag,
                            "a query begins with SELECT; a view only reads, write one SELECT");
    if (strchr(query, ';') != NULL)
        return lb_yaml_fail(node, loader->diag, "a query is one statement; remove the ';'");
    return lb_view_copy(loader, query, out);
}

static lb_status load_main_query(const struct lb_view_loader *loader,
                                 const struct lb_yaml_node *root, const char **out)
{
    const struct lb_yaml_node *node = NULL;
    LB_TRY(lb_yaml_need(root, "query", loader->diag, &node));
    LB_TRY(load_query(loader, node, out));
    if (strstr(*out, ":id_no") == NULL)
        return lb_yaml_fail(node, loader->diag,
                            "the query does not use :id_no and would read everybody's rows; add "
                            "it to the WHERE clause");
    return LB_OK;
}

static lb_status load_freshness(const struct lb_view_loader *loader,
                                const struct lb_yaml_node *root, struct lb_view *view)
{
    const struct lb_yaml_node *as_of = lb_yaml_get(root, "as_of");
    const struct lb_yaml_node *days = lb_yaml_get(root, "freshness_days");
    if (as_of != NULL)
        LB_TRY(load_query(loader, as_of, &view->as_of_query));
    if (days == NULL)
        return LB_OK;
    if (as_of == NULL)
        return lb_yaml_fail(days, loader->diag,
                            "freshness_days needs as_of, a query for the date of the data; add it");
    return lb_yaml_int(days, 1, MAX_FRESHNESS_DAYS, loader->diag, &view->freshness_days);
}

static lb_status load_rows(const struct lb_view_loader *loader, const struct lb_yaml_node *root,
                           struct lb_view *view)
{
    const struct lb_yaml_node *node = NULL;
    const char *rows = NULL;
    int64_t max_rows = 0;
    LB_TRY(lb_yaml_need(root, "rows", loader->diag, &node));
    LB_TRY(lb_yaml_text(node, loader->diag, &rows));
    view->many = strcmp(rows, "many") == 0;
    if (!view->many && strcmp(rows, "one") != 0)
        return lb_yaml_fail(node, loader->diag, "rows is one or many; write rows: one");
    LB_TRY(lb_yaml_opt_bool(root, "complete", false, loader->diag, &view->complete));
    LB_TRY(lb_yaml_opt_int(root, "max_rows", 1, LB_MAX_ROWS_PER_READ, DEFAULT_MAX_ROWS,
                           loader->diag, &max_rows));
    view->max_rows = (size_t)max_rows;
    return lb_yaml_opt_int(root, "timeout_ms", 1, LB_MAX_DEADLINE_MS, DEFAULT_TIMEOUT_MS,
                           loader->diag, &view->timeout_ms);
}

static lb_status load_type(const struct lb_view_loader *loader, const struct lb_yaml_node *node,
                           enum lb_field_type *out)
{
    static const char *const types[] = {
        [LB_FIELD_TEXT] = "text",     [LB_FIELD_NAME] = "name", [LB_FIELD_ID] = "id",
        [LB_FIELD_CODE] = "code",     [LB_FIELD_REGION] = "region",
        [LB_FIELD_DATE] = "date",     [LB_FIELD_INT] = "int",   [LB_FIELD_CENTS] = "cents",
        [LB_FIELD_ROW] = "row",
    };
    const struct lb_yaml_node *type = NULL;
    const char *text = NULL;
    LB_TRY(lb_yaml_need(node, "type", loader->diag, &type));
    LB_TRY(lb_yaml_text(type, loader->diag, &text));
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(types[i], text) != 0)
            continue;
        *out = (enum lb_field_type)i;
        return LB_OK;
    }
    return lb_yaml_fail(type, loader->diag,
                        "type \"%.40s\" is not known; write text, name, id, code, region, date, "
                        "int, cents or row",
                        text);
}

static lb_status load_column(const struct lb_view_loader *loader, const struct lb_yaml_node *node,
                             const char *key, const char **out)
{
    const char *column = NULL;
    LB_TRY(lb_word_need(node, key, LB_WORD_TEXT, loader->diag, &column));
    return lb_view_copy(loader, column, out);
}

static lb_status load_columns(const struct lb_view_loader *loader, const struct lb_yaml_node *node,
                              struct lb_view_field *field)
{
    const struct lb_yaml_node *column = lb_yaml_get(node, "column");
    const struct lb_yaml_node *month = lb_yaml_get(node, "month");
    const struct lb_yaml_node *denominator = lb_yaml_get(node, "denominator");
    bool sums = field->type == LB_FIELD_INT || field->type == LB_FIELD_CENTS;
    if (field->type == LB_FIELD_ROW && column != NULL)
        return lb_yaml_fail(column, loader->diag,
                            "a field of type row has no column; remove it or change the type");
    if (month != NULL && !sums)
        return lb_yaml_fail(month, loader->diag,
                            "only int and cents are summed by month; remove month");
    if (denominator != NULL && !sums)
        return lb_yaml_fail(denominator, loader->diag,
                            "only int and cents have a ratio; remove denominator");
    if (field->type != LB_FIELD_ROW)
        LB_TRY(load_column(loader, node, "column", &field->column));
    if (denominator != NULL)
        LB_TRY(load_column(loader, node, "denominator", &field->denominator));
    return month == NULL ? LB_OK : load_column(loader, node, "month", &field->month);
}

static lb_status load_class(const struct lb_view_loader *loader, const struct lb_yaml_node *node,
                            int *out_class)
{
    const struct lb_yaml_node *class = NULL;
    const char *text = NULL;
    LB_TRY(lb_yaml_need(node, "class", loader->diag, &class));
    LB_TRY(lb_yaml_text(class, loader->diag, &text));
    if (strlen(text) != 2 || text[0] != 'G' || text[1] < '1' || text[1] > '4')
        return lb_yaml_fail(class, loader->diag,
                            "class \"%.40s\" is not known; write G1 (public), G2, G3 (personal) "
                            "or G4 (sensitive)",
                            text);
    *out_class = text[1] - '0';
    return LB_OK;
}

static lb_status load_field(const struct lb_view_loader *loader, const struct lb_yaml_node *node,
                            bool many, struct lb_view_field *field)
{
    static const char *const keys[] = {"column", "type",  "month", "denominator",   "class",
                                       "rules",  "codes", "empty", "null_is_empty", NULL};
    LB_TRY(lb_yaml_only(node, keys, loader->diag));
    LB_TRY(load_type(loader, node, &field->type));
    LB_TRY(load_columns(loader, node, field));
    LB_TRY(load_class(loader, node, &field->data_class));
    LB_TRY(lb_view_load_codes(loader, node, field));
    const struct lb_yaml_node *rules = lb_yaml_get(node, "rules");
    return rules == NULL ? LB_OK : lb_view_load_rules(loader, rules, many, field);
}

static lb_status load_fields(const struct lb_view_loader *loader, const struct lb_yaml_node *root,
                             struct lb_view *view)
{
    const struct lb_yaml_node *map = NULL;
    LB_TRY(lb_yaml_need(root, "fields", loader->diag, &map));
    LB_TRY(lb_word_map(map, LB_WORD_NAME, LB_MAX_FIELDS_PER_VIEW, loader->diag));
    size_t num = lb_yaml_len(map);
    struct lb_view_field *fields = lb_arena_array(loader->arena, num, sizeof(*fields));
    LB_ENSURE(fields != NULL, LB_NO_MEMORY, "arena full");
    for (size_t i = 0; i < num; i++) {
        const char *name = NULL;
        const struct lb_yaml_node *node = lb_yaml_member(map, i, &name);
        LB_TRY(lb_view_copy(loader, name, &fields[i].name));
        LB_TRY(load_field(loader, node, view->many, &fields[i]));
    }
    view->fields = fields;
    view->num_fields = num;
    return lb_view_sort_fields(loader, view);
}

static lb_status load_head(const struct lb_view_loader *loader, const struct lb_yaml_node *root,
                           struct lb_view *view)
{
    static const char *const keys[] = {"view",     "version", "title",          "query",
                                       "rows",     "complete", "max_rows",      "as_of",
                                       "freshness_days", "timeout_ms", "budgets",       "probing",
                                       "fields",   "source",   "maintenance",   NULL};
    const char *id = NULL;
    const char *zh = NULL;
    const char *en = NULL;
    int64_t version = 0;
    LB_TRY(lb_yaml_only(root, keys, loader->diag));
    LB_TRY(lb_word_need(root, "view", LB_WORD_VIEW, loader->diag, &id));
    LB_TRY(lb_yaml_need_int(root, "version", 1, INT32_MAX, loader->diag, &version));
    LB_TRY(lb_word_title(root, loader->diag, &zh, &en));
    view->version = (uint32_t)version;
    LB_TRY(lb_view_copy(loader, id, &view->id));
    LB_TRY(lb_view_copy(loader, zh, &view->title_zh));
    return lb_view_copy(loader, en, &view->title_en);
}

static lb_status check_events(const struct lb_view_loader *loader, const struct lb_yaml_node *root,
                              const struct lb_view *view)
{
    const char *purpose = lb_view_event_clash(view, view);
    if (purpose == NULL)
        return LB_OK;
    return lb_yaml_fail(lb_yaml_get(root, "fields"), loader->diag,
                        "the purpose %s has rules with and without `event`; give the ordinary "
                        "ones a purpose of their own",
                        purpose);
}

static lb_status build_view(const struct lb_view_loader *loader, const struct lb_yaml *yaml,
                            const struct lb_view **out_view)
{
    const struct lb_yaml_node *root = lb_yaml_root(yaml);
    struct lb_view *view = lb_arena_alloc(loader->arena, sizeof(*view));
    LB_ENSURE(view != NULL, LB_NO_MEMORY, "arena full");
    LB_TRY(load_head(loader, root, view));
    LB_TRY(lb_view_load_source(loader, root, &view->source));
    view->query = LB_VIEW_OFFICER_QUERY;
    if (view->source != LB_VIEW_OFFICER)
        LB_TRY(load_main_query(loader, root, &view->query));
    LB_TRY(load_rows(loader, root, view));
    LB_TRY(load_freshness(loader, root, view));
    LB_TRY(lb_view_load_pauses(loader, root, view));
    LB_TRY(lb_view_load_limits(root, loader->diag, view));
    LB_TRY(load_fields(loader, root, view));
    LB_TRY(check_events(loader, root, view));
    LB_TRY(lb_view_check_source(loader, root, view));
    lb_sha256(lb_yaml_bytes(yaml), view->sha256);
    *out_view = view;
    return LB_OK;
}

lb_status lb_view_load(const char *path, const struct lb_rules *rules, struct lb_arena *arena,
                       struct lb_diag *diag, const struct lb_view **out_view)
{
    struct lb_yaml LB_DEFER(lb_yaml_freep) *yaml = NULL;
    LB_TRY(lb_yaml_load_file(path, diag, &yaml));
    const struct lb_view_loader loader = {rules, arena, diag};
    return build_view(&loader, yaml, out_view);
}

lb_status lb_view_load_text(struct lb_span text, const char *name, const struct lb_rules *rules,
                            struct lb_arena *arena, struct lb_diag *diag,
                            const struct lb_view **out_view)
{
    struct lb_yaml LB_DEFER(lb_yaml_freep) *yaml = NULL;
    LB_TRY(lb_yaml_load_text(text, name, diag, &yaml));
    const struct lb_view_loader loader = {rules, arena, diag};
    return build_view(&loader, yaml, out_view);
}
