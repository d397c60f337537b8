#ifndef TESTS_FROZEN_FROZEN_H
#define TESTS_FROZEN_FROZEN_H

#include "gateway/base/arena.h"

/*
 * Bytes that have been on a wire or a disk, kept as they were: tests/frozen/v<n>/<name>. Whatever
 * today's code is, it reads every version's, and makes again, byte for byte, what does not depend
 * on chance. A version is made once by `freeze` and never changed.
 */

/* One version's bytes, by the object's number; empty where the version has none. */
#define FROZEN_MAX 32
struct frozen_set {
    struct lb_arena *arena;
    struct lb_span bytes[FROZEN_MAX];
};

struct frozen_object {
    const char *name;  /* of the file */
    bool is_text;      /* kept as it is; others as lines of hexadecimal digits */
    bool is_fixed;     /* the same bytes whenever it is made */
    /* make builds the object, from earlier ones of the set where it holds them. */
    struct lb_span (*make)(struct frozen_set *set);
    /* accept reads the object as a peer or a later start would; it ends the process otherwise. */
    void (*accept)(struct frozen_set *set, struct lb_span bytes);
};

/* The objects, in the order in which they are made. */
extern const struct frozen_object frozen_objects[];
extern const size_t frozen_num_objects;

/* frozen_get finds an object of a set by its name; frozen_put keeps one that came with another. */
struct lb_span frozen_get(const struct frozen_set *set, const char *name);
void frozen_put(struct frozen_set *set, const char *name, struct lb_span bytes);

#endif
