#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/serve/fixture.h"
#include "gateway/crypto/hash.h"
#include "gateway/token/revocation.h"
#include "gateway/token/status_list.h"
#include "gateway/wire/pb.h"

/* What ends a grant here: its issuer's list, the citizen's own key, the department's officer. From
 * the entry about it on, nothing leaves under that grant, and it stays so. */

#define OFFICER "spiffe://test.gov/officer/tax/li"

static const uint8_t nonce[LB_REVOCATION_SALT_BYTES] = {3};

/* --- the citizen's key --- */

static struct lb_sign_key *new_key(struct fixture *fx, uint8_t out_commitment[32])
{
    struct lb_sign_key *key = NULL;
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    assert_ok(lb_sign_key_generate(LB_SIGN_ES256, &key));
    (void)lb_sign_key_public(key, raw);
    assert_ok(lb_subject_key(nonce, raw, fx->arena, out_commitment));
    return key;
}

static struct lb_span sign(struct fixture *fx, const struct fx_ask *ask,
                           const struct lb_sign_key *key)
{
    struct lb_span token = LB_SPAN_EMPTY;
    assert_ok(lb_revocation_sign(&ask->grant, nonce, lb_clock_unix_s(lb_clock_system()), key,
                                 fx->arena, &token));
    return token;
}

static void a_citizen_withdraws_without_an_office(void **state)
{
    struct fixture *fx = *state;
    struct fx_ask ask, other;
    struct lb_serve_ack ack;
    fx_ask_consent(fx, &ask);
    fx_ask_consent(fx, &other);
    struct lb_sign_key *key = new_key(fx, ask.grant.subject_key);
    ask.grant.has_subject_key = true;
    ask.section.max_uses = other.section.max_uses = 100;
    assert_code(fx_ask_again(fx, &ask), LB_ANSWERED);
    struct lb_span token = sign(fx, &ask, key);
    assert_ok(lb_serve_withdraw(fx->serve, ask.jwt, token, fx->arena, &ack));
    struct lb_leaf leaf = fx_leaf(fx, ack.index);
    uint8_t digest[32];
    lb_sha256(token, digest);
    assert_int_equal(leaf.type, LB_LEAF_ADMIN);
    assert_string_equal(leaf.code, "GRANT_WITHDRAWN");
    assert_memory_equal(leaf.request_hash, digest, 32);
    assert_memory_equal(ack.sha256, digest, 32);
    assert_code(fx_ask_again(fx, &ask), LB_GRANT_REVOKED);
    assert_code(fx_ask_again(fx, &other), LB_ANSWERED);
    /* Once more is fine, and a list that calls it valid brings nothing back; nor does a restart. */
    assert_ok(lb_serve_withdraw(fx->serve, ask.jwt, token, fx->arena, &ack));
    assert_ok(fx_status(fx, 50, LB_STATE_VALID, 900));
    assert_code(fx_ask_again(fx, &ask), LB_GRANT_REVOKED);
    fx_restart(fx);
    assert_ok(fx_status(fx, 51, LB_STATE_VALID, 900));
    assert_code(fx_ask_again(fx, &ask), LB_GRANT_REVOKED);
    assert_code(fx_ask_again(fx, &other), LB_ANSWERED);
    lb_sign_key_free(key);
}

static void a_stranger_ends_nothing(void **state)
{
    struct fixture *fx = *state;
    struct fx_ask ask, plain, foreign;
    struct lb_serve_ack ack;
    uint8_t spare[32];
    fx_ask_consent(fx, &ask);
    struct lb_sign_key *own = new_key(fx, ask.grant.subject_key);
    struct lb_sign_key *stranger = new_key(fx, spare);
    ask.grant.has_subject_key = true;
    ask.section.max_uses = 100;
    assert_code(fx_ask_again(fx, &ask), LB_ANSWERED);
    assert_code(lb_status_code(lb_serve_withdraw(fx->serve, ask.jwt, sign(fx, &ask, stranger),
                                                 fx->arena, &ack)),
                LB_SIGNATURE_INVALID);
    /* A grant that names no key, a withdrawal of another grant, an issuer nobody accepted. */
    fx_ask_consent(fx, &plain);
    assert_code(fx_ask_again(fx, &plain), LB_ANSWERED);
    assert_code(lb_status_code(lb_serve_withdraw(fx->serve, plain.jwt, sign(fx, &plain, own),
                                                 fx->arena, &ack)),
                LB_SIGNATURE_INVALID);
    assert_code(lb_status_code(lb_serve_withdraw(fx->serve, ask.jwt, sign(fx, &plain, own),
                                                 fx->arena, &ack)),
                LB_GRANT_MALFORMED);
    fx_ask_consent(fx, &foreign);
    foreign.grant.issuer = "stranger";
    foreign.grant.kid = "x1";
    foreign.grant_key = fx->stranger.issuer_key;
    foreign.grant.has_subject_key = true;
    memcpy(foreign.grant.subject_key, ask.grant.subject_key, 32);
    assert_code(fx_ask_again(fx, &foreign), LB_ISSUER_INERT);
    assert_code(lb_status_code(lb_serve_withdraw(fx->serve, foreign.jwt, sign(fx, &foreign, own),
                                                 fx->arena, &ack)),
                LB_ISSUER_INERT);
    assert_code(lb_status_code(lb_serve_withdraw(fx->serve, lb_span_str("x"), lb_span_str("y"),
                                                 fx->arena, &ack)),
                LB_GRANT_MALFORMED);
    assert_code(fx_ask_again(fx, &ask), LB_ANSWERED);
    lb_sign_key_free(own);
    lb_sign_key_free(stranger);
}

