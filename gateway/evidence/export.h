#ifndef GATEWAY_EVIDENCE_EXPORT_H
#define GATEWAY_EVIDENCE_EXPORT_H

#include "gateway/evidence/inspect.h"
#include "gateway/evidence/proof.h"
#include "gateway/evidence/tlog.h"

/*
 * An exported log: a folder with the plain files of tlog.h and nothing else. The checkpoint comes
 * last, so whatever it covers is there; an export that was cut off goes on where it stopped, and
 * one that is older than its log gets what is new. What is there is never written over with
 * something else.
 */
struct lb_export;

/* lb_export_open opens an export to read, or for `write` to begin or go on with one; then nobody
 * else can. FILE_FAILED, STATE_LOCKED, NO_MEMORY with a sentence in diag; OTHER_LOG when a folder
 * to write into holds anything that is no export. */
LB_MUST lb_status lb_export_open(const char *path, bool write, struct lb_diag *diag,
                                 struct lb_export **out_export);
/* lb_export_close releases; NULL is allowed. */
void lb_export_close(struct lb_export *export);

/* lb_export_origin copies what the export's checkpoint calls its log, to choose the key to verify
 * with. ABSENT when it has none, MALFORMED, TOO_LARGE, FILE_FAILED. */
LB_MUST lb_status lb_export_origin(struct lb_export *export, struct lb_arena *arena,
                                   const char **out_origin);

/* lb_export_note reads the checkpoint as it stands, cosignatures and all. ABSENT, TOO_LARGE,
 * FILE_FAILED. */
LB_MUST lb_status lb_export_note(struct lb_export *export, struct lb_arena *arena,
                                 struct lb_span *out_note);
/* lb_export_seen reads how far an export has come: its verified checkpoint, one of size 0 for a new
 * folder. OTHER_LOG when its checkpoint names another log; LOG_FORK when it is not signed with this
 * log's key; with a sentence in diag. */
LB_MUST lb_status lb_export_seen(struct lb_export *export, const struct lb_note_verifier *verifier,
                                 struct lb_diag *diag, struct lb_checkpoint *out_seen);

/* What a log shows of itself to be exported. */
struct lb_export_step {
    struct lb_span checkpoint;    /* signed note of the tree to export */
    const struct lb_hash *path;   /* consistency proof from the size seen */
    size_t num_path;
    struct lb_tlog_source source; /* of that tree; not trusted */
};

struct lb_export_result {
    struct lb_checkpoint checkpoint;
    uint64_t from;       /* entries that were there before */
    uint64_t num_files;  /* written this time */
};

/* lb_export_grow verifies a step from beginning to end and writes what is new; the checkpoint is
 * replaced at the end, by one of the same size only if more have signed that. LOG_BEHIND when the
 * log has fewer entries than were exported before; LOG_FORK when it is no extension of them, when
 * anything does not hash to the checkpoint, or when a file is there with other content;
 * SIGNATURE_INVALID, MALFORMED; FILE_FAILED; with a sentence in diag. */
LB_MUST lb_status lb_export_grow(struct lb_export *export, const struct lb_note_verifier *verifier,
                                 const struct lb_export_step *step, struct lb_diag *diag,
                                 struct lb_export_result *out_result);

/* lb_log_reader_export verifies a log as lb_log_reader_verify does and exports exactly what it
 * verified. Statuses of that and of lb_export_grow; ABSENT for a log without entries. */
LB_MUST lb_status lb_log_reader_export(struct lb_log_reader *reader, struct lb_export *export,
                                       const struct lb_note_verifier *verifier,
                                       struct lb_diag *diag, struct lb_export_result *out_result);

/* lb_log_reader_export_at ends the export where a checkpoint does that others vouch for: a signed
 * note of this log, of its size or less, which becomes the export's own with every signature under
 * it. LOG_BEHIND when the log is shorter than that, LOG_FORK when its first entries give another
 * root, LOG_UNWITNESSED when more was exported before; else as lb_log_reader_export. */
LB_MUST lb_status lb_log_reader_export_at(struct lb_log_reader *reader, struct lb_export *export,
                                          const struct lb_note_verifier *verifier,
                                          struct lb_span note, struct lb_diag *diag,
                                          struct lb_export_result *out_result);

/* lb_export_verify recomputes an export: every entry hashes to its tile, every tile to the one
 * above, the right edge to the root, and the checkpoint is signed. Files it does not need are not
 * looked at. LOG_FORK with a sentence in diag that names the file; ABSENT for a tree of no
 * leaves. */
LB_MUST lb_status lb_export_verify(struct lb_export *export,
                                   const struct lb_note_verifier *verifier, struct lb_diag *diag,
                                   struct lb_checkpoint *out_checkpoint);

/* lb_log_reader_prove and lb_export_prove make the proof of one entry under the newest checkpoint,
 * with the entry in it, and verify it before they give it. ABSENT past the end; LOG_FORK when the
 * files do not give the signed root; with a sentence in diag. All is in the arena. */
LB_MUST lb_status lb_log_reader_prove(struct lb_log_reader *reader, uint64_t index,
                                      const struct lb_note_verifier *verifier,
                                      struct lb_arena *arena, struct lb_diag *diag,
                                      struct lb_tlog_proof *out_proof);
LB_MUST lb_status lb_export_prove(struct lb_export *export, uint64_t index,
                                  const struct lb_note_verifier *verifier, struct lb_arena *arena,
                                  struct lb_diag *diag, struct lb_tlog_proof *out_proof);

#endif
