#ifndef GATEWAY_TRUST_RECOVERY_H
#define GATEWAY_TRUST_RECOVERY_H

#include "gateway/base/arena.h"
#include "gateway/crypto/sign.h"

/*
 * A log that is lost, and the one that takes its place. Members who saw the lost log say how far it
 * went, each in one line that the member's own log key signs; two officers of the node's
 * organization sign all these lines together with the key of the new log, as one C2SP note:
 *
 *   lianban recovery v1
 *   node <SPIFFE id>
 *   time <Unix seconds>
 *   log <vkey>                                   of the new log
 *   kept <size> <root>                           what a backup still has; 0 and the empty root
 *   officer <SPIFFE id> <vkey>                   two lines
 *   seen <member> <Unix seconds> <vkey> <size> <root> <proof> <signature>     1 to 32 lines
 *
 * In a line `seen`, the vkey is that of the lost log, `proof` this key's signature of the lost
 * log's checkpoint of that size and root, and `signature` the member's, over "lianban seen log v1"
 * LF, the line up to the blank before it, and LF. What is lost for certain goes from the size that
 * is kept to the largest that was seen. Hashes and signatures are in base64.
 *
 * The first log of a node is called as the node is, <federation>/<kind>/...; those that take its
 * place have "~r1", "~r2" and so on behind that, which no SPIFFE id can have.
 */
#define LB_RECOVERY_MAX_BYTES (64 * 1024)
#define LB_RECOVERY_MAX_SEEN 32
#define LB_RECOVERY_OFFICERS 2

struct lb_seen_line {
    const char *member;                 /* SPIFFE id of who saw it */
    int64_t unix_s;                     /* when it said so */
    const char *lost_key;               /* vkey */
    uint64_t size;
    uint8_t root[32];
    uint8_t proof[LB_SIGNATURE_BYTES];
    uint8_t signature[LB_SIGNATURE_BYTES];
};

struct lb_recovery_officer {
    const char *spiffe;
    const char *key;  /* vkey */
};

struct lb_recovery {
    const char *spiffe;
    int64_t unix_s;
    const char *log_key;      /* vkey of the new log */
    const char *log_origin;
    const char *lost_origin;
    uint64_t kept_size;
    uint8_t kept_root[32];
    struct lb_recovery_officer officers[LB_RECOVERY_OFFICERS];
    size_t num_seen;
    const struct lb_seen_line *seen;
    const struct lb_seen_line *lost;  /* the one with the largest size */
    uint8_t sha256[32];               /* of the text; the RECOVERY entry's request_hash */
};

/* lb_seen_line_sign sets the signature by the member's log key; CRYPTO_FAILED, NO_MEMORY. */
LB_MUST lb_status lb_seen_line_sign(struct lb_seen_line *line, const struct lb_sign_key *key,
                                    struct lb_arena *arena);
/* lb_seen_line_write makes the line, with LF, in the arena. NO_MEMORY. */
LB_MUST lb_status lb_seen_line_write(const struct lb_seen_line *line, struct lb_arena *arena,
                                     struct lb_span *out_line);
/* lb_seen_line_read reads one line without its LF, and verifies its proof. MALFORMED,
 * SIGNATURE_INVALID, NO_MEMORY. */
LB_MUST lb_status lb_seen_line_read(struct lb_span text, struct lb_arena *arena,
                                    struct lb_seen_line *out_line);
/* lb_seen_line_check verifies the member's signature. SIGNATURE_INVALID, NO_MEMORY. */
LB_MUST lb_status lb_seen_line_check(const struct lb_seen_line *line,
                                     const uint8_t member_key[LB_ED25519_PUBLIC_BYTES],
                                     struct lb_arena *arena);

/* lb_recovery_write makes the text of which the officers sign a note: from spiffe to seen.
 * NO_MEMORY, TOO_LARGE. */
LB_MUST lb_status lb_recovery_write(const struct lb_recovery *recovery, struct lb_arena *arena,
                                    struct lb_span *out_text);
/* lb_recovery_read reads a text strictly. MALFORMED when it does not follow the form; when the two
 * officers are one, by name or key, or not of the node's organization; when the new log is not the
 * next one of this node after the one that was seen, or has its key; when nothing is lost, or a
 * member is named twice. LOG_FORK when members saw two roots of one size. SIGNATURE_INVALID for a
 * proof. The texts of the result are in the arena. */
LB_MUST lb_status lb_recovery_read(struct lb_span text, struct lb_arena *arena,
                                   struct lb_recovery *out_recovery);
/* lb_recovery_text borrows the text of a note, or of a draft that nobody has signed. */
struct lb_span lb_recovery_text(struct lb_span note);
/* lb_recovery_open reads a note that both officers have signed. As lb_recovery_read. */
LB_MUST lb_status lb_recovery_open(struct lb_span note, struct lb_arena *arena,
                                   struct lb_recovery *out_recovery);

#endif
