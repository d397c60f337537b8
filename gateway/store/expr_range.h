#ifndef GATEWAY_STORE_EXPR_RANGE_H
#define GATEWAY_STORE_EXPR_RANGE_H

#include "gateway/store/expr.h"

/*
 * What an expression can come to when its names are not values but ranges of them. The answer is
 * never too small: whatever lb_expr_eval gives for values of the ranges is in it. It may be too
 * large, since each mention of a name is taken by itself; with one value per name it is exact. So a
 * thing that is out of range is out of reach, and narrower ranges say more.
 */
struct lb_expr_range {
    enum lb_expr_kind kind;  /* TRUTH, NUMBER or TEXT */
    bool unknown;            /* may be UNKNOWN */
    bool no, yes;            /* TRUTH: may be FALSE, TRUE */
    bool known;              /* NUMBER and TEXT: may be a value, namely */
    int64_t min, max;        /*   one from min to max */
    const char *text;        /*   this one; NULL: any */
    bool other;              /*   any that is none of the expressions' own texts */
};

/* lb_expr_range_of is the range of one value; the text is borrowed. */
struct lb_expr_range lb_expr_range_of(const struct lb_expr_value *value, enum lb_expr_kind kind);
/* lb_expr_range_nothing is the range of UNKNOWN alone. */
struct lb_expr_range lb_expr_range_nothing(enum lb_expr_kind kind);
/* lb_expr_range_all is that of every known value of a kind. */
struct lb_expr_range lb_expr_range_all(enum lb_expr_kind kind);
/* lb_expr_range_is_one says whether only one thing is left: a value or UNKNOWN. */
bool lb_expr_range_is_one(const struct lb_expr_range *range);
/* lb_expr_range_both and _either are the ranges of a AND b, a OR b. */
struct lb_expr_range lb_expr_range_both(const struct lb_expr_range *a,
                                        const struct lb_expr_range *b);
struct lb_expr_range lb_expr_range_either(const struct lb_expr_range *a,
                                          const struct lb_expr_range *b);
/* lb_expr_range_join is the least range that has both. */
struct lb_expr_range lb_expr_range_join(const struct lb_expr_range *a,
                                        const struct lb_expr_range *b);

/* lb_expr_reach gives the range of an expression; one range per name, in the order given to
 * lb_expr_compile. A text in it is borrowed from a range or the expression. */
struct lb_expr_range lb_expr_reach(const struct lb_expr *expr, const struct lb_expr_range *ranges);

/* lb_expr_text_at returns the expression's texts one by one, NULL past the last; without those that
 * are longer than any value. */
const char *lb_expr_text_at(const struct lb_expr *expr, size_t index);

#endif
