#include "gateway/crypto/hash.h"
#include "gateway/note/note.h"
#include "gateway/trust/recovery_fixture.h"

/* What members say of a lost log, and what two officers sign of it: as it is meant, and as others
 * would like to have it. */

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
    struct lb_seen_line line = seen_by_broker(12, 7), read;
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
    struct lb_seen_line line = seen_by_broker(12, 7), read;
    struct lb_span text;
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    (void)state;
    line.size = 13;
    assert_ok(lb_seen_line_sign(&line, keys[BY_BROKER], fx.arena));
    assert_ok(lb_seen_line_write(&line, fx.arena, &text));
    assert_code(read_line(text, &read), LB_SIGNATURE_INVALID);
    line = seen_by_broker(12, 7);
    line.member = CONSENT;
    public_of(BY_CONSENT, raw);
    assert_code(lb_seen_line_check(&line, raw, fx.arena), LB_SIGNATURE_INVALID);
    line = seen_by_broker(12, 7);
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

static enum lb_code open_code(struct lb_span note)
{
    struct lb_recovery recovery;
    return lb_status_code(lb_recovery_open(note, fx.arena, &recovery));
}

#define assert_opens_as(note_, code_)                                                              \
    assert_string_equal(lb_code_name(open_code(note_)), lb_code_name(code_))

static void a_recovery_names_what_is_lost(void **state)
{
    const struct lb_seen_line lines[] = {seen_by_consent(9, 5), seen_by_broker(12, 7)};
    struct lb_recovery made = lost_recovery(lines, 2), read;
    struct lb_span text = lost_text(&made);
    uint8_t digest[32];
    (void)state;
    assert_ok(lb_recovery_open(lost_note(&made), fx.arena, &read));
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
    const struct lb_seen_line lines[] = {seen_by_broker(12, 7)};
    struct lb_recovery made = lost_recovery(lines, 1);
    struct lb_span text = lost_text(&made);
    (void)state;
    assert_opens_as(text, LB_MALFORMED);
    assert_opens_as(lost_signed(text, LI, BY_LI, NULL, 0), LB_SIGNATURE_INVALID);
    assert_opens_as(lost_signed(text, LI, BY_LI, WANG, BY_LI), LB_SIGNATURE_INVALID);
    assert_opens_as(lost_signed(text, LI, BY_LI, HEALTH, BY_WANG), LB_SIGNATURE_INVALID);
    made.officers[1] = made.officers[0];
    assert_opens_as(lost_signed(lost_text(&made), LI, BY_LI, NULL, 0), LB_MALFORMED);
    made.officers[1].spiffe = WANG;
    made.officers[1].key = lost_vkey(WANG, BY_LI); /* one key under two names */
    assert_opens_as(lost_signed(lost_text(&made), LI, BY_LI, WANG, BY_LI), LB_MALFORMED);
    made = lost_recovery(lines, 1);
    made.officers[1] = (struct lb_recovery_officer){HEALTH, lost_vkey(HEALTH, BY_WANG)};
    assert_opens_as(lost_signed(lost_text(&made), LI, BY_LI, HEALTH, BY_WANG), LB_MALFORMED);
    /* What one has signed, the other must have. */
    struct lb_recovery other = lost_recovery(lines, 1);
    other.kept_size = 5;
    struct lb_span note = lost_signed(text, LI, BY_LI, NULL, 0);
    struct lb_span foreign = lost_signed(lost_text(&other), WANG, BY_WANG, NULL, 0);
    size_t from = lost_text(&other).len + 1;
    const char *mixed = lb_arena_printf(fx.arena, "%.*s%.*s", (int)note.len,
                                        (const char *)note.ptr, (int)(foreign.len - from),
                                        (const char *)foreign.ptr + from);
    assert_opens_as(lb_span_str(mixed), LB_SIGNATURE_INVALID);
}

static void what_contradicts_itself_is_refused(void **state)
{
    const struct lb_seen_line forked[] = {seen_by_broker(12, 7), seen_by_consent(12, 8)};
    const struct lb_seen_line twice[] = {seen_by_broker(12, 7), seen_by_broker(11, 7)};
    struct lb_seen_line other = lost_seen(FX_BROKER, "example.gov/adapter/health", LOST, 12, 7);
    (void)state;
    struct lb_recovery made = lost_recovery(forked, 2);
    assert_opens_as(lost_note(&made), LB_LOG_FORK);
    made = lost_recovery(twice, 2);
    assert_opens_as(lost_note(&made), LB_MALFORMED);
    made = lost_recovery(twice, 0);
    assert_opens_as(lost_note(&made), LB_MALFORMED);
    made = lost_recovery(&other, 1);
    assert_opens_as(lost_note(&made), LB_MALFORMED); /* another member's log */
    made = lost_recovery(forked, 1);
    made.kept_size = 12;
    assert_opens_as(lost_note(&made), LB_MALFORMED); /* nothing is lost */
    made.kept_size = 4;
    const char *const names[] = {ORIGIN, ORIGIN "~r2", ORIGIN "~r01", ORIGIN "/r1",
                                 "example.gov/adapter/tax~r1"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        made.log_key = lost_vkey(names[i], NEW);
        assert_opens_as(lost_note(&made), LB_MALFORMED);
    }
    made.log_key = lost_vkey(NEXT, LOST);
    assert_opens_as(lost_note(&made), LB_MALFORMED); /* the lost log's key */
    made.log_key = lost_vkey(NEXT, NEW);
    struct lb_recovery read;
    assert_ok(lb_recovery_open(lost_note(&made), fx.arena, &read));
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
        cmocka_unit_test_setup_teardown(a_line_says_who_saw_what, lost_set_up, lost_tear_down),
        cmocka_unit_test_setup_teardown(a_forged_line_is_refused, lost_set_up, lost_tear_down),
        cmocka_unit_test_setup_teardown(a_recovery_names_what_is_lost, lost_set_up, lost_tear_down),
        cmocka_unit_test_setup_teardown(one_officer_is_not_enough, lost_set_up, lost_tear_down),
        cmocka_unit_test_setup_teardown(what_contradicts_itself_is_refused, lost_set_up,
                                        lost_tear_down),
        cmocka_unit_test_setup_teardown(a_logs_number_is_in_its_name, lost_set_up, lost_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
