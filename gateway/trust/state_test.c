#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/base/file.h"
#include "gateway/crypto/b64.h"
#include "gateway/trust/fixture.h"
#include "gateway/trust/state.h"

static struct fixture fx;

static int setup(void **state)
{
    (void)state;
    fx_setup(&fx);
    assert_ok(lb_file_mkdirs(fx.state_folder));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fx_teardown(&fx);
    return 0;
}

static lb_status admit_as(struct lb_json *json, bool commit, struct lb_diag *diag)
{
    struct lb_directory *directory = NULL;
    assert_ok(lb_directory_check_text(lb_span_str(fx_text(&fx, json)), FX_NOW, diag, &directory));
    lb_status status = lb_trust_admit(fx.state_folder, directory, commit, diag);
    lb_directory_unref(directory);
    return status;
}

static lb_status admit(struct lb_json *json)
{
    struct lb_diag diag;
    return admit_as(json, true, &diag);
}

static void test_versions(void **state)
{
    (void)state;
    assert_ok(admit(fx_directory(&fx, 5)));
    assert_ok(admit(fx_directory(&fx, 5)));
    assert_code(admit(fx_directory(&fx, 4)), LB_DIRECTORY_ROLLBACK);
    struct lb_json *other = fx_directory(&fx, 5);
    lb_json_set_int(other, "expires", FX_NOW + 5);
    assert_code(admit(other), LB_DIRECTORY_ROLLBACK);
    assert_ok(admit(fx_directory(&fx, 9)));
    assert_code(admit(fx_directory(&fx, 5)), LB_DIRECTORY_ROLLBACK);
}

static void test_no_commit(void **state)
{
    (void)state;
    struct lb_diag diag;
    assert_ok(admit_as(fx_directory(&fx, 9), false, &diag));
    assert_ok(admit(fx_directory(&fx, 5)));
    assert_ok(admit_as(fx_directory(&fx, 9), false, &diag));
    assert_ok(admit(fx_directory(&fx, 6)));
}

/* The adapter's node under a new log key, which also signs its sealing key anew. */
static struct lb_json *with_new_log_key(int64_t version)
{
    lb_sign_key_free(fx.log_key);
    assert_ok(lb_sign_key_generate(LB_SIGN_ED25519, &fx.log_key));
    return fx_directory(&fx, version);
}

static void accept_line(const char *name, const char *key)
{
    const char *text = lb_arena_printf(fx.arena, "# confirmed by telephone\n\n%s %s\n", name, key);
    fx_write(fx_path(&fx, "state/accept"), lb_span_str(text));
}

static void test_log_key_changes(void **state)
{
    (void)state;
    struct lb_diag diag;
    assert_ok(admit(fx_directory(&fx, 1)));
    assert_code(admit_as(with_new_log_key(2), true, &diag), LB_KEY_CHANGED);
    const char *vkey = fx_vkey(&fx, "example.gov/adapter/tax/one", fx.log_key);
    /* The sentence says the very line to add. */
    assert_non_null(strstr(diag.text, lb_arena_printf(fx.arena, "\"%s %s\"", FX_ADAPTER, vkey)));
    accept_line(FX_BROKER, vkey);
    assert_code(admit(fx_directory(&fx, 2)), LB_KEY_CHANGED);
    accept_line(FX_ADAPTER, fx.directory_vkey);
    assert_code(admit(fx_directory(&fx, 2)), LB_KEY_CHANGED);
    accept_line(FX_ADAPTER, vkey);
    assert_ok(admit(fx_directory(&fx, 2)));
    /* Accepted once, it is the known one, and the old file no longer matters. */
    assert_int_equal(unlink(fx_path(&fx, "state/accept")), 0);
    assert_ok(admit(fx_directory(&fx, 3)));
    assert_code(admit(with_new_log_key(4)), LB_KEY_CHANGED);
}

/* A log key that disappears would leave the node without evidence: it is a change too. */
static struct lb_json *without_log(int64_t version)
{
    struct lb_json *directory = fx_directory(&fx, version);
    struct lb_json *adapter = fx_node(directory, FX_ADAPTER);
    lb_json_set_cstr(adapter, "log", "");
    lb_json_set(adapter, "seal", lb_json_array());
    return directory;
}

