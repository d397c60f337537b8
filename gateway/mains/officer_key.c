#include "gateway/mains/officer_key.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/base/log.h"
#include "gateway/crypto/b64.h"

#define KEY_BYTES 32
#define MAX_FILE_BYTES 64
#define ARENA_BYTES 4096

static lb_status parse_key(struct lb_span text, struct lb_arena *arena, uint8_t out[KEY_BYTES])
{
    struct lb_span key = LB_SPAN_EMPTY;
    LB_ENSURE(lb_b64url_decode(arena, text, &key) == LB_OK && key.len == KEY_BYTES,
              LB_CONFIG_INVALID, "the officer's key is not an X25519 public key in base64url");
    memcpy(out, key.ptr, KEY_BYTES);
    return LB_OK;
}

/* It is no secret, but who can write it can read what is written from then on. */
static lb_status read_file(const char *path, uint8_t out[KEY_BYTES])
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(ARENA_BYTES);
    struct lb_span text = LB_SPAN_EMPTY;
    struct stat info;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "officer's key");
    bool own = stat(path, &info) == 0 && (info.st_mode & (S_IWGRP | S_IWOTH)) == 0 &&
               (info.st_uid == geteuid() || info.st_uid == 0);
    LB_ENSURE(own, LB_FILE_FAILED, "the officer's key is not there, or others can write it");
    LB_TRY(lb_file_read(path, MAX_FILE_BYTES, arena, &text));
    while (text.len > 0 && (text.ptr[text.len - 1] == '\n' || text.ptr[text.len - 1] == '\r'))
        text.len--;
    return parse_key(text, arena, out);
}

static lb_status read_inline(struct lb_node_program *node, const struct lb_yaml_node *item)
{
    const char *text = NULL;
    LB_TRY(lb_yaml_text(item, &node->diag, &text));
    if (parse_key(lb_span_str(text), node->arena, node->officer_key) != LB_OK)
        return lb_yaml_fail(item, &node->diag,
                            "officer_key must be an X25519 public key in base64url");
    node->has_officer = true;
    return LB_OK;
}

lb_status lb_node_officer_read(struct lb_node_program *node)
{
    const struct lb_yaml_node *text = lb_yaml_get(node->root, "officer_key");
    const struct lb_yaml_node *file = lb_yaml_get(node->root, "officer_key_file");
    if (text != NULL && file != NULL)
        return lb_yaml_fail(file, &node->diag,
                            "say officer_key or officer_key_file, not both");
    if (text != NULL)
        return read_inline(node, text);
    if (file == NULL)
        return LB_OK;
    LB_TRY(lb_node_need_path(node, node->root, "officer_key_file", &node->officer_key_path));
    lb_status status = read_file(node->officer_key_path, node->officer_key);
    if (status != LB_OK)
        return lb_node_refuse(node, status->code,
                              "%s: must hold the officer's public key in base64url (`lianban keys "
                              "officer --public`), and nobody but this user may write it",
                              node->officer_key_path);
    node->has_officer = true;
    return LB_OK;
}

static lb_status change(struct lb_node_program *node, bool *out_changed)
{
    uint8_t key[KEY_BYTES];
    *out_changed = false;
    LB_TRY(read_file(node->officer_key_path, key));
    if (lb_span_eq(lb_span_of(key, sizeof(key)), lb_span_of(node->officer_key, KEY_BYTES)))
        return LB_OK;
    LB_TRY(lb_log_change_officer(node->log, key));
    memcpy(node->officer_key, key, sizeof(key));
    *out_changed = true;
    return LB_OK;
}

void lb_node_officer_look(struct lb_node_program *node)
{
    bool changed = false;
    if (node->log == NULL || node->officer_key_path == NULL)
        return;
    lb_status status = change(node, &changed);
    if (status != LB_OK && !node->officer_key_failing)
        lb_log_failure("officer_key_not_changed", status);
    if (changed)
        lb_log_event(LB_LOG_INFO, "officer_key_changed", "\"node\":\"%s\"", node->spiffe);
    node->officer_key_failing = status != LB_OK;
}

lb_status lb_node_officer_start(struct lb_node_program *node)
{
    if (node->log == NULL)
        return LB_OK;
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    LB_ENSURE(entry != NULL, LB_NO_MEMORY, "entry");
    entry->leaf = (struct lb_leaf){.type = LB_LEAF_ADMIN, .code = "STARTED", .count = 1};
    if (node->has_officer)
        lb_log_officer_hash(node->officer_key, entry->leaf.request_hash);
    lb_status status = lb_log_append_wait(node->log, entry);
    free(entry);
    return status;
}
