#include "gateway/trust/pins.h"

#include <stdlib.h>

lb_status lb_pins_new(struct lb_pins *pins, size_t max, struct lb_arena *arena)
{
    struct lb_pin *list = lb_arena_array(arena, max, sizeof(*list));
    LB_ENSURE(list != NULL, LB_NO_MEMORY, "arena is full");
    *pins = (struct lb_pins){.list = list, .max = max};
    return LB_OK;
}

lb_status lb_pins_add(struct lb_pins *pins, const char *name, const char *key)
{
    LB_ENSURE(pins->num < pins->max, LB_TOO_LARGE, "too many keys");
    pins->list[pins->num++] = (struct lb_pin){.name = name, .key = key};
    return LB_OK;
}

static int by_name(const void *a, const void *b)
{
    const struct lb_pin *left = a;
    const struct lb_pin *right = b;
    return strcmp(left->name, right->name);
}

void lb_pins_sort(struct lb_pins *pins)
{
    qsort(pins->list, pins->num, sizeof(*pins->list), by_name);
}

const char *lb_pins_find(const struct lb_pins *pins, const char *name)
{
    const struct lb_pin wanted = {.name = name};
    const struct lb_pin *found =
        bsearch(&wanted, pins->list, pins->num, sizeof(*pins->list), by_name);
    return found == NULL ? NULL : found->key;
}

bool lb_pins_has(const struct lb_pins *pins, const char *name, const char *key)
{
    for (size_t i = 0; i < pins->num; i++) {
        if (strcmp(pins->list[i].name, name) == 0 && strcmp(pins->list[i].key, key) == 0)
            return true;
    }
    return false;
}

bool lb_pins_has_prefix(const struct lb_pins *pins, const char *prefix, size_t len)
{
    for (size_t i = 0; i < pins->num; i++) {
        if (strncmp(pins->list[i].name, prefix, len) == 0)
            return true;
    }
    return false;
}
