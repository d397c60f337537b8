#ifndef POLICY_ENGINE_CATALOGUE_H
#define POLICY_ENGINE_CATALOGUE_H

#include "policy/engine/date.h"
#include "policy/engine/form.h"

/*
 * The policy calculator's catalogue: which policies there are, what citizens are asked to find out
 * which of them fit, and the thresholds by which they fit. Everything is judged from what is
 * entered: nobody is asked, and nothing entered is kept.
 *
 * A catalogue is one folder. Its index names the other files, all without folder and `.yaml`:
 *   catalogue: beijing
 *   version: 1
 *   title: {zh: ..., en: ...}
 *   thresholds: thresholds              # a rule set (rules.h): every number stands there
 *   questions: questions
 *   policies: [advanced-age-allowance]
 *
 * Questions (a list; the file's order breaks ties in which is asked first):
 *   - question: birth_date
 *     type: date                        # bool | int | money | date | choice
 *     from: 1900-01-01                  # date: the earliest; the latest is the calculation's day
 *     gives: {age: years, born: date}   # date: its names in tests: full years passed, the day
 *     text: {zh: ..., en: ...}
 *   - question: members
 *     type: int                         # int and money: min and max; money in cents
 *     min: 1
 *     max: 20
 *   - question: recognition
 *     type: choice
 *     choices: [{choice: dibao, text: {zh: ..., en: ...}}]
 *
 * A policy:
 *   policy: advanced-age-allowance
 *   version: 1
 *   title: {zh: ..., en: ...}
 *   owner: civil-affairs                # whose it is: a department's id
 *   document: {title: ..., number: ..., in_force: 2019-10-01, until: 2026-12-31}
 *                                       # number and until may be left out; until is its last day
 *   benefit: {zh: ..., en: ...}         # what one gets
 *   remark: {zh: ..., en: ...}          # optional: what only a person at the window can decide
 *   conditions:                         # each says what must hold
 *     - condition: aged
 *       test: age >= age_advanced       # one comparison over questions and thresholds
 *       text: {zh: 年满{age_advanced}周岁, en: ...}   # {threshold}: its value
 *       source: 二（三）                 # the document's clause
 *   when: local AND aged                # conditions, AND, OR and parentheses
 *
 * A test has no AND, OR or NOT, so that each of its questions can decide it, and no numbers but 12
 * (months of a year) and 10000 (basis points); what it compares with is in the threshold set with
 * its source, and its texts name every threshold it uses. `when` never counts a condition against
 * the citizen: then AND, OR and three-valued truth leave a result open exactly when an open
 * condition can still change it.
 */
struct lb_catalogue;

#define LB_CATALOGUE_MAX_QUESTIONS 128
#define LB_CATALOGUE_MAX_CHOICES 32
#define LB_CATALOGUE_MAX_POLICIES 256
#define LB_CATALOGUE_MAX_CONDITIONS 16   /* of one policy */
#define LB_CATALOGUE_MAX_TEST_NAMES 16   /* questions and thresholds of one test */
#define LB_CATALOGUE_MAX_ANSWER_BYTES 64 /* one answer as it is entered */

enum lb_question_type {
    LB_QUESTION_BOOL,
    LB_QUESTION_INT,
    LB_QUESTION_MONEY,  /* cents; entered in yuan */
    LB_QUESTION_DATE,
    LB_QUESTION_CHOICE,
};

struct lb_question_choice {
    const char *id;
    struct lb_form_text text;
};

struct lb_question {
    const char *id;
    enum lb_question_type type;
    struct lb_form_text text;
    int64_t min, max;   /* of int and money */
    const char *from;   /* of date, YYYY-MM-DD */
    size_t num_choices;
    const struct lb_question_choice *choices;
};

struct lb_policy_condition {
    const char *name;
    const char *test;
    struct lb_form_text text;  /* with the thresholds' values */
    const char *source;
    size_t num_questions;
    const size_t *questions;   /* indexes; in the test's order, each once */
    size_t num_thresholds;
    const struct lb_threshold *const *thresholds;
};

struct lb_policy {
    const char *id;
    uint32_t version;
    struct lb_form_text title;
    const char *owner;
    const char *document;
    const char *number;      /* NULL when the document has none */
    struct lb_date in_force;
    struct lb_date until;    /* year 0 when open */
    struct lb_form_text benefit;
    struct lb_form_text remark;  /* zh NULL when none */
    size_t num_conditions;
    const struct lb_policy_condition *conditions;
    const char *when;
};

/* lb_catalogue_load reads, checks and compiles the catalogue whose index is at `path`; the other
 * files are read from its folder. CONFIG_INVALID with file, line and advice in diag; FILE_FAILED,
 * TOO_LARGE, NO_MEMORY; STORE_FAILED from the evaluator. */
LB_MUST lb_status lb_catalogue_load(const char *path, struct lb_diag *diag,
                                    struct lb_catalogue **out_catalogue);
void lb_catalogue_free(struct lb_catalogue *catalogue);
void lb_catalogue_freep(struct lb_catalogue **catalogue);  /* for LB_DEFER */

