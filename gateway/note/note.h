#ifndef GATEWAY_NOTE_NOTE_H
#define GATEWAY_NOTE_NOTE_H

#include "gateway/base/arena.h"
#include "gateway/crypto/sign.h"

/*
 * C2SP signed-note and its verifier-key strings, Ed25519 (algorithm byte 0x01).
 *
 *   text, ends in LF
 *   LF
 *   U+2014 SP <name> SP <base64(key id || signature)> LF     one or more
 *
 * key id = first 4 bytes of SHA-256(name || LF || 0x01 || public key); the signature covers the
 * text with its final LF. Key ids are read and written in lower case only, so every key has one
 * text.
 */

#define LB_NOTE_MAX_BYTES (4 * 1024 * 1024)
#define LB_NOTE_MAX_SIGNATURES 64
#define LB_NOTE_KEY_ID_BYTES 4

struct lb_note_verifier {
    char name[256];
    uint8_t key_id[LB_NOTE_KEY_ID_BYTES];
    uint8_t public_key[LB_ED25519_PUBLIC_BYTES];
    struct lb_verify_key *key;
};

/* lb_note_verifier_init builds a verifier from a name and raw public key. MALFORMED when the name
 * is empty, too long, or has white space or '+'. Cleaned up with lb_note_verifier_cleanup. */
LB_MUST lb_status lb_note_verifier_init(const char *name, const uint8_t public_key[32],
                                        struct lb_note_verifier *out_verifier);
/* lb_note_verifier_parse reads a vkey string `<name>+<hex id>+<base64>`, checking the id. */
LB_MUST lb_status lb_note_verifier_parse(struct lb_span vkey,
                                         struct lb_note_verifier *out_verifier);
/* lb_note_verifier_format writes the vkey string into the arena; NULL past its cap. */
char *lb_note_verifier_format(const struct lb_note_verifier *verifier, struct lb_arena *arena);
void lb_note_verifier_cleanup(struct lb_note_verifier *verifier);

/* lb_note_signer_parse reads Go's secret form `PRIVATE+KEY+<name>+<hex id>+<base64>`; MALFORMED,
 * NO_MEMORY. The name is in the arena; the caller frees the key. */
LB_MUST lb_status lb_note_signer_parse(struct lb_span text, struct lb_arena *arena,
                                       const char **out_name, struct lb_sign_key **out_key);

/* lb_note_sign appends one signature by (name, key) to `note`: either a bare text that ends in LF
 * (then the blank line is added) or, with `existing` true, an already signed note. Result in arena.
 * MALFORMED when name, key kind, characters, length or number of signatures do not allow it, or
 * this key has signed already; NO_MEMORY, CRYPTO_FAILED. */
LB_MUST lb_status lb_note_sign(struct lb_span note, bool existing, const char *name,
                               const struct lb_sign_key *key, struct lb_arena *arena,
                               struct lb_span *out_note);

/* lb_note_open splits a note at its last blank line, checks the syntax of every signature line,
 * verifies each by a known (name, key id) and ignores unknown ones. *out_mask has bit i set when
 * verifiers[i] (at most 32) signed. SIGNATURE_INVALID when a known verifier's signature is wrong or
 * none is known; MALFORMED for syntax. *out_text borrows from note and ends in LF. */
LB_MUST lb_status lb_note_open(struct lb_span note, const struct lb_note_verifier *verifiers,
                               size_t num_verifiers, struct lb_span *out_text,
                               uint32_t *out_mask);

/* lb_note_signature_of finds one key's signature of a note's text, and verifies it. ABSENT when
 * this key has not signed; SIGNATURE_INVALID, MALFORMED, NO_MEMORY. */
LB_MUST lb_status lb_note_signature_of(struct lb_span note,
                                       const struct lb_note_verifier *verifier,
                                       uint8_t out[LB_SIGNATURE_BYTES]);

#endif
