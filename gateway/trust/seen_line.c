#include <inttypes.h>

#include "gateway/crypto/b64.h"
#include "gateway/note/note.h"
#include "gateway/trust/recovery.h"
#include "gateway/trust/words.h"

/* What a member saw of another's log, in one line. */

#define STATEMENT_HEAD "lianban seen log v1"

static lb_status statement(const struct lb_seen_line *line, struct lb_arena *arena,
                           const char **out)
{
    const char *root = lb_b64_encode(arena, lb_span_of(line->root, sizeof(line->root)));
    const char *proof = lb_b64_encode(arena, lb_span_of(line->proof, sizeof(line->proof)));
    LB_ENSURE(root != NULL && proof != NULL, LB_NO_MEMORY, "arena is full");
    *out = lb_arena_printf(arena, "seen %s %" PRId64 " %s %" PRIu64 " %s %s", line->member,
                           line->unix_s, line->lost_key, line->size, root, proof);
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status signed_text(const struct lb_seen_line *line, struct lb_arena *arena,
                             struct lb_span *out)
{
    const char *text = NULL;
    LB_TRY(statement(line, arena, &text));
    text = lb_arena_printf(arena, STATEMENT_HEAD "\n%s\n", text);
    LB_ENSURE(text != NULL, LB_NO_MEMORY, "arena is full");
    *out = lb_span_str(text);
    return LB_OK;
}

lb_status lb_seen_line_sign(struct lb_seen_line *line, const struct lb_sign_key *key,
                            struct lb_arena *arena)
{
    struct lb_span text;
    LB_TRY(signed_text(line, arena, &text));
    return lb_sign(key, text, line->signature);
}

lb_status lb_seen_line_write(const struct lb_seen_line *line, struct lb_arena *arena,
                             struct lb_span *out_line)
{
    const char *text = NULL;
    const char *signature =
        lb_b64_encode(arena, lb_span_of(line->signature, sizeof(line->signature)));
    LB_ENSURE(signature != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(statement(line, arena, &text));
    text = lb_arena_printf(arena, "%s %s\n", text, signature);
    LB_ENSURE(text != NULL, LB_NO_MEMORY, "arena is full");
    *out_line = lb_span_str(text);
    return LB_OK;
}

/* The proof is what makes a checkpoint of three lines a note: the lost log's own signature. */
static lb_status check_proof(const struct lb_seen_line *line, struct lb_arena *arena)
{
    LB_DEFER(lb_note_verifier_cleanup) struct lb_note_verifier lost = {.key = NULL};
    LB_TRY(lb_note_verifier_parse(lb_span_str(line->lost_key), &lost));
    const char *root = lb_b64_encode(arena, lb_span_of(line->root, sizeof(line->root)));
    LB_ENSURE(root != NULL, LB_NO_MEMORY, "arena is full");
    const char *text =
        lb_arena_printf(arena, "%s\n%" PRIu64 "\n%s\n", lost.name, line->size, root);
    LB_ENSURE(text != NULL, LB_NO_MEMORY, "arena is full");
    return lb_verify(lost.key, lb_span_str(text), lb_span_of(line->proof, sizeof(line->proof)));
}

lb_status lb_seen_line_read(struct lb_span text, struct lb_arena *arena,
                            struct lb_seen_line *out_line)
{
    struct lb_seen_line line = {.size = 0};
    struct lb_words words;
    LB_TRY(lb_words_split(text, "seen", 8, &words));
    LB_TRY(lb_words_member(words.list[1], arena, &line.member));
    LB_TRY(lb_words_time(words.list[2], &line.unix_s));
    LB_TRY(lb_words_text(words.list[3], arena, &line.lost_key));
    LB_TRY(lb_words_number(words.list[4], &line.size));
    LB_TRY(lb_words_bytes(words.list[5], arena, line.root, sizeof(line.root)));
    LB_TRY(lb_words_bytes(words.list[6], arena, line.proof, sizeof(line.proof)));
    LB_TRY(lb_words_bytes(words.list[7], arena, line.signature, sizeof(line.signature)));
    LB_TRY(check_proof(&line, arena));
    *out_line = line;
    return LB_OK;
}

static void free_key(struct lb_verify_key **key)
{
    lb_verify_key_free(*key);
}

lb_status lb_seen_line_check(const struct lb_seen_line *line,
                             const uint8_t member_key[LB_ED25519_PUBLIC_BYTES],
                             struct lb_arena *arena)
{
    LB_DEFER(free_key) struct lb_verify_key *key = NULL;
    struct lb_span text;
    LB_TRY(lb_verify_key_new(LB_SIGN_ED25519, lb_span_of(member_key, LB_ED25519_PUBLIC_BYTES),
                             &key));
    LB_TRY(signed_text(line, arena, &text));
    return lb_verify(key, text, lb_span_of(line->signature, sizeof(line->signature)));
}
