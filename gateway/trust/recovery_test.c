#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/file.h"
#include "gateway/crypto/b64.h"
#include "gateway/crypto/hash.h"
#include "gateway/trust/fixture.h"
#include "gateway/trust/state.h"

/* A lost log's successor: as its people make it, and as others would like to. */

#define ORIGIN "example.gov/adapter/tax/one"
#define NEXT ORIGIN "~r1"
#define LI "spiffe://example.gov/officer/tax/li"
#define WANG "spiffe://example.gov/officer/tax/wang"
#define HEALTH "spiffe://example.gov/officer/health/zhao"
#define CONSENT "spiffe://example.gov/consent/hall"

enum { LOST, NEW, NEWER, BY_LI, BY_WANG, BY_BROKER, BY_CONSENT, NUM_KEYS };

static struct fixture fx;
static struct lb_sign_key *keys[NUM_KEYS];
static struct lb_diag diag;

static int setup(void **state)
{
    (void)state;
    fx_setup(&fx);
    assert_ok(lb_file_mkdirs(fx.state_folder));
    keys[LOST] = fx.log_key;
    for (int i = NEW; i < NUM_KEYS; i++)
        assert_ok(lb_sign_key_generate(LB_SIGN_ED25519, &keys[i]));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (int i = NEW; i < NUM_KEYS; i++)
        lb_sign_key_free(keys[i]);
    fx_teardown(&fx);
    return 0;
}

static const char *vkey(const char *name, int key)
{
    return fx_vkey(&fx, name, keys[key]);
}

/* --- what members say --- */

/* The lost log's own signature of a size and a root that begins with `first`. */
static struct lb_seen_line seen(const char *member, const char *origin, int lost, uint64_t size,
                                uint8_t first)
{
    struct lb_seen_line line = {.member = member, .unix_s = FX_NOW, .size = size,
                                .lost_key = vkey(origin, lost), .root = {first}};
    const char *root = lb_b64_encode(fx.arena, lb_span_of(line.root, 32));
    const char *text =
        lb_arena_printf(fx.arena, "%s\n%llu\n%s\n", origin, (unsigned long long)size, root);
    assert_ok(lb_sign(keys[lost], lb_span_str(text), line.proof));
    return line;
}

static struct lb_seen_line by_broker(uint64_t size, uint8_t first)
{
    struct lb_seen_line line = seen(FX_BROKER, ORIGIN, LOST, size, first);
    assert_ok(lb_seen_line_sign(&line, keys[BY_BROKER], fx.arena));
    return line;
}

static struct lb_seen_line by_consent(uint64_t size, uint8_t first)
{
    struct lb_seen_line line = seen(CONSENT, ORIGIN, LOST, size, first);
    assert_ok(lb_seen_line_sign(&line, keys[BY_CONSENT], fx.arena));
    return line;
}

static lb_status read_line(struct lb_span text, struct lb_seen_line *out)
{
    text.len--; /* its LF */
    return lb_seen_line_read(text, fx.arena, out);
}

static void public_of(int key, uint8_t out[LB_P256_PUBLIC_BYTES])
{
    (void)lb_sign_key_public(keys[key], out);
}

static void a_line_says_who_saw_what(void **state)
{
    struct lb_seen_line line = by_broker(12, 7), read;
    struct lb_span text;
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    (void)state;
    assert_ok(lb_seen_line_write(&line, fx.arena, &text));
    assert_ok(read_line(text, &read));
    assert_string_equal(read.member, FX_BROKER);
    assert_int_equal(read.size, 12);
    assert_int_equal(read.unix_s, FX_NOW);
    public_of(BY_BROKER, raw);
    assert_ok(lb_seen_line_check(&read, raw, fx.arena));
    public_of(BY_CONSENT, raw);
    assert_code(lb_seen_line_check(&read, raw, fx.arena), LB_SIGNATURE_INVALID);
}

/* Whoever has a member's key can't say that a log was longer than it was; whoever has the log's key
 * can't say it in a member's name; and no byte of a line can be another. */