/* lb_catalogue_id, _version and _title are the index's. */
const char *lb_catalogue_id(const struct lb_catalogue *catalogue);
uint32_t lb_catalogue_version(const struct lb_catalogue *catalogue);
const struct lb_form_text *lb_catalogue_title(const struct lb_catalogue *catalogue);
/* lb_catalogue_sha256 is the hash of the index and the files it names, in its order. */
const uint8_t *lb_catalogue_sha256(const struct lb_catalogue *catalogue);
const struct lb_rules *lb_catalogue_rules(const struct lb_catalogue *catalogue);
size_t lb_catalogue_num_policies(const struct lb_catalogue *catalogue);
/* NULL past the last. */
const struct lb_policy *lb_catalogue_policy(const struct lb_catalogue *catalogue, size_t index);
size_t lb_catalogue_num_questions(const struct lb_catalogue *catalogue);
const struct lb_question *lb_catalogue_question(const struct lb_catalogue *catalogue,
                                                size_t index);
/* Index by id; SIZE_MAX when there is none. */
size_t lb_catalogue_policy_index(const struct lb_catalogue *catalogue, struct lb_span id);
size_t lb_catalogue_question_index(const struct lb_catalogue *catalogue, struct lb_span id);
/* lb_question_type_name returns "bool", "int", "money", "date" or "choice". */
const char *lb_question_type_name(enum lb_question_type type);
/* lb_policy_in_force says whether the policy's document applies on the day. */
bool lb_policy_in_force(const struct lb_policy *policy, const struct lb_date *day);

/* lb_threshold_format writes a threshold's value as its texts have it: cents as yuan ("1450",
 * "1450.50"), basis points as percent without its sign, dates as YYYY-MM-DD. NULL past the arena's
 * cap. */
const char *lb_threshold_format(const struct lb_threshold *threshold, struct lb_arena *arena);

/* --- answers --- */

/* What a citizen has entered; wiped when it is freed. */
struct lb_answers;

/* lb_answers_new begins without any answer; `day` is the calculation's day. The catalogue outlives
 * it. MALFORMED: no such day. NO_MEMORY. */
LB_MUST lb_status lb_answers_new(const struct lb_catalogue *catalogue, const struct lb_date *day,
                                 struct lb_answers **out_answers);
void lb_answers_free(struct lb_answers *answers);
void lb_answers_freep(struct lb_answers **answers);  /* for LB_DEFER */

/*
 * lb_answers_put takes one answer as people write it: yes or no (true, false), whole numbers,
 * money in yuan with at most two decimals, dates as YYYY-MM-DD, choices by their id, and `unknown`
 * for what the citizen can't say, which stays open. ANSWER_INVALID with a sentence in diag that
 * names the question and what it takes, and never repeats what was entered: no such question, one
 * that was answered already, an answer of another form or outside its bounds.
 */
LB_MUST lb_status lb_answers_put(struct lb_answers *answers, struct lb_span question,
                                 struct lb_span text, struct lb_diag *diag);
/* lb_answers_has says whether the question was answered, `unknown` included. */
bool lb_answers_has(const struct lb_answers *answers, size_t question);

/* --- the calculation --- */

enum lb_policy_status { LB_POLICY_UNMATCHED, LB_POLICY_MATCHED, LB_POLICY_NEED_MORE };

/* lb_policy_status_name returns "unmatched", "matched" or "need_more". */
const char *lb_policy_status_name(enum lb_policy_status status);

struct lb_policy_result {
    const struct lb_policy *policy;
    enum lb_policy_status status;
    const enum lb_truth *conditions;  /* one per condition of the policy */
    /* need_more: the questions that can still change the answer, the most deciding first. */
    size_t num_missing;
    const size_t *missing;
    /* unmatched: the conditions that fail and whose change could make it match. */
    size_t num_changes;
    const size_t *changes;
};

struct lb_calculation {
    size_t num_results;  /* of the policies in force on the day, in the catalogue's order */
    const struct lb_policy_result *results;
    size_t num_missing;  /* over all of them */
    const size_t *missing;
};

/* lb_catalogue_calculate judges the policy `only` (an index), or with SIZE_MAX every one, as far as
 * in force. Deterministic; nothing is kept beyond the arena. One thread per catalogue at a time.
 * STORE_FAILED from the evaluator, NO_MEMORY. */
LB_MUST lb_status lb_catalogue_calculate(struct lb_catalogue *catalogue, size_t only,
                                         const struct lb_answers *answers, struct lb_arena *arena,
                                         struct lb_calculation *out);

/* --- the check --- */

struct lb_catalogue_finding {
    const char *where;      /* a policy, question or threshold */
    const char *condition;  /* of a policy; NULL when it is about the whole */
    struct lb_form_text text;
};

/*
 * lb_catalogue_check looks for what loading can't see: a threshold or a question that nothing uses;
 * a policy that no answers match, or none fail; a condition that never decides by itself, so that
 * it is not reachable or says nothing. Answers are tried around every threshold, on the given day.
 * Findings are in the arena, none for a sound catalogue. Statuses as lb_catalogue_calculate.
 */
LB_MUST lb_status lb_catalogue_check(struct lb_catalogue *catalogue, const struct lb_date *day,
                                     struct lb_arena *arena,
                                     const struct lb_catalogue_finding **out_findings,
                                     size_t *out_num);

#endif
