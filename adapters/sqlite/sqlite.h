#ifndef ADAPTERS_SQLITE_SQLITE_H
#define ADAPTERS_SQLITE_SQLITE_H

#include "adapters/api/source.h"

/*
 * The SQLite source (manual: sqlite.md). `location` is the path of a database file, which is opened
 * read-only. Besides what adapters/api/source.h says:
 *
 * - prepare takes one SELECT (or WITH ... SELECT) whose parameters are among :id_no, :today,
 *   :this_month and :from_month and whose columns have different names.
 * - read gives INTERNAL when the caller lacks a parameter that the query has: an unbound one would
 *   be NULL, and the answer "no record" would be false.
 * - integers and text are handed up; empty text, text that is not UTF-8 or is longer than
 *   LB_MAX_VALUE_BYTES, reals and blobs are unreadable and come as NULL. Trailing blanks are cut.
 */
const struct lb_source_plugin *lb_source_sqlite(void);

#endif
