#ifndef GATEWAY_TRUST_DIRECTORY_H
#define GATEWAY_TRUST_DIRECTORY_H

#include "gateway/base/diag.h"
#include "gateway/base/limits.h"
#include "gateway/crypto/sign.h"
#include "gateway/note/note.h"
#include "gateway/trust/recovery.h"

/*
 * The directory: a signed text (C2SP note whose text is one JSON object, pretty-printed, and LF)
 * that names members and their keys. It names only; nothing in it is active at an adapter until the
 * adapter's own policy names it too.
 *
 * {"type": "lianban-directory/v1", "federation": "<trust domain>", "version": n, "issued": s,
 *  "expires": s,
 *  "signers": [vkey] (who may sign the next one; absent: no change),
 *  "ca_pins": [hex SHA-256 of a CA's SPKI],
 *  "organizations": [{"id", "zh", "en"}],
 *  "nodes": [{"spiffe", "endpoint" ("" if it does not listen), "log" (vkey; "" if it keeps none),
 *             "log_before": [{"log", "signature"}] (may be absent),
 *             "recovery": [note] (all of a node whose log was lost, oldest first; recovery.h),
 *             "seal": [{"id", "key" (base64url X25519), "not_after", "signature"}],
 *             "share": [the same, and "not_before"; left out where there are none]}],
 *  "issuers": [{"organization", "kid", "x", "y" (base64url P-256),
 *               "kinds": ["consent"|"mandate"|"operator"],
 *               "status" (URI of its status list, or ""),
 *               "before": [{"kid", "x", "y", "signature"}] (may be absent)}],
 *  "forms": [{"id", "version", "sha256"}], "rules": [same], "views": [same]}
 *
 * A sealing key's signature is by the node's own log key over "lianban sealing key
 * v1\n<spiffe>\n<id>\n <base64url key>\n<not_after>\n", so whoever holds the directory key cannot
 * swap it; window agents and requesters publish their X25519 key the same way. It ends at most
 * LB_SEAL_KEY_LIFE_S after the directory was issued. A share key, under which a department takes
 * part in blind household sums, is signed likewise over "lianban share key v1\n...", may live
 * longer and is never a sealing key of its node as well. One that comes after another may say
 * "not_before" too: then it is signed over "lianban share key v2\n<spiffe>\n<id>\n<base64url
 * key>\n<not_before>\n<not_after>\n".
 */
enum lb_node_kind {
    LB_NODE_BROKER,
    LB_NODE_ADAPTER,
    LB_NODE_WINDOW,
    LB_NODE_CONSENT,
    LB_NODE_OFFICER,
    LB_NODE_AUDITOR,
    LB_NUM_NODE_KINDS
};

struct lb_seal_key_entry {
    const char *id;
    uint8_t public_key[32];
    int64_t not_after;
    int64_t not_before;  /* of a share key; 0: from ever */
};

/* A key that handed over to the next one (handover.h), by the name and key nodes remember. */
struct lb_former_key {
    const char *name, *key;
    const char *kid;       /* of an issuer's */
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    size_t raw_len;
};

struct lb_node {
    const char *spiffe;
    enum lb_node_kind kind;    /* from the SPIFFE id */
    const char *organization;  /* from the SPIFFE id */
    const char *endpoint;
    const char *log_origin;    /* NULL when it keeps no log */
    uint8_t log_key[32];
    size_t num_recoveries;     /* how this log came after others, oldest first; 0 for the first */
    const struct lb_recovery *recoveries;
    size_t num_former;         /* log keys before this one, newest first */
    const struct lb_former_key *former;
    size_t num_seal_keys;
    const struct lb_seal_key_entry *seal_keys;
    size_t num_share_keys;
    const struct lb_seal_key_entry *share_keys;
};

#define LB_ISSUES_CONSENT 1U
#define LB_ISSUES_MANDATE 2U
#define LB_ISSUES_OPERATOR 4U

struct lb_issuer {
    const char *organization;
    const char *kid;
    unsigned kinds;
    const char *status_uri;  /* "" when none */
    const struct lb_verify_key *key;
    size_t num_former;       /* keys before this one, newest first */
    const struct lb_former_key *former;
};

struct lb_listed {
    const char *id;
    uint32_t version;
    uint8_t sha256[32];
};

struct lb_organization {
    const char *id;
    const char *zh;
    const char *en;
};

/* An accepted directory: immutable, reference-counted. */
struct lb_directory {
    const char *federation;
    uint64_t version;
    int64_t issued, expires;
    size_t num_signers;
    const char *const *signers;  /* vkeys; 0: the same as before */
    size_t num_pins;
    const uint8_t (*pins)[32];
    size_t num_organizations;
    const struct lb_organization *organizations;
    size_t num_nodes;
    const struct lb_node *nodes;
    size_t num_issuers;
    const struct lb_issuer *issuers;
    size_t num_forms, num_rules, num_views;
    const struct lb_listed *forms, *rules, *views;
    uint8_t sha256[32];  /* of the note's text */
};

