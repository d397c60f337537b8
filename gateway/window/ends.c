#include "gateway/window/ends.h"

#include "gateway/base/log.h"
#include "gateway/window/corrections.h"
#include "gateway/window/standing.h"

#define DAY_S INT64_C(86400)
#define CALM_MS (60 * 60 * INT64_C(1000))
#define LOOK_EVERY_MS CALM_MS
#define MORE_AFTER_MS (60 * INT64_C(1000))
#define MAX_AT_ONCE 256U
#define STEP_MS (60 * INT64_C(1000)) /* that the clocks may be apart */
#define CASE_ARENA_BYTES (64U * 1024 * 1024)

/* --- whether it is over --- */

/* Somebody was heard, and nobody has decided since. */
static bool hearing_waits(const struct lb_window_case *entry)
{
    return lb_records_newest(&entry->records, LB_RECORD_HEARD) >
           lb_records_newest(&entry->records, LB_RECORD_DECIDED);
}

static bool is_collecting(const struct lb_window_case *entry)
{
    struct lb_window *window = entry->window;
    (void)pthread_mutex_lock(&window->lock);
    bool collecting = entry->collecting;
    (void)pthread_mutex_unlock(&window->lock);
    return collecting;
}

/* The newest submission of a part, if it is over. */
static bool part_is_over(Lianban__V1__CasePart *const *parts, size_t num, const char *name)
{
    bool over = false;
    for (size_t i = 0; i < num; i++)
        if (strcmp(parts[i]->part, name) == 0)
            over = lb_part_is_over(lb_part_state_by_name(parts[i]->state));
    return over;
}

/* All that the class hands over was, and all that was handed over has ended. */
static bool parts_are_over(const struct lb_window_case *entry, size_t class,
                           Lianban__V1__CasePart *const *parts, size_t num)
{
    const struct lb_form *form = entry->form->form;
    for (size_t i = 0; i < form->num_parts; i++) {
        const struct lb_form_part *part = &form->parts[i];
        if (lb_form_hands_over(part, class) && !part_is_over(parts, num, part->name))
            return false;
    }
    for (size_t i = 0; i < num; i++)
        if (!part_is_over(parts, num, parts[i]->part))
            return false;
    return true;
}

/* Decided by a person; or by the rules, and departments took it on. */
static lb_status judge(const struct lb_window_case *entry, struct lb_arena *arena, bool *out_over)
{
    Lianban__V1__CasePart **parts = NULL;
    uint32_t open = 0, overdue = 0;
    size_t class = 0, num = 0;
    bool on_their_way = false;
    *out_over = false;
    lb_corrections_count(entry, &open, &overdue);
    if (!entry->decided || open > 0 || hearing_waits(entry) || is_collecting(entry) ||
        lb_parts_class(entry, &class) != LB_OK)
        return LB_OK;
    LB_TRY(lb_parcels_on_their_way(entry->window->store, entry->id, &on_their_way));
    LB_TRY(lb_parts_show(entry, NULL, arena, &parts, &num));
    *out_over = !on_their_way && (lb_case_decided(entry).record > 0 || num > 0) &&
                parts_are_over(entry, class, parts, num);
    return LB_OK;
}

/* --- since when --- */

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* By this agent's own clock: what a department says of the time holds up nothing. */
static lb_status last_event(const struct lb_window_case *entry, struct lb_arena *arena,
                            int64_t *out_s)
{
    const struct lb_case_records *records = &entry->records;
    struct lb_case_store *store = entry->window->store;
    struct lb_parcel_row *rows = NULL;
    size_t num = 0;
    int64_t last = entry->opened_unix_s;
    for (size_t i = 1; i <= records->num; i++)
        last = later(last, lb_records_at(records, i)->at_unix_s);
    LB_TRY(lb_parcels_of_case(store, entry->id, arena, &rows, &num));
    for (size_t i = 0; i < num; i++) {
        struct lb_word_row *words = NULL;
        size_t num_words = 0;
        last = later(last, rows[i].kept->since_unix_s);
        LB_TRY(lb_words_about(store, rows[i].name, arena, &words, &num_words));
        for (size_t k = 0; k < num_words; k++)
            last = later(last, words[k].taken_s);
    }
    *out_s = last;
    return LB_OK;
}

