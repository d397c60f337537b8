#ifndef POLICY_ENGINE_RULES_H
#define POLICY_ENGINE_RULES_H

#include "gateway/base/arena.h"
#include "gateway/base/diag.h"

/*
 * A rule set: named thresholds, code sets, code tables and bucket edges with their legal source,
 * versioned and dated. A provider approves one by keeping the file among its own policies; askers
 * can only name entries, never bring numbers (promise 10).
 *
 * File (YAML):
 *   rules: beijing-reference
 *   version: 1
 *   in_force: 2026-07-01
 *   title: {zh: ..., en: ...}
 *   thresholds:
 *     std.dibao: {value: 145000, unit: cents, source: "..."} # unit: cents|count|years|bp|m2|
 *                                                            # months|date (YYYYMMDD)
 *                                                            # verified: false where the figure
 *                                                            # is in no text that was read: it is
 *                                                            # told with it
 *   sets:
 *     disability.severe: {codes: ["11", "12"], source: "..."}
 *   tables:
 *     student.level: {map: {"21": compulsory}, source: "..."}
 *   edges:
 *     capital.bands: {edges: [0, 10000000], source: "..."}        # strictly rising
 */
struct lb_rules;

/* lb_rules_load reads and checks a file; CONFIG_INVALID with file, line and advice in diag: unknown
 * keys, an entry without its source, thresholds that a form could not tell apart ("a.b", "a_b"), a
 * code twice in one set. FILE_FAILED, TOO_LARGE, NO_MEMORY. */
LB_MUST lb_status lb_rules_load(const char *path, struct lb_diag *diag,
                                struct lb_rules **out_rules);
/* lb_rules_load_text is lb_rules_load from bytes already read; `name` stands for the file. */
LB_MUST lb_status lb_rules_load_text(struct lb_span text, const char *name, struct lb_diag *diag,
                                     struct lb_rules **out_rules);
void lb_rules_free(struct lb_rules *rules);
const char *lb_rules_id(const struct lb_rules *rules);
uint32_t lb_rules_version(const struct lb_rules *rules);
/* lb_rules_sha256 is the hash of the file's bytes, as the directory lists it. */
const uint8_t *lb_rules_sha256(const struct lb_rules *rules);

struct lb_threshold {
    const char *name;
    int64_t value;
    const char *unit;
    const char *source;
    bool verified;  /* false: the figure stands in no text that was read */
};

/* lb_rules_num_thresholds and lb_rules_threshold_at list the thresholds in the order of the file;
 * NULL past the last. What is returned is borrowed from the rules. */
size_t lb_rules_num_thresholds(const struct lb_rules *rules);
const struct lb_threshold *lb_rules_threshold_at(const struct lb_rules *rules, size_t index);
/* Lookups by name; NULL or false when there is no such entry. */
const struct lb_threshold *lb_rules_threshold(const struct lb_rules *rules, const char *name);
bool lb_rules_has_set(const struct lb_rules *rules, const char *name);
bool lb_rules_in_set(const struct lb_rules *rules, const char *name, struct lb_span code);
bool lb_rules_has_table(const struct lb_rules *rules, const char *name);
/* lb_rules_map returns the mapped code, NULL when the code is not in the table. */
const char *lb_rules_map(const struct lb_rules *rules, const char *name, struct lb_span code);
/* lb_rules_edges returns rising edges, NULL when there is no such entry. */
const int64_t *lb_rules_edges(const struct lb_rules *rules, const char *name, size_t *out_num);

#endif
