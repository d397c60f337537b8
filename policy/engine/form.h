#ifndef POLICY_ENGINE_FORM_H
#define POLICY_ENGINE_FORM_H

#include "gateway/base/diag.h"
#include "policy/engine/operator.h"
#include "policy/engine/rules.h"
#include "policy/engine/view.h"

/*
 * A form: which facts it needs of whom, how they are put together, and which class follows.
 *
 * File (YAML):
 *   form: social-assistance
 *   version: 1
 *   title: {zh: 社会救助申请, en: Social assistance}
 *   purpose: social-assistance
 *   lead: civil-affairs
 *   law: [SAL40, SAL41]
 *   rules: beijing-reference            # the rule set whose thresholds the expressions name
 *   grant_days: 30                      # how long a grant lasts
 *   roles:                              # household; applicant is always first and exactly one
 *     applicant: {min: 1, max: 1, minor: false}
 *     member:    {min: 0, max: 11, minor: false}
 *     child:     {min: 0, max: 11, minor: true}     # under age: a guardian agrees (PIPL 31)
 *     supporter: {min: 0, max: 4, outside: true}    # not of the household: agrees separately,
 *                                                   # never covered by a mandate (SAL 41)
 *     deceased:  {min: 0, max: 1, deceased: true}   # a near relative agrees (PIPL 49)
 *   sections:                           # one per department asked
 *     tax: {basis: mandate, law: [SAL41], answer_bytes: 1024, uses: 4, late: true}
 *   facts:
 *     - fact: wage12
 *       department: tax
 *       view: tax.income
 *       field: income
 *       operator: SUM(12)
 *       roles: [applicant, member]      # asked for these; for others `otherwise` holds
 *       otherwise: 0                    # integer, true, false or unknown
 *       claim: none                     # none | name | household (the declared members' numbers)
 *       show: false                     # may the window display the value?
 *       optional: false                 # may this one be refused by itself? not under a mandate
 *       grade: B                        # optional: what an officer adds counts from this grade on,
 *                                       # A (issued by the department), B (verified at the window,
 *                                       # the default) or C (uploaded); D (self-declared) never
 *       saves: {zh: 收入证明, en: income certificate}   # optional: the document not asked
 *       waiver: {zh: ..., en: ...}      # optional: why it is asked although nothing needs it
 *       label: {zh: 近12个月工资, en: Wages of the last 12 months}
 *   shares: # optional: household totals of which no department's part is seen (SHARE)
 *     - slot: assets                    # its name in the rules below
 *       facts: [deposits, funds]        # all with SHARE and the same roles; 2 departments at least
 *   household: # optional: folds over the members, in order; later ones may use earlier
 *     - name: income12
 *       each: wage12 + pension12        # over the member's facts and thresholds
 *       fold: sum # sum | any | all | count (of TRUE) | applicant (the applicant's)
 *   conditions:                         # over household names, thresholds and n (household size,
 *                                       # without those outside it and the dead)
 *     - condition: below_standard
 *       test: income12 < std_dibao * 12 * n          # dots of threshold names are written _
 *       text: {zh: ..., en: ...}
 *       source: 《最低生活保障审核确认办法》...
 *   classes:                            # in order; over conditions only
 *     - class: TEKUN
 *       when: single AND no_labour
 *       text: {zh: 特困供养, en: ...}
 *   otherwise: {class: NONE, text: {zh: ..., en: ...}}
 *   amounts: # optional: whole numbers told with a class; they decide nothing
 *     - amount: allowance
 *       value: ceil_div(std_dibao * 12 * n - income12, 1200) * 100   # as in conditions
 *       unit: cents                     # cents | months | month | count
 *       classes: [DIBAO]                # with which it is told
 *       text: {zh: ..., en: ...}
 *   parts: # optional: what is handed to whom once a class stands
 *     - part: allowance               # its name, unique in the form
 *       department: civil-affairs
 *       title: {zh: ..., en: ...}
 *       law: [SAL42]
 *       classes: [TEKUN, DIBAO]       # handed over when the case's class is one of these
 *       roles: [applicant, member]    # whose identity goes along; the applicant's always does
 *       facts: [name_same]            # optional: what goes along as the window shows it, or tokens
 *       days: 30                      # working days from the submission on
 *       escalate: {zh: ..., en: ...}  # who is told when it is overdue
 *       emergency: false              # optional: aid first, papers later; see below
 *   asks: # optional: what the citizen has to say or bring, since no department has it
 *     - ask: early_choice
 *       text: {zh: ..., en: ...}
 *       law: [SIL16]
 *       roles: [applicant]              # of whom
 *       parts: [pension]                # which parts cannot be done without it
 *       waiver: {zh: ..., en: ...}      # optional: why it is asked although a view supplies it
 *   trigger: {source: tax, every_days: 30}  # optional: this form is a trigger; see below
 *   notice:                             # what the citizen is told, besides the list of facts
 *     why: {zh: ..., en: ...}
 *     keep: {zh: ..., en: ...}
 *     withdraw: {zh: ..., en: ...}
 *     refuse: {zh: ..., en: ...}
 *   decision: # optional, and so is each of its members: what holds when a person decides
 *     hear: {needed: true, law: [SAL48]}  # must the person be heard before an adverse decision?
 *     object: {days: 60, law: [ARL20], where: {zh: ..., en: ...}}  # how long and where one may
 *     correct_days: 20                  # working days a department has for a correction request
 *
 * Names of facts, slots, household values, conditions, amounts and asks are lower-case letters,
 * digits and `_`, and each is used once in a file. `each` sees facts, thresholds, slots and earlier
 * household values; `test` and `value` see slots, household values, thresholds and n; `when` sees
 * conditions. A month of a year is a number, the months since the beginning of the year 0 (January
 * of 2025 is 24300): so months are added and compared. A fact that no expression uses must be
 * shown, and everything else must be used. `otherwise` may be left out where every role is asked.
 *
 * With the purpose `drill` the form is for drills: all its views are (view.h), and no other form
 * has one of them.
 *
 * A late section is asked only when all others have answered and no class stands by their answers
 * alone: so a recognition goes before incomes (SAL 42), and what is not needed is not asked. Not
 * all sections are late, and those of a slot all are or none.
 *
 * A fact with TOKEN is never shown, stands in no expression and goes along with a part: the window
 * passes on what it cannot read, to the department that may open it (operator.h).
 *
 * A part's facts are shown ones, and tokens, that its roles are asked. An emergency part is handed
 * over at once, on the word of who serves, before any class stands: it names no classes, and its
 * `days`, at most 10, are days of the calendar, within which the papers follow (SAL 50).
 *
 * A trigger looks for people who may be entitled and have not applied (docs/OUTREACH.md). It is
 * run by the agent of its source, for who agreed to it once, at most once every so many days. It
 * has the classes CANDIDATE and NONE and one part, the signal, which goes for CANDIDATE with the
 * applicant's identity alone. It asks by consent, for a yes or no or a blind sum, and of its source
 * for totals and numbers of rows; nothing it asks is shown, and it has no amounts and no
 * `decision`.
 *
 * A fact with SHARE belongs to one slot, is never shown, has no `otherwise` (who is not asked adds
 * nothing) and stands in no expression; its slot does, as a number. The facts of a slot are asked
 * under one kind of grant: all by mandate, or all by consent. A department is in one slot at most.
 */
