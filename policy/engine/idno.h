#ifndef POLICY_ENGINE_IDNO_H
#define POLICY_ENGINE_IDNO_H

#include "gateway/base/arena.h"

/* GB 11643-1999 identity numbers: 6 region digits, birth date, 3 sequence digits, check character.
 * The region is not looked up: codes change over the years, and test data use one that does not
 * exist. */

/* lb_idno_check refuses with ID_INVALID: wrong length (15 digits as before 1999 included), wrong
 * characters (full-width digits included), impossible date or a year outside 1800 to 2199, wrong
 * check character. 'x' counts as 'X'. */
LB_MUST lb_status lb_idno_check(struct lb_span id_no);
/* lb_idno_normalise checks and writes the 18 characters with an upper-case X and a NUL. */
LB_MUST lb_status lb_idno_normalise(struct lb_span id_no, char out[19]);
/* lb_idno_age gives full years on `today` (YYYY-MM-DD), the birthday counting; who was born on 29
 * February gets a year older on 1 March in common years. ID_INVALID as above and for a birth after
 * today; INTERNAL when today is not a date. */
LB_MUST lb_status lb_idno_age(struct lb_span id_no, const char *today, int *out_years);

/* lb_name_normalise brings a name to the form that EQ compares: full-width letters and spaces to
 * half-width, the middle dots of minority names (U+2022, U+30FB, U+FF65, U+2027, U+0387, U+16EB) to
 * U+00B7, white space dropped (zero-width space and byte order mark as well), Latin letters
 * upper-cased. Result in the arena; MALFORMED when not UTF-8, empty or with a control character,
 * TOO_LARGE past LB_MAX_VALUE_BYTES, NO_MEMORY. */
LB_MUST lb_status lb_name_normalise(struct lb_span name, struct lb_arena *arena,
                                    struct lb_span *out);

#endif
