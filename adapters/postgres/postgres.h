#ifndef ADAPTERS_POSTGRES_POSTGRES_H
#define ADAPTERS_POSTGRES_POSTGRES_H

#include "adapters/api/source.h"

/*
 * The PostgreSQL source, by libpq (manual: postgres.md). `location` is a connection string without
 * password: "host=... dbname=... user=..." or postgresql://...; that comes from
 * options.password_file or from the string's passfile, both private files. Besides what
 * adapters/api/source.h says:
 *
 * - open refuses with SOURCE_WRITABLE an account that could write, owns a table, is or may become a
 *   superuser, or has another power over the server; it asks the server each time.
 * - a read holds its time even when the server hangs: nothing waits on the socket without a limit.
 *   Past it the server is told to cancel, by a thread that nobody waits for, and has a time limit
 *   of its own besides.
 * - prepare takes each parameter by the type the server finds for it, and refuses a column whose
 *   type is not what the view makes of it, rather than to convert by guess.
 */
const struct lb_source_plugin *lb_source_postgres(void);

#endif