struct lb_form_text {
    const char *zh;
    const char *en;
};

struct lb_form_role {
    const char *name;
    int64_t min;
    int64_t max;
    bool minor;     /* at most one of the three */
    bool outside;
    bool deceased;
};

struct lb_form_section {
    const char *department;  /* organization id of the provider */
    enum lb_basis basis;
    size_t num_laws;
    const char *const *laws;
    uint32_t answer_bytes;
    int64_t uses;
    bool late;               /* asked only when no class stands without it */
};

enum lb_form_claim { LB_CLAIM_NONE, LB_CLAIM_NAME, LB_CLAIM_HOUSEHOLD };

struct lb_form_fact {
    const char *name;
    const char *department;
    size_t section;            /* the department's */
    const char *view;
    const char *field;
    struct lb_op_call call;
    enum lb_fact_kind kind;    /* of a known fact: the operator's, or for PASS what `value` says */
    unsigned roles;            /* bit per role index */
    struct lb_fact otherwise;  /* for roles that are not asked */
    enum lb_form_claim claim;
    bool show;
    bool optional;
    char grade;                /* 'A' to 'C': from which on an officer's fact counts */
    struct lb_form_text saves; /* zh NULL when none */
    struct lb_form_text waiver; /* the same */
    struct lb_form_text label;
};

