#ifndef POLICY_ENGINE_RULES_PRIVATE_H
#define POLICY_ENGINE_RULES_PRIVATE_H

#include "gateway/base/arena.h"
#include "gateway/config/yaml.h"
#include "policy/engine/rules.h"

#define LB_RULES_MAX_ENTRIES 1024     /* of one kind in one file */
#define LB_RULES_MAX_CODES 16384      /* in one set or table */
#define LB_RULES_MAX_EDGES 256
/* Thresholds and edges stay well inside 64 bits, so that a form may multiply them. */
#define LB_RULES_MAX_VALUE 1000000000000000

/* A code of a set (to NULL) or of a table. */
struct lb_rules_code {
    const char *code;
    const char *to;
    const struct lb_yaml_node *node;
};

/* A set or a table: its codes sorted by bytes. */
struct lb_rules_codes {
    const char *name;
    size_t num_codes;
    struct lb_rules_code *codes;
};

struct lb_rules_edges {
    const char *name;
    size_t num_edges;
    int64_t *edges;
};

/* All text is borrowed from the file, which lives as long as the rule set. */
struct lb_rules {
    struct lb_yaml *yaml;
    struct lb_arena *arena;
    const char *id;
    uint32_t version;
    uint8_t sha256[32];
    size_t num_thresholds;
    struct lb_threshold *thresholds;
    size_t num_sets;
    struct lb_rules_codes *sets;
    size_t num_tables;
    struct lb_rules_codes *tables;
    size_t num_edges;
    struct lb_rules_edges *edges;
};

#endif
