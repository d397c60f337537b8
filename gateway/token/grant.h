#ifndef GATEWAY_TOKEN_GRANT_H
#define GATEWAY_TOKEN_GRANT_H

#include "gateway/base/arena.h"
#include "gateway/base/limits.h"
#include "gateway/crypto/sign.h"

/*
 * The grant: an SD-JWT (RFC 9901), ES256, sha-256, without key binding, typ lianban-grant+sd-jwt.
 * Open claims say who issued what to which requester and until when; each provider's section is one
 * disclosure, so an adapter sees no other section's fields.
 *
 * JWT header: {"alg":"ES256","typ":"lianban-grant+sd-jwt","kid":<kid>}; nothing else is accepted.
 * Payload: iss (organization) iat nbf exp jti suite ("lianban-1") requester (organization)
 *   cnf {"jkt": <RFC 7638 thumbprint of the requester's X25519 key, base64url; of its Ed25519 log
 *   key when the sections have an `event`>}
 *   status {"status_list": {"idx": n, "uri": "..."}} (absent for mandates)
 *   subject_key (base64url, 32 bytes; may be absent)
 *   _sd_alg "sha-256", _sd [base64url digests: the sections' and decoys, at least 16, rising by
 *   their bytes]. No other claim: an unknown one is refused.
 * Disclosure: base64url(JSON array [salt, "section", {section}]) with the section's members below.
 */
struct lb_grant {
    const char *issuer;
    const char *kid;
    const char *jti;
    const char *requester;
    int64_t iat, nbf, exp;  /* seconds since 1970 */
    uint8_t cnf_jkt[32];
    const char *status_uri; /* NULL for a mandate */
    uint64_t status_index;
    bool has_subject_key;
    uint8_t subject_key[32]; /* commitment to the citizen's own key, revocation.h */
    size_t num_digests;
    const uint8_t (*digests)[32];
    /* What the issuer signed and its signature, of a grant that was read: the first is borrowed
     * from the token, which must live as long as the signature is not checked. */
    struct lb_span signing_input;
    struct lb_span signature;
};

struct lb_section_field {
    const char *name;
    const char *operator_text;  /* "SUM(12)" */
};

struct lb_section_view {
    const char *id;
    uint32_t version;
    size_t num_fields;
    const struct lb_section_field *fields;
};

/* JSON members in brackets; "a.b" is the member b of the object a. At most one of guardian, agent
 * and relative is there. */
struct lb_section {
    const char *provider;      /* [provider] organization */
    const char *audience;      /* [aud] the one adapter instance, SPIFFE id */
    const char *form;          /* [form] */
    uint32_t form_version;     /* [form_version] */
    uint8_t form_sha256[32];   /* [form_sha256] hex */
    const char *purpose;       /* [purpose] */
    const char *case_id;       /* [case] never empty */
    const char *basis;         /* [basis] */
    size_t num_laws;           /* [law] */
    const char *const *laws;
    const char *role;          /* [role] of the subject */
    const char *operator_hash; /* [act] keyed hash of the operator who asked; never empty */
    const char *approver;      /* [approver] of the second operator who approved, as `act`; NULL */
    const char *guardian;      /* [guardian] relation of who agreed for a minor; NULL */
    const char *agent;         /* [agent.relation] of who agreed with a paper; NULL */
    int64_t agent_until;       /* [agent.until] end of the authorisation, seconds since 1970 */
    uint8_t agent_document[32]; /* [agent.document] hex SHA-256 of the authorisation */
    size_t num_agent_views;    /* [agent.scope] views that it covers, 1..LB_MAX_VIEWS_PER_SECTION */
    const char *const *agent_views;
    const char *relative;      /* [relative.relation] of who agreed for a dead person; NULL */
    const char *interest;      /* [relative.interest] of their own (PIPL 49) */
    uint8_t notice_sha256[32]; /* [notice] hex; zeros for a mandate */
    const char *method;        /* [method] of proof: document, face, paper2 or none */
    int level;                 /* [level] 1..4 */
    int64_t max_uses;          /* [uses] 1..1,000,000 */
    /* [event.every_days] 1..LB_EVENT_MAX_DAYS: a standing grant of the trigger that `form` names,
     * for one use in so many days; 0, and no such member, for an ordinary one */
    int64_t event_days;
    uint32_t answer_bytes;     /* [answer_bytes] 1..LB_MAX_ANSWER_BYTES */
    uint8_t subject[32];       /* [sub] base64url commitment to the subject */
    /* [views] [{view, version, fields: [{field, op}]}]: no view twice, no field twice under one
     * operator; versions count from 1 */
    size_t num_views;
    const struct lb_section_view *views;
};

