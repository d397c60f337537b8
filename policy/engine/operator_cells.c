#include "policy/engine/operator_cells.h"

#include "gateway/base/wipe.h"
#include "gateway/crypto/hash.h"
#include "policy/engine/date.h"
#include "policy/engine/idno.h"

const struct lb_cell *lb_cell_at(const struct lb_op_input *input, size_t row)
{
    return &input->rows->cells[row * input->rows->num_columns + input->column];
}

bool lb_cell_number(const struct lb_cell *cell, int64_t *out)
{
    if (cell->kind != LB_CELL_INT)
        return false;
    *out = cell->number;
    return true;
}

static bool all_digits(struct lb_span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return true;
}

static bool has_form(struct lb_span text, enum lb_field_type type)
{
    struct lb_date date;
    if (text.len == 0 || text.len > LB_MAX_VALUE_BYTES)
        return false;
    if (type == LB_FIELD_DATE)
        return lb_date_parse(text, &date);
    if (type == LB_FIELD_REGION)
        return all_digits(text);
    return true;
}

bool lb_cell_text(const struct lb_cell *cell, enum lb_field_type type, struct lb_span *out)
{
    if (cell->kind != LB_CELL_TEXT || !has_form(cell->text, type))
        return false;
    *out = cell->text;
    return true;
}

static lb_status digest_name(struct lb_span text, struct lb_arena *arena, bool *out_readable,
                             uint8_t out[32])
{
    struct lb_span normal;
    lb_status status = lb_name_normalise(text, arena, &normal);
    if (lb_status_code(status) == LB_NO_MEMORY)
        return status;
    *out_readable = status == LB_OK;
    if (status == LB_OK)
        lb_sha256(normal, out);
    return LB_OK;
}

static void digest_id(struct lb_span text, bool *out_readable, uint8_t out[32])
{
    char normal[19];
    *out_readable = lb_idno_normalise(text, normal) == LB_OK;
    if (*out_readable)
        lb_sha256(lb_span_of(normal, 18), out);
    lb_wipe(normal, sizeof(normal));
}

lb_status lb_cell_digest(struct lb_span text, enum lb_field_type type, struct lb_arena *arena,
                         bool *out_readable, uint8_t out[32])
{
    if (type == LB_FIELD_NAME)
        return digest_name(text, arena, out_readable, out);
    if (type == LB_FIELD_ID) {
        digest_id(text, out_readable, out);
        return LB_OK;
    }
    *out_readable = has_form(text, type);
    if (*out_readable)
        lb_sha256(text, out);
    return LB_OK;
}
