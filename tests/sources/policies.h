#ifndef TESTS_SOURCES_POLICIES_H
#define TESTS_SOURCES_POLICIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/buf.h"

/*
 * Random policies over random tables, each written twice: as a department's view, and as what a
 * PostgreSQL server itself enforces, column grants and row-level security. A role stands for one
 * requester and one purpose: POLICY_ROLES of them, a database role of its own for each.
 */

struct policy_random {
    uint64_t state;
};

/* policy_random gives a number below `below`, policy_chance whether one of `in` comes up. */
uint64_t policy_random(struct policy_random *random, uint64_t below);
bool policy_chance(struct policy_random *random, uint64_t in);

#define POLICY_COLUMNS 6
#define POLICY_ROLES 4
#define POLICY_PERSONS 4
#define POLICY_CONDITION_BYTES 1024

extern const char *const policy_requesters[2]; /* of role r: r % 2 */
extern const char *const policy_purposes[2];   /* of role r: r / 2 */

enum policy_kind { POLICY_TEXT, POLICY_CODE, POLICY_DATE, POLICY_INT, POLICY_CENTS, POLICY_YUAN };

struct policy_column {
    enum policy_kind kind;
    bool selected;  /* the view's query gives it */
    unsigned roles; /* a bit for each that may read it */
};

struct policy {
    uint64_t seed;
    size_t number;
    const char *persons[POLICY_PERSONS];  /* in its table, beside somebody else */
    bool many;
    bool complete;
    unsigned cap;      /* the most rows that are told: COUNT(cap) */
    unsigned row_roles; /* may know whether and how many rows there are */
    struct policy_column columns[POLICY_COLUMNS];
    char condition[POLICY_CONDITION_BYTES]; /* rows that are shared at all; the same SQL on both
                                               sides */
};

/* policy_make makes the policy of a number; the seed decides all about it but whom its table is
 * about, which the caller says. */
void policy_make(uint64_t seed, size_t number, struct policy *out);
/* policy_column_name is a column's name as SQL has it. */
const char *policy_column_name(size_t column);

/* policy_write_sql adds the table with its rows, grants and row-level security. */
void policy_write_sql(const struct policy *policy, struct lb_buf *out);
/* policy_write_view adds the view file: the view tax.p<number>, with fields f0 to f5 for what is
 * selected and `rows`. */
void policy_write_view(const struct policy *policy, struct lb_buf *out);

/* What all policies need of a server, and the function that tells what a role sees:
 * released(role, person, table, column) is "denied", or "<rows>" and a character 31 and "=value" or
 * "-" for each. */
extern const char policy_roles_sql[];

#endif
