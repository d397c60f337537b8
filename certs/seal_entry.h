#ifndef CERTS_SEAL_ENTRY_H
#define CERTS_SEAL_ENTRY_H

#include "certs/tool.h"
#include "gateway/trust/directory.h"

/* Inside certs: a sealing or share key's signed entry for the directory. */
#define DAY_S INT64_C(86400)
#define MAX_SEAL_DAYS (LB_SEAL_KEY_LIFE_S / DAY_S)
#define DEFAULT_SHARE_DAYS 180
#define MAX_SHARE_DAYS 3650
#define MAX_AFTER_S (30 * DAY_S)
struct lb_seal_entry_options {
    const char *spiffe;
    const char *log_key;
    const char *id;     /* NULL: made from the key */
    int64_t days;
    int64_t after_s;    /* of a share key: when it begins; 0: from ever */
    const char *like;   /* an entry's file whose id and times are kept; NULL for none */
};

/* lb_seal_entry_check refuses a name that is no SPIFFE id. */
LB_MUST lb_status lb_seal_entry_check(struct lb_tool *tool,
                                      const struct lb_seal_entry_options *options);
/* lb_seal_key_sign or lb_share_key_sign. */
typedef lb_status (*lb_seal_entry_signer)(const char *spiffe,
                                          const struct lb_seal_key_entry *entry,
                                          const struct lb_sign_key *log_key,
                                          struct lb_arena *arena,
                                          struct lb_span *out_signature_b64url);

/* lb_seal_entry_sign fills an empty object; the key begins and ends so long from now. */
LB_MUST lb_status lb_seal_entry_sign(struct lb_tool *tool,
                                     const struct lb_seal_entry_options *options,
                                     const uint8_t public_key[32], lb_seal_entry_signer sign,
                                     struct lb_json *result);

#endif