static void test_log_key_disappears(void **state)
{
    (void)state;
    assert_ok(admit(fx_directory(&fx, 1)));
    assert_code(admit(without_log(2)), LB_KEY_CHANGED);
    accept_line(FX_ADAPTER, "-");
    assert_ok(admit(without_log(2)));
    assert_int_equal(unlink(fx_path(&fx, "state/accept")), 0);
    assert_ok(admit(with_new_log_key(3)));
    assert_code(admit(with_new_log_key(4)), LB_KEY_CHANGED);
}

/* A member that leaves and comes back is the member it was. */
static void test_absence_keeps_pins(void **state)
{
    (void)state;
    assert_ok(admit(fx_directory(&fx, 1)));
    struct lb_json *empty = fx_directory(&fx, 2);
    lb_json_set(empty, "nodes", lb_json_array());
    lb_json_set(empty, "issuers", lb_json_array());
    assert_ok(admit(empty));
    assert_code(admit(with_new_log_key(3)), LB_KEY_CHANGED);
}

static const char *issuer_value(void)
{
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    assert_int_equal(lb_sign_key_public(fx.issuer_key, raw), 64);
    return lb_b64url_encode(fx.arena, lb_span_of(raw, 64));
}

static void test_issuer_key_changes(void **state)
{
    (void)state;
    assert_ok(admit(fx_directory(&fx, 1)));
    lb_sign_key_free(fx.issuer_key);
    assert_ok(lb_sign_key_generate(LB_SIGN_ES256, &fx.issuer_key));
    assert_code(admit(fx_directory(&fx, 2)), LB_KEY_CHANGED);
    accept_line("hall/h2", issuer_value());
    assert_code(admit(fx_directory(&fx, 2)), LB_KEY_CHANGED);
    accept_line("hall/h1", issuer_value());
    assert_ok(admit(fx_directory(&fx, 2)));
}

/* The signer of directories cannot add a consent office's second key either; a new office it may
 * name, since nobody's policy names that one yet. */
static struct lb_json *with_issuer(int64_t version, const char *organization, const char *kid)
{
    const char *text = fx_text(&fx, fx_directory(&fx, version));
    text = fx_swap(&fx, text, "\"kid\": \"h1\"", lb_arena_printf(fx.arena, "\"kid\": \"%s\"", kid));
    text = fx_swap(&fx, text, "\"organization\": \"hall\"",
                   lb_arena_printf(fx.arena, "\"organization\": \"%s\"", organization));
    struct lb_json *json = NULL;
    assert_ok(lb_json_parse(lb_span_str(text), &json));
    return json;
}

static void test_further_issuer_key(void **state)
{
    (void)state;
    assert_ok(admit(fx_directory(&fx, 1)));
    assert_code(admit(with_issuer(2, "hall", "h2")), LB_KEY_CHANGED);
    assert_ok(admit(with_issuer(2, "hal", "h2")));
    assert_ok(admit(with_issuer(3, "hall2", "h2")));
    accept_line("hall/h2", issuer_value());
    assert_ok(admit(with_issuer(4, "hall", "h2")));
}

/* The tax office's adapter under another name, alone or beside the one that is known. */
static struct lb_json *with_adapter(int64_t version, const char *spiffe, bool alone)
{
    struct lb_json *directory = fx_directory(&fx, version);
    struct lb_json *other = lb_json_copy(fx_node(directory, FX_ADAPTER));
    const char *vkey = fx_vkey(&fx, lb_spiffe_log_origin(spiffe), fx.log_key);
    lb_json_set_cstr(other, "spiffe", spiffe);
    lb_json_set_cstr(other, "log", vkey);
    lb_json_set(other, "seal", lb_json_array());
    const struct lb_json *all = NULL;
    struct lb_json *nodes = lb_json_array();
    assert_ok(lb_json_get_array(directory, "nodes", &all));
    for (size_t i = 0; i < lb_json_len(all); i++)
        if (!alone || lb_json_at(all, i) != fx_node(directory, FX_ADAPTER))
            lb_json_append(nodes, lb_json_copy(lb_json_at(all, i)));
    lb_json_append(nodes, other);
    lb_json_set(directory, "nodes", nodes);
    return directory;
}

