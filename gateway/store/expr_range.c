#include "gateway/store/expr_range.h"

#include <string.h>

#include "gateway/store/expr_code.h"

/* Every level of an expression leaves a few values on the stack, and levels are bounded. */
#define MAX_STACK 512

__extension__ typedef __int128 wide;

struct lb_expr_range lb_expr_range_nothing(enum lb_expr_kind kind)
{
    return (struct lb_expr_range){.kind = kind, .unknown = true};
}

struct lb_expr_range lb_expr_range_all(enum lb_expr_kind kind)
{
    struct lb_expr_range all = {.kind = kind, .min = INT64_MIN, .max = INT64_MAX};
    all.no = all.yes = kind == LB_EXPR_TRUTH;
    all.known = kind != LB_EXPR_TRUTH;
    return all;
}

static struct lb_expr_range number(int64_t min, int64_t max)
{
    return (struct lb_expr_range){.kind = LB_EXPR_NUMBER, .known = true, .min = min, .max = max};
}

static struct lb_expr_range truth(bool no, bool yes, bool unknown)
{
    return (struct lb_expr_range){
        .kind = LB_EXPR_TRUTH, .no = no, .yes = yes, .unknown = unknown};
}

struct lb_expr_range lb_expr_range_of(const struct lb_expr_value *value, enum lb_expr_kind kind)
{
    if (value->kind != kind || kind == LB_EXPR_UNKNOWN)
        return lb_expr_range_nothing(kind);
    if (kind == LB_EXPR_TRUTH)
        return truth(!value->truth, value->truth, false);
    if (kind == LB_EXPR_NUMBER)
        return number(value->number, value->number);
    return (struct lb_expr_range){.kind = kind, .known = true, .text = value->text};
}

bool lb_expr_range_is_one(const struct lb_expr_range *range)
{
    if (range->kind == LB_EXPR_TRUTH)
        return range->no + range->yes + range->unknown == 1;
    if (!range->known || range->unknown)
        return !range->known;
    return range->kind == LB_EXPR_NUMBER ? range->min == range->max
                                         : range->text != NULL || range->other;
}

/* --- numbers --- */

/* What lies past 64 bits is unknown. */
static struct lb_expr_range bounded(wide min, wide max, bool unknown)
{
    struct lb_expr_range out = lb_expr_range_nothing(LB_EXPR_NUMBER);
    if (min > INT64_MAX || max < INT64_MIN)
        return out;
    out.unknown = unknown || min < INT64_MIN || max > INT64_MAX;
    out.known = true;
    out.min = min < INT64_MIN ? INT64_MIN : (int64_t)min;
    out.max = max > INT64_MAX ? INT64_MAX : (int64_t)max;
    return out;
}

/* From the least to the greatest of what two ranges come to at their ends. */
static struct lb_expr_range corners(const wide at[4], bool unknown)
{
    wide min = at[0], max = at[0];
    for (size_t i = 1; i < 4; i++) {
        min = at[i] < min ? at[i] : min;
        max = at[i] > max ? at[i] : max;
    }
    return bounded(min, max, unknown);
}

static struct lb_expr_range multiply(const struct lb_expr_range *a, const struct lb_expr_range *b)
{
    const wide at[4] = {(wide)a->min * b->min, (wide)a->min * b->max, (wide)a->max * b->min,
                        (wide)a->max * b->max};
    return corners(at, a->unknown || b->unknown);
}

static wide quotient(wide whole, wide part, bool up)
{
    wide below = whole / part - (whole < 0 && whole % part != 0 ? 1 : 0);
    return up && whole % part != 0 ? below + 1 : below;
}

/* A divisor that is not above 0 gives UNKNOWN. */
static struct lb_expr_range divide(const struct lb_expr_range *a, const struct lb_expr_range *b,
                                   bool up)
{
    if (b->max <= 0)
        return lb_expr_range_nothing(LB_EXPR_NUMBER);
    int64_t least = b->min > 0 ? b->min : 1;
    const wide at[4] = {quotient(a->min, least, up), quotient(a->min, b->max, up),
                        quotient(a->max, least, up), quotient(a->max, b->max, up)};
    return corners(at, a->unknown || b->unknown || b->min <= 0);
}

