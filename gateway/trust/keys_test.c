#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "gateway/base/file.h"
#include "gateway/trust/fixture.h"
#include "gateway/trust/keys.h"

static struct fixture fx;

static int setup(void **state)
{
    (void)state;
    fx_setup(&fx);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fx_teardown(&fx);
    return 0;
}

static void assert_private(const char *path)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

static void test_sign_keys(void **state)
{
    (void)state;
    const enum lb_sign_alg algs[] = {LB_SIGN_ED25519, LB_SIGN_ES256};
    const char *path = fx_path(&fx, "key.pem");
    for (int i = 0; i < 2; i++) {
        struct lb_sign_key *key = NULL;
        struct lb_sign_key *again = NULL;
        uint8_t a[64];
        uint8_t b[64];
        assert_ok(lb_sign_key_generate(algs[i], &key));
        assert_ok(lb_keys_save_sign(path, key));
        assert_private(path);
        assert_ok(lb_keys_load_sign(path, algs[i], &again));
        assert_int_equal(lb_sign_key_public(key, a), lb_sign_key_public(again, b));
        assert_memory_equal(a, b, 32);
        lb_sign_key_free(again);
        again = NULL;
        assert_code(lb_keys_load_sign(path, algs[1 - i], &again), LB_MALFORMED);
        assert_int_equal(chmod(path, 0640), 0);
        assert_code(lb_keys_load_sign(path, algs[i], &again), LB_FILE_FAILED);
        assert_null(again);
        lb_sign_key_free(key);
    }
    struct lb_sign_key *none = NULL;
    assert_code(lb_keys_load_sign(fx_path(&fx, "none"), LB_SIGN_ES256, &none), LB_FILE_FAILED);
}

static void test_x25519(void **state)
{
    (void)state;
    const char *path = fx_path(&fx, "seal.key");
    struct lb_x25519_key key;
    struct lb_x25519_key again;
    assert_ok(lb_x25519_generate(&key));
    assert_ok(lb_keys_save_x25519(path, &key));
    assert_private(path);
    assert_ok(lb_keys_load_x25519(path, &again));
    assert_memory_equal(&key, &again, sizeof(key));
    assert_int_equal(chmod(path, 0644), 0);
    assert_code(lb_keys_load_x25519(path, &again), LB_FILE_FAILED);
}

static void test_bad_x25519(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "\n",
        "lianban-x25519-private",
        "lianban-x25519-private \n",
        "lianban-x25519-private AAAA\n",
        "lianban-x25519-public AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
        "lianban-x25519-private AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "lianban-x25519-private AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB\n",
        "lianban-x25519-private AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n\n",
        "lianban-x25519-private AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
    };
    const char *path = fx_path(&fx, "seal.key");
    struct lb_x25519_key key;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        fx_write(path, lb_span_str(bad[i]));
        assert_code(lb_keys_load_x25519(path, &key), LB_MALFORMED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sign_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(test_x25519, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_x25519, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
