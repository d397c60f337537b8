#include "gateway/ctl/node.h"

#include "gateway/ctl/command.h"
#include "gateway/ctl/say.h"
#include "gateway/trust/keys.h"

#define NODE_ARENA_BYTES (4 * LB_FILE_ARENA_BYTES)

static lb_status believe(struct lb_ctl_node *node)
{
    const struct lb_doctor_config *config = &node->config;
    const struct lb_trust_options options = {
        .directory_path = config->directory,
        .directory_vkeys = config->signers,
        .num_directory_vkeys = config->num_signers,
        .ca_path = config->ca,
        .crl_path = config->crl,
        .state_folder = lb_arena_printf(node->arena, "%s/trust", config->state),
        .look_only = true,
        .clock = node->env->clock,
    };
    LB_ENSURE(options.state_folder != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_trust_new(&options, &node->diag, &node->trust));
    node->directory = lb_trust_directory(node->trust);
    return LB_OK;
}

lb_status lb_ctl_node_open(struct lb_ctl_node *node)
{
    node->arena = lb_arena_new(NODE_ARENA_BYTES);
    LB_ENSURE(node->arena != NULL, LB_NO_MEMORY, "arena");
    LB_TRY(lb_doctor_config_load(node->path, node->arena, &node->diag, &node->config));
    return believe(node);
}

void lb_ctl_node_close(struct lb_ctl_node *node)
{
    if (node->directory != NULL)
        lb_directory_unref(node->directory);
    lb_trust_free(node->trust);
    lb_arena_free(node->arena);
}

int lb_ctl_node_run(struct lb_ctl_node *node,
                    lb_status (*work)(struct lb_ctl_node *node, void *arg), void *arg)
{
    lb_status status = lb_ctl_node_open(node);
    if (status == LB_OK)
        status = work(node, arg);
    int exit_code = status == LB_OK
                        ? LB_CTL_OK
                        : lb_ctl_fail(node->env, node->command, status, &node->diag);
    lb_ctl_node_close(node);
    return exit_code;
}

lb_status lb_ctl_node_log_key(struct lb_ctl_node *node, struct lb_sign_key **out_key)
{
    const char *path = node->config.log_key;
    lb_status status = path == NULL ? LB_FAULT(LB_CONFIG_INVALID, "no log key")
                                    : lb_keys_load_sign(path, LB_SIGN_ED25519, out_key);
    if (status != LB_OK)
        lb_diag_set(&node->diag, "%s: its `log_key` can't be read by this account; run this as the "
                                 "node's account", node->path);
    return status;
}

static int recover_command(struct lb_ctl_env *env, int argc, char **argv)
{
    static const struct lb_ctl_word words[] = {
        {"draft", "put together what the officers are to sign", "汇集供两名安全员签署的恢复书",
         lb_ctl_recover_draft},
        {"show", "tell and check what a draft or recovery says", "查看并核验恢复书",
         lb_ctl_recover_show},
        {"sign", "sign a draft, as one of its two officers", "安全员签署恢复书", lb_ctl_recover_sign},
        {"begin", "begin the new log, once both have signed", "两人签署后启用新存证日志",
         lb_ctl_recover_begin},
    };
    return lb_ctl_words(env, "node recover", words, sizeof(words) / sizeof(words[0]), argc, argv);
}

int lb_ctl_node_command(struct lb_ctl_env *env, int argc, char **argv)
{
    static const struct lb_ctl_word words[] = {
        {"seen", "what this node has seen of other members' logs, and say so signed",
         "本节点所见其他成员的存证日志，并可出具签名证明", lb_ctl_node_seen},
        {"recover", "begin a new log in the place of one that is lost", "存证日志丢失后启用接续的新日志",
         recover_command},
    };
    return lb_ctl_words(env, "node", words, sizeof(words) / sizeof(words[0]), argc, argv);
}
