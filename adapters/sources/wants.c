#include "adapters/sources/wants.h"

#include "gateway/crypto/hash.h"

/* The columns of a query, each once. */
struct wants {
    const struct lb_view *view;
    struct lb_source_column *columns;
    size_t num;
    struct lb_diag *diag;
};

static enum lb_source_want want_of(enum lb_field_type type)
{
    switch (type) {
    case LB_FIELD_INT:
        return LB_SOURCE_WANT_INT;
    case LB_FIELD_CENTS:
        return LB_SOURCE_WANT_CENTS;
    case LB_FIELD_DATE:
        return LB_SOURCE_WANT_DATE;
    default:
        return LB_SOURCE_WANT_TEXT;
    }
}

static lb_status add(struct wants *wants, struct lb_source_column column)
{
    if (column.name == NULL)
        return LB_OK;
    for (size_t i = 0; i < wants->num; i++) {
        const struct lb_source_column *other = &wants->columns[i];
        if (strcmp(other->name, column.name) != 0)
            continue;
        if (other->want == column.want && other->empty == column.empty &&
            other->null_is_empty == column.null_is_empty)
            return LB_OK;
        lb_diag_set(wants->diag, "two fields take column \"%s\" for different things; give it "
                                 "twice, with two names", column.name);
        LB_FAIL(LB_CONFIG_INVALID, "a column of two types");
    }
    wants->columns[wants->num++] = column;
    return LB_OK;
}

lb_status lb_sources_query(const struct lb_view *view, struct lb_arena *arena,
                           struct lb_diag *diag, struct lb_source_query *out_query)
{
    struct wants wants = {.view = view, .diag = diag};
    wants.columns = lb_arena_array(arena, view->num_fields * 3 + 1, sizeof(*wants.columns));
    LB_ENSURE(wants.columns != NULL, LB_NO_MEMORY, "arena full");
    for (size_t i = 0; i < view->num_fields; i++) {
        const struct lb_view_field *field = &view->fields[i];
        enum lb_source_want want = want_of(field->type);
        LB_TRY(add(&wants, (struct lb_source_column){field->column, want, field->empty != NULL,
                                                     field->null_is_empty}));
        LB_TRY(add(&wants, (struct lb_source_column){.name = field->month,
                                                     .want = LB_SOURCE_WANT_MONTH}));
        LB_TRY(add(&wants, (struct lb_source_column){.name = field->denominator, .want = want}));
    }
    *out_query = (struct lb_source_query){
        .text = view->query,
        .num_columns = wants.num,
        .columns = wants.columns,
        .others = LB_SOURCE_WANT_ANY,
    };
    return LB_OK;
}

struct lb_source_query lb_sources_as_of(const struct lb_view *view)
{
    return (struct lb_source_query){.text = view->as_of_query, .others = LB_SOURCE_WANT_DATE};
}

lb_status lb_sources_prepare(const struct lb_source_plugin *plugin, struct lb_source *source,
                             const struct lb_view *view, struct lb_arena *memory,
                             struct lb_diag *diag, struct lb_source_stmt **out_rows,
                             struct lb_source_stmt **out_as_of)
{
    struct lb_source_query query;
    struct lb_source_stmt *rows = NULL;
    struct lb_source_stmt *as_of = NULL;
    LB_TRY(lb_sources_query(view, memory, diag, &query));
    LB_TRY(plugin->prepare(source, &query, diag, &rows));
    if (view->as_of_query != NULL) {
        query = lb_sources_as_of(view);
        LB_TRY(plugin->prepare(source, &query, diag, &as_of));
    }
    *out_rows = rows;
    *out_as_of = as_of;
    return LB_OK;
}

lb_status lb_sources_shape_digest(const struct lb_source_plugin *plugin,
                                  struct lb_source_stmt *stmt, struct lb_arena *arena,
                                  uint8_t out_digest[32])
{
    struct lb_source_shape shape = {0};
    memset(out_digest, 0, 32);
    if (plugin->describe == NULL)
        return LB_OK;
    LB_TRY(plugin->describe(stmt, arena, &shape));
    struct lb_span *parts = lb_arena_array(arena, shape.num_columns * 4 + 1, sizeof(*parts));
    LB_ENSURE(parts != NULL, LB_NO_MEMORY, "arena full");
    for (size_t i = 0; i < shape.num_columns; i++) {
        parts[4 * i] = lb_span_str(shape.names[i]);
        parts[4 * i + 1] = lb_span_of("", 1);
        parts[4 * i + 2] = lb_span_str(shape.types[i]);
        parts[4 * i + 3] = lb_span_of("", 1);
    }
    lb_sha256_parts(parts, shape.num_columns * 4, out_digest);
    return LB_OK;
}