static void a_forged_line_is_refused(void **state)
{
    struct lb_seen_line line = by_broker(12, 7), read;
    struct lb_span text;
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    (void)state;
    line.size = 13;
    assert_ok(lb_seen_line_sign(&line, keys[BY_BROKER], fx.arena));
    assert_ok(lb_seen_line_write(&line, fx.arena, &text));
    assert_code(read_line(text, &read), LB_SIGNATURE_INVALID);
    line = by_broker(12, 7);
    line.member = CONSENT;
    public_of(BY_CONSENT, raw);
    assert_code(lb_seen_line_check(&line, raw, fx.arena), LB_SIGNATURE_INVALID);
    line = by_broker(12, 7);
    public_of(BY_BROKER, raw);
    assert_ok(lb_seen_line_write(&line, fx.arena, &text));
    for (size_t i = 0; i < text.len - 1; i++) {
        uint8_t *bytes = (uint8_t *)(uintptr_t)text.ptr;
        bytes[i] ^= 1;
        bool passes = read_line(text, &read) == LB_OK &&
                      lb_seen_line_check(&read, raw, fx.arena) == LB_OK;
        assert_false(passes);
        bytes[i] ^= 1;
    }
}

/* --- the whole --- */

static struct lb_recovery plain(const struct lb_seen_line *lines, size_t num)
{
    struct lb_recovery recovery = {
        .spiffe = FX_ADAPTER,
        .unix_s = FX_NOW,
        .log_key = vkey(NEXT, NEW),
        .kept_size = 4,
        .officers = {{LI, vkey(LI + 9, BY_LI)}, {WANG, vkey(WANG + 9, BY_WANG)}},
        .num_seen = num,
        .seen = lines,
    };
    return recovery;
}

static struct lb_span write_text(const struct lb_recovery *recovery)
{
    struct lb_span text;
    assert_ok(lb_recovery_write(recovery, fx.arena, &text));
    return text;
}

static struct lb_span signed_by(struct lb_span text, const char *first, int first_key,
                                const char *second, int second_key)
{
    struct lb_span note = text;
    assert_ok(lb_note_sign(text, false, first + 9, keys[first_key], fx.arena, &note));
    if (second != NULL)
        assert_ok(lb_note_sign(note, true, second + 9, keys[second_key], fx.arena, &note));
    return note;
}

static struct lb_span note_of(const struct lb_recovery *recovery)
{
    return signed_by(write_text(recovery), LI, BY_LI, WANG, BY_WANG);
}

static enum lb_code open_code(struct lb_span note)
{
    struct lb_recovery recovery;
    return lb_status_code(lb_recovery_open(note, fx.arena, &recovery));
}

#define assert_opens_as(note_, code_)                                                              \
    assert_string_equal(lb_code_name(open_code(note_)), lb_code_name(code_))

static void a_recovery_names_what_is_lost(void **state)
{
    const struct lb_seen_line lines[] = {by_consent(9, 5), by_broker(12, 7)};
    struct lb_recovery made = plain(lines, 2), read;
    struct lb_span text = write_text(&made);
    uint8_t digest[32];
    (void)state;
    assert_ok(lb_recovery_open(note_of(&made), fx.arena, &read));
    assert_string_equal(read.spiffe, FX_ADAPTER);
    assert_string_equal(read.log_origin, NEXT);
    assert_string_equal(read.lost_origin, ORIGIN);
    assert_int_equal(read.kept_size, 4);
    assert_int_equal(read.lost->size, 12);
    assert_int_equal(read.lost->root[0], 7);
    assert_int_equal(read.num_seen, 2);
    lb_sha256(text, digest);
    assert_memory_equal(read.sha256, digest, 32);
}

