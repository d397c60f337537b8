#ifndef TESTS_CRASH_POINTS_H
#define TESTS_CRASH_POINTS_H

#include "gateway/evidence/checkpoint.h"
#include "gateway/evidence/merkle.h"
#include "gateway/store/store.h"

/*
 * Where a process dies when LIANBAN_CRASH says so: "<point>[:<n>]", at the nth passage (1).
 *
 *   staging                          a leaf is in the transaction
 *   tile-before tile-after           a full tile is written
 *   sign                             the checkpoint is signed, and nowhere but in memory
 *   commit-before commit-after       around a transaction's COMMIT
 *   wal-torn wal-written             in the middle of a write to the WAL, and after one
 *   wal-unsynced wal-synced          around the WAL's fsync
 *   ratchet-before ratchet-torn ratchet-after
 *   checkpoint-before checkpoint-after      around moving the WAL into the database
 *   database-torn database-unsynced database-synced  in the middle of that
 *
 * and in an adapter (points_intake.c)
 *
 *   parts-came parts-taken           before a frame is opened; its parcels are durable or refused
 *   part-stored                      a part is in the transaction
 *   word-said word-sealed word-ended likewise what the department says, each sealing, its end
 *   word-unsent word-sent            around giving it to a link
 *
 * The linker's --wrap puts the functions below in the place of those they are named after.
 */
struct lb_records;

/* crash_pass is where a process that was told to dies. */
void crash_pass(const char *point);

lb_status __real_lb_checkpoint_sign(const struct lb_checkpoint *checkpoint,
                                    const struct lb_sign_key *key, struct lb_arena *arena,
                                    struct lb_span *out_note);
lb_status __wrap_lb_checkpoint_sign(const struct lb_checkpoint *checkpoint,
                                    const struct lb_sign_key *key, struct lb_arena *arena,
                                    struct lb_span *out_note);
lb_status __real_lb_ratchet_put(int fd, unsigned slot, struct lb_span note);
lb_status __wrap_lb_ratchet_put(int fd, unsigned slot, struct lb_span note);
lb_status __real_lb_records_put_leaf(struct lb_records *records, uint64_t index,
                                     struct lb_span bytes);
lb_status __wrap_lb_records_put_leaf(struct lb_records *records, uint64_t index,
                                     struct lb_span bytes);
lb_status __real_lb_records_put_tile(struct lb_records *records, unsigned level, uint64_t n,
                                     const struct lb_hash *hashes);
lb_status __wrap_lb_records_put_tile(struct lb_records *records, unsigned level, uint64_t n,
                                     const struct lb_hash *hashes);
lb_status __real_lb_store_commit(struct lb_store *store);
lb_status __wrap_lb_store_commit(struct lb_store *store);
lb_status __real_lb_store_checkpoint(struct lb_store *store);
lb_status __wrap_lb_store_checkpoint(struct lb_store *store);

#endif
