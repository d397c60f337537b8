#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include "adapters/api/password.h"
#include "adapters/postgres/inside.h"
#include "gateway/base/file.h"
#include "gateway/base/wipe.h"

/* Opening a connection: what the string may say, where the password is, and the settings that hold
 * for all of its life. */

#define MAX_PASSFILE_BYTES (64 * 1024)
#define MAX_KEYWORDS 64
#define STATE_LETTERS "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define OPEN_ARENA_BYTES (256 * 1024)

/* Strings keep their meaning whatever the server's defaults are, dates are ISO, nothing is
 * written. */
static const char settings[] =
    "SET default_transaction_read_only = on; SET client_encoding = 'UTF8';"
    " SET DateStyle = 'ISO, YMD'; SET standard_conforming_strings = on; SET bytea_output = 'hex';"
    " SET transform_null_equals = off;"
    " SET statement_timeout = 60000";

struct keywords {
    const char *names[MAX_KEYWORDS + 1];
    const char *values[MAX_KEYWORDS + 1];
    size_t num;
};

static lb_status add(struct keywords *keywords, const char *name, const char *value)
{
    LB_ENSURE(keywords->num < MAX_KEYWORDS, LB_CONFIG_INVALID, "too many keywords");
    keywords->names[keywords->num] = name;
    keywords->values[keywords->num] = value;
    keywords->num++;
    return LB_OK;
}

static const char *value_of(const struct keywords *keywords, const char *name)
{
    for (size_t i = 0; i < keywords->num; i++)
        if (strcmp(keywords->names[i], name) == 0)
            return keywords->values[i];
    return NULL;
}

static const char *advice(const char *keyword)
{
    if (strcmp(keyword, "password") == 0 || strcmp(keyword, "sslpassword") == 0)
        return "the connection string holds a password; put it into a file with mode 0600 that "
               "belongs to this user, and name that file in password_file";
    if (strcmp(keyword, "options") == 0 || strcmp(keyword, "client_encoding") == 0 ||
        strcmp(keyword, "replication") == 0)
        return "the connection string sets options, client_encoding or replication, which are the "
               "adapter's own business; leave them out";
    if (strcmp(keyword, "service") == 0)
        return "the connection string names a service, whose file may hold a password; write host, "
               "dbname and user instead";
    return NULL;
}

static lb_status read_keywords(const PQconninfoOption *options, struct keywords *out,
                               struct lb_diag *diag)
{
    for (const PQconninfoOption *option = options; option->keyword != NULL; option++) {
        if (option->val == NULL)
            continue;
        if (advice(option->keyword) != NULL) {
            lb_diag_set(diag, "%s", advice(option->keyword));
            LB_FAIL(LB_CONFIG_INVALID, "connection string with what it may not hold");
        }
        LB_TRY(add(out, option->keyword, option->val));
    }
    return LB_OK;
}

static lb_status add_password(const char *path, struct lb_arena *arena, struct lb_diag *diag,
                              struct keywords *keywords)
{
    struct lb_span password = LB_SPAN_EMPTY;
    LB_TRY(lb_source_read_password(path, arena, diag, &password));
    const char *text = lb_arena_str(arena, password);
    LB_ENSURE(text != NULL, LB_CONFIG_INVALID, "password with a NUL inside");
    return add(keywords, "password", text);
}

/* libpq would ignore a file that others can read, with a word to nobody. */
static lb_status check_passfile(const char *path, struct lb_arena *arena, struct lb_diag *diag)
{
    struct lb_span text = LB_SPAN_EMPTY;
    if (path == NULL)
        return LB_OK;
    if (lb_file_read_secret(path, MAX_PASSFILE_BYTES, arena, &text) == LB_OK)
        return LB_OK;
    lb_diag_set(diag, "%s: the passfile can't be read as a private file; it must belong to this "
                      "user with mode 0600", path);
    LB_FAIL(LB_CONFIG_INVALID, "passfile unreadable or not private");
}

/* A socket's folder, or this machine by its loopback address. */
static bool is_near(const char *host)
{
    return host == NULL || host[0] == '/' || host[0] == '@' || strcmp(host, "localhost") == 0 ||
           strcmp(host, "127.0.0.1") == 0 || strcmp(host, "::1") == 0;
}

/* What libpq would choose for a server elsewhere, "prefer", lets anybody in between read along. */
static lb_status add_defaults(struct keywords *keywords)
{
    const char *host = value_of(keywords, "hostaddr");
    if (host == NULL)
        host = value_of(keywords, "host");
    if (!is_near(host) && value_of(keywords, "sslmode") == NULL)
        LB_TRY(add(keywords, "sslmode", "verify-full"));
    if (value_of(keywords, "application_name") == NULL)
        LB_TRY(add(keywords, "application_name", "lianban-adapter"));
    return add(keywords, "client_encoding", "UTF8");
}

/* Ends with the connection made, or with what libpq says of why not; that names host, database and
 * account, never the password. */
static lb_status poll_connection(struct lb_source *source, int64_t until_ms)
{
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;
    while (state != PGRES_POLLING_OK) {
        LB_ENSURE(state != PGRES_POLLING_FAILED, LB_SOURCE_UNAVAILABLE, "no connection");
        LB_TRY(lb_postgres_wait(source, state == PGRES_POLLING_WRITING, until_ms));
        state = PQconnectPoll(source->conn);
    }
    return LB_OK;
}

