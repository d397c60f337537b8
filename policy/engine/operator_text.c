#include "gateway/base/buf.h"
#include "gateway/base/utf8.h"
#include "policy/engine/idno.h"
#include "policy/engine/operator_private.h"
#include "policy/engine/surname.h"

/* Masks and cut codes. Everything counts code points, never bytes. */

#define MIDDLE_DOT 0xB7
#define PHONE_DIGITS 11

static lb_status finish(struct lb_buf *text, const struct lb_op_run *run, struct lb_fact *out)
{
    LB_TRY(lb_buf_check(text));
    return lb_fact_set_text(lb_buf_span(text), run->arena, out);
}

static size_t count_points(struct lb_span text, bool without_dots)
{
    size_t num = 0;
    size_t offset = 0;
    int32_t point;
    while ((point = lb_utf8_next(text, &offset)) >= 0)
        num += without_dots && point == MIDDLE_DOT ? 0 : 1;
    return num;
}

/* Shows the first `left` and the last `right` of `num` code points; dots count and hide only when
 * they are not spared. */
static lb_status write_mask(const struct lb_op_run *run, struct lb_span text, size_t left,
                            size_t right, bool spare_dots, struct lb_fact *out)
{
    struct lb_buf LB_DEFER(lb_buf_cleanup) masked;
    lb_buf_init(&masked, LB_MAX_VALUE_BYTES);
    size_t num = count_points(text, spare_dots);
    size_t index = 0;
    size_t offset = 0;
    while (offset < text.len) {
        size_t start = offset;
        int32_t point = lb_utf8_next(text, &offset);
        LB_ENSURE(point >= 0, LB_INTERNAL, "a text that was readable");
        bool dot = spare_dots && point == MIDDLE_DOT;
        if (dot || index < left || index >= num - right)
            lb_buf_put(&masked, lb_span_of(text.ptr + start, offset - start));
        else
            lb_buf_put_str(&masked, "*");
        index += dot ? 0 : 1;
    }
    return finish(&masked, run, out);
}

/* A text too short for its mask keeps one code point, and a single one is hidden: a mask never
 * shows all there is. */
lb_status lb_op_apply_mask(const struct lb_op_run *run, struct lb_fact *out)
{
    struct lb_span text;
    *out = lb_fact_unknown();
    if (!lb_cell_text(lb_cell_at(run->input, 0), run->input->type, &text))
        return LB_OK;
    size_t left = (size_t)lb_op_number_arg(run->call, 0);
    size_t right = (size_t)lb_op_number_arg(run->call, 1);
    size_t num = count_points(text, false);
    if (num <= left + right) {
        right = left == 0 && num > 1 ? 1 : 0;
        left = right == 0 && num > 1 ? 1 : 0;
    }
    return write_mask(run, text, left, right, false, out);
}

/* Names with a middle dot have no surname: their first and last code points stay, and the dots. */
lb_status lb_op_apply_name_mask(const struct lb_op_run *run, struct lb_fact *out)
{
    const struct lb_cell *cell = lb_cell_at(run->input, 0);
    struct lb_span name = LB_SPAN_EMPTY;
    struct lb_span text;
    *out = lb_fact_unknown();
    if (!lb_cell_text(cell, LB_FIELD_NAME, &text))
        return LB_OK;
    lb_status status = lb_name_normalise(text, run->arena, &name);
    if (lb_status_code(status) == LB_MALFORMED)
        return LB_OK;
    LB_TRY(status);
    size_t num = count_points(name, true);
    if (num == 0)
        return LB_OK;
    bool dotted = num != count_points(name, false);
    size_t left = !dotted && num > 2 && lb_surname_is_compound(name) ? 2 : 1;
    if (num < 2)
        left = 0;
    return write_mask(run, name, left, num > left + 1 ? 1 : 0, dotted, out);
}

lb_status lb_op_apply_id_mask(const struct lb_op_run *run, struct lb_fact *out)
{
    char id[19];
    *out = lb_fact_unknown();
    if (!lb_cell_idno(lb_cell_at(run->input, 0), id))
        return LB_OK;
    return write_mask(run, lb_span_str(id), 1, 1, false, out);
}

/* Digits without the spaces, hyphens and brackets people put between them, in ASCII. */
static bool read_digits(struct lb_span text, char digits[16], size_t *out_num)
{
    size_t num = 0;
    size_t offset = 0;
    int32_t point;
    while ((point = lb_utf8_next(text, &offset)) >= 0) {
        if (point >= 0xFF01 && point <= 0xFF5E)
            point -= 0xFF01 - 0x21;
        if (point == ' ' || point == 0x3000 || point == '-' || point == '(' || point == ')' ||
            (point == '+' && num == 0))
            continue;
        if (point < '0' || point > '9' || num == 15)
            return false;
        digits[num++] = (char)point;
    }
    *out_num = num;
    return true;
}

/* A mobile number of mainland China, with or without +86; any other is not known to be one. */
static bool find_mobile(const char *digits, size_t num, const char **out)
{
    if (num == PHONE_DIGITS + 4 && memcmp(digits, "0086", 4) == 0)
        digits += 4;
    else if (num == PHONE_DIGITS + 2 && memcmp(digits, "86", 2) == 0)
        digits += 2;
    else if (num != PHONE_DIGITS)
        return false;
    *out = digits;
    return digits[0] == '1';
}

lb_status lb_op_apply_phone_mask(const struct lb_op_run *run, struct lb_fact *out)
{
    struct lb_span text;
    char digits[16];
    size_t num = 0;
    const char *mobile = NULL;
    *out = lb_fact_unknown();
    if (!lb_cell_text(lb_cell_at(run->input, 0), LB_FIELD_TEXT, &text) ||
        !read_digits(text, digits, &num) || !find_mobile(digits, num, &mobile))
        return LB_OK;
    return write_mask(run, lb_span_of(mobile, PHONE_DIGITS), 3, 4, false, out);
}

lb_status lb_op_apply_level(const struct lb_op_run *run, struct lb_fact *out)
{
    struct lb_span code;
    size_t digits = (size_t)lb_op_number_arg(run->call, 0);
    if (lb_cell_text(lb_cell_at(run->input, 0), run->input->type, &code) && code.len >= digits)
        return lb_fact_set_text(lb_span_of(code.ptr, digits), run->arena, out);
    *out = lb_fact_unknown();
    return LB_OK;
}
