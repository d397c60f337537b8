#ifndef POLICY_ENGINE_OPERATOR_FIXTURE_H
#define POLICY_ENGINE_OPERATOR_FIXTURE_H

#include "policy/engine/operator.h"

/* A small rule set, and rows written shortly, for the tests of operators. Setup fails the test. */
struct fixture {
    struct lb_arena *arena;
    struct lb_rules *rules;
    struct lb_cell cells[4096 * 2];
    struct lb_op_secrets secrets;
    struct lb_rows rows;
    struct lb_op_input input;
};

#define TODAY "2026-07-15"
#define NOW_S 1784073600 /* that day, midnight UTC */

int fixture_setup(void **state);
int fixture_teardown(void **state);

#define CELL_NULL ((struct lb_cell){.kind = LB_CELL_NULL})
#define CELL_INT(number_) ((struct lb_cell){.kind = LB_CELL_INT, .number = (number_)})
#define CELL_TEXT(text_) ((struct lb_cell){.kind = LB_CELL_TEXT, .text = lb_span_str(text_)})

/* fixture_rows empties the rows of a view of one column (or two, the second being the month). */
void fixture_rows(struct fixture *fixture, enum lb_field_type type, bool many, bool months);
void fixture_add(struct fixture *fixture, struct lb_cell cell);
void fixture_add_month(struct fixture *fixture, const char *month, struct lb_cell cell);
/* fixture_add_ratio makes the only row of a one-row view in cents whose second column is the
 * denominator. */
void fixture_add_ratio(struct fixture *fixture, struct lb_cell cell, struct lb_cell denominator);
/* fixture_cell makes one cell the only row of a one-row view of the type. */
void fixture_cell(struct fixture *fixture, enum lb_field_type type, struct lb_cell cell);

/* fixture_apply applies an operator in text form and returns the status' code. */
enum lb_code fixture_apply(struct fixture *fixture, const char *call, struct lb_fact *out);

/* These apply and compare the fact whole. */
void expect_truth(struct fixture *fixture, const char *call, bool truth);
void expect_number(struct fixture *fixture, const char *call, int64_t number);
void expect_text(struct fixture *fixture, const char *call, const char *text);
void expect_unknown(struct fixture *fixture, const char *call);
void expect_state(struct fixture *fixture, const char *call, enum lb_fact_state fact_state);
void expect_refused(struct fixture *fixture, const char *call);

/* fixture_claim applies EQ with claims. */
struct lb_fact fixture_claim(struct fixture *fixture, const char *const *claims, size_t num);

#endif
