#ifndef ADAPTERS_SQLITE_SQLITE_FIXTURE_H
#define ADAPTERS_SQLITE_SQLITE_FIXTURE_H

#include "adapters/sqlite/sqlite.h"

/* A small department database in a folder of its own, opened by the plugin. */
struct fixture {
    char folder[64];
    char path[96];
    const struct lb_source_plugin *plugin;
    struct lb_source *source;
    struct lb_arena *arena;
    struct lb_diag diag;
};

int fixture_setup(void **state);
int fixture_teardown(void **state);

/* These are the plugin's open and prepare. */
lb_status fixture_open(struct fixture *fixture, const char *location, struct lb_diag *diag,
                       struct lb_source **out);
lb_status fixture_try(struct fixture *fixture, const char *query, struct lb_diag *diag,
                      struct lb_source_stmt **out);

/* fixture_prepare compiles a query; failing fails the test. */
struct lb_source_stmt *fixture_prepare(struct fixture *fixture, const char *query);

/* These read with every parameter bound and give the status' code; fixture_read_as with limits that
 * do not matter. */
enum lb_code fixture_read_within(struct fixture *fixture, struct lb_source_stmt *stmt,
                                 const char *id_no, struct lb_source_limits limits,
                                 struct lb_source_result *out);
enum lb_code fixture_read_as(struct fixture *fixture, struct lb_source_stmt *stmt,
                             const char *id_no, struct lb_source_result *out);

#endif
