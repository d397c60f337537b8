#include "gateway/evidence/proof.h"

#include "gateway/base/buf.h"
#include "gateway/crypto/b64.h"

#define HEAD "c2sp.org/tlog-proof@v1"
#define EXTRA "extra "
#define INDEX "index "
#define HASH_CHARS 44
#define MAX_DIGITS 19  /* of INT64_MAX */

/* --- writing --- */

static lb_status put_b64(struct lb_buf *out, struct lb_arena *arena, struct lb_span bytes)
{
    const char *text = lb_b64_encode(arena, bytes);
    LB_ENSURE(text != NULL, LB_NO_MEMORY, "arena is full");
    lb_buf_put_str(out, text);
    lb_buf_put_u8(out, '\n');
    return LB_OK;
}

lb_status lb_tlog_proof_format(const struct lb_tlog_proof *proof, struct lb_arena *arena,
                               struct lb_span *out_text)
{
    LB_DEFER(lb_buf_cleanup) struct lb_buf text;
    lb_buf_init(&text, LB_TLOG_PROOF_MAX_BYTES);
    lb_buf_put_str(&text, HEAD "\n");
    if (proof->has_extra) {
        lb_buf_put_str(&text, EXTRA);
        LB_TRY(put_b64(&text, arena, proof->extra));
    }
    lb_buf_printf(&text, INDEX "%llu\n", (unsigned long long)proof->index);
    for (size_t i = 0; i < proof->num_path; i++)
        LB_TRY(put_b64(&text, arena, lb_span_of(proof->path[i].bytes, LB_HASH_BYTES)));
    lb_buf_put_u8(&text, '\n');
    lb_buf_put(&text, proof->checkpoint);
    LB_TRY(lb_buf_check(&text));
    return lb_arena_copy(arena, lb_buf_span(&text), out_text);
}

/* --- reading --- */

/* Cuts the first line, without its LF, off *rest. */
static lb_status take_line(struct lb_span *rest, struct lb_span *out_line)
{
    const uint8_t *lf = rest->len == 0 ? NULL : memchr(rest->ptr, '\n', rest->len);
    LB_ENSURE(lf != NULL, LB_MALFORMED, "the proof lacks a line");
    size_t len = (size_t)(lf - rest->ptr);
    *out_line = lb_span_of(rest->ptr, len);
    *rest = lb_span_of(lf + 1, rest->len - len - 1);
    return LB_OK;
}

static bool take_word(struct lb_span *line, const char *word)
{
    size_t len = strlen(word);
    if (line->len < len || memcmp(line->ptr, word, len) != 0)
        return false;
    *line = lb_span_of(line->ptr + len, line->len - len);
    return true;
}

static lb_status parse_index(struct lb_span text, uint64_t *out_index)
{
    uint64_t index = 0;
    LB_ENSURE(text.len > 0 && text.len <= MAX_DIGITS, LB_MALFORMED, "index of the proof");
    LB_ENSURE(text.len == 1 || text.ptr[0] != '0', LB_MALFORMED, "the index starts with 0");
    for (size_t i = 0; i < text.len; i++) {
        LB_ENSURE(text.ptr[i] >= '0' && text.ptr[i] <= '9', LB_MALFORMED, "index of the proof");
        index = index * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    LB_ENSURE(index <= INT64_MAX, LB_MALFORMED, "the index is too large");
    *out_index = index;
    return LB_OK;
}

static lb_status parse_hash(struct lb_span line, struct lb_arena *arena, struct lb_hash *out)
{
    struct lb_span bytes;
    LB_ENSURE(line.len == HASH_CHARS, LB_MALFORMED, "a hash of the wrong length");
    LB_TRY(lb_b64_decode(arena, line, &bytes));
    LB_ENSURE(bytes.len == LB_HASH_BYTES, LB_MALFORMED, "a hash of the wrong length");
    memcpy(out->bytes, bytes.ptr, LB_HASH_BYTES);
    return LB_OK;
}

static lb_status parse_path(struct lb_span *rest, struct lb_arena *arena,
                            struct lb_tlog_proof *proof)
{
    for (;;) {
        struct lb_span line;
        LB_TRY(take_line(rest, &line));
        if (line.len == 0)
            return LB_OK;
        LB_ENSURE(proof->num_path < LB_MAX_PROOF_HASHES, LB_MALFORMED, "too many hashes");
        LB_TRY(parse_hash(line, arena, &proof->path[proof->num_path++]));
    }
}

lb_status lb_tlog_proof_parse(struct lb_span text, struct lb_arena *arena,
                              struct lb_tlog_proof *out_proof)
{
    struct lb_tlog_proof proof = {.has_extra = false};
    struct lb_span line;
    LB_ENSURE(text.len <= LB_TLOG_PROOF_MAX_BYTES, LB_TOO_LARGE, "the proof is too long");
    LB_TRY(take_line(&text, &line));
    LB_ENSURE(lb_span_is(line, HEAD), LB_MALFORMED, "not a proof of this version");
    LB_TRY(take_line(&text, &line));
    if (take_word(&line, EXTRA)) {
        proof.has_extra = true;
        LB_TRY(lb_b64_decode(arena, line, &proof.extra));
        LB_TRY(take_line(&text, &line));
    }
    LB_ENSURE(take_word(&line, INDEX), LB_MALFORMED, "the proof has no index");
    LB_TRY(parse_index(line, &proof.index));
    LB_TRY(parse_path(&text, arena, &proof));
    LB_ENSURE(text.len > 0, LB_MALFORMED, "the proof has no checkpoint");
    proof.checkpoint = text;
    *out_proof = proof;
    return LB_OK;
}

lb_status lb_tlog_proof_origin(const struct lb_tlog_proof *proof, struct lb_arena *arena,
                               const char **out_origin)
{
    struct lb_span rest = proof->checkpoint;
    struct lb_span line;
    LB_TRY(take_line(&rest, &line));
    *out_origin = lb_arena_str(arena, line);
    LB_ENSURE(*out_origin != NULL, LB_MALFORMED, "the checkpoint has no origin");
    return LB_OK;
}

/* --- judging --- */

lb_status lb_tlog_proof_verify(const struct lb_tlog_proof *proof,
                               const struct lb_note_verifier *verifier,
                               struct lb_checkpoint *out_checkpoint, struct lb_hash *out_leaf_hash)
{
    struct lb_checkpoint checkpoint;
    struct lb_hash leaf;
    LB_TRY(lb_checkpoint_open(proof->checkpoint, verifier, &checkpoint));
    LB_ENSURE(proof->has_extra, LB_RECEIPT_INVALID, "the entry is not in the proof");
    lb_merkle_leaf(proof->extra, &leaf);
    LB_TRY(lb_merkle_verify_inclusion(&leaf, proof->index, checkpoint.size, proof->path,
                                      proof->num_path, &checkpoint.root));
    *out_checkpoint = checkpoint;
    *out_leaf_hash = leaf;
    return LB_OK;
}