/* Two persons, over one text. */
static void one_officer_is_not_enough(void **state)
{
    const struct lb_seen_line lines[] = {by_broker(12, 7)};
    struct lb_recovery made = plain(lines, 1);
    struct lb_span text = write_text(&made);
    (void)state;
    assert_opens_as(text, LB_MALFORMED);
    assert_opens_as(signed_by(text, LI, BY_LI, NULL, 0), LB_SIGNATURE_INVALID);
    assert_opens_as(signed_by(text, LI, BY_LI, WANG, BY_LI), LB_SIGNATURE_INVALID);
    assert_opens_as(signed_by(text, LI, BY_LI, HEALTH, BY_WANG), LB_SIGNATURE_INVALID);
    made.officers[1] = made.officers[0];
    assert_opens_as(signed_by(write_text(&made), LI, BY_LI, NULL, 0), LB_MALFORMED);
    made.officers[1].spiffe = WANG;
    made.officers[1].key = vkey(WANG + 9, BY_LI); /* one key under two names */
    assert_opens_as(signed_by(write_text(&made), LI, BY_LI, WANG, BY_LI), LB_MALFORMED);
    made = plain(lines, 1);
    made.officers[1] = (struct lb_recovery_officer){HEALTH, vkey(HEALTH + 9, BY_WANG)};
    assert_opens_as(signed_by(write_text(&made), LI, BY_LI, HEALTH, BY_WANG), LB_MALFORMED);
    /* What one has signed, the other must have. */
    struct lb_recovery other = plain(lines, 1);
    other.kept_size = 5;
    struct lb_span note = signed_by(text, LI, BY_LI, NULL, 0);
    struct lb_span foreign = signed_by(write_text(&other), WANG, BY_WANG, NULL, 0);
    size_t from = write_text(&other).len + 1;
    const char *mixed = lb_arena_printf(fx.arena, "%.*s%.*s", (int)note.len,
                                        (const char *)note.ptr, (int)(foreign.len - from),
                                        (const char *)foreign.ptr + from);
    assert_opens_as(lb_span_str(mixed), LB_SIGNATURE_INVALID);
}

static void what_contradicts_itself_is_refused(void **state)
{
    const struct lb_seen_line forked[] = {by_broker(12, 7), by_consent(12, 8)};
    const struct lb_seen_line twice[] = {by_broker(12, 7), by_broker(11, 7)};
    struct lb_seen_line other = seen(FX_BROKER, "example.gov/adapter/health", LOST, 12, 7);
    (void)state;
    struct lb_recovery made = plain(forked, 2);
    assert_opens_as(note_of(&made), LB_LOG_FORK);
    made = plain(twice, 2);
    assert_opens_as(note_of(&made), LB_MALFORMED);
    made = plain(twice, 0);
    assert_opens_as(note_of(&made), LB_MALFORMED);
    made = plain(&other, 1);
    assert_opens_as(note_of(&made), LB_MALFORMED); /* another member's log */
    made = plain(forked, 1);
    made.kept_size = 12;
    assert_opens_as(note_of(&made), LB_MALFORMED); /* nothing is lost */
    made.kept_size = 4;
    const char *const names[] = {ORIGIN, ORIGIN "~r2", ORIGIN "~r01", ORIGIN "/r1",
                                 "example.gov/adapter/tax~r1"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        made.log_key = vkey(names[i], NEW);
        assert_opens_as(note_of(&made), LB_MALFORMED);
    }
    made.log_key = vkey(NEXT, LOST);
    assert_opens_as(note_of(&made), LB_MALFORMED); /* the lost log's key */
    made.log_key = vkey(NEXT, NEW);
    struct lb_recovery read;
    assert_ok(lb_recovery_open(note_of(&made), fx.arena, &read));
}

/* --- in the directory --- */

static void add_member(struct lb_json *directory, const char *spiffe, int key)
{
    const struct lb_json *list = NULL;
    struct lb_json *node = lb_json_object();
    assert_ok(lb_json_get_array(directory, "nodes", &list));
    lb_json_set_cstr(node, "spiffe", spiffe);
    lb_json_set_cstr(node, "endpoint", "");
    lb_json_set_cstr(node, "log", vkey(spiffe + 9, key));
    lb_json_set(node, "seal", lb_json_array());
    lb_json_append((struct lb_json *)(uintptr_t)list, node);
}

/* A directory with the two officers, in which the adapter's log is `name` under that key. */
static struct lb_json *listing2(int version, const char *name, int key, const struct lb_span *note,
                                const struct lb_span *second)
{
    fx.log_key = keys[key];
    struct lb_json *json = fx_directory(&fx, version);
    struct lb_json *node = fx_node(json, FX_ADAPTER);
    fx.log_key = keys[LOST];
    lb_json_set_cstr(node, "log", vkey(name, key));
    if (note != NULL) {
        struct lb_json *notes = lb_json_array();
        lb_json_append_str(notes, *note);
        if (second != NULL)
            lb_json_append_str(notes, *second);
        lb_json_set(node, "recovery", notes);
    }
    add_member(json, LI, BY_LI);
    add_member(json, WANG, BY_WANG);
    return json;
}

