#ifndef GATEWAY_CTL_TEXT_H
#define GATEWAY_CTL_TEXT_H

#include <stdio.h>

#include "gateway/base/arena.h"

/*
 * Text on a terminal. What comes from files and other processes may hold anything: bytes that are
 * not UTF-8, control characters (a terminal obeys them) and those that turn the direction of
 * writing come out as U+FFFD, wherever this folder prints.
 */

/* lb_ctl_next decodes one code point at *offset and moves past it; U+FFFD for what must not be
 * printed, -1 at the end. */
int32_t lb_ctl_next(struct lb_span text, size_t *offset);

/* lb_ctl_width counts terminal columns: two for Chinese characters and other wide ones, none for
 * combining marks. */
size_t lb_ctl_width(struct lb_span text);

/* lb_ctl_put writes text on one line; lb_ctl_put_lines keeps its line feeds. */
void lb_ctl_put(FILE *out, const char *text);
void lb_ctl_put_lines(FILE *out, const char *text);

/* lb_ctl_utf8 copies a text for JSON, which takes nothing but UTF-8: U+FFFD stands for each byte
 * that is none. NULL past the arena's cap. */
const char *lb_ctl_utf8(struct lb_arena *arena, const char *text);

/* lb_ctl_mask_name keeps the first character of a person's name and puts one '*' for the rest,
 * however long it is; "*" for an empty name. NULL past the arena's cap. */
const char *lb_ctl_mask_name(struct lb_arena *arena, const char *name);

#define LB_CTL_TIME_BYTES 32
/* lb_ctl_time writes milliseconds since 1970 as "2026-07-01T08:00:00.000Z"; a time past the year
 * 9999 as "?". */
void lb_ctl_time(int64_t unix_ms, char out[LB_CTL_TIME_BYTES]);
/* lb_ctl_time_parse reads "2026-07-01", "2026-07-01T08:00", "2026-07-01T08:00:00", each with
 * nothing or Z for UTC or an offset such as +08:00 behind it (a date alone takes none).
 * MALFORMED for anything else and for dates that do not exist. */
LB_MUST lb_status lb_ctl_time_parse(const char *text, int64_t *out_unix_ms);

/* lb_ctl_number reads a plain decimal from min to max; false for anything else. */
bool lb_ctl_number(const char *text, int64_t min, int64_t max, int64_t *out);

#endif
