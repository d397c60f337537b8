#include "gateway/config/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/file.h"
#include "gateway/base/limits.h"
#include "gateway/config/yaml_node.h"

static lb_status new_file(const char *name, struct lb_yaml **out)
{
    struct lb_yaml *file = calloc(1, sizeof(*file));
    LB_ENSURE(file != NULL, LB_NO_MEMORY, "memory is exhausted");
    file->arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    if (file->arena != NULL)
        file->name = lb_arena_str(file->arena, lb_span_str(name));
    if (file->name == NULL) {
        lb_yaml_free(file);
        LB_FAIL(LB_NO_MEMORY, "memory is exhausted");
    }
    *out = file;
    return LB_OK;
}

/* The reason a file could not be taken in at all, before it has lines. */
static lb_status tell_unread(lb_status status, const char *name, struct lb_diag *diag)
{
    enum lb_code code = lb_status_code(status);
    if (code == LB_TOO_LARGE)
        lb_diag_set(diag, "%s: larger than %d bytes; split it", name, LB_MAX_CONFIG_FILE_BYTES);
    else if (code == LB_NO_MEMORY)
        lb_diag_set(diag, "%s: memory is exhausted", name);
    else if (code != LB_CODE_OK)
        lb_diag_set(diag, "%s: %s; check that it exists and that this account may read it", name,
                    status->what);
    return status;
}

static lb_status copy_text(struct lb_yaml *file, struct lb_span text)
{
    LB_ENSURE(text.len <= LB_MAX_CONFIG_FILE_BYTES, LB_TOO_LARGE, "file is larger than allowed");
    return lb_arena_copy(file->arena, text, &file->bytes);
}

lb_status lb_yaml_load_file(const char *path, struct lb_diag *diag, struct lb_yaml **out)
{
    LB_DEFER(lb_yaml_freep) struct lb_yaml *file = NULL;
    LB_TRY(tell_unread(new_file(path, &file), path, diag));
    LB_TRY(tell_unread(
        lb_file_read(path, LB_MAX_CONFIG_FILE_BYTES, file->arena, &file->bytes), path, diag));
    LB_TRY(lb_yaml_build(file, diag));
    *out = file;
    file = NULL;
    return LB_OK;
}

lb_status lb_yaml_load_text(struct lb_span text, const char *name, struct lb_diag *diag,
                            struct lb_yaml **out)
{
    LB_DEFER(lb_yaml_freep) struct lb_yaml *file = NULL;
    LB_TRY(tell_unread(new_file(name, &file), name, diag));
    LB_TRY(tell_unread(copy_text(file, text), name, diag));
    LB_TRY(lb_yaml_build(file, diag));
    *out = file;
    file = NULL;
    return LB_OK;
}

void lb_yaml_free(struct lb_yaml *yaml)
{
    if (yaml == NULL)
        return;
    lb_arena_free(yaml->arena);
    free(yaml);
}

void lb_yaml_freep(struct lb_yaml **yaml)
{
    lb_yaml_free(*yaml);
    *yaml = NULL;
}

const struct lb_yaml_node *lb_yaml_root(const struct lb_yaml *yaml)
{
    return yaml->root;
}

struct lb_span lb_yaml_bytes(const struct lb_yaml *yaml)
{
    return yaml->bytes;
}

enum lb_yaml_kind lb_yaml_kind_of(const struct lb_yaml_node *node)
{
    return node->kind;
}

int lb_yaml_line(const struct lb_yaml_node *node)
{
    return node->line;
}

__attribute__((format(printf, 4, 0)))
static lb_status fail_with(const struct lb_yaml *file, int line, struct lb_diag *diag,
                           const char *format, va_list args)
{
    struct lb_diag message;
    (void)vsnprintf(message.text, sizeof(message.text), format, args);
    lb_diag_set(diag, "%s:%d: %s", file->name, line, message.text);
    LB_FAIL(LB_CONFIG_INVALID, "a configuration file has a mistake");
}

lb_status lb_yaml_fail_at(const struct lb_yaml *file, int line, struct lb_diag *diag,
                          const char *format, ...)
{
    va_list args;
    va_start(args, format);
    lb_status status = fail_with(file, line, diag, format, args);
    va_end(args);
    return status;
}

