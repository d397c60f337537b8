#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "adapters/postgres/postgres.h"
#include "tests/sources/contract.h"
#include "tests/sources/postgres_tables.h"
#include "tests/sources/server.h"

/* The contract over PostgreSQL by libpq. */

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
    char location[160];
    postgres_start(&server);
    postgres_sql(&server, "postgres", POSTGRES_TABLES POSTGRES_REFUSED);
    (void)snprintf(location, sizeof(location), "host=%s dbname=postgres user=reader",
                   server.folder);
    struct contract_refusal refusals[] = {
        {"dbname=postgres user=reader host=" NO_HOST, LB_SOURCE_NO_HOST},
        {"dbname=postgres user=reader host=/nowhere", LB_SOURCE_UNAVAILABLE},
        {"", LB_SOURCE_DENIED},
        {"", LB_SOURCE_DENIED},
        {"", LB_SOURCE_FULL},
    };
    static const char *const refused[] = {"pw", "nobody", "full"};
    for (size_t i = 0; i < 3; i++)
        (void)snprintf(refusals[i + 2].location, sizeof(refusals[0].location),
                       "host=%s dbname=postgres user=%s", server.folder, refused[i]);
    const struct contract contract = {
        .name = "postgres",
        .plugin = lb_source_postgres(),
        .options = {.location = location, .timeout_ms = 30000},
        .endless = POSTGRES_ENDLESS,
        .has_types = true,
        .refusals = refusals,
        .num_refusals = sizeof(refusals) / sizeof(refusals[0]),
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
