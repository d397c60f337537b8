#ifndef GATEWAY_BASE_STATUS_H
#define GATEWAY_BASE_STATUS_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/codes.h"

/*
 * The one way a function says that it failed.
 *
 * A lb_status is one pointer wide: NULL is success, anything else points at a static record made
 * at the line that failed. It never allocates, survives the hop between threads, and names file
 * and line in our own log. `what` is for that log only: a peer gets the code and the code's fixed
 * sentence, so nothing inside can leak through an error.
 */
struct lb_fault {
    enum lb_code code;
    const char *what;
    const char *file;
    int line;
};

typedef const struct lb_fault *lb_status;

#define LB_OK ((lb_status)NULL)

/* Every function that returns a lb_status is declared with this: dropping a failure won't
 * compile. */
#define LB_MUST __attribute__((warn_unused_result))

/* LB_FAULT is the record of a failure at this line; `code_` and `what_` must be constants. */
#define LB_FAULT(code_, what_)                                                                     \
    __extension__({                                                                                \
        static const struct lb_fault lb_fault_here = {(code_), (what_), __FILE__, __LINE__};       \
        &lb_fault_here;                                                                            \
    })

/* The only macros that hide a return. */
#define LB_FAIL(code_, what_) return LB_FAULT(code_, what_)
#define LB_TRY(expr_)                                                                              \
    do {                                                                                           \
        lb_status lb_try_status = (expr_);                                                         \
        if (lb_try_status != LB_OK)                                                                \
            return lb_try_status;                                                                  \
    } while (0)
#define LB_ENSURE(cond_, code_, what_)                                                             \
    do {                                                                                           \
        if (!(cond_))                                                                              \
            return LB_FAULT(code_, what_);                                                         \
    } while (0)

/* LB_DEFER(fn) on a variable calls fn(&variable) when the scope ends. */
#define LB_DEFER(fn_) __attribute__((cleanup(fn_)))

/* lb_status_ignore drops a failure on purpose; the call site says why in a comment. */
void lb_status_ignore(lb_status status);

/* lb_status_code returns the code, LB_CODE_OK for success. */
enum lb_code lb_status_code(lb_status status);

/* lb_status_of returns a record for a code known only at run time (one a peer sent, say); LB_OK for
 * LB_CODE_OK. */
lb_status lb_status_of(enum lb_code code);

/* lb_code_name returns the code's wire name, "OK" for LB_CODE_OK. Never NULL. */
const char *lb_code_name(enum lb_code code);

/* lb_code_by_name finds a code by its wire name; false if there is none (an unknown code of a newer
 * peer is treated as INTERNAL by callers, never as success). */
bool lb_code_by_name(const char *name, size_t name_len, enum lb_code *out_code);

/* lb_code_canonical returns the gRPC code that travels with it. */
enum lb_canonical lb_code_canonical(enum lb_code code);

/* lb_code_scope says who may learn the code. */
enum lb_scope lb_code_scope(enum lb_code code);

/* lb_code_outer returns the code as an outsider may see it: INNER becomes ANSWERED, LOCAL becomes
 * INTERNAL (LOG_UNAVAILABLE, BUSY and the like are OUTER already). */
enum lb_code lb_code_outer(enum lb_code code);

/* lb_code_text_en and lb_code_text_zh return the fixed sentence for people. Never NULL. */
const char *lb_code_text_en(enum lb_code code);
const char *lb_code_text_zh(enum lb_code code);

#endif
