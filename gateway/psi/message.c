#include "gateway/psi/message.h"

#include "gateway/base/buf.h"
#include "gateway/base/utf8.h"
#include "gateway/crypto/hash.h"

#define MAGIC "lianban psi "
#define VERSION '1'
#define SIGNED_LABEL "lianban psi file v1"

/* --- the file --- */

static void put_head(const struct lb_psi_file *file, struct lb_buf *buf)
{
    lb_buf_put_str(buf, MAGIC);
    lb_buf_put_u8(buf, VERSION);
    lb_buf_put_u8(buf, (uint8_t)file->kind);
    lb_buf_put_field16(buf, lb_span_str(file->sender));
    lb_buf_put_field16(buf, lb_span_str(file->recipient));
    lb_buf_put(buf, lb_span_of(file->agreement, sizeof(file->agreement)));
    lb_buf_put(buf, lb_span_of(file->run, sizeof(file->run)));
    lb_buf_put_field16(buf, lb_span_str(file->key_id));
}

static lb_status give(const struct lb_buf *buf, struct lb_arena *arena, struct lb_span *out)
{
    LB_TRY(lb_buf_check(buf));
    return lb_arena_copy(arena, lb_buf_span(buf), out);
}

lb_status lb_psi_file_message(const struct lb_psi_file *file, struct lb_arena *arena,
                              struct lb_span *out)
{
    LB_DEFER(lb_buf_cleanup) struct lb_buf buf;
    uint8_t sealed[LB_SHA256_BYTES];
    lb_buf_init(&buf, LB_PSI_MAX_FILE_BYTES);
    lb_sha256(file->sealed, sealed);
    lb_buf_put_str(&buf, SIGNED_LABEL);
    put_head(file, &buf);
    lb_buf_put(&buf, lb_span_of(sealed, sizeof(sealed)));
    return give(&buf, arena, out);
}

lb_status lb_psi_file_write(const struct lb_psi_file *file, struct lb_arena *arena,
                            struct lb_span *out)
{
    LB_DEFER(lb_buf_cleanup) struct lb_buf buf;
    lb_buf_init(&buf, LB_PSI_MAX_FILE_BYTES);
    put_head(file, &buf);
    lb_buf_put_field32(&buf, file->sealed);
    lb_buf_put(&buf, lb_span_of(file->signature, sizeof(file->signature)));
    return give(&buf, arena, out);
}

static lb_status take_name(struct lb_cursor *cur, size_t max, bool may_be_empty,
                           struct lb_arena *arena, const char **out)
{
    struct lb_span bytes = lb_cursor_field16(cur);
    LB_ENSURE(!cur->failed && bytes.len <= max, LB_MALFORMED, "a name past its end");
    *out = lb_arena_str(arena, bytes);
    LB_ENSURE(*out != NULL, LB_MALFORMED, "no name");
    LB_ENSURE(lb_utf8_line(*out, max) || (may_be_empty && bytes.len == 0), LB_MALFORMED,
              "no name");
    return LB_OK;
}

static lb_status take_start(struct lb_cursor *cur, struct lb_psi_file *file)
{
    struct lb_span magic = lb_cursor_bytes(cur, sizeof(MAGIC) - 1);
    uint8_t version = lb_cursor_u8(cur);
    uint8_t kind = lb_cursor_u8(cur);
    LB_ENSURE(!cur->failed && lb_span_is(magic, MAGIC), LB_MALFORMED, "no file of a run");
    LB_ENSURE(version == VERSION, LB_VERSION_UNSUPPORTED, "a file of another version");
    LB_ENSURE(kind == LB_PSI_OFFER || kind == LB_PSI_ANSWER, LB_MALFORMED, "no such kind");
    file->kind = (enum lb_psi_kind)kind;
    return LB_OK;
}

lb_status lb_psi_file_read(struct lb_span bytes, struct lb_arena *arena, struct lb_psi_file *out)
{
    struct lb_cursor cur = lb_cursor_of(bytes);
    struct lb_psi_file file;
    LB_ENSURE(bytes.len <= LB_PSI_MAX_FILE_BYTES, LB_TOO_LARGE, "file of a run");
    LB_TRY(take_start(&cur, &file));
    LB_TRY(take_name(&cur, LB_MAX_SPIFFE_BYTES, false, arena, &file.sender));
    LB_TRY(take_name(&cur, LB_MAX_SPIFFE_BYTES, false, arena, &file.recipient));
    lb_cursor_copy(&cur, file.agreement, sizeof(file.agreement));
    lb_cursor_copy(&cur, file.run, sizeof(file.run));
    LB_TRY(take_name(&cur, LB_MAX_NAME_BYTES, file.kind == LB_PSI_ANSWER, arena, &file.key_id));
    file.sealed = lb_cursor_field32(&cur);
    lb_cursor_copy(&cur, file.signature, sizeof(file.signature));
    LB_TRY(lb_cursor_end(&cur));
    *out = file;
    return LB_OK;
}

/* --- what is sealed --- */

static void put_evidence(const struct lb_psi_evidence *evidence, struct lb_buf *buf)
{
    lb_buf_put(buf, lb_span_of(evidence->salt, sizeof(evidence->salt)));
    lb_buf_put_field16(buf, evidence->query);
    lb_buf_put_field32(buf, evidence->log);
    lb_buf_put_field32(buf, evidence->entry);
}

