#include "gateway/window/act.h"
#include "gateway/window/casework.h"

/* GetRecords: what can be handed out. */

#define PAGE_BYTES (LB_MAX_MESSAGE_BYTES / 4)

/* Under the case's lock. */
static lb_status write_page(const struct lb_window_case *entry, size_t after,
                            struct lb_arena *arena, Lianban__V1__GetRecordsResponse *page)
{
    size_t bytes = 0;
    page->records = lb_arena_array(arena, entry->records.num, sizeof(page->records[0]));
    LB_ENSURE(page->records != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = after + 1; i <= entry->records.num && bytes < PAGE_BYTES; i++) {
        LB_TRY(lb_record_message(entry, i, arena, &page->records[page->n_records]));
        bytes += strlen(page->records[page->n_records++]->note);
    }
    page->more = after + page->n_records < entry->records.num;
    return LB_OK;
}

lb_status lb_window_records(struct lb_window *window,
                            const Lianban__V1__GetRecordsRequest *request, struct lb_arena *arena,
                            Lianban__V1__GetRecordsResponse **out)
{
    LB_DEFER(lb_window_let_go) struct lb_window_case *entry = NULL;
    Lianban__V1__GetRecordsResponse *page = lb_arena_alloc(arena, sizeof(*page));
    LB_ENSURE(page != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__get_records_response__init(page);
    LB_TRY(lb_window_hold(window, request->case_id, &entry));
    (void)pthread_mutex_lock(&entry->lock);
    lb_status status = LB_OK;
    if (request->after < entry->records.num)
        status = write_page(entry, request->after, arena, page);
    (void)pthread_mutex_unlock(&entry->lock);
    LB_TRY(status);
    *out = page;
    return LB_OK;
}
