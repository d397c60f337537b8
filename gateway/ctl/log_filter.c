#include "gateway/ctl/log_filter.h"

#include <strings.h>

#include "gateway/base/hex.h"

#define MIN_TXN_DIGITS 4

bool lb_ctl_log_filter_type(const char *name, enum lb_leaf_type *out_type)
{
    for (int type = LB_LEAF_READ; type < LB_LEAF_TYPE_END; type++) {
        if (strcasecmp(name, lb_leaf_type_name((enum lb_leaf_type)type)) == 0) {
            *out_type = (enum lb_leaf_type)type;
            return true;
        }
    }
    return false;
}

bool lb_ctl_log_filter_txn(const char *digits, struct lb_ctl_log_filter *filter)
{
    size_t len = strlen(digits);
    if (len < MIN_TXN_DIGITS || len >= sizeof(filter->txn))
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = digits[i];
        if (c >= 'A' && c <= 'F')
            c = (char)(c - 'A' + 'a');
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
        filter->txn[i] = c;
    }
    filter->txn[len] = 0;
    return true;
}

bool lb_ctl_log_filter_match(const struct lb_ctl_log_filter *filter, const struct lb_leaf *leaf)
{
    char txn[sizeof(filter->txn)];
    if (filter->code != NULL && strcmp(filter->code, leaf->code) != 0)
        return false;
    if (filter->type != 0 && filter->type != leaf->type)
        return false;
    if (leaf->time_ms < filter->since_ms)
        return false;
    lb_hex_encode(lb_span_of(leaf->txn, sizeof(leaf->txn)), txn);
    return strncmp(txn, filter->txn, strlen(filter->txn)) == 0;
}
