#include "gateway/evidence/ratchet.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/crypto/hash.h"

#define MAGIC "LBRATCH1"
#define MAGIC_BYTES 8
#define NOTE_AT (MAGIC_BYTES + 2)
#define SUM_AT (LB_RATCHET_SLOT_BYTES - LB_SHA256_BYTES)

static lb_status fill_slot(struct lb_span note, uint8_t out[LB_RATCHET_SLOT_BYTES])
{
    LB_ENSURE(note.len <= LB_RATCHET_MAX_NOTE_BYTES, LB_TOO_LARGE, "checkpoint is too long");
    memset(out, 0, LB_RATCHET_SLOT_BYTES);
    memcpy(out, MAGIC, MAGIC_BYTES);
    out[MAGIC_BYTES] = (uint8_t)(note.len >> 8);
    out[MAGIC_BYTES + 1] = (uint8_t)note.len;
    memcpy(out + NOTE_AT, note.ptr, note.len);
    lb_sha256(lb_span_of(out, SUM_AT), out + SUM_AT);
    return LB_OK;
}

/* A slot is intact when it is exactly what would be written for the note it holds. */
static void parse_slot(const uint8_t bytes[LB_RATCHET_SLOT_BYTES], struct lb_ratchet_slot *out)
{
    uint8_t again[LB_RATCHET_SLOT_BYTES];
    size_t len = (size_t)bytes[MAGIC_BYTES] << 8 | bytes[MAGIC_BYTES + 1];
    *out = (struct lb_ratchet_slot){.intact = false};
    if (fill_slot(lb_span_of(bytes + NOTE_AT, len), again) != LB_OK)
        return;
    out->intact =
        lb_span_eq(lb_span_of(again, sizeof(again)), lb_span_of(bytes, LB_RATCHET_SLOT_BYTES));
    out->note_len = len;
    memcpy(out->note, bytes + NOTE_AT, len);
}

lb_status lb_ratchet_begin(const char *path, struct lb_span note)
{
    uint8_t both[2 * LB_RATCHET_SLOT_BYTES];
    LB_TRY(fill_slot(note, both));
    LB_TRY(fill_slot(note, both + LB_RATCHET_SLOT_BYTES));
    return lb_file_write(path, lb_span_of(both, sizeof(both)), 0600);
}

lb_status lb_ratchet_read(const char *path, struct lb_ratchet *out_ratchet)
{
    struct stat info;
    LB_ENSURE(stat(path, &info) == 0 || errno != ENOENT, LB_ABSENT, "there is no ratchet");
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(64 * 1024);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "ratchet");
    struct lb_ratchet ratchet = {.slots = {{.intact = false}, {.intact = false}}};
    struct lb_span bytes;
    lb_status status = lb_file_read(path, 2 * LB_RATCHET_SLOT_BYTES, arena, &bytes);
    if (lb_status_code(status) != LB_TOO_LARGE)
        LB_TRY(status);
    if (status == LB_OK && bytes.len == 2 * LB_RATCHET_SLOT_BYTES) {
        parse_slot(bytes.ptr, &ratchet.slots[0]);
        parse_slot(bytes.ptr + LB_RATCHET_SLOT_BYTES, &ratchet.slots[1]);
    }
    *out_ratchet = ratchet;
    return LB_OK;
}

lb_status lb_ratchet_newest(const struct lb_ratchet *ratchet,
                            const struct lb_note_verifier *verifier,
                            struct lb_checkpoint *out_checkpoint, unsigned *out_slot)
{
    struct lb_checkpoint best = {.size = 0};
    unsigned best_slot = 2;
    for (unsigned i = 0; i < 2; i++) {
        const struct lb_ratchet_slot *slot = &ratchet->slots[i];
        struct lb_checkpoint checkpoint;
        if (!slot->intact)
            continue;
        lb_status status =
            lb_checkpoint_open(lb_span_of(slot->note, slot->note_len), verifier, &checkpoint);
        LB_ENSURE(status == LB_OK, LB_LOG_FORK, "the ratchet is not signed by this log's key");
        if (best_slot == 2 || checkpoint.size > best.size) {
            best = checkpoint;
            best_slot = i;
        }
    }
    LB_ENSURE(best_slot < 2, LB_LOG_FORK, "the ratchet is damaged");
    *out_checkpoint = best;
    *out_slot = best_slot;
    return LB_OK;
}

lb_status lb_ratchet_open(const char *path, int *out_fd)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    LB_ENSURE(fd >= 0, LB_FILE_FAILED, "the ratchet cannot be opened");
    *out_fd = fd;
    return LB_OK;
}

lb_status lb_ratchet_put(int fd, unsigned slot, struct lb_span note)
{
    uint8_t bytes[LB_RATCHET_SLOT_BYTES];
    LB_TRY(fill_slot(note, bytes));
    ssize_t put = pwrite(fd, bytes, sizeof(bytes), (off_t)slot * LB_RATCHET_SLOT_BYTES);
    LB_ENSURE(put == (ssize_t)sizeof(bytes), LB_FILE_FAILED, "the ratchet cannot be written");
    LB_ENSURE(fdatasync(fd) == 0, LB_FILE_FAILED, "the ratchet cannot be synced");
    return LB_OK;
}
