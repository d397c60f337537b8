#include "gateway/window/inside.h"

/* All open cases, found by id. */

static struct lb_window_case **bucket_of(struct lb_window *window, const char *case_id)
{
    uint32_t hash = 2166136261U; /* FNV-1a; ids are random */
    for (const char *at = case_id; *at != 0; at++)
        hash = (hash ^ (uint8_t)*at) * 16777619U;
    return &window->buckets[hash % LB_WINDOW_BUCKETS];
}

lb_status lb_window_add(struct lb_window *window, struct lb_window_case *entry)
{
    lb_status status = LB_OK;
    (void)pthread_mutex_lock(&window->lock);
    if (window->num_cases >= LB_WINDOW_MAX_CASES) {
        status = LB_FAULT(LB_BUSY, "too many cases are open");
    } else {
        struct lb_window_case **bucket = bucket_of(window, entry->id);
        entry->refs = 1;
        entry->next = *bucket;
        *bucket = entry;
        window->num_cases++;
    }
    (void)pthread_mutex_unlock(&window->lock);
    return status;
}

lb_status lb_window_hold(struct lb_window *window, const char *case_id,
                         struct lb_window_case **out_case)
{
    LB_ENSURE(strnlen(case_id, LB_CASE_ID_BYTES) == LB_CASE_ID_BYTES - 1, LB_CASE_UNKNOWN,
              "not a case id");
    (void)pthread_mutex_lock(&window->lock);
    struct lb_window_case *entry = *bucket_of(window, case_id);
    while (entry != NULL && strcmp(entry->id, case_id) != 0)
        entry = entry->next;
    bool found = entry != NULL && !entry->closed;
    if (found)
        entry->refs++;
    (void)pthread_mutex_unlock(&window->lock);
    LB_ENSURE(found, LB_CASE_UNKNOWN, "no such case");
    *out_case = entry;
    return LB_OK;
}

void lb_window_let_go(struct lb_window_case **held)
{
    struct lb_window_case *entry = *held;
    if (entry == NULL)
        return;
    (void)pthread_mutex_lock(&entry->window->lock);
    bool last = --entry->refs == 0;
    (void)pthread_mutex_unlock(&entry->window->lock);
    if (last)
        lb_case_free(entry);
    *held = NULL;
}

void lb_window_remove(struct lb_window_case *entry)
{
    struct lb_window *window = entry->window;
    (void)pthread_mutex_lock(&window->lock);
    struct lb_window_case **at = bucket_of(window, entry->id);
    while (*at != entry)
        at = &(*at)->next;
    *at = entry->next;
    entry->refs--; /* the table's; the caller has one of its own */
    window->num_cases--;
    (void)pthread_mutex_unlock(&window->lock);
}

bool lb_window_closed(struct lb_window_case *entry)
{
    (void)pthread_mutex_lock(&entry->window->lock);
    bool closed = entry->closed;
    (void)pthread_mutex_unlock(&entry->window->lock);
    return closed;
}

lb_status lb_window_case_ids(struct lb_window *window, struct lb_arena *arena,
                             const char ***out_ids, size_t *out_num)
{
    const char **ids = lb_arena_array(arena, LB_WINDOW_MAX_CASES, sizeof(*ids));
    bool fits = ids != NULL;
    size_t num = 0;
    (void)pthread_mutex_lock(&window->lock);
    for (size_t i = 0; i < LB_WINDOW_BUCKETS && fits; i++) {
        for (const struct lb_window_case *c = window->buckets[i]; c != NULL && fits; c = c->next) {
            ids[num] = lb_arena_str(arena, lb_span_str(c->id));
            fits = ids[num++] != NULL;
        }
    }
    (void)pthread_mutex_unlock(&window->lock);
    LB_ENSURE(fits, LB_NO_MEMORY, "arena is full");
    *out_ids = ids;
    *out_num = num;
    return LB_OK;
}
