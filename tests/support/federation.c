#include "tests/support/federation.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/base/file.h"
#include "gateway/base/hex.h"
#include "gateway/crypto/b64.h"
#include "gateway/crypto/x509.h"

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

void fed_party_make(struct fed_party *party)
{
    assert_ok(lb_sign_key_generate(LB_SIGN_ED25519, &party->log_key));
    assert_ok(lb_sign_key_generate(LB_SIGN_ES256, &party->issuer_key));
    assert_ok(lb_x25519_generate(&party->seal));
    assert_ok(lb_x25519_generate(&party->share));
    assert_ok(lb_x25519_generate(&party->share_before));
}

void fed_party_free(struct fed_party *party)
{
    lb_sign_key_free(party->log_key);
    lb_sign_key_free(party->issuer_key);
}

static const char *vkey(const char *name, const struct lb_sign_key *key, struct lb_arena *arena)
{
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    struct lb_note_verifier verifier;
    (void)lb_sign_key_public(key, raw);
    assert_ok(lb_note_verifier_init(name, raw, &verifier));
    const char *text = lb_note_verifier_format(&verifier, arena);
    lb_note_verifier_cleanup(&verifier);
    return text;
}

const char *fed_party_vkey(const struct fed_party *party, const char *spiffe,
                           struct lb_arena *arena)
{
    return vkey(lb_spiffe_log_origin(spiffe), party->log_key, arena);
}

void fed_setup(struct federation *fed, const char *name)
{
    const char *base = getenv("TEST_TMPDIR");
    memset(fed, 0, sizeof(*fed));
    (void)snprintf(fed->folder, sizeof(fed->folder), "%s/%s-XXXXXX", base == NULL ? "/tmp" : base,
                   name);
    assert_non_null(mkdtemp(fed->folder));
    fed->arena = lb_arena_new(LB_FILE_ARENA_BYTES * 2);
    assert_non_null(fed->arena);
    assert_ok(lb_sign_key_generate(LB_SIGN_ED25519, &fed->directory_key));
}

