#include "adapters/serve/policy_shares.h"

#include <string.h>

#include "gateway/base/limits.h"
#include "gateway/note/note.h"

#define MAX_SLOTS 32
#define MAX_ROLES 8
#define MAX_MONTHS 120
#define MAX_RUNS 1000000
#define MAX_DAYS 3650
#define MIN_DAYS (LB_SHARE_RUN_LIFE_S / (24 * 3600))

struct reading {
    struct lb_serve_policy *policy;
    struct lb_diag *diag;
};

/* An adapter that takes part, with its identity key. */
struct party {
    const char *department;
    const char *spiffe;
    uint8_t log_key[32];
};

static lb_status need_text(const struct reading *reading, const struct lb_yaml_node *map,
                           const char *key, const char **out)
{
    const char *text = NULL;
    LB_TRY(lb_yaml_need_text(map, key, reading->diag, &text));
    *out = lb_arena_str(reading->policy->arena, lb_span_str(text));
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "policy is too large");
    return LB_OK;
}

static lb_status need_list(const struct reading *reading, const struct lb_yaml_node *map,
                           const char *key, size_t max, const struct lb_yaml_node **out)
{
    LB_TRY(lb_yaml_need(map, key, reading->diag, out));
    if (lb_yaml_kind_of(*out) != LB_YAML_LIST || lb_yaml_len(*out) < 1 || lb_yaml_len(*out) > max)
        return lb_yaml_fail(*out, reading->diag, "%s must be a list of 1 to %zu items", key, max);
    return LB_OK;
}

static lb_status read_party(const struct reading *reading, const struct lb_yaml_node *item,
                            struct party *out)
{
    static const char *const keys[] = {"department", "spiffe", "log", NULL};
    const char *vkey = NULL;
    LB_TRY(lb_yaml_only(item, keys, reading->diag));
    LB_TRY(need_text(reading, item, "department", &out->department));
    LB_TRY(need_text(reading, item, "spiffe", &out->spiffe));
    LB_TRY(lb_yaml_need_text(item, "log", reading->diag, &vkey));
    struct lb_note_verifier verifier;
    if (lb_note_verifier_parse(lb_span_str(vkey), &verifier) != LB_OK)
        return lb_yaml_fail(item, reading->diag, "log must be a verifier key <name>+<id>+<key>");
    memcpy(out->log_key, verifier.public_key, sizeof(out->log_key));
    lb_note_verifier_cleanup(&verifier);
    return LB_OK;
}

static const struct party *find_party(const struct party *parties, size_t num,
                                      const char *department)
{
    for (size_t i = 0; i < num; i++) {
        if (strcmp(parties[i].department, department) == 0)
            return &parties[i];
    }
    return NULL;
}

/* Two names for one adapter, or one key for two, would let it be counted as two departments. */
static lb_status read_parties(const struct reading *reading, const struct lb_yaml_node *map,
                              struct party parties[LB_MAX_SHARE_CONTRIBUTIONS], size_t *out_num)
{
    const struct lb_yaml_node *list = NULL;
    LB_TRY(need_list(reading, map, "adapters", LB_MAX_SHARE_CONTRIBUTIONS, &list));
    size_t num = lb_yaml_len(list);
    for (size_t i = 0; i < num; i++) {
        LB_TRY(read_party(reading, lb_yaml_item(list, i), &parties[i]));
        for (size_t k = 0; k < i; k++) {
            if (strcmp(parties[i].department, parties[k].department) == 0 ||
                strcmp(parties[i].spiffe, parties[k].spiffe) == 0 ||
                memcmp(parties[i].log_key, parties[k].log_key, 32) == 0)
                return lb_yaml_fail(lb_yaml_item(list, i), reading->diag,
                                    "department, spiffe or log stands here twice; each adapter "
                                    "takes part once");
        }
    }
    if (num < 2)
        return lb_yaml_fail(list, reading->diag,
                            "a sum of one department alone hides nothing; name the others");
    *out_num = num;
    return LB_OK;
}

