#include "gateway/window/corrections.h"
#include "gateway/wire/pb.h"

/* What is late, over all cases: worked out each time, from the calendar as it is now. */

#define MAX_PARTS 1000U
#define CASE_ARENA_BYTES (32U * 1024 * 1024)
#define IDS_ARENA_BYTES (1U * 1024 * 1024)

struct looking {
    struct lb_window *window;
    const char *department;
    bool waiting;
    struct lb_arena *arena;
    Lianban__V1__ListOverdueResponse *out;
};

static bool is_late(const struct looking *looking, const Lianban__V1__CasePart *part)
{
    enum lb_part_state state = lb_part_state_by_name(part->state);
    return part->overdue[0] != 0 || state == LB_PART_DEAD ||
           (looking->waiting && !lb_part_has_left(state));
}

static lb_status add(struct looking *looking, const char *case_id,
                     const Lianban__V1__CasePart *part)
{
    Lianban__V1__ListOverdueResponse *out = looking->out;
    struct lb_span bytes;
    if (out->n_parts == MAX_PARTS) {
        out->more = 1;
        return LB_OK;
    }
    Lianban__V1__OverduePart *overdue = lb_arena_alloc(looking->arena, sizeof(*overdue));
    LB_ENSURE(overdue != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__overdue_part__init(overdue);
    overdue->case_id = lb_arena_str(looking->arena, lb_span_str(case_id));
    LB_ENSURE(overdue->case_id != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_pb_pack(part, looking->arena, &bytes));
    LB_TRY(lb_pb_unpack(&lianban__v1__case_part__descriptor, bytes, looking->arena,
                        &overdue->part));
    out->parts[out->n_parts++] = overdue;
    return LB_OK;
}

/* One that is over is none; one that nobody takes is handed over by other ways. */
static bool is_waited_for(const Lianban__V1__CaseCorrection *correction)
{
    bool over = strcmp(correction->state, "CORRECTED") == 0 ||
                strcmp(correction->state, "KEPT") == 0;
    return !over && (strcmp(correction->state, "OVERDUE") == 0 ||
                     lb_part_state_by_name(correction->way) == LB_PART_DEAD);
}

static lb_status add_correction(struct looking *looking, const char *case_id,
                                const Lianban__V1__CaseCorrection *correction)
{
    Lianban__V1__ListOverdueResponse *out = looking->out;
    struct lb_span bytes;
    if (out->n_corrections == MAX_PARTS) {
        out->more = 1;
        return LB_OK;
    }
    Lianban__V1__OverdueCorrection *overdue = lb_arena_alloc(looking->arena, sizeof(*overdue));
    LB_ENSURE(overdue != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__overdue_correction__init(overdue);
    overdue->case_id = lb_arena_str(looking->arena, lb_span_str(case_id));
    LB_ENSURE(overdue->case_id != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_pb_pack(correction, looking->arena, &bytes));
    LB_TRY(lb_pb_unpack(&lianban__v1__case_correction__descriptor, bytes, looking->arena,
                        &overdue->correction));
    out->corrections[out->n_corrections++] = overdue;
    return LB_OK;
}

static bool is_asked(const struct looking *looking, const char *department)
{
    return looking->department[0] == 0 || strcmp(department, looking->department) == 0;
}

static lb_status look_at_corrections(struct looking *looking, struct lb_window_case *entry,
                                     struct lb_arena *arena)
{
    Lianban__V1__CaseCorrection **list = NULL;
    size_t num = 0;
    (void)pthread_mutex_lock(&entry->lock);
    lb_status status = lb_corrections_write(entry, arena, &list, &num);
    (void)pthread_mutex_unlock(&entry->lock);
    LB_TRY(status);
    for (size_t i = 0; i < num; i++) {
        if (is_asked(looking, list[i]->department) && is_waited_for(list[i]))
            LB_TRY(add_correction(looking, entry->id, list[i]));
    }
    return LB_OK;
}

static lb_status look_at(struct looking *looking, const char *case_id)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(CASE_ARENA_BYTES);
    LB_DEFER(lb_window_let_go) struct lb_window_case *entry = NULL;
    Lianban__V1__CasePart **parts = NULL;
    size_t num = 0;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    lb_status status = lb_window_hold(looking->window, case_id, &entry);
    if (lb_status_code(status) == LB_CASE_UNKNOWN)
        return LB_OK; /* closed meanwhile */
    LB_TRY(status);
    LB_TRY(lb_parts_show(entry, NULL, arena, &parts, &num));
    for (size_t i = 0; i < num; i++) {
        if (is_asked(looking, parts[i]->department) && is_late(looking, parts[i]))
            LB_TRY(add(looking, case_id, parts[i]));
    }
    return look_at_corrections(looking, entry, arena);
}

lb_status lb_window_overdue(struct lb_window *window,
                            const Lianban__V1__ListOverdueRequest *request,
                            struct lb_arena *arena, Lianban__V1__ListOverdueResponse **out)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *ids_arena = lb_arena_new(IDS_ARENA_BYTES);
    Lianban__V1__ListOverdueResponse *response = lb_arena_alloc(arena, sizeof(*response));
    const char **ids = NULL;
    size_t num = 0;
    LB_ENSURE(ids_arena != NULL && response != NULL, LB_NO_MEMORY, "arena");
    lianban__v1__list_overdue_response__init(response);
    response->parts = lb_arena_array(arena, MAX_PARTS, sizeof(response->parts[0]));
    response->corrections = lb_arena_array(arena, MAX_PARTS, sizeof(response->corrections[0]));
    LB_ENSURE(response->parts != NULL && response->corrections != NULL, LB_NO_MEMORY,
              "arena is full");
    struct looking looking = {window, request->department, request->waiting, arena, response};
    LB_TRY(lb_parcels_cases(window->store, ids_arena, &ids, &num));
    for (size_t i = 0; i < num && !response->more; i++)
        LB_TRY(look_at(&looking, ids[i]));
    *out = response;
    return LB_OK;
}
