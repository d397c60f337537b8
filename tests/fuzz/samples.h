#ifndef TESTS_FUZZ_SAMPLES_H
#define TESTS_FUZZ_SAMPLES_H

#include "policy/engine/rules.h"

/* A rule set, and calls of every operator that name its entries. */
extern const char fuzz_rules_text[];
const struct lb_rules *fuzz_sample_rules(void);

extern const char *const fuzz_calls[];
extern const size_t fuzz_num_calls;

/* A view and a form over that rule set. */
extern const char fuzz_view_text[];
extern const char fuzz_form_text[];

#endif
