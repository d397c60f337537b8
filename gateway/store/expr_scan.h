#ifndef GATEWAY_STORE_EXPR_SCAN_H
#define GATEWAY_STORE_EXPR_SCAN_H

#include "gateway/store/expr.h"

/* The words of a rule expression, one by one. Only this folder includes it. */

enum lb_token_kind {
    LB_TOKEN_END,
    LB_TOKEN_NUMBER,    /* decimal digits within int64 */
    LB_TOKEN_TEXT,      /* 'text' with its quotes, '' for a quote inside */
    LB_TOKEN_NAME,      /* any identifier that is none of the following */
    LB_TOKEN_FUNCTION,  /* abs ceil min max floor_div ceil_div as_number */
    LB_TOKEN_AND,
    LB_TOKEN_OR,
    LB_TOKEN_NOT,
    LB_TOKEN_IN,
    LB_TOKEN_BETWEEN,
    LB_TOKEN_TRUE,
    LB_TOKEN_FALSE,
    LB_TOKEN_UNKNOWN,
    LB_TOKEN_BANNED,   /* a word of SQL that rules must not use */
    LB_TOKEN_EQUALITY, /* = <> != */
    LB_TOKEN_ORDER,    /* < <= > >= */
    LB_TOKEN_PLUS,
    LB_TOKEN_MINUS,
    LB_TOKEN_TIMES,
    LB_TOKEN_OPEN,
    LB_TOKEN_CLOSE,
    LB_TOKEN_COMMA,
};

struct lb_token {
    enum lb_token_kind kind;
    struct lb_span text;  /* as written; empty at the end */
    size_t place;         /* character of the expression, from 1 */
};

struct lb_token_scanner {
    struct lb_span text;
    size_t at;
};

/* lb_token_next reads the next token; what no token begins with is CONFIG_INVALID with its
 * place. */
LB_MUST lb_status lb_token_next(struct lb_token_scanner *scanner, struct lb_diag *diag,
                                struct lb_token *out_token);

/* lb_token_is_free_name says whether a text is an identifier that means nothing else in a rule. */
bool lb_token_is_free_name(const char *name);

#endif
