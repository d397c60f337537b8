#ifndef POLICY_ENGINE_EXPLAIN_H
#define POLICY_ENGINE_EXPLAIN_H

#include "policy/engine/view.h"

/*
 * Why a request would be allowed or refused, clause by clause: what `lianban view explain` asks of
 * the adapter's code and prints. Only data; adapters/serve/explain.c judges.
 */
struct lb_explain_question {
    const char *view, *field;
    const char *operator_text;  /* "SUM(12)" */
};

/* A request as somebody describes it. */
struct lb_explain_request {
    const char *requester;      /* organization */
    const char *issuer;         /* organization that would sign the grant */
    const char *form;
    uint32_t form_version;
    const char *purpose;
    const char *basis;
    size_t num_laws;
    const char *const *laws;
    int level;                  /* of proof */
    enum lb_giver giver;        /* who agreed */
    int64_t life_s;             /* of the grant */
    int64_t event_days;         /* a standing grant's interval; 0: an ordinary one */
    size_t num_wants;
    const struct lb_explain_question *wants;
};

/* One condition, and what was asked against it. */
struct lb_explain_clause {
    const char *name;           /* "requester", "issuer", "form", "basis", "life", "purpose", ... */
    bool met;
    const char *asked;
    const char *demanded;
};

struct lb_explain_rule {
    bool allows;
    bool dry_run;
    struct lb_explain_clause clauses[LB_NUM_CLAUSES];
};

struct lb_explain_want {
    struct lb_explain_question question;
    enum lb_code code;          /* LB_CODE_OK: allowed */
    bool dry_run;               /* allowed, and nothing would be released */
    const char *why;            /* of a refusal, as the adapter says it */
    const char *data_class;     /* "G4"; NULL for a field that is not there */
    const char *limits;         /* freshness, budgets and probing of its view; NULL without one */
    size_t num_rules;
    struct lb_explain_rule *rules;
};

#define LB_EXPLAIN_TERMS 5

/* All texts live in the caller's arena. */
struct lb_explanation {
    const char *department;     /* the policy's id */
    const char *budgets;        /* over all its views */
    enum lb_code code;          /* of the terms: LB_CODE_OK, or why every want is refused */
    const char *why;
    struct lb_explain_clause terms[LB_EXPLAIN_TERMS];
    size_t num_wants;
    struct lb_explain_want *wants;
};

#endif
