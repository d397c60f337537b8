#ifndef GATEWAY_CTL_PROPOSE_H
#define GATEWAY_CTL_PROPOSE_H

#include "adapters/api/source.h"
#include "gateway/base/buf.h"

/* View files proposed from a database's own tables. Such a view releases nothing: it has no rule,
 * and every field stands in the most sensitive class until somebody has decided. */

/* A table's columns within a catalog. */
struct lb_propose_table {
    const struct lb_source_catalog *catalog;
    size_t first;
    size_t num;
};

/* lb_propose_next gives the table that begins at column `from` of the catalog; false at its end. */
bool lb_propose_next(const struct lb_source_catalog *catalog, size_t from,
                     struct lb_propose_table *out);

/* lb_propose_key guesses which column is the person's identity number, one with an index if there
 * is; NULL when there seems to be none. */
const struct lb_source_listed *lb_propose_key(const struct lb_propose_table *table);

/* lb_propose_name is the name of the view without its department: small letters, digits, - and
 * `number` when the name of the table has none of them. */
void lb_propose_name(const struct lb_propose_table *table, size_t number, char out[65]);

/* lb_propose_view writes the file. TOO_LARGE; ABSENT for a table whose names cannot be written. */
LB_MUST lb_status lb_propose_view(const struct lb_propose_table *table, const char *department,
                                  const char *name, const struct lb_source_listed *key,
                                  struct lb_buf *out);

#endif
