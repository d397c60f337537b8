#include "policy/engine/operator.h"

#include "gateway/base/buf.h"
#include "policy/engine/words.h"

#define MAX_SUM_MONTHS 120
#define MAX_CALL_BYTES (LB_MAX_NAME_BYTES * (LB_MAX_OPERATOR_ARGS + 1))

enum arg_kind {
    ARG_NONE,
    ARG_COMPARISON,
    ARG_THRESHOLD,
    ARG_SET,
    ARG_TABLE,
    ARG_EDGES,
    ARG_CAP,
    ARG_MONTHS,
    ARG_LEVEL,
};

#define MAX_ARGS 2
#define TYPE(type_) (1U << (type_))
#define TEXTS                                                                                      \
    (TYPE(LB_FIELD_TEXT) | TYPE(LB_FIELD_NAME) | TYPE(LB_FIELD_ID) | TYPE(LB_FIELD_CODE) |         \
     TYPE(LB_FIELD_REGION) | TYPE(LB_FIELD_DATE))
#define CODES (TYPE(LB_FIELD_CODE) | TYPE(LB_FIELD_REGION))
#define NUMBERS (TYPE(LB_FIELD_INT) | TYPE(LB_FIELD_CENTS))

struct op_row {
    const char *name;
    enum arg_kind args[MAX_ARGS];
    unsigned types;  /* field types it fits, one bit each */
    bool many;       /* does it fit a view with several rows per subject? */
};

/* EQ fits no number: a claim is the asker's, and numbers may only be compared with thresholds of
 * the provider's (promise 10). */
static const struct op_row ops[LB_NUM_OPS] = {
    [LB_OP_EXISTS] = {"EXISTS", {ARG_NONE, ARG_NONE}, TYPE(LB_FIELD_ROW), true},
    [LB_OP_EQ] = {"EQ", {ARG_NONE, ARG_NONE}, TEXTS, true},
    [LB_OP_CMP] = {"CMP", {ARG_COMPARISON, ARG_THRESHOLD}, NUMBERS, false},
    [LB_OP_IN] = {"IN", {ARG_SET, ARG_NONE}, CODES, true},
    [LB_OP_BUCKET] = {"BUCKET", {ARG_EDGES, ARG_NONE}, NUMBERS, false},
    [LB_OP_COUNT] = {"COUNT", {ARG_CAP, ARG_NONE}, TYPE(LB_FIELD_ROW), true},
    [LB_OP_SUM] = {"SUM", {ARG_MONTHS, ARG_NONE}, NUMBERS, true},
    [LB_OP_AGE_GE] = {"AGE_GE", {ARG_THRESHOLD, ARG_NONE}, TYPE(LB_FIELD_DATE), false},
    [LB_OP_ADDR_LEVEL] = {"ADDR_LEVEL", {ARG_LEVEL, ARG_NONE}, TYPE(LB_FIELD_REGION), false},
    [LB_OP_MAP] = {"MAP", {ARG_TABLE, ARG_NONE}, CODES, false},
};

static const char *const comparisons[] = {"<", "<=", ">", ">="};
static const char *const levels[] = {"2", "4", "6", "9", "12"};

static bool is_one_of(struct lb_span text, const char *const *words, size_t num)
{
    for (size_t i = 0; i < num; i++)
        if (lb_span_is(text, words[i]))
            return true;
    return false;
}

static size_t num_args_of(const struct op_row *row)
{
    size_t num = 0;
    while (num < MAX_ARGS && row->args[num] != ARG_NONE)
        num++;
    return num;
}

static bool arg_is_well_formed(enum arg_kind kind, struct lb_span arg)
{
    int64_t number = 0;
    switch (kind) {
    case ARG_COMPARISON:
        return is_one_of(arg, comparisons, sizeof(comparisons) / sizeof(comparisons[0]));
    case ARG_LEVEL:
        return is_one_of(arg, levels, sizeof(levels) / sizeof(levels[0]));
    case ARG_CAP:
        return lb_word_count(arg, LB_MAX_ROWS_PER_READ, &number) && number > 0;
    case ARG_MONTHS:
        return lb_word_count(arg, MAX_SUM_MONTHS, &number);
    case ARG_THRESHOLD:
    case ARG_SET:
    case ARG_TABLE:
    case ARG_EDGES:
        return lb_word_is(arg, LB_WORD_NAME);
    case ARG_NONE:
    default:
        return false;
    }
}

static lb_status build(struct lb_span name, const struct lb_span *args, size_t num_args,
                       struct lb_arena *arena, struct lb_op_call *out_call)
{
    size_t op = 0;
    while (op < LB_NUM_OPS && !lb_span_is(name, ops[op].name))
        op++;
    LB_ENSURE(op < LB_NUM_OPS, LB_OPERATOR_UNKNOWN, "no operator of this name");
    LB_ENSURE(num_args == num_args_of(&ops[op]), LB_OPERATOR_UNKNOWN,
              "operator with another number of arguments");
    struct lb_op_call call = {.op = (enum lb_op)op, .num_args = num_args};
    for (size_t i = 0; i < num_args; i++) {
        LB_ENSURE(arg_is_well_formed(ops[op].args[i], args[i]), LB_OPERATOR_UNKNOWN,
                  "operator with an argument it can't have");
        call.args[i] = lb_arena_str(arena, args[i]);
        LB_ENSURE(call.args[i] != NULL, LB_NO_MEMORY, "arena full");
    }
    *out_call = call;
    return LB_OK;
}

