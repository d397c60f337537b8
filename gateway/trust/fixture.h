#ifndef GATEWAY_TRUST_FIXTURE_H
#define GATEWAY_TRUST_FIXTURE_H

#include "gateway/base/clock.h"
#include "gateway/crypto/x509.h"
#include "gateway/json/json.h"
#include "gateway/trust/directory.h"
#include "gateway/trust/trust.h"

/* For tests: a federation in a temporary folder, with a CA, a signed directory, and a clock to
 * set. */

#define FX_NOW INT64_C(1800000000)
#define FX_BROKER "spiffe://example.gov/broker/hub"
#define FX_ADAPTER "spiffe://example.gov/adapter/tax/one"
#define FX_WINDOW "spiffe://example.gov/window/street-office"

struct fixture {
    char folder[256];
    struct lb_arena *arena;
    struct lb_clock_fixed clock;
    struct lb_span ca_pem, ca_key;
    struct lb_sign_key *directory_key;
    char *directory_vkey;
    struct lb_sign_key *log_key;     /* of the adapter */
    struct lb_sign_key *issuer_key;  /* of the consent office "hall" */
    uint64_t crl_number;
    char directory_path[288], ca_path[288], crl_path[288], state_folder[288];
    bool look_only;                  /* for fx_try_trust */
};

void fx_setup(struct fixture *fx);
void fx_teardown(struct fixture *fx);

/* fx_directory builds a directory of that version: broker, adapter (log and sealing key), window,
 * one issuer. The caller may change it before fx_text. */
struct lb_json *fx_directory(struct fixture *fx, int64_t version);
/* fx_text prints it, frees it, and ends it with a line feed. */
const char *fx_text(struct fixture *fx, struct lb_json *directory);
/* fx_sign makes the note; fx_write_directory signs and puts it in place. */
struct lb_span fx_sign(struct fixture *fx, const char *text);
void fx_write_directory(struct fixture *fx, const char *text);
void fx_write(const char *path, struct lb_span content);
const char *fx_path(struct fixture *fx, const char *name);

/* fx_issue makes a certificate by the fixture's CA. */
struct lb_span fx_issue(struct fixture *fx, const char *spiffe, int64_t lifetime_s);
/* fx_write_crl signs and puts in place a CRL over these certificates. */
void fx_write_crl(struct fixture *fx, const struct lb_span *revoked, size_t num,
                  int64_t lifetime_s);

/* fx_node finds a node's object in the built directory. */
struct lb_json *fx_node(struct lb_json *directory, const char *spiffe);
char *fx_vkey(struct fixture *fx, const char *name, const struct lb_sign_key *key);
/* fx_share_keys makes a node's `share` with one key, m1, signed for a SPIFFE id; its public half is
 * `first` and zeros. */
struct lb_json *fx_share_keys(struct fixture *fx, const char *spiffe, uint8_t first);
/* fx_swap replaces the first `from` in a text by `to`; the test fails if there is none. */
const char *fx_swap(struct fixture *fx, const char *text, const char *from, const char *to);

/* fx_try_trust is lb_trust_new over the fixture's files; fx_trust insists that it succeeds.
 * fx_advance moves both clocks. */
lb_status fx_try_trust(struct fixture *fx, struct lb_diag *diag, struct lb_trust **out_trust);
struct lb_trust *fx_trust(struct fixture *fx);
void fx_advance(struct fixture *fx, int64_t seconds);

#define assert_code(status, code)                                                                  \
    assert_string_equal(lb_code_name(lb_status_code(status)), lb_code_name(code))
#define assert_ok(status) assert_string_equal(lb_code_name(lb_status_code(status)), "OK")

#endif
