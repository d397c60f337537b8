#ifndef GATEWAY_CONFIG_YAML_NODE_H
#define GATEWAY_CONFIG_YAML_NODE_H

#include "gateway/config/yaml.h"

/* What the files of this folder share. Nobody else includes it. */

struct lb_yaml_node {
    const struct lb_yaml *file;
    enum lb_yaml_kind kind;
    int line;
    const char *key;    /* of a map's member; NULL otherwise */
    int key_line;
    const char *text;   /* of a scalar */
    bool plain;         /* a scalar without quotes and not a block */
    size_t num;         /* items or members */
    const struct lb_yaml_node *const *items;
    const struct lb_yaml_node *next;  /* the later sibling, while the list is being read */
};

struct lb_yaml {
    struct lb_arena *arena;
    const char *name;
    struct lb_span bytes;
    const struct lb_yaml_node *root;
};

/* lb_yaml_fail_at records "file:line: message" and returns CONFIG_INVALID. */
LB_MUST lb_status lb_yaml_fail_at(const struct lb_yaml *file, int line, struct lb_diag *diag,
                                  const char *format, ...) __attribute__((format(printf, 4, 5)));

/* lb_yaml_label is what messages call a node: its key, if it has one. */
const char *lb_yaml_label(const struct lb_yaml_node *node);
/* lb_yaml_shown_key is a key as messages may show it: one that is no plain word or has many digits
 * is a value in the wrong place (a forgotten blank behind a colon), perhaps somebody's number. */
const char *lb_yaml_shown_key(const char *key);

/* lb_yaml_need_map refuses a node that is no map with CONFIG_INVALID. */
LB_MUST lb_status lb_yaml_need_map(const struct lb_yaml_node *node, struct lb_diag *diag);

/* lb_yaml_build parses file->bytes and sets file->root. CONFIG_INVALID, NO_MEMORY; sets diag. */
LB_MUST lb_status lb_yaml_build(struct lb_yaml *file, struct lb_diag *diag);

#endif