static void say(struct lb_source *source, lb_status status, struct lb_diag *diag)
{
    const char *text = PQerrorMessage(source->conn);
    if (lb_status_code(status) == LB_SOURCE_TIMEOUT)
        text = "the server did not answer in time";
    lb_diag_set(diag, "the PostgreSQL server can't be reached: %.*s; check that it runs, and host, "
                      "port, account and password", (int)strcspn(text, "\n"), text);
}

/* Whether the server gave a SQLSTATE of a class: "FATAL:  28P01: ...", in whatever language. */
static bool has_state(const char *text, const char *class)
{
    for (const char *at = text; (at = strstr(at, ":  ")) != NULL; at += 3)
        if (strncmp(at + 3, class, 2) == 0 && strspn(at + 3, STATE_LETTERS) == 5 && at[8] == ':')
            return true;
    return false;
}

/* Why there is no connection. libpq's own sentences are never translated here. */
static lb_status why_not(const struct lb_source *source)
{
    const char *text = PQerrorMessage(source->conn);
    LB_ENSURE(PQconnectionNeedsPassword(source->conn) == 0 && !has_state(text, "28"),
              LB_SOURCE_DENIED, "the server refused the account");
    LB_ENSURE(strstr(text, "could not translate host name") == NULL, LB_SOURCE_NO_HOST,
              "the server's name can't be resolved");
    LB_ENSURE(!has_state(text, "53"), LB_SOURCE_FULL, "the server has no room");
    LB_FAIL(LB_SOURCE_UNAVAILABLE, "the database can't be reached");
}

static lb_status dial(struct lb_source *source, const struct keywords *keywords, int64_t until_ms,
                      struct lb_diag *diag)
{
    source->conn = PQconnectStartParams(keywords->names, keywords->values, 0);
    LB_ENSURE(source->conn != NULL, LB_NO_MEMORY, "memory is exhausted");
    (void)PQsetErrorVerbosity(source->conn, PQERRORS_VERBOSE);
    lb_status status = PQstatus(source->conn) == CONNECTION_BAD
                           ? LB_FAULT(LB_SOURCE_UNAVAILABLE, "no connection")
                           : poll_connection(source, until_ms);
    (void)PQsetErrorVerbosity(source->conn, PQERRORS_DEFAULT);
    if (status == LB_OK)
        return LB_OK;
    say(source, status, diag);
    LB_ENSURE(lb_status_code(status) != LB_SOURCE_TIMEOUT, LB_SOURCE_UNAVAILABLE,
              "the server did not answer in time");
    return why_not(source);
}

static lb_status set_up(struct lb_source *source, int64_t until_ms)
{
    LB_DEFER(lb_postgres_clear) PGresult *result = NULL;
    LB_ENSURE(PQsetnonblocking(source->conn, 1) == 0, LB_SOURCE_UNAVAILABLE, "connection lost");
    LB_ENSURE(PQsendQuery(source->conn, settings) == 1, LB_SOURCE_UNAVAILABLE, "connection lost");
    LB_TRY(lb_postgres_finish(source, until_ms, &result));
    LB_ENSURE(PQresultStatus(result) == PGRES_COMMAND_OK, LB_SOURCE_UNAVAILABLE,
              "the session can't be set up");
    source->server_limit_ms = 60000;
    return LB_OK;
}

/* The notices of a server are nobody's business here, and may quote data. */
static void ignore_notice(void *arg, const PGresult *result)
{
    (void)arg;
    (void)result;
}

static lb_status connect_with(struct lb_source *source, const struct lb_source_options *options,
                              const PQconninfoOption *parsed, struct lb_arena *arena,
                              int64_t until_ms, struct lb_diag *diag)
{
    struct keywords keywords = {.num = 0};
    LB_TRY(read_keywords(parsed, &keywords, diag));
    LB_TRY(check_passfile(value_of(&keywords, "passfile"), arena, diag));
    if (options->password_file != NULL)
        LB_TRY(add_password(options->password_file, arena, diag, &keywords));
    LB_TRY(add_defaults(&keywords));
    LB_TRY(dial(source, &keywords, until_ms, diag));
    (void)PQsetNoticeReceiver(source->conn, ignore_notice, NULL);
    lb_status status = set_up(source, until_ms);
    if (status != LB_OK)
        say(source, status, diag);
    return status;
}

lb_status lb_postgres_connect(struct lb_source *source, const struct lb_source_options *options,
                              int64_t until_ms, struct lb_diag *diag)
{
    char *wrong = NULL;
    PQconninfoOption *parsed = PQconninfoParse(options->location, &wrong);
    PQfreemem(wrong);  /* it may quote a password */
    if (parsed == NULL) {
        lb_diag_set(diag, "the connection string is not one; write it as in \"host=... dbname=... "
                          "user=...\"");
        LB_FAIL(LB_CONFIG_INVALID, "no connection string");
    }
    struct lb_arena *arena = lb_arena_new(OPEN_ARENA_BYTES);
    lb_status status = LB_FAULT(LB_NO_MEMORY, "memory is exhausted");
    if (arena != NULL)
        status = connect_with(source, options, parsed, arena, until_ms, diag);
    lb_arena_free(arena);
    PQconninfoFree(parsed);
    return status;
}