/* Whoever signs the directory can't turn a department's requests to an adapter of its own. */
static void test_further_adapter(void **state)
{
    (void)state;
    static const char *const names[] = {"spiffe://example.gov/adapter/tax",
                                        "spiffe://example.gov/adapter/tax/0",
                                        "spiffe://example.gov/adapter/tax/two"};
    assert_ok(admit(fx_directory(&fx, 1)));
    for (size_t i = 0; i < 3; i++) {
        assert_code(admit(with_adapter(2, names[i], false)), LB_KEY_CHANGED);
        assert_code(admit(with_adapter(2, names[i], true)), LB_KEY_CHANGED);
    }
    /* Another department, and another kind of member of the same, are new members like any. */
    assert_ok(admit(with_adapter(2, "spiffe://example.gov/adapter/tax-two/1", false)));
    assert_ok(admit(with_adapter(3, "spiffe://example.gov/auditor/tax/1", false)));
    accept_line(names[2], fx_vkey(&fx, "example.gov/adapter/tax/two", fx.log_key));
    assert_ok(admit(with_adapter(4, names[2], true)));
}

/* Absence of the adapter that is known does not make room for another. */
static void test_adapter_after_absence(void **state)
{
    (void)state;
    assert_ok(admit(fx_directory(&fx, 1)));
    assert_ok(admit(with_adapter(2, "spiffe://example.gov/adapter/health/1", true)));
    assert_code(admit(with_adapter(3, "spiffe://example.gov/adapter/tax/two", true)),
                LB_KEY_CHANGED);
}

static void test_damaged_state(void **state)
{
    (void)state;
    assert_ok(admit(fx_directory(&fx, 3)));
    const char *path = fx_path(&fx, "state/trust-state");
    struct lb_span good;
    assert_ok(lb_file_read(path, 1 << 20, fx.arena, &good));
    /* Cut anywhere: never taken for an empty memory, nor for one with fewer keys. */
    for (size_t len = 0; len < good.len; len++) {
        fx_write(path, lb_span_of(good.ptr, len));
        assert_code(admit(fx_directory(&fx, 4)), LB_CONFIG_INVALID);
    }
    static const char *const bad[] = {
        "lianban-trust-state/v2\nversion 1\nsha256 x\n",
        "lianban-trust-state/v1\nversion -1\n",
        "lianban-trust-state/v1\nversion 99999999999999999999\n",
        "lianban-trust-state/v1\nversion 1\nsha256 00\n",
        "\n",
        ("lianban-trust-state/v1\nversion 1\nsha256 "
         "0000000000000000000000000000000000000000000000000000000000000000\nend\nend\n"),
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        fx_write(path, lb_span_str(bad[i]));
        assert_code(admit(fx_directory(&fx, 4)), LB_CONFIG_INVALID);
    }
}

static void test_bad_accept(void **state)
{
    (void)state;
    assert_ok(admit(fx_directory(&fx, 3)));
    static const char *const bad[] = {"word\n", "a b c\n", " a b\n", "a \n"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        fx_write(fx_path(&fx, "state/accept"), lb_span_str(bad[i]));
        struct lb_diag diag;
        assert_code(admit_as(fx_directory(&fx, 4), true, &diag), LB_CONFIG_INVALID);
        assert_non_null(strstr(diag.text, "accept:1:"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_versions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_commit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_log_key_changes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_log_key_disappears, setup, teardown),
        cmocka_unit_test_setup_teardown(test_absence_keeps_pins, setup, teardown),
        cmocka_unit_test_setup_teardown(test_issuer_key_changes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_further_issuer_key, setup, teardown),
        cmocka_unit_test_setup_teardown(test_further_adapter, setup, teardown),
        cmocka_unit_test_setup_teardown(test_adapter_after_absence, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damaged_state, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_accept, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
