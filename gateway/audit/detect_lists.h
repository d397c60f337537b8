#ifndef GATEWAY_AUDIT_DETECT_LISTS_H
#define GATEWAY_AUDIT_DETECT_LISTS_H

#include "gateway/audit/detect_rules.h"

/*
 * What the officer knows about persons, by their pseudonyms at this node: who is protected, which
 * records are honey, and who is declared as whose own. One YAML file of mode 0600 that stays with
 * the officer:
 *
 *   protected: [<64 hex digits>]
 *   honey: [<64 hex digits>]
 *   kin:
 *     - {actor: <32 hex digits>, subject: <64 hex digits>, relation: self | relative | colleague}
 *
 * `actor` is the `sub` of the operator's token. Both are keyed hashes under different members'
 * keys, so nobody can join them but who knows the persons: the declarations come from the
 * operator's organization, and the node makes the subject's pseudonym.
 */
struct lb_detect_lists;

#define LB_DETECT_MAX_LISTED 4096    /* of each list */

/* lb_detect_lists_load reads them. CONFIG_INVALID, FILE_FAILED (also when others may read the
 * file), TOO_LARGE, NO_MEMORY, with a sentence in diag. */
LB_MUST lb_status lb_detect_lists_load(const char *path, struct lb_diag *diag,
                                       struct lb_detect_lists **out_lists);
/* lb_detect_lists_free wipes and releases; NULL is allowed. */
void lb_detect_lists_free(struct lb_detect_lists *lists);
void lb_detect_lists_freep(struct lb_detect_lists **lists);  /* for LB_DEFER */

/* lb_detect_lists_has says whether a subject is on a list; NULL lists are empty. */
bool lb_detect_lists_has(const struct lb_detect_lists *lists, enum lb_detect_list list,
                         const uint8_t subject[32]);
/* lb_detect_lists_relations gives what a subject is to an operator, as bits of
 * lb_detect_relation. */
unsigned lb_detect_lists_relations(const struct lb_detect_lists *lists, const char *actor,
                                   const uint8_t subject[32]);

#endif
