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

static void write_location(const struct server *server, const char *user, char out[200])
{
    (void)snprintf(out, 200, "Driver={PostgreSQL Unicode};Servername=%s;Database=postgres;UID=%s",
                   server->folder, user);
}

int main(void)
{
    struct server server;
    char location[200];
    postgres_start(&server);
    postgres_sql(&server, "postgres", POSTGRES_TABLES POSTGRES_REFUSED);
    write_location(&server, "reader", location);
    struct contract_refusal refusals[] = {
        {"Driver={PostgreSQL Unicode};Servername=" NO_HOST ";Database=x;UID=x", LB_SOURCE_NO_HOST},
        {"Driver={PostgreSQL Unicode};Servername=/nowhere;Database=x;UID=x", LB_SOURCE_UNAVAILABLE},
        {"Driver={Another DBMS};Server=x", LB_SOURCE_NO_DRIVER},
        {"DSN=nowhere", LB_SOURCE_NO_DRIVER},
        {"", LB_SOURCE_DENIED},
        {"", LB_SOURCE_FULL},
    };
    write_location(&server, "pw", refusals[4].location);
    write_location(&server, "full", refusals[5].location);
    const struct contract contract = {
        .name = "odbc postgres",
        .plugin = lb_source_odbc(),
        .options = {.location = location, .timeout_ms = 30000},
        .endless = POSTGRES_ENDLESS,
        .has_types = true,
        .refusals = refusals,
        .num_refusals = sizeof(refusals) / sizeof(refusals[0]),
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
