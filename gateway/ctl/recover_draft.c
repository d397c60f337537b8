#include <stdio.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/ctl/node.h"
#include "gateway/ctl/recover.h"
#include "gateway/evidence/inspect.h"
#include "gateway/note/note.h"

/* `node recover draft`: what the officers are to sign. Without --out it is shown, and nothing is
 * written. */

#define MAX_LINE_BYTES 4096

struct draft {
    struct lb_ctl_node node;
    struct lb_ctl_list seen;      /* files of `node seen --of` */
    struct lb_ctl_list officers;  /* SPIFFE ids */
    const char *kept;             /* a folder with the log of the last backup; NULL for none */
    const char *out, *public_out;
    struct lb_recovery recovery;
};

static lb_status refuse(struct draft *draft, enum lb_code code, const char *about,
                        const char *sentence)
{
    lb_diag_set(&draft->node.diag, "%s: %s", about, sentence);
    return lb_status_of(code);
}

/* Whatever log is still there is not lost. */
static lb_status check_state(struct draft *draft)
{
    const char *state = draft->node.config.state;
    const char *path = lb_arena_printf(draft->node.arena, "%s/evidence.db", state);
    LB_ENSURE(path != NULL, LB_NO_MEMORY, "arena is full");
    if (access(path, F_OK) != 0)
        return LB_OK;
    return refuse(draft, LB_CONFIG_INVALID, state,
                  "there is a log, and a recovery is for one that is lost; start the node, or, if "
                  "its peers have seen more of it, move the folder aside and name it by --kept");
}

static lb_status read_line(struct draft *draft, const char *path, struct lb_seen_line *out)
{
    struct lb_span text;
    lb_status status = lb_file_read(path, MAX_LINE_BYTES, draft->node.arena, &text);
    if (status == LB_OK && text.len > 0 && text.ptr[text.len - 1] == '\n')
        text.len--;
    if (status == LB_OK)
        status = lb_seen_line_read(text, draft->node.arena, out);
    if (status != LB_OK)
        lb_diag_set(&draft->node.diag, "%s: is no line of `lianban node seen --of` that holds: %s",
                    path, status->what);
    return status;
}

static lb_status read_lines(struct draft *draft)
{
    struct lb_seen_line *lines =
        lb_arena_array(draft->node.arena, draft->seen.num, sizeof(struct lb_seen_line));
    LB_ENSURE(lines != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < draft->seen.num; i++)
        LB_TRY(read_line(draft, draft->seen.items[i], &lines[i]));
    draft->recovery.seen = lines;
    draft->recovery.num_seen = draft->seen.num;
    return LB_OK;
}

