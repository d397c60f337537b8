#ifndef GATEWAY_TRUST_PINS_H
#define GATEWAY_TRUST_PINS_H

#include "gateway/base/arena.h"

/* Inside gateway/trust: a sorted list of names and keys as text. */
struct lb_pin {
    const char *name;
    const char *key;
};

struct lb_pins {
    struct lb_pin *list;
    size_t num;
    size_t max;
};

/* lb_pins_new makes room for max pins. NO_MEMORY. */
LB_MUST lb_status lb_pins_new(struct lb_pins *pins, size_t max, struct lb_arena *arena);
/* lb_pins_add appends; the texts are borrowed. TOO_LARGE past the room. */
LB_MUST lb_status lb_pins_add(struct lb_pins *pins, const char *name, const char *key);
/* lb_pins_sort puts them in order of their names; it must come before the look-ups. */
void lb_pins_sort(struct lb_pins *pins);
/* lb_pins_find returns a key by name, NULL when there is none. */
const char *lb_pins_find(const struct lb_pins *pins, const char *name);
/* lb_pins_has says whether the exact pair is listed; names may come more than once. */
bool lb_pins_has(const struct lb_pins *pins, const char *name, const char *key);
/* lb_pins_has_prefix says whether any name begins with the first len bytes of `prefix`. */
bool lb_pins_has_prefix(const struct lb_pins *pins, const char *prefix, size_t len);

#endif
