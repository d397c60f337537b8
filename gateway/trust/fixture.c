#include "gateway/trust/fixture.h"

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

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

void fx_setup(struct fixture *fx)
{
    memset(fx, 0, sizeof(*fx));
    const char *base = getenv("TEST_TMPDIR");
    (void)snprintf(fx->folder, sizeof(fx->folder), "%s/trust-XXXXXX", base == NULL ? "/tmp" : base);
    assert_non_null(mkdtemp(fx->folder));
    fx->arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    lb_clock_fixed_init(&fx->clock, FX_NOW * 1000);
    const struct lb_ca_name name = {.organization = "Test", .common_name = "Test CA"};
    assert_ok(lb_ca_create(&name, FX_NOW - 100, 3650, fx->arena, &fx->ca_pem, &fx->ca_key));
    assert_ok(lb_sign_key_generate(LB_SIGN_ED25519, &fx->directory_key));
    assert_ok(lb_sign_key_generate(LB_SIGN_ED25519, &fx->log_key));
    assert_ok(lb_sign_key_generate(LB_SIGN_ES256, &fx->issuer_key));
    fx->directory_vkey = fx_vkey(fx, "example.gov/directory", fx->directory_key);
    (void)snprintf(fx->directory_path, sizeof(fx->directory_path), "%s/directory", fx->folder);
    (void)snprintf(fx->ca_path, sizeof(fx->ca_path), "%s/ca.pem", fx->folder);
    (void)snprintf(fx->crl_path, sizeof(fx->crl_path), "%s/crl.pem", fx->folder);
    (void)snprintf(fx->state_folder, sizeof(fx->state_folder), "%s/state", fx->folder);
    fx_write(fx->ca_path, fx->ca_pem);
    fx_write_crl(fx, NULL, 0, 30 * 86400);
}

