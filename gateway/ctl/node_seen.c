#include <inttypes.h>

#include "gateway/base/hex.h"
#include "gateway/ctl/node.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/sheet.h"
#include "gateway/evidence/seen.h"
#include "gateway/trust/recovery.h"

/* `node seen`: the newest checkpoint of each member's log that this node has, from its links and as
 * a witness. When a log is lost, these are what proves how long it was. */

struct seen {
    struct lb_ctl_node node;
    const char *of;  /* NULL: all are listed */
};

/* One log as this node knows it. */
struct head {
    uint64_t size;
    uint8_t root[LB_HASH_BYTES];
    struct lb_span note;   /* empty: only the size is known */
    const char *lost_key;  /* vkey that the note verifies with */
    uint8_t proof[LB_SIGNATURE_BYTES];
};

/* Takes a note that this key has signed, if it says more. */
static lb_status try_key(struct lb_ctl_node *node, struct lb_span note, const char *origin,
                         const uint8_t public_key[32], struct head *head)
{
    LB_DEFER(lb_note_verifier_cleanup) struct lb_note_verifier verifier = {.key = NULL};
    struct lb_checkpoint checkpoint;
    LB_TRY(lb_note_verifier_init(origin, public_key, &verifier));
    if (lb_checkpoint_open(note, &verifier, &checkpoint) != LB_OK ||
        checkpoint.size < head->size || (checkpoint.size == head->size && head->note.len > 0))
        return LB_OK;
    struct head next = {.size = checkpoint.size, .note = note};
    memcpy(next.root, checkpoint.root.bytes, LB_HASH_BYTES);
    LB_TRY(lb_note_signature_of(note, &verifier, next.proof));
    next.lost_key = lb_note_verifier_format(&verifier, node->arena);
    LB_ENSURE(next.lost_key != NULL, LB_NO_MEMORY, "arena is full");
    *head = next;
    return LB_OK;
}

static lb_status try_note(struct lb_ctl_node *node, const struct lb_node *peer,
                          struct lb_span note, struct head *head)
{
    if (note.len == 0)
        return LB_OK;
    LB_TRY(try_key(node, note, peer->log_origin, peer->log_key, head));
    for (size_t i = 0; i < peer->num_former; i++)
        LB_TRY(try_key(node, note, peer->log_origin, peer->former[i].raw, head));
    return LB_OK;
}

static lb_status look(struct lb_ctl_node *node, const struct lb_node *peer, struct head *head)
{
    const char *folder = lb_arena_printf(node->arena, "%s/seen", node->config.state);
    struct lb_seen_head linked = {.size = 0};
    struct lb_span cosigned = LB_SPAN_EMPTY;
    LB_ENSURE(folder != NULL, LB_NO_MEMORY, "arena is full");
    lb_status status = lb_seen_read(folder, peer->log_origin, node->arena, &linked);
    if (status != LB_OK && status->code != LB_ABSENT)
        return status;
    status = node->env->cosigned(node->config.state, peer->log_origin, node->arena, &cosigned);
    if (status != LB_OK && status->code != LB_ABSENT)
        return status;
    head->size = linked.size;
    memcpy(head->root, linked.root.bytes, LB_HASH_BYTES);
    LB_TRY(try_note(node, peer, linked.note, head));
    return try_note(node, peer, cosigned, head);
}

/* --- all of them --- */

static const struct lb_ctl_column columns[] = {
    {"member", "member", "成员", LB_CTL_IN_TABLE, false},
    {"log", "log", "日志", LB_CTL_NOT_SHOWN, false},
    {"size", "entries", "条数", LB_CTL_IN_TABLE, true},
    {"provable", "provable", "可证明", LB_CTL_IN_TABLE, false},
    {"root", "root", "根", LB_CTL_IN_TABLE, false},
};

static lb_status list(struct lb_ctl_node *node)
{
    struct lb_ctl_sheet sheet;
    lb_ctl_sheet_init(&sheet, node->env, node->arena, columns,
                      sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < node->directory->num_nodes; i++) {
        const struct lb_node *peer = &node->directory->nodes[i];
        struct head head = {.size = 0};
        char hex[2 * LB_HASH_BYTES + 1];
        if (peer->log_origin == NULL || strcmp(peer->spiffe, node->config.node) == 0)
            continue;
        LB_TRY(look(node, peer, &head));
        if (head.size == 0)
            continue;
        lb_hex_encode(lb_span_of(head.root, LB_HASH_BYTES), hex);
        const char *yes = node->env->json ? "yes" : lb_ctl_pick(node->env, "是", "yes");
        const char *no = node->env->json ? "no" : lb_ctl_pick(node->env, "否", "no");
        const char *const cells[] = {peer->spiffe, peer->log_origin,
                                     lb_arena_printf(node->arena, "%" PRIu64, head.size),
                                     head.note.len > 0 ? yes : no, hex};
        lb_ctl_sheet_row(&sheet, cells);
    }
    return lb_ctl_sheet_print(&sheet, false);
}