static int64_t lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t greater(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Two numbers become one; UNKNOWN as soon as one of them is. */
static struct lb_expr_range reckon(enum lb_expr_op op, const struct lb_expr_range *a,
                                   const struct lb_expr_range *b)
{
    struct lb_expr_range out = lb_expr_range_nothing(LB_EXPR_NUMBER);
    if (!a->known || !b->known)
        return out;
    switch (op) {
    case LB_EXPR_OP_MULTIPLY:
        return multiply(a, b);
    case LB_EXPR_OP_FLOOR_DIV:
    case LB_EXPR_OP_CEIL_DIV:
        return divide(a, b, op == LB_EXPR_OP_CEIL_DIV);
    case LB_EXPR_OP_MIN:
        out = number(lesser(a->min, b->min), lesser(a->max, b->max));
        break;
    case LB_EXPR_OP_MAX:
        out = number(greater(a->min, b->min), greater(a->max, b->max));
        break;
    default:
        return bounded((wide)a->min + b->min, (wide)a->max + b->max, a->unknown || b->unknown);
    }
    out.unknown = a->unknown || b->unknown;
    return out;
}

static struct lb_expr_range absolute(const struct lb_expr_range *a)
{
    bool across = a->min < 0 && a->max > 0;
    wide low = a->min < 0 ? -(wide)a->min : a->min;
    wide high = a->max < 0 ? -(wide)a->max : a->max;
    return bounded(across ? 0 : low < high ? low : high, low < high ? high : low, a->unknown);
}

/* --- truth --- */

struct lb_expr_range lb_expr_range_both(const struct lb_expr_range *a,
                                        const struct lb_expr_range *b)
{
    return truth(a->no || b->no, a->yes && b->yes,
                 (a->unknown && (b->unknown || b->yes)) || (b->unknown && a->yes));
}

static struct lb_expr_range opposite(const struct lb_expr_range *a)
{
    return truth(a->yes, a->no, a->unknown);
}

struct lb_expr_range lb_expr_range_either(const struct lb_expr_range *a,
                                          const struct lb_expr_range *b)
{
    struct lb_expr_range not_a = opposite(a);
    struct lb_expr_range not_b = opposite(b);
    struct lb_expr_range neither = lb_expr_range_both(&not_a, &not_b);
    return opposite(&neither);
}

static struct lb_expr_range at_most(const struct lb_expr_range *a, const struct lb_expr_range *b)
{
    if (!a->known || !b->known)
        return lb_expr_range_nothing(LB_EXPR_TRUTH);
    return truth(a->max > b->min, a->min <= b->max, a->unknown || b->unknown);
}

static bool is_one_known(const struct lb_expr_range *range)
{
    return range->kind == LB_EXPR_NUMBER ? range->min == range->max : range->text != NULL;
}

static bool may_be_equal(const struct lb_expr_range *a, const struct lb_expr_range *b)
{
    if (a->kind == LB_EXPR_NUMBER)
        return a->min <= b->max && b->min <= a->max;
    if (a->text != NULL && b->text != NULL)
        return strcmp(a->text, b->text) == 0;
    return !(a->other && b->text != NULL) && !(b->other && a->text != NULL);
}

static struct lb_expr_range equal(const struct lb_expr_range *a, const struct lb_expr_range *b)
{
    if (a->kind == LB_EXPR_TRUTH)
        return truth((a->no && b->yes) || (a->yes && b->no),
                     (a->no && b->no) || (a->yes && b->yes), a->unknown || b->unknown);
    if (!a->known || !b->known)
        return lb_expr_range_nothing(LB_EXPR_TRUTH);
    bool may = may_be_equal(a, b);
    return truth(!may || !is_one_known(a) || !is_one_known(b), may, a->unknown || b->unknown);
}

static struct lb_expr_range compare(enum lb_expr_op op, const struct lb_expr_range *a,
                                    const struct lb_expr_range *b)
{
    struct lb_expr_range out;
    switch (op) {
    case LB_EXPR_OP_EQUAL:
        return equal(a, b);
    case LB_EXPR_OP_UNEQUAL:
        out = equal(a, b);
        return opposite(&out);
    case LB_EXPR_OP_AT_MOST:
        return at_most(a, b);
    case LB_EXPR_OP_AT_LEAST:
        return at_most(b, a);
    case LB_EXPR_OP_LESS:
        out = at_most(b, a);
        return opposite(&out);
    default:
        out = at_most(a, b);
        return opposite(&out);
    }
}

/* --- the stack --- */

static struct lb_expr_range change(enum lb_expr_op op, const struct lb_expr_range *a)
{
    if (op == LB_EXPR_OP_NOT)
        return opposite(a);
    if (op == LB_EXPR_OP_AS_NUMBER) {
        struct lb_expr_range out = lb_expr_range_nothing(LB_EXPR_NUMBER);
        if (a->no || a->yes)
            out = number(a->no ? 0 : 1, a->yes ? 1 : 0);
        out.unknown = a->unknown;
        return out;
    }
    if (!a->known || op == LB_EXPR_OP_CEIL)
        return *a;
    return op == LB_EXPR_OP_ABS ? absolute(a) : bounded(-(wide)a->max, -(wide)a->min, a->unknown);
}

static struct lb_expr_range join(enum lb_expr_op op, const struct lb_expr_range *a,
                                 const struct lb_expr_range *b)
{
    if (op == LB_EXPR_OP_AND)
        return lb_expr_range_both(a, b);
    if (op == LB_EXPR_OP_OR)
        return lb_expr_range_either(a, b);
    return op >= LB_EXPR_OP_EQUAL && op <= LB_EXPR_OP_AT_LEAST ? compare(op, a, b)
                                                               : reckon(op, a, b);
}

static struct lb_expr_range between(const struct lb_expr_range args[3])
{
    struct lb_expr_range low = at_most(&args[1], &args[0]);
    struct lb_expr_range high = at_most(&args[0], &args[2]);
    return lb_expr_range_both(&low, &high);
}

/* Takes one step's values off the top and puts its own there; returns the new height. */
static size_t apply(const struct lb_expr_step *step, struct lb_expr_range *stack, size_t height)
{
    struct lb_expr_range *top = &stack[height - 1];
    if (step->op <= LB_EXPR_OP_AS_NUMBER) {
        *top = change(step->op, top);
        return height;
    }
    if (step->op == LB_EXPR_OP_BETWEEN) {
        top[-2] = between(top - 2);
        return height - 2;
    }
    if (step->op == LB_EXPR_OP_LISTED) {
        struct lb_expr_range found = equal(&top[-2], top);
        top[-1] = lb_expr_range_either(&top[-1], &found);
        return height - 1;
    }
    top[-1] = step->op == LB_EXPR_OP_DROP ? *top : join(step->op, &top[-1], top);
    return height - 1;
}

static struct lb_expr_range constant(const struct lb_expr_step *step)
{
    switch (step->op) {
    case LB_EXPR_OP_NUMBER:
        return number(step->number, step->number);
    case LB_EXPR_OP_TRUTH:
        return truth(step->number == 0, step->number != 0, false);
    case LB_EXPR_OP_TEXT:
        return (struct lb_expr_range){.kind = LB_EXPR_TEXT,
                                      .known = true,
                                      .text = step->too_long ? NULL : step->text,
                                      .other = step->too_long,
                                      .unknown = step->too_long};
    default:
        return lb_expr_range_nothing(LB_EXPR_TRUTH);
    }
}

/* Nothing is known of an expression that is deeper than any may be. */
static struct lb_expr_range anything(enum lb_expr_kind kind)
{
    struct lb_expr_range out = lb_expr_range_all(kind);
    out.unknown = true;
    return out;
}

struct lb_expr_range lb_expr_reach(const struct lb_expr *expr, const struct lb_expr_range *ranges)
{
    struct lb_expr_range stack[MAX_STACK];
    size_t num, height = 0;
    const struct lb_expr_step *steps = lb_expr_code_of(expr, &num);
    for (size_t i = 0; i < num; i++) {
        if (steps[i].op > LB_EXPR_OP_NAME) {
            height = apply(&steps[i], stack, height);
            continue;
        }
        if (height == MAX_STACK)
            return anything(lb_expr_kind_of(expr));
        stack[height++] = steps[i].op == LB_EXPR_OP_NAME ? ranges[steps[i].number]
                                                         : constant(&steps[i]);
    }
    return stack[0];
}

struct lb_expr_range lb_expr_range_join(const struct lb_expr_range *a,
                                        const struct lb_expr_range *b)
{
    bool unknown = a->unknown || b->unknown;
    if (a->kind == LB_EXPR_TRUTH)
        return truth(a->no || b->no, a->yes || b->yes, unknown);
    struct lb_expr_range out = a->known ? *a : *b;
    out.unknown = unknown;
    if (!a->known || !b->known)
        return out;
    out.min = lesser(a->min, b->min);
    out.max = greater(a->max, b->max);
    out.other = a->other && b->other;
    out.text = a->text != NULL && b->text != NULL && strcmp(a->text, b->text) == 0 ? a->text : NULL;
    return out;
}

const char *lb_expr_text_at(const struct lb_expr *expr, size_t index)
{
    size_t num;
    const struct lb_expr_step *steps = lb_expr_code_of(expr, &num);
    for (size_t i = 0; i < num; i++)
        if (steps[i].op == LB_EXPR_OP_TEXT && !steps[i].too_long && index-- == 0)
            return steps[i].text;
    return NULL;
}
