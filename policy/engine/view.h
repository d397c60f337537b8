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
 *   maintenance:                           # optional: hours, in the adapter's local time, at which
 *     - {from: "22:30", to: "04:00"}       #   the database is not asked; past midnight as well
 *     - {days: [sat, sun], from: "00:00", to: "06:00"}  # days on which it begins; all without
 *   budgets:                               # optional: answers in any 60 minutes and any 24 hours
 *     operator: {hour: 60, day: 300}       # to one operator of a requester
 *     requester: {day: 10000}              # to one requester
 *   probing:                               # optional; these are the defaults
 *     thresholds: 8                        # different thresholds, sets, tables or edges per person
 *     days: 30                             #   and field, in so many days, whatever the case
 *     mismatches: 3                        # wrong claims per person and field in one case
 *     mismatches_day: 6                    # and in 24 hours, whatever the case
 *   fields:
 *     income:
 *       column: income_cents               # absent for type: row
 *       type: cents                        # text|name|id|code|region|date|int|cents|row
 *       month: month                       # the column with YYYY-MM, for SUM, AVG_M and TREND
 *       denominator: total_cents           # the column to which RATIO_CMP sets this one
 *       class: G4                          # G1 public .. G4 sensitive personal
 *       codes: {"01": severe, "02": mild}  # optional, of type code: the department's codes in the
 *                                          # form's words, before any operator; another code is
 *                                          # CODE_UNMAPPED, and never passed through
 *       empty: none                        # optional, of type code: the word for ''; without it ''
 *                                          # is unknown, as NULL is
 *       null_is_empty: true                # NULL is as '' (Oracle keeps '' so); needs `empty`
 *       rules:
 *         - purpose: social-assistance
 *           operators: ["SUM(12)"]         # or anything stricter
 *           requesters: [street-office]    # organizations
 *           bases: [mandate]               # consent|separate_consent|mandate|emergency
 *           issuers: [street-office]       # organizations whose grants count
 *           laws: [SAL41]                  # for mandate: a law the grant must cite; else optional
 *           min_level: 2                   # level of proof, 1..4
 *           given_by: [self, guardian]     # whose agreement counts: self|guardian|agent|relative;
 *                                          # without it self and guardian; nobody agrees to a
 *                                          # mandate or an emergency
 *           dry_run: true                  # optional: judge, run and record, but release nothing
 *           event:                         # optional: for standing grants alone, of these triggers
 *             triggers: [medical-burden]   #   (form ids) that are used once in so many days or
 *             every_days: 30               #   more; without it for ordinary grants alone
 *
 * A G4 field is not opened on plain consent: sensitive data need a separate one (PIPL 29).
 *
 * A purpose with `event` in one rule has it in all: so no ordinary grant stands in for a standing
 * one, nor the other way round.
 *
 * With `source: officer` in place of `query` the rows come from the security officer's station
 * (docs/OFFICERS.md): who looked at the person's data here. Such a view has `rows: many` and
 * fields of type text on the column `access`, released by LIST alone, for the two purposes below
 * alone; and no other view has LIST.
 *
 * With `source: drill` beside `query` the rows come from the adapter's database of made-up people
 * (docs/DRILLS.md). Such a view is called <department>.drill-<name>, its rules are for the purpose
 * `drill` alone, and no other view has that purpose: a case that is marked as drill never reaches a
 * person's data, and no other case a drill's.
 */

/* The citizen asks who looked; or an authority does, which takes a second person (approver). */
#define LB_PURPOSE_SUBJECT_ACCESS "subject-access"
#define LB_PURPOSE_OVERSIGHT "oversight"
/* A drill; every case under it is one. */
#define LB_PURPOSE_DRILL "drill"

/* lb_view_is_drill says whether a view is a drill's, by its id. */
bool lb_view_is_drill(const char *id);

enum lb_view_source { LB_VIEW_DATABASE, LB_VIEW_OFFICER, LB_VIEW_DRILL };
/* What the officer's source is asked to prepare, and the only column it gives. */
#define LB_VIEW_OFFICER_QUERY "accesses"
#define LB_VIEW_OFFICER_COLUMN "access"

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