lb_status lb_yaml_fail(const struct lb_yaml_node *node, struct lb_diag *diag, const char *format,
                       ...)
{
    va_list args;
    va_start(args, format);
    lb_status status = fail_with(node->file, node->line, diag, format, args);
    va_end(args);
    return status;
}

static bool is_listed(const char *key, const char *const *keys)
{
    for (; *keys != NULL; keys++) {
        if (strcmp(key, *keys) == 0)
            return true;
    }
    return false;
}

/* A list that does not fit is cut; lb_diag_set would cut it as well. */
static lb_status fail_unknown(const struct lb_yaml_node *member, const char *const *keys,
                              struct lb_diag *diag)
{
    char known[sizeof(diag->text)] = "";
    size_t len = 0;
    for (size_t i = 0; keys[i] != NULL && len < sizeof(known); i++)
        len += (size_t)snprintf(known + len, sizeof(known) - len, "%s%s", i == 0 ? "" : ", ",
                                keys[i]);
    return lb_yaml_fail_at(member->file, member->key_line, diag,
                           "unknown key \"%s\"; known keys: %s", lb_yaml_shown_key(member->key),
                           known);
}

/* A digit or two are part of a word, an identity number is not. */
#define MAX_SHOWN_DIGITS 4

const char *lb_yaml_shown_key(const char *key)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    static const char others[] = ".-";
    size_t num_digits = 0;
    bool is_word = strchr(letters, key[0]) != NULL && strlen(key) <= LB_MAX_NAME_BYTES;
    for (size_t i = 0; is_word && key[i] != 0; i++) {
        num_digits += key[i] >= '0' && key[i] <= '9';
        is_word = (key[i] >= '0' && key[i] <= '9') || strchr(letters, key[i]) != NULL ||
                  strchr(others, key[i]) != NULL;
    }
    return is_word && num_digits <= MAX_SHOWN_DIGITS ? key : "(not shown)";
}

const char *lb_yaml_label(const struct lb_yaml_node *node)
{
    return node->key == NULL ? "this value" : lb_yaml_shown_key(node->key);
}

lb_status lb_yaml_need_map(const struct lb_yaml_node *node, struct lb_diag *diag)
{
    if (node->kind == LB_YAML_MAP)
        return LB_OK;
    return lb_yaml_fail(node, diag, "%s must be a map; write \"key: value\" lines",
                        lb_yaml_label(node));
}

lb_status lb_yaml_only(const struct lb_yaml_node *map, const char *const *keys,
                       struct lb_diag *diag)
{
    LB_TRY(lb_yaml_need_map(map, diag));
    for (size_t i = 0; i < map->num; i++) {
        if (!is_listed(map->items[i]->key, keys))
            return fail_unknown(map->items[i], keys, diag);
    }
    return LB_OK;
}

const struct lb_yaml_node *lb_yaml_get(const struct lb_yaml_node *map, const char *key)
{
    if (map->kind != LB_YAML_MAP)
        return NULL;
    for (size_t i = 0; i < map->num; i++) {
        if (strcmp(map->items[i]->key, key) == 0)
            return map->items[i];
    }
    return NULL;
}

lb_status lb_yaml_need(const struct lb_yaml_node *map, const char *key, struct lb_diag *diag,
                       const struct lb_yaml_node **out)
{
    LB_TRY(lb_yaml_need_map(map, diag));
    const struct lb_yaml_node *found = lb_yaml_get(map, key);
    if (found == NULL)
        return lb_yaml_fail(map, diag, "key \"%s\" is missing; add it", key);
    *out = found;
    return LB_OK;
}

size_t lb_yaml_len(const struct lb_yaml_node *node)
{
    return node->num;
}

const struct lb_yaml_node *lb_yaml_item(const struct lb_yaml_node *list, size_t index)
{
    return list->kind == LB_YAML_LIST && index < list->num ? list->items[index] : NULL;
}

const struct lb_yaml_node *lb_yaml_member(const struct lb_yaml_node *map, size_t index,
                                          const char **out_key)
{
    if (map->kind != LB_YAML_MAP || index >= map->num)
        return NULL;
    *out_key = map->items[index]->key;
    return map->items[index];
}
