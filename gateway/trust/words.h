#ifndef GATEWAY_TRUST_WORDS_H
#define GATEWAY_TRUST_WORDS_H

#include "gateway/base/arena.h"

/* Inside gateway/trust: texts of lines of words that single blanks part (recovery.h). Whatever does
 * not follow the form is MALFORMED, and NO_MEMORY is told apart. Words borrow from the line. */
#define LB_WORDS_MAX 9

struct lb_words {
    size_t num;
    struct lb_span list[LB_WORDS_MAX];
};

/* lb_words_split takes a line apart that begins with the word `head` and has `num` words. */
LB_MUST lb_status lb_words_split(struct lb_span line, const char *head, size_t num,
                                 struct lb_words *out);
/* lb_words_line cuts the first line, without its LF, off *rest; lb_words_take splits it too. */
LB_MUST lb_status lb_words_line(struct lb_span *rest, struct lb_span *out_line);
LB_MUST lb_status lb_words_take(struct lb_span *rest, const char *head, size_t num,
                                struct lb_words *out);
/* lb_words_number reads a decimal without a leading zero; lb_words_time one as a time. */
LB_MUST lb_status lb_words_number(struct lb_span text, uint64_t *out);
LB_MUST lb_status lb_words_time(struct lb_span text, int64_t *out);
/* lb_words_bytes reads base64 of exactly len bytes. */
LB_MUST lb_status lb_words_bytes(struct lb_span text, struct lb_arena *arena, uint8_t *out,
                                 size_t len);
/* lb_words_text copies a word into the arena; lb_words_member one that is a SPIFFE id. */
LB_MUST lb_status lb_words_text(struct lb_span text, struct lb_arena *arena, const char **out);
LB_MUST lb_status lb_words_member(struct lb_span text, struct lb_arena *arena, const char **out);

#endif
