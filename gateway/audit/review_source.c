#include "gateway/audit/review_source.h"

/* Nobody by that number: every field was looked for and none was found. */
static lb_status all_not_found(struct lb_audit_scan *scan, bool *out_missed)
{
    const struct lb_audit_field *fields = NULL;
    size_t num = 0;
    LB_TRY(lb_audit_scan_fields(scan, &fields, &num));
    *out_missed = num > 0;
    for (size_t i = 0; i < num; i++)
        *out_missed = *out_missed && strcmp(fields[i].state, "not_found") == 0;
    return LB_OK;
}

static lb_status next_row(void *ctx, const struct lb_audit_row **out_row, bool *out_missed)
{
    struct lb_review_rows *rows = ctx;
    *out_missed = false;
    LB_TRY(lb_audit_scan_next(rows->scan, out_row));
    if (*out_row == NULL || (*out_row)->type != LB_LEAF_READ ||
        (*out_row)->detail != LB_AUDIT_DETAIL_OPEN)
        return LB_OK;
    return all_not_found(rows->scan, out_missed);
}

lb_status lb_review_rows_open(struct lb_audit_index *index, uint64_t from, int64_t since_ms,
                              struct lb_review_rows *out_rows,
                              struct lb_review_source *out_source)
{
    const struct lb_audit_filter filter = {.from_index = from, .since_ms = since_ms};
    LB_TRY(lb_audit_index_state(index, &out_rows->state));
    LB_TRY(lb_audit_scan_open(index, &filter, &out_rows->scan));
    *out_source = (struct lb_review_source){
        .ctx = out_rows, .origin = out_rows->state.origin, .next = next_row};
    return LB_OK;
}

void lb_review_rows_close(struct lb_review_rows *rows)
{
    lb_audit_scan_close(rows->scan);
    rows->scan = NULL;
}
