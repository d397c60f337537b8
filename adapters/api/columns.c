#include "adapters/api/columns.h"

#include <stdlib.h>
#include <string.h>

struct lb_source_place {
    const char *name;
    size_t at;
};

static int by_name(const void *left, const void *right)
{
    const struct lb_source_place *a = left, *b = right;
    return strcmp(a->name, b->name);
}

lb_status lb_source_columns_make(const char *const *names, size_t num, struct lb_arena *arena,
                                 struct lb_source_columns *out)
{
    struct lb_source_place *places = lb_arena_array(arena, num, sizeof(*places));
    LB_ENSURE(places != NULL, LB_NO_MEMORY, "arena full");
    for (size_t i = 0; i < num; i++)
        places[i] = (struct lb_source_place){names[i], i};
    qsort(places, num, sizeof(*places), by_name);
    *out = (struct lb_source_columns){num, names, places};
    return LB_OK;
}

/* Put where it belongs in the query's order; what several facts are made of is taken once. */
static size_t insert(const char **names, size_t *at, size_t num, const char *name, size_t place)
{
    size_t i = num;
    while (i > 0 && at[i - 1] > place)
        i--;
    if (i > 0 && at[i - 1] == place)
        return num;
    memmove(&at[i + 1], &at[i], (num - i) * sizeof(*at));
    memmove(&names[i + 1], &names[i], (num - i) * sizeof(*names));
    at[i] = place;
    names[i] = name;
    return num + 1;
}

lb_status lb_source_columns_take(const struct lb_source_columns *columns,
                                 const struct lb_source_limits *limits, struct lb_arena *arena,
                                 struct lb_source_taken *out)
{
    bool all = limits->columns == NULL;
    size_t num_asked = all ? columns->num : limits->num_columns;
    const char **names = lb_arena_array(arena, num_asked, sizeof(*names));
    size_t *at = lb_arena_array(arena, num_asked, sizeof(*at));
    size_t num = 0;
    LB_ENSURE(names != NULL && at != NULL, LB_NO_MEMORY, "arena full");
    for (size_t i = 0; i < num_asked; i++) {
        struct lb_source_place asked = {all ? columns->names[i] : limits->columns[i], i};
        const struct lb_source_place *found =
            all ? &asked : bsearch(&asked, columns->by_name, columns->num, sizeof(asked), by_name);
        LB_ENSURE(found != NULL, LB_SOURCE_UNAVAILABLE, "the query gives no such column");
        num = insert(names, at, num, asked.name, found->at);
    }
    *out = (struct lb_source_taken){num, names, at};
    return LB_OK;
}
