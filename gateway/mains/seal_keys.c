#include "gateway/mains/seal_keys.h"

#include <string.h>

#include "gateway/trust/keys.h"

static lb_status read_files(struct lb_node_program *node, struct lb_seal_file *files,
                            size_t *out_num)
{
    static const char *const keys[] = {"id", "file", NULL};
    const struct lb_yaml_node *list = lb_yaml_get(node->root, "seal_keys");
    *out_num = 0;
    if (list == NULL)
        return LB_OK;
    size_t num = lb_yaml_kind_of(list) == LB_YAML_LIST ? lb_yaml_len(list) : 0;
    if (num == 0 || num > LB_SEAL_RING_MAX)
        return lb_yaml_fail(list, &node->diag, "seal_keys must be a list of 1 to %d keys",
                            LB_SEAL_RING_MAX);
    for (size_t i = 0; i < num; i++) {
        const struct lb_yaml_node *item = lb_yaml_item(list, i);
        LB_TRY(lb_yaml_only(item, keys, &node->diag));
        LB_TRY(lb_node_need_text(node, item, "id", &files[i].id));
        LB_TRY(lb_node_need_path(node, item, "file", &files[i].path));
    }
    *out_num = num;
    return LB_OK;
}

lb_status lb_node_seal_keys(struct lb_node_program *node, struct lb_seal_ring **out_ring)
{
    struct lb_seal_file files[LB_SEAL_RING_MAX];
    struct lb_seal_ring_options options = {
        .self = node->spiffe,
        .trust = node->trust,
        .clock = lb_clock_system(),
        .files = files,
        .look_only = node->check,
    };
    LB_TRY(read_files(node, files, &options.num_files));
    if (lb_yaml_get(node->root, "seal_folder") != NULL)
        LB_TRY(lb_node_need_path(node, node->root, "seal_folder", &options.folder));
    return lb_seal_ring_new(&options, &node->diag, out_ring);
}

/* --- share keys, which stay for the life of the process --- */

static lb_status agrees_with_directory(struct lb_node_program *node,
                                       const struct lb_yaml_node *item,
                                       const struct lb_serve_key *key)
{
    struct lb_directory *directory = lb_trust_directory(node->trust);
    const struct lb_node *own = lb_directory_node(directory, node->spiffe);
    bool differs = false;
    for (size_t i = 0; own != NULL && i < own->num_share_keys; i++) {
        const struct lb_seal_key_entry *entry = &own->share_keys[i];
        differs = differs || (strcmp(entry->id, key->id) == 0 &&
                              memcmp(entry->public_key, key->key.public_key, 32) != 0);
    }
    lb_directory_unref(directory);
    if (differs)
        return lb_yaml_fail(item, &node->diag,
                            "the directory lists another key under this id; use the right file");
    return LB_OK;
}

static lb_status read_share_key(struct lb_node_program *node, const struct lb_yaml_node *item,
                                struct lb_serve_key *out)
{
    static const char *const keys[] = {"id", "file", NULL};
    const char *path = NULL;
    LB_TRY(lb_yaml_only(item, keys, &node->diag));
    LB_TRY(lb_node_need_text(node, item, "id", &out->id));
    LB_TRY(lb_node_need_path(node, item, "file", &path));
    if (lb_keys_load_x25519(path, &out->key) != LB_OK)
        return lb_yaml_fail(item, &node->diag,
                            "%s: no usable X25519 key (mode 0600); make one with `lianban keys "
                            "share`", path);
    return agrees_with_directory(node, item, out);
}

lb_status lb_node_share_keys(struct lb_node_program *node,
                             struct lb_serve_key out_keys[LB_MAX_SHARE_KEYS], size_t *out_num)
{
    const struct lb_yaml_node *list = lb_yaml_get(node->root, "share_keys");
    if (list == NULL)
        return LB_OK;
    size_t num = lb_yaml_kind_of(list) == LB_YAML_LIST ? lb_yaml_len(list) : 0;
    if (num == 0 || num > LB_MAX_SHARE_KEYS)
        return lb_yaml_fail(list, &node->diag, "share_keys must be a list of 1 to %d keys",
                            LB_MAX_SHARE_KEYS);
    for (size_t i = 0; i < num; i++)
        LB_TRY(read_share_key(node, lb_yaml_item(list, i), &out_keys[i]));
    *out_num = num;
    return LB_OK;
}

lb_status lb_node_issuer_keys(struct lb_node_program *node, const char *member,
                              struct lb_issuer_keys **out_keys)
{
    static const char *const keys[] = {"kid", "key", "folder", NULL};
    const struct lb_yaml_node *map = NULL;
    struct lb_issuer_files files = {.folder = NULL};
    LB_TRY(lb_yaml_need(node->root, member, &node->diag, &map));
    LB_TRY(lb_yaml_only(map, keys, &node->diag));
    LB_TRY(lb_node_need_text(node, map, "kid", &files.kid));
    LB_TRY(lb_node_need_path(node, map, "key", &files.path));
    if (lb_yaml_get(map, "folder") != NULL)
        LB_TRY(lb_node_need_path(node, map, "folder", &files.folder));
    return lb_issuer_keys_new(&files, node->organization, node->trust, &node->diag, out_keys);
}
