#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/sources/server.h"

#define TRIES 600
#define TRY_US 100000

/* The newest version that is installed. */
static void program(const char *name, char out[128])
{
    glob_t found;
    char pattern[96];
    (void)snprintf(pattern, sizeof(pattern), "/usr/lib/postgresql/*/bin/%s", name);
    if (glob(pattern, 0, NULL, &found) != 0 || found.gl_pathc == 0)
        fail_msg("%s is not installed; see ./run setup", pattern);
    (void)snprintf(out, 128, "%s", found.gl_pathv[found.gl_pathc - 1]);
    globfree(&found);
}

static int psql(struct server *server, const char *database, const char *sql, char *out,
                size_t out_size)
{
    char path[128];
    program("psql", path);
    char *const argv[] = {path, (char *)(uintptr_t)"-XqAt", (char *)(uintptr_t)"-v",
                          (char *)(uintptr_t)"ON_ERROR_STOP=1", (char *)(uintptr_t)"-h",
                          server->folder, (char *)(uintptr_t)"-U", (char *)(uintptr_t)"postgres",
                          (char *)(uintptr_t)"-d", (char *)(uintptr_t)database, NULL};
    return server_run(server, argv, sql, out, out_size);
}

void postgres_launch(struct server *server)
{
    char path[128];
    char data[96];
    char sockets[128];
    program("postgres", path);
    (void)snprintf(data, sizeof(data), "%s/data", server->folder);
    (void)snprintf(sockets, sizeof(sockets), "unix_socket_directories=%s", server->folder);
    char *const argv[] = {path, (char *)(uintptr_t)"-D", data, (char *)(uintptr_t)"-c", sockets,
                          (char *)(uintptr_t)"-c", (char *)(uintptr_t)"listen_addresses=",
                          (char *)(uintptr_t)"-c", (char *)(uintptr_t)"fsync=off",
                          (char *)(uintptr_t)"-c", (char *)(uintptr_t)"shared_buffers=16MB",
                          (char *)(uintptr_t)"-c", (char *)(uintptr_t)"autovacuum=off",
                          (char *)(uintptr_t)"-c",
                          (char *)(uintptr_t)"max_parallel_workers_per_gather=0", NULL};
    server_start(server, argv);
    for (int i = 0; i < TRIES; i++) {
        if (psql(server, "postgres", "SELECT 1;", NULL, 0) == 0)
            return;
        (void)usleep(TRY_US);
    }
    fail_msg("PostgreSQL did not start; see %s/log", server->folder);
}

static void write_hba(struct server *server)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/data/pg_hba.conf", server->folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs("local all pw scram-sha-256\nlocal all all trust\n", file) >= 0);
    assert_int_equal(fclose(file), 0);
}

void postgres_start(struct server *server)
{
    char path[128];
    char data[96];
    server_folder(server, "pg");
    program("initdb", path);
    (void)snprintf(data, sizeof(data), "%s/data", server->folder);
    char *const argv[] = {path, (char *)(uintptr_t)"-D", data, (char *)(uintptr_t)"-U",
                          (char *)(uintptr_t)"postgres", (char *)(uintptr_t)"-A",
                          (char *)(uintptr_t)"trust", (char *)(uintptr_t)"--no-sync",
                          (char *)(uintptr_t)"-E", (char *)(uintptr_t)"UTF8",
                          (char *)(uintptr_t)"--locale=C", NULL};
    if (server_run(server, argv, NULL, NULL, 0) != 0)
        fail_msg("initdb failed; see %s/log", server->folder);
    write_hba(server);
    postgres_launch(server);
}

void postgres_sql(struct server *server, const char *database, const char *sql)
{
    if (psql(server, database, sql, NULL, 0) != 0)
        fail_msg("psql: see %s/log: %s", server->folder, sql);
}

void postgres_text(struct server *server, const char *sql, char *out, size_t out_size)
{
    if (psql(server, "postgres", sql, out, out_size) != 0)
        fail_msg("psql: see %s/log: %.200s", server->folder, sql);
}

long postgres_number(struct server *server, const char *sql)
{
    char out[64] = "";
    postgres_text(server, sql, out, sizeof(out));
    return strtol(out, NULL, 10);
}
