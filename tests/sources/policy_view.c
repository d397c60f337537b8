#include <stdio.h>
#include <string.h>

#include "tests/sources/policies.h"

/* A policy as a department writes it: a view file. */

/* SQL's "..." is none of the name. */
static void put_column(size_t column, struct lb_buf *out)
{
    const char *name = policy_column_name(column);
    size_t len = strlen(name);
    if (name[0] == '"')
        lb_buf_printf(out, "%.*s", (int)len - 2, name + 1);
    else
        lb_buf_put_str(out, name);
}

static void put_who(unsigned requesters, struct lb_buf *out)
{
    lb_buf_printf(out, "[%s%s%s]", (requesters & 1U) != 0 ? policy_requesters[0] : "",
                  requesters == 3U ? ", " : "", (requesters & 2U) != 0 ? policy_requesters[1] : "");
}

struct rule {
    const char *operators;
    unsigned requesters;  /* bits; a mandate is signed by the requester itself */
    const char *purpose;
    const char *more;     /* what keeps it from allowing anything; "" for nothing */
};

/* Either list alone keeps the others out. */
static void put_rule(const struct rule *rule, struct policy_random *random, struct lb_buf *out)
{
    uint64_t wide = policy_random(random, 3);
    bool other_basis = strcmp(rule->more, "basis") == 0;
    lb_buf_printf(out, "      - purpose: %s\n        operators: [%s]\n        requesters: ",
                  rule->purpose, rule->operators);
    put_who(wide == 1 ? 3U : rule->requesters, out);
    lb_buf_put_str(out, "\n        issuers: ");
    put_who(wide == 2 ? 3U : rule->requesters, out);
    lb_buf_printf(out, "\n        bases: [%s]\n        laws: [SAL41]\n        min_level: %d\n",
                  other_basis ? "separate_consent" : "mandate",
                  strcmp(rule->more, "level") == 0 ? 3 : 2);
    if (strcmp(rule->more, "dry run") == 0)
        lb_buf_put_str(out, "        dry_run: true\n");
}

/* What looks like a permission and is none for whoever asks. */
static void put_decoy(const char *operators, unsigned requesters, const char *purpose,
                      struct policy_random *random, struct lb_buf *out)
{
    static const char *const decoys[] = {"basis", "level", "dry run"};
    const struct rule rule = {operators, requesters, purpose, decoys[policy_random(random, 3)]};
    if (requesters != 0 && policy_chance(random, 3))
        put_rule(&rule, random, out);
}

static void put_rules(const char *operators, unsigned roles, struct policy_random *random,
                      struct lb_buf *out)
{
    struct lb_buf rules;
    lb_buf_init(&rules, 16384);
    for (unsigned p = 0; p < 2; p++) {
        unsigned allowed = roles >> 2 * p & 3U;
        put_decoy(operators, 3U & ~allowed, policy_purposes[p], random, &rules);
        if (allowed == 3U && policy_chance(random, 2)) {
            put_rule(&(struct rule){operators, 1, policy_purposes[p], ""}, random,
                     &rules);
            allowed = 2U;
        }
        if (allowed != 0)
            put_rule(&(struct rule){operators, allowed, policy_purposes[p], ""}, random,
                     &rules);
    }
    struct lb_span text = lb_buf_span(&rules);
    if (text.len > 0) {
        lb_buf_put_str(out, "    rules:\n");
        lb_buf_put(out, text);
    }
    lb_buf_cleanup(&rules);
}

static void put_field(const struct policy *policy, size_t column, struct policy_random *random,
                      struct lb_buf *out)
{
    static const char *const types[] = {
        [POLICY_TEXT] = "text", [POLICY_CODE] = "code",   [POLICY_DATE] = "date",
        [POLICY_INT] = "int",   [POLICY_CENTS] = "cents", [POLICY_YUAN] = "cents",
    };
    const struct policy_column *one = &policy->columns[column];
    lb_buf_printf(out, "  f%zu:\n    column: ", column);
    put_column(column, out);
    lb_buf_printf(out, "\n    type: %s\n    class: G3\n", types[one->kind]);
    if (!policy->many || one->kind >= POLICY_INT)
        put_rules(policy->many ? "\"SUM(0)\"" : "PASS", one->roles, random, out);
}

static void put_query(const struct policy *policy, struct policy_random *random,
                      struct lb_buf *out)
{
    const char *before = "query: |\n  SELECT ";
    for (size_t i = 0; i < POLICY_COLUMNS; i++) {
        if (!policy->columns[i].selected)
            continue;
        lb_buf_printf(out, "%s%s", before, policy_column_name(i));
        before = ", ";
    }
    lb_buf_printf(out, "%s\n    FROM t%zu WHERE ",
                  before[0] == ',' ? "" : "query: |\n  SELECT 1 AS found", policy->number);
    switch (policy_random(random, 3)) {
    case 0:
        lb_buf_printf(out, "id_no = :id_no AND %s\n", policy->condition);
        break;
    case 1:
        lb_buf_printf(out, "%s AND :id_no = id_no\n", policy->condition);
        break;
    default:
        lb_buf_printf(out, "%s -- of :nobody\n     AND (id_no = :id_no AND :id_no = id_no)\n",
                      policy->condition);
    }
}

void policy_write_view(const struct policy *policy, struct lb_buf *out)
{
    struct policy_random random = {~policy->seed};
    char rows[48];
    lb_buf_printf(out, "view: tax.p%zu\nversion: 1\ntitle: {zh: 策略, en: Policy}\n",
                  policy->number);
    put_query(policy, &random, out);
    lb_buf_printf(out, "rows: %s\ncomplete: %s\ntimeout_ms: 60000\nfields:\n",
                  policy->many ? "many" : "one", policy->complete ? "true" : "false");
    for (size_t i = 0; i < POLICY_COLUMNS; i++)
        if (policy->columns[i].selected)
            put_field(policy, i, &random, out);
    lb_buf_put_str(out, "  rows:\n    type: row\n    class: G2\n");
    (void)snprintf(rows, sizeof(rows), "EXISTS, \"COUNT(%u)\"", policy->cap);
    put_rules(rows, policy->row_roles, &random, out);
}
