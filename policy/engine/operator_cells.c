#include "gateway/base/utf8.h"
#include "gateway/base/wipe.h"
#include "gateway/crypto/hash.h"
#include "policy/engine/idno.h"
#include "policy/engine/operator_private.h"

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

/* Control characters, and marks that change the order in which text is read. */
static bool disturbs(uint32_t point)
{
    if (point < 0x20 || (point >= 0x7F && point <= 0x9F))
        return true;
    return (point >= 0x2028 && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);
}

static bool is_plain(struct lb_span text)
{
    size_t offset = 0;
    int32_t point;
    while ((point = lb_utf8_next(text, &offset)) >= 0)
        if (disturbs((uint32_t)point))
            return false;
    return point == -1;
}

/* Reads a text of the type: what every operator on texts sees, so that all of them find the same
 * cells unreadable. */
static bool read_text(struct lb_span text, enum lb_field_type type, struct lb_span *out)
{
    struct lb_date date;
    if (text.len > LB_MAX_VALUE_BYTES)
        return false;
    if (type == LB_FIELD_TEXT || type == LB_FIELD_NAME)
        text = lb_text_trim(text);
    if (text.len == 0 || !is_plain(text))
        return false;
    if (type == LB_FIELD_DATE && !lb_date_parse(text, &date))
        return false;
    if (type == LB_FIELD_REGION && !all_digits(text))
        return false;
    *out = text;
    return true;
}

bool lb_cell_text(const struct lb_cell *cell, enum lb_field_type type, struct lb_span *out)
{
    return cell->kind == LB_CELL_TEXT && read_text(cell->text, type, out);
}

bool lb_cell_line(const struct lb_cell *cell, size_t max, struct lb_span *out)
{
    if (cell->kind != LB_CELL_TEXT || cell->text.len == 0 || cell->text.len > max ||
        !is_plain(cell->text))
        return false;
    *out = cell->text;
    return true;
}

bool lb_cell_idno(const struct lb_cell *cell, char out[19])
{
    return cell->kind == LB_CELL_TEXT && lb_idno_canonical(cell->text, out) == LB_OK;
}

static bool digest_id(struct lb_span text, uint8_t out[32])
{
    char normal[19];
    bool readable = lb_idno_canonical(text, normal) == LB_OK;
    if (readable)
        lb_sha256(lb_span_of(normal, 18), out);
    lb_wipe(normal, sizeof(normal));
    return readable;
}

static lb_status normalise(struct lb_span text, enum lb_field_type type, struct lb_arena *arena,
                           struct lb_span *out)
{
    if (type == LB_FIELD_NAME)
        return lb_name_normalise(text, arena, out);
    if (type == LB_FIELD_TEXT)
        return lb_text_normalise(text, arena, out);
    *out = text;
    return LB_OK;
}

lb_status lb_cell_digest(struct lb_span text, enum lb_field_type type, struct lb_arena *arena,
                         bool *out_readable, uint8_t out[32])
{
    struct lb_span readable = LB_SPAN_EMPTY;
    struct lb_span normal = LB_SPAN_EMPTY;
    *out_readable = false;
    if (type == LB_FIELD_ID) {
        *out_readable = digest_id(text, out);
        return LB_OK;
    }
    if (!read_text(text, type, &readable))
        return LB_OK;
    lb_status status = normalise(readable, type, arena, &normal);
    if (lb_status_code(status) == LB_MALFORMED)
        return LB_OK;
    LB_TRY(status);
    lb_sha256(normal, out);
    *out_readable = true;
    return LB_OK;
}