/* Answers in any 60 minutes and any 24 hours; 0 for no limit. */
struct lb_budget {
    int64_t hour;
    int64_t day;
};

/* What one operator and one requester may be answered. */
struct lb_budgets {
    struct lb_budget each_operator;
    struct lb_budget each_requester;
};

/* How far one person's values may be probed (promise 10). */
struct lb_probing {
    int64_t thresholds;      /* names of the rule set per person and field in the window */
    int64_t days;            /* the window */
    int64_t mismatches;      /* wrong claims per person and field in one case */
    int64_t mismatches_day;  /* and in 24 hours over all cases */
};

/* Who agreed: the subject, a minor's guardian, an agent with a paper, a near relative of the
 * dead. */
enum lb_giver {
    LB_GIVER_SELF,
    LB_GIVER_GUARDIAN,
    LB_GIVER_AGENT,
    LB_GIVER_RELATIVE,
    LB_NUM_GIVERS
};

/* Who may agree under a rule that does not say. */
#define LB_VIEW_DEFAULT_GIVERS (1U << LB_GIVER_SELF | 1U << LB_GIVER_GUARDIAN)

/* lb_giver_name and lb_giver_parse convert to and from the file's names; ABSENT for another. */
const char *lb_giver_name(enum lb_giver giver);
LB_MUST lb_status lb_giver_parse(struct lb_span text, enum lb_giver *out_giver);

struct lb_view_rule {
    const char *purpose;
    size_t num_operators;
    const struct lb_op_call *operators;
    size_t num_requesters;
    const char *const *requesters;
    unsigned bases;  /* bit per enum lb_basis */
    unsigned givers; /* bit per enum lb_giver */
    size_t num_issuers;
    const char *const *issuers;
    size_t num_laws;
    const char *const *laws;
    int min_level;
    bool dry_run;    /* nothing is released by this rule */
    int64_t event_days;  /* the shortest interval of a standing grant; 0: for ordinary ones */
    size_t num_triggers; /* forms whose standing grants count; none without an interval */
    const char *const *triggers;
};

/* One of a department's codes. */
struct lb_view_code {
    const char *code;
    const char *word;
};

struct lb_view_field {
    const char *name;
    const char *column;  /* NULL for type row */
    const char *month;   /* NULL when there is none */
    const char *denominator;  /* column of RATIO_CMP's other number; NULL when there is none */
    enum lb_field_type type;
    int data_class;      /* 1..4 */
    size_t num_codes;    /* 0: codes are the form's words already */
    const struct lb_view_code *codes;
    const char *empty;   /* the word for the empty text; NULL: it is unknown */
    bool null_is_empty;  /* and for NULL */
    size_t num_rules;
    const struct lb_view_rule *rules;
};

/* Hours at which the database is not asked; in minutes after midnight, `to` on the next day unless
 * it is later than `from`. */
struct lb_view_pause {
    unsigned days;  /* on which it begins: a bit each, Sunday first */
    int from;
    int to;
};

struct lb_view {
    const char *id;
    uint32_t version;
    const char *title_zh;
    const char *title_en;
    enum lb_view_source source;
    const char *query;        /* of an officer's view LB_VIEW_OFFICER_QUERY */
    bool many;
    bool complete;
    size_t max_rows;
    const char *as_of_query;  /* NULL when the source does not say */
    int64_t freshness_days;   /* 0: no limit */
    int64_t timeout_ms;
    size_t num_pauses;
    const struct lb_view_pause *pauses;
    struct lb_budgets budgets;
    struct lb_probing probing;
    size_t num_fields;
    const struct lb_view_field *fields;
    const struct lb_view_field *const *by_name;
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
    const char *form;          /* of a standing grant the trigger; else not looked at */
    int64_t event_days;        /* a standing grant's interval; 0: an ordinary one */
    const char *requester;     /* organization */
    const char *issuer;        /* organization */
    enum lb_basis basis;
    const char *const *laws;   /* cited by the grant */
    size_t num_laws;
    int level;                 /* of proof */
    enum lb_giver giver;       /* not looked at for a mandate or an emergency */
};

