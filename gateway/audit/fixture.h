#ifndef GATEWAY_AUDIT_FIXTURE_H
#define GATEWAY_AUDIT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/audit/build.h"
#include "gateway/evidence/log.h"

#define assert_ok(expr_) assert_string_equal(lb_code_name(lb_status_code(expr_)), "OK")
#define assert_code(expr_, code_)                                                                  \
    assert_string_equal(lb_code_name(lb_status_code(expr_)), lb_code_name(code_))

#define FX_ORIGIN "example/adapter/tax"
#define FX_FIRST_MS 1782892800000 /* 2026-07-01T08:00:00Z */
#define FX_STEP_MS 60000
#define FX_SUBJECTS 13
#define FX_ACTORS 5

/* A folder of its own, a log in it with entries that follow from their number, and an index. */
struct fx_audit {
    char root[256];
    char log[300];
    char index[300];
    struct lb_sign_key *key;
    struct lb_note_verifier verifier;
    struct lb_x25519_key officer;
    struct lb_clock_fixed clock;
    struct lb_diag diag;
    struct lb_arena *arena;
};

/* What entry number i says; texts are literals or in the arena. */
struct fx_entry {
    enum lb_leaf_type type;
    const char *code, *inner, *actor, *purpose, *basis, *case_no, *view, *field;
    bool has_subject;
    unsigned subject;
    int class_max;
    enum lb_audit_decision decision;
};

/* fx_set_up and fx_tear_down are for cmocka; the folder goes with the fixture. */
int fx_set_up(void **state);
int fx_tear_down(void **state);

struct fx_entry fx_entry(struct fx_audit *fx, uint64_t i);
void fx_subject(unsigned subject, uint8_t out[32]);
/* fx_open opens the log (its end is wherever it was left); fx_append adds entries number
 * from..to-1. */
struct lb_log *fx_open(struct fx_audit *fx);
void fx_append(struct fx_audit *fx, struct lb_log *log, uint64_t from, uint64_t to);
void fx_erase(struct lb_log *log, unsigned subject);
/* fx_review adds an officer's query about a subject. */
void fx_review(struct fx_audit *fx, struct lb_log *log, unsigned subject);
/* fx_fill writes a whole log of num entries and closes it. */
void fx_fill(struct fx_audit *fx, uint64_t num);

/* fx_build opens the index and follows once. */
lb_status fx_build(struct fx_audit *fx, bool rebuild, struct lb_audit_progress *out);
struct lb_audit_index *fx_index(struct fx_audit *fx);
/* fx_dump writes the index's rows as text, for comparing two indexes. */
const char *fx_dump(struct fx_audit *fx);

#endif
