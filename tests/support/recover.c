#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/file.h"
#include "gateway/crypto/b64.h"
#include "gateway/trust/recovery.h"
#include "tests/support/federation.h"

/* A member's log is lost, and the directory has its successor: the real way, with a note by two
 * officers and the key confirmed. */

#define SIGNER "test.gov/directory"

static const char *vkey_of(struct federation *fed, const char *name, const struct lb_sign_key *key)
{
    LB_DEFER(lb_note_verifier_cleanup) struct lb_note_verifier verifier = {.key = NULL};
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    (void)lb_sign_key_public(key, raw);
    assert_ok(lb_note_verifier_init(name, raw, &verifier));
    return lb_note_verifier_format(&verifier, fed->arena);
}

static struct lb_seen_line line_of(struct federation *fed, const struct fed_loss *loss)
{
    const char *origin = lb_spiffe_log_origin(loss->spiffe);
    struct lb_seen_line line = {.member = loss->seen_by, .unix_s = 1, .size = loss->size,
                                .lost_key = vkey_of(fed, origin, loss->lost)};
    memcpy(line.root, loss->root, sizeof(line.root));
    const char *root = lb_b64_encode(fed->arena, lb_span_of(loss->root, sizeof(line.root)));
    const char *text = lb_arena_printf(fed->arena, "%s\n%llu\n%s\n", origin,
                                       (unsigned long long)loss->size, root);
    assert_ok(lb_sign(loss->lost, lb_span_str(text), line.proof));
    assert_ok(lb_seen_line_sign(&line, loss->lost, fed->arena));
    return line;
}

/* A new member of the directory, with a log key of its own. */
static void add_officer(struct federation *fed, struct lb_json *nodes,
                        struct lb_recovery_officer *officer, struct lb_sign_key **out_key)
{
    struct lb_json *node = lb_json_object();
    assert_ok(lb_sign_key_generate(LB_SIGN_ED25519, out_key));
    officer->key = vkey_of(fed, lb_spiffe_log_origin(officer->spiffe), *out_key);
    lb_json_set_cstr(node, "spiffe", officer->spiffe);
    lb_json_set_cstr(node, "endpoint", "");
    lb_json_set_cstr(node, "log", officer->key);
    lb_json_set(node, "seal", lb_json_array());
    lb_json_append(nodes, node);
}

static struct lb_span make_note(struct federation *fed, const struct fed_loss *loss,
                                struct lb_json *nodes)
{
    const char *federation = NULL, *organization = NULL;
    enum lb_node_kind kind;
    struct lb_seen_line line = line_of(fed, loss);
    struct lb_recovery recovery = {.spiffe = loss->spiffe, .unix_s = 2, .num_seen = 1,
                                   .seen = &line};
    struct lb_sign_key *keys[LB_RECOVERY_OFFICERS];
    struct lb_span note;
    assert_ok(lb_spiffe_parse(loss->spiffe, fed->arena, &federation, &kind, &organization));
    recovery.log_key =
        vkey_of(fed, lb_spiffe_log_named(loss->spiffe, 1, fed->arena), loss->next);
    for (size_t i = 0; i < LB_RECOVERY_OFFICERS; i++) {
        recovery.officers[i].spiffe = lb_arena_printf(
            fed->arena, "spiffe://%s/officer/%s/o%zu", federation, organization, i);
        add_officer(fed, nodes, &recovery.officers[i], &keys[i]);
    }
    assert_ok(lb_recovery_write(&recovery, fed->arena, &note));
    for (size_t i = 0; i < LB_RECOVERY_OFFICERS; i++) {
        assert_ok(lb_note_sign(note, i > 0, lb_spiffe_log_origin(recovery.officers[i].spiffe),
                               keys[i], fed->arena, &note));
        lb_sign_key_free(keys[i]);
    }
    const char *accept =
        lb_arena_printf(fed->arena, "%s %s\n", loss->spiffe, recovery.log_key);
    fed_write(fed, "trust/accept", lb_span_str(accept));
    return note;
}

static void change_node(struct federation *fed, const struct fed_loss *loss,
                        struct lb_json *directory)
{
    const struct lb_json *nodes = NULL;
    assert_ok(lb_json_get_array(directory, "nodes", &nodes));
    struct lb_span note = make_note(fed, loss, (struct lb_json *)(uintptr_t)nodes);
    for (size_t i = 0; i < lb_json_len(nodes); i++) {
        struct lb_json *node = (struct lb_json *)(uintptr_t)lb_json_at(nodes, i);
        struct lb_json *notes = lb_json_array();
        struct lb_span spiffe;
        assert_ok(lb_json_get_str(node, "spiffe", &spiffe));
        lb_json_append_str(notes, note);
        if (!lb_span_is(spiffe, loss->spiffe)) {
            lb_json_free(notes);
            continue;
        }
        lb_json_set_cstr(node, "log",
                         vkey_of(fed, lb_spiffe_log_named(loss->spiffe, 1, fed->arena),
                                 loss->next));
        lb_json_set(node, "recovery", notes);
        lb_json_set(node, "seal", lb_json_array()); /* the lost key has signed what was there */
        lb_json_set(node, "share", lb_json_array());
    }
}

void fed_recover(struct federation *fed, const struct fed_loss *loss)
{
    LB_DEFER(lb_json_freep) struct lb_json *directory = NULL;
    struct lb_span note, text;
    assert_ok(lb_file_read(fed_path(fed, "directory.note"), LB_MAX_DIRECTORY_BYTES, fed->arena,
                           &note));
    assert_ok(lb_json_parse(lb_recovery_text(note), &directory));
    lb_json_set_int(directory, "version", 2);
    change_node(fed, loss, directory);
    assert_ok(lb_json_dump(directory, LB_JSON_PRETTY, fed->arena, &text));
    const char *lines =
        lb_arena_printf(fed->arena, "%.*s\n", (int)text.len, (const char *)text.ptr);
    assert_ok(lb_note_sign(lb_span_str(lines), false, SIGNER, fed->directory_key, fed->arena,
                           &note));
    fed_write(fed, "directory.note", note);
    lb_trust_reload(fed->trust);
    struct lb_directory *now = lb_trust_directory(fed->trust);
    assert_int_equal(now->version, 2);
    lb_directory_unref(now);
}