/* Splits "a,b" at its commas. */
static lb_status split_args(struct lb_span list, struct lb_span args[MAX_ARGS], size_t *out_num)
{
    size_t num = 0;
    size_t start = 0;
    for (size_t i = 0; i <= list.len; i++) {
        if (i < list.len && list.ptr[i] != ',')
            continue;
        LB_ENSURE(num < MAX_ARGS, LB_OPERATOR_UNKNOWN, "operator with too many arguments");
        args[num++] = lb_span_of(list.ptr + start, i - start);
        start = i + 1;
    }
    *out_num = num;
    return LB_OK;
}

lb_status lb_op_parse(struct lb_span text, struct lb_arena *arena, struct lb_op_call *out_call)
{
    LB_ENSURE(text.len > 0 && text.len <= MAX_CALL_BYTES, LB_OPERATOR_UNKNOWN,
              "operator text of an impossible length");
    const uint8_t *open = memchr(text.ptr, '(', text.len);
    if (open == NULL)
        return build(text, NULL, 0, arena, out_call);
    LB_ENSURE(text.ptr[text.len - 1] == ')', LB_OPERATOR_UNKNOWN, "operator without its end");
    size_t head = (size_t)(open - text.ptr);
    struct lb_span args[MAX_ARGS];
    size_t num_args = 0;
    LB_TRY(split_args(lb_span_of(open + 1, text.len - head - 2), args, &num_args));
    return build(lb_span_of(text.ptr, head), args, num_args, arena, out_call);
}

lb_status lb_op_build(const char *name, const char *const *args, size_t num_args,
                      struct lb_arena *arena, struct lb_op_call *out_call)
{
    LB_ENSURE(num_args <= MAX_ARGS, LB_OPERATOR_UNKNOWN, "operator with too many arguments");
    struct lb_span spans[MAX_ARGS];
    for (size_t i = 0; i < num_args; i++)
        spans[i] = lb_span_str(args[i]);
    return build(lb_span_str(name), spans, num_args, arena, out_call);
}

const char *lb_op_format(const struct lb_op_call *call, struct lb_arena *arena)
{
    struct lb_buf LB_DEFER(lb_buf_cleanup) text;
    lb_buf_init(&text, MAX_CALL_BYTES);
    lb_buf_put_str(&text, lb_op_name(call->op));
    for (size_t i = 0; i < call->num_args; i++) {
        lb_buf_put_str(&text, i == 0 ? "(" : ",");
        lb_buf_put_str(&text, call->args[i]);
    }
    if (call->num_args > 0)
        lb_buf_put_str(&text, ")");
    return text.failed ? NULL : lb_arena_str(arena, lb_buf_span(&text));
}

const char *lb_op_name(enum lb_op op)
{
    return (unsigned)op < LB_NUM_OPS ? ops[op].name : "";
}

/* Cents meet cents, years meet ages, and every other unit an integer. */
static bool unit_fits(const struct lb_threshold *threshold, enum lb_field_type type)
{
    if (type == LB_FIELD_DATE)
        return strcmp(threshold->unit, "years") == 0;
    return (type == LB_FIELD_CENTS) == (strcmp(threshold->unit, "cents") == 0);
}

static bool arg_is_known(enum arg_kind kind, const char *arg, enum lb_field_type type,
                         const struct lb_rules *rules)
{
    const struct lb_threshold *threshold = NULL;
    size_t num = 0;
    switch (kind) {
    case ARG_THRESHOLD:
        threshold = lb_rules_threshold(rules, arg);
        return threshold != NULL && unit_fits(threshold, type);
    case ARG_SET:
        return lb_rules_has_set(rules, arg);
    case ARG_TABLE:
        return lb_rules_has_table(rules, arg);
    case ARG_EDGES:
        return lb_rules_edges(rules, arg, &num) != NULL;
    case ARG_NONE:
    case ARG_COMPARISON:
    case ARG_CAP:
    case ARG_MONTHS:
    case ARG_LEVEL:
    default:
        return true;
    }
}

lb_status lb_op_check(const struct lb_op_call *call, enum lb_field_type type, bool many,
                      const struct lb_rules *rules)
{
    LB_ENSURE((unsigned)call->op < LB_NUM_OPS, LB_OPERATOR_UNKNOWN, "no operator of this number");
    const struct op_row *row = &ops[call->op];
    LB_ENSURE(call->num_args == num_args_of(row), LB_OPERATOR_UNKNOWN,
              "operator with another number of arguments");
    LB_ENSURE((row->types & TYPE(type)) != 0, LB_OPERATOR_UNKNOWN,
              "operator that does not fit the field's type");
    LB_ENSURE(row->many || !many, LB_OPERATOR_UNKNOWN,
              "operator that does not fit a view of several rows");
    for (size_t i = 0; i < call->num_args; i++) {
        LB_ENSURE(arg_is_well_formed(row->args[i], lb_span_str(call->args[i])),
                  LB_OPERATOR_UNKNOWN, "operator with an argument it can't have");
        LB_ENSURE(arg_is_known(row->args[i], call->args[i], type, rules), LB_OPERATOR_UNKNOWN,
                  "the rule set has no such entry, or its unit does not fit");
    }
    return LB_OK;
}
