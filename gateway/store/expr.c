#include "gateway/store/expr.h"

#include <stdlib.h>

#include "gateway/base/buf.h"
#include "gateway/store/expr_code.h"
#include "gateway/store/expr_guard.h"
#include "gateway/store/expr_parse.h"
#include "gateway/store/foreign.h"

/* The longest SQL of one byte of text is some ten bytes (a product, a name). */
#define MAX_SQL_BYTES (LB_MAX_EXPR_BYTES * 16)

struct lb_expr_env {
    struct lb_expr_guard guard;
};

struct lb_expr {
    struct lb_expr_env *env;
    sqlite3_stmt *stmt;
    size_t num_names;
    struct lb_expr_shape shape;
    struct lb_buf code;
    enum lb_expr_kind kinds[LB_MAX_EXPR_NAMES];
};

lb_status lb_expr_env_new(struct lb_expr_env **out_env)
{
    struct lb_expr_env *env = calloc(1, sizeof(*env));
    LB_ENSURE(env != NULL, LB_NO_MEMORY, "memory is exhausted");
    lb_status status = lb_expr_guard_open(&env->guard);
    if (status != LB_OK) {
        free(env);
        return status;
    }
    *out_env = env;
    return LB_OK;
}

void lb_expr_env_free(struct lb_expr_env *env)
{
    if (env == NULL)
        return;
    lb_expr_guard_close(&env->guard);
    free(env);
}

static lb_status write_sql(const char *text, const struct lb_expr_names *names,
                           struct lb_diag *diag, struct lb_buf *sql, struct lb_expr *expr)
{
    lb_buf_put_str(sql, "SELECT (");
    LB_TRY(lb_expr_parse(text, names, diag, sql, &expr->code, &expr->shape));
    lb_buf_put(sql, lb_span_of(")", 2));
    LB_ENSURE(lb_buf_check(&expr->code) == LB_OK, LB_NO_MEMORY, "a rule has too many steps");
    LB_ENSURE(lb_buf_check(sql) == LB_OK, LB_NO_MEMORY, "a rule's SQL passes its maximum");
    return LB_OK;
}

static void free_expr(struct lb_expr **expr)
{
    lb_expr_free(*expr);
}

lb_status lb_expr_compile(struct lb_expr_env *env, const char *text,
                          const struct lb_expr_names *names, struct lb_diag *diag,
                          struct lb_expr **out_expr)
{
    LB_DEFER(free_expr) struct lb_expr *expr = calloc(1, sizeof(*expr));
    LB_ENSURE(expr != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_DEFER(lb_buf_cleanup) struct lb_buf sql;
    lb_buf_init(&sql, MAX_SQL_BYTES);
    lb_buf_init(&expr->code, LB_MAX_EXPR_CODE_BYTES);
    LB_TRY(write_sql(text, names, diag, &sql, expr));
    LB_TRY(lb_expr_guard_prepare(&env->guard, (const char *)sql.ptr, diag, &expr->stmt));
    expr->env = env;
    expr->num_names = names->count;
    if (names->count > 0)
        memcpy(expr->kinds, names->kinds, names->count * sizeof(expr->kinds[0]));
    *out_expr = expr;
    expr = NULL;
    return LB_OK;
}

void lb_expr_free(struct lb_expr *expr)
{
    if (expr == NULL)
        return;
    (void)sqlite3_finalize(expr->stmt);
    lb_buf_cleanup(&expr->code);
    free(expr);
}

const struct lb_expr_step *lb_expr_code_of(const struct lb_expr *expr, size_t *out_num)
{
    *out_num = expr->code.len / sizeof(struct lb_expr_step);
    return (const struct lb_expr_step *)(const void *)expr->code.ptr;
}

enum lb_expr_kind lb_expr_kind_of(const struct lb_expr *expr)
{
    return expr->shape.kind;
}

bool lb_expr_uses(const struct lb_expr *expr, size_t name_index)
{
    return name_index < expr->num_names && expr->shape.uses[name_index];
}

static int bind_text(sqlite3_stmt *stmt, int param, const char *text)
{
    size_t len = strnlen(text, LB_MAX_EXPR_TEXT_BYTES);
    if (len == LB_MAX_EXPR_TEXT_BYTES)
        return sqlite3_bind_null(stmt, param);
    return sqlite3_bind_text(stmt, param, text, (int)len, SQLITE_STATIC);
}

static int bind_value(sqlite3_stmt *stmt, int param, const struct lb_expr_value *value)
{
    switch (value->kind) {
    case LB_EXPR_TRUTH:
        return sqlite3_bind_int(stmt, param, value->truth ? 1 : 0);
    case LB_EXPR_NUMBER:
        return sqlite3_bind_int64(stmt, param, value->number);
    case LB_EXPR_TEXT:
        return bind_text(stmt, param, value->text);
    default:
        return sqlite3_bind_null(stmt, param);
    }
}

static lb_status bind_values(const struct lb_expr *expr, const struct lb_expr_value *values)
{
    for (size_t i = 0; i < expr->num_names; i++) {
        if (!expr->shape.uses[i])
            continue;
        int code = values[i].kind == expr->kinds[i]
                       ? bind_value(expr->stmt, (int)i + 1, &values[i])
                       : sqlite3_bind_null(expr->stmt, (int)i + 1);
        LB_TRY(lb_store_status(code));
    }
    return LB_OK;
}

static void read_text(sqlite3_stmt *stmt, struct lb_expr_value *out)
{
    const unsigned char *text = sqlite3_column_text(stmt, 0);
    size_t len = (size_t)sqlite3_column_bytes(stmt, 0);
    if (text == NULL || len >= sizeof(out->text) || memchr(text, 0, len) != NULL)
        return;
    memcpy(out->text, text, len);
    out->kind = LB_EXPR_TEXT;
}

/* Leaves UNKNOWN whatever is not exactly of the kind. */
static void read_result(sqlite3_stmt *stmt, enum lb_expr_kind kind, struct lb_expr_value *out)
{
    int type = sqlite3_column_type(stmt, 0);
    int64_t number = type == SQLITE_INTEGER ? sqlite3_column_int64(stmt, 0) : 0;
    if (type == SQLITE_TEXT && kind == LB_EXPR_TEXT) {
        read_text(stmt, out);
    } else if (type == SQLITE_INTEGER && kind == LB_EXPR_NUMBER) {
        out->kind = kind;
        out->number = number;
    } else if (type == SQLITE_INTEGER && kind == LB_EXPR_TRUTH && (number == 0 || number == 1)) {
        out->kind = kind;
        out->truth = number == 1;
    }
}

static lb_status run(struct lb_expr *expr, const struct lb_expr_value *values,
                     struct lb_expr_value *out)
{
    LB_TRY(bind_values(expr, values));
    expr->env->guard.num_selects = 0;
    int code = sqlite3_step(expr->stmt);
    LB_TRY(lb_store_status(code));
    LB_ENSURE(code == SQLITE_ROW, LB_STORE_FAILED, "an expression gave no row");
    read_result(expr->stmt, expr->shape.kind, out);
    return LB_OK;
}

lb_status lb_expr_eval(struct lb_expr *expr, const struct lb_expr_value *values,
                       enum lb_expr_kind want, struct lb_expr_value *out_value)
{
    struct lb_expr_value result = {.kind = LB_EXPR_UNKNOWN};
    lb_status status = want == expr->shape.kind ? run(expr, values, &result) : LB_OK;
    (void)sqlite3_reset(expr->stmt);
    (void)sqlite3_clear_bindings(expr->stmt);
    LB_TRY(status);
    *out_value = result;
    return LB_OK;
}
