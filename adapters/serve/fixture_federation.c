#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "adapters/serve/fixture_files.h"
#include "gateway/base/file.h"
#include "gateway/base/hex.h"
#include "gateway/crypto/b64.h"
#include "gateway/crypto/x509.h"
#include "gateway/json/json.h"

static const char *vkey(struct fixture *fx, const char *name, const struct lb_sign_key *key)
{
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    struct lb_note_verifier verifier;
    (void)lb_sign_key_public(key, raw);
    assert_ok(lb_note_verifier_init(name, raw, &verifier));
    const char *text = lb_note_verifier_format(&verifier, fx->arena);
    lb_note_verifier_cleanup(&verifier);
    return text;
}

static struct lb_json *seal_key(struct fixture *fx, const char *spiffe,
                                const struct fx_party *party)
{
    struct lb_seal_key_entry entry = {.id = "s1",
                                      .not_after = lb_clock_unix_s(lb_clock_system()) + 86400};
    struct lb_span signature = LB_SPAN_EMPTY;
    memcpy(entry.public_key, party->seal.public_key, 32);
    assert_ok(lb_seal_key_sign(spiffe, &entry, party->log_key, fx->arena, &signature));
    struct lb_json *json = lb_json_object();
    lb_json_set_cstr(json, "id", entry.id);
    lb_json_set_cstr(json, "key", lb_b64url_encode(fx->arena, lb_span_of(entry.public_key, 32)));
    lb_json_set_int(json, "not_after", entry.not_after);
    lb_json_set_str(json, "signature", signature);
    return json;
}

static void add_node(struct fixture *fx, struct lb_json *nodes, const char *spiffe,
                     const struct fx_party *party)
{
    struct lb_json *node = lb_json_object();
    struct lb_json *keys = lb_json_array();
    lb_json_set_cstr(node, "spiffe", spiffe);
    lb_json_set_cstr(node, "endpoint", "");
    lb_json_set_cstr(node, "log", vkey(fx, lb_spiffe_log_origin(spiffe), party->log_key));
    lb_json_append(keys, seal_key(fx, spiffe, party));
    lb_json_set(node, "seal", keys);
    lb_json_append(nodes, node);
}

static void add_issuer(struct fixture *fx, struct lb_json *issuers, const char *organization,
                       const char *kid, const struct fx_party *party, const char *const *kinds,
                       const char *status)
{
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    struct lb_json *issuer = lb_json_object();
    struct lb_json *list = lb_json_array();
    (void)lb_sign_key_public(party->issuer_key, raw);
    lb_json_set_cstr(issuer, "organization", organization);
    lb_json_set_cstr(issuer, "kid", kid);
    lb_json_set_cstr(issuer, "x", lb_b64url_encode(fx->arena, lb_span_of(raw, 32)));
    lb_json_set_cstr(issuer, "y", lb_b64url_encode(fx->arena, lb_span_of(raw + 32, 32)));
    for (; *kinds != NULL; kinds++)
        lb_json_append_str(list, lb_span_str(*kinds));
    lb_json_set(issuer, "kinds", list);
    lb_json_set_cstr(issuer, "status", status);
    lb_json_append(issuers, issuer);
}

static void add_organizations(struct lb_json *root)
{
    static const char *const ids[] = {"tax",          "hub",      "street-office", "other-office",
                                      "consent-hall", "stranger", NULL};
    struct lb_json *list = lb_json_array();
    for (size_t i = 0; ids[i] != NULL; i++) {
        struct lb_json *organization = lb_json_object();
        lb_json_set_cstr(organization, "id", ids[i]);
        lb_json_set_cstr(organization, "zh", "某机构");
        lb_json_set_cstr(organization, "en", ids[i]);
        lb_json_append(list, organization);
    }
    lb_json_set(root, "organizations", list);
}

