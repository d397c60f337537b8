#include "gateway/trust/recovery_fixture.h"

#include "gateway/base/file.h"
#include "gateway/crypto/b64.h"

struct fixture fx;
struct lb_sign_key *keys[NUM_KEYS];

int lost_set_up(void **state)
{
    (void)state;
    fx_setup(&fx);
    assert_ok(lb_file_mkdirs(fx.state_folder));
    keys[LOST] = fx.log_key;
    for (int i = NEW; i < NUM_KEYS; i++)
        assert_ok(lb_sign_key_generate(LB_SIGN_ED25519, &keys[i]));
    return 0;
}

int lost_tear_down(void **state)
{
    (void)state;
    for (int i = NEW; i < NUM_KEYS; i++)
        lb_sign_key_free(keys[i]);
    fx_teardown(&fx);
    return 0;
}

const char *lost_vkey(const char *name, int key)
{
    return fx_vkey(&fx, lb_spiffe_log_origin(name), keys[key]);
}

/* --- what members say --- */

/* The lost log's own signature of a size and a root that begins with `first`. */
struct lb_seen_line lost_seen(const char *member, const char *origin, int lost, uint64_t size,
                                uint8_t first)
{
    struct lb_seen_line line = {.member = member, .unix_s = FX_NOW, .size = size,
                                .lost_key = lost_vkey(origin, lost), .root = {first}};
    const char *root = lb_b64_encode(fx.arena, lb_span_of(line.root, 32));
    const char *text =
        lb_arena_printf(fx.arena, "%s\n%llu\n%s\n", origin, (unsigned long long)size, root);
    assert_ok(lb_sign(keys[lost], lb_span_str(text), line.proof));
    return line;
}

struct lb_seen_line seen_by_broker(uint64_t size, uint8_t first)
{
    struct lb_seen_line line = lost_seen(FX_BROKER, ORIGIN, LOST, size, first);
    assert_ok(lb_seen_line_sign(&line, keys[BY_BROKER], fx.arena));
    return line;
}

struct lb_seen_line seen_by_consent(uint64_t size, uint8_t first)
{
    struct lb_seen_line line = lost_seen(CONSENT, ORIGIN, LOST, size, first);
    assert_ok(lb_seen_line_sign(&line, keys[BY_CONSENT], fx.arena));
    return line;
}

struct lb_recovery lost_recovery(const struct lb_seen_line *lines, size_t num)
{
    struct lb_recovery recovery = {
        .spiffe = FX_ADAPTER,
        .unix_s = FX_NOW,
        .log_key = lost_vkey(NEXT, NEW),
        .kept_size = 4,
        .officers = {{LI, lost_vkey(LI, BY_LI)}, {WANG, lost_vkey(WANG, BY_WANG)}},
        .num_seen = num,
        .seen = lines,
    };
    return recovery;
}

struct lb_span lost_text(const struct lb_recovery *recovery)
{
    struct lb_span text;
    assert_ok(lb_recovery_write(recovery, fx.arena, &text));
    return text;
}

struct lb_span lost_signed(struct lb_span text, const char *first, int first_key,
                                const char *second, int second_key)
{
    struct lb_span note = text;
    assert_ok(lb_note_sign(text, false, lb_spiffe_log_origin(first), keys[first_key], fx.arena,
                           &note));
    if (second != NULL)
        assert_ok(lb_note_sign(note, true, lb_spiffe_log_origin(second), keys[second_key],
                               fx.arena, &note));
    return note;
}

struct lb_span lost_note(const struct lb_recovery *recovery)
{
    return lost_signed(lost_text(recovery), LI, BY_LI, WANG, BY_WANG);
}
