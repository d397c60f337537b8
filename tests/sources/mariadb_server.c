#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/sources/server.h"

#define TRIES 600
#define TRY_US 100000

static char *word(const char *text)
{
    return (char *)(uintptr_t)text;
}

static int mariadb(struct server *server, const char *sql, char *out, size_t out_size)
{
    char socket[96];
    (void)snprintf(socket, sizeof(socket), "--socket=%s/sock", server->folder);
    char *const argv[] = {word("/usr/bin/mariadb"), word("--no-defaults"), socket, word("-uroot"),
                          word("-N"), word("-B"), word("--default-character-set=utf8mb4"),
                          word("test"), NULL};
    return server_run(server, argv, sql, out, out_size);
}

void mariadb_launch(struct server *server)
{
    char data[96];
    char socket[96];
    (void)snprintf(data, sizeof(data), "--datadir=%s/data", server->folder);
    (void)snprintf(socket, sizeof(socket), "--socket=%s/sock", server->folder);
    char *const argv[] = {word("/usr/sbin/mariadbd"), word("--no-defaults"), data, socket,
                          word("--skip-networking"), word("--innodb-flush-log-at-trx-commit=0"),
                          word("--innodb-buffer-pool-size=16M"), word("--pid-file=pid"),
                          word("--character-set-server=utf8mb4"), NULL};
    server_start(server, argv);
    for (int i = 0; i < TRIES; i++) {
        if (mariadb(server, "SELECT 1;", NULL, 0) == 0)
            return;
        (void)usleep(TRY_US);
    }
    fail_msg("MariaDB did not start; see %s/log", server->folder);
}

void mariadb_start(struct server *server)
{
    char data[96];
    server_folder(server, "my");
    (void)snprintf(data, sizeof(data), "--datadir=%s/data", server->folder);
    char *const argv[] = {word("/usr/bin/mariadb-install-db"), word("--no-defaults"), data,
                          word("--auth-root-authentication-method=normal"),
                          word("--skip-name-resolve"), NULL};
    if (server_run(server, argv, NULL, NULL, 0) != 0)
        fail_msg("mariadb-install-db failed; see %s/log", server->folder);
    mariadb_launch(server);
}

void mariadb_sql(struct server *server, const char *sql)
{
    if (mariadb(server, sql, NULL, 0) != 0)
        fail_msg("mariadb: see %s/log: %s", server->folder, sql);
}

long mariadb_number(struct server *server, const char *sql)
{
    char out[64] = "";
    if (mariadb(server, sql, out, sizeof(out)) != 0)
        fail_msg("mariadb: see %s/log: %s", server->folder, sql);
    return strtol(out, NULL, 10);
}
