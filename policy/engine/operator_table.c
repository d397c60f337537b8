#include "policy/engine/operator_private.h"

/* One row per operator. An operator that is not here does not exist. */

#define TYPE LB_OP_TYPE
#define TEXTS                                                                                      \
    (TYPE(LB_FIELD_TEXT) | TYPE(LB_FIELD_NAME) | TYPE(LB_FIELD_ID) | TYPE(LB_FIELD_CODE) |         \
     TYPE(LB_FIELD_REGION) | TYPE(LB_FIELD_DATE))
#define CODES (TYPE(LB_FIELD_CODE) | TYPE(LB_FIELD_REGION))
#define NUMBERS (TYPE(LB_FIELD_INT) | TYPE(LB_FIELD_CENTS))
#define ROW TYPE(LB_FIELD_ROW)
#define DATE TYPE(LB_FIELD_DATE)

#define ONE false
#define MANY true
#define TRUTH LB_FACT_TRUTH
#define NUMBER LB_FACT_NUMBER
#define TEXT LB_FACT_TEXT
#define NOTHING LB_FACT_UNKNOWN

/* OMIT's constant stands in for a fact that is never sent. */
static lb_status apply_omit(const struct lb_op_run *run, struct lb_fact *out)
{
    (void)run;
    *out = lb_fact_of_state(LB_FACT_DENIED);
    return LB_OK;
}

/* EQ fits no number: a claim is the asker's, and numbers may only be compared with thresholds of
 * the provider's (promise 10). */