void fed_teardown(struct federation *fed)
{
    lb_trust_free(fed->trust);
    lb_sign_key_free(fed->directory_key);
    lb_arena_free(fed->arena);
    (void)nftw(fed->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

const char *fed_path(struct federation *fed, const char *name)
{
    const char *path = lb_arena_printf(fed->arena, "%s/%s", fed->folder, name);
    assert_non_null(path);
    return path;
}

void fed_write(struct federation *fed, const char *name, struct lb_span content)
{
    assert_ok(lb_file_write(fed_path(fed, name), content, 0600));
}

static struct lb_json *key_json(struct federation *fed, const struct lb_seal_key_entry *entry,
                                struct lb_span signature)
{
    struct lb_json *json = lb_json_object();
    lb_json_set_cstr(json, "id", entry->id);
    lb_json_set_cstr(json, "key", lb_b64url_encode(fed->arena, lb_span_of(entry->public_key, 32)));
    lb_json_set_int(json, "not_after", entry->not_after);
    if (entry->not_before != 0)
        lb_json_set_int(json, "not_before", entry->not_before);
    lb_json_set_str(json, "signature", signature);
    return json;
}

static struct lb_json *seal_keys(struct federation *fed, const struct fed_node *node)
{
    struct lb_seal_key_entry entry = {.id = "s1",
                                      .not_after = lb_clock_unix_s(lb_clock_system()) + 86400};
    struct lb_span signature = LB_SPAN_EMPTY;
    struct lb_json *list = lb_json_array();
    memcpy(entry.public_key, node->party->seal.public_key, 32);
    assert_ok(lb_seal_key_sign(node->spiffe, &entry, node->party->log_key, fed->arena,
                               &signature));
    lb_json_append(list, key_json(fed, &entry, signature));
    return list;
}

static struct lb_json *share_keys(struct federation *fed, const struct fed_node *node)
{
    int64_t now = lb_clock_unix_s(lb_clock_system());
    struct lb_seal_key_entry entries[] = {
        {.id = "m0", .not_after = now + 3600},
        {.id = "m1", .not_after = now + 86400, .not_before = now - FED_SHARE_AGE_S}};
    struct lb_json *list = lb_json_array();
    memcpy(entries[0].public_key, node->party->share_before.public_key, 32);
    memcpy(entries[1].public_key, node->party->share.public_key, 32);
    for (size_t i = 0; i < 2; i++) {
        struct lb_span signature = LB_SPAN_EMPTY;
        assert_ok(lb_share_key_sign(node->spiffe, &entries[i], node->party->log_key, fed->arena,
                                    &signature));
        lb_json_append(list, key_json(fed, &entries[i], signature));
    }
    return list;
}

static void add_nodes(struct federation *fed, const struct fed_options *options,
                      struct lb_json *root)
{
    struct lb_json *nodes = lb_json_array();
    for (size_t i = 0; i < options->num_nodes; i++) {
        const struct fed_node *from = &options->nodes[i];
        struct lb_json *node = lb_json_object();
        lb_json_set_cstr(node, "spiffe", from->spiffe);
        lb_json_set_cstr(node, "endpoint", "");
        lb_json_set_cstr(node, "log", fed_party_vkey(from->party, from->spiffe, fed->arena));
        lb_json_set(node, "seal", seal_keys(fed, from));
        if (strstr(from->spiffe, "/adapter/") != NULL)
            lb_json_set(node, "share", share_keys(fed, from));
        lb_json_append(nodes, node);
    }
    lb_json_set(root, "nodes", nodes);
}

static void add_issuers(struct federation *fed, const struct fed_options *options,
                        struct lb_json *root)
{
    struct lb_json *issuers = lb_json_array();
    for (size_t i = 0; i < options->num_issuers; i++) {
        const struct fed_issuer *from = &options->issuers[i];
        uint8_t raw[LB_P256_PUBLIC_BYTES];
        struct lb_json *issuer = lb_json_object();
        struct lb_json *kinds = lb_json_array();
        (void)lb_sign_key_public(from->party->issuer_key, raw);
        lb_json_set_cstr(issuer, "organization", from->organization);
        lb_json_set_cstr(issuer, "kid", from->kid);
        lb_json_set_cstr(issuer, "x", lb_b64url_encode(fed->arena, lb_span_of(raw, 32)));
        lb_json_set_cstr(issuer, "y", lb_b64url_encode(fed->arena, lb_span_of(raw + 32, 32)));
        for (size_t k = 0; from->kinds[k] != NULL; k++)
            lb_json_append_str(kinds, lb_span_str(from->kinds[k]));
        lb_json_set(issuer, "kinds", kinds);
        lb_json_set_cstr(issuer, "status", from->status);
        lb_json_append(issuers, issuer);
    }
    lb_json_set(root, "issuers", issuers);
}

static void add_listed(struct lb_json *root, const char *key, const struct fed_listed *list,
                       size_t num)
{
    static const uint8_t zeros[32];
    struct lb_json *items = lb_json_array();
    for (size_t i = 0; i < num; i++) {
        char hex[65];
        struct lb_json *item = lb_json_object();
        lb_hex_encode(lb_span_of(list[i].sha256 == NULL ? zeros : list[i].sha256, 32), hex);
        lb_json_set_cstr(item, "id", list[i].id);
        lb_json_set_int(item, "version", 1);
        lb_json_set_cstr(item, "sha256", hex);
        lb_json_append(items, item);
    }
    lb_json_set(root, key, items);
}

static void add_organizations(const struct fed_options *options, struct lb_json *root)
{
    struct lb_json *list = lb_json_array();
    for (size_t i = 0; options->organizations[i] != NULL; i++) {
        struct lb_json *organization = lb_json_object();
        lb_json_set_cstr(organization, "id", options->organizations[i]);
        lb_json_set_cstr(organization, "zh", "某机构");
        lb_json_set_cstr(organization, "en", options->organizations[i]);
        lb_json_append(list, organization);
    }
    lb_json_set(root, "organizations", list);
}

static struct lb_json *make_directory(struct federation *fed, const struct fed_options *options,
                                      struct lb_span ca)
{
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
    add_organizations(options, root);
    add_nodes(fed, options, root);
    add_issuers(fed, options, root);
    add_listed(root, "forms", options->forms, options->num_forms);
    add_listed(root, "rules", NULL, 0);
    add_listed(root, "views", options->views, options->num_views);
    return root;
}

static struct lb_span write_ca(struct federation *fed)
{
    const struct lb_ca_name name = {"Test", "Test CA"};
    int64_t now = lb_clock_unix_s(lb_clock_system());
    struct lb_span ca = LB_SPAN_EMPTY, key = LB_SPAN_EMPTY, crl = LB_SPAN_EMPTY;
    assert_ok(lb_ca_create(&name, now - 100, 30, fed->arena, &ca, &key));
    assert_ok(lb_ca_crl(ca, key, NULL, 0, 1, now - 100, now + 86400, fed->arena, &crl));
    fed_write(fed, "ca.pem", ca);
    fed_write(fed, "crl.pem", crl);
    return ca;
}

void fed_open(struct federation *fed, const struct fed_options *options)
{
    struct lb_span text = LB_SPAN_EMPTY, note = LB_SPAN_EMPTY;
    LB_DEFER(lb_json_freep) struct lb_json *root = make_directory(fed, options, write_ca(fed));
    assert_ok(lb_json_dump(root, LB_JSON_PRETTY, fed->arena, &text));
    const char *lines =
        lb_arena_printf(fed->arena, "%.*s\n", (int)text.len, (const char *)text.ptr);
    assert_ok(lb_note_sign(lb_span_str(lines), false, "test.gov/directory", fed->directory_key,
                           fed->arena, &note));
    fed_write(fed, "directory.note", note);
    const char *signer = vkey("test.gov/directory", fed->directory_key, fed->arena);
    const struct lb_trust_options trust = {
        .directory_path = fed_path(fed, "directory.note"),
        .directory_vkeys = &signer,
        .num_directory_vkeys = 1,
        .ca_path = fed_path(fed, "ca.pem"),
        .crl_path = fed_path(fed, "crl.pem"),
        .state_folder = fed_path(fed, "trust"),
        .clock = lb_clock_system(),
    };
    struct lb_diag diag = {""};
    lb_status status = lb_trust_new(&trust, &diag, &fed->trust);
    if (status != LB_OK)
        print_error("%s\n", diag.text);
    assert_ok(status);
}
