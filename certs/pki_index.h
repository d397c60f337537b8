#ifndef CERTS_PKI_INDEX_H
#define CERTS_PKI_INDEX_H

#include "gateway/base/arena.h"
#include "gateway/crypto/x509.h"
#include "gateway/store/store.h"

/*
 * Inside certs: what a CA has issued and revoked, in `<folder>/index.db`. A certificate is recorded
 * before it leaves the CA, so that none exists which cannot be revoked; CRL numbers only rise.
 */
struct lb_pki_entry {
    const char *serial_hex;
    const char *spiffe;
    const char *names;  /* DNS names and addresses, one a line */
    int64_t not_before_unix_s;
    int64_t not_after_unix_s;
    int64_t revoked_unix_s;  /* 0: it is not */
};

struct lb_pki_crl {
    uint64_t number;  /* 0: none was made yet */
    int64_t this_update_unix_s;
    int64_t next_update_unix_s;
};

/* lb_pki_index_open opens (or with `create` makes) the index. Statuses of lb_store_open. */
LB_MUST lb_status lb_pki_index_open(const char *path, bool create, struct lb_store **out_store);
/* lb_pki_index_add records a certificate durably; STORE_CONFLICT for a serial that exists. */
LB_MUST lb_status lb_pki_index_add(struct lb_store *store, const struct lb_pki_entry *entry);
/* lb_pki_index_find reads one; ABSENT. */
LB_MUST lb_status lb_pki_index_find(struct lb_store *store, const char *serial_hex,
                                    struct lb_arena *arena, struct lb_pki_entry *out_entry);
/* lb_pki_index_list reads all in the order of issue; revoked_only: those that are revoked. */
LB_MUST lb_status lb_pki_index_list(struct lb_store *store, bool revoked_only,
                                    struct lb_arena *arena, struct lb_pki_entry **out_entries,
                                    size_t *out_num);
/* lb_pki_index_revoke marks one; *out_new false when it was revoked before (its date stays).
 * ABSENT. */
LB_MUST lb_status lb_pki_index_revoke(struct lb_store *store, const char *serial_hex,
                                      int64_t now_unix_s, bool *out_new);
/* lb_pki_index_next_crl takes the next CRL number and remembers the times; lb_pki_index_crl reads
 * the last. */
LB_MUST lb_status lb_pki_index_next_crl(struct lb_store *store, struct lb_pki_crl *crl);
LB_MUST lb_status lb_pki_index_crl(struct lb_store *store, struct lb_pki_crl *out_crl);

#endif
