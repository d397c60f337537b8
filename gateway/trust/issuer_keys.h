#ifndef GATEWAY_TRUST_ISSUER_KEYS_H
#define GATEWAY_TRUST_ISSUER_KEYS_H

#include "gateway/base/diag.h"
#include "gateway/trust/trust.h"

/*
 * The key an organization signs grants, status lists, mandates or operator tokens with, and how it
 * is replaced while the node runs: keys lie in a folder as <kid>.pem, and its file `current` names
 * the one in use. A node that sees another name there takes it up once the directory has listed
 * that very key for LB_SETTLE_TICKS, and until then goes on with the old one, so nothing is signed
 * that nobody can check: others read the same directory in their own second.
 */
#define LB_SETTLE_TICKS 3

struct lb_issuer_files {
    const char *kid;     /* the first key, used until the folder names another */
    const char *path;
    const char *folder;  /* NULL: there is no other */
};

/* lb_issuer_current says which key is in use by name and file. MALFORMED for a `current` that is no
 * name; FILE_FAILED; NO_MEMORY. */
LB_MUST lb_status lb_issuer_current(const struct lb_issuer_files *files, struct lb_arena *arena,
                                    const char **out_kid, const char **out_path);

struct lb_issuer_key {
    char kid[LB_MAX_NAME_BYTES + 1];
    struct lb_sign_key *key;
};

/* One that may be replaced; any thread. */
struct lb_issuer_keys;

/* lb_issuer_keys_new loads the key in use; texts are copied. FILE_FAILED or CONFIG_INVALID with a
 * sentence in diag; NO_MEMORY. */
LB_MUST lb_status lb_issuer_keys_new(const struct lb_issuer_files *files, const char *organization,
                                     struct lb_trust *trust, struct lb_diag *diag,
                                     struct lb_issuer_keys **out_keys);
/* lb_issuer_keys_free wipes and frees; NULL is allowed. */
void lb_issuer_keys_free(struct lb_issuer_keys *keys);
/* lb_issuer_keys_tick looks whether another key is to be used; once a second from one thread. At
 * most LB_ISSUER_MAX_CHANGES in the life of a process. */
#define LB_ISSUER_MAX_CHANGES 64
void lb_issuer_keys_tick(struct lb_issuer_keys *keys);
/* lb_issuer_keys_now borrows the one in use; it is good until lb_issuer_keys_free. */
const struct lb_issuer_key *lb_issuer_keys_now(const struct lb_issuer_keys *keys);

#endif
