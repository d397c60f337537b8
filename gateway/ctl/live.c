#include "gateway/ctl/live.h"

#include "adapters/sources/wants.h"
#include "gateway/base/limits.h"
#include "gateway/ctl/text.h"

lb_status lb_ctl_live_read(const char *config_path, struct lb_diag *diag, struct lb_ctl_live *out)
{
    out->arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    LB_ENSURE(out->arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(lb_yaml_load_file(config_path, diag, &out->config));
    const struct lb_yaml_node *root = lb_yaml_root(out->config);
    const struct lb_yaml_node *source = lb_yaml_get(root, "source");
    if (source == NULL && lb_yaml_get(root, "plugin") == NULL)
        return lb_yaml_fail(root, diag, "there is no `source` here; name an adapter's "
                                        "configuration");
    return lb_sources_read(source == NULL ? root : source, config_path, out->arena, diag,
                           &out->source);
}

lb_status lb_ctl_live_connect(struct lb_ctl_live *live, struct lb_diag *diag)
{
    const struct lb_source_plugin *plugin = live->source.plugin;
    return plugin->open(plugin->ctx, &live->source.options, diag, &live->open);
}

void lb_ctl_live_cleanup(struct lb_ctl_live *live)
{
    if (live->open != NULL)
        live->source.plugin->close(live->open);
    lb_yaml_freep(&live->config);
    lb_arena_free(live->arena);
    *live = (struct lb_ctl_live){0};
}

static const char *lookup_word(enum lb_source_lookup lookup)
{
    static const char *const words[] = {"unknown", "index", "scan"};
    return words[lookup];
}

static lb_status find_out(struct lb_ctl_live *live, struct lb_source_stmt *rows,
                          struct lb_source_shape *shape, enum lb_source_lookup *lookup)
{
    const struct lb_source_plugin *plugin = live->source.plugin;
    if (plugin->describe != NULL)
        LB_TRY(plugin->describe(rows, live->arena, shape));
    if (plugin->lookup != NULL)
        LB_TRY(plugin->lookup(rows, lookup));
    return LB_OK;
}

static void tell(const struct lb_ctl_env *env, const struct lb_source_shape *shape,
                 enum lb_source_lookup lookup)
{
    (void)fputs(lb_ctl_pick(env, "  数据库：", "  live:"), env->out);
    for (size_t i = 0; i < shape->num_columns; i++) {
        (void)fputc(' ', env->out);
        lb_ctl_put(env->out, shape->names[i]);
        (void)fputc(' ', env->out);
        lb_ctl_put(env->out, shape->types[i]);
        (void)fputc(i + 1 < shape->num_columns ? ',' : ';', env->out);
    }
    (void)fprintf(env->out, "%s%s\n", lb_ctl_pick(env, " 主键检索方式：", " key found by: "),
                  lookup_word(lookup));
}

static void add_json(struct lb_json *out, const struct lb_source_shape *shape,
                     enum lb_source_lookup lookup)
{
    struct lb_json *live = lb_json_object();
    struct lb_json *columns = lb_json_array();
    for (size_t i = 0; i < shape->num_columns; i++) {
        struct lb_json *column = lb_json_object();
        lb_json_set_cstr(column, "name", shape->names[i]);
        lb_json_set_cstr(column, "type", shape->types[i]);
        lb_json_append(columns, column);
    }
    lb_json_set(live, "columns", columns);
    lb_json_set_cstr(live, "key", lookup_word(lookup));
    lb_json_set(out, "live", live);
}

lb_status lb_ctl_live_check(struct lb_ctl_live *live, const struct lb_ctl_env *env,
                            const struct lb_view *view, struct lb_json *out, struct lb_diag *diag)
{
    struct lb_source_stmt *rows = NULL;
    struct lb_source_stmt *as_of = NULL;
    struct lb_source_shape shape = {0};
    enum lb_source_lookup lookup = LB_SOURCE_LOOKUP_UNKNOWN;
    struct lb_diag inner = {""};
    if (view->source != LB_VIEW_DATABASE)
        return LB_OK;
    lb_status status = lb_sources_prepare(live->source.plugin, live->open, view, live->arena,
                                          &inner, &rows, &as_of);
    if (status != LB_OK) {
        lb_diag_set(diag, "%s: %.900s", view->id,
                    inner.text[0] != 0 ? inner.text : status->what);
        return status;
    }
    LB_TRY(find_out(live, rows, &shape, &lookup));
    if (out != NULL)
        add_json(out, &shape, lookup);
    else
        tell(env, &shape, lookup);
    if (lookup == LB_SOURCE_LOOKUP_SCAN) {
        lb_diag_set(diag, "%s: the database would read a whole table to find one person; have an "
                          "index made on the column that is compared with :id_no", view->id);
        LB_FAIL(LB_CONFIG_INVALID, "no index on the key");
    }
    return LB_OK;
}
