#ifndef POLICY_ENGINE_OPERATOR_H
#define POLICY_ENGINE_OPERATOR_H

#include "gateway/base/arena.h"
#include "gateway/base/limits.h"
#include "policy/engine/rules.h"
#include "policy/engine/value.h"

/*
 * The minimization operators (DESIGN §4): pure functions from a department's rows to one fact. They
 * see no clock, no network and no requester; thresholds, sets, tables and edges come by name from
 * the provider's own rule set.
 */
enum lb_op {
    LB_OP_EXISTS,      /* EXISTS: a row exists */
    LB_OP_EQ,          /* EQ: the citizen's claim matches (one value, or a set of them) */
    LB_OP_CMP,         /* CMP(<|<=|>|>=, threshold) */
    LB_OP_IN,          /* IN(set): the code, or any row's code, is in the set */
    LB_OP_BUCKET,      /* BUCKET(edges): number of the right-open interval, -1 below the first */
    LB_OP_COUNT,       /* COUNT(cap): rows, at most cap */
    LB_OP_SUM,         /* SUM(months): total over [this month - months, this month) */
    LB_OP_AGE_GE,      /* AGE_GE(threshold): age in full years reached, on the birthday */
    LB_OP_ADDR_LEVEL,  /* ADDR_LEVEL(2|4|6|9|12): leading digits of a region code */
    LB_OP_MAP,         /* MAP(table): coarse code; one not in the table is unknown */
    LB_NUM_OPS
};

struct lb_op_call {
    enum lb_op op;
    size_t num_args;
    const char *args[LB_MAX_OPERATOR_ARGS];
};

/* lb_op_parse reads the text form, "EXISTS" or "CMP(<=,area.mean)": no blanks, numbers without
 * leading zeros, so that a call has one spelling. COUNT takes 1 to LB_MAX_ROWS_PER_READ, SUM 0 to
 * 120 months. OPERATOR_UNKNOWN for a name, an argument count or an argument we do not know. Strings
 * go into the arena; NO_MEMORY. */
LB_MUST lb_status lb_op_parse(struct lb_span text, struct lb_arena *arena,
                              struct lb_op_call *out_call);
/* lb_op_build does the same from a wire operator and its arguments. */
LB_MUST lb_status lb_op_build(const char *name, const char *const *args, size_t num_args,
                              struct lb_arena *arena, struct lb_op_call *out_call);
/* lb_op_format writes the text form; NULL past the arena's cap. */
const char *lb_op_format(const struct lb_op_call *call, struct lb_arena *arena);
/* lb_op_name returns the wire name. */
const char *lb_op_name(enum lb_op op);

/* lb_op_at_least_as_strict says whether a's output is a function of b's, arguments included and
 * UNKNOWN preserved, for any rows of one field (DESIGN §4). True for equal calls; EXISTS and
 * COUNT(c) from COUNT(d), c <= d; COUNT(1) from EXISTS; CMP from its complement; BUCKET from one
 * with all its edges; CMP < and >= from a BUCKET with an edge at the threshold. All else is
 * incomparable: false, ADDR_LEVEL of another level included, since a short code has the coarse
 * level and not the fine. */
bool lb_op_at_least_as_strict(const struct lb_op_call *a, const struct lb_op_call *b,
                              const struct lb_rules *rules);

/* How an operator sees its field. */
enum lb_field_type {
    LB_FIELD_TEXT,
    LB_FIELD_NAME,    /* a person's name: normalised before EQ */
    LB_FIELD_ID,      /* a GB 11643 number */
    LB_FIELD_CODE,
    LB_FIELD_REGION,  /* digits of a region code */
    LB_FIELD_DATE,    /* YYYY-MM-DD */
    LB_FIELD_INT,
    LB_FIELD_CENTS,
    LB_FIELD_ROW,     /* no column: the row itself, for EXISTS and COUNT */
};

struct lb_op_input {
    const struct lb_rows *rows;
    size_t column;        /* ignored for LB_FIELD_ROW */
    size_t month_column;  /* for SUM; SIZE_MAX when the view has none */
    enum lb_field_type type;
    bool many;            /* the view may have several rows per subject */
    bool complete;        /* the register is complete: no row means none, not unknown */
    const struct lb_rules *rules;
    const struct lb_span *claim;
    size_t num_claim;
    const char *today;    /* YYYY-MM-DD */
};

/*
 * lb_op_apply computes the fact. It never fails for data:
 *   no row          NOT_FOUND; in a complete register EXISTS and IN are FALSE, COUNT and SUM 0
 *   several rows    of a one-row view: AMBIGUOUS, except for EXISTS and COUNT
 *   unreadable cell (NULL, another kind, or text without its type's form): UNKNOWN
 * IN over several rows is TRUE when any code is in the set, else UNKNOWN when one is unreadable.
 * SUM takes the rows of [this month - months, this month) by the month column; any unreadable
 * month, or amount in the window, or a total past 64 bits, is UNKNOWN; no row in the window is as
 * no row. Without a month column all rows count, and the argument is 0. EQ compares the set of the
 * rows' values with the set claimed, doubles not counting, names and identity numbers normalised,
 * all else byte by byte, in time that does not depend on what matches. No claim or an unreadable
 * one is UNKNOWN. AGE_GE: the birthday counts; born on 29 February, 1 March counts in common years;
 * a birth after today is unreadable. ADDR_LEVEL(n) needs a code of n or more digits, and nothing
 * but digits. MAP never passes a code through. Statuses: NO_MEMORY; OPERATOR_UNKNOWN when an
 * argument names no entry of the rule set, the operator does not fit the field's type or rows, or
 * SUM's window does not go with its month column (callers have checked that before); TOO_LARGE past
 * LB_MAX_CLAIM_VALUES claims; INTERNAL when the input contradicts itself (today is no date, a
 * column is not in the rows).
 */
LB_MUST lb_status lb_op_apply(const struct lb_op_call *call, const struct lb_op_input *input,
                              struct lb_arena *arena, struct lb_fact *out_fact);

/*
 * lb_op_check says whether the call fits a field of this type and its names exist in the rule set;
 * OPERATOR_UNKNOWN otherwise, `what` telling why.
 *   EXISTS COUNT   row
 *   EQ             text name id code region date (no number: promise 10)
 *   IN MAP         code region
 *   CMP BUCKET SUM int cents; CMP compares cents with cents only
 *   AGE_GE         date, with a threshold in years
 *   ADDR_LEVEL     region
 * On a view of several rows: EXISTS, COUNT, EQ, IN and SUM.
 */
LB_MUST lb_status lb_op_check(const struct lb_op_call *call, enum lb_field_type type, bool many,
                              const struct lb_rules *rules);

#endif
