#include "gateway/evidence/add_checkpoint.h"

#include "gateway/base/buf.h"
#include "gateway/crypto/b64.h"

#define LINE_ARENA_BYTES 512
#define HASH_LINE_BYTES 44
#define OLD "old "

static bool take_line(struct lb_span *rest, struct lb_span *out_line)
{
    const uint8_t *lf = rest->len == 0 ? NULL : memchr(rest->ptr, '\n', rest->len);
    if (lf == NULL)
        return false;
    size_t len = (size_t)(lf - rest->ptr);
    *out_line = lb_span_of(rest->ptr, len);
    *rest = lb_span_of(lf + 1, rest->len - len - 1);
    return true;
}

static lb_status parse_hash(struct lb_span line, struct lb_arena *arena, struct lb_hash *out)
{
    struct lb_span bytes;
    LB_ENSURE(line.len == HASH_LINE_BYTES, LB_MALFORMED, "length of a proof line");
    lb_arena_reset(arena);
    LB_TRY(lb_b64_decode(arena, line, &bytes));
    LB_ENSURE(bytes.len == LB_HASH_BYTES, LB_MALFORMED, "a proof hash is not 32 bytes");
    memcpy(out->bytes, bytes.ptr, LB_HASH_BYTES);
    return LB_OK;
}

static lb_status parse_old(struct lb_span *rest, uint64_t *out_size)
{
    const size_t len = sizeof(OLD) - 1;
    struct lb_span line;
    bool named = take_line(rest, &line) && line.len > len && memcmp(line.ptr, OLD, len) == 0;
    LB_ENSURE(named, LB_MALFORMED, "no old size");
    return lb_checkpoint_parse_size(lb_span_of(line.ptr + len, line.len - len), out_size);
}

static lb_status parse_proof(struct lb_span *rest, struct lb_add_checkpoint *out)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LINE_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "proof lines");
    struct lb_span line;
    out->num_proof = 0;
    while (true) {
        LB_ENSURE(take_line(rest, &line), LB_MALFORMED, "no empty line behind the proof");
        if (line.len == 0)
            return LB_OK;
        LB_ENSURE(out->num_proof < LB_ADD_CHECKPOINT_MAX_PROOF, LB_MALFORMED,
                  "proof has too many hashes");
        LB_TRY(parse_hash(line, arena, &out->proof[out->num_proof]));
        out->num_proof++;
    }
}

lb_status lb_add_checkpoint_parse(struct lb_span body, struct lb_add_checkpoint *out)
{
    struct lb_add_checkpoint request = {.old_size = 0};
    struct lb_span rest = body;
    LB_ENSURE(body.len <= LB_ADD_CHECKPOINT_MAX_BYTES, LB_MALFORMED, "body is too long");
    LB_TRY(parse_old(&rest, &request.old_size));
    LB_TRY(parse_proof(&rest, &request));
    request.note = rest;
    LB_ENSURE(take_line(&rest, &request.origin) && request.origin.len > 0, LB_MALFORMED,
              "no checkpoint");
    *out = request;
    return LB_OK;
}

lb_status lb_add_checkpoint_write(uint64_t old_size, const struct lb_hash *proof,
                                  size_t num_proof, struct lb_span note, struct lb_arena *arena,
                                  struct lb_span *out_body)
{
    LB_ENSURE(num_proof <= LB_ADD_CHECKPOINT_MAX_PROOF, LB_MALFORMED, "proof has too many hashes");
    LB_DEFER(lb_buf_cleanup) struct lb_buf body;
    lb_buf_init(&body, LB_ADD_CHECKPOINT_MAX_BYTES);
    lb_buf_printf(&body, OLD "%llu\n", (unsigned long long)old_size);
    for (size_t i = 0; i < num_proof; i++) {
        const char *line =
            lb_b64_encode(arena, lb_span_of(proof[i].bytes, sizeof(proof[i].bytes)));
        LB_ENSURE(line != NULL, LB_NO_MEMORY, "arena is full");
        lb_buf_printf(&body, "%s\n", line);
    }
    lb_buf_put_str(&body, "\n");
    lb_buf_put(&body, note);
    LB_TRY(lb_buf_check(&body));
    return lb_arena_copy(arena, lb_buf_span(&body), out_body);
}

static bool same_root(const struct lb_hash *a, const struct lb_hash *b)
{
    return memcmp(a->bytes, b->bytes, LB_HASH_BYTES) == 0;
}

/* One history: what was cosigned is the beginning of what is shown now. */
static bool extends(const struct lb_add_checkpoint *request, const struct lb_checkpoint *next,
                    uint64_t latest_size, const struct lb_hash *latest_root)
{
    struct lb_hash empty;
    lb_merkle_empty(&empty);
    if (next->size == 0 && !same_root(&next->root, &empty))
        return false;
    if (latest_size == 0)
        return request->num_proof == 0;
    return lb_merkle_verify_consistency(latest_size, latest_root, next->size, &next->root,
                                        request->proof, request->num_proof) == LB_OK;
}

enum lb_witness_answer lb_add_checkpoint_judge(const struct lb_add_checkpoint *request,
                                               const struct lb_checkpoint *next,
                                               uint64_t latest_size,
                                               const struct lb_hash *latest_root)
{
    if (request->old_size > next->size)
        return LB_WITNESS_BAD_REQUEST;
    if (request->old_size != latest_size)
        return LB_WITNESS_CONFLICT;
    return extends(request, next, latest_size, latest_root) ? LB_WITNESS_COSIGNED
                                                             : LB_WITNESS_INCONSISTENT;
}
