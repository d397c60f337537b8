#ifndef POLICY_ENGINE_VIEW_H
#define POLICY_ENGINE_VIEW_H

#include "gateway/base/diag.h"
#include "policy/engine/operator.h"

/*
 * A view: what a department offers of its database and on which conditions. The file is the
 * department's policy; without a rule a field releases nothing.
 *
 * File (YAML):
 *   view: tax.income                       # <department>.<name>
 *   version: 1
 *   title: {zh: 工资薪金所得, en: Wage income}
 *   query: | # one read-only SELECT; parameters :id_no (the key), :today
 *     SELECT month, income_cents FROM wage WHERE id_no = :id_no # (YYYY-MM-DD), :this_month
 *     (YYYY-MM),
 *                                          # :from_month (12 months before this_month)
 *   rows: many                             # one | many
 *   complete: false                        # true: no row means none (an authoritative register)
 *   max_rows: 400                          # more is AMBIGUOUS; at most LB_MAX_ROWS_PER_READ
 *   as_of: SELECT as_of FROM data_as_of    # optional: one row, one date
 *   freshness_days: 45                     # older than this is STALE; needs as_of
 *   timeout_ms: 3000
 *   fields:
 *     income:
 *       column: income_cents               # absent for type: row
 *       type: cents                        # text|name|id|code|region|date|int|cents|row
 *       month: month                       # the column with YYYY-MM, for SUM, AVG_M and TREND
 *       denominator: total_cents           # the column to which RATIO_CMP sets this one
 *       class: G4                          # G1 public .. G4 sensitive personal
 *       rules:
 *         - purpose: social-assistance
 *           operators: ["SUM(12)"]         # or anything stricter
 *           requesters: [street-office]    # organizations
 *           bases: [mandate]               # consent|separate_consent|mandate|emergency
 *           issuers: [street-office]       # organizations whose grants count
 *           laws: [SAL41] # for mandate: the law the grant must cite; else optional min_level: 2 #
 *           level of proof, 1..4
 */
enum lb_basis {
    LB_BASIS_CONSENT,
    LB_BASIS_SEPARATE_CONSENT,
    LB_BASIS_MANDATE,
    LB_BASIS_EMERGENCY,
    LB_NUM_BASES
};

/* lb_basis_name and lb_basis_parse convert to and from the wire name; ABSENT for an unknown one. */
const char *lb_basis_name(enum lb_basis basis);
LB_MUST lb_status lb_basis_parse(struct lb_span text, enum lb_basis *out_basis);

struct lb_view_rule {
    const char *purpose;
    size_t num_operators;
    const struct lb_op_call *operators;
    size_t num_requesters;
    const char *const *requesters;
    unsigned bases;  /* bit per enum lb_basis */
    size_t num_issuers;
    const char *const *issuers;
    size_t num_laws;
    const char *const *laws;
    int min_level;
};

struct lb_view_field {
    const char *name;
    const char *column;  /* NULL for type row */
    const char *month;   /* NULL when there is none */
    const char *denominator;  /* column of RATIO_CMP's other number; NULL when there is none */
    enum lb_field_type type;
    int data_class;      /* 1..4 */
    size_t num_rules;
    const struct lb_view_rule *rules;
};

struct lb_view {
    const char *id;
    uint32_t version;
    const char *title_zh;
    const char *title_en;
    const char *query;
    bool many;
    bool complete;
    size_t max_rows;
    const char *as_of_query;  /* NULL when the source does not say */
    int64_t freshness_days;   /* 0: no limit */
    int64_t timeout_ms;
    size_t num_fields;
    const struct lb_view_field *fields;
    uint8_t sha256[32];       /* of the file's bytes */
};

/* lb_view_load reads and checks a file against the rule set: names, types, operators, bases. The
 * view lives in the arena. CONFIG_INVALID with file, line and advice in diag: a query that does not
 * begin with SELECT, has a ';' or does not use :id_no, an operator that does not fit, a mandate
 * without a law, an unknown key. FILE_FAILED, TOO_LARGE, NO_MEMORY. */
LB_MUST lb_status lb_view_load(const char *path, const struct lb_rules *rules,
                               struct lb_arena *arena, struct lb_diag *diag,
                               const struct lb_view **out_view);
/* lb_view_load_text is lb_view_load from bytes already read; `name` stands for the file. */
LB_MUST lb_status lb_view_load_text(struct lb_span text, const char *name,
                                    const struct lb_rules *rules, struct lb_arena *arena,
                                    struct lb_diag *diag, const struct lb_view **out_view);

/* lb_view_field finds a field by name, NULL when there is none. */
const struct lb_view_field *lb_view_field(const struct lb_view *view, const char *name);

/* Who asks, on which ground. */
struct lb_view_ask {
    const char *purpose;
    const char *requester;     /* organization */
    const char *issuer;        /* organization */
    enum lb_basis basis;
    const char *const *laws;   /* cited by the grant */
    size_t num_laws;
    int level;                 /* of proof */
};

/* lb_view_decide says whether one field may be released under one operator. The status names the
 * first reason against, in this order, judged over all rules: FIELD_UNKNOWN, PURPOSE_NOT_ALLOWED,
 * REQUESTER_NOT_ALLOWED, BASIS_NOT_ALLOWED (basis or law), ISSUER_INERT, OPERATOR_TOO_WEAK,
 * LOA_LOW. One rule must pass alone. A mandate must cite one of the rule's laws; other bases need
 * not. */
LB_MUST lb_status lb_view_decide(const struct lb_view *view, const char *field,
                                 const struct lb_op_call *call, const struct lb_view_ask *ask,
                                 const struct lb_rules *rules);

/* lb_view_table prints the decision table as text: one line per field, purpose and operator with
 * requesters, bases, issuers, laws and level, sorted, for snapshots and people; a field without a
 * rule says so. TOO_LARGE past 4 MiB, NO_MEMORY. */
LB_MUST lb_status lb_view_table(const struct lb_view *view, struct lb_arena *arena,
                                struct lb_span *out_text);

#endif