/* What a rule demands, in the order in which a refusal is named. */
enum lb_view_clause {
    LB_CLAUSE_PURPOSE,
    LB_CLAUSE_EVENT,     /* a standing grant of one of the rule's triggers, or an ordinary one */
    LB_CLAUSE_REQUESTER,
    LB_CLAUSE_BASIS,     /* the basis, and for a mandate one of the rule's laws */
    LB_CLAUSE_ISSUER,
    LB_CLAUSE_OPERATOR,  /* one of the rule's operators, or a stricter one */
    LB_CLAUSE_LEVEL,
    LB_CLAUSE_GIVER,     /* who agreed; nobody does to a mandate or an emergency */
    LB_NUM_CLAUSES
};

/* lb_view_clauses says which clauses of one rule the ask meets; all of them: the rule allows it. */
void lb_view_clauses(const struct lb_view_rule *rule, const struct lb_op_call *call,
                     const struct lb_view_ask *ask, const struct lb_rules *rules,
                     bool out_met[LB_NUM_CLAUSES]);

/* By what a want is allowed. */
struct lb_view_verdict {
    const struct lb_view_field *field;
    const struct lb_view_rule *rule;
    bool dry_run;  /* only by a rule in dry-run: nothing may leave */
};

/* lb_view_judge says whether one field may be asked under one operator, and by which rule; one that
 * releases goes before one in dry-run. The status names the first reason against, in this order,
 * judged over all rules: FIELD_UNKNOWN, PURPOSE_NOT_ALLOWED, EVENT_NOT_ALLOWED,
 * REQUESTER_NOT_ALLOWED, BASIS_NOT_ALLOWED (basis or law), ISSUER_INERT, OPERATOR_TOO_WEAK,
 * LOA_LOW, GIVER_NOT_ALLOWED.
 * One rule must pass alone. A mandate must cite one of the rule's laws; other bases need not. */
LB_MUST lb_status lb_view_judge(const struct lb_view *view, const char *field,
                                const struct lb_op_call *call, const struct lb_view_ask *ask,
                                const struct lb_rules *rules, struct lb_view_verdict *out_verdict);

/* lb_view_event_clash finds a purpose that `view` has for standing grants and `other`, which may be
 * the same view, for ordinary ones; NULL when there is none. */
const char *lb_view_event_clash(const struct lb_view *view, const struct lb_view *other);

/* lb_view_pause_left says for how many minutes yet the view's database is not to be asked; 0: it
 * may be. `minute_of_week` is local and counts from Sunday 00:00. */
int lb_view_pause_left(const struct lb_view *view, int minute_of_week);

/* lb_view_map_codes gives rows in which a column's codes are the form's words; NULL stays. For a
 * field with codes or a word for ''. CODE_UNMAPPED for a code without a word, NO_MEMORY. */
LB_MUST lb_status lb_view_map_codes(const struct lb_view_field *field, const struct lb_rows *rows,
                                    size_t column, struct lb_arena *arena, struct lb_rows *out);

/* lb_view_names_rules says whether a call takes a threshold, set, table or edges of the rule set:
 * such answers are what a value could be searched out with. */
bool lb_view_names_rules(const struct lb_op_call *call, const struct lb_rules *rules);

/* lb_view_table prints the decision table as text, sorted, for snapshots and people: a line each
 * for rows, freshness, maintenance, budgets, probing and a field's codes, one per field, purpose
 * and operator with requesters, bases, issuers, laws, level, triggers and dry-run; a field without
 * a rule says so. TOO_LARGE past 4 MiB, NO_MEMORY. */
LB_MUST lb_status lb_view_table(const struct lb_view *view, struct lb_arena *arena,
                                struct lb_span *out_text);

#endif
