#include "gateway/mains/attach.h"

#include <string.h>

#include "gateway/base/log.h"

static lb_status read_list(struct lb_attach *attach, const struct lb_serve_policy *policy)
{
    struct lb_node_program *node = attach->node;
    const struct lb_yaml_node *list = lb_yaml_get(node->root, "attach");
    if (list == NULL)
        return LB_OK;
    if (lb_yaml_kind_of(list) != LB_YAML_LIST || lb_yaml_len(list) > LB_ATTACH_MAX)
        return lb_yaml_fail(list, &node->diag, "attach must list at most %d brokers",
                            LB_ATTACH_MAX);
    for (size_t i = 0; i < lb_yaml_len(list); i++) {
        const char *broker = NULL;
        LB_TRY(lb_yaml_text(lb_yaml_item(list, i), &node->diag, &broker));
        if (!lb_serve_policy_broker(policy, broker))
            return lb_yaml_fail(lb_yaml_item(list, i), &node->diag,
                                "the policy does not accept this broker; name it under accept");
        attach->brokers[attach->num++] = broker;
    }
    return LB_OK;
}

/* Brokers come by the network or are dialled; the department's own officers, who end grants and
 * erase, come to the node itself, and never through a broker, who could hold them back. */
static lb_status check_ways_in(const struct lb_attach *attach)
{
    struct lb_node_program *node = attach->node;
    const struct lb_yaml_node *listen = lb_yaml_get(node->root, "listen");
    if (node->listen == NULL)
        return lb_yaml_fail(node->root, &node->diag,
                            "this adapter's officers could not reach it; say listen: "
                            "unix:/absolute/path, which opens no port, or an address of the house");
    if (strncmp(node->listen, "unix:", 5) == 0 && attach->num == 0)
        return lb_yaml_fail(listen, &node->diag,
                            "no broker comes by a Unix socket; name the brokers to dial in attach");
    return LB_OK;
}

lb_status lb_attach_read(struct lb_attach *attach, struct lb_node_program *node,
                         const struct lb_serve_policy *policy)
{
    attach->node = node;
    LB_TRY(read_list(attach, policy));
    return check_ways_in(attach);
}

static lb_status dial(struct lb_attach *attach, size_t i)
{
    struct lb_dialler_options options = {
        .end = &lb_adapter_service_end,
        .owner = attach->service,
        .method = "/lianban.v1.Broker/Attach",
        .peer = attach->brokers[i],
    };
    LB_TRY(lb_node_channel(attach->node, attach->brokers[i], &options.channel));
    lb_status status = lb_dialler_new(&options, &attach->diallers[i]);
    if (status != LB_OK)
        lb_rpc_channel_free(options.channel);
    return status;
}

lb_status lb_attach_dial(struct lb_attach *attach)
{
    lb_status failed = LB_OK;
    size_t num_dialled = 0;
    for (size_t i = 0; i < attach->num; i++) {
        lb_status status = attach->diallers[i] != NULL ? LB_OK : dial(attach, i);
        if (status != LB_OK && !attach->failing[i])
            lb_log_event(LB_LOG_WARN, "broker_not_dialled",
                         "\"broker\":\"%s\",\"code\":\"%s\"", attach->brokers[i],
                         lb_code_name(status->code));
        attach->failing[i] = status != LB_OK;
        num_dialled += status == LB_OK ? 1 : 0;
        failed = status != LB_OK ? status : failed;
    }
    return num_dialled > 0 ? LB_OK : failed;
}

void lb_attach_leave(struct lb_attach *attach)
{
    for (size_t i = 0; i < attach->num; i++)
        lb_dialler_leave(attach->diallers[i]);
}

void lb_attach_stop(struct lb_attach *attach)
{
    for (size_t i = 0; i < attach->num; i++) {
        lb_dialler_free(attach->diallers[i]);
        attach->diallers[i] = NULL;
    }
}