/* A total over the persons of some roles and some departments' facts, added up blindly. */
struct lb_form_share {
    const char *slot;
    unsigned roles;         /* as every one of its facts */
    size_t num_facts;       /* 2 to LB_MAX_SHARE_CONTRIBUTIONS */
    const size_t *facts;    /* indexes, in the file's order */
};

struct lb_form_condition {
    const char *name;
    struct lb_form_text text;
    const char *source;
};

struct lb_form_class {
    const char *id;
    struct lb_form_text text;
};

/* What is handed to a department. */
struct lb_form_part {
    const char *name;
    const char *department;
    struct lb_form_text title;
    size_t num_laws;
    const char *const *laws;
    uint64_t classes;       /* bit per class, `otherwise` after the others; 0 in an emergency */
    unsigned roles;         /* bit per role index */
    size_t num_facts;
    const size_t *facts;    /* indexes, in the part's order */
    int64_t days;           /* working days; in an emergency days */
    struct lb_form_text escalate;
    bool emergency;
};

/* What the citizen says or brings. No value of it goes through the window: it stands on paper. */
struct lb_form_ask {
    const char *name;
    struct lb_form_text text;
    size_t num_laws;
    const char *const *laws;
    unsigned roles;             /* bit per role index */
    uint64_t parts;             /* bit per part index */
    struct lb_form_text waiver; /* zh NULL when none */
};

struct lb_form_notice {
    struct lb_form_text why, keep, withdraw, refuse;
};

/* What holds when a person decides; the defaults where the file says nothing. */
struct lb_form_decision {
    bool hear;
    size_t num_hear_laws;
    const char *const *hear_laws;
    int64_t object_days;
    size_t num_object_laws;
    const char *const *object_laws;
    struct lb_form_text object_where;
    int64_t correct_days;
};

enum lb_form_unit { LB_UNIT_CENTS, LB_UNIT_MONTHS, LB_UNIT_MONTH, LB_UNIT_COUNT, LB_NUM_UNITS };

/* lb_form_unit_name is the file's word for a unit. */
const char *lb_form_unit_name(enum lb_form_unit unit);

/* A number that is told with some classes. */
struct lb_form_amount {
    const char *name;
    enum lb_form_unit unit;
    uint64_t classes;  /* bit per class index; the last, `otherwise`, is num_classes */
    struct lb_form_text text;
};

/* Of a trigger; every_days is 0 in any other form. */
struct lb_form_trigger {
    const char *source;  /* the department whose agent runs it */
    int64_t every_days;
};

/* The readable part of a form; the compiled expressions stay inside. */
struct lb_form {
    const char *id;
    uint32_t version;
    struct lb_form_text title;
    const char *purpose;
    const char *lead;
    size_t num_laws;
    const char *const *laws;
    const char *rules_id;
    int64_t grant_days;
    size_t num_roles;
    const struct lb_form_role *roles;
    size_t num_sections;
    const struct lb_form_section *sections;
    size_t num_facts;
    const struct lb_form_fact *facts;
    size_t num_shares;
    const struct lb_form_share *shares;
    size_t num_conditions;
    const struct lb_form_condition *conditions;
    size_t num_classes;
    const struct lb_form_class *classes;  /* without the last, `otherwise` */
    struct lb_form_class otherwise;
    size_t num_parts;
    const struct lb_form_part *parts;
    size_t num_amounts;
    const struct lb_form_amount *amounts;
    size_t num_asks;
    const struct lb_form_ask *asks;
    struct lb_form_trigger trigger;
    struct lb_form_notice notice;
    struct lb_form_decision decision;
    uint8_t sha256[32];  /* of the file's bytes */
    struct lb_span content;
};

struct lb_form_compiled;

/* lb_form_is_one_line says whether people can read a text as one line: well-formed UTF-8 without
 * control characters, line breaks, or marks that reorder what is read. */
