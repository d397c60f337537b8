#ifndef POLICY_ENGINE_FORM_INTERNAL_H
#define POLICY_ENGINE_FORM_INTERNAL_H

#include "gateway/config/yaml.h"
#include "gateway/store/expr.h"
#include "policy/engine/form.h"
#include "policy/engine/words.h"

/*
 * What the sources of a form share: the compiled form, and the loader that builds it. A file is
 * read in three steps: its readable part (form_load.c, form_facts.c, form_shares.c, form_parts.c),
 * the texts of its rules (form_rules.c, form_amounts.c) and their expressions (form_compile.c).
 * form_judge.c judges by the result.
 *
 * One list of names serves every household-level expression, in this order, so that each scope is a
 * run of it:
 *
 *   facts | thresholds | slots | household values | n
 *
 *   household `each`, value k   facts, thresholds, slots and the k values before it
 *   conditions, amounts         thresholds, slots, all values and n
 *   classes                     the conditions, a list of their own
 */
#define LB_FORM_MAX_ROLES 8
#define LB_FORM_MAX_SECTIONS 32
#define LB_FORM_MAX_FACTS 128
#define LB_FORM_MAX_SHARES 8
#define LB_FORM_MAX_VALUES 64
#define LB_FORM_MAX_CONDITIONS 64
#define LB_FORM_MAX_CLASSES 32
#define LB_FORM_MAX_PARTS 32
#define LB_FORM_MAX_AMOUNTS 16
#define LB_FORM_MAX_ASKS 16
#define LB_FORM_MAX_LAWS 16
#define LB_FORM_MAX_TEXT_BYTES 2048

enum form_fold { FOLD_SUM, FOLD_ANY, FOLD_ALL, FOLD_COUNT, FOLD_APPLICANT };

/* One household value. */
struct form_value {
    const char *name;
    enum form_fold fold;
    enum lb_expr_kind each_kind;      /* of the member's result */
    enum lb_expr_kind kind;           /* of the folded one */
    const struct lb_yaml_node *each;  /* where the expression stands */
    struct lb_expr *expr;             /* NULL until compiled */
};

/* One condition's `test`, one class's `when` or one amount's `value`. */
struct form_test {
    const struct lb_yaml_node *node;
    struct lb_expr *expr;
};

struct lb_form_compiled {
    struct lb_arena *arena;
    struct lb_yaml *yaml;  /* holds the form's content and strings */
    struct lb_form form;
    size_t num_values;
    struct form_value *values;
    struct form_test *tests;  /* one per condition */
    struct form_test *whens;  /* one per class */
    struct form_test *sums;   /* one per amount */

    /* the rest is there only with a rule set */
    struct lb_expr_env *env;
    size_t num_thresholds;
    size_t num_names;
    const char **names;
    enum lb_expr_kind *kinds;
    int64_t *thresholds;
};

/* A name the file has used, and where. */
struct form_taken {
    const char *name;
    const struct lb_yaml_node *node;
};

struct form_loader {
    struct lb_form_compiled *form;
    struct lb_arena *arena;
    const struct lb_rules *rules;  /* NULL: only the readable part */
    struct lb_diag *diag;
    size_t num_taken;  /* facts, slots, household values, conditions, amounts, asks, in
                              * this order */
    struct form_taken *taken;
};

/* A list of names that `find` knows. */
struct form_named_set {
    const char *key;
    const char *kind;
    size_t (*find)(const struct lb_form *form, const char *name);
};

/* Every reader returns CONFIG_INVALID with file, line and advice in diag, or NO_MEMORY. Those of
 * form_read.c: */

/* lb_form_read_class reads the required member `class`: upper-case letters, digits and `_`. */
LB_MUST lb_status lb_form_read_class(struct form_loader *loader, const struct lb_yaml_node *map,
                                     const char **out_id);
/* lb_form_take_name reads a required name for expressions: lower-case letters, digits and `_`, no
 * word of SQL, and none that the file has used before. */
LB_MUST lb_status lb_form_take_name(struct form_loader *loader, const struct lb_yaml_node *map,
                                    const char *key, const char **out_name);
