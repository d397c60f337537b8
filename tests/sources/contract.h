#ifndef TESTS_SOURCES_CONTRACT_H
#define TESTS_SOURCES_CONTRACT_H

#include "adapters/api/source.h"

/* A location at which no source opens, and the code that says why. */
struct contract_refusal {
    char location[200];
    enum lb_code code;
};

/*
 * What adapters/api/source.h promises, as cases that every source is put through. A source's own
 * test fills its tables (CONTRACT_TABLES says with what) and says what it has.
 *
 *   wage(id_no, month, cents)          a: 2026-05 100, 2026-06 250; b: 2026-06 7; indexed by id_no
 *   slip(id_no, cents)                 no index
 *   odd(id_no, v text)                 null NULL; empty ''; blanks '   '; padded '01   ';
 *                                      han 张·伟; long 512 x; longer 513 x
 *   fixed(id_no, v char(10))           a '01'
 *   many(id_no, v)                     m: 1 to 1000
 *   money(id_no, yuan with 2 places, fine with 4 places, whole decimal without places)
 *                                      a 1234.56 1.2300 12; b -0.01 1.2345 -1; c NULL NULL NULL;
 *                                      d 92233720368547758.07 0 0
 *   day(id_no, born date, at time)     a 1990-02-28, 2024-01-02 03:04:05
 */
struct contract {
    const char *name;
    const struct lb_source_plugin *plugin;
    struct lb_source_options options;
    const char *endless;             /* a query that runs for minutes, one column, no row before */
    bool has_types;                  /* columns have types of their own */
    bool spent_by_timeout;           /* a source is of no more use after one */
    const struct contract_refusal *refusals;
    size_t num_refusals;
    void *server;
    /* The department changes its database. */
    void (*sql)(void *server, const char *text);
    /* Queries in hand at the server but for the one that asks; NULL where there is no server. */
    long (*running)(void *server);
    void (*kill_sessions)(void *server);
    void (*restart)(void *server);          /* after kill -9 */
    void (*hang)(void *server, bool hang);  /* stops it, lets it go on */
};

/* contract_run runs all cases that apply; what cmocka returns. */
int contract_run(const struct contract *contract);

/* One open source, for the cases and for a source's own tests. */
struct contract_case {
    const struct contract *contract;
    struct lb_source *source;
    struct lb_arena *arena;
    struct lb_diag diag;
};

/* case_open opens; failing fails the test. case_close is its end. */
void case_open(struct contract_case *one, const struct contract *contract);
void case_close(struct contract_case *one);
/* case_prepare prepares a query whose column `column` is wanted as `want`; NULL for none. */
struct lb_source_stmt *case_prepare(struct contract_case *one, const char *query,
                                    const char *column, enum lb_source_want want);
/* case_try is the same as a code. */
enum lb_code case_try(struct contract_case *one, const char *query, const char *column,
                      enum lb_source_want want);
/* case_read reads with all parameters bound. */
enum lb_code case_read(struct contract_case *one, struct lb_source_stmt *stmt, const char *id_no,
                       struct lb_source_limits limits, struct lb_source_result *out);
/* case_cell reads a statement's only cell, which must be there. */
struct lb_source_cell case_cell(struct contract_case *one, struct lb_source_stmt *stmt,
                                const char *id_no);
int64_t case_now_ms(void);

/* The cases of what cells become, and of what goes wrong at the server. */
void contract_cells(void **state);
void contract_text(void **state);
void contract_money(void **state);
void contract_dates(void **state);
void contract_types_are_checked(void **state);
void contract_codes(void **state);
void contract_timeout_ends_the_query(void **state);
void contract_others_go_on(void **state);
void contract_cancel(void **state);
void contract_session_killed(void **state);
void contract_server_killed(void **state);
void contract_server_hangs(void **state);
void contract_changed_table(void **state);
void contract_refusals(void **state);

#endif
