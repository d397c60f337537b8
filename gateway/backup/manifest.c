#include "gateway/backup/manifest.h"

#include <string.h>

#include "gateway/base/hex.h"
#include "gateway/base/utf8.h"
#include "gateway/json/json.h"

#define FORMAT "lianban-backup-1"
#define TOP "state/"

/* --- names --- */

static bool part_good(struct lb_span part)
{
    if (part.len == 0 || lb_span_is(part, ".") || lb_span_is(part, ".."))
        return false;
    for (size_t i = 0; i < part.len; i++)
        if (part.ptr[i] < ' ' || part.ptr[i] == 0x7F || part.ptr[i] == '\\')
            return false;
    return true;
}

bool lb_backup_name_good(const char *name)
{
    size_t len = strlen(name);
    if (len > LB_BACKUP_MAX_NAME_BYTES || strncmp(name, TOP, strlen(TOP)) != 0 ||
        !lb_utf8_valid(lb_span_of(name, len)))
        return false;
    for (const char *part = name; part != NULL;) {
        const char *slash = strchr(part, '/');
        size_t part_len = slash == NULL ? strlen(part) : (size_t)(slash - part);
        if (!part_good(lb_span_of(part, part_len)))
            return false;
        part = slash == NULL ? NULL : slash + 1;
    }
    return true;
}

/* In order, and so none twice. */
static bool files_good(const struct lb_backup_manifest *manifest)
{
    for (size_t i = 0; i < manifest->num_files; i++) {
        const char *name = manifest->files[i].name;
        if (!lb_backup_name_good(name) || manifest->files[i].size > INT64_MAX)
            return false;
        if (i > 0 && strcmp(manifest->files[i - 1].name, name) >= 0)
            return false;
    }
    return manifest->num_files <= LB_BACKUP_MAX_FILES;
}

static bool text_good(const char *text)
{
    return text[0] != 0 && strlen(text) <= LB_BACKUP_MAX_TEXT_BYTES;
}

static bool good(const struct lb_backup_manifest *manifest)
{
    return text_good(manifest->node) && text_good(manifest->version) &&
           text_good(manifest->origin) && manifest->time_ms >= 0 &&
           manifest->log_size <= INT64_MAX && files_good(manifest);
}

/* --- writing --- */

static void set_hex(struct lb_json *object, const char *key, const uint8_t bytes[32])
{
    char hex[2 * 32 + 1];
    lb_hex_encode(lb_span_of(bytes, 32), hex);
    lb_json_set_cstr(object, key, hex);
}

static struct lb_json *files_json(const struct lb_backup_manifest *manifest)
{
    struct lb_json *files = lb_json_array();
    for (size_t i = 0; i < manifest->num_files; i++) {
        struct lb_json *file = lb_json_object();
        lb_json_set_cstr(file, "name", manifest->files[i].name);
        lb_json_set_int(file, "size", (int64_t)manifest->files[i].size);
        set_hex(file, "sha256", manifest->files[i].sha256);
        lb_json_append(files, file);
    }
    return files;
}

lb_status lb_backup_manifest_write(const struct lb_backup_manifest *manifest,
                                   struct lb_arena *arena, struct lb_span *out_text)
{
    LB_ENSURE(good(manifest), LB_MALFORMED, "a name that can't stand in a manifest");
    LB_DEFER(lb_json_freep) struct lb_json *root = lb_json_object();
    struct lb_json *log = lb_json_object();
    lb_json_set_cstr(root, "format", FORMAT);
    lb_json_set_cstr(root, "node", manifest->node);
    lb_json_set_cstr(root, "version", manifest->version);
    lb_json_set_int(root, "time_ms", manifest->time_ms);
    lb_json_set_cstr(log, "origin", manifest->origin);
    lb_json_set_int(log, "size", (int64_t)manifest->log_size);
    set_hex(log, "root", manifest->log_root.bytes);
    lb_json_set(root, "log", log);
    lb_json_set(root, "files", files_json(manifest));
    return lb_json_dump(root, LB_JSON_PRETTY, arena, out_text);
}

/* --- reading --- */

