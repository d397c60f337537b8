#include "gateway/crypto/b64.h"
#include "gateway/crypto/hash.h"
#include "gateway/note/note.h"
#include "gateway/trust/directory.h"
#include "gateway/trust/recovery.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/keys.h"

/* What members say of a lost log, and what officers sign of it. */

#define ARENA_BYTES (4U << 20)
#define NODE "spiffe://test.gov/adapter/tax/1"
#define LOST "test.gov/adapter/tax/1"
#define MEMBER "spiffe://test.gov/broker/hub"
#define LI "test.gov/officer/tax/li"
#define WANG "test.gov/officer/tax/wang"

enum { LINE, TEXT, NOTE, NUM_KINDS };

static bool try_line(struct lb_span in, struct lb_arena *arena)
{
    struct lb_seen_line line, again;
    struct lb_span text;
    if (lb_seen_line_read(in, arena, &line) != LB_OK)
        return false;
    /* One line has one text, and nothing in it that another could be hidden in. */
    FUZZ_OK(lb_seen_line_write(&line, arena, &text));
    FUZZ_CHECK(text.len == in.len + 1 && memcmp(text.ptr, in.ptr, in.len) == 0);
    FUZZ_OK(lb_seen_line_read(lb_span_of(text.ptr, text.len - 1), arena, &again));
    return true;
}

static void check(const struct lb_recovery *recovery, struct lb_span text, struct lb_arena *arena)
{
    struct lb_span again;
    uint8_t digest[32];
    int number = lb_spiffe_log_number(recovery->spiffe, recovery->log_origin);
    FUZZ_CHECK(number >= 1 && number <= LB_MAX_RECOVERIES);
    FUZZ_CHECK(lb_spiffe_log_number(recovery->spiffe, recovery->lost_origin) == number - 1);
    FUZZ_CHECK(strcmp(recovery->officers[0].spiffe, recovery->officers[1].spiffe) != 0);
    FUZZ_CHECK(recovery->num_seen >= 1 && recovery->kept_size < recovery->lost->size);
    for (size_t i = 0; i < recovery->num_seen; i++)
        FUZZ_CHECK(recovery->seen[i].size <= recovery->lost->size);
    FUZZ_OK(lb_recovery_write(recovery, arena, &again));
    FUZZ_CHECK(lb_span_eq(text, again));
    lb_sha256(text, digest);
    FUZZ_CHECK(memcmp(digest, recovery->sha256, sizeof(digest)) == 0);
}

bool fuzz_recovery(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    struct lb_recovery recovery;
    uint8_t kind = fuzz_u8(&in) % NUM_KINDS;
    if (kind == LINE)
        return try_line(in, arena);
    struct lb_span text = kind == NOTE ? lb_recovery_text(in) : in;
    lb_status status = kind == NOTE ? lb_recovery_open(in, arena, &recovery)
                                    : lb_recovery_read(in, arena, &recovery);
    if (status == LB_OK)
        check(&recovery, text, arena);
    return status == LB_OK;
}

/* --- seeds --- */

static const char *vkey(const char *name, const struct lb_sign_key *key, struct lb_arena *arena)
{
    LB_DEFER(lb_note_verifier_cleanup) struct lb_note_verifier verifier = {.key = NULL};
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    (void)lb_sign_key_public(key, raw);
    FUZZ_OK(lb_note_verifier_init(name, raw, &verifier));
    return lb_note_verifier_format(&verifier, arena);
}

static struct lb_sign_key *other_key(uint8_t first)
{
    const uint8_t seed[32] = {first};
    struct lb_sign_key *key = NULL;
    FUZZ_OK(lb_sign_key_from_seed(seed, &key));
    return key;
}

static struct lb_seen_line sample_line(struct lb_arena *arena)
{
    const struct lb_sign_key *key = fuzz_keys()->ed25519;
    struct lb_seen_line line = {.member = MEMBER, .unix_s = 1800000000, .size = 12, .root = {7},
                                .lost_key = vkey(LOST, key, arena)};
    const char *root = lb_b64_encode(arena, lb_span_of(line.root, sizeof(line.root)));
    FUZZ_OK(lb_sign(key, lb_span_str(lb_arena_printf(arena, LOST "\n12\n%s\n", root)),
                    line.proof));
    FUZZ_OK(lb_seen_line_sign(&line, key, arena));
    return line;
}

void seed_recovery(const struct fuzz_sink *sink)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    struct lb_sign_key *keys[] = {other_key(1), other_key(2), other_key(3)};
    const struct lb_seen_line line = sample_line(arena);
    const struct lb_recovery recovery = {
        .spiffe = NODE, .unix_s = 1800000001, .log_key = vkey(LOST "~r1", keys[0], arena),
        .kept_size = 3, .officers = {{"spiffe://" LI, vkey(LI, keys[1], arena)},
                                     {"spiffe://" WANG, vkey(WANG, keys[2], arena)}},
        .num_seen = 1, .seen = &line};
    struct lb_span text, note;
    FUZZ_OK(lb_seen_line_write(&line, arena, &text));
    fuzz_seed(sink, LINE, lb_span_of(text.ptr, text.len - 1));
    FUZZ_OK(lb_recovery_write(&recovery, arena, &text));
    fuzz_seed(sink, TEXT, text);
    FUZZ_OK(lb_note_sign(text, false, LI, keys[1], arena, &note));
    FUZZ_OK(lb_note_sign(note, true, WANG, keys[2], arena, &note));
    fuzz_seed(sink, NOTE, note);
    for (size_t i = 0; i < 3; i++)
        lb_sign_key_free(keys[i]);
}
