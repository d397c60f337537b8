#include "gateway/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES 1024

void lb_log_event(enum lb_log_level level, const char *event, const char *attributes, ...)
{
    static const char *const names[] = {"info", "warn", "error"};
    struct timespec now;
    struct tm utc;
    char when[32], more[LINE_BYTES / 2], line[LINE_BYTES];

    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &utc);
    (void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &utc);
    va_list args;
    va_start(args, attributes);
    (void)vsnprintf(more, sizeof(more), attributes, args);
    va_end(args);
    int len = snprintf(line, sizeof(line),
                       "{\"time\":\"%s.%03ldZ\",\"level\":\"%s\",\"event\":\"%s\"%s%s}\n", when,
                       now.tv_nsec / 1000000, names[level], event, more[0] ? "," : "", more);
    /* One write, so that lines of several threads don't mix; a lost line is not evidence. */
    if (len > 0 && len < LINE_BYTES && write(STDERR_FILENO, line, (size_t)len) < 0)
        return;
}

void lb_log_failure(const char *event, lb_status status)
{
    if (status == LB_OK)
        return;
    lb_log_event(LB_LOG_ERROR, event, "\"code\":\"%s\",\"what\":\"%s\",\"at\":\"%s:%d\"",
                 lb_code_name(status->code), status->what, status->file, status->line);
}
