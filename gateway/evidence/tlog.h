#ifndef GATEWAY_EVIDENCE_TLOG_H
#define GATEWAY_EVIDENCE_TLOG_H

#include "gateway/base/arena.h"
#include "gateway/base/buf.h"
#include "gateway/base/diag.h"
#include "gateway/base/limits.h"
#include "gateway/evidence/checkpoint.h"

/*
 * C2SP tlog-tiles: a log as a set of plain resources that any tlog client reads.
 *
 *   checkpoint                    the signed tree head
 *   tile/<L>/<N>[.p/<W>]          up to 256 hashes: the roots of full subtrees of 256^L leaves
 *   tile/entries/<N>[.p/<W>]      the entries under tile (0, N): u16 length || bytes, each
 *
 * A tile of 256 hashes never changes; one with fewer has its width in its name.
 */
#define LB_TLOG_WIDTH 256U
#define LB_TLOG_LEVELS 7U  /* a tree of fewer than 256^7 leaves */
#define LB_TLOG_MAX_BUNDLE_BYTES (LB_TLOG_WIDTH * (2U + LB_MAX_LEAF_BYTES))
#define LB_TLOG_MAX_CHECKPOINT_BYTES 16384U  /* with the cosignatures of many witnesses */

struct lb_tlog_path {
    char text[64];
};

/* lb_tlog_tile_path and lb_tlog_bundle_path write where a tile or a bundle of this width lies;
 * without the suffix for 256 only. MALFORMED for a level above 63 or a width outside 1..256. */
LB_MUST lb_status lb_tlog_tile_path(unsigned level, uint64_t n, unsigned width,
                                    struct lb_tlog_path *out);
LB_MUST lb_status lb_tlog_bundle_path(uint64_t n, unsigned width, struct lb_tlog_path *out);

/* lb_tlog_width is how many hashes tile (level, n) has in a tree of `size` leaves, 0..256. */
unsigned lb_tlog_width(uint64_t size, unsigned level, uint64_t n);

/* lb_tlog_bundle_hashes reads a bundle of exactly `width` entries into their leaf hashes.
 * MALFORMED for fewer, more, or a cut one. */
LB_MUST lb_status lb_tlog_bundle_hashes(struct lb_span bundle, unsigned width,
                                        struct lb_hash *out_hashes);
/* lb_tlog_bundle_entry borrows entry number `pos` of a bundle. MALFORMED when it has none. */
LB_MUST lb_status lb_tlog_bundle_entry(struct lb_span bundle, unsigned pos,
                                       struct lb_span *out_entry);

/* Where tiles and bundles come from. It is not trusted: what it gives is checked. */
struct lb_tlog_source {
    void *ctx;
    /* Gives exactly `width` hashes. Any failure ends the walk. */
    lb_status (*tile)(void *ctx, unsigned level, uint64_t n, unsigned width,
                      struct lb_hash *out_hashes);
    /* Gives a bundle's bytes; they live in the arena. */
    lb_status (*bundle)(void *ctx, uint64_t n, unsigned width, struct lb_arena *arena,
                        struct lb_span *out_bundle);
};

/* Who takes what was verified; a failure ends the walk. */
struct lb_tlog_sink {
    void *ctx;
    lb_status (*tile)(void *ctx, unsigned level, uint64_t n, unsigned width,
                      const struct lb_hash *hashes);
    lb_status (*bundle)(void *ctx, uint64_t n, unsigned width, struct lb_span bundle);
};

/* lb_tlog_walk reads a tree from its root down: the tiles of the right edge must give the
 * checkpoint's root, every full tile must hash to its place in the tile above, every entry to its
 * place in its tile. So each is proved before the sink (NULL: nobody) gets it. What lies wholly
 * before leaf number `from` is left out: it was there, full, in the tree of that size. LOG_FORK
 * with the resource's name in diag when something does not hold; ABSENT for a tree of no leaves;
 * TOO_LARGE past the levels above; NO_MEMORY; else what source or sink said, the diag being
 * theirs. */
LB_MUST lb_status lb_tlog_walk(const struct lb_checkpoint *checkpoint, uint64_t from,
                               const struct lb_tlog_source *source,
                               const struct lb_tlog_sink *sink, struct lb_diag *diag);

#endif
