#ifndef ADAPTERS_SERVE_FIXTURE_FILES_H
#define ADAPTERS_SERVE_FIXTURE_FILES_H

#include "adapters/serve/fixture.h"

/* fx_write_department writes the rule set, two views, the policy and the database. */
void fx_write_department(struct fixture *fx);

#endif