/* lb_form_take_key is the same for a name that stands elsewhere, such as a map's key. */
LB_MUST lb_status lb_form_take_key(struct form_loader *loader, const char *name,
                                   const struct lb_yaml_node *node);
/* lb_form_read_text reads {zh, en}: both there, one line, nothing that steers a terminal. */
LB_MUST lb_status lb_form_read_text(struct form_loader *loader, const struct lb_yaml_node *map,
                                    const char *key, struct lb_form_text *out_text);
/* lb_form_read_line reads one such line. */
LB_MUST lb_status lb_form_read_line(struct form_loader *loader, const struct lb_yaml_node *map,
                                    const char *key, const char **out_line);
/* lb_form_read_laws reads the list `law`, of at least min entries; absent counts as empty. */
LB_MUST lb_status lb_form_read_laws(struct form_loader *loader, const struct lb_yaml_node *map,
                                    size_t min, size_t *out_num, const char *const **out_laws);
/* lb_form_need_list finds a required list of 1 to max items. */
LB_MUST lb_status lb_form_need_list(struct form_loader *loader, const struct lb_yaml_node *map,
                                    const char *key, size_t max,
                                    const struct lb_yaml_node **out_list);

/* The steps: */

/* lb_form_read_facts reads `facts`; roles and sections are there already. */
LB_MUST lb_status lb_form_read_facts(struct form_loader *loader, const struct lb_yaml_node *root);
/* lb_form_read_shares reads `shares`, which may be absent, after the facts. */
LB_MUST lb_status lb_form_read_shares(struct form_loader *loader, const struct lb_yaml_node *root);
/* lb_form_first_slot and lb_form_first_value are the places of the first slot and the first
 * household value in the list of names. */
size_t lb_form_first_slot(const struct lb_form_compiled *form);
size_t lb_form_first_value(const struct lb_form_compiled *form);
/* lb_form_fact_kind tells what a fact is to an expression, by its operator. */
enum lb_expr_kind lb_form_fact_kind(const struct lb_form_fact *fact);
/* lb_form_read_amounts reads `amounts`, which may be absent, after the classes. */
LB_MUST lb_status lb_form_read_amounts(struct form_loader *loader, const struct lb_yaml_node *root);
/* lb_form_read_rules reads `household`, `conditions`, `classes` and `otherwise`. */
LB_MUST lb_status lb_form_read_rules(struct form_loader *loader, const struct lb_yaml_node *root);
/* lb_form_read_parts reads `parts`, which may be absent, after the classes. */
LB_MUST lb_status lb_form_read_parts(struct form_loader *loader, const struct lb_yaml_node *root);
/* lb_form_read_asks reads `asks`, which may be absent, after the parts. */
LB_MUST lb_status lb_form_read_asks(struct form_loader *loader, const struct lb_yaml_node *root);
/* lb_form_read_set reads a list without repetitions of names that `find` knows, as a set of bits;
 * `kind` is what they are called. */
LB_MUST lb_status lb_form_read_set(struct form_loader *loader, const struct lb_yaml_node *map,
                                   const struct form_named_set *set, uint64_t *out_bits);
/* lb_form_read_decision reads `decision`, which may be absent, after the form's laws. */
LB_MUST lb_status lb_form_read_decision(struct form_loader *loader,
                                        const struct lb_yaml_node *root);
/* lb_form_read_trigger reads `trigger`, which may be absent, after everything that a trigger may
 * not have. */
LB_MUST lb_status lb_form_read_trigger(struct form_loader *loader,
                                       const struct lb_yaml_node *root);
/* lb_form_judge_amounts evaluates the amounts of the class at `class_index` (num_classes is the
 * last); `household` holds the values from the thresholds on. */
LB_MUST lb_status lb_form_judge_amounts(const struct lb_form_compiled *form, size_t class_index,
                                        const struct lb_expr_value *household,
                                        struct lb_arena *arena, struct lb_form_sum **out_sums);
/* lb_form_compile compiles every expression against the rule set and refuses what nobody uses; also
 * STORE_FAILED from the evaluator. */
LB_MUST lb_status lb_form_compile(struct form_loader *loader, const struct lb_yaml_node *root);

#endif
