#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/base/file.h"
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

static void test_revoked_while_cached(void **state)
{
    (void)state;
    struct lb_trust *trust = fx_trust(&fx);
    struct lb_span broker = fx_issue(&fx, FX_BROKER, 3600);
    struct lb_span again = fx_issue(&fx, FX_BROKER, 3600);
    assert_ok(lb_trust_verify_peer(trust, FX_BROKER, broker));
    fx_write_crl(&fx, &broker, 1, 3600);
    lb_trust_reload(trust);
    assert_code(lb_trust_verify_peer(trust, FX_BROKER, broker), LB_PEER_REVOKED);
    assert_ok(lb_trust_verify_peer(trust, FX_BROKER, again));
    lb_trust_free(trust);
}

/* Overwritten in place, not renamed over: the inode is the same. */
static void test_crl_overwritten_in_place(void **state)
{
    (void)state;
    struct lb_trust *trust = fx_trust(&fx);
    struct lb_span broker = fx_issue(&fx, FX_BROKER, 3600);
    assert_ok(lb_trust_verify_peer(trust, FX_BROKER, broker));
    fx_write_crl(&fx, &broker, 1, 3600);
    struct lb_span revoking;
    assert_ok(lb_file_read(fx.crl_path, LB_MAX_CRL_BYTES, fx.arena, &revoking));
    fx_write_crl(&fx, NULL, 0, 3600);
    lb_trust_reload(trust);
    assert_ok(lb_trust_verify_peer(trust, FX_BROKER, broker));
    FILE *file = fopen(fx.crl_path, "r+b");
    assert_non_null(file);
    assert_int_equal(fwrite(revoking.ptr, 1, revoking.len, file), revoking.len);
    assert_int_equal(fclose(file), 0);
    lb_trust_reload(trust);
    assert_code(lb_trust_verify_peer(trust, FX_BROKER, broker), LB_PEER_REVOKED);
    lb_trust_free(trust);
}

static void test_crl_gone(void **state)
{
    (void)state;
    struct lb_trust *trust = fx_trust(&fx);
    struct lb_span broker = fx_issue(&fx, FX_BROKER, 3600);
    assert_ok(lb_trust_verify_peer(trust, FX_BROKER, broker));
    assert_int_equal(unlink(fx.crl_path), 0);
    lb_trust_reload(trust);
    assert_code(lb_trust_verify_peer(trust, FX_BROKER, broker), LB_CRL_STALE);
    fx_write(fx.crl_path, lb_span_str("garbage\n"));
    lb_trust_reload(trust);
    assert_code(lb_trust_verify_peer(trust, FX_BROKER, broker), LB_CRL_STALE);
    fx_write(fx.crl_path, LB_SPAN_EMPTY);
    lb_trust_reload(trust);
    assert_code(lb_trust_verify_peer(trust, FX_BROKER, broker), LB_CRL_STALE);
    fx_write_crl(&fx, NULL, 0, 3600);
    lb_trust_reload(trust);
    assert_ok(lb_trust_verify_peer(trust, FX_BROKER, broker));
    lb_trust_free(trust);
}

static void test_start_without_crl(void **state)
{
    (void)state;
    assert_int_equal(unlink(fx.crl_path), 0);
    struct lb_trust *trust = fx_trust(&fx);
    struct lb_span broker = fx_issue(&fx, FX_BROKER, 3600);
    assert_code(lb_trust_verify_peer(trust, FX_BROKER, broker), LB_CRL_STALE);
    lb_trust_free(trust);
}

/* A list, or a certificate, that passes its time is noticed at that second though the chain is
 * cached, and a clock that is set back brings nobody in again. */
static void test_ends_while_cached(void **state)
{
    (void)state;
    fx_write_crl(&fx, NULL, 0, 100);
    struct lb_trust *trust = fx_trust(&fx);
    struct lb_span broker = fx_issue(&fx, FX_BROKER, 3600);
    struct lb_span brief = fx_issue(&fx, FX_BROKER, 60); /* until FX_NOW + 10 */
    assert_ok(lb_trust_verify_peer(trust, FX_BROKER, broker));
    assert_ok(lb_trust_verify_peer(trust, FX_BROKER, brief));
    fx_advance(&fx, 9);
    assert_ok(lb_trust_verify_peer(trust, FX_BROKER, brief));
    fx_advance(&fx, 1);
    assert_code(lb_trust_verify_peer(trust, FX_BROKER, brief), LB_PEER_EXPIRED);
    fx_advance(&fx, 89);
    assert_ok(lb_trust_verify_peer(trust, FX_BROKER, broker));
    fx_advance(&fx, 1);
    assert_code(lb_trust_verify_peer(trust, FX_BROKER, broker), LB_CRL_STALE);
    fx_advance(&fx, -3600);
    assert_code(lb_trust_verify_peer(trust, FX_BROKER, broker), LB_PEER_UNVERIFIED);
    lb_trust_free(trust);
}