static lb_status read_contribution(const struct reading *reading, const struct lb_yaml_node *item,
                                   const struct party *parties, size_t num_parties,
                                   struct lb_share_contribution *out)
{
    static const char *const keys[] = {"department", "view", "field", "months", NULL};
    int64_t months = 0;
    LB_TRY(lb_yaml_only(item, keys, reading->diag));
    LB_TRY(need_text(reading, item, "department", &out->department));
    LB_TRY(need_text(reading, item, "view", &out->view));
    LB_TRY(need_text(reading, item, "field", &out->field));
    LB_TRY(lb_yaml_need_int(item, "months", 0, MAX_MONTHS, reading->diag, &months));
    out->months = (uint32_t)months;
    const struct party *party = find_party(parties, num_parties, out->department);
    if (party == NULL)
        return lb_yaml_fail(item, reading->diag,
                            "department %.64s is not among the adapters; add it there",
                            out->department);
    out->spiffe = party->spiffe;
    memcpy(out->log_key, party->log_key, sizeof(out->log_key));
    return LB_OK;
}

static bool same_field(const struct lb_share_contribution *a,
                       const struct lb_share_contribution *b)
{
    return strcmp(a->view, b->view) == 0 && strcmp(a->field, b->field) == 0;
}

/* Every adapter must be needed: one that adds nothing would be a second department in name only. */
static lb_status check_parties_used(const struct reading *reading, const struct lb_yaml_node *map,
                                    const struct party *parties, size_t num_parties,
                                    const struct lb_share_slot *slot)
{
    for (size_t p = 0; p < num_parties; p++) {
        bool used = false;
        for (size_t i = 0; i < slot->num_contributions; i++)
            used = used ||
                   strcmp(slot->contributions[i].department, parties[p].department) == 0;
        if (!used)
            return lb_yaml_fail(map, reading->diag, "department %.64s contributes nothing; "
                                "remove it", parties[p].department);
    }
    return LB_OK;
}

static lb_status read_contributions(const struct reading *reading, const struct lb_yaml_node *map,
                                    struct lb_share_slot *slot)
{
    struct party parties[LB_MAX_SHARE_CONTRIBUTIONS];
    const struct lb_yaml_node *list = NULL;
    size_t num_parties = 0;
    LB_TRY(read_parties(reading, map, parties, &num_parties));
    LB_TRY(need_list(reading, map, "contributions", LB_MAX_SHARE_CONTRIBUTIONS, &list));
    size_t num = lb_yaml_len(list);
    struct lb_share_contribution *all =
        lb_arena_array(reading->policy->arena, num, sizeof(*all));
    LB_ENSURE(all != NULL, LB_NO_MEMORY, "policy is too large");
    for (size_t i = 0; i < num; i++) {
        LB_TRY(read_contribution(reading, lb_yaml_item(list, i), parties, num_parties, &all[i]));
        for (size_t k = 0; k < i; k++) {
            if (same_field(&all[i], &all[k]))
                return lb_yaml_fail(lb_yaml_item(list, i), reading->diag,
                                    "this field stands here twice; remove one");
        }
    }
    slot->contributions = all;
    slot->num_contributions = num;
    return check_parties_used(reading, map, parties, num_parties, slot);
}

static lb_status read_roles(const struct reading *reading, const struct lb_yaml_node *map,
                            struct lb_share_slot *slot)
{
    const struct lb_yaml_node *list = NULL;
    LB_TRY(need_list(reading, map, "roles", MAX_ROLES, &list));
    const char **roles =
        lb_arena_array(reading->policy->arena, lb_yaml_len(list), sizeof(*roles));
    LB_ENSURE(roles != NULL, LB_NO_MEMORY, "policy is too large");
    for (size_t i = 0; i < lb_yaml_len(list); i++) {
        const char *text = NULL;
        LB_TRY(lb_yaml_text(lb_yaml_item(list, i), reading->diag, &text));
        roles[i] = lb_arena_str(reading->policy->arena, lb_span_str(text));
        LB_ENSURE(roles[i] != NULL, LB_NO_MEMORY, "policy is too large");
    }
    slot->roles = roles;
    slot->num_roles = lb_yaml_len(list);
    return LB_OK;
}

