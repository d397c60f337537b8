#ifndef GATEWAY_WITNESS_FIXTURE_H
#define GATEWAY_WITNESS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/witness/submit.h"
#include "gateway/witness/witness.h"

/* For tests: a log and three witnesses of it in folders of their own, with real keys and stores and
 * a clock in the test's hand. */

#define FX_ORIGIN "test.gov/adapter/tax"
#define FX_PEER "spiffe://test.gov/adapter/tax"
#define FX_NOW_MS INT64_C(1763700000000)
#define FX_WITNESSES 3

#define assert_ok(expr_) assert_string_equal(lb_code_name(lb_status_code(expr_)), "OK")
#define assert_code(expr_, code_)                                                                  \
    assert_string_equal(lb_code_name(lb_status_code(expr_)), lb_code_name(code_))

struct fixture;

/* One witness, and what happens to calls to it. */
struct fx_witness {
    const char *folder;
    const char *name;
    struct lb_sign_key *key;
    struct lb_witness *witness;
    bool away;            /* calls end with UNAVAILABLE */
    unsigned lies;        /* an answer it gives instead, with `lie`; 0 for the truth */
    const char *lie;
    struct lb_span shows; /* the evidence of that lie */
    bool mute;            /* it says what is true and shows no evidence */
    unsigned num_calls;
};

struct fixture {
    char root[256];
    const char *folder;   /* the log's */
    struct lb_sign_key *key;
    struct lb_note_verifier verifier;
    struct lb_clock_fixed clock;
    struct lb_arena *arena;
    struct lb_diag diag;
    struct lb_log *log;
    struct lb_log *own;   /* that of the witnesses */
    struct fx_witness witnesses[FX_WITNESSES];
    struct lb_witness_policy *policy;  /* two of the three */
    struct lb_submitter *submitter;
};

int fx_set_up(void **state);
int fx_tear_down(void **state);

/* fx_path joins below the root; the result is the fixture's. */
const char *fx_path(struct fixture *fx, const char *name);
/* fx_open_log opens or begins the log in a folder; the fixture's own is open from the start. */
struct lb_log *fx_open_log(struct fixture *fx, const char *folder);
/* fx_append adds num entries. */
void fx_append(struct lb_log *log, size_t num);
/* fx_head reads the newest checkpoint. */
struct lb_log_head fx_head(struct fixture *fx, struct lb_log *log);
/* fx_body makes an add-checkpoint body from old_size to the head of a log. */
struct lb_span fx_body(struct fixture *fx, struct lb_log *log, uint64_t old_size);
/* fx_copy copies a closed log's files to another folder below the root. */
void fx_copy(struct fixture *fx, const char *from, const char *to);

/* fx_open_witness opens witness i again from its folder. */
void fx_open_witness(struct fixture *fx, size_t i);
/* fx_ask gives a body to a witness in the log's name and returns the answer; *out_body, when
 * wanted, gets the answer's body. */
unsigned fx_ask(struct fixture *fx, size_t i, struct lb_span body, struct lb_span *out_body);

/* fx_submitter opens the submitter of a log in its folder: interval 10 s, alert 900 s, stop 3600 s.
 * Statuses of lb_submitter_new. */
lb_status fx_submitter(struct fixture *fx, struct lb_log *log, const char *folder);
/* fx_later moves both times on. */
void fx_later(struct fixture *fx, int64_t ms);

#endif