static void take_evidence(struct lb_cursor *cur, struct lb_psi_evidence *evidence)
{
    lb_cursor_copy(cur, evidence->salt, sizeof(evidence->salt));
    evidence->query = lb_cursor_field16(cur);
    evidence->log = lb_cursor_field32(cur);
    evidence->entry = lb_cursor_field32(cur);
    if (evidence->query.len > LB_PSI_MAX_QUERY_BYTES ||
        evidence->log.len > LB_PSI_MAX_PROOF_BYTES || evidence->entry.len > LB_PSI_MAX_PROOF_BYTES)
        cur->failed = true;
}

static struct lb_span take_items(struct lb_cursor *cur, size_t size, size_t *out_num)
{
    size_t num = lb_cursor_u32(cur);
    bool fits = num > 0 && num <= LB_PSI_MAX_ELEMENTS && lb_psi_padded(num) == num;
    if (!fits)
        cur->failed = true;
    *out_num = cur->failed ? 0 : num;
    return cur->failed ? LB_SPAN_EMPTY : lb_cursor_bytes(cur, num * size);
}

static void put_items(struct lb_buf *buf, const void *items, size_t num, size_t size)
{
    lb_buf_put_u32(buf, (uint32_t)num);
    lb_buf_put(buf, lb_span_of(items, num * size));
}

static lb_status ascending(const uint8_t (*points)[LB_P256_POINT_BYTES], size_t num)
{
    for (size_t i = 1; i < num; i++)
        LB_ENSURE(memcmp(points[i - 1], points[i], sizeof(points[i])) < 0, LB_MALFORMED,
                  "points out of order, or one twice");
    return LB_OK;
}

lb_status lb_psi_offer_write(const struct lb_psi_offer *offer, struct lb_arena *arena,
                             struct lb_span *out)
{
    LB_DEFER(lb_buf_cleanup) struct lb_buf buf;
    lb_buf_init(&buf, LB_PSI_MAX_FILE_BYTES);
    lb_buf_put(&buf, lb_span_of(offer->list, sizeof(offer->list)));
    lb_buf_put(&buf, lb_span_of(offer->prehash, sizeof(offer->prehash)));
    lb_buf_put(&buf, lb_span_of(offer->reply_key, sizeof(offer->reply_key)));
    put_evidence(&offer->evidence, &buf);
    put_items(&buf, offer->points, offer->num, sizeof(*offer->points));
    return give(&buf, arena, out);
}

lb_status lb_psi_offer_read(struct lb_span bytes, struct lb_psi_offer *out)
{
    struct lb_cursor cur = lb_cursor_of(bytes);
    struct lb_psi_offer offer;
    lb_cursor_copy(&cur, offer.list, sizeof(offer.list));
    lb_cursor_copy(&cur, offer.prehash, sizeof(offer.prehash));
    lb_cursor_copy(&cur, offer.reply_key, sizeof(offer.reply_key));
    take_evidence(&cur, &offer.evidence);
    struct lb_span points = take_items(&cur, sizeof(*offer.points), &offer.num);
    LB_TRY(lb_cursor_end(&cur));
    offer.points = (const uint8_t(*)[LB_P256_POINT_BYTES])points.ptr;
    LB_TRY(ascending(offer.points, offer.num));
    *out = offer;
    return LB_OK;
}

lb_status lb_psi_answer_write(const struct lb_psi_answer *answer, struct lb_arena *arena,
                              struct lb_span *out)
{
    LB_DEFER(lb_buf_cleanup) struct lb_buf buf;
    lb_buf_init(&buf, LB_PSI_MAX_FILE_BYTES);
    lb_buf_put(&buf, lb_span_of(answer->list, sizeof(answer->list)));
    lb_buf_put(&buf, lb_span_of(answer->offer, sizeof(answer->offer)));
    put_evidence(&answer->evidence, &buf);
    put_items(&buf, answer->tags, answer->num_tags, sizeof(*answer->tags));
    put_items(&buf, answer->points, answer->num, sizeof(*answer->points));
    return give(&buf, arena, out);
}

lb_status lb_psi_answer_read(struct lb_span bytes, struct lb_psi_answer *out)
{
    struct lb_cursor cur = lb_cursor_of(bytes);
    struct lb_psi_answer answer;
    lb_cursor_copy(&cur, answer.list, sizeof(answer.list));
    lb_cursor_copy(&cur, answer.offer, sizeof(answer.offer));
    take_evidence(&cur, &answer.evidence);
    struct lb_span tags = take_items(&cur, sizeof(*answer.tags), &answer.num_tags);
    struct lb_span points = take_items(&cur, sizeof(*answer.points), &answer.num);
    LB_TRY(lb_cursor_end(&cur));
    answer.tags = (const uint8_t(*)[LB_PSI_TAG_BYTES])tags.ptr;
    answer.points = (const uint8_t(*)[LB_P256_POINT_BYTES])points.ptr;
    LB_TRY(ascending(answer.points, answer.num));
    *out = answer;
    return LB_OK;
}

void lb_psi_offer_hash(const uint8_t run[LB_PSI_RUN_BYTES], const struct lb_psi_offer *offer,
                       uint8_t out[32])
{
    const struct lb_span parts[] = {
        lb_span_str("lianban psi offer v1"),
        lb_span_of(run, LB_PSI_RUN_BYTES),
        lb_span_of(offer->list, sizeof(offer->list)),
        lb_span_of(offer->prehash, sizeof(offer->prehash)),
        lb_span_of(offer->reply_key, sizeof(offer->reply_key)),
        lb_span_of(offer->points, offer->num * sizeof(*offer->points)),
    };
    lb_sha256_parts(parts, sizeof(parts) / sizeof(parts[0]), out);
}
