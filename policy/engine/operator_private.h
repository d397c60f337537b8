#ifndef POLICY_ENGINE_OPERATOR_PRIVATE_H
#define POLICY_ENGINE_OPERATOR_PRIVATE_H

#include "policy/engine/date.h"
#include "policy/engine/operator.h"

/*
 * What the sources of the operators share. operator_table.c has one row per operator; what it does
 * is in operator_rows.c (whole rows, sets, values), operator_claim.c (EQ), operator_numbers.c (one
 * number), operator_months.c (totals by month), operator_dates.c, operator_text.c (masks and codes)
 * and operator_sealed.c (PSEUDO and TOKEN). operator_strict.c compares operators.
 */

/* Room for any total of LB_MAX_ROWS_PER_READ amounts, so that the order of rows can't matter. */
__extension__ typedef __int128 lb_wide;

#define LB_OP_MAX_MONTHS 120
#define LB_OP_MAX_ARGS 2

enum lb_op_arg {
    LB_ARG_NONE,
    LB_ARG_COMPARISON,  /* < <= > >= */
    LB_ARG_THRESHOLD,   /* a threshold whose unit fits the field */
    LB_ARG_RATIO,       /* a threshold in bp */
    LB_ARG_SET,
    LB_ARG_TABLE,
    LB_ARG_EDGES,
    LB_ARG_CAP,         /* 1 to LB_MAX_ROWS_PER_READ */
    LB_ARG_MONTHS,      /* 1 to LB_OP_MAX_MONTHS */
    LB_ARG_MONTHS_OR_0,
    LB_ARG_LEVEL,       /* digits of a region code */
    LB_ARG_UNIT,        /* 2 to LB_RULES_MAX_VALUE */
    LB_ARG_ROUNDING,    /* floor half_even */
    LB_ARG_PART,        /* Y M */
    LB_ARG_DAY,         /* today, or YYYY-MM-DD */
    LB_ARG_KEEP,        /* 0 to 32 code points */
    LB_ARG_DAYS,        /* 1 to 366 */
};

/* One application of an operator: the call has been checked against the input. */
struct lb_op_run {
    const struct lb_op_call *call;
    const struct lb_op_input *input;
    struct lb_date today;
    struct lb_arena *arena;
};

/* Computes a fact from at least one row, and from exactly one unless the operator is for many. */
typedef lb_status lb_op_apply_fn(const struct lb_op_run *run, struct lb_fact *out);

#define LB_OP_TYPE(type_) (1U << (type_))

struct lb_op_row {
    const char *name;
    enum lb_op_arg args[LB_OP_MAX_ARGS];
    unsigned types;            /* field types it fits, one bit each */
    bool many;                 /* it fits a view with several rows per subject */
    enum lb_fact_kind result;  /* of a known fact; UNKNOWN when that is the field's */
    enum lb_fact_kind empty;   /* what no row of a complete register gives: FALSE, 0, NOT_FOUND */
    lb_op_apply_fn *apply;
};

/* lb_op_row returns the operator's row; NULL for a number that is no operator's. */
const struct lb_op_row *lb_op_row(enum lb_op op);
/* lb_op_named finds an operator by its wire name; LB_NUM_OPS when there is none. */
size_t lb_op_named(struct lb_span name);
/* lb_op_num_args counts the arguments an operator takes. */
size_t lb_op_num_args(const struct lb_op_row *row);
/* lb_op_arg_well_formed says whether a text can be such an argument. */
bool lb_op_arg_well_formed(enum lb_op_arg kind, struct lb_span arg);
/* lb_op_number_arg reads an argument that is a number; its form has been checked. */
int64_t lb_op_number_arg(const struct lb_op_call *call, size_t index);

/* Facts. */
struct lb_fact lb_fact_of_state(enum lb_fact_state state);
struct lb_fact lb_fact_unknown(void);
struct lb_fact lb_fact_truth(bool truth);
struct lb_fact lb_fact_number(int64_t number);
/* lb_fact_set_text copies the text into the arena; NO_MEMORY. */
LB_MUST lb_status lb_fact_set_text(struct lb_span text, struct lb_arena *arena,
                                   struct lb_fact *out);
/* lb_fact_no_row is what no row means: nothing known, unless the register is complete and the
 * operator has a zero. A claim is never refuted by a record that is not there. */
struct lb_fact lb_fact_no_row(enum lb_op op, bool complete);

