#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/serve/fixture_attacks.h"
#include "gateway/token/status_list.h"

static void each_attack_is_refused_with_its_code(void **state)
{
    struct fixture *fx = *state;
    for (size_t i = 0; i < fx_num_attacks; i++) {
        struct fx_ask ask;
        struct fx_built built;
        struct lb_serve_answer answer;
        if (fx_attacks[i].consent)
            fx_ask_consent(fx, &ask);
        else
            fx_ask_honest(fx, &ask);
        fx_attacks[i].spoil(fx, &ask);
        fx_build(fx, &ask, &built);
        enum lb_code code = fx_send(fx, &built, &answer);
        if (code != fx_attacks[i].want)
            print_error("%s: %s, expected %s\n", fx_attacks[i].what, lb_code_name(code),
                        lb_code_name(fx_attacks[i].want));
        assert_code(code, fx_attacks[i].want);
        assert_int_equal(answer.sealed.len, 0);
        assert_true(answer.recorded);
    }
}

static void a_flipped_bit_anywhere_in_the_seal_is_refused(void **state)
{
    struct fixture *fx = *state;
    struct fx_ask ask;
    struct fx_built built;
    fx_ask_honest(fx, &ask);
    fx_build(fx, &ask, &built);
    uint8_t *bytes = built.request->sealed->ciphertext.data;
    for (size_t i = 0; i < built.request->sealed->ciphertext.len; i += 61) {
        bytes[i] ^= 0x10;
        assert_code(fx_send(fx, &built, NULL), LB_SEAL_BROKEN);
        bytes[i] ^= 0x10;
    }
    /* What the seal binds: the open part can't be changed by the broker. */
    built.request->deadline_unix_ms++;
    assert_code(fx_send(fx, &built, NULL), LB_SEAL_BROKEN);
    built.request->deadline_unix_ms--;
    built.request->answer_bytes++;
    assert_code(fx_send(fx, &built, NULL), LB_SEAL_BROKEN);
    built.request->answer_bytes--;
    built.request->txn.data[0] ^= 1;
    assert_code(fx_send(fx, &built, NULL), LB_SEAL_BROKEN);
    built.request->txn.data[0] ^= 1;
    built.request->sealed->seq++;
    assert_code(fx_send(fx, &built, NULL), LB_SEAL_BROKEN);
    built.request->sealed->seq--;
    assert_code(fx_send(fx, &built, NULL), LB_ANSWERED);
}

static void malformed_parts_are_refused(void **state)
{
    struct fixture *fx = *state;
    struct fx_ask ask;
    struct fx_built built;
    fx_ask_honest(fx, &ask);
    fx_build(fx, &ask, &built);
    Lianban__V1__Sealed *sealed = built.request->sealed;
    sealed->enc.len = 31;
    assert_code(fx_send(fx, &built, NULL), LB_MALFORMED);
    sealed->enc.len = 32;
    size_t len = sealed->ciphertext.len;
    sealed->ciphertext.len = 16;
    assert_code(fx_send(fx, &built, NULL), LB_MALFORMED);
    sealed->ciphertext.len = len - 1;
    assert_code(fx_send(fx, &built, NULL), LB_SEAL_BROKEN);
    sealed->ciphertext.len = len;
    built.request->answer_bytes = 1 << 20;
    assert_code(fx_send(fx, &built, NULL), LB_MALFORMED);
    built.request->answer_bytes = 1024;
    built.request->n_views = 0;
    assert_code(fx_send(fx, &built, NULL), LB_MALFORMED);
    built.request->n_views = 1;
    built.request->sealed = NULL;
    assert_code(fx_send(fx, &built, NULL), LB_MALFORMED);
    built.request->sealed = sealed;
    built.request->grant = (char *)(uintptr_t)"e30.e30.AA";
    assert_code(fx_send(fx, &built, NULL), LB_GRANT_MALFORMED);
}

static void withdrawal_stops_at_once_and_lists_never_go_back(void **state)
{
    struct fixture *fx = *state;
    struct fx_ask ask;
    struct fx_built built;
    fx_ask_consent(fx, &ask);
    fx_build(fx, &ask, &built);
    assert_code(fx_send(fx, &built, NULL), LB_ANSWERED);
    assert_ok(fx_status(fx, 10, LB_STATE_INVALID, 900));
    fx_ask_consent(fx, &ask);
    fx_build(fx, &ask, &built);
    assert_code(fx_send(fx, &built, NULL), LB_GRANT_REVOKED);
    assert_code(lb_status_code(fx_status(fx, 9, LB_STATE_VALID, 900)), LB_STATUS_STALE);
    assert_code(lb_status_code(fx_status(fx, 10, LB_STATE_VALID, 900)), LB_STATUS_FORK);
    assert_code(fx_send(fx, &built, NULL), LB_GRANT_REVOKED);
    assert_ok(fx_status(fx, 11, LB_STATE_SUSPENDED, 900));
    assert_code(fx_send(fx, &built, NULL), LB_GRANT_SUSPENDED);
    /* A list past its time refuses: a cut-off adapter stops by itself. */
    assert_ok(fx_status(fx, 12, LB_STATE_VALID, 1));
    (void)sleep(2);
    assert_code(fx_send(fx, &built, NULL), LB_STATUS_STALE);
    assert_ok(fx_status(fx, 13, LB_STATE_VALID, 900));
    assert_code(fx_send(fx, &built, NULL), LB_ANSWERED);
}

/* What was used of a grant is forgotten with the log: it must not be used once more. */
static void a_grant_of_before_a_recovery_is_refused(void **state)
{
    struct fixture *fx = *state;
    struct fx_ask ask;
    struct fx_built built;
    struct lb_serve_answer answer;
    fx->recovered_unix_s = lb_clock_unix_s(lb_clock_system()) - 100;
    fx_restart(fx);
    assert_ok(fx_status(fx, 20, LB_STATE_VALID, 900));
    for (int consent = 0; consent <= 1; consent++) {
        for (int late = 0; late <= 1; late++) {
            if (consent)
                fx_ask_consent(fx, &ask);
            else
                fx_ask_honest(fx, &ask);
            ask.grant.iat = ask.grant.nbf = fx->recovered_unix_s + LB_CLOCK_SKEW_S + late;
            fx_build(fx, &ask, &built);
            assert_code(fx_send(fx, &built, &answer),
                        late ? LB_ANSWERED : LB_GRANT_BEFORE_RECOVERY);
            assert_true(answer.recorded);
        }
    }
    fx->recovered_unix_s = 0;
    fx_restart(fx);
}

static int setup(void **state)
{
    static struct fixture fx;
    fx_setup(&fx);
    *state = &fx;
    return 0;
}

static int teardown(void **state)
{
    fx_teardown(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_attack_is_refused_with_its_code),
        cmocka_unit_test(a_flipped_bit_anywhere_in_the_seal_is_refused),
        cmocka_unit_test(malformed_parts_are_refused),
        cmocka_unit_test(withdrawal_stops_at_once_and_lists_never_go_back),
        cmocka_unit_test(a_grant_of_before_a_recovery_is_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