/* --- one, signed --- */

static void free_key(struct lb_sign_key **key)
{
    lb_sign_key_free(*key);
}

static lb_status find_peer(struct seen *seen, const struct lb_node **out_peer)
{
    const struct lb_node *peer = lb_directory_node(seen->node.directory, seen->of);
    if (peer != NULL && peer->log_origin != NULL && strcmp(seen->of, seen->node.config.node) != 0) {
        *out_peer = peer;
        return LB_OK;
    }
    lb_diag_set(&seen->node.diag, "the directory lists no other member's log under that SPIFFE id");
    LB_FAIL(LB_CONFIG_INVALID, "no such member");
}

static lb_status prove(struct seen *seen, struct lb_seen_line *out_line)
{
    struct lb_ctl_node *node = &seen->node;
    const struct lb_node *peer = NULL;
    struct head head = {.size = 0};
    LB_DEFER(free_key) struct lb_sign_key *key = NULL;
    LB_TRY(find_peer(seen, &peer));
    LB_TRY(look(node, peer, &head));
    if (head.note.len == 0) {
        lb_diag_set(&node->diag, head.size == 0
                                     ? "this node has seen nothing of that log"
                                     : "this node has seen it, but kept no signed checkpoint");
        LB_FAIL(LB_ABSENT, "nothing can be proved");
    }
    struct lb_seen_line line = {.member = node->config.node, .size = head.size,
                                .lost_key = head.lost_key,
                                .unix_s = lb_clock_unix_s(node->env->clock)};
    memcpy(line.root, head.root, sizeof(line.root));
    memcpy(line.proof, head.proof, sizeof(line.proof));
    LB_TRY(lb_ctl_node_log_key(node, &key));
    LB_TRY(lb_seen_line_sign(&line, key, node->arena));
    *out_line = line;
    return LB_OK;
}

static lb_status say(struct seen *seen)
{
    struct lb_ctl_node *node = &seen->node;
    struct lb_seen_line line;
    struct lb_span text;
    LB_TRY(prove(seen, &line));
    LB_TRY(lb_seen_line_write(&line, node->arena, &text));
    if (!node->env->json) {
        (void)fwrite(text.ptr, 1, text.len, node->env->out);
        return LB_OK;
    }
    LB_DEFER(lb_json_freep) struct lb_json *json = lb_json_object();
    lb_json_set_cstr(json, "of", seen->of);
    lb_json_set_int(json, "size", (int64_t)line.size);
    lb_json_set_str(json, "line", lb_span_of(text.ptr, text.len - 1));
    return lb_ctl_print_json(node->env, json);
}

static lb_status work(struct lb_ctl_node *node, void *arg)
{
    struct seen *seen = arg;
    return seen->of == NULL ? list(node) : say(seen);
}

int lb_ctl_node_seen(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban node seen --config /etc/lianban/broker/node.yaml",
        "lianban node seen --config node.yaml --of spiffe://city.gov/adapter/tax > broker.seen",
        NULL,
    };
    struct seen seen = {.node = {.env = env, .command = "node seen"}};
    const struct lb_ctl_option options[] = {
        {.name = "config", .value = "FILE", .text = &seen.node.path, .required = true,
         .en = "this node's configuration", .zh = "本节点配置文件"},
        {.name = "of", .value = "SPIFFE", .text = &seen.of,
         .en = "whose log: one line, signed by this node's log key, for a recovery",
         .zh = "所见成员：输出一行由本节点日志密钥签名的证明，供恢复使用"},
    };
    const struct lb_ctl_usage usage = {
        .command = "node seen",
        .en = "list the newest checkpoints of other members' logs that this node has, or prove one",
        .zh = "列出本节点所见其他成员存证日志的最新检查点，或出具其中一份证明",
        .options = options, .num_options = sizeof(options) / sizeof(options[0]),
        .examples = examples,
    };
    int exit_code = lb_ctl_args(env, &usage, argc, argv, NULL);
    return exit_code == LB_CTL_GO ? lb_ctl_node_run(&seen.node, work, &seen) : exit_code;
}
