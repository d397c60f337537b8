#ifndef GATEWAY_CONFIG_YAML_H
#define GATEWAY_CONFIG_YAML_H

#include "gateway/base/arena.h"
#include "gateway/base/diag.h"

/*
 * YAML by libyaml, the only place that sees it. A file is one document of maps, lists and scalars;
 * anchors, aliases, tags, directives, merge keys, duplicate keys and more than 16 levels are
 * refused. Every mistake is told in diag as "file:line: what; what to do" (lines count from 1), and
 * the status is CONFIG_INVALID. Messages name keys, never values.
 */
struct lb_yaml;       /* a loaded file */
struct lb_yaml_node;  /* borrowed from its file */

#define LB_MAX_YAML_LEVELS 16          /* maps and lists inside each other */
#define LB_MAX_YAML_NODES (64 * 1024)  /* scalars, lists and maps of one file */
#define LB_MAX_YAML_MEMBERS 4096       /* members of one map */

/* lb_yaml_load_file reads and parses a file. FILE_FAILED if it cannot be read, TOO_LARGE past
 * LB_MAX_CONFIG_FILE_BYTES, CONFIG_INVALID for its content, NO_MEMORY; diag is set for all of
 * them. */
LB_MUST lb_status lb_yaml_load_file(const char *path, struct lb_diag *diag, struct lb_yaml **out);
/* lb_yaml_load_text parses bytes, which are copied; `name` stands for the file in messages.
 * Statuses as lb_yaml_load_file. */
LB_MUST lb_status lb_yaml_load_text(struct lb_span text, const char *name, struct lb_diag *diag,
                                    struct lb_yaml **out);
/* lb_yaml_free releases the file with all its nodes; NULL is allowed. */
void lb_yaml_free(struct lb_yaml *yaml);
void lb_yaml_freep(struct lb_yaml **yaml);  /* for LB_DEFER */
/* lb_yaml_root borrows the document's one value. */
const struct lb_yaml_node *lb_yaml_root(const struct lb_yaml *yaml);
/* lb_yaml_bytes borrows the file's content as read (for its hash). */
struct lb_span lb_yaml_bytes(const struct lb_yaml *yaml);

enum lb_yaml_kind { LB_YAML_SCALAR, LB_YAML_LIST, LB_YAML_MAP };
/* lb_yaml_kind_of says what a node is. */
enum lb_yaml_kind lb_yaml_kind_of(const struct lb_yaml_node *node);
/* lb_yaml_line is the line a node starts on, from 1. */
int lb_yaml_line(const struct lb_yaml_node *node);

/* lb_yaml_fail records "file:line: message" for a node and returns CONFIG_INVALID. */
LB_MUST lb_status lb_yaml_fail(const struct lb_yaml_node *node, struct lb_diag *diag,
                               const char *format, ...) __attribute__((format(printf, 3, 4)));

/* lb_yaml_only refuses a map with a key outside the NULL-terminated list (and a node that is no
 * map) with CONFIG_INVALID; the message names the unknown key and the known ones. */
LB_MUST lb_status lb_yaml_only(const struct lb_yaml_node *map, const char *const *keys,
                               struct lb_diag *diag);

/* lb_yaml_get finds a member; NULL when absent or when `map` is no map. */
const struct lb_yaml_node *lb_yaml_get(const struct lb_yaml_node *map, const char *key);
/* lb_yaml_need is lb_yaml_get that refuses absence with CONFIG_INVALID. */
LB_MUST lb_status lb_yaml_need(const struct lb_yaml_node *map, const char *key,
                               struct lb_diag *diag, const struct lb_yaml_node **out);
/* Items of a list, or members of a map with their keys in the file's order; NULL past the end or
 * for another kind of node. lb_yaml_len is 0 for a scalar. */
size_t lb_yaml_len(const struct lb_yaml_node *node);
const struct lb_yaml_node *lb_yaml_item(const struct lb_yaml_node *list, size_t index);
const struct lb_yaml_node *lb_yaml_member(const struct lb_yaml_node *map, size_t index,
                                          const char **out_key);

/*
 * Scalars, typed; CONFIG_INVALID for any other node.
 *
 * Text is borrowed from the file, NUL-terminated, valid UTF-8 and without a NUL inside. The reader
 * decides what is text, so that codes such as 01 or NO need no quotes; only a value left out, or
 * an unquoted ~ or null, is no text ("" is). An integer is unquoted, plain decimal without leading
 * zeros or +, from min to max. A truth value is an unquoted true or false, nothing else.
 */
LB_MUST lb_status lb_yaml_text(const struct lb_yaml_node *node, struct lb_diag *diag,
                               const char **out);
LB_MUST lb_status lb_yaml_int(const struct lb_yaml_node *node, int64_t min, int64_t max,
                              struct lb_diag *diag, int64_t *out);
LB_MUST lb_status lb_yaml_bool(const struct lb_yaml_node *node, struct lb_diag *diag, bool *out);

/* The same for a required member of a map. */
LB_MUST lb_status lb_yaml_need_text(const struct lb_yaml_node *map, const char *key,
                                    struct lb_diag *diag, const char **out);
LB_MUST lb_status lb_yaml_need_int(const struct lb_yaml_node *map, const char *key, int64_t min,
                                   int64_t max, struct lb_diag *diag, int64_t *out);
/* lb_yaml_opt_text, _int and _bool give the default when the member is absent; `map` must be a
 * map. */
LB_MUST lb_status lb_yaml_opt_text(const struct lb_yaml_node *map, const char *key,
                                   const char *otherwise, struct lb_diag *diag, const char **out);
LB_MUST lb_status lb_yaml_opt_int(const struct lb_yaml_node *map, const char *key, int64_t min,
                                  int64_t max, int64_t otherwise, struct lb_diag *diag,
                                  int64_t *out);
LB_MUST lb_status lb_yaml_opt_bool(const struct lb_yaml_node *map, const char *key, bool otherwise,
                                   struct lb_diag *diag, bool *out);

#endif