static lb_status find_officer(struct draft *draft, const char *spiffe,
                              struct lb_recovery_officer *out)
{
    struct lb_ctl_node *node = &draft->node;
    LB_DEFER(lb_note_verifier_cleanup) struct lb_note_verifier verifier = {.key = NULL};
    const struct lb_node *officer = lb_directory_node(node->directory, spiffe);
    if (officer == NULL || officer->log_origin == NULL)
        return refuse(draft, LB_CONFIG_INVALID, "--officer",
                      "the directory lists no officer of that SPIFFE id with a key of its own "
                      "(`lianban keys log`, as `log_key` in the directory)");
    LB_TRY(lb_note_verifier_init(officer->log_origin, officer->log_key, &verifier));
    out->spiffe = officer->spiffe;
    out->key = lb_note_verifier_format(&verifier, node->arena);
    LB_ENSURE(out->key != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static void free_key(struct lb_sign_key **key)
{
    lb_sign_key_free(*key);
}

/* The next log of this node, under the key that its configuration names now. */
static lb_status name_log(struct draft *draft)
{
    struct lb_ctl_node *node = &draft->node;
    LB_DEFER(free_key) struct lb_sign_key *key = NULL;
    LB_DEFER(lb_note_verifier_cleanup) struct lb_note_verifier verifier = {.key = NULL};
    uint8_t public_key[LB_P256_PUBLIC_BYTES];
    const struct lb_node *self = lb_directory_node(node->directory, node->config.node);
    if (self == NULL || self->log_origin == NULL)
        return refuse(draft, LB_CONFIG_INVALID, node->config.node,
                      "the directory does not list this node with a log");
    LB_TRY(lb_ctl_node_log_key(node, &key));
    (void)lb_sign_key_public(key, public_key);
    int number = lb_spiffe_log_number(self->spiffe, self->log_origin);
    const char *origin = lb_spiffe_log_named(self->spiffe, number + 1, node->arena);
    LB_ENSURE(origin != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_note_verifier_init(origin, public_key, &verifier));
    draft->recovery.spiffe = self->spiffe;
    draft->recovery.log_key = lb_note_verifier_format(&verifier, node->arena);
    LB_ENSURE(draft->recovery.log_key != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

/* What a backup has is verified like any log, by the key of the lost one. */
static lb_status verify_kept(struct draft *draft, struct lb_log_verdict *out)
{
    struct lb_ctl_node *node = &draft->node;
    const struct lb_node *self = lb_directory_node(node->directory, node->config.node);
    LB_DEFER(lb_log_reader_closep) struct lb_log_reader *reader = NULL;
    LB_TRY(lb_log_reader_open(draft->kept, &node->diag, &reader));
    lb_status status = LB_OK;
    for (size_t i = 0; i <= self->num_former; i++) {
        LB_DEFER(lb_note_verifier_cleanup) struct lb_note_verifier verifier = {.key = NULL};
        LB_TRY(lb_note_verifier_init(self->log_origin,
                                     i == 0 ? self->log_key : self->former[i - 1].raw, &verifier));
        status = lb_log_reader_verify(reader, &verifier, &node->diag, out);
        if (status == LB_OK)
            return LB_OK;
    }
    return status;
}

static lb_status measure_kept(struct draft *draft)
{
    struct lb_recovery *recovery = &draft->recovery;
    struct lb_log_verdict verdict = {.size = 0};
    lb_merkle_empty(&verdict.root);
    if (draft->kept != NULL)
        LB_TRY(verify_kept(draft, &verdict));
    recovery->kept_size = verdict.size;
    memcpy(recovery->kept_root, verdict.root.bytes, sizeof(recovery->kept_root));
    return LB_OK;
}

static lb_status put_together(struct draft *draft, struct lb_span *out_text)
{
    LB_TRY(check_state(draft));
    LB_TRY(name_log(draft));
    LB_TRY(read_lines(draft));
    for (size_t i = 0; i < LB_RECOVERY_OFFICERS; i++)
        LB_TRY(find_officer(draft, draft->officers.items[i], &draft->recovery.officers[i]));
    LB_TRY(measure_kept(draft));
    draft->recovery.unix_s = lb_clock_unix_s(draft->node.env->clock);
    return lb_recovery_write(&draft->recovery, draft->node.arena, out_text);
}

static lb_status write_out(struct draft *draft, const char *path, struct lb_span text)
{
    if (path == NULL)
        return LB_OK;
    lb_status status = lb_file_write(path, text, 0644);
    if (status != LB_OK)
        lb_diag_set(&draft->node.diag, "%s: cannot be written", path);
    return status;
}

/* What was put together is read again, as anybody else will read it. */
static lb_status work(struct lb_ctl_node *node, void *arg)
{
    struct draft *draft = arg;
    struct lb_ctl_recovery own = {.env = node->env, .arena = node->arena, .diag = &node->diag,
                                  .directory = node->directory};
    struct lb_span text;
    LB_TRY(put_together(draft, &text));
    lb_status status = lb_recovery_read(text, node->arena, &own.recovery);
    if (status != LB_OK)
        lb_diag_set(&node->diag, "no recovery can be made of this: %s", status->what);
    LB_TRY(status);
    LB_TRY(lb_ctl_recovery_check(&own));
    const char *vkey = lb_arena_printf(node->arena, "%s\n", own.recovery.log_key);
    LB_ENSURE(vkey != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(write_out(draft, draft->public_out, lb_span_str(vkey)));
    LB_TRY(write_out(draft, draft->out, text));
    return lb_ctl_recovery_print(&own);
}

static const char *const draft_examples[] = {
    "lianban node recover draft --config node.yaml --seen broker.seen --seen health.seen"
    " --officer spiffe://F/officer/tax/li --officer spiffe://F/officer/tax/wang"
    " --kept /backup/tax/state --out recovery.note --public log-r1.vkey",
    NULL,
};

int lb_ctl_recover_draft(struct lb_ctl_env *env, int argc, char **argv)
{
    struct draft draft = {.node = {.env = env, .command = "node recover draft"}};
    const struct lb_ctl_option options[] = {
        {.name = "config", .value = "FILE", .text = &draft.node.path, .required = true,
         .en = "the lost node's configuration; its log_key is a new key",
         .zh = "丢失存证的节点的配置文件，其中 log_key 为新密钥"},
        {.name = "seen", .value = "FILE", .list = &draft.seen, .required = true,
         .en = "a member's line of `node seen --of`; once for each member that saw the log",
         .zh = "成员用 node seen --of 出具的证明，每个成员一份"},
        {.name = "officer", .value = "SPIFFE", .list = &draft.officers, .required = true,
         .en = "who is to sign: two officers of the node's organization",
         .zh = "签署人：本单位的两名安全员"},
        {.name = "kept", .value = "FOLDER", .text = &draft.kept,
         .en = "the lost log as far as a backup has it (its state folder)",
         .zh = "备份中尚存的日志（其 state 目录）"},
        {.name = "out", .value = "FILE", .text = &draft.out,
         .en = "where it goes; without it nothing is written", .zh = "写入的文件；缺省只显示不写入"},
        {.name = "public", .value = "FILE", .text = &draft.public_out,
         .en = "write the new log's verifier key there, for the directory",
         .zh = "新日志的验证公钥写入此文件，供成员目录使用"},
    };
    const struct lb_ctl_usage usage = {
        .command = "node recover draft",
        .en = "put together what two officers are to sign: the new log, and what is lost",
        .zh = "汇集供两名安全员签署的恢复书：新日志，以及确认丢失的内容",
        .options = options, .num_options = sizeof(options) / sizeof(options[0]),
        .examples = draft_examples,
    };
    int exit_code = lb_ctl_args(env, &usage, argc, argv, NULL);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    if (draft.officers.num != LB_RECOVERY_OFFICERS)
        return lb_ctl_usage_error(env, draft.node.command, "give --officer twice");
    if (draft.seen.num > LB_RECOVERY_MAX_SEEN)
        return lb_ctl_usage_error(env, draft.node.command, "at most %d times --seen",
                                  LB_RECOVERY_MAX_SEEN);
    return lb_ctl_node_run(&draft.node, work, &draft);
}
