#ifndef GATEWAY_AUDIT_REVIEW_FIXTURE_H
#define GATEWAY_AUDIT_REVIEW_FIXTURE_H

#include "gateway/audit/review.h"

/* A queue with one rule, and rows written out by hand, for tests. */

#define FIXTURE_ROWS 256
/* A Tuesday, 2026-10-13T10:00+08:00. */
#define FIXTURE_TEN INT64_C(1791856800000)
#define FIXTURE_MINUTE INT64_C(60000)
#define FIXTURE_DAY INT64_C(86400000)

#define assert_code(status_, code_)                                                                \
    assert_string_equal(lb_code_name(lb_status_code(status_)), lb_code_name(code_))
#define assert_ok(status_) assert_code(status_, LB_CODE_OK)

struct fixture {
    char folder[64];
    struct lb_arena *arena;
    struct lb_diag diag;
    struct lb_detect_rules *rules;
    struct lb_detect_lists *lists;
    struct lb_review *review;
    struct lb_review_recorder recorder;
    uint64_t num_recorded;
    lb_status record_fails;
    struct lb_audit_row rows[FIXTURE_ROWS];
    bool missed[FIXTURE_ROWS];
    size_t num, at;
    const char *origin;
};

int fixture_setup(void **state);
int fixture_teardown(void **state);
/* fixture_rules puts the shipped rules down to the named one (NULL: all of them). */
void fixture_rules(struct fixture *fixture, const char *id);
/* fixture_lists loads the officer's lists from a text. */
void fixture_lists(struct fixture *fixture, const char *yaml);
/* fixture_row adds an ordinary, answered row of operator 1 about a person and returns it, to be
 * changed. */
struct lb_audit_row *fixture_row(struct fixture *fixture, int64_t time_ms, uint8_t person);
/* fixture_deny makes a row a refusal by an outer code. */
void fixture_deny(struct lb_audit_row *row, const char *code);
/* fixture_scan judges all rows that were not yet. */
void fixture_scan(struct fixture *fixture);
/* fixture_alerts counts alerts, closed ones too; with one, *out_first is it. */
size_t fixture_alerts(struct fixture *fixture, struct lb_review_alert *out_first);
/* fixture_source gives the rows from one on. */
struct lb_review_source fixture_source(struct fixture *fixture, size_t from);

#endif
