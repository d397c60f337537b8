#ifndef POLICY_ENGINE_VIEW_FIXTURE_H
#define POLICY_ENGINE_VIEW_FIXTURE_H

#include "policy/engine/view.h"

/* A small rule set and a whole view file, for the tests of views. */
#define HEAD                                                                                       \
    "view: tax.income\n"                                                                           \
    "version: 2\n"                                                                                 \
    "title: {zh: 工资, en: Wages}\n"

#define QUERY "query: SELECT month, income_cents FROM wage WHERE id_no = :id_no\n"

struct fixture {
    struct lb_arena *arena;
    struct lb_rules *rules;
};

/* view_fixture_text is the file of a view with three fields: income, paid and closed. */
const char *view_fixture_text(void);

int view_fixture_setup(void **state);
int view_fixture_teardown(void **state);

/* view_fixture_load loads a view into the fixture's arena; failing fails the test. */
const struct lb_view *view_fixture_load(struct fixture *fixture, const char *text);

#endif