static struct lb_json *directory(struct fixture *fx, struct lb_span ca)
{
    static const char *const consent[] = {"consent", NULL};
    static const char *const own[] = {"mandate", "operator", NULL};
    int64_t now = lb_clock_unix_s(lb_clock_system());
    uint8_t pin[32];
    char hex[65];
    assert_ok(lb_x509_ca_pin(ca, pin));
    lb_hex_encode(lb_span_of(pin, 32), hex);
    struct lb_json *root = lb_json_object();
    lb_json_set_cstr(root, "type", "lianban-directory/v1");
    lb_json_set_cstr(root, "federation", "test.gov");
    lb_json_set_int(root, "version", 1);
    lb_json_set_int(root, "issued", now - 10);
    lb_json_set_int(root, "expires", now + 86400);
    struct lb_json *pins = lb_json_array();
    lb_json_append_str(pins, lb_span_str(hex));
    lb_json_set(root, "ca_pins", pins);
    add_organizations(root);
    struct lb_json *nodes = lb_json_array();
    add_node(fx, nodes, FX_ADAPTER, &fx->adapter);
    add_node(fx, nodes, FX_BROKER, &fx->broker);
    add_node(fx, nodes, FX_WINDOW, &fx->window);
    add_node(fx, nodes, FX_OTHER_WINDOW, &fx->other);
    lb_json_set(root, "nodes", nodes);
    struct lb_json *issuers = lb_json_array();
    add_issuer(fx, issuers, "consent-hall", "h1", &fx->hall, consent, FX_STATUS_URI);
    add_issuer(fx, issuers, "street-office", "m1", &fx->window, own, "");
    add_issuer(fx, issuers, "other-office", "m1", &fx->other, own, "");
    add_issuer(fx, issuers, "stranger", "x1", &fx->stranger, consent, "https://stranger.test/1");
    lb_json_set(root, "issuers", issuers);
    lb_json_set(root, "forms", lb_json_array());
    lb_json_set(root, "rules", lb_json_array());
    lb_json_set(root, "views", lb_json_array());
    return root;
}

static void write_ca(struct fixture *fx, struct lb_span *out_ca)
{
    const struct lb_ca_name name = {"Test", "Test CA"};
    int64_t now = lb_clock_unix_s(lb_clock_system());
    struct lb_span key = LB_SPAN_EMPTY, crl = LB_SPAN_EMPTY;
    assert_ok(lb_ca_create(&name, now - 100, 30, fx->arena, out_ca, &key));
    assert_ok(lb_ca_crl(*out_ca, key, NULL, 0, 1, now - 100, now + 86400, fx->arena, &crl));
    assert_ok(lb_file_write(fx_path(fx, "ca.pem"), *out_ca, 0600));
    assert_ok(lb_file_write(fx_path(fx, "crl.pem"), crl, 0600));
}

void fx_write_federation(struct fixture *fx)
{
    struct lb_span ca = LB_SPAN_EMPTY, text = LB_SPAN_EMPTY, note = LB_SPAN_EMPTY;
    write_ca(fx, &ca);
    LB_DEFER(lb_json_freep) struct lb_json *root = directory(fx, ca);
    assert_ok(lb_json_dump(root, LB_JSON_PRETTY, fx->arena, &text));
    const char *lines = lb_arena_printf(fx->arena, "%.*s\n", (int)text.len, (const char *)text.ptr);
    assert_ok(lb_note_sign(lb_span_str(lines), false, "test.gov/directory", fx->directory_key,
                           fx->arena, &note));
    assert_ok(lb_file_write(fx_path(fx, "directory.note"), note, 0600));
    const char *signer = vkey(fx, "test.gov/directory", fx->directory_key);
    const struct lb_trust_options options = {
        .directory_path = fx_path(fx, "directory.note"),
        .directory_vkeys = &signer,
        .num_directory_vkeys = 1,
        .ca_path = fx_path(fx, "ca.pem"),
        .crl_path = fx_path(fx, "crl.pem"),
        .state_folder = fx_path(fx, "trust"),
        .clock = lb_clock_system(),
    };
    struct lb_diag diag = {""};
    assert_ok(lb_file_mkdirs(options.state_folder));
    lb_status status = lb_trust_new(&options, &diag, &fx->trust);
    assert_string_equal(diag.text, "");
    assert_ok(status);
}
