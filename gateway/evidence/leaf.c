#include "gateway/evidence/leaf.h"

#include "gateway/base/utf8.h"

#define LEAF_VERSION 1

static const char *const TYPE_NAMES[] = {
    [LB_LEAF_READ] = "READ",
    [LB_LEAF_ROUTE] = "ROUTE",
    [LB_LEAF_DELIVER] = "DELIVER",
    [LB_LEAF_FAILURE] = "FAILURE",
    [LB_LEAF_DENY] = "DENY",
    [LB_LEAF_ADMIN] = "ADMIN",
    [LB_LEAF_POLICY] = "POLICY",
    [LB_LEAF_CONSENT] = "CONSENT",
    [LB_LEAF_CANARY] = "CANARY",
    [LB_LEAF_ERASURE] = "ERASURE",
    [LB_LEAF_SHARD] = "SHARD",
    [LB_LEAF_RECOVERY] = "RECOVERY",
    [LB_LEAF_REVIEW] = "REVIEW",
    [LB_LEAF_PARCEL] = "PARCEL",
};

const char *lb_leaf_type_name(enum lb_leaf_type type)
{
    bool known = (int)type >= LB_LEAF_READ && type < LB_LEAF_TYPE_END;
    return known ? TYPE_NAMES[type] : "UNKNOWN";
}

/* Texts are UTF-8 without control characters, so that a listing can print them as they are. */
static bool text_ok(struct lb_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < 0x20 || text.ptr[i] == 0x7F)
            return false;
    }
    return lb_utf8_valid(text);
}

static lb_status check_text(const char *text, size_t capacity, struct lb_span *out)
{
    size_t len = strnlen(text, capacity);
    LB_ENSURE(len < capacity, LB_MALFORMED, "leaf text is too long");
    *out = lb_span_of(text, len);
    LB_ENSURE(text_ok(*out), LB_MALFORMED, "leaf text has odd characters");
    return LB_OK;
}

lb_status lb_leaf_encode(const struct lb_leaf *leaf, struct lb_buf *out)
{
    struct lb_span code;
    struct lb_span views;
    LB_ENSURE((int)leaf->type >= LB_LEAF_READ && leaf->type < LB_LEAF_TYPE_END, LB_MALFORMED,
              "unknown leaf type");
    LB_ENSURE(leaf->time_ms >= 0, LB_MALFORMED, "leaf time is before 1970");
    LB_ENSURE(leaf->count > 0, LB_MALFORMED, "leaf counts nothing");
    LB_TRY(check_text(leaf->code, sizeof(leaf->code), &code));
    LB_TRY(check_text(leaf->views, sizeof(leaf->views), &views));
    lb_buf_put_u8(out, LEAF_VERSION);
    lb_buf_put_u8(out, (uint8_t)leaf->type);
    lb_buf_put_u64(out, (uint64_t)leaf->time_ms);
    lb_buf_put(out, lb_span_of(leaf->txn, sizeof(leaf->txn)));
    lb_buf_put_field16(out, code);
    lb_buf_put_field16(out, views);
    lb_buf_put(out, lb_span_of(leaf->policy_hash, sizeof(leaf->policy_hash)));
    lb_buf_put(out, lb_span_of(leaf->fields_hash, sizeof(leaf->fields_hash)));
    lb_buf_put(out, lb_span_of(leaf->detail_hash, sizeof(leaf->detail_hash)));
    lb_buf_put(out, lb_span_of(leaf->request_hash, sizeof(leaf->request_hash)));
    lb_buf_put(out, lb_span_of(leaf->answer_hash, sizeof(leaf->answer_hash)));
    lb_buf_put(out, lb_span_of(leaf->peer_leaf, sizeof(leaf->peer_leaf)));
    lb_buf_put_u32(out, leaf->count);
    lb_buf_put_u8(out, leaf->retry ? 1 : 0);
    return lb_buf_check(out);
}

static lb_status read_text(struct lb_cursor *cur, char *out, size_t capacity)
{
    struct lb_span text = lb_cursor_field16(cur);
    LB_ENSURE(!cur->failed, LB_MALFORMED, "leaf is cut short");
    LB_ENSURE(text.len < capacity, LB_MALFORMED, "leaf text is too long");
    LB_ENSURE(text_ok(text), LB_MALFORMED, "leaf text has odd characters");
    if (text.len > 0)
        memcpy(out, text.ptr, text.len);
    out[text.len] = 0;
    return LB_OK;
}

static void read_hashes(struct lb_cursor *cur, struct lb_leaf *leaf)
{
    lb_cursor_copy(cur, leaf->policy_hash, sizeof(leaf->policy_hash));
    lb_cursor_copy(cur, leaf->fields_hash, sizeof(leaf->fields_hash));
    lb_cursor_copy(cur, leaf->detail_hash, sizeof(leaf->detail_hash));
    lb_cursor_copy(cur, leaf->request_hash, sizeof(leaf->request_hash));
    lb_cursor_copy(cur, leaf->answer_hash, sizeof(leaf->answer_hash));
    lb_cursor_copy(cur, leaf->peer_leaf, sizeof(leaf->peer_leaf));
}

lb_status lb_leaf_decode(struct lb_span bytes, struct lb_leaf *out_leaf)
{
    LB_ENSURE(bytes.len <= LB_MAX_LEAF_BYTES, LB_MALFORMED, "leaf is larger than allowed");
    struct lb_cursor cur = lb_cursor_of(bytes);
    struct lb_leaf leaf = {0};
    uint8_t version = lb_cursor_u8(&cur);
    LB_ENSURE(!cur.failed && version != 0, LB_MALFORMED, "leaf has no version");
    LB_ENSURE(version == LEAF_VERSION, LB_VERSION_UNSUPPORTED, "leaf of a newer version");
    uint8_t type = lb_cursor_u8(&cur);
    LB_ENSURE(type >= LB_LEAF_READ && type < LB_LEAF_TYPE_END, LB_MALFORMED, "unknown leaf type");
    leaf.type = (enum lb_leaf_type)type;
    uint64_t time_ms = lb_cursor_u64(&cur);
    LB_ENSURE(time_ms <= INT64_MAX, LB_MALFORMED, "leaf time is out of range");
    leaf.time_ms = (int64_t)time_ms;
    lb_cursor_copy(&cur, leaf.txn, sizeof(leaf.txn));
    LB_TRY(read_text(&cur, leaf.code, sizeof(leaf.code)));
    LB_TRY(read_text(&cur, leaf.views, sizeof(leaf.views)));
    read_hashes(&cur, &leaf);
    leaf.count = lb_cursor_u32(&cur);
    uint8_t retry = lb_cursor_u8(&cur);
    LB_TRY(lb_cursor_end(&cur));
    LB_ENSURE(leaf.count > 0, LB_MALFORMED, "leaf counts nothing");
    LB_ENSURE(retry <= 1, LB_MALFORMED, "leaf retry is neither 0 nor 1");
    leaf.retry = retry == 1;
    *out_leaf = leaf;
    return LB_OK;
}
