#ifndef GATEWAY_STORE_EXPR_H
#define GATEWAY_STORE_EXPR_H

#include "gateway/base/diag.h"
#include "gateway/base/span.h"
#include "gateway/base/status.h"

/*
 * The rules of a form, as SQL expressions (DESIGN section 5).
 *
 * An expression is read by a small typed grammar, written anew as SQL, and evaluated by an
 * in-memory SQLite with SQL's three-valued logic. Two guards stand behind each other: the grammar
 * knows no statement, table or subquery, and SQLite's authorizer allows one SELECT and the
 * functions below.
 *
 *   or        a OR b, a AND b, NOT a                     truth values
 *   compare   a = b, a <> b, a != b                      both sides of one kind
 *             a < b, a <= b, a > b, a >= b               numbers
 *             a [NOT] BETWEEN b AND c                    numbers
 *             a [NOT] IN (b, c, ...)                     numbers or texts
 *   sum       a + b, a - b, a * b, -a                    numbers
 *   value     12, 'text', TRUE, FALSE, a name, (a)
 *             as_number(p)                               1 for TRUE, 0 for FALSE; UNKNOWN stays
 *             UNKNOWN, a truth value             `a OR UNKNOWN`: a person decides unless a holds
 *             abs(a), ceil(a), min(a, b, ...), max(a, b, ...)
 *             floor_div(a, b), ceil_div(a, b)            a divided by b, to the whole number below
 *                                                        or above; UNKNOWN unless b is above 0
 *
 * Everything else is refused: words that would turn UNKNOWN into FALSE or a number (CASE, IS,
 * ISNULL, NOTNULL, NULL, EXISTS, SELECT, coalesce, ifnull, iif, nullif, LIKE, GLOB, MATCH, REGEXP,
 * CAST, COLLATE, RAISE), division by a sign (it truncates: multiply the other side instead, or say
 * floor_div or ceil_div), remainders, bits, fractions, concatenation, comments, parameters,
 * comparisons without parentheses in a row, and operands of different kinds, which SQLite would
 * compare by their type. A sum or product past 64 bits is UNKNOWN at that place, never an
 * approximate number.
 */
struct lb_expr_env;  /* one in-memory SQLite; used by one thread at a time */
struct lb_expr;      /* one compiled expression; it must be freed before its env */

#define LB_MAX_EXPR_BYTES 4096   /* the text of one expression */
#define LB_MAX_EXPR_NAMES 256    /* names an expression may choose from */
#define LB_MAX_EXPR_TEXT_BYTES 64 /* one text value with its NUL */

enum lb_expr_kind { LB_EXPR_UNKNOWN, LB_EXPR_TRUTH, LB_EXPR_NUMBER, LB_EXPR_TEXT };

struct lb_expr_value {
    enum lb_expr_kind kind;
    bool truth;
    int64_t number;
    char text[LB_MAX_EXPR_TEXT_BYTES];
};

/* The names an expression may use, each with the kind of its values. A name is a letter or '_',
 * then letters, digits and '_' (ASCII), at most LB_MAX_NAME_BYTES - 1 long, distinguished by
 * case. */
struct lb_expr_names {
    const char *const *names;
    const enum lb_expr_kind *kinds;  /* TRUTH, NUMBER or TEXT, one per name */
    size_t count;
};

/* lb_expr_env_new opens the evaluator. STORE_FAILED when SQLite lacks what is needed, NO_MEMORY. */
LB_MUST lb_status lb_expr_env_new(struct lb_expr_env **out_env);
/* lb_expr_env_free releases it after all its expressions; NULL is allowed. */
void lb_expr_env_free(struct lb_expr_env *env);

/* lb_expr_compile compiles `text`, whose identifiers must all be among `names` (they become
 * parameters). CONFIG_INVALID with the reason and its place in diag (no file or line; the caller
 * adds them); NO_MEMORY. The names are not kept. */
LB_MUST lb_status lb_expr_compile(struct lb_expr_env *env, const char *text,
                                  const struct lb_expr_names *names, struct lb_diag *diag,
                                  struct lb_expr **out_expr);
/* lb_expr_free releases an expression; NULL is allowed. */
void lb_expr_free(struct lb_expr *expr);

/* lb_expr_kind_of returns the kind its result has whenever it is not UNKNOWN: TRUTH, NUMBER or
 * TEXT. */
enum lb_expr_kind lb_expr_kind_of(const struct lb_expr *expr);

/* lb_expr_uses says whether the expression mentions names[i]. */
bool lb_expr_uses(const struct lb_expr *expr, size_t name_index);

/* lb_expr_eval evaluates with one value per name, in the order given to lb_expr_compile. A value
 * that is UNKNOWN, not of the name's kind, or a text without its NUL counts as UNKNOWN. The
 * result is of kind `want` or UNKNOWN; UNKNOWN whenever `want` is not the expression's kind, and
 * for anything of SQLite's that is not exactly of that kind (never a guess). STORE_FAILED,
 * NO_MEMORY. */
LB_MUST lb_status lb_expr_eval(struct lb_expr *expr, const struct lb_expr_value *values,
                               enum lb_expr_kind want, struct lb_expr_value *out_value);

#endif
