#ifndef GATEWAY_NOTE_SYNTAX_H
#define GATEWAY_NOTE_SYNTAX_H

#include "gateway/note/note.h"

/* Inside gateway/note only: the grammar that keys and notes share. */

#define LB_NOTE_ALG_ED25519 0x01
#define LB_NOTE_ALG_COSIGNATURE 0x04

/* A key as written: `<name>+<8 hex digits>+<base64(algorithm byte || 32 bytes)>`. */
struct lb_note_key_text {
    struct lb_span name;
    uint8_t key_id[LB_NOTE_KEY_ID_BYTES];
    uint8_t bytes[LB_ED25519_PUBLIC_BYTES];  /* public key, or seed of a secret form */
};

/* lb_note_key_text_parse reads the form above, of one algorithm; hex digits are lower case, so that
 * every key has one text. name borrows from text. MALFORMED, NO_MEMORY. */
LB_MUST lb_status lb_note_key_text_parse(struct lb_span text, uint8_t alg,
                                         struct lb_note_key_text *out);

/* lb_note_name_ok: not empty, at most 255 bytes, well-formed UTF-8 without '+', white space (as
 * Unicode has it) or control characters. */
bool lb_note_name_ok(struct lb_span name);

/* lb_note_text_ok: well-formed UTF-8 that ends in LF, without other control characters below
 * U+0020. */
bool lb_note_text_ok(struct lb_span text);

/* lb_note_key_id is SHA-256(name || LF || algorithm || public key), first 4 bytes. */
void lb_note_key_id(struct lb_span name, uint8_t alg,
                    const uint8_t public_key[LB_ED25519_PUBLIC_BYTES],
                    uint8_t out_id[LB_NOTE_KEY_ID_BYTES]);

/* One signature line, taken apart. */
struct lb_note_signature {
    struct lb_span name;                      /* borrows from the note */
    uint8_t key_id[LB_NOTE_KEY_ID_BYTES];
    struct lb_span bytes;                     /* in the arena */
};

/* lb_note_split cuts a note behind its last blank line: text with its final LF, and the signature
 * lines. MALFORMED when there are none or a character is not allowed. */
LB_MUST lb_status lb_note_split(struct lb_span note, struct lb_span *out_text,
                                struct lb_span *out_lines);

/* lb_note_next_line takes the first signature line off `lines` (each ends in LF). MALFORMED,
 * NO_MEMORY. */
LB_MUST lb_status lb_note_next_line(struct lb_span *lines, struct lb_arena *arena,
                                    struct lb_note_signature *out);

#endif
