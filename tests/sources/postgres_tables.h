#ifndef TESTS_SOURCES_POSTGRES_TABLES_H
#define TESTS_SOURCES_POSTGRES_TABLES_H

/* The contract's tables in PostgreSQL, and `reader`, an account as the manual wants it. */
#define POSTGRES_TABLES                                                                            \
    "CREATE TABLE wage(id_no varchar(18), month varchar(7), cents bigint);"                        \
    "CREATE INDEX wage_by_id ON wage(id_no);"                                                      \
    "INSERT INTO wage VALUES('a', '2026-05', 100), ('a', '2026-06', 250), ('b', '2026-06', 7);"    \
    "CREATE TABLE slip(id_no char(18), cents integer); INSERT INTO slip VALUES('a', 1);"           \
    "CREATE TABLE odd(id_no text, v text);"                                                        \
    "INSERT INTO odd VALUES('null', NULL), ('empty', ''), ('blanks', '   '), ('padded', '01   ')," \
    " ('han', '张·伟'), ('long', repeat('x', 512)), ('longer', repeat('x', 513));"                 \
    "CREATE TABLE fixed(id_no char(18), v char(10)); INSERT INTO fixed VALUES('a', '01');"         \
    "CREATE TABLE many(id_no text, v integer);"                                                    \
    "INSERT INTO many SELECT 'm', i FROM generate_series(1, 1000) i;"                              \
    "CREATE TABLE money(id_no text, yuan numeric(20,2), fine numeric(20,4), whole numeric(12));"   \
    "INSERT INTO money VALUES('a', 1234.56, 1.23, 12), ('b', -0.01, 1.2345, -1),"                  \
    " ('c', NULL, NULL, NULL), ('d', 92233720368547758.07, 0, 0);"                                 \
    "CREATE TABLE day(id_no text, born date, at timestamp);"                                       \
    "INSERT INTO day VALUES('a', '1990-02-28', '2024-01-02 03:04:05');"                            \
    "CREATE ROLE reader LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader;"

/* `pw` has a password, `full` no connection, `nobody` is no account. */
#define POSTGRES_REFUSED                                                                           \
    "CREATE ROLE pw LOGIN PASSWORD 'let me in'; CREATE ROLE full LOGIN CONNECTION LIMIT 0;"

#define POSTGRES_ENDLESS                                                                           \
    "SELECT count(*) AS top FROM generate_series(1, 1000000) AS a, generate_series(1, 1000000) AS b"

/* What the account `reader` runs. */
#define POSTGRES_RUNNING                                                                           \
    "SELECT count(*) FROM pg_stat_activity WHERE usename = 'reader' AND state = 'active';"
#define POSTGRES_KILL                                                                              \
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'reader';"

#endif