static int64_t kept_s(const struct lb_window_case *entry)
{
    const int64_t own = entry->window->options.end_days;
    return (entry->form->form->decision.object_days +
            (own > 0 ? own : LB_CASE_END_DAYS)) * DAY_S;
}

lb_status lb_case_ends_at(const struct lb_window_case *entry, int64_t *out_unix_s)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(CASE_ARENA_BYTES);
    bool over = false;
    int64_t last = 0;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    LB_TRY(judge(entry, arena, &over));
    if (over)
        LB_TRY(last_event(entry, arena, &last));
    *out_unix_s = over ? last + kept_s(entry) : 0;
    return LB_OK;
}

/* --- ending --- */

/* Asked again when nobody can do anything to the case any more. */
static lb_status check_end(struct lb_window_case *entry)
{
    int64_t at = 0;
    LB_TRY(lb_case_ends_at(entry, &at));
    LB_ENSURE(at > 0 && at <= lb_clock_unix_s(entry->window->options.clock), LB_CASE_STATE,
              "the case is not over");
    return LB_OK;
}

/* Most are too young, which their records say. */
static bool is_due(struct lb_window *window, const char *case_id)
{
    LB_DEFER(lb_window_let_go) struct lb_window_case *entry = NULL;
    if (lb_window_hold(window, case_id, &entry) != LB_OK)
        return false;
    (void)pthread_mutex_lock(&entry->lock);
    const size_t num = entry->records.num;
    int64_t last = num > 0 ? lb_records_at(&entry->records, num)->at_unix_s : INT64_MAX / 2;
    bool due = entry->decided && last + kept_s(entry) <= lb_clock_unix_s(window->options.clock);
    lb_status status = due ? check_end(entry) : LB_OK;
    (void)pthread_mutex_unlock(&entry->lock);
    if (status != LB_OK && status->code != LB_CASE_STATE)
        lb_log_failure("case_not_ended", status);
    return due && status == LB_OK;
}

/* *out_more: there may be others that wait. */
static lb_status look(struct lb_window *window, bool *out_more)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_WINDOW_IDS_BYTES);
    const char **ids = NULL;
    size_t num = 0, ended = 0;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    LB_TRY(lb_window_case_ids(window, arena, &ids, &num));
    for (size_t i = 0; i < num && ended < MAX_AT_ONCE; i++) {
        if (!is_due(window, ids[i]))
            continue;
        lb_status status = lb_window_close_if(window, ids[i], check_end);
        ended += status == LB_OK ? 1 : 0;
        if (lb_status_code(status) != LB_CASE_STATE && lb_status_code(status) != LB_CASE_UNKNOWN)
            LB_TRY(status);
    }
    *out_more = ended == MAX_AT_ONCE;
    if (ended > 0)
        lb_log_event(LB_LOG_INFO, "cases_ended", "\"cases\":%zu", ended);
    return LB_OK;
}

static bool is_calm(struct lb_case_ends *ends, const struct lb_clock *clock)
{
    int64_t unix_ms = lb_clock_unix_ms(clock), monotonic_ms = lb_clock_monotonic_ms(clock);
    int64_t apart = (unix_ms - ends->unix_ms) - (monotonic_ms - ends->monotonic_ms);
    if (!ends->begun || apart > STEP_MS || apart < -STEP_MS)
        *ends = (struct lb_case_ends){true, unix_ms, monotonic_ms, monotonic_ms + CALM_MS};
    return monotonic_ms >= ends->next_look_ms;
}

void lb_case_ends_look(struct lb_window *window, struct lb_case_ends *ends)
{
    const struct lb_clock *clock = window->options.clock;
    if (!is_calm(ends, clock))
        return;
    bool more = false;
    lb_log_failure("cases_not_ended", look(window, &more));
    ends->next_look_ms =
        lb_clock_monotonic_ms(clock) + (more ? MORE_AFTER_MS : LOOK_EVERY_MS);
}
