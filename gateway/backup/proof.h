#ifndef GATEWAY_BACKUP_PROOF_H
#define GATEWAY_BACKUP_PROOF_H

#include "gateway/backup/backup.h"

/* Inside gateway/backup: what is done to a copy before it is called one. */

/* What is being worked on, for whoever watches. */
struct lb_backup_work {
    const struct lb_backup_watch *watch;  /* may be NULL */
    const char *what;
};
void lb_backup_work_tell(const struct lb_backup_work *work, uint64_t done, uint64_t all);

/* lb_backup_log_verify recomputes the log in a copied state folder and says which it is: origin,
 * size and root. LOG_BEHIND, LOG_FORK, FILE_FAILED, STORE_FAILED, NO_MEMORY, with a sentence in
 * diag. */
LB_MUST lb_status lb_backup_log_verify(const char *state, const struct lb_note_verifier *verifier,
                                       struct lb_backup_work *work, struct lb_arena *arena,
                                       struct lb_diag *diag, struct lb_backup_manifest *out_log);

/* lb_backup_database_check runs SQLite's own check of a database. STORE_FAILED when it finds
 * anything; as lb_store_open. */
LB_MUST lb_status lb_backup_database_check(const char *path);

#endif
