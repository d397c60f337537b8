#include "gateway/mains/seal_keys.h"

#include <string.h>

#include "gateway/trust/keys.h"

static lb_status agrees_with_directory(struct lb_node_program *node,
                                       const struct lb_yaml_node *item,
                                       const struct lb_serve_key *key)
{
    struct lb_directory *directory = lb_trust_directory(node->trust);
    const struct lb_node *own = lb_directory_node(directory, node->spiffe);
    bool differs = false;
    for (size_t i = 0; own != NULL && i < own->num_seal_keys; i++) {
        const struct lb_seal_key_entry *entry = &own->seal_keys[i];
        differs = differs || (strcmp(entry->id, key->id) == 0 &&
                              memcmp(entry->public_key, key->key.public_key, 32) != 0);
    }
    lb_directory_unref(directory);
    if (differs)
        return lb_yaml_fail(item, &node->diag,
                            "the directory lists another key under this id; use the right file");
    return LB_OK;
}

lb_status lb_node_seal_keys(struct lb_node_program *node,
                            struct lb_serve_key out_keys[LB_MAX_SEAL_KEYS], size_t *out_num)
{
    static const char *const keys[] = {"id", "file", NULL};
    const struct lb_yaml_node *list = NULL;
    LB_TRY(lb_yaml_need(node->root, "seal_keys", &node->diag, &list));
    size_t num = lb_yaml_kind_of(list) == LB_YAML_LIST ? lb_yaml_len(list) : 0;
    if (num == 0 || num > LB_MAX_SEAL_KEYS)
        return lb_yaml_fail(list, &node->diag, "seal_keys must be a list of 1 to %d keys",
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
                                "seal`", path);
        LB_TRY(agrees_with_directory(node, item, &out_keys[i]));
    }
    *out_num = num;
    return LB_OK;
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
