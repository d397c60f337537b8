#ifndef POLICY_ENGINE_VIEW_PRIVATE_H
#define POLICY_ENGINE_VIEW_PRIVATE_H

#include "gateway/base/buf.h"
#include "gateway/config/yaml.h"
#include "policy/engine/view.h"
#include "policy/engine/words.h"

#define LB_VIEW_MAX_RULES 64         /* of one field */
#define LB_VIEW_MAX_LIST 64          /* operators, requesters, issuers or laws of one rule */
#define LB_VIEW_MAX_CODES 200        /* of one field */
#define LB_VIEW_MAX_QUERY_BYTES 16384

/* What every step of loading needs. */
struct lb_view_loader {
    const struct lb_rules *rules;
    struct lb_arena *arena;
    struct lb_diag *diag;
};

/* lb_view_copy copies a text out of the file, which is freed when loading ends. NO_MEMORY. */
LB_MUST lb_status lb_view_copy(const struct lb_view_loader *loader, const char *text,
                               const char **out);

/* lb_view_load_rules reads a field's `rules`; the field's type and month and whether the view has
 * several rows say which operators fit. CONFIG_INVALID with line and advice, NO_MEMORY. */
LB_MUST lb_status lb_view_load_rules(const struct lb_view_loader *loader,
                                     const struct lb_yaml_node *list, bool many,
                                     struct lb_view_field *field);

/* lb_view_load_source reads where the rows come from: *out_source; of the officer's station nothing
 * may stand in the file that belongs to a database. CONFIG_INVALID with line and advice. */
LB_MUST lb_status lb_view_load_source(const struct lb_view_loader *loader,
                                      const struct lb_yaml_node *root,
                                      enum lb_view_source *out_source);
/* lb_view_check_source checks that LIST, its purposes and the officer's views go together, and a
 * drill's name, source and purpose.
 * CONFIG_INVALID with the view's line. */
LB_MUST lb_status lb_view_check_source(const struct lb_view_loader *loader,
                                       const struct lb_yaml_node *root,
                                       const struct lb_view *view);

/* lb_view_load_codes reads a field's optional `codes`, `empty` and `null_is_empty`; its type is
 * known.
 * lb_view_load_pauses reads the view's optional `maintenance`. CONFIG_INVALID with line and advice,
 * NO_MEMORY. */
LB_MUST lb_status lb_view_load_codes(const struct lb_view_loader *loader,
                                     const struct lb_yaml_node *node, struct lb_view_field *field);
LB_MUST lb_status lb_view_load_pauses(const struct lb_view_loader *loader,
                                      const struct lb_yaml_node *root, struct lb_view *view);
/* lb_view_put_pauses writes them for people, each with a blank before. */
void lb_view_put_pauses(const struct lb_view *view, struct lb_buf *line);

/* lb_view_sort_fields makes the view's fields findable by name, once they are all there.
 * NO_MEMORY. */
LB_MUST lb_status lb_view_sort_fields(const struct lb_view_loader *loader, struct lb_view *view);

/* lb_view_load_limits reads the view's optional `budgets` and `probing`. CONFIG_INVALID with line
 * and advice. */
LB_MUST lb_status lb_view_load_limits(const struct lb_yaml_node *root, struct lb_diag *diag,
                                      struct lb_view *view);

#endif
