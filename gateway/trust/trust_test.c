#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/trust/fixture.h"

static struct fixture fx;

static int setup(void **state)
{
    (void)state;
    fx_setup(&fx);
    fx_write_directory(&fx, fx_text(&fx, fx_directory(&fx, 3)));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fx_teardown(&fx);
    return 0;
}

static uint64_t version_of(struct lb_trust *trust)
{
    struct lb_directory *directory = lb_trust_directory(trust);
    uint64_t version = directory->version;
    lb_directory_unref(directory);
    return version;
}

static void put_version(int64_t version)
{
    fx_write_directory(&fx, fx_text(&fx, fx_directory(&fx, version)));
}

/* --- start --- */

static void assert_start_fails(enum lb_code code, const char *sentence)
{
    struct lb_diag diag = {{0}};
    struct lb_trust *trust = NULL;
    assert_code(fx_try_trust(&fx, &diag, &trust), code);
    if (strstr(diag.text, sentence) == NULL)
        print_error("%s\n", diag.text);
    assert_non_null(strstr(diag.text, sentence));
    assert_null(trust);
}

static void test_start_refuses(void **state)
{
    (void)state;
    lb_trust_free(fx_trust(&fx));
    lb_trust_free(NULL);
    put_version(2);
    assert_start_fails(LB_DIRECTORY_ROLLBACK, "older than 3");
    const char *text = fx_text(&fx, fx_directory(&fx, 4));
    fx_write(fx.directory_path, lb_span_str(text));
    assert_start_fails(LB_DIRECTORY_INVALID, "directory:");
    assert_int_equal(unlink(fx.directory_path), 0);
    assert_start_fails(LB_FILE_FAILED, fx.directory_path);
    put_version(4);
    fx_write(fx.ca_path, lb_span_str("no certificate"));
    assert_start_fails(LB_CONFIG_INVALID, fx.ca_path);
    assert_int_equal(unlink(fx.ca_path), 0);
    assert_start_fails(LB_FILE_FAILED, fx.ca_path);
}

static void test_looking_leaves_no_trace(void **state)
{
    (void)state;
    fx.look_only = true;
    lb_trust_free(fx_trust(&fx));
    assert_int_not_equal(access(fx.state_folder, F_OK), 0);
    fx.look_only = false;
    lb_trust_free(fx_trust(&fx));
    put_version(5);
    fx.look_only = true;
    lb_trust_free(fx_trust(&fx));
    put_version(2);
    assert_start_fails(LB_DIRECTORY_ROLLBACK, "older than 3"); /* judged by what is remembered */
    put_version(4);
    fx.look_only = false;
    lb_trust_free(fx_trust(&fx)); /* 5 was only looked at */
}

static void test_start_bad_vkey(void **state)
{
    (void)state;
    fx.directory_vkey = lb_arena_printf(fx.arena, "example.gov/directory+00000000+AAAA");
    assert_start_fails(LB_CONFIG_INVALID, "directory key 1");
}

static void test_start_other_signer(void **state)
{
    (void)state;
    lb_sign_key_free(fx.directory_key);
    assert_ok(lb_sign_key_generate(LB_SIGN_ED25519, &fx.directory_key));
    put_version(4);
    assert_start_fails(LB_DIRECTORY_INVALID, "no key that may sign");
}

/* --- directory reload --- */

static void test_reload_directory(void **state)
{
    (void)state;
    struct lb_trust *trust = fx_trust(&fx);
    struct lb_directory *held = lb_trust_directory(trust);
    put_version(4);
    lb_trust_reload(trust);
    assert_int_equal(version_of(trust), 4);
    assert_int_equal(held->version, 3);  /* what was handed out stays as it was */
    lb_directory_unref(held);
    put_version(2);
    lb_trust_reload(trust);
    assert_int_equal(version_of(trust), 4);
    fx_write(fx.directory_path, lb_span_str("rubbish\n"));
    lb_trust_reload(trust);
    assert_int_equal(unlink(fx.directory_path), 0);
    lb_trust_reload(trust);
    assert_int_equal(version_of(trust), 4);
    struct lb_json *other = fx_directory(&fx, 4);
    lb_json_set_int(other, "expires", FX_NOW + 77);
    fx_write_directory(&fx, fx_text(&fx, other));
    lb_trust_reload(trust);
    struct lb_directory *directory = lb_trust_directory(trust);
    assert_int_not_equal(directory->expires, FX_NOW + 77);
    lb_directory_unref(directory);
    put_version(5);
    lb_trust_reload(trust);
    assert_int_equal(version_of(trust), 5);
    lb_trust_free(trust);
    /* The memory outlives the process. */
    put_version(4);
    assert_start_fails(LB_DIRECTORY_ROLLBACK, "older than 5");
}

