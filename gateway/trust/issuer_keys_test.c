#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "gateway/base/file.h"
#include "gateway/crypto/b64.h"
#include "gateway/trust/fixture.h"
#include "gateway/trust/handover.h"
#include "gateway/trust/issuer_keys.h"
#include "gateway/trust/keys.h"

/* An issuer's key is replaced while the node runs. */

static struct fixture fx;
static struct lb_sign_key *second;
static struct lb_trust *trust;
static struct lb_issuer_keys *keys;
static struct lb_diag diag;

static struct lb_issuer_files files(void)
{
    return (struct lb_issuer_files){"h1", fx_path(&fx, "h1.pem"), fx_path(&fx, "issuer")};
}

static int setup(void **state)
{
    (void)state;
    fx_setup(&fx);
    assert_ok(lb_sign_key_generate(LB_SIGN_ES256, &second));
    fx_write_directory(&fx, fx_text(&fx, fx_directory(&fx, 1)));
    trust = fx_trust(&fx);
    const struct lb_issuer_files given = files();
    assert_ok(lb_file_mkdirs(given.folder));
    assert_ok(lb_keys_save_sign(given.path, fx.issuer_key));
    assert_ok(lb_keys_save_sign(fx_path(&fx, "issuer/h2.pem"), second));
    assert_ok(lb_issuer_keys_new(&given, "hall", trust, &diag, &keys));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lb_issuer_keys_free(keys);
    lb_trust_free(trust);
    lb_sign_key_free(second);
    fx_teardown(&fx);
    return 0;
}

static void tick(void)
{
    for (int i = 0; i < LB_SETTLE_TICKS; i++)
        lb_issuer_keys_tick(keys);
}

static void use(const char *text)
{
    assert_ok(lb_file_write(fx_path(&fx, "issuer/current"), lb_span_str(text), 0600));
}

static void publish_second(int version)
{
    uint8_t raw[LB_P256_PUBLIC_BYTES], first[LB_P256_PUBLIC_BYTES], signature[64];
    struct lb_json *directory = fx_directory(&fx, version);
    const struct lb_json *list = NULL;
    assert_ok(lb_json_get_array(directory, "issuers", &list));
    struct lb_json *both = lb_json_copy(list), *issuer = lb_json_copy(lb_json_at(list, 0));
    assert_int_equal(lb_sign_key_public(second, raw), 64);
    assert_int_equal(lb_sign_key_public(fx.issuer_key, first), 64);
    const struct lb_handover handover = {
        "hall/h1", lb_b64url_encode(fx.arena, lb_span_of(first, 64)), "hall/h2",
        lb_b64url_encode(fx.arena, lb_span_of(raw, 64))};
    assert_ok(lb_handover_sign(&handover, fx.issuer_key, fx.arena, signature));
    struct lb_json *before = lb_json_array(), *link = lb_json_object();
    lb_json_set_cstr(link, "kid", "h1");
    lb_json_set_cstr(link, "x", lb_b64url_encode(fx.arena, lb_span_of(first, 32)));
    lb_json_set_cstr(link, "y", lb_b64url_encode(fx.arena, lb_span_of(first + 32, 32)));
    lb_json_set_cstr(link, "signature", lb_b64url_encode(fx.arena, lb_span_of(signature, 64)));
    lb_json_append(before, link);
    lb_json_set_cstr(issuer, "kid", "h2");
    lb_json_set_cstr(issuer, "x", lb_b64url_encode(fx.arena, lb_span_of(raw, 32)));
    lb_json_set_cstr(issuer, "y", lb_b64url_encode(fx.arena, lb_span_of(raw + 32, 32)));
    lb_json_set(issuer, "before", before);
    lb_json_append(both, issuer);
    lb_json_set(directory, "issuers", both);
    fx_write_directory(&fx, fx_text(&fx, directory));
    lb_trust_reload(trust);
}

static void the_next_key_waits_for_the_directory(void **state)
{
    (void)state;
    assert_string_equal(lb_issuer_keys_now(keys)->kid, "h1");
    use("h2\n");
    tick();
    assert_string_equal(lb_issuer_keys_now(keys)->kid, "h1"); /* nobody could check it */
    const struct lb_issuer_key *old = lb_issuer_keys_now(keys);
    publish_second(2);
    lb_issuer_keys_tick(keys);
    assert_string_equal(lb_issuer_keys_now(keys)->kid, "h1"); /* not everybody may have it yet */
    tick();
    assert_string_equal(lb_issuer_keys_now(keys)->kid, "h2");
    uint8_t signature[LB_SIGNATURE_BYTES];
    assert_ok(lb_sign(old->key, lb_span_str("x"), signature)); /* whoever held it still may */
    use("h1\n");
    tick();
    assert_string_equal(lb_issuer_keys_now(keys)->kid, "h1");
}

static void what_cannot_be_used_changes_nothing(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "../h1", "h 2", "h3", "h2\nh1"};
    publish_second(2);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        use(wrong[i]);
        tick();
        assert_string_equal(lb_issuer_keys_now(keys)->kid, "h1");
    }
    use("h2");
    assert_int_equal(chmod(fx_path(&fx, "issuer/h2.pem"), 0644), 0);
    tick();
    assert_string_equal(lb_issuer_keys_now(keys)->kid, "h1");
    assert_int_equal(chmod(fx_path(&fx, "issuer/h2.pem"), 0600), 0);
    tick();
    assert_string_equal(lb_issuer_keys_now(keys)->kid, "h2");
}

static void a_start_begins_with_the_key_in_use(void **state)
{
    (void)state;
    const struct lb_issuer_files given = files();
    struct lb_issuer_keys *other = NULL;
    use("h2");
    assert_ok(lb_issuer_keys_new(&given, "hall", trust, &diag, &other));
    assert_string_equal(lb_issuer_keys_now(other)->kid, "h2");
    lb_issuer_keys_free(other);
    assert_int_equal(chmod(fx_path(&fx, "issuer/h2.pem"), 0640), 0);
    assert_code(lb_issuer_keys_new(&given, "hall", trust, &diag, &other), LB_CONFIG_INVALID);
    assert_non_null(strstr(diag.text, "mode 0600"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_next_key_waits_for_the_directory, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_used_changes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_start_begins_with_the_key_in_use, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