/* lb_directory_open verifies a note by any of the given verifiers and reads it strictly.
 * DIRECTORY_INVALID with a sentence in diag: signature, syntax, unknown member, bad or foreign
 * SPIFFE id, a log key of another name than lb_spiffe_log_origin, a sealing key without its node's
 * signature or with too long a life, a former key that has not handed over, duplicate ids, no CA
 * pin, issued in the future or expired at now_unix_s. NO_MEMORY past the parser's bound. The arrays
 * come back sorted. */
LB_MUST lb_status lb_directory_open(struct lb_span note, const struct lb_note_verifier *verifiers,
                                    size_t num_verifiers, int64_t now_unix_s, struct lb_diag *diag,
                                    struct lb_directory **out_directory);
/* lb_directory_check_text reads an unsigned text by the same rules, for `lianban directory
 * build`. */
LB_MUST lb_status lb_directory_check_text(struct lb_span text, int64_t now_unix_s,
                                          struct lb_diag *diag,
                                          struct lb_directory **out_directory);
/* lb_directory_ref takes one more reference; lb_directory_unref gives one back and frees with the
 * last (NULL is allowed). */
void lb_directory_ref(struct lb_directory *directory);
void lb_directory_unref(struct lb_directory *directory);

/* Lookups; NULL when there is none. */
const struct lb_node *lb_directory_node(const struct lb_directory *directory, const char *spiffe);
/* lb_directory_name gives an organization's name in a language ("zh" or "en"); its id where the
 * directory has none. */
const char *lb_directory_name(const struct lb_directory *directory, const char *organization,
                              const char *language);
/* lb_directory_issuer finds by organization and kid. */
const struct lb_issuer *lb_directory_issuer(const struct lb_directory *directory,
                                            const char *organization, const char *kid);
const struct lb_listed *lb_listed_find(const struct lb_listed *list, size_t num, const char *id,
                                       uint32_t version);
/* lb_node_seal_key finds a sealing key by id; NULL when absent, past not_after, or further from its
 * end than any key may live. With id NULL: the newest valid one. */
const struct lb_seal_key_entry *lb_node_seal_key(const struct lb_node *node, const char *id,
                                                 int64_t now_unix_s);
/* lb_node_recovery is how a node's log came after the one before it; NULL for its first. */
const struct lb_recovery *lb_node_recovery(const struct lb_node *node);
/* lb_node_log_follows says whether a node's log key is this one or came after it by handovers. */
bool lb_node_log_follows(const struct lb_node *node, const uint8_t log_key[32]);
/* lb_node_share_key finds the share key for runs that began at a time: of those whose time it is
 * the one that began last, and of these the one with the latest end. So everybody who has the same
 * entries takes the same key for a run, whenever he is asked. NULL when there is none. */
const struct lb_seal_key_entry *lb_node_share_key(const struct lb_node *node,
                                                  int64_t started_unix_s);

/* lb_spiffe_parse takes spiffe://<federation>/<kind>/<org>[/<name>] apart; every part is 1..64 of
 * [a-z0-9.-], but not "." or "..". MALFORMED otherwise. Outs point into the arena. */
LB_MUST lb_status lb_spiffe_parse(const char *spiffe, struct lb_arena *arena,
                                  const char **out_federation, enum lb_node_kind *out_kind,
                                  const char **out_organization);
/* lb_spiffe_log_origin gives the log origin of a node, "<federation>/<kind>/<org>[/<name>]": that
 * of its first log, and the name of its other keys. */
const char *lb_spiffe_log_origin(const char *spiffe);
/* lb_spiffe_log_number says which log of a node an origin names: 0 its first, N the one that its
 * Nth recovery began (recovery.h), -1 none of it. lb_spiffe_log_named gives the origin; NULL past
 * the arena's cap. */
#define LB_MAX_RECOVERIES 999
int lb_spiffe_log_number(const char *spiffe, const char *origin);
const char *lb_spiffe_log_named(const char *spiffe, int number, struct lb_arena *arena);
/* lb_spiffe_of_log gives the SPIFFE id of the node whose log, the first or a later one, an origin
 * names, if it names any; NULL past the arena's cap. */
const char *lb_spiffe_of_log(const char *origin, struct lb_arena *arena);
/* lb_node_kind_name gives the kind as it stands in a SPIFFE id. */
const char *lb_node_kind_name(enum lb_node_kind kind);

/* lb_seal_key_sign and lb_share_key_sign sign the statements above; CRYPTO_FAILED for a key not of
 * Ed25519. */
LB_MUST lb_status lb_seal_key_sign(const char *spiffe, const struct lb_seal_key_entry *entry,
                                   const struct lb_sign_key *log_key, struct lb_arena *arena,
                                   struct lb_span *out_signature_b64url);
LB_MUST lb_status lb_share_key_sign(const char *spiffe, const struct lb_seal_key_entry *entry,
                                    const struct lb_sign_key *log_key, struct lb_arena *arena,
                                    struct lb_span *out_signature_b64url);

#endif
