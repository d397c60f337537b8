#include "gateway/window/look.h"

#include "gateway/base/log.h"
#include "gateway/base/wipe.h"
#include "gateway/window/parts_inside.h"

#define DAY_S INT64_C(86400)
/* Departments answer a read that was sent again for so long, without a second use. */
#define GO_ON_S DAY_S
/* Their interval begins with their answer, by their own clock. */
#define SLACK_S 3600

bool lb_case_is_watch(const struct lb_window_case *entry)
{
    return entry->form->form->trigger.every_days > 0;
}

lb_status lb_look_open(const struct lb_window *window, const struct lb_form *form)
{
    bool ours = form->trigger.every_days == 0 ||
                strcmp(form->trigger.source, window->options.organization) == 0;
    LB_ENSURE(ours, LB_WRONG_REQUESTER, "another department's trigger");
    return LB_OK;
}

static int64_t now_s(const struct lb_window_case *entry)
{
    return lb_clock_unix_s(entry->window->options.clock);
}

/* --- when --- */

static bool goes_on(const struct lb_window_case *entry)
{
    const struct lb_case_look *look = &entry->look;
    return look->begun_unix_s > 0 && !look->done &&
           now_s(entry) < look->begun_unix_s + GO_ON_S;
}

int64_t lb_look_next_s(const struct lb_window_case *entry)
{
    const struct lb_case_look *look = &entry->look;
    if (look->begun_unix_s == 0 || goes_on(entry))
        return 0;
    return look->asked_unix_s + entry->form->form->trigger.every_days * DAY_S + SLACK_S;
}

lb_status lb_look_may(struct lb_window_case *entry)
{
    if (!lb_case_is_watch(entry))
        return LB_OK;
    (void)pthread_mutex_lock(&entry->lock);
    bool over = entry->look.over;
    bool soon = now_s(entry) < lb_look_next_s(entry);
    (void)pthread_mutex_unlock(&entry->lock);
    LB_ENSURE(!over, LB_GRANT_REVOKED, "the watch is over");
    LB_ENSURE(!soon, LB_EVENT_TOO_SOON, "a look was made within the interval");
    return LB_OK;
}

lb_status lb_look_without(struct lb_window_case *entry, lb_status granted)
{
    enum lb_code code = lb_status_code(granted);
    if (!lb_case_is_watch(entry) || (code != LB_GRANT_REVOKED && code != LB_GRANT_REFUSED))
        return granted;
    (void)pthread_mutex_lock(&entry->lock);
    entry->look.over = true;
    lb_status kept = lb_case_store_put(entry->window->store, entry);
    (void)pthread_mutex_unlock(&entry->lock);
    return kept != LB_OK ? kept : granted;
}

/* --- what was found --- */

static void forget(struct lb_window_case *entry)
{
    const struct lb_form *form = entry->form->form;
    for (size_t i = 0; i < entry->num_members; i++) {
        struct lb_case_member *member = &entry->members[i];
        for (size_t k = 0; k < form->num_facts; k++)
            lb_case_text_drop(&member->facts[k].text);
        lb_wipe(member->facts, form->num_facts * sizeof(member->facts[0]));
        for (size_t k = 0; k < form->num_sections; k++)
            member->rids[k].made = false;
    }
    for (size_t i = 0; i < form->num_shares; i++)
        entry->shares[i].runs = 0;
    for (size_t i = 0; i < form->num_conditions; i++)
        entry->conditions[i] = LB_UNKNOWN;
    entry->receipts_checked = entry->receipts_failed = 0;
    entry->decided = false;
}

/* A budget may have room by now; it was refused before anything was used. */
static void ask_again(struct lb_window_case *entry)
{
    for (size_t i = 0; i < entry->num_members; i++) {
        struct lb_case_fact *facts = entry->members[i].facts;
        for (size_t k = 0; k < entry->form->form->num_facts; k++)
            if (facts[k].code == LB_BUDGET_EXHAUSTED)
                facts[k] = (struct lb_case_fact){0}; /* without an answer there is no text */
    }
}

void lb_look_begin(struct lb_window_case *entry)
{
    if (!lb_case_is_watch(entry))
        return;
    int64_t now = now_s(entry);
    (void)pthread_mutex_lock(&entry->lock);
    if (!goes_on(entry)) {
        forget(entry);
        entry->look.begun_unix_s = now;
        entry->look.done = false;
    } else {
        ask_again(entry);
    }
    entry->look.asked_unix_s = now;
    (void)pthread_mutex_unlock(&entry->lock);
}