/* Reading cells by the type of their field. An unreadable cell makes a fact unknown, never false or
 * zero. */

/* lb_cell_at borrows the cell of the input's column in a row. */
const struct lb_cell *lb_cell_at(const struct lb_op_input *input, size_t row);
/* lb_cell_number reads an integer cell. */
bool lb_cell_number(const struct lb_cell *cell, int64_t *out);
/* lb_cell_text reads a text cell of the type, as it stands but for white space around texts and
 * names. Codes stay text: a database that made an integer of "01" has lost what the code was. */
bool lb_cell_text(const struct lb_cell *cell, enum lb_field_type type, struct lb_span *out);
/* lb_cell_line borrows a text cell that is one readable line of at most max bytes. */
bool lb_cell_line(const struct lb_cell *cell, size_t max, struct lb_span *out);
/* lb_cell_idno reads an identity number in its form of 18 characters. */
bool lb_cell_idno(const struct lb_cell *cell, char out[19]);
/* lb_cell_digest hashes a text in its type's canonical form (texts, names and identity numbers
 * normalised), so that texts of any length compare in constant time. *out_readable is false when
 * the text does not have the type's form. NO_MEMORY. */
LB_MUST lb_status lb_cell_digest(struct lb_span text, enum lb_field_type type,
                                 struct lb_arena *arena, bool *out_readable, uint8_t out[32]);

/* lb_op_compares says whether left and right stand in the relation that the sign names. */
bool lb_op_compares(const char *sign, lb_wide left, lb_wide right);
/* lb_op_step is what CMP, BUCKET, ROUND, TOPCODE and BOTTOMCODE make of a number, CMP a 0 or 1.
 * Each only rises, or only falls, with the number. False for another operator or an unknown
 * name. */
bool lb_op_step(const struct lb_op_call *call, const struct lb_rules *rules, int64_t number,
                int64_t *out);

/* What the operators do. */
LB_MUST lb_status lb_op_apply_pass(const struct lb_op_run *run, struct lb_fact *out);
LB_MUST lb_status lb_op_apply_exists(const struct lb_op_run *run, struct lb_fact *out);
LB_MUST lb_status lb_op_apply_count(const struct lb_op_run *run, struct lb_fact *out);
LB_MUST lb_status lb_op_apply_list(const struct lb_op_run *run, struct lb_fact *out);
LB_MUST lb_status lb_op_apply_in(const struct lb_op_run *run, struct lb_fact *out);
LB_MUST lb_status lb_op_apply_map(const struct lb_op_run *run, struct lb_fact *out);
LB_MUST lb_status lb_op_apply_eq(const struct lb_op_run *run, struct lb_fact *out);
LB_MUST lb_status lb_op_apply_step(const struct lb_op_run *run, struct lb_fact *out);
LB_MUST lb_status lb_op_apply_ratio(const struct lb_op_run *run, struct lb_fact *out);
LB_MUST lb_status lb_op_apply_sum(const struct lb_op_run *run, struct lb_fact *out);
LB_MUST lb_status lb_op_apply_share(const struct lb_op_run *run, struct lb_fact *out);
LB_MUST lb_status lb_op_apply_average(const struct lb_op_run *run, struct lb_fact *out);
LB_MUST lb_status lb_op_apply_trend(const struct lb_op_run *run, struct lb_fact *out);
LB_MUST lb_status lb_op_apply_trunc(const struct lb_op_run *run, struct lb_fact *out);
LB_MUST lb_status lb_op_apply_age_at(const struct lb_op_run *run, struct lb_fact *out);
LB_MUST lb_status lb_op_apply_age_ge(const struct lb_op_run *run, struct lb_fact *out);
LB_MUST lb_status lb_op_apply_mask(const struct lb_op_run *run, struct lb_fact *out);
LB_MUST lb_status lb_op_apply_name_mask(const struct lb_op_run *run, struct lb_fact *out);
LB_MUST lb_status lb_op_apply_id_mask(const struct lb_op_run *run, struct lb_fact *out);
LB_MUST lb_status lb_op_apply_phone_mask(const struct lb_op_run *run, struct lb_fact *out);
LB_MUST lb_status lb_op_apply_level(const struct lb_op_run *run, struct lb_fact *out);
LB_MUST lb_status lb_op_apply_pseudo(const struct lb_op_run *run, struct lb_fact *out);
LB_MUST lb_status lb_op_apply_token(const struct lb_op_run *run, struct lb_fact *out);

#endif
