#ifndef ADAPTERS_OFFICER_OFFICER_H
#define ADAPTERS_OFFICER_OFFICER_H

#include "adapters/api/source.h"
#include "adapters/officer/questions.h"

/*
 * The source behind views with `source: officer`: it has no database, it asks the station. The
 * only query it prepares is "accesses"; a read needs the parameters txn, view, purpose, grant,
 * section and subjects (questions.h) and gives one column, `access`. Fewer lines than there are are
 * the station's business, which says so in them.
 */

/* lb_source_officer makes the plugin over `questions`, which outlives it. */
struct lb_source_plugin lb_source_officer(struct lb_officer_questions *questions);

#endif