/* A department that was away, or had enough for today, may still answer; whatever else is missing
 * stays so in this look. */
static bool is_answered(const struct lb_window_case *entry)
{
    for (size_t i = 0; i < entry->num_members; i++)
        for (size_t k = 0; k < entry->form->form->num_facts; k++)
            if (lb_case_asked(entry, i, k) &&
                (!lb_case_final(entry->members[i].facts[k].value.state) ||
                 entry->members[i].facts[k].code == LB_BUDGET_EXHAUSTED))
                return false;
    return true;
}

/* --- the signal --- */

/* One of this look, or an older one that the department still has before it. */
static bool is_signalled(const struct lb_window_case *entry, Lianban__V1__CasePart *const *parts,
                         size_t num)
{
    for (size_t i = 0; i < num; i++)
        if (!lb_part_is_over(lb_part_state_by_name(parts[i]->state)) ||
            parts[i]->submitted_unix_s >= entry->look.begun_unix_s)
            return true;
    return false;
}

static lb_status signal_once(struct lb_window_case *entry)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_PARTS_ARENA_BYTES);
    Lianban__V1__CasePart **parts = NULL;
    struct lb_parcel_row row;
    size_t num = 0;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    LB_TRY(lb_parts_show(entry, NULL, arena, &parts, &num));
    if (is_signalled(entry, parts, num))
        return LB_OK;
    LB_TRY(lb_part_make(entry, 0, arena, &row)); /* a trigger has this one part */
    LB_TRY(lb_parcels_add(entry->window->store, &row, 1, arena));
    lb_parts_push(entry->window, &row);
    return LB_OK;
}

lb_status lb_look_conclude(struct lb_window_case *entry)
{
    size_t class = SIZE_MAX;
    bool settled = lb_parts_class(entry, &class) == LB_OK;
    if (settled && !entry->look.over && lb_form_hands_over(&entry->form->form->parts[0], class))
        LB_TRY(signal_once(entry));
    entry->look.done = settled || is_answered(entry);
    LB_TRY(lb_window_push_result(entry));
    if (entry->look.done)
        forget(entry);
    LB_TRY(lb_case_store_put(entry->window->store, entry));
    return entry->look.done ? lb_case_store_tidy(entry->window->store) : LB_OK;
}

/* --- the end --- */

static bool was_reached(const Lianban__V1__CasePart *part)
{
    for (size_t i = 0; i < part->n_words; i++)
        if (strcmp(part->words[i]->kind, "APPLIED") == 0 ||
            strcmp(part->words[i]->kind, "DECLINED") == 0)
            return true;
    return false;
}

/* Under the case's locks. */
static lb_status end_if_over(struct lb_window_case *entry, struct lb_arena *arena, bool *out_over)
{
    Lianban__V1__CasePart **parts = NULL;
    size_t num = 0;
    LB_TRY(lb_parts_show(entry, NULL, arena, &parts, &num));
    for (size_t i = 0; i < num; i++)
        entry->look.over = entry->look.over || was_reached(parts[i]);
    if (entry->look.done)
        lb_feed_forget(entry->feed); /* events say what was found */
    *out_over = entry->look.over;
    return entry->look.over ? lb_parts_withdraw(entry, NULL, "", arena) : LB_OK;
}

static lb_status settle(struct lb_window_case *entry)
{
    bool over = false, leaving = true;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_PARTS_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    (void)pthread_mutex_lock(&entry->asking);
    (void)pthread_mutex_lock(&entry->lock);
    lb_status status = end_if_over(entry, arena, &over);
    if (status == LB_OK && over)
        status = lb_parcels_on_their_way(entry->window->store, entry->id, &leaving);
    (void)pthread_mutex_unlock(&entry->lock);
    (void)pthread_mutex_unlock(&entry->asking);
    LB_TRY(status);
    return leaving ? LB_OK : lb_window_close_case(entry->window, entry->id);
}

void lb_look_settle(struct lb_window_case *entry)
{
    lb_status status = lb_case_is_watch(entry) ? settle(entry) : LB_OK;
    if (lb_status_code(status) != LB_CASE_STATE) /* a look has begun meanwhile */
        lb_log_failure("watch_not_ended", status);
}
