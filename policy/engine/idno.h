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
/* lb_idno_canonical reads what databases and people write: white space around it dropped,
 * full-width forms taken as half-width ones, and a number of 15 digits as before 1999 turned into
 * its 18 characters (GB 11643-1989: the year lacks its century, which is 19, but 18 for the
 * sequence numbers 996 to 999 that were kept for those past a hundred). ID_INVALID otherwise. */
LB_MUST lb_status lb_idno_canonical(struct lb_span id_no, char out[19]);
/* lb_idno_age gives full years on `today` (YYYY-MM-DD), the birthday counting; who was born on 29
 * February gets a year older on 1 March in common years. ID_INVALID as above and for a birth after
 * today; INTERNAL when today is not a date. */
LB_MUST lb_status lb_idno_age(struct lb_span id_no, const char *today, int *out_years);

/* lb_name_normalise brings a name to the form that EQ compares: full-width forms to half-width,
 * Kangxi radicals and CJK compatibility ideographs to plain ones, the dots of minority names to
 * U+00B7, white space and invisible characters dropped, Latin letters upper-cased;
 * docs/OPERATORS.md lists every mapping. Result in the arena; MALFORMED when not UTF-8, empty or
 * with a control character, TOO_LARGE past LB_MAX_VALUE_BYTES, NO_MEMORY. */
LB_MUST lb_status lb_name_normalise(struct lb_span name, struct lb_arena *arena,
                                    struct lb_span *out);
/* lb_text_normalise does the same for any other text, with less: case and dots stay, white space
 * becomes one space between words. */
LB_MUST lb_status lb_text_normalise(struct lb_span text, struct lb_arena *arena,
                                    struct lb_span *out);
/* lb_text_trim leaves out the white space at both ends; a text that is not UTF-8 stays whole. */
struct lb_span lb_text_trim(struct lb_span text);

#endif
