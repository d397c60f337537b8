#include "gateway/mains/seal_keys.h"

#include <string.h>

#include "gateway/trust/keys.h"

/* What one of the two lists of keys is called, and the command that makes one. */
struct key_kind {
    const char *member;
    const char *command;
    bool share;
};

static bool differs_from(const struct lb_seal_key_entry *entries, size_t num,
                         const struct lb_serve_key *key)
{
    for (size_t i = 0; i < num; i++) {
        if (strcmp(entries[i].id, key->id) == 0 &&
            memcmp(entries[i].public_key, key->key.public_key, 32) != 0)
            return true;
    }
    return false;
}

static lb_status agrees_with_directory(struct lb_node_program *node,
                                       const struct lb_yaml_node *item,
                                       const struct key_kind *kind,
                                       const struct lb_serve_key *key)
{
    struct lb_directory *directory = lb_trust_directory(node->trust);
    const struct lb_node *own = lb_directory_node(directory, node->spiffe);
    bool differs = false;
    if (own != NULL && kind->share)
        differs = differs_from(own->share_keys, own->num_share_keys, key);
    else if (own != NULL)
        differs = differs_from(own->seal_keys, own->num_seal_keys, key);
    lb_directory_unref(directory);
    if (differs)
        return lb_yaml_fail(item, &node->diag,
                            "the directory lists another key under this id; use the right file");
    return LB_OK;
}

static lb_status read_keys(struct lb_node_program *node, const struct key_kind *kind,
                           struct lb_serve_key out_keys[LB_MAX_SEAL_KEYS], size_t *out_num)
{
    static const char *const keys[] = {"id", "file", NULL};
    const struct lb_yaml_node *list = NULL;
    LB_TRY(lb_yaml_need(node->root, kind->member, &node->diag, &list));
    size_t num = lb_yaml_kind_of(list) == LB_YAML_LIST ? lb_yaml_len(list) : 0;
    if (num == 0 || num > LB_MAX_SEAL_KEYS)
        return lb_yaml_fail(list, &node->diag, "%s must be a list of 1 to %d keys", kind->member,
                            LB_MAX_SEAL_KEYS);
    for (size_t i = 0; i < num; i++) {
        const struct lb_yaml_node *item = lb_yaml_item(list, i);
        const char *path = NULL;
        LB_TRY(lb_yaml_only(item, keys, &node->diag));
        LB_TRY(lb_node_need_text(node, item, "id", &out_keys[i].id));
        LB_TRY(lb_node_need_path(node, item, "file", &path));
        if (lb_keys_load_x25519(path, &out_keys[i].key) != LB_OK)
            return lb_yaml_fail(item, &node->diag,
                                "%s: no usable X25519 key (mode 0600); make one with `lianban keys "
                                "%s`", path, kind->command);
        LB_TRY(agrees_with_directory(node, item, kind, &out_keys[i]));
    }
    *out_num = num;
    return LB_OK;
}

lb_status lb_node_seal_keys(struct lb_node_program *node,
                            struct lb_serve_key out_keys[LB_MAX_SEAL_KEYS], size_t *out_num)
{
    static const struct key_kind kind = {"seal_keys", "seal", false};
    return read_keys(node, &kind, out_keys, out_num);
}

lb_status lb_node_share_keys(struct lb_node_program *node,
                             struct lb_serve_key out_keys[LB_MAX_SEAL_KEYS], size_t *out_num)
{
    static const struct key_kind kind = {"share_keys", "share", true};
    if (lb_yaml_get(node->root, kind.member) == NULL)
        return LB_OK;
    return read_keys(node, &kind, out_keys, out_num);
}

lb_status lb_node_issuer_key(struct lb_node_program *node, const char *member,
                             const char **out_kid, struct lb_sign_key **out_key)
{
    static const char *const keys[] = {"kid", "key", NULL};
    const struct lb_yaml_node *map = NULL;
    const char *path = NULL;
    LB_TRY(lb_yaml_need(node->root, member, &node->diag, &map));
    LB_TRY(lb_yaml_only(map, keys, &node->diag));
    LB_TRY(lb_node_need_text(node, map, "kid", out_kid));
    LB_TRY(lb_node_need_path(node, map, "key", &path));
    if (lb_keys_load_sign(path, LB_SIGN_ES256, out_key) != LB_OK)
        return lb_yaml_fail(map, &node->diag,
                            "%s: no usable P-256 key (mode 0600); make one with `lianban keys "
                            "issuer`", path);
    return LB_OK;
}
