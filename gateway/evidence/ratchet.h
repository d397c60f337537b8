#ifndef GATEWAY_EVIDENCE_RATCHET_H
#define GATEWAY_EVIDENCE_RATCHET_H

#include "gateway/base/span.h"
#include "gateway/evidence/checkpoint.h"

/*
 * The ratchet: a second file, outside the database, that holds the two newest checkpoints this
 * node has signed, in two slots written in turn. A flipped byte of a WAL can silently shorten a
 * database; it can't shorten this. A slot is
 *
 *   "LBRATCH1"   u16 length   note   zeros   SHA-256 of all before        1024 bytes
 *
 * and is written in place with one fdatasync; a write that is cut off damages only the older
 * slot.
 */
#define LB_RATCHET_SLOT_BYTES 1024
#define LB_RATCHET_MAX_NOTE_BYTES (LB_RATCHET_SLOT_BYTES - 8 - 2 - 32)

struct lb_ratchet_slot {
    bool intact;  /* shape and checksum are right */
    size_t note_len;
    uint8_t note[LB_RATCHET_MAX_NOTE_BYTES];
};

struct lb_ratchet {
    struct lb_ratchet_slot slots[2];
};

/* lb_ratchet_begin makes the file with the same note in both slots. FILE_FAILED; TOO_LARGE for a
 * note that does not fit. */
LB_MUST lb_status lb_ratchet_begin(const char *path, struct lb_span note);
/* lb_ratchet_read reads the file. ABSENT when there is none, FILE_FAILED when it can't be read;
 * damage is told by `intact`. */
LB_MUST lb_status lb_ratchet_read(const char *path, struct lb_ratchet *out_ratchet);
/* lb_ratchet_newest verifies the intact slots and finds the larger checkpoint and its slot.
 * LOG_FORK when none is intact or one does not verify. */
LB_MUST lb_status lb_ratchet_newest(const struct lb_ratchet *ratchet,
                                    const struct lb_note_verifier *verifier,
                                    struct lb_checkpoint *out_checkpoint, unsigned *out_slot);

/* lb_ratchet_open opens the file for lb_ratchet_put; the caller closes it. FILE_FAILED. */
LB_MUST lb_status lb_ratchet_open(const char *path, int *out_fd);
/* lb_ratchet_put replaces one slot, durably when it returns. FILE_FAILED: the disk can't be trusted
 * any more; TOO_LARGE. */
LB_MUST lb_status lb_ratchet_put(int fd, unsigned slot, struct lb_span note);

#endif