void fx_teardown(struct fixture *fx)
{
    lb_sign_key_free(fx->directory_key);
    lb_sign_key_free(fx->log_key);
    lb_sign_key_free(fx->issuer_key);
    lb_arena_free(fx->arena);
    (void)nftw(fx->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

char *fx_vkey(struct fixture *fx, const char *name, const struct lb_sign_key *key)
{
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    assert_int_equal(lb_sign_key_public(key, raw), 32);
    struct lb_note_verifier verifier = {0};
    assert_ok(lb_note_verifier_init(name, raw, &verifier));
    char *vkey = lb_note_verifier_format(&verifier, fx->arena);
    lb_note_verifier_cleanup(&verifier);
    assert_non_null(vkey);
    return vkey;
}

static struct lb_json *key_entry(struct fixture *fx, const struct lb_seal_key_entry *entry,
                                 struct lb_span signature)
{
    struct lb_json *json = lb_json_object();
    lb_json_set_cstr(json, "id", entry->id);
    lb_json_set_cstr(json, "key", lb_b64url_encode(fx->arena, lb_span_of(entry->public_key, 32)));
    lb_json_set_int(json, "not_after", entry->not_after);
    lb_json_set_str(json, "signature", signature);
    return json;
}

static struct lb_json *seal_entry(struct fixture *fx, const char *spiffe)
{
    const struct lb_seal_key_entry entry = {
        .id = "s1", .public_key = {5}, .not_after = FX_NOW + 1000};
    struct lb_span signature;
    assert_ok(lb_seal_key_sign(spiffe, &entry, fx->log_key, fx->arena, &signature));
    return key_entry(fx, &entry, signature);
}

struct lb_json *fx_share_keys(struct fixture *fx, const char *spiffe, uint8_t first)
{
    const struct lb_seal_key_entry entry = {
        .id = "m1", .public_key = {first}, .not_after = FX_NOW + 1000};
    struct lb_json *list = lb_json_array();
    struct lb_span signature;
    assert_ok(lb_share_key_sign(spiffe, &entry, fx->log_key, fx->arena, &signature));
    lb_json_append(list, key_entry(fx, &entry, signature));
    return list;
}

static struct lb_json *node(const char *spiffe, const char *endpoint, const char *log)
{
    struct lb_json *json = lb_json_object();
    lb_json_set_cstr(json, "spiffe", spiffe);
    lb_json_set_cstr(json, "endpoint", endpoint);
    lb_json_set_cstr(json, "log", log);
    return json;
}

static struct lb_json *nodes(struct fixture *fx)
{
    struct lb_json *list = lb_json_array();
    struct lb_json *window = node(FX_WINDOW, "", "");
    lb_json_set(window, "seal", lb_json_array());
    lb_json_append(list, window);
    struct lb_json *adapter = node(FX_ADAPTER, "127.0.0.1:7001",
                                   fx_vkey(fx, "example.gov/adapter/tax/one", fx->log_key));
    struct lb_json *seals = lb_json_array();
    lb_json_append(seals, seal_entry(fx, FX_ADAPTER));
    lb_json_set(adapter, "seal", seals);
    lb_json_append(list, adapter);
    struct lb_json *broker = node(FX_BROKER, "127.0.0.1:7000", "");
    lb_json_set(broker, "seal", lb_json_array());
    lb_json_append(list, broker);
    return list;
}

static struct lb_json *issuers(struct fixture *fx)
{
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    assert_int_equal(lb_sign_key_public(fx->issuer_key, raw), 64);
    struct lb_json *issuer = lb_json_object();
    lb_json_set_cstr(issuer, "organization", "hall");
    lb_json_set_cstr(issuer, "kid", "h1");
    lb_json_set_cstr(issuer, "x", lb_b64url_encode(fx->arena, lb_span_of(raw, 32)));
    lb_json_set_cstr(issuer, "y", lb_b64url_encode(fx->arena, lb_span_of(raw + 32, 32)));
    struct lb_json *kinds = lb_json_array();
    lb_json_append_str(kinds, lb_span_str("consent"));
    lb_json_set(issuer, "kinds", kinds);
    lb_json_set_cstr(issuer, "status", "https://hall.example/status/1");
    struct lb_json *list = lb_json_array();
    lb_json_append(list, issuer);
    return list;
}

static struct lb_json *listed(const char *id)
{
    struct lb_json *list = lb_json_array();
    for (int version = 2; version >= 1; version--) {
        struct lb_json *item = lb_json_object();
        lb_json_set_cstr(item, "id", id);
        lb_json_set_int(item, "version", version);
        lb_json_set_cstr(item, "sha256",
                         "00000000000000000000000000000000000000000000000000000000000000ff");
        lb_json_append(list, item);
    }
    return list;
}

struct lb_json *fx_directory(struct fixture *fx, int64_t version)
{
    uint8_t pin[32];
    char hex[65];
    assert_ok(lb_x509_ca_pin(fx->ca_pem, pin));
    lb_hex_encode(lb_span_of(pin, 32), hex);
    struct lb_json *root = lb_json_object();
    lb_json_set_cstr(root, "type", "lianban-directory/v1");
    lb_json_set_cstr(root, "federation", "example.gov");
    lb_json_set_int(root, "version", version);
    lb_json_set_int(root, "issued", FX_NOW - 10);
    lb_json_set_int(root, "expires", FX_NOW + 86400 * 365);
    struct lb_json *pins = lb_json_array();
    lb_json_append_str(pins, lb_span_str(hex));
    lb_json_set(root, "ca_pins", pins);
    struct lb_json *organization = lb_json_object();
    lb_json_set_cstr(organization, "id", "tax");
    lb_json_set_cstr(organization, "zh", "税务");
    lb_json_set_cstr(organization, "en", "Tax");
    struct lb_json *organizations = lb_json_array();
    lb_json_append(organizations, organization);
    lb_json_set(root, "organizations", organizations);
    lb_json_set(root, "nodes", nodes(fx));
    lb_json_set(root, "issuers", issuers(fx));
    lb_json_set(root, "forms", listed("social-assistance"));
    lb_json_set(root, "rules", listed("beijing"));
    lb_json_set(root, "views", listed("tax.income"));
    return root;
}

struct lb_json *fx_node(struct lb_json *directory, const char *spiffe)
{
    const struct lb_json *list = NULL;
    assert_ok(lb_json_get_array(directory, "nodes", &list));
    for (size_t i = 0; i < lb_json_len(list); i++) {
        const struct lb_json *item = lb_json_at(list, i);
        struct lb_span name;
        assert_ok(lb_json_get_str(item, "spiffe", &name));
        if (lb_span_is(name, spiffe))
            return (struct lb_json *)(uintptr_t)item;
    }
    fail();
    return NULL;
}

const char *fx_text(struct fixture *fx, struct lb_json *directory)
{
    struct lb_span text;
    assert_ok(lb_json_dump(directory, LB_JSON_PRETTY, fx->arena, &text));
    lb_json_free(directory);
    const char *line = lb_arena_printf(fx->arena, "%.*s\n", (int)text.len, (const char *)text.ptr);
    assert_non_null(line);
    return line;
}

struct lb_span fx_sign(struct fixture *fx, const char *text)
{
    struct lb_span note;
    assert_ok(lb_note_sign(lb_span_str(text), false, "example.gov/directory", fx->directory_key,
                           fx->arena, &note));
    return note;
}

void fx_write(const char *path, struct lb_span content)
{
    assert_ok(lb_file_write(path, content, 0600));
}

void fx_write_directory(struct fixture *fx, const char *text)
{
    fx_write(fx->directory_path, fx_sign(fx, text));
}

const char *fx_path(struct fixture *fx, const char *name)
{
    const char *path = lb_arena_printf(fx->arena, "%s/%s", fx->folder, name);
    assert_non_null(path);
    return path;
}

struct lb_span fx_issue(struct fixture *fx, const char *spiffe, int64_t lifetime_s)
{
    const struct lb_ca_issue_options options = {
        .spiffe = spiffe,
        .now_unix_s = FX_NOW - 50,
        .lifetime_s = lifetime_s,
    };
    struct lb_span cert;
    struct lb_span key;
    assert_ok(lb_ca_issue(fx->ca_pem, fx->ca_key, &options, fx->arena, &cert, &key));
    return cert;
}

void fx_write_crl(struct fixture *fx, const struct lb_span *revoked, size_t num,
                  int64_t lifetime_s)
{
    struct lb_ca_revoked list[8];
    assert_true(num <= 8);
    for (size_t i = 0; i < num; i++) {
        struct lb_cert_info info;
        assert_ok(lb_x509_info(revoked[i], &info));
        memcpy(list[i].serial_hex, info.serial_hex, sizeof(list[i].serial_hex));
        list[i].revoked_unix_s = FX_NOW - 1;
    }
    struct lb_span crl;
    assert_ok(lb_ca_crl(fx->ca_pem, fx->ca_key, list, num, ++fx->crl_number, FX_NOW - 60,
                        FX_NOW + lifetime_s, fx->arena, &crl));
    fx_write(fx->crl_path, crl);
}

const char *fx_swap(struct fixture *fx, const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    assert_non_null(at);
    char *swapped = lb_arena_printf(fx->arena, "%.*s%s%s", (int)(at - text), text, to,
                                    at + strlen(from));
    assert_non_null(swapped);
    return swapped;
}

lb_status fx_try_trust(struct fixture *fx, struct lb_diag *diag, struct lb_trust **out_trust)
{
    const char *const vkeys[] = {fx->directory_vkey};
    const struct lb_trust_options options = {
        .directory_path = fx->directory_path,
        .directory_vkeys = vkeys,
        .num_directory_vkeys = 1,
        .ca_path = fx->ca_path,
        .crl_path = fx->crl_path,
        .state_folder = fx->state_folder,
        .look_only = fx->look_only,
        .clock = &fx->clock.clock,
    };
    return lb_trust_new(&options, diag, out_trust);
}

struct lb_trust *fx_trust(struct fixture *fx)
{
    struct lb_diag diag = {{0}};
    struct lb_trust *trust = NULL;
    lb_status status = fx_try_trust(fx, &diag, &trust);
    if (status != LB_OK)
        print_error("%s\n", diag.text);
    assert_ok(status);
    return trust;
}

void fx_advance(struct fixture *fx, int64_t seconds)
{
    fx->clock.now_unix_ms += seconds * 1000;
    fx->clock.now_monotonic_ms += seconds * 1000;
}
