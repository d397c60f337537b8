#include <strings.h>

#include "adapters/api/powers.h"
#include "adapters/odbc/inside.h"

/* What is known of each DBMS, as data. */

static const char *const postgres_settings[] = {
    "SET default_transaction_read_only = on",
    "SET DateStyle = 'ISO, YMD'",
    "SET standard_conforming_strings = on",
    "SET statement_timeout = 60000",
    NULL,
};

/* || joins texts there too, \ is a letter like any other, and "..." is a name. */
static const char *const mariadb_settings[] = {
    "SET SESSION TRANSACTION READ ONLY",
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES'",
    NULL,
};

static const char *const no_settings[] = {NULL};

static const struct lb_odbc_dbms all[] = {
    {.names = {"PostgreSQL"},
     .dialect = {.marks = LB_SOURCE_QUESTION_MARKS, .dollar = true},
     .settings = postgres_settings,
     .powers = lb_source_postgres_powers,
     .exact_places = true},
    {.names = {"MariaDB", "MySQL"},
     .dialect = {.marks = LB_SOURCE_QUESTION_MARKS, .backquote = true, .hash = true},
     .settings = mariadb_settings,
     .powers = lb_source_mariadb_powers,
     .session = "SELECT CONNECTION_ID() AS id",
     .kill = "KILL QUERY ",
     .exact_places = true},
    {.names = {"Oracle"},
     .dialect = {.marks = LB_SOURCE_QUESTION_MARKS},
     .settings = no_settings,
     .empty_is_null = true},
    {.names = {""}, .dialect = {.marks = LB_SOURCE_QUESTION_MARKS}, .settings = no_settings},
};

static bool is_called(const struct lb_odbc_dbms *dbms, const char *name)
{
    for (size_t i = 0; i < LB_ODBC_NAMES && dbms->names[i] != NULL; i++)
        if (strncasecmp(name, dbms->names[i], strlen(dbms->names[i])) == 0)
            return true;
    return false;
}

const struct lb_odbc_dbms *lb_odbc_dbms_of(const char *name)
{
    size_t i = 0;
    while (!is_called(&all[i], name))
        i++;
    return &all[i];
}