static void test_crl_of_another_ca(void **state)
{
    (void)state;
    struct lb_trust *trust = fx_trust(&fx);
    struct lb_span broker = fx_issue(&fx, FX_BROKER, 3600);
    const struct lb_ca_name name = {.organization = "Test", .common_name = "Test CA"};
    assert_ok(lb_ca_create(&name, FX_NOW - 100, 3650, fx.arena, &fx.ca_pem, &fx.ca_key));
    fx_write_crl(&fx, NULL, 0, 3600);
    lb_trust_reload(trust);
    assert_code(lb_trust_verify_peer(trust, FX_BROKER, broker), LB_CRL_STALE);
    lb_trust_free(trust);
}

/* More peers than the cache holds: all are judged right. */
static void test_many_peers(void **state)
{
    (void)state;
    struct lb_trust *trust = fx_trust(&fx);
    struct lb_span certs[40];
    for (size_t i = 0; i < 40; i++)
        certs[i] = fx_issue(&fx, i % 2 == 0 ? FX_BROKER : FX_ADAPTER, 3600);
    for (size_t round = 0; round < 3; round++) {
        for (size_t i = 0; i < 40; i++)
            assert_ok(lb_trust_verify_peer(trust, i % 2 == 0 ? FX_BROKER : FX_ADAPTER, certs[i]));
    }
    fx_write_crl(&fx, certs, 8, 3600);
    lb_trust_reload(trust);
    for (size_t i = 0; i < 40; i++)
        assert_code(lb_trust_verify_peer(trust, i % 2 == 0 ? FX_BROKER : FX_ADAPTER, certs[i]),
                    i < 8 ? LB_PEER_REVOKED : LB_CODE_OK);
    lb_trust_free(trust);
}

/* Judging goes on in other threads while the list and the directory change under it. */
struct judge {
    pthread_t thread;
    struct lb_trust *trust;
    struct lb_span cert;
    atomic_bool *stop;
    int passed, revoked, other;
};

static void *judge_until_stopped(void *context)
{
    struct judge *judge = context;
    while (!atomic_load(judge->stop)) {
        enum lb_code code =
            lb_status_code(lb_trust_verify_peer(judge->trust, FX_BROKER, judge->cert));
        judge->passed += code == LB_CODE_OK;
        judge->revoked += code == LB_PEER_REVOKED;
        judge->other += code != LB_CODE_OK && code != LB_PEER_REVOKED;
    }
    return NULL;
}

static void test_reload_under_load(void **state)
{
    (void)state;
    struct lb_trust *trust = fx_trust(&fx);
    struct lb_span broker = fx_issue(&fx, FX_BROKER, 3600);
    struct judge judges[3];
    atomic_bool stop = false;
    assert_ok(lb_trust_verify_peer(trust, FX_BROKER, broker));
    for (int i = 0; i < 3; i++) {
        judges[i] = (struct judge){.trust = trust, .cert = broker, .stop = &stop};
        assert_int_equal(pthread_create(&judges[i].thread, NULL, judge_until_stopped, &judges[i]),
                         0);
    }
    for (int i = 0; i < 10; i++) {
        fx_write_crl(&fx, &broker, i % 2 == 0 ? 1 : 0, 3600);
        fx_write_directory(&fx, fx_text(&fx, fx_directory(&fx, 4 + i)));
        lb_trust_reload(trust);
        lb_directory_unref(lb_trust_directory(trust));
        assert_code(lb_trust_verify_peer(trust, FX_BROKER, broker),
                    i % 2 == 0 ? LB_PEER_REVOKED : LB_CODE_OK);
    }
    atomic_store(&stop, true);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pthread_join(judges[i].thread, NULL), 0);
        assert_int_equal(judges[i].other, 0);
    }
    lb_trust_free(trust);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_revoked_while_cached, setup, teardown),
        cmocka_unit_test_setup_teardown(test_crl_overwritten_in_place, setup, teardown),
        cmocka_unit_test_setup_teardown(test_crl_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_start_without_crl, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ends_while_cached, setup, teardown),
        cmocka_unit_test_setup_teardown(test_crl_of_another_ca, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_peers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reload_under_load, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
