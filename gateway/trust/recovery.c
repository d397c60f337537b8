#include "gateway/trust/recovery.h"

#include <inttypes.h>

#include "gateway/base/buf.h"
#include "gateway/base/limits.h"
#include "gateway/crypto/b64.h"
#include "gateway/crypto/hash.h"
#include "gateway/note/note.h"
#include "gateway/trust/directory.h"
#include "gateway/trust/words.h"

#define HEAD "lianban recovery v1"

lb_status lb_recovery_write(const struct lb_recovery *recovery, struct lb_arena *arena,
                            struct lb_span *out_text)
{
    LB_DEFER(lb_buf_cleanup) struct lb_buf text;
    lb_buf_init(&text, LB_RECOVERY_MAX_BYTES);
    const char *root =
        lb_b64_encode(arena, lb_span_of(recovery->kept_root, sizeof(recovery->kept_root)));
    LB_ENSURE(root != NULL, LB_NO_MEMORY, "arena is full");
    lb_buf_printf(&text, HEAD "\nnode %s\ntime %" PRId64 "\nlog %s\nkept %" PRIu64 " %s\n",
                  recovery->spiffe, recovery->unix_s, recovery->log_key, recovery->kept_size,
                  root);
    for (size_t i = 0; i < LB_RECOVERY_OFFICERS; i++)
        lb_buf_printf(&text, "officer %s %s\n", recovery->officers[i].spiffe,
                      recovery->officers[i].key);
    for (size_t i = 0; i < recovery->num_seen; i++) {
        struct lb_span line;
        LB_TRY(lb_seen_line_write(&recovery->seen[i], arena, &line));
        lb_buf_put(&text, line);
    }
    LB_TRY(lb_buf_check(&text));
    return lb_arena_copy(arena, lb_buf_span(&text), out_text);
}

static bool is_colleague(const char *officer, const char *node, struct lb_arena *arena)
{
    const char *federation = NULL, *organization = NULL, *nodes = NULL, *own = NULL;
    enum lb_node_kind kind, other;
    return lb_spiffe_parse(officer, arena, &federation, &kind, &organization) == LB_OK &&
           lb_spiffe_parse(node, arena, &nodes, &other, &own) == LB_OK &&
           kind == LB_NODE_OFFICER && strcmp(federation, nodes) == 0 &&
           strcmp(organization, own) == 0;
}

static lb_status read_officer(struct lb_span *rest, const char *node, struct lb_arena *arena,
                              struct lb_recovery_officer *out,
                              uint8_t out_key[LB_ED25519_PUBLIC_BYTES])
{
    LB_DEFER(lb_note_verifier_cleanup) struct lb_note_verifier key = {.key = NULL};
    struct lb_words words;
    LB_TRY(lb_words_take(rest, "officer", 3, &words));
    LB_TRY(lb_words_text(words.list[1], arena, &out->spiffe));
    LB_TRY(lb_words_text(words.list[2], arena, &out->key));
    LB_TRY(lb_note_verifier_parse(lb_span_str(out->key), &key));
    LB_ENSURE(is_colleague(out->spiffe, node, arena), LB_MALFORMED,
              "an officer is not of the node's organization");
    LB_ENSURE(strcmp(key.name, lb_spiffe_log_origin(out->spiffe)) == 0, LB_MALFORMED,
              "an officer's key has another name");
    memcpy(out_key, key.public_key, LB_ED25519_PUBLIC_BYTES);
    return LB_OK;
}

/* Two persons: neither one name nor one key. */
static lb_status read_officers(struct lb_span *rest, struct lb_arena *arena,
                               struct lb_recovery *recovery)
{
    uint8_t publics[LB_RECOVERY_OFFICERS][LB_ED25519_PUBLIC_BYTES];
    struct lb_recovery_officer *officers = recovery->officers;
    for (size_t i = 0; i < LB_RECOVERY_OFFICERS; i++)
        LB_TRY(read_officer(rest, recovery->spiffe, arena, &officers[i], publics[i]));
    LB_ENSURE(strcmp(officers[0].spiffe, officers[1].spiffe) != 0 &&
                  memcmp(publics[0], publics[1], sizeof(publics[0])) != 0,
              LB_MALFORMED, "both officers are one");
    return LB_OK;
}

static lb_status read_seen(struct lb_span rest, struct lb_arena *arena,
                           struct lb_recovery *recovery)
{
    struct lb_seen_line *lines =
        lb_arena_array(arena, LB_RECOVERY_MAX_SEEN, sizeof(struct lb_seen_line));
    LB_ENSURE(lines != NULL, LB_NO_MEMORY, "arena is full");
    size_t num = 0;
    while (rest.len > 0) {
        struct lb_span line;
        LB_ENSURE(num < LB_RECOVERY_MAX_SEEN, LB_MALFORMED, "more lines than may be");
        LB_TRY(lb_words_line(&rest, &line));
        LB_TRY(lb_seen_line_read(line, arena, &lines[num]));
        for (size_t i = 0; i < num; i++)
            LB_ENSURE(strcmp(lines[i].member, lines[num].member) != 0, LB_MALFORMED,
                      "a member speaks twice");
        num++;
    }
    recovery->seen = lines;
    recovery->num_seen = num;
    return LB_OK;
}