bool lb_form_is_one_line(struct lb_span text);

/* lb_form_load reads, checks and compiles a form. `rules` may be NULL for those who only need the
 * readable part (broker, consent office): expressions are then not compiled and lb_form_judge
 * refuses with CONFIG_INVALID. CONFIG_INVALID with file, line and advice in diag: unknown keys, a
 * fact without a section, an unknown name in an expression, a banned construct, an unused fact, a
 * threshold the rule set lacks, a role nobody asks. */
LB_MUST lb_status lb_form_load(const char *path, const struct lb_rules *rules, struct lb_diag *diag,
                               struct lb_form_compiled **out_form);
/* lb_form_load_text is lb_form_load from bytes already read. */
LB_MUST lb_status lb_form_load_text(struct lb_span text, const char *name,
                                    const struct lb_rules *rules, struct lb_diag *diag,
                                    struct lb_form_compiled **out_form);
void lb_form_free(struct lb_form_compiled *form);
const struct lb_form *lb_form_of(const struct lb_form_compiled *form);
/* Index of a role, section (by department) or fact by name; SIZE_MAX when there is none. */
size_t lb_form_role_index(const struct lb_form *form, const char *name);
size_t lb_form_section_index(const struct lb_form *form, const char *department);
size_t lb_form_fact_index(const struct lb_form *form, const char *name);
/* Index of a class by its id, num_classes for `otherwise`; SIZE_MAX when there is none. */
size_t lb_form_class_index(const struct lb_form *form, const char *id);
/* Index of a part by its name; SIZE_MAX when there is none. */
size_t lb_form_part_index(const struct lb_form *form, const char *name);
/* lb_form_hands_over says whether a part goes to its department when this class stands; one for
 * emergencies never does. */
bool lb_form_hands_over(const struct lb_form_part *part, size_t class_index);
/* lb_form_share_of finds the slot a fact belongs to; SIZE_MAX when it is no share. */
size_t lb_form_share_of(const struct lb_form *form, size_t fact);
/* lb_form_is_late says whether a fact is of a late section. */
bool lb_form_is_late(const struct lb_form *form, size_t fact);
/* lb_form_asks says whether the fact is asked for the role. */
bool lb_form_asks(const struct lb_form_fact *fact, size_t role_index);
/* lb_form_basis is the basis on which a section is asked for a role: the section's own, but
 * separate consent for whoever is outside the household (SAL 41). */
enum lb_basis lb_form_basis(const struct lb_form *form, size_t section_index, size_t role_index);

struct lb_form_member {
    size_t role;                  /* index */
    /* One per form fact; state 0: nothing asked or come back. A share's is not looked at. */
    const struct lb_fact *facts;
};

enum lb_truth { LB_FALSE, LB_TRUE, LB_UNKNOWN };

/* What an amount came to. */
struct lb_form_sum {
    bool told;  /* the class is one of the amount's, and every value in it is known */
    int64_t value;
};

struct lb_form_judgement {
    bool manual;           /* no class could be decided */
    const char *class_id;  /* "MANUAL" when manual */
    struct lb_form_text class_text;
    enum lb_truth *conditions;   /* one per form condition */
    enum lb_truth *classes;      /* one per class, without `otherwise` */
    struct lb_form_sum *amounts; /* one per form amount */
};

/* lb_form_judge folds the members' facts, takes each slot's total from `totals` (one per share of
 * the form; NULL where it has none; whatever is no number is UNKNOWN), evaluates conditions and
 * classes. The first TRUE class wins only if no earlier one is UNKNOWN; `otherwise` only if all
 * are FALSE; else MANUAL (DESIGN §5). Deterministic; thread-compatible (one thread per compiled
 * form at a time). CONFIG_INVALID: loaded without a rule set. MALFORMED: no household of the
 * form's roles, with their min and max, or of more than LB_MAX_HOUSEHOLD. NO_MEMORY past the
 * arena's cap; STORE_FAILED from the evaluator. */
LB_MUST lb_status lb_form_judge(struct lb_form_compiled *form, const struct lb_form_member *members,
                                size_t num_members, const struct lb_fact *totals,
                                struct lb_arena *arena, struct lb_form_judgement *out);

#endif
