#ifndef POLICY_ENGINE_WORDS_H
#define POLICY_ENGINE_WORDS_H

#include "gateway/base/diag.h"
#include "gateway/base/span.h"
#include "gateway/base/status.h"
#include "gateway/config/yaml.h"

/* The shapes that names may have in rule sets, views and operator calls. One shape per name keeps
 * the text form of a call unique, so equal calls are equal bytes. */
enum lb_word_shape {
    LB_WORD_NAME,  /* threshold, set, table, edges, field: [a-z][a-z0-9._-]* */
    LB_WORD_ORG,   /* organization, purpose, rule set: [a-z][a-z0-9-]* */
    LB_WORD_VIEW,  /* <department>.<name>, each as LB_WORD_ORG */
    LB_WORD_LAW,   /* short legal cite: [A-Za-z0-9._-]+ */
    LB_WORD_TEXT,  /* any text for people, at most LB_MAX_VALUE_BYTES, not empty, no control byte */
};

/* lb_word_is says whether text has the shape; all but LB_WORD_TEXT take at most
 * LB_MAX_NAME_BYTES. */
bool lb_word_is(struct lb_span text, enum lb_word_shape shape);

/* lb_word_count reads a decimal number from 0 to max in its only spelling (no sign, no leading
 * zero); false otherwise. */
bool lb_word_count(struct lb_span text, int64_t max, int64_t *out_value);

/* lb_word_of reads a scalar of the shape; CONFIG_INVALID with line and the expected shape in
 * diag. */
LB_MUST lb_status lb_word_of(const struct lb_yaml_node *node, enum lb_word_shape shape,
                             struct lb_diag *diag, const char **out_text);

/* lb_word_need is lb_word_of for a required member of a map. */
LB_MUST lb_status lb_word_need(const struct lb_yaml_node *map, const char *key,
                               enum lb_word_shape shape, struct lb_diag *diag,
                               const char **out_text);

/* lb_word_title reads the member `title: {zh: ..., en: ...}`, both required. */
LB_MUST lb_status lb_word_title(const struct lb_yaml_node *map, struct lb_diag *diag,
                                const char **out_zh, const char **out_en);

/* lb_word_list checks that a node is a list of at least one and at most max items. */
LB_MUST lb_status lb_word_list(const struct lb_yaml_node *node, size_t max, struct lb_diag *diag);

/* lb_word_map checks that a node is a map of at least one and at most max members whose keys have
 * the shape. */
LB_MUST lb_status lb_word_map(const struct lb_yaml_node *node, enum lb_word_shape shape, size_t max,
                              struct lb_diag *diag);

#endif
