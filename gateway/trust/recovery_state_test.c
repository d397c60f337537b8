#include "gateway/base/file.h"
#include "gateway/crypto/b64.h"
#include "gateway/trust/handover.h"
#include "gateway/trust/recovery_fixture.h"
#include "gateway/trust/state.h"

/* A lost log's successor in the directory: who takes it, and who would put another there. */

static struct lb_diag diag;

static void add_member(struct lb_json *directory, const char *spiffe, int key)
{
    const struct lb_json *list = NULL;
    struct lb_json *node = lb_json_object();
    assert_ok(lb_json_get_array(directory, "nodes", &list));
    lb_json_set_cstr(node, "spiffe", spiffe);
    lb_json_set_cstr(node, "endpoint", "");
    lb_json_set_cstr(node, "log", lost_vkey(spiffe, key));
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
    lb_json_set_cstr(node, "log", lost_vkey(name, key));
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

static struct lb_json *handed_over(const char *old_name, int old, int new)
{
    const struct lb_handover handover = {FX_ADAPTER, lost_vkey(old_name, old), FX_ADAPTER,
                                         lost_vkey(NEXT, new)};
    uint8_t signature[LB_SIGNATURE_BYTES];
    struct lb_json *list = lb_json_array(), *item = lb_json_object();
    assert_ok(lb_handover_sign(&handover, keys[old], fx.arena, signature));
    lb_json_set_cstr(item, "log", handover.old_key);
    lb_json_set_cstr(item, "signature",
                     lb_b64url_encode(fx.arena, lb_span_of(signature, sizeof(signature))));
    lb_json_append(list, item);
    return list;
}

static void a_recovered_log_is_taken_once_its_key_is_confirmed(void **state)
{
    const struct lb_seen_line lines[] = {seen_by_broker(12, 7)};
    struct lb_recovery made = lost_recovery(lines, 1);
    struct lb_span note = lost_note(&made);
    (void)state;
    assert_ok(try_directory(listing(1, ORIGIN, LOST, NULL)));
    assert_code(try_directory(listing(2, NEXT, NEW, &note)), LB_KEY_CHANGED);
    assert_non_null(strstr(diag.text, lost_vkey(NEXT, NEW))); /* the line to add */
    accept_key(lost_vkey(NEXT, NEW));
    assert_ok(try_directory(listing(2, NEXT, NEW, &note)));
    /* Its key is replaced like any, and who missed that takes the newer one as well. */
    struct lb_json *rotated = listing(3, NEXT, NEWER, &note);
    lb_json_set(fx_node(rotated, FX_ADAPTER), "log_before", handed_over(NEXT, NEW, NEWER));
    assert_ok(try_directory(rotated));
    /* The officers may be gone by then. */
    struct lb_json *later = listing(4, NEXT, NEWER, &note);
    lb_json_set_cstr(fx_node(later, LI), "spiffe", "spiffe://example.gov/officer/tax/new");
    lb_json_set_cstr(fx_node(later, "spiffe://example.gov/officer/tax/new"), "log", "");
    assert_ok(try_directory(later));
}

/* The directory's signer, alone and with whom it may find. */
static void nobody_else_puts_a_log_in_the_place_of_another(void **state)
{
    const struct lb_seen_line lines[] = {seen_by_broker(12, 7)};
    struct lb_recovery made = lost_recovery(lines, 1);
    struct lb_span note = lost_note(&made);
    struct lb_span half = lost_signed(lost_text(&made), LI, BY_LI, NULL, 0);
    (void)state;
    assert_ok(try_directory(listing(1, ORIGIN, LOST, NULL)));
    accept_key(lost_vkey(NEXT, NEW));
    assert_code(try_directory(listing(2, NEXT, NEW, NULL)), LB_DIRECTORY_INVALID);
    assert_code(try_directory(listing(2, NEXT, NEW, &half)), LB_DIRECTORY_INVALID);
    assert_code(try_directory(listing(2, ORIGIN, LOST, &note)), LB_DIRECTORY_INVALID);
    assert_code(try_directory(listing(2, ORIGIN "~r2", NEW, &note)), LB_DIRECTORY_INVALID);
    accept_key(lost_vkey(NEXT, NEWER)); /* another key than the officers have signed */
    assert_code(try_directory(listing(2, NEXT, NEWER, &note)), LB_KEY_CHANGED);
    accept_key(lost_vkey(NEXT, NEW));
    /* The lost key hands over to no other log. */
    struct lb_json *handed = listing(2, NEXT, NEW, &note);
    lb_json_set(fx_node(handed, FX_ADAPTER), "log_before", handed_over(ORIGIN, LOST, NEW));
    assert_code(try_directory(handed), LB_DIRECTORY_INVALID);
    struct lb_json *strangers = listing(2, NEXT, NEW, &note);
    lb_json_set_cstr(fx_node(strangers, WANG), "log", lost_vkey(WANG, BY_CONSENT));
    assert_code(try_directory(strangers), LB_KEY_CHANGED);
    assert_non_null(strstr(diag.text, "no recovery"));
    /* The same officers' recovery of another node. */
    struct lb_seen_line line = lost_seen(FX_BROKER, "example.gov/adapter/tax/two", LOST, 12, 7);
    made = lost_recovery(&line, 1);
    made.spiffe = "spiffe://example.gov/adapter/tax/two";
    made.log_key = lost_vkey("example.gov/adapter/tax/two~r1", NEW);
    struct lb_span others = lost_note(&made);
    assert_code(try_directory(listing(2, NEXT, NEW, &others)), LB_DIRECTORY_INVALID);
    assert_non_null(strstr(diag.text, "of another log"));
    assert_code(try_directory(listing2(2, NEXT, NEW, &note, &note)), LB_DIRECTORY_INVALID);
}

/* An old recovery, and the log before it, do not come back, whatever was accepted once. */
static void there_is_no_way_back(void **state)
{
    const struct lb_seen_line lines[] = {seen_by_broker(12, 7)};
    struct lb_recovery made = lost_recovery(lines, 1);
    struct lb_span first = lost_note(&made), second, third;
    struct lb_seen_line line = lost_seen(FX_BROKER, NEXT, NEW, 3, 9);
    (void)state;
    assert_ok(try_directory(listing(1, ORIGIN, LOST, NULL)));
    accept_key(lost_vkey(NEXT, NEW));
    assert_ok(try_directory(listing(2, NEXT, NEW, &first)));
    accept_key(lost_vkey(ORIGIN, LOST));
    assert_code(try_directory(listing(3, ORIGIN, LOST, NULL)), LB_KEY_CHANGED);
    /* A second recovery of the first log, which is not the one that is known now. */
    made.log_key = lost_vkey(NEXT, NEWER);
    third = lost_note(&made);
    assert_code(try_directory(listing(3, NEXT, NEWER, &third)), LB_KEY_CHANGED);
    /* The next one goes on from where that ended, and the first is no use any more. */
    made.log_key = lost_vkey(ORIGIN "~r2", NEWER);
    made.kept_size = 0;
    made.seen = &line;
    assert_ok(lb_seen_line_sign(&line, keys[BY_BROKER], fx.arena));
    second = lost_note(&made);
    accept_key(lost_vkey(ORIGIN "~r2", NEWER));
    /* What was lost the first time stays named: without it, or out of order, there is no second. */
    assert_code(try_directory(listing(3, ORIGIN "~r2", NEWER, &second)), LB_DIRECTORY_INVALID);
    assert_code(try_directory(listing2(3, ORIGIN "~r2", NEWER, &second, &first)),
                LB_DIRECTORY_INVALID);
    assert_ok(try_directory(listing2(3, ORIGIN "~r2", NEWER, &first, &second)));
    accept_key(lost_vkey(NEXT, NEW));
    assert_code(try_directory(listing(4, NEXT, NEW, &first)), LB_KEY_CHANGED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_recovered_log_is_taken_once_its_key_is_confirmed,
                                        lost_set_up, lost_tear_down),
        cmocka_unit_test_setup_teardown(nobody_else_puts_a_log_in_the_place_of_another,
                                        lost_set_up, lost_tear_down),
        cmocka_unit_test_setup_teardown(there_is_no_way_back, lost_set_up, lost_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
