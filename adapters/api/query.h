#ifndef ADAPTERS_API_QUERY_H
#define ADAPTERS_API_QUERY_H

#include "adapters/api/source.h"

/*
 * A view's query as a server takes it. Views write their parameters :id_no, :today, :this_month and
 * :from_month; servers want $1 or ?. The text between them is left as it is, strings and comments
 * are understood, and no value ever becomes text.
 */

#define LB_SOURCE_MAX_MARKS 64  /* parameters in one query, every mention counted */

enum lb_source_marks {
    LB_SOURCE_DOLLAR_MARKS,    /* $1, $2, ... each mention with a number of its own */
    LB_SOURCE_QUESTION_MARKS,  /* ? */
};

/* A dialect's way with text, as far as it matters for finding where strings end. */
struct lb_source_dialect {
    enum lb_source_marks marks;
    bool backslash;   /* \ escapes inside '...' */
    bool backquote;   /* `...` is a name */
    bool hash;        /* # begins a comment */
    bool dollar;      /* $tag$...$tag$ is a string, E'...' has escapes, and comments nest */
};

struct lb_source_text {
    const char *text;
    size_t num_marks;
    const char *names[LB_SOURCE_MAX_MARKS];  /* of each mark; literals */
};

/* lb_source_translate checks that a query is one SELECT by its words and puts marks for parameters.
 * Refused with CONFIG_INVALID and a sentence in diag: another verb first; a word that writes or
 * locks, outside of strings and quoted names; a function known to act rather than to read; a second
 * statement; an unknown parameter or a mark of the server's own; an unclosed string, name or
 * comment. NO_MEMORY. */
LB_MUST lb_status lb_source_translate(const char *query, const struct lb_source_dialect *dialect,
                                      struct lb_arena *arena, struct lb_diag *diag,
                                      struct lb_source_text *out);

#endif
