#include "gateway/base/later.h"
#include "gateway/http/http.h"

struct canonical {
    const char *name;
    unsigned http;
};

/* By the canonical code's number. */
static const struct canonical canonicals[] = {
    [LB_CANON_OK] = {"INTERNAL", 500}, /* no failure has it */
    [LB_CANON_CANCELLED] = {"CANCELLED", 499},
    [LB_CANON_UNKNOWN] = {"UNKNOWN", 500},
    [LB_CANON_INVALID_ARGUMENT] = {"INVALID_ARGUMENT", 400},
    [LB_CANON_DEADLINE_EXCEEDED] = {"DEADLINE_EXCEEDED", 504},
    [LB_CANON_NOT_FOUND] = {"NOT_FOUND", 404},
    [LB_CANON_ALREADY_EXISTS] = {"ALREADY_EXISTS", 409},
    [LB_CANON_PERMISSION_DENIED] = {"PERMISSION_DENIED", 403},
    [LB_CANON_RESOURCE_EXHAUSTED] = {"RESOURCE_EXHAUSTED", 429},
    [LB_CANON_FAILED_PRECONDITION] = {"FAILED_PRECONDITION", 409},
    [LB_CANON_ABORTED] = {"ABORTED", 409},
    [LB_CANON_OUT_OF_RANGE] = {"OUT_OF_RANGE", 400},
    [LB_CANON_UNIMPLEMENTED] = {"UNIMPLEMENTED", 404},
    [LB_CANON_INTERNAL] = {"INTERNAL", 500},
    [LB_CANON_UNAVAILABLE] = {"UNAVAILABLE", 503},
    [LB_CANON_DATA_LOSS] = {"DATA_LOSS", 500},
    [LB_CANON_UNAUTHENTICATED] = {"UNAUTHENTICATED", 401},
};

static const struct canonical *canonical_of(lb_status status)
{
    return &canonicals[lb_code_canonical(lb_code_outer(lb_status_code(status)))];
}

unsigned lb_http_status_of(lb_status status)
{
    return canonical_of(status)->http;
}

/* Names and sentences are ours and have nothing that JSON would escape. */
void lb_http_put_error(lb_status status, struct lb_buf *out)
{
    enum lb_code code = lb_code_outer(lb_status_code(status));
    lb_buf_printf(out, "{\"code\":\"%s\",\"canonical\":\"%s\",", lb_code_name(code),
                  canonical_of(status)->name);
    if (lb_later_ms(status) > 0)
        lb_buf_printf(out, "\"retry_after_ms\":%lld,", (long long)lb_later_ms(status));
    lb_buf_printf(out, "\"text_zh\":\"%s\",\"text_en\":\"%s\"}", lb_code_text_zh(code),
                  lb_code_text_en(code));
}