/* lb_subject_commitment is SHA-256("lianban subject v1" || salt(16) || id_no, 18 characters). */
void lb_subject_commitment(const uint8_t salt[16], const char id_no[18], uint8_t out[32]);

/* lb_grant_issue signs a grant over 1..64 sections. Its digests are made here (num_digests is
 * ignored): padded with random decoys to a multiple of 16, one decoy at least. out_jwt is the
 * issuer-signed part, out_disclosures[i] the i-th section's disclosure. GRANT_MALFORMED,
 * SECTION_INVALID and NO_CASE for what a reader would refuse; CRYPTO_FAILED for a key that is not
 * of ES256; NO_MEMORY. */
LB_MUST lb_status lb_grant_issue(const struct lb_grant *grant, const struct lb_section *sections,
                                 size_t num_sections, const struct lb_sign_key *key,
                                 struct lb_arena *arena, struct lb_span *out_jwt,
                                 struct lb_span *out_disclosures);

/* lb_grant_peek reads the open claims without checking the signature, to find the issuer's key.
 * GRANT_MALFORMED for anything off: size, alphabet, alg, typ, a missing or unknown claim, wrong
 * type, exp <= nbf, too few or too many digests, duplicate or unsorted ones, _sd_alg other than
 * sha-256. VERSION_UNSUPPORTED for another suite. */
LB_MUST lb_status lb_grant_peek(struct lb_span jwt, struct lb_arena *arena,
                                struct lb_grant *out_grant);
/* lb_grant_check_signature checks the ES256 signature of a grant that was peeked at: after it, it
 * is a grant that was verified. SIGNATURE_INVALID, also for one that was never read. */
LB_MUST lb_status lb_grant_check_signature(const struct lb_grant *grant,
                                           const struct lb_verify_key *key);
/* lb_grant_verify is both at once, for who knows the key. Times are judged by
 * lb_grant_check_time. */
LB_MUST lb_status lb_grant_verify(struct lb_span jwt, const struct lb_verify_key *key,
                                  struct lb_arena *arena, struct lb_grant *out_grant);
/* lb_grant_check_time: GRANT_EXPIRED, GRANT_NOT_YET_VALID (LB_CLOCK_SKEW_S allowed on nbf and
 * iat). */
LB_MUST lb_status lb_grant_check_time(const struct lb_grant *grant, int64_t now_unix_s);
/* lb_section_open checks that the disclosure's digest is in the grant and reads the section
 * strictly. SECTION_INVALID when it is not part of the grant or malformed; NO_CASE without a
 * case. */
LB_MUST lb_status lb_section_open(const struct lb_grant *grant, struct lb_span disclosure,
                                  struct lb_arena *arena, struct lb_section *out_section);

/* lb_sd_jwt_join writes <jwt>~<d1>~...~<dn>~; lb_sd_jwt_split takes it apart (spans borrow). At
 * most 64 disclosures; GRANT_MALFORMED otherwise. */
LB_MUST lb_status lb_sd_jwt_join(struct lb_span jwt, const struct lb_span *disclosures,
                                 size_t num_disclosures, struct lb_arena *arena,
                                 struct lb_span *out_text);
LB_MUST lb_status lb_sd_jwt_split(struct lb_span text, struct lb_arena *arena,
                                  struct lb_span *out_jwt, struct lb_span **out_disclosures,
                                  size_t *out_num);

/* lb_jwk_thumbprint_x25519 is RFC 7638 over {"crv":"X25519","kty":"OKP","x":...}. */
LB_MUST lb_status lb_jwk_thumbprint_x25519(const uint8_t public_key[32], struct lb_arena *arena,
                                           uint8_t out_thumbprint[32]);
/* lb_jwk_thumbprint_ed25519 is the same of a node's log key, to which standing grants are bound:
 * they outlive every sealing key. */
LB_MUST lb_status lb_jwk_thumbprint_ed25519(const uint8_t public_key[32], struct lb_arena *arena,
                                            uint8_t out_thumbprint[32]);

#endif