static void test_reload_key_change(void **state)
{
    (void)state;
    struct lb_trust *trust = fx_trust(&fx);
    lb_sign_key_free(fx.log_key);
    assert_ok(lb_sign_key_generate(LB_SIGN_ED25519, &fx.log_key));
    put_version(4);
    lb_trust_reload(trust);
    assert_int_equal(version_of(trust), 3);
    /* The confirmation alone makes the waiting directory good. */
    const char *line = lb_arena_printf(fx.arena, "%s %s\n", FX_ADAPTER,
                                       fx_vkey(&fx, "example.gov/adapter/tax/one", fx.log_key));
    fx_write(fx_path(&fx, "state/accept"), lb_span_str(line));
    lb_trust_reload(trust);
    assert_int_equal(version_of(trust), 4);
    lb_trust_free(trust);
}

/* --- peers --- */

static void test_peer_good(void **state)
{
    (void)state;
    struct lb_trust *trust = fx_trust(&fx);
    struct lb_span broker = fx_issue(&fx, FX_BROKER, 3600);
    for (int i = 0; i < 3; i++)
        assert_ok(lb_trust_verify_peer(trust, FX_BROKER, broker));
    assert_ok(lb_trust_need_kind(trust, FX_BROKER, LB_NODE_BROKER));
    assert_code(lb_trust_need_kind(trust, FX_BROKER, LB_NODE_ADAPTER), LB_ROLE_NOT_ALLOWED);
    assert_code(lb_trust_need_kind(trust, "spiffe://example.gov/broker/b", LB_NODE_BROKER),
                LB_ROLE_NOT_ALLOWED);
    lb_trust_free(trust);
}

static void test_peer_refused(void **state)
{
    (void)state;
    struct lb_trust *trust = fx_trust(&fx);
    struct lb_span broker = fx_issue(&fx, FX_BROKER, 3600);
    assert_ok(lb_trust_verify_peer(trust, FX_BROKER, broker));
    /* Another id than the certificate's, also when its chain is cached. */
    assert_code(lb_trust_verify_peer(trust, FX_ADAPTER, broker), LB_PEER_UNVERIFIED);
    assert_code(lb_trust_verify_peer(trust, "", broker), LB_PEER_UNVERIFIED);
    struct lb_span stranger = fx_issue(&fx, "spiffe://example.gov/adapter/tax/two", 3600);
    assert_code(lb_trust_verify_peer(trust, "spiffe://example.gov/adapter/tax/two", stranger),
                LB_PEER_UNLISTED);
    assert_code(lb_trust_verify_peer(trust, FX_ADAPTER, stranger), LB_PEER_UNVERIFIED);
    struct lb_span expired = fx_issue(&fx, FX_BROKER, 10);
    assert_code(lb_trust_verify_peer(trust, FX_BROKER, expired), LB_PEER_EXPIRED);
    assert_code(lb_trust_verify_peer(trust, FX_BROKER, LB_SPAN_EMPTY), LB_PEER_UNVERIFIED);
    assert_code(lb_trust_verify_peer(trust, FX_BROKER, lb_span_str("junk")), LB_PEER_UNVERIFIED);
    assert_code(lb_trust_verify_peer(trust, FX_BROKER, lb_span_of(broker.ptr, broker.len / 2)),
                LB_PEER_UNVERIFIED);
    uint8_t *huge = lb_arena_alloc(fx.arena, LB_MAX_PEM_BYTES + 1);
    assert_code(lb_trust_verify_peer(trust, FX_BROKER, lb_span_of(huge, LB_MAX_PEM_BYTES + 1)),
                LB_PEER_UNVERIFIED);
    lb_trust_free(trust);
}

static void test_peer_of_another_ca(void **state)
{
    (void)state;
    struct lb_trust *trust = fx_trust(&fx);
    const struct lb_ca_name name = {.organization = "Test", .common_name = "Test CA"};
    struct lb_span theirs;
    assert_ok(lb_ca_create(&name, FX_NOW - 100, 3650, fx.arena, &fx.ca_pem, &fx.ca_key));
    theirs = fx_issue(&fx, FX_BROKER, 3600);
    assert_code(lb_trust_verify_peer(trust, FX_BROKER, theirs), LB_PEER_UNVERIFIED);
    /* The CA file alone makes no CA: the directory does not pin it. */
    fx_write(fx.ca_path, fx.ca_pem);
    fx_write_crl(&fx, NULL, 0, 3600);
    lb_trust_reload(trust);
    assert_code(lb_trust_verify_peer(trust, FX_BROKER, theirs), LB_PEER_UNVERIFIED);
    put_version(4);
    lb_trust_reload(trust);
    assert_ok(lb_trust_verify_peer(trust, FX_BROKER, theirs));
    lb_trust_free(trust);
}