static lb_status read_slot(const struct reading *reading, const struct lb_yaml_node *map,
                           struct lb_share_slot *slot)
{
    static const char *const keys[] = {"slot", "form", "version",  "roles",         "persons",
                                       "runs", "days", "adapters", "contributions", NULL};
    int64_t version = 0;
    LB_TRY(lb_yaml_only(map, keys, reading->diag));
    LB_TRY(need_text(reading, map, "slot", &slot->slot));
    if (strlen(slot->slot) > LB_MAX_NAME_BYTES)
        return lb_yaml_fail(map, reading->diag, "slot has more than %d bytes", LB_MAX_NAME_BYTES);
    LB_TRY(need_text(reading, map, "form", &slot->form));
    LB_TRY(lb_yaml_need_int(map, "version", 1, INT32_MAX, reading->diag, &version));
    slot->version = (uint32_t)version;
    if (lb_serve_policy_form(reading->policy, slot->form, slot->version) == NULL)
        return lb_yaml_fail(map, reading->diag,
                            "form %.64s version %u is not accepted; name it under accept",
                            slot->form, slot->version);
    LB_TRY(read_roles(reading, map, slot));
    LB_TRY(lb_yaml_need_int(map, "persons", 1, LB_MAX_HOUSEHOLD, reading->diag, &slot->persons));
    LB_TRY(lb_yaml_need_int(map, "runs", 1, MAX_RUNS, reading->diag, &slot->runs));
    LB_TRY(lb_yaml_need_int(map, "days", MIN_DAYS, MAX_DAYS, reading->diag, &slot->days));
    return read_contributions(reading, map, slot);
}

static bool same_contributions(const struct lb_share_slot *a, const struct lb_share_slot *b)
{
    if (a->num_contributions != b->num_contributions)
        return false;
    for (size_t i = 0; i < a->num_contributions; i++) {
        const struct lb_share_contribution *x = &a->contributions[i], *y = &b->contributions[i];
        if (!same_field(x, y) || x->months != y->months || strcmp(x->spiffe, y->spiffe) != 0)
            return false;
    }
    return true;
}

static bool share_a_field(const struct lb_share_slot *a, const struct lb_share_slot *b)
{
    for (size_t i = 0; i < a->num_contributions; i++) {
        for (size_t k = 0; k < b->num_contributions; k++) {
            if (same_field(&a->contributions[i], &b->contributions[k]))
                return true;
        }
    }
    return false;
}

static lb_status check_apart(const struct reading *reading, const struct lb_yaml_node *map,
                             const struct lb_share_slot *slot, const struct lb_share_slot *other)
{
    bool same_slot = strcmp(slot->slot, other->slot) == 0;
    if (same_slot && strcmp(slot->form, other->form) == 0 && slot->version == other->version)
        return lb_yaml_fail(map, reading->diag, "slot %.64s stands here twice for one form",
                            slot->slot);
    if (same_slot && !same_contributions(slot, other))
        return lb_yaml_fail(map, reading->diag,
                            "slot %.64s adds up something else for another form; give it another "
                            "name and other fields",
                            slot->slot);
    if (!same_slot && share_a_field(slot, other))
        return lb_yaml_fail(map, reading->diag,
                            "slots %.64s and %.64s have a field in common; their difference "
                            "would tell what is hidden",
                            slot->slot, other->slot);
    return LB_OK;
}

lb_status lb_serve_policy_read_shares(struct lb_serve_policy *policy,
                                      const struct lb_yaml_node *root, struct lb_diag *diag)
{
    const struct reading reading = {policy, diag};
    const struct lb_yaml_node *list = NULL;
    if (lb_yaml_get(root, "shares") == NULL)
        return LB_OK;
    LB_TRY(need_list(&reading, root, "shares", MAX_SLOTS, &list));
    size_t num = lb_yaml_len(list);
    struct lb_share_slot *slots = lb_arena_array(policy->arena, num, sizeof(*slots));
    LB_ENSURE(slots != NULL, LB_NO_MEMORY, "policy is too large");
    for (size_t i = 0; i < num; i++) {
        LB_TRY(read_slot(&reading, lb_yaml_item(list, i), &slots[i]));
        for (size_t k = 0; k < i; k++)
            LB_TRY(check_apart(&reading, lb_yaml_item(list, i), &slots[i], &slots[k]));
    }
    policy->shares = slots;
    policy->num_shares = num;
    return LB_OK;
}

const struct lb_share_slot *lb_serve_policy_share(const struct lb_serve_policy *policy,
                                                  const char *slot, const char *form,
                                                  uint32_t version)
{
    for (size_t i = 0; i < policy->num_shares; i++) {
        const struct lb_share_slot *share = &policy->shares[i];
        if (share->version == version && strcmp(share->form, form) == 0 &&
            strcmp(share->slot, slot) == 0)
            return share;
    }
    return NULL;
}
