#include <inttypes.h>

#include "gateway/base/file.h"
#include "gateway/base/hex.h"
#include "gateway/ctl/recover.h"
#include "gateway/ctl/sheet.h"
#include "gateway/ctl/text.h"
#include "gateway/note/note.h"

/* What a recovery says, and whether the directory bears it out. */

/* --- reading --- */

static bool has_signed(const struct lb_recovery_officer *officer, struct lb_span note)
{
    LB_DEFER(lb_note_verifier_cleanup) struct lb_note_verifier verifier = {.key = NULL};
    uint8_t signature[LB_SIGNATURE_BYTES];
    return lb_note_verifier_parse(lb_span_str(officer->key), &verifier) == LB_OK &&
           lb_note_signature_of(note, &verifier, signature) == LB_OK;
}

lb_status lb_ctl_recovery_load(struct lb_ctl_recovery *own, const char *path,
                               struct lb_span *out_note)
{
    struct lb_span note;
    lb_status status = lb_file_read(path, LB_RECOVERY_MAX_BYTES, own->arena, &note);
    if (status == LB_OK)
        status = lb_recovery_read(lb_recovery_text(note), own->arena, &own->recovery);
    if (status != LB_OK)
        lb_diag_set(own->diag, "%s: is no recovery that holds: %s", path, status->what);
    LB_TRY(status);
    own->num_signed = 0;
    for (size_t i = 0; i < LB_RECOVERY_OFFICERS; i++)
        own->num_signed += has_signed(&own->recovery.officers[i], note) ? 1 : 0;
    *out_note = note;
    return LB_OK;
}

/* --- judging --- */

static lb_status refuse(const struct lb_ctl_recovery *own, const char *who, const char *sentence)
{
    lb_diag_set(own->diag, "%s %s", who, sentence);
    LB_FAIL(LB_CONFIG_INVALID, "the directory does not bear it out");
}

static bool is_key(const char *origin, const uint8_t public_key[32], const char *vkey)
{
    LB_DEFER(lb_note_verifier_cleanup) struct lb_note_verifier verifier = {.key = NULL};
    return lb_note_verifier_parse(lb_span_str(vkey), &verifier) == LB_OK &&
           strcmp(verifier.name, origin) == 0 && memcmp(verifier.public_key, public_key, 32) == 0;
}

static bool is_listed(const struct lb_node *node, const char *vkey)
{
    bool listed = node != NULL && node->log_origin != NULL &&
                  is_key(node->log_origin, node->log_key, vkey);
    for (size_t i = 0; node != NULL && i < node->num_former && !listed; i++)
        listed = strcmp(node->former[i].key, vkey) == 0;
    return listed;
}

static lb_status check_logs(const struct lb_ctl_recovery *own)
{
    const struct lb_recovery *recovery = &own->recovery;
    const struct lb_node *node = lb_directory_node(own->directory, recovery->spiffe);
    if (node == NULL || node->log_origin == NULL)
        return refuse(own, recovery->spiffe, "is not listed with a log");
    for (size_t i = 0; i < node->num_recoveries; i++) {
        if (memcmp(node->recoveries[i].sha256, recovery->sha256, sizeof(recovery->sha256)) == 0)
            return LB_OK; /* it is in force, or was */
    }
    if (strcmp(node->log_origin, recovery->lost_origin) != 0)
        return refuse(own, recovery->spiffe, "has another log by now than this is about");
    for (size_t i = 0; i < recovery->num_seen; i++) {
        if (!is_listed(node, recovery->seen[i].lost_key))
            return refuse(own, recovery->seen[i].member,
                          "shows a checkpoint by a key that was never that log's");
    }
    return LB_OK;
}

static lb_status check_member(const struct lb_ctl_recovery *own, const struct lb_seen_line *line)
{
    const struct lb_node *member = lb_directory_node(own->directory, line->member);
    if (member == NULL || member->log_origin == NULL)
        return refuse(own, line->member, "is no member with a log; what it says does not count");
    if (strcmp(line->member, own->recovery.spiffe) == 0)
        return refuse(own, line->member, "speaks for itself");
    lb_status status = lb_seen_line_check(line, member->log_key, own->arena);
    for (size_t i = 0; i < member->num_former && status != LB_OK; i++)
        status = lb_seen_line_check(line, member->former[i].raw, own->arena);
    if (status != LB_OK)
        lb_diag_set(own->diag, "the line of %s is not signed by its log key", line->member);
    return status;
}

lb_status lb_ctl_recovery_check(struct lb_ctl_recovery *own)
{
    const struct lb_recovery *recovery = &own->recovery;
    LB_TRY(check_logs(own));
    for (size_t i = 0; i < LB_RECOVERY_OFFICERS; i++) {
        const struct lb_recovery_officer *officer = &recovery->officers[i];
        if (!is_listed(lb_directory_node(own->directory, officer->spiffe), officer->key))
            return refuse(own, officer->spiffe, "is not listed with this key");
    }
    for (size_t i = 0; i < recovery->num_seen; i++)
        LB_TRY(check_member(own, &recovery->seen[i]));
    return LB_OK;
}

