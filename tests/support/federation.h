#ifndef TESTS_SUPPORT_FEDERATION_H
#define TESTS_SUPPORT_FEDERATION_H

#include "gateway/crypto/x25519.h"
#include "gateway/json/json.h"
#include "gateway/trust/trust.h"

/* For tests: a small federation in a temporary folder, with a CA, a CRL and a signed directory.
 * Real keys; the caller says which members and issuers there are. */

/* A member's keys. */
struct fed_party {
    struct lb_sign_key *log_key;
    struct lb_sign_key *issuer_key;
    struct lb_x25519_key seal;
    struct lb_x25519_key share;  /* listed, as m1, for adapters only */
    struct lb_x25519_key share_before;  /* m0, for runs that began before m1 did */
};

void fed_party_make(struct fed_party *party);
void fed_party_free(struct fed_party *party);
/* fed_party_vkey is the verifier key of the party's log under a node's name. */
const char *fed_party_vkey(const struct fed_party *party, const char *spiffe,
                           struct lb_arena *arena);

#define FED_SHARE_AGE_S 1800 /* since when share keys m1 are used */

struct fed_node {
    const char *spiffe;
    const struct fed_party *party;
};

struct fed_issuer {
    const char *organization;
    const char *kid;
    const struct fed_party *party;
    const char *kinds[3];   /* NULL-terminated */
    const char *status;     /* "" for none */
};

struct fed_listed {
    const char *id;
    const uint8_t *sha256;  /* NULL: zeros */
};

struct fed_options {
    const struct fed_node *nodes;
    size_t num_nodes;
    const struct fed_issuer *issuers;
    size_t num_issuers;
    const char *const *organizations;  /* NULL-terminated */
    const struct fed_listed *forms;    /* version 1 each */
    size_t num_forms;
    const struct fed_listed *views;
    size_t num_views;
};

struct federation {
    char folder[256];
    struct lb_arena *arena;
    struct lb_sign_key *directory_key;
    struct lb_trust *trust;
};

/* fed_setup makes the folder; fed_open writes everything and opens `trust`; fed_teardown removes
 * all. The federation's name is test.gov. */
void fed_setup(struct federation *fed, const char *name);
void fed_open(struct federation *fed, const struct fed_options *options);
void fed_teardown(struct federation *fed);
/* fed_path names a file in the folder; fed_write writes one with mode 0600. */
const char *fed_path(struct federation *fed, const char *name);
void fed_write(struct federation *fed, const char *name, struct lb_span content);

/* A log that is lost: its key, and how far whom saw it; and the key of the one that follows. */
struct fed_loss {
    const char *spiffe;
    const struct lb_sign_key *lost, *next;
    const char *seen_by;
    uint64_t size;
    uint8_t root[32];
};
/* fed_recover publishes the directory in which that one follows, confirmed and believed by `trust`
 * when it returns. Once for a federation. */
void fed_recover(struct federation *fed, const struct fed_loss *loss);

#define assert_code(code_, want_)                                                                  \
    assert_string_equal(lb_code_name(code_), lb_code_name(want_))
#define assert_ok(status_) assert_string_equal(lb_code_name(lb_status_code(status_)), "OK")

#endif
