#ifndef GATEWAY_NOTE_COSIGN_H
#define GATEWAY_NOTE_COSIGN_H

#include "gateway/note/note.h"

/*
 * C2SP cosignature/v1 (algorithm byte 0x04): a witness says that, as of a time, a checkpoint is the
 * largest consistent one it has seen of that log.
 *
 *   signature line  U+2014 SP <name> SP <base64(key id || u64 seconds || Ed25519 signature)> LF
 *   key id          first 4 bytes of SHA-256(name || LF || 0x04 || public key)
 *   signed message  "cosignature/v1\ntime <seconds>\n" || the note's text with its final LF
 *
 * The message does not bind the name, so a witness's key is never a log's key as well.
 */
#define LB_COSIGNATURE_BYTES (8 + LB_SIGNATURE_BYTES)

struct lb_cosigner {
    char name[256];
    uint8_t key_id[LB_NOTE_KEY_ID_BYTES];
    uint8_t public_key[LB_ED25519_PUBLIC_BYTES];
    struct lb_verify_key *key;
};

/* lb_cosigner_init builds a cosigner from a name and raw public key, lb_cosigner_parse from a vkey
 * string of algorithm 4, whose id must fit. MALFORMED, NO_MEMORY. Cleaned up with
 * lb_cosigner_cleanup. */
LB_MUST lb_status lb_cosigner_init(const char *name, const uint8_t public_key[32],
                                   struct lb_cosigner *out_cosigner);
LB_MUST lb_status lb_cosigner_parse(struct lb_span vkey, struct lb_cosigner *out_cosigner);
/* lb_cosigner_format writes the vkey string into the arena; NULL past its cap. */
char *lb_cosigner_format(const struct lb_cosigner *cosigner, struct lb_arena *arena);
void lb_cosigner_cleanup(struct lb_cosigner *cosigner);

/* lb_cosign makes the signature line for a signed note: *out_line, in the arena, ends in LF and is
 * to be put behind the note's own lines. MALFORMED for a text that is no signed note, a name or key
 * that can't sign, or a time below 1; NO_MEMORY, CRYPTO_FAILED. */
LB_MUST lb_status lb_cosign(struct lb_span note, const char *name, const struct lb_sign_key *key,
                            int64_t unix_s, struct lb_arena *arena, struct lb_span *out_line);

/* lb_cosign_verify looks for the cosigner's line in a note and verifies it. *out_unix_s is when it
 * signed, the latest if it did more than once; *out_line (NULL when not wanted) borrows that line,
 * with its LF. ABSENT when it has not signed; SIGNATURE_INVALID when a line of its name and key id
 * is wrong, or without a time; MALFORMED for syntax, in any line. */
LB_MUST lb_status lb_cosign_verify(struct lb_span note, const struct lb_cosigner *cosigner,
                                   int64_t *out_unix_s, struct lb_span *out_line);

#endif
