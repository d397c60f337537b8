#ifndef GATEWAY_NOTE_RECORD_H
#define GATEWAY_NOTE_RECORD_H

#include "gateway/note/note.h"

/*
 * A record of a case, as a window agent signs it and hands it out: a note whose text is lines
 * `<key> SP <value>`, after
 *
 *   lianban case record v1
 *
 * docs/PROTOCOL.md lists the keys. Values are one line each, so nothing that somebody wrote can
 * look like another line. A log's checkpoint never begins like this, so neither passes for the
 * other although one key signs both.
 */
#define LB_RECORD_HEADER "lianban case record v1\n"

/* lb_record_open verifies a note by one key and gives the record's lines, behind the header,
 * borrowed from the note. MALFORMED when it is no note or no record; SIGNATURE_INVALID. */
LB_MUST lb_status lb_record_open(struct lb_span note, const struct lb_note_verifier *verifier,
                                 struct lb_span *out_lines);

/* lb_record_signer names the log whose key signed a note first; nothing is verified. MALFORMED,
 * NO_MEMORY. */
LB_MUST lb_status lb_record_signer(struct lb_span note, struct lb_arena *arena,
                                   const char **out_name);

/* lb_record_lines does the same with a note of our own that was authenticated otherwise. */
LB_MUST lb_status lb_record_lines(struct lb_span note, struct lb_span *out_lines);

/* lb_record_next takes the next line apart; false at the end, or at what is no such line. */
bool lb_record_next(struct lb_span *lines, struct lb_span *out_key, struct lb_span *out_value);

/* lb_record_get finds the first line of a key; ABSENT. */
LB_MUST lb_status lb_record_get(struct lb_span lines, const char *key, struct lb_span *out_value);

#endif
