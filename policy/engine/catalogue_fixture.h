#ifndef POLICY_ENGINE_CATALOGUE_FIXTURE_H
#define POLICY_ENGINE_CATALOGUE_FIXTURE_H

#include "policy/engine/catalogue_internal.h"

/* The catalogue of this folder's neighbour, and the table of tests/policies/boundaries.csv. */
struct test_row {
    int line;
    size_t policy;
    struct lb_answers *answers;
    enum lb_policy_status expected;
    enum lb_truth truths[LB_CATALOGUE_MAX_CONDITIONS];  /* for the tests */
};

struct test_table {
    struct lb_catalogue *catalogue;
    struct lb_date day;
    size_t num_rows;
    struct test_row *rows;
};

extern struct test_table table;

/* test_table_load reads both; a mistake in the table fails with its line. */
int test_table_load(void **state);
int test_table_unload(void **state);

#endif