static struct lb_json *listing(int version, const char *name, int key, const struct lb_span *note)
{
    return listing2(version, name, key, note, NULL);
}

static lb_status try_directory(struct lb_json *json)
{
    struct lb_directory *directory = NULL;
    diag.text[0] = 0;
    LB_TRY(lb_directory_check_text(lb_span_str(fx_text(&fx, json)), FX_NOW, &diag, &directory));
    lb_status status = lb_trust_admit(fx.state_folder, directory, true, &diag);
    lb_directory_unref(directory);
    return status;
}

static void accept_key(const char *key)
{
    const char *path = lb_arena_printf(fx.arena, "%s/accept", fx.state_folder);
    const char *line = lb_arena_printf(fx.arena, FX_ADAPTER " %s\n", key);
    assert_ok(lb_file_write(path, lb_span_str(line), 0600));
}

static void a_recovered_log_is_taken_once_its_key_is_confirmed(void **state)
{
    const struct lb_seen_line lines[] = {by_broker(12, 7)};
    struct lb_recovery made = plain(lines, 1);
    struct lb_span note = note_of(&made);
    (void)state;
    assert_ok(try_directory(listing(1, ORIGIN, LOST, NULL)));
    assert_code(try_directory(listing(2, NEXT, NEW, &note)), LB_KEY_CHANGED);
    assert_non_null(strstr(diag.text, vkey(NEXT, NEW))); /* the line to add */
    accept_key(vkey(NEXT, NEW));
    assert_ok(try_directory(listing(2, NEXT, NEW, &note)));
    /* The officers may be gone by then. */
    struct lb_json *later = listing(3, NEXT, NEW, &note);
    lb_json_set_cstr(fx_node(later, LI), "spiffe", "spiffe://example.gov/officer/tax/new");
    lb_json_set_cstr(fx_node(later, "spiffe://example.gov/officer/tax/new"), "log", "");
    assert_ok(try_directory(later));
}

/* The directory's signer, alone and with whom it may find. */
static void nobody_else_puts_a_log_in_the_place_of_another(void **state)
{
    const struct lb_seen_line lines[] = {by_broker(12, 7)};
    struct lb_recovery made = plain(lines, 1);
    struct lb_span note = note_of(&made);
    struct lb_span half = signed_by(write_text(&made), LI, BY_LI, NULL, 0);
    (void)state;
    assert_ok(try_directory(listing(1, ORIGIN, LOST, NULL)));
    accept_key(vkey(NEXT, NEW));
    assert_code(try_directory(listing(2, NEXT, NEW, NULL)), LB_DIRECTORY_INVALID);
    assert_code(try_directory(listing(2, NEXT, NEW, &half)), LB_DIRECTORY_INVALID);
    assert_code(try_directory(listing(2, ORIGIN, LOST, &note)), LB_DIRECTORY_INVALID);
    assert_code(try_directory(listing(2, ORIGIN "~r2", NEW, &note)), LB_DIRECTORY_INVALID);
    accept_key(vkey(NEXT, NEWER)); /* another key than the officers have signed */
    assert_code(try_directory(listing(2, NEXT, NEWER, &note)), LB_KEY_CHANGED);
    accept_key(vkey(NEXT, NEW));
    struct lb_json *strangers = listing(2, NEXT, NEW, &note);
    lb_json_set_cstr(fx_node(strangers, WANG), "log", vkey(WANG + 9, BY_CONSENT));
    assert_code(try_directory(strangers), LB_KEY_CHANGED);
    assert_non_null(strstr(diag.text, "no recovery"));
    /* The same officers' recovery of another node. */
    struct lb_seen_line line = seen(FX_BROKER, "example.gov/adapter/tax/two", LOST, 12, 7);
    made = plain(&line, 1);
    made.spiffe = "spiffe://example.gov/adapter/tax/two";
    made.log_key = vkey("example.gov/adapter/tax/two~r1", NEW);
    struct lb_span others = note_of(&made);
    assert_code(try_directory(listing(2, NEXT, NEW, &others)), LB_DIRECTORY_INVALID);
    assert_non_null(strstr(diag.text, "of another log"));
    assert_code(try_directory(listing2(2, NEXT, NEW, &note, &note)), LB_DIRECTORY_INVALID);
}

