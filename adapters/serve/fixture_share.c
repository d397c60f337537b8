#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/serve/fixture_share.h"
#include "gateway/crypto/hash.h"
#include "gateway/share/share.h"
#include "gateway/wire/pb.h"

void fx_run_begin(struct fx_run *run, const char *const *ids, size_t num)
{
    assert_ok(lb_crypto_random(run->nonce, sizeof(run->nonce)));
    lianban__v1__share_run__init(&run->wire);
    run->wire.nonce = lb_pb_bytes(lb_span_of(run->nonce, sizeof(run->nonce)));
    run->wire.started = lb_clock_unix_s(lb_clock_system());
    run->wire.slot = (char *)(uintptr_t) "income12";
    run->wire.persons = run->wires;
    run->wire.n_persons = num;
    for (size_t i = 0; i < num; i++) {
        lb_subject_commitment((const uint8_t *)FX_SALT, ids[i], run->persons[i]);
        run->wires[i] = lb_pb_bytes(lb_span_of(run->persons[i], 32));
    }
}

void fx_share_send(struct fixture *fx, struct fx_ask *ask, struct fx_share *out)
{
    struct fx_built built;
    struct lb_serve_answer answer;
    memset(out, 0, sizeof(*out));
    out->inner = "";
    assert_ok(lb_crypto_random(ask->txn, sizeof(ask->txn)));
    fx_build(fx, ask, &built);
    out->outer = fx_send(fx, &built, &answer);
    if (out->outer != LB_ANSWERED) {
        assert_int_equal(answer.sealed.len, 0);
        return;
    }
    Lianban__V1__SealedAnswer *opened = fx_open(fx, &built, &answer);
    out->inner = opened->code;
    out->set = lb_pb_span(opened->share_set);
    assert_int_equal(opened->n_facts, strcmp(opened->code, "OK") == 0 ? 1 : 0);
    if (opened->n_facts == 1)
        out->fact = opened->facts[0];
}

void fx_share_ask(struct fixture *fx, struct fx_ask *ask, struct fx_run *run, uint32_t index,
                    const char *id_no)
{
    fx_ask_share(fx, ask);
    ask->id_no = ask->granted_id = id_no;
    run->wire.index = index;
    ask->share = &run->wire;
}

void fx_share_get(struct fixture *fx, struct fx_run *run, uint32_t index, const char *id_no,
                      struct fx_share *out)
{
    struct fx_ask ask;
    fx_share_ask(fx, &ask, run, index, id_no);
    fx_share_send(fx, &ask, out);
}

uint64_t fx_share_need(struct fixture *fx, struct fx_run *run, uint32_t index, const char *id_no)
{
    struct fx_share got;
    fx_share_get(fx, run, index, id_no, &got);
    assert_code(got.outer, LB_ANSWERED);
    assert_string_equal(got.inner, "OK");
    assert_int_equal(got.fact->state, LIANBAN__V1__FACT__STATE__OK);
    assert_int_equal(got.fact->kind, LIANBAN__V1__FACT__KIND__NUMBER);
    assert_int_equal(got.set.len, LB_SHARE_SET_BYTES);
    return (uint64_t)got.fact->number;
}

void fx_share_inner(struct fixture *fx, struct fx_run *run, uint32_t index, const char *id_no,
                          enum lb_code code)
{
    struct fx_share got;
    fx_share_get(fx, run, index, id_no, &got);
    assert_code(got.outer, LB_ANSWERED);
    assert_string_equal(got.inner, lb_code_name(code));
}

const char *const fx_couple[2] = {FX_ADULT, FX_OTHER_ADULT};

void fx_share_outer(struct fixture *fx, struct fx_run *run, uint32_t index, const char *id_no,
                    enum lb_code code)
{
    struct fx_share got;
    fx_share_get(fx, run, index, id_no, &got);
    assert_code(got.outer, code);
}
