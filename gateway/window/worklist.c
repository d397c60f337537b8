#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/window/casework.h"
#include "gateway/window/corrections.h"
#include "gateway/window/look.h"
#include "gateway/window/standing.h"

/*
 * ListCases: the work list. A page is made in two steps, so that a table of thousands is neither
 * copied nor locked for long: first the ids, by age, that stand behind the place the last page
 * ended at; then one case after the other until the page is full.
 */

#define USUAL_PAGE 50U
#define MAX_PAGE 200U
#define MAX_NAMED 16U

/* Where a case stands in the list. */
struct place {
    int64_t opened;
    char id[LB_CASE_ID_BYTES];
};

static int compare(const void *left, const void *right)
{
    const struct place *a = left, *b = right;
    if (a->opened != b->opened)
        return a->opened < b->opened ? -1 : 1;
    return strcmp(a->id, b->id);
}

/* "<seconds>.<case>", as `next` gave it. */
static lb_status parse_place(const char *text, struct place *out)
{
    char *end = NULL;
    LB_ENSURE(text[0] >= '0' && text[0] <= '9', LB_MALFORMED, "no place in the list");
    out->opened = strtoll(text, &end, 10);
    LB_ENSURE(*end == '.' && strlen(end + 1) == LB_CASE_ID_BYTES - 1 && end - text <= 18,
              LB_MALFORMED, "no place in the list");
    memcpy(out->id, end + 1, sizeof(out->id));
    return LB_OK;
}

static bool is_one_of(const char *word, const char *const *words)
{
    bool found = word[0] == 0;
    for (size_t i = 0; words[i] != NULL; i++)
        found = found || strcmp(word, words[i]) == 0;
    return found;
}

static lb_status check_filter(const Lianban__V1__ListCasesRequest *request)
{
    static const char *const states[] = {"OPEN", "GRANTS_PENDING", "COLLECTING", "DECIDED", NULL};
    static const char *const turns[] = {"citizen", "departments", "officer", "nobody", NULL};
    LB_ENSURE(is_one_of(request->state, states), LB_MALFORMED, "no such state");
    LB_ENSURE(is_one_of(request->turn, turns), LB_MALFORMED, "no such turn");
    LB_ENSURE(request->limit <= MAX_PAGE, LB_MALFORMED, "too large a page");
    return LB_OK;
}

/* The ids of all cases behind a place, sorted; the caller frees them. When a case was opened never
 * changes, so the window's lock is enough. */
static lb_status gather(struct lb_window *window, const struct place *after, struct place **out,
                        size_t *out_num)
{
    size_t num = 0;
    (void)pthread_mutex_lock(&window->lock);
    struct place *places = calloc(window->num_cases + 1, sizeof(*places));
    for (size_t i = 0; i < LB_WINDOW_BUCKETS && places != NULL; i++) {
        for (const struct lb_window_case *c = window->buckets[i]; c != NULL; c = c->next) {
            struct place *place = &places[num];
            place->opened = c->opened_unix_s;
            memcpy(place->id, c->id, sizeof(place->id));
            num += !c->closed && compare(place, after) > 0 ? 1 : 0;
        }
    }
    (void)pthread_mutex_unlock(&window->lock);
    LB_ENSURE(places != NULL, LB_NO_MEMORY, "work list");
    qsort(places, num, sizeof(*places), compare);
    *out = places;
    *out_num = num;
    return LB_OK;
}

/* --- one case --- */

static bool misses_of_any(const struct lb_window_case *entry, size_t fact, size_t *count)
{
    size_t before = *count;
    for (size_t i = 0; i < entry->num_members; i++)
        *count += lb_case_asked(entry, i, fact) && lb_case_misses(entry, i, fact) ? 1 : 0;
    return *count > before;
}

static lb_status write_missing(const struct lb_window_case *entry, struct lb_arena *arena,
                               Lianban__V1__CaseSummary *out)
{
    const struct lb_form *form = entry->form->form;
    size_t count = 0;
    out->missing = lb_arena_array(arena, MAX_NAMED, sizeof(out->missing[0]));
    LB_ENSURE(out->missing != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t k = 0; k < form->num_facts; k++) {
        if (misses_of_any(entry, k, &count) && out->n_missing < MAX_NAMED)
            out->missing[out->n_missing++] = (char *)(uintptr_t)form->facts[k].name;
    }
    out->num_missing = (uint32_t)count;
    return LB_OK;
}

