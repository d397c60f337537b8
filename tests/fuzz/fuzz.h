#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "gateway/base/arena.h"
#include "tests/fuzz/targets.h"

/*
 * What fuzz targets share. A target gives any bytes to a parser, checks what must hold of whatever
 * was accepted, and returns whether it was. It keeps nothing from one input to the next, so that an
 * input alone shows a finding again.
 */

/* FUZZ_CHECK stops the process with the place and the property that does not hold. */
#define FUZZ_CHECK(property_)                                                                      \
    do {                                                                                           \
        if (!(property_))                                                                          \
            fuzz_broken(__FILE__, __LINE__, #property_);                                           \
    } while (0)
#define FUZZ_OK(expr_) FUZZ_CHECK((expr_) == LB_OK)
#define FUZZ_CODE(expr_, code_) FUZZ_CHECK(lb_status_code(expr_) == (code_))

_Noreturn void fuzz_broken(const char *file, int line, const char *property);

/* fuzz_arena makes an arena of at most max_bytes; fuzz_text copies bytes into a string of it, and
 * gives NULL when they hold a NUL. */
struct lb_arena *fuzz_arena(size_t max_bytes);
const char *fuzz_text(struct lb_arena *arena, struct lb_span bytes);

/* These take a number or at most len bytes off the front; zeros when nothing is left. */
uint8_t fuzz_u8(struct lb_span *in);
uint64_t fuzz_u64(struct lb_span *in);
struct lb_span fuzz_bytes(struct lb_span *in, size_t len);
/* fuzz_field takes as many as a 16-bit number before them says. */
struct lb_span fuzz_field(struct lb_span *in);
/* fuzz_line takes what stands before the next line feed, and the line feed. */
struct lb_span fuzz_line(struct lb_span *in);

/* Where the seeds of a target go. */
struct fuzz_sink {
    void (*put)(void *ctx, struct lb_span bytes);
    void *ctx;
};

/* fuzz_seed puts bytes behind one selecting byte; fuzz_seed_plain puts them as they are,
 * fuzz_seed_text a string. */
void fuzz_seed(const struct fuzz_sink *sink, uint8_t which, struct lb_span bytes);
void fuzz_seed_plain(const struct fuzz_sink *sink, struct lb_span bytes);
void fuzz_seed_text(const struct fuzz_sink *sink, const char *text);

#endif