static lb_status name_of(const char *vkey, struct lb_arena *arena, const char **out_name)
{
    *out_name = lb_arena_str(arena, lb_span_of(vkey, strcspn(vkey, "+")));
    LB_ENSURE(*out_name != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

/* All lines are about one log, and of one history as far as sizes can tell. */
static lb_status find_lost(struct lb_arena *arena, struct lb_recovery *recovery)
{
    LB_ENSURE(recovery->num_seen > 0, LB_MALFORMED, "nobody has seen the lost log");
    recovery->lost = &recovery->seen[0];
    LB_TRY(name_of(recovery->lost->lost_key, arena, &recovery->lost_origin));
    for (size_t i = 1; i < recovery->num_seen; i++) {
        const struct lb_seen_line *line = &recovery->seen[i];
        const char *origin = NULL;
        LB_TRY(name_of(line->lost_key, arena, &origin));
        LB_ENSURE(strcmp(origin, recovery->lost_origin) == 0, LB_MALFORMED,
                  "members speak of different logs");
        if (line->size > recovery->lost->size)
            recovery->lost = line;
    }
    for (size_t i = 0; i < recovery->num_seen; i++)
        for (size_t k = 0; k < i; k++)
            LB_ENSURE(recovery->seen[i].size != recovery->seen[k].size ||
                          memcmp(recovery->seen[i].root, recovery->seen[k].root, 32) == 0,
                      LB_LOG_FORK, "members have seen two histories of the lost log");
    return LB_OK;
}

static lb_status check_new_log(struct lb_arena *arena, struct lb_recovery *recovery)
{
    LB_DEFER(lb_note_verifier_cleanup) struct lb_note_verifier next = {.key = NULL};
    LB_TRY(lb_note_verifier_parse(lb_span_str(recovery->log_key), &next));
    LB_TRY(name_of(recovery->log_key, arena, &recovery->log_origin));
    int lost = lb_spiffe_log_number(recovery->spiffe, recovery->lost_origin);
    LB_ENSURE(lost >= 0, LB_MALFORMED, "the lost log is not this node's");
    LB_ENSURE(lb_spiffe_log_number(recovery->spiffe, recovery->log_origin) == lost + 1,
              LB_MALFORMED, "the new log is not the next one of this node");
    for (size_t i = 0; i < recovery->num_seen; i++) {
        LB_DEFER(lb_note_verifier_cleanup) struct lb_note_verifier old = {.key = NULL};
        LB_TRY(lb_note_verifier_parse(lb_span_str(recovery->seen[i].lost_key), &old));
        LB_ENSURE(memcmp(old.public_key, next.public_key, LB_ED25519_PUBLIC_BYTES) != 0,
                  LB_MALFORMED, "the new log has the lost one's key");
    }
    LB_ENSURE(recovery->kept_size < recovery->lost->size, LB_MALFORMED,
              "nothing is lost: what is kept is all that was seen");
    return LB_OK;
}

lb_status lb_recovery_read(struct lb_span text, struct lb_arena *arena,
                           struct lb_recovery *out_recovery)
{
    struct lb_recovery recovery = {.num_seen = 0};
    struct lb_span rest = text;
    struct lb_span head;
    struct lb_words words;
    LB_ENSURE(text.len > 0 && text.len <= LB_RECOVERY_MAX_BYTES, LB_MALFORMED, "size of the text");
    LB_TRY(lb_words_line(&rest, &head));
    LB_ENSURE(lb_span_is(head, HEAD), LB_MALFORMED, "is no recovery");
    LB_TRY(lb_words_take(&rest, "node", 2, &words));
    LB_TRY(lb_words_member(words.list[1], arena, &recovery.spiffe));
    LB_TRY(lb_words_take(&rest, "time", 2, &words));
    LB_TRY(lb_words_time(words.list[1], &recovery.unix_s));
    LB_TRY(lb_words_take(&rest, "log", 2, &words));
    LB_TRY(lb_words_text(words.list[1], arena, &recovery.log_key));
    LB_TRY(lb_words_take(&rest, "kept", 3, &words));
    LB_TRY(lb_words_number(words.list[1], &recovery.kept_size));
    LB_TRY(lb_words_bytes(words.list[2], arena, recovery.kept_root, sizeof(recovery.kept_root)));
    LB_TRY(read_officers(&rest, arena, &recovery));
    LB_TRY(read_seen(rest, arena, &recovery));
    LB_TRY(find_lost(arena, &recovery));
    LB_TRY(check_new_log(arena, &recovery));
    lb_sha256(text, recovery.sha256);
    *out_recovery = recovery;
    return LB_OK;
}

struct lb_span lb_recovery_text(struct lb_span note)
{
    for (size_t i = note.len; i > 1; i--) {
        if (note.ptr[i - 1] == '\n' && note.ptr[i - 2] == '\n')
            return lb_span_of(note.ptr, i - 1);
    }
    return note;
}

lb_status lb_recovery_open(struct lb_span note, struct lb_arena *arena,
                           struct lb_recovery *out_recovery)
{
    struct lb_note_verifier officers[LB_RECOVERY_OFFICERS] = {{.key = NULL}};
    struct lb_recovery recovery;
    struct lb_span text = lb_recovery_text(note);
    uint32_t mask = 0;
    LB_ENSURE(note.len <= LB_RECOVERY_MAX_BYTES, LB_MALFORMED, "size of the note");
    LB_TRY(lb_recovery_read(text, arena, &recovery));
    lb_status status = LB_OK;
    for (size_t i = 0; i < LB_RECOVERY_OFFICERS && status == LB_OK; i++)
        status = lb_note_verifier_parse(lb_span_str(recovery.officers[i].key), &officers[i]);
    if (status == LB_OK)
        status = lb_note_open(note, officers, LB_RECOVERY_OFFICERS, &text, &mask);
    for (size_t i = 0; i < LB_RECOVERY_OFFICERS; i++)
        lb_note_verifier_cleanup(&officers[i]);
    LB_TRY(status);
    LB_ENSURE(mask == (1U << LB_RECOVERY_OFFICERS) - 1, LB_SIGNATURE_INVALID,
              "an officer has not signed");
    *out_recovery = recovery;
    return LB_OK;
}
