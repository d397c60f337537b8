#ifndef GATEWAY_CTL_OFFICER_H
#define GATEWAY_CTL_OFFICER_H

#include "gateway/audit/index.h"
#include "gateway/ctl/args.h"
#include "gateway/ctl/port.h"
#include "gateway/ctl/sheet.h"

/*
 * What the officer's commands share: the index, the period, the entry that each query makes in the
 * node's own log before it runs, and the lines under every result.
 *
 * A query is recorded first or not run (REVIEW_UNRECORDED). Only on an index that was built from a
 * copy of a log may --unrecorded go on without, and the result says so.
 */
#define LB_CTL_OFFICER_OPTIONS 9

struct lb_ctl_officer {
    struct lb_ctl_env *env;
    const char *command;          /* "log query" */
    const char *kind;             /* the REVIEW leaf's code, "QUERY"; NULL: nothing personal is
                                     shown, so nothing is recorded */
    struct lb_diag diag;
    struct lb_arena *arena;       /* of the result */

    /* from the command line */
    const char *index_folder;
    const char *profile_path;
    const char *reason;
    const char *since, *until;
    bool unrecorded;
    bool csv;
    int64_t limit;
    int64_t from;
    struct lb_audit_filter filter;

    struct lb_audit_index *index;
    struct lb_audit_state state;
    struct lb_audit_lag lag;
    bool recorded;
    struct lb_ctl_reviewed review;
};

/* Whom a query is about: a number from a document, a pseudonym in hex, or nobody. */
struct lb_ctl_about {
    const char *id_no;       /* NULL */
    const char *subject_hex; /* NULL */
};

/* lb_ctl_officer_args is lb_ctl_args with the officer's options before the command's own, and reads
 * the period into officer->filter. */
int lb_ctl_officer_args(struct lb_ctl_officer *officer, const struct lb_ctl_usage *usage,
                        const struct lb_ctl_option *own, size_t num_own, int argc, char **argv,
                        struct lb_ctl_list *operands);

/* lb_ctl_officer_open opens the index and records the query: `query` is one line that says what is
 * asked without any identity number. With `about` the filter lets only their rows pass. Statuses of
 * lb_audit_index_open; REVIEW_UNRECORDED, MALFORMED; with a sentence in diag. */
LB_MUST lb_status lb_ctl_officer_open(struct lb_ctl_officer *officer, const char *query,
                                      const struct lb_ctl_about *about);

/* lb_ctl_officer_facts adds to a result how far behind its log the index is, which entry the query
 * is or that it is none, and where to go on when `next` is not NULL. */
void lb_ctl_officer_facts(const struct lb_ctl_officer *officer, struct lb_ctl_sheet *sheet,
                          const uint64_t *next);

/* lb_ctl_officer_finish tells a failure, releases everything; returns the exit code. */
int lb_ctl_officer_finish(struct lb_ctl_officer *officer, lb_status status);

#endif
