#ifndef POLICY_ENGINE_CATALOGUE_INTERNAL_H
#define POLICY_ENGINE_CATALOGUE_INTERNAL_H

#include "policy/engine/catalogue.h"
#include "policy/engine/form_internal.h"

/*
 * What the sources of a catalogue share. A load goes through the index (catalogue_load.c), the
 * questions (catalogue_questions.c) and each policy: its readable part (catalogue_policy.c), its
 * tests and `when` (catalogue_compile.c). A `when` is also kept as a table of its truth for every
 * combination of conditions (catalogue_table.c), from which follows what can still change a result.
 */

/* What a name in a test stands for. */
enum catalogue_role {
    NAME_ANSWER,     /* a question's answer as it is */
    NAME_YEARS,      /* of a date: full years up to the day */
    NAME_DATE,       /* of a date: year, month and day as one number, YYYYMMDD */
    NAME_THRESHOLD,
};

struct catalogue_name {
    const char *name;
    enum catalogue_role role;
    size_t index;  /* of the question or the threshold */
    enum lb_expr_kind kind;
};

struct catalogue_test {
    size_t num_names;
    struct catalogue_name *names;
    struct lb_expr *expr;  /* NULL until compiled */
};

struct catalogue_policy {
    struct lb_policy policy;
    struct catalogue_test *tests;  /* one per condition */
    struct lb_expr *when;
    uint8_t *table;                /* a bit per combination; bit i of a combination: condition i */
};

struct lb_catalogue {
    struct lb_arena *arena;
    struct lb_yaml *index;
    struct lb_yaml *questions_file;
    struct lb_yaml **policy_files;
    struct lb_rules *rules;
    struct lb_expr_env *env;
    const char *id;
    uint32_t version;
    struct lb_form_text title;
    uint8_t sha256[32];
    size_t num_questions;
    struct lb_question *questions;
    size_t num_names;  /* that questions give to tests, and thresholds */
    struct catalogue_name *names;
    int64_t *thresholds;  /* values, in the rule set's order */
    size_t num_policies;
    struct catalogue_policy *policies;
};

/* Where a catalogue's files come from: `read` gives the one of that name. Statuses of
 * lb_yaml_load_file. */
struct catalogue_source {
    void *ctx;
    lb_status (*read)(void *ctx, const char *name, struct lb_diag *diag, struct lb_yaml **out);
    lb_status (*read_rules)(void *ctx, const char *name, struct lb_diag *diag,
                            struct lb_rules **out);
};

struct catalogue_loader {
    struct lb_catalogue *catalogue;
    struct form_loader reader;  /* arena, diag and the names taken so far */
};

/* lb_catalogue_read builds a catalogue from its index and a source; the index is taken over, also
 * on failure. */
LB_MUST lb_status lb_catalogue_read(struct lb_yaml *index, const struct catalogue_source *source,
                                    struct lb_diag *diag, struct lb_catalogue **out_catalogue);

/* The steps; CONFIG_INVALID with file, line and advice in diag, or NO_MEMORY: */
LB_MUST lb_status lb_catalogue_read_questions(struct catalogue_loader *loader,
                                              const struct lb_yaml_node *root);
LB_MUST lb_status lb_catalogue_read_policy(struct catalogue_loader *loader,
                                           const struct lb_yaml_node *root,
                                           struct catalogue_policy *policy);
/* lb_catalogue_find_names finds what a test's words stand for, and writes its questions and
 * thresholds to the condition. */
LB_MUST lb_status lb_catalogue_find_names(struct catalogue_loader *loader,
                                          const struct lb_yaml_node *map,
                                          struct lb_policy_condition *condition,
                                          struct catalogue_test *test);
/* lb_catalogue_compile compiles tests and `when`, and fills the table. */
LB_MUST lb_status lb_catalogue_compile(struct catalogue_loader *loader,
                                       const struct lb_yaml_node *root,
                                       struct catalogue_policy *policy);
/* lb_catalogue_compile_test compiles one test; `node` is where it stands. */
LB_MUST lb_status lb_catalogue_compile_test(struct lb_catalogue *catalogue, const char *text,
                                            struct catalogue_test *test, struct lb_diag *diag);
/* lb_catalogue_fill writes thresholds' values for {name} in a text. */
LB_MUST lb_status lb_catalogue_fill(struct catalogue_loader *loader,
                                    const struct lb_yaml_node *map, const char *key,
                                    const struct lb_policy_condition *condition,
                                    struct lb_form_text *text);
/* lb_catalogue_threshold_name says whether `name` is how tests write the threshold. */
bool lb_catalogue_threshold_name(const struct lb_threshold *threshold, struct lb_span name);

/* --- answers --- */

struct catalogue_answer {
    bool told;
    bool known;
    int64_t number;  /* bool 0 or 1; cents; a date as YYYYMMDD; a choice's index */
};

struct lb_answers {
    const struct lb_catalogue *catalogue;
    struct lb_date day;
    struct catalogue_answer answers[LB_CATALOGUE_MAX_QUESTIONS];
};

/* lb_catalogue_date_number writes a date as YYYYMMDD; lb_catalogue_date_of reads it. */
int64_t lb_catalogue_date_number(const struct lb_date *date);
struct lb_date lb_catalogue_date_of(int64_t number);

/* lb_catalogue_judge evaluates a policy's conditions. STORE_FAILED, NO_MEMORY. */
LB_MUST lb_status lb_catalogue_judge(const struct catalogue_policy *policy,
                                     const struct lb_answers *answers, enum lb_truth *out_truths);

/* --- the table --- */

/* lb_catalogue_fill_table evaluates `when` for every combination. STORE_FAILED, NO_MEMORY. */
LB_MUST lb_status lb_catalogue_fill_table(struct catalogue_policy *policy, struct lb_arena *arena);

/* lb_catalogue_holds looks up `when` for a combination of conditions. */
bool lb_catalogue_holds(const struct catalogue_policy *policy, unsigned combination);
/* lb_catalogue_influence counts, for each of the `open` conditions, in how many combinations of the
 * other open ones it decides, where `holding` ones (none of them open) hold and all others don't;
 * scaled so that deciding in all of them is 1 << LB_CATALOGUE_MAX_CONDITIONS. 0 for conditions
 * that are not open. */
void lb_catalogue_influence(const struct catalogue_policy *policy, unsigned holding, unsigned open,
                            unsigned out_influence[LB_CATALOGUE_MAX_CONDITIONS]);

#endif