static lb_status get_text(const struct lb_json *object, const char *key, struct lb_arena *arena,
                          const char **out)
{
    struct lb_span text;
    LB_TRY(lb_json_get_str(object, key, &text));
    LB_ENSURE(text.len <= LB_BACKUP_MAX_TEXT_BYTES, LB_MALFORMED, "a text is too long");
    *out = lb_arena_str(arena, text);
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status get_count(const struct lb_json *object, const char *key, uint64_t *out)
{
    int64_t number = 0;
    LB_TRY(lb_json_get_int(object, key, &number));
    LB_ENSURE(number >= 0, LB_MALFORMED, "a count is negative");
    *out = (uint64_t)number;
    return LB_OK;
}

static lb_status get_hex(const struct lb_json *object, const char *key, uint8_t out[32])
{
    struct lb_span text;
    LB_TRY(lb_json_get_str(object, key, &text));
    return lb_hex_decode(text, out, 32);
}

static lb_status read_file(const struct lb_json *json, struct lb_arena *arena,
                           struct lb_backup_file *out)
{
    static const char *const keys[] = {"name", "size", "sha256", NULL};
    LB_ENSURE(lb_json_is_object(json), LB_MALFORMED, "a file is no object");
    LB_TRY(lb_json_only(json, keys));
    LB_TRY(get_text(json, "name", arena, &out->name));
    LB_TRY(get_count(json, "size", &out->size));
    return get_hex(json, "sha256", out->sha256);
}

static lb_status read_files(const struct lb_json *root, struct lb_arena *arena,
                            struct lb_backup_manifest *out)
{
    const struct lb_json *files = NULL;
    LB_TRY(lb_json_get_array(root, "files", &files));
    size_t num = lb_json_len(files);
    LB_ENSURE(num <= LB_BACKUP_MAX_FILES, LB_TOO_LARGE, "too many files");
    out->files = lb_arena_array(arena, num + 1, sizeof(*out->files));
    LB_ENSURE(out->files != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < num; i++)
        LB_TRY(read_file(lb_json_at(files, i), arena, &out->files[i]));
    out->num_files = num;
    return LB_OK;
}

static lb_status read_log(const struct lb_json *root, struct lb_arena *arena,
                          struct lb_backup_manifest *out)
{
    static const char *const keys[] = {"origin", "size", "root", NULL};
    const struct lb_json *log = NULL;
    LB_TRY(lb_json_get_object(root, "log", &log));
    LB_TRY(lb_json_only(log, keys));
    LB_TRY(get_text(log, "origin", arena, &out->origin));
    LB_TRY(get_count(log, "size", &out->log_size));
    return get_hex(log, "root", out->log_root.bytes);
}

static lb_status read_root(const struct lb_json *root, struct lb_arena *arena,
                           struct lb_backup_manifest *out)
{
    static const char *const keys[] = {"format", "node", "version", "time_ms", "log", "files",
                                       NULL};
    struct lb_span format;
    LB_ENSURE(lb_json_is_object(root), LB_MALFORMED, "a manifest is an object");
    LB_TRY(lb_json_only(root, keys));
    LB_TRY(lb_json_get_str(root, "format", &format));
    LB_ENSURE(lb_span_is(format, FORMAT), LB_MALFORMED, "a manifest of another format");
    LB_TRY(get_text(root, "node", arena, &out->node));
    LB_TRY(get_text(root, "version", arena, &out->version));
    LB_TRY(lb_json_get_int(root, "time_ms", &out->time_ms));
    LB_TRY(read_log(root, arena, out));
    return read_files(root, arena, out);
}

lb_status lb_backup_manifest_read(struct lb_span text, struct lb_arena *arena,
                                  struct lb_backup_manifest *out_manifest)
{
    LB_DEFER(lb_json_freep) struct lb_json *root = NULL;
    struct lb_backup_manifest manifest = {.node = NULL};
    LB_ENSURE(text.len <= LB_BACKUP_MAX_MANIFEST_BYTES, LB_TOO_LARGE, "manifest is too large");
    LB_TRY(lb_json_parse(text, &root));
    lb_status status = read_root(root, arena, &manifest);
    /* What is missing and what is of another kind is the same here. */
    LB_ENSURE(lb_status_code(status) != LB_ABSENT, LB_MALFORMED, "something is missing");
    LB_TRY(status);
    LB_ENSURE(good(&manifest), LB_MALFORMED, "a name or order that no manifest has");
    *out_manifest = manifest;
    return LB_OK;
}