static const struct lb_op_row rows[LB_NUM_OPS] = {
    [LB_OP_OMIT] = {"OMIT", {0}, TEXTS | NUMBERS | ROW, MANY, NOTHING, NOTHING, apply_omit},
    [LB_OP_PASS] = {"PASS", {0}, TEXTS | NUMBERS, ONE, NOTHING, NOTHING, lb_op_apply_pass},
    [LB_OP_EXISTS] = {"EXISTS", {0}, ROW, MANY, TRUTH, TRUTH, lb_op_apply_exists},
    [LB_OP_EQ] = {"EQ", {0}, TEXTS, MANY, TRUTH, NOTHING, lb_op_apply_eq},
    [LB_OP_CMP] = {"CMP", {LB_ARG_COMPARISON, LB_ARG_THRESHOLD}, NUMBERS, ONE, TRUTH, NOTHING,
                   lb_op_apply_step},
    [LB_OP_IN] = {"IN", {LB_ARG_SET}, CODES, MANY, TRUTH, TRUTH, lb_op_apply_in},
    [LB_OP_BUCKET] = {"BUCKET", {LB_ARG_EDGES}, NUMBERS, ONE, NUMBER, NOTHING, lb_op_apply_step},
    [LB_OP_ROUND] = {"ROUND", {LB_ARG_UNIT, LB_ARG_ROUNDING}, NUMBERS, ONE, NUMBER, NOTHING,
                     lb_op_apply_step},
    [LB_OP_TOPCODE] = {"TOPCODE", {LB_ARG_THRESHOLD}, NUMBERS, ONE, NUMBER, NOTHING,
                       lb_op_apply_step},
    [LB_OP_BOTTOMCODE] = {"BOTTOMCODE", {LB_ARG_THRESHOLD}, NUMBERS, ONE, NUMBER, NOTHING,
                          lb_op_apply_step},
    [LB_OP_COUNT] = {"COUNT", {LB_ARG_CAP}, ROW, MANY, NUMBER, NUMBER, lb_op_apply_count},
    [LB_OP_SUM] = {"SUM", {LB_ARG_MONTHS_OR_0}, NUMBERS, MANY, NUMBER, NUMBER, lb_op_apply_sum},
    [LB_OP_AVG_M] = {"AVG_M", {LB_ARG_MONTHS}, NUMBERS, MANY, NUMBER, NUMBER, lb_op_apply_average},
    [LB_OP_RATIO_CMP] = {"RATIO_CMP", {LB_ARG_COMPARISON, LB_ARG_RATIO}, NUMBERS, ONE, TRUTH,
                         NOTHING, lb_op_apply_ratio},
    [LB_OP_TREND] = {"TREND", {LB_ARG_MONTHS, LB_ARG_RATIO}, NUMBERS, MANY, TRUTH, NOTHING,
                     lb_op_apply_trend},
    [LB_OP_DATE_TRUNC] = {"DATE_TRUNC", {LB_ARG_PART}, DATE, ONE, TEXT, NOTHING,
                          lb_op_apply_trunc},
    [LB_OP_AGE_AT] = {"AGE_AT", {LB_ARG_DAY}, DATE, ONE, NUMBER, NOTHING, lb_op_apply_age_at},
    [LB_OP_AGE_GE] = {"AGE_GE", {LB_ARG_THRESHOLD}, DATE, ONE, TRUTH, NOTHING, lb_op_apply_age_ge},
    [LB_OP_MASK] = {"MASK", {LB_ARG_KEEP, LB_ARG_KEEP}, TYPE(LB_FIELD_TEXT) | TYPE(LB_FIELD_CODE),
                    ONE, TEXT, NOTHING, lb_op_apply_mask},
    [LB_OP_NAME_MASK] = {"NAME_MASK", {0}, TYPE(LB_FIELD_NAME), ONE, TEXT, NOTHING,
                         lb_op_apply_name_mask},
    [LB_OP_ID_MASK] = {"ID_MASK", {0}, TYPE(LB_FIELD_ID), ONE, TEXT, NOTHING, lb_op_apply_id_mask},
    [LB_OP_PHONE_MASK] = {"PHONE_MASK", {0}, TYPE(LB_FIELD_TEXT), ONE, TEXT, NOTHING,
                          lb_op_apply_phone_mask},
    [LB_OP_ADDR_LEVEL] = {"ADDR_LEVEL", {LB_ARG_LEVEL}, TYPE(LB_FIELD_REGION), ONE, TEXT, NOTHING,
                          lb_op_apply_level},
    [LB_OP_MAP] = {"MAP", {LB_ARG_TABLE}, CODES, ONE, TEXT, NOTHING, lb_op_apply_map},
    [LB_OP_PSEUDO] = {"PSEUDO", {0}, TYPE(LB_FIELD_ID), ONE, TEXT, NOTHING, lb_op_apply_pseudo},
    [LB_OP_TOKEN] = {"TOKEN", {LB_ARG_DAYS},
                     TYPE(LB_FIELD_TEXT) | TYPE(LB_FIELD_CODE) | TYPE(LB_FIELD_ID), ONE, TEXT,
                     NOTHING, lb_op_apply_token},
    [LB_OP_SHARE] = {"SHARE", {LB_ARG_MONTHS_OR_0}, NUMBERS, MANY, NUMBER, NUMBER,
                     lb_op_apply_share},
    [LB_OP_LIST] = {"LIST", {0}, TYPE(LB_FIELD_TEXT), MANY, TEXT, NOTHING, lb_op_apply_list},
};

const struct lb_op_row *lb_op_row(enum lb_op op)
{
    return (unsigned)op < LB_NUM_OPS ? &rows[op] : NULL;
}

size_t lb_op_named(struct lb_span name)
{
    size_t op = 0;
    while (op < LB_NUM_OPS && !lb_span_is(name, rows[op].name))
        op++;
    return op;
}

size_t lb_op_num_args(const struct lb_op_row *row)
{
    size_t num = 0;
    while (num < LB_OP_MAX_ARGS && row->args[num] != LB_ARG_NONE)
        num++;
    return num;
}

const char *lb_op_name(enum lb_op op)
{
    const struct lb_op_row *row = lb_op_row(op);
    return row == NULL ? "" : row->name;
}

enum lb_fact_kind lb_op_result(enum lb_op op)
{
    const struct lb_op_row *row = lb_op_row(op);
    return row == NULL ? LB_FACT_UNKNOWN : row->result;
}

size_t lb_op_max_text(enum lb_op op)
{
    return op == LB_OP_LIST ? LB_MAX_LIST_BYTES : LB_MAX_VALUE_BYTES;
}
