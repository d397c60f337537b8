#include "gateway/mains/auditor.h"

#include "gateway/mains/node_witness.h"

static lb_status prepare(struct lb_node_program *node, void **out_role)
{
    *out_role = NULL;
    if (!lb_node_witness_duties(node))
        return lb_yaml_fail(node->root, &node->diag,
                            "an auditor's node only witnesses; say witness, with key and logs");
    return LB_OK;
}

/* What a witness serves is common to all nodes. */
static lb_status start(void *role, struct lb_rpc_method *methods, size_t *out_num)
{
    (void)role;
    (void)methods;
    *out_num = 0;
    return LB_OK;
}

static const char *const no_keys[] = {NULL};

const struct lb_node_role lb_auditor_role = {
    .program = "lianban-adapter",
    .summary = "witnesses the logs of others",
    .keys_help = "",
    .keys = no_keys,
    .kind = LB_NODE_AUDITOR,
    .keeps_log = true,
    .must_listen = true,
    .prepare = prepare,
    .start = start,
};