/* An old recovery, and the log before it, do not come back, whatever was accepted once. */
static void there_is_no_way_back(void **state)
{
    const struct lb_seen_line lines[] = {by_broker(12, 7)};
    struct lb_recovery made = plain(lines, 1);
    struct lb_span first = note_of(&made), second, third;
    struct lb_seen_line line = seen(FX_BROKER, NEXT, NEW, 3, 9);
    (void)state;
    assert_ok(try_directory(listing(1, ORIGIN, LOST, NULL)));
    accept_key(vkey(NEXT, NEW));
    assert_ok(try_directory(listing(2, NEXT, NEW, &first)));
    accept_key(vkey(ORIGIN, LOST));
    assert_code(try_directory(listing(3, ORIGIN, LOST, NULL)), LB_KEY_CHANGED);
    /* A second recovery of the first log, which is not the one that is known now. */
    made.log_key = vkey(NEXT, NEWER);
    third = note_of(&made);
    assert_code(try_directory(listing(3, NEXT, NEWER, &third)), LB_KEY_CHANGED);
    /* The next one goes on from where that ended, and the first is no use any more. */
    made.log_key = vkey(ORIGIN "~r2", NEWER);
    made.kept_size = 0;
    made.seen = &line;
    assert_ok(lb_seen_line_sign(&line, keys[BY_BROKER], fx.arena));
    second = note_of(&made);
    accept_key(vkey(ORIGIN "~r2", NEWER));
    /* What was lost the first time stays named: without it, or out of order, there is no second. */
    assert_code(try_directory(listing(3, ORIGIN "~r2", NEWER, &second)), LB_DIRECTORY_INVALID);
    assert_code(try_directory(listing2(3, ORIGIN "~r2", NEWER, &second, &first)),
                LB_DIRECTORY_INVALID);
    assert_ok(try_directory(listing2(3, ORIGIN "~r2", NEWER, &first, &second)));
    accept_key(vkey(NEXT, NEW));
    assert_code(try_directory(listing(4, NEXT, NEW, &first)), LB_KEY_CHANGED);
}

static void a_logs_number_is_in_its_name(void **state)
{
    (void)state;
    assert_int_equal(lb_spiffe_log_number(FX_ADAPTER, ORIGIN), 0);
    assert_int_equal(lb_spiffe_log_number(FX_ADAPTER, NEXT), 1);
    assert_int_equal(lb_spiffe_log_number(FX_ADAPTER, ORIGIN "~r999"), 999);
    const char *const others[] = {"",           "example.gov",  ORIGIN "~r",  ORIGIN "~r0",
                                  ORIGIN "~r1x", ORIGIN "~r1000", ORIGIN "~r99999999999999999999",
                                  ORIGIN "~r-1", ORIGIN "r1"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_int_equal(lb_spiffe_log_number(FX_ADAPTER, others[i]), -1);
    assert_string_equal(lb_spiffe_log_named(FX_ADAPTER, 12, fx.arena), ORIGIN "~r12");
    assert_string_equal(lb_spiffe_log_named(FX_ADAPTER, 0, fx.arena), ORIGIN);
    assert_string_equal(lb_spiffe_of_log(ORIGIN, fx.arena), FX_ADAPTER);
    assert_string_equal(lb_spiffe_of_log(NEXT, fx.arena), FX_ADAPTER);
    assert_string_equal(lb_spiffe_of_log(ORIGIN "~r0", fx.arena), FX_ADAPTER "~r0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_says_who_saw_what, setup, teardown),
        cmocka_unit_test_setup_teardown(a_forged_line_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_recovery_names_what_is_lost, setup, teardown),
        cmocka_unit_test_setup_teardown(one_officer_is_not_enough, setup, teardown),
        cmocka_unit_test_setup_teardown(what_contradicts_itself_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_recovered_log_is_taken_once_its_key_is_confirmed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(nobody_else_puts_a_log_in_the_place_of_another, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(there_is_no_way_back, setup, teardown),
        cmocka_unit_test_setup_teardown(a_logs_number_is_in_its_name, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