static void test_peer_expires_while_cached(void **state)
{
    (void)state;
    struct lb_trust *trust = fx_trust(&fx);
    struct lb_span broker = fx_issue(&fx, FX_BROKER, 55);  /* until FX_NOW + 5 */
    assert_ok(lb_trust_verify_peer(trust, FX_BROKER, broker));
    fx_advance(&fx, 4);
    assert_ok(lb_trust_verify_peer(trust, FX_BROKER, broker));
    fx_advance(&fx, 1); /* as one that comes for the first time */
    assert_code(lb_trust_verify_peer(trust, FX_BROKER, broker), LB_PEER_EXPIRED);
    lb_trust_free(trust);
}

static void test_peer_leaves_directory(void **state)
{
    (void)state;
    struct lb_trust *trust = fx_trust(&fx);
    struct lb_span broker = fx_issue(&fx, FX_BROKER, 3600);
    assert_ok(lb_trust_verify_peer(trust, FX_BROKER, broker));
    struct lb_json *directory = fx_directory(&fx, 4);
    lb_json_set(directory, "nodes", lb_json_array());
    fx_write_directory(&fx, fx_text(&fx, directory));
    lb_trust_reload(trust);
    assert_code(lb_trust_verify_peer(trust, FX_BROKER, broker), LB_PEER_UNLISTED);
    lb_trust_free(trust);
}

static void test_directory_expires(void **state)
{
    (void)state;
    struct lb_json *directory = fx_directory(&fx, 4);
    lb_json_set_int(directory, "expires", FX_NOW + 8);
    fx_write_directory(&fx, fx_text(&fx, directory));
    struct lb_trust *trust = fx_trust(&fx);
    struct lb_span broker = fx_issue(&fx, FX_BROKER, 3600);
    assert_ok(lb_trust_verify_peer(trust, FX_BROKER, broker));
    fx_advance(&fx, 8);
    assert_code(lb_trust_verify_peer(trust, FX_BROKER, broker), LB_DIRECTORY_INVALID);
    assert_code(lb_trust_need_kind(trust, FX_BROKER, LB_NODE_BROKER), LB_DIRECTORY_INVALID);
    lb_trust_free(trust);
}

/* A remembered chain makes none of these pass: another's chain under the peer's name, its own
 * chain under another's, its own with a byte changed anywhere or one more behind it. */
static void test_a_remembered_chain_is_no_other(void **state)
{
    (void)state;
    struct lb_trust *trust = fx_trust(&fx);
    struct lb_span broker = fx_issue(&fx, FX_BROKER, 3600);
    struct lb_span adapter = fx_issue(&fx, FX_ADAPTER, 3600);
    for (int i = 0; i < 3; i++) {
        assert_ok(lb_trust_verify_peer(trust, FX_BROKER, broker));
        assert_ok(lb_trust_verify_peer(trust, FX_ADAPTER, adapter));
    }
    assert_code(lb_trust_verify_peer(trust, FX_BROKER, adapter), LB_PEER_UNVERIFIED);
    assert_code(lb_trust_verify_peer(trust, FX_ADAPTER, broker), LB_PEER_UNVERIFIED);
    struct lb_span copy;
    assert_ok(lb_arena_copy(fx.arena, broker, &copy));
    uint8_t *bytes = (uint8_t *)(uintptr_t)copy.ptr;
    size_t middle = copy.len / 2;
    bytes[middle] = bytes[middle] == 'A' ? 'B' : 'A';
    assert_code(lb_trust_verify_peer(trust, FX_BROKER, copy), LB_PEER_UNVERIFIED);
    assert_code(lb_trust_verify_peer(trust, FX_BROKER, lb_span_of(broker.ptr, broker.len / 2)),
                LB_PEER_UNVERIFIED);
    assert_ok(lb_trust_verify_peer(trust, FX_BROKER, broker));
    lb_trust_free(trust);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_start_refuses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_looking_leaves_no_trace, setup, teardown),
        cmocka_unit_test_setup_teardown(test_start_bad_vkey, setup, teardown),
        cmocka_unit_test_setup_teardown(test_start_other_signer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reload_directory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reload_key_change, setup, teardown),
        cmocka_unit_test_setup_teardown(test_peer_good, setup, teardown),
        cmocka_unit_test_setup_teardown(test_peer_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_peer_of_another_ca, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_remembered_chain_is_no_other, setup, teardown),
        cmocka_unit_test_setup_teardown(test_peer_expires_while_cached, setup, teardown),
        cmocka_unit_test_setup_teardown(test_peer_leaves_directory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_directory_expires, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