/* --- the department's officer --- */

static void an_officer_stops_even_a_mandate(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__StopGrantRequest request = LIANBAN__V1__STOP_GRANT_REQUEST__INIT;
    struct fx_ask ask, other;
    struct lb_serve_ack ack;
    fx_ask_honest(fx, &ask);
    fx_ask_honest(fx, &other);
    ask.section.max_uses = other.section.max_uses = 100;
    assert_code(fx_ask_again(fx, &ask), LB_ANSWERED);
    request.issuer = (char *)(uintptr_t)ask.grant.issuer;
    request.grant_id = (char *)(uintptr_t)ask.grant.jti;
    request.reason = (char *)(uintptr_t)"投诉 17 号";
    assert_ok(lb_serve_stop(fx->serve, OFFICER, &request, fx->arena, &ack));
    assert_string_equal(fx_leaf(fx, ack.index).code, "GRANT_STOPPED");
    assert_code(fx_ask_again(fx, &ask), LB_GRANT_REVOKED);
    assert_code(fx_ask_again(fx, &other), LB_ANSWERED);
    fx_restart(fx);
    assert_code(fx_ask_again(fx, &ask), LB_GRANT_REVOKED);
    /* Another issuer's grant of that number is another grant. */
    request.issuer = (char *)(uintptr_t)"consent-hall";
    request.grant_id = (char *)(uintptr_t)other.grant.jti;
    assert_ok(lb_serve_stop(fx->serve, OFFICER, &request, fx->arena, &ack));
    assert_code(fx_ask_again(fx, &other), LB_ANSWERED);
    static char long_name[LB_MAX_VALUE_BYTES + 2];
    memset(long_name, 'x', sizeof(long_name) - 1);
    char *const bad[] = {(char *)(uintptr_t)"", (char *)(uintptr_t)"a\nb", long_name,
                         (char *)(uintptr_t)"\xff"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        Lianban__V1__StopGrantRequest spoilt = request;
        spoilt.reason = bad[i];
        assert_code(lb_status_code(lb_serve_stop(fx->serve, OFFICER, &spoilt, fx->arena, &ack)),
                    LB_MALFORMED);
        spoilt = request;
        spoilt.grant_id = bad[i];
        assert_code(lb_status_code(lb_serve_stop(fx->serve, OFFICER, &spoilt, fx->arena, &ack)),
                    LB_MALFORMED);
    }
}

/* --- under load --- */

#define READERS 2
#define MAX_READS 100

struct reader {
    struct fixture *fx;
    pthread_t thread;
    size_t num;
    struct fx_built built[MAX_READS];
    size_t answered;
};

static void *read_all(void *arg)
{
    static const struct lb_hash route = {{1}};
    struct reader *reader = arg;
    for (size_t i = 0; i < reader->num; i++) {
        LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
        struct lb_serve_answer answer;
        if (lb_serve_read(reader->fx->serve, reader->built[i].request, &route, arena, &answer) ==
                LB_OK &&
            answer.code == LB_ANSWERED)
            reader->answered++;
    }
    return NULL;
}

/* In the log itself: behind the list's entry no release. */
static void nothing_leaves_behind_the_entry(void **state)
{
    static struct reader readers[READERS];
    struct fixture *fx = *state;
    struct fx_ask ask;
    struct lb_serve_ack ack;
    struct lb_log_head head;
    fx_ask_consent(fx, &ask);
    ask.section.max_uses = 100000;
    ask.deadline_ms = 50000;
    for (size_t r = 0; r < READERS; r++) {
        readers[r] = (struct reader){.fx = fx, .num = MAX_READS};
        for (size_t i = 0; i < readers[r].num; i++) {
            assert_ok(lb_crypto_random(ask.rid, sizeof(ask.rid)));
            assert_ok(lb_crypto_random(ask.txn, sizeof(ask.txn)));
            fx_build(fx, &ask, &readers[r].built[i]);
            struct lb_span own; /* the next one is made in the same place */
            assert_ok(lb_arena_copy(fx->arena, lb_span_of(ask.txn, sizeof(ask.txn)), &own));
            readers[r].built[i].request->txn = lb_pb_bytes(own);
        }
    }
    assert_ok(lb_log_head(fx->log, fx->arena, &head));
    uint64_t before = head.size;
    for (size_t r = 0; r < READERS; r++)
        assert_int_equal(pthread_create(&readers[r].thread, NULL, read_all, &readers[r]), 0);
    (void)usleep(30000);
    assert_ok(lb_serve_status_update(fx->serve, fx_list(fx, 1000, LB_STATE_INVALID, 900, 0),
                                     fx->arena, &ack));
    size_t answered = 0, refused_behind = 0;
    for (size_t r = 0; r < READERS; r++) {
        (void)pthread_join(readers[r].thread, NULL);
        answered += readers[r].answered;
    }
    assert_ok(lb_log_head(fx->log, fx->arena, &head));
    for (uint64_t i = before; i < head.size; i++) {
        struct lb_leaf leaf = fx_leaf(fx, i);
        if (leaf.type != LB_LEAF_READ)
            continue;
        if (i > ack.index) {
            assert_string_equal(leaf.code, "GRANT_REVOKED");
            refused_behind++;
        } else {
            assert_string_equal(leaf.code, "ANSWERED");
            answered--;
        }
    }
    assert_int_equal(answered, 0);
    assert_true(refused_behind > 0);
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

#define CASE(test_) cmocka_unit_test_setup_teardown(test_, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_citizen_withdraws_without_an_office),
        CASE(a_stranger_ends_nothing),
        CASE(an_officer_stops_even_a_mandate),
        CASE(nothing_leaves_behind_the_entry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
