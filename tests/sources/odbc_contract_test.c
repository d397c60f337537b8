#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "adapters/odbc/odbc.h"
#include "tests/sources/contract.h"
#include "tests/sources/postgres_tables.h"
#include "tests/sources/server.h"

/* The contract over ODBC, with PostgreSQL's driver. */

/* PostgreSQL's driver keeps a few bytes of each query it refused; our own are still looked for. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:psqlodbcw.so\n";
}

static void sql(void *server, const char *text)
{
    postgres_sql(server, "postgres", text);
}

static long running(void *server)
{
    return postgres_number(server, POSTGRES_RUNNING);
}

static void kill_sessions(void *server)
{
    (void)postgres_number(server, POSTGRES_KILL);
}

static void restart(void *server)
{
    server_kill(server);
    postgres_launch(server);
}

static void hang(void *server, bool hang)
{
    server_signal(server, hang ? SIGSTOP : SIGCONT);
}

int main(void)
{
    struct server server;
    char location[200];
    postgres_start(&server);
    postgres_sql(&server, "postgres", POSTGRES_TABLES);
    (void)snprintf(location, sizeof(location),
                   "Driver={PostgreSQL Unicode};Servername=%s;Database=postgres;UID=reader",
                   server.folder);
    const struct contract contract = {
        .name = "odbc postgres",
        .plugin = lb_source_odbc(),
        .options = {.location = location, .timeout_ms = 30000},
        .endless = POSTGRES_ENDLESS,
        .has_types = true,
        .spent_by_timeout = true,
        .server = &server,
        .sql = sql,
        .running = running,
        .kill_sessions = kill_sessions,
        .restart = restart,
        .hang = hang,
    };
    int failed = contract_run(&contract);
    server_remove(&server);
    return failed;
}
