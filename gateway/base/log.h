#ifndef GATEWAY_BASE_LOG_H
#define GATEWAY_BASE_LOG_H

#include "gateway/base/status.h"

/*
 * The operator's log: one JSON object a line on standard error. It is for running the service, not
 * evidence, and never carries personal data, keys, tokens or peer-chosen text: events and their
 * attributes are literals, numbers, codes and SPIFFE ids from the directory.
 */
enum lb_log_level { LB_LOG_INFO, LB_LOG_WARN, LB_LOG_ERROR };

/* lb_log_event writes {"time","level","event"} and printf-formatted attributes, which must be
 * well-formed JSON members such as "\"size\":%llu", or "" for none. */
void lb_log_event(enum lb_log_level level, const char *event, const char *attributes, ...)
    __attribute__((format(printf, 3, 4)));

/* lb_log_failure writes a status with its code, file and line. */
void lb_log_failure(const char *event, lb_status status);

#endif
