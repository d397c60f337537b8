#include "gateway/mains/node_config.h"

/* Where the evidence log of a node stops as its disk fills up. */

#define MB (1024 * 1024)
#define MAX_MB (1024 * 1024 * 1024)

static lb_status read_mark(struct lb_node_program *node, const struct lb_yaml_node *map,
                           const char *key, uint64_t usual, uint64_t *out_bytes)
{
    int64_t mb = 0;
    LB_TRY(lb_yaml_opt_int(map, key, 0, MAX_MB, (int64_t)(usual / MB), &node->diag, &mb));
    *out_bytes = (uint64_t)mb * MB;
    return LB_OK;
}

lb_status lb_node_read_disk(struct lb_node_program *node)
{
    static const char *const keys[] = {"alert_mb", "stop_mb", "reserve_mb", NULL};
    const struct lb_yaml_node *map = lb_yaml_get(node->root, "disk");
    struct lb_disk_marks *marks = &node->marks;
    if (map == NULL)
        return LB_OK;
    LB_TRY(lb_yaml_only(map, keys, &node->diag));
    LB_TRY(read_mark(node, map, "alert_mb", LB_DISK_ALERT_BYTES, &marks->alert_bytes));
    LB_TRY(read_mark(node, map, "stop_mb", LB_DISK_STOP_BYTES, &marks->stop_bytes));
    LB_TRY(read_mark(node, map, "reserve_mb", LB_DISK_RESERVE_BYTES, &marks->reserve_bytes));
    if (lb_disk_marks_check(marks) != LB_OK)
        return lb_yaml_fail(map, &node->diag,
                            "alert_mb must be at least stop_mb, and that at least %d times "
                            "reserve_mb and not 0",
                            LB_DISK_STOP_PER_RESERVE);
    return LB_OK;
}
