#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/file.h"
#include "gateway/base/hex.h"
#include "gateway/crypto/b64.h"
#include "gateway/trust/fixture.h"
#include "gateway/trust/handover.h"
#include "gateway/trust/state.h"

/* Keys that are replaced: by their owner, and by others who would like to. */

#define ORIGIN "example.gov/adapter/tax/one"

static struct fixture fx;
static struct lb_sign_key *logs[4];     /* logs[0] is the fixture's */
static struct lb_sign_key *issuers[4];  /* likewise */
static struct lb_diag diag;

static int setup(void **state)
{
    (void)state;
    fx_setup(&fx);
    assert_ok(lb_file_mkdirs(fx.state_folder));
    logs[0] = fx.log_key;
    issuers[0] = fx.issuer_key;
    for (int i = 1; i < 4; i++) {
        assert_ok(lb_sign_key_generate(LB_SIGN_ED25519, &logs[i]));
        assert_ok(lb_sign_key_generate(LB_SIGN_ES256, &issuers[i]));
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (int i = 1; i < 4; i++) {
        lb_sign_key_free(logs[i]);
        lb_sign_key_free(issuers[i]);
    }
    fx.log_key = logs[0];
    fx.issuer_key = issuers[0];
    fx_teardown(&fx);
    return 0;
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

static const char *vkey(int i)
{
    return fx_vkey(&fx, ORIGIN, logs[i]);
}

static const char *issuer_key(int i)
{
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    assert_int_equal(lb_sign_key_public(issuers[i], raw), 64);
    return lb_b64url_encode(fx.arena, lb_span_of(raw, 64));
}

/* {..., "signature": by `by` that old became new} */
static struct lb_json *proof(struct lb_json *json, const struct lb_handover *handover,
                             const struct lb_sign_key *by)
{
    uint8_t signature[LB_SIGNATURE_BYTES];
    assert_ok(lb_handover_sign(handover, by, fx.arena, signature));
    lb_json_set_cstr(json, "signature",
                     lb_b64url_encode(fx.arena, lb_span_of(signature, sizeof(signature))));
    return json;
}

static struct lb_json *log_proof(int from, int to, const struct lb_sign_key *by)
{
    const struct lb_handover handover = {FX_ADAPTER, vkey(from), FX_ADAPTER, vkey(to)};
    struct lb_json *json = lb_json_object();
    lb_json_set_cstr(json, "log", vkey(from));
    return proof(json, &handover, by);
}

/* A directory in which the adapter's log key is logs[key]; its sealing key is signed by it too. */
static struct lb_json *log_directory(int version, int key, struct lb_json *before)
{
    fx.log_key = logs[key];
    struct lb_json *json = fx_directory(&fx, version);
    fx.log_key = logs[0];
    if (before != NULL)
        lb_json_set(fx_node(json, FX_ADAPTER), "log_before", before);
    return json;
}

static struct lb_json *list_of(struct lb_json *a, struct lb_json *b)
{
    struct lb_json *list = lb_json_array();
    lb_json_append(list, a);
    if (b != NULL)
        lb_json_append(list, b);
    return list;
}

/* The attack: the signer of directories gives a member another log key. */
static void nobody_else_replaces_a_log_key(void **state)
{
    (void)state;
    assert_ok(try_directory(log_directory(1, 0, NULL)));
    assert_code(try_directory(log_directory(2, 1, NULL)), LB_KEY_CHANGED);
    assert_non_null(strstr(diag.text, "has not handed over"));
    assert_code(try_directory(log_directory(2, 1, list_of(log_proof(0, 1, logs[1]), NULL))),
                LB_DIRECTORY_INVALID);
    assert_code(
        try_directory(log_directory(2, 1, list_of(log_proof(0, 1, fx.directory_key), NULL))),
        LB_DIRECTORY_INVALID);
    /* a proof of another handover, and one by a key that nobody knew */
    assert_code(try_directory(log_directory(2, 1, list_of(log_proof(0, 2, logs[0]), NULL))),
                LB_DIRECTORY_INVALID);
    assert_code(try_directory(log_directory(2, 1, list_of(log_proof(2, 1, logs[2]), NULL))),
                LB_KEY_CHANGED);
    assert_ok(try_directory(log_directory(2, 1, list_of(log_proof(0, 1, logs[0]), NULL))));
}

static void who_was_away_follows_the_chain(void **state)
{
    (void)state;
    assert_ok(try_directory(log_directory(1, 0, NULL)));
    assert_ok(try_directory(log_directory(
        3, 2, list_of(log_proof(1, 2, logs[1]), log_proof(0, 1, logs[0])))));
    /* the list's order is the chain's */
    assert_code(try_directory(log_directory(
                    4, 2, list_of(log_proof(0, 1, logs[0]), log_proof(1, 2, logs[1])))),
                LB_DIRECTORY_INVALID);
}

/* The attack: a key that was handed over is stolen later. */
static void a_key_hands_over_once(void **state)
{
    (void)state;
    assert_ok(try_directory(log_directory(1, 0, NULL)));
    assert_ok(try_directory(log_directory(2, 1, list_of(log_proof(0, 1, logs[0]), NULL))));
    assert_code(try_directory(log_directory(3, 2, list_of(log_proof(0, 2, logs[0]), NULL))),
                LB_KEY_CHANGED);
    assert_code(try_directory(log_directory(3, 0, NULL)), LB_KEY_CHANGED);
    assert_ok(try_directory(log_directory(3, 1, NULL)));
}

/* --- issuers --- */

static struct lb_json *issuer(int i, struct lb_json *before)
{
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    struct lb_json *json = lb_json_object();
    assert_int_equal(lb_sign_key_public(issuers[i], raw), 64);
    lb_json_set_cstr(json, "organization", "hall");
    lb_json_set_cstr(json, "kid", lb_arena_printf(fx.arena, "h%d", i + 1));
    lb_json_set_cstr(json, "x", lb_b64url_encode(fx.arena, lb_span_of(raw, 32)));
    lb_json_set_cstr(json, "y", lb_b64url_encode(fx.arena, lb_span_of(raw + 32, 32)));
    struct lb_json *kinds = lb_json_array();
    lb_json_append_str(kinds, lb_span_str("consent"));
    lb_json_set(json, "kinds", kinds);
    lb_json_set_cstr(json, "status", "https://hall.example/status/1");
    if (before != NULL)
        lb_json_set(json, "before", before);
    return json;
}

static struct lb_json *issuer_proof(int from, int to, const struct lb_sign_key *by)
{
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    const struct lb_handover handover = {
        lb_arena_printf(fx.arena, "hall/h%d", from + 1), issuer_key(from),
        lb_arena_printf(fx.arena, "hall/h%d", to + 1), issuer_key(to)};
    struct lb_json *json = lb_json_object();
    assert_int_equal(lb_sign_key_public(issuers[from], raw), 64);
    lb_json_set_cstr(json, "kid", lb_arena_printf(fx.arena, "h%d", from + 1));
    lb_json_set_cstr(json, "x", lb_b64url_encode(fx.arena, lb_span_of(raw, 32)));
    lb_json_set_cstr(json, "y", lb_b64url_encode(fx.arena, lb_span_of(raw + 32, 32)));
    return proof(json, &handover, by);
}

static struct lb_json *issuer_directory(int version, struct lb_json *list)
{
    struct lb_json *json = fx_directory(&fx, version);
    lb_json_set(json, "issuers", list);
    return json;
}

static void an_issuer_names_its_next_key(void **state)
{
    (void)state;
    assert_ok(try_directory(issuer_directory(1, list_of(issuer(0, NULL), NULL))));
    assert_code(try_directory(issuer_directory(2, list_of(issuer(0, NULL), issuer(1, NULL)))),
                LB_KEY_CHANGED);
    assert_code(try_directory(issuer_directory(
                    2, list_of(issuer(0, NULL),
                               issuer(1, list_of(issuer_proof(0, 1, issuers[1]), NULL))))),
                LB_DIRECTORY_INVALID);
    struct lb_json *both = list_of(issuer(0, NULL),
                                   issuer(1, list_of(issuer_proof(0, 1, issuers[0]), NULL)));
    assert_ok(try_directory(issuer_directory(2, both)));
    struct lb_json *second =
        list_of(issuer(1, list_of(issuer_proof(0, 1, issuers[0]), NULL)), NULL);
    assert_ok(try_directory(issuer_directory(3, second)));
    /* stolen after its end */
    struct lb_json *evil = list_of(issuer(1, NULL),
                                   issuer(2, list_of(issuer_proof(0, 2, issuers[0]), NULL)));
    assert_code(try_directory(issuer_directory(4, evil)), LB_KEY_CHANGED);
    assert_code(try_directory(issuer_directory(4, list_of(issuer(0, NULL), issuer(1, NULL)))),
                LB_KEY_CHANGED);
}

/* --- the directory's own keys --- */

static struct lb_sign_key *next_signer;

static void write_signed(int version, const char *const *signers, struct lb_sign_key *by)
{
    struct lb_sign_key *usual = fx.directory_key;
    struct lb_json *json = fx_directory(&fx, version);
    if (signers != NULL) {
        struct lb_json *list = lb_json_array();
        for (; *signers != NULL; signers++)
            lb_json_append_str(list, lb_span_str(*signers));
        lb_json_set(json, "signers", list);
    }
    fx.directory_key = by;
    fx_write_directory(&fx, fx_text(&fx, json));
    fx.directory_key = usual;
}

static uint64_t version_after_reload(struct lb_trust *trust)
{
    lb_trust_reload(trust);
    struct lb_directory *directory = lb_trust_directory(trust);
    uint64_t version = directory->version;
    lb_directory_unref(directory);
    return version;
}

static void the_next_signer_is_announced_under_the_old(void **state)
{
    (void)state;
    assert_ok(lb_sign_key_generate(LB_SIGN_ED25519, &next_signer));
    const char *old = fx.directory_vkey;
    const char *new = fx_vkey(&fx, "example.gov/directory", next_signer);
    const char *both[] = {old, new, NULL}, *only_new[] = {new, NULL};
    write_signed(1, NULL, fx.directory_key);
    struct lb_trust *trust = fx_trust(&fx);
    write_signed(2, both, next_signer);
    assert_int_equal(version_after_reload(trust), 1); /* it announces itself */
    write_signed(2, both, fx.directory_key);
    assert_int_equal(version_after_reload(trust), 2);
    write_signed(3, NULL, next_signer);
    assert_int_equal(version_after_reload(trust), 3);
    write_signed(4, only_new, fx.directory_key);
    assert_int_equal(version_after_reload(trust), 4);
    write_signed(5, NULL, fx.directory_key); /* the old key, stolen after its end */
    assert_int_equal(version_after_reload(trust), 4);

    lb_trust_free(trust);
    trust = NULL;
    assert_code(fx_try_trust(&fx, &diag, &trust), LB_DIRECTORY_INVALID);
    write_signed(4, only_new, fx.directory_key); /* known by its hash, whoever signed it */
    trust = fx_trust(&fx);
    write_signed(6, NULL, next_signer);
    assert_int_equal(version_after_reload(trust), 6);
    lb_trust_free(trust);
    lb_sign_key_free(next_signer);
}

static void a_lost_signer_is_replaced_by_local_word(void **state)
{
    (void)state;
    assert_ok(lb_sign_key_generate(LB_SIGN_ED25519, &next_signer));
    const char *only_old[] = {fx.directory_vkey, NULL};
    write_signed(1, only_old, fx.directory_key);
    struct lb_trust *trust = fx_trust(&fx);
    write_signed(2, NULL, next_signer);
    assert_int_equal(version_after_reload(trust), 1);
    fx_write(lb_arena_printf(fx.arena, "%s/accept", fx.state_folder),
             lb_span_str(lb_arena_printf(fx.arena, "directory %s\n",
                                         fx_vkey(&fx, "example.gov/directory", next_signer))));
    assert_int_equal(version_after_reload(trust), 2);
    lb_trust_free(trust);
    lb_sign_key_free(next_signer);
}

/* --- the CA --- */

static struct lb_span joined(struct lb_span a, struct lb_span b)
{
    return lb_span_str(lb_arena_printf(fx.arena, "%.*s%.*s", (int)a.len, (const char *)a.ptr,
                                       (int)b.len, (const char *)b.ptr));
}

static struct lb_span crl_of(struct lb_span ca, struct lb_span key)
{
    struct lb_span crl;
    assert_ok(lb_ca_crl(ca, key, NULL, 0, ++fx.crl_number, FX_NOW - 60, FX_NOW + 3600, fx.arena,
                        &crl));
    return crl;
}

/* The pins of a directory: of the fixture's CA, of another, or both. */
static void pin(int version, bool first, struct lb_span second)
{
    struct lb_span cas[] = {fx.ca_pem, second};
    struct lb_json *json = fx_directory(&fx, version), *list = lb_json_array();
    for (size_t i = first ? 0 : 1; i < 2; i++) {
        uint8_t raw[32];
        char hex[65];
        assert_ok(lb_x509_ca_pin(cas[i], raw));
        lb_hex_encode(lb_span_of(raw, 32), hex);
        lb_json_append_str(list, lb_span_str(hex));
    }
    lb_json_set(json, "ca_pins", list);
    fx_write_directory(&fx, fx_text(&fx, json));
}

static void a_second_ca_takes_over(void **state)
{
    (void)state;
    const struct lb_ca_name name = {.organization = "Next", .common_name = "Next CA"};
    struct lb_span ca, ca_key, old_crl = crl_of(fx.ca_pem, fx.ca_key);
    assert_ok(lb_ca_create(&name, FX_NOW - 100, 30, fx.arena, &ca, &ca_key));
    struct lb_span old_cert = fx_issue(&fx, FX_ADAPTER, 3600);
    fx_write(fx.crl_path, old_crl);
    fx_write_directory(&fx, fx_text(&fx, fx_directory(&fx, 1)));
    struct lb_trust *trust = fx_trust(&fx);
    struct lb_span first_ca = fx.ca_pem, first_key = fx.ca_key;
    fx.ca_pem = ca;
    fx.ca_key = ca_key;
    struct lb_span new_cert = fx_issue(&fx, FX_ADAPTER, 3600);
    fx.ca_pem = first_ca;
    fx.ca_key = first_key;
    assert_code(lb_trust_verify_peer(trust, FX_ADAPTER, new_cert), LB_PEER_UNVERIFIED);

    fx_write(fx.ca_path, joined(fx.ca_pem, ca));
    fx_write(fx.crl_path, joined(old_crl, crl_of(ca, ca_key)));
    lb_trust_reload(trust);
    assert_code(lb_trust_verify_peer(trust, FX_ADAPTER, new_cert), LB_PEER_UNVERIFIED); /* no pin */
    pin(2, true, ca);
    lb_trust_reload(trust);
    assert_ok(lb_trust_verify_peer(trust, FX_ADAPTER, old_cert));
    assert_ok(lb_trust_verify_peer(trust, FX_ADAPTER, new_cert));
    pin(3, false, ca);
    lb_trust_reload(trust);
    assert_code(lb_trust_verify_peer(trust, FX_ADAPTER, old_cert), LB_PEER_UNVERIFIED);
    assert_ok(lb_trust_verify_peer(trust, FX_ADAPTER, new_cert));
    lb_trust_free(trust);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nobody_else_replaces_a_log_key, setup, teardown),
        cmocka_unit_test_setup_teardown(who_was_away_follows_the_chain, setup, teardown),
        cmocka_unit_test_setup_teardown(a_key_hands_over_once, setup, teardown),
        cmocka_unit_test_setup_teardown(an_issuer_names_its_next_key, setup, teardown),
        cmocka_unit_test_setup_teardown(the_next_signer_is_announced_under_the_old, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_second_ca_takes_over, setup, teardown),
        cmocka_unit_test_setup_teardown(a_lost_signer_is_replaced_by_local_word, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
