#ifndef GATEWAY_CONSENT_FIXTURE_H
#define GATEWAY_CONSENT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/consent/consent.h"
#include "gateway/crypto/x25519.h"
#include "gateway/json/json.h"
#include "gateway/token/grant.h"

/* For tests: a federation with two windows, a consent office with a desk, another office, and the
 * adapters of two departments, in a temporary folder and under clocks that the test sets. */

#define FX_NOW INT64_C(1800000000)
#define FX_WINDOW "spiffe://example.gov/window/street-office"
#define FX_OTHER_WINDOW "spiffe://example.gov/window/village-office"
#define FX_OWN_WINDOW "spiffe://example.gov/window/hall"
#define FX_SOURCE_WINDOW "spiffe://example.gov/window/public-security"  /* its key begins with 40 */
#define FX_SERVER "spiffe://example.gov/consent/hall"
#define FX_DESK "spiffe://example.gov/consent/hall/desk-1"
#define FX_DESK_3 "spiffe://example.gov/consent/hall/desk-3"
#define FX_OTHER_DESK "spiffe://example.gov/consent/bank/desk-1"
#define FX_ADAPTER "spiffe://example.gov/adapter/public-security/one"
#define FX_LIST "https://hall.example/status/1"

/* 测试甲某 and 测试乙某; their identity numbers belong to nobody (region 990101). */
#define FX_ADULT_NAME "\xE6\xB5\x8B\xE8\xAF\x95\xE7\x94\xB2\xE6\x9F\x90"
#define FX_CHILD_NAME "\xE6\xB5\x8B\xE8\xAF\x95\xE4\xB9\x99\xE6\x9F\x90"

struct fixture {
    char folder[64];
    char store_path[96], log_folder[96], directory_path[96], ca_path[96], state_folder[96];
    struct lb_arena *arena;
    struct lb_diag diag;
    struct lb_clock_fixed clock;      /* of the office and its trust */
    struct lb_clock_fixed log_clock;
    struct lb_sign_key *directory_key, *issuer_key, *officer_key, *log_key, *window_key;
    struct lb_issuer_keys *issuer;
    struct lb_verify_key *issuer_public;
    struct lb_x25519_key officer;
    uint8_t pseudonym_key[32];
    struct lb_form_compiled *form;
    int64_t directory_version;
    bool has_officers;                /* does the hall list a key for its officers' tokens? */

    struct lb_trust *trust;
    struct lb_log *log;
    struct lb_consent *consent;

    char adult[19], other_adult[19], child[19], teen[19];
};

/* fx_setup starts everything; for cmocka. */
int fx_setup(void **state);
/* fx_setup_officers is fx_setup with a key of the hall's for its officers' tokens. */
int fx_setup_officers(void **state);
int fx_teardown(void **state);

/* fx_stop ends the office and its log; fx_start begins them again on the same files. */
void fx_stop(struct fixture *fx);
void fx_start(struct fixture *fx);
struct lb_consent_options fx_options(struct fixture *fx);
/* fx_advance moves both clocks. */
void fx_advance(struct fixture *fx, int64_t seconds);
/* fx_id makes a valid number of somebody born on YYYYMMDD. */
void fx_id(const char *birth, const char *sequence, char out[19]);

/* fx_directory builds the next directory as JSON, fx_publish signs it and makes it believed. */
struct lb_json *fx_directory(struct fixture *fx);
void fx_publish(struct fixture *fx, struct lb_json *directory);
/* fx_drop_node takes a node out of it. */
void fx_drop_node(struct lb_json *directory, const char *spiffe);
/* fx_drop_view takes every version of a view out of it. */
void fx_drop_view(struct lb_json *directory, const char *id);
const char *fx_form_text(void);

/* Messages that are right; tests spoil them. */
Lianban__V1__GrantRequest fx_request(struct fixture *fx);
/* fx_child_request is for the child, with the adult as guardian; `guardian` must outlive it. */
Lianban__V1__GrantRequest fx_child_request(struct fixture *fx, Lianban__V1__Guardian *guardian);
Lianban__V1__ConfirmRequest fx_confirm(struct fixture *fx, const char *request_id);

/* fx_agent makes an agent for public security, with a paper for a week; fx_relative a child of the
 * dead. */
void fx_agent(struct fixture *fx, Lianban__V1__Representative *agent);
void fx_relative(struct fixture *fx, Lianban__V1__Representative *relative);
/* fx_decide confirms as it stands. */
lb_status fx_decide(struct fixture *fx, const char *desk,
                    const Lianban__V1__ConfirmRequest *confirm,
                    Lianban__V1__ConfirmResponse **out);
/* A grant taken apart and verified under the office's key. */
struct fx_opened {
    struct lb_grant grant;
    struct lb_section sections[4];
    size_t num;
};
void fx_open(struct fixture *fx, char *request_id, struct fx_opened *out);

/* fx_file files a request that must succeed and returns its id; fx_agree confirms it and returns
 * the grant's id. */
char *fx_file(struct fixture *fx, const Lianban__V1__GrantRequest *request);
char *fx_agree(struct fixture *fx, char *request_id);
/* fx_fetch gets the outcome for the window. */
lb_status fx_fetch(struct fixture *fx, const char *caller, char *request_id,
                   Lianban__V1__GetGrantResponse **out);
lb_status fx_revoke(struct fixture *fx, const char *desk, char *grant_id, char *id_no,
                    uint64_t *out_seq, struct lb_span *out_token);

/* fx_change does what the adult may at the desk. */
lb_status fx_change(struct fixture *fx, char *grant_id, Lianban__V1__RevokeRequest__Action action,
                    struct lb_consent_push *out_push);

/* fx_entries counts entries of the log with a code; the log is closed and opened for it, so that
 * aggregated denials are written. */
size_t fx_entries(struct fixture *fx, const char *code);
/* fx_holds says whether any file under the folder holds the bytes. */
bool fx_holds(struct fixture *fx, struct lb_span bytes);
/* fx_count runs a query for one number on the store; the office must be stopped. */
int64_t fx_count(struct fixture *fx, const char *sql);
/* fx_exec changes the store behind the office's back; it must be stopped. */
void fx_exec(struct fixture *fx, const char *sql);
/* fx_text gives a query's one text. */
const char *fx_text(struct fixture *fx, const char *sql);

#define assert_code(status_, code_)                                                                \
    assert_string_equal(lb_code_name(lb_status_code(status_)), lb_code_name(code_))
#define assert_ok(status_) assert_string_equal(lb_code_name(lb_status_code(status_)), "OK")

#endif
