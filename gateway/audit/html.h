#ifndef GATEWAY_AUDIT_HTML_H
#define GATEWAY_AUDIT_HTML_H

#include "gateway/base/buf.h"

/*
 * Writing HTML. Whatever comes from an entry goes through lb_html_text, in elements and in quoted
 * attributes alike: no value of anybody's becomes markup, a script, or turns the direction of
 * writing.
 */

/* lb_html_text appends text with & < > " ' ` escaped; bytes that are not UTF-8, control characters
 * and those that turn the direction of writing come out as U+FFFD. */
void lb_html_text(struct lb_buf *out, const char *text);
/* lb_html_time appends a local time, "2026-11-03 09:15:07". */
void lb_html_time(struct lb_buf *out, int64_t unix_ms, int64_t zone_ms);

#endif
