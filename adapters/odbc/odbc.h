#ifndef ADAPTERS_ODBC_ODBC_H
#define ADAPTERS_ODBC_ODBC_H

#include "adapters/api/source.h"

/*
 * The ODBC source, by unixODBC (manual: odbc.md). `location` is a connection string without a
 * password, such as "Driver={MariaDB Unicode};Server=...;Database=...;UID=...". Besides what
 * adapters/api/source.h says:
 *
 * - a driver's calls block, and some can't be ended: each connection has a thread of its own for
 *   them, and nobody waits for it longer than a read may take. A thread that a server holds goes on
 *   by itself when the server does, and its connection with it.
 * - open asks the DBMS what the account could do where it is one that can be asked (PostgreSQL,
 *   MariaDB, MySQL): SOURCE_WRITABLE. For another it takes options.read_only_checked, and is
 *   CONFIG_INVALID without it.
 * - lookup and catalog are not offered.
 */
const struct lb_source_plugin *lb_source_odbc(void);

#endif
