#ifndef POLICY_ENGINE_FORM_FIXTURE_H
#define POLICY_ENGINE_FORM_FIXTURE_H

#include "policy/engine/form.h"

/* A small form and its rule set for tests. Failures end the test through cmocka. */

/* lb_form_fixture_text returns the form's text. */
const char *lb_form_fixture_text(void);
/* lb_form_fixture_rules makes the rule set; `more` is appended to its thresholds, "" for none. */
struct lb_rules *lb_form_fixture_rules(const char *more);
/* lb_form_fixture_load loads a text as "test.yaml" that must be right. */
struct lb_form_compiled *lb_form_fixture_load(const char *text, const struct lb_rules *rules);
/* lb_form_fixture_replace replaces `old`, which stands in the text exactly once. */
char *lb_form_fixture_replace(struct lb_arena *arena, const char *text, const char *old,
                              const char *with);

struct lb_fact lb_form_fixture_truth(bool truth);
struct lb_fact lb_form_fixture_number(int64_t number);
struct lb_fact lb_form_fixture_words(const char *words);
struct lb_fact lb_form_fixture_unknown(void);

#endif