/* Under the case's lock. */
static lb_status write_summary(const struct lb_window_case *entry, bool collecting,
                               struct lb_arena *arena, Lianban__V1__CaseSummary *out)
{
    const struct lb_form *form = entry->form->form;
    const struct lb_case_decision decision = lb_case_decided(entry);
    const size_t num = entry->records.num;
    out->case_id = lb_arena_str(arena, lb_span_str(entry->id));
    out->unit = lb_arena_str(arena, lb_span_str(entry->unit));
    LB_ENSURE(out->case_id != NULL && out->unit != NULL, LB_NO_MEMORY, "arena is full");
    out->form = (char *)(uintptr_t)form->id;
    out->form_version = form->version;
    out->state = (char *)(uintptr_t)lb_case_phase(entry, collecting);
    out->turn = (char *)(uintptr_t)lb_case_turn(entry, collecting);
    if (entry->decided)
        out->class_id = (char *)(uintptr_t)entry->class_id;
    if (decision.record > 0)
        out->decided_class_id = (char *)(uintptr_t)decision.class.id;
    out->opened_unix_s = entry->opened_unix_s;
    out->since_unix_s =
        num > 0 ? lb_records_at(&entry->records, num)->at_unix_s : entry->opened_unix_s;
    out->judge_again = lb_correction_behind(entry) > 0;
    out->every_days = (uint32_t)form->trigger.every_days;
    out->looked_unix_s = entry->look.begun_unix_s;
    out->next_look_unix_s = lb_look_next_s(entry);
    lb_corrections_count(entry, &out->corrections_open, &out->corrections_overdue);
    return write_missing(entry, arena, out);
}

static bool fits(const char *wanted, const char *is)
{
    return wanted[0] == 0 || strcmp(wanted, is) == 0;
}

static bool is_wanted(const Lianban__V1__ListCasesRequest *request,
                      const Lianban__V1__CaseSummary *summary)
{
    return fits(request->form, summary->form) && fits(request->state, summary->state) &&
           fits(request->class_id, summary->class_id) && fits(request->turn, summary->turn);
}

/* NULL when the case is gone meanwhile, or is not what is looked for. */
static lb_status summarize(struct lb_window *window, const char *case_id,
                           const Lianban__V1__ListCasesRequest *request, struct lb_arena *arena,
                           Lianban__V1__CaseSummary **out)
{
    LB_DEFER(lb_window_let_go) struct lb_window_case *entry = NULL;
    *out = NULL;
    if (lb_window_hold(window, case_id, &entry) != LB_OK)
        return LB_OK;
    Lianban__V1__CaseSummary *summary = lb_arena_alloc(arena, sizeof(*summary));
    LB_ENSURE(summary != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__case_summary__init(summary);
    (void)pthread_mutex_lock(&window->lock);
    bool collecting = entry->collecting;
    (void)pthread_mutex_unlock(&window->lock);
    (void)pthread_mutex_lock(&entry->lock);
    lb_status status = write_summary(entry, collecting, arena, summary);
    (void)pthread_mutex_unlock(&entry->lock);
    LB_TRY(status);
    if (is_wanted(request, summary))
        *out = summary;
    return LB_OK;
}

/* --- a page --- */

static lb_status write_next(const struct place *last, struct lb_arena *arena,
                            Lianban__V1__ListCasesResponse *page)
{
    page->next = lb_arena_printf(arena, "%" PRId64 ".%s", last->opened, last->id);
    LB_ENSURE(page->next != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

/* A case that does not belong on the page leaves nothing in the caller's arena but its summary,
 * which a filter bounds by looking into a scratch one first. */
static lb_status write_page(struct lb_window *window, const struct place *places, size_t num,
                            const Lianban__V1__ListCasesRequest *request, struct lb_arena *arena,
                            Lianban__V1__ListCasesResponse *page)
{
    const size_t limit = request->limit == 0 ? USUAL_PAGE : request->limit;
    LB_DEFER(lb_arena_freep) struct lb_arena *scratch = lb_arena_new(LB_CALL_ARENA_BYTES);
    page->cases = lb_arena_array(arena, limit, sizeof(page->cases[0]));
    LB_ENSURE(scratch != NULL && page->cases != NULL, LB_NO_MEMORY, "work list");
    for (size_t i = 0; i < num; i++) {
        Lianban__V1__CaseSummary *summary = NULL;
        lb_arena_reset(scratch);
        LB_TRY(summarize(window, places[i].id, request, scratch, &summary));
        if (summary == NULL)
            continue;
        if (page->n_cases == limit)
            return write_next(&places[i - 1], arena, page);
        LB_TRY(summarize(window, places[i].id, request, arena, &summary));
        if (summary != NULL)
            page->cases[page->n_cases++] = summary;
    }
    return LB_OK;
}

lb_status lb_window_list(struct lb_window *window, const Lianban__V1__ListCasesRequest *request,
                         struct lb_arena *arena, Lianban__V1__ListCasesResponse **out)
{
    struct place after = {.opened = -1}, *places = NULL;
    size_t num = 0;
    LB_TRY(check_filter(request));
    if (request->after[0] != 0)
        LB_TRY(parse_place(request->after, &after));
    Lianban__V1__ListCasesResponse *page = lb_arena_alloc(arena, sizeof(*page));
    LB_ENSURE(page != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__list_cases_response__init(page);
    LB_TRY(gather(window, &after, &places, &num));
    lb_status status = write_page(window, places, num, request, arena, page);
    free(places);
    LB_TRY(status);
    *out = page;
    return LB_OK;
}
