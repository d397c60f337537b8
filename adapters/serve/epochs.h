#ifndef ADAPTERS_SERVE_EPOCHS_H
#define ADAPTERS_SERVE_EPOCHS_H

#include "gateway/base/diag.h"
#include "gateway/evidence/log.h"
#include "gateway/store/store.h"

/*
 * Inside adapters/serve: the department's pseudonym keys, each of which names subjects for one
 * epoch. What is written is written under the newest; what is looked for is looked for under all of
 * them, so that no limit is lifted and no data key missed because a key was replaced.
 *
 * The first key is the configuration's; each further one is a file `<name>.key` of 64 hex digits in
 * a folder. Their order is the store's, which keeps a mark of each beside the rows that hang on it:
 * a start without one of them, or with another in its place, is refused. Epochs begin on the
 * sequencer, in the transaction of an entry (ADMIN, PSEUDONYM_KEY), so that everything that runs
 * there sees one and the same newest.
 */
struct lb_serve_epochs;

#define LB_SERVE_MAX_EPOCHS 16

/* How one subject is called, newest first. */
struct lb_epoch_names {
    size_t num;
    uint8_t names[LB_SERVE_MAX_EPOCHS][32];
};

/* What the memory of probing derives from an epoch's key; see probe.h. */
struct lb_epoch_keys {
    uint8_t names[32];
    uint8_t wrap[32];
};

/* lb_serve_epochs_new reads the folder (NULL for none). CONFIG_INVALID with a sentence in diag for
 * files that are not as above, NO_MEMORY. No epoch is in force before lb_serve_epochs_begin. */
LB_MUST lb_status lb_serve_epochs_new(const uint8_t first[32], const char *folder,
                                      struct lb_diag *diag, struct lb_serve_epochs **out_epochs);
/* lb_serve_epochs_free wipes; NULL is allowed. */
void lb_serve_epochs_free(struct lb_serve_epochs *epochs);

/* lb_serve_epochs_begin compares the keys with the store's marks and puts them in force, the new
 * ones last. Runs on the sequencer inside an open transaction. CONFIG_INVALID when a marked key is
 * not there; TOO_LARGE past LB_SERVE_MAX_EPOCHS; STORE_FAILED. */
LB_MUST lb_status lb_serve_epochs_begin(struct lb_serve_epochs *epochs, struct lb_store *store);
/* lb_serve_epochs_look reads the folder if it changed; for a new key it makes the entry with which
 * that key comes into force. What is wrong with a file is told once, and changes nothing. One
 * thread. */
void lb_serve_epochs_look(struct lb_serve_epochs *epochs, struct lb_log *log);

/* lb_serve_epochs_names computes a subject's names. Any thread; what must not miss a row asks on
 * the sequencer. */
void lb_serve_epochs_names(struct lb_serve_epochs *epochs, struct lb_span subject,
                           struct lb_epoch_names *out);
/* lb_serve_epochs_num counts epochs in force; any thread. lb_serve_epochs_keys gives those of the
 * index-th newest one; sequencer only. */
size_t lb_serve_epochs_num(struct lb_serve_epochs *epochs);
const struct lb_epoch_keys *lb_serve_epochs_keys(const struct lb_serve_epochs *epochs,
                                                 size_t index);

#endif
