#include "gateway/base/buf.h"
#include "policy/engine/operator_private.h"

/* Calls as text and on the wire. */

#define MAX_CALL_BYTES (LB_MAX_NAME_BYTES * (LB_MAX_OPERATOR_ARGS + 1))

static lb_status build(struct lb_span name, const struct lb_span *args, size_t num_args,
                       struct lb_arena *arena, struct lb_op_call *out_call)
{
    size_t op = lb_op_named(name);
    LB_ENSURE(op < LB_NUM_OPS, LB_OPERATOR_UNKNOWN, "no operator of this name");
    const struct lb_op_row *row = lb_op_row((enum lb_op)op);
    LB_ENSURE(num_args == lb_op_num_args(row), LB_OPERATOR_UNKNOWN,
              "operator with another number of arguments");
    struct lb_op_call call = {.op = (enum lb_op)op, .num_args = num_args};
    for (size_t i = 0; i < num_args; i++) {
        LB_ENSURE(lb_op_arg_well_formed(row->args[i], args[i]), LB_OPERATOR_UNKNOWN,
                  "operator with an argument it can't have");
        call.args[i] = lb_arena_str(arena, args[i]);
        LB_ENSURE(call.args[i] != NULL, LB_NO_MEMORY, "arena full");
    }
    *out_call = call;
    return LB_OK;
}

/* Splits "a,b" at its commas. */
static lb_status split_args(struct lb_span list, struct lb_span args[LB_OP_MAX_ARGS],
                            size_t *out_num)
{
    size_t num = 0;
    size_t start = 0;
    for (size_t i = 0; i <= list.len; i++) {
        if (i < list.len && list.ptr[i] != ',')
            continue;
        LB_ENSURE(num < LB_OP_MAX_ARGS, LB_OPERATOR_UNKNOWN, "operator with too many arguments");
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
    struct lb_span args[LB_OP_MAX_ARGS];
    size_t num_args = 0;
    LB_TRY(split_args(lb_span_of(open + 1, text.len - head - 2), args, &num_args));
    return build(lb_span_of(text.ptr, head), args, num_args, arena, out_call);
}

lb_status lb_op_build(const char *name, const char *const *args, size_t num_args,
                      struct lb_arena *arena, struct lb_op_call *out_call)
{
    LB_ENSURE(num_args <= LB_OP_MAX_ARGS, LB_OPERATOR_UNKNOWN, "operator with too many arguments");
    struct lb_span spans[LB_OP_MAX_ARGS];
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
