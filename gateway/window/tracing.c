#include "gateway/window/tracing.h"

#include "gateway/base/log.h"
#include "gateway/window/inside.h"

lb_status lb_window_trace(struct lb_window *window, const char *case_id,
                          struct lb_span traceparent)
{
    LB_DEFER(lb_window_let_go) struct lb_window_case *entry = NULL;
    struct lb_trace from;
    LB_TRY(lb_window_hold(window, case_id, &entry));
    if (!lb_trace_parse(traceparent, &from))
        return LB_OK;
    (void)pthread_mutex_lock(&entry->lock);
    lb_trace_step(&from, &entry->next_trace);
    (void)pthread_mutex_unlock(&entry->lock);
    return LB_OK;
}

void lb_window_trace_begin(struct lb_window_case *entry)
{
    entry->trace = entry->next_trace;
    if (entry->trace.id[0] == 0)
        lb_trace_begin(&entry->trace);
    entry->next_trace = (struct lb_trace){.sampled = false};
}

void lb_window_trace_end(struct lb_window_case *entry, lb_status status)
{
    (void)pthread_mutex_lock(&entry->lock);
    if (entry->trace.sampled)
        lb_log_event(LB_LOG_INFO, "collect_ended",
                     "\"trace\":\"%s\",\"span\":\"%s\",\"code\":\"%s\",\"ms\":%u", entry->trace.id,
                     entry->trace.span, lb_code_name(lb_status_code(status)),
                     (unsigned)entry->millis);
    (void)pthread_mutex_unlock(&entry->lock);
}
