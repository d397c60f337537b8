#include "gateway/evidence/tlog.h"

#include <stdio.h>

#define MAX_LEVEL 63U
#define GROUPS 7 /* of three digits, in the largest number */

/* The number in groups of three digits, all but the last one marked. */
static void format_number(uint64_t n, char out[5 * GROUPS])
{
    unsigned groups[GROUPS] = {0};
    size_t num = 0;
    size_t len = 0;
    do {
        groups[num++] = (unsigned)(n % 1000);
        n /= 1000;
    } while (n > 0);
    for (; num > 1; num--)
        len += (size_t)snprintf(out + len, 5 * GROUPS - len, "x%03u/", groups[num - 1]);
    (void)snprintf(out + len, 5 * GROUPS - len, "%03u", groups[0]);
}

static lb_status format_path(const char *folder, uint64_t n, unsigned width,
                             struct lb_tlog_path *out)
{
    char number[5 * GROUPS];
    LB_ENSURE(width >= 1 && width <= LB_TLOG_WIDTH, LB_MALFORMED, "no tile has this width");
    format_number(n, number);
    if (width == LB_TLOG_WIDTH)
        (void)snprintf(out->text, sizeof(out->text), "tile/%s/%s", folder, number);
    else
        (void)snprintf(out->text, sizeof(out->text), "tile/%s/%s.p/%u", folder, number, width);
    return LB_OK;
}

lb_status lb_tlog_tile_path(unsigned level, uint64_t n, unsigned width, struct lb_tlog_path *out)
{
    char folder[8];
    LB_ENSURE(level <= MAX_LEVEL, LB_MALFORMED, "no tile has this level");
    (void)snprintf(folder, sizeof(folder), "%u", level);
    return format_path(folder, n, width, out);
}

lb_status lb_tlog_bundle_path(uint64_t n, unsigned width, struct lb_tlog_path *out)
{
    return format_path("entries", n, width, out);
}

unsigned lb_tlog_width(uint64_t size, unsigned level, uint64_t n)
{
    uint64_t hashes = level >= 8 ? 0 : size >> (8 * level);
    uint64_t full = hashes / LB_TLOG_WIDTH;
    if (n < full)
        return LB_TLOG_WIDTH;
    return n == full ? (unsigned)(hashes % LB_TLOG_WIDTH) : 0;
}

lb_status lb_tlog_bundle_hashes(struct lb_span bundle, unsigned width, struct lb_hash *out_hashes)
{
    struct lb_cursor cursor = lb_cursor_of(bundle);
    for (unsigned i = 0; i < width && !cursor.failed; i++)
        lb_merkle_leaf(lb_cursor_field16(&cursor), &out_hashes[i]);
    return lb_cursor_end(&cursor);
}

lb_status lb_tlog_bundle_entry(struct lb_span bundle, unsigned pos, struct lb_span *out_entry)
{
    struct lb_cursor cursor = lb_cursor_of(bundle);
    struct lb_span entry = LB_SPAN_EMPTY;
    for (unsigned i = 0; i <= pos && !cursor.failed; i++)
        entry = lb_cursor_field16(&cursor);
    LB_ENSURE(!cursor.failed, LB_MALFORMED, "the bundle has no such entry");
    *out_entry = entry;
    return LB_OK;
}