/* --- printing --- */

static const struct lb_ctl_column columns[] = {
    {"member", "seen by", "所见成员", LB_CTL_IN_TABLE, false},
    {"time", "said at", "出具时间", LB_CTL_IN_TABLE, false},
    {"size", "entries", "条数", LB_CTL_IN_TABLE, true},
    {"root", "root", "根", LB_CTL_IN_TABLE, false},
};

static const char *hex_of(struct lb_arena *arena, const uint8_t hash[32])
{
    char hex[65];
    lb_hex_encode(lb_span_of(hash, 32), hex);
    return lb_arena_str(arena, lb_span_str(hex));
}

/* Those who must have seen the log, and say nothing: brokers of a department's, departments of a
 * broker's. Of witnesses the directory does not know. */
static const char *silent_ones(const struct lb_ctl_recovery *own)
{
    const struct lb_node *node = lb_directory_node(own->directory, own->recovery.spiffe);
    enum lb_node_kind kind = node->kind == LB_NODE_ADAPTER ? LB_NODE_BROKER : LB_NODE_ADAPTER;
    const char *names = "";
    for (size_t i = 0; i < own->directory->num_nodes && names != NULL; i++) {
        const struct lb_node *other = &own->directory->nodes[i];
        bool linked = node->kind == LB_NODE_ADAPTER || node->kind == LB_NODE_BROKER;
        bool speaks = other->kind != kind || !linked;
        for (size_t k = 0; k < own->recovery.num_seen && !speaks; k++)
            speaks = strcmp(own->recovery.seen[k].member, other->spiffe) == 0;
        if (!speaks)
            names = lb_arena_printf(own->arena, "%s%s%s", names, names[0] == 0 ? "" : " ",
                                    other->spiffe);
    }
    return names;
}

static void add_gap(struct lb_ctl_sheet *sheet, const struct lb_recovery *recovery)
{
    struct lb_arena *arena = sheet->arena;
    lb_ctl_sheet_fact(sheet, "node", "节点", "node", recovery->spiffe);
    lb_ctl_sheet_fact(sheet, "lost", "丢失的日志", "lost log", recovery->lost_origin);
    lb_ctl_sheet_number(sheet, "kept", "备份中仍有的条数", "entries still kept",
                        (int64_t)recovery->kept_size);
    lb_ctl_sheet_number(sheet, "seen", "其他成员所见条数", "entries others have seen",
                        (int64_t)recovery->lost->size);
    lb_ctl_sheet_fact(
        sheet, "gap", "缺口", "gap",
        lb_arena_printf(arena, "%" PRIu64 "-%" PRIu64, recovery->kept_size,
                        recovery->lost->size - 1));
    lb_ctl_sheet_fact(sheet, "log", "新日志", "new log", recovery->log_key);
    lb_ctl_sheet_fact(sheet, "sha256", "恢复书摘要", "SHA-256 of what is signed",
                      hex_of(arena, recovery->sha256));
}

lb_status lb_ctl_recovery_print(const struct lb_ctl_recovery *own)
{
    const struct lb_recovery *recovery = &own->recovery;
    struct lb_ctl_sheet sheet;
    lb_ctl_sheet_init(&sheet, own->env, own->arena, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < recovery->num_seen; i++) {
        const struct lb_seen_line *line = &recovery->seen[i];
        char time[LB_CTL_TIME_BYTES];
        lb_ctl_time(line->unix_s * 1000, time);
        const char *const cells[] = {line->member, time,
                                     lb_arena_printf(own->arena, "%" PRIu64, line->size),
                                     hex_of(own->arena, line->root)};
        lb_ctl_sheet_row(&sheet, cells);
    }
    add_gap(&sheet, recovery);
    for (size_t i = 0; i < LB_RECOVERY_OFFICERS; i++)
        lb_ctl_sheet_fact(&sheet, i == 0 ? "officer_1" : "officer_2", "安全员", "officer",
                          recovery->officers[i].spiffe);
    lb_ctl_sheet_fact(&sheet, "silent", "应见过而未出具证明的成员", "must have seen it, and say nothing",
                      silent_ones(own));
    lb_ctl_sheet_number(&sheet, "signed", "已签署人数", "have signed", (int64_t)own->num_signed);
    lb_ctl_sheet_fact(&sheet, "accept", "各成员确认后加入 state/trust/accept 的一行",
                      "line for each member's state/trust/accept, once confirmed",
                      lb_arena_printf(own->arena, "%s %s", recovery->spiffe, recovery->log_key));
    return lb_ctl_sheet_print(&sheet, false);
}
