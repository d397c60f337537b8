#ifndef ADAPTERS_SOURCES_WANTS_H
#define ADAPTERS_SOURCES_WANTS_H

#include "adapters/api/source.h"
#include "policy/engine/view.h"

/* What a view makes of its query's columns, in the words of the sources, which know no views. */

/* lb_sources_query is a view's own query; it lives in the arena and borrows from the view.
 * CONFIG_INVALID with a sentence in diag for a column that two fields take for different things,
 * NO_MEMORY. */
LB_MUST lb_status lb_sources_query(const struct lb_view *view, struct lb_arena *arena,
                                   struct lb_diag *diag, struct lb_source_query *out_query);

/* lb_sources_as_of is the query for the date of the data; only for a view that has one. */
struct lb_source_query lb_sources_as_of(const struct lb_view *view);

/* lb_sources_prepare prepares a view on an open source, its as_of too where there is one; otherwise
 * *out_as_of is NULL. `memory` keeps the query's columns as long as the statements live. The
 * plugin's statuses, and those of lb_sources_query. */
LB_MUST lb_status lb_sources_prepare(const struct lb_source_plugin *plugin,
                                     struct lb_source *source, const struct lb_view *view,
                                     struct lb_arena *memory, struct lb_diag *diag,
                                     struct lb_source_stmt **out_rows,
                                     struct lb_source_stmt **out_as_of);

/* lb_sources_shape_digest is SHA-256 over the names and types of a prepared query's columns, so
 * that a table that changed is noticed; zeros where the plugin does not describe. The plugin's
 * statuses. */
LB_MUST lb_status lb_sources_shape_digest(const struct lb_source_plugin *plugin,
                                          struct lb_source_stmt *stmt, struct lb_arena *arena,
                                          uint8_t out_digest[32]);

#endif
