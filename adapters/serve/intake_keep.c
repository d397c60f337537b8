#include "adapters/serve/admin.h"
#include "adapters/serve/intake_state.h"

/* The end of what was kept long enough: in passing when something comes, and by itself. */

#define PURGE_EVERY_S 60

lb_status lb_intake_purge(struct lb_intake *intake, struct lb_store *store)
{
    const struct lb_intake_policy *policy = intake->serve->options.policy->intake;
    int64_t now = lb_clock_unix_s(intake->serve->options.clock);
    if (now < intake->next_purge_unix_s)
        return LB_OK;
    /* Nothing is taken in any more, so nothing is kept for what may come. */
    LB_TRY(lb_intake_rows_purge(&intake->rows, store, policy == NULL ? 0 : policy->keep_s, now));
    LB_TRY(lb_intake_words_purge(&intake->words, store, now));
    intake->next_purge_unix_s = now + PURGE_EVERY_S;
    return LB_OK;
}

static lb_status purge(struct lb_log_entry *entry, struct lb_store *store)
{
    struct lb_intake *intake = entry->owner;
    intake->next_purge_unix_s = 0;
    return lb_intake_purge(intake, store);
}

lb_status lb_intake_empty(struct lb_intake *intake)
{
    const struct lb_serve_options *options = &intake->serve->options;
    int64_t keep_s = options->policy->intake == NULL ? 0 : options->policy->intake->keep_s;
    int64_t now_ms = lb_clock_monotonic_ms(options->clock);
    bool any = false;
    if (now_ms < intake->next_look_ms)
        return LB_OK;
    intake->next_look_ms = now_ms + PURGE_EVERY_S * 1000;
    struct lb_store *store = lb_intake_reader(intake);
    lb_status status = lb_intake_rows_any_over(&intake->read_rows, store,
                                               lb_clock_unix_s(options->clock) - keep_s, &any);
    lb_intake_reader_done(intake);
    LB_TRY(status);
    return any ? lb_serve_admin(options->log, "INTAKE_EMPTIED", purge, intake) : LB_OK;
}
