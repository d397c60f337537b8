#include "gateway/base/status.h"

#include <string.h>

struct code_row {
    const char *name;
    enum lb_canonical canonical;
    enum lb_scope scope;
    const char *en;
    const char *zh;
};

static const struct code_row rows[LB_NUM_CODES] = {
    [LB_CODE_OK] = {"OK", LB_CANON_OK, LB_SCOPE_OUTER, "Done.", "完成。"},
#define CODE_ROW(name, canonical, scope, en, zh)                                                   \
    [LB_##name] = {#name, LB_CANON_##canonical, LB_SCOPE_##scope, en, zh},
    LB_CODES(CODE_ROW)
#undef CODE_ROW
};

/* One record per code for statuses that come from elsewhere and so have no line of their own. */
static const struct lb_fault received[LB_NUM_CODES] = {
#define CODE_RECEIVED(name, canonical, scope, en, zh)                                              \
    [LB_##name] = {LB_##name, "reported by another process", "received", 0},
    LB_CODES(CODE_RECEIVED)
#undef CODE_RECEIVED
};

static const struct code_row *row_of(enum lb_code code)
{
    if ((unsigned)code >= (unsigned)LB_NUM_CODES)
        return &rows[LB_INTERNAL];
    return &rows[code];
}

void lb_status_ignore(lb_status status)
{
    (void)status;
}

enum lb_code lb_status_code(lb_status status)
{
    return status == LB_OK ? LB_CODE_OK : status->code;
}

lb_status lb_status_of(enum lb_code code)
{
    if (code == LB_CODE_OK)
        return LB_OK;
    if ((unsigned)code >= (unsigned)LB_NUM_CODES)
        return &received[LB_INTERNAL];
    return &received[code];
}

const char *lb_code_name(enum lb_code code)
{
    return row_of(code)->name;
}

bool lb_code_by_name(const char *name, size_t name_len, enum lb_code *out_code)
{
    for (unsigned i = 0; i < (unsigned)LB_NUM_CODES; i++) {
        if (strlen(rows[i].name) == name_len && memcmp(rows[i].name, name, name_len) == 0) {
            *out_code = (enum lb_code)i;
            return true;
        }
    }
    return false;
}

enum lb_canonical lb_code_canonical(enum lb_code code)
{
    return row_of(code)->canonical;
}

enum lb_scope lb_code_scope(enum lb_code code)
{
    return row_of(code)->scope;
}

enum lb_code lb_code_outer(enum lb_code code)
{
    switch (lb_code_scope(code)) {
    case LB_SCOPE_OUTER:
        return (unsigned)code < (unsigned)LB_NUM_CODES ? code : LB_INTERNAL;
    case LB_SCOPE_INNER:
        return LB_ANSWERED;
    case LB_SCOPE_LOCAL:
        break;
    }
    return code == LB_NO_MEMORY ? LB_BUSY : LB_INTERNAL;
}

const char *lb_code_text_en(enum lb_code code)
{
    return row_of(code)->en;
}

const char *lb_code_text_zh(enum lb_code code)
{
    return row_of(code)->zh;
}
