#include <stdlib.h>
#include <unistd.h>

#include "gateway/ctl/node.h"
#include "gateway/ctl/recover.h"
#include "gateway/ctl/say.h"
#include "gateway/evidence/log.h"
#include "gateway/note/note.h"

/* `node recover begin`: the new log, whose first entry is the recovery. Killed anywhere, it goes on
 * where it was when it is run again: an empty log gets its entry, and one that has it is left as it
 * is. */

#define FIRST_ARENA_BYTES (16 * 1024)

struct begin {
    struct lb_ctl_node node;
    const char *note;
    bool dry_run;
    struct lb_ctl_recovery own;
    struct lb_sign_key *key;
    struct lb_log *log;
};

static lb_status refuse(struct begin *begin, enum lb_code code, const char *about,
                        const char *sentence)
{
    lb_diag_set(&begin->node.diag, "%s: %s", about, sentence);
    return lb_status_of(code);
}

/* By both officers, for this node, under the key it has. */
static lb_status check_note(struct begin *begin)
{
    struct lb_ctl_node *node = &begin->node;
    const struct lb_recovery *recovery = &begin->own.recovery;
    LB_DEFER(lb_note_verifier_cleanup) struct lb_note_verifier verifier = {.key = NULL};
    uint8_t public_key[LB_P256_PUBLIC_BYTES];
    struct lb_span note;
    LB_TRY(lb_ctl_recovery_load(&begin->own, begin->note, &note));
    LB_TRY(lb_ctl_recovery_check(&begin->own));
    if (begin->own.num_signed != LB_RECOVERY_OFFICERS)
        return refuse(begin, LB_SIGNATURE_INVALID, begin->note, "both officers have to sign it");
    if (strcmp(recovery->spiffe, node->config.node) != 0)
        return refuse(begin, LB_CONFIG_INVALID, begin->note, "is another node's");
    LB_TRY(lb_ctl_node_log_key(node, &begin->key));
    (void)lb_sign_key_public(begin->key, public_key);
    LB_TRY(lb_note_verifier_parse(lb_span_str(recovery->log_key), &verifier));
    if (memcmp(verifier.public_key, public_key, sizeof(verifier.public_key)) != 0)
        return refuse(begin, LB_CONFIG_INVALID, node->path,
                      "its log_key is not the key of the new log");
    return LB_OK;
}

static lb_status open_log(struct begin *begin)
{
    struct lb_ctl_node *node = &begin->node;
    const struct lb_log_options options = {
        .folder = node->config.state,
        .origin = begin->own.recovery.log_origin,
        .key = begin->key,
        .clock = node->env->clock,
        .create = true,
        .marks = node->config.marks,
    };
    lb_status status = lb_log_open(&options, &node->diag, &begin->log);
    if (lb_status_code(status) == LB_LOG_FORK || lb_status_code(status) == LB_LOG_BEHIND)
        return refuse(begin, status->code, node->config.state,
                      "there is another log, or a damaged one; if it is the lost one as far as it "
                      "was kept, move it aside: nothing is begun over it");
    return status;
}

/* Whether the log has this recovery already; it has it first, or not at all. */
static lb_status is_begun(struct begin *begin, bool *out_is)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(FIRST_ARENA_BYTES);
    struct lb_log_head head;
    struct lb_span bytes;
    struct lb_leaf first;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    LB_TRY(lb_log_head(begin->log, arena, &head));
    *out_is = head.size > 0;
    if (head.size == 0)
        return LB_OK;
    LB_TRY(lb_log_leaf(begin->log, 0, arena, &bytes));
    LB_TRY(lb_leaf_decode(bytes, &first));
    if (first.type == LB_LEAF_RECOVERY &&
        memcmp(first.request_hash, begin->own.recovery.sha256, 32) == 0)
        return LB_OK;
    return refuse(begin, LB_LOG_FORK, begin->node.config.state,
                  "its log has begun with something else");
}

/* The lost log's root stands where an answer's hash would. */
static lb_status append(struct begin *begin)
{
    const struct lb_recovery *recovery = &begin->own.recovery;
    uint64_t lost = recovery->lost->size - recovery->kept_size;
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    LB_ENSURE(entry != NULL, LB_NO_MEMORY, "entry");
    entry->leaf = (struct lb_leaf){.type = LB_LEAF_RECOVERY, .code = "RECOVERED",
                                   .count = lost < UINT32_MAX ? (uint32_t)lost : UINT32_MAX};
    memcpy(entry->leaf.request_hash, recovery->sha256, sizeof(recovery->sha256));
    memcpy(entry->leaf.answer_hash, recovery->lost->root, sizeof(recovery->lost->root));
    lb_status status = lb_log_append_wait(begin->log, entry);
    free(entry);
    return status;
}

static lb_status write_log(struct begin *begin)
{
    bool begun = false;
    LB_TRY(open_log(begin));
    lb_status status = is_begun(begin, &begun);
    if (status == LB_OK && !begun)
        status = append(begin);
    lb_log_close(begin->log);
    LB_TRY(status);
    lb_ctl_note(begin->node.env, begun ? "%s has begun already; nothing was changed" : "%s begins",
                begin->own.recovery.log_origin);
    return LB_OK;
}

static lb_status look_only(struct begin *begin)
{
    const char *state = begin->node.config.state;
    const char *path = lb_arena_printf(begin->node.arena, "%s/evidence.db", state);
    LB_ENSURE(path != NULL, LB_NO_MEMORY, "arena is full");
    lb_ctl_note(begin->node.env, access(path, F_OK) == 0
                                     ? "would go on with the log in %s, if that is the new one"
                                     : "would begin a log in %s", state);
    return LB_OK;
}

static lb_status work(struct lb_ctl_node *node, void *arg)
{
    struct begin *begin = arg;
    begin->own = (struct lb_ctl_recovery){.env = node->env, .arena = node->arena,
                                          .diag = &node->diag, .directory = node->directory};
    LB_TRY(check_note(begin));
    LB_TRY(begin->dry_run ? look_only(begin) : write_log(begin));
    return lb_ctl_recovery_print(&begin->own);
}

int lb_ctl_recover_begin(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban node recover begin --config node.yaml --note recovery.note --dry-run",
        "lianban node recover begin --config node.yaml --note recovery.note",
        NULL,
    };
    struct begin begin = {.node = {.env = env, .command = "node recover begin"}};
    const struct lb_ctl_option options[] = {
        {.name = "config", .value = "FILE", .text = &begin.node.path, .required = true,
         .en = "the lost node's configuration", .zh = "丢失存证的节点的配置文件"},
        {.name = "note", .value = "FILE", .text = &begin.note, .required = true,
         .en = "the recovery that both officers have signed", .zh = "两名安全员均已签署的恢复书"},
        {.name = "dry-run", .flag = &begin.dry_run,
         .en = "check everything, and say what would be done", .zh = "只核验并说明将做什么"},
    };
    const struct lb_ctl_usage usage = {
        .command = "node recover begin",
        .en = "begin the node's new log, as its account, with the recovery as first entry; run "
              "again, it changes nothing",
        .zh = "以节点账号启用新日志，第一条即为恢复书；可重复执行",
        .options = options, .num_options = sizeof(options) / sizeof(options[0]),
        .examples = examples,
    };
    int exit_code = lb_ctl_args(env, &usage, argc, argv, NULL);
    if (exit_code == LB_CTL_GO)
        exit_code = lb_ctl_node_run(&begin.node, work, &begin);
    lb_sign_key_free(begin.key);
    return exit_code;
}
