#include "gateway/mains/seal_keys.h"

static lb_status read_files(struct lb_node_program *node, const char *member,
                            struct lb_seal_file *files, size_t *out_num)
{
    static const char *const keys[] = {"id", "file", NULL};
    const struct lb_yaml_node *list = lb_yaml_get(node->root, member);
    *out_num = 0;
    if (list == NULL)
        return LB_OK;
    size_t num = lb_yaml_kind_of(list) == LB_YAML_LIST ? lb_yaml_len(list) : 0;
    if (num == 0 || num > LB_SEAL_RING_MAX)
        return lb_yaml_fail(list, &node->diag, "%s must be a list of 1 to %d keys", member,
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

static lb_status read_ring(struct lb_node_program *node, bool shares,
                           struct lb_seal_ring **out_ring)
{
    const char *folder = shares ? "share_folder" : "seal_folder";
    struct lb_seal_file files[LB_SEAL_RING_MAX];
    struct lb_seal_ring_options options = {
        .self = node->spiffe,
        .trust = node->trust,
        .clock = lb_clock_system(),
        .files = files,
        .shares = shares,
        .look_only = node->check,
    };
    LB_TRY(read_files(node, shares ? "share_keys" : "seal_keys", files, &options.num_files));
    if (lb_yaml_get(node->root, folder) != NULL)
        LB_TRY(lb_node_need_path(node, node->root, folder, &options.folder));
    return lb_seal_ring_new(&options, &node->diag, out_ring);
}

lb_status lb_node_seal_keys(struct lb_node_program *node, struct lb_seal_ring **out_ring)
{
    return read_ring(node, false, out_ring);
}

lb_status lb_node_share_keys(struct lb_node_program *node, struct lb_seal_ring **out_ring)
{
    return read_ring(node, true, out_ring);
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
