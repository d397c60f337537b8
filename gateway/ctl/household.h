#ifndef GATEWAY_CTL_HOUSEHOLD_H
#define GATEWAY_CTL_HOUSEHOLD_H

#include "gateway/base/limits.h"
#include "gateway/ctl/env.h"
#include "lianban/v1/consent.pb-c.h"

/*
 * A household as the window wrote it down (YAML, a file or standard input):
 *   members:                       # the applicant first, at most 12
 *     - {role: applicant, id_no: "99...", name: 张三}
 *     - {role: member, id_no: "99...", name: 李四, relation: spouse}
 *     - role: member
 *       id_no: "99..."
 *       name: 王五
 *       agrees:                    # only when neither they themselves nor, for a child, the
 *         as: agent                # applicant agrees: guardian, agent or relative (of the dead)
 *         id_no: "99..."
 *         name: 赵六
 *         relation: village-helper
 *         paper_sha256: 0a1b...    # an agent's: the authorisation, its last day, and what for
 *         until: 2026-12-31
 *         departments: [health]
 *         interest: inheritance    # a relative's: inheritance, burial, benefit, account, other
 * An operator's badge and unit are no part of it.
 */
struct lb_ctl_person {
    const char *role;
    const char *id_no;     /* 18 characters, checked */
    const char *name;
    const char *relation;  /* "" when not given */
    Lianban__V1__Representative *agrees;  /* NULL when not given */
};

struct lb_ctl_household {
    size_t num;
    struct lb_ctl_person people[LB_MAX_HOUSEHOLD];
};

/* lb_ctl_household_load reads it; texts are in the arena, which wipes them. CONFIG_INVALID with
 * line and advice in diag: unknown keys, a number of members out of 1 to 12, an identity number
 * with a wrong length or check character, the same person twice, a text that is empty or longer
 * than LB_MAX_VALUE_BYTES; which roles there are is the form's business. FILE_FAILED, TOO_LARGE,
 * NO_MEMORY. No message repeats a name or number. */
LB_MUST lb_status lb_ctl_household_load(const struct lb_ctl_env *env, const char *path,
                                        struct lb_arena *arena, struct lb_diag *diag,
                                        struct lb_ctl_household *out);

#endif
