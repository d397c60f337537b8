#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/sqlite/sqlite.h"
#include "gateway/store/store.h"
#include "tests/sources/contract.h"

/* The contract over SQLite, whose columns have no types of their own. */

static void sql(void *path, const char *text)
{
    struct lb_store *store = NULL;
    const struct lb_store_options options = {.path = path};
    assert_true(lb_store_open(&options, &store) == LB_OK);
    assert_true(lb_store_exec(store, text) == LB_OK);
    lb_store_close(store);
}

static const char tables[] =
    "CREATE TABLE wage(id_no TEXT, month TEXT, cents INTEGER);"
    "CREATE INDEX wage_by_id ON wage(id_no);"
    "INSERT INTO wage VALUES('a', '2026-05', 100), ('a', '2026-06', 250), ('b', '2026-06', 7);"
    "CREATE TABLE slip(id_no TEXT, cents INTEGER); INSERT INTO slip VALUES('a', 1);"
    "CREATE TABLE odd(id_no TEXT, v TEXT);"
    "INSERT INTO odd VALUES('null', NULL), ('empty', ''), ('blanks', '   '), ('padded', '01   '),"
    " ('han', '张·伟'), ('long', printf('%.*c', 512, 'x')), ('longer', printf('%.*c', 513, 'x'));"
    "CREATE TABLE money(id_no TEXT, yuan INTEGER); INSERT INTO money VALUES('a', 123456);"
    "CREATE TABLE fixed(id_no TEXT, v TEXT); INSERT INTO fixed VALUES('a', '01        ');"
    "CREATE TABLE many(id_no TEXT, v INTEGER);"
    "INSERT INTO many WITH RECURSIVE n(i) AS"
    " (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT 'm', i FROM n;";

int main(void)
{
    char folder[] = "/tmp/lb_contract_XXXXXX";
    char path[96];
    struct lb_store *store = NULL;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/d.db", folder);
    const struct lb_store_options options = {.path = path, .create = true};
    assert_true(lb_store_open(&options, &store) == LB_OK);
    assert_true(lb_store_exec(store, tables) == LB_OK);
    assert_true(lb_store_exec(store, "PRAGMA journal_mode=DELETE") == LB_OK);
    lb_store_close(store);
    const struct contract contract = {
        .name = "sqlite",
        .plugin = lb_source_sqlite(),
        .options = {.location = path},
        .server = path,
        .sql = sql,
        .endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE "
                   "i < 9000000000) SELECT max(i) AS top FROM n",
    };
    int failed = contract_run(&contract);
    (void)unlink(path);
    (void)rmdir(folder);
    return failed;
}
