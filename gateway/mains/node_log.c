#include "gateway/mains/node_log.h"

#include <unistd.h>

#define FIRST_ARENA_BYTES (16 * 1024)

lb_status lb_node_name_log(struct lb_node_program *node)
{
    struct lb_directory *directory = lb_trust_directory(node->trust);
    const struct lb_node *self = lb_directory_node(directory, node->spiffe);
    bool listed = self != NULL && self->log_origin != NULL;
    node->log_origin = lb_arena_str(
        node->arena, lb_span_str(listed ? self->log_origin : lb_spiffe_log_origin(node->spiffe)));
    lb_directory_unref(directory);
    LB_ENSURE(node->log_origin != NULL, LB_NO_MEMORY, "configuration is too large");
    return LB_OK;
}

static bool is_recovered(const struct lb_node_program *node)
{
    return lb_spiffe_log_number(node->spiffe, node->log_origin) > 0;
}

static lb_status read_first(struct lb_node_program *node, struct lb_leaf *out)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(FIRST_ARENA_BYTES);
    struct lb_span bytes;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "first entry");
    LB_TRY(lb_log_leaf(node->log, 0, arena, &bytes));
    return lb_leaf_decode(bytes, out);
}

static lb_status refuse_other(struct lb_node_program *node)
{
    return lb_node_refuse(node, LB_LOG_FORK,
                          "%s: this log does not begin with the recovery that the directory has; "
                          "begin it with `lianban node recover begin`", node->state);
}

/* By its first entry, and by the directory, this log is the one that two officers began. */
static lb_status check_first(struct lb_node_program *node, const struct lb_recovery *recovery)
{
    struct lb_leaf first;
    lb_status status = read_first(node, &first);
    if (lb_status_code(status) == LB_LOG_BEHIND) {
        /* In a half-year that was taken elsewhere: grants of that time are over long since. */
        node->recovered_unix_s = recovery->unix_s;
        return LB_OK;
    }
    if (lb_status_code(status) == LB_MALFORMED || lb_status_code(status) == LB_ABSENT)
        return refuse_other(node);
    LB_TRY(status);
    if (first.type != LB_LEAF_RECOVERY ||
        memcmp(first.request_hash, recovery->sha256, sizeof(recovery->sha256)) != 0)
        return refuse_other(node);
    node->recovered_unix_s = first.time_ms / 1000;
    return LB_OK;
}

static lb_status check_recovery(struct lb_node_program *node)
{
    struct lb_directory *directory = lb_trust_directory(node->trust);
    const struct lb_node *self = lb_directory_node(directory, node->spiffe);
    const struct lb_recovery *recovery = self == NULL ? NULL : lb_node_recovery(self);
    lb_status status = recovery != NULL ? check_first(node, recovery) : refuse_other(node);
    lb_directory_unref(directory);
    return status;
}

static lb_status refuse_none(struct lb_node_program *node)
{
    if (is_recovered(node))
        return lb_node_refuse(node, LB_FILE_FAILED,
                              "%s: no evidence log here; the directory lists one that took the "
                              "place of another, which `lianban node recover begin` begins",
                              node->state);
    return lb_node_refuse(node, LB_FILE_FAILED,
                          "%s: no evidence log here; if this node never ran before, begin one with "
                          "--init, otherwise restore its state (docs/OPERATIONS.md, Recovery)",
                          node->state);
}

lb_status lb_node_open_log(struct lb_node_program *node)
{
    const char *path = lb_arena_printf(node->arena, "%s/evidence.db", node->state);
    bool create = node->init && !is_recovered(node);
    LB_ENSURE(path != NULL, LB_NO_MEMORY, "configuration is too large");
    const struct lb_log_options options = {
        .folder = node->state,
        .origin = node->log_origin,
        .key = node->log_key,
        .clock = lb_clock_system(),
        .create = create,
        .officer_key = node->has_officer ? node->officer_key : NULL,
        .migrations = node->role->migrations,
        .marks = node->marks,
    };
    if (!create && access(path, F_OK) != 0)
        return refuse_none(node);
    LB_TRY(lb_log_open(&options, &node->diag, &node->log));
    return is_recovered(node) ? check_recovery(node) : LB_OK;
}
