#include "gateway/store/expr_guard.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "gateway/store/foreign.h"

/* SQLite's own + - * and abs turn into approximate numbers or errors past 64 bits. These give
 * NULL, so that the place of the overflow is UNKNOWN and three-valued logic goes on from there. */

static bool take_int(sqlite3_value *value, int64_t *out)
{
    *out = sqlite3_value_int64(value);
    return sqlite3_value_type(value) == SQLITE_INTEGER;
}

static void give(sqlite3_context *context, bool known, int64_t value)
{
    if (known)
        sqlite3_result_int64(context, value);
    else
        sqlite3_result_null(context);
}

static void sum(sqlite3_context *context, int num, sqlite3_value **values)
{
    int64_t total = 0;
    bool known = num > 0;
    for (int i = 0; i < num; i++) {
        int64_t value;
        known = take_int(values[i], &value) && known &&
                !__builtin_add_overflow(total, value, &total);
    }
    give(context, known, total);
}

static void product(sqlite3_context *context, int num, sqlite3_value **values)
{
    int64_t total = 1;
    bool known = num > 0;
    for (int i = 0; i < num; i++) {
        int64_t value;
        known = take_int(values[i], &value) && known &&
                !__builtin_mul_overflow(total, value, &total);
    }
    give(context, known, total);
}

static void negative(sqlite3_context *context, int num, sqlite3_value **values)
{
    (void)num;
    int64_t value;
    bool known = take_int(values[0], &value) && value != INT64_MIN;
    give(context, known, known ? -value : 0);
}

static void absolute(sqlite3_context *context, int num, sqlite3_value **values)
{
    (void)num;
    int64_t value;
    bool known = take_int(values[0], &value) && value != INT64_MIN;
    give(context, known, known && value < 0 ? -value : value);
}

/* The whole numbers below and above a quotient; a divisor that is not above 0 has none. */
static bool take_quotient(sqlite3_value **values, int64_t *out_below, bool *out_exact)
{
    int64_t whole, part;
    bool known = take_int(values[0], &whole);
    known = take_int(values[1], &part) && known && part > 0;
    if (!known)
        return false;
    *out_exact = whole % part == 0;
    *out_below = whole / part - (whole < 0 && !*out_exact ? 1 : 0);
    return true;
}

static void floor_quotient(sqlite3_context *context, int num, sqlite3_value **values)
{
    (void)num;
    int64_t below = 0;
    bool exact = false;
    bool known = take_quotient(values, &below, &exact);
    give(context, known, below);
}

static void ceil_quotient(sqlite3_context *context, int num, sqlite3_value **values)
{
    (void)num;
    int64_t below = 0;
    bool exact = false;
    bool known = take_quotient(values, &below, &exact);
    give(context, known, exact ? below : below + 1);
}

static void truth_as_number(sqlite3_context *context, int num, sqlite3_value **values)
{
    (void)num;
    int64_t value;
    bool known = take_int(values[0], &value) && (value == 0 || value == 1);
    give(context, known, value);
}

static bool is_allowed(const char *function)
{
    static const char *const allowed[] = {"lb_sum", "lb_product", "lb_neg", "lb_abs",
                                          "ceil",   "min",        "max",
                                          "lb_floor_div", "lb_ceil_div", "lb_as_number"};
    for (size_t i = 0; function != NULL && i < sizeof(allowed) / sizeof(allowed[0]); i++) {
        if (strcmp(function, allowed[i]) == 0)
            return true;
    }
    return false;
}

static int authorize(void *context, int action, const char *first, const char *second,
                     const char *database, const char *trigger)
{
    (void)first;
    (void)database;
    (void)trigger;
    struct lb_expr_guard *guard = context;
    if (action == SQLITE_SELECT && ++guard->num_selects == 1)
        return SQLITE_OK;
    return action == SQLITE_FUNCTION && is_allowed(second) ? SQLITE_OK : SQLITE_DENY;
}

static lb_status add_functions(sqlite3 *db)
{
    static const struct {
        const char *name;
        int num_args;
        void (*call)(sqlite3_context *, int, sqlite3_value **);
    } functions[] = {
        {"lb_sum", -1, sum}, {"lb_product", -1, product}, {"lb_neg", 1, negative},
        {"lb_abs", 1, absolute}, {"lb_floor_div", 2, floor_quotient},
        {"lb_ceil_div", 2, ceil_quotient},
        {"lb_as_number", 1, truth_as_number}};
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
        LB_TRY(lb_store_status(sqlite3_create_function_v2(
            db, functions[i].name, functions[i].num_args,
            SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL, functions[i].call, NULL,
            NULL, NULL)));
    return LB_OK;
}

static lb_status set_up(struct lb_expr_guard *guard)
{
    LB_TRY(lb_store_harden(guard->db));
    (void)sqlite3_limit(guard->db, SQLITE_LIMIT_LENGTH, 128 * 1024);
    (void)sqlite3_limit(guard->db, SQLITE_LIMIT_FUNCTION_ARG, 100);
    (void)sqlite3_limit(guard->db, SQLITE_LIMIT_ATTACHED, 0);
    LB_TRY(add_functions(guard->db));
    return lb_store_status(sqlite3_set_authorizer(guard->db, authorize, guard));
}

lb_status lb_expr_guard_open(struct lb_expr_guard *guard)
{
    *guard = (struct lb_expr_guard){NULL, 0};
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY;
    lb_status status = lb_store_connect(":memory:", flags, &guard->db);
    if (status == LB_OK)
        status = set_up(guard);
    if (status != LB_OK)
        lb_expr_guard_close(guard);
    return status;
}

void lb_expr_guard_close(struct lb_expr_guard *guard)
{
    (void)sqlite3_close_v2(guard->db);
    guard->db = NULL;
}

lb_status lb_expr_guard_prepare(struct lb_expr_guard *guard, const char *sql, struct lb_diag *diag,
                                sqlite3_stmt **out_stmt)
{
    if (strncmp(sql, "SELECT (", 8) != 0) {
        lb_diag_set(diag, "the rule is no expression; write one");
        LB_FAIL(LB_CONFIG_INVALID, "not a SELECT");
    }
    sqlite3_stmt *stmt = NULL;
    const char *tail = "";
    guard->num_selects = 0;
    int code = sqlite3_prepare_v3(guard->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, &tail);
    LB_ENSURE(code != SQLITE_NOMEM, LB_NO_MEMORY, "memory is exhausted");
    if (code == SQLITE_OK && stmt != NULL && tail[0] == 0 && guard->num_selects == 1) {
        *out_stmt = stmt;
        return LB_OK;
    }
    lb_diag_set(diag, "SQLite refuses the rule: %s; make it shorter or split it",
                code == SQLITE_OK ? "not one SELECT" : sqlite3_errmsg(guard->db));
    (void)sqlite3_finalize(stmt);
    LB_FAIL(LB_CONFIG_INVALID, "SQLite refuses a rule");
}
