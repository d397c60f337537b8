#include "gateway/audit/detect_lists.h"

#include <stdlib.h>

#include "gateway/base/file.h"
#include "gateway/base/hex.h"
#include "gateway/base/limits.h"
#include "gateway/base/wipe.h"
#include "gateway/config/yaml.h"

#define ACTOR_BYTES 16

struct person {
    uint8_t subject[32];
};

struct kin {
    uint8_t actor[ACTOR_BYTES];
    uint8_t subject[32];
    unsigned relation;
};

struct lb_detect_lists {
    struct person lists[LB_DETECT_HONEY + 1][LB_DETECT_MAX_LISTED];
    size_t num[LB_DETECT_HONEY + 1];
    struct kin kin[LB_DETECT_MAX_LISTED];
    size_t num_kin;
};

static int by_subject(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct person));
}

/* --- reading --- */

static lb_status read_hex(const struct lb_yaml_node *node, uint8_t *out, size_t len,
                          struct lb_diag *diag)
{
    const char *text = NULL;
    LB_TRY(lb_yaml_text(node, diag, &text));
    if (lb_hex_decode(lb_span_str(text), out, len) != LB_OK)
        return lb_yaml_fail(node, diag, "a pseudonym here has %zu hex digits", 2 * len);
    return LB_OK;
}

static lb_status list_of(const struct lb_yaml_node *root, const char *key, struct lb_diag *diag,
                         const struct lb_yaml_node **out)
{
    *out = lb_yaml_get(root, key);
    if (*out != NULL && (lb_yaml_kind_of(*out) != LB_YAML_LIST ||
                         lb_yaml_len(*out) > LB_DETECT_MAX_LISTED))
        return lb_yaml_fail(*out, diag, "%s is a list of at most %d", key, LB_DETECT_MAX_LISTED);
    return LB_OK;
}

static lb_status read_list(const struct lb_yaml_node *root, const char *key,
                           enum lb_detect_list which, struct lb_diag *diag,
                           struct lb_detect_lists *lists)
{
    const struct lb_yaml_node *list = NULL;
    LB_TRY(list_of(root, key, diag, &list));
    size_t num = list == NULL ? 0 : lb_yaml_len(list);
    for (size_t i = 0; i < num; i++)
        LB_TRY(read_hex(lb_yaml_item(list, i), lists->lists[which][i].subject, 32, diag));
    qsort(lists->lists[which], num, sizeof(struct person), by_subject);
    lists->num[which] = num;
    return LB_OK;
}

static lb_status read_one_kin(const struct lb_yaml_node *node, struct lb_diag *diag,
                              struct kin *out)
{
    static const char *const keys[] = {"actor", "subject", "relation", NULL};
    static const char *const names[] = {"self", "relative", "colleague"};
    const struct lb_yaml_node *actor = NULL, *subject = NULL, *relation = NULL;
    const char *text = NULL;
    LB_TRY(lb_yaml_only(node, keys, diag));
    LB_TRY(lb_yaml_need(node, "actor", diag, &actor));
    LB_TRY(lb_yaml_need(node, "subject", diag, &subject));
    LB_TRY(lb_yaml_need(node, "relation", diag, &relation));
    LB_TRY(read_hex(actor, out->actor, sizeof(out->actor), diag));
    LB_TRY(read_hex(subject, out->subject, sizeof(out->subject), diag));
    LB_TRY(lb_yaml_text(relation, diag, &text));
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        out->relation = strcmp(text, names[i]) == 0 ? 1U << i : out->relation;
    if (out->relation == 0)
        return lb_yaml_fail(relation, diag, "write self, relative or colleague");
    return LB_OK;
}

static lb_status read_kin(const struct lb_yaml_node *root, struct lb_diag *diag,
                          struct lb_detect_lists *lists)
{
    const struct lb_yaml_node *list = NULL;
    LB_TRY(list_of(root, "kin", diag, &list));
    size_t num = list == NULL ? 0 : lb_yaml_len(list);
    for (size_t i = 0; i < num; i++)
        LB_TRY(read_one_kin(lb_yaml_item(list, i), diag, &lists->kin[i]));
    lists->num_kin = num;
    return LB_OK;
}

static lb_status read_text(struct lb_span text, const char *path, struct lb_diag *diag,
                           struct lb_detect_lists *lists)
{
    static const char *const keys[] = {"protected", "honey", "kin", NULL};
    LB_DEFER(lb_yaml_freep) struct lb_yaml *yaml = NULL;
    LB_TRY(lb_yaml_load_text(text, path, diag, &yaml));
    const struct lb_yaml_node *root = lb_yaml_root(yaml);
    LB_TRY(lb_yaml_only(root, keys, diag));
    LB_TRY(read_list(root, "protected", LB_DETECT_PROTECTED, diag, lists));
    LB_TRY(read_list(root, "honey", LB_DETECT_HONEY, diag, lists));
    return read_kin(root, diag, lists);
}

lb_status lb_detect_lists_load(const char *path, struct lb_diag *diag,
                               struct lb_detect_lists **out_lists)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    LB_DEFER(lb_detect_lists_freep) struct lb_detect_lists *lists = calloc(1, sizeof(*lists));
    struct lb_span text;
    LB_ENSURE(arena != NULL && lists != NULL, LB_NO_MEMORY, "lists");
    lb_status status = lb_file_read_secret(path, LB_MAX_CONFIG_FILE_BYTES, arena, &text);
    if (status != LB_OK)
        lb_diag_set(diag, "%s: %s; the officer's lists are readable by you alone (chmod 600)",
                    path, status->what);
    LB_TRY(status);
    LB_TRY(read_text(text, path, diag, lists));
    *out_lists = lists;
    lists = NULL;
    return LB_OK;
}

void lb_detect_lists_free(struct lb_detect_lists *lists)
{
    if (lists == NULL)
        return;
    lb_wipe(lists, sizeof(*lists));
    free(lists);
}

void lb_detect_lists_freep(struct lb_detect_lists **lists)
{
    lb_detect_lists_free(*lists);
}

/* --- asking --- */

bool lb_detect_lists_has(const struct lb_detect_lists *lists, enum lb_detect_list list,
                         const uint8_t subject[32])
{
    return lists != NULL && bsearch(subject, lists->lists[list], lists->num[list],
                                    sizeof(struct person), by_subject) != NULL;
}

unsigned lb_detect_lists_relations(const struct lb_detect_lists *lists, const char *actor,
                                   const uint8_t subject[32])
{
    uint8_t bytes[ACTOR_BYTES];
    unsigned relations = 0;
    if (lists == NULL || lb_hex_decode(lb_span_str(actor), bytes, sizeof(bytes)) != LB_OK)
        return 0;
    for (size_t i = 0; i < lists->num_kin; i++) {
        const struct kin *kin = &lists->kin[i];
        if (memcmp(kin->subject, subject, 32) == 0 &&
            memcmp(kin->actor, bytes, sizeof(bytes)) == 0)
            relations |= kin->relation;
    }
    return relations;
}
