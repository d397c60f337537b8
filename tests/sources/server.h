#ifndef TESTS_SOURCES_SERVER_H
#define TESTS_SOURCES_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Real database servers for tests: each in a folder of its own under /tmp, on a Unix socket there,
 * as another user when the tests are root, because servers refuse to be that. A server dies with
 * the test that started it, also when the test is killed.
 */
struct server {
    char folder[64];
    pid_t pid;      /* 0: not running */
};

/* A name that no resolver is asked for: longer than a label may be. */
#define NO_HOST "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.invalid"

/* server_folder makes the folder, which the server's user owns. */
void server_folder(struct server *server, const char *name);
/* server_run runs a program to its end as the server's user and gives its exit code. `input` is its
 * standard input; what it prints goes to `out` when that is not NULL, else to the folder's log. */
int server_run(struct server *server, char *const argv[], const char *input, char *out,
               size_t out_size);
/* server_start starts a program that stays, in a process group of its own. */
void server_start(struct server *server, char *const argv[]);
/* server_signal sends a signal to the program and all its children; with SIGSTOP they have stopped
 * when it returns. */
void server_signal(struct server *server, int number);
/* server_kill ends it at once and waits. */
void server_kill(struct server *server);
/* server_remove ends it and removes the folder. */
void server_remove(struct server *server);

/* A PostgreSQL server with the superuser `postgres`; everybody is trusted but the account `pw`. */
void postgres_start(struct server *server);
/* postgres_launch starts it again on the same data. */
void postgres_launch(struct server *server);
/* postgres_sql runs statements as the superuser; a failure fails the test. */
void postgres_sql(struct server *server, const char *database, const char *sql);
/* postgres_number is postgres_sql for one number. */
long postgres_number(struct server *server, const char *sql);
/* postgres_text is postgres_sql for lines of text; the last statement alone may give any. */
void postgres_text(struct server *server, const char *sql, char *out, size_t out_size);

/* The same for a MariaDB server, whose database is `test` and whose socket is `<folder>/sock`. */
void mariadb_start(struct server *server);
void mariadb_launch(struct server *server);
void mariadb_sql(struct server *server, const char *sql);
long mariadb_number(struct server *server, const char *sql);

#endif
